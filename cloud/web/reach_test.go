package web_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/cloud/web"
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
		s.db.PutPerson(ctx, care.Person{ID: "rune", Name: "Rune"}),
		s.db.PutPerson(ctx, care.Person{ID: "lasse", Name: "Lasse"}),
		s.db.PutPerson(ctx, care.Person{ID: "nova", Name: "Nova", Role: care.Coordinator, Areas: []string{"norr"}}),
		s.db.PutMember(ctx, care.Member{Group: care.GroupResponders, Scope: "home-2", Person: "rune"}),
		s.db.PutMember(ctx, care.Member{Group: care.GroupLastResort, Scope: "söder", Person: "lasse"}),
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
		{"nora", "rune", put(nil), http.StatusForbidden},                                 // goes to home-2 when asked
		{"nora", "lasse", put(nil), http.StatusForbidden},                                // is told of all of the south
		{"nora", "nils", put(map[string]any{"role": "caregiver"}), http.StatusForbidden}, // what he is told of his mother
		{"stina", "rune", put(nil), http.StatusNoContent},
		{"stina", "lasse", put(nil), http.StatusNoContent},
	} {
		if a := s.do("PUT", "/api/v1/people/"+c.person, "", c.body, s.as(c.who)...); a.StatusCode != c.status {
			t.Errorf("%s changes %s: %d %s, want %d", c.who, c.person, a.StatusCode, a.body, c.status)
		}
	}
}

// P8: having been told of an alarm of another area does not put somebody in charge
// of who comes in to the home; a lost telephone is put out of use all the same.
func TestP8WhoWasToldDoesNotLookAfterTheContacts(t *testing.T) {
	s, alert := akesHome(t)
	people := []care.Person{
		{ID: "nora", Name: "Nora", Role: care.Coordinator, Areas: []string{"söder"}, Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701234569"}}},
		{ID: "nils", Name: "Nils", Role: care.Caregiver, Areas: []string{"söder"}},
	}
	for _, p := range people {
		if err := s.db.PutPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.PutMember(t.Context(), care.Member{Group: care.GroupContacts, Scope: "home-1", Person: "nils"}); err != nil {
		t.Fatal(err)
	}
	if err := s.db.PutTelling(t.Context(), care.Telling{
		Alert: alert(), About: care.AboutAlarm, Person: "nora", Address: people[0].Addresses[0], Group: care.GroupLastResort,
	}, time.Now()); err != nil {
		t.Fatal(err)
	}
	nora := s.as("nora")
	if a := s.do("GET", "/api/v1/homes/home-1", "", nil, nora...); a.StatusCode != http.StatusOK {
		t.Fatalf("she was told: %d %s", a.StatusCode, a.body)
	}
	body := map[string]any{"name": "X", "addresses": []map[string]string{{"channel": "email", "to": "nora@kommun.example"}}}
	for call, body := range map[string]any{
		"PUT /people/maria": body, "POST /people/maria/invitation": nil, "DELETE /people/maria/sign-ins": nil, "POST /people/nils/invitation": nil, "PUT /people/nils": body,
		"PUT /groups/contacts/members/nora?scope=home-1": map[string]any{"alerts": []string{}}, "DELETE /groups/contacts/members/maria?scope=home-1": nil,
		"GET /homes/home-1/audit": nil, "POST /homes/home-1/locate": nil,
	} {
		method, path, _ := strings.Cut(call, " ")
		if a := s.do(method, "/api/v1"+path, "", body, nora...); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d %s", call, a.StatusCode, a.body)
		}
	}
	if a := s.do("DELETE", "/api/v1/people/nils/sign-ins", "", nil, nora...); a.StatusCode != http.StatusNoContent {
		t.Errorf("the lost telephone of one of her own carers: %d %s", a.StatusCode, a.body)
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
		pending, err := s.db.PendingCommands(t.Context(), "gw-1", time.Now())
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

// P2: who is told of an alarm of another area, such as a substitute, hears of it
// in the stream, too, also when it was told a moment after it was raised.
func TestP2WhoIsToldAMomentLaterHearsOfIt(t *testing.T) {
	s, _ := akesHome(t)
	sofia := follow(t, s, "Sofia", "")
	sofia.want("hello")
	s.raise("åkes-alert", care.AlertSOS)
	time.Sleep(100 * time.Millisecond) // the stream has found out that it is not for Sofia
	if err := s.db.PutTelling(t.Context(), care.Telling{
		Alert: "åkes-alert", About: care.AboutAlarm, Person: "sofia", Address: care.Address{Channel: care.ChannelSMS, To: "+46701234567"}, Group: care.GroupOnDuty,
	}, time.Now()); err != nil {
		t.Fatal(err)
	}
	s.do("POST", "/api/v1/alerts/åkes-alert/acknowledge", "Anna", nil)
	for {
		if e := sofia.want("alert"); strings.Contains(e.data, `"acknowledged"`) {
			return
		}
	}
}

// P8: the lantern does not tell of alarms who may not hear of them.
func TestP8TheLanternKeepsAlarmsToItself(t *testing.T) {
	s, alert := akesHome(t)
	s.allow(care.PartyPerson("maria"), care.FieldCheckIn, true)
	s.allow(care.PartyPerson("maria"), care.FieldAlerts, false)
	home, err := s.db.Home(t.Context(), "home-1")
	if err != nil {
		t.Fatal(err)
	}
	home.CheckIns = nil // nothing is waited for
	now := time.Now()
	s.live.Home(watch.Status{Home: home, Heard: now, CheckIn: now.AddDate(0, 0, -3)})
	calm := s.family("Maria")
	alert()
	s.live.AlertsChanged()
	for deadline := now.Add(20 * time.Second); !strings.Contains(string(s.do("GET", "/api/v1/homes", "Anna", nil).body), `"open_alerts":1`); {
		if time.Now().After(deadline) {
			t.Fatal("the alert did not become live")
		}
	}
	if alarmed := s.family("Maria"); alarmed.Light != calm.Light || alarmed.Light != "unknown" || alarmed.CheckedIn == nil {
		t.Errorf("calm %s, alarmed %s", calm.Light, alarmed.Light)
	}
	s.allow(care.PartyPerson("maria"), care.FieldAlerts, true)
	if alarmed := s.family("Maria"); alarmed.Light != "out" {
		t.Errorf("who may know of alarms sees %s", alarmed.Light)
	}
	s.live.Home(watch.Status{Home: home, Heard: now, CheckIn: now})
	s.allow(care.PartyPerson("maria"), care.FieldAlerts, false)
	if h := s.family("Maria"); h.Light != "lit" {
		t.Errorf("who may know of check-ins alone sees one of today as %s", h.Light)
	}
}

// unwritable is a log that cannot be written while it is off.
type unwritable struct {
	web.Operations
	off bool
}

func (u *unwritable) Audit(ctx context.Context, entries ...care.AuditEntry) error {
	if u.off {
		return errors.New("the disk is full")
	}
	return u.Operations.Audit(ctx, entries...)
}

// P8: a look that could not be noted does not keep the next one out of the log.
func TestP8ALookIsNotedOnceTheLogIsBack(t *testing.T) {
	log := &unwritable{}
	s := open(t, func(o *web.Options) { log.Operations, o.Operations = o.Operations, log })
	looked := func() bool {
		t.Helper()
		if a := s.do("GET", "/api/v1/homes/home-1/resident", care.Caregiver, nil); a.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		entries, err := s.db.AuditLog(t.Context(), "home-1", 0)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(entries, func(e care.AuditEntry) bool { return e.Action == "look contacts" })
	}
	log.off = true
	if looked() {
		t.Error("noted without a log")
	}
	log.off = false
	if !looked() {
		t.Error("not noted when the log is back")
	}
}

// P1: the cloud refuses records with control characters in their room, also
// presses for help: no device is placed in such a room.
func TestP1NoDeviceIsPlacedWhereItIsNotHeard(t *testing.T) {
	s := open(t)
	for _, room := range []string{"Kök\n", "\tKök", "K\x00k", strings.Repeat("å", 65)} {
		body := map[string]any{"rooms": map[string]string{"knapp": room}, "actions": map[string]any{}}
		s.do("PUT", "/api/v1/homes/home-1/rooms", care.Operator, body).problem(t, http.StatusUnprocessableEntity, "LYK-0503")
	}
}
