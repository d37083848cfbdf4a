package care

import "time"

// VisitFilter chooses visits; an empty field is any.
type VisitFilter struct {
	Home string
	// Areas are those whose homes are looked at.
	Areas []string
	// Person is who comes.
	Person string
	// Asked is the relative who asked for it.
	Asked string
	// Visits that overlap From <= t < To.
	From, To time.Time
	States   []VisitState
	Limit    int // 0 is no limit
}

// NoteFilter chooses notes; an empty field is any.
type NoteFilter struct {
	Home     string
	Areas    []string
	From, To time.Time // From <= Written < To
	// Came has those too that came in that time and were written before. It
	// needs both ends.
	Came  bool
	Limit int // 0 is no limit
}

// Found is one answer to a search.
type Found struct {
	Type  FoundType
	Home  string
	Title string
	Text  string
	At    time.Time
}

// FoundType says what was found.
type FoundType string

// What can be found.
const (
	FoundHome   FoundType = "home"
	FoundNote   FoundType = "note"
	FoundPerson FoundType = "person"
)

// SearchIn says where is searched.
type SearchIn struct {
	Areas               []string  // empty is every area
	Cards, Notes, Names bool      // the residents' cards, the notes, the names of people
	Since               time.Time // notes from then on; zero is from the beginning
	Limit               int       // of each
}

// Period is the time that statistics are about: whole days of a zone.
type Period struct {
	Days []time.Time // when each day begins, and when the last one ends
	Zone *time.Location
	// Areas are those whose homes are counted; empty is all.
	Areas []string
}

// DayCount is what happened on one day. Tests are not counted.
type DayCount struct {
	Date                            time.Time
	Emergency, Attention, Technical int
	// TakenMedian and TakenP90 are how long it took until somebody had an
	// emergency; zero when none was taken.
	TakenMedian, TakenP90    time.Duration
	VisitsDone, VisitsMissed int
	// Calls by video of the staff: that were answered, and that were not, though
	// they rang; how long those that were answered lasted in all; and the minutes
	// of travel that they saved, as who called says.
	Calls, CallsMissed int
	CallTime           time.Duration
	CallSaved          int
}

// Statistics are counts of a period.
type Statistics struct {
	Days      []DayCount
	ByOutcome map[Outcome]int // of the alerts that were raised then and are closed
	ByHour    [24]int         // emergencies, by the hour in the zone
	Homes     int
	Protected int // of the homes
	Messages  int
}

// ScreenTurn is a home whose screen may have to be told something.
type ScreenTurn struct {
	Home string
	// Turn grows with each change: what was built from an earlier turn is not stored.
	Turn    int64
	Gateway string // that was told last
	Version int64  // of what it was told
	Hash    string // of what it was told, "" is nothing
	// Refused is until when the gateway is not asked, as it does not know how.
	Refused time.Time
}

// ScreenCommand and a version is the id of the command that tells a screen.
const ScreenCommand = "screen-"

// ScreenContent is all that a home's screen is made of.
type ScreenContent struct {
	Home      Home
	Resident  Resident
	Visits    []Visit // planned, from the beginning of today
	Reminders []Reminder
	Consents  Consents
	Names     map[string]string // of the people who come, by id
	Contacts  []Person          // of the home, about whom the resident decides
	Looks     []AuditEntry      // newest first
}

// ScreenWord is what comes of a turn.
type ScreenWord struct {
	ScreenTurn
	// Next is when the screen changes by itself, as when a day begins; zero is never.
	Next time.Time
	// Command is what the gateway is told; nil when there is nothing new.
	Command *PendingCommand
}

// Contact is a relative of a resident, or somebody else who stands by.
type Contact struct {
	Person Person
	Alerts []AlertKind // of which they are told; empty is all
}

// Phone is the first telephone number of a person, "" when none is known.
func (p Person) Phone() string {
	for _, a := range p.Addresses {
		if a.Channel == ChannelSMS || a.Channel == ChannelVoice {
			return a.To
		}
	}
	return ""
}
