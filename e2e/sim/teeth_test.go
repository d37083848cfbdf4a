package sim

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/lykta/lykta/e2e/report"
)

type defect struct {
	name    string
	always  bool // tried with every change, not only on request
	patches []patch
}

// planted are defects of the kind that this simulation is there to find. Each
// is a small change to the code of today, made while a worker is built.
var planted = []defect{
	{"acknowledged before the commit", false, []patch{{"../../cloud/ingest/ingest.go",
		"	commit := g.commit(in)\n",
		"	commit := g.commit(in)\n	for _, f := range g.afterwards {\n		f()\n	}\n	g.afterwards = nil\n"}}},
	{"repetitions not recognised", false, []patch{
		{"../../cloud/ingest/batch.go", "if seq <= l.evaluated || refused[seq] {", "if refused[seq] {"},
		{"../../cloud/ingest/batch.go", "	if b.Last() > l.evaluated {\n", "	if true {\n"}}},
	{"spool without fsync", true, []patch{{"../../gateway/spool/open.go", "synchronous(FULL)", "synchronous(OFF)"}}},
	{"database of the cloud without fsync", true, []patch{{"../../cloud/store/dialect.go", `"synchronous(FULL)"`, `"synchronous(OFF)"`}}},
	{"embedded time series without fsync", false, []patch{{"../../cloud/history/embedded/embedded.go", "synchronous(FULL)", "synchronous(OFF)"}}},
	{"acknowledged beyond a gap", false, []patch{{"../../cloud/ingest/batch.go", "if first > l.evaluated+1 {", "if false {"}}},
	{"silence not timed after a restart", false, []patch{{"../../cloud/ingest/ingest.go",
		"			return nil, err\n		}\n		in.schedule(house)\n", "			return nil, err\n		}\n"}}},
	{"sent again from one record too late", true, []patch{{"../../gateway/uplink/window.go",
		"	w.sent, w.out, w.deadline = w.floor(), nil, time.Time{}", "	w.sent, w.out, w.deadline = w.floor()+1, nil, time.Time{}"}}},
	{"one record too many deleted", false, []patch{{"../../gateway/spool/send.go",
		"`DELETE FROM record WHERE lane = ? AND seq <= ?`, index(l), upto)", "`DELETE FROM record WHERE lane = ? AND seq <= ?`, index(l), upto+1)"}}},
	{"the home's clock decides on silence", true, []patch{
		{"../../cloud/ingest/ingest.go", "	g.findings(h, h.watcher.Hear(m.Received))\n", ""},
		{"../../cloud/watch/watch.go", "	out := w.Hear(received)\n", "	out := w.Hear(rec.Time.Time())\n"}}},
	{"alert named after its arrival", false, []patch{
		{"../../cloud/watch/watch.go", `fmt.Sprintf("%s/%d", cause.Epoch, cause.Seq)`, `fmt.Sprintf("%s/%d/%d", cause.Epoch, cause.Seq, received.UnixNano())`},
		{"../../cloud/ingest/batch.go", "if seq <= l.evaluated || refused[seq] {", "if refused[seq] {"}}},
	{"an alert whose cause went away opens again", true, []patch{{"../../cloud/care/alert.go", "	a.Recovered = now\n", "	a.Recovered, a.State = now, Open\n"}}},
	{"staff's word not kept in the home", false, []patch{{"../../gateway/spool/press.go",
		"			if state == Resolved {\n				return nil\n", "			if state != Resolved {\n				return nil\n"}}},
	{"presses wait for the time series", false, []patch{
		{"../../cloud/ingest/batch.go", "	case key.lane == wire.Alarm:\n", "	case false:\n"},
		{"../../cloud/ingest/batch.go", "	l.evaluated = b.Last()\n	if key.lane == wire.Alarm {\n", "	l.evaluated = b.Last()\n	if false {\n"}}},
	{"a boot's clock corrected anew each time", false, []patch{{"../../cloud/ingest/batch.go", "	if !known {\n", "	if offset = received.Sub(b.Sent.Time()); !known {\n"}}},
	{"watchers' states not stored", false, []patch{{"../../cloud/store/commit.go", "t.putRecords, t.putStates,", "t.putRecords,"}}},
	{"screens not told of what a home raises", false, []patch{{"../../cloud/store/commit.go", "events, err = t.putEvents(ctx, changed, time.Now())", "events, err = t.putEvents(ctx, changed[:len(changed)/2], time.Now())"}}},
	{"a press shown as received when it is kept", false, []patch{{"../../gateway/spool/press.go", "epoch, seq, r.Kind, r.Device, r.Room, r.Time, Sending)", "epoch, seq, r.Kind, r.Device, r.Room, r.Time, Received)"}}},
	{"a press answered before it is stored", false, []patch{{"../../gateway/hub/hub.go",
		"	_, err := h.opt.Store.Append(ctx, entries...)\n", "	for _, w := range waiting {\n		w <- nil\n	}\n	waiting = nil\n	_, err := h.opt.Store.Append(ctx, entries...)\n"}}},
}

// maxSeeds is within how many seeds a planted defect must be found.
const maxSeeds = 2000

// A simulation that finds nothing proves something only when it finds what is
// there.
func TestPlantedDefects(t *testing.T) {
	tried := planted
	if os.Getenv("LYKTA_DEFECTS") != "all" {
		// With every change some that are found soon, each in another part of the house.
		tried = slices.DeleteFunc(slices.Clone(planted), func(d defect) bool { return !d.always })
	}
	for _, d := range tried {
		t.Run(d.name, func(t *testing.T) {
			binary, err := build(t, append(steady(t), d.patches...)...)
			if err != nil {
				t.Fatal(err)
			}
			found, by := uint64(0), ""
			presses, readings, lived := 0, 0, 0
			live(t, binary, 1, maxSeeds, runtime.NumCPU(), func(r Result) bool {
				presses, readings, lived = presses+r.Presses, readings+r.Readings, lived+1
				if len(r.Violations) > 0 && found == 0 {
					found, by = r.Seed, r.Violations[0]
				}
				return found == 0
			})
			line := report.Line{Part: "planted defect", Fault: d.name, Runs: lived, Presses: presses, Readings: readings}
			if found == 0 {
				line.Violations = 1
				t.Errorf("not found in %d seeds", maxSeeds)
			} else {
				line.Note = fmt.Sprintf("found at seed %d", found)
				t.Logf("found at seed %d: %s", found, by)
			}
			if err := report.Add(line); err != nil {
				t.Error(err)
			}
		})
	}
}
