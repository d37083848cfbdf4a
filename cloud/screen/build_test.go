package screen_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/screen"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func stockholm(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// evening is half an hour before midnight in the home, and before eleven in UTC.
func evening(t testing.TB) time.Time { return time.Date(2026, 11, 22, 23, 30, 0, 0, stockholm(t)) }

func home() care.ScreenContent {
	return care.ScreenContent{Home: care.Home{ID: "home-1", Gateway: "gw1", Zone: "Europe/Stockholm"}}
}

func TestAScreenShowsTodayAndTheNextTwoDays(t *testing.T) {
	now := evening(t)
	c := home()
	c.Names = map[string]string{"anna": "Anna Berg"}
	visit := func(id string, day, hour int, state care.VisitState) care.Visit {
		from := time.Date(2026, 11, day, hour, 0, 0, 0, stockholm(t))
		return care.Visit{ID: id, From: from, To: from.Add(30 * time.Minute), Person: "anna", What: "Dusch", Video: id == "video", State: state}
	}
	c.Visits = []care.Visit{
		visit("yesterday", 21, 23, care.VisitPlanned), visit("morning", 22, 8, care.VisitPlanned), visit("asked", 22, 9, care.VisitRequested),
		visit("done", 22, 10, care.VisitDone), visit("video", 24, 23, care.VisitPlanned), visit("later", 25, 0, care.VisitPlanned),
	}
	c.Visits[1].Person = ""
	got, next := screen.Build(c, now)
	var ids []string
	for _, v := range got.Visits {
		ids = append(ids, v.ID)
	}
	if !slices.Equal(ids, []string{"morning", "video"}) {
		t.Errorf("visits %v", ids)
	}
	last := got.Visits[1]
	if last.Who != "Anna Berg" || last.What != "Dusch, video" || last.Video || last.From != devices.MicrosOf(c.Visits[4].From) || got.Visits[0].Who != "" {
		t.Errorf("visits %+v", got.Visits)
	}
	if able, _ := screen.Build(c, now, care.FeatureVideo); !able.Visits[1].Video || able.Visits[1].What != "Dusch" {
		t.Errorf("where there is video: %+v", able.Visits[1])
	}
	if midnight := now.Add(30 * time.Minute); next.Before(midnight) || next.After(midnight.Add(3*time.Hour)) {
		t.Errorf("it changes by itself at %v", next)
	}
	c.Visits = nil
	if _, next := screen.Build(c, now); !next.IsZero() {
		t.Errorf("one without visits changes by itself at %v", next)
	}
}

func TestAScreenSaysWhoMaySeeWhat(t *testing.T) {
	now := evening(t)
	c := home()
	c.Contacts = []care.Person{
		{ID: "maria", Name: "Maria", Role: care.Relative}, {ID: "olle", Name: "Olle"},
		{ID: "vera", Name: "Vera", Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701234567"}}},
	}
	c.Consents = care.Consents{
		{Party: care.PartyRelatives, Field: care.FieldCheckIn, Allowed: true, At: now.Add(-time.Hour)},
		{Party: care.PartyPerson("maria"), Field: care.FieldVisits, Allowed: true, At: now.Add(-time.Hour), Until: now.Add(time.Hour)},
		{Party: care.PartyStaff, Field: care.FieldActivity, At: now.Add(-time.Hour)},
	}
	got, next := screen.Build(c, now)
	want := map[string]wire.Grant{}
	for _, g := range got.Grants {
		want[g.Party+" "+g.Field] = g
	}
	for _, g := range []wire.Grant{
		{Party: "staff", Field: "visits", Allowed: true, Fixed: true},
		{Party: "staff", Field: "activity"},
		{Party: "staff", Field: "health", Allowed: true},
		{Party: "relatives", Field: "check_in", Allowed: true},
		{Party: "relatives", Field: "visits"},
		{Party: "person:maria", Name: "Maria", Field: "check_in", Allowed: true},
		{Party: "person:maria", Name: "Maria", Field: "visits", Allowed: true},
		{Party: "relatives", Field: "alerts", Allowed: true}, // who was named a contact is told
		{Party: "person:maria", Name: "Maria", Field: "alerts", Allowed: true},
		{Party: "person:vera", Name: "Vera", Field: "alerts", Allowed: true},
	} {
		if have := want[g.Party+" "+g.Field]; have != g {
			t.Errorf("%s %s: %+v, want %+v", g.Party, g.Field, have, g)
		}
	}
	for _, party := range []string{"staff", "relatives", "person:maria"} { // what nobody may until the resident says so
		if g, said := want[party+" auto_answer"]; !said || g.Allowed || g.Fixed {
			t.Errorf("whether the screen answers %s by itself: %+v", party, g)
		}
		if g, said := want[party+" video"]; !said || g.Allowed != (party == "staff") || g.Fixed {
			t.Errorf("whether %s may ring: %+v", party, g)
		}
	}
	if _, said := want["relatives notes"]; said {
		t.Error("what is never for relatives is said")
	}
	for _, g := range got.Grants {
		if strings.Contains(g.Party, "olle") || strings.Contains(g.Party, "vera") && g.Field != "alerts" {
			t.Errorf("who cannot sign in sees nothing, and who cannot be reached hears nothing: %+v", g)
		}
	}
	c.Consents = append(c.Consents, care.Consent{Party: care.PartyPerson("vera"), Field: care.FieldAlerts, At: now})
	if again, _ := screen.Build(c, now); !slices.Contains(again.Grants, wire.Grant{Party: "person:vera", Name: "Vera", Field: "alerts"}) {
		t.Errorf("what was taken back: %+v", again.Grants)
	}
	if !next.Equal(now.Add(time.Hour)) {
		t.Errorf("the decision ends at %v, the screen changes at %v", now.Add(time.Hour), next)
	}
}

func TestAScreenSaysWhoLooked(t *testing.T) {
	c := home()
	entry := func(actor string, role care.Role, action string) care.AuditEntry {
		return care.AuditEntry{At: evening(t), Actor: actor, Role: role, Action: action}
	}
	c.Looks = []care.AuditEntry{
		entry("Anna", care.Caregiver, "look contacts"), entry("", "", "visit missed"), entry("Åke", care.AtHome, "allow visits"),
		entry("Maria", care.Relative, "acknowledge"), entry("Johan", care.Coordinator, "visit planned"), entry("Johan", care.Coordinator, "visit planned"),
		entry("Anna", care.Caregiver, "call"), entry("", "", "end call"), entry("Amina", care.Role(care.AsInterpreter), "join call"), entry("Anna", care.Caregiver, "leave call"),
		entry("resident", care.AtHome, "answer call"),
	}
	got, _ := screen.Build(c, evening(t))
	at := devices.MicrosOf(evening(t))
	want := []wire.Look{{At: at, Who: "Anna", Role: "caregiver", What: "look contacts"}, {At: at, Who: "Maria", Role: "relative", What: "acknowledge"}, {At: at, Who: "Johan", Role: "coordinator", What: "visit planned"},
		{At: at, Who: "Anna", Role: "caregiver", What: "call"}, {At: at, Who: "Amina", Role: "interpreter", What: "join call"}}
	if !reflect.DeepEqual(got.Looks, want) {
		t.Errorf("%+v, want %+v", got.Looks, want)
	}
}

// A screen that the gateway would refuse, or that is larger than it takes,
// would hold up all that comes after it.
func TestAScreenIsAlwaysOneThatAGatewayTakes(t *testing.T) {
	now := evening(t)
	c := home()
	wild := "a\x00b\x1b[1m\xff" + strings.Repeat("å", 3000)
	c.Resident = care.Resident{Called: wild, Language: "sv", Ask: 1439}
	for i := range 100 {
		from := now.Add(time.Duration(i) * time.Minute)
		c.Visits = append(c.Visits, care.Visit{ID: fmt.Sprint(i), From: from, To: from.Add(time.Hour), Person: "p", What: wild, State: care.VisitPlanned})
		c.Reminders = append(c.Reminders, care.Reminder{ID: fmt.Sprint(i), Text: wild, At: i})
		c.Contacts = append(c.Contacts, care.Person{ID: fmt.Sprint("p", i), Name: wild, Role: care.Relative})
		c.Looks = append(c.Looks, care.AuditEntry{At: now, Actor: wild, Role: care.Caregiver, Action: fmt.Sprint(i, wild)})
	}
	c.Names = map[string]string{"p": wild}
	got, _ := screen.Build(c, now)
	if err := got.Check(); err != nil {
		t.Error(err)
	}
	if len(got.Visits) != wire.MaxVisits || len(got.Prompts) != wire.MaxPrompts || len(got.Looks) != wire.MaxLooks || len(got.Grants) < wire.MaxGrants-10 {
		t.Errorf("%d visits, %d prompts, %d looks, %d grants", len(got.Visits), len(got.Prompts), len(got.Looks), len(got.Grants))
	}
	// Of six relatives, each knows of alarms, and it is said of each.
	c.Contacts = c.Contacts[:6]
	got, _ = screen.Build(c, now)
	alarms := 0
	for _, g := range got.Grants {
		if g.Field == "alerts" && strings.HasPrefix(g.Party, "person:") {
			alarms++
		}
	}
	if alarms != 6 {
		t.Errorf("of %d contacts it is said whether they know of alarms", alarms)
	}
}
