package sim

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

const (
	workerEnv  = "LYKTA_SIM_WORKER"
	journalEnv = "LYKTA_JOURNAL" // when set, the journals of all seeds are kept
)

// TestWorker is a process of its own that lives the seeds on its standard
// input, and tells of each on its fourth file.
func TestWorker(t *testing.T) {
	if os.Getenv(workerEnv) == "" {
		t.Skip("is started by other tests")
	}
	lab, err := NewLab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	results := json.NewEncoder(os.NewFile(3, "results"))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		seed, err := strconv.ParseUint(in.Text(), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()                                               // now, as none is made while a seed lives
		alone := time.AfterFunc(10*longest, func() { os.Exit(3) }) // who started this is gone
		cryptotest.SetGlobalRandom(t, seed)
		var r Result
		synctest.Test(t, func(t *testing.T) {
			if r, err = lab.Live(seed); err != nil {
				t.Fatal(err)
			}
		})
		alone.Stop()
		if len(r.Violations) == 0 && os.Getenv(journalEnv) == "" {
			r.Journal = "" // nobody reads it
		}
		if err := results.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
}

// longest is how much of a processor's time the life of one seed may take, on a
// slow machine; most take a second or two. On a busy machine it waits its turn,
// which says nothing of it: only one that stands still for so long is ended, too.
const longest = 3 * time.Minute

// worker is a process that lives one seed after the other.
type worker struct {
	cmd  *exec.Cmd
	in   *os.File
	out  *bufio.Reader
	said bytes.Buffer
}

func startWorker(binary string) (*worker, error) {
	w := &worker{cmd: exec.Command(binary, "-test.run=^TestWorker$", "-test.timeout=0")}
	// One thread runs all goroutines, one after the other, and no collection of
	// garbage changes their order.
	w.cmd.Env = append(os.Environ(), workerEnv+"=1", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1", "GOGC=off", "GOMEMLIMIT=6GiB")
	w.cmd.Stdout, w.cmd.Stderr = &w.said, &w.said
	seeds, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, results, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	w.cmd.Stdin, w.cmd.ExtraFiles, w.in, w.out = seeds, []*os.File{results}, in, bufio.NewReader(out)
	err = w.cmd.Start()
	seeds.Close()
	results.Close()
	return w, err
}

// watch ends a worker that spends too much on one life, or that stands still,
// in a way in which it says where. Gone already is as good.
func (w *worker) watch(lived chan struct{}) {
	look := time.NewTicker(longest / 6)
	defer look.Stop()
	began := w.spent()
	last, moved := began, time.Now()
	for {
		select {
		case <-lived:
			return
		case <-look.C:
		}
		if now := w.spent(); now != last {
			last, moved = now, time.Now()
		}
		if last-began > longest || time.Since(moved) > longest {
			_ = w.cmd.Process.Signal(syscall.SIGQUIT)
			return
		}
	}
}

// spent is how much of a processor's time the worker has had, to a hundredth
// of a second (proc_pid_stat(5): utime and stime); 0 when it is gone.
func (w *worker) spent() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(data), ") ") // behind the name
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// live lives one seed. A worker that dies of it says why.
func (w *worker) live(seed uint64) (r Result, err error) {
	lived := make(chan struct{})
	defer close(lived)
	go w.watch(lived)
	if _, err := fmt.Fprintln(w.in, seed); err != nil {
		return r, fmt.Errorf("%w\n%s", err, w.end())
	}
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		return r, fmt.Errorf("the worker died\n%s", w.end())
	}
	return r, json.Unmarshal(line, &r)
}

// end ends the process and returns the last of what it said.
func (w *worker) end() string {
	w.in.Close()
	_ = w.cmd.Wait() // how it ended is in what it said
	return brief(w.said.String())
}

// brief is what matters of what a process said as it died: how it began, with
// the goroutine that ran, and what most of the others are. One that does
// nothing but begin new ones says hundreds of megabytes.
func brief(said string) string {
	const most = 4000
	said = strings.TrimSpace(said)
	if len(said) <= most {
		return said
	}
	started := map[string]int{}
	for line := range strings.Lines(said) {
		if by, ok := strings.CutPrefix(line, "created by "); ok {
			by, _, _ = strings.Cut(strings.TrimSpace(by), " in goroutine ")
			started[by]++
		}
	}
	by := slices.SortedFunc(maps.Keys(started), func(a, b string) int { return cmp.Or(started[b]-started[a], cmp.Compare(a, b)) })
	var b strings.Builder
	b.WriteString(said[:most] + "\n…\ngoroutines by who began them:\n")
	for _, who := range by[:min(len(by), 10)] {
		fmt.Fprintf(&b, "%8d %s\n", started[who], who)
	}
	return b.String()
}

// live lives n seeds in as many processes, until handle, which is called by
// one goroutine at a time, returns false.
func live(t testing.TB, binary string, from uint64, n, processes int, handle func(Result) bool) {
	t.Helper()
	var (
		mu   sync.Mutex
		next = from
		stop bool
		wait sync.WaitGroup
	)
	take := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		if stop || next >= from+uint64(n) {
			return 0, false
		}
		next++
		return next - 1, true
	}
	for range processes {
		wait.Go(func() {
			var w *worker
			defer func() {
				if w != nil {
					w.end()
				}
			}()
			for {
				seed, ok := take()
				if !ok {
					return
				}
				var err error
				if w == nil {
					if w, err = startWorker(binary); err != nil {
						t.Error(err)
						return
					}
				}
				r, err := w.live(seed)
				if err != nil {
					// A life goes the same way every time. What ends another life of the
					// same seed well was the process, not the life: it is told, no more.
					first := err
					if w, err = startWorker(binary); err == nil {
						if r, err = w.live(seed); err == nil {
							t.Logf("seed %d had to be lived twice: %v", seed, first)
						}
					}
					if err != nil {
						r, w = Result{Seed: seed, Violations: []string{err.Error()}}, nil
					}
				}
				mu.Lock()
				stop = !handle(r) || stop
				mu.Unlock()
			}
		})
	}
	wait.Wait()
}
