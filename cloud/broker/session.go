package broker

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/lykta/lykta/devices/wire"
)

// maxDown bounds what waits for one gateway to read it, in bytes.
const maxDown = 1 << 20

var (
	errSlow    = errors.New("the gateway does not take its messages")
	errUnacked = errors.New("too many messages wait to be stored")
)

// session is one connection. To the MQTT server it is the net.Conn itself, and
// so every hook finds it. The server writes its own answers through it;
// PUBACKs and messages to the gateway are written by writeLoop, because Done
// and Publish must not wait for a socket. A Write is always one or more whole
// packets, and concurrent ones do not mix.
type session struct {
	net.Conn          // raw, or TLS over it
	raw      net.Conn // closed at once, without TLS's farewell, which can block
	b        *Broker

	// Set before the session is in Broker.gateways, and not changed after.
	certified bool   // name is from a certificate
	name      string // what the certificate says
	gateway   string
	arrival   uint64
	began     time.Time
	client    *mqtt.Client
	up        map[string]wire.Leaf // the topics it may write
	down      map[string]bool      // the topics it may read

	faulted    bool // a violation is reported; touched by the reading goroutine only
	superseded atomic.Bool
	closing    sync.Once
	closed     chan struct{} // the connection is closed
	ended      chan struct{} // and nothing more will come from it
	writer     sync.WaitGroup
	wake       chan struct{} // there is something to write
	room       chan struct{} // PUBACKs were written

	mu sync.Mutex
	// pending has the packet ids that wait for their PUBACK, each with the
	// token of the publication that came last with it; 0 when Done was called
	// and the PUBACK is about to be written. An id used anew has a new token,
	// and a Done that belongs to the old one says nothing about the new one.
	pending  map[uint16]uint64
	tokens   uint64
	acks     []uint16
	frames   []byte // packets to the gateway
	packetID uint16
}

func newSession(b *Broker, conn net.Conn) *session {
	return &session{
		Conn: conn, raw: conn, b: b, began: time.Now(),
		closed: make(chan struct{}), ended: make(chan struct{}),
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
		pending: make(map[uint16]uint64),
	}
}

// Close closes the connection without waiting for anything.
func (s *session) Close() error {
	err := net.ErrClosed
	s.closing.Do(func() {
		close(s.closed)
		err = s.raw.Close()
	})
	return err
}

// SetDeadline bounds reading only. The server sets it before each packet from
// the keepalive; while a message waits for ingest it runs out without harm, but
// for writing it would be in the way of the PUBACK.
func (s *session) SetDeadline(t time.Time) error {
	latest := time.Now().Add(s.b.opts.IdleTimeout)
	if t.IsZero() || t.After(latest) {
		t = latest
	}
	return s.Conn.SetReadDeadline(t)
}

// Write gives the gateway WriteTimeout to take p, or closes the connection.
func (s *session) Write(p []byte) (int, error) {
	if err := s.Conn.SetWriteDeadline(time.Now().Add(s.b.opts.WriteTimeout)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	if err != nil {
		_ = s.Close()
	}
	return n, err
}

// receive notes a publication that must be acknowledged and returns its Done.
// It waits while too many others are unacknowledged.
func (s *session) receive(id uint16) (done func(), err error) {
	var timeout <-chan time.Time
	for {
		s.mu.Lock()
		if _, again := s.pending[id]; again || len(s.pending) < s.b.opts.MaxUnacked {
			s.tokens++
			token := s.tokens
			s.pending[id] = token
			s.mu.Unlock()
			return func() { s.acknowledge(id, token) }, nil
		}
		s.mu.Unlock()
		if timeout == nil {
			t := time.NewTimer(s.b.opts.UnackedTimeout)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-s.room:
		case <-s.closed:
			return nil, net.ErrClosed
		case <-timeout:
			return nil, errUnacked
		}
	}
}

// acknowledge is Done. After the end of the connection it changes nothing that
// anyone sees.
func (s *session) acknowledge(id uint16, token uint64) {
	s.mu.Lock()
	current := s.pending[id] == token
	if current {
		s.pending[id] = 0
		s.acks = append(s.acks, id)
	}
	s.mu.Unlock()
	if current {
		signal(s.wake)
	}
}

// send queues a message to the gateway.
func (s *session) send(topic string, payload []byte, qos byte) error {
	pk := packets.Packet{
		ProtocolVersion: 4,
		FixedHeader:     packets.FixedHeader{Type: packets.Publish, Qos: qos},
		TopicName:       topic, Payload: payload,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if qos > 0 {
		// The gateway's PUBACK is not waited for, so the ids just go round.
		if s.packetID++; s.packetID == 0 {
			s.packetID = 1
		}
		pk.PacketID = s.packetID
	}
	var frame bytes.Buffer
	if err := pk.PublishEncode(&frame); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if len(s.frames)+frame.Len() > maxDown {
		return errSlow
	}
	s.frames = append(s.frames, frame.Bytes()...)
	signal(s.wake)
	return nil
}

// writeLoop writes what acknowledge and send have left, all that there is in
// one write, until the connection is closed.
func (s *session) writeLoop() {
	var out []byte
	var acks []uint16
	for {
		select {
		case <-s.wake:
		case <-s.closed:
			return
		}
		s.mu.Lock()
		acks, s.acks = s.acks, acks[:0]
		out = out[:0]
		for _, id := range acks {
			out = append(out, packets.Puback<<4, 2, byte(id>>8), byte(id))
		}
		out = append(out, s.frames...)
		s.frames = nil
		s.mu.Unlock()
		if len(out) == 0 {
			continue
		}
		if _, err := s.Write(out); err != nil {
			return
		}
		s.written(acks)
		if cap(out) > maxDown/16 { // a rare big one is not kept for ever
			out = nil
		}
	}
}

func (s *session) written(acks []uint16) {
	if len(acks) == 0 {
		return
	}
	s.b.acknowledged.Add(int64(len(acks)))
	s.mu.Lock()
	for _, id := range acks {
		if s.pending[id] == 0 {
			delete(s.pending, id)
		}
	}
	s.mu.Unlock()
	signal(s.room)
}

// violation counts and reports what the gateway should not have done.
func (s *session) violation(what string, args ...any) {
	s.faulted = true
	s.b.violations.Add(1)
	s.b.refusals.log(s.b.log, "violation "+s.gateway, "a client broke the rules: "+what,
		append([]any{"id", ErrIDRules, "gateway", s.gateway, "remote", s.raw.RemoteAddr().String()}, args...)...)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
