package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/cloud/visit/turn"
)

//go:embed testdata/relayed.html
var relayedPage []byte

type relayedSeen struct {
	State           string
	Found, Problems []string
	Frames          int
	Sound           float64
	Way             string
}

// A network that lets nothing but HTTPS through: two people in a real Chromium
// see and hear each other over TURN on the port of HTTPS. The certificate is one
// that the browser is told to trust; without that it refuses TURN as it refuses
// a page.
func TestChromiumCallsOverThePortOfHTTPS(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium; make setup installs it")
	}
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	cert, _ := certificate(t)
	for name, c := range map[string]struct {
		trust func(x509.Certificate) string
		works bool
	}{
		"by its key": {func(c x509.Certificate) string {
			sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
			return "--ignore-certificate-errors-spki-list=" + base64.StdEncoding.EncodeToString(sum[:])
		}, true},
		"none": {func(x509.Certificate) string { return "--unsafely-treat-insecure-origin-as-secure=http://127.0.0.1" }, false},
	} {
		t.Run("trust "+name, func(t *testing.T) {
			parsed, err := x509.ParseCertificate(cert.Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			got := relayedCall(t, browser, cert, c.trust(*parsed))
			for _, one := range got {
				t.Logf("%+v", one)
				if worked := one.Frames > 10 && one.Sound > 0 && strings.HasPrefix(one.Way, "relay tls"); worked != c.works {
					t.Errorf("worked: %v, want %v", worked, c.works)
				}
			}
			if len(got) != 2 {
				t.Errorf("%d people", len(got))
			}
		})
	}
}

// relayedCall has a browser show the page, served over plain HTTP so that only
// TURN depends on the certificate.
func relayedCall(t *testing.T, browser string, cert tls.Certificate, flags ...string) []relayedSeen {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	m, err := media.Open(media.Options{Listen: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	var public []netip.AddrPort
	for _, a := range m.Public() {
		public = append(public, netip.AddrPortFrom(a, m.Addr().Port()))
	}
	relay, err := turn.Open(turn.Options{Relay: m.Addr(), Public: public, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure, relayed := share(listener, &tls.Config{Certificates: []tls.Certificate{cert}}, firstWordTime, log)
	go func() { _ = relay.Serve(relayed) }()
	t.Cleanup(func() {
		if err := errors.Join(secure.Close(), relay.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	})

	result := make(chan []byte, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(relayedPage)
	})
	mux.HandleFunc("GET /ice", func(w http.ResponseWriter, _ *http.Request) {
		user, password := relay.Credentials("c1", "person:anna", time.Now().Add(time.Minute))
		_ = json.NewEncoder(w).Encode(map[string]any{"user": user, "password": password, "urls": []string{"turns:" + listener.Addr().String() + "?transport=tcp"}})
	})
	mux.HandleFunc("POST /join", func(w http.ResponseWriter, r *http.Request) {
		offer, _ := io.ReadAll(r.Body)
		answer, err := m.Join(r.Context(), media.Joining{Room: "c1", Peer: r.FormValue("peer"), Offer: string(offer), Tell: func(media.Event) {}})
		if err != nil {
			t.Error("join:", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, answer)
	})
	mux.HandleFunc("POST /result", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		select {
		case result <- body:
		default:
		}
	})
	page, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	site := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = site.Serve(page) }()
	t.Cleanup(func() { _ = site.Close() })

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	profile, err := os.MkdirTemp("", "lykta-chromium") // t.TempDir would fail while the browser's helpers end
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	cmd := exec.CommandContext(ctx, browser, append(flags, "--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu", "--user-data-dir="+profile,
		"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required",
		"http://"+page.Addr().String()+"/")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	select {
	case body := <-result:
		var got []relayedSeen
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return got
	case <-ctx.Done():
		t.Fatal("the page said nothing")
		return nil
	}
}
