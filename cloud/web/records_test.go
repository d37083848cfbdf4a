package web_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/web"
)

// The people of these tests besides the staff of every area: carers of two
// areas, and relatives of two homes.
const (
	anna  care.Role = "anna"  // of the area of home-1
	saga  care.Role = "saga"  // of another
	maria care.Role = "maria" // relative of home-1
	nils  care.Role = "nils"  // relative of home-2
)

// records is a site with two homes and people.
func records(t *testing.T, change ...func(*web.Options)) *site {
	t.Helper()
	s := open(t, change...)
	ctx := t.Context()
	home := must(s.db.Home(ctx, "home-1"))(t)
	home.Area = "norr"
	if err := s.homes.Change(ctx, home); err != nil {
		t.Fatal(err)
	}
	if err := s.homes.Add(ctx, care.Home{ID: "home-2", Gateway: "gw-2", Name: "Elsa Syd", Area: "syd", Zone: "Europe/Stockholm"}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []struct {
		who  access.Actor
		home string
	}{
		{access.Actor{Name: string(anna), Role: care.Caregiver, Person: "anna", Areas: []string{"norr"}}, ""},
		{access.Actor{Name: string(saga), Role: care.Coordinator, Person: "saga", Areas: []string{"syd"}}, ""},
		{access.Actor{Name: string(maria), Role: care.Relative, Person: "maria", Homes: []string{"home-1"}}, "home-1"},
		{access.Actor{Name: string(nils), Role: care.Relative, Person: "nils", Homes: []string{"home-2"}}, "home-2"},
	} {
		s.invite(p.who)
		person := care.Person{ID: p.who.Person, Name: strings.ToUpper(p.who.Name), Role: p.who.Role, Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701740605"}}}
		if err := s.db.PutPerson(ctx, person); err != nil {
			t.Fatal(err)
		}
		if p.home != "" {
			if err := s.db.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: p.home, Person: p.who.Person, Alerts: []care.AlertKind{care.AlertSOS}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// allowed has the resident of a home allow a party some fields.
func (s *site) allowed(home string, party care.Party, fields ...care.Field) {
	s.t.Helper()
	for _, f := range fields {
		c := care.Consent{Home: home, Party: party, Field: f, Allowed: true, At: time.Now(), By: "x", How: care.OnScreen}
		if _, err := s.db.PutConsent(s.t.Context(), c, care.AuditEntry{At: time.Now(), Actor: "x", Role: care.AtHome, Action: "allow", Home: home}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// P8: who may do what with what is written about residents. A relative's
// resident has allowed nothing here.
func TestP8EveryRecordForEveryRole(t *testing.T) {
	s := records(t)
	hour := func(n int) string { return time.Now().Add(time.Duration(n) * time.Hour).UTC().Format(time.RFC3339) }
	visit := map[string]any{"home": "home-1", "from": hour(1), "to": hour(2), "state": "planned"}
	ask := map[string]any{"from": hour(1), "to": hour(2), "video": true}
	message := map[string]any{"text": "Hej!"}
	for _, o := range []struct {
		method, path string
		body         any
		want         [7]int // caregiver, coordinator, operator of all areas, carer of the area, of another, relative of the home, of another
	}{
		{"GET", "/homes/home-1/resident", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"PUT", "/homes/home-1/resident", care.Resident{Name: "Åke"}, [7]int{204, 204, 403, 204, 403, 403, 403}},
		{"GET", "/homes/home-1/notes", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"POST", "/homes/home-1/notes", map[string]any{"kind": "visit", "text": "x"}, [7]int{201, 201, 403, 201, 403, 403, 403}},
		{"GET", "/homes/home-1/reminders", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"PUT", "/homes/home-1/reminders/r1", map[string]any{"text": "x", "at": 480}, [7]int{204, 204, 403, 204, 403, 403, 403}},
		{"DELETE", "/homes/home-1/reminders/r1", nil, [7]int{204, 204, 403, 204, 403, 403, 403}},
		{"GET", "/homes/home-1/visits", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"GET", "/visits?area=norr", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"PUT", "/visits/v1", visit, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"GET", "/visits/v1", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"POST", "/visits/v1/went", map[string]any{"state": "missed", "note": "Sov"}, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"POST", "/family/homes/home-1/visits", ask, [7]int{403, 403, 403, 403, 403, 403, 404}},
		{"GET", "/homes/home-1/messages", nil, [7]int{200, 200, 403, 200, 403, 403, 404}},
		{"POST", "/homes/home-1/messages", message, [7]int{201, 201, 403, 201, 403, 403, 404}},
		{"POST", "/family/homes/home-1/messages", message, [7]int{201, 201, 403, 201, 403, 403, 404}},
		{"GET", "/homes/home-1/messages/none/picture", nil, [7]int{404, 404, 403, 404, 403, 403, 404}},
		{"DELETE", "/homes/home-1/messages/none", nil, [7]int{404, 404, 403, 404, 403, 403, 404}},
		{"GET", "/search?q=xx", nil, [7]int{200, 200, 200, 200, 200, 403, 403}},
		{"GET", "/hand-over?area=norr", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"GET", "/overview/devices?area=norr", nil, [7]int{200, 200, 200, 200, 403, 403, 403}},
		{"GET", "/overview/devices?home=home-1", nil, [7]int{200, 200, 200, 200, 403, 403, 403}},
		{"GET", "/statistics?area=norr", nil, [7]int{403, 200, 200, 403, 403, 403, 403}},
		{"GET", "/homes/home-1/well-being", nil, [7]int{200, 200, 403, 200, 403, 403, 403}},
		{"POST", "/homes/home-1/pair", map[string]int{"seconds": 60}, [7]int{403, 202, 202, 403, 403, 403, 403}},
		{"POST", "/homes/home-1/locate", nil, [7]int{403, 202, 202, 403, 403, 403, 403}},
		{"GET", "/homes/home-1/rooms", nil, [7]int{403, 200, 200, 403, 403, 403, 403}},
		{"PUT", "/homes/home-1/rooms", map[string]any{"rooms": map[string]string{"a": "hall"}}, [7]int{403, 204, 204, 403, 403, 403, 403}},
	} {
		for i, role := range append(slices.Clone(roles), anna, saga, maria, nils) {
			a := s.do(o.method, "/api/v1"+o.path, role, o.body)
			switch want := o.want[i]; {
			case want == 403:
				a.problem(t, 403, "LYK-0505")
			case want == 404:
				a.problem(t, 404, "LYK-0502")
			case a.StatusCode != want:
				t.Errorf("%s %s as %s: %d %s, want %d", o.method, o.path, role, a.StatusCode, a.body, want)
			}
		}
		s.do(o.method, "/api/v1"+o.path, "", o.body).problem(t, 401, "LYK-0504")
	}
}

// P8: a decision of the resident counts from the next question on.
func TestP8WhatTheResidentDecidesCountsAtOnce(t *testing.T) {
	s := records(t)
	message := map[string]any{"text": "Hej mamma"}
	s.do("POST", "/api/v1/family/homes/home-1/messages", maria, message).problem(t, 403, "LYK-0505")
	s.allowed("home-1", care.PartyPerson("maria"), care.FieldMessages)
	if a := s.do("POST", "/api/v1/family/homes/home-1/messages", maria, message); a.StatusCode != 201 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	c := care.Consent{Home: "home-1", Party: care.PartyStaff, Field: care.FieldHealth, At: time.Now(), By: "x", How: care.OnScreen}
	must(s.db.PutConsent(t.Context(), c, care.AuditEntry{At: time.Now()}))(t)
	s.do("GET", "/api/v1/homes/home-1/well-being", anna, nil).problem(t, 403, "LYK-0505")
}

func TestACardIsWrittenAndRead(t *testing.T) {
	s := records(t)
	card := care.Resident{Name: "Åke Öst", Called: "Åke", Born: "1938", Phone: "0910-12", Address: "Vägen 1", Entry: "kod 12", Language: "sv", Important: "hund", Wishes: "kaffe", Ask: 1080}
	for range 2 {
		if a := s.do("PUT", "/api/v1/homes/home-1/resident", anna, card); a.StatusCode != 204 {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	var got struct {
		Name, Called, Entry, Wishes string
		Ask                         int
		Changed                     *time.Time
		ChangedBy                   string `json:"changed_by"`
		Contacts                    []struct {
			Person, Name, Phone string
			Told                []string
		}
	}
	s.do("GET", "/api/v1/homes/home-1/resident", anna, nil).into(t, &got)
	if got.Called != "Åke" || got.Entry != "kod 12" || got.Ask != 1080 || got.Changed == nil || got.ChangedBy != "anna" {
		t.Errorf("card %+v", got)
	}
	if len(got.Contacts) != 1 || got.Contacts[0].Name != "MARIA" || got.Contacts[0].Phone != "+46701740605" || !slices.Equal(got.Contacts[0].Told, []string{"sos"}) {
		t.Errorf("contacts %+v", got.Contacts)
	}
	s.do("PUT", "/api/v1/homes/home-1/resident", anna, care.Resident{Ask: 2000}).problem(t, 422, "LYK-0503")
	s.wantLog("home-1", "write card", "look contacts")
	var empty map[string]any
	s.do("GET", "/api/v1/homes/home-2/resident", saga, nil).into(t, &empty)
	if empty["changed"] != nil || empty["name"] != "" {
		t.Errorf("a card that nobody has written: %v", empty)
	}
}

// wantLog checks that actions are in a home's log.
func (s *site) wantLog(home string, actions ...string) {
	s.t.Helper()
	var got []string
	for _, e := range must(s.db.AuditLog(s.t.Context(), home, 0))(s.t) {
		got = append(got, e.Action)
	}
	for _, a := range actions {
		if !slices.Contains(got, a) {
			s.t.Errorf("%q is not in the log of %s: %q", a, home, got)
		}
	}
}

func TestANoteIsWrittenOnceAndCorrectedByAnother(t *testing.T) {
	s := records(t)
	type note struct{ ID, Home, Author, Person, Kind, Text, Corrects string }
	write := func(role care.Role, key string, body map[string]any) (n note) {
		t.Helper()
		a := s.do("POST", "/api/v1/homes/home-1/notes", role, body, "Idempotency-Key", key)
		if a.StatusCode != 201 {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		a.into(t, &n)
		return n
	}
	first := write(anna, "k", map[string]any{"kind": "visit", "text": " Åt frukost "})
	again := write(anna, "k", map[string]any{"kind": "visit", "text": "Åt frukost"})
	other := write(care.Coordinator, "k", map[string]any{"kind": "hand_over", "text": "Ring doktorn", "corrects": first.ID})
	if first.Author != "anna" || first.Person != "anna" || first.Text != "Åt frukost" || again != first || other.ID == first.ID {
		t.Errorf("%+v, again %+v, another's %+v", first, again, other)
	}
	var list struct{ Notes []note }
	s.do("GET", "/api/v1/homes/home-1/notes?limit=1", anna, nil).into(t, &list)
	if len(list.Notes) != 1 || list.Notes[0] != other {
		t.Errorf("newest %+v", list.Notes)
	}
	s.do("POST", "/api/v1/homes/home-1/notes", anna, map[string]any{"kind": "visit", "text": "x", "corrects": "none"}).problem(t, 404, "LYK-0502")
	s.do("POST", "/api/v1/homes/home-1/notes", anna, map[string]any{"kind": "gossip", "text": "x"}).problem(t, 422, "LYK-0503")
	s.do("POST", "/api/v1/homes/home-1/notes", anna, map[string]any{"kind": "visit", "text": "   "}).problem(t, 422, "LYK-0503")
	s.wantLog("home-1", "write note", "look notes")
}

func TestRemindersOfAHome(t *testing.T) {
	s := records(t)
	put := map[string]any{"text": "Medicin", "at": 480, "days": []int{1, 3}, "medication": true}
	if a := s.do("PUT", "/api/v1/homes/home-1/reminders/m1", anna, put); a.StatusCode != 204 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	a := s.do("GET", "/api/v1/homes/home-1/reminders", anna, nil)
	if want := `{"reminders":[{"id":"m1","text":"Medicin","at":480,"days":[1,3],"medication":true}]}`; strings.TrimSpace(string(a.body)) != want {
		t.Errorf("%s, want %s", a.body, want)
	}
	s.do("PUT", "/api/v1/homes/home-1/reminders/m%201", anna, put).problem(t, 422, "LYK-0503")
	s.do("DELETE", "/api/v1/homes/home-1/reminders/m1", anna, nil)
	if a := s.do("GET", "/api/v1/homes/home-1/reminders", anna, nil); strings.TrimSpace(string(a.body)) != `{"reminders":[]}` {
		t.Errorf("after its end: %s", a.body)
	}
}

type visitJSON struct {
	ID, Home, Person, Who, What, State, Asked, By string
	AskedBy                                       string `json:"asked_by"`
	HomeName                                      string `json:"home_name"`
	From, To                                      time.Time
	Video                                         bool
	Note                                          string
	Rev                                           int64
}

func TestVisitsArePlannedAndAskedFor(t *testing.T) {
	s := records(t)
	s.allowed("home-1", care.PartyRelatives, care.FieldVisits)
	at := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	ask := map[string]any{"from": at, "to": at.Add(time.Hour), "what": "Fika", "video": true}
	var asked, again visitJSON
	s.do("POST", "/api/v1/family/homes/home-1/visits", maria, ask, "Idempotency-Key", "k").into(t, &asked)
	s.do("POST", "/api/v1/family/homes/home-1/visits", maria, ask, "Idempotency-Key", "k").into(t, &again)
	if asked.State != "requested" || asked.Asked != "maria" || asked.AskedBy != "MARIA" || asked.Who != "MARIA" || again != asked || !asked.Video {
		t.Fatalf("asked %+v, again %+v", asked, again)
	}
	s.do("POST", "/api/v1/family/homes/home-1/visits", nils, ask).problem(t, 404, "LYK-0502")
	past := map[string]any{"from": at.Add(-48 * time.Hour), "to": at.Add(-47 * time.Hour)}
	s.do("POST", "/api/v1/family/homes/home-1/visits", maria, past).problem(t, 422, "LYK-0503")

	plan := map[string]any{"home": "home-1", "from": at, "to": at.Add(time.Hour), "person": "maria", "what": "Fika", "state": "planned", "rev": asked.Rev}
	var planned visitJSON
	s.do("PUT", "/api/v1/visits/"+asked.ID, anna, plan).into(t, &planned)
	if planned.State != "planned" || planned.Asked != "maria" || planned.By != "anna" {
		t.Errorf("planned %+v", planned)
	}
	// Whoever may plan in one area takes no visit away from another.
	stolen := map[string]any{"home": "home-2", "from": at, "to": at.Add(time.Hour), "state": "cancelled"}
	s.do("PUT", "/api/v1/visits/"+asked.ID, saga, stolen).problem(t, 409, "LYK-0508")
	plan["rev"] = 0
	plan["person"] = "nobody"
	s.do("PUT", "/api/v1/visits/v9", anna, plan).problem(t, 422, "LYK-0503")
	delete(plan, "person")
	plan["home"] = ""
	s.do("PUT", "/api/v1/visits/v9", anna, plan).problem(t, 422, "LYK-0503")
	other := map[string]any{"home": "home-2", "from": at, "to": at.Add(time.Hour), "person": "saga", "state": "planned"}
	s.do("PUT", "/api/v1/visits/v2", saga, other)

	for _, c := range []struct {
		role care.Role
		path string
		want []string
	}{
		{anna, "/visits", []string{asked.ID}},
		{saga, "/visits", []string{"v2"}},
		{care.Coordinator, "/visits", []string{asked.ID, "v2"}},
		{care.Coordinator, "/visits?person=saga", []string{"v2"}},
		{care.Coordinator, "/visits?from=2020-01-01&to=2020-02-01", nil},
		{anna, "/homes/home-1/visits", []string{asked.ID}},
	} {
		var list struct{ Visits []visitJSON }
		s.do("GET", "/api/v1"+c.path, c.role, nil).into(t, &list)
		var got []string
		for _, v := range list.Visits {
			got = append(got, v.ID)
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(c.want))
		if !slices.Equal(got, want) {
			t.Errorf("%s sees %s: %v, want %v", c.role, c.path, got, want)
		}
	}
	s.do("GET", "/api/v1/visits?from=2026-01-01&to=2026-12-01", anna, nil).problem(t, 422, "LYK-0503")
	s.do("GET", "/api/v1/visits?from=2026-02-01&to=2026-01-01", anna, nil).problem(t, 422, "LYK-0503")
	s.wantLog("home-1", "visit requested", "visit planned", "look visits")
}

// collected are the gateways that were sent what waits for them.
type collected struct {
	mu   sync.Mutex
	from []string
}

func (c *collected) collect(gateway string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.from = append(c.from, gateway)
}

func (c *collected) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.from
	c.from = nil
	return from
}

func TestMessagesToAHome(t *testing.T) {
	sent := &collected{}
	s := records(t, func(o *web.Options) { o.Collect = sent.collect })
	s.allowed("home-1", care.PartyPerson("maria"), care.FieldMessages)
	picture := append([]byte{0xff, 0xd8, 0xff}, bytes.Repeat([]byte{1}, 1000)...)
	type message struct {
		ID, From, Person, Text string
		Family, Picture        bool
		Reached, Heard         *time.Time
	}
	var first, again message
	body := map[string]any{"text": "Hej mamma", "picture": picture}
	s.do("POST", "/api/v1/homes/home-1/messages", maria, body, "Idempotency-Key", "k").into(t, &first)
	s.do("POST", "/api/v1/homes/home-1/messages", maria, body, "Idempotency-Key", "k").into(t, &again)
	if first.From != "maria" || !first.Family || !first.Picture || first.Reached != nil || again != first {
		t.Fatalf("%+v, again %+v", first, again)
	}
	if got := sent.take(); len(got) == 0 || got[0] != "gw-1" {
		t.Errorf("the gateway is not sent the message: %v", got)
	}
	var staffs message
	s.do("POST", "/api/v1/homes/home-1/messages", anna, map[string]any{"text": "Vi kommer kl 9"}).into(t, &staffs)
	list := func(role care.Role) (ids []string) {
		t.Helper()
		var all struct{ Messages []message }
		s.do("GET", "/api/v1/homes/home-1/messages", role, nil).into(t, &all)
		for _, m := range all.Messages {
			ids = append(ids, m.ID)
		}
		return ids
	}
	if got := list(maria); !slices.Equal(got, []string{first.ID}) {
		t.Errorf("a relative sees %v", got)
	}
	if got := list(anna); !slices.Equal(got, []string{staffs.ID, first.ID}) {
		t.Errorf("staff see %v", got)
	}
	a := s.do("GET", "/api/v1/homes/home-1/messages/"+first.ID+"/picture", maria, nil)
	if !bytes.Equal(a.body, picture) || a.Header.Get("Content-Type") != "image/jpeg" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("picture: %d bytes, %v", len(a.body), a.Header)
	}
	s.do("GET", "/api/v1/homes/home-1/messages/"+staffs.ID+"/picture", maria, nil).problem(t, 404, "LYK-0502")
	s.do("DELETE", "/api/v1/homes/home-1/messages/"+staffs.ID, maria, nil).problem(t, 404, "LYK-0502")
	s.do("DELETE", "/api/v1/homes/home-2/messages/"+first.ID, saga, nil).problem(t, 404, "LYK-0502")
	for _, bad := range []map[string]any{
		{}, {"text": " "}, {"text": strings.Repeat("x", 501)}, {"picture": []byte("GIF89a")}, {"picture": append(picture, make([]byte, 120<<10)...)},
		{"text": "x", "until": time.Now().Add(-time.Hour)}, {"text": "x", "until": time.Now().AddDate(1, 0, 0)},
	} {
		s.do("POST", "/api/v1/homes/home-1/messages", anna, bad).problem(t, 422, "LYK-0503")
	}
	if a := s.do("DELETE", "/api/v1/homes/home-1/messages/"+first.ID, maria, nil); a.StatusCode != 204 {
		t.Errorf("taking back: %d %s", a.StatusCode, a.body)
	}
	if got := list(maria); len(got) != 0 {
		t.Errorf("after taking back: %v", got)
	}
	s.wantLog("home-1", "write message", "take back message", "look messages")
}
