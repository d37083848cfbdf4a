package zigbee2mqtt

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode"
)

// value is what a field says: a number, a text, or both.
type value struct {
	number *float64
	text   string
}

// number reads numbers, also those that come as strings.
func number(raw any) (value, bool) {
	var text string
	switch x := raw.(type) {
	case json.Number:
		text = x.String()
	case string:
		text = strings.TrimSpace(x)
	default:
		return value{}, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !decode.Finite(f) {
		return value{}, false
	}
	return value{number: &f}, true
}

// boolean reads true and false in the words in which they come. A word that
// is neither is carried as it is: on a smoke detector, somebody must see it.
func boolean(raw any) (value, bool) {
	switch x := raw.(type) {
	case bool:
		return value{number: devices.Bool(x)}, true
	case string:
		switch strings.ToLower(strings.TrimSpace(x)) {
		case "":
			return value{}, false
		case "true", "on", "yes", "1", "detected", "alarm", "occupied", "presence":
			return value{number: devices.Bool(true)}, true
		case "false", "off", "no", "0", "clear", "none", "normal", "not_detected", "unoccupied":
			return value{number: devices.Bool(false)}, true
		}
		return value{text: decode.Text(x)}, true
	case json.Number:
		if v, ok := number(x); ok {
			return value{number: devices.Bool(*v.number != 0)}, true
		}
	}
	return value{}, false
}

// fallen reads what fall detectors say. "ON" is not a fall: a field of that
// name that is ON or OFF is the switch that turns the detection on. A fall
// that is only suspected, or a word not known, is carried as text.
func fallen(raw any) (value, bool) {
	s, ok := raw.(string)
	if !ok {
		return boolean(raw)
	}
	word := strings.ToLower(strings.TrimSpace(s))
	switch word {
	case "on", "off", "":
		return value{}, false
	case "fall", "fallen", "fall_down", "fall_detected", "detected", "confirmed", "alarm", "true", "1":
		return value{number: devices.Bool(true), text: decode.Text(word)}, true
	case "none", "normal", "clear", "no_fall", "not_detected", "false", "0":
		return value{number: devices.Bool(false)}, true
	case "maybe_fall", "suspected":
		return value{number: devices.Bool(false), text: decode.Text(word)}, true
	}
	return value{text: decode.Text(s)}, true
}

// scalar reads whatever is not nested, as it is.
func scalar(raw any) (value, bool) {
	switch x := raw.(type) {
	case bool:
		return value{number: devices.Bool(x)}, true
	case json.Number:
		return number(x)
	case string:
		switch x {
		case "":
			return value{}, false
		case "ON":
			return value{number: devices.Bool(true), text: x}, true
		case "OFF":
			return value{number: devices.Bool(false), text: x}, true
		}
		return value{text: decode.Text(x)}, true
	}
	return value{}, false
}

func inverted(read func(any) (value, bool)) func(any) (value, bool) {
	return func(raw any) (value, bool) {
		v, ok := read(raw)
		if ok && v.number != nil {
			v.number = devices.Bool(*v.number == 0)
		}
		return v, ok
	}
}

// scaled converts v to v*factor+offset, without the dust of binary fractions.
func scaled(read func(any) (value, bool), factor, offset float64) func(any) (value, bool) {
	return func(raw any) (value, bool) {
		v, ok := read(raw)
		if !ok || factor == 1 && offset == 0 {
			return v, ok
		}
		f := *v.number*factor + offset
		if rounded := math.Round(f*1e6) / 1e6; decode.Finite(rounded) {
			f = rounded
		}
		return value{number: &f}, decode.Finite(f)
	}
}

// scale returns what turns a number in the unit that bridge/devices gives into
// the kind's own. Without one, energy is in kWh as everywhere in Zigbee2MQTT.
func scale(k devices.Kind, unit string) (factor, offset float64) {
	switch unit = strings.ToLower(unit); {
	case k == devices.Energy && (unit == "" || unit == "kwh"):
		return 1000, 0
	case k == devices.Energy && unit == "mwh":
		return 1e6, 0
	case k == devices.WaterVolume && (unit == "m³" || unit == "m3"):
		return 1000, 0
	case k == devices.WaterVolume && unit == "ml":
		return 0.001, 0
	case k == devices.WaterVolume && unit == "gal":
		return 3.785411784, 0
	case k == devices.Temperature && unit == "°f":
		return 5.0 / 9, -160.0 / 9
	case k == devices.Glucose && unit == "mg/dl":
		return 1 / 18.0156, 0 // molar mass of glucose 180.156 g/mol
	}
	return 1, 0
}

// parseLastSeen reads last_seen in the forms that Zigbee2MQTT can be set to.
func parseLastSeen(s string) (devices.Micros, bool) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		if ms < 0 || ms > math.MaxInt64/1000 {
			return 0, false
		}
		return devices.Micros(ms * 1000), true
	}
	t, err := time.Parse(time.RFC3339, s)
	return devices.MicrosOf(t), err == nil
}

func hash(s string) uint64 {
	if s == "" {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

func cutText(s string, n int) string { return s[:min(len(s), n)] }
