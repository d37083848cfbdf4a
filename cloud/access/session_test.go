package access_test

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// browser is one that keeps the newest cookie that it was given.
type browser struct {
	t      *testing.T
	k      *access.Keeper
	secret string
}

// ask presents the cookie and keeps the one that comes back; lost says that the
// answer does not arrive.
func (b *browser) ask(lost bool) error {
	b.t.Helper()
	pass, err := b.k.Enter(b.t.Context(), b.secret, care.Session)
	if err == nil && !lost && pass.Renewed != "" {
		b.secret = pass.Renewed
	}
	return err
}

func (b *browser) must(doing string, lost bool) {
	b.t.Helper()
	if err := b.ask(lost); err != nil {
		b.t.Fatalf("%s: %v", doing, err)
	}
}

// team is a keeper that knows a carer, a coordinator and a relative.
func team() (*access.Keeper, *memory) {
	m := newMemory()
	m.people["anna"] = care.Person{ID: "anna", Name: "Anna", Role: care.Caregiver, Areas: []string{"norr"}}
	m.people["stina"] = care.Person{ID: "stina", Name: "Stina", Role: care.Coordinator}
	m.people["maria"] = care.Person{ID: "maria", Name: "Maria", Role: care.Relative, Areas: []string{"norr"}}
	m.people["bo"] = care.Person{ID: "bo", Name: "Bo"}
	m.homes["maria"] = []string{"karin"}
	return access.NewKeeper(m), m
}

func signIn(t *testing.T, k *access.Keeper, person string) *browser {
	t.Helper()
	secret, _, err := k.OpenSession(t.Context(), person, care.FromPasskey, "Chrome, Android")
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, k, secret}
}

func TestLimitsOfSessions(t *testing.T) {
	for person, limit := range map[string]struct{ idle, absolute time.Duration }{
		"anna":  {4 * time.Hour, 12 * time.Hour},
		"stina": {4 * time.Hour, 12 * time.Hour},
		"maria": {30 * 24 * time.Hour, 180 * 24 * time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			k, _ := team()
			idle, busy := signIn(t, k, person), signIn(t, k, person)
			time.Sleep(limit.idle - time.Second)
			idle.must("just before it has been idle for too long", false)
			busy.must("busy", false)
			time.Sleep(limit.idle)
			if err := idle.ask(false); !errors.Is(err, access.ErrExpired) {
				t.Errorf("%s, idle for %v: %v, want ErrExpired", person, limit.idle, err)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			k, _ := team()
			busy := signIn(t, k, person)
			step := limit.absolute / 100
			for range 99 {
				time.Sleep(step)
				busy.must("busy", false)
			}
			time.Sleep(step)
			if err := busy.ask(false); !errors.Is(err, access.ErrExpired) {
				t.Errorf("%s after %v of work: %v, want ErrExpired", person, limit.absolute, err)
			}
		})
	}
}

func TestASessionsSecretTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := team()
		b := signIn(t, k, "anna")
		seen := []string{b.secret}
		for range 11 * 60 { // a shift, a request a minute
			time.Sleep(time.Minute)
			b.must("at work", false)
			if b.secret != seen[len(seen)-1] {
				seen = append(seen, b.secret)
			}
		}
		if n := len(seen); n < 11*3 || n > 11*4+1 {
			t.Errorf("%d secrets in 11 hours, want one about every quarter", n)
		}
		for hash, c := range m.credentials {
			if slices.Contains(seen, c.Secret) || slices.Contains(seen, hash) {
				t.Error("a secret is in the store")
			}
		}
	})
}

func TestALostAnswerSignsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := team()
		b := signIn(t, k, "anna")
		first := b.secret
		for range 11 * 20 { // a day on a network on which only requests arrive
			time.Sleep(3 * time.Minute)
			b.must("answer lost", true)
		}
		if b.secret != first {
			t.Fatal("an answer arrived")
		}
		b.must("and then one arrives", false)
		if b.secret == first {
			t.Error("no new secret was offered")
		}
		b.must("with the new one", false)
	})
}

// Answers to requests that were under way at once come in any order.
func TestParallelRequestsSignNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := team()
		b := signIn(t, k, "anna")
		for range 30 {
			time.Sleep(16 * time.Minute)
			old := b.secret
			var all sync.WaitGroup
			answers := make([]string, 8)
			for i := range answers {
				all.Go(func() {
					pass, err := k.Enter(t.Context(), old, care.Session)
					if err != nil {
						t.Error(err)
					}
					answers[i] = pass.Renewed
				})
			}
			all.Wait()
			if b.secret = answers[0]; b.secret == old || b.secret == "" || len(slices.Compact(answers)) != 1 {
				t.Fatalf("offered %d different secrets", len(answers))
			}
			for range 2 { // the new one, while old requests are still under way
				for range 4 {
					all.Go(func() { b.must("with the new one", true) })
					all.Go(func() {
						pass, err := k.Enter(t.Context(), old, care.Session)
						if err != nil || pass.Renewed != "" && pass.Renewed != b.secret {
							t.Errorf("with the old one: %q, %v", pass.Renewed, err)
						}
					})
				}
				all.Wait()
				time.Sleep(59 * time.Second)
			}
			if t.Failed() {
				return
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestASecretThatIsUsedUpEndsTheSession(t *testing.T) {
	for name, turns := range map[string]int{"the one before": 1, "one of an hour ago": 4, "the first of the shift": 30} {
		synctest.Test(t, func(t *testing.T) {
			k, _ := team()
			b, other := signIn(t, k, "anna"), signIn(t, k, "anna")
			stolen := b.secret
			for range turns {
				time.Sleep(16 * time.Minute)
				b.must("at work", false)
				b.must("at work", false)
				other.must("elsewhere", false)
			}
			time.Sleep(5 * time.Minute)
			pass, err := k.Enter(t.Context(), stolen, care.Session)
			if !errors.Is(err, access.ErrStolen) || !errors.Is(err, access.ErrUnknown) || pass.Actor.Name != "Anna" {
				t.Errorf("%s: %+v, %v; want ErrStolen, and whose it was", name, pass, err)
			}
			if err := b.ask(false); !errors.Is(err, access.ErrUnknown) || errors.Is(err, access.ErrStolen) {
				t.Errorf("%s: who had the session gets %v, want ErrUnknown", name, err)
			}
			if _, err := k.Enter(t.Context(), stolen, care.Session); !errors.Is(err, access.ErrUnknown) || errors.Is(err, access.ErrStolen) {
				t.Errorf("%s, again: %v", name, err)
			}
			other.must("another session of the same person", false)
		})
	}
}

// A request that stood still on a bad network comes with the secret of when it was
// sent. It is not done, as a thief would have that secret too, and nobody is
// signed out by it.
func TestALateRequestSignsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := team()
		b := signIn(t, k, "anna")
		for range 20 { // a shift
			time.Sleep(16 * time.Minute)
			stalled := &browser{t, k, b.secret}
			b.must("at work", false)
			b.must("with the new one", false)
			time.Sleep(59 * time.Second)
			stalled.must("a minute later", true)
			for _, later := range []time.Duration{2 * time.Second, time.Minute, 2*time.Minute + 50*time.Second} {
				time.Sleep(later)
				for range 3 {
					pass, err := k.Enter(t.Context(), stalled.secret, care.Session)
					if !errors.Is(err, access.ErrLate) || errors.Is(err, access.ErrUnknown) || pass.Renewed != "" || pass.Actor.Name != "" {
						t.Fatalf("%v later: %+v, %v; want ErrLate", later, pass, err)
					}
				}
				b.must("meanwhile", false)
			}
		}
		// Who goes on coming with it has kept it, or taken it.
		time.Sleep(16 * time.Minute)
		thief := &browser{t, k, b.secret}
		b.must("at work", false)
		b.must("with the new one", false)
		time.Sleep(5 * time.Minute)
		if err := thief.ask(false); !errors.Is(err, access.ErrStolen) {
			t.Errorf("5 minutes later: %v, want ErrStolen", err)
		}
	})
}

// It counts for 10 minutes that somebody has proved who they are: by an
// invitation, by the municipality's own sign-in, or by a passkey that has verified
// its owner; never by having the cookie.
func TestAProofIsFreshForTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := team()
		for from, want := range map[care.CredentialKind]bool{
			care.Invitation: true, care.FromOIDC: true, care.SignInLink: true, care.FromPasskey: false, care.Token: false,
		} {
			secret, who, err := k.OpenSession(t.Context(), "anna", from, "")
			if err != nil {
				t.Fatal(err)
			}
			proved := func(doing string, want bool) {
				t.Helper()
				if got, err := k.Proved(t.Context(), who); err != nil || got != want {
					t.Errorf("%s, %s: %v, %v; want %v", from, doing, got, err, want)
				}
			}
			proved("at first", want)
			time.Sleep(10 * time.Minute)
			proved("10 minutes later", false)
			(&browser{t, k, secret}).must("at work", false)
			proved("with the cookie", false)
			if err := k.Prove(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10*time.Minute - time.Second)
			proved("after a proof", true)
			time.Sleep(time.Second)
			proved("10 minutes after it", false)
		}
		token := create(t, k, care.Token, 0)
		program, err := k.Actor(t.Context(), token, care.Token)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Proved(t.Context(), program); got || err != nil {
			t.Errorf("a token: %v, %v", got, err)
		}
	})
}

// The thief is quicker than whose cookie it was: then that person's next
// request ends the thief's session.
func TestAThiefIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := team()
		anna := signIn(t, k, "anna")
		thief := &browser{t, k, anna.secret}
		for range 6 { // Anna is at lunch
			time.Sleep(16 * time.Minute)
			thief.must("the thief", false)
			thief.must("the thief", false)
		}
		time.Sleep(2 * time.Minute)
		if err := anna.ask(false); !errors.Is(err, access.ErrStolen) {
			t.Errorf("Anna: %v, want ErrStolen", err)
		}
		if err := thief.ask(false); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("the thief: %v, want ErrUnknown", err)
		}
	})
}

func TestSecretsThatNeverWereAreUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := team()
		b := signIn(t, k, "anna")
		for range 3 {
			time.Sleep(16 * time.Minute)
			b.must("at work", false)
			b.must("at work", false)
		}
		half := 6 + 22
		for _, secret := range []string{
			b.secret[:half] + "AAAAAAAAAAAAAAAAAAAAA", "lyk_s_" + "AAAAAAAAAAAAAAAAAAAAAA" + b.secret[half:], b.secret[:len(b.secret)-1] + "!",
		} {
			if _, err := k.Enter(t.Context(), secret, care.Session); !errors.Is(err, access.ErrUnknown) || errors.Is(err, access.ErrStolen) {
				t.Errorf("%q: %v, want ErrUnknown", secret, err)
			}
		}
		b.must("nobody was signed out by that", false)
	})
}

func TestWhoASessionIsIsReadFromThePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := team()
		anna, maria := signIn(t, k, "anna"), signIn(t, k, "maria")
		who := func(b *browser) access.Actor {
			t.Helper()
			pass, err := k.Enter(t.Context(), b.secret, care.Session)
			if err != nil {
				t.Fatal(err)
			}
			pass.Actor.Credential = ""
			return pass.Actor
		}
		if got, want := who(anna), (access.Actor{Name: "Anna", Role: care.Caregiver, Person: "anna", Areas: []string{"norr"}}); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		if got, want := who(maria), (access.Actor{Name: "Maria", Role: care.Relative, Person: "maria", Homes: []string{"karin"}}); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		m.mu.Lock()
		m.people["anna"] = care.Person{ID: "anna", Name: "Anna Ek", Role: care.Coordinator}
		m.homes["maria"] = nil
		m.mu.Unlock()
		time.Sleep(30 * time.Second)
		if got := who(anna); got.Role != care.Coordinator || got.Name != "Anna Ek" || got.Areas != nil {
			t.Errorf("half a minute after she was promoted: %+v", got)
		}
		if got := who(maria); got.Homes != nil {
			t.Errorf("half a minute after she is no contact: %+v", got)
		}
		m.mu.Lock()
		m.people["anna"] = care.Person{ID: "anna", Name: "Anna Ek"}
		delete(m.people, "maria")
		m.mu.Unlock()
		time.Sleep(30 * time.Second)
		for name, b := range map[string]*browser{"without a role": anna, "gone": maria} {
			if err := b.ask(false); !errors.Is(err, access.ErrUnknown) {
				t.Errorf("%s: %v, want ErrUnknown", name, err)
			}
		}
		if _, _, err := k.OpenSession(t.Context(), "anna", care.FromPasskey, ""); !errors.Is(err, access.ErrNoRole) {
			t.Errorf("signing in without a role: %v, want ErrNoRole", err)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := team()
		phone := signIn(t, k, "anna")
		time.Sleep(10 * time.Minute)
		office, lost, stina := signIn(t, k, "anna"), signIn(t, k, "anna"), signIn(t, k, "stina")
		time.Sleep(5 * time.Minute)
		who, err := k.Actor(t.Context(), phone.secret, care.Session)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			phone.must("at work", false)
		}
		if m.used != 1 {
			t.Errorf("4 requests in a minute were noted %d times, want once", m.used)
		}
		list, err := k.SessionsOf(t.Context(), who)
		if err != nil || len(list) != 3 || !list[0].This || list[1].This || list[0].Device != "Chrome, Android" {
			t.Fatalf("%+v, %v", list, err)
		}
		if first := list[0]; first.Used.Sub(first.Started) != 15*time.Minute || first.Expires.Sub(first.Used) != 4*time.Hour {
			t.Errorf("%+v", first)
		}
		stinas, err := k.Actor(t.Context(), stina.secret, care.Session)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.EndSession(t.Context(), stinas, list[1].ID); err != access.ErrUnknown {
			t.Errorf("ending somebody else's: %v, want ErrUnknown", err)
		}
		if err := k.EndSession(t.Context(), who, list[1].ID); err != nil {
			t.Fatal(err)
		}
		if left, err := k.SessionsOf(t.Context(), who); err != nil || len(left) != 2 {
			t.Errorf("%+v, %v", left, err)
		}
		if err := k.EndOthers(t.Context(), who); err != nil {
			t.Fatal(err)
		}
		for _, b := range []*browser{office, lost} {
			if err := b.ask(false); !errors.Is(err, access.ErrUnknown) {
				t.Errorf("ended: %v", err)
			}
		}
		phone.must("this one goes on", false)
		if err := k.EndAll(t.Context(), "anna"); err != nil {
			t.Fatal(err)
		}
		if err := phone.ask(false); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("all ended: %v", err)
		}
		stina.must("nobody else's", false)
	})
}

// What lasts, such as a stream of events, asks with the secret of long ago.
func TestStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := team()
		b := signIn(t, k, "anna")
		then, err := k.Actor(t.Context(), b.secret, care.Session)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			time.Sleep(16 * time.Minute)
			b.must("at work", false)
			b.must("at work", false)
			if now, err := k.Still(t.Context(), then); err != nil || now.Name != "Anna" {
				t.Fatalf("%+v, %v", now, err)
			}
		}
		used := m.used
		time.Sleep(4 * time.Hour)
		if _, err := k.Still(t.Context(), then); !errors.Is(err, access.ErrExpired) || m.used != used {
			t.Errorf("a stream alone keeps a session: %v", err)
		}
		token := create(t, k, care.Token, 0)
		program, err := k.Actor(t.Context(), token, care.Token)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Still(t.Context(), program); err != nil {
			t.Error(err)
		}
		if err := k.End(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Still(t.Context(), program); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("ended: %v", err)
		}
	})
}

func TestInvitations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := team()
		if _, err := k.Invite(t.Context(), "bo"); !errors.Is(err, access.ErrNoRole) {
			t.Errorf("without a role: %v", err)
		}
		if _, err := k.Invite(t.Context(), "nobody"); !errors.Is(err, access.ErrNoRole) {
			t.Errorf("nobody: %v", err)
		}
		replaced, err := k.Invite(t.Context(), "maria")
		if err != nil {
			t.Fatal(err)
		}
		given, err := k.Invite(t.Context(), "maria")
		first, second, expires := replaced.Code, given.Code, given.Expires
		if err != nil || time.Until(expires) != 7*24*time.Hour {
			t.Fatal(expires, err)
		}
		if link := given.Link("https://lykta.example"); link != "https://lykta.example/family/invitation#"+second {
			t.Errorf("a relative's link is %q, not to the relatives' own page", link)
		}
		for range 3 {
			if who, until, err := k.Invited(t.Context(), second); err != nil || who.Name != "Maria" || !slices.Equal(who.Homes, []string{"karin"}) || !until.Equal(expires) {
				t.Errorf("%+v, %v, %v", who, until, err)
			}
		}
		if _, err := k.Enter(t.Context(), second, care.Token, care.Session); err != access.ErrUnknown {
			t.Errorf("an invitation as a token: %v", err)
		}
		if _, _, err := k.Exchange(t.Context(), second); err != access.ErrUnknown {
			t.Errorf("an invitation as a link: %v", err)
		}
		session, who, err := k.Accept(t.Context(), second, "Marias telefon")
		if err != nil || who.Role != care.Relative {
			t.Fatal(who, err)
		}
		(&browser{t, k, session}).must("accepted", false)
		for name, code := range map[string]string{"used up": second, "replaced": first, "a session": session} {
			if _, _, err := k.Accept(t.Context(), code, ""); err != access.ErrUnknown {
				t.Errorf("%s: %v, want ErrUnknown", name, err)
			}
		}
		late, err := k.Invite(t.Context(), "maria")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(7 * 24 * time.Hour)
		if _, _, err := k.Accept(t.Context(), late.Code, ""); err != access.ErrExpired {
			t.Errorf("a week later: %v, want ErrExpired", err)
		}
	})
}

func TestWhoMayGiveWhat(t *testing.T) {
	for giver, may := range map[care.Role][]care.Role{
		care.Operator:    {"", care.Caregiver, care.Coordinator, care.Operator, care.Relative},
		care.Coordinator: {"", care.Caregiver, care.Coordinator, care.Relative},
		care.Caregiver:   nil, care.Relative: nil, care.Responder: nil, care.AtHome: nil, "": nil,
	} {
		for _, role := range []care.Role{"", care.Caregiver, care.Coordinator, care.Operator, care.Relative, care.Responder, care.AtHome, "king"} {
			if got := access.MayGive(giver, role); got != slices.Contains(may, role) {
				t.Errorf("a %q may make a %q: %v", giver, role, got)
			}
		}
	}
	limited := access.Actor{Areas: []string{"norr", "söder"}}
	for _, test := range []struct {
		giver access.Actor
		areas []string
		want  bool
	}{
		{access.Actor{}, nil, true}, {access.Actor{}, []string{"norr"}, true}, {limited, []string{"norr"}, true},
		{limited, []string{"norr", "söder"}, true}, {limited, []string{"norr", "väster"}, false}, {limited, nil, false},
	} {
		if got := access.MayGiveAreas(test.giver, test.areas); got != test.want {
			t.Errorf("%v gives %v: %v", test.giver.Areas, test.areas, got)
		}
	}
}

// P8: a token that names a person is bound as they are, whichever way it is
// used, and by what they may now.
func TestP8ATokenIsBoundAsItsPersonIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := team()
		token, err := k.Create(t.Context(), care.Token, access.Actor{Name: "Program", Role: care.Coordinator, Person: "anna"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		who, err := k.Actor(t.Context(), token, care.Token)
		if err != nil || who.Role != care.Caregiver || !slices.Equal(who.Areas, []string{"norr"}) || who.Person != "anna" || who.Credential == "" {
			t.Errorf("%+v, %v", who, err)
		}
		m.people["anna"] = care.Person{ID: "anna", Name: "Anna", Role: care.Caregiver, Areas: []string{"söder"}}
		k.ForgetPerson("anna")
		if now, err := k.Still(t.Context(), who); err != nil || !slices.Equal(now.Areas, []string{"söder"}) {
			t.Errorf("after a change: %+v, %v", now, err)
		}
		m.people["anna"] = care.Person{ID: "anna", Name: "Anna", Role: care.Operator}
		k.ForgetPerson("anna")
		if now, err := k.Still(t.Context(), who); err != nil || now.Role != care.Coordinator || now.Name != "Program" {
			t.Errorf("whose person may more than it: %+v, %v", now, err)
		}
		m.people["anna"] = care.Person{ID: "anna", Name: "Anna", Role: care.Relative}
		k.ForgetPerson("anna")
		if now, err := k.Still(t.Context(), who); err != nil || now.Role != care.Relative || len(now.Homes) != 0 {
			t.Errorf("whose person is no staff any more: %+v, %v", now, err)
		}
		own, err := k.Create(t.Context(), care.Token, access.Actor{Name: "Program", Role: care.Coordinator, Person: "bo"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if who, err := k.Actor(t.Context(), own, care.Token); err != nil || who.Role != care.Coordinator || who.Name != "Program" {
			t.Errorf("of somebody without a role: %+v, %v", who, err)
		}
	})
}
