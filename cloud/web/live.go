package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

// Live knows how every home is now and which alerts need somebody, and tells
// the screens when that changes. What it is told by ingest it takes without
// blocking; its own goroutine, Run, does the rest.
type Live struct {
	alerts Alerts
	log    *slog.Logger

	mu       sync.Mutex
	homes    map[string]watch.Status
	active   map[string]map[string]care.Alert // home -> id -> alert
	dirty    map[string]bool                  // homes whose change has not been sent
	readings map[string][]devices.Reading     // only of homes that somebody looks at
	screens  map[*screen]bool
	watched  map[string]int       // home -> screens that look at it
	passed   map[string]time.Time // home -> when its latest test by hand passed
	own      map[string]time.Time // home -> when its gateway's own test was last received

	seen int64         // id of the last event sent; Run's own
	wake chan struct{} // there may be events
}

// screen is one open event stream.
type screen struct {
	home string // whose readings it wants
	out  chan message
}

// message is one server-sent event.
type message struct {
	id       int64
	event    string
	data     []byte
	home     string // for readings: only to screens that look at this home
	readings []readingView
}

// homesEvery is how often one home is sent at most.
const homesEvery = time.Second

// eventsAtOnce is how many events are read from the store at a time.
const eventsAtOnce = 1000

// NewLive makes a Live that reads alerts from the store.
func NewLive(alerts Alerts, log *slog.Logger) *Live {
	return &Live{
		alerts: alerts, log: log,
		homes: map[string]watch.Status{}, active: map[string]map[string]care.Alert{},
		dirty: map[string]bool{}, readings: map[string][]devices.Reading{},
		screens: map[*screen]bool{}, watched: map[string]int{},
		passed: map[string]time.Time{}, own: map[string]time.Time{},
		wake: make(chan struct{}, 1),
	}
}

// AlertsChanged says that changes to alerts were committed. What they are is
// read from the store, now and every second: a commit whose answer was lost
// is told of there alone.
func (l *Live) AlertsChanged() { l.nudge() }

// Home takes note of how a home is.
func (l *Live) Home(status watch.Status) {
	l.mu.Lock()
	l.homes[status.Home.ID] = status
	l.dirty[status.Home.ID] = true
	l.mu.Unlock()
}

// Tested takes note of when homes were tested.
func (l *Live) Tested(passed, own map[string]time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, both := range []struct{ have, found map[string]time.Time }{{l.passed, passed}, {l.own, own}} {
		for home, at := range both.found {
			if !both.have[home].Equal(at) {
				both.have[home], l.dirty[home] = at, true
			}
		}
	}
}

// Readings passes on readings of a home that somebody looks at.
func (l *Live) Readings(home string, readings []devices.Reading) {
	l.mu.Lock()
	if l.watched[home] > 0 {
		kept := append(l.readings[home], readings...)
		l.readings[home] = kept[max(0, len(kept)-500):]
	}
	l.mu.Unlock()
}

func (l *Live) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run sends changes to the screens until ctx ends.
func (l *Live) Run(ctx context.Context) error {
	var err error
	if l.seen, err = l.alerts.LastEvent(ctx); err != nil { // before the alerts, so that none falls between
		return err
	}
	active, err := l.alerts.Alerts(ctx, care.AlertFilter{States: []care.AlertState{care.Open, care.Acknowledged}})
	if err != nil {
		return err
	}
	l.mu.Lock()
	for _, a := range active {
		l.file(a)
	}
	l.mu.Unlock()
	tick := time.NewTicker(homesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.wake:
			l.sendEvents(ctx)
		case <-tick.C:
			l.sendEvents(ctx)
			l.sendHomes()
		}
	}
}

// file puts an alert among the active ones, or takes it away. l.mu is held.
func (l *Live) file(a care.Alert) {
	if a.State == care.Resolved {
		delete(l.active[a.Home], a.ID)
		if len(l.active[a.Home]) == 0 {
			delete(l.active, a.Home)
		}
		return
	}
	if l.active[a.Home] == nil {
		l.active[a.Home] = map[string]care.Alert{}
	}
	l.active[a.Home][a.ID] = a
}

// sendEvents sends what has been committed since the last time.
func (l *Live) sendEvents(ctx context.Context) {
	for {
		events, err := l.alerts.Events(ctx, l.seen, eventsAtOnce)
		if err != nil {
			l.missed(ctx, "read changes of alerts", err)
			return
		}
		for _, e := range events {
			alert, err := l.alerts.Alert(ctx, e.Alert)
			if err != nil {
				l.missed(ctx, "read a changed alert", err)
				return
			}
			l.seen = e.ID
			l.mu.Lock()
			l.file(alert)
			l.dirty[alert.Home] = true
			data, err := json.Marshal(l.alertView(alert))
			l.mu.Unlock()
			if err != nil {
				l.log.Error("encode an alert", "alert", alert.ID, "err", err)
				continue
			}
			l.broadcast(message{id: e.ID, event: "alert", data: data})
		}
		if len(events) < eventsAtOnce {
			return
		}
	}
}

// missed logs what will be tried again with the next tick.
func (l *Live) missed(ctx context.Context, doing string, err error) {
	if ctx.Err() == nil {
		l.log.Error(doing+", trying again", "id", "LYK-0507", "err", err)
	}
}

func (l *Live) sendHomes() {
	l.mu.Lock()
	var out []message
	now := time.Now()
	for id := range l.dirty {
		if len(l.screens) > 0 {
			if data, err := json.Marshal(l.homeView(id, now)); err == nil {
				out = append(out, message{event: "home", data: data})
			}
		}
		delete(l.dirty, id)
	}
	for home, readings := range l.readings {
		views := make([]readingView, len(readings))
		for i, r := range readings {
			views[i] = viewReading(r)
		}
		out = append(out, message{event: "reading", home: home, readings: views})
		delete(l.readings, home)
	}
	l.mu.Unlock()
	for _, m := range out {
		l.broadcast(m)
	}
}

// broadcast gives a message to every screen that wants it. A screen that does
// not keep up is closed; it comes back and resumes.
func (l *Live) broadcast(m message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.screens {
		if m.home != "" && m.home != s.home {
			continue
		}
		select {
		case s.out <- m:
		default:
			l.drop(s)
		}
	}
}

// drop ends a screen's stream. l.mu is held.
func (l *Live) drop(s *screen) {
	if !l.screens[s] {
		return
	}
	delete(l.screens, s)
	close(s.out)
	if s.home != "" {
		if l.watched[s.home]--; l.watched[s.home] == 0 {
			delete(l.watched, s.home)
		}
	}
}

// open begins a stream; close ends it.
func (l *Live) open(home string) *screen {
	s := &screen{home: home, out: make(chan message, 512)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.screens[s] = true
	if home != "" {
		l.watched[home]++
	}
	return s
}

func (l *Live) close(s *screen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(s)
}

// Screens returns how many streams are open.
func (l *Live) Screens() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.screens)
}

// views returns all homes, in the order of their names.
func (l *Live) views(now time.Time) []HomeView {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]HomeView, 0, len(l.homes))
	for id := range l.homes {
		out = append(out, l.homeView(id, now))
	}
	slices.SortFunc(out, func(a, b HomeView) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// view returns one home from a status that was just asked for.
func (l *Live) view(status watch.Status, now time.Time) HomeView {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.viewOf(status, now)
}

func (l *Live) homeView(id string, now time.Time) HomeView { return l.viewOf(l.homes[id], now) }

func (l *Live) viewOf(s watch.Status, now time.Time) HomeView {
	v := viewHome(s, now)
	passed := l.passed[s.Home.ID]
	v.Protection, v.Tested, v.OwnTest = string(care.ProtectionOf(passed, now)), known(passed), known(l.own[s.Home.ID])
	for _, a := range l.active[s.Home.ID] {
		if a.Test {
			continue
		}
		v.OpenAlerts++
		if v.HighestSeverity == "" || rank(a.Severity) < rank(care.Severity(v.HighestSeverity)) {
			v.HighestSeverity = string(a.Severity)
		}
	}
	return v
}

func rank(s care.Severity) int {
	return slices.Index([]care.Severity{care.Emergency, care.Attention, care.Technical}, s)
}

// alertView names the home. l.mu is held.
func (l *Live) alertView(a care.Alert) alertView {
	return viewAlert(a, l.homes[a.Home].Home.Name)
}

// name is what staff call a home; its id when it is not known.
func (l *Live) name(home string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name := l.homes[home].Home.Name; name != "" {
		return name
	}
	return home
}

// alertViews are alerts for an answer.
func (l *Live) alertViews(alerts []care.Alert) []alertView {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]alertView, len(alerts))
	for i, a := range alerts {
		out[i] = l.alertView(a)
	}
	return out
}
