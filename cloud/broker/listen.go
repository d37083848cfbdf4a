package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// pendingConns is how many connections beyond MaxClients may be open, so that
// those in excess get a proper answer.
const pendingConns = 1024

type listener struct {
	net.Listener
	tls     *tls.Config
	failure atomic.Pointer[error] // why it takes no connections now
}

func listen(l Listener) (*listener, error) {
	cfg := l.TLS
	if cfg != nil {
		if cfg.ClientCAs == nil {
			return nil, fmt.Errorf("%s: listen with TLS on %s: no authority is set for the gateways' certificates", ErrIDClientCA, l.Address)
		}
		cfg = cfg.Clone()
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
		cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	}
	open := l.Net
	if open == nil {
		var err error
		if open, err = net.Listen("tcp", l.Address); err != nil {
			return nil, fmt.Errorf("%s: open the MQTT listener: %w", ErrIDListen, err)
		}
	}
	if addr, ok := open.Addr().(*net.TCPAddr); ok && cfg == nil && !addr.IP.IsLoopback() {
		_ = open.Close()
		return nil, fmt.Errorf("%s: MQTT without TLS on %s: only a loopback address may do without", ErrIDPlaintext, addr)
	}
	return &listener{Listener: open, tls: cfg}, nil
}

// accept takes connections until the listener is closed. When that fails, as
// when the system is out of file descriptors, it tries again, and Ready says so
// until there is a connection.
func (b *Broker) accept(l *listener) {
	for {
		conn, err := l.Accept()
		if err == nil {
			l.failure.Store(nil)
			b.wg.Go(func() { b.serve(l, conn) })
			continue
		}
		if b.ctx.Err() != nil {
			return
		}
		failure := fmt.Errorf("%s: accept on %s: %w", ErrIDListen, l.Addr(), err)
		l.failure.Store(&failure)
		b.log.Error("the MQTT listener takes no connections", "id", ErrIDListen, "address", l.Addr().String(), "error", err)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-b.ctx.Done():
			return
		}
	}
}

// serve is the life of one connection; its goroutine reads it.
func (b *Broker) serve(l *listener, conn net.Conn) {
	s := newSession(b, conn)
	if !b.register(s) {
		_ = conn.Close()
		return
	}
	defer b.release(s)

	if err := s.SetDeadline(time.Now().Add(b.opts.ConnectTimeout)); err != nil {
		return
	}
	if l.tls != nil {
		if err := s.handshake(b.ctx, l.tls, b.opts.ConnectTimeout); err != nil {
			b.refused.Add(1)
			b.refusals.log(b.log, "handshake", "TLS handshake failed",
				"id", ErrIDHandshake, "remote", conn.RemoteAddr().String(), "error", err)
			return
		}
	}
	err := b.server.EstablishConnection(l.Addr().String(), s)
	if code := (packets.Code{}); errors.As(err, &code) && !s.faulted && b.ctx.Err() == nil {
		s.violation("malformed packet", "error", err)
	}
	b.log.Debug("connection ended", "gateway", s.gateway, "remote", conn.RemoteAddr().String(), "error", err)
}

// register counts a connection in; false when there are too many, or at the stop.
func (b *Broker) register(s *session) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.conns) >= b.opts.MaxClients+pendingConns {
		b.refused.Add(1)
		return false
	}
	if b.ctx.Err() != nil {
		return false
	}
	b.arrivals++
	s.arrival = b.arrivals
	b.conns[s] = true
	return true
}

func (b *Broker) release(s *session) {
	_ = s.Close()
	s.writer.Wait()
	b.mu.Lock()
	delete(b.conns, s)
	if b.gateways[s.gateway] == s {
		delete(b.gateways, s.gateway)
	}
	b.mu.Unlock()
	close(s.ended)
}

// Why claim did not get a gateway's place.
var (
	errNewer = errors.New("a newer connection of the gateway is there")
	errBusy  = errors.New("the gateway's previous connection does not end: ingest does not take its messages")
	errFull  = errors.New("too many gateways are connected")
)

// youth is the age below which a connection that is taken over was not one
// that had died.
const youth = 20 * time.Second

// claim makes s the one connection that speaks for its gateway, as MQTT has it
// for two clients with one id: the newer one takes over. It returns only after
// the older one's last message has been delivered.
func (b *Broker) claim(s *session) error {
	timeout := time.NewTimer(b.opts.ConnectTimeout)
	defer timeout.Stop()
	for {
		b.mu.Lock()
		old := b.gateways[s.gateway]
		if old == nil {
			defer b.mu.Unlock()
			if len(b.gateways) >= b.opts.MaxClients {
				return errFull
			}
			b.gateways[s.gateway] = s
			return nil
		}
		b.mu.Unlock()
		if old.arrival > s.arrival {
			return errNewer
		}
		if time.Since(old.began) < youth {
			b.refusals.log(b.log, "twin "+s.gateway, "two connections of one gateway take turns: is its id used twice?", "id", ErrIDTwin,
				"gateway", s.gateway, "remote", s.raw.RemoteAddr().String(), "other", old.raw.RemoteAddr().String())
		}
		old.superseded.Store(true)
		_ = old.Close()
		select {
		case <-old.ended:
		case <-timeout.C:
			return errBusy
		case <-s.closed:
			return net.ErrClosed
		}
	}
}

func (s *session) handshake(ctx context.Context, cfg *tls.Config, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn := tls.Server(s.raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	s.Conn = conn
	s.certified = true
	s.name = conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	return nil
}
