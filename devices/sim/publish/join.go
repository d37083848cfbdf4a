package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/devices/sim"
)

// Joining is how the devices of a box join and what they do then.
type Joining struct {
	Each  time.Duration // until the next device joins, once that is permitted; 0 is 2 s
	Speak time.Duration // how often those that have joined say something; 0 is 20 s
	Press time.Duration // how often the button is pressed once it has joined; 0 is never
}

// Join stands for the Zigbee2MQTT of a home that gets new devices: asked to
// permit joining at the broker at url, it lets those of the box join, and
// plays them from then on. A lost connection is made again for as long as
// the context lives, whose error it returns.
func Join(ctx context.Context, url, clientID string, box *sim.Box, how Joining, log *slog.Logger) error {
	if how.Each <= 0 {
		how.Each = 2 * time.Second
	}
	if how.Speak <= 0 {
		how.Speak = 20 * time.Second
	}
	for {
		err := how.connected(ctx, url, clientID, box)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		log.Warn("devices in their box: broker", "url", url, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// connected is one connection.
func (how Joining) connected(ctx context.Context, url, clientID string, box *sim.Box) error {
	lost, asked := make(chan error, 1), make(chan int, 8)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID(clientID).
		SetAutoReconnect(false).SetConnectRetry(false).SetCleanSession(true).
		SetConnectTimeout(patience).SetWriteTimeout(patience).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err }))
	if err := settled(client.Connect()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer client.Disconnect(250)
	say := func(messages []sim.Message) error {
		for _, m := range messages {
			if err := settled(client.Publish(m.Topic, 1, m.Retain, m.Payload)); err != nil {
				return fmt.Errorf("publish %s: %w", m.Topic, err)
			}
		}
		return nil
	}
	if err := say(box.Hello()); err != nil {
		return err
	}
	err := settled(client.Subscribe(box.PermitTopic(), 1, func(_ mqtt.Client, m mqtt.Message) {
		var request struct {
			Time int `json:"time"`
		}
		if json.Unmarshal(m.Payload(), &request) != nil {
			return
		}
		select {
		case asked <- request.Time:
		default: // asked more often than anybody can answer
		}
	}))
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	next, speak, press := stopped(), time.NewTicker(how.Speak), never()
	defer next.Stop()
	defer speak.Stop()
	if how.Press > 0 {
		presses := time.NewTicker(how.Press)
		defer presses.Stop()
		press = presses.C
	}
	var until time.Time
	for {
		var messages []sim.Message
		select {
		case seconds := <-asked:
			messages = []sim.Message{box.Permit(seconds)}
			until = time.Now().Add(time.Duration(seconds) * time.Second)
			next.Reset(how.Each)
		case <-next.C:
			if time.Now().Before(until) {
				messages = box.Join()
				next.Reset(how.Each)
			}
		case <-speak.C:
			messages = box.Speak()
		case <-press:
			messages = box.Press()
		case err := <-lost:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := say(messages); err != nil {
			return err
		}
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func never() <-chan time.Time { return nil }

// Once publishes one message at the broker at url, as a device would.
func Once(url, clientID, topic string, payload []byte) error {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID(clientID).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(patience).SetWriteTimeout(patience))
	if err := settled(client.Connect()); err != nil {
		return fmt.Errorf("connect to %s: %w", url, err)
	}
	defer client.Disconnect(250)
	if err := settled(client.Publish(topic, 1, false, payload)); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}
