package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path/filepath"
	"strconv"
)

// sum is a set of readings by a number that is the same only for the same set,
// in whatever order: the sum of their hashes.
type sum struct {
	n    int64
	hash uint64
}

func (s *sum) add(series uint64, nanos int64) {
	s.n++
	s.hash += maphash.Comparable(seed, [2]uint64{series, uint64(nanos)})
}

// nanos is the time at which a reading is stored: docs/protocol.md, time series identity.
func nanos(at int64, seq uint64) int64 { return at*1000 + int64(seq%1000) }

// expected is what the time series must have of a home: everything that was
// acknowledged in the telemetry lane, and the alarm records but those that
// still wait to be copied.
func (f *fleet) expected(h *home, uncopied map[uint64]bool) (out sum) {
	for seq := uint64(1); seq <= h.telemetry.acked; seq++ {
		if at, e := h.record(seq); !e.heartbeat() {
			out.add(h.tape.words[e.what].series, nanos(at, seq))
		}
	}
	for i, a := range f.alarmsOf(h)[:h.alarm.acked] {
		if seq := uint64(i + 1); !uncopied[seq] {
			out.add(h.series(a), nanos(a.at, seq))
		}
	}
	return out
}

// Kept is what was read back from the stores after the run.
type Kept struct {
	Readings int64 `json:"readings"` // in the time series
	Alarms   int64 `json:"alarms"`   // in the alarm lane's table
	Uncopied int64 `json:"alarms_not_in_time_series_yet"`
	// Lost were acknowledged and are not there; doubled are there and should not.
	Lost    int64 `json:"lost"`
	Doubled int64 `json:"doubled"`
	// Unsent were never acknowledged: the homes have them still.
	Unsent int64 `json:"unacknowledged"`
	// Presses without an alert, and with more than one.
	PressesLost    int64    `json:"presses_without_alert"`
	PressesDoubled int64    `json:"presses_with_several_alerts"`
	OtherAlerts    int64    `json:"other_alerts"` // as of silence, which nothing but an outage excuses
	Examples       []string `json:"examples,omitempty"`
}

func (k *Kept) example(format string, args ...any) {
	if len(k.Examples) < 10 {
		k.Examples = append(k.Examples, fmt.Sprintf(format, args...))
	}
}

// verify reads back what the stores have. The service has ended, or does
// nothing any more.
func (f *fleet) verify(ctx context.Context) (k Kept, err error) {
	db, err := sql.Open("sqlite", f.cloud.database()+"?mode=ro")
	if err != nil {
		return k, err
	}
	defer db.Close()
	uncopied, err := f.verifyAlarms(ctx, db, &k)
	if err != nil {
		return k, fmt.Errorf("read the alarm records back: %w", err)
	}
	if err := f.verifyPresses(ctx, db, &k); err != nil {
		return k, fmt.Errorf("read the alerts back: %w", err)
	}
	have := make([]sum, len(f.homes))
	read := f.readEmbedded
	if f.cloud.influx != nil {
		read = f.readInflux
	}
	if err := read(ctx, have); err != nil {
		return k, fmt.Errorf("read the time series back: %w", err)
	}
	for i, h := range f.homes {
		want := f.expected(h, uncopied[int32(i)])
		k.Readings += have[i].n
		k.Unsent += int64(h.last(f.end) - min(h.last(f.end), h.telemetry.acked))
		k.Unsent += int64(uint64(len(f.alarmsOf(h))) - h.alarm.acked)
		switch {
		case have[i] == want:
		case h.telemetry.acked < h.last(f.end) && have[i].n > want.n:
			// Some that were stored but whose acknowledgement did not come.
		case have[i].n < want.n:
			k.Lost += want.n - have[i].n
			k.example("%s: %d readings of %d", h.name, have[i].n, want.n)
		case have[i].n > want.n:
			k.Doubled += have[i].n - want.n
			k.example("%s: %d readings in place of %d", h.name, have[i].n, want.n)
		default:
			k.Lost, k.Doubled = k.Lost+1, k.Doubled+1
			k.example("%s: others than were sent, of %d", h.name, want.n)
		}
	}
	return k, nil
}

// verifyAlarms compares the alarm lanes' table, and returns what is not in the
// time series yet, by home.
func (f *fleet) verifyAlarms(ctx context.Context, db *sql.DB, k *Kept) (map[int32]map[uint64]bool, error) {
	rows, err := db.QueryContext(ctx, `SELECT gateway, epoch, seq, copied FROM alarm_records`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have, uncopied := make([]int64, len(f.homes)), map[int32]map[uint64]bool{}
	for rows.Next() {
		var gateway, epoch string
		var seq uint64
		var copied int
		if err := rows.Scan(&gateway, &epoch, &seq, &copied); err != nil {
			return nil, err
		}
		n, ok := homeNumber([]byte(gateway))
		if !ok || int(n) >= len(f.homes) || epoch != f.homes[n].epoch {
			continue // of another run
		}
		k.Alarms++
		have[n]++
		if copied == 0 {
			k.Uncopied++
			if uncopied[n] == nil {
				uncopied[n] = map[uint64]bool{}
			}
			uncopied[n][seq] = true
		}
	}
	for i, h := range f.homes {
		switch acked, all := int64(h.alarm.acked), int64(len(f.alarmsOf(h))); {
		case have[i] < acked:
			k.Lost += acked - have[i]
			k.example("%s: %d alarm records of %d", h.name, have[i], acked)
		case have[i] > all:
			k.Doubled += have[i] - all
			k.example("%s: %d alarm records in place of %d", h.name, have[i], all)
		}
	}
	return uncopied, rows.Err()
}

// verifyPresses looks whether each press is one alert.
func (f *fleet) verifyPresses(ctx context.Context, db *sql.DB, k *Kept) error {
	rows, err := db.QueryContext(ctx, `SELECT home, observed, kind FROM alerts WHERE raised >= ?`, f.began)
	if err != nil {
		return err
	}
	defer rows.Close()
	have := map[probe]int64{}
	for rows.Next() {
		var p probe
		var kind string
		if err := rows.Scan(&p.home, &p.at, &kind); err != nil {
			return err
		}
		if kind == "sos" {
			have[p]++
		} else {
			k.OtherAlerts++
		}
	}
	f.screens.mu.Lock()
	defer f.screens.mu.Unlock()
	for p := range f.screens.awaited {
		switch n := have[p]; {
		case n == 0:
			k.PressesLost++
			k.example("%s: the press at %d is no alert", p.home, p.at)
		case n > 1:
			k.PressesDoubled++
			k.example("%s: the press at %d is %d alerts", p.home, p.at, n)
		}
	}
	return rows.Err()
}

// readEmbedded goes once through the file of the embedded store.
func (f *fleet) readEmbedded(ctx context.Context, have []sum) error {
	db, err := sql.Open("sqlite", filepath.Join(f.cloud.data(), "history.db")+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	type of struct {
		home   int32
		series uint64
	}
	all := map[int64]of{}
	rows, err := db.QueryContext(ctx, `SELECT id, home, device, kind, room FROM series`)
	if err != nil {
		return err
	}
	for rows.Next() {
		var id int64
		var home, device, kind, room string
		if err := rows.Scan(&id, &home, &device, &kind, &room); err != nil {
			return errors.Join(err, rows.Close())
		}
		if n, ok := homeNumber([]byte(home)); ok && int(n) < len(have) {
			all[id] = of{n, series(device, kind, room)}
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if rows, err = db.QueryContext(ctx, `SELECT series, t FROM points`); err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, t int64
		if err := rows.Scan(&id, &t); err != nil {
			return err
		}
		if s, ok := all[id]; ok {
			have[s.home].add(s.series, t)
		}
	}
	return rows.Err()
}

// readInflux goes once through InfluxDB's measurement.
func (f *fleet) readInflux(ctx context.Context, have []sum) error {
	body, err := f.cloud.influxQuery(ctx, `SELECT * FROM "lykta"."autogen"."reading"`)
	if err != nil {
		return err
	}
	defer body.Close()
	in := csv.NewReader(body)
	in.FieldsPerRecord, in.ReuseRecord = -1, true
	column := map[string]int{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if row[0] == "name" { // a chunk begins
			clear(column)
			for i, name := range row {
				column[name] = i
			}
			continue
		}
		value := func(name string) string {
			if i, ok := column[name]; ok {
				return row[i]
			}
			return ""
		}
		t, err := strconv.ParseInt(value("time"), 10, 64)
		if err != nil {
			return fmt.Errorf("a row without a time: %v", row)
		}
		if n, ok := homeNumber([]byte(value("home"))); ok && int(n) < len(have) {
			have[n].add(series(value("device"), value("kind"), value("room")), t)
		}
	}
}
