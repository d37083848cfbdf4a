package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/history/window"
)

const (
	pause = time.Minute     // between two passes in the background
	grace = 5 * time.Minute // after an hour's end, before it is summed up
	batch = 64              // hours of series in one transaction
)

// tidy rolls up and thins until ctx ends.
func (s *Store) tidy(ctx context.Context) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.Rollup(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("history: summing up hours failed; it is tried again", "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Rollup sums up all hours that have changed and are over, and thins those
// beyond the retention. It does so in small steps between which writes go
// ahead. The store does it by itself every minute; answers never depend on it.
func (s *Store) Rollup(ctx context.Context) error {
	now := time.Now()
	if err := s.steps(ctx, sumUp, now.Add(-grace).UnixNano()-window.Hour+1); err != nil {
		return fmt.Errorf("sum up hours: %w", err)
	}
	if s.opts.Retention <= 0 {
		return nil
	}
	if err := s.steps(ctx, thin, now.Add(-s.opts.Retention).UnixNano()-window.Hour+1); err != nil {
		return fmt.Errorf("thin old hours: %w", err)
	}
	if s.opts.RollupRetention <= 0 {
		return nil
	}
	keep := max(s.opts.Retention, s.opts.RollupRetention)
	if err := s.steps(ctx, forget, now.Add(-keep).UnixNano()-window.Hour+1); err != nil {
		return fmt.Errorf("drop old summaries: %w", err)
	}
	return nil
}

// steps repeats a step, each in a transaction of its own, until it finds no
// more hours that start before the given time.
func (s *Store) steps(ctx context.Context, step func(ctx context.Context, tx *sql.Tx, before int64) (int, error), before int64) error {
	for {
		var n int
		err := s.do(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			n, err = step(ctx, tx, before)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

type hourOf struct{ series, hour int64 }

func hours(ctx context.Context, tx *sql.Tx, query string, before int64) ([]hourOf, error) {
	rows, err := tx.QueryContext(ctx, query, before, batch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []hourOf
	for rows.Next() {
		var h hourOf
		if err := rows.Scan(&h.series, &h.hour); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

func sumUp(ctx context.Context, tx *sql.Tx, before int64) (int, error) {
	todo, err := hours(ctx, tx, `SELECT series, hour FROM dirty WHERE hour < ? ORDER BY hour LIMIT ?`, before)
	if err != nil {
		return 0, err
	}
	f, err := newFolder(ctx, tx, nil)
	if err != nil {
		return 0, err
	}
	defer f.close()
	for _, h := range todo {
		f.fold = window.New(window.Hour)
		if err := f.raw(ctx, series{id: h.series}, h.hour, h.hour+window.Hour); err != nil {
			return 0, err
		}
		// An hour of texts alone has a summary too: thinning goes by them.
		var sum window.Summary
		f.fold.Each(func(_ window.Series, _ int64, one window.Summary) { sum = one })
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO summaries (series, hour, n, min, max, sum, first, last) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			h.series, h.hour, sum.Count, sum.Min, sum.Max, sum.Sum, sum.First, sum.Last); err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM dirty WHERE series = ? AND hour = ?`, h.series, h.hour); err != nil {
			return 0, err
		}
	}
	return len(todo), nil
}

func thin(ctx context.Context, tx *sql.Tx, before int64) (int, error) {
	todo, err := hours(ctx, tx, `SELECT series, hour FROM summaries AS s WHERE thinned = 0 AND hour < ?
		AND NOT EXISTS (SELECT 1 FROM dirty AS d WHERE d.series = s.series AND d.hour = s.hour) LIMIT ?`, before)
	if err != nil {
		return 0, err
	}
	for _, h := range todo {
		_, err := tx.ExecContext(ctx, `DELETE FROM points WHERE series = ? AND t >= ? AND t < ?`, h.series, h.hour, h.hour+window.Hour)
		if err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE summaries SET thinned = 1 WHERE series = ? AND hour = ?`, h.series, h.hour); err != nil {
			return 0, err
		}
	}
	return len(todo), nil
}

// forget drops summaries of thinned hours, series by series: the table is
// clustered so.
func forget(ctx context.Context, tx *sql.Tx, before int64) (int, error) {
	var id int64
	err := tx.QueryRowContext(ctx, `SELECT id FROM series AS s WHERE EXISTS
		(SELECT 1 FROM summaries AS h WHERE h.series = s.id AND h.hour < ? AND h.thinned = 1) LIMIT 1`, before).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM summaries WHERE series = ? AND hour < ? AND thinned = 1`, id, before)
	return 1, err
}
