// Package notifytest proves that a channel is one: every notify.Channel passes
// Run against a double of its provider, and every one with callbacks passes
// RunCallbacks. The doubles follow what the providers document, know nothing
// of the channels' code, and serve tests of the whole service too.
package notifytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Subject is a channel and the double that it sends to.
type Subject struct {
	Channel notify.Channel
	Double  Double
	To      string   // an address that works
	BadTo   []string // addresses that never can
	// Impatient is the channel with a Timeout of Patience; Stranger has
	// credentials that the double does not know.
	Impatient, Stranger notify.Channel
	Secrets             []string // never to be seen in an error
	// Expect says where the channel differs from what the suite expects of
	// a behaviour; a nil means that its protocol has no such thing.
	Expect map[Behaviour]error
}

// Patience is the timeout of an impatient channel.
const Patience = 150 * time.Millisecond

// bound is when a request that should have ended has not.
const bound = 8 * time.Second

// Text is Swedish, and has an emoji.
const Text = "Någon behöver hjälp på Ängsvägen 5 – öppna appen 👵🏽"

// Run proves a channel. Open starts a double of its own for each test.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Subject)
	}{
		{"accepted is told with the provider's id", accepted},
		{"what is read is what was written", intact},
		{"a repetition can be told from a second message", repeated},
		{"an address that cannot be one is final", badAddresses},
		{"a message that cannot be sent is final", badMessages},
		{"nothing can be injected", injection},
		{"long texts are told, cut between characters", long},
		{"every refusal has its kind", refusals},
		{"a busy provider says for how long", retryAfter},
		{"wrong credentials are for the operator", stranger},
		{"no connection is temporary", unreachable},
		{"a context that has ended sends nothing", ended},
		{"called off after acceptance is unsure", calledOff},
		{"a slow provider is bounded by the context", slow},
		{"a slow provider is bounded by the channel", impatient},
		{"answers that are none do no harm", garbage},
		{"no secret is in an error", secrets},
		{"many at once are kept apart", together},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// Message is one that every channel can send.
func Message(key, to string) notify.Message {
	return notify.Message{
		Key: key, To: to, Title: "Larm", Text: Text, URL: "https://lykta.example/a/7", Emergency: true, Expires: time.Now().Add(time.Hour),
	}
}

func (s Subject) message() notify.Message { return Message("alert-7.step-1.anna", s.To) }

// send gives up when a channel does not keep its bound.
func send(t *testing.T, c notify.Channel, ctx context.Context, m notify.Message) (string, error) {
	t.Helper()
	type result struct {
		id  string
		err error
	}
	done := make(chan result, 1)
	go func() {
		id, err := c.Send(ctx, m)
		done <- result{id, err}
	}()
	select {
	case r := <-done:
		check(t, c, r.id, r.err)
		return r.id, r.err
	case <-time.After(bound):
		t.Fatalf("Send took more than %v", bound)
		return "", nil
	}
}

// check holds for every answer of every channel.
func check(t *testing.T, c notify.Channel, id string, err error) {
	t.Helper()
	if err == nil {
		if id == "" || len(id) > 2048 || notify.Line(id) != id {
			t.Errorf("accepted with id %q", id)
		}
		return
	}
	var e *notify.Error
	if !errors.As(err, &e) || id != "" {
		t.Fatalf("id %q, error %T %v, want no id and a *notify.Error", id, err, err)
	}
	if e.Channel != c.Name() || e.RetryAfter < 0 || e.RetryAfter > notify.MaxRetryAfter || len(err.Error()) > 600 || notify.Line(err.Error()) != err.Error() {
		t.Errorf("error %+v", e)
	}
	if misconfigured := errors.Is(err, notify.ErrMisconfigured); misconfigured != strings.HasPrefix(err.Error(), "LYK-08") {
		t.Errorf("%v: misconfigured %v; an id is for what an operator can mend, and always there", err, misconfigured)
	}
	kinds := 0
	for _, kind := range []error{notify.ErrFinal, notify.ErrBusy, notify.ErrTemporary, notify.ErrUnsure, notify.ErrMisconfigured} {
		if errors.Is(err, kind) {
			kinds++
		}
	}
	if kinds != 1 {
		t.Errorf("%v is of %d kinds", err, kinds)
	}
}

func (s Subject) must(t *testing.T, m notify.Message) string {
	t.Helper()
	id, err := send(t, s.Channel, t.Context(), m)
	if err != nil {
		t.Fatalf("not accepted: %v", err)
	}
	return id
}

func (s Subject) only(t *testing.T) Accepted {
	t.Helper()
	got := s.Double.Accepted()
	if len(got) != 1 {
		t.Fatalf("the provider accepted %d messages, want one", len(got))
	}
	return got[0]
}

func wantKind(t *testing.T, what any, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v: got error %v, want %v", what, err, want)
	}
}

func accepted(t *testing.T, s Subject) {
	if s.Channel.Name() == "" {
		t.Error("the channel has no name")
	}
	id := s.must(t, s.message())
	if a := s.only(t); a.ID != id || a.To != s.To {
		t.Errorf("id %q for %q, the provider has %q for %q", id, s.To, a.ID, a.To)
	}
	for i, m := range []notify.Message{
		{Key: "only title", To: s.To, Title: "Larm"}, {Key: "only text", To: s.To, Text: "Larm"},
		{Key: strings.Repeat("k", 512), To: s.To, Text: "x"}, {Key: "nyckel å&=#?\n ", To: s.To, Text: "x"},
	} {
		s.must(t, m)
		if got := s.Double.Accepted(); len(got) != i+2 || !strings.Contains(got[i+1].Text, m.Title+m.Text) {
			t.Errorf("%q: the provider has %+v", m.Key, got[len(got)-1])
		}
	}
}

// The en dash may become a hyphen: see notify.SMS.
func intact(t *testing.T, s Subject) {
	s.must(t, s.message())
	got := strings.ReplaceAll(s.only(t).Text, "–", "-")
	for _, want := range []string{"Larm", strings.ReplaceAll(Text, "–", "-"), "https://lykta.example/a/7"} {
		if !strings.Contains(got, want) {
			t.Errorf("a person reads %q, without %q", got, want)
		}
	}
}

func repeated(t *testing.T, s Subject) {
	other := s.message()
	other.Key = "alert-7.step-2.anna"
	for _, m := range []notify.Message{s.message(), s.message(), other} {
		s.must(t, m)
	}
	got := s.Double.Accepted()
	if len(got) != 3 || got[0].Key == "" || got[0].Key != got[1].Key || got[1].Key == got[2].Key {
		t.Errorf("on the wire the keys are %q, %q and %q", got[0].Key, got[1].Key, got[2].Key)
	}
}

func badAddresses(t *testing.T, s Subject) {
	for _, to := range append([]string{"", " ", "\x00", "\xff", "a\r\nb", strings.Repeat("1", 100_000)}, s.BadTo...) {
		m := s.message()
		m.To = to
		_, err := send(t, s.Channel, t.Context(), m)
		wantKind(t, fmt.Sprintf("%.80q", to), err, notify.ErrFinal)
		if err != nil && len(to) > 8 && strings.Contains(err.Error(), to) {
			t.Errorf("%v shows the address", err)
		}
	}
	if got := s.Double.Accepted(); len(got) != 0 {
		t.Errorf("the provider accepted %+v", got)
	}
}

func badMessages(t *testing.T, s Subject) {
	for name, spoil := range map[string]func(*notify.Message){
		"no key":        func(m *notify.Message) { m.Key = "" },
		"a long key":    func(m *notify.Message) { m.Key = strings.Repeat("k", 513) },
		"nothing":       func(m *notify.Message) { m.Title, m.Text = "", "" },
		"not UTF-8":     func(m *notify.Message) { m.Text = "\xff" },
		"half of UTF-8": func(m *notify.Message) { m.Title, m.Text = "\xf0\x9f", "\x91\xb5" },
		"has expired":   func(m *notify.Message) { m.Expires = time.Now().Add(-time.Second) },
	} {
		m := s.message()
		spoil(&m)
		_, err := send(t, s.Channel, t.Context(), m)
		wantKind(t, name, err, notify.ErrFinal)
	}
	if got := s.Double.Accepted(); len(got) != 0 {
		t.Errorf("the provider accepted %+v", got)
	}
}

func injection(t *testing.T, s Subject) {
	const evil = "x\r\nBcc: eve@example.org\r\nX-Evil: 1\r\n\r\n.\r\nMAIL FROM:<eve@example.org>\r\n&to=+4670&To=+4670\x00\"}"
	m := s.message()
	m.Title, m.Text, m.URL, m.Key = "title "+evil, "text "+evil, "https://lykta.example/"+evil, "key "+evil
	s.must(t, m)
	a := s.only(t)
	if a.To != s.To {
		t.Errorf("sent to %q", a.To)
	}
	for name := range maps.Keys(a.Header) {
		if name == "Bcc" || name == "X-Evil" || name == "Cc" {
			t.Errorf("the message has a header %s", name)
		}
	}
	if !strings.Contains(a.Text, "text x") || !strings.Contains(a.Text, "+4670") {
		t.Errorf("the text is %q", a.Text)
	}
	for _, to := range []string{s.To + "\r\nBcc: eve@example.org", s.To + ">\r\nRCPT TO:<eve@example.org", s.To + "\x00"} {
		m := s.message()
		m.To = to
		_, err := send(t, s.Channel, t.Context(), m)
		wantKind(t, to, err, notify.ErrFinal)
	}
	s.only(t)
}

func long(t *testing.T, s Subject) {
	m := s.message()
	m.Text = "Början " + strings.Repeat("👩‍👩‍👧 åäö ", 5_000)
	s.must(t, m)
	a := s.only(t)
	if !strings.Contains(a.Text, "Början") || strings.ContainsRune(a.Text, '\ufffd') || !strings.Contains(a.Text, m.URL) {
		t.Errorf("a person reads %.60q … of %d bytes", a.Text, len(a.Text))
	}
}

func (s Subject) expected(b Behaviour, usual error) error {
	if own, ok := s.Expect[b]; ok {
		return own
	}
	return usual
}

func refusals(t *testing.T, s Subject) {
	for b, usual := range map[Behaviour]error{
		RefuseAddress: notify.ErrFinal, Gone: notify.ErrGone, Denied: notify.ErrMisconfigured, Broken: notify.ErrTemporary,
		BadGateway: notify.ErrTemporary, Unavailable: notify.ErrTemporary, Echo: notify.ErrFinal, Redirect: notify.ErrMisconfigured,
	} {
		want := s.expected(b, usual)
		if want == nil {
			continue
		}
		s.Double.Behave(b, "")
		_, err := send(t, s.Channel, t.Context(), s.message())
		wantKind(t, b, err, want)
	}
	if got := s.Double.Accepted(); len(got) != 0 {
		t.Errorf("the provider accepted %d", len(got))
	}
	s.Double.Behave(Accept, "")
	s.must(t, s.message())
}

func retryAfter(t *testing.T, s Subject) {
	for header, want := range map[string][2]time.Duration{
		"7": {7 * time.Second, 7 * time.Second}, "999999999": {notify.MaxRetryAfter, notify.MaxRetryAfter},
		time.Now().Add(time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"): {30 * time.Second, time.Minute},
		"": {}, "soon": {}, "-5": {}, "0": {}, "99999999999999999999": {}, "Mon, 02 Jan 2006 15:04:05 GMT": {},
	} {
		s.Double.Behave(Busy, header)
		_, err := send(t, s.Channel, t.Context(), s.message())
		kind := s.expected(Busy, notify.ErrBusy)
		wantKind(t, "busy "+header, err, kind)
		var e *notify.Error
		if kind == notify.ErrBusy && errors.As(err, &e) && (e.RetryAfter < want[0] || e.RetryAfter > want[1]) {
			t.Errorf("Retry-After %q: wait %v, want %v", header, e.RetryAfter, want)
		}
	}
	s.Double.Behave(Overloaded, "3")
	_, err := send(t, s.Channel, t.Context(), s.message())
	wantKind(t, Overloaded, err, s.expected(Overloaded, notify.ErrBusy))
}

func stranger(t *testing.T, s Subject) {
	_, err := send(t, s.Stranger, t.Context(), s.message())
	wantKind(t, "wrong credentials", err, notify.ErrMisconfigured)
	if got := s.Double.Accepted(); len(got) != 0 {
		t.Errorf("the provider accepted %d", len(got))
	}
}

func unreachable(t *testing.T, s Subject) {
	s.Double.Close()
	_, err := send(t, s.Channel, t.Context(), s.message())
	wantKind(t, "refused", err, notify.ErrTemporary)
}

func ended(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := send(t, s.Channel, ctx, s.message())
	wantKind(t, "ended", err, notify.ErrTemporary)
	wantKind(t, "ended", err, context.Canceled)
	if got := s.Double.Accepted(); len(got) != 0 {
		t.Errorf("the provider accepted %d", len(got))
	}
}

func calledOff(t *testing.T, s Subject) {
	s.Double.Behave(Stall, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil && len(s.Double.Accepted()) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := send(t, s.Channel, ctx, s.message())
	wantKind(t, "called off", err, notify.ErrUnsure)
	wantKind(t, "called off", err, context.Canceled)
	s.only(t)
	s.Double.Behave(Drop, "")
	_, err = send(t, s.Channel, t.Context(), s.message())
	wantKind(t, Drop, err, notify.ErrUnsure)
}

func slow(t *testing.T, s Subject) {
	s.Double.Behave(Stall, "")
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	_, err := send(t, s.Channel, ctx, s.message())
	late(t, s, err)
}

func impatient(t *testing.T, s Subject) {
	s.Double.Behave(Stall, "")
	_, err := send(t, s.Impatient, t.Context(), s.message())
	late(t, s, err)
}

// late is unsure; only a machine so slow that nothing arrived in time may call
// it temporary.
func late(t *testing.T, s Subject, err error) {
	t.Helper()
	wantKind(t, "late", err, context.DeadlineExceeded)
	if len(s.Double.Accepted()) > 0 {
		wantKind(t, "late", err, notify.ErrUnsure)
	}
}

// A channel that needs no id from the answer may take any success for one.
func garbage(t *testing.T, s Subject) {
	for _, b := range []Behaviour{Garbage, Endless, Nonsense} {
		s.Double.Behave(b, "")
		_, err := send(t, s.Impatient, t.Context(), s.message())
		if err != nil && !errors.Is(err, notify.ErrUnsure) && !errors.Is(err, s.Expect[b]) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", b, err)
		}
	}
	s.Double.Behave(Accept, "")
	s.must(t, s.message())
}

func secrets(t *testing.T, s Subject) {
	look := func(what any, err error) {
		for _, secret := range append(slices.Clone(s.Secrets), Text, s.message().Key) {
			for _, shown := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				if strings.Contains(shown, secret) {
					t.Errorf("%v: the error shows %q: %s", what, secret, shown)
				}
			}
		}
	}
	for _, b := range []Behaviour{RefuseAddress, Gone, Denied, Busy, Broken, BadGateway, Redirect, Echo, Drop, Garbage, Nonsense} {
		s.Double.Behave(b, "1")
		_, err := send(t, s.Impatient, t.Context(), s.message())
		look(b, err)
	}
	_, err := send(t, s.Stranger, t.Context(), s.message())
	look("stranger", err)
	s.Double.Close()
	_, err = send(t, s.Channel, t.Context(), s.message())
	look("closed", err)
}

func together(t *testing.T, s Subject) {
	const n = 20
	ids := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var err error
			if ids[i], err = s.Channel.Send(t.Context(), Message(fmt.Sprint("key ", i), s.To)); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	slices.Sort(ids)
	if got := s.Double.Accepted(); len(got) != n || len(slices.Compact(ids)) != n {
		t.Errorf("%d accepted of %d, ids %q", len(got), n, ids)
	}
}
