package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// PutCredential stores a new credential; ErrExists when its hash is there.
func (s *Store) PutCredential(ctx context.Context, c care.Credential) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO credentials (hash, kind, name, role, person, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (hash) DO NOTHING`, c.Hash, string(c.Kind), c.Name, string(c.Role), c.Person, c.Created, c.Expires)
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store credential of %s: %w", c.Name, err)
	}
	return nil
}

// Credential returns the credential with a hash, expired or not, or ErrNotFound.
func (s *Store) Credential(ctx context.Context, hash string) (care.Credential, error) {
	c, err := one(ctx, s.read, func(row scanner) (c care.Credential, err error) {
		err = row.Scan(&c.Hash, &c.Kind, &c.Name, &c.Role, &c.Person, (*when)(&c.Created), (*when)(&c.Expires))
		return c, err
	}, `SELECT hash, kind, name, role, person, created, expires FROM credentials WHERE hash = $1`, hash)
	if err != nil {
		return care.Credential{}, fmt.Errorf("read credential: %w", err)
	}
	return c, nil
}

// DeleteCredential deletes a credential. It returns ErrNotFound when there is
// none: of two who delete the same, one is told.
func (s *Store) DeleteCredential(ctx context.Context, hash string) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM credentials WHERE hash = $1`, hash)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete credential: %w", err)
	}
	return nil
}

// keep is how long deeds' idempotency keys and commands that are over are
// kept: longer than any phone or gateway holds on to what it could not send.
const keep = 30 * 24 * time.Hour

// DeleteExpired deletes credentials that expired before now, and what is left
// of deeds and of commands that were over 30 days before it.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) error {
	err := s.update(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, `DELETE FROM credentials WHERE expires <> 0 AND expires < $1`, now); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM deeds WHERE at < $1`, now.Add(-keep)); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM commands WHERE (answered <> 0 AND answered < $1) OR (expires <> 0 AND expires < $1)`, now.Add(-keep))
		return err
	})
	if err != nil {
		return fmt.Errorf("delete what has expired: %w", err)
	}
	return nil
}

// Audit writes entries to the audit log.
func (s *Store) Audit(ctx context.Context, entries ...care.AuditEntry) error {
	err := s.update(ctx, func(t *tx) error { return t.putAudit(ctx, entries...) })
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

func (t *tx) putAudit(ctx context.Context, entries ...care.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	first, err := t.next(ctx, "audit", len(entries))
	if err != nil {
		return err
	}
	rows := make([][]any, len(entries))
	for i, e := range entries {
		rows[i] = []any{first + int64(i), e.At, e.Actor, string(e.Role), e.Action, e.Home, e.Detail}
	}
	if err := t.insert(ctx, `INSERT INTO audit (id, at, actor, role, action, home, detail)`, ``, rows); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// Deeds returns what people did to an alert, oldest first.
func (s *Store) Deeds(ctx context.Context, alert string) ([]care.AuditEntry, error) {
	a, err := s.Alert(ctx, alert)
	if err != nil {
		return nil, err
	}
	entries, err := list(ctx, s.read, scanAudit, selectAudit+`WHERE home = $1 AND detail = $2 ORDER BY id`, a.Home, alert)
	if err != nil {
		return nil, fmt.Errorf("read what was done to alert %s: %w", alert, err)
	}
	return entries, nil
}

const selectAudit = `SELECT at, actor, role, action, home, detail FROM audit `

func scanAudit(row scanner) (e care.AuditEntry, err error) {
	err = row.Scan((*when)(&e.At), &e.Actor, &e.Role, &e.Action, &e.Home, &e.Detail)
	return e, err
}

// AuditLog returns the newest entries about a home, newest first; home "" is
// all entries, limit 0 is no limit.
func (s *Store) AuditLog(ctx context.Context, home string, limit int) ([]care.AuditEntry, error) {
	query, args := selectAudit, []any{bound(limit)}
	if home != "" {
		query, args = query+`WHERE home = $2 `, append(args, home)
	}
	entries, err := list(ctx, s.read, scanAudit, query+`ORDER BY id DESC LIMIT $1`, args...)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return entries, nil
}
