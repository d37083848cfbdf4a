package spool

import (
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const hour = devices.Micros(3600_000_000)

// over reports whether the queue holds more than it may.
func (s *Spool) over() bool { return s.lanes[0].Bytes+s.lanes[1].Bytes > s.limit }

// thin makes room: it takes the oldest chunk of telemetry that was never
// handed out and keeps what tells most. When all has been thinned so, it begins again
// from the oldest and keeps nothing. What it cannot do now it leaves.
func (s *Spool) thin() {
	did, err := s.thinChunk(true)
	if err == nil && !did {
		did, err = s.thinChunk(false)
	}
	s.stuck = !did
	switch {
	case err != nil:
		s.log.Error("cannot thin the spool", "err", err)
	case did:
		s.publish()
	}
}

// stored is a record in a chunk.
type stored struct {
	seq  uint64
	boot int64
	ok   bool
	t    devices.Micros
	kind devices.Kind
	data []byte
}

// thinChunk replaces one chunk by its survivors, moved to the chunk's last
// sequence numbers, and before them one dropped record. It reports whether the lane
// changed.
func (s *Spool) thinChunk(survive bool) (bool, error) {
	next := s.lanes
	l := &next[index(wire.Telemetry)]
	after := l.handed
	if survive {
		after = max(l.handed, l.thinned)
	}
	chunk, err := s.chunk(after)
	if err != nil || len(chunk) < 2 || survive && len(chunk) < s.opt.chunk {
		return false, err
	}
	keep, count := survivors(chunk, survive)
	top := chunk[len(chunk)-1].seq
	if len(keep) == len(chunk) { // nothing in it to do without
		l.thinned = top
		if err := s.tx(next.save); err != nil {
			return false, err
		}
		s.lanes = next
		return true, nil
	}

	first := chunk[0].seq
	if chunk[0].kind == devices.Dropped {
		d, err := droppedOf(chunk[0])
		if err != nil {
			return false, err
		}
		first = d.From
	}
	// The marker takes the moment of the last record before the survivors' places.
	at := chunk[len(chunk)-len(keep)-1]
	at.seq, at.kind = top-uint64(len(keep)), devices.Dropped
	at.data, err = encode(wire.Record{
		Reading: devices.Reading{Time: at.t, Device: s.opt.Gateway, Kind: devices.Dropped, Value: devices.Number(float64(count))},
		Dropped: &wire.Dropped{From: first, To: at.seq, Count: count},
	})
	if err != nil {
		return false, err
	}
	put := append([]stored{at}, keep...)
	for i := range keep {
		put[i+1].seq = at.seq + uint64(i) + 1
	}

	err = s.tx(func(tx *transaction) error {
		if _, err := tx.Exec(`DELETE FROM record WHERE lane = ? AND seq BETWEEN ? AND ?`, index(wire.Telemetry), chunk[0].seq, top); err != nil {
			return err
		}
		for _, r := range put {
			if _, err := tx.Exec(insertRecord, index(wire.Telemetry), r.seq, r.boot, r.ok, r.t, r.kind, r.data); err != nil {
				return err
			}
		}
		l.Depth += len(put) - len(chunk)
		l.Bytes += size(put) - size(chunk)
		l.thinned = max(l.thinned, top)
		return next.save(tx)
	})
	if err != nil {
		return false, err
	}
	s.lanes = next
	s.log.Warn("the spool is over its bound; telemetry was thinned", "id", "LYK-0403", "dropped", count, "from", first, "to", at.seq, "kept", len(keep))
	return true, nil
}

func (s *Spool) chunk(after uint64) ([]stored, error) {
	rows, err := s.db.Query(`SELECT seq, boot, ok, t, kind, data FROM record WHERE lane = ? AND seq > ? ORDER BY seq LIMIT ?`,
		index(wire.Telemetry), after, s.opt.chunk)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []stored
	for rows.Next() {
		var r stored
		if err := rows.Scan(&r.seq, &r.boot, &r.ok, &r.t, &r.kind, &r.data); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// survivors picks what a chunk keeps, and counts the readings that are gone
// with the rest, those included that dropped records among it stood for. A
// chunk with a dropped record in it never survives whole: two become one.
func survivors(chunk []stored, survive bool) (keep []stored, gone uint64) {
	type series struct {
		device string
		kind   devices.Kind
	}
	state := map[series]string{}         // the state that was kept last
	hours := map[series]devices.Micros{} // the hour that has its reading
	for _, r := range chunk {
		if r.kind == devices.Dropped {
			if d, err := droppedOf(r); err == nil {
				gone += d.Count
			}
			continue
		}
		var rec wire.Record
		if !survive || rec.UnmarshalJSON(r.data) != nil {
			gone++
			continue
		}
		key := series{rec.Device, rec.Kind}
		switch {
		case rec.Kind.Health():
		case rec.Kind.State() && rec.Kind != devices.Motion:
			now := "off"
			if rec.On() {
				now = "on"
			}
			if state[key] == now {
				gone++
				continue
			}
			state[key] = now
		default:
			if h, ok := hours[key]; ok && h == r.t/hour {
				gone++
				continue
			}
			hours[key] = r.t / hour
		}
		keep = append(keep, r)
	}
	return keep, gone
}

func droppedOf(r stored) (wire.Dropped, error) {
	var rec wire.Record
	if err := rec.UnmarshalJSON(r.data); err != nil {
		return wire.Dropped{}, err
	}
	return *rec.Dropped, nil
}

func size(rows []stored) (n int64) {
	for _, r := range rows {
		n += int64(len(r.data))
	}
	return n
}
