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
	alerts Source
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

	seen int64         // id of the last event sent; changed by Run alone
	told int64         // id of the last news sent; changed by Run alone
	wake chan struct{} // there may be events
}

// screen is one open event stream.
type screen struct {
	home  string   // whose readings it wants
	areas []string // of whose homes it hears how they are; none is any
	only  []string // the homes of which alone it hears, of a relative; nil is any
	seen  place    // what had been sent when it was opened
	owed  bool     // it was not told of something that was written
	out   chan message
}

// wants reports whether a message may be for the screen; what it may see of it
// is decided where it is sent.
func (s *screen) wants(m message) bool {
	switch {
	case s.only != nil:
		return m.event != "reading" && slices.Contains(s.only, m.home)
	case m.event == "reading":
		return m.home == s.home
	case m.event == "home":
		return m.home == s.home || len(s.areas) == 0 || slices.Contains(s.areas, m.view.Area)
	case m.event == "change" || m.event == "call":
		return m.home == s.home || len(s.areas) == 0 || slices.Contains(s.areas, m.area)
	}
	return true
}

// message is what may become a server-sent event.
type message struct {
	id       int64
	at       time.Time // when it was made
	event    string
	home     string
	area     string // of the home, where something was written
	alert    *alertView
	view     *HomeView
	readings []readingView
	news     *care.News
	call     *care.Call
	said     *said
}

// said is a message in JSON, made once for all screens: for those who may see
// all of it, and for those who may not.
type said struct {
	once [4]sync.Once
	data [4][]byte
}

// as returns the message for who may see two parts of it, or not. The parts are
// the note of an alert; and of a home signs of life, and the check-in.
func (m message) as(first, second bool) []byte {
	i := 0
	if first {
		i |= 1
	}
	if second {
		i |= 2
	}
	m.said.once[i].Do(func() {
		var v any
		switch {
		case m.alert != nil:
			a := *m.alert
			if !first {
				a.Note = ""
			}
			v = a
		case m.view != nil:
			v = m.view.without(first, second)
		}
		m.said.data[i], _ = json.Marshal(v) // texts, numbers and times
	})
	return m.said.data[i]
}

// homesEvery is how often one home is sent at most.
const homesEvery = time.Second

// eventsAtOnce is how many events are read from the store at a time.
const eventsAtOnce = 1000

// newsAtOnce is of how much is told in a second that it was written or done.
// Whole areas' visits are over in the same moment; an alarm is not to stand
// behind them.
const newsAtOnce = 100

// Source is where Live reads what has changed.
type Source interface {
	Alerts
	News
}

// News tells that something was written or done about homes.
type News interface {
	// News returns what came after an id, of each kind in each home the latest.
	News(ctx context.Context, after int64, limit int) ([]care.News, error)
	LastNews(ctx context.Context) (int64, error)
}

// NewLive makes a Live that reads what has changed from the store.
func NewLive(alerts Source, log *slog.Logger) *Live {
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
	seen, err := l.alerts.LastEvent(ctx) // before the alerts, so that none falls between
	if err != nil {
		return err
	}
	told, err := l.alerts.LastNews(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.seen, l.told = seen, told
	l.mu.Unlock()
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
			l.sendNews(ctx)
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
			l.mu.Lock()
			l.seen = e.ID
			l.file(alert)
			l.dirty[alert.Home] = true
			view := l.alertView(alert)
			l.mu.Unlock()
			l.broadcast(message{id: e.ID, at: time.Now(), event: "alert", home: alert.Home, alert: &view, said: &said{}})
		}
		if len(events) < eventsAtOnce {
			return
		}
	}
}

// sendNews sends that something was written or done since the last time: of
// each kind in each home once a second at most, as it is looked for as often.
// What is too much for one time is left for the next.
func (l *Live) sendNews(ctx context.Context) {
	news, err := l.alerts.News(ctx, l.told, newsAtOnce)
	if err != nil {
		l.missed(ctx, "read what was written", err)
		return
	}
	for _, n := range news {
		l.mu.Lock()
		l.told = n.ID
		area := l.homes[n.Home].Home.Area
		l.mu.Unlock()
		l.broadcast(message{id: n.ID, at: time.Now(), event: "change", home: n.Home, area: area, news: &n})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.screens {
		if s.owed && len(s.out) == 0 {
			l.drop(s)
		}
	}
}

// CallChanged tells the screens how a call stands.
func (l *Live) CallChanged(c care.Call) {
	home, _ := l.home(c.Home)
	l.broadcast(message{at: time.Now(), event: "call", home: c.Home, area: home.Area, call: &c})
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
			view := l.homeView(id, now)
			out = append(out, message{at: now, event: "home", home: id, view: &view, said: &said{}})
		}
		delete(l.dirty, id)
	}
	for home, readings := range l.readings {
		views := make([]readingView, len(readings))
		for i, r := range readings {
			views[i] = viewReading(r)
		}
		out = append(out, message{at: now, event: "reading", home: home, readings: views})
		delete(l.readings, home)
	}
	l.mu.Unlock()
	for _, m := range out {
		l.broadcast(m)
	}
}

// broadcast gives a message to every screen that wants it. A screen that does
// not keep up is closed; it comes back and resumes. Half of its room is kept
// from what was written: one that is owed some of that is closed when it has
// caught up with all else.
func (l *Live) broadcast(m message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.screens {
		if !s.wants(m) {
			continue
		}
		if m.news != nil && (s.owed || len(s.out) >= cap(s.out)/2) {
			s.owed = true
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

// open begins a stream; close ends it. What has changed before it is for the
// stream to find by the ids in s.
func (l *Live) open(s *screen) *screen {
	s.out = make(chan message, 512)
	l.mu.Lock()
	defer l.mu.Unlock()
	s.seen = place{l.seen, l.told}
	l.screens[s] = true
	if s.home != "" {
		l.watched[s.home]++
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

// home is the definition of a home; ok is false when it is not known here.
func (l *Live) home(id string) (home care.Home, ok bool) {
	status, ok := l.status(id)
	return status.Home, ok
}

// status is how a home was last said to be; ok is false when it is not known here.
func (l *Live) status(id string) (status watch.Status, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	status, ok = l.homes[id]
	return status, ok
}

// calm reports whether nothing in a home needs anybody that would worry a
// relative.
func (l *Live) calm(home string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.active[home] {
		if ofConcern(a) {
			return false
		}
	}
	return true
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
