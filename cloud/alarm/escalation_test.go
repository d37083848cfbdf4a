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

func people(of map[care.Group][]care.Person) func(care.Group) []care.Person {
	return func(g care.Group) []care.Person { return of[g] }
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
	policy := care.DefaultPolicy("norr", care.Emergency)
	who := people(map[care.Group][]care.Person{
		care.GroupOnDuty: {anna}, care.GroupAllStaff: {anna, bjorn}, care.GroupLastResort: {centre},
	})
	a, e := sos(), care.Escalation{Alert: "a1", Due: pressedAt}
	turn := func(after time.Duration, want ...string) {
		t.Helper()
		var tell []care.Telling
		tell, e = alarm.Turn(a, e, policy, who, pressedAt.Add(after))
		if !slices.Equal(names(tell), want) {
			t.Fatalf("after %v %v are told, want %v", after, names(tell), want)
		}
	}
	turn(0, "anna")
	turn(30 * time.Second) // not yet
	turn(time.Minute, "anna", "bjorn")
	turn(2*time.Minute, "centre")
	turn(3*time.Minute, "anna")
	if e.Round != 1 {
		t.Errorf("round %d, want the second", e.Round)
	}
	a, err := a.Acknowledge("Björn", pressedAt.Add(200*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	turn(4 * time.Minute)
	turn(30 * time.Minute)
	turn(200*time.Second+policy.Hold, "anna")
	turn(201*time.Second+policy.Hold+time.Minute, "anna", "bjorn")
	a, err = a.Resolve("Anna", care.OutcomeHelped, "", pressedAt.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	turn(2 * time.Hour)
	if !e.Due.IsZero() {
		t.Errorf("a closed alert is looked at again at %v", e.Due)
	}
}

func TestAnEmptyRotaFallsThroughAtOnce(t *testing.T) {
	away := anna
	away.Away = true
	who := people(map[care.Group][]care.Person{care.GroupOnDuty: {away}, care.GroupLastResort: {centre}})
	tell, e := alarm.Turn(sos(), care.Escalation{Due: pressedAt}, care.DefaultPolicy("norr", care.Emergency), who, pressedAt)
	if !slices.Equal(names(tell), []string{"centre"}) || e.Unheard {
		t.Errorf("%v are told, unheard %v; want the last resort, at once", names(tell), e.Unheard)
	}
	tell, e = alarm.Turn(sos(), care.Escalation{Due: pressedAt}, care.DefaultPolicy("norr", care.Emergency), people(nil), pressedAt)
	if len(tell) > 0 || !e.Unheard || e.Due.After(pressedAt.Add(time.Minute)) {
		t.Errorf("with nobody at all: %v told, unheard %v, looked again at %v", names(tell), e.Unheard, e.Due)
	}
}

func TestWhatIsNotUrgentHasAnEnd(t *testing.T) {
	policy := care.DefaultPolicy("norr", care.Attention)
	who := people(map[care.Group][]care.Person{care.GroupOnDuty: {anna}})
	a, e := sos(), care.Escalation{Due: pressedAt}
	a.Kind, a.Severity = care.AlertGatewaySilent, care.Attention
	told := 0
	for range 100 {
		var tell []care.Telling
		if tell, e = alarm.Turn(a, e, policy, who, e.Due); e.Due.IsZero() {
			break
		}
		told += len(tell)
	}
	if !e.Due.IsZero() || !e.Unheard || told != 2*policy.Rounds {
		t.Errorf("due %v, unheard %v, told %d times", e.Due, e.Unheard, told)
	}
}

func TestWhatWasTakenAndNotClosedIsToldAgain(t *testing.T) {
	policy := care.DefaultPolicy("norr", care.Attention)
	who := people(map[care.Group][]care.Person{care.GroupOnDuty: {anna}})
	a, e := sos(), care.Escalation{Due: pressedAt}
	a.Kind, a.Severity = care.AlertWaterLeak, care.Attention
	for !e.Due.IsZero() {
		_, e = alarm.Turn(a, e, policy, who, e.Due)
	}
	taken := pressedAt.Add(5 * time.Hour)
	a, err := a.Acknowledge("Anna", taken)
	if err != nil {
		t.Fatal(err)
	}
	_, e = alarm.Turn(a, e, policy, who, taken)
	tell, e := alarm.Turn(a, e, policy, who, e.Due)
	if len(tell) != 1 || e.Due.IsZero() {
		t.Errorf("%v told, looked at again at %v", names(tell), e.Due)
	}
}

func TestInsteadOfWhatFailed(t *testing.T) {
	tell, _ := alarm.Turn(sos(), care.Escalation{Due: pressedAt}, care.DefaultPolicy("norr", care.Emergency),
		people(map[care.Group][]care.Person{care.GroupOnDuty: {anna}}), pressedAt)
	next, ok := tell[0].Instead(anna)
	if !ok || next.Address.Channel != care.ChannelSMS {
		t.Errorf("after a push that failed: %+v, %v", next, ok)
	}
	if _, ok := next.Instead(anna); ok {
		t.Error("there is something after the last address")
	}
}

// P2: whatever the policy, the rota and the hour, an emergency that nobody has
// taken is looked at again within a minute, for ever, and nobody is told twice
// in one step; one that is taken is left alone until its hold has run out.
func TestAnEmergencyNeverStops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := []care.Group{care.GroupOnDuty, care.GroupAllStaff, care.GroupContacts, care.GroupResponders}
		policy := care.Policy{Area: "norr", Severity: care.Emergency, Hold: time.Duration(rapid.IntRange(5, 600).Draw(t, "hold")) * time.Minute}
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
		a, e, now := sos(), care.Escalation{Due: pressedAt}, pressedAt
		for range rapid.IntRange(1, 60).Draw(t, "turns") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "later")))
			rota := map[care.Group][]care.Person{}
			for _, g := range append(groups, care.GroupLastResort) {
				rota[g] = rapid.SliceOfN(rapid.SampledFrom([]care.Person{anna, bjorn, centre}), 0, 3).Draw(t, string(g))
			}
			if a.State == care.Open && rapid.IntRange(0, 20).Draw(t, "take") == 0 {
				a, _ = a.Acknowledge("Anna", now)
			}
			was := e
			var tell []care.Telling
			tell, e = alarm.Turn(a, e, policy, people(rota), now)
			held := a.State == care.Acknowledged && now.Before(a.AcknowledgedAt.Add(policy.Hold))
			switch {
			case held && (len(tell) > 0 || e.Due.After(a.AcknowledgedAt.Add(policy.Hold))):
				t.Fatalf("a taken alert: %v told, looked at again at %v", names(tell), e.Due)
			case !held && (e.Due.IsZero() || e.Due.After(now.Add(time.Minute))):
				t.Fatalf("at %v the next look is at %v", now, e.Due)
			case !held && !now.Before(was.Due) && len(tell) == 0 && !e.Unheard:
				t.Fatal("nobody was told, and no screen says so")
			}
			told := names(tell)
			slices.Sort(told)
			if len(slices.Compact(told)) != len(tell) {
				t.Fatalf("told twice in one step: %v", names(tell))
			}
		}
	})
}
