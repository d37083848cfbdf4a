package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// PutCommand stores a command until its gateway answers. The same id again
// changes nothing.
func (s *Store) PutCommand(ctx context.Context, c care.PendingCommand) error {
	err := s.update(ctx, func(t *tx) error { return t.putCommands(ctx, time.Now(), c) })
	if err != nil {
		return fmt.Errorf("store command for %s: %w", c.Gateway, err)
	}
	return nil
}

func (t *tx) putCommands(ctx context.Context, now time.Time, commands ...care.PendingCommand) error {
	if len(commands) == 0 {
		return nil
	}
	first, err := t.next(ctx, "command", len(commands))
	if err != nil {
		return err
	}
	rows := make([][]any, len(commands))
	for i, c := range commands {
		rows[i] = []any{c.Gateway, c.Command.ID, first + int64(i), string(c.Command.Type),
			[]byte(c.Command.Args), int64(c.Command.Expires), now}
	}
	if err := t.insert(ctx, `INSERT INTO commands (gateway, id, place, type, args, expires, put)`,
		`ON CONFLICT (gateway, id) DO NOTHING`, rows); err != nil {
		return fmt.Errorf("commands: %w", err)
	}
	return nil
}

// Large commands, such as pictures, are repeated to gateways that do not answer
// for a while only; then they wait until the gateway comes back, or says that it
// could not store them.
const (
	largeCommand = 4 << 10 // bytes
	largeFor     = 10 * time.Minute
)

const selectPending = `SELECT gateway, id, type, args, expires FROM commands WHERE gateway = $1 AND answered = 0 AND (expires = 0 OR expires > $2) `

func scanPending(row scanner) (c care.PendingCommand, err error) {
	var args []byte
	err = row.Scan(&c.Gateway, &c.Command.ID, &c.Command.Type, &args, &c.Command.Expires)
	if len(args) > 0 {
		c.Command.Args = args
	}
	return c, err
}

// PendingCommands returns the commands of a gateway that are neither answered
// nor expired, oldest first.
func (s *Store) PendingCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error) {
	commands, err := list(ctx, s.read, scanPending, selectPending+`ORDER BY place`, gateway, now)
	if err != nil {
		return nil, fmt.Errorf("read pending commands: %w", err)
	}
	return commands, nil
}

// RepeatCommands is PendingCommands for a gateway that is there and does not
// answer: without what is large and was put more than ten minutes ago.
func (s *Store) RepeatCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error) {
	commands, err := list(ctx, s.read, scanPending, selectPending+`AND (length(args) <= $3 OR put > $4) ORDER BY place`,
		gateway, now, largeCommand, now.Add(-largeFor))
	if err != nil {
		return nil, fmt.Errorf("read commands to repeat: %w", err)
	}
	return commands, nil
}

// WaitingGateways returns the gateways that have commands which are not
// answered, some of them perhaps expired.
func (s *Store) WaitingGateways(ctx context.Context) ([]string, error) {
	gateways, err := list(ctx, s.read, scanText, `SELECT DISTINCT gateway FROM commands WHERE answered = 0`)
	if err != nil {
		return nil, fmt.Errorf("read for which gateways commands wait: %w", err)
	}
	return gateways, nil
}

// deleteAtOnce is how many commands are deleted in one transaction, behind
// which alarms wait.
const deleteAtOnce = 500

// deleteCommands deletes what is left of commands that were answered or had
// expired before a time.
func (s *Store) deleteCommands(ctx context.Context, before time.Time) error {
	for _, over := range []string{`answered <> 0 AND answered < $1`, `expires <> 0 AND expires < $1`} {
		for n := int64(deleteAtOnce); n >= deleteAtOnce; {
			if err := s.update(ctx, func(t *tx) (err error) {
				n, err = t.exec(ctx, `DELETE FROM commands WHERE (gateway, id) IN (SELECT gateway, id FROM commands WHERE `+over+` LIMIT CAST($2 AS BIGINT))`, before, deleteAtOnce)
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// FinishCommand notes a gateway's reply to one of its own commands. A second
// reply changes nothing, but that it may say that a resident's screen has shown
// who has an alert. It returns ErrNotFound when the gateway has no such command,
// though another may.
func (s *Store) FinishCommand(ctx context.Context, gateway, id string, reply []byte) error {
	err := s.update(ctx, func(t *tx) error {
		command, err := one(ctx, t, func(row scanner) (c wire.Command, err error) {
			var args []byte
			err = row.Scan(&c.Type, &args)
			c.Args = args
			return c, err
		}, `SELECT type, args FROM commands WHERE gateway = $1 AND id = $2`, gateway, id)
		if err != nil {
			return err
		}
		now := time.Now()
		switch command.Type {
		case wire.CommandConfirm:
			err = t.putHeard(ctx, command.Args, reply, now)
		case wire.CommandMessage:
			err = t.messageAnswered(ctx, gateway, id, reply, now)
		case wire.CommandScreen:
			err = t.screenAnswered(ctx, gateway, id, reply, now)
		}
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE commands SET answered = $1, reply = $2 WHERE gateway = $3 AND id = $4 AND answered = 0`,
			now, reply, gateway, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("finish command %q of %s: %w", id, gateway, err)
	}
	return nil
}

// putHeard notes that a home knows who has an alert, and that its screen has
// shown it. An answer to an earlier word than the present one is let go.
func (t *tx) putHeard(ctx context.Context, args, reply []byte, now time.Time) error {
	var word wire.Confirm
	var answer wire.Reply
	if json.Unmarshal(args, &word) != nil || json.Unmarshal(reply, &answer) != nil || !answer.OK {
		return nil // what is not well formed tells nothing
	}
	var result struct {
		Heard bool `json:"heard"`
	}
	_ = json.Unmarshal(answer.Result, &result) // most answers have none
	a, err := one(ctx, t, scanAlert, selectAlert+`WHERE id = $1`, word.Alert)
	if errors.Is(err, ErrNotFound) || err == nil && word.At.Time().Before(a.Hand.At) {
		return nil
	}
	if err != nil {
		return err
	}
	was := a
	if a.Reached.IsZero() {
		a.Reached = now
	}
	if a.Heard.IsZero() && result.Heard {
		a.Heard = now
	}
	if a = settle(a); a == was {
		return nil
	}
	// Unlike all else this may be learned of an alert that is closed already.
	if _, err := t.exec(ctx, `UPDATE alerts SET reached = $1, heard = $2 WHERE id = $3`, a.Reached, a.Heard, a.ID); err != nil {
		return fmt.Errorf("note that the home knows who has alert %s: %w", a.ID, err)
	}
	if err := t.judgeTest(ctx, a, now); err != nil {
		return err
	}
	_, err = t.putEvent(ctx, a, now)
	return err
}
