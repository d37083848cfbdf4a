package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/influxdata/influxdb-client-go/v2/api"

	"github.com/lykta/lykta/cloud/history"
)

const (
	maxLines = 5000 // lines in one request
	// maxTries bounds the requests that look for the points which InfluxDB
	// refuses: enough for some dozens among thousands.
	maxTries = 400
)

// Write stores points; InfluxDB has them in its log on disk when it returns
// nil. An error that wraps history.ErrUnavailable leaves open which of them
// were stored. Points that only InfluxDB finds fault with (older than the
// bucket keeps, of another type than a field already has) are refused one by
// one. When it refuses more than some dozens of a batch, something is wrong
// with it rather than with them, and the answer is history.ErrUnavailable.
func (s *Store) Write(ctx context.Context, points []history.Point) error {
	good, refused := history.Sift(points)
	if err := ctx.Err(); err != nil {
		return s.fault("write history", err)
	}
	for chunk := range slices.Chunk(good, maxLines) {
		more, err := s.store(ctx, chunk)
		if err != nil {
			return err
		}
		if more != nil {
			refused = refused.With(more.Err, more.Points...)
		}
	}
	return refused.OrNil()
}

// store writes one chunk, after the marks that say that its hours change.
func (s *Store) store(ctx context.Context, points []history.Point) (*history.RefusedError, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	cells := s.marks.enter(points)
	defer s.marks.leave(cells)
	if err := s.markDirty(ctx, cells); err != nil {
		return nil, err
	}
	// The oldest first: what is beyond the retention then comes first.
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b history.Point) int { return cmp.Compare(a.Nanos(), b.Nanos()) })
	b := bisection{store: s, tries: maxTries}
	if err := b.write(ctx, points); err != nil {
		return nil, err
	}
	return b.refused, nil
}

func (s *Store) markDirty(ctx context.Context, cells []held) error {
	var lines []string
	for _, h := range cells {
		if h.fresh {
			lines = append(lines, markLine(h.cell, "dirty", h.id))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	err := s.send(ctx, s.rollups, lines)
	if _, old := beyondRetention(err); old {
		err = nil // the readings will be refused for the same reason, or the summaries are gone already
	}
	if err != nil {
		return s.fault("mark hours as changed", err)
	}
	s.marks.stored(cells)
	return nil
}

// send makes one request.
func (s *Store) send(ctx context.Context, to api.WriteAPIBlocking, lines []string) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	return to.WriteRecord(ctx, strings.Join(lines, "\n"))
}

// bisection writes points and finds those that InfluxDB refuses: it says that
// there are some, but not which.
type bisection struct {
	store   *Store
	tries   int
	refused *history.RefusedError
}

func (b *bisection) write(ctx context.Context, points []history.Point) error {
	if len(points) == 0 {
		return nil
	}
	if b.tries--; b.tries < 0 {
		return errMany
	}
	lines := make([]string, len(points))
	for i, p := range points {
		lines[i] = line(p)
	}
	err := b.store.send(ctx, b.store.raw, lines)
	if err == nil {
		return nil
	}
	// InfluxDB is done with the whole batch only when nothing failed, so that
	// in every case below what was not refused is written once more.
	if old, ok := beyondRetention(err); ok && old <= len(points) {
		b.refuse(err, points[:old]...)
		return b.write(ctx, points[old:])
	}
	if !unfit(err) {
		return b.store.fault("write to InfluxDB", err)
	}
	if len(points) == 1 {
		b.refuse(err, points[0])
		return nil
	}
	half := len(points) / 2
	return errors.Join(b.write(ctx, points[:half]), b.write(ctx, points[half:]))
}

func (b *bisection) refuse(err error, points ...history.Point) {
	b.refused = b.refused.With(fmt.Errorf("%w: %w", errRefused, err), points...)
}
