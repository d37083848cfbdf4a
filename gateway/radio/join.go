package radio

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/lykta/lykta/devices/decode"
)

// ErrNobody is returned when there is no Zigbee2MQTT that could let devices in.
var ErrNobody = errors.New("no Zigbee2MQTT listens that could let new devices in")

// joinRequest is what Zigbee2MQTT is asked, and where.
func joinRequest(base string, seconds int) (topic string, payload []byte) {
	return base + "/bridge/request/permit_join", fmt.Appendf(nil, `{"time":%d}`, seconds)
}

// PermitJoin asks the Zigbee2MQTT that is connected here, under its base topic,
// to let new devices in for so many seconds; 0 ends it.
func (p *Port) PermitJoin(base string, seconds int) error {
	topic, payload := joinRequest(base, seconds)
	if len(p.server.Topics.Subscribers(topic).Subscriptions) == 0 {
		return ErrNobody
	}
	if err := p.server.Publish(topic, payload, false, 1); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}

// Requests are what a Client is to say. The zero value is ready; it is safe
// for concurrent use.
type Requests struct {
	say atomic.Pointer[func(topic string, payload []byte)] // nil while there is no connection
}

// PermitJoin is Port's. It does not wait, and so does not know whether a
// Zigbee2MQTT is connected to the same broker.
func (r *Requests) PermitJoin(base string, seconds int) error {
	say := r.say.Load()
	if say == nil {
		return ErrNobody
	}
	(*say)(joinRequest(base, seconds))
	return nil
}

// logJoined says in the log which devices joined.
func logJoined(log *slog.Logger, topic string, payload []byte) {
	if !strings.HasSuffix(topic, "/bridge/event") || len(payload) > maxPayload {
		return
	}
	var event struct {
		Type string `json:"type"`
		Data struct {
			Name       string `json:"friendly_name"`
			Address    string `json:"ieee_address"`
			Status     string `json:"status"`
			Definition *struct {
				Vendor string `json:"vendor"`
				Model  string `json:"model"`
			} `json:"definition"`
		} `json:"data"`
	}
	if json.Unmarshal(payload, &event) != nil { // the hub counts what cannot be read
		return
	}
	d := event.Data
	args := []any{"device", decode.Name(d.Name), "address", decode.Name(d.Address)}
	switch {
	case event.Type == "device_joined":
		log.Info("a new device joined", args...)
	case event.Type == "device_interview" && d.Status == "successful" && d.Definition != nil:
		log.Info("a new device is known", append(args, "vendor", decode.Name(d.Definition.Vendor), "model", decode.Name(d.Definition.Model))...)
	case event.Type == "device_interview" && d.Status == "failed":
		log.Warn("a new device did not say what it is; take it nearer and try again", args...)
	}
}
