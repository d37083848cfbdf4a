package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Consents keeps what residents have decided, and knows who must see to a home
// now, whatever their area.
type Consents interface {
	// Consents returns the decisions of all homes with ids beyond after, in
	// their order: none comes later with a smaller id.
	Consents(ctx context.Context, after int64, limit int) ([]care.Consent, error)
	// ConsentsOf returns all decisions of one home, oldest first.
	ConsentsOf(ctx context.Context, home string) (care.Consents, error)
	PutConsent(ctx context.Context, c care.Consent, entry care.AuditEntry) (care.Consent, error)
	// DecidedContacts returns the contacts of a home about whom the resident
	// decides: who sign in as relatives, or are told of alarms; by id.
	DecidedContacts(ctx context.Context, home string) ([]care.Person, error)
	// ToldHomes returns the homes with alerts that are not closed of which the
	// person was told.
	ToldHomes(ctx context.Context, person string) ([]string, error)
}

func (s *server) registerConsent(api huma.API) {
	huma.Register(api, op("get-consent", http.MethodGet, "/homes/{id}/consent", "Who may see what of a home, and what the resident has decided", "consent", http.StatusOK), s.getConsent)
	huma.Register(api, op("note-consent", http.MethodPost, "/homes/{id}/consent", "Note a decision of the resident", "consent", http.StatusCreated), s.noteConsent)
}

type grantView struct {
	Party   care.Party      `json:"party" example:"relatives" doc:"staff, relatives, or person: and an id."`
	Name    string          `json:"name" doc:"Of one person; empty else."`
	Field   care.Field      `json:"field" enum:"check_in,alerts,visits,messages,video,auto_answer,activity,health,climate,contacts,notes,home"`
	Allowed bool            `json:"allowed"`
	Fixed   bool            `json:"fixed" doc:"It is not for the resident to decide."`
	At      *time.Time      `json:"at" doc:"When it was decided about this party; null while nobody has, or of one relative while what is decided about all relatives holds."`
	Until   *time.Time      `json:"until"`
	Purpose string          `json:"purpose"`
	By      string          `json:"by" doc:"Who noted it."`
	How     care.ConsentHow `json:"how" enum:"screen,spoken,paper,"`
}

type consentView struct {
	Grants  []grantView `json:"grants" nullable:"false" doc:"What holds now, for every party and field; of a contact who cannot sign in, but is told, alerts alone."`
	History []grantView `json:"history" nullable:"false" doc:"The decisions, newest first, 100 at most."`
}

func viewDecision(c care.Consent, name string) grantView {
	return grantView{
		Party: c.Party, Name: name, Field: c.Field, Allowed: c.Allowed, Fixed: c.Party.Fixed(c.Field),
		At: known(c.At), Until: known(c.Until), Purpose: c.Purpose, By: c.By, How: c.How,
	}
}

// shownDecisions bounds the history in one answer.
const shownDecisions = 100

func (s *server) getConsent(ctx context.Context, in *HomePath) (*body[consentView], error) {
	if _, err := s.may(ctx, access.Read, care.FieldContacts, in.ID); err != nil {
		return nil, err
	}
	decided, err := s.Consents.ConsentsOf(ctx, in.ID)
	if err != nil {
		return nil, s.failed("read decisions", err)
	}
	contacts, err := s.Consents.DecidedContacts(ctx, in.ID)
	if err != nil {
		return nil, s.failed("read decisions", err)
	}
	parties, names := []care.Party{care.PartyStaff, care.PartyRelatives}, map[care.Party]string{}
	fields := map[care.Party][]care.Field{care.PartyStaff: care.Grantable(), care.PartyRelatives: care.Grantable()}
	for _, p := range contacts {
		party := care.PartyPerson(p.ID)
		parties = append(parties, party)
		names[party], fields[party] = p.Name, p.DecidedFields()
	}
	now := time.Now()
	out := consentView{Grants: []grantView{}, History: []grantView{}}
	for _, party := range parties {
		for _, field := range fields[party] {
			v := grantView{Party: party, Name: names[party], Field: field, Allowed: decided.Allow(party, field, now), Fixed: party.Fixed(field)}
			if c, ok := decided.Decision(party, field, now); ok && c.Party == party && !v.Fixed {
				v = viewDecision(c, names[party])
			}
			out.Grants = append(out.Grants, v)
		}
	}
	for _, c := range slices.Backward(decided) {
		if len(out.History) == shownDecisions {
			break
		}
		out.History = append(out.History, viewDecision(c, names[c.Party]))
	}
	return &body[consentView]{out}, nil
}

type consentInput struct {
	HomePath
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same decision with the same key is noted once."`
	Body struct {
		Party   care.Party      `json:"party" maxLength:"80" example:"person:maria" doc:"staff, relatives, or person: and the id of a contact."`
		Field   care.Field      `json:"field" enum:"check_in,alerts,visits,messages,video,auto_answer,activity,health,climate,contacts"`
		Allowed bool            `json:"allowed"`
		Purpose string          `json:"purpose,omitempty" maxLength:"500" doc:"What for, in the resident's language."`
		Until   *time.Time      `json:"until,omitempty" doc:"When it is over, and what held without it holds again; null is never."`
		How     care.ConsentHow `json:"how" enum:"spoken,paper" doc:"How the resident decided."`
	}
}

// noteConsent is for staff; the resident decides on their own screen.
func (s *server) noteConsent(ctx context.Context, in *consentInput) (*body[grantView], error) {
	actor, err := s.may(ctx, access.NoteConsent, "", in.ID)
	if err != nil {
		return nil, err
	}
	name := ""
	if person, one := in.Body.Party.Person(); one {
		contacts, err := s.Consents.DecidedContacts(ctx, in.ID)
		if err != nil {
			return nil, s.failed("note a decision", err)
		}
		i := slices.IndexFunc(contacts, func(p care.Person) bool { return p.ID == person && slices.Contains(p.DecidedFields(), in.Body.Field) })
		if i < 0 {
			return nil, problemOf(fmt.Errorf("%w: %s is no contact of this home, or cannot sign in to see it", care.ErrConsent, person))
		}
		name = contacts[i].Name
	}
	c := care.Consent{
		Home: in.ID, Party: in.Body.Party, Field: in.Body.Field, Allowed: in.Body.Allowed, At: time.Now(), Purpose: in.Body.Purpose,
		By: actor.Name, How: in.Body.How, Key: deedID(actor, "consent", in.ID, in.Key),
	}
	if in.Body.Until != nil {
		c.Until = *in.Body.Until
	}
	if c, err = s.Consents.PutConsent(ctx, c, c.Entry(actor.Role, c.At)); err != nil {
		return nil, s.failed("note a decision", err)
	}
	return &body[grantView]{viewDecision(c, name)}, nil
}
