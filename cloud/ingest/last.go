package ingest

import (
	"cmp"
	"context"
	"slices"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

// maxSeries bounds the newest readings that are kept of one home.
const maxSeries = 1000

// lastValues are the newest readings of a home's series. They are kept in
// memory: every look at a home wants them, and finding them in a time series
// store can mean reading all of it.
type lastValues struct {
	points map[seriesKey]history.Point
	whole  bool // those from before the service started are among them
}

type seriesKey struct {
	device string
	kind   devices.Kind
	room   string
}

func (l *lastValues) note(p history.Point) {
	key := seriesKey{p.Device, p.Kind, p.Room}
	have, ok := l.points[key]
	switch {
	case ok && have.Nanos() > p.Nanos():
	case !ok && len(l.points) >= maxSeries:
	case l.points == nil:
		l.points = map[seriesKey]history.Point{key: p}
	default:
		l.points[key] = p
	}
}

func (l *lastValues) list() []history.Point {
	out := make([]history.Point, 0, len(l.points))
	for _, p := range l.points {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b history.Point) int {
		return cmp.Or(cmp.Compare(a.Room, b.Room), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// Newest is what finds the newest reading of every series of a home in the
// time series store.
type Newest interface {
	Last(ctx context.Context, home string) ([]history.Point, error)
}

// Last returns the newest reading of every series of a home. The store is
// asked once for those from before the service started; when it does not
// answer, what came since is returned beside the error.
func (in *Ingest) Last(ctx context.Context, home string, store Newest) (points []history.Point, err error) {
	whole := false
	err = in.ask(ctx, func(*group) {
		if h := in.byHome[home]; h != nil {
			points, whole = h.last.list(), h.last.whole
		}
	})
	if err != nil || whole {
		return points, err
	}
	before, err := store.Last(ctx, home)
	if err != nil {
		return points, err
	}
	err = in.ask(ctx, func(*group) {
		h := in.byHome[home]
		if h == nil {
			points = before
			return
		}
		for _, p := range before {
			h.last.note(p)
		}
		h.last.whole = true
		points = h.last.list()
	})
	return points, err
}
