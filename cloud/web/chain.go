package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
)

// Chain is what was done to tell of an alert, and is going to be.
type Chain interface {
	Tellings(ctx context.Context, alert string) ([]care.Told, error)
	// Escalation returns where the telling stands and by which policy it goes.
	Escalation(ctx context.Context, alert string) (care.Escalation, care.Policy, error)
	// Deeds returns what people did to an alert, oldest first.
	Deeds(ctx context.Context, alert string) ([]care.AuditEntry, error)
}

func (s *server) registerChain(api huma.API) {
	huma.Register(api, op("take-over-alert", http.MethodPost, "/alerts/{id}/take-over", "I have it now", "alerts", http.StatusOK), s.takeOver)
	huma.Register(api, op("set-out-to-alert", http.MethodPost, "/alerts/{id}/on-the-way", "I am on the way", "alerts", http.StatusOK), s.onTheWay)
	huma.Register(api, op("get-chain", http.MethodGet, "/alerts/{id}/chain", "Who was told of an alert, when, how, and what came of it", "alerts", http.StatusOK), s.chain)
}

func (s *server) takeOver(ctx context.Context, in *AcknowledgeInput) (*body[alertView], error) {
	actor, err := s.mayAct(ctx, access.ActOnAlert, in.ID)
	if err != nil {
		return nil, err
	}
	alert, err := s.Desk.TakeOver(ctx, in.ID, alarm.Actor{Name: actor.Name, Role: actor.Role}, in.Key, time.Now())
	if err != nil {
		return nil, s.refusedChange(alert, err)
	}
	return s.oneAlert(ctx, actor, alert)
}

type onTheWayInput struct {
	AcknowledgeInput
	Body struct {
		Minutes int `json:"minutes,omitempty" minimum:"0" maximum:"240" doc:"Until you are there; 0 is not said."`
	}
}

func (s *server) onTheWay(ctx context.Context, in *onTheWayInput) (*body[alertView], error) {
	actor, err := s.mayAct(ctx, access.ActOnAlert, in.ID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var expected time.Time
	if in.Body.Minutes > 0 {
		expected = now.Add(time.Duration(in.Body.Minutes) * time.Minute)
	}
	alert, err := s.Desk.OnTheWay(ctx, in.ID, alarm.Actor{Name: actor.Name, Role: actor.Role}, expected, in.Key, now)
	if err != nil {
		return nil, s.refusedChange(alert, err)
	}
	return s.oneAlert(ctx, actor, alert)
}

type toldView struct {
	About   care.About        `json:"about" enum:"alarm,taken,closed,answer"`
	Round   int               `json:"round" doc:"From 0."`
	Step    int               `json:"step" doc:"From 0."`
	Person  string            `json:"person"`
	Name    string            `json:"name"`
	Group   care.Group        `json:"group" enum:"on_duty,all_staff,contacts,responders,last_resort,tester"`
	Channel care.Channel      `json:"channel" enum:"push,sms,voice,email,webhook"`
	State   care.TellingState `json:"state" enum:"waiting,accepted,delivered,failed,dropped"`
	Reason  string            `json:"reason,omitempty" doc:"Why it failed or waits."`
	Tries   int               `json:"tries"`
	Decided time.Time         `json:"decided"`
	Changed time.Time         `json:"changed" doc:"When the state was reached."`
}

type deedView struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Role   care.Role `json:"role"`
	Action string    `json:"action" example:"acknowledge"`
}

type chainView struct {
	Alert alertView  `json:"alert"`
	Told  []toldView `json:"told" nullable:"false"`
	Deeds []deedView `json:"deeds" nullable:"false"`
	// Next is when others are told.
	Next       *time.Time   `json:"next" doc:"When it is looked at again; null when nothing is left to do."`
	NextGroups []care.Group `json:"next_groups" nullable:"false" doc:"Who is told then, while nobody has it."`
}

func (s *server) chain(ctx context.Context, in *AlertPath) (*body[chainView], error) {
	alert, err := s.Alerts.Alert(ctx, in.ID)
	if err != nil {
		return nil, s.failed("get chain", err)
	}
	actor, err := s.may(ctx, access.Read, care.FieldAlerts, alert.Home)
	if err != nil {
		return nil, err
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldAlerts), alert.Home)
	seen, err := s.oneAlert(ctx, actor, alert)
	if err != nil {
		return nil, err
	}
	told, err := s.Chain.Tellings(ctx, in.ID)
	if err != nil {
		return nil, s.failed("get chain", err)
	}
	escalation, policy, err := s.Chain.Escalation(ctx, in.ID)
	if err != nil {
		return nil, s.failed("get chain", err)
	}
	deeds, err := s.Chain.Deeds(ctx, in.ID)
	if err != nil {
		return nil, s.failed("get chain", err)
	}
	var ids []string
	for _, t := range told {
		ids = append(ids, t.Person)
	}
	name, err := s.names(ctx, ids...)
	if err != nil {
		return nil, s.failed("get chain", err)
	}
	out := chainView{Alert: seen.Body, Told: []toldView{}, Deeds: []deedView{}, Next: known(escalation.Due), NextGroups: []care.Group{}}
	for _, t := range told {
		out.Told = append(out.Told, toldView{
			About: t.About, Round: t.Round, Step: t.Step, Person: t.Person, Name: name(t.Person), Group: t.Group, Channel: t.Address.Channel,
			State: t.State, Reason: t.Reason, Tries: t.Tries, Decided: t.Decided.UTC(), Changed: t.Changed.UTC(),
		})
	}
	if !actor.Role.Staff() {
		for i := range out.Told {
			out.Told[i].Reason = "" // may name an address
		}
	}
	for _, d := range deeds {
		out.Deeds = append(out.Deeds, deedView{At: d.At.UTC(), Actor: d.Actor, Role: d.Role, Action: d.Action})
	}
	if alert.State != care.Resolved && !escalation.Due.IsZero() && escalation.Step < len(policy.Steps) {
		out.NextGroups = policy.Steps[escalation.Step].Groups
	}
	return &body[chainView]{out}, nil
}
