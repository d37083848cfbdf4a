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
	room TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, by TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0,
	expected INTEGER NOT NULL DEFAULT 0, command TEXT NOT NULL DEFAULT '', heard TEXT NOT NULL DEFAULT '', UNIQUE(epoch, seq));
INSERT OR IGNORE INTO lane(lane) VALUES(0), (1);` + deedSchema

// added are columns of press that a database of an earlier version lacks, the
// last one last. They have defaults, so that such a version can use the database again.
var added = [...]string{`told INTEGER NOT NULL DEFAULT 0`, `expected INTEGER NOT NULL DEFAULT 0`, `command TEXT NOT NULL DEFAULT ''`, `heard TEXT NOT NULL DEFAULT ''`}

// upgrade adds to a database of an earlier version what it lacks. Interrupted,
// it goes on the next time.
func upgrade(db *sql.DB) error {
	for _, column := range added {
		name, _, _ := strings.Cut(column, " ")
		has, err := hasColumn(db, name)
		if err == nil && !has {
			_, err = db.Exec(`ALTER TABLE press ADD COLUMN ` + column)
		}
		if err != nil {
			return fmt.Errorf("upgrade: %w", err)
		}
	}
	return nil
}

func hasColumn(db *sql.DB, name string) (has bool, err error) {
	err = db.QueryRow(`SELECT count(*) > 0 FROM pragma_table_info('press') WHERE name = ?`, name).Scan(&has)
	return has, err
}

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

// address is a path as SQLite takes it.
func address(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// dsn asks for a commit that is on the disk when it returns.
func dsn(path string) string {
	return address(path) +
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
	if err := upgrade(db); err != nil {
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

// Looks at a database that seems to be damaged: a disk that failed to read
// for a moment looks the same.
const (
	looks     = 3
	lookAgain = 100 * time.Millisecond
	doubtful  = time.Minute // damage that comes back within this time is real
)

// replace looks at a damaged database once more, and when it is damaged still,
// sets it aside, starts a new one with a new epoch, and carries over what can
// still be read. What the cloud already has may so reach it twice; that is the
// better of the two mistakes.
func (s *Spool) replace(why error) error {
	s.broken = true
	if s.db != nil {
		s.db.Close() // damaged: its error says nothing new
	}
	if now := time.Now(); now.Sub(s.doubted) > doubtful {
		s.doubted = now
		for range looks {
			time.Sleep(lookAgain)
			if err := s.open(); err == nil {
				s.broken = false
				s.log.Warn("the spool's database seemed to be damaged, and is not", "id", "LYK-0420", "err", why)
				return nil
			} else if !damaged(err) {
				return err
			}
		}
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
	alarms, readings, lost, err := s.salvage(aside)
	if err != nil {
		return fmt.Errorf("carry over what a damaged spool held: %w", err)
	}
	s.log.Error("the spool's database was damaged; it was set aside and a new one started",
		"id", "LYK-0401", "err", why, "kept", aside, "alarms_saved", alarms, "readings_saved", readings, "readings_lost", lost)
	return nil
}

// salvage carries over what it can read of a damaged database, alarms first,
// and reports the readings that it cannot as dropped.
func (s *Spool) salvage(path string) (alarms, readings, lost int, err error) {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return 0, 0, 0, nil
	}
	defer db.Close()
	saved, keys := [2]int{}, salvageKeys(db)
	for lane := range saved {
		if saved[lane], err = s.salvageLane(db, lane, keys); err != nil {
			return saved[0], saved[1], 0, err
		}
	}
	if err := s.salvageDeeds(db); err != nil {
		return saved[0], saved[1], 0, err
	}
	var depth int
	if db.QueryRow(`SELECT depth FROM lane WHERE lane = ?`, index(wire.Telemetry)).Scan(&depth) == nil {
		lost = max(0, depth-saved[1])
	}
	if lost > 0 {
		stamp := s.opt.Clock.Now()
		r, err := newRow(Entry{ClockOK: stamp.OK, Record: wire.Record{
			Reading: devices.Reading{Time: stamp.T, Device: s.opt.Gateway, Kind: devices.Dropped, Value: devices.Number(float64(lost))},
			Dropped: &wire.Dropped{Count: uint64(lost)},
		}})
		if err == nil {
			err = s.write([]*appendCall{{rows: []row{r}}})
		}
		if err != nil {
			return saved[0], saved[1], lost, err
		}
	}
	return saved[0], saved[1], lost, nil
}

// salvageLane carries over the records of a lane until one cannot be read.
// The error is the new database's.
func (s *Spool) salvageLane(db *sql.DB, lane int, keys map[place]string) (saved int, err error) {
	rows, err := db.Query(`SELECT seq, ok, data FROM record WHERE lane = ? ORDER BY seq`, lane)
	if err != nil {
		return 0, nil // unreadable: nothing to save
	}
	defer rows.Close()
	c := &appendCall{}
	for rows.Next() {
		var (
			seq  uint64
			ok   bool
			data []byte
			rec  wire.Record
		)
		if rows.Scan(&seq, &ok, &data) != nil || rec.UnmarshalJSON(data) != nil {
			continue
		}
		if d := rec.Dropped; d != nil {
			rec.Dropped = &wire.Dropped{Count: d.Count} // it gets a new place
		}
		if r, err := newRow(Entry{Record: rec, ClockOK: ok, Key: keys[place{lane, seq}]}); err == nil && r.lane == lane {
			c.rows = append(c.rows, r)
		}
		if len(c.rows) == groupRows {
			if err := s.write([]*appendCall{c}); err != nil {
				return saved, err
			}
			saved, c = saved+len(c.rows), &appendCall{}
		}
	}
	if len(c.rows) > 0 {
		err = s.write([]*appendCall{c})
	}
	return saved + len(c.rows), err
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
		if _, err := tx.Exec(`UPDATE deed SET epoch = ?1, seq = (SELECT n FROM place WHERE place.seq = deed.seq)
			WHERE lane = ?3 AND epoch = ?2 AND seq IN (SELECT seq FROM place)`, epoch, old, i); err != nil {
			return err
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
	if errors.As(err, &e) {
		// The memory that connections share lies in a file, too.
		return e.Code()&0xff == sqlite3.SQLITE_FULL || e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE
	}
	return errors.Is(err, unix.ENOSPC)
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
	db, err := sql.Open("sqlite", address(path)+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
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
	columns := pressColumns
	if upgraded, err := hasColumn(db, "heard"); err != nil {
		return Summary{}, fmt.Errorf("inspect spool: %w", err)
	} else if !upgraded { // the gateway that runs on it is of an earlier version
		columns = formerColumns
	}
	if out.Presses, err = readPresses(db, columns, 10); err != nil {
		return Summary{}, fmt.Errorf("inspect spool: %w", err)
	}
	return out, nil
}
