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

// PutPerson stores a person, in place of the one with the same id. It returns
// what Person.Check finds, and care.ErrLastResort.
func (s *Store) PutPerson(ctx context.Context, p care.Person) error {
	err := p.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			addresses, err := encode(p.Addresses)
			if err != nil {
				return err
			}
			areas, err := encode(append([]string{}, p.Areas...))
			if err != nil {
				return err
			}
			return t.keepLastResort(ctx, func() error {
				_, err = t.exec(ctx, `INSERT INTO people (id, name, language, addresses, away, role, areas) VALUES ($1, $2, $3, $4, $5, $6, $7)
					ON CONFLICT (id) DO UPDATE SET name = excluded.name, language = excluded.language,
						addresses = excluded.addresses, away = excluded.away, role = excluded.role, areas = excluded.areas`,
					p.ID, p.Name, p.Language, addresses, number(p.Away), string(p.Role), areas)
				return err
			})
		})
	}
	if err != nil {
		return fmt.Errorf("store person %q: %w", p.ID, err)
	}
	return nil
}

const selectPerson = `SELECT p.id, p.name, p.language, p.addresses, p.away, p.role, p.areas FROM people p `

func scanPerson(row scanner) (p care.Person, err error) {
	var addresses, areas []byte
	if err = row.Scan(&p.ID, &p.Name, &p.Language, &addresses, (*truth)(&p.Away), &p.Role, &areas); err != nil {
		return p, err
	}
	return p, errors.Join(decode(addresses, &p.Addresses), decode(areas, &p.Areas))
}

// namesAtOnce is how many names one query reads.
const namesAtOnce = 256

// Names returns what people are called, by id; who is not known is not in it.
func (s *Store) Names(ctx context.Context, ids []string) (map[string]string, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	names := map[string]string{}
	for some := range slices.Chunk(ids, namesAtOnce) {
		// Filled up to a power of two, so that there are few different queries
		// to keep prepared.
		some = slices.Clone(some)
		for len(some)&(len(some)-1) != 0 {
			some = append(some, some[0])
		}
		var w where
		w.in("p.id", some)
		people, err := list(ctx, s.read, scanPerson, selectPerson+w.sql(), w.args...)
		if err != nil {
			return nil, fmt.Errorf("read names: %w", err)
		}
		for _, p := range people {
			names[p.ID] = p.Name
		}
	}
	return names, nil
}

// People returns all people, by id.
func (s *Store) People(ctx context.Context) ([]care.Person, error) {
	people, err := list(ctx, s.read, scanPerson, selectPerson+`ORDER BY p.id`)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return people, nil
}

// Person returns one person, or ErrNotFound.
func (s *Store) Person(ctx context.Context, id string) (care.Person, error) {
	p, err := one(ctx, s.read, scanPerson, selectPerson+`WHERE p.id = $1`, id)
	if err != nil {
		return care.Person{}, fmt.Errorf("read person %q: %w", id, err)
	}
	return p, nil
}

// keepLastResort makes a change, and returns care.ErrLastResort when it would
// take away the last who is told when nobody else answers.
func (t *tx) keepLastResort(ctx context.Context, change func() error) error {
	had, err := hasLastResort(ctx, t)
	if err != nil {
		return err
	}
	if err := change(); err != nil || !had {
		return err
	}
	has, err := hasLastResort(ctx, t)
	if err == nil && !has {
		err = care.ErrLastResort
	}
	return err
}

// HasLastResort reports whether somebody is there to be told when nobody else
// answers, whatever the area, and can be reached.
func (s *Store) HasLastResort(ctx context.Context) (bool, error) {
	has, err := hasLastResort(ctx, s.read)
	if err != nil {
		return false, fmt.Errorf("look for the last resort: %w", err)
	}
	return has, nil
}

func hasLastResort(ctx context.Context, q queryer) (bool, error) {
	people, err := list(ctx, q, scanPerson, selectPerson+`JOIN members m ON m.person = p.id WHERE m.kind = 'last_resort' AND m.scope = ''`)
	if err != nil {
		return false, err
	}
	shown, err := list(ctx, q, scanText, `SELECT DISTINCT b.person FROM browsers b JOIN members m ON m.person = b.person WHERE m.kind = 'last_resort' AND m.scope = ''`)
	if err != nil {
		return false, err
	}
	members := make([]care.Member, len(people))
	for i, p := range people {
		if !slices.Contains(shown, p.ID) { // a push reaches nobody who has no browser
			people[i].Addresses = slices.DeleteFunc(p.Addresses, func(a care.Address) bool { return a.Channel == care.ChannelPush })
		}
		members[i] = care.Member{Group: care.GroupLastResort, Person: p.ID}
	}
	return care.HasLastResort(people, members), nil
}

// PutMember puts a person into a group, or changes of which alerts they are
// told. It returns ErrNotFound when there is no such person, and what
// Member.Check finds.
func (s *Store) PutMember(ctx context.Context, m care.Member) error {
	if err := m.Check(); err != nil {
		return err
	}
	err := s.update(ctx, func(t *tx) error {
		if _, err := one(ctx, t, scanText, `SELECT id FROM people WHERE id = $1`, m.Person); err != nil {
			return err
		}
		alerts, err := encode(m.Alerts)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO members (kind, scope, person, alerts) VALUES ($1, $2, $3, $4)
			ON CONFLICT (kind, scope, person) DO UPDATE SET alerts = excluded.alerts`, string(m.Group), m.Scope, m.Person, alerts)
		return err
	})
	if err != nil {
		return fmt.Errorf("put %q into group %s: %w", m.Person, m.Group, err)
	}
	return nil
}

// DeleteMember takes a person out of a group. Who is not in it stays out. It
// returns care.ErrLastResort for the last one there.
func (s *Store) DeleteMember(ctx context.Context, m care.Member) error {
	err := s.update(ctx, func(t *tx) error {
		return t.keepLastResort(ctx, func() error {
			_, err := t.exec(ctx, `DELETE FROM members WHERE kind = $1 AND scope = $2 AND person = $3`, string(m.Group), m.Scope, m.Person)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("take %q out of group %s: %w", m.Person, m.Group, err)
	}
	return nil
}

// AllMembers returns who belongs to which group, by group, scope and person.
func (s *Store) AllMembers(ctx context.Context) ([]care.Member, error) {
	members, err := list(ctx, s.read, scanMember, `SELECT kind, scope, person, alerts FROM members ORDER BY kind, scope, person`)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	return members, nil
}

// MembersOf returns the groups that a person is in, by group and scope.
func (s *Store) MembersOf(ctx context.Context, person string) ([]care.Member, error) {
	members, err := list(ctx, s.read, scanMember, `SELECT kind, scope, person, alerts FROM members WHERE person = $1 ORDER BY kind, scope`, person)
	if err != nil {
		return nil, fmt.Errorf("read groups of %s: %w", person, err)
	}
	return members, nil
}

func scanMember(row scanner) (m care.Member, err error) {
	var alerts []byte
	if err = row.Scan(&m.Group, &m.Scope, &m.Person, &alerts); err != nil {
		return m, err
	}
	return m, decode(alerts, &m.Alerts)
}

// PutShift stores a shift, in place of the one with the same id. It returns
// ErrNotFound when there is no such person, and what Shift.Check finds.
func (s *Store) PutShift(ctx context.Context, h care.Shift) error {
	err := h.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error { return t.putShift(ctx, h) })
	}
	if err != nil {
		return fmt.Errorf("store shift %q: %w", h.ID, err)
	}
	return nil
}

func (t *tx) putShift(ctx context.Context, h care.Shift) error {
	if _, err := one(ctx, t, scanText, `SELECT id FROM people WHERE id = $1`, h.Person); err != nil {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO shifts (id, area, person, starts, ends, override) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET area = excluded.area, person = excluded.person, starts = excluded.starts,
			ends = excluded.ends, override = excluded.override`, h.ID, h.Area, h.Person, h.From, h.To, number(h.Override))
	return err
}

// HandOver has somebody else go on with a shift from a time within it, as
// a shift of theirs with the id next; one that has not begun by then becomes
// theirs as it is. It returns ErrNotFound when there is no such shift or person,
// and care.ErrShift for a time after it.
func (s *Store) HandOver(ctx context.Context, id, person string, at time.Time, next string) error {
	err := s.update(ctx, func(t *tx) error {
		h, err := one(ctx, t, scanShift, selectShift+`WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if !at.After(h.From) {
			h.Person = person
			return t.putShift(ctx, h)
		}
		rest := h
		rest.ID, rest.Person, rest.From = next, person, at
		h.To = at
		if err := errors.Join(h.Check(), rest.Check()); err != nil {
			return err
		}
		if taken, err := list(ctx, t, scanText, `SELECT id FROM shifts WHERE id = $1`, next); err != nil || len(taken) > 0 {
			return cmp.Or(err, ErrExists)
		}
		return errors.Join(t.putShift(ctx, h), t.putShift(ctx, rest))
	})
	if err != nil {
		return fmt.Errorf("hand over shift %q: %w", id, err)
	}
	return nil
}

// Shift returns one shift, or ErrNotFound.
func (s *Store) Shift(ctx context.Context, id string) (care.Shift, error) {
	h, err := one(ctx, s.read, scanShift, selectShift+`WHERE id = $1`, id)
	if err != nil {
		return care.Shift{}, fmt.Errorf("read shift %q: %w", id, err)
	}
	return h, nil
}

// DeleteShift removes a shift. One that is not there stays away.
func (s *Store) DeleteShift(ctx context.Context, id string) error {
	err := s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM shifts WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete shift %q: %w", id, err)
	}
	return nil
}

// Shifts returns an area's shifts that overlap a time, by when they begin.
func (s *Store) Shifts(ctx context.Context, area string, from, to time.Time) ([]care.Shift, error) {
	shifts, err := shiftsOf(ctx, s.read, area, from, to)
	if err != nil {
		return nil, fmt.Errorf("read shifts of area %q: %w", area, err)
	}
	return shifts, nil
}

const selectShift = `SELECT id, area, person, starts, ends, override FROM shifts `

func scanShift(row scanner) (h care.Shift, err error) {
	err = row.Scan(&h.ID, &h.Area, &h.Person, (*when)(&h.From), (*when)(&h.To), (*truth)(&h.Override))
	return h, err
}

func shiftsOf(ctx context.Context, q queryer, area string, from, to time.Time) ([]care.Shift, error) {
	return list(ctx, q, scanShift, selectShift+`WHERE area = $1 AND ends > $2 AND starts < $3 ORDER BY starts, id`, area, from, to)
}

// PutPolicy stores the policy of an area and a severity. It returns what
// Policy.Check finds.
func (s *Store) PutPolicy(ctx context.Context, p care.Policy) error {
	err := p.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			policy, err := encode(p)
			if err != nil {
				return err
			}
			_, err = t.exec(ctx, `INSERT INTO policies (area, severity, policy) VALUES ($1, $2, $3)
				ON CONFLICT (area, severity) DO UPDATE SET policy = excluded.policy`, p.Area, string(p.Severity), policy)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store policy of area %q: %w", p.Area, err)
	}
	return nil
}

// Policy returns the policy of an area and a severity: the default where
// nobody has stored another.
func (s *Store) Policy(ctx context.Context, area string, severity care.Severity) (care.Policy, error) {
	p, err := policyOf(ctx, s.read, area, severity)
	if err != nil {
		return care.Policy{}, fmt.Errorf("read policy of area %q: %w", area, err)
	}
	return p, nil
}

func policyOf(ctx context.Context, q queryer, area string, severity care.Severity) (care.Policy, error) {
	p, err := one(ctx, q, func(row scanner) (p care.Policy, err error) {
		var policy []byte
		if err = row.Scan(&policy); err != nil {
			return p, err
		}
		return p, decode(policy, &p)
	}, `SELECT policy FROM policies WHERE area = $1 AND severity = $2`, area, string(severity))
	if errors.Is(err, ErrNotFound) {
		return care.DefaultPolicy(area, severity), nil
	}
	return p, err
}

func encode(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

// decode reads JSON; an empty list comes back as nil.
func decode(data []byte, into any) error {
	if text := string(data); text == "[]" || text == "null" {
		return nil
	}
	return json.Unmarshal(data, into)
}
