package media

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	soundAlone = 54_000  // of the same without repetitions
	soundAgain = 26_000  // for each repetition
	layerRate  = 180_000 // of the small layer
	highFrom   = 450_000 // what a watcher must have for the large layer
	highUntil  = 300_000 // below this the small one is better
	leastAsked = 60_000  // asked of who is not watched: sound alone
	tellEvery  = time.Second
	// settles is how long a new session's losses are not believed: the first
	// packets come before the browser is ready for them.
	settles = 3 * time.Second
)

// look measures a participant's line and decides what pictures they are sent.
func (p *peer) look(now time.Time) {
	if p.linked.Load() == 0 {
		return
	}
	anew := p.fresh.Swap(false)
	if anew {
		p.estimate.newPath(now)
		p.uplink.newPath()
	}
	p.estimate.listen(now)
	p.uplink.step(now)
	m := p.measure(now)
	if anew && p.keeper.paused {
		// What was lost in an outage says nothing of the line after it.
		p.keeper = keeper{}
		p.estimate.hold(false)
		for _, s := range p.slots {
			s.picture.hold(false)
		}
	}
	line, news, changed := p.keeper.step(now, m)
	if changed && line.VideoPaused {
		p.media.counted.pauses.Add(1)
	}
	if changed {
		p.estimate.hold(line.VideoPaused)
	}
	budget := p.budget(m.estimate)
	again := p.keeper.repeats(now, m)
	for _, s := range p.slots {
		s.sound.repeats.Store(again)
		if changed {
			s.picture.hold(line.VideoPaused)
		}
		s.picture.pick(budget)
	}
	p.wakeSlots()
	if news {
		p.mail.post(Event{Kind: LineChanged, Line: line})
	}
}

func (p *peer) measure(now time.Time) measured {
	m := measured{estimate: p.estimate.bitrate(), rtt: time.Duration(p.rtt.Load())}
	m.steady = p.estimate.steady()
	m.loss, _ = p.down.loss(now)
	if now.UnixNano()-p.linked.Load() < int64(settles) {
		m.loss, m.steady = 0, 0
	}
	m.lossUp, _ = p.up.loss(now)
	for _, s := range p.listeners() {
		m.watched = m.watched || s.picture.taken()
	}
	return m
}

// budget is what each picture to a participant may cost, in bit/s.
func (p *peer) budget(estimate int) int {
	n, again := 0, 1
	for _, s := range p.slots {
		if s.picture.taken() {
			n++
		}
		again = int(s.sound.repeats.Load())
	}
	return budget(estimate, max(n, 1), again)
}

// budget is what each of n pictures may cost beside as many people's sound, each
// frame of which is sent again so many times, in bit/s.
func budget(estimate, n, again int) int {
	return max(0, (estimate*9/10-n*(soundAlone+again*soundAgain))/n)
}

// taken reports whether a picture is sent here, or would be.
func (o *pictureOut) taken() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.from != nil && !o.off && o.writer != nil
}

// pick chooses the layer that fits.
func (o *pictureOut) pick(budget int) {
	o.mu.Lock()
	from, low := o.from, o.low
	o.mu.Unlock()
	if from == nil {
		return
	}
	switch {
	case budget >= highFrom:
		low = false
	case budget < highUntil:
		low = true
	}
	if !from.sends(low) && from.sends(!low) {
		low = !low
	}
	o.choose(low)
}

// tellSender tells a participant's browser how much their watchers can take
// (REMB), and asks for keyframes that could not be asked for before.
func (p *peer) tellSender(now time.Time) {
	if p.linked.Load() == 0 {
		return
	}
	var ssrcs []uint32
	for _, low := range []bool{false, true} {
		if l := p.layer(low); l != nil {
			ssrcs = append(ssrcs, l.ssrc)
			if l.remembered(now) {
				p.sendPLI(l)
			}
		}
	}
	if len(ssrcs) == 0 {
		return
	}
	rate := p.wanted()
	if changed := rate < p.told*95/100 || rate > p.told*105/100; !changed && now.Sub(p.toldAt) < tellEvery {
		return
	}
	p.told, p.toldAt = rate, now
	// A connection that is closing cannot be told, and need not be.
	_ = p.conn.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(rate), SSRCs: ssrcs}})
}

// wanted is what a participant should send in all, in bit/s: with one picture
// what the poorest watcher can take, with two layers what the best can.
func (p *peer) wanted() int {
	layered := p.sends(true) && p.sends(false)
	// Sound first on the way here, too. A line that takes no picture one way seldom
	// takes one the other way.
	if p.keeper.poorUp || p.keeper.paused && p.keeper.slow {
		return leastAsked
	}
	rate := 0
	for _, s := range p.listeners() {
		if !s.picture.taken() {
			continue
		}
		one := s.owner.budget(s.owner.estimate.bitrate())
		switch {
		case rate == 0, layered && one > rate, !layered && one < rate:
			rate = max(one, 1)
		}
	}
	switch {
	case rate == 0:
		return leastAsked
	case layered || p.small.Load() != nil:
		rate += layerRate
	}
	return min(max(rate, pauseRate/2)+soundReckoned, p.uplink.asks())
}
