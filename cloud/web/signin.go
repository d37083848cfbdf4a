package web

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Keeper lets people in.
type Keeper interface {
	Entrance
	Sessions
	Invitations
}

// Entrance checks what somebody comes with, and makes sessions of it.
type Entrance interface {
	Enter(ctx context.Context, secret string, kinds ...care.CredentialKind) (access.Pass, error)
	// Prove notes that who is in a session has just proved who they are; Proved
	// reports whether they have lately.
	Prove(ctx context.Context, who access.Actor) error
	Proved(ctx context.Context, who access.Actor) (bool, error)
	// MayLetIn reports whether they may let staff in.
	MayLetIn(ctx context.Context, who access.Actor) (bool, error)
	// Still returns who somebody is now who was let in some time ago.
	Still(ctx context.Context, who access.Actor) (access.Actor, error)
	// StillNow is Still that remembers nothing from before.
	StillNow(ctx context.Context, who access.Actor) (access.Actor, error)
	ExchangeOn(ctx context.Context, secret, device string) (session string, who access.Actor, err error)
	OpenSession(ctx context.Context, person string, from care.CredentialKind, device string) (session string, who access.Actor, err error)
}

// Sessions lists and ends sessions.
type Sessions interface {
	SessionsOf(ctx context.Context, who access.Actor) ([]access.Session, error)
	End(ctx context.Context, secret string) error
	EndSession(ctx context.Context, who access.Actor, id string) error
	EndOthers(ctx context.Context, who access.Actor) error
	EndAll(ctx context.Context, person string) error
	// ForgetPerson has a change of a person count at once.
	ForgetPerson(person string)
}

// Invitations lets somebody in for the first time, or with a new device.
type Invitations interface {
	Invite(ctx context.Context, person string) (access.Invitation, error)
	Invited(ctx context.Context, secret string) (access.Actor, time.Time, error)
	Accept(ctx context.Context, secret, device string) (session string, who access.Actor, err error)
}

// SignIns keeps how people sign in.
type SignIns interface {
	Passkeys
	Identities
	// SignIns returns how people can sign in, by person.
	SignIns(ctx context.Context) (map[string]care.SignInState, error)
	// DeleteSignIns takes away all by which a person can sign in.
	DeleteSignIns(ctx context.Context, person string) error
	Person(ctx context.Context, id string) (care.Person, error)
	// HomesOf returns the homes of which somebody is a contact.
	HomesOf(ctx context.Context, person string) ([]string, error)
	// MembersOf returns the groups that somebody is in, of homes and of areas.
	MembersOf(ctx context.Context, person string) ([]care.Member, error)
}

// Identities keeps who is who at identity providers.
type Identities interface {
	Identity(ctx context.Context, issuer, subject string) (person string, err error)
	// Subject returns by which subject a person is known at an issuer.
	Subject(ctx context.Context, issuer, person string) (subject string, err error)
	PutIdentity(ctx context.Context, issuer, subject, person string, at time.Time) error
	People(ctx context.Context) ([]care.Person, error)
}

func (s *server) registerSignIn(api huma.API) {
	public := func(id, method, path, summary string, status int, limit *limiter) huma.Operation {
		o := op(id, method, path, summary, "sign-in", status)
		o.Security = []map[string][]string{}
		if limit != nil {
			o.Middlewares = huma.Middlewares{limited(api, limit)}
		}
		return o
	}
	tries, asks := newLimiter(triesPerMinute), newLimiter(asksPerMinute)
	huma.Register(api, public("get-sign-in", http.MethodGet, "/sign-in", "How to sign in here", http.StatusOK, nil), s.getSignIn)
	huma.Register(api, public("ask-passkey", http.MethodPost, "/sign-in/passkey/options", "Begin to sign in with a passkey", http.StatusOK, asks), s.askPasskey)
	huma.Register(api, public("sign-in-passkey", http.MethodPost, "/sign-in/passkey", "Sign in with a passkey", http.StatusNoContent, tries), s.signInPasskey)
	huma.Register(api, public("look-invitation", http.MethodPost, "/invitation/look", "Whom an invitation is for; it stays good", http.StatusOK, tries), s.lookInvitation)
	huma.Register(api, public("accept-invitation", http.MethodPost, "/invitation/accept", "Sign in by an invitation, which works once", http.StatusNoContent, tries), s.acceptInvitation)
	huma.Register(api, public("create-session", http.MethodPost, "/session", "Sign in with a token or a sign-in link", http.StatusNoContent, tries), s.createSession)
	s.registerOIDC(api, public, asks)
	huma.Register(api, op("end-session", http.MethodDelete, "/session", "Sign out", "sign-in", http.StatusNoContent), s.endSession)

	huma.Register(api, op("get-me", http.MethodGet, "/me", "Who is signed in, and what they may do", "me", http.StatusOK), s.me)
	huma.Register(api, op("list-passkeys", http.MethodGet, "/me/passkeys", "My passkeys", "me", http.StatusOK), s.listPasskeys)
	huma.Register(api, op("ask-new-passkey", http.MethodPost, "/me/passkeys/options", "Begin to add a passkey", "me", http.StatusOK), s.askNewPasskey)
	huma.Register(api, op("add-passkey", http.MethodPost, "/me/passkeys", "Add a passkey", "me", http.StatusCreated), s.addPasskey)
	huma.Register(api, op("delete-passkey", http.MethodDelete, "/me/passkeys/{id}", "Remove a passkey", "me", http.StatusNoContent), s.deletePasskey)
	huma.Register(api, op("ask-proof", http.MethodPost, "/me/proof/options", "Begin to prove with a passkey who I am", "me", http.StatusOK), s.askProof)
	huma.Register(api, op("prove", http.MethodPost, "/me/proof", "Prove with a passkey who I am; it counts for 10 minutes", "me", http.StatusNoContent), s.prove)
	huma.Register(api, op("list-sessions", http.MethodGet, "/me/sessions", "Where I am signed in", "me", http.StatusOK), s.listSessions)
	huma.Register(api, op("delete-my-session", http.MethodDelete, "/me/sessions/{id}", "Sign out there", "me", http.StatusNoContent), s.deleteSession)
	huma.Register(api, op("end-other-sessions", http.MethodPost, "/me/sessions/end-others", "Sign out everywhere else", "me", http.StatusNoContent), s.endOthers)

	huma.Register(api, op("invite-person", http.MethodPost, "/people/{id}/invitation", "Make an invitation, in place of any earlier one", "team", http.StatusCreated), s.invite)
	huma.Register(api, op("delete-sign-ins", http.MethodDelete, "/people/{id}/sign-ins", "Sign a person out everywhere and remove their passkeys", "team", http.StatusNoContent), s.deleteSignIns)
}

// Problems of signing in.
var (
	problemTooOften   = signInProblem(http.StatusTooManyRequests, "LYK-0713", "Too many attempts from here; wait a minute and try again")
	problemStolen     = signInProblem(http.StatusUnauthorized, "LYK-0714", "This sign-in was used from somewhere else and has been ended; sign in again")
	problemNoPasskeys = signInProblem(http.StatusConflict, "LYK-0715", "Passkeys need the service's own address, with HTTPS")
	problemCeremony   = signInProblem(http.StatusConflict, "LYK-0716", "This took too long, or was done already; begin again")
	problemPasskey    = signInProblem(http.StatusUnauthorized, "LYK-0717", "The passkey was not accepted")
	problemNewPasskey = signInProblem(http.StatusUnprocessableEntity, "LYK-0717", "The passkey was not accepted")
	problemInvitation = signInProblem(http.StatusNotFound, "LYK-0718", "The invitation is used up, replaced or too old; ask for a new one")
	problemAbove      = signInProblem(http.StatusForbidden, "LYK-0719", "Nobody gives a role or areas beyond their own, or changes their own")
	problemNoRole     = signInProblem(http.StatusConflict, "LYK-0725", "The person has no role, and so cannot sign in")
	problemLate       = signInProblem(http.StatusServiceUnavailable, "LYK-0728", "The request was under way for too long; it is sent again")
	problemProve      = signInProblem(http.StatusForbidden, "LYK-0729", "This needs a proof of who you are that is not older than 10 minutes")
	problemNoProof    = signInProblem(http.StatusConflict, "LYK-0730", "There is no passkey to prove it with; sign in again with a new invitation, or through the identity provider")
	problemNoPerson   = signInProblem(http.StatusConflict, "LYK-0727", "This sign-in belongs to no person; passkeys and sessions do")
)

func signInProblem(status int, id, title string) *Problem {
	return &Problem{Type: "urn:lykta:problem:" + id, Status: status, ID: id, Title: title}
}

type oidcView struct {
	_    struct{} `json:"-" nullable:"true"`
	Name string   `json:"name" doc:"What the identity provider is called."`
}

type signInView struct {
	Passkeys bool      `json:"passkeys" doc:"Passkeys work at the address that was asked."`
	OIDC     *oidcView `json:"oidc" doc:"The identity provider; null for none."`
}

func (s *server) getSignIn(ctx context.Context, _ *struct{}) (*body[signInView], error) {
	_, ok := s.relyingParty(ctx)
	out := signInView{Passkeys: ok}
	if s.provider != nil {
		out.OIDC = &oidcView{Name: s.provider.Name}
	}
	return &body[signInView]{out}, nil
}

// signedIn answers with a new session's cookie.
func (s *server) signedIn(ctx context.Context, session string, who access.Actor, how care.CredentialKind) *cookieOutput {
	s.audit.note(ctx, s.Log, care.AuditEntry{
		At: time.Now(), Actor: who.Name, Role: who.Role, Action: "sign in", Detail: strings.Trim(string(how)+", "+deviceOf(ctx), ", "),
	})
	return &cookieOutput{*sessionCookieOf(session, access.LimitsOf(who.Role).Absolute)}
}

type invitationInput struct {
	Body struct {
		Code   string `json:"code" maxLength:"200"`
		Device string `json:"device,omitempty" maxLength:"100" doc:"What the person calls the device; default what the browser says of itself."`
	}
}

type invitedView struct {
	Name    string    `json:"name"`
	Role    care.Role `json:"role" enum:"caregiver,coordinator,operator,relative"`
	Homes   []string  `json:"homes" nullable:"false" doc:"Whose relative they are."`
	Expires time.Time `json:"expires"`
}

type codeInput struct {
	Body struct {
		Code string `json:"code" maxLength:"200"`
	}
}

func (s *server) lookInvitation(ctx context.Context, in *codeInput) (*body[invitedView], error) {
	who, expires, err := s.Keeper.Invited(ctx, strings.TrimSpace(in.Body.Code))
	switch {
	case notLetIn(err):
		return nil, problemInvitation
	case err != nil:
		return nil, s.failed("look at an invitation", err)
	}
	out := invitedView{Name: who.Name, Role: who.Role, Homes: []string{}, Expires: expires.UTC()}
	for _, home := range who.Homes {
		if status, _, err := s.Homes.Detail(ctx, home); err == nil {
			out.Homes = append(out.Homes, status.Home.Name)
		}
	}
	return &body[invitedView]{out}, nil
}

func (s *server) acceptInvitation(ctx context.Context, in *invitationInput) (*cookieOutput, error) {
	device := strings.TrimSpace(in.Body.Device)
	if device == "" {
		device = deviceOf(ctx)
	}
	session, who, err := s.Keeper.Accept(ctx, strings.TrimSpace(in.Body.Code), device)
	switch {
	case notLetIn(err):
		return nil, problemInvitation
	case errors.Is(err, access.ErrNoRole):
		return nil, problemNoRole
	case err != nil:
		return nil, s.failed("accept an invitation", err)
	}
	return s.signedIn(ctx, session, who, care.Invitation), nil
}

// PersonPath names a person.
type PersonPath struct {
	ID string `path:"id" maxLength:"64"`
}

type invitationView struct {
	Link    string    `json:"link" doc:"Where the person opens it; only the code where the service's address is not known."`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

func (s *server) invite(ctx context.Context, in *PersonPath) (*body[invitationView], error) {
	actor, p, err := s.lookAfter(ctx, in.ID, true)
	switch {
	case err != nil:
		return nil, err
	case actor.Person == in.ID: // a new session would count as a proof
		return nil, problemAbove
	case p.Role.Staff():
		if err := s.mayLetIn(ctx, actor); err != nil {
			return nil, err
		}
	}
	invited, err := s.Keeper.Invite(ctx, in.ID)
	switch {
	case errors.Is(err, access.ErrNoRole):
		return nil, problemNoRole
	case err != nil:
		return nil, s.failed("invite", err)
	}
	// Residents read who was let in to see them.
	homes, err := s.SignIns.HomesOf(ctx, in.ID)
	if err != nil {
		s.Log.Error("the homes of who was invited cannot be read", "id", "LYK-0509", "person", in.ID, "err", err)
	}
	if len(homes) == 0 {
		homes = []string{""}
	}
	for _, home := range homes {
		s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "invite", Home: home, Detail: in.ID})
	}
	out := invitationView{Link: invited.Code, Code: invited.Code, Expires: invited.Expires.UTC()}
	if origin := s.origin(ctx); origin != "" {
		out.Link = invited.Link(origin)
	}
	return &body[invitationView]{out}, nil
}

func (s *server) deleteSignIns(ctx context.Context, in *PersonPath) (*struct{}, error) {
	actor, _, err := s.lookAfter(ctx, in.ID, false)
	if err != nil {
		return nil, err
	}
	// Sessions first: they are what a thief has. And again: one may have begun
	// with a passkey that was still there.
	if err := errors.Join(s.Keeper.EndAll(ctx, in.ID), s.SignIns.DeleteSignIns(ctx, in.ID), s.Keeper.EndAll(ctx, in.ID)); err != nil {
		return nil, s.failed("sign a person out", err)
	}
	s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "remove sign-ins", Detail: in.ID})
	return nil, nil
}

// lookAfter returns who asks and the person, when they may look after how that
// person signs in. Relatives may also be invited by staff who see their homes.
func (s *server) lookAfter(ctx context.Context, person string, inviting bool) (access.Actor, care.Person, error) {
	actor, err := s.may(ctx, access.ManagePeople, "", "")
	manages := err == nil
	if err != nil && (!inviting || !actor.Role.Staff()) {
		return actor, care.Person{}, err
	}
	p, err := s.SignIns.Person(ctx, person)
	switch {
	case err != nil && (manages || !errors.Is(err, fs.ErrNotExist)):
		return actor, p, s.failed("look after a person", err)
	case err != nil || !manages && p.Role != care.Relative:
		return actor, p, problemOf(errNotAllowed)
	}
	if !manages {
		// Who has come in before needs no second way in from who cares for the
		// resident: that one could come in their place.
		keys, err := s.SignIns.Passkeys(ctx, person)
		switch {
		case err != nil:
			return actor, p, s.failed("look after a person", err)
		case len(keys) > 0:
			return actor, p, problemOf(errNotAllowed)
		}
	}
	if !inviting && p.Role.Staff() {
		return actor, p, above(actor, p) // what is only taken away reaches nothing
	}
	return actor, p, s.reaches(ctx, actor, p, manages)
}

// mayLetIn returns a problem when whoever asks may not let staff in now: what is
// given outlasts a cookie that somebody else may have.
func (s *server) mayLetIn(ctx context.Context, actor access.Actor) error {
	switch may, err := s.Keeper.MayLetIn(ctx, actor); {
	case err != nil:
		return s.failed("let somebody in", err)
	case !may:
		return problemProve
	}
	return nil
}

// above returns a problem when a person of the staff has more than the actor.
func above(actor access.Actor, p care.Person) error {
	if p.Role.Staff() && (!access.MayGive(actor.Role, p.Role) || !access.MayGiveAreas(actor, p.Areas)) {
		return problemAbove
	}
	return nil
}

// reaches returns nil when somebody may change a person or let them in: who
// does that could come in the person's place, or have what they are told sent
// elsewhere, so it must be somebody who looks after all that the person has: their
// role and areas, and the homes and areas of whose alarms they are told. Having
// been told of an alarm of a home is not that.
func (s *server) reaches(ctx context.Context, actor access.Actor, p care.Person, manages bool) error {
	if err := above(actor, p); err != nil {
		return err
	}
	of, err := s.SignIns.MembersOf(ctx, p.ID)
	if err != nil {
		return s.failed("look after a person", err)
	}
	action, contact := access.ManagePeople, false
	if !manages {
		action = access.WriteCard // who cares for the home
	}
	for _, m := range of {
		contact = contact || m.Group == care.GroupContacts
		switch {
		case m.Group.OfHome():
			if !s.can(ctx, actor, action, "", m.Scope) {
				return problemOf(errNotAllowed)
			}
		case p.Role.Staff(): // whose areas have been looked at
		case m.Scope == "" && len(actor.Areas) > 0, m.Scope != "" && !inAreas(actor, m.Scope):
			return problemOf(errNotAllowed)
		}
	}
	if !contact && !manages {
		return problemOf(errNotAllowed)
	}
	return nil
}

// mayPut fills in the role and the areas of a person who is to be stored, when
// whoever asks may give them; nil is what they have. settle has it count.
func (s *server) mayPut(ctx context.Context, p *care.Person, role *care.Role, areas *[]string) (settle func() error, err error) {
	actor, err := s.may(ctx, access.ManagePeople, "", "")
	if err != nil {
		return nil, err
	}
	before, err := s.SignIns.Person(ctx, p.ID)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.failed("change a person", err)
	}
	if err == nil && actor.Person != p.ID {
		if err := s.reaches(ctx, actor, before, true); err != nil {
			return nil, err
		}
	}
	p.Role, p.Areas = before.Role, before.Areas
	if role != nil {
		p.Role = *role
	}
	if areas != nil {
		p.Areas = slices.Compact(slices.Sorted(slices.Values(*areas)))
	}
	changed := p.Role != before.Role || !slices.Equal(p.Areas, before.Areas)
	switch {
	case !changed:
	case actor.Person == p.ID, !access.MayGive(actor.Role, p.Role), p.Role.Staff() && !access.MayGiveAreas(actor, p.Areas):
		return nil, problemAbove
	case p.Role == care.Relative: // sees the homes of which they are a contact
		if err := s.reaches(ctx, actor, *p, true); err != nil {
			return nil, err
		}
	}
	// Who was of the staff, too: as a relative they could be invited and so be taken over.
	// By an e-mail address the identity provider lets in as that person.
	if (changed || s.provider != nil && newMail(before, *p)) && (before.Role.Staff() || p.Role.Staff()) {
		if err := s.mayLetIn(ctx, actor); err != nil {
			return nil, err
		}
	}
	return func() error {
		s.Keeper.ForgetPerson(p.ID)
		if !changed {
			return nil
		}
		s.audit.note(ctx, s.Log, care.AuditEntry{
			At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "change role",
			Detail: strings.Join(append([]string{p.ID, string(p.Role)}, p.Areas...), " "),
		})
		if p.Role == "" {
			if err := s.Keeper.EndAll(ctx, p.ID); err != nil {
				return s.failed("sign a person out", err)
			}
		}
		return nil
	}, nil
}

// newMail reports whether a person has an e-mail address that they did not have before.
func newMail(before, after care.Person) bool {
	return slices.ContainsFunc(after.Addresses, func(a care.Address) bool {
		return a.Channel == care.ChannelEmail && !slices.Contains(before.Addresses, a)
	})
}

type meView struct {
	Name     string          `json:"name"`
	Role     care.Role       `json:"role" enum:"caregiver,coordinator,operator,relative"`
	Person   string          `json:"person" doc:"Who they are among those who are told of alerts; empty for nobody."`
	Language string          `json:"language" example:"sv"`
	Areas    []string        `json:"areas" nullable:"false" doc:"Those whose homes they see; empty is every area."`
	Passkeys int             `json:"passkeys" doc:"How many they have."`
	May      []access.Action `json:"may" nullable:"false" doc:"What their role may do."`
	Features []care.Feature  `json:"features" nullable:"false" enum:"video" doc:"What the service can do; the apps offer nothing else."`
}

func (s *server) me(ctx context.Context, _ *struct{}) (*body[meView], error) {
	actor, _ := actorOf(ctx)
	out := meView{
		Name: actor.Name, Role: actor.Role, Person: actor.Person, Language: "sv", Areas: append([]string{}, actor.Areas...),
		May: append([]access.Action{}, access.Actions(actor.Role)...), Features: append([]care.Feature{}, s.Features...),
	}
	if actor.Person == "" {
		return &body[meView]{out}, nil
	}
	p, err := s.SignIns.Person(ctx, actor.Person)
	if errors.Is(err, fs.ErrNotExist) {
		return &body[meView]{out}, nil
	}
	if err != nil {
		return nil, s.failed("find out who is signed in", err)
	}
	if p.Language != "" {
		out.Language = p.Language
	}
	keys, err := s.SignIns.Passkeys(ctx, actor.Person)
	if err != nil {
		return nil, s.failed("find out who is signed in", err)
	}
	out.Passkeys = len(keys)
	return &body[meView]{out}, nil
}

type sessionView struct {
	ID      string    `json:"id"`
	Device  string    `json:"device" example:"Chrome, Android"`
	Started time.Time `json:"started"`
	Used    time.Time `json:"used" doc:"To the minute."`
	Expires time.Time `json:"expires" doc:"If it is not used any more."`
	This    bool      `json:"this" doc:"The one that asks."`
}

type sessionsView struct {
	Sessions []sessionView `json:"sessions" nullable:"false" doc:"The one that was used last comes first."`
}

func (s *server) listSessions(ctx context.Context, _ *struct{}) (*body[sessionsView], error) {
	actor, _ := actorOf(ctx)
	found, err := s.Keeper.SessionsOf(ctx, actor)
	if err != nil {
		return nil, s.failed("list sessions", err)
	}
	out := sessionsView{Sessions: []sessionView{}}
	for _, one := range found {
		out.Sessions = append(out.Sessions, sessionView{
			ID: one.ID, Device: one.Device, Started: one.Started.UTC(), Used: one.Used.UTC(), Expires: one.Expires.UTC(), This: one.This,
		})
	}
	return &body[sessionsView]{out}, nil
}

func (s *server) deleteSession(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	actor, _ := actorOf(ctx)
	err := s.Keeper.EndSession(ctx, actor, in.ID)
	if errors.Is(err, access.ErrUnknown) {
		return nil, problemOf(fs.ErrNotExist)
	}
	if err != nil {
		return nil, s.failed("end a session", err)
	}
	return nil, nil
}

func (s *server) endOthers(ctx context.Context, _ *struct{}) (*struct{}, error) {
	actor, _ := actorOf(ctx)
	if err := s.Keeper.EndOthers(ctx, actor); err != nil {
		return nil, s.failed("end sessions", err)
	}
	return nil, nil
}
