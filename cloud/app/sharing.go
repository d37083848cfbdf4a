package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// protocolTURN is TURN's name in a TLS handshake (RFC 7443). Browsers do not
// say it; some clients do, and would be turned away by a server that lacks it.
const (
	protocolTURN = "stun.turn"
	protocolHTTP = "http/1.1"
)

// firstWordTime is how long a connection may take for its TLS handshake and
// until it has said what it wants.
const firstWordTime = 10 * time.Second

// share splits what comes in on the port of HTTPS: TURN over TLS goes one way,
// everything else the other. Behind many a firewall nothing but this port is
// open. Both ends are closed with either.
//
// A client that names its protocol in the handshake is believed. Of one that
// does not, the first byte decides: a STUN message begins with 0–3 (RFC 7983), a
// request of HTTP with a letter.
func share(listener net.Listener, config *tls.Config, patience time.Duration, log *slog.Logger) (web, turn net.Listener) {
	config = config.Clone()
	config.NextProtos = []string{protocolHTTP, protocolTURN}
	ctx, cancel := context.WithCancel(context.Background())
	p := &sharedPort{Listener: listener, config: config, patience: patience, ctx: ctx, cancel: cancel, log: log}
	ends := [2]*portEnd{{p, make(chan net.Conn)}, {p, make(chan net.Conn)}}
	go p.run(ends[0], ends[1])
	return ends[0], ends[1]
}

type sharedPort struct {
	net.Listener
	config   *tls.Config
	patience time.Duration
	ctx      context.Context // ends with the port
	cancel   context.CancelFunc
	log      *slog.Logger
}

func (p *sharedPort) run(web, turn *portEnd) {
	defer p.cancel()
	for {
		conn, err := p.Accept()
		if err != nil {
			if p.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				p.log.Warn("connections cannot be taken now", "id", "LYK-0923", "err", err)
				select { // out of file descriptors, most likely: it passes
				case <-time.After(100 * time.Millisecond):
					continue
				case <-p.ctx.Done():
				}
			}
			return
		}
		go func() {
			to, conn, err := p.sort(conn, web, turn)
			if err != nil {
				p.log.Debug("a connection ended before it said what it wants", "from", conn.RemoteAddr(), "err", err)
				_ = conn.Close()
				return
			}
			select {
			case to.conns <- conn:
			case <-p.ctx.Done():
				_ = conn.Close()
			}
		}()
	}
}

// sort does the TLS handshake and finds out where a connection belongs.
func (p *sharedPort) sort(conn net.Conn, web, turn *portEnd) (*portEnd, net.Conn, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.patience)
	defer cancel()
	secure := tls.Server(conn, p.config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, conn, fmt.Errorf("TLS: %w", err)
	}
	switch secure.ConnectionState().NegotiatedProtocol {
	case protocolHTTP:
		return web, secure, nil
	case protocolTURN:
		return turn, secure, nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	begun := &begunConn{Conn: secure}
	if _, err := secure.Read(begun.first[:]); err != nil {
		return nil, conn, fmt.Errorf("the first byte: %w", err)
	}
	if !stop() {
		return nil, conn, context.Cause(ctx)
	}
	if begun.first[0] <= 3 {
		return turn, begun, nil
	}
	return web, begun, nil
}

// begunConn is a TLS connection of which the first byte was read. The HTTP
// server learns from ConnectionState that there was TLS.
type begunConn struct {
	*tls.Conn
	first [1]byte
	given bool
}

// Read reads, the first byte first.
func (c *begunConn) Read(p []byte) (int, error) {
	if c.given || len(p) == 0 {
		return c.Conn.Read(p)
	}
	c.given = true
	return copy(p, c.first[:]), nil
}

// portEnd is one of the two listeners.
type portEnd struct {
	*sharedPort
	conns chan net.Conn
}

// Accept returns the next connection of this end.
func (e *portEnd) Accept() (net.Conn, error) {
	select {
	case conn := <-e.conns:
		return conn, nil
	case <-e.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close closes the port.
func (e *portEnd) Close() error {
	e.cancel()
	if err := e.Listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
