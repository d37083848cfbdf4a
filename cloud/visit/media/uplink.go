package media

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// uplink watches the way on which a participant's packets come. When they queue
// up there, it bounds what the browser is to send. The browser estimates that
// way itself, but it reckons with less than it sends (the repetitions of its
// sound are left out), and so goes over what the line takes again and again:
// pictures then come in bursts, with the sound behind them.
type uplink struct {
	bytes atomic.Uint64 // that came, with all headers

	mu       sync.Mutex // guards what note and step share
	started  bool
	lastTS   uint32
	lastAt   time.Time
	delay    time.Duration // of the latest sound, against that of the first
	shortest time.Duration // of the sound since judged
	heard    int           // pieces of sound since judged

	// The step's alone.
	judged    time.Time
	counted   uint64
	rate      float64 // bit/s, of about the last half second
	queue     time.Duration
	base      [2]time.Duration
	baseSince time.Time
	cut       time.Time
	cuts      int           // one after the other, without an end of the queue
	before    time.Duration // the queue at the first of them
	most      float64       // bit/s that the line takes; 0 is not known
	full      float64       // bit/s at which it was full
}

const (
	heardFrom     = 4 // pieces of sound from which it is judged: fewer are a pause in what is said
	cutsInVain    = 4 // after which what looks like a queue is none
	soundJumps    = time.Second
	srtpExtra     = packetExtra + 16 + 8 // bytes: IP and UDP, what SRTP adds, the header's extensions
	besideAtMost  = 45_000               // bit/s that a browser sends beside what it reckons with
	soundReckoned = 14_000               // bit/s that it reckons with for sound
)

// note takes the time of a piece of sound, in ticks of 1/48000 s, and when it came.
func (u *uplink) note(ts uint32, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	since := now.Sub(u.lastAt)
	ticks := int32(ts - u.lastTS)
	spoken := time.Duration(ticks) * time.Second / 48000
	if u.started && ticks <= 0 {
		return // it was overtaken, or sent again
	}
	if jump := since - spoken; u.started && (jump > soundJumps || jump < -soundJumps) {
		u.started = false // a microphone that was away, or another one
	}
	u.lastTS, u.lastAt = ts, now
	if !u.started {
		u.started, u.delay, u.heard, u.shortest = true, 0, 0, never
		u.base, u.baseSince = [2]time.Duration{never, never}, now
		return
	}
	u.delay += since - spoken
	u.heard++
	u.shortest = min(u.shortest, u.delay)
}

// newPath forgets what belongs to the way that packets came before.
func (u *uplink) newPath() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.started, u.queue, u.cuts, u.most, u.full = false, 0, 0, 0, 0
}

// step judges what came since the last time. It is called every stepEvery.
func (u *uplink) step(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	since := now.Sub(u.judged)
	if since < judgeEvery {
		return
	}
	bytes := u.bytes.Load()
	latest := float64(bytes-u.counted) * 8 / since.Seconds()
	u.rate += min(1, since.Seconds()/0.5) * (latest - u.rate)
	shortest, heard := u.shortest, u.heard
	u.judged, u.counted, u.shortest, u.heard = now, bytes, never, 0
	if heard < heardFrom {
		return
	}
	if now.Sub(u.baseSince) > baseLasts {
		u.base, u.baseSince = [2]time.Duration{never, u.base[0]}, now
	}
	u.base[0] = min(u.base[0], shortest)
	was := u.queue
	u.queue = shortest - min(u.base[0], u.base[1])
	switch {
	case u.queue > queueFull || u.queue > queueGrows && u.queue > was+10*time.Millisecond:
		if draining := u.queue < was && now.Sub(u.cut) < time.Second; !draining && now.Sub(u.cut) >= cutEvery {
			u.shrink(now, shortest)
		}
	case u.queue < queueGrows:
		u.cuts = 0
		u.grow(min(since.Seconds(), 1))
	}
}

// shrink makes less of what the line is thought to take. A queue that stays as
// it is however little is asked for is none: the sound is late for another reason.
func (u *uplink) shrink(now time.Time, shortest time.Duration) {
	if u.cuts == 0 {
		u.before = u.queue
	}
	if u.cuts++; u.cuts > cutsInVain && u.queue > u.before*3/4 {
		u.base, u.baseSince = [2]time.Duration{shortest, never}, now
		u.queue, u.cuts, u.most = 0, 0, 0
		return
	}
	u.cut, u.full = now, u.rate
	to := cutTo * u.rate
	if u.most > 0 {
		to = min(u.most, max(to, u.most/2))
	}
	u.most = max(to, leastAsked+besideAtMost)
}

// grow lets more be sent, little by little, and all when nothing is near.
func (u *uplink) grow(seconds float64) {
	if u.most == 0 {
		return
	}
	// What is not used says nothing about what could be.
	if u.most < 1.5*u.rate+100_000 {
		u.most *= math.Pow(growthAt(u.most, u.full), seconds)
	}
	if u.most > maxEstimate {
		u.most = 0
	}
}

// asks is what the browser may be asked to send by its own reckoning, in bit/s.
func (u *uplink) asks() int {
	if u.most == 0 {
		return maxEstimate
	}
	return int(u.most) - besideAtMost
}
