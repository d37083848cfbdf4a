package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	cloud "github.com/lykta/lykta/cloud/app"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices/sim"
	"github.com/lykta/lykta/devices/wire"
)

// roles are what the people of the demo may do.
var roles = map[string]care.Role{
	"anna": care.Caregiver, "bjorn": care.Caregiver, "fatima": care.Caregiver, "johan": care.Coordinator, "maria": care.Relative,
}

// written is what the staff of the demo know of the residents.
var written = []care.Resident{
	{
		Home: "karin", Name: "Karin Lindström", Called: "Karin", Born: "1939-04-12", Phone: "+46701740611", Address: "Kyrkvägen 3, Norrbyn",
		Entry: "Portkod 1939. Nyckel i skåp 14.", Language: "sv", Ask: 18 * 60,
		Important: "Hör dåligt på vänster öra. Allergisk mot penicillin. Katten Misse får inte gå ut.",
		Wishes:    "Vill klä sig själv. Kaffe innan något annat. Ring på två gånger, så vet hon att det är vi.",
	},
	{
		Home: "sven-erik", Name: "Sven-Erik Nyberg", Called: "Svenne", Born: "1936", Address: "Åsen 7", Entry: "Dörren är olåst om dagen.", Language: "sv",
		Important: "Går med rollator. Diabetes typ 2.", Wishes: "Vill gärna prata om bandy.",
	},
	{Home: "ingrid", Name: "Ingrid Hedlund", Called: "Ingrid", Born: "1941", Address: "Sjövägen 4", Entry: "Nyckel i skåp 22.", Language: "sv", Important: "Nedsatt syn."},
	{Home: "gosta", Name: "Gösta Marklund", Called: "Gösta", Born: "1943", Address: "Övre byn 2", Entry: "Portkod 4711.", Language: "sv"},
	{Home: "elsa", Name: "Elsa Sandberg", Called: "Elsa", Born: "1938", Address: "Kyrkvägen 12", Entry: "Nyckel i skåp 3.", Language: "sv", Important: "Äter Waran."},
}

// notes are what the staff of the demo wrote, so many hours before it began.
var notes = []struct {
	care.Note
	hours int
}{
	{care.Note{ID: "demo-note-1", Home: "karin", Author: "Anna Berg", Person: "anna", Kind: care.NoteVisit, Text: "Åt god frukost. Tog medicinen själv. Glad över att Maria ringt."}, 3},
	{care.Note{ID: "demo-note-2", Home: "karin", Author: "Björn Ek", Person: "bjorn", Kind: care.NoteObservation, Text: "Lite svullen om vänster fot. Har bett henne lägga upp benet, titta igen i kväll."}, 20},
	{care.Note{ID: "demo-note-3", Home: "karin", Author: "Björn Ek", Person: "bjorn", Kind: care.NoteHandOver, Text: "Titta på vänster fot vid kvällsbesöket. Sköterskan är tillfrågad."}, 4},
	{care.Note{ID: "demo-note-4", Home: "sven-erik", Author: "Fatima Hassan", Person: "fatima", Kind: care.NoteContact, Text: "Talat med dottern. Hon hälsar på i helgen."}, 26},
	{care.Note{ID: "demo-note-5", Home: "elsa", Author: "Anna Berg", Person: "anna", Kind: care.NoteVisit, Text: "Handlat. Kvitto ligger på köksbordet."}, 5},
}

// rounds are the visits of each day: when, for how long, to whom and what for.
var rounds = []struct {
	home          string
	hour, minutes int
	person, what  string
	video         bool
}{
	{"karin", 8, 30, "anna", "Morgonhjälp och frukost", false},
	{"elsa", 9, 20, "anna", "Medicin", false},
	{"sven-erik", 10, 45, "bjorn", "Dusch", false},
	{"karin", 12, 20, "bjorn", "Lunch", false},
	{"ingrid", 13, 15, "fatima", "Tillsyn", true},
	{"karin", 18, 20, "fatima", "Kvällshjälp", false},
}

// Days of visits that are there, before today and after.
const (
	daysBefore = 3
	daysAhead  = 7
)

// records puts into the database what is written about the residents. What is
// there already, and may have been changed since, stays.
func records(ctx context.Context, db *store.Store, now time.Time) error {
	zone, err := time.LoadLocation(cloud.DefaultZone)
	if err != nil {
		return err
	}
	for _, put := range []func(context.Context, *store.Store, time.Time) error{people, cards, reminders, decisions, visits, messages} {
		if err := put(ctx, db, now.In(zone)); err != nil {
			return err
		}
	}
	return nil
}

func by(actor string, role care.Role, at time.Time, action, home string) care.AuditEntry {
	return care.AuditEntry{At: at, Actor: actor, Role: role, Action: action, Home: home}
}

// people gives those their roles who are from before there were any.
func people(ctx context.Context, db *store.Store, _ time.Time) error {
	all, err := db.People(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if role := roles[p.ID]; role != "" && p.Role == "" {
			p.Role = role
			if err := db.PutPerson(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func cards(ctx context.Context, db *store.Store, now time.Time) error {
	for _, r := range written {
		have, err := db.Resident(ctx, r.Home)
		if err != nil || !have.Changed.IsZero() {
			return err // all were written at once
		}
		r.Changed, r.ChangedBy = now.Add(-48*time.Hour), "Johan Lind"
		if err := db.PutResident(ctx, r, by("Johan Lind", care.Coordinator, r.Changed, "write card", r.Home)); err != nil {
			return err
		}
	}
	for _, n := range notes {
		n.At = now.Add(-time.Duration(n.hours) * time.Hour)
		if _, err := db.AddNote(ctx, n.Note, by(n.Author, care.Caregiver, n.At, "write note", n.Home)); err != nil {
			return err
		}
	}
	return nil
}

func reminders(ctx context.Context, db *store.Store, now time.Time) error {
	if have, err := db.Reminders(ctx, "karin"); err != nil || len(have) > 0 {
		return err
	}
	for _, r := range []care.Reminder{
		{ID: "blodtryck", Home: "karin", Text: "Blodtrycksmedicinen, en tablett", At: 8 * 60, Medication: true},
		{ID: "blommor", Home: "karin", Text: "Vattna blommorna", At: 10 * 60, Days: []int{1, 4}},
	} {
		if err := db.PutReminder(ctx, r, by("Johan Lind", care.Coordinator, now, "write reminder", r.Home)); err != nil {
			return err
		}
	}
	return nil
}

// decisions are Karin's: her daughter may see the light of the lantern, but not
// her day.
func decisions(ctx context.Context, db *store.Store, now time.Time) error {
	if have, err := db.ConsentsOf(ctx, "karin"); err != nil || len(have) > 0 {
		return err
	}
	for _, field := range []care.Field{care.FieldCheckIn, care.FieldAlerts, care.FieldVisits, care.FieldMessages} {
		c := care.Consent{
			Home: "karin", Party: care.PartyPerson("maria"), Field: field, Allowed: true, At: now.Add(-24 * time.Hour),
			Purpose: "Att Maria vet att allt är väl", By: "Karin Lindström", How: care.OnScreen,
		}
		if _, err := db.PutConsent(ctx, c, by(c.By, care.AtHome, c.At, "allow "+string(field), c.Home)); err != nil {
			return err
		}
	}
	return nil
}

func visits(ctx context.Context, db *store.Store, now time.Time) error {
	for day := -daysBefore; day <= daysAhead; day++ {
		for i, r := range rounds {
			from := time.Date(now.Year(), now.Month(), now.Day()+day, r.hour, 0, 0, 0, now.Location())
			v := care.Visit{
				ID: fmt.Sprintf("%s-%s-%d", r.home, from.Format(time.DateOnly), r.hour), Home: r.home, From: from,
				To: from.Add(time.Duration(r.minutes) * time.Minute), Person: r.person, What: r.what, Video: r.video, State: care.VisitPlanned,
				Changed: now, By: "Johan Lind",
			}
			if v.To.Before(now) {
				v.State, v.By = care.VisitDone, "Anna Berg"
				if day == -2 && i == len(rounds)-1 {
					v.State, v.By = care.VisitMissed, ""
				}
			}
			if _, err := db.Visit(ctx, v.ID); !errors.Is(err, fs.ErrNotExist) {
				if err != nil {
					return err
				}
				continue
			}
			entry := by(v.By, care.Caregiver, now, "visit "+string(v.State), v.Home)
			switch v.State {
			case care.VisitPlanned:
				entry.Role = care.Coordinator
			case care.VisitMissed:
				entry.Role = ""
			}
			if _, err := db.PutVisit(ctx, v, entry); err != nil {
				return err
			}
		}
	}
	tomorrow := time.Date(now.Year(), now.Month(), now.Day()+1, 15, 0, 0, 0, now.Location())
	_, err := db.AskForVisit(ctx, care.Visit{
		ID: "maria-" + tomorrow.Format(time.DateOnly), Home: "karin", From: tomorrow, To: tomorrow.Add(time.Hour), Person: "maria", What: "Fika med barnbarnen",
		Asked: "maria", Changed: now, By: "Maria Lindström",
	}, by("Maria Lindström", care.Relative, now, "visit requested", "karin"))
	return err
}

// messages are one a day from Karin's daughter, and one from the staff.
func messages(ctx context.Context, db *store.Store, now time.Time) error {
	today := now.Format(time.DateOnly)
	drawing, err := sunrise()
	if err != nil {
		return err
	}
	for _, m := range []care.Message{
		{ID: "maria-" + today, From: "Maria Lindström", Person: "maria", Family: true, Text: "God morgon mamma! Vi tänker på dig. Alva har ritat huset åt dig.", Picture: drawing},
		{ID: "anna-" + today, From: "Anna Berg", Person: "anna", Text: "Hej Karin! Sköterskan kommer på torsdag klockan 10."},
	} {
		m.Home, m.At, m.Until = "karin", now, now.Add(24*time.Hour)
		role := care.Caregiver
		if m.Family {
			role = care.Relative
		}
		if _, _, err := db.AddMessage(ctx, m, by(m.From, role, now, "write message", m.Home)); err != nil {
			return err
		}
	}
	return nil
}

// configure says what the simulated devices' presses mean, where nobody has
// said anything.
func configure(ctx context.Context, db *store.Store, home string, now time.Time) error {
	if have, err := db.Configuration(ctx, home); err != nil || have.Version > 0 {
		return err
	}
	_, err := db.Configure(ctx, home, wire.Configure{Actions: sim.Actions()}, now, by("Drift", care.Operator, now, "place devices", home))
	return err
}
