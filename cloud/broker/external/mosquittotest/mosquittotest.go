// Package mosquittotest runs a real mosquitto for a test.
package mosquittotest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const patience = 15 * time.Second

// Server is a mosquitto on a loopback port of its own, without accounts,
// configured as docs ask for: it drops nothing that is queued.
type Server struct {
	// URL is mqtt://127.0.0.1:port; it stays the same across Restart.
	URL string

	t      testing.TB
	binary string
	config string
	addr   string

	mu     sync.Mutex
	cmd    *exec.Cmd
	log    *bytes.Buffer
	exited chan struct{}
}

// Start runs a mosquitto until the test ends. When there is none on this
// machine the test fails, or is skipped if LYKTA_NO_MOSQUITTO=1.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, binary: find(t)}
	var err error
	for range 5 { // another process may take the free port before mosquitto does
		if err = s.configure(); err == nil {
			err = s.launch()
		}
		if err == nil {
			t.Cleanup(s.Stop)
			return s
		}
	}
	t.Fatalf("start mosquitto: %v", err)
	return nil
}

func find(t testing.TB) string {
	t.Helper()
	if os.Getenv("LYKTA_NO_MOSQUITTO") == "1" {
		t.Skip("LYKTA_NO_MOSQUITTO=1")
	}
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("mosquitto is not installed: apt-get install mosquitto (or brew install mosquitto), or set LYKTA_NO_MOSQUITTO=1 to do without these tests")
	return ""
}

func (s *Server) configure() error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.addr = free.Addr().String()
	if err := free.Close(); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return err
	}
	s.URL = "mqtt://" + s.addr
	s.config = filepath.Join(s.t.TempDir(), "mosquitto.conf")
	return os.WriteFile(s.config, fmt.Appendf(nil, `listener %s 127.0.0.1
user %s
allow_anonymous true
persistence false
log_dest stderr
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 1000
`, port, me.Username), 0o600)
}

func (s *Server) launch() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = new(bytes.Buffer)
	s.cmd = exec.Command(s.binary, "-c", s.config)
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	cmd, exited := s.cmd, make(chan struct{})
	s.exited = exited
	go func() {
		defer close(exited)
		_ = cmd.Wait() // "signal: killed"
	}()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		select {
		case <-exited: // it could not have the port
			end = time.Time{}
		case <-time.After(5 * time.Millisecond):
			if conn, err := net.Dial("tcp", s.addr); err == nil {
				return conn.Close()
			}
		}
	}
	s.kill()
	return fmt.Errorf("it does not listen on %s: %s", s.addr, s.log)
}

// kill ends the process at once; mosquitto has nothing to tidy up. The caller
// holds mu.
func (s *Server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill() // fails if it has ended already
		<-s.exited
		s.cmd = nil
	}
}

// Stop ends the broker, as a power cut would.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
}

// Restart ends the broker if it runs, and starts it again with nothing left of
// its sessions and messages.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if err := s.launch(); err != nil {
		s.t.Fatalf("restart mosquitto: %v", err)
	}
}
