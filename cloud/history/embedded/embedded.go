// Package embedded keeps the time series in an SQLite file of its own: enough
// for a municipality, with nothing to install. It passes history/historytest.
//
// One goroutine owns the writing connection; concurrent writes share its
// transactions, and so its fsyncs. Hourly summaries are made behind the
// writers, and an hour that has changed since is answered from its readings,
// so that answers are always exact.
package embedded

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/lykta/lykta/cloud/history"
)

// Options say how long what is kept. The zero value keeps everything for ever.
type Options struct {
	// Retention is how long readings are kept, by their own time; 0 is for
	// ever. Hours beyond it are thinned to their summaries: windows of whole
	// hours still see them, and a reading that comes later still for such an
	// hour is refused. Without it, replayed recordings of long ago stay.
	Retention time.Duration
	// RollupRetention is how long summaries of thinned hours are kept; 0 is
	// for ever. It is never shorter than Retention.
	RollupRetention time.Duration
	// Log gets what goes wrong in the background; nil is slog.Default.
	Log *slog.Logger
}

// Store is a history.Store in an SQLite file.
type Store struct {
	opts  Options
	log   *slog.Logger
	path  string
	read  *sql.DB
	queue chan *write
	jobs  chan *job

	close sync.Once
	stop  context.CancelFunc // ends the two goroutines
	done  chan struct{}      // closed when the writer has ended and nothing is in the file's way
	err   error              // of closing, to be read after done
}

var (
	errClosed = fmt.Errorf("%w: LYK-0304: it is closed", history.ErrUnavailable)
	errFormat = errors.New("LYK-0305: the file was written by a newer Lykta")
)

//go:embed schema.sql
var schema string

const (
	version = 1
	readers = 4
	waiting = 64 // writes that may wait for the writer's hand before callers wait themselves
)

// Open opens the file at path, making it when it is missing, and starts the
// work in the background. Close ends it.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	if f, err := os.OpenFile(abs, os.O_CREATE|os.O_RDWR, 0o600); err != nil { // SQLite would let others read it
		return nil, fmt.Errorf("open history %s: %w", path, err)
	} else if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open history %s: %w", path, err)
	}
	hand := open(abs, "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=cache_size(-32000)", "_txlock=immediate")
	hand.SetMaxOpenConns(1)
	w := &writer{db: hand, ids: map[key]int64{}}
	if err := w.prepare(ctx, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("open history %s: %w", path, err), hand.Close())
	}
	read := open(abs, "_pragma=query_only(1)", "_pragma=cache_size(-16000)")
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)

	life, stop := context.WithCancel(context.Background())
	s := &Store{
		opts: opts, log: opts.Log, path: abs, read: read, stop: stop,
		queue: make(chan *write, waiting), jobs: make(chan *job), done: make(chan struct{}),
	}
	var tidy sync.WaitGroup
	tidy.Go(func() { s.tidy(life) })
	go func() {
		defer close(s.done)
		w.run(life, s.queue, s.jobs)
		tidy.Wait()
		s.err = errors.Join(w.close(), read.Close())
	}()
	return s, nil
}

func open(path string, params ...string) *sql.DB {
	dsn := (&url.URL{Scheme: "file", Path: path}).String() + "?_pragma=busy_timeout(5000)"
	for _, p := range params {
		dsn += "&" + p
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		panic("embedded: the sqlite driver is linked in: " + err.Error())
	}
	return db
}

// Close ends the work in the background and closes the file. Writes that
// still wait are told that the store is closed.
func (s *Store) Close() error {
	s.close.Do(s.stop)
	<-s.done
	if s.err != nil {
		return fmt.Errorf("close history: %w", s.err)
	}
	return nil
}

// Ping reports whether the file can be read.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return unavailable("ping", s.read.QueryRowContext(ctx, `SELECT 1 FROM sqlite_schema LIMIT 1`).Scan(&one))
}

// Backup writes a consistent copy of the file to path, which must not exist,
// while the store goes on working. The copy is complete when Backup returns
// nil; it is to be moved into place after that.
func (s *Store) Backup(ctx context.Context, path string) error { return Backup(ctx, s.path, path) }

// Backup copies the file of a store, which may be open in any process, to a
// path that must not exist. The copy is complete when Backup returns nil.
func Backup(ctx context.Context, from, to string) error {
	db := open(from) // not a reader: query_only forbids VACUUM INTO
	defer db.Close()
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, to); err != nil {
		return fmt.Errorf("back up history to %s: %w", to, err)
	}
	f, err := os.Open(to)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("back up history to %s: %w", to, err)
	}
	return nil
}

// unavailable wraps an error of the file in what was being done. All of them
// may pass: a full disk is emptied, a broken one replaced.
func unavailable(doing string, err error) error {
	if err == nil || errors.Is(err, history.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", doing, history.ErrUnavailable, err)
}
