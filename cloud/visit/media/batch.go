package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"
)

const (
	batchRead  = 64               // packets that are taken with one system call
	batchWrite = 256              // packets that are sent with one
	batchWaits = time.Millisecond // what a packet waits for others to go with it
	batchMTU   = 1500             // bytes; a longer packet comes from nobody's browser
)

// batch is the media port, read and written many packets at a time: half of what
// forwarding costs is else the kernel's, a system call for each packet. Where a
// system has no such call, it is one packet at a time.
//
// One goroutine reads it.
type batch struct {
	*net.UDPConn
	many   *ipv4.PacketConn // in spite of its name for both families
	failed atomic.Uint64    // packets that the kernel did not take

	in        []ipv4.Message
	read, got int

	mu      sync.Mutex
	out     *outgoing
	closed  bool
	pending chan struct{}
	written chan struct{} // closed when nothing is written any more
}

// outgoing are packets that wait, each with memory of its own.
type outgoing struct {
	messages [batchWrite]ipv4.Message
	addrs    [batchWrite]net.UDPAddr
	ips      [batchWrite][16]byte
	bytes    [batchWrite][batchMTU]byte
	used     int
}

func newBatch(conn *net.UDPConn) *batch {
	b := &batch{
		UDPConn: conn, many: ipv4.NewPacketConn(conn), in: make([]ipv4.Message, batchRead),
		out: newOutgoing(), pending: make(chan struct{}, 1), written: make(chan struct{}),
	}
	for i := range b.in {
		b.in[i].Buffers = [][]byte{make([]byte, batchMTU)}
	}
	go b.send(newOutgoing())
	return b
}

func newOutgoing() *outgoing {
	o := &outgoing{}
	for i := range o.messages {
		o.messages[i].Addr, o.messages[i].Buffers = &o.addrs[i], [][]byte{nil}
	}
	return o
}

// ReadFromAddrPort returns the next packet.
func (b *batch) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	for {
		if b.read == b.got {
			if b.got < batchRead/2 {
				time.Sleep(batchWaits) // others come meanwhile
			}
			n, err := b.many.ReadBatch(b.in, 0)
			if err != nil {
				return 0, netip.AddrPort{}, err
			}
			b.read, b.got = 0, n
			continue
		}
		m := &b.in[b.read]
		b.read++
		from, ok := m.Addr.(*net.UDPAddr)
		if !ok || m.N > len(p) {
			continue
		}
		return copy(p, m.Buffers[0][:m.N]), from.AddrPort(), nil
	}
}

// ReadFrom returns the next packet.
func (b *batch) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := b.ReadFromAddrPort(p)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToAddrPort has a packet sent within batchWaits. That it was not taken by
// the kernel is counted, and no error: the network may lose it as well.
func (b *batch) WriteToAddrPort(p []byte, to netip.AddrPort) (int, error) {
	b.mu.Lock()
	o := b.out
	if b.closed {
		b.mu.Unlock()
		return 0, net.ErrClosed
	}
	if o.used == batchWrite || len(p) > batchMTU {
		b.mu.Unlock()
		return b.UDPConn.WriteToUDPAddrPort(p, to)
	}
	i := o.used
	o.used++
	o.messages[i].Buffers[0] = o.bytes[i][:copy(o.bytes[i][:], p)]
	addr := to.Addr()
	if addr.Is4() {
		*(*[4]byte)(o.ips[i][:4]) = addr.As4()
		o.addrs[i].IP = o.ips[i][:4]
	} else {
		o.ips[i] = addr.As16()
		o.addrs[i].IP = o.ips[i][:]
	}
	o.addrs[i].Port, o.addrs[i].Zone = int(to.Port()), addr.Zone()
	b.mu.Unlock()
	if i == 0 {
		select {
		case b.pending <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}

// WriteTo has a packet sent, as WriteToAddrPort does.
func (b *batch) WriteTo(p []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, &net.AddrError{Err: "not a UDP address", Addr: to.String()}
	}
	return b.WriteToAddrPort(p, udp.AddrPort())
}

// send sends what waits, until the port is closed.
func (b *batch) send(spare *outgoing) {
	defer close(b.written)
	for range b.pending {
		time.Sleep(batchWaits)
		b.mu.Lock()
		spare, b.out = b.out, spare
		closed := b.closed
		b.mu.Unlock()
		for rest := spare.messages[:spare.used]; len(rest) > 0; {
			n, err := b.many.WriteBatch(rest, 0)
			if err != nil {
				if errors.Is(err, net.ErrClosed) {
					break
				}
				// It is about the first that was not sent.
				b.failed.Add(1)
				n = max(n, 0) + 1
			}
			rest = rest[min(n, len(rest)):]
		}
		spare.used = 0
		if closed {
			return
		}
	}
}

// SetWriteDeadline does nothing: writing never waits.
func (b *batch) SetWriteDeadline(time.Time) error { return nil }

// Close sends what waits and closes the port.
func (b *batch) Close() error {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	b.mu.Unlock()
	if again {
		return net.ErrClosed
	}
	select {
	case b.pending <- struct{}{}:
	default:
	}
	<-b.written
	return b.UDPConn.Close()
}
