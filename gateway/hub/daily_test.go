package hub

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
)

// later is a machine whose clock shows a year that is believed; a bubble's own is 2000.
func later() *clock.Clock {
	return clock.On(clock.Machine{Wall: func() time.Time { return time.Now().AddDate(27, 0, 0) }, Synced: func() bool { return false }}, true)
}

// tests are the times of the gateway's own tests in the alarm lane.
func (r *rig) tests() (at []time.Time) {
	r.t.Helper()
	for _, rec := range r.batch(wire.Alarm).Records {
		if rec.Kind == devices.Test && rec.Device == "gw" && *rec.Value == 1 {
			at = append(at, rec.Time.Time())
		}
	}
	return at
}

// acknowledge lets the cloud have all alarms.
func (r *rig) acknowledge() {
	r.t.Helper()
	l := r.store.Lane(wire.Alarm)
	if err := r.store.Acked(context.Background(), wire.Alarm, l.Epoch, l.Last, nil); err != nil {
		r.t.Fatal(err)
	}
}

func TestTheHomeTestsItselfOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := rigWith(t, dir, later())
		defer func() { r.stop() }()
		var all []time.Time
		for range 7 * 24 / 3 { // a week, started anew every three hours
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			all = append(all, r.tests()...)
			r.acknowledge()
			r.stop()
			r = rigWith(t, dir, later())
		}
		if len(all) != 7 {
			t.Fatalf("%d tests in a week: %v", len(all), all)
		}
		moment := testMoment("gw").Time()
		for _, at := range all {
			late := at.Sub(time.Date(at.Year(), at.Month(), at.Day(), moment.Hour(), moment.Minute(), moment.Second(), 0, time.UTC))
			if late < 0 || late > time.Hour {
				t.Errorf("a test at %s, its time of day is %s", at, moment.Format(time.TimeOnly))
			}
		}
	})
}

func TestTestsDoNotPileUpWithoutTheCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		time.Sleep(4*24*time.Hour + time.Minute)
		synctest.Wait()
		if n := len(r.tests()); n != 1 {
			t.Fatalf("%d tests wait after four days without the cloud, want 1", n)
		}
		r.acknowledge()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(r.tests()); n != 0 {
			t.Errorf("another test as soon as the cloud is back: all homes would make one")
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := len(r.tests()); n != 1 {
			t.Errorf("%d tests the day after, want 1", n)
		}
	})
}

func TestATestThatWasMissedIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := rigWith(t, dir, later())
		time.Sleep(25 * time.Hour) // one test has been made
		synctest.Wait()
		r.acknowledge()
		r.stop()
		time.Sleep(30 * time.Hour) // no power: the next one is missed
		r = rigWith(t, dir, later())
		defer func() { r.stop() }()
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		if n := len(r.tests()); n != 1 {
			t.Errorf("%d tests within the hour after the power came back, want 1", n)
		}
	})
}

func TestATestThatCannotBeStoredIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		time.Sleep(time.Minute)
		synctest.Wait()
		r.store.full.Store(true)
		time.Sleep(30 * time.Hour)
		synctest.Wait()
		if n := len(r.tests()); n != 0 {
			t.Fatalf("%d tests on a full disk", n)
		}
		r.store.full.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(r.tests()); n != 1 {
			t.Errorf("%d tests once there is room, want 1", n)
		}
	})
}

func TestHomesDoNotTestThemselvesAllAtOnce(t *testing.T) {
	minutes := map[devices.Micros]int{}
	for i := range 14400 {
		m := testMoment(fmt.Sprintf("gw-%05d", i))
		if m < 0 || m >= day {
			t.Fatalf("time of day %d", m)
		}
		minutes[m/60e6]++
	}
	for m, n := range minutes {
		if n > 30 { // 10 on average
			t.Errorf("%d of 14,400 homes in minute %d of the day", n, m)
		}
	}
}
