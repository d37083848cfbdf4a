package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/storetest"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const gateway = "gw-1"

// line is a Source whose other end the test holds.
type line struct {
	in   chan ingest.Message
	mu   sync.Mutex
	acks []wire.Ack
	cmds []wire.Command
}

func (l *line) Run(ctx context.Context, deliver func(ingest.Message)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-l.in:
			deliver(m)
		}
	}
}

func (l *line) Publish(_ context.Context, topic string, payload []byte) error {
	_, leaf, _ := wire.ParseTopic(topic)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch leaf {
	case wire.LeafAck:
		var a wire.Ack
		if err := json.Unmarshal(payload, &a); err != nil {
			return err
		}
		l.acks = append(l.acks, a)
	case wire.LeafCommand:
		var c wire.Command
		if err := json.Unmarshal(payload, &c); err != nil {
			return err
		}
		l.cmds = append(l.cmds, c)
	}
	return nil
}

func (l *line) Ready() error { return nil }

// commands returns how many commands were sent.
func (l *line) commands() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.cmds)
}

// lastAck returns the newest acknowledgement of a lane.
func (l *line) lastAck(lane wire.Lane) wire.Ack {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range slices.Backward(l.acks) {
		if a.Lane == lane {
			return a
		}
	}
	return wire.Ack{}
}

// series is a time series store that can be away, or slow.
type series struct {
	slow   time.Duration // of each write
	mu     sync.Mutex
	away   bool
	points map[string]history.Point
}

func (s *series) Write(_ context.Context, points []history.Point) error {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return history.ErrUnavailable
	}
	for _, p := range points {
		s.points[fmt.Sprint(p.Home, "/", p.Device, "/", p.Kind, "/", p.Room, "/", p.Nanos())] = p
	}
	return nil
}

func (s *series) set(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *series) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.points)
}

type screens struct{}

func (screens) AlertsChanged()                     {}
func (screens) Home(watch.Status)                  {}
func (screens) Readings(string, []devices.Reading) {}

// cloud is an ingest on a real database, that can be stopped and started.
type cloud struct {
	t  *testing.T
	db *store.Store
	mailbox
	series *series
	line   *line
	in     *ingest.Ingest
	cancel context.CancelFunc
	done   chan error
}

func newCloud(t *testing.T, home care.Home) *cloud {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{t: t, db: db, mailbox: db, series: &series{points: map[string]history.Point{}}}
	home.ID, home.Gateway, home.Name, home.Zone = "home-1", gateway, "Home", "Europe/Stockholm"
	if err := db.AddHome(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	c.start()
	return c
}

func (c *cloud) start() {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var from ingest.Snapshot
	var errs [4]error
	from.Homes, errs[0] = c.db.Homes(ctx)
	from.Marks, errs[1] = c.db.Marks(ctx)
	from.Boots, errs[2] = c.db.Boots(ctx)
	from.States, errs[3] = c.db.States(ctx)
	if err := errors.Join(errs[:]...); err != nil {
		c.t.Fatal(err)
	}
	c.line = &line{in: make(chan ingest.Message)}
	in, err := ingest.New(ingest.Options{
		Source: c.line, Ledger: c.db, Directory: c.db, Series: c.series, Archive: c.db, Mailbox: c.mailbox, Screens: screens{},
		Metrics: ingest.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
		Limits:      ingest.DefaultLimits(func([]devices.Kind) time.Duration { return 3 * time.Hour }),
		FutureLimit: 24 * time.Hour,
	}, from, time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	c.in, c.cancel, c.done = in, cancel, make(chan error, 1)
	go func() { c.done <- in.Run(ctx) }()
}

func (c *cloud) stop() {
	c.t.Helper()
	c.cancel()
	if err := <-c.done; err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) close() {
	c.stop()
	if err := c.db.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// send delivers a payload and waits until everything that follows from it has
// happened. It reports whether the message was receipted.
func (c *cloud) send(leaf wire.Leaf, payload []byte) (receipted bool) {
	c.t.Helper()
	var mu sync.Mutex
	c.line.in <- ingest.Message{Gateway: gateway, Leaf: leaf, Payload: payload, Received: time.Now(), Done: func() {
		mu.Lock()
		defer mu.Unlock()
		receipted = true
	}}
	synctest.Wait()
	mu.Lock()
	defer mu.Unlock()
	return receipted
}

func (c *cloud) batch(lane wire.Lane, b wire.Batch) bool {
	c.t.Helper()
	data, err := b.Encode(false)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send(wire.Leaf(lane), data)
}

func (c *cloud) alerts(states ...care.AlertState) []care.Alert {
	c.t.Helper()
	alerts, err := c.db.Alerts(c.t.Context(), care.AlertFilter{States: states})
	if err != nil {
		c.t.Fatal(err)
	}
	return alerts
}

func rec(kind devices.Kind, device string, v float64) wire.Record {
	return wire.Record{Reading: devices.Reading{Time: devices.MicrosOf(time.Now()), Device: device, Kind: kind, Value: &v}}
}

func batchOf(first uint64, records ...wire.Record) wire.Batch {
	return wire.Batch{Epoch: "e1", First: first, Boot: "b1", Sent: devices.MicrosOf(time.Now()), ClockOK: true, Records: records}
}

func temperatures(n int) []wire.Record {
	out := make([]wire.Record, n)
	for i := range out {
		out[i] = rec(devices.Temperature, "th", float64(i))
	}
	return out
}

func TestTelemetryIsAcknowledgedOnceStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		if !c.batch(wire.Telemetry, batchOf(1, temperatures(10)...)) {
			t.Error("a stored batch has no receipt")
		}
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 10 || a.Held != 0 || a.Epoch != "e1" {
			t.Errorf("ack = %+v, want up to 10", a)
		}
		c.batch(wire.Telemetry, batchOf(1, temperatures(10)...)) // again
		c.batch(wire.Telemetry, batchOf(8, temperatures(5)...))  // overlapping
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 12 {
			t.Errorf("ack after overlap = %+v, want up to 12", a)
		}
		if n := c.series.count(); n != 12 {
			t.Errorf("%d points stored, want 12", n)
		}
	})
}

func TestNothingIsAcknowledgedBeyondAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		c.batch(wire.Alarm, batchOf(1, rec(devices.CheckIn, "ok", 1)))
		if c.batch(wire.Alarm, batchOf(3, rec(devices.SOS, "sos", 1))) {
			t.Error("a batch beyond a gap has a receipt")
		}
		if a := c.line.lastAck(wire.Alarm); a.UpTo != 1 {
			t.Errorf("ack = %+v, want up to 1", a)
		}
		if n := len(c.alerts(care.Open)); n != 0 {
			t.Errorf("%d alerts from beyond a gap", n)
		}
		c.batch(wire.Alarm, batchOf(2, rec(devices.CheckIn, "ok", 1), rec(devices.SOS, "sos", 1)))
		if a, n := c.line.lastAck(wire.Alarm), len(c.alerts(care.Open)); a.UpTo != 3 || n != 1 {
			t.Errorf("after the gap was filled: ack %+v, %d alerts", a, n)
		}
	})
}

func TestAReportedDropBridgesAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		c.batch(wire.Telemetry, batchOf(1, temperatures(2)...))
		drop := rec(devices.Dropped, gateway, 7)
		drop.Dropped = &wire.Dropped{From: 3, To: 10, Count: 7}
		c.batch(wire.Telemetry, batchOf(10, append([]wire.Record{drop}, temperatures(2)...)...))
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 12 {
			t.Errorf("ack = %+v, want up to 12", a)
		}
	})
}

// P3: an outage of the time series store delays acknowledgements, never
// alerts, and loses and doubles nothing.
func TestSeriesOutageDelaysNoAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		c.batch(wire.Telemetry, batchOf(1, temperatures(2)...))
		c.series.set(true)

		if !c.batch(wire.Alarm, batchOf(1, rec(devices.SOS, "sos", 1))) {
			t.Error("a press waits for the time series store")
		}
		if a := c.line.lastAck(wire.Alarm); a.UpTo != 1 {
			t.Errorf("ack of the alarm lane = %+v", a)
		}
		low := rec(devices.Battery, "door", 3)
		if c.batch(wire.Telemetry, batchOf(3, low)) {
			t.Error("a batch that is not stored has a receipt")
		}
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 2 || a.Held != 3 {
			t.Errorf("ack while the store is away = %+v, want up to 2, held 3", a)
		}
		c.batch(wire.Telemetry, batchOf(4, temperatures(1)...))
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 2 || a.Held != 4 {
			t.Errorf("ack while the store is away = %+v, want up to 2, held 4", a)
		}
		if n := len(c.alerts(care.Open)); n != 2 {
			t.Fatalf("%d alerts during the outage, want the press and the battery", n)
		}

		c.series.set(false)
		time.Sleep(time.Minute) // virtual: past the writer's pause
		resent := batchOf(3, append([]wire.Record{low}, temperatures(1)...)...)
		c.batch(wire.Telemetry, resent)
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 4 || a.Held != 0 {
			t.Errorf("ack after the outage = %+v, want up to 4", a)
		}
		if n := len(c.alerts(care.Open)); n != 2 {
			t.Errorf("%d alerts after the resend, want still 2", n)
		}
		if n := c.series.count(); n != 5 {
			t.Errorf("%d points, want 4 readings and the press", n)
		}
	})
}

// A store that is well is not said to take nothing because a batch before this
// one was lost on the way: the home would wait half a minute before it sends it
// again.
func TestABatchLostAfterARestartIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		c.series.set(true)
		c.batch(wire.Telemetry, batchOf(1, temperatures(3)...)) // evaluated, not stored
		c.stop()
		c.series.set(false)
		c.start()
		defer c.close()
		c.batch(wire.Telemetry, batchOf(4, temperatures(1)...)) // the first, sent again, was lost
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 0 || a.Held != 0 {
			t.Errorf("ack = %+v, want up to 0 and no word of the store", a)
		}
		c.batch(wire.Telemetry, batchOf(1, temperatures(4)...))
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 4 || a.Held != 0 {
			t.Errorf("ack = %+v, want up to 4", a)
		}
	})
}

// P5, P6: what was committed is there after a restart, and a replay changes
// nothing.
func TestRestartGoesOnFromWhatWasCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		press := batchOf(1, rec(devices.SOS, "sos", 1))
		c.batch(wire.Alarm, press)
		c.batch(wire.Telemetry, batchOf(1, temperatures(3)...))
		before := c.alerts()
		if len(before) != 1 {
			t.Fatalf("%d alerts", len(before))
		}
		if _, _, err := c.db.ChangeAlert(t.Context(), before[0].ID, func(a care.Alert) (care.Alert, care.Change, error) {
			next, err := a.Acknowledge("Anna", time.Now())
			return next, care.Change{Actor: "Anna", Action: "acknowledge"}, err
		}); err != nil {
			t.Fatal(err)
		}
		c.stop()
		c.start()
		defer c.close()
		c.batch(wire.Alarm, press)
		if a := c.line.lastAck(wire.Alarm); a.UpTo != 1 {
			t.Errorf("ack of a replay = %+v", a)
		}
		after := c.alerts()
		if len(after) != 1 || after[0].State != care.Acknowledged || after[0].AcknowledgedBy != "Anna" {
			t.Errorf("after restart and replay: %+v", after)
		}
		c.batch(wire.Telemetry, batchOf(4, temperatures(1)...))
		if a := c.line.lastAck(wire.Telemetry); a.UpTo != 4 {
			t.Errorf("the log does not go on after a restart: %+v", a)
		}
	})
}

// A gateway whose clock is not right is corrected by the cloud's, by the same
// amount however often it sends.
func TestWrongClockIsCorrectedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		observed := time.Now()
		time.Sleep(10 * time.Second)
		wrong := batchOf(1, rec(devices.Temperature, "th", 20))
		wrong.ClockOK = false
		wrong.Records[0].Time = devices.MicrosOf(time.Unix(100, 0)) // ten seconds before it is sent
		wrong.Sent = devices.MicrosOf(time.Unix(110, 0))
		c.batch(wire.Telemetry, wrong)

		c.stop() // the offset survives
		c.start()
		defer c.close()
		time.Sleep(time.Hour)
		wrong.First, wrong.Sent = 2, devices.MicrosOf(time.Unix(110+3600, 0))
		wrong.Records[0].Device = "other"
		c.batch(wire.Telemetry, wrong)

		for _, p := range c.series.points {
			if got := p.Time.Time(); got.Sub(observed).Abs() > time.Second {
				t.Errorf("%s was observed at %v, stored at %v", p.Device, observed, got)
			}
		}
		if c.series.count() != 2 {
			t.Errorf("%d points", c.series.count())
		}
	})
}

// P4: a gateway that stops is shown within 90 s and alerted within 3 min, and
// never while it is heard.
func TestSilenceOfAGatewayIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		beat := uint64(0)
		heartbeat := func() {
			beat++
			r := rec(devices.Heartbeat, gateway, 1)
			r.Heartbeat = &wire.Heartbeat{ClockOK: true}
			c.batch(wire.Telemetry, batchOf(beat, r))
		}
		for range 60 {
			heartbeat()
			time.Sleep(30 * time.Second)
		}
		if n := len(c.alerts()); n != 0 {
			t.Fatalf("%d alerts while heartbeats arrive", n)
		}
		silentSince := time.Now().Add(-30 * time.Second)
		for time.Since(silentSince) < 90*time.Second {
			time.Sleep(time.Second)
		}
		synctest.Wait()
		status, _, err := c.in.Detail(t.Context(), "home-1")
		if err != nil || !status.Silent {
			t.Errorf("90 s of silence: %+v, %v", status, err)
		}
		for time.Since(silentSince) < 3*time.Minute {
			time.Sleep(time.Second)
		}
		synctest.Wait()
		alerts := c.alerts(care.Open)
		if len(alerts) != 1 || alerts[0].Kind != care.AlertGatewaySilent {
			t.Fatalf("3 min of silence: %+v", alerts)
		}
		heartbeat()
		if a := c.alerts(care.Resolved); len(a) != 1 || a[0].Outcome != care.OutcomeRecovered {
			t.Errorf("after the gateway came back: %+v", a)
		}
	})
}

func TestMissedCheckInIsRaisedAndALateOneEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The bubble's clock starts at midnight UTC on 1 January 2000: one in Stockholm.
		c := newCloud(t, care.Home{CheckIns: []care.CheckIn{{From: 8 * 60, By: 10 * 60}}})
		defer c.close()
		c.batch(wire.Telemetry, batchOf(1, temperatures(1)...))
		missed := func() []care.Alert {
			return slices.DeleteFunc(c.alerts(care.Open), func(a care.Alert) bool { return a.Kind != care.AlertCheckInMissed })
		}
		time.Sleep(8*time.Hour + 30*time.Minute) // 9:30
		if a := missed(); len(a) != 0 {
			t.Fatalf("before the window ends: %+v", a)
		}
		time.Sleep(35 * time.Minute) // 10:05
		synctest.Wait()
		if a := missed(); len(a) != 1 {
			t.Fatalf("after the window: %+v", a)
		}
		c.batch(wire.Alarm, batchOf(1, rec(devices.CheckIn, "ok", 1)))
		if a := missed(); len(a) != 0 {
			t.Errorf("after a late check-in: %+v", a)
		}
		time.Sleep(22 * time.Hour) // 8:05 next day
		c.batch(wire.Alarm, batchOf(2, rec(devices.CheckIn, "ok", 1)))
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if a := missed(); len(a) != 0 {
			t.Errorf("after a check-in in time: %+v", a)
		}
	})
}

func TestGarbageStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		deep := make([]byte, 0, 40_000)
		for range 20_000 {
			deep = append(deep, '[')
		}
		for _, garbage := range [][]byte{
			nil, []byte("{"), []byte("null"), []byte(`{"v":2}`), deep, {0xff, 0xfe, 0x00}, {0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3},
			[]byte(`{"v":1,"epoch":"e1","first":0,"records":[{}]}`), make([]byte, wire.MaxPayload+1),
			[]byte(`{"v":1,"epoch":"e\u0000","first":1,"records":[{"t":1,"d":"d","k":"sos"}]}`),
		} {
			for _, leaf := range []wire.Leaf{wire.LeafAlarm, wire.LeafTelemetry, wire.LeafState, wire.LeafReply} {
				c.send(leaf, garbage)
			}
		}
		if a := c.line.lastAck(wire.Alarm); a.Error == nil || a.Error.ID != wire.ErrIDMalformed {
			t.Errorf("answer to garbage = %+v", a)
		}
		// Single bad records are named, and the lane moves past them.
		c.send(wire.LeafAlarm, []byte(`{"v":1,"epoch":"e1","first":1,"sent":1,"clock_ok":true,"records":[{"t":"x"},{"t":5,"d":"a\u0000b","k":"sos"},{"t":946684800000000,"d":"sos","k":"sos","v":1,"s":"a\u0000b","new":{"x":[1]}}]}`))
		a := c.line.lastAck(wire.Alarm)
		if a.UpTo != 3 || len(a.Refused) != 2 || a.Refused[0].Seq != 1 || a.Refused[1].Seq != 2 {
			t.Errorf("ack with refusals = %+v", a)
		}
		if n := len(c.alerts(care.Open)); n != 1 {
			t.Errorf("%d alerts, want that of the good press", n)
		}
		refused, err := c.db.Refused(t.Context(), 100)
		if err != nil || len(refused) < 20 {
			t.Errorf("%d messages kept for the operator, %v", len(refused), err)
		}
	})
}

func TestReadingsFromTheFutureAreRefusedButAPressCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		future := rec(devices.Temperature, "th", 1)
		future.Time = devices.MicrosOf(time.Now().AddDate(30, 0, 0))
		c.batch(wire.Telemetry, batchOf(1, future, rec(devices.Temperature, "th", 2)))
		a := c.line.lastAck(wire.Telemetry)
		if a.UpTo != 2 || len(a.Refused) != 1 || c.series.count() != 1 {
			t.Errorf("ack = %+v, %d points", a, c.series.count())
		}
		press := rec(devices.SOS, "sos", 1)
		press.Time = future.Time
		c.batch(wire.Alarm, batchOf(1, press))
		alerts := c.alerts(care.Open)
		if len(alerts) != 1 || alerts[0].Observed.After(time.Now()) {
			t.Errorf("alerts = %+v", alerts)
		}
	})
}

func TestStrangersAreRefusedUntilTheyHaveAHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		b, err := batchOf(1, rec(devices.SOS, "sos", 1)).Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		knock := func() {
			c.line.in <- ingest.Message{Gateway: "gw-2", Leaf: wire.LeafAlarm, Payload: b, Received: time.Now()}
			synctest.Wait()
		}
		knock()
		if a := c.line.lastAck(wire.Alarm); a.Error == nil || a.Error.ID != "LYK-0104" {
			t.Errorf("answer to a stranger = %+v", a)
		}
		if err := c.db.AddHome(t.Context(), care.Home{ID: "home-2", Gateway: "gw-2", Name: "Two", Zone: "UTC"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		knock()
		if n := len(c.alerts(care.Open)); n != 1 {
			t.Errorf("%d alerts after the home was added", n)
		}
	})
}

func TestCommandsAreSentUntilAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		if err := c.db.PutCommand(t.Context(), care.PendingCommand{Gateway: gateway, Command: wire.Command{ID: "c1", Type: wire.CommandLocate}}); err != nil {
			t.Fatal(err)
		}
		online := []byte(`{"online":true}`)
		c.send(wire.LeafState, online)
		c.send(wire.LeafState, online)
		if n := c.line.commands(); n != 2 {
			t.Errorf("sent %d times before it was answered, want 2", n)
		}
		c.send(wire.LeafReply, []byte(`{"id":"c1","ok":true}`))
		c.send(wire.LeafState, online)
		if n := c.line.commands(); n != 2 {
			t.Errorf("sent again after it was answered: %d times", n)
		}
	})
}
