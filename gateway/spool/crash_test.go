package spool

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func TestADamagedDatabaseIsSetAsideAndAlarmsCarriedOver(t *testing.T) {
	ctx := context.Background()
	for name, spoil := range map[string]func([]byte) []byte{
		"not a database": func([]byte) []byte { return []byte(strings.Repeat("garbage ", 2000)) },
		"one page lost": func(b []byte) []byte { // the last: a leaf of the telemetry that fills most pages
			copy(b[len(b)-4096:], make([]byte, 4096))
			return b
		},
		"empty": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, Options{Dir: dir})
			epoch := s.Lane(wire.Alarm).Epoch
			must(s.Append(ctx, press(1), press(2)))(t)
			for range 50 {
				es := make([]Entry, 100)
				for i := range es {
					es[i] = entry(devices.Motion, "m", 1, 5)
				}
				must(s.Append(ctx, es...))(t)
			}
			s.Close()
			path := filepath.Join(dir, file)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(data), 0o600); err != nil {
				t.Fatal(err)
			}
			s = open(t, Options{Dir: dir})
			if s.Lane(wire.Alarm).Epoch == epoch {
				t.Error("the epoch is still the old one")
			}
			if _, err := s.Append(ctx, press(3)); err != nil {
				t.Fatal(err)
			}
			kept, _ := filepath.Glob(path + ".corrupt-*")
			if name != "empty" && len(kept) == 0 {
				t.Error("the damaged file was not kept")
			}
			if name == "one page lost" {
				b := must(s.Next(ctx, wire.Alarm, 0, 10, 1<<20))(t)
				if len(b.Records) != 3 || *b.Records[0].Value != 1 || *b.Records[1].Value != 2 {
					t.Errorf("%d alarms after the damage, want the 2 from before and the new one", len(b.Records))
				}
				// Of the readings, each is there or counted as dropped.
				there, gone := 0, 0
				for after := uint64(0); ; {
					b := must(s.Next(ctx, wire.Telemetry, after, 1000, 1<<20))(t)
					if len(b.Records) == 0 {
						break
					}
					after = b.Last()
					for _, r := range b.Records {
						if r.Dropped != nil {
							gone += int(r.Dropped.Count)
						} else {
							there++
						}
					}
				}
				if there+gone != 5000 || there == 0 || gone == 0 {
					t.Errorf("%d readings are there and %d were reported as dropped, of 5000 of which a page was lost", there, gone)
				}
			}
		})
	}
}

func TestDamageFoundUnderWayDoesNotStopTheSpool(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	must(s.Append(ctx, press(1), press(2)))(t)
	old := s.Lane(wire.Alarm).Epoch
	damage := func() error { return s.call(ctx, func() error { return errDamaged }) }
	if err := damage(); !errors.Is(err, errDamaged) {
		t.Fatal(err)
	}
	if l := s.Lane(wire.Alarm); l.Epoch != old || l.Depth != 2 {
		t.Errorf("a database that is well at a second look was replaced: epoch %s, %d alarms", l.Epoch, l.Depth)
	}
	if err := damage(); !errors.Is(err, errDamaged) {
		t.Fatal(err)
	}
	must(s.Append(ctx, press(3)))(t)
	b := must(s.Next(ctx, wire.Alarm, 0, 10, 1<<20))(t)
	if b.Epoch == old || len(b.Records) != 3 || s.Lane(wire.Alarm).Last != 3 {
		t.Fatalf("%d alarms under epoch %s, want all 3 under a new one", len(b.Records), b.Epoch)
	}
}

// A process that is killed in the middle of whatever it does keeps every
// record whose Append had returned.
func TestKilledInTheMiddle(t *testing.T) {
	if dir := os.Getenv("LYKTA_SPOOL_TEST_CHILD"); dir != "" {
		s := open(t, Options{Dir: dir, MaxBytes: 1 << 20})
		for i := 1; ; i++ {
			if _, err := s.Append(context.Background(), press(float64(i)), entry(devices.Motion, "m", 1, 5)); err != nil {
				t.Fatal(err)
			}
			fmt.Println("stored", i)
		}
	}
	dir := t.TempDir()
	for round := range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledInTheMiddle$")
		child.Env = append(os.Environ(), "LYKTA_SPOOL_TEST_CHILD="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		before := uint64(0)
		if sum, err := Inspect(context.Background(), dir); err == nil {
			before = sum.Lanes[0].Last
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines, stored := bufio.NewScanner(out), uint64(0)
		for lines.Scan() {
			fmt.Sscanf(lines.Text(), "stored %d", &stored)
			if stored == uint64(20*(round+1)) {
				child.Process.Kill()
			}
		}
		child.Wait() // killed: its error says so
		s := open(t, Options{Dir: dir})
		l := s.Lane(wire.Alarm)
		if stored == 0 || l.Last < before+stored || l.Last > before+stored+1 || l.Depth != int(l.Last) {
			t.Errorf("round %d: lane ends at %d with %d records; %d were there, %d more were stored", round, l.Last, l.Depth, before, stored)
		}
		s.Close()
	}
}
