package historytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

func emptyStore(t *testing.T, s history.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	write(t, s) // nothing at all
	rollup(t, s)
	same(t, everything(t, s, home), nil)
	got, err := s.Last(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, nil)
	if got := windowsOf(t, s, history.Query{Home: home}, time.Hour); len(got) != 0 {
		t.Errorf("windows of nothing: %v", got)
	}
}

func shapes(t *testing.T, s history.Store) {
	all := []history.Point{
		point(0, devices.Reading{Device: "button", Kind: devices.Button, Text: "double"}),
		point(1, devices.Reading{Device: "th", Kind: devices.Temperature, Room: "hall", Value: devices.Number(21.4), Unit: devices.Celsius}),
		point(2*time.Second, devices.Reading{Device: "th", Kind: devices.Temperature, Room: "hall", Value: devices.Number(70), Unit: "[degF]"}),
		point(3*time.Second, devices.Reading{Device: "pendant", Kind: devices.SOS, Value: devices.Number(1), Text: "emergency"}),
		point(4*time.Second, devices.Reading{Device: "door", Kind: devices.Contact, Value: devices.Bool(false)}),
		point(5*time.Second, devices.Reading{Device: "bell", Kind: "rang"}), // an event: neither number nor text
		point(6*time.Second, devices.Reading{Kind: devices.Heartbeat}),
		point(7*time.Second, devices.Reading{Device: "th", Kind: devices.Temperature, Value: devices.Number(0)}), // another series: no room
		point(8*time.Second, devices.Reading{Device: "x", Kind: "a kind of 2031", Room: "attic", Value: devices.Number(3), Unit: "m3", Text: "both"}),
	}
	write(t, s, all...)
	same(t, everything(t, s, home), all)
	rollup(t, s)
	same(t, everything(t, s, home), all)
}

func numbers(t *testing.T, s history.Store) {
	values := []float64{
		0, 1, -1, 0.1, 1.0 / 3, 1e-7, 123456789.123456789, math.Pi, 1 << 53, 1<<53 + 2, -(1 << 62),
		math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 1e21, 1e22, 5e-324, math.MaxInt64, math.MaxUint64,
	}
	var all []history.Point
	for i, v := range values {
		all = append(all, at(time.Duration(i)*time.Second, v))
	}
	write(t, s, all...)
	same(t, everything(t, s, home), all)
}

func texts(t *testing.T, s history.Store) {
	var all []history.Point
	for i, text := range []string{
		"a", " ", "  two  spaces  ", "comma, equals= colon:", `quote " in it`, `""`, `'single'`, `back\slash`, `\`, `\\`, `ends in \`, `\"`, `\n is not a newline`, `\r nor a return`,
		"two\nlines", "two\r\nlines", "\n", "\r", "\r\n", "a\rb", "\n\nleading", "trailing\n", "tab\there", "nul\x00in it", "åäö ÅÄÖ", "日本語", "👵🏽 family 👨‍👩‍👧", "e\u0301 combining", "\u2028", "\ufeffbom",
		"true", "1", "1i", "-1", "NaN", "null", "#datatype", "#group,false", "error", ",", ",,,", "${home}", `$`, `") |> drop()`,
		strings.Repeat("x", 1024), strings.Repeat("å\n\"\\", 1024/5), strings.Repeat("y", history.MaxText),
	} {
		all = append(all, point(time.Duration(i)*time.Second, devices.Reading{Device: "d", Kind: devices.Button, Text: text}))
	}
	write(t, s, all...)
	same(t, everything(t, s, home), all)
}

// awkward are names that are hard on line protocol, Flux, CSV and SQL.
var awkward = []string{
	"plain", "with space", " leading", "trailing ", "comma,comma", "equals=equals", `quote"quote`, `''`, `back\slash`, `\n`, `back\,comma`, `back\ space`, `back\=equals`, `\\x`, `\ ` + `\="odd quote`, `\\ \\\ x`, `a\"b`,
	"åäö", "日本語", "👵", "${home}", "$", "#", "%41", "'; DROP TABLE points; --", `" or true or "`, `") |> range(start: 0) //`, "r._measurement", "<script>", "/", "..", "a/b", "*", "+", "null", "0x00158d0004470a44",
	"_time", "_field", "v", "\u200b", "é\u0301", strings.Repeat("n", history.MaxName),
}

func names(t *testing.T, s history.Store) {
	var all []history.Point
	for i, name := range awkward {
		after := time.Duration(i) * time.Second
		all = append(all,
			point(after, devices.Reading{Device: name, Kind: devices.Kind(name), Room: name, Value: devices.Number(float64(i))}),
			point(after, devices.Reading{Device: name, Kind: "text", Text: name + "\n" + name}),
			point(after, devices.Reading{Kind: devices.Kind(name), Room: name, Value: devices.Number(1), Unit: devices.Unit(name)}))
	}
	write(t, s, all...)
	rollup(t, s)
	same(t, everything(t, s, home), all)
	for i, name := range awkward {
		same(t, raw(t, s, history.Query{Home: home, Device: name, Kind: devices.Kind(name)}), all[3*i:3*i+1])
		same(t, raw(t, s, history.Query{Home: home, Kind: devices.Kind(name), Device: ""}), []history.Point{all[3*i], all[3*i+2]})
	}
	got := windowsOf(t, s, history.Query{Home: home, Device: `") |> range(start: 0) //`}, time.Hour)
	if len(got) != 1 || got[0].Room != `") |> range(start: 0) //` {
		t.Errorf("windows by an awkward name: %+v", got)
	}
}

func injection(t *testing.T, s history.Store) {
	var all []history.Point
	for i, name := range awkward {
		p := at(time.Duration(i)*time.Second, float64(i))
		p.Home = name
		all = append(all, p)
	}
	write(t, s, all...)
	rollup(t, s)
	for i, name := range awkward {
		same(t, everything(t, s, name), all[i:i+1])
		got, err := s.Last(t.Context(), name)
		if err != nil {
			t.Fatalf("last of %q: %v", name, err)
		}
		same(t, got, all[i:i+1])
		if got := windowsOf(t, s, history.Query{Home: name}, time.Hour); len(got) != 1 || got[0].Sum != float64(i) {
			t.Errorf("windows of %q: %+v", name, got)
		}
	}
	same(t, everything(t, s, `plain" or r.home != "`), nil)
	same(t, everything(t, s, ""), nil)
}

func repeated(t *testing.T, s history.Store) {
	all := []history.Point{at(0, 1), at(time.Minute, 2), point(0, devices.Reading{Device: "b", Kind: devices.Button, Text: "single"})}
	for i := range all {
		all[i].Seq = uint64(7 + i)
	}
	write(t, s, all...)
	write(t, s, all...)
	rollup(t, s)
	write(t, s, all[1])
	write(t, s, append(slices.Clone(all), all...)...)
	same(t, everything(t, s, home), all)
	if got := windowsOf(t, s, history.Query{Home: home}, time.Hour); len(got) != 1 || got[0].Count != 2 || got[0].Sum != 3 {
		t.Errorf("windows count repeated readings: %+v", got)
	}

	again := at(0, 5)
	again.Seq = all[0].Seq
	write(t, s, again)
	all[0] = again
	same(t, everything(t, s, home), all)
	if got := windowsOf(t, s, history.Query{Home: home}, time.Hour); len(got) != 1 || got[0].Sum != 7 {
		t.Errorf("windows after a reading was written over: %+v", got)
	}
}

func sameMicrosecond(t *testing.T, s history.Store) {
	var all []history.Point
	for seq := range uint64(1000) {
		p := at(0, float64(seq))
		p.Seq = 41_500 + seq // wraps around modulo 1000 and stays distinct
		all = append(all, p)
	}
	write(t, s, all...)
	got := everything(t, s, home)
	same(t, got, all)
	if w := windowsOf(t, s, history.Query{Home: home}, time.Second); len(w) != 1 || w[0].Count != 1000 {
		t.Errorf("windows: %+v", w)
	}
}

func unordered(t *testing.T, s history.Store) {
	var all []history.Point
	for i := range 200 {
		all = append(all, at(time.Duration(i*7919%200)*time.Hour, float64(i))) // 7919 is prime: a permutation
	}
	for chunk := range slices.Chunk(all, 30) {
		write(t, s, chunk...)
	}
	same(t, everything(t, s, home), all)
}

func refusals(t *testing.T, s history.Store) {
	good := []history.Point{at(0, 1), at(time.Second, 2)}
	bad := []history.Point{
		at(2*time.Second, math.NaN()), at(3*time.Second, math.Inf(1)), at(4*time.Second, math.Inf(-1)),
		point(0, devices.Reading{Device: "d", Kind: "k", Text: "not \xff UTF-8"}),
		point(0, devices.Reading{Device: "d\n", Kind: "k", Text: "x"}),
		point(0, devices.Reading{Device: `d\`, Kind: "k", Text: "x"}),
		point(0, devices.Reading{Device: "\xff", Kind: "k", Text: "x"}),
		point(0, devices.Reading{Device: strings.Repeat("d", history.MaxName+1), Kind: "k", Text: "x"}),
		point(0, devices.Reading{Device: "d", Kind: "k", Room: "a\x7fb", Text: "x"}),
		point(0, devices.Reading{Device: "d", Text: "no kind"}),
		point(0, devices.Reading{Device: "d", Kind: "k", Text: strings.Repeat("x", history.MaxText+1)}),
		{Reading: devices.Reading{Time: 1, Device: "d", Kind: "no home"}},
		{Home: home, Reading: devices.Reading{Time: -1, Device: "d", Kind: "k"}},
		{Home: home, Reading: devices.Reading{Time: history.MaxTime, Device: "d", Kind: "k"}},
		{Home: home, Reading: devices.Reading{Time: math.MaxInt64, Device: "d", Kind: "k"}},
	}
	all := slices.Concat(good[:1], bad[:7], good[1:], bad[7:])
	err := s.Write(t.Context(), all)
	if errors.Is(err, history.ErrUnavailable) {
		t.Errorf("a refusal is not an outage: %v", err)
	}
	if got := refusedBy(t, err); len(got) != len(bad) {
		t.Errorf("%d points were refused, want %d", len(got), len(bad))
	}
	same(t, everything(t, s, home), good)
}

func times(t *testing.T, s history.Store) {
	var all []history.Point
	for i, when := range []time.Time{
		time.Unix(0, 0), time.UnixMicro(1), time.Unix(3600, 0), time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC),
		time.Date(2008, 2, 25, 0, 20, 14, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
		time.Date(2100, 2, 28, 23, 59, 59, 999999000, time.UTC), time.Date(2199, 12, 31, 23, 59, 59, 999999000, time.UTC),
	} {
		p := at(0, float64(i))
		p.Time, p.Seq = devices.MicrosOf(when), uint64(i)
		all = append(all, p)
	}
	all[len(all)-1].Seq = 999
	write(t, s, all...)
	rollup(t, s)
	same(t, everything(t, s, home), all)
	same(t, raw(t, s, history.Query{Home: home, From: time.Date(-100, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}), all)
	got, err := s.Last(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, all[len(all)-1:])
	if got := windowsOf(t, s, history.Query{Home: home}, 24*time.Hour); len(got) != 6 || got[0].Count != 3 {
		t.Errorf("windows from 1970 to 2199: %+v", got)
	}
}

func largeBatch(t *testing.T, s history.Store) {
	var all []history.Point
	for i := range 20_000 {
		p := at(time.Duration(i/10)*time.Second, float64(i))
		p.Device, p.Seq = fmt.Sprintf("d%d", i%10), uint64(i)
		all = append(all, p)
	}
	write(t, s, all...)
	same(t, everything(t, s, home), all)
	if got := windowsOf(t, s, history.Query{Home: home}, 24*time.Hour); len(got) != 10 || got[3].Count != 2000 {
		t.Errorf("%d windows of a large batch", len(got))
	}
}

func sideBySide(t *testing.T, s history.Store) {
	const writers, batches, size = 8, 10, 20
	var wg sync.WaitGroup
	var all []history.Point
	for w := range writers {
		var mine []history.Point
		for i := range batches * size {
			p := at(time.Duration(i)*time.Minute, float64(i))
			p.Device = fmt.Sprintf("d%d", w/2) // in pairs they write the same series
			p.Seq = uint64(w)
			mine = append(mine, p)
		}
		all = append(all, mine...)
		wg.Go(func() {
			for batch := range slices.Chunk(mine, size) {
				if err := s.Write(t.Context(), batch); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			if r, ok := s.(interface{ Rollup(context.Context) error }); ok {
				if err := r.Rollup(t.Context()); err != nil {
					t.Errorf("roll up meanwhile: %v", err)
				}
			}
		}
	})
	wg.Wait()
	same(t, everything(t, s, home), all)
	var count int64
	for _, w := range windowsOf(t, s, history.Query{Home: home}, time.Hour) {
		count += w.Count
	}
	if count != int64(len(all)) {
		t.Errorf("windows count %d readings, want %d", count, len(all))
	}
}

func ended(t *testing.T, s history.Store) {
	write(t, s, at(0, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, rawErr := s.Raw(ctx, history.Query{Home: home})
	_, lastErr := s.Last(ctx, home)
	_, windowsErr := s.Windows(ctx, history.Query{Home: home}, time.Hour)
	for what, err := range map[string]error{
		"write": s.Write(ctx, []history.Point{at(time.Second, 1)}), "raw": rawErr, "last": lastErr, "windows": windowsErr, "ping": s.Ping(ctx),
	} {
		if !errors.Is(err, context.Canceled) || !errors.Is(err, history.ErrUnavailable) {
			t.Errorf("%s after the end of its context: %v", what, err)
		}
	}
	write(t, s, at(time.Second, 1)) // and the store lives on
}
