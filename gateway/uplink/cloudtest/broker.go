package cloudtest

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/lykta/lykta/devices/wire"
)

// Broker is a real MQTT broker on this machine in front of a Cloud.
type Broker struct {
	t     testing.TB
	cloud *Cloud

	mu     sync.Mutex
	server *mqtt.Server
	addr   string
	order  []wire.Leaf // of batches, as they arrived
	left   int         // batches until it kills itself; 0 never
	died   chan struct{}
}

// Serve starts a broker on a port of its own; it stops with the test.
func Serve(t testing.TB, cloud *Cloud) *Broker {
	b := &Broker{t: t, cloud: cloud, addr: "127.0.0.1:0", died: make(chan struct{}, 1)}
	b.Start()
	t.Cleanup(b.Stop)
	return b
}

// URL is where it listens, the same after a restart.
func (b *Broker) URL() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return "mqtt://" + b.addr
}

// Order returns the leaves of the batches that came, in their order.
func (b *Broker) Order() []wire.Leaf {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]wire.Leaf(nil), b.order...)
}

// Start makes it listen.
func (b *Broker) Start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumClientWritesPending = 256
	server := mqtt.New(&mqtt.Options{InlineClient: true, Capabilities: caps, Logger: slog.New(slog.DiscardHandler)})
	tcp := listeners.NewTCP(listeners.Config{ID: "cloud", Address: b.addr})
	for _, err := range []error{server.AddHook(&hook{b: b, server: server}, nil), server.AddListener(tcp), server.Serve()} {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	b.server, b.addr = server, tcp.Address()
}

// Stop ends all connections without a word.
func (b *Broker) Stop() {
	b.mu.Lock()
	server := b.server
	b.server = nil
	b.mu.Unlock()
	if server != nil {
		server.Close()
	}
}

// DieAfter makes it lose its connections once that many more batches have
// come; the channel receives then.
func (b *Broker) DieAfter(batches int) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = batches
	return b.died
}

// Command sends a command to a gateway.
func (b *Broker) Command(gateway string, c wire.Command) {
	data, err := json.Marshal(c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	server := b.server
	b.mu.Unlock()
	if err := server.Publish(wire.Topic(gateway, wire.LeafCommand), data, false, 1); err != nil {
		b.t.Fatal(err)
	}
}

type hook struct {
	mqtt.HookBase
	b      *Broker
	server *mqtt.Server
}

func (h *hook) ID() string { return "cloudtest" }

func (h *hook) Provides(b byte) bool {
	return bytes.IndexByte([]byte{mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish, mqtt.OnWillSent}, b) >= 0
}

func (h *hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (h *hook) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }

// OnWillSent hands last wills on, which do not come through OnPublish.
func (h *hook) OnWillSent(_ *mqtt.Client, pk packets.Packet) {
	if _, leaf, ok := wire.ParseTopic(pk.TopicName); ok {
		h.b.cloud.Take(leaf, pk.Payload)
	}
}

func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	gateway, leaf, ok := wire.ParseTopic(pk.TopicName)
	if cl.Net.Inline || !ok {
		return pk, nil
	}
	if leaf == wire.LeafAlarm || leaf == wire.LeafTelemetry {
		h.b.mu.Lock()
		h.b.order = append(h.b.order, leaf)
		die := h.b.left == 1
		h.b.left = max(0, h.b.left-1)
		h.b.mu.Unlock()
		if die {
			select {
			case h.b.died <- struct{}{}:
			default:
			}
			cl.Stop(packets.ErrServerShuttingDown)
			return pk, packets.ErrRejectPacket
		}
	}
	if ack := h.b.cloud.Take(leaf, pk.Payload); ack != nil {
		// It does not return an error that could be acted on.
		_ = h.server.Publish(wire.Topic(gateway, wire.LeafAck), ack, false, 1)
	}
	return pk, nil
}
