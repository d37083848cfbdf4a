package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// People is who can sign in.
type People interface {
	Person(ctx context.Context, id string) (care.Person, error)
	// HomesOf returns the homes of which somebody is a contact.
	HomesOf(ctx context.Context, person string) ([]string, error)
	Holders
}

// Holders keeps what belongs to a person.
type Holders interface {
	// CredentialsOf returns a person's credentials, expired or not.
	CredentialsOf(ctx context.Context, person string) ([]care.Credential, error)
	// DeleteCredentialsOf deletes those of a kind, except the one with a hash.
	DeleteCredentialsOf(ctx context.Context, person string, kind care.CredentialKind, except string) error
}

// ErrNoRole is returned for a person who is not there, or may not sign in.
var ErrNoRole = errors.New("LYK-0725: a person signs in who is in the list of people and has a role")

// entrant is a person as they were read not long ago.
type entrant struct {
	who   Actor
	until time.Time
}

// person returns who a person is, without a credential.
func (k *Keeper) person(ctx context.Context, id string) (Actor, error) {
	now := time.Now()
	k.mu.Lock()
	have, ok := k.people[id]
	ending := k.ending
	k.mu.Unlock()
	if ok && now.Before(have.until) {
		return have.who, nil
	}
	p, err := k.store.Person(ctx, id)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !p.Role.SignsIn():
		return Actor{}, ErrNoRole
	case err != nil:
		return Actor{}, fmt.Errorf("find out who %s is: %w", id, err)
	}
	who := Actor{Name: p.Name, Role: p.Role, Person: p.ID, Areas: p.Areas}
	if p.Role == care.Relative {
		who.Areas = nil
		if who.Homes, err = k.store.HomesOf(ctx, id); err != nil {
			return Actor{}, fmt.Errorf("find out whose relative %s is: %w", id, err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ending == ending {
		if len(k.people) >= cacheSize {
			clear(k.people)
		}
		k.people[id] = entrant{who, now.Add(cacheLife)}
	}
	return who, nil
}

// ForgetPerson has a change of a person count at once, rather than within
// half a minute.
func (k *Keeper) ForgetPerson(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.people, id)
	k.ending++
}

// InvitationLife is how long an invitation is good for.
const InvitationLife = 7 * 24 * time.Hour

// Invitation is a way in that works once.
type Invitation struct {
	Code    string
	Role    care.Role // of who is invited
	Expires time.Time
}

// Link is where the invitation is opened at a service's address: relatives
// have a page of their own. The code is behind the #, so that it stays out of
// logs.
func (i Invitation) Link(url string) string {
	if i.Role == care.Relative {
		url += "/family"
	}
	return url + "/invitation#" + i.Code
}

// Invite makes an invitation for a person, in place of any earlier one. It
// returns ErrNoRole for who could not sign in.
func (k *Keeper) Invite(ctx context.Context, person string) (Invitation, error) {
	k.ForgetPerson(person)
	who, err := k.person(ctx, person)
	if err != nil {
		return Invitation{}, err
	}
	if err := k.endAll(ctx, person, care.Invitation, ""); err != nil {
		return Invitation{}, err
	}
	expires := time.Now().Add(InvitationLife)
	code, err := k.Create(ctx, care.Invitation, who, InvitationLife)
	return Invitation{Code: code, Role: who.Role, Expires: expires}, err
}

// Invited returns whom an invitation is for, and until when it is good. Its
// errors are those of Enter.
func (k *Keeper) Invited(ctx context.Context, secret string) (Actor, time.Time, error) {
	c, err := k.check(ctx, secret, []care.CredentialKind{care.Invitation})
	if err != nil {
		return Actor{}, time.Time{}, err
	}
	who, err := k.person(ctx, c.Person)
	if errors.Is(err, ErrNoRole) {
		err = ErrUnknown
	}
	return who, c.Expires, err
}

// Accept makes a session out of an invitation, which works once.
func (k *Keeper) Accept(ctx context.Context, secret, device string) (session string, who Actor, err error) {
	who, _, err = k.Invited(ctx, secret)
	if err != nil {
		return "", Actor{}, err
	}
	if err := k.End(ctx, secret); err != nil {
		return "", Actor{}, err // ErrUnknown: somebody else was quicker
	}
	return k.OpenSession(ctx, who.Person, care.Invitation, device)
}

// MayGive reports whether somebody of a role may make another one of a role,
// and so look after how they sign in: nobody gives more than they have.
func MayGive(giver, role care.Role) bool {
	switch giver {
	case care.Operator:
		return role == "" || role.SignsIn()
	case care.Coordinator:
		return slices.Contains([]care.Role{"", care.Caregiver, care.Coordinator, care.Relative}, role)
	}
	return false
}

// MayGiveAreas reports whether somebody may put another one in charge of
// areas; none is all.
func MayGiveAreas(giver Actor, areas []string) bool {
	if len(giver.Areas) == 0 {
		return true
	}
	return len(areas) > 0 && !slices.ContainsFunc(areas, func(area string) bool { return !slices.Contains(giver.Areas, area) })
}

// Actions returns what a role may do.
func Actions(role care.Role) []Action { return slices.Clone(rights(role)) }
