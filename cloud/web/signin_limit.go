package web

import (
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// How often one address may do what nobody needs to be signed in for. A whole
// municipality can be behind one address, so only what fails counts as a try.
const (
	triesPerMinute = 60
	asksPerMinute  = 600
	// mostAddresses bounds what is kept for that.
	mostAddresses = 20_000
)

// limiter counts by address and minute. It is safe for concurrent use.
type limiter struct {
	most   int
	mu     sync.Mutex
	since  time.Time
	counts map[string]int
}

func newLimiter(most int) *limiter { return &limiter{most: most, counts: map[string]int{}} }

// take counts one of an address and reports whether it is within the limit.
// Once more addresses have come than are kept, those that are new share one count.
func (l *limiter) take(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= time.Minute {
		l.since = now
		clear(l.counts)
	}
	if _, known := l.counts[address]; !known && len(l.counts) >= mostAddresses {
		address = ""
	}
	if l.counts[address] >= l.most {
		return false
	}
	l.counts[address]++
	return true
}

// give takes one back that did not count after all.
func (l *limiter) give(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts[address] > 0 {
		l.counts[address]--
	}
}

func limited(api huma.API, l *limiter) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		address := callerOf(ctx.Context()).address
		if !l.take(address) {
			ctx.SetHeader("Retry-After", "60")
			ctx.SetHeader("Content-Type", problemTooOften.ContentType(""))
			ctx.SetStatus(problemTooOften.Status)
			_ = api.Marshal(ctx.BodyWriter(), "application/json", problemTooOften)
			return
		}
		next(ctx)
		if l.most == triesPerMinute && ctx.Status() < http.StatusBadRequest {
			l.give(address)
		}
	}
}
