package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every problem that the API can answer with has Swedish words.
func TestEveryProblemHasSwedishWords(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	ids := regexp.MustCompile(`LYK-\d{4}`)
	// What is only logged, what only configures, what only comments on.
	elsewhere := regexp.MustCompile(`"id", "LYK-|errors\.New\("LYK-0726|^\s*//|doc:"|example:"`)
	found := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "words.go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if elsewhere.MatchString(line) {
				continue
			}
			for _, id := range ids.FindAllString(line, -1) {
				if found[id] = true; swedish[id] == "" {
					t.Errorf("%s: %s has no Swedish words: %s", name, id, strings.TrimSpace(line))
				}
			}
		}
	}
	if len(found) < 20 {
		t.Errorf("only %d ids were found", len(found))
	}
	for id := range swedish {
		if !found[id] {
			t.Errorf("%s is no problem any more", id)
		}
	}
}

// What somebody entered wrongly is said in Swedish, as far as it is known, and
// never in English.
func TestWhatIsWrongIsSaidInSwedish(t *testing.T) {
	sources, err := filepath.Glob("../care/*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`fmt\.Errorf\("%w: ([^"]*)", Err\w+`)
	words := 0
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(text), -1) {
			p := Problem{ID: "LYK-0503", Title: "x", Detail: "the visit cannot be stored: " + m[1]}.inSwedish()
			if p.Title != swedish["LYK-0503"] || p.Detail != "" && strings.Contains(p.Detail, m[1]) {
				t.Errorf("%s: %+v", m[1], p)
			}
			if p.Detail != "" {
				words++
			}
		}
	}
	if words < 30 {
		t.Errorf("only %d have words of their own", words)
	}
	for _, d := range swedishDetails {
		if d.text == "" || d.has == "" || !strings.HasSuffix(d.text, ".") && !strings.HasSuffix(d.text, "4567.") {
			t.Errorf("%+v", d)
		}
	}
}

func TestSwedishIsSpokenToWhoAsksForIt(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "sv": true, "sv-SE,sv;q=0.9,en;q=0.8": true, "en": false, "en-GB,sv;q=0.5": false, "de,sv;q=0.2": true,
		"*": false, "sv;q=0": false, "en;q=0.3, sv;q=0.4": true, "svx": false, "sv;q=x": true, "en,sv": false,
	} {
		if got := wantsSwedish(accept); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
