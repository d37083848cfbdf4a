package peer

import "time"

// fewest is how many questions in a row must have gone unanswered before a
// peer counts as silent, however long that took; and how many answers in a row
// must be good before it counts as back.
const fewest = 3

// silence judges whether a peer is silent, from the answers and when they
// came. It is pure: time comes in. Durations are taken from the monotonic
// clock, so a wall clock that jumps makes nobody silent.
//
// The watcher's own sleep is not the peer's silence: after a pause in which it
// asked nothing the count begins anew.
type silence struct {
	after time.Duration // without a good answer, until it is told
	pause time.Duration // between two rounds, from which on the watcher itself was away

	round   time.Time // when it was last looked at
	good    time.Time // the last good answer, or the start: what people are told
	counted time.Time // from when on it counts: good, or the end of the last pause
	ever    bool      // there was a good answer
	failed  int       // questions in a row
	grave   int       // of them, in a row and last: those for which alarms may not get through
	well    int       // good answers in a row
	back    time.Time // the first of well
	silent  bool
	trouble *Trouble // of the last question; nil when it was answered well
}

// awoke notes that a round begins, or that its question has ended. It reports
// how long the watcher had been away when that was a pause, else 0.
//
// Some machines stop the monotonic clock while they sleep, some do not: the
// longer of both counts.
func (s *silence) awoke(now time.Time) time.Duration {
	away := max(now.Sub(s.round), now.Round(0).Sub(s.round.Round(0)))
	s.round = now
	if away <= s.pause {
		return 0
	}
	s.counted, s.failed, s.grave = now, 0, 0
	return away
}

// answered takes an answer in. It reports whether the peer has just begun to
// count as silent, or as back.
func (s *silence) answered(now time.Time, t *Trouble) (changed bool) {
	s.trouble = t
	if t != nil {
		s.well = 0
		s.failed++
		s.grave++
		if !t.grave() {
			s.grave = 0
		}
		if s.silent || s.failed < fewest || now.Sub(s.counted) < s.after {
			return false
		}
		s.silent = true
		return true
	}
	if s.well == 0 {
		s.back = now
	}
	s.well++
	s.failed, s.grave, s.counted = 0, 0, now
	switch {
	case !s.silent:
		s.good, s.ever = now, true
		return false
	case s.well < fewest:
		return false
	}
	s.silent = false
	return true
}

// left is how long until the peer may count as silent: 0 or less when it may
// already.
func (s *silence) left(now time.Time) time.Duration { return s.after - now.Sub(s.counted) }
