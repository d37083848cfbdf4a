package care

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
)

// AlertKind says what an alert is about.
type AlertKind string

// The kinds of alert.
const (
	AlertSOS            AlertKind = "sos"
	AlertFall           AlertKind = "fall"
	AlertSmoke          AlertKind = "smoke"
	AlertCarbonMonoxide AlertKind = "carbon_monoxide"
	AlertWaterLeak      AlertKind = "water_leak"
	AlertCheckInMissed  AlertKind = "check_in_missed"
	AlertGatewaySilent  AlertKind = "gateway_silent"
	AlertSensorSilent   AlertKind = "sensor_silent"
	AlertBatteryLow     AlertKind = "battery_low"
	AlertTestMissed     AlertKind = "test_missed"  // the gateway's own daily test
	AlertVisitMissed    AlertKind = "visit_missed" // nobody answered a planned visit by video
	AlertCallBack       AlertKind = "call_back"    // the resident wants to be called
)

// Known reports whether the kind is one of those above.
func (k AlertKind) Known() bool {
	switch k {
	case AlertSOS, AlertFall, AlertSmoke, AlertCarbonMonoxide, AlertWaterLeak, AlertCheckInMissed, AlertGatewaySilent, AlertSensorSilent,
		AlertBatteryLow, AlertTestMissed, AlertVisitMissed, AlertCallBack:
		return true
	}
	return false
}

// Severity orders alerts by how soon a human is needed.
type Severity string

// The severities, most urgent first.
const (
	Emergency Severity = "emergency" // somebody may be in danger now
	Attention Severity = "attention" // somebody should look within the hour
	Technical Severity = "technical" // something needs mending
)

// Severity returns how soon a human is needed.
func (k AlertKind) Severity() Severity {
	switch k {
	case AlertSOS, AlertFall, AlertSmoke, AlertCarbonMonoxide:
		return Emergency
	case AlertWaterLeak, AlertCheckInMissed, AlertGatewaySilent, AlertVisitMissed, AlertCallBack:
		return Attention
	}
	return Technical
}

// ClosesItself reports whether the end of the cause closes the alert. Where
// somebody may have come to harm only a person closes it.
func (k AlertKind) ClosesItself() bool {
	switch k {
	case AlertGatewaySilent, AlertSensorSilent, AlertBatteryLow, AlertCheckInMissed, AlertTestMissed:
		return true
	}
	return false
}

// Lasts reports whether the cause goes on until it is said to have ended: of
// such alerts one stands at a time, and one that was closed while it goes on
// is raised again.
func (k AlertKind) Lasts() bool {
	return k == AlertSmoke || k == AlertCarbonMonoxide || k == AlertWaterLeak
}

// Single reports whether one at a time stands of the same home and device, though
// only a person closes it: who has asked to be called is not listed twice, nor is a
// visit for which one has rung in vain twice. The device of a missed visit is its id.
// A wish to be called that somebody has is another matter: see Alert.Tells.
func (k AlertKind) Single() bool { return k == AlertCallBack || k == AlertVisitMissed }

// samePress is how far apart the two ways of one wish to be called may arrive:
// the word of the call, and the reading.
const samePress = time.Minute

// Tells reports whether an alert of a Single kind that stands tells already what
// another of the same source would. A wish to be called that somebody has taken does
// not tell of a later one: the resident has asked again, and an alert never goes
// back to everybody's list. What was pressed before it was taken, and comes within a
// minute, is the same wish; the minute bounds what a clock that is behind can hide.
func (a Alert) Tells(next Alert) bool {
	switch {
	case a.State == Resolved:
		return false
	case a.State == Open, a.Kind != AlertCallBack:
		return true
	}
	return !next.Observed.After(a.AcknowledgedAt) && next.Raised.Sub(a.Raised) < samePress
}

// AlertState is where an alert stands. It only ever moves forward.
type AlertState string

// The states, in their order.
const (
	Open         AlertState = "open"
	Acknowledged AlertState = "acknowledged"
	Resolved     AlertState = "resolved"
)

// Outcome says how an alert ended.
type Outcome string

// The outcomes. OutcomeRecovered is the system's own: the cause went away.
const (
	OutcomeHelped        Outcome = "helped"
	OutcomeFalsePress    Outcome = "false_press"
	OutcomeTest          Outcome = "test"
	OutcomeTechnical     Outcome = "technical"
	OutcomeCouldNotReach Outcome = "could_not_reach"
	OutcomeOther         Outcome = "other"
	OutcomeRecovered     Outcome = "recovered"
)

// ByHand reports whether a person may give the outcome.
func (o Outcome) ByHand() bool {
	switch o {
	case OutcomeHelped, OutcomeFalsePress, OutcomeTest, OutcomeTechnical, OutcomeCouldNotReach, OutcomeOther:
		return true
	}
	return false
}

// Cause names the record that an alert comes from; zero for findings that no
// record caused (silence, a missed check-in).
type Cause struct {
	Epoch string
	Seq   uint64
}

// Alert is something that needs a human.
type Alert struct {
	ID       string
	Home     string
	Kind     AlertKind
	Severity Severity
	State    AlertState
	Device   string
	Room     string
	Cause    Cause
	// Observed is when it happened, by the best clock known.
	Observed time.Time
	// Raised is when the cloud knew, by its own clock.
	Raised time.Time

	// AcknowledgedBy took it first; Hand has it now.
	AcknowledgedBy string
	AcknowledgedAt time.Time
	Hand           Hand
	ResolvedBy     string
	ResolvedAt     time.Time
	Outcome        Outcome
	Note           string
	// Recovered is when the cause went away (smoke cleared, gateway back).
	Recovered time.Time

	// Test says that the press was announced as a test. One that nobody takes
	// becomes an alert like any other.
	Test bool
	// Overdue says that who has it has not closed it in time: others are told anew.
	Overdue bool
	// Unheard says that nobody was found to tell, or that all have been told in
	// vain: screens show it in place of silence.
	Unheard bool
	// Reached is when the home last said that it knows who has it, Heard when the
	// resident's screen has shown it; of the present hand.
	Reached, Heard time.Time
}

// Hand is who has an alert.
type Hand struct {
	By   string
	At   time.Time // since when, or since they last said so
	Left time.Time // when they set out; zero before
	// Expected is when they are expected to be there; zero when they have not said.
	Expected time.Time
}

// Stage is how far an alert has come, in more detail than its state.
type Stage string

// The stages, in the order in which most alerts go through them.
const (
	StageOpen         Stage = "open"
	StageAcknowledged Stage = "acknowledged"
	StageOnTheWay     Stage = "on_the_way"
	StageResolved     Stage = "resolved"
)

// Stage returns how far the alert has come.
func (a Alert) Stage() Stage {
	switch {
	case a.State == Resolved:
		return StageResolved
	case a.State == Open:
		return StageOpen
	case a.Hand.Left.IsZero():
		return StageAcknowledged
	}
	return StageOnTheWay
}

// AlertID is the same for the same cause, however often it is evaluated: a
// hash of home, kind, device and what happened.
func AlertID(home string, kind AlertKind, device, what string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{home, string(kind), device, what}, "\x00")))
	return "a" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}

// Errors of the transitions.
var (
	ErrAlreadyResolved = errors.New("the alert is already resolved")
	ErrOutcome         = errors.New("not an outcome that a person can give")
	ErrNoActor         = errors.New("an action on an alert needs a name")
	ErrExpected        = errors.New("expected within the next four hours")
)

// MostExpected is how far ahead somebody on the way can be expected: an alert that
// is left to them for longer is better told to others.
const MostExpected = 4 * time.Hour

// Acknowledge records that somebody has it. One that somebody else has is left
// to them, unless they are overdue. A resolved alert returns ErrAlreadyResolved.
func (a Alert) Acknowledge(by string, now time.Time) (Alert, error) {
	if by != "" && a.State == Acknowledged && !a.Overdue {
		return a, nil
	}
	return a.TakeOver(by, now)
}

// TakeOver records that somebody has it now, whoever had it before.
func (a Alert) TakeOver(by string, now time.Time) (Alert, error) {
	switch {
	case by == "":
		return a, ErrNoActor
	case a.State == Resolved:
		return a, ErrAlreadyResolved
	case a.State == Acknowledged && a.Hand.By == by && !a.Overdue:
		return a, nil
	case a.Hand.By == by:
		if a.Hand.At = now; a.Hand.Expected.Before(now) {
			a.Hand.Expected = time.Time{}
		}
	default:
		a.Hand = Hand{By: by, At: now}
	}
	return a.held(now), nil
}

// OnTheWay records that somebody has it, has set out, and when they are
// expected: after now and within four hours, or zero when they do not say. It
// returns ErrExpected for another time.
func (a Alert) OnTheWay(by string, expected, now time.Time) (Alert, error) {
	if !expected.IsZero() && (!expected.After(now) || expected.After(now.Add(MostExpected))) {
		return a, ErrExpected
	}
	had := a.Hand
	a, err := a.TakeOver(by, now)
	if err != nil {
		return a, err
	}
	if had.By != by || had.Left.IsZero() {
		a.Hand.Left = now
	}
	a.Hand.At, a.Hand.Expected = now, expected
	return a.held(now), nil
}

// held is the alert in a new hand, of which the home has not heard.
func (a Alert) held(now time.Time) Alert {
	if a.State == Open {
		a.State, a.AcknowledgedBy, a.AcknowledgedAt = Acknowledged, a.Hand.By, now
	}
	a.Overdue, a.Unheard, a.Reached, a.Heard = false, false, time.Time{}, time.Time{}
	return a
}

// Held reports whether nobody needs to be told of it now: it is over, or left to
// who has it.
func (a Alert) Held() bool { return a.State == Resolved || a.State == Acknowledged && !a.Overdue }

// HeldUntil is until when an alert that somebody has is left to them: so long
// after they last spoke, or after they are expected.
func (a Alert) HeldUntil(hold time.Duration) time.Time {
	from := a.Hand.At
	if a.Hand.Expected.After(from) {
		from = a.Hand.Expected
	}
	return from.Add(hold)
}

// Resolve closes the alert with an outcome. It returns ErrAlreadyResolved
// when somebody has done so before.
func (a Alert) Resolve(by string, outcome Outcome, note string, now time.Time) (Alert, error) {
	switch {
	case by == "":
		return a, ErrNoActor
	case !outcome.ByHand():
		return a, fmt.Errorf("%w: %q", ErrOutcome, outcome)
	case a.State == Resolved:
		return a, ErrAlreadyResolved
	}
	a.State, a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Note = Resolved, by, now, outcome, note
	a.Overdue, a.Unheard = false, false
	return a, nil
}

// Recover records that the cause went away at t, and closes the alerts that
// close themselves.
func (a Alert) Recover(now time.Time) Alert {
	if a.State == Resolved {
		return a
	}
	a.Recovered = now
	if a.Kind.ClosesItself() {
		a.State, a.ResolvedAt, a.Outcome = Resolved, now, OutcomeRecovered
		a.Overdue, a.Unheard = false, false
	}
	return a
}

// AlertKindOf returns the alert that a reading of the kind raises when its
// value is on, and false for kinds that raise none by themselves.
func AlertKindOf(k devices.Kind) (AlertKind, bool) {
	switch k {
	case devices.SOS:
		return AlertSOS, true
	case devices.Fall:
		return AlertFall, true
	case devices.Smoke:
		return AlertSmoke, true
	case devices.CarbonMonoxide:
		return AlertCarbonMonoxide, true
	case devices.WaterLeak:
		return AlertWaterLeak, true
	case devices.CallBack:
		return AlertCallBack, true
	}
	return "", false
}

// AlertFilter chooses alerts. States empty is any state; Home empty is any
// home; Limit 0 is no bound.
type AlertFilter struct {
	States []AlertState
	Home   string
	// Areas are those of whose homes the alerts are; Also are homes besides.
	// No area is any.
	Areas  []string
	Also   []string
	Before time.Time // raised before; zero is any time
	Since  time.Time // raised then or later; zero is any time
	Limit  int
}
