// Package redistest runs a real Redis for tests, from Debian's package: on a socket in
// a temporary folder, keeping nothing on disk, gone when the tests end, however they end.
// It knows nothing of what is kept there.
package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ErrNotInstalled says how to get what is missing.
var ErrNotInstalled = errors.New("redis-server is missing: sudo apt-get install redis-server")

// A Server is one running Redis. Its methods are not for concurrent use.
type Server struct {
	folder string
	guard  *exec.Cmd
	alive  io.Closer // the guard's standard input
}

// Start starts a Redis that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Redis")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal(ErrNotInstalled)
	}
	folder, err := os.MkdirTemp("/tmp", "guestpass-redis-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{folder: folder}
	s.Restart(t)
	t.Cleanup(s.Stop)
	return s
}

// URL is for GUESTPASS_REDIS_URL.
func (s *Server) URL() string { return "unix://" + s.socket() }

func (s *Server) socket() string { return filepath.Join(s.folder, "redis.sock") }

// guardScript stops the server and cleans up when its input ends: because
// [Server.Stop] closes it, or because the test program was killed and can do nothing.
const guardScript = `redis-server --port 0 --unixsocket "$0/redis.sock" --save "" --appendonly no --dir "$0" \
	>"$0/log" 2>&1 &
cat; kill -9 $!; wait; rm -rf "$0"`

// Restart starts the server after [Server.Stop], empty, and returns when it answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	// #nosec G204 -- the folder is an argument of the script, not text of it
	s.guard = exec.Command("sh", "-c", guardScript, s.folder)
	s.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is not for it
	var err error
	if s.alive, err = s.guard.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.guard.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if err = s.ping(); err == nil {
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
			s.Stop()
			t.Fatalf("redis-server: %v: %s", err, log)
		}
	}
}

func (s *Server) ping() error {
	connection, err := net.DialTimeout("unix", s.socket(), time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(connection, "PING\r\n"); err != nil {
		return err
	}
	reply, err := bufio.NewReader(connection).ReadString('\n')
	if err == nil && strings.TrimSpace(reply) != "+PONG" {
		err = fmt.Errorf("it answers %q", reply)
	}
	return err
}

// Stop ends the server as a crash would. What it held is lost.
func (s *Server) Stop() {
	_ = s.alive.Close()
	_ = s.guard.Wait()
}
