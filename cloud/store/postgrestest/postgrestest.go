// Package postgrestest runs a real PostgreSQL for tests, on loopback, in a
// folder of its own, gone with the test.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Server is a running PostgreSQL.
type Server struct {
	port int
	made atomic.Int64 // databases
	stop func() error
}

// Start runs a server for one test and returns the address of an empty
// database on it. Without PostgreSQL on the machine the test fails, and says
// how to install it; with LYKTA_NO_POSTGRES=1 it is skipped.
func Start(t testing.TB) string {
	t.Helper()
	unlessWithout(t)
	s, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s.address(s.database(t, ""))
}

// Shared is a server for all tests of a package, each with a database of its
// own: it takes seconds to make one. It runs from when it is first asked for
// until Stop, which TestMain calls.
type Shared struct {
	once   sync.Once
	server *Server
	err    error

	filling sync.Once
	filled  string // the database that Copy copies
}

// Database makes an empty database and returns its address.
func (s *Shared) Database(t testing.TB) string {
	t.Helper()
	s.start(t)
	return s.server.address(s.server.database(t, ""))
}

// Copy makes a copy of a database that fill has filled, once for all tests, and
// returns its address. fill leaves no connection open; it is the same for every caller.
func (s *Shared) Copy(t testing.TB, fill func(ctx context.Context, address string) error) string {
	t.Helper()
	s.start(t)
	s.filling.Do(func() {
		name := s.server.database(t, "")
		if err := fill(t.Context(), s.server.address(name)); err != nil {
			t.Fatal(err)
		}
		s.filled = name
	})
	if s.filled == "" {
		t.Fatal("there is no database to copy: another test has failed to make it")
	}
	return s.server.address(s.server.database(t, s.filled))
}

func (s *Shared) start(t testing.TB) {
	t.Helper()
	unlessWithout(t)
	s.once.Do(func() { s.server, s.err = begin() })
	if s.err != nil {
		t.Fatal(s.err)
	}
}

// Stop ends the server, if it runs.
func (s *Shared) Stop() error {
	if s.server == nil {
		return nil
	}
	return s.server.stop()
}

func unlessWithout(t testing.TB) {
	t.Helper()
	if os.Getenv("LYKTA_NO_POSTGRES") == "1" {
		t.Skip("LYKTA_NO_POSTGRES=1: not tested on PostgreSQL")
	}
}

// begin makes the server's folder and runs it.
func begin() (s *Server, err error) {
	initdb, err := binary("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := binary("postgres")
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// Not a test's folder: the server's user must be able to reach it.
	dir, err := os.MkdirTemp("", "lykta-postgres-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	initialise := exec.Command(initdb, "--pgdata", data, "--username=lykta", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initialise.Dir, initialise.SysProcAttr = dir, attributes(as)
	if out, err := initialise.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	for try := 1; ; try++ { // a port that was free may be taken by the time it is used
		s, err := run(postgres, dir, data, as)
		if err == nil || try == 3 {
			return s, err
		}
	}
}

// run starts the server on a port that is free now.
func run(postgres, dir, data string, as *syscall.Credential) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(postgres, "-D", data, "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=16MB")
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = dir, log, log, attributes(as)

	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The server ends with the thread that started it, should the test be
		// killed: so the thread stays, and does nothing else.
		runtime.LockOSThread()
		started <- cmd.Start()
		ended <- cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s := &Server{port: port}
	if err := s.ready(ended); err != nil {
		_ = cmd.Process.Kill() // it may have ended by itself
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	s.stop = func() error {
		err := cmd.Process.Signal(syscall.SIGINT) // "fast shutdown"
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			err = errors.Join(err, errors.New("PostgreSQL does not stop, and was killed"), cmd.Process.Kill())
			<-ended
		}
		return errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// ready waits until the server lets somebody in.
func (s *Server) ready(ended <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.address("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case end := <-ended:
			return fmt.Errorf("PostgreSQL ended: %v", end)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// database makes a database, as a copy of another where one is named, else
// empty, and returns its name.
func (s *Server) database(t testing.TB, from string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	name := fmt.Sprintf("lykta%d", s.made.Add(1))
	statement := "CREATE DATABASE " + name
	if from != "" {
		statement += " TEMPLATE " + from
	}
	for deadline := time.Now().Add(time.Minute); ; {
		_, err := conn.Exec(t.Context(), statement)
		// Who has filled the other has closed its connections: the server sees it a little later.
		var in *pgconn.PgError
		if errors.As(err, &in) && in.Code == inUse && time.Now().Before(deadline) {
			continue // it has waited for five seconds itself
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
}

// inUse is PostgreSQL's code for a database that cannot be copied because somebody is in it.
const inUse = "55006"

func (s *Server) address(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("lykta"), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path: database, RawQuery: "sslmode=disable",
	}).String()
}

// binary finds one of PostgreSQL's programs, the newest there is.
func binary(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // Debian keeps them out of PATH
	best, newest := "", -1
	for _, path := range found {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && version > newest {
			best, newest = path, version
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("find PostgreSQL's %s; install it (Debian: apt install postgresql; macOS: brew install postgresql), "+
			"or set LYKTA_NO_POSTGRES=1 to go without: %w", name, err)
	}
	return path, nil
}

// unprivileged returns whom to run PostgreSQL as: nil is as who we are, as it
// refuses to run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and this machine has no user postgres or nobody")
}
