package alarm

import (
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// nobodyWait is how long until it is looked again for somebody to tell, when
// a whole round of an alert found nobody: a rota may be mended meanwhile.
const nobodyWait = time.Minute

// Turn decides what is done about an alert now: who is told, and when to look
// again. Who finds the people of a group as they are now. It is called when the
// escalation is due, and may be called at any other time: it then tells nobody.
func Turn(a care.Alert, e care.Escalation, p care.Policy, who func(care.Group) []care.Person, now time.Time) ([]care.Telling, care.Escalation) {
	switch a.State {
	case care.Resolved:
		e.Due, e.Unheard = time.Time{}, false
		return nil, e
	case care.Acknowledged:
		if !a.AcknowledgedAt.Equal(e.Held) {
			if until := a.AcknowledgedAt.Add(p.Hold); now.Before(until) {
				e.Due, e.Unheard = until, false
				return nil, e
			}
			// Taken, and not closed: from the beginning.
			e.Round, e.Step, e.Due, e.Held = e.Round+1, 0, now, a.AcknowledgedAt
			e.From = e.Round
		}
	}
	if e.Due.IsZero() || now.Before(e.Due) {
		return nil, e
	}
	for range p.Steps {
		if over(p, e) {
			break
		}
		step := p.Steps[min(e.Step, len(p.Steps)-1)] // the policy may have become shorter
		tell := telling(a, e, step, who)
		if e.Step++; e.Step >= len(p.Steps) {
			e.Round, e.Step = e.Round+1, 0
		}
		if len(tell) > 0 {
			e.Due, e.Unheard = now.Add(step.Wait), false
			return tell, e
		}
	}
	e.Unheard = true
	if e.Due = now.Add(nobodyWait); over(p, e) {
		e.Due = time.Time{}
	}
	return nil, e
}

// over reports whether all rounds have been gone through.
func over(p care.Policy, e care.Escalation) bool { return p.Rounds > 0 && e.Round-e.From >= p.Rounds }

// telling is who is told in a step: each person once, by the first address.
func telling(a care.Alert, e care.Escalation, s care.Step, who func(care.Group) []care.Person) []care.Telling {
	var out []care.Telling
	for _, g := range s.Groups {
		for _, p := range who(g) {
			known := slices.ContainsFunc(out, func(t care.Telling) bool { return t.Person == p.ID })
			if p.Away || len(p.Addresses) == 0 || known {
				continue
			}
			out = append(out, care.Telling{Alert: a.ID, Round: e.Round, Step: e.Step, Person: p.ID, Address: p.Addresses[0], Group: g})
		}
	}
	return out
}
