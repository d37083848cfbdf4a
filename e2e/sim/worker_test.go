package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
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
		runtime.GC()                                              // now, as none is made while a seed lives
		alone := time.AfterFunc(2*longest, func() { os.Exit(3) }) // who started this is gone
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

// longest is how long the life of one seed may take on a slow machine.
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

// live lives one seed. A worker that dies of it says why.
func (w *worker) live(seed uint64) (r Result, err error) {
	slow := time.AfterFunc(longest, func() { _ = w.cmd.Process.Signal(syscall.SIGQUIT) }) // says where it stands; gone already is as good
	defer slow.Stop()
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
	said := strings.TrimSpace(w.said.String())
	return said[max(0, len(said)-4000):]
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
