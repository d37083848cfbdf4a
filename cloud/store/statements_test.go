package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/care"
)

// SQLite reads a statement anew whenever a bare parameter after its LIMIT gets a
// value: keeping it prepared is then in vain, and what asks many times a second,
// mostly for nothing, spends its time on that.
func TestNoLimitIsABareParameter(t *testing.T) {
	bare := regexp.MustCompile("LIMIT (\\$|`)")
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(source), "\n") {
			if bare.MatchString(line) {
				t.Errorf("%s:%d: write LIMIT CAST($1 AS BIGINT), see bound: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// BenchmarkNothingWaits is what the service asks again and again: whether
// anything is to be done or sent.
func BenchmarkNothingWaits(b *testing.B) {
	run := func(b *testing.B, address string) {
		s := open(b, address)
		for b.Loop() {
			must(s.Due(b.Context(), at(0), 100))(b)
			must(s.WaitingTellings(b.Context(), care.ChannelPush, at(0), 100))(b)
		}
	}
	b.Run("sqlite", func(b *testing.B) { run(b, sqliteAddress(b)) })
	b.Run("postgres", func(b *testing.B) { run(b, postgres.Database(b)) })
}
