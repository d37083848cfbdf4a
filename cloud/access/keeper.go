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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Store keeps credentials. Credential and DeleteCredential return an error
// that matches fs.ErrNotExist when there is none with the hash; of two who
// delete the same one, one is told so.
type Store interface {
	PutCredential(ctx context.Context, c care.Credential) error
	Credential(ctx context.Context, hash string) (care.Credential, error)
	DeleteCredential(ctx context.Context, hash string) error
}

// SessionLife is how long a session lasts, however much it is used: longer
// than any shift, shorter than a forgotten browser is dangerous.
const SessionLife = 12 * time.Hour

// Errors of those who are not let in.
var (
	ErrUnknown = errors.New("LYK-0710: this sign-in is not known")
	ErrExpired = errors.New("LYK-0711: this sign-in has expired")
	// ErrCredential is returned for a credential that cannot be made.
	ErrCredential = errors.New("LYK-0712: a credential needs a kind, a name of 1–100 bytes, a role, and a time to live; only a token's may be endless")
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
	ending int               // grows with each End: what was read before it is not cached after it
}

type cached struct {
	credential care.Credential
	until      time.Time
}

// NewKeeper makes a Keeper of the credentials in a store.
func NewKeeper(store Store) *Keeper {
	return &Keeper{store: store, cache: map[string]cached{}}
}

// Create makes a credential of who it says and returns its secret, which is
// not kept anywhere. ttl 0 is a token that never expires.
func (k *Keeper) Create(ctx context.Context, kind care.CredentialKind, who Actor, ttl time.Duration) (secret string, err error) {
	prefix, ok := prefixOf(kind)
	if !ok || who.Name == "" || len(who.Name) > 100 || !who.Role.Valid() || ttl < 0 || (ttl == 0 && kind != care.Token) {
		return "", ErrCredential
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails
	secret = prefix + base64.RawURLEncoding.EncodeToString(random)
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

// Actor returns who a secret lets in, if it is of one of the kinds. It returns
// ErrUnknown or ErrExpired when nobody is; any other error means that it could
// not be found out.
func (k *Keeper) Actor(ctx context.Context, secret string, kinds ...care.CredentialKind) (Actor, error) {
	c, err := k.check(ctx, secret, kinds)
	if err != nil {
		return Actor{}, err
	}
	return actor(c), nil
}

func actor(c care.Credential) Actor {
	return Actor{Name: c.Name, Role: c.Role, Person: c.Person, Credential: c.Hash}
}

// Exchange makes a session out of a token or a sign-in link. A link works
// once. The session does not outlast its token.
func (k *Keeper) Exchange(ctx context.Context, secret string) (session string, who Actor, err error) {
	c, err := k.check(ctx, secret, []care.CredentialKind{care.Token, care.SignInLink})
	if err != nil {
		return "", Actor{}, err
	}
	life := SessionLife
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
	who = actor(c)
	session, err = k.Create(ctx, care.Session, who, life)
	if err != nil {
		return "", Actor{}, err
	}
	who.Credential = hash(session)
	return session, who, nil
}

// End deletes the credential with that secret. It returns ErrUnknown when
// there is none.
func (k *Keeper) End(ctx context.Context, secret string) error {
	if _, ok := kindOf(secret); !ok {
		return ErrUnknown
	}
	return k.end(ctx, hash(secret))
}

func (k *Keeper) end(ctx context.Context, hash string) error {
	err := k.store.DeleteCredential(ctx, hash)
	k.mu.Lock()
	delete(k.cache, hash)
	k.ending++
	k.mu.Unlock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrUnknown
	case err != nil:
		return fmt.Errorf("end a sign-in: %w", err)
	}
	return nil
}

// check returns the credential with that secret if it is good. Secrets are
// looked up by their hash, which tells nothing by the time it takes.
func (k *Keeper) check(ctx context.Context, secret string, kinds []care.CredentialKind) (care.Credential, error) {
	if kind, ok := kindOf(secret); !ok || !slices.Contains(kinds, kind) {
		return care.Credential{}, ErrUnknown
	}
	now, h := time.Now(), hash(secret)
	k.mu.Lock()
	have, ok := k.cache[h]
	ending := k.ending
	k.mu.Unlock()
	if !ok || !now.Before(have.until) {
		c, err := k.store.Credential(ctx, h)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return care.Credential{}, ErrUnknown
		case err != nil:
			return care.Credential{}, fmt.Errorf("check a sign-in: %w", err)
		}
		have = cached{c, now.Add(cacheLife)}
		k.remember(have, now, ending)
	}
	c := have.credential
	switch {
	case !slices.Contains(kinds, c.Kind):
		return care.Credential{}, ErrUnknown
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return care.Credential{}, ErrExpired
	}
	return c, nil
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
	}
	return "", false
}

// kindOf returns the kind that a secret says it is of; ok is false for what
// cannot be a secret.
func kindOf(secret string) (kind care.CredentialKind, ok bool) {
	for _, kind := range []care.CredentialKind{care.Token, care.SignInLink, care.Session} {
		if prefix, _ := prefixOf(kind); len(secret) == secretLength && strings.HasPrefix(secret, prefix) {
			return kind, true
		}
	}
	return "", false
}
