package web_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/web"
)

// age makes a person's only session look as if its secret had turned a while ago.
func (s *site) age(person string, by time.Duration) {
	s.t.Helper()
	found, err := s.db.CredentialsOf(s.t.Context(), person)
	if err != nil || len(found) != 1 {
		s.t.Fatalf("%d sessions, %v", len(found), err)
	}
	c := found[0]
	c.Turned = c.Turned.Add(-by)
	if err := s.db.DropSession(s.t.Context(), c.Hash); err != nil {
		s.t.Fatal(err)
	}
	if err := s.db.PutCredential(s.t.Context(), c); err != nil {
		s.t.Fatal(err)
	}
}

func TestAStolenCookieEndsTheSession(t *testing.T) {
	s := open(t)
	people(t, s)
	old := s.as("anna")
	s.age("anna", 20*time.Minute)
	if a := s.do("GET", "/assets/main-abc.js", "", nil, old...); a.StatusCode != 200 || len(a.Cookies()) > 0 {
		t.Errorf("a file that anybody may keep carries %v", a.Cookies())
	}
	a := s.do("GET", "/api/v1/me", "", nil, old...)
	if len(a.Cookies()) != 1 {
		t.Fatalf("%d, cookies %v", a.StatusCode, a.Cookies())
	}
	if c := a.Cookies()[0]; !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.MaxAge < 11*60*60 || c.MaxAge > 12*60*60 {
		t.Errorf("cookie %+v", c)
	}
	renewed := cookieOf(t, a)
	for _, cookie := range [][]string{old, renewed, old, renewed} { // under way at the same time
		if a := s.do("GET", "/api/v1/me", "", nil, cookie...); a.StatusCode != 200 {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	s.age("anna", 2*time.Minute)
	late := s.do("GET", "/api/v1/homes", "", nil, old...) // that stood still on the way
	late.problem(t, 503, "LYK-0728")
	if len(late.Cookies()) != 0 || late.Header.Get("Retry-After") == "" {
		t.Errorf("a late request is answered with the cookies %v", late.Cookies())
	}
	if a := s.do("GET", "/api/v1/me", "", nil, renewed...); a.StatusCode != 200 {
		t.Errorf("a late request has ended the session: %d %s", a.StatusCode, a.body)
	}
	s.age("anna", 3*time.Minute)
	browser := map[string]any{"endpoint": "https://push.example/1", "keys": map[string]string{"p256dh": "x", "auth": "y"}}
	if a := s.do("PUT", "/api/v1/me/browser", "", browser, renewed...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	theft := s.do("GET", "/api/v1/homes", "", nil, old...)
	theft.problem(t, 401, "LYK-0714")
	if len(theft.Cookies()) != 1 || theft.Cookies()[0].MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", theft.Cookies())
	}
	for _, cookie := range [][]string{renewed, old} {
		s.do("GET", "/api/v1/me", "", nil, cookie...).problem(t, 401, "LYK-0504")
	}
	// Nobody has decided that her telephone tells her of alarms no more; when she
	// signs out there she has.
	shown := func(want int) {
		t.Helper()
		if left, err := s.db.Browsers(t.Context(), "anna"); err != nil || len(left) != want {
			t.Errorf("alarms are shown in %+v, %v; want %d", left, err, want)
		}
	}
	shown(1)
	again := s.as("anna")
	if a := s.do("PUT", "/api/v1/me/browser", "", browser, again...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if a := s.do("DELETE", "/api/v1/session", "", nil, again...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	shown(0)
	log, err := s.db.AuditLog(t.Context(), "", 10)
	if err != nil || !slices.ContainsFunc(log, func(e care.AuditEntry) bool { return e.Action == "session stolen" && e.Actor == "Anna" }) {
		t.Errorf("log %+v, %v", log, err)
	}
}

// Pages of other sites neither act with somebody's cookie nor sign them in as
// somebody else.
func TestOtherSitesCannotSignAnybodyInOrOut(t *testing.T) {
	s := open(t, atPublicURL)
	people(t, s)
	anna := s.as("anna")
	phone := newDevice(t, s)
	if a := phone.add(anna, "x"); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	invited, err := s.keeper.Invite(t.Context(), "maria")
	if err != nil {
		t.Fatal(err)
	}
	code := invited.Code
	signed := phone.sign()
	for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for path, body := range map[string]any{
			"POST /api/v1/session":                map[string]string{"token": s.tokens[care.Operator]},
			"DELETE /api/v1/session":              nil,
			"POST /api/v1/sign-in/passkey":        signed,
			"POST /api/v1/invitation/accept":      map[string]string{"code": code},
			"POST /api/v1/me/passkeys/options":    map[string]any{},
			"POST /api/v1/me/sessions/end-others": nil,
			"POST /api/v1/people/anna/invitation": nil,
			"DELETE /api/v1/people/anna/sign-ins": nil,
			"PUT /api/v1/people/anna":             map[string]any{"name": "Anna", "addresses": []string{}, "role": "operator"},
		} {
			method, to, _ := strings.Cut(path, " ")
			s.do(method, to, "", body, append(slices.Clone(anna), from...)...).problem(t, 403, "LYK-0505")
		}
	}
	if a := s.do("GET", "/api/v1/me", "", nil, anna...); a.StatusCode != 200 {
		t.Errorf("Anna: %d %s", a.StatusCode, a.body)
	}
	if a := s.do("POST", "/api/v1/sign-in/passkey", "", signed, "Sec-Fetch-Site", "same-origin"); a.StatusCode != http.StatusNoContent {
		t.Errorf("from our own page: %d %s", a.StatusCode, a.body)
	}
}

// The table of those who come with a passkey and are not let in.
func TestPasskeysThatAreRefused(t *testing.T) {
	s := open(t, atPublicURL)
	people(t, s)
	anna, olle := s.as("anna"), s.as("olle")
	phone, olles := newDevice(t, s), newDevice(t, s)
	for cookie, d := range map[*[]string]*device{&anna: phone, &olle: olles} {
		d.key.Counter = 10
		if a := d.add(*cookie, "x"); a.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	post := func(body map[string]any) answer { return s.do("POST", "/api/v1/sign-in/passkey", "", body) }
	phone.key.Counter = 11
	if a := phone.signIn(); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	with := func(change func(d *device)) func(t *testing.T) answer {
		return func(*testing.T) answer {
			changed := *phone
			changed.key.Counter = 12
			change(&changed)
			return post(changed.sign())
		}
	}
	for name, test := range map[string]struct {
		status int
		id     string
		try    func(t *testing.T) answer
	}{
		"the same answer twice": {409, "LYK-0716", func(t *testing.T) answer {
			d := *phone
			d.key.Counter = 20
			signed := d.sign()
			if a := post(signed); a.StatusCode != http.StatusNoContent {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
			return post(signed)
		}},
		"an answer to another ceremony": {401, "LYK-0717", func(*testing.T) answer {
			d := *phone
			d.key.Counter = 30
			signed, other := d.sign(), d.sign()
			signed["ceremony"] = other["ceremony"]
			return post(signed)
		}},
		"a ceremony that a wrong answer has used up": {409, "LYK-0716", func(t *testing.T) answer {
			d := *phone
			d.key.Counter = 31
			right := d.sign()
			post(map[string]any{"ceremony": right["ceremony"], "credential": map[string]any{}}).problem(t, 401, "LYK-0717")
			return post(right)
		}},
		"a ceremony that never began": {409, "LYK-0716", func(*testing.T) answer {
			signed := phone.sign()
			signed["ceremony"] = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
			return post(signed)
		}},
		"a ceremony for adding one": {409, "LYK-0716", func(*testing.T) answer {
			ceremony, _ := newDevice(t, s).register(anna)
			signed := phone.sign()
			signed["ceremony"] = ceremony
			return post(signed)
		}},
		"asked for by a page of another site":   {401, "LYK-0717", with(func(d *device) { d.rp.Origin = "https://evil.example" })},
		"asked for by a page that sounds alike": {401, "LYK-0717", with(func(d *device) { d.rp.Origin = "https://lykta.example.evil.example" })},
		"asked for without HTTPS":               {401, "LYK-0717", with(func(d *device) { d.rp.Origin = "http://lykta.example" })},
		"made for another service":              {401, "LYK-0717", with(func(d *device) { d.rp.ID = "evil.example" })},
		"nobody touched the device":             {401, "LYK-0717", with(func(d *device) { d.auth.Options.UserNotPresent = true })},
		"somebody else's name on it":            {401, "LYK-0717", with(func(d *device) { d.auth.Options.UserHandle = olles.auth.Options.UserHandle })},
		"no name on it":                         {401, "LYK-0717", with(func(d *device) { d.auth.Options.UserHandle = nil })},
		"another key under its id": {401, "LYK-0717", with(func(d *device) {
			d.key.Key = newPasskey().Key
		})},
		"a passkey that nobody added": {401, "LYK-0717", with(func(d *device) {
			d.key = newPasskey()
		})},
		"a copy, which counts from where it was copied": {401, "LYK-0717", with(func(d *device) { d.key.Counter = 3 })},
		"what is signed was changed": {401, "LYK-0717", func(t *testing.T) answer {
			signed := phone.sign()
			var credential struct {
				ID, Type, RawID string
				Response        map[string]string
			}
			if err := json.Unmarshal(signed["credential"].(json.RawMessage), &credential); err != nil {
				t.Fatal(err)
			}
			sig, err := base64.RawURLEncoding.DecodeString(credential.Response["signature"])
			if err != nil {
				t.Fatal(err)
			}
			sig[len(sig)-1] ^= 1
			credential.Response["signature"] = base64.RawURLEncoding.EncodeToString(sig)
			signed["credential"] = map[string]any{"id": credential.ID, "rawId": credential.RawID, "type": credential.Type, "response": credential.Response}
			return post(signed)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := test.try(t)
			a.problem(t, test.status, test.id)
			if len(a.Cookies()) > 0 {
				t.Errorf("cookies %v", a.Cookies())
			}
		})
	}
	log, err := s.db.AuditLog(t.Context(), "", 100)
	if err != nil || !slices.ContainsFunc(log, func(e care.AuditEntry) bool { return e.Action == "passkey copied" }) {
		t.Errorf("nobody hears of the copy: %v", err)
	}

	// Adding a passkey to somebody else's account.
	thief := newDevice(t, s)
	ceremony, credential := thief.register(anna)
	for name, cookie := range map[string][]string{"with another's session": olle, "with none": nil} {
		a := s.do("POST", "/api/v1/me/passkeys", "", map[string]any{"ceremony": ceremony, "name": "x", "credential": credential}, cookie...)
		if a.StatusCode != 409 && a.StatusCode != 401 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	thief.rp.Origin = "https://evil.example"
	thief.add(anna, "x").problem(t, 422, "LYK-0717")
	s.do("POST", "/api/v1/me/passkeys/options", care.Operator, map[string]any{}).problem(t, 409, "LYK-0727") // a token is nobody
}

func TestPasskeysNeedTheServicesOwnAddress(t *testing.T) {
	s := open(t) // at a number, and no public address
	people(t, s)
	var how struct{ Passkeys bool }
	s.do("GET", "/api/v1/sign-in", "", nil).into(t, &how)
	if how.Passkeys {
		t.Error("passkeys are offered where browsers make none")
	}
	s.do("POST", "/api/v1/sign-in/passkey/options", "", map[string]any{}).problem(t, 409, "LYK-0715")
	s.do("POST", "/api/v1/me/passkeys/options", "", map[string]any{}, s.as("anna")...).problem(t, 409, "LYK-0715")
}

func TestInvitationsThatAreRefused(t *testing.T) {
	s := open(t)
	people(t, s)
	late, err := s.keeper.Create(t.Context(), care.Invitation, access.Actor{Name: "Maria", Role: care.Relative, Person: "maria"}, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	annas, err := s.keeper.Invite(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	used := annas.Code
	if a := s.do("POST", "/api/v1/invitation/accept", "", map[string]string{"code": used}); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	for name, code := range map[string]string{
		"used": used, "too old": late, "a token": s.tokens[care.Operator], "nothing": "", "nonsense": "lyk_i_nonsense",
	} {
		for _, path := range []string{"look", "accept"} {
			a := s.do("POST", "/api/v1/invitation/"+path, "", map[string]string{"code": code})
			a.problem(t, 404, "LYK-0718")
			if len(a.Cookies()) > 0 {
				t.Errorf("%s, %s: %v", name, path, a.Cookies())
			}
		}
	}
	s.do("GET", "/api/v1/me", "", nil, "Authorization", "Bearer "+used).problem(t, 401, "LYK-0504")
}

// Whoever has a coordinator's cookie for a while lets nobody in to stay: neither
// themselves, nor somebody whom they have put among the staff.
func TestOnlyWhoHasProvedWhoTheyAreLetsStaffIn(t *testing.T) {
	s := open(t)
	people(t, s)
	role := func(r string) map[string]any {
		return map[string]any{"name": "X", "addresses": []string{}, "role": r}
	}
	create := func(kind care.CredentialKind, person string) string {
		secret, err := s.keeper.Create(t.Context(), kind, access.Actor{Name: "Program", Role: care.Coordinator, Person: person}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	program := []string{"Authorization", "Bearer " + create(care.Token, "")}
	stinas := []string{"Authorization", "Bearer " + create(care.Token, "stina")}
	typed := cookieOf(t, s.do("POST", "/api/v1/session", "", map[string]string{"token": create(care.Token, "")}))
	thief, stina := s.unproved("stina"), s.as("stina")
	for _, test := range []struct {
		name   string
		with   []string
		method string
		path   string
		body   any
		status int
		id     string
	}{
		{"a thief invites herself", thief, "POST", "/people/stina/invitation", nil, 403, "LYK-0719"},
		{"even who has proved it", stina, "POST", "/people/stina/invitation", nil, 403, "LYK-0719"},
		{"and her program", stinas, "POST", "/people/stina/invitation", nil, 403, "LYK-0719"},
		{"a thief invites another", thief, "POST", "/people/anna/invitation", nil, 403, "LYK-0729"},
		{"a thief adds somebody", thief, "PUT", "/people/new", role("caregiver"), 403, "LYK-0729"},
		{"a thief raises a relative", thief, "PUT", "/people/maria", role("coordinator"), 403, "LYK-0729"},
		{"a thief raises one of the staff", thief, "PUT", "/people/anna", role("coordinator"), 403, "LYK-0729"},
		{"a thief makes one of the staff a relative, to invite them", thief, "PUT", "/people/anna", role("relative"), 403, "LYK-0729"},
		{"a token that was typed in invites staff", typed, "POST", "/people/anna/invitation", nil, 403, "LYK-0729"},
		{"or gives a role", typed, "PUT", "/people/new", role("caregiver"), 403, "LYK-0729"},
		{"it invites a relative", typed, "POST", "/people/maria/invitation", nil, 201, ""},
		{"so does who has not proved it", thief, "POST", "/people/maria/invitation", nil, 201, ""},
		{"who changes no more than a name", thief, "PUT", "/people/anna", role("caregiver"), 204, ""},
		{"and makes somebody a relative", thief, "PUT", "/people/bo", role("relative"), 204, ""},
		{"who has proved it invites", stina, "POST", "/people/anna/invitation", nil, 201, ""},
		{"and gives a role", stina, "PUT", "/people/new", role("caregiver"), 204, ""},
		{"a program invites", program, "POST", "/people/anna/invitation", nil, 201, ""},
		{"as does a person's", stinas, "POST", "/people/anna/invitation", nil, 201, ""},
		{"and gives a role", program, "PUT", "/people/newer", role("caregiver"), 204, ""},
	} {
		a := s.do(test.method, "/api/v1"+test.path, "", test.body, test.with...)
		if a.StatusCode != test.status {
			t.Errorf("%s: %d %s", test.name, a.StatusCode, a.body)
		} else if test.id != "" {
			a.problem(t, test.status, test.id)
		}
	}
}

// Who comes from the identity provider is known by an e-mail address the first
// time: whoever writes one down lets somebody in.
func TestAnEmailAddressLetsStaffIn(t *testing.T) {
	for name, provider := range map[string]*web.OIDC{
		"with an identity provider": {Issuer: "http://127.0.0.1:1", ClientID: "lykta", ClientSecret: "only for tests", Name: "Kommunen"}, "without": nil,
	} {
		s := open(t, func(o *web.Options) { o.OIDC = provider })
		people(t, s)
		put := func(person, role string, with []string) int {
			return s.do("PUT", "/api/v1/people/"+person, "", map[string]any{
				"name": "X", "role": role, "addresses": []map[string]string{{"channel": "email", "to": person + "@example.se"}},
			}, with...).StatusCode
		}
		want := 204
		if provider != nil {
			want = 403
		}
		if got := put("anna", "caregiver", s.unproved("stina")); got != want {
			t.Errorf("%s, a thief: %d, want %d", name, got, want)
		}
		for who, person := range map[string]string{"relative": "maria", "caregiver": "anna"} {
			with := s.as("stina")
			if who == "relative" {
				with = s.unproved("stina")
			}
			if got := put(person, who, with); got != 204 {
				t.Errorf("%s, %s: %d", name, who, got)
			}
		}
		if got := put("anna", "caregiver", s.unproved("stina")); got != 204 {
			t.Errorf("%s, the address that is there: %d", name, got)
		}
	}
}

// The table of those who reach for more than they have.
func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	s := open(t)
	people(t, s)
	for _, p := range []care.Person{
		{ID: "nora", Name: "Nora", Role: care.Coordinator, Areas: []string{"norr"}},
		{ID: "nils", Name: "Nils", Role: care.Caregiver, Areas: []string{"norr"}},
		{ID: "sven", Name: "Sven", Role: care.Caregiver, Areas: []string{"söder"}},
		{ID: "vera", Name: "Vera", Role: care.Relative},
	} {
		if err := s.db.PutPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.homes.Add(t.Context(), care.Home{ID: "home-2", Gateway: "gw-2", Name: "Bo Ek", Area: "söder", Zone: "UTC"}); err != nil {
		t.Fatal(err)
	}
	if err := s.db.PutMember(t.Context(), care.Member{Group: care.GroupContacts, Scope: "home-2", Person: "vera"}); err != nil {
		t.Fatal(err)
	}
	put := func(more map[string]any) map[string]any {
		body := map[string]any{"name": "X", "addresses": []string{}}
		maps.Copy(body, more)
		return body
	}
	role := func(r string) map[string]any { return put(map[string]any{"role": r}) }
	for _, test := range []struct {
		who, method, path string
		body              any
		status            int
		id                string
	}{
		{"anna", "PUT", "/people/anna", role("coordinator"), 403, "LYK-0505"},
		{"anna", "PUT", "/people/new", role("caregiver"), 403, "LYK-0505"},
		{"anna", "POST", "/people/stina/invitation", nil, 403, "LYK-0505"},
		{"anna", "POST", "/people/nils/invitation", nil, 403, "LYK-0505"},
		{"anna", "POST", "/people/nobody/invitation", nil, 403, "LYK-0505"}, // learns nothing
		{"anna", "DELETE", "/people/maria/sign-ins", nil, 403, "LYK-0505"},
		{"maria", "PUT", "/people/maria", role("operator"), 403, "LYK-0505"},
		{"maria", "POST", "/people/maria/invitation", nil, 403, "LYK-0505"},
		{"stina", "PUT", "/people/stina", role("operator"), 403, "LYK-0719"},
		{"stina", "PUT", "/people/stina", role("caregiver"), 403, "LYK-0719"},
		{"stina", "PUT", "/people/stina", put(map[string]any{"areas": []string{"norr"}}), 403, "LYK-0719"},
		{"stina", "PUT", "/people/anna", role("operator"), 403, "LYK-0719"},
		{"stina", "PUT", "/people/new", role("operator"), 403, "LYK-0719"},
		{"stina", "PUT", "/people/olle", put(map[string]any{"addresses": []any{map[string]string{"channel": "email", "to": "stina@kommun.example"}}}), 403, "LYK-0719"},
		{"stina", "PUT", "/people/olle", role(""), 403, "LYK-0719"},
		{"stina", "POST", "/people/olle/invitation", nil, 403, "LYK-0719"},
		{"stina", "DELETE", "/people/olle/sign-ins", nil, 403, "LYK-0719"},
		{"stina", "PUT", "/people/anna", role("king"), 422, "LYK-0503"},
		{"stina", "POST", "/people/bo/invitation", nil, 409, "LYK-0725"},
		{"stina", "POST", "/people/nobody/invitation", nil, 404, "LYK-0502"},
		{"nora", "PUT", "/people/nils", put(map[string]any{"areas": []string{}}), 403, "LYK-0719"},
		{"nora", "PUT", "/people/nils", put(map[string]any{"areas": []string{"norr", "söder"}}), 403, "LYK-0719"},
		{"nora", "PUT", "/people/nora", put(map[string]any{"areas": []string{}}), 403, "LYK-0719"},
		{"nora", "PUT", "/people/new", role("caregiver"), 403, "LYK-0719"}, // would see every area
		{"nora", "PUT", "/people/sven", put(nil), 403, "LYK-0719"},
		{"nora", "POST", "/people/sven/invitation", nil, 403, "LYK-0719"},
		{"nora", "POST", "/people/stina/invitation", nil, 403, "LYK-0719"},
		{"nora", "POST", "/people/vera/invitation", nil, 403, "LYK-0505"},
		{"nils", "POST", "/people/vera/invitation", nil, 403, "LYK-0505"},
	} {
		a := s.do(test.method, "/api/v1"+test.path, "", test.body, s.as(test.who)...)
		if a.StatusCode != test.status {
			t.Errorf("%s: %s %s %v", test.who, test.method, test.path, test.body)
		}
		a.problem(t, test.status, test.id)
	}
	for _, test := range []struct {
		who, method, path string
		body              any
		status            int
	}{
		{"stina", "PUT", "/people/anna", role("coordinator"), 204},
		{"stina", "PUT", "/people/anna", role("relative"), 204},
		{"stina", "PUT", "/people/anna", role("caregiver"), 204},
		{"stina", "PUT", "/people/stina", put(map[string]any{"role": "coordinator", "areas": []string{}}), 204}, // changes nothing
		{"stina", "POST", "/people/sven/invitation", nil, 201},
		{"olle", "PUT", "/people/stina", role("operator"), 204},
		{"olle", "PUT", "/people/stina", role("coordinator"), 204},
		{"anna", "POST", "/people/maria/invitation", nil, 201},
		{"sven", "POST", "/people/vera/invitation", nil, 201},
		{"nora", "PUT", "/people/nils", put(map[string]any{"role": "coordinator", "areas": []string{"norr"}}), 204},
		{"nora", "POST", "/people/nils/invitation", nil, 201},
		{"nora", "PUT", "/people/granne", put(nil), 204},
	} {
		if a := s.do(test.method, "/api/v1"+test.path, "", test.body, s.as(test.who)...); a.StatusCode != test.status {
			t.Errorf("%s: %s %s: %d %s", test.who, test.method, test.path, a.StatusCode, a.body)
		}
	}
	sven := s.as("sven")
	if a := s.do("PUT", "/api/v1/people/sven", "", role(""), s.as("stina")...); a.StatusCode != 204 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	s.do("GET", "/api/v1/me", "", nil, sven...).problem(t, 401, "LYK-0504")
	var list struct {
		People []struct {
			ID, Role string
			Areas    []string
			Invited  *time.Time
		}
	}
	s.do("GET", "/api/v1/people", "", nil, s.as("anna")...).into(t, &list)
	for _, p := range list.People {
		if p.ID == "nils" && (p.Role != "coordinator" || !slices.Equal(p.Areas, []string{"norr"}) || p.Invited == nil) || p.ID == "bo" && (p.Role != "" || p.Invited != nil) {
			t.Errorf("%+v", p)
		}
	}
}

// P8: a relative gets nowhere at all where staff work, whatever they ask with.
func TestP8RelativesAreKeptOutOfTheStaffsRooms(t *testing.T) {
	s := open(t)
	people(t, s)
	s.raiseQuietly("a1", care.AlertSOS)
	description, err := web.OpenAPI("1")
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(description, &api); err != nil {
		t.Fatal(err)
	}
	theirs := []string{
		"/api/v1/me", "/api/v1/session", "/api/v1/sign-in", "/api/v1/invitation", "/api/v1/push", "/api/v1/family", "/api/v1/events",
		"/api/v1/alerts/{id}", "/api/v1/homes/{id}/messages", "/api/v1/homes/{id}/calls", "/api/v1/calls", "/api/v1/guest",
	}
	maria := s.as("maria")
	tried := 0
	for path, item := range api.Paths {
		if slices.ContainsFunc(theirs, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") }) && !strings.HasSuffix(path, "/resolve") && !strings.HasSuffix(path, "/take-over") {
			continue
		}
		call := strings.NewReplacer("{id}", "home-1", "{severity}", "emergency", "{group}", "contacts").Replace(path)
		if strings.HasPrefix(path, "/api/v1/alerts/{id}") {
			call = strings.Replace(path, "{id}", "a1", 1)
		}
		for strings.Contains(call, "{") {
			from, to := strings.Index(call, "{"), strings.Index(call, "}")
			call = call[:from] + "x" + call[to+1:]
		}
		for method := range item {
			tried++
			var body any
			if method == "post" || method == "put" {
				body = map[string]any{}
			}
			a := s.do(strings.ToUpper(method), call, "", body, maria...)
			if a.StatusCode != 403 && a.StatusCode != 404 {
				t.Errorf("%s %s: %d %.200s", method, path, a.StatusCode, a.body)
			}
		}
	}
	if tried < 25 {
		t.Errorf("only %d operations were tried", tried)
	}
	if a := s.do("GET", "/metrics", "", nil, append(maria, "X-Forwarded-For", "203.0.113.7")...); a.StatusCode != 403 {
		t.Errorf("metrics: %d", a.StatusCode)
	}
}

// Guessing is slow; a whole municipality that signs in at one time from behind
// one address is not hindered.
func TestGuessingIsSlow(t *testing.T) {
	s := open(t, atPublicURL)
	people(t, s)
	from := func(address string) []string { return []string{"X-Forwarded-For", address} }
	for range 300 {
		a := s.do("POST", "/api/v1/session", "", map[string]string{"token": s.tokens[care.Caregiver]}, from("203.0.113.7")...)
		if a.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	refused := 0
	var last answer
	for range 70 {
		if last = s.do("POST", "/api/v1/invitation/accept", "", map[string]string{"code": "lyk_i_x"}, from("203.0.113.7")...); last.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 10 || refused > 70 { // a minute may begin in between
		t.Errorf("%d of 70 guesses were refused", refused)
	}
	last.problem(t, 429, "LYK-0713")
	if last.Header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After %q", last.Header.Get("Retry-After"))
	}
	s.do("POST", "/api/v1/session", "", map[string]string{"token": s.tokens[care.Caregiver]}, from("203.0.113.7")...).problem(t, 429, "LYK-0713")
	if a := s.do("POST", "/api/v1/session", "", map[string]string{"token": s.tokens[care.Caregiver]}, from("203.0.113.8")...); a.StatusCode != http.StatusNoContent {
		t.Errorf("another address: %d %s", a.StatusCode, a.body)
	}
}
