package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Sessions keeps what changes in a session. Each returns an error that matches
// fs.ErrNotExist when the session is gone, or not as it was thought to be.
type Sessions interface {
	// OfferSecret notes which secret comes after the present one.
	OfferSecret(ctx context.Context, hash, secret, next string) error
	// TurnSecret makes the next secret the present one.
	TurnSecret(ctx context.Context, hash, next string, at time.Time) error
	UseSession(ctx context.Context, hash string, at time.Time) error
	// ProveSession notes when its person last proved who they are.
	ProveSession(ctx context.Context, hash string, at time.Time) error
}

// Limits is how long a session lasts.
type Limits struct {
	Idle     time.Duration // without being used
	Absolute time.Duration // however much it is used
}

// LimitsOf returns the limits of a role's sessions. Those of staff are longer
// than any shift, and shorter than a forgotten browser is dangerous.
func LimitsOf(role care.Role) Limits {
	if role == care.Relative {
		return Limits{Idle: 30 * 24 * time.Hour, Absolute: 180 * 24 * time.Hour}
	}
	return Limits{Idle: 4 * time.Hour, Absolute: 12 * time.Hour}
}

const (
	// turnEvery is how long a session's secret is used before the next is offered.
	turnEvery = 15 * time.Minute
	// turnGrace is how long the secret before is good after the next was first
	// presented: for requests that were under way.
	turnGrace = time.Minute
	// lateFor is for how long after that a request with the secret before is taken
	// for one that was long under way, as on a connection that stood still: it is
	// not done, and the session goes on.
	lateFor = 5 * time.Minute
	// proofLife is how long it counts that somebody has proved who they are.
	proofLife = 10 * time.Minute
	// noteEvery bounds how often it is written that a session was used.
	noteEvery = time.Minute
	// patience bounds how long a request waits for what it can do without.
	patience = time.Second
)

// ErrStolen is returned once, for a secret that the session has left behind:
// somebody has kept or taken it. The session is over then. It matches ErrUnknown.
var ErrStolen = fmt.Errorf("%w any longer: LYK-0714: a secret that was used up was presented, and its session has been ended", ErrUnknown)

// ErrLate is returned for a request that was under way for so long that its
// secret is used up. Whoever sent it has a newer one, and asks again.
var ErrLate = errors.New("LYK-0728: the request was under way for too long")

// A session's secret is 16 bytes that stay, by which the session is found, and
// 16 that change. The next is made of the present one and the session's seed:
// however many requests are under way, all are offered the same, and nothing
// is lost with an answer that does not arrive. Who knows an old secret alone
// cannot make the next, as the seed is in the database; who has the database
// alone cannot, as the secret is not. And any secret that ever was good is
// recognised by making those that came after it.
const staying = 16

// rowOf returns the hash by which a session is found.
func rowOf(secret string) string {
	raw, ok := rawOf(secret)
	if !ok {
		return ""
	}
	return hash("session " + string(raw[:staying]))
}

func rawOf(secret string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(secret, "lyk_s_"))
	return raw, err == nil && len(raw) == 2*staying
}

// after returns the secret that comes after one.
func after(secret, seed string) string {
	raw, ok := rawOf(secret)
	if !ok {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(seed))
	mac.Write(raw)
	return "lyk_s_" + base64.RawURLEncoding.EncodeToString(append(raw[:staying:staying], mac.Sum(nil)[:staying]...))
}

// age returns how many turns ago a secret was the session's present one: 0 is
// now, -1 never.
func age(c care.Credential, secret string) int {
	for n := 0; n <= c.Turns; n++ {
		if hash(secret) == c.Secret {
			return n
		}
		secret = after(secret, c.Seed)
	}
	return -1
}

// open makes a session of somebody.
func (k *Keeper) open(ctx context.Context, who Actor, from care.CredentialKind, device string, life time.Duration) (string, Actor, error) {
	if !wellFormed(who) || life <= 0 {
		return "", Actor{}, ErrCredential
	}
	secret := "lyk_s_" + randomText(2*staying)
	now := time.Now()
	c := care.Credential{
		Hash: rowOf(secret), Kind: care.Session, Name: who.Name, Role: who.Role, Person: who.Person, Created: now, Expires: now.Add(life),
		From: from, Device: device, Secret: hash(secret), Seed: randomText(32), Turned: now, Used: now,
	}
	if proves(from) {
		c.Proved = now
	}
	if err := k.store.PutCredential(ctx, c); err != nil {
		return "", Actor{}, fmt.Errorf("make a session for %s: %w", who.Name, err)
	}
	got, err := k.whose(ctx, c)
	if err != nil {
		return "", Actor{}, err
	}
	return secret, got, nil
}

// proves reports whether what a session was made of shows who somebody is by
// itself: what works once, and the municipality's own sign-in. A passkey does when
// its owner was verified, which Prove is told of; a token is for programs.
func proves(from care.CredentialKind) bool {
	return from == care.Invitation || from == care.SignInLink || from == care.FromOIDC
}

// Prove notes that who is in a session has just proved that they are its person.
func (k *Keeper) Prove(ctx context.Context, who Actor) error {
	now := time.Now()
	err := k.store.ProveSession(ctx, who.Credential, now)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrUnknown
	case err != nil:
		return fmt.Errorf("note who is in a session: %w", err)
	}
	k.change(who.Credential, func(c *care.Credential) { c.Proved = now })
	return nil
}

// Proved reports whether the person of a session has proved within the last 10
// minutes who they are. Without a session nobody has.
func (k *Keeper) Proved(ctx context.Context, who Actor) (bool, error) {
	c, _, err := k.credential(ctx, who.Credential, true) // another process may have noted it
	if err != nil {
		return false, err
	}
	return c.Kind == care.Session && !c.Proved.IsZero() && time.Since(c.Proved) < proofLife, nil
}

// MayLetIn reports whether somebody may be let in among the staff, or given a role
// there, by whoever has this credential: a session whose person has proved lately who
// they are, or a program's token, which is made on the service's own machine.
func (k *Keeper) MayLetIn(ctx context.Context, who Actor) (bool, error) {
	c, _, err := k.credential(ctx, who.Credential, false)
	if err != nil || c.Kind == care.Token {
		return err == nil, err
	}
	return k.Proved(ctx, who)
}

// OpenSession signs a person in who has proved in some way who they are. It
// returns ErrNoRole for who has none.
func (k *Keeper) OpenSession(ctx context.Context, person string, from care.CredentialKind, device string) (session string, who Actor, err error) {
	k.ForgetPerson(person)
	who, err = k.person(ctx, person)
	if err != nil {
		return "", Actor{}, err
	}
	return k.open(ctx, who, from, device, LimitsOf(who.Role).Absolute)
}

func (k *Keeper) enterSession(ctx context.Context, secret string) (Pass, error) {
	row := rowOf(secret)
	if row == "" {
		return Pass{}, ErrUnknown
	}
	c, fresh, err := k.credential(ctx, row, false)
	if err == nil && !fresh && hash(secret) != c.Secret {
		c, _, err = k.credential(ctx, row, true) // what is cached may be behind
	}
	if err == nil && c.Next != "" && hash(secret) == c.Next {
		c, err = k.turn(ctx, c)
	}
	if err != nil {
		return Pass{}, err
	}
	if c.Kind != care.Session {
		return Pass{}, ErrUnknown
	}
	turns := age(c, secret)
	if turns < 0 {
		return Pass{}, ErrUnknown
	}
	who, err := k.live(ctx, c)
	if err != nil {
		return Pass{}, err
	}
	now := time.Now()
	used := now.Sub(c.Turned) // of the secret before: for how long it has been used up
	if turns == 1 && used > turnGrace && used < lateFor {
		return Pass{}, ErrLate
	}
	if turns > 1 || turns == 1 && used >= lateFor {
		// Its person has decided nothing, and goes on hearing of alarms.
		if err := k.endBy(ctx, k.store.DropSession, c.Hash); err != nil {
			return Pass{}, err // ErrUnknown: another request has ended it, and says so
		}
		return Pass{Actor: who}, ErrStolen
	}
	if now.Sub(c.Used) >= noteEvery {
		// Those who come meanwhile need not write it too. That it fails keeps
		// nobody out: it is tried again when the session is next read.
		k.change(c.Hash, func(c *care.Credential) { c.Used = now })
		use, cancel := context.WithTimeout(ctx, patience)
		_ = k.store.UseSession(use, c.Hash, now)
		cancel()
	}
	pass := Pass{Actor: who, Expires: c.Expires}
	if turns == 0 && now.Sub(c.Turned) >= turnEvery {
		pass.Renewed = k.offer(ctx, c, secret)
	}
	return pass, nil
}

// offer returns the secret that comes next; "" when it cannot be offered now.
func (k *Keeper) offer(ctx context.Context, c care.Credential, secret string) string {
	next := after(secret, c.Seed)
	if c.Next != hash(next) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if k.store.OfferSecret(ctx, c.Hash, c.Secret, hash(next)) != nil {
			return "" // the one that the browser has goes on
		}
		k.change(c.Hash, func(now *care.Credential) {
			if now.Secret == c.Secret {
				now.Next = hash(next)
			}
		})
	}
	return next
}

// turn makes a session's next secret its present one. When another request
// has just done so, that is as good.
func (k *Keeper) turn(ctx context.Context, c care.Credential) (care.Credential, error) {
	err := k.store.TurnSecret(ctx, c.Hash, c.Next, time.Now())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("turn a session's secret: %w", err)
	}
	c, _, err = k.credential(ctx, c.Hash, true)
	return c, err
}

// change changes what is cached of a credential.
func (k *Keeper) change(hash string, f func(*care.Credential)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if have, ok := k.cache[hash]; ok {
		f(&have.credential)
		k.cache[hash] = have
	}
}

// live returns whose session it is, or ErrExpired when it has been idle or has
// lasted too long for their role as it is now.
func (k *Keeper) live(ctx context.Context, c care.Credential) (Actor, error) {
	who, err := k.whose(ctx, c)
	if err != nil {
		return Actor{}, err
	}
	if now := time.Now(); !now.Before(endOf(c, who.Role)) {
		return Actor{}, ErrExpired
	}
	return who, nil
}

// endOf returns when a session ends if it is not used any more.
func endOf(c care.Credential, role care.Role) time.Time {
	limits := LimitsOf(role)
	end := c.Used.Add(limits.Idle)
	for _, limit := range []time.Time{c.Expires, c.Created.Add(limits.Absolute)} {
		if limit.Before(end) {
			end = limit
		}
	}
	return end
}

// whose returns who a session's person is now. A person without a role has no
// sessions, except that a token's is its own: it may what the token may.
func (k *Keeper) whose(ctx context.Context, c care.Credential) (Actor, error) {
	if c.Person == "" {
		return actor(c), nil
	}
	who, err := k.person(ctx, c.Person)
	switch {
	case errors.Is(err, ErrNoRole) && (c.From == care.Token || c.From == care.SignInLink):
		return actor(c), nil
	case errors.Is(err, ErrNoRole):
		if err := k.end(ctx, c.Hash); err != nil && !errors.Is(err, ErrUnknown) {
			return Actor{}, err
		}
		return Actor{}, ErrUnknown
	case err != nil:
		return Actor{}, err
	}
	who.Credential = c.Hash
	return who, nil
}

// Still returns who an actor is now, whose credential let them in some time
// ago; its errors are those of Enter. It is for what lasts, such as a stream
// of events, and is no use of a session.
func (k *Keeper) Still(ctx context.Context, who Actor) (Actor, error) {
	c, _, err := k.credential(ctx, who.Credential, false)
	return k.still(ctx, c, err)
}

// StillNow is Still that remembers nothing: what another process has changed counts
// at once, not within half a minute. It is for those who see and hear a home.
func (k *Keeper) StillNow(ctx context.Context, who Actor) (Actor, error) {
	c, _, err := k.credential(ctx, who.Credential, true)
	if err == nil && c.Person != "" {
		k.ForgetPerson(c.Person)
	}
	return k.still(ctx, c, err)
}

func (k *Keeper) still(ctx context.Context, c care.Credential, err error) (Actor, error) {
	switch {
	case err != nil:
		return Actor{}, err
	case c.Kind == care.Session:
		return k.live(ctx, c)
	case !c.Expires.IsZero() && !time.Now().Before(c.Expires):
		return Actor{}, ErrExpired
	}
	return k.bearer(ctx, c)
}

// Session is a session as its person sees it.
type Session struct {
	ID      string
	Device  string
	Started time.Time
	Used    time.Time
	Expires time.Time // if it is used no more
	This    bool      // the one that asks
}

// sessionID is what a session is called in lists: of no use for anything else.
func sessionID(c care.Credential) string { return c.Hash[:16] }

// SessionsOf returns somebody's sessions that are not over, the one that was
// used last first. Who is no person has the one that they ask with.
func (k *Keeper) SessionsOf(ctx context.Context, who Actor) ([]Session, error) {
	found, err := k.sessions(ctx, who)
	if err != nil {
		return nil, err
	}
	out := []Session{}
	for _, c := range found {
		out = append(out, Session{
			ID: sessionID(c), Device: c.Device, Started: c.Created, Used: c.Used, Expires: endOf(c, who.Role), This: c.Hash == who.Credential,
		})
	}
	slices.SortStableFunc(out, func(a, b Session) int { return b.Used.Compare(a.Used) })
	return out, nil
}

func (k *Keeper) sessions(ctx context.Context, who Actor) ([]care.Credential, error) {
	var found []care.Credential
	var err error
	if who.Person != "" {
		found, err = k.store.CredentialsOf(ctx, who.Person)
	} else {
		var c care.Credential
		c, _, err = k.credential(ctx, who.Credential, false)
		found = append(found, c)
	}
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	now := time.Now()
	return slices.DeleteFunc(found, func(c care.Credential) bool {
		return c.Kind != care.Session || !now.Before(endOf(c, who.Role))
	}), nil
}

// EndSession ends one of somebody's sessions, by its id. It returns ErrUnknown
// when they have none with it.
func (k *Keeper) EndSession(ctx context.Context, who Actor, id string) error {
	found, err := k.sessions(ctx, who)
	if err != nil {
		return err
	}
	for _, c := range found {
		if sessionID(c) == id {
			return k.end(ctx, c.Hash)
		}
	}
	return ErrUnknown
}

// EndOthers ends all of somebody's sessions but the one that they ask with.
func (k *Keeper) EndOthers(ctx context.Context, who Actor) error {
	if who.Person == "" {
		return nil
	}
	return k.endAll(ctx, who.Person, care.Session, who.Credential)
}

// EndAll ends all sessions of a person.
func (k *Keeper) EndAll(ctx context.Context, person string) error {
	return k.endAll(ctx, person, care.Session, "")
}

func (k *Keeper) endAll(ctx context.Context, person string, kind care.CredentialKind, except string) error {
	err := k.store.DeleteCredentialsOf(ctx, person, kind, except)
	k.forget(func(c care.Credential) bool { return c.Person == person })
	return err
}
