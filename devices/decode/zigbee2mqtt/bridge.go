package zigbee2mqtt

import (
	"encoding/json"
	"fmt"

	"github.com/lykta/lykta/devices/catalog"
	"github.com/lykta/lykta/devices/decode"
)

// product is what bridge/devices says about a device.
type product struct {
	model  string
	fields map[string]catalog.Field
	units  map[string]string // field -> unit, as the product declares it
}

// expose is a node of the tree in which Zigbee2MQTT describes a product.
type expose struct {
	Property string   `json:"property"`
	Unit     string   `json:"unit"`
	Features []expose `json:"features"`
}

// bridge reads what Zigbee2MQTT says about itself: only who is who.
func (d *Decoder) bridge(topic string, payload []byte) error {
	if topic != "devices" && topic != "groups" {
		return nil
	}
	if len(payload) > MaxBridge {
		return fmt.Errorf("%w: bridge/%s: %d bytes, at most %d", ErrMalformed, topic, len(payload), MaxBridge)
	}
	var list []struct {
		Name       string `json:"friendly_name"`
		Definition *struct {
			Model   string   `json:"model"`
			Exposes []expose `json:"exposes"`
		} `json:"definition"`
	}
	if err := json.Unmarshal(payload, &list); err != nil {
		return fmt.Errorf("%w: bridge/%s: %w", ErrMalformed, topic, err)
	}
	if topic == "groups" {
		clear(d.groups)
		for _, g := range list[:min(len(list), MaxDevices)] {
			d.groups[g.Name] = struct{}{}
		}
		return nil
	}
	clear(d.known)
	for _, dev := range list[:min(len(list), MaxDevices)] {
		if dev.Definition == nil || dev.Name == "" {
			continue // the coordinator, or not interviewed yet
		}
		p := product{model: decode.Name(dev.Definition.Model), units: map[string]string{}}
		if known, ok := catalog.Lookup(p.model); ok {
			p.fields = known.Fields
		}
		collectUnits(p.units, dev.Definition.Exposes, 4)
		d.known[dev.Name] = p
	}
	return nil
}

func collectUnits(units map[string]string, exposes []expose, depth int) {
	for _, e := range exposes {
		if e.Property != "" && e.Unit != "" && len(e.Property) <= 64 && len(e.Unit) <= 16 && len(units) < MaxFields {
			units[e.Property] = decode.Name(e.Unit)
		}
		if depth > 0 {
			collectUnits(units, e.Features, depth-1)
		}
	}
}
