package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"time"
)

// The rooms. Their ids are those of the readings; screens translate them.
const (
	hall       = "hall"
	kitchen    = "kitchen"
	bathroom   = "bathroom"
	bedroom    = "bedroom"
	livingRoom = "living_room"
)

var rooms = []string{hall, kitchen, bathroom, bedroom, livingRoom}

const checkInButton = "kitchen/check_in"

// device is one device and what Zigbee2MQTT has cached of it.
type device struct {
	name    string
	model   string
	vendor  string
	what    string
	mains   bool
	units   map[string]string // of the fields that have one
	address string
	link    int
	cache   map[string]any
	meter   *meter
}

// meter is a plug's: what it draws and has drawn.
type meter struct {
	watts float64
	kwh   float64
	since time.Time
}

// flat is what stands in the home.
type flat struct {
	devices []*device
	byName  map[string]*device
	litres  float64            // of the water meter
	cleared map[string]int     // room -> movements seen, to know the last
	warm    map[string]*excess // room -> what cooking and bathing add
	inside  bool
}

func newFlat(chance *rand.Rand) flat {
	f := flat{byName: map[string]*device{}, cleared: map[string]int{}, warm: map[string]*excess{}, inside: true}
	f.litres = 10_000 + math.Floor(chance.Float64()*50_000)
	add := func(name, vendor, model, what string, units map[string]string, cache map[string]any) *device {
		d := &device{
			name: name, vendor: vendor, model: model, what: what, units: units, cache: cache,
			address: fmt.Sprintf("0x00158d%010x", chance.Uint64N(1<<40)), link: 60 + chance.IntN(150),
		}
		f.devices = append(f.devices, d)
		f.byName[name] = d
		return d
	}
	battery := func(cache map[string]any) map[string]any {
		cache["battery"] = 60 + chance.IntN(41)
		cache["voltage"] = 2900 + 5*chance.IntN(30)
		return cache
	}
	climate := map[string]string{"temperature": "°C", "humidity": "%", "pressure": "hPa", "battery": "%", "voltage": "mV"}
	for _, room := range rooms {
		add(room+"/motion", "Aqara", "RTCGQ11LM", "Motion sensor", map[string]string{"illuminance": "lx", "battery": "%", "voltage": "mV"},
			battery(map[string]any{"occupancy": false, "illuminance": 0}))
		f.warm[room] = &excess{}
	}
	for _, room := range []string{kitchen, bathroom, bedroom, livingRoom} {
		add(room+"/climate", "Aqara", "WSDCGQ11LM", "Temperature and humidity sensor", climate, battery(map[string]any{}))
	}
	contact := map[string]string{"battery": "%", "voltage": "mV", "device_temperature": "°C"}
	for _, name := range []string{"hall/front_door", "kitchen/fridge", "bathroom/door"} {
		add(name, "Aqara", "MCCGQ11LM", "Door and window sensor", contact,
			battery(map[string]any{"contact": true, "device_temperature": 23, "power_outage_count": chance.IntN(20)}))
	}
	for _, name := range []string{"bedroom/bed", "living_room/armchair"} {
		add(name, "Lykta", "LYK-MAT-1", "Bed or seat mat", contact, battery(map[string]any{"contact": false}))
	}
	add("hall/sos", "Tuya", "TS0215A_sos", "SOS button", nil, battery(map[string]any{"battery_low": false, "tamper": false}))
	add("pendant", "Tuya", "TS0215A_sos", "SOS button", nil, battery(map[string]any{"battery_low": false, "tamper": false}))
	add(checkInButton, "Aqara", "WXKG11LM", "Wireless mini switch", nil, battery(map[string]any{}))
	add("kitchen/smoke", "HEIMAN", "HS1SA-E", "Smoke detector", nil,
		map[string]any{"battery": 100, "battery_low": false, "smoke": false, "tamper": false, "test": false})
	add("bathroom/leak", "Aqara", "SJCGQ11LM", "Water leak sensor", nil,
		battery(map[string]any{"battery_low": false, "tamper": false, "water_leak": false}))
	add("bathroom/water", "Tuya", "TS0601_water_meter", "Ultrasonic water meter", map[string]string{"water_consumed": "m³", "voltage": "V"},
		map[string]any{"voltage": 3.61})
	radar := add("bathroom/radar", "Tuya", "MIR-TY-FALL", "Radar presence sensor with fall detection", map[string]string{"illuminance": "lx", "tumble_alarm_time": "min"},
		map[string]any{"fall_down_status": "none", "fall_sensitivity": 5, "presence": false, "tumble_alarm_time": 1, "tumble_switch": "ON"})
	radar.mains = true
	plug := map[string]string{"power": "W", "energy": "kWh", "current": "A", "voltage": "V"}
	for _, name := range []string{"kitchen/stove", "kitchen/kettle", "living_room/tv"} {
		d := add(name, "Tuya", "TS011F_plug_1", "Smart plug with power meter", plug, map[string]any{"state": "ON", "child_lock": "UNLOCK"})
		d.mains, d.meter = true, &meter{kwh: math.Floor(chance.Float64() * 500)}
	}
	return f
}

// Hello returns what Zigbee2MQTT publishes first when it starts: that it is
// there, what devices it has, and which of them it reaches.
func (h *Home) Hello() []Message {
	say := func(topic string, payload any) Message {
		return Message{At: h.now, Topic: h.opts.Base + "/" + topic, Payload: marshal(payload), Retain: true}
	}
	out := []Message{say("bridge/state", map[string]any{"state": "online"}), say("bridge/devices", h.inventory())}
	for _, d := range h.flat.devices {
		out = append(out, say(d.name+"/availability", map[string]any{"state": "online"}))
	}
	return out
}

// inventory is bridge/devices, as far as anyone here reads it.
func (h *Home) inventory() []map[string]any {
	list := []map[string]any{coordinator()}
	for i, d := range h.flat.devices {
		list = append(list, d.entry(i))
	}
	return list
}

func coordinator() map[string]any {
	return map[string]any{
		"ieee_address": "0x00124b0000000000", "friendly_name": "Coordinator", "type": "Coordinator",
		"network_address": 0, "supported": true, "disabled": false, "definition": nil,
	}
}

// entry is the device in bridge/devices; i is its place there.
func (d *device) entry(i int) map[string]any {
	kind, source := "EndDevice", "Battery"
	if d.mains {
		kind, source = "Router", "Mains (single phase)"
	}
	return map[string]any{
		"ieee_address": d.address, "friendly_name": d.name, "type": kind, "network_address": 1000 + i, "power_source": source,
		"supported": true, "disabled": false, "interview_completed": true, "definition": d.definition(),
	}
}

func (d *device) definition() map[string]any {
	exposes := []map[string]any{}
	for _, property := range sortedKeys(d.units) {
		exposes = append(exposes, map[string]any{"type": "numeric", "name": property, "property": property, "unit": d.units[property], "access": 1})
	}
	return map[string]any{"model": d.model, "vendor": d.vendor, "description": d.what, "exposes": exposes}
}

// startDevices sets the devices' own clocks going.
func (h *Home) startDevices() {
	for _, d := range h.flat.devices {
		soon := h.now.Add(h.between(time.Second, 2*time.Minute))
		switch {
		case d.meter != nil:
			d.meter.since = h.now
			h.every(soon, func() time.Duration {
				if d.meter.watts > 0 {
					return time.Minute
				}
				return 10 * time.Minute
			}, func() { h.readMeter(d) })
		case d.model == "WSDCGQ11LM":
			h.every(soon, func() time.Duration { return h.about(6 * time.Minute) }, func() { h.measure(d) })
		case d.mains:
			h.every(soon, func() time.Duration { return h.about(15 * time.Minute) }, func() { h.say(d.name, nil) })
		case d.name == "bathroom/water":
			h.every(soon, func() time.Duration { return h.about(time.Hour) }, func() { h.water(0) })
		default:
			h.every(soon, func() time.Duration { return h.about(50 * time.Minute) }, func() { h.say(d.name, nil) })
		}
	}
}

// say publishes what a device has to say on top of what is known of it.
func (h *Home) say(name string, fields map[string]any) {
	d := h.flat.byName[name]
	maps.Copy(d.cache, fields)
	d.link = min(255, max(10, d.link+h.chance.IntN(9)-4))
	d.cache["linkquality"] = d.link
	h.publish(name, d.cache)
}

// press publishes a press, which is not kept.
func (h *Home) press(name, action string) {
	payload := maps.Clone(h.flat.byName[name].cache)
	payload["action"] = action
	payload["linkquality"] = h.flat.byName[name].link
	h.publish(name, payload)
}

func (h *Home) publish(name string, payload any) {
	h.said = append(h.said, Message{At: h.now, Topic: h.opts.Base + "/" + name, Payload: marshal(payload)})
}

// move is movement in a room. The sensor says so at once, and that it has
// stopped when it has seen none for 90 s.
func (h *Home) move(room string) {
	name := room + "/motion"
	h.say(name, map[string]any{"occupancy": true, "illuminance": h.light(room)})
	h.flat.cleared[room]++
	mine := h.flat.cleared[room]
	h.at(h.now.Add(90*time.Second), func() {
		if h.flat.cleared[room] == mine {
			h.say(name, map[string]any{"occupancy": false})
		}
	})
}

// water runs litres through the meter.
func (h *Home) water(litres float64) {
	h.flat.litres += litres
	h.say("bathroom/water", map[string]any{"water_consumed": round(h.flat.litres/1000, 3)})
}

// draw sets what a plug draws.
func (h *Home) draw(name string, watts float64) {
	d := h.flat.byName[name]
	d.meter.count(h.now)
	d.meter.watts = watts
	h.readMeter(d)
	if watts > 0 { // the plug's own clock may be minutes away
		for m := 1; m < 10; m++ {
			h.at(h.now.Add(time.Duration(m)*time.Minute), func() {
				if d.meter.watts > 0 {
					h.readMeter(d)
				}
			})
		}
	}
}

func (h *Home) readMeter(d *device) {
	d.meter.count(h.now)
	watts := d.meter.watts
	if watts > 0 {
		watts *= 0.97 + 0.06*h.chance.Float64()
	}
	h.say(d.name, map[string]any{
		"power": math.Round(watts), "energy": round(d.meter.kwh, 3),
		"current": round(watts/230, 2), "voltage": 228 + h.chance.IntN(6),
	})
}

func (m *meter) count(now time.Time) {
	m.kwh += m.watts / 1000 * now.Sub(m.since).Hours()
	m.since = now
}

func round(v float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sim: %v", err)) // maps of numbers and strings only
	}
	return data
}
