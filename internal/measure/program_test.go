package measure_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A program is a server that is measured. It runs on the first processor; make runs the clients, and the emulator with
// them, on the second.
type program struct {
	name string
	url  string
	pgid int
	kill func()
	log  string // a file: reading a pipe would be work for the clients' processor
}

// start has the program listen on a free port, which command and environ name as PORT, and waits until the path is
// answered with 200.
func start(b *testing.B, name, folder string, command, environ []string, ready string) *program {
	b.Helper()
	port := freePort(b)
	place := func(words []string) (placed []string) {
		for _, word := range words {
			placed = append(placed, strings.ReplaceAll(word, "{port}", port))
		}
		return placed
	}
	command = append(onProcessors("0"), place(command)...)
	p := &program{name: name, url: "http://127.0.0.1:" + port, log: filepath.Join(b.TempDir(), "log")}
	log, err := os.Create(p.log)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	process := exec.Command(command[0], command[1:]...)
	process.Dir, process.Env = folder, append(os.Environ(), place(environ)...)
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	p.pgid = process.Process.Pid
	p.kill = sync.OnceFunc(func() { _ = syscall.Kill(-p.pgid, syscall.SIGKILL); _ = process.Wait() })
	b.Cleanup(p.kill)
	p.await(b, ready)
	return p
}

// onProcessors is the beginning of a command that is to run on those.
func onProcessors(which string) []string { return []string{"taskset", "--cpu-list", which} }

func freePort(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// await asks until the server answers.
func (p *program) await(b *testing.B, path string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for {
		if response, err := http.Get(p.url + path); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			b.Fatalf("%s does not answer: %s", p.name, p.said())
		}
	}
}

// said is the end of its log.
func (p *program) said() string {
	text, _ := os.ReadFile(p.log)
	return string(text[max(0, len(text)-1000):])
}

// ticks a second, of /proc: what USER_HZ is on every Linux that Go runs on.
const ticks = 100

// spent is how much time of processors the program and its children have taken.
func (p *program) spent() (spent time.Duration) {
	for _, fields := range p.processes() {
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		spent += time.Duration(user+system) * time.Second / ticks
	}
	return spent
}

// memory is how much of it is resident, in MiB.
func (p *program) memory() (resident int) {
	for _, fields := range p.processes() {
		pages, _ := strconv.Atoi(fields[21])
		resident += pages * os.Getpagesize() >> 20
	}
	return resident
}

// processes returns, for each process of the program, what /proc/PID/stat has behind its name.
func (p *program) processes() (all [][]string) {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if group, _ := strconv.Atoi(fields[2]); group == p.pgid {
			all = append(all, fields)
		}
	}
	return all
}

// build makes a program of this module.
func build(b *testing.B, of, name string, flags ...string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	command := append(append(onProcessors("0-1"), "go", "build", "-trimpath", "-o", path), append(flags, of)...)
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		b.Fatal(fmt.Errorf("build %s: %w: %s", name, err, out))
	}
	return path
}
