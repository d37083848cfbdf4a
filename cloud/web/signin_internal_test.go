package web

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestACeremonyIsGoodOnceAndForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c ceremonies
		first, second := c.begin(ceremony{person: "anna"}), c.begin(ceremony{})
		time.Sleep(ceremonyLife - time.Second)
		if one, ok := c.take(first); !ok || one.person != "anna" {
			t.Errorf("%+v, %v", one, ok)
		}
		if _, ok := c.take(first); ok {
			t.Error("taken twice")
		}
		time.Sleep(time.Second)
		if _, ok := c.take(second); ok {
			t.Error("taken after five minutes")
		}
		if _, ok := c.take(""); ok {
			t.Error("one that never began")
		}
		for range mostCeremonies + 100 {
			c.begin(ceremony{})
		}
		if len(c.of) > mostCeremonies || len(c.order) > mostCeremonies {
			t.Errorf("%d ceremonies are kept", len(c.of))
		}
		last := c.begin(ceremony{})
		if _, ok := c.take(last); !ok {
			t.Error("the newest gave way")
		}
		time.Sleep(ceremonyLife)
		c.begin(ceremony{})
		if len(c.of) != 1 || len(c.order) != 1 {
			t.Errorf("%d that are over are kept", len(c.of)-1)
		}
	})
}

func TestTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(60)
		for range 60 {
			if !l.take("a") {
				t.Fatal("refused within the limit")
			}
		}
		if l.take("a") {
			t.Error("the 61st was let through")
		}
		if !l.take("b") {
			t.Error("another address was refused")
		}
		l.give("a")
		if !l.take("a") {
			t.Error("one that did not count counted")
		}
		time.Sleep(time.Minute)
		if !l.take("a") {
			t.Error("refused a minute later")
		}
		for i := range 2 * mostAddresses {
			l.take(fmt.Sprint(i))
		}
		if len(l.counts) > mostAddresses+1 {
			t.Errorf("%d addresses are kept", len(l.counts))
		}
	})
}

func TestWhoseRequestItIs(t *testing.T) {
	for _, test := range []struct{ from, forwarded, want string }{
		{"203.0.113.7:5", "", "203.0.113.7"},
		{"203.0.113.7:5", "10.0.0.1", "203.0.113.7"}, // anybody can say so
		{"127.0.0.1:5", "198.51.100.9", "198.51.100.9"},
		{"127.0.0.1:5", "10.9.9.9, 198.51.100.9", "198.51.100.9"}, // only the last was seen by our proxy
		{"[2001:db8:1:2:3:4:5:6]:5", "", "2001:db8:1:2::"},
		{"127.0.0.1:5", "2001:db8:1:2::99", "2001:db8:1:2::"},
		{"127.0.0.1:5", "", "127.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.from
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		if got := addressOf(r); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestWhatADeviceIsCalled(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":            "Chrome, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0":        "Edge, Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                           "Firefox, Linux",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet, Android",
		"curl/8.0": "", "": "",
	} {
		if got := deviceName(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

func TestForWhomPasskeysAre(t *testing.T) {
	for _, test := range []struct {
		url, from, host string
		want            party
	}{
		{"https://lykta.example", "203.0.113.7:5", "lykta.example", party{"lykta.example", "https://lykta.example"}},
		{"https://lykta.example:8443/", "203.0.113.7:5", "lykta.example:8443", party{"lykta.example", "https://lykta.example:8443"}},
		{"https://lykta.example", "203.0.113.7:5", "localhost:8080", party{"lykta.example", "https://lykta.example"}}, // anybody can say so
		{"https://lykta.example", "203.0.113.7:5", "evil.example", party{"lykta.example", "https://lykta.example"}},
		{"https://lykta.example", "127.0.0.1:5", "evil.example", party{"lykta.example", "https://lykta.example"}}, // through a proxy
		{"", "127.0.0.1:5", "localhost:8080", party{"localhost", "http://localhost:8080"}},
		{"http://127.0.0.1:8080", "[::1]:5", "localhost:8080", party{"localhost", "http://localhost:8080"}},
		{"", "127.0.0.1:5", "127.0.0.1:8080", party{}}, // browsers make none for a number
		{"http://lykta.example", "203.0.113.7:5", "lykta.example", party{}},
		{"", "203.0.113.7:5", "lykta.example", party{}},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = test.from, test.host
		s := &server{Options: Options{URL: test.url}}
		if got, ok := s.relyingParty(withCaller(r.Context(), r)); got != test.want || ok != (test.want != party{}) {
			t.Errorf("%+v: %+v, %v", test, got, ok)
		}
	}
}
