package external_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/broker/brokertest"
	"github.com/lykta/lykta/cloud/broker/external"
	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t testing.TB, opts external.Options) *external.Client {
	t.Helper()
	c, err := external.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSource(t *testing.T) {
	brokertest.Test(t, func(t *testing.T) brokertest.Subject {
		server := mosquittotest.Start(t)
		return brokertest.Subject{
			Source: newClient(t, external.Options{URL: server.URL}), URL: server.URL,
			Stop: server.Stop, Start: server.Restart,
		}
	})
}

func TestURL(t *testing.T) {
	for _, bad := range []string{
		"", "localhost:1883", "http://localhost", "mqtt://", "ws://localhost", "mqtt://broker.example:1883", "mqtt://192.0.2.1", "mqtt://user:secret@h:x",
	} {
		if _, err := external.New(external.Options{URL: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		} else if !strings.Contains(err.Error(), external.ErrIDURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []external.Options{
		{URL: "mqtt://localhost"}, {URL: "mqtt://127.0.0.1:1884"}, {URL: "mqtt://[::1]:1884"},
		{URL: "mqtts://user:secret@broker.example"}, {URL: "mqtt://mosquitto:1883", Insecure: true},
	} {
		if _, err := external.New(good); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

// What the broker has kept from some day or other is not a sign of life.
func TestRetainedIsLeftOut(t *testing.T) {
	server := mosquittotest.Start(t)
	c := brokertest.Connect(t, brokertest.Options(server.URL, "gw-a"))
	brokertest.Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafState), 1, true, "long ago"))
	sink, _ := brokertest.Start(t, newClient(t, external.Options{URL: server.URL}))
	brokertest.Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafState), 1, true, "now"))
	sink.Await(t, "gw-a", wire.LeafState, 1)
	if got := sink.Payloads("gw-a", wire.LeafState); !slices.Equal(got, []string{"now"}) {
		t.Errorf("messages %q", got)
	}
}

// The broker holds back what ingest has not taken: its window, not the queue
// here, is what fills up.
func TestSlowIngestIsTheBrokersBurden(t *testing.T) {
	server := mosquittotest.Start(t)
	client := newClient(t, external.Options{URL: server.URL})
	sink, _ := brokertest.Start(t, client)
	open := sink.Shut()
	t.Cleanup(open)
	c := brokertest.Connect(t, brokertest.Options(server.URL, "gw-a"))
	var want []string
	for i := range 10_000 {
		want = append(want, strconv.Itoa(i))
	}
	for _, payload := range want {
		brokertest.Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, false, payload))
	}
	open()
	sink.Await(t, "gw-a", wire.LeafAlarm, len(want))
	if got := sink.Payloads("gw-a", wire.LeafAlarm); !slices.Equal(got, want) {
		t.Error("messages are missing or not in order")
	}
	if s := client.Stats(); s.Overflowed != 0 || s.Received != int64(len(want)) {
		t.Errorf("%+v", s)
	}
}

// More messages than fit into the window of unacknowledged ones, to gateways
// that come and go.
func TestManyDown(t *testing.T) {
	server := mosquittotest.Start(t)
	client := newClient(t, external.Options{URL: server.URL})
	brokertest.Start(t, client)
	in := brokertest.Subscribe(t, brokertest.Connect(t, brokertest.Options(server.URL, "gw-a")), "gw-a")
	topic := wire.Topic("gw-a", wire.LeafAck)
	var want []string
	for i := range 3000 {
		want = append(want, strconv.Itoa(i))
		brokertest.Wait(t, "room in the queue", func() bool { return client.Publish(t.Context(), topic, []byte(want[i])) == nil })
	}
	brokertest.Wait(t, "all messages", func() bool { return in.All() >= len(want) })
	if !slices.Equal(in.On(topic), want) {
		t.Error("messages are missing or not in order")
	}
}

func TestTLS(t *testing.T) {
	server := mosquittotest.Start(t)
	ca := brokertest.NewCA(t)
	front, err := tls.Listen("tcp", "127.0.0.1:0", ca.Server())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { relay(front, strings.TrimPrefix(server.URL, "mqtt://")) })
	t.Cleanup(func() { _ = front.Close(); wg.Wait() })
	url := "mqtts://" + front.Addr().String()

	sink, _ := brokertest.Start(t, newClient(t, external.Options{URL: url, TLS: ca.Client("cloud")}))
	c := brokertest.Connect(t, brokertest.Options(server.URL, "gw-a"))
	brokertest.Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, false, "help"))
	sink.Await(t, "gw-a", wire.LeafAlarm, 1)
}

// relay takes one connection after the other to addr.
func relay(l net.Listener, addr string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", addr)
		if err != nil {
			_ = in.Close()
			continue
		}
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
		wg.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		wg.Wait()
	}
}

// Brokers that do not behave: Ready says what is wrong, and the end comes in
// time all the same.
func TestBadBrokers(t *testing.T) {
	connack := func(conn net.Conn, code byte) bool {
		if _, err := packets.ReadPacket(conn); err != nil {
			return false
		}
		ack := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
		ack.ReturnCode = code
		return ack.Write(conn) == nil
	}
	for name, c := range map[string]struct {
		says  string
		serve func(net.Conn)
	}{
		"hangs up":                 {"EOF", func(net.Conn) {}},
		"talks nonsense":           {external.ErrIDConnection, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }},
		"wants a password":         {"not Authorized", func(c net.Conn) { connack(c, 5) }},
		"refuses the subscription": {external.ErrIDRefused, refuse(connack)},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_ = conn.SetDeadline(time.Now().Add(brokertest.Patience))
					c.serve(conn)
					_ = conn.Close()
				}
			})
			client := newClient(t, external.Options{URL: "mqtt://user:secret@" + l.Addr().String()})
			ended := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { ended <- client.Run(ctx, func(ingest.Message) {}) }()
			brokertest.Wait(t, "Ready to say "+c.says, func() bool { return strings.Contains(client.Ready().Error(), c.says) })
			if err := client.Ready().Error(); !strings.Contains(err, external.ErrIDConnection) || strings.Contains(err, "secret") {
				t.Errorf("Ready: %s", err)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
			_ = l.Close()
			wg.Wait()
		})
	}
}

func refuse(connack func(net.Conn, byte) bool) func(net.Conn) {
	return func(c net.Conn) {
		if !connack(c, 0) {
			return
		}
		p, err := packets.ReadPacket(c)
		sub, ok := p.(*packets.SubscribePacket)
		if err != nil || !ok {
			return
		}
		ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
		ack.MessageID, ack.ReturnCodes = sub.MessageID, []byte{1, 1, 0x80, 1}
		_ = ack.Write(c)
		_, _ = packets.ReadPacket(c)
	}
}
