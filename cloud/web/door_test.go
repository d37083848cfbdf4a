package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/web"
)

func TestBrowsersAreKeptFromDoingMore(t *testing.T) {
	s := open(t)
	for _, path := range []string{"/", "/homes/home-1", "/assets/main-abc.js", "/nothing.js", "/api/v1/me", "/api/v1/none", "/api/v1/homes", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"} {
		h := s.do("GET", path, "", nil).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
		} {
			if !strings.HasPrefix(h.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", path, csp)
		}
	}
}

func TestOtherSitesCannotActForSomebody(t *testing.T) {
	s := open(t)
	s.raiseQuietly("a1", care.AlertSOS)
	session, _, err := s.keeper.Exchange(t.Context(), s.tokens[care.Caregiver])
	if err != nil {
		t.Fatal(err)
	}
	cookie := []string{"Cookie", "__Host-lykta=" + session}
	for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		s.do("POST", "/api/v1/alerts/a1/acknowledge", "", nil, append(cookie, from...)...).problem(t, 403, "LYK-0505")
		s.do("DELETE", "/api/v1/session", "", nil, append(cookie, from...)...).problem(t, 403, "LYK-0505")
	}
	if a, err := s.db.Alert(t.Context(), "a1"); err != nil || a.State != care.Open {
		t.Errorf("%+v, %v", a, err)
	}
	own := s.do("POST", "/api/v1/alerts/a1/acknowledge", "", nil, append(cookie, "Sec-Fetch-Site", "same-origin", "Origin", s.URL)...)
	if own.StatusCode != 200 {
		t.Errorf("from our own page: %d %s", own.StatusCode, own.body)
	}
}

func TestReadiness(t *testing.T) {
	var fault error
	s := open(t, func(o *web.Options) {
		o.Ready = func(context.Context) map[string]error { return map[string]error{"database": nil, "broker": fault} }
	})
	if a := s.do("GET", "/readyz", "", nil); a.StatusCode != 200 || string(a.body) != "broker: ok\ndatabase: ok\n" {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
	fault = errors.New("dial tcp secret-host:1883: refused")
	if a := s.do("GET", "/readyz", "", nil); a.StatusCode != 503 || string(a.body) != "broker: not ready\ndatabase: ok\n" {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
	if !strings.Contains(s.log.String(), "secret-host") {
		t.Error("the reason is not in the log")
	}
	if a := s.do("GET", "/healthz", "", nil); a.StatusCode != 200 {
		t.Errorf("the process is well, and yet %d", a.StatusCode)
	}
}

func TestMetricsAreForLoopbackAndOperators(t *testing.T) {
	s := open(t)
	ask := func(from, forwarded string, role care.Role) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = from
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		if role != "" {
			r.Header.Set("Authorization", "Bearer "+s.tokens[role])
		}
		w := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(w, r)
		return w
	}
	for _, test := range []struct {
		from, forwarded string
		role            care.Role
		status          int
	}{
		{"127.0.0.1:5", "", "", 200}, {"[::1]:5", "", "", 200}, {"127.0.0.1:5", "10.1.1.1", "", 403}, {"127.0.0.1:5", "10.1.1.1", care.Operator, 200},
		{"10.1.1.1:5", "", "", 403}, {"10.1.1.1:5", "", care.Caregiver, 403}, {"10.1.1.1:5", "", care.Coordinator, 403}, {"10.1.1.1:5", "", care.Operator, 200},
		{"10.1.1.1:5", "127.0.0.1", "", 403}, {"nowhere", "", "", 403},
	} {
		w := ask(test.from, test.forwarded, test.role)
		if w.Code != test.status || strings.Contains(w.Body.String(), "up 1") != (test.status == 200) {
			t.Errorf("%+v: %d %s", test, w.Code, w.Body)
		}
		if w.Code == 403 && !strings.Contains(w.Body.String(), "LYK-0505") {
			t.Errorf("%+v: %s", test, w.Body)
		}
	}
}

func TestTheApp(t *testing.T) {
	s := open(t)
	for _, path := range []string{"/", "/homes/home-1", "/alerts", "/any/where/at/all", "/apisomething"} {
		a := s.do("GET", path, "", nil)
		if a.StatusCode != 200 || !strings.Contains(string(a.body), "<title>Lykta</title>") || a.Header.Get("Cache-Control") != "no-cache" ||
			a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %v %s", path, a.StatusCode, a.Header, a.body)
		}
	}
	for path, own := range map[string]bool{
		"/family": true, "/family/": true, "/family/homes/home-1": true, "/family/alert/a1": true, "/family/invitation": true,
		"/familyish": false, "/homes/family": false,
	} {
		if a := s.do("GET", path, "", nil); a.StatusCode != 200 || strings.Contains(string(a.body), "for relatives") != own {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	if a := s.do("GET", "/family.webmanifest", "", nil); a.StatusCode != 200 || a.Header.Get("Content-Type") != "application/manifest+json" {
		t.Errorf("manifest: %d %v", a.StatusCode, a.Header)
	}
	script := s.do("GET", "/assets/main-abc.js", "", nil)
	if script.StatusCode != 200 || !strings.Contains(script.Header.Get("Cache-Control"), "immutable") || !strings.Contains(script.Header.Get("Content-Type"), "javascript") {
		t.Errorf("script: %d %v", script.StatusCode, script.Header)
	}
	if a := s.do("GET", "/favicon.svg", "", nil); a.StatusCode != 200 || strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("icon: %d %v", a.StatusCode, a.Header)
	}
	for _, path := range []string{"/assets/main-old.js", "/assets/x.css", "/nothing.js", "/favicon.ico", "/../go.mod", "/%2e%2e/go.mod"} {
		if a := s.do("GET", path, "", nil); a.StatusCode != 404 || strings.Contains(string(a.body), "<title>Lykta") {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	for _, path := range []string{"/api/v1/none", "/api/", "/api/v2/homes", "/api/v1/homes/home-1/none"} {
		for _, role := range []care.Role{"", care.Caregiver} {
			s.do("GET", path, role, nil).problem(t, 404, "LYK-0502")
		}
	}
	s.do("POST", "/somewhere", "", "{}").problem(t, 404, "LYK-0502")
}

func TestAWrongMethodIsAProblem(t *testing.T) {
	s := open(t)
	for _, call := range [][2]string{{"DELETE", "/api/v1/homes"}, {"POST", "/api/v1/homes/home-1"}, {"GET", "/api/v1/session"}, {"POST", "/api/v1/events"}, {"POST", "/healthz"}} {
		s.do(call[0], call[1], care.Coordinator, nil).problem(t, http.StatusMethodNotAllowed, "LYK-0503")
	}
}

func TestABinaryWithoutTheAppSaysSo(t *testing.T) {
	s := open(t, func(o *web.Options) { o.App = fstest.MapFS{} })
	if a := s.do("GET", "/", "", nil); a.StatusCode != 404 || !strings.Contains(string(a.body), "make build") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestTheAPIIsDescribed(t *testing.T) {
	s := open(t)
	page := s.do("GET", "/docs", "", nil)
	if page.StatusCode != 200 || strings.Contains(string(page.body), "<script") || strings.Contains(string(page.body), "https://") {
		t.Errorf("%d: scripts or addresses of others in %.200s", page.StatusCode, page.body)
	}
	var api struct {
		OpenAPI string
		Paths   map[string]any
	}
	s.do("GET", "/openapi.json", "", nil).into(t, &api)
	if !strings.HasPrefix(api.OpenAPI, "3.1") || api.Paths["/api/v1/events"] == nil {
		t.Errorf("openapi %s, %d paths", api.OpenAPI, len(api.Paths))
	}
	for path := range api.Paths {
		if !strings.Contains(string(page.body), path) {
			t.Errorf("%s is not on the page", path)
		}
	}
}
