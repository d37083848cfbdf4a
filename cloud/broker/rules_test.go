package broker_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lykta/lykta/cloud/broker"
	"github.com/lykta/lykta/cloud/broker/brokertest"
	"github.com/lykta/lykta/devices/wire"
)

// Return codes of CONNACK, MQTT 3.1.1 section 3.2.2.3.
const (
	accepted      = 0
	badVersion    = 1
	badIdentifier = 2
	unavailable   = 3
	notAuthorized = 5
)

// logbook is a log that can be read while it is written.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), s)
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// Every leaf, of the gateway itself and of another, and what else a topic can
// look like: nothing but the own four can be written, nothing but the own two
// be read.
func TestRights(t *testing.T) {
	b, url := newBroker(t)
	sink, _ := brokertest.Start(t, b)
	const me, other = "gw-me", "gw-other"

	topics := map[string]bool{ // topic -> it is one of mine
		"#": false, "+/+/+/+/+": false, "lykta/#": false, "lykta/1/+/" + me + "/ack": false, "lykta/1/+/" + me + "/alarm": false,
		"$SYS/#": false, "$SYS/broker/version": false, "$share/x/" + wire.Topic(me, wire.LeafAck): false,
		wire.Topic(me, wire.LeafAck) + "/": false, "/" + wire.Topic(me, wire.LeafAlarm): false, wire.Topic(me, wire.LeafAlarm) + "/x": false,
		wire.Topic(me, "ACK"): false, wire.Topic(me, ""): false, "lykta": false,
		"lykta/1/" + me + "/alarm": false, strings.Replace(wire.Topic(me, wire.LeafAlarm), "lykta/1", "lykta/2", 1): false,
	}
	wrongPart := fmt.Sprintf("/%03d/", (wire.Part(me)+1)%256)
	for _, leaf := range []wire.Leaf{wire.LeafAlarm, wire.LeafTelemetry, wire.LeafState, wire.LeafReply, wire.LeafAck, wire.LeafCommand} {
		topics[wire.Topic(me, leaf)] = true
		topics[wire.Topic(other, leaf)] = false
		topics[strings.Replace(wire.Topic(me, leaf), fmt.Sprintf("/%03d/", wire.Part(me)), wrongPart, 1)] = false
	}
	for topic, mine := range topics {
		_, leaf, _ := wire.ParseTopic(topic)
		for qos := range byte(2) {
			before, want := sink.Count(), 0
			c := brokertest.DialRaw(t, url)
			c.Hello(me)
			c.Publish(topic, qos, uint16(qos), "x")
			if mine && leaf.Up() {
				want = 1
				brokertest.Wait(t, topic, func() bool { return sink.Count() > before })
			}
			// The next connection is let in when nothing more comes from this one.
			brokertest.DialRaw(t, url).Hello(me)
			if got := sink.Count() - before; got != want {
				t.Errorf("publish to %s with QoS %d: %d messages came in, want %d", topic, qos, got, want)
			}
		}
		c := brokertest.DialRaw(t, url)
		c.Hello(me)
		granted, _ := c.Subscribe(1, topic)
		want := byte(0x80)
		if mine && leaf.Down() {
			want = 1
		}
		if granted[0] != want {
			t.Errorf("subscribe to %s: granted %#x, want %#x", topic, granted[0], want)
		}
	}
	if b.Stats().Violations == 0 {
		t.Error("no violation was counted")
	}

	// And what was refused is not received.
	c := brokertest.DialRaw(t, url)
	c.Hello(me)
	c.Subscribe(1, wire.Topic(other, wire.LeafAck), "#", wire.Topic(me, wire.LeafAck))
	o := brokertest.DialRaw(t, url)
	o.Hello(other)
	o.Subscribe(1, wire.Topic(other, wire.LeafAck))
	for _, gw := range []string{other, me} {
		if err := b.Publish(t.Context(), wire.Topic(gw, wire.LeafAck), []byte("for "+gw)); err != nil {
			t.Fatal(err)
		}
	}
	if p, ok := c.Receive().(*packets.PublishPacket); !ok || string(p.Payload) != "for "+me || p.Qos != 1 {
		t.Errorf("received %v", p)
	}
}

func TestQoS2IsRefused(t *testing.T) {
	b, url := newBroker(t)
	sink, _ := brokertest.Start(t, b)
	c := brokertest.DialRaw(t, url)
	c.Hello("gw-a")
	c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 2, 1, "x")
	c.Closed()
	if n := len(sink.Of("gw-a", wire.LeafAlarm)); n != 0 {
		t.Errorf("%d messages came in", n)
	}
}

func TestIdentityOnLoopback(t *testing.T) {
	b, url := newBroker(t)
	brokertest.Start(t, b)
	for _, c := range []struct {
		clientID, username string
		want               byte
	}{
		{"gw-a", "", accepted},
		{"gw-a", "gw-a", accepted},
		{"", "gw-a", accepted},
		{"gw-a", "gw-b", badIdentifier},
		{"", "", badIdentifier},
		{"gw a", "gw a", badIdentifier},
		{"+", "", badIdentifier},
		{"gw-a/alarm", "", badIdentifier},
		{strings.Repeat("g", 65), "", badIdentifier},
	} {
		got := brokertest.DialRaw(t, url).Hello(c.clientID, func(p *packets.ConnectPacket) {
			p.Username, p.UsernameFlag = c.username, c.username != ""
		})
		if got != c.want {
			t.Errorf("client id %q, username %q: return code %d, want %d", c.clientID, c.username, got, c.want)
		}
	}
	if got := brokertest.DialRaw(t, url).Hello("gw-a", func(p *packets.ConnectPacket) {
		p.ProtocolName, p.ProtocolVersion = "MQIsdp", 3
	}); got != badVersion {
		t.Errorf("MQTT 3.1: return code %d, want %d", got, badVersion)
	}
}

func TestNothingIsKeptForASession(t *testing.T) {
	b, url := newBroker(t)
	brokertest.Start(t, b)
	keep := func(p *packets.ConnectPacket) { p.CleanSession = false }
	c := brokertest.DialRaw(t, url)
	c.Hello("gw-a", keep)
	c.Subscribe(1, wire.Topic("gw-a", wire.LeafAck))
	if err := b.Publish(t.Context(), wire.Topic("gw-a", wire.LeafAck), []byte("one")); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	c = brokertest.DialRaw(t, url)
	c.Hello("gw-a", keep)
	if err := b.Publish(t.Context(), wire.Topic("gw-a", wire.LeafAck), []byte("two")); err != nil {
		t.Fatal(err)
	}
	c.Send(packets.NewControlPacket(packets.Pingreq))
	if p, ok := c.Receive().(*packets.PingrespPacket); !ok {
		t.Errorf("received %v before any subscription", p)
	}
}

func TestGatekeeper(t *testing.T) {
	var log logbook
	b, url := newBroker(t, func(o *broker.Options) {
		o.Gatekeeper = gates{"gw-stranger": errNobody, "gw-unsure": errors.New("the database is away")}
		o.Log = log.logger()
	})
	brokertest.Start(t, b)
	for range 5 {
		for gateway, want := range map[string]byte{"gw-stranger": notAuthorized, "gw-unsure": unavailable, "gw-friend": accepted} {
			c := brokertest.DialRaw(t, url)
			if got := c.Hello(gateway); got != want {
				t.Errorf("%s: return code %d, want %d", gateway, got, want)
			}
			if want != accepted {
				c.Closed()
			}
		}
	}
	if s := b.Stats(); s.Refused != 10 || s.Connections != 5 {
		t.Errorf("%+v", s)
	}
	if n := log.count("gateway=gw-stranger"); n != 1 {
		t.Errorf("the stranger is in the log %d times, want once a minute", n)
	}
	if log.count(broker.ErrIDUnknown) != 1 || log.count(broker.ErrIDGatekeeper) != 1 {
		t.Error("the log does not say why with its ids")
	}
}

func TestTooManyClients(t *testing.T) {
	b, url := newBroker(t, func(o *broker.Options) { o.MaxClients = 2 })
	brokertest.Start(t, b)
	first := brokertest.DialRaw(t, url)
	first.Hello("gw-1")
	brokertest.DialRaw(t, url).Hello("gw-2")
	if got := brokertest.DialRaw(t, url).Hello("gw-3"); got != unavailable {
		t.Errorf("the third: return code %d", got)
	}
	_ = first.Close()
	brokertest.Wait(t, "a free place", func() bool { return b.Stats().Connected == 1 })
	if got := brokertest.DialRaw(t, url).Hello("gw-3"); got != accepted {
		t.Errorf("after one has gone: return code %d", got)
	}
}

func TestDisconnect(t *testing.T) {
	b, url := newBroker(t)
	brokertest.Start(t, b)
	c := brokertest.DialRaw(t, url)
	c.Hello("gw-a")
	b.Disconnect("gw-b")
	b.Disconnect("gw-a")
	c.Closed()
}

func TestListeners(t *testing.T) {
	ca := brokertest.NewCA(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for want, l := range map[string]broker.Listener{
		broker.ErrIDPlaintext: {Address: "0.0.0.0:0"},
		broker.ErrIDClientCA:  {Address: "127.0.0.1:0", TLS: &tls.Config{}},
		broker.ErrIDListen:    {Address: taken.Addr().String()},
	} {
		b, err := broker.New(broker.Options{Gatekeeper: gates{}, Listeners: []broker.Listener{{Address: "127.0.0.1:0"}, l}})
		if err == nil {
			_ = b.Close()
			t.Errorf("%s: no error", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := broker.New(broker.Options{Gatekeeper: gates{}}); err == nil {
		t.Error("a broker without listeners")
	}
	b, err := broker.New(broker.Options{Gatekeeper: gates{}, Listeners: []broker.Listener{{Address: "0.0.0.0:0", TLS: ca.Server()}}})
	if err != nil {
		t.Fatalf("TLS on every address: %v", err)
	}
	_ = b.Close()
}

func TestTLS(t *testing.T) {
	ca, foreign := brokertest.NewCA(t), brokertest.NewCA(t)
	var log logbook
	b, _ := newBroker(t, func(o *broker.Options) {
		o.Listeners = []broker.Listener{{Address: "127.0.0.1:0"}, {Address: "127.0.0.1:0", TLS: ca.Server()}}
		o.Log = log.logger()
	})
	sink, _ := brokertest.Start(t, b)
	addr := b.Addrs()[1].String()

	opts := brokertest.Options("mqtts://"+addr, "gw-a").SetTLSConfig(ca.Client("gw-a"))
	c := brokertest.Connect(t, opts)
	in := brokertest.Subscribe(t, c, "gw-a")
	brokertest.Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, false, "help"))
	if got := sink.Await(t, "gw-a", wire.LeafAlarm, 1); string(got[0].Payload) != "help" {
		t.Errorf("payload %q", got[0].Payload)
	}
	if err := b.Publish(t.Context(), wire.Topic("gw-a", wire.LeafAck), []byte("ack")); err != nil {
		t.Fatal(err)
	}
	brokertest.Wait(t, "the message down", func() bool { return in.All() == 1 })

	hello := func(cfg *tls.Config, clientID, username string) byte {
		conn, err := tls.Dial("tcp", addr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return brokertest.NewRaw(t, conn).Hello(clientID, func(p *packets.ConnectPacket) {
			p.Username, p.UsernameFlag = username, username != ""
		})
	}
	for _, c := range []struct {
		clientID, username string
		want               byte
	}{{"gw-c", "", accepted}, {"", "", accepted}, {"gw-c", "gw-c", accepted}, {"gw-a", "", badIdentifier}, {"gw-c", "gw-a", badIdentifier}} {
		// An empty client id is the certificate's.
		if got := hello(ca.Client("gw-c"), c.clientID, c.username); got != c.want {
			t.Errorf("certificate of gw-c, client id %q, username %q: return code %d, want %d", c.clientID, c.username, got, c.want)
		}
	}

	refused := func(name string, cfg *tls.Config) {
		conn, err := tls.Dial("tcp", addr, cfg)
		if err != nil {
			return
		}
		// With TLS 1.3 the client learns of the refusal at its first read.
		r := brokertest.NewRaw(t, conn)
		_ = packets.NewControlPacket(packets.Connect).Write(conn)
		if _, err := packets.ReadPacket(r); err == nil {
			t.Errorf("%s: was answered", name)
		}
	}
	refused("no certificate", &tls.Config{RootCAs: ca.Pool()})
	stranger := foreign.Client("gw-a")
	stranger.RootCAs = ca.Pool()
	refused("a foreign certificate", stranger)
	plain := brokertest.DialRaw(t, "mqtt://"+addr)
	_ = packets.NewControlPacket(packets.Connect).Write(plain)
	plain.Closed()
	brokertest.Wait(t, "the failed handshakes", func() bool { return b.Stats().Refused >= 3 })
	if log.count(broker.ErrIDHandshake) != 1 {
		t.Error("failed handshakes belong in the log once a minute")
	}
}
