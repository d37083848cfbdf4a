// Command torture runs the long versions of the tests that try to break
// Lykta's promises, one after the other, and prints one table of what they
// did. It ends with status 1 when a promise was broken or a test failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/lykta/lykta/e2e/report"
)

type options struct {
	Seeds   int           `help:"Seeds of the simulation; 0 leaves it out." default:"300"`
	Kills   int           `help:"Processes to kill." default:"100"`
	Cuts    int           `help:"Power cuts." default:"30"`
	Minutes int           `help:"Bound of the whole; 0 is none. A part whose time is up ends after its current round."`
	Network int           `help:"Seconds of each network fault." default:"60"`
	Outage  time.Duration `help:"Length of the total outage." default:"10m"`
	Seed    uint64        `help:"Seed of all parts; 0 leaves each its own."`
	Dir     string        `help:"Where logs and reports go." default:"var/torture" type:"path"`
}

// part is one run of go test.
type part struct {
	name  string
	pkg   string
	tests string            // -run
	env   map[string]string // besides that of this process
	share float64           // of the time, in proportion to the other parts'
}

// parts are what there is to run, in order.
func (o options) parts() []part {
	network, outage := float64(o.Network), o.Outage
	if o.Minutes > 0 { // they cannot end early
		whole := time.Duration(o.Minutes) * time.Minute
		network, outage = min(network, whole.Seconds()/10), min(outage, whole/4)
	}
	faults := map[string]string{
		"LYKTA_KILLS": strconv.Itoa(o.Kills), "LYKTA_CUTS": strconv.Itoa(o.Cuts),
		"LYKTA_STORM": "5000", "LYKTA_NETWORK_SECONDS": strconv.Itoa(int(math.Ceil(network))), "LYKTA_OUTAGE": outage.String(),
	}
	var out []part
	if o.Seeds > 0 {
		out = append(out,
			part{name: "simulation", pkg: "./e2e/sim", tests: "TestSeeds$", share: 4, env: map[string]string{"LYKTA_SEEDS": strconv.Itoa(o.Seeds)}},
			part{name: "planted defects", pkg: "./e2e/sim", tests: "TestPlantedDefects$", share: 2, env: map[string]string{"LYKTA_DEFECTS": "all"}})
	}
	return append(out, part{
		name: "real binaries", pkg: "./e2e", share: 5, env: faults,
		tests: "TestKill|TestPowerCut|TestFullDisk|TestIOErrors|TestReadErrors|TestNetwork|TestOutage|TestStorm",
	})
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("torture"), kong.Description("Try for long to break Lykta's promises. Run it at the root of the repository."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := o.run(ctx, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
	}
	if failed > 0 || err != nil {
		os.Exit(1)
	}
}

// run runs the parts and prints the table to out and everything else to
// progress. It returns how much failed.
func (o options) run(ctx context.Context, out, progress io.Writer) (failed int, err error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return 0, fmt.Errorf("make the folder of the logs: %w", err)
	}
	began := time.Now()
	base := filepath.Join(o.Dir, began.UTC().Format("20060102T150405.000Z"))
	log, err := os.Create(base + ".log")
	if err != nil {
		return 0, fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	progress = io.MultiWriter(progress, log)

	var broken []string // parts that failed
	parts := o.parts()
	for i, p := range parts {
		env := o.env(p, base+".report")
		if o.Minutes > 0 {
			env = append(env, "LYKTA_MINUTES="+strconv.Itoa(minutes(parts[i:], time.Duration(o.Minutes)*time.Minute-time.Since(began))))
		}
		fmt.Fprintf(progress, "== %s: %s\n", p.name, strings.Join(append(env, p.command()...), " "))
		if err := p.run(ctx, env, progress); err != nil {
			broken = append(broken, fmt.Sprintf("%s: %v; %s has what it said", p.name, err, log.Name()))
		}
	}
	lines, err := report.Read(base + ".report")
	if err != nil {
		return 0, err
	}
	slices.SortStableFunc(lines, func(a, b report.Line) int { return strings.Compare(a.Part, b.Part) })
	return summary(out, lines, broken), nil
}

func (o options) env(p part, file string) []string {
	env := []string{report.Env + "=" + file}
	if _, set := os.LookupEnv("LYKTA_REQUIRE_FAULTS"); !set {
		env = append(env, "LYKTA_REQUIRE_FAULTS=1") // what is not tried must not look as if it were
	}
	if o.Seed != 0 {
		env = append(env, "LYKTA_SEED="+strconv.FormatUint(o.Seed, 10))
	}
	for name, value := range p.env {
		env = append(env, name+"="+value)
	}
	return env
}

// minutes is what the first of the parts may take of what is left, in whole
// minutes and at least one.
func minutes(parts []part, left time.Duration) int {
	var shares float64
	for _, p := range parts {
		shares += p.share
	}
	return max(1, int(math.Ceil(left.Minutes()*parts[0].share/shares)))
}

func (p part) command() []string {
	return []string{"go", "test", "-v", "-count=1", "-timeout", "0", "-parallel", "2", p.pkg, "-run", p.tests}
}

// stopTime is how long an interrupted part has to clean up.
const stopTime = 20 * time.Second

func (p part) run(ctx context.Context, env []string, output io.Writer) error {
	command := p.command()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopTime
	return cmd.Run()
}

// summary prints the table, the commands that repeat what failed, and the
// closing line. It returns how much failed: lines with violations, and parts.
func summary(w io.Writer, lines []report.Line, broken []string) (failed int) {
	table(w, lines)
	for _, l := range lines {
		if l.Violations > 0 {
			failed++
		}
	}
	passed := len(lines) - failed
	failed += len(broken)
	if failed > 0 {
		fmt.Fprintln(w)
	}
	for _, l := range lines {
		for _, command := range l.Replay {
			fmt.Fprintf(w, "again: %s (%s)\n", command, l.Fault)
		}
	}
	for _, text := range broken {
		fmt.Fprintln(w, text)
	}
	fmt.Fprintf(w, "\n%d passed, %d failed\n", passed, failed)
	return failed
}

// table prints the lines in columns, numbers to the right.
func table(w io.Writer, lines []report.Line) {
	rows := [][]string{{"part", "fault", "runs", "presses", "readings", "violations", "note"}}
	for _, l := range lines {
		rows = append(rows, []string{l.Part, l.Fault, strconv.Itoa(l.Runs), strconv.Itoa(l.Presses), strconv.Itoa(l.Readings), strconv.Itoa(l.Violations), l.Note})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var text strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if number := i >= 2 && i <= 5; number {
				text.WriteString(space + cell)
			} else {
				text.WriteString(cell + space)
			}
			text.WriteString("  ")
		}
		fmt.Fprintln(w, strings.TrimRight(text.String(), " "))
	}
}
