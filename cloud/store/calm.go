package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

const selectSilence = `SELECT id, home, device, kinds, starts, ends, author, reason, ended, ended_by FROM silences `

func scanSilence(row scanner) (s care.Silence, err error) {
	var kinds []byte
	if err = row.Scan(&s.ID, &s.Home, &s.Device, &kinds, (*when)(&s.From), (*when)(&s.To), &s.Author, &s.Reason, (*when)(&s.Ended), &s.EndedBy); err != nil {
		return s, err
	}
	return s, decode(kinds, &s.Kinds)
}

// AddSilence stores a new silence with its entry in the audit log. It returns
// ErrExists when its id is taken, ErrNotFound when there is no such home, and
// what Silence.Check finds.
func (s *Store) AddSilence(ctx context.Context, q care.Silence, entry care.AuditEntry) error {
	err := q.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			if _, err := one(ctx, t, scanText, `SELECT id FROM homes WHERE id = $1`, q.Home); err != nil {
				return err
			}
			kinds, err := encode(q.Kinds)
			if err != nil {
				return err
			}
			n, err := t.exec(ctx, `INSERT INTO silences (id, home, device, kinds, starts, ends, author, reason)`+values(1, 8)+`ON CONFLICT (id) DO NOTHING`,
				q.ID, q.Home, q.Device, kinds, q.From, q.To, q.Author, q.Reason)
			if err == nil && n == 0 {
				err = ErrExists
			}
			return errors.Join(err, t.putAudit(ctx, entry))
		})
	}
	if err != nil {
		return fmt.Errorf("store silence of %s: %w", q.Home, err)
	}
	return nil
}

// EndSilence ends a silence before its time, with its entry in the audit log,
// and has the home's alerts looked at anew. One that is over stays as it is. It
// returns ErrNotFound when there is none.
func (s *Store) EndSilence(ctx context.Context, id string, now time.Time, entry care.AuditEntry) error {
	err := s.update(ctx, func(t *tx) error {
		q, err := one(ctx, t, scanSilence, selectSilence+`WHERE id = $1`, id)
		if err != nil || !q.Ended.IsZero() || !now.Before(q.To) {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE silences SET ended = $1, ended_by = $2 WHERE id = $3`, now, entry.Actor, id); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE escalations SET due = $1 WHERE due > $1 AND alert IN
			(SELECT id FROM alerts WHERE home = $2 AND state <> 'resolved')`, now, q.Home); err != nil {
			return err
		}
		entry.Home = q.Home
		return t.putAudit(ctx, entry)
	})
	if err != nil {
		return fmt.Errorf("end silence %s: %w", id, err)
	}
	return nil
}

// Silence returns one silence, over or not, or ErrNotFound.
func (s *Store) Silence(ctx context.Context, id string) (care.Silence, error) {
	q, err := one(ctx, s.read, scanSilence, selectSilence+`WHERE id = $1`, id)
	if err != nil {
		return care.Silence{}, fmt.Errorf("read silence %s: %w", id, err)
	}
	return q, nil
}

// Silences returns those that have not ended, by when they begin; home "" is
// all homes.
func (s *Store) Silences(ctx context.Context, home string, now time.Time) ([]care.Silence, error) {
	silences, err := silencesOf(ctx, s.read, home, now)
	if err != nil {
		return nil, fmt.Errorf("read silences: %w", err)
	}
	return silences, nil
}

func silencesOf(ctx context.Context, q queryer, home string, now time.Time) ([]care.Silence, error) {
	if home == "" {
		return list(ctx, q, scanSilence, selectSilence+`WHERE ends > $1 AND ended = 0 ORDER BY starts, id`, now)
	}
	return list(ctx, q, scanSilence, selectSilence+`WHERE home = $1 AND ends > $2 AND ended = 0 ORDER BY starts, id`, home, now)
}
