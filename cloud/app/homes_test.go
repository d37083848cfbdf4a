package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/web"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// nobody is a source from which nothing comes.
type nobody struct{}

func (nobody) Run(ctx context.Context, _ func(ingest.Message)) error {
	<-ctx.Done()
	return ctx.Err()
}

func (nobody) Publish(context.Context, string, []byte) error { return nil }

func (nobody) Ready() error { return nil }

func database(t *testing.T, data string) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(data, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// running are homes with an ingest that runs.
func running(t *testing.T, data string) *homes {
	t.Helper()
	db := database(t, data)
	series, err := embedded.Open(t.Context(), filepath.Join(data, historyFile), embedded.Options{Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = series.Close() })
	h := &homes{store: db, log: quiet()}
	h.ingest, err = Options{Log: quiet()}.ingest(t.Context(), db, series, nobody{}, h, web.NewLive(db, quiet()), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.ingest.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ingest ended with %v", err)
		}
	})
	return h
}

func TestOnlyGatewaysOfHomesMayConnect(t *testing.T) {
	h := &homes{store: database(t, t.TempDir()), log: quiet()}
	if known, err := h.Known(t.Context(), "gw-1"); known || err != nil {
		t.Errorf("a stranger is known: %v, %v", known, err)
	}
	if _, err := h.HomeByGateway(t.Context(), "gw-1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the home of a stranger: %v", err)
	}
	if err := h.store.AddHome(t.Context(), care.Home{ID: "home-1", Gateway: "gw-1", Name: "One", Zone: "UTC"}); err != nil {
		t.Fatal(err)
	}
	if known, err := h.Known(t.Context(), "gw-1"); !known || err != nil {
		t.Errorf("known: %v, %v", known, err)
	}
	if known, err := h.Known(t.Context(), "GW-1"); known || err != nil {
		t.Errorf("another gateway is taken for it: %v, %v", known, err)
	}
}

func TestWhoCannotBeLookedUpIsNotTurnedAway(t *testing.T) {
	h := &homes{store: database(t, t.TempDir()), log: quiet()}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Known(t.Context(), "gw-1"); err == nil {
		t.Error("a database that is away knows everybody")
	}
}

func TestOpenEnrolmentGivesAGatewayAHome(t *testing.T) {
	h := &homes{store: database(t, t.TempDir()), log: quiet(), open: true}
	for range 2 {
		if known, err := h.Known(t.Context(), "GW-1"); !known || err != nil {
			t.Fatalf("known: %v, %v", known, err)
		}
	}
	all, err := h.store.Homes(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d homes, %v", len(all), err)
	}
	if got := all[0]; got.ID != "gw-1" || got.Gateway != "GW-1" || got.Name != "GW-1" || got.Zone != DefaultZone || got.Created.IsZero() {
		t.Errorf("%+v", got)
	}
	// Its home's id is taken: somebody must add this one by hand.
	if known, err := h.Known(t.Context(), "gw-1"); known || err != nil {
		t.Errorf("a gateway was given another's home: %v, %v", known, err)
	}
}

func TestHomesThatAnotherProcessAddsAreSeen(t *testing.T) {
	data := t.TempDir()
	h := running(t, data)
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, "--data", data, "home", "add", "--id=new", "--gateway=gw-new", "--name=New")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err := h.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		status, _, err := h.ingest.Detail(t.Context(), "new")
		if err == nil && status.Home.Name == "New" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %v", err)
		}
	}
}

func TestOneHomeIsFoundWithoutARefresh(t *testing.T) {
	data := t.TempDir()
	h := running(t, data)
	if _, _, err := h.Detail(t.Context(), "new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a home that is not there: %v", err)
	}
	must(t, "--data", data, "home", "add", "--id=new", "--gateway=gw-new", "--name=New")
	status, _, err := h.Detail(t.Context(), "new")
	if err != nil || status.Home.Name != "New" {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestAddingAHome(t *testing.T) {
	h := running(t, t.TempDir())
	home := care.Home{ID: "home-1", Gateway: "gw-1", Name: "One", Zone: "UTC"}
	if err := h.Add(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	if status, _, err := h.ingest.Detail(t.Context(), "home-1"); err != nil || !status.Home.Equal(home) {
		t.Errorf("%+v, %v", status, err)
	}
	if err := h.Add(t.Context(), home); !errors.Is(err, fs.ErrExist) {
		t.Errorf("twice: %v", err)
	}
	home.ID = "Not An Id"
	if err := h.Add(t.Context(), home); !errors.Is(err, care.ErrHome) {
		t.Errorf("not well formed: %v", err)
	}
}

// What many homes have is asked for in a few turns of who owns them, and is
// what each says alone.
func TestDevicesOfManyHomes(t *testing.T) {
	h := running(t, t.TempDir())
	var ids []string
	for i := range 600 {
		home := care.Home{ID: fmt.Sprintf("home-%03d", i), Gateway: fmt.Sprintf("gw-%03d", i), Name: "x", Zone: "UTC"}
		if err := h.store.AddHome(t.Context(), home); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, home.ID)
	}
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	devs, err := h.Devices(t.Context(), append(ids, "nowhere"))
	if _, ok := devs["nowhere"]; err != nil || len(devs) != 600 || ok {
		t.Fatalf("%d homes, %v", len(devs), err)
	}
	// Nothing has come since the start, and more may be stored.
	if signals, err := h.Signals(t.Context(), ids); err != nil || len(signals) != 0 {
		t.Errorf("%d homes with signals, %v", len(signals), err)
	}
	if _, err := h.ingest.Last(t.Context(), ids[7], empty{}); err != nil {
		t.Fatal(err)
	}
	if signals, err := h.Signals(t.Context(), ids); err != nil || len(signals) != 1 || signals[ids[7]] == nil {
		t.Errorf("after one was asked for: %v, %v", signals, err)
	}
}

// empty is a time series without any.
type empty struct{}

func (empty) Last(context.Context, string) ([]history.Point, error) { return nil, nil }
