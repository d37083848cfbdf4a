package visit

import (
	"crypto/rand"
	"strings"
	"time"
)

// bucket lets so many through in a second, and a burst at once. It is not safe
// for concurrent use.
type bucket struct {
	rate, burst, left float64
	at                time.Time
}

func newBucket(perSecond, burst float64) bucket {
	return bucket{rate: perSecond, burst: burst, left: burst}
}

// take reports whether one more may pass now.
func (b *bucket) take(now time.Time) bool {
	if !b.at.IsZero() {
		b.left = min(b.burst, b.left+b.rate*max(0, now.Sub(b.at).Seconds()))
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// newRun is a name for this process's life.
func newRun() string { return strings.ToLower(rand.Text()[:8]) }
