package care

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
)

// Field is a part of what is known about a resident, the unit in which they
// decide who may see it.
type Field string

// The fields.
const (
	FieldHome     Field = "home"     // that the home is there, its name, its connection, its devices and batteries
	FieldAlerts   Field = "alerts"   // what needs or needed somebody, and who had it
	FieldCheckIn  Field = "check_in" // whether the resident has said "I am OK" today
	FieldVisits   Field = "visits"   // who comes, and when
	FieldContacts Field = "contacts" // the resident's card: address, telephone, relatives, what helpers must know
	FieldNotes    Field = "notes"    // what the staff wrote
	FieldActivity Field = "activity" // movement in rooms, doors, bed: a day's timeline
	FieldClimate  Field = "climate"  // temperature, power, water
	FieldHealth   Field = "health"   // measurements of the body, medicines, well-being
	FieldMessages Field = "messages" // writing to the resident's screen, and what was written
	FieldVideo    Field = "video"    // ringing with a picture, and who rang
)

// FieldAutoAnswer is nothing to see but something to have done: in an emergency
// that is not over, the screen answers who calls by itself, after a countdown that
// the resident can end.
const FieldAutoAnswer Field = "auto_answer"

// Fields are all fields, in the order in which they are shown.
var fields = []Field{
	FieldCheckIn, FieldAlerts, FieldVisits, FieldMessages, FieldVideo, FieldActivity, FieldHealth, FieldClimate, FieldContacts, FieldNotes, FieldHome,
}

// Fields returns all fields of which there is something to see, in the order in
// which they are shown.
func Fields() []Field { return slices.Clone(fields) }

// Grantable returns all that is allowed or refused, in the order in which it is
// shown: Fields, and what is nothing to see.
func Grantable() []Field {
	return slices.Insert(Fields(), slices.Index(fields, FieldVideo)+1, FieldAutoAnswer)
}

// Known reports whether there is such a field.
func (f Field) Known() bool { return f == FieldAutoAnswer || slices.Contains(fields, f) }

// Party is who is allowed, or is not: the staff, all relatives, or one person.
type Party string

// The parties. A person's own decision goes before that of all relatives.
const (
	PartyStaff     Party = "staff"
	PartyRelatives Party = "relatives"
)

// PartyPerson is one relative.
func PartyPerson(id string) Party { return Party("person:" + id) }

// Person returns the id of the one relative who the party is; ok is false
// when it is more than one.
func (p Party) Person() (id string, ok bool) { return strings.CutPrefix(string(p), "person:") }

// Fixed reports whether the party's right to the field does not depend on a
// decision: what the home care needs for its task (SoL 2025:400), and what
// is never for relatives.
func (p Party) Fixed(f Field) bool {
	if p == PartyStaff {
		return !slices.Contains([]Field{FieldActivity, FieldClimate, FieldHealth, FieldVideo, FieldAutoAnswer}, f)
	}
	return f == FieldNotes || f == FieldHome
}

// Default is what holds while nobody has decided: the staff see what the care
// agreement lets them. Who was named a contact of the home, together with the
// resident, was named to know of its alarms; all else is the resident's to allow,
// and that the screen answers by itself is, whoever calls.
func (p Party) Default(f Field) bool {
	return f != FieldAutoAnswer && (p == PartyStaff || f == FieldAlerts)
}

// DecidedFields returns the fields about which a contact of a home stands in the
// lists of what the resident has decided: all, when they sign in as a relative;
// alarms alone, when they are only told of them; none, when they are neither.
func (p Person) DecidedFields() []Field {
	switch {
	case p.Role == Relative:
		return Grantable()
	case len(p.Addresses) > 0:
		return []Field{FieldAlerts}
	}
	return nil
}

// ErrConsent is wrapped by what Consent.Check finds wrong.
var ErrConsent = errors.New("the decision cannot be stored")

// Consent is one decision of a resident about one party and one field. The
// newest that is not over holds; the others are kept as they are.
type Consent struct {
	// ID grows without end, in the order of the decisions.
	ID      int64
	Home    string
	Party   Party
	Field   Field
	Allowed bool
	At      time.Time
	// Until is when it is over, and what holds without it holds again; zero is never.
	Until time.Time
	// Purpose is what for, in the resident's language; may be empty on a withdrawal.
	Purpose string
	// By is who noted it: the resident on their screen, or staff on their behalf.
	By  string
	How ConsentHow
	// Key is the same when the same decision is stored again: it then stays one.
	// "" is always a new one.
	Key string
}

// ConsentHow is how a decision was made.
type ConsentHow string

// The ways of deciding.
const (
	OnScreen ConsentHow = "screen" // by the resident, on the screen in the home
	Spoken   ConsentHow = "spoken" // told to staff, who noted it
	OnPaper  ConsentHow = "paper"  // signed
)

// Check says what is wrong with a decision.
func (c Consent) Check() error {
	person, one := c.Party.Person()
	switch {
	case c.Home == "":
		return fmt.Errorf("%w: it is of one home", ErrConsent)
	case c.Party != PartyStaff && c.Party != PartyRelatives && (!one || !personID.MatchString(person)):
		return fmt.Errorf("%w: there is no party %q", ErrConsent, c.Party)
	case !c.Field.Known():
		return fmt.Errorf("%w: there is no field %q", ErrConsent, c.Field)
	case c.Party.Fixed(c.Field):
		return fmt.Errorf("%w: %s of %s is not for the resident to decide", ErrConsent, c.Field, c.Party)
	case c.How != OnScreen && c.How != Spoken && c.How != OnPaper:
		return fmt.Errorf("%w: a decision is made on the screen, spoken or on paper", ErrConsent)
	case c.By == "" || len(c.By) > 200 || len(c.Purpose) > 500:
		return fmt.Errorf("%w: who noted it has 1–200 bytes, the purpose at most 500", ErrConsent)
	case !c.Until.IsZero() && !c.At.Before(c.Until):
		return fmt.Errorf("%w: it ends after it begins", ErrConsent)
	}
	return nil
}

// Consents are the decisions of one home, oldest first.
type Consents []Consent

// Allow reports whether a party may see a field at a time.
func (cs Consents) Allow(p Party, f Field, now time.Time) bool {
	if p.Fixed(f) {
		return p == PartyStaff
	}
	if c, ok := cs.Decision(p, f, now); ok {
		return c.Allowed
	}
	return p.Default(f)
}

// Decision returns the one that holds for a party and a field at a time; ok is
// false when none does. For one relative it may be that of all relatives.
func (cs Consents) Decision(p Party, f Field, now time.Time) (c Consent, ok bool) {
	_, one := p.Person()
	general := -1
	for i, c := range slices.Backward(cs) {
		switch {
		case c.Field != f || now.Before(c.At) || (!c.Until.IsZero() && !now.Before(c.Until)):
		case c.Party == p:
			return c, true
		case one && c.Party == PartyRelatives && general < 0:
			general = i
		}
	}
	if general >= 0 {
		return cs[general], true
	}
	return Consent{}, false
}

// With returns the decisions with another one, without those that can never
// hold again because of it.
func (cs Consents) With(c Consent) Consents {
	out := make(Consents, 0, len(cs)+1)
	for _, old := range cs {
		if old.Party != c.Party || old.Field != c.Field || !c.Until.IsZero() {
			out = append(out, old)
		}
	}
	return append(out, c)
}

// ByResident reads a decision from a record of the screen in the home: the
// text is the party and the field with a space between, the value 1 or 0.
func ByResident(home, text string, value *float64, at time.Time) (Consent, error) {
	party, field, ok := strings.Cut(text, " ")
	if !ok || value == nil || (*value != 0 && *value != 1) {
		return Consent{}, fmt.Errorf(`%w: a decision is 1 or 0 and a text such as "relatives check_in"`, ErrConsent)
	}
	c := Consent{Home: home, Party: Party(party), Field: Field(field), Allowed: *value == 1, At: at, By: string(AtHome), How: OnScreen}
	return c, c.Check()
}

// FieldOf returns the field to which a reading belongs. What is not known is
// about the resident's life until somebody says otherwise.
func FieldOf(k devices.Kind) Field {
	if k.Health() {
		return FieldHealth
	}
	switch k {
	case devices.CheckIn:
		return FieldCheckIn
	case devices.SOS, devices.Fall, devices.Smoke, devices.CarbonMonoxide, devices.WaterLeak, devices.CallBack:
		return FieldAlerts
	case devices.Temperature, devices.Humidity, devices.Illuminance, devices.Power, devices.Energy, devices.WaterVolume:
		return FieldClimate
	case devices.Battery, devices.BatteryLow, devices.LinkQuality, devices.Availability, devices.Tamper, devices.Heartbeat, devices.Dropped,
		devices.Test, devices.Consent:
		return FieldHome
	}
	return FieldActivity
}

// Entry is what the log says of the decision: "allow" or "refuse" and the
// field; the detail is the party.
func (c Consent) Entry(role Role, at time.Time) AuditEntry {
	action := "refuse "
	if c.Allowed {
		action = "allow "
	}
	return AuditEntry{At: at, Actor: c.By, Role: role, Action: action + string(c.Field), Home: c.Home, Detail: string(c.Party)}
}
