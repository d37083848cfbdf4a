package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Records keeps what is written about residents. The error of each method
// matches fs.ErrNotExist where there is no such home.
type Records interface {
	Cards
	Notes
	Reminders
	Visits
	Messages
	Overviews
	Installs
	News
}

// Cards keeps the residents' cards.
type Cards interface {
	Resident(ctx context.Context, home string) (care.Resident, error)
	PutResident(ctx context.Context, r care.Resident, entry care.AuditEntry) error
	Contacts(ctx context.Context, home string) ([]care.Contact, error)
}

// Notes keeps what staff wrote. It is never changed.
type Notes interface {
	AddNote(ctx context.Context, n care.Note, entry care.AuditEntry) (care.Note, error)
	Notes(ctx context.Context, f care.NoteFilter) ([]care.Note, error)
}

// Reminders keeps what the residents' screens remind of.
type Reminders interface {
	Reminders(ctx context.Context, home string) ([]care.Reminder, error)
	PutReminder(ctx context.Context, r care.Reminder, entry care.AuditEntry) error
	EndReminder(ctx context.Context, home, id string, entry care.AuditEntry) error
}

func (s *server) registerRecords(api huma.API) {
	huma.Register(api, op("get-resident", http.MethodGet, "/homes/{id}/resident", "The card of who lives in a home", "records", http.StatusOK), s.getResident)
	huma.Register(api, op("put-resident", http.MethodPut, "/homes/{id}/resident", "Write the card", "records", http.StatusNoContent), s.putResident)
	huma.Register(api, op("list-notes", http.MethodGet, "/homes/{id}/notes", "What the staff wrote, newest first", "records", http.StatusOK), s.listNotes)
	huma.Register(api, op("add-note", http.MethodPost, "/homes/{id}/notes", "Write a note", "records", http.StatusCreated), s.addNote)
	huma.Register(api, op("list-reminders", http.MethodGet, "/homes/{id}/reminders", "What the screen in the home reminds of", "records", http.StatusOK), s.listReminders)
	huma.Register(api, op("put-reminder", http.MethodPut, "/homes/{id}/reminders/{reminder}", "Add or change a reminder", "records", http.StatusNoContent), s.putReminder)
	huma.Register(api, op("end-reminder", http.MethodDelete, "/homes/{id}/reminders/{reminder}", "Remind no more", "records", http.StatusNoContent), s.endReminder)
}

// deedID is the id of what a deed makes: the same deed of the same person,
// with the same key, makes the same thing. Without a key it is a new one.
func deedID(actor access.Actor, deed, home, key string) string {
	if key == "" {
		return strings.ToLower(rand.Text())
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{deed, home, actor.Person, actor.Name, key}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func entryOf(actor access.Actor, now time.Time, action, home, detail string) care.AuditEntry {
	return care.AuditEntry{At: now, Actor: actor.Name, Role: actor.Role, Action: action, Home: home, Detail: detail}
}

type contactView struct {
	Person string           `json:"person"`
	Name   string           `json:"name"`
	Phone  string           `json:"phone" doc:"Empty when none is known."`
	Told   []care.AlertKind `json:"told" nullable:"false" doc:"The kinds of alert that they are told of; empty is all."`
}

type residentView struct {
	care.Resident
	Changed   *time.Time    `json:"changed"`
	ChangedBy string        `json:"changed_by"`
	Contacts  []contactView `json:"contacts" nullable:"false"`
}

func (s *server) getResident(ctx context.Context, in *HomePath) (*body[residentView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldContacts, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Records.Resident(ctx, in.ID)
	if err != nil {
		return nil, s.failed("read a card", err)
	}
	contacts, err := s.Records.Contacts(ctx, in.ID)
	if err != nil {
		return nil, s.failed("read a card", err)
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldContacts), in.ID)
	out := residentView{Resident: r, Changed: known(r.Changed), ChangedBy: r.ChangedBy, Contacts: []contactView{}}
	for _, c := range contacts {
		out.Contacts = append(out.Contacts, contactView{
			Person: c.Person.ID, Name: c.Person.Name, Phone: c.Person.Phone(), Told: append([]care.AlertKind{}, c.Alerts...),
		})
	}
	return &body[residentView]{out}, nil
}

func (s *server) putResident(ctx context.Context, in *struct {
	HomePath
	Body care.Resident
}) (*struct{}, error) {
	actor, err := s.may(ctx, access.WriteCard, "", in.ID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	r := in.Body
	r.Home, r.Changed, r.ChangedBy = in.ID, now, actor.Name
	if err := s.Records.PutResident(ctx, r, entryOf(actor, now, "write card", in.ID, "")); err != nil {
		return nil, s.failed("write a card", err)
	}
	return nil, nil
}

type noteView struct {
	ID       string        `json:"id"`
	Home     string        `json:"home"`
	HomeName string        `json:"home_name"`
	At       time.Time     `json:"at" doc:"When it came to the service."`
	Written  time.Time     `json:"written" doc:"When it was written: earlier where there was no network. Notes are in this order."`
	Late     bool          `json:"late" doc:"In a hand-over: it came after its shift had been handed over, or would have been."`
	Author   string        `json:"author"`
	Person   string        `json:"person" doc:"Who the author is; empty when that is not known."`
	Kind     care.NoteKind `json:"kind" enum:"visit,observation,hand_over,contact"`
	Text     string        `json:"text"`
	Corrects string        `json:"corrects" doc:"The note that this one corrects."`
	Alert    string        `json:"alert" doc:"The alert that it is about."`
}

func (s *server) viewNote(n care.Note) noteView {
	return noteView{
		ID: n.ID, Home: n.Home, HomeName: s.Live.name(n.Home), At: n.At.UTC(), Written: n.Written.UTC(), Author: n.Author, Person: n.Person, Kind: n.Kind, Text: n.Text,
		Corrects: n.Corrects, Alert: n.Alert,
	}
}

type notesView struct {
	Notes []noteView `json:"notes" nullable:"false"`
}

func (s *server) listNotes(ctx context.Context, in *struct {
	HomePath
	Before string `query:"before" doc:"RFC 3339: notes written before, as the oldest that is there already was."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}) (*body[notesView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldNotes, in.ID)
	if err != nil {
		return nil, err
	}
	before, err := parseTime(in.Before, time.Time{})
	if err != nil {
		return nil, problemOf(err)
	}
	notes, err := s.Records.Notes(ctx, care.NoteFilter{Home: in.ID, To: before, Limit: in.Limit})
	if err != nil {
		return nil, s.failed("list notes", err)
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldNotes), in.ID)
	out := notesView{Notes: []noteView{}}
	for _, n := range notes {
		out.Notes = append(out.Notes, s.viewNote(n))
	}
	return &body[notesView]{out}, nil
}

// KeyHeader carries the key of a deed; exported because huma reads embedded
// fields of exported types only.
type KeyHeader struct {
	Key string `header:"Idempotency-Key" maxLength:"100" doc:"The same deed with the same key is done once."`
}

func (s *server) addNote(ctx context.Context, in *struct {
	HomePath
	KeyHeader
	Body struct {
		Kind     care.NoteKind `json:"kind" enum:"visit,observation,hand_over,contact"`
		Text     string        `json:"text" minLength:"1" maxLength:"4000"`
		Corrects string        `json:"corrects,omitempty" maxLength:"64"`
		Alert    string        `json:"alert,omitempty" maxLength:"64"`
		Written  *time.Time    `json:"written,omitempty" doc:"When it was written, if that was before it is sent: within a week. Else it counts as written when it comes."`
	}
}) (*body[noteView], error) {
	actor, err := s.may(ctx, access.WriteNotes, "", in.ID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	n := care.Note{
		ID: deedID(actor, "note", in.ID, in.Key), Home: in.ID, At: now, Author: actor.Name, Person: actor.Person, Kind: in.Body.Kind,
		Text: strings.TrimSpace(in.Body.Text), Corrects: in.Body.Corrects, Alert: in.Body.Alert, Written: now,
	}
	if in.Body.Written != nil {
		n.Written = care.WrittenAt(now, *in.Body.Written)
	}
	if n, err = s.Records.AddNote(ctx, n, entryOf(actor, now, "write note", in.ID, n.ID)); err != nil {
		return nil, s.failed("write a note", err)
	}
	return &body[noteView]{s.viewNote(n)}, nil
}

type reminderView struct {
	ID         string `json:"id"`
	Text       string `json:"text"`
	At         int    `json:"at" doc:"Minutes after midnight in the home's zone."`
	Days       []int  `json:"days" nullable:"false" doc:"ISO 8601 days of the week: 1 is Monday; empty is every day."`
	Medication bool   `json:"medication"`
}

type remindersView struct {
	Reminders []reminderView `json:"reminders" nullable:"false"`
}

// Reminders tell of medicines and so of health, but are part of the card: what
// helpers must know, and what they write.
func (s *server) listReminders(ctx context.Context, in *HomePath) (*body[remindersView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldContacts, in.ID)
	if err != nil {
		return nil, err
	}
	reminders, err := s.Records.Reminders(ctx, in.ID)
	if err != nil {
		return nil, s.failed("list reminders", err)
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldContacts), in.ID)
	out := remindersView{Reminders: []reminderView{}}
	for _, r := range reminders {
		out.Reminders = append(out.Reminders, reminderView{ID: r.ID, Text: r.Text, At: r.At, Days: append([]int{}, r.Days...), Medication: r.Medication})
	}
	return &body[remindersView]{out}, nil
}

// ReminderPath names a reminder of a home.
type ReminderPath struct {
	HomePath
	Reminder string `path:"reminder" pattern:"^[A-Za-z0-9._-]{1,64}$" doc:"Chosen by who writes it."`
}

func (s *server) putReminder(ctx context.Context, in *struct {
	ReminderPath
	Body struct {
		Text       string `json:"text" minLength:"1" maxLength:"120"`
		At         int    `json:"at" minimum:"0" maximum:"1439"`
		Days       []int  `json:"days,omitempty" maxItems:"7"`
		Medication bool   `json:"medication,omitempty"`
	}
}) (*struct{}, error) {
	actor, err := s.may(ctx, access.WriteCard, "", in.ID)
	if err != nil {
		return nil, err
	}
	r := care.Reminder{ID: in.Reminder, Home: in.ID, Text: in.Body.Text, At: in.Body.At, Days: in.Body.Days, Medication: in.Body.Medication}
	if err := s.Records.PutReminder(ctx, r, entryOf(actor, time.Now(), "write reminder", in.ID, in.Reminder)); err != nil {
		return nil, s.failed("write a reminder", err)
	}
	return nil, nil
}

func (s *server) endReminder(ctx context.Context, in *ReminderPath) (*struct{}, error) {
	actor, err := s.may(ctx, access.WriteCard, "", in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Records.EndReminder(ctx, in.ID, in.Reminder, entryOf(actor, time.Now(), "end reminder", in.ID, in.Reminder)); err != nil {
		return nil, s.failed("end a reminder", err)
	}
	return nil, nil
}
