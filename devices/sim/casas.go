package sim

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
	"github.com/lykta/lykta/devices/replay"
)

// Record lives a home up to end and writes what its sensors said as a recorded
// home: events in the CASAS text format and the sensors.yaml that goes with
// them, which replay.Read reads. Each kind of each device is a sensor of its
// own there. It returns the number of events.
func Record(h *Home, end time.Time, events, sensors io.Writer) (int, error) {
	zone := h.opts.Start.Location()
	described := replay.Sensors{Zone: zone.String(), Sensors: map[string]replay.Sensor{}}
	if zone == time.Local {
		return 0, fmt.Errorf("record: the start needs a named time zone")
	}
	decoder := zigbee2mqtt.New(h.opts.Base, Actions())
	out := bufio.NewWriter(events)
	n := 0
	write := func(m Message) error {
		readings, err := decoder.Decode(m.Topic, m.Payload, false, devices.MicrosOf(m.At))
		if err != nil {
			return err
		}
		for _, r := range readings {
			id := r.Device + "." + string(r.Kind)
			described.Sensors[id] = replay.Sensor{Kind: r.Kind, Room: r.Room, Name: r.Device}
			word := r.Text
			if r.Value != nil {
				word = strconv.FormatFloat(*r.Value, 'f', -1, 64)
			}
			if _, err := fmt.Fprintf(out, "%s\t%s\t%s\n", m.At.In(zone).Format("2006-01-02 15:04:05.000000"), id, word); err != nil {
				return err
			}
			n++
		}
		return nil
	}
	for _, m := range h.Hello() {
		if err := write(m); err != nil {
			return n, fmt.Errorf("record %s: %w", m.Topic, err)
		}
	}
	for {
		m, ok := h.Next()
		if !ok || !m.At.Before(end) {
			break
		}
		if err := write(m); err != nil {
			return n, fmt.Errorf("record %s: %w", m.Topic, err)
		}
	}
	if err := out.Flush(); err != nil {
		return n, fmt.Errorf("record events: %w", err)
	}
	return n, described.Write(sensors)
}
