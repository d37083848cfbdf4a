// Package store keeps in SQL what must not be lost: homes, alarms, alerts,
// how far each gateway's logs have been read, who may come in, and who looked
// at what. One SQL text serves SQLite and PostgreSQL.
//
// All writes of all processes on one database happen one after the other, so
// that numbers given out in a transaction (event ids) are in the order of the
// commits. A method that returned without an error has its effect on disk; one
// that returned an error has had none, except that after a lost connection to
// PostgreSQL nobody can know: every method may be repeated.
//
// Text is stored as valid UTF-8 without NUL; what is not is replaced by U+FFFD.
// Times are cut to microseconds.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
)

// sentinel is an error that also is another one, without its text.
type sentinel struct {
	text string
	is   error
}

func (s *sentinel) Error() string        { return s.text }
func (s *sentinel) Is(target error) bool { return target == s.is }

// Errors of the store. They also match fs.ErrNotExist and fs.ErrExist, for
// those who do not know this package.
var (
	ErrNotFound error = &sentinel{"not found in the database", fs.ErrNotExist}
	ErrExists   error = &sentinel{"exists in the database already", fs.ErrExist}
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is a database. It is safe for concurrent use, also by several
// processes on one database.
type Store struct {
	// Log gets what is stored and cannot be read, where that is passed over; nil
	// is slog.Default. It is set before anything else is called.
	Log *slog.Logger

	faults  sync.Map // ids of homes of which it was said that something cannot be read
	write   *sql.DB
	writes  *statements // those of write
	read    *statements
	dialect dialect
}

// Open opens the database at "sqlite:/path/file.db" or "postgres://…", creates
// what is not there yet, and brings an older one up to date.
func Open(ctx context.Context, url string) (*Store, error) {
	write, read, d, err := connect(url)
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	s := &Store{write: write, writes: newStatements(write, d.prepare), read: newStatements(read, d.prepare), dialect: d}
	if err := write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("LYK-0701: open database: %w", err), s.Close())
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// migrateTries is how often migrations are tried: of two processes that start
// at the same moment on an old database, one finds the other's work half done.
const migrateTries = 10

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("LYK-0702: bring the database up to date: %w", err)
	}
	for try := 1; ; try++ {
		// A new provider each time: one remembers that it made its own table.
		p, err := goose.NewProvider(s.dialect.migrations, s.write, files,
			goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return fmt.Errorf("LYK-0702: bring the database up to date: %w", err)
		}
		if err = up(ctx, p); err == nil || errors.Is(err, errNewer) {
			return err
		}
		if try == migrateTries || ctx.Err() != nil {
			return fmt.Errorf("LYK-0702: bring the database up to date: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

var errNewer = errors.New("LYK-0703: the database was made by a newer version of this program")

func up(ctx context.Context, p *goose.Provider) error {
	have, want, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case have > want:
		return fmt.Errorf("%w: it is at step %d, this program knows %d", errNewer, have, want)
	case have == want:
		return nil
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database. It waits for what is being done.
func (s *Store) Close() error {
	if err := errors.Join(s.read.db.Close(), s.write.Close()); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.db.QueryRowContext(ctx, `SELECT 1 FROM counters WHERE name = 'event'`).Scan(&one); err != nil {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}

// Backup writes a copy of the database, as of one moment, to path, where
// nothing may be yet. Others go on reading and writing. PostgreSQL refuses and
// names its own tool.
func (s *Store) Backup(ctx context.Context, path string) error {
	return s.dialect.backup(ctx, path)
}

// longest is when a transaction is given up because the database does not
// answer; none that works takes nearly as long.
const longest = time.Minute

// update runs f in a transaction that no other overlaps. It is committed when
// f returns nil. Ending ctx stops the waiting and the work, but not the commit
// itself: whether that has happened is never in doubt on account of ctx.
func (s *Store) update(ctx context.Context, f func(*tx) error) error {
	err := s.transact(ctx, f)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		// Drivers say "interrupted" or "bad connection".
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

func (s *Store) transact(ctx context.Context, f func(*tx) error) error {
	conn, err := s.write.Conn(ctx) // waits for the writer of this process
	if err != nil {
		return err
	}
	met := map[string]bool{}
	defer func() {
		_ = conn.Close() // back to the pool
		for query, prepare := range met {
			if prepare {
				s.writes.prepare(ctx, query)
			}
		}
	}()
	life, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
	defer cancel()
	stop := context.AfterFunc(ctx, cancel) // until the transaction has begun
	t, err := conn.BeginTx(life, nil)
	for err != nil && s.dialect.busy(err) && life.Err() == nil {
		t, err = conn.BeginTx(life, nil)
	}
	if !stop() && err == nil {
		err = errors.Join(ctx.Err(), t.Rollback())
	}
	if err != nil {
		return err
	}
	defer t.Rollback() // does nothing after the commit
	if s.dialect.lock != "" {
		if _, err := t.ExecContext(ctx, s.dialect.lock); err != nil {
			return err
		}
	}
	if err := f(&tx{t, s.dialect.rows, s.writes, met, s.log()}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.Commit()
}

func (s *Store) log() *slog.Logger {
	if s.Log == nil {
		return slog.Default()
	}
	return s.Log
}

// exec runs one statement and returns how many rows it touched.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := t.ExecContext(ctx, query, params(args)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// insert runs "head VALUES (…), (…) tail" for all rows, which have equally
// many columns.
func (t *tx) insert(ctx context.Context, head, tail string, rows [][]any) error {
	for len(rows) > 0 {
		n := min(len(rows), t.rows)
		query := head + values(n, len(rows[0])) + tail
		for len(rows) >= n {
			if _, err := t.ExecContext(ctx, query, params(slices.Concat(rows[:n]...))...); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

// values returns " VALUES ($1, $2), ($3, $4) " for 2 rows of 2 columns.
func values(rows, columns int) string {
	var b strings.Builder
	b.WriteString(" VALUES ")
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	b.WriteString(") ")
	return b.String()
}

// next takes n numbers of a counter and returns the first of them.
func (t *tx) next(ctx context.Context, counter string, n int) (int64, error) {
	var last int64
	err := t.QueryRowContext(ctx, `UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value`, n, counter).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("number of the next %s: %w", counter, err)
	}
	return last - int64(n) + 1, nil
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// scanner is one row.
type scanner interface{ Scan(dest ...any) error }

// list returns what scan makes of every row.
func list[T any](ctx context.Context, q queryer, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, params(args)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one returns what scan makes of the first row, ErrNotFound when there is none.
func one[T any](ctx context.Context, q queryer, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	found, err := list(ctx, q, scan, query, args...)
	switch {
	case err != nil:
		return none, err
	case len(found) == 0:
		return none, ErrNotFound
	}
	return found[0], nil
}

// params makes arguments what both drivers and both databases take alike.
func params(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			arg = text(v)
		case time.Time:
			arg = micros(v)
		case uint64:
			arg = int64(v)
		case []byte:
			if v == nil {
				arg = []byte{}
			}
		}
		out[i] = arg
	}
	return out
}

// text returns s as PostgreSQL can store it: valid UTF-8 without NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// micros returns t in microseconds since 1970 UTC, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// cut returns t as it comes back from the database.
func cut(t time.Time) time.Time {
	if us := micros(t); us != 0 {
		return time.UnixMicro(us).UTC()
	}
	return time.Time{}
}

// when scans microseconds into a time.
type when time.Time

// Scan implements sql.Scanner.
func (w *when) Scan(src any) error {
	us, ok := src.(int64)
	if !ok {
		return fmt.Errorf("%T is not a time in microseconds", src)
	}
	*w = when{}
	if us != 0 {
		*w = when(time.UnixMicro(us).UTC())
	}
	return nil
}

// truth scans 0 or 1.
type truth bool

// Scan implements sql.Scanner.
func (b *truth) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("%T is not 0 or 1", src)
	}
	*b = n != 0
	return nil
}

// number is a truth as both databases store it.
func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// bound returns limit as SQL takes it; 0 and less is no limit. In SQL it stands as
// CAST($1 AS BIGINT): for a bare parameter after LIMIT, SQLite reads the whole
// statement anew each time that it gets a value.
func bound(limit int) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	return int64(limit)
}
