package turn

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// signInTime is how long a connection may be open without an allocation.
	signInTime = 20 * time.Second
	// idleTime is how long one with an allocation may say nothing: a browser
	// checks its way every few seconds.
	idleTime = 2 * time.Minute
	// writeTime is how long a packet may wait for a client that does not read.
	writeTime = 10 * time.Second
	// sendBuffer is what the kernel may hold for a slow client, in bytes: more
	// would be heard as delay.
	sendBuffer = 64 << 10
	// strangers is how many connections may be open without an allocation.
	strangers = 256
)

// door is the listener through which all streams come in: it bounds them, and
// hands pion whole frames only.
type door struct {
	most  int
	count *counters
	in    chan net.Conn
	done  chan struct{}

	mu        sync.Mutex
	closed    bool
	streams   map[string]*stream // by both ends' addresses
	listeners map[net.Listener]struct{}
	unknown   int // streams without an allocation
}

func newDoor(most int, count *counters) *door {
	return &door{
		most: most, count: count, in: make(chan net.Conn), done: make(chan struct{}),
		streams: make(map[string]*stream), listeners: make(map[net.Listener]struct{}),
	}
}

// now is how many streams are open.
func (d *door) now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.streams)
}

// watch has l closed with the door; false is a door that is closed.
func (d *door) watch(l net.Listener) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.listeners[l] = struct{}{}
	}
	return !d.closed
}

func (d *door) unwatch(l net.Listener) {
	d.mu.Lock()
	delete(d.listeners, l)
	d.mu.Unlock()
	_ = l.Close()
}

func ends(from, to net.Addr) string { return from.String() + " " + to.String() }

// enter takes a connection in, or closes it when there are too many.
func (d *door) enter(conn net.Conn) {
	s := &stream{Conn: conn, door: d, read: bufio.NewReaderSize(conn, 2*mtu), opened: time.Now()}
	key := ends(conn.RemoteAddr(), conn.LocalAddr())
	d.mu.Lock()
	ok := !d.closed && d.streams[key] == nil
	if ok && (d.unknown >= strangers || len(d.streams) >= d.most+strangers) {
		d.count.overBound.Add(1)
		ok = false
	}
	if ok {
		d.streams[key] = s
		d.unknown++
	}
	d.mu.Unlock()
	if !ok {
		_ = conn.Close()
		return
	}
	under := conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		under = t.NetConn()
	}
	if t, ok := under.(*tls.Conn); ok {
		under = t.NetConn()
	}
	if t, ok := under.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(sendBuffer)
	}
	select {
	case d.in <- s:
	case <-d.done:
		_ = s.Close()
	}
}

// admit notes that a stream has an allocation.
func (d *door) admit(from, to net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.streams[ends(from, to)]; s != nil && !s.known.Swap(true) {
		d.unknown--
	}
}

func (d *door) leave(s *stream) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := ends(s.RemoteAddr(), s.LocalAddr())
	if d.streams[key] != s {
		return
	}
	delete(d.streams, key)
	if !s.known.Swap(true) {
		d.unknown--
	}
}

// Accept is of net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.in:
		return conn, nil
	case <-d.done:
		return nil, errClosed
	}
}

// Addr is of net.Listener; the streams have addresses of their own.
func (d *door) Addr() net.Addr { return &net.TCPAddr{} }

// Close closes the door, the listeners before it and the streams behind it.
func (d *door) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	var all []io.Closer
	for l := range d.listeners {
		all = append(all, l)
	}
	for _, s := range d.streams {
		all = append(all, s)
	}
	d.mu.Unlock()
	close(d.done)
	for _, one := range all {
		_ = one.Close() // what was closed by the other end is no fault
	}
	return nil
}

// stream is one client's TCP or TLS connection.
type stream struct {
	net.Conn
	door   *door
	read   *bufio.Reader
	opened time.Time
	known  atomic.Bool // it has, or had, an allocation
	once   sync.Once
}

var errFrame = errors.New("neither STUN nor channel data")

// Read reads one whole frame (RFC 8656, sections 5 and 12.5). The library's own
// framing never ends over a message whose length overflows 16 bits, so none that
// is longer than a datagram may be gets as far.
func (s *stream) Read(p []byte) (int, error) {
	deadline := s.opened.Add(signInTime)
	if s.known.Load() {
		deadline = time.Now().Add(idleTime)
	}
	if err := s.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	head, err := s.read.Peek(4)
	if err != nil {
		return 0, err
	}
	size := int(binary.BigEndian.Uint16(head[2:]))
	switch head[0] >> 6 {
	case 0: // a STUN message, its length without the header
		if size%4 != 0 {
			return 0, errFrame
		}
		size += 20
	case 1: // channel data, padded to four bytes
		size = 4 + (size+3)/4*4
	default:
		return 0, errFrame
	}
	if size >= mtu || size > len(p) {
		return 0, fmt.Errorf("%w: %d bytes", errFrame, size)
	}
	return io.ReadFull(s.read, p[:size])
}

// Write sends, and gives up a client that does not read.
func (s *stream) Write(p []byte) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	if err != nil {
		_ = s.Close() // half a frame cannot be taken back
	}
	return n, err
}

// Close ends the stream.
func (s *stream) Close() error {
	err := net.ErrClosed
	s.once.Do(func() {
		s.door.leave(s)
		err = s.Conn.Close()
	})
	return err
}

// refusedByPeer reports that the media port was not there when a packet came.
func refusedByPeer(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
