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
	out, err := list(ctx, s.read, scanConsent, selectConsent+`WHERE id > $1 ORDER BY id LIMIT $2`, after, bound(limit))
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

// ToldHomes returns the homes with alerts that are not closed of which a
// person was told.
func (s *Store) ToldHomes(ctx context.Context, person string) ([]string, error) {
	homes, err := list(ctx, s.read, scanText, `SELECT DISTINCT a.home FROM alerts a JOIN tellings t ON t.alert = a.id
		WHERE a.state <> 'resolved' AND t.person = $1`, person)
	if err != nil {
		return nil, fmt.Errorf("read of which homes %s was told: %w", person, err)
	}
	return homes, nil
}

// RelativesOf returns the contacts of a home who can sign in, by id: only their
// ids, names and role.
func (s *Store) RelativesOf(ctx context.Context, home string) ([]care.Person, error) {
	people, err := list(ctx, s.read, func(row scanner) (p care.Person, err error) {
		err = row.Scan(&p.ID, &p.Name, &p.Role)
		return p, err
	}, `SELECT p.id, p.name, p.role FROM members m JOIN people p ON p.id = m.person
		WHERE m.kind = $1 AND m.scope = $2 AND p.role = $3 ORDER BY p.id`, string(care.GroupContacts), home, string(care.Relative))
	if err != nil {
		return nil, fmt.Errorf("read the relatives of %s: %w", home, err)
	}
	return people, nil
}

// leaveOutRefused takes those contacts out of whom the resident has decided that
// they hear of no alerts. While nothing is decided they are told as was arranged
// when they were entered.
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
		c, decided := decisions.Decision(care.PartyPerson(p.ID), care.FieldAlerts, now)
		return decided && !c.Allowed
	})
	return nil
}
