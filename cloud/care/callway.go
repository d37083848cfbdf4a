package care

import (
	"errors"
	"slices"
	"time"
	"unicode/utf8"
)

// HomeInCall is the id of the resident's screen among the people of a call.
const HomeInCall = "home"

// How long is waited in a call.
const (
	CallReachable = 15 * time.Second // for the home to say that it rings
	CallEmpty     = 60 * time.Second // for somebody to come back when nobody is left
)

// What is written beneath a planned visit that was to be a call, and was none.
const (
	NoteCallMissed      = "Samtal med bild: ingen svarade."
	NoteCallUnreachable = "Samtal med bild: hemmet gick inte att nå."
	NoteCallWithdrawn   = "Samtal med bild: den boende tar inte längre emot samtal med bild."
	NoteCallOff         = "Samtal med bild: samtal med bild stängdes av."
)

// Rings notes that the home says that it rings. Said again, and once it is
// answered, it changes nothing; of a call that is over it is ErrCallOver.
func (c Call) Rings(now time.Time) (Call, error) {
	switch {
	case c.State == CallEnded:
		return c, ErrCallOver
	case c.State == CallRinging && c.Rung.IsZero():
		c.Rung = now
	}
	return c, nil
}

// Answer notes that the home answers. The first answer stays; of a call that
// is over it is ErrCallOver.
func (c Call) Answer(how CallAnswer, now time.Time) (Call, error) {
	switch c.State {
	case CallEnded:
		return c, ErrCallOver
	case CallRinging:
		c.State, c.Answered, c.How = CallAnswered, now, how
		if c.Rung.IsZero() {
			c.Rung = now // its word that it rings is late, or lost
		}
	}
	return c, nil
}

// End ends a call, for everybody; one that is over stays as it ended. One that
// was answered is done, unless it may go on no longer, whatever else is said, and
// one that was not never is.
func (c Call) End(why CallEnd, now time.Time) Call {
	if c.State == CallEnded {
		return c
	}
	switch {
	case why == CallWithdrawn, why == CallOff:
	case c.State == CallAnswered:
		why = CallDone
	case why == CallDone:
		why = CallCancelled
	}
	c.State, c.Ended, c.Why = CallEnded, now, why
	c.People = slices.Clone(c.People)
	for i := range c.People {
		if c.People[i].Left.IsZero() {
			c.People[i].Left = now
		}
	}
	return c
}

// Here returns the ids of who is in the call now, in the order in which they came.
func (c Call) Here() []string {
	out := []string{}
	for _, p := range c.People {
		if p.Left.IsZero() {
			out = append(out, p.ID)
		}
	}
	return out
}

// Join notes that somebody comes, or is back. There is always a place for the
// home. It returns ErrCallOver of a call that has ended, and ErrCallFull when
// MaxCallPeople are there, the home among them.
func (c Call) Join(who CallPerson, now time.Time) (Call, error) {
	if c.State == CallEnded {
		return c, ErrCallOver
	}
	i := slices.IndexFunc(c.People, func(p CallPerson) bool { return p.ID == who.ID })
	if i >= 0 && c.People[i].Left.IsZero() {
		return c, nil
	}
	others := 0
	for _, p := range c.People {
		if p.Left.IsZero() && p.ID != HomeInCall {
			others++
		}
	}
	if who.ID != HomeInCall && others >= MaxCallPeople-1 {
		return c, ErrCallFull
	}
	c.People = slices.Clone(c.People)
	if i >= 0 {
		c.People[i].Left = time.Time{}
		return c, nil
	}
	who.Joined, who.Left = now, time.Time{}
	c.People = append(c.People, who)
	return c, nil
}

// Leave notes that somebody is gone.
func (c Call) Leave(id string, now time.Time) Call {
	i := slices.IndexFunc(c.People, func(p CallPerson) bool { return p.ID == id && p.Left.IsZero() })
	if i >= 0 {
		c.People = slices.Clone(c.People)
		c.People[i].Left = now
	}
	return c
}

// Went is the call with what who called says of it; said anew it replaces what
// was said before.
func (c Call) Went(w CallWent) (Call, error) {
	if err := w.Check(); err != nil {
		return c, err
	}
	c.Outcome, c.Note, c.Saved = w.Outcome, w.Note, w.Saved
	return c, nil
}

// Lasted is for how long people could speak; 0 while it goes on, or when
// nobody answered.
func (c Call) Lasted() time.Duration {
	if c.Answered.IsZero() || c.Ended.IsZero() {
		return 0
	}
	return c.Ended.Sub(c.Answered)
}

// missed reports whether a call ended without anybody's having spoken, or said
// that they would not, and why in the words of a visit's note.
func (c Call) missed() (is bool, why string) {
	if !c.Answered.IsZero() {
		return false, ""
	}
	switch c.Why {
	case CallMissed:
		return true, NoteCallMissed
	case CallUnreachable:
		return true, NoteCallUnreachable
	case CallWithdrawn:
		return true, NoteCallWithdrawn
	case CallOff:
		return true, NoteCallOff
	}
	return false, ""
}

// VisitAfter is the planned visit that a call is, when the call has become
// after what it was before: done once the two have spoken, with what is said of
// it; missed when nobody answered. It is the same when there is nothing to say
// of it, also when it was called off.
func (c Call) VisitAfter(before Call, v Visit, now time.Time) Visit {
	w := VisitWent{Visit: v.ID, At: now}
	ends := c.State == CallEnded && before.State != CallEnded
	missed, why := c.missed()
	switch {
	case ends && missed:
		w.State, w.Note = VisitMissed, why
	case c.Answered.IsZero():
		return v
	case ends, c.Note != before.Note, c.Outcome != before.Outcome:
		w.State, w.Note, w.By = VisitDone, firstRunes(c.Note, 1000), c.ByName
	default:
		return v
	}
	if w.State == VisitMissed && v.State == VisitDone {
		return v // it was done otherwise, meanwhile or before
	}
	next, err := v.Went(w)
	switch {
	case err == nil:
	case w.State == VisitDone: // no room for more words: they stand with the call
		w.Note = ""
		next, err = v.Went(w)
	case !errors.Is(err, ErrVisitOff): // nor for why; that it was missed is not lost for that
		next, err = v, nil
		next.State, next.Changed, next.By = VisitMissed, w.At, w.By
	}
	if err != nil {
		return v
	}
	return next
}

// AlertAfter is the alert that follows when a call has become what it is, and the
// visit that it is what VisitAfter says: a planned visit was missed, or the
// resident wants to be called later. ok is false when none does.
func (c Call) AlertAfter(before Call, v Visit, now time.Time) (a Alert, ok bool) {
	kind, device := AlertCallBack, ""
	missed, _ := c.missed()
	switch {
	case c.State != CallEnded || before.State == CallEnded:
		return Alert{}, false
	case c.Why == CallLater:
	case c.Visit != "" && v.State == VisitMissed && missed:
		kind, device = AlertVisitMissed, c.Visit
	default:
		return Alert{}, false
	}
	return Alert{
		ID: AlertID(c.Home, kind, device, c.ID), Home: c.Home, Kind: kind, Severity: kind.Severity(), State: Open,
		Device: device, Observed: now, Raised: now,
	}, true
}

func firstRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
