package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

const callColumns = `id, home, visit, alert, state, author, name, role, started, countdown, rung, answered, how, ended, why, outcome, note, saved`

const selectCall = `SELECT ` + callColumns + ` FROM calls `

func scanCall(row scanner) (c care.Call, err error) {
	err = row.Scan(&c.ID, &c.Home, &c.Visit, &c.Alert, &c.State, &c.By, &c.ByName, &c.ByRole, (*when)(&c.Started), &c.Countdown, (*when)(&c.Rung),
		(*when)(&c.Answered), &c.How, (*when)(&c.Ended), &c.Why, &c.Outcome, &c.Note, &c.Saved)
	return c, err
}

// cutCall is a call as it comes back from the database.
func cutCall(c care.Call) care.Call {
	for _, t := range []*time.Time{&c.Started, &c.Rung, &c.Answered, &c.Ended} {
		*t = cut(*t)
	}
	for _, s := range []*string{&c.By, &c.ByName, &c.Note} {
		*s = text(*s)
	}
	c.People = slices.Clone(c.People)
	for i, p := range c.People {
		p.Name, p.Joined, p.Left = text(p.Name), cut(p.Joined), cut(p.Left)
		c.People[i] = p
	}
	return c
}

// withPeople puts into calls who took part in them.
func withPeople(ctx context.Context, q queryer, calls []care.Call) error {
	type seat struct {
		call string
		care.CallPerson
	}
	const atOnce = 200
	for some := range slices.Chunk(calls, atOnce) {
		ids, nth := make([]string, len(some)), map[string]int{}
		for i, c := range some {
			ids[i], nth[c.ID] = c.ID, i
		}
		var w where
		w.in("call", ids)
		seats, err := list(ctx, q, func(row scanner) (s seat, err error) {
			err = row.Scan(&s.call, &s.ID, &s.Name, &s.Role, (*when)(&s.Joined), (*when)(&s.Left))
			return s, err
		}, `SELECT call, person, name, role, joined, gone FROM call_people `+w.sql()+`ORDER BY call, place`, w.args...)
		if err != nil {
			return err
		}
		for _, s := range seats {
			c := &some[nth[s.call]]
			c.People = append(c.People, s.CallPerson)
		}
	}
	return nil
}

func callOf(ctx context.Context, q queryer, id string) (care.Call, error) {
	found, err := list(ctx, q, scanCall, selectCall+`WHERE id = $1`, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err == nil {
		err = withPeople(ctx, q, found)
	}
	if err != nil {
		return care.Call{}, err
	}
	return found[0], nil
}

// Call returns one call, or ErrNotFound.
func (s *Store) Call(ctx context.Context, id string) (care.Call, error) {
	c, err := callOf(ctx, s.read, id)
	if err != nil {
		return care.Call{}, fmt.Errorf("read call %q: %w", id, err)
	}
	return c, nil
}

// Calls returns the calls that a filter chooses, the newest first.
func (s *Store) Calls(ctx context.Context, f care.CallFilter) ([]care.Call, error) {
	var w where
	w.is("home", f.Home)
	w.is("visit", f.Visit)
	if f.Visit != "" {
		w.and(`visit <> ''`) // the index has no others
	}
	w.inAreas(f.Areas)
	if f.Homes != nil {
		w.in("home", append([]string{""}, f.Homes...))
	}
	order := `started`
	if f.Live {
		w.and(`state <> 'ended'`)
		order = `started + 0` // by the index of those few, not through all calls ever by time
	}
	w.since("started", f.From)
	w.before("started", f.To)
	calls, err := list(ctx, s.read, scanCall, selectCall+w.sql()+`ORDER BY `+order+` DESC, id LIMIT CAST(`+w.arg(bound(f.Limit))+` AS BIGINT)`, w.args...)
	if err == nil {
		err = withPeople(ctx, s.read, calls)
	}
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	return calls, nil
}

// AddCall stores a call that begins, with its entries in the audit log, and
// returns it as it is stored: one whose id is there already stays as it is, and
// has no new entries. It returns care.ErrCallBusy with the other call when the
// home is in one, ErrNotFound when there is no such home or the visit is none of
// its, ErrExists when the id is of another's call, and care.ErrVisitOff when the
// visit is not to take place.
func (s *Store) AddCall(ctx context.Context, c care.Call, entries ...care.AuditEntry) (care.Call, error) {
	c = cutCall(c)
	var other care.Call
	err := s.update(ctx, func(t *tx) error {
		before, err := callOf(ctx, t, c.ID)
		switch {
		case err == nil && (before.Home != c.Home || before.By != c.By):
			return ErrExists
		case err == nil:
			c = before
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if err := t.needHome(ctx, c.Home); err != nil {
			return err
		}
		if err := t.needCallVisit(ctx, c); err != nil {
			return err
		}
		live, err := list(ctx, t, scanText, `SELECT id FROM calls WHERE home = $1 AND state <> 'ended'`, c.Home)
		if err != nil {
			return err
		}
		if len(live) > 0 {
			if other, err = callOf(ctx, t, live[0]); err == nil {
				err = care.ErrCallBusy
			}
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO calls (`+callColumns+`)`+values(1, 18),
			c.ID, c.Home, c.Visit, c.Alert, string(c.State), c.By, c.ByName, string(c.ByRole), c.Started, c.Countdown, c.Rung, c.Answered, string(c.How),
			c.Ended, string(c.Why), string(c.Outcome), c.Note, c.Saved); err != nil {
			return err
		}
		return errors.Join(t.putCallPeople(ctx, c), t.putAudit(ctx, entries...))
	})
	if err != nil {
		return other, fmt.Errorf("begin a call with %q: %w", c.Home, err)
	}
	return c, nil
}

// needCallVisit makes sure that the visit that a call is may be one.
func (t *tx) needCallVisit(ctx context.Context, c care.Call) error {
	if c.Visit == "" {
		return nil
	}
	v, err := one(ctx, t, scanVisit, selectVisit+`WHERE id = $1`, c.Visit)
	switch {
	case err != nil:
		return err
	case v.Home != c.Home:
		return ErrNotFound
	case v.State != care.VisitPlanned && v.State != care.VisitMissed && v.State != care.VisitDone:
		return fmt.Errorf("%w: it is %s", care.ErrVisitOff, v.State)
	}
	return nil
}

func (t *tx) putCallPeople(ctx context.Context, c care.Call) error {
	rows := make([][]any, len(c.People))
	for i, p := range c.People {
		rows[i] = []any{c.ID, p.ID, i, p.Name, string(p.Role), p.Joined, p.Left}
	}
	return t.insert(ctx, `INSERT INTO call_people (call, person, place, name, role, joined, gone)`,
		`ON CONFLICT (call, person) DO UPDATE SET gone = excluded.gone`, rows)
}

// ErrCallBackwards is returned for a change that would take a call back, or
// change who began it with whom.
var ErrCallBackwards = errors.New("a call only moves forward")

// ChangeCall reads a call, asks change what becomes of it, and writes that with
// its entries in the audit log, and with all that follows from it, in one
// transaction, which no other change overlaps: what became of the planned visit
// that it is, and the alert that somebody has to see to. change must not use the
// store. One that leaves the call as it is writes no entries.
//
// It returns the call as it is stored and the events of alerts that were raised.
// An error of change is returned as it is, with the call as it stands;
// ErrNotFound when there is no such call, ErrCallBackwards for a change that is
// none of a call.
func (s *Store) ChangeCall(ctx context.Context, id string, change func(care.Call) (care.Call, []care.AuditEntry, error)) (care.Call, []care.Event, error) {
	var call care.Call
	var events []care.Event
	var refused error // by change
	err := s.update(ctx, func(t *tx) (err error) {
		events, refused = nil, nil
		if call, err = callOf(ctx, t, id); err != nil {
			return err
		}
		next, entries, err := change(cutCall(call)) // a copy, of its people too
		if err != nil {
			refused = err
			return err
		}
		next = cutCall(next)
		switch {
		case sameCall(call, next):
			return nil
		case !callForward(call, next):
			return ErrCallBackwards
		}
		before := call
		call = next
		if events, err = t.putCall(ctx, before, call, time.Now()); err != nil {
			return err
		}
		return t.putAudit(ctx, entries...)
	})
	switch {
	case refused != nil:
		return call, nil, refused
	case err != nil:
		return care.Call{}, nil, fmt.Errorf("change call %q: %w", id, err)
	}
	return call, events, nil
}

func (t *tx) putCall(ctx context.Context, before, c care.Call, now time.Time) ([]care.Event, error) {
	if _, err := t.exec(ctx, `UPDATE calls SET state = $1, rung = $2, answered = $3, how = $4, ended = $5, why = $6, outcome = $7, note = $8, saved = $9
		WHERE id = $10`, string(c.State), c.Rung, c.Answered, string(c.How), c.Ended, string(c.Why), string(c.Outcome), c.Note, c.Saved, c.ID); err != nil {
		return nil, err
	}
	v, err := t.putCallVisit(ctx, before, c, now)
	if err := errors.Join(err, t.putCallPeople(ctx, c)); err != nil {
		return nil, err
	}
	a, ok := c.AlertAfter(before, v, now)
	if !ok {
		return nil, nil
	}
	changed, err := t.raise(ctx, settle(a))
	if err != nil {
		return nil, err
	}
	return t.putEvents(ctx, changed, now)
}

// putCallVisit writes what follows from a call for the visit that it is, and
// returns that.
func (t *tx) putCallVisit(ctx context.Context, before, c care.Call, now time.Time) (care.Visit, error) {
	if c.Visit == "" {
		return care.Visit{}, nil
	}
	v, err := one(ctx, t, scanVisit, selectVisit+`WHERE id = $1`, c.Visit)
	if err != nil {
		return v, err
	}
	next := c.VisitAfter(before, v, now)
	if next == v {
		return v, nil
	}
	entry := care.AuditEntry{At: now, Action: "visit " + string(next.State), Home: next.Home, Detail: next.ID}
	if next.State == care.VisitDone {
		entry.Actor, entry.Role = c.ByName, c.ByRole
	}
	return next, t.putVisit(ctx, &next, entry)
}

func sameCall(a, b care.Call) bool {
	people := slices.Equal(a.People, b.People)
	a.People, b.People = nil, nil
	return people && equalCalls(a, b)
}

// equalCalls compares calls without their people.
func equalCalls(a, b care.Call) bool {
	return a.ID == b.ID && a.Home == b.Home && a.Visit == b.Visit && a.Alert == b.Alert && a.State == b.State && a.By == b.By && a.ByName == b.ByName &&
		a.ByRole == b.ByRole && a.Started.Equal(b.Started) && a.Countdown == b.Countdown && a.Rung.Equal(b.Rung) && a.Answered.Equal(b.Answered) && a.How == b.How &&
		a.Ended.Equal(b.Ended) && a.Why == b.Why && a.Outcome == b.Outcome && a.Note == b.Note && a.Saved == b.Saved
}

// callForward reports whether a call may become next.
func callForward(c, next care.Call) bool {
	place := map[care.CallState]int{care.CallRinging: 1, care.CallAnswered: 2, care.CallEnded: 3}
	about := func(c care.Call) care.Call {
		return care.Call{ID: c.ID, Home: c.Home, Visit: c.Visit, Alert: c.Alert, By: c.By, ByName: c.ByName, ByRole: c.ByRole, Started: c.Started, Countdown: c.Countdown}
	}
	stays := func(was, is time.Time) bool { return was.IsZero() || was.Equal(is) }
	if place[next.State] < place[c.State] || !equalCalls(about(c), about(next)) ||
		!stays(c.Rung, next.Rung) || !stays(c.Answered, next.Answered) || !stays(c.Ended, next.Ended) || len(next.People) < len(c.People) {
		return false
	}
	for i, p := range c.People { // who has come has come
		q := next.People[i]
		if q.ID != p.ID || q.Name != p.Name || q.Role != p.Role || !q.Joined.Equal(p.Joined) || c.State == care.CallEnded && !q.Left.Equal(p.Left) {
			return false
		}
	}
	return c.State != care.CallEnded || next.Why == c.Why && len(next.People) == len(c.People)
}

// maxCallGuests bounds the links to one call.
const maxCallGuests = 20

// ErrCallGuests is returned for one link too many.
var ErrCallGuests = errors.New("LYK-0903: too many were invited to the call")

const selectGuest = `SELECT id, call, name, role, hash, invited, expires FROM call_guests `

func scanGuest(row scanner) (g care.CallGuest, err error) {
	err = row.Scan(&g.ID, &g.Call, &g.Name, &g.Role, &g.Hash, &g.Invited, (*when)(&g.Expires))
	return g, err
}

// AddGuest stores who is invited to a call, with the entry in the audit log;
// the same id again changes nothing. It returns ErrNotFound when there is no such
// call, care.ErrCallOver when it has ended, ErrCallGuests when there are too many.
func (s *Store) AddGuest(ctx context.Context, g care.CallGuest, entry care.AuditEntry) error {
	err := s.update(ctx, func(t *tx) error {
		c, err := callOf(ctx, t, g.Call)
		switch {
		case err != nil:
			return err
		case c.State == care.CallEnded:
			return care.ErrCallOver
		}
		have, err := list(ctx, t, scanText, `SELECT id FROM call_guests WHERE call = $1`, g.Call)
		switch {
		case err != nil:
			return err
		case slices.Contains(have, g.ID):
			return nil
		case len(have) >= maxCallGuests:
			return ErrCallGuests
		}
		// Links that have been over for a day are of no use to anybody.
		if _, err := t.exec(ctx, `DELETE FROM call_guests WHERE expires < $1`, entry.At.Add(-24*time.Hour)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO call_guests (id, call, name, role, hash, invited, expires)`+values(1, 7),
			g.ID, g.Call, g.Name, string(g.Role), g.Hash, g.Invited, g.Expires); err != nil {
			return err
		}
		return t.putAudit(ctx, entry)
	})
	if err != nil {
		return fmt.Errorf("invite to call %q: %w", g.Call, err)
	}
	return nil
}

// GuestOf returns who was invited with the secret of a hash, or ErrNotFound.
func (s *Store) GuestOf(ctx context.Context, hash string) (care.CallGuest, error) {
	g, err := one(ctx, s.read, scanGuest, selectGuest+`WHERE hash = $1`, hash)
	if err != nil {
		return care.CallGuest{}, fmt.Errorf("read an invitation to a call: %w", err)
	}
	return g, nil
}
