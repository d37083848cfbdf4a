package care

import "time"

// Rings in vain of somebody who is no staff: so many within a time, and then there
// is a rest. A resident is not rung forty times in a night.
const (
	MaxRingsInVain = 3
	RingsInVainIn  = 15 * time.Minute
)

// RingAgain is when somebody may ring a home again who has rung in vain; the zero
// time is now. calls are those of the home that began within RingsInVainIn before
// now, the newest first. Rings of which the home never heard have disturbed nobody;
// one that was answered begins the count anew.
func RingAgain(by string, calls []Call, now time.Time) time.Time {
	rang := 0
	for _, c := range calls {
		switch {
		case c.By != by || c.Rung.IsZero():
			continue
		case !c.Answered.IsZero():
			return time.Time{}
		}
		if rang++; rang == MaxRingsInVain {
			if again := c.Started.Add(RingsInVainIn); again.After(now) {
				return again
			}
			return time.Time{}
		}
	}
	return time.Time{}
}
