package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// Resident returns the card of who lives in a home. Where nobody has written
// one it is empty but for the home; it is for the caller to know that there is
// such a home.
func (s *Store) Resident(ctx context.Context, home string) (care.Resident, error) {
	r, err := residentOf(ctx, s.read, home)
	if err != nil {
		return care.Resident{}, fmt.Errorf("read the card of %q: %w", home, err)
	}
	return r, nil
}

func residentOf(ctx context.Context, q queryer, home string) (care.Resident, error) {
	r, err := one(ctx, q, func(row scanner) (r care.Resident, err error) {
		err = row.Scan(&r.Home, &r.Name, &r.Called, &r.Born, &r.Phone, &r.Address, &r.Entry, &r.Language, &r.Important, &r.Wishes, &r.Ask,
			(*when)(&r.Changed), &r.ChangedBy)
		return r, err
	}, `SELECT home, name, called, born, phone, address, entry, language, important, wishes, ask, changed, changed_by
		FROM residents WHERE home = $1`, home)
	if errors.Is(err, ErrNotFound) {
		return care.Resident{Home: home}, nil
	}
	return r, err
}

// PutResident stores a card in place of the one before, with its entry in the
// audit log, and has the home's screen told. It returns ErrNotFound when there
// is no such home, and what Resident.Check finds.
func (s *Store) PutResident(ctx context.Context, r care.Resident, entry care.AuditEntry) error {
	err := r.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			if err := t.needHome(ctx, r.Home); err != nil {
				return err
			}
			if _, err := t.exec(ctx, `INSERT INTO residents (home, name, called, born, phone, address, entry, language, important, wishes, ask,
				changed, changed_by, words)`+values(1, 14)+`ON CONFLICT (home) DO UPDATE SET name = excluded.name, called = excluded.called,
				born = excluded.born, phone = excluded.phone, address = excluded.address, entry = excluded.entry, language = excluded.language,
				important = excluded.important, wishes = excluded.wishes, ask = excluded.ask, changed = excluded.changed,
				changed_by = excluded.changed_by, words = excluded.words`,
				r.Home, r.Name, r.Called, r.Born, r.Phone, r.Address, r.Entry, r.Language, r.Important, r.Wishes, r.Ask, r.Changed, r.ChangedBy,
				words(r.Name, r.Called, r.Phone, r.Address, r.Important, r.Wishes)); err != nil {
				return err
			}
			return errors.Join(t.touchScreen(ctx, r.Changed, r.Home), t.putAudit(ctx, entry))
		})
	}
	if err != nil {
		return fmt.Errorf("store the card of %q: %w", r.Home, err)
	}
	return nil
}

// needHome returns ErrNotFound when there is no such home.
func (t *tx) needHome(ctx context.Context, home string) error {
	_, err := one(ctx, t, scanText, `SELECT id FROM homes WHERE id = $1`, home)
	return err
}

// words is text as it is searched: in lower case, one blank between the parts.
func words(parts ...string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
}

const selectNote = `SELECT id, home, at, written, author, person, kind, text, corrects, alert FROM notes `

func scanNote(row scanner) (n care.Note, err error) {
	err = row.Scan(&n.ID, &n.Home, (*when)(&n.At), (*when)(&n.Written), &n.Author, &n.Person, &n.Kind, &n.Text, &n.Corrects, &n.Alert)
	return n, err
}

// AddNote stores a note with its entry in the audit log, and returns it as it
// is stored: one whose id is there already stays as it was. It returns
// ErrNotFound when there is no such home, or none of its notes is the one that
// is corrected, ErrExists when the id is of another home's note, and what
// Note.Check finds.
func (s *Store) AddNote(ctx context.Context, n care.Note, entry care.AuditEntry) (care.Note, error) {
	if n.Written.IsZero() {
		n.Written = n.At
	}
	err := n.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			if err := t.needHome(ctx, n.Home); err != nil {
				return err
			}
			if n.Corrects != "" {
				if _, err := one(ctx, t, scanText, `SELECT id FROM notes WHERE id = $1 AND home = $2`, n.Corrects, n.Home); err != nil {
					return fmt.Errorf("the note that is corrected: %w", err)
				}
			}
			added, err := t.exec(ctx, `INSERT INTO notes (id, home, at, written, author, person, kind, text, corrects, alert, words)`+values(1, 11)+
				`ON CONFLICT (id) DO NOTHING`, n.ID, n.Home, n.At, n.Written, n.Author, n.Person, string(n.Kind), n.Text, n.Corrects, n.Alert, words(n.Text))
			if err != nil {
				return err
			}
			if added == 1 {
				n.At, n.Written = cut(n.At), cut(n.Written)
				return errors.Join(t.tell(ctx, care.NewsNote, n.Home, n.ID), t.putAudit(ctx, entry))
			}
			home := n.Home
			if n, err = one(ctx, t, scanNote, selectNote+`WHERE id = $1`, n.ID); err == nil && n.Home != home {
				err = ErrExists
			}
			return err
		})
	}
	if err != nil {
		return care.Note{}, fmt.Errorf("store a note about %q: %w", n.Home, err)
	}
	return n, nil
}

// Notes returns the notes that a filter chooses, those written last first.
func (s *Store) Notes(ctx context.Context, f care.NoteFilter) ([]care.Note, error) {
	var w where
	w.is("home", f.Home)
	w.inAreas(f.Areas)
	if f.Came {
		from, to := w.arg(f.From), w.arg(f.To)
		w.and(`(written >= ` + from + ` AND written < ` + to + ` OR at >= ` + from + ` AND at < ` + to + `)`)
	} else {
		w.since("written", f.From)
		w.before("written", f.To)
	}
	notes, err := list(ctx, s.read, scanNote, selectNote+w.sql()+`ORDER BY written DESC, id LIMIT CAST(`+w.arg(bound(f.Limit))+` AS BIGINT)`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	return notes, nil
}

// where collects the conditions of a query.
type where struct {
	conditions []string
	args       []any
}

// arg adds an argument and returns how SQL names it.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

func (w *where) and(condition string) { w.conditions = append(w.conditions, condition) }

// is asks for a value; "" is any.
func (w *where) is(column, value string) {
	if value != "" {
		w.and(column + ` = ` + w.arg(value))
	}
}

// in asks for one of some values; none is any.
func (w *where) in(column string, some []string) {
	if len(some) == 0 {
		return
	}
	names := make([]string, len(some))
	for i, v := range some {
		names[i] = w.arg(v)
	}
	w.and(column + ` IN (` + strings.Join(names, ", ") + `)`)
}

// inAreas asks for homes of some areas; none is any.
func (w *where) inAreas(areas []string) {
	if len(areas) == 0 {
		return
	}
	var of where
	of.args = w.args
	of.in("area", areas)
	w.args = of.args
	w.and(`home IN (SELECT id FROM homes ` + of.sql() + `)`)
}

// since asks for column >= t, before for column < t; the zero time is any.
func (w *where) since(column string, t time.Time) {
	if !t.IsZero() {
		w.and(column + ` >= ` + w.arg(t))
	}
}

func (w *where) before(column string, t time.Time) {
	if !t.IsZero() {
		w.and(column + ` < ` + w.arg(t))
	}
}

// sql is "WHERE … AND … ", or nothing.
func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return `WHERE ` + strings.Join(w.conditions, ` AND `) + ` `
}

const selectReminder = `SELECT id, home, text, minute, days, medication, ended FROM reminders `

func scanReminder(row scanner) (r care.Reminder, err error) {
	var days []byte
	if err = row.Scan(&r.ID, &r.Home, &r.Text, &r.At, &days, (*truth)(&r.Medication), (*when)(&r.Ended)); err != nil {
		return r, err
	}
	return r, decode(days, &r.Days)
}

// Reminders returns those of a home that stand, by their time of day.
func (s *Store) Reminders(ctx context.Context, home string) ([]care.Reminder, error) {
	reminders, err := remindersOf(ctx, s.read, home)
	if err != nil {
		return nil, fmt.Errorf("read the reminders of %q: %w", home, err)
	}
	return reminders, nil
}

func remindersOf(ctx context.Context, q queryer, home string) ([]care.Reminder, error) {
	return list(ctx, q, scanReminder, selectReminder+`WHERE home = $1 AND ended = 0 ORDER BY minute, id`, home)
}

// maxReminders is what a screen shows.
const maxReminders = wire.MaxPrompts

// PutReminder stores a reminder in place of the one before, with its entry in
// the audit log, and has the home's screen told. It returns ErrNotFound when
// there is no such home, care.ErrReminder for more than the screen shows, and
// what Reminder.Check finds.
func (s *Store) PutReminder(ctx context.Context, r care.Reminder, entry care.AuditEntry) error {
	err := r.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			if err := t.needHome(ctx, r.Home); err != nil {
				return err
			}
			days, err := encode(r.Days)
			if err != nil {
				return err
			}
			if _, err := t.exec(ctx, `INSERT INTO reminders (home, id, text, minute, days, medication, ended)`+values(1, 7)+
				`ON CONFLICT (home, id) DO UPDATE SET text = excluded.text, minute = excluded.minute, days = excluded.days,
				medication = excluded.medication, ended = excluded.ended`,
				r.Home, r.ID, r.Text, r.At, days, number(r.Medication), r.Ended); err != nil {
				return err
			}
			standing, err := remindersOf(ctx, t, r.Home)
			if err == nil && len(standing) > maxReminders {
				err = fmt.Errorf("%w: a home has at most %d", care.ErrReminder, maxReminders)
			}
			if err != nil {
				return err
			}
			return errors.Join(t.touchScreen(ctx, entry.At, r.Home), t.putAudit(ctx, entry))
		})
	}
	if err != nil {
		return fmt.Errorf("store a reminder of %q: %w", r.Home, err)
	}
	return nil
}

// EndReminder ends a reminder, with its entry in the audit log, and has the
// home's screen told. One that has ended, or never was, stays away.
func (s *Store) EndReminder(ctx context.Context, home, id string, entry care.AuditEntry) error {
	err := s.update(ctx, func(t *tx) error {
		ended, err := t.exec(ctx, `UPDATE reminders SET ended = $1 WHERE home = $2 AND id = $3 AND ended = 0`, entry.At, home, id)
		if err != nil || ended == 0 {
			return err
		}
		return errors.Join(t.touchScreen(ctx, entry.At, home), t.putAudit(ctx, entry))
	})
	if err != nil {
		return fmt.Errorf("end a reminder of %q: %w", home, err)
	}
	return nil
}

// Contacts returns a home's relatives and who else stands by, by id.
func (s *Store) Contacts(ctx context.Context, home string) ([]care.Contact, error) {
	people, err := list(ctx, s.read, scanPerson, selectPerson+`JOIN members m ON m.person = p.id WHERE m.kind = $1 AND m.scope = $2 ORDER BY p.id`,
		string(care.GroupContacts), home)
	if err != nil {
		return nil, fmt.Errorf("read the contacts of %q: %w", home, err)
	}
	alerts, err := list(ctx, s.read, func(row scanner) (kinds []care.AlertKind, err error) {
		var data []byte
		if err = row.Scan(&data); err != nil {
			return nil, err
		}
		return kinds, decode(data, &kinds)
	}, `SELECT alerts FROM members WHERE kind = $1 AND scope = $2 ORDER BY person`, string(care.GroupContacts), home)
	if err != nil {
		return nil, fmt.Errorf("read what the contacts of %q are told: %w", home, err)
	}
	contacts := make([]care.Contact, 0, len(people))
	for i := range min(len(people), len(alerts)) {
		contacts = append(contacts, care.Contact{Person: people[i], Alerts: alerts[i]})
	}
	return contacts, nil
}
