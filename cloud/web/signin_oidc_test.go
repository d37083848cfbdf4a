package web_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/web"
)

const callbackPath = "/api/v1/sign-in/oidc/callback"

// realProvider starts panva's certified OpenID provider and returns its issuer.
func realProvider(t *testing.T) string {
	t.Helper()
	if os.Getenv("LYKTA_NO_OIDC") != "" {
		t.Skip("LYKTA_NO_OIDC=1: not tested against a real OpenID provider")
	}
	cmd := exec.Command("node", "testdata/oidc.mjs", "../../caregiver-app", publicURL+callbackPath)
	in, err := cmd.StdinPipe() // it ends when this does
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("start an OpenID provider: %v (LYKTA_NO_OIDC=1 goes on without)", err)
	}
	issuer, err := bufio.NewReader(out).ReadString('\n')
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if err != nil {
		_ = in.Close()
		_ = cmd.Wait()
		t.Fatalf("an OpenID provider: %v\n%s", err, said.String())
	}
	return strings.TrimSpace(issuer)
}

func withProvider(issuer string) func(*web.Options) {
	return func(o *web.Options) {
		o.URL = publicURL
		o.OIDC = &web.OIDC{Issuer: issuer, ClientID: "lykta", ClientSecret: "only for tests", Name: "Kommunens inloggning"}
	}
}

// visit is one browser's way through the provider.
type visit struct {
	t      *testing.T
	s      *site
	cookie string // of the way
	back   *url.URL
}

// leave begins at the service, signs in at the provider as somebody, and stops
// where the provider leads back.
func leave(t *testing.T, s *site, login string) *visit {
	t.Helper()
	start := s.do("GET", "/api/v1/sign-in/oidc", "", nil)
	if start.StatusCode != http.StatusFound || len(start.Cookies()) != 1 {
		t.Fatalf("%d %s %v", start.StatusCode, start.body, start.Header)
	}
	c := start.Cookies()[0]
	if c.Name != "__Host-lykta-oidc" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 600 {
		t.Errorf("cookie %+v", c)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), publicURL) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	v := &visit{t: t, s: s, cookie: c.Value}
	answer, err := browser.Get(start.Header.Get("Location"))
	for _, form := range []url.Values{{"prompt": {"login"}, "login": {login}, "password": {"x"}}, {"prompt": {"consent"}}} {
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Request.URL.Path, "/interaction/") {
			t.Fatalf("%s: %d %.500s", answer.Request.URL, answer.StatusCode, page)
		}
		answer, err = browser.PostForm(answer.Request.URL.String(), form)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if v.back, err = url.Parse(answer.Header.Get("Location")); err != nil || !strings.HasPrefix(v.back.String(), publicURL+callbackPath) {
		t.Fatalf("%d, leads to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	return v
}

// arrive comes back to the service.
func (v *visit) arrive() answer {
	v.t.Helper()
	return v.s.do("GET", v.back.RequestURI(), "", nil, "Cookie", "__Host-lykta-oidc="+v.cookie, "Sec-Fetch-Site", "cross-site")
}

// kept returns or changes a part of the cookie: 0 state, 1 nonce, 2 verifier.
func (v *visit) replace(part int, with string) {
	parts := strings.Split(v.cookie, ".")
	parts[part] = with
	v.cookie = strings.Join(parts, ".")
}

func (a answer) turnedAway(t *testing.T, name, id string) {
	t.Helper()
	if a.StatusCode != http.StatusFound || a.Header.Get("Location") != "/sign-in?problem="+id {
		t.Errorf("%s: %d to %q %s, want %s", name, a.StatusCode, a.Header.Get("Location"), a.body, id)
	}
	for _, c := range a.Cookies() {
		if c.Name == "__Host-lykta" {
			t.Errorf("%s: a session was given out", name)
		}
	}
}

func TestSigningInThroughAnIdentityProvider(t *testing.T) {
	s := open(t, withProvider(realProvider(t)))
	people(t, s)
	var how struct {
		OIDC *struct{ Name string }
	}
	s.do("GET", "/api/v1/sign-in", "", nil).into(t, &how)
	if how.OIDC == nil || how.OIDC.Name != "Kommunens inloggning" {
		t.Errorf("%+v", how)
	}
	for range 2 { // the first time binds, the second finds
		a := leave(t, s, "anna").arrive()
		if a.StatusCode != http.StatusFound || a.Header.Get("Location") != "/" {
			t.Fatalf("%d to %q, %s", a.StatusCode, a.Header.Get("Location"), s.log)
		}
		var me struct{ Name, Role string }
		s.do("GET", "/api/v1/me", "", nil, cookieOf(t, a)...).into(t, &me)
		if me.Name != "Anna" || me.Role != "caregiver" {
			t.Errorf("%+v", me)
		}
	}
	// Bound: the address no longer decides.
	if err := s.db.PutPerson(t.Context(), care.Person{ID: "anna", Name: "Anna", Role: care.Relative}); err != nil {
		t.Fatal(err)
	}
	if a := leave(t, s, "anna").arrive(); a.StatusCode != http.StatusFound || a.Header.Get("Location") != "/family/" {
		t.Errorf("%d to %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// The table of those who come back from the provider and are not let in.
func TestTheProviderLetsInNobodyElse(t *testing.T) {
	s := open(t, withProvider(realProvider(t)))
	people(t, s)
	if err := s.db.PutPerson(t.Context(), care.Person{
		ID: "stina-2", Name: "Stina", Role: care.Operator, Addresses: []care.Address{{Channel: care.ChannelEmail, To: "Stina@Kommun.example"}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, login, id string
		before          func(*visit)
	}{
		{"nobody has the address", "unknown", "LYK-0723", nil},
		{"no address", "none-anna", "LYK-0723", nil},
		{"two people have the address", "stina", "LYK-0731", nil},
		{"the address is not verified", "loose-anna", "LYK-0724", nil},
		{"a person without a role", "bo", "LYK-0725", nil},
		{"another state", "anna", "LYK-0722", func(v *visit) { v.replace(0, "AAAAAAAAAAAAAAAAAAAAAAAAAA") }},
		{"no state", "anna", "LYK-0722", func(v *visit) {
			v.replace(0, "")
			q := v.back.Query()
			q.Del("state")
			v.back.RawQuery = q.Encode()
		}},
		{"another nonce", "anna", "LYK-0722", func(v *visit) { v.replace(1, "AAAAAAAAAAAAAAAAAAAAAAAAAA") }},
		{"no nonce", "anna", "LYK-0722", func(v *visit) { v.replace(1, "") }},
		{"another verifier", "anna", "LYK-0722", func(v *visit) { v.replace(2, strings.Repeat("A", 43)) }},
		{"another browser", "anna", "LYK-0722", func(v *visit) { v.cookie = "" }},
		{"another provider", "anna", "LYK-0722", func(v *visit) {
			q := v.back.Query()
			q.Set("iss", "https://evil.example")
			v.back.RawQuery = q.Encode()
		}},
		{"somebody else's code", "anna", "LYK-0722", func(v *visit) { v.back = swapCode(v.back, leave(t, s, "anna").back) }},
		{"a code that is used up", "anna", "LYK-0722", func(v *visit) {
			if a := v.arrive(); a.Header.Get("Location") != "/" {
				t.Fatalf("the first time: %d to %q", a.StatusCode, a.Header.Get("Location"))
			}
		}},
		{"an address that was given to somebody new", "again-anna", "LYK-0723", nil}, // Anna is bound by now
		{"who said no", "anna", "LYK-0722", func(v *visit) {
			q := url.Values{"error": {"access_denied"}, "state": {v.back.Query().Get("state")}}
			v.back.RawQuery = q.Encode()
		}},
	} {
		v := leave(t, s, test.login)
		if test.before != nil {
			test.before(v)
		}
		v.arrive().turnedAway(t, test.name, test.id)
	}
}

// An address that comes to stand on a second person locks nobody out: who is bound
// is known by the provider's own id, and a person who cannot sign in does not count.
func TestASecondPersonWithTheAddressLocksNobodyOut(t *testing.T) {
	s := open(t, withProvider(realProvider(t)))
	people(t, s)
	second := func(id, email string, role care.Role) {
		t.Helper()
		if err := s.db.PutPerson(t.Context(), care.Person{ID: id, Name: id, Role: role, Addresses: []care.Address{{Channel: care.ChannelEmail, To: email}}}); err != nil {
			t.Fatal(err)
		}
	}
	in := func(login, name string) {
		t.Helper()
		a := leave(t, s, login).arrive()
		if a.Header.Get("Location") != "/" {
			t.Fatalf("%s: %d to %q", login, a.StatusCode, a.Header.Get("Location"))
		}
		var me struct{ Name string }
		s.do("GET", "/api/v1/me", "", nil, cookieOf(t, a)...).into(t, &me)
		if me.Name != name {
			t.Errorf("%s is let in as %q, want %q", login, me.Name, name)
		}
	}
	second("annas-brother", "anna@kommun.example", "") // is told by e-mail there, and signs in nowhere
	in("anna", "Anna")
	second("anna-2", "anna@kommun.example", care.Caregiver)
	in("anna", "Anna")
	// The address was given to a new human, who stands in the list as another person.
	in("again-anna", "anna-2")
	in("anna", "Anna")
}

// swapCode returns the way back with another's code, and so with the nonce and
// the challenge of that one.
func swapCode(own, others *url.URL) *url.URL {
	out := *own
	q := own.Query()
	q.Set("code", others.Query().Get("code"))
	out.RawQuery = q.Encode()
	return &out
}

// A provider that is away keeps nobody out who signs in otherwise, and is
// found again by itself.
func TestAProviderThatIsAway(t *testing.T) {
	var away atomic.Bool
	away.Store(true)
	var asked atomic.Int64
	var issuer string
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if away.Load() {
			http.Error(w, "closed for maintenance", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/jwks",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	}))
	t.Cleanup(p.Close)
	issuer = p.URL
	s := open(t, withProvider(issuer))
	people(t, s)
	for range 20 {
		s.do("GET", "/api/v1/sign-in/oidc", "", nil).turnedAway(t, "away", "LYK-0721")
	}
	if n := asked.Load(); n > 3 {
		t.Errorf("a provider that is away was asked %d times at once", n)
	}
	if a := s.do("GET", "/api/v1/sign-in", "", nil); a.StatusCode != 200 || !strings.Contains(string(a.body), "Kommunens") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := s.do("GET", "/api/v1/me", "", nil, s.as("anna")...); a.StatusCode != 200 {
		t.Errorf("who is signed in: %d", a.StatusCode)
	}
	away.Store(false)
	deadline := time.Now().Add(30 * time.Second)
	for {
		a := s.do("GET", "/api/v1/sign-in/oidc", "", nil)
		if to := a.Header.Get("Location"); strings.HasPrefix(to, issuer+"/auth?") {
			q, err := url.ParseQuery(to[strings.Index(to, "?")+1:])
			if err != nil || q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 || q.Get("redirect_uri") != publicURL+callbackPath {
				t.Errorf("leads to %s", to)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is back, and yet: %v", a.Header)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestWithoutAnIdentityProvider(t *testing.T) {
	s := open(t)
	s.do("GET", "/api/v1/sign-in/oidc", "", nil).turnedAway(t, "start", "LYK-0720")
	s.do("GET", callbackPath+"?state=a&code=b", "", nil, "Cookie", "__Host-lykta-oidc=a.b.c").turnedAway(t, "finish", "LYK-0720")
}

var _ web.SignIns = (*store.Store)(nil)
