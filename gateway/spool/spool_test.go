package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func open(t testing.TB, opt Options) *Spool {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	if opt.Clock == nil {
		opt.Clock = clock.New(true)
	}
	if opt.Reserve == 0 {
		opt.Reserve = -1
	}
	opt.Gateway, opt.Log = "gw-test", quiet
	s, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func entry(kind devices.Kind, device string, v float64, t devices.Micros) Entry {
	return Entry{ClockOK: true, Record: wire.Record{Reading: devices.Reading{Time: t, Device: device, Kind: kind, Value: devices.Number(v)}}}
}

func press(v float64) Entry { return entry(devices.SOS, "button", v, 1_000_000) }

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// cloud stands for the other end of both lanes: it takes batches as protocol
// v1 says and remembers every sequence number's content.
type cloud struct {
	mark    map[wire.Lane]uint64
	got     map[wire.Lane][]float64
	dropped map[wire.Lane]uint64
	content map[string]string
}

func newCloud() *cloud {
	return &cloud{mark: map[wire.Lane]uint64{}, got: map[wire.Lane][]float64{}, dropped: map[wire.Lane]uint64{}, content: map[string]string{}}
}

func (c *cloud) take(lane wire.Lane, b wire.Batch) error {
	for i, r := range b.Records {
		seq := b.First + uint64(i)
		key := fmt.Sprint(b.Epoch, lane, seq)
		data, err := r.MarshalJSON()
		if err != nil {
			return err
		}
		if old, ok := c.content[key]; ok && old != string(data) {
			return fmt.Errorf("%s: first %s, then %s", key, old, data)
		}
		c.content[key] = string(data)
		switch mark := c.mark[lane]; {
		case r.Dropped != nil && i > 0:
			return fmt.Errorf("dropped record %d not first in its batch", seq)
		case seq <= mark:
		case r.Dropped != nil:
			if r.Dropped.From > mark+1 || r.Dropped.To != seq {
				return fmt.Errorf("dropped %+v at %d does not join on to %d", *r.Dropped, seq, mark)
			}
			c.dropped[lane] += r.Dropped.Count
			c.mark[lane] = seq
		case seq != mark+1:
			return fmt.Errorf("%s lane jumps from %d to %d", lane, mark, seq)
		default:
			c.got[lane] = append(c.got[lane], *r.Value)
			c.mark[lane] = seq
		}
	}
	return nil
}

// drain sends and acknowledges everything.
func (c *cloud) drain(s *Spool, lane wire.Lane) error {
	for {
		b, err := s.Next(context.Background(), lane, s.Lane(lane).Acked, 7, 600)
		if err != nil {
			return err
		}
		if len(b.Records) == 0 {
			return nil
		}
		if err := c.take(lane, b); err != nil {
			return err
		}
		if err := s.Acked(context.Background(), lane, b.Epoch, c.mark[lane], nil); err != nil {
			return err
		}
	}
}

// memory is a directory that is quick to write to, where there is one: a
// thousand small writes need no disk to show what order they are in.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "lykta-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Whatever is done in whatever order, and wherever the power goes: what was
// appended is delivered once and in order, or reported as dropped, exactly;
// and alarms are delivered.
func TestNothingIsLostUncounted(t *testing.T) {
	ctx := context.Background()
	base := memory(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		dirs := 0
		newDir := func() string {
			dirs++
			return filepath.Join(base, fmt.Sprint(run), fmt.Sprint(dirs))
		}
		start := func(dir string) *Spool {
			s, err := Open(Options{Dir: dir, Gateway: "gw", Clock: clock.New(rapid.Bool().Draw(rt, "clock ok")), Log: quiet, Reserve: -1, MaxBytes: 4000, chunk: 8})
			if err != nil {
				rt.Fatal(err)
			}
			return s
		}
		dir := newDir()
		s := start(dir)
		defer func() { s.Close(); os.RemoveAll(filepath.Join(base, fmt.Sprint(run))) }()

		c := newCloud()
		appended := map[wire.Lane][]float64{}
		cursor := map[wire.Lane]uint64{}
		n, now := 0.0, devices.Micros(0)
		lane := rapid.SampledFrom([]wire.Lane{wire.Alarm, wire.Telemetry})
		kinds := rapid.SampledFrom([]devices.Kind{devices.SOS, devices.Temperature, devices.Motion, devices.Contact, devices.Pulse, "odd"})

		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				var es []Entry
				for range rapid.IntRange(1, 12).Draw(rt, "records") {
					n++
					now += devices.Micros(rapid.IntRange(0, 1_200_000_000).Draw(rt, "gap"))
					e := entry(kinds.Draw(rt, "kind"), rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "device"), n, now)
					e.ClockOK = rapid.Bool().Draw(rt, "ok")
					es = append(es, e)
				}
				places, err := s.Append(ctx, es...)
				if err != nil {
					rt.Fatal(err)
				}
				for i, e := range es {
					appended[places[i].Lane] = append(appended[places[i].Lane], *e.Record.Value)
				}
			},
			"send": func(rt *rapid.T) {
				l := lane.Draw(rt, "lane")
				b, err := s.Next(ctx, l, max(cursor[l], s.Lane(l).Acked), rapid.IntRange(1, 20).Draw(rt, "max"), 1500)
				if err != nil {
					rt.Fatal(err)
				}
				if len(b.Records) == 0 {
					return
				}
				cursor[l] = b.Last()
				if rapid.Bool().Draw(rt, "lost on the way") {
					cursor[l] = 0 // go back to what is acknowledged
					for i, r := range b.Records {
						data, _ := r.MarshalJSON()
						c.content[fmt.Sprint(b.Epoch, l, b.First+uint64(i))] = string(data)
					}
					return
				}
				if err := c.take(l, b); err != nil {
					rt.Fatal(err)
				}
			},
			"ack": func(rt *rapid.T) {
				l := lane.Draw(rt, "lane")
				if err := s.Acked(ctx, l, s.Lane(l).Epoch, c.mark[l], nil); err != nil {
					rt.Fatal(err)
				}
				if err := s.Acked(ctx, l, "another epoch", c.mark[l]+5, nil); err != nil {
					rt.Fatal(err)
				}
			},
			"stop and start": func(rt *rapid.T) {
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				s = start(dir)
				clear(cursor)
			},
			"power cut": func(rt *rapid.T) {
				next := newDir()
				copyDir(rt, dir, next)
				s.Close()
				dir = next
				s = start(dir)
				clear(cursor)
			},
		})
		for _, l := range []wire.Lane{wire.Alarm, wire.Telemetry} {
			if err := c.drain(s, l); err != nil {
				rt.Fatal(err)
			}
			if got, want := uint64(len(c.got[l]))+c.dropped[l], uint64(len(appended[l])); got != want {
				rt.Fatalf("%s: %d delivered and %d dropped, but %d appended", l, len(c.got[l]), c.dropped[l], want)
			}
			i := 0
			for _, v := range c.got[l] {
				for i < len(appended[l]) && appended[l][i] != v {
					i++
				}
				if i == len(appended[l]) {
					rt.Fatalf("%s: %v delivered twice, out of order, or never appended", l, v)
				}
				i++
			}
			if st := s.Lane(l); st.Depth != 0 || st.Bytes != 0 {
				rt.Fatalf("%s: %d records, %d bytes left after everything was acknowledged", l, st.Depth, st.Bytes)
			}
		}
		if c.dropped[wire.Alarm] != 0 {
			rt.Fatalf("%d alarms dropped", c.dropped[wire.Alarm])
		}
	})
}

// copyDir is what a power cut leaves: the files as they are, the database
// with its write-ahead log.
func copyDir(t rapid.TB, from, to string) {
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// settle waits until the spool has thinned what it can.
func settle(t testing.TB, s *Spool) {
	t.Helper()
	for {
		busy := false
		if err := s.call(context.Background(), func() error { busy = s.over() && !s.stuck; return nil }); err != nil {
			t.Fatal(err)
		}
		if !busy {
			return
		}
	}
}

func TestThinningKeepsWhatTellsMost(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{MaxBytes: 8 << 10, chunk: 100})
	minute := devices.Micros(60_000_000)
	for i := range devices.Micros(240) {
		es := []Entry{entry(devices.Temperature, "kitchen", float64(i), i*minute)}
		if i%60 == 30 {
			es = append(es, entry(devices.Contact, "door", float64(i/60%2), i*minute), entry(devices.Pulse, "cuff", 60+float64(i), i*minute))
		}
		if _, err := s.Append(ctx, es...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Append(ctx, press(1)); err != nil {
		t.Fatal(err)
	}
	settle(t, s)
	if b := s.Lane(wire.Telemetry).Bytes + s.Lane(wire.Alarm).Bytes; b > 8<<10 {
		t.Fatalf("%d bytes held, at most %d", b, 8<<10)
	}
	b := must(s.Next(ctx, wire.Telemetry, 0, 1000, 1<<20))(t)
	first := b.Records[0]
	if first.Dropped == nil || first.Dropped.From != 1 || first.Dropped.To != b.First || first.Dropped.Count == 0 {
		t.Fatalf("the log begins with %+v, want a dropped record from 1 to its own place", first)
	}
	c := newCloud()
	kinds := map[devices.Kind]int{}
	for after := uint64(0); ; {
		b := must(s.Next(ctx, wire.Telemetry, after, 1000, 1<<20))(t)
		if len(b.Records) == 0 {
			break
		}
		for _, r := range b.Records {
			kinds[r.Kind]++
		}
		if err := c.take(wire.Telemetry, b); err != nil {
			t.Fatal(err)
		}
		after = b.Last()
	}
	if kinds[devices.Contact] != 4 || kinds[devices.Pulse] != 4 {
		t.Errorf("kept %v, want every change of the door and every pulse", kinds)
	}
	if n := uint64(len(c.got[wire.Telemetry])) + c.dropped[wire.Telemetry]; n != 248 {
		t.Errorf("%d readings accounted for, want 248", n)
	}
	if a := must(s.Next(ctx, wire.Alarm, 0, 10, 1<<20))(t); len(a.Records) != 1 {
		t.Errorf("%d alarms, want the one that was made", len(a.Records))
	}
}

func TestAppendsAtOnceAreOrderedAndGapless(t *testing.T) {
	s := open(t, Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[Position]bool{}
	for range 8 {
		wg.Go(func() {
			for range 25 {
				places, err := s.Append(context.Background(), press(1), entry(devices.Motion, "m", 1, 1))
				mu.Lock()
				if err != nil || seen[places[0]] || seen[places[1]] {
					t.Errorf("append: %v, %v", places, err)
				}
				for _, p := range places {
					seen[p] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if a, b := s.Lane(wire.Alarm), s.Lane(wire.Telemetry); a.Last != 200 || b.Last != 200 {
		t.Fatalf("lanes end at %d and %d, want 200", a.Last, b.Last)
	}
}

func TestBatchesDoNotMixBootsOrClocks(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	bad := entry(devices.Motion, "m", 1, 5)
	bad.ClockOK = false
	must(s.Append(ctx, bad, bad, entry(devices.Motion, "m", 1, 1e15)))(t)
	s.Close()
	s = open(t, Options{Dir: dir})
	must(s.Append(ctx, bad))(t)
	var sizes []int
	boots := map[string]bool{}
	for after := uint64(0); ; {
		b := must(s.Next(ctx, wire.Telemetry, after, 100, 1<<20))(t)
		if len(b.Records) == 0 {
			break
		}
		sizes, after = append(sizes, len(b.Records)), b.Last()
		boots[b.Boot] = true
		if b.Sent < b.Records[0].Time {
			t.Errorf("batch %d sent before it was observed", b.First)
		}
	}
	if fmt.Sprint(sizes) != "[2 1 1]" || len(boots) != 2 {
		t.Fatalf("batches of %v from %d boots, want [2 1 1] from 2", sizes, len(boots))
	}
}

func TestAFullDiskLeavesRoomForAlarms(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	var s *Spool
	s = open(t, Options{Dir: dir, Reserve: 64 << 10, release: func() {
		if _, err := s.db.Exec(`PRAGMA max_page_count = 1000000`); err != nil {
			t.Error(err)
		}
	}})
	reserve := filepath.Join(dir, "reserve")
	if _, err := os.Stat(reserve); err != nil {
		t.Fatalf("no reserve: %v", err)
	}
	if err := s.call(ctx, func() error { _, err := s.db.Exec(`PRAGMA max_page_count = 20`); return err }); err != nil {
		t.Fatal(err)
	}
	var err error
	stored := 0
	for range 1000 {
		e := entry(devices.Motion, "m", 1, 5)
		e.Record.Text = strings.Repeat("x", 500)
		if _, err = s.Append(ctx, e); err != nil {
			break
		}
		stored++
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("telemetry on a full disk: %v, want ErrFull", err)
	}
	// The press comes with so much text that freed pages alone do not hold it.
	e := press(1)
	e.Record.Text = strings.Repeat("x", 1000)
	es := make([]Entry, 100)
	for i := range es {
		es[i] = e
	}
	if _, err := s.Append(ctx, es...); err != nil {
		t.Fatalf("presses on a full disk: %v", err)
	}
	if _, err := os.Stat(reserve); err == nil {
		t.Fatal("the reserve was not used")
	}
	if l := s.Lane(wire.Telemetry); l.Depth > stored {
		t.Fatalf("%d telemetry records, %d were stored", l.Depth, stored)
	}
}

func TestOnlyOneProcessHasTheSpool(t *testing.T) {
	s := open(t, Options{})
	if _, err := Open(Options{Dir: s.opt.Dir, Clock: clock.New(true), Log: quiet}); !errors.Is(err, ErrInUse) {
		t.Fatalf("second open: %v, want ErrInUse", err)
	}
}

func TestAPressMovesOnOnlyByTheCloudsWord(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	places := must(s.Append(ctx, press(1), press(1), entry(devices.CheckIn, "ok", 1, 5)))(t)
	expect := func(want ...PressState) {
		t.Helper()
		var got []PressState
		for _, p := range must(s.Presses(ctx, 10))(t) {
			got = append(got, p.State)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("presses, newest first: %v, want %v", got, want)
		}
	}
	expect(Sending, Sending)
	epoch := places[0].Epoch
	if err := s.Acked(ctx, wire.Alarm, epoch, 1, nil); err != nil {
		t.Fatal(err)
	}
	expect(Sending, Received)
	s.Close()
	s = open(t, Options{Dir: dir})
	if err := s.Confirm(ctx, "", wire.Confirm{Epoch: epoch, Seq: 1, State: "acknowledged", By: "Anna"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Acked(ctx, wire.Alarm, epoch, 3, []uint64{2}); err != nil {
		t.Fatal(err)
	}
	expect(Refused, Has)
	if err := s.Confirm(ctx, "", wire.Confirm{Epoch: epoch, Seq: 1, State: "resolved"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Confirm(ctx, "", wire.Confirm{Epoch: epoch, Seq: 1, State: "acknowledged", By: "Bo"}); err != nil {
		t.Fatal(err)
	}
	expect(Refused, Resolved)
	if p := must(s.Presses(ctx, 10))(t)[1]; p.By != "Anna" {
		t.Errorf("by %q, want Anna, who had it", p.By)
	}
	if err := s.Confirm(ctx, "", wire.Confirm{Epoch: epoch, Seq: 3, State: "acknowledged"}); !errors.Is(err, ErrNoPress) {
		t.Errorf("confirm of a check-in: %v, want ErrNoPress", err)
	}
}

func TestARestoredSpoolBeginsANewEpoch(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{MaxBytes: 2000, chunk: 8})
	for i := range 60 {
		must(s.Append(ctx, entry(devices.Temperature, "k", float64(i), devices.Micros(i)), press(float64(i))))(t)
	}
	settle(t, s)
	old := s.Lane(wire.Alarm).Epoch
	if err := s.Acked(ctx, wire.Alarm, old, 20, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Acked(ctx, wire.Alarm, old, 1000, nil); !errors.Is(err, ErrAhead) {
		t.Fatalf("acknowledged beyond the last: %v, want ErrAhead", err)
	}
	if err := s.Renew(ctx); err != nil {
		t.Fatal(err)
	}
	must(s.Append(ctx, press(60)))(t)
	c := newCloud()
	for _, l := range []wire.Lane{wire.Alarm, wire.Telemetry} {
		if err := c.drain(s, l); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.got[wire.Alarm]; len(got) != 41 || got[0] != 20 || got[40] != 60 {
		t.Errorf("alarms after renewal: %v, want 20–60", got)
	}
	if n := uint64(len(c.got[wire.Telemetry])) + c.dropped[wire.Telemetry]; n != 60 {
		t.Errorf("%d readings accounted for, want 60", n)
	}
	for _, p := range must(s.Presses(ctx, 41))(t) {
		if p.State != Received {
			t.Fatalf("press %d of epoch %s is %s, want received", p.Seq, p.Epoch, p.State)
		}
	}
}

func TestAnImportGoesOnWhereItWas(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	must(s.Import(ctx, "days.txt", 2000, []Entry{entry(devices.Motion, "m", 1, 5)}))(t)
	s.Close()
	s = open(t, Options{Dir: dir})
	if line := must(s.Imported(ctx, "days.txt"))(t); line != 2000 {
		t.Fatalf("imported up to %d, want 2000", line)
	}
	if line := must(s.Imported(ctx, "other.txt"))(t); line != 0 {
		t.Fatalf("a file never seen is imported up to %d", line)
	}
}

// A reading of a time when the clock was right is not put on the line of a
// boot that began ten years ahead: the cloud would move it by ten years when it
// comes again.
func TestRightReadingsSentByAWrongClockKeepTheirLine(t *testing.T) {
	ctx := context.Background()
	wall, synced := time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC), false
	right := time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC)
	s := open(t, Options{Clock: clock.On(clock.Machine{Wall: func() time.Time { return wall }, Synced: func() bool { return synced }}, false)})
	wall, synced = right, true
	must(s.Append(ctx, entry(devices.Motion, "m", 1, devices.MicrosOf(wall))))(t)
	b := must(s.Next(ctx, wire.Telemetry, 0, 10, 1<<20))(t)
	wall, synced = wall.AddDate(10, 0, 0), false
	again := must(s.Next(ctx, wire.Telemetry, 0, 10, 1<<20))(t)
	for _, b := range []wire.Batch{b, again} {
		if d := b.Sent.Time().Sub(right).Abs(); !b.ClockOK || d > time.Hour {
			t.Errorf("clock ok %v, sent %v away from when it was observed", b.ClockOK, d)
		}
	}
}

func TestWhatCannotBeSentIsNotStored(t *testing.T) {
	s := open(t, Options{})
	nan := entry(devices.Temperature, "k", 0, 5)
	zero := 0.0
	*nan.Record.Value = zero / zero
	if _, err := s.Append(context.Background(), press(1), nan); !errors.Is(err, ErrRecord) {
		t.Fatalf("append of NaN: %v, want ErrRecord", err)
	}
	if d := s.Lane(wire.Alarm).Depth; d != 0 {
		t.Fatalf("%d records stored of a call that failed", d)
	}
}

func TestInspectWhileRunning(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	must(s.Append(ctx, press(1), entry(devices.Motion, "m", 1, 77)))(t)
	sum := must(Inspect(ctx, s.opt.Dir))(t)
	if len(sum.Lanes) != 2 || sum.Lanes[0].Depth != 1 || sum.Oldest[wire.Telemetry] != 77 || len(sum.Presses) != 1 {
		t.Fatalf("%+v", sum)
	}
	odd := filepath.Join(t.TempDir(), "home #1 100%?")
	open(t, Options{Dir: odd})
	if _, err := Inspect(ctx, odd); err != nil {
		t.Errorf("a directory with an odd name: %v", err)
	}
	if _, err := Inspect(ctx, t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("no spool: %v", err)
	}
}

func TestAppendAfterCloseSaysSo(t *testing.T) {
	s := open(t, Options{})
	s.Close()
	if _, err := s.Append(context.Background(), press(1)); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func BenchmarkImport(b *testing.B) {
	s := open(b, Options{})
	es := make([]Entry, 2000)
	for i := range es {
		es[i] = entry(devices.Motion, "M001", 1, devices.Micros(i))
	}
	for b.Loop() {
		if _, err := s.Append(context.Background(), es...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*2000)/b.Elapsed().Seconds(), "records/s")
}
