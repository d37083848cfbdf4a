// Package report gathers what the long tests did: each adds lines of its own
// to one file, of which `make torture` makes one table.
package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Env names the environment variable that holds the file's path. Without it
// nothing is written.
const Env = "LYKTA_REPORT"

// Line is one kind of fault and what came of it. Counts are sums over Runs.
type Line struct {
	// Part is what was put to the test: "simulation", "kill -9", "power cut",
	// "network", "disk", "planted defect".
	Part  string `json:"part"`
	Fault string `json:"fault"`
	// Runs counts faults of this kind that were injected, or seeds in which
	// it was at work.
	Runs       int `json:"runs"`
	Presses    int `json:"presses"`
	Readings   int `json:"readings"`
	Violations int `json:"violations"`
	// Note says what the counts do not, such as at which seed a planted
	// defect was found.
	Note string `json:"note,omitempty"`
	// Replay are the commands that repeat what failed.
	Replay []string `json:"replay,omitempty"`
}

// Add appends a line. Lines of several processes do not mix.
func Add(l Line) error {
	path := os.Getenv(Env)
	if path == "" {
		return nil
	}
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Read returns the lines of a file, with those of the same part and fault
// added up; none when there is no file.
func Read(path string) ([]Line, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	defer f.Close()
	var out []Line
	at := map[[2]string]int{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var l Line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("report: line %q: %w", s.Text(), err)
		}
		key := [2]string{l.Part, l.Fault}
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, l)
			continue
		}
		have := &out[i]
		have.Runs, have.Presses, have.Readings = have.Runs+l.Runs, have.Presses+l.Presses, have.Readings+l.Readings
		have.Violations += l.Violations
		have.Replay = append(have.Replay, l.Replay...)
		if l.Note != "" {
			have.Note = l.Note
		}
	}
	return out, nil
}
