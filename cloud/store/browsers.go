package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// mostBrowsers is how many browsers one person is told by; the oldest give way.
const mostBrowsers = 10

// PutBrowser stores a browser of a person, in place of the one with the same
// id. It returns ErrNotFound when there is no such person.
func (s *Store) PutBrowser(ctx context.Context, b care.Browser, now time.Time) error {
	err := s.update(ctx, func(t *tx) error {
		if _, err := one(ctx, t, scanText, `SELECT id FROM people WHERE id = $1`, b.Person); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO browsers (id, person, subscription, added, session) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET person = excluded.person, subscription = excluded.subscription, added = excluded.added, session = excluded.session`,
			b.ID, b.Person, b.Subscription, now, b.Session); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM browsers WHERE person = $1 AND id IN
			(SELECT id FROM browsers WHERE person = $1 ORDER BY added DESC, id LIMIT CAST($2 AS BIGINT) OFFSET $3)`, b.Person, bound(0), mostBrowsers)
		return err
	})
	if err != nil {
		return fmt.Errorf("store a browser of %s: %w", b.Person, err)
	}
	return nil
}

// Browsers returns a person's browsers, the newest first.
func (s *Store) Browsers(ctx context.Context, person string) ([]care.Browser, error) {
	browsers, err := list(ctx, s.read, func(row scanner) (b care.Browser, err error) {
		err = row.Scan(&b.ID, &b.Person, &b.Subscription)
		return b, err
	}, `SELECT id, person, subscription FROM browsers WHERE person = $1 ORDER BY added DESC, id`, person)
	if err != nil {
		return nil, fmt.Errorf("read browsers of %s: %w", person, err)
	}
	return browsers, nil
}

// DeleteBrowser forgets a browser. One that is not there stays away.
func (s *Store) DeleteBrowser(ctx context.Context, id string) error {
	err := s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM browsers WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget a browser: %w", err)
	}
	return nil
}

// Setting returns what is kept under a name; when nothing is, what make returns
// is kept. Of two who make it at once, both get the same.
func (s *Store) Setting(ctx context.Context, name string, make func() (string, error)) (string, error) {
	read := func() (string, error) {
		return one(ctx, s.read, scanText, `SELECT value FROM settings WHERE name = $1`, name)
	}
	value, err := read()
	if errors.Is(err, ErrNotFound) {
		var made string
		if made, err = make(); err == nil {
			err = s.update(ctx, func(t *tx) error {
				_, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, made)
				return err
			})
		}
		if err == nil {
			value, err = read()
		}
	}
	if err != nil {
		return "", fmt.Errorf("setting %s: %w", name, err)
	}
	return value, nil
}
