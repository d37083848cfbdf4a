package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// buildFleet makes the program, which is the service too: the test's own
// binary cannot be started as another one.
func buildFleet(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "lykta-cloud")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "../../cloud")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatalf("build lykta-cloud: %v", err)
	}
	return program
}

// P1, P3: of fifty homes, all of which lose their connection at once while
// somebody presses for help, nothing is lost and nothing is there twice, and
// every press is on a carer's screen and is one alert.
func TestFleet(t *testing.T) {
	program := buildFleet(t)
	for _, test := range []struct {
		name    string
		options options
	}{
		{"every home has a connection", options{Storm: 2 * time.Second, StormHow: "cut"}},
		{"some homes visit", options{Connections: 30, VisitEvery: 2 * time.Second, Backlog: 5, Outage: 10 * time.Minute}},
		{"an external broker carries all", options{Carrier: true}},
		{"the service is killed, and they connect with TLS", options{Storm: 2 * time.Second, StormHow: "kill", TLS: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := test.options
			o.Cloud, o.Homes, o.Rate, o.For, o.Ramp, o.Settle, o.Drain = program, 50, 100, 4*time.Second, time.Second, 100*time.Millisecond, 3*time.Minute
			o.SOS, o.Screens, o.Tapes, o.Shards, o.Seed, o.Quiet = 5, 1, 2, 2, 1, true
			if o.VisitEvery == 0 {
				o.VisitEvery = time.Minute
			}
			o.SlowRate, o.Slow, o.SlowLag = 4000, 0.1, 50*time.Millisecond
			r, err := run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			r.print(t.Output())
			if r.Bad() || r.Kept.Unsent > 0 {
				t.Error("something was lost, doubled, refused or left with the homes")
			}
			if r.Kept.Readings == 0 || r.SOS.Count < 15 {
				t.Errorf("%d readings and %d presses are no test", r.Kept.Readings, r.SOS.Count)
			}
			if want := int64(50); o.Storm > 0 && r.Back.Count != want {
				t.Errorf("%d homes came back after the cut, of %d", r.Back.Count, want)
			}
		})
	}
}
