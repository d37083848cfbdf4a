package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/cloud/web"
	"github.com/lykta/lykta/devices"
)

var roles = []care.Role{care.Caregiver, care.Coordinator, care.Operator}

func TestSignInByToken(t *testing.T) {
	s := open(t)
	signedIn := s.do("POST", "/api/v1/session", "", map[string]string{"token": " " + s.tokens[care.Caregiver] + "\n"})
	cookies := signedIn.Cookies()
	if signedIn.StatusCode != http.StatusNoContent || len(cookies) != 1 {
		t.Fatalf("%d %s, %d cookies", signedIn.StatusCode, signedIn.body, len(cookies))
	}
	c := cookies[0]
	if c.Name != "__Host-lykta" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 12*60*60 {
		t.Errorf("cookie %+v", c)
	}
	if strings.Contains(c.Value, s.tokens[care.Caregiver]) {
		t.Error("the cookie is the token")
	}
	with := []string{"Cookie", c.Name + "=" + c.Value}
	me := s.do("GET", "/api/v1/me", "", nil, with...)
	var who struct{ Name, Role string }
	me.into(t, &who)
	if who.Name != "caregiver Å" || who.Role != "caregiver" {
		t.Errorf("signed in as %+v", who)
	}
	out := s.do("DELETE", "/api/v1/session", "", nil, with...)
	if out.StatusCode != http.StatusNoContent || len(out.Cookies()) != 1 || out.Cookies()[0].MaxAge >= 0 {
		t.Errorf("signing out: %d, %+v", out.StatusCode, out.Cookies())
	}
	s.do("GET", "/api/v1/me", "", nil, with...).problem(t, 401, "LYK-0504")
}

func TestSignInLinksWorkOnce(t *testing.T) {
	s := open(t)
	link, err := s.keeper.Create(t.Context(), care.SignInLink, access.Actor{Name: "Bo", Role: care.Coordinator}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.do("GET", "/api/v1/me", "", nil, "Authorization", "Bearer "+link).problem(t, 401, "LYK-0504")
	if a := s.do("POST", "/api/v1/session", "", map[string]string{"token": link}); a.StatusCode != http.StatusNoContent {
		t.Errorf("first: %d %s", a.StatusCode, a.body)
	}
	s.do("POST", "/api/v1/session", "", map[string]string{"token": link}).problem(t, 401, "LYK-0504")
}

func TestThoseWhoAreNotLetIn(t *testing.T) {
	s := open(t)
	good := s.tokens[care.Caregiver]
	expired, err := s.keeper.Create(t.Context(), care.Token, access.Actor{Name: "x", Role: care.Caregiver}, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	wrong := []byte(good)
	wrong[20] ^= 1
	for _, secret := range []string{string(wrong), "lyk_t_", "hello", expired, "lyk_s_" + good[6:]} {
		s.do("GET", "/api/v1/me", "", nil, "Authorization", "Bearer "+secret).problem(t, 401, "LYK-0504")
		s.do("GET", "/api/v1/me", "", nil, "Cookie", "__Host-lykta="+secret).problem(t, 401, "LYK-0504")
		s.do("GET", "/api/v1/events", "", nil, "Authorization", "Bearer "+secret).problem(t, 401, "LYK-0504")
		if len(secret) >= 10 {
			s.do("POST", "/api/v1/session", "", map[string]string{"token": secret}).problem(t, 401, "LYK-0504")
		}
	}
	s.do("GET", "/api/v1/me", "", nil, "Authorization", "Basic "+good).problem(t, 401, "LYK-0504")
}

// A database that does not answer is no reason to send people to the door.
func TestNobodyIsSignedOutByADatabaseThatIsAway(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Keeper = locked{err: errors.New("disk full: secret-host")} })
	for _, path := range []string{"/api/v1/me", "/api/v1/events", "/api/v1/homes"} {
		s.do("GET", path, care.Caregiver, nil).problem(t, 500, "LYK-0507")
	}
	a := s.do("POST", "/api/v1/session", "", map[string]string{"token": s.tokens[care.Caregiver]})
	a.problem(t, 500, "LYK-0507")
	if strings.Contains(string(a.body), "secret-host") || !strings.Contains(s.log.String(), "secret-host") {
		t.Errorf("answer %s, log %s", a.body, s.log)
	}
	s.do("GET", "/api/v1/me", "", nil).problem(t, 401, "LYK-0504")
	if a := s.do("GET", "/healthz", care.Caregiver, nil); a.StatusCode != 200 {
		t.Errorf("healthz: %d", a.StatusCode)
	}
}

func TestSigningOutTwiceIsNoFault(t *testing.T) {
	s := open(t)
	a := s.do("DELETE", "/api/v1/session", care.Caregiver, nil, "Cookie", "__Host-lykta=lyk_s_"+s.tokens[care.Caregiver][6:])
	if a.StatusCode != http.StatusNoContent {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// P8: what each role is answered, to the status; TestP8WhoMayCallWhat has every
// operation that there is.
func TestP8WhatEachRoleIsAnswered(t *testing.T) {
	s := open(t)
	type op struct {
		method, path, call string
		body               any
		want               [3]int // caregiver, coordinator, operator
	}
	seq := 0
	night := map[string]any{"area": "norr", "person": "anna", "from": time.Now(), "to": time.Now().Add(8 * time.Hour)}
	ops := []op{
		{"GET", "/api/v1/me", "", nil, [3]int{200, 200, 200}},
		{"POST", "/api/v1/session", "", map[string]string{"token": "not a token at all"}, [3]int{401, 401, 401}},
		{"GET", "/api/v1/homes", "", nil, [3]int{200, 200, 200}},
		{"POST", "/api/v1/homes", "", "home", [3]int{403, 201, 201}},
		{"GET", "/api/v1/homes/{id}", "/api/v1/homes/home-1", nil, [3]int{200, 200, 200}},
		{"GET", "/api/v1/homes/{id}/readings", "/api/v1/homes/home-1/readings", nil, [3]int{200, 200, 200}},
		{"GET", "/api/v1/homes/{id}/readings", "/api/v1/homes/home-1/readings?every=1h", nil, [3]int{200, 200, 200}},
		{"GET", "/api/v1/homes/{id}/readings", "/api/v1/homes/home-1/readings?kind=pulse", nil, [3]int{200, 200, 403}},
		{"GET", "/api/v1/homes/{id}/readings", "/api/v1/homes/home-1/readings?kind=pulse&every=1h", nil, [3]int{200, 200, 403}},
		{"GET", "/api/v1/homes/{id}/audit", "/api/v1/homes/home-1/audit", nil, [3]int{403, 200, 200}},
		{"GET", "/api/v1/alerts", "", nil, [3]int{200, 200, 200}},
		{"GET", "/api/v1/alerts/{id}", "alert", nil, [3]int{200, 200, 200}},
		{"POST", "/api/v1/alerts/{id}/acknowledge", "alert", nil, [3]int{200, 200, 403}},
		{"POST", "/api/v1/alerts/{id}/resolve", "alert", map[string]string{"outcome": "helped"}, [3]int{200, 200, 403}},
		{"GET", "/api/v1/operations/refused", "", nil, [3]int{403, 403, 200}},
		{"PUT", "/api/v1/homes/{id}", "/api/v1/homes/home-1", map[string]any{"name": "Åke Öst", "area": "norr", "check_ins": []string{}}, [3]int{403, 200, 200}},
		{"POST", "/api/v1/alerts/{id}/take-over", "alert", nil, [3]int{200, 200, 403}},
		{"POST", "/api/v1/alerts/{id}/on-the-way", "alert", map[string]int{"minutes": 12}, [3]int{200, 200, 403}},
		{"GET", "/api/v1/alerts/{id}/chain", "alert", nil, [3]int{200, 200, 200}},
		{"GET", "/api/v1/people", "", nil, [3]int{200, 200, 200}},
		{"PUT", "/api/v1/people/{id}", "/api/v1/people/anna", map[string]any{"name": "Anna", "addresses": []string{}}, [3]int{403, 204, 204}},
		{"PUT", "/api/v1/groups/{group}/members/{person}", "/api/v1/groups/all_staff/members/anna", map[string]any{"alerts": []string{}}, [3]int{403, 204, 204}},
		{"DELETE", "/api/v1/groups/{group}/members/{person}", "/api/v1/groups/all_staff/members/anna", nil, [3]int{403, 204, 204}},
		{"GET", "/api/v1/shifts", "", nil, [3]int{200, 200, 200}},
		{"PUT", "/api/v1/shifts/{id}", "/api/v1/shifts/night", night, [3]int{403, 204, 204}},
		{"POST", "/api/v1/shifts/{id}/hand-over", "/api/v1/shifts/none/hand-over", map[string]string{"person": "anna", "next": "x"}, [3]int{404, 404, 404}},
		{"DELETE", "/api/v1/shifts/{id}", "/api/v1/shifts/night", nil, [3]int{403, 204, 204}},
		{"GET", "/api/v1/policies", "", nil, [3]int{200, 200, 200}},
		{"PUT", "/api/v1/policies/{severity}", "/api/v1/policies/technical?area=norr", map[string]any{"steps": []any{map[string]any{"groups": []string{"on_duty"}, "wait": 600}}, "rounds": 1, "hold": 60}, [3]int{403, 204, 204}},
		{"GET", "/api/v1/silences", "", nil, [3]int{200, 200, 200}},
		{"POST", "/api/v1/homes/{id}/silences", "/api/v1/homes/home-1/silences", map[string]any{"to": time.Now().Add(time.Hour), "reason": "på sjukhus"}, [3]int{201, 201, 201}},
		{"POST", "/api/v1/silences/{id}/end", "/api/v1/silences/none/end", nil, [3]int{404, 404, 404}},
		{"GET", "/api/v1/load", "", nil, [3]int{403, 200, 200}},
		{"GET", "/api/v1/homes/{id}/tests", "/api/v1/homes/home-1/tests", nil, [3]int{200, 200, 200}},
		{"POST", "/api/v1/homes/{id}/tests", "/api/v1/homes/home-1/tests", map[string]int{"minutes": 5}, [3]int{422, 422, 422}}, // they are nobody who is told
		{"DELETE", "/api/v1/homes/{id}/tests", "/api/v1/homes/home-1/tests", nil, [3]int{204, 204, 204}},
		{"GET", "/api/v1/push", "", nil, [3]int{200, 200, 200}},
		{"PUT", "/api/v1/me/browser", "", map[string]any{"endpoint": "https://push.example/1", "keys": map[string]string{"p256dh": "x", "auth": "y"}}, [3]int{409, 409, 409}}, // so are these
		{"POST", "/api/v1/me/browser/forget", "", map[string]any{"endpoint": "https://push.example/1", "keys": map[string]string{"p256dh": "x", "auth": "y"}}, [3]int{204, 204, 204}},
		{"GET", "/api/v1/events", "", nil, [3]int{200, 200, 200}},
		{"DELETE", "/api/v1/session", "", nil, [3]int{204, 204, 204}},
	}
	for _, o := range ops {
		for i, role := range append(slices.Clone(roles), "") {
			seq++
			call, body, want := o.call, o.body, 401
			if role != "" {
				want = o.want[i]
			}
			switch {
			case call == "":
				call = o.path
			case call == "alert":
				id := fmt.Sprint("alert-", seq)
				s.raiseQuietly(id, care.AlertSOS)
				call = strings.ReplaceAll(o.path, "{id}", id)
			}
			if body == "home" {
				body = map[string]string{"id": fmt.Sprint("new-", seq), "gateway": fmt.Sprint("new-", seq), "name": "New"}
			}
			if o.path == "/api/v1/events" && want == 200 {
				follow(t, s, role, "").want("hello")
				continue
			}
			a := s.do(o.method, call, role, body)
			switch want {
			case 401:
				a.problem(t, 401, "LYK-0504")
			case 403:
				a.problem(t, 403, "LYK-0505")
			default:
				if a.StatusCode != want {
					t.Errorf("%s %s as %s: %d %s, want %d", o.method, call, role, a.StatusCode, a.body, want)
				}
			}
		}
	}
}

// P8: who runs the machines sees nothing of the resident's health.
func TestP8OperatorsSeeNoHealth(t *testing.T) {
	s := open(t)
	now := time.Now()
	s.write(point(now, "cuff", devices.Pulse, 71, 1), point(now, "scale", devices.Weight, 64, 2), point(now, "th", devices.Temperature, 20, 3),
		point(now, "hall-motion", devices.Motion, 1, 4), point(now, "hall-motion", devices.LinkQuality, 120, 5))
	s.homes.devs["home-1"] = []watch.Device{{Name: "cuff", Sensor: watch.Sensor{Kinds: []devices.Kind{devices.Battery, devices.Pulse}}}}
	for _, role := range roles {
		sees := role != care.Operator
		for _, path := range []string{"", "/readings", "/readings?every=1h", "/readings?device=cuff", "/readings?device=cuff&every=1h"} {
			a := s.do("GET", "/api/v1/homes/home-1"+path, role, nil)
			if got := strings.Contains(string(a.body), `"pulse"`); got != sees || a.StatusCode != 200 {
				t.Errorf("%s sees a pulse in %q: %v (%d)", role, path, got, a.StatusCode)
			}
			if !sees && (strings.Contains(string(a.body), `"motion"`) || strings.Contains(string(a.body), `"link_quality"`)) {
				t.Errorf("%s sees when somebody moved in %q: %s", role, path, a.body)
			}
		}
		stream := follow(t, s, role, "?home=home-1")
		stream.want("hello")
		pulse, temperature := devices.Reading{Device: "cuff", Kind: devices.Pulse, Value: devices.Number(71)}, devices.Reading{Device: "th", Kind: devices.Temperature, Value: devices.Number(20)}
		s.live.Readings("home-1", []devices.Reading{pulse, temperature})
		got := stream.want("reading")
		if strings.Contains(got.data, `"pulse"`) != sees || !strings.Contains(got.data, `"temperature"`) {
			t.Errorf("%s hears %s", role, got.data)
		}
	}
}

// P8: every look is in the log; many looks in a row are one line in it.
func TestP8EveryLookIsInTheLog(t *testing.T) {
	s := open(t)
	now := time.Now()
	s.write(point(now, "cuff", devices.Pulse, 71, 1), point(now, "th", devices.Temperature, 20, 2), point(now, "hall", devices.Motion, 1, 3))
	for range 3 {
		s.do("GET", "/api/v1/homes/home-1", care.Caregiver, nil)
		s.do("GET", "/api/v1/homes/home-1/readings", care.Caregiver, nil)
		s.do("GET", "/api/v1/homes/home-1", care.Operator, nil)
	}
	follow(t, s, care.Caregiver, "?home=home-1").want("hello")
	s.raiseQuietly("a1", care.AlertSOS)
	s.do("POST", "/api/v1/alerts/a1/acknowledge", care.Caregiver, nil)
	s.do("GET", "/api/v1/alerts/a1", care.Operator, nil)
	s.do("GET", "/api/v1/homes/nowhere", care.Caregiver, nil)
	var out struct {
		Entries []struct{ Actor, Role, Action string }
	}
	s.do("GET", "/api/v1/homes/home-1/audit", care.Coordinator, nil).into(t, &out)
	var got []string
	for _, e := range out.Entries {
		got = append(got, e.Actor+": "+e.Action)
	}
	slices.Sort(got)
	want := []string{
		"caregiver Å: acknowledge", "caregiver Å: look activity", "caregiver Å: look climate", "caregiver Å: look health", "caregiver Å: look home",
		"coordinator Å: look log", "operator Å: look alerts", "operator Å: look climate", "operator Å: look home",
	}
	if !slices.Equal(got, want) {
		t.Errorf("log %q, want %q", got, want)
	}
}

func TestHomes(t *testing.T) {
	s := open(t)
	type view struct {
		ID, Name, Gateway, Zone string
		OpenAlerts              int    `json:"open_alerts"`
		HighestSeverity         string `json:"highest_severity"`
	}
	added := s.do("POST", "/api/v1/homes", care.Coordinator, map[string]any{
		"id": "home-2", "gateway": "gw-2", "name": "Bo", "check_ins": []map[string]int{{"from": 480, "by": 600}},
	})
	var v view
	added.into(t, &v)
	if added.StatusCode != 201 || v != (view{ID: "home-2", Name: "Bo", Gateway: "gw-2", Zone: "Europe/Stockholm"}) {
		t.Errorf("%d %+v", added.StatusCode, v)
	}
	for name, test := range map[string]struct {
		body   map[string]any
		status int
		id     string
	}{
		"id taken":      {map[string]any{"id": "home-1", "gateway": "gw-9", "name": "x"}, 409, "LYK-0508"},
		"gateway taken": {map[string]any{"id": "home-9", "gateway": "gw-1", "name": "x"}, 409, "LYK-0508"},
		"bad id":        {map[string]any{"id": "Home 9", "gateway": "gw-9", "name": "x"}, 422, "LYK-0503"},
		"bad gateway":   {map[string]any{"id": "home-9", "gateway": "gw/9", "name": "x"}, 422, "LYK-0503"},
		"no name":       {map[string]any{"id": "home-9", "gateway": "gw-9", "name": ""}, 422, "LYK-0503"},
		"name left out": {map[string]any{"id": "home-9", "gateway": "gw-9"}, 422, "LYK-0503"},
		"bad zone":      {map[string]any{"id": "home-9", "gateway": "gw-9", "name": "x", "zone": "Mars/Olympus"}, 422, "LYK-0503"},
		"bad window":    {map[string]any{"id": "home-9", "gateway": "gw-9", "name": "x", "check_ins": []map[string]int{{"from": 600, "by": 480}}}, 422, "LYK-0503"},
	} {
		t.Run(name, func(t *testing.T) {
			s.do("POST", "/api/v1/homes", care.Coordinator, test.body).problem(t, test.status, test.id)
		})
	}
	stream := follow(t, s, care.Caregiver, "")
	stream.want("hello")
	s.raise("a1", care.AlertBatteryLow)
	s.raise("a2", care.AlertSOS)
	stream.want("alert")
	stream.want("alert")
	var list struct{ Homes []view }
	s.do("GET", "/api/v1/homes", care.Caregiver, nil).into(t, &list)
	if len(list.Homes) != 2 || list.Homes[0].ID != "home-2" || list.Homes[1].OpenAlerts != 2 || list.Homes[1].HighestSeverity != "emergency" {
		t.Errorf("homes by name: %+v", list.Homes)
	}
}

func TestAlerts(t *testing.T) {
	s := open(t)
	for _, id := range []string{"a1", "a2", "a3"} {
		s.raiseQuietly(id, care.AlertSOS)
	}
	type view struct {
		ID, State, Outcome, Note string
		HomeName                 string `json:"home_name"`
		By                       string `json:"acknowledged_by"`
	}
	var v view
	s.do("POST", "/api/v1/alerts/a2/acknowledge", care.Caregiver, nil, "Idempotency-Key", "k1").into(t, &v)
	if v.State != "acknowledged" || v.By != "caregiver Å" || v.HomeName != "Åke Öst" {
		t.Errorf("acknowledged: %+v", v)
	}
	body := map[string]string{"outcome": "helped", "note": "went there"}
	for range 2 { // the answer to the first was lost on the way
		s.do("POST", "/api/v1/alerts/a3/resolve", care.Caregiver, body, "Idempotency-Key", "k2").into(t, &v)
		if v.State != "resolved" || v.Outcome != "helped" || v.Note != "went there" {
			t.Errorf("resolved: %+v", v)
		}
	}
	late := s.do("POST", "/api/v1/alerts/a3/resolve", care.Coordinator, body)
	late.problem(t, 409, "LYK-0501")
	if !strings.Contains(string(late.body), "by caregiver Å") {
		t.Errorf("who was first is not in %s", late.body)
	}
	for query, want := range map[string][]string{
		"": {"a1", "a2", "a3"}, "?state=open": {"a1"}, "?state=active": {"a1", "a2"}, "?state=resolved": {"a3"}, "?state=acknowledged": {"a2"},
		"?home=home-1": {"a1", "a2", "a3"}, "?home=nowhere": {}, "?limit=1": nil,
	} {
		var list struct{ Alerts []view }
		s.do("GET", "/api/v1/alerts"+query, care.Caregiver, nil).into(t, &list)
		got := []string{}
		for _, a := range list.Alerts {
			got = append(got, a.ID)
		}
		slices.Sort(got)
		if want == nil && len(got) != 1 || want != nil && !slices.Equal(got, want) {
			t.Errorf("alerts%s: %q, want %q", query, got, want)
		}
	}
	for _, path := range []string{"/api/v1/alerts/none", "/api/v1/alerts/%00", "/api/v1/homes/none", "/api/v1/homes/none/readings"} {
		s.do("GET", path, care.Caregiver, nil).problem(t, 404, "LYK-0502")
	}
	s.do("POST", "/api/v1/alerts/none/acknowledge", care.Caregiver, nil).problem(t, 404, "LYK-0502")
	s.do("POST", "/api/v1/alerts/a1/resolve", care.Caregiver, map[string]string{"outcome": "recovered"}).problem(t, 422, "LYK-0503")
	s.do("POST", "/api/v1/alerts/a1/resolve", care.Caregiver, map[string]string{"outcome": "helped", "note": strings.Repeat("x", 2001)}).problem(t, 422, "LYK-0503")
	s.do("POST", "/api/v1/alerts/a1/acknowledge", care.Caregiver, nil, "Idempotency-Key", strings.Repeat("k", 101)).problem(t, 422, "LYK-0503")
}

// Pages follow one another until all has been told once, however many
// readings share one moment.
func TestPagesOfReadingsHoldAllOnce(t *testing.T) {
	s := open(t)
	base := time.Now().Add(-time.Hour).Truncate(time.Second)
	want := map[string]bool{}
	for i := range 60 {
		at := base.Add(time.Duration(i/6) * time.Second) // six devices in one nanosecond, ten times
		device := fmt.Sprint("d", i%6)
		s.write(point(at, device, devices.Temperature, float64(i), uint64(i/6)))
		want[fmt.Sprint(i)] = true
	}
	for _, limit := range []int{1, 4, 6, 7, 59, 60, 61} {
		got, after := map[string]int{}, ""
		for pages := 0; ; pages++ {
			if pages > 70 {
				t.Fatalf("limit %d: no end after %d pages", limit, pages)
			}
			var out struct {
				Readings []struct{ V float64 }
				Next     string
			}
			s.do("GET", fmt.Sprintf("/api/v1/homes/home-1/readings?limit=%d&after=%s", limit, after), care.Caregiver, nil).into(t, &out)
			for _, r := range out.Readings {
				got[fmt.Sprint(r.V)]++
			}
			if after = out.Next; after == "" {
				break
			}
		}
		for v := range want {
			if got[v] != 1 {
				t.Errorf("limit %d: reading %s came %d times", limit, v, got[v])
			}
		}
	}
}

// An operator whose page holds nothing but health is not at the end.
func TestPagesGoOnBehindWhatIsHidden(t *testing.T) {
	s := open(t)
	base := time.Now().Add(-time.Hour)
	s.write(point(base, "cuff", devices.Pulse, 70, 1), point(base.Add(time.Second), "cuff", devices.Pulse, 71, 2), point(base.Add(2*time.Second), "th", devices.Temperature, 20, 3))
	var out struct {
		Readings []struct{ Kind string }
		Next     string
	}
	s.do("GET", "/api/v1/homes/home-1/readings?limit=2", care.Operator, nil).into(t, &out)
	if len(out.Readings) != 0 || out.Next == "" {
		t.Fatalf("%+v", out)
	}
	s.do("GET", "/api/v1/homes/home-1/readings?limit=2&after="+out.Next, care.Operator, nil).into(t, &out)
	if len(out.Readings) != 1 || out.Readings[0].Kind != "temperature" {
		t.Errorf("%+v", out)
	}
}

func TestReadingsAndWindowsOfATime(t *testing.T) {
	s := open(t)
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for hour := range 24 {
		s.write(point(day.Add(time.Duration(hour)*time.Hour), "th", devices.Temperature, float64(hour), uint64(hour)))
	}
	for query, want := range map[string]int{
		"from=2026-11-20&to=2026-11-21":                            24,
		"from=2026-11-20T06:00:00Z&to=2026-11-20T08:00:00Z":        2,
		"from=2026-11-20T07:00:00%2B01:00&to=2026-11-20T08:00:00Z": 2,
		"to=2026-11-20T02:00:00Z":                                  2,
		"from=2026-11-21&to=2026-11-20":                            0,
		"from=2026-11-20&to=2026-11-20":                            0,
		"from=0001-01-01&to=9999-12-31":                            24,
		"from=2026-11-20&to=2026-11-21&kind=humidity":              0,
		"from=2026-11-20&to=2026-11-21&device=th&limit=100000":     24,
	} {
		var out struct{ Readings []json.RawMessage }
		s.do("GET", "/api/v1/homes/home-1/readings?"+query, care.Caregiver, nil).into(t, &out)
		if len(out.Readings) != want {
			t.Errorf("%s: %d readings, want %d", query, len(out.Readings), want)
		}
	}
	var out struct {
		Windows []struct {
			Count          int
			Min, Max, Mean float64
		}
	}
	s.do("GET", "/api/v1/homes/home-1/readings?from=2026-11-20&to=2026-11-21&every=6h", care.Caregiver, nil).into(t, &out)
	if len(out.Windows) != 4 || out.Windows[1].Count != 6 || out.Windows[1].Min != 6 || out.Windows[1].Max != 11 || out.Windows[1].Mean != 8.5 {
		t.Errorf("windows %+v", out.Windows)
	}
	for _, query := range []string{
		"from=yesterday", "to=2026-13-01", "from=1795298400", "every=5", "every=-1h", "every=0s", "every=500ms", "every=1500ms", "every=hour",
		"every=1s&from=2020-01-01", "limit=0", "limit=-1", "limit=100001", "limit=many", "after=x", "after=99999999999999999999",
		"device=" + strings.Repeat("d", 129), "kind=" + strings.Repeat("k", 129),
	} {
		s.do("GET", "/api/v1/homes/home-1/readings?"+query, care.Caregiver, nil).problem(t, 422, "LYK-0503")
	}
}

// P3: alarms do not wait for the time series, nor do the screens of a home.
func TestP3HomesAreShownWithoutHistory(t *testing.T) {
	away := failing{fmt.Errorf("%w: no answer from secret-host", history.ErrUnavailable)}
	s := open(t, func(o *web.Options) { o.History = away })
	var home struct {
		ID              string
		LastUnavailable bool `json:"last_unavailable"`
	}
	s.do("GET", "/api/v1/homes/home-1", care.Caregiver, nil).into(t, &home)
	if home.ID != "home-1" || !home.LastUnavailable {
		t.Errorf("%+v", home)
	}
	for _, query := range []string{"", "?every=1h"} {
		a := s.do("GET", "/api/v1/homes/home-1/readings"+query, care.Caregiver, nil)
		a.problem(t, 503, "LYK-0506")
		if strings.Contains(string(a.body), "secret-host") {
			t.Errorf("%s", a.body)
		}
	}
}

func TestRefusedMessagesAreListed(t *testing.T) {
	s := open(t)
	_, err := s.db.Commit(t.Context(), care.Commit{Refused: []care.RefusedMessage{{
		Gateway: "gw-1", Topic: "lykta/1/161/gw-1/alarm", ID: "LYK-0101", Error: "no", Payload: []byte{0xff}, Received: time.Now(),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Refused []struct {
			ID      string
			Payload []byte
		}
	}
	s.do("GET", "/api/v1/operations/refused", care.Operator, nil).into(t, &out)
	if len(out.Refused) != 1 || out.Refused[0].ID != "LYK-0101" || len(out.Refused[0].Payload) != 1 || out.Refused[0].Payload[0] != 0xff {
		t.Errorf("%+v", out)
	}
}

func TestFaultsAreAnsweredAndLogged(t *testing.T) {
	s := open(t, func(o *web.Options) { o.Homes = panicking{o.Homes} })
	a := s.do("GET", "/api/v1/homes/home-1", care.Caregiver, nil)
	a.problem(t, 500, "LYK-0507")
	if strings.Contains(string(a.body), "secret") || !strings.Contains(s.log.String(), "the secret of the fault") {
		t.Errorf("answer %s, log %s", a.body, s.log)
	}
	if a := s.do("GET", "/api/v1/me", care.Caregiver, nil); a.StatusCode != 200 {
		t.Errorf("after a fault: %d", a.StatusCode)
	}
}

// Whatever is sent, the service answers with a problem of the sender's, never
// with one of its own.
func TestGarbageIsTheSendersProblem(t *testing.T) {
	s := open(t)
	s.raiseQuietly("a1", care.AlertSOS)
	bodies := map[string]any{
		"nothing": "", "null": "null", "a number": "7", "a list": "[]", "cut": `{"id":"x"`, "text": "hello", "NUL": "\x00", "no UTF-8": []byte{'{', '"', 0xff, '"', ':', '1', '}'},
		"wrong types":   `{"id":7,"gateway":[],"name":{},"zone":true,"check_ins":"x","outcome":1,"note":{},"token":null}`,
		"windows wrong": `{"id":"x","gateway":"x","name":"x","check_ins":[{"from":1e99,"by":-1}]}`,
		"deep":          strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "deeper": strings.Repeat("[", 200_000),
		"twice": `{"outcome":"helped"}{"outcome":"helped"}`, "unknown": `{"what":"ever"}`, "lone surrogates": `{"token":"\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800"}`,
		"huge number": `{"id":` + strings.Repeat("9", 10_000) + `}`,
	}
	big := `{"token":"` + strings.Repeat("x", 2<<20) + `"}`
	queries := []string{
		"limit=NaN", "limit=1e3", "limit=&limit=2", "state=%00", "home=%ff%fe", "every=%F0%9F%95%AF", "from=" + url.QueryEscape(strings.Repeat("9", 3000)),
		"after=-9223372036854775808", "after=9223372036854775807", "every=2562047h", "from=0000-01-01", "to=0000-01-01", "to=9999-12-31&every=2562047h",
		"%zz=1", "a;b", "home=" + strings.Repeat("h", 30_000), "device=%00&kind=%ff", strings.Repeat("x=1&", 5000),
	}
	paths := []string{
		"/me", "/session", "/homes", "/homes/home-1", "/homes/home-1/readings", "/homes/home-1/audit", "/alerts", "/alerts/a1",
		"/alerts/a1/acknowledge", "/alerts/a1/resolve", "/operations/refused", "/homes/%ff%00", "/alerts/" + strings.Repeat("a", 2000), "/homes/..%2f..%2fetc",
		"/nowhere", "/", "//", "/homes//readings",
	}
	check := func(what string, a answer) {
		t.Helper()
		switch {
		case a.StatusCode >= 500:
			t.Errorf("%.100s: %d %.200s", what, a.StatusCode, a.body)
		case a.StatusCode >= 400 && (!strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") || !strings.Contains(string(a.body), `"id":"LYK-`)):
			t.Errorf("%.100s: %d %s %.200q is no problem with an id", what, a.StatusCode, a.Header.Get("Content-Type"), a.body)
		}
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} {
			for _, role := range []care.Role{"", care.Coordinator, care.Operator} {
				check(method+" "+path, s.do(method, "/api/v1"+path, role, nil))
			}
		}
		for name, body := range bodies {
			check("POST "+path+" "+name, s.do("POST", "/api/v1"+path, care.Coordinator, body))
		}
		check("POST "+path+" as a form", s.do("POST", "/api/v1"+path, care.Coordinator, "a=b", "Content-Type", "application/x-www-form-urlencoded"))
		check("POST "+path+" as nonsense", s.do("POST", "/api/v1"+path, care.Coordinator, "{}", "Content-Type", "no/such;type"))
		for _, query := range queries {
			check("GET "+path+"?"+query, s.do("GET", "/api/v1"+path+"?"+query, care.Coordinator, nil, "Accept", "text/html;q=x"))
		}
	}
	for _, path := range []string{"/session", "/homes", "/alerts/a1/resolve"} {
		a := s.do("POST", "/api/v1"+path, care.Coordinator, big)
		a.problem(t, 413, "LYK-0503")
	}
	for _, query := range queries {
		if a := s.do("GET", "/api/v1/events?"+query, "", nil); a.StatusCode != 401 {
			t.Errorf("events?%.100s: %d", query, a.StatusCode)
		}
	}
	if log := s.log.String(); strings.Contains(log, "LYK-0507") {
		t.Errorf("log: %.1000s", log)
	}
}
