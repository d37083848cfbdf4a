package sim

import (
	"fmt"
	"hash/fnv"
	"maps"

	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
)

// Box is what an installer brings: a button and a motion sensor that belong to
// no network yet. It says what Zigbee2MQTT says while they join, under the
// addresses that they have until somebody names them. It is owned by one
// goroutine.
type Box struct {
	base   string
	known  []map[string]any // bridge/devices
	inside []*device
	joined []*device
}

// NewBox packs a box. The same name makes the same addresses. With home the
// devices join those that it has; nil is a network without any.
func NewBox(name, base string, home *Home) *Box {
	if base == "" {
		base = zigbee2mqtt.DefaultBase
	}
	b := &Box{base: base, known: []map[string]any{coordinator()}}
	if home != nil {
		b.known = home.inventory()
	}
	f := fnv.New64a()
	f.Write([]byte(name))
	for i, d := range []*device{
		{vendor: "Tuya", model: "TS0215A_sos", what: "SOS button", cache: map[string]any{"battery": 100, "battery_low": false, "tamper": false}},
		{vendor: "Aqara", model: "RTCGQ11LM", what: "Motion sensor", units: map[string]string{"illuminance": "lx", "battery": "%", "voltage": "mV"},
			cache: map[string]any{"battery": 100, "voltage": 3015, "occupancy": false, "illuminance": 20}},
	} {
		d.address = fmt.Sprintf("0x00158d%09x%d", f.Sum64()&0xfffffffff, i+1)
		d.name, d.link, d.cache["linkquality"] = d.address, 150+20*i, 150+20*i
		b.inside = append(b.inside, d)
	}
	return b
}

// Button and Motion are the devices' names.
func (b *Box) Button() string { return b.device(0).name }

// Motion is the motion sensor's name.
func (b *Box) Motion() string { return b.device(1).name }

func (b *Box) device(i int) *device {
	if i < len(b.joined) {
		return b.joined[i]
	}
	return b.inside[i-len(b.joined)]
}

// Hello is what Zigbee2MQTT publishes first.
func (b *Box) Hello() []Message {
	return []Message{b.say("bridge/state", map[string]any{"state": "online"}, true), b.say("bridge/devices", b.known, true)}
}

// PermitTopic is where Zigbee2MQTT is asked to let devices in.
func (b *Box) PermitTopic() string { return b.base + "/bridge/request/permit_join" }

// Permit is the answer to being asked that.
func (b *Box) Permit(seconds int) Message {
	return b.say("bridge/response/permit_join", map[string]any{"status": "ok", "data": map[string]any{"time": seconds}}, false)
}

// Join lets the next device in and returns what is said meanwhile; none when
// the box is empty.
func (b *Box) Join() []Message {
	if len(b.inside) == 0 {
		return nil
	}
	d := b.inside[0]
	b.inside, b.joined = b.inside[1:], append(b.joined, d)
	who := func(more map[string]any) map[string]any {
		all := map[string]any{"friendly_name": d.name, "ieee_address": d.address}
		maps.Copy(all, more)
		return all
	}
	b.known = append(b.known, d.entry(len(b.known)-1))
	event := func(kind string, data map[string]any) Message {
		return b.say("bridge/event", map[string]any{"type": kind, "data": data}, false)
	}
	return []Message{
		event("device_joined", who(nil)),
		event("device_interview", who(map[string]any{"status": "started"})),
		event("device_interview", who(map[string]any{"status": "successful", "supported": true, "definition": d.definition()})),
		b.say("bridge/devices", b.known, true),
		b.say(d.name+"/availability", map[string]any{"state": "online"}, true),
		b.say(d.name, d.cache, false),
	}
}

// Speak is what the devices that have joined say now and then: the sensor
// sees movement, or no longer.
func (b *Box) Speak() (out []Message) {
	for _, d := range b.joined {
		if moving, sees := d.cache["occupancy"].(bool); sees {
			d.cache["occupancy"] = !moving
		}
		out = append(out, b.say(d.name, d.cache, false))
	}
	return out
}

// Press presses the button; none while it has not joined.
func (b *Box) Press() []Message {
	if len(b.joined) == 0 {
		return nil
	}
	d := b.joined[0]
	payload := maps.Clone(d.cache)
	payload["action"] = "emergency"
	return []Message{b.say(d.name, payload, false)}
}

func (b *Box) say(topic string, payload any, retain bool) Message {
	return Message{Topic: b.base + "/" + topic, Payload: marshal(payload), Retain: retain}
}
