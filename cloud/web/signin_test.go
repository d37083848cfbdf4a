package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/web"
)

const publicURL = "https://lykta.example"

// people puts a team into the service: Anna cares in the north, Stina
// coordinates, Olle runs the machines, Maria is a relative of home-1.
func people(t *testing.T, s *site) {
	t.Helper()
	for _, p := range []care.Person{
		{ID: "anna", Name: "Anna", Language: "sv", Role: care.Caregiver, Addresses: []care.Address{{Channel: care.ChannelEmail, To: "anna@kommun.example"}}},
		{ID: "stina", Name: "Stina", Language: "en", Role: care.Coordinator, Addresses: []care.Address{{Channel: care.ChannelEmail, To: "stina@kommun.example"}}},
		{ID: "olle", Name: "Olle", Language: "sv", Role: care.Operator},
		{ID: "maria", Name: "Maria", Language: "sv", Role: care.Relative},
		{ID: "bo", Name: "Bo", Language: "sv", Addresses: []care.Address{{Channel: care.ChannelEmail, To: "bo@kommun.example"}}},
	} {
		if err := s.db.PutPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.PutMember(t.Context(), care.Member{Group: care.GroupContacts, Scope: "home-1", Person: "maria"}); err != nil {
		t.Fatal(err)
	}
}

func atPublicURL(o *web.Options) { o.URL = publicURL }

// as signs a person in, who has proved who they are, and returns the header that
// shows it.
func (s *site) as(person string) []string {
	s.t.Helper()
	session, who, err := s.keeper.OpenSession(s.t.Context(), person, care.FromPasskey, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.keeper.Prove(s.t.Context(), who); err != nil {
		s.t.Fatal(err)
	}
	return []string{"Cookie", "__Host-lykta=" + session}
}

// unproved is a session of which nobody has shown more than the cookie for long.
func (s *site) unproved(person string) []string {
	s.t.Helper()
	session, _, err := s.keeper.OpenSession(s.t.Context(), person, care.FromPasskey, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{"Cookie", "__Host-lykta=" + session}
}

// cookieOf returns the session that an answer has given out, as a header.
func cookieOf(t *testing.T, a answer) []string {
	t.Helper()
	for _, c := range a.Cookies() {
		if c.Name == "__Host-lykta" && c.Value != "" {
			return []string{"Cookie", c.Name + "=" + c.Value}
		}
	}
	t.Fatalf("%s: %d %s: no session", a.Request.URL, a.StatusCode, a.body)
	return nil
}

type began struct {
	Ceremony  string
	PublicKey json.RawMessage
}

// device is a telephone with passkeys in it.
type device struct {
	t    *testing.T
	s    *site
	auth virtualwebauthn.Authenticator
	rp   virtualwebauthn.RelyingParty
	key  virtualwebauthn.Credential
}

// newPasskey makes a passkey as devices do: both coordinates with all their 32
// bytes (RFC 9053, section 7.1.1). The library leaves out leading zeros, which
// one key in 128 has, and which are rightly refused.
func newPasskey() virtualwebauthn.Credential {
	const whole = 77 // bytes of the COSE key
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

func newDevice(t *testing.T, s *site) *device {
	return &device{
		t: t, s: s, auth: virtualwebauthn.NewAuthenticator(), key: newPasskey(),
		rp: virtualwebauthn.RelyingParty{ID: "lykta.example", Name: "Lykta", Origin: publicURL},
	}
}

// register begins to add a passkey and returns what the device answers.
func (d *device) register(cookie []string) (ceremony string, credential json.RawMessage) {
	d.t.Helper()
	var asked began
	d.s.do("POST", "/api/v1/me/passkeys/options", "", map[string]any{}, cookie...).into(d.t, &asked)
	options, err := virtualwebauthn.ParseAttestationOptions(string(asked.PublicKey))
	if err != nil {
		d.t.Fatalf("%v in %s", err, asked.PublicKey)
	}
	d.auth.Options.UserHandle = []byte(options.UserID)
	return asked.Ceremony, json.RawMessage(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *options))
}

func (d *device) add(cookie []string, name string) answer {
	d.t.Helper()
	ceremony, credential := d.register(cookie)
	return d.s.do("POST", "/api/v1/me/passkeys", "", map[string]any{"ceremony": ceremony, "name": name, "credential": credential}, cookie...)
}

// sign begins to sign in and returns what the device answers.
func (d *device) sign() map[string]any {
	d.t.Helper()
	var asked began
	d.s.do("POST", "/api/v1/sign-in/passkey/options", "", map[string]any{}).into(d.t, &asked)
	options, err := virtualwebauthn.ParseAssertionOptions(string(asked.PublicKey))
	if err != nil {
		d.t.Fatalf("%v in %s", err, asked.PublicKey)
	}
	return map[string]any{"ceremony": asked.Ceremony, "credential": json.RawMessage(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *options))}
}

func (d *device) signIn() answer {
	d.t.Helper()
	return d.s.do("POST", "/api/v1/sign-in/passkey", "", d.sign(), "User-Agent", "Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36")
}

// From an invitation to a passkey, and in with it ever after.
func TestAnInvitationAndThenPasskeys(t *testing.T) {
	s := open(t, atPublicURL)
	people(t, s)
	var how struct {
		Passkeys bool
		OIDC     any
	}
	s.do("GET", "/api/v1/sign-in", "", nil).into(t, &how)
	if !how.Passkeys || how.OIDC != nil {
		t.Errorf("how to sign in: %+v", how)
	}
	var invited struct {
		Link, Code string
		Expires    time.Time
	}
	s.do("POST", "/api/v1/people/maria/invitation", "", nil, s.as("stina")...).into(t, &invited)
	if invited.Link != publicURL+"/family/invitation#"+invited.Code || !strings.HasPrefix(invited.Code, "lyk_i_") || time.Until(invited.Expires) < 6*24*time.Hour {
		t.Errorf("%+v", invited)
	}
	var seen struct {
		Name, Role string
		Homes      []string
	}
	for range 2 {
		s.do("POST", "/api/v1/invitation/look", "", map[string]string{"code": invited.Code}).into(t, &seen)
		if seen.Name != "Maria" || seen.Role != "relative" || len(seen.Homes) != 1 || seen.Homes[0] != "Åke Öst" {
			t.Errorf("%+v", seen)
		}
	}
	a := s.do("POST", "/api/v1/invitation/accept", "", map[string]string{"code": invited.Code, "device": "Marias telefon"})
	maria := cookieOf(t, a)
	if a.StatusCode != http.StatusNoContent || a.Cookies()[0].MaxAge != 180*24*60*60 {
		t.Errorf("%d, cookie for %d s", a.StatusCode, a.Cookies()[0].MaxAge)
	}
	s.do("POST", "/api/v1/invitation/accept", "", map[string]string{"code": invited.Code}).problem(t, 404, "LYK-0718")

	phone := newDevice(t, s)
	added := phone.add(maria, "Marias telefon")
	if added.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s %s", added.StatusCode, added.body, s.log)
	}
	// P8: a carer does not come in her place, and the home's log says who let her in.
	s.do("POST", "/api/v1/people/maria/invitation", "", nil, s.as("anna")...).problem(t, 403, "LYK-0505")
	if log, err := s.db.AuditLog(t.Context(), "home-1", 0); err != nil || !slices.ContainsFunc(log, func(e care.AuditEntry) bool { return e.Action == "invite" && e.Detail == "maria" }) {
		t.Errorf("the home's log: %+v, %v", log, err)
	}
	if again := phone.add(maria, "Samma"); again.StatusCode < 400 {
		t.Errorf("the same passkey twice: %d", again.StatusCode)
	}
	for range 2 {
		in := phone.signIn()
		if in.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s %s", in.StatusCode, in.body, s.log)
		}
		maria = cookieOf(t, in)
	}
	var me struct {
		Name, Role, Person, Language string
		Passkeys                     int
		May                          []string
	}
	s.do("GET", "/api/v1/me", "", nil, maria...).into(t, &me)
	if me.Name != "Maria" || me.Role != "relative" || me.Person != "maria" || me.Passkeys != 1 || strings.Join(me.May, " ") != "read act_on_alert ask_for_visits write_messages call" {
		t.Errorf("%+v", me)
	}
	var sessions struct {
		Sessions []struct {
			ID, Device string
			This       bool
		}
	}
	s.do("GET", "/api/v1/me/sessions", "", nil, maria...).into(t, &sessions)
	if len(sessions.Sessions) != 3 {
		t.Fatalf("%+v", sessions)
	}
	devices := map[string]int{}
	for _, one := range sessions.Sessions {
		devices[one.Device]++
		if !one.This && one.Device == "Marias telefon" {
			if a := s.do("DELETE", "/api/v1/me/sessions/"+one.ID, "", nil, maria...); a.StatusCode != http.StatusNoContent {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		}
	}
	if devices["Marias telefon"] != 1 || devices["Chrome, Android"] != 2 {
		t.Errorf("signed in on %v", devices)
	}
	var keys struct {
		Passkeys []struct {
			ID, Name string
			Used     *time.Time
		}
	}
	s.do("GET", "/api/v1/me/passkeys", "", nil, maria...).into(t, &keys)
	if len(keys.Passkeys) != 1 || keys.Passkeys[0].Name != "Marias telefon" || keys.Passkeys[0].Used == nil {
		t.Fatalf("%+v", keys)
	}
	s.do("DELETE", "/api/v1/me/passkeys/"+keys.Passkeys[0].ID, "", nil, s.as("anna")...).problem(t, 404, "LYK-0502")
	if a := s.do("DELETE", "/api/v1/me/passkeys/"+keys.Passkeys[0].ID, "", nil, maria...); a.StatusCode != http.StatusNoContent {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	phone.signIn().problem(t, 401, "LYK-0717")
}

// A lost telephone: somebody else ends all that it can do.
func TestALostTelephone(t *testing.T) {
	s := open(t, atPublicURL)
	people(t, s)
	anna := s.as("anna")
	phone := newDevice(t, s)
	if a := phone.add(anna, "Jobbtelefon"); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	browser := map[string]any{"endpoint": "https://push.example/1", "keys": map[string]string{"p256dh": "x", "auth": "y"}}
	if a := s.do("PUT", "/api/v1/me/browser", "", browser, anna...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if a := s.do("DELETE", "/api/v1/people/anna/sign-ins", "", nil, s.as("stina")...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if left, err := s.db.Browsers(t.Context(), "anna"); err != nil || len(left) != 0 {
		t.Errorf("it still shows alarms: %+v, %v", left, err)
	}
	s.do("GET", "/api/v1/me", "", nil, anna...).problem(t, 401, "LYK-0504")
	phone.signIn().problem(t, 401, "LYK-0717")
}

func TestSigningOutEverywhereElse(t *testing.T) {
	s := open(t)
	people(t, s)
	here, there := s.as("anna"), s.as("anna")
	for n, who := range [][]string{here, there} {
		browser := map[string]any{"endpoint": fmt.Sprint("https://push.example/", n), "keys": map[string]string{"p256dh": "x", "auth": "y"}}
		if a := s.do("PUT", "/api/v1/me/browser", "", browser, who...); a.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	if a := s.do("POST", "/api/v1/me/sessions/end-others", "", nil, here...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	s.do("GET", "/api/v1/me", "", nil, there...).problem(t, 401, "LYK-0504")
	if a := s.do("GET", "/api/v1/me", "", nil, here...); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if left, err := s.db.Browsers(t.Context(), "anna"); err != nil || len(left) != 1 || !strings.Contains(left[0].Subscription, "push.example/0") {
		t.Errorf("alarms are shown in %+v, %v; want here alone", left, err)
	}
}

// A token that names a person makes a session of that person as they are in the
// list; where they have no role, the token's own counts.
func TestASessionFromAPersonsToken(t *testing.T) {
	s := open(t)
	people(t, s)
	for _, test := range []struct {
		person string
		token  care.Role
		want   care.Role
		name   string
	}{
		{"stina", care.Caregiver, care.Coordinator, "Stina"}, {"anna", care.Operator, care.Caregiver, "Anna"}, {"bo", care.Caregiver, care.Caregiver, "Token"},
	} {
		token, err := s.keeper.Create(t.Context(), care.Token, access.Actor{Name: "Token", Role: test.token, Person: test.person}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		a := s.do("POST", "/api/v1/session", "", map[string]string{"token": token})
		if a.StatusCode != http.StatusNoContent {
			t.Fatalf("%s: %d %s", test.person, a.StatusCode, a.body)
		}
		var me struct {
			Name string
			Role care.Role
		}
		s.do("GET", "/api/v1/me", "", nil, cookieOf(t, a)...).into(t, &me)
		if me.Role != test.want || me.Name != test.name {
			t.Errorf("%s with a token of a %s: %+v", test.person, test.token, me)
		}
	}
}
