package store

import (
	"context"
	"fmt"

	"github.com/lykta/lykta/cloud/care"
)

// tell notes that something of a home has changed, for the staff's
// screens. Of each kind in each home the latest change is kept.
func (t *tx) tell(ctx context.Context, kind care.NewsKind, home, what string) error {
	id, err := t.next(ctx, "change", 1)
	if err == nil {
		_, err = t.exec(ctx, `INSERT INTO changes (home, kind, id, what)`+values(1, 4)+
			`ON CONFLICT (home, kind) DO UPDATE SET id = excluded.id, what = excluded.what`, home, string(kind), id, what)
	}
	return err
}

// News returns the changes after one, oldest first. Of each kind in each
// home it is the latest.
func (s *Store) News(ctx context.Context, after int64, limit int) ([]care.News, error) {
	changes, err := list(ctx, s.read, func(row scanner) (c care.News, err error) {
		err = row.Scan(&c.ID, &c.Kind, &c.Home, &c.What)
		return c, err
	}, `SELECT id, kind, home, what FROM changes WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)`, after, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read what has changed: %w", err)
	}
	return changes, nil
}

// LastNews returns the id of the newest change, 0 when there is none.
func (s *Store) LastNews(ctx context.Context) (int64, error) {
	var id int64
	if err := s.read.db.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'change'`).Scan(&id); err != nil {
		return 0, fmt.Errorf("read the newest change: %w", err)
	}
	return id, nil
}
