package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

const consentColumns = `id, home, party, field, allowed, at, until, purpose, author, how, key`

const selectConsent = `SELECT ` + consentColumns + ` FROM consents `

func scanConsent(row scanner) (c care.Consent, err error) {
	err = row.Scan(&c.ID, &c.Home, &c.Party, &c.Field, (*truth)(&c.Allowed), (*when)(&c.At), (*when)(&c.Until), &c.Purpose, &c.By, &c.How, &c.Key)
	return c, err
}

// Consents returns the decisions of all homes with ids beyond after, oldest
// first, limit at most: ids are given in the order of the commits, so that
// nothing comes later with a smaller one.
func (s *Store) Consents(ctx context.Context, after int64, limit int) ([]care.Consent, error) {
	out, err := list(ctx, s.read, scanConsent, selectConsent+`WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)`, after, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	return out, nil
}

// ConsentsOf returns all decisions of one home, oldest first.
func (s *Store) ConsentsOf(ctx context.Context, home string) (care.Consents, error) {
	out, err := list(ctx, s.read, scanConsent, selectConsent+`WHERE home = $1 ORDER BY id`, home)
	if err != nil {
		return nil, fmt.Errorf("read decisions of %s: %w", home, err)
	}
	return out, nil
}

// PutConsent stores a decision and who noted it, both or neither, and returns
// it with its id. One whose key is known is there already and is returned as it
// was. The error is Consent.Check's, or ErrNotFound when there is no such home.
func (s *Store) PutConsent(ctx context.Context, c care.Consent, entry care.AuditEntry) (care.Consent, error) {
	if err := c.Check(); err != nil {
		return c, err
	}
	err := s.update(ctx, func(t *tx) error {
		if _, err := one(ctx, t, scanText, `SELECT id FROM homes WHERE id = $1`, c.Home); err != nil {
			return fmt.Errorf("home %q: %w", c.Home, err)
		}
		var err error
		c, err = t.putConsent(ctx, c, entry)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("store a decision: %w", err)
	}
	return c, nil
}

func (t *tx) putConsent(ctx context.Context, c care.Consent, entry care.AuditEntry) (care.Consent, error) {
	if c.Key != "" {
		known, err := one(ctx, t, scanConsent, selectConsent+`WHERE home = $1 AND key = $2`, c.Home, c.Key)
		if !errors.Is(err, ErrNotFound) {
			return known, err
		}
	}
	var err error
	if c.ID, err = t.next(ctx, "consent", 1); err != nil {
		return c, err
	}
	c.At, c.Until, c.Purpose, c.By = cut(c.At), cut(c.Until), text(c.Purpose), text(c.By)
	if _, err := t.exec(ctx, `INSERT INTO consents (`+consentColumns+`)`+values(1, 11), c.ID, c.Home, string(c.Party), string(c.Field), number(c.Allowed),
		c.At, c.Until, c.Purpose, c.By, string(c.How), c.Key); err != nil {
		return c, fmt.Errorf("decision: %w", err)
	}
	return c, errors.Join(t.touchScreen(ctx, entry.At, c.Home), t.putAudit(ctx, entry))
}

// putConsents stores what residents decided on their screens. What Check finds
// wrong would stay wrong, and must not hold up the rest: it is left out.
func (t *tx) putConsents(ctx context.Context, c care.Commit) error {
	for _, decided := range c.Consents {
		if decided.Check() != nil {
			continue
		}
		entry := decided.Entry(care.AtHome, time.Now())
		if _, err := t.putConsent(ctx, decided, entry); err != nil {
			return err
		}
	}
	return nil
}

// From the alerts that are not closed, each asked for by the index: a person who
// has served for years was told of very many that are.
const selectToldHomes = `SELECT DISTINCT a.home FROM alerts a WHERE a.state <> 'resolved' AND
	(SELECT count(*) FROM tellings t WHERE t.alert = a.id AND t.person = $1) > 0`

// ToldHomes returns the homes with alerts that are not closed of which a
// person was told.
func (s *Store) ToldHomes(ctx context.Context, person string) ([]string, error) {
	homes, err := list(ctx, s.read, scanText, selectToldHomes, person)
	if err != nil {
		return nil, fmt.Errorf("read of which homes %s was told: %w", person, err)
	}
	return homes, nil
}

// DecidedContacts returns the contacts of a home about whom the resident decides,
// by id: those who can sign in as relatives, and those who are told of alarms.
func (s *Store) DecidedContacts(ctx context.Context, home string) ([]care.Person, error) {
	people, err := list(ctx, s.read, scanPerson, selectPerson+`JOIN members m ON m.person = p.id
		WHERE m.kind = $1 AND m.scope = $2 ORDER BY p.id`, string(care.GroupContacts), home)
	if err != nil {
		return nil, fmt.Errorf("read the contacts of %s: %w", home, err)
	}
	return slices.DeleteFunc(people, func(p care.Person) bool { return len(p.DecidedFields()) == 0 }), nil
}

// leaveOutRefused takes those contacts out who, as the resident has decided, hear
// of no alarms: by the same rule by which they may see them.
func (t *tx) leaveOutRefused(ctx context.Context, home string, members map[care.Group][]care.Person, now time.Time) error {
	if len(members[care.GroupContacts]) == 0 {
		return nil
	}
	of, err := list(ctx, t, scanConsent, selectConsent+`WHERE home = $1 ORDER BY id`, home)
	if err != nil {
		return fmt.Errorf("decisions of %s: %w", home, err)
	}
	decisions := care.Consents(of)
	members[care.GroupContacts] = slices.DeleteFunc(members[care.GroupContacts], func(p care.Person) bool {
		return !decisions.Allow(care.PartyPerson(p.ID), care.FieldAlerts, now)
	})
	return nil
}
