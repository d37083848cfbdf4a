// Package zigbee2mqtt turns what Zigbee2MQTT publishes into readings.
//
// # Names
//
// A reading's device is the friendly name: the name that the installer gave,
// that stands in the topic, and that configuration uses. It does not depend on
// bridge/devices having been heard. Whoever renames a device starts a new
// series. A friendly name with a slash says the room before it
// ("kitchen/fridge" is in the kitchen); configuration may say otherwise.
//
// # What is a reading
//
// Zigbee2MQTT repeats a device's whole known state in every message, so most
// of a message is old. A field is a reading
//
//   - of a state (contact, presence, pressure, smoke, leak, fall, tamper, …):
//     when it changes, and the first time it is heard;
//   - of motion and vibration: as a state, and again when it is still or
//     anew on a minute or more after it was last a reading;
//   - of a measurement (temperature, power, illuminance, …): when it changes,
//     and again when the same value is repeated ten minutes or more after;
//     a battery's charge after six hours;
//   - of a health test: when it changes, and again after a minute;
//   - of link quality, voltage and numbers that are not known here: when it
//     changed, but at most every ten minutes;
//   - of texts that are not known here: when it changes.
//
// A message from a device that has had no reading for ten minutes yields at
// least one, so that a device that talks is never taken for silent.
//
// A press (action, click) is a reading every time, however alike the last one:
// Zigbee2MQTT never repeats one from its cache. Only where it carries a
// transaction number is the same one within ten seconds the same press.
//
// # What is not
//
// A retained message, and one whose last_seen has not moved, says how things
// stood, not what happens: of it only states that hold (contact, smoke, …)
// are taken, never a press, never motion, and no measurement, so that a dead
// sensor does not look alive whenever something restarts.
// Nested objects and lists (colours, settings) are left out, as are last_seen,
// update and the details of an action.
package zigbee2mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode"
)

// DefaultBase is Zigbee2MQTT's own default for its base topic.
const DefaultBase = "zigbee2mqtt"

// Bounds of what one decoder remembers and reads, whatever it is sent.
const (
	MaxDevices = 512      // devices remembered; beyond, the one unheard for longest is forgotten
	MaxFields  = 64       // fields remembered of each device besides the known ones
	MaxMessage = 64 << 10 // bytes of a device's message
	MaxBridge  = 4 << 20  // bytes of bridge/devices
)

// ErrMalformed is wrapped by every error of Decode: the message is not what
// Zigbee2MQTT sends. Its id is LYK-0200.
var ErrMalformed = errors.New("LYK-0200: not a Zigbee2MQTT message")

// Actions says what presses mean: device -> action, or "*" for any -> kind
// (sos, check_in, button, …), as in wire.Configure.
//
// "*" does not take in what ends a press (release, stop), and never makes
// less of a press for help: only naming "emergency" itself does.
type Actions map[string]map[string]devices.Kind

// Decoder keeps what each device last said. It is owned by one goroutine.
type Decoder struct {
	base    string
	actions Actions
	known   map[string]product
	groups  map[string]struct{}
	heard   map[string]*device
}

// New makes a decoder of the messages below base; "" is DefaultBase.
func New(base string, actions Actions) *Decoder {
	if base == "" {
		base = DefaultBase
	}
	return &Decoder{
		base: strings.TrimSuffix(base, "/"), actions: actions,
		known: map[string]product{}, groups: map[string]struct{}{}, heard: map[string]*device{},
	}
}

// SetActions replaces what presses mean.
func (d *Decoder) SetActions(a Actions) { d.actions = a }

// Model returns a device's model as bridge/devices named it ("MCCGQ11LM"), or
// "" as long as it has not.
func (d *Decoder) Model(device string) string { return d.known[device].model }

// Decode reads one message. Topics that hold no readings, and empty payloads
// (which clear a retained message), give none and no error. The error wraps
// ErrMalformed; nothing is read from such a message.
//
// retained is whether the broker delivered the message from its memory. It is
// not the flag on a live publish: a broker that receives messages itself must
// pass false, or presses of devices that are set to retain would be lost.
func (d *Decoder) Decode(topic string, payload []byte, retained bool, now devices.Micros) ([]devices.Reading, error) {
	name, ok := strings.CutPrefix(topic, d.base+"/")
	if !ok || name == "" || len(payload) == 0 {
		return nil, nil
	}
	if rest, ok := strings.CutPrefix(name, "bridge/"); ok {
		return nil, d.bridge(rest, payload)
	}
	if name == "bridge" || isCommand(name) {
		return nil, nil
	}
	if len(payload) > MaxMessage {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrMalformed, len(payload), MaxMessage)
	}
	if device, ok := strings.CutSuffix(name, "/availability"); ok && device != "" {
		return d.availability(device, payload, now)
	}
	if _, ok := d.groups[name]; ok {
		return nil, nil // its members speak for themselves
	}
	fields, err := object(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return d.snapshot(name, fields, retained, now), nil
}

// isCommand tells what others ask of a device from what a device says.
func isCommand(name string) bool {
	for _, verb := range []string{"/set", "/get"} {
		if strings.HasSuffix(name, verb) || strings.Contains(name, verb+"/") {
			return true
		}
	}
	return false
}

// object reads a JSON object, keeping numbers as they were written.
func object(payload []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("null instead of an object")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	return fields, nil
}

// availability reads "online", "offline" or {"state":…}. Zigbee2MQTT retains
// it, so that a retained one is as good as another.
func (d *Decoder) availability(name string, payload []byte, now devices.Micros) ([]devices.Reading, error) {
	state := strings.Trim(strings.TrimSpace(string(payload)), `"`)
	if strings.HasPrefix(state, "{") {
		fields, err := object(payload)
		if err != nil {
			return nil, fmt.Errorf("%w: availability: %w", ErrMalformed, err)
		}
		state, _ = fields["state"].(string)
	}
	if state != "online" && state != "offline" {
		return nil, fmt.Errorf("%w: availability is neither online nor offline", ErrMalformed)
	}
	if _, ok := d.groups[name]; ok {
		return nil, nil
	}
	dev := d.device(name, now)
	v := value{number: devices.Bool(state == "online")}
	if !dev.news("/availability", rule{kind: devices.Availability}, v, now) {
		return nil, nil
	}
	r := d.reading(name, now)
	r.Kind, r.Value = devices.Availability, v.number
	return []devices.Reading{r}, nil
}

// reading begins a reading of the device.
func (d *Decoder) reading(name string, now devices.Micros) devices.Reading {
	r := devices.Reading{Time: now, Device: decode.Name(name)}
	if room, _, ok := strings.Cut(name, "/"); ok {
		r.Room = decode.Name(room)
	}
	return r
}

// snapshot reads a device's message: presses first, then the other urgent
// kinds, then the rest, each in the order of their fields' names.
func (d *Decoder) snapshot(name string, fields map[string]any, retained bool, now devices.Micros) []devices.Reading {
	dev, about := d.device(name, now), d.known[name]
	stale := dev.stale(fields["last_seen"], now) || retained

	var out []devices.Reading
	if !retained {
		out = d.presses(name, dev, about, fields, now)
	}
	var rest []devices.Reading
	var again devices.Reading // what to repeat when nothing is news
	var sos []value           // what buttons of the old kind say
	var other bool            // something is news besides the link
	for _, field := range sortedKeys(fields) {
		if isPress(field, about) {
			continue
		}
		ru, ok := ruleFor(field, fields, about)
		if !ok || stale && !ru.holds() {
			continue
		}
		v, ok := ru.read(fields[field])
		if !ok || !dev.room(field, ru) {
			continue
		}
		if ru.kind == devices.SOS {
			if v.number != nil {
				sos = append(sos, v)
			}
			continue
		}
		if _, isNumber := fields[field].(json.Number); isNumber && ru.unlisted {
			ru.pace = measured
		}
		r := d.reading(name, now)
		r.Kind, r.Value, r.Text, r.Unit = ru.kind, v.number, v.text, ru.unit
		switch {
		case !dev.news(field, ru, v, now):
			if r.Kind == devices.LinkQuality || again.Kind == "" && !r.Kind.Urgent() {
				again = r
			}
		case r.Kind == devices.Test && !r.On(): // the end of a test proves nothing
		case r.Kind.Urgent():
			out = append(out, r)
		default:
			rest = append(rest, r)
			other = other || r.Kind != devices.LinkQuality
		}
	}
	for _, v := range sos {
		if r, ok := d.oldSOS(name, dev, v, other, now); ok {
			out = append([]devices.Reading{r}, out...)
		}
	}
	out = append(out, rest...)
	if len(out) == 0 && !stale && again.Kind != "" && elapsed(dev.spoke, now) >= measured {
		out = append(out, again)
	}
	if len(out) > 0 {
		dev.spoke = now
	}
	return out
}

func sortedKeys(fields map[string]any) []string {
	keys := make([]string, 0, len(fields))
	for k := range fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// device is what one device last said.
type device struct {
	heard    devices.Micros // its last message
	spoke    devices.Micros // its last reading
	lastSeen string         // last_seen of its last message
	fields   map[string]last
	unknown  int // how many of fields are not of the table
	press    press
}

// last is what a field said when it last was a reading.
type last struct {
	at     devices.Micros
	number float64
	none   bool
	text   uint64 // hash
}

// device returns what is remembered of the device, and forgets the one that
// has been quiet for longest when there are too many.
func (d *Decoder) device(name string, now devices.Micros) *device {
	name = decode.Name(name)
	dev, ok := d.heard[name]
	if !ok {
		if len(d.heard) >= MaxDevices {
			d.forgetOldest()
		}
		dev = &device{fields: map[string]last{}}
		d.heard[name] = dev
	}
	dev.heard = now
	return dev
}

func (d *Decoder) forgetOldest() {
	var oldest string
	var at devices.Micros
	for name, dev := range d.heard {
		if oldest == "" || dev.heard < at || dev.heard == at && name < oldest {
			oldest, at = name, dev.heard
		}
	}
	delete(d.heard, oldest)
}

// elapsed is the time from at to now; a clock that went back counts as very long.
func elapsed(at, now devices.Micros) time.Duration {
	if now < at {
		return time.Duration(1<<63 - 1)
	}
	return time.Duration(min(int64(now-at), (1<<63-1)/1000)) * time.Microsecond
}

// stale reports whether the message is a repetition by Zigbee2MQTT itself, as
// far as last_seen tells: it has not moved, or, of a device heard for the
// first time, is old.
func (dev *device) stale(lastSeen any, now devices.Micros) bool {
	if lastSeen == nil {
		return false
	}
	seen := cutText(fmt.Sprint(lastSeen), 64)
	first := dev.lastSeen == ""
	moved := seen != dev.lastSeen
	dev.lastSeen = seen
	if !first {
		return !moved
	}
	at, ok := parseLastSeen(seen)
	return ok && at < now && elapsed(at, now) > measured
}

// room reports whether the field may be remembered.
func (dev *device) room(field string, ru rule) bool {
	if !ru.unlisted {
		return true
	}
	if _, ok := dev.fields[field]; ok {
		return true
	}
	if dev.unknown >= MaxFields {
		return false
	}
	dev.unknown++
	return true
}

// news reports whether the value is a reading, and remembers it if so.
func (dev *device) news(field string, ru rule, v value, now devices.Micros) bool {
	next := last{at: now, none: v.number == nil, text: hash(v.text)}
	if v.number != nil {
		next.number = *v.number
	}
	prev, known := dev.fields[field]
	since := elapsed(prev.at, now)
	changed := prev.number != next.number || prev.none != next.none || prev.text != next.text
	switch {
	case !known:
	case changed && since >= ru.pace:
	case !changed && ru.again > 0 && since >= ru.again && (!ru.whileOn || next.number != 0):
	default:
		return false
	}
	dev.fields[field] = next
	return true
}
