package radio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Limits of the local port.
const (
	maxClients   = 64
	maxPacket    = 4 << 20   // bytes; Zigbee2MQTT's list of devices is long
	maxPayload   = 256 << 10 // bytes of everything else
	writesQueued = 256       // messages that wait for one slow client
)

// Port is the local broker.
type Port struct {
	server *mqtt.Server
	tcp    *listeners.TCP
	stop   context.CancelFunc
}

// Listen opens the port at addr. A publisher at QoS 1 gets its answer only
// when the readings are on the disk; one that is too fast waits, and nobody
// else does.
func Listen(addr string, insecure bool, hear Hear, log *slog.Logger) (*Port, error) {
	if err := CheckLoopback(addr, insecure); err != nil {
		return nil, err
	}
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumClients = maxClients
	caps.MaximumPacketSize = maxPacket
	caps.MaximumClientWritesPending = writesQueued
	ctx, stop := context.WithCancel(context.Background())
	p := &Port{
		server: mqtt.New(&mqtt.Options{Capabilities: caps, InlineClient: true, Logger: slog.New(slog.DiscardHandler)}),
		tcp:    listeners.NewTCP(listeners.Config{ID: "local", Address: addr}),
		stop:   stop,
	}
	err := p.server.AddHook(&hook{ctx: ctx, hear: hear, log: log}, nil)
	if err == nil {
		err = p.server.AddListener(p.tcp)
	}
	if err == nil {
		err = p.server.Serve()
	}
	if err != nil {
		stop()
		p.server.Close()
		return nil, fmt.Errorf("open local MQTT port %s: %w", addr, err)
	}
	return p, nil
}

// Addr is the address that the port listens on.
func (p *Port) Addr() string { return p.tcp.Address() }

// Publish retains a message for local listeners. A slow one misses it rather
// than keeping others waiting.
func (p *Port) Publish(topic string, payload []byte) error {
	if err := p.server.Publish(topic, payload, true, 0); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}

// Close ends all connections.
func (p *Port) Close() error {
	p.stop()
	if err := p.server.Close(); err != nil {
		return fmt.Errorf("close local MQTT port: %w", err)
	}
	return nil
}

// hook is what the broker asks on the way of each message.
type hook struct {
	mqtt.HookBase
	ctx  context.Context
	hear Hear
	log  *slog.Logger
}

func (h *hook) ID() string { return "lykta" }

func (h *hook) Provides(b byte) bool {
	return bytes.IndexByte([]byte{mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublish}, b) >= 0
}

func (h *hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck keeps what the gateway itself says from being said by others.
func (h *hook) OnACLCheck(_ *mqtt.Client, topic string, write bool) bool {
	return !write || !strings.HasPrefix(topic, "lykta/") && !strings.HasPrefix(topic, "$")
}

// OnPublish runs on the publishing client's own goroutine: waiting here
// slows down that client alone. A message that was not taken gets no answer,
// so that its sender keeps it.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	if len(pk.Payload) > maxPayload && !strings.Contains(pk.TopicName, "/bridge/") {
		h.log.Warn("message on the local port is too large and is left out", "id", "LYK-0416", "topic", pk.TopicName, "bytes", len(pk.Payload))
		return pk, nil
	}
	logJoined(h.log, pk.TopicName, pk.Payload)
	// To who is subscribed already a live message is not a retained one, whatever its flag.
	err := h.hear(h.ctx, pk.TopicName, pk.Payload, false, pk.FixedHeader.Qos > 0)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			h.log.Warn("message on the local port was not taken", "topic", pk.TopicName, "err", err)
		}
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}
