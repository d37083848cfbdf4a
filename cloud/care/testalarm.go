package care

import (
	"errors"
	"fmt"
	"time"
)

// TestAlarm is a test of a home by a press of a real button, which goes the
// whole chain: home, cloud, a message to whoever tests, their hand on it, and
// the word of that back in the home. The press is announced; it is an alert
// that is marked as a test, told to who announced it alone, and told to others
// like any other when that person does not take it.
type TestAlarm struct {
	ID     string
	Home   string
	Person string    // who is told: the id
	By     string    // who announced it: the name
	From   time.Time // of the window in which the press is awaited
	To     time.Time
	Alert  string    // the press, once it has come
	Passed time.Time // zero until then
	Ended  time.Time // when it was over, passed or not; zero while it is awaited
	Failed string    // why it did not pass
}

// The window of a test: long enough to walk to the button, short enough to be
// remembered.
const (
	LeastTestWindow = time.Minute
	MostTestWindow  = 30 * time.Minute
)

// ErrTestAlarm is wrapped by what TestAlarm.Check finds wrong.
var ErrTestAlarm = errors.New("the test cannot be announced")

// Check says what is wrong with a test.
func (t TestAlarm) Check() error {
	switch {
	case t.Home == "" || t.By == "":
		return fmt.Errorf("%w: it is of one home, by somebody with a name", ErrTestAlarm)
	case t.Person == "":
		return fmt.Errorf("%w: who tests can be told of the press", ErrTestAlarm)
	case t.To.Sub(t.From) < LeastTestWindow || t.To.Sub(t.From) > MostTestWindow:
		return fmt.Errorf("%w: the press is awaited for 1–30 minutes", ErrTestAlarm)
	}
	return nil
}

// Reasons why a test did not pass.
const (
	TestNotTold    = "not_told"    // no message was accepted
	TestNotReached = "not_reached" // the home did not hear who has it
	TestNotTaken   = "not_taken"   // who tests did not take it; others were told
	TestNoPress    = "no_press"    // no press came in time
	TestFromScreen = "from_screen" // the chain is whole, but the press was made on the resident's screen: the button is unproven
)

// ScreenDevice is the resident's screen, as gateways name what is done on it.
const ScreenDevice = "kiosk"

// Judge says how a test stands once its alert has changed. Told is whether a
// message about the press was accepted.
func (t TestAlarm) Judge(a Alert, told bool, now time.Time) TestAlarm {
	switch {
	case !t.Passed.IsZero() || t.Failed == TestFromScreen || a.State == Open && a.Test:
		return t
	case !a.Test:
		t.Failed, t.Ended = TestNotTaken, now
	case !told:
		t.Failed = TestNotTold
	case a.Reached.IsZero():
		t.Failed = TestNotReached
	case a.Device == ScreenDevice:
		t.Failed, t.Ended = TestFromScreen, now
	default:
		t.Failed, t.Passed, t.Ended = "", now, now
	}
	if a.State == Resolved && t.Ended.IsZero() {
		t.Ended = now
	}
	return t
}

// Protection says whether a home can count on its button.
type Protection string

// The protections.
const (
	NeverTested Protection = "never_tested" // no press has ever gone the whole chain
	Protected   Protection = "protected"
	TestDue     Protection = "test_due" // the latest is too long ago
)

// TestEvery is how old the latest test by hand may be: a month, and some days
// for who does it.
const TestEvery = 35 * 24 * time.Hour

// ProtectionOf returns how a home stands whose latest test by hand passed
// then; zero is never.
func ProtectionOf(passed, now time.Time) Protection {
	switch {
	case passed.IsZero():
		return NeverTested
	case now.Sub(passed) > TestEvery:
		return TestDue
	}
	return Protected
}
