package care

import (
	"slices"
	"time"
)

// Escalation is how far the telling of one alert has come. It is stored with
// the alert, in the same transaction, so that there is no alert that nothing
// is going to be done about.
type Escalation struct {
	Alert string
	// Round and Step are those that come next, from 0.
	Round, Step int
	// From is the round with which telling began, or began anew.
	From int
	// Due is when; zero when there is nothing left to do.
	Due time.Time
	// Held is since when the hand has had the alert whose time has run out: it is
	// not waited for twice.
	Held time.Time
}

// About says what is told of an alert.
type About string

// What people are told.
const (
	AboutAlarm  About = "alarm"  // somebody is needed
	AboutTaken  About = "taken"  // to relatives: somebody has it
	AboutClosed About = "closed" // to relatives: it is over
	AboutAnswer About = "answer" // to who has answered a message: what came of it
)

// Telling is one person being told of one alert, at one address, in one step of
// one round. All but the group and the address itself are its key: told once for
// each.
type Telling struct {
	Alert       string
	About       About
	Round, Step int
	Person      string
	Address     Address
	Nth         int // of the person's addresses of that channel, from 0
	// Group is why this person is told.
	Group Group
}

// TellingState is how far a telling has come.
type TellingState string

// The states, in their order but for the last two, of which either may end it.
const (
	TellingWaits     TellingState = "waiting"   // to be sent
	TellingAccepted  TellingState = "accepted"  // the provider has it
	TellingDelivered TellingState = "delivered" // it is on the person's own device
	TellingFailed    TellingState = "failed"    // for good
	TellingDropped   TellingState = "dropped"   // not sent: somebody had taken the alert
)

// Told is a telling and what became of it.
type Told struct {
	Telling
	Severity Severity // of the alert
	State    TellingState
	Provider string // the provider's own id, once it has accepted
	Reason   string // why it failed
	Tries    int
	Due      time.Time // when to send, while it waits
	Decided  time.Time
	Changed  time.Time // when the state was reached
}

// Member says that a person belongs to a group: of an area, where Scope is its
// id and "" is every area, or of a home, where it is the home's.
type Member struct {
	Group  Group
	Scope  string
	Person string
	// Alerts are the kinds that the person is told of; empty is all.
	Alerts []AlertKind
}

// OfHome reports whether the group is one of a home, not of an area.
func (g Group) OfHome() bool { return g == GroupContacts || g == GroupResponders }

// Role is in what role the people of a group act.
func (g Group) Role() Role {
	switch g {
	case GroupContacts:
		return Relative
	case GroupResponders:
		return Responder
	}
	return Caregiver
}

// Situation is all that decides who is told of an alert now.
type Situation struct {
	Alert      Alert
	Home       Home
	Escalation Escalation
	Policy     Policy
	// Members are the people of the home's groups and its area's, as they are
	// now, with those on duty under GroupOnDuty.
	Members map[Group][]Person
	// Others are the other alerts of the home that are not resolved.
	Others []Alert
	// Silences are those of the home that have not ended.
	Silences []Silence
	// Tester is who has announced the press as a test; nil when nobody has.
	Tester *Person
}

// Needless reports whether nobody waits for it any more, as the alert stands:
// somebody has it, or it is over.
func (t Telling) Needless(a Alert) bool {
	switch t.About {
	case AboutAlarm:
		return a.Held()
	case AboutTaken:
		return a.State == Resolved
	}
	return false
}

// Instead is what follows when a telling has failed for good: the same person
// by the next address; false when there is none.
func (t Telling) Instead(p Person) (Telling, bool) {
	i := slices.Index(p.Addresses, t.Address)
	if p.Away || i+1 >= len(p.Addresses) {
		return Telling{}, false
	}
	t.Address, t.Nth = p.Addresses[i+1], p.Nth(i+1)
	return t, true
}
