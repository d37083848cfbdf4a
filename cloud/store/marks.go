package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// Each gateway's mark has a row in a page of its own, and at a country's size
// each commit brings hundreds: written there at once, most of what goes to disk
// would be pages for a few bytes each. A commit writes all of its marks into one
// row of a journal, and FoldMarks brings them to their places now and then, page
// by page.

// journaled is a mark in the journal.
type journaled struct {
	Gateway   string    `json:"g"`
	Lane      wire.Lane `json:"l"`
	Epoch     string    `json:"e"`
	Evaluated uint64    `json:"v"`
	Stored    uint64    `json:"s"`
	Heard     int64     `json:"h"` // µs since 1970, 0 is never
}

func (t *tx) putMarks(ctx context.Context, c care.Commit) error {
	if len(c.Marks) == 0 {
		return nil
	}
	entries := make([]journaled, 0, len(c.Marks))
	for _, m := range c.Marks {
		entries = append(entries, journaled{text(m.Gateway), wire.Lane(text(string(m.Lane))), text(m.Epoch), m.Evaluated, m.Stored, micros(m.Heard)})
	}
	data, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("marks: %w", err)
	}
	if _, err := t.exec(ctx, `INSERT INTO marks_journal (id, marks) SELECT COALESCE(MAX(id), 0) + 1, $1 FROM marks_journal`, string(data)); err != nil {
		return fmt.Errorf("marks: %w", err)
	}
	return nil
}

// journal reads the marks that are not at their places yet, and the number of
// the last row; 0 is none.
func (s *Store) journal(ctx context.Context) ([]care.Mark, int64, error) {
	var marks []care.Mark
	var last int64
	joinFrom := 100_000 // a log is in many rows
	_, err := list(ctx, s.read, func(row scanner) (_ struct{}, err error) {
		var data string
		var entries []journaled
		if err := row.Scan(&last, &data); err != nil {
			return struct{}{}, err
		}
		if err := json.Unmarshal([]byte(data), &entries); err != nil {
			return struct{}{}, fmt.Errorf("row %d: %w", last, err)
		}
		for _, e := range entries {
			m := care.Mark{Gateway: e.Gateway, Lane: e.Lane, Epoch: e.Epoch, Evaluated: e.Evaluated, Stored: e.Stored}
			if e.Heard != 0 {
				m.Heard = time.UnixMicro(e.Heard).UTC()
			}
			marks = append(marks, m)
		}
		if len(marks) > joinFrom {
			marks = highest(marks)
			joinFrom = 2*len(marks) + 100_000
		}
		return struct{}{}, nil
	}, `SELECT id, marks FROM marks_journal ORDER BY id`)
	if err != nil {
		return nil, 0, fmt.Errorf("journal of marks: %w", err)
	}
	return highest(marks), last, nil
}

// Marks returns how far every log has been read.
func (s *Store) Marks(ctx context.Context) ([]care.Mark, error) {
	// The journal first: what is folded meanwhile is then seen twice, not never.
	newer, _, err := s.journal(ctx)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	marks, err := list(ctx, s.read, func(row scanner) (m care.Mark, err error) {
		err = row.Scan(&m.Gateway, &m.Lane, &m.Epoch, &m.Evaluated, &m.Stored, (*when)(&m.Heard))
		return m, err
	}, `SELECT gateway, lane, epoch, evaluated, stored, heard FROM marks ORDER BY gateway, lane, epoch`)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	if len(newer) == 0 {
		return marks, nil
	}
	return highest(append(marks, newer...)), nil
}

// foldedAtOnce is how many marks are folded in one transaction, between which
// others write.
const foldedAtOnce = 500

// FoldMarks brings the marks of the journal to their places. What it has done
// when it is ended stays; the rest is done by the next.
func (s *Store) FoldMarks(ctx context.Context) error {
	marks, last, err := s.journal(ctx)
	if err != nil || last == 0 {
		return err
	}
	for some := range slices.Chunk(marks, foldedAtOnce) {
		rows := make([][]any, 0, len(some))
		for _, m := range some {
			rows = append(rows, []any{m.Gateway, string(m.Lane), m.Epoch, m.Evaluated, m.Stored, m.Heard})
		}
		err := s.update(ctx, func(t *tx) error {
			return t.insert(ctx, `INSERT INTO marks (gateway, lane, epoch, evaluated, stored, heard)`,
				`ON CONFLICT (gateway, lane, epoch) DO UPDATE SET
					evaluated = CASE WHEN excluded.evaluated > marks.evaluated THEN excluded.evaluated ELSE marks.evaluated END,
					stored = CASE WHEN excluded.stored > marks.stored THEN excluded.stored ELSE marks.stored END,
					heard = CASE WHEN excluded.heard > marks.heard THEN excluded.heard ELSE marks.heard END`, rows)
		})
		if err != nil {
			return fmt.Errorf("fold marks: %w", err)
		}
	}
	err = s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM marks_journal WHERE id <= $1`, last)
		return err
	})
	if err != nil {
		return fmt.Errorf("fold marks: %w", err)
	}
	return nil
}

// highest joins the marks of each log into one, as a statement may touch a row
// but once, in the order of their places.
func highest(marks []care.Mark) []care.Mark {
	type log struct{ gateway, lane, epoch string }
	joined := make(map[log]care.Mark, len(marks))
	for _, m := range marks {
		key := log{m.Gateway, string(m.Lane), m.Epoch}
		if have, ok := joined[key]; ok {
			m.Evaluated, m.Stored = max(m.Evaluated, have.Evaluated), max(m.Stored, have.Stored)
			if m.Heard.Before(have.Heard) {
				m.Heard = have.Heard
			}
		}
		joined[key] = m
	}
	return slices.SortedFunc(maps.Values(joined), func(a, b care.Mark) int {
		return cmp.Or(cmp.Compare(a.Gateway, b.Gateway), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Epoch, b.Epoch))
	})
}
