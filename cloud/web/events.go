package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

const (
	keepAlive   = 15 * time.Second // between comments on a quiet stream
	sendTimeout = 10 * time.Second // for a screen to take what it is sent
	maxResume   = 1000             // missed events that are sent again; beyond, the screen starts afresh
)

// events is the live stream: server-sent events, resumable with
// Last-Event-ID. See describeEvents for what it carries.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	home := r.URL.Query().Get("home")
	actor, err := s.mayFollow(r.Context(), home)
	if err != nil {
		writeProblem(w, err.(*Problem))
		return
	}
	v, err := s.sight(r.Context(), actor)
	if err != nil {
		writeProblem(w, s.failed("open an event stream", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	wanted := &screen{home: home, areas: actor.Areas}
	if !actor.Role.Staff() {
		wanted.only = append([]string{}, actor.Homes...)
	}
	screen := s.Live.open(wanted)
	defer s.Live.close(screen)
	out := &stream{w: w, rc: http.NewResponseController(w), at: screen.seen}
	f := &follower{sight: v, out: out, sent: map[string]bool{}, asked: v.now}
	if !actor.Role.Staff() {
		f.family = newFamilyNews(actor.Homes)
	}
	out.send("hello", fmt.Appendf(nil, `{"now":%q}`, time.Now().UTC().Format(time.RFC3339Nano)))
	if err := s.resume(r, f); err != nil {
		s.Log.Warn("resume an event stream", "err", err)
		return
	}
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	for out.err == nil {
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
			now, err := s.Keeper.Still(r.Context(), actor)
			if err != nil || now.Role != actor.Role || !slices.Equal(now.Areas, actor.Areas) || !slices.Equal(now.Homes, actor.Homes) {
				return // signed out, expired, or somebody else by now: who may comes back
			}
			f.lookAgain()
			out.comment()
		case <-f.family.due():
			f.tellFamily()
		case <-f.again:
			f.tellLate()
		case m, ok := <-screen.out:
			if !ok {
				return // too slow: it comes back
			}
			if !f.resumed(m) {
				f.take(m)
			}
		}
	}
}

// mayFollow returns the actor when they may follow what happens, and in the
// home that they look at, if any.
func (s *server) mayFollow(ctx context.Context, home string) (access.Actor, error) {
	actor, err := s.may(ctx, access.Read, care.FieldAlerts, "")
	if err == nil && home != "" {
		actor, err = s.may(ctx, access.Read, care.FieldHome, home)
	}
	return actor, err
}

// follower is who an event stream is for, and what they have been sent.
type follower struct {
	*sight
	out    *stream
	sent   map[string]bool // alerts that staff saw and that are not closed
	asked  time.Time       // when it was last asked of what they were told
	family *familyNews     // of a relative, else nil
	until  place           // what was sent of what was missed
	late   map[string]message
	again  <-chan time.Time // when it is asked whether they may see what is late
}

// resumed reports whether a message was sent among those that were missed.
func (f *follower) resumed(m message) bool {
	if m.event == "change" {
		return m.id <= f.until.news
	}
	return m.id != 0 && m.id <= f.until.event
}

// toldAgain is how often it is asked of which alerts of other areas they were
// told.
const toldAgain = time.Second

// take sends what they may see of a message.
func (f *follower) take(m message) {
	f.now = time.Now()
	if err := f.s.decisions.since(f.ctx, m.at); err != nil && (m.event != "alert" || f.family != nil) {
		return // staff hear of alerts whatever is decided; the rest comes again
	}
	if f.now.Sub(f.asked) > toldAgain {
		f.asked, f.told = f.now, nil
	}
	switch m.event {
	case "alert":
		delete(f.late, m.alert.ID)
		if !f.alertSent(m) && f.elsewhere(m.home) && f.asked.Before(m.at) {
			f.tellLater(m)
		}
	case "home":
		if f.family == nil && f.can(access.Read, care.FieldHome, m.home) {
			f.out.send(m.event, m.as(f.can(access.Read, care.FieldActivity, m.home), f.can(access.Read, care.FieldCheckIn, m.home)))
		}
	case "reading":
		f.readings(m)
	case "change":
		f.tell(*m.news)
	case "call":
		f.tellCall(*m.call)
	}
	f.family.changed(m.home)
}

// newsView says that something was written or done about a home. What, is for
// who may see it to ask for.
type newsView struct {
	Kind care.NewsKind `json:"kind" enum:"visit,note,message"`
	Home string        `json:"home"`
	ID   string        `json:"id" doc:"Of the visit, note or message that changed last."`
}

// tell sends that something has changed to staff who may see it. Relatives are
// told of their homes as they are: that somebody else wrote is not theirs to
// know.
func (f *follower) tell(n care.News) {
	if f.family != nil || !f.can(access.Read, n.Kind.Field(), n.Home) {
		return
	}
	data, err := json.Marshal(newsView{n.Kind, n.Home, n.What})
	if err != nil {
		return
	}
	f.out.at.news = n.ID
	f.out.sendAt("change", data)
}

// tellCall sends how a call stands to who may know of it.
func (f *follower) tellCall(c care.Call) {
	if !f.concerns(c) {
		return
	}
	if data, err := json.Marshal(f.call(f.s.viewCall(c))); err == nil {
		f.out.send("call", data)
	}
}

// alertSent sends an alert if they may see it, and reports whether they may. Who
// saw it open, as they were told of it, sees it closed.
func (f *follower) alertSent(m message) bool {
	if !f.can(access.Read, care.FieldAlerts, m.home) && (f.family != nil || !f.sent[m.alert.ID]) {
		return false
	}
	f.out.at.event = max(f.out.at.event, m.id)
	f.out.sendAt(m.event, m.as(f.can(access.Read, care.FieldNotes, m.home), false))
	if f.sent[m.alert.ID] = true; m.alert.State == string(care.Resolved) {
		delete(f.sent, m.alert.ID)
	}
	return true
}

// elsewhere reports whether only having been told brings the home into sight.
func (f *follower) elsewhere(home string) bool {
	where, ok := f.s.Live.home(home)
	return ok && f.outside(where)
}

// tellLater keeps an alert of another area until it is next asked of what they
// were told: that may have been since it was last asked.
func (f *follower) tellLater(m message) {
	if f.late == nil {
		f.late = map[string]message{}
	}
	if len(f.late) == 0 {
		f.again = time.After(toldAgain)
	}
	f.late[m.alert.ID] = m
}

// tellLate sends what was kept and was told to them by now.
func (f *follower) tellLate() {
	late := f.late
	f.late, f.again = nil, nil
	f.now = time.Now()
	f.asked, f.told = f.now, nil
	for _, m := range slices.SortedFunc(maps.Values(late), func(a, b message) int { return cmp.Compare(a.id, b.id) }) {
		f.alertSent(m)
	}
}

// readings sends those that they may see, and notes that they did.
func (f *follower) readings(m message) {
	kept, seen := m.readings[:0:0], fieldsSeen{}
	for _, r := range m.readings {
		if f.sees(r.Kind, m.home) {
			kept = append(kept, r)
			seen[care.FieldOf(r.Kind)] = true
		}
	}
	if len(kept) == 0 {
		return
	}
	data, err := json.Marshal(struct {
		Home     string        `json:"home"`
		Readings []readingView `json:"readings"`
	}{m.home, kept})
	if err != nil {
		return
	}
	f.s.looked(f.ctx, f.actor, m.home, seen)
	f.out.send(m.event, data)
}

// place is how far a screen has come: the ids of the last event and of the
// last news that it was sent.
type place struct{ event, news int64 }

// String is the id of a server-sent event.
func (p place) String() string { return fmt.Sprintf("%d.%d", p.event, p.news) }

// placeOf reads an id that a screen saw last. One from before there was news
// has the first part alone; it is told of what comes.
func placeOf(id string, now place) (p place, ok bool) {
	event, news, both := strings.Cut(id, ".")
	p.news = now.news
	var err error
	if p.event, err = strconv.ParseInt(event, 10, 64); err == nil && both {
		p.news, err = strconv.ParseInt(news, 10, 64)
	}
	return p, err == nil && p.event >= 0 && p.news >= 0
}

// resume sends what the screen missed since what it saw last.
func (s *server) resume(r *http.Request, f *follower) error {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return nil
	}
	seen, ok := placeOf(last, f.out.at)
	if !ok {
		f.out.send("reset", []byte("{}"))
		return nil
	}
	events, fresh, err := s.missedEvents(r.Context(), seen.event)
	if err != nil {
		return err
	}
	news, err := s.Records.News(r.Context(), seen.news, maxResume+1)
	if err != nil {
		return err
	}
	newest, err := s.Records.LastNews(r.Context())
	if err != nil {
		return err
	}
	if fresh || seen.news > newest || len(news) > maxResume {
		f.out.send("reset", []byte("{}"))
		return nil
	}
	f.out.at = seen
	if err := s.resumeAlerts(r.Context(), f, events); err != nil {
		return err
	}
	for _, n := range news {
		f.until.news = n.ID
		f.tell(n)
	}
	return nil
}

// missedEvents returns the events after one. Fresh says that they cannot be
// told one by one.
func (s *server) missedEvents(ctx context.Context, after int64) (events []care.Event, fresh bool, err error) {
	if after == 0 {
		events, err = s.Alerts.Events(ctx, 0, maxResume+1)
	} else if events, err = s.Alerts.Events(ctx, after-1, maxResume+2); err == nil {
		// After a restore from a backup, what the screen saw last may never
		// have been; the ids to come are below it.
		if len(events) == 0 || events[0].ID != after {
			return nil, true, nil
		}
		events = events[1:]
	}
	return events, len(events) > maxResume, err
}

// resumeAlerts sends how the alerts of events are now.
func (s *server) resumeAlerts(ctx context.Context, f *follower, events []care.Event) error {
	newest := map[string]int64{}
	for _, e := range events {
		newest[e.Alert] = e.ID
	}
	for _, e := range events {
		f.until.event = e.ID
		if newest[e.Alert] != e.ID {
			continue // a later event tells how the alert is now
		}
		alert, err := s.Alerts.Alert(ctx, e.Alert)
		if err != nil {
			return err
		}
		if !f.can(access.Read, care.FieldAlerts, alert.Home) {
			continue
		}
		data, err := json.Marshal(f.alert(s.Live.alertViews([]care.Alert{alert})[0]))
		if err != nil {
			return err
		}
		f.sent[alert.ID] = alert.State != care.Resolved
		f.out.at.event = e.ID
		f.out.sendAt("alert", data)
	}
	return nil
}

// stream writes server-sent events; after an error it writes no more.
type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	at  place // how far what was sent has come
	err error
}

// send sends what is not sent again.
func (s *stream) send(event string, data []byte) {
	s.write(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, data))
}

// sendAt sends with the id of how far the screen has come.
func (s *stream) sendAt(event string, data []byte) {
	s.write(fmt.Appendf(nil, "id: %s\nevent: %s\ndata: %s\n\n", s.at, event, data))
}

func (s *stream) comment() { s.write([]byte(": \n\n")) }

func (s *stream) write(b []byte) {
	if s.err != nil {
		return
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(sendTimeout)) // not every test recorder can
	if _, s.err = s.w.Write(b); s.err == nil {
		s.err = s.rc.Flush()
	}
}

// describeEvents puts the stream into the description of the API.
func describeEvents(o *huma.OpenAPI) {
	o.AddOperation(&huma.Operation{
		OperationID: "stream-events", Method: http.MethodGet, Path: "/api/v1/events", Tags: []string{"events"},
		Summary: "Live stream of changes (server-sent events)",
		Description: "Events: `hello` {now} at the start; `alert` with the alert as data and an id; `home` with a home as data, at most once a second for each; " +
			"`change` {kind, home, id} with an id when a visit, note or message of a home was written or changed, to staff who may see it, at most once a second for each kind in each home: ask for it anew; " +
			"`call` with a call as data when somebody calls, answers, joins, leaves or hangs up, to who may call the home; " +
			"with ?home= also `reading` {home, readings}; for a relative `family` {home} at the start and when something of a home changed, at most once in 5 seconds, in place of `home`; " +
			"`reset` when too much was missed to be sent again: read everything anew. " +
			"After a break send Last-Event-ID to get the alerts and changes of meanwhile.",
		Parameters: []*huma.Param{
			{Name: "home", In: "query", Description: "Also send this home's readings.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "The stream.", Content: map[string]*huma.MediaType{"text/event-stream": {}}}},
	})
}
