package turn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo stands for the media port: it says back what it hears.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	conn := listenUDP(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, mtu)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(buf[:n], from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return addr(conn)
}

func listenUDP(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func addr(conn net.PacketConn) netip.AddrPort { return conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// words is a log that can be read while it is written.
type words struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

func open(t *testing.T, o Options) (*Server, *words) {
	t.Helper()
	log := &words{}
	o.UDP, o.TCP = "127.0.0.1:0", "127.0.0.1:0"
	o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, log
}

// way is how a client comes to the server.
type way string

const (
	byUDP way = "UDP"
	byTCP way = "TCP"
	byTLS way = "TLS"
)

// client makes a client, not yet signed in.
func client(t *testing.T, s *Server, by way, user, password string, six bool) *pion.Client {
	t.Helper()
	config := &pion.ClientConfig{Username: user, Password: password, Realm: Realm, RTO: 50 * time.Millisecond, LoggerFactory: quiet{slog.New(slog.DiscardHandler)}}
	if six {
		config.RequestedAddressFamily = pion.RequestedAddressFamilyIPv6
	}
	switch by {
	case byUDP:
		config.Conn, config.TURNServerAddr = listenUDP(t), s.UDP().String()
	case byTCP:
		conn, err := net.Dial("tcp", s.TCP().String())
		if err != nil {
			t.Fatal(err)
		}
		config.Conn, config.TURNServerAddr = pion.NewSTUNConn(conn), conn.RemoteAddr().String()
	case byTLS:
		pool, at := serveTLS(t, s)
		conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool, ServerName: "localhost"})
		if err != nil {
			t.Fatal(err)
		}
		config.Conn, config.TURNServerAddr = pion.NewSTUNConn(conn), conn.RemoteAddr().String()
	}
	c, err := pion.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); _ = config.Conn.Close() })
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	return c
}

// serveTLS hands the server connections on which TLS was ended, as the port of
// HTTPS does.
func serveTLS(t *testing.T, s *Server) (*x509.CertPool, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return pool, l.Addr().String()
}

func allocate(t *testing.T, s *Server, by way, six bool) (*pion.Client, net.PacketConn) {
	t.Helper()
	user, password := s.Credentials("c1", "person:anna", time.Now().Add(time.Minute))
	c := client(t, s, by, user, password, six)
	relay, err := c.Allocate()
	if err != nil {
		t.Fatalf("allocate over %s: %v", by, err)
	}
	t.Cleanup(func() { _ = relay.Close() })
	return c, relay
}

// heard sends to a peer and waits for its echo.
func heard(t *testing.T, relay net.PacketConn, to netip.AddrPort) {
	t.Helper()
	if _, err := relay.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(to)); err != nil {
		t.Fatal(err)
	}
	_ = relay.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, mtu)
	n, from, err := relay.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "hello" || from.String() != to.String() {
		t.Fatalf("from %v: %q, %v; want hello from %v", from, buf[:n], err, to)
	}
}

func TestMediaIsReachedOverUDPAndTCPAndTLS(t *testing.T) {
	t.Parallel()
	media := echo(t)
	for _, by := range []way{byUDP, byTCP, byTLS} {
		t.Run(string(by), func(t *testing.T) {
			s, log := open(t, Options{Relay: media})
			_, relay := allocate(t, s, by, false)
			heard(t, relay, media)
			if stats := s.Stats(); stats.Allocations != 1 || stats.In == 0 || stats.Out == 0 {
				t.Errorf("stats: %+v", stats)
			}
			if err := relay.Close(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the allocation to be gone", func() bool { return s.Stats().Allocations == 0 })
			_, password := s.Credentials("c1", "person:anna", time.Now().Add(time.Minute))
			if strings.Contains(log.String(), password) || strings.Contains(log.String(), string(s.o.Secret)) {
				t.Error("a secret is in the log")
			}
		})
	}
}

// The service stands behind an address that is not its own, and perhaps cannot
// be reached from inside: relays go to the port directly.
func TestThePublicAddressLeadsToTheLocalPort(t *testing.T) {
	t.Parallel()
	media := echo(t)
	public := []netip.AddrPort{netip.MustParseAddrPort("203.0.113.5:7882"), netip.MustParseAddrPort("[2001:db8::5]:7882")}
	s, _ := open(t, Options{Relay: media, Public: public})
	c, relay := allocate(t, s, byTCP, false)
	heard(t, relay, public[0])
	if err := c.CreatePermission(net.UDPAddrFromAddrPort(media)); err == nil {
		t.Error("the local address was let through beside the public one")
	}
}

func TestNothingButTheMediaPortIsReached(t *testing.T) {
	t.Parallel()
	media := echo(t)
	other := listenUDP(t)
	s, log := open(t, Options{Relay: media})
	six, _ := open(t, Options{Relay: netip.AddrPortFrom(netip.IPv6Unspecified(), media.Port()), Public: []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::5]:7882")}})

	t.Run("permissions", func(t *testing.T) {
		for _, peer := range []string{
			"127.0.0.2:80", "0.0.0.0:80", "10.0.0.1:80", "10.255.255.254:22", "172.16.0.1:80", "172.31.255.254:80", "192.168.1.1:80", "169.254.169.254:80",
			"100.64.0.1:80", "203.0.113.9:443", "8.8.8.8:53", "224.0.0.1:80", "255.255.255.255:80",
			"[::1]:80", "[::]:80", "[::ffff:10.0.0.1]:80", "[fe80::1]:80", "[fc00::1]:80", "[fd12:3456::1]:80", "[2001:db8::9]:443", "[ff02::1]:80",
		} {
			to := netip.MustParseAddrPort(peer)
			server := s
			if to.Addr().Unmap().Is6() {
				server = six
			}
			c, _ := allocate(t, server, byTCP, server == six)
			before := server.Stats().BadPeers
			if err := c.CreatePermission(net.UDPAddrFromAddrPort(to)); err == nil {
				t.Errorf("%s: was permitted", peer)
			}
			if server.Stats().BadPeers == before {
				t.Errorf("%s: the refusal was not counted", peer)
			}
		}
		if !strings.Contains(log.String(), "LYK-0922") {
			t.Error("nothing was said of a client that aims elsewhere")
		}
	})
	t.Run("packets", func(t *testing.T) {
		_, relay := allocate(t, s, byTCP, false)
		heard(t, relay, media) // the address is permitted
		before := s.Stats().BadPeers
		for range 3 { // by indication at first, by channel then
			if _, err := relay.WriteTo([]byte("attack"), other.LocalAddr()); err != nil {
				t.Logf("refused by the client itself: %v", err)
			}
		}
		heard(t, relay, media)
		if s.Stats().BadPeers == before {
			t.Error("packets to another port were not refused")
		}
		_ = other.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, _, err := other.ReadFrom(make([]byte, 10)); err == nil {
			t.Errorf("%d bytes came to another port", n)
		}
	})
	t.Run("TCP", func(t *testing.T) {
		user, password := s.Credentials("c1", "person:anna", time.Now().Add(time.Minute))
		if _, err := client(t, s, byTCP, user, password, false).AllocateTCP(); err == nil {
			t.Error("an allocation for TCP was made")
		}
	})
	// Nobody else can speak to a client: its relay's socket belongs to the media port.
	t.Run("from outside", func(t *testing.T) {
		_, relay := allocate(t, s, byUDP, false)
		heard(t, relay, media)
		if _, err := other.WriteTo([]byte("attack"), relay.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		heard(t, relay, media) // and not "attack"
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s, _ := open(t, Options{Relay: echo(t)})
	good, password := s.Credentials("c1", "person:anna", time.Now().Add(time.Minute))
	expired, expiredPassword := s.Credentials("c1", "person:anna", time.Now().Add(-time.Second))
	foreign, foreignPassword := Credentials([]byte("another secret of another service"), "c1", "person:anna", time.Now().Add(time.Minute))
	for name, c := range map[string]struct{ user, password string }{
		"expired":                 {expired, expiredPassword},
		"prolonged by its bearer": {strings.Replace(expired, expired[:10], good[:10], 1), expiredPassword},
		"of another call":         {strings.Replace(good, "c1", "c2", 1), password},
		"of another person":       {strings.Replace(good, "anna", "eva", 1), password},
		"with a wrong password":   {good, password + "x"},
		"without a password":      {good, ""},
		"of another service":      {foreign, foreignPassword},
		"a stranger's":            {"anna", "secret"},
		"without a time":          {"c1:person:anna", password},
		"nobody's":                {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.Stats().BadCredentials
			if relay, err := client(t, s, byUDP, c.user, c.password, false).Allocate(); err == nil {
				_ = relay.Close()
				t.Fatal("was let in")
			}
			if c.user != "" && s.Stats().BadCredentials == before {
				t.Error("was not counted")
			}
		})
	}
	if relay, err := client(t, s, byUDP, good, password, false).Allocate(); err != nil {
		t.Error("the good one was refused:", err)
	} else {
		_ = relay.Close()
	}
}

// refresh asks for more time and returns the answer's code; 0 is yes, -1 no answer.
func refresh(t *testing.T, s *Server, c *pion.Client, user, password string) int {
	t.Helper()
	ask := func(more ...stun.Setter) *stun.Message {
		lifetime := stun.RawAttribute{Type: stun.AttrLifetime, Value: binary.BigEndian.AppendUint32(nil, 600)}
		message, err := stun.Build(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest), lifetime}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.PerformTransaction(message, s.TCP(), false)
		if err != nil {
			return nil
		}
		return answer.Msg
	}
	first := ask()
	var nonce stun.Nonce
	if first == nil || nonce.GetFrom(first) != nil {
		t.Fatal("no nonce was given")
	}
	key := stun.MessageIntegrity(pion.GenerateAuthKey(user, Realm, password))
	answer := ask(stun.NewUsername(user), stun.NewRealm(Realm), &nonce, key)
	if answer == nil {
		return -1
	}
	var code stun.ErrorCodeAttribute
	if code.GetFrom(answer) == nil {
		return int(code.Code)
	}
	return 0
}

func TestRefreshEndsWithTheCredential(t *testing.T) {
	t.Parallel()
	s, _ := open(t, Options{Relay: echo(t)})
	until := time.Now().Add(3 * time.Second)
	user, password := s.Credentials("c1", "person:anna", until)
	c := client(t, s, byTCP, user, password, false)
	relay, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	if code := refresh(t, s, c, user, password); code != 0 {
		t.Errorf("before its end: %d", code)
	}
	s.Credentials("c1", "person:eva", time.Now().Add(time.Hour)) // of no use to Anna
	other, otherPassword := s.Credentials("c2", "person:eva", time.Now().Add(time.Minute))
	if code := refresh(t, s, c, other, otherPassword); code == 0 {
		t.Error("somebody else's credential prolonged the allocation")
	}
	time.Sleep(time.Until(until.Add(time.Second))) // what expires here is real time
	if code := refresh(t, s, c, user, password); code == 0 {
		t.Error("the allocation was prolonged after the end of its credential")
	}
}

// A browser refreshes with the credential that an allocation was made with, also
// in a call of an hour. Whoever is given a new one keeps what they have.
func TestANewCredentialKeepsWhatTheOldOneMade(t *testing.T) {
	t.Parallel()
	media := echo(t)
	s, _ := open(t, Options{Relay: media})
	until := time.Now().Add(2 * time.Second)
	user, password := s.Credentials("c1", "person:anna", until)
	c := client(t, s, byTCP, user, password, false)
	relay, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	heard(t, relay, media)
	s.Credentials("c1", "person:anna", time.Now().Add(time.Minute))
	time.Sleep(time.Until(until.Add(time.Second))) // what expires here is real time
	if code := refresh(t, s, c, user, password); code != 0 {
		t.Errorf("the refresh was refused: %d", code)
	}
	heard(t, relay, media)
	if another, err := client(t, s, byTCP, user, password, false).Allocate(); err == nil {
		_ = another.Close()
		t.Error("the old credential makes new allocations")
	}
}

// However long a client asks for: pion grants an hour.
func TestARelayEndsSoonAfterItsCredential(t *testing.T) {
	t.Parallel()
	s, _ := open(t, Options{Relay: echo(t)})
	past, _ := Credentials(s.o.Secret, "c1", "person:anna", time.Now().Add(-grace))
	gone, _, err := s.relays.AllocatePacketConn(pion.AllocateListenerConfig{Network: "udp4", UserID: past})
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	if _, _, err := gone.ReadFrom(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a relay past its grace: %v", err)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	s, _ := open(t, Options{Relay: echo(t), PerPerson: 2, Most: 3})
	try := func(person string) (net.PacketConn, error) {
		user, password := s.Credentials("c1", person, time.Now().Add(time.Minute))
		relay, err := client(t, s, byUDP, user, password, false).Allocate()
		if err == nil {
			t.Cleanup(func() { _ = relay.Close() })
		}
		return relay, err
	}
	first, err := try("person:anna")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := try("person:anna"); err != nil {
		t.Error("the second of a person:", err)
	}
	if _, err := try("person:anna"); err == nil {
		t.Error("the third of a person was made")
	}
	if _, err := try("person:eva"); err != nil {
		t.Error("another person is not bound by the first:", err)
	}
	if _, err := try("person:bo"); err == nil {
		t.Error("the fourth in all was made")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "room", func() bool { return s.Stats().Allocations == 2 })
	if _, err := try("person:bo"); err != nil {
		t.Error("there is room again:", err)
	}
	if s.Stats().OverBound != 2 {
		t.Errorf("refused over a bound: %d, want 2", s.Stats().OverBound)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	media := netip.MustParseAddrPort("127.0.0.1:7882")
	for name, o := range map[string]Options{
		"no media":     {},
		"no port":      {Relay: netip.AddrPortFrom(media.Addr(), 0)},
		"short secret": {Relay: media, Secret: []byte("short")},
		"UDP taken":    {Relay: media, UDP: "203.0.113.1:1"},
		"TCP taken":    {Relay: media, UDP: "127.0.0.1:0", TCP: "203.0.113.1:1"},
	} {
		o.Log = slog.New(slog.DiscardHandler)
		if s, err := Open(o); err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
		}
	}
}

func TestServeAfterClose(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Relay: echo(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(l); err == nil {
		t.Error("a closed server serves")
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain for", what)
		}
	}
}
