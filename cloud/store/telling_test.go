package store_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

var (
	pushAddress = care.Address{Channel: care.ChannelPush, To: "{}"}
	smsAddress  = care.Address{Channel: care.ChannelSMS, To: "+46701234567"}
	anna        = care.Person{ID: "anna", Name: "Anna Åberg", Language: "sv", Addresses: []care.Address{pushAddress, smsAddress}}
	bjorn       = care.Person{ID: "bjorn", Name: "Björn", Language: "sv", Addresses: []care.Address{smsAddress}, Away: true}
	centre      = care.Person{ID: "centre", Name: "Larmcentralen", Language: "sv", Addresses: []care.Address{smsAddress}}
)

func testPeople(t *testing.T, s *store.Store) {
	ctx := t.Context()
	for _, p := range []care.Person{bjorn, anna} {
		if err := s.PutPerson(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	changed := bjorn
	changed.Away = false
	if err := s.PutPerson(ctx, changed); err != nil {
		t.Fatal(err)
	}
	if got := must(s.People(ctx))(t); !reflect.DeepEqual(got, []care.Person{anna, changed}) {
		t.Errorf("People = %+v", got)
	}
	asked := []string{"björn", "", "anna", "nobody", "anna", bjorn.ID}
	for i := range 300 { // more than one query takes
		asked = append(asked, fmt.Sprint("nobody-", i))
	}
	if got, want := must(s.Names(ctx, asked))(t), (map[string]string{anna.ID: anna.Name, bjorn.ID: bjorn.Name}); !maps.Equal(got, want) {
		t.Errorf("Names = %v, want %v", got, want)
	}
	if got := must(s.Names(ctx, nil))(t); len(got) != 0 {
		t.Errorf("Names of nobody = %v", got)
	}
	if err := s.PutPerson(ctx, care.Person{ID: "c", Name: "C", Addresses: []care.Address{{Channel: care.ChannelSMS, To: "070-123"}}}); !errors.Is(err, care.ErrPerson) {
		t.Errorf("a number that cannot be called: %v", err)
	}
	member := care.Member{Group: care.GroupContacts, Scope: "home", Person: "anna", Alerts: []care.AlertKind{care.AlertSOS}}
	if err := s.PutMember(ctx, member); err != nil {
		t.Fatal(err)
	}
	member.Alerts = nil
	if err := s.PutMember(ctx, member); err != nil {
		t.Fatal(err)
	}
	if got := must(s.AllMembers(ctx))(t); !reflect.DeepEqual(got, []care.Member{member}) {
		t.Errorf("AllMembers = %+v", got)
	}
	if err := s.PutMember(ctx, care.Member{Group: care.GroupAllStaff, Person: "nobody"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a member who is not there: %v", err)
	}
	if err := s.DeleteMember(ctx, member); err != nil {
		t.Fatal(err)
	}
	if got := must(s.AllMembers(ctx))(t); len(got) != 0 {
		t.Errorf("AllMembers after deleting = %+v", got)
	}
}

func testRota(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if err := s.PutPerson(ctx, anna); err != nil {
		t.Fatal(err)
	}
	night := care.Shift{ID: "1", Area: "norr", Person: "anna", From: at(0), To: at(3600)}
	if err := s.PutShift(ctx, night); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Shifts(ctx, "norr", at(3599), at(7200)))(t); !reflect.DeepEqual(got, []care.Shift{night}) {
		t.Errorf("Shifts = %+v", got)
	}
	for name, got := range map[string][]care.Shift{
		"after it":        must(s.Shifts(ctx, "norr", at(3600), at(7200)))(t),
		"in another area": must(s.Shifts(ctx, "syd", at(0), at(3600)))(t),
	} {
		if len(got) != 0 {
			t.Errorf("Shifts %s = %+v", name, got)
		}
	}
	night.From = night.To
	if err := s.PutShift(ctx, night); !errors.Is(err, care.ErrShift) {
		t.Errorf("a shift of no time: %v", err)
	}
	if err := s.DeleteShift(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Shifts(ctx, "norr", at(0), at(3600)))(t); len(got) != 0 {
		t.Errorf("Shifts after deleting = %+v", got)
	}
	if got := must(s.Policy(ctx, "norr", care.Emergency))(t); !reflect.DeepEqual(got, care.DefaultPolicy("norr", care.Emergency)) {
		t.Errorf("Policy of an area without one = %+v", got)
	}
	own := care.DefaultPolicy("norr", care.Emergency)
	own.Hold = time.Hour
	if err := s.PutPolicy(ctx, own); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Policy(ctx, "norr", care.Emergency))(t); !reflect.DeepEqual(got, own) {
		t.Errorf("Policy = %+v", got)
	}
	own.Steps = own.Steps[:1]
	if err := s.PutPolicy(ctx, own); !errors.Is(err, care.ErrPolicy) {
		t.Errorf("an emergency without a last resort: %v", err)
	}
}

// P2: an alert and the first turn of telling of it are one commit, and what
// decides is read when the turn comes.
func testEscalation(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if err := s.AddHome(ctx, care.Home{ID: "home", Gateway: "gw", Name: "Hemma", Area: "norr", Zone: "UTC"}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []care.Person{anna, bjorn, centre} {
		if err := s.PutPerson(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []care.Member{
		{Group: care.GroupAllStaff, Scope: "norr", Person: "bjorn"},
		{Group: care.GroupAllStaff, Scope: "syd", Person: "centre"},
		{Group: care.GroupLastResort, Person: "centre"},
		{Group: care.GroupContacts, Scope: "home", Person: "anna", Alerts: []care.AlertKind{care.AlertFall}},
		{Group: care.GroupResponders, Scope: "home", Person: "bjorn", Alerts: []care.AlertKind{care.AlertSOS}},
	} {
		if err := s.PutMember(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutShift(ctx, care.Shift{ID: "1", Area: "norr", Person: "anna", From: at(0), To: at(3600)}); err != nil {
		t.Fatal(err)
	}
	a := alert(care.AlertSOS, "pendant", at(10))
	a.Home = "home"
	raise(t, s, a)
	if got := must(s.Due(ctx, at(9), 10))(t); len(got) != 0 {
		t.Errorf("due before it was raised: %v", got)
	}
	if got := must(s.Due(ctx, at(10), 10))(t); !reflect.DeepEqual(got, []string{a.ID}) {
		t.Fatalf("Due = %v, want the alert", got)
	}
	if got := must(s.NextDue(ctx))(t); !got.Equal(at(10)) {
		t.Errorf("NextDue = %v", got)
	}
	tell := care.Telling{Alert: a.ID, About: care.AboutAlarm, Person: "anna", Address: pushAddress, Group: care.GroupOnDuty}
	next := care.Escalation{Alert: a.ID, Step: 1, Due: at(70), Held: at(5), From: 2}
	for try := range 2 { // the second time it was decided already
		fresh, event, err := s.Escalate(ctx, a.ID, at(20), func(now care.Situation) ([]care.Telling, care.Escalation, care.Alert) {
			want := map[care.Group][]care.Person{
				care.GroupOnDuty: {anna}, care.GroupAllStaff: {bjorn}, care.GroupLastResort: {centre}, care.GroupResponders: {bjorn},
			}
			if !reflect.DeepEqual(now.Members, want) || now.Alert.ID != a.ID || now.Home.Area != "norr" || now.Policy.Area != "norr" {
				t.Errorf("Situation = %+v", now)
			}
			if try == 1 && now.Escalation != next {
				t.Errorf("Escalation = %+v, want %+v", now.Escalation, next)
			}
			now.Alert.Unheard = true
			return []care.Telling{tell}, next, now.Alert
		})
		if err != nil || len(fresh) != 1-try || (event != nil) != (try == 0) {
			t.Errorf("try %d: %+v, event %v, %v", try, fresh, event, err)
		}
	}
	if got := must(s.Alert(ctx, a.ID))(t); !got.Unheard {
		t.Error("no screen shows that nobody was told")
	}
	waiting := must(s.WaitingTellings(ctx, care.ChannelPush, at(20), 10))(t)
	if len(waiting) != 1 || waiting[0].Telling != tell || waiting[0].State != care.TellingWaits {
		t.Fatalf("WaitingTellings = %+v", waiting)
	}
	change := func(to care.TellingState, instead *care.Telling) error {
		return s.ChangeTelling(ctx, tell, at(30), func(was care.Told, of care.Alert, who care.Person) (care.Told, *care.Telling) {
			if of.ID != a.ID || !reflect.DeepEqual(who, anna) {
				t.Errorf("the alert is %+v, the person %+v", of, who)
			}
			was.State, was.Provider, was.Tries = to, "p1", was.Tries+1
			return was, instead
		})
	}
	sms := tell
	sms.Address = smsAddress
	if err := errors.Join(change(care.TellingAccepted, nil), change(care.TellingFailed, &sms)); err != nil {
		t.Fatal(err)
	}
	if err := change(care.TellingAccepted, nil); !errors.Is(err, store.ErrTelling) {
		t.Errorf("a telling went back: %v", err)
	}
	told := must(s.Tellings(ctx, a.ID))(t)
	if len(told) != 2 || told[0].State != care.TellingFailed || told[0].Tries != 2 || !told[0].Changed.Equal(at(30)) || told[1].Telling != sms {
		t.Errorf("Tellings = %+v", told)
	}
	// When the last address has failed, too, the next step is due at once.
	if got := must(s.NextDue(ctx))(t); !got.Equal(at(70)) {
		t.Errorf("NextDue = %v while an address is left", got)
	}
	tell = sms
	if err := change(care.TellingFailed, nil); err != nil {
		t.Fatal(err)
	}
	if got := must(s.NextDue(ctx))(t); !got.Equal(at(30)) {
		t.Errorf("NextDue = %v after all of a step failed", got)
	}
	// A hand on the alert stops what waits, in the same commit.
	if _, _, err := s.Escalate(ctx, a.ID, at(31), func(now care.Situation) ([]care.Telling, care.Escalation, care.Alert) {
		return []care.Telling{{Alert: a.ID, About: care.AboutAlarm, Step: 1, Person: "centre", Address: smsAddress, Group: care.GroupLastResort}}, care.Escalation{Due: at(600)}, now.Alert
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.ChangeAlert(ctx, a.ID, func(a care.Alert) (care.Alert, care.Change, error) {
		next, err := a.Acknowledge("Anna", at(40))
		return next, care.Change{Actor: "Anna", Action: "acknowledge"}, err
	}); err != nil {
		t.Fatal(err)
	}
	if got := must(s.WaitingTellings(ctx, care.ChannelSMS, at(700), 10))(t); len(got) != 0 {
		t.Errorf("still to be sent of a taken alert: %+v", got)
	}
	if got := must(s.NextDue(ctx))(t); !got.Before(time.Now().Add(time.Second)) {
		t.Errorf("a taken alert is looked at anew at %v", got)
	}
	if err := s.ChangeTelling(ctx, care.Telling{Alert: "x"}, at(0), nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a telling that is not there: %v", err)
	}
}
