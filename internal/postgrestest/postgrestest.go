// Package postgrestest runs a real PostgreSQL for tests, from Debian's package: as a
// user without rights, on a socket in a temporary folder, gone when the tests end,
// however they end.
// It knows nothing of what is kept there.
package postgrestest

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
)

// ErrNotInstalled says how to get what is missing.
var ErrNotInstalled = errors.New("PostgreSQL is missing: sudo apt-get install postgresql")

// A Server is one running PostgreSQL. Its methods are not for concurrent use, but for
// Database.
type Server struct {
	bin, folder string
	databases   atomic.Int64
	guard       *exec.Cmd
	alive       io.Closer // the guard's standard input
}

// Start makes a new cluster and starts it. fsync is on, as in production.
func Start() (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("/tmp", "guestpass-postgres-") // a socket's path must be short
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, folder: folder}
	if owner := Unprivileged(); owner != nil {
		if err := os.Chown(folder, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	if err := s.startGuard(); err != nil {
		return nil, err
	}
	err = s.run("initdb", "--pgdata", s.data(), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
		"--locale", "C.UTF-8", "--no-sync")
	if err == nil {
		err = s.Restart()
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// startGuard starts the process that cleans up when its input ends: because [Server.Stop]
// closes it, or because the test program was killed and can do nothing itself.
func (s *Server) startGuard() (err error) {
	s.guard = exec.Command("sh", "-c", `cat; "$0" --pgdata "$1/data" --wait stop --mode immediate; rm -rf "$1"`,
		filepath.Join(s.bin, "pg_ctl"), s.folder) // #nosec G204 -- both are arguments of the script, not text of it
	s.guard.Dir = "/"
	s.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: Unprivileged()} // an interrupt is not for it
	if s.alive, err = s.guard.StdinPipe(); err != nil {
		return err
	}
	return s.guard.Start()
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// Restart starts the server after [Server.Kill], and returns when it answers.
func (s *Server) Restart() error {
	return s.run("pg_ctl", "--pgdata", s.data(), "--wait", "--log", filepath.Join(s.folder, "log"), "start",
		"--options", "-k "+s.folder+" -c listen_addresses= -c max_connections=200 -c shared_buffers=64MB")
}

// Kill stops the server as a crash would.
func (s *Server) Kill() error {
	return s.run("pg_ctl", "--pgdata", s.data(), "--wait", "stop", "--mode", "immediate")
}

// Stop ends the server and removes all it has kept.
func (s *Server) Stop() error {
	_ = s.alive.Close()
	return s.guard.Wait()
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.FormatInt(s.databases.Add(1), 10)
	admin, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return s.url(name)
}

// Program returns the path of one of PostgreSQL's programs.
func Program(t testing.TB, name string) string {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(bin, name)
}

func (s *Server) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database,
		RawQuery: url.Values{"host": {s.folder}, "sslmode": {"disable"}}.Encode()}).String()
}

func (s *Server) run(program string, args ...string) error {
	command := exec.Command(filepath.Join(s.bin, program), args...) // #nosec G204 -- programs of PostgreSQL, for tests
	command.Dir = s.folder
	if owner := Unprivileged(); owner != nil {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	}
	log := filepath.Join(s.folder, program+".out")
	out, err := os.Create(log) // #nosec G304 -- in the folder of this server
	if err != nil {
		return err
	}
	defer out.Close()
	command.Stdout, command.Stderr = out, out // a file: the server inherits it and would keep a pipe open
	if err := command.Run(); err != nil {
		text, _ := os.ReadFile(log) // #nosec G304 -- in the folder of this server
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// Unprivileged returns whom programs run as that refuse root, as PostgreSQL does, if root runs the tests; else nil.
func Unprivileged() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // only the pattern can be wrong
	if len(found) == 0 {
		path, err := exec.LookPath("initdb")
		if err != nil {
			return "", ErrNotInstalled
		}
		return filepath.Dir(path), nil
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1]), nil
}

func version(path string) int {
	number, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return number
}

var shared struct {
	mu     sync.Mutex // guards the rest
	server *Server
	err    error
}

// Shared returns the server of this test program, started by whoever asks first. It ends with the program: a test that
// stopped it would stop it for those beside it.
func Shared(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Postgres")
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil && shared.err == nil {
		start := time.Now()
		shared.server, shared.err = Start()
		t.Logf("PostgreSQL started in %s", time.Since(start).Round(time.Millisecond))
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}
