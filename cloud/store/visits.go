package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

const selectVisit = `SELECT id, home, starts, ends, person, what, video, state, asked, note, changed, author, rev FROM visits `

func scanVisit(row scanner) (v care.Visit, err error) {
	err = row.Scan(&v.ID, &v.Home, (*when)(&v.From), (*when)(&v.To), &v.Person, &v.What, (*truth)(&v.Video), &v.State, &v.Asked, &v.Note,
		(*when)(&v.Changed), &v.By, &v.Rev)
	return v, err
}

// longestVisit is what care.Visit.Check lets a visit last: who looks for
// visits at a time need not look at those that began earlier.
const longestVisit = 24 * time.Hour

// Visits returns the visits that a filter chooses, by when they begin.
func (s *Store) Visits(ctx context.Context, f care.VisitFilter) ([]care.Visit, error) {
	visits, err := visitsOf(ctx, s.read, f)
	if err != nil {
		return nil, fmt.Errorf("read visits: %w", err)
	}
	return visits, nil
}

func visitsOf(ctx context.Context, q queryer, f care.VisitFilter) ([]care.Visit, error) {
	var w where
	w.is("home", f.Home)
	w.inAreas(f.Areas)
	w.is("person", f.Person)
	w.is("asked", f.Asked)
	w.before("starts", f.To)
	if !f.From.IsZero() {
		w.since("starts", f.From.Add(-longestVisit))
		w.and(`ends > ` + w.arg(f.From))
	}
	states := make([]string, len(f.States))
	for i, state := range f.States {
		states[i] = string(state)
	}
	w.in("state", states)
	return list(ctx, q, scanVisit, selectVisit+w.sql()+`ORDER BY starts, id LIMIT CAST(`+w.arg(bound(f.Limit))+` AS BIGINT)`, w.args...)
}

// Visit returns one visit, or ErrNotFound.
func (s *Store) Visit(ctx context.Context, id string) (care.Visit, error) {
	v, err := one(ctx, s.read, scanVisit, selectVisit+`WHERE id = $1`, id)
	if err != nil {
		return care.Visit{}, fmt.Errorf("read visit %q: %w", id, err)
	}
	return v, nil
}

// PutVisit stores a visit as the staff plan it, in place of the one with the
// same id, with its entry in the audit log, and has the home's screen told.
// v.Rev is the version that the plan was made from, 0 of a new visit. Who asked
// for it stays as it was. It returns the visit as it is stored: one that says
// the same already stays so, as the answer to a plan may be lost. It returns
// ErrNotFound when there is no such home, or no such visit for a version,
// ErrExists when the id is of another home's visit, care.ErrVisitChanged when
// the version is not the newest, and what Visit.Check finds.
func (s *Store) PutVisit(ctx context.Context, v care.Visit, entry care.AuditEntry) (care.Visit, error) {
	v.From, v.To = cut(v.From), cut(v.To)
	err := v.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			if err := t.needHome(ctx, v.Home); err != nil {
				return err
			}
			before, err := one(ctx, t, scanVisit, selectVisit+`WHERE id = $1`, v.ID)
			switch {
			case errors.Is(err, ErrNotFound) && v.Rev == 0:
				if v.State == care.VisitRequested || v.State == care.VisitDeclined {
					return fmt.Errorf("%w: nobody has asked for it", care.ErrVisit)
				}
			case err != nil:
				return err
			case before.Home != v.Home:
				return ErrExists
			case v.SamePlan(before):
				v = before
				return nil
			case v.Rev != before.Rev:
				return fmt.Errorf("%w: it is version %d now", care.ErrVisitChanged, before.Rev)
			case v.State == care.VisitRequested && before.State != care.VisitRequested:
				return fmt.Errorf("%w: it has been answered", care.ErrVisit)
			}
			v.Asked = before.Asked
			return t.putVisit(ctx, &v, entry)
		})
	}
	if err != nil {
		return care.Visit{}, fmt.Errorf("store visit %q: %w", v.ID, err)
	}
	return v, nil
}

// VisitWent stores how a visit went, with its entry in the audit log, and
// leaves its plan as it is, whatever became of that meanwhile. It returns the
// visit as it is stored, ErrNotFound when there is none, and what Visit.Went
// finds.
func (s *Store) VisitWent(ctx context.Context, w care.VisitWent, entry care.AuditEntry) (v care.Visit, err error) {
	err = s.update(ctx, func(t *tx) error {
		before, err := one(ctx, t, scanVisit, selectVisit+`WHERE id = $1`, w.Visit)
		if err != nil {
			return err
		}
		if v, err = before.Went(w); err != nil || v == before {
			return err
		}
		return t.putVisit(ctx, &v, entry)
	})
	if err != nil {
		return care.Visit{}, fmt.Errorf("store how visit %q went: %w", w.Visit, err)
	}
	return v, nil
}

// putVisit stores a visit as its next version.
func (t *tx) putVisit(ctx context.Context, v *care.Visit, entry care.AuditEntry) error {
	v.Rev++
	v.From, v.To, v.Changed = cut(v.From), cut(v.To), cut(v.Changed)
	if _, err := t.exec(ctx, `INSERT INTO visits (id, home, starts, ends, person, what, video, state, asked, note, changed, author, rev)`+values(1, 13)+
		`ON CONFLICT (id) DO UPDATE SET starts = excluded.starts, ends = excluded.ends, person = excluded.person, what = excluded.what,
		video = excluded.video, state = excluded.state, note = excluded.note, changed = excluded.changed, author = excluded.author,
		rev = excluded.rev`,
		v.ID, v.Home, v.From, v.To, v.Person, v.What, number(v.Video), string(v.State), v.Asked, v.Note, v.Changed, v.By, v.Rev); err != nil {
		return err
	}
	return errors.Join(t.touchScreen(ctx, v.Changed, v.Home), t.tell(ctx, care.NewsVisit, v.Home, v.ID), t.putAudit(ctx, entry))
}

// maxAsked is how many requests of one relative may wait for an answer.
const maxAsked = 20

// AskForVisit stores what a relative asks for, with its entry in the audit
// log, and returns it as it is stored: one whose id is there already stays as it
// was. It returns ErrNotFound when there is no such home, ErrExists when the
// id is of another's visit, and what Visit.Check finds.
func (s *Store) AskForVisit(ctx context.Context, v care.Visit, entry care.AuditEntry) (care.Visit, error) {
	v.State = care.VisitRequested
	err := v.Check()
	if err == nil && v.Asked == "" {
		err = fmt.Errorf("%w: somebody asks for it", care.ErrVisit)
	}
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			if err := t.needHome(ctx, v.Home); err != nil {
				return err
			}
			before, err := one(ctx, t, scanVisit, selectVisit+`WHERE id = $1`, v.ID)
			switch {
			case err == nil && (before.Home != v.Home || before.Asked != v.Asked):
				return ErrExists
			case err == nil:
				v = before
				return nil
			case !errors.Is(err, ErrNotFound):
				return err
			}
			waiting, err := visitsOf(ctx, t, care.VisitFilter{Home: v.Home, Asked: v.Asked, States: []care.VisitState{care.VisitRequested}})
			if err == nil && len(waiting) >= maxAsked {
				err = fmt.Errorf("%w: %d others wait for an answer", care.ErrVisit, len(waiting))
			}
			if err != nil {
				return err
			}
			return t.putVisit(ctx, &v, entry)
		})
	}
	if err != nil {
		return care.Visit{}, fmt.Errorf("ask for a visit to %q: %w", v.Home, err)
	}
	return v, nil
}

// MissVisits notes planned visits that had ended by then as missed, each with
// an entry of nobody's in the audit log, and returns how many there were, at
// most limit. What a relative asked to come for themselves, whom nobody signs
// off, is held to have been.
func (s *Store) MissVisits(ctx context.Context, ended, now time.Time, limit int) (int, error) {
	const over = selectVisit + `WHERE state = 'planned' AND ends <= $1 ORDER BY ends LIMIT CAST($2 AS BIGINT)`
	missed, err := list(ctx, s.read, scanVisit, over, ended, bound(limit))
	if err != nil || len(missed) == 0 { // nearly always: no transaction for nothing
		return 0, fmtErr("read visits that are over", err)
	}
	err = s.update(ctx, func(t *tx) error {
		if missed, err = list(ctx, t, scanVisit, over, ended, bound(limit)); err != nil {
			return err
		}
		for _, v := range missed {
			v.State, v.Changed, v.By = care.VisitMissed, now, ""
			if v.Asked != "" && v.Asked == v.Person {
				v.State = care.VisitDone
			}
			if err := t.putVisit(ctx, &v, care.AuditEntry{At: now, Action: "visit " + string(v.State), Home: v.Home, Detail: v.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	return len(missed), fmtErr("note missed visits", err)
}

// fmtErr says what was being done; nil stays nil.
func fmtErr(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
