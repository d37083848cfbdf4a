package lossy_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/lykta/lykta/e2e/lossy"
)

// childEnv makes the test binary the process that writes a database: the one
// that serves the disk must not map files of it.
const childEnv = "LYKTA_LOSSY_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		if err := child(path, os.Getenv(childEnv+"_SYNC")); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child says what the database holds, and then adds row after row and says
// each that is committed, until an error ends it.
func child(path, sync string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous("+sync+")&_pragma=wal_autocheckpoint(20)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE IF NOT EXISTS numbers(n INTEGER PRIMARY KEY, text TEXT)`); err != nil {
		return err
	}
	var verdict string
	var count, highest int
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil {
		return err
	}
	if err := db.QueryRow(`SELECT count(*), coalesce(max(n), 0) FROM numbers`).Scan(&count, &highest); err != nil {
		return err
	}
	if verdict != "ok" || count != highest {
		return fmt.Errorf("damaged: %s, %d rows up to %d", verdict, count, highest)
	}
	fmt.Println("has", highest)
	for n := highest + 1; ; n++ {
		if _, err := db.Exec(`INSERT INTO numbers VALUES(?, ?)`, n, strings.Repeat("x", n%3000)); err != nil {
			return err
		}
		fmt.Println("committed", n)
	}
}

// write runs a child until the power goes, and returns what it said.
func write(t *testing.T, d *lossy.Disk, path, sync string) (has, committed int, damage string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path, childEnv+"_SYNC="+sync)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	has = -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "has":
			_, err = fmt.Sscan(rest, &has)
			must(t, err)
		case "committed":
			_, err = fmt.Sscan(rest, &committed)
			must(t, err)
		case "error":
			select {
			case <-d.Dark():
			default:
				damage = rest
			}
		}
	}
	_ = cmd.Wait() // it ends by an error, that of the cut
	return has, committed, damage
}

// sqliteThroughCuts writes through power cuts, and returns how often what had
// been committed was gone, or the database damaged, after one.
func sqliteThroughCuts(t *testing.T, sync string, cuts int, opt lossy.Options) (lost int) {
	d, dir := mount(t, opt)
	rng := rand.New(rand.NewPCG(seed, 0))
	committed := 0
	for cut := range cuts {
		d.CutAfter(1+rng.IntN(400), rng)
		has, now, damage := write(t, d, filepath.Join(dir, "test.db"), sync)
		if damage != "" || has >= 0 && has < committed {
			lost++
			t.Logf("seed %d, cut %d: had %d, has %d; %s", seed, cut, committed, has, damage)
			if damage != "" {
				return lost
			}
			committed = has
		}
		committed = max(committed, now)
		select {
		case <-d.Dark():
		default:
			t.Fatalf("cut %d: the writer ended before the power", cut)
		}
		restore(t, d)
	}
	if committed < 5*cuts {
		t.Errorf("%d rows in %d cuts: little was tried", committed, cuts)
	}
	t.Logf("%d rows, %+v", committed, d.Counts())
	return lost
}

func TestSQLiteKeepsWhatItCommitted(t *testing.T) {
	if lost := sqliteThroughCuts(t, "FULL", 50, lossy.Options{}); lost > 0 {
		t.Errorf("synchronous=FULL lost commits in %d of 50 cuts", lost)
	}
}

// The instrument has teeth: who does not sync loses.
func TestSQLiteWithoutSyncLoses(t *testing.T) {
	if lost := sqliteThroughCuts(t, "OFF", 20, lossy.Options{}); lost == 0 {
		t.Error("synchronous=OFF lost nothing in 20 cuts")
	}
}

// NORMAL syncs only at checkpoints: commits may be lost, the database not.
func TestSQLiteWithFewSyncsLosesCommits(t *testing.T) {
	if lost := sqliteThroughCuts(t, "NORMAL", 20, lossy.Options{}); lost == 0 {
		t.Error("synchronous=NORMAL lost nothing in 20 cuts")
	}
}
