package history

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lykta/lykta/devices"
)

// MinTime and MaxTime bound the time of a point: 1970-01-01 up to, not
// including, 2200-01-01, UTC. They are those of the wire protocol.
const (
	MinTime devices.Micros = 0
	MaxTime devices.Micros = 7258118400000000
)

// Limits of a point, in bytes. The wire protocol's are narrower.
const (
	MaxName = 256      // home, device, kind, room, unit
	MaxText = 16 << 10 // text
)

// ErrPoint is wrapped by what Point.Check finds wrong.
var ErrPoint = errors.New("LYK-0301: not a point that can be stored")

// ErrThinned is why a late point is refused: the readings of its hour have
// been thinned to their summary, which the point can no longer change.
var ErrThinned = errors.New("LYK-0302: the hour's readings have been thinned to a summary")

// Check says why no store takes the point; nil when every store does. Names
// are valid UTF-8 without control characters and do not end in a backslash,
// for which InfluxDB's line protocol has no spelling.
func (p Point) Check() error {
	switch {
	case p.Home == "":
		return fmt.Errorf("%w: home is missing", ErrPoint)
	case p.Kind == "":
		return fmt.Errorf("%w: kind is missing", ErrPoint)
	case p.Time < MinTime || p.Time >= MaxTime:
		return fmt.Errorf("%w: time outside 1970–2199", ErrPoint)
	case p.Value != nil && (math.IsNaN(*p.Value) || math.IsInf(*p.Value, 0)):
		return fmt.Errorf("%w: %v is not a number that can be summed up", ErrPoint, *p.Value)
	case len(p.Text) > MaxText || !utf8.ValidString(p.Text):
		return fmt.Errorf("%w: text over %d bytes or not UTF-8", ErrPoint, MaxText)
	}
	for _, name := range []string{p.Home, p.Device, string(p.Kind), p.Room, string(p.Unit)} {
		if !fitsTag(name) {
			return fmt.Errorf("%w: name %q", ErrPoint, name[:min(len(name), 40)])
		}
	}
	return nil
}

func fitsTag(s string) bool {
	return len(s) <= MaxName && utf8.ValidString(s) && !strings.HasSuffix(s, `\`) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// Stored returns the point as every store gives it back: the sequence number
// modulo 1000, and the kind's own unit for a number that has none. A unit
// without a number is dropped.
func (p Point) Stored() Point {
	p.Seq %= 1000
	if p.Value == nil {
		p.Unit = ""
	} else if p.Unit == "" {
		p.Unit = p.Kind.Unit()
	}
	return p
}

// SetNanos sets the time and the sequence number from what Nanos returned.
func (p *Point) SetNanos(t int64) {
	p.Time, p.Seq = devices.Micros(t/1000), uint64(t%1000)
}

// Compare orders points of one home by time; those of the same nanosecond by
// device, kind and room.
func Compare(a, b Point) int {
	return cmp.Or(
		cmp.Compare(a.Nanos(), b.Nanos()),
		strings.Compare(a.Device, b.Device),
		strings.Compare(string(a.Kind), string(b.Kind)),
		strings.Compare(a.Room, b.Room),
	)
}

// Sift parts the points that Check passes from those that it does not; the
// latter come as a *RefusedError, or nil when there are none.
func Sift(points []Point) ([]Point, *RefusedError) {
	good := make([]Point, 0, len(points))
	var refused *RefusedError
	for _, p := range points {
		if err := p.Check(); err != nil {
			refused = refused.With(err, p)
			continue
		}
		good = append(good, p)
	}
	return good, refused
}

// With adds points that were refused for the given reason; of several reasons
// the first is kept. It may be called on nil.
func (e *RefusedError) With(why error, points ...Point) *RefusedError {
	if e == nil {
		e = &RefusedError{Err: why}
	}
	e.Points = append(e.Points, points...)
	return e
}

// OrNil returns e as an error that is nil when e is.
func (e *RefusedError) OrNil() error {
	if e == nil {
		return nil
	}
	return e
}

// Span returns the query's time as nanoseconds since 1970, from <= t < to,
// with zero times, After and the bounds of time itself worked in.
func (q Query) Span() (from, to int64) {
	from, to = int64(MinTime)*1000, int64(MaxTime)*1000
	if !q.From.IsZero() {
		from = max(from, nanos(q.From))
	}
	if !q.To.IsZero() {
		to = min(to, nanos(q.To))
	}
	if q.After > 0 {
		from = max(from, q.After+1)
	}
	return from, max(from, to)
}

// nanos is t.UnixNano without its overflow far from 1970.
func nanos(t time.Time) int64 {
	switch s := t.Unix(); {
	case s < 0:
		return 0
	case s >= int64(MaxTime)/1e6:
		return int64(MaxTime) * 1000
	}
	return t.UnixNano()
}
