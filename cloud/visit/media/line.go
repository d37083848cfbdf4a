package media

import "time"

// Sound comes first: the picture is held back when it costs the sound.
const (
	pauseLoss  = 0.15    // share of packets lost
	pauseRate  = 100_000 // bit/s
	resumeLoss = 0.12
	resumeRate = 130_000

	pauseAfter      = 1200 * time.Millisecond // of a bad line
	pauseAfterTrial = 600 * time.Millisecond  // the same, when the picture has just come back
	resumeAfter     = 4 * time.Second         // of a better line, doubled each time that it does not last
	resumeAtMost    = 60 * time.Second
	trialLasts      = 15 * time.Second
	provenBy        = 2 * time.Second // of sound with all repetitions, before the picture comes back to a slow line

	repeatsMost = 3 // they make 54 kbit/s of sound 132

	plainFor = 3 * time.Second // what was lost before is out of the window of 2 s then
	tryAgain = 30 * time.Second
)

// measured is what is known of a line to one participant.
type measured struct {
	loss     float64 // towards them, 0–1, of the last 2 s
	steady   float64 // what of it does not depend on how much is sent
	lossUp   float64
	estimate int // bit/s
	rtt      time.Duration
	watched  bool
}

// keeper decides when a participant's pictures are held back.
type keeper struct {
	paused      bool
	bad, better time.Time // since when the line is; zero is not
	resumed     time.Time
	wait        time.Duration
	slow        bool // the last pause was for bandwidth
	proving     bool // whether the line takes more, with sound: a keyframe that it does not take costs a second of that

	plain time.Time // since when sound goes without repetitions
	helps bool      // to repeat it, though the line is slow
	tried time.Time // since when that is tried
	tries float64   // the share that was lost before
	again time.Time // when it may be tried again

	lossUp float64 // share lost on the way here, smoothed
	poorUp bool    // so much that they should send sound alone

	said     Line
	saidAt   time.Time
	saidOnce bool
}

// step takes a measurement. It returns how the line is, whether that is news
// for the participant, and whether the picture was stopped or let go.
func (k *keeper) step(now time.Time, m measured) (line Line, news, changed bool) {
	// Chance alone makes 15 of 10 % for a moment.
	k.lossUp += 0.05 * (m.lossUp - k.lossUp)
	k.poorUp = k.lossUp > pauseLoss || k.poorUp && k.lossUp > resumeLoss
	// What is lost because too much is sent ends when less is.
	lossy := m.steady > pauseLoss
	slow := m.estimate < pauseRate
	switch {
	case !k.paused && (lossy || slow):
		if k.bad.IsZero() {
			k.bad = now
		}
		patience := pauseAfter
		if now.Sub(k.resumed) < trialLasts {
			patience = pauseAfterTrial
		}
		if now.Sub(k.bad) >= patience {
			if k.wait = min(2*k.wait, resumeAtMost); k.wait == 0 || now.Sub(k.resumed) > 4*trialLasts {
				k.wait = resumeAfter
			}
			k.paused, k.slow, changed = true, slow, true
			k.bad, k.better = time.Time{}, time.Time{}
		}
	case !k.paused:
		k.bad = time.Time{}
	case m.steady > resumeLoss || m.estimate < resumeRate:
		if k.better = (time.Time{}); k.proving {
			k.proving, k.wait = false, min(2*k.wait, resumeAtMost)
		}
	default:
		if k.better.IsZero() {
			k.better = now
		}
		k.proving = k.slow && now.Sub(k.better) >= k.wait-provenBy
		if now.Sub(k.better) >= k.wait {
			k.paused, k.proving, changed = false, false, true
			k.resumed, k.better = now, time.Time{}
		}
	}
	line = Line{VideoPaused: k.paused, Loss: max(m.loss, m.lossUp), Kbps: m.estimate / 1000, RTT: m.rtt, Watched: m.watched}
	line.Quality = quality(line)
	return line, k.isNews(now, line), changed
}

func quality(l Line) Quality {
	switch {
	case l.VideoPaused || l.Loss > pauseLoss:
		return Bad
	case l.Loss > 0.05 || l.Kbps < 250 || l.RTT > 400*time.Millisecond:
		return Poor
	}
	return Good
}

// isNews keeps the stream of events thin: a change in words at once, one in
// figures every two seconds.
func (k *keeper) isNews(now time.Time, l Line) bool {
	was := k.said
	words := !k.saidOnce || l.VideoPaused != was.VideoPaused || l.Watched != was.Watched || l.Quality != was.Quality && now.Sub(k.saidAt) >= time.Second
	if !words && (now.Sub(k.saidAt) < 2*time.Second || l == was) {
		return false
	}
	k.said, k.saidAt, k.saidOnce = l, now, true
	return true
}

// repeats is how often each frame of sound is sent again inside later packets:
// more on a line that loses, none on one that is too slow for it. Sound that is
// lost without repetitions all the same is better off with them.
func (k *keeper) repeats(now time.Time, m measured) int32 {
	if k.proving {
		return repeatsMost
	}
	slow := m.estimate < pauseRate || k.paused && k.slow && m.loss < lossChance
	if !slow || m.loss < lossChance {
		k.plain, k.helps = time.Time{}, false
	}
	if slow && k.plain.IsZero() {
		k.plain = now
	}
	switch {
	case k.helps && now.Sub(k.tried) > plainFor && m.loss > 1.25*k.tries+0.02:
		// More is lost with them: the line is full, and loses little else.
		k.helps, k.plain, k.again = false, now, now.Add(tryAgain)
	case !k.helps && slow && m.loss > 0.10 && now.Sub(k.plain) > plainFor && !now.Before(k.again):
		k.helps, k.tried, k.tries = true, now, m.loss
	}
	switch {
	case slow && !k.helps:
		return 0
	case m.loss > 0.10:
		return repeatsMost
	case m.loss > 0.03:
		return 2
	}
	return 1
}
