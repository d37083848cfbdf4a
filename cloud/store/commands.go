package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
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

// PendingCommands returns the commands that are neither answered nor expired,
// oldest first; gateway "" is all gateways.
func (s *Store) PendingCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error) {
	commands, err := list(ctx, s.read, func(row scanner) (c care.PendingCommand, err error) {
		var args []byte
		err = row.Scan(&c.Gateway, &c.Command.ID, &c.Command.Type, &args, &c.Command.Expires)
		if len(args) > 0 {
			c.Command.Args = args
		}
		return c, err
	}, `SELECT gateway, id, type, args, expires FROM commands
		WHERE answered = 0 AND (expires = 0 OR expires > $1) AND ($2 = '' OR gateway = $2) ORDER BY place`, now, gateway)
	if err != nil {
		return nil, fmt.Errorf("read pending commands: %w", err)
	}
	return commands, nil
}

// FinishCommand notes a gateway's reply to one of its own commands. A second
// reply changes nothing. It returns ErrNotFound when the gateway has no such
// command, though another may.
func (s *Store) FinishCommand(ctx context.Context, gateway, id string, reply []byte) error {
	err := s.update(ctx, func(t *tx) error {
		if _, err := one(ctx, t, scanText, `SELECT id FROM commands WHERE gateway = $1 AND id = $2`, gateway, id); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE commands SET answered = $1, reply = $2 WHERE gateway = $3 AND id = $4 AND answered = 0`,
			time.Now(), reply, gateway, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("finish command %q of %s: %w", id, gateway, err)
	}
	return nil
}
