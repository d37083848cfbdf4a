package kiosk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// resident notes what is done, or fails.
type resident struct {
	err  error
	done []string
}

func (r *resident) note(format string, args ...any) error {
	r.done = append(r.done, fmt.Sprintf(format, args...))
	return r.err
}

func (r *resident) Press(_ context.Context, p Press) error {
	return r.note("%s %g %q %s", p.Kind, p.Value, p.Text, p.Key)
}
func (r *resident) Consent(_ context.Context, c Consent) error {
	return r.note("%s %s %v %s", c.Party, c.Field, c.Allowed, c.Key)
}
func (r *resident) MessageHeard(_ context.Context, id string, h MessageHeard) error {
	return r.note("%s %v", id, h.Spoken)
}
func (r *resident) Picture(_ context.Context, id string) ([]byte, error) {
	if err := r.note("picture %s", id); err != nil {
		return nil, err
	}
	return []byte("\xff\xd8\xff"), nil
}

func deedsOf(r *resident) http.Handler {
	return handler(Options{Pages: built, Status: func() any { return nil }, Deeds: r, Log: quiet})
}

const here = "127.0.0.1:1885"

func TestWhatThePageDoesReachesTheHome(t *testing.T) {
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/press", `{"kind":"sos","value":1,"text":"","key":"k-123456"}`, `sos 1 "" k-123456`},
		{"POST", "/press", `{"kind":"medication","value":1,"text":"p1","key":"k-123456"}`, `medication 1 "p1" k-123456`},
		{"POST", "/consent", `{"party":"person:maria","field":"check_in","allowed":true,"key":"k-123456"}`, `person:maria check_in true k-123456`},
		{"POST", "/messages/m%201/heard", `{"spoken":true}`, `m 1 true`},
		{"GET", "/pictures/m1", "", `picture m1`},
	} {
		r := &resident{}
		w := ask(deedsOf(r), c.method, here, c.path, c.body)
		want := http.StatusNoContent
		if c.method == "GET" {
			want = http.StatusOK
			if got := w.Header().Get("Content-Type"); got != "image/jpeg" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("a picture is %q", got)
			}
		}
		if w.Code != want || len(r.done) != 1 || r.done[0] != c.want {
			t.Errorf("%s %s: %d, done %q, want %q", c.method, c.path, w.Code, r.done, c.want)
		}
	}
}

func TestThePageAloneDoesSomething(t *testing.T) {
	for _, path := range []string{"/press", "/consent", "/messages/m1/heard"} {
		for name, c := range map[string]struct {
			host, body string
			header     []string
			want       int
		}{
			"another page":           {here, `{}`, []string{"Sec-Fetch-Site", "cross-site"}, 403},
			"another origin":         {here, `{}`, []string{"Origin", "http://evil.example"}, 403},
			"another port":           {here, `{}`, []string{"Origin", "http://127.0.0.1:8080"}, 403},
			"another name":           {"evil.example:1885", `{}`, nil, 403},
			"another machine":        {"192.168.1.4:1885", `{}`, nil, 403},
			"nothing":                {here, ``, nil, 400},
			"what is not JSON":       {here, `kind=sos`, nil, 400},
			"two deeds in one":       {here, `{}{}`, nil, 400},
			"more than anybody says": {here, `{"key":"` + strings.Repeat("k", maxDeed) + `"}`, nil, 400},
		} {
			r := &resident{}
			if w := ask(deedsOf(r), "POST", c.host, path, c.body, c.header...); w.Code != c.want || len(r.done) > 0 {
				t.Errorf("%s, %s: %d, done %q", path, name, w.Code, r.done)
			}
		}
		if w := ask(deedsOf(&resident{}), "GET", here, path, ""); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	if w := ask(deedsOf(&resident{}), "GET", "evil.example", "/pictures/m1", ""); w.Code != 403 {
		t.Errorf("a picture for another name: %d", w.Code)
	}
}

func TestThePageLearnsWhatWentWrong(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
		id   string
	}{
		"it cannot be meant":  {fmt.Errorf("%w: no key", ErrRefused), 400, idBadDeed},
		"it is not known":     {ErrUnknown, 404, idUnknown},
		"it is fixed":         {ErrFixed, 409, idFixed},
		"the disk is full":    {errors.New("no room on the disk"), 503, idNotKept},
		"the page went away":  {context.Canceled, 503, idNotKept},
		"the gateway is busy": {context.DeadlineExceeded, 503, idNotKept},
	} {
		for _, path := range []string{"/press", "/consent", "/messages/m1/heard"} {
			w := ask(deedsOf(&resident{err: c.err}), "POST", here, path, `{}`)
			if w.Code != c.want || !strings.HasPrefix(w.Body.String(), c.id+" ") {
				t.Errorf("%s, %s: %d %s", path, name, w.Code, w.Body)
			}
		}
	}
}
