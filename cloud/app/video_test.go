package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lykta/lykta/cloud/visit/turn"
)

func TestBrowsersAreToldWhereTURNIs(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	open := func(listen string) *turn.Server {
		s, err := turn.Open(turn.Options{UDP: listen, TCP: listen, Relay: netip.MustParseAddrPort("127.0.0.1:7882"), Log: log})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	loop, all, none := open("127.0.0.1:0"), open("0.0.0.0:0"), open("")
	port := func(a net.Addr) string { _, p, _ := net.SplitHostPort(a.String()); return ":" + p }
	public := []netip.Addr{netip.MustParseAddr("203.0.113.5")}
	https := &net.TCPAddr{IP: net.IPv4zero, Port: 8443}
	for name, c := range map[string]struct {
		o      Options
		server *turn.Server
		want   []string
	}{
		"on this machine": {Options{}, loop, []string{"turn:127.0.0.1" + port(loop.UDP()) + "?transport=udp", "turn:127.0.0.1" + port(loop.TCP()) + "?transport=tcp"}},
		"everywhere":      {Options{}, all, []string{"turn:203.0.113.5" + port(all.UDP()) + "?transport=udp", "turn:203.0.113.5" + port(all.TCP()) + "?transport=tcp"}},
		"with a name": {Options{Providers: Providers{URL: "https://lykta.example.se"}}, all, []string{
			"turn:lykta.example.se" + port(all.UDP()) + "?transport=udp", "turn:lykta.example.se" + port(all.TCP()) + "?transport=tcp",
		}},
		"HTTPS alone":        {Options{TLSCert: "x", Providers: Providers{URL: "https://lykta.example.se"}}, none, []string{"turns:lykta.example.se:443?transport=tcp"}},
		"HTTPS with a port":  {Options{TLSCert: "x", Providers: Providers{URL: "https://lykta.example.se:8443"}}, none, []string{"turns:lykta.example.se:8443?transport=tcp"}},
		"HTTPS without name": {Options{TLSCert: "x"}, none, []string{"turns:203.0.113.5:8443?transport=tcp"}},
		"a proxy in front":   {Options{Video: Video{TURNURLs: []string{"turns:turn.example.se:443?transport=tcp"}}}, all, []string{"turns:turn.example.se:443?transport=tcp"}},
	} {
		if got := c.o.turnURLs(c.server, public, https); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The whole service: video and TURN are there, HTTPS and TURN on one port.
func TestTheServiceCarriesVideo(t *testing.T) {
	dir := t.TempDir()
	cert, pool := certificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan Addresses, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{
			Data: filepath.Join(dir, "data"), Log: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0", TLSCert: certFile, TLSKey: keyFile,
			Video:   Video{Listen: "127.0.0.1:0", TURNListen: "127.0.0.1:0", TURNSecret: []byte("a secret of sixteen bytes or more")},
			Started: func(a Addresses) { started <- a },
		})
	}()
	var at Addresses
	select {
	case at = <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	if at.Media == "" || len(at.TURN) != 3 || at.TURN[2] != "turns:"+at.HTTP+"?transport=tcp" {
		t.Errorf("listens at %+v", at)
	}

	conn, err := tls.Dial("tcp", at.HTTP, &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	user, password := turn.Credentials([]byte("a secret of sixteen bytes or more"), "c1", "home", time.Now().Add(time.Minute))
	relayed, err := pion.NewClient(&pion.ClientConfig{Conn: pion.NewSTUNConn(conn), TURNServerAddr: at.HTTP, Username: user, Password: password, Realm: turn.Realm})
	if err != nil {
		t.Fatal(err)
	}
	if err := relayed.Listen(); err != nil {
		t.Fatal(err)
	}
	if _, err := relayed.Allocate(); err != nil {
		t.Error("TURN on the port of HTTPS:", err)
	}

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	got, err := client.Get("https://" + at.HTTP + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(got.Body)
	_ = got.Body.Close()
	for _, want := range []string{"lykta_turn_allocations 1\n", "lykta_media_rooms 0\n", `lykta_turn_refused_total{why="peer"} 0`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
	client.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	relayed.Close()
	_ = conn.Close()
}

func TestTURNWithoutVideoIsAMistake(t *testing.T) {
	err := Run(t.Context(), Options{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), MQTTListen: "127.0.0.1:0", Video: Video{TURNListen: "127.0.0.1:0"}})
	if err == nil || !strings.Contains(err.Error(), "--media-listen") {
		t.Error(err)
	}
}

// A port that somebody else has keeps no alarm from anybody.
func TestTheServiceStartsWithoutItsPortOfVideo(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	o := Options{Video: Video{Listen: taken.LocalAddr().String()}, Log: slog.New(slog.DiscardHandler)}
	var stops stops
	v, err := o.openVideo(prometheus.NewRegistry(), &stops)
	if err != nil || v != nil || features(v) != nil {
		t.Errorf("%v, %v, %v", v, err, features(v))
	}
}
