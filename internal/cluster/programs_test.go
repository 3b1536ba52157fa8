package cluster_test

import (
	"bufio"
	"bytes"
	"fmt"
	"guestpass/internal/postgrestest"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A logBuffer is a log that many goroutines write.
type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A program runs beside the tests and ends with them, however they end.
type program struct {
	name  string
	pid   int
	guard *exec.Cmd
	alive io.Closer // the guard's standard input
	log   *logBuffer
	ended chan struct{}
}

// guardOfProgram says which process the program is, kills it when its own input ends, and ends when the program does.
const guardOfProgram = `exec 9<&0; "$@" </dev/null >&2 9<&- & program=$!; echo $program
(cat <&9 >/dev/null 2>&1; kill -9 $program) >/dev/null 2>&1 & wait $program`

// startProgram starts it as the user, if one is named, with the files from number 3 on.
func startProgram(t testing.TB, as *syscall.Credential, command, environ []string, files ...*os.File) *program {
	t.Helper()
	p := &program{name: filepath.Base(command[0]), log: new(logBuffer), ended: make(chan struct{})}
	p.guard = exec.Command("sh", append([]string{"-c", guardOfProgram, "guard"}, command...)...)
	p.guard.Env, p.guard.Stderr, p.guard.ExtraFiles, p.guard.Dir = environ, p.log, files, "/"
	p.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as} // an interrupt is not for it
	var err error
	p.alive, err = p.guard.StdinPipe()
	must(t, err)
	said, err := p.guard.StdoutPipe()
	must(t, err)
	must(t, p.guard.Start())
	line, err := bufio.NewReader(said).ReadString('\n')
	must(t, err)
	p.pid, err = strconv.Atoi(strings.TrimSpace(line))
	must(t, err)
	go func() {
		_ = p.guard.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *program) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	must(t, syscall.Kill(p.pid, s))
}

// kill ends it as a crash would, and waits.
func (p *program) kill() {
	_ = p.alive.Close()
	<-p.ended
}

// running reports whether it has not ended by itself.
func (p *program) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// says waits for a line of the program's and returns what the pattern finds in it; nil if it ends before.
func (p *program) says(t testing.TB, pattern *regexp.Regexp) (found []string) {
	t.Helper()
	eventually(t, p.name+" says "+pattern.String(), func() error {
		running := p.running()
		if found = pattern.FindStringSubmatch(p.log.String()); found == nil && running {
			return fmt.Errorf("it says %s", p.log)
		}
		return nil
	})
	return found
}

// find returns where a program is that administrators alone have in their path.
func find(t testing.TB, name string) string {
	t.Helper()
	for _, path := range []string{"/usr/sbin/" + name, name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("%s is missing: sudo apt-get install %[1]s", name)
	return ""
}

// newFolder returns one that the programs' user owns.
func newFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp(root, "")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	must(t, os.Chmod(folder, 0o711)) // #nosec G302 -- others connect to the sockets in it
	if owner := postgrestest.Unprivileged(); owner != nil {
		must(t, os.Chown(folder, int(owner.Uid), int(owner.Gid)))
	}
	return folder
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience is how long anything may take that happens sooner or later.
const patience = 40 * time.Second

// eventually waits until f has no error.
func eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	if err := within(patience, f); err != nil {
		t.Fatalf("%s: not within %s: %v", what, patience, err)
	}
}

// within returns the last error of f if there is one to the end of the time.
func within(limit time.Duration, f func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		err := f()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// pause lets a fault last, or the load go on.
func pause(d time.Duration) { <-time.After(d) }
