package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// notesSearched is how many of the newest notes of the areas are searched: a
// country's notes of all years are not read for a word.
const notesSearched = 20_000

// like is what finds text that holds q, in lower case; what has a meaning to
// LIKE has none in it.
func like(q string) string {
	return `%` + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(words(q)) + `%`
}

// Search returns where text occurs: in the names of homes, their cards, the
// newest notes, and the names of people, in this order.
func (s *Store) Search(ctx context.Context, q string, in care.SearchIn) ([]care.Found, error) {
	var all []care.Found
	search := func(kind care.FoundType, query string, w where) error {
		found, err := list(ctx, s.read, func(row scanner) (care.Found, error) {
			f := care.Found{Type: kind}
			err := row.Scan(&f.Home, &f.Title, &f.Text, (*when)(&f.At))
			return f, err
		}, query, w.args...)
		all = append(all, found...)
		return err
	}
	const escape = ` ESCAPE '\' `
	var homes where
	text := homes.arg(like(q))
	if in.Cards {
		homes.and(`(h.words LIKE ` + text + escape + `OR r.words LIKE ` + text + escape + `)`)
	} else {
		homes.and(`h.words LIKE ` + text + escape)
	}
	homes.in("h.area", in.Areas)
	card := `''`
	if in.Cards {
		card = `coalesce(r.address, '')`
	}
	errs := []error{search(care.FoundHome, `SELECT h.id, h.name, `+card+`, 0 FROM homes h LEFT JOIN residents r ON r.home = h.id `+
		homes.sql()+`ORDER BY h.name, h.id LIMIT CAST(`+homes.arg(bound(in.Limit))+` AS BIGINT)`, homes)}
	if in.Notes {
		var newest where
		newest.inAreas(in.Areas)
		newest.since("written", in.Since)
		from := `SELECT home, author, text, written AS at, words FROM notes ` + newest.sql() + `ORDER BY written DESC LIMIT CAST(` + newest.arg(notesSearched) + ` AS BIGINT)`
		errs = append(errs, search(care.FoundNote, `SELECT home, author, text, at FROM (`+from+`) n WHERE words LIKE `+newest.arg(like(q))+escape+
			`ORDER BY at DESC LIMIT CAST(`+newest.arg(bound(in.Limit))+` AS BIGINT)`, newest))
	}
	if in.Names {
		// People are as many as work or are told; their names are not kept in
		// lower case.
		people, err := s.People(ctx)
		errs = append(errs, err)
		for _, p := range people {
			if strings.Contains(words(p.Name), words(q)) && (in.Limit <= 0 || len(all) < 3*in.Limit) {
				all = append(all, care.Found{Type: care.FoundPerson, Title: p.Name, Text: p.ID})
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return all, nil
}

// AlertsOf returns the alerts that were raised or closed in a time, newest
// first, limit at most; no areas is all.
func (s *Store) AlertsOf(ctx context.Context, areas []string, from, to time.Time, limit int) ([]care.Alert, error) {
	var w where
	w.inAreas(areas)
	a, b := w.arg(from), w.arg(to)
	w.and(`id IN (SELECT id FROM alerts WHERE raised >= ` + a + ` AND raised < ` + b + `
		UNION SELECT id FROM alerts WHERE resolved_at >= ` + a + ` AND resolved_at < ` + b + `)`) // each by its own index
	alerts, err := list(ctx, s.read, scanAlert, selectAlert+w.sql()+`ORDER BY raised DESC, id LIMIT CAST(`+w.arg(bound(limit))+` AS BIGINT)`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts of a time: %w", err)
	}
	return alerts, nil
}

// StandingAlerts returns the alerts that are not closed, newest first, limit
// at most; no areas is all.
func (s *Store) StandingAlerts(ctx context.Context, areas []string, limit int) ([]care.Alert, error) {
	var w where
	w.and(`state <> 'resolved'`)
	w.inAreas(areas)
	alerts, err := list(ctx, s.read, scanAlert, selectAlert+w.sql()+`ORDER BY raised DESC, id LIMIT CAST(`+w.arg(bound(limit))+` AS BIGINT)`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts that stand: %w", err)
	}
	return alerts, nil
}

// Configuration returns how a home's gateway is configured; version 0 where
// nobody has said anything, or what the devices' actions mean cannot be read.
func (s *Store) Configuration(ctx context.Context, home string) (wire.Configure, error) {
	c, _, err := configurationOf(ctx, s.read, s.log(), home)
	if err != nil {
		return c, fmt.Errorf("read the configuration of %q: %w", home, err)
	}
	return c, nil
}

// configurationOf returns what of a home's configuration can be read, and
// whether that is all. One without its actions has version 0, and is given to no
// gateway: a button that is an alarm in the home would be none any more.
func configurationOf(ctx context.Context, q queryer, log *slog.Logger, home string) (c wire.Configure, whole bool, err error) {
	var rooms, actions []byte
	c, err = one(ctx, q, func(row scanner) (c wire.Configure, err error) {
		err = row.Scan(&c.Version, &rooms, &actions)
		return c, err
	}, `SELECT version, rooms, actions FROM configurations WHERE home = $1`, home)
	if errors.Is(err, ErrNotFound) {
		return wire.Configure{}, true, nil
	}
	if err != nil {
		return c, false, err
	}
	whole = true
	const lost = "part of a home's configuration cannot be read, and is passed over; place the home's devices anew"
	if err := decode(rooms, &c.Rooms); err != nil {
		log.Error(lost, "id", "LYK-0707", "home", home, "part", "rooms", "err", err)
		c.Rooms, whole = nil, false
	}
	if err := decode(actions, &c.Actions); err != nil {
		log.Error(lost, "id", "LYK-0707", "home", home, "part", "actions", "err", err)
		c.Actions, c.Version, whole = nil, 0, false
	}
	return c, whole, nil
}

// Configure stores how a home's gateway is configured, together with the
// command that tells it and the entry in the audit log, and returns the gateway
// that is to collect it. The version is given here: it grows, also beyond those
// that were sent by hand, and that the home has said it has. What is stored
// already is not sent anew, but to a home that has a newer one; a home that has
// lost it says so, see GiveAgain. It returns ErrNotFound when there is no
// such home.
func (s *Store) Configure(ctx context.Context, home string, c wire.Configure, now time.Time, entry care.AuditEntry) (gateway string, err error) {
	rooms, err := encode(c.Rooms)
	actions, err2 := encode(c.Actions)
	if err := errors.Join(err, err2); err != nil {
		return "", fmt.Errorf("store the configuration of %q: %w", home, err)
	}
	err = s.update(ctx, func(t *tx) error {
		if gateway, err = one(ctx, t, scanText, `SELECT gateway FROM homes WHERE id = $1`, home); err != nil {
			return err
		}
		before, whole, err := configurationOf(ctx, t, t.log, home)
		if err != nil {
			return err
		}
		next, ahead, err := t.beyond(ctx, home, now)
		if err != nil || before.Version > 0 && whole && !ahead && sameConfiguration(before, c) {
			return err
		}
		c.Version = next
		if _, err := t.exec(ctx, `INSERT INTO configurations (home, version, rooms, actions)`+values(1, 4)+
			`ON CONFLICT (home) DO UPDATE SET version = excluded.version, rooms = excluded.rooms, actions = excluded.actions`,
			home, c.Version, rooms, actions); err != nil {
			return err
		}
		return errors.Join(t.putAudit(ctx, entry), t.putConfigure(ctx, gateway, c, now))
	})
	if err != nil {
		return "", fmt.Errorf("store the configuration of %q: %w", home, err)
	}
	return gateway, nil
}

func sameConfiguration(a, b wire.Configure) bool {
	return maps.Equal(a.Rooms, b.Rooms) &&
		maps.EqualFunc(a.Actions, b.Actions, func(x, y map[string]devices.Kind) bool { return maps.Equal(x, y) })
}

// Command stores a command for a home's gateway with its entry in the audit
// log, and returns the gateway that is to collect it. The same id again changes
// nothing. It returns ErrNotFound when there is no such home.
func (s *Store) Command(ctx context.Context, home string, c wire.Command, entry care.AuditEntry) (gateway string, err error) {
	err = s.update(ctx, func(t *tx) error {
		if gateway, err = one(ctx, t, scanText, `SELECT gateway FROM homes WHERE id = $1`, home); err != nil {
			return err
		}
		known, err := list(ctx, t, scanText, `SELECT id FROM commands WHERE gateway = $1 AND id = $2`, gateway, c.ID)
		if err != nil || len(known) > 0 {
			return err
		}
		return errors.Join(t.putAudit(ctx, entry), t.putCommands(ctx, entry.At, care.PendingCommand{Gateway: gateway, Command: c}))
	})
	if err != nil {
		return "", fmt.Errorf("store a command for %q: %w", home, err)
	}
	return gateway, nil
}
