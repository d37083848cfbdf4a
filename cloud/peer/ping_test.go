package peer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pinged plays a service and the watcher that it pings, for a time; it
// returns how often that was called, and the log.
func pinged(t *testing.T, lasts time.Duration, ready func(since time.Duration) error, answer func(since time.Duration) (int, error)) (calls int, log string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var out bytes.Buffer
		p, err := NewPing("https://ping.example/0123-secret", func(context.Context) error { return ready(time.Since(start)) }, slog.New(slog.NewTextHandler(&out, nil)))
		if err != nil {
			t.Fatal(err)
		}
		p.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
			if calls++; r.URL.Path != "/0123-secret" {
				t.Errorf("called %s", r.URL)
			}
			status, err := answer(time.Since(start))
			if err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("OK")), Header: http.Header{"Location": {"https://elsewhere.example/"}}, Request: r}, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		if err := p.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run: %v", err)
		}
		log = out.String()
	})
	if strings.Contains(log, "secret") {
		t.Errorf("the log holds the address: %s", log)
	}
	return calls, log
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func always(time.Duration) error { return nil }

func ok(time.Duration) (int, error) { return http.StatusOK, nil }

func TestItPingsEveryMinuteWhileReady(t *testing.T) {
	if calls, log := pinged(t, 10*time.Minute-time.Second, always, ok); calls != 10 || log != "" {
		t.Errorf("%d calls\n%s", calls, log)
	}
}

func TestItNeverPingsWhileNotReady(t *testing.T) {
	calls, log := pinged(t, 10*time.Minute-time.Second, func(since time.Duration) error {
		if since >= 2*time.Minute && since < 6*time.Minute {
			return errors.New("database: sqlite: secret words")
		}
		return nil
	}, ok)
	if calls != 6 || strings.Count(log, "LYK-0844") != 1 || strings.Count(log, "pinged again") != 1 {
		t.Errorf("%d calls\n%s", calls, log)
	}
}

func TestAPingThatFailsIsLoggedOnceAndTriedOn(t *testing.T) {
	for name, answer := range map[string]func() (int, error){
		"error":        func() (int, error) { return http.StatusNotFound, nil },
		"redirect":     func() (int, error) { return http.StatusFound, nil },
		"no network":   func() (int, error) { return 0, errors.New("dial https://ping.example/0123-secret") },
		"never an end": func() (int, error) { time.Sleep(pingTime); return 0, context.DeadlineExceeded },
	} {
		t.Run(name, func(t *testing.T) {
			calls, log := pinged(t, 10*time.Minute-time.Second, always, func(since time.Duration) (int, error) {
				if since < 5*time.Minute {
					return answer()
				}
				return http.StatusOK, nil
			})
			if calls != 10 || strings.Count(log, "LYK-0844") != 1 || strings.Count(log, "pinged again") != 1 {
				t.Errorf("%d calls\n%s", calls, log)
			}
		})
	}
}

func TestAPingNeedsHTTPS(t *testing.T) {
	for _, address := range []string{"", "http://ping.example/secret", "ping.example/secret"} {
		if _, err := NewPing(address, nil, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
