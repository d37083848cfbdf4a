package webhook_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/cloud/notify/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newChannel(t *testing.T, opts webhook.Options) *webhook.Channel {
	t.Helper()
	c, err := webhook.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChannel(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) notifytest.Subject {
		opts := webhook.Options{Secret: webhook.GenerateSecret(), AllowPrivate: true}
		double := notifytest.NewWebhook(t, opts.Secret)
		impatient, stranger := opts, opts
		impatient.Timeout = notifytest.Patience
		stranger.Secret = webhook.GenerateSecret()
		return notifytest.Subject{
			Channel: newChannel(t, opts), Impatient: newChannel(t, impatient), Stranger: newChannel(t, stranger),
			Double: double, To: double.URL(),
			BadTo:   []string{"lykta.example", "//lykta.example", "http://lykta.example/", "https://", "https:lykta.example", "https://user:pass@lykta.example/", "file:///etc/passwd", "https://lykta.example/a b\n"},
			Secrets: []string{strings.TrimPrefix(opts.Secret, "whsec_"), "/hooks/lykta"},
			Expect:  map[notifytest.Behaviour]error{notifytest.Redirect: notify.ErrFinal},
		}
	})
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	c := newChannel(t, webhook.Options{Secret: webhook.GenerateSecret()})
	for _, to := range []string{"http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/", "https://x.localhost/", "https://10.1.2.3/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest"} {
		if id, err := c.Send(t.Context(), notifytest.Message("key", to)); err == nil {
			t.Errorf("%s was accepted as %s", to, id)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range []string{"", "whsec_", "whsec_c2hvcnQ=", "secret", "whsec_%%%", strings.TrimPrefix(webhook.GenerateSecret(), "whsec_"), "whsec_" + strings.Repeat("AAAA", 30)} {
		if _, err := webhook.New(webhook.Options{Secret: bad}); err == nil || !strings.Contains(err.Error(), notify.ErrIDSettings) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
