package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/web"
	"github.com/lykta/lykta/devices"
)

// description is what the API says of itself.
type description struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody *struct {
		Content map[string]struct{ Schema schema }
	}
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Enum       []any
	Required   []string
	Properties map[string]schema
	Items      *schema
	MinLength  int
	MinItems   int
	Minimum    *float64
	Examples   []any
}

func describe(t *testing.T) description {
	t.Helper()
	text, err := web.OpenAPI("1")
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil || len(d.Paths) < 50 {
		t.Fatalf("%d paths, %v", len(d.Paths), err)
	}
	return d
}

// example makes a value that fits a schema, so that a request gets as far as
// the question who may ask it.
func (d description) example(name string, s schema) any {
	if s.Ref != "" {
		return d.example(name, d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")])
	}
	kind, ok := s.Type.(string)
	if list, isList := s.Type.([]any); isList && len(list) > 0 {
		kind, ok = list[0].(string)
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case !ok:
		return map[string]any{}
	}
	switch kind {
	case "object":
		out := map[string]any{}
		for _, key := range s.Required {
			out[key] = d.example(key, s.Properties[key])
		}
		return out
	case "array":
		out := []any{}
		for range s.MinItems {
			out = append(out, d.example(name, *s.Items))
		}
		return out
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case "boolean":
		return true
	}
	switch {
	case name == "home" || name == "scope":
		return "home-1"
	case name == "to" && s.Format == "date-time":
		return time.Now().Add(2 * time.Hour)
	case s.Format == "date-time":
		return time.Now().Add(time.Hour)
	case name == "party":
		return "relatives"
	}
	return "anna" + strings.Repeat("-", max(0, s.MinLength-4))
}

// Åke's home is home-1, in the north. All of it is marked, so that what
// comes through can be seen.
func akesHome(t *testing.T, change ...func(*web.Options)) (s *site, alert func() string) {
	s = open(t, change...)
	ctx, now := t.Context(), time.Now()
	home, err := s.db.Home(ctx, "home-1")
	if err != nil {
		t.Fatal(err)
	}
	home.Area, home.CheckIns = "norr", []care.CheckIn{{From: 0, By: 1440}}
	s.second()
	for _, err := range []error{
		s.homes.Change(ctx, home),
		s.db.PutPerson(ctx, care.Person{ID: "maria", Name: "Maria", Role: care.Relative}),
		s.db.PutPerson(ctx, care.Person{ID: "erik", Name: "Erik", Role: care.Relative}),
		s.db.PutPerson(ctx, care.Person{ID: "anna", Name: "Anna", Role: care.Caregiver, Areas: []string{"norr"}}),
		s.db.PutPerson(ctx, care.Person{ID: "sofia", Name: "Sofia", Role: care.Caregiver, Areas: []string{"söder"}, Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701234567"}}}),
		s.db.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: "home-1", Person: "maria"}),
		s.db.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: "home-2", Person: "erik"}),
		s.db.AddSilence(ctx, care.Silence{ID: "silence-1", Home: "home-1", From: now, To: now.Add(time.Hour), Author: "Anna", Reason: "Åke på sjukhus"}, care.AuditEntry{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.write(point(now, "hall-motion", devices.Motion, 1, 1), point(now, "cuff", devices.Pulse, 71, 2), point(now, "th", devices.Temperature, 20, 3))
	card := map[string]any{
		"name": "Åke Öst", "called": "Åke", "born": "1936", "phone": "+4660111", "address": "Åkes väg 1", "entry": "Åkes kod 1234",
		"language": "sv", "important": "Åke hör illa", "wishes": "Åke vill ha kaffe", "ask": 0,
	}
	for _, call := range []struct {
		method, path string
		body         any
	}{
		{"PUT", "/homes/home-1/resident", card},
		{"POST", "/homes/home-1/notes", map[string]any{"kind": "observation", "text": "Åke var trött"}},
		{"PUT", "/homes/home-1/reminders/r1", map[string]any{"text": "Åkes medicin", "at": 480, "medication": true, "days": []int{}}},
		{"PUT", "/visits/v1", map[string]any{"home": "home-1", "from": now.Add(time.Hour), "to": now.Add(2 * time.Hour), "person": "anna", "what": "Åkes dusch", "state": "planned", "video": false, "note": ""}},
		{"POST", "/homes/home-1/messages", map[string]any{"text": "God morgon Åke"}},
	} {
		if a := s.do(call.method, "/api/v1"+call.path, care.Coordinator, call.body, "Idempotency-Key", "k"); a.StatusCode >= 400 {
			t.Fatalf("%s %s: %d %s", call.method, call.path, a.StatusCode, a.body)
		}
	}
	var messages struct{ Messages []struct{ ID string } }
	s.do("GET", "/api/v1/homes/home-1/messages", care.Caregiver, nil).into(t, &messages)
	s.message = messages.Messages[0].ID
	for _, who := range []access.Actor{
		{Name: "Anna", Role: care.Caregiver, Person: "anna", Areas: []string{"norr"}},
		{Name: "Sofia", Role: care.Caregiver, Person: "sofia", Areas: []string{"söder"}},
		{Name: "Sten", Role: care.Coordinator, Areas: []string{"söder"}},
		{Name: "Olle", Role: care.Operator, Areas: []string{"söder"}},
		{Name: "Maria", Role: care.Relative, Person: "maria", Homes: []string{"home-1"}},
		{Name: "Erik", Role: care.Relative, Person: "erik", Homes: []string{"home-2"}},
		{Name: "Ingen", Role: "resident", Person: "maria", Homes: []string{"home-1"}},
	} {
		s.invite(who)
	}
	n := 0
	return s, func() string {
		n++
		id := fmt.Sprint("alert-of-home-1-", n)
		s.raiseQuietly(id, care.AlertSOS)
		return id
	}
}

// each calls f with every operation, in their order.
func (d description) each(f func(method, path string, o operation)) {
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			f(strings.ToUpper(method), path, d.Paths[path][method])
		}
	}
}

// fill makes a call of an operation about Åke's home, or what is in it.
func (s *site) fill(d description, path string, o operation, alert func() string) (call string, body any) {
	s.t.Helper()
	call = path
	for _, p := range o.Parameters {
		if p.In != "path" {
			continue
		}
		value := map[string]string{
			"message": s.message, "reminder": "r1", "visit": "v1", "group": "contacts", "person": "maria", "severity": "technical", "home": "home-1",
		}[p.Name]
		if p.Name == "call" {
			value = s.liveCall()
		}
		if p.Name == "id" {
			switch strings.Split(path, "/")[3] {
			case "homes", "family":
				value = "home-1"
			case "alerts":
				value = alert()
			case "silences":
				value = "silence-1"
			default:
				value = "maria"
			}
		}
		call = strings.ReplaceAll(call, "{"+p.Name+"}", value)
	}
	if o.RequestBody != nil {
		for _, content := range o.RequestBody.Content {
			body = d.example("", content.Schema)
		}
	}
	return call, body
}

// liveCall is a call with Åke's home that is not over.
func (s *site) liveCall() string {
	s.t.Helper()
	s.calls++
	c, err := s.db.AddCall(s.t.Context(), care.Call{
		ID: fmt.Sprint("call-", s.calls), Home: "home-1", State: care.CallRinging, By: "person:anna", ByName: "Anna", ByRole: care.Caregiver, Started: time.Now(),
	})
	if err != nil && !errors.Is(err, care.ErrCallBusy) {
		s.t.Fatal(err)
	}
	return c.ID
}

// allow notes a decision of Åke's.
func (s *site) allow(party care.Party, field care.Field, allowed bool) {
	s.t.Helper()
	a := s.do("POST", "/api/v1/homes/home-1/consent", care.Caregiver, map[string]any{"party": party, "field": field, "allowed": allowed, "how": "spoken"})
	if a.StatusCode != http.StatusCreated {
		s.t.Fatalf("%s %s %v: %d %s", party, field, allowed, a.StatusCode, a.body)
	}
}

// harmless are the operations that answer people who have nothing to do with
// Åke, because the answer is about themselves, or leaves out what is his.
const harmless = `
stream-events               says nothing of homes that are not theirs; see TestP8TheStreamTellsNobodyTooMuch
get-me list-sessions delete-my-session end-other-sessions list-passkeys ask-new-passkey add-passkey ask-proof prove delete-passkey end-session
                            their own sign-ins
get-push put-browser delete-browser
                            their own browsers
create-session get-sign-in ask-passkey sign-in-passkey look-invitation accept-invitation start-oidc finish-oidc
                            open to everybody
list-homes list-alerts list-silences list-visits search get-hand-over list-devices get-statistics get-load list-people
                            lists without what is Åke's
list-shifts list-policies hand-over-shift put-shift delete-shift put-policy add-home
                            of the service, by role; none of it is Åke's
list-refused                of the gateways, for operators
list-family                 their own family
list-calls                  a list without what is Åke's
look-guest join-as-guest    open to who has a link
`

// P8: whoever has nothing to do with a home gets nothing of it and changes
// nothing in it, whatever operation they call: another area's staff, another
// home's relative, somebody without rights. A handler that forgets to ask
// fails here.
func TestP8NobodyReachesAnothersHome(t *testing.T) {
	s, alert := akesHome(t, withCalls(nil))
	for _, field := range care.Fields() { // even if all relatives may see all
		if !care.PartyRelatives.Fixed(field) {
			s.allow(care.PartyRelatives, field, true)
		}
	}
	d := describe(t)
	let := strings.Fields(harmless)
	marks := []string{"home-1", "Åke", "gw-1", `"maria"`}
	d.each(func(method, path string, o operation) {
		for _, who := range []care.Role{"Sofia", "Sten", "Olle", "Erik", "Ingen", ""} {
			if o.ID == "stream-events" {
				continue
			}
			call, body := s.fill(d, path, o, alert)
			calls := []string{call, call + "?home=home-1&scope=home-1&q=%C3%85ke&area=norr"}
			if strings.HasSuffix(o.ID, "-member") {
				calls = calls[1:] // of which home is in the query
			}
			for _, call := range calls {
				a := s.do(method, call, who, body)
				what := fmt.Sprintf("%s (%s %s) as %q", o.ID, method, call, who)
				refused := a.StatusCode == 401 || a.StatusCode == 403 || a.StatusCode == 404
				if !refused && !slices.Contains(let, o.ID) {
					t.Errorf("%s: %d %.200s", what, a.StatusCode, a.body)
				}
				for _, mark := range marks {
					if a.StatusCode < 300 && strings.Contains(string(a.body), mark) && o.ID != "get-me" {
						t.Errorf("%s: %q in %.300s", what, mark, a.body)
					}
				}
			}
		}
	})
	// And nothing was done.
	var now struct{ Name, Area string }
	s.do("GET", "/api/v1/homes/home-1", care.Coordinator, nil).into(t, &now)
	if now.Name != "Åke Öst" || now.Area != "norr" {
		t.Errorf("the home is %+v now", now)
	}
	active, err := s.db.Alerts(t.Context(), care.AlertFilter{Home: "home-1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range active {
		if a.State != care.Open {
			t.Errorf("%s was changed by somebody who may not: %+v", a.ID, a)
		}
	}
	if silences, err := s.db.Silences(t.Context(), "home-1", time.Now()); err != nil || len(silences) != 1 {
		t.Errorf("silences %+v, %v", silences, err)
	}
}

// calls says who may call an operation about Åke's home: staff who have every
// area, and Maria, his contact, whom he has allowed all that he can, or refused
// it, or of whom he has decided nothing ("allowed" is yes for the first alone,
// "unless" no for the second alone).
const calls = `
                     caregiver  coordinator  operator  Maria
accept-invitation    yes        yes          yes       yes
acknowledge-alert    yes        yes          no        unless
add-family-message   yes        yes          no        allowed
add-home             no         yes          yes       no
add-message          yes        yes          no        allowed
add-note             yes        yes          no        no
add-passkey          yes        yes          yes       yes
add-silence          yes        yes          yes       no
announce-test        yes        yes          yes       no
ask-for-visit        no         no           no        allowed
ask-new-passkey      yes        yes          yes       yes
ask-passkey          yes        yes          yes       yes
ask-proof            yes        yes          yes       yes
call-went            yes        yes          no        no
change-home          no         yes          yes       no
create-session       yes        yes          yes       yes
delete-browser       yes        yes          yes       yes
delete-member        no         yes          yes       no
delete-my-session    yes        yes          yes       yes
delete-passkey       yes        yes          yes       yes
delete-shift         no         yes          yes       no
delete-sign-ins      no         yes          yes       no
end-message          yes        yes          no        allowed
end-other-sessions   yes        yes          yes       yes
end-reminder         yes        yes          no        no
end-session          yes        yes          yes       yes
end-silence          yes        yes          yes       no
end-test             yes        yes          yes       no
finish-oidc          yes        yes          yes       yes
get-alert            yes        yes          yes       unless
get-call             yes        yes          no        allowed
get-chain            yes        yes          yes       unless
get-consent          yes        yes          no        no
get-family-home      no         no           no        yes
get-hand-over        yes        yes          no        no
get-home             yes        yes          yes       no
get-load             no         yes          yes       no
get-me               yes        yes          yes       yes
get-picture          yes        yes          no        allowed
get-push             yes        yes          yes       yes
get-resident         yes        yes          no        no
get-rooms            no         yes          yes       no
get-sign-in          yes        yes          yes       yes
get-statistics       no         yes          yes       no
get-visit            yes        yes          no        no
get-well-being       yes        yes          no        no
hand-over-shift      yes        yes          yes       no
hang-up              yes        yes          no        allowed
invite-guest         yes        yes          no        no
invite-person        yes        yes          yes       no
join-as-guest        yes        yes          yes       yes
join-call            yes        yes          no        allowed
list-alerts          yes        yes          yes       no
list-audit           no         yes          yes       no
list-calls           yes        yes          no        yes
list-devices         yes        yes          yes       no
list-family          no         no           no        yes
list-home-visits     yes        yes          no        no
list-homes           yes        yes          yes       no
list-messages        yes        yes          no        allowed
list-notes           yes        yes          no        no
list-passkeys        yes        yes          yes       yes
list-people          yes        yes          yes       no
list-policies        yes        yes          yes       no
list-readings        yes        yes          yes       no
list-refused         no         no           yes       no
list-reminders       yes        yes          no        no
list-sessions        yes        yes          yes       yes
list-shifts          yes        yes          yes       no
list-silences        yes        yes          yes       no
list-tests           yes        yes          yes       no
list-visits          yes        yes          no        no
locate-gateway       no         yes          yes       no
look-guest           yes        yes          yes       yes
look-invitation      yes        yes          yes       yes
note-consent         yes        yes          no        no
pair-devices         no         yes          yes       no
prove                yes        yes          yes       yes
put-browser          yes        yes          yes       yes
put-member           no         yes          no        no
put-person           no         yes          yes       no
put-policy           no         yes          yes       no
put-reminder         yes        yes          no        no
put-resident         yes        yes          no        no
put-rooms            no         yes          yes       no
put-shift            no         yes          yes       no
put-visit            yes        yes          no        no
resolve-alert        yes        yes          no        no
search               yes        yes          yes       no
set-out-to-alert     yes        yes          no        unless
sign-in-passkey      yes        yes          yes       yes
start-call           yes        yes          no        allowed
start-oidc           yes        yes          yes       yes
stream-events        yes        yes          yes       yes
take-over-alert      yes        yes          no        no
visit-went           yes        yes          no        no
`

// P8: who may call what, for every operation that there is.
func TestP8WhoMayCallWhat(t *testing.T) {
	s, alert := akesHome(t, withCalls(nil))
	lines := strings.Split(strings.TrimSpace(calls), "\n")
	columns := strings.Fields(lines[0])
	table := map[string][]string{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		table[cells[0]] = cells[1:]
	}
	d := describe(t)
	for _, decided := range []string{"nothing", "refused", "allowed"} {
		for _, field := range care.Fields() {
			if decided != "nothing" && !care.PartyRelatives.Fixed(field) {
				s.allow(care.PartyPerson("maria"), field, decided == "allowed")
			}
		}
		d.each(func(method, path string, o operation) {
			if table[o.ID] == nil {
				t.Errorf("nobody has said who may %s %s (%s)", method, path, o.ID)
				return
			}
			for i, who := range columns {
				word := table[o.ID][i]
				want := word == "yes" || word == "allowed" && decided == "allowed" || word == "unless" && decided != "refused"
				call, body := s.fill(d, path, o, alert)
				if o.ID == "search" {
					call += "?q=zz"
				}
				if o.ID == "stream-events" {
					follow(t, s, care.Role(who), "").want("hello")
					continue
				}
				if strings.HasSuffix(o.ID, "-member") {
					call += "?scope=home-2"
				}
				a := s.do(method, call, care.Role(who), body)
				got := a.StatusCode != 403
				if strings.HasPrefix(path, "/api/v1/sign-in") || strings.HasPrefix(path, "/api/v1/invitation") || path == "/api/v1/session" {
					got = true // whoever asks is not the question
				}
				if got != want || a.StatusCode >= 500 && o.ID != "start-oidc" {
					t.Errorf("%s (%s %s) as %s, decided %s: %d %.200s, want %v", o.ID, method, call, who, decided, a.StatusCode, a.body, want)
				}
			}
		})
	}
}

// P8: what is of one home is not to be had by way of another.
func TestP8NothingIsReachedByWayOfAnotherHome(t *testing.T) {
	s, _ := akesHome(t)
	visit := map[string]any{"home": "home-2", "from": time.Now().Add(time.Hour), "to": time.Now().Add(2 * time.Hour), "person": "", "what": "", "state": "cancelled", "video": false, "note": ""}
	for _, call := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/homes/home-2/messages/" + s.message + "/picture", nil},
		{"DELETE", "/homes/home-2/messages/" + s.message, nil},
		{"DELETE", "/homes/home-2/reminders/r1", nil},
		{"PUT", "/visits/v1", visit},
	} {
		a := s.do(call.method, "/api/v1"+call.path, "Sofia", call.body)
		if a.StatusCode < 300 && call.method != "DELETE" || a.StatusCode >= 500 {
			t.Errorf("%s %s: %d %.200s", call.method, call.path, a.StatusCode, a.body)
		}
	}
	if m, err := s.db.Message(t.Context(), "home-1", s.message); err != nil || !m.Ended.IsZero() {
		t.Errorf("the message is %+v, %v", m, err)
	}
	if v, err := s.db.Visit(t.Context(), "v1"); err != nil || v.Home != "home-1" || v.State != care.VisitPlanned {
		t.Errorf("the visit is %+v, %v", v, err)
	}
	if r, err := s.db.Reminders(t.Context(), "home-1"); err != nil || len(r) != 1 {
		t.Errorf("the reminders are %+v, %v", r, err)
	}
}
