package visit_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit"
	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/devices/wire"
)

// shelf is a store in memory.
type shelf struct {
	mu    sync.Mutex
	calls map[string]care.Call
	log   []care.AuditEntry
	down  bool
	turns int           // of changes
	slow  time.Duration // a change takes
}

var errDown = errors.New("the disk is full")

func (s *shelf) AddCall(_ context.Context, c care.Call, entries ...care.AuditEntry) (care.Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return care.Call{}, errDown
	}
	if have, ok := s.calls[c.ID]; ok {
		return have, nil
	}
	for _, other := range s.calls {
		if other.Home == c.Home && other.State != care.CallEnded {
			return other, care.ErrCallBusy
		}
	}
	s.calls[c.ID] = c
	s.log = append(s.log, entries...)
	return c, nil
}

func (s *shelf) Call(_ context.Context, id string) (care.Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.calls[id]
	if !ok {
		return c, fs.ErrNotExist
	}
	return c, nil
}

func (s *shelf) Calls(_ context.Context, f care.CallFilter) ([]care.Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errDown
	}
	var out []care.Call
	for _, id := range slices.Sorted(maps.Keys(s.calls)) {
		if c := s.calls[id]; !f.Live || c.State != care.CallEnded {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *shelf) ChangeCall(_ context.Context, id string, change func(care.Call) (care.Call, []care.AuditEntry, error)) (care.Call, []care.Event, error) {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	time.Sleep(slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return care.Call{}, nil, errDown
	}
	before := s.calls[id]
	next, entries, err := change(before)
	if err != nil {
		return before, nil, err
	}
	s.calls[id] = next
	s.turns++
	s.log = append(s.log, entries...)
	if a, ok := next.AlertAfter(before, care.Visit{State: care.VisitMissed}, time.Now()); ok {
		return next, []care.Event{{Alert: a.ID, Home: a.Home}}, nil
	}
	return next, nil, nil
}

func (s *shelf) Home(_ context.Context, id string) (care.Home, error) {
	return care.Home{ID: id, Gateway: "gw-" + id, Name: "Karin Andersson"}, nil
}

func (s *shelf) put(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// deeds are what the log says, "Anna call, Anna join call".
func (s *shelf) deeds() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.log {
		_, more, _ := strings.Cut(e.Detail, " ")
		out = append(out, strings.TrimSpace(e.Actor+" "+e.Action+" "+more))
	}
	return strings.Join(out, ", ")
}

// switchboard is media that forwards nothing.
type switchboard struct {
	mu    sync.Mutex
	rooms map[string]map[string]func(media.Event)
	ever  int
	fail  error
}

func (m *switchboard) Join(_ context.Context, j media.Joining) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return "", m.fail
	}
	if m.rooms[j.Room] == nil {
		m.rooms[j.Room] = map[string]func(media.Event){}
	}
	m.rooms[j.Room][j.Peer] = j.Tell
	m.ever++
	return "answer to " + j.Offer, nil
}

func (m *switchboard) Restart(_ context.Context, room, peer, offer string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rooms[room][peer] == nil {
		return "", media.ErrGone
	}
	return "again " + offer, nil
}

func (m *switchboard) Leave(room, peer string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rooms[room], peer)
	if len(m.rooms[room]) == 0 {
		delete(m.rooms, room)
	}
}

func (m *switchboard) CloseRoom(room string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rooms, room)
}

func (m *switchboard) inside(room string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(m.rooms[room])), " ")
}

func (m *switchboard) says(room, peer string, e media.Event) {
	m.mu.Lock()
	tell := m.rooms[room][peer]
	m.mu.Unlock()
	if tell != nil {
		tell(e)
	}
}

// homes are gateways, which hear what they are sent.
type homes struct {
	mu   sync.Mutex
	sent []wire.Command
	at   []time.Time
	down bool
}

func (h *homes) Command(_ context.Context, gateway string, c wire.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return errDown
	}
	if gateway == "gw-karin" {
		h.sent, h.at = append(h.sent, c), append(h.at, time.Now())
	}
	return nil
}

// heard are the types of the commands, and of signals and ends what they say.
func (h *homes) heard() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.sent {
		switch c.Type {
		case wire.CommandSignal:
			var s wire.Signal
			var m struct{ Type string }
			_ = errors.Join(json.Unmarshal(c.Args, &s), json.Unmarshal(s.Message, &m))
			out = append(out, m.Type)
		case wire.CommandHangUp:
			var g wire.HangUp
			_ = json.Unmarshal(c.Args, &g)
			out = append(out, "hang_up "+g.Why)
		default:
			out = append(out, string(c.Type))
		}
	}
	return out
}

func (h *homes) count(what string) (n int) {
	for _, s := range h.heard() {
		if s == what {
			n++
		}
	}
	return n
}

// line is the connection of one participant.
type line struct {
	t      *testing.T
	in     chan []byte
	broken chan struct{}
	once   sync.Once
	ended  chan error // what Attend returned
	cancel context.CancelFunc

	mu   sync.Mutex
	told []string
	deaf chan struct{} // not nil: writes wait for it
}

func (l *line) Read(ctx context.Context) ([]byte, error) {
	select {
	case data := <-l.in:
		return data, nil
	case <-l.broken:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *line) Write(ctx context.Context, message []byte) error {
	l.mu.Lock()
	deaf := l.deaf
	l.mu.Unlock()
	if deaf != nil {
		select {
		case <-deaf:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case <-l.broken:
		return io.ErrClosedPipe
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, string(message))
	return nil
}

func (l *line) say(message string) {
	select {
	case l.in <- []byte(message):
	case <-time.After(time.Second):
	}
	synctest.Wait()
}

func (l *line) join() { l.say(`{"type":"join","sdp":"offer","mic":true,"camera":true}`) }

func (l *line) cut() {
	l.once.Do(func() { close(l.broken) })
	synctest.Wait()
}

// types are the types of what they were told.
func (l *line) types() (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.told {
		var v struct{ Type string }
		_ = json.Unmarshal([]byte(m), &v)
		out = append(out, v.Type)
	}
	return out
}

// last is the newest message of a type.
func (l *line) last(kind string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range slices.Backward(l.told) {
		if strings.HasPrefix(m, `{"type":"`+kind+`"`) {
			return m
		}
	}
	return ""
}

// over is what Attend has returned; it fails when it has not.
func (l *line) over() error {
	l.t.Helper()
	synctest.Wait()
	select {
	case err := <-l.ended:
		l.ended <- err
		return err
	default:
		l.t.Error("they are still in the call")
		return nil
	}
}

// exchange is a service with all around it, in a bubble of synctest.
type exchange struct {
	*visit.Service
	t       *testing.T
	store   *shelf
	media   *switchboard
	homes   *homes
	lines   []*line
	changes []care.Call
	mu      sync.Mutex
	raised  int
	barred  map[string]error // who may be in the call no longer, and why
	asked   int              // how often that was asked
	away    bool             // it cannot be found out
	end     context.CancelFunc
	ran     chan error
}

func open(t *testing.T) *exchange {
	e := &exchange{
		t: t, barred: map[string]error{}, store: &shelf{calls: map[string]care.Call{}}, media: &switchboard{rooms: map[string]map[string]func(media.Event){}}, homes: &homes{},
	}
	e.start()
	return e
}

func (e *exchange) start() {
	e.Service = visit.New(e.options())
	ctx, cancel := context.WithCancel(context.Background())
	e.end, e.ran = cancel, make(chan error, 1)
	go func(s *visit.Service, ran chan error) { ran <- s.Run(ctx) }(e.Service, e.ran)
	synctest.Wait()
}

func (e *exchange) options() visit.Options {
	return visit.Options{
		Store: e.store, Homes: e.homes, Media: e.media, Log: slog.New(slog.DiscardHandler),
		ICE: func(call, person string) []visit.ICEServer {
			return []visit.ICEServer{{URLs: []string{"turn:x"}, Username: time.Now().UTC().Format(time.RFC3339) + ":" + call + ":" + person, Credential: "secret"}}
		},
		Called: func(context.Context, string) string { return "Karin" },
		Changed: func(c care.Call) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.changes = append(e.changes, c)
		},
		Raised: func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.raised++
		},
	}
}

// turnedOff is what stands in place of the service where there are no calls.
func (e *exchange) turnedOff() *visit.Off {
	o := e.options()
	o.Media, o.ICE = nil, nil
	return visit.NewOff(o)
}

// stop stops the service, as when it is upgraded.
func (e *exchange) stop() {
	e.end()
	<-e.ran
	for _, l := range e.lines {
		l.cut()
	}
	e.lines = nil
	synctest.Wait()
}

var (
	anna  = visit.Who{ID: "person:anna", Name: "Anna", Role: care.AsStaff, As: care.Caregiver}
	bo    = visit.Who{ID: "person:bo", Name: "Bo", Role: care.AsStaff, As: care.Coordinator}
	maria = visit.Who{ID: "person:maria", Name: "Maria", Role: care.AsRelative, As: care.Relative}
	amina = visit.Who{ID: "guest:g1", Name: "Amina", Role: care.AsInterpreter}
)

func begin(id string, by visit.Who) visit.Start {
	return visit.Start{ID: id, Home: care.Home{ID: "karin", Gateway: "gw-karin", Name: "Karin Andersson"}, By: by, Role: by.As, Picture: []byte("jpeg")}
}

func (e *exchange) calls(b visit.Start) care.Call {
	e.t.Helper()
	c, err := e.Start(context.Background(), b)
	if err != nil {
		e.t.Fatal(err)
	}
	synctest.Wait()
	return c
}

// attends has somebody connect to a call.
func (e *exchange) attends(call string, who visit.Who) *line {
	ctx, cancel := context.WithCancel(context.Background())
	l := &line{t: e.t, in: make(chan []byte), broken: make(chan struct{}), ended: make(chan error, 1), cancel: cancel}
	go func(s *visit.Service) { l.ended <- s.Attend(ctx, call, who, e.may(who), l) }(e.Service)
	e.lines = append(e.lines, l)
	synctest.Wait()
	return l
}

var errBarred = errors.New("may be there no longer")

// may is asked whether somebody may still be in a call.
func (e *exchange) may(who visit.Who) visit.May {
	return func(ctx context.Context) error {
		e.mu.Lock()
		e.asked++
		why, away := e.barred[who.ID], e.away
		e.mu.Unlock()
		if away { // the database answers nobody
			<-ctx.Done()
			return nil
		}
		return why
	}
}

// bar takes away somebody's right to be in a call; nil gives it back.
func (e *exchange) bar(who visit.Who, why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.barred[who.ID] = why
}

func (e *exchange) word(call string, w wire.CallWordKind, how, message string) {
	payload, err := json.Marshal(wire.CallWord{Call: call, Word: w, How: how, Message: json.RawMessage(message)})
	if err != nil {
		e.t.Fatal(err)
	}
	e.Word("gw-karin", payload)
	synctest.Wait()
}

// homeJoins is what the home's page says when the ring is answered.
func (e *exchange) homeJoins(call string) {
	e.word(call, wire.WordSignal, "", `{"type":"join","sdp":"home's offer","mic":true,"camera":true}`)
}

func (e *exchange) rings(call string) {
	e.Replied("gw-karin", wire.Reply{ID: "ring-" + call, OK: true, Result: json.RawMessage(`{"screen":true}`)})
	synctest.Wait()
}

func (e *exchange) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (e *exchange) call(id string) care.Call {
	e.t.Helper()
	c, err := e.store.Call(context.Background(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

// want checks how far a call has come, as it is stored.
func (e *exchange) want(id string, state care.CallState, why care.CallEnd) {
	e.t.Helper()
	if c := e.call(id); c.State != state || c.Why != why {
		e.t.Errorf("the call is %s %s, want %s %s", c.State, c.Why, state, why)
	}
}

// within runs a test in a bubble, with a service that is stopped in the end.
func within(t *testing.T, f func(t *testing.T, e *exchange)) {
	synctest.Test(t, func(t *testing.T) {
		e := open(t)
		defer e.stop()
		f(t, e)
	})
}
