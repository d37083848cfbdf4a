package web_test

import (
	"testing"

	"github.com/coder/websocket"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// P8: the call learns that somebody is signed out, or may no longer, whatever the
// reason; their browser, that there is no use in coming back.
func TestP8WhoMayNoLongerIsOutOfTheCall(t *testing.T) {
	var r *rooms
	s, _ := akesHome(t, withCalls(&r))
	people(t, s)
	s.allow(care.PartyRelatives, care.FieldVideo, true)
	call := s.aCall(t, "Anna", "k")
	put := func(id string, role care.Role) {
		if err := s.db.PutPerson(t.Context(), care.Person{ID: id, Name: id, Language: "sv", Role: role}); err != nil {
			t.Fatal(err)
		}
	}
	put("sven", care.Relative)
	contact := care.Member{Group: care.GroupContacts, Scope: "home-1", Person: "sven"}
	if err := s.db.PutMember(t.Context(), contact); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		who    []string
		id     string
		end    func()
		closed websocket.StatusCode
	}{
		"a relative whose consent is withdrawn": {s.bearer("Maria"), "person:maria", func() { s.allow(care.PartyPerson("maria"), care.FieldVideo, false) }, 4403},
		"who signs out elsewhere": {append(s.as("anna"), "Origin", s.URL), "person:anna", func() {
			if err := s.keeper.EndAll(t.Context(), "anna"); err != nil {
				t.Fatal(err)
			}
		}, 4401},
		"whose account is taken away": {append(s.as("stina"), "Origin", s.URL), "person:stina", func() { put("stina", "") }, 4401},
		"who is a contact no longer": {append(s.as("sven"), "Origin", s.URL), "person:sven", func() {
			if err := s.db.DeleteMember(t.Context(), contact); err != nil {
				t.Fatal(err)
			}
		}, 4403},
		"staff who look after another area from now on": {s.bearer("Anna"), "person:anna", func() {
			s.invite(access.Actor{Name: "Anna", Role: care.Caregiver, Person: "anna", Areas: []string{"söder"}})
		}, 4403},
	} {
		t.Run(name, func(t *testing.T) {
			r.is(t, call.ID, test.id, 0)
			conn, _, err := s.socket("/calls/"+call.ID+"/socket", test.who...)
			if err != nil {
				t.Fatal(err)
			}
			hear(t, conn)
			r.is(t, call.ID, test.id, 1)
			test.end()
			if got := closed(t, conn); got != test.closed {
				t.Errorf("closed with %d, want %d", got, test.closed)
			}
			r.is(t, call.ID, test.id, 0)
		})
	}
}
