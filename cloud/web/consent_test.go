package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

type grant struct {
	Party, Name, Field, Purpose, By, How string
	Allowed, Fixed                       bool
	At, Until                            *time.Time
}

type consentAnswer struct{ Grants, History []grant }

func (s *site) consent() (c consentAnswer) {
	s.t.Helper()
	s.do("GET", "/api/v1/homes/home-1/consent", "Anna", nil).into(s.t, &c)
	return c
}

func (c consentAnswer) of(party string, field care.Field) grant {
	for _, g := range c.Grants {
		if g.Party == party && g.Field == string(field) {
			return g
		}
	}
	return grant{}
}

func TestDecisionsAreNoted(t *testing.T) {
	s, _ := akesHome(t)
	before := s.consent()
	if n := 3 * len(care.Grantable()); len(before.Grants) != n || len(before.History) != 0 { // staff, relatives, Maria; not Erik
		t.Fatalf("%d grants, want %d; history %v", len(before.Grants), n, before.History)
	}
	for _, want := range []grant{
		{Party: "staff", Field: "alerts", Allowed: true, Fixed: true}, {Party: "staff", Field: "activity", Allowed: true},
		{Party: "relatives", Field: "check_in"}, {Party: "person:maria", Name: "Maria", Field: "notes", Fixed: true},
	} {
		if got := before.of(want.Party, care.Field(want.Field)); got != want {
			t.Errorf("before anybody decided: %+v, want %+v", got, want)
		}
	}
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	note := func(key string, body map[string]any) answer {
		return s.do("POST", "/api/v1/homes/home-1/consent", "Anna", body, "Idempotency-Key", key)
	}
	yes := map[string]any{"party": "relatives", "field": "check_in", "allowed": true, "how": "spoken", "purpose": "så att de är lugna", "until": until}
	for range 3 {
		if a := note("k1", yes); a.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	note("k2", map[string]any{"party": "person:maria", "field": "check_in", "allowed": false, "how": "paper"})
	c := s.consent()
	got := c.of("relatives", care.FieldCheckIn)
	if !got.Allowed || got.By != "Anna" || got.How != "spoken" || got.Purpose != "så att de är lugna" || got.At == nil || got.Until == nil || !got.Until.Equal(until) {
		t.Errorf("%+v", got)
	}
	if got := c.of("person:maria", care.FieldCheckIn); got.Allowed || got.At == nil || got.How != "paper" {
		t.Errorf("of Maria: %+v", got)
	}
	if len(c.History) != 2 || c.History[0].Party != "person:maria" || c.History[0].Name != "Maria" {
		t.Errorf("history %+v", c.History)
	}
	for name, body := range map[string]map[string]any{
		"of another home's relative": {"party": "person:erik", "field": "check_in", "allowed": true, "how": "spoken"},
		"of somebody of the staff":   {"party": "person:anna", "field": "check_in", "allowed": true, "how": "spoken"},
		"of nobody":                  {"party": "neighbours", "field": "check_in", "allowed": true, "how": "spoken"},
		"what the task needs":        {"party": "staff", "field": "alerts", "allowed": false, "how": "spoken"},
		"what is never for them":     {"party": "relatives", "field": "notes", "allowed": true, "how": "spoken"},
		"as if on the screen":        {"party": "relatives", "field": "check_in", "allowed": true, "how": "screen"},
		"over before it begins":      {"party": "relatives", "field": "check_in", "allowed": true, "how": "spoken", "until": time.Now().Add(-time.Hour)},
	} {
		if a := note("", body); a.StatusCode != 422 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	var log struct {
		Entries []struct{ Actor, Action, Detail string }
	}
	s.do("GET", "/api/v1/homes/home-1/audit", care.Coordinator, nil).into(t, &log)
	var deeds []string
	for _, e := range log.Entries {
		if strings.HasSuffix(e.Action, " check_in") && !strings.HasPrefix(e.Action, "look") {
			deeds = append(deeds, e.Actor+" "+e.Action+" "+e.Detail)
		}
	}
	if !slices.Equal(deeds, []string{"Anna refuse check_in person:maria", "Anna allow check_in relatives"}) {
		t.Errorf("log %q", deeds)
	}
}

// P8: what the resident withdraws the staff do not see from the next question
// on, down to single fields of an answer; alarms and help do not depend on it.
func TestP8WhatIsWithdrawnIsNotSeen(t *testing.T) {
	s, alert := akesHome(t)
	now := time.Now()
	home, err := s.db.Home(t.Context(), "home-1")
	if err != nil {
		t.Fatal(err)
	}
	s.live.Home(watch.Status{Home: home, Heard: now, CheckIn: now, Activity: &watch.Activity{Time: devices.MicrosOf(now), Room: "hall", Kind: devices.Motion}})
	s.homes.devs["home-1"] = []watch.Device{
		{Name: "hall-motion", Sensor: watch.Sensor{Seen: devices.MicrosOf(now), Kinds: []devices.Kind{devices.Motion, devices.Battery}}},
		{Name: "cuff", Sensor: watch.Sensor{Seen: devices.MicrosOf(now), Kinds: []devices.Kind{devices.Pulse}}},
	}
	fields := map[care.Field]string{care.FieldActivity: `"motion"`, care.FieldHealth: `"pulse"`, care.FieldClimate: `"temperature"`}
	kinds := map[care.Field]string{care.FieldActivity: "motion", care.FieldHealth: "pulse", care.FieldClimate: "temperature"}
	seen := func(field care.Field) (in []string) {
		for _, path := range []string{"/homes/home-1", "/homes/home-1/readings", "/homes/home-1/readings?every=1h", "/homes/home-1/readings?device=cuff", "/homes"} {
			a := s.do("GET", "/api/v1"+path, "Anna", nil)
			if a.StatusCode != 200 {
				t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
			}
			if strings.Contains(string(a.body), fields[field]) {
				in = append(in, path)
			}
		}
		return in
	}
	for field := range fields {
		if len(seen(field)) == 0 {
			t.Errorf("%s is nowhere to be seen while nobody has withdrawn it", field)
		}
		s.allow(care.PartyStaff, field, false)
		if in := seen(field); len(in) != 0 {
			t.Errorf("%s is withdrawn, and in %v", field, in)
		}
		for _, every := range []string{"", "&every=1h"} {
			s.do("GET", "/api/v1/homes/home-1/readings?kind="+kinds[field]+every, "Anna", nil).problem(t, 403, "LYK-0505")
		}
		var detail struct {
			Refused      []care.Field
			LastActivity *struct{} `json:"last_activity"`
			LastCheckIn  *string   `json:"last_check_in"`
			Devices      []struct {
				Device   string
				LastSeen time.Time `json:"last_seen"`
			}
		}
		s.do("GET", "/api/v1/homes/home-1", "Anna", nil).into(t, &detail)
		if !slices.Equal(detail.Refused, []care.Field{field}) || len(detail.Devices) != 2 {
			t.Errorf("%s is withdrawn: %+v", field, detail)
		}
		if exact := !detail.Devices[0].LastSeen.Equal(detail.Devices[0].LastSeen.Truncate(time.Hour)); exact && field == care.FieldActivity {
			t.Errorf("when somebody moved is to be read from when the sensor was heard: %v", detail.Devices[0].LastSeen)
		}
		id := alert()
		if a := s.do("POST", "/api/v1/alerts/"+id+"/acknowledge", "Anna", nil); a.StatusCode != 200 {
			t.Errorf("help depends on consent: %d %s", a.StatusCode, a.body)
		}
		s.allow(care.PartyStaff, field, true)
		if len(seen(field)) == 0 {
			t.Errorf("%s is allowed again, and nowhere", field)
		}
	}
}

// P8: who was told of an alert sees to it, though the home is in another area,
// until it is closed.
func TestP8WhoWasToldMayHelp(t *testing.T) {
	s, alert := akesHome(t)
	id := alert()
	s.do("GET", "/api/v1/alerts/"+id, "Sofia", nil).problem(t, 403, "LYK-0505")
	if err := s.db.PutTelling(t.Context(), care.Telling{
		Alert: id, About: care.AboutAlarm, Person: "sofia", Address: care.Address{Channel: care.ChannelSMS, To: "+46701234567"}, Group: care.GroupLastResort,
	}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"GET /alerts/" + id, "GET /alerts/" + id + "/chain", "GET /homes/home-1", "GET /homes/home-1/resident", "POST /alerts/" + id + "/acknowledge"} {
		method, path, _ := strings.Cut(call, " ")
		if a := s.do(method, "/api/v1"+path, "Sofia", nil); a.StatusCode != 200 {
			t.Errorf("%s: %d %s", call, a.StatusCode, a.body)
		}
	}
	// What she does not need for it stays with the staff of the home's area.
	for call, body := range map[string]any{
		"GET /homes/home-1/notes": nil, "GET /homes/home-1/visits": nil, "GET /homes/home-1/messages": nil, "GET /homes/home-1/well-being": nil,
		"GET /homes/home-1/readings?kind=motion": nil, "POST /homes/home-1/notes": map[string]any{"kind": "observation", "text": "x"},
		"POST /homes/home-1/consent":    map[string]any{"party": "relatives", "field": "health", "allowed": true, "how": "spoken"},
		"POST /homes/home-1/silences":   map[string]any{"to": time.Now().Add(time.Hour), "reason": "x"},
		"POST /people/maria/invitation": nil,
	} {
		method, path, _ := strings.Cut(call, " ")
		if a := s.do(method, "/api/v1"+path, "Sofia", body); a.StatusCode != 403 {
			t.Errorf("%s: %d %s", call, a.StatusCode, a.body)
		}
	}
	for path, mark := range map[string]string{"/homes": `"home-1"`, "/alerts?state=active": id} {
		if a := s.do("GET", "/api/v1"+path, "Sofia", nil); !strings.Contains(string(a.body), mark) {
			t.Errorf("%s: %s is not in %s", path, mark, a.body)
		}
	}
	if a := s.do("POST", "/api/v1/alerts/"+id+"/resolve", "Sofia", map[string]string{"outcome": "helped"}); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	s.do("GET", "/api/v1/homes/home-1", "Sofia", nil).problem(t, 403, "LYK-0505")
}

// A test is answered by whoever may test: the installer, who may not touch an
// alarm.
func TestAnInstallerAnswersTestsAndNothingElse(t *testing.T) {
	s, alert := akesHome(t)
	if err := s.db.PutPerson(t.Context(), care.Person{ID: "ina", Name: "Ina", Role: care.Operator, Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701234568"}}}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := s.db.AddTest(t.Context(), care.TestAlarm{ID: "t1", Home: "home-1", Person: "ina", By: "Ina", From: now.Add(-time.Minute), To: now.Add(time.Minute)}, care.AuditEntry{}); err != nil {
		t.Fatal(err)
	}
	test, real := alert(), alert() // the first press is the test
	for _, deed := range []string{"/acknowledge", "/take-over", "/on-the-way", "/resolve"} {
		body := map[string]any{}
		if deed == "/resolve" {
			body["outcome"] = "test"
		}
		if a := s.do("POST", "/api/v1/alerts/"+test+deed, care.Operator, body); a.StatusCode != 200 {
			t.Errorf("%s of a test: %d %s", deed, a.StatusCode, a.body)
		}
		s.do("POST", "/api/v1/alerts/"+real+deed, care.Operator, body).problem(t, 403, "LYK-0505")
	}
}

// P8: the stream says nothing that a question would not be answered.
func TestP8TheStreamTellsNobodyTooMuch(t *testing.T) {
	s, _ := akesHome(t)
	s.do("GET", "/api/v1/events?home=home-1", "Sofia", nil).problem(t, 403, "LYK-0505")
	s.do("GET", "/api/v1/events?home=home-1", "Maria", nil).problem(t, 403, "LYK-0505")
	s.do("GET", "/api/v1/events?home=home-1", "Erik", nil).problem(t, 404, "LYK-0502")
	s.do("GET", "/api/v1/events", "Ingen", nil).problem(t, 403, "LYK-0505")
	now := time.Now()
	reading := func(kind devices.Kind) devices.Reading {
		return devices.Reading{Time: devices.MicrosOf(now), Device: "d", Kind: kind, Value: devices.Number(1)}
	}
	home1, err := s.db.Home(t.Context(), "home-1")
	if err != nil {
		t.Fatal(err)
	}
	home2, err := s.db.Home(t.Context(), "home-2")
	if err != nil {
		t.Fatal(err)
	}
	streams := map[care.Role]*stream{}
	for _, who := range []care.Role{"Anna", "Sofia", "Olle", care.Operator, "Maria", "Erik"} {
		query := ""
		if who == "Anna" || who == care.Operator {
			query = "?home=home-1"
		}
		streams[who] = follow(t, s, who, query)
		streams[who].want("hello")
	}
	s.allow(care.PartyStaff, care.FieldHealth, false)
	s.allow(care.PartyPerson("maria"), care.FieldAlerts, false)
	// All that can happen in Åke's home; then something that ends the wait in each stream.
	s.raise("åkes-alert", care.AlertSOS)
	s.live.Home(watch.Status{Home: home1, Heard: now, Depth: 4711, CheckIn: now, Activity: &watch.Activity{Time: devices.MicrosOf(now), Room: "sovrum", Kind: devices.Motion}})
	s.live.Readings("home-1", []devices.Reading{reading(devices.Motion), reading(devices.Pulse), reading(devices.Temperature)})
	until := func(who care.Role, mark string) (all string) {
		t.Helper()
		for !strings.Contains(all, mark) {
			e := streams[who].next()
			all += e.name + " " + e.data + "\n"
		}
		return all
	}
	if all := until("Anna", `"temperature"`); !strings.Contains(all, "åkes-alert") || !strings.Contains(all, `"motion"`) || strings.Contains(all, `"pulse"`) {
		t.Errorf("Anna hears %s", all)
	}
	if all := until(care.Operator, `"temperature"`); strings.Contains(all, `"motion"`) || strings.Contains(all, `"pulse"`) || strings.Contains(all, "sovrum") || strings.Contains(all, `"last_check_in":"`) {
		t.Errorf("the operator hears %s", all)
	}
	s.live.Home(watch.Status{Home: home2, Heard: now, Depth: 4712})
	for _, who := range []care.Role{"Sofia", "Olle"} {
		if all := until(who, `"spool_depth":4712`); strings.Contains(all, "home-1") || strings.Contains(all, "åkes-alert") {
			t.Errorf("%s hears %s", who, all)
		}
	}
	// Erik hears of his own home, and of Åke's never; Maria of Åke's, and of it nothing.
	if all := until("Erik", `"home":"home-2"`); strings.Contains(all, "home-1") {
		t.Errorf("Erik hears %s", all)
	}
	if all := until("Maria", `"home":"home-1"`); strings.Contains(all, "åkes-alert") || strings.Contains(all, "sovrum") || strings.Contains(all, "event home ") {
		t.Errorf("Maria hears %s", all)
	}
	s.allow(care.PartyPerson("maria"), care.FieldAlerts, true)
	s.raise("another-alert", care.AlertSOS)
	if all := until("Maria", "alert {\"id\":\"another-alert\""); strings.Contains(all, `"note"`) {
		t.Errorf("Maria hears %s", all)
	}
	s.allow(care.PartyPerson("maria"), care.FieldAlerts, false)
	s.raise("hidden-alert", care.AlertSOS)
	s.allow(care.PartyPerson("maria"), care.FieldCheckIn, true)
	if all := until("Maria", `"allowed":["check_in"]`); strings.Contains(all, "hidden-alert") {
		t.Errorf("after it was withdrawn Maria hears %s", all)
	}
	again := follow(t, s, "Maria", "", "Last-Event-ID", "0")
	again.want("hello")
	if e := again.next(); e.name != "family" {
		t.Errorf("on coming back Maria hears %s", fmt.Sprint(e))
	}
}
