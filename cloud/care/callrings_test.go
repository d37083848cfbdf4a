package care_test

import (
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

func TestWhenOneMayRingAgain(t *testing.T) {
	const maria, erik = "person:maria", "person:erik"
	now := first.Add(time.Hour)
	ago := func(minutes int, by string, how ...care.CallEnd) care.Call {
		c := care.Call{By: by, Started: now.Add(-time.Duration(minutes) * time.Minute), State: care.CallRinging}
		c, _ = c.Rings(c.Started.Add(time.Second))
		if len(how) > 0 {
			c = c.End(how[0], c.Started.Add(45*time.Second))
		}
		return c
	}
	unheard := ago(2, maria, care.CallUnreachable)
	unheard.Rung = time.Time{}
	answered := ago(4, maria)
	answered, _ = answered.Answer(care.ByTouch, now)
	for name, c := range map[string]struct {
		calls []care.Call // the newest first
		after int         // minutes from now; 0 is now
	}{
		"none":                       {nil, 0},
		"two":                        {[]care.Call{ago(1, maria, care.CallMissed), ago(3, maria, care.CallDeclined)}, 0},
		"three":                      {[]care.Call{ago(1, maria, care.CallMissed), ago(3, maria, care.CallDeclined), ago(5, maria, care.CallCancelled)}, 10},
		"four":                       {[]care.Call{ago(1, maria, care.CallMissed), ago(3, maria, care.CallLater), ago(5, maria, care.CallMissed), ago(14, maria, care.CallMissed)}, 10},
		"three, one of another's":    {[]care.Call{ago(1, maria, care.CallMissed), ago(3, erik, care.CallMissed), ago(5, maria, care.CallMissed)}, 0},
		"three, one long ago":        {[]care.Call{ago(1, maria, care.CallMissed), ago(3, maria, care.CallMissed), ago(15, maria, care.CallMissed)}, 0},
		"three, of one none heard":   {[]care.Call{ago(1, maria, care.CallMissed), unheard, ago(5, maria, care.CallMissed)}, 0},
		"three, and one is answered": {[]care.Call{ago(1, maria, care.CallMissed), ago(3, maria, care.CallMissed), answered, ago(5, maria, care.CallMissed)}, 0},
	} {
		want := time.Time{}
		if c.after > 0 {
			want = now.Add(time.Duration(c.after) * time.Minute)
		}
		if got := care.RingAgain(maria, c.calls, now); !got.Equal(want) {
			t.Errorf("%s: again at %s, want %s", name, got, want)
		}
	}
}
