package spool

import (
	"fmt"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// row is an entry as it lies in the database.
type row struct {
	lane    int
	ok      bool
	t       devices.Micros
	kind    devices.Kind
	data    []byte // wire.Record as JSON
	press   bool   // a press for help or a fall: somebody waits to hear of it
	key     string
	reading devices.Reading
	dropped *wire.Record // a dropped record that has no place yet
}

func newRow(e Entry) (row, error) {
	r := row{
		lane: index(wire.LaneOf(e.Record.Kind)), ok: e.ClockOK, t: e.Record.Time, kind: e.Record.Kind,
		press: (e.Record.Kind == devices.SOS || e.Record.Kind == devices.Fall) && e.Record.On(),
		key:   e.Key, reading: e.Record.Reading,
	}
	if e.Record.Dropped != nil && e.Record.Dropped.From == 0 {
		r.dropped = &e.Record
		return r, nil
	}
	if e.Record.Dropped != nil {
		return row{}, fmt.Errorf("only the spool itself knows which records are gone")
	}
	var err error
	r.data, err = encode(e.Record)
	return r, err
}

// place gives a dropped record that stands for itself its range.
func (r *row) place(seq uint64) error {
	if r.dropped == nil {
		return nil
	}
	record := *r.dropped
	record.Dropped = &wire.Dropped{From: seq, To: seq, Count: record.Dropped.Count}
	var err error
	r.data, err = encode(record)
	return err
}

func encode(r wire.Record) ([]byte, error) {
	data, err := r.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if len(data) > wire.MaxRecord {
		return nil, fmt.Errorf("%d bytes, at most %d", len(data), wire.MaxRecord)
	}
	return data, nil
}
