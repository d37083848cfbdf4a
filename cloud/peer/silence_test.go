package peer

import (
	"testing"
	"time"
)

func TestAClockThatIsSetMakesNobodySilent(t *testing.T) {
	for name, jump := range map[string]time.Duration{"forwards": 8 * time.Hour, "backwards": -8 * time.Hour} {
		start := time.Now()
		s := silence{after: after, pause: 2 * every, round: start, good: start, counted: start}
		if s.awoke(start.Add(every)) > 0 || s.answered(start.Add(every), refused) {
			t.Fatalf("%s: before the jump", name)
		}
		// Without a monotonic reading only the wall clock can be compared: the worst case.
		now := start.Round(0).Add(jump)
		for range fewest + 2 {
			now = now.Add(time.Second)
			s.awoke(now)
			if s.answered(now, refused) {
				t.Errorf("%s: silent after %v", name, now.Sub(start.Round(0)))
			}
		}
	}
}

func TestASilenceTakesTimeAndQuestions(t *testing.T) {
	start := time.Now()
	s := silence{after: after, pause: time.Hour, round: start, good: start, counted: start}
	for i, at := range []time.Duration{after, after + time.Second} {
		if s.answered(start.Add(at), refused) {
			t.Errorf("silent after %d questions", i+1)
		}
	}
	if !s.answered(start.Add(after+2*time.Second), refused) || !s.silent {
		t.Error("not silent after three questions and all of the time")
	}
}
