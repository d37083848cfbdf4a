package notify_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lykta/lykta/cloud/notify"
)

func TestKinds(t *testing.T) {
	gone := notify.Fail(notify.ErrGone, "x", "r")
	if !errors.Is(gone, notify.ErrGone) || !errors.Is(gone, notify.ErrFinal) || errors.Is(notify.Fail(notify.ErrFinal, "x", ""), notify.ErrGone) {
		t.Error("gone is final, and final is not gone")
	}
	if got := notify.Misconfigured(notify.ErrIDAccount, "46elks", "no credit").Error(); got != "LYK-0802: 46elks: not set up: no credit" {
		t.Error(got)
	}
}

func TestStatuses(t *testing.T) {
	p := notify.Poster{Channel: "x"}
	for status, want := range map[int]error{
		400: notify.ErrFinal, 401: notify.ErrMisconfigured, 402: notify.ErrMisconfigured, 403: notify.ErrMisconfigured, 404: notify.ErrFinal, 408: notify.ErrTemporary,
		410: notify.ErrGone, 413: notify.ErrFinal, 425: notify.ErrTemporary, 429: notify.ErrBusy, 500: notify.ErrTemporary, 502: notify.ErrTemporary,
		503: notify.ErrTemporary, 504: notify.ErrUnsure, 507: notify.ErrTemporary, 301: notify.ErrFinal, 304: notify.ErrFinal, 600: notify.ErrTemporary,
	} {
		if e := p.Refused(notify.Answer{Status: status}); !errors.Is(e, want) {
			t.Errorf("%d: %v, want %v", status, e, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	for said, want := range map[string]string{
		"":                                    "",
		"no\r\nsuch\x00\xff thing":            "no such ? thing",
		"the password hunter2 åä":             "the password … åä",
		"form a+b%26c":                        "form …",
		strings.Repeat("å", 150):              strings.Repeat("å", 100),
		"x" + strings.Repeat("å", 150):        "x" + strings.Repeat("å", 99),
		strings.Repeat("hunter2", 500) + "åä": strings.Repeat("…", 66),
	} {
		if got := notify.Excerpt(said, "hunter2", "a b&c", ""); got != want || !utf8.ValidString(got) {
			t.Errorf("%.40q: %q, want %q", said, got, want)
		}
	}
}

func TestPublic(t *testing.T) {
	for ip, want := range map[string]bool{
		"9.9.9.9": true, "2620:fe::fe": true, "64:ff9b::909:909": true, "::ffff:9.9.9.9": true, "192.0.1.1": true, "172.32.0.1": true,
		"127.0.0.1": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.0.1": false, "169.254.169.254": false, "0.0.0.0": false, "0.1.2.3": false,
		"100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false, "192.0.2.1": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "ff02::1": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "2001:db8::1": false, "fec0::1": false,
	} {
		if notify.Public(netip.MustParseAddr(ip)) != want {
			t.Errorf("%s: public is %v", ip, !want)
		}
	}
}

// A name may resolve to anything: what counts is where the connection goes.
func TestGuardLooksAtTheResolvedAddress(t *testing.T) {
	called := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.Replace(server.URL, "127.0.0.1", host, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = notify.Poster{Channel: "x", Client: notify.NewClient(true), Timeout: 5 * time.Second}.Do(t.Context(), req)
		if !errors.Is(err, notify.ErrFinal) || called {
			t.Errorf("%s: error %v, called %v", host, err, called)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := notify.Poster{Channel: "x", Client: notify.NewClient(false)}.Do(t.Context(), req)
	if err != nil || !a.OK() || len(a.Body) != 64<<10 {
		t.Errorf("status %d, %d bytes, error %v", a.Status, len(a.Body), err)
	}
}

func TestCheckURL(t *testing.T) {
	for raw, want := range map[string][2]bool{ // with private, without
		"https://lykta.example/x?y=z": {true, true}, "https://9.9.9.9": {true, true}, "https://[2620:fe::fe]:8443/": {true, true},
		"https://10.0.0.1/": {true, false}, "https://localhost/": {true, false}, "https://a.localhost/": {true, false}, "https://LocalHost./": {true, false}, "http://127.0.0.1:1/": {true, false}, "http://[::1]/": {true, false},
		"http://lykta.example/": {false, false}, "http://10.0.0.1/": {false, false}, "": {false, false}, "lykta.example": {false, false}, "https://": {false, false},
		"https://u@lykta.example": {false, false}, "https://lykta.example/\r\nX: y": {false, false}, "ftp://lykta.example/": {false, false}, "https:lykta": {false, false},
		"https://lykta.example/" + strings.Repeat("x", 2048): {false, false},
	} {
		for i, private := range []bool{true, false} {
			if _, err := notify.CheckURL(raw, private); (err == nil) != want[i] {
				t.Errorf("%.60q, private %v: %v", raw, private, err)
			}
		}
	}
}
