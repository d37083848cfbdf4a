package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// TestConformance is what both databases must do alike.
func TestConformance(t *testing.T) {
	tests := []struct {
		name string
		test func(t *testing.T, s *store.Store)
	}{
		{"homes", testHomes},
		{"marks never go back", testMarks},
		{"the first correction of a boot stays", testBoots},
		{"a watcher's state is replaced", testStates},
		{"alarm records are there once, whole, until copied", testRecords},
		{"a commit that fails leaves nothing", testAllOrNothing},
		{"a commit whose context ends has happened only if it says so", testCancel},
		{"P2 presses are never joined or silenced", testPresses},
		{"one standing alert for what closes itself", testStanding},
		{"a danger is one alert until it ends or is closed", testLasting},
		{"recovery", testRecovery},
		{"what happens at one moment keeps its sense", testSameMoment},
		{"alerts are listed by urgency", testAlerts},
		{"an alert is changed with all that follows", testChange},
		{"a deed done twice is done once", testIdempotency},
		{"P5 an alert never goes backwards", testBackwards},
		{"commands wait for their own gateway", testCommands},
		{"refused messages are bounded", testRefused},
		{"people and groups", testPeople},
		{"rota and policies", testRota},
		{"P2 an alert comes with the first turn of telling", testEscalation},
		{"the last resort cannot be removed", testLastResort},
		{"a shift is handed over", testHandOver},
		{"what is handed over takes no other's place", testHandOverOnlyAdds},
		{"a fall is no test of a button", testFallIsNoTest},
		{"a late press is no test", testLatePressIsNoTest},
		{"relatives hear how it went", testNews},
		{"an answer is about what was asked", testAsked},
		{"silences", testSilences},
		{"tests by hand", testTestAlarms},
		{"gateways' own tests", testOwnTests},
		{"the home's word is of the present hand", testHeard},
		{"browsers and settings", testBrowsers},
		{"credentials", testCredentials},
		{"a session's secret turns once", testSessions},
		{"a person's sign-ins are theirs", testSignIns},
		{"audit log", testAudit},
		{"what is old is forgotten", testDeleteExpired},
		{"a backup is whole, or names another tool", testBackup},
		{"no text from outside can stop a commit", testText},
	}
	lives := []struct {
		name string
		test func(t *testing.T, address string)
	}{
		{"opening twice keeps what is there", testOpenTwice},
		{"the work of a newer version is refused", testNewer},
		{"processes write one at a time", testOneAtATime},
		{"events are seen in the order of their numbers", testEventOrder},
		{"P1 what was committed survives kill -9", testKill},
		{"P5 P6 a model, replayed and reopened", testModel},
	}
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) { test.test(t, open(t, address(t))) })
		}
		for _, test := range lives {
			t.Run(test.name, func(t *testing.T) { test.test(t, address(t)) })
		}
	})
}

func testHomes(t *testing.T, s *store.Store) {
	ctx := t.Context()
	home := care.Home{ID: "b", Gateway: "gw-b", Name: "Åsa Öberg", Zone: "Europe/Stockholm",
		CheckIns: []care.CheckIn{{From: 420, By: 600}}, Created: at(0)}
	other := care.Home{ID: "a", Gateway: "gw-a", Name: "A", Zone: "UTC", Created: at(1)}
	for _, h := range []care.Home{home, other} {
		if err := s.AddHome(ctx, h); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(s.Homes(ctx))(t); !reflect.DeepEqual(got, []care.Home{other, home}) {
		t.Errorf("Homes = %+v", got)
	}
	if got := must(s.Home(ctx, "b"))(t); !reflect.DeepEqual(got, home) {
		t.Errorf("Home = %+v, want %+v", got, home)
	}
	if got := must(s.HomeByGateway(ctx, "gw-a"))(t); !reflect.DeepEqual(got, other) {
		t.Errorf("HomeByGateway = %+v", got)
	}
	sameID, sameGateway := home, home
	sameID.Gateway, sameGateway.ID = "gw-c", "c"
	for _, h := range []care.Home{sameID, sameGateway} {
		if err := s.AddHome(ctx, h); !errors.Is(err, store.ErrExists) {
			t.Errorf("AddHome of %s at %s = %v, want ErrExists", h.ID, h.Gateway, err)
		}
	}
	home.Gateway, home.Name, home.CheckIns = "gw-new", "Åsa", nil
	if err := s.UpdateHome(ctx, home); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Home(ctx, "b"))(t); !reflect.DeepEqual(got, home) {
		t.Errorf("after UpdateHome: %+v, want %+v", got, home)
	}
	taken := home
	taken.Gateway = "gw-a"
	if err := s.UpdateHome(ctx, taken); !errors.Is(err, store.ErrExists) {
		t.Errorf("UpdateHome to a taken gateway = %v, want ErrExists", err)
	}
	unknown := home
	unknown.ID, unknown.Gateway = "zz", "gw-zz"
	if err := s.UpdateHome(ctx, unknown); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("UpdateHome of an unknown home = %v, want ErrNotFound", err)
	}
	if err := s.AddHome(ctx, care.Home{ID: "Not an id"}); !errors.Is(err, care.ErrHome) {
		t.Errorf("AddHome of nonsense = %v, want ErrHome", err)
	}
	_, err := s.Home(ctx, "zz")
	_, err2 := s.HomeByGateway(ctx, "gw-b") // moved away
	for _, err := range []error{err, err2} {
		if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrExists) {
			t.Errorf("unknown home: %v, want ErrNotFound", err)
		}
	}
}

func testMarks(t *testing.T, s *store.Store) {
	mark := func(evaluated, stored uint64, heard int) care.Mark {
		return care.Mark{Gateway: "gw1", Lane: wire.Telemetry, Epoch: "e1", Evaluated: evaluated, Stored: stored, Heard: at(heard)}
	}
	commit(t, s, care.Commit{Marks: []care.Mark{mark(10, 5, 10)}})
	commit(t, s, care.Commit{Marks: []care.Mark{mark(8, 7, 5)}})
	other := care.Mark{Gateway: "gw1", Lane: wire.Alarm, Epoch: "e1", Evaluated: 1, Stored: 1}
	commit(t, s, care.Commit{Marks: []care.Mark{mark(12, 6, 7), other, mark(11, 6, 12)}}) // one log twice in one commit
	want := []care.Mark{other, mark(12, 7, 12)}
	if got := must(s.Marks(t.Context()))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("Marks = %+v, want %+v", got, want)
	}

	var many []care.Mark
	for i := range 1234 { // more than one statement takes, and a rest
		many = append(many, care.Mark{Gateway: fmt.Sprintf("many-%04d", i), Lane: wire.Alarm, Epoch: "e", Evaluated: uint64(i), Stored: uint64(i), Heard: at(i)})
	}
	commit(t, s, care.Commit{Marks: many})
	same := func(when string) {
		t.Helper()
		if got := must(s.Marks(t.Context()))(t); !reflect.DeepEqual(got[:2], want) || !reflect.DeepEqual(got[2:], many) {
			t.Errorf("%s: of %d marks in one commit %d came back, or not the same", when, len(many), len(got)-2)
		}
	}
	same("in the journal")
	for range 2 {
		if err := s.FoldMarks(t.Context()); err != nil {
			t.Fatal(err)
		}
		same("folded")
	}
	commit(t, s, care.Commit{Marks: []care.Mark{mark(11, 6, 9), {Gateway: "many-0007", Lane: wire.Alarm, Epoch: "e", Evaluated: 9, Stored: 8, Heard: at(1)}}})
	many[7].Evaluated, many[7].Stored = 9, 8
	same("some newer")
	if err := s.FoldMarks(t.Context()); err != nil {
		t.Fatal(err)
	}
	same("folded again")
	ended, end := context.WithCancel(t.Context())
	commit(t, s, care.Commit{Marks: many})
	end()
	if err := s.FoldMarks(ended); err == nil {
		t.Error("what was ended has no error")
	}
	same("ended in the middle")
}

func testBoots(t *testing.T, s *store.Store) {
	first := care.Boot{Gateway: "gw1", Boot: "b1", Offset: -90 * time.Minute}
	second := care.Boot{Gateway: "gw1", Boot: "b1", Offset: time.Minute}
	commit(t, s, care.Commit{Boots: []care.Boot{first, second}})
	commit(t, s, care.Commit{Boots: []care.Boot{second}})
	if got := must(s.Boots(t.Context()))(t); !reflect.DeepEqual(got, []care.Boot{first}) {
		t.Errorf("Boots = %+v, want %+v", got, first)
	}
}

func testStates(t *testing.T, s *store.Store) {
	commit(t, s, care.Commit{States: []care.HomeState{{Home: "h1", State: []byte("old")}, {Home: "h2", State: []byte{0, 255}}}})
	commit(t, s, care.Commit{States: []care.HomeState{{Home: "h1", State: []byte("older")}, {Home: "h1", State: []byte("new")}}})
	want := []care.HomeState{{Home: "h1", State: []byte("new")}, {Home: "h2", State: []byte{0, 255}}}
	if got := must(s.States(t.Context()))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("States = %q, want %q", got, want)
	}
}

func testRecords(t *testing.T, s *store.Store) {
	rich := record(2, at(1))
	rich.Record.Value, rich.Record.Text = nil, "NUL \x00 and \"quotes\" åäö"
	rich.Record.Extra = map[string]json.RawMessage{"new": json.RawMessage(`{"a":[1,2]}`)}
	late, early := record(3, at(2)), record(1, at(0))
	commit(t, s, care.Commit{Records: []care.AlarmRecord{late, rich, early}})
	again := rich
	again.Record.Text = "replayed with another text"
	commit(t, s, care.Commit{Records: []care.AlarmRecord{again}})

	if got, want := must(s.Uncopied(t.Context(), 10))(t), []care.AlarmRecord{early, rich, late}; !reflect.DeepEqual(got, want) {
		t.Errorf("Uncopied = %+v\nwant %+v", got, want)
	}
	if got := must(s.Uncopied(t.Context(), 2))(t); len(got) != 2 || got[0].Seq != 1 {
		t.Errorf("Uncopied(2) = %+v, want the two oldest", got)
	}
	if err := s.MarkCopied(t.Context(), []care.AlarmRecord{early, late}); err != nil {
		t.Fatal(err)
	}
	commit(t, s, care.Commit{Records: []care.AlarmRecord{early}}) // a replay is not copied again
	if got := must(s.Uncopied(t.Context(), 10))(t); len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("after MarkCopied: %+v, want only record 2", got)
	}
}

func testAllOrNothing(t *testing.T, s *store.Store) {
	poison := record(2, at(0))
	poison.Record.Value = devices.Number(math.NaN()) // cannot be written as JSON
	_, err := s.Commit(t.Context(), care.Commit{
		Marks: []care.Mark{{Gateway: "gw1", Lane: wire.Alarm, Epoch: "e1", Evaluated: 2}},
		Boots: []care.Boot{{Gateway: "gw1", Boot: "b"}}, Records: []care.AlarmRecord{record(1, at(0)), poison},
	})
	if err == nil {
		t.Fatal("a record that cannot be stored was committed")
	}
	if marks, boots, records := must(s.Marks(t.Context()))(t), must(s.Boots(t.Context()))(t), must(s.Uncopied(t.Context(), 0))(t); len(marks)+len(boots)+len(records) > 0 {
		t.Errorf("left behind: %v %v %v", marks, boots, records)
	}
	commit(t, s, care.Commit{Records: []care.AlarmRecord{record(1, at(0))}}) // and the store goes on
}

func testCancel(t *testing.T, s *store.Store) {
	var failed, done int
	for i := range 60 {
		ctx, cancel := context.WithCancel(t.Context())
		c := care.Commit{Raise: []care.Alert{alert(care.AlertSOS, fmt.Sprint("b", i), at(i))}}
		for j := range 300 {
			c.Marks = append(c.Marks, care.Mark{Gateway: fmt.Sprintf("gw%d-%d", i, j), Lane: wire.Alarm, Epoch: "e", Evaluated: 1})
		}
		// End the context somewhere in the middle: after it was asked i² times.
		_, err := s.Commit(&endsAfter{Context: ctx, cancel: cancel, left: i * i}, c)
		cancel()
		marks := 0
		for _, m := range must(s.Marks(t.Context()))(t) {
			if strings.HasPrefix(m.Gateway, fmt.Sprintf("gw%d-", i)) {
				marks++
			}
		}
		_, missing := s.Alert(t.Context(), c.Raise[0].ID)
		switch {
		case err == nil && (marks != 300 || missing != nil):
			t.Fatalf("commit %d succeeded, with %d marks and alert error %v", i, marks, missing)
		case err != nil && (marks != 0 || missing == nil):
			t.Fatalf("commit %d failed (%v), but %d marks and alert error %v", i, err, marks, missing)
		case err != nil && !errors.Is(err, context.Canceled):
			t.Fatalf("commit %d: %v", i, err)
		case err != nil:
			failed++
		default:
			done++
		}
	}
	if failed == 0 || done == 0 {
		t.Errorf("%d commits failed, %d succeeded: that tests nothing", failed, done)
	}
	raise(t, s, alert(care.AlertSOS, "after", at(100))) // and the store goes on
}

// endsAfter is a context that ends after it was asked some times.
type endsAfter struct {
	context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	left   int
}

func (c *endsAfter) ask() {
	c.mu.Lock()
	c.left--
	end := c.left < 0
	c.mu.Unlock()
	if end {
		c.cancel()
	}
}

func (c *endsAfter) Done() <-chan struct{} { c.ask(); return c.Context.Done() }
func (c *endsAfter) Err() error            { c.ask(); return c.Context.Err() }

func testPresses(t *testing.T, s *store.Store) {
	first, second := alert(care.AlertSOS, "button", at(0)), alert(care.AlertSOS, "button", at(1))
	events := raise(t, s, second, first, first)
	if len(events) != 2 || events[0].Alert != first.ID || events[1].Alert != second.ID || events[0].ID >= events[1].ID || events[0].Home != "home-1" {
		t.Fatalf("events of two presses = %+v", events)
	}
	if got := must(s.Alert(t.Context(), first.ID))(t); got != first {
		t.Errorf("Alert = %+v\nwant %+v", got, first)
	}
	if events := raise(t, s, first); len(events) != 0 {
		t.Errorf("a replayed press made events %+v", events)
	}
	stored := must(s.Events(t.Context(), 0, 0))(t)
	if !reflect.DeepEqual(stored, events) {
		t.Errorf("Events = %+v, want what Commit returned: %+v", stored, events)
	}
	if last := must(s.LastEvent(t.Context()))(t); last != events[1].ID {
		t.Errorf("LastEvent = %d, want %d", last, events[1].ID)
	}
	if got := must(s.Events(t.Context(), events[0].ID, 5))(t); !reflect.DeepEqual(got, events[1:]) {
		t.Errorf("Events after the first = %+v, want %+v", got, events[1:])
	}
}

func testStanding(t *testing.T, s *store.Store) {
	first, second := alert(care.AlertGatewaySilent, "", at(0)), alert(care.AlertGatewaySilent, "", at(300))
	raise(t, s, first)
	if events := raise(t, s, second); len(events) != 0 {
		t.Errorf("a second silence beside a standing one made events %+v", events)
	}
	if _, err := s.Alert(t.Context(), second.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the second silence: %v, want ErrNotFound", err)
	}
	elsewhere := alert(care.AlertSensorSilent, "door", at(1))
	if events := raise(t, s, elsewhere); len(events) != 1 {
		t.Errorf("silence of a sensor = %+v, want one event", events)
	}
	commit(t, s, care.Commit{Recover: []care.Recovery{recovery(first, at(400))}})
	if events := raise(t, s, second); len(events) != 1 {
		t.Errorf("silence after recovery = %+v, want one event", events)
	}
	if events := raise(t, s, first); len(events) != 0 {
		t.Errorf("replay of the recovered silence = %+v, want nothing", events)
	}
}

func testLasting(t *testing.T, s *store.Store) {
	fire := func(sec int) care.Alert { return alert(care.AlertSmoke, "kitchen", at(sec)) }
	if events := raise(t, s, fire(0)); len(events) != 1 {
		t.Fatalf("a fire made events %+v", events)
	}
	if events := raise(t, s, fire(10)); len(events) != 0 {
		t.Errorf("the same fire, told of again, made events %+v", events)
	}
	if _, _, err := s.ChangeAlert(t.Context(), fire(0).ID, func(a care.Alert) (care.Alert, care.Change, error) {
		next, err := a.Resolve("Anna", care.OutcomeTest, "", at(20))
		return next, care.Change{Actor: "Anna", Action: "resolve"}, err
	}); err != nil {
		t.Fatal(err)
	}
	if events := raise(t, s, fire(30)); len(events) != 1 {
		t.Errorf("a fire after the first was closed made events %+v, want one", events)
	}
	commit(t, s, care.Commit{Recover: []care.Recovery{recovery(fire(30), at(40))}})
	if events := raise(t, s, fire(50)); len(events) != 1 {
		t.Errorf("a fire after the last went out made events %+v, want one", events)
	}
}

func testRecovery(t *testing.T, s *store.Store) {
	battery, smoke := alert(care.AlertBatteryLow, "door", at(0)), alert(care.AlertSmoke, "kitchen", at(0))
	raise(t, s, battery, smoke)
	both := care.Commit{Recover: []care.Recovery{recovery(battery, at(60)), recovery(smoke, at(60)), {Home: "home-1", Kind: care.AlertFall, Device: "kitchen", At: at(60)}}}
	if events := commit(t, s, both); len(events) != 2 || events[0].Alert != battery.ID || events[1].Alert != smoke.ID {
		t.Errorf("events of recoveries = %+v", events)
	}
	if got, want := must(s.Alert(t.Context(), battery.ID))(t), battery.Recover(at(60)); got != want || got.State != care.Resolved {
		t.Errorf("battery alert = %+v\nwant %+v", got, want)
	}
	if got, want := must(s.Alert(t.Context(), smoke.ID))(t), smoke.Recover(at(60)); got != want || got.State != care.Open {
		t.Errorf("smoke alert = %+v\nwant %+v", got, want)
	}
	for i := range both.Recover {
		both.Recover[i].At = at(90)
	}
	if events := commit(t, s, both); len(events) != 0 {
		t.Errorf("recovering again made events %+v", events)
	}
	if got := must(s.Alert(t.Context(), smoke.ID))(t); !got.Recovered.Equal(at(60)) {
		t.Errorf("recovering again moved the time to %v", got.Recovered)
	}
}

func testSameMoment(t *testing.T, s *store.Store) {
	state := func(a care.Alert) string {
		got, err := s.Alert(t.Context(), a.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return "none"
		case err != nil:
			t.Fatal(err)
		case got.Recovered.IsZero():
			return "stands"
		}
		return "recovered"
	}
	at0 := alert(care.AlertBatteryLow, "door", at(0))
	at1 := alert(care.AlertBatteryLow, "door", at(10))
	at2 := alert(care.AlertBatteryLow, "door", at(20))

	// Low and well again in one message.
	commit(t, s, care.Commit{Raise: []care.Alert{at0}, Recover: []care.Recovery{recovery(at0, at(0))}})
	if got := state(at0); got != "recovered" {
		t.Errorf("low, then well: the alert %s", got)
	}
	// Low stands; well and low again in one message.
	raise(t, s, at1)
	at2.Raised = at(15)
	commit(t, s, care.Commit{Raise: []care.Alert{at2}, Recover: []care.Recovery{recovery(at1, at(15))}})
	if a, b := state(at1), state(at2); a != "recovered" || b != "stands" {
		t.Errorf("well, then low again: the old alert %s, the new %s", a, b)
	}
	// Smoke, clear, smoke again in one message.
	s1, s2 := alert(care.AlertSmoke, "kitchen", at(0)), alert(care.AlertSmoke, "kitchen", at(1))
	s2.Raised = s1.Raised
	commit(t, s, care.Commit{Raise: []care.Alert{s1, s2}, Recover: []care.Recovery{recovery(s1, at(0))}})
	if a, b := state(s1), state(s2); a != "recovered" || b != "stands" {
		t.Errorf("smoke, clear, smoke: the first %s, the second %s", a, b)
	}
	// Other moments in one commit: time decides.
	g1, g2 := alert(care.AlertGatewaySilent, "", at(0)), alert(care.AlertGatewaySilent, "", at(500))
	commit(t, s, care.Commit{Raise: []care.Alert{g2, g1}, Recover: []care.Recovery{recovery(g1, at(100))}})
	if a, b := state(g1), state(g2); a != "recovered" || b != "stands" {
		t.Errorf("silent, back, silent: the first %s, the second %s", a, b)
	}
}

func testAlerts(t *testing.T, s *store.Store) {
	technical := alert(care.AlertBatteryLow, "x", at(50))
	attention := alert(care.AlertWaterLeak, "x", at(40))
	old, fresh := alert(care.AlertSOS, "x", at(10)), alert(care.AlertFall, "x", at(20))
	elsewhere := alert(care.AlertSOS, "x", at(15))
	elsewhere.Home, elsewhere.ID = "home-2", "elsewhere"
	raise(t, s, technical, attention, old, fresh, elsewhere)
	_, _, err := s.ChangeAlert(t.Context(), fresh.ID, acknowledge("Anna", "", at(60)))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		filter store.AlertFilter
		want   []care.Alert
	}{
		{"all", store.AlertFilter{}, []care.Alert{fresh, elsewhere, old, attention, technical}},
		{"of a home", store.AlertFilter{Home: "home-1"}, []care.Alert{fresh, old, attention, technical}},
		{"open", store.AlertFilter{States: []care.AlertState{care.Open}, Limit: 2}, []care.Alert{elsewhere, old}},
		{"two states", store.AlertFilter{States: []care.AlertState{care.Acknowledged, care.Open}, Home: "home-2"}, []care.Alert{elsewhere}},
		{"before", store.AlertFilter{Before: at(20)}, []care.Alert{elsewhere, old}},
		{"resolved", store.AlertFilter{States: []care.AlertState{care.Resolved}}, nil},
	} {
		ids := func(alerts []care.Alert) (out []string) {
			for _, a := range alerts {
				out = append(out, a.ID)
			}
			return out
		}
		if got := must(s.Alerts(t.Context(), test.filter))(t); !slices.Equal(ids(got), ids(test.want)) {
			t.Errorf("%s: %v, want %v", test.name, ids(got), ids(test.want))
		}
	}
}

// acknowledge is a change as the service makes it.
func acknowledge(by, key string, now time.Time) func(care.Alert) (care.Alert, store.Change, error) {
	return func(a care.Alert) (care.Alert, store.Change, error) {
		next, err := a.Acknowledge(by, now)
		return next, store.Change{Actor: by, Role: care.Caregiver, Action: "acknowledge", Key: key}, err
	}
}

func resolve(by, key string, now time.Time) func(care.Alert) (care.Alert, store.Change, error) {
	return func(a care.Alert) (care.Alert, store.Change, error) {
		next, err := a.Resolve(by, care.OutcomeHelped, "sat with her", now)
		return next, store.Change{Actor: by, Role: care.Caregiver, Action: "resolve", Key: key}, err
	}
}

func testChange(t *testing.T, s *store.Store) {
	ctx := t.Context()
	press := alert(care.AlertSOS, "button", at(0))
	raised := raise(t, s, press)
	confirm := care.PendingCommand{Gateway: "gw1", Command: wire.Command{ID: "c1", Type: wire.CommandConfirm, Args: json.RawMessage(`{"by":"Anna"}`)}}
	got, event, err := s.ChangeAlert(ctx, press.ID, func(a care.Alert) (care.Alert, store.Change, error) {
		if a != press {
			t.Errorf("asked about %+v, want %+v", a, press)
		}
		a, err := a.Acknowledge("Anna", at(5).Add(999)) // nanoseconds that are not kept
		return a, store.Change{Actor: "Anna", Role: care.Caregiver, Action: "acknowledge", Commands: []care.PendingCommand{confirm}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := press.Acknowledge("Anna", at(5))
	if stored := must(s.Alert(ctx, press.ID))(t); got != want || stored != want {
		t.Errorf("ChangeAlert = %+v\nstored %+v\nwant %+v", got, stored, want)
	}
	if event == nil || event.ID <= raised[0].ID || event.Alert != press.ID || event.Home != press.Home {
		t.Errorf("event = %+v", event)
	}
	if commands := must(s.PendingCommands(ctx, "gw1", at(0)))(t); !reflect.DeepEqual(commands, []care.PendingCommand{confirm}) {
		t.Errorf("commands = %+v, want %+v", commands, confirm)
	}
	log := must(s.AuditLog(ctx, "home-1", 0))(t)
	if len(log) != 1 || log[0].Actor != "Anna" || log[0].Role != care.Caregiver || log[0].Action != "acknowledge" || log[0].Detail != press.ID || log[0].At.IsZero() {
		t.Errorf("audit log = %+v", log)
	}

	// Berit is later: Anna's stays, and nobody is woken.
	got, event, err = s.ChangeAlert(ctx, press.ID, acknowledge("Berit", "", at(9)))
	if err != nil || event != nil || got != want {
		t.Errorf("acknowledged again = %+v %+v %v, want %+v and no event", got, event, err, want)
	}
	// An error comes back as it is, with the alert as it stands.
	mine := errors.New("mine")
	got, event, err = s.ChangeAlert(ctx, press.ID, func(a care.Alert) (care.Alert, store.Change, error) {
		return care.Alert{}, store.Change{Commands: []care.PendingCommand{{Gateway: "gw1", Command: wire.Command{ID: "c2"}}}}, mine
	})
	if err != mine || event != nil || got != want {
		t.Errorf("refused change = %+v %+v %v", got, event, err)
	}
	if commands := must(s.PendingCommands(ctx, "gw1", at(0)))(t); len(commands) != 1 {
		t.Errorf("a refused change left commands: %+v", commands)
	}
	if _, _, err := s.ChangeAlert(ctx, "nobody", acknowledge("Anna", "", at(0))); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown alert: %v, want ErrNotFound", err)
	}
}

func testIdempotency(t *testing.T, s *store.Store) {
	ctx := t.Context()
	press := alert(care.AlertSOS, "button", at(0))
	raise(t, s, press)
	first, event, err := s.ChangeAlert(ctx, press.ID, resolve("Anna", "k1", at(5)))
	if err != nil || event == nil {
		t.Fatal(event, err)
	}
	// The phone did not hear the answer and sends again, later.
	again, event, err := s.ChangeAlert(ctx, press.ID, resolve("Anna", "k1", at(50)))
	if err != nil || event != nil || again != first {
		t.Errorf("sent again = %+v %+v %v, want %+v and nothing else", again, event, err, first)
	}
	for name, change := range map[string]func(care.Alert) (care.Alert, store.Change, error){
		"a new key":     resolve("Anna", "k2", at(50)),
		"no key":        resolve("Anna", "", at(50)),
		"another actor": resolve("Berit", "k1", at(50)),
		"another deed":  acknowledge("Anna", "k1", at(50)),
	} {
		if _, _, err := s.ChangeAlert(ctx, press.ID, change); !errors.Is(err, care.ErrAlreadyResolved) {
			t.Errorf("%s: %v, want ErrAlreadyResolved", name, err)
		}
	}
	if log := must(s.AuditLog(ctx, "home-1", 0))(t); len(log) != 1 {
		t.Errorf("one deed has %d audit entries", len(log))
	}
}

func testBackwards(t *testing.T, s *store.Store) {
	ctx := t.Context()
	press := alert(care.AlertSOS, "button", at(0))
	raise(t, s, press)
	try := func(name string, f func(*care.Alert)) {
		t.Helper()
		before := must(s.Alert(ctx, press.ID))(t)
		_, event, err := s.ChangeAlert(ctx, press.ID, func(a care.Alert) (care.Alert, store.Change, error) {
			f(&a)
			return a, store.Change{Actor: "x", Action: "x"}, nil
		})
		if after := must(s.Alert(ctx, press.ID))(t); !errors.Is(err, store.ErrBackwards) || event != nil || after != before {
			t.Errorf("%s: %v, %+v -> %+v", name, err, before, after)
		}
	}
	try("another home", func(a *care.Alert) { a.Home = "home-2" })
	try("less severe", func(a *care.Alert) { a.Severity = care.Technical })
	if _, _, err := s.ChangeAlert(ctx, press.ID, acknowledge("Anna", "", at(1))); err != nil {
		t.Fatal(err)
	}
	try("open again", func(a *care.Alert) { a.State = care.Open })
	try("no state", func(a *care.Alert) { a.State = "" })
	try("somebody else has it", func(a *care.Alert) { a.AcknowledgedBy = "Berit" })
	if _, _, err := s.ChangeAlert(ctx, press.ID, resolve("Anna", "", at(2))); err != nil {
		t.Fatal(err)
	}
	try("reopened", func(a *care.Alert) { a.State = care.Acknowledged })
	try("another outcome", func(a *care.Alert) { a.Outcome = care.OutcomeTest })
	before := must(s.Alert(ctx, press.ID))(t)
	commit(t, s, care.Commit{Raise: []care.Alert{press}, Recover: []care.Recovery{recovery(press, at(9))}}) // a replay
	if after := must(s.Alert(ctx, press.ID))(t); after != before {
		t.Errorf("a replay changed %+v to %+v", before, after)
	}
}
