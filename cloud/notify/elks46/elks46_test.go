package elks46_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/elks46"
	"github.com/lykta/lykta/cloud/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newChannel(t *testing.T, opts elks46.Options) *elks46.Channel {
	t.Helper()
	c, err := elks46.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func options() elks46.Options {
	return elks46.Options{
		Username: "u0123456789", Password: "P4ssw0rd/with+signs", From: "+46766860000",
		CallbackURL: "https://lykta.example/callback/46elks", CallbackSecret: "0123456789abcdef-secret",
	}
}

func open(t *testing.T) (notifytest.Subject, *notifytest.Elks) {
	opts := options()
	double := notifytest.NewElks(t, opts.Username, opts.Password)
	opts.BaseURL = double.Address
	impatient, stranger := opts, opts
	impatient.Timeout = notifytest.Patience
	stranger.Password = "another"
	return notifytest.Subject{
		Channel: newChannel(t, opts), Impatient: newChannel(t, impatient), Stranger: newChannel(t, stranger),
		Double: double, To: "+46701234567",
		BadTo:   []string{"0701234567", "46701234567", "+46 70 123 45 67", "+46", "+0701234567", "anna@example.org", "+4670123456789012"},
		Secrets: []string{opts.Password, url.QueryEscape(opts.Password), opts.CallbackSecret},
		Expect:  map[notifytest.Behaviour]error{notifytest.Gone: notify.ErrFinal},
	}, double
}

func TestChannel(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) notifytest.Subject {
		s, _ := open(t)
		return s
	})
}

func TestCallbacks(t *testing.T) {
	notifytest.RunCallbacks(t, func(t *testing.T) notifytest.Callbacks {
		s, double := open(t)
		c := s.Channel.(*elks46.Channel)
		query := func(change func(url.Values)) func(*http.Request) {
			return func(r *http.Request) {
				q := r.URL.Query()
				change(q)
				r.URL.RawQuery = q.Encode()
			}
		}
		return notifytest.Callbacks{
			Subject: s, Handler: c.Callback, Report: double.Report,
			Reply: func(id, from, text string) *http.Request { return double.Reply(c.IncomingURL(), id, from, text) },
			Body:  func(body string) *http.Request { return notifytest.Call(c.IncomingURL(), body) },
			Forge: map[string]func(*http.Request){
				"no token":     query(func(q url.Values) { q.Del("token") }),
				"empty token":  query(func(q url.Values) { q.Set("token", "") }),
				"wrong token":  query(func(q url.Values) { q.Set("token", strings.Repeat("A", 43)) }),
				"longer token": query(func(q url.Values) { q.Set("token", q.Get("token")+"A") }),
				"the secret":   query(func(q url.Values) { q.Set("token", options().CallbackSecret) }),
				"another task": query(func(q url.Values) {
					q.Set("for", map[string]string{"delivered": "incoming", "incoming": "delivered"}[q.Get("for")])
				}),
				"another's key":  query(func(q url.Values) { q.Set("key", "alert-8.step-1.anna") }),
				"token in body":  func(r *http.Request) { *r = *notifytest.Call("https://lykta.example/callback/46elks", r.URL.RawQuery) },
				"no task at all": query(func(q url.Values) { q.Del("for") }),
			},
		}
	})
}

func TestWithoutCallbacks(t *testing.T) {
	opts := options()
	opts.CallbackURL, opts.CallbackSecret = "", ""
	double := notifytest.NewElks(t, opts.Username, opts.Password)
	opts.BaseURL = double.Address
	c := newChannel(t, opts)
	if _, err := c.Send(t.Context(), notifytest.Message("key", "+46701234567")); err != nil || double.Accepted()[0].URL != "" || c.IncomingURL() != "" {
		t.Errorf("error %v, callbacks to %q", err, double.Accepted()[0].URL)
	}
}

func TestSettings(t *testing.T) {
	for name, spoil := range map[string]func(*elks46.Options){
		"no user":              func(o *elks46.Options) { o.Username = "" },
		"no password":          func(o *elks46.Options) { o.Password = "" },
		"no sender":            func(o *elks46.Options) { o.From = "" },
		"a national sender":    func(o *elks46.Options) { o.From = "0766860000" },
		"a long sender":        func(o *elks46.Options) { o.From = "Hemtjansten1" },
		"a sender with å":      func(o *elks46.Options) { o.From = "Hemtjänst" },
		"http callbacks":       func(o *elks46.Options) { o.CallbackURL = "http://lykta.example/" },
		"callbacks with query": func(o *elks46.Options) { o.CallbackURL += "?a=b" },
		"a short secret":       func(o *elks46.Options) { o.CallbackSecret = "short" },
		"http to the API":      func(o *elks46.Options) { o.BaseURL = "http://api.example" },
	} {
		opts := options()
		spoil(&opts)
		if _, err := elks46.New(opts); err == nil || !strings.Contains(err.Error(), notify.ErrIDSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
	opts := options()
	opts.From = "Lykta"
	newChannel(t, opts)
}
