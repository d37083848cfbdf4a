// Package fcm is a double of the push service that Chromium uses (Firebase
// Cloud Messaging), complete enough that nothing else has to be doubled: a real
// browser subscribes at it and decrypts what it gets (RFC 8291), and a real
// sender posts to the address that the browser was given (RFC 8030, RFC 8292).
//
//	sender ── CONNECT ──► proxy ──► https://jmt17.google.com ──► Service
//	browser ── checkin, register3 (HTTP) ──► Service
//	browser ◄── MCS (TLS, messages pushed) ── Service
//
// The browser is a Chromium started with ChromiumFlags. It takes pushes in a
// persistent profile only, never in an incognito one: with Playwright,
// launchPersistentContext with the permission "notifications" (see
// testdata/browser.mjs). The sender is a Go program started with Env.
//
// A Chromium that loses its connection waits before it comes back, half a
// minute at first and then longer: Behave(Keep) is the quicker way to a phone
// out of reach.
//
// What the browser speaks is nowhere specified. This follows Chromium's
// google_apis/gcm (checkin.proto, mcs.proto, registration_request.cc,
// mcs_client.cc) and components/gcm_driver (gcm_client_impl.cc).
package fcm

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// hosts are the names that browsers put into the endpoints they hand out. The
// second is for all that is not a release of Chrome itself, and so for a
// distribution's Chromium (push_messaging_constants.cc).
var hosts = []string{"fcm.googleapis.com", "jmt17.google.com"}

// Behaviour is how the service takes what a sender posts.
type Behaviour int

// The zero value is the good day.
const (
	Deliver     Behaviour = iota // 201, and the browser gets it
	Keep                         // 201, and it waits, as for a phone out of reach, until Behave(Deliver)
	Lose                         // 201, and nobody ever gets it
	Silent                       // the browser gets it, and the sender no answer until it gives up
	Gone                         // 410: the subscription has expired
	Unavailable                  // 503 with Retry-After: 1
	TooMany                      // 429 with Retry-After: 1
)

// Push is one request of a sender.
type Push struct {
	At       time.Time
	Endpoint string // as the browser gave it out
	Header   http.Header
	Length   int // of the encrypted body, bytes
	// Status is what the sender was answered; 0 for no answer.
	Status int
	// Delivered: the browser has confirmed it. It can be later than what the
	// service worker does with it.
	Delivered bool
}

// Service is the double. Its methods may be called from anywhere.
type Service struct {
	identity identity
	browsers *httptest.Server // checkin and registration
	sender   *httptest.Server // what hosts lead to
	proxy    *httptest.Server
	mcs      string        // host:port
	closing  chan struct{} // closed when the test ends

	mu            sync.Mutex
	behaviour     Behaviour
	changed       chan struct{} // closed and made anew when a browser may be due something
	devices       map[uint64]*device
	subscriptions map[string]*subscription // by token
	waiting       []*message               // accepted and not confirmed, oldest first
	pushed        []*Push
}

// device is a browser's profile as the service knows it.
type device struct {
	id, secret uint64
	line       *line // nil while it is not connected
}

// subscription is one registration of a device.
type subscription struct {
	token         string
	device        uint64
	app, category string // app is "wp:" + origin + "#" + guid
	sender        string // the VAPID public key, base64url
}

// message is an accepted push.
type message struct {
	id      string
	to      *subscription
	topic   string
	expires time.Time
	body    []byte
	written bool // to a connection, though perhaps in vain
	push    *Push
}

// New starts the service on loopback. It ends with the test.
func New(t testing.TB) *Service {
	t.Helper()
	s := &Service{
		identity: newIdentity(t), closing: make(chan struct{}), changed: make(chan struct{}),
		devices: map[uint64]*device{}, subscriptions: map[string]*subscription{},
	}
	s.startBrowserSide(t)
	s.startSenderSide(t)
	t.Cleanup(func() { close(s.closing) }) // first of all: it frees who waits
	return s
}

// ChromiumFlags lead a Chromium here; they need a --user-data-dir beside them.
func (s *Service) ChromiumFlags() []string {
	return []string{
		"--gcm-checkin-url=" + s.browsers.URL + "/checkin",
		"--gcm-registration-url=" + s.browsers.URL + "/c2dm/register3",
		"--gcm-mcs-endpoint=https://" + s.mcs,
		"--ignore-certificate-errors-spki-list=" + s.identity.spki,
	}
}

// Env leads the HTTPS requests of a Go program here: those to the push service
// are answered, those to loopback go their own way, all others are refused. The
// program trusts this service's authority by SSL_CERT_FILE; SSL_CERT_DIR is left
// to other doubles.
func (s *Service) Env() []string {
	return []string{"HTTPS_PROXY=" + s.proxy.URL, "NO_PROXY=", "no_proxy=", "SSL_CERT_FILE=" + s.identity.file}
}

// Behave changes how the next requests are taken.
func (s *Service) Behave(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour = b
	s.signal()
}

// Pushed is what senders have posted so far, oldest first.
func (s *Service) Pushed() []Push {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Push, len(s.pushed))
	for i, p := range s.pushed {
		out[i] = *p
		out[i].Header = p.Header.Clone()
	}
	return out
}

// Subscriptions is how many pages are subscribed.
func (s *Service) Subscriptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subscriptions)
}

// Connected is how many browsers are connected and signed in.
func (s *Service) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.devices {
		if d.line != nil {
			n++
		}
	}
	return n
}

// signal wakes the connections; the caller holds mu.
func (s *Service) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// accept takes a message in, in place of an older one with its topic that no
// browser has been given (RFC 8030, 5.4). The caller holds mu.
func (s *Service) accept(m *message) {
	if m.topic != "" {
		s.waiting = slices.DeleteFunc(s.waiting, func(old *message) bool { return !old.written && old.to == m.to && old.topic == m.topic })
	}
	s.waiting = append(s.waiting, m)
	s.signal()
}

// due is what a connection shall write now, and a channel that closes when
// there may be more.
func (s *Service) due(l *line) ([]*message, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(m *message) bool { return time.Now().After(m.expires) })
	if s.behaviour == Keep {
		return nil, s.changed
	}
	var due []*message
	for _, m := range s.waiting {
		if m.to.device == l.device && !l.given[m.id] {
			m.written = true
			due = append(due, m)
		}
	}
	return due, s.changed
}

// unsubscribe ends a device's subscriptions for an app; sender "*" means all.
// What waits for them is dropped. The caller holds mu.
func (s *Service) unsubscribe(device uint64, app, sender string) {
	for token, sub := range s.subscriptions {
		if sub.device == device && sub.app == app && (sender == "*" || sender == sub.sender) {
			delete(s.subscriptions, token)
			s.waiting = slices.DeleteFunc(s.waiting, func(m *message) bool { return m.to == sub })
		}
	}
}

// confirmed forgets messages that the browser has.
func (s *Service) confirmed(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(m *message) bool {
		found := slices.Contains(ids, m.id)
		m.push.Delivered = m.push.Delivered || found
		return found
	})
}

// number is one that fits an int64 and is not 0, as the protocols ask of ids.
func number() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])>>1 | 1
}

// secret is base64url of that many random bytes.
func secret(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
