package fcm

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience bounds the life of every program; a browser starts slowly on a busy
// machine.
const patience = 5 * time.Minute

//go:embed testdata
var files embed.FS

// Browser is a real Chromium with one page that takes pushes.
type Browser struct {
	t testing.TB
	p *talker
}

// Alert is what the page's service worker reads in a push.
type Alert struct {
	Key, Title, Text, URL string
	Emergency             bool
}

// Seen is what the service worker has got until now, and what the browser
// shows of it.
type Seen struct {
	Received []Alert
	Shown    []struct{ Title, Body, Tag string }
}

// Open starts a browser that lives as long as the test. It skips the test
// where the browser's driver is not installed, unless LYKTA_REQUIRE_DIST=1.
func (s *Service) Open(t testing.TB) *Browser {
	t.Helper()
	playwright, err := filepath.Abs(filepath.Join(root(t), "caregiver-app/node_modules/playwright-core"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(playwright); err != nil && os.Getenv("LYKTA_REQUIRE_DIST") != "1" {
		t.Skip("playwright-core is not installed; make test installs it")
	}
	pages, err := fs.Sub(files, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(http.FileServerFS(pages))
	t.Cleanup(page.Close)
	driver, err := fs.ReadFile(pages, "browser.mjs")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "browser.mjs")
	if err := os.WriteFile(script, driver, 0o600); err != nil {
		t.Fatal(err)
	}
	return &Browser{t, talk(t, nil, "node", append([]string{script, playwright, page.URL, t.TempDir()}, s.ChromiumFlags()...)...)}
}

// root is the repository's.
func root(t testing.TB) string {
	t.Helper()
	for dir := "."; len(dir) < 40; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("there is no go.mod above the test")
	return ""
}

// Subscribe returns the subscription for an application server's key, JSON.
func (b *Browser) Subscribe(key string) string {
	b.t.Helper()
	var subscription json.RawMessage
	b.p.ask("subscribe "+key, &subscription)
	return string(subscription)
}

// Received waits until the service worker has got so many pushes.
func (b *Browser) Received(n int) (seen Seen) {
	b.t.Helper()
	b.p.ask(fmt.Sprint("received ", n), &seen)
	return seen
}

// Unsubscribe reports whether there was something to unsubscribe.
func (b *Browser) Unsubscribe() (ok bool) {
	b.t.Helper()
	b.p.ask("unsubscribe", &ok)
	return ok
}

// talker is a program that answers every line with one of JSON.
type talker struct {
	t   testing.TB
	in  io.Writer
	out *bufio.Reader
}

// talk starts a program. It ends by itself when the test is over.
func talk(t testing.TB, env []string, name string, args ...string) *talker {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), &complaints
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // so that a browser ends with it
	cmd.WaitDelay = 10 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, complaints.String())
		}
	})
	return &talker{t, in, bufio.NewReader(out)}
}

func (p *talker) ask(line string, answer any) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
	said, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("no answer to %q: %v", line, err)
	}
	if err := json.Unmarshal(said, answer); err != nil {
		p.t.Fatalf("%q: %v", said, err)
	}
}
