package influx_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/historytest"
	"github.com/lykta/lykta/cloud/history/influx"
	"github.com/lykta/lykta/cloud/history/influx/influxdtest"
	"github.com/lykta/lykta/devices"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bucket = "lykta/for ever"

func open(t testing.TB, opts influx.Options) *influx.Store {
	t.Helper()
	opts.Log = slog.New(slog.DiscardHandler)
	s, err := influx.Open(t.Context(), opts)
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

// TestInfluxDB is all that shares one server, which takes seconds to start.
func TestInfluxDB(t *testing.T) {
	t.Parallel() // the start of a server is mostly waiting
	server := influxdtest.Start(t)
	t.Run("conformance", func(t *testing.T) {
		var n atomic.Int64
		historytest.Run(t, func(t *testing.T) history.Store {
			return open(t, influx.Options{URL: server.URL, Bucket: fmt.Sprintf("lykta%d/for ever", n.Add(1))})
		})
	})
	t.Run("summaries are exact", func(t *testing.T) { summariesAreExact(t, server) })
	t.Run("summaries outlive readings", func(t *testing.T) { summariesOutliveReadings(t, server) })
	t.Run("points that InfluxDB refuses", func(t *testing.T) { pointsThatInfluxDBRefuses(t, server) })
	t.Run("readings beyond the retention", func(t *testing.T) { readingsBeyondRetention(t, server) })
	t.Run("words of all kinds", func(t *testing.T) { wordsOfAllKinds(t, server) })
	t.Run("names as earlier versions spelled them", func(t *testing.T) { earlierSpelling(t, server) })
}

// hour is over, and not long ago.
var hour = time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Hour)

func at(when time.Time, v float64) history.Point {
	return history.Point{Home: "h", Reading: devices.Reading{Time: devices.MicrosOf(when), Device: "d", Kind: devices.Power, Value: &v}}
}

func write(t testing.TB, s *influx.Store, points ...history.Point) {
	t.Helper()
	if err := s.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
}

func values(t testing.TB, s *influx.Store) []float64 {
	t.Helper()
	got, err := s.Raw(t.Context(), history.Query{Home: "h"})
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, p := range got {
		out = append(out, *p.Value)
	}
	return out
}

func sums(t testing.TB, s *influx.Store) []float64 {
	t.Helper()
	got, err := s.Windows(t.Context(), history.Query{Home: "h"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, w := range got {
		out = append(out, w.Sum)
	}
	return out
}

func rollup(t testing.TB, s *influx.Store) {
	t.Helper()
	if err := s.Rollup(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func equal(t testing.TB, what string, got []float64, want ...float64) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func summariesAreExact(t *testing.T, server *influxdtest.Server) {
	first := open(t, influx.Options{URL: server.URL, Bucket: "exact/for ever"})
	write(t, first, at(hour, 1), at(hour.Add(time.Minute), 2), at(hour.Add(time.Hour), 10))
	equal(t, "before", sums(t, first), 3, 10)
	rollup(t, first)
	if n := influx.CleanHours(t, first, "h"); n != 2 {
		t.Fatalf("%d hours are summed up, want 2", n)
	}
	// They are what is read: a reading that nobody has marked is not seen.
	influx.Plant(t, first, influx.Line(at(hour.Add(2*time.Minute), 1000)))
	equal(t, "summaries are read", sums(t, first), 3, 10)

	// A late reading changes the first hour; then the process dies.
	write(t, first, at(hour.Add(3*time.Minute), 4))
	equal(t, "late reading", sums(t, first), 1007, 10)
	if n := influx.CleanHours(t, first, "h"); n != 1 {
		t.Errorf("%d hours are summed up after a late reading, want 1", n)
	}

	second := open(t, influx.Options{URL: server.URL, Bucket: "exact/for ever"})
	equal(t, "after a crash", sums(t, second), 1007, 10)
	rollup(t, second) // takes over what the first has left
	if n := influx.CleanHours(t, second, "h"); n != 2 {
		t.Errorf("%d hours are summed up by the next process, want 2", n)
	}
	// The next process, too, knows nothing of the hour when it writes to it.
	third := open(t, influx.Options{URL: server.URL, Bucket: "exact/for ever"})
	write(t, third, at(hour.Add(4*time.Minute), 20_000))
	equal(t, "late reading by a new process", sums(t, third), 21_007, 10)

	// A summing up that stopped halfway counts for nothing, whoever writes next.
	influx.SealHalfway(t, third, "h", hour)
	write(t, third, at(hour.Add(5*time.Minute), 300_000))
	equal(t, "late reading during a summing up", sums(t, third), 321_007, 10)
	rollup(t, third)
	equal(t, "in the end", sums(t, third), 321_007, 10)
	if n := influx.CleanHours(t, third, "h"); n != 2 {
		t.Errorf("%d hours are summed up in the end, want 2", n)
	}
}

func summariesOutliveReadings(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Bucket: "outlive/short", Retention: 48 * time.Hour, RollupBucket: "outlive/long"})
	write(t, s, at(hour, 1), at(hour.Add(time.Minute), 2))
	rollup(t, s)
	equal(t, "windows", sums(t, s), 3)
	if err := s.Write(t.Context(), []history.Point{at(hour.Add(-100*time.Hour), 5)}); !isRefusal(err, 1) {
		t.Errorf("a reading older than the bucket keeps: %v", err)
	}
	// As if the retention had passed: the readings are gone.
	server.Query(`DROP RETENTION POLICY "short" ON "outlive"`)
	server.Query(`CREATE RETENTION POLICY "short" ON "outlive" DURATION 48h REPLICATION 1`)
	equal(t, "readings", values(t, s))
	equal(t, "windows without readings", sums(t, s), 3)
}

func isRefusal(err error, n int) bool {
	var refused *history.RefusedError
	return errors.As(err, &refused) && len(refused.Points) == n && !errors.Is(err, history.ErrUnavailable)
}

// TestOutage is all that ends its server, one after the other.
func TestOutage(t *testing.T) {
	server := influxdtest.Start(t)
	t.Run("in use", func(t *testing.T) { outage(t, server) })
	t.Run("at the start", func(t *testing.T) { awayAtTheStart(t, server) })
}

func outage(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Bucket: bucket, Timeout: 2 * time.Second, QueryTimeout: 10 * time.Second})
	write(t, s, at(hour, 1))

	fails := func(what string, v float64) {
		t.Helper()
		p := at(hour.Add(time.Duration(v)*time.Minute), v)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := s.Write(ctx, []history.Point{p}); !errors.Is(err, history.ErrUnavailable) || ctx.Err() != nil {
			t.Errorf("write while InfluxDB is %s: %v (own timeout: %v)", what, err, ctx.Err() == nil)
		}
		if err := s.Ping(ctx); err == nil {
			t.Errorf("ping while InfluxDB is %s", what)
		}
	}
	server.Stop()
	fails("stopped", 2)
	if _, err := s.Raw(t.Context(), history.Query{Home: "h"}); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("read while InfluxDB is stopped: %v", err)
	}
	server.Restart()
	write(t, s, at(hour.Add(2*time.Minute), 2), at(hour.Add(3*time.Minute), 3))
	equal(t, "after a stop", values(t, s), 1, 2, 3)

	server.Kill() // a power cut: what was acknowledged is there
	fails("dead", 4)
	server.Restart()
	equal(t, "after a power cut", values(t, s), 1, 2, 3)

	server.Stall() // it takes the request, and may carry it out later
	fails("stalled", 4)
	server.Resume()
	write(t, s, at(hour.Add(4*time.Minute), 4), at(hour.Add(5*time.Minute), 5))
	equal(t, "after a stall", values(t, s), 1, 2, 3, 4, 5)
	equal(t, "windows", sums(t, s), 15)
	rollup(t, s)
	equal(t, "windows from summaries", sums(t, s), 15)
}

func awayAtTheStart(t *testing.T, server *influxdtest.Server) {
	server.Stop()
	s := open(t, influx.Options{URL: server.URL, Bucket: "away/for ever"})
	if err := s.Write(t.Context(), []history.Point{at(hour, 1)}); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("write: %v", err)
	}
	server.Restart()
	write(t, s, at(hour, 1))
	equal(t, "values", values(t, s), 1)

	server.Query(`DROP DATABASE "away"`) // and somebody drops it all
	if err := s.Write(t.Context(), []history.Point{at(hour, 1)}); !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), "LYK-0311") {
		t.Errorf("write to a database that was dropped: %v", err)
	}
	write(t, s, at(hour, 2)) // it was made again
	equal(t, "values", values(t, s), 2)
}

func pointsThatInfluxDBRefuses(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Bucket: "refuses/for ever"})
	// Somebody else has made v a whole number in the week around 2001.
	influx.Plant(t, s, `reading,home=other v=1i 978307200000000000`)
	odd := at(time.Date(2001, 1, 1, 0, 0, 1, 0, time.UTC), 5)
	var points []history.Point
	for i := range 1000 {
		points = append(points, at(hour.Add(time.Duration(i)*time.Second), float64(i)))
	}
	points[300], points[700] = odd, at(odd.Time.Time().Add(time.Second), 6)
	err := s.Write(t.Context(), points)
	if !isRefusal(err, 2) || !strings.Contains(err.Error(), "LYK-0313") {
		t.Errorf("two of another type among a thousand: %v", err)
	}
	// From after 2001: over shards in which a field has different types, Flux
	// of 1.8 sees those of the first type only.
	got, err := s.Raw(t.Context(), history.Query{Home: "h", From: hour})
	if err != nil || len(got) != 998 {
		t.Errorf("%d readings were kept, want 998 (%v)", len(got), err)
	}

	// When it takes hardly anything, nothing is given up.
	for i := range points {
		points[i] = at(odd.Time.Time().Add(time.Duration(i)*time.Second), 1)
	}
	if err := s.Write(t.Context(), points); !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), "LYK-0314") {
		t.Errorf("a thousand refused: %v", err)
	}
}

func readingsBeyondRetention(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Bucket: "beyond/short", Retention: 60 * time.Hour})
	var points []history.Point
	for i := range 3000 { // one in three is older than the bucket keeps
		when := hour.Add(time.Duration(i) * time.Second)
		if i%3 == 0 {
			when = when.AddDate(-1, 0, 0)
		}
		points = append(points, at(when, float64(i)))
	}
	if err := s.Write(t.Context(), points); !isRefusal(err, 1000) {
		t.Errorf("a thousand of three beyond the retention: %v", err)
	}
	if got := values(t, s); len(got) != 2000 {
		t.Errorf("%d readings were kept, want 2000", len(got))
	}
}

// TestServerThatSaysNo is all that shares a server which does not take everything.
func TestServerThatSaysNo(t *testing.T) {
	t.Parallel()
	server := influxdtest.Start(t, influxdtest.User("anna", "kaffe:te"), influxdtest.MaxValuesPerTag(5))
	t.Run("access", func(t *testing.T) { access(t, server) })
	t.Run("its limit loses nothing", func(t *testing.T) { limitLosesNothing(t, server) })
}

func limitLosesNothing(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Token: "anna:kaffe:te", Bucket: "limit/for ever"})
	var err error
	for i := 0; i < 20 && err == nil; i++ {
		p := at(hour, 1)
		p.Device = fmt.Sprintf("d%d", i)
		err = s.Write(t.Context(), []history.Point{p})
	}
	if !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), "LYK-0312") {
		t.Errorf("more devices than the server takes: %v", err)
	}
}

func access(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Token: "anna:kaffe:te", Bucket: bucket})
	write(t, s, at(hour, 1))
	equal(t, "values", values(t, s), 1)
	for _, token := range []string{"", "anna:wrong"} {
		s := open(t, influx.Options{URL: server.URL, Token: token, Bucket: bucket})
		err := s.Write(t.Context(), []history.Point{at(hour, 1)})
		if !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), "LYK-0310") {
			t.Errorf("write with token %q: %v", token, err)
		}
	}
}

func wordsOfAllKinds(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Bucket: "words/for ever"})
	name := rapid.Custom(func(rt *rapid.T) string {
		return rapid.OneOf(rapid.StringN(1, 20, 100), rapid.StringOfN(rapid.RuneFrom([]rune(`\,= "'$`+"{}åx")), 1, 8, -1)).Draw(rt, "name")
	})
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		p := history.Point{Home: name.Draw(rt, "home") + strconv.Itoa(runs), Reading: devices.Reading{
			Time: devices.MicrosOf(hour), Device: name.Draw(rt, "device"), Kind: devices.Kind(name.Draw(rt, "kind")), Room: name.Draw(rt, "room"),
			Text:  rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("\\\"\r\n\t,=n r{}$#")))).Draw(rt, "text"),
			Value: devices.Number(rapid.Float64().Draw(rt, "value")), Unit: devices.Unit(name.Draw(rt, "unit")),
		}}
		if p.Check() != nil {
			rt.Skip("no store takes it")
		}
		if err := s.Write(t.Context(), []history.Point{p}); err != nil {
			rt.Fatalf("write %+v: %v", p, err)
		}
		got, err := s.Raw(t.Context(), history.Query{Home: p.Home, Device: p.Device, Kind: p.Kind})
		if err != nil {
			rt.Fatal(err)
		}
		if want := []history.Point{p.Stored()}; !reflect.DeepEqual(got, want) {
			rt.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

// earlierSpelling is about names with backslashes that were written when these
// were not told apart from those that line protocol itself puts in.
func earlierSpelling(t *testing.T, server *influxdtest.Server) {
	s := open(t, influx.Options{URL: server.URL, Bucket: "earlier/for ever"})
	for i, name := range []string{`back\slash`, `two\\` + `slashes`, `back\ space`, `\\ two`, `\ \\\ many`} {
		home := func(when time.Time, v float64) history.Point {
			p := at(when, v)
			p.Home, p.Device = name, name
			return p
		}
		spelled := strings.ReplaceAll(name, " ", `\ `)
		nanos := hour.UnixNano()
		influx.Plant(t, s,
			fmt.Sprintf(`reading,device=%s,home=%s,kind=power v=1 %d`, spelled, spelled, nanos),
			fmt.Sprintf(`reading,device=%s,home=%s,kind=power v=2 %d`, spelled, spelled, nanos+int64(time.Minute)),
			fmt.Sprintf(`reading_1h,device=%s,home=%s,kind=power count=2i,min=1,max=2,sum=3,first=1,last=2 %d`, spelled, spelled, nanos),
			fmt.Sprintf(`reading_1h_mark,home=%s dirty=7i,clean=7i %d`, spelled, nanos))
		check := func(doing string, want ...history.Point) {
			t.Helper()
			for _, q := range []history.Query{{Home: name}, {Home: name, Device: name}} {
				got, err := s.Raw(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%q, %s: got %+v, want %+v", name, doing, got, want)
				}
				sums, err := s.Windows(t.Context(), q, time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				w := history.Window{Start: hour, Device: name, Kind: devices.Power, Min: 1, First: *want[0].Value}
				for _, p := range want {
					w.Count++
					w.Sum += *p.Value
					w.Max, w.Last = max(w.Max, *p.Value), *p.Value
				}
				if !reflect.DeepEqual(sums, []history.Window{w}) {
					t.Errorf("%q, %s: windows %+v, want %+v", name, doing, sums, w)
				}
			}
			got, err := s.Last(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want[len(want)-1:]) {
				t.Errorf("%q, %s: last %+v", name, doing, got)
			}
		}
		first, second, third := home(hour, 1).Stored(), home(hour.Add(time.Minute), 2).Stored(), home(hour.Add(30*time.Second), 4).Stored()
		check("as it was", first, second)
		write(t, s, second) // it comes once more
		check("written again", first, second)
		write(t, s, third)
		check("with a later one", first, third, second)
		rollup(t, s)
		check("summed up anew", first, third, second)
		if n := influx.CleanHours(t, s, name); n != 1 {
			t.Errorf("%q (%d): %d hours are summed up, want 1", name, i, n)
		}
	}
}

// FuzzLiteral proves that what stands between the quotes is harmless, and
// that Flux reads it as it was.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", `"`, `\`, `\x22`, "${home}", "å", "\xff", "a\nb", `") |> drop()`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := influx.Literal(s)
		inner := strings.TrimSuffix(strings.TrimPrefix(got, `"`), `"`)
		if len(inner) != len(got)-2 {
			t.Fatalf("%q is not a string in quotes", got)
		}
		var back []byte
		for i := 0; i < len(inner); i++ {
			c := inner[i]
			switch {
			case c == '\\':
				if i+4 > len(inner) || inner[i+1] != 'x' {
					t.Fatalf("%q has an escape other than \\xNN", got)
				}
				v, err := strconv.ParseUint(inner[i+2:i+4], 16, 8)
				if err != nil {
					t.Fatalf("%q: %v", got, err)
				}
				back = append(back, byte(v))
				i += 3
			case c >= 0x7f || c < ' ' || strings.IndexByte("\"${}", c) >= 0:
				t.Fatalf("%q has %q as it is", got, c)
			default:
				back = append(back, c)
			}
		}
		if string(back) != s {
			t.Fatalf("%q reads back as %q", s, back)
		}
	})
}

func TestOptions(t *testing.T) {
	for _, opts := range []influx.Options{
		{}, {URL: "http://127.0.0.1:1"}, {Bucket: "b"}, {URL: "127.0.0.1:8086", Bucket: "b"}, {URL: "ftp://x", Bucket: "b"},
		{URL: "http://127.0.0.1:1", Bucket: `b"; DROP DATABASE "x`}, {URL: "http://127.0.0.1:1", Bucket: "b", RollupBucket: `\`},
	} {
		if s, err := influx.Open(t.Context(), opts); !errors.Is(err, influx.ErrOptions) {
			t.Errorf("open with %+v: %v", opts, err)
			if err == nil {
				_ = s.Close()
			}
		}
	}
}
