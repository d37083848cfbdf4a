package store

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
)

// statements are the prepared statements of a database: with SQLite, reading
// the text of one takes longer than most of what they do. PostgreSQL's driver
// keeps its own.
type statements struct {
	db   *sql.DB
	on   bool
	mu   sync.Mutex
	have map[string]*sql.Stmt
}

func newStatements(db *sql.DB, on bool) *statements {
	return &statements{db: db, on: on, have: map[string]*sql.Stmt{}}
}

func (s *statements) find(query string) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have[query]
}

// prepare makes a statement ready for the next time. One that cannot be made
// is left to fail where it is used.
func (s *statements) prepare(ctx context.Context, query string) *sql.Stmt {
	if !s.on {
		return nil
	}
	if have := s.find(query); have != nil {
		return have
	}
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.have[query]; have != nil { // somebody was quicker
		_ = stmt.Close()
		return have
	}
	s.have[query] = stmt
	return stmt
}

// QueryContext is sql.DB's.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := s.prepare(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return s.db.QueryContext(ctx, query, args...)
}

// tx is a transaction that writes. It has the only connection that does, so
// what it meets for the first time is prepared when it is over.
type tx struct {
	*sql.Tx
	rows     int // per INSERT
	prepared *statements
	met      map[string]bool
	log      *slog.Logger
}

func (t *tx) statement(ctx context.Context, query string) *sql.Stmt {
	if stmt := t.prepared.find(query); stmt != nil {
		return t.StmtContext(ctx, stmt)
	}
	t.met[query] = t.prepared.on
	return nil
}

// ExecContext is sql.Tx's.
func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := t.statement(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// QueryContext is sql.Tx's.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := t.statement(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is sql.Tx's.
func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := t.statement(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, query, args...)
}
