package caregiverapp

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// The most that a phone on a bad network should have to fetch, or the small
// machine behind a resident's screen should have to read, in bytes of gzipped JavaScript.
const (
	firstScreenBudget = 40 << 10
	chartBudget       = 30 << 10
	kioskBudget       = 25 << 10
	familyBudget      = 25 << 10
	pageBudget        = 25 << 10
	workerBudget      = 5 << 10
	guestBudget       = 30 << 10 // all of a call, for a telephone that has nothing of ours
	residentsCall     = 20 << 10
	videoBudget       = 20 << 10
)

// chunk is an entry of the manifest that the build writes.
type chunk struct {
	File    string   `json:"file"`
	Imports []string `json:"imports"`
}

func TestBudget(t *testing.T) {
	dist := builtApp(t)
	manifest := readManifest(t, dist)
	budgets := []struct {
		name, chunk, after string // after: what is there already when it is asked for
		most               int
	}{
		{"the caregiver's first screen", "index.html", "", firstScreenBudget},
		{"the chart, fetched when there is a curve to draw", "src/caregiver/curve.ts", "index.html", chartBudget},
		{"the resident's screen", "kiosk.html", "", kioskBudget},
		{"the relatives' first screen", "family.html", "", familyBudget},
		{"the page of who was sent a link to a call", "guest.html", "", guestBudget},
		{"a call on the resident's screen", "src/kiosk/call/calls.tsx", "kiosk.html", residentsCall},
		{"the service worker", "src/caregiver/sw.ts", "", workerBudget},
		{"the page of a home", "src/caregiver/home.tsx", "index.html", pageBudget},
		{"what is known of a resident", "src/caregiver/care/card.tsx", "index.html", pageBudget},
		{"the notes about a resident", "src/caregiver/care/notes.tsx", "index.html", pageBudget},
		{"how a resident's days went", "src/caregiver/care/trends.tsx", "index.html", pageBudget},
		{"the messages to a resident", "src/caregiver/care/messages.tsx", "index.html", pageBudget},
		{"who may see what of a resident", "src/caregiver/care/consent.tsx", "index.html", pageBudget},
		{"the shift", "src/caregiver/care/shift.tsx", "index.html", pageBudget},
		{"the handover", "src/caregiver/care/handover.tsx", "index.html", pageBudget},
		{"the search", "src/caregiver/care/search.tsx", "index.html", pageBudget},
		{"the list of keys", "src/caregiver/care/keyhelp.tsx", "index.html", pageBudget},
		{"a call by video", "src/caregiver/call/screen.tsx", "index.html", videoBudget},
		{"the page of an alert", "src/caregiver/alertpage.tsx", "index.html", pageBudget},
		{"the rota", "src/caregiver/plan/rota.tsx", "index.html", pageBudget},
		{"the people", "src/caregiver/plan/people.tsx", "index.html", pageBudget},
		{"the visits", "src/caregiver/plan/visits.tsx", "index.html", pageBudget},
		{"the devices", "src/caregiver/plan/devices.tsx", "index.html", pageBudget},
		{"the statistics", "src/caregiver/plan/statistics.tsx", "index.html", pageBudget},
		{"the account", "src/caregiver/admin/account.tsx", "index.html", pageBudget},
		{"the installer's page", "src/caregiver/admin/install.tsx", "index.html", pageBudget},
		{"the ways in", "src/caregiver/admin/waysin.tsx", "index.html", pageBudget},
		{"an invitation", "src/caregiver/admin/invitation.tsx", "index.html", pageBudget},
		{"inviting somebody", "src/caregiver/admin/invite.tsx", "index.html", pageBudget},
	}
	for _, b := range budgets {
		if _, ok := manifest[b.chunk]; !ok {
			t.Errorf("%s: the build has no %s", b.name, b.chunk)
			continue
		}
		files, there := make(map[string]bool), make(map[string]bool)
		staticImports(manifest, b.chunk, files)
		if b.after != "" {
			staticImports(manifest, b.after, there)
		}
		size := 0
		for file := range files {
			if !there[file] {
				size += gzipped(t, dist, file)
			}
		}
		t.Logf("%s: %d bytes of %d", b.name, size, b.most)
		if size > b.most {
			t.Errorf("%s takes %d bytes of JavaScript, gzipped; the budget is %d", b.name, size, b.most)
		}
	}
}

func TestBuiltAppIsServable(t *testing.T) {
	dist := builtApp(t)
	if data, err := fs.ReadFile(dist, "sw.js"); err != nil {
		t.Error(err)
	} else if bytes.Contains(data, []byte("import")) || bytes.Contains(data, []byte("export")) {
		t.Error("sw.js is a module; not every browser starts those as service workers")
	}
	for _, name := range []string{"index.html", "family.html", "kiosk.html"} {
		page, err := fs.ReadFile(dist, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, refused := range []string{"<style", "<script>", "style=", "onload="} {
			if bytes.Contains(page, []byte(refused)) {
				t.Errorf("%s has %q, which a strict content security policy blocks", name, refused)
			}
		}
	}
}

// builtApp returns the built app, or skips the test when there is none;
// LYKTA_REQUIRE_DIST=1 makes that a failure.
func builtApp(t *testing.T) fs.FS {
	t.Helper()
	dist, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(dist, "index.html"); errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("LYKTA_REQUIRE_DIST") == "1" {
			t.Fatal("the web app is not built: run make build")
		}
		t.Skip("the web app is not built")
	}
	return dist
}

func readManifest(t *testing.T, dist fs.FS) map[string]chunk {
	t.Helper()
	data, err := fs.ReadFile(dist, ".vite/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]chunk
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatalf("reading the build's manifest: %v", err)
	}
	return manifest
}

// staticImports adds the files that the browser fetches before the chunk runs.
func staticImports(manifest map[string]chunk, name string, files map[string]bool) {
	c := manifest[name]
	if files[c.File] {
		return
	}
	files[c.File] = true
	for _, next := range c.Imports {
		staticImports(manifest, next, files)
	}
}

func gzipped(t *testing.T, dist fs.FS, file string) int {
	t.Helper()
	data, err := fs.ReadFile(dist, file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}
