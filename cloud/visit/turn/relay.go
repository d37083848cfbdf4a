package turn

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	pion "github.com/pion/turn/v5"
)

// route is the way to the media port for clients of one address family.
type route struct {
	told netip.AddrPort // as clients know it
	real netip.AddrPort // where it is on this machine
}

var (
	errElsewhere = errors.New("relays reach the media port only")
	errBound     = errors.New("too many allocations")
)

func newRelays(o Options, count *counters, refused func(client, peer string)) *relays {
	r := &relays{
		perPerson: o.PerPerson, most: o.Most, count: count, refused: refused,
		open: make(map[*relay]struct{}), by: make(map[string]int), until: make(map[string]time.Time),
	}
	for _, told := range o.Public {
		told = unmap(told)
		if r.has(told.Addr().Is6()) {
			continue
		}
		real := unmap(o.Relay)
		if real.Addr().IsUnspecified() {
			loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
			if told.Addr().Is6() {
				loopback = netip.IPv6Loopback()
			}
			real = netip.AddrPortFrom(loopback, real.Port())
		}
		if told.Addr().IsUnspecified() {
			told = real
		}
		r.routes = append(r.routes, route{told, real})
	}
	return r
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// has reports whether the media port has an address of a family.
func (r *relays) has(six bool) bool {
	for _, way := range r.routes {
		if way.told.Addr().Is6() == six {
			return true
		}
	}
	return false
}

// now is how many relays are open.
func (r *relays) now() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open)
}

// Validate is of pion's interface.
func (r *relays) Validate() error { return nil }

// AllocateListener refuses: media goes over UDP.
func (r *relays) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errElsewhere
}

// AllocateConn refuses: media goes over UDP.
func (r *relays) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errElsewhere }

// AllocatePacketConn makes the relay of an allocation.
func (r *relays) AllocatePacketConn(c pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	until, of, ok := whose(c.UserID)
	if !ok {
		return nil, nil, errElsewhere // a look for a pair of ports, of which there is no need
	}
	for _, way := range r.routes {
		if way.told.Addr().Is6() != (c.Network == "udp6") {
			continue
		}
		relay := &relay{of: of, way: way, all: r}
		if err := r.add(relay); err != nil {
			return nil, nil, err
		}
		conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(way.real.Addr(), 0)), net.UDPAddrFromAddrPort(way.real))
		if err == nil {
			err = conn.SetReadBuffer(relayBuffer)
		}
		if err == nil {
			relay.UDPConn = conn
			err = r.lasting(relay, until)
		}
		if err != nil {
			r.remove(relay)
			return nil, nil, fmt.Errorf("make a relay: %w", err)
		}
		port := conn.LocalAddr().(*net.UDPAddr).Port
		return relay, &net.UDPAddr{IP: way.told.Addr().AsSlice(), Port: port}, nil
	}
	return nil, nil, fmt.Errorf("the media port has no address of %s", c.Network)
}

// relayBuffer is what a relay may hold for its client, in bytes: a third of a
// second of a good picture. What is older is of no use.
const relayBuffer = 64 << 10

func (r *relays) add(one *relay) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosed
	}
	if len(r.open) >= r.most || r.by[one.of] >= r.perPerson {
		r.count.overBound.Add(1)
		return errBound
	}
	r.open[one] = struct{}{}
	r.by[one.of]++
	return nil
}

// lasting sets how long a relay lasts that was made with a credential good until
// then; longer if a newer one was given meanwhile.
func (r *relays) lasting(one *relay, until time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if newer := r.until[one.of]; newer.After(until) {
		until = newer
	}
	one.made = true
	return one.SetReadDeadline(until.Add(grace))
}

// maxRenewed bounds for how many people the end of their last credential is
// remembered before those that are over are forgotten.
const maxRenewed = 1000

// renew lets what somebody has in a call last until then.
func (r *relays) renew(of string, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) > maxRenewed {
		now := time.Now()
		maps.DeleteFunc(r.until, func(_ string, t time.Time) bool { return now.After(t) })
	}
	if !until.After(r.until[of]) {
		return
	}
	r.until[of] = until
	if r.by[of] == 0 {
		return
	}
	for one := range r.open {
		if one.of == of && one.made {
			_ = one.SetReadDeadline(until.Add(grace)) // one that is closed needs none
		}
	}
}

// renewed returns until when somebody's last credential in a call is good.
func (r *relays) renewed(of string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.until[of]
}

func (r *relays) remove(one *relay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.open[one]; !ok {
		return
	}
	delete(r.open, one)
	if r.by[one.of]--; r.by[one.of] == 0 {
		delete(r.by, one.of)
	}
}

// close ends all relays; no more are made.
func (r *relays) close() {
	r.mu.Lock()
	r.closed = true
	all := make([]*relay, 0, len(r.open))
	for one := range r.open {
		all = append(all, one)
	}
	r.mu.Unlock()
	for _, one := range all {
		_ = one.Close()
	}
}

// relay is the packet connection of one allocation. Its socket is connected to
// the media port: the kernel lets nothing else in or out.
type relay struct {
	*net.UDPConn
	of   string // call and person
	made bool   // it has its socket; guarded by all.mu
	way  route
	all  *relays
	once sync.Once
}

// ReadFrom reads what the media port sent, from the address that the client knows.
func (r *relay) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, err := r.Read(p)
		if err == nil {
			r.all.count.out.Add(1)
			return n, net.UDPAddrFromAddrPort(r.way.told), nil
		}
		if !refusedByPeer(err) {
			return 0, nil, err // the credential's time is over among them
		}
	}
}

// WriteTo sends to the media port what a client meant for it, and refuses the rest.
func (r *relay) WriteTo(p []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok || unmap(udp.AddrPort()) != r.way.told {
		r.all.refused(r.of, to.String())
		return 0, errElsewhere
	}
	r.all.count.in.Add(1)
	n, err := r.Write(p)
	if refusedByPeer(err) {
		return len(p), nil // lost, as in any network
	}
	return n, err
}

// Close ends the relay.
func (r *relay) Close() error {
	err := net.ErrClosed
	r.once.Do(func() {
		r.all.remove(r)
		err = r.UDPConn.Close()
	})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
