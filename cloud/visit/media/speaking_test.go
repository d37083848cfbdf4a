package media

import (
	"testing"
	"time"
)

func TestWhoSpeaks(t *testing.T) {
	anna, home := &peer{id: "anna"}, &peer{id: "home"}
	people := []*peer{anna, home}
	var s speaker
	now := time.Unix(1_800_000_000, 0)
	// hear lets both be as loud as given (-dBov) for a while and returns who was
	// said to speak, in order.
	hear := func(d time.Duration, annaAt, homeAt byte) (said []string) {
		for end := now.Add(d); now.Before(end); now = now.Add(stepEvery) {
			for range 10 {
				anna.loud.note(annaAt, now)
				home.loud.note(homeAt, now)
			}
			if id, changed := s.next(people, now); changed {
				said = append(said, id)
			}
		}
		return said
	}
	expect := func(what string, got []string, want ...string) {
		t.Helper()
		if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	expect("nobody", hear(2*time.Second, 127, 80))
	expect("anna", hear(3*time.Second, 30, 80), "anna")
	expect("the home says a word, Anna goes on", hear(2*time.Second, 30, 20))
	expect("the home speaks", hear(4*time.Second, 90, 30), "home")
	expect("silence", hear(4*time.Second, 100, 100), "")
	now = now.Add(time.Minute)
	expect("still", hear(time.Second, 100, 100))
}
