package web

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Looks of one person at one home within lookWindow are one entry in the log:
// it is read by people.
const (
	lookWindow = 5 * time.Minute
	maxLooks   = 10_000
)

// auditor writes the log of who looked at what.
type auditor struct {
	log interface {
		Audit(ctx context.Context, entries ...care.AuditEntry) error
	}
	mu    sync.Mutex
	looks map[[3]string]time.Time
}

func newAuditor(log Operations) *auditor {
	return &auditor{log: log, looks: map[[3]string]time.Time{}}
}

func (a *auditor) look(ctx context.Context, log *slog.Logger, actor access.Actor, action, home string) {
	now := time.Now()
	key := [3]string{actor.Credential, action, home}
	a.mu.Lock()
	recent := now.Sub(a.looks[key]) < lookWindow
	if !recent {
		if len(a.looks) >= maxLooks {
			clear(a.looks)
		}
		a.looks[key] = now
	}
	a.mu.Unlock()
	if !recent {
		a.note(ctx, log, care.AuditEntry{At: now, Actor: actor.Name, Role: actor.Role, Action: action, Home: home})
	}
}

// note writes an entry. Care is not refused because the log cannot be
// written; the failure is.
func (a *auditor) note(ctx context.Context, log *slog.Logger, e care.AuditEntry) {
	if err := a.log.Audit(context.WithoutCancel(ctx), e); err != nil {
		log.Error("write the audit log", "id", "LYK-0509", "actor", e.Actor, "action", e.Action, "home", e.Home, "err", err)
	}
}
