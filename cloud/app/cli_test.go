package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
)

// cli runs a command line as main does, and returns what it printed.
func cli(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var c CLI
	k, err := kong.New(&c, kong.Name("lykta-cloud"), kong.Vars{"zone": DefaultZone}, kong.Exit(func(int) { t.Fatal("the command line ended the process") }))
	if err != nil {
		t.Fatal(err)
	}
	line, err := k.Parse(args)
	if err != nil {
		return "", err
	}
	var out, log bytes.Buffer
	err = line.Run(&c, Env{Context: t.Context(), Out: &out, Err: &log, Version: "v1.2.3"})
	return out.String(), err
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := cli(t, args...)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out
}

func TestParseCheckIn(t *testing.T) {
	for text, want := range map[string]care.CheckIn{
		"08:00-10:00": {From: 480, By: 600}, "00:00-24:00": {From: 0, By: 1440}, " 7:30 - 9:05 ": {From: 450, By: 545}, "23:58-23:59": {From: 1438, By: 1439},
	} {
		if got, err := ParseCheckIn(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "-", "08:00", "08:00-", "-10:00", "8-10", "10:00-08:00", "08:00-08:00", "08:00-24:01", "25:00-26:00", "08:60-10:00",
		"08:00-10:00-12:00", "08.00-10.00", "08:00–10:00", "morning", "08:00:00-10:00:00", "99999999999999999999:00-10:00",
	} {
		if got, err := ParseCheckIn(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

func TestHomesAreAddedAndListed(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	must(t, "--data", data, "home", "add", "--id=b", "--gateway=gw-b", "--name=Bo Ek", "--check-in=08:00-10:00", "--check-in=18:00-20:00")
	must(t, "--data", data, "home", "add", "--id=a", "--gateway=gw-a")
	if out := must(t, "--data", data, "home", "list"); out != "a\tgw-a\ta\nb\tgw-b\tBo Ek\n" {
		t.Errorf("list:\n%s", out)
	}
	for _, args := range [][]string{
		{"--id=a", "--gateway=gw-c"}, {"--id=c", "--gateway=gw-a"}, {"--id=C", "--gateway=gw-c"}, {"--id=c", "--gateway=gw/c"},
		{"--id=c", "--gateway=gw-c", "--zone=Nowhere"}, {"--id=c", "--gateway=gw-c", "--check-in=10:00-08:00"}, {"--id=c"},
	} {
		if out, err := cli(t, append([]string{"--data", data, "home", "add"}, args...)...); err == nil {
			t.Errorf("%q: %s", args, out)
		}
	}
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data is for %v, %v", info.Mode(), err)
	}
}

func TestTokensLetIn(t *testing.T) {
	data := t.TempDir()
	secret := strings.TrimSpace(must(t, "--data", data, "token", "create", "--role=caregiver", "--name=Åsa"))
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(data, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	who, err := access.NewKeeper(db).Actor(t.Context(), secret, care.Token)
	if err != nil || who.Name != "Åsa" || who.Role != care.Caregiver {
		t.Errorf("%+v, %v", who, err)
	}
	for _, args := range [][]string{{"--role=admin"}, {}, {"--role=operator", "--expires=-1h"}} {
		if out, err := cli(t, append([]string{"--data", data, "token", "create"}, args...)...); err == nil {
			t.Errorf("%q: %s", args, out)
		}
	}
}

func TestVersionAndMigrate(t *testing.T) {
	if out := must(t, "version"); out != "lykta-cloud v1.2.3\n" {
		t.Errorf("%q", out)
	}
	data := t.TempDir()
	for range 2 {
		if out := must(t, "--data", data, "migrate"); !strings.Contains(out, "up to date") {
			t.Errorf("%q", out)
		}
	}
}

func write(t *testing.T, data string, points ...history.Point) {
	t.Helper()
	series, err := embedded.Open(t.Context(), filepath.Join(data, historyFile), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := series.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
	if err := series.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, data string) []history.Point {
	t.Helper()
	series, err := embedded.Open(t.Context(), filepath.Join(data, historyFile), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer series.Close()
	points, err := series.Raw(t.Context(), history.Query{Home: "a"})
	if err != nil {
		t.Fatal(err)
	}
	return points
}

func reading(v float64) history.Point {
	return history.Point{Home: "a", Seq: uint64(v), Reading: devices.Reading{
		Time: devices.MicrosOf(time.Date(2026, 11, 21, 9, 0, int(v), 0, time.UTC)), Device: "th", Kind: devices.Temperature, Value: &v,
	}}
}

func TestABackupBringsAllBack(t *testing.T) {
	data, backup, restored := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "new", "data")
	must(t, "--data", data, "home", "add", "--id=a", "--gateway=gw-a")
	secret := strings.TrimSpace(must(t, "--data", data, "token", "create", "--role=operator"))
	write(t, data, reading(1), reading(2))

	// The service runs, and goes on while the backup is made.
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(data, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	must(t, "--data", data, "backup", backup)
	if err := db.AddHome(t.Context(), care.Home{ID: "later", Gateway: "later", Name: "Later", Zone: "UTC"}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, data, reading(3))

	if out := must(t, "--data", restored, "restore", backup); !strings.Contains(out, "homes: 1") {
		t.Errorf("%q", out)
	}
	if out := must(t, "--data", restored, "home", "list"); out != "a\tgw-a\ta\n" {
		t.Errorf("homes:\n%s", out)
	}
	if points := read(t, restored); len(points) != 2 || *points[1].Value != 2 {
		t.Errorf("readings %+v", points)
	}
	again, err := store.Open(t.Context(), "sqlite:"+filepath.Join(restored, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := access.NewKeeper(again).Actor(t.Context(), secret, care.Token); err != nil {
		t.Errorf("the token: %v", err)
	}
	for _, dir := range []string{backup, restored} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s is for %v, %v", dir, info.Mode(), err)
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.Contains(f.Name(), ".partial") || strings.Count(f.Name(), ".") > 1 {
				t.Errorf("%s was left behind", f.Name())
			}
		}
	}
}

func TestABackupOverwritesNothing(t *testing.T) {
	data, backup := t.TempDir(), t.TempDir()
	must(t, "--data", data, "home", "add", "--id=a", "--gateway=gw-a")
	if out, err := cli(t, "--data", data, "backup", backup); err == nil {
		t.Errorf("into a directory that is there: %s", out)
	}
}

// A mistyped directory must not become an empty backup that everybody trusts.
func TestNothingIsNotBackedUp(t *testing.T) {
	data, backup := filepath.Join(t.TempDir(), "mistyped"), filepath.Join(t.TempDir(), "backup")
	if out, err := cli(t, "--data", data, "backup", backup); err == nil {
		t.Errorf("nothing was backed up: %s", out)
	}
	for _, dir := range []string{data, backup} {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s was made", dir)
		}
	}
}

func TestARestoreOverwritesNothing(t *testing.T) {
	data, backup := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup")
	must(t, "--data", data, "home", "add", "--id=a", "--gateway=gw-a")
	must(t, "--data", data, "backup", backup)
	// What SQLite leaves beside a database would be taken for the restored one's.
	for _, name := range []string{databaseFile, historyFile, databaseFile + "-wal", historyFile + "-wal", databaseFile + "-shm"} {
		busy := t.TempDir()
		path := filepath.Join(busy, name)
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := cli(t, "--data", busy, "restore", backup)
		if err == nil || !strings.HasPrefix(err.Error(), "LYK-0110") {
			t.Errorf("over %s: %s, %v", name, out, err)
		}
		files, err := os.ReadDir(busy)
		if err != nil || len(files) != 1 {
			t.Errorf("over %s: %v, %v", name, files, err)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != "precious" {
			t.Errorf("%s holds %.20q, %v", name, left, err)
		}
	}
}

func TestARestoreOfNoBackupLeavesNothing(t *testing.T) {
	data, empty := t.TempDir(), t.TempDir()
	if out, err := cli(t, "--data", data, "restore", empty); err == nil {
		t.Errorf("restored nothing: %s", out)
	}
	if files, err := os.ReadDir(data); err != nil || len(files) > 0 {
		t.Errorf("left %v, %v", files, err)
	}
	if out, err := cli(t, "--data", data, "restore", filepath.Join(empty, "none")); err == nil {
		t.Errorf("restored nothing: %s", out)
	}
}

func TestStopsRunLastFirstAndAll(t *testing.T) {
	var s stops
	var order []string
	for _, name := range []string{"first", "second", "third"} {
		s.add(name, func() error {
			order = append(order, name)
			if name == "second" {
				return context.DeadlineExceeded
			}
			return nil
		})
	}
	err := s.run(quiet())
	if err == nil || !strings.Contains(err.Error(), "second") || !slices.Equal(order, []string{"third", "second", "first"}) {
		t.Errorf("%q, %v", order, err)
	}
}
