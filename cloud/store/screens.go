package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// touchScreen says that something of which homes' screens are made changes
// with this transaction: they are built anew from then on. Every transaction
// that changes visits, reminders, a card, decisions, or the home itself, calls it.
func (t *tx) touchScreen(ctx context.Context, from time.Time, homes ...string) error {
	for _, home := range homes {
		if _, err := t.exec(ctx, `INSERT INTO screens (home, due, turn) VALUES ($1, $2, 1) ON CONFLICT (home) DO UPDATE SET turn = screens.turn + 1,
			due = CASE WHEN screens.due = 0 OR screens.due > excluded.due THEN excluded.due ELSE screens.due END`, home, from); err != nil {
			return fmt.Errorf("have the screen of %s told: %w", home, err)
		}
	}
	return nil
}

// DueScreens returns homes whose screens may have to be told something now,
// who has waited longest first.
func (s *Store) DueScreens(ctx context.Context, now time.Time, limit int) ([]care.ScreenTurn, error) {
	turns, err := list(ctx, s.read, func(row scanner) (c care.ScreenTurn, err error) {
		err = row.Scan(&c.Home, &c.Turn, &c.Gateway, &c.Version, &c.Hash, (*when)(&c.Refused))
		return c, err
	}, `SELECT home, turn, gateway, version, hash, refused FROM screens WHERE due <> 0 AND due <= $1 ORDER BY due, home LIMIT CAST($2 AS BIGINT)`, now, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read whose screens are to be told: %w", err)
	}
	return turns, nil
}

// looksShown is how far back in a home's log is read for what its screen
// shows: most of a log is by people.
const looksShown = 4 * wire.MaxLooks

// ScreenContent returns what a home's screen is made of, or ErrNotFound. The
// visits are those from a day ago on: when the home's day begins is for who builds
// the screen to know.
func (s *Store) ScreenContent(ctx context.Context, home string, now time.Time) (care.ScreenContent, error) {
	var c care.ScreenContent
	var errs [6]error
	c.Home, errs[0] = s.Home(ctx, home)
	c.Resident, errs[1] = residentOf(ctx, s.read, home)
	c.Visits, errs[2] = visitsOf(ctx, s.read, care.VisitFilter{
		Home: home, From: now.Add(-24 * time.Hour), To: now.Add(5 * 24 * time.Hour), States: []care.VisitState{care.VisitPlanned},
	})
	c.Reminders, errs[3] = remindersOf(ctx, s.read, home)
	c.Contacts, errs[4] = s.DecidedContacts(ctx, home)
	c.Looks, errs[5] = list(ctx, s.read, scanAudit, selectAudit+`WHERE home = $1 ORDER BY id DESC LIMIT CAST($2 AS BIGINT)`, home, looksShown)
	err := errors.Join(errs[:]...)
	if err == nil {
		c.Consents, err = s.ConsentsOf(ctx, home)
	}
	if err == nil {
		c.Names, err = s.namesOf(ctx, c.Visits)
	}
	if err != nil {
		return care.ScreenContent{}, fmt.Errorf("read what the screen of %q shows: %w", home, err)
	}
	return c, nil
}

// namesOf are those of who comes, by id.
func (s *Store) namesOf(ctx context.Context, visits []care.Visit) (map[string]string, error) {
	var ids []string
	for _, v := range visits {
		ids = append(ids, v.Person)
	}
	return s.Names(ctx, ids)
}

// answeredScreens is how long the record of a screen that was told is kept:
// a new one may come every minute.
const answeredScreens = time.Hour

// PutScreens stores what came of turns, each together with its command: a
// command of an earlier turn that waits is sent no more. Where something has
// changed since the turn was read, nothing is stored, and the home is due still.
func (s *Store) PutScreens(ctx context.Context, now time.Time, words []care.ScreenWord) error {
	if len(words) == 0 {
		return nil
	}
	err := s.update(ctx, func(t *tx) error {
		for _, w := range words {
			if err := t.putScreen(ctx, now, w); err != nil {
				return fmt.Errorf("home %s: %w", w.Home, err)
			}
		}
		return nil
	})
	return fmtErr("store what screens are told", err)
}

func (t *tx) putScreen(ctx context.Context, now time.Time, w care.ScreenWord) error {
	same, err := t.exec(ctx, `UPDATE screens SET due = $1, gateway = $2, version = $3, hash = $4, refused = $5 WHERE home = $6 AND turn = $7`,
		w.Next, w.Gateway, w.Version, w.Hash, w.Refused, w.Home, w.Turn)
	if err != nil || same == 0 || w.Command == nil {
		return err
	}
	if err := t.replaceCommands(ctx, w.Gateway, wire.CommandScreen, now); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM commands WHERE gateway = $1 AND type = $2 AND answered <> 0 AND answered < $3`,
		w.Gateway, string(wire.CommandScreen), now.Add(-answeredScreens)); err != nil {
		return err
	}
	return t.putCommands(ctx, now, *w.Command)
}

// What a gateway answers to a command that it does not know.
const idUnsupported = "LYK-0409"

// How long a gateway that does not know how to fill a screen is not asked
// again, and how long after one could not.
const (
	unsupportedFor = 24 * time.Hour
	failedFor      = time.Hour
)

// screenAnswered notes that a gateway could not take what its screen is told.
// An answer to an earlier word than the present one is let go.
func (t *tx) screenAnswered(ctx context.Context, gateway, id string, reply []byte, now time.Time) error {
	answer, _ := readReply(reply)
	if answer.OK || answer.Error == nil {
		_, err := t.exec(ctx, `UPDATE commands SET args = $1 WHERE gateway = $2 AND id = $3`, []byte{}, gateway, id)
		return err
	}
	again := now.Add(failedFor)
	refused := time.Time{}
	if answer.Error.ID == idUnsupported {
		again = now.Add(unsupportedFor)
		refused = again
	}
	_, err := t.exec(ctx, `UPDATE screens SET hash = '', refused = $1, due = $2 WHERE gateway = $3 AND $4 = CAST($5 AS TEXT) || CAST(version AS TEXT)`,
		refused, again, gateway, id, care.ScreenCommand)
	return err
}

// GatewayReturned says that a gateway has come back with another version of
// its program than it had, or one that is not known: what it did not know how
// to do it is asked once more. It reports whether there is something to collect.
func (s *Store) GatewayReturned(ctx context.Context, gateway string, now time.Time) (bool, error) {
	const of = `FROM screens WHERE gateway = $1 AND refused <> 0`
	homes, err := list(ctx, s.read, scanText, `SELECT home `+of, gateway)
	if err != nil || len(homes) == 0 {
		return false, fmtErr("look whether a gateway knew its commands", err)
	}
	err = s.update(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, `UPDATE screens SET refused = 0, due = $1, turn = turn + 1 WHERE gateway = $2 AND refused <> 0`, now, gateway); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE commands SET answered = 0 WHERE gateway = $1 AND type = $2 AND answered <> 0 AND expires > $3 AND id IN
			(SELECT CAST($4 AS TEXT) || id FROM messages WHERE home = $5 AND reached = 0 AND ended = 0)`, gateway, string(wire.CommandMessage), now, tellMessage, homes[0])
		return err
	})
	return err == nil, fmtErr("ask a gateway once more", err)
}

// How late what was looked at is shown: an entry of the log that is a look
// waits for others, deeds do not.
const looksWait = time.Minute

// FollowAudit has the screens of the homes told about which something was
// written in the log since the last time, at most limit entries, and returns how
// many there were.
func (s *Store) FollowAudit(ctx context.Context, now time.Time, limit int) (int, error) {
	type entry struct {
		id     int64
		home   string
		role   care.Role
		look   bool
		person string // who was changed
	}
	const query = `SELECT id, home, role, CASE WHEN action LIKE 'look%' THEN 1 ELSE 0 END, CASE action WHEN 'change person' THEN detail ELSE '' END
		FROM audit WHERE id > (SELECT value FROM counters WHERE name = 'looked') ORDER BY id LIMIT CAST($1 AS BIGINT)`
	scan := func(row scanner) (e entry, err error) {
		err = row.Scan(&e.id, &e.home, &e.role, (*truth)(&e.look), &e.person)
		return e, err
	}
	found, err := list(ctx, s.read, scan, query, bound(limit))
	if err != nil || len(found) == 0 {
		return 0, fmtErr("read what is new in the log", err)
	}
	err = s.update(ctx, func(t *tx) error {
		if found, err = list(ctx, t, scan, query, bound(limit)); err != nil || len(found) == 0 {
			return err
		}
		deeds, looks := map[string]bool{}, map[string]bool{}
		for _, e := range found {
			if e.person != "" {
				homes, err := t.screensOf(ctx, e.person, now)
				if err != nil {
					return err
				}
				for _, home := range homes {
					deeds[home] = true
				}
			}
			switch {
			case e.home == "" || e.role == "":
			case e.look:
				looks[e.home] = true
			default:
				deeds[e.home] = true
			}
		}
		if err := t.touchScreen(ctx, now, sorted(deeds)...); err != nil {
			return err
		}
		for home := range deeds {
			delete(looks, home)
		}
		if err := t.touchScreen(ctx, now.Add(looksWait), sorted(looks)...); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE counters SET value = $1 WHERE name = 'looked'`, found[len(found)-1].id)
		return err
	})
	return len(found), fmtErr("have screens told of what is in the log", err)
}

// screensOf are the homes whose screens name a person: who comes, or is a
// relative.
func (t *tx) screensOf(ctx context.Context, person string, now time.Time) ([]string, error) {
	return list(ctx, t, scanText, `SELECT scope FROM members WHERE kind = $1 AND person = $2
		UNION SELECT home FROM visits WHERE person = $2 AND state = 'planned' AND starts > $3 AND starts < $4`,
		string(care.GroupContacts), person, now.Add(-24*time.Hour), now.Add(5*24*time.Hour))
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for v := range set {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}
