package access_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// memory is a Store in memory that counts how often it is asked.
type memory struct {
	mu          sync.Mutex
	credentials map[string]care.Credential
	people      map[string]care.Person
	homes       map[string][]string
	asked, used int
	down        error
}

func newMemory() *memory {
	return &memory{credentials: map[string]care.Credential{}, people: map[string]care.Person{}, homes: map[string][]string{}}
}

func (m *memory) PutCredential(_ context.Context, c care.Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.credentials[c.Hash] = c
	return m.down
}

func (m *memory) Credential(_ context.Context, hash string) (care.Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	c, ok := m.credentials[hash]
	if !ok {
		return c, fmt.Errorf("read: %w", fs.ErrNotExist)
	}
	return c, m.down
}

func (m *memory) DeleteCredential(_ context.Context, hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.credentials[hash]; !ok {
		return fmt.Errorf("delete: %w", fs.ErrNotExist)
	}
	delete(m.credentials, hash)
	return m.down
}

func (m *memory) DropSession(ctx context.Context, hash string) error {
	return m.DeleteCredential(ctx, hash)
}

// change changes a session if it is as it is thought to be.
func (m *memory) change(hash string, as func(care.Credential) bool, f func(*care.Credential)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.credentials[hash]
	if !ok || !as(c) {
		return fmt.Errorf("change: %w", fs.ErrNotExist)
	}
	f(&c)
	m.credentials[hash] = c
	return m.down
}

func (m *memory) OfferSecret(_ context.Context, hash, secret, next string) error {
	return m.change(hash, func(c care.Credential) bool { return c.Secret == secret }, func(c *care.Credential) { c.Next = next })
}

func (m *memory) TurnSecret(_ context.Context, hash, next string, at time.Time) error {
	return m.change(hash, func(c care.Credential) bool { return c.Next == next }, func(c *care.Credential) {
		c.Secret, c.Next, c.Turned = next, "", at
		c.Turns++
	})
}

func (m *memory) ProveSession(_ context.Context, hash string, at time.Time) error {
	return m.change(hash, func(care.Credential) bool { return true }, func(c *care.Credential) { c.Proved = at })
}

func (m *memory) UseSession(_ context.Context, hash string, at time.Time) error {
	return m.change(hash, func(care.Credential) bool { m.used++; return true }, func(c *care.Credential) { c.Used = at })
}

func (m *memory) Person(_ context.Context, id string) (care.Person, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.people[id]
	if !ok {
		return p, fs.ErrNotExist
	}
	return p, m.down
}

func (m *memory) HomesOf(_ context.Context, person string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.homes[person], m.down
}

func (m *memory) CredentialsOf(_ context.Context, person string) (found []care.Credential, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.credentials {
		if c.Person == person {
			found = append(found, c)
		}
	}
	return found, m.down
}

func (m *memory) DeleteCredentialsOf(_ context.Context, person string, kind care.CredentialKind, except string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.credentials, func(hash string, c care.Credential) bool {
		return c.Person == person && c.Kind == kind && hash != except
	})
	return m.down
}

func create(t *testing.T, k *access.Keeper, kind care.CredentialKind, ttl time.Duration) string {
	t.Helper()
	secret, err := k.Create(t.Context(), kind, access.Actor{Name: "Anna", Role: care.Caregiver}, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestSecrets(t *testing.T) {
	m := newMemory()
	k := access.NewKeeper(m)
	seen := map[string]bool{}
	for kind, prefix := range map[care.CredentialKind]string{care.Token: "lyk_t_", care.SignInLink: "lyk_l_", care.Session: "lyk_s_"} {
		for range 20 {
			secret := create(t, k, kind, time.Hour)
			if !strings.HasPrefix(secret, prefix) || len(secret) != 6+43 || seen[secret] {
				t.Errorf("secret of a %s: %q", kind, secret)
			}
			seen[secret] = true
		}
	}
	for hash, c := range m.credentials {
		if len(hash) != 64 || seen[hash] || c.Hash != hash {
			t.Errorf("the store keeps %+v under %q, want the secret's hash only", c, hash)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	k := access.NewKeeper(newMemory())
	for name, create := range map[string]func() (string, error){
		"no name": func() (string, error) {
			return k.Create(t.Context(), care.Token, access.Actor{Name: "", Role: care.Caregiver}, 0)
		},
		"no such role": func() (string, error) {
			return k.Create(t.Context(), care.Token, access.Actor{Name: "Anna", Role: "king"}, 0)
		},
		"no such kind": func() (string, error) {
			return k.Create(t.Context(), "key", access.Actor{Name: "Anna", Role: care.Caregiver}, time.Hour)
		},
		"endless link": func() (string, error) {
			return k.Create(t.Context(), care.SignInLink, access.Actor{Name: "Anna", Role: care.Caregiver}, 0)
		},
		"endless session": func() (string, error) {
			return k.Create(t.Context(), care.Session, access.Actor{Name: "Anna", Role: care.Caregiver}, 0)
		},
		"over before born": func() (string, error) {
			return k.Create(t.Context(), care.Token, access.Actor{Name: "Anna", Role: care.Caregiver}, -1)
		},
	} {
		if secret, err := create(); !errors.Is(err, access.ErrCredential) || secret != "" {
			t.Errorf("%s: %q, %v; want ErrCredential", name, secret, err)
		}
	}
}

func TestActor(t *testing.T) {
	m := newMemory()
	k := access.NewKeeper(m)
	token, link := create(t, k, care.Token, 0), create(t, k, care.SignInLink, time.Hour)
	who, err := k.Actor(t.Context(), token, care.Token, care.Session)
	if err != nil || who.Name != "Anna" || who.Role != care.Caregiver || m.credentials[who.Credential].Kind != care.Token {
		t.Errorf("Actor = %+v, %v", who, err)
	}
	for name, try := range map[string]struct {
		secret string
		kinds  []care.CredentialKind
	}{
		"a link is no token":       {link, []care.CredentialKind{care.Token, care.Session}},
		"nor dressed up as one":    {"lyk_t_" + link[6:], []care.CredentialKind{care.Token}},
		"nothing is asked for":     {token, nil},
		"nothing":                  {"", []care.CredentialKind{care.Token}},
		"a prefix":                 {"lyk_t_", []care.CredentialKind{care.Token}},
		"another letter":           {token[:len(token)-2] + "--", []care.CredentialKind{care.Token}},
		"the hash is not a secret": {who.Credential, []care.CredentialKind{care.Token}},
	} {
		if who, err := k.Actor(t.Context(), try.secret, try.kinds...); err != access.ErrUnknown || who.Name != "" {
			t.Errorf("%s: %+v, %v; want ErrUnknown", name, who, err)
		}
	}
	m.down = errors.New("down")
	fresh := access.NewKeeper(m)
	if _, err := fresh.Actor(t.Context(), token, care.Token); !errors.Is(err, m.down) || errors.Is(err, access.ErrUnknown) {
		t.Errorf("store down: %v, want its error and not ErrUnknown", err)
	}
}

func TestSessionEndsAbsolutely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := access.NewKeeper(newMemory())
		session, who, err := k.Exchange(t.Context(), create(t, k, care.Token, 0))
		if err != nil || who.Name != "Anna" {
			t.Fatal(who, err)
		}
		for range 12*60 - 1 { // used every minute
			time.Sleep(time.Minute)
			got, err := k.Actor(t.Context(), session, care.Session)
			if err != nil || !reflect.DeepEqual(got, who) {
				t.Fatalf("%+v, %v; want %+v", got, err, who)
			}
		}
		time.Sleep(time.Minute)
		if _, err := k.Actor(t.Context(), session, care.Session); err != access.ErrExpired {
			t.Errorf("after 12 hours: %v, want ErrExpired", err)
		}
	})
}

func TestSessionDoesNotOutlastItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := access.NewKeeper(newMemory())
		token := create(t, k, care.Token, time.Hour)
		session, _, err := k.Exchange(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := k.Actor(t.Context(), session, care.Session); err != access.ErrExpired {
			t.Errorf("session: %v, want ErrExpired", err)
		}
		if _, _, err := k.Exchange(t.Context(), token); err != access.ErrExpired {
			t.Errorf("token: %v, want ErrExpired", err)
		}
		if _, _, err := k.Exchange(t.Context(), session); err != access.ErrUnknown {
			t.Errorf("a session for a session: %v, want ErrUnknown", err)
		}
	})
}

func TestLinkWorksOnce(t *testing.T) {
	k := access.NewKeeper(newMemory())
	link := create(t, k, care.SignInLink, time.Hour)
	var in atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch _, _, err := k.Exchange(t.Context(), link); {
			case err == nil:
				in.Add(1)
			case err != access.ErrUnknown:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("one link let %d in", in.Load())
	}
}

func TestEnd(t *testing.T) {
	k := access.NewKeeper(newMemory())
	session, _, err := k.Exchange(t.Context(), create(t, k, care.Token, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Actor(t.Context(), session, care.Session); err != nil { // now it is cached
		t.Fatal(err)
	}
	if err := k.End(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Actor(t.Context(), session, care.Session); err != access.ErrUnknown {
		t.Errorf("after End: %v, want ErrUnknown", err)
	}
	for _, secret := range []string{session, "", "nonsense"} {
		if err := k.End(t.Context(), secret); err != access.ErrUnknown {
			t.Errorf("End(%q) = %v, want ErrUnknown", secret, err)
		}
	}
}

func TestCacheSparesTheStoreButNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		k := access.NewKeeper(m)
		token := create(t, k, care.Token, 0)
		for range 100 {
			if _, err := k.Actor(t.Context(), token, care.Token); err != nil {
				t.Fatal(err)
			}
		}
		if m.asked != 1 {
			t.Errorf("100 requests asked the store %d times, want once", m.asked)
		}
		clear(m.credentials) // deleted by another process
		time.Sleep(30 * time.Second)
		if _, err := k.Actor(t.Context(), token, care.Token); err != access.ErrUnknown {
			t.Errorf("30 s after it was deleted: %v, want ErrUnknown", err)
		}
	})
}

// stalled lets a test step in between a read and what follows.
type stalled struct {
	*memory
	read func()
}

func (s stalled) Credential(ctx context.Context, hash string) (care.Credential, error) {
	c, err := s.memory.Credential(ctx, hash)
	s.read()
	return c, err
}

func TestAReadThatIsOvertakenByEndIsNotCached(t *testing.T) {
	m := newMemory()
	var k *access.Keeper
	var once sync.Once
	var token string
	k = access.NewKeeper(stalled{m, func() {
		once.Do(func() {
			if err := k.End(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}})
	token = create(t, k, care.Token, 0)
	_, _ = k.Actor(t.Context(), token, care.Token) // was under way: either answer is right
	if _, err := k.Actor(t.Context(), token, care.Token); err != access.ErrUnknown {
		t.Errorf("after End: %v, want ErrUnknown", err)
	}
}

func FuzzActor(f *testing.F) {
	f.Add("lyk_t_0123456789012345678901234567890123456789012")
	f.Add("")
	k := access.NewKeeper(newMemory())
	if _, err := k.Create(context.Background(), care.Token, access.Actor{Name: "Anna", Role: care.Caregiver}, 0); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		if who, err := k.Actor(t.Context(), secret, care.Token, care.SignInLink, care.Session); err != access.ErrUnknown {
			t.Errorf("%q let in %+v, %v", secret, who, err)
		}
	})
}
