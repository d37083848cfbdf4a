package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"

	"github.com/lykta/lykta/cloud/visit/turn"
)

// certificate makes one for localhost, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// sharedSite is a port with HTTPS and TURN behind it.
func sharedSite(t *testing.T, patience time.Duration) (at string, pool *x509.CertPool, relay *turn.Server) {
	t.Helper()
	media, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = media.Close() })
	log := slog.New(slog.DiscardHandler)
	relay, err = turn.Open(turn.Options{Relay: netip.MustParseAddrPort(media.LocalAddr().String()), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, pool := certificate(t)
	webEnd, turnEnd := share(listener, &tls.Config{Certificates: []tls.Certificate{cert}}, patience, log)
	served := make(chan error, 2)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			http.Error(w, "it does not know that this is HTTPS", http.StatusInternalServerError)
		}
	})}
	go func() { served <- server.Serve(webEnd) }()
	go func() { served <- relay.Serve(turnEnd) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), relay.Close()); err != nil {
			t.Error(err)
		}
		for range 2 {
			<-served
		}
	})
	return listener.Addr().String(), pool, relay
}

func TestHTTPSAndTURNShareAPort(t *testing.T) {
	at, pool, relay := sharedSite(t, 10*time.Second)
	for name, protocols := range map[string][]string{"named": {"http/1.1"}, "both": {"h2", "http/1.1"}, "nameless": nil} {
		t.Run("HTTPS "+name, func(t *testing.T) {
			client := &http.Client{Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: pool, NextProtos: protocols}, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
			}}
			defer client.CloseIdleConnections()
			for range 2 { // a connection that is kept works on
				got, err := client.Get("https://" + at)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(got.Body)
				_ = got.Body.Close()
				if got.StatusCode != http.StatusOK {
					t.Errorf("%d %s", got.StatusCode, body)
				}
			}
		})
	}
	for name, protocols := range map[string][]string{"named": {protocolTURN}, "nameless": nil} {
		t.Run("TURN "+name, func(t *testing.T) {
			conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool, NextProtos: protocols})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			user, password := relay.Credentials("c1", "home", time.Now().Add(time.Minute))
			client, err := pion.NewClient(&pion.ClientConfig{
				Conn: pion.NewSTUNConn(conn), TURNServerAddr: at, Username: user, Password: password, Realm: turn.Realm,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.Listen(); err != nil {
				t.Fatal(err)
			}
			allocation, err := client.Allocate()
			if err != nil {
				t.Fatal(err)
			}
			_ = allocation.Close()
		})
	}
}

// A browser opens connections ahead of need; a stranger might open many.
func TestWhoSaysNothingIsHungUpOn(t *testing.T) {
	at, pool, _ := sharedSite(t, 200*time.Millisecond)
	secure, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	for name, conn := range map[string]net.Conn{"after the handshake": secure, "before it": plain} {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		_ = conn.Close()
	}
}

func TestASharedPortClosesAtBothEnds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := certificate(t)
	web, relay := share(listener, &tls.Config{Certificates: []tls.Certificate{cert}}, time.Second, slog.New(slog.DiscardHandler))
	if err := errors.Join(relay.Close(), web.Close()); err != nil {
		t.Error(err)
	}
	for _, end := range []net.Listener{web, relay} {
		if _, err := end.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepting from a closed port: %v", err)
		}
	}
}
