package influx

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/window"
)

// firstSlice is how long a stretch of time a bounded query looks at first.
// InfluxDB 1.8 reads all of what it is asked for before it cuts it to the
// limit, so that a page is looked for in slices that grow while they are empty.
const firstSlice = 6 * window.Hour

// Raw returns readings in order of time.
func (s *Store) Raw(ctx context.Context, q history.Query) ([]history.Point, error) {
	if q.Home == "" {
		return nil, nil // no point is without one
	}
	at, to := q.Span()
	found := assemble(q.Home)
	for slice := firstSlice; at < to; slice *= 8 {
		end := to
		if q.Limit > 0 {
			end = at + min(slice, to-at)
		}
		c := from(s.opts.Bucket, at, end, history.Measurement, q.Home, is("device", q.Device), is("kind", string(q.Kind)))
		if q.Limit > 0 {
			c = c.then(fmt.Sprintf("limit(n: %d)", q.Limit)) // of every field of every series
		}
		if err := s.rows(ctx, "read history", c, found.add); err != nil {
			return nil, err
		}
		if at = end; q.Limit > 0 && len(found.points) >= q.Limit {
			break
		}
	}
	out := found.all()
	slices.SortFunc(out, history.Compare)
	if q.Limit > 0 && len(out) > q.Limit {
		last := out[q.Limit-1].Nanos()
		out = slices.DeleteFunc(out, func(p history.Point) bool { return p.Nanos() > last })
	}
	return out, nil
}

// Last returns the newest point of every series of a home.
func (s *Store) Last(ctx context.Context, home string) ([]history.Point, error) {
	if home == "" {
		return nil, nil
	}
	start, stop := history.Query{}.Span()
	found := assemble(home)
	c := from(s.opts.Bucket, start, stop, history.Measurement, home).then("last()")
	if err := s.rows(ctx, "read last values", c, found.add); err != nil {
		return nil, err
	}
	newest := map[window.Series]history.Point{} // that was of every field: now of every series
	for _, p := range found.all() {
		of := window.Series{Device: p.Device, Kind: p.Kind, Room: p.Room}
		if before, ok := newest[of]; !ok || p.Nanos() > before.Nanos() {
			newest[of] = p
		}
	}
	out := make([]history.Point, 0, len(newest))
	for _, p := range newest {
		out = append(out, p)
	}
	slices.SortFunc(out, history.Compare)
	return out, nil
}

// Windows sums up numbers in windows of every, at least a second, aligned to
// 1970 UTC. Windows of whole hours come from summaries where these hold.
func (s *Store) Windows(ctx context.Context, q history.Query, every time.Duration) ([]history.Window, error) {
	if every < time.Second {
		return nil, fmt.Errorf("read windows of %v: at least a second", every)
	}
	if q.Home == "" {
		return nil, nil
	}
	q.After = 0
	at, to := q.Span()
	fold := window.New(int64(every))
	first := window.Floor(at+window.Hour-1, window.Hour) // the first whole hour
	end := window.Floor(to, window.Hour)                 // the end of the last one
	if fold.Hourly() && first < end {
		clean, err := s.clean(ctx, q.Home, first, end)
		if err != nil {
			return nil, err
		}
		for _, run := range longest(clean) {
			if err := s.numbers(ctx, q, at, run.from, fold); err != nil {
				return nil, err
			}
			if err := s.summaries(ctx, q, run, fold); err != nil {
				return nil, err
			}
			at = run.to
		}
	}
	if err := s.numbers(ctx, q, at, to, fold); err != nil {
		return nil, err
	}
	return fold.Windows(), nil
}

type span struct{ from, to int64 }

// maxRuns bounds the requests for one answer.
const maxRuns = 12

// longest returns the longest runs of the hours, in order of time.
func longest(hours []int64) []span {
	var runs []span
	for from, to := range window.Runs(hours) {
		runs = append(runs, span{from, to})
	}
	slices.SortFunc(runs, func(a, b span) int { return cmp.Compare(b.to-b.from, a.to-a.from) })
	runs = runs[:min(len(runs), maxRuns)]
	slices.SortFunc(runs, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return runs
}

// clean returns the hours from <= t < to of a home whose summaries hold.
func (s *Store) clean(ctx context.Context, home string, start, stop int64) ([]int64, error) {
	sides := map[int64][2]int64{}
	c := from(s.opts.RollupBucket, start, stop, markings, home)
	err := s.rows(ctx, "read which hours are summed up", c, func(r *query.FluxRecord) error {
		return side(r, sides, r.Time().UnixNano())
	})
	if err != nil {
		return nil, err
	}
	var out []int64
	for hour, ids := range sides {
		if ids[0] == ids[1] {
			out = append(out, hour)
		}
	}
	slices.Sort(out)
	return out, nil
}

// side takes in one side of a mark.
func side[K comparable](r *query.FluxRecord, sides map[K][2]int64, k K) error {
	id, ok := r.Value().(int64)
	if !ok {
		return errRow(r)
	}
	ids, ok := sides[k]
	if !ok {
		ids = [2]int64{-1, -2} // a missing side is like no other
	}
	if r.Field() == "dirty" {
		ids[0] = id
	} else {
		ids[1] = id
	}
	sides[k] = ids
	return nil
}

// numbers folds readings from <= t < to.
func (s *Store) numbers(ctx context.Context, q history.Query, start, stop int64, fold *window.Fold) error {
	if start >= stop {
		return nil
	}
	c := from(s.opts.Bucket, start, stop, history.Measurement, q.Home, is("_field", "v"), is("device", q.Device), is("kind", string(q.Kind)))
	twice := map[identity]float64{} // what may be there in two spellings
	err := s.rows(ctx, "read numbers", c, func(r *query.FluxRecord) error {
		v, ok := r.Value().(float64)
		switch {
		case !ok:
			return errRow(r)
		case named(r, standIn) || named(r, `\ `):
			twice[identity{seriesOf(r), r.Time().UnixNano()}] = v
		default:
			fold.Add(seriesOf(r), r.Time().UnixNano(), v)
		}
		return nil
	})
	for _, id := range slices.SortedFunc(maps.Keys(twice), func(a, b identity) int { return cmp.Compare(a.t, b.t) }) {
		fold.Add(id.Series, id.t, twice[id])
	}
	return err
}

// summaries folds the summaries of a run of hours.
func (s *Store) summaries(ctx context.Context, q history.Query, run span, fold *window.Fold) error {
	sums := map[identity]*window.Summary{}
	c := from(s.opts.RollupBucket, run.from, run.to, summaries, q.Home, is("device", q.Device), is("kind", string(q.Kind)))
	err := s.rows(ctx, "read summaries", c, func(r *query.FluxRecord) error {
		id := identity{seriesOf(r), r.Time().UnixNano()}
		sum := sums[id]
		if sum == nil {
			sum = &window.Summary{}
			sums[id] = sum
		}
		if n, ok := r.Value().(int64); ok && r.Field() == "count" {
			sum.Count = n
			return nil
		}
		v, ok := r.Value().(float64)
		if !ok {
			return errRow(r)
		}
		switch r.Field() {
		case "min":
			sum.Min = v
		case "max":
			sum.Max = v
		case "sum":
			sum.Sum = v
		case "first":
			sum.First = v
		case "last":
			sum.Last = v
		}
		return nil
	})
	for id, sum := range sums {
		fold.Put(id.Series, id.t, *sum)
	}
	return err
}
