package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// Calls carries calls by video.
type Calls interface {
	// Start has a home rung. The same id again is the same call. While the home
	// is in another one it returns that, and an error that matches care.ErrCallBusy.
	Start(ctx context.Context, s CallStart) (care.Call, error)
	// Attend is somebody's part in a call, until they leave it, conn ends, or may
	// says that they may be there no longer, whose error it then returns. may is asked
	// as long as they have a place in the call, also when conn has ended.
	Attend(ctx context.Context, call string, who Attendee, may func(context.Context) error, conn CallConn) error
	// HangUp ends a call for who called, and is leaving it for others.
	HangUp(ctx context.Context, call string, who Attendee) (care.Call, error)
}

// CallConn is the way of a participant's signalling: a message of JSON at a time.
type CallConn interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
}

// CallBook keeps calls. Errors of what is not there match fs.ErrNotExist.
type CallBook interface {
	Call(ctx context.Context, id string) (care.Call, error)
	Calls(ctx context.Context, f care.CallFilter) ([]care.Call, error)
	// ChangeCall writes what change makes of a call, with its entries in the log and
	// with what follows from it, at once.
	ChangeCall(ctx context.Context, id string, change func(care.Call) (care.Call, []care.AuditEntry, error)) (care.Call, []care.Event, error)
}

// Attendee is who takes part in a call; ID is "person:" or "guest:" and an id.
type Attendee struct {
	ID   string
	Name string
	Role care.CallRole
	As   care.Role // for the log
}

// CallStart is a call that somebody begins.
type CallStart struct {
	ID            string
	Home          care.Home
	Visit, Alert  string // "" for none
	By            Attendee
	Picture       []byte        // of who calls, JPEG; may be empty
	AnswersItself time.Duration // after which the screen answers, as it was allowed; 0 is never
}

// autoAnswerAfter is for how long a resident sees, and hears, that the screen is
// going to answer, and can say no.
const autoAnswerAfter = 20 * time.Second

// Errors of calls that the web side finds.
var (
	errNoVideo    = errors.New("this service has no calls by video")
	errNotCalled  = errors.New("the call may not be made, or joined")
	errAutoAnswer = errors.New("the resident has not allowed that the screen answers by itself")
	errGuestLink  = errors.New("the link to the call is over, or unknown")
	errNoPerson   = errors.New("who calls is a person: sign in as yourself")
)

// Problems of calls.
var (
	problemNoCall = signInProblem(http.StatusNotFound, "LYK-0900", "There is no such call, or no more")
	problemSocket = signInProblem(http.StatusBadRequest, "LYK-0908", "The signalling of a call was not understood")
)

// callProblem returns the problem of an error of calls; nil is of no call.
func callProblem(err error) *Problem {
	for _, known := range []struct {
		err    error
		status int
		id     string
		title  string
	}{
		{care.ErrCallBusy, http.StatusConflict, "LYK-0901", "The home is in another call"},
		{care.ErrCallOver, http.StatusConflict, "LYK-0902", "The call is over"},
		{care.ErrCallFull, http.StatusConflict, "LYK-0903", "The call is full: a home and three others"},
		{errNotCalled, http.StatusForbidden, "LYK-0904", "Your role, your areas or what the resident has decided do not allow this call"},
		{care.ErrCallWithdrawn, http.StatusForbidden, "LYK-0904", "The resident no longer allows this call"},
		{errAutoAnswer, http.StatusForbidden, "LYK-0905", "The screen may not answer by itself: the resident has not allowed it to you, or no emergency is open"},
		{errGuestLink, http.StatusNotFound, "LYK-0906", "The link works no longer; ask for a new one"},
		{errNoVideo, http.StatusConflict, "LYK-0907", "Calls by video are turned off in this service"},
		{care.ErrCallElsewhere, http.StatusConflict, "LYK-0910", "You have joined the call in another browser"},
		{errNoPerson, http.StatusConflict, "LYK-0909", "Only a person calls: sign in as yourself"},
	} {
		if errors.Is(err, known.err) {
			return signInProblem(known.status, known.id, known.title)
		}
	}
	return nil
}

func (s *server) registerCalls(api huma.API) {
	huma.Register(api, op("start-call", http.MethodPost, "/homes/{id}/calls", "Call a resident by video", "calls", http.StatusCreated), s.startCall)
	huma.Register(api, op("list-calls", http.MethodGet, "/calls", "Calls by video, newest first; relatives see those of their own", "calls", http.StatusOK), s.listCalls)
	huma.Register(api, op("get-call", http.MethodGet, "/calls/{call}", "One call", "calls", http.StatusOK), s.getCall)
	huma.Register(api, op("hang-up", http.MethodPost, "/calls/{call}/hang-up", "End a call as who called, leave it as anybody else", "calls", http.StatusOK), s.hangUp)
	huma.Register(api, op("call-went", http.MethodPost, "/calls/{call}/went", "Say how a call went", "calls", http.StatusOK), s.callWent)
	huma.Register(api, op("invite-guest", http.MethodPost, "/calls/{call}/guests", "Make a link with which somebody without a sign-in joins the call", "calls", http.StatusCreated), s.inviteGuest)
	look := op("look-guest", http.MethodPost, "/guest/look", "Which call a guest's link is to; it stays good", "calls", http.StatusOK)
	look.Security = []map[string][]string{}
	look.Middlewares = huma.Middlewares{limited(api, newLimiter(triesPerMinute))}
	huma.Register(api, look, s.lookGuest)
	describeSockets(api.OpenAPI())
}

type callByView struct {
	ID   string        `json:"id" example:"person:anna"`
	Name string        `json:"name"`
	Role care.CallRole `json:"role" enum:"staff,relative"`
}

type callPersonView struct {
	ID     string        `json:"id" doc:"home, person: or guest: and an id."`
	Name   string        `json:"name"`
	Role   care.CallRole `json:"role" enum:"home,staff,relative,interpreter,guest"`
	Joined time.Time     `json:"joined"`
	Left   *time.Time    `json:"left" doc:"null while they are there."`
}

// CallView is a call as the API and the event stream have it; exported because
// the stream carries it.
type CallView struct {
	ID       string           `json:"id"`
	Home     string           `json:"home"`
	HomeName string           `json:"home_name"`
	Visit    string           `json:"visit" doc:"The planned visit that it is; empty for none."`
	Alert    string           `json:"alert" doc:"What it was begun for; empty for none."`
	State    care.CallState   `json:"state" enum:"ringing,answered,ended"`
	By       callByView       `json:"by"`
	Started  time.Time        `json:"started"`
	Rung     *time.Time       `json:"rung" doc:"When the home said that it rings."`
	Answered *time.Time       `json:"answered"`
	How      care.CallAnswer  `json:"how" enum:",touch,button,automatic"`
	Ended    *time.Time       `json:"ended"`
	Why      care.CallEnd     `json:"why" enum:",done,declined,later,missed,cancelled,unreachable,withdrawn,off"`
	Outcome  care.CallOutcome `json:"outcome" enum:",well,needs_visit,technical,other"`
	Note     string           `json:"note"`
	Saved    int              `json:"saved_minutes" doc:"Of travel that it made unnecessary, as who called says."`
	People   []callPersonView `json:"people" nullable:"false" doc:"Who took part, in the order in which they came."`
	Here     []string         `json:"here" nullable:"false" doc:"Who of them is there now."`
}

func (s *server) viewCall(c care.Call) CallView { return viewCall(c, s.Live.name(c.Home)) }

func viewCall(c care.Call, homeName string) CallView {
	out := CallView{
		ID: c.ID, Home: c.Home, HomeName: homeName, Visit: c.Visit, Alert: c.Alert, State: c.State,
		By: callByView{c.By, c.ByName, roleInCall(c.ByRole)}, Started: c.Started.UTC(), Rung: known(c.Rung), Answered: known(c.Answered), How: c.How,
		Ended: known(c.Ended), Why: c.Why, Outcome: c.Outcome, Note: c.Note, Saved: c.Saved, People: []callPersonView{}, Here: []string{},
	}
	for _, p := range c.People {
		out.People = append(out.People, callPersonView{p.ID, p.Name, p.Role, p.Joined.UTC(), known(p.Left)})
		if p.Left.IsZero() && c.State != care.CallEnded {
			out.Here = append(out.Here, p.ID)
		}
	}
	return out
}

// roleInCall is as what somebody who signs in takes part.
func roleInCall(r care.Role) care.CallRole {
	if r.Staff() {
		return care.AsStaff
	}
	return care.AsRelative
}

// call is a call as they may see it. What the staff say of it is theirs, and
// before the home has answered, who else waits is, too.
func (v *sight) call(c CallView) CallView {
	if v.actor.Role.Staff() {
		return c
	}
	c.Alert, c.Note, c.Outcome, c.Saved = "", "", "", 0
	if c.Answered == nil {
		c.People, c.Here = []callPersonView{}, []string{}
	}
	if card, err := v.s.Records.Resident(v.ctx, c.Home); err == nil {
		c.HomeName = cmp.Or(card.Called, c.HomeName)
	}
	return c
}

// concerns reports whether a call is one that they may know of: staff of all of
// their homes, relatives of those that they may join or were in.
func (v *sight) concerns(c care.Call) bool {
	if !v.can(access.Call, "", c.Home) {
		return false
	}
	return v.actor.Role.Staff() || c.State != care.CallEnded ||
		slices.ContainsFunc(c.People, func(p care.CallPerson) bool { return p.ID == attendee(v.actor).ID }) || c.By == attendee(v.actor).ID
}

// afterCall is for how long who was in a call may say how it went, though the
// alarm that brought them to it is closed.
const afterCall = time.Hour

// finishes reports whether a call is one that staff of another area came to by an
// alarm and may bring to its end, though the alarm is closed: for as long as they
// have their place in it, or wait for the answer to their own ring, and a while
// after it to say how it went. It lets nobody in who was not there.
func (v *sight) finishes(c care.Call) bool {
	home, err := v.s.homeOf(v.ctx, c.Home)
	if err != nil || !v.mayOnceTold(home) {
		return false
	}
	me := attendee(v.actor).ID
	if c.State == care.CallEnded && v.now.Sub(c.Ended) > afterCall {
		return false
	}
	if c.By == me && c.State != care.CallAnswered {
		return true
	}
	return slices.ContainsFunc(c.People, func(p care.CallPerson) bool {
		return p.ID == me && (p.Left.IsZero() || c.State == care.CallEnded)
	})
}

// mayOnceTold reports whether staff of another area might call a home if they had
// been told of an alarm of it.
func (v *sight) mayOnceTold(home care.Home) bool {
	return v.outside(home) && access.Can(v.actor, access.Call, access.Whom{Home: home, Consents: v.s.decisions.of(home.ID), Told: true}, "", v.now)
}

func attendee(a access.Actor) Attendee {
	return Attendee{ID: "person:" + a.Person, Name: a.Name, Role: roleInCall(a.Role), As: a.Role}
}

// mayCall returns who is going to call a home, or to take part in a call.
func (s *server) mayCall(ctx context.Context, home string) (access.Actor, error) {
	actor, err := s.may(ctx, access.Call, "", home)
	var refused *Problem
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusForbidden:
		return actor, problemOf(errNotCalled)
	case err != nil:
		return actor, err
	case s.Calls == nil && home != "", s.CallBook == nil:
		return actor, problemOf(errNoVideo)
	case home != "" && actor.Person == "":
		return actor, problemOf(errNoPerson)
	}
	return actor, nil
}

// CallInput is a home that is called; exported because huma reads embedded
// fields of exported types only.
type CallInput struct {
	Visit     string `json:"visit,omitempty" maxLength:"64" doc:"The planned visit by video that it is."`
	Alert     string `json:"alert,omitempty" maxLength:"64" doc:"The alert that it is about."`
	Automatic bool   `json:"automatic,omitempty" doc:"The screen answers by itself after 20 seconds, unless the resident says no. Only where they have allowed it to who calls, and while an emergency of theirs is not over: alert names it."`
	Picture   []byte `json:"picture,omitempty" doc:"Of who calls, for the ring: JPEG, at most 30 KiB, base64."`
}

func (s *server) startCall(ctx context.Context, in *struct {
	HomePath
	KeyHeader
	Body CallInput
}) (*body[CallView], error) {
	actor, err := s.mayCall(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	home, err := s.homeOf(ctx, in.ID)
	if err != nil {
		return nil, s.failed("call a home", err)
	}
	b := in.Body
	if p := b.Picture; len(p) > wire.MaxCallerPicture || len(p) > 0 && !bytes.HasPrefix(p, []byte{0xff, 0xd8, 0xff}) {
		return nil, problemOf(fmt.Errorf("%w: a picture is a JPEG of at most 30 KiB", care.ErrCall))
	}
	start := CallStart{
		ID: deedID(actor, "call", in.ID, in.Key), Home: home, Visit: b.Visit, Alert: b.Alert, By: attendee(actor), Picture: b.Picture,
	}
	if err := s.isVisitByVideo(ctx, actor, in.ID, b.Visit); err != nil {
		return nil, err
	}
	alert, err := s.calledFor(ctx, in.ID, b.Alert)
	if err != nil {
		return nil, err
	}
	if b.Automatic {
		if err := s.mayAnswerItself(actor, in.ID, alert); err != nil {
			return nil, err
		}
		start.AnswersItself = autoAnswerAfter
	}
	if err := s.mayRing(ctx, start, alert); err != nil {
		return nil, err
	}
	call, err := s.Calls.Start(ctx, start)
	if errors.Is(err, care.ErrCallBusy) {
		busy := problemOf(err)
		busy.Call = call.ID
		return nil, busy
	}
	if err != nil {
		return nil, s.failed("call a home", err)
	}
	return s.oneCall(ctx, actor, call)
}

// isVisitByVideo returns a problem unless the visit is one that a call can be;
// "" is none.
func (s *server) isVisitByVideo(ctx context.Context, actor access.Actor, home, id string) error {
	if id == "" {
		return nil
	}
	v, err := s.Records.Visit(ctx, id)
	if err == nil && (v.Home != home || !actor.Role.Staff() && v.Asked != actor.Person && v.Person != actor.Person) {
		err = fs.ErrNotExist
	}
	switch {
	case err != nil:
		return s.failed("read the visit of a call", err)
	case !v.Video:
		return problemOf(fmt.Errorf("%w: the visit is not planned by video", care.ErrCall))
	}
	return nil
}

// calledFor returns the alert that a call is about; the zero value for none.
func (s *server) calledFor(ctx context.Context, home, id string) (care.Alert, error) {
	if id == "" {
		return care.Alert{}, nil
	}
	if _, err := s.may(ctx, access.Read, care.FieldAlerts, home); err != nil {
		return care.Alert{}, err
	}
	a, err := s.Alerts.Alert(ctx, id)
	if err == nil && a.Home != home {
		err = fs.ErrNotExist
	}
	if err != nil {
		return a, s.failed("read the alert of a call", err)
	}
	return a, nil
}

// mayAnswerItself returns a problem unless the resident has allowed who calls
// that the screen answers by itself, and there is an emergency that is not over.
func (s *server) mayAnswerItself(actor access.Actor, home string, alert care.Alert) error {
	emergency := alert.Severity == care.Emergency && alert.State != care.Resolved && !alert.Test
	if !emergency || !s.decisions.of(home).Allow(partyOf(actor), care.FieldAutoAnswer, time.Now()) {
		return problemOf(errAutoAnswer)
	}
	return nil
}

func (s *server) oneCall(ctx context.Context, actor access.Actor, c care.Call) (*body[CallView], error) {
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("read a call", err)
	}
	return &body[CallView]{v.call(s.viewCall(c))}, nil
}

type callsView struct {
	Calls []CallView `json:"calls" nullable:"false"`
}

// mostCalls bounds one answer.
const mostCalls = 200

func (s *server) listCalls(ctx context.Context, in *struct {
	Home  string `query:"home" maxLength:"64"`
	Visit string `query:"visit" maxLength:"64"`
	Live  bool   `query:"live" doc:"Only those that are not over."`
}) (*body[callsView], error) {
	actor, err := s.may(ctx, access.Call, "", in.Home)
	if err != nil {
		return nil, err
	}
	out := callsView{Calls: []CallView{}}
	if s.CallBook == nil {
		return &body[callsView]{out}, nil
	}
	f := care.CallFilter{Home: in.Home, Visit: in.Visit, Live: in.Live, Limit: mostCalls}
	if in.Home == "" {
		f.Areas = actor.Areas
		if !actor.Role.Staff() {
			f.Homes = append([]string{}, actor.Homes...)
		}
	}
	calls, err := s.CallBook.Calls(ctx, f)
	if err != nil {
		return nil, s.failed("list calls", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list calls", err)
	}
	seen := looksAtHomes{}
	if in.Home != "" {
		seen.add(in.Home, care.FieldVideo) // also at a home without any
	}
	for _, c := range calls {
		if v.concerns(c) {
			out.Calls = append(out.Calls, v.call(s.viewCall(c)))
			seen.add(c.Home, care.FieldVideo)
		}
	}
	if !in.Live { // who rings now is what staff have before them all day
		s.audit.looksAt(ctx, s.Log, actor, seen)
	}
	return &body[callsView]{out}, nil
}

// CallPath names a call.
type CallPath struct {
	Call string `path:"call" maxLength:"64"`
}

// callOf returns a call that the actor may know of.
func (s *server) callOf(ctx context.Context, id string) (access.Actor, care.Call, error) {
	return s.callFor(ctx, id, func(v *sight, c care.Call) bool { return v.concerns(c) || v.finishes(c) })
}

// callFor returns a call, and who asks for it when it is one that they may.
func (s *server) callFor(ctx context.Context, id string, which func(*sight, care.Call) bool) (access.Actor, care.Call, error) {
	actor, err := s.mayCall(ctx, "")
	if err != nil {
		return actor, care.Call{}, err
	}
	c, err := s.CallBook.Call(ctx, id)
	if err != nil {
		return actor, c, s.failedCall("read a call", err)
	}
	v, err := s.sight(ctx, actor)
	switch {
	case err != nil:
		return actor, c, s.failed("read a call", err)
	case !actor.Role.Staff() && !slices.Contains(actor.Homes, c.Home):
		return actor, c, problemOf(errNoHome)
	case !which(v, c):
		return actor, c, problemOf(errNotCalled)
	case actor.Person == "":
		return actor, c, problemOf(errNoPerson)
	}
	return actor, c, nil
}

// failedCall is failed where what is not there is a call.
func (s *server) failedCall(doing string, err error) *Problem {
	if errors.Is(err, fs.ErrNotExist) {
		return problemNoCall
	}
	return s.failed(doing, err)
}

func (s *server) getCall(ctx context.Context, in *CallPath) (*body[CallView], error) {
	actor, c, err := s.callOf(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldVideo), c.Home)
	return s.oneCall(ctx, actor, c)
}

func (s *server) hangUp(ctx context.Context, in *struct {
	CallPath
	KeyHeader
}) (*body[CallView], error) {
	actor, c, err := s.callOf(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	if c.State != care.CallEnded && s.Calls != nil { // twice is no fault, and without video it is about to end
		if c, err = s.Calls.HangUp(ctx, in.Call, attendee(actor)); err != nil && !errors.Is(err, care.ErrCallOver) {
			return nil, s.failedCall("hang up", err)
		}
	}
	return s.oneCall(ctx, actor, c)
}

func (s *server) callWent(ctx context.Context, in *struct {
	CallPath
	KeyHeader
	Body struct {
		Outcome care.CallOutcome `json:"outcome" enum:"well,needs_visit,technical,other"`
		Note    string           `json:"note,omitempty" maxLength:"4000"`
		Saved   int              `json:"saved_minutes,omitempty" minimum:"0" maximum:"600" doc:"Of travel that it made unnecessary."`
	}
}) (*body[CallView], error) {
	actor, c, err := s.callOf(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	me := attendee(actor).ID
	was := c.By == me || slices.ContainsFunc(c.People, func(p care.CallPerson) bool { return p.ID == me })
	if !actor.Role.Staff() || !was {
		return nil, problemOf(errNotCalled)
	}
	w := care.CallWent{Outcome: in.Body.Outcome, Note: strings.TrimSpace(in.Body.Note), Saved: in.Body.Saved}
	c, _, err = s.CallBook.ChangeCall(ctx, c.ID, func(c care.Call) (care.Call, []care.AuditEntry, error) {
		c, err := c.Went(w)
		return c, []care.AuditEntry{entryOf(actor, time.Now(), "note call", c.Home, c.ID)}, err
	})
	if err != nil {
		return nil, s.failedCall("say how a call went", err)
	}
	s.Live.CallChanged(c)
	s.Live.AlertsChanged()
	return s.oneCall(ctx, actor, c)
}
