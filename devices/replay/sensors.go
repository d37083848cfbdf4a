package replay

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode"
)

// ErrSensors is wrapped by every error of LoadSensors.
var ErrSensors = errors.New("LYK-0210: the description of sensors cannot be used")

// Sensors says what the sensors of a recording are: sensors.yaml.
type Sensors struct {
	// Zone is the IANA time zone of the recording's clock; empty is UTC.
	Zone string `yaml:"zone,omitempty"`
	// Default is for sensors that are not listed; nil carries their events
	// with the kind Unlisted.
	Default *Sensor           `yaml:"default,omitempty"`
	Sensors map[string]Sensor `yaml:"sensors"`

	zone *time.Location
}

// Sensor is what one sensor is. In YAML it is {kind: …, room: …, name: …,
// on: …, off: …}, or short [kind, room], or just the kind.
type Sensor struct {
	Kind devices.Kind `yaml:"kind"`
	Room string       `yaml:"room,omitempty"`
	// Name is the device; empty is the sensor's own id.
	Name string `yaml:"name,omitempty"`
	// On and Off are the words for 1 and 0, besides the usual ones.
	On  string `yaml:"on,omitempty"`
	Off string `yaml:"off,omitempty"`
}

// UnmarshalYAML reads the long form and the short ones.
func (s *Sensor) UnmarshalYAML(node *yaml.Node) error {
	type long Sensor
	switch node.Kind {
	case yaml.ScalarNode:
		return node.Decode(&s.Kind)
	case yaml.SequenceNode:
		var short []string
		if err := node.Decode(&short); err != nil {
			return err
		}
		if len(short) != 2 {
			return fmt.Errorf("line %d: the short form is [kind, room]", node.Line)
		}
		s.Kind, s.Room = devices.Kind(short[0]), short[1]
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch name := node.Content[i]; name.Value {
		case "kind", "room", "name", "on", "off":
		default: // the strictness of the decoder around does not reach in here
			return fmt.Errorf("line %d: a sensor has no %q", name.Line, name.Value)
		}
	}
	return node.Decode((*long)(s))
}

// LoadSensors reads sensors.yaml. Unknown fields, zones that do not exist and
// sensors without a kind are errors, which wrap ErrSensors.
func LoadSensors(r io.Reader) (Sensors, error) {
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	var s Sensors
	if err := dec.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return Sensors{}, fmt.Errorf("%w: %w", ErrSensors, err)
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return Sensors{}, fmt.Errorf("%w: zone: %w", ErrSensors, err)
	}
	s.zone = zone
	if s.Default != nil {
		if err := s.Default.check("default"); err != nil {
			return Sensors{}, err
		}
	}
	for id, sensor := range s.Sensors {
		if err := sensor.check(id); err != nil {
			return Sensors{}, err
		}
	}
	return s, nil
}

func (s Sensor) check(id string) error {
	switch s.Kind {
	case "":
		return fmt.Errorf("%w: %s: kind is missing", ErrSensors, id)
	case devices.Heartbeat, devices.Dropped:
		return fmt.Errorf("%w: %s: only a gateway says %s", ErrSensors, id, s.Kind)
	}
	return nil
}

// Write writes sensors.yaml.
func (s Sensors) Write(w io.Writer) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("write sensors: %w", err)
	}
	return enc.Close()
}

func (s Sensors) location() *time.Location {
	if s.zone != nil {
		return s.zone
	}
	if zone, err := time.LoadLocation(s.Zone); err == nil {
		return zone
	}
	return time.UTC
}

// lookup returns what is known about a sensor, with its name filled in.
func (s Sensors) lookup(id string) (sensor Sensor, listed bool) {
	sensor, listed = s.Sensors[id]
	if !listed && s.Default != nil {
		sensor, listed = *s.Default, true
		sensor.Name = ""
	}
	if !listed {
		sensor.Kind = Unlisted
	}
	if sensor.Name == "" {
		sensor.Name = id
	}
	return sensor, listed
}

// reading makes the reading of an event. The sensor's own words come first;
// then numbers are numbers, in the kind's unit; then the usual words for on
// and off are 1 and 0, for kinds that have no unit. Anything else is text.
func (s Sensor) reading(ev event) devices.Reading {
	r := devices.Reading{
		Time: ev.at, Device: decode.Name(s.Name), Kind: devices.Kind(decode.Name(string(s.Kind))), Room: decode.Name(s.Room),
	}
	if on, ok := s.ownWord(ev.value); ok {
		r.Value = devices.Bool(on)
		return r
	}
	if n, err := strconv.ParseFloat(ev.value, 64); err == nil && decode.Finite(n) {
		r.Value, r.Unit = &n, s.Kind.Unit()
		return r
	}
	if on, ok := usualWord(ev.value); ok && s.Kind.Unit() == "" {
		r.Value = devices.Bool(on)
		return r
	}
	r.Text = decode.Text(ev.value)
	switch s.Kind {
	case devices.SOS, devices.CheckIn, devices.Test:
		r.Value = devices.Number(1) // the word says how; that it happened is what counts
	}
	return r
}

func (s Sensor) ownWord(word string) (on, ok bool) {
	switch {
	case s.On != "" && strings.EqualFold(word, s.On):
		return true, true
	case s.Off != "" && strings.EqualFold(word, s.Off):
		return false, true
	}
	return false, false
}

func usualWord(word string) (on, ok bool) {
	switch strings.ToUpper(word) {
	case "ON", "OPEN", "PRESENT", "TRUE", "START":
		return true, true
	case "OFF", "CLOSE", "CLOSED", "ABSENT", "FALSE", "STOP", "END":
		return false, true
	}
	return false, false
}
