package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// PressState is how far a press for help has come.
type PressState string

// The states, in their order. Only the cloud's word moves a press on.
const (
	Sending  PressState = "sending"        // on the disk, on its way
	Received PressState = "received"       // the cloud has it
	Refused  PressState = "refused"        // the cloud could not read it: nobody was told
	Has      PressState = "someone_has_it" // a human has taken it
	OnTheWay PressState = "on_the_way"     // and has set out
	Resolved PressState = "resolved"       // a human has closed it
)

// Press is a press for help, or a fall, and how it is going. It is stored in
// the same transaction as its record.
type Press struct {
	Epoch  string         `json:"epoch"`
	Seq    uint64         `json:"seq"`
	Kind   devices.Kind   `json:"kind"`
	Device string         `json:"device"`
	Room   string         `json:"room,omitempty"`
	At     devices.Micros `json:"at"`
	State  PressState     `json:"state"`
	By     string         `json:"by,omitempty"`
	// Told is when the newest word about it was said, by the cloud's clock; 0
	// when there is none.
	Told devices.Micros `json:"told,omitempty"`
	// Expected is when the one who has it is expected to be there, by the
	// cloud's clock; 0 when nobody has said.
	Expected devices.Micros `json:"expected,omitempty"`
	// Command is the id of the command that brought the newest word.
	Command string `json:"command,omitempty"`
	// Heard is how the resident was told the newest word.
	Heard Heard `json:"heard,omitempty"`
}

// Heard is how a word has reached the resident.
type Heard string

// The ways, in their order.
const (
	NotHeard Heard = ""       // not that anybody knows
	Shown    Heard = "shown"  // the screen has shown it
	Spoken   Heard = "spoken" // and a voice has said it
)

const keepPresses = 200 // of those that the cloud has; what is on its way is kept as long as it takes

func addPress(tx *transaction, epoch string, seq uint64, r devices.Reading) error {
	if _, err := tx.Exec(`INSERT INTO press(epoch, seq, kind, device, room, at, state, by) VALUES(?,?,?,?,?,?,?,'')`,
		epoch, seq, r.Kind, r.Device, r.Room, r.Time, Sending); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM press WHERE state <> ? AND id NOT IN (SELECT id FROM press ORDER BY id DESC LIMIT ?)`, Sending, keepPresses)
	return err
}

func receivedPresses(tx *transaction, epoch string, upto uint64, refused []uint64) error {
	for _, seq := range refused {
		if _, err := tx.Exec(`UPDATE press SET state = ? WHERE epoch = ? AND seq = ? AND seq <= ? AND state = ?`, Refused, epoch, seq, upto, Sending); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`UPDATE press SET state = ? WHERE epoch = ? AND seq <= ? AND state = ?`, Received, epoch, upto, Sending)
	return err
}

// Presses returns the newest presses, newest first, at most limit.
func (s *Spool) Presses(ctx context.Context, limit int) (out []Press, err error) {
	err = s.call(ctx, func() error {
		out, err = readPresses(s.db, pressColumns, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read presses: %w", err)
	}
	return out, nil
}

// pressColumns are what scan reads; former are those of a database of the
// version before words said when somebody is expected.
const (
	pressColumns  = `epoch, seq, kind, device, room, at, state, by, told, expected, command, heard`
	formerColumns = `epoch, seq, kind, device, room, at, state, by, 0, 0, '', ''`
)

func (p *Press) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&p.Epoch, &p.Seq, &p.Kind, &p.Device, &p.Room, &p.At, &p.State, &p.By, &p.Told, &p.Expected, &p.Command, &p.Heard)
}

func readPresses(db interface {
	Query(query string, args ...any) (*sql.Rows, error)
}, columns string, limit int) (out []Press, err error) {
	rows, err := db.Query(`SELECT `+columns+` FROM press ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Press
		if err := p.scan(rows); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Again puts presses of the alarm lane, from one sequence number to another,
// at its end once more: the cloud has lost them. They are "sending" again. What a
// human has closed is left alone. It returns how many there were.
func (s *Spool) Again(ctx context.Context, from, to uint64) (n int, err error) {
	err = s.call(ctx, func() error {
		rows, err := s.db.Query(`SELECT id, kind, device, room, at FROM press WHERE epoch = ? AND seq BETWEEN ? AND ? AND state <> ? ORDER BY seq`,
			s.epoch, int64(from), int64(to), Resolved)
		if err != nil {
			return err
		}
		defer rows.Close()
		var c appendCall
		for rows.Next() {
			var id int64
			r := devices.Reading{Value: devices.Number(1)}
			if err := rows.Scan(&id, &r.Kind, &r.Device, &r.Room, &r.Time); err != nil {
				return err
			}
			row, err := newRow(Entry{Record: wire.Record{Reading: r}, ClockOK: true})
			if err != nil {
				return err
			}
			c.rows, c.replaced = append(c.rows, row), append(c.replaced, id)
		}
		if err := rows.Err(); err != nil || len(c.rows) == 0 {
			return err
		}
		if err := rows.Close(); err != nil { // the one connection is wanted
			return err
		}
		if err := s.write([]*appendCall{&c}); err != nil {
			return err
		}
		n = len(c.rows)
		s.publish()
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("send presses again: %w", err)
	}
	return n, nil
}

// ErrNoPress is returned for a press that is not (any longer) known here.
var ErrNoPress = errors.New("no such press")

// Confirm stores the cloud's word about a press: who has it, or that it is
// closed. Of two words the later one holds, in whatever order they come, and
// a closed press stays closed. command is the id of what brought the word.
// It returns ErrNoPress for an unknown press.
func (s *Spool) Confirm(ctx context.Context, command string, c wire.Confirm) error {
	err := s.call(ctx, func() error {
		return s.tx(func(tx *transaction) error {
			p, err := onePress(tx, c.Epoch, c.Seq)
			if err != nil {
				return err
			}
			next, by, state := c.State, c.By, p.State
			if state == Resolved {
				return nil
			}
			switch {
			case next == wire.ConfirmResolved: // whatever the cloud's clock has done meanwhile
				state, c.Expected = Resolved, 0
				if by == "" {
					by = p.By // the name of the one who had it stays
				}
			case next != wire.ConfirmAcknowledged && next != wire.ConfirmOnTheWay:
				return fmt.Errorf("unknown state %q", next)
			case c.At < p.Told, c.At == p.Told && command == p.Command && command != "":
				return nil // overtaken by a later word, or the same once more
			case next == wire.ConfirmOnTheWay:
				state = OnTheWay
			default:
				state = Has
			}
			_, err = tx.Exec(`UPDATE press SET state = ?, by = ?, told = ?, expected = ?, command = ?, heard = ? WHERE epoch = ? AND seq = ?`,
				state, by, max(c.At, p.Told), max(c.Expected, 0), command, NotHeard, c.Epoch, c.Seq)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("confirm press: %w", err)
	}
	return nil
}

// Heard stores that the resident was told the word about a press that was
// said at told, and returns the press. It returns ErrNoPress when the press is
// not known, or when that is not the newest word about it.
func (s *Spool) Heard(ctx context.Context, epoch string, seq uint64, told devices.Micros, how Heard) (p Press, err error) {
	err = s.call(ctx, func() error {
		return s.tx(func(tx *transaction) error {
			if p, err = onePress(tx, epoch, seq); err != nil {
				return err
			}
			if p.Told == 0 || p.Told != told {
				return ErrNoPress
			}
			if p.Heard == Spoken || p.Heard == how {
				return nil
			}
			p.Heard = how
			_, err := tx.Exec(`UPDATE press SET heard = ? WHERE epoch = ? AND seq = ?`, how, epoch, seq)
			return err
		})
	})
	if err != nil {
		return Press{}, fmt.Errorf("note that the resident was told: %w", err)
	}
	return p, nil
}

func onePress(tx *transaction, epoch string, seq uint64) (p Press, err error) {
	err = p.scan(tx.QueryRow(`SELECT `+pressColumns+` FROM press WHERE epoch = ? AND seq = ?`, epoch, seq))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoPress
	}
	return p, err
}
