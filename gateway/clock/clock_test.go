package clock

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
)

func TestAnUnsetClockIsNeverBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble's clock starts in 2000
		c := New(true)
		c.synced = func() bool { return true }
		if c.Now().OK {
			t.Fatal("a clock in the year 2000 was believed")
		}
		time.Sleep(time.Hour)
		if got, want := c.Now().T, devices.MicrosOf(c.start)+devices.Micros(time.Hour.Microseconds()); got != want {
			t.Fatalf("an hour later the boot's line shows %d, want %d", got, want)
		}
	})
}

func TestTheCloudCanVouchForTheClockUntilItSteps(t *testing.T) {
	c := New(false)
	base := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	wall, elapsed := base, time.Duration(0)
	c.start, c.synced = base, func() bool { return false }
	c.read = func() (time.Time, time.Duration) { return wall, elapsed }
	if c.Now().OK {
		t.Fatal("believed with nobody to vouch for it")
	}
	c.Heard(devices.MicrosOf(base.Add(time.Minute)))
	if c.Now().OK {
		t.Fatal("believed although the cloud is a minute away")
	}
	c.Heard(devices.MicrosOf(base.Add(2 * time.Second)))
	if s := c.Now(); !s.OK || s.T != devices.MicrosOf(base) {
		t.Fatalf("not believed although the cloud agrees: %+v", s)
	}
	wall, elapsed = wall.Add(time.Hour), elapsed+time.Hour
	if !c.Now().OK {
		t.Fatal("an hour passed evenly and the clock is no longer believed")
	}
	wall = wall.Add(-10 * time.Minute)
	if s := c.Now(); s.OK || s.T != devices.MicrosOf(base.Add(time.Hour)) {
		t.Fatalf("the wall clock stepped back: %+v, want the boot's own line an hour after its start", s)
	}
}

func TestKernelSyncIsEnough(t *testing.T) {
	c := New(false)
	c.synced = func() bool { return true }
	if !c.Now().OK {
		t.Fatal("not believed although the kernel's clock is set")
	}
}
