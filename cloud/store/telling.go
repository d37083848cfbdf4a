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
	_, err := t.exec(ctx, `INSERT INTO escalations (alert, round, step, began, due, held, place) VALUES ($1, 0, 0, 0, $2, 0, $3)
		ON CONFLICT (alert) DO NOTHING`, a.ID, a.Raised, number(a.Severity != care.Emergency))
	if err != nil {
		return fmt.Errorf("escalation of alert %s: %w", a.ID, err)
	}
	return nil
}

// Due returns the alerts about which something is to be done by now:
// emergencies first, of those the ones that have waited longest. Every limit is a
// statement of its own: it is one of a few.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	// The number stands in the text: without it SQLite goes through all that
	// wait for their turn, in their order, instead of those that are due.
	due := fmt.Sprintf(`SELECT alert FROM escalations WHERE due <> 0 AND due <= $1 ORDER BY place, due, alert LIMIT %d`, bound(limit))
	ids, err := list(ctx, s.read, scanText, due, now)
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
// decided before, under the same key, stays as it is. It returns what is new to
// be told, and the event when there is something for screens to show.
func (s *Store) Escalate(ctx context.Context, alert string, now time.Time, turn func(care.Situation) ([]care.Telling, care.Escalation, care.Alert)) ([]care.Telling, *care.Event, error) {
	var fresh []care.Telling
	var event *care.Event
	err := s.update(ctx, func(t *tx) error {
		fresh, event = nil, nil
		situation, err := t.situation(ctx, alert, now)
		if err != nil {
			return err
		}
		tell, next, after := turn(situation)
		if after = settle(after); !forward(situation.Alert, after) {
			return ErrBackwards
		}
		if after != situation.Alert {
			if err := t.writeAlert(ctx, after); err != nil {
				return err
			}
		}
		if _, err := t.exec(ctx, `UPDATE escalations SET round = $1, step = $2, began = $3, due = $4, held = $5 WHERE alert = $6`,
			next.Round, next.Step, next.From, next.Due, next.Held, alert); err != nil {
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
		if after.Test != situation.Alert.Test {
			if err := t.judgeTest(ctx, after, now); err != nil {
				return err
			}
		}
		if len(fresh) > 0 || after != situation.Alert {
			event, err = t.putEvent(ctx, after, now)
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("escalate alert %s: %w", alert, err)
	}
	return fresh, event, nil
}

// putEvent tells of one changed alert.
func (t *tx) putEvent(ctx context.Context, a care.Alert, now time.Time) (*care.Event, error) {
	events, err := t.putEvents(ctx, []care.Alert{a}, now)
	if err != nil {
		return nil, err
	}
	return &events[0], nil
}

func (t *tx) putTelling(ctx context.Context, told care.Telling, now time.Time) (int64, error) {
	n, err := t.exec(ctx, `INSERT INTO tellings (alert, about, round, step, person, channel, nth, address, kind, state, provider, reason, tries, due, decided, changed, place)
		VALUES ($1, $2, $3, $4, $5, $6, $10, $7, $8, 'waiting', '', '', 0, $9, $9, $9,
			CASE WHEN $2 <> 'alarm' THEN 2 WHEN (SELECT severity FROM alerts WHERE id = $1) = 'emergency' THEN 0 ELSE 1 END)
		ON CONFLICT (alert, about, round, step, person, channel, nth) DO NOTHING`,
		told.Alert, string(told.About), told.Round, told.Step, told.Person, string(told.Address.Channel), told.Address.To, string(told.Group), now, told.Nth)
	if err != nil {
		return 0, fmt.Errorf("telling %s: %w", told.Person, err)
	}
	return n, nil
}

const selectEscalation = `SELECT alert, round, step, began, due, held FROM escalations `

func scanEscalation(row scanner) (e care.Escalation, err error) {
	err = row.Scan(&e.Alert, &e.Round, &e.Step, &e.From, (*when)(&e.Due), (*when)(&e.Held))
	return e, err
}

// Escalation returns where the telling of an alert stands, and the policy by
// which it goes. It returns ErrNotFound when there is no such alert.
func (s *Store) Escalation(ctx context.Context, alert string) (e care.Escalation, p care.Policy, err error) {
	a, err := s.Alert(ctx, alert)
	if err != nil {
		return e, p, err
	}
	home, err := s.Home(ctx, a.Home)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return e, p, err
	}
	if e, err = one(ctx, s.read, scanEscalation, selectEscalation+`WHERE alert = $1`, alert); err != nil {
		return e, p, fmt.Errorf("read escalation of alert %s: %w", alert, err)
	}
	p, err = s.Policy(ctx, home.Area, a.Severity)
	return e, p, err
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
	if s.Escalation, err = one(ctx, t, scanEscalation, selectEscalation+`WHERE alert = $1`, alert); err != nil {
		return s, err
	}
	if s.Policy, err = policyOf(ctx, t, s.Home.Area, s.Alert.Severity); err != nil {
		return s, err
	}
	if s.Members, err = t.members(ctx, s.Home, s.Alert.Kind); err != nil {
		return s, err
	}
	if err = t.leaveOutRefused(ctx, s.Home.ID, s.Members, now); err != nil {
		return s, err
	}
	if s.Members[care.GroupOnDuty], err = t.onDuty(ctx, s.Home.Area, now); err != nil {
		return s, err
	}
	if s.Alert.Test {
		s.Tester, err = t.testerOf(ctx, alert)
		return s, err
	}
	if s.Alert.Severity == care.Emergency {
		return s, nil // nothing of what follows is asked about one
	}
	if s.Silences, err = silencesOf(ctx, t, s.Alert.Home, now); err != nil {
		return s, err
	}
	// What a home has beyond so many covers nothing, and is told of by itself.
	s.Others, err = list(ctx, t, scanAlert, selectAlert+`WHERE home = $1 AND state <> 'resolved' AND id <> $2 ORDER BY raised, id LIMIT 50`, s.Alert.Home, alert)
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
	}, `SELECT p.id, p.name, p.language, p.addresses, p.away, p.role, p.areas, m.kind, m.scope, m.alerts FROM people p JOIN members m ON m.person = p.id
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

const selectTold = `SELECT t.alert, t.about, t.round, t.step, t.person, t.channel, t.nth, t.address, t.kind, t.state, t.provider, t.reason, t.tries,
	t.due, t.decided, t.changed, a.severity FROM tellings t JOIN alerts a ON a.id = t.alert `

func scanTold(row scanner) (t care.Told, err error) {
	err = row.Scan(&t.Alert, &t.About, &t.Round, &t.Step, &t.Person, &t.Address.Channel, &t.Nth, &t.Address.To, &t.Group, &t.State, &t.Provider,
		&t.Reason, &t.Tries, (*when)(&t.Due), (*when)(&t.Decided), (*when)(&t.Changed), &t.Severity)
	return t, err
}

// Tellings returns all that was decided and done to tell of an alert, in order.
func (s *Store) Tellings(ctx context.Context, alert string) ([]care.Told, error) {
	told, err := list(ctx, s.read, scanTold, selectTold+`WHERE t.alert = $1 ORDER BY t.decided, t.round, t.step, t.person, t.channel, t.about`, alert)
	if err != nil {
		return nil, fmt.Errorf("read who was told of alert %s: %w", alert, err)
	}
	return told, nil
}

// NextTelling returns when something is to be sent over a channel next; the
// zero time when nothing waits.
func (s *Store) NextTelling(ctx context.Context, channel care.Channel) (time.Time, error) {
	next, err := one(ctx, s.read, func(row scanner) (t time.Time, err error) {
		err = row.Scan((*when)(&t))
		return t, err
	}, `SELECT due FROM tellings WHERE state = 'waiting' AND channel = $1 ORDER BY due LIMIT 1`, string(channel))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return time.Time{}, fmt.Errorf("read what is to be sent next by %s: %w", channel, err)
	}
	return next, nil
}

// WaitingTellings returns what is to be sent over a channel by now: alarms of
// emergencies first, and news behind all alarms.
func (s *Store) WaitingTellings(ctx context.Context, channel care.Channel, now time.Time, limit int) ([]care.Told, error) {
	told, err := list(ctx, s.read, scanTold, selectTold+`WHERE t.state = 'waiting' AND t.channel = $1 AND t.due <= $2
		ORDER BY t.place, t.due LIMIT CAST($3 AS BIGINT)`,
		string(channel), now, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read what waits to be sent by %s: %w", channel, err)
	}
	return told, nil
}

// TellingOf returns the telling that a provider knows by an id, or ErrNotFound.
func (s *Store) TellingOf(ctx context.Context, channel care.Channel, provider string) (care.Told, error) {
	told, err := one(ctx, s.read, scanTold, selectTold+`WHERE t.provider <> '' AND t.channel = $1 AND t.provider = $2 ORDER BY t.changed DESC LIMIT 1`, string(channel), provider)
	if err != nil {
		return care.Told{}, fmt.Errorf("find the message %q of %s: %w", provider, channel, err)
	}
	return told, nil
}

// Asked returns the alarm that somebody who answers a message from an address
// means: the one that the same answer, by its key, has taken before; else the
// latest of which they were told there after one time and before another, of
// those that nobody has before those that somebody does. It returns ErrNotFound
// when there is none.
func (s *Store) Asked(ctx context.Context, channel care.Channel, address string, after, before time.Time, key string) (care.Told, error) {
	told, err := one(ctx, s.read, scanTold, selectTold+`WHERE t.channel = $1 AND t.address = $2 AND t.about = 'alarm' AND t.decided > $3 AND t.decided <= $4 AND t.tries > 0
		ORDER BY CASE WHEN t.alert IN (SELECT alert FROM deeds WHERE at > $3 AND key = $5 AND action = 'acknowledge') THEN 0 ELSE 1 END,
			CASE WHEN a.state = 'open' OR a.overdue = 1 THEN 0 WHEN a.state = 'resolved' THEN 2 ELSE 1 END, t.decided DESC, t.person LIMIT 1`,
		string(channel), address, after, before, key)
	if err != nil {
		return care.Told{}, fmt.Errorf("find what was asked by %s: %w", channel, err)
	}
	return told, nil
}

// Sent returns how many messages that were not about an emergency a person got
// over a channel since a time.
func (s *Store) Sent(ctx context.Context, person string, channel care.Channel, since time.Time) (int, error) {
	n, err := one(ctx, s.read, func(row scanner) (n int, err error) {
		err = row.Scan(&n)
		return n, err
	}, `SELECT count(*) FROM tellings t JOIN alerts a ON a.id = t.alert WHERE t.person = $1 AND t.channel = $2 AND t.changed >= $3
		AND t.state IN ('accepted', 'delivered') AND a.severity <> 'emergency'`, person, string(channel), since)
	if err != nil {
		return 0, fmt.Errorf("count what %s was told by %s: %w", person, channel, err)
	}
	return n, nil
}

// putHand notes that an alert has come into somebody's hand, or is over: what
// waits to be told is dropped, it is looked at anew, and its relatives are told.
func (t *tx) putHand(ctx context.Context, was, a care.Alert, now time.Time) error {
	if a.State == was.State && a.Hand == was.Hand {
		return nil
	}
	if _, err := t.exec(ctx, `UPDATE tellings SET state = 'dropped', changed = $1 WHERE alert = $2 AND about = 'alarm' AND state = 'waiting' AND tries = 0`, now, a.ID); err != nil {
		return fmt.Errorf("drop what waits to be sent of alert %s: %w", a.ID, err)
	}
	if _, err := t.exec(ctx, `UPDATE escalations SET due = $1 WHERE alert = $2`, now, a.ID); err != nil {
		return fmt.Errorf("look at alert %s anew: %w", a.ID, err)
	}
	if err := t.judgeTest(ctx, a, now); err != nil {
		return err
	}
	if a.State == was.State || a.Test {
		return nil
	}
	return t.putNews(ctx, a, now)
}

// putNews lets relatives know that somebody has an alert, or that it is over:
// of an emergency all whom the resident lets know of its kind, of others those
// who have been told of it.
func (t *tx) putNews(ctx context.Context, a care.Alert, now time.Time) error {
	about := care.AboutTaken
	if a.State == care.Resolved {
		about = care.AboutClosed
	}
	home, err := one(ctx, t, scanHome, selectHome+`WHERE id = $1`, a.Home)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	people, err := t.members(ctx, home, a.Kind)
	if err != nil {
		return err
	}
	contacts := people[care.GroupContacts]
	if len(contacts) == 0 {
		return nil
	}
	told, err := list(ctx, t, scanText, `SELECT DISTINCT person FROM tellings WHERE alert = $1 AND state IN ('accepted', 'delivered')`, a.ID)
	if err != nil {
		return err
	}
	for _, p := range contacts {
		if p.Away || len(p.Addresses) == 0 || a.Severity != care.Emergency && !slices.Contains(told, p.ID) {
			continue
		}
		if _, err := t.putTelling(ctx, care.Telling{Alert: a.ID, About: about, Person: p.ID, Address: p.Addresses[0], Group: care.GroupContacts}, now); err != nil {
			return err
		}
	}
	return nil
}

// PutTelling decides that somebody is told something. The same again changes
// nothing.
func (s *Store) PutTelling(ctx context.Context, t care.Telling, now time.Time) error {
	err := s.update(ctx, func(tx *tx) error {
		_, err := tx.putTelling(ctx, t, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("decide to tell %s: %w", t.Person, err)
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
		was, err := one(ctx, t, scanTold, selectTold+`WHERE t.alert = $1 AND t.round = $2 AND t.step = $3 AND t.person = $4 AND t.channel = $5 AND t.about = $6 AND t.nth = $7`,
			key.Alert, key.Round, key.Step, key.Person, string(key.Address.Channel), string(key.About), key.Nth)
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
			WHERE alert = $7 AND round = $8 AND step = $9 AND person = $10 AND channel = $11 AND about = $12 AND nth = $13`,
			string(next.State), next.Provider, next.Reason, next.Tries, next.Due, next.Changed,
			key.Alert, key.Round, key.Step, key.Person, string(key.Address.Channel), string(key.About), key.Nth); err != nil {
			return err
		}
		if instead != nil {
			if _, err := t.putTelling(ctx, *instead, now); err != nil {
				return err
			}
		}
		if next.State != was.State {
			if _, err := t.putEvent(ctx, a, now); err != nil {
				return err
			}
		}
		if next.State != was.State {
			if err := t.judgeTest(ctx, a, now); err != nil {
				return err
			}
		}
		if key.About != care.AboutAlarm || next.State != care.TellingFailed {
			return nil
		}
		_, err = t.exec(ctx, `UPDATE escalations SET due = $1 WHERE alert = $2 AND due > $1 AND round = $3 AND step = $4 + 1 AND NOT EXISTS (SELECT 1 FROM tellings
			WHERE alert = $2 AND about = 'alarm' AND round = $3 AND step = $4 AND state <> 'failed')`, now, key.Alert, key.Round, key.Step)
		return err
	})
	if err != nil {
		return fmt.Errorf("change how %s is told of alert %s: %w", key.Person, key.Alert, err)
	}
	return nil
}
