package radio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Client hears through a broker that is there already.
type Client struct {
	URL   string // mqtt://[user:password@]host:port
	ID    string // MQTT client id
	Topic string // filter of what to hear
	Hear  Hear
	Log   *slog.Logger
	// Status receives what is to be retained on StatusTopic; only the newest matters.
	Status <-chan []byte
	// Requests is given what to say while there is a connection; nil says nothing.
	Requests *Requests
}

const (
	pause   = 3 * time.Second // between attempts: the broker is next door
	timeout = 10 * time.Second
)

// Run stays connected until ctx ends.
func (c Client) Run(ctx context.Context) error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("radio address %q: want mqtt://host:port", c.URL)
	}
	for {
		err := c.listen(ctx, u)
		if ctx.Err() != nil {
			return nil
		}
		c.Log.Warn("not connected to the radio's broker", "broker", u.Redacted(), "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// listen is one connection. The handler may block, which holds up only this
// broker's messages; at QoS 1 it answers what is on the disk.
func (c Client) listen(ctx context.Context, u *url.URL) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lost := make(chan error, 1)
	o := paho.NewClientOptions().AddBroker(c.URL).SetClientID(c.ID).
		SetCleanSession(false).SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(timeout).SetKeepAlive(timeout * 2).SetAutoAckDisabled(true).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			select {
			case lost <- err:
			default:
			}
		})
	if u.User != nil {
		o.SetUsername(u.User.Username())
		if p, ok := u.User.Password(); ok {
			o.SetPassword(p)
		}
	}
	client := paho.NewClient(o)
	client.AddRoute(c.Topic, func(_ paho.Client, m paho.Message) {
		if !m.Retained() {
			logJoined(c.Log, m.Topic(), m.Payload())
		}
		if c.Hear(ctx, m.Topic(), m.Payload(), m.Retained(), m.Qos() > 0) == nil {
			m.Ack()
			return
		}
		// The broker keeps it and gives it again on the next connection.
		select {
		case lost <- errors.New("a message could not be stored"):
		default:
		}
	})
	defer client.Disconnect(250)
	for _, step := range []func() paho.Token{
		client.Connect,
		func() paho.Token { return client.Subscribe(c.Topic, 1, nil) },
	} {
		token := step()
		select {
		case <-token.Done():
			if token.Error() != nil {
				return token.Error()
			}
		case <-time.After(timeout):
			return errors.New("no answer")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if c.Requests != nil {
		say := func(topic string, payload []byte) { client.Publish(topic, 1, false, payload) }
		c.Requests.say.Store(&say)
		defer c.Requests.say.Store(nil)
	}
	c.Log.Info("hearing through a broker", "broker", u.Redacted(), "topic", c.Topic)
	for {
		select {
		case status := <-c.Status:
			client.Publish(StatusTopic, 0, true, status)
		case err := <-lost:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
