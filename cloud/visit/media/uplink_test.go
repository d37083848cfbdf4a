package media

import (
	"math/rand/v2"
	"testing"
	"time"
)

// upline is a browser that sends sound and as much picture as it is asked for,
// over a line that takes so much; what does not go through waits.
type upline struct {
	u       uplink
	now     time.Time
	rate    float64 // bit/s; 0 takes everything
	late    time.Duration
	jitter  time.Duration
	wishes  int // bit/s of all, as the browser reckons
	random  *rand.Rand
	free    time.Time // when the line is
	arrives []arriving
	ts      uint32
	worst   time.Duration // that a packet has waited
	asked   int           // at the end
}

type arriving struct {
	at    time.Time
	bytes int
	sound bool
	ts    uint32
}

func newUpline(rate float64) *upline {
	return &upline{now: time.Unix(1_800_000_000, 0), rate: rate, wishes: 900_000, random: rand.New(rand.NewPCG(1, 2)), ts: 1 << 31}
}

// live passes so long, 20 ms at a time.
func (l *upline) live(d time.Duration) {
	l.worst = 0
	for end := l.now.Add(d); l.now.Before(end); l.now = l.now.Add(20 * time.Millisecond) {
		asked := min(l.wishes, l.u.asks())
		l.asked = asked
		l.send(153, true) // a frame of 24 kbit/s and its repetition
		for left := (asked - soundReckoned) / 50 / 8; left > 0; left -= 1000 {
			l.send(min(left, 1000)+60, false)
		}
		l.ts += 960
		kept := l.arrives[:0]
		for _, a := range l.arrives {
			if a.at.After(l.now) {
				kept = append(kept, a)
				continue
			}
			l.u.bytes.Add(uint64(a.bytes))
			if a.sound {
				l.u.note(a.ts, a.at)
			}
		}
		l.arrives = kept
		if l.now.UnixMilli()%stepEvery.Milliseconds() == 0 {
			l.u.step(l.now)
		}
	}
}

func (l *upline) send(bytes int, sound bool) {
	if l.free.Before(l.now) {
		l.free = l.now
	}
	if l.rate > 0 && l.free.Sub(l.now) > 500*time.Millisecond {
		return // as much as a router keeps
	}
	if l.rate > 0 {
		l.free = l.free.Add(time.Duration(float64(bytes*8) / l.rate * float64(time.Second)))
	}
	l.worst = max(l.worst, l.free.Sub(l.now))
	at := l.free.Add(30*time.Millisecond + l.late)
	if l.jitter > 0 {
		at = at.Add(time.Duration(l.random.Int64N(int64(l.jitter))))
	}
	l.arrives = append(l.arrives, arriving{at, bytes, sound, l.ts})
}

func TestUplinkFindsWhatTheLineTakes(t *testing.T) {
	for _, rate := range []float64{200_000, 300_000, 600_000} {
		l := newUpline(rate)
		l.wishes = 150_000
		l.live(3 * time.Second) // the call begins
		l.wishes = 1_200_000
		l.live(20 * time.Second)
		l.live(30 * time.Second)
		if l.worst > 200*time.Millisecond {
			t.Errorf("%.0f bit/s: packets wait up to %v", rate, l.worst)
		}
		// What is asked for is less by what the browser does not reckon with.
		if got := float64(l.asked); got < 0.6*rate-besideAtMost || got > rate {
			t.Errorf("%.0f bit/s: %d are asked for", rate, l.asked)
		}
	}
}

func TestUplinkLeavesAGoodLineAlone(t *testing.T) {
	l := newUpline(0)
	l.jitter = 50 * time.Millisecond
	l.live(time.Minute)
	if l.asked != l.wishes {
		t.Errorf("%d bit/s are asked for of %d", l.asked, l.wishes)
	}
}

func TestUplinkForgetsWhatWas(t *testing.T) {
	l := newUpline(0)
	l.live(10 * time.Second)
	l.rate = 300_000
	l.live(20 * time.Second)
	if l.asked > 300_000 {
		t.Fatalf("%d bit/s are asked for on a line of 300,000", l.asked)
	}
	l.rate = 0
	l.live(time.Minute)
	if l.asked != l.wishes {
		t.Errorf("the line is good again, and %d bit/s are asked for of %d", l.asked, l.wishes)
	}
}

// Another microphone, of a headset without a cord, is later by a tenth of a
// second: that is no queue.
func TestUplinkTakesLateSoundForNoQueue(t *testing.T) {
	l := newUpline(0)
	l.live(10 * time.Second)
	l.late = 150 * time.Millisecond
	l.live(30 * time.Second)
	if l.asked != l.wishes {
		t.Errorf("%d bit/s are asked for of %d", l.asked, l.wishes)
	}
}
