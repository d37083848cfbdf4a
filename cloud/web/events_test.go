package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

// stream is an open event stream.
type stream struct {
	t   *testing.T
	in  *bufio.Scanner
	end func()
}

type event struct{ id, name, data string }

// follow opens a stream; one that says nothing for long fails the test.
func follow(t *testing.T, s *site, role care.Role, query string, header ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.tokens[role])
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	out := &stream{t: t, in: bufio.NewScanner(resp.Body), end: func() { cancel(); _ = resp.Body.Close() }}
	t.Cleanup(out.end)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("stream: %d %v", resp.StatusCode, resp.Header)
	}
	return out
}

func (s *stream) next() event {
	s.t.Helper()
	var e event
	for s.in.Scan() {
		key, value, _ := strings.Cut(s.in.Text(), ": ")
		switch key {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	s.t.Fatalf("the stream ended: %v", s.in.Err())
	return e
}

// want returns the next event, which must be of that name; how homes are may
// come at any time.
func (s *stream) want(name string) event {
	s.t.Helper()
	for {
		switch e := s.next(); e.name {
		case name:
			return e
		case "home":
		default:
			s.t.Fatalf("%s comes: %+v, want %s", e.name, e, name)
		}
	}
}

// alert wants an alert of an id in a state.
func (s *stream) alert(id, state string) event {
	s.t.Helper()
	e := s.want("alert")
	if !strings.Contains(e.data, `"id":"`+id+`"`) || !strings.Contains(e.data, `"state":"`+state+`"`) || e.id == "" {
		s.t.Fatalf("%+v, want %s %s", e, id, state)
	}
	return e
}

func TestScreensHearOfAlertsAtOnce(t *testing.T) {
	s := open(t)
	s.second()
	screens := []*stream{follow(t, s, care.Caregiver, ""), follow(t, s, care.Operator, "?home=home-1"), follow(t, s, care.Coordinator, "?home=home-2")}
	for _, screen := range screens {
		if e := screen.want("hello"); e.id != "" || !strings.Contains(e.data, `"now":"20`) {
			t.Errorf("hello %+v", e)
		}
	}
	s.raise("a1", care.AlertSOS)
	s.do("POST", "/api/v1/alerts/a1/acknowledge", care.Caregiver, nil)
	s.do("POST", "/api/v1/alerts/a1/resolve", care.Coordinator, map[string]string{"outcome": "helped"})
	for _, screen := range screens {
		var last string
		for last != "resolved" {
			e := screen.want("alert")
			for _, state := range []string{"open", "acknowledged", "resolved"} {
				if strings.Contains(e.data, `"state":"`+state+`"`) {
					last = state
				}
			}
		}
	}
}

func TestReadingsGoToWhoLooksAtTheHome(t *testing.T) {
	s := open(t)
	s.second()
	looks, elsewhere := follow(t, s, care.Caregiver, "?home=home-1"), follow(t, s, care.Caregiver, "?home=home-2")
	looks.want("hello")
	elsewhere.want("hello")
	p := point(time.Now(), "th", "temperature", 21.5, 1)
	s.live.Readings("home-1", []devices.Reading{p.Reading})
	if e := looks.want("reading"); e.id != "" || !strings.Contains(e.data, `"home":"home-1"`) || !strings.Contains(e.data, `"v":21.5`) {
		t.Errorf("%+v", e)
	}
	s.raise("a1", care.AlertSOS)
	elsewhere.alert("a1", "open") // and no reading before it
}

func TestHomesAreSentWhenTheyChange(t *testing.T) {
	s := open(t)
	screen := follow(t, s, care.Caregiver, "")
	screen.want("hello")
	home, err := s.db.Home(t.Context(), "home-1")
	if err != nil {
		t.Fatal(err)
	}
	s.live.Home(watch.Status{Home: home, Heard: time.Now(), Depth: 4711})
	for {
		if e := screen.next(); e.name == "home" && strings.Contains(e.data, `"spool_depth":4711`) && strings.Contains(e.data, `"name":"Åke Öst"`) {
			return
		}
	}
}

// P1: a screen that was away hears of everything that changed meanwhile, as
// it is now, each once.
func TestP1AScreenThatWasAwayMissesNothing(t *testing.T) {
	s := open(t)
	screen := follow(t, s, care.Caregiver, "")
	screen.want("hello")
	s.raise("a1", care.AlertSOS)
	seen := screen.alert("a1", "open").id
	screen.end()
	s.raise("a2", care.AlertFall)
	s.raise("a3", care.AlertSmoke)
	s.do("POST", "/api/v1/alerts/a2/acknowledge", care.Caregiver, nil)
	s.do("POST", "/api/v1/alerts/a1/resolve", care.Caregiver, map[string]string{"outcome": "helped"})
	s.raiseQuietly("a4", care.AlertSOS) // committed; the screens will be told in a moment

	back := follow(t, s, care.Caregiver, "", "Last-Event-ID", seen)
	back.want("hello")
	back.alert("a3", "open")
	back.alert("a2", "acknowledged")
	back.alert("a1", "resolved")
	seen = back.alert("a4", "open").id
	s.live.AlertsChanged()
	s.raise("a5", care.AlertSOS)
	back.alert("a5", "open") // not a4 again

	again := follow(t, s, care.Caregiver, "", "Last-Event-ID", seen)
	again.want("hello")
	again.alert("a5", "open")
}

func TestAScreenThatMissedTooMuchStartsAfresh(t *testing.T) {
	s := open(t)
	first := s.raise("a0", care.AlertSOS)
	var many care.Commit
	for i := range 1001 {
		many.Raise = append(many.Raise, care.Alert{
			ID: fmt.Sprint("b", i), Home: "home-1", Kind: care.AlertSOS, Severity: care.Emergency, State: care.Open,
			Cause: care.Cause{Epoch: "e", Seq: uint64(i)}, Raised: time.Now(), Observed: time.Now(),
		})
	}
	if _, err := s.db.Commit(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	s.live.AlertsChanged()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(string(s.do("GET", "/api/v1/homes", care.Caregiver, nil).body), `"open_alerts":1002`); {
		if time.Now().After(deadline) {
			t.Fatal("the alerts did not become live")
		}
	}
	screen := follow(t, s, care.Caregiver, "", "Last-Event-ID", fmt.Sprint(first.ID))
	screen.want("hello")
	screen.want("reset")
	s.raise("a1", care.AlertSOS)
	screen.alert("a1", "open")
}

// After a restore from a backup, screens come back with ids from a future
// that never was; what is raised then must still reach them.
func TestAScreenFromBeforeARestoreStartsAfresh(t *testing.T) {
	s := open(t)
	e := s.raise("a1", care.AlertSOS)
	for _, last := range []string{fmt.Sprint(e.ID + 1), fmt.Sprint(e.ID + 5000), "9223372036854775807", "-1", "x", "99999999999999999999"} {
		screen := follow(t, s, care.Caregiver, "", "Last-Event-ID", last)
		screen.want("hello")
		screen.want("reset")
		id := "after-" + last
		s.raise(id, care.AlertSOS)
		for !strings.Contains(screen.want("alert").data, `"id":"`+id+`"`) {
			continue // a1, which may still be on its way
		}
	}
	screen := follow(t, s, care.Caregiver, "", "Last-Event-ID", "0")
	screen.want("hello")
	screen.alert("a1", "open")
}

func TestStreamsEndWithTheirScreens(t *testing.T) {
	s := open(t)
	for range 5 {
		screen := follow(t, s, care.Caregiver, "?home=home-1")
		screen.want("hello")
		screen.end()
	}
	for deadline := time.Now().Add(10 * time.Second); s.live.Screens() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d streams are open", s.live.Screens())
		}
	}
}
