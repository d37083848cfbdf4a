package web_test

import (
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// P8: the call learns that somebody is signed out, or may no longer, whatever the
// reason; their browser, that there is no use in coming back.
func TestP8WhoMayNoLongerIsOutOfTheCall(t *testing.T) {
	var r *rooms
	s, _ := akesHome(t, withCalls(&r))
	people(t, s)
	s.allow(care.PartyRelatives, care.FieldVideo, true)
	call := s.aCall(t, "Anna", "k")
	put := func(id string, role care.Role) {
		if err := s.db.PutPerson(t.Context(), care.Person{ID: id, Name: id, Language: "sv", Role: role}); err != nil {
			t.Fatal(err)
		}
	}
	put("sven", care.Relative)
	contact := care.Member{Group: care.GroupContacts, Scope: "home-1", Person: "sven"}
	if err := s.db.PutMember(t.Context(), contact); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		who    []string
		id     string
		end    func()
		closed websocket.StatusCode
	}{
		"a relative whose consent is withdrawn": {s.bearer("Maria"), "person:maria", func() { s.allow(care.PartyPerson("maria"), care.FieldVideo, false) }, 4403},
		"who signs out elsewhere": {append(s.as("anna"), "Origin", s.URL), "person:anna", func() {
			if err := s.keeper.EndAll(t.Context(), "anna"); err != nil {
				t.Fatal(err)
			}
		}, 4401},
		"whose account is taken away": {append(s.as("stina"), "Origin", s.URL), "person:stina", func() { put("stina", "") }, 4401},
		"who is a contact no longer": {append(s.as("sven"), "Origin", s.URL), "person:sven", func() {
			if err := s.db.DeleteMember(t.Context(), contact); err != nil {
				t.Fatal(err)
			}
		}, 4403},
		"staff who look after another area from now on": {s.bearer("Anna"), "person:anna", func() {
			s.invite(access.Actor{Name: "Anna", Role: care.Caregiver, Person: "anna", Areas: []string{"söder"}})
		}, 4403},
	} {
		t.Run(name, func(t *testing.T) {
			r.is(t, call.ID, test.id, 0)
			conn, _, err := s.socket("/calls/"+call.ID+"/socket", test.who...)
			if err != nil {
				t.Fatal(err)
			}
			hear(t, conn)
			r.is(t, call.ID, test.id, 1)
			test.end()
			if got := closed(t, conn); got != test.closed {
				t.Errorf("closed with %d, want %d", got, test.closed)
			}
			r.is(t, call.ID, test.id, 0)
		})
	}
}

// P8: who rang about an alarm of another area may finish the call when the alarm is
// closed meanwhile, come back after a broken connection, hang up, and say how it
// went; nobody comes in anew by it.
func TestP8AnAlarmThatIsClosedCutsNoCall(t *testing.T) {
	var r *rooms
	s, alert := akesHome(t, withCalls(&r))
	id, ctx := alert(), t.Context()
	tell := func(person string) {
		t.Helper()
		if err := s.db.PutTelling(ctx, care.Telling{
			Alert: id, About: care.AboutAlarm, Person: person, Address: care.Address{Channel: care.ChannelSMS, To: "+46701234567"}, Group: care.GroupLastResort,
		}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	stina := care.Person{ID: "stina", Name: "Stina", Role: care.Caregiver, Areas: []string{"söder"}, Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701234568"}}}
	if err := s.db.PutPerson(ctx, stina); err != nil {
		t.Fatal(err)
	}
	s.invite(access.Actor{Name: "Stina", Role: care.Caregiver, Person: "stina", Areas: []string{"söder"}})
	tell("sofia")
	tell("stina")
	call := s.aCall(t, "Sofia", "k")
	become := func(change func(care.Call) (care.Call, error)) {
		t.Helper()
		if _, _, err := s.db.ChangeCall(ctx, call.ID, func(c care.Call) (care.Call, []care.AuditEntry, error) {
			c, err := change(c)
			return c, nil, err
		}); err != nil {
			t.Fatal(err)
		}
	}
	become(func(c care.Call) (care.Call, error) {
		return c.Join(care.CallPerson{ID: "person:sofia", Name: "Sofia", Role: care.AsStaff}, time.Now())
	})
	become(func(c care.Call) (care.Call, error) { return c.Answer(care.ByTouch, time.Now()) })
	enter := func() *websocket.Conn {
		t.Helper()
		conn, resp, err := s.socket("/calls/"+call.ID+"/socket", s.bearer("Sofia")...)
		if err != nil {
			t.Fatal(resp, err)
		}
		hear(t, conn)
		r.is(t, call.ID, "person:sofia", 1)
		return conn
	}
	stays := func(conn *websocket.Conn) {
		t.Helper()
		// The fake looks at the right many times a second: who is dropped hears nothing more.
		before := r.asked(call.ID, "person:sofia")
		eventually(t, "asked anew whether she may", func() bool { return r.asked(call.ID, "person:sofia") > before+3 })
		r.is(t, call.ID, "person:sofia", 1)
	}
	conn := enter()
	if a := s.do("POST", "/api/v1/alerts/"+id+"/resolve", "Anna", map[string]string{"outcome": "helped"}); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	s.do("GET", "/api/v1/homes/home-1", "Sofia", nil).problem(t, 403, "LYK-0505")
	stays(conn)
	_ = conn.CloseNow() // her telephone changes its network
	r.is(t, call.ID, "person:sofia", 0)
	conn = enter()
	stays(conn)
	if a := s.do("GET", "/api/v1/calls/"+call.ID, "Sofia", nil); a.StatusCode != 200 {
		t.Errorf("her own call: %d %s", a.StatusCode, a.body)
	}
	// Who was told of the alarm too, and was not in the call, does not come in now;
	// nor is anybody rung.
	if _, resp, err := s.socket("/calls/"+call.ID+"/socket", s.bearer("Stina")...); err == nil || resp == nil || resp.StatusCode != 403 {
		t.Errorf("Stina comes in: %v", err)
	}
	s.do("POST", "/api/v1/homes/home-1/calls", "Sofia", map[string]any{}, "Idempotency-Key", "k2").problem(t, 403, "LYK-0904")
	s.do("POST", "/api/v1/calls/"+call.ID+"/guests", "Sofia", map[string]any{"name": "Ali", "role": "interpreter"}, "Idempotency-Key", "g").problem(t, 403, "LYK-0904")
	// What else ends a right, ends this one.
	s.allow(care.PartyStaff, care.FieldVideo, false)
	if got := closed(t, conn); got != 4403 {
		t.Errorf("withdrawn, closed with %d", got)
	}
	s.allow(care.PartyStaff, care.FieldVideo, true)
	if a := s.do("POST", "/api/v1/calls/"+call.ID+"/hang-up", "Sofia", nil); a.StatusCode != 200 {
		t.Errorf("hang up: %d %s", a.StatusCode, a.body)
	}
	if a := s.do("POST", "/api/v1/calls/"+call.ID+"/went", "Sofia", map[string]any{"outcome": "well"}); a.StatusCode != 200 {
		t.Errorf("how it went: %d %s", a.StatusCode, a.body)
	}
	s.do("GET", "/api/v1/calls/"+call.ID, "Stina", nil).problem(t, 403, "LYK-0904")
}

// P8: who has left a call that they came to by an alarm is out of it when that is closed.
func TestP8WhoHasLeftACallDoesNotComeBackByAClosedAlarm(t *testing.T) {
	var r *rooms
	s, alert := akesHome(t, withCalls(&r))
	id, ctx := alert(), t.Context()
	if err := s.db.PutTelling(ctx, care.Telling{
		Alert: id, About: care.AboutAlarm, Person: "sofia", Address: care.Address{Channel: care.ChannelSMS, To: "+46701234567"}, Group: care.GroupLastResort,
	}, time.Now()); err != nil {
		t.Fatal(err)
	}
	call, now := s.aCall(t, "Anna", "k"), time.Now()
	if _, _, err := s.db.ChangeCall(ctx, call.ID, func(c care.Call) (care.Call, []care.AuditEntry, error) {
		c, err := c.Join(care.CallPerson{ID: "person:sofia", Name: "Sofia", Role: care.AsStaff}, now)
		return c.Leave("person:sofia", now.Add(time.Second)), nil, err
	}); err != nil {
		t.Fatal(err)
	}
	path := "/calls/" + call.ID + "/socket"
	if _, _, err := s.socket(path, s.bearer("Sofia")...); err != nil {
		t.Errorf("while the alarm is open: %v", err)
	}
	if a := s.do("POST", "/api/v1/alerts/"+id+"/resolve", "Anna", map[string]string{"outcome": "helped"}); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if _, resp, err := s.socket(path, s.bearer("Sofia")...); err == nil || resp == nil || resp.StatusCode != 403 {
		t.Errorf("after it is closed: %v", err)
	}
}
