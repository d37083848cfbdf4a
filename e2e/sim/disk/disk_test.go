package disk_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/lykta/lykta/e2e/sim/disk"
)

func open(t *testing.T, path, synchronous string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=wal_autocheckpoint(20)&_pragma=synchronous("+synchronous+")")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// lived writes numbers until the disk crashes, starts it again, and returns
// how many were committed and which are there.
func lived(t *testing.T, seed uint64, synchronous string, power bool) (committed int, there []int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	d, err := disk.New(dir, seed)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	path := filepath.Join(dir, "a.db")
	db := open(t, path, synchronous)
	if _, err := db.Exec(`CREATE TABLE n(i INTEGER PRIMARY KEY, pad BLOB)`); err != nil {
		t.Fatal(err)
	}
	blown := false
	d.CrashAfter(1+r.IntN(300), path, power, func() { blown = true })
	for committed < 1000 {
		if _, err := db.Exec(`INSERT INTO n VALUES(?, zeroblob(700))`, committed+1); err != nil {
			break
		}
		committed++
	}
	if !blown {
		t.Fatal("the disk did not crash")
	}
	db.Close()
	d.Start()
	db = open(t, path, synchronous)
	defer db.Close()
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check(1)`).Scan(&verdict); err != nil || verdict != "ok" {
		return committed, nil
	}
	rows, err := db.Query(`SELECT i FROM n ORDER BY i`)
	if err != nil {
		return committed, nil
	}
	defer rows.Close()
	for rows.Next() {
		var i int
		if err := rows.Scan(&i); err != nil {
			t.Fatal(err)
		}
		there = append(there, i)
	}
	return committed, there
}

func TestWhatWasSyncedSurvives(t *testing.T) {
	for _, power := range []bool{false, true} {
		for seed := range uint64(100) {
			committed, there := lived(t, seed, "FULL", power)
			// The commit under way may be there, or not.
			if len(there) < committed || len(there) > committed+1 {
				t.Errorf("seed %d, power cut %v: %d numbers are there, %d were committed", seed, power, len(there), committed)
			}
		}
	}
}

// A disk on which nothing can be lost would prove nothing.
func TestWhatWasNotSyncedIsLost(t *testing.T) {
	lost := 0
	for seed := range uint64(100) {
		if committed, there := lived(t, seed, "OFF", true); len(there) < committed {
			lost++
		}
	}
	if lost < 50 {
		t.Errorf("only %d of 100 power cuts took anything from a database that does not sync", lost)
	}
}

func TestTheSameSeedLosesTheSame(t *testing.T) {
	for seed := range uint64(20) {
		a, b := fmt.Sprint(lived(t, seed, "OFF", true)), fmt.Sprint(lived(t, seed, "OFF", true))
		if a != b {
			t.Errorf("seed %d: %s and then %s", seed, a, b)
		}
	}
}

func TestNoRoomAndFailingWritesAreErrorsThatPass(t *testing.T) {
	dir := t.TempDir()
	d, err := disk.New(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	db := open(t, filepath.Join(dir, "a.db"), "FULL")
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE n(b BLOB)`); err != nil {
		t.Fatal(err)
	}
	insert := func() error { _, err := db.Exec(`INSERT INTO n VALUES(zeroblob(9000))`); return err }
	d.Limit(1000, "")
	if insert() == nil {
		t.Error("9,000 bytes found room in 1,000")
	}
	d.Limit(-1, "")
	d.Fail(1)
	if insert() == nil {
		t.Error("a write that failed was not told of")
	}
	d.Fail(0)
	if err := insert(); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM n`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v; want the one that was committed", n, err)
	}
}
