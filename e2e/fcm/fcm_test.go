package fcm

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/webpush"
)

// A real browser subscribes, a sender in another process pushes, the browser's
// service worker reads it and shows it; and so on until it unsubscribes.
func TestChromiumReceivesAPush(t *testing.T) {
	s := New(t)
	browser, send := s.Open(t), startSender(t, s)
	keys := newKeys(t)

	subscription := browser.Subscribe(keys.Public)
	accepted := func(a Alert) {
		t.Helper()
		if kind := send(order{keys, subscription, a}); kind != "accepted" {
			t.Fatalf("%s: %s", a.Text, kind)
		}
	}
	help := Alert{Key: "alert-1/0/anna", Title: "Larm", Text: "Någon behöver hjälp. Öppna Lykta.", Emergency: true}
	accepted(help)
	got := browser.Received(1)
	if len(got.Received) != 1 || got.Received[0] != help {
		t.Errorf("the service worker received %+v", got.Received)
	}
	if len(got.Shown) != 1 || got.Shown[0].Title != help.Title || got.Shown[0].Body != help.Text || got.Shown[0].Tag != help.Key {
		t.Errorf("the browser shows %+v", got.Shown)
	}
	eventually(t, "the browser confirms", func() bool { return s.Pushed()[0].Delivered })
	p := s.Pushed()[0]
	if p.Status != http.StatusCreated || p.Length != 4096 || p.Header.Get("Urgency") != "high" || p.Header.Get("Topic") == "" ||
		!strings.Contains(subscription, p.Endpoint) {
		t.Errorf("the sender posted %+v", p)
	}

	// Out of reach a repetition replaces the first, and the others keep their order.
	s.Behave(Keep)
	again, other := help, Alert{Key: "alert-2/0/anna", Title: "Larm", Text: "Någon har ramlat. Öppna Lykta.", Emergency: true}
	accepted(again)
	again.Text = "Ingen har svarat än. Öppna Lykta."
	accepted(other)
	accepted(again)
	s.Behave(Deliver)
	got = browser.Received(3)
	if len(got.Received) != 3 || got.Received[1] != other || got.Received[2] != again {
		t.Errorf("back in reach the service worker received %+v", got.Received)
	}
	if len(got.Shown) != 2 {
		t.Errorf("the browser shows %+v", got.Shown)
	}

	unsubscribed := browser.Unsubscribe()
	eventually(t, "the browser takes the subscription back", func() bool { return s.Subscriptions() == 0 })
	if kind := send(order{keys, subscription, help}); !unsubscribed || kind != notify.ErrGone.Error() {
		t.Errorf("unsubscribed %v; then a push is %q", unsubscribed, kind)
	}
}

func TestBehaviour(t *testing.T) {
	s := New(t)
	send, keys := startSender(t, s), newKeys(t)
	phone := s.subscribeByHand(t, keys.Public)
	for _, c := range []struct {
		name      string
		behaviour Behaviour
		keys      keyPair
		to        string
		want      error
		status    int
	}{
		{"a good day", Deliver, keys, phone, nil, 201},
		{"a phone out of reach", Keep, keys, phone, nil, 201},
		{"lost", Lose, keys, phone, nil, 201},
		{"accepted, and no answer", Silent, keys, phone, notify.ErrUnsure, 0},
		{"expired", Gone, keys, phone, notify.ErrGone, 410},
		{"down", Unavailable, keys, phone, notify.ErrBusy, 503},
		{"too many", TooMany, keys, phone, notify.ErrBusy, 429},
		{"another's keys", Deliver, newKeys(t), phone, notify.ErrMisconfigured, 403},
		{"never subscribed", Deliver, keys, strings.Replace(phone, ":APA91b", ":APA91c", 1), notify.ErrGone, 410},
	} {
		s.Behave(c.behaviour)
		want := "accepted"
		if c.want != nil {
			want = c.want.Error()
		}
		got := send(order{c.keys, c.to, Alert{Key: c.name, Title: "Larm", Text: "Öppna Lykta."}})
		pushed := s.Pushed()
		if last := pushed[len(pushed)-1]; got != want || last.Status != c.status || last.Delivered {
			t.Errorf("%s: the sender says %q, wants %q; answered %d, wants %d; delivered %v", c.name, got, want, last.Status, c.status, last.Delivered)
		}
	}
}

// Nothing leaves the machine when a program under test calls somebody else.
func TestProxyLeadsNowhereElse(t *testing.T) {
	s := New(t)
	proxy, err := url.Parse(s.proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	if resp, err := client.Get("https://push.example/"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("the proxy answers %v, %v", resp, err)
	}
}

type keyPair struct{ Public, Private string }

func newKeys(t *testing.T) keyPair {
	t.Helper()
	public, private, err := webpush.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{public, private}
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
