package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const selectMessage = `SELECT id, home, sender, person, family, text, pictured, at, until, reached, heard, ended FROM messages `

func scanMessage(row scanner) (m care.Message, err error) {
	err = row.Scan(&m.ID, &m.Home, &m.From, &m.Person, (*truth)(&m.Family), &m.Text, (*truth)(&m.Pictured), (*when)(&m.At), (*when)(&m.Until),
		(*when)(&m.Reached), (*when)(&m.Heard), (*when)(&m.Ended))
	return m, err
}

// Messages returns what was written to a home's screen and not taken back,
// newest first, without the pictures; limit 0 is no limit. What relatives may
// see of it is for the caller to choose, by Message.Person.
func (s *Store) Messages(ctx context.Context, home string, limit int) ([]care.Message, error) {
	messages, err := list(ctx, s.read, scanMessage, selectMessage+`WHERE home = $1 AND ended = 0 ORDER BY at DESC, id LIMIT CAST($2 AS BIGINT)`, home, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read the messages to %q: %w", home, err)
	}
	return messages, nil
}

// MessagesOf is Messages of one sender.
func (s *Store) MessagesOf(ctx context.Context, home, person string, limit int) ([]care.Message, error) {
	messages, err := list(ctx, s.read, scanMessage, selectMessage+`WHERE home = $1 AND person = $2 AND ended = 0 ORDER BY at DESC, id LIMIT CAST($3 AS BIGINT)`,
		home, person, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read the messages to %q: %w", home, err)
	}
	return messages, nil
}

// Message returns one message of a home with its picture, or ErrNotFound; also
// for one that was taken back.
func (s *Store) Message(ctx context.Context, home, id string) (care.Message, error) {
	m, err := one(ctx, s.read, scanMessage, selectMessage+`WHERE id = $1 AND home = $2 AND ended = 0`, id, home)
	if err == nil && m.Pictured {
		m.Picture, err = pictureOf(ctx, s.read, id)
	}
	if err != nil {
		return care.Message{}, fmt.Errorf("read a message to %q: %w", home, err)
	}
	return m, nil
}

func pictureOf(ctx context.Context, q queryer, message string) ([]byte, error) {
	return one(ctx, q, func(row scanner) (picture []byte, err error) {
		err = row.Scan(&picture)
		return picture, err
	}, `SELECT picture FROM pictures WHERE message = $1`, message)
}

// The ids of the commands that carry a message, and that take it back, are
// these and the message's own id: by them replies find the message.
const (
	tellMessage = "message-"
	takeBack    = "takeback-"
)

// shown is for how long a message stands whose sender has not said.
const shown = 24 * time.Hour

// AddMessage stores a message together with the command that carries it to the
// home and its entry in the audit log. It returns the message as it is stored,
// and the gateway that is to collect the command: one whose id is there already
// stays as it was. It returns ErrNotFound when there is no such home,
// ErrExists when the id is of another's message, and what Message.Check finds.
func (s *Store) AddMessage(ctx context.Context, m care.Message, entry care.AuditEntry) (stored care.Message, gateway string, err error) {
	err = m.Check()
	if m.Until.IsZero() {
		m.Until = m.At.Add(shown)
	}
	if err == nil && !m.At.Before(m.Until) {
		err = fmt.Errorf("%w: it ends after it begins", care.ErrMessage)
	}
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			stored = m
			stored.Picture, stored.Pictured = nil, len(m.Picture) > 0
			stored.At, stored.Until = cut(m.At), cut(m.Until)
			if gateway, err = one(ctx, t, scanText, `SELECT gateway FROM homes WHERE id = $1`, m.Home); err != nil {
				return err
			}
			added, err := t.exec(ctx, `INSERT INTO messages (id, home, sender, person, family, text, pictured, at, until)`+values(1, 9)+
				`ON CONFLICT (id) DO NOTHING`, m.ID, m.Home, m.From, m.Person, number(m.Family), m.Text, number(stored.Pictured), m.At, m.Until)
			if err != nil {
				return err
			}
			if added == 0 {
				stored, err = one(ctx, t, scanMessage, selectMessage+`WHERE id = $1`, m.ID)
				if err == nil && (stored.Home != m.Home || stored.Person != m.Person) {
					err = ErrExists
				}
				return err
			}
			if err := t.fewMessages(ctx, m); err != nil {
				return err
			}
			if stored.Pictured {
				if _, err := t.exec(ctx, `INSERT INTO pictures (message, picture) VALUES ($1, $2)`, m.ID, m.Picture); err != nil {
					return err
				}
			}
			command, err := messageCommand(tellMessage, gateway, m)
			if err != nil {
				return err
			}
			return errors.Join(t.putCommands(ctx, m.At, command), t.tell(ctx, care.NewsMessage, m.Home, m.ID), t.putAudit(ctx, entry))
		})
	}
	if err != nil {
		return care.Message{}, "", fmt.Errorf("store a message to %q: %w", m.Home, err)
	}
	return stored, gateway, nil
}

// mostAgain is how many messages a home's new box is told, the newest: more than
// it keeps.
const mostAgain = 50

// tellAgain has a home's gateway, which is another than before, told the
// messages that have not reached the home and are not over.
func (t *tx) tellAgain(ctx context.Context, home, gateway string, now time.Time) error {
	newest, err := list(ctx, t, scanMessage, selectMessage+`WHERE home = $1 AND reached = 0 AND ended = 0 AND until > $2 ORDER BY at DESC, id LIMIT CAST($3 AS BIGINT)`, home, now, mostAgain)
	if err != nil {
		return err
	}
	for _, m := range slices.Backward(newest) {
		if m.Pictured {
			if m.Picture, err = pictureOf(ctx, t, m.ID); err != nil {
				return fmt.Errorf("picture of message %s: %w", m.ID, err)
			}
		}
		command, err := messageCommand(tellMessage, gateway, m)
		if err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
		// From when the box was in this home before.
		if _, err := t.exec(ctx, `DELETE FROM commands WHERE gateway = $1 AND id = $2`, gateway, command.Command.ID); err != nil {
			return err
		}
		if err := t.putCommands(ctx, now, command); err != nil {
			return err
		}
	}
	return nil
}

// mostWritten is how many messages one person writes to one home in a day: each
// may bring a picture along, which pushes others off the screen.
const mostWritten = 50

func (t *tx) fewMessages(ctx context.Context, m care.Message) error {
	written, err := one(ctx, t, func(row scanner) (n int, err error) {
		err = row.Scan(&n)
		return n, err
	}, `SELECT count(*) FROM messages WHERE home = $1 AND at > $2 AND person = $3 AND sender = $4`, m.Home, m.At.AddDate(0, 0, -1), m.Person, m.From)
	if err == nil && written > mostWritten {
		err = fmt.Errorf("%w: one person writes at most %d in a day", care.ErrMessage, mostWritten)
	}
	return err
}

func messageCommand(kind, gateway string, m care.Message) (care.PendingCommand, error) {
	word := wire.Message{ID: m.ID, From: m.From, Family: m.Family, At: devices.MicrosOf(m.At), Until: devices.MicrosOf(m.Until)}
	if kind == tellMessage {
		word.Text, word.Picture = text(m.Text), m.Picture
	}
	if err := word.Check(); err != nil { // what no gateway takes
		return care.PendingCommand{}, fmt.Errorf("%w: %w", care.ErrMessage, err)
	}
	args, err := json.Marshal(word)
	return care.PendingCommand{Gateway: gateway, Command: wire.Command{
		ID: kind + m.ID, Type: wire.CommandMessage, Args: args, Expires: devices.MicrosOf(m.Until),
	}}, err
}

// EndMessage takes a message back, together with the command that says so to
// the home and its entry in the audit log, and returns the gateway that is to
// collect it. One that is taken back already stays so. It returns ErrNotFound
// when the home has no such message.
func (s *Store) EndMessage(ctx context.Context, home, id string, entry care.AuditEntry) (gateway string, err error) {
	err = s.update(ctx, func(t *tx) error {
		if gateway, err = one(ctx, t, scanText, `SELECT gateway FROM homes WHERE id = $1`, home); err != nil {
			return err
		}
		m, err := one(ctx, t, scanMessage, selectMessage+`WHERE id = $1 AND home = $2`, id, home)
		if err != nil || !m.Ended.IsZero() {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE messages SET ended = $1 WHERE id = $2`, entry.At, id); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM pictures WHERE message = $1`, id); err != nil {
			return err
		}
		if err := t.replaceCommand(ctx, gateway, tellMessage+id, entry.At); err != nil {
			return err
		}
		command, err := messageCommand(takeBack, gateway, m)
		if err != nil {
			return err
		}
		return errors.Join(t.putCommands(ctx, entry.At, command), t.tell(ctx, care.NewsMessage, home, id), t.putAudit(ctx, entry))
	})
	if err != nil {
		return "", fmt.Errorf("take back a message to %q: %w", home, err)
	}
	return gateway, nil
}

// replaceCommand has a command sent no more, as another says what it did. A
// reply that is on its way finds it all the same.
func (t *tx) replaceCommand(ctx context.Context, gateway, id string, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE commands SET answered = $1, args = $2 WHERE gateway = $3 AND id = $4 AND answered = 0`, now, []byte{}, gateway, id)
	return err
}

// replaceCommands is replaceCommand for all commands of a type.
func (t *tx) replaceCommands(ctx context.Context, gateway string, kind wire.CommandType, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE commands SET answered = $1, args = $2 WHERE gateway = $3 AND type = $4 AND answered = 0`, now, []byte{}, gateway, string(kind))
	return err
}

// messageAnswered notes that a home has a message, and that the resident has
// seen it. What was carried is kept no longer than that.
func (t *tx) messageAnswered(ctx context.Context, gateway, id string, reply []byte, now time.Time) error {
	message, ok := strings.CutPrefix(id, tellMessage)
	answer, heard := readReply(reply)
	if !ok || !answer.OK {
		return nil
	}
	home, err := one(ctx, t, scanText, `SELECT home FROM messages WHERE id = $1 AND home IN (SELECT id FROM homes WHERE gateway = $2)`, message, gateway)
	if errors.Is(err, ErrNotFound) {
		return nil // of a box that is not in the home any more
	}
	if err != nil {
		return fmt.Errorf("read which home has a message: %w", err)
	}
	changed, err := t.exec(ctx, `UPDATE messages SET reached = $1 WHERE id = $2 AND reached = 0`, now, message)
	if err != nil {
		return fmt.Errorf("note that a message has reached its home: %w", err)
	}
	if heard {
		seen, err := t.exec(ctx, `UPDATE messages SET heard = $1 WHERE id = $2 AND heard = 0`, now, message)
		if err != nil {
			return fmt.Errorf("note that a message was seen: %w", err)
		}
		changed += seen
	}
	if changed > 0 {
		if err := t.tell(ctx, care.NewsMessage, home, message); err != nil {
			return fmt.Errorf("tell that a message has reached its home: %w", err)
		}
	}
	_, err = t.exec(ctx, `UPDATE commands SET args = $1 WHERE gateway = $2 AND id = $3`, []byte{}, gateway, id)
	return err
}

// readReply reads a gateway's answer, and whether it says that the resident's
// screen has shown what was sent. What is not well formed says nothing.
func readReply(reply []byte) (answer wire.Reply, heard bool) {
	var result wire.Heard
	if json.Unmarshal(reply, &answer) != nil {
		return wire.Reply{}, false
	}
	_ = json.Unmarshal(answer.Result, &result) // most answers have none
	return answer, result.Heard
}

// keepPictures is how long after a message is over its picture is kept.
const keepPictures = 30 * 24 * time.Hour

// DeletePictures deletes pictures of messages that were over 30 days before
// now, at most limit, and returns how many: nobody needs them any more.
func (s *Store) DeletePictures(ctx context.Context, now time.Time, limit int) (int, error) {
	const over = `SELECT id FROM messages WHERE pictured = 1 AND until < $1 ORDER BY until LIMIT CAST($2 AS BIGINT)`
	ids, err := list(ctx, s.read, scanText, over, now.Add(-keepPictures), bound(limit))
	if err != nil || len(ids) == 0 {
		return 0, fmtErr("read which pictures are over", err)
	}
	err = s.update(ctx, func(t *tx) error {
		for _, id := range ids {
			if _, err := t.exec(ctx, `DELETE FROM pictures WHERE message = $1`, id); err != nil {
				return err
			}
			if _, err := t.exec(ctx, `UPDATE messages SET pictured = 0 WHERE id = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
	return len(ids), fmtErr("delete pictures", err)
}
