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
}

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
		out, err = readPresses(s.db, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read presses: %w", err)
	}
	return out, nil
}

func readPresses(db interface {
	Query(query string, args ...any) (*sql.Rows, error)
}, limit int) (out []Press, err error) {
	rows, err := db.Query(`SELECT epoch, seq, kind, device, room, at, state, by FROM press ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Press
		if err := rows.Scan(&p.Epoch, &p.Seq, &p.Kind, &p.Device, &p.Room, &p.At, &p.State, &p.By); err != nil {
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

// ErrNoPress is returned by Confirm for a press that is not (any longer) known here.
var ErrNoPress = errors.New("no such press")

// Confirm stores the cloud's word that a human has a press, or has closed
// it. A press never goes backwards. It returns ErrNoPress for an unknown one.
func (s *Spool) Confirm(ctx context.Context, c wire.Confirm) error {
	err := s.call(ctx, func() error {
		return s.tx(func(tx *transaction) error {
			var state PressState
			err := tx.QueryRow(`SELECT state FROM press WHERE epoch = ? AND seq = ?`, c.Epoch, c.Seq).Scan(&state)
			if errors.Is(err, sql.ErrNoRows) {
				return ErrNoPress
			}
			if err != nil {
				return err
			}
			next := Has
			switch c.State {
			case "acknowledged":
			case "resolved":
				next = Resolved
			default:
				return fmt.Errorf("unknown state %q", c.State)
			}
			if state == Resolved {
				return nil
			}
			// The name of the one who has it stays when the end does not say another.
			_, err = tx.Exec(`UPDATE press SET state = ?, by = CASE WHEN ? = '' THEN by ELSE ? END WHERE epoch = ? AND seq = ?`, next, c.By, c.By, c.Epoch, c.Seq)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("confirm press: %w", err)
	}
	return nil
}
