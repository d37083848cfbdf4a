package historytest

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

func filters(t *testing.T, s history.Store) {
	var all []history.Point
	for i := range 60 {
		all = append(all, point(time.Duration(i)*time.Minute, devices.Reading{
			Device: []string{"a", "b", "ab"}[i%3], Kind: []devices.Kind{devices.Contact, devices.Motion}[i%2], Value: devices.Number(float64(i)),
		}))
	}
	other := at(0, 1)
	other.Home = "home-10"
	write(t, s, append(all, other)...)
	keep := func(f func(history.Point) bool) []history.Point {
		return slices.DeleteFunc(slices.Clone(all), func(p history.Point) bool { return !f(p) })
	}
	same(t, raw(t, s, history.Query{Home: home, Device: "a"}), keep(func(p history.Point) bool { return p.Device == "a" }))
	same(t, raw(t, s, history.Query{Home: home, Kind: devices.Motion}), keep(func(p history.Point) bool { return p.Kind == devices.Motion }))
	same(t, raw(t, s, history.Query{Home: home, Device: "b", Kind: devices.Contact}),
		keep(func(p history.Point) bool { return p.Device == "b" && p.Kind == devices.Contact }))
	same(t, raw(t, s, history.Query{Home: home, Device: "c"}), nil)
	same(t, raw(t, s, history.Query{Home: home, From: origin.Add(10 * time.Minute), To: origin.Add(20 * time.Minute)}), all[10:20])
	same(t, raw(t, s, history.Query{Home: home, From: origin.Add(10*time.Minute + 1)}), all[11:])
	same(t, raw(t, s, history.Query{Home: home, To: origin.Add(10*time.Minute + 1)}), all[:11])
	same(t, raw(t, s, history.Query{Home: home, From: origin.Add(20 * time.Minute), To: origin.Add(10 * time.Minute)}), nil)
	same(t, raw(t, s, history.Query{Home: "home-10"}), []history.Point{other})
}

func pages(t *testing.T, s history.Store) {
	var all []history.Point
	for i := range 300 {
		v := float64(i)
		p := point(time.Duration(i/7)*90*time.Minute, devices.Reading{Device: fmt.Sprintf("d%d", i%7), Kind: devices.Power, Value: &v, Text: []string{"", "both"}[i%2]})
		if i%5 == 0 {
			p.Seq = uint64(i) // the others share their nanosecond with other series
		}
		all = append(all, p)
	}
	write(t, s, all...)
	for _, q := range []history.Query{
		{Home: home, Limit: 1}, {Home: home, Limit: 2}, {Home: home, Limit: 10}, {Home: home, Limit: 299}, {Home: home, Limit: 1000},
		{Home: home, Limit: 4, Device: "d3"}, {Home: home, Limit: 9, From: origin.Add(5 * time.Hour), To: origin.Add(30 * time.Hour)},
	} {
		whole := q
		whole.Limit = 0
		want := raw(t, s, whole)
		var got []history.Point
		for {
			page := raw(t, s, q)
			got = append(got, page...)
			if len(page) > q.Limit+6 {
				t.Fatalf("a page of %d for a limit of %d and at most 7 of one time", len(page), q.Limit)
			}
			if len(page) < q.Limit || len(got) > len(want) {
				break
			}
			q.After = page[len(page)-1].Nanos()
		}
		same(t, got, want)
	}
}

func last(t *testing.T, s history.Store) {
	final := []history.Point{
		at(50*24*time.Hour, 3),
		point(0, devices.Reading{Device: "kitchen-th", Kind: devices.Humidity, Room: "kitchen", Value: devices.Number(40)}), // long ago, and still the last
		point(time.Hour, devices.Reading{Device: "b", Kind: devices.Button, Text: "hold"}),
		point(2*time.Hour, devices.Reading{Device: "b", Kind: devices.SOS, Value: devices.Number(1)}), // its text came earlier
		point(2*time.Hour, devices.Reading{Device: "bell", Kind: "rang"}),
	}
	other := at(100*24*time.Hour, 9)
	other.Home = "home-2"
	write(t, s, append(slices.Clone(final), other,
		at(49*24*time.Hour, 2), at(0, 1),
		point(time.Minute, devices.Reading{Device: "b", Kind: devices.Button, Text: "single"}),
		point(time.Minute, devices.Reading{Device: "b", Kind: devices.SOS, Value: devices.Number(1), Text: "emergency"}),
		point(time.Minute, devices.Reading{Device: "bell", Kind: "rang"}),
	)...)
	got, err := s.Last(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, final)
}

func windows(t *testing.T, s history.Store) {
	write(t, s,
		at(50*time.Minute, 20), at(59*time.Minute, 22), // 12:50, 12:59
		at(time.Hour, 30), at(61*time.Minute, 10), // 13:00, 13:01
		at(4*time.Hour, 5), // 16:00
		point(0, devices.Reading{Device: "b", Kind: devices.Button, Text: "single"}), // no number: in no window
		point(0, devices.Reading{Device: "a", Kind: devices.Contact, Value: devices.Number(1)}))
	w := func(after time.Duration, count int64, min, max, sum, first, last float64) history.Window {
		return history.Window{Start: origin.Add(after), Device: "kitchen-th", Kind: devices.Temperature, Room: "kitchen",
			Count: count, Min: min, Max: max, Sum: sum, First: first, Last: last}
	}
	door := history.Window{Start: origin, Device: "a", Kind: devices.Contact, Count: 1, Min: 1, Max: 1, Sum: 1, First: 1, Last: 1}
	check := func(every time.Duration, want ...history.Window) {
		t.Helper()
		if got := windowsOf(t, s, history.Query{Home: home}, every); !reflect.DeepEqual(got, want) {
			t.Errorf("windows of %v:\n got %+v\nwant %+v", every, got, want)
		}
	}
	for range 2 { // from readings, then from summaries
		check(time.Hour, door, w(0, 2, 20, 22, 42, 20, 22), w(time.Hour, 2, 10, 30, 40, 30, 10), w(4*time.Hour, 1, 5, 5, 5, 5, 5))
		door.Start = origin.Truncate(24 * time.Hour)
		check(24*time.Hour, door, w(-12*time.Hour, 5, 5, 30, 87, 20, 5))
		door.Start = origin
		check(15*time.Minute, door, w(45*time.Minute, 2, 20, 22, 42, 20, 22), w(time.Hour, 2, 10, 30, 40, 30, 10), w(4*time.Hour, 1, 5, 5, 5, 5, 5))
		check(2*time.Hour, door, w(0, 4, 10, 30, 82, 20, 10), w(4*time.Hour, 1, 5, 5, 5, 5, 5))
		got := windowsOf(t, s, history.Query{Home: home, Kind: devices.Contact, Device: "a"}, time.Hour)
		if !reflect.DeepEqual(got, []history.Window{door}) {
			t.Errorf("windows of one device: %+v", got)
		}
		rollup(t, s)
	}
}

func windowBounds(t *testing.T, s history.Store) {
	for i := range 36 {
		write(t, s, at(time.Duration(i)*10*time.Minute, float64(i))) // six an hour, six hours
	}
	for range 2 {
		got := windowsOf(t, s, history.Query{Home: home, From: origin.Add(30 * time.Minute), To: origin.Add(3*time.Hour + 10*time.Minute + 1)}, time.Hour)
		if len(got) != 4 {
			t.Fatalf("got %d windows, want 4: %+v", len(got), got)
		}
		for i, count := range []int64{3, 6, 6, 2} {
			if got[i].Count != count || !got[i].Start.Equal(origin.Add(time.Duration(i)*time.Hour)) {
				t.Errorf("window %d: %+v, want %d readings", i, got[i], count)
			}
		}
		if got[0].First != 3 || got[0].Min != 3 || got[3].Last != 19 {
			t.Errorf("the outer windows reach beyond the query: %+v", got)
		}
		one := windowsOf(t, s, history.Query{Home: home, From: origin.Add(70 * time.Minute), To: origin.Add(90 * time.Minute)}, 24*time.Hour)
		if len(one) != 1 || one[0].Count != 2 || one[0].Sum != 15 {
			t.Errorf("a query within one hour: %+v", one)
		}
		if none := windowsOf(t, s, history.Query{Home: home, From: origin.Add(time.Hour), To: origin}, time.Hour); len(none) != 0 {
			t.Errorf("windows that end before they begin: %+v", none)
		}
		rollup(t, s)
	}
}

func lateWindows(t *testing.T, s history.Store) {
	// Hours of long ago: they are over, and so are summed up.
	old := func(after time.Duration, v float64) history.Point { return at(after-1000*time.Hour, v) }
	q := history.Query{Home: home}
	write(t, s, old(10*time.Minute, 10), old(20*time.Minute, 20), old(70*time.Minute, 1))
	rollup(t, s)
	rollup(t, s)
	write(t, s, old(0, 1), old(59*time.Minute, 9))
	want := []history.Window{
		{Start: origin.Add(-1000 * time.Hour), Device: "kitchen-th", Kind: devices.Temperature, Room: "kitchen", Count: 4, Min: 1, Max: 20, Sum: 40, First: 1, Last: 9},
		{Start: origin.Add(-999 * time.Hour), Device: "kitchen-th", Kind: devices.Temperature, Room: "kitchen", Count: 1, Min: 1, Max: 1, Sum: 1, First: 1, Last: 1},
	}
	for range 3 {
		if got := windowsOf(t, s, q, time.Hour); !reflect.DeepEqual(got, want) {
			t.Errorf("windows:\n got %+v\nwant %+v", got, want)
		}
		rollup(t, s)
	}
	late := old(30*time.Minute, 7)
	late.Device = "new"
	write(t, s, late)
	want = slices.Insert(want, 1, history.Window{Start: origin.Add(-1000 * time.Hour), Device: "new", Kind: devices.Temperature, Room: "kitchen", Count: 1, Min: 7, Max: 7, Sum: 7, First: 7, Last: 7})
	for range 2 {
		if got := windowsOf(t, s, q, time.Hour); !reflect.DeepEqual(got, want) {
			t.Errorf("windows with a new device:\n got %+v\nwant %+v", got, want)
		}
		rollup(t, s)
	}
}

func hugeSums(t *testing.T, s history.Store) {
	write(t, s, at(-100*time.Hour, math.MaxFloat64), at(-100*time.Hour+time.Minute, math.MaxFloat64), at(-50*time.Hour, -math.MaxFloat64), at(-50*time.Hour+1000, -math.MaxFloat64))
	for range 2 {
		got := windowsOf(t, s, history.Query{Home: home}, time.Hour)
		if len(got) != 2 || got[0].Sum != math.MaxFloat64 || got[1].Sum != -math.MaxFloat64 {
			t.Errorf("sums beyond what a float holds: %+v", got)
		}
		rollup(t, s)
	}
}

func shortWindows(t *testing.T, s history.Store) {
	for _, every := range []time.Duration{0, -time.Hour, time.Second - 1} {
		if _, err := s.Windows(t.Context(), history.Query{Home: home}, every); err == nil {
			t.Errorf("windows of %v are answered", every)
		}
	}
}

// likeModel plays random writes and queries against the store and against a
// map, and compares.
func likeModel(t *testing.T, s history.Store) {
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := &model{home: fmt.Sprintf("home-%d-%d", runs, rapid.Uint64().Draw(rt, "salt")), points: map[identity]history.Point{}}
		base := origin.Add(-time.Duration(rapid.IntRange(0, 24*400).Draw(rt, "hours ago")) * time.Hour)
		when := rapid.Custom(func(rt *rapid.T) time.Time {
			return base.Add(time.Duration(rapid.IntRange(0, 5*60).Draw(rt, "minute")) * time.Minute)
		})
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			points := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) history.Point { return m.draw(rt, when) }), 0, 20).Draw(rt, "points")
			if err := s.Write(t.Context(), points); err != nil {
				rt.Fatalf("write: %v", err)
			}
			m.write(points)
			if rapid.Bool().Draw(rt, "roll up") {
				rollup(t, s)
			}
			q := history.Query{
				Home: m.home, From: when.Draw(rt, "from"), To: when.Draw(rt, "to"),
				Device: rapid.SampledFrom([]string{"", "", "d1", "d2"}).Draw(rt, "device"),
				Kind:   rapid.SampledFrom([]devices.Kind{"", "", devices.Power, devices.Motion}).Draw(rt, "kind"),
			}
			got, err := s.Raw(t.Context(), q)
			if err != nil {
				rt.Fatalf("raw: %v", err)
			}
			if want := m.raw(q); !slices.EqualFunc(got, want, func(a, b history.Point) bool { return reflect.DeepEqual(a, b) }) {
				rt.Fatalf("raw: got %d points, want %d", len(got), len(want))
			}
			every := rapid.SampledFrom([]time.Duration{time.Minute, 7 * time.Minute, time.Hour, 3 * time.Hour, 24 * time.Hour}).Draw(rt, "every")
			sums, err := s.Windows(t.Context(), q, every)
			if err != nil {
				rt.Fatalf("windows: %v", err)
			}
			if want := m.windows(q, every); !slices.Equal(sums, want) {
				rt.Fatalf("windows of %v:\n got %+v\nwant %+v", every, sums, want)
			}
		}
	})
}

type identity struct {
	device, kind, room string
	t                  int64
}

// model is the simplest time series store there could be. Its numbers are
// whole, so that their sums do not depend on the order.
type model struct {
	home   string
	points map[identity]history.Point
}

func (m *model) draw(rt *rapid.T, when *rapid.Generator[time.Time]) history.Point {
	p := history.Point{Home: m.home, Seq: rapid.Uint64Range(0, 3).Draw(rt, "seq"), Reading: devices.Reading{
		Time:   devices.MicrosOf(when.Draw(rt, "time")),
		Device: rapid.SampledFrom([]string{"", "d1", "d2"}).Draw(rt, "device"),
		Kind:   rapid.SampledFrom([]devices.Kind{devices.Power, devices.Motion, devices.Button}).Draw(rt, "kind"),
		Room:   rapid.SampledFrom([]string{"", "hall"}).Draw(rt, "room"),
	}}
	if p.Kind == devices.Button {
		p.Text = rapid.StringN(1, 5, -1).Draw(rt, "text")
	} else {
		p.Value = devices.Number(float64(rapid.IntRange(-100, 100).Draw(rt, "number")))
	}
	return p
}

func (m *model) write(points []history.Point) {
	for _, p := range points {
		m.points[identity{p.Device, string(p.Kind), p.Room, p.Nanos()}] = p.Stored()
	}
}

func (m *model) raw(q history.Query) []history.Point {
	var out []history.Point
	for _, p := range m.points {
		t := p.Time.Time()
		if !t.Before(q.From) && t.Before(q.To) && (q.Device == "" || q.Device == p.Device) && (q.Kind == "" || q.Kind == p.Kind) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, history.Compare)
	return out
}

func (m *model) windows(q history.Query, every time.Duration) []history.Window {
	sums := map[identity]*history.Window{}
	for _, p := range m.raw(q) {
		if p.Value == nil {
			continue
		}
		v, start := *p.Value, p.Nanos()/int64(every)*int64(every)
		id := identity{p.Device, string(p.Kind), p.Room, start}
		w := sums[id]
		if w == nil {
			w = &history.Window{Start: time.Unix(0, start).UTC(), Device: p.Device, Kind: p.Kind, Room: p.Room, Min: v, Max: v, First: v}
			sums[id] = w
		}
		w.Count++
		w.Sum += v
		w.Min, w.Max, w.Last = min(w.Min, v), max(w.Max, v), v
	}
	var out []history.Window
	for _, w := range sums {
		out = append(out, *w)
	}
	slices.SortFunc(out, func(a, b history.Window) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Room, b.Room))
	})
	return out
}
