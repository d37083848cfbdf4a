package care

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Call is one meeting by video with a resident: from the first ring until
// everybody has hung up. What is said in it is never kept.
type Call struct {
	ID   string
	Home string
	// Visit is the planned visit that it is, Alert what it was begun for; ""
	// for none.
	Visit, Alert string
	State        CallState
	// By is who calls, ByName and ByRole as they were then; Started when they did.
	By, ByName string
	ByRole     Role
	Started    time.Time
	// Countdown is after how many seconds the screen answers by itself, as the
	// resident has allowed who calls; 0 is never.
	Countdown int
	// Rung is when the home said that it rings, zero when it never did.
	Rung time.Time
	// Answered is when the home answered, and How.
	Answered time.Time
	How      CallAnswer
	// Ended is when it was over, and why.
	Ended time.Time
	Why   CallEnd
	// Outcome, Note and Saved are what who called says of it afterwards; Saved is
	// the travel that it made unnecessary, in minutes.
	Outcome CallOutcome
	Note    string
	Saved   int
	// People are those who took part, in the order in which they came.
	People []CallPerson
}

// CallState is how far a call has come. It only ever moves forward.
type CallState string

// The states: ringing -> answered or ended; answered -> ended.
const (
	CallRinging  CallState = "ringing"
	CallAnswered CallState = "answered"
	CallEnded    CallState = "ended"
)

// CallAnswer is how a home answered.
type CallAnswer string

// The ways of answering; "" is not answered.
const (
	ByTouch  CallAnswer = "touch"     // of the screen
	ByButton CallAnswer = "button"    // any button that the gateway hears
	ByItself CallAnswer = "automatic" // as the resident has allowed who calls, after a countdown
)

// CallEnd is why a call is over.
type CallEnd string

// The reasons.
const (
	CallDone        CallEnd = "done"        // somebody hung up, or nobody was left
	CallDeclined    CallEnd = "declined"    // by the resident
	CallLater       CallEnd = "later"       // the resident wants to be called later
	CallMissed      CallEnd = "missed"      // nobody answered
	CallCancelled   CallEnd = "cancelled"   // who called hung up before
	CallUnreachable CallEnd = "unreachable" // the home never said that it rings
	CallWithdrawn   CallEnd = "withdrawn"   // the resident has taken back that they may be called
	CallOff         CallEnd = "off"         // calls by video were turned off in the service
)

// CallOutcome is how a call went, as who called says.
type CallOutcome string

// The outcomes.
const (
	CallWell       CallOutcome = "well"        // as it should be
	CallNeedsVisit CallOutcome = "needs_visit" // somebody has to go there
	CallTechnical  CallOutcome = "technical"   // picture or sound did not do
	CallOther      CallOutcome = "other"       // the note says what
)

// CallPerson is one who took part in a call.
type CallPerson struct {
	// ID is "home" for the resident's screen, "person:" and an id, or "guest:" and an id.
	ID   string
	Name string
	Role CallRole
	// Joined is when they first came, Left when they were last gone; zero is not yet.
	Joined, Left time.Time
}

// CallRole is as what somebody takes part.
type CallRole string

// The roles in a call.
const (
	InHome        CallRole = "home"
	AsStaff       CallRole = "staff"
	AsRelative    CallRole = "relative"
	AsInterpreter CallRole = "interpreter"
	AsGuest       CallRole = "guest"
)

// Bounds of a call.
const (
	MaxCallPeople = 4                // at a time, the home among them
	MaxCallLasts  = 4 * time.Hour    // from the answer on
	MaxCallRing   = 45 * time.Second // from the first ring until it is missed
	MaxCallNote   = 4000             // characters
	MaxCallSaved  = 600              // minutes of travel
)

// Errors of calls.
var (
	ErrCall = errors.New("the call cannot be stored")
	// ErrCallOver is of a call that has ended, ErrCallBusy of a home that is in
	// another one, ErrCallFull of one with MaxCallPeople in it.
	ErrCallOver = errors.New("the call is over")
	ErrCallBusy = errors.New("the home is in another call")
	ErrCallFull = errors.New("the call is full")
	// ErrCallElsewhere is of who has joined in another browser, or tab, since.
	ErrCallElsewhere = errors.New("the call was joined elsewhere")
	// ErrCallWithdrawn is of who was in a call until the resident took back that
	// they may call.
	ErrCallWithdrawn = errors.New("the resident has taken back that they may be called")
)

// CallWent is what who called says of it afterwards.
type CallWent struct {
	Outcome CallOutcome
	Note    string
	Saved   int // minutes of travel
}

// Check says what is wrong with it.
func (w CallWent) Check() error {
	switch w.Outcome {
	case CallWell, CallNeedsVisit, CallTechnical, CallOther:
	default:
		return fmt.Errorf("%w: there is no outcome %q", ErrCall, w.Outcome)
	}
	if utf8.RuneCountInString(w.Note) > MaxCallNote || w.Saved < 0 || w.Saved > MaxCallSaved {
		return fmt.Errorf("%w: a note has at most %d characters, travel 0–%d minutes", ErrCall, MaxCallNote, MaxCallSaved)
	}
	if w.Outcome == CallOther && w.Note == "" {
		return fmt.Errorf("%w: another outcome is said in the note", ErrCall)
	}
	return nil
}

// CallGuest is somebody without a sign-in who was invited to one call.
type CallGuest struct {
	ID      string
	Call    string
	Name    string
	Role    CallRole // AsInterpreter, AsRelative or AsGuest
	Hash    string   // of the secret in the link
	Invited string   // who invited them: a name
	Expires time.Time
}

// CallFilter chooses calls; an empty field is any.
type CallFilter struct {
	Home, Visit string
	Areas       []string
	Homes       []string // nil is any; else only these
	Live        bool     // those that have not ended
	// Calls that began From <= t < To.
	From, To time.Time
	Limit    int // 0 is no limit
}
