package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server in a process of its own.
type process struct {
	cmd  *exec.Cmd
	done chan error
}

// start starts a server and waits until it takes connections at an address.
func start(ctx context.Context, at string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), done: make(chan error, 1)}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-p.done:
			p.done <- err
			return nil, fmt.Errorf("%s ended: %w", filepath.Base(name), errors.Join(err, io.ErrUnexpectedEOF))
		default:
		}
		if conn, err := net.DialTimeout("tcp", at, time.Second); err == nil {
			return p, conn.Close()
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen on %s", filepath.Base(name), at)
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.done:
		p.done <- err
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		p.done <- <-p.done
	}
}

// tick is the kernel's unit of processor time (USER_HZ, 100 on all Linux).
const tick = 10 * time.Millisecond

// used returns the processor time that the process has had, and the memory that
// it has, in bytes: proc_pid_stat(5), fields 14, 15 and 24.
func (p *process) used() (time.Duration, int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	_, after, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(after)
	if !ok || len(f) < 22 {
		return 0, 0, fmt.Errorf("/proc/%d/stat is another than expected", p.cmd.Process.Pid)
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	pages, err3 := strconv.ParseInt(f[21], 10, 64)
	return time.Duration(user+system) * tick, pages * int64(os.Getpagesize()), errors.Join(err1, err2, err3)
}

// freePort is a port that nobody has now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
