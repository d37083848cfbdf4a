package broker

import (
	"log/slog"
	"sync"
	"time"
)

const (
	refusalsEvery = time.Minute
	maxRefusals   = 4096 // names remembered
)

// refusals keeps a client that tries again and again from filling the log:
// one line a minute for each name.
type refusals struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (r *refusals) log(to *slog.Logger, name, msg string, args ...any) {
	if r.allow(name, time.Now()) {
		to.Warn(msg, args...)
	}
}

func (r *refusals) allow(name string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.last[name]; ok && now.Sub(last) < refusalsEvery {
		return false
	}
	if len(r.last) >= maxRefusals {
		for n, t := range r.last {
			if now.Sub(t) >= refusalsEvery {
				delete(r.last, n)
			}
		}
		if len(r.last) >= maxRefusals {
			return false
		}
	}
	if r.last == nil {
		r.last = make(map[string]time.Time)
	}
	r.last[name] = now
	return true
}
