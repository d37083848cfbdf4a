package media

import (
	"testing"
	"testing/synctest"
	"time"
)

// lineVisit is what one participant receives of another over a line, as the
// service sends it: sound with as many repetitions, and pictures as large, as it
// thinks the line to take, stopped when they cost the sound.
type lineVisit struct {
	*wireLine
	keeper  keeper
	repeats int
	m       measured

	heard  []bool      // frames of sound
	waits  []*sentPart // for their turn: browsers send a picture at 2.5 times the rate
	turn   time.Time
	going  map[uint16]*sentPart
	key    time.Time // when a keyframe was made
	broken bool      // pictures cannot be shown before the next keyframe
	shown  int
	still  time.Duration
	bits   int // of pictures made
}

type sentPicture struct {
	missing int
	key     bool
}

// sentPart is a packet of a picture.
type sentPart struct {
	of    *sentPicture
	size  int
	tries int
}

const (
	frameSize  = 60          // bytes, of 24 kbit/s
	soundHeads = 12 + 8 + 10 // RTP, its extensions, SRTP
	partSize   = 1100
	triesMost  = 5
)

func newLineVisit(rate int) *lineVisit {
	v := &lineVisit{wireLine: newWireLine(rate), going: map[uint16]*sentPart{}}
	v.lost = v.again
	return v
}

// speak sends a frame of sound, and those before it that are repeated.
func (v *lineVisit) speak() {
	n := v.repeats
	size := soundHeads + packetExtra + frameSize
	if n > 0 {
		size += 1 + n*(redHeader+frameSize)
	}
	v.heard = append(v.heard, false)
	if _, through := v.send(size); !through {
		return
	}
	for i := len(v.heard) - 1; i >= max(0, len(v.heard)-1-n); i-- {
		v.heard[i] = true
	}
}

// show sends a picture.
func (v *lineVisit) show(now time.Time) {
	size := v.budget() / 25 / 8
	p := &sentPicture{key: v.broken && now.Sub(v.key) >= keyframeEvery}
	if p.key {
		v.key, v.broken = now, false
		size *= 3
	}
	p.missing = (size + partSize - 1) / partSize
	for ; size > 0; size -= partSize {
		v.waits = append(v.waits, &sentPart{of: p, size: min(size, partSize) + soundHeads + packetExtra})
	}
}

func (v *lineVisit) part(s *sentPart) {
	v.bits += 8 * s.size
	seq, through := v.send(s.size)
	if !through {
		v.going[seq] = s
		return
	}
	if s.of.missing--; s.of.missing == 0 && !v.broken {
		v.shown++
	}
}

// again sends a part of a picture that did not come once more.
func (v *lineVisit) again(seq uint16) {
	s := v.going[seq]
	if s == nil {
		return
	}
	delete(v.going, seq)
	if s.tries++; s.tries > triesMost || !v.estimate.mayRepeat(s.size, true) {
		v.broken = true
		return
	}
	v.part(s)
}

// last has the visit last for a while.
func (v *lineVisit) last(d time.Duration) {
	var soundAt, pictureAt, reportAt, stepAt time.Time
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		now := time.Now()
		if now.Sub(stepAt) >= stepEvery {
			stepAt = now
			v.estimate.listen(now)
			v.m.estimate = v.estimate.bitrate()
			v.m.loss, _ = v.down.loss(now)
			v.m.steady = v.estimate.steady()
			line, _, changed := v.keeper.step(now, v.m)
			v.repeats = int(v.keeper.repeats(now, v.m))
			if changed {
				v.estimate.hold(line.VideoPaused)
				v.broken = v.broken || !line.VideoPaused
			}
			if line.VideoPaused {
				v.still += stepEvery
			}
		}
		if now.Sub(soundAt) >= 20*time.Millisecond {
			soundAt = now
			v.speak()
		}
		if now.Sub(pictureAt) >= 40*time.Millisecond && !v.keeper.paused {
			pictureAt = now
			v.show(now)
		}
		for len(v.waits) > 0 && !v.turn.After(now) {
			v.part(v.waits[0])
			v.turn = now.Add(time.Duration(float64(8*v.waits[0].size) / 2.5 / float64(v.budget()) * float64(time.Second)))
			v.waits = v.waits[1:]
		}
		if now.Sub(reportAt) >= 100*time.Millisecond {
			reportAt = now
			v.report()
		}
	}
}

// begin forgets what was counted.
func (v *lineVisit) begin() { v.heard, v.shown, v.still, v.bits = nil, 0, 0, 0 }

func (v *lineVisit) missing() float64 {
	n := 0
	for _, h := range v.heard {
		if !h {
			n++
		}
	}
	return float64(n) / float64(len(v.heard))
}

func TestVisitOnABadLine(t *testing.T) {
	for name, c := range map[string]struct {
		line    func(*wireLine)
		missing float64 // share of the sound, at most
		fps     int     // at least
		kbps    int     // of pictures, at least
		still   float64 // share of the time, at most; at least when fps is 0
	}{
		"good":                                {func(*wireLine) {}, 0, 24, 1_000, 0},
		"10 % loss":                           {func(l *wireLine) { l.loss = 0.1 }, 0.015, 20, 300, 0.05},
		"10 % loss, jitter":                   {func(l *wireLine) { l.loss, l.jitter = 0.1, 40*time.Millisecond }, 0.015, 20, 200, 0.05},
		"30 % loss":                           {func(l *wireLine) { l.loss = 0.3 }, 0.05, 0, 0, 0.8},
		"600 kbit/s":                          {func(l *wireLine) { l.rate = 600_000 }, 0.01, 20, 250, 0},
		"300 kbit/s":                          {func(l *wireLine) { l.rate = 300_000 }, 0.01, 20, 90, 0},
		"300 kbit/s, short queue":             {func(l *wireLine) { l.rate, l.queue = 300_000, 50*time.Millisecond }, 0.01, 15, 60, 0.1},
		"300 kbit/s, jitter":                  {func(l *wireLine) { l.rate, l.jitter = 300_000, 40*time.Millisecond }, 0.01, 15, 60, 0.1},
		"600 kbit/s, 10 % loss":               {func(l *wireLine) { l.rate, l.loss = 600_000, 0.1 }, 0.015, 15, 150, 0.1},
		"600 kbit/s, 5 % loss":                {func(l *wireLine) { l.rate, l.loss = 600_000, 0.05 }, 0.015, 18, 150, 0.05},
		"300 kbit/s, 5 % loss":                {func(l *wireLine) { l.rate, l.loss = 300_000, 0.05 }, 0.015, 15, 50, 0.2},
		"60 kbit/s":                           {func(l *wireLine) { l.rate = 60_000 }, 0.005, 0, 0, 0.95},
		"60 kbit/s, half of the reports lost": {func(l *wireLine) { l.rate, l.deaf = 60_000, 0.5 }, 0.05, 0, 0, 0.8},
		"300 kbit/s, a third of the reports lost": {func(l *wireLine) { l.rate, l.deaf = 300_000, 0.3 }, 0.01, 15, 60, 0.1},
		"30 % loss each way":                      {func(l *wireLine) { l.loss, l.deaf = 0.3, 0.3 }, 0.05, 0, 0, 0.8},
		"10 % loss each way":                      {func(l *wireLine) { l.loss, l.deaf = 0.1, 0.1 }, 0.015, 20, 300, 0.05},
		"a limit without a queue to speak":        {func(l *wireLine) { l.rate, l.queue = 500_000, 20*time.Millisecond }, 0.02, 12, 100, 0.1},
	} {
		visit := func(t *testing.T, good time.Duration) {
			synctest.Test(t, func(t *testing.T) {
				v := newLineVisit(5_000_000)
				v.last(good)
				c.line(v.wireLine)
				v.last(10 * time.Second) // until it is noticed
				v.begin()
				const d = time.Minute
				v.last(d)
				fps, kbps, still := float64(v.shown)/d.Seconds(), v.bits/int(d.Milliseconds()), v.still.Seconds()/d.Seconds()
				t.Logf("sound missing %.2f %%, %.0f pictures a second in %d kbit/s, still %.0f %% of the time, estimate %d", 100*v.missing(), fps, kbps, 100*still, v.m.estimate)
				if v.missing() > c.missing {
					t.Errorf("%.2f %% of the sound are missing, %.2f %% may be", 100*v.missing(), 100*c.missing)
				}
				if fps < float64(c.fps) || kbps < c.kbps {
					t.Errorf("%.1f pictures a second in %d kbit/s, want %d in %d", fps, kbps, c.fps, c.kbps)
				}
				if c.fps > 0 && still > c.still+0.01 || c.fps == 0 && still < c.still {
					t.Errorf("the pictures were held back %.0f %% of the time", 100*still)
				}
			})
		}
		t.Run(name, func(t *testing.T) { visit(t, 5*time.Second) })
		t.Run(name+" from the beginning", func(t *testing.T) { visit(t, 0) })
	}
}

// budget is what the sender is told for a single picture; browsers make no
// smaller ones than of 30 kbit/s.
func (v *lineVisit) budget() int {
	return max(30_000, min(1_200_000, budget(v.m.estimate, 1, v.repeats)))
}
