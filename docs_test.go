package lykta

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The guides for the people who use Lykta: docs/guide, one folder a language,
// the same file names in each. What is bold in them is a word on a screen.
const guides = "docs/guide"

var guideLanguages = []string{"sv", "en"}

// guideNames returns the file names of a language's guides, in order.
func guideNames(t *testing.T, language string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(guides, language, "*.md"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no guides in %s: %v", language, err)
	}
	for i, path := range found {
		found[i] = filepath.Base(path)
	}
	return found
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Who reads the other language reads the same guide: the same chapters in the
// same order, and the same pictures.
func TestGuidesAreTheSameInBothLanguages(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^(#+) `)
	names := guideNames(t, "sv")
	if english := guideNames(t, "en"); !slices.Equal(names, english) {
		t.Fatalf("guides in Swedish: %v, in English: %v", names, english)
	}
	for _, name := range names {
		shape := map[string]string{}
		for _, language := range guideLanguages {
			text := readText(t, filepath.Join(guides, language, name))
			for _, m := range heading.FindAllStringSubmatch(text, -1) {
				shape[language] += m[1] + " "
			}
			for _, m := range guideLink.FindAllStringSubmatch(text, -1) {
				if m[1] == "!" {
					shape[language] += strings.TrimSuffix(filepath.Base(m[3]), "-"+language+".png") + " "
				}
			}
		}
		if shape["sv"] != shape["en"] {
			t.Errorf("%s: headings and pictures are %q in Swedish and %q in English", name, shape["sv"], shape["en"])
		}
	}
}

// What a guide says is on the screen is on it, to the letter.
func TestGuidesQuoteTheScreens(t *testing.T) {
	bold := regexp.MustCompile(`\*\*([^*]+)\*\*`)
	apps := map[string][]string{ // whose words a guide may quote; the others' readers see all apps
		"resident.md": {"kiosk", "kiosk/call"},
		"relative.md": {".", "call", "door", "family", "family/pages", "kiosk"},
	}
	for _, language := range guideLanguages {
		for _, name := range guideNames(t, language) {
			rooms := apps[name]
			if rooms == nil {
				rooms = []string{".", "admin", "call", "care", "door", "install", "kiosk", "pages"}
			}
			says := screenWords(t, language, rooms)
			text := readText(t, filepath.Join(guides, language, name))
			for _, m := range bold.FindAllStringSubmatch(text, -1) {
				if !says.MatchString(m[1]) {
					t.Errorf("%s/%s: no screen says %q", language, name, m[1])
				}
			}
		}
	}
}

// screenWords returns what matches all that the apps say in a language, each as a
// whole. Where they put in a name, a number or a time, a guide may have any one.
func screenWords(t *testing.T, language string, rooms []string) *regexp.Regexp {
	t.Helper()
	filledIn := regexp.MustCompile(`\\\{[a-z_]+\\\}`)
	var all []string
	for _, room := range rooms {
		var texts map[string]string
		path := filepath.Join("caregiver-app/i18n", room, language+".json")
		if err := json.Unmarshal([]byte(readText(t, path)), &texts); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, text := range texts {
			quoted := regexp.QuoteMeta(text)
			// Texts that are filled in all over would allow everything.
			if rest := filledIn.ReplaceAllString(quoted, ""); strings.IndexFunc(rest, unicode.IsLetter) < 0 {
				continue
			}
			all = append(all, filledIn.ReplaceAllString(quoted, `(?:kl |at )?[\p{Lu}\d][\p{L}\d:.]*(?: [\p{Lu}\d][\p{L}\d:.]*)?`))
		}
	}
	return regexp.MustCompile(`^(?:` + strings.Join(all, "|") + `)$`)
}

var guideLink = regexp.MustCompile(`(!?)\[([^\]]*)\]\(([^)\s]+)\)`)

// Links lead to a file and a heading of it, pictures have words and are small
// enough for a phone, and every error id is in the runbook.
func TestGuidesLeadSomewhere(t *testing.T) {
	const largest = 120 << 10 // bytes of a picture
	runbook := readText(t, "docs/runbook/README.md")
	id := regexp.MustCompile(`LYK-\d{4}`)
	err := filepath.WalkDir(guides, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text := readText(t, path)
		for _, found := range id.FindAllString(text, -1) {
			if !strings.Contains(runbook, "\n## "+found+" ") {
				t.Errorf("%s: %s has no heading in the runbook", path, found)
			}
		}
		for _, m := range guideLink.FindAllStringSubmatch(text, -1) {
			to, err := url.Parse(m[3])
			if err != nil || to.Host != "" {
				t.Errorf("%s: %s leads out of the project, or nowhere: %v", path, m[3], err)
				continue
			}
			file := path
			if to.Path != "" {
				file = filepath.Join(filepath.Dir(path), to.Path)
			}
			is, err := os.Stat(file)
			switch {
			case err != nil:
				t.Errorf("%s: %v", path, err)
			case m[1] == "!" && (len(m[2]) < 20 || is.Size() > largest):
				t.Errorf("%s: the picture %s has %d bytes and the words %q", path, m[3], is.Size(), m[2])
			case to.Fragment != "" && !slices.Contains(anchorsOf(readText(t, file)), to.Fragment):
				t.Errorf("%s: %s has no heading %q", path, file, to.Fragment)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// anchorsOf returns what the headings of a Markdown text are called in links:
// small letters, digits and hyphens, as GitHub and GitLab make them.
func anchorsOf(text string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return all
}
