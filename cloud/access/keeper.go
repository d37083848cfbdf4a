package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Store is where sign-ins are kept. Errors of what is not there match
// fs.ErrNotExist.
type Store interface {
	Credentials
	Sessions
	People
}

// Credentials keeps secrets' hashes. Of two who delete the same one, one is
// told that it is not there.
type Credentials interface {
	PutCredential(ctx context.Context, c care.Credential) error
	Credential(ctx context.Context, hash string) (care.Credential, error)
	// DeleteCredential takes the browsers that show alarms with it; DropSession
	// leaves them.
	DeleteCredential(ctx context.Context, hash string) error
	DropSession(ctx context.Context, hash string) error
}

// Errors of those who are not let in.
var (
	ErrUnknown = errors.New("LYK-0710: this sign-in is not known")
	ErrExpired = errors.New("LYK-0711: this sign-in has expired")
	// ErrCredential is returned for a credential that cannot be made.
	ErrCredential = errors.New("LYK-0712: a credential needs a kind, a name of 1–200 bytes, a role, and a time to live; only a token's may be endless")
)

// Cache bounds. A credential that another process deletes works until
// cacheLife has passed at most.
const (
	cacheLife = 30 * time.Second
	cacheSize = 4096
)

// Keeper makes and checks credentials. It is safe for concurrent use.
type Keeper struct {
	store Store

	mu     sync.Mutex
	cache  map[string]cached // by hash
	people map[string]entrant
	ending int // grows with each change: what was read before it is not cached after it
}

type cached struct {
	credential care.Credential
	until      time.Time
}

// NewKeeper makes a Keeper of the credentials in a store.
func NewKeeper(store Store) *Keeper {
	return &Keeper{store: store, cache: map[string]cached{}, people: map[string]entrant{}}
}

// Create makes a credential of who it says and returns its secret, which is
// not kept anywhere. ttl 0 is a token that never expires.
func (k *Keeper) Create(ctx context.Context, kind care.CredentialKind, who Actor, ttl time.Duration) (secret string, err error) {
	if kind == care.Session {
		secret, _, err = k.open(ctx, who, care.Session, "", ttl)
		return secret, err
	}
	prefix, ok := prefixOf(kind)
	if !ok || !wellFormed(who) || ttl < 0 || (ttl == 0 && kind != care.Token) {
		return "", ErrCredential
	}
	secret = prefix + randomText(32)
	now := time.Now()
	c := care.Credential{Hash: hash(secret), Kind: kind, Name: who.Name, Role: who.Role, Person: who.Person, Created: now}
	if ttl > 0 {
		c.Expires = now.Add(ttl)
	}
	if err := k.store.PutCredential(ctx, c); err != nil {
		return "", fmt.Errorf("make a %s for %s: %w", kind, who.Name, err)
	}
	return secret, nil
}

func wellFormed(who Actor) bool {
	return who.Name != "" && len(who.Name) <= 200 && who.Role.SignsIn()
}

func randomText(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// Pass is what somebody who was let in gets.
type Pass struct {
	Actor Actor
	// Renewed is the secret that the browser is to use from now on; "" is the
	// one that it has.
	Renewed string
	// Expires is when the credential ends, however much it is used; zero is never.
	Expires time.Time
}

// Actor returns who a secret lets in, as Enter does.
func (k *Keeper) Actor(ctx context.Context, secret string, kinds ...care.CredentialKind) (Actor, error) {
	pass, err := k.Enter(ctx, secret, kinds...)
	if err != nil {
		return Actor{}, err
	}
	return pass.Actor, nil
}

// Enter lets in whom a secret belongs to, if it is of one of the kinds. It
// returns ErrUnknown, ErrExpired or ErrStolen when it lets in nobody; any other
// error means that it could not be found out. Beside ErrStolen it returns
// whose session it was.
func (k *Keeper) Enter(ctx context.Context, secret string, kinds ...care.CredentialKind) (Pass, error) {
	kind, ok := kindOf(secret)
	switch {
	case !ok || !slices.Contains(kinds, kind):
		return Pass{}, ErrUnknown
	case kind == care.Session:
		return k.enterSession(ctx, secret)
	}
	c, err := k.check(ctx, secret, kinds)
	if err != nil {
		return Pass{}, err
	}
	who, err := k.bearer(ctx, c)
	if err != nil {
		return Pass{}, err
	}
	return Pass{Actor: who, Expires: c.Expires}, nil
}

// bearer returns who comes with a token. It is bound by the areas and homes of
// the person whom it names, and its role by theirs: it may no more than either.
func (k *Keeper) bearer(ctx context.Context, c care.Credential) (Actor, error) {
	out := actor(c)
	if c.Person == "" {
		return out, nil
	}
	who, err := k.person(ctx, c.Person)
	switch {
	case errors.Is(err, ErrNoRole):
		return out, nil // what it may is its own
	case err != nil:
		return Actor{}, err
	}
	out.Areas, out.Homes = who.Areas, who.Homes
	if who.Role != c.Role && !MayGive(who.Role, c.Role) {
		out.Role = who.Role
	}
	return out, nil
}

func actor(c care.Credential) Actor {
	return Actor{Name: c.Name, Role: c.Role, Person: c.Person, Credential: c.Hash}
}

// Exchange makes a session out of a token or a sign-in link. A link works
// once. The session does not outlast its token.
func (k *Keeper) Exchange(ctx context.Context, secret string) (session string, who Actor, err error) {
	return k.ExchangeOn(ctx, secret, "")
}

// ExchangeOn is Exchange on a device that is called so.
func (k *Keeper) ExchangeOn(ctx context.Context, secret, device string) (session string, who Actor, err error) {
	c, err := k.check(ctx, secret, []care.CredentialKind{care.Token, care.SignInLink})
	if err != nil {
		return "", Actor{}, err
	}
	life := LimitsOf(c.Role).Absolute
	if c.Kind == care.SignInLink {
		if err := k.end(ctx, c.Hash); err != nil {
			return "", Actor{}, err // ErrUnknown: somebody else was quicker
		}
	} else if !c.Expires.IsZero() {
		life = min(life, time.Until(c.Expires))
		if life <= 0 {
			return "", Actor{}, ErrExpired
		}
	}
	return k.open(ctx, actor(c), c.Kind, device, life)
}

// End deletes the credential with that secret. It returns ErrUnknown when
// there is none.
func (k *Keeper) End(ctx context.Context, secret string) error {
	kind, ok := kindOf(secret)
	switch {
	case !ok:
		return ErrUnknown
	case kind == care.Session:
		return k.end(ctx, rowOf(secret))
	}
	return k.end(ctx, hash(secret))
}

func (k *Keeper) end(ctx context.Context, hash string) error {
	return k.endBy(ctx, k.store.DeleteCredential, hash)
}

func (k *Keeper) endBy(ctx context.Context, forget func(context.Context, string) error, hash string) error {
	err := forget(ctx, hash)
	k.forget(func(c care.Credential) bool { return c.Hash == hash })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrUnknown
	case err != nil:
		return fmt.Errorf("end a sign-in: %w", err)
	}
	return nil
}

// forget has credentials read again, and those under way not cached.
func (k *Keeper) forget(which func(care.Credential) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.cache, func(_ string, c cached) bool { return which(c.credential) })
	k.ending++
}

// check returns the credential with that secret if it is good. Secrets are
// looked up by their hash, which tells nothing by the time it takes.
func (k *Keeper) check(ctx context.Context, secret string, kinds []care.CredentialKind) (care.Credential, error) {
	if kind, ok := kindOf(secret); !ok || !slices.Contains(kinds, kind) {
		return care.Credential{}, ErrUnknown
	}
	c, _, err := k.credential(ctx, hash(secret), false)
	switch {
	case err != nil:
		return care.Credential{}, err
	case !slices.Contains(kinds, c.Kind):
		return care.Credential{}, ErrUnknown
	case !c.Expires.IsZero() && !time.Now().Before(c.Expires):
		return care.Credential{}, ErrExpired
	}
	return c, nil
}

// credential returns the credential with a hash, expired or not; fresh is
// whether it was read just now, as it always is when that is asked for.
func (k *Keeper) credential(ctx context.Context, hash string, newly bool) (c care.Credential, fresh bool, err error) {
	now := time.Now()
	k.mu.Lock()
	have, ok := k.cache[hash]
	ending := k.ending
	k.mu.Unlock()
	if ok && now.Before(have.until) && !newly {
		return have.credential, false, nil
	}
	c, err = k.store.Credential(ctx, hash)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return care.Credential{}, true, ErrUnknown
	case err != nil:
		return care.Credential{}, true, fmt.Errorf("check a sign-in: %w", err)
	}
	k.remember(cached{c, now.Add(cacheLife)}, now, ending)
	return c, true, nil
}

// remember caches what was read when the count of endings was ending.
func (k *Keeper) remember(c cached, now time.Time, ending int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ending != ending {
		return
	}
	if len(k.cache) >= cacheSize {
		for hash, old := range k.cache {
			if !now.Before(old.until) {
				delete(k.cache, hash)
			}
		}
		if len(k.cache) >= cacheSize {
			clear(k.cache)
		}
	}
	k.cache[c.credential.Hash] = c
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// secretLength is a prefix and 32 bytes in base64.
const secretLength = len("lyk_t_") + 43

// prefixOf returns how secrets of a kind begin, so that people and secret
// scanners know one when they see it.
func prefixOf(kind care.CredentialKind) (prefix string, ok bool) {
	switch kind {
	case care.Token:
		return "lyk_t_", true
	case care.SignInLink:
		return "lyk_l_", true
	case care.Session:
		return "lyk_s_", true
	case care.Invitation:
		return "lyk_i_", true
	}
	return "", false
}

// kindOf returns the kind that a secret says it is of; ok is false for what
// cannot be a secret.
func kindOf(secret string) (kind care.CredentialKind, ok bool) {
	for _, kind := range []care.CredentialKind{care.Token, care.SignInLink, care.Session, care.Invitation} {
		if prefix, _ := prefixOf(kind); len(secret) == secretLength && strings.HasPrefix(secret, prefix) {
			return kind, true
		}
	}
	return "", false
}
