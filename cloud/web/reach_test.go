package web_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// P8: whoever changes a person can come in their place, or have what they are
// told sent elsewhere. That reaches no home that one does not see, also by way
// of people who have no role yet.
func TestP8NobodyReachesAHomeByWayOfItsContacts(t *testing.T) {
	s := open(t)
	people(t, s)
	ctx := t.Context()
	for _, err := range []error{
		s.homes.Add(ctx, care.Home{ID: "home-2", Gateway: "gw-2", Name: "Bo Ek", Area: "söder", Zone: "UTC"}),
		s.homes.Add(ctx, care.Home{ID: "home-3", Gateway: "gw-3", Name: "Eva Ek", Area: "norr", Zone: "UTC"}),
		s.db.PutPerson(ctx, care.Person{ID: "nora", Name: "Nora", Role: care.Coordinator, Areas: []string{"norr"}}),
		s.db.PutPerson(ctx, care.Person{ID: "nils", Name: "Nils", Role: care.Caregiver, Areas: []string{"norr"}}),
		s.db.PutPerson(ctx, care.Person{ID: "vera", Name: "Vera"}),
		s.db.PutPerson(ctx, care.Person{ID: "ture", Name: "Ture"}),
		s.db.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: "home-2", Person: "vera"}),
		s.db.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: "home-2", Person: "nils"}), // of his mother
		s.db.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: "home-3", Person: "ture"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(more map[string]any) map[string]any {
		body := map[string]any{"name": "X", "addresses": []map[string]string{{"channel": "email", "to": "nora.other@kommun.example"}}}
		maps.Copy(body, more)
		return body
	}
	relative := put(map[string]any{"role": "relative"})
	for _, c := range []struct {
		who, person string
		body        any
		status      int
	}{
		{"nora", "vera", relative, http.StatusForbidden},
		{"nora", "vera", put(nil), http.StatusForbidden}, // alarms of home-2 would go to Nora
		{"nora", "nils", relative, http.StatusForbidden}, // would see home-2 as Nils
		{"nora", "ture", relative, http.StatusNoContent},
		{"nora", "bo", relative, http.StatusNoContent}, // a relative of nobody
		{"stina", "vera", relative, http.StatusNoContent},
	} {
		if a := s.do("PUT", "/api/v1/people/"+c.person, "", c.body, s.as(c.who)...); a.StatusCode != c.status {
			t.Errorf("%s changes %s: %d %s, want %d", c.who, c.person, a.StatusCode, a.body, c.status)
		}
	}
}

// P8: who is a relative of a home no more, in the app, sees it no more from
// the next question on.
func TestP8WhoIsNoContactAnyMoreSeesNothing(t *testing.T) {
	s := open(t)
	people(t, s)
	maria, stina := s.as("maria"), s.as("stina")
	see := func() int { return s.do("GET", "/api/v1/family/homes/home-1", "", nil, maria...).StatusCode }
	const contact = "/api/v1/groups/contacts/members/maria?scope=home-1"
	if got := see(); got != http.StatusOK {
		t.Fatalf("a contact is answered %d", got)
	}
	if a := s.do("DELETE", contact, "", nil, stina...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if got := see(); got != http.StatusNotFound {
		t.Errorf("who was a contact is answered %d", got)
	}
	if a := s.do("PUT", contact, "", map[string]any{"alerts": []string{}}, stina...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if got := see(); got != http.StatusOK {
		t.Errorf("who is one again is answered %d", got)
	}
}

// 0 seconds ends the letting in of devices: it must not begin it anew.
func TestNoMoreDevicesAreLetIn(t *testing.T) {
	s := records(t)
	for _, c := range []struct {
		body any
		want string
	}{
		{map[string]int{"seconds": 0}, `{"seconds":0}`},
		{map[string]any{}, `{"seconds":120}`},
		{map[string]int{"seconds": 30}, `{"seconds":30}`},
	} {
		if a := s.do("POST", "/api/v1/homes/home-1/pair", care.Operator, c.body); a.StatusCode != http.StatusAccepted {
			t.Fatalf("%v: %d %s", c.body, a.StatusCode, a.body)
		}
		pending, err := s.db.PendingCommands(t.Context(), "", time.Now())
		if err != nil || len(pending) == 0 {
			t.Fatal(pending, err)
		}
		if got := string(pending[len(pending)-1].Command.Args); got != c.want {
			t.Errorf("%v is passed on as %s, want %s", c.body, got, c.want)
		}
	}
}

// P8: why a silence was made, which may tell of somebody's health, does not come
// out of the log either.
func TestP8TheLogKeepsWhatSilencesKeep(t *testing.T) {
	s := open(t)
	to := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if a := s.do("POST", "/api/v1/homes/home-1/silences", care.Caregiver, map[string]string{"to": to, "reason": "Åke på sjukhus"}); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	for role, sees := range map[care.Role]bool{care.Coordinator: true, care.Operator: false} {
		a := s.do("GET", "/api/v1/homes/home-1/audit", role, nil)
		if !strings.Contains(string(a.body), to) || strings.Contains(string(a.body), "sjukhus") != sees {
			t.Errorf("%s reads %d %s", role, a.StatusCode, a.body)
		}
	}
	s.allow(care.PartyStaff, care.FieldHealth, false)
	if a := s.do("GET", "/api/v1/homes/home-1/audit", care.Coordinator, nil); strings.Contains(string(a.body), "sjukhus") {
		t.Errorf("after it was withdrawn: %s", a.body)
	}
}
