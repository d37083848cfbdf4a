package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// callProtocol is the WebSocket subprotocol of a call's signalling (docs/protocol.md).
const callProtocol = "lykta.call.1"

// How long a call's socket waits.
const (
	callPing  = 15 * time.Second // between pings, by which a connection that is dead is noticed
	callWrite = 10 * time.Second // for a message to be taken, or a ping to be answered
	callHello = 10 * time.Second // for a guest to say their code
)

// Codes with which the service closes a call's socket, beside those of RFC 6455:
// there is no use in coming back with the same credential.
const (
	closeSignedOut websocket.StatusCode = 4401
	closeRefused   websocket.StatusCode = 4403
	closeNoCall    websocket.StatusCode = 4404
	closeElsewhere websocket.StatusCode = 4409 // they joined in another browser
)

// callSocket is the signalling of who is signed in.
func (s *server) callSocket(w http.ResponseWriter, r *http.Request) {
	if !ownSocket(r, s.URL) {
		writeProblem(w, problemOf(errOtherSite))
		return
	}
	if _, ok := actorOf(r.Context()); !ok {
		writeProblem(w, problemOf(errNotSignedIn))
		return
	}
	actor, call, err := s.callOf(r.Context(), chi.URLParam(r, "call"))
	if err != nil {
		p := problemOf(errInternal)
		errors.As(err, &p)
		writeProblem(w, p)
		return
	}
	if s.Calls == nil {
		writeProblem(w, problemOf(errNoVideo))
		return
	}
	conn, err := s.accept(w, r)
	if err != nil {
		return // it has answered
	}
	s.attend(r.Context(), conn, call, attendee(actor), s.stillIn(r.Context(), actor, call.Home))
}

// stillIn says whether somebody may still be in a call with a home: nil while they
// may, and while that cannot be found out. Nobody is hung up on by a database that
// is away, nor by an alarm that somebody closes: staff of another area whom it
// brought to the call finish it.
func (s *server) stillIn(ctx context.Context, actor access.Actor, home string) func(context.Context) error {
	where, err := s.homeOf(ctx, home)
	byAlarm := err == nil && (&sight{actor: actor}).outside(where)
	return func(ctx context.Context) error {
		now, err := s.Keeper.StillNow(ctx, actor)
		switch {
		case notLetIn(err), err == nil && (now.Role != actor.Role || now.Person != actor.Person):
			return errNotSignedIn
		case err != nil:
			return nil
		}
		where, err := s.homeOf(ctx, home)
		if errors.Is(err, fs.ErrNotExist) {
			return errNotCalled
		}
		if err != nil {
			return nil
		}
		v, err := s.sight(ctx, now)
		switch {
		case err != nil, v.canAt(access.Call, "", where), v.unsure, byAlarm && v.mayOnceTold(where):
			return nil
		case !s.decisions.of(home).Allow(partyOf(now), care.FieldVideo, time.Now()):
			return care.ErrCallWithdrawn
		}
		return errNotCalled
	}
}

// partyOf is as whom somebody stands in what residents decide.
func partyOf(a access.Actor) care.Party {
	if a.Role.Staff() {
		return care.PartyStaff
	}
	return care.PartyPerson(a.Person)
}

// guestSocket is the signalling of somebody who has a link to the call. The
// secret is in the first message, so that it stands in no log of addresses.
func (s *server) guestSocket(w http.ResponseWriter, r *http.Request) {
	if !ownSocket(r, s.URL) {
		writeProblem(w, problemOf(errOtherSite))
		return
	}
	address := callerOf(r.Context()).address
	if !s.guestTries.take(address) {
		w.Header().Set("Retry-After", "60")
		writeProblem(w, problemTooOften)
		return
	}
	conn, err := s.accept(w, r)
	if err != nil {
		return
	}
	guest, call, err := s.hello(r.Context(), conn)
	if err != nil {
		if !errors.Is(err, errGuestLink) {
			s.Log.Warn("a guest cannot join a call", "id", problemOf(err).ID, "err", err)
			_ = conn.Close(websocket.StatusTryAgainLater, problemOf(err).ID)
			return
		}
		_ = conn.Close(closeSignedOut, problemOf(err).ID)
		return
	}
	s.guestTries.give(address)
	s.attend(r.Context(), conn, call, Attendee{ID: "guest:" + guest.ID, Name: guest.Name, Role: guest.Role, As: care.Role(guest.Role)}, func(ctx context.Context) error {
		if _, _, err := s.guestOf(ctx, guest.code); errors.Is(err, errGuestLink) {
			return err
		}
		return nil
	})
}

// aGuest is a guest who has said their code.
type aGuest struct {
	care.CallGuest
	code string
}

func (s *server) hello(ctx context.Context, conn *websocket.Conn) (aGuest, care.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, callHello)
	defer cancel()
	_, text, err := conn.Read(ctx)
	var hello struct{ Type, Code string }
	if err != nil || json.Unmarshal(text, &hello) != nil || hello.Type != "hello" {
		return aGuest{}, care.Call{}, errGuestLink
	}
	g, c, err := s.guestOf(ctx, hello.Code)
	return aGuest{g, hello.Code}, c, err
}

// ownSocket reports whether a WebSocket is opened by the service's own page, or
// by a program with a token: browsers send cookies with the sockets of any page,
// and ask nobody. Public is the address of the service; "" when it is not known.
func ownSocket(r *http.Request, public string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" { // no browser
		_, err := r.Cookie(sessionCookie)
		return err != nil
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	known, err := url.Parse(public)
	return u.Host == r.Host || err == nil && known.Host != "" && u.Host == known.Host && u.Scheme == known.Scheme
}

// accept opens the socket; its origin has been looked at.
func (s *server) accept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	speaks := strings.Split(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",")
	if !slices.ContainsFunc(speaks, func(p string) bool { return strings.TrimSpace(p) == callProtocol }) {
		writeProblem(w, problemSocket)
		return nil, problemSocket
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{callProtocol}, InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(wire.MaxSignal)
	return conn, nil
}

// attend carries somebody's signalling until they, the call, or their right to
// be in it ends. The call itself looks at the right, as it gives them sound and
// picture for a while after a socket breaks.
func (s *server) attend(ctx context.Context, conn *websocket.Conn, call care.Call, who Attendee, may func(context.Context) error) {
	c := &callConn{conn: conn, in: make(chan []byte), over: make(chan struct{})}
	go c.listen()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.watch(ctx)
	}()
	// What is told to the call goes on when the request is over: it is not left
	// by a service that stops, but by who leaves.
	err := s.Calls.Attend(context.WithoutCancel(ctx), call.ID, who, may, c)
	code, why := closeOf(err)
	if code == websocket.StatusTryAgainLater {
		s.Log.Warn("a call's signalling ended", "id", why, "call", call.ID, "err", err)
	}
	c.end(code, why)
	<-watched
	_ = conn.Close(c.code, c.why)
}

// closeOf returns with what a socket is closed after somebody's part in a call.
func closeOf(err error) (code websocket.StatusCode, why string) {
	p := problemOf(err)
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, care.ErrCallOver):
		return websocket.StatusNormalClosure, "over"
	case errors.Is(err, care.ErrCallElsewhere):
		return closeElsewhere, p.ID
	case errors.Is(err, care.ErrCallFull), errors.Is(err, errNotCalled), errors.Is(err, care.ErrCallWithdrawn):
		return closeRefused, p.ID
	case errors.Is(err, errNotSignedIn), errors.Is(err, errGuestLink):
		return closeSignedOut, p.ID
	case errors.Is(err, fs.ErrNotExist):
		return closeNoCall, problemNoCall.ID
	}
	return websocket.StatusTryAgainLater, p.ID
}

// callConn is a WebSocket as a call uses it.
type callConn struct {
	conn *websocket.Conn
	in   chan []byte   // what they say; listen alone sends
	over chan struct{} // closed when it ends

	once sync.Once
	code websocket.StatusCode // why it ends; not changed after over is closed
	why  string
}

// end ends what is carried; the first reason counts.
func (c *callConn) end(code websocket.StatusCode, why string) {
	c.once.Do(func() {
		c.code, c.why = code, why
		close(c.over)
	})
}

// listen takes in what they say until the connection ends.
func (c *callConn) listen() {
	for {
		kind, text, err := c.conn.Read(context.Background()) // closing ends it
		switch {
		case err != nil:
			c.end(websocket.StatusGoingAway, "")
			return
		case kind != websocket.MessageText:
			continue // nothing of ours
		}
		select {
		case c.in <- text:
		case <-c.over:
			return
		}
	}
}

// watch ends it when the other end is there no more, or ctx ends.
func (c *callConn) watch(ctx context.Context) {
	pings := time.NewTicker(callPing)
	defer pings.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-ctx.Done():
			c.end(websocket.StatusGoingAway, "")
		case <-pings.C:
			answer, cancel := context.WithTimeout(ctx, callWrite)
			if c.conn.Ping(answer) != nil {
				c.end(websocket.StatusGoingAway, "")
			}
			cancel()
		}
	}
}

// Read returns the next message.
func (c *callConn) Read(ctx context.Context) ([]byte, error) {
	select {
	case text := <-c.in:
		return text, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.over:
		return nil, io.EOF
	}
}

func (c *callConn) Write(ctx context.Context, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callWrite)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, message)
}

// describeSockets puts the signalling into the description of the API.
func describeSockets(o *huma.OpenAPI) {
	socket := func(id, path, summary, description string, security []map[string][]string, params ...*huma.Param) {
		o.AddOperation(&huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: "/api/v1" + path, Tags: []string{"calls"}, Summary: summary, Description: description,
			Parameters: params, Security: security,
			Responses: map[string]*huma.Response{"101": {Description: "The socket, with the subprotocol " + callProtocol + "."}},
		})
	}
	const closes = " Closed with 1000 when the call is over, or was left; 4401 who is signed in no more, 4403 who may not take part (any more), 4404 no such call, " +
		"4409 who joined in another browser; after any other code come back."
	socket("join-call", "/calls/{call}/socket", "Signalling of a call (WebSocket)", "Messages of JSON, as docs/protocol.md has them."+closes, nil,
		&huma.Param{Name: "call", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	socket("join-as-guest", "/guest/socket", "Signalling of a call for who has a link (WebSocket)",
		`As join-call; the first message is {"type":"hello","code":…} with what is behind the # of the link.`+closes, []map[string][]string{})
}
