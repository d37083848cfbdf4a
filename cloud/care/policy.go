package care

import (
	"errors"
	"fmt"
	"time"
)

// Group says who is told in a step of a policy. Who that is, is found out at
// the time of the step.
type Group string

// The groups.
const (
	GroupOnDuty     Group = "on_duty"     // staff on duty in the home's area
	GroupAllStaff   Group = "all_staff"   // all staff of the home's area, on duty or not
	GroupContacts   Group = "contacts"    // relatives whom the resident lets know of this kind of alert
	GroupResponders Group = "responders"  // neighbours and service points that have agreed to go
	GroupLastResort Group = "last_resort" // the municipality's own last address
	GroupTester     Group = "tester"      // who has announced a press as a test; of no policy
)

// Step is one turn of telling.
type Step struct {
	Groups []Group `json:"groups"`
	// Wait is how long somebody has to take the alert before the next step, in
	// nanoseconds; 15 s to 24 h.
	Wait time.Duration `json:"wait"`
}

// Policy says who is told of alerts of one severity in an area, and what
// follows when nobody takes them.
type Policy struct {
	Area     string   `json:"area"`
	Severity Severity `json:"severity"`
	Steps    []Step   `json:"steps"`
	// Rounds is how often the steps are gone through; 0 is until somebody takes
	// the alert. An emergency has no end.
	Rounds int `json:"rounds"`
	// Hold is for how long a taken alert is left to who took it. After it, and
	// as long as it is not closed, telling begins anew; 5 min to 24 h.
	Hold time.Duration `json:"hold"`
}

// Bounds of a policy.
const (
	LeastWait     = 15 * time.Second
	EmergencyWait = time.Minute   // the longest wait of a step of an emergency
	EmergencyHold = 2 * time.Hour // the longest hold of an emergency
	MostWait      = 24 * time.Hour
	LeastHold     = 5 * time.Minute
	maxSteps      = 20
)

// ErrPolicy is wrapped by what Policy.Check finds wrong.
var ErrPolicy = errors.New("the policy cannot be stored")

// Check says what is wrong with a policy. That of an emergency moves on after
// a minute at the latest, ends never, and comes to the last resort.
func (p Policy) Check() error {
	switch p.Severity {
	case Emergency, Attention, Technical:
	default:
		return fmt.Errorf("%w: there is no severity %q", ErrPolicy, p.Severity)
	}
	switch {
	case len(p.Steps) == 0 || len(p.Steps) > maxSteps:
		return fmt.Errorf("%w: 1–%d steps", ErrPolicy, maxSteps)
	case p.Rounds < 0:
		return fmt.Errorf("%w: less than no rounds", ErrPolicy)
	case p.Hold < LeastHold || p.Hold > MostWait:
		return fmt.Errorf("%w: an alert is held for 5 minutes to 24 hours", ErrPolicy)
	case p.Severity == Emergency && p.Hold > EmergencyHold:
		return fmt.Errorf("%w: an emergency is held for 2 hours at most", ErrPolicy)
	}
	last := false
	for i, s := range p.Steps {
		if len(s.Groups) == 0 {
			return fmt.Errorf("%w: step %d tells nobody", ErrPolicy, i+1)
		}
		if s.Wait < LeastWait || s.Wait > MostWait {
			return fmt.Errorf("%w: step %d waits 15 seconds to 24 hours", ErrPolicy, i+1)
		}
		if p.Severity == Emergency && s.Wait > EmergencyWait {
			return fmt.Errorf("%w: step %d of an emergency waits a minute at most", ErrPolicy, i+1)
		}
		for _, g := range s.Groups {
			switch g {
			case GroupOnDuty, GroupAllStaff, GroupContacts, GroupResponders:
			case GroupLastResort:
				last = true
			default:
				return fmt.Errorf("%w: there is no group %q", ErrPolicy, g)
			}
		}
	}
	if p.Severity == Emergency && (!last || p.Rounds != 0) {
		return fmt.Errorf("%w: an emergency comes to the last resort, and has no end", ErrPolicy)
	}
	return nil
}

// DefaultPolicy is what an area has until somebody says otherwise.
func DefaultPolicy(area string, s Severity) Policy {
	p := Policy{Area: area, Severity: s, Hold: 30 * time.Minute}
	switch s {
	case Emergency:
		p.Steps = []Step{
			{Groups: []Group{GroupOnDuty}, Wait: time.Minute},
			{Groups: []Group{GroupOnDuty, GroupAllStaff}, Wait: time.Minute},
			{Groups: []Group{GroupLastResort, GroupContacts, GroupResponders}, Wait: time.Minute},
		}
	case Attention:
		p.Hold = 2 * time.Hour
		p.Rounds = 3
		p.Steps = []Step{
			{Groups: []Group{GroupOnDuty}, Wait: 10 * time.Minute},
			{Groups: []Group{GroupOnDuty, GroupAllStaff}, Wait: 20 * time.Minute},
			{Groups: []Group{GroupLastResort}, Wait: 30 * time.Minute},
		}
	default:
		p.Hold = 24 * time.Hour
		p.Rounds = 1
		p.Steps = []Step{{Groups: []Group{GroupOnDuty}, Wait: 24 * time.Hour}}
	}
	return p
}
