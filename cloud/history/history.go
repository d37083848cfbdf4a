// Package history is the shape of the time series: what a point is, how it is
// asked for. The stores behind it are history/embedded and history/influx;
// both pass history/historytest.
package history

import (
	"context"
	"errors"
	"time"

	"github.com/lykta/lykta/devices"
)

// Measurement is the name of the measurement that holds all readings.
const Measurement = "reading"

// Point is one reading of one home in the time series. Its series is (home,
// device, kind, room); within it, its identity is Nanos. Writing a point
// again overwrites it with itself.
type Point struct {
	Home string
	devices.Reading
	// Seq is the record's sequence number in its lane. It makes the time unique.
	Seq uint64
}

// Nanos is the point's time in nanoseconds since 1970 UTC: the reading's
// microseconds, and below them the sequence number modulo 1000. Two readings
// of one series in the same microsecond so stay two, and a repeated write
// hits the same point. Points that are read back carry the sequence number
// modulo 1000, so that their Nanos are those that were written.
func (p Point) Nanos() int64 { return int64(p.Time)*1000 + int64(p.Seq%1000) }

// Query asks for readings of one home with From <= time < To. A zero From is
// the beginning, a zero To the end of all time. Empty Device, Kind mean any.
// Limit bounds the answer; 0 is no bound. Points of the same nanosecond are
// never parted, so that a bounded answer may be a few points longer than
// Limit, and a shorter one is the last. After, when set, continues a bounded
// answer: only points with Nanos > After. Windows heeds neither.
type Query struct {
	Home     string
	From, To time.Time
	Device   string
	Kind     devices.Kind
	Limit    int
	After    int64
}

// Window sums up the numbers of one series in [Start, Start+every).
type Window struct {
	Start         time.Time
	Device        string
	Kind          devices.Kind
	Room          string
	Count         int64
	Min, Max, Sum float64
	First, Last   float64
}

// Mean is the arithmetic mean of the window's numbers.
func (w Window) Mean() float64 {
	if w.Count == 0 {
		return 0
	}
	return w.Sum / float64(w.Count)
}

// RefusedError says that the store will never take some of the points of a
// write: repeating it would not help. The others were written.
type RefusedError struct {
	Points []Point
	Err    error
}

func (e *RefusedError) Error() string { return "time series store refuses points: " + e.Err.Error() }

// Unwrap returns the store's own error.
func (e *RefusedError) Unwrap() error { return e.Err }

// ErrUnavailable is wrapped by errors that may pass by themselves: the store
// is away, busy, or too slow.
var ErrUnavailable = errors.New("LYK-0300: time series store is unavailable")

// Store is what every time series store can do. Consumers declare the few
// methods that they use; this is what the conformance suite proves.
type Store interface {
	// Write stores points, durably on return. Order does not matter and
	// repetition does no harm.
	Write(ctx context.Context, points []Point) error
	// Raw returns readings in order of time.
	Raw(ctx context.Context, q Query) ([]Point, error)
	// Last returns the newest point of every series of a home.
	Last(ctx context.Context, home string) ([]Point, error)
	// Windows sums up numbers in windows of a fixed length, aligned to 1970
	// UTC; windows without numbers are left out. Every is at least a second.
	Windows(ctx context.Context, q Query, every time.Duration) ([]Window, error)
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	Close() error
}
