package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
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
	actor, err := may(r.Context(), access.ReadAlerts, care.Home{ID: home})
	if err != nil {
		writeProblem(w, err.(*Problem))
		return
	}
	health := access.Can(actor, access.ReadHealth, care.Home{ID: home}, time.Now())
	if home != "" {
		if _, err := may(r.Context(), access.ReadReadings, care.Home{ID: home}); err != nil {
			writeProblem(w, err.(*Problem))
			return
		}
		s.audit.look(r.Context(), s.Log, actor, "follow home", home)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	screen := s.Live.open(home)
	defer s.Live.close(screen)
	out := &stream{w: w, rc: http.NewResponseController(w)}
	out.send(0, "hello", fmt.Appendf(nil, `{"now":%q}`, time.Now().UTC().Format(time.RFC3339Nano)))
	sent, err := s.resume(r, out)
	if err != nil {
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
			if _, err := s.Keeper.Actor(r.Context(), secretOf(r), care.Token, care.Session); err != nil {
				return // signed out, or expired
			}
			out.comment()
		case m, ok := <-screen.out:
			switch {
			case !ok:
				return // too slow: it comes back
			case m.id != 0 && m.id <= sent:
				// resumed already
			case m.event == "reading":
				out.send(0, m.event, readingsEvent(m, health))
			default:
				out.send(m.id, m.event, m.data)
			}
		}
	}
}

func readingsEvent(m message, health bool) []byte {
	kept := m.readings[:0:0]
	for _, r := range m.readings {
		if health || !r.Kind.Health() {
			kept = append(kept, r)
		}
	}
	data, err := json.Marshal(struct {
		Home     string        `json:"home"`
		Readings []readingView `json:"readings"`
	}{m.home, kept})
	if err != nil {
		return []byte("{}")
	}
	return data
}

// resume sends what the screen missed since the event that it saw last, and
// returns the id up to which it has been served.
func (s *server) resume(r *http.Request, out *stream) (int64, error) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return 0, nil
	}
	after, err := strconv.ParseInt(last, 10, 64)
	if err != nil || after < 0 {
		out.send(0, "reset", []byte("{}"))
		return 0, nil
	}
	var events []care.Event
	if after == 0 {
		events, err = s.Alerts.Events(r.Context(), 0, maxResume+1)
	} else if events, err = s.Alerts.Events(r.Context(), after-1, maxResume+2); err == nil {
		// After a restore from a backup, what the screen saw last may never
		// have been; the ids to come are below it.
		if len(events) == 0 || events[0].ID != after {
			out.send(0, "reset", []byte("{}"))
			return 0, nil
		}
		events = events[1:]
	}
	if err != nil {
		return 0, err
	}
	if len(events) > maxResume {
		out.send(0, "reset", []byte("{}"))
		return 0, nil
	}
	newest := map[string]int64{}
	for _, e := range events {
		newest[e.Alert] = e.ID
	}
	for _, e := range events {
		after = e.ID
		if newest[e.Alert] != e.ID {
			continue // a later event tells how the alert is now
		}
		alert, err := s.Alerts.Alert(r.Context(), e.Alert)
		if err != nil {
			return 0, err
		}
		data, err := json.Marshal(s.Live.alertViews([]care.Alert{alert})[0])
		if err != nil {
			return 0, err
		}
		out.send(e.ID, "alert", data)
	}
	return after, nil
}

// stream writes server-sent events; after an error it writes no more.
type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	err error
}

func (s *stream) send(id int64, event string, data []byte) {
	var b bytes.Buffer
	if id != 0 {
		fmt.Fprintf(&b, "id: %d\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", event, data)
	s.write(b.Bytes())
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
			"with ?home= also `reading` {home, readings}; `reset` when too much was missed to be sent again: read everything anew. " +
			"After a break send Last-Event-ID to get the alerts that changed meanwhile.",
		Parameters: []*huma.Param{
			{Name: "home", In: "query", Description: "Also send this home's readings.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "The stream.", Content: map[string]*huma.MediaType{"text/event-stream": {}}}},
	})
}
