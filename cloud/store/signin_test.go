package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

func session(hash, person string, created int) care.Credential {
	return care.Credential{
		Hash: hash, Kind: care.Session, Name: "Anna", Role: care.Caregiver, Person: person, Created: at(created), Expires: at(created + 3600),
		From: care.FromPasskey, Device: "Chrome, Android", Secret: "secret-0", Seed: "seed", Turned: at(created), Used: at(created),
	}
}

func testSessions(t *testing.T, s *store.Store) {
	ctx := t.Context()
	c := session("s1", "anna", 0)
	if err := s.PutCredential(ctx, c); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Credential(ctx, "s1"))(t); got != c {
		t.Errorf("%+v, want %+v", got, c)
	}
	gone := func(doing string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", doing, err)
		}
	}
	fine := func(doing string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", doing, err)
		}
	}
	gone("turning what was not offered", s.TurnSecret(ctx, "s1", "secret-1", at(1)))
	gone("turning to nothing", s.TurnSecret(ctx, "s1", "", at(1)))
	gone("offering after another secret", s.OfferSecret(ctx, "s1", "secret-9", "secret-1"))
	fine("offering", s.OfferSecret(ctx, "s1", "secret-0", "secret-1"))
	fine("offering again", s.OfferSecret(ctx, "s1", "secret-0", "secret-1"))

	var turned atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch err := s.TurnSecret(ctx, "s1", "secret-1", at(10)); {
			case err == nil:
				turned.Add(1)
			case !errors.Is(err, store.ErrNotFound):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if turned.Load() != 1 {
		t.Errorf("one secret was turned to %d times", turned.Load())
	}
	gone("offering after the old secret", s.OfferSecret(ctx, "s1", "secret-0", "secret-1"))
	fine("using", s.UseSession(ctx, "s1", at(20)))
	fine("using, said late", s.UseSession(ctx, "s1", at(15)))
	fine("proving", s.ProveSession(ctx, "s1", at(30)))
	gone("proving in what is not there", s.ProveSession(ctx, "none", at(1)))
	want := c
	want.Proved = at(30)
	want.Secret, want.Turns, want.Turned, want.Used = "secret-1", 1, at(10), at(20)
	if got := must(s.Credential(ctx, "s1"))(t); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := s.PutCredential(ctx, care.Credential{Hash: "token", Kind: care.Token, Name: "x", Role: care.Operator}); err != nil {
		t.Fatal(err)
	}
	gone("using what is no session", s.UseSession(ctx, "token", at(1)))
	gone("using what is not there", s.UseSession(ctx, "none", at(1)))
}

func testSignIns(t *testing.T, s *store.Store) {
	ctx := t.Context()
	anna := care.Person{ID: "anna", Name: "Anna", Language: "sv", Role: care.Coordinator, Areas: []string{"norr", "söder"}}
	bo := care.Person{ID: "bo", Name: "Bo", Language: "sv", Role: care.Relative}
	for _, p := range []care.Person{anna, bo} {
		if err := s.PutPerson(ctx, p); err != nil {
			t.Fatal(err)
		}
		if got := must(s.Person(ctx, p.ID))(t); !reflect.DeepEqual(got, p) {
			t.Errorf("%+v, want %+v", got, p)
		}
	}
	for _, m := range []care.Member{
		{Group: care.GroupContacts, Scope: "h2", Person: "bo"}, {Group: care.GroupContacts, Scope: "h1", Person: "bo"},
		{Group: care.GroupResponders, Scope: "h3", Person: "bo"}, {Group: care.GroupContacts, Scope: "h4", Person: "anna"},
	} {
		if err := s.PutMember(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(s.MembersOf(ctx, "bo"))(t); len(got) != 3 || got[0].Scope != "h1" || got[2].Group != care.GroupResponders || got[2].Scope != "h3" {
		t.Errorf("Bo is in %+v", got)
	}
	if got := must(s.HomesOf(ctx, "bo"))(t); !reflect.DeepEqual(got, []string{"h1", "h2"}) {
		t.Errorf("a relative's homes are %v", got)
	}

	key := care.Passkey{ID: "k1", Person: "anna", Name: "Telefon", Credential: `{"a":1}`, Added: at(1)}
	second := care.Passkey{ID: "k2", Person: "anna", Name: "Dator", Credential: `{}`, Added: at(2)}
	for _, k := range []care.Passkey{second, key} {
		if err := s.PutPasskey(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	stolen := key
	stolen.Person = "bo"
	if err := s.PutPasskey(ctx, stolen); !errors.Is(err, store.ErrExists) {
		t.Errorf("somebody else's passkey: %v, want ErrExists", err)
	}
	stolen.ID, stolen.Person = "k3", "nobody"
	if err := s.PutPasskey(ctx, stolen); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a passkey of nobody: %v, want ErrNotFound", err)
	}
	for i := range 18 {
		if err := s.PutPasskey(ctx, care.Passkey{ID: fmt.Sprint("more", i), Person: "anna", Added: at(10 + i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutPasskey(ctx, care.Passkey{ID: "one too many", Person: "anna"}); !errors.Is(err, store.ErrExists) {
		t.Errorf("the 21st passkey: %v", err)
	}
	if err := s.UsePasskey(ctx, "k1", `{"a":2}`, at(30)); err != nil {
		t.Fatal(err)
	}
	key.Credential, key.Used = `{"a":2}`, at(30)
	if got := must(s.Passkey(ctx, "k1"))(t); got != key {
		t.Errorf("%+v, want %+v", got, key)
	}
	if got := must(s.Passkeys(ctx, "anna"))(t); len(got) != 20 || got[0] != key || got[1] != second {
		t.Errorf("%+v", got)
	}
	for doing, err := range map[string]error{
		"somebody else's": s.DeletePasskey(ctx, "bo", "k1"), "none": s.DeletePasskey(ctx, "anna", "k9"), "use of none": s.UsePasskey(ctx, "k9", "", at(1)),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", doing, err)
		}
	}
	if err := s.DeletePasskey(ctx, "anna", "k1"); err != nil {
		t.Error(err)
	}

	if err := s.PutIdentity(ctx, "https://idp", "sub-1", "anna", at(1)); err != nil {
		t.Fatal(err)
	}
	for name, bind := range map[string][3]string{
		"a subject that is bound": {"https://idp", "sub-1", "bo"}, "a second subject of one person": {"https://idp", "sub-2", "anna"},
	} {
		if err := s.PutIdentity(ctx, bind[0], bind[1], bind[2], at(2)); !errors.Is(err, store.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
	}
	if err := s.PutIdentity(ctx, "https://other", "sub-1", "bo", at(2)); err != nil {
		t.Errorf("the same subject elsewhere: %v", err)
	}
	if got := must(s.Identity(ctx, "https://idp", "sub-1"))(t); got != "anna" {
		t.Errorf("sub-1 is %q", got)
	}
	if got := must(s.Subject(ctx, "https://idp", "anna"))(t); got != "sub-1" {
		t.Errorf("Anna is %q there", got)
	}
	if _, err := s.Subject(ctx, "https://idp", "bo"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Bo there: %v", err)
	}
	if _, err := s.Identity(ctx, "https://idp", "sub-2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("sub-2: %v", err)
	}

	invited := care.Credential{Hash: "i1", Kind: care.Invitation, Name: "Anna", Role: care.Coordinator, Person: "anna", Created: at(5), Expires: at(500)}
	token := care.Credential{Hash: "t1", Kind: care.Token, Name: "Anna", Role: care.Coordinator, Person: "anna", Created: at(1)}
	nobody := session("s9", "", 0)
	for _, c := range []care.Credential{session("s1", "anna", 2), session("s2", "anna", 3), session("s3", "bo", 4), invited, token, nobody} {
		if err := s.PutCredential(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	hashes := func(person string) (out []string) {
		for _, c := range must(s.CredentialsOf(ctx, person))(t) {
			out = append(out, c.Hash)
		}
		return out
	}
	if got := hashes("anna"); !reflect.DeepEqual(got, []string{"i1", "s2", "s1", "t1"}) {
		t.Errorf("Anna's are %v", got)
	}
	if got := must(s.SignIns(ctx))(t); !reflect.DeepEqual(got, map[string]care.SignInState{"anna": {Passkeys: 19, Invited: at(5), InvitedUntil: at(500)}}) {
		t.Errorf("%+v", got)
	}
	for _, person := range []string{"anna", ""} {
		if err := s.DeleteCredentialsOf(ctx, person, care.Session, "s2"); err != nil {
			t.Fatal(err)
		}
	}
	if got := hashes("anna"); !reflect.DeepEqual(got, []string{"i1", "s2", "t1"}) {
		t.Errorf("but one: %v", got)
	}
	if _, err := s.Credential(context.WithoutCancel(ctx), "s9"); err != nil {
		t.Errorf("a session of nobody was taken for one of a person: %v", err)
	}
	if err := s.DeleteSignIns(ctx, "anna"); err != nil {
		t.Fatal(err)
	}
	if got := hashes("anna"); !reflect.DeepEqual(got, []string{"t1"}) {
		t.Errorf("signed out everywhere: %v", got)
	}
	if keys := must(s.Passkeys(ctx, "anna"))(t); len(keys) > 0 {
		t.Errorf("passkeys left: %v", keys)
	}
	if _, err := s.Identity(ctx, "https://idp", "sub-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("identity left: %v", err)
	}
	if got := hashes("bo"); !reflect.DeepEqual(got, []string{"s3"}) {
		t.Errorf("Bo's are %v", got)
	}
}
