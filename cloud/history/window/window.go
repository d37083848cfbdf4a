// Package window sums up numbers in windows of time. Both time series stores
// answer through it, so that they agree to the last bit, whether a window
// comes from readings, from hourly summaries, or from both.
package window

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

// Hour is the length of a stored summary, in nanoseconds.
const Hour = int64(time.Hour)

// Series names a series within a home.
type Series struct {
	Device string
	Kind   devices.Kind
	Room   string
}

func (s Series) compare(o Series) int {
	return cmp.Or(strings.Compare(s.Device, o.Device), strings.Compare(string(s.Kind), string(o.Kind)), strings.Compare(s.Room, o.Room))
}

// Summary sums up numbers that followed one another. The sum stays within
// ±math.MaxFloat64: an infinity could neither be stored nor sent as JSON.
type Summary struct {
	Count         int64
	Min, Max, Sum float64
	First, Last   float64
}

// Add takes in the next number.
func (s *Summary) Add(v float64) {
	s.Join(Summary{Count: 1, Min: v, Max: v, Sum: v, First: v, Last: v})
}

// Join takes in the summary of the numbers that came next.
func (s *Summary) Join(next Summary) {
	switch {
	case next.Count == 0:
		return
	case s.Count == 0:
		*s = next
		return
	}
	s.Count += next.Count
	s.Min, s.Max = min(s.Min, next.Min), max(s.Max, next.Max)
	s.Sum = max(-math.MaxFloat64, min(math.MaxFloat64, s.Sum+next.Sum))
	s.Last = next.Last
}

// Floor returns the start of the window of the given length that holds t,
// t >= 0, aligned to 1970 UTC.
func Floor(t, every int64) int64 { return t - t%every }

// Runs joins hours that follow one another, given in their order, into spans
// from <= t < to.
func Runs(hours []int64) iter.Seq2[int64, int64] {
	return func(yield func(from, to int64) bool) {
		for len(hours) > 0 {
			n := 1
			for n < len(hours) && hours[n] == hours[n-1]+Hour {
				n++
			}
			if !yield(hours[0], hours[n-1]+Hour) {
				return
			}
			hours = hours[n:]
		}
	}
}

// Fold collects numbers and hourly summaries into windows.
type Fold struct {
	every, step int64
	cells       map[cell]*Summary
	last        cell
	open        *Summary
}

type cell struct {
	Series
	start int64
}

// New returns a Fold for windows of the given length in nanoseconds, at least
// a second. Windows of whole hours are always summed up hour by hour, since
// the sum of floats depends on the order.
func New(every int64) *Fold {
	f := &Fold{every: every, step: every, cells: map[cell]*Summary{}}
	if f.Hourly() {
		f.step = Hour
	}
	return f
}

// Hourly reports whether the windows are whole hours, so that summaries may
// be put in.
func (f *Fold) Hourly() bool { return f.every%Hour == 0 }

// Add takes in a number. The numbers of one series come in order of time.
func (f *Fold) Add(s Series, t int64, v float64) {
	c := cell{s, Floor(t, f.step)}
	if f.open == nil || c != f.last {
		f.last, f.open = c, f.cells[c]
		if f.open == nil {
			f.open = &Summary{}
			f.cells[c] = f.open
		}
	}
	f.open.Add(v)
}

// Put takes in the summary of a whole hour, none of whose numbers is added.
func (f *Fold) Put(s Series, hour int64, sum Summary) {
	if sum.Count > 0 {
		f.cells[cell{s, hour}] = &sum
	}
}

// Each calls fn for every cell: an hour of a series when the windows are
// hourly, a window otherwise. The order is by series, then time.
func (f *Fold) Each(fn func(s Series, start int64, sum Summary)) {
	keys := make([]cell, 0, len(f.cells))
	for c := range f.cells {
		keys = append(keys, c)
	}
	slices.SortFunc(keys, func(a, b cell) int { return cmp.Or(a.compare(b.Series), cmp.Compare(a.start, b.start)) })
	for _, c := range keys {
		fn(c.Series, c.start, *f.cells[c])
	}
}

// Windows returns what was collected, by time, then series.
func (f *Fold) Windows() []history.Window {
	var out []history.Window
	var from cell
	var sum Summary
	flush := func() {
		if sum.Count > 0 {
			out = append(out, history.Window{
				Start:  time.Unix(0, from.start).UTC(),
				Device: from.Device, Kind: from.Kind, Room: from.Room,
				Count: sum.Count, Min: sum.Min, Max: sum.Max, Sum: sum.Sum, First: sum.First, Last: sum.Last,
			})
		}
	}
	f.Each(func(s Series, start int64, next Summary) {
		if w := (cell{s, Floor(start, f.every)}); w != from {
			flush()
			from, sum = w, Summary{}
		}
		sum.Join(next)
	})
	flush()
	slices.SortStableFunc(out, func(a, b history.Window) int { return a.Start.Compare(b.Start) })
	return out
}
