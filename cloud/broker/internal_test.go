package broker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lykta/lykta/cloud/broker/brokertest"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

type everyone struct{}

func (everyone) Known(context.Context, string) (bool, error) { return true, nil }

// Neither retained publications nor wills nor sessions stay in the MQTT server.
func TestServerKeepsNothing(t *testing.T) {
	b, err := New(Options{Gatekeeper: everyone{}, Listeners: []Listener{{Address: "127.0.0.1:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	sink, _ := brokertest.Start(t, b)
	for i := range 10 {
		gw := fmt.Sprint("gw-", i)
		topic := wire.Topic(gw, wire.LeafState)
		c := brokertest.DialRaw(t, "mqtt://"+b.Addr())
		c.Hello(gw, func(p *packets.ConnectPacket) {
			p.WillFlag, p.WillRetain, p.WillTopic, p.WillMessage = true, true, topic, []byte("gone")
		})
		c.Subscribe(1, wire.Topic(gw, wire.LeafAck))
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Qos, p.MessageID, p.Retain, p.Payload = topic, 1, 2, true, []byte("here")
		c.Send(p)
		c.Puback()
		_ = c.Close()
		sink.Await(t, gw, wire.LeafState, 2)
	}
	brokertest.Wait(t, "all to be gone", func() bool { return b.Stats().Connected == 0 })
	for i := range 10 {
		gw := fmt.Sprint("gw-", i)
		if _, ok := b.server.Topics.Retained.Get(wire.Topic(gw, wire.LeafState)); ok {
			t.Errorf("the state of %s is retained", gw)
		}
		if n := len(b.server.Topics.Subscribers(wire.Topic(gw, wire.LeafAck)).Subscriptions); n != 0 {
			t.Errorf("%s is still subscribed", gw)
		}
	}
	if n := b.server.Clients.Len(); n != 0 {
		t.Errorf("%d sessions are kept", n)
	}
	if len(b.conns) != 0 {
		t.Errorf("%d connections are kept", len(b.conns))
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	now := time.Now()
	for i := range 3 * maxRefusals {
		r.allow(fmt.Sprint(i), now)
	}
	if len(r.last) > maxRefusals {
		t.Errorf("%d names are remembered, want at most %d", len(r.last), maxRefusals)
	}
	if !r.allow("another", now.Add(refusalsEvery)) || r.allow("another", now.Add(refusalsEvery)) {
		t.Error("a name belongs in the log once a minute")
	}
	if !r.allow("another", now.Add(2*refusalsEvery)) {
		t.Error("and again in the next")
	}
}

// Done after Run has ended, or for a connection that has, is harmless.
func TestDoneAfterTheEnd(t *testing.T) {
	b, err := New(Options{Gatekeeper: everyone{}, Listeners: []Listener{{Address: "127.0.0.1:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	messages, ended := make(chan ingest.Message, 1), make(chan error)
	go func() { ended <- b.Run(ctx, func(m ingest.Message) { messages <- m }) }()
	c := brokertest.DialRaw(t, "mqtt://"+b.Addr())
	c.Hello("gw-a")
	c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, 1, "x")
	m := <-messages
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	m.Done()
	m.Done()
	if n := b.Stats().Acknowledged; n != 0 {
		t.Errorf("%d PUBACKs were written to nobody", n)
	}
}
