package devices_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/devices"
)

func TestMicrosKeepATimeToTheMicrosecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := devices.Micros(rapid.Int64Range(-1<<53, 1<<53).Draw(t, "micros"))
		if got := devices.MicrosOf(m.Time()); got != m || m.Time().Location() != time.UTC {
			t.Fatalf("%d became %d in %v", m, got, m.Time().Location())
		}
	})
}

func TestOn(t *testing.T) {
	for _, test := range []struct {
		value *float64
		on    bool
	}{{nil, false}, {devices.Bool(false), false}, {devices.Bool(true), true}, {devices.Number(-1), true}, {devices.Number(0.5), true}} {
		if got := (devices.Reading{Value: test.value}).On(); got != test.on {
			t.Errorf("%v is on: %v", test.value, got)
		}
	}
}

// What a kind is decides which lane it takes, who may see it, and how it is
// drawn; a kind that is missing here or there is noticed by nobody else.
func TestWhatKindsAre(t *testing.T) {
	type is struct{ urgent, health, state bool }
	for kind, want := range map[devices.Kind]is{
		devices.SOS: {urgent: true}, devices.Fall: {urgent: true}, devices.CheckIn: {urgent: true}, devices.Test: {urgent: true}, devices.Button: {urgent: true},
		devices.CallBack: {urgent: true}, devices.Consent: {urgent: true},
		devices.Smoke: {urgent: true, state: true}, devices.CarbonMonoxide: {urgent: true, state: true}, devices.WaterLeak: {urgent: true, state: true},
		devices.Contact: {state: true}, devices.Motion: {state: true}, devices.Presence: {state: true}, devices.Pressure: {state: true},
		devices.Vibration: {state: true}, devices.Availability: {state: true}, devices.BatteryLow: {state: true}, devices.Tamper: {state: true},
		devices.Systolic: {health: true}, devices.Diastolic: {health: true}, devices.Pulse: {health: true}, devices.SpO2: {health: true},
		devices.Weight: {health: true}, devices.BodyTemperature: {health: true}, devices.Glucose: {health: true}, devices.Medication: {health: true},
		devices.Temperature: {}, devices.Humidity: {}, devices.Power: {}, devices.Energy: {}, devices.Battery: {}, devices.LinkQuality: {},
		devices.Heartbeat: {}, devices.Dropped: {}, "unheard_of": {}, "": {},
	} {
		if got := (is{kind.Urgent(), kind.Health(), kind.State()}); got != want {
			t.Errorf("%q is %+v, want %+v", kind, got, want)
		}
		if want.state && kind.Unit() != "" {
			t.Errorf("the state %s has the unit %s", kind, kind.Unit())
		}
	}
}

func TestUnits(t *testing.T) {
	for kind, want := range map[devices.Kind]devices.Unit{
		devices.Temperature: "Cel", devices.BodyTemperature: "Cel", devices.Humidity: "%RH", devices.Illuminance: "lx", devices.Power: "W",
		devices.Energy: "Wh", devices.WaterVolume: "l", devices.Systolic: "mm[Hg]", devices.Diastolic: "mm[Hg]", devices.Pulse: "beat/min",
		devices.SpO2: "%", devices.Weight: "kg", devices.Glucose: "mmol/l", devices.Battery: "%EL", devices.Medication: "", "unheard_of": "",
	} {
		if got := kind.Unit(); got != want {
			t.Errorf("%s is in %q, want %q", kind, got, want)
		}
	}
}
