package influx

import (
	"testing"
	"time"
)

// Literal is literal.
func Literal(s string) string { return literal(s) }

// Line is line.
var Line = line

// CleanHours returns how many hours of a home are answered from summaries.
func CleanHours(t *testing.T, s *Store, home string) int {
	t.Helper()
	hours, err := s.clean(t.Context(), home, 0, time.Now().UnixNano())
	if err != nil {
		t.Fatal(err)
	}
	return len(hours)
}

// Plant writes line protocol past the store.
func Plant(t *testing.T, s *Store, lines ...string) {
	t.Helper()
	if err := s.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.send(t.Context(), s.raw, lines); err != nil {
		t.Fatal(err)
	}
}

// SealHalfway begins to sum up an hour and never comes to its end, as a
// process that dies meanwhile.
func SealHalfway(t *testing.T, s *Store, home string, hour time.Time) {
	t.Helper()
	if len(s.marks.seal(home, []int64{hour.UnixNano()})) != 1 {
		t.Fatal("the hour is not due")
	}
}
