package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Calm keeps silences, and knows what alerts asked of the staff.
type Calm interface {
	Silences(ctx context.Context, home string, now time.Time) ([]care.Silence, error)
	Silence(ctx context.Context, id string) (care.Silence, error)
	AddSilence(ctx context.Context, q care.Silence, entry care.AuditEntry) error
	EndSilence(ctx context.Context, id string, now time.Time, entry care.AuditEntry) error
	Raised(ctx context.Context, area string, from, to time.Time) ([]care.Alert, []care.Told, error)
}

func (s *server) registerCalm(api huma.API) {
	huma.Register(api, op("list-silences", http.MethodGet, "/silences", "What is not told of for a while", "calm", http.StatusOK), s.listSilences)
	huma.Register(api, op("add-silence", http.MethodPost, "/homes/{id}/silences", "Have what is expected in a home not told of for a while; never an SOS, a fall, smoke or carbon monoxide", "calm", http.StatusCreated), s.addSilence)
	huma.Register(api, op("end-silence", http.MethodPost, "/silences/{id}/end", "Tell of it again", "calm", http.StatusNoContent), s.endSilence)
	huma.Register(api, op("get-load", http.MethodGet, "/load", "What alerts asked of the staff in a while", "calm", http.StatusOK), s.load)
}

type silenceView struct {
	ID       string           `json:"id"`
	Home     string           `json:"home"`
	HomeName string           `json:"home_name"`
	Device   string           `json:"device" doc:"Empty is all."`
	Kinds    []care.AlertKind `json:"kinds" nullable:"false" doc:"Empty is all that may be silenced."`
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Author   string           `json:"author"`
	Reason   string           `json:"reason" doc:"Empty for who may not read of health."`
}

// silence leaves out why, which may tell of somebody's health, for who may not
// read that.
func (v *sight) silence(q care.Silence) silenceView {
	if !v.can(access.Read, care.FieldHealth, q.Home) {
		q.Reason = ""
	}
	return silenceView{
		ID: q.ID, Home: q.Home, HomeName: v.s.Live.name(q.Home), Device: q.Device, Kinds: append([]care.AlertKind{}, q.Kinds...),
		From: q.From.UTC(), To: q.To.UTC(), Author: q.Author, Reason: q.Reason,
	}
}

type silencesView struct {
	Silences []silenceView `json:"silences" nullable:"false"`
}

func (s *server) listSilences(ctx context.Context, in *struct {
	Home string `query:"home" maxLength:"64"`
}) (*body[silencesView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldAlerts, in.Home)
	if err != nil {
		return nil, err
	}
	silences, err := s.Calm.Silences(ctx, in.Home, time.Now())
	if err != nil {
		return nil, s.failed("list silences", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list silences", err)
	}
	out := silencesView{Silences: []silenceView{}}
	for _, q := range silences {
		if v.can(access.Read, care.FieldAlerts, q.Home) {
			out.Silences = append(out.Silences, v.silence(q))
		}
	}
	return &body[silencesView]{out}, nil
}

// silenceMade is in the log for a silence, with its end and its reason.
const silenceMade = "silence"

type silenceInput struct {
	HomePath
	Body struct {
		Device string           `json:"device,omitempty" maxLength:"128"`
		Kinds  []care.AlertKind `json:"kinds,omitempty" maxItems:"20"`
		From   *time.Time       `json:"from,omitempty" doc:"Default now."`
		To     time.Time        `json:"to" doc:"Within 60 days."`
		Reason string           `json:"reason" minLength:"1" maxLength:"500"`
	}
}

func (s *server) addSilence(ctx context.Context, in *silenceInput) (*body[silenceView], error) {
	actor, err := s.may(ctx, access.Silence, "", in.ID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	q := care.Silence{
		ID: rand.Text(), Home: in.ID, Device: in.Body.Device, Kinds: in.Body.Kinds, From: now, To: in.Body.To, Author: actor.Name, Reason: in.Body.Reason,
	}
	if in.Body.From != nil {
		q.From = *in.Body.From
	}
	entry := care.AuditEntry{At: now, Actor: actor.Name, Role: actor.Role, Action: silenceMade, Home: in.ID, Detail: q.To.UTC().Format(time.RFC3339) + " " + q.Reason}
	if err := s.Calm.AddSilence(ctx, q, entry); err != nil {
		return nil, s.failed("silence", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("silence", err)
	}
	return &body[silenceView]{v.silence(q)}, nil
}

func (s *server) endSilence(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	q, err := s.Calm.Silence(ctx, in.ID)
	if err != nil {
		return nil, s.failed("end silence", err)
	}
	actor, err := s.may(ctx, access.Silence, "", q.Home)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	entry := care.AuditEntry{At: now, Actor: actor.Name, Role: actor.Role, Action: "end silence", Home: q.Home, Detail: in.ID}
	if err := s.Calm.EndSilence(ctx, in.ID, now, entry); err != nil {
		return nil, s.failed("end silence", err)
	}
	s.Nudge()
	return nil, nil
}

type kindLoadView struct {
	Kind     care.AlertKind       `json:"kind"`
	Raised   int                  `json:"raised"`
	Outcomes map[care.Outcome]int `json:"outcomes" nullable:"false" doc:"Of those that are closed."`
	Taken    *float64             `json:"taken" doc:"Seconds, the middle of the times until somebody took one."`
}

type personLoadView struct {
	Person  string `json:"person"`
	Name    string `json:"name"`
	Alerts  int    `json:"alerts" doc:"Different ones."`
	Told    int    `json:"told" doc:"Messages that a provider accepted."`
	ByNight int    `json:"by_night" doc:"Of those, between 22 and 6 in Sweden."`
}

type loadView struct {
	From   time.Time        `json:"from"`
	To     time.Time        `json:"to"`
	Kinds  []kindLoadView   `json:"kinds" nullable:"false"`
	People []personLoadView `json:"people" nullable:"false"`
}

// mostLoad bounds the time that one answer counts.
const mostLoad = 92 * 24 * time.Hour

func (s *server) load(ctx context.Context, in *shiftsInput) (*body[loadView], error) {
	actor, err := s.may(ctx, access.ReadLoad, "", "")
	if err != nil {
		return nil, err
	}
	to, err := parseTime(in.To, time.Now())
	if err != nil {
		return nil, problemOf(err)
	}
	from, err := parseTime(in.From, to.AddDate(0, 0, -7))
	if err == nil && to.Sub(from) > mostLoad {
		err = errTooLong
	}
	if err != nil {
		return nil, problemOf(err)
	}
	areas := []string{in.Area}
	switch {
	case in.Area != "" && !inAreas(actor, in.Area):
		return nil, problemOf(errNotAllowed)
	case in.Area == "" && len(actor.Areas) > 0:
		areas = actor.Areas
	}
	var alerts []care.Alert
	var told []care.Told
	for _, area := range areas {
		some, somebody, err := s.Calm.Raised(ctx, area, from, to)
		if err != nil {
			return nil, s.failed("count alerts", err)
		}
		alerts, told = append(alerts, some...), append(told, somebody...)
	}
	load := care.LoadOf(alerts, told, s.Zone)
	var ids []string
	for _, p := range load.People {
		ids = append(ids, p.Person)
	}
	name, err := s.names(ctx, ids...)
	if err != nil {
		return nil, s.failed("count alerts", err)
	}
	out := loadView{From: from.UTC(), To: to.UTC(), Kinds: []kindLoadView{}, People: []personLoadView{}}
	for _, k := range load.Kinds {
		v := kindLoadView{Kind: k.Kind, Raised: k.Raised, Outcomes: k.Outcomes}
		if k.Taken > 0 {
			seconds := k.Taken.Seconds()
			v.Taken = &seconds
		}
		out.Kinds = append(out.Kinds, v)
	}
	for _, p := range load.People {
		out.People = append(out.People, personLoadView{Person: p.Person, Name: name(p.Person), Alerts: p.Alerts, Told: p.Told, ByNight: p.ByNight})
	}
	return &body[loadView]{out}, nil
}
