package web_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/web"
)

// rooms stands in for the service that carries calls: it keeps them in the real
// store, and gives back to everybody what they say.
type rooms struct {
	db   *store.Store
	live *web.Live

	mu      sync.Mutex
	started []web.CallStart
	here    map[string]int      // who attends, by call and id
	said    map[string][]string // what they said
	asks    map[string]int      // how often it was asked whether they may
	last    map[string]context.CancelCauseFunc
}

func (r *rooms) Start(ctx context.Context, s web.CallStart) (care.Call, error) {
	r.mu.Lock()
	r.started = append(r.started, s)
	r.mu.Unlock()
	c, err := r.db.AddCall(ctx, care.Call{
		ID: s.ID, Home: s.Home.ID, Visit: s.Visit, Alert: s.Alert, State: care.CallRinging, By: s.By.ID, ByName: s.By.Name, ByRole: s.By.As, Started: time.Now(),
	})
	if err == nil {
		r.live.CallChanged(c)
	}
	return c, err
}

func (r *rooms) Attend(ctx context.Context, call string, who web.Attendee, may func(context.Context) error, conn web.CallConn) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for ctx.Err() == nil {
			if err := may(ctx); err != nil {
				cancel(err)
			}
			r.mu.Lock()
			r.asks[call+" "+who.ID]++
			r.mu.Unlock()
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	r.mu.Lock()
	if before := r.last[call+" "+who.ID]; before != nil {
		before(care.ErrCallElsewhere)
	}
	r.last[call+" "+who.ID] = cancel
	r.mu.Unlock()
	r.count(call+" "+who.ID, 1)
	defer r.count(call+" "+who.ID, -1)
	if err := conn.Write(ctx, fmt.Appendf(nil, `{"type":"welcome","me":%q}`, who.ID)); err != nil {
		return err
	}
	for {
		text, err := conn.Read(ctx)
		if err != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		r.mu.Lock()
		r.said[who.ID] = append(r.said[who.ID], string(text))
		r.mu.Unlock()
		if strings.Contains(string(text), `"leave"`) {
			return nil
		}
		if err := conn.Write(ctx, text); err != nil {
			return err
		}
	}
}

func (r *rooms) HangUp(ctx context.Context, call string, who web.Attendee) (care.Call, error) {
	c, _, err := r.db.ChangeCall(ctx, call, func(c care.Call) (care.Call, []care.AuditEntry, error) {
		c.State, c.Ended, c.Why = care.CallEnded, time.Now(), care.CallDone
		return c, nil, nil
	})
	return c, err
}

func (r *rooms) count(who string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.here[who] += n
}

// asked is how often it was asked whether somebody may be in a call.
func (r *rooms) asked(call, who string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asks[call+" "+who]
}

// is waits until as many attend a call as somebody.
func (r *rooms) is(t *testing.T, call, who string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d times %s in %s", want, who, call), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.here[call+" "+who] == want
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it is not so after 20 s: %s", what)
}

// withCalls has the service carry calls.
func withCalls(s **rooms) func(*web.Options) {
	return func(o *web.Options) {
		db := o.Operations.(*store.Store)
		r := &rooms{db: db, live: o.Live, here: map[string]int{}, said: map[string][]string{}, asks: map[string]int{}, last: map[string]context.CancelCauseFunc{}}
		if s != nil {
			*s = r
		}
		o.Calls, o.CallBook, o.CallGuests = r, db, db
	}
}

// aCall is one with Åke's home that Anna has begun.
func (s *site) aCall(t *testing.T, as care.Role, key string) web.CallView {
	t.Helper()
	a := s.do("POST", "/api/v1/homes/home-1/calls", as, map[string]any{}, "Idempotency-Key", key)
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	var c web.CallView
	a.into(t, &c)
	return c
}

func TestACallIsBegunOnceAndOneAtATime(t *testing.T) {
	var r *rooms
	s, _ := akesHome(t, withCalls(&r))
	first, again := s.aCall(t, "Anna", "k1"), s.aCall(t, "Anna", "k1")
	if first.ID != again.ID || first.State != care.CallRinging || first.HomeName != "Åke Öst" || first.By.ID != "person:anna" || first.By.Role != care.AsStaff {
		t.Errorf("%+v and %+v", first, again)
	}
	busy := s.do("POST", "/api/v1/homes/home-1/calls", "Anna", map[string]any{}, "Idempotency-Key", "k2", "Accept-Language", "sv")
	busy.problem(t, 409, "LYK-0901")
	var p web.Problem
	busy.into(t, &p)
	if p.Call != first.ID || p.Title != "Hemmet är redan i ett samtal." {
		t.Errorf("who is refused is told %+v", p)
	}
	if a := s.do("POST", "/api/v1/calls/"+first.ID+"/hang-up", "Anna", nil); a.StatusCode != 200 || !strings.Contains(string(a.body), `"ended"`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := s.do("POST", "/api/v1/calls/"+first.ID+"/hang-up", "Anna", nil); a.StatusCode != 200 {
		t.Errorf("twice: %d %s", a.StatusCode, a.body)
	}
	if second := s.aCall(t, "Anna", "k2"); second.ID == first.ID {
		t.Error("the call that is over is begun again")
	}
	went := s.do("POST", "/api/v1/calls/"+first.ID+"/went", "Anna", map[string]any{"outcome": "well", "note": "Åke mår bra", "saved_minutes": 18})
	if went.StatusCode != 200 || !strings.Contains(string(went.body), "Åke mår bra") {
		t.Errorf("%d %s", went.StatusCode, went.body)
	}
	s.do("POST", "/api/v1/calls/"+first.ID+"/went", "Anna", map[string]any{"outcome": "other"}).problem(t, 422, "LYK-0503")
	var list struct{ Calls []web.CallView }
	s.do("GET", "/api/v1/calls?live=true", "Anna", nil).into(t, &list)
	if len(list.Calls) != 1 || list.Calls[0].ID == first.ID {
		t.Errorf("live: %+v", list)
	}
}

func TestWhatACallMayNotBe(t *testing.T) {
	s, alert := akesHome(t, withCalls(nil))
	s.do("POST", "/api/v1/homes/home-1/calls", care.Caregiver, map[string]any{}).problem(t, 409, "LYK-0909") // a program's token
	for body, id := range map[string]string{
		`{"visit":"v1"}`:     "LYK-0503", // in the home
		`{"visit":"none"}`:   "LYK-0502",
		`{"alert":"none"}`:   "LYK-0502",
		`{"picture":"aGVq"}`: "LYK-0503",
		`{"automatic":true}`: "LYK-0905",
		`{"automatic":true,"alert":"` + alert() + `"}`: "LYK-0905", // Åke has not allowed it
	} {
		a := s.do("POST", "/api/v1/homes/home-1/calls", "Anna", body)
		if !strings.Contains(string(a.body), id) || a.StatusCode < 400 || a.StatusCode >= 500 {
			t.Errorf("%s: %d %s, want %s", body, a.StatusCode, a.body, id)
		}
	}
	off, _ := akesHome(t)
	off.do("POST", "/api/v1/homes/home-1/calls", "Anna", map[string]any{}).problem(t, 409, "LYK-0907")
	off.do("POST", "/api/v1/guest/look", "", map[string]string{"code": "lyk_g_" + strings.Repeat("a", 43)}).problem(t, 404, "LYK-0906")
}

// P8: the screen answers by itself for nobody whom the resident has not allowed
// it, and for those only while an emergency of the home is not over.
func TestP8TheScreenAnswersByItselfOnlyAsAllowed(t *testing.T) {
	var r *rooms
	s, alert := akesHome(t, withCalls(&r))
	s.allow(care.PartyRelatives, care.FieldVideo, true)
	s.allow(care.PartyRelatives, care.FieldAlerts, true)
	open, over, low := alert(), alert(), "low"
	if a := s.do("POST", "/api/v1/alerts/"+over+"/resolve", "Anna", map[string]string{"outcome": "helped"}); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	s.raiseQuietly(low, care.AlertCheckInMissed)
	tries := 0
	try := func(who care.Role, alert string, want bool) {
		t.Helper()
		tries++
		a := s.do("POST", "/api/v1/homes/home-1/calls", who, map[string]any{"automatic": true, "alert": alert}, "Idempotency-Key", fmt.Sprint(tries))
		if got := a.StatusCode == http.StatusCreated; got != want {
			t.Errorf("%s, %s: %d %s", who, alert, a.StatusCode, a.body)
		}
		if !want {
			a.problem(t, 403, "LYK-0905")
			return
		}
		var c web.CallView
		a.into(t, &c)
		s.do("POST", "/api/v1/calls/"+c.ID+"/hang-up", who, nil)
		if last := r.started[len(r.started)-1]; last.AnswersItself != 20*time.Second {
			t.Errorf("it answers after %v", last.AnswersItself)
		}
	}
	try("Anna", open, false)
	try("Maria", open, false)
	s.allow(care.PartyStaff, care.FieldAutoAnswer, true)
	try("Anna", open, true)
	try("Anna", over, false)
	try("Anna", low, false)
	try("Anna", "", false)
	try("Maria", open, false)
	s.allow(care.PartyPerson("maria"), care.FieldAutoAnswer, true)
	try("Maria", open, true)
	s.allow(care.PartyStaff, care.FieldAutoAnswer, false)
	try("Anna", open, false)
}

// socket opens the signalling of a call.
func (s *site) socket(path string, header ...string) (*websocket.Conn, *http.Response, error) {
	s.t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	conn, resp, err := websocket.Dial(s.t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/api/v1"+path, &websocket.DialOptions{
		HTTPHeader: h, Subprotocols: []string{"lykta.call.1"},
	})
	if err == nil {
		s.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, resp, err
}

// bearer is the header of who was invited by that name.
func (s *site) bearer(who care.Role) []string {
	return []string{"Authorization", "Bearer " + s.tokens[who]}
}

func hear(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, text, err := conn.Read(ctx)
	if err != nil {
		t.Fatalf("nothing is heard: %v", err)
	}
	return string(text)
}

// closed waits until a socket is closed, and returns with what.
func closed(t *testing.T, conn *websocket.Conn) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

func TestSignallingIsCarriedBothWays(t *testing.T) {
	var r *rooms
	s, _ := akesHome(t, withCalls(&r))
	call := s.aCall(t, "Anna", "k")
	conn, _, err := s.socket("/calls/"+call.ID+"/socket", s.bearer("Anna")...)
	if err != nil {
		t.Fatal(err)
	}
	if got := hear(t, conn); !strings.Contains(got, `"me":"person:anna"`) || conn.Subprotocol() != "lykta.call.1" {
		t.Errorf("%s, subprotocol %q", got, conn.Subprotocol())
	}
	long := `{"type":"join","sdp":"` + strings.Repeat("a", 60<<10) + `"}`
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(long)); err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	if got := hear(t, conn); got != long {
		t.Errorf("%d bytes came back", len(got))
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"join","sdp":"`+strings.Repeat("a", 64<<10)+`"}`)); err != nil {
		t.Fatal(err)
	}
	if got := closed(t, conn); got != websocket.StatusMessageTooBig {
		t.Errorf("more than 64 KiB: closed with %d", got)
	}
	r.is(t, call.ID, "person:anna", 0)
	conn, _, err = s.socket("/calls/"+call.ID+"/socket", s.bearer("Anna")...)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"leave"}`))
	if got := closed(t, conn); got != websocket.StatusNormalClosure {
		t.Errorf("who leaves is closed with %d", got)
	}
}

// Pages of other sites, with the cookies that browsers send along, open no
// socket; nor does anybody whose subprotocol is another.
func TestOtherSitesOpenNoSocket(t *testing.T) {
	s, _ := akesHome(t, withCalls(nil), atPublicURL)
	people(t, s)
	anna := s.as("anna")
	call := s.aCall(t, "Anna", "k")
	host := strings.TrimPrefix(s.URL, "http://")
	for _, path := range []string{"/calls/" + call.ID + "/socket", "/guest/socket"} {
		for name, from := range map[string][]string{
			"another site":                         {"Origin", "https://evil.example"},
			"another site that says it is not one": {"Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin"},
			"a page without an origin":             {"Origin", "null"},
			"another port":                         {"Origin", "http://127.0.0.1:1"},
			"another site of the same name":        {"Origin", "http://" + host, "Sec-Fetch-Site", "cross-site"},
			"a neighbour's page":                   {"Origin", "http://" + host, "Sec-Fetch-Site", "same-site"},
			"a program with a cookie":              {},
		} {
			_, resp, err := s.socket(path, append(slices.Clone(anna), from...)...)
			if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: %v", path, name, err)
			}
		}
	}
	for name, from := range map[string][]string{
		"our own page":                         {"Origin", "http://" + host, "Sec-Fetch-Site", "same-origin"},
		"of an older browser":                  {"Origin", "http://" + host},
		"behind a proxy that has its own name": {"Origin", publicURL},
	} {
		if _, _, err := s.socket("/calls/"+call.ID+"/socket", append(slices.Clone(anna), from...)...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, resp, err := websocket.Dial(t.Context(), "ws://"+host+"/api/v1/calls/"+call.ID+"/socket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + s.tokens["Anna"]}},
	}); err == nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("without the subprotocol: %v", err)
	}
}

// guestLink invites somebody to a call and returns the secret of the link.
func (s *site) guestLink(t *testing.T, call, name string) string {
	t.Helper()
	a := s.do("POST", "/api/v1/calls/"+call+"/guests", "Anna", map[string]string{"name": name, "role": "interpreter"})
	var link struct {
		Link    string
		Expires time.Time
	}
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	a.into(t, &link)
	page, code, ok := strings.Cut(link.Link, "#")
	if life := time.Until(link.Expires); !ok || !strings.HasSuffix(page, "/guest") || !strings.HasPrefix(code, "lyk_g_") || life > 2*time.Hour || life < 119*time.Minute {
		t.Errorf("link %+v", link)
	}
	return code
}

func hello(code string) []byte { return fmt.Appendf(nil, `{"type":"hello","code":%q}`, code) }

func TestAGuestIsInOneCallAndInOneBrowser(t *testing.T) {
	var r *rooms
	s, _ := akesHome(t, withCalls(&r))
	call := s.aCall(t, "Anna", "k")
	code := s.guestLink(t, call.ID, "Ali Tolk")
	look := func() answer { return s.do("POST", "/api/v1/guest/look", "", map[string]string{"code": code}) }
	for range 2 { // it stays good
		var seen struct {
			Name, Role string
			HomeName   string `json:"home_name"`
			By, Area   string
			Call       struct{ State string }
		}
		if look().into(t, &seen); seen.Name != "Ali Tolk" || seen.By != "Anna" || seen.Area != "norr" || seen.Role != "interpreter" || seen.HomeName != "Åke" || seen.Call.State != "ringing" {
			t.Errorf("%+v", seen)
		}
	}
	enter := func() *websocket.Conn {
		t.Helper()
		conn, _, err := s.socket("/guest/socket", "Origin", s.URL)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(t.Context(), websocket.MessageText, hello(code)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first := enter()
	if got := hear(t, first); !strings.Contains(got, `"me":"guest:`) {
		t.Errorf("%s", got)
	}
	second := enter()
	hear(t, second)
	if got := closed(t, first); got != 4409 {
		t.Errorf("the first browser is closed with %d", got)
	}
	if a := s.do("POST", "/api/v1/calls/"+call.ID+"/hang-up", "Anna", nil); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if got := closed(t, second); got != 4401 {
		t.Errorf("when the call is over, the guest is closed with %d", got)
	}
	look().problem(t, 404, "LYK-0906")
	late := enter()
	if got := closed(t, late); got != 4401 {
		t.Errorf("after the call the link is closed with %d", got)
	}
	s.do("POST", "/api/v1/calls/"+call.ID+"/guests", "Anna", map[string]string{"name": "x", "role": "guest"}).problem(t, 409, "LYK-0902")
	log, err := s.db.AuditLog(t.Context(), "home-1", 100)
	if err != nil || !slices.ContainsFunc(log, func(e care.AuditEntry) bool {
		return e.Action == "invite to call" && e.Actor == "Anna" && e.Detail == "Ali Tolk"
	}) {
		t.Errorf("log %+v, %v", log, err)
	}
	if found, err := s.db.GuestOf(t.Context(), code); err == nil {
		t.Errorf("the secret itself is stored: %+v", found)
	}
}

// P8: the table of those who open no socket.
func TestP8WhoOpensNoSocket(t *testing.T) {
	var r *rooms
	s, _ := akesHome(t, withCalls(&r))
	call := s.aCall(t, "Anna", "k")
	other := s.do("POST", "/api/v1/homes/home-2/calls", "Sofia", map[string]any{}, "Idempotency-Key", "k")
	var theirs web.CallView
	other.into(t, &theirs)
	expired, err := s.keeper.Create(t.Context(), care.Token, access.Actor{Name: "x", Role: care.Caregiver}, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		call   string
		header []string
		status int
	}{
		"a stranger":                       {call.ID, nil, 401},
		"whose sign-in has expired":        {call.ID, []string{"Authorization", "Bearer " + expired}, 401},
		"staff of another area":            {call.ID, s.bearer("Sofia"), 403},
		"an operator":                      {call.ID, s.bearer("Olle"), 403},
		"a relative without consent":       {call.ID, s.bearer("Maria"), 403},
		"a relative of another home":       {call.ID, s.bearer("Erik"), 404},
		"somebody without rights":          {call.ID, s.bearer("Ingen"), 403},
		"a program's token":                {call.ID, s.bearer(care.Caregiver), 409},
		"staff, of a call that is not":     {"none", s.bearer("Anna"), 404},
		"staff, of a call in another area": {theirs.ID, s.bearer("Anna"), 403},
	} {
		_, resp, err := s.socket("/calls/"+test.call+"/socket", test.header...)
		if err == nil || resp == nil || resp.StatusCode != test.status {
			t.Errorf("%s: %v", name, err)
		}
	}
	code := s.guestLink(t, call.ID, "Ali Tolk")
	wrong := code[:len(code)-1] + "-"
	for name, first := range map[string]string{
		"a wrong secret":           string(hello(wrong)),
		"a hash in place of it":    string(hello("lyk_g_" + strings.Repeat("a", 43))),
		"no secret":                `{"type":"hello"}`,
		"joining without a secret": `{"type":"join","sdp":"v=0"}`,
		"no JSON":                  `hello`,
	} {
		conn, _, err := s.socket("/guest/socket")
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Write(t.Context(), websocket.MessageText, []byte(first))
		if got := closed(t, conn); got != 4401 {
			t.Errorf("%s: closed with %d", name, got)
		}
	}
	if g, err := s.db.Calls(t.Context(), care.CallFilter{Live: true}); err != nil || len(g) != 2 {
		t.Errorf("%d calls, %v", len(g), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for who, n := range r.here {
		if n != 0 {
			t.Errorf("%s is in a call", who)
		}
	}
}

// P8: who may call a home hears of its calls; nobody else does.
func TestP8TheStreamTellsOfCalls(t *testing.T) {
	s, _ := akesHome(t, withCalls(nil))
	decide := func(home string) {
		a := s.do("POST", "/api/v1/homes/"+home+"/consent", care.Caregiver, map[string]any{"party": "relatives", "field": "video", "allowed": true, "how": "spoken"})
		if a.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	decide("home-2")
	streams := map[care.Role]*stream{}
	for _, who := range []care.Role{"Anna", "Sofia", "Maria", "Erik", care.Operator} {
		streams[who] = follow(t, s, who, "")
		streams[who].want("hello")
	}
	next := func(who care.Role) (c web.CallView) {
		t.Helper()
		for {
			if e := streams[who].next(); e.name == "call" {
				if err := json.Unmarshal([]byte(e.data), &c); err != nil {
					t.Fatal(err)
				}
				return c
			}
		}
	}
	akes := s.aCall(t, "Anna", "k")
	if got := next("Anna"); got.ID != akes.ID || got.HomeName != "Åke Öst" || got.State != care.CallRinging {
		t.Errorf("Anna hears of %+v", got)
	}
	if a := s.do("POST", "/api/v1/homes/home-2/calls", "Sofia", map[string]any{}, "Idempotency-Key", "k"); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	for _, who := range []care.Role{"Sofia", "Erik"} { // of their own, and not of Åke's before it
		if got := next(who); got.Home != "home-2" {
			t.Errorf("%s hears of %+v", who, got)
		}
	}
	decide("home-1")
	if a := s.do("POST", "/api/v1/calls/"+akes.ID+"/went", "Anna", map[string]any{"outcome": "other", "note": "För personalen"}); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if got := next("Maria"); got.ID != akes.ID || got.Note != "" || got.Outcome != "" {
		t.Errorf("Maria, who may now, hears of %+v", got)
	}
	if got := next("Anna"); got.Note != "För personalen" {
		t.Errorf("Anna hears of %+v", got)
	}
	s.raise("alert-after", care.AlertSOS)
	streams[care.Operator].want("alert") // and no call before it
}
