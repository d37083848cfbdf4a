package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// ports is the port as it is used, and somebody at the other end of it.
func ports(t *testing.T, address string) (*batch, *net.UDPConn) {
	t.Helper()
	var conns [2]*net.UDPConn
	for i := range conns {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Skip(err) // a machine without IPv6
		}
		conns[i] = c.(*net.UDPConn)
		growBuffer(conns[i])
		if err := conns[i].SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	b := newBatch(conns[0])
	t.Cleanup(func() { _, _ = b.Close(), conns[1].Close() })
	return b, conns[1]
}

// addressOf is a connection's, also where it listens on all of them.
func addressOf(c net.PacketConn, to netip.Addr) netip.AddrPort {
	return netip.AddrPortFrom(to, c.LocalAddr().(*net.UDPAddr).AddrPort().Port())
}

// TestManyPacketsAtOnce has more packets written at once than are kept, and read
// at once than are taken; each arrives, from and to the right address.
func TestManyPacketsAtOnce(t *testing.T) {
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	for name, c := range map[string]struct {
		listen string
		at     netip.Addr
	}{
		"IPv4": {"127.0.0.1:0", v4}, "IPv6": {"[::1]:0", v6}, "both, by IPv4": {"[::]:0", v4}, "both, by IPv6": {"[::]:0", v6},
	} {
		t.Run(name, func(t *testing.T) {
			b, far := ports(t, c.listen)
			const packets = 3 * batchWrite
			for i := range packets {
				text := fmt.Appendf(nil, "to %d", i)
				if _, err := b.WriteToAddrPort(text, addressOf(far, c.at)); err != nil {
					t.Fatal(err)
				}
			}
			come, buf := map[string]bool{}, make([]byte, 100)
			for range packets {
				n, from, err := far.ReadFromUDPAddrPort(buf)
				if err != nil {
					t.Fatalf("after %d of %d packets: %v", len(come), packets, err)
				}
				come[string(buf[:n])] = true
				if from.Addr().Unmap() != c.at {
					t.Fatalf("a packet came from %v", from)
				}
			}
			if len(come) != packets {
				t.Errorf("%d of %d packets came, the others twice", len(come), packets)
			}
			for i := range packets {
				if _, err := far.WriteToUDPAddrPort(fmt.Appendf(nil, "from %d", i), addressOf(b, c.at)); err != nil {
					t.Fatal(err)
				}
			}
			for i := range packets {
				n, from, err := b.ReadFromAddrPort(buf)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := string(buf[:n]), fmt.Sprintf("from %d", i); got != want || from.Addr().Unmap() != c.at {
					t.Fatalf("%q came from %v, not %q", got, from, want)
				}
			}
		})
	}
}

// TestAPacketThatCannotBeSentStopsNoOther has one in the middle refused by the kernel.
func TestAPacketThatCannotBeSentStopsNoOther(t *testing.T) {
	b, far := ports(t, "127.0.0.1:0")
	good := addressOf(far, netip.MustParseAddr("127.0.0.1"))
	for _, to := range []netip.AddrPort{good, netip.AddrPortFrom(good.Addr(), 0), good} {
		if _, err := b.WriteToAddrPort([]byte("x"), to); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, _, err := far.ReadFromUDPAddrPort(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if failed := b.failed.Load(); failed != 1 {
		t.Errorf("%d packets are said not to have been sent, not 1", failed)
	}
}

// TestClosingSendsWhatWaits closes right after a packet was written.
func TestClosingSendsWhatWaits(t *testing.T) {
	b, far := ports(t, "127.0.0.1:0")
	if _, err := b.WriteTo([]byte("goodbye"), far.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, _, err := far.ReadFromUDPAddrPort(buf); err != nil || string(buf[:n]) != "goodbye" {
		t.Errorf("%q came, %v", buf[:n], err)
	}
	if _, err := b.WriteTo([]byte("late"), far.LocalAddr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing after the end: %v", err)
	}
	if _, _, err := b.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading after the end: %v", err)
	}
}
