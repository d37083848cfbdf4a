package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	"golang.org/x/sys/unix"

	"github.com/lykta/lykta/devices/wire"
)

// MQTT is how to reach the cloud's broker.
type MQTT struct {
	// URL is mqtt://host:port or mqtts://host:port.
	URL     string
	Gateway string
	// TLS carries the client's certificate, whose CN is the gateway's id; for mqtts.
	TLS *tls.Config
	// Will is what the broker retains on the state topic when the connection breaks.
	Will []byte
	// Insecure allows mqtt:// to other hosts than this one.
	Insecure bool
}

// Times of one connection.
const (
	connectTimeout = 15 * time.Second // until the broker has let us in
	dialTimeout    = 5 * time.Second  // of it, until there is a connection: a host that is away says nothing
	writeTimeout   = 20 * time.Second // for one message
	keepAlive      = 20 * time.Second
	unanswered     = 12 * time.Second // what was sent, by the other machine
	pingTimeout    = 10 * time.Second
	goodbye        = 250 // ms for what is under way when closing
	socketBuffer   = 32 << 10
)

// ErrUnknown is returned while no home has this gateway.
var ErrUnknown = errors.New("the cloud does not know this gateway (LYK-0419): add its home there, with lykta-cloud home add")

// ErrPlaintext is returned for a connection that others could read.
var ErrPlaintext = errors.New("mqtt:// without encryption is for this machine only (LYK-0412): use mqtts://, or --insecure to allow it")

// Check says what is wrong with the address.
func (m MQTT) Check() (*url.URL, error) {
	u, err := url.Parse(m.URL)
	if err != nil {
		return nil, fmt.Errorf("cloud address: %w", err)
	}
	if u.Port() == "" || u.Hostname() == "" {
		return nil, fmt.Errorf("cloud address %q: want mqtt://host:port or mqtts://host:port", m.URL)
	}
	switch u.Scheme {
	case "mqtts":
		return u, nil
	case "mqtt":
		if ip := net.ParseIP(u.Hostname()); m.Insecure || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			return u, nil
		}
		return nil, ErrPlaintext
	}
	return nil, fmt.Errorf("cloud address %q: want mqtt:// or mqtts://", m.URL)
}

// Dial connects and subscribes. Each connection is a client of its own: one
// that reconnects by itself calls messages delivered that never left.
func (m MQTT) Dial(ctx context.Context, receive func(wire.Leaf, []byte)) (Link, error) {
	u, err := m.Check()
	if err != nil {
		return nil, err
	}
	l := &mqttLink{gateway: m.Gateway, lost: make(chan struct{}), closed: make(chan struct{})}
	o := paho.NewClientOptions().AddBroker(m.URL).
		SetClientID(m.Gateway).SetUsername(m.Gateway).
		SetProtocolVersion(4).SetCleanSession(true).
		SetAutoReconnect(false).SetConnectRetry(false).
		SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).
		SetOrderMatters(true). // the handler does not block, and order is cheaper than goroutines
		SetStore(forgetful{}).
		SetConnectionLostHandler(func(paho.Client, error) { l.lose() })
	if m.Will != nil {
		o.SetBinaryWill(wire.Topic(m.Gateway, wire.LeafState), m.Will, 1, true)
	}
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) {
		conn, err := m.open(ctx, u)
		if err != nil {
			return nil, err
		}
		m := &meter{Conn: conn, moved: make(chan struct{})}
		l.meter.Store(m)
		return m, nil
	})
	l.client = paho.NewClient(o)
	// Acknowledgements come at QoS 0: each repeats all before it, and the answer
	// that QoS 1 asks for would wait behind a socket that takes nothing.
	subscriptions := map[string]byte{
		wire.Topic(m.Gateway, wire.LeafAck):     0,
		wire.Topic(m.Gateway, wire.LeafCommand): 1,
	}
	for topic := range subscriptions {
		_, leaf, _ := wire.ParseTopic(topic)
		l.client.AddRoute(topic, func(_ paho.Client, msg paho.Message) { receive(leaf, msg.Payload()) })
	}
	if err := l.await(ctx, l.client.Connect()); err != nil {
		l.Close()
		if errors.Is(err, packets.ErrorRefusedNotAuthorised) {
			err = ErrUnknown
		}
		return nil, fmt.Errorf("connect to %s: %w", u.Host, err)
	}
	token := l.client.SubscribeMultiple(subscriptions, nil)
	if err := l.await(ctx, token); err != nil {
		l.Close()
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	for topic, qos := range token.(*paho.SubscribeToken).Result() {
		if qos > 2 {
			l.Close()
			return nil, fmt.Errorf("subscribe: the broker refuses %s", topic)
		}
	}
	return l, nil
}

// open dials. A small buffer towards the network keeps what a fresh alarm
// has to wait behind short.
func (m MQTT) open(ctx context.Context, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := (&net.Dialer{Timeout: dialTimeout, Control: giveUp}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(socketBuffer) // a wish; without it all works, later
	}
	if u.Scheme == "mqtt" {
		return conn, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.TLS != nil {
		config = m.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// giveUp ends a connection on which nothing is answered for unanswered: a
// router that has forgotten it tells neither side, and a press waits in it.
// MQTT's own keep-alive takes three times as long.
func giveUp(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// A wish; without it all works, later.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unanswered.Milliseconds()))
	})
}

type mqttLink struct {
	gateway  string
	waiting  []paho.Token // for the broker's answer; touched by Publish only
	client   paho.Client
	meter    atomic.Pointer[meter]
	lost     chan struct{}
	loseOnce sync.Once
	closed   chan struct{}
	close    sync.Once
}

func (l *mqttLink) lose()                 { l.loseOnce.Do(func() { close(l.lost) }) }
func (l *mqttLink) Lost() <-chan struct{} { return l.lost }

// Close ends the connection; who waits in Publish is let go.
func (l *mqttLink) Close() {
	l.close.Do(func() {
		close(l.closed)
		l.client.Disconnect(goodbye)
		if m := l.meter.Load(); m != nil {
			m.Close() // closed already is as good
		}
		l.lose()
	})
}

// await waits for a token of connecting or subscribing.
func (l *mqttLink) await(ctx context.Context, token paho.Token) error {
	timeout := time.NewTimer(connectTimeout)
	defer timeout.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-l.lost:
		return errLost
	case <-timeout.C:
		return errors.New("no answer from the broker")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxUnanswered is how many messages may wait for the broker's own answer. A
// broker answers what it has stored, and stops reading, alarms included, when
// too much waits: a new connection is the better way on.
const maxUnanswered = 512

var errUnanswered = errors.New("the broker has answered too few messages; beginning anew")

// Publish gives one message to the network and waits until it is written, so
// that never more than one stands between a fresh alarm and the socket. QoS 1
// is asked for the broker's sake; its answer is not waited for.
func (l *mqttLink) Publish(leaf wire.Leaf, retained bool, payload []byte) error {
	l.waiting = slices.DeleteFunc(l.waiting, func(t paho.Token) bool {
		select {
		case <-t.Done():
			return true
		default:
			return false
		}
	})
	if len(l.waiting) == maxUnanswered {
		return errUnanswered
	}
	meter := l.meter.Load()
	written, moved := meter.state()
	target := written + int64(len(payload))
	token := l.client.Publish(wire.Topic(l.gateway, leaf), 1, retained, payload)
	l.waiting = append(l.waiting, token)
	timeout := time.NewTimer(writeTimeout)
	defer timeout.Stop()
	acked := token.Done()
	for written < target {
		select {
		case <-acked:
			if err := token.Error(); err != nil {
				return err
			}
			return nil // answered, so certainly written
		case <-moved:
		case <-l.lost:
			return errLost
		case <-l.closed:
			return errLost
		case <-timeout.C:
			return errors.New("the network takes nothing")
		}
		written, moved = meter.state()
	}
	return nil
}

// meter counts the bytes that were written to a connection.
type meter struct {
	net.Conn
	mu      sync.Mutex
	written int64
	moved   chan struct{} // closed when written grows
}

func (m *meter) Write(b []byte) (int, error) {
	n, err := m.Conn.Write(b)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written += int64(n)
	close(m.moved)
	m.moved = make(chan struct{})
	return n, err
}

func (m *meter) state() (int64, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.written, m.moved
}

// forgetful is a store of nothing: the spool has everything already, and a
// broker that answers late must not fill the memory.
type forgetful struct{}

func (forgetful) Open()                             {}
func (forgetful) Put(string, packets.ControlPacket) {}
func (forgetful) Get(string) packets.ControlPacket  { return nil }
func (forgetful) All() []string                     { return nil }
func (forgetful) Del(string)                        {}
func (forgetful) Close()                            {}
func (forgetful) Reset()                            {}
