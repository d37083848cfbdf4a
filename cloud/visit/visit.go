// Package visit is the life of a call by video: who rings whom, who is in it,
// and what each of them is told. Sound and picture pass through package media;
// here are the words between: a home's over its gateway's one connection, all
// others' over connections of their own.
//
// Each call that is not over has one goroutine that owns it. What becomes of a
// call is stored as it happens, so that a service that starts again goes on with
// the calls that were answered.
package visit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/devices/wire"
)

// The errors that people read, by the headings of docs/runbook.
const (
	ErrIDOver          = "LYK-0902" // the call is over
	ErrIDRight         = "LYK-0904" // who was let in may be there no longer
	ErrIDNotUnderstood = "LYK-0908" // a message of the signalling
	ErrIDElsewhere     = "LYK-0910" // joined in another browser or tab since
	ErrIDTooMuch       = "LYK-0911" // says more, or takes less, than there is room for
	ErrIDHome          = "LYK-0912" // the home cannot be told
	ErrIDStore         = "LYK-0913" // a call cannot be stored
)

// How long is waited. What is part of a call's own rules is in package care.
const (
	ringEvery   = 3 * time.Second  // until the home says that it rings
	awayFor     = 20 * time.Second // whose connection broke keeps their place
	nobodyRings = 15 * time.Second // a call that rings, and nobody waits for the answer
	storeAgain  = 2 * time.Second  // after a failure
	// countdownSlack is by how much a home's clock may be quicker than ours while it counts down.
	countdownSlack = 2 * time.Second
	// ICELife is for how long credentials of Options.ICE must be good; new ones are
	// told when half of it is over.
	ICELife = 10 * time.Minute
)

// Who is somebody in a call.
type Who struct {
	ID   string // "home", "person:" or "guest:" and an id
	Name string
	Role care.CallRole
	// As is as whom they stand in the log; "" follows from Role.
	As care.Role
}

// Start is what a call begins with.
type Start struct {
	// ID is the call's: the same again is the same call.
	ID   string
	Home care.Home
	// Visit is the planned visit that it is, Alert what it is about; "" for none.
	Visit, Alert string
	By           Who
	Role         care.Role // of who calls
	Picture      []byte    // of who calls, a JPEG; may be empty
	// Countdown is after how many seconds the screen answers by itself, as the
	// resident has allowed who calls; 0 is never. Whoever starts a call answers
	// for that permission.
	Countdown int
}

// ICEServer is a way to the media, as browsers take it.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Store keeps calls. What it returns for those that are not there matches
// fs.ErrNotExist.
type Store interface {
	AddCall(ctx context.Context, c care.Call, entries ...care.AuditEntry) (care.Call, error)
	Call(ctx context.Context, id string) (care.Call, error)
	Calls(ctx context.Context, f care.CallFilter) ([]care.Call, error)
	// ChangeCall returns the events of alerts that follow.
	ChangeCall(ctx context.Context, id string, change func(care.Call) (care.Call, []care.AuditEntry, error)) (care.Call, []care.Event, error)
	Home(ctx context.Context, id string) (care.Home, error)
}

// Homes sends commands to gateways. None is stored: what is late is of no use.
type Homes interface {
	Command(ctx context.Context, gateway string, c wire.Command) error
}

// Media carries sound and picture.
type Media interface {
	Join(ctx context.Context, j media.Joining) (answer string, err error)
	Restart(ctx context.Context, room, peer, offer string) (answer string, err error)
	Leave(room, peer string)
	CloseRoom(room string)
}

// Conn is the way of one participant's signalling, a message at a time. Read
// and Write end with ctx.
type Conn interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
}

// Options are the settings of a Service.
type Options struct {
	Store Store
	Homes Homes
	Media Media
	// ICE returns the ways to the media for one participant, good for ICELife.
	ICE func(call, person string) []ICEServer
	// Called returns what the resident of a home is called, for those who are no
	// staff; nil is the home's name.
	Called func(ctx context.Context, home string) string
	// Changed is told of a call once what has become of it is stored; nil is nobody.
	Changed func(care.Call)
	// Raised is called when an alert was stored that follows from a call; nil is nobody.
	Raised func()
	Log    *slog.Logger
}

// Service has the calls that are not over.
type Service struct {
	o Options
	// run tells the ids of this process's commands from those of the one before.
	run    string
	loaded chan struct{} // closed when the calls from before the start are there
	stop   context.CancelFunc
	life   context.Context // of the rooms; ends with Run

	mu     sync.Mutex
	rooms  map[string]*room
	early  []word // that came before loaded
	done   bool   // no rooms begin any more
	strays bucket // words about calls that are over

	wg sync.WaitGroup // rooms, and what works for them
}

// word is something that a home said.
type word struct {
	gateway string
	wire.CallWord
}

// maxEarly bounds the words that wait for the start.
const maxEarly = 1000

// New makes a service, which begins with Run.
func New(o Options) *Service {
	s := &Service{o: o, run: newRun(), loaded: make(chan struct{}), rooms: map[string]*room{}, strays: newBucket(20, 100)}
	s.life, s.stop = context.WithCancel(context.Background())
	return s
}

// Run takes up the calls that were under way before, and lets time pass, until
// ctx ends. Calls are not ended by it: who is in them comes back to the next.
func (s *Service) Run(ctx context.Context) error {
	err := s.load(ctx)
	if err == nil {
		<-ctx.Done()
		err = ctx.Err()
	}
	s.mu.Lock()
	s.done = true
	s.mu.Unlock()
	s.stop()
	s.wg.Wait()
	return err
}

// load takes up the calls that are not over.
func (s *Service) load(ctx context.Context) error {
	for {
		err := s.tryLoad(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.o.Log.Error("the calls that were under way cannot be read", "id", ErrIDStore, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(storeAgain):
		}
	}
	close(s.loaded)
	s.mu.Lock()
	early := s.early
	s.early = nil
	s.mu.Unlock()
	for _, w := range early {
		s.heard(w)
	}
	return nil
}

func (s *Service) tryLoad(ctx context.Context) error {
	calls, err := s.o.Store.Calls(ctx, care.CallFilter{Live: true})
	if err != nil {
		return err
	}
	for _, c := range calls {
		home, err := s.o.Store.Home(ctx, c.Home)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if home.ID == "" {
			home.ID = c.Home // it is told nothing, and the call ends
		}
		s.room(c, home, nil, true)
	}
	return nil
}

// ready waits until the calls from before the start are there.
func (s *Service) ready(ctx context.Context) error {
	select {
	case <-s.loaded:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// room returns the room of a call that is not over, and makes it.
func (s *Service) room(c care.Call, home care.Home, picture []byte, again bool) *room {
	called := home.Name
	if s.o.Called != nil {
		if name := s.o.Called(s.life, home.ID); name != "" {
			called = name
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[c.ID]; r != nil || s.done {
		return r
	}
	r := newRoom(s, c, home, called, picture)
	s.rooms[c.ID] = r
	s.wg.Go(r.ring.run)
	s.wg.Go(func() {
		if again {
			r.nobodyHere()
		}
		r.run(s.life)
		s.mu.Lock()
		delete(s.rooms, c.ID)
		s.mu.Unlock()
	})
	return r
}

func (s *Service) find(call string) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[call]
}

// Calls returns how many calls are not over.
func (s *Service) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rooms)
}

// Start has a home rung. The same id again is the same call, whatever has
// become of it. While the home is in another call it returns that one, and an
// error that matches care.ErrCallBusy; one that matches fs.ErrNotExist when there
// is no such home or visit, or the id is another's. Staff who call about an alarm
// end the ring of a relative.
func (s *Service) Start(ctx context.Context, b Start) (care.Call, error) {
	if err := s.ready(ctx); err != nil {
		return care.Call{}, err
	}
	if b.ID == "" || b.By.ID == "" || len(b.Picture) > wire.MaxCallerPicture || b.Countdown != 0 && (b.Countdown < 10 || b.Countdown > 60) {
		return care.Call{}, fmt.Errorf("%w: it has an id, who calls, a picture of at most %d bytes, and a countdown of 10–60 s", care.ErrCall, wire.MaxCallerPicture)
	}
	c, err := s.add(ctx, b)
	if errors.Is(err, care.ErrCallBusy) && c.State == care.CallRinging && b.Alert != "" && b.Role.Staff() && !c.ByRole.Staff() {
		if r, over := s.live(ctx, c.ID); over == nil && r.do(ctx, func() { r.end(care.CallCancelled, b.By) }) == nil {
			if over = r.stored(ctx); over != nil && !errors.Is(over, care.ErrCallOver) {
				return c, over
			}
		}
		c, err = s.add(ctx, b)
	}
	if errors.Is(err, care.ErrCallBusy) && c.ID != "" && s.find(c.ID) == nil {
		// A start whose answer of the database was lost: it is to end, as others do.
		if _, lost := s.live(ctx, c.ID); lost != nil && !errors.Is(lost, care.ErrCallOver) {
			s.o.Log.Warn("a call that keeps a home busy cannot be taken up", "id", ErrIDStore, "call", c.ID, "err", lost)
		}
	}
	if err != nil {
		return c, err
	}
	if c.State != care.CallEnded {
		if s.room(c, b.Home, b.Picture, false) == nil {
			return c, errStopping
		}
		s.changed(c)
	}
	return c, nil
}

// add stores a call that begins.
func (s *Service) add(ctx context.Context, b Start) (care.Call, error) {
	now := time.Now()
	return s.o.Store.AddCall(ctx, care.Call{
		ID: b.ID, Home: b.Home.ID, Visit: b.Visit, Alert: b.Alert, State: care.CallRinging, By: b.By.ID, ByName: b.By.Name, ByRole: b.Role,
		Started: now, Countdown: b.Countdown,
	}, care.AuditEntry{At: now, Actor: b.By.Name, Role: b.Role, Action: "call", Home: b.Home.ID, Detail: b.ID})
}

var errStopping = errors.New("the service is stopping")

// Attend is somebody's part in a call: it carries their signalling until they
// leave (nil), the call is over (care.ErrCallOver), they have joined elsewhere
// since (care.ErrCallElsewhere), or the connection breaks, whose error it returns:
// they then keep their place, and their sound and picture, for 20 s to come back.
// It returns care.ErrCallFull when there is no place, and an error that matches
// fs.ErrNotExist when there is no such call. When ctx ends they are gone at once, and
// so they are when may says that they may be there no longer.
func (s *Service) Attend(ctx context.Context, call string, who Who, may May, conn Conn) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	r, err := s.live(ctx, call)
	if err != nil {
		return err
	}
	return r.attend(ctx, who, may, conn)
}

// live returns the room of a call, care.ErrCallOver when it is over, and what
// the store says when there is none. A call that is stored and has no room yet,
// as its start is under way, gets one.
func (s *Service) live(ctx context.Context, call string) (*room, error) {
	if r := s.find(call); r != nil {
		return r, nil
	}
	c, err := s.o.Store.Call(ctx, call)
	switch {
	case err != nil:
		return nil, err
	case c.State == care.CallEnded:
		return nil, care.ErrCallOver
	}
	home, err := s.o.Store.Home(ctx, c.Home)
	if err != nil {
		return nil, err
	}
	r := s.room(c, home, nil, false)
	if r == nil {
		return nil, errStopping
	}
	return r, nil
}

// HangUp ends a call for who called, and for the home; anybody else leaves it.
// It returns the call as it is then stored; one that is over stays as it ended.
func (s *Service) HangUp(ctx context.Context, call string, who Who) (care.Call, error) {
	if err := s.ready(ctx); err != nil {
		return care.Call{}, err
	}
	r, err := s.live(ctx, call)
	if err == nil {
		err = r.do(ctx, func() {
			if who.ID == r.call.By || who.ID == care.HomeInCall {
				r.end(care.CallDone, who)
			} else {
				r.leaves(who.ID)
			}
		})
	}
	if err == nil {
		err = r.stored(ctx)
	}
	if err != nil && !errors.Is(err, care.ErrCallOver) {
		return care.Call{}, err
	}
	return s.o.Store.Call(ctx, call)
}

// Word takes what a home says of a call from its reply topic. It never blocks;
// what a home says too fast is dropped.
func (s *Service) Word(gateway string, payload []byte) {
	w := word{gateway: gateway}
	if len(payload) > 2*wire.MaxSignal || json.Unmarshal(payload, &w.CallWord) != nil || w.Call == "" {
		s.o.Log.Warn("a home said something of a call that was not understood", "id", ErrIDNotUnderstood, "gateway", gateway)
		return
	}
	s.mu.Lock()
	select {
	case <-s.loaded:
	default:
		if len(s.early) < maxEarly {
			s.early = append(s.early, w)
		}
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.heard(w)
}

func (s *Service) heard(w word) {
	r := s.find(w.Call)
	switch {
	case r != nil && r.home.Gateway == w.gateway:
		r.hears(w.CallWord)
	case w.Word == wire.WordDecline || w.Word == wire.WordHangUp || len(w.Call) > 64:
	default:
		s.overAlready(w)
	}
}

// overAlready tells a home that a call that it believes in is none of its.
func (s *Service) overAlready(w word) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done || !s.strays.take(time.Now()) {
		return
	}
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(s.life, tellFor)
		defer cancel()
		c := wire.Command{ID: "call-over-" + w.Call, Type: wire.CommandHangUp, Args: args(wire.HangUp{Call: w.Call, Why: "done"})}
		if err := s.o.Homes.Command(ctx, w.gateway, c); err != nil {
			s.o.Log.Info("a home cannot be told that a call is over", "id", ErrIDHome, "gateway", w.gateway, "err", err)
		}
	})
}

// Replied takes a gateway's answer to a command; those that are not to a ring
// are left alone.
func (s *Service) Replied(gateway string, reply wire.Reply) {
	call, ok := strings.CutPrefix(reply.ID, ringCommand)
	if !ok {
		return
	}
	if r := s.find(call); r != nil && r.home.Gateway == gateway {
		r.replied(reply)
	}
}

// changed tells that a call is stored as it is.
func (s *Service) changed(c care.Call) {
	if s.o.Changed != nil {
		s.o.Changed(c)
	}
}
