package web_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/care"
)

// A problem is told in the language that is asked for, wherever in the server
// it is found; programs that ask for none are answered in English.
func TestProblemsAreToldInTheReadersLanguage(t *testing.T) {
	s := records(t)
	english := regexp.MustCompile(`(?i)\b(the|is|are|not|was|expected|request|found|allowed|signed|of)\b`)
	for _, c := range []struct {
		name, method, path string
		who                string
		body               any
		id                 string
	}{
		{"a handler's", "GET", "/api/v1/visits/nowhere", "anna", nil, "LYK-0502"},
		{"what was entered", "GET", "/api/v1/hand-over?from=2026-01-02&to=2026-01-01", "anna", nil, "LYK-0503"},
		{"what is not well formed", "POST", "/api/v1/homes/home-1/notes", "anna", map[string]any{"kind": "gossip", "text": ""}, "LYK-0503"},
		{"not theirs", "GET", "/api/v1/homes/home-2/notes", "anna", nil, "LYK-0505"},
		{"of the staff", "GET", "/api/v1/homes", "maria", nil, "LYK-0505"},
		{"not signed in", "GET", "/api/v1/homes", "", nil, "LYK-0504"},
		{"no such page", "GET", "/api/v1/nothing", "anna", nil, "LYK-0502"},
		{"no such method", "PATCH", "/api/v1/homes", "anna", nil, "LYK-0503"},
		{"a stream", "GET", "/api/v1/events", "", nil, "LYK-0504"},
	} {
		for _, language := range []string{"sv-SE,sv;q=0.9,en;q=0.8", "en", ""} {
			a := s.do(c.method, c.path, care.Role(c.who), c.body, "Accept-Language", language)
			var p struct {
				ID, Title, Detail string
				Errors            []struct{ Message, Location string }
			}
			if err := json.Unmarshal(a.body, &p); err != nil || p.ID != c.id || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
				t.Errorf("%s in %q: %d %s %v", c.name, language, a.StatusCode, a.body, err)
				continue
			}
			words := p.Title + " " + p.Detail
			for _, e := range p.Errors {
				words += " " + e.Message
			}
			if isEnglish := english.MatchString(words); isEnglish == (language != "" && language != "en") {
				t.Errorf("%s in %q: %s", c.name, language, words)
			}
		}
	}
}
