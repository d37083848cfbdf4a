package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// Bounds of the promises.
const (
	soon       = 5 * time.Second // from a press to an alert, when all is well
	slack      = 10 * time.Second
	shownLimit = 90 * time.Second
	alertLimit = 3 * time.Minute
)

// found is what is in the cloud in the end.
type found struct {
	alerts  []care.Alert
	records map[string]int // in the database, by the reading's text
	points  map[string]int // in the time series
	dropped int            // readings that the gateway said it had to drop
	refused int            // records that the cloud kept as refused
	told    map[string]bool
}

// check compares what was said with what is there.
func (w *world) check() {
	if w.site.life == nil || w.box.life == nil {
		w.violated("P6", "a process does not start again although everything is mended")
		return
	}
	pressed := time.Now()
	last := w.say(devices.SOS, devices.Number(1))
	w.run(2 * time.Minute) // for answers to come home
	f, err := w.find()
	if err != nil {
		w.violated("P6", "what is in the cloud cannot be read: %v", err)
		return
	}
	if i := slices.IndexFunc(f.alerts, func(a care.Alert) bool { return a.Room == last }); i < 0 || f.alerts[i].Raised.Sub(pressed) > soon {
		w.violated("P2", "a press when all was well was no alert within %v", soon)
	}
	w.checkSaid(f)
	w.checkPrompt(f)
	w.checkAlerts(f)
	w.checkTold(f)
	w.checkResident(f)
	w.checkSilence(f)
	w.checkRebuild()
}

func (w *world) find() (f found, err error) {
	ctx, s := context.Background(), w.site.life
	f = found{records: map[string]int{}, points: map[string]int{}, told: map[string]bool{}}
	if f.alerts, err = s.db.Alerts(ctx, care.AlertFilter{}); err != nil {
		return f, err
	}
	marks, err := s.db.Marks(ctx)
	if err != nil {
		return f, err
	}
	for _, m := range marks {
		if m.Lane != wire.Alarm {
			continue
		}
		records, err := s.db.AlarmRecords(ctx, gateway, m.Epoch, 1, m.Evaluated)
		if err != nil {
			return f, err
		}
		for _, r := range records {
			f.records[r.Record.Text]++
		}
	}
	points, err := s.series.Raw(ctx, history.Query{Home: home.ID})
	if err != nil {
		return f, err
	}
	for _, p := range points {
		if p.Kind == devices.Dropped {
			if p.Value != nil { // else nobody knows how many
				f.dropped += int(*p.Value)
			}
			continue
		}
		f.points[p.Text]++
	}
	refused, err := s.db.Refused(ctx, 0)
	if err != nil {
		return f, err
	}
	f.refused = len(refused)
	events, err := s.db.Events(ctx, 0, 0)
	if err != nil {
		return f, err
	}
	for _, e := range events {
		f.told[e.Alert] = true
	}
	return f, nil
}

// checkSaid: what the home said it keeps is in the cloud once (P1, P3, P7).
func (w *world) checkSaid(f found) {
	raised := map[string]int{}
	for _, a := range f.alerts {
		if a.Kind == care.AlertSOS {
			raised[a.Room]++
		}
	}
	missing := 0
	for _, id := range slices.Sorted(maps.Keys(w.journal.said)) {
		s := w.journal.said[id]
		want := 0
		if s.settled {
			want = 1
		}
		if s.kind.Urgent() {
			if n := f.records[id]; n < want || n > 1 {
				w.violated("P1", "%s was sent %d times and is %d times in the cloud", id, want, n)
			}
			if n, r := f.points[id], f.records[id]; n != r {
				w.violated("P3", "%s is %d times in the cloud and %d times in history", id, r, n)
			}
			if n, r := raised[id], f.records[id]; s.kind == devices.SOS && n != r {
				w.violated("P2", "%s is %d times in the cloud and has %d alerts", id, r, n)
			}
			continue
		}
		n := f.points[id]
		if n > 1 {
			w.violated("P3", "%s is %d times in history", id, n)
		}
		if n < want {
			missing++
			w.journal.note("missing in history: %s", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.records)) {
		if w.journal.said[id] == nil {
			w.violated("P1", "nobody said %q, and it is in the cloud", id)
		}
	}
	may := f.dropped + f.refused
	if w.counts["gateway disk full"]+w.counts["gateway I/O errors"] == 0 && f.dropped > 0 {
		w.violated("P7", "%d readings were dropped by a gateway whose disk was well", f.dropped)
	}
	if w.counts["clock stepped"]+w.counts["power cut, and no clock"] == 0 && f.refused > 0 {
		w.violated("P3", "%d messages or records were refused", f.refused)
	}
	if missing > may {
		w.violated("P3", "%d readings are not in history; %d were said to be dropped or refused", missing, may)
	}
}

// checkPrompt: a press in calm weather is an alert, and known in the home to
// be one, in seconds, whatever the time series do (P2, P3).
func (w *world) checkPrompt(f found) {
	for _, id := range slices.Sorted(maps.Keys(w.journal.said)) {
		s := w.journal.said[id]
		if s.kind != devices.SOS || !s.settled || slices.ContainsFunc(w.journal.ills, func(i span) bool {
			return i.from.Before(s.at.Add(soon)) && i.to.After(s.at)
		}) {
			continue
		}
		if !slices.ContainsFunc(f.alerts, func(a care.Alert) bool { return a.Room == id && a.Raised.Sub(s.at) <= soon }) {
			w.violated("P2", "all was well, and %s was no alert within %v", id, soon)
		}
		if !slices.ContainsFunc(w.journal.shown, func(v sight) bool {
			return v.press == id && press[v.state] >= press[spool.Received] && v.at.Sub(s.at) <= soon
		}) {
			w.violated("P1", "all was well, and %v after %s the home did not know that it had arrived", soon, id)
		}
	}
}

var order = map[care.AlertState]int{care.Open: 1, care.Acknowledged: 2, care.Resolved: 3}

// checkAlerts: alerts go forward only, and every one is told of (P2, P5).
func (w *world) checkAlerts(f found) {
	w.saw(f.alerts)
	best := map[string]care.AlertState{}
	for _, l := range w.journal.seen {
		if order[l.state] < order[best[l.alert]] {
			w.violated("P5", "alert %s went back from %s to %s", l.alert, best[l.alert], l.state)
		}
		best[l.alert] = l.state
	}
	for _, d := range w.journal.taken {
		if d.done && order[best[d.alert]] < order[d.state] {
			w.violated("P5", "alert %s was %s by staff and is %s", d.alert, d.state, cmp.Or(best[d.alert], "gone"))
		}
	}
	for _, a := range f.alerts {
		if !f.told[a.ID] {
			w.violated("P2", "no screen was told of alert %s (%s %s)", a.ID, a.Kind, a.Room)
		}
	}
}

var press = map[spool.PressState]int{"not_saved": 0, spool.Sending: 1, spool.Received: 2, spool.Refused: 2, spool.Has: 3, spool.OnTheWay: 3, spool.Resolved: 4}

// checkResident: what the screen in the home said was true when it said it,
// and is true in the end (P1).
func (w *world) checkResident(f found) {
	is := map[string]care.Alert{}
	for _, a := range f.alerts {
		is[a.Room] = a
	}
	best := map[string]spool.PressState{}
	for _, s := range w.journal.shown {
		if press[s.state] < press[best[s.press]] {
			w.violated("P1", "the screen took back that %s is %s: now %s", s.press, best[s.press], s.state)
		}
		best[s.press] = s.state
		if s.state != "not_saved" && f.records[s.press] == 0 {
			w.violated("P1", "the screen said that %s is %s; it is not in the cloud", s.press, s.state)
		}
		if press[s.state] >= press[spool.Has] && !slices.ContainsFunc(w.journal.taken, func(d deed) bool { return d.press == s.press && !d.at.After(s.at) }) {
			w.violated("P1", "the screen said that somebody has %s before anybody had", s.press)
		}
	}
	for _, s := range w.journal.shown {
		if a, ok := is[s.press]; ok && press[s.state] >= press[spool.Received] && a.Raised.After(s.at) {
			w.violated("P1", "the screen said that %s is %s before the cloud knew", s.press, s.state)
		}
	}
	want := map[care.AlertState]spool.PressState{care.Open: spool.Received, care.Acknowledged: spool.Has, care.Resolved: spool.Resolved}
	for _, p := range w.box.life.hub.Status().Presses {
		a := is[p.Room]
		if old := time.Since(cmp.Or(a.ResolvedAt, a.AcknowledgedAt)); a.State != care.Open && old > 23*time.Hour {
			continue // the home is not told of what is a day old
		}
		if p.State != want[a.State] {
			w.violated("P1", "in the end the screen says that %s is %s, and the alert is %s", p.Room, p.State, a.State)
		}
	}
}

// standing reports whether an alert stood at a time: a cloud that hears the
// home and dies in the same moment leaves the alert of the silence before.
func standing(a care.Alert, at time.Time) bool {
	return (a.Recovered.IsZero() || a.Recovered.After(at)) && (a.ResolvedAt.IsZero() || a.ResolvedAt.After(at))
}

// checkSilence: silence is noticed in time, and only when there is silence (P4).
func (w *world) checkSilence(f found) {
	var silent []care.Alert
	for _, a := range f.alerts {
		if a.Kind == care.AlertGatewaySilent {
			silent = append(silent, a)
		}
	}
	j := w.journal
	lastHeard := func(t time.Time) (at time.Time, ever bool) {
		i, _ := slices.BinarySearchFunc(j.heard, t, func(a, b time.Time) int { return a.Compare(b) })
		if i == 0 {
			return time.Time{}, false
		}
		return j.heard[i-1], true
	}
	for _, l := range j.lives {
		end := l.to
		if end.IsZero() {
			end = time.Now()
		}
		since := l.from
		for {
			next := end
			if i, _ := slices.BinarySearchFunc(j.heard, since.Add(1), func(a, b time.Time) int { return a.Compare(b) }); i < len(j.heard) && j.heard[i].Before(end) {
				next = j.heard[i]
			}
			heard, ever := lastHeard(since.Add(1))
			if by := since.Add(w.pace(alertLimit)); ever && next.After(by) && !w.wasSick(since, by) &&
				!slices.ContainsFunc(silent, func(a care.Alert) bool { return !a.Raised.After(by) && (a.Raised.After(heard) || standing(a, by)) }) {
				w.violated("P4", "nothing was heard from %v on, and %v later there was no alert", since.Sub(j.began), w.pace(alertLimit))
			}
			if by := since.Add(w.pace(shownLimit)); ever && next.After(by) && !w.wasSick(since, by) {
				i, _ := slices.BinarySearchFunc(j.dark, by, func(f flag, t time.Time) int { return f.at.Compare(t) })
				if i == 0 || !j.dark[i-1].silent {
					w.violated("P4", "nothing was heard from %v on, and %v later no screen said so", since.Sub(j.began), w.pace(shownLimit))
				}
			}
			if next.Equal(end) {
				break
			}
			since = next
		}
	}
	for _, a := range silent {
		heard, ever := lastHeard(a.Raised)
		if w.wasSick(a.Raised.Add(-w.pace(alertLimit)), a.Raised) {
			continue
		}
		if !ever || a.Raised.Sub(heard) < w.pace(2*time.Minute) {
			w.violated("P4", "the home was called silent at %v, and was heard %v before", a.Raised.Sub(j.began), a.Raised.Sub(heard))
		}
	}
}

func (w *world) pace(d time.Duration) time.Duration { return d * time.Duration(w.slow) }

// wasSick reports whether the cloud's own disk was not well within the time,
// or shortly before.
func (w *world) wasSick(from, to time.Time) bool {
	return slices.ContainsFunc(w.sick, func(s span) bool {
		return s.from.Before(to) && (s.to.IsZero() || s.to.Add(2*time.Minute).After(from))
	})
}

// checkRebuild: what is stored gives the same state again (P6).
func (w *world) checkRebuild() {
	before, alerts := w.state(true), w.alerts()
	w.site.bury() // in order: nothing died
	w.start()
	if after := w.state(true); after != before {
		w.violated("P6", "after a stop in order the home is\n%s\nand was\n%s", after, before)
	}
	if after := w.alerts(); after != alerts {
		w.violated("P6", "after a stop in order the alerts are\n%s\nand were\n%s", after, alerts)
	}
	before = w.state(false)
	w.site.crash(true)
	w.start()
	if after := w.state(false); after != before {
		w.violated("P6", "after a power cut the home is\n%s\nand was\n%s", after, before)
	}
	if after := w.alerts(); after != alerts {
		w.violated("P6", "after a power cut the alerts are\n%s\nand were\n%s", after, alerts)
	}
}

func (w *world) start() {
	if err := w.site.start(); err != nil {
		w.violated("P6", "the cloud does not start: %v", err)
	}
}

// state is what the cloud knows of the home. What the next heartbeat tells
// again is left out unless all is asked for.
func (w *world) state(all bool) string {
	if w.site.life == nil {
		return "not there"
	}
	status, all_, err := w.site.life.in.Detail(context.Background(), home.ID)
	if err != nil {
		return err.Error()
	}
	if !all {
		status.Heard, status.Activity, status.Depth, status.ClockOK = time.Time{}, nil, 0, false
		for i := range all_ {
			all_[i].Seen = 0
		}
	}
	data, err := json.Marshal([]any{status, all_})
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func (w *world) alerts() string {
	if w.site.life == nil {
		return "not there"
	}
	alerts, err := w.site.life.db.Alerts(context.Background(), care.AlertFilter{})
	if err != nil {
		return err.Error()
	}
	data, err := json.Marshal(alerts)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
