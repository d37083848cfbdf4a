package store_test

import (
	"slices"
	"testing"

	"github.com/lykta/lykta/cloud/care"
)

// A note that was written where there was no network stands where it was
// written, and is found by when it came as well.
func TestANoteStandsWhereItWasWritten(t *testing.T) {
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		s := open(t, address(t))
		homes(t, s)
		ctx := t.Context()
		for _, n := range []care.Note{
			{ID: "offline", At: at(5000), Written: at(1000)},
			{ID: "online", At: at(2000)},
			{ID: "before", At: at(100)},
		} {
			n.Home, n.Author, n.Kind, n.Text = "home-1", "Anna", care.NoteVisit, "Åt frukost"
			must(s.AddNote(ctx, n, entry("write note", "home-1", n.ID, 0)))(t)
		}
		for _, c := range []struct {
			name   string
			filter care.NoteFilter
			want   []string
		}{
			{"all, by when they were written", care.NoteFilter{Home: "home-1"}, []string{"online", "offline", "before"}},
			{"the shift in which it was written", care.NoteFilter{From: at(500), To: at(1500)}, []string{"offline"}},
			{"the shift in which it came", care.NoteFilter{From: at(4000), To: at(6000), Came: true}, []string{"offline"}},
			{"the shift in which it was written, with what came", care.NoteFilter{From: at(500), To: at(1500), Came: true}, []string{"offline"}},
			{"another shift", care.NoteFilter{From: at(2500), To: at(4000), Came: true}, nil},
			{"an area, with what came", care.NoteFilter{Areas: []string{"syd"}, From: at(0), To: at(6000), Came: true}, nil},
		} {
			var got []string
			for _, n := range must(s.Notes(ctx, c.filter))(t) {
				got = append(got, n.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	})
}

// Whoever follows what changes is told of each kind in each home, and of what
// was changed since, not of all that ever was.
func TestNewsOfAHomeIsTheLatestOfEachKind(t *testing.T) {
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		s := open(t, address(t))
		homes(t, s)
		ctx := t.Context()
		var seen int64
		news := func() (told []string) {
			t.Helper()
			for _, n := range must(s.News(ctx, seen, 100))(t) {
				if n.ID <= seen {
					t.Errorf("%d after %d", n.ID, seen)
				}
				seen = n.ID
				told = append(told, string(n.Kind)+" "+n.Home+" "+n.What)
			}
			if last := must(s.LastNews(ctx))(t); last != seen {
				t.Errorf("the last is %d, told up to %d", last, seen)
			}
			return told
		}
		check := func(want ...string) {
			t.Helper()
			if got := news(); !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		check()
		v := must(s.PutVisit(ctx, visit("v1", "home-1", 0, 30), entry("", "home-1", "v1", 0)))(t)
		must(s.PutVisit(ctx, visit("v2", "home-1", 0, 30), entry("", "home-1", "v2", 0)))(t)
		must(s.AddNote(ctx, care.Note{ID: "n1", Home: "home-2", At: at(1), Author: "Anna", Kind: care.NoteVisit, Text: "x"}, entry("", "home-2", "n1", 0)))(t)
		check("visit home-1 v2", "note home-2 n1")
		must(s.VisitWent(ctx, care.VisitWent{Visit: "v1", State: care.VisitDone, At: at(1), By: "Anna"}, entry("", "home-1", "v1", 0)))(t)
		check("visit home-1 v1")
		must(s.VisitWent(ctx, care.VisitWent{Visit: "v1", State: care.VisitDone, At: at(2), By: "Anna"}, entry("", "home-1", "v1", 0)))(t)
		if _, err := s.PutVisit(ctx, v, entry("", "home-1", "v1", 0)); err == nil {
			t.Error("an old version was taken")
		}
		check() // nothing was changed
		m := care.Message{ID: "m1", Home: "home-1", From: "Anna", Text: "Hej", At: at(1)}
		if _, _, err := s.AddMessage(ctx, m, entry("", "home-1", "m1", 1)); err != nil {
			t.Fatal(err)
		}
		check("message home-1 m1")
		if _, err := s.EndMessage(ctx, "home-1", "m1", entry("", "home-1", "m1", 2)); err != nil {
			t.Fatal(err)
		}
		check("message home-1 m1")
	})
}
