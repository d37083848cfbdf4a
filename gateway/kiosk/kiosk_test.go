package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

var quiet = slog.New(slog.DiscardHandler)

var built = fstest.MapFS{
	"kiosk.html":        {Data: []byte("<!doctype html><title>Lykta</title>")},
	"index.html":        {Data: []byte("the staff's")},
	"assets/kiosk-1.js": {Data: []byte("1")},
}

func serve(pages fs.FS, heard func(Heard) error) http.Handler {
	return handler(Options{
		Pages: pages, Status: func() any { return map[string]string{"state": "none"} }, Log: quiet,
		Heard: func(_ context.Context, h Heard) error { return heard(h) },
	})
}

func ask(h http.Handler, method, host, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://"+host+path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageAndWhatItNeedsAreServed(t *testing.T) {
	h := serve(built, nil)
	for path, want := range map[string]int{
		"/": 200, "/assets/kiosk-1.js": 200, "/status": 200, "/index.html": 404, "/kiosk.html": 404, "/assets/": 404, "/assets/../index.html": 404, "/nowhere": 404,
	} {
		w := ask(h, "GET", "127.0.0.1:1885", path, "")
		got := w.Code
		if got == http.StatusTemporaryRedirect || got == http.StatusMovedPermanently {
			got = ask(h, "GET", "127.0.0.1:1885", w.Header().Get("Location"), "").Code
		}
		if got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'; script-src 'self'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", path, p)
		}
	}
	if w := ask(serve(fstest.MapFS{}, nil), "GET", "localhost:1885", "/", ""); w.Code != 404 || !strings.Contains(w.Body.String(), idNoPage) {
		t.Errorf("without a build: %d %q", w.Code, w.Body)
	}
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	h := serve(built, nil)
	for host, want := range map[string]int{
		"127.0.0.1:1885": 200, "localhost:1885": 200, "[::1]:1885": 200, "localhost": 200, "[::1]": 200,
		"evil.example:1885": 403, "192.168.1.4:1885": 403, "evil.example": 403, "localhost.evil.example:1885": 403,
	} {
		for _, path := range []string{"/", "/status"} {
			if got := ask(h, "GET", host, path, "").Code; got != want {
				t.Errorf("%s of %s: %d, want %d", path, host, got, want)
			}
		}
	}
}

func TestHeardIsTakenFromThePageAlone(t *testing.T) {
	const good = `{"epoch":"e","seq":1,"told":100,"spoken":true}`
	for name, c := range map[string]struct {
		body   string
		err    error
		header []string
		want   int
	}{
		"from the page":           {body: good, want: 204},
		"of the page's origin":    {body: good, header: []string{"Origin", "http://127.0.0.1:1885"}, want: 204},
		"by another page":         {body: good, header: []string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		"by another origin":       {body: good, header: []string{"Origin", "http://evil.example"}, want: 403},
		"of no press":             {body: `{"told":1}`, want: 400},
		"of no word":              {body: `{"epoch":"e","seq":1}`, want: 400},
		"more than anybody says":  {body: `{"epoch":"` + strings.Repeat("e", maxHeard) + `"}`, want: 400},
		"of a word that is past":  {body: good, err: fmt.Errorf("note: %w", ErrPast), want: 409},
		"when the disk is broken": {body: good, err: errors.New("disk I/O error"), want: 500},
	} {
		t.Run(name, func(t *testing.T) {
			var got []Heard
			h := serve(built, func(h Heard) error { got = append(got, h); return c.err })
			w := ask(h, "POST", "127.0.0.1:1885", "/heard", c.body, c.header...)
			if w.Code != c.want {
				t.Fatalf("%d %s, want %d", w.Code, w.Body, c.want)
			}
			if reached := c.want == 204 || c.err != nil; reached != (len(got) == 1) {
				t.Fatalf("the home heard %+v", got)
			}
			if len(got) == 1 && got[0] != (Heard{Epoch: "e", Seq: 1, Told: 100, Spoken: true}) {
				t.Errorf("the home heard %+v", got[0])
			}
		})
	}
}

func TestTheStatusIsFresh(t *testing.T) {
	w := ask(serve(built, nil), "GET", "127.0.0.1:1885", "/status", "")
	var s map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || s["state"] != "none" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%q, %v, %v", w.Body, w.Header(), err)
	}
}
