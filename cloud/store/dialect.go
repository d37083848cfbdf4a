package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is all in which the two databases differ.
type dialect struct {
	migrations goose.Dialect
	// lock, when not empty, opens every transaction that writes: it waits until
	// no other process writes. SQLite does so by BEGIN IMMEDIATE.
	lock string
	// rows is how many rows go into one INSERT: many where each statement is a
	// round trip, few where long statements are dear to parse.
	rows int
	// prepare says that statements are to be prepared once; else the driver does so.
	prepare bool
	// busy reports whether a transaction did not begin because another process
	// writes, and may be tried again.
	busy   func(error) bool
	backup func(ctx context.Context, path string) error
}

// readers bounds the connections that read at one time.
const readers = 4

var errAddress = errors.New(`LYK-0700: a database address is "sqlite:/path/file.db" or "postgres://user@host/name"`)

// connect opens the connections of an address: one that writes, a few that
// read. The address may hold a password and is in no error.
func connect(address string) (write, read *sql.DB, d dialect, err error) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		return openSQLite(rest)
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(address)
	}
	return nil, nil, dialect{}, errAddress
}

func openSQLite(path string) (write, read *sql.DB, d dialect, err error) {
	path = filepath.Clean(path)
	// Health data: for nobody but the service. The log and the shared memory
	// beside the file get the file's own mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, dialect{}, fmt.Errorf("LYK-0701: open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, nil, dialect{}, fmt.Errorf("LYK-0701: open database: %w", err)
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	// A wait inside SQLite does not end with a context, so the one that writes
	// waits in short turns.
	writes := url.Values{"_pragma": {"busy_timeout(500)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-65536)", "wal_autocheckpoint(4000)"}, "_txlock": {"immediate"}}
	reads := url.Values{"_pragma": {"busy_timeout(15000)", "query_only(1)"}}
	if write, err = sql.Open("sqlite", file+"?"+writes.Encode()); err != nil {
		return nil, nil, dialect{}, fmt.Errorf("LYK-0701: open database: %w", err)
	}
	if read, err = sql.Open("sqlite", file+"?"+reads.Encode()); err != nil {
		return nil, nil, dialect{}, errors.Join(fmt.Errorf("LYK-0701: open database: %w", err), write.Close())
	}
	return write, read, dialect{
		migrations: goose.DialectSQLite3,
		rows:       8,
		prepare:    true,
		busy: func(err error) bool {
			var e *sqlite.Error
			return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
		},
		backup: func(ctx context.Context, to string) error { return backupSQLite(ctx, file, to) },
	}, nil
}

func openPostgres(address string) (write, read *sql.DB, d dialect, err error) {
	config, err := pgx.ParseConfig(address) // its errors hide the password
	if err != nil {
		return nil, nil, dialect{}, fmt.Errorf("%w: %w", errAddress, err)
	}
	return stdlib.OpenDB(*config), stdlib.OpenDB(*config), dialect{
		migrations: goose.DialectPostgres,
		// The number is any; it must only be the same in every version. What
		// has been acknowledged to a home must outlive a crash of the database
		// server, whatever that server's own default. And a service whose
		// machine is gone in the middle must not keep the lock from the next.
		lock: `SELECT pg_advisory_xact_lock(7596553784), set_config('synchronous_commit', 'on', true),
			set_config('idle_in_transaction_session_timeout', '30s', true)`,
		rows:   200,
		busy:   func(error) bool { return false }, // waits for the lock
		backup: backupPostgres,
	}, nil
}

// backupSQLite copies the database as of one moment while others go on
// writing. The copy gets its name when it is whole.
func backupSQLite(ctx context.Context, file, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("LYK-0705: back up to %s: %w", path, os.ErrExist)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial") // mode 0600
	if err != nil {
		return fmt.Errorf("LYK-0705: back up: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("LYK-0705: back up: %w", err), os.Remove(f.Name()))
		}
	}()
	defer f.Close()
	// A connection of its own: those that read may not write anywhere, and the
	// one that writes has other things to do.
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(15000)")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, f.Name()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func backupPostgres(context.Context, string) error {
	return errors.New("LYK-0704: a PostgreSQL database is backed up with its own tool: pg_dump --format=custom")
}
