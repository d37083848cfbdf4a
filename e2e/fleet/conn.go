package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lykta/lykta/devices/wire"
)

// phase is how far a gateway's connection has come.
type phase byte

const (
	away        phase = iota // none; the next try is at conn.until
	dialling                 // TCP, and TLS
	greeting                 // CONNECT is sent
	subscribing              // SUBSCRIBE is sent
	there
)

// conn is a gateway's connection.
type conn struct {
	phase    phase
	carried  bool  // it has none of its own: the fleet is its broker
	visiting bool  // it has one only while there is something to say
	until    int64 // when it tries again, or gives this try up
	attempt  int
	cut      int64 // when it was cut off, until it is back
	heard    bool  // the cloud has answered on this connection
	fd       int32 // 0 is none
	age      int32 // connections before this one: what comes late from one of those is not meant
	tls      *tls.Conn
	in       []byte // the beginning of a packet
	out      []byte // what the network has not taken yet
	wrote    int64
	id       uint16 // of the last packet
	holds    wire.Holds
	greet    bool  // to say what it holds
	slow     bool  // its network is
	pass     int64 // when its slow network takes the next message
}

// Times of a gateway's connection: those of gateway/uplink.
const (
	connectTimeout = int64(15e6)
	leastPause     = int64(500e3)
	mostPause      = int64(60e6)
	urgentMost     = int64(2e6)
	socketBuffer   = 32 << 10
	unanswered     = 12 * time.Second
	sources        = 16 // loopback addresses that connections come from: each has 28,000 ports
)

// dial begins a connection; when it stands or has failed, epoll says so.
func (s *shard) dial(h *home, now int64) {
	if h.carried {
		s.arrive(h, now)
		return
	}
	h.phase, h.until = dialling, now+connectTimeout
	h.age++
	s.wheel.set(h, h.until)
	if s.certify != nil {
		s.dialTLS(h)
		return
	}
	fd, err := open(s.server, netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + h.number%sources)}))
	if err != nil {
		s.count.failed++
		s.fault(fmt.Errorf("connect: %w", err))
		s.lost(h, now)
		return
	}
	h.fd = int32(fd)
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP, Fd: h.place, Pad: h.age}
	if err := unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		s.fault(fmt.Errorf("watch a connection: %w", err))
		s.lost(h, now)
	}
}

// open begins a TCP connection that does not block.
func open(to netip.AddrPort, from netip.Addr) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unanswered.Milliseconds())),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}),
	)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	}
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return 0, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// dialTLS connects beside the loop, with a goroutine that then reads.
func (s *shard) dialTLS(h *home) {
	place, age, config, source := h.place, h.age, s.certify(h), net.IPv4(127, 0, 0, byte(1+h.number%sources))
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		dialer := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: source}}, Config: config}
		raw, err := dialer.DialContext(ctx, "tcp", s.server.String())
		if err != nil {
			s.send(mail{place: place, age: age, gone: true})
			return
		}
		conn := raw.(*tls.Conn)
		s.send(mail{place: place, age: age, tls: conn})
		for buffer := make([]byte, 2048); ; {
			n, err := conn.Read(buffer)
			if n > 0 {
				s.send(mail{place: place, age: age, data: append([]byte(nil), buffer[:n]...)})
			}
			if err != nil {
				s.send(mail{place: place, age: age, gone: true})
				return
			}
		}
	}()
}

// close ends a connection without a word. reset leaves nothing of it behind in
// the kernel, as a network does that is gone.
func (h *home) close(reset bool) {
	if h.fd != 0 {
		if reset {
			_ = unix.SetsockoptLinger(int(h.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		}
		_ = unix.Close(int(h.fd))
	}
	if h.tls != nil {
		go h.tls.Close() // it can wait for the network
	}
	h.fd, h.tls, h.in, h.out, h.pass = 0, nil, nil, nil, 0
	h.age++
}

// lost is the end of a connection that was not wanted: the gateway tries again
// after a random time, that doubles while it is of no use.
func (s *shard) lost(h *home, now int64) {
	if h.phase == there {
		s.count.there.Add(-1)
		s.count.lost++
	}
	h.close(false)
	if h.phase == away {
		return
	}
	if h.heard {
		h.attempt = 0
	}
	h.attempt++
	span := min(mostPause, leastPause<<min(h.attempt-1, 10))
	if s.helpAsked(h) {
		span = min(span, urgentMost)
	}
	h.phase, h.heard, h.until = away, false, now+s.jitter(span)
	s.wheel.set(h, h.until)
}

// write gives bytes to the network; what it does not take waits in h.out.
func (s *shard) write(h *home, b []byte, now int64) {
	h.wrote = now
	if h.tls != nil {
		_ = h.tls.SetWriteDeadline(time.Now().Add(20 * time.Second))
		if _, err := h.tls.Write(b); err != nil {
			s.lost(h, now)
		}
		return
	}
	n := 0
	if len(h.out) == 0 {
		var err error
		if n, err = unix.Write(int(h.fd), b); err != nil {
			if !errors.Is(err, unix.EAGAIN) {
				s.lost(h, now)
				return
			}
			n = 0
		}
	}
	if n < len(b) {
		if len(h.out) == 0 {
			s.watch(h, true)
		}
		h.out = append(h.out, b[n:]...)
	}
}

// watch says whether epoll is to tell when the network takes more.
func (s *shard) watch(h *home, writable bool) {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: h.place, Pad: h.age}
	if writable {
		event.Events |= unix.EPOLLOUT
	}
	if err := unix.EpollCtl(s.epoll, unix.EPOLL_CTL_MOD, int(h.fd), &event); err != nil {
		s.fault(fmt.Errorf("watch a connection: %w", err))
	}
}

// ready takes what epoll says of a connection.
func (s *shard) ready(h *home, events uint32, now int64) {
	if events&unix.EPOLLOUT != 0 {
		switch {
		case h.phase == dialling:
			if code, err := unix.GetsockoptInt(int(h.fd), unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
				s.count.failed++
				s.lost(h, now)
				return
			}
			s.watch(h, false)
			s.hello(h, now)
		case len(h.out) > 0:
			n, err := unix.Write(int(h.fd), h.out)
			if err != nil && !errors.Is(err, unix.EAGAIN) {
				s.lost(h, now)
				return
			}
			if h.out = h.out[max(0, n):]; len(h.out) == 0 {
				h.out = nil
				s.watch(h, false)
				s.act(h, now)
			}
		}
	}
	if h.fd == 0 || events&^unix.EPOLLOUT == 0 {
		return
	}
	n, err := unix.Read(int(h.fd), s.buffer)
	switch {
	case err != nil && errors.Is(err, unix.EAGAIN):
	case err != nil || n == 0:
		if h.phase < there {
			s.count.failed++
		}
		s.lost(h, now)
	default:
		s.received(h, s.buffer[:n], now)
	}
}

// hello begins MQTT.
func (s *shard) hello(h *home, now int64) {
	h.phase, h.id = greeting, 1
	s.frames = connect(s.frames[:0], h.name, h.state(false, s.began))
	s.write(h, s.frames, now)
}
