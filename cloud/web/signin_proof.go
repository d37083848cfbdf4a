package web

import (
	"context"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/lykta/lykta/cloud/care"
)

// A session shows that somebody has its cookie. Before it is given what outlasts
// it, its person proves who they are: with a passkey that verifies its owner.

// askProof begins that. It answers 409 for who has no passkey: they are invited
// once more, or sign in again through the identity provider.
func (s *server) askProof(ctx context.Context, _ *struct{}) (*body[ceremonyView], error) {
	actor, _ := actorOf(ctx)
	if actor.Person == "" {
		return nil, problemNoPerson
	}
	w, err := s.webauthn(ctx)
	if err != nil {
		return nil, err
	}
	who, err := s.holder(ctx, actor)
	switch {
	case err != nil:
		return nil, s.failed("begin to prove who somebody is", err)
	case len(who.credentials) == 0:
		return nil, problemNoProof
	}
	options, data, err := w.BeginDiscoverableLogin(
		webauthn.WithUserVerification(protocol.VerificationRequired),
		webauthn.WithAllowedCredentials(webauthn.Credentials(who.credentials).CredentialDescriptors()),
	)
	if err != nil {
		return nil, s.failed("begin to prove who somebody is", err)
	}
	return s.begun(ceremony{party: w, data: *data, person: actor.Person, proof: true, session: actor.Credential}, options.Response)
}

func (s *server) prove(ctx context.Context, in *passkeyAnswer) (*struct{}, error) {
	actor, _ := actorOf(ctx)
	one, ok := s.ceremonies.take(in.Body.Ceremony)
	if !ok || !one.proof || one.person != actor.Person || one.session != actor.Credential {
		return nil, problemCeremony
	}
	person, verified, err := s.checkPasskey(ctx, one, in.Body.Credential)
	switch {
	case err == problemPasskey, err == nil && (person != actor.Person || !verified):
		return nil, problemNewPasskey // 401 would say that the session is over
	case err != nil:
		return nil, err
	}
	if err := s.Keeper.Prove(ctx, actor); err != nil {
		return nil, s.failed("note who is in a session", err)
	}
	s.audit.note(ctx, s.Log, care.AuditEntry{At: time.Now(), Actor: actor.Name, Role: actor.Role, Action: "prove"})
	return nil, nil
}
