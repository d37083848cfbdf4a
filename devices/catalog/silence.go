package catalog

import (
	"time"

	"github.com/lykta/lykta/devices"
)

// Limits of silence by what a device reports. They are some times the longest
// interval at which such devices report unasked, so that a lost message or two
// raises nobody, and short enough that a dead device is found the same day.
const (
	silenceClimate = 3 * time.Hour  // Aqara, Sonoff: a change or an hour, whichever is first
	silencePlug    = 2 * time.Hour  // mains powered; a constant 0 W is reported hourly by the slow ones
	silenceMeter   = 26 * time.Hour // meters that wake up daily
	silenceBattery = 26 * time.Hour // event-only battery devices check in 1–24 hourly with their battery
)

// SilenceAfter returns how long a device that reports these kinds may say
// nothing at all before it counts as lost: the shortest limit of its kinds.
// 0 means that silence says nothing about it: a device of which only events
// are known (a button that is never pressed) is silent and well. A device that
// also reports its battery or its link is expected to be heard once a day.
func SilenceAfter(kinds ...devices.Kind) time.Duration {
	var shortest time.Duration
	for _, k := range kinds {
		if d := silence(k); d > 0 && (shortest == 0 || d < shortest) {
			shortest = d
		}
	}
	return shortest
}

func silence(k devices.Kind) time.Duration {
	switch k {
	case devices.Temperature, devices.Humidity:
		return silenceClimate
	case devices.Power:
		return silencePlug
	case devices.Energy, devices.WaterVolume:
		return silenceMeter
	case devices.Battery, devices.LinkQuality:
		return silenceBattery
	}
	// Illuminance is no sign of life: passive infrared sensors send it only
	// together with movement.
	return 0
}

// BatteryLow is the charge in percent below which a battery wants changing
// when the product is not in the catalogue.
const BatteryLow = 15.0
