// Package clock answers two questions about every reading: when was it, and
// is that time to be trusted. A box without a battery-backed clock starts in
// some other year; until it knows better it counts on a line of its own that
// never steps, so that one offset later puts the whole boot right.
package clock

import (
	"crypto/rand"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lykta/lykta/devices"
)

// Tolerance is how far the wall clock may be from the cloud's and still count
// as agreeing with it.
const Tolerance = 5 * time.Second

// firstYear is before any gateway of this kind existed: a wall clock that
// shows an earlier one has never been set.
const firstYear = 2026

// Stamp is a moment as the gateway knows it.
type Stamp struct {
	// T is wall-clock time when OK, otherwise a time on the boot's own line.
	T  devices.Micros
	OK bool
}

// Clock is the time of one process. It is safe for concurrent use.
type Clock struct {
	boot    string
	start   time.Time // the wall clock when the process started
	trusted bool
	synced  func() bool
	read    func() (time.Time, time.Duration) // the wall clock, and the time since the start

	mu     sync.Mutex
	agreed bool
	offset time.Duration // how far the wall clock had been stepped when the cloud last agreed
	began  time.Time     // when this boot's line began, by the cloud's clock; zero when it has not said
}

// Machine is the clock of a machine. The time that passes is Go's own in any
// case; it never steps.
type Machine struct {
	// Wall is the wall clock, which may be wrong and may step.
	Wall func() time.Time
	// Synced reports whether the kernel says that its clock is set.
	Synced func() bool
}

// New starts the boot's own line now. With trusted the wall clock is believed
// without proof, which is right for recorded days and demonstrations.
func New(trusted bool) *Clock { return On(Machine{Wall: time.Now, Synced: kernelSynced}, trusted) }

// On is New for another machine than this one.
func On(m Machine, trusted bool) *Clock {
	began := time.Now()
	return &Clock{
		boot: rand.Text(), start: m.Wall(), trusted: trusted, synced: m.Synced,
		read: func() (time.Time, time.Duration) { return m.Wall(), time.Since(began) },
	}
}

// Boot names this run of the process; it is random.
func (c *Clock) Boot() string { return c.boot }

// Mono is the time since the process started, in microseconds. It never steps.
func (c *Clock) Mono() int64 {
	_, elapsed := c.read()
	return elapsed.Microseconds()
}

// Line is now on the boot's own line: the wall clock at the start of the
// process plus the time that has passed since. It never steps.
func (c *Clock) Line() devices.Micros {
	return max(0, devices.MicrosOf(c.start)) + devices.Micros(c.Mono())
}

// Now is the moment to put on what is observed now.
func (c *Clock) Now() Stamp {
	wall, elapsed := c.read()
	if c.ok(wall, elapsed) {
		return Stamp{T: devices.MicrosOf(wall), OK: true}
	}
	return Stamp{T: c.Line()}
}

func (c *Clock) ok(wall time.Time, elapsed time.Duration) bool {
	if wall.UTC().Year() < firstYear {
		return false
	}
	if c.trusted || c.synced() {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agreed && (c.stepped(wall, elapsed)-c.offset).Abs() <= Tolerance
}

// stepped is how far the wall clock has been set away from the time that
// passed. Round strips the monotonic readings, which Sub would prefer.
func (c *Clock) stepped(wall time.Time, elapsed time.Duration) time.Duration {
	return wall.Round(0).Sub(c.start.Round(0)) - elapsed
}

// Heard compares the wall clock with the cloud's, as an acknowledgement that
// has just arrived gives it. Zero says nothing.
func (c *Clock) Heard(cloud devices.Micros) {
	if cloud == 0 {
		return
	}
	wall, elapsed := c.read()
	agreed, offset := wall.Sub(cloud.Time()).Abs() <= Tolerance, c.stepped(wall, elapsed)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.agreed, c.offset, c.began = agreed, offset, cloud.Time().Add(-elapsed)
}

// Right is now, for what people are shown: by the wall clock when that is to
// be trusted, and else by the cloud's, as it last said it and as time has passed since.
// known is false when there is neither.
func (c *Clock) Right() (now devices.Micros, known bool) {
	wall, elapsed := c.read()
	if c.ok(wall, elapsed) {
		return devices.MicrosOf(wall), true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.began.IsZero() {
		return 0, false
	}
	return devices.MicrosOf(c.began.Add(elapsed)), true
}

// kernelSynced reports whether the kernel's clock is disciplined by something
// (NTP, GPS). Asking needs no privilege.
func kernelSynced() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != timeError && t.Status&staUnsync == 0
}

// From <sys/timex.h>; the unix package has no names for them on every platform.
const (
	timeError = 5
	staUnsync = 0x0040
)
