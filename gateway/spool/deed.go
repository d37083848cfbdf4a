package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Deed is something that the resident did and is shown again: every check-in,
// and whatever was stored with a key. It is stored in the same transaction as
// its record.
type Deed struct {
	ID    int64 // grows with each deed
	Key   string
	Kind  devices.Kind
	Value float64
	Text  string
	// At is when it was. Right is false when that is not known: the clock was
	// not set, and the box has been started since.
	At    devices.Micros
	Right bool
	// Now says that it was since this process began, whatever the clock says.
	Now bool
	// State is how far one of the alarm lane has come: Sending, Received or
	// Refused; those of the telemetry lane have none.
	State PressState
}

const deedSchema = `
CREATE TABLE IF NOT EXISTS deed(id INTEGER PRIMARY KEY, key TEXT UNIQUE, lane INTEGER NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
	boot INTEGER NOT NULL, ok INTEGER NOT NULL, t INTEGER NOT NULL, kind TEXT NOT NULL, v REAL NOT NULL, s TEXT NOT NULL, state TEXT NOT NULL);`

const (
	pruneEach = 100
	keepDeeds = 1000 // with a key, and as many without; a key is known for weeks so
	showDeeds = 300  // the newest with a key, and every consent
	showOther = 20   // without: a button that checks in all the time hides nothing
)

// done is where the record with that key is, if there is one.
func done(tx *transaction, key string) (at Position, found bool, err error) {
	var lane int
	err = tx.QueryRow(`SELECT lane, epoch, seq FROM deed WHERE key = ?`, key).Scan(&lane, &at.Epoch, &at.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return Position{}, false, nil
	}
	at.Lane = wire.Alarm
	if lane == index(wire.Telemetry) {
		at.Lane = wire.Telemetry
	}
	return at, err == nil, err
}

// deed reports whether the row is kept as one.
func (r *row) deed() bool { return r.key != "" || r.kind == devices.CheckIn && r.reading.On() }

func (s *Spool) addDeed(tx *transaction, seq uint64, r row) error {
	state, value := Sending, 0.0
	if r.lane != index(wire.Alarm) {
		state = ""
	}
	if r.reading.Value != nil {
		value = *r.reading.Value
	}
	key := sql.NullString{String: r.key, Valid: r.key != ""}
	added, err := tx.Exec(`INSERT INTO deed(key, lane, epoch, seq, boot, ok, t, kind, v, s, state) VALUES(?,?,?,?,?,?,?,?,?,?,?)`,
		key, r.lane, s.epoch, seq, s.boot, r.ok, r.t, r.kind, value, r.reading.Text, state)
	if err != nil {
		return err
	}
	if id, err := added.LastInsertId(); err != nil || id%pruneEach > 0 {
		return err
	}
	_, err = tx.Exec(`DELETE FROM deed WHERE state <> ?1 AND (key IS NULL) = ?2 AND id NOT IN
		(SELECT id FROM deed WHERE (key IS NULL) = ?2 ORDER BY id DESC LIMIT ?3)`, Sending, !key.Valid, keepDeeds)
	return err
}

func receivedDeeds(tx *transaction, epoch string, upto uint64, refused []uint64) error {
	for _, seq := range refused {
		if _, err := tx.Exec(`UPDATE deed SET state = ? WHERE epoch = ? AND seq = ? AND seq <= ? AND state = ?`, Refused, epoch, seq, upto, Sending); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`UPDATE deed SET state = ? WHERE epoch = ? AND seq <= ? AND state = ?`, Received, epoch, upto, Sending)
	return err
}

// Deeds returns the newest deeds and every consent that is kept, newest first.
func (s *Spool) Deeds(ctx context.Context) (out []Deed, err error) {
	err = s.call(ctx, func() error {
		rows, err := s.db.Query(`SELECT id, coalesce(key, ''), kind, v, s, t, ok, boot, state FROM deed
			WHERE kind = ? OR id IN (SELECT id FROM deed WHERE key IS NOT NULL ORDER BY id DESC LIMIT ?)
				OR id IN (SELECT id FROM deed WHERE key IS NULL ORDER BY id DESC LIMIT ?) ORDER BY id DESC`, devices.Consent, showDeeds, showOther)
		if err != nil {
			return err
		}
		defer rows.Close()
		right, known := s.opt.Clock.Right()
		for rows.Next() {
			var d Deed
			var boot int64
			if err := rows.Scan(&d.ID, &d.Key, &d.Kind, &d.Value, &d.Text, &d.At, &d.Right, &boot, &d.State); err != nil {
				return err
			}
			d.Now = boot == s.boot
			if !d.Right && known && d.Now { // on this boot's own line
				d.At, d.Right = d.At+right-s.opt.Clock.Line(), true
			}
			out = append(out, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read what the resident did: %w", err)
	}
	return out, nil
}

// Done reports whether something was stored with that key.
func (s *Spool) Done(ctx context.Context, key string) (found bool, err error) {
	err = s.call(ctx, func() error {
		return s.tx(func(tx *transaction) error {
			_, found, err = done(tx, key)
			return err
		})
	})
	if err != nil {
		return false, fmt.Errorf("look up a key: %w", err)
	}
	return found, nil
}

type place struct {
	lane int
	seq  uint64
}

// salvageKeys finds the keys of what a damaged database held, best effort.
func salvageKeys(db *sql.DB) map[place]string {
	keys := map[place]string{}
	rows, err := db.Query(`SELECT lane, seq, key FROM deed WHERE key IS NOT NULL AND epoch = (SELECT epoch FROM spool)`)
	if err != nil {
		return keys
	}
	defer rows.Close()
	for rows.Next() {
		var p place
		var key string
		if rows.Scan(&p.lane, &p.seq, &key) == nil {
			keys[p] = key
		}
	}
	return keys
}

// salvageDeeds carries over the deeds of a damaged database that the cloud has,
// so that they are not done twice. Those on their way came with their records;
// of one whose record is lost the key is forgotten, too, and it can be done again.
func (s *Spool) salvageDeeds(db *sql.DB) error {
	rows, err := db.Query(`SELECT key, d.lane, epoch, seq, ok, t, kind, v, s, state FROM deed d JOIN lane l ON l.lane = d.lane
		WHERE seq <= l.acked OR epoch <> (SELECT epoch FROM spool) ORDER BY id`)
	if err != nil {
		return nil // unreadable, or of an earlier version: nothing to save
	}
	defer rows.Close()
	return s.tx(func(tx *transaction) error {
		for rows.Next() {
			var (
				key                  sql.NullString
				lane, seq            int64
				epoch, kind, s, stat string
				ok                   bool
				t                    int64
				v                    float64
			)
			if rows.Scan(&key, &lane, &epoch, &seq, &ok, &t, &kind, &v, &s, &stat) != nil {
				continue
			}
			// No boot of this database: a time without a clock stays unknown.
			if _, err := tx.Exec(`INSERT OR IGNORE INTO deed(key, lane, epoch, seq, boot, ok, t, kind, v, s, state) VALUES(?,?,?,?,0,?,?,?,?,?,?)`,
				key, lane, epoch, seq, ok, t, kind, v, s, stat); err != nil {
				return err
			}
		}
		return nil
	})
}
