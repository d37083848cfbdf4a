package main

import (
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/e2e/report"
)

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		name   string
		lines  []report.Line
		broken []string
		want   string
		failed int
	}{
		{name: "nothing", want: `
part  fault  runs  presses  readings  violations  note

0 passed, 0 failed
`},
		{
			name: "all well",
			lines: []report.Line{
				{Part: "kill -9", Fault: "gateway", Runs: 120, Presses: 1034, Readings: 20000},
				{Part: "disk", Fault: "å", Runs: 1, Presses: 2, Readings: 3, Note: "a note"},
			},
			want: `
part     fault    runs  presses  readings  violations  note
kill -9  gateway   120     1034     20000           0
disk     å           1        2         3           0  a note

2 passed, 0 failed
`},
		{
			name: "broken promises and a part that failed",
			lines: []report.Line{
				{Part: "network", Fault: "cut", Runs: 1},
				{Part: "kill -9", Fault: "cloud", Runs: 7, Violations: 2, Replay: []string{"LYKTA_SEED=1 go test a", "LYKTA_SEED=2 go test b"}},
			},
			broken: []string{"real binaries: exit status 1; x.log has what it said"}, failed: 2,
			want: `
part     fault  runs  presses  readings  violations  note
network  cut       1        0         0           0
kill -9  cloud     7        0         0           2

again: LYKTA_SEED=1 go test a (cloud)
again: LYKTA_SEED=2 go test b (cloud)
real binaries: exit status 1; x.log has what it said

1 passed, 2 failed
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if failed := summary(&out, c.lines, c.broken); failed != c.failed {
				t.Errorf("%d failed, want %d", failed, c.failed)
			}
			if got, want := out.String(), strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestMinutes(t *testing.T) {
	parts := options{Seeds: 1, Minutes: 22, Network: 60, Outage: 10 * time.Minute}.parts()
	if got := minutes(parts, 22*time.Minute); got != 8 {
		t.Errorf("the first of 4, 2 and 5 parts in 22 minutes has %d, want 8", got)
	}
	last := parts[len(parts)-1:]
	if got := minutes(last, 13*time.Minute+time.Second); got != 14 {
		t.Errorf("the last has %d of what is left, want all: 14", got)
	}
	if got := minutes(last, -time.Hour); got != 1 {
		t.Errorf("a late part has %d, want 1", got)
	}
	if got := last[0].env["LYKTA_OUTAGE"]; got != "5m30s" {
		t.Errorf("an outage in 22 minutes takes %s", got)
	}
}
