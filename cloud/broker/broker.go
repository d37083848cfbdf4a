// Package broker is the MQTT broker inside the cloud service: the gateways'
// connections, who they are, and which topics are theirs.
//
// A PUBACK from this broker means "stored". A publication is not answered when
// it arrives: it goes to ingest, with a Done function for its receipt, and only
// when ingest calls Done, after its own commit, is the PUBACK written. A client
// that speaks nothing but plain MQTT 3.1.1 can therefore trust its PUBACKs. A
// message for which Done is never called is never acknowledged, and the sender
// keeps it.
//
// The broker stores nothing: no sessions (every session is a clean one), no
// retained messages, no queues for gateways that are away. Delivery is end to
// end between home and cloud, and what is lost here is sent again from there.
//
// When ingest is slow, deliver blocks, the gateway's connection is not read,
// and TCP slows the gateway down. One gateway's messages are delivered one
// after the other, across reconnections too: a new connection of a gateway
// waits for the end of the one before it.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

// Error ids of this package.
const (
	ErrIDPlaintext  = "LYK-0600" // a listener without TLS on an address that is not loopback
	ErrIDClientCA   = "LYK-0601" // a TLS listener without authorities for the clients' certificates
	ErrIDListen     = "LYK-0602" // the address cannot be listened on, or no longer
	ErrIDUnknown    = "LYK-0603" // a gateway that is not enrolled was refused
	ErrIDIdentity   = "LYK-0604" // a client was refused for what it says it is
	ErrIDGatekeeper = "LYK-0605" // whether a gateway is enrolled could not be found out
	ErrIDRules      = "LYK-0606" // a gateway did what the protocol does not allow
	ErrIDUnacked    = "LYK-0607" // a gateway had too many unacknowledged messages for too long
	ErrIDStop       = "LYK-0608" // connections did not end in time at the stop
	ErrIDHandshake  = "LYK-0609" // a TLS handshake failed
	ErrIDTwin       = "LYK-0615" // two connections of one gateway take turns
)

// Gatekeeper knows the gateways that are enrolled.
type Gatekeeper interface {
	// Known reports whether gateway may connect. An error makes it come back later.
	Known(ctx context.Context, gateway string) (bool, error)
}

// Listener is one door of the broker.
//
// With TLS the client must show a certificate that ClientCAs of the
// configuration vouches for, and its common name is the gateway's id. Without,
// the gateway is whom its username or client id says it is; that is allowed on
// loopback addresses only.
type Listener struct {
	// Address to listen on, host:port; port 0 takes a free one.
	Address string
	TLS     *tls.Config
	// Net, when set, is used in place of Address: a listener in memory, or an
	// inherited socket. The broker closes it.
	Net net.Listener
}

// Options say how a broker is made. A zero number takes the default.
type Options struct {
	Listeners  []Listener
	Gatekeeper Gatekeeper
	Log        *slog.Logger

	MaxClients int // gateways connected at once; default 20,000
	// MaxUnacked is how many publications of one gateway may wait for their
	// PUBACK before it is no longer read; default 4,096, at most 65,535.
	MaxUnacked int
	// UnackedTimeout ends a connection that was not read for that long because
	// of MaxUnacked; default 1 min.
	UnackedTimeout time.Duration
	// ConnectTimeout is for TLS handshake and CONNECT packet together, for the
	// Gatekeeper, and for the end of the gateway's previous connection;
	// default 10 s each.
	ConnectTimeout time.Duration
	// IdleTimeout ends connections that send nothing, whatever keepalive they
	// asked for; default 10 min.
	IdleTimeout time.Duration
	// WriteTimeout ends connections that take nothing; default 15 s.
	WriteTimeout time.Duration
	// StopTimeout bounds the stop; default 10 s.
	StopTimeout time.Duration
}

func (o *Options) defaults() error {
	if o.Gatekeeper == nil || len(o.Listeners) == 0 {
		return errors.New("a broker needs a gatekeeper and at least one listener")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	orDefault(&o.MaxClients, 20_000)
	orDefault(&o.MaxUnacked, 4096)
	o.MaxUnacked = min(o.MaxUnacked, 65_535)
	orDefault(&o.UnackedTimeout, time.Minute)
	orDefault(&o.ConnectTimeout, 10*time.Second)
	orDefault(&o.IdleTimeout, 10*time.Minute)
	orDefault(&o.WriteTimeout, 15*time.Second)
	orDefault(&o.StopTimeout, 10*time.Second)
	return nil
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Stats counts since the broker was made, except Connected, which is now.
type Stats struct {
	Connected    int64 // gateways connected now
	Connections  int64 // gateways let in
	Refused      int64 // connections turned away: handshake, identity, not enrolled, too many
	Violations   int64 // wrong topics, QoS 2, malformed and oversized packets
	Received     int64 // publications handed to ingest
	Acknowledged int64 // PUBACKs written
	Sent         int64 // messages to gateways, queued on their connections
	Dropped      int64 // messages to gateways that were connected but did not take them
}

// Broker is the embedded broker. It is an ingest.Source.
type Broker struct {
	opts      Options
	log       *slog.Logger
	listeners []*listener
	server    *mqtt.Server
	refusals  refusals

	ctx     context.Context      // of Run
	deliver func(ingest.Message) // of Run
	once    sync.Once            // Run
	running atomic.Bool
	wg      sync.WaitGroup // accept loops and connections

	mu       sync.Mutex
	conns    map[*session]bool   // every open connection
	gateways map[string]*session // the connection that speaks for a gateway
	arrivals uint64

	connections, refused, violations, received, acknowledged, sent, dropped atomic.Int64
}

var _ ingest.Source = (*Broker)(nil)

var (
	errNotRunning = errors.New("the broker is not running")
	errTwice      = errors.New("a broker runs once")
)

// New opens the listeners; nobody is let in before Run.
func New(opts Options) (*Broker, error) {
	if err := opts.defaults(); err != nil {
		return nil, err
	}
	b := &Broker{
		opts: opts, log: opts.Log,
		conns: make(map[*session]bool), gateways: make(map[string]*session),
	}
	b.server = newServer(b)
	for _, l := range opts.Listeners {
		open, err := listen(l)
		if err != nil {
			_ = b.Close()
			return nil, err
		}
		b.listeners = append(b.listeners, open)
	}
	return b, nil
}

// Close releases the listeners of a broker that is not going to run.
func (b *Broker) Close() error {
	var errs []error
	for _, l := range b.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Addrs returns the addresses of the listeners, in the order of the options.
func (b *Broker) Addrs() []net.Addr {
	var out []net.Addr
	for _, l := range b.listeners {
		out = append(out, l.Addr())
	}
	return out
}

// Addr returns the address of the first listener as host:port.
func (b *Broker) Addr() string { return b.listeners[0].Addr().String() }

// Run lets gateways in until ctx ends. It returns an error when it is called
// twice, or when connections have not ended within StopTimeout of the end of
// ctx, which happens when deliver does not return.
func (b *Broker) Run(ctx context.Context, deliver func(ingest.Message)) error {
	err := errTwice
	b.once.Do(func() { err = b.run(ctx, deliver) })
	return err
}

func (b *Broker) run(ctx context.Context, deliver func(ingest.Message)) error {
	b.ctx, b.deliver = ctx, deliver
	if err := b.server.Serve(); err != nil {
		return errors.Join(fmt.Errorf("start the MQTT server: %w", err), b.Close())
	}
	b.running.Store(true)
	for _, l := range b.listeners {
		b.wg.Go(func() { b.accept(l) })
	}
	<-ctx.Done()
	return b.stop()
}

func (b *Broker) stop() error {
	b.running.Store(false)
	err := b.Close()
	b.mu.Lock()
	for s := range b.conns {
		_ = s.Close()
	}
	b.mu.Unlock()

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.wg.Wait()
		_ = b.server.Close() // always nil
	}()
	timeout := time.NewTimer(b.opts.StopTimeout)
	defer timeout.Stop()
	select {
	case <-ended:
		return err
	case <-timeout.C:
		b.mu.Lock()
		n := len(b.conns)
		b.mu.Unlock()
		return errors.Join(err, fmt.Errorf("%s: stop the broker: %d connections still busy after %s", ErrIDStop, n, b.opts.StopTimeout))
	}
}

// Ready reports why no gateway can come in now.
func (b *Broker) Ready() error {
	if !b.running.Load() {
		return errNotRunning
	}
	for _, l := range b.listeners {
		if err := l.failure.Load(); err != nil {
			return *err
		}
	}
	return nil
}

// Publish sends payload to the gateway whose down topic it is, with the quality
// of service of its subscription. Nothing happens, and that is no error, when
// the gateway is not connected or has not subscribed.
func (b *Broker) Publish(ctx context.Context, topic string, payload []byte) error {
	gateway, leaf, ok := wire.ParseTopic(topic)
	switch {
	case !ok || !leaf.Down():
		return fmt.Errorf("publish to %q: not a down topic", topic)
	case len(payload) > wire.MaxPayload:
		return fmt.Errorf("publish to %s: %d bytes, at most %d", topic, len(payload), wire.MaxPayload)
	case ctx.Err() != nil:
		return fmt.Errorf("publish to %s: %w", topic, ctx.Err())
	case !b.running.Load():
		return fmt.Errorf("publish to %s: %w", topic, errNotRunning)
	}
	b.mu.Lock()
	s := b.gateways[gateway]
	b.mu.Unlock()
	if s == nil {
		return nil
	}
	sub, ok := s.client.State.Subscriptions.Get(topic)
	if !ok {
		return nil
	}
	if err := s.send(topic, payload, min(sub.Qos, 1)); err != nil {
		b.dropped.Add(1)
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	b.sent.Add(1)
	return nil
}

// Disconnect ends the connection of a gateway, if it has one: for one that is
// no longer enrolled.
func (b *Broker) Disconnect(gateway string) {
	b.mu.Lock()
	s := b.gateways[gateway]
	b.mu.Unlock()
	if s != nil {
		_ = s.Close()
	}
}

// Stats returns the counters.
func (b *Broker) Stats() Stats {
	b.mu.Lock()
	connected := len(b.gateways)
	b.mu.Unlock()
	return Stats{
		Connected:    int64(connected),
		Connections:  b.connections.Load(),
		Refused:      b.refused.Load(),
		Violations:   b.violations.Load(),
		Received:     b.received.Load(),
		Acknowledged: b.acknowledged.Load(),
		Sent:         b.sent.Load(),
		Dropped:      b.dropped.Load(),
	}
}
