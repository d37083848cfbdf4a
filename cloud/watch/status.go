package watch

import (
	"cmp"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
)

// Status is how a home is now, for a screen.
type Status struct {
	Home          care.Home
	Heard         time.Time // zero when never
	Silent        bool      // nothing heard for Limits.GatewayShown
	ClockOK       bool
	Depth         int       // records waiting in the gateway
	CheckIn       time.Time // latest check-in; zero when none
	Activity      *Activity // latest sign of life; nil when none
	DevicesSilent int
	BatteriesLow  int
}

// Status returns how the home is at now.
func (w *Watcher) Status(now time.Time) Status {
	out := Status{Home: w.home, ClockOK: w.s.ClockOK, Depth: w.s.Depth}
	if w.s.Heard != 0 {
		out.Heard = w.s.Heard.Time()
		out.Silent = w.s.Silent || now.Sub(w.listened()) >= w.limits.GatewayShown
	}
	if w.s.CheckIn != 0 {
		out.CheckIn = w.s.CheckIn.Time()
	}
	if w.s.Activity != nil {
		a := *w.s.Activity
		out.Activity = &a
	}
	for _, s := range w.s.Sensors {
		if s.Silent {
			out.DevicesSilent++
		}
		if s.Low {
			out.BatteriesLow++
		}
	}
	return out
}

// Device is one device as a screen shows it.
type Device struct {
	Name string
	Sensor
}

// Devices returns the home's devices in the order of room and name.
func (w *Watcher) Devices() []Device {
	out := make([]Device, 0, len(w.s.Sensors))
	for name, s := range w.s.Sensors {
		d := Device{Name: name, Sensor: *s}
		d.Kinds = slices.Clone(s.Kinds)
		slices.SortFunc(d.Kinds, func(a, b devices.Kind) int { return cmp.Compare(a, b) })
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Device) int {
		if c := cmp.Compare(a.Room, b.Room); c != 0 {
			return c
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return out
}
