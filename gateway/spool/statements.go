package spool

import "database/sql"

// database is an SQLite database of which every statement is prepared once:
// reading its text takes longer than what most of them do. One goroutine uses it.
type database struct {
	*sql.DB
	prepared map[string]*sql.Stmt
}

func newDatabase(db *sql.DB) *database { return &database{db, map[string]*sql.Stmt{}} }

func (d *database) statement(query string) (*sql.Stmt, error) {
	if s := d.prepared[query]; s != nil {
		return s, nil
	}
	s, err := d.Prepare(query)
	if err == nil {
		d.prepared[query] = s
	}
	return s, err
}

// Query is sql.DB's.
func (d *database) Query(query string, args ...any) (*sql.Rows, error) {
	s, err := d.statement(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// begin opens a transaction.
func (d *database) begin() (*transaction, error) {
	tx, err := d.Begin()
	if err != nil {
		return nil, err
	}
	return &transaction{Tx: tx, database: d, met: map[string]bool{}}, nil
}

// transaction has the only connection there is, so what it meets for the
// first time is prepared for the next when it is over.
type transaction struct {
	*sql.Tx
	database *database
	met      map[string]bool
}

// Exec is sql.Tx's.
func (t *transaction) Exec(query string, args ...any) (sql.Result, error) {
	if s := t.database.prepared[query]; s != nil {
		return t.Stmt(s).Exec(args...)
	}
	t.met[query] = true
	return t.Tx.Exec(query, args...)
}

// QueryRow is sql.Tx's.
func (t *transaction) QueryRow(query string, args ...any) *sql.Row {
	if s := t.database.prepared[query]; s != nil {
		return t.Stmt(s).QueryRow(args...)
	}
	t.met[query] = true
	return t.Tx.QueryRow(query, args...)
}

// remember prepares what the transaction met. It must be over.
func (t *transaction) remember() {
	for query := range t.met {
		_, _ = t.database.statement(query) // what cannot be prepared fails again when it is used
	}
}
