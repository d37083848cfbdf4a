package media

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"golang.org/x/sys/unix"
)

// receiveBuffer is asked of the kernel, in bytes: a garbage collection or a busy
// moment of the machine must not lose a packet of a hundred visits.
const receiveBuffer = 8 << 20

// port is the one UDP port that all sessions share.
type port struct {
	batch  *batch
	conn   net.PacketConn // batch, or what is wrapped around it
	mux    *mux
	net    transport.Net
	addr   netip.AddrPort
	public []netip.Addr
	buffer int
}

func openPort(o Options) (*port, error) {
	conn, err := net.ListenPacket("udp", o.Listen)
	if err != nil {
		return nil, err
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return nil, errors.Join(errors.New("not a UDP port"), conn.Close())
	}
	p := &port{addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), buffer: growBuffer(udp)}
	p.addr = netip.AddrPortFrom(p.addr.Addr().Unmap(), p.addr.Port())
	if p.buffer < receiveBuffer {
		o.Log.Warn("the media port's receive buffer is smaller than it should be: set net.core.rmem_max",
			"id", ErrIDBuffer, "bytes", p.buffer, "wanted", receiveBuffer)
	}
	if p.public, err = publicAddresses(o.Public, p.addr.Addr()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if p.net, err = stdnet.NewNet(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	p.batch = newBatch(udp)
	p.conn = p.batch
	if o.Wrap != nil {
		p.conn = o.Wrap(p.batch)
	}
	p.mux = newMux(p.conn, p.net, p.addr, o.Log)
	return p, nil
}

func (p *port) close() error {
	return errors.Join(p.mux.Close(), ignoreClosed(p.conn.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// growBuffer asks for a large receive buffer and says what there is, in bytes.
func growBuffer(conn *net.UDPConn) int {
	// A refusal shows in what is read back.
	_ = conn.SetReadBuffer(receiveBuffer)
	got := 0
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			got, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		})
	}
	return got / 2 // Linux counts its bookkeeping in: socket(7)
}

// publicAddresses are those that browsers are told.
func publicAddresses(given []netip.Addr, listen netip.Addr) ([]netip.Addr, error) {
	if len(given) > 0 {
		return given, nil
	}
	if !listen.IsUnspecified() {
		return []netip.Addr{listen}, nil
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var own []netip.Addr
	for _, a := range all {
		ip, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		addr, ok := netip.AddrFromSlice(ip.IP)
		addr = addr.Unmap()
		if !ok || addr.IsLoopback() || addr.IsLinkLocalUnicast() || listen.Is4() && !addr.Is4() {
			continue
		}
		own = append(own, addr)
	}
	if len(own) == 0 {
		own = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	slices.SortStableFunc(own, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return own, nil
}

// mux hands packets to the sessions by the names in their first packets. It has
// one address of each family: which of the machine's a packet came to makes no
// difference, and what browsers are told is written into the answer.
type mux struct {
	*ice.UDPMuxDefault
	listens []net.Addr
}

func newMux(conn net.PacketConn, n transport.Net, addr netip.AddrPort, log *slog.Logger) *mux {
	m := &mux{UDPMuxDefault: ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: pionLog(log).NewLogger("ice"), UDPConn: conn, Net: n})}
	if !addr.Addr().IsUnspecified() {
		m.listens = []net.Addr{conn.LocalAddr()}
		return m
	}
	m.listens = []net.Addr{net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port()))}
	if addr.Addr().Is6() {
		m.listens = append(m.listens, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.IPv6Loopback(), addr.Port())))
	}
	return m
}

// GetListenAddresses is asked for by every session as it starts.
func (m *mux) GetListenAddresses() []net.Addr { return m.listens }
