package spool

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const file = "spool.db"

const schema = `
CREATE TABLE IF NOT EXISTS spool(epoch TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lane(lane INTEGER PRIMARY KEY, last INTEGER NOT NULL DEFAULT 0, acked INTEGER NOT NULL DEFAULT 0,
	depth INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, sent_high INTEGER NOT NULL DEFAULT 0, thinned INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS boot(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, line INTEGER NOT NULL, lived INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS record(lane INTEGER NOT NULL, seq INTEGER NOT NULL, boot INTEGER NOT NULL, ok INTEGER NOT NULL,
	t INTEGER NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY(lane, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import(source TEXT PRIMARY KEY, line INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS press(id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, device TEXT NOT NULL,
	room TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, by TEXT NOT NULL, UNIQUE(epoch, seq));
INSERT OR IGNORE INTO lane(lane) VALUES(0), (1);`

func newEpoch() string { return rand.Text() }

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w (LYK-0400): %s", ErrInUse, dir)
		}
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	return f, nil
}

// dsn asks for a commit that is on the disk when it returns.
func dsn(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(16777216)"
}

func (s *Spool) openOrReplace() error {
	err := s.open()
	if err != nil && full(err) {
		s.reserve.release()
		err = s.open()
	}
	if err != nil && damaged(err) {
		return s.replace(err)
	}
	return err
}

// open opens the database and reads where its lanes stand.
func (s *Spool) open() error {
	path := filepath.Join(s.opt.Dir, file)
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil { // SQLite would let others read it
		return fmt.Errorf("open spool: %w", err)
	} else if err := f.Close(); err != nil {
		return fmt.Errorf("open spool: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return fmt.Errorf("open spool: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := s.load(db); err != nil {
		db.Close()
		return fmt.Errorf("open spool: %w", err)
	}
	s.db = newDatabase(db)
	return syncDir(s.opt.Dir)
}

func (s *Spool) load(db *sql.DB) error {
	var verdict string
	if err := db.QueryRow(`PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, verdict)
	}
	if _, err := db.Exec(schema); err != nil {
		return err
	}
	err := db.QueryRow(`SELECT epoch FROM spool`).Scan(&s.epoch)
	if errors.Is(err, sql.ErrNoRows) {
		s.epoch = newEpoch()
		_, err = db.Exec(`INSERT INTO spool(epoch) VALUES(?)`, s.epoch)
	}
	if err != nil {
		return err
	}
	for i, name := range []wire.Lane{wire.Alarm, wire.Telemetry} {
		l := Lane{Name: name, Epoch: s.epoch}
		err := db.QueryRow(`SELECT last, acked, depth, bytes, sent_high, thinned FROM lane WHERE lane = ?`, i).
			Scan(&l.Last, &l.Acked, &l.Depth, &l.Bytes, &l.sentHigh, &l.thinned)
		if err != nil {
			return err
		}
		l.handed = min(l.sentHigh, l.Last)
		s.lanes[i] = l
	}
	c := s.opt.Clock
	return db.QueryRow(`INSERT INTO boot(name, line, lived) VALUES(?,?,?) ON CONFLICT(name) DO UPDATE SET name = name RETURNING id`,
		c.Boot(), int64(c.Line())-c.Mono(), c.Mono()).Scan(&s.boot)
}

// replace sets a damaged database aside, starts a new one with a new epoch,
// and carries over the alarms that can still be read. An alarm that the cloud already
// has may so reach it twice; that is the better of the two mistakes.
func (s *Spool) replace(why error) error {
	s.broken = true
	if s.db != nil {
		s.db.Close() // damaged: its error says nothing new
	}
	path := filepath.Join(s.opt.Dir, file)
	aside := path + ".corrupt-" + time.Now().UTC().Format("20060102T150405.000")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("set damaged spool aside: %w", err)
		}
	}
	if err := s.open(); err != nil {
		return fmt.Errorf("replace damaged spool: %w", err)
	}
	s.broken = false
	saved, err := s.salvage(aside)
	if err != nil {
		return fmt.Errorf("carry alarms over from damaged spool: %w", err)
	}
	s.log.Error("the spool's database was damaged; it was set aside and a new one started",
		"id", "LYK-0401", "err", why, "kept", aside, "alarms_saved", saved)
	return nil
}

// salvage reads what it can of the alarm lane of a damaged database.
func (s *Spool) salvage(path string) (int, error) {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return 0, nil
	}
	defer db.Close()
	rows, err := db.Query(`SELECT ok, data FROM record WHERE lane = 0 ORDER BY seq`)
	if err != nil {
		return 0, nil // unreadable: nothing to save
	}
	defer rows.Close()
	call := &appendCall{}
	for rows.Next() {
		var (
			ok   bool
			data []byte
			rec  wire.Record
		)
		if rows.Scan(&ok, &data) != nil || rec.UnmarshalJSON(data) != nil {
			continue
		}
		if r, err := newRow(Entry{Record: rec, ClockOK: ok}); err == nil && r.lane == 0 {
			call.rows = append(call.rows, r)
		}
	}
	if len(call.rows) == 0 {
		return 0, nil
	}
	return len(call.rows), s.write([]*appendCall{call})
}

// renumber moves what is waiting to a new epoch, from 1 without gaps.
func renumber(tx *transaction, l *lanes, epoch string) error {
	old := l[0].Epoch
	if _, err := tx.Exec(`UPDATE spool SET epoch = ?`, epoch); err != nil {
		return err
	}
	for i := range l {
		for _, q := range []string{
			`CREATE TEMP TABLE place(seq INTEGER PRIMARY KEY, n INTEGER NOT NULL)`,
			fmt.Sprintf(`INSERT INTO place SELECT seq, row_number() OVER (ORDER BY seq) FROM record WHERE lane = %d`, i),
			fmt.Sprintf(`UPDATE record SET seq = -(SELECT n FROM place WHERE place.seq = record.seq) WHERE lane = %d`, i),
			fmt.Sprintf(`UPDATE record SET seq = -seq WHERE lane = %d`, i),
		} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		if i == index(wire.Alarm) {
			if _, err := tx.Exec(`UPDATE press SET epoch = ?, seq = (SELECT n FROM place WHERE place.seq = press.seq)
				WHERE epoch = ? AND seq IN (SELECT seq FROM place)`, epoch, old); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`DROP TABLE place`); err != nil {
			return err
		}
		if err := renumberDropped(tx, i, &l[i]); err != nil {
			return err
		}
		l[i].Epoch, l[i].Last, l[i].Acked = epoch, uint64(l[i].Depth), 0
		l[i].sentHigh, l[i].handed, l[i].thinned = 0, 0, 0
	}
	return l.save(tx)
}

// renumberDropped makes each dropped record stand for its own new place.
func renumberDropped(tx *transaction, lane int, l *Lane) error {
	rows, err := tx.Query(`SELECT seq, data FROM record WHERE lane = ? AND kind = ?`, lane, devices.Dropped)
	if err != nil {
		return err
	}
	found := map[uint64][]byte{}
	for rows.Next() {
		var seq uint64
		var data []byte
		if err := rows.Scan(&seq, &data); err != nil {
			rows.Close()
			return err
		}
		found[seq] = data
	}
	rows.Close()
	for seq, data := range found {
		var r wire.Record
		if err := r.UnmarshalJSON(data); err != nil {
			return err
		}
		r.Dropped.From, r.Dropped.To = seq, seq
		data2, err := encode(r)
		if err != nil {
			return err
		}
		l.Bytes += int64(len(data2) - len(data))
		if _, err := tx.Exec(`UPDATE record SET data = ? WHERE lane = ? AND seq = ?`, data2, lane, seq); err != nil {
			return err
		}
	}
	return rows.Err()
}

var errDamaged = errors.New("database is damaged")

func damaged(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		code := e.Code() & 0xff
		return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
	}
	return errors.Is(err, errDamaged)
}

func full(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL || errors.Is(err, unix.ENOSPC)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// Summary is what a spool holds, as seen from outside.
type Summary struct {
	Lanes   []Lane                       `json:"lanes"`
	Oldest  map[wire.Lane]devices.Micros `json:"oldest,omitempty"` // time of the record that waits longest
	Presses []Press                      `json:"presses,omitempty"`
}

// Inspect reads the spool in dir without disturbing the gateway that may be
// running on it. It returns an error that wraps os.ErrNotExist when there is none.
func Inspect(ctx context.Context, dir string) (Summary, error) {
	path := filepath.Join(dir, file)
	if _, err := os.Stat(path); err != nil {
		return Summary{}, fmt.Errorf("inspect spool: %w", err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err != nil {
		return Summary{}, fmt.Errorf("inspect spool: %w", err)
	}
	defer db.Close()
	out := Summary{Oldest: map[wire.Lane]devices.Micros{}}
	for i, name := range []wire.Lane{wire.Alarm, wire.Telemetry} {
		l := Lane{Name: name}
		var oldest sql.NullInt64
		err := db.QueryRowContext(ctx, `SELECT (SELECT epoch FROM spool), last, acked, depth, bytes,
			(SELECT t FROM record WHERE lane = ?1 ORDER BY seq LIMIT 1) FROM lane WHERE lane = ?1`, i).
			Scan(&l.Epoch, &l.Last, &l.Acked, &l.Depth, &l.Bytes, &oldest)
		if err != nil {
			return Summary{}, fmt.Errorf("inspect spool: %w", err)
		}
		if oldest.Valid {
			out.Oldest[name] = devices.Micros(oldest.Int64)
		}
		out.Lanes = append(out.Lanes, l)
	}
	if out.Presses, err = readPresses(db, 10); err != nil {
		return Summary{}, fmt.Errorf("inspect spool: %w", err)
	}
	return out, nil
}
