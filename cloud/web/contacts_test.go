package web_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// P8: whoever was named a contact of Åke is told of his alarms, may open them, and
// stands so in the lists; when he takes it back on his screen, none of the three
// is so any more, at once.
func TestP8WhoIsToldMaySeeAndStandsInTheList(t *testing.T) {
	s, alert := akesHome(t)
	ctx := t.Context()
	sms := []care.Address{{Channel: care.ChannelSMS, To: "+46701234568"}}
	for _, p := range []care.Person{{ID: "maria", Name: "Maria", Role: care.Relative, Addresses: sms}, {ID: "vera", Name: "Vera", Addresses: sms}, {ID: "olle", Name: "Olle"}} {
		if err := s.db.PutPerson(ctx, p); err != nil {
			t.Fatal(err)
		}
		if err := s.db.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: "home-1", Person: p.ID}); err != nil {
			t.Fatal(err)
		}
	}
	id := alert()
	told := func(at time.Time) (out []string) {
		t.Helper()
		if _, _, err := s.db.Escalate(ctx, id, at, func(now care.Situation) ([]care.Telling, care.Escalation, care.Alert) {
			for _, p := range now.Members[care.GroupContacts] {
				if len(p.Addresses) > 0 {
					out = append(out, p.ID)
				}
			}
			return nil, now.Escalation, now.Alert
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	listed := func() (out []string) {
		t.Helper()
		for _, g := range s.consent().Grants {
			if g.Field == string(care.FieldAlerts) && g.Allowed && strings.HasPrefix(g.Party, "person:") {
				out = append(out, strings.TrimPrefix(g.Party, "person:"))
			}
		}
		return out
	}
	both := []string{"maria", "vera"}
	if got := told(time.Now()); !slices.Equal(got, both) {
		t.Errorf("%q are told", got)
	}
	if got := listed(); !slices.Equal(got, both) {
		t.Errorf("of %q the list says that they are told", got)
	}
	for _, call := range []string{"GET /alerts/" + id, "GET /alerts/" + id + "/chain", "POST /alerts/" + id + "/on-the-way"} {
		method, path, _ := strings.Cut(call, " ")
		if a := s.do(method, "/api/v1"+path, "Maria", map[string]int{}); a.StatusCode != 200 {
			t.Errorf("%s: %d %s", call, a.StatusCode, a.body)
		}
	}
	if h := s.family("Maria"); !slices.Equal(h.Allowed, []care.Field{care.FieldAlerts}) || len(h.Alerts) != 1 {
		t.Errorf("her page: %+v", h)
	}

	c, err := care.ByResident("home-1", "relatives alerts", new(float64), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c.Key = "gw-1/e/1"
	if _, err := s.db.Commit(ctx, care.Commit{Consents: []care.Consent{c}}); err != nil {
		t.Fatal(err)
	}
	if got := told(time.Now().Add(time.Second)); len(got) != 0 {
		t.Errorf("it is taken back, and %q are told", got)
	}
	if got := listed(); len(got) != 0 {
		t.Errorf("it is taken back, and of %q the list says that they are told", got)
	}
	for _, call := range []string{"GET /alerts/" + id, "GET /alerts/" + id + "/chain", "POST /alerts/" + id + "/on-the-way", "POST /alerts/" + id + "/acknowledge"} {
		method, path, _ := strings.Cut(call, " ")
		s.do(method, "/api/v1"+path, "Maria", map[string]int{}).problem(t, 403, "LYK-0505")
	}
	if h := s.family("Maria"); len(h.Allowed) != 0 || len(h.Alerts) != 0 || h.Calm != nil {
		t.Errorf("her page: %+v", h)
	}
	// Staff note that Vera is to know all the same; she cannot sign in to see more.
	note := func(field care.Field) int {
		return s.do("POST", "/api/v1/homes/home-1/consent", "Anna", map[string]any{"party": "person:vera", "field": field, "allowed": true, "how": "spoken"}).StatusCode
	}
	if got := note(care.FieldAlerts); got != 201 {
		t.Errorf("a decision about Vera: %d", got)
	}
	if got := note(care.FieldHealth); got != 422 {
		t.Errorf("that she may see what she cannot: %d", got)
	}
	if got := told(time.Now().Add(time.Second)); !slices.Equal(got, []string{"vera"}) || !slices.Equal(listed(), got) {
		t.Errorf("%q are told, %q stand in the list", got, listed())
	}
}
