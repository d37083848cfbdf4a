package watch_test

import (
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// live lets the home beat until a time after the start, and returns what was
// raised of a missing daily test, with when.
func (r *rig) live(until time.Duration) (raised []time.Duration) {
	r.t.Helper()
	for end := start.Add(until); r.now.Before(end); r.now = r.now.Add(time.Minute) {
		f := r.observe(wire.Record{Reading: devices.Reading{Device: "gw-1", Kind: devices.Heartbeat}, Heartbeat: &wire.Heartbeat{}})
		f.Raise = append(f.Raise, r.Tick(r.now).Raise...)
		for _, a := range f.Raise {
			if a.Kind == care.AlertTestMissed {
				raised = append(raised, r.now.Sub(start))
			} else {
				r.t.Errorf("raised %s", a.Kind)
			}
		}
	}
	return raised
}

func TestADailyTestThatIsMissing(t *testing.T) {
	r := newRig(t, home())
	if got := r.live(3 * 24 * time.Hour); len(got) != 0 {
		t.Errorf("of a gateway that never made one: %v", got)
	}
	r.says("gw-1", devices.Test, 1)
	if len(r.Devices()) != 0 {
		t.Errorf("the gateway is a device of its own: %+v", r.Devices())
	}
	if next := r.Next(); next.After(r.now.Add(3 * time.Minute)) {
		t.Errorf("the next look is at %v", next)
	}
	got := r.live(6 * 24 * time.Hour)
	if len(got) != 1 || got[0] != 4*24*time.Hour+2*time.Hour {
		t.Errorf("missed at %v, want once, 26 hours after the last", got)
	}
	f := r.says("gw-1", devices.Test, 1)
	if len(f.Recover) != 1 || f.Recover[0].Kind != care.AlertTestMissed {
		t.Errorf("when it comes: %+v", f.Recover)
	}
	// The cloud was away for two days: what waits in the home comes first.
	r.now = r.now.Add(48 * time.Hour)
	r.restart(home())
	back := r.now.Sub(start)
	if got := r.live(back + 5*time.Minute); len(got) != 0 {
		t.Errorf("missed at %v, %v after the return", got, got[0]-back)
	}
	if f := r.says("gw-1", devices.Test, 1); len(f.Recover) != 0 {
		t.Errorf("what was not missed ends: %+v", f.Recover)
	}
	if got := r.live(back + 24*time.Hour); len(got) != 0 {
		t.Errorf("missed at %v", got)
	}
}

// A gateway that was without power makes the test that it missed within an hour
// of its return.
func TestAPowerCutIsNoMissedTest(t *testing.T) {
	r := newRig(t, home())
	r.says("gw-1", devices.Test, 1)
	off := r.now
	for r.now.Before(off.Add(30 * time.Hour)) { // no power
		r.now = r.now.Add(time.Minute)
		r.Tick(r.now)
	}
	back := r.now
	for r.now.Before(back.Add(50 * time.Minute)) {
		r.now = r.now.Add(time.Minute)
		f := r.observe(wire.Record{Reading: devices.Reading{Device: "gw-1", Kind: devices.Heartbeat}, Heartbeat: &wire.Heartbeat{}})
		f.Raise = append(f.Raise, r.Tick(r.now).Raise...)
		for _, a := range f.Raise {
			if a.Kind == care.AlertTestMissed {
				t.Errorf("missed %v after the return; the gateway waits up to an hour by design", r.now.Sub(back))
			}
		}
	}
}
