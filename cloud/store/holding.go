package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// configureCommand and a version is the id of the command that tells a
// configuration.
const configureCommand = "configure-"

// given is what a home was given last.
type given struct {
	home          string
	configuration int64 // its version; 0 is none
	held          int64 // the newest version that it has said it has, where that was newer
	screen        care.ScreenTurn
	// A command that has not been answered says the same already; it is sent
	// whenever the gateway connects.
	configuring, showing bool
}

// givenTo returns what a gateway was given, or ErrNotFound.
func givenTo(ctx context.Context, q queryer, gateway string) (given, error) {
	const waits = `EXISTS (SELECT 1 FROM commands k WHERE k.gateway = h.gateway AND k.answered = 0 AND k.id = `
	return one(ctx, q, func(row scanner) (g given, err error) {
		s := &g.screen
		err = row.Scan(&g.home, &g.configuration, &g.held, &s.Gateway, &s.Version, &s.Hash, (*when)(&s.Refused), (*truth)(&g.configuring), (*truth)(&g.showing))
		return g, err
	}, `SELECT h.id, coalesce(c.version, 0), coalesce(c.held, 0), coalesce(s.gateway, ''), coalesce(s.version, 0), coalesce(s.hash, ''), coalesce(s.refused, 0),
		CASE WHEN `+waits+`CAST($2 AS TEXT) || CAST(c.version AS TEXT)) THEN 1 ELSE 0 END,
		CASE WHEN `+waits+`CAST($3 AS TEXT) || CAST(s.version AS TEXT)) THEN 1 ELSE 0 END
		FROM homes h LEFT JOIN configurations c ON c.home = h.id LEFT JOIN screens s ON s.home = h.id WHERE h.gateway = $1`,
		gateway, configureCommand, care.ScreenCommand)
}

// lacks compares what a gateway has with what it was given. A configuration
// goes forward only. A screen is made here, and is whole each time, so that any
// other than the last is one to be replaced.
func (g given) lacks(h care.Holding) (l care.Lack) {
	told := g.screen.Gateway == h.Gateway && g.screen.Hash != "" // else it is told anew anyway
	if h.Holds == nil {
		l.Configuration = g.configuration > 0 && !g.configuring
		l.Screen = told && !g.showing
		return l
	}
	l.Ahead = h.Holds.Configuration > g.configuration
	l.Unnoted = l.Ahead && h.Holds.Configuration > g.held
	l.Configuration = h.Holds.Configuration < g.configuration && !g.configuring
	l.Screen = told && h.Holds.Screen < g.screen.Version && !g.showing ||
		g.screen.Gateway == h.Gateway && h.Holds.Screen > g.screen.Version
	return l
}

// Lacks returns what a gateway lacks of what it was given. One that no home has
// lacks nothing.
func (s *Store) Lacks(ctx context.Context, h care.Holding) (care.Lack, error) {
	g, err := givenTo(ctx, s.read, h.Gateway)
	if errors.Is(err, ErrNotFound) {
		return care.Lack{}, nil
	}
	if err != nil {
		return care.Lack{}, fmt.Errorf("look what %s was given: %w", h.Gateway, err)
	}
	return g.lacks(h), nil
}

// GiveAgain has gateways given what they lack: the configuration by a command
// that waits from then on, the screen by being due. It returns those that have a
// command to collect. Where nothing is lacking any more it changes nothing. How
// far a home is ahead it notes.
func (s *Store) GiveAgain(ctx context.Context, now time.Time, holdings []care.Holding) (collect []string, err error) {
	if len(holdings) == 0 {
		return nil, nil
	}
	err = s.update(ctx, func(t *tx) error {
		collect = nil
		for _, h := range holdings {
			g, err := givenTo(ctx, t, h.Gateway)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			lack := g.lacks(h)
			if err == nil && lack.Configuration {
				var again bool
				if again, err = t.configureAgain(ctx, h.Gateway, g.home, now); again {
					collect = append(collect, h.Gateway)
				}
			}
			if err == nil && lack.Unnoted {
				err = t.noteHeld(ctx, g.home, h.Holds.Configuration)
			}
			if err == nil && lack.Screen {
				err = t.showAgain(ctx, h, g.home, now)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", h.Gateway, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("give homes again what they lack: %w", err)
	}
	return collect, nil
}

// configureAgain reports whether there is a configuration to be given.
func (t *tx) configureAgain(ctx context.Context, gateway, home string, now time.Time) (bool, error) {
	c, _, err := configurationOf(ctx, t, t.log, home)
	if err != nil || c.Version == 0 {
		return false, err
	}
	if _, err := t.exec(ctx, `DELETE FROM commands WHERE gateway = $1 AND id = $2`, gateway, configureCommand+strconv.FormatInt(c.Version, 10)); err != nil {
		return false, err
	}
	return true, t.putConfigure(ctx, gateway, c, now)
}

// noteHeld notes the version that a home has, which is newer than what is known
// here: of homes that were never configured here, too.
func (t *tx) noteHeld(ctx context.Context, home string, version int64) error {
	_, err := t.exec(ctx, `INSERT INTO configurations (home, version, rooms, actions, held) VALUES ($1, 0, $2, $2, $3)
		ON CONFLICT (home) DO UPDATE SET held = excluded.held`, home, []byte("{}"), version)
	return err
}

// beyond returns the version of a home's next configuration, and whether the
// home has a newer one than is known here.
func (t *tx) beyond(ctx context.Context, home string, now time.Time) (next int64, ahead bool, err error) {
	last, err := one(ctx, t, func(row scanner) (v struct{ given, held int64 }, err error) {
		err = row.Scan(&v.given, &v.held)
		return v, err
	}, `SELECT version, held FROM configurations WHERE home = $1`, home)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, false, err
	}
	return max(last.given+1, last.held+1, now.UnixMilli()), last.held > last.given, nil
}

// moveTo has a home told by another gateway than before, if it is another: what
// waits for either box is for who lived with it, and goes nowhere; the home's
// configuration, and the messages that have not reached it, come to the new one.
func (t *tx) moveTo(ctx context.Context, home, gateway string, now time.Time) error {
	before, err := one(ctx, t, scanText, `SELECT gateway FROM homes WHERE id = $1`, home)
	if errors.Is(err, ErrNotFound) || err == nil && before == gateway {
		return nil
	}
	if err := errors.Join(err, t.withdraw(ctx, before, now), t.withdraw(ctx, gateway, now)); err != nil {
		return err
	}
	return errors.Join(t.configureOther(ctx, home, gateway, now), t.tellAgain(ctx, home, gateway, now))
}

// withdraw has all commands that wait for a gateway sent no more. A reply that
// is on its way finds them all the same.
func (t *tx) withdraw(ctx context.Context, gateway string, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE commands SET answered = $1, args = $2 WHERE gateway = $3 AND answered = 0`, now, []byte{}, gateway)
	return err
}

// configureOther gives a home's configuration to a gateway that is another than
// it had, under a new version: the box may have been in another home, and have a
// newer configuration from there.
func (t *tx) configureOther(ctx context.Context, home, gateway string, now time.Time) error {
	c, _, err := configurationOf(ctx, t, t.log, home)
	if err != nil || c.Version == 0 {
		return err
	}
	if c.Version, _, err = t.beyond(ctx, home, now); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE configurations SET version = $1 WHERE home = $2`, c.Version, home); err != nil {
		return err
	}
	return t.putConfigure(ctx, gateway, c, now)
}

// putConfigure stores the command that tells a gateway its configuration, in
// place of those that wait.
func (t *tx) putConfigure(ctx context.Context, gateway string, c wire.Configure, now time.Time) error {
	args, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := t.replaceCommands(ctx, gateway, wire.CommandConfigure, now); err != nil {
		return err
	}
	return t.putCommands(ctx, now, care.PendingCommand{Gateway: gateway, Command: wire.Command{
		ID: configureCommand + strconv.FormatInt(c.Version, 10), Type: wire.CommandConfigure, Args: args,
	}})
}

// showAgain has a screen made anew, with a version beyond the one that the home
// has.
func (t *tx) showAgain(ctx context.Context, h care.Holding, home string, now time.Time) error {
	var has int64
	if h.Holds != nil {
		has = h.Holds.Screen
	}
	if _, err := t.exec(ctx, `UPDATE screens SET hash = '', version = CASE WHEN version < $1 THEN $1 ELSE version END WHERE home = $2`, has, home); err != nil {
		return err
	}
	return t.touchScreen(ctx, now, home)
}
