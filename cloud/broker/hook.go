package broker

import (
	"context"
	"log/slog"
	"math"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

// packetOverhead is what an MQTT packet may have around its payload, in bytes.
const packetOverhead = 512

// newServer makes the MQTT front end. It parses, checks and answers packets;
// everything that would make it remember a message is taken from it in hook.
func newServer(b *Broker) *mqtt.Server {
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumClients = math.MaxInt64 // claim counts them
	caps.MaximumClientWritesPending = 64
	caps.MaximumPacketSize = wire.MaxPayload + packetOverhead
	caps.MaximumSessionExpiryInterval = 0
	caps.SharedSubAvailable, caps.WildcardSubAvailable, caps.SubIDAvailable = 0, 0, 0
	caps.TopicAliasMaximum = 0
	server := mqtt.New(&mqtt.Options{
		Capabilities: caps,
		// Its log has whole payloads in it, and those are about people.
		Logger:                  slog.New(slog.DiscardHandler),
		ClientNetReadBufferSize: 4096,
		SysTopicResendInterval:  int64((24 * time.Hour).Seconds()), // nobody can read them
	})
	// Neither a new server nor Init of this hook can fail here.
	_ = server.AddHook(&hook{b: b}, nil)
	return server
}

// hook is where the broker's rules meet the MQTT server. Except for
// OnConnectAuthenticate, all of it runs on the connection's own goroutine.
type hook struct {
	mqtt.HookBase
	b *Broker
}

func (h *hook) ID() string { return "lykta" }

func (h *hook) Provides(b byte) bool {
	switch b {
	case mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPacketRead, mqtt.OnPublish, mqtt.OnWill:
		return true
	}
	return false
}

// OnConnect decides who the client is, and whether it may come in.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	s := cl.Net.Conn.(*session)
	if r := h.b.admit(s, cl, pk); r != nil {
		s.faulted = true
		h.b.refused.Add(1)
		h.b.refusals.log(h.b.log, r.id+" "+r.gateway, "a client was refused: "+r.why,
			"id", r.id, "gateway", r.gateway, "remote", s.raw.RemoteAddr().String())
		_ = h.b.server.SendConnack(cl, r.code, false, nil)
		return r.code
	}
	h.b.connections.Add(1)
	h.b.log.Debug("gateway connected", "gateway", s.gateway, "remote", s.raw.RemoteAddr().String())
	return nil
}

// OnConnectAuthenticate has nothing left to decide after OnConnect.
func (h *hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// refusal is why a client may not come in.
type refusal struct {
	id      string
	gateway string
	why     string
	code    packets.Code
}

func (b *Broker) admit(s *session, cl *mqtt.Client, pk packets.Packet) *refusal {
	if pk.ProtocolVersion != 4 {
		return &refusal{ErrIDIdentity, "", "only MQTT 3.1.1 is spoken here", packets.ErrUnsupportedProtocolVersion}
	}
	gateway, ok := identity(s, string(pk.Connect.Username), pk.Connect.ClientIdentifier)
	if !ok {
		return &refusal{ErrIDIdentity, "", "certificate, username and client id must name one gateway", packets.ErrClientIdentifierNotValid}
	}
	if pk.Connect.WillFlag && pk.Connect.WillTopic != wire.Topic(gateway, wire.LeafState) {
		return &refusal{ErrIDRules, gateway, "its last will is not for its own state topic", packets.ErrBadUsernameOrPassword}
	}
	ctx, cancel := context.WithTimeout(b.ctx, b.opts.ConnectTimeout)
	defer cancel()
	known, err := b.opts.Gatekeeper.Known(ctx, gateway)
	if err != nil {
		return &refusal{ErrIDGatekeeper, gateway, "whether it is enrolled cannot be found out now: " + err.Error(), packets.ErrServerUnavailable}
	}
	if !known {
		return &refusal{ErrIDUnknown, gateway, "it is not enrolled", packets.ErrBadUsernameOrPassword}
	}
	s.gateway, s.client = gateway, cl
	s.up, s.down = make(map[string]wire.Leaf), make(map[string]bool)
	for _, leaf := range []wire.Leaf{wire.LeafAlarm, wire.LeafTelemetry, wire.LeafState, wire.LeafReply} {
		s.up[wire.Topic(gateway, leaf)] = leaf
	}
	for _, leaf := range []wire.Leaf{wire.LeafAck, wire.LeafCommand} {
		s.down[wire.Topic(gateway, leaf)] = true
	}
	if err := b.claim(s); err != nil {
		return &refusal{ErrIDIdentity, gateway, err.Error(), packets.ErrServerUnavailable}
	}
	cl.ID = gateway
	cl.Properties.Clean = true // whatever it asked for, nothing is kept
	s.writer.Go(s.writeLoop)
	return nil
}

// identity returns the one name that all that names the client agrees on.
func identity(s *session, username, clientID string) (string, bool) {
	var name string
	if s.certified {
		name = s.name
	} else if name = username; name == "" {
		name = clientID
	}
	ok := wire.CheckGatewayID(name) == nil && (username == "" || username == name) && (clientID == "" || clientID == name)
	return name, ok
}

// OnPacketRead refuses QoS 2: a client would wait for its PUBREC for ever.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Publish && pk.FixedHeader.Qos == 2 {
		cl.Net.Conn.(*session).violation("it published with QoS 2")
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

// OnACLCheck lets a gateway write its own up topics and read its own down
// topics, each by its exact name.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	s := cl.Net.Conn.(*session)
	if write {
		if _, ok := s.up[topic]; !ok {
			s.violation("it published to a topic that is not its own", "topic", topic)
			return false
		}
		return true
	}
	if !s.down[topic] {
		s.violation("it subscribed to a topic that is not its own", "topic", topic)
		return false
	}
	return true
}

// OnPublish takes every publication out of the MQTT server's hands.
// ErrRejectPacket is the one answer on which the server writes no PUBACK and
// keeps nothing; any other error it would acknowledge.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	s := cl.Net.Conn.(*session)
	m := ingest.Message{Gateway: s.gateway, Leaf: s.up[pk.TopicName], Payload: pk.Payload, Received: time.Now()}
	if pk.FixedHeader.Qos > 0 {
		done, err := s.receive(pk.PacketID)
		if err != nil {
			if err == errUnacked {
				h.b.refusals.log(h.b.log, "unacked "+s.gateway, "a gateway was disconnected: too many of its messages wait to be stored",
					"id", ErrIDUnacked, "gateway", s.gateway, "unacknowledged", h.b.opts.MaxUnacked)
			}
			_ = s.Close()
			return pk, packets.ErrRejectPacket
		}
		m.Done = done
	}
	h.hand(m)
	return pk, packets.ErrRejectPacket
}

// OnWill delivers the last will of a gateway that has gone without a word. Not
// of one that is there already by another connection, and not because the
// cloud itself is stopping.
func (h *hook) OnWill(cl *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	s := cl.Net.Conn.(*session)
	if !s.superseded.Load() {
		h.hand(ingest.Message{Gateway: s.gateway, Leaf: wire.LeafState, Payload: will.Payload, Received: time.Now()})
	}
	will.Retain = false // or the server would keep it
	return will, nil
}

func (h *hook) hand(m ingest.Message) {
	if h.b.ctx.Err() != nil {
		return
	}
	h.b.received.Add(1)
	h.b.deliver(m)
}
