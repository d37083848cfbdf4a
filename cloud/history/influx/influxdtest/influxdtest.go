// Package influxdtest runs a real InfluxDB 1.8 for tests: on loopback, in a
// folder of the test's own, ended with the test.
package influxdtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a running InfluxDB. Its methods fail the test when they cannot do
// what they say.
type Server struct {
	URL string

	t      testing.TB
	binary string
	dir    string
	cmd    *exec.Cmd
	exited chan error
}

const config = `
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = %[1]q
[data]
  dir = %[2]q
  wal-dir = %[3]q
  index-version = %[7]q
  query-log-enabled = false
  max-values-per-tag = %[5]d
[http]
  bind-address = %[4]q
  flux-enabled = true
  auth-enabled = %[6]t
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "warn"
  suppress-logo = true
`

// Option changes how a server is set up.
type Option func(*settings)

type settings struct {
	maxValuesPerTag int
	user, password  string
}

// MaxValuesPerTag sets the server's bound of distinct values of one tag; the
// default is no bound.
func MaxValuesPerTag(n int) Option { return func(s *settings) { s.maxValuesPerTag = n } }

// User makes the server ask for a name and a password, those of its only
// user, who may do everything.
func User(name, password string) Option {
	return func(s *settings) { s.user, s.password = name, password }
}

// Start starts a server and waits until it answers. It skips the test when
// LYKTA_NO_INFLUX is 1, and fails it when InfluxDB is not installed.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	if os.Getenv("LYKTA_NO_INFLUX") == "1" {
		t.Skip("LYKTA_NO_INFLUX=1: not tested against a real InfluxDB")
	}
	var set settings
	for _, o := range options {
		o(&set)
	}
	index := "tsi1"
	if set.maxValuesPerTag > 0 {
		index = "inmem" // the only one that heeds the bound
	}
	s := &Server{t: t, binary: find(t), dir: t.TempDir()}
	t.Cleanup(s.Kill)
	var err error
	for range 3 { // a port that was free may be taken by the time it is used
		addr := freeAddr(t)
		s.URL = "http://" + addr
		path := func(name string) string { return filepath.Join(s.dir, name) }
		text := fmt.Sprintf(config, path("meta"), path("data"), path("wal"), addr, set.maxValuesPerTag, set.user != "", index)
		if err := os.WriteFile(path("influxd.conf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err = s.start(); errors.Is(err, errSilent) {
			break // it would not the next time either
		} else if err != nil {
			continue
		}
		if set.user != "" {
			s.Query(fmt.Sprintf(`CREATE USER "%s" WITH PASSWORD '%s' WITH ALL PRIVILEGES`, set.user, set.password))
		}
		return s
	}
	t.Fatalf("start influxd: %v", err)
	return nil
}

// Query runs an InfluxQL statement, of a server that has no users yet.
func (s *Server) Query(statement string) {
	s.t.Helper()
	resp, err := http.PostForm(s.URL+"/query", url.Values{"q": {statement}})
	if err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || strings.Contains(string(body), `"error"`) {
		s.t.Fatalf("%s: %s %s %v", statement, resp.Status, body, err)
	}
}

// find returns the path of the binary in the repository's tools.
func find(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("this is not a test of a Go module")
		}
		dir = filepath.Dir(dir)
	}
	binary := filepath.Join(dir, ".tools", "bin", "influxd")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("InfluxDB is not installed: run scripts/influxd.sh, or set LYKTA_NO_INFLUX=1 to leave these tests out (%v)", err)
	}
	return binary
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// patience is how long the server may take to answer: it takes two seconds of a
// processor's time, which on a busy machine is half a minute.
const patience = 2 * time.Minute

var errSilent = errors.New("influxd does not answer")

// start runs the process and waits for its answer to /ping.
func (s *Server) start() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "influxd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.binary, "-config", filepath.Join(s.dir, "influxd.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.exited = cmd, make(chan error, 1)
	go func() { s.exited <- cmd.Wait() }()

	client := http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	deadline := time.After(patience)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case err := <-s.exited:
			s.cmd = nil
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("influxd ended: %w\n%s", err, text)
		case <-deadline:
			s.Kill()
			return errSilent
		case <-poll.C:
			if resp, err := client.Get(s.URL + "/ping"); err == nil {
				resp.Body.Close()
				return nil
			}
		}
	}
}

// Stop ends the server in order. Stopping twice does nothing.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the server as a power cut would.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(how syscall.Signal) {
	if s.cmd == nil {
		return
	}
	s.signal(how)
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		s.signal(syscall.SIGKILL)
		<-s.exited
	}
	s.cmd = nil
}

func (s *Server) signal(sig syscall.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("signal influxd: %v", err)
	}
}

// Stall makes the server hang: it takes connections and does not answer,
// until Resume.
func (s *Server) Stall() { s.signal(syscall.SIGSTOP) }

// Resume lets a stalled server go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Restart starts the server again on the same address and data; one that
// still runs is stopped first.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if err := s.start(); err != nil {
		s.t.Fatalf("restart influxd: %v", err)
	}
}
