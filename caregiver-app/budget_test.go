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

// The most that a phone on a bad network should have to fetch, in bytes of
// gzipped JavaScript.
const (
	firstScreenBudget = 40 << 10
	chartBudget       = 30 << 10
)

// chunk is an entry of the manifest that the build writes.
type chunk struct {
	File    string   `json:"file"`
	IsEntry bool     `json:"isEntry"`
	Imports []string `json:"imports"`
}

func TestBudget(t *testing.T) {
	dist := builtApp(t)
	manifest := readManifest(t, dist)
	budgets := []struct {
		name, chunk string
		most        int
	}{
		{"the caregiver's first screen", "index.html", firstScreenBudget},
		{"the chart, fetched when there is a curve to draw", "src/caregiver/curve.ts", chartBudget},
	}
	first := make(map[string]bool)
	for _, b := range budgets {
		if _, ok := manifest[b.chunk]; !ok {
			t.Errorf("%s: the build has no %s", b.name, b.chunk)
			continue
		}
		files := make(map[string]bool)
		staticImports(manifest, b.chunk, files)
		size := 0
		for file := range files {
			if first[file] {
				continue // is there already when the lazy chunk is asked for
			}
			size += gzipped(t, dist, file)
			if manifest[b.chunk].IsEntry {
				first[file] = true
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
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, refused := range []string{"<style", "<script>", "style=", "onload="} {
		if bytes.Contains(page, []byte(refused)) {
			t.Errorf("index.html has %q, which a strict content security policy blocks", refused)
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
