package media

import (
	"sync/atomic"
	"time"
)

// loudness follows how loud somebody is, by their browser's word (RFC 6464). One
// goroutine writes.
type loudness struct{ level, at atomic.Int64 }

const (
	silence    = 127 // -dBov
	speechOver = 45  // -dBov: what is louder is speech
	speaksFor  = 800 * time.Millisecond
)

// note takes the extension's byte: in its low bits 0 is loudest, 127 silence.
func (l *loudness) note(b byte, now time.Time) {
	const parts = 16 // of a level; an average of about 16 packets
	was := l.level.Load()
	if l.at.Load() == 0 {
		was = silence * parts
	}
	l.level.Store(was + int64(b&0x7f) - was/parts)
	l.at.Store(now.UnixNano())
}

// now is the level in -dBov; silence when nothing was heard for a while.
func (l *loudness) now(now time.Time) int {
	if now.UnixNano()-l.at.Load() > int64(speaksFor) {
		return silence
	}
	return int(l.level.Load() / 16)
}

// speaker is who was last said to speak in a room. It is the step's alone.
type speaker struct {
	id    string
	since time.Time // when they were last heard
}

// next says who speaks now, and whether that is another than before: the loudest
// of those who speak, but nobody is interrupted for a word.
func (s *speaker) next(people []*peer, now time.Time) (id string, changed bool) {
	best, level := "", speechOver
	for _, p := range people {
		l := p.loud.now(now)
		if l >= speechOver {
			continue
		}
		if p.id == s.id {
			s.since = now
		}
		if best == "" || l < level {
			best, level = p.id, l
		}
	}
	if best == s.id || s.id != "" && now.Sub(s.since) < speaksFor {
		return s.id, false
	}
	s.id, s.since = best, now
	return best, true
}
