package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// AlertFilter chooses alerts.
type AlertFilter = care.AlertFilter

// Change is what a person does to an alert.
type Change = care.Change

// ErrBackwards is returned for a change that would take an alert back, or
// change what it is about or what somebody did before.
var ErrBackwards = errors.New("LYK-0706: an alert only moves forward")

const alertColumns = `id, home, kind, severity, state, device, room, cause_epoch, cause_seq, observed, raised,
	acknowledged_by, acknowledged_at, resolved_by, resolved_at, outcome, note, recovered,
	held_by, held_at, left_at, expected, test, overdue, unheard, reached, heard`

const selectAlert = `SELECT ` + alertColumns + ` FROM alerts `

func scanAlert(row scanner) (care.Alert, error) {
	var a care.Alert
	err := row.Scan(&a.ID, &a.Home, &a.Kind, &a.Severity, &a.State, &a.Device, &a.Room, &a.Cause.Epoch, &a.Cause.Seq,
		(*when)(&a.Observed), (*when)(&a.Raised), &a.AcknowledgedBy, (*when)(&a.AcknowledgedAt),
		&a.ResolvedBy, (*when)(&a.ResolvedAt), &a.Outcome, &a.Note, (*when)(&a.Recovered),
		&a.Hand.By, (*when)(&a.Hand.At), (*when)(&a.Hand.Left), (*when)(&a.Hand.Expected),
		(*truth)(&a.Test), (*truth)(&a.Overdue), (*truth)(&a.Unheard), (*when)(&a.Reached), (*when)(&a.Heard))
	return a, err
}

// settle returns a as it comes back from the database.
func settle(a care.Alert) care.Alert {
	for _, t := range []*time.Time{
		&a.Observed, &a.Raised, &a.AcknowledgedAt, &a.ResolvedAt, &a.Recovered,
		&a.Hand.At, &a.Hand.Left, &a.Hand.Expected, &a.Reached, &a.Heard,
	} {
		*t = cut(*t)
	}
	for _, s := range []*string{&a.Device, &a.Room, &a.AcknowledgedBy, &a.Hand.By, &a.ResolvedBy, &a.Note} {
		*s = text(*s)
	}
	return a
}

// Alerts returns alerts, the most severe first, of those the newest first.
func (s *Store) Alerts(ctx context.Context, f AlertFilter) ([]care.Alert, error) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		marks := make([]any, len(values))
		for i := range values {
			marks[i] = fmt.Sprintf("$%d", len(args)+i+1)
		}
		where, args = append(where, fmt.Sprintf(condition, marks...)), append(args, values...)
	}
	if len(f.States) > 0 {
		states := make([]any, len(f.States))
		for i, state := range f.States {
			states[i] = string(state)
		}
		add(`state IN (%s`+strings.Repeat(`, %s`, len(states)-1)+`)`, states...)
	}
	if f.Home != "" {
		add(`home = %s`, f.Home)
	}
	if len(f.Areas) > 0 {
		add(`(home IN (SELECT id FROM homes WHERE area IN (`+marksFor(f.Areas)+`)) OR home IN (`+marksFor(f.Also)+`))`, anys(f.Areas, f.Also)...)
	}
	if !f.Before.IsZero() {
		add(`raised < %s`, f.Before)
	}
	if !f.Since.IsZero() {
		add(`raised >= %s`, f.Since)
	}
	query := selectAlert
	if len(where) > 0 {
		query += `WHERE ` + strings.Join(where, ` AND `)
	}
	args = append(args, bound(f.Limit))
	query += fmt.Sprintf(` ORDER BY CASE severity WHEN 'emergency' THEN 0 WHEN 'attention' THEN 1 ELSE 2 END, raised DESC, id
		LIMIT CAST($%d AS BIGINT)`, len(args))
	alerts, err := list(ctx, s.read, scanAlert, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return alerts, nil
}

// marksFor are places for values in a list, "”" for none.
func marksFor(values []string) string {
	if len(values) == 0 {
		return `''`
	}
	return `%s` + strings.Repeat(`, %s`, len(values)-1)
}

func anys(lists ...[]string) []any {
	var out []any
	for _, v := range slices.Concat(lists...) {
		out = append(out, v)
	}
	return out
}

// Alert returns one alert, or ErrNotFound.
func (s *Store) Alert(ctx context.Context, id string) (care.Alert, error) {
	a, err := one(ctx, s.read, scanAlert, selectAlert+`WHERE id = $1`, id)
	if err != nil {
		return care.Alert{}, fmt.Errorf("read alert %q: %w", id, err)
	}
	return a, nil
}

// ChangeAlert reads an alert, asks c what becomes of it, and writes that with
// its audit entry, its commands and its event in one transaction, which no
// other change overlaps. c must not use the store.
//
// An error of c is returned as it is, with the alert as it stands. An alert
// that c leaves unchanged has no event. When the same actor has done the same
// action to the alert with the same key before, the alert is returned as it
// stands, without an error and without an event, whatever c says now; c
// therefore returns its Change beside an error too.
func (s *Store) ChangeAlert(ctx context.Context, id string, c func(care.Alert) (care.Alert, Change, error)) (care.Alert, *care.Event, error) {
	var alert care.Alert
	var event *care.Event
	var refused error // by c
	err := s.update(ctx, func(t *tx) (err error) {
		if alert, err = one(ctx, t, scanAlert, selectAlert+`WHERE id = $1`, id); err != nil {
			return err
		}
		next, change, err := c(alert)
		if change.Key != "" {
			done, err := list(ctx, t, scanText, `SELECT key FROM deeds WHERE actor = $1 AND action = $2 AND alert = $3 AND key = $4`,
				change.Actor, change.Action, id, change.Key)
			if err != nil || len(done) > 0 {
				return err
			}
		}
		if err != nil {
			refused = err
			return err
		}
		next = settle(next)
		if !forward(alert, next) {
			return ErrBackwards
		}
		now := time.Now()
		if next != alert {
			if err := errors.Join(t.writeAlert(ctx, next), t.putHand(ctx, alert, next, now)); err != nil {
				return err
			}
			events, err := t.putEvents(ctx, []care.Alert{next}, now)
			if err != nil {
				return err
			}
			event = &events[0]
		}
		alert = next
		return t.putChange(ctx, alert, change, now)
	})
	switch {
	case refused != nil:
		return alert, nil, refused
	case err != nil:
		return care.Alert{}, nil, fmt.Errorf("change alert %q: %w", id, err)
	}
	return alert, event, nil
}

// forward reports whether an alert may become next.
func forward(alert, next care.Alert) bool {
	place := map[care.AlertState]int{care.Open: 1, care.Acknowledged: 2, care.Resolved: 3}
	if alert.State == care.Resolved {
		return next == alert
	}
	if place[next.State] < place[alert.State] {
		return false
	}
	if alert.AcknowledgedBy != "" && (next.AcknowledgedBy != alert.AcknowledgedBy || next.AcknowledgedAt != alert.AcknowledgedAt) {
		return false
	}
	// What is left must be what the alert is about.
	about := func(a care.Alert) care.Alert {
		a.State, a.AcknowledgedBy, a.AcknowledgedAt, a.Recovered = "", "", time.Time{}, time.Time{}
		a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Note = "", time.Time{}, "", ""
		a.Hand, a.Overdue, a.Unheard, a.Reached, a.Heard = care.Hand{}, false, false, time.Time{}, time.Time{}
		return a
	}
	if alert.Test && !next.Test { // one that nobody took is one like any other; never the other way
		alert.Test = false
	}
	return about(next) == about(alert)
}

// writeAlert writes what may change of an alert. A resolved one is never
// written, whatever the caller believes.
func (t *tx) writeAlert(ctx context.Context, a care.Alert) error {
	n, err := t.exec(ctx, `UPDATE alerts SET state = $1, acknowledged_by = $2, acknowledged_at = $3, resolved_by = $4,
		resolved_at = $5, outcome = $6, note = $7, recovered = $8, held_by = $9, held_at = $10, left_at = $11, expected = $12,
		test = $13, overdue = $14, unheard = $15, reached = $16, heard = $17 WHERE id = $18 AND state <> 'resolved'`,
		string(a.State), a.AcknowledgedBy, a.AcknowledgedAt, a.ResolvedBy, a.ResolvedAt, string(a.Outcome), a.Note, a.Recovered,
		a.Hand.By, a.Hand.At, a.Hand.Left, a.Hand.Expected, number(a.Test), number(a.Overdue), number(a.Unheard), a.Reached, a.Heard, a.ID)
	switch {
	case err != nil:
		return fmt.Errorf("write alert %s: %w", a.ID, err)
	case n == 0:
		return fmt.Errorf("write alert %s: %w", a.ID, ErrBackwards)
	}
	return nil
}

// putChange writes what goes with a change: key, audit entry, commands.
func (t *tx) putChange(ctx context.Context, a care.Alert, c Change, now time.Time) error {
	if c.Key != "" {
		if _, err := t.exec(ctx, `INSERT INTO deeds (actor, action, alert, key, at) VALUES ($1, $2, $3, $4, $5)`,
			c.Actor, c.Action, a.ID, c.Key, now); err != nil {
			return fmt.Errorf("idempotency key: %w", err)
		}
	}
	entry := care.AuditEntry{At: now, Actor: c.Actor, Role: c.Role, Action: c.Action, Home: a.Home, Detail: a.ID}
	if err := t.putAudit(ctx, entry); err != nil {
		return err
	}
	return t.putCommands(ctx, now, c.Commands...)
}

func scanEvent(row scanner) (care.Event, error) {
	var e care.Event
	err := row.Scan(&e.ID, (*when)(&e.At), &e.Home, &e.Alert)
	return e, err
}

// Events returns the events after one, oldest first; limit 0 is all.
func (s *Store) Events(ctx context.Context, after int64, limit int) ([]care.Event, error) {
	events, err := list(ctx, s.read, scanEvent, `SELECT id, at, home, alert FROM events WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)`, after, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

// LastEvent returns the id of the newest event, 0 when there is none.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	var id int64
	if err := s.read.db.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'event'`).Scan(&id); err != nil {
		return 0, fmt.Errorf("read last event: %w", err)
	}
	return id, nil
}
