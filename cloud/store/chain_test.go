package store_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// village is a home with Anna's mother in it, whose daughter is Anna; the
// centre is the last resort.
func village(t *testing.T, s *store.Store) {
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
		{Group: care.GroupLastResort, Person: "centre"},
		{Group: care.GroupContacts, Scope: "home", Person: "anna", Alerts: []care.AlertKind{care.AlertSOS, care.AlertWaterLeak}},
	} {
		if err := s.PutMember(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
}

func press(t *testing.T, s *store.Store, kind care.AlertKind, device string, when time.Time) care.Alert {
	a := alert(kind, device, when)
	a.Home, a.Cause = "home", care.Cause{Epoch: "e", Seq: 1}
	raise(t, s, a)
	return a
}

func change(t *testing.T, s *store.Store, id string, f func(care.Alert) (care.Alert, error), commands ...care.PendingCommand) {
	t.Helper()
	if _, _, err := s.ChangeAlert(t.Context(), id, func(a care.Alert) (care.Alert, care.Change, error) {
		next, err := f(a)
		return next, care.Change{Actor: "Björn", Role: care.Caregiver, Action: "change", Commands: commands}, err
	}); err != nil {
		t.Fatal(err)
	}
}

func testLastResort(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	away := centre
	away.Away = true
	unreachable := centre
	unreachable.Addresses = nil
	for name, err := range map[string]error{
		"removed":     s.DeleteMember(ctx, care.Member{Group: care.GroupLastResort, Person: "centre"}),
		"away":        s.PutPerson(ctx, away),
		"unreachable": s.PutPerson(ctx, unreachable),
	} {
		if !errors.Is(err, care.ErrLastResort) {
			t.Errorf("the last one is %s: %v", name, err)
		}
	}
	if err := s.PutMember(ctx, care.Member{Group: care.GroupLastResort, Person: "anna"}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteMember(ctx, care.Member{Group: care.GroupLastResort, Person: "centre"}); err != nil {
		t.Errorf("where another is left: %v", err)
	}
	// Who is told in a browser alone is reached while there is one.
	pushed := anna
	pushed.Addresses = []care.Address{{Channel: care.ChannelPush, To: "anna"}}
	reached := func(want bool) {
		t.Helper()
		if got := must(s.HasLastResort(ctx))(t); got != want {
			t.Errorf("there is a last resort: %v, want %v", got, want)
		}
	}
	reached(true)
	if err := s.PutBrowser(ctx, care.Browser{ID: "b", Person: "anna", Session: "s"}, at(0)); err != nil {
		t.Fatal(err)
	}
	if err := s.PutPerson(ctx, pushed); err != nil {
		t.Fatal(err)
	}
	reached(true)
	if err := s.DeleteBrowser(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	reached(false)
	if err := s.PutMember(ctx, care.Member{Group: care.GroupContacts, Person: "anna"}); !errors.Is(err, care.ErrMember) {
		t.Errorf("a relative of no home: %v", err)
	}
}

func testHandOver(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	night := care.Shift{ID: "1", Area: "norr", Person: "anna", From: at(0), To: at(3600), Override: true}
	if err := s.PutShift(ctx, night); err != nil {
		t.Fatal(err)
	}
	if err := s.HandOver(ctx, "1", "bjorn", at(1800), "2"); err != nil {
		t.Fatal(err)
	}
	night.To = at(1800)
	rest := care.Shift{ID: "2", Area: "norr", Person: "bjorn", From: at(1800), To: at(3600), Override: true}
	if got := must(s.Shifts(ctx, "norr", at(0), at(3600)))(t); !reflect.DeepEqual(got, []care.Shift{night, rest}) {
		t.Errorf("Shifts = %+v", got)
	}
	if err := s.HandOver(ctx, "2", "anna", at(60), "3"); err != nil {
		t.Fatal(err)
	}
	rest.Person = "anna" // it has not begun: it is hers as it is
	if got := must(s.Shifts(ctx, "norr", at(0), at(3600)))(t); !reflect.DeepEqual(got, []care.Shift{night, rest}) {
		t.Errorf("after handing over what has not begun: %+v", got)
	}
	for name, err := range map[string]error{
		"of nobody": s.HandOver(ctx, "2", "nobody", at(2000), "3"), "of no shift": s.HandOver(ctx, "9", "anna", at(2000), "3"),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a shift %s: %v", name, err)
		}
	}
	if err := s.HandOver(ctx, "2", "anna", at(3600), "3"); !errors.Is(err, care.ErrShift) {
		t.Errorf("after its end: %v", err)
	}
}

// Relatives are told of an emergency's end, and of other alerts if they were
// told of them.
func testNews(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	take := func(a care.Alert) (care.Alert, error) { return a.Acknowledge("Björn", at(20)) }
	end := func(a care.Alert) (care.Alert, error) { return a.Resolve("Björn", care.OutcomeHelped, "", at(30)) }
	news := func(id string) (about []care.About) {
		for _, told := range must(s.Tellings(ctx, id))(t) {
			if told.Group != care.GroupContacts || told.Person != "anna" || told.Address != pushAddress {
				t.Errorf("told: %+v", told)
			}
			about = append(about, told.About)
		}
		return about
	}
	sos := press(t, s, care.AlertSOS, "pendant", at(10))
	change(t, s, sos.ID, take)
	if got := news(sos.ID); !reflect.DeepEqual(got, []care.About{care.AboutTaken}) {
		t.Errorf("when it is taken: %v", got)
	}
	change(t, s, sos.ID, func(a care.Alert) (care.Alert, error) { return a.OnTheWay("Björn", at(90), at(25)) })
	change(t, s, sos.ID, end)
	if got := news(sos.ID); !reflect.DeepEqual(got, []care.About{care.AboutTaken, care.AboutClosed}) {
		t.Errorf("when it is over: %v", got)
	}
	if got := must(s.WaitingTellings(ctx, care.ChannelPush, time.Now(), 0))(t); len(got) != 2 {
		t.Errorf("what waits to be sent: %+v", got)
	}
	leak := press(t, s, care.AlertWaterLeak, "sink", at(10))
	change(t, s, leak.ID, take)
	if got := news(leak.ID); len(got) != 0 {
		t.Errorf("of a leak of which they were not told: %v", got)
	}
	told := care.Telling{Alert: leak.ID, About: care.AboutAlarm, Person: "anna", Address: pushAddress, Group: care.GroupContacts}
	if err := s.PutTelling(ctx, told, at(21)); err != nil {
		t.Fatal(err)
	}
	if err := s.ChangeTelling(ctx, told, at(22), func(x care.Told, _ care.Alert, _ care.Person) (care.Told, *care.Telling) {
		x.State = care.TellingAccepted
		return x, nil
	}); err != nil {
		t.Fatal(err)
	}
	change(t, s, leak.ID, end)
	if got := news(leak.ID); !reflect.DeepEqual(got, []care.About{care.AboutAlarm, care.AboutClosed}) {
		t.Errorf("of a leak of which they were told: %v", got)
	}
	fall := press(t, s, care.AlertFall, "pendant", at(10))
	change(t, s, fall.ID, take)
	if got := news(fall.ID); len(got) != 0 {
		t.Errorf("of a fall, of which she is not to be told: %v", got)
	}
}

// The message that somebody answers is the alarm that nobody has yet, before
// those that are taken or over.
func testAsked(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	old, fresh := press(t, s, care.AlertSOS, "1", at(10)), press(t, s, care.AlertFall, "2", at(20))
	tell := func(a care.Alert, when time.Time) {
		told := care.Telling{Alert: a.ID, About: care.AboutAlarm, Person: "bjorn", Address: smsAddress, Group: care.GroupAllStaff}
		if err := s.PutTelling(ctx, told, when); err != nil {
			t.Fatal(err)
		}
		if err := s.ChangeTelling(ctx, told, when, func(x care.Told, _ care.Alert, _ care.Person) (care.Told, *care.Telling) {
			x.State, x.Provider, x.Tries = care.TellingAccepted, "sms-"+a.ID, 1
			return x, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	tell(old, at(11))
	tell(fresh, at(21))
	asked := func(want care.Alert) {
		t.Helper()
		if got := must(s.Asked(ctx, care.ChannelSMS, smsAddress.To, at(0), at(9999), ""))(t); got.Alert != want.ID || got.Person != "bjorn" {
			t.Errorf("asked about %s, want %s", got.Alert, want.ID)
		}
	}
	asked(fresh)
	change(t, s, fresh.ID, func(a care.Alert) (care.Alert, error) { return a.Acknowledge("Anna", at(30)) })
	asked(old)
	change(t, s, old.ID, func(a care.Alert) (care.Alert, error) {
		return a.Resolve("Anna", care.OutcomeHelped, "", at(40))
	})
	asked(fresh)
	for name, err := range map[string]error{
		"by a stranger": func() error { _, err := s.Asked(ctx, care.ChannelSMS, "+46709999999", at(0), at(9999), ""); return err }(),
		"too long ago":  func() error { _, err := s.Asked(ctx, care.ChannelSMS, smsAddress.To, at(60), at(9999), ""); return err }(),
		"of no message": func() error { _, err := s.TellingOf(ctx, care.ChannelSMS, "sms-x"); return err }(),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := must(s.TellingOf(ctx, care.ChannelSMS, "sms-"+old.ID))(t); got.Alert != old.ID {
		t.Errorf("TellingOf = %+v", got)
	}
	if n := must(s.Sent(ctx, "bjorn", care.ChannelSMS, at(0)))(t); n != 0 {
		t.Errorf("alarms of emergencies count against a limit: %d", n)
	}
}

func testSilences(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	entry := care.AuditEntry{At: at(0), Actor: "Anna", Role: care.Caregiver, Action: "silence", Home: "home"}
	q := care.Silence{ID: "q", Home: "home", Author: "Anna", Reason: "på sjukhus", From: at(0), To: at(3600), Kinds: []care.AlertKind{care.AlertCheckInMissed}}
	if err := s.AddSilence(ctx, q, entry); err != nil {
		t.Fatal(err)
	}
	wrong := q
	wrong.ID, wrong.Kinds = "w", []care.AlertKind{care.AlertSOS}
	if err := s.AddSilence(ctx, wrong, entry); !errors.Is(err, care.ErrSilence) {
		t.Errorf("of an SOS: %v", err)
	}
	wrong = q
	wrong.ID, wrong.Home = "w", "elsewhere"
	if err := s.AddSilence(ctx, wrong, entry); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of no home: %v", err)
	}
	if err := s.AddSilence(ctx, q, entry); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same again: %v", err)
	}
	if got := must(s.Silences(ctx, "", at(10)))(t); !reflect.DeepEqual(got, []care.Silence{q}) {
		t.Errorf("Silences = %+v", got)
	}
	// An alert that waits for its end is looked at anew when it ends early.
	missed := press(t, s, care.AlertCheckInMissed, "check-in", at(10))
	if _, _, err := s.Escalate(ctx, missed.ID, at(11), func(now care.Situation) ([]care.Telling, care.Escalation, care.Alert) {
		if !reflect.DeepEqual(now.Silences, []care.Silence{q}) {
			t.Errorf("a silence that does not come into the decision: %+v", now.Silences)
		}
		now.Escalation.Due = q.To
		return nil, now.Escalation, now.Alert
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.EndSilence(ctx, "q", at(20), entry); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(s.Silences(ctx, "home", at(21)))(t); len(got) != 0 {
		t.Errorf("after its end: %+v", got)
	}
	if got := must(s.NextDue(ctx))(t); !got.Equal(at(20)) {
		t.Errorf("what it covered is looked at at %v", got)
	}
	if err := s.EndSilence(ctx, "x", at(20), entry); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if log := must(s.AuditLog(ctx, "home", 0))(t); len(log) != 2 {
		t.Errorf("the log: %+v", log)
	}
}

// A test passes when the press was told, taken and heard of in the home; the
// press after it is an alarm like any other.
func testTestAlarms(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	test := care.TestAlarm{ID: "t1", Home: "home", Person: "anna", By: "Anna", From: at(100), To: at(700)}
	entry := care.AuditEntry{At: at(100), Actor: "Anna", Role: care.Caregiver, Action: "announce test", Home: "home"}
	if err := s.AddTest(ctx, test, entry); err != nil {
		t.Fatal(err)
	}
	unreachable := test
	unreachable.ID, unreachable.Person = "t0", "bjorn" // who is away
	if err := s.AddTest(ctx, unreachable, entry); !errors.Is(err, care.ErrTestAlarm) {
		t.Errorf("by somebody who cannot be told: %v", err)
	}
	early := press(t, s, care.AlertSOS, "1", at(50))
	late := alert(care.AlertSOS, "2", at(50)) // made before the test, and heard within its time
	late.Home, late.Raised = "home", at(200)
	raise(t, s, late)
	leak := press(t, s, care.AlertWaterLeak, "3", at(200))
	tested := press(t, s, care.AlertSOS, "4", at(200))
	again := press(t, s, care.AlertSOS, "5", at(201))
	for _, a := range []care.Alert{early, late, leak, again} {
		if got := must(s.Alert(ctx, a.ID))(t); got.Test {
			t.Errorf("%s of device %s counts as a test", a.Kind, a.Device)
		}
	}
	if got := must(s.Alert(ctx, tested.ID))(t); !got.Test {
		t.Fatal("the press that was announced is no test")
	}
	told := care.Telling{Alert: tested.ID, About: care.AboutAlarm, Person: "anna", Address: pushAddress, Group: care.GroupTester}
	if _, _, err := s.Escalate(ctx, tested.ID, at(200), func(now care.Situation) ([]care.Telling, care.Escalation, care.Alert) {
		if now.Tester == nil || now.Tester.ID != "anna" {
			t.Errorf("the tester is %+v", now.Tester)
		}
		return []care.Telling{told}, now.Escalation, now.Alert
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.ChangeTelling(ctx, told, at(201), func(x care.Told, _ care.Alert, _ care.Person) (care.Told, *care.Telling) {
		x.State = care.TellingAccepted
		return x, nil
	}); err != nil {
		t.Fatal(err)
	}
	args, err := json.Marshal(wire.Confirm{Alert: tested.ID, At: devices.MicrosOf(at(210))})
	if err != nil {
		t.Fatal(err)
	}
	word := care.PendingCommand{Gateway: "gw", Command: wire.Command{ID: "confirm-1", Type: wire.CommandConfirm, Args: args}}
	change(t, s, tested.ID, func(a care.Alert) (care.Alert, error) { return a.Acknowledge("Anna", at(210)) }, word)
	if got := must(s.Tests(ctx, "home", at(300), 0))(t); len(got) != 1 || !got[0].Passed.IsZero() || got[0].Failed != care.TestNotReached {
		t.Errorf("before the home knows: %+v", got)
	}
	for _, reply := range []string{`{"id":"confirm-1","ok":true}`, `{"id":"confirm-1","ok":true,"result":{"heard":true}}`} {
		if err := s.FinishCommand(ctx, "gw", "confirm-1", []byte(reply)); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(s.Alert(ctx, tested.ID))(t); got.Reached.IsZero() || got.Heard.IsZero() {
		t.Errorf("after the home's answers: %+v", got)
	}
	if got := must(s.Tests(ctx, "home", at(300), 0))(t); len(got) != 1 || got[0].Passed.IsZero() || got[0].Alert != tested.ID {
		t.Errorf("after the whole chain: %+v", got)
	}
	passed, _, err := s.TestTimes(ctx, time.Time{})
	if err != nil || passed["home"].IsZero() {
		t.Errorf("TestTimes = %v, %v", passed, err)
	}
	if got := must(s.Tellings(ctx, tested.ID))(t); len(got) != 1 {
		t.Errorf("relatives are told of a test: %+v", got)
	}
	test.ID, test.From = "t2", at(250)
	if err := s.AddTest(ctx, test, entry); !errors.Is(err, care.ErrTestAlarm) {
		t.Errorf("while alarms of the home stand: %v", err)
	}
	for _, a := range []care.Alert{early, late, again} {
		change(t, s, a.ID, func(a care.Alert) (care.Alert, error) {
			return a.Resolve("Anna", care.OutcomeHelped, "", at(240))
		})
	}
	if err := s.AddTest(ctx, test, entry); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Tests(ctx, "home", at(701), 1))(t); len(got) != 1 || got[0].Failed != care.TestNoPress || got[0].Ended.IsZero() {
		t.Errorf("without a press: %+v", got)
	}
	if err := s.EndTest(ctx, "home", at(300), entry); err != nil {
		t.Fatal(err)
	}
	if a := press(t, s, care.AlertSOS, "6", at(301)); must(s.Alert(ctx, a.ID))(t).Test {
		t.Error("a press after the end is a test")
	}
}

// What is said of an earlier hand is not said of the present one.
func testHeard(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	sos := press(t, s, care.AlertSOS, "pendant", at(10))
	word := func(id string, when time.Time) care.PendingCommand {
		args, err := json.Marshal(wire.Confirm{Alert: sos.ID, At: devices.MicrosOf(when)})
		if err != nil {
			t.Fatal(err)
		}
		return care.PendingCommand{Gateway: "gw", Command: wire.Command{ID: id, Type: wire.CommandConfirm, Args: args}}
	}
	change(t, s, sos.ID, func(a care.Alert) (care.Alert, error) { return a.Acknowledge("Anna", at(20)) }, word("1", at(20)))
	change(t, s, sos.ID, func(a care.Alert) (care.Alert, error) { return a.TakeOver("Björn", at(30)) }, word("2", at(30)))
	reply := func(id, answer string) care.Alert {
		if err := s.FinishCommand(ctx, "gw", id, []byte(answer)); err != nil {
			t.Fatal(err)
		}
		return must(s.Alert(ctx, sos.ID))(t)
	}
	if got := reply("1", `{"id":"1","ok":true}`); !got.Reached.IsZero() {
		t.Error("the home has heard of Anna, and Björn is shown it of himself")
	}
	if got := reply("2", `{"id":"2","ok":false,"error":{"id":"LYK-0417"}}`); !got.Reached.IsZero() {
		t.Error("the home could not do it, and it counts")
	}
	if got := reply("2", `{"id":"2","ok":true}`); got.Reached.IsZero() || !got.Heard.IsZero() {
		t.Errorf("the home knows: %+v", got)
	}
	events := must(s.LastEvent(ctx))(t)
	if got := reply("2", `{"id":"2","ok":true,"result":{"heard":true}}`); got.Heard.IsZero() {
		t.Errorf("the screen has shown it: %+v", got)
	}
	if now := must(s.LastEvent(ctx))(t); now != events+1 {
		t.Errorf("screens are not told: event %d after %d", now, events)
	}
}

func testBrowsers(t *testing.T, s *store.Store) {
	ctx := t.Context()
	village(t, s)
	if err := s.PutBrowser(ctx, care.Browser{ID: "x", Person: "nobody"}, at(0)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	for i := range 12 {
		b := care.Browser{ID: string(rune('a' + i)), Person: "anna", Subscription: "{}"}
		if err := s.PutBrowser(ctx, b, at(i)); err != nil {
			t.Fatal(err)
		}
	}
	got := must(s.Browsers(ctx, "anna"))(t)
	if len(got) != 10 || got[0].ID != "l" || got[9].ID != "c" {
		t.Errorf("Browsers = %+v", got)
	}
	if err := s.DeleteBrowser(ctx, "l"); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Browsers(ctx, "anna"))(t); len(got) != 9 {
		t.Errorf("after forgetting one: %+v", got)
	}
	calls := 0
	for range 2 {
		if got := must(s.Setting(ctx, "key", func() (string, error) { calls++; return "made", nil }))(t); got != "made" || calls != 1 {
			t.Errorf("Setting = %q after %d calls", got, calls)
		}
	}
}

func testOwnTests(t *testing.T, s *store.Store) {
	ctx := t.Context()
	record := func(seq uint64, received time.Time) care.AlarmRecord {
		return care.AlarmRecord{Gateway: "gw", Epoch: "e", Seq: seq, Home: "home", Received: received, Record: wire.Record{Reading: devices.Reading{Time: devices.MicrosOf(received), Device: "gw", Kind: devices.Test}}}
	}
	for _, c := range [][]care.AlarmRecord{{record(1, at(10)), record(2, at(20))}, {record(1, at(10))}} {
		if _, err := s.Commit(ctx, care.Commit{Records: c}); err != nil {
			t.Fatal(err)
		}
	}
	for since, want := range map[int]map[string]time.Time{0: {"home": at(20)}, 20: {}} {
		if _, own, err := s.TestTimes(ctx, at(since)); err != nil || !reflect.DeepEqual(own, want) {
			t.Errorf("since %d: %v, %v", since, own, err)
		}
	}
}

// What is handed over never takes the place of another shift.
func testHandOverOnlyAdds(t *testing.T, s *store.Store) {
	village(t, s)
	for _, h := range []care.Shift{{ID: "1", Area: "norr", Person: "anna", From: at(0), To: at(3600)}, {ID: "soder-natt", Area: "soder", Person: "bjorn", From: at(0), To: at(3600)}} {
		if err := s.PutShift(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	err := s.HandOver(t.Context(), "1", "bjorn", at(1800), "soder-natt")
	got, _ := s.Shifts(t.Context(), "soder", at(0), at(3600))
	if len(got) != 1 {
		t.Errorf("HandOver: %v; who is on duty in another area: %+v", err, got)
	}
}

// Who falls while an installer tests the button is not a test.
func testFallIsNoTest(t *testing.T, s *store.Store) {
	village(t, s)
	if err := s.AddTest(t.Context(), care.TestAlarm{ID: "t1", Home: "home", Person: "anna", By: "Anna", From: at(100), To: at(700)}, care.AuditEntry{At: at(100), Actor: "Anna", Home: "home"}); err != nil {
		t.Fatal(err)
	}
	fall := press(t, s, care.AlertFall, "fall-detector", at(150))
	if got := must(s.Alert(t.Context(), fall.ID))(t); got.Test {
		t.Error("a fall counts as the press that was announced")
	}
}

// Pressed before the test, on a box that then was without power: how long is
// known to nobody, so the time that the cloud works out lies within the test.
func testLatePressIsNoTest(t *testing.T, s *store.Store) {
	village(t, s)
	if err := s.AddTest(t.Context(), care.TestAlarm{ID: "t1", Home: "home", Person: "anna", By: "Anna", From: at(100), To: at(700)}, care.AuditEntry{At: at(100), Actor: "Anna", Home: "home"}); err != nil {
		t.Fatal(err)
	}
	late := alert(care.AlertSOS, "2", at(400))
	late.Home, late.Observed = "home", at(310)
	raise(t, s, late)
	if got := must(s.Alert(t.Context(), late.ID))(t); got.Test {
		t.Error("a press that is 90 s old when it comes counts as the test")
	}
}
