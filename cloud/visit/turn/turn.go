// Package turn is the embedded TURN server (RFC 8656) of calls by video: the
// way around a network that lets no UDP through, or only TLS.
//
// It is no open relay. Credentials hold for minutes and are made for one person
// in one call; what comes in is handed to the media port of this service and to
// nothing else, whatever a client asks for.
package turn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	pion "github.com/pion/turn/v5"
)

// Options are the settings of a Server.
type Options struct {
	// UDP and TCP are the addresses (host:port) to listen on; "" is none. TLS
	// comes by Serve.
	UDP, TCP string
	// Relay is where the media port listens on this machine. An unspecified
	// address is reached over loopback.
	Relay netip.AddrPort
	// Public are the addresses under which browsers know the media port. What a
	// client sends to the first of each family goes to Relay, so it does not have
	// to be reachable from here. Empty is Relay itself.
	Public []netip.AddrPort
	// Secret signs the credentials, at least MinSecret bytes; nil is a random one.
	Secret []byte
	// PerPerson is how many allocations one person may have in one call, Most how
	// many there are in all; 0 is DefaultPerPerson and DefaultMost.
	PerPerson, Most int
	Log             *slog.Logger

	patience patience // of tests; 0 is as it is
}

// Bounds.
const (
	MinSecret = 16 // bytes
	// DefaultPerPerson leaves room for a telephone with several networks, each
	// tried over UDP, TCP and TLS, and for the same again after a restart of ICE.
	DefaultPerPerson = 24
	DefaultMost      = 1000

	// lifetime of an allocation that is not refreshed, unless the client asks for
	// another. None outlives the last credential of its person in its call by more
	// than grace.
	lifetime = 10 * time.Minute
	grace    = time.Minute

	// mtu is the longest datagram or frame that is taken, in bytes.
	mtu = 1600
	// udpBuffer is what the kernel may hold of what came in over UDP, in bytes.
	udpBuffer = 4 << 20
)

// Realm is what clients are told to sign in to.
const Realm = "lykta"

// Errors of a server.
var (
	ErrOptions = errors.New("TURN cannot be set up like this")
	errClosed  = errors.New("TURN is closed")
)

// Server is a TURN server that reaches the media port.
type Server struct {
	o      Options
	relays *relays
	count  counters
	inner  *pion.Server
	door   *door

	udp, tcp net.Addr // nil is none
}

// Stats are the counts of a server; all but Allocations and Connections only grow.
type Stats struct {
	Allocations, Connections uint64 // now
	Allocated                uint64
	// In and Out are packets relayed to the media port and from it.
	In, Out uint64
	// BadCredentials counts requests whose credential is expired, of another, or
	// wrong; BadPeers permissions and packets for anything but the media port;
	// OverBound allocations and connections beyond the bounds.
	BadCredentials, BadPeers, OverBound uint64
}

type counters struct {
	allocated, in, out, badCredentials, badPeers, overBound atomic.Uint64
	warned                                                  atomic.Int64 // when, Unix seconds
}

// Open starts a server.
func Open(o Options) (*Server, error) {
	if !o.Relay.IsValid() || o.Relay.Port() == 0 {
		return nil, fmt.Errorf("%w: the media port is not known", ErrOptions)
	}
	if o.Secret == nil {
		o.Secret = make([]byte, 32)
		_, _ = rand.Read(o.Secret) // never fails
	}
	if len(o.Secret) < MinSecret {
		return nil, fmt.Errorf("%w: the secret has at least %d bytes", ErrOptions, MinSecret)
	}
	if len(o.Public) == 0 {
		o.Public = []netip.AddrPort{o.Relay}
	}
	if o.PerPerson == 0 {
		o.PerPerson = DefaultPerPerson
	}
	if o.Most == 0 {
		o.Most = DefaultMost
	}
	s := &Server{o: o}
	s.relays = newRelays(o, &s.count, s.refusedPeer)
	if o.patience == (patience{}) {
		o.patience = patience{wordTime, signInTime}
	}
	s.door = newDoor(o.Most, o.patience, &s.count)
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.door.Close())
	}
	return s, nil
}

func (s *Server) listen() error {
	var lc net.ListenConfig
	config := pion.ServerConfig{
		LoggerFactory: quiet{s.o.Log}, Realm: Realm, AuthHandler: s.authenticate, AllocationLifetime: lifetime, InboundMTU: mtu,
		// A client that asks for no family gets one in which the media port has an address.
		StrictAddressFamily: s.relays.has(false),
		EventHandler: pion.EventHandler{
			OnAuth: func(_, _ net.Addr, _, _, _, _ string, good bool) {
				if !good {
					s.count.badCredentials.Add(1)
				}
			},
			OnAllocationCreated: func(from, to net.Addr, _, _, _ string, _ net.Addr, _ int) {
				s.count.allocated.Add(1)
				s.door.admit(from, to)
			},
		},
		ListenerConfigs: []pion.ListenerConfig{{Listener: s.door, RelayAddressGenerator: s.relays, PermissionHandler: s.permit}},
	}
	if s.o.UDP != "" {
		conn, err := lc.ListenPacket(context.Background(), "udp", s.o.UDP)
		if err != nil {
			return fmt.Errorf("listen for TURN over UDP: %w", err)
		}
		s.udp = conn.LocalAddr()
		if c, ok := conn.(*net.UDPConn); ok {
			_ = c.SetReadBuffer(udpBuffer) // as much of it as the system allows
		}
		config.PacketConnConfigs = []pion.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: s.relays, PermissionHandler: s.permit}}
	}
	closeUDP := func() error {
		if s.udp == nil {
			return nil
		}
		return config.PacketConnConfigs[0].PacketConn.Close()
	}
	var tcp net.Listener
	if s.o.TCP != "" {
		var err error
		if tcp, err = lc.Listen(context.Background(), "tcp", s.o.TCP); err != nil {
			return errors.Join(fmt.Errorf("listen for TURN over TCP: %w", err), closeUDP())
		}
		s.tcp = tcp.Addr()
	}
	inner, err := pion.NewServer(config)
	if err != nil {
		err = errors.Join(fmt.Errorf("start TURN: %w", err), closeUDP())
		if tcp != nil {
			err = errors.Join(err, tcp.Close())
		}
		return err
	}
	s.inner = inner
	if tcp != nil {
		go func() { _ = s.Serve(tcp) }()
	}
	return nil
}

// Serve takes connections from l until l or the server is closed: over TCP, or
// with TLS already ended. It returns the reason, and closes l.
func (s *Server) Serve(l net.Listener) error {
	if !s.door.watch(l) {
		return errors.Join(errClosed, l.Close())
	}
	defer s.door.unwatch(l)
	for {
		conn, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accept for TURN: %w", err)
		}
		s.door.enter(conn)
	}
}

// UDP and TCP return where the server listens; nil is nowhere.
func (s *Server) UDP() net.Addr { return s.udp }

// TCP is where the server listens for TCP; nil is nowhere.
func (s *Server) TCP() net.Addr { return s.tcp }

// Stats returns the counts.
func (s *Server) Stats() Stats {
	return Stats{
		Allocations: uint64(s.relays.now()), Connections: uint64(s.door.now()), Allocated: s.count.allocated.Load(),
		In: s.count.in.Load(), Out: s.count.out.Load(),
		BadCredentials: s.count.badCredentials.Load(), BadPeers: s.count.badPeers.Load(), OverBound: s.count.overBound.Load(),
	}
}

// Close ends the server, all allocations and all connections.
func (s *Server) Close() error {
	err := s.inner.Close() // the door among them
	s.relays.close()
	return err
}

// permit decides whether packets from a peer's address may come to a client, and
// go there. The port is looked at in each packet.
func (s *Server) permit(client net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	ok = ok && slices.ContainsFunc(s.relays.routes, func(r route) bool { return r.told.Addr() == ip.Unmap() })
	if !ok {
		s.refusedPeer(client.String(), peer.String())
	}
	return ok
}

// warnEvery bounds how often it is said that a client aims elsewhere.
const warnEvery = time.Minute

// refusedPeer counts what a client was refused, and says so now and then: it was
// let in to a call and tries to reach something else. The client is its address,
// or its call and person.
func (s *Server) refusedPeer(client, peer string) {
	total := s.count.badPeers.Add(1)
	now, last := time.Now().Unix(), s.count.warned.Load()
	if now-last < int64(warnEvery/time.Second) || !s.count.warned.CompareAndSwap(last, now) {
		return
	}
	s.o.Log.Warn("a client of TURN aims at something else than the media port", "id", "LYK-0922", "client", client, "peer", peer, "refused", total)
}

// relays makes the relays of allocations.
type relays struct {
	routes    []route // at most one of each family
	perPerson int
	most      int
	count     *counters
	refused   func(client, peer string)

	mu     sync.Mutex
	closed bool
	open   map[*relay]struct{}
	by     map[string]int       // per call and person
	until  map[string]time.Time // of the last credential, per call and person
}
