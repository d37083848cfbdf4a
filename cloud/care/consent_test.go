package care_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
)

// What is left out because it can never hold again makes no difference.
func TestWithLeavesOutNothingThatCounts(t *testing.T) {
	start := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	parties := []care.Party{care.PartyStaff, care.PartyRelatives, care.PartyPerson("maria"), care.PartyPerson("erik")}
	fields := []care.Field{care.FieldActivity, care.FieldHealth}
	rapid.Check(t, func(rt *rapid.T) {
		var all, short care.Consents
		now := start
		for range rapid.IntRange(0, 30).Draw(rt, "decisions") {
			now = now.Add(time.Minute)
			c := care.Consent{
				Party: rapid.SampledFrom(parties).Draw(rt, "party"), Field: rapid.SampledFrom(fields).Draw(rt, "field"), Allowed: rapid.Bool().Draw(rt, "may"), At: now,
			}
			if rapid.Bool().Draw(rt, "ends") {
				c.Until = now.Add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "minutes")) * time.Minute)
			}
			before := len(short)
			kept := append(care.Consents{}, short...)
			next := short.With(c)
			for i := range before { // who reads the old ones goes on reading them
				if short[i] != kept[i] {
					rt.Fatal("decisions were changed under who reads them")
				}
			}
			all, short = append(all, c), next
		}
		for range 30 {
			for _, p := range parties {
				for _, f := range fields {
					if all.Allow(p, f, now) != short.Allow(p, f, now) {
						rt.Fatalf("%s %s at %v: %v of %v", p, f, now, short, all)
					}
				}
			}
			now = now.Add(time.Minute)
		}
	})
}

// Without a decision staff may ring and relatives may not, and no screen answers
// by itself, whoever rings; each of it is the resident's to decide.
func TestWhoMayRingBeforeAnybodyHasDecided(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for party, want := range map[care.Party]struct{ rings, answered bool }{
		care.PartyStaff: {true, false}, care.PartyRelatives: {false, false}, care.PartyPerson("maria"): {false, false},
	} {
		for field, want := range map[care.Field]bool{care.FieldVideo: want.rings, care.FieldAutoAnswer: want.answered} {
			if got := (care.Consents{}).Allow(party, field, now); got != want {
				t.Errorf("%s %s: %v", party, field, got)
			}
			if party.Fixed(field) {
				t.Errorf("%s %s is not for the resident to decide", party, field)
			}
			decided := care.Consent{Home: "home-1", Party: party, Field: field, Allowed: !want, At: now, By: "Karin", How: care.OnScreen}
			if err := decided.Check(); err != nil || (care.Consents{decided}).Allow(party, field, now) == want {
				t.Errorf("%s %s: the decision counts for nothing, %v", party, field, err)
			}
		}
	}
}

func TestADecisionOfTheScreenIsRead(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	got, err := care.ByResident("home-1", "person:maria check_in", devices.Number(1), at)
	if err != nil || got.Party != "person:maria" || got.Field != care.FieldCheckIn || !got.Allowed || got.How != care.OnScreen || got.By != "resident" || !got.At.Equal(at) {
		t.Errorf("%+v, %v", got, err)
	}
	if e := got.Entry(care.AtHome, at); e.Action != "allow check_in" || e.Detail != "person:maria" || e.Home != "home-1" || e.Actor != "resident" || e.Role != care.AtHome {
		t.Errorf("%+v", e)
	}
	for text, v := range map[string]*float64{
		"": devices.Number(1), "staff": devices.Number(1), "staff activity": nil, "relatives check_in ": devices.Number(1), "relatives alerts": devices.Number(2), "staff notes": devices.Number(0),
	} {
		if got, err := care.ByResident("home-1", text, v, at); !errors.Is(err, care.ErrConsent) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
