// Package devices says what a sensor can say: a Reading of a Kind, in a Unit.
//
// It is the vocabulary that home and cloud share and imports nothing but the
// standard library. Names and units follow SenML (RFC 8428) and its registry
// where they have one.
package devices

import "time"

// Micros is a point in time in microseconds since 1970-01-01T00:00:00 UTC.
type Micros int64

// MicrosOf converts t, cutting what is finer than a microsecond.
func MicrosOf(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Time returns m as a time in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// Reading is one thing that one device said. It carries a number, a text, or
// both; a reading with neither is an event whose kind says it all.
type Reading struct {
	// Time is when it was observed, by the gateway's clock.
	Time Micros
	// Device is the device's own stable name (an IEEE address, a friendly name).
	Device string
	Kind   Kind
	// Room is where the device is placed; empty when nobody has said.
	Room string
	// Value is the number, in Unit; nil when the reading has none.
	Value *float64
	// Unit is a SenML unit; empty for states and counts.
	Unit Unit
	// Text is the text value ("emergency", "double"); empty when it has none.
	Text string
}

// Number makes the pointer that Reading.Value wants.
func Number(v float64) *float64 { return &v }

// Bool is the number for a two-state kind: 1 for true, 0 for false.
func Bool(on bool) *float64 {
	if on {
		return Number(1)
	}
	return Number(0)
}

// On reports whether the reading is a two-state "on": a value other than zero.
func (r Reading) On() bool { return r.Value != nil && *r.Value != 0 }
