package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/storetest"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// ledger is a database that can be away, or slow.
type ledger struct {
	*store.Store
	down    atomic.Bool // commits fail, nothing is done
	slow    time.Duration
	commits func(care.Commit)
}

func (l *ledger) Commit(ctx context.Context, c care.Commit) ([]care.Event, error) {
	time.Sleep(l.slow)
	if l.down.Load() {
		return nil, errors.New("database is away")
	}
	events, err := l.Store.Commit(ctx, c)
	if err == nil && l.commits != nil {
		l.commits(c)
	}
	return events, err
}

// village is an ingest with many homes, whose database can be troubled.
type village struct {
	db     *store.Store
	ledger *ledger
	series *series
	line   *line
	in     *ingest.Ingest
	stop   func()
}

func newVillage(t *testing.T, homes int) *village {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range homes {
		if err := db.AddHome(t.Context(), care.Home{ID: fmt.Sprintf("home-%d", i), Gateway: fmt.Sprintf("gw-%d", i), Name: "H", Zone: "Europe/Stockholm"}); err != nil {
			t.Fatal(err)
		}
	}
	v := &village{db: db, ledger: &ledger{Store: db}, series: &series{points: map[string]history.Point{}}, line: &line{in: make(chan ingest.Message)}}
	all, err := db.Homes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.in, err = ingest.New(ingest.Options{
		Source: v.line, Ledger: v.ledger, Directory: db, Series: v.series, Archive: db, Mailbox: db, Screens: screens{},
		Metrics: ingest.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
		Limits:      ingest.DefaultLimits(func([]devices.Kind) time.Duration { return 3 * time.Hour }),
		FutureLimit: 24 * time.Hour,
	}, ingest.Snapshot{Homes: all}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.in.Run(ctx) }()
	v.stop = func() {
		cancel()
		if err := errors.Join(<-done, db.Close()); err != nil {
			t.Error(err)
		}
	}
	return v
}

func (v *village) put(t *testing.T, gateway string, lane wire.Lane, b wire.Batch) {
	data, err := b.Encode(false)
	if err != nil {
		t.Error(err)
		return
	}
	v.line.in <- ingest.Message{Gateway: gateway, Leaf: wire.Leaf(lane), Payload: data, Received: time.Now()}
}

func (v *village) alerts(t *testing.T, states ...care.AlertState) []care.Alert {
	t.Helper()
	alerts, err := v.db.Alerts(t.Context(), care.AlertFilter{States: states})
	if err != nil {
		t.Fatal(err)
	}
	return alerts
}

func heartbeat() wire.Record {
	r := rec(devices.Heartbeat, "gw", 1)
	r.Heartbeat = &wire.Heartbeat{ClockOK: true}
	return r
}

// P4: a database that was away for five minutes is no silence of the homes.
func TestADatabaseOutageIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const homes = 100
		v := newVillage(t, homes)
		defer v.stop()
		seq := uint64(0)
		beat := func() {
			seq++
			for i := range homes {
				v.put(t, fmt.Sprintf("gw-%d", i), wire.Telemetry, batchOf(seq, heartbeat()))
			}
			time.Sleep(30 * time.Second)
		}
		for range 4 {
			beat()
		}
		v.ledger.down.Store(true)
		for range 10 { // five minutes; every home is heard all the time
			beat()
		}
		v.ledger.down.Store(false)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if all := v.alerts(t); len(all) != 0 {
			t.Errorf("%d alerts about homes that were heard every 30 s, the first %s", len(all), all[0].Kind)
		}
		time.Sleep(5 * time.Minute) // and silence is still noticed
		synctest.Wait()
		if n := len(v.alerts(t, care.Open)); n != homes {
			t.Errorf("%d of %d homes that fell silent after it are alerted", n, homes)
		}
	})
}

// Somebody has the press, but the home could not write that down: it is told
// again.
func TestAConfirmationThatCouldNotBeStoredIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		if err := c.db.PutCommand(t.Context(), care.PendingCommand{Gateway: gateway, Command: wire.Command{ID: "c1", Type: wire.CommandConfirm}}); err != nil {
			t.Fatal(err)
		}
		c.send(wire.LeafState, []byte(`{"online":true}`))
		reply, err := json.Marshal(wire.Reply{ID: "c1", Error: &wire.Problem{ID: wire.ErrIDNotStored}})
		if err != nil {
			t.Fatal(err)
		}
		c.send(wire.LeafReply, reply)
		before := c.line.commands()
		time.Sleep(time.Minute)
		synctest.Wait()
		if c.line.commands() == before {
			t.Error("the home is not told again")
		}
	})
}

// A command that is lost on its way down reaches a home that stays connected.
func TestALostCommandIsRepeatedWhileTheHomeIsOnline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		c.batch(wire.Telemetry, batchOf(1, heartbeat()))
		if err := c.db.PutCommand(t.Context(), care.PendingCommand{Gateway: gateway, Command: wire.Command{ID: "c1", Type: wire.CommandConfirm}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // nobody says that there is mail
		synctest.Wait()
		if c.line.commands() == 0 {
			t.Error("a minute later the home has not been told")
		}
	})
}

// One alarm record of one home does not stop the copying of all others.
func TestARecordThatGrowsWhenStoredStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		now := time.Now().UnixMicro()
		c.send(wire.LeafAlarm, fmt.Appendf(nil, `{"v":1,"epoch":"e1","first":1,"boot":"b","sent":%d,"mono":1,"clock_ok":true,"records":[{"t":%d,"d":"button","k":"button","s":"single","raw":%q}]}`,
			now, now, strings.Repeat("<", 3000)))
		for i := range 5 {
			c.batch(wire.Alarm, batchOf(uint64(i+2), rec(devices.SOS, "sos", 1)))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := c.series.count(); n != 6 {
			t.Errorf("after an hour %d of 6 alarm records are in the time series", n)
		}
	})
}

// P4: a last will is the broker's word, not the gateway's.
func TestALastWillIsNoSignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		c.batch(wire.Telemetry, batchOf(1, temperatures(1)...))
		gone := time.Now()
		time.Sleep(30 * time.Second) // one and a half times the keepalive
		c.send(wire.LeafState, []byte(`{"online":false}`))
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		status, _, err := c.in.Detail(t.Context(), "home-1")
		if err != nil || !status.Silent {
			t.Errorf("%v after its last word: silent %v, heard %v after it, %v", time.Since(gone), status.Silent, status.Heard.Sub(gone), err)
		}
	})
}

// A press does not wait behind the telemetry of others that fills the queue.
func TestAPressOvertakesTheTelemetryOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVillage(t, 50)
		defer v.stop()
		v.ledger.slow = 200 * time.Millisecond // a busy database
		var pressed time.Time
		v.ledger.commits = func(c care.Commit) {
			for _, a := range c.Raise {
				if a.Kind == care.AlertSOS {
					pressed = time.Now()
				}
			}
		}
		began := time.Now()
		for i := range 20_000 { // what 2,500 gateways with a window of 8 batches send at once
			v.put(t, fmt.Sprintf("gw-%d", i%50), wire.Telemetry, batchOf(uint64(i/50+1), rec(devices.Temperature, "th", 1)))
		}
		v.put(t, "gw-0", wire.Alarm, batchOf(1, rec(devices.SOS, "sos", 1)))
		time.Sleep(time.Minute)
		synctest.Wait()
		if pressed.IsZero() {
			t.Fatal("the press was never committed")
		}
		if wait := pressed.Sub(began); wait > 2*time.Second { // virtual: ten commits
			t.Errorf("the press was committed after %v", wait)
		}
	})
}

// Nor does it wait while a whole area comes back after a power cut, and every
// gateway says first that it is there.
func TestAPressOvertakesThoseWhoComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const homes, states = 160, 4000
		v := newVillage(t, homes)
		defer v.stop()
		time.Sleep(10 * time.Minute) // they are silent, and that they are back is to be committed
		v.ledger.slow = 200 * time.Millisecond
		var pressed time.Time
		v.ledger.commits = func(c care.Commit) {
			for _, a := range c.Raise {
				if a.Kind == care.AlertSOS {
					pressed = time.Now()
				}
			}
		}
		began := time.Now()
		for i := range states {
			v.line.in <- ingest.Message{Gateway: fmt.Sprintf("gw-%d", i*homes/states), Leaf: wire.LeafState, Payload: []byte(`{"online":true}`), Received: time.Now()}
		}
		v.put(t, "gw-0", wire.Alarm, batchOf(1, rec(devices.SOS, "sos", 1)))
		time.Sleep(time.Minute)
		synctest.Wait()
		if pressed.IsZero() {
			t.Fatal("the press was never committed")
		}
		if wait := pressed.Sub(began); wait > 500*time.Millisecond { // virtual: the commit under way, and its own
			t.Errorf("the press was committed after %v", wait)
		}
	})
}

// A time series store that is slow, but keeps up when it is given much at once,
// is not away: nobody is told to send again what is on its way to it.
func TestASlowTimeSeriesStoreIsNotAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const homes, batches, size = 50, 6, 400
		v := newVillage(t, homes)
		defer v.stop()
		v.series.slow = 500 * time.Millisecond
		for n := range uint64(batches) {
			for i := range homes {
				v.put(t, fmt.Sprintf("gw-%d", i), wire.Telemetry, batchOf(n*size+1, temperatures(size)...))
				time.Sleep(2 * time.Millisecond) // each in a commit of its own
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		marks, err := v.db.Marks(t.Context())
		if err != nil || len(marks) != homes {
			t.Fatalf("%d homes have marks, %v", len(marks), err)
		}
		for _, m := range marks {
			if m.Stored != batches*size {
				t.Errorf("%d of %d readings of %s are stored", m.Stored, batches*size, m.Gateway)
			}
		}
		v.line.mu.Lock()
		defer v.line.mu.Unlock()
		for _, a := range v.line.acks {
			if a.Held > 0 {
				t.Fatalf("a home was told that its readings are held back: %+v", a)
			}
		}
	})
}

// The end of the smoke was lost on the radio, and a nurse closed the alert.
// Weeks later it burns.
func TestASecondFireIsRaised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		c.batch(wire.Alarm, batchOf(1, rec(devices.Smoke, "smoke-hall", 1)))
		first := c.alerts(care.Open)
		if len(first) != 1 {
			t.Fatalf("%d alerts", len(first))
		}
		desk := alarm.NewDesk(c.db, c.db, func(string) {})
		if _, err := desk.Resolve(t.Context(), first[0].ID, alarm.Actor{Name: "Anna"}, care.OutcomeTest, "", "", time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(21 * 24 * time.Hour)
		c.batch(wire.Alarm, batchOf(2, rec(devices.Smoke, "smoke-hall", 1)))
		burning := 0
		for _, a := range c.alerts(care.Open) {
			if a.Kind == care.AlertSmoke {
				burning++
			}
		}
		if burning != 1 {
			t.Errorf("it burns, and %d alerts say so", burning)
		}
	})
}

// P6: after a restart a home is as it was before.
func TestAStopForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		c.batch(wire.Telemetry, batchOf(1, rec(devices.Motion, "pir", 1)))
		time.Sleep(time.Minute)
		c.batch(wire.Telemetry, batchOf(2, rec(devices.Motion, "pir", 1)))
		status, sensors, err := c.in.Detail(t.Context(), "home-1")
		if err != nil {
			t.Fatal(err)
		}
		c.stop()
		c.start()
		defer c.close()
		again, sensorsAgain, err := c.in.Detail(t.Context(), "home-1")
		if err != nil || !reflect.DeepEqual(again, status) || !reflect.DeepEqual(sensorsAgain, sensors) {
			t.Errorf("after a restart %+v %+v, %v\nbefore %+v %+v", again, sensorsAgain, err, status, sensors)
		}
	})
}

// The gateway of a home is replaced, and the old one goes to another home:
// both are heard, and their logs go on.
func TestGatewaysChangePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVillage(t, 2)
		defer v.stop()
		seq := uint64(0)
		beats := func(n int) {
			for range n {
				seq++
				for _, gateway := range []string{"gw-0", "gw-1"} {
					b := batchOf(seq, heartbeat())
					b.Epoch = "e-" + gateway
					v.put(t, gateway, wire.Telemetry, b)
				}
				time.Sleep(30 * time.Second)
			}
		}
		beats(3)
		for _, move := range [][2]string{{"home-0", "gw-spare"}, {"home-1", "gw-0"}, {"home-0", "gw-1"}} {
			home, err := v.db.Home(t.Context(), move[0])
			if err != nil {
				t.Fatal(err)
			}
			home.Gateway = move[1]
			if err := v.db.UpdateHome(t.Context(), home); err != nil {
				t.Fatal(err)
			}
		}
		all, err := v.db.Homes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := v.in.Define(t.Context(), all...); err != nil {
			t.Fatal(err)
		}
		beats(20)
		synctest.Wait()
		for _, a := range v.alerts(t, care.Open) {
			t.Errorf("%s of %s is open, though both gateways send every 30 s", a.Kind, a.Home)
		}
		marks, err := v.db.Marks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marks {
			if m.Evaluated != seq {
				t.Errorf("the log of %s stands at %d of %d", m.Gateway, m.Evaluated, seq)
			}
		}
	})
}

// P1: a gateway that works on an old copy of its spool gives old numbers to
// new presses. They are not taken for repetitions.
func TestNewPressesUnderOldNumbersAreNotSwallowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		first := batchOf(1, rec(devices.CheckIn, "ok", 1), rec(devices.SOS, "sos", 1))
		c.batch(wire.Alarm, first)
		if !c.batch(wire.Alarm, first) {
			t.Error("a true repetition has no receipt")
		}
		time.Sleep(time.Hour)
		reused := batchOf(2, rec(devices.SOS, "sos", 1))
		if c.batch(wire.Alarm, reused) {
			t.Error("a new press under an old number has a receipt")
		}
		if a := c.line.lastAck(wire.Alarm); a.Held <= 1<<32 {
			t.Errorf("ack = %+v, want one that makes the gateway begin a new log", a)
		}
		reused.Epoch, reused.First = "e2", 1 // as the gateway then does
		c.batch(wire.Alarm, reused)
		if n := len(c.alerts(care.Open)); n != 2 {
			t.Errorf("%d alerts for two presses", n)
		}
	})
}

// Whoever asks from outside learns that nothing is taken in.
func TestAnIntakeThatCannotCommitSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVillage(t, 1)
		defer v.stop()
		ready := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			return v.in.Ready(ctx)
		}
		if err := ready(); err != nil {
			t.Errorf("on a good day: %v", err)
		}
		v.ledger.down.Store(true)
		v.put(t, "gw-0", wire.Telemetry, batchOf(1, heartbeat()))
		synctest.Wait()
		if err := ready(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while nothing can be committed: %v", err)
		}
		v.ledger.down.Store(false)
		time.Sleep(20 * time.Second)
		if err := ready(); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}
