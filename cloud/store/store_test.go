package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/postgrestest"
	"github.com/lykta/lykta/cloud/store/storetest"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// postgres is what all tests share, each in a database of its own.
var postgres postgrestest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// databases runs f on every kind of database. address makes one that is as Open
// leaves an empty one.
func databases(t *testing.T, f func(t *testing.T, address func(testing.TB) string)) {
	kinds(t, f, storetest.SQLite, func(t testing.TB) string { return postgres.Copy(t, storetest.Make) })
}

// emptyDatabases runs f on every kind of database. address makes an empty one.
func emptyDatabases(t *testing.T, f func(t *testing.T, address func(testing.TB) string)) {
	kinds(t, f, sqliteAddress, postgres.Database)
}

func kinds(t *testing.T, f func(t *testing.T, address func(testing.TB) string), sqlite, postgres func(testing.TB) string) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, sqlite)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, postgres)
	})
}

func sqliteAddress(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "lykta.db")
}

func open(t testing.TB, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address)
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

// noon is a moment; at(n) is n seconds after it.
func at(seconds int) time.Time {
	return time.Date(2026, 11, 21, 12, 0, seconds, 123456000, time.UTC)
}

func alert(kind care.AlertKind, device string, raised time.Time) care.Alert {
	return care.Alert{
		ID:   care.AlertID("home-1", kind, device, raised.String()),
		Home: "home-1", Kind: kind, Severity: kind.Severity(), State: care.Open,
		Device: device, Room: "hall", Cause: care.Cause{Epoch: "e1", Seq: 7},
		Observed: raised.Add(-2 * time.Second), Raised: raised,
	}
}

func recovery(a care.Alert, at time.Time) care.Recovery {
	return care.Recovery{Home: a.Home, Kind: a.Kind, Device: a.Device, At: at}
}

func record(seq uint64, received time.Time) care.AlarmRecord {
	return care.AlarmRecord{
		Gateway: "gw1", Epoch: "e1", Seq: seq, Home: "home-1", Received: received,
		Record: wire.Record{Reading: devices.Reading{
			Time: devices.MicrosOf(received), Device: "button", Kind: devices.SOS, Room: "hall", Value: devices.Number(1),
		}},
	}
}

func commit(t testing.TB, s *store.Store, c care.Commit) []care.Event {
	t.Helper()
	events, err := s.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func raise(t testing.TB, s *store.Store, alerts ...care.Alert) []care.Event {
	t.Helper()
	return commit(t, s, care.Commit{Raise: alerts})
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
