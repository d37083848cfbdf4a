package visit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// room is one call that is not over. Its goroutine owns all that is not under
// the mutex; others hand it what is to be done.
type room struct {
	s      *Service
	id     string // of the call
	home   care.Home
	called string // the resident, for those who are no staff
	ring   *bell

	mu     sync.Mutex
	queue  []func()
	closed bool
	words  bucket // of the home
	wake   chan struct{}
	gone   chan struct{} // closed when it works no more

	call     care.Call
	people   map[string]*person // who is there, or away for a moment
	picture  []byte
	again    bool      // it is from before the start, and the home has not been heard since
	cut      bool      // it rang when the service stopped
	asked    time.Time // since when the home is asked to ring
	heard    bool      // it has said that it rings, to this service
	freed    bool      // the home was told that calls before are over
	nextRing time.Time // also of the word to a home that has to come back
	alone    time.Time // since when those who are there wait for nobody; zero is not so
	commands int
	news     bool // the call has changed, and its people do not know
	seats    bool // so has who is where

	pending []step
	saving  bool
	failed  int // times in a row
	retry   time.Time
	waiting []chan struct{} // for all to be stored
}

// step is something that becomes of a call, and what the log says of it.
type step struct {
	change  func(care.Call) (care.Call, error)
	entries []care.AuditEntry
}

func newRoom(s *Service, c care.Call, home care.Home, called string, picture []byte) *room {
	return &room{
		s: s, id: c.ID, home: home, called: called, ring: newBell(s.life, s.o.Homes, home.Gateway, c.ID, s.o.Log), call: c, picture: picture,
		people: map[string]*person{}, wake: make(chan struct{}, 1), gone: make(chan struct{}), words: newBucket(20, 60), asked: c.Started,
		alone: time.Now(), // until somebody comes
	}
}

// post has the room do something, soon and in order; false is that it works no
// more.
func (r *room) post(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.queue = append(r.queue, f)
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return true
}

// why is why the room works no more.
func (r *room) why() error {
	if r.s.life.Err() != nil {
		return errStopping
	}
	return care.ErrCallOver
}

// do has the room do something and waits for it. It returns why the room works
// no more when it does not; when ctx ends first it may still be done.
func (r *room) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	if !r.post(func() { f(); close(done) }) {
		return r.why()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stored waits until all that has become of the call is stored.
func (r *room) stored(ctx context.Context) error {
	all := make(chan struct{})
	if err := r.do(ctx, func() { r.waiting = append(r.waiting, all) }); err != nil {
		return err
	}
	select {
	case <-all:
	case <-r.gone:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// run works until the call is over and stored, or ctx ends.
func (r *room) run(ctx context.Context) {
	defer r.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		r.turn()
		now := time.Now()
		r.pass(now)
		r.tell()
		r.save(now)
		if r.call.State == care.CallEnded && !r.saving && len(r.pending) == 0 {
			return
		}
		timer.Reset(max(0, time.Until(r.next(now))))
		select {
		case <-r.wake:
		case <-timer.C:
		case <-ctx.Done():
			r.turn()
			r.saveNow()
			return
		}
	}
}

// turn does what others have handed over.
func (r *room) turn() {
	for {
		r.mu.Lock()
		queue := r.queue
		r.queue = nil
		r.mu.Unlock()
		if len(queue) == 0 {
			return
		}
		for _, f := range queue {
			f()
		}
	}
}

// close lets go of all that is left: of a call that is over nobody, of one that
// goes on elsewhere all who are in it.
func (r *room) close() {
	r.mu.Lock()
	r.closed = true
	queue := r.queue
	r.queue = nil
	r.mu.Unlock()
	for _, f := range queue { // those who handed it over wait for it
		f()
	}
	for _, p := range r.people {
		p.hangUp(errStopping)
	}
	for _, all := range r.waiting {
		close(all)
	}
	close(r.ring.out)
	close(r.gone)
}

// become changes the call, and sees to it that this is stored and told. An
// error of change leaves it as it is.
func (r *room) become(change func(care.Call) (care.Call, error), entries ...care.AuditEntry) error {
	next, err := change(r.call)
	if err != nil || reflect.DeepEqual(next, r.call) {
		return err
	}
	r.call = next
	r.news = true
	r.pending = append(r.pending, step{change, entries})
	return nil
}

// entry is what the log says that somebody did.
func (r *room) entry(who Who, action, detail string) care.AuditEntry {
	e := care.AuditEntry{At: time.Now(), Actor: who.Name, Role: who.As, Action: action, Home: r.call.Home, Detail: r.id}
	if detail != "" {
		e.Detail += " " + detail
	}
	if e.Role != "" {
		return e
	}
	switch who.Role {
	case care.InHome:
		e.Actor, e.Role = string(care.AtHome), care.AtHome
	case care.AsStaff:
		e.Role = care.Caregiver
	default: // a guest's is as what they came
		e.Role = care.Role(who.Role)
	}
	return e
}

// resident is the home as one who does something.
var resident = Who{ID: care.HomeInCall, Role: care.InHome}

// pass lets time pass.
func (r *room) pass(now time.Time) {
	if r.call.State == care.CallEnded {
		return
	}
	for id, p := range r.people {
		switch {
		case !p.away.IsZero() && !now.Before(p.away.Add(awayFor)):
			r.remove(id)
		case !p.renew.IsZero() && !now.Before(p.renew):
			r.welcome(p)
		}
		if !p.look.IsZero() && !now.Before(p.look) && r.people[id] == p {
			r.looks(p, now)
		}
	}
	if wait, lonely := r.lonely(now); lonely && !now.Before(r.alone.Add(wait)) {
		why := care.CallDone
		if r.cut && r.call.State == care.CallRinging {
			why = care.CallMissed // it was not given up by who called: a planned visit is to be seen to
		}
		r.end(why, Who{})
		return
	}
	switch {
	case r.call.State == care.CallAnswered && !now.Before(r.call.Answered.Add(care.MaxCallLasts)):
		r.end(care.CallDone, Who{})
	case r.call.State == care.CallAnswered:
		if r.again && !now.Before(r.nextRing) {
			r.nextRing = now.Add(ringEvery)
			r.signal(encode(bare{"gone"}))
		}
	case !now.Before(r.call.Started.Add(care.MaxCallRing)):
		r.end(care.CallMissed, Who{})
	case r.heard:
	case r.call.Rung.IsZero() && !now.Before(r.asked.Add(care.CallReachable)):
		r.end(care.CallUnreachable, Who{})
	case !now.Before(r.nextRing):
		r.nextRing = now.Add(ringEvery)
		r.rings()
	}
}

// lonely notes since when those who are there wait for nobody, and says for how
// long they may.
func (r *room) lonely(now time.Time) (wait time.Duration, alone bool) {
	home := r.people[care.HomeInCall]
	wait = nobodyRings
	alone = !r.attended()
	if r.call.State == care.CallAnswered {
		wait = care.CallEmpty
		alone = alone || home == nil || !home.here
	}
	switch {
	case !alone:
		r.alone = time.Time{}
	case r.alone.IsZero():
		r.alone = now
	}
	return wait, alone
}

// attended reports whether somebody is there for the home: guests are there with
// who invited them.
func (r *room) attended() bool { return r.attendedBut("") }

// attendedBut is attended without counting somebody.
func (r *room) attendedBut(one string) bool {
	for id := range r.people {
		if id != care.HomeInCall && id != one && !isGuest(id) {
			return true
		}
	}
	return false
}

// isGuest reports whether an id of a participant is of somebody with a link.
func isGuest(id string) bool { return strings.HasPrefix(id, "guest:") }

// next is when something happens by time alone.
func (r *room) next(now time.Time) time.Time {
	if r.call.State == care.CallEnded {
		return r.soonest(now.Add(time.Hour), r.retry)
	}
	next := r.soonest(now.Add(time.Minute), r.retry)
	for _, p := range r.people {
		next = r.soonest(r.soonest(next, p.renew), p.look)
		if !p.away.IsZero() {
			next = r.soonest(next, p.away.Add(awayFor))
		}
	}
	if wait, lonely := r.lonely(now); lonely {
		next = r.soonest(next, r.alone.Add(wait))
	}
	switch {
	case r.call.State == care.CallAnswered:
		next = r.soonest(next, r.call.Answered.Add(care.MaxCallLasts))
		if r.again {
			next = r.soonest(next, r.nextRing)
		}
	case !r.heard:
		next = r.soonest(next, r.nextRing)
		if r.call.Rung.IsZero() {
			next = r.soonest(next, r.asked.Add(care.CallReachable))
		}
		fallthrough
	default:
		next = r.soonest(next, r.call.Started.Add(care.MaxCallRing))
	}
	return next
}

// soonest is the earlier of two times; a zero one is never.
func (*room) soonest(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// end ends the call for everybody; nobody has done it when who is the zero value.
func (r *room) end(why care.CallEnd, who Who) {
	if r.call.State == care.CallEnded {
		return
	}
	over := r.call.End(why, time.Now())
	entry := r.entry(who, "end call", string(over.Why))
	if who.ID == "" {
		entry.Actor, entry.Role = "", ""
	}
	_ = r.become(func(c care.Call) (care.Call, error) { return c.End(why, over.Ended), nil }, entry)
	r.s.o.Media.CloseRoom(r.id)
	r.tell()
	if who.ID != care.HomeInCall {
		r.hangsUp()
	}
	for id, p := range r.people {
		p.hangUp(care.ErrCallOver)
		delete(r.people, id)
	}
	r.picture = nil
}

// tell tells those who are there what has changed.
func (r *room) tell() {
	if r.news {
		for _, p := range r.people {
			p.send(encode(callNow{"call", r.viewFor(p.who.Role)}))
		}
	}
	if r.seats {
		for _, p := range r.people {
			r.tellPeople(p)
		}
	}
	r.news, r.seats = false, false
}

// save stores what has become of the call, a group of steps at a time.
func (r *room) save(now time.Time) {
	if len(r.pending) == 0 && !r.saving {
		for _, all := range r.waiting {
			close(all)
		}
		r.waiting = nil
	}
	if r.saving || len(r.pending) == 0 || now.Before(r.retry) {
		return
	}
	steps := r.pending
	r.pending, r.saving, r.retry = nil, true, time.Time{}
	r.s.wg.Go(func() {
		stored, err := r.store(steps)
		r.post(func() { r.saved(steps, stored, err) })
	})
}

// store writes some steps, and tells who follows calls.
func (r *room) store(steps []step) (care.Call, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	call, events, err := r.s.o.Store.ChangeCall(ctx, r.id, func(c care.Call) (care.Call, []care.AuditEntry, error) {
		var entries []care.AuditEntry
		for _, step := range steps {
			next, err := step.change(c)
			if err != nil {
				continue // it has ended meanwhile, by another's hand
			}
			c, entries = next, append(entries, step.entries...)
		}
		return c, entries, nil
	})
	if err != nil {
		return call, err
	}
	r.s.changed(call)
	if len(events) > 0 && r.s.o.Raised != nil {
		r.s.o.Raised()
	}
	return call, nil
}

// saved takes what came of storing some steps.
func (r *room) saved(steps []step, stored care.Call, err error) {
	r.saving = false
	switch {
	case err == nil:
		r.failed, r.retry = 0, time.Time{}
		// What is said of it is written by others.
		r.call.Outcome, r.call.Note, r.call.Saved = stored.Outcome, stored.Note, stored.Saved
	case errors.Is(err, fs.ErrNotExist):
		r.s.o.Log.Error("a call is not there any more", "id", ErrIDStore, "call", r.id, "err", err)
		r.pending = nil
		r.end(care.CallDone, Who{})
		r.pending = nil
	default:
		if r.failed++; r.failed%30 == 1 { // once a minute
			r.s.o.Log.Error("what has become of a call cannot be stored; it goes on", "id", ErrIDStore, "call", r.id, "err", err)
		}
		r.pending = append(steps, r.pending...)
		r.retry = time.Now().Add(storeAgain)
	}
}

// saveNow is the last word before the service stops.
func (r *room) saveNow() {
	if r.saving || len(r.pending) == 0 {
		return // what is being stored is waited for; what came since, a start finds out anew
	}
	if _, err := r.store(r.pending); err != nil {
		r.s.o.Log.Error("what has become of a call is not stored", "id", ErrIDStore, "call", r.id, "err", fmt.Errorf("at the end: %w", err))
	}
}

// nobodyHere notes that those who were there before the start are to come back. A
// home that rang is asked again: what it has said meanwhile was said to nobody.
func (r *room) nobodyHere() {
	r.again, r.cut = r.call.State == care.CallAnswered, r.call.State == care.CallRinging
	now := time.Now()
	r.asked = now
	_ = r.become(func(c care.Call) (care.Call, error) {
		for _, id := range c.Here() {
			c = c.Leave(id, now)
		}
		return c, nil
	})
}
