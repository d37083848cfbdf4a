package care

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Resident is the card of who lives in a home: what somebody who rings the
// bell must know. Two who live together share it, as sensors cannot tell them
// apart.
type Resident struct {
	Home string `json:"-"`
	// Name is the full name, Called what they want to be called.
	Name     string `json:"name"`
	Called   string `json:"called"`
	Born     string `json:"born"` // a year, or YYYY-MM-DD
	Phone    string `json:"phone"`
	Address  string `json:"address"`
	Entry    string `json:"entry"`    // how one gets in: door code, key number
	Language string `json:"language"` // BCP 47, of the screen in the home
	// Important is what must be seen at once: allergies, hearing, a dog.
	Important string `json:"important"`
	// Wishes is how they want to be helped, in their own words.
	Wishes string `json:"wishes"`
	// Ask is when the screen asks how they are, in minutes after midnight; 0 is never.
	Ask       int       `json:"ask"`
	Changed   time.Time `json:"-"`
	ChangedBy string    `json:"-"`
}

// Errors of what is written about a resident.
var (
	ErrResident = errors.New("the card cannot be stored")
	ErrNote     = errors.New("the note cannot be stored")
	ErrVisit    = errors.New("the visit cannot be stored")
	// ErrVisitChanged is of a plan that was made before somebody else changed
	// the visit; ErrVisitOff of word from a visit that was not to take place.
	ErrVisitChanged = errors.New("the visit was changed meanwhile")
	ErrVisitOff     = errors.New("the visit was not to take place")
	ErrReminder     = errors.New("the reminder cannot be stored")
	ErrMessage      = errors.New("the message cannot be stored")
)

// Check says what is wrong with a card.
func (r Resident) Check() error {
	for name, s := range map[string]string{"name": r.Name, "called": r.Called, "born": r.Born, "phone": r.Phone, "entry": r.Entry} {
		if utf8.RuneCountInString(s) > 200 {
			return fmt.Errorf("%w: %s is at most 200 characters", ErrResident, name)
		}
	}
	for name, s := range map[string]string{"address": r.Address, "important": r.Important, "wishes": r.Wishes} {
		if utf8.RuneCountInString(s) > 2000 {
			return fmt.Errorf("%w: %s is at most 2,000 characters", ErrResident, name)
		}
	}
	if r.Language != "" && r.Language != "sv" && r.Language != "en" {
		return fmt.Errorf("%w: the screen speaks sv or en", ErrResident)
	}
	if r.Ask < 0 || r.Ask >= 24*60 {
		return fmt.Errorf("%w: a time of day is 0–1439 minutes after midnight", ErrResident)
	}
	return nil
}

// Note is what staff wrote about a day with a resident. Notes are never
// changed: a correction is a note that names the one that it corrects.
type Note struct {
	ID   string
	Home string
	// At is when the service had it, Written when it was written: earlier where
	// there was no network.
	At, Written time.Time

	Author   string
	Person   string // who the author is, "" is not known
	Kind     NoteKind
	Text     string
	Corrects string
	Alert    string // what it is about, "" is none
}

// writtenBefore is how long before it came a note may have been written:
// beyond, the device's clock is not believed.
const writtenBefore = 7 * 24 * time.Hour

// WrittenAt is when a note was written that came at a time, and of which the
// device says when it was written; zero is that it says nothing. Nothing was
// written after it came: that is when it came.
func WrittenAt(came, said time.Time) time.Time {
	if said.After(came) || said.Before(came.Add(-writtenBefore)) {
		return came
	}
	return said
}

// lateAfter is from when on a note came later than it was written, and not just
// slowly.
const lateAfter = 10 * time.Minute

// Late reports whether a note came so much later than it was written that who
// read of that time may have missed it.
func (n Note) Late() bool { return n.At.Sub(n.Written) > lateAfter }

// NoteKind is what a note is about.
type NoteKind string

// The kinds of note.
const (
	NoteVisit       NoteKind = "visit"       // what was done at a visit
	NoteObservation NoteKind = "observation" // something that was seen
	NoteHandOver    NoteKind = "hand_over"   // for the next shift
	NoteContact     NoteKind = "contact"     // talked with a relative, a doctor
)

// Check says what is wrong with a note.
func (n Note) Check() error {
	switch {
	case n.Home == "" || n.ID == "" || n.Author == "":
		return fmt.Errorf("%w: it has an id, a home and an author", ErrNote)
	case n.Kind != NoteVisit && n.Kind != NoteObservation && n.Kind != NoteHandOver && n.Kind != NoteContact:
		return fmt.Errorf("%w: there is no kind %q", ErrNote, n.Kind)
	case n.Text == "" || utf8.RuneCountInString(n.Text) > 4000:
		return fmt.Errorf("%w: it has 1–4,000 characters", ErrNote)
	}
	return nil
}

// Feature is something that a service can do or cannot, as it was started. The
// apps offer nothing else, and what was planned with one that it lacks is an
// ordinary visit.
type Feature string

// FeatureVideo is a call by video on the resident's screen.
const FeatureVideo Feature = "video"

// Visit is somebody who comes to a home, or calls by video.
type Visit struct {
	ID       string
	Home     string
	From, To time.Time
	Person   string // of the staff or a relative; "" is not decided
	What     string
	Video    bool
	State    VisitState
	Asked    string // the id of the relative who asked for it, "" is nobody
	Note     string // why it was declined or cancelled, how it went
	Changed  time.Time
	By       string // who changed it last
	// Rev grows with each change, from 1; 0 is a visit that is not stored yet.
	Rev int64
}

// VisitWent is what who was there says of how a visit went. It says nothing of
// when it was to be, and for whom.
type VisitWent struct {
	Visit string
	State VisitState // VisitDone or VisitMissed
	Note  string
	At    time.Time
	By    string
}

// Check says what is wrong with it.
func (w VisitWent) Check() error {
	switch {
	case w.State != VisitDone && w.State != VisitMissed:
		return fmt.Errorf("%w: it was done or missed", ErrVisit)
	case w.State == VisitMissed && w.Note == "":
		return fmt.Errorf("%w: why it was missed is said", ErrVisit)
	case utf8.RuneCountInString(w.Note) > 1000:
		return fmt.Errorf("%w: what is said of it at one time has at most 1000 characters", ErrVisit)
	}
	return nil
}

// Went is the visit with what is said of it: words that are there already
// stay, and new ones stand below them. It returns ErrVisitOff for one that was
// not to take place, and what Check finds.
func (v Visit) Went(w VisitWent) (Visit, error) {
	if err := w.Check(); err != nil {
		return v, err
	}
	switch v.State {
	case VisitCancelled, VisitDeclined, VisitRequested:
		return v, fmt.Errorf("%w: it is %s", ErrVisitOff, v.State)
	}
	after := v
	after.State = w.State
	switch {
	case strings.HasPrefix(w.Note+"\n", v.Note+"\n") || v.Note == "": // who read it has added to it
		after.Note = w.Note
	case !strings.Contains("\n"+v.Note+"\n", "\n"+w.Note+"\n"):
		after.Note = strings.TrimRight(v.Note+"\n"+w.Note, "\n")
	}
	if after != v {
		after.Changed, after.By = w.At, w.By
	}
	return after, after.Check()
}

// SamePlan reports whether two visits say the same, whoever wrote them when.
func (v Visit) SamePlan(o Visit) bool {
	o.Changed, o.By, o.Rev, o.Asked = v.Changed, v.By, v.Rev, v.Asked
	o.From, o.To = sameInstant(v.From, o.From), sameInstant(v.To, o.To)
	return v == o
}

// sameInstant is a where b is the same instant, else b.
func sameInstant(a, b time.Time) time.Time {
	if a.Equal(b) {
		return a
	}
	return b
}

// VisitState is how far a visit has come.
type VisitState string

// The states of a visit: requested -> planned or declined; planned -> done,
// cancelled or missed.
const (
	VisitRequested VisitState = "requested"
	VisitPlanned   VisitState = "planned"
	VisitDeclined  VisitState = "declined"
	VisitDone      VisitState = "done"
	VisitCancelled VisitState = "cancelled"
	VisitMissed    VisitState = "missed"
)

// MaxVisitNote is how long all that is said of one visit may be, in characters.
// What is said at one time is shorter, so that who adds to it finds room.
const MaxVisitNote = 4000

// Check says what is wrong with a visit.
func (v Visit) Check() error {
	switch {
	case v.ID == "" || v.Home == "":
		return fmt.Errorf("%w: it has an id and a home", ErrVisit)
	case !v.From.Before(v.To) || v.To.Sub(v.From) > 24*time.Hour:
		return fmt.Errorf("%w: it ends after it begins, within a day", ErrVisit)
	case utf8.RuneCountInString(v.What) > 200 || utf8.RuneCountInString(v.Note) > MaxVisitNote:
		return fmt.Errorf("%w: what it is for has at most 200 characters, its note %d", ErrVisit, MaxVisitNote)
	}
	switch v.State {
	case VisitRequested, VisitPlanned, VisitDeclined, VisitDone, VisitCancelled, VisitMissed:
		return nil
	}
	return fmt.Errorf("%w: there is no state %q", ErrVisit, v.State)
}

// Reminder is what the resident's screen reminds of, every day or on some.
type Reminder struct {
	ID         string
	Home       string
	Text       string
	At         int   // minutes after midnight in the home's zone
	Days       []int // ISO 8601: 1 Monday to 7 Sunday; empty is every day
	Medication bool
	Ended      time.Time // zero while it stands
}

// Check says what is wrong with a reminder.
func (r Reminder) Check() error {
	switch {
	case r.ID == "" || r.Home == "":
		return fmt.Errorf("%w: it has an id and a home", ErrReminder)
	case r.Text == "" || utf8.RuneCountInString(r.Text) > 120:
		return fmt.Errorf("%w: it has 1–120 characters", ErrReminder)
	case r.At < 0 || r.At >= 24*60:
		return fmt.Errorf("%w: a time of day is 0–1439 minutes after midnight", ErrReminder)
	}
	for _, d := range r.Days {
		if d < 1 || d > 7 {
			return fmt.Errorf("%w: days are 1 (Monday) to 7 (Sunday)", ErrReminder)
		}
	}
	return nil
}

// Message is a word, and perhaps a picture, to the resident's screen.
type Message struct {
	ID      string
	Home    string
	From    string // the name that is shown
	Person  string // who wrote it
	Family  bool
	Text    string
	Picture []byte // JPEG
	// Pictured says that there is a picture; lists of messages leave the picture
	// itself out.
	Pictured bool
	At       time.Time
	Until    time.Time
	Reached  time.Time // when the home had it
	Heard    time.Time // when the resident had seen it
	Ended    time.Time // when it was taken back
}

// MaxPicture is the most bytes of a message's picture: what a home's one
// narrow connection carries beside its alarms.
const MaxPicture = 120 << 10

// Check says what is wrong with a message.
func (m Message) Check() error {
	switch {
	case m.ID == "" || m.Home == "" || m.From == "":
		return fmt.Errorf("%w: it has an id, a home and a sender", ErrMessage)
	case m.Text == "" && len(m.Picture) == 0:
		return fmt.Errorf("%w: it has a text or a picture", ErrMessage)
	case utf8.RuneCountInString(m.Text) > 500:
		return fmt.Errorf("%w: it has at most 500 characters", ErrMessage)
	case len(m.Picture) > MaxPicture:
		return fmt.Errorf("%w: a picture is at most %d bytes", ErrMessage, MaxPicture)
	case len(m.Picture) > 0 && (len(m.Picture) < 4 || m.Picture[0] != 0xff || m.Picture[1] != 0xd8):
		return fmt.Errorf("%w: a picture is a JPEG", ErrMessage)
	}
	return nil
}
