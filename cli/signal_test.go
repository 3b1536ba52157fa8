//go:build !production && unix

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOneSignalEndsWhatOnlyComputes: the process does not catch the signal, whatever it is doing. It
// waits here for the rest of a document.
func TestOneSignalEndsWhatOnlyComputes(t *testing.T) {
	program := program(t)
	for _, tt := range []struct {
		name   string
		signal syscall.Signal
		args   []string
	}{
		{"SIGTERM", syscall.SIGTERM, []string{"lint"}},
		{"Ctrl-C", syscall.SIGINT, []string{"lint", "--json"}},
		{"SIGTERM of a comparison", syscall.SIGTERM, []string{"openapi", "--check"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command := exec.Command(program, append(tt.args, "/dev/stdin")...)
			writer, err := command.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
			defer late.Stop()
			// more than a pipe holds: the program reads
			if _, err := writer.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
				t.Fatal(err)
			}
			if err := command.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			_ = command.Wait()
			if status := command.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() ||
				status.Signal() != tt.signal {
				t.Errorf("it ended otherwise: %v", command.ProcessState)
			}
		})
	}
}

// TestOneSignalEndsTheReadingOfSettings: the pipe has a writer that does not end.
func TestOneSignalEndsTheReadingOfSettings(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "settings")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program(t), "config", "--env-file", pipe)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	defer late.Stop()
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // which waits for the program to read
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != 1 ||
		!strings.Contains(stderr.String(), "settings is not read to its end: context canceled") {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}

// TestWhatHasToBeCleanedUpWaits: these commands get a context that ends with the first signal.
func TestWhatHasToBeCleanedUpWaits(t *testing.T) {
	for args, want := range map[string]bool{"lint x": true, "lint --json x": true, "lint https://x.example/mcp": false,
		"lint --sign-in https://x.example/mcp": false, "openapi": true, "gpt --json": true,
		"serve": false, "dev": false, "stytch": false, "try": false, "backup x": false, "migrate up": false,
		"restore x": false, "migrate down-to 6": false, "person export": false, "person erase": false,
		"audit verify": false, "": false, "nothing": false} {
		if got := onlyComputes(strings.Fields(args), nil); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}
