// Package publish plays a simulated home to an MQTT broker, in the place that
// Zigbee2MQTT has in a real one.
package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/devices/sim"
)

// patience is how long the broker may take for a connection or a message
// before the connection counts as lost.
const patience = 10 * time.Second

// Run plays the home at the speed of sim.Run to the broker at url
// (mqtt://host:port). A lost connection is made again for as long as the
// context lives, and a message that was not confirmed is sent again; like
// Zigbee2MQTT it then says again which devices there are. It returns nil when
// the home has fallen silent, and the context's error when that ends.
func Run(ctx context.Context, url, clientID string, h *sim.Home, speed float64, log *slog.Logger) error {
	p := player{url: url, id: clientID, home: h, log: log}
	defer p.close()
	return sim.Run(ctx, h, speed, func(topic string, payload []byte, retain bool) error {
		return p.publish(ctx, topic, payload, retain)
	})
}

type player struct {
	url, id string
	home    *sim.Home
	log     *slog.Logger
	client  mqtt.Client // nil when there is none
}

// publish sends until it is confirmed or the context ends.
func (p *player) publish(ctx context.Context, topic string, payload []byte, retain bool) error {
	wait := 100 * time.Millisecond
	for {
		err := p.attempt(topic, payload, retain)
		if err == nil {
			return nil
		}
		p.close()
		p.log.Warn("simulated home: broker", "url", p.url, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(wait)):
		}
		wait = min(2*wait, 10*time.Second)
	}
}

func (p *player) attempt(topic string, payload []byte, retain bool) error {
	if p.client == nil {
		if err := p.connect(); err != nil {
			return err
		}
	}
	return settled(p.client.Publish(topic, 1, retain, payload))
}

func (p *player) connect() error {
	p.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(p.url).SetClientID(p.id).
		SetAutoReconnect(false).SetConnectRetry(false).SetCleanSession(true).
		SetConnectTimeout(patience).SetWriteTimeout(patience))
	if err := settled(p.client.Connect()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	for _, m := range p.home.Hello() {
		if err := settled(p.client.Publish(m.Topic, 1, m.Retain, m.Payload)); err != nil {
			return fmt.Errorf("publish %s: %w", m.Topic, err)
		}
	}
	return nil
}

func (p *player) close() {
	if p.client != nil {
		p.client.Disconnect(250)
		p.client = nil
	}
}

func settled(t mqtt.Token) error {
	if !t.WaitTimeout(patience) {
		return errors.New("no answer from the broker")
	}
	return t.Error()
}
