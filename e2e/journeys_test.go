package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/e2e/fcm"
)

// The people's own journeys, in a real Chromium against the real programs, from
// signing in to being done: caregiver-app/e2e/stage.spec.ts. What happens
// outside the browser (a box is unpacked, a cable pulled, a button pressed) the
// browser asks for at the stage.
func TestJourneys(t *testing.T) {
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
	s := newStage(t)
	kept := os.Getenv("LYKTA_KEEP") // where to put what a failed journey saw
	if kept == "" {
		kept = t.TempDir()
	}
	args := []string{"playwright", "test", "--project=journeys", "--workers=1", "--output", kept}
	if only := os.Getenv("LYKTA_JOURNEY"); only != "" {
		args = append(args, "-g", only)
	}
	cmd := exec.CommandContext(t.Context(), "npx", args...)
	cmd.Dir = app
	flags, err := json.Marshal(s.push.ChromiumFlags())
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "LYKTA_STAGE="+s.control.URL, "LYKTA_URL="+s.url(), "LYKTA_PUSH_FLAGS="+string(flags))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// stage is a municipality with one home, and a box that is still in its carton.
type stage struct {
	*cloud
	push    *fcm.Service
	control *httptest.Server
	way     *way

	mu    sync.Mutex
	boxes map[string]*box
}

// box is a gateway with its resident's screen.
type box struct {
	*gateway
	kiosk string
}

// url is the cloud by a name: a passkey belongs to one, never to an address.
func (s *stage) url() string {
	_, port, _ := net.SplitHostPort(s.http)
	return "http://localhost:" + port
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{cloud: newCloud(t), push: fcm.New(t), boxes: map[string]*box{}}
	s.args = append(s.args, "--url", s.url(), "--print-sms", "--push-contact", "mailto:drift@example.se")
	s.env = s.push.Env()
	for _, person := range [][]string{
		{"--id", "anna", "--name", "Anna Berg", "--role", "caregiver", "--push", "--staff", "norr", "--last-resort"},
		{"--id", "karl", "--name", "Karl Lund", "--role", "coordinator", "--sms", "+46701740607"},
		{"--id", "olle", "--name", "Olle Ek", "--role", "operator"},
		{"--id", "maria", "--name", "Maria Nilsson", "--role", "relative", "--push", "--relative-of", "home"},
	} {
		s.cli(append([]string{"person", "add"}, person...)...)
	}
	s.restart()
	s.as(s.token, http.MethodPut, "/api/v1/homes/home/resident", `{"name":"Karin Andersson","called":"Karin","born":"1939","phone":"","address":"","entry":"","language":"sv","important":"","wishes":"","ask":0}`)
	s.way = newWay(t, s.mqtt, rand.New(rand.NewPCG(1, 5)))
	s.unpack("gw", s.way.proxy.Listen)
	s.control = httptest.NewServer(s.handler())
	t.Cleanup(s.control.Close)
	return s
}

// unpack starts a box.
func (s *stage) unpack(id, cloud string, args ...string) *box {
	s.t.Helper()
	b := &box{kiosk: freeAddress(s.t)}
	b.gateway = startGateway(s.t, "mqtt://"+cloud, append([]string{"--id", id, "--kiosk-listen", b.kiosk}, args...)...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boxes[id] = b
	return b
}

// handler is what the browser asks for that happens outside of it. Every deed
// answers with JSON when it is done.
func (s *stage) handler() http.Handler {
	mux := http.NewServeMux()
	deed := func(path string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := f(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	done := map[string]bool{"ok": true}
	deed("/invite/{person}", func(r *http.Request) (any, error) {
		out := s.cli("person", "invite", "--id", r.PathValue("person"), "--url", s.url())
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "http") {
				return map[string]string{"link": strings.TrimSpace(line)}, nil
			}
		}
		return nil, fmt.Errorf("no link in %q", out)
	})
	deed("/press/{box}/{device...}", func(r *http.Request) (any, error) {
		b := s.box(r.PathValue("box"))
		if b == nil {
			return nil, fmt.Errorf("there is no box %q", r.PathValue("box"))
		}
		return done, publishTo(b.port, "zigbee2mqtt/"+r.PathValue("device"), []byte(`{"action":"emergency","battery":97}`))
	})
	deed("/cut", func(*http.Request) (any, error) { s.way.proxy.Stop(); return done, nil })
	deed("/heal", func(*http.Request) (any, error) { return done, s.way.proxy.Start() })
	// Somebody has helped, and closes every alarm.
	deed("/close", func(*http.Request) (any, error) {
		for _, a := range s.alerts("state=active") {
			s.post("/api/v1/alerts/"+a.ID+"/resolve", `{"outcome":"helped"}`)
		}
		return done, nil
	})
	// A box is unpacked: its gateway starts, and a button and a motion sensor wait to be let in.
	deed("/unpack/{box}", func(r *http.Request) (any, error) {
		id := r.PathValue("box")
		b := s.unpack(id, s.mqtt)
		flat := start(s.t, "lykta-gateway", "sim", "--unpaired", "--name", id, "--mqtt", "mqtt://"+b.port)
		var button string
		for deadline := time.Now().Add(patience); button == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			_, after, _ := strings.Cut(flat.output.String(), "the button ")
			button, _, _ = strings.Cut(after, ",")
		}
		return map[string]string{"button": button}, nil
	})
	deed("/touch/{box}/{device}", func(r *http.Request) (any, error) {
		b := s.box(r.PathValue("box"))
		if b == nil {
			return nil, fmt.Errorf("there is no box %q", r.PathValue("box"))
		}
		out, err := exec.Command(filepath.Join(bin, "lykta-gateway"), "press", "--mqtt", "mqtt://"+b.port, r.PathValue("device")).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		return done, nil
	})
	mux.HandleFunc("GET /kiosk/{box}", func(w http.ResponseWriter, r *http.Request) {
		if b := s.box(r.PathValue("box")); b != nil {
			_ = json.NewEncoder(w).Encode(map[string]string{"url": "http://" + b.kiosk})
			return
		}
		http.NotFound(w, r)
	})
	return mux
}

func (s *stage) box(id string) *box {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boxes[id]
}
