package email_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/email"
	"github.com/lykta/lykta/cloud/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newChannel(t *testing.T, opts email.Options) *email.Channel {
	t.Helper()
	c, err := email.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	username = "larm@lykta.example"
	password = "P4ssw0rd åäö"
)

func options(d *notifytest.Mail) email.Options {
	return email.Options{Host: "127.0.0.1", Port: d.Port, Username: username, Password: password, From: "Hemtjänsten Söder <larm@lykta.example>", TLS: d.TLS}
}

func open(security notifytest.Security) func(t *testing.T) notifytest.Subject {
	return func(t *testing.T) notifytest.Subject {
		double := notifytest.NewMail(t, username, password, security)
		opts := options(double)
		opts.ImplicitTLS = security == notifytest.ImplicitTLS
		impatient, stranger := opts, opts
		impatient.Timeout = notifytest.Patience
		stranger.Password = "another"
		return notifytest.Subject{
			Channel: newChannel(t, opts), Impatient: newChannel(t, impatient), Stranger: newChannel(t, stranger),
			Double: double, To: "anna.svensson@example.org",
			BadTo: []string{
				"anna", "anna@", "@example.org", "Anna <anna@example.org>", "<anna@example.org>", "a@example.org, b@example.org", "a@example.org,b@example.org", "a@example.org b@example.org",
				"anna@exämple.org", "ann a@example.org", `"ann a"@example.org`, "a@[127.0.0.1]", "a@b@example.org", strings.Repeat("a", 65) + "@example.org",
			},
			Secrets: []string{password},
			Expect: map[notifytest.Behaviour]error{
				notifytest.Gone: notify.ErrFinal, notifytest.Busy: notify.ErrTemporary, notifytest.Overloaded: notify.ErrTemporary,
				notifytest.Redirect: nil, notifytest.Nonsense: notify.ErrTemporary,
			},
		}
	}
}

func TestChannel(t *testing.T) {
	for name, security := range map[string]notifytest.Security{
		"STARTTLS": notifytest.StartTLS, "implicit TLS": notifytest.ImplicitTLS, "in the clear on loopback": notifytest.InTheClear,
	} {
		t.Run(name, func(t *testing.T) { notifytest.Run(t, open(security)) })
	}
}

func TestHeaders(t *testing.T) {
	double := notifytest.NewMail(t, "", "", notifytest.StartTLS)
	opts := options(double)
	opts.Username, opts.Password = "", ""
	m := notifytest.Message("key", "anna@example.org")
	id, err := newChannel(t, opts).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	h := double.Accepted()[0].Header
	if double.Encrypted() != 1 || !strings.HasSuffix(id, "@lykta.example") || h.Get("Auto-Submitted") != "auto-generated" || h.Get("Importance") != "high" ||
		h.Get("Date") == "" || h.Get("User-Agent") != "" || !strings.Contains(h.Get("From"), "<larm@lykta.example>") {
		t.Errorf("id %s, header %v", id, h)
	}
}

// Beyond loopback nothing goes out in the clear. LOCALHOST is a name that
// the channel does not know, and the system does.
func TestEncryptionIsRequired(t *testing.T) {
	for name, c := range map[string]struct {
		security notifytest.Security
		trust    bool
	}{"no STARTTLS": {notifytest.InTheClear, true}, "an unknown certificate": {notifytest.StartTLS, false}} {
		double := notifytest.NewMail(t, username, password, c.security)
		opts := options(double)
		opts.Host = "LOCALHOST"
		if !c.trust {
			opts.Host, opts.TLS = "127.0.0.1", nil
		}
		_, err := newChannel(t, opts).Send(t.Context(), notifytest.Message("key", "anna@example.org"))
		var e *notify.Error
		if !errors.As(err, &e) || e.ID != notify.ErrIDEncryption || len(double.Accepted()) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A server may turn us away before it hears of the message.
func TestGreetings(t *testing.T) {
	for greeting, want := range map[string]error{
		"421 4.3.2 later": notify.ErrTemporary, "554 5.7.1 your address is on a list": notify.ErrMisconfigured, "SSH-2.0-OpenSSH_9.2": notify.ErrTemporary, "": notify.ErrTemporary,
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, greeting+"\r\n")
			_ = conn.Close()
		}()
		c := newChannel(t, email.Options{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "larm@lykta.example"})
		if _, err := c.Send(t.Context(), notifytest.Message("key", "anna@example.org")); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", greeting, err, want)
		}
		_ = listener.Close()
		<-done
	}
}

func TestSettings(t *testing.T) {
	good := email.Options{Host: "mail.example", From: "larm@lykta.example"}
	for name, spoil := range map[string]func(*email.Options){
		"no host":           func(o *email.Options) { o.Host = "" },
		"no sender":         func(o *email.Options) { o.From = "" },
		"sender with lines": func(o *email.Options) { o.From = "x\r\nBcc: y <larm@lykta.example>" },
		"half an account":   func(o *email.Options) { o.Username = "x" },
		"no such port":      func(o *email.Options) { o.Port = 70000 },
	} {
		opts := good
		spoil(&opts)
		if _, err := email.New(opts); err == nil || !strings.Contains(err.Error(), notify.ErrIDSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
	newChannel(t, good)
}
