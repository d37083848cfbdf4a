package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

func op(id, method, path, summary, tag string, status int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Tags: []string{tag}, DefaultStatus: status}
}

func (s *server) register(api huma.API) {
	huma.Register(api, op("list-homes", http.MethodGet, "/homes", "All homes with their live state", "homes", http.StatusOK), s.listHomes)
	huma.Register(api, op("add-home", http.MethodPost, "/homes", "Add a home", "homes", http.StatusCreated), s.addHome)
	huma.Register(api, op("change-home", http.MethodPut, "/homes/{id}", "Change what a home is called, where it is, and its schedules", "homes", http.StatusOK), s.changeHome)
	huma.Register(api, op("get-home", http.MethodGet, "/homes/{id}", "One home with its devices and newest readings", "homes", http.StatusOK), s.getHome)
	huma.Register(api, op("list-readings", http.MethodGet, "/homes/{id}/readings", "Readings of a home, or windows of them", "homes", http.StatusOK), s.listReadings)

	huma.Register(api, op("list-alerts", http.MethodGet, "/alerts", "Alerts, the most urgent first", "alerts", http.StatusOK), s.listAlerts)
	huma.Register(api, op("get-alert", http.MethodGet, "/alerts/{id}", "One alert", "alerts", http.StatusOK), s.getAlert)
	huma.Register(api, op("acknowledge-alert", http.MethodPost, "/alerts/{id}/acknowledge", "I have it", "alerts", http.StatusOK), s.acknowledge)
	huma.Register(api, op("resolve-alert", http.MethodPost, "/alerts/{id}/resolve", "Close with an outcome", "alerts", http.StatusOK), s.resolve)

	huma.Register(api, op("list-refused", http.MethodGet, "/operations/refused", "Messages that were not understood", "operations", http.StatusOK), s.listRefused)
	huma.Register(api, op("list-audit", http.MethodGet, "/homes/{id}/audit", "Who looked at the home, and what was done", "operations", http.StatusOK), s.listAudit)

	s.registerTeam(api)
	s.registerChain(api)
	s.registerCalm(api)
	s.registerTests(api)
	s.registerPush(api)
	s.registerSignIn(api)
	s.registerConsent(api)
	s.registerRecords(api)
	s.registerVisits(api)
	s.registerMessages(api)
	s.registerFamily(api)
	s.registerOverview(api)
	s.registerCalls(api)

	describeEvents(api.OpenAPI())
	describeProblems(api.OpenAPI())
}

// failed logs an unexpected error and returns the problem for it.
func (s *server) failed(doing string, err error) *Problem {
	p := problemOf(err)
	if p.Status >= 500 && !errors.Is(err, context.Canceled) {
		s.Log.Error(doing, "id", p.ID, "err", err)
	}
	return p
}

type body[T any] struct{ Body T }

type homesView struct {
	Homes []HomeView `json:"homes" nullable:"false"`
}

func (s *server) listHomes(ctx context.Context, _ *struct{}) (*body[homesView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldHome, "")
	if err != nil {
		return nil, err
	}
	if err := s.Homes.Refresh(ctx); err != nil {
		return nil, s.failed("list homes", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list homes", err)
	}
	return &body[homesView]{homesView{v.homes(s.Live.views(v.now))}}, nil
}

type newHome struct {
	ID       string         `json:"id" maxLength:"64" doc:"Lower-case letters, digits, '.', '_' and '-'."`
	Gateway  string         `json:"gateway" maxLength:"64"`
	Name     string         `json:"name" minLength:"1" maxLength:"200"`
	Area     string         `json:"area,omitempty" maxLength:"64" doc:"The part of the municipality whose staff look after the home."`
	Zone     string         `json:"zone,omitempty" default:"Europe/Stockholm"`
	CheckIns []care.CheckIn `json:"check_ins,omitempty" maxItems:"12"`
}

func (s *server) addHome(ctx context.Context, in *struct{ Body newHome }) (*body[HomeView], error) {
	actor, err := s.may(ctx, access.AddHomes, "", "")
	if err != nil {
		return nil, err
	}
	if !inAreas(actor, in.Body.Area) {
		return nil, problemOf(errNotAllowed)
	}
	home := care.Home{ID: in.Body.ID, Gateway: in.Body.Gateway, Name: in.Body.Name, Area: in.Body.Area, Zone: in.Body.Zone, CheckIns: in.Body.CheckIns, Created: time.Now()}
	if err := s.Homes.Add(ctx, home); err != nil {
		return nil, s.failed("add home", err)
	}
	s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "add home", Home: home.ID})
	return s.oneHome(ctx, actor, home.ID)
}

type changedHome struct {
	HomePath
	Body struct {
		Name     string         `json:"name" minLength:"1" maxLength:"200"`
		Area     string         `json:"area" maxLength:"64"`
		Zone     string         `json:"zone,omitempty" default:"Europe/Stockholm"`
		CheckIns []care.CheckIn `json:"check_ins" maxItems:"12" nullable:"false"`
	}
}

func (s *server) changeHome(ctx context.Context, in *changedHome) (*body[HomeView], error) {
	actor, err := s.may(ctx, access.ManageHome, "", in.ID)
	if err != nil {
		return nil, err
	}
	status, _, err := s.Homes.Detail(ctx, in.ID)
	if err != nil {
		return nil, s.failed("change home", err)
	}
	home := status.Home
	home.Name, home.Area, home.Zone, home.CheckIns, home.Fault = in.Body.Name, in.Body.Area, in.Body.Zone, in.Body.CheckIns, ""
	if err := s.Homes.Change(ctx, home); err != nil {
		return nil, s.failed("change home", err)
	}
	s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "change home", Home: home.ID})
	return s.oneHome(ctx, actor, home.ID)
}

// oneHome is a home as the actor may see it.
func (s *server) oneHome(ctx context.Context, actor access.Actor, id string) (*body[HomeView], error) {
	status, _, err := s.Homes.Detail(ctx, id)
	if err != nil {
		return nil, s.failed("read home", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("read home", err)
	}
	return &body[HomeView]{v.home(s.Live.view(status, v.now))}, nil
}

// HomePath names a home; exported because huma reads embedded fields of exported types only.
type HomePath struct {
	ID string `path:"id" maxLength:"64"`
}

// lastTimeout is how long one home's page waits for the time series store.
const lastTimeout = 3 * time.Second

func (s *server) getHome(ctx context.Context, in *HomePath) (*body[homeDetail], error) {
	actor, err := s.may(ctx, access.Read, care.FieldHome, in.ID)
	if err != nil {
		return nil, err
	}
	status, devs, err := s.Homes.Detail(ctx, in.ID)
	if err != nil {
		return nil, s.failed("get home", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("get home", err)
	}
	out := homeDetail{HomeView: v.home(s.Live.view(status, v.now)), Devices: []deviceView{}, Last: []readingView{}, Refused: v.refused(in.ID)}
	for _, d := range devs {
		out.Devices = append(out.Devices, v.device(d, in.ID))
	}
	lastCtx, cancel := context.WithTimeout(ctx, lastTimeout)
	defer cancel()
	last, err := s.History.Last(lastCtx, in.ID)
	if err != nil {
		s.Log.Warn("newest readings are not to be had", "id", "LYK-0506", "home", in.ID, "err", err)
		out.LastUnavailable = true
	}
	seen := fieldsSeen{care.FieldHome: true}
	seen[care.FieldActivity] = out.LastActivity != nil
	for _, p := range last {
		if v.sees(p.Kind, in.ID) {
			out.Last = append(out.Last, viewReading(p.Reading))
			seen[care.FieldOf(p.Kind)] = true
		}
	}
	s.looked(ctx, actor, in.ID, seen)
	return &body[homeDetail]{out}, nil
}

type readingsInput struct {
	HomePath
	From   string `query:"from" doc:"RFC 3339 time or date; default 24 hours before to." example:"2026-11-20T00:00:00Z"`
	To     string `query:"to" doc:"RFC 3339 time or date, exclusive; default now."`
	Device string `query:"device" maxLength:"128"`
	Kind   string `query:"kind" maxLength:"128" example:"temperature"`
	Every  string `query:"every" doc:"Answer with windows of this length instead of readings: a Go duration of a second or more." example:"1h"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100000" default:"100000"`
	After  string `query:"after" maxLength:"20" doc:"Cursor: next of the answer before."`
}

type readingsView struct {
	Readings []readingView `json:"readings,omitzero" required:"false" nullable:"false" doc:"When every was not given."`
	Windows  []windowView  `json:"windows,omitzero" required:"false" nullable:"false" doc:"When every was given."`
	Next     string        `json:"next,omitempty" doc:"Cursor for the rest, when the limit cut the answer."`
}

// listReadings answers with what the actor may see: one kind that is asked for
// and refused is an error, of all kinds the others are left out.
func (s *server) listReadings(ctx context.Context, in *readingsInput) (*body[readingsView], error) {
	field := care.FieldHome
	if in.Kind != "" {
		field = care.FieldOf(devices.Kind(in.Kind))
	}
	actor, err := s.may(ctx, access.Read, field, in.ID)
	if err != nil {
		return nil, err
	}
	q, every, err := in.query(time.Now())
	if err != nil {
		return nil, problemOf(err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list readings", err)
	}
	var out readingsView
	seen := fieldsSeen{}
	if every > 0 {
		windows, err := s.History.Windows(ctx, q, every)
		if err != nil {
			return nil, s.failed("list windows", err)
		}
		out.Windows = []windowView{}
		for _, w := range windows {
			if v.sees(w.Kind, in.ID) {
				out.Windows = append(out.Windows, viewWindow(w))
				seen[care.FieldOf(w.Kind)] = true
			}
		}
		s.looked(ctx, actor, in.ID, seen)
		return &body[readingsView]{out}, nil
	}
	points, err := s.History.Raw(ctx, q)
	if err != nil {
		return nil, s.failed("list readings", err)
	}
	out.Readings = []readingView{}
	for _, p := range points {
		if v.sees(p.Kind, in.ID) {
			out.Readings = append(out.Readings, viewReading(p.Reading))
			seen[care.FieldOf(p.Kind)] = true
		}
	}
	s.looked(ctx, actor, in.ID, seen)
	if len(points) >= q.Limit { // points of one moment are not parted
		out.Next = strconv.FormatInt(points[len(points)-1].Nanos(), 10)
	}
	return &body[readingsView]{out}, nil
}

// maxWindows bounds one answer.
const maxWindows = 100_000

func (in *readingsInput) query(now time.Time) (history.Query, time.Duration, error) {
	q := history.Query{Home: in.ID, Device: in.Device, Kind: devices.Kind(in.Kind), Limit: in.Limit}
	var err error
	if q.To, err = parseTime(in.To, now); err != nil {
		return q, 0, err
	}
	if q.From, err = parseTime(in.From, q.To.Add(-24*time.Hour)); err != nil {
		return q, 0, err
	}
	if in.After != "" {
		if q.After, err = strconv.ParseInt(in.After, 10, 64); err != nil {
			return q, 0, fmt.Errorf("%w: after is not a cursor", errBadQuery)
		}
	}
	if in.Every == "" {
		return q, 0, nil
	}
	every, err := time.ParseDuration(in.Every)
	if err != nil || every < time.Second || every%time.Second != 0 {
		return q, 0, fmt.Errorf("%w: every is a duration of whole seconds, such as 15m or 1h", errBadQuery)
	}
	if q.To.Sub(q.From)/every > maxWindows {
		return q, 0, fmt.Errorf("%w: more than %d windows; ask for longer ones", errBadQuery, maxWindows)
	}
	return q, every, nil
}

// parseTime reads an RFC 3339 time or date; empty is the default. What lies
// outside the years that the stores can hold is bounded to them.
func parseTime(s string, otherwise time.Time) (time.Time, error) {
	if s == "" {
		return otherwise, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			low, high := time.Unix(0, 0), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
			switch {
			case t.Before(low):
				return low, nil
			case t.After(high):
				return high, nil
			}
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %q is not an RFC 3339 time or date", errBadQuery, s)
}

type alertsInput struct {
	State string `query:"state" enum:"open,acknowledged,resolved,active" doc:"active is open or acknowledged; none is all."`
	Home  string `query:"home" maxLength:"64"`
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}

type alertsView struct {
	Alerts []alertView `json:"alerts" nullable:"false"`
}

func (s *server) listAlerts(ctx context.Context, in *alertsInput) (*body[alertsView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldAlerts, in.Home)
	if err != nil {
		return nil, err
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list alerts", err)
	}
	f := care.AlertFilter{Home: in.Home, Limit: in.Limit}
	if in.Home == "" {
		f.Areas, f.Also = actor.Areas, v.toldHomes()
	}
	switch in.State {
	case "":
	case "active":
		f.States = []care.AlertState{care.Open, care.Acknowledged}
	default:
		f.States = []care.AlertState{care.AlertState(in.State)}
	}
	alerts, err := s.Alerts.Alerts(ctx, f)
	if err != nil {
		return nil, s.failed("list alerts", err)
	}
	return &body[alertsView]{alertsView{v.alerts(alerts)}}, nil
}

// AlertPath names an alert.
type AlertPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) getAlert(ctx context.Context, in *AlertPath) (*body[alertView], error) {
	alert, err := s.Alerts.Alert(ctx, in.ID)
	if err != nil {
		return nil, s.failed("get alert", err)
	}
	actor, err := s.may(ctx, access.Read, care.FieldAlerts, alert.Home)
	if err != nil {
		return nil, err
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldAlerts), alert.Home)
	return s.oneAlert(ctx, actor, alert)
}

// oneAlert is an alert as the actor, who may see it, may see it.
func (s *server) oneAlert(ctx context.Context, actor access.Actor, a care.Alert) (*body[alertView], error) {
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("read alert", err)
	}
	return &body[alertView]{v.alert(s.Live.alertViews([]care.Alert{a})[0])}, nil
}

// mayAct returns the actor when they may do the action to an alert. One that is
// a test is answered by whoever may test.
func (s *server) mayAct(ctx context.Context, action access.Action, id string) (access.Actor, error) {
	actor, ok := actorOf(ctx)
	if !ok {
		return actor, problemOf(errNotSignedIn)
	}
	alert, err := s.Alerts.Alert(ctx, id)
	if err != nil {
		return actor, s.failed("change alert", err)
	}
	actor, err = s.may(ctx, action, "", alert.Home)
	if err != nil && alert.Test {
		if actor, err := s.may(ctx, access.TestHome, "", alert.Home); err == nil {
			return actor, nil
		}
	}
	return actor, err
}

// AcknowledgeInput is an alert and the key of the deed.
type AcknowledgeInput struct {
	AlertPath
	Key string `header:"Idempotency-Key" maxLength:"100" doc:"The same deed with the same key is done once."`
}

func (s *server) acknowledge(ctx context.Context, in *AcknowledgeInput) (*body[alertView], error) {
	actor, err := s.mayAct(ctx, access.ActOnAlert, in.ID)
	if err != nil {
		return nil, err
	}
	alert, err := s.Desk.Acknowledge(ctx, in.ID, alarm.Actor{Name: actor.Name, Role: actor.Role}, in.Key, time.Now())
	if err != nil {
		return nil, s.refusedChange(alert, err)
	}
	return s.oneAlert(ctx, actor, alert)
}

type resolveInput struct {
	AcknowledgeInput
	Body struct {
		Outcome care.Outcome `json:"outcome" enum:"helped,false_press,test,technical,could_not_reach,other"`
		Note    string       `json:"note,omitempty" maxLength:"2000"`
	}
}

func (s *server) resolve(ctx context.Context, in *resolveInput) (*body[alertView], error) {
	actor, err := s.mayAct(ctx, access.CloseAlert, in.ID)
	if err != nil {
		return nil, err
	}
	alert, err := s.Desk.Resolve(ctx, in.ID, alarm.Actor{Name: actor.Name, Role: actor.Role}, in.Body.Outcome, in.Body.Note, in.Key, time.Now())
	if err != nil {
		return nil, s.refusedChange(alert, err)
	}
	return s.oneAlert(ctx, actor, alert)
}

// refusedChange says who was first when an alert is closed already.
func (s *server) refusedChange(alert care.Alert, err error) error {
	p := s.failed("change alert", err)
	if errors.Is(err, care.ErrAlreadyResolved) {
		p.Detail = "Resolved at " + alert.ResolvedAt.UTC().Format(time.RFC3339)
		if alert.ResolvedBy != "" {
			p.Detail += " by " + alert.ResolvedBy
		}
	}
	return p
}

// LimitQuery bounds a list.
type LimitQuery struct {
	Limit int `query:"limit" minimum:"1" maximum:"10000" default:"200"`
}

type refusedView struct {
	Received time.Time `json:"received"`
	Gateway  string    `json:"gateway"`
	Topic    string    `json:"topic"`
	Seq      uint64    `json:"seq,omitempty" doc:"The record in its lane; 0 when the whole message was not understood."`
	ID       string    `json:"id" doc:"LYK error id."`
	Error    string    `json:"error"`
	Payload  []byte    `json:"payload" doc:"The first 4 KiB, base64."`
}

type refusedList struct {
	Refused []refusedView `json:"refused" nullable:"false"`
}

func (s *server) listRefused(ctx context.Context, in *LimitQuery) (*body[refusedList], error) {
	if _, err := s.may(ctx, access.ReadOperations, "", ""); err != nil {
		return nil, err
	}
	refused, err := s.Operations.Refused(ctx, in.Limit)
	if err != nil {
		return nil, s.failed("list refused messages", err)
	}
	out := &body[refusedList]{refusedList{[]refusedView{}}}
	for _, r := range refused {
		out.Body.Refused = append(out.Body.Refused, refusedView{
			Received: r.Received.UTC(), Gateway: r.Gateway, Topic: r.Topic, Seq: r.Seq, ID: r.ID, Error: r.Error, Payload: r.Payload,
		})
	}
	return out, nil
}

type auditView struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Role   care.Role `json:"role"`
	Action string    `json:"action"`
	Detail string    `json:"detail,omitempty"`
}

type auditInput struct {
	HomePath
	LimitQuery
}

type auditList struct {
	Entries []auditView `json:"entries" nullable:"false"`
}

func (s *server) listAudit(ctx context.Context, in *auditInput) (*body[auditList], error) {
	actor, err := s.may(ctx, access.ReadLog, "", in.ID)
	if err != nil {
		return nil, err
	}
	s.audit.look(ctx, s.Log, actor, lookAtLog, in.ID)
	entries, err := s.Operations.AuditLog(ctx, in.ID, in.Limit)
	if err != nil {
		return nil, s.failed("list audit entries", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list audit entries", err)
	}
	out := &body[auditList]{auditList{[]auditView{}}}
	for _, e := range entries {
		e = v.entry(e)
		out.Body.Entries = append(out.Body.Entries, auditView{At: e.At.UTC(), Actor: e.Actor, Role: e.Role, Action: e.Action, Detail: e.Detail})
	}
	return out, nil
}
