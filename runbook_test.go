package lykta

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every error id that the code can show has a heading in the runbook, and
// the runbook has no others.
func TestRunbookHasEveryErrorID(t *testing.T) {
	id := regexp.MustCompile(`LYK-\d{4}`)
	used := map[string]string{}
	for _, root := range []string{"cloud", "gateway", "devices", "demo"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			for _, found := range id.FindAllString(string(data), -1) {
				used[found] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	runbook, err := os.ReadFile("docs/runbook/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var headings []string
	for _, m := range regexp.MustCompile(`(?m)^## (LYK-\d{4}) `).FindAllStringSubmatch(string(runbook), -1) {
		if slices.Contains(headings, m[1]) {
			t.Errorf("%s has two headings", m[1])
		}
		headings = append(headings, m[1])
		if used[m[1]] == "" {
			t.Errorf("%s is in the runbook and nowhere in the code", m[1])
		}
	}
	for id, path := range used {
		if !slices.Contains(headings, id) {
			t.Errorf("%s of %s has no heading in the runbook", id, path)
		}
	}
}
