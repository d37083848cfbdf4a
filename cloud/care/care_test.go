package care_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
)

var (
	first = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	later = first.Add(time.Minute)
)

// in returns an alert that stands in a state.
func in(state care.AlertState, kind care.AlertKind) care.Alert {
	a := care.Alert{ID: "a1", Kind: kind, State: state}
	switch state {
	case care.Acknowledged:
		a.AcknowledgedBy, a.AcknowledgedAt, a.Hand = "Åsa", first, care.Hand{By: "Åsa", At: first}
	case care.Resolved:
		a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Note = "Åsa", first, care.OutcomeHelped, "fine"
	}
	return a
}

func TestTransitions(t *testing.T) {
	acknowledge := func(a care.Alert) (care.Alert, error) { return a.Acknowledge("Bo", later) }
	resolve := func(a care.Alert) (care.Alert, error) {
		return a.Resolve("Bo", care.OutcomeFalsePress, "sat on it", later)
	}
	recover := func(a care.Alert) (care.Alert, error) { return a.Recover(later), nil }
	taken := func(a care.Alert) care.Alert {
		a.State, a.AcknowledgedBy, a.AcknowledgedAt, a.Hand = care.Acknowledged, "Bo", later, care.Hand{By: "Bo", At: later}
		return a
	}
	closed := func(a care.Alert) care.Alert {
		a.State, a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Note = care.Resolved, "Bo", later, care.OutcomeFalsePress, "sat on it"
		return a
	}
	takeOver := func(a care.Alert) (care.Alert, error) { return a.TakeOver("Bo", later) }
	gone := care.Hand{By: "Bo", At: later, Left: later, Expected: later.Add(12 * time.Minute)}
	setOut := func(a care.Alert) (care.Alert, error) { return a.OnTheWay("Bo", gone.Expected, later) }
	inHand := func(h care.Hand) func(care.Alert) care.Alert {
		return func(a care.Alert) care.Alert { a.Hand = h; return a }
	}
	late := func(do func(care.Alert) (care.Alert, error)) func(care.Alert) (care.Alert, error) {
		return func(a care.Alert) (care.Alert, error) {
			a.Overdue, a.Unheard, a.Reached, a.Heard = true, true, first, first
			return do(a)
		}
	}
	over := func(a care.Alert) care.Alert { a.Recovered = later; return a }
	overAndClosed := func(a care.Alert) care.Alert {
		a.Recovered, a.State, a.ResolvedAt, a.Outcome = later, care.Resolved, later, care.OutcomeRecovered
		return a
	}
	same := func(a care.Alert) care.Alert { return a }
	for _, test := range []struct {
		name  string
		state care.AlertState
		kind  care.AlertKind
		do    func(care.Alert) (care.Alert, error)
		want  func(care.Alert) care.Alert
		err   error
	}{
		{"acknowledge", care.Open, care.AlertSOS, acknowledge, taken, nil},
		{"acknowledge", care.Acknowledged, care.AlertSOS, acknowledge, same, nil},
		{"acknowledge", care.Resolved, care.AlertSOS, acknowledge, same, care.ErrAlreadyResolved},
		{"take over", care.Open, care.AlertSOS, takeOver, taken, nil},
		{"take over", care.Acknowledged, care.AlertSOS, takeOver, inHand(care.Hand{By: "Bo", At: later}), nil},
		{"take over", care.Resolved, care.AlertSOS, takeOver, same, care.ErrAlreadyResolved},
		{"acknowledge what is overdue", care.Acknowledged, care.AlertSOS, late(acknowledge), inHand(care.Hand{By: "Bo", At: later}), nil},
		{"set out", care.Open, care.AlertSOS, setOut, func(a care.Alert) care.Alert { return inHand(gone)(taken(a)) }, nil},
		{"set out", care.Acknowledged, care.AlertSOS, setOut, inHand(gone), nil},
		{"set out", care.Resolved, care.AlertSOS, setOut, same, care.ErrAlreadyResolved},
		{"resolve", care.Open, care.AlertSOS, resolve, closed, nil},
		{"resolve", care.Acknowledged, care.AlertSOS, resolve, closed, nil},
		{"resolve", care.Resolved, care.AlertSOS, resolve, same, care.ErrAlreadyResolved},
		{"recover a danger", care.Open, care.AlertSmoke, recover, over, nil},
		{"recover a danger", care.Acknowledged, care.AlertSmoke, recover, over, nil},
		{"recover a danger", care.Resolved, care.AlertSmoke, recover, same, nil},
		{"recover a silence", care.Open, care.AlertGatewaySilent, recover, overAndClosed, nil},
		{"recover a silence", care.Acknowledged, care.AlertGatewaySilent, recover, overAndClosed, nil},
		{"recover a silence", care.Resolved, care.AlertGatewaySilent, recover, same, nil},
	} {
		t.Run(fmt.Sprint(test.name, " ", test.state), func(t *testing.T) {
			a := in(test.state, test.kind)
			got, err := test.do(a)
			if !errors.Is(err, test.err) || got != test.want(a) {
				t.Errorf("got %+v, %v\nwant %+v, %v", got, err, test.want(a), test.err)
			}
		})
	}
}

func TestDeedsNeedANameAndAnOutcomeOfAPerson(t *testing.T) {
	for _, state := range []care.AlertState{care.Open, care.Acknowledged, care.Resolved} {
		a := in(state, care.AlertSOS)
		if got, err := a.Acknowledge("", later); !errors.Is(err, care.ErrNoActor) || got != a {
			t.Errorf("acknowledge without a name: %v", err)
		}
		if got, err := a.Resolve("", care.OutcomeHelped, "", later); !errors.Is(err, care.ErrNoActor) || got != a {
			t.Errorf("resolve without a name: %v", err)
		}
		for _, outcome := range []care.Outcome{"", "done", care.OutcomeRecovered} {
			if got, err := a.Resolve("Bo", outcome, "", later); !errors.Is(err, care.ErrOutcome) || got != a {
				t.Errorf("resolve as %q: %v", outcome, err)
			}
		}
	}
	for _, outcome := range []care.Outcome{
		care.OutcomeHelped, care.OutcomeFalsePress, care.OutcomeTest, care.OutcomeTechnical, care.OutcomeCouldNotReach, care.OutcomeOther,
	} {
		if _, err := in(care.Open, care.AlertSOS).Resolve("Bo", outcome, "", later); err != nil {
			t.Errorf("resolve as %q: %v", outcome, err)
		}
	}
}

// P5: whatever is done in whatever order, an alert never goes backwards, and
// who took it first stays.
func TestP5NeverBackwards(t *testing.T) {
	place := map[care.AlertState]int{care.Open: 0, care.Acknowledged: 1, care.Resolved: 2}
	kinds := []care.AlertKind{care.AlertSOS, care.AlertSmoke, care.AlertGatewaySilent, care.AlertCheckInMissed}
	rapid.Check(t, func(t *rapid.T) {
		a := in(care.Open, rapid.SampledFrom(kinds).Draw(t, "kind"))
		now := first
		for _, deed := range rapid.SliceOfN(rapid.IntRange(0, 5), 0, 12).Draw(t, "deeds") {
			now = now.Add(time.Second)
			var next care.Alert
			switch deed {
			case 0:
				next, _ = a.Acknowledge(now.String(), now)
			case 1:
				next, _ = a.Resolve(now.String(), care.OutcomeHelped, "", now)
			case 2:
				next = a.Recover(now)
			case 3:
				next, _ = a.TakeOver(now.String(), now)
			case 4:
				next, _ = a.OnTheWay(now.String(), now.Add(time.Minute), now)
			case 5:
				next = a
				next.Overdue = a.State == care.Acknowledged
			}
			switch {
			case place[next.State] < place[a.State]:
				t.Fatalf("%s became %s", a.State, next.State)
			case a.State == care.Resolved && next != a:
				t.Fatalf("a resolved alert changed: %+v", next)
			case a.AcknowledgedBy != "" && next.AcknowledgedBy != a.AcknowledgedBy:
				t.Fatalf("%s took it from %s", next.AcknowledgedBy, a.AcknowledgedBy)
			}
			a = next
		}
	})
}

func TestKindsOfAlerts(t *testing.T) {
	for _, test := range []struct {
		kind     care.AlertKind
		severity care.Severity
		closes   bool
	}{
		{care.AlertSOS, care.Emergency, false},
		{care.AlertFall, care.Emergency, false},
		{care.AlertSmoke, care.Emergency, false},
		{care.AlertCarbonMonoxide, care.Emergency, false},
		{care.AlertWaterLeak, care.Attention, false},
		{care.AlertCheckInMissed, care.Attention, true},
		{care.AlertGatewaySilent, care.Attention, true},
		{care.AlertSensorSilent, care.Technical, true},
		{care.AlertBatteryLow, care.Technical, true},
		{care.AlertVisitMissed, care.Attention, false},
		{care.AlertCallBack, care.Attention, false},
		{"unheard_of", care.Technical, false},
	} {
		if s, c := test.kind.Severity(), test.kind.ClosesItself(); s != test.severity || c != test.closes {
			t.Errorf("%s: %s, closes itself %v", test.kind, s, c)
		}
	}
}

func TestWhichReadingsRaise(t *testing.T) {
	for kind, want := range map[devices.Kind]care.AlertKind{
		devices.SOS: care.AlertSOS, devices.Fall: care.AlertFall, devices.Smoke: care.AlertSmoke,
		devices.CarbonMonoxide: care.AlertCarbonMonoxide, devices.WaterLeak: care.AlertWaterLeak,
		devices.CallBack: care.AlertCallBack,
		devices.Test:     "", devices.Button: "", devices.CheckIn: "", devices.Motion: "", devices.BatteryLow: "", "unheard_of": "",
	} {
		if got, ok := care.AlertKindOf(kind); got != want || ok != (want != "") {
			t.Errorf("%s raises %q, %v", kind, got, ok)
		}
	}
}

// Ids are stored: a version that made others would raise everything again on
// the first replay. The digests were computed with another program.
func TestAlertIDsStayWhatTheyAre(t *testing.T) {
	for _, test := range []struct{ home, kind, device, what, want string }{
		{"home-1", "sos", "button-1", "e1/1", "asku6ce5cggc5tcgh2eah2kmt"},
		{"home-1", "gateway_silent", "", "1795298400000000", "abv5ldqphdzd7dcpctstq4yl2"},
		{"kasteren-c", "check_in_missed", "check-in 2026-11-21 10:00", "1795298400000000", "aniagbdzpixpjku4ysqgu3gyt"},
	} {
		if got := care.AlertID(test.home, care.AlertKind(test.kind), test.device, test.what); got != test.want {
			t.Errorf("AlertID(%q, %q, %q, %q) = %s, want %s", test.home, test.kind, test.device, test.what, got, test.want)
		}
	}
}

func TestAlertIDsTellCausesApart(t *testing.T) {
	seen := map[string][4]string{}
	parts := []string{"", "a", "b", "ab"}
	for _, home := range parts {
		for _, kind := range parts {
			for _, device := range parts {
				for _, what := range parts {
					id := care.AlertID(home, care.AlertKind(kind), device, what)
					if other, ok := seen[id]; ok {
						t.Fatalf("%q and %q are both %s", other, [4]string{home, kind, device, what}, id)
					}
					seen[id] = [4]string{home, kind, device, what}
				}
			}
		}
	}
}

func TestHomeCheck(t *testing.T) {
	good := care.Home{ID: "kasteren-c", Gateway: "gw-KC.1", Name: "Åke Öst", Zone: "Europe/Stockholm", CheckIns: []care.CheckIn{{From: 0, By: 1}, {From: 480, By: 1440}}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*care.Home){
		"no id":                   func(h *care.Home) { h.ID = "" },
		"id in capitals":          func(h *care.Home) { h.ID = "Home" },
		"id that is a path":       func(h *care.Home) { h.ID = "../etc" },
		"id with a slash":         func(h *care.Home) { h.ID = "a/b" },
		"id too long":             func(h *care.Home) { h.ID = strings.Repeat("a", 65) },
		"id with a line break":    func(h *care.Home) { h.ID = "a\n" },
		"no gateway":              func(h *care.Home) { h.Gateway = "" },
		"gateway with a wildcard": func(h *care.Home) { h.Gateway = "+" },
		"no name":                 func(h *care.Home) { h.Name = "" },
		"name too long":           func(h *care.Home) { h.Name = strings.Repeat("a", 201) },
		"no such zone":            func(h *care.Home) { h.Zone = "Europe/Lund" },
		"zone that is a path":     func(h *care.Home) { h.Zone = "../../etc/passwd" },
		"no zone":                 func(h *care.Home) { h.Zone = "" },
		"the server's zone":       func(h *care.Home) { h.Zone = "Local" },
		"window from below 0":     func(h *care.Home) { h.CheckIns = []care.CheckIn{{From: -1, By: 10}} },
		"window of no length":     func(h *care.Home) { h.CheckIns = []care.CheckIn{{From: 10, By: 10}} },
		"window backwards":        func(h *care.Home) { h.CheckIns = []care.CheckIn{{From: 600, By: 480}} },
		"window beyond the day":   func(h *care.Home) { h.CheckIns = []care.CheckIn{{From: 480, By: 1441}} },
		"second window wrong":     func(h *care.Home) { h.CheckIns = []care.CheckIn{{From: 480, By: 600}, {From: 5, By: 5}} },
	} {
		home := good
		spoil(&home)
		if err := home.Check(); !errors.Is(err, care.ErrHome) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHomesAreEqualByTheirDefinition(t *testing.T) {
	home := care.Home{ID: "h", Gateway: "g", Name: "n", Zone: "UTC", CheckIns: []care.CheckIn{{From: 1, By: 2}}, Created: first}
	same := home
	same.Created = later
	if !home.Equal(same) {
		t.Error("when it was stored is no part of the definition")
	}
	for name, change := range map[string]func(*care.Home){
		"id": func(h *care.Home) { h.ID = "x" }, "gateway": func(h *care.Home) { h.Gateway = "x" }, "name": func(h *care.Home) { h.Name = "x" },
		"zone": func(h *care.Home) { h.Zone = "x" }, "check-ins": func(h *care.Home) { h.CheckIns = []care.CheckIn{{From: 1, By: 3}} },
		"no check-ins": func(h *care.Home) { h.CheckIns = nil },
	} {
		other := home
		change(&other)
		if home.Equal(other) {
			t.Errorf("equal with another %s", name)
		}
	}
}

func TestEmptyCommits(t *testing.T) {
	if !(care.Commit{}).Empty() {
		t.Error("nothing is something")
	}
	for _, c := range []care.Commit{
		{Marks: make([]care.Mark, 1)}, {Boots: make([]care.Boot, 1)}, {Records: make([]care.AlarmRecord, 1)}, {Raise: make([]care.Alert, 1)},
		{Recover: make([]care.Recovery, 1)}, {States: make([]care.HomeState, 1)}, {Refused: make([]care.RefusedMessage, 1)},
		{Consents: make([]care.Consent, 1)},
	} {
		if c.Empty() {
			t.Errorf("lost: %+v", c)
		}
	}
}

func TestRoles(t *testing.T) {
	for role, want := range map[care.Role][2]bool{ // is staff, signs in
		care.Caregiver: {true, true}, care.Coordinator: {true, true}, care.Operator: {true, true},
		care.Relative: {false, true}, care.Responder: {}, care.AtHome: {}, "": {}, "admin": {},
	} {
		if got := [2]bool{role.Staff(), role.SignsIn()}; got != want {
			t.Errorf("%q: staff, signs in: %v, want %v", role, got, want)
		}
	}
}
