package broker_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lykta/lykta/cloud/broker"
	"github.com/lykta/lykta/cloud/broker/brokertest"
	"github.com/lykta/lykta/devices/wire"
)

func connectBytes(gateway string) []byte {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession = "MQTT", 4, true
	p.ClientIdentifier, p.Keepalive = gateway, 60
	var buf bytes.Buffer
	_ = p.Write(&buf)
	return buf.Bytes()
}

// publishBytes is a PUBLISH with QoS 1 whose topic is any bytes at all.
func publishBytes(topic string, payload []byte) []byte {
	body := binary.BigEndian.AppendUint16(nil, uint16(len(topic)))
	body = append(append(body, topic...), 0, 1)
	body = append(body, payload...)
	out := []byte{0x32}
	for n := len(body); ; {
		b := byte(n % 128)
		if n /= 128; n == 0 {
			out = append(out, b)
			break
		}
		out = append(out, b|0x80)
	}
	return append(out, body...)
}

// Whatever one connection sends, the broker ends at most that connection.
func TestHostileClients(t *testing.T) {
	b, url := newBroker(t, func(o *broker.Options) { o.ConnectTimeout = time.Second })
	sink, _ := brokertest.Start(t, b)
	good := brokertest.Connect(t, brokertest.Options(url, "gw-good"))

	hello := connectBytes("gw-bad")
	after := func(p ...byte) []byte { return append(bytes.Clone(hello), p...) }
	v5 := bytes.Clone(hello)
	v5[8] = 5
	for name, data := range map[string][]byte{
		"nothing at all":              {},
		"half a CONNECT":              hello[:len(hello)-3],
		"HTTP":                        []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"not a CONNECT first":         {0xc0, 0},
		"zeroes":                      make([]byte, 1000),
		"a CONNECT without end":       {0x10, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a CONNECT too big":           {0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4},
		"a wrong protocol name":       append([]byte{0x10, 0x10, 0, 4, 'M', 'Q', 'T', 'X'}, hello[8:]...),
		"MQTT 5":                      v5,
		"a second CONNECT":            append(bytes.Clone(hello), hello...),
		"an unknown packet":           after(0xf0, 0),
		"a PUBLISH too big":           after(0x32, 0xff, 0xff, 0xff, 0x7f, 0, 1, 'x'),
		"a topic longer than it is":   after(0x32, 5, 0xff, 0xff, 'x', 0, 1),
		"a topic that is not UTF-8":   append(bytes.Clone(hello), publishBytes("lykta/\xff\xfe", nil)...),
		"a topic with a zero":         append(bytes.Clone(hello), publishBytes("lykta/1/\x00", nil)...),
		"an empty topic":              append(bytes.Clone(hello), publishBytes("", nil)...),
		"another's topic":             append(bytes.Clone(hello), publishBytes(wire.Topic("gw-good", wire.LeafAlarm), []byte("forged"))...),
		"a payload over the limit":    append(bytes.Clone(hello), publishBytes(wire.Topic("gw-bad", wire.LeafAlarm), make([]byte, wire.MaxPayload+1024))...),
		"QoS 3":                       after(0x36, 5, 0, 1, 'x', 0, 1),
		"packet id 0":                 after(0x32, 5, 0, 1, 'x', 0, 0),
		"a SUBSCRIBE without filters": after(0x82, 2, 0, 1),
		"a SUBSCRIBE with bad flags":  after(0x80, 6, 0, 1, 0, 1, '#', 1),
	} {
		t.Run(name, func(t *testing.T) {
			c := brokertest.DialRaw(t, url)
			_, _ = c.Write(data) // the broker may have hung up already
			c.Closed()
			brokertest.Complete(t, "the good one's publication", good.Publish(wire.Topic("gw-good", wire.LeafTelemetry), 1, false, name))
		})
	}
	if n := len(sink.Of("gw-bad", wire.LeafAlarm)) + len(sink.Of("gw-good", wire.LeafAlarm)); n != 0 {
		t.Errorf("%d messages came in", n)
	}
	brokertest.Wait(t, "only the good one left", func() bool { return b.Stats().Connected == 1 })
	if s := b.Stats(); s.Violations == 0 {
		t.Errorf("%+v", s)
	}
}

// Nothing of what people send may be in the log, not even of malformed packets.
func TestLogHasNoPayloads(t *testing.T) {
	var log logbook
	b, url := newBroker(t, func(o *broker.Options) { o.Log = log.logger() })
	brokertest.Start(t, b)
	const secret = "resident fell in the bathroom"
	for _, topic := range []string{wire.Topic("gw-a", wire.LeafAlarm), wire.Topic("gw-b", wire.LeafAlarm), "\xff"} {
		c := brokertest.DialRaw(t, url)
		_, _ = c.Write(append(connectBytes("gw-a"), publishBytes(topic, []byte(secret))...))
		if topic == wire.Topic("gw-a", wire.LeafAlarm) {
			c.Puback()
		} else {
			c.Closed()
		}
	}
	if log.count("gw-a") == 0 {
		t.Error("the violations are not in the log")
	}
	if log.count(secret) != 0 || log.count(strings.Fields(secret)[0]) != 0 {
		t.Error("a payload is in the log")
	}
}

func TestRandomBytes(t *testing.T) {
	b, url := newBroker(t)
	sink, _ := brokertest.Start(t, b)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	hello := connectBytes("gw-bad")
	for i := range 300 {
		data := make([]byte, r.IntN(200))
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		if i%2 == 0 {
			data = append(bytes.Clone(hello), data...)
		} else if i%3 == 0 { // one byte of a good conversation is wrong
			data = append(bytes.Clone(hello), publishBytes(wire.Topic("gw-bad", wire.LeafAlarm), []byte("x"))...)
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		throw(t, url, data)
	}
	brokertest.Wait(t, "all of them to be gone", func() bool { return b.Stats().Connected == 0 })
	c := brokertest.Connect(t, brokertest.Options(url, "gw-good"))
	brokertest.Complete(t, "publish", c.Publish(wire.Topic("gw-good", wire.LeafAlarm), 1, false, "well"))
	sink.Await(t, "gw-good", wire.LeafAlarm, 1)
}

func throw(t testing.TB, url string, data []byte) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "mqtt://"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write(data)
	_ = conn.Close()
}

func FuzzConnection(f *testing.F) {
	hello := connectBytes("gw-bad")
	f.Add(hello)
	f.Add(append(bytes.Clone(hello), publishBytes(wire.Topic("gw-bad", wire.LeafAlarm), []byte("x"))...))
	f.Add(append(bytes.Clone(hello), 0x82, 6, 0, 1, 0, 1, '#', 1, 0xc0, 0, 0xe0, 0))
	b, url := newBroker(f)
	sink, _ := brokertest.Start(f, b)
	f.Fuzz(func(t *testing.T, data []byte) {
		throw(t, url, data)
		c := brokertest.DialRaw(t, url)
		if c.Hello("gw-good") != accepted {
			t.Fatal("the good gateway is not let in any more")
		}
		c.Publish(wire.Topic("gw-good", wire.LeafState), 1, 1, "well")
		c.Puback()
		if n := len(sink.Of("gw-bad", wire.LeafAck)) + len(sink.Of("gw-bad", wire.LeafCommand)); n != 0 {
			t.Error("a down topic was published to")
		}
	})
}
