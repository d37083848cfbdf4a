package screen_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/screen"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/storetest"
	"github.com/lykta/lykta/devices/wire"
)

func database(t testing.TB, homes int) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for i := range homes {
		id := fmt.Sprint("home-", i)
		if err := db.AddHome(t.Context(), care.Home{ID: id, Gateway: "gw-" + id, Name: id, Zone: "Europe/Stockholm"}); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// run lets a Builder work on a database until the test, or end, ends it.
func run(t testing.TB, db *store.Store, collect func(string)) (end func()) {
	t.Helper()
	_, end = runs(t, db, collect)
	return end
}

// runs is run, with the Builder.
func runs(t testing.TB, db *store.Store, collect func(string)) (b *screen.Builder, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b = screen.New(screen.Options{Screens: db, Log: db, Visits: db, Gateways: db, Holdings: db, Collect: collect, Errors: slog.New(slog.DiscardHandler)})
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	return b, func() { cancel(); <-done }
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// What changed while nobody built screens, as the machine had died, is told by
// the next who does; what was told already is not told again.
func TestWhatChangedBeforeADeathIsToldAfterIt(t *testing.T) {
	db := database(t, 1)
	newest := func() (s wire.Screen, n int) {
		t.Helper()
		pending, err := db.PendingCommands(t.Context(), "gw-home-0", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range pending {
			if err := json.Unmarshal(c.Command.Args, &s); err != nil {
				t.Fatal(err)
			}
		}
		return s, len(pending)
	}
	end := run(t, db, func(string) {})
	eventually(t, "a new home is told nothing", func() bool { _, n := newest(); return n == 1 })
	end()
	first, _ := newest()

	now := time.Now()
	v := care.Visit{ID: "v1", Home: "home-0", From: now.Add(time.Hour), To: now.Add(2 * time.Hour), State: care.VisitPlanned, Changed: now}
	entry := care.AuditEntry{At: now, Actor: "Johan", Role: care.Coordinator, Action: "visit planned", Home: "home-0"}
	if _, err := db.PutVisit(t.Context(), v, entry); err != nil {
		t.Fatal(err)
	}
	end = run(t, db, func(string) {})
	eventually(t, "the visit is not told of", func() bool { s, n := newest(); return n == 1 && len(s.Visits) == 1 && len(s.Looks) == 1 })
	end()
	second, _ := newest()
	if second.Version <= first.Version {
		t.Errorf("version %d after %d", second.Version, first.Version)
	}
	end = run(t, db, func(string) { t.Error("what was told is told again") })
	eventually(t, "the next start does not come to rest", func() bool {
		due, err := db.DueScreens(t.Context(), time.Now(), 1)
		return err == nil && len(due) == 0
	})
	end()
	if third, n := newest(); n != 1 || third.Version != second.Version {
		t.Errorf("%d commands wait, version %d after %d", n, third.Version, second.Version)
	}
}

// BenchmarkTell is how long it takes to tell a home, and BenchmarkRest what a
// look costs when there is nothing to tell.
func BenchmarkTell(b *testing.B) {
	db := database(b, b.N)
	now := time.Now()
	for i := range b.N {
		for n := range 6 {
			v := care.Visit{ID: fmt.Sprint(i, "-", n), Home: fmt.Sprint("home-", i), From: now, To: now.Add(time.Hour), State: care.VisitPlanned, Changed: now}
			if _, err := db.PutVisit(b.Context(), v, care.AuditEntry{At: now, Actor: "J", Role: care.Coordinator, Action: fmt.Sprint("look ", n), Home: v.Home}); err != nil {
				b.Fatal(err)
			}
		}
	}
	told := make(chan struct{}, b.N)
	b.ResetTimer()
	end := run(b, db, func(string) { told <- struct{}{} })
	for range b.N {
		<-told
	}
	b.StopTimer()
	end()
}

func BenchmarkRest(b *testing.B) {
	db := database(b, 5000)
	end := run(b, db, func(string) {})
	eventually(b, "the homes are not told", func() bool {
		due, err := db.DueScreens(b.Context(), time.Now(), 1)
		return err == nil && len(due) == 0
	})
	end()
	for b.Loop() {
		if _, err := db.DueScreens(b.Context(), time.Now(), 100); err != nil {
			b.Fatal(err)
		}
		if _, err := db.FollowAudit(b.Context(), time.Now(), 1000); err != nil {
			b.Fatal(err)
		}
	}
}
