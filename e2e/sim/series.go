package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/history"
)

// series is a time series database on a machine of its own, as InfluxDB is:
// it does not die with the cloud, and a point written twice is one point. It
// can be away, slow, or take half of a write and say no.
type series struct {
	mu     sync.Mutex
	seed   uint64
	points map[seriesKey]history.Point
	away   bool
	slow   time.Duration
	half   float64 // probability that a write fails after a part of it was taken
}

type seriesKey struct {
	home, device, kind, room string
	nanos                    int64
}

func newSeries(seed uint64) *series {
	return &series{seed: seed, points: map[seriesKey]history.Point{}}
}

func (s *series) set(f func(*series)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *series) Write(ctx context.Context, points []history.Point) error {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", history.ErrUnavailable, ctx.Err())
		}
	}
	good, refused := history.Sift(points)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return history.ErrUnavailable
	}
	part := false
	if s.half > 0 && len(good) > 0 {
		// Of each write's own, as writes come from more than one side.
		r := rand.New(rand.NewPCG(s.seed, uint64(good[0].Nanos())+uint64(time.Now().UnixNano())))
		if part = r.Float64() < s.half; part {
			good = good[:r.IntN(len(good)+1)]
		}
	}
	for _, p := range good {
		p = p.Stored()
		s.points[seriesKey{p.Home, p.Device, string(p.Kind), p.Room, p.Nanos()}] = p
	}
	if part {
		return history.ErrUnavailable
	}
	return refused.OrNil()
}

// Raw returns all points of the home, in order of time.
func (s *series) Raw(_ context.Context, q history.Query) ([]history.Point, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []history.Point
	for _, p := range s.points {
		if p.Home == q.Home {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, history.Compare)
	return out, nil
}
