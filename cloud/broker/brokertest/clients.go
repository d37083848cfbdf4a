package brokertest

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lykta/lykta/devices/wire"
)

// Patience bounds every wait for something that must happen.
const Patience = 30 * time.Second

// Wait polls until ok, or fails the test.
func Wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s in vain for %s", Patience, what)
		}
	}
}

// Options returns what a gateway's MQTT client sets, for a broker at url.
func Options(url, gateway string) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker(url).
		SetClientID(gateway).SetUsername(gateway).
		SetProtocolVersion(4).SetCleanSession(true).
		SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(Patience).SetWriteTimeout(Patience).SetKeepAlive(time.Minute)
}

// Connect connects a client and ends it with the test.
func Connect(t testing.TB, opts *paho.ClientOptions) paho.Client {
	t.Helper()
	client := paho.NewClient(opts)
	Complete(t, "connect", client.Connect())
	t.Cleanup(func() { client.Disconnect(100) })
	return client
}

// Complete waits for a token and fails the test on its error.
func Complete(t testing.TB, what string, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(Patience) {
		t.Fatalf("%s: no answer within %s", what, Patience)
	}
	if err := token.Error(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Inbox keeps what a gateway has received.
type Inbox struct {
	mu  sync.Mutex
	got map[string][]string // topic -> payloads
}

// Subscribe subscribes client, a gateway's, to both of its down topics.
func Subscribe(t testing.TB, client paho.Client, gateway string) *Inbox {
	t.Helper()
	in := &Inbox{got: make(map[string][]string)}
	Complete(t, "subscribe", client.SubscribeMultiple(map[string]byte{
		wire.Topic(gateway, wire.LeafAck): 1, wire.Topic(gateway, wire.LeafCommand): 1,
	}, func(_ paho.Client, m paho.Message) {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.got[m.Topic()] = append(in.got[m.Topic()], string(m.Payload()))
	}))
	return in
}

// On returns the payloads that have come on a topic.
func (in *Inbox) On(topic string) []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]string(nil), in.got[topic]...)
}

// All returns how many messages have come.
func (in *Inbox) All() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, p := range in.got {
		n += len(p)
	}
	return n
}

// Raw is an MQTT client without a library in the way: it sends what it is told.
type Raw struct {
	t testing.TB
	net.Conn
}

// DialRaw opens a TCP connection to the broker at an mqtt:// URL.
func DialRaw(t testing.TB, broker string) *Raw {
	t.Helper()
	u, err := url.Parse(broker)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", u.Host, Patience)
	if err != nil {
		t.Fatal(err)
	}
	return NewRaw(t, conn)
}

// NewRaw makes a client of an open connection, which ends with the test.
func NewRaw(t testing.TB, conn net.Conn) *Raw {
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(Patience))
	return &Raw{t, conn}
}

// Hello sends a CONNECT as gateway and returns the CONNACK's return code.
func (r *Raw) Hello(gateway string, change ...func(*packets.ConnectPacket)) byte {
	r.t.Helper()
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession = "MQTT", 4, true
	p.ClientIdentifier, p.Keepalive = gateway, 60
	for _, c := range change {
		c(p)
	}
	r.Send(p)
	ack, ok := r.Receive().(*packets.ConnackPacket)
	if !ok {
		r.t.Fatal("the answer to CONNECT is not a CONNACK")
	}
	return ack.ReturnCode
}

// Publish sends a publication.
func (r *Raw) Publish(topic string, qos byte, id uint16, payload string) {
	r.t.Helper()
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos, p.MessageID, p.Payload = topic, qos, id, []byte(payload)
	r.Send(p)
}

// Subscribe sends a subscription and returns the granted quality of service,
// or 0x80; what comes before the SUBACK is returned too.
func (r *Raw) Subscribe(id uint16, filters ...string) (granted []byte, before []packets.ControlPacket) {
	r.t.Helper()
	p := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	p.MessageID, p.Topics, p.Qoss = id, filters, bytes.Repeat([]byte{1}, len(filters))
	r.Send(p)
	for {
		in := r.Receive()
		if ack, ok := in.(*packets.SubackPacket); ok {
			return ack.ReturnCodes, before
		}
		before = append(before, in)
	}
}

// Send writes one packet.
func (r *Raw) Send(p packets.ControlPacket) {
	r.t.Helper()
	if err := p.Write(r.Conn); err != nil {
		r.t.Fatalf("send %s: %v", p, err)
	}
}

// Receive reads one packet.
func (r *Raw) Receive() packets.ControlPacket {
	r.t.Helper()
	p, err := packets.ReadPacket(r.Conn)
	if err != nil {
		r.t.Fatalf("receive: %v", err)
	}
	return p
}

// Puback reads packets until a PUBACK, and returns its id.
func (r *Raw) Puback() uint16 {
	r.t.Helper()
	for {
		if ack, ok := r.Receive().(*packets.PubackPacket); ok {
			return ack.MessageID
		}
	}
}

// Closed waits until the broker has closed the connection.
func (r *Raw) Closed() {
	r.t.Helper()
	for {
		_, err := packets.ReadPacket(r.Conn)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			r.t.Fatal("the broker has not closed the connection")
		}
		if err != nil {
			return
		}
	}
}
