// Package impair makes a bad line of a good one: a net.PacketConn that loses,
// delays and limits packets, each way by its own rules, and the same from the
// same seed. It is for tests and benchmarks.
package impair

import (
	"container/heap"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Way is what happens to packets in one direction. The zero value lets
// everything through at once.
type Way struct {
	// Loss is the share of packets that is lost at random, 0–1.
	Loss float64
	// Burst loses packets in runs, besides.
	Burst Burst
	// Delay is what every packet waits, Jitter what it waits besides, at most and
	// evenly spread. The order stays.
	Delay, Jitter time.Duration
	// Rate is how much passes, in bit/s with headers of 28 bytes a packet; 0 is no limit.
	Rate int
	// Queue is how long a packet waits for its turn at most before it is dropped;
	// 0 is 300 ms. It matters only with Rate.
	Queue time.Duration
}

// Burst is a Gilbert-Elliott model: a line is good or bad, and in the bad state
// it loses Loss of what passes.
type Burst struct {
	Begin, End float64 // chance per packet that a bad state begins or ends
	Loss       float64 // share lost in the bad state
}

const (
	headers      = 28 // bytes of IP and UDP
	defaultQueue = 300 * time.Millisecond
	maxWaiting   = 1 << 14 // packets in each direction
)

// Counts says what became of the packets in one direction.
type Counts struct{ Passed, Lost, Full uint64 }

// Conn is an impaired connection.
type Conn struct {
	inner   net.PacketConn
	in, out *direction
	ready   chan packet
	done    chan struct{}
	once    sync.Once
	running sync.WaitGroup

	mu       sync.Mutex
	deadline time.Time
	moved    chan struct{} // closed when the deadline changes
	err      error
}

type packet struct {
	data []byte
	addr net.Addr
}

// New impairs a connection; closing the result closes it.
func New(inner net.PacketConn, seed uint64, in, out Way) *Conn {
	c := &Conn{
		inner: inner, in: newDirection(seed, in), out: newDirection(seed+1, out),
		ready: make(chan packet, 256), done: make(chan struct{}), moved: make(chan struct{}),
	}
	c.running.Go(func() { c.in.run(c.done, c.arrive) })
	c.running.Go(func() {
		c.out.run(c.done, func(p packet) { _, _ = c.inner.WriteTo(p.data, p.addr) })
	})
	c.running.Go(c.read)
	return c
}

// Set changes both directions.
func (c *Conn) Set(in, out Way) {
	c.in.set(netip.AddrPort{}, in)
	c.out.set(netip.AddrPort{}, out)
}

// SetFor changes both directions of what goes to and comes from one address,
// which has a rate of its own then.
func (c *Conn) SetFor(remote netip.AddrPort, in, out Way) {
	c.in.set(plain(remote), in)
	c.out.set(plain(remote), out)
}

// Counts are what became of the packets in each direction.
func (c *Conn) Counts() (in, out Counts) { return c.in.counts(), c.out.counts() }

func (c *Conn) read() {
	buf := make([]byte, 1<<16)
	for {
		n, addr, err := c.inner.ReadFrom(buf)
		if err != nil {
			c.mu.Lock()
			c.err = err
			c.mu.Unlock()
			c.stop()
			return
		}
		c.in.take(packet{append([]byte(nil), buf[:n]...), addr}, time.Now())
	}
}

func (c *Conn) arrive(p packet) {
	select {
	case c.ready <- p:
	case <-c.done:
	}
}

// ReadFrom returns the next packet that came through.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		c.mu.Lock()
		deadline, moved, err := c.deadline, c.moved, c.err
		c.mu.Unlock()
		var late <-chan time.Time
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return 0, nil, os.ErrDeadlineExceeded
			}
			t := time.NewTimer(left)
			defer t.Stop()
			late = t.C
		}
		select {
		case p := <-c.ready:
			return copy(b, p.data), p.addr, nil
		case <-late:
			return 0, nil, os.ErrDeadlineExceeded
		case <-moved:
		case <-c.done:
			if err == nil {
				err = net.ErrClosed
			}
			return 0, nil, err
		}
	}
}

// WriteTo sends a packet, sooner or later or never: what is lost is no error.
func (c *Conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
	}
	c.out.take(packet{append([]byte(nil), b...), addr}, time.Now())
	return len(b), nil
}

func (c *Conn) stop() { c.once.Do(func() { close(c.done) }) }

// Close closes the connection; what was on its way is lost.
func (c *Conn) Close() error {
	c.stop()
	err := c.inner.Close()
	c.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// LocalAddr is that of the connection inside.
func (c *Conn) LocalAddr() net.Addr { return c.inner.LocalAddr() }

// SetDeadline sets that of reading: writing never waits.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline bounds ReadFrom.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}

// SetWriteDeadline does nothing: writing never waits.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// direction is one way of a connection.
type direction struct {
	mu      sync.Mutex
	random  *rand.Rand
	lines   map[netip.AddrPort]*line // the zero address is of all others
	waiting waiting
	number  uint64
	count   Counts
	wake    chan struct{}
}

// line is the state of one way to one address.
type line struct {
	way  Way
	bad  bool
	free time.Time // when the next packet can begin to pass
	last time.Time // when the last one is through
}

func newDirection(seed uint64, w Way) *direction {
	return &direction{
		random: rand.New(rand.NewPCG(seed, 0x6c796b7461)),
		lines:  map[netip.AddrPort]*line{{}: {way: w}}, wake: make(chan struct{}, 1),
	}
}

func (d *direction) set(to netip.AddrPort, w Way) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lines[to]; l != nil {
		l.way = w
		return
	}
	d.lines[to] = &line{way: w}
}

func (d *direction) counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// take lets a packet in: it is lost, or waits until it is through.
func (d *direction) take(p packet, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lines[address(p.addr)]
	if l == nil {
		l = d.lines[netip.AddrPort{}]
	}
	if l.loses(d.random) {
		d.count.Lost++
		return
	}
	due, ok := l.through(len(p.data), now, d.random)
	if !ok || len(d.waiting) >= maxWaiting {
		d.count.Full++
		return
	}
	d.count.Passed++
	d.number++
	heap.Push(&d.waiting, waits{due, d.number, p})
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (l *line) loses(r *rand.Rand) bool {
	w := l.way
	if w.Burst.Begin > 0 {
		if l.bad {
			l.bad = r.Float64() >= w.Burst.End
		} else {
			l.bad = r.Float64() < w.Burst.Begin
		}
		if l.bad && r.Float64() < w.Burst.Loss {
			return true
		}
	}
	return w.Loss > 0 && r.Float64() < w.Loss
}

// through is when a packet is; false when it is dropped for the queue.
func (l *line) through(size int, now time.Time, r *rand.Rand) (time.Time, bool) {
	w, due := l.way, now
	if w.Rate > 0 {
		queue := w.Queue
		if queue == 0 {
			queue = defaultQueue
		}
		begin := now
		if l.free.After(begin) {
			begin = l.free
		}
		if begin.Sub(now) > queue {
			return due, false
		}
		l.free = begin.Add(time.Duration(float64((size+headers)*8) / float64(w.Rate) * float64(time.Second)))
		due = l.free
	}
	due = due.Add(w.Delay)
	if w.Jitter > 0 {
		due = due.Add(time.Duration(r.Int64N(int64(w.Jitter))))
	}
	if due.Before(l.last) {
		due = l.last
	}
	l.last = due
	return due, true
}

// run hands on what is through, until done.
func (d *direction) run(done <-chan struct{}, on func(packet)) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		d.mu.Lock()
		var next packet
		wait := time.Hour
		have := false
		if len(d.waiting) > 0 {
			if wait = time.Until(d.waiting[0].due); wait <= 0 {
				next, have = heap.Pop(&d.waiting).(waits).packet, true
			}
		}
		d.mu.Unlock()
		if have {
			on(next)
			select {
			case <-done:
				return
			default:
				continue
			}
		}
		timer.Reset(wait)
		select {
		case <-done:
			return
		case <-d.wake:
		case <-timer.C:
		}
	}
}

// waiting are packets by when they are through.
type waiting []waits

type waits struct {
	due    time.Time
	number uint64
	packet packet
}

func (w waiting) Len() int { return len(w) }
func (w waiting) Less(i, j int) bool {
	if w[i].due.Equal(w[j].due) {
		return w[i].number < w[j].number
	}
	return w[i].due.Before(w[j].due)
}
func (w waiting) Swap(i, j int) { w[i], w[j] = w[j], w[i] }

// Push and Pop are heap.Interface's.
func (w *waiting) Push(x any) { *w = append(*w, x.(waits)) }

// Pop takes the last.
func (w *waiting) Pop() any {
	old := *w
	last := old[len(old)-1]
	old[len(old)-1] = waits{}
	*w = old[:len(old)-1]
	return last
}

func address(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok {
		return plain(u.AddrPort())
	}
	return netip.AddrPort{}
}

func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
