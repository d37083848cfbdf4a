package care

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Silence keeps alerts of a home from being told of for a while: somebody is
// in hospital, an installer works there. The alerts are raised and shown as
// ever. Emergencies are never silenced.
type Silence struct {
	ID     string
	Home   string
	Device string      // "" is all
	Kinds  []AlertKind // empty is all that may be silenced
	From   time.Time
	To     time.Time
	Author string
	Reason string
	// Ended is when somebody ended it before its time, and EndedBy who.
	Ended   time.Time
	EndedBy string
}

// MostSilence is how long a silence may be.
const MostSilence = 60 * 24 * time.Hour

// ErrSilence is wrapped by what Silence.Check finds wrong.
var ErrSilence = errors.New("the silence cannot be stored")

// Check says what is wrong with a silence.
func (s Silence) Check() error {
	switch {
	case s.Home == "":
		return fmt.Errorf("%w: it is of one home", ErrSilence)
	case s.Author == "":
		return fmt.Errorf("%w: it has an author", ErrSilence)
	case s.Reason == "" || len(s.Reason) > 500:
		return fmt.Errorf("%w: it has a reason of 1–500 bytes", ErrSilence)
	case !s.From.Before(s.To) || s.To.Sub(s.From) > MostSilence:
		return fmt.Errorf("%w: it ends after it begins, within 60 days", ErrSilence)
	}
	for _, k := range s.Kinds {
		if !k.Known() {
			return fmt.Errorf("%w: there is no alert of kind %q", ErrSilence, k)
		}
		if k.Severity() == Emergency {
			return fmt.Errorf("%w: alerts of kind %s are never silenced", ErrSilence, k)
		}
	}
	return nil
}

// Until returns the end of the silence when it covers an alert at a time, and
// otherwise the zero time. It never covers an emergency.
func (s Silence) Until(a Alert, now time.Time) time.Time {
	to := s.To
	if !s.Ended.IsZero() && s.Ended.Before(to) {
		to = s.Ended
	}
	switch {
	case a.Severity == Emergency || a.Kind.Severity() == Emergency,
		s.Home != a.Home,
		s.Device != "" && s.Device != a.Device,
		len(s.Kinds) > 0 && !slices.Contains(s.Kinds, a.Kind),
		now.Before(s.From) || !now.Before(to):
		return time.Time{}
	}
	return to
}

// explains reports whether an alert of this kind says why there is one of the
// other in the same home: from a silent gateway nobody hears anything.
func (k AlertKind) explains(other AlertKind) bool {
	return k == AlertGatewaySilent && (other == AlertCheckInMissed || other == AlertSensorSilent || other == AlertBatteryLow || other == AlertTestMissed)
}

// groupFor is how long what follows an alert of the same home is told of
// together with it, explainedFor how long what another alert explains waits for
// that one to be over.
const (
	groupFor     = 10 * time.Minute
	explainedFor = 2 * time.Hour
)

// CoveredBy reports whether another alert of the same home, which somebody is
// being told of, makes it needless to tell of this one too: it explains it, or
// came first, is not less severe and brings somebody to look at the home anyway.
// It never is for an emergency, for no longer than ten minutes where the other
// only came first, and two hours where it explains it.
func (a Alert) CoveredBy(other Alert, now time.Time) bool {
	if a.Severity == Emergency || a.Kind.Severity() == Emergency || other.ID == a.ID || other.Home != a.Home ||
		other.State == Resolved || other.Test {
		return false
	}
	if other.Kind.explains(a.Kind) && now.Before(a.Raised.Add(explainedFor)) {
		return true
	}
	first := other.Raised.Before(a.Raised) || other.Raised.Equal(a.Raised) && other.ID < a.ID
	return first && other.State == Open && rank(other.Severity) <= rank(a.Severity) &&
		a.Raised.Sub(other.Raised) < groupFor && now.Before(a.Raised.Add(groupFor))
}

func rank(s Severity) int { return slices.Index([]Severity{Emergency, Attention, Technical}, s) }

// Hours of the day, in the home's zone, in which people are told that
// something needs mending.
const (
	dayBegins = 7
	dayEnds   = 19
)

// NextDay returns now when it is day in the zone, and otherwise when the next
// day begins.
func NextDay(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	begins := time.Date(local.Year(), local.Month(), local.Day(), dayBegins, 0, 0, 0, zone)
	switch h := local.Hour(); {
	case h < dayBegins:
		return begins
	case h >= dayEnds:
		return time.Date(local.Year(), local.Month(), local.Day()+1, dayBegins, 0, 0, 0, zone)
	}
	return now
}
