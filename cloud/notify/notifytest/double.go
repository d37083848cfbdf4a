package notifytest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Behaviour is what a double does with the next messages.
type Behaviour string

// What providers do. Those that accept say so; the others take nothing.
const (
	Accept        Behaviour = "accept"                           // as documented
	RefuseAddress Behaviour = "refuse the address"               // 400
	Gone          Behaviour = "the address is gone"              // 404, 410, or the provider's own way
	Denied        Behaviour = "401"                              //
	Busy          Behaviour = "429 with Retry-After"             // see Retry
	Overloaded    Behaviour = "503 with Retry-After"             //
	Broken        Behaviour = "500"                              //
	BadGateway    Behaviour = "502"                              //
	Unavailable   Behaviour = "503 without Retry-After"          //
	Redirect      Behaviour = "redirects to itself"              //
	Echo          Behaviour = "a refusal that repeats it all"    // also what is secret
	Stall         Behaviour = "accepts and does not answer"      //
	Drop          Behaviour = "accepts and hangs up"             //
	Garbage       Behaviour = "accepts and answers with garbage" //
	Endless       Behaviour = "accepts and never stops answering"
	Nonsense      Behaviour = "answers in no known protocol" // accepts
)

// Accepted is a message as the provider has it.
type Accepted struct {
	ID   string    // as Send should return it
	Key  string    // what tells a repetition, on the wire
	To   string    // as the subject's address
	Text string    // all that a person can read of it
	At   time.Time // when it was accepted; of HTTP providers
	// Payload is what the service worker or the receiver gets: the JSON of web
	// push, decrypted, and of a webhook.
	Payload []byte
	// Header holds the HTTP or mail headers. URL is where its receipts go.
	Header http.Header
	URL    string
}

// Double stands in for a provider on loopback.
type Double interface {
	// Behave says what happens from now on, with a Retry-After header where
	// the behaviour has one.
	Behave(b Behaviour, retryAfter string)
	// Accepted returns what was accepted until now, in order.
	Accepted() []Accepted
	// Close stops it: connections are refused from then on.
	Close()
}

// refusal is an answer of the provider's own.
type refusal struct {
	status int
	body   string
}

// protocol is how one provider speaks HTTP.
type protocol struct {
	// take reads a request as the provider's documentation says.
	take func(r *http.Request, body []byte, n int) (Accepted, *refusal)
	// accept writes the answer to an accepted message.
	accept func(w http.ResponseWriter, a Accepted)
	// address and gone are how it refuses an address.
	address, gone refusal
}

// httpDouble is the part that all doubles of HTTP providers share.
type httpDouble struct {
	// Address is http://127.0.0.1:port.
	Address  string
	server   *httptest.Server
	protocol protocol
	closed   chan struct{}
	once     sync.Once

	mu         sync.Mutex
	behaviour  Behaviour
	retryAfter string
	accepted   []Accepted
}

func newHTTP(t testing.TB, p protocol) *httpDouble {
	d := &httpDouble{protocol: p, closed: make(chan struct{}), behaviour: Accept}
	d.server = httptest.NewServer(d)
	d.Address = d.server.URL
	t.Cleanup(d.Close)
	return d
}

func (d *httpDouble) Behave(b Behaviour, retryAfter string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behaviour, d.retryAfter = b, retryAfter
}

func (d *httpDouble) Accepted() []Accepted {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Accepted(nil), d.accepted...)
}

func (d *httpDouble) Close() {
	d.once.Do(func() {
		close(d.closed)
		d.server.CloseClientConnections()
		d.server.Close()
	})
}

func (d *httpDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	d.mu.Lock()
	behaviour, retry := d.behaviour, d.retryAfter
	d.mu.Unlock()
	if d.refuse(w, r, behaviour, retry, body) {
		return
	}
	d.mu.Lock()
	a, refused := d.protocol.take(r, body, len(d.accepted)+1)
	if refused == nil {
		a.Header, a.At = r.Header.Clone(), time.Now()
		d.accepted = append(d.accepted, a)
	}
	d.mu.Unlock()
	if refused != nil {
		answer(w, *refused)
		return
	}
	switch behaviour {
	case Stall:
		select {
		case <-r.Context().Done():
		case <-d.closed:
		}
	case Drop:
		hijack(w, "")
	case Nonsense:
		hijack(w, "220 mail.example ESMTP\r\n\r\n\x00\xff\r\n")
	case Garbage:
		w.Header().Set("Location", "\x7f"+strings.Repeat("x", 5000))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "<html>\x00\xff{\"id\":7,\"sid\":[")
	case Endless:
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	default:
		d.protocol.accept(w, a)
	}
}

// refuse answers for the behaviours that take nothing.
func (d *httpDouble) refuse(w http.ResponseWriter, r *http.Request, b Behaviour, retry string, body []byte) bool {
	if retry != "" {
		w.Header().Set("Retry-After", retry)
	}
	switch b {
	case RefuseAddress:
		answer(w, d.protocol.address)
	case Gone:
		answer(w, d.protocol.gone)
	case Denied:
		answer(w, refusal{http.StatusUnauthorized, "who are you?"})
	case Busy:
		answer(w, refusal{http.StatusTooManyRequests, "slow down"})
	case Overloaded, Unavailable:
		answer(w, refusal{http.StatusServiceUnavailable, "not now"})
	case Broken:
		answer(w, refusal{http.StatusInternalServerError, "oops"})
	case BadGateway:
		answer(w, refusal{http.StatusBadGateway, "<html><h1>502"})
	case Redirect:
		d.Behave(Accept, "") // so that following it would be seen
		http.Redirect(w, r, d.Address+r.URL.Path, http.StatusTemporaryRedirect)
	case Echo:
		answer(w, refusal{http.StatusBadRequest, fmt.Sprintf("%s %v %s", r.URL, r.Header, body)})
	default:
		return false
	}
	return true
}

func answer(w http.ResponseWriter, r refusal) {
	if strings.HasPrefix(r.body, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(r.status)
	_, _ = io.WriteString(w, r.body)
}

// hijack says something of its own and hangs up.
func hijack(w http.ResponseWriter, say string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(conn, say)
	_ = conn.Close()
}
