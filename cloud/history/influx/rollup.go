package influx

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/window"
)

const (
	pause    = time.Minute        // between two passes in the background
	grace    = 5 * time.Minute    // after an hour's end, before it is summed up
	lookBack = 7 * 24 * time.Hour // for hours that an earlier process left dirty
	batch    = 48                 // hours of one home that are summed up together
)

// tidy sums up hours until ctx ends.
func (s *Store) tidy(ctx context.Context) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.Rollup(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("history: summing up hours failed; it is tried again", "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Rollup sums up all hours that have changed and are over, as far as this
// process knows of them or, of the last week, the one before it did. The store
// does it by itself every minute; answers never depend on it.
func (s *Store) Rollup(ctx context.Context) error {
	if err := take(ctx, s.rolling); err != nil {
		return err
	}
	defer func() { <-s.rolling }()
	if !s.adopted {
		if err := s.adopt(ctx); err != nil {
			return err
		}
		s.adopted = true
	}
	for home, hours := range s.marks.due(time.Now().Add(-grace).UnixNano() - window.Hour + 1) {
		slices.Sort(hours)
		for some := range slices.Chunk(hours, batch) {
			if err := s.seal(ctx, home, some); err != nil {
				return fmt.Errorf("sum up hours: %w", err)
			}
		}
	}
	return nil
}

// adopt takes over the hours that an earlier process left dirty.
func (s *Store) adopt(ctx context.Context) error {
	sides := map[cell][2]int64{}
	now := time.Now()
	c := from(s.opts.RollupBucket, now.Add(-lookBack).UnixNano(), now.Add(24*time.Hour).UnixNano(), markings, "")
	err := s.rows(ctx, "read which hours are to be summed up", c, func(r *query.FluxRecord) error {
		return side(r, sides, cell{tag(r, "home"), r.Time().UnixNano()})
	})
	if err != nil {
		return err
	}
	for c, ids := range sides {
		if ids[0] != ids[1] && ids[0] >= 0 {
			s.marks.adopt(c, ids[0])
		}
	}
	return nil
}

// seal sums up hours of a home, and says that they are.
func (s *Store) seal(ctx context.Context, home string, hours []int64) error {
	cells := s.marks.seal(home, hours)
	if len(cells) == 0 {
		return nil
	}
	var clean []string
	hours = hours[:0]
	for _, h := range cells {
		hours = append(hours, h.hour)
		clean = append(clean, markLine(h.cell, "clean", h.id))
	}
	fold := window.New(window.Hour)
	for from, to := range window.Runs(hours) {
		if err := s.numbers(ctx, history.Query{Home: home}, from, to, fold); err != nil {
			return err
		}
	}
	var lines []string
	fold.Each(func(of window.Series, hour int64, sum window.Summary) {
		lines = append(lines, summaryLine(home, of, hour, sum))
	})
	for some := range slices.Chunk(lines, maxLines) {
		if err := s.send(ctx, s.rollups, some); err != nil {
			return s.fault("write summaries", err)
		}
	}
	if err := s.send(ctx, s.rollups, clean); err != nil {
		return s.fault("mark hours as summed up", err)
	}
	s.marks.sealed(cells)
	return nil
}
