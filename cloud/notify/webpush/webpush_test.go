package webpush_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/cloud/notify/webpush"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newChannel(t *testing.T, opts webpush.Options) *webpush.Channel {
	t.Helper()
	c, err := webpush.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keys(t *testing.T) webpush.Options {
	t.Helper()
	public, private, err := webpush.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return webpush.Options{PublicKey: public, PrivateKey: private, Subject: "mailto:drift@lykta.example", AllowPrivate: true}
}

func open(t *testing.T) notifytest.Subject {
	opts := keys(t)
	double := notifytest.NewPush(t, opts.PublicKey)
	impatient := opts
	impatient.Timeout = notifytest.Patience
	key := make([]byte, 65)
	return notifytest.Subject{
		Channel: newChannel(t, opts), Impatient: newChannel(t, impatient), Stranger: newChannel(t, keys(t)),
		Double: double, To: double.Subscription(),
		BadTo: []string{
			"{}", "null", "[]", "7", `"x"`, `{"endpoint":"https://push.example/x"}`,
			notifytest.SubscriptionJSON("https://push.example/x", key, make([]byte, 16)),
			strings.Replace(double.Subscription(), "http:", "ftp:", 1),
			strings.Replace(double.Subscription(), `"auth":"`, `"auth":"AAAA`, 1),
			strings.Replace(double.Subscription(), "http://", "http://user:pass@", 1),
			strings.Replace(double.Subscription(), "http://127.0.0.1", "http://push.example", 1),
		},
		Secrets: []string{opts.PrivateKey, "JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV"},
		Expect:  map[notifytest.Behaviour]error{notifytest.Redirect: notify.ErrFinal},
	}
}

func TestChannel(t *testing.T) { notifytest.Run(t, open) }

func TestHeaders(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		emergency bool
		expires   time.Time
		urgency   string
		ttls      []string
	}{
		{true, time.Now().Add(time.Minute), "high", []string{"60", "59", "58"}},
		{false, time.Time{}, "normal", []string{"86400"}},
		{false, time.Now().AddDate(1, 0, 0), "normal", []string{"2419200"}},
		{true, time.Now().Add(1900 * time.Millisecond), "high", []string{"1"}},
	} {
		m := notifytest.Message("key", s.To)
		m.Emergency, m.Expires = c.emergency, c.expires
		if _, err := s.Channel.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		got := s.Double.Accepted()
		h := got[len(got)-1].Header
		if ttl := h.Get("TTL"); h.Get("Urgency") != c.urgency || !strings.Contains(strings.Join(c.ttls, " ")+" ", ttl+" ") || len(h.Get("Topic")) != 32 {
			t.Errorf("%+v: urgency %q, TTL %q, topic %q", c, h.Get("Urgency"), ttl, h.Get("Topic"))
		}
	}
}

func TestPayload(t *testing.T) {
	s := open(t)
	m := notifytest.Message("key", s.To)
	m.Text = "Öppna appen"
	if _, err := s.Channel.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := `{"key":"key","title":"Larm","text":"Öppna appen","url":"https://lykta.example/a/7","emergency":true}`
	if got := string(s.Double.Accepted()[0].Payload); got != want {
		t.Errorf("payload %s", got)
	}
}

// What push services say, RFC 8030, 5 to 7 and RFC 8292, 4.2.
func TestStatuses(t *testing.T) {
	opts := keys(t)
	c, good := newChannel(t, opts), notifytest.NewPush(t, opts.PublicKey).Subscription()
	for status, want := range map[int]error{
		404: notify.ErrGone, 410: notify.ErrGone, 400: notify.ErrFinal, 413: notify.ErrFinal, 401: notify.ErrMisconfigured, 403: notify.ErrMisconfigured,
		429: notify.ErrBusy, 500: notify.ErrTemporary, 503: notify.ErrTemporary,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		to := strings.Replace(good, good[strings.Index(good, "http"):strings.Index(good, "/push")], server.URL, 1)
		if _, err := c.Send(t.Context(), notifytest.Message("key", to)); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", status, err, want)
		}
		server.Close()
	}
}

// The size of what passes the push service says nothing about the message.
func TestSameLength(t *testing.T) {
	s := open(t)
	for _, text := range []string{"x", strings.Repeat("å", 1500), strings.Repeat("\"\x01<", 5000)} {
		m := notifytest.Message("key", s.To)
		m.Text = text
		if _, err := s.Channel.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range s.Double.Accepted() {
		if got := a.Header.Get("Content-Length"); got != "4096" {
			t.Errorf("%s bytes", got)
		}
	}
}

// A subscription comes from a browser, and so from anybody.
func TestPrivateAddressesAreRefused(t *testing.T) {
	opts := keys(t)
	opts.AllowPrivate = false
	c := newChannel(t, opts)
	good := notifytest.NewPush(t, opts.PublicKey).Subscription()
	for _, host := range []string{"127.0.0.1:9", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "0.0.0.0", "100.64.0.1", "[64:ff9b::a00:1]"} {
		to := strings.Replace(good, good[strings.Index(good, "http"):strings.Index(good, "/push")], "https://"+host, 1)
		_, err := c.Send(t.Context(), notifytest.Message("key", to))
		if err == nil || !strings.Contains(err.Error(), "not a public one") {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestSettings(t *testing.T) {
	good := keys(t)
	other := keys(t)
	for name, spoil := range map[string]func(*webpush.Options){
		"no keys":         func(o *webpush.Options) { o.PublicKey, o.PrivateKey = "", "" },
		"another's key":   func(o *webpush.Options) { o.PublicKey = other.PublicKey },
		"zero":            func(o *webpush.Options) { o.PrivateKey = base64.RawURLEncoding.EncodeToString(make([]byte, 32)) },
		"no subject":      func(o *webpush.Options) { o.Subject = "" },
		"http subject":    func(o *webpush.Options) { o.Subject = "http://lykta.example" },
		"bad mail":        func(o *webpush.Options) { o.Subject = "mailto:nobody" },
		"mail with lines": func(o *webpush.Options) { o.Subject = "mailto:a@b.example\r\nX: y" },
	} {
		opts := good
		spoil(&opts)
		if _, err := webpush.New(opts); err == nil || !strings.Contains(err.Error(), notify.ErrIDSettings) || strings.Contains(err.Error(), good.PrivateKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.PublicKey += "=" // as some tools write it
	good.Subject = "https://lykta.example"
	newChannel(t, good)
}
