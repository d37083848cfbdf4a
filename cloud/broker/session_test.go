package broker_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lykta/lykta/cloud/broker"
	"github.com/lykta/lykta/cloud/broker/brokertest"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

func will(topic string) func(*packets.ConnectPacket) {
	return func(p *packets.ConnectPacket) {
		p.WillFlag, p.WillRetain, p.WillQos = true, true, 1
		p.WillTopic, p.WillMessage = topic, []byte(`{"online":false}`)
	}
}

func TestLastWill(t *testing.T) {
	b, url := newBroker(t)
	sink, stop := brokertest.Start(t, b)
	hello := func(gateway string) *brokertest.Raw {
		c := brokertest.DialRaw(t, url)
		if code := c.Hello(gateway, will(wire.Topic(gateway, wire.LeafState))); code != accepted {
			t.Fatalf("return code %d", code)
		}
		return c
	}
	gone := func(gateway string) {
		brokertest.Wait(t, gateway+" to be gone", func() bool { return b.Stats().Connected == 0 })
	}
	_ = hello("gw-cut").Close()
	got := sink.Await(t, "gw-cut", wire.LeafState, 1)
	if string(got[0].Payload) != `{"online":false}` || got[0].Received.IsZero() {
		t.Errorf("%+v", got[0])
	}
	gone("gw-cut")

	bye := hello("gw-bye")
	bye.Send(packets.NewControlPacket(packets.Disconnect))
	bye.Closed()
	gone("gw-bye")

	old := hello("gw-twice")
	hello("gw-twice")
	old.Closed()

	for _, topic := range []string{wire.Topic("gw-a", wire.LeafAlarm), wire.Topic("gw-b", wire.LeafState), "x"} {
		if code := brokertest.DialRaw(t, url).Hello("gw-a", will(topic)); code != notAuthorized {
			t.Errorf("a will for %s: return code %d", topic, code)
		}
	}
	stop() // the cloud's own stop is no news of a home
	for _, gw := range []string{"gw-bye", "gw-twice"} {
		if n := len(sink.Of(gw, wire.LeafState)); n != 0 {
			t.Errorf("%d wills of %s, want none", n, gw)
		}
	}
}

// A second connection has the first one's place. A receipt for the first says
// nothing about what the second has sent, though the packet id is the same.
func TestTakeover(t *testing.T) {
	b, url := newBroker(t)
	sink, _ := brokertest.Start(t, b)
	sink.Hold()
	topic := wire.Topic("gw-a", wire.LeafAlarm)

	first := brokertest.DialRaw(t, url)
	first.Hello("gw-a")
	first.Publish(topic, 1, 7, "first")
	sink.Await(t, "gw-a", wire.LeafAlarm, 1)
	second := brokertest.DialRaw(t, url)
	second.Hello("gw-a")
	first.Closed()
	second.Publish(topic, 1, 7, "second")
	got := sink.Await(t, "gw-a", wire.LeafAlarm, 2)

	got[0].Done()
	if _, before := second.Subscribe(1, wire.Topic("gw-a", wire.LeafAck)); len(before) != 0 {
		t.Fatalf("received %v for the Done of another connection", before)
	}
	got[1].Done()
	if id := second.Puback(); id != 7 {
		t.Errorf("PUBACK of %d", id)
	}
	if n := b.Stats().Connected; n != 1 {
		t.Errorf("%d connected", n)
	}
	_ = second.Close()
	brokertest.Wait(t, "nobody connected", func() bool { return b.Stats().Connected == 0 })
	got[1].Done() // after the end: nothing happens
}

// A packet id that is used again before its PUBACK is acknowledged for what
// came last, and only for that.
func TestPacketIDUsedAgain(t *testing.T) {
	b, url := newBroker(t)
	sink, _ := brokertest.Start(t, b)
	sink.Hold()
	c := brokertest.DialRaw(t, url)
	c.Hello("gw-a")
	for _, payload := range []string{"one", "other"} {
		c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, 5, payload)
	}
	got := sink.Await(t, "gw-a", wire.LeafAlarm, 2)
	got[0].Done()
	if _, before := c.Subscribe(1, wire.Topic("gw-a", wire.LeafAck)); len(before) != 0 {
		t.Fatalf("received %v", before)
	}
	got[1].Done()
	if id := c.Puback(); id != 5 {
		t.Errorf("PUBACK of %d", id)
	}
}

func TestUnacknowledgedAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logbook
		var got []ingest.Message
		dial := bubble(t, func(m ingest.Message) { got = append(got, m) }, func(o *broker.Options) {
			o.MaxUnacked = 4
			o.Log = log.logger()
		})
		c := dial()
		c.Hello("gw-a")
		go func() {
			for id := range uint16(6) {
				c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, id+1, "x")
			}
		}()
		synctest.Wait()
		if len(got) != 4 {
			t.Fatalf("%d messages came in, want 4", len(got))
		}
		time.Sleep(59 * time.Second)
		got[3].Done()
		if id := c.Puback(); id != 4 {
			t.Errorf("PUBACK of %d", id)
		}
		synctest.Wait()
		if len(got) != 5 {
			t.Errorf("%d messages came in, want one more", len(got))
		}
		if d := readUntilClosed(c); d != time.Minute || log.count(broker.ErrIDUnacked) != 1 {
			t.Errorf("it was disconnected after %s, and %d times in the log", d, log.count(broker.ErrIDUnacked))
		}
		c = dial() // starts afresh
		c.Hello("gw-a")
		c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, 1, "x")
		synctest.Wait()
		if len(got) != 6 {
			t.Errorf("%d messages came in after it was back", len(got))
		}
	})
}

// A gateway that reads nothing costs a bounded amount and in the end its
// connection; its neighbours notice nothing.
func TestGatewayThatDoesNotRead(t *testing.T) {
	b, url := newBroker(t, func(o *broker.Options) { o.WriteTimeout = 200 * time.Millisecond })
	brokertest.Start(t, b)
	deaf := brokertest.DialRaw(t, url)
	deaf.Hello("gw-deaf")
	deaf.Subscribe(1, wire.Topic("gw-deaf", wire.LeafCommand))
	well := brokertest.Subscribe(t, brokertest.Connect(t, brokertest.Options(url, "gw-well")), "gw-well")

	big := make([]byte, wire.MaxPayload)
	n := 0
	brokertest.Wait(t, "a full queue", func() bool {
		n++
		return b.Publish(t.Context(), wire.Topic("gw-deaf", wire.LeafCommand), big) != nil
	})
	if err := b.Publish(t.Context(), wire.Topic("gw-well", wire.LeafAck), []byte("ack")); err != nil {
		t.Fatal(err)
	}
	brokertest.Wait(t, "the neighbour's message", func() bool { return well.All() == 1 })
	brokertest.Wait(t, "the end of the deaf connection", func() bool { return b.Stats().Connected == 1 })
	if s := b.Stats(); s.Dropped == 0 {
		t.Errorf("%+v", s)
	}
}

func TestStopIsBounded(t *testing.T) {
	b, url := newBroker(t, func(o *broker.Options) { o.StopTimeout = 50 * time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	ended, stuck, open := make(chan error), make(chan struct{}), make(chan struct{})
	go func() {
		ended <- b.Run(ctx, func(ingest.Message) { close(stuck); <-open })
	}()
	c := brokertest.DialRaw(t, url)
	c.Hello("gw-a")
	c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, 1, "x")
	<-stuck
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), broker.ErrIDStop) {
		t.Errorf("Run: %v, want %s", err, broker.ErrIDStop)
	}
	close(open)
}

// bubble runs a broker on a listener in memory and returns what connects to it.
func bubble(t *testing.T, deliver func(ingest.Message), change ...func(*broker.Options)) func() *brokertest.Raw {
	pipe := brokertest.NewPipe()
	opts := broker.Options{Gatekeeper: gates{}, Listeners: []broker.Listener{{Net: pipe}}}
	for _, c := range change {
		c(&opts)
	}
	b, err := broker.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, deliver) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return func() *brokertest.Raw {
		conn, err := pipe.Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r := brokertest.NewRaw(t, conn)
		_ = conn.SetDeadline(time.Time{})
		return r
	}
}

// readUntilClosed returns how long the broker kept the connection.
func readUntilClosed(c net.Conn) time.Duration {
	began := time.Now()
	for {
		if _, err := packets.ReadPacket(c); err != nil {
			return time.Since(began)
		}
	}
}

func TestSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := bubble(t, func(ingest.Message) {})
		if d := readUntilClosed(dial()); d != 10*time.Second {
			t.Errorf("without a CONNECT it was kept for %s, want 10 s", d)
		}
		for keepalive, want := range map[uint16]time.Duration{
			60: 90 * time.Second, 0: 10 * time.Minute, 65535: 10 * time.Minute,
		} {
			c := dial()
			c.Hello("gw-a", func(p *packets.ConnectPacket) { p.Keepalive = keepalive })
			if d := readUntilClosed(c); d != want {
				t.Errorf("with a keepalive of %d s it was kept for %s, want %s", keepalive, d, want)
			}
		}
	})
}

// The keepalive runs out while ingest takes its time. The connection is not at
// fault: it stays, and PUBACKs are written meanwhile.
func TestSlowIngestKeepsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first ingest.Message
		dial := bubble(t, func(m ingest.Message) {
			switch string(m.Payload) {
			case "first":
				first = m
			case "second": // commits the first, and itself only later
				time.Sleep(5 * time.Minute)
				first.Done()
				time.Sleep(5 * time.Minute)
				m.Done()
			}
		})
		c := dial()
		began := time.Now()
		c.Hello("gw-a", func(p *packets.ConnectPacket) { p.Keepalive = 20 })
		c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, 1, "first")
		c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, 2, "second")
		for id := range uint16(2) {
			if got := c.Puback(); got != id+1 || time.Since(began) != time.Duration(got)*5*time.Minute {
				t.Errorf("PUBACK of %d after %s", got, time.Since(began))
			}
		}
	})
}

// While ingest does not take the last message of a gateway's old connection,
// its new connections are turned away and may try again: messages keep order.
func TestNewConnectionWaitsForTheOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		var got []string
		dial := bubble(t, func(m ingest.Message) {
			<-open
			got = append(got, string(m.Payload))
			m.Done()
		})
		topic := wire.Topic("gw-a", wire.LeafAlarm)
		first := dial()
		first.Hello("gw-a")
		first.Publish(topic, 1, 1, "first")
		synctest.Wait()
		began := time.Now()
		if code := dial().Hello("gw-a"); code != unavailable || time.Since(began) != 10*time.Second {
			t.Errorf("return code %d after %s", code, time.Since(began))
		}
		second := dial()
		go func() {
			time.Sleep(3 * time.Second)
			close(open)
		}()
		if code := second.Hello("gw-a"); code != accepted {
			t.Fatalf("return code %d", code)
		}
		second.Publish(topic, 1, 1, "second")
		second.Puback()
		if strings.Join(got, " ") != "first second" {
			t.Errorf("messages %q", got)
		}
	})
}

// flaky is a listener that has to be asked several times.
type flaky struct {
	*brokertest.Pipe
	failures int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, errors.New("too many open files")
	}
	return f.Pipe.Accept()
}

func TestListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		well, ill := brokertest.NewPipe(), &flaky{brokertest.NewPipe(), 3}
		b, err := broker.New(broker.Options{Gatekeeper: gates{}, Listeners: []broker.Listener{{Net: well}, {Net: ill}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx, func(ingest.Message) {}) }()
		hello := func(p *brokertest.Pipe) {
			conn, err := p.Dial(ctx)
			if err != nil {
				t.Fatal(err)
			}
			brokertest.NewRaw(t, conn).Hello("gw-a")
		}
		synctest.Wait()
		hello(well)
		if err := b.Ready(); err == nil || !strings.Contains(err.Error(), broker.ErrIDListen) {
			t.Errorf("Ready: %v, want %s", err, broker.ErrIDListen)
		}
		time.Sleep(5 * time.Second)
		hello(ill.Pipe)
		if err := b.Ready(); err != nil {
			t.Errorf("Ready after it works again: %v", err)
		}
		_ = ill.Close()
		synctest.Wait()
		if err := b.Ready(); err == nil {
			t.Error("Ready though a listener is gone")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}
