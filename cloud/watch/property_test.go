package watch_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// step is something that happens to a watcher.
type step struct {
	after time.Duration
	tick  bool
	rec   wire.Record
}

func drawStep(t *rapid.T, seq int) step {
	s := step{after: time.Duration(rapid.SampledFrom([]int64{0, 1, 30, 79, 149, 3600, 4 * 3600, 30 * 3600}).Draw(t, "after")) * time.Second}
	if rapid.IntRange(0, 2).Draw(t, "tick") == 0 {
		s.tick = true
		return s
	}
	device := rapid.SampledFrom([]string{"a", "b", "c"})
	s.rec = wire.Record{Reading: devices.Reading{
		Device: device.Draw(t, "device"), Room: rapid.SampledFrom([]string{"", "hall"}).Draw(t, "room"),
		Kind: rapid.SampledFrom([]devices.Kind{
			devices.SOS, devices.Smoke, devices.WaterLeak, devices.CheckIn, devices.Temperature, devices.Battery, devices.BatteryLow,
			devices.Motion, devices.Medication, devices.Heartbeat, devices.Heartbeat, "x",
		}).Draw(t, "kind"),
		Time: devices.Micros(-rapid.Int64Range(-7200, 90_000).Draw(t, "age") * 1e6), // from now on, see apply
	}}
	if rapid.IntRange(0, 9).Draw(t, "number") > 0 {
		s.rec.Value = devices.Number(rapid.SampledFrom([]float64{0, 1, 10, 20, 80}).Draw(t, "value"))
	}
	if s.rec.Kind == devices.Heartbeat {
		s.rec.Heartbeat = &wire.Heartbeat{
			ClockOK: rapid.Bool().Draw(t, "clock"), Depth: seq,
			Seen: rapid.MapOf(device, rapid.SampledFrom([]int64{-1, 0, 60, 9000, 11_000, 100_000})).Draw(t, "seen"),
		}
	}
	return s
}

func apply(w *watch.Watcher, s step, seq int, now time.Time) watch.Findings {
	if s.tick {
		return w.Tick(now)
	}
	s.rec.Time += devices.MicrosOf(now)
	return w.Observe(s.rec, care.Cause{Epoch: "e", Seq: uint64(seq + 1)}, now)
}

func again(t *rapid.T, w *watch.Watcher) *watch.Watcher {
	saved, err := w.Save()
	if err != nil {
		t.Fatal(err)
	}
	out := watch.New(w.Home(), limits(), start)
	if err := out.Restore(saved, time.Time{}); err != nil {
		t.Fatal(err)
	}
	return out
}

// P6: a watcher that is saved and restored at any point goes on as if nothing
// had been.
func TestP6SavedAndRestoredIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := home(morning, evening)
		whole, split, now := watch.New(h, limits(), start), watch.New(h, limits(), start), start
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			s := drawStep(t, i)
			now = now.Add(s.after)
			if rapid.Bool().Draw(t, "split") {
				split = again(t, split)
			}
			a, b := apply(whole, s, i, now), apply(split, s, i, now)
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("step %d: without a restart %+v\nwith %+v", i, a, b)
			}
			if a, b := whole.Status(now), split.Status(now); !reflect.DeepEqual(a, b) {
				t.Fatalf("step %d: without a restart %+v\nwith %+v", i, a, b)
			}
			if a, b := whole.Devices(), split.Devices(); !reflect.DeepEqual(a, b) {
				t.Fatalf("step %d: without a restart %+v\nwith %+v", i, a, b)
			}
		}
	})
}

// P4: nobody who sleeps until Next misses anything, and nobody is woken twice
// for the same.
func TestP4NextIsNeverTooLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, now := watch.New(home(morning, evening), limits(), start), start
		for i := range rapid.IntRange(1, 20).Draw(t, "steps") {
			s := drawStep(t, i)
			now = now.Add(s.after)
			apply(w, s, i, now)
			next := w.Next()
			switch {
			case s.tick && !next.IsZero() && !next.After(now):
				t.Fatalf("step %d: wants to be woken at %v right after a tick at %v", i, next, now)
			case next.IsZero():
				next = now.Add(1000 * time.Hour)
			case !next.After(now):
				continue
			}
			asleep := now.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(now))-1).Draw(t, "asleep")))
			for _, at := range []time.Time{asleep, next.Add(-time.Microsecond)} {
				if f := again(t, w).Tick(at); len(f.Raise)+len(f.Recover) > 0 {
					t.Fatalf("step %d: %+v at %v, to be woken at %v", i, f, at, next)
				}
			}
		}
	})
}
