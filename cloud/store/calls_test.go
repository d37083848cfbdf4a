package store_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

func call(id, home string, started int) care.Call {
	return care.Call{
		ID: id, Home: home, State: care.CallRinging, By: "anna", ByName: "Anna", ByRole: care.Caregiver, Started: at(started), Countdown: 20,
		People: []care.CallPerson{},
	}
}

// becomes changes a call, and checks that what comes back is what is stored.
func becomes(t *testing.T, s *store.Store, id string, f func(care.Call) care.Call) care.Call {
	t.Helper()
	got, _, err := s.ChangeCall(t.Context(), id, func(c care.Call) (care.Call, []care.AuditEntry, error) { return f(c), nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	if have := must(s.Call(t.Context(), id))(t); !reflect.DeepEqual(have, got) {
		t.Errorf("stored is %+v, told was %+v", have, got)
	}
	return got
}

func annaCame(joined int) care.CallPerson {
	return care.CallPerson{ID: "person:anna", Name: "Anna", Role: care.AsStaff, Joined: at(joined)}
}

func TestCalls(t *testing.T) {
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		for name, test := range map[string]func(t *testing.T, s *store.Store){
			"a call from its ring to its end":                  testCallLife,
			"a home is in one call":                            testOneCallAtATime,
			"two who ring at once: one of them does":           testCallsAtOnce,
			"a call that is asked for twice begins once":       testCallTwice,
			"a later wish to be called is told anew":           testCallBackAgain,
			"a call never goes back":                           testCallBackwards,
			"a planned visit that nobody answered is followed": testMissedCall,
			"a planned visit is done by its call":              testCallIsTheVisit,
			"who wants to be called later is on the list once": testCallLater,
			"what could not be written whole is not written":   testCallAllOrNothing,
			"calls are found":                                  testFindCalls,
			"guests":                                           testCallGuests,
			"statistics of calls":                              testCallStatistics,
		} {
			t.Run(name, func(t *testing.T) {
				s := open(t, address(t))
				homes(t, s)
				test(t, s)
			})
		}
	})
}

func testCallLife(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(s.AddCall(ctx, call("c1", "home-1", 0), entry("call", "home-1", "c1", 0)))(t)
	lastEntry(t, s, "home-1", "call")
	joins := func(c care.Call, _ error) care.Call { return c }
	becomes(t, s, "c1", func(c care.Call) care.Call { return joins(c.Join(annaCame(1), at(1))) })
	becomes(t, s, "c1", func(c care.Call) care.Call { return joins(c.Rings(at(2))) })
	becomes(t, s, "c1", func(c care.Call) care.Call { return joins(c.Answer(care.ByButton, at(3))) })
	becomes(t, s, "c1", func(c care.Call) care.Call {
		return joins(c.Join(care.CallPerson{ID: care.HomeInCall, Name: "Åke", Role: care.InHome}, at(4)))
	})
	becomes(t, s, "c1", func(c care.Call) care.Call { return c.Leave("person:anna", at(5)) })
	if got := becomes(t, s, "c1", func(c care.Call) care.Call { return joins(c.Join(annaCame(6), at(6))) }); !reflect.DeepEqual(got.Here(), []string{"person:anna", "home"}) {
		t.Errorf("there are %v", got.Here())
	}
	becomes(t, s, "c1", func(c care.Call) care.Call { return c.End(care.CallDone, at(60)) })
	got := becomes(t, s, "c1", func(c care.Call) care.Call {
		return joins(c.Went(care.CallWent{Outcome: care.CallWell, Note: "Allt väl", Saved: 25}))
	})
	want := care.Call{
		ID: "c1", Home: "home-1", State: care.CallEnded, By: "anna", ByName: "Anna", ByRole: care.Caregiver, Started: at(0), Countdown: 20, Rung: at(2),
		Answered: at(3), How: care.ByButton, Ended: at(60), Why: care.CallDone, Outcome: care.CallWell, Note: "Allt väl", Saved: 25,
		People: []care.CallPerson{
			{ID: "person:anna", Name: "Anna", Role: care.AsStaff, Joined: at(1), Left: at(60)},
			{ID: "home", Name: "Åke", Role: care.InHome, Joined: at(4), Left: at(60)},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// What changes nothing writes nothing.
	before := len(must(s.AuditLog(ctx, "", 0))(t))
	if _, _, err := s.ChangeCall(ctx, "c1", func(c care.Call) (care.Call, []care.AuditEntry, error) {
		return c.End(care.CallMissed, at(90)), []care.AuditEntry{entry("end call", "home-1", "c1", 90)}, nil
	}); err != nil {
		t.Error(err)
	}
	if after := len(must(s.AuditLog(ctx, "", 0))(t)); after != before {
		t.Errorf("%d entries of what did not happen", after-before)
	}
	if _, err := s.Call(ctx, "c2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if _, _, err := s.ChangeCall(ctx, "c2", nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("one that is not there is changed: %v", err)
	}
}

func testOneCallAtATime(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(s.AddCall(ctx, call("c1", "home-1", 0)))(t)
	if other, err := s.AddCall(ctx, call("c2", "home-1", 5), entry("call", "home-1", "c2", 5)); !errors.Is(err, care.ErrCallBusy) || other.ID != "c1" {
		t.Errorf("%q, %v", other.ID, err)
	}
	if log := must(s.AuditLog(ctx, "home-1", 0))(t); len(log) != 0 {
		t.Errorf("a call that did not begin is in the log: %+v", log)
	}
	must(s.AddCall(ctx, call("c3", "home-2", 5)))(t)
	becomes(t, s, "c1", func(c care.Call) care.Call { return c.End(care.CallCancelled, at(6)) })
	must(s.AddCall(ctx, call("c2", "home-1", 7)))(t)
	if _, err := s.AddCall(ctx, call("c9", "home-9", 0)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a call to no home: %v", err)
	}
}

func testCallsAtOnce(t *testing.T, s *store.Store) {
	var all sync.WaitGroup
	var mu sync.Mutex
	began, busy := 0, map[string]bool{}
	for _, id := range []string{"c1", "c2", "c3", "c4"} {
		all.Go(func() {
			c, err := s.AddCall(t.Context(), call(id, "home-1", 0))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				began++
			case errors.Is(err, care.ErrCallBusy):
				busy[c.ID] = true
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if began != 1 || len(busy) != 1 {
		t.Errorf("%d calls began, the others were told of %v", began, busy)
	}
}

func testCallTwice(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(s.AddCall(ctx, call("c1", "home-1", 0), entry("call", "home-1", "c1", 0)))(t)
	becomes(t, s, "c1", func(c care.Call) care.Call { c, _ = c.Rings(at(2)); return c })
	if got := must(s.AddCall(ctx, call("c1", "home-1", 4), entry("call", "home-1", "c1", 4)))(t); !got.Started.Equal(at(0)) || !got.Rung.Equal(at(2)) {
		t.Errorf("it begins anew: %+v", got)
	}
	if log := must(s.AuditLog(ctx, "home-1", 0))(t); len(log) != 1 {
		t.Errorf("%d entries", len(log))
	}
	another := call("c1", "home-1", 4)
	another.By = "bo"
	if _, err := s.AddCall(ctx, another); !errors.Is(err, store.ErrExists) {
		t.Errorf("the id of another's: %v", err)
	}
}

func testCallBackwards(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(s.AddCall(ctx, call("c1", "home-1", 0)))(t)
	becomes(t, s, "c1", func(c care.Call) care.Call { c, _ = c.Join(annaCame(1), at(1)); return c })
	becomes(t, s, "c1", func(c care.Call) care.Call { c, _ = c.Answer(care.ByTouch, at(2)); return c })
	for name, change := range map[string]func(*care.Call){
		"rings again":         func(c *care.Call) { c.State = care.CallRinging },
		"was answered later":  func(c *care.Call) { c.Answered = at(9) },
		"another home":        func(c *care.Call) { c.Home = "home-2" },
		"somebody else's":     func(c *care.Call) { c.By = "bo" },
		"nobody was there":    func(c *care.Call) { c.People = nil },
		"somebody else was":   func(c *care.Call) { c.People = []care.CallPerson{{ID: "person:bo", Joined: at(1)}} },
		"it began at another": func(c *care.Call) { c.Started = at(1) },
	} {
		_, _, err := s.ChangeCall(ctx, "c1", func(c care.Call) (care.Call, []care.AuditEntry, error) {
			change(&c)
			return c, nil, nil
		})
		if !errors.Is(err, store.ErrCallBackwards) {
			t.Errorf("%s: %v", name, err)
		}
	}
	becomes(t, s, "c1", func(c care.Call) care.Call { return c.End(care.CallDone, at(10)) })
	for name, change := range map[string]func(*care.Call){
		"goes on":          func(c *care.Call) { c.State = care.CallAnswered },
		"was missed":       func(c *care.Call) { c.Why = care.CallMissed },
		"ended later":      func(c *care.Call) { c.Ended = at(20) },
		"somebody is back": func(c *care.Call) { c.People[0].Left = time.Time{} },
	} {
		_, _, err := s.ChangeCall(ctx, "c1", func(c care.Call) (care.Call, []care.AuditEntry, error) {
			change(&c)
			return c, nil, nil
		})
		if !errors.Is(err, store.ErrCallBackwards) {
			t.Errorf("over, and %s: %v", name, err)
		}
	}
	refused := errors.New("not today")
	if got, _, err := s.ChangeCall(ctx, "c1", func(c care.Call) (care.Call, []care.AuditEntry, error) { return c, nil, refused }); err != refused || got.ID != "c1" {
		t.Errorf("%+v, %v", got, err)
	}
}

func plannedCall(t *testing.T, s *store.Store, id string) care.Call {
	t.Helper()
	v := visit("v-"+id, "home-1", 0, 30)
	v.Video = true
	must(s.PutVisit(t.Context(), v, entry("visit planned", "home-1", v.ID, 0)))(t)
	c := call(id, "home-1", 10)
	c.Visit = v.ID
	return must(s.AddCall(t.Context(), c))(t)
}

func standing(t *testing.T, s *store.Store, kind care.AlertKind) (out []care.Alert) {
	t.Helper()
	for _, a := range must(s.Alerts(t.Context(), store.AlertFilter{States: []care.AlertState{care.Open, care.Acknowledged}}))(t) {
		if a.Kind == kind {
			out = append(out, a)
		}
	}
	return out
}

func testMissedCall(t *testing.T, s *store.Store) {
	ctx := t.Context()
	for why, note := range map[care.CallEnd]string{care.CallMissed: care.NoteCallMissed, care.CallUnreachable: care.NoteCallUnreachable} {
		id := string(why)
		plannedCall(t, s, id)
		_, events, err := s.ChangeCall(ctx, id, func(c care.Call) (care.Call, []care.AuditEntry, error) {
			return c.End(why, at(60)), []care.AuditEntry{entry("end call", "home-1", id, 60)}, nil
		})
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %d events, %v", why, len(events), err)
		}
		if v := must(s.Visit(ctx, "v-"+id))(t); v.State != care.VisitMissed || v.Note != note {
			t.Errorf("%s: the visit is %s, %q", why, v.State, v.Note)
		}
		a := must(s.Alert(ctx, events[0].Alert))(t)
		if a.Kind != care.AlertVisitMissed || a.Home != "home-1" || a.State != care.Open || a.Severity != care.Attention {
			t.Errorf("%+v", a)
		}
		if due := must(s.Due(ctx, time.Now(), 10))(t); len(due) == 0 {
			t.Error("nobody is going to be told")
		}
		// Rung in vain once more: the same finding. Once somebody has closed it, another.
		again := func(id string) {
			c := call(id, "home-1", 100)
			c.Visit = "v-" + string(why)
			must(s.AddCall(ctx, c))(t)
			becomes(t, s, id, func(c care.Call) care.Call { return c.End(care.CallMissed, at(160)) })
		}
		again(id + "-2")
		if n := len(standing(t, s, care.AlertVisitMissed)); n != 1 {
			t.Errorf("%s: %d alerts of one visit", why, n)
		}
		change(t, s, a.ID, func(a care.Alert) (care.Alert, error) { return a.Resolve("Anna", care.OutcomeHelped, "", at(200)) })
		again(id + "-3")
		if left := standing(t, s, care.AlertVisitMissed); len(left) != 1 || left[0].ID == a.ID {
			t.Errorf("%s: after it was closed: %+v", why, left)
		} else {
			change(t, s, left[0].ID, func(a care.Alert) (care.Alert, error) { return a.Resolve("Anna", care.OutcomeHelped, "", at(300)) })
		}
	}
	// One that was not planned, one that was given up and one that was declined.
	must(s.AddCall(ctx, call("c1", "home-1", 400)))(t)
	becomes(t, s, "c1", func(c care.Call) care.Call { return c.End(care.CallMissed, at(445)) })
	for i, why := range []care.CallEnd{care.CallCancelled, care.CallDeclined} {
		id := string(why)
		plannedCall(t, s, id)
		becomes(t, s, id, func(c care.Call) care.Call { return c.End(why, at(500+i)) })
		if v := must(s.Visit(ctx, "v-"+id))(t); v.State != care.VisitPlanned {
			t.Errorf("%s: the visit is %s", why, v.State)
		}
	}
	if left := standing(t, s, care.AlertVisitMissed); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func testCallIsTheVisit(t *testing.T, s *store.Store) {
	ctx := t.Context()
	plannedCall(t, s, "c1")
	becomes(t, s, "c1", func(c care.Call) care.Call { c, _ = c.Answer(care.ByTouch, at(20)); return c })
	if v := must(s.Visit(ctx, "v-c1"))(t); v.State != care.VisitPlanned {
		t.Errorf("while it goes on it is %s", v.State)
	}
	becomes(t, s, "c1", func(c care.Call) care.Call { return c.End(care.CallDone, at(80)) })
	if v := must(s.Visit(ctx, "v-c1"))(t); v.State != care.VisitDone || v.Note != "" || v.By != "Anna" {
		t.Errorf("%+v", v)
	}
	lastEntry(t, s, "home-1", "visit done")
	long := strings.Repeat("å", care.MaxCallNote)
	becomes(t, s, "c1", func(c care.Call) care.Call {
		c, _ = c.Went(care.CallWent{Outcome: care.CallNeedsVisit, Note: long})
		return c
	})
	if v := must(s.Visit(ctx, "v-c1"))(t); v.State != care.VisitDone || !strings.HasPrefix(v.Note, "åå") {
		t.Errorf("with words: %s, %d bytes", v.State, len(v.Note))
	}
	// Missed first, answered when somebody rang again.
	plannedCall(t, s, "c2")
	becomes(t, s, "c2", func(c care.Call) care.Call { return c.End(care.CallMissed, at(100)) })
	again := call("c3", "home-1", 200)
	again.Visit = "v-c2"
	must(s.AddCall(ctx, again))(t)
	becomes(t, s, "c3", func(c care.Call) care.Call {
		c, _ = c.Answer(care.ByTouch, at(210))
		return c.End(care.CallDone, at(220))
	})
	if v := must(s.Visit(ctx, "v-c2"))(t); v.State != care.VisitDone {
		t.Errorf("answered the second time: %s", v.State)
	}
	// What was called off meanwhile stays so; and no call is begun for it.
	plannedCall(t, s, "c4")
	v := must(s.Visit(ctx, "v-c4"))(t)
	v.State = care.VisitCancelled
	must(s.PutVisit(ctx, v, entry("visit cancelled", "home-1", v.ID, 300)))(t)
	becomes(t, s, "c4", func(c care.Call) care.Call { return c.End(care.CallMissed, at(310)) })
	if v := must(s.Visit(ctx, "v-c4"))(t); v.State != care.VisitCancelled {
		t.Errorf("it is %s", v.State)
	}
	if left := standing(t, s, care.AlertVisitMissed); len(left) != 1 || left[0].Device != "v-c2" {
		t.Errorf("of what was called off nobody has to hear: %+v", left)
	}
	off, other := call("c5", "home-1", 400), call("c6", "home-2", 400)
	off.Visit, other.Visit = "v-c4", "v-c1"
	if _, err := s.AddCall(ctx, off); !errors.Is(err, care.ErrVisitOff) {
		t.Errorf("a call for what was called off: %v", err)
	}
	if _, err := s.AddCall(ctx, other); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a call for another home's visit: %v", err)
	}
}

func testCallLater(t *testing.T, s *store.Store) {
	for i, id := range []string{"c1", "c2"} {
		must(s.AddCall(t.Context(), call(id, "home-1", 100*i)))(t)
		becomes(t, s, id, func(c care.Call) care.Call { return c.End(care.CallLater, at(100*i+10)) })
	}
	wish := alert(care.AlertCallBack, "", at(300)) // as the watcher raises it
	raise(t, s, wish)
	if all := standing(t, s, care.AlertCallBack); len(all) != 1 || all[0].Severity != care.Attention {
		t.Errorf("%+v", all)
	}
}

// Somebody has the wish to be called, and the resident asks again: that is told
// anew. The same press, which comes as a word of the call and as a reading, is not.
func testCallBackAgain(t *testing.T, s *store.Store) {
	take := func(id string, now time.Time) {
		t.Helper()
		if _, _, err := s.ChangeAlert(t.Context(), id, func(a care.Alert) (care.Alert, care.Change, error) {
			a, err := a.Acknowledge("Anna", now)
			return a, care.Change{Actor: "Anna", Role: care.Caregiver, Action: "acknowledge"}, err
		}); err != nil {
			t.Fatal(err)
		}
	}
	first := alert(care.AlertCallBack, "", at(0))
	raise(t, s, first)
	if events := raise(t, s, alert(care.AlertCallBack, "", at(5))); len(events) != 0 {
		t.Error("a wish that nobody has taken yet is told twice")
	}
	take(first.ID, at(10))
	same := alert(care.AlertCallBack, "", at(12))
	same.Observed = at(9)
	if events := raise(t, s, same); len(events) != 0 {
		t.Error("what was pressed before the wish was taken is told as another")
	}
	slow := alert(care.AlertCallBack, "", at(400)) // by a clock that is behind
	slow.Observed = at(-3600)
	again := alert(care.AlertCallBack, "", at(30))
	if events := raise(t, s, again); len(events) != 1 || events[0].Alert != again.ID {
		t.Errorf("nobody is told of a later wish while the first is taken: %+v", events)
	}
	take(again.ID, at(40))
	if events := raise(t, s, slow); len(events) != 1 {
		t.Error("nobody is told of a later wish from a home whose clock is behind")
	}
	if events := raise(t, s, again, first, slow); len(events) != 0 {
		t.Errorf("what was sent again is told again: %+v", events)
	}
	if a := must(s.Alert(t.Context(), first.ID))(t); a.State != care.Acknowledged || a.AcknowledgedBy != "Anna" {
		t.Errorf("the first wish went backwards: %+v", a)
	}
	missed := alert(care.AlertVisitMissed, "v1", at(0))
	raise(t, s, missed)
	take(missed.ID, at(10))
	if events := raise(t, s, alert(care.AlertVisitMissed, "v1", at(500))); len(events) != 0 {
		t.Error("one missed visit is two alerts")
	}
}

// What follows from a call and cannot be written takes the call's change with it.
func testCallAllOrNothing(t *testing.T, s *store.Store) {
	plannedCall(t, s, "c1")
	entries := []care.AuditEntry{entry("end call", "home-1", "c1", 60)}
	for n := 1; ; n++ {
		some, cancel := context.WithCancel(t.Context())
		ctx := &endsAfter{Context: some, cancel: cancel, left: n}
		_, _, err := s.ChangeCall(ctx, "c1", func(c care.Call) (care.Call, []care.AuditEntry, error) {
			return c.End(care.CallMissed, at(60)), entries, nil
		})
		cancel()
		c := must(s.Call(t.Context(), "c1"))(t)
		v := must(s.Visit(t.Context(), "v-c1"))(t)
		alerts := len(standing(t, s, care.AlertVisitMissed))
		whole := c.State == care.CallEnded && v.State == care.VisitMissed && alerts == 1
		nothing := c.State == care.CallRinging && v.State == care.VisitPlanned && alerts == 0
		if err == nil != whole || err != nil != nothing {
			t.Fatalf("after %d: call %s, visit %s, %d alerts, %v", n, c.State, v.State, alerts, err)
		}
		if whole {
			return
		}
		if n > 1000 {
			t.Fatal("it never ends")
		}
	}
}

func testFindCalls(t *testing.T, s *store.Store) {
	ctx := t.Context()
	for i, c := range []care.Call{call("c1", "home-1", 0), call("c2", "home-2", 10), call("c3", "home-1", 20)} {
		must(s.AddCall(ctx, c))(t)
		becomes(t, s, c.ID, func(c care.Call) care.Call { c, _ = c.Join(annaCame(i), at(i)); return c })
		if c.ID == "c1" {
			becomes(t, s, c.ID, func(c care.Call) care.Call { return c.End(care.CallDone, at(5)) })
		}
	}
	for name, test := range map[string]struct {
		filter care.CallFilter
		want   string
	}{
		"all":              {care.CallFilter{}, "c3 c2 c1"},
		"the newest":       {care.CallFilter{Limit: 1}, "c3"},
		"of a home":        {care.CallFilter{Home: "home-1"}, "c3 c1"},
		"that go on":       {care.CallFilter{Live: true}, "c3 c2"},
		"of an area":       {care.CallFilter{Areas: []string{"syd"}}, "c2"},
		"of some homes":    {care.CallFilter{Homes: []string{"home-2"}}, "c2"},
		"of no home":       {care.CallFilter{Homes: []string{}}, ""},
		"of a time":        {care.CallFilter{From: at(0), To: at(20)}, "c2 c1"},
		"of another visit": {care.CallFilter{Visit: "v1"}, ""},
	} {
		ids := []string{}
		for _, c := range must(s.Calls(ctx, test.filter))(t) {
			ids = append(ids, c.ID)
			if len(c.People) != 1 {
				t.Errorf("%s: %s has %d people", name, c.ID, len(c.People))
			}
		}
		if got := strings.Join(ids, " "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func testCallGuests(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(s.AddCall(ctx, call("c1", "home-1", 0)))(t)
	tolk := care.CallGuest{ID: "g1", Call: "c1", Name: "Amina", Role: care.AsInterpreter, Hash: "abc", Invited: "Anna", Expires: at(7200)}
	for range 2 {
		if err := s.AddGuest(ctx, tolk, entry("invite to call", "home-1", "Amina", 1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(s.GuestOf(ctx, "abc"))(t); got != tolk {
		t.Errorf("%+v", got)
	}
	if log := must(s.AuditLog(ctx, "home-1", 0))(t); len(log) != 1 {
		t.Errorf("%d entries of one invitation", len(log))
	}
	if _, err := s.GuestOf(ctx, "abd"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a secret of nobody: %v", err)
	}
	last := error(nil)
	for i := range 30 {
		g := tolk
		g.ID, g.Hash = strings.Repeat("x", i+1), strings.Repeat("h", i+1)
		last = s.AddGuest(ctx, g, entry("invite to call", "home-1", "", 2))
	}
	if !errors.Is(last, store.ErrCallGuests) {
		t.Errorf("one of too many: %v", last)
	}
	becomes(t, s, "c1", func(c care.Call) care.Call { return c.End(care.CallDone, at(60)) })
	tolk.ID, tolk.Hash = "g2", "late"
	if err := s.AddGuest(ctx, tolk, entry("invite to call", "home-1", "", 61)); !errors.Is(err, care.ErrCallOver) {
		t.Errorf("after the end: %v", err)
	}
	tolk.Call = "c9"
	if err := s.AddGuest(ctx, tolk, entry("invite to call", "home-1", "", 61)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("to no call: %v", err)
	}
}

func testCallStatistics(t *testing.T, s *store.Store) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, stockholm(t))
	add := func(id string, role care.Role, change func(care.Call) care.Call) {
		c := call(id, "home-1", 0)
		c.Started, c.ByRole = noon, role
		must(s.AddCall(t.Context(), c))(t)
		becomes(t, s, id, change)
	}
	answered := func(saved int) func(care.Call) care.Call {
		return func(c care.Call) care.Call {
			c, _ = c.Answer(care.ByTouch, noon)
			c = c.End(care.CallDone, noon.Add(10*time.Minute))
			c, _ = c.Went(care.CallWent{Outcome: care.CallWell, Saved: saved})
			return c
		}
	}
	ends := func(why care.CallEnd) func(care.Call) care.Call {
		return func(c care.Call) care.Call { return c.End(why, noon.Add(time.Minute)) }
	}
	add("c1", care.Caregiver, answered(25))
	add("c2", care.Coordinator, answered(5))
	add("c3", care.Relative, answered(0))
	add("c4", care.Caregiver, ends(care.CallMissed))
	add("c5", care.Caregiver, ends(care.CallUnreachable))
	add("c6", care.Caregiver, ends(care.CallDeclined))
	add("c7", care.Caregiver, func(c care.Call) care.Call { c, _ = c.Answer(care.ByTouch, noon); return c }) // goes on
	got := must(s.Statistics(t.Context(), period(t, "2026-11-20", 2), noon))(t)
	if d := got.Days[1]; d.Calls != 2 || d.CallsMissed != 2 || d.CallTime != 20*time.Minute || d.CallSaved != 30 {
		t.Errorf("%+v", d)
	}
	if d := got.Days[0]; d.Calls != 0 || d.CallTime != 0 {
		t.Errorf("the day before: %+v", d)
	}
	south := must(s.Statistics(t.Context(), period(t, "2026-11-20", 2, "syd"), noon))(t)
	if d := south.Days[1]; d.Calls != 0 {
		t.Errorf("another area: %+v", d)
	}
}
