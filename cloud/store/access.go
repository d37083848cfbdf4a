package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

const credentialColumns = `hash, kind, name, role, person, created, expires, origin, device, secret, upcoming, seed, turns, turned, used, proved`

func scanCredential(row scanner) (c care.Credential, err error) {
	err = row.Scan(&c.Hash, &c.Kind, &c.Name, &c.Role, &c.Person, (*when)(&c.Created), (*when)(&c.Expires),
		&c.From, &c.Device, &c.Secret, &c.Next, &c.Seed, &c.Turns, (*when)(&c.Turned), (*when)(&c.Used), (*when)(&c.Proved))
	return c, err
}

// PutCredential stores a new credential; ErrExists when its hash is there.
func (s *Store) PutCredential(ctx context.Context, c care.Credential) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO credentials (`+credentialColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (hash) DO NOTHING`,
			c.Hash, string(c.Kind), c.Name, string(c.Role), c.Person, c.Created, c.Expires,
			string(c.From), c.Device, c.Secret, c.Next, c.Seed, c.Turns, c.Turned, c.Used, c.Proved)
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
	c, err := one(ctx, s.read, scanCredential, `SELECT `+credentialColumns+` FROM credentials WHERE hash = $1`, hash)
	if err != nil {
		return care.Credential{}, fmt.Errorf("read credential: %w", err)
	}
	return c, nil
}

// DeleteCredential deletes a credential, and the browsers that were stored with
// it: they show no more alarms. It returns ErrNotFound when there is none: of two
// who delete the same, one is told.
func (s *Store) DeleteCredential(ctx context.Context, hash string) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM credentials WHERE hash = $1`, hash)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		_, err2 := t.exec(ctx, `DELETE FROM browsers WHERE session = $1 AND session <> ''`, hash)
		return errors.Join(err, err2)
	})
	if err != nil {
		return fmt.Errorf("delete credential: %w", err)
	}
	return nil
}

// DropSession deletes a session and leaves the browsers that were stored with it: it
// is over, but nobody has said that its person is to hear of no more alarms there.
// It returns ErrNotFound when there is none: of two who drop it, one is told.
func (s *Store) DropSession(ctx context.Context, hash string) error {
	return s.changeSession(ctx, "drop a session", `DELETE FROM credentials WHERE hash = $1 AND kind = 'session'`, hash)
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
		_, err := t.exec(ctx, `DELETE FROM deeds WHERE at < $1`, now.Add(-keep))
		return err
	})
	if err == nil {
		err = s.deleteCommands(ctx, now.Add(-keep))
	}
	if err != nil {
		return fmt.Errorf("delete what has expired: %w", err)
	}
	return nil
}
