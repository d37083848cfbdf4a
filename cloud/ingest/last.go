package ingest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"unique"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

// maxSeries bounds the newest readings that are kept of one home.
const maxSeries = 1000

// lastValues are the newest readings of a home's series. They are kept in
// memory: every look at a home wants them, and finding them in a time series
// store can mean reading all of it. A country's homes have ten million series,
// so that each has no more than it needs: a search through one home's is short.
type lastValues struct {
	series []newest
	whole  bool // those from before the service started are among them
}

// newest is the newest reading of one series. Names that homes have in common
// are kept once for all of them, that of a device once for its home.
type newest struct {
	device string
	kind   unique.Handle[devices.Kind]
	room   unique.Handle[string]
	unit   unique.Handle[devices.Unit]
	text   string
	at     int64 // time and number, as Point.Nanos
	value  float64
	number bool // there is a value
}

func (l *lastValues) note(p history.Point) {
	kind, room := unique.Make(p.Kind), unique.Make(p.Room)
	i := -1
	for at := range l.series {
		if n := &l.series[at]; n.kind == kind && n.room == room && n.device == p.Device {
			i = at
			break
		}
	}
	if i < 0 {
		if len(l.series) >= maxSeries {
			return
		}
		device := p.Device
		if same := slices.IndexFunc(l.series, func(n newest) bool { return n.device == device }); same >= 0 {
			device = l.series[same].device
		}
		i = len(l.series)
		l.series = append(l.series, newest{
			device: device, kind: kind, room: room, at: math.MinInt64,
		})
	}
	n := &l.series[i]
	if n.at > p.Nanos() {
		return
	}
	n.at, n.unit, n.text, n.number, n.value = p.Nanos(), unique.Make(p.Unit), p.Text, p.Value != nil, 0
	if n.number {
		n.value = *p.Value
	}
}

// list returns the readings of a home, by room, device and kind.
func (l *lastValues) list(home string) []history.Point {
	out := make([]history.Point, 0, len(l.series))
	for _, n := range l.series {
		p := history.Point{Home: home, Reading: devices.Reading{
			Device: n.device, Kind: n.kind.Value(), Room: n.room.Value(), Unit: n.unit.Value(), Text: n.text,
		}}
		if n.number {
			p.Value = devices.Number(n.value)
		}
		p.SetNanos(n.at)
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
			points, whole = h.last.list(home), h.last.whole
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
		points = h.last.list(home)
	})
	return points, err
}
