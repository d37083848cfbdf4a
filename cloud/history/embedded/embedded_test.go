package embedded_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/history/historytest"
	"github.com/lykta/lykta/devices"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, path string, opts embedded.Options) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "history.db") }

func TestConformance(t *testing.T) {
	historytest.Run(t, func(t *testing.T) history.Store { return open(t, file(t), embedded.Options{}) })
}

func TestConformanceWithRetention(t *testing.T) {
	historytest.Run(t, func(t *testing.T) history.Store {
		return open(t, file(t), embedded.Options{Retention: 250 * 365 * 24 * time.Hour, RollupRetention: time.Hour})
	})
}

func at(when time.Time, v float64) history.Point {
	return history.Point{Home: "h", Reading: devices.Reading{Time: devices.MicrosOf(when), Device: "d", Kind: devices.Power, Value: &v}}
}

func text(when time.Time, s string) history.Point {
	return history.Point{Home: "h", Reading: devices.Reading{Time: devices.MicrosOf(when), Device: "b", Kind: devices.Button, Text: s}}
}

func write(t testing.TB, s *embedded.Store, points ...history.Point) {
	t.Helper()
	if err := s.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
}

func raw(t testing.TB, s *embedded.Store) []history.Point {
	t.Helper()
	got, err := s.Raw(t.Context(), history.Query{Home: "h"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func windows(t testing.TB, s *embedded.Store) []history.Window {
	t.Helper()
	got, err := s.Windows(t.Context(), history.Query{Home: "h"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func rollup(t testing.TB, s *embedded.Store) {
	t.Helper()
	if err := s.Rollup(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestReplayedRecordingsStayByDefault(t *testing.T) {
	s := open(t, file(t), embedded.Options{})
	old := time.Date(2008, 2, 25, 0, 20, 14, 0, time.UTC)
	write(t, s, at(old, 1))
	rollup(t, s)
	if got := raw(t, s); len(got) != 1 || got[0].Time.Time() != old {
		t.Errorf("a recording of 2008: %v", got)
	}
}

func TestRetentionThinsToSummaries(t *testing.T) {
	path := file(t)
	hour := time.Now().UTC().Truncate(time.Hour)
	old, recent := hour.Add(-1000*time.Hour), hour.Add(-10*time.Hour)
	s := open(t, path, embedded.Options{Retention: 500 * time.Hour})
	var all []history.Point
	for i := range 300 { // more than one step's worth of hours
		all = append(all, at(old.Add(time.Duration(i)*time.Hour), float64(i)), at(old.Add(time.Duration(i)*time.Hour+time.Minute), 1), text(old.Add(time.Duration(i)*time.Hour), "single"))
	}
	all = append(all, at(recent, 7), text(recent, "double"))
	write(t, s, all...)
	before := windows(t, s)
	rollup(t, s)
	if got := raw(t, s); len(got) != 2 || got[0].Time.Time() != recent {
		t.Errorf("%d readings are left, want the recent two", len(got))
	}
	if got := windows(t, s); !reflect.DeepEqual(got, before) {
		t.Errorf("thinning changed the windows: %d, were %d", len(got), len(before))
	}

	// What comes later still for a thinned hour could only make it wrong.
	err := s.Write(t.Context(), []history.Point{at(old.Add(2*time.Minute), 100), at(recent.Add(time.Minute), 8)})
	var refused *history.RefusedError
	if !errors.As(err, &refused) || !errors.Is(err, history.ErrThinned) || len(refused.Points) != 1 || *refused.Points[0].Value != 100 {
		t.Errorf("writing to a thinned hour: %v", err)
	}
	// An hour of then that has never been written to is another matter.
	write(t, s, at(old.Add(-5*time.Hour), 3))
	rollup(t, s)
	rollup(t, s)
	got := windows(t, s)
	if len(got) != len(before)+1 || got[0].Sum != 3 || !reflect.DeepEqual(got[1:len(got)-1], before[:len(before)-1]) {
		t.Errorf("windows after late readings: %d, first %+v", len(got), got[0])
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, path, embedded.Options{Retention: 500 * time.Hour, RollupRetention: 800 * time.Hour})
	rollup(t, s)
	got = windows(t, s)
	for _, w := range got {
		if w.Start.Before(hour.Add(-801 * time.Hour)) {
			t.Fatalf("a summary beyond its retention is left: %+v", w)
		}
	}
	if len(got) < 90 || got[len(got)-1].Count != 2 {
		t.Errorf("summaries within their retention are gone: %+v", got)
	}
}

func TestWhatWasWrittenSurvivesAPowerCut(t *testing.T) {
	path := file(t)
	s := open(t, path, embedded.Options{})
	now := time.Now()
	for i := range 20 {
		write(t, s, at(now.Add(time.Duration(i)*time.Second), float64(i)))
	}
	// The files as they are on disk at this moment, with the store still open.
	copied := filepath.Join(t.TempDir(), "history.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := raw(t, open(t, copied, embedded.Options{})); len(got) != 20 {
		t.Errorf("%d of 20 readings survived", len(got))
	}
}

func TestEveryCommitIsSynced(t *testing.T) {
	// What SQLite does with a power cut cannot be tried here; that it was told
	// to sync can. See also TestWhatWasWrittenSurvivesAPowerCut.
	if got := embedded.Pragma(t, open(t, file(t), embedded.Options{}), "synchronous"); got != "2" {
		t.Errorf("synchronous is %s, want 2 (FULL)", got)
	}
}

func TestReopenedStoreGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "odd? name #1 100%41.db")
	old := time.Now().Add(-100 * time.Hour).Truncate(time.Hour)
	s := open(t, path, embedded.Options{})
	write(t, s, at(old, 1))
	rollup(t, s)
	write(t, s, at(old.Add(time.Minute), 2)) // dirty when it closes
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is not where it was to be: %v", err)
	}
	s = open(t, path, embedded.Options{})
	for range 2 {
		if w := windows(t, s); len(w) != 1 || w[0].Count != 2 || w[0].Sum != 3 {
			t.Errorf("windows after reopening: %+v", w)
		}
		write(t, s, at(old, 1))
		rollup(t, s)
	}
}

func TestBackupIsWholeWhileWritesGoOn(t *testing.T) {
	s := open(t, file(t), embedded.Options{})
	now := time.Now()
	write(t, s, at(now, 1))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1; ctx.Err() == nil; i++ {
			if err := s.Write(ctx, []history.Point{at(now.Add(time.Duration(i)*time.Second), 1)}); err != nil && ctx.Err() == nil {
				t.Errorf("write during a backup: %v", err)
			}
		}
	})
	path := filepath.Join(t.TempDir(), "it's a backup.db")
	err := s.Backup(t.Context(), path)
	cancel()
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	copied := open(t, path, embedded.Options{})
	points, sums := raw(t, copied), windows(t, copied)
	var count int64
	for _, w := range sums {
		count += w.Count
	}
	if len(points) == 0 || count != int64(len(points)) {
		t.Errorf("the copy has %d readings and windows of %d", len(points), count)
	}
	if err := s.Backup(t.Context(), path); err == nil {
		t.Error("a backup overwrote another")
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	s := open(t, file(t), embedded.Options{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for n := 0; ; n++ {
				err := s.Write(context.Background(), []history.Point{at(time.Unix(int64(n), 0), float64(i))})
				if err != nil {
					if !errors.Is(err, history.ErrUnavailable) {
						t.Errorf("writing to a store that closes: %v", err)
					}
					return
				}
			}
		})
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait() // each is told
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := s.Raw(t.Context(), history.Query{Home: "h"}); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("reading a closed store: %v", err)
	}
}

func TestOneWriterGivingUpDoesNotHarmTheOthers(t *testing.T) {
	s := open(t, file(t), embedded.Options{})
	var wg sync.WaitGroup
	const writers, each = 10, 30
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				ctx, cancel := context.WithCancel(context.Background())
				wg.Go(func() { // gives up at some moment
					p := at(time.Unix(int64(n), 0), 1)
					p.Home = "given up"
					if err := s.Write(ctx, []history.Point{p}); err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("the one that gives up: %v", err)
					}
				})
				p := at(time.Unix(int64(n), 0), 1)
				p.Device = fmt.Sprint(i)
				if err := s.Write(t.Context(), []history.Point{p}); err != nil {
					t.Errorf("another: %v", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if got := raw(t, s); len(got) != writers*each {
		t.Errorf("%d readings of %d", len(got), writers*each)
	}
}

func TestFileOfANewerFormatIsLeftAlone(t *testing.T) {
	path := file(t)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`PRAGMA user_version = 2`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(t.Context(), path, embedded.Options{}); err == nil {
		t.Error("a file of a newer format was opened")
	}
}

func TestFileThatIsNoDatabase(t *testing.T) {
	path := file(t)
	if err := os.WriteFile(path, []byte("these are the voyages of something that is no database at all, and yet a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(t.Context(), path, embedded.Options{}); err == nil {
		t.Error("a file that is no database was opened")
	}
}
