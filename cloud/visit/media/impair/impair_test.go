package impair

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipe is one end of a connection inside the test: what is written is noted, what
// is put in is read.
type pipe struct {
	mu    sync.Mutex
	wrote []time.Time
	sizes []int
	in    chan packet
	done  chan struct{}
	once  sync.Once
}

func newPipe() *pipe { return &pipe{in: make(chan packet), done: make(chan struct{})} }

func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case x := <-p.in:
		return copy(b, x.data), x.addr, nil
	case <-p.done:
		return 0, nil, net.ErrClosed
	}
}

func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrote = append(p.wrote, time.Now())
	p.sizes = append(p.sizes, len(b))
	return len(b), nil
}

func (p *pipe) written() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.wrote...)
}

func (p *pipe) Close() error                     { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipe) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (p *pipe) SetDeadline(time.Time) error      { return nil }
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

var somebody = net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:4000"))

// send writes n packets of 972 bytes, 1000 with headers, one every gap.
func send(t *testing.T, c *Conn, n int, gap time.Duration) {
	t.Helper()
	for range n {
		if _, err := c.WriteTo(make([]byte, 972), somebody); err != nil {
			t.Fatal(err)
		}
		time.Sleep(gap)
	}
}

func TestLossIsAsAskedForAndTheSameAgain(t *testing.T) {
	for name, c := range map[string]struct {
		way  Way
		want float64
	}{
		"none":   {Way{}, 0},
		"random": {Way{Loss: 0.3}, 0.3},
		// Bad a third of the time, and then half is lost.
		"bursts": {Way{Burst: Burst{Begin: 0.05, End: 0.1, Loss: 0.5}}, 0.05 / 0.15 * 0.5},
		"all":    {Way{Loss: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var first Counts
			for range 2 {
				synctest.Test(t, func(t *testing.T) {
					c2 := New(newPipe(), 7, Way{}, c.way)
					defer func() { _ = c2.Close() }()
					send(t, c2, 20_000, time.Millisecond)
					_, got := c2.Counts()
					share := float64(got.Lost) / 20_000
					if math.Abs(share-c.want) > 0.02 {
						t.Errorf("%.3f are lost, want %.3f", share, c.want)
					}
					if first != (Counts{}) && got != first {
						t.Errorf("the same seed gives %+v and %+v", first, got)
					}
					first = got
				})
			}
		})
	}
}

func TestBurstsAreRuns(t *testing.T) {
	runs := func(w Way) float64 {
		d := newDirection(3, w)
		l := d.lines[netip.AddrPort{}]
		lost, begun, before := 0, 0, false
		for range 100_000 {
			now := l.loses(d.random)
			if now {
				lost++
				if !before {
					begun++
				}
			}
			before = now
		}
		return float64(lost) / float64(begun)
	}
	if random, burst := runs(Way{Loss: 0.1}), runs(Way{Burst: Burst{Begin: 0.02, End: 0.2, Loss: 1}}); burst < 3*random {
		t.Errorf("runs of %.1f lost packets, at random %.1f", burst, random)
	}
}

func TestDelayAndJitterKeepTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		c := New(p, 1, Way{}, Way{Delay: 50 * time.Millisecond, Jitter: 30 * time.Millisecond})
		defer func() { _ = c.Close() }()
		begin := time.Now()
		send(t, c, 100, 20*time.Millisecond)
		time.Sleep(time.Second)
		got := p.written()
		if len(got) != 100 {
			t.Fatalf("%d packets came through", len(got))
		}
		for i, at := range got {
			late := at.Sub(begin) - time.Duration(i)*20*time.Millisecond
			if late < 50*time.Millisecond || late > 80*time.Millisecond || i > 0 && at.Before(got[i-1]) {
				t.Errorf("packet %d took %v", i, late)
			}
		}
	})
}

func TestRateIsKeptAndTheQueueBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		c := New(p, 1, Way{}, Way{Rate: 80_000, Queue: 500 * time.Millisecond}) // ten packets a second
		defer func() { _ = c.Close() }()
		send(t, c, 100, 10*time.Millisecond) // in one second
		time.Sleep(10 * time.Second)
		if got := len(p.written()); got < 14 || got > 17 {
			t.Errorf("%d packets came through in a second and what waited", got)
		}
		_, out := c.Counts()
		if out.Full != 100-out.Passed || out.Lost != 0 {
			t.Errorf("counts: %+v", out)
		}
		// It can be changed while it runs.
		c.Set(Way{}, Way{})
		before := len(p.written())
		send(t, c, 50, time.Millisecond)
		time.Sleep(time.Second)
		if got := len(p.written()) - before; got != 50 {
			t.Errorf("%d of 50 came through without a limit", got)
		}
	})
}

func TestOneAddressCanBeWorse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		c := New(p, 1, Way{}, Way{})
		defer func() { _ = c.Close() }()
		c.SetFor(netip.MustParseAddrPort("[::ffff:192.0.2.1]:4000"), Way{Loss: 1}, Way{Loss: 1})
		for range 10 {
			_, _ = c.WriteTo([]byte{1}, somebody)
			_, _ = c.WriteTo([]byte{1}, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 4000})
		}
		time.Sleep(time.Second)
		if got := len(p.written()); got != 10 {
			t.Errorf("%d of 20 came through", got)
		}
	})
}

func TestReadingIsImpairedAndCanBeBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		c := New(p, 1, Way{Delay: time.Second}, Way{})
		begin := time.Now()
		p.in <- packet{[]byte("hello"), somebody}
		buf := make([]byte, 100)
		if err := c.SetReadDeadline(begin.Add(500 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadFrom(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading before the packet is there: %v", err)
		}
		_ = c.SetReadDeadline(time.Time{})
		n, addr, err := c.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "hello" || addr.String() != somebody.String() || time.Since(begin) != time.Second {
			t.Errorf("got %q from %v after %v, %v", buf[:n], addr, time.Since(begin), err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := c.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading after closing: %v", err)
		}
		if _, err := c.WriteTo(buf, somebody); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing after closing: %v", err)
		}
	})
}
