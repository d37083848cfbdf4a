// Package access says who somebody is and what they may do: Can is the one
// table of rights, Keeper gives out and checks the secrets that let people in.
package access

import (
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Actor is somebody who was let in.
type Actor struct {
	// Name is whose credential it is, as shown beside what they do.
	Name string
	Role care.Role
	// Person is who they are among the people; "" for nobody, as with a token
	// of a program.
	Person string
	// Areas are those whose homes staff see; empty is every area.
	Areas []string
	// Homes are those of which a relative is a contact.
	Homes []string
	// Credential is the hash of the secret that let them in.
	Credential string
}

// Action is something that somebody may or may not do.
type Action string

// The actions. The first group is about one home and who lives in it, the
// second about the service.
const (
	Read          Action = "read"           // see a field
	ActOnAlert    Action = "act_on_alert"   // acknowledge, take over, on the way
	CloseAlert    Action = "close_alert"    // resolve with an outcome
	Silence       Action = "silence"        // have what is expected not told of for a while
	TestHome      Action = "test_home"      // announce a press as a test, and answer it
	WriteNotes    Action = "write_notes"    // care notes
	WriteCard     Action = "write_card"     // the resident's card and reminders
	PlanVisits    Action = "plan_visits"    // plan, change, answer requests
	AskForVisits  Action = "ask_for_visits" // request
	WriteMessages Action = "write_messages" // to the screen in the home
	Call          Action = "call"           // ring with a picture, and take part in a call
	NoteConsent   Action = "note_consent"   // on the resident's behalf
	ReadLog       Action = "read_log"       // who looked at what, and what was done
	ManageHome    Action = "manage_home"    // its name, schedules, devices, rooms
	SendCommands  Action = "send_commands"  // locate, pair, configure a gateway

	AddHomes       Action = "add_homes"
	ManageTokens   Action = "manage_tokens"
	ReadOperations Action = "read_operations" // metrics, refused messages
	ReadRota       Action = "read_rota"       // who is on duty, who is told of what
	ManagePeople   Action = "manage_people"   // people, their roles, addresses, groups, shifts, policies
	ReadLoad       Action = "read_load"       // how many alerts woke whom
	ReadStatistics Action = "read_statistics"
)

// rights returns what a role may do.
func rights(role care.Role) []Action {
	switch role {
	case care.Caregiver:
		return []Action{
			Read, ActOnAlert, CloseAlert, Silence, TestHome, WriteNotes, WriteCard, PlanVisits, WriteMessages, Call, NoteConsent, ReadRota,
		}
	case care.Coordinator:
		return []Action{
			Read, ActOnAlert, CloseAlert, Silence, TestHome, WriteNotes, WriteCard, PlanVisits, WriteMessages, Call, NoteConsent, ReadRota,
			ReadLog, ManageHome, SendCommands, AddHomes, ManagePeople, ReadLoad, ReadStatistics,
		}
	case care.Operator:
		return []Action{
			Read, Silence, TestHome, ReadRota,
			ReadLog, ManageHome, SendCommands, AddHomes, ManageTokens, ReadOperations, ManagePeople, ReadLoad, ReadStatistics,
		}
	case care.Relative:
		return []Action{Read, ActOnAlert, AskForVisits, WriteMessages, Call}
	}
	return nil
}

// readable returns the fields that a role may see at all. What is about the
// resident's life is for those who care for the person, never for those who
// run the machines; what the staff write is for the staff.
func readable(role care.Role) []care.Field {
	switch role {
	case care.Caregiver, care.Coordinator:
		return care.Fields()
	case care.Operator:
		return []care.Field{care.FieldHome, care.FieldAlerts, care.FieldClimate}
	case care.Relative:
		return []care.Field{
			care.FieldCheckIn, care.FieldAlerts, care.FieldVisits, care.FieldMessages, care.FieldVideo, care.FieldActivity,
			care.FieldHealth, care.FieldClimate, care.FieldContacts,
		}
	}
	return nil
}

// Whom is who something is about: a home, and what its resident has decided.
// The zero value is the service as a whole: what the role alone allows.
type Whom struct {
	Home     care.Home
	Consents care.Consents
	// Told: the actor was told of an alert of the home that is not closed, and
	// so must see to it, whatever their area: that, and what it takes.
	Told bool
}

// helps reports whether staff of another area need an action, and a field that
// they read, to see to an alert of which they were told: the alert, the home, and
// how to get in, whom to ring, and to ring the resident. All else stays with the
// staff of the home's area.
func helps(action Action, field care.Field) bool {
	if action == Read {
		return field == care.FieldAlerts || field == care.FieldHome || field == care.FieldContacts
	}
	return action == ActOnAlert || action == CloseAlert || action == Call
}

// about returns the field that an action touches.
func (a Action) about() care.Field {
	switch a {
	case ActOnAlert, CloseAlert:
		return care.FieldAlerts
	case AskForVisits:
		return care.FieldVisits
	case WriteMessages:
		return care.FieldMessages
	case Call:
		return care.FieldVideo
	}
	return ""
}

// Can reports whether the actor may do the action at that time. The field is
// what Read is to see; other actions touch the field that they are about,
// whatever is given. Somebody without a name may do nothing, as nothing
// could be written beside their deeds.
func Can(a Actor, action Action, whom Whom, field care.Field, now time.Time) bool {
	if a.Name == "" || !slices.Contains(rights(a.Role), action) {
		return false
	}
	if action != Read {
		field = action.about()
	} else if !slices.Contains(readable(a.Role), field) {
		return false
	}
	if whom.Home.ID == "" {
		return true
	}
	party := care.PartyStaff
	if a.Role.Staff() {
		if len(a.Areas) > 0 && !slices.Contains(a.Areas, whom.Home.Area) && (!whom.Told || !helps(action, field)) {
			return false
		}
	} else {
		if a.Person == "" || !slices.Contains(a.Homes, whom.Home.ID) {
			return false
		}
		party = care.PartyPerson(a.Person)
	}
	return field == "" || whom.Consents.Allow(party, field, now)
}
