package alarm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
)

var (
	pressedAt = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	anna      = care.Person{ID: "anna", Addresses: []care.Address{{Channel: care.ChannelPush, To: "{}"}, {Channel: care.ChannelSMS, To: "+46701234567"}}}
	bjorn     = care.Person{ID: "bjorn", Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701234568"}}}
	centre    = care.Person{ID: "centre", Addresses: []care.Address{{Channel: care.ChannelVoice, To: "+46701234569"}}}
)

func sos() care.Alert {
	return care.Alert{ID: "a1", Kind: care.AlertSOS, Severity: care.Emergency, State: care.Open, Raised: pressedAt}
}

// situation is an alert in a home of the area norr, with the area's own policy.
func situation(a care.Alert, members map[care.Group][]care.Person) care.Situation {
	a.Home = "home"
	return care.Situation{
		Alert: a, Home: care.Home{ID: "home", Area: "norr", Zone: "Europe/Stockholm"}, Members: members,
		Escalation: care.Escalation{Alert: a.ID, Due: pressedAt}, Policy: care.DefaultPolicy("norr", a.Severity),
	}
}

// alert is one of a kind in the same home, raised some time after the press.
func alert(kind care.AlertKind, after time.Duration) care.Alert {
	return care.Alert{ID: "of-" + string(kind), Home: "home", Kind: kind, Severity: kind.Severity(), State: care.Open, Raised: pressedAt.Add(after)}
}

func names(tell []care.Telling) (out []string) {
	for _, t := range tell {
		out = append(out, t.Person)
	}
	return out
}

// A night: nobody answers, from the one on duty to the last resort and round
// again, until Björn takes it, and does not close it.
func TestANightOfAnSOS(t *testing.T) {
	s := situation(sos(), map[care.Group][]care.Person{
		care.GroupOnDuty: {anna}, care.GroupAllStaff: {anna, bjorn}, care.GroupLastResort: {centre},
	})
	turn := func(after time.Duration, want ...string) {
		t.Helper()
		d := alarm.Turn(s, pressedAt.Add(after))
		if s.Escalation, s.Alert = d.Escalation, d.Alert; !slices.Equal(names(d.Tell), want) {
			t.Fatalf("after %v %v are told, want %v", after, names(d.Tell), want)
		}
	}
	turn(0, "anna")
	turn(30 * time.Second) // not yet
	turn(time.Minute, "anna", "bjorn")
	turn(2*time.Minute, "centre")
	turn(3*time.Minute, "anna")
	if s.Escalation.Round != 1 {
		t.Errorf("round %d, want the second", s.Escalation.Round)
	}
	var err error
	if s.Alert, err = s.Alert.Acknowledge("Björn", pressedAt.Add(200*time.Second)); err != nil {
		t.Fatal(err)
	}
	turn(4 * time.Minute)
	turn(30 * time.Minute)
	turn(200*time.Second+s.Policy.Hold, "anna")
	if !s.Alert.Overdue || s.Alert.State != care.Acknowledged || s.Alert.Hand.By != "Björn" {
		t.Errorf("after its time: %+v", s.Alert)
	}
	turn(201*time.Second+s.Policy.Hold+time.Minute, "anna", "bjorn")
	// Anna sets out: it is hers, until half an hour after she is expected.
	left := pressedAt.Add(40 * time.Minute)
	if s.Alert, err = s.Alert.OnTheWay("Anna", left.Add(20*time.Minute), left); err != nil {
		t.Fatal(err)
	}
	turn(41 * time.Minute)
	turn(89 * time.Minute)
	turn(90*time.Minute, "anna")
	if s.Alert, err = s.Alert.Resolve("Anna", care.OutcomeHelped, "", pressedAt.Add(100*time.Minute)); err != nil {
		t.Fatal(err)
	}
	turn(3 * time.Hour)
	if !s.Escalation.Due.IsZero() {
		t.Errorf("a closed alert is looked at again at %v", s.Escalation.Due)
	}
}

func TestAnEmptyRotaFallsThroughAtOnce(t *testing.T) {
	away := anna
	away.Away = true
	d := alarm.Turn(situation(sos(), map[care.Group][]care.Person{care.GroupOnDuty: {away}, care.GroupLastResort: {centre}}), pressedAt)
	if !slices.Equal(names(d.Tell), []string{"centre"}) || d.Alert.Unheard {
		t.Errorf("%v are told, unheard %v; want the last resort, at once", names(d.Tell), d.Alert.Unheard)
	}
	d = alarm.Turn(situation(sos(), nil), pressedAt)
	if len(d.Tell) > 0 || !d.Alert.Unheard || d.Escalation.Due.After(pressedAt.Add(time.Minute)) {
		t.Errorf("with nobody at all: %v told, unheard %v, looked again at %v", names(d.Tell), d.Alert.Unheard, d.Escalation.Due)
	}
}

func TestWhatIsNotUrgentHasAnEnd(t *testing.T) {
	s := situation(alert(care.AlertGatewaySilent, 0), map[care.Group][]care.Person{care.GroupOnDuty: {anna}})
	told := 0
	for range 100 {
		d := alarm.Turn(s, s.Escalation.Due)
		if s.Escalation, s.Alert = d.Escalation, d.Alert; s.Escalation.Due.IsZero() {
			break
		}
		told += len(d.Tell)
	}
	if !s.Escalation.Due.IsZero() || !s.Alert.Unheard || told != 2*s.Policy.Rounds {
		t.Errorf("due %v, unheard %v, told %d times", s.Escalation.Due, s.Alert.Unheard, told)
	}
}

func TestWhatWasTakenAndNotClosedIsToldAgain(t *testing.T) {
	s := situation(alert(care.AlertWaterLeak, 0), map[care.Group][]care.Person{care.GroupOnDuty: {anna}})
	for !s.Escalation.Due.IsZero() {
		d := alarm.Turn(s, s.Escalation.Due)
		s.Escalation, s.Alert = d.Escalation, d.Alert
	}
	taken := pressedAt.Add(5 * time.Hour)
	var err error
	if s.Alert, err = s.Alert.Acknowledge("Anna", taken); err != nil {
		t.Fatal(err)
	}
	d := alarm.Turn(s, taken)
	s.Escalation, s.Alert = d.Escalation, d.Alert
	if d = alarm.Turn(s, s.Escalation.Due); len(d.Tell) != 1 || d.Escalation.Due.IsZero() {
		t.Errorf("%v told, looked at again at %v", names(d.Tell), d.Escalation.Due)
	}
}

func TestInsteadOfWhatFailed(t *testing.T) {
	d := alarm.Turn(situation(sos(), map[care.Group][]care.Person{care.GroupOnDuty: {anna}}), pressedAt)
	next, ok := d.Tell[0].Instead(anna)
	if !ok || next.Address.Channel != care.ChannelSMS {
		t.Errorf("after a push that failed: %+v, %v", next, ok)
	}
	if _, ok := next.Instead(anna); ok {
		t.Error("there is something after the last address")
	}
}

// Calm: what is expected, explained or can wait is told of later, and then is.
func TestWhatCanWait(t *testing.T) {
	night, noon := pressedAt, pressedAt.Add(9*time.Hour) // 3 and 12 o'clock in Sweden
	rota := map[care.Group][]care.Person{care.GroupOnDuty: {anna}}
	hospital := care.Silence{Home: "home", From: night.Add(-time.Hour), To: night.Add(5 * time.Hour), Kinds: []care.AlertKind{care.AlertCheckInMissed}}
	ended := hospital
	ended.Ended = night.Add(-time.Minute)
	for _, test := range []struct {
		name  string
		alert care.Alert
		at    time.Time
		also  func(*care.Situation)
		until time.Duration // after at; 0: is told at once
	}{
		{"a missed check-in", alert(care.AlertCheckInMissed, 0), night, nil, 0},
		{"of who is in hospital", alert(care.AlertCheckInMissed, 0), night, func(s *care.Situation) { s.Silences = []care.Silence{hospital} }, 5 * time.Hour},
		{"of who has come home early", alert(care.AlertCheckInMissed, 0), night, func(s *care.Situation) { s.Silences = []care.Silence{ended} }, 0},
		{"a leak in the same home", alert(care.AlertWaterLeak, 0), night, func(s *care.Situation) { s.Silences = []care.Silence{hospital} }, 0},
		{"behind a silent gateway", alert(care.AlertCheckInMissed, 0), night, func(s *care.Situation) { s.Others = []care.Alert{alert(care.AlertGatewaySilent, 0)} }, time.Minute},
		{"behind one of three hours ago", alert(care.AlertCheckInMissed, 0), night.Add(3 * time.Hour), func(s *care.Situation) { s.Others = []care.Alert{alert(care.AlertGatewaySilent, 0)} }, 0},
		{"behind one that somebody has silenced", alert(care.AlertCheckInMissed, 0), night, func(s *care.Situation) {
			s.Others = []care.Alert{alert(care.AlertGatewaySilent, 0)}
			s.Silences = []care.Silence{{Home: "home", Kinds: []care.AlertKind{care.AlertGatewaySilent}, From: night, To: noon}}
		}, 0},
		{"beside an SOS of two minutes ago", alert(care.AlertCheckInMissed, 2*time.Minute), night.Add(2 * time.Minute), func(s *care.Situation) { s.Others = []care.Alert{sosOf("home")} }, time.Minute},
		{"beside one of a quarter of an hour ago", alert(care.AlertCheckInMissed, 15*time.Minute), night.Add(15 * time.Minute), func(s *care.Situation) { s.Others = []care.Alert{sosOf("home")} }, 0},
		{"ten minutes beside it", alert(care.AlertCheckInMissed, 2*time.Minute), night.Add(12 * time.Minute), func(s *care.Situation) { s.Others = []care.Alert{sosOf("home")} }, 0},
		{"a battery by night", alert(care.AlertBatteryLow, 0), night, nil, 4 * time.Hour},
		{"a battery by day", alert(care.AlertBatteryLow, 0), noon, nil, 0},
	} {
		s := situation(test.alert, rota)
		if test.also != nil {
			test.also(&s)
		}
		d := alarm.Turn(s, test.at)
		switch {
		case test.until == 0 && len(d.Tell) != 1:
			t.Errorf("%s: is told of at %v only", test.name, d.Escalation.Due)
		case test.until > 0 && (len(d.Tell) > 0 || !d.Escalation.Due.Equal(test.at.Add(test.until))):
			t.Errorf("%s: %d told, looked at again at %v, want after %v", test.name, len(d.Tell), d.Escalation.Due, test.until)
		}
	}
}

func sosOf(home string) care.Alert {
	a := sos()
	a.ID, a.Home = "an-sos", home
	return a
}

// A press that was announced as a test is told to who announced it alone, and
// to everybody when they do not take it.
func TestATestThatNobodyTakesIsAnAlarm(t *testing.T) {
	a := sos()
	a.Test = true
	rota := map[care.Group][]care.Person{care.GroupOnDuty: {anna, bjorn}}
	s := situation(a, rota)
	s.Tester = &bjorn
	d := alarm.Turn(s, pressedAt)
	if !slices.Equal(names(d.Tell), []string{"bjorn"}) || d.Tell[0].Group != care.GroupTester || !d.Alert.Test {
		t.Fatalf("of a test %v are told, test %v", names(d.Tell), d.Alert.Test)
	}
	s.Escalation, s.Alert = d.Escalation, d.Alert
	later := d.Escalation.Due
	if d = alarm.Turn(s, later); !slices.Equal(names(d.Tell), []string{"anna", "bjorn"}) || d.Alert.Test {
		t.Errorf("of one that nobody took %v are told, test %v", names(d.Tell), d.Alert.Test)
	}
	taken, err := s.Alert.Acknowledge("Björn", pressedAt.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s.Alert = taken
	if d = alarm.Turn(s, later); len(d.Tell) > 0 || !d.Alert.Test {
		t.Errorf("of one that was taken %v are told, test %v", names(d.Tell), d.Alert.Test)
	}
	s = situation(a, rota) // whoever announced it is gone
	if d = alarm.Turn(s, pressedAt); len(d.Tell) != 2 || d.Alert.Test {
		t.Errorf("without a tester %v are told, test %v", names(d.Tell), d.Alert.Test)
	}
}

// P2: whatever the policy, the rota, the hour, the silences and what else goes
// on in the home, an emergency that nobody has taken is looked at again within a
// minute, for ever, and nobody is told twice in one step; one that is taken is
// left alone until its time has run out, and is taken until then.
func TestAnEmergencyNeverStops(t *testing.T) {
	kinds := []care.AlertKind{care.AlertGatewaySilent, care.AlertSOS, care.AlertSmoke, care.AlertCheckInMissed, care.AlertBatteryLow}
	rapid.Check(t, func(t *rapid.T) {
		groups := []care.Group{care.GroupOnDuty, care.GroupAllStaff, care.GroupContacts, care.GroupResponders}
		policy := care.Policy{Area: "norr", Severity: care.Emergency, Hold: time.Duration(rapid.IntRange(5, 120).Draw(t, "hold")) * time.Minute}
		for i := range rapid.IntRange(0, 4).Draw(t, "steps") {
			policy.Steps = append(policy.Steps, care.Step{
				Groups: rapid.SliceOfN(rapid.SampledFrom(groups), 1, 3).Draw(t, fmt.Sprint("groups ", i)),
				Wait:   time.Duration(rapid.IntRange(15, 60).Draw(t, fmt.Sprint("wait ", i))) * time.Second,
			})
		}
		policy.Steps = append(policy.Steps, care.Step{Groups: []care.Group{care.GroupLastResort}, Wait: time.Minute})
		if err := policy.Check(); err != nil {
			t.Fatal(err)
		}
		s, now := situation(sos(), nil), pressedAt
		s.Policy = policy
		s.Alert.Kind = rapid.SampledFrom([]care.AlertKind{care.AlertSOS, care.AlertFall, care.AlertSmoke, care.AlertCarbonMonoxide}).Draw(t, "kind")
		for range rapid.IntRange(1, 60).Draw(t, "turns") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "later")))
			s.Members = map[care.Group][]care.Person{}
			for _, g := range append(groups, care.GroupLastResort) {
				s.Members[g] = rapid.SliceOfN(rapid.SampledFrom([]care.Person{anna, bjorn, centre}), 0, 3).Draw(t, string(g))
			}
			s.Others, s.Silences = nil, nil
			for _, kind := range rapid.SliceOf(rapid.SampledFrom(kinds)).Draw(t, "others") {
				s.Others = append(s.Others, alert(kind, -time.Minute))
			}
			if rapid.Bool().Draw(t, "silenced") {
				s.Silences = []care.Silence{{Home: "home", From: now.Add(-time.Hour), To: now.Add(time.Hour)}}
			}
			switch rapid.IntRange(0, 30).Draw(t, "deed") {
			case 0:
				s.Alert, _ = s.Alert.Acknowledge(rapid.SampledFrom([]string{"Anna", "Björn"}).Draw(t, "who"), now)
			case 1:
				s.Alert, _ = s.Alert.OnTheWay("Anna", now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "minutes"))*time.Minute), now)
			case 2:
				s.Alert = s.Alert.Recover(now)
			}
			was := s
			d := alarm.Turn(s, now)
			s.Escalation, s.Alert = d.Escalation, d.Alert
			held := s.Alert.State == care.Acknowledged && now.Before(s.Alert.HeldUntil(policy.Hold))
			due := s.Escalation.Due
			switch {
			case s.Alert.State != was.Alert.State || s.Alert.Hand != was.Alert.Hand || held && s.Alert.Overdue:
				t.Fatalf("by itself it went from %+v to %+v", was.Alert, s.Alert)
			case held && (len(d.Tell) > 0 || due.After(s.Alert.HeldUntil(policy.Hold))):
				t.Fatalf("a taken alert: %v told, looked at again at %v", names(d.Tell), due)
			case !held && (due.IsZero() || due.After(now.Add(time.Minute))):
				t.Fatalf("at %v the next look is at %v", now, due)
			case !held && !now.Before(was.Escalation.Due) && len(d.Tell) == 0 && !s.Alert.Unheard:
				t.Fatal("nobody was told, and no screen says so")
			}
			told := names(d.Tell)
			slices.Sort(told)
			if len(slices.Compact(told)) != len(d.Tell) {
				t.Fatalf("told twice in one step: %v", names(d.Tell))
			}
		}
	})
}
