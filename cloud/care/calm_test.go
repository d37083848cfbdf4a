package care_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/care"
)

var kinds = []care.AlertKind{
	care.AlertSOS, care.AlertFall, care.AlertSmoke, care.AlertCarbonMonoxide, care.AlertWaterLeak, care.AlertCheckInMissed,
	care.AlertGatewaySilent, care.AlertSensorSilent, care.AlertBatteryLow, care.AlertTestMissed,
	care.AlertVisitMissed, care.AlertCallBack,
}

func TestWhatCannotBeSilenced(t *testing.T) {
	good := care.Silence{Home: "home", Author: "Anna", Reason: "på sjukhus", From: first, To: later, Kinds: []care.AlertKind{care.AlertCheckInMissed}}
	if err := good.Check(); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
	for name, change := range map[string]func(*care.Silence){
		"an SOS":             func(s *care.Silence) { s.Kinds = append(s.Kinds, care.AlertSOS) },
		"a fall":             func(s *care.Silence) { s.Kinds = []care.AlertKind{care.AlertFall} },
		"smoke":              func(s *care.Silence) { s.Kinds = []care.AlertKind{care.AlertSmoke} },
		"all homes":          func(s *care.Silence) { s.Home = "" },
		"by nobody":          func(s *care.Silence) { s.Author = "" },
		"for no reason":      func(s *care.Silence) { s.Reason = "" },
		"for no time":        func(s *care.Silence) { s.To = s.From },
		"for half of a year": func(s *care.Silence) { s.To = s.From.AddDate(0, 6, 0) },
	} {
		s := good
		change(&s)
		if err := s.Check(); !errors.Is(err, care.ErrSilence) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// P2: no silence, however it came to be stored, and no other alert covers an
// emergency.
func TestP2NothingCoversAnEmergency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) care.Alert {
			k := rapid.SampledFrom(kinds).Draw(t, name)
			return care.Alert{ID: name, Home: "home", Kind: k, Severity: k.Severity(), State: care.Open, Raised: first.Add(time.Duration(rapid.IntRange(-30, 30).Draw(t, name+" raised")) * time.Minute)}
		}
		a, other := draw("a"), draw("b")
		now := first.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "now")) * time.Minute)
		s := care.Silence{Home: "home", Kinds: rapid.SliceOf(rapid.SampledFrom(kinds)).Draw(t, "kinds"), From: first.Add(-time.Hour), To: first.Add(time.Hour)}
		if a.Severity == care.Emergency && (!s.Until(a, now).IsZero() || a.CoveredBy(other, now)) {
			t.Fatalf("%s is covered", a.Kind)
		}
		if until := s.Until(a, now); !until.IsZero() && !until.After(now) {
			t.Fatalf("silenced until %v at %v", until, now)
		}
	})
}

func TestDayBeginsAtSeven(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][2]string{
		{"2026-11-22T06:59", "2026-11-22T07:00"},
		{"2026-11-22T07:00", "2026-11-22T07:00"},
		{"2026-11-22T18:59", "2026-11-22T18:59"},
		{"2026-11-22T19:00", "2026-11-23T07:00"},
		{"2026-10-24T23:00", "2026-10-25T07:00"}, // summer time ends in this night
		{"2026-12-31T20:00", "2027-01-01T07:00"},
	} {
		now, err1 := time.ParseInLocation("2006-01-02T15:04", test[0], zone)
		want, err2 := time.ParseInLocation("2006-01-02T15:04", test[1], zone)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := care.NextDay(now, zone); !got.Equal(want) {
			t.Errorf("after %s it is day at %v, want %s", test[0], got, test[1])
		}
	}
}

func TestWhenSomebodyIsExpected(t *testing.T) {
	a := in(care.Open, care.AlertSOS)
	for name, expected := range map[string]time.Time{"now": first, "an hour ago": first.Add(-time.Hour), "in six hours": first.Add(6 * time.Hour)} {
		if got, err := a.OnTheWay("Anna", expected, first); !errors.Is(err, care.ErrExpected) || got != a {
			t.Errorf("expected %s: %v", name, err)
		}
	}
	a, err := a.OnTheWay("Anna", first.Add(20*time.Minute), first)
	if err != nil || a.Stage() != care.StageOnTheWay {
		t.Fatalf("%+v, %v", a, err)
	}
	if got, want := a.HeldUntil(time.Hour), first.Add(80*time.Minute); !got.Equal(want) {
		t.Errorf("held until %v, want %v", got, want)
	}
	next, err := a.OnTheWay("Anna", first.Add(time.Hour), later) // she is late, and says so
	if err != nil || !next.Hand.Left.Equal(first) || !next.Hand.At.Equal(later) || !next.Hand.Expected.Equal(first.Add(time.Hour)) {
		t.Errorf("%+v, %v", next.Hand, err)
	}
	next, err = next.TakeOver("Björn", later) // he has it, and has not set out
	if err != nil || next.Stage() != care.StageAcknowledged || next.AcknowledgedBy != "Anna" {
		t.Errorf("%+v, %v", next, err)
	}
}

func TestATestIsJudged(t *testing.T) {
	test := care.TestAlarm{ID: "t", Home: "home", Person: "anna", By: "Anna", From: first, To: later, Alert: "a1"}
	open := in(care.Open, care.AlertSOS)
	open.Test = true
	taken, err := open.Acknowledge("Anna", later)
	if err != nil {
		t.Fatal(err)
	}
	reached := taken
	reached.Reached = later
	onScreen := reached
	onScreen.Device = care.ScreenDevice
	closed := func(a care.Alert) care.Alert {
		a, err := a.Resolve("Anna", care.OutcomeTest, "", later)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	promoted := taken
	promoted.Test = false
	for _, try := range []struct {
		name   string
		alert  care.Alert
		told   bool
		passed bool
		ended  bool
		failed string
	}{
		{"pressed", open, true, false, false, ""},
		{"taken, the home not yet told", taken, true, false, false, care.TestNotReached},
		{"the whole chain", reached, true, true, true, ""},
		{"closed without the home", closed(taken), true, false, true, care.TestNotReached},
		{"taken on the screen, no message was accepted", reached, false, false, false, care.TestNotTold},
		{"the whole chain, from the resident's screen", onScreen, true, false, true, care.TestFromScreen},
		{"others had to be told", promoted, true, false, true, care.TestNotTaken},
	} {
		got := test.Judge(try.alert, try.told, later)
		if got.Passed.IsZero() == try.passed || got.Ended.IsZero() == try.ended || got.Failed != try.failed {
			t.Errorf("%s: %+v", try.name, got)
		}
	}
	// The home's word comes after the alert was closed: it counts.
	late := test.Judge(closed(taken), true, later)
	if got := late.Judge(closed(reached), true, later); got.Passed.IsZero() || got.Failed != "" {
		t.Errorf("after the home's late word: %+v", got)
	}
	// That the alert is closed later changes nothing of a test that is over.
	screen := test.Judge(onScreen, true, later)
	if got := screen.Judge(closed(onScreen), true, later.Add(time.Hour)); got != screen {
		t.Errorf("after the press on the screen was closed: %+v", got)
	}
	for want, passed := range map[care.Protection]time.Time{
		care.NeverTested: {}, care.Protected: first.AddDate(0, -1, 0), care.TestDue: first.AddDate(0, -2, 0),
	} {
		if got := care.ProtectionOf(passed, first); got != want {
			t.Errorf("passed at %v: %s, want %s", passed, got, want)
		}
	}
}

func TestTheLoadOfAWeek(t *testing.T) {
	press := func(id string, outcome care.Outcome, taken time.Duration) care.Alert {
		a := care.Alert{ID: id, Kind: care.AlertSOS, State: care.Resolved, Outcome: outcome, Raised: first}
		if taken > 0 {
			a.AcknowledgedAt = first.Add(taken)
		}
		return a
	}
	test := press("t", care.OutcomeTest, time.Second)
	night := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	told := func(person, alert string, at time.Time, state care.TellingState) care.Told {
		return care.Told{Telling: care.Telling{Alert: alert, About: care.AboutAlarm, Person: person, Group: care.GroupOnDuty}, State: state, Changed: at}
	}
	got := care.LoadOf(
		[]care.Alert{press("1", care.OutcomeHelped, time.Minute), press("2", care.OutcomeFalsePress, 3*time.Minute), press("3", care.OutcomeFalsePress, 9*time.Minute), test},
		[]care.Told{
			told("anna", "1", first, care.TellingDelivered), told("anna", "1", night, care.TellingAccepted), told("anna", "2", first, care.TellingFailed),
			told("björn", "2", night, care.TellingAccepted), told("björn", "3", night, care.TellingAccepted),
		}, time.UTC)
	want := care.Load{
		Kinds:  []care.KindLoad{{Kind: care.AlertSOS, Raised: 3, Outcomes: map[care.Outcome]int{care.OutcomeHelped: 1, care.OutcomeFalsePress: 2}, Taken: 3 * time.Minute}},
		People: []care.PersonLoad{{Person: "björn", Alerts: 2, Told: 2, ByNight: 2}, {Person: "anna", Alerts: 1, Told: 2, ByNight: 1}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
