package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/window"
)

const (
	maxTx    = 5000    // points in one transaction
	maxRows  = 50      // points in one INSERT
	maxCache = 200_000 // series whose ids are remembered
)

// write is one caller's part of a transaction. The writer answers on done,
// which holds one, so that it never waits for a caller that has gone.
type write struct {
	ctx    context.Context
	points []history.Point
	done   chan error
}

// job is background work that needs the writer's hand for a short while.
type job struct {
	ctx  context.Context
	do   func(ctx context.Context, tx *sql.Tx) error
	done chan error
}

// Write stores points; they are on disk when it returns nil. An error that
// wraps history.ErrUnavailable leaves open which of them were stored.
func (s *Store) Write(ctx context.Context, points []history.Point) error {
	good, refused := history.Sift(points)
	for chunk := range slices.Chunk(good, maxTx) {
		w := &write{ctx: ctx, points: chunk, done: make(chan error, 1)}
		err := unavailable("write history", hand(ctx, s, s.queue, w, w.done))
		var more *history.RefusedError
		if errors.As(err, &more) {
			refused = refused.With(more.Err, more.Points...)
		} else if err != nil {
			return err
		}
	}
	return refused.OrNil()
}

// do runs fn in a transaction of the writer's.
func (s *Store) do(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	j := &job{ctx: ctx, do: fn, done: make(chan error, 1)}
	return hand(ctx, s, s.jobs, j, j.done)
}

// hand gives work to the writer and waits for its answer.
func hand[T any](ctx context.Context, s *Store, to chan<- T, work T, done <-chan error) error {
	select {
	case to <- work:
	case <-ctx.Done():
		return unavailable("wait for the writer", ctx.Err())
	case <-s.done:
		return errClosed
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return unavailable("wait for the writer", ctx.Err())
	case <-s.done:
		select {
		case err := <-done:
			return err
		default:
			return errClosed
		}
	}
}

type key struct{ home, device, kind, room string }

// writer owns the writing connection and what is remembered about it.
type writer struct {
	db  *sql.DB
	ids map[key]int64

	findID, addID, thinned, mark, one, many *sql.Stmt
}

func (w *writer) prepare(ctx context.Context, opts Options) error {
	var v int
	if err := w.db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&v); err != nil {
		return err
	}
	if v > version {
		return fmt.Errorf("%w (format %d, this one knows %d)", errFormat, v, version)
	}
	if _, err := w.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	if opts.Retention > 0 {
		if _, err := w.db.ExecContext(ctx, `CREATE INDEX IF NOT EXISTS summaries_kept ON summaries (hour) WHERE thinned = 0`); err != nil {
			return fmt.Errorf("make index: %w", err)
		}
	}
	const into = `INSERT OR REPLACE INTO points (series, t, v, s, u) VALUES `
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&w.findID, `SELECT id FROM series WHERE home = ? AND device = ? AND kind = ? AND room = ?`},
		{&w.addID, `INSERT INTO series (home, device, kind, room) VALUES (?, ?, ?, ?) RETURNING id`},
		{&w.thinned, `SELECT thinned FROM summaries WHERE series = ? AND hour = ?`},
		{&w.mark, `INSERT OR IGNORE INTO dirty (series, hour) VALUES (?, ?)`},
		{&w.one, into + `(?, ?, ?, ?, ?)`},
		{&w.many, into + strings.Repeat(`(?, ?, ?, ?, ?), `, maxRows-1) + `(?, ?, ?, ?, ?)`},
	} {
		stmt, err := w.db.PrepareContext(ctx, p.sql)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		*p.to = stmt
	}
	return nil
}

func (w *writer) close() error { return w.db.Close() }

// run takes writes and jobs until ctx ends.
func (w *writer) run(ctx context.Context, queue <-chan *write, jobs <-chan *job) {
	for {
		select {
		case first := <-queue:
			w.commit(context.WithoutCancel(ctx), gather(first, queue))
		case j := <-jobs:
			j.done <- w.tx(j.ctx, func(tx *sql.Tx) error { return j.do(j.ctx, tx) })
		case <-ctx.Done():
			return
		}
	}
}

// gather adds to the first write those that wait behind it, up to a
// transaction's bound.
func gather(first *write, queue <-chan *write) []*write {
	group, n := []*write{first}, len(first.points)
	for n < maxTx {
		select {
		case next := <-queue:
			group, n = append(group, next), n+len(next.points)
		default:
			return group
		}
	}
	return group
}

func (w *writer) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return unavailable("begin", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return unavailable("commit", tx.Commit())
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// commit stores a group of writes in one transaction and answers each. It
// does not run by the callers' contexts: one that gives up must not undo the
// others' writes.
func (w *writer) commit(ctx context.Context, group []*write) {
	refused := make([]*history.RefusedError, len(group))
	fresh := map[key]int64{}
	err := w.tx(ctx, func(tx *sql.Tx) error {
		for i, one := range group {
			if one.ctx.Err() != nil {
				continue // its caller has gone already
			}
			var err error
			if refused[i], err = w.insert(ctx, tx, one.points, fresh); err != nil {
				return unavailable("insert points", err)
			}
		}
		return nil
	})
	if err == nil {
		if len(w.ids)+len(fresh) > maxCache {
			clear(w.ids)
		}
		for k, id := range fresh {
			w.ids[k] = id
		}
	}
	for i, one := range group {
		switch {
		case err != nil:
			one.done <- err
		case one.ctx.Err() != nil:
			one.done <- unavailable("write points", one.ctx.Err())
		default:
			one.done <- refused[i].OrNil()
		}
	}
}

type row struct {
	series, t int64
	point     *history.Point
}

func (w *writer) insert(ctx context.Context, tx *sql.Tx, points []history.Point, fresh map[key]int64) (*history.RefusedError, error) {
	rows := make([]row, 0, len(points))
	for i := range points {
		id, err := w.series(ctx, tx, &points[i], fresh)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{id, points[i].Nanos(), &points[i]})
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.series != b.series {
			return int(a.series - b.series)
		}
		switch {
		case a.t < b.t:
			return -1
		case a.t > b.t:
			return 1
		}
		return 0
	})

	var refused *history.RefusedError
	keep := rows[:0]
	thinned := tx.StmtContext(ctx, w.thinned)
	mark := tx.StmtContext(ctx, w.mark)
	for len(rows) > 0 {
		series, hour := rows[0].series, window.Floor(rows[0].t, window.Hour)
		n := 1
		for n < len(rows) && rows[n].series == series && rows[n].t < hour+window.Hour {
			n++
		}
		var gone bool
		if err := thinned.QueryRowContext(ctx, series, hour).Scan(&gone); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if gone {
			for _, r := range rows[:n] {
				refused = refused.With(history.ErrThinned, *r.point)
			}
		} else {
			if _, err := mark.ExecContext(ctx, series, hour); err != nil {
				return nil, err
			}
			keep = append(keep, rows[:n]...)
		}
		rows = rows[n:]
	}

	args := make([]any, 0, 5*maxRows)
	for chunk := range slices.Chunk(keep, maxRows) {
		if len(chunk) == maxRows {
			args = args[:0]
			for _, r := range chunk {
				args = r.append(args)
			}
			if _, err := tx.StmtContext(ctx, w.many).ExecContext(ctx, args...); err != nil {
				return nil, err
			}
			continue
		}
		stmt := tx.StmtContext(ctx, w.one)
		for _, r := range chunk {
			if _, err := stmt.ExecContext(ctx, r.append(args[:0])...); err != nil {
				return nil, err
			}
		}
	}
	return refused, nil
}

func (r row) append(args []any) []any {
	p := r.point.Stored()
	var v, s, u any
	if p.Value != nil {
		v = *p.Value
	}
	if p.Text != "" {
		s = p.Text
	}
	if p.Unit != p.Kind.Unit() && p.Value != nil {
		u = string(p.Unit)
	}
	return append(args, r.series, r.t, v, s, u)
}

// series returns the id of the point's series. New ones are only remembered
// for good once their transaction stands.
func (w *writer) series(ctx context.Context, tx *sql.Tx, p *history.Point, fresh map[key]int64) (int64, error) {
	k := key{p.Home, p.Device, string(p.Kind), p.Room}
	if id, ok := w.ids[k]; ok {
		return id, nil
	}
	if id, ok := fresh[k]; ok {
		return id, nil
	}
	var id int64
	err := tx.StmtContext(ctx, w.findID).QueryRowContext(ctx, k.home, k.device, k.kind, k.room).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.StmtContext(ctx, w.addID).QueryRowContext(ctx, k.home, k.device, k.kind, k.room).Scan(&id)
	}
	if err != nil {
		return 0, err
	}
	fresh[k] = id
	return id, nil
}
