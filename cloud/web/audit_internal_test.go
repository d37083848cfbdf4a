package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// slow is a log that takes its time.
type slow struct {
	mu    sync.Mutex
	calls [][]care.AuditEntry
	err   error
}

func (s *slow) Audit(_ context.Context, entries ...care.AuditEntry) error {
	time.Sleep(10 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, entries)
	return s.err
}

// P3: alarms are written one after the other with what is in the log. A whole
// shift that begins to look does not stand in their way.
func TestP3WhoLooksAtOnceIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slow{}
		a := &auditor{log: log, turn: make(chan struct{}, 1), recent: map[[3]string]time.Time{}}
		began := time.Now()
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() {
				a.look(t.Context(), slog.New(slog.DiscardHandler), access.Actor{Name: "Anna", Credential: fmt.Sprint(i)}, look(care.FieldHome), "home")
				log.mu.Lock()
				defer log.mu.Unlock()
				if len(log.calls) == 0 {
					t.Error("answered before it is in the log")
				}
			})
		}
		all.Wait()
		n := 0
		for _, call := range log.calls {
			n += len(call)
		}
		if n != 500 || len(log.calls) > 3 || time.Since(began) > 50*time.Millisecond {
			t.Errorf("%d entries in %d transactions, in %v", n, len(log.calls), time.Since(began))
		}
		log.err = errors.New("the disk is full")
		if a.note(t.Context(), slog.New(slog.DiscardHandler), care.AuditEntry{}) {
			t.Error("what could not be written is said to be")
		}
	})
}
