package screen

import (
	"context"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// Holdings knows what gateways were given, and gives it again to those that do
// not have it: a box with a new card or an old backup, or another box under the
// same name. Without its configuration a home's button is no alarm.
type Holdings interface {
	// Lacks compares what a gateway says with what it was given. It only reads.
	Lacks(ctx context.Context, h care.Holding) (care.Lack, error)
	// GiveAgain has gateways given what they lack, all or none, and returns those
	// that have a command to collect. Whose screen is lacking is due.
	GiveAgain(ctx context.Context, now time.Time, holdings []care.Holding) (collect []string, err error)
}

// Bounds of one look, of which there is one a second. When a country's homes come
// back at once, all are compared within minutes, and of those that lack something
// a few at a time are given it: neither their transaction nor the screens that are
// made then hold up an alarm.
const (
	compareAtOnce = 1000
	giveAtOnce    = 25
)

// queue is what gateways have said that they hold, who has waited longest
// first. Of each gateway it keeps the newest.
type queue struct {
	order   []string
	waiting map[string]care.Holding
	boots   map[string]string // of gateways that do not say what they hold
}

func newQueue() queue {
	return queue{waiting: map[string]care.Holding{}, boots: map[string]string{}}
}

// hear takes a state in. A gateway that does not say what it holds may have lost
// it when it was started anew, and then only.
func (q *queue) hear(gateway string, s wire.State) {
	if s.Holds != nil && s.Holds.Check() != nil {
		s.Holds = nil
	}
	if s.Holds == nil {
		if before, known := q.boots[gateway]; known && before == s.Boot {
			return
		}
		q.boots[gateway] = s.Boot
	} else {
		delete(q.boots, gateway)
	}
	q.put(care.Holding{Gateway: gateway, Holds: s.Holds}, true)
}

// put queues a holding; one that is older gives way to what has been heard since.
func (q *queue) put(h care.Holding, newer bool) {
	if _, waits := q.waiting[h.Gateway]; !waits {
		q.order = append(q.order, h.Gateway)
	} else if !newer {
		return
	}
	q.waiting[h.Gateway] = h
}

// take returns who has waited longest, at most n.
func (q *queue) take(n int) []care.Holding {
	n = min(n, len(q.order))
	taken := make([]care.Holding, n)
	for i, gateway := range q.order[:n] {
		taken[i] = q.waiting[gateway]
		delete(q.waiting, gateway)
	}
	if q.order = q.order[n:]; len(q.order) == 0 {
		q.order = nil // the room it had
	}
	return taken
}

// giveAgain has gateways given what they lack of what they were given, and
// reports whether it could. What it does not come to waits for the next look.
func (b *Builder) giveAgain(ctx context.Context) bool {
	b.mu.Lock()
	if len(b.broken) > 0 && time.Since(b.brokenAt) >= againAfter {
		for _, h := range b.broken {
			b.holdings.put(h, false)
		}
		b.broken = nil
	}
	taken := b.holdings.take(compareAtOnce)
	b.mu.Unlock()
	var lacking, left []care.Holding
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, h := range left {
			b.holdings.put(h, false)
		}
	}()
	for i, h := range taken {
		if len(lacking) == giveAtOnce {
			left = taken[i:]
			break
		}
		lack, err := b.o.Holdings.Lacks(ctx, h)
		if b.failed(ctx, "compare what a home holds with what it was given", err) {
			left = taken
			return false
		}
		if lack.Ahead && b.ahead[h.Gateway] != h.Holds.Configuration {
			b.ahead[h.Gateway] = h.Holds.Configuration
			b.o.Errors.Warn("a home has a newer configuration than is known here, and keeps it; place its devices anew if they are not right", "id", "LYK-0432", "gateway", h.Gateway)
		}
		if lack.Configuration || lack.Screen {
			b.o.Errors.Info("a home has lost what it was given, and is given it again", "gateway", h.Gateway, "configuration", lack.Configuration, "screen", lack.Screen)
		}
		if lack != (care.Lack{Ahead: lack.Ahead}) {
			lacking = append(lacking, h)
		}
	}
	if len(lacking) == 0 {
		return true
	}
	collect, err := b.o.Holdings.GiveAgain(ctx, time.Now(), lacking)
	if err != nil {
		collect = b.giveSingly(ctx, lacking)
	}
	for _, gateway := range collect {
		b.o.Collect(gateway)
	}
	return ctx.Err() == nil
}

// hopeless is how many homes are tried by themselves when none of them can be
// given anything: it is the database that is ill then.
const hopeless = 3

// giveSingly gives homes what they lack each by itself, as together they could
// not be: one of which something is broken must not hold up the others. Who could
// not be given it, or was not tried, waits for a minute, and who was not tried is
// first then.
func (b *Builder) giveSingly(ctx context.Context, lacking []care.Holding) (collect []string) {
	var failed []care.Holding
	tried := 0
	for _, h := range lacking {
		if ctx.Err() != nil || tried == hopeless && len(failed) == hopeless {
			break
		}
		tried++
		some, err := b.o.Holdings.GiveAgain(ctx, time.Now(), []care.Holding{h})
		if b.failed(ctx, "give "+h.Gateway+" again what it has lost", err) {
			failed = append(failed, h)
		}
		collect = append(collect, some...)
	}
	if len(b.broken) == 0 {
		b.brokenAt = time.Now()
	}
	b.broken = append(append(b.broken, lacking[tried:]...), failed...)
	return collect
}
