package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/window"
	"github.com/lykta/lykta/devices"
)

// Raw returns readings in order of time.
func (s *Store) Raw(ctx context.Context, q history.Query) ([]history.Point, error) {
	var out []history.Point
	err := s.view(ctx, "read history", func(tx *sql.Tx) error {
		all, err := seriesOf(ctx, tx, q.Home, q.Device, q.Kind)
		if err != nil {
			return err
		}
		from, to := q.Span()
		limit := -1
		if q.Limit > 0 {
			limit = q.Limit
		}
		stmt, err := tx.PrepareContext(ctx, `SELECT t, v, s, u FROM points WHERE series = ? AND t >= ? AND t < ? ORDER BY t LIMIT ?`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, one := range all {
			if out, err = one.points(ctx, stmt, out, q.Home, from, to, limit); err != nil {
				return err
			}
			// No later series can put a point beyond the limit-th back in.
			if limit > 0 && len(out) > limit {
				slices.SortFunc(out, history.Compare)
				to = out[limit-1].Nanos() + 1
				out = slices.DeleteFunc(out, func(p history.Point) bool { return p.Nanos() >= to })
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, history.Compare)
	return out, nil
}

// Last returns the newest point of every series of a home.
func (s *Store) Last(ctx context.Context, home string) ([]history.Point, error) {
	var out []history.Point
	err := s.view(ctx, "read last values", func(tx *sql.Tx) error {
		all, err := seriesOf(ctx, tx, home, "", "")
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `SELECT t, v, s, u FROM points WHERE series = ? AND t >= ? AND t < ? ORDER BY t DESC LIMIT ?`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		from, to := history.Query{}.Span()
		for _, one := range all {
			if out, err = one.points(ctx, stmt, out, home, from, to, 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, history.Compare)
	return out, nil
}

// Windows sums up numbers in windows of every, at least a second, aligned to
// 1970 UTC. Of hours that have been thinned to their summaries, only those
// that lie in whole in windows of whole hours and between From and To are
// known.
func (s *Store) Windows(ctx context.Context, q history.Query, every time.Duration) ([]history.Window, error) {
	if every < time.Second {
		return nil, fmt.Errorf("read windows of %v: at least a second", every)
	}
	q.After = 0
	from, to := q.Span()
	fold := window.New(int64(every))
	err := s.view(ctx, "read windows", func(tx *sql.Tx) error {
		all, err := seriesOf(ctx, tx, q.Home, q.Device, q.Kind)
		if err != nil {
			return err
		}
		f, err := newFolder(ctx, tx, fold)
		if err != nil {
			return err
		}
		defer f.close()
		for _, one := range all {
			if err := f.series(ctx, one, from, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fold.Windows(), nil
}

// view runs fn in a snapshot of the file.
func (s *Store) view(ctx context.Context, doing string, fn func(tx *sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return unavailable(doing, err)
	}
	return unavailable(doing, errors.Join(fn(tx), ignoreDone(tx.Rollback())))
}

type series struct {
	id int64
	window.Series
}

func seriesOf(ctx context.Context, tx *sql.Tx, home, device string, kind devices.Kind) ([]series, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, device, kind, room FROM series
		WHERE home = $1 AND ($2 = '' OR device = $2) AND ($3 = '' OR kind = $3)`, home, device, string(kind))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []series
	for rows.Next() {
		var one series
		if err := rows.Scan(&one.id, &one.Device, &one.Kind, &one.Room); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// points appends what stmt finds for the series.
func (one series) points(ctx context.Context, stmt *sql.Stmt, out []history.Point, home string, from, to int64, limit int) ([]history.Point, error) {
	rows, err := stmt.QueryContext(ctx, one.id, from, to, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t int64
		var v sql.NullFloat64
		var s, u sql.NullString
		if err := rows.Scan(&t, &v, &s, &u); err != nil {
			return nil, err
		}
		p := history.Point{Home: home, Reading: devices.Reading{Device: one.Device, Kind: one.Kind, Room: one.Room, Text: s.String}}
		p.SetNanos(t)
		if v.Valid {
			p.Value, p.Unit = &v.Float64, devices.Unit(u.String)
		}
		out = append(out, p.Stored())
	}
	return out, rows.Err()
}

// folder sums up series, from summaries where they hold and from readings
// where they do not.
type folder struct {
	fold                  *window.Fold
	numbers, dirty, clean *sql.Stmt
}

func newFolder(ctx context.Context, tx *sql.Tx, fold *window.Fold) (*folder, error) {
	f := &folder{fold: fold}
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&f.numbers, `SELECT t, v FROM points WHERE series = ? AND t >= ? AND t < ? AND v IS NOT NULL ORDER BY t`},
		{&f.dirty, `SELECT hour FROM dirty WHERE series = ? AND hour >= ? AND hour < ? ORDER BY hour`},
		{&f.clean, `SELECT hour, n, min, max, sum, first, last FROM summaries WHERE series = ? AND hour >= ? AND hour < ?`},
	} {
		stmt, err := tx.PrepareContext(ctx, p.sql)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		*p.to = stmt
	}
	return f, nil
}

func (f *folder) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{f.numbers, f.dirty, f.clean} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// series adds what one series says from <= t < to.
func (f *folder) series(ctx context.Context, one series, from, to int64) error {
	first := window.Floor(from+window.Hour-1, window.Hour) // the first whole hour
	end := window.Floor(to, window.Hour)                   // the end of the last one
	if !f.fold.Hourly() || first >= end {
		return f.raw(ctx, one, from, to)
	}
	if err := f.raw(ctx, one, from, first); err != nil {
		return err
	}
	dirty := map[int64]bool{}
	err := each(ctx, f.dirty, func(rows *sql.Rows) error {
		var hour int64
		err := rows.Scan(&hour)
		dirty[hour] = true
		return err
	}, one.id, first, end)
	if err != nil {
		return err
	}
	for from, to := range window.Runs(slices.Sorted(maps.Keys(dirty))) {
		if err := f.raw(ctx, one, from, to); err != nil {
			return err
		}
	}
	err = each(ctx, f.clean, func(rows *sql.Rows) error {
		var hour int64
		var sum window.Summary
		err := rows.Scan(&hour, &sum.Count, &sum.Min, &sum.Max, &sum.Sum, &sum.First, &sum.Last)
		if err == nil && !dirty[hour] {
			f.fold.Put(one.Series, hour, sum)
		}
		return err
	}, one.id, first, end)
	if err != nil {
		return err
	}
	return f.raw(ctx, one, end, to)
}

func (f *folder) raw(ctx context.Context, one series, from, to int64) error {
	if from >= to {
		return nil
	}
	return each(ctx, f.numbers, func(rows *sql.Rows) error {
		var t int64
		var v float64
		err := rows.Scan(&t, &v)
		f.fold.Add(one.Series, t, v)
		return err
	}, one.id, from, to)
}

func each(ctx context.Context, stmt *sql.Stmt, row func(*sql.Rows) error, args ...any) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
