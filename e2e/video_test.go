package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// Calls by video, with the real programs and a real Chromium at both ends, whose
// camera and microphone are made up: caregiver-app/e2e/visit.real.spec.ts, and
// visit.lines.real.spec.ts for what happens to lines.
func TestVideoVisits(t *testing.T) {
	t.Parallel()
	app, err := filepath.Abs("../caregiver-app")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(app, "node_modules/playwright-core")); err != nil {
		if os.Getenv("LYKTA_REQUIRE_DIST") == "1" {
			t.Fatal(err)
		}
		t.Skip("playwright is not installed; make test installs it")
	}
	s := newVideoStage(t)
	kept := os.Getenv("LYKTA_KEEP")
	if kept == "" {
		kept = t.TempDir()
	}
	args := []string{"playwright", "test", "--project=real", "--workers=1", "--output", kept, `e2e/visit\..*real\.spec`}
	if only := os.Getenv("LYKTA_JOURNEY"); only != "" {
		args = append(args, "-g", only)
	}
	cmd := exec.CommandContext(t.Context(), "npx", args...)
	cmd.Dir = app
	cmd.Env = append(os.Environ(), "LYKTA_VISITS=1", "LYKTA_STAGE="+s.control.URL, "LYKTA_URL="+s.url())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// newVideoStage is a stage whose cloud carries calls, and can be killed.
func newVideoStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{cloud: newCloud(t), boxes: map[string]*box{}}
	turn := freeAddress(t)
	door := newTLSDoor(t, turn)
	media := freeAddress(t)
	s.args = append(s.args, "--url", s.url(), "--print-sms", "--media-listen", media, "--turn-listen", turn, "--turn-url", "turns:"+door.address+"?transport=tcp")
	for _, person := range [][]string{
		{"--id", "anna", "--name", "Anna Berg", "--role", "caregiver", "--sms", "+46701740601", "--staff", "norr", "--last-resort"},
		{"--id", "karl", "--name", "Karl Lund", "--role", "coordinator", "--sms", "+46701740607"},
		{"--id", "maria", "--name", "Maria Nilsson", "--role", "relative", "--sms", "+46701740608", "--relative-of", "home"},
	} {
		s.cli(append([]string{"person", "add"}, person...)...)
	}
	s.restart()
	s.as(s.token, http.MethodPut, "/api/v1/homes/home/resident", `{"name":"Karin Andersson","called":"Karin","born":"1939","phone":"","address":"","entry":"","language":"sv","important":"","wishes":"","ask":0}`)
	s.way = newWay(t, s.mqtt, rand.New(rand.NewPCG(1, 6)))
	s.unpack("gw", s.way.proxy.Listen)
	all := http.NewServeMux()
	all.Handle("/", s.handler())
	all.Handle("POST /line/", linesHandler(t, media))
	for path, do := range map[string]func(r *http.Request) error{
		"/kill":   func(*http.Request) error { s.signal(syscall.SIGKILL); return nil },
		"/start":  func(*http.Request) error { s.restart(); return nil },
		"/shut":   func(*http.Request) error { door.shut(true); return nil },
		"/unlock": func(*http.Request) error { door.shut(false); return nil },
		// The home's network is silent, as when its router has lost its power; and is well again.
		"/silent": func(*http.Request) error { return s.way.both("timeout", map[string]int64{"timeout": 0}) },
		"/well":   func(*http.Request) error { s.way.heal(); return nil },
		// A button of the home that calls nobody, such as that of the doorbell.
		"/button/{box}": func(r *http.Request) error {
			return publishTo(s.box(r.PathValue("box")).port, "zigbee2mqtt/door", []byte(`{"action":"single","battery":97}`))
		},
	} {
		all.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			if err := do(r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, `{"ok":true}`)
		})
	}
	s.control = httptest.NewServer(all)
	t.Cleanup(s.control.Close)
	return s
}

// tlsDoor stands before TURN as a municipality's proxy does, and can be shut.
type tlsDoor struct {
	address string
	to      string

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool
}

func newTLSDoor(t *testing.T, to string) *tlsDoor {
	t.Helper()
	certFile, keyFile := newAuthority(t).issue(t, "turn")
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	d := &tlsDoor{address: l.Addr().String(), to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = l.Close()
		d.shut(true)
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go d.carry(conn)
		}
	}()
	return d
}

// carry takes a connection to TURN and back until either end is done.
func (d *tlsDoor) carry(in net.Conn) {
	out, err := net.Dial("tcp", d.to)
	if err != nil {
		_ = in.Close()
		return
	}
	d.mu.Lock()
	d.open[in], d.open[out] = true, true
	closed := d.closed
	d.mu.Unlock()
	end := func() {
		_, _ = in.Close(), out.Close()
	}
	if closed {
		end()
	}
	go func() {
		defer end()
		_, _ = io.Copy(out, in)
	}()
	_, _ = io.Copy(in, out)
	end()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, in)
	delete(d.open, out)
}

// shut breaks every connection and lets none through, or lets them through again.
func (d *tlsDoor) shut(closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = closed
	for c := range d.open {
		if closed {
			_ = c.Close()
		}
	}
}
