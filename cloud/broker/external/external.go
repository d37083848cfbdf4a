// Package external brings the gateways' messages in from an MQTT 3.1.1 broker
// that somebody else runs, such as mosquitto.
//
// Such a broker only carries. A gateway's PUBACK then means that the broker
// has the message and nothing more; it is the end-to-end acknowledgement of
// the wire protocol that means "stored". So the session is a clean one, a
// message counts as carried when ingest has taken it, and what is lost on the
// way, by the broker or here, the gateways send again. Retained messages are
// left out: they are not a sign of life.
//
// This client trusts the broker for who is who. The broker must let a gateway
// write and read its own topics only, for mosquitto with
// use_identity_as_username and "pattern write lykta/1/+/%u/alarm" and so on.
// It should not drop what is queued for this client (mosquitto:
// max_queued_messages 0, max_inflight_messages 1000).
package external

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

// Error ids of this package.
const (
	ErrIDConnection = "LYK-0610" // there is no connection to the broker
	ErrIDRefused    = "LYK-0611" // the broker does not let the cloud subscribe
	ErrIDOverflow   = "LYK-0612" // messages came faster than ingest took them, and were dropped
	ErrIDURL        = "LYK-0613" // the broker's URL cannot be used
	ErrIDStop       = "LYK-0614" // ingest did not let go of a message at the stop
)

const (
	connectTimeout = 10 * time.Second
	writeTimeout   = 10 * time.Second
	keepAlive      = 30 * time.Second
	stopTimeout    = 10 * time.Second
	minBackoff     = 500 * time.Millisecond
	maxBackoff     = 2 * time.Second // there is one cloud, and presses wait for it
	// steady is how long a connection lasts that was not a part of a storm.
	steady = time.Minute

	maxOut   = 1 << 15          // messages to the homes that wait to be sent: as many as a few turns of the intake answer
	window   = 256              // of them sent and not yet acknowledged by the broker
	maxInAll = 64 << 20         // bytes of messages that wait for ingest
	maxIn    = 8192             // and how many
	tellLost = 10 * time.Second // between log lines about dropped messages
)

// Options say which broker.
type Options struct {
	// URL is mqtt://user:password@host:port or mqtts://…; the ports default to
	// 1883 and 8883.
	URL string
	// TLS is for mqtts; nil trusts the system's authorities.
	TLS *tls.Config
	// Insecure allows mqtt:// to a host that is not loopback.
	Insecure bool
	// ClientID defaults to a random one, so that two instances of the cloud do
	// not throw each other out.
	ClientID string
	Log      *slog.Logger
}

// Stats counts since the client was made, except Connected, which is now.
type Stats struct {
	Connected   bool
	Connections int64 // times that the broker was reached
	Received    int64 // publications handed to ingest
	Overflowed  int64 // publications dropped because ingest was too slow
	Strangers   int64 // publications on topics that are not of the protocol
	Sent        int64 // messages to gateways given to the broker
	Dropped     int64 // messages to gateways that were not
}

// Client is an ingest.Source behind an external broker.
type Client struct {
	opts  Options
	url   *url.URL
	log   *slog.Logger
	state atomic.Pointer[error] // what Ready says; nil before Run
	once  sync.Once
	in    *queue
	out   chan down

	connections, received, overflowed, strangers, sent, dropped atomic.Int64
}

type down struct {
	topic   string
	payload []byte
}

var _ ingest.Source = (*Client)(nil)

var (
	errNotRunning = errors.New("the client of the MQTT broker is not running")
	errTwice      = errors.New("a client of the MQTT broker runs once")
	errFull       = errors.New("too many messages wait for the MQTT broker")
	errStalled    = errors.New("the broker acknowledges nothing")
)

// New checks the options; the connection is made by Run.
func New(opts Options) (*Client, error) {
	u, err := url.Parse(opts.URL)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("%s: the URL of the MQTT broker is not of the form mqtt://host:port", ErrIDURL)
	}
	port := "1883"
	switch u.Scheme {
	case "mqtt":
		if ip := net.ParseIP(u.Hostname()); !opts.Insecure && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fmt.Errorf("%s: MQTT without TLS to %s: only a loopback address may do without", ErrIDURL, u.Host)
		}
	case "mqtts":
		port = "8883"
	default:
		return nil, fmt.Errorf("%s: the URL of the MQTT broker begins with %q, want mqtt or mqtts", ErrIDURL, u.Scheme)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	if opts.ClientID == "" {
		opts.ClientID = "lykta-" + rand.Text()[:10]
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{opts: opts, url: u, log: opts.Log, in: newQueue(), out: make(chan down, maxOut)}, nil
}

// Run keeps a connection to the broker until ctx ends. It returns an error
// when it is called twice, or when deliver does not return after the end of ctx.
func (c *Client) Run(ctx context.Context, deliver func(ingest.Message)) error {
	err := errTwice
	c.once.Do(func() { err = c.run(ctx, deliver) })
	return err
}

func (c *Client) run(ctx context.Context, deliver func(ingest.Message)) error {
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		for {
			m, ok := c.in.pop(ctx)
			if !ok {
				return
			}
			c.received.Add(1)
			deliver(m.Message)
			m.carried()
		}
	}()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		began := time.Now()
		err := c.connection(ctx)
		if ctx.Err() != nil {
			break
		}
		c.ready(fmt.Errorf("%s: no connection to the MQTT broker %s: %w", ErrIDConnection, c.url.Redacted(), err))
		if time.Since(began) > steady {
			attempt = 0
		}
		wait := backoff(attempt)
		c.log.Warn("no connection to the MQTT broker", "id", ErrIDConnection, "broker", c.url.Redacted(), "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	c.ready(errNotRunning)
	select {
	case <-delivered:
		return nil
	case <-time.After(stopTimeout):
		return fmt.Errorf("%s: stop the client of the MQTT broker: a message is still being delivered after %s", ErrIDStop, stopTimeout)
	}
}

// backoff is full jitter under a bound that doubles with each attempt, so that
// many clients of one broker do not come back at once.
func backoff(attempt int) time.Duration {
	return mrand.N(min(maxBackoff, minBackoff<<min(attempt, 10)))
}

// connection is one connection from its beginning to its end, which is always
// an error.
func (c *Client) connection(ctx context.Context) error {
	dial, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel() // closes the connection
	lost := make(chan error, 1)
	client := paho.NewClient(c.options(dial, lost))
	defer client.Disconnect(250)

	if err := await(ctx, client.Connect(), connectTimeout); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	filters := make(map[string]byte)
	for _, leaf := range []wire.Leaf{wire.LeafAlarm, wire.LeafTelemetry, wire.LeafState, wire.LeafReply} {
		filters[wire.Filter(leaf)] = 1
	}
	token := client.SubscribeMultiple(filters, nil)
	if err := await(ctx, token, connectTimeout); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for filter, granted := range token.(*paho.SubscribeToken).Result() {
		if granted > 1 {
			return fmt.Errorf("%s: the broker refuses the subscription to %s", ErrIDRefused, filter)
		}
	}
	c.connections.Add(1)
	c.ready(nil)
	defer c.forget()
	c.log.Info("connected to the MQTT broker", "broker", c.url.Redacted())
	return c.send(ctx, client, lost)
}

func (c *Client) options(ctx context.Context, lost chan<- error) *paho.ClientOptions {
	opts := paho.NewClientOptions().AddBroker(c.url.String()).
		SetClientID(c.opts.ClientID).SetProtocolVersion(4).SetCleanSession(true).
		SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).
		SetKeepAlive(keepAlive).SetPingTimeout(keepAlive / 2).
		SetOrderMatters(true).SetAutoAckDisabled(true).
		SetDefaultPublishHandler(c.take).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			select {
			case lost <- err:
			default:
			}
		})
	return opts.SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		return c.dial(ctx, u)
	})
}

// dial opens the connection; it is closed with ctx at the latest, whatever
// the MQTT library is waiting for.
func (c *Client) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	timeout, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var conn net.Conn
	var err error
	if u.Scheme == "mqtts" {
		conn, err = (&tls.Dialer{Config: c.opts.TLS}).DialContext(timeout, "tcp", u.Host)
	} else {
		conn, err = (&net.Dialer{}).DialContext(timeout, "tcp", u.Host)
	}
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return conn, nil
}

// take is called by the library for each message, in order. It must not block,
// or the library would not see the broker's answers to its pings. The broker
// sends no more than its in-flight window before it has our receipts, and they
// go out as ingest takes the messages; only a broker without such a window can
// make the queue overflow.
func (c *Client) take(_ paho.Client, m paho.Message) {
	gateway, leaf, ok := wire.ParseTopic(m.Topic())
	if !ok || !leaf.Up() || m.Retained() {
		if !ok {
			c.strangers.Add(1)
		}
		m.Ack()
		return
	}
	in := message{
		Message: ingest.Message{Gateway: gateway, Leaf: leaf, Payload: m.Payload(), Received: time.Now()},
		carried: m.Ack,
	}
	if !c.in.push(in) {
		c.overflowed.Add(1)
		m.Ack()
	}
}

// send gives the broker what Publish has queued, until the connection ends.
func (c *Client) send(ctx context.Context, client paho.Client, lost <-chan error) error {
	var unacked []paho.Token
	tell := time.NewTicker(tellLost)
	defer tell.Stop()
	told := c.overflowed.Load()
	for {
		select {
		case m := <-c.out:
			token := client.Publish(m.topic, 1, false, m.payload)
			c.sent.Add(1)
			unacked = append(answered(unacked), token)
			if len(unacked) >= window {
				if err := await(ctx, unacked[0], writeTimeout); err != nil {
					return fmt.Errorf("publish: %w", err)
				}
			}
		case err := <-lost:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-tell.C:
			if n := c.overflowed.Load(); n > told {
				c.log.Error("messages were dropped: ingest is too slow; the gateways will send them again",
					"id", ErrIDOverflow, "dropped", n-told)
				told = n
			}
		}
	}
}

// answered returns the tokens from the first one that is not complete.
func answered(tokens []paho.Token) []paho.Token {
	for i, token := range tokens {
		select {
		case <-token.Done():
		default:
			return tokens[i:]
		}
	}
	return nil
}

// forget drops what waits to be sent: it will be out of date by the time that
// there is a connection again.
func (c *Client) forget() {
	for {
		select {
		case <-c.out:
			c.dropped.Add(1)
		default:
			return
		}
	}
}

func await(ctx context.Context, token paho.Token, timeout time.Duration) error {
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return errStalled
	}
}

func (c *Client) ready(err error) { c.state.Store(&err) }

// Ready reports why nothing can come in now.
func (c *Client) Ready() error {
	if err := c.state.Load(); err != nil {
		return *err
	}
	return errNotRunning
}

// Publish queues payload for the gateway whose down topic it is. An error
// means that it certainly will not be sent.
func (c *Client) Publish(ctx context.Context, topic string, payload []byte) error {
	_, leaf, ok := wire.ParseTopic(topic)
	var err error
	switch {
	case !ok || !leaf.Down():
		return fmt.Errorf("publish to %q: not a down topic", topic)
	case len(payload) > wire.MaxPayload:
		return fmt.Errorf("publish to %s: %d bytes, at most %d", topic, len(payload), wire.MaxPayload)
	case ctx.Err() != nil:
		err = ctx.Err()
	case c.Ready() != nil:
		err = c.Ready()
	default:
		select {
		case c.out <- down{topic, payload}:
			return nil
		default:
			err = errFull
		}
	}
	c.dropped.Add(1)
	return fmt.Errorf("publish to %s: %w", topic, err)
}

// Stats returns the counters.
func (c *Client) Stats() Stats {
	return Stats{
		Connected:   c.Ready() == nil,
		Connections: c.connections.Load(),
		Received:    c.received.Load(),
		Overflowed:  c.overflowed.Load(),
		Strangers:   c.strangers.Load(),
		Sent:        c.sent.Load(),
		Dropped:     c.dropped.Load(),
	}
}
