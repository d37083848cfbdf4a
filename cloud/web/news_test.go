package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// news wants the next change; alerts and how homes are may come at any time.
func (s *stream) news() event {
	s.t.Helper()
	for {
		switch e := s.next(); e.name {
		case "change":
			return e
		case "home", "alert", "family":
		default:
			s.t.Fatalf("%+v, want a change", e)
		}
	}
}

func (s *stream) change(kind, home string) event {
	s.t.Helper()
	e := s.news()
	if !strings.Contains(e.data, fmt.Sprintf(`"kind":%q,"home":%q`, kind, home)) || e.id == "" {
		s.t.Fatalf("%+v, want %s of %s", e, kind, home)
	}
	return e
}

// P8: a screen is told at once that something of a home was written or done,
// only of homes and of things that its person may see, and nothing of what.
func TestP8ScreensHearOfVisitsNotesAndMessages(t *testing.T) {
	s := records(t)
	s.allowed("home-1", care.PartyRelatives, care.FieldVisits, care.FieldMessages)
	all, norr, syd := follow(t, s, care.Coordinator, ""), follow(t, s, anna, ""), follow(t, s, saga, "")
	operator, relative := follow(t, s, care.Operator, ""), follow(t, s, maria, "")
	for _, screen := range []*stream{all, norr, syd, operator, relative} {
		screen.want("hello")
	}
	hour := func(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Hour).Truncate(time.Second).UTC() }
	note := map[string]any{"kind": "observation", "text": "hemligt"}
	s.do("POST", "/api/v1/homes/home-2/notes", care.Coordinator, note)
	all.change("note", "home-2")
	syd.change("note", "home-2")
	s.do("PUT", "/api/v1/visits/v1", care.Coordinator, map[string]any{"home": "home-1", "from": hour(1), "to": hour(2), "what": "hemligt", "state": "planned"})
	if e := norr.change("visit", "home-1"); !strings.Contains(e.data, `"id":"v1"`) || strings.Contains(e.data, "hemligt") {
		t.Errorf("%+v", e)
	}
	all.change("visit", "home-1")
	s.do("POST", "/api/v1/homes/home-1/messages", anna, map[string]any{"text": "hemligt"})
	norr.change("message", "home-1")
	all.change("message", "home-1")
	s.do("POST", "/api/v1/homes/home-2/notes", care.Coordinator, note)
	syd.change("note", "home-2") // and nothing of home-1 before it

	// Who may see none of it hears of an alert that comes after it, and of nothing before.
	s.raise("a1", care.AlertSOS)
	for name, screen := range map[string]*stream{"operator": operator, "relative": relative} {
		for {
			e := screen.next()
			if e.name == "change" {
				t.Errorf("%s hears %+v", name, e)
			}
			if e.name == "alert" || name == "relative" && e.name == "family" {
				break
			}
		}
	}
}

// A screen that was away is told of what has changed meanwhile, once.
func TestAScreenThatWasAwayHearsWhatWasWritten(t *testing.T) {
	s := records(t)
	write := func(home string) {
		t.Helper()
		s.do("POST", "/api/v1/homes/"+home+"/notes", care.Coordinator, map[string]any{"kind": "observation", "text": "x"})
	}
	screen := follow(t, s, care.Coordinator, "")
	screen.want("hello")
	s.raise("a1", care.AlertSOS)
	screen.want("alert")
	write("home-1")
	seen := screen.change("note", "home-1").id
	screen.end()
	write("home-2")
	write("home-1")
	write("home-2")
	s.raise("a2", care.AlertFall)

	back := follow(t, s, care.Coordinator, "", "Last-Event-ID", seen)
	back.want("hello")
	e := back.alert("a2", "open")
	if e.id == seen {
		t.Error("what is sent has the id of what was seen")
	}
	back.change("note", "home-1")
	latest := back.change("note", "home-2").id
	write("home-1")
	end := back.change("note", "home-1").id // neither of them again
	back.end()

	again := follow(t, s, care.Coordinator, "", "Last-Event-ID", latest)
	again.want("hello")
	again.change("note", "home-1")
	again.end()

	// One from before screens were told of this asks for nothing that is old.
	old, _, _ := strings.Cut(end, ".")
	before := follow(t, s, care.Coordinator, "", "Last-Event-ID", old)
	before.want("hello")
	write("home-2")
	before.change("note", "home-2")

	// After a restore from a backup, what it saw last may never have been.
	restored := follow(t, s, care.Coordinator, "", "Last-Event-ID", old+".5000")
	restored.want("hello")
	restored.want("reset")
}
