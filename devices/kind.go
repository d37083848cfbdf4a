package devices

// Kind names what a reading is about. Kinds that are not listed here are
// carried through and stored untouched; code must never fail on one.
type Kind string

// States and movements. Two-state kinds have the value 1 or 0.
const (
	Contact   Kind = "contact"   // 1 open, 0 closed (doors, cupboards, a float in a cistern)
	Motion    Kind = "motion"    // 1 movement seen, 0 none for the sensor's own hold time
	Presence  Kind = "presence"  // 1 somebody is there (mmWave), 0 nobody
	Pressure  Kind = "pressure"  // bed or seat mat: 1 occupied, 0 empty
	Vibration Kind = "vibration" // 1 shaken, 0 still
)

// Climate and the house.
const (
	Temperature Kind = "temperature"  // Cel, of the air
	Humidity    Kind = "humidity"     // %RH
	Illuminance Kind = "illuminance"  // lx
	Power       Kind = "power"        // W
	Energy      Kind = "energy"       // Wh, counter since the meter's start
	WaterVolume Kind = "water_volume" // l, counter since the meter's start, or litres since the last reading as the device says
)

// Danger in the house. 1 danger, 0 clear.
const (
	Smoke          Kind = "smoke"
	CarbonMonoxide Kind = "carbon_monoxide"
	WaterLeak      Kind = "water_leak"
)

// What a person says or what happens to them.
const (
	Button     Kind = "button"     // text: single, double, hold, … ; what it means is the home's configuration
	SOS        Kind = "sos"        // a press for help; 1, text may name how ("emergency")
	Fall       Kind = "fall"       // 1 a fall was detected
	CheckIn    Kind = "check_in"   // 1 "I am OK"
	Medication Kind = "medication" // 1 taken, 0 missed (dispenser); text may name the dose
	Test       Kind = "test"       // a test alarm: proves the chain, raises nobody from bed
)

// Health self-tests.
const (
	Systolic        Kind = "blood_pressure_systolic"  // mm[Hg]
	Diastolic       Kind = "blood_pressure_diastolic" // mm[Hg]
	Pulse           Kind = "pulse"                    // beat/min
	SpO2            Kind = "spo2"                     // %
	Weight          Kind = "weight"                   // kg
	BodyTemperature Kind = "body_temperature"         // Cel
	Glucose         Kind = "glucose"                  // mmol/l
	WellBeing       Kind = "well_being"               // what the resident answered to "how are you?": 1 bad, 2 so-so, 3 good
)

// CallBack is the resident's wish to be called, with a picture, in their own
// time: the text is the call that they answer with it, or empty.
const CallBack Kind = "call_back"

// Consent is a decision of the resident about who may see what, made on the
// screen in the home: 1 may, 0 may not; the text is the party and the field
// with a space between, as in "person:maria check_in".
const Consent Kind = "consent"

// The devices themselves, and the gateway.
const (
	Battery      Kind = "battery"      // %EL, 0–100
	BatteryLow   Kind = "battery_low"  // 1 the device itself says that its battery is low
	LinkQuality  Kind = "link_quality" // 0–255, as the radio reports it
	Availability Kind = "availability" // 1 the radio reaches the device, 0 it does not
	Tamper       Kind = "tamper"       // 1 the device was opened or moved
	Heartbeat    Kind = "heartbeat"    // the gateway is alive; details travel as wire.Heartbeat
	Dropped      Kind = "dropped"      // the gateway thinned its spool; details travel as wire.Dropped
)

// Unit is a unit from the SenML registry (IANA "SenML Units"), or, where that
// has none, a UCUM code.
type Unit string

// Units in use.
const (
	Celsius          Unit = "Cel"
	RelativeHumidity Unit = "%RH"
	Lux              Unit = "lx"
	Watt             Unit = "W"
	WattHour         Unit = "Wh"
	Litre            Unit = "l"
	MillimetreHg     Unit = "mm[Hg]" // UCUM
	BeatsPerMinute   Unit = "beat/min"
	Percent          Unit = "%"
	Kilogram         Unit = "kg"
	MillimolePerL    Unit = "mmol/l" // UCUM
	BatteryPercent   Unit = "%EL"
)

// Unit returns the unit in which the kind's number is given, or "" for
// states, events and unknown kinds.
func (k Kind) Unit() Unit {
	switch k {
	case Temperature, BodyTemperature:
		return Celsius
	case Humidity:
		return RelativeHumidity
	case Illuminance:
		return Lux
	case Power:
		return Watt
	case Energy:
		return WattHour
	case WaterVolume:
		return Litre
	case Systolic, Diastolic:
		return MillimetreHg
	case Pulse:
		return BeatsPerMinute
	case SpO2:
		return Percent
	case Weight:
		return Kilogram
	case Glucose:
		return MillimolePerL
	case Battery:
		return BatteryPercent
	}
	return ""
}

// Urgent reports whether the kind travels in the alarm lane, ahead of all
// telemetry and never thinned: presses, falls, dangers in the house,
// check-ins, tests, the wish to be called, and what the resident decides about
// their data.
func (k Kind) Urgent() bool {
	switch k {
	case SOS, Fall, Smoke, CarbonMonoxide, WaterLeak, CheckIn, Test, Button, CallBack, Consent:
		return true
	}
	return false
}

// Emergency reports whether somebody may be in danger now: presses for help,
// falls, smoke and gas.
func (k Kind) Emergency() bool {
	switch k {
	case SOS, Fall, Smoke, CarbonMonoxide:
		return true
	}
	return false
}

// Health reports whether the kind is a measurement of the resident's body:
// health data in the sense of GDPR article 9, shown only to those who care
// for the person.
func (k Kind) Health() bool {
	switch k {
	case Systolic, Diastolic, Pulse, SpO2, Weight, BodyTemperature, Glucose, Medication, WellBeing:
		return true
	}
	return false
}

// State reports whether the kind is a two-state one, whose reading holds
// until the next: what a timeline draws as intervals rather than as a curve.
func (k Kind) State() bool {
	switch k {
	case Contact, Motion, Presence, Pressure, Vibration, Smoke, CarbonMonoxide, WaterLeak, Availability, BatteryLow, Tamper:
		return true
	}
	return false
}
