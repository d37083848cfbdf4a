package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/cloud/peer"
)

// other is a Lykta elsewhere.
func other(t *testing.T) (address string, well *atomic.Bool) {
	t.Helper()
	well = new(atomic.Bool)
	well.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if well.Load() {
			_, _ = io.WriteString(w, "broker: ok\ndatabase: ok\ntime-series: ok\n")
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "broker: not ready\ndatabase: ok\ntime-series: ok\n")
	}))
	t.Cleanup(server.Close)
	return server.URL, well
}

func TestWatchPeerOnce(t *testing.T) {
	address, well := other(t)
	host := strings.TrimPrefix(address, "http://")
	if out := must(t, "watch-peer", "--once", "--peer", address); out != host+": ready\n" {
		t.Errorf("%q", out)
	}
	well.Store(false)
	out, err := cli(t, "watch-peer", "--once", "--peer", address)
	if err == nil || out != "" || err.Error() != host+": not ready: broker" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestWatchPeerRefusesWhatWouldFailInTheNight(t *testing.T) {
	sms := []string{"--elks-username=u", "--elks-password=elks-secret", "--elks-from=Lykta", "--elks-url=http://127.0.0.1:1"}
	for name, args := range map[string][]string{
		"nobody is told":       sms,
		"no such channel":      append(sms, "--tell=pigeon:+46701234567"),
		"push needs people":    append(sms, "--tell=push:anna"),
		"no provider":          append(sms, "--tell=email:drift@example.se"),
		"not a number":         append(sms, "--tell=sms:0701234567"),
		"not an address":       {"--smtp-host=localhost", "--smtp-from=larm@example.se", "--tell=email:drift"},
		"impatient":            append(sms, "--tell=sms:+46701234567", "--after=20s"),
		"all too often":        append(sms, "--tell=sms:+46701234567", "--every=1s"),
		"repeated all day":     append(sms, "--tell=sms:+46701234567", "--again=1s"),
		"no such zone":         append(sms, "--tell=sms:+46701234567", "--zone=Nowhere"),
		"a ping in the clear":  append(sms, "--tell=sms:+46701234567", "--ping-url=http://ping.example/secret"),
		"webhook, not private": {"--webhook-secret=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "--tell=webhook:https://10.0.0.1/secret"},
	} {
		out, err := cli(t, append([]string{"watch-peer", "--peer=https://lykta.example.se"}, args...)...)
		if err == nil || out != "" || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func TestWatchPeerTest(t *testing.T) {
	elks := notifytest.NewElks(t, "u", "elks-secret")
	args := []string{
		"watch-peer", "--peer=https://lykta.example.se", "--elks-username=u", "--elks-password=elks-secret", "--elks-from=Lykta", "--elks-url", elks.Address,
		"--tell=sms:+46701234567", "--test",
	}
	if out := must(t, args...); !strings.Contains(out, "sms (--tell 1): accepted") || strings.Contains(out, "4670") {
		t.Errorf("%q", out)
	}
	if got := elks.Accepted(); len(got) != 1 || got[0].To != "+46701234567" || !strings.Contains(got[0].Text, "Detta är ett prov") {
		t.Errorf("%+v", got)
	}
	elks.Behave(notifytest.Echo, "")
	out, err := cli(t, args...)
	if err == nil || strings.Contains(out+err.Error(), "elks-secret") {
		t.Errorf("%q, %v", out, err)
	}
}

// By the real providers' protocols: one has died, the other tells.
func TestASilentPeerIsToldThroughTheChannels(t *testing.T) {
	address, well := other(t)
	elks := notifytest.NewElks(t, "u", "elks-secret")
	mail := notifytest.NewMail(t, "", "", notifytest.InTheClear)
	mail.Behave(notifytest.Stall, "")
	var log lines
	p := &peerCmd{
		Tell: []string{"email:drift@example.se", "sms:+46701234567"},
		Providers: Providers{
			URL: "https://own.example", ElksUsername: "u", ElksPassword: "elks-secret", ElksFrom: "Lykta", ElksURL: elks.Address,
			SMTPHost: "127.0.0.1", SMTPPort: mail.Port, SMTPFrom: "larm@example.se",
		},
	}
	recipients, err := p.recipients(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	seen, err := peer.New(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	watcher := peer.NewWatcher(peer.Options{
		Name: seen.Name, Ask: seen.Ask, Tell: recipients, After: 100 * time.Millisecond, Every: 20 * time.Millisecond, Again: time.Hour,
		Zone: time.UTC, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx) }()
	well.Store(false)
	await(t, "the SMS that it is silent", func() bool { return len(elks.Accepted()) == 1 })
	well.Store(true)
	await(t, "the SMS that it is back", func() bool { return len(elks.Accepted()) == 2 })
	cancel()
	await(t, "the end", func() bool { return len(ended) == 1 })

	told := elks.Accepted()
	if !strings.Contains(told[0].Text, "kontakten med hemmen") || !strings.Contains(told[1].Text, "tillbaka efter") || told[0].URL != "" {
		t.Errorf("%+v", told)
	}
	for _, secret := range []string{"elks-secret", "+46701234567", "drift@example.se"} {
		if strings.Contains(log.String(), secret) || strings.Contains(told[0].Text, secret) {
			t.Errorf("%s is in the log or in the message", secret)
		}
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// await waits until it is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}
