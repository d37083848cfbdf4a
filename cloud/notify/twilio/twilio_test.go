package twilio_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/cloud/notify/twilio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newChannel(t *testing.T, opts twilio.Options) *twilio.Channel {
	t.Helper()
	c, err := twilio.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func options() twilio.Options {
	return twilio.Options{
		AccountSID: "AC00000000000000000000000000000001", AuthToken: "12345abcdef67890-token", From: "+46766860000",
		CallbackURL: "https://lykta.example/callback/twilio",
	}
}

func open(t *testing.T) (notifytest.Subject, *notifytest.Twilio) {
	opts := options()
	double := notifytest.NewTwilio(t, opts.AccountSID, opts.AuthToken)
	opts.BaseURL = double.Address
	impatient, stranger := opts, opts
	impatient.Timeout = notifytest.Patience
	stranger.AuthToken = "another"
	return notifytest.Subject{
		Channel: newChannel(t, opts), Impatient: newChannel(t, impatient), Stranger: newChannel(t, stranger),
		Double: double, To: "+46701234567",
		BadTo:   []string{"0701234567", "46701234567", "+46 70 123 45 67", "+46", "whatsapp:+46701234567", "MG123"},
		Secrets: []string{opts.AuthToken},
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
		body := func(change func(string) string) func(*http.Request) {
			return func(r *http.Request) {
				data, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(change(string(data))))
			}
		}
		stranger := notifytest.NewTwilio(t, options().AccountSID, "another")
		return notifytest.Callbacks{
			Subject: s, Handler: s.Channel.(*twilio.Channel).Callback, Report: double.Report,
			Reply: func(id, from, text string) *http.Request { return double.Reply(options().CallbackURL, id, from, text) },
			Body:  func(body string) *http.Request { return double.Sign(notifytest.Call(options().CallbackURL, body)) },
			Forge: map[string]func(*http.Request){
				"no signature":    func(r *http.Request) { r.Header.Del("X-Twilio-Signature") },
				"empty signature": func(r *http.Request) { r.Header.Set("X-Twilio-Signature", "") },
				"wrong signature": func(r *http.Request) { r.Header.Set("X-Twilio-Signature", "0123456789012345678901234567") },
				"another's token": func(r *http.Request) { stranger.Sign(r) },
				"another field":   body(func(s string) string { return s + "&From=%2B4670" }),
				"another text": body(func(s string) string {
					return strings.NewReplacer("Body=1", "Body=2", "delivered", "failed").Replace(s)
				}),
				"fields moved": body(func(s string) string { return strings.Replace(s, "SmsSid=", "SmsSi=d", 1) + "&x=" }),
			},
		}
	})
}

// The example of Twilio's documentation and of its libraries' tests.
func TestSignatureOfTwiliosExample(t *testing.T) {
	opts := options()
	opts.AuthToken, opts.CallbackURL = "12345", "https://mycompany.com/myapp.php"
	r := notifytest.Call("https://mycompany.com/myapp.php?foo=1&bar=2", "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309")
	r.Header.Set("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
	status := serve(newChannel(t, opts), r)
	if status != http.StatusBadRequest { // signed, and not about a message
		t.Errorf("status %d", status)
	}
}

// A proxy may make the port appear or not.
func TestSignatureWithAndWithoutPort(t *testing.T) {
	for configured, signed := range map[string]string{
		"https://lykta.example/cb": "https://lykta.example:443/cb", "https://lykta.example:8443/cb": "https://lykta.example/cb",
	} {
		opts := options()
		opts.CallbackURL = configured
		double := notifytest.NewTwilio(t, opts.AccountSID, opts.AuthToken)
		if status := serve(newChannel(t, opts), double.Reply(signed, "SM1", "+46701234567", "1")); status != http.StatusOK {
			t.Errorf("configured %s, signed %s: status %d", configured, signed, status)
		}
	}
}

func serve(c *twilio.Channel, r *http.Request) int {
	w := httptest.NewRecorder()
	c.Callback(func(context.Context, notify.Receipt) error { return nil }).ServeHTTP(w, r)
	return w.Code
}

// Twilio's own codes say more than the status.
func TestErrorCodes(t *testing.T) {
	var reply string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, reply)
	}))
	defer server.Close()
	opts := options()
	opts.BaseURL = server.URL
	c := newChannel(t, opts)
	for code, want := range map[string]error{
		"21211": notify.ErrFinal, "21614": notify.ErrFinal, "21610": notify.ErrGone, "21606": notify.ErrMisconfigured,
		"21608": notify.ErrMisconfigured, "20429": notify.ErrBusy, "0": notify.ErrFinal, `"x"`: notify.ErrFinal,
	} {
		reply = `{"code":` + code + `,"message":"the number +46701234567 is not right"}`
		_, err := c.Send(t.Context(), notifytest.Message("key", "+46701234567"))
		if !errors.Is(err, want) || strings.Contains(err.Error(), "+46701234567") {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
	}
}

func TestSettings(t *testing.T) {
	for name, spoil := range map[string]func(*twilio.Options){
		"no account":           func(o *twilio.Options) { o.AccountSID = "" },
		"another kind of SID":  func(o *twilio.Options) { o.AccountSID = "SK1" },
		"a path in the SID":    func(o *twilio.Options) { o.AccountSID = "AC/../x" },
		"no token":             func(o *twilio.Options) { o.AuthToken = "" },
		"no sender":            func(o *twilio.Options) { o.From = "" },
		"callbacks with query": func(o *twilio.Options) { o.CallbackURL += "?a=b" },
		"http callbacks":       func(o *twilio.Options) { o.CallbackURL = "http://lykta.example/" },
		"http to the API":      func(o *twilio.Options) { o.BaseURL = "http://api.example" },
	} {
		opts := options()
		spoil(&opts)
		if _, err := twilio.New(opts); err == nil || !strings.Contains(err.Error(), notify.ErrIDSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
