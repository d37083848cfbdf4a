package sim

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/e2e/report"
)

func number(t *testing.T, env string, otherwise int) int {
	t.Helper()
	v := os.Getenv(env)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", env, err)
	}
	return n
}

// steadyWorker is the code as it is, on a runtime that leaves nothing to chance.
func steadyWorker(t *testing.T) string {
	t.Helper()
	binary, err := build(t, steady(t)...)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// tally adds up the seeds in which a kind of fault was at work.
type tally map[string]*report.Line

func (t tally) add(r Result) {
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		l := t[name]
		if l == nil {
			l = &report.Line{Part: "simulation", Fault: name}
			t[name] = l
		}
		l.Runs += r.Faults[name]
		l.Presses += r.Presses
		l.Readings += r.Readings
		l.Violations += len(r.Violations)
	}
}

func (t tally) report() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(t)) {
		errs = append(errs, report.Add(*t[name]))
	}
	return errors.Join(errs...)
}

// Whatever goes wrong, the promises are kept.
func TestSeeds(t *testing.T) {
	from, n := number(t, "LYKTA_SEED", 1), number(t, "LYKTA_SEEDS", 200)
	began, minutes := time.Now(), number(t, "LYKTA_MINUTES", 0)
	all, faults := report.Line{Part: "simulation", Fault: "(all seeds)"}, tally{}
	days := 0.0
	live(t, steadyWorker(t), uint64(from), n, runtime.NumCPU(), func(r Result) bool {
		all.Runs, all.Presses, all.Readings = all.Runs+1, all.Presses+r.Presses, all.Readings+r.Readings
		days += r.Days
		faults.add(r)
		for _, v := range r.Violations {
			all.Violations++
			t.Errorf("seed %d: %s\nto see it again: make replay SEED=%[1]d", r.Seed, v)
		}
		if len(r.Violations) > 0 {
			all.Replay = append(all.Replay, fmt.Sprintf("make replay SEED=%d", r.Seed))
		}
		if os.Getenv(journalEnv) != "" {
			fmt.Print(r.Journal)
		}
		if all.Runs%500 == 0 {
			t.Logf("%d seeds, %.0f home-days, %d presses, %d readings, %d violations in %v", all.Runs, days, all.Presses, all.Readings, all.Violations, time.Since(began).Round(time.Second))
		}
		return minutes == 0 || time.Since(began) < time.Duration(minutes)*time.Minute
	})
	if all.Runs < n && minutes == 0 {
		t.Errorf("%d seeds lived of %d", all.Runs, n)
	}
	all.Note = fmt.Sprintf("%.0f home-days", days)
	t.Logf("%d seeds, %s, %d presses, %d readings, %d violations", all.Runs, all.Note, all.Presses, all.Readings, all.Violations)
	if err := errors.Join(report.Add(all), faults.report()); err != nil {
		t.Error(err)
	}
}

// The same seed is the same life, to the byte of its journal: else a failure
// that was found could not be looked at.
func TestASeedTellsTheSameStoryTwice(t *testing.T) {
	t.Setenv(journalEnv, "1")
	binary := steadyWorker(t)
	n := number(t, "LYKTA_TWICE", 6)
	first := map[uint64]string{}
	live(t, binary, 100, n, runtime.NumCPU(), func(r Result) bool { first[r.Seed] = r.Journal; return true })
	live(t, binary, 100, n, 1, func(r Result) bool {
		if r.Journal == "" || r.Journal != first[r.Seed] {
			t.Errorf("seed %d told another story the second time:\n%s", r.Seed, parting(first[r.Seed], r.Journal))
		}
		return true
	})
}

// parting is where two stories part.
func parting(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d\n%s\n%s", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(as), len(bs))
}
