// Package spool is the home's durable queue: what Append has returned is on
// the disk, and stays there until the cloud has said that it has it.
//
// It is two gapless logs, the lanes, in one SQLite database. A record's
// place, (epoch, lane, seq), is fixed before Append returns and never given to another
// record once it may have been sent. The queue is bounded: beyond
// Options.MaxBytes telemetry is thinned, and each thinning leaves a
// wire.Dropped record in the log that says exactly how much is gone. The
// alarm lane is never thinned.
package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
)

// Errors that callers tell apart.
var (
	// ErrFull: the disk has no room. Nothing was stored.
	ErrFull = errors.New("no room on the disk")
	// ErrClosed: the spool was closed. Nothing was stored.
	ErrClosed = errors.New("spool is closed")
	// ErrAhead: the cloud claims to have records that this spool has never
	// had, so the spool is an old copy of itself. Renew puts it right.
	ErrAhead = errors.New("the cloud is ahead of this spool")
	// ErrRecord: a record that the wire protocol could not carry. Nothing was stored.
	ErrRecord = errors.New("record cannot be sent")
	// ErrInUse: another process has the spool open.
	ErrInUse = errors.New("the data directory is in use by another process")
)

// Options of Open.
type Options struct {
	Dir     string
	Gateway string       // the device name in dropped records
	Clock   *clock.Clock // says which boot records belong to
	// MaxBytes bounds the stored records' JSON; 0 is 256 MiB.
	MaxBytes int64
	// Reserve is the size of a file kept only to be deleted when the disk is
	// full, so that alarms still find room; 0 is 4 MiB, negative is none.
	Reserve int64
	Log     *slog.Logger

	chunk   int    // records thinned at a time; 0 is 2000
	release func() // in tests, stands in for deleting the reserve
}

// Entry is a record to store. Its time is wall-clock time when ClockOK, and
// else on the line of the boot that is running.
type Entry struct {
	Record  wire.Record
	ClockOK bool
	// Key, when set, is what the entry was asked for with: an entry whose key
	// was stored before is not stored again, and has the position that it got then.
	Key string
}

// Position is a record's place: unique for ever.
type Position struct {
	Lane  wire.Lane
	Epoch string
	Seq   uint64
}

// Lane is where a lane stands.
type Lane struct {
	Name  wire.Lane `json:"lane"`
	Epoch string    `json:"epoch"`
	Last  uint64    `json:"last"`  // sequence number given last
	Acked uint64    `json:"acked"` // everything up to here is in the cloud, and deleted
	Depth int       `json:"depth"` // records waiting
	Bytes int64     `json:"bytes"` // their size as JSON

	sentHigh uint64 // nothing above was ever handed out, as persisted in big steps
	handed   uint64 // the same, exactly, for this process
	thinned  uint64 // records up to here have been thinned to their survivors
}

// Spool is safe for concurrent use. One goroutine owns the database; Close
// stops it.
type Spool struct {
	opt  Options
	log  *slog.Logger
	lock *os.File

	appends  chan *appendCall
	calls    chan func()
	stop     chan struct{}
	done     chan struct{}
	closing  sync.Once
	appended chan struct{}

	// Owned by the goroutine of own.
	db      *database
	broken  bool      // damaged, and not replaced yet
	doubted time.Time // when damage was last looked at twice
	epoch   string
	boot    int64 // row of this process's boot
	lanes   lanes
	limit   int64 // MaxBytes, or less while the disk is full
	stuck   bool  // over the limit with nothing left to thin
	reserve reserve

	mu   sync.Mutex
	seen lanes // copy of lanes for Lane()
}

type lanes [2]Lane

func index(l wire.Lane) int {
	if l == wire.Alarm {
		return 0
	}
	return 1
}

// Open opens or makes the spool in opt.Dir. A damaged database is set aside,
// kept, and replaced by a new one with a new epoch: a home is not left
// without a queue. It returns ErrInUse when another process has it.
func Open(opt Options) (*Spool, error) {
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = 256 << 20
	}
	if opt.Reserve == 0 {
		opt.Reserve = 4 << 20
	}
	if opt.chunk <= 0 {
		opt.chunk = 2000
	}
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := lockDir(opt.Dir)
	if err != nil {
		return nil, err
	}
	s := &Spool{
		opt: opt, log: opt.Log, lock: lock, limit: opt.MaxBytes,
		appends: make(chan *appendCall), calls: make(chan func()),
		stop: make(chan struct{}), done: make(chan struct{}), appended: make(chan struct{}, 1),
		reserve: reserve{path: filepath.Join(opt.Dir, "reserve"), size: opt.Reserve, released: opt.release},
	}
	if err := s.openOrReplace(); err != nil {
		lock.Close()
		return nil, err
	}
	s.reserve.restore(time.Now())
	s.publish()
	go s.own()
	return s, nil
}

// Close waits for what is being stored and closes the database.
func (s *Spool) Close() error {
	s.closing.Do(func() { close(s.stop) })
	<-s.done
	err := s.db.Close()
	s.lock.Close()
	if err != nil {
		return fmt.Errorf("close spool: %w", err)
	}
	return nil
}

// Appended receives after records were stored. It is for one reader: the sender.
func (s *Spool) Appended() <-chan struct{} { return s.appended }

// Lane says where a lane stands.
func (s *Spool) Lane(l wire.Lane) Lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[index(l)]
}

func (s *Spool) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = s.lanes
}

// own is the goroutine that owns the database. Thinning is done a chunk at a
// time between calls, so that a press waits for one chunk at most.
func (s *Spool) own() {
	defer close(s.done)
	for {
		if s.over() && !s.stuck {
			select {
			case c := <-s.appends:
				s.commit(s.gather(c))
			case f := <-s.calls:
				f()
			case <-s.stop:
				return
			default:
				s.thin()
			}
			continue
		}
		select {
		case c := <-s.appends:
			s.commit(s.gather(c))
		case f := <-s.calls:
			f()
		case <-s.stop:
			return
		}
	}
}

// call runs f on the owner's goroutine.
func (s *Spool) call(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	select {
	case s.calls <- func() {
		err := f()
		if damaged(err) {
			err = errors.Join(err, s.replace(err))
			s.publish()
		}
		done <- err
	}:
		return <-done
	case <-s.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

type appendCall struct {
	rows      []row
	replaced  []int64 // presses that the rows stand for anew
	source    string
	line      int64
	positions []Position
	done      chan error
}

func (c *appendCall) urgent() bool {
	for _, r := range c.rows {
		if r.lane == 0 {
			return true
		}
	}
	return false
}

// Append stores entries in their lanes, in their order, all or none, and
// returns their positions once they are on the disk. The lane follows from the kind. A
// dropped record may come without From and To: it then stands for itself.
// Errors wrap ErrFull, ErrRecord, ErrClosed or the database's own. When ctx
// ends before the spool has begun, nothing is stored.
func (s *Spool) Append(ctx context.Context, entries ...Entry) ([]Position, error) {
	return s.Import(ctx, "", 0, entries)
}

// Import is Append for a source that can be read again: in the same
// transaction it notes that source has been stored up to line, so that a process that
// starts again can go on from there. Without entries it only notes the line.
func (s *Spool) Import(ctx context.Context, source string, line int64, entries []Entry) ([]Position, error) {
	c := &appendCall{source: source, line: line, done: make(chan error, 1), rows: make([]row, len(entries))}
	for i, e := range entries {
		var err error
		if c.rows[i], err = newRow(e); err != nil {
			return nil, fmt.Errorf("%w: entry %d (%s): %w", ErrRecord, i, e.Record.Kind, err)
		}
	}
	select {
	case s.appends <- c:
	case <-s.stop:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := <-c.done; err != nil {
		return nil, fmt.Errorf("store %d records: %w", len(entries), err)
	}
	return c.positions, nil
}

// Imported returns the line up to which source has been stored, 0 when never.
func (s *Spool) Imported(ctx context.Context, source string) (line int64, err error) {
	err = s.call(ctx, func() error {
		err := s.db.QueryRow(`SELECT line FROM import WHERE source = ?`, source).Scan(&line)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look up import: %w", err)
	}
	return line, nil
}

const squeeze = 256 << 10 // bytes thinned when the disk is full, to go on

const insertRecord = `INSERT INTO record(lane, seq, boot, ok, t, kind, data) VALUES(?,?,?,?,?,?,?)`

const groupRows = 8000 // records in one transaction, about

// gather adds the calls that are waiting now, so that they share one write
// to the disk.
func (s *Spool) gather(first *appendCall) []*appendCall {
	group, n := []*appendCall{first}, len(first.rows)
	for n < groupRows {
		select {
		case c := <-s.appends:
			group, n = append(group, c), n+len(c.rows)
		default:
			return group
		}
	}
	return group
}

// commit stores a group, or says why not. When the disk is full the alarms
// among the group get the reserve.
func (s *Spool) commit(group []*appendCall) {
	var err error
	if s.broken {
		err = s.replace(errDamaged)
	}
	if err == nil {
		err = s.write(group)
	}
	switch {
	case err == nil, s.broken:
	case damaged(err):
		if err = s.replace(err); err == nil {
			err = s.write(group)
		}
	case full(err):
		err = fmt.Errorf("%w: %w", ErrFull, err)
		var urgent []*appendCall
		for _, c := range group {
			if c.urgent() {
				urgent = append(urgent, c)
			} else {
				c.done <- err
			}
		}
		// Thin a little of what is there: freed pages of the database are room, too.
		s.limit, s.stuck = min(s.limit, s.lanes[0].Bytes+s.lanes[1].Bytes-squeeze), false
		group = urgent
		if len(urgent) > 0 {
			s.reserve.release()
			s.log.Error("disk is full; alarms now use the reserve", "id", "LYK-0402", "err", err)
			if err = s.write(urgent); full(err) {
				err = fmt.Errorf("%w: %w", ErrFull, err)
			}
		}
	}
	if err == nil {
		s.stuck = false
		s.publish() // before the answers: who has one finds it in Lane
		select {
		case s.appended <- struct{}{}:
		default:
		}
	}
	for _, c := range group {
		c.done <- err
	}
	if err == nil && s.reserve.restore(time.Now()) {
		s.limit = s.opt.MaxBytes
	}
}

// write stores a group in one transaction. The lanes in memory move only
// when it is on the disk.
func (s *Spool) write(group []*appendCall) error {
	next := s.lanes
	err := s.tx(func(tx *transaction) error {
		for _, c := range group {
			c.positions = make([]Position, 0, len(c.rows))
			for _, id := range c.replaced {
				if _, err := tx.Exec(`DELETE FROM press WHERE id = ?`, id); err != nil {
					return err
				}
			}
			for _, r := range c.rows {
				if r.key != "" {
					at, found, err := done(tx, r.key)
					if err != nil {
						return err
					}
					if found {
						c.positions = append(c.positions, at)
						continue
					}
				}
				l := &next[r.lane]
				l.Last++
				if err := r.place(l.Last); err != nil {
					return err
				}
				l.Depth++
				l.Bytes += int64(len(r.data))
				if _, err := tx.Exec(insertRecord, r.lane, l.Last, s.boot, r.ok, r.t, r.kind, r.data); err != nil {
					return err
				}
				if r.press {
					if err := addPress(tx, s.epoch, l.Last, r.reading); err != nil {
						return err
					}
				}
				if r.deed() {
					if err := s.addDeed(tx, l.Last, r); err != nil {
						return err
					}
				}
				c.positions = append(c.positions, Position{Lane: l.Name, Epoch: s.epoch, Seq: l.Last})
			}
			if c.source != "" {
				if _, err := tx.Exec(`INSERT INTO import(source, line) VALUES(?,?) ON CONFLICT(source) DO UPDATE SET line = excluded.line`, c.source, c.line); err != nil {
					return err
				}
			}
		}
		if _, err := tx.Exec(`UPDATE boot SET lived = ? WHERE id = ?`, s.opt.Clock.Mono(), s.boot); err != nil {
			return err
		}
		return next.save(tx)
	})
	if err == nil {
		s.lanes = next
	}
	return err
}

// tx runs f in a transaction that is on the disk when tx returns nil.
func (s *Spool) tx(f func(*transaction) error) error {
	tx, err := s.db.begin()
	if err != nil {
		return err
	}
	defer tx.remember()
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		// database/sql takes the transaction for over; make sure that SQLite does, too.
		_, _ = s.db.Exec(`ROLLBACK`)
		return err
	}
	return nil
}

func (l lanes) save(tx *transaction) error {
	for i, lane := range l {
		if _, err := tx.Exec(`UPDATE lane SET last=?, acked=?, depth=?, bytes=?, sent_high=?, thinned=? WHERE lane=?`,
			lane.Last, lane.Acked, lane.Depth, lane.Bytes, lane.sentHigh, lane.thinned, i); err != nil {
			return err
		}
	}
	return nil
}
