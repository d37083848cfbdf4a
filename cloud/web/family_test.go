package web_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

type familyHome struct {
	Home, Name, Light string
	Allowed, Refused  []care.Field
	CheckedIn         *time.Time `json:"checked_in"`
	CheckInBy         *time.Time `json:"check_in_by"`
	Calm              *bool
	Alerts            []struct{ ID, State, Note string }
	Visits            []struct {
		ID, State, What, Note string
		AskedBy               string `json:"asked_by"`
	}
	Activity *struct{ Today string }
	Health   []struct{ Kind string }
	Climate  []struct{ Kind string }
	Card     *struct {
		Address, Phone string
		Contacts       []string
	}
}

func (s *site) family(who care.Role) (h familyHome) {
	s.t.Helper()
	a := s.do("GET", "/api/v1/family/homes/home-1", who, nil)
	if a.StatusCode != 200 {
		s.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	a.into(s.t, &h)
	var list struct{ Homes []json.RawMessage }
	s.do("GET", "/api/v1/family", who, nil).into(s.t, &list)
	if len(list.Homes) != 1 {
		s.t.Errorf("%d homes are listed", len(list.Homes))
	}
	return h
}

// P8: a relative sees what the resident has allowed, field by field, and is
// told what they may not see.
func TestP8ARelativeSeesWhatIsAllowed(t *testing.T) {
	s, alert := akesHome(t)
	now := time.Now()
	home, err := s.db.Home(t.Context(), "home-1")
	if err != nil {
		t.Fatal(err)
	}
	s.live.Home(watch.Status{Home: home, Heard: now, CheckIn: now, Activity: &watch.Activity{Time: devices.MicrosOf(now), Room: "sovrum", Kind: devices.Motion}})
	id := alert()
	s.live.AlertsChanged()
	for deadline := now.Add(20 * time.Second); !strings.Contains(string(s.do("GET", "/api/v1/homes", "Anna", nil).body), `"open_alerts":1`); {
		if time.Now().After(deadline) {
			t.Fatal("the alert did not become live")
		}
	}
	s.do("POST", "/api/v1/alerts/"+alert()+"/resolve", "Anna", map[string]string{"outcome": "helped", "note": "Åke hade ramlat"})

	// As a contact she was named to know of his alarms, and that is all.
	h := s.family("Maria")
	if h.Name != "Åke" || h.Light != "hidden" || !slices.Equal(h.Allowed, []care.Field{care.FieldAlerts}) || len(h.Refused) != len(care.Fields())-3 || h.Calm == nil || *h.Calm ||
		len(h.Alerts) != 2 || h.CheckedIn != nil || h.CheckInBy != nil || len(h.Visits)+len(h.Health) != 0 || h.Activity != nil {
		t.Errorf("without any decision: %+v", h)
	}
	s.allow(care.PartyRelatives, care.FieldAlerts, false)
	h = s.family("Maria")
	if h.Light != "hidden" || len(h.Allowed) != 0 || h.Calm != nil || len(h.Alerts) != 0 {
		t.Errorf("alarms are taken back: %+v", h)
	}
	for _, test := range []struct {
		field care.Field
		shown func(h familyHome) bool
	}{
		{care.FieldCheckIn, func(h familyHome) bool { return h.Light == "lit" && h.CheckedIn != nil }},
		{care.FieldAlerts, func(h familyHome) bool {
			return h.Calm != nil && !*h.Calm && len(h.Alerts) == 2 && h.Alerts[0].ID == id
		}},
		{care.FieldVisits, func(h familyHome) bool { return len(h.Visits) == 1 && h.Visits[0].What == "Åkes dusch" }},
		{care.FieldActivity, func(h familyHome) bool { return h.Activity != nil && h.Activity.Today == "usual" }},
		{care.FieldHealth, func(h familyHome) bool { return len(h.Health) == 1 && h.Health[0].Kind == "pulse" }},
		{care.FieldClimate, func(h familyHome) bool { return len(h.Climate) == 1 && h.Climate[0].Kind == "temperature" }},
		{care.FieldContacts, func(h familyHome) bool {
			return h.Card != nil && h.Card.Address == "Åkes väg 1" && h.Card.Phone == "+4660111" && slices.Equal(h.Card.Contacts, []string{"Maria"})
		}},
	} {
		s.allow(care.PartyPerson("maria"), test.field, true)
		h = s.family("Maria")
		if !test.shown(h) || !slices.Equal(h.Allowed, []care.Field{test.field}) || slices.Contains(h.Refused, test.field) {
			t.Errorf("%s is allowed: %+v", test.field, h)
		}
		text := fmt.Sprintf("%+v", h)
		if strings.Contains(text, "ramlat") || strings.Contains(text, "sovrum") {
			t.Errorf("what is for the staff is in %s", text)
		}
		s.allow(care.PartyPerson("maria"), test.field, false)
		if h = s.family("Maria"); test.shown(h) || len(h.Allowed) != 0 {
			t.Errorf("%s is withdrawn: %+v", test.field, h)
		}
	}
	s.do("GET", "/api/v1/family/homes/home-1", "Erik", nil).problem(t, 404, "LYK-0502")
	s.do("GET", "/api/v1/family/homes/nowhere", "Erik", nil).problem(t, 404, "LYK-0502")
	s.do("GET", "/api/v1/family/homes/home-1", "Anna", nil).problem(t, 403, "LYK-0505")
	s.do("GET", "/api/v1/alerts/"+id, "Maria", nil).problem(t, 403, "LYK-0505")
	s.do("GET", "/api/v1/alerts/"+id, "Erik", nil).problem(t, 404, "LYK-0502")

	// What she saw is in the log that Åke reads.
	var log struct {
		Entries []struct{ Actor, Role, Action string }
	}
	s.do("GET", "/api/v1/homes/home-1/audit", care.Coordinator, nil).into(t, &log)
	var looks []string
	for _, e := range log.Entries {
		if e.Actor == "Maria" && e.Role == "relative" {
			looks = append(looks, e.Action)
		}
	}
	slices.Sort(looks)
	if want := []string{"look activity", "look alerts", "look check_in", "look climate", "look contacts", "look health", "look visits"}; !slices.Equal(looks, want) {
		t.Errorf("the log says %q, want %q", looks, want)
	}
}

func TestARelativeTakesAnAlert(t *testing.T) {
	s, alert := akesHome(t)
	s.allow(care.PartyRelatives, care.FieldAlerts, true)
	id := alert()
	told := care.Telling{Alert: id, About: care.AboutAlarm, Person: "sofia", Address: care.Address{Channel: care.ChannelSMS, To: "+46701234567"}, Group: care.GroupOnDuty}
	if err := s.db.PutTelling(t.Context(), told, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.db.ChangeTelling(t.Context(), told, time.Now(), func(now care.Told, _ care.Alert, _ care.Person) (care.Told, *care.Telling) {
		now.State, now.Reason = care.TellingFailed, "no such number: +46701234567"
		return now, nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, deed := range []string{"/acknowledge", "/on-the-way"} {
		if a := s.do("POST", "/api/v1/alerts/"+id+deed, "Maria", map[string]int{"minutes": 10}); a.StatusCode != 200 || !strings.Contains(string(a.body), `"held_by":"Maria"`) {
			t.Errorf("%s: %d %s", deed, a.StatusCode, a.body)
		}
	}
	for _, deed := range []string{"/take-over", "/resolve"} {
		s.do("POST", "/api/v1/alerts/"+id+deed, "Maria", map[string]string{"outcome": "helped"}).problem(t, 403, "LYK-0505")
	}
	chain := s.do("GET", "/api/v1/alerts/"+id+"/chain", "Maria", nil)
	if chain.StatusCode != 200 || !strings.Contains(string(chain.body), `"name":"Sofia"`) || strings.Contains(string(chain.body), "+46") {
		t.Errorf("%d %s", chain.StatusCode, chain.body)
	}
}

// What one relative does about an alert, the others see, and when it was where the resident lives.
func TestRelativesSeeEachOthersDeeds(t *testing.T) {
	s, alert := akesHome(t)
	s.allow(care.PartyRelatives, care.FieldAlerts, true)
	if err := s.db.PutPerson(t.Context(), care.Person{ID: "sara", Name: "Sara", Role: care.Relative}); err != nil {
		t.Fatal(err)
	}
	if err := s.db.PutMember(t.Context(), care.Member{Group: care.GroupContacts, Scope: "home-1", Person: "sara"}); err != nil {
		t.Fatal(err)
	}
	s.invite(access.Actor{Name: "Sara", Role: care.Relative, Person: "sara", Homes: []string{"home-1"}})
	id := alert()
	s.do("POST", "/api/v1/alerts/"+id+"/on-the-way", "Maria", map[string]int{"minutes": 10})
	var seen struct {
		Zone   string
		Alerts []struct {
			ID, Stage string
			HeldBy    string `json:"held_by"`
		}
	}
	s.do("GET", "/api/v1/family/homes/home-1", "Sara", nil).into(t, &seen)
	if seen.Zone != "Europe/Stockholm" || len(seen.Alerts) == 0 || seen.Alerts[0].ID != id || seen.Alerts[0].Stage != "on_the_way" || seen.Alerts[0].HeldBy != "Maria" {
		t.Errorf("Sara sees %+v", seen)
	}
	if chain := s.do("GET", "/api/v1/alerts/"+id+"/chain", "Sara", nil); !strings.Contains(string(chain.body), `"actor":"Maria"`) {
		t.Errorf("Sara reads %d %s", chain.StatusCode, chain.body)
	}
}

func TestARelativeAsksForAVisit(t *testing.T) {
	s, _ := akesHome(t)
	ask := map[string]any{"from": time.Now().Add(24 * time.Hour), "to": time.Now().Add(25 * time.Hour), "what": "Fika", "video": true}
	s.do("POST", "/api/v1/family/homes/home-1/visits", "Maria", ask).problem(t, 403, "LYK-0505")
	s.allow(care.PartyRelatives, care.FieldVisits, true)
	for range 2 {
		if a := s.do("POST", "/api/v1/family/homes/home-1/visits", "Maria", ask, "Idempotency-Key", "k"); a.StatusCode != 201 {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	s.allow(care.PartyRelatives, care.FieldVisits, false)
	h := s.family("Maria")
	if len(h.Visits) != 1 || h.Visits[0].What != "Fika" || h.Visits[0].State != "requested" || h.Visits[0].AskedBy != "Maria" {
		t.Errorf("her own request: %+v", h.Visits)
	}
}
