package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Visits keeps who comes to homes, and when.
type Visits interface {
	Visits(ctx context.Context, f care.VisitFilter) ([]care.Visit, error)
	Visit(ctx context.Context, id string) (care.Visit, error)
	PutVisit(ctx context.Context, v care.Visit, entry care.AuditEntry) (care.Visit, error)
	// VisitWent stores how a visit went, and leaves its plan alone.
	VisitWent(ctx context.Context, w care.VisitWent, entry care.AuditEntry) (care.Visit, error)
	// AskForVisit stores what a relative asks for, once.
	AskForVisit(ctx context.Context, v care.Visit, entry care.AuditEntry) (care.Visit, error)
}

func (s *server) registerVisits(api huma.API) {
	huma.Register(api, op("list-home-visits", http.MethodGet, "/homes/{id}/visits", "Who comes to a home", "visits", http.StatusOK), s.listHomeVisits)
	huma.Register(api, op("list-visits", http.MethodGet, "/visits", "Who goes where", "visits", http.StatusOK), s.listVisits)
	huma.Register(api, op("get-visit", http.MethodGet, "/visits/{visit}", "One visit", "visits", http.StatusOK), s.getVisit)
	huma.Register(api, op("put-visit", http.MethodPut, "/visits/{visit}", "Plan or change a visit, answer a request", "visits", http.StatusOK), s.putVisit)
	huma.Register(api, op("visit-went", http.MethodPost, "/visits/{visit}/went", "Say how a visit went", "visits", http.StatusOK), s.visitWent)
	huma.Register(api, op("ask-for-visit", http.MethodPost, "/family/homes/{home}/visits", "Ask for a visit", "family", http.StatusCreated), s.askForVisit)
}

type visitView struct {
	ID       string          `json:"id"`
	Home     string          `json:"home"`
	HomeName string          `json:"home_name"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Person   string          `json:"person" doc:"Who comes; empty is not decided."`
	Who      string          `json:"who" doc:"Their name."`
	What     string          `json:"what"`
	Video    bool            `json:"video"`
	State    care.VisitState `json:"state" enum:"requested,planned,declined,done,cancelled,missed"`
	Asked    string          `json:"asked" doc:"The relative who asked for it; empty is nobody."`
	AskedBy  string          `json:"asked_by" doc:"Their name."`
	Note     string          `json:"note"`
	Changed  time.Time       `json:"changed"`
	By       string          `json:"by" doc:"Who changed it last; empty is the service itself."`
	Rev      int64           `json:"rev" doc:"The version: it grows with each change. Who changes the plan says which one they saw."`
}

// viewVisits names the people of visits.
func (s *server) viewVisits(ctx context.Context, visits ...care.Visit) ([]visitView, error) {
	out := []visitView{}
	if len(visits) == 0 {
		return out, nil
	}
	var ids []string
	for _, v := range visits {
		ids = append(ids, v.Person, v.Asked)
	}
	name, err := s.names(ctx, ids...)
	for _, v := range visits {
		out = append(out, visitView{
			ID: v.ID, Home: v.Home, HomeName: s.Live.name(v.Home), From: v.From.UTC(), To: v.To.UTC(), Person: v.Person, Who: name(v.Person),
			What: v.What, Video: v.Video, State: v.State, Asked: v.Asked, AskedBy: name(v.Asked), Note: v.Note, Changed: v.Changed.UTC(), By: v.By, Rev: v.Rev,
		})
	}
	return out, err
}

type visitsView struct {
	Visits []visitView `json:"visits" nullable:"false" doc:"By when they begin."`
}

// mostVisits bounds one answer.
const mostVisits = 5000

// BetweenQuery is a time; exported because huma reads embedded fields of
// exported types only.
type BetweenQuery struct {
	From string `query:"from" doc:"RFC 3339 time or date; default the beginning of today."`
	To   string `query:"to" doc:"RFC 3339 time or date, exclusive; default two weeks after from. At most 92 days."`
}

func (q BetweenQuery) between(now time.Time, zone *time.Location, most time.Duration) (from, to time.Time, err error) {
	y, m, d := now.In(zone).Date()
	if from, err = dateOrTime(q.From, zone, time.Date(y, m, d, 0, 0, 0, 0, zone)); err != nil {
		return from, to, err
	}
	if to, err = dateOrTime(q.To, zone, from.AddDate(0, 0, 14)); err != nil {
		return from, to, err
	}
	switch {
	case !from.Before(to):
		err = fmt.Errorf("%w: from is before to", errBadQuery)
	case to.Sub(from) > most+time.Hour: // clocks may change in it
		err = errTooLong
	}
	return from, to, err
}

// dateOrTime is parseTime, but a date is when it begins in the zone.
func dateOrTime(s string, zone *time.Location, otherwise time.Time) (time.Time, error) {
	t, err := parseTime(s, otherwise)
	if err == nil && len(s) == len(time.DateOnly) {
		t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
	}
	return t, err
}

func (s *server) listHomeVisits(ctx context.Context, in *struct {
	HomePath
	BetweenQuery
}) (*body[visitsView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldVisits, in.ID)
	if err != nil {
		return nil, err
	}
	from, to, err := in.between(time.Now(), s.Zone, mostLoad)
	if err != nil {
		return nil, problemOf(err)
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldVisits), in.ID) // also at a home without any
	return s.visits(ctx, actor, care.VisitFilter{Home: in.ID, From: from, To: to, Limit: mostVisits})
}

func (s *server) visits(ctx context.Context, actor access.Actor, f care.VisitFilter) (*body[visitsView], error) {
	visits, err := s.Records.Visits(ctx, f)
	if err != nil {
		return nil, s.failed("list visits", err)
	}
	views, err := s.viewVisits(ctx, visits...)
	if err != nil {
		return nil, s.failed("list visits", err)
	}
	seen := looksAtHomes{}
	for _, v := range visits {
		seen.add(v.Home, care.FieldVisits)
	}
	s.audit.looksAt(ctx, s.Log, actor, seen)
	return &body[visitsView]{visitsView{views}}, nil
}

// areasOf returns the areas of which staff may be told who asked for one, or
// for all with ""; none is every area.
func areasOf(actor access.Actor, asked string) ([]string, error) {
	switch {
	case asked == "":
		return actor.Areas, nil
	case !inAreas(actor, asked):
		return nil, problemOf(errNotAllowed)
	}
	return []string{asked}, nil
}

func (s *server) listVisits(ctx context.Context, in *struct {
	BetweenQuery
	Area   string `query:"area" maxLength:"64" doc:"Empty is all that one may see."`
	Person string `query:"person" maxLength:"64" doc:"Who comes."`
}) (*body[visitsView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldVisits, "")
	if err != nil {
		return nil, err
	}
	areas, err := areasOf(actor, in.Area)
	if err != nil {
		return nil, err
	}
	from, to, err := in.between(time.Now(), s.Zone, mostLoad)
	if err != nil {
		return nil, problemOf(err)
	}
	return s.visits(ctx, actor, care.VisitFilter{Areas: areas, Person: in.Person, From: from, To: to, Limit: mostVisits})
}

// VisitPath names a visit.
type VisitPath struct {
	Visit string `path:"visit" pattern:"^[A-Za-z0-9._-]{1,64}$" doc:"Chosen by who plans it."`
}

// visit returns a visit to a home of which the actor may do something.
func (s *server) visit(ctx context.Context, action access.Action, field care.Field, id string) (access.Actor, care.Visit, error) {
	actor, err := s.may(ctx, action, field, "")
	if err != nil {
		return actor, care.Visit{}, err
	}
	v, err := s.Records.Visit(ctx, id)
	if err != nil {
		return actor, v, s.failed("read a visit", err)
	}
	actor, err = s.may(ctx, action, field, v.Home)
	return actor, v, err
}

func (s *server) getVisit(ctx context.Context, in *VisitPath) (*body[visitView], error) {
	actor, v, err := s.visit(ctx, access.Read, care.FieldVisits, in.Visit)
	if err != nil {
		return nil, err
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldVisits), v.Home)
	return s.oneVisit(ctx, v)
}

func (s *server) visitWent(ctx context.Context, in *struct {
	VisitPath
	KeyHeader
	Body struct {
		State care.VisitState `json:"state" enum:"done,missed"`
		Note  string          `json:"note,omitempty" maxLength:"1000" doc:"How it went; why it was missed."`
	}
}) (*body[visitView], error) {
	actor, v, err := s.visit(ctx, access.PlanVisits, "", in.Visit)
	if err != nil {
		return nil, err
	}
	return s.went(ctx, actor, v.Home, care.VisitWent{Visit: in.Visit, State: in.Body.State, Note: in.Body.Note})
}

func (s *server) went(ctx context.Context, actor access.Actor, home string, w care.VisitWent) (*body[visitView], error) {
	w.Note, w.At, w.By = strings.TrimSpace(w.Note), time.Now(), actor.Name
	v, err := s.Records.VisitWent(ctx, w, entryOf(actor, w.At, "visit "+string(w.State), home, w.Visit))
	if err != nil {
		return nil, s.failed("say how a visit went", err)
	}
	return s.oneVisit(ctx, v)
}

func (s *server) putVisit(ctx context.Context, in *struct {
	VisitPath
	Body struct {
		Home   string          `json:"home" maxLength:"64"`
		From   time.Time       `json:"from"`
		To     time.Time       `json:"to"`
		Person string          `json:"person,omitempty" maxLength:"64"`
		What   string          `json:"what,omitempty" maxLength:"200"`
		Video  bool            `json:"video,omitempty"`
		State  care.VisitState `json:"state" enum:"requested,planned,declined,done,cancelled,missed"`
		Note   string          `json:"note,omitempty" maxLength:"4000"`
		Rev    int64           `json:"rev,omitempty" minimum:"0" doc:"The version that is changed, as it was read; 0 or nothing is a new visit. Another one is there by now: 409, LYK-0532."`
	}
}) (*body[visitView], error) {
	b := in.Body
	if b.Home == "" {
		return nil, problemOf(fmt.Errorf("%w: it is to a home", care.ErrVisit))
	}
	actor, err := s.may(ctx, access.PlanVisits, "", b.Home)
	if err != nil {
		return nil, err
	}
	if err := s.somebody(ctx, b.Person); err != nil {
		return nil, err
	}
	if b.Rev == 0 && (b.State == care.VisitDone || b.State == care.VisitMissed) {
		// A telephone that was away while its app was renewed says so how a
		// visit went, and knows nothing of what has become of the plan.
		before, err := s.Records.Visit(ctx, in.Visit)
		if err == nil && before.Home == b.Home {
			return s.went(ctx, actor, b.Home, care.VisitWent{Visit: in.Visit, State: b.State, Note: b.Note})
		}
	}
	now := time.Now()
	v := care.Visit{
		ID: in.Visit, Home: b.Home, From: b.From, To: b.To, Person: b.Person, What: b.What, Video: b.Video, State: b.State, Note: b.Note,
		Changed: now, By: actor.Name, Rev: b.Rev,
	}
	if v, err = s.Records.PutVisit(ctx, v, entryOf(actor, now, "visit "+string(v.State), v.Home, v.ID)); err != nil {
		return nil, s.failed("plan a visit", err)
	}
	return s.oneVisit(ctx, v)
}

// somebody returns a problem unless the person is known, or nobody.
func (s *server) somebody(ctx context.Context, person string) error {
	if person == "" {
		return nil
	}
	_, err := s.SignIns.Person(ctx, person)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problemOf(fmt.Errorf("%w: there is no person %q", care.ErrVisit, person))
	case err != nil:
		return s.failed("look who comes", err)
	}
	return nil
}

func (s *server) oneVisit(ctx context.Context, v care.Visit) (*body[visitView], error) {
	views, err := s.viewVisits(ctx, v)
	if err != nil {
		return nil, s.failed("name who comes", err)
	}
	return &body[visitView]{views[0]}, nil
}

// askAhead is how far ahead a relative may ask for a visit.
const askAhead = 92 * 24 * time.Hour

func (s *server) askForVisit(ctx context.Context, in *struct {
	Home string `path:"home" maxLength:"64"`
	KeyHeader
	Body struct {
		From  time.Time `json:"from"`
		To    time.Time `json:"to"`
		What  string    `json:"what,omitempty" maxLength:"200"`
		Video bool      `json:"video,omitempty"`
	}
}) (*body[visitView], error) {
	actor, err := s.may(ctx, access.AskForVisits, "", in.Home)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if in.Body.To.Before(now) || in.Body.From.After(now.Add(askAhead)) {
		return nil, problemOf(fmt.Errorf("%w: it lies ahead, within three months", care.ErrVisit))
	}
	v := care.Visit{
		ID: deedID(actor, "visit", in.Home, in.Key), Home: in.Home, From: in.Body.From, To: in.Body.To, Person: actor.Person, What: in.Body.What,
		Video: in.Body.Video, State: care.VisitRequested, Asked: actor.Person, Changed: now, By: actor.Name,
	}
	if v, err = s.Records.AskForVisit(ctx, v, entryOf(actor, now, "visit requested", in.Home, v.ID)); err != nil {
		return nil, s.failed("ask for a visit", err)
	}
	return s.oneVisit(ctx, v)
}
