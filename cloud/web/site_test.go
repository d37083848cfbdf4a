package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/storetest"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/cloud/web"
	"github.com/lykta/lykta/devices"
)

// homes stands in for ingest: it knows the homes of the database as they were
// last told to be.
type homes struct {
	db   *store.Store
	live *web.Live
	mu   sync.Mutex
	devs map[string][]watch.Device
	// asked counts the questions, signals is what is in memory.
	asked   int
	signals map[string]map[string]float64
}

func (h *homes) Devices(context.Context, []string) (map[string][]watch.Device, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return maps.Clone(h.devs), nil
}

func (h *homes) Signals(context.Context, []string) (map[string]map[string]float64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return maps.Clone(h.signals), nil
}

func (h *homes) Detail(ctx context.Context, id string) (watch.Status, []watch.Device, error) {
	home, err := h.db.Home(ctx, id)
	if err != nil {
		return watch.Status{}, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return watch.Status{Home: home, Heard: time.Now(), ClockOK: true}, h.devs[id], nil
}

func (h *homes) Refresh(context.Context) error { return nil }

func (h *homes) Add(ctx context.Context, home care.Home) error {
	if err := h.db.AddHome(ctx, home); err != nil {
		return err
	}
	h.live.Home(watch.Status{Home: home})
	return nil
}

func (h *homes) Change(ctx context.Context, home care.Home) error {
	if err := h.db.UpdateHome(ctx, home); err != nil {
		return err
	}
	h.live.Home(watch.Status{Home: home})
	return nil
}

// site is the whole web side on real stores.
type site struct {
	*httptest.Server
	t      *testing.T
	db     *store.Store
	series *embedded.Store
	live   *web.Live
	homes  *homes
	keeper *access.Keeper
	guests *guests
	// message is the id of the one that akesHome has written.
	message string
	calls   int                  // made by liveCall
	tokens  map[care.Role]string // by role, and by name of those who were invited
	log     *lines
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

var page = fstest.MapFS{
	"index.html":         {Data: []byte("<!doctype html><title>Lykta</title>")},
	"assets/main-abc.js": {Data: []byte("console.log('lit')")},
	"favicon.svg":        {Data: []byte("<svg/>")},
	"family.html":        {Data: []byte("<!doctype html><title>Lykta for relatives</title>")},
	"family.webmanifest": {Data: []byte(`{"start_url":"/family/"}`)},
}

func open(t *testing.T, change ...func(*web.Options)) *site {
	t.Helper()
	s := &site{t: t, tokens: map[care.Role]string{}, log: &lines{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	var err error
	if s.db, err = store.Open(t.Context(), storetest.SQLite(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	if s.series, err = embedded.Open(t.Context(), filepath.Join(t.TempDir(), "history.db"), embedded.Options{Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.series.Close() })
	s.live, s.keeper = web.NewLive(s.db, log), access.NewKeeper(s.db)
	s.homes = &homes{db: s.db, live: s.live, devs: map[string][]watch.Device{}}
	for _, role := range []care.Role{care.Caregiver, care.Coordinator, care.Operator} {
		if s.tokens[role], err = s.keeper.Create(t.Context(), care.Token, access.Actor{Name: string(role) + " Å", Role: role}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.homes.Add(t.Context(), care.Home{ID: "home-1", Gateway: "gw-1", Name: "Åke Öst", Zone: "Europe/Stockholm"}); err != nil {
		t.Fatal(err)
	}
	s.guests = &guests{Keeper: s.keeper, who: map[string]access.Actor{}}
	o := web.Options{
		Homes: s.homes, Alerts: s.db, History: s.series, Keeper: s.guests, Operations: s.db, Live: s.live,
		Team: s.db, Rota: s.db, Chain: s.db, Calm: s.db, Tests: s.db, Browsers: s.db, SignIns: s.db, Consents: s.db, Records: s.db, PushKey: "BPush", Nudge: func() {}, Zone: time.UTC,
		Desk:    alarm.NewDesk(s.db, s.db, func(string) { s.live.AlertsChanged() }),
		Ready:   func(context.Context) map[string]error { return map[string]error{"database": nil} },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
		App:     page, Version: "1", Log: log,
	}
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.live.Run(ctx) }()
	s.Server = httptest.NewServer(web.New(o))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("live ended with %v", err)
		}
	})
	return s
}

// second adds another home, in the south.
func (s *site) second() {
	s.t.Helper()
	if err := s.homes.Add(s.t.Context(), care.Home{ID: "home-2", Gateway: "gw-2", Name: "Bo Väst", Area: "söder", Zone: "Europe/Stockholm"}); err != nil {
		s.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s %s: %v in %q", a.Request.Method, a.Request.URL, err, a.body)
	}
}

// problem checks that an answer is an RFC 9457 problem with an id.
func (a answer) problem(t *testing.T, status int, id string) {
	t.Helper()
	var p struct {
		Type, Title, Detail, ID string
		Status                  int
	}
	what := a.Request.Method + " " + a.Request.URL.RequestURI()
	if len(what) > 100 {
		what = what[:100]
	}
	if a.StatusCode != status || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("%s: %d %s %.200q, want a problem with %d", what, a.StatusCode, a.Header.Get("Content-Type"), a.body, status)
		return
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Errorf("%s: %v in %.200q", what, err, a.body)
		return
	}
	if p.ID != id || p.Status != status || p.Title == "" || p.Type != "urn:lykta:problem:"+id {
		t.Errorf("%s: %+v, want %d %s", what, p, status, id)
	}
}

// do asks as somebody of a role; "" is nobody. body may be text, bytes, or
// what is to be JSON.
func (s *site) do(method, path string, role care.Role, body any, header ...string) answer {
	s.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	case []byte:
		in = bytes.NewReader(b)
	default:
		data, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, in)
	if err != nil {
		s.t.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+s.tokens[role])
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp, data}
}

// raise commits an alert as ingest does, and tells the screens.
func (s *site) raise(id string, kind care.AlertKind) care.Event {
	s.t.Helper()
	events := s.raiseQuietly(id, kind)
	s.live.AlertsChanged()
	return events[0]
}

func (s *site) raiseQuietly(id string, kind care.AlertKind) []care.Event {
	s.t.Helper()
	now := time.Now()
	events, err := s.db.Commit(s.t.Context(), care.Commit{Raise: []care.Alert{{
		ID: id, Home: "home-1", Kind: kind, Severity: kind.Severity(), State: care.Open, Observed: now, Raised: now,
		Device: id, Cause: care.Cause{Epoch: "e", Seq: 1},
	}}})
	if err != nil || len(events) != 1 {
		s.t.Fatalf("%d events, %v", len(events), err)
	}
	return events
}

func (s *site) write(points ...history.Point) {
	s.t.Helper()
	if err := s.series.Write(s.t.Context(), points); err != nil {
		s.t.Fatal(err)
	}
}

func point(at time.Time, device string, kind devices.Kind, v float64, seq uint64) history.Point {
	return history.Point{Home: "home-1", Seq: seq, Reading: devices.Reading{
		Time: devices.MicrosOf(at), Device: device, Kind: kind, Room: "hall", Value: &v, Unit: kind.Unit(),
	}}
}

// failing answers every question with an error.
type failing struct{ err error }

func (f failing) Raw(context.Context, history.Query) ([]history.Point, error) { return nil, f.err }
func (f failing) Last(context.Context, string) ([]history.Point, error)       { return nil, f.err }
func (f failing) Windows(context.Context, history.Query, time.Duration) ([]history.Window, error) {
	return nil, f.err
}

// locked is a door that cannot tell who anybody is.
type locked struct {
	web.Keeper
	err error
}

func (l locked) Enter(context.Context, string, ...care.CredentialKind) (access.Pass, error) {
	return access.Pass{}, l.err
}

func (l locked) ExchangeOn(context.Context, string, string) (string, access.Actor, error) {
	return "", access.Actor{}, l.err
}

func (l locked) End(context.Context, string) error { return l.err }

// guests are let in besides those whom the keeper knows.
type guests struct {
	web.Keeper
	mu  sync.Mutex
	who map[string]access.Actor // by secret, which is the credential too
}

func (g *guests) Enter(ctx context.Context, secret string, kinds ...care.CredentialKind) (access.Pass, error) {
	if who, err := g.Still(ctx, access.Actor{Credential: secret}); err == nil {
		return access.Pass{Actor: who}, nil
	}
	return g.Keeper.Enter(ctx, secret, kinds...)
}

func (g *guests) Still(ctx context.Context, who access.Actor) (access.Actor, error) {
	g.mu.Lock()
	now, ok := g.who[who.Credential]
	g.mu.Unlock()
	if !ok && who.Name == "" {
		return now, access.ErrUnknown
	} else if !ok {
		return g.Keeper.Still(ctx, who)
	}
	return now, nil
}

func (g *guests) StillNow(ctx context.Context, who access.Actor) (access.Actor, error) {
	g.mu.Lock()
	now, ok := g.who[who.Credential]
	g.mu.Unlock()
	if !ok {
		return g.Keeper.StillNow(ctx, who)
	}
	return now, nil
}

// invite lets somebody in, whom do and follow then know by their name.
func (s *site) invite(who access.Actor) {
	s.guests.mu.Lock()
	defer s.guests.mu.Unlock()
	who.Credential = "secret of " + who.Name
	s.guests.who[who.Credential] = who
	s.tokens[care.Role(who.Name)] = who.Credential
}

// panicking has a fault.
type panicking struct{ web.Homes }

func (panicking) Detail(context.Context, string) (watch.Status, []watch.Device, error) {
	panic("the secret of the fault")
}
