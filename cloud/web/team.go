package web

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Team keeps who is told of alerts.
type Team interface {
	People(ctx context.Context) ([]care.Person, error)
	// Names returns what people are called, by id; who is not known is not in it.
	Names(ctx context.Context, ids []string) (map[string]string, error)
	PutPerson(ctx context.Context, p care.Person) error
	AllMembers(ctx context.Context) ([]care.Member, error)
	// HasLastResort reports whether somebody can be told when nobody else answers.
	HasLastResort(ctx context.Context) (bool, error)
	PutMember(ctx context.Context, m care.Member) error
	DeleteMember(ctx context.Context, m care.Member) error
}

// Rota keeps who is on duty when, and what follows when nobody takes an alert.
type Rota interface {
	Shifts(ctx context.Context, area string, from, to time.Time) ([]care.Shift, error)
	Shift(ctx context.Context, id string) (care.Shift, error)
	PutShift(ctx context.Context, h care.Shift) error
	DeleteShift(ctx context.Context, id string) error
	HandOver(ctx context.Context, id, person string, at time.Time, next string) error
	Policy(ctx context.Context, area string, severity care.Severity) (care.Policy, error)
	PutPolicy(ctx context.Context, p care.Policy) error
}

func (s *server) registerTeam(api huma.API) {
	huma.Register(api, op("list-people", http.MethodGet, "/people", "Who can be told of alerts", "team", http.StatusOK), s.listPeople)
	huma.Register(api, op("put-person", http.MethodPut, "/people/{id}", "Add or change a person", "team", http.StatusNoContent), s.putPerson)
	huma.Register(api, op("put-member", http.MethodPut, "/groups/{group}/members/{person}", "Put a person into a group", "team", http.StatusNoContent), s.putMember)
	huma.Register(api, op("delete-member", http.MethodDelete, "/groups/{group}/members/{person}", "Take a person out of a group", "team", http.StatusNoContent), s.deleteMember)
	huma.Register(api, op("list-shifts", http.MethodGet, "/shifts", "Who is on duty when", "team", http.StatusOK), s.listShifts)
	huma.Register(api, op("put-shift", http.MethodPut, "/shifts/{id}", "Add or change a shift", "team", http.StatusNoContent), s.putShift)
	huma.Register(api, op("delete-shift", http.MethodDelete, "/shifts/{id}", "Remove a shift", "team", http.StatusNoContent), s.deleteShift)
	huma.Register(api, op("hand-over-shift", http.MethodPost, "/shifts/{id}/hand-over", "Somebody else goes on with a shift", "team", http.StatusNoContent), s.handOver)
	huma.Register(api, op("list-policies", http.MethodGet, "/policies", "Who is told in which order", "team", http.StatusOK), s.listPolicies)
	huma.Register(api, op("put-policy", http.MethodPut, "/policies/{severity}", "Change who is told in which order", "team", http.StatusNoContent), s.putPolicy)
}

// names are those of some people, by id; who is not known is called by the id.
func (s *server) names(ctx context.Context, ids ...string) (func(person string) string, error) {
	of, err := s.Team.Names(ctx, ids)
	return func(person string) string { return cmp.Or(of[person], person) }, err
}

type addressView struct {
	Channel care.Channel `json:"channel" enum:"push,sms,voice,email,webhook"`
	To      string       `json:"to" maxLength:"4096" doc:"An E.164 number, an e-mail address, a URL; of push the person's id."`
}

type memberView struct {
	Group  care.Group       `json:"group" enum:"all_staff,contacts,responders,last_resort"`
	Scope  string           `json:"scope" doc:"An area, empty for every area; of contacts and responders a home."`
	Person string           `json:"person"`
	Alerts []care.AlertKind `json:"alerts" nullable:"false" doc:"The kinds of alert that they are told of; empty is all."`
}

type personView struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Language  string        `json:"language" example:"sv"`
	Away      bool          `json:"away" doc:"Is told of nothing for now."`
	Channels  []string      `json:"channels" nullable:"false" doc:"How they can be reached, in the order in which it is tried."`
	Addresses []addressView `json:"addresses,omitempty" required:"false" doc:"Only for who may manage people."`
	Groups    []memberView  `json:"groups" nullable:"false"`
	Role      care.Role     `json:"role" enum:",caregiver,coordinator,operator,relative" doc:"What they may do; empty for who cannot sign in."`
	Areas     []string      `json:"areas" nullable:"false" doc:"Those whose homes they see; empty is every area."`
	Passkeys  int           `json:"passkeys" doc:"How many they have."`
	Invited   *time.Time    `json:"invited" nullable:"true" doc:"When the invitation was made that they have not used yet; null for none."`
}

type peopleView struct {
	People     []personView `json:"people" nullable:"false"`
	LastResort bool         `json:"last_resort" doc:"Somebody is there to be told when nobody else answers, whatever the area."`
}

func (s *server) listPeople(ctx context.Context, _ *struct{}) (*body[peopleView], error) {
	actor, err := s.may(ctx, access.ReadRota, "", "")
	if err != nil {
		return nil, err
	}
	people, err := s.Team.People(ctx)
	if err != nil {
		return nil, s.failed("list people", err)
	}
	members, err := s.Team.AllMembers(ctx)
	if err != nil {
		return nil, s.failed("list groups", err)
	}
	lastResort, err := s.Team.HasLastResort(ctx)
	if err != nil {
		return nil, s.failed("list groups", err)
	}
	signIns, err := s.SignIns.SignIns(ctx)
	if err != nil {
		return nil, s.failed("list sign-ins", err)
	}
	out := peopleView{People: []personView{}, LastResort: lastResort}
	manages := s.can(ctx, actor, access.ManagePeople, "", "")
	sight, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list people", err)
	}
	for _, p := range people {
		v := personView{
			ID: p.ID, Name: p.Name, Language: p.Language, Away: p.Away, Channels: []string{}, Groups: []memberView{},
			Role: p.Role, Areas: append([]string{}, p.Areas...), Passkeys: signIns[p.ID].Passkeys, Invited: signIns[p.ID].Open(time.Now()),
		}
		for _, a := range p.Addresses {
			v.Channels = append(v.Channels, string(a.Channel))
			if manages {
				v.Addresses = append(v.Addresses, addressView(a))
			}
		}
		unseen := false
		for _, m := range members {
			switch {
			case m.Person != p.ID:
			case m.Group.OfHome() && !sight.can(access.Read, care.FieldHome, m.Scope):
				unseen = true
			default:
				v.Groups = append(v.Groups, memberView{Group: m.Group, Scope: m.Scope, Person: m.Person, Alerts: append([]care.AlertKind{}, m.Alerts...)})
			}
		}
		if unseen && len(v.Groups) == 0 && !p.Role.Staff() {
			continue // a relative or a neighbour of somebody whom the actor does not know
		}
		out.People = append(out.People, v)
	}
	return &body[peopleView]{out}, nil
}

// manage returns what notes a change of who is told, once it is made, for who
// may make it.
//
// What is of an area is for those who have it; "" is every area.
func (s *server) manage(ctx context.Context, action, home string, areas []string, detail string) (done func(), err error) {
	actor, err := s.may(ctx, access.ManagePeople, "", home)
	for _, area := range areas {
		if err == nil && !inAreas(actor, area) {
			err = problemOf(errNotAllowed)
		}
	}
	return func() {
		s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: action, Home: home, Detail: detail})
	}, err
}

type personInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name      string        `json:"name" minLength:"1" maxLength:"200"`
		Language  string        `json:"language,omitempty" default:"sv" maxLength:"35"`
		Away      bool          `json:"away,omitempty"`
		Addresses []addressView `json:"addresses" maxItems:"16" nullable:"false" doc:"In the order in which they are tried."`
		Role      *care.Role    `json:"role,omitempty" enum:",caregiver,coordinator,operator,relative" doc:"What they may do; empty for who cannot sign in. Without it it stays."`
		Areas     *[]string     `json:"areas,omitempty" maxItems:"100" doc:"Those whose homes they see; empty is every area. Without it they stay."`
	}
}

func (s *server) putPerson(ctx context.Context, in *personInput) (*struct{}, error) {
	p := care.Person{ID: in.ID, Name: in.Body.Name, Language: in.Body.Language, Away: in.Body.Away}
	for _, a := range in.Body.Addresses {
		if a.Channel == care.ChannelPush {
			a.To = in.ID
		}
		p.Addresses = append(p.Addresses, care.Address(a))
	}
	settle, err := s.mayPut(ctx, &p, in.Body.Role, in.Body.Areas)
	if err != nil {
		return nil, err
	}
	done, err := s.manage(ctx, "change person", "", nil, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Team.PutPerson(ctx, p); err != nil {
		return nil, s.failed("store person", err)
	}
	done()
	return nil, settle()
}

// MemberPath names somebody in a group; exported because huma reads embedded
// fields of exported types only.
type MemberPath struct {
	Group  care.Group `path:"group" enum:"all_staff,contacts,responders,last_resort"`
	Person string     `path:"person" maxLength:"64"`
	Scope  string     `query:"scope" maxLength:"64" doc:"An area, empty for every area; of contacts and responders a home."`
}

func (m MemberPath) home() string {
	if m.Group.OfHome() {
		return m.Scope
	}
	return ""
}

// areas are those of a group that is of one, or of all.
func (m MemberPath) areas() []string {
	if m.Group.OfHome() {
		return nil
	}
	return []string{m.Scope}
}

type memberInput struct {
	MemberPath
	Body struct {
		Alerts []care.AlertKind `json:"alerts" nullable:"false" maxItems:"20" doc:"The kinds of alert that they are told of; empty is all."`
	}
}

func (s *server) putMember(ctx context.Context, in *memberInput) (*struct{}, error) {
	done, err := s.manage(ctx, "add to "+string(in.Group), in.home(), in.areas(), in.Person)
	if err == nil && in.Group == care.GroupContacts {
		// Who is a contact sees what all relatives may: that is not given by
		// those who run the machines.
		_, err = s.may(ctx, access.NoteConsent, "", in.home())
	}
	if err != nil {
		return nil, err
	}
	if in.home() != "" {
		if _, _, err := s.Homes.Detail(ctx, in.home()); err != nil {
			return nil, s.failed("change group", err)
		}
	}
	if err := s.Team.PutMember(ctx, care.Member{Group: in.Group, Scope: in.Scope, Person: in.Person, Alerts: in.Body.Alerts}); err != nil {
		return nil, s.failed("change group", err)
	}
	s.Keeper.ForgetPerson(in.Person) // contacts see other homes from now on
	done()
	return nil, nil
}

func (s *server) deleteMember(ctx context.Context, in *MemberPath) (*struct{}, error) {
	done, err := s.manage(ctx, "remove from "+string(in.Group), in.home(), in.areas(), in.Person)
	if err != nil {
		return nil, err
	}
	if err := s.Team.DeleteMember(ctx, care.Member{Group: in.Group, Scope: in.Scope, Person: in.Person}); err != nil {
		return nil, s.failed("change group", err)
	}
	s.Keeper.ForgetPerson(in.Person) // contacts see other homes from now on
	done()
	return nil, nil
}

type shiftView struct {
	ID       string    `json:"id"`
	Area     string    `json:"area"`
	Person   string    `json:"person"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Override bool      `json:"override" doc:"Counts in place of all others of the area that it overlaps."`
}

type shiftsInput struct {
	Area string `query:"area" maxLength:"64"`
	From string `query:"from" doc:"RFC 3339 time or date; default now."`
	To   string `query:"to" doc:"RFC 3339 time or date; default a week after from."`
}

type shiftsView struct {
	Shifts []shiftView `json:"shifts" nullable:"false"`
	OnDuty []string    `json:"on_duty" nullable:"false" doc:"Who is on duty in the area now."`
}

func (s *server) listShifts(ctx context.Context, in *shiftsInput) (*body[shiftsView], error) {
	if _, err := s.may(ctx, access.ReadRota, "", ""); err != nil {
		return nil, err
	}
	now := time.Now()
	from, err := parseTime(in.From, now)
	if err != nil {
		return nil, problemOf(err)
	}
	to, err := parseTime(in.To, from.AddDate(0, 0, 7))
	if err != nil {
		return nil, problemOf(err)
	}
	shifts, err := s.Rota.Shifts(ctx, in.Area, from, to)
	if err != nil {
		return nil, s.failed("list shifts", err)
	}
	present, err := s.Rota.Shifts(ctx, in.Area, now, now.Add(time.Microsecond))
	if err != nil {
		return nil, s.failed("list shifts", err)
	}
	out := shiftsView{Shifts: []shiftView{}, OnDuty: append([]string{}, care.OnDuty(present, in.Area, now)...)}
	for _, h := range shifts {
		out.Shifts = append(out.Shifts, shiftView{ID: h.ID, Area: h.Area, Person: h.Person, From: h.From.UTC(), To: h.To.UTC(), Override: h.Override})
	}
	return &body[shiftsView]{out}, nil
}

// ShiftPath names a shift.
type ShiftPath struct {
	ID string `path:"id" maxLength:"64"`
}

type shiftInput struct {
	ShiftPath
	Body struct {
		Area     string    `json:"area" maxLength:"64"`
		Person   string    `json:"person" maxLength:"64"`
		From     time.Time `json:"from"`
		To       time.Time `json:"to"`
		Override bool      `json:"override,omitempty"`
	}
}

func (s *server) putShift(ctx context.Context, in *shiftInput) (*struct{}, error) {
	areas := []string{in.Body.Area}
	if before, err := s.Rota.Shift(ctx, in.ID); err == nil {
		areas = append(areas, before.Area)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, s.failed("store shift", err)
	}
	done, err := s.manage(ctx, "change shift", "", areas, in.Body.Person+" "+in.Body.From.UTC().Format(time.RFC3339)+" "+in.Body.To.UTC().Format(time.RFC3339))
	if err != nil {
		return nil, err
	}
	if err := s.Rota.PutShift(ctx, care.Shift{
		ID: in.ID, Area: in.Body.Area, Person: in.Body.Person, From: in.Body.From, To: in.Body.To, Override: in.Body.Override,
	}); err != nil {
		return nil, s.failed("store shift", err)
	}
	done()
	return nil, nil
}

func (s *server) deleteShift(ctx context.Context, in *ShiftPath) (*struct{}, error) {
	if _, err := s.may(ctx, access.ManagePeople, "", ""); err != nil {
		return nil, err
	}
	shift, err := s.Rota.Shift(ctx, in.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // as it is to be
	} else if err != nil {
		return nil, s.failed("remove shift", err)
	}
	done, err := s.manage(ctx, "remove shift", "", []string{shift.Area}, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Rota.DeleteShift(ctx, in.ID); err != nil {
		return nil, s.failed("remove shift", err)
	}
	done()
	return nil, nil
}

type handOverInput struct {
	ShiftPath
	Body struct {
		Person string     `json:"person" maxLength:"64" doc:"Who goes on."`
		At     *time.Time `json:"at,omitempty" doc:"From when; default now."`
		Next   string     `json:"next" minLength:"1" maxLength:"64" doc:"The id of the shift that they get."`
	}
}

// handOver is for who may manage people, and for staff who hand over to
// a colleague what they cannot go on with.
func (s *server) handOver(ctx context.Context, in *handOverInput) (*struct{}, error) {
	actor, err := s.may(ctx, access.ActOnAlert, "", "")
	if err != nil {
		if actor, err = s.may(ctx, access.ManagePeople, "", ""); err != nil {
			return nil, err
		}
	}
	shift, err := s.Rota.Shift(ctx, in.ID)
	if err == nil && !inAreas(actor, shift.Area) && shift.Person != actor.Person {
		err = errNotAllowed
	}
	if err != nil {
		return nil, s.failed("hand over shift", err)
	}
	at := time.Now()
	if in.Body.At != nil {
		at = *in.Body.At
	}
	if err := s.Rota.HandOver(ctx, in.ID, in.Body.Person, at, in.Body.Next); err != nil {
		return nil, s.failed("hand over shift", err)
	}
	s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "hand over shift", Detail: in.ID + " " + in.Body.Person})
	return nil, nil
}

type stepView struct {
	Groups []care.Group `json:"groups" minItems:"1" nullable:"false" enum:"on_duty,all_staff,contacts,responders,last_resort"`
	Wait   int          `json:"wait" minimum:"15" maximum:"86400" doc:"Seconds until the next step."`
}

type policyView struct {
	Severity care.Severity `json:"severity" enum:"emergency,attention,technical"`
	Steps    []stepView    `json:"steps" nullable:"false"`
	Rounds   int           `json:"rounds" doc:"How often the steps are gone through; 0 is until somebody takes the alert."`
	Hold     int           `json:"hold" doc:"Minutes for which a taken alert is left to who took it."`
}

// AreaQuery names an area; empty is what belongs to none.
type AreaQuery struct {
	Area string `query:"area" maxLength:"64"`
}

type policiesView struct {
	Policies []policyView `json:"policies" nullable:"false"`
}

func (s *server) listPolicies(ctx context.Context, in *AreaQuery) (*body[policiesView], error) {
	if _, err := s.may(ctx, access.ReadRota, "", ""); err != nil {
		return nil, err
	}
	out := policiesView{Policies: []policyView{}}
	for _, severity := range []care.Severity{care.Emergency, care.Attention, care.Technical} {
		p, err := s.Rota.Policy(ctx, in.Area, severity)
		if err != nil {
			return nil, s.failed("list policies", err)
		}
		v := policyView{Severity: severity, Rounds: p.Rounds, Hold: int(p.Hold / time.Minute), Steps: []stepView{}}
		for _, step := range p.Steps {
			v.Steps = append(v.Steps, stepView{Groups: step.Groups, Wait: int(step.Wait / time.Second)})
		}
		out.Policies = append(out.Policies, v)
	}
	return &body[policiesView]{out}, nil
}

type policyInput struct {
	AreaQuery
	Severity care.Severity `path:"severity" enum:"emergency,attention,technical"`
	Body     struct {
		Steps  []stepView `json:"steps" minItems:"1" maxItems:"20" nullable:"false"`
		Rounds int        `json:"rounds" minimum:"0" maximum:"1000"`
		Hold   int        `json:"hold" minimum:"5" maximum:"1440" doc:"Minutes."`
	}
}

func (s *server) putPolicy(ctx context.Context, in *policyInput) (*struct{}, error) {
	done, err := s.manage(ctx, "change policy", "", []string{in.Area}, in.Area+" "+string(in.Severity))
	if err != nil {
		return nil, err
	}
	p := care.Policy{Area: in.Area, Severity: in.Severity, Rounds: in.Body.Rounds, Hold: time.Duration(in.Body.Hold) * time.Minute}
	for _, step := range in.Body.Steps {
		p.Steps = append(p.Steps, care.Step{Groups: step.Groups, Wait: time.Duration(step.Wait) * time.Second})
	}
	if err := s.Rota.PutPolicy(ctx, p); err != nil {
		return nil, s.failed("store policy", err)
	}
	done()
	return nil, nil
}

// reported are the errors of what somebody has entered: their texts say what
// is wrong.
func reported(err error) bool {
	for _, known := range []error{
		care.ErrOutcome, care.ErrHome, care.ErrPerson, care.ErrMember, care.ErrPolicy, care.ErrShift, care.ErrSilence, care.ErrTestAlarm,
		care.ErrExpected, care.ErrLastResort, care.ErrConsent, errBadQuery,
		care.ErrResident, care.ErrNote, care.ErrVisit, care.ErrReminder, care.ErrMessage, care.ErrCall,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
