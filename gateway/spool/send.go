package spool

import (
	"context"
	"fmt"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// sentStep is how far ahead the persisted mark of what was handed out runs,
// so that keeping it costs one write in thousands of records.
const sentStep = 4096

// Next returns the records of a lane after seq, ready to send: consecutive,
// of one boot and one state of the clock, at most maxRecords and about maxBytes of
// JSON, at least one. A dropped record opens its batch. Without records there are
// none to send. What Next has returned keeps its content for ever.
func (s *Spool) Next(ctx context.Context, l wire.Lane, after uint64, maxRecords, maxBytes int) (b wire.Batch, err error) {
	err = s.call(ctx, func() error {
		b, err = s.next(index(l), after, maxRecords, maxBytes)
		return err
	})
	if err != nil {
		return wire.Batch{}, fmt.Errorf("read %s lane: %w", l, err)
	}
	return b, nil
}

func (s *Spool) next(lane int, after uint64, maxRecords, maxBytes int) (wire.Batch, error) {
	rows, err := s.db.Query(`SELECT r.seq, r.ok, r.kind, r.data, b.id, b.name FROM record r JOIN boot b ON b.id = r.boot
		WHERE r.lane = ? AND r.seq > ? ORDER BY r.seq LIMIT ?`, lane, after, maxRecords)
	if err != nil {
		return wire.Batch{}, err
	}
	defer rows.Close()
	b := wire.Batch{Epoch: s.epoch}
	var boot int64
	size := 0
	for rows.Next() {
		var (
			seq  uint64
			ok   bool
			kind devices.Kind
			data []byte
			id   int64
			name string
		)
		if err := rows.Scan(&seq, &ok, &kind, &data, &id, &name); err != nil {
			return wire.Batch{}, err
		}
		var r wire.Record
		if err := r.UnmarshalJSON(data); err != nil {
			// Bytes rotted on the disk. The lane must not stand still for ever for one record.
			s.log.Error("a stored record cannot be read; it is reported as dropped", "id", "LYK-0404", "lane", lane, "seq", seq, "err", err)
			kind = devices.Dropped
			r = wire.Record{
				Reading: devices.Reading{Time: s.opt.Clock.Line(), Device: s.opt.Gateway, Kind: kind},
				Dropped: &wire.Dropped{From: seq, To: seq, Count: 1},
			}
		}
		if len(b.Records) == 0 {
			b.First, b.Boot, b.ClockOK, boot = seq, name, ok, id
		} else if seq != b.Last()+1 || name != b.Boot || ok != b.ClockOK || kind == devices.Dropped || size+len(data) > maxBytes {
			break
		}
		b.Records = append(b.Records, r)
		size += len(data) + 1
	}
	if err := rows.Err(); err != nil {
		return wire.Batch{}, err
	}
	rows.Close()
	if len(b.Records) == 0 {
		return b, nil
	}
	if err := s.hand(lane, b.Last()); err != nil {
		return wire.Batch{}, err
	}
	b.Mono = s.opt.Clock.Mono()
	b.Sent, err = s.sent(boot, b.ClockOK, b.Records[len(b.Records)-1].Time)
	return b, err
}

// hand notes that records up to seq are about to leave the house.
func (s *Spool) hand(lane int, seq uint64) error {
	next := s.lanes
	l := &next[lane]
	l.handed = max(l.handed, seq)
	if seq > l.sentHigh {
		l.sentHigh = seq + sentStep
		if err := s.tx(next.save); err != nil {
			return fmt.Errorf("note what is sent: %w", err)
		}
	}
	s.lanes = next
	return nil
}

// sent is now, on the line on which a batch's records were observed. For an
// earlier boot with an unset clock that is where its line would be, had it gone on
// while later boots lived; the time the box was off is not known to anybody.
// When the clock is not right any more, records of a time when it was are said
// to be sent with the last of them: another line's now would be a lie.
func (s *Spool) sent(boot int64, ok bool, last devices.Micros) (devices.Micros, error) {
	if ok {
		if now := s.opt.Clock.Now(); now.OK {
			return now.T, nil
		}
		return last, nil
	}
	if boot == s.boot {
		return s.opt.Clock.Line(), nil
	}
	var line, lived int64
	err := s.db.QueryRow(`SELECT (SELECT line FROM boot WHERE id = ?1),
		(SELECT coalesce(sum(lived), 0) FROM boot WHERE id >= ?1 AND id < ?2)`, boot, s.boot).Scan(&line, &lived)
	return devices.Micros(line + lived + s.opt.Clock.Mono()), err
}

// Emergency reports whether a record of an emergency waits for the cloud.
func (s *Spool) Emergency(ctx context.Context) (waits bool, err error) {
	err = s.call(ctx, func() error {
		rows, err := s.db.Query(`SELECT DISTINCT kind FROM record WHERE lane = ?`, index(wire.Alarm))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind devices.Kind
			if err := rows.Scan(&kind); err != nil {
				return err
			}
			waits = waits || kind.Emergency()
		}
		return rows.Err()
	})
	if err != nil {
		return false, fmt.Errorf("look for emergencies: %w", err)
	}
	return waits, nil
}

// Waits reports whether an alarm of that kind, from that device, waits for the cloud.
func (s *Spool) Waits(ctx context.Context, kind devices.Kind, device string) (waits bool, err error) {
	err = s.call(ctx, func() error {
		rows, err := s.db.Query(`SELECT data FROM record WHERE lane = ? AND kind = ?`, index(wire.Alarm), kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var data []byte
			if err := rows.Scan(&data); err != nil {
				return err
			}
			var r wire.Record
			if r.UnmarshalJSON(data) == nil && r.Device == device { // one that cannot be read is reported when it is sent
				waits = true
			}
		}
		return rows.Err()
	})
	if err != nil {
		return false, fmt.Errorf("look for a waiting %s: %w", kind, err)
	}
	return waits, nil
}

// Acked deletes a lane's records up to upto, which the cloud has, and moves
// the presses among them on to "received", or to "refused" those that it
// names. Another epoch's acknowledgement, or one that says nothing new, does nothing. One beyond
// the last record returns ErrAhead.
func (s *Spool) Acked(ctx context.Context, l wire.Lane, epoch string, upto uint64, refused []uint64) error {
	err := s.call(ctx, func() error {
		next := s.lanes
		lane := &next[index(l)]
		switch {
		case epoch != s.epoch || upto <= lane.Acked:
			return nil
		case upto > lane.Last:
			return fmt.Errorf("%w: it has %d, the last here is %d", ErrAhead, upto, lane.Last)
		}
		err := s.tx(func(tx *transaction) error {
			var count int
			var bytes int64
			if err := tx.QueryRow(`SELECT count(*), coalesce(sum(length(data)), 0) FROM record WHERE lane = ? AND seq <= ?`,
				index(l), upto).Scan(&count, &bytes); err != nil {
				return err
			}
			if _, err := tx.Exec(`DELETE FROM record WHERE lane = ? AND seq <= ?`, index(l), upto); err != nil {
				return err
			}
			lane.Acked, lane.Depth, lane.Bytes = upto, lane.Depth-count, lane.Bytes-bytes
			lane.handed = max(lane.handed, upto)
			if next[0].Depth+next[1].Depth == 0 {
				if _, err := tx.Exec(`DELETE FROM boot WHERE id <> ?`, s.boot); err != nil {
					return err
				}
			}
			if l == wire.Alarm {
				if err := receivedPresses(tx, epoch, upto, refused); err != nil {
					return err
				}
				if err := receivedDeeds(tx, epoch, upto, refused); err != nil {
					return err
				}
			}
			return next.save(tx)
		})
		if err != nil {
			return err
		}
		s.lanes = next
		s.publish()
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete what the cloud has: %w", err)
	}
	return nil
}

// Renew gives the log a new epoch and numbers what is waiting from 1 again.
// It is for a spool that has gone back in time (a restored disk image), whose next
// numbers the cloud would take for repetitions and throw away.
func (s *Spool) Renew(ctx context.Context) error {
	err := s.call(ctx, func() error {
		next, epoch := s.lanes, newEpoch()
		err := s.tx(func(tx *transaction) error { return renumber(tx, &next, epoch) })
		if err != nil {
			return err
		}
		s.lanes, s.epoch = next, epoch
		s.publish()
		return nil
	})
	if err != nil {
		return fmt.Errorf("begin a new epoch: %w", err)
	}
	return nil
}
