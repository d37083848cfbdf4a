package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// putEscalation makes sure that somebody will be told of a raised alert: it is
// written in the transaction that raises it.
func (t *tx) putEscalation(ctx context.Context, a care.Alert) error {
	_, err := t.exec(ctx, `INSERT INTO escalations (alert, round, step, began, due, unheard, held) VALUES ($1, 0, 0, 0, $2, 0, 0)
		ON CONFLICT (alert) DO NOTHING`, a.ID, a.Raised)
	if err != nil {
		return fmt.Errorf("escalation of alert %s: %w", a.ID, err)
	}
	return nil
}

// Due returns the alerts about which something is to be done by now, those
// that have waited longest first.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	ids, err := list(ctx, s.read, scanText, `SELECT alert FROM escalations WHERE due <> 0 AND due <= $1 ORDER BY due, alert LIMIT $2`, now, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	return ids, nil
}

// NextDue returns when something is to be done next about any alert; the zero
// time when nothing is.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	next, err := one(ctx, s.read, func(row scanner) (t time.Time, err error) {
		err = row.Scan((*when)(&t))
		return t, err
	}, `SELECT due FROM escalations WHERE due <> 0 ORDER BY due LIMIT 1`)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return time.Time{}, fmt.Errorf("read what is due next: %w", err)
	}
	return next, nil
}

// Escalate reads all that decides who is told of an alert, asks turn, and
// writes what it says, in one transaction. Turn must not use the store. What was
// decided before, under the same key, stays as it is. It returns what is new.
func (s *Store) Escalate(ctx context.Context, alert string, now time.Time, turn func(care.Situation) ([]care.Telling, care.Escalation)) ([]care.Telling, error) {
	var fresh []care.Telling
	err := s.update(ctx, func(t *tx) error {
		fresh = nil
		situation, err := t.situation(ctx, alert, now)
		if err != nil {
			return err
		}
		tell, next := turn(situation)
		if _, err := t.exec(ctx, `UPDATE escalations SET round = $1, step = $2, began = $3, due = $4, unheard = $5, held = $6 WHERE alert = $7`,
			next.Round, next.Step, next.From, next.Due, number(next.Unheard), next.Held, alert); err != nil {
			return err
		}
		for _, told := range tell {
			n, err := t.putTelling(ctx, told, now)
			if err != nil {
				return err
			}
			if n > 0 {
				fresh = append(fresh, told)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("escalate alert %s: %w", alert, err)
	}
	return fresh, nil
}

func (t *tx) putTelling(ctx context.Context, told care.Telling, now time.Time) (int64, error) {
	n, err := t.exec(ctx, `INSERT INTO tellings (alert, round, step, person, channel, address, kind, state, provider, reason, tries, due, decided, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', '', '', 0, $8, $8, $8) ON CONFLICT (alert, round, step, person, channel) DO NOTHING`,
		told.Alert, told.Round, told.Step, told.Person, string(told.Address.Channel), told.Address.To, string(told.Group), now)
	if err != nil {
		return 0, fmt.Errorf("telling %s: %w", told.Person, err)
	}
	return n, nil
}

func (t *tx) situation(ctx context.Context, alert string, now time.Time) (care.Situation, error) {
	var s care.Situation
	var err error
	if s.Alert, err = one(ctx, t, scanAlert, selectAlert+`WHERE id = $1`, alert); err != nil {
		return s, err
	}
	if s.Home, err = one(ctx, t, scanHome, selectHome+`WHERE id = $1`, s.Alert.Home); err != nil && !errors.Is(err, ErrNotFound) {
		return s, err // without its home an alert is still told: to those of every area
	}
	if s.Escalation, err = one(ctx, t, func(row scanner) (e care.Escalation, err error) {
		var unheard int64
		err = row.Scan(&e.Alert, &e.Round, &e.Step, &e.From, (*when)(&e.Due), &unheard, (*when)(&e.Held))
		e.Unheard = unheard != 0
		return e, err
	}, `SELECT alert, round, step, began, due, unheard, held FROM escalations WHERE alert = $1`, alert); err != nil {
		return s, err
	}
	if s.Policy, err = policyOf(ctx, t, s.Home.Area, s.Alert.Severity); err != nil {
		return s, err
	}
	if s.Members, err = t.members(ctx, s.Home, s.Alert.Kind); err != nil {
		return s, err
	}
	s.Members[care.GroupOnDuty], err = t.onDuty(ctx, s.Home.Area, now)
	return s, err
}

// members returns the people of all groups that are told of this kind of alert.
func (t *tx) members(ctx context.Context, home care.Home, kind care.AlertKind) (map[care.Group][]care.Person, error) {
	type member struct {
		group  care.Group
		scope  string
		alerts []byte
		person care.Person
	}
	found, err := list(ctx, t, func(row scanner) (m member, err error) {
		m.person, err = scanPerson(extra{row, []any{&m.group, &m.scope, &m.alerts}})
		return m, err
	}, `SELECT p.id, p.name, p.language, p.addresses, p.away, m.kind, m.scope, m.alerts FROM people p JOIN members m ON m.person = p.id
		WHERE m.scope IN ('', $1, $2) ORDER BY p.id, m.scope`, home.Area, home.ID)
	if err != nil {
		return nil, err
	}
	out := map[care.Group][]care.Person{}
	for _, m := range found {
		want := m.scope == "" || m.scope == home.Area
		if m.group.OfHome() {
			want = m.scope == home.ID
		}
		var kinds []care.AlertKind
		if err := json.Unmarshal(m.alerts, &kinds); err != nil {
			return nil, fmt.Errorf("group %s: %w", m.group, err)
		}
		known := slices.ContainsFunc(out[m.group], func(p care.Person) bool { return p.ID == m.person.ID })
		if want && !known && (len(kinds) == 0 || slices.Contains(kinds, kind)) {
			out[m.group] = append(out[m.group], m.person)
		}
	}
	return out, nil
}

// extra scans more columns behind those that a scan asks for.
type extra struct {
	scanner
	more []any
}

func (e extra) Scan(dest ...any) error { return e.scanner.Scan(append(dest, e.more...)...) }

func (t *tx) onDuty(ctx context.Context, area string, now time.Time) ([]care.Person, error) {
	shifts, err := shiftsOf(ctx, t, area, now.Add(-time.Microsecond), now.Add(time.Microsecond))
	if err != nil {
		return nil, err
	}
	var out []care.Person
	for _, id := range care.OnDuty(shifts, area, now) {
		p, err := one(ctx, t, scanPerson, selectPerson+`WHERE p.id = $1`, id)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

const selectTold = `SELECT t.alert, t.round, t.step, t.person, t.channel, t.address, t.kind, t.state, t.provider, t.reason, t.tries,
	t.due, t.decided, t.changed, a.severity FROM tellings t JOIN alerts a ON a.id = t.alert `

func scanTold(row scanner) (t care.Told, err error) {
	err = row.Scan(&t.Alert, &t.Round, &t.Step, &t.Person, &t.Address.Channel, &t.Address.To, &t.Group, &t.State, &t.Provider,
		&t.Reason, &t.Tries, (*when)(&t.Due), (*when)(&t.Decided), (*when)(&t.Changed), &t.Severity)
	return t, err
}

// Tellings returns all that was decided and done to tell of an alert, in order.
func (s *Store) Tellings(ctx context.Context, alert string) ([]care.Told, error) {
	told, err := list(ctx, s.read, scanTold, selectTold+`WHERE t.alert = $1 ORDER BY t.decided, t.round, t.step, t.person, t.channel`, alert)
	if err != nil {
		return nil, fmt.Errorf("read who was told of alert %s: %w", alert, err)
	}
	return told, nil
}

// WaitingTellings returns what is to be sent over a channel by now, of
// emergencies first.
func (s *Store) WaitingTellings(ctx context.Context, channel care.Channel, now time.Time, limit int) ([]care.Told, error) {
	told, err := list(ctx, s.read, scanTold, selectTold+`WHERE t.state = 'waiting' AND t.channel = $1 AND t.due <= $2
		ORDER BY CASE a.severity WHEN 'emergency' THEN 0 ELSE 1 END, t.due LIMIT $3`, string(channel), now, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read what waits to be sent by %s: %w", channel, err)
	}
	return told, nil
}

// putHand notes that somebody has taken or closed an alert: nobody else is to be
// told of it, and it is looked at anew.
func (t *tx) putHand(ctx context.Context, a care.Alert, now time.Time) error {
	if a.State == care.Open {
		return nil
	}
	if _, err := t.exec(ctx, `UPDATE tellings SET state = 'dropped', changed = $1 WHERE alert = $2 AND state = 'waiting'`, now, a.ID); err != nil {
		return fmt.Errorf("drop what waits to be sent of alert %s: %w", a.ID, err)
	}
	if _, err := t.exec(ctx, `UPDATE escalations SET due = $1 WHERE alert = $2`, now, a.ID); err != nil {
		return fmt.Errorf("look at alert %s anew: %w", a.ID, err)
	}
	return nil
}

// ErrTelling is returned for a telling that would go back.
var ErrTelling = errors.New("LYK-0708: a telling only moves forward")

var tellingOrder = map[care.TellingState]int{
	care.TellingWaits: 0, care.TellingAccepted: 1, care.TellingDelivered: 2, care.TellingFailed: 3, care.TellingDropped: 3,
}

// ChangeTelling reads a telling, its alert and its person, asks f what becomes
// of it, and writes that, in one transaction, with what is to be sent instead,
// if anything. When all tellings of a step have failed, the next step is due at
// once. It returns ErrTelling for a state before the one it has, and ErrNotFound
// when there is none. F must not use the store.
func (s *Store) ChangeTelling(ctx context.Context, key care.Telling, now time.Time, f func(care.Told, care.Alert, care.Person) (care.Told, *care.Telling)) error {
	err := s.update(ctx, func(t *tx) error {
		was, err := one(ctx, t, scanTold, selectTold+`WHERE t.alert = $1 AND t.round = $2 AND t.step = $3 AND t.person = $4 AND t.channel = $5`,
			key.Alert, key.Round, key.Step, key.Person, string(key.Address.Channel))
		if err != nil {
			return err
		}
		a, err := one(ctx, t, scanAlert, selectAlert+`WHERE id = $1`, key.Alert)
		if err != nil {
			return err
		}
		p, err := one(ctx, t, scanPerson, selectPerson+`WHERE p.id = $1`, key.Person)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		next, instead := f(was, a, p)
		if cmp.Compare(tellingOrder[next.State], tellingOrder[was.State]) < 0 {
			return ErrTelling
		}
		if next.State != was.State {
			next.Changed = now
		}
		if _, err := t.exec(ctx, `UPDATE tellings SET state = $1, provider = $2, reason = $3, tries = $4, due = $5, changed = $6
			WHERE alert = $7 AND round = $8 AND step = $9 AND person = $10 AND channel = $11`,
			string(next.State), next.Provider, next.Reason, next.Tries, next.Due, next.Changed,
			key.Alert, key.Round, key.Step, key.Person, string(key.Address.Channel)); err != nil {
			return err
		}
		if instead != nil {
			if _, err := t.putTelling(ctx, *instead, now); err != nil {
				return err
			}
		}
		_, err = t.exec(ctx, `UPDATE escalations SET due = $1 WHERE alert = $2 AND due > $1 AND NOT EXISTS (SELECT 1 FROM tellings
			WHERE alert = $2 AND round = $3 AND step = $4 AND state <> 'failed')`, now, key.Alert, key.Round, key.Step)
		return err
	})
	if err != nil {
		return fmt.Errorf("change how %s is told of alert %s: %w", key.Person, key.Alert, err)
	}
	return nil
}
