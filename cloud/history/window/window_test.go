package window_test

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/history/window"
)

var series = window.Series{Device: "d", Kind: "power", Room: "hall"}

// Whether an hour comes as numbers or as its summary, the windows are the
// same to the last bit.
func TestSummariesAndNumbersAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e300, 1e300), 1, 60).Draw(rt, "values")
		step := rapid.Int64Range(1, 2*window.Hour).Draw(rt, "step")
		every := rapid.Int64Range(1, 48).Draw(rt, "hours") * window.Hour
		asSummary := rapid.SliceOfN(rapid.Bool(), 121, 121).Draw(rt, "as summary")

		hours := window.New(window.Hour)
		plain, mixed := window.New(every), window.New(every)
		for i, v := range values {
			at := int64(i) * step
			hours.Add(series, at, v)
			plain.Add(series, at, v)
			if !asSummary[at/window.Hour] {
				mixed.Add(series, at, v)
			}
		}
		hours.Each(func(s window.Series, hour int64, sum window.Summary) {
			if asSummary[hour/window.Hour] {
				mixed.Put(s, hour, sum)
			}
		})
		if got, want := mixed.Windows(), plain.Windows(); !slices.Equal(got, want) {
			rt.Fatalf("mixed %+v\nplain %+v", got, want)
		}
	})
}

func TestSumStaysFinite(t *testing.T) {
	var s window.Summary
	for range 3 {
		s.Add(math.MaxFloat64)
	}
	if s.Sum != math.MaxFloat64 {
		t.Errorf("sum %v", s.Sum)
	}
}

func TestRuns(t *testing.T) {
	const h = window.Hour
	for _, c := range []struct {
		hours []int64
		want  map[int64]int64
	}{
		{nil, map[int64]int64{}},
		{[]int64{0}, map[int64]int64{0: h}},
		{[]int64{0, h, 2 * h, 5 * h, 7 * h, 8 * h}, map[int64]int64{0: 3 * h, 5 * h: 6 * h, 7 * h: 9 * h}},
	} {
		if got := maps.Collect(window.Runs(c.hours)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("runs of %v: %v, want %v", c.hours, got, c.want)
		}
	}
}
