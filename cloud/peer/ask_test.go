package peer

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAnswersAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		kind   Kind // "" is a good answer
		parts  []string
	}{
		{"all is ready", 200, "broker: ok\ndatabase: ok\ntime-series: ok\n", "", nil},
		{"with more than is known here", 200, "broker: ok\r\nversion 7\n", "", nil},
		{"a part is not", 503, "time-series: not ready\nbroker: not ready\ndatabase: ok\n", NotReady, []string{"broker", "time-series"}},
		{"a part is not, behind a proxy that makes it 200", 200, "broker: not ready\ndatabase: ok\n", NotReady, []string{"broker"}},
		{"a page of maintenance", 200, "<html><p>broker: ok</p>", Stranger, nil},
		{"nothing", 200, "", Stranger, nil},
		{"health of another service", 200, "ok\n", Stranger, nil},
		{"a proxy without the service", 502, "<html>", Failing, nil},
		{"a proxy that is full", 503, "no server is available", Failing, nil},
		{"an error that says all is well", 500, "broker: ok\n", Failing, nil},
		{"not there", 404, "broker: ok\n", Failing, nil},
		{"an answer without end", 200, strings.Repeat("x", 1<<20), Stranger, nil},
		{"parts without end", 503, strings.Repeat("broker: not ready\n", 1<<12), NotReady, slices.Repeat([]string{"broker"}, maxParts)},
		{"text that wants to be told", 503, "Ring Anna på 070-1234567: not ready\n", Failing, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/readyz" {
					t.Errorf("%s %s", r.Method, r.URL.Path)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			check(t, ask(t, server.URL, nil), c.kind, c.parts)
		})
	}
}

func ask(t *testing.T, address string, roots *x509.CertPool) error {
	t.Helper()
	p, err := New(address, roots)
	if err != nil {
		t.Fatal(err)
	}
	return p.Ask(t.Context())
}

func check(t *testing.T, err error, kind Kind, parts []string) {
	t.Helper()
	var got *Trouble
	switch {
	case kind == "" && err == nil:
	case !errors.As(err, &got):
		t.Errorf("%v, want %s", err, kind)
	case got.Kind != kind || !slices.Equal(got.Parts, parts):
		t.Errorf("%+v, want %s %q", got, kind, parts)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("followed to %s", r.URL)
		}
		http.Redirect(w, r, server.URL+"/sign-in", http.StatusFound)
	}))
	defer server.Close()
	check(t, ask(t, server.URL, nil), Redirecting, nil)
}

// An old connection would hide that the name or the certificate is no good any more.
func TestEveryQuestionConnectsAnew(t *testing.T) {
	var from []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from = append(from, r.RemoteAddr)
		_, _ = io.WriteString(w, "broker: ok\n")
	}))
	defer server.Close()
	p, err := New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Ask(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(from) != 2 || from[0] == from[1] {
		t.Errorf("asked from %q", from)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "broker: ok\n")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	check(t, ask(t, server.URL, roots), "", nil)
	check(t, ask(t, server.URL, nil), Untrusted, nil)
	check(t, ask(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), roots), Untrusted, nil) // it is of 127.0.0.1 and example.com

	inTheClear := httptest.NewServer(server.Config.Handler)
	defer inTheClear.Close()
	check(t, ask(t, strings.Replace(inTheClear.URL, "http:", "https:", 1), nil), Untrusted, nil)
}

func TestNoAnswerIsTrouble(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	_ = listener.Close()
	check(t, ask(t, address, nil), Refused, nil)

	// It takes the connection, begins to answer, and hangs.
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "broker: ok\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer hanging.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	p, err := New(hanging.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, p.Ask(ctx), Slow, nil)
}

func TestAddressesOfPeers(t *testing.T) {
	for address, want := range map[string]string{
		"https://lykta.example.se": "https://lykta.example.se/readyz", "https://lykta.example.se/": "https://lykta.example.se/readyz",
		"https://host:8443/lykta/": "https://host:8443/lykta/readyz", "http://127.0.0.1:8080": "http://127.0.0.1:8080/readyz",
	} {
		if p, err := New(address, nil); err != nil || p.url != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{
		"", "lykta.example.se", "http://lykta.example.se", "https://user:secret@host", "https://host/?key=secret", "https://host/#secret", "ftp://host", "https://",
	} {
		if _, err := New(address, nil); err == nil || !strings.HasPrefix(err.Error(), "LYK-0840") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
