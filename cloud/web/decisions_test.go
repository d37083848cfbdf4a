package web

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// ledger is where decisions are read from.
type ledger struct {
	mu   sync.Mutex
	all  []care.Consent
	read int
	err  error
}

func (l *ledger) put(home string, field care.Field, allowed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, care.Consent{ID: int64(len(l.all) + 1), Home: home, Party: care.PartyStaff, Field: field, Allowed: allowed, At: time.Now()})
}

func (l *ledger) after(_ context.Context, after int64, limit int) ([]care.Consent, error) {
	time.Sleep(10 * time.Millisecond) // a database's while
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read++
	out := l.all[after:]
	return out[:min(len(out), limit)], l.err
}

// P8: who asks after a decision was made knows of it, however many ask, and
// those who ask at one time share the looking.
func TestP8ADecisionCountsForWhoAsksAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		d := newDecisions(l.after)
		for i := range 2500 { // more than are read at a time
			l.put("home-1", care.FieldActivity, i%2 == 0)
		}
		for i := range 20 {
			l.put("home-1", care.FieldActivity, i%2 == 0)
			before := l.read
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					if err := d.since(t.Context(), time.Now()); err != nil {
						t.Error(err)
					}
					if d.of("home-1").Allow(care.PartyStaff, care.FieldActivity, time.Now()) != (i%2 == 0) {
						t.Errorf("decision %d is not known to who asked after it", i)
					}
				})
			}
			all.Wait()
			if looks := l.read - before; i > 0 && looks > 2 {
				t.Errorf("100 who asked at one time looked %d times", looks)
			}
			time.Sleep(time.Second)
		}
		if n := len(d.of("home-1")); n != 1 {
			t.Errorf("%d decisions are kept of which one can hold", n)
		}
		l.err = errors.New("away")
		if err := d.since(t.Context(), time.Now()); !errors.Is(err, l.err) {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		d.turn <- struct{}{} // somebody looks, and it takes long
		if err := d.since(ctx, time.Now()); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}
