package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Passkeys keeps people's passkeys.
type Passkeys interface {
	Passkey(ctx context.Context, id string) (care.Passkey, error)
	Passkeys(ctx context.Context, person string) ([]care.Passkey, error)
	PutPasskey(ctx context.Context, p care.Passkey) error
	UsePasskey(ctx context.Context, id, credential string, at time.Time) error
	DeletePasskey(ctx context.Context, person, id string) error
	// Setting returns what is kept under a name, and keeps what make returns
	// when nothing is.
	Setting(ctx context.Context, name string, make func() (string, error)) (string, error)
}

// Bounds of ceremonies: what the browser and the service say to each other
// while a passkey is made or used.
const (
	ceremonyLife   = 5 * time.Minute
	mostCeremonies = 20_000
)

// ceremony is one that has begun.
type ceremony struct {
	party  *webauthn.WebAuthn
	data   webauthn.SessionData
	person string // for whom a passkey is made, or who proves who they are; "" for signing in
	proof  bool   // it is to prove who they are
	// session is the credential in which a passkey is made, or the proof is.
	session string
	until   time.Time
}

// ceremonies are those that have begun and are not done. They live in memory:
// after a restart people begin again. It is safe for concurrent use.
type ceremonies struct {
	mu    sync.Mutex
	of    map[string]ceremony
	order []string // by when they began
}

// begin keeps a ceremony and returns the name by which it is gone on with.
func (c *ceremonies) begin(one ceremony) string {
	id := rand.Text()
	now := time.Now()
	one.until = now.Add(ceremonyLife)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]ceremony{}
	}
	for len(c.order) > 0 && (len(c.order) >= mostCeremonies || !now.Before(c.of[c.order[0]].until)) {
		delete(c.of, c.order[0])
		c.order = c.order[1:]
	}
	c.of[id] = one
	c.order = append(c.order, id)
	return id
}

// take returns a ceremony that is not over, once.
func (c *ceremonies) take(id string) (ceremony, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one, ok := c.of[id]
	delete(c.of, id)
	return one, ok && time.Now().Before(one.until)
}

// holder is a person as the webauthn package asks for one.
type holder struct {
	handle      []byte
	name        string
	credentials []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.handle }
func (h holder) WebAuthnName() string                       { return h.name }
func (h holder) WebAuthnDisplayName() string                { return h.name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// handleOf returns by what authenticators know a person: the same for all
// passkeys of one, and nothing that names them.
func (s *server) handleOf(ctx context.Context, person string) ([]byte, error) {
	key, err := s.SignIns.Setting(ctx, "passkey-handles", func() (string, error) { return rand.Text() + rand.Text(), nil })
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(person))
	return mac.Sum(nil), nil
}

func passkeysOf(keys []care.Passkey) ([]webauthn.Credential, error) {
	out := make([]webauthn.Credential, len(keys))
	for i, key := range keys {
		if err := json.Unmarshal([]byte(key.Credential), &out[i]); err != nil {
			return nil, fmt.Errorf("read a stored passkey: %w", err)
		}
	}
	return out, nil
}

func passkeyID(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// webauthn returns what checks the ceremonies at the address that was asked.
func (s *server) webauthn(ctx context.Context) (*webauthn.WebAuthn, error) {
	p, ok := s.relyingParty(ctx)
	if !ok {
		return nil, problemNoPasskeys
	}
	timeout := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyLife, TimeoutUVD: ceremonyLife}
	w, err := webauthn.New(&webauthn.Config{
		RPID: p.host, RPDisplayName: "Lykta", RPOrigins: []string{p.origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationPreferred,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
		// Password managers add outputs that nobody asked for.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		s.Log.Warn("passkeys cannot be used", "id", "LYK-0715", "address", p.origin, "err", err)
		return nil, problemNoPasskeys
	}
	return w, nil
}

type ceremonyView struct {
	Ceremony  string         `json:"ceremony" doc:"Names this ceremony for the answer to it. Good for 5 minutes, once."`
	PublicKey map[string]any `json:"publicKey" doc:"The options, as WebAuthn level 3 writes them in JSON."`
}

func (s *server) begun(one ceremony, options any) (*body[ceremonyView], error) {
	text, err := json.Marshal(options)
	var out ceremonyView
	if err == nil {
		err = json.Unmarshal(text, &out.PublicKey)
	}
	if err != nil {
		return nil, s.failed("begin a passkey ceremony", err)
	}
	out.Ceremony = s.ceremonies.begin(one)
	return &body[ceremonyView]{out}, nil
}

func (s *server) askPasskey(ctx context.Context, _ *struct{}) (*body[ceremonyView], error) {
	w, err := s.webauthn(ctx)
	if err != nil {
		return nil, err
	}
	options, data, err := w.BeginDiscoverableLogin()
	if err != nil {
		return nil, s.failed("begin to sign in with a passkey", err)
	}
	return s.begun(ceremony{party: w, data: *data}, options.Response)
}

type passkeyAnswer struct {
	Body struct {
		Ceremony   string         `json:"ceremony" maxLength:"100"`
		Credential map[string]any `json:"credential" doc:"What the browser answered, as WebAuthn level 3 writes it in JSON."`
	}
}

func (s *server) signInPasskey(ctx context.Context, in *passkeyAnswer) (*cookieOutput, error) {
	one, ok := s.ceremonies.take(in.Body.Ceremony)
	if !ok || one.person != "" || one.proof {
		return nil, problemCeremony
	}
	person, verified, err := s.checkPasskey(ctx, one, in.Body.Credential)
	if err != nil {
		return nil, err
	}
	session, who, err := s.Keeper.OpenSession(ctx, person, care.FromPasskey, deviceOf(ctx))
	if err == nil && verified {
		err = s.Keeper.Prove(ctx, who)
	}
	switch {
	case errors.Is(err, access.ErrNoRole):
		return nil, problemNoRole
	case err != nil:
		return nil, s.failed("sign in with a passkey", err)
	}
	return s.signedIn(ctx, session, who, care.FromPasskey), nil
}

// checkPasskey returns the person whose passkey has answered a ceremony, and
// whether it has verified its owner, rather than that somebody has it.
func (s *server) checkPasskey(ctx context.Context, one ceremony, credential map[string]any) (person string, verified bool, err error) {
	text, err := json.Marshal(credential)
	if err != nil {
		return "", false, problemPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(text)
	if err != nil {
		return "", false, problemPasskey
	}
	key, err := s.SignIns.Passkey(ctx, passkeyID(parsed.RawID))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, problemPasskey
	case err != nil:
		return "", false, s.failed("find a passkey", err)
	}
	known, err := passkeysOf([]care.Passkey{key})
	if err != nil {
		return "", false, s.failed("find a passkey", err)
	}
	handle, err := s.handleOf(ctx, key.Person)
	if err != nil {
		return "", false, s.failed("find a passkey", err)
	}
	_, checked, err := one.party.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) {
		return holder{handle: handle, name: key.Person, credentials: known}, nil
	}, one.data, parsed)
	if err != nil {
		s.refused(key.Person, "a passkey was not accepted", err)
		return "", false, problemPasskey
	}
	if checked.Authenticator.CloneWarning {
		s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: key.Person, Action: "passkey copied", Detail: key.Name})
		return "", false, problemPasskey
	}
	stored, err := json.Marshal(checked)
	if err == nil {
		err = s.SignIns.UsePasskey(ctx, key.ID, string(stored), time.Now())
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, problemPasskey // removed just now
	case err != nil:
		return "", false, s.failed("sign in with a passkey", err)
	}
	return key.Person, parsed.Response.AuthenticatorData.Flags.HasUserVerified(), nil
}

// refused writes to the log why somebody was not let in.
func (s *server) refused(person, what string, err error) {
	reason := err.Error()
	var p *protocol.Error
	if errors.As(err, &p) {
		reason = strings.TrimSpace(p.Details + " " + p.DevInfo)
	}
	s.Log.Warn(what, "id", "LYK-0717", "person", person, "reason", reason)
}

type passkeyView struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Added time.Time  `json:"added"`
	Used  *time.Time `json:"used" nullable:"true" doc:"Null is never."`
}

func viewPasskey(p care.Passkey) passkeyView {
	v := passkeyView{ID: p.ID, Name: p.Name, Added: p.Added.UTC()}
	if !p.Used.IsZero() {
		used := p.Used.UTC()
		v.Used = &used
	}
	return v
}

type passkeysView struct {
	Passkeys []passkeyView `json:"passkeys" nullable:"false" doc:"The oldest first."`
}

func (s *server) listPasskeys(ctx context.Context, _ *struct{}) (*body[passkeysView], error) {
	actor, _ := actorOf(ctx)
	out := passkeysView{Passkeys: []passkeyView{}}
	if actor.Person == "" {
		return &body[passkeysView]{out}, nil
	}
	keys, err := s.SignIns.Passkeys(ctx, actor.Person)
	if err != nil {
		return nil, s.failed("list passkeys", err)
	}
	for _, key := range keys {
		out.Passkeys = append(out.Passkeys, viewPasskey(key))
	}
	return &body[passkeysView]{out}, nil
}

// holder returns somebody with the passkeys that they have.
func (s *server) holder(ctx context.Context, actor access.Actor) (holder, error) {
	keys, err := s.SignIns.Passkeys(ctx, actor.Person)
	if err != nil {
		return holder{}, err
	}
	known, err := passkeysOf(keys)
	if err != nil {
		return holder{}, err
	}
	handle, err := s.handleOf(ctx, actor.Person)
	return holder{handle: handle, name: actor.Name, credentials: known}, err
}

func (s *server) askNewPasskey(ctx context.Context, _ *struct{}) (*body[ceremonyView], error) {
	actor, _ := actorOf(ctx)
	if actor.Person == "" {
		return nil, problemNoPerson
	}
	w, err := s.webauthn(ctx)
	if err != nil {
		return nil, err
	}
	// Whoever has a cookie would have a way in of their own for ever.
	switch proved, err := s.Keeper.Proved(ctx, actor); {
	case err != nil:
		return nil, s.failed("begin to add a passkey", err)
	case !proved:
		return nil, problemProve
	}
	who, err := s.holder(ctx, actor)
	if err != nil {
		return nil, s.failed("begin to add a passkey", err)
	}
	options, data, err := w.BeginRegistration(who, webauthn.WithExclusions(webauthn.Credentials(who.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, s.failed("begin to add a passkey", err)
	}
	return s.begun(ceremony{party: w, data: *data, person: actor.Person, session: actor.Credential}, options.Response)
}

type newPasskey struct {
	Body struct {
		Ceremony   string         `json:"ceremony" maxLength:"100"`
		Name       string         `json:"name" maxLength:"100" doc:"What the person calls what it is on; default what the browser says of itself."`
		Credential map[string]any `json:"credential" doc:"What the browser answered, as WebAuthn level 3 writes it in JSON."`
	}
}

func (s *server) addPasskey(ctx context.Context, in *newPasskey) (*body[passkeyView], error) {
	actor, _ := actorOf(ctx)
	one, ok := s.ceremonies.take(in.Body.Ceremony)
	if !ok || one.person == "" || one.person != actor.Person || one.session != actor.Credential || one.proof {
		return nil, problemCeremony
	}
	who, err := s.holder(ctx, actor)
	if err != nil {
		return nil, s.failed("add a passkey", err)
	}
	text, err := json.Marshal(in.Body.Credential)
	if err != nil {
		return nil, problemPasskey
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(text)
	if err != nil {
		s.refused(actor.Person, "a new passkey was not accepted", err)
		return nil, problemNewPasskey
	}
	made, err := one.party.CreateCredential(who, one.data, parsed)
	if err != nil {
		s.refused(actor.Person, "a new passkey was not accepted", err)
		return nil, problemNewPasskey
	}
	stored, err := json.Marshal(made)
	if err != nil {
		return nil, s.failed("add a passkey", err)
	}
	name := strings.TrimSpace(in.Body.Name)
	if name == "" {
		name = deviceOf(ctx)
	}
	key := care.Passkey{ID: passkeyID(made.ID), Person: actor.Person, Name: name, Credential: string(stored), Added: time.Now()}
	if err := s.SignIns.PutPasskey(ctx, key); err != nil {
		return nil, s.failed("add a passkey", err)
	}
	s.audit.note(ctx, s.Log, care.AuditEntry{At: key.Added, Actor: actor.Name, Role: actor.Role, Action: "add passkey", Detail: name})
	return &body[passkeyView]{viewPasskey(key)}, nil
}

func (s *server) deletePasskey(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"1400"`
}) (*struct{}, error) {
	actor, _ := actorOf(ctx)
	if err := s.SignIns.DeletePasskey(ctx, actor.Person, in.ID); err != nil {
		return nil, s.failed("remove a passkey", err)
	}
	s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "remove passkey"})
	return nil, nil
}
