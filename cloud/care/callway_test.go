package care_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// ways says what becomes of a call in each state: the state, and why it ended;
// "over" is that it is refused.
const ways = `
             ringing              answered     ended
rings        ringing              answered     over
answer       answered             answered     over
join         ringing              answered     over
leave        ringing              answered     ended:missed
done         ended:cancelled      ended:done   ended:missed
cancelled    ended:cancelled      ended:done   ended:missed
declined     ended:declined       ended:done   ended:missed
later        ended:later          ended:done   ended:missed
missed       ended:missed         ended:done   ended:missed
unreachable  ended:unreachable    ended:done   ended:missed
withdrawn    ended:withdrawn      ended:withdrawn ended:missed
off          ended:off            ended:off    ended:missed
`

func callIn(state care.CallState) care.Call {
	c := care.Call{ID: "c1", Home: "karin", State: care.CallRinging, By: "person:anna", ByName: "Anna", Started: first, People: []care.CallPerson{}}
	c, _ = c.Join(care.CallPerson{ID: "person:anna", Name: "Anna", Role: care.AsStaff}, first)
	switch state {
	case care.CallAnswered:
		c, _ = c.Answer(care.ByButton, first)
	case care.CallEnded:
		c = c.End(care.CallMissed, first)
	}
	return c
}

func TestWaysOfACall(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(ways), "\n")
	states := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, state := range states {
			before := callIn(care.CallState(state))
			people := slices.Clone(before.People)
			next, err := before, error(nil)
			switch deed := cells[0]; deed {
			case "rings":
				next, err = before.Rings(later)
			case "answer":
				next, err = before.Answer(care.ByTouch, later)
			case "join":
				next, err = before.Join(care.CallPerson{ID: "person:bo"}, later)
			case "leave":
				next = before.Leave("person:anna", later)
			default:
				next = before.End(care.CallEnd(deed), later)
			}
			got := string(next.State)
			if next.Why != "" {
				got += ":" + string(next.Why)
			}
			if errors.Is(err, care.ErrCallOver) {
				got = "over"
			}
			if got != cells[i+1] {
				t.Errorf("%s of one that is %s: %s, %v; want %s", cells[0], state, got, err, cells[i+1])
			}
			if !slices.Equal(before.People, people) {
				t.Errorf("%s of one that is %s changes it under who reads it", cells[0], state)
			}
			if state == "answered" && (next.How != care.ByButton || !next.Answered.Equal(first)) {
				t.Errorf("%s of one that is answered changes how it was", cells[0])
			}
			if next.State == care.CallEnded && len(next.Here()) != 0 {
				t.Errorf("%s of one that is %s: %v are in what is over", cells[0], state, next.Here())
			}
		}
	}
}

func TestACallIsFullWithAHomeAndThree(t *testing.T) {
	c := callIn(care.CallRinging)
	for i := range 2 {
		var err error
		if c, err = c.Join(care.CallPerson{ID: fmt.Sprint("person:", i)}, later); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Join(care.CallPerson{ID: "guest:1"}, later); !errors.Is(err, care.ErrCallFull) {
		t.Errorf("a fourth beside the home: %v", err)
	}
	if again, err := c.Join(care.CallPerson{ID: "person:anna"}, later); err != nil || len(again.People) != 3 {
		t.Errorf("one who is there: %v", err)
	}
	c, err := c.Join(care.CallPerson{ID: care.HomeInCall, Role: care.InHome}, later)
	if err != nil {
		t.Errorf("the home: %v", err)
	}
	c = c.Leave("person:anna", later)
	c, err = c.Join(care.CallPerson{ID: "guest:1"}, later)
	if err != nil || !slices.Equal(c.Here(), []string{"person:0", "person:1", "home", "guest:1"}) {
		t.Errorf("in the place of who left: %v, %v", c.Here(), err)
	}
	if _, err := c.Join(care.CallPerson{ID: "person:anna"}, later); !errors.Is(err, care.ErrCallFull) {
		t.Errorf("who left is back too late: %v", err)
	}
}

func TestWhatFollowsFromACall(t *testing.T) {
	planned := care.Visit{ID: "v1", Home: "karin", From: first, To: first.Add(time.Hour), State: care.VisitPlanned, Video: true}
	in := func(state care.VisitState) care.Visit {
		v := planned
		v.State = state
		return v
	}
	full := planned
	full.Note = strings.Repeat("x", care.MaxVisitNote)
	for _, test := range []struct {
		name  string
		state care.CallState // before
		why   care.CallEnd
		visit care.Visit
		want  care.VisitState
		note  string
		alert care.AlertKind
	}{
		{"missed", care.CallRinging, care.CallMissed, planned, care.VisitMissed, care.NoteCallMissed, care.AlertVisitMissed},
		{"missed, with no room for why", care.CallRinging, care.CallMissed, full, care.VisitMissed, full.Note, care.AlertVisitMissed},
		{"unreachable", care.CallRinging, care.CallUnreachable, planned, care.VisitMissed, care.NoteCallUnreachable, care.AlertVisitMissed},
		{"taken back while it rang", care.CallRinging, care.CallWithdrawn, planned, care.VisitMissed, care.NoteCallWithdrawn, care.AlertVisitMissed},
		{"taken back while they spoke", care.CallAnswered, care.CallWithdrawn, planned, care.VisitDone, "", ""},
		{"turned off while it rang", care.CallRinging, care.CallOff, planned, care.VisitMissed, care.NoteCallOff, care.AlertVisitMissed},
		{"turned off while they spoke", care.CallAnswered, care.CallOff, in(care.VisitMissed), care.VisitDone, "", ""},
		{"declined", care.CallRinging, care.CallDeclined, planned, care.VisitPlanned, "", ""},
		{"given up", care.CallRinging, care.CallCancelled, planned, care.VisitPlanned, "", ""},
		{"later", care.CallRinging, care.CallLater, planned, care.VisitPlanned, "", care.AlertCallBack},
		{"done", care.CallAnswered, care.CallDone, planned, care.VisitDone, "", ""},
		{"done, though it was missed before", care.CallAnswered, care.CallDone, in(care.VisitMissed), care.VisitDone, "", ""},
		{"missed, though somebody was there", care.CallRinging, care.CallMissed, in(care.VisitDone), care.VisitDone, "", ""},
		{"missed, when it was called off", care.CallRinging, care.CallMissed, in(care.VisitCancelled), care.VisitCancelled, "", ""},
		{"missed, as the service had noted before", care.CallRinging, care.CallMissed, in(care.VisitMissed), care.VisitMissed, care.NoteCallMissed, care.AlertVisitMissed},
		{"ended before", care.CallEnded, care.CallMissed, planned, care.VisitPlanned, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := callIn(test.state)
			before.Visit = "v1"
			after := before.End(test.why, later)
			v := after.VisitAfter(before, test.visit, later)
			if v.State != test.want || v.Note != test.note {
				t.Errorf("the visit is %s, %q", v.State, v.Note)
			}
			a, ok := after.AlertAfter(before, v, later)
			if ok != (test.alert != "") || a.Kind != test.alert {
				t.Errorf("the alert is %q, %v", a.Kind, ok)
			}
			if ok && (a.Severity != care.Attention || a.State != care.Open || a.Home != "karin" || a.ID == "") {
				t.Errorf("%+v", a)
			}
		})
	}
}
