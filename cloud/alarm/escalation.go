package alarm

import (
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// lookAnew is how long until it is looked again at an alert for which nobody
// was found, as a rota may be mended meanwhile, or which another one covers.
const lookAnew = time.Minute

// Decision is what is done about an alert: who is told, when to look again,
// and what of it shows on the alert itself.
type Decision struct {
	Tell       []care.Telling
	Escalation care.Escalation
	Alert      care.Alert
}

// Turn decides what is done about an alert now. It is called when the
// escalation is due, and may be called at any other time: it then tells nobody.
// It goes through stages; the first that has an answer ends it.
func Turn(s care.Situation, now time.Time) Decision {
	t := &turn{Situation: s, now: now}
	for _, done := range [...]func() bool{t.closed, t.held, t.early, t.tested, t.silenced, t.covered, t.byNight, t.step} {
		if done() {
			break
		}
	}
	return Decision{Tell: t.tell, Escalation: t.Escalation, Alert: t.Alert}
}

type turn struct {
	care.Situation
	now  time.Time
	tell []care.Telling
}

// closed: there is nothing left to do.
func (t *turn) closed() bool {
	if t.Alert.State != care.Resolved {
		return false
	}
	t.Escalation.Due = time.Time{}
	return true
}

// held: it is left to who has it. After their time, telling begins anew.
func (t *turn) held() bool {
	a, e := &t.Alert, &t.Escalation
	if a.State != care.Acknowledged || a.Hand.At.Equal(e.Held) {
		return false
	}
	if until := a.HeldUntil(t.Policy.Hold); t.now.Before(until) {
		e.Due = until
		return true
	}
	a.Overdue = true
	e.Held, e.Due = a.Hand.At, t.now
	t.anew()
	return false
}

// anew begins with the first step; what was told before keeps its keys.
func (t *turn) anew() {
	e := &t.Escalation
	e.Round, e.Step = e.Round+1, 0
	e.From = e.Round
}

// early: it is not due, or all has been done.
func (t *turn) early() bool {
	return t.Escalation.Due.IsZero() || t.now.Before(t.Escalation.Due)
}

// tested: a press that was announced as a test is told to who announced it.
// When they do not take it, it is one like any other.
func (t *turn) tested() bool {
	a, e := &t.Alert, &t.Escalation
	if !a.Test {
		return false
	}
	if t.Tester != nil && e.Step == 0 {
		t.reach(care.GroupTester, *t.Tester)
	}
	if len(t.tell) == 0 {
		a.Test = false
		t.anew()
		return false
	}
	e.Step, e.Due = 1, t.now.Add(care.EmergencyWait)
	return true
}

// silenced: somebody has said that it is expected for a while.
func (t *turn) silenced() bool {
	for _, s := range t.Silences {
		if until := s.Until(t.Alert, t.now); !until.IsZero() {
			t.Escalation.Due = until
			return true
		}
	}
	return false
}

// quiet reports whether an alert is silenced now.
func (t *turn) quiet(a care.Alert) bool {
	return slices.ContainsFunc(t.Silences, func(s care.Silence) bool { return !s.Until(a, t.now).IsZero() })
}

// covered: another alert of the home explains it, or brings somebody anyway.
func (t *turn) covered() bool {
	if !slices.ContainsFunc(t.Others, func(o care.Alert) bool { return !t.quiet(o) && t.Alert.CoveredBy(o, t.now) }) {
		return false
	}
	t.Escalation.Due = t.now.Add(lookAnew)
	return true
}

// byNight: what only needs mending waits for the day.
func (t *turn) byNight() bool {
	if t.Alert.Severity != care.Technical {
		return false
	}
	zone, err := time.LoadLocation(t.Home.Zone)
	if err != nil {
		zone = time.UTC // a home is checked before it is stored
	}
	day := care.NextDay(t.now, zone)
	if !day.After(t.now) {
		return false
	}
	t.Escalation.Due = day
	return true
}

// step tells the people of the next step for which there are any.
func (t *turn) step() bool {
	a, e, p := &t.Alert, &t.Escalation, t.Policy
	before := *e
	for range p.Steps {
		if t.over() {
			break
		}
		step := p.Steps[min(e.Step, len(p.Steps)-1)] // the policy may have become shorter
		for _, g := range step.Groups {
			t.reach(g, t.Members[g]...)
		}
		if e.Step++; e.Step >= len(p.Steps) {
			e.Round, e.Step = e.Round+1, 0
		}
		if len(t.tell) > 0 {
			e.Due, a.Unheard = t.now.Add(step.Wait), false
			return true
		}
	}
	a.Unheard = true
	if e.Due = t.now.Add(lookAnew); t.over() {
		e.Due = time.Time{}
	}
	if before.Step == 0 && e.Round > before.Round { // a round in which nobody was found is none: a rota may be mended yet
		e.Round, e.Step, e.Due = before.Round, before.Step, t.now.Add(lookAnew)
	}
	return true
}

// over reports whether all rounds have been gone through.
func (t *turn) over() bool {
	return t.Policy.Rounds > 0 && t.Escalation.Round-t.Escalation.From >= t.Policy.Rounds
}

// reach tells people, each once: by the first of their addresses, and of an
// emergency in each round by another, as not every channel says that nobody heard.
func (t *turn) reach(g care.Group, people ...care.Person) {
	for _, p := range people {
		known := slices.ContainsFunc(t.tell, func(told care.Telling) bool { return told.Person == p.ID })
		if p.Away || len(p.Addresses) == 0 || known {
			continue
		}
		first := 0
		if t.Alert.Severity == care.Emergency {
			first = (t.Escalation.Round - t.Escalation.From) % len(p.Addresses)
		}
		t.tell = append(t.tell, care.Telling{
			Alert: t.Alert.ID, About: care.AboutAlarm, Round: t.Escalation.Round, Step: t.Escalation.Step,
			Person: p.ID, Address: p.Addresses[first], Nth: p.Nth(first), Group: g,
		})
	}
}
