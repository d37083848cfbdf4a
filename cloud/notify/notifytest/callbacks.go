package notifytest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Callbacks are what a provider calls.
type Callbacks struct {
	Subject Subject
	Handler func(notify.Store) http.Handler
	// Report makes the call about an accepted message, Reply the one about
	// a message from a person, as the provider does.
	Report func(a Accepted, state notify.State) *http.Request
	Reply  func(id, from, text string) *http.Request
	// Body makes a call with the right secret or signature and any body.
	Body func(body string) *http.Request
	// Forge makes calls that are not the provider's of one that is.
	Forge map[string]func(*http.Request)
}

const person = "+46701234567"

// RunCallbacks proves the callbacks of a channel.
func RunCallbacks(t *testing.T, open func(t *testing.T) Callbacks) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, c Callbacks, a Accepted)
	}{
		{"receipts come as they are", receipts},
		{"a person's reply arrives intact", replies},
		{"twice, late and out of order are passed on", unordered},
		{"what is not the provider's is refused", forged},
		{"garbage is refused and does no harm", garbageCalls},
		{"what could not be stored is asked for again", storeFails},
	} {
		t.Run(c.name, func(t *testing.T) {
			cs := open(t)
			cs.Subject.must(t, cs.Subject.message())
			c.test(t, cs, cs.Subject.only(t))
		})
	}
}

// kept serves a call and returns its status and what was stored.
func (c Callbacks) kept(r *http.Request, err error) (int, []notify.Receipt) {
	var got []notify.Receipt
	w := httptest.NewRecorder()
	c.Handler(func(_ context.Context, receipt notify.Receipt) error {
		got = append(got, receipt)
		return err
	}).ServeHTTP(w, r)
	return w.Code, got
}

func (c Callbacks) one(t *testing.T, r *http.Request) notify.Receipt {
	t.Helper()
	status, got := c.kept(r, nil)
	if status/100 != 2 || status > 204 || len(got) != 1 {
		t.Fatalf("status %d, receipts %+v", status, got)
	}
	if got[0].Channel != c.Subject.Channel.Name() || got[0].At.IsZero() || got[0].At.Location() != time.UTC {
		t.Errorf("receipt %+v", got[0])
	}
	return got[0]
}

func receipts(t *testing.T, c Callbacks, a Accepted) {
	got := c.one(t, c.Report(a, notify.Delivered))
	if got.State != notify.Delivered || got.ID != a.ID || got.Key != c.Subject.message().Key || got.Reason != "" {
		t.Errorf("delivered: %+v", got)
	}
	got = c.one(t, c.Report(a, notify.Failed))
	if got.State != notify.Failed || got.ID != a.ID || got.Key != c.Subject.message().Key || got.Reason == "" {
		t.Errorf("failed: %+v", got)
	}
	for _, state := range []notify.State{"sent", "created", "queued", "a state of 2031"} {
		if status, got := c.kept(c.Report(a, state), nil); status/100 != 2 || len(got) != 0 {
			t.Errorf("%s: status %d, receipts %+v", state, status, got)
		}
	}
}

func replies(t *testing.T, c Callbacks, _ Accepted) {
	for _, text := range []string{"1", "", " Kommer på en gång, åker nu 🚗 & = + %41 ", "rad 1\nrad 2"} {
		got := c.one(t, c.Reply("in-1", person, text))
		if got.State != notify.Replied || got.ID != "in-1" || got.From != person || got.Reply != text || got.Key != "" {
			t.Errorf("%q: %+v", text, got)
		}
	}
	got := c.one(t, c.Reply("in-2", person, strings.Repeat("å", 5000)))
	if len(got.Reply) != 1600 {
		t.Errorf("a long reply has %d bytes", len(got.Reply))
	}
	got = c.one(t, c.Reply("in-3", person+"\r\n", "a\x00b\x1b[2J"))
	if got.From != person || got.Reply != "ab[2J" {
		t.Errorf("control characters: %+v", got)
	}
}

func unordered(t *testing.T, c Callbacks, a Accepted) {
	var states []notify.State
	h := c.Handler(func(_ context.Context, r notify.Receipt) error {
		states = append(states, r.State)
		return nil
	})
	want := []notify.State{notify.Failed, notify.Delivered, notify.Delivered, notify.Failed, notify.Replied, notify.Replied, notify.Delivered}
	for i, state := range want {
		r := c.Report(a, state)
		if state == notify.Replied {
			r = c.Reply("in-1", person, "1")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code/100 != 2 || len(states) != i+1 || states[i] != state {
			t.Fatalf("call %d: status %d, stored %v", i, w.Code, states)
		}
	}
}

func forged(t *testing.T, c Callbacks, a Accepted) {
	made := func() []*http.Request {
		return []*http.Request{c.Report(a, notify.Delivered), c.Report(a, notify.Failed), c.Reply("in-1", person, "1")}
	}
	forge := map[string]func(*http.Request){
		"another key":   func(r *http.Request) { r.URL.RawQuery = "key=other&" + r.URL.RawQuery },
		"without query": func(r *http.Request) { r.URL.RawQuery = "key=k" },
	}
	for name, f := range c.Forge {
		forge[name] = f
	}
	for name, f := range forge {
		for i, r := range made() {
			f(r)
			if status, got := c.kept(r, nil); status != http.StatusForbidden || len(got) != 0 {
				t.Errorf("%s, call %d: status %d, receipts %+v", name, i, status, got)
			}
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func garbageCalls(t *testing.T, c Callbacks, a Accepted) {
	calls := map[string]*http.Request{}
	for _, body := range []string{
		"", "&", "=", "%", "%zz=1", "{}", "\x00\xff", "id=", "id=x", "MessageSid=x", "status=delivered", "MessageStatus=delivered", "a;b=c",
		"id=" + strings.Repeat("x", 200) + "&status=delivered", "MessageSid=" + strings.Repeat("x", 200) + "&MessageStatus=delivered",
		strings.Repeat("a=b&", notify.MaxCallback), "id=x&MessageSid=x&From=%2B46701234567&from=%2B46701234567&Body=1&message=1&more=" + strings.Repeat("x", notify.MaxCallback),
		"direction=incoming&id=x&from=&message=1",
	} {
		calls[url.QueryEscape(body[:min(len(body), 40)])] = c.Body(body)
	}
	get := c.Report(a, notify.Delivered)
	get.Method = http.MethodGet
	calls["GET"] = get
	kind := c.Report(a, notify.Delivered)
	kind.Header.Set("Content-Type", "application/json")
	calls["not a form"] = kind
	huge := c.Report(a, notify.Delivered)
	huge.Body = io.NopCloser(endless{})
	calls["endless"] = huge
	for name, r := range calls {
		if status, got := c.kept(r, nil); status/100 != 4 || len(got) != 0 {
			t.Errorf("%s: status %d, receipts %+v", name, status, got)
		}
	}
	c.one(t, c.Report(a, notify.Delivered))
}

func storeFails(t *testing.T, c Callbacks, a Accepted) {
	for _, r := range []*http.Request{c.Report(a, notify.Delivered), c.Reply("in-1", person, "1")} {
		if status, got := c.kept(r, errors.New("the disk is full")); status != http.StatusServiceUnavailable || len(got) != 1 {
			t.Errorf("status %d, receipts %+v", status, got)
		}
	}
	c.one(t, c.Report(a, notify.Delivered))
}
