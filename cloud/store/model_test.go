package store_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices/wire"
)

// model is a store in memory, as simple as can be.
type model struct {
	marks  map[string]care.Mark
	boots  map[string]care.Boot
	alerts map[string]care.Alert
	raised []string // alert ids in the order in which they came
	events []string // alert ids
	done   map[string]bool
}

func newModel() *model {
	return &model{marks: map[string]care.Mark{}, boots: map[string]care.Boot{}, alerts: map[string]care.Alert{}, done: map[string]bool{}}
}

func (m *model) standing(r care.Recovery) (ids []string) {
	for _, id := range m.raised {
		if a := m.alerts[id]; a.State != care.Resolved && a.Home == r.Home && a.Kind == r.Kind && a.Device == r.Device {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(m.alerts[a].Raised.Compare(m.alerts[b].Raised), cmp.Compare(a, b))
	})
	return ids
}

func (m *model) raise(a care.Alert) {
	if _, known := m.alerts[a.ID]; known {
		return
	}
	for _, id := range m.standing(recovery(a, a.Raised)) {
		if a.Kind.ClosesItself() || a.Kind.Single() && m.alerts[id].Tells(a) || a.Kind.Lasts() && m.alerts[id].Recovered.IsZero() {
			return
		}
	}
	m.alerts[a.ID], m.raised, m.events = a, append(m.raised, a.ID), append(m.events, a.ID)
}

func (m *model) recover(r care.Recovery) {
	for _, id := range m.standing(r) {
		if a := m.alerts[id]; a.Recovered.IsZero() {
			m.alerts[id], m.events = a.Recover(r.At), append(m.events, id)
		}
	}
}

// commit takes alerts and recoveries of which no two are at the same time.
func (m *model) commit(c care.Commit) {
	for _, k := range c.Marks {
		key := k.Gateway + string(k.Lane) + k.Epoch
		have := m.marks[key]
		k.Evaluated, k.Stored = max(k.Evaluated, have.Evaluated), max(k.Stored, have.Stored)
		if have.Heard.After(k.Heard) {
			k.Heard = have.Heard
		}
		m.marks[key] = k
	}
	for _, b := range c.Boots {
		if _, known := m.boots[b.Gateway+b.Boot]; !known {
			m.boots[b.Gateway+b.Boot] = b
		}
	}
	type step struct {
		at time.Time
		do func()
	}
	var steps []step
	for _, a := range c.Raise {
		steps = append(steps, step{a.Raised, func() { m.raise(a) }})
	}
	for _, r := range c.Recover {
		steps = append(steps, step{r.At, func() { m.recover(r) }})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	for _, s := range steps {
		s.do()
	}
}

// deed is something that a person does to an alert.
type deed struct{ actor, action, key string }

func (d deed) change(now time.Time) func(care.Alert) (care.Alert, store.Change, error) {
	if d.action == "acknowledge" {
		return acknowledge(d.actor, d.key, now)
	}
	return resolve(d.actor, d.key, now)
}

func (m *model) change(id string, d deed, now time.Time) error {
	a, known := m.alerts[id]
	if !known {
		return store.ErrNotFound
	}
	key := fmt.Sprint(d, id)
	if d.key != "" && m.done[key] {
		return nil
	}
	next, _, err := d.change(now)(a)
	if err != nil {
		return err
	}
	if next != a {
		m.alerts[id], m.events = next, append(m.events, id)
	}
	if d.key != "" {
		m.done[key] = true
	}
	return nil
}

// testModel proves P5 and P6 for the store: whatever is committed, done by
// people, replayed and reopened, in any order, both databases hold what the
// model holds. All rounds are in one database, each in a home of its own.
func testModel(t *testing.T, url string) {
	most := math.MaxInt
	if strings.HasPrefix(url, "postgres:") && os.Getenv("LYKTA_LONG") == "" {
		most = roundsOnPostgres
	}
	round, found := 0, false
	rapid.Check(t, func(r *rapid.T) {
		if round++; round > most && !found { // what was found is looked for in shorter lives
			return
		}
		defer func() { found = found || r.Failed() }()
		checkModel(t, r, url, fmt.Sprintf("home-%d.", round))
	})
}

// roundsOnPostgres are fewer than on SQLite, as each takes seven times as long
// there, of the same SQL; LYKTA_LONG=1 is for all.
const roundsOnPostgres = 25

func checkModel(t *testing.T, r *rapid.T, url, home string) {
	s, err := store.Open(t.Context(), url)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { s.Close() }()
	first, err := s.LastEvent(t.Context())
	if err != nil {
		r.Fatal(err)
	}
	m := newModel()
	clock := 0
	tick := func() time.Time { clock++; return at(clock) }
	kinds := rapid.SampledFrom([]care.AlertKind{care.AlertSOS, care.AlertSmoke, care.AlertBatteryLow, care.AlertGatewaySilent})
	device := rapid.SampledFrom([]string{"a", "b"})
	about := func(kind care.AlertKind, device string) care.Alert {
		a := alert(kind, device, tick())
		a.Home, a.ID = home, care.AlertID(home, kind, device, a.Raised.String())
		return a
	}
	var commits []care.Commit
	do := func(c care.Commit) {
		before := len(m.events)
		m.commit(c)
		events, err := s.Commit(t.Context(), c)
		if err != nil {
			r.Fatal(err)
		}
		var ids []string
		for _, e := range events {
			ids = append(ids, e.Alert)
		}
		if !slices.Equal(ids, m.events[before:]) {
			r.Fatalf("Commit tells of %v, the model of %v", ids, m.events[before:])
		}
	}
	r.Repeat(map[string]func(*rapid.T){
		"commit": func(r *rapid.T) {
			var c care.Commit
			for range rapid.IntRange(0, 3).Draw(r, "marks") {
				c.Marks = append(c.Marks, care.Mark{
					Gateway: home + device.Draw(r, "gateway"), Lane: rapid.SampledFrom([]wire.Lane{wire.Alarm, wire.Telemetry}).Draw(r, "lane"),
					Epoch: device.Draw(r, "epoch"), Evaluated: rapid.Uint64Range(0, 1<<62).Draw(r, "evaluated"),
					Stored: rapid.Uint64Range(0, 9).Draw(r, "stored"), Heard: at(rapid.IntRange(0, 99).Draw(r, "heard")),
				})
			}
			for range rapid.IntRange(0, 2).Draw(r, "boots") {
				c.Boots = append(c.Boots, care.Boot{Gateway: home, Boot: device.Draw(r, "boot"),
					Offset: time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(r, "offset")) * time.Microsecond})
			}
			for range rapid.IntRange(0, 4).Draw(r, "findings") {
				if a := about(kinds.Draw(r, "kind"), device.Draw(r, "device")); rapid.Bool().Draw(r, "raise") {
					c.Raise = append(c.Raise, a)
				} else {
					c.Recover = append(c.Recover, recovery(a, a.Raised))
				}
			}
			do(c)
			commits = append(commits, c)
		},
		"replay": func(r *rapid.T) {
			if len(commits) > 0 {
				do(rapid.SampledFrom(commits).Draw(r, "commit"))
			}
		},
		"deed": func(r *rapid.T) {
			id := "nobody"
			if len(m.raised) > 0 {
				id = rapid.SampledFrom(m.raised).Draw(r, "alert")
			}
			d := deed{device.Draw(r, "actor"), rapid.SampledFrom([]string{"acknowledge", "resolve"}).Draw(r, "action"),
				rapid.SampledFrom([]string{"", "k1", "k2"}).Draw(r, "key")}
			now, before := tick(), len(m.events)
			want := m.change(id, d, now)
			got, event, err := s.ChangeAlert(t.Context(), id, d.change(now))
			if want == store.ErrNotFound {
				want = fmt.Errorf("change alert %q: %w", id, want)
			}
			if fmt.Sprint(err) != fmt.Sprint(want) || got != m.alerts[id] || (event != nil) != (len(m.events) > before) {
				r.Fatalf("ChangeAlert = %+v %v %v\nmodel %+v %v", got, event, err, m.alerts[id], want)
			}
		},
		"reopen": func(r *rapid.T) {
			if rapid.IntRange(0, 7).Draw(r, "now") != 0 { // it takes long
				return
			}
			compare(t, r, s, m, home, first)
			if err := s.Close(); err != nil {
				r.Fatal(err)
			}
			if s, err = store.Open(t.Context(), url); err != nil {
				r.Fatal(err)
			}
		},
	})
	compare(t, r, s, m, home, first)
}

func compare(t *testing.T, r *rapid.T, s *store.Store, m *model, home string, first int64) {
	alerts, err1 := s.Alerts(t.Context(), store.AlertFilter{Home: home})
	events, err2 := s.Events(t.Context(), first, 0)
	marks, err3 := s.Marks(t.Context())
	boots, err4 := s.Boots(t.Context())
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			r.Fatal(err)
		}
	}
	var ids []string
	last := first
	for _, e := range events {
		if e.ID <= last {
			r.Fatalf("event %d after %d", e.ID, last)
		}
		ids, last = append(ids, e.Alert), e.ID
	}
	if !slices.Equal(ids, m.events) {
		r.Fatalf("events of %v, model %v", ids, m.events)
	}
	got := newModel()
	for _, a := range alerts {
		got.alerts[a.ID] = a
	}
	for _, k := range marks {
		if strings.HasPrefix(k.Gateway, home) {
			got.marks[k.Gateway+string(k.Lane)+k.Epoch] = k
		}
	}
	for _, b := range boots {
		if b.Gateway == home {
			got.boots[b.Gateway+b.Boot] = b
		}
	}
	for name, pair := range map[string][2]any{"alerts": {got.alerts, m.alerts}, "marks": {got.marks, m.marks}, "boots": {got.boots, m.boots}} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			r.Fatalf("%s: %+v\nmodel: %+v", name, pair[0], pair[1])
		}
	}
}
