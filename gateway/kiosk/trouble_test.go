package kiosk

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// troubled is a screen's port, and what its gateway logs.
func troubled() (http.Handler, *bytes.Buffer) {
	var log bytes.Buffer
	return handler(Options{Pages: built, Log: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

func TestAScreenInTroubleSaysSo(t *testing.T) {
	h, log := troubled()
	const good = `{"what":"call","name":"TypeError","at":"kiosk-C5CpY0jz.js:12:345"}`
	if w := ask(h, "POST", "127.0.0.1:1885", "/trouble", good, "Origin", "http://127.0.0.1:1885"); w.Code != 204 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, want := range []string{"level=WARN", "id=LYK-0734", "what=call", "name=TypeError", "at=kiosk-C5CpY0jz.js:12:345", "times=1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
}

// What a page was showing stays in the home: of a fault it is said which, and
// where in the program.
func TestP8AScreenInTroubleTellsNothingOfTheResident(t *testing.T) {
	for name, c := range map[string]struct {
		host, body string
		header     []string
		want       int
	}{
		"a fault's own words":       {body: `{"what":"script","name":"Karin has fallen","at":""}`, want: 400},
		"words for a place":         {body: `{"what":"script","name":"Error","at":"Karin Ek 1936"}`, want: 400},
		"an address for a place":    {body: `{"what":"script","name":"Error","at":"http://x/Karin.js:1:2"}`, want: 400},
		"words for what it is":      {body: `{"what":"Karin","name":"Error","at":""}`, want: 400},
		"a second line":             {body: `{"what":"script","name":"Error\nlevel=ERROR","at":""}`, want: 400},
		"more than anybody says":    {body: `{"what":"script","name":"Error","at":"` + strings.Repeat("a", maxTrouble) + `"}`, want: 400},
		"no JSON":                   {body: `Karin`, want: 400},
		"from another machine":      {host: "192.168.1.4:1885", body: `{"what":"script","name":"Error","at":""}`, want: 403},
		"by another page":           {body: `{"what":"script","name":"Error","at":""}`, header: []string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		"nothing but that it is so": {body: `{"what":"load"}`, want: 204},
	} {
		t.Run(name, func(t *testing.T) {
			h, log := troubled()
			host := c.host
			if host == "" {
				host = "127.0.0.1:1885"
			}
			if w := ask(h, "POST", host, "/trouble", c.body, c.header...); w.Code != c.want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.want)
			}
			if strings.Contains(log.String(), "Karin") || c.want != 204 && log.Len() > 0 {
				t.Errorf("the log says %s", log)
			}
		})
	}
}

func TestAScreenThatIsNothingButTroubleFillsNoLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := troubled()
		say := func(n int) (taken int) {
			for i := range n {
				if w := ask(h, "POST", "localhost", "/trouble", fmt.Sprintf(`{"what":"script","name":"Error","at":"a.js:1:%d"}`, i)); w.Code == 204 {
					taken++
				} else if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
					t.Fatalf("%d %v", w.Code, w.Header())
				}
			}
			return taken
		}
		if got := say(1000); got != troublesAtOnce || strings.Count(log.String(), idTrouble) != got {
			t.Errorf("%d are taken: %s", got, log)
		}
		log.Reset()
		time.Sleep(troubleEvery)
		if got := say(10); got != 1 || !strings.Contains(log.String(), "times=1001") {
			t.Errorf("%d are taken later: %s", got, log)
		}
		time.Sleep(24 * time.Hour)
		if got := say(1000); got != troublesAtOnce {
			t.Errorf("%d are taken on another day", got)
		}
	})
}
