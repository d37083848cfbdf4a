package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Commit makes all of c durable, or nothing of it, and returns the changes to
// alerts that it made, in their order. It may be repeated: marks do not go
// back, records and alerts are there once.
//
// Alerts are raised and recovered in the order of time (Alert.Raised,
// Recovery.At). Where both are at the same moment, as in one message, and the
// lists do not say which came first: what stands recovers before it is raised
// anew, and what does not stand is raised before it recovers.
func (s *Store) Commit(ctx context.Context, c care.Commit) ([]care.Event, error) {
	if c.Empty() {
		return nil, nil
	}
	var events []care.Event
	err := s.update(ctx, func(t *tx) error {
		for _, put := range []func(context.Context, care.Commit) error{
			t.putMarks, t.putBoots, t.putRecords, t.putStates, t.putRefused, t.putOwnTests, t.putConsents,
		} {
			if err := put(ctx, c); err != nil {
				return err
			}
		}
		changed, err := t.changeAlerts(ctx, c)
		if err != nil {
			return err
		}
		events, err = t.putEvents(ctx, changed, time.Now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return events, nil
}

func (t *tx) putBoots(ctx context.Context, c care.Commit) error {
	rows := make([][]any, 0, len(c.Boots))
	for _, b := range c.Boots {
		rows = append(rows, []any{b.Gateway, b.Boot, b.Offset.Microseconds()})
	}
	if err := t.insert(ctx, `INSERT INTO boots (gateway, boot, shift)`, `ON CONFLICT (gateway, boot) DO NOTHING`, rows); err != nil {
		return fmt.Errorf("boots: %w", err)
	}
	return nil
}

func (t *tx) putRecords(ctx context.Context, c care.Commit) error {
	rows := make([][]any, 0, len(c.Records))
	for _, r := range c.Records {
		record, err := json.Marshal(r.Record)
		if err != nil {
			return fmt.Errorf("alarm record %s %s/%d: %w", r.Gateway, r.Epoch, r.Seq, err)
		}
		rows = append(rows, []any{r.Gateway, r.Epoch, r.Seq, r.Home, r.Received, string(record)})
	}
	if err := t.insert(ctx, `INSERT INTO alarm_records (gateway, epoch, seq, home, received, record)`,
		`ON CONFLICT (gateway, epoch, seq) DO NOTHING`, rows); err != nil {
		return fmt.Errorf("alarm records: %w", err)
	}
	return nil
}

func (t *tx) putStates(ctx context.Context, c care.Commit) error {
	last := make(map[string][]byte, len(c.States))
	for _, s := range c.States {
		last[s.Home] = s.State
	}
	rows := make([][]any, 0, len(last))
	for _, home := range slices.Sorted(maps.Keys(last)) {
		rows = append(rows, []any{home, last[home]})
	}
	if err := t.insert(ctx, `INSERT INTO states (home, state)`,
		`ON CONFLICT (home) DO UPDATE SET state = excluded.state`, rows); err != nil {
		return fmt.Errorf("watchers' states: %w", err)
	}
	return nil
}

// Bounds of what is kept of refused messages.
const (
	refusedOfAll     = 10_000
	refusedOfGateway = 200
	refusedPayload   = 4 << 10 // bytes
)

func (t *tx) putRefused(ctx context.Context, c care.Commit) error {
	if len(c.Refused) == 0 {
		return nil
	}
	first, err := t.next(ctx, "refused", len(c.Refused))
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(c.Refused))
	gateways := map[string]bool{}
	for i, r := range c.Refused {
		gateways[r.Gateway] = true
		rows = append(rows, []any{first + int64(i), r.Gateway, r.Topic, r.Seq, r.ID, r.Error,
			r.Payload[:min(len(r.Payload), refusedPayload)], r.Received})
	}
	if err := t.insert(ctx, `INSERT INTO refused (id, gateway, topic, seq, error_id, error, payload, received)`, ``, rows); err != nil {
		return fmt.Errorf("refused messages: %w", err)
	}
	for _, gateway := range slices.Sorted(maps.Keys(gateways)) {
		if _, err := t.exec(ctx, `DELETE FROM refused WHERE gateway = $1 AND id <=
			(SELECT id FROM refused WHERE gateway = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`, gateway, refusedOfGateway); err != nil {
			return fmt.Errorf("forget refused messages: %w", err)
		}
	}
	if _, err := t.exec(ctx, `DELETE FROM refused WHERE id <=
		(SELECT id FROM refused ORDER BY id DESC LIMIT 1 OFFSET $1)`, refusedOfAll); err != nil {
		return fmt.Errorf("forget refused messages: %w", err)
	}
	return nil
}

// source is what alerts are raised and recovered about.
type source struct {
	home   string
	kind   care.AlertKind
	device string
}

// changeAlerts raises and recovers, and returns the alerts that changed.
func (t *tx) changeAlerts(ctx context.Context, c care.Commit) ([]care.Alert, error) {
	raise := slices.Clone(c.Raise)
	slices.SortStableFunc(raise, func(a, b care.Alert) int { return a.Raised.Compare(b.Raised) })
	recover := slices.Clone(c.Recover)
	slices.SortStableFunc(recover, func(a, b care.Recovery) int { return a.At.Compare(b.At) })

	var changed []care.Alert
	for len(raise)+len(recover) > 0 {
		recovers := len(raise) == 0
		if len(raise) > 0 && len(recover) > 0 {
			r := recover[0]
			switch order := r.At.Compare(raise[0].Raised); {
			case order < 0:
				recovers = true
			case order == 0:
				standing, err := t.standing(ctx, source{r.Home, r.Kind, r.Device})
				if err != nil {
					return nil, err
				}
				recovers = slices.ContainsFunc(standing, func(a care.Alert) bool { return a.Recovered.IsZero() })
			}
		}
		var some []care.Alert
		var err error
		if recovers {
			some, err = t.recover(ctx, recover[0])
			recover = recover[1:]
		} else {
			some, err = t.raise(ctx, settle(raise[0]))
			raise = raise[1:]
		}
		if err != nil {
			return nil, err
		}
		changed = append(changed, some...)
	}
	return changed, nil
}

// standing returns the alerts about a source that are not resolved.
func (t *tx) standing(ctx context.Context, s source) ([]care.Alert, error) {
	alerts, err := list(ctx, t, scanAlert, selectAlert+`WHERE home = $1 AND kind = $2 AND device = $3 AND state <> 'resolved'
		ORDER BY raised, id`, s.home, string(s.kind), s.device)
	if err != nil {
		return nil, fmt.Errorf("read standing alerts: %w", err)
	}
	return alerts, nil
}

func (t *tx) raise(ctx context.Context, a care.Alert) ([]care.Alert, error) {
	if a.Kind.ClosesItself() || a.Kind.Lasts() || a.Kind.Single() { // one at a time
		standing, err := t.standing(ctx, source{a.Home, a.Kind, a.Device})
		switch {
		case a.Kind.Lasts(): // one that has ended and waits for a person is another one
			standing = slices.DeleteFunc(standing, func(a care.Alert) bool { return !a.Recovered.IsZero() })
		case a.Kind.Single():
			standing = slices.DeleteFunc(standing, func(s care.Alert) bool { return !s.Tells(a) })
		}
		if err != nil || len(standing) > 0 {
			return nil, err
		}
	}
	test, err := t.awaitedTest(ctx, a)
	if err != nil {
		return nil, err
	}
	a.Test = test != ""
	n, err := t.exec(ctx, `INSERT INTO alerts (`+alertColumns+`)`+values(1, 27)+`ON CONFLICT (id) DO NOTHING`,
		a.ID, a.Home, string(a.Kind), string(a.Severity), string(a.State), a.Device, a.Room, a.Cause.Epoch, a.Cause.Seq,
		a.Observed, a.Raised, a.AcknowledgedBy, a.AcknowledgedAt, a.ResolvedBy, a.ResolvedAt, string(a.Outcome), a.Note, a.Recovered,
		a.Hand.By, a.Hand.At, a.Hand.Left, a.Hand.Expected, number(a.Test), number(a.Overdue), number(a.Unheard), a.Reached, a.Heard)
	switch {
	case err != nil:
		return nil, fmt.Errorf("raise alert %s: %w", a.ID, err)
	case n == 0:
		return nil, nil
	}
	if a.Test {
		if _, err := t.exec(ctx, `UPDATE test_alarms SET alert = $1 WHERE id = $2`, a.ID, test); err != nil {
			return nil, fmt.Errorf("the press of test %s: %w", test, err)
		}
	}
	return []care.Alert{a}, t.putEscalation(ctx, a)
}

func (t *tx) recover(ctx context.Context, r care.Recovery) ([]care.Alert, error) {
	standing, err := t.standing(ctx, source{r.Home, r.Kind, r.Device})
	if err != nil {
		return nil, err
	}
	var changed []care.Alert
	for _, a := range standing {
		if !a.Recovered.IsZero() {
			continue
		}
		next := settle(a.Recover(r.At))
		if err := errors.Join(t.writeAlert(ctx, next), t.putHand(ctx, a, next, r.At)); err != nil {
			return nil, err
		}
		changed = append(changed, next)
	}
	return changed, nil
}

// putEvents tells of changed alerts, in their order.
func (t *tx) putEvents(ctx context.Context, changed []care.Alert, now time.Time) ([]care.Event, error) {
	if len(changed) == 0 {
		return nil, nil
	}
	first, err := t.next(ctx, "event", len(changed))
	if err != nil {
		return nil, err
	}
	events := make([]care.Event, len(changed))
	rows := make([][]any, len(changed))
	for i, a := range changed {
		e := care.Event{ID: first + int64(i), At: cut(now), Home: a.Home, Alert: a.ID}
		events[i], rows[i] = e, []any{e.ID, e.At, e.Home, e.Alert}
	}
	if err := t.insert(ctx, `INSERT INTO events (id, at, home, alert)`, ``, rows); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return events, nil
}
