package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

func homes(t *testing.T, s *store.Store) {
	t.Helper()
	for i, area := range []string{"norr", "syd"} {
		home := care.Home{ID: fmt.Sprintf("home-%d", i+1), Gateway: fmt.Sprintf("gw%d", i+1), Area: area, Zone: "Europe/Stockholm", Name: "Åke", Created: at(0)}
		if err := s.AddHome(t.Context(), home); err != nil {
			t.Fatal(err)
		}
	}
}

// A plan that was made from an older picture of a visit changes nothing.
func TestAVisitThatWasMovedMeanwhileIsNotMovedBack(t *testing.T) {
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		s := open(t, address(t))
		homes(t, s)
		ctx := t.Context()
		seen := must(s.PutVisit(ctx, visit("v1", "home-1", 0, 30), entry("visit planned", "home-1", "v1", 0)))(t)

		moved := seen
		moved.From, moved.To, moved.By, moved.Changed = at(7200), at(9000), "Eva", at(60)
		moved = must(s.PutVisit(ctx, moved, entry("visit planned", "home-1", "v1", 60)))(t)
		if moved.Rev <= seen.Rev {
			t.Fatalf("the version is %d after %d", moved.Rev, seen.Rev)
		}
		for name, old := range map[string]care.Visit{"the version before": seen, "no version": {Rev: 0}} {
			late := seen
			late.Rev, late.Person, late.Changed = old.Rev, "bo", at(120)
			if _, err := s.PutVisit(ctx, late, entry("visit planned", "home-1", "v1", 120)); !errors.Is(err, care.ErrVisitChanged) {
				t.Errorf("with %s: %v", name, err)
			}
		}
		if got := must(s.Visit(ctx, "v1"))(t); got != moved {
			t.Errorf("it is %+v, want %+v", got, moved)
		}
		// A move whose answer was lost is sent again as it was.
		again := moved
		again.Rev, again.Changed = seen.Rev, at(180)
		if got, err := s.PutVisit(ctx, again, entry("visit planned", "home-1", "v1", 180)); err != nil || got != moved {
			t.Errorf("the same again: %+v, %v", got, err)
		}
		// A version of something that is not there.
		gone := visit("v2", "home-1", 0, 30)
		gone.Rev = 3
		if _, err := s.PutVisit(ctx, gone, entry("", "", "", 0)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a version of no visit: %v", err)
		}
	})
}

// How a visit went is a word of its own: it changes nothing of when, who and
// what, and does not bring back what was called off.
func TestHowAVisitWentOverwritesNoPlan(t *testing.T) {
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		s := open(t, address(t))
		homes(t, s)
		ctx := t.Context()
		went := func(id string, state care.VisitState, note, by string, sec int) (care.Visit, error) {
			return s.VisitWent(ctx, care.VisitWent{Visit: id, State: state, Note: note, At: at(sec), By: by}, entry("visit "+string(state), "home-1", id, sec))
		}
		seen := must(s.PutVisit(ctx, visit("v1", "home-1", 0, 30), entry("visit planned", "home-1", "v1", 0)))(t)
		moved := seen
		moved.From, moved.To, moved.Person, moved.What, moved.By = at(7200), at(9000), "bo", "Dusch", "Eva"
		moved = must(s.PutVisit(ctx, moved, entry("visit planned", "home-1", "v1", 60)))(t)

		want := moved
		want.State, want.Note, want.By, want.Changed, want.Rev = care.VisitDone, "Allt väl", "Anna", at(120), moved.Rev+1
		for range 2 {
			if got := must(went("v1", care.VisitDone, "Allt väl", "Anna", 120))(t); got != want {
				t.Errorf("it is %+v, want %+v", got, want)
			}
		}
		// No words are lost: what comes after stands below.
		if got := must(went("v1", care.VisitDone, "Vi var två", "Bo", 130))(t); got.Note != "Allt väl\nVi var två" {
			t.Errorf("the words of two: %q", got.Note)
		}
		if got := must(went("v1", care.VisitDone, "Nyckeln ligger kvar", "Bo", 140))(t); got.Note != "Allt väl\nVi var två\nNyckeln ligger kvar" {
			t.Errorf("a word after another: %q", got.Note)
		}
		// Who read it has added to it; and whatever was said before, there is room.
		if got := must(went("v1", care.VisitDone, "Allt väl\nVi var två\nNyckeln ligger kvar\noch kaffet", "Bo", 150))(t); got.Note != "Allt väl\nVi var två\nNyckeln ligger kvar\noch kaffet" {
			t.Errorf("the same words and more: %q", got.Note)
		}
		for i, word := range []string{"a", "b"} {
			long := strings.Repeat(word, 900)
			if got, err := went("v1", care.VisitDone, long, "Bo", 160+i); err != nil || !strings.HasSuffix(got.Note, "\n"+long) {
				t.Errorf("long words below long ones: %v", err)
			}
		}
		// What the service itself took for missed was done after all.
		must(s.PutVisit(ctx, visit("v2", "home-1", 0, 30), entry("visit planned", "home-1", "v2", 0)))(t)
		if n := must(s.MissVisits(ctx, at(3600), at(3600), 10))(t); n != 1 {
			t.Fatalf("%d missed", n)
		}
		if got := must(went("v2", care.VisitDone, "", "Anna", 4000))(t); got.State != care.VisitDone {
			t.Errorf("done after it was taken for missed: %s", got.State)
		}
		for _, state := range []care.VisitState{care.VisitCancelled, care.VisitRequested, care.VisitDeclined} {
			id := "off-" + string(state)
			v := visit(id, "home-1", 0, 30)
			switch state {
			case care.VisitCancelled:
				v.Rev = must(s.PutVisit(ctx, v, entry("", "home-1", id, 0)))(t).Rev
			default:
				v.Asked = "maria"
				v.Rev = must(s.AskForVisit(ctx, v, entry("", "home-1", id, 0)))(t).Rev
			}
			v.State, v.Note = state, "Märta är på sjukhus"
			before := must(s.PutVisit(ctx, v, entry("", "home-1", id, 0)))(t)
			if _, err := went(id, care.VisitDone, "Allt väl", "Anna", 200); !errors.Is(err, care.ErrVisitOff) {
				t.Errorf("done, though %s: %v", state, err)
			}
			if got := must(s.Visit(ctx, id))(t); got != before {
				t.Errorf("%s became %+v, want %+v", state, got, before)
			}
		}
		if _, err := went("nowhere", care.VisitDone, "", "Anna", 0); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of no visit: %v", err)
		}
		for _, c := range []struct {
			state care.VisitState
			note  string
		}{{care.VisitPlanned, ""}, {care.VisitCancelled, ""}, {care.VisitMissed, ""}, {care.VisitDone, strings.Repeat("x", 1001)}} {
			if _, err := went("v1", c.state, c.note, "Anna", 0); !errors.Is(err, care.ErrVisit) {
				t.Errorf("%s with %d characters: %v", c.state, len(c.note), err)
			}
		}
	})
}
