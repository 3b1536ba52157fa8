//go:build !production && linux

package cli

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const typedSecret = "Ty9xT7mW2pL5rN8sB4dF6hJ1"

func TestTheClientSecretComesFromWhereItIsNotSeen(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name   string
		source secretSource
		want   string
		fault  string // in the error
		note   string // on standard error
	}{
		{"a variable", secretSource{variable: "v"}, "v", "", ""},
		{"development", secretSource{standard: "d"}, "d", "", ""},
		{"the variable before development", secretSource{variable: "v", standard: "d"}, "v", "", ""},
		{"a file", secretSource{file: file("a", typedSecret, 0o600), variable: "v"}, typedSecret, "", ""},
		{"a file with a line end", secretSource{file: file("b", typedSecret+"\n", 0o400)}, typedSecret, "", ""},
		{"a file of Windows", secretSource{file: file("c", typedSecret+"\r\n", 0o600)}, typedSecret, "", ""},
		{"a file that others read", secretSource{file: file("d", typedSecret, 0o644)}, typedSecret, "", "chmod 600"},
		{"the standard input", secretSource{file: "-", stdin: strings.NewReader(typedSecret + "\n")}, typedSecret, "",
			""},
		{"an argument", secretSource{argument: "a", variable: "v"}, "a", "", "visible to everybody on this machine"},
		{"an argument and a file", secretSource{argument: "a", file: "-"}, "", "choose one", ""},
		{"an empty file", secretSource{file: file("e", "\n", 0o600)}, "", "has no client secret in it", ""},
		{"two lines", secretSource{file: file("f", typedSecret+"\nx\n", 0o600)}, "", "line ends", ""},
		{"quotes", secretSource{file: file("g", `"`+typedSecret+`"`, 0o600)}, "", "quotation marks", ""},
		{"a file without an end", secretSource{file: "/dev/zero"}, "", "longer than any client secret", ""},
		{"no file", secretSource{file: filepath.Join(folder, "none")}, "", "--client-secret-file", ""},
		{"nothing, and nobody to ask", secretSource{stdin: strings.NewReader("")}, "",
			"set GUESTPASS_TRY_CLIENT_SECRET", ""},
	} {
		var notes bytes.Buffer
		tt.source.notes = &notes
		got, err := tt.source.read(t.Context())
		switch {
		case got != tt.want, (err != nil) != (tt.fault != ""), err != nil && !strings.Contains(err.Error(), tt.fault):
			t.Errorf("%s: %q, %v", tt.name, got, err)
		case !strings.Contains(notes.String(), tt.note) || tt.note == "" && notes.Len() > 0:
			t.Errorf("%s: says %q", tt.name, &notes)
		case err != nil && strings.Contains(err.Error()+notes.String(), typedSecret):
			t.Errorf("%s: repeats the secret: %v, %s", tt.name, err, &notes)
		}
	}
}

func TestTheClientSecretLeavesTheArguments(t *testing.T) {
	for _, tt := range []struct{ args, fewer, secret string }{
		{"guestpass try --client-secret s --url u", "guestpass try --url u", "s"},
		{"guestpass try --client-secret=s=t --url u", "guestpass try --url u", "s=t"},
		{"guestpass try --url u --client-secret s", "guestpass try --url u", "s"},
		{"guestpass try --client-secret s --client-secret t", "guestpass try", "t"},
		{"guestpass try --url u --client-secret", "guestpass try --url u --client-secret", ""},
		{"guestpass try --client-secret-file s", "guestpass try --client-secret-file s", ""},
		{"guestpass try --call x -- --client-secret=s", "guestpass try --call x -- --client-secret=s", ""},
		{"guestpass serve --client-secret s", "guestpass serve --client-secret s", ""},
		{"guestpass", "guestpass", ""},
	} {
		fewer, more, moved := moveClientSecret(strings.Fields(tt.args), []string{"HOME=/"})
		last := variables(more)["GUESTPASS_TRY_CLIENT_SECRET"]
		if strings.Join(fewer, " ") != tt.fewer || last != tt.secret || moved != (tt.secret != "") ||
			more[0] != "HOME=/" {
			t.Errorf("%s: %q, %q, %t", tt.args, fewer, more, moved)
		}
	}
}

// silent accepts a connection, says that it has, and answers nothing.
func silent(t *testing.T) (address string, called chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	called = make(chan struct{})
	go func() {
		if connection, err := listener.Accept(); err == nil {
			defer connection.Close()
			close(called)
			_, _ = io.Copy(io.Discard, connection)
		}
	}()
	return "http://" + listener.Addr().String(), called
}

// What ps shows is /proc/PID/cmdline, which everybody can read; the environment, its owner alone.
func TestTheProcessListShowsNoSecret(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("no /proc here")
	}
	path := program(t)
	for _, args := range [][]string{{"--client-secret", typedSecret}, {"--client-secret=" + typedSecret}, {}} {
		address, called := silent(t)
		command := exec.Command(path, slices.Concat([]string{"try", "--url", address, "--client-id",
			"connected-app-live-1"}, args)...)
		command.Env = []string{"GUESTPASS_TRY_CLIENT_SECRET=" + typedSecret}
		var stderr bytes.Buffer
		command.Stderr = &stderr
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-called: // it is at work, past its arguments
		case <-time.After(time.Minute):
			t.Error("it never called")
		}
		process := fmt.Sprintf("/proc/%d/", command.Process.Pid)
		line, err := os.ReadFile(process + "cmdline")
		if err != nil || !strings.Contains(string(line), "--client-id") || strings.Contains(string(line), typedSecret) {
			t.Errorf("%q: the process list has %q, %v", args, line, err)
		}
		if info, err := os.Stat(process + "environ"); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others read the environment: %v, %v", info, err)
		}
		_ = command.Process.Kill()
		_ = command.Wait()
		if warned := strings.Contains(stderr.String(), "visible to everybody"); warned != (len(args) > 0) ||
			strings.Contains(stderr.String(), typedSecret) {
			t.Errorf("%q: %s", args, &stderr)
		}
	}
}

// terminal is both ends of one: what a person types into and sees, and what a program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { person.Close() })
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

func TestTheTerminalDoesNotShowTheSecret(t *testing.T) {
	person, console := terminal(t)
	type answer struct {
		secret string
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		secret, err := secretSource{stdin: console, notes: console}.read(t.Context())
		answered <- answer{secret, err}
	}()
	seen := make([]byte, 0, 1000)
	read := func(until string) {
		for !strings.Contains(string(seen), until) {
			part := make([]byte, 100)
			n, err := person.Read(part)
			if err != nil {
				t.Fatalf("%v after %q", err, seen)
			}
			seen = append(seen, part[:n]...)
		}
	}
	read("not shown): ")
	// the prompt comes before the terminal is told to show nothing
	for {
		state, err := unix.IoctlGetTermios(int(console.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if state.Lflag&unix.ECHO == 0 {
			break
		}
	}
	if _, err := person.WriteString(typedSecret + "\n"); err != nil {
		t.Fatal(err)
	}
	got := <-answered
	if _, err := console.WriteString("the end"); err != nil {
		t.Fatal(err)
	}
	read("the end")
	if got.err != nil || got.secret != typedSecret || strings.Contains(string(seen), typedSecret[:4]) {
		t.Errorf("%q, %v; the terminal shows %q", got.secret, got.err, seen)
	}
}
