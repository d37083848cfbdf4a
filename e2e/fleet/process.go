package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that the fleet started.
type process struct {
	name   string
	cmd    *exec.Cmd
	log    string // file of what it says
	exited chan struct{}
	err    error
}

// start starts a program that says what it has to say into a file, and ends
// when the fleet does.
func start(dir, name, program string, env []string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(program, args...), log: filepath.Join(dir, name+".log"), exited: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = log, log, append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.exited) }()
	return p, nil
}

// until waits until ok, the process has ended, or a time is over.
func (p *process) until(what string, bound time.Duration, ok func() bool) error {
	deadline := time.Now().Add(bound)
	for !ok() {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended: %w; it said: %s", p.name, p.err, p.said())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not in %v: %s; it said: %s", p.name, bound, what, p.said())
		}
	}
	return nil
}

func (p *process) said() string {
	text, err := os.ReadFile(p.log)
	return string(text[max(0, len(text)-2000):]) + errText(err)
}

func errText(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

// end sends a signal and waits for the end.
func (p *process) end(s syscall.Signal) error {
	if p == nil {
		return nil
	}
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(time.Minute):
		return errors.Join(fmt.Errorf("%s did not end in a minute", p.name), p.cmd.Process.Kill())
	}
}

// used is what a process has used so far.
type used struct {
	at     time.Time
	cpu    time.Duration // user and system
	waited time.Duration // of its threads, ready to run, for a processor
	memory int64         // resident now, bytes
	disk   int64         // bytes that it had written to storage
	wrote  int64         // bytes that it had written to anything, the network too
}

func (u used) since(before used) used {
	return used{at: u.at, cpu: u.cpu - before.cpu, waited: u.waited - before.waited, memory: u.memory - before.memory, disk: u.disk - before.disk, wrote: u.wrote - before.wrote}
}

// tick is the kernel's unit of processor time (USER_HZ, 100 on all Linux).
const tick = 10 * time.Millisecond

// usage reads what a process has used: proc_pid_stat(5), fields 14, 15 and 24,
// proc_pid_io(5), and of its threads the second figure of schedstat.
func usage(pid int) (used, error) {
	u := used{at: time.Now()}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	_, after, ok := strings.Cut(string(stat), ") ")
	f := strings.Fields(after)
	if !ok || len(f) < 22 {
		return u, fmt.Errorf("/proc/%d/stat is another than expected", pid)
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	pages, err3 := strconv.ParseInt(f[21], 10, 64)
	u.cpu, u.memory = time.Duration(user+system)*tick, pages*int64(os.Getpagesize())
	io, err4 := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for line := range strings.Lines(string(io)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "write_bytes":
			u.disk = n
		case "wchar":
			u.wrote = n
		}
	}
	threads, err5 := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, thread := range threads {
		if stat, err := os.ReadFile(thread); err == nil { // a thread may end meanwhile
			if f := strings.Fields(string(stat)); len(f) == 3 {
				ns, _ := strconv.ParseInt(f[1], 10, 64)
				u.waited += time.Duration(ns)
			}
		}
	}
	return u, errors.Join(err1, err2, err3, err4, err5)
}

func (p *process) usage() (used, error) { return usage(p.cmd.Process.Pid) }

// freeAddress is a loopback address that was free a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// size of all files in a folder, in bytes.
func folderSize(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}

// fsyncs is how many times a second the disk under a folder makes a page
// durable, one after the other: what bounds every commit. Of half a second.
func fsyncs(dir string) (float64, error) {
	f, err := os.CreateTemp(dir, "fsync-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page, n, began := make([]byte, 4096), 0, time.Now()
	for time.Since(began) < 500*time.Millisecond {
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
