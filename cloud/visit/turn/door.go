package turn

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// wordTime is how long a connection may be open without a whole word, and
	// signInTime without an allocation.
	wordTime   = 5 * time.Second
	signInTime = 10 * time.Second
	// idleTime is how long one with an allocation may say nothing: a browser
	// checks its way every few seconds.
	idleTime = 2 * time.Minute
	// writeTime is how long a packet may wait for a client that does not read.
	writeTime = 10 * time.Second
	// sendBuffer is what the kernel may hold for a slow client, in bytes: more
	// would be heard as delay.
	sendBuffer = 64 << 10
	// strangers is how many connections may be open without an allocation, and
	// perAddress how many of them from one address: as many as a proxy in front, or
	// a network behind one address, has at a time. One more puts out one that has
	// said nothing, so that those who do shut the door for nobody.
	strangers  = 256
	perAddress = 64
)

// door is the listener through which all streams come in: it bounds them, and
// hands pion whole frames only.
type door struct {
	most  int
	waits patience
	count *counters
	in    chan net.Conn
	done  chan struct{}

	mu        sync.Mutex
	closed    bool
	streams   map[string]*stream // by both ends' addresses
	listeners map[net.Listener]struct{}
	unknown   map[netip.Prefix]int // streams without an allocation, by where they come from
}

// patience is how long a connection may be open without a whole word, and without
// an allocation.
type patience struct{ word, signIn time.Duration }

func newDoor(most int, waits patience, count *counters) *door {
	return &door{
		most: most, waits: waits, count: count, in: make(chan net.Conn), done: make(chan struct{}),
		streams: make(map[string]*stream), listeners: make(map[net.Listener]struct{}), unknown: make(map[netip.Prefix]int),
	}
}

// placeOf is what counts as one address: in IPv6 somebody has a whole network of them.
func placeOf(a net.Addr) netip.Prefix {
	var ip netip.Addr
	if t, ok := a.(*net.TCPAddr); ok {
		ip = t.AddrPort().Addr().Unmap()
	}
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // of no address, none
	return p
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
	s := &stream{Conn: conn, door: d, read: bufio.NewReaderSize(conn, 2*mtu), opened: time.Now(), from: placeOf(conn.RemoteAddr())}
	key := ends(conn.RemoteAddr(), conn.LocalAddr())
	d.mu.Lock()
	ok := !d.closed && d.streams[key] == nil
	var out *stream
	if ok {
		out, ok = d.makeRoom(s.from)
	}
	if ok {
		d.streams[key] = s
		d.unknown[s.from]++
	}
	d.mu.Unlock()
	if out != nil {
		_ = out.Close()
	}
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

// makeRoom reports whether one more may come in, and which is to be closed for it;
// that one is forgotten. It is one that has said nothing: of where the most strangers
// are, the one that has been there the longest. d.mu is held.
func (d *door) makeRoom(from netip.Prefix) (out *stream, ok bool) {
	all := 0
	for _, n := range d.unknown {
		all += n
	}
	crowded := d.unknown[from] >= perAddress
	if !crowded && all < strangers && len(d.streams) < d.most+strangers {
		return nil, true
	}
	d.count.overBound.Add(1)
	for _, s := range d.streams {
		if s.known.Load() || s.spoke.Load() || crowded && s.from != from {
			continue
		}
		if out == nil || cmp.Or(cmp.Compare(d.unknown[out.from], d.unknown[s.from]), s.opened.Compare(out.opened)) < 0 {
			out = s
		}
	}
	if out == nil {
		return nil, false
	}
	d.forget(out)
	return out, true
}

// admit notes that a stream has an allocation.
func (d *door) admit(from, to net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.streams[ends(from, to)]; s != nil {
		d.isKnown(s)
	}
}

// isKnown counts a stream among the strangers no more. d.mu is held.
func (d *door) isKnown(s *stream) {
	if s.known.Swap(true) {
		return
	}
	if d.unknown[s.from]--; d.unknown[s.from] == 0 {
		delete(d.unknown, s.from)
	}
}

func (d *door) leave(s *stream) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(s)
}

// forget is leave while d.mu is held.
func (d *door) forget(s *stream) {
	key := ends(s.RemoteAddr(), s.LocalAddr())
	if d.streams[key] != s {
		return
	}
	delete(d.streams, key)
	d.isKnown(s)
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
	from   netip.Prefix
	spoke  atomic.Bool // it has said a whole word
	known  atomic.Bool // it has, or had, an allocation
	once   sync.Once
}

var errFrame = errors.New("neither STUN nor channel data")

// Read reads one whole frame (RFC 8656, sections 5 and 12.5). The library's own
// framing never ends over a message whose length overflows 16 bits, so none that
// is longer than a datagram may be gets as far.
func (s *stream) Read(p []byte) (int, error) {
	deadline := s.opened.Add(s.door.waits.word)
	switch {
	case s.known.Load():
		deadline = time.Now().Add(idleTime)
	case s.spoke.Load():
		deadline = s.opened.Add(s.door.waits.signIn)
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
	n, err := io.ReadFull(s.read, p[:size])
	if err == nil && !s.spoke.Load() {
		s.spoke.Store(true)
	}
	return n, err
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
