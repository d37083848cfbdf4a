package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/postgrestest"
	"github.com/lykta/lykta/devices/wire"
)

func testOpenTwice(t *testing.T, url string) {
	press := alert(care.AlertSOS, "button", at(0))
	raise(t, open(t, url), press)
	s := open(t, url) // beside the first, as the CLI does
	if got := must(s.Alert(t.Context(), press.ID))(t); got != press {
		t.Errorf("after opening again: %+v, want %+v", got, press)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestManyMayCreateTheDatabaseAtOnce(t *testing.T) {
	emptyDatabases(t, func(t *testing.T, address func(testing.TB) string) { testCreateAtOnce(t, address(t)) })
}

func testCreateAtOnce(t *testing.T, url string) {
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			s, err := store.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			c := care.Commit{Raise: []care.Alert{alert(care.AlertSOS, fmt.Sprint("b", i), at(i))}}
			if _, err := s.Commit(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := must(open(t, url).Events(t.Context(), 0, 0))(t); len(got) != 4 {
		t.Errorf("%d events of 4", len(got))
	}
}

func testNewer(t *testing.T, url string) {
	open(t, url)
	driver, source := "sqlite", strings.TrimPrefix(url, "sqlite:")
	if strings.HasPrefix(url, "postgres") {
		driver, source = "pgx", url
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, $1)`, true); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url)
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "LYK-0703") {
		t.Errorf("Open = %v, want LYK-0703", err)
	}
}

func TestOpenExplainsABadAddress(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "lykta.db")
	for url, want := range map[string]string{
		"":                              "LYK-0700",
		"lykta.db":                      "LYK-0700",
		"sqlite:":                       "LYK-0700",
		"mysql://x":                     "LYK-0700",
		"postgres://u:s3cret@h:port/db": "LYK-0700",
		"sqlite:" + missing:             "LYK-0701",
		"postgres://u:s3cret@127.0.0.1:1/db?sslmode=disable": "LYK-0701",
	} {
		s, err := store.Open(t.Context(), url)
		if err == nil {
			s.Close()
			t.Errorf("Open(%q) succeeded", url)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Open(%q) = %v, want %s and no password", url, err, want)
		}
	}
}

func TestSQLiteFilesAreForNobodyElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a name with ? # % and å.db")
	s := open(t, "sqlite:"+path)
	raise(t, s, alert(care.AlertSOS, "button", at(0)))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s is %v, want 0600", info.Name(), info.Mode())
		}
	}
}

func testBackup(t *testing.T, s *store.Store) {
	path := filepath.Join(t.TempDir(), "copy.db")
	if strings.Contains(t.Name(), "postgres") {
		if err := s.Backup(t.Context(), path); err == nil || !strings.Contains(err.Error(), "pg_dump") {
			t.Errorf("Backup = %v, want a word about pg_dump", err)
		}
		return
	}
	writing, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	first := make(chan struct{})
	writer.Go(func() {
		for i := 0; writing.Err() == nil; i++ {
			c := care.Commit{ // the alert and the mark are there together or not at all
				Raise: []care.Alert{alert(care.AlertSOS, "button", at(i))},
				Marks: []care.Mark{{Gateway: "gw1", Lane: wire.Alarm, Epoch: "e1", Evaluated: uint64(i + 1), Stored: uint64(i + 1)}},
			}
			if _, err := s.Commit(writing, c); err != nil && writing.Err() == nil {
				t.Error(err)
				return
			}
			if i == 0 {
				close(first)
			}
		}
	})
	<-first
	err := s.Backup(t.Context(), path)
	stop()
	writer.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v %v, want mode 0600", info, err)
	}
	restored := open(t, "sqlite:"+path)
	marks, alerts := must(restored.Marks(t.Context()))(t), must(restored.Alerts(t.Context(), store.AlertFilter{}))(t)
	if len(marks) != 1 || uint64(len(alerts)) != marks[0].Evaluated {
		t.Errorf("the copy has marks %+v and %d alerts", marks, len(alerts))
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v, want ErrExist", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.partial*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// testKill proves P1's part of the store: what Commit has returned for is
// there after kill -9, and what it has not is there wholly or not at all.
func testKill(t *testing.T, url string) {
	promised := 0
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriteUntilKilled$")
		cmd.Env = append(os.Environ(), "LYKTA_TEST_KILL="+url)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 10+round*7 && lines.Scan(); n++ {
			if _, err := fmt.Sscanf(lines.Text(), "committed %d", &promised); err != nil {
				t.Fatalf("writer says %q", lines.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died
			_, _ = fmt.Sscanf(lines.Text(), "committed %d", &promised)
		}
		_ = cmd.Wait() // killed

		s := open(t, url)
		marks, records := must(s.Marks(t.Context()))(t), must(s.Uncopied(t.Context(), 0))(t)
		alerts, events := must(s.Alerts(t.Context(), store.AlertFilter{}))(t), must(s.Events(t.Context(), 0, 0))(t)
		n := int(marks[0].Evaluated)
		if n < promised || len(records) != n || len(alerts) != n || len(events) != n {
			t.Fatalf("promised %d; found mark %d, %d records, %d alerts, %d events", promised, n, len(records), len(alerts), len(events))
		}
	}
	if promised < 30 {
		t.Fatalf("only %d commits were tried", promised)
	}
}

// TestWriteUntilKilled is the process that testKill kills.
func TestWriteUntilKilled(t *testing.T) {
	url := os.Getenv("LYKTA_TEST_KILL")
	if url == "" {
		t.Skip("does its work as a process of its own")
	}
	s := open(t, url)
	n := uint64(0)
	for _, m := range must(s.Marks(t.Context()))(t) {
		n = m.Evaluated
	}
	for {
		n++
		commit(t, s, care.Commit{
			Marks:   []care.Mark{{Gateway: "gw1", Lane: wire.Alarm, Epoch: "e1", Evaluated: n, Stored: n, Heard: at(int(n))}},
			Records: []care.AlarmRecord{record(n, at(int(n)))},
			Raise:   []care.Alert{alert(care.AlertSOS, "button", at(int(n)))},
		})
		fmt.Println("committed", n)
	}
}

// BenchmarkCommit is a busy moment: a thousand gateways' heartbeats and ten
// presses in one commit.
func BenchmarkCommit(b *testing.B) {
	run := func(b *testing.B, s *store.Store) {
		seq := uint64(0)
		for b.Loop() {
			c := care.Commit{}
			for i := range 1000 {
				c.Marks = append(c.Marks, care.Mark{Gateway: fmt.Sprintf("gw-%04d", i), Lane: wire.Telemetry, Epoch: "k3J9x7Qa",
					Evaluated: seq, Stored: seq, Heard: at(int(seq))})
			}
			for range 10 {
				seq++
				c.Records = append(c.Records, record(seq, at(int(seq))))
			}
			commit(b, s, c)
		}
	}
	b.Run("sqlite", func(b *testing.B) { run(b, open(b, sqliteAddress(b))) })
	b.Run("postgres", func(b *testing.B) { run(b, open(b, postgrestest.Start(b))) })
}
