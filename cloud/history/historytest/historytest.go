// Package historytest proves that a time series store is one: every
// history.Store passes Run.
package historytest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

// Run proves a store. Open returns an empty one that is closed by the test's
// cleanup. A store that keeps summaries has a method Rollup(ctx) error that
// brings them up to date; the suite calls it where it must change nothing.
func Run(t *testing.T, open func(t *testing.T) history.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s history.Store)
	}{
		{"empty store answers nothing", emptyStore},
		{"every shape of reading comes back as it was", shapes},
		{"numbers come back to the last bit", numbers},
		{"texts come back to the last byte", texts},
		{"names come back whatever is in them", names},
		{"hostile names see and touch no other home", injection},
		{"writing again changes nothing", repeated},
		{"one microsecond holds many readings", sameMicrosecond},
		{"late and unordered readings fall into place", unordered},
		{"what can never be stored is refused, the rest is kept", refusals},
		{"times reach from 1970 to 2199", times},
		{"a query takes what it asks for", filters},
		{"pages cover everything once", pages},
		{"last is the newest of every series", last},
		{"windows are aligned and complete", windows},
		{"windows heed from and to", windowBounds},
		{"late readings show in windows that were summed up", lateWindows},
		{"windows never overflow", hugeSums},
		{"windows under a second are an error", shortWindows},
		{"a large batch is kept in whole", largeBatch},
		{"writers side by side lose nothing", sideBySide},
		{"a context that has ended is heeded", ended},
		{"it answers like the simplest store there could be", likeModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// origin is a whole hour, Saturday noon.
var origin = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const home = "home-1"

// at makes a number of the kitchen's thermometer, so long after origin.
func at(after time.Duration, v float64) history.Point {
	return point(after, devices.Reading{Device: "kitchen-th", Kind: devices.Temperature, Room: "kitchen", Value: &v})
}

func point(after time.Duration, r devices.Reading) history.Point {
	r.Time = devices.MicrosOf(origin.Add(after))
	return history.Point{Home: home, Reading: r}
}

func write(t testing.TB, s history.Store, points ...history.Point) {
	t.Helper()
	if err := s.Write(t.Context(), points); err != nil {
		t.Fatalf("write %d points: %v", len(points), err)
	}
}

func raw(t testing.TB, s history.Store, q history.Query) []history.Point {
	t.Helper()
	got, err := s.Raw(t.Context(), q)
	if err != nil {
		t.Fatalf("raw: %v", err)
	}
	return got
}

// everything returns all of a home's readings.
func everything(t testing.TB, s history.Store, home string) []history.Point {
	t.Helper()
	return raw(t, s, history.Query{Home: home})
}

func windowsOf(t testing.TB, s history.Store, q history.Query, every time.Duration) []history.Window {
	t.Helper()
	got, err := s.Windows(t.Context(), q, every)
	if err != nil {
		t.Fatalf("windows: %v", err)
	}
	return got
}

func rollup(t testing.TB, s history.Store) {
	t.Helper()
	r, ok := s.(interface{ Rollup(context.Context) error })
	if !ok {
		return
	}
	if err := r.Rollup(t.Context()); err != nil {
		t.Fatalf("roll up: %v", err)
	}
}

// same compares points as stores give them back, in their order.
func same(t testing.TB, got, want []history.Point) {
	t.Helper()
	want = slices.Clone(want)
	for i := range want {
		want[i] = want[i].Stored()
	}
	slices.SortFunc(want, history.Compare)
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("point %d of %d:\n got %s\nwant %s", i, len(want), show(got[i]), show(want[i]))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %d points, want %d", len(got), len(want))
	}
}

func show(p history.Point) string {
	v := "none"
	if p.Value != nil {
		v = fmt.Sprint(*p.Value)
	}
	return fmt.Sprintf("%d %q/%q/%q/%q number %s %q text %q seq %d", p.Nanos(), p.Home, p.Device, p.Kind, p.Room, v, p.Unit, p.Text, p.Seq)
}

func refusedBy(t testing.TB, err error) []history.Point {
	t.Helper()
	var refused *history.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("got error %v, want a refusal", err)
	}
	return refused.Points
}
