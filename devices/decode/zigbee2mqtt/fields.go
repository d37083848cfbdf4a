package zigbee2mqtt

import (
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/catalog"
	"github.com/lykta/lykta/devices/decode"
)

// How long the same value is old news; see the package comment.
const (
	measured = 10 * time.Minute
	charged  = 6 * time.Hour
	moved    = time.Minute
	tested   = time.Minute
)

// rule is what a field means and when it is a reading.
type rule struct {
	kind     devices.Kind
	unit     devices.Unit
	read     func(any) (value, bool)
	again    time.Duration // a repeated value is a reading after this; 0 never
	whileOn  bool          // … but only when it is on
	pace     time.Duration // a changed value is none before this
	unlisted bool          // the field is not known here
}

// holds reports whether the state goes on until the device says otherwise, so
// that a stale message still tells something.
func (ru rule) holds() bool {
	switch ru.kind {
	case devices.Contact, devices.Presence, devices.Pressure, devices.Smoke, devices.CarbonMonoxide,
		devices.WaterLeak, gas, devices.Fall, devices.Tamper, devices.BatteryLow:
		return true
	}
	return false
}

// Kinds of Zigbee2MQTT that the vocabulary does not have.
const (
	gas         devices.Kind = "gas"          // 1 combustible gas
	airPressure devices.Kind = "air_pressure" // hPa: never devices.Pressure, which is a mat
)

// kindOfField are the fields whose meaning is known. Where several names mean
// the same, a device sends one of them.
func kindOfField(field string) (devices.Kind, bool) {
	switch field {
	case "contact":
		return devices.Contact, true
	case "occupancy", "motion":
		return devices.Motion, true
	case "presence":
		return devices.Presence, true
	case "bed_occupancy", "bed_occupied", "seat_occupancy", "seat_occupied", "pressed":
		return devices.Pressure, true
	case "vibration":
		return devices.Vibration, true
	case "water_leak", "leak":
		return devices.WaterLeak, true
	case "smoke":
		return devices.Smoke, true
	case "carbon_monoxide":
		return devices.CarbonMonoxide, true
	case "gas":
		return gas, true
	case "fall", "fall_detected", "fall_detection", "fall_alarm", "fall_status", "fall_state", "fall_down_status":
		return devices.Fall, true
	case "sos":
		return devices.SOS, true
	case "test":
		return devices.Test, true
	case "tamper":
		return devices.Tamper, true
	case "battery_low":
		return devices.BatteryLow, true
	case "battery":
		return devices.Battery, true
	case "linkquality":
		return devices.LinkQuality, true
	case "temperature", "local_temperature":
		return devices.Temperature, true
	case "humidity":
		return devices.Humidity, true
	case "illuminance", "illuminance_lux":
		return devices.Illuminance, true
	case "pressure":
		return airPressure, true
	case "power":
		return devices.Power, true
	case "energy":
		return devices.Energy, true
	case "water_consumed", "water_volume", "water_total":
		return devices.WaterVolume, true
	case "blood_pressure_systolic", "systolic":
		return devices.Systolic, true
	case "blood_pressure_diastolic", "diastolic":
		return devices.Diastolic, true
	case "pulse", "heart_rate":
		return devices.Pulse, true
	case "spo2", "oxygen_saturation":
		return devices.SpO2, true
	case "weight":
		return devices.Weight, true
	case "body_temperature":
		return devices.BodyTemperature, true
	case "glucose", "blood_glucose":
		return devices.Glucose, true
	}
	return "", false
}

// ruleFor returns what a field of this message means; false leaves it out.
func ruleFor(field string, message map[string]any, about product) (rule, bool) {
	if isNoise(field) {
		return rule{}, false
	}
	if f, ok := about.fields[field]; ok {
		if f.Kind == catalog.Ignore {
			return rule{}, false
		}
		ru := ruleOf(f.Kind)
		if ru.read == nil {
			ru = unlisted(f.Kind)
		}
		if f.Invert {
			ru.read = inverted(ru.read)
		}
		return ru, true
	}
	kind, ok := kindOfField(field)
	if ok && kind == devices.WaterVolume && about.units[field] == "" && field != "water_volume" {
		ok = false // cubic metres or litres: nobody has said
	}
	if field == "illuminance" && message["illuminance_lux"] != nil {
		return rule{}, false // the raw value beside the one in lux
	}
	if !ok {
		ru := unlisted(foreign(field))
		ru.unit = devices.Unit(about.units[field])
		return ru, true
	}
	ru := ruleOf(kind)
	switch kind {
	case devices.Contact:
		ru.read = inverted(ru.read) // Zigbee2MQTT says true for closed
	case devices.Energy, devices.WaterVolume, devices.Temperature, devices.Glucose:
		factor, offset := scale(kind, about.units[field])
		ru.read = scaled(ru.read, factor, offset)
	}
	return ru, true
}

// ruleOf returns how a known kind is read; its read is nil for others.
func ruleOf(k devices.Kind) rule {
	ru := rule{kind: k, unit: k.Unit()}
	switch {
	case k == devices.Motion || k == devices.Vibration:
		ru.read, ru.again, ru.whileOn = boolean, moved, true
	case k == devices.Fall:
		ru.read = fallen
	case k.State() || k == gas || k == devices.SOS || k == devices.Test:
		ru.read = boolean
	case k == devices.LinkQuality:
		ru.read, ru.again, ru.pace = number, measured, measured
	case k == devices.Battery:
		ru.read, ru.again = number, charged
	case k.Health() && k.Unit() != "":
		ru.read, ru.again = number, tested
	case k.Unit() != "":
		ru.read, ru.again = number, measured
	case k == airPressure:
		ru.read, ru.again, ru.unit = number, measured, "hPa"
	}
	return ru
}

// unlisted carries a field that is not known here under its own name.
func unlisted(k devices.Kind) rule {
	return rule{kind: k, unlisted: true, read: scalar}
}

// foreign is the kind of an unknown field: its own name, unless that would
// pass for a kind that means something, or that only a gateway may say.
func foreign(field string) devices.Kind {
	k := devices.Kind(decode.Name(field))
	switch k {
	case devices.Heartbeat, devices.Dropped, devices.LinkQuality:
		return "raw_" + k
	}
	if k.Urgent() || k.Health() || k.State() || k.Unit() != "" {
		return "raw_" + k
	}
	return k
}

// isNoise names fields that say nothing about the home.
func isNoise(field string) bool {
	switch field {
	case "", "last_seen", "update", "update_available", "device", "elapsed":
		return true
	}
	return strings.HasPrefix(field, "action_") || strings.HasPrefix(field, "update_")
}
