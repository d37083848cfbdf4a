package sim

import (
	"context"
	"fmt"
	"time"
)

// Run plays a home: first what Zigbee2MQTT publishes when it starts, then the
// messages in their time, speed times as fast as life (60 is a minute a
// second); 0 is as fast as publish takes them. It returns nil when the home
// has fallen silent, the context's error when that ends, and otherwise the
// first error of publish.
func Run(ctx context.Context, h *Home, speed float64, publish func(topic string, payload []byte, retain bool) error) error {
	for _, m := range h.Hello() {
		if err := publish(m.Topic, m.Payload, m.Retain); err != nil {
			return fmt.Errorf("publish %s: %w", m.Topic, err)
		}
	}
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		m, ok := h.Next()
		if !ok {
			return nil
		}
		if speed > 0 {
			due := began.Add(time.Duration(float64(m.At.Sub(h.opts.Start)) / speed))
			timer.Reset(time.Until(due))
			select {
			case <-timer.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		} else if err := ctx.Err(); err != nil {
			return err
		}
		if err := publish(m.Topic, m.Payload, m.Retain); err != nil {
			return fmt.Errorf("publish %s: %w", m.Topic, err)
		}
	}
}
