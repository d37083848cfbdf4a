package kiosk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// phone is a home that notes what is done with its calls, or fails.
type phone struct {
	err error

	mu      sync.Mutex
	done    []string
	screens int // that listen
	alive   bool
	events  chan string // "name data" to the screen
}

func (p *phone) note(format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, fmt.Sprintf(format, args...))
	return p.err
}

func (p *phone) Word(_ context.Context, w CallWord) error { return p.note("%s %s", w.Call, w.Word) }
func (p *phone) Signal(_ context.Context, s CallSignal) error {
	return p.note("%s %s", s.Call, s.Message)
}
func (p *phone) CallPicture(context.Context) ([]byte, error) {
	return []byte("\xff\xd8\xff"), p.note("picture")
}
func (p *phone) Listen(context.Context) (Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screens, p.alive = p.screens+1, true
	return p, nil
}
func (p *phone) Next(ctx context.Context) (string, []byte, error) {
	select {
	case e, more := <-p.events:
		if !more {
			return "", nil, io.EOF
		}
		name, data, _ := strings.Cut(e, " ")
		return name, []byte(data), nil
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
}
func (p *phone) Alive(_ context.Context, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive = on
	return nil
}
func (p *phone) Leave(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screens--
	return nil
}

func (p *phone) is(screens int, alive bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screens == screens && (p.alive == alive || screens == 0)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func phoneOf(p *phone) http.Handler {
	return handler(Options{Pages: built, Status: func() any { return nil }, Deeds: &resident{}, Calls: p, Log: quiet})
}

func TestWhatTheResidentSaysOfACallReachesTheHome(t *testing.T) {
	long := `{"call":"c1","message":{"sdp":"` + strings.Repeat("x", wire.MaxSignal) + `"}}`
	for name, c := range map[string]struct {
		method, path, body string
		err                error
		want               int
		does, says         string
		header             []string
	}{
		"an answer":                     {"POST", "/call", `{"call":"c1","word":"answer","how":"touch"}`, nil, 204, "c1 answer", "", nil},
		"an answer without how":         {"POST", "/call", `{"call":"c1","word":"answer"}`, nil, 204, "c1 answer", "", nil},
		"an answer by itself":           {"POST", "/call", `{"call":"c1","word":"answer","how":"automatic"}`, nil, 400, "", "LYK-0426", nil},
		"a refusal":                     {"POST", "/call", `{"call":"c1","word":"decline"}`, nil, 204, "c1 decline", "", nil},
		"one of no word":                {"POST", "/call", `{"call":"c1","word":"sing"}`, ErrRefused, 400, "c1 sing", "LYK-0426", nil},
		"one of a call that is over":    {"POST", "/call", `{"call":"c1","word":"answer"}`, fmt.Errorf("a: %w", ErrNoCall), 409, "c1 answer", "LYK-0434", nil},
		"an answer without a network":   {"POST", "/call", `{"call":"c1","word":"answer"}`, ErrNoNetwork, 503, "c1 answer", "LYK-0436", nil},
		"later, and the disk is broken": {"POST", "/call", `{"call":"c1","word":"later"}`, errors.New("disk I/O error"), 503, "c1 later", "LYK-0423", nil},
		"of another page":               {"POST", "/call", `{"call":"c1","word":"answer"}`, nil, 403, "", "", []string{"Sec-Fetch-Site", "cross-site"}},
		"a signal":                      {"POST", "/call/signal", `{"call":"c1","message":{"type":"ping"}}`, nil, 204, `c1 {"type":"ping"}`, "", nil},
		"a signal without a network":    {"POST", "/call/signal", `{"call":"c1","message":{}}`, ErrNoNetwork, 503, "c1 {}", "LYK-0436", nil},
		"a long signal":                 {"POST", "/call/signal", strings.Replace(long, "x", "", 100), nil, 204, "c1 {", "", nil},
		"one that has no end":           {"POST", "/call/signal", long + strings.Repeat(" ", maxDeed) + "{", nil, 400, "", "LYK-0426", nil},
		"a signal of another page":      {"POST", "/call/signal", `{"call":"c1","message":{}}`, nil, 403, "", "", []string{"Origin", "http://evil.example"}},
		"another site that listens":     {"GET", "/call/events", ``, nil, 403, "", "", []string{"Sec-Fetch-Site", "cross-site"}},
		"the picture":                   {"GET", "/call/picture", ``, nil, 200, "picture", "", nil},
		"no picture":                    {"GET", "/call/picture", ``, ErrUnknown, 404, "picture", "LYK-0428", nil},
	} {
		p := &phone{err: c.err}
		w := ask(phoneOf(p), c.method, here, c.path, c.body, c.header...)
		if w.Code != c.want || !strings.HasPrefix(strings.Join(p.done, ";"), c.does) || (len(p.done) == 0) != (c.does == "") || !strings.HasPrefix(w.Body.String(), c.says) {
			t.Errorf("%s: %d %.40q, done %.80q; want %d %q, %q", name, w.Code, w.Body, p.done, c.want, c.says, c.does)
		}
		if p.screens != 0 {
			t.Errorf("%s is the screen now", name)
		}
		if c.want == 200 && (w.Header().Get("Content-Type") != "image/jpeg" || w.Header().Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

func TestThePageMayUseTheCamera(t *testing.T) {
	w := ask(phoneOf(&phone{}), "GET", here, "/", "")
	for _, may := range []string{"camera=(self)", "microphone=(self)", "autoplay=(self)"} {
		if !strings.Contains(w.Header().Get("Permissions-Policy"), may) {
			t.Errorf("%s is not in %q", may, w.Header().Get("Permissions-Policy"))
		}
	}
}

// listener is a page that listens to a server.
type listening struct {
	t     *testing.T
	resp  *http.Response
	lines *bufio.Scanner
}

func listenTo(t *testing.T, s *Server) *listening {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.Addr() + "/call/events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("%s %q", resp.Status, got)
	}
	return &listening{t, resp, bufio.NewScanner(resp.Body)}
}

// until reads lines up to one that begins so, or to the end.
func (l *listening) until(begins string) string {
	l.t.Helper()
	for l.lines.Scan() {
		if strings.HasPrefix(l.lines.Text(), begins) {
			return l.lines.Text()
		}
	}
	if begins != "" {
		l.t.Fatalf("the stream ended before %q: %v", begins, l.lines.Err())
	}
	return ""
}

func served(t *testing.T, p *phone, each time.Duration, times pulse) *Server {
	t.Helper()
	s, err := open("127.0.0.1:0", Options{Pages: built, Status: func() any { return nil }, Deeds: &resident{}, Calls: p, Log: quiet}, each, times)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := errors.Join(s.Close(ctx), <-done); err != nil {
			t.Error(err)
		}
	})
	return s
}

// The stream outlives the time that the server gives to any other request, and
// ends when the page goes.
func TestTheScreenHearsForLong(t *testing.T) {
	p := &phone{events: make(chan string)}
	const each = 50 * time.Millisecond
	s := served(t, p, each, pulse{beat: each, frozen: time.Hour, write: time.Minute})
	page := listenTo(t, s)
	for range 8 { // 400 ms
		page.until(": beat")
	}
	p.events <- `call {"call":"c1"}`
	page.until("event: call")
	if got := page.until("data: "); got != `data: {"call":"c1"}` {
		t.Errorf("heard %q", got)
	}
	eventually(t, "it is the screen", func() bool { return p.is(1, true) })
	page.resp.Body.Close()
	eventually(t, "the page is gone", func() bool { return p.is(0, false) })
}

func TestAPageThatHasFrozenIsNoScreen(t *testing.T) {
	p := &phone{events: make(chan string)}
	s := served(t, p, time.Minute, pulse{beat: 5 * time.Millisecond, frozen: 300 * time.Millisecond, write: time.Minute})
	listenTo(t, s)
	eventually(t, "a page that asks for nothing is not there", func() bool { return p.is(1, false) })
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	eventually(t, "one that asks for the status is", func() bool {
		resp, err := client.Get("http://" + s.Addr() + "/status")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return p.is(1, true)
	})
}

func TestAPageThatIsReplacedStaysAway(t *testing.T) {
	p := &phone{events: make(chan string)}
	s := served(t, p, time.Minute, usual)
	page := listenTo(t, s)
	page.until("retry: 1000")
	p.events <- "replaced {}"
	page.until("retry: 86400000")
	page.until("event: replaced")
	close(p.events)
	page.until("")
	eventually(t, "it is not the screen", func() bool { return p.is(0, false) })
}

// Who listens does not keep the server from stopping.
func TestTheServerStopsWhileAPageListens(t *testing.T) {
	p := &phone{events: make(chan string)}
	s := served(t, p, time.Minute, usual)
	page := listenTo(t, s)
	page.until("retry: ")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	page.until("")
	if !p.is(0, false) {
		t.Error("the page is still the screen")
	}
}
