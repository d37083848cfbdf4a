package zigbee2mqtt

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode"
)

// samePress is how long a transaction number names one press; the counter
// behind it has only 256 values.
const samePress = 10 * time.Second

// press is a device's last press, when it numbered it.
type press struct {
	at          devices.Micros
	action      string
	transaction string
}

// isPress reports whether the field is a press of this product. For sensors
// that call what happens to them an action, the catalogue says otherwise.
func isPress(field string, about product) bool {
	_, special := about.fields[field]
	return !special && (field == "action" || field == "click")
}

// presses reads the press in a message: at most one, since click is only the
// older name of action.
func (d *Decoder) presses(name string, dev *device, about product, fields map[string]any, now devices.Micros) []devices.Reading {
	var action string
	for _, field := range []string{"action", "click"} {
		if isPress(field, about) && action == "" {
			action, _ = fields[field].(string)
		}
	}
	action = strings.TrimSpace(action)
	if action == "" {
		return nil // after a press Zigbee2MQTT may send "" or null
	}
	if _, shaken := fields["vibration"]; shaken && !isHelp(action) {
		return nil // a vibration sensor's actions are its own movements
	}
	p := press{at: now, action: action, transaction: transaction(fields)}
	if p.transaction != "" && p.transaction == dev.press.transaction && p.action == dev.press.action &&
		elapsed(dev.press.at, now) < samePress {
		return nil
	}
	dev.press = p

	r := d.reading(name, now)
	r.Kind, r.Text = d.meaning(name, action), decode.Text(action)
	if r.Kind != devices.Button {
		r.Value = devices.Number(1)
	}
	return []devices.Reading{r}
}

// meaning returns the kind of a press.
func (d *Decoder) meaning(device, action string) devices.Kind {
	usual := devices.Button
	if isHelp(action) {
		usual = devices.SOS
	}
	configured := d.actions[device]
	if k := configured[action]; k != "" {
		return k
	}
	if k := configured["*"]; k != "" && usual != devices.SOS && !endsPress(action) {
		return k
	}
	return usual
}

// isHelp reports whether the action is a press for help by its own name.
func isHelp(action string) bool {
	switch strings.ToLower(action) {
	case "emergency", "panic", "sos":
		return true
	}
	return false
}

// endsPress reports whether the action is the end of a press that has been
// read already.
func endsPress(action string) bool {
	return strings.HasSuffix(action, "release") || strings.HasSuffix(action, "stop")
}

func transaction(fields map[string]any) string {
	for _, field := range []string{"action_transaction", "action_transaction_id"} {
		switch x := fields[field].(type) {
		case json.Number:
			return cutText(x.String(), 64)
		case string:
			return cutText(x, 64)
		}
	}
	return ""
}

// oldSOS reads the field sos of buttons that send {"sos":true} on a press, and
// whose later messages repeat it from the cache. A message in which sos is on
// and nothing else is news is a press: rather a false alarm than a press lost.
func (d *Decoder) oldSOS(name string, dev *device, v value, otherNews bool, now devices.Micros) (devices.Reading, bool) {
	was := dev.fields["sos"]
	dev.fields["sos"] = last{at: now, number: *v.number}
	if *v.number == 0 || was.number == 1 && otherNews {
		return devices.Reading{}, false
	}
	r := d.reading(name, now)
	r.Kind, r.Value, r.Text = devices.SOS, devices.Number(1), "sos"
	return r, true
}
