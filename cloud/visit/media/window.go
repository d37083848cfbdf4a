package media

import (
	"sync"
	"time"
)

const (
	windowPart  = 250 * time.Millisecond
	windowParts = 8 // 2 s
)

// window counts packets of the last 2 s. It is safe for concurrent use.
type window struct {
	mu    sync.Mutex
	parts [windowParts]struct {
		at             int64 // number of the part since 1970
		expected, lost int
	}
}

// add counts packets that should have come, and those of them that did not.
func (w *window) add(now time.Time, expected, lost int) {
	at := now.UnixNano() / int64(windowPart)
	w.mu.Lock()
	p := &w.parts[at%windowParts]
	if p.at != at {
		p.at, p.expected, p.lost = at, 0, 0
	}
	p.expected += expected
	p.lost += lost
	w.mu.Unlock()
}

// loss is the share that is lost, 0–1, and of how many.
func (w *window) loss(now time.Time) (share float64, expected int) {
	oldest := now.UnixNano()/int64(windowPart) - windowParts + 1
	lost := 0
	w.mu.Lock()
	for _, p := range w.parts {
		if p.at >= oldest {
			expected += p.expected
			lost += p.lost
		}
	}
	w.mu.Unlock()
	if expected <= 0 {
		return 0, 0
	}
	return min(1, max(0, float64(lost)/float64(expected))), expected
}
