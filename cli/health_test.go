//go:build !production

package cli

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// served runs guestpass serve on an address that the system chooses, until the test ends, and returns the settings with
// which the same server is asked.
func served(t *testing.T, change ...string) []string {
	t.Helper()
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	environ := append(forStytch(stytch, seed, "GUESTPASS_STOP_GRACE=0s",
		"GUESTPASS_DATABASE_URL=sqlite:"+filepath.Join(t.TempDir(), "guestpass.db")), change...)
	ctx, stop := context.WithCancel(t.Context())
	log, done := newFollower(), make(chan int, 1)
	go func() {
		code := run(ctx, []string{"serve", "--addr", "127.0.0.1:0"}, environ, io.Discard, log)
		close(log.ended)
		done <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != 0 {
			t.Errorf("exit code %d: %s", code, log)
		}
	})
	_, port, err := net.SplitHostPort(log.wait(t, `"addr":"([^"]+)"`)[1])
	if err != nil {
		t.Fatal(err)
	}
	return append(environ, "GUESTPASS_ADDR=:"+port)
}

// TestHealthSaysWhetherTheServerIsReady: by exit code, and of what is not ready which part.
func TestHealthSaysWhetherTheServerIsReady(t *testing.T) {
	files, _ := certified(t)
	secured := []string{"GUESTPASS_PUBLIC_URL=https://example.com", "GUESTPASS_ALLOW_TEST_PROJECT=yes",
		"GUESTPASS_TLS=" + files}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "GUESTPASS_ADDR=" + free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	over := exec.Command(os.Args[0], "-test.run", "^$")
	if err := over.Run(); err != nil {
		t.Fatal(err)
	}
	ofNone := strconv.Itoa(over.Process.Pid)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // as a server that is still starting
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, tt := range []struct {
		name    string
		environ []string
		args    string
		code    int
		want    string
	}{
		{"ready", served(t), "--wait 1m", 0, ""},
		{"with TLS", served(t, secured...), "--wait 1m", 0, ""},
		{"credentials refused", served(t, "STYTCH_SECRET=secret-test-of-nobody"), "", 1,
			"directory is credentials refused"},
		{"in the end", served(t, "STYTCH_SECRET=secret-test-of-nobody"), "--wait 300ms", 1, "not ready: "},
		{"without a server", []string{nobody}, "", 1, "nobody answers"},
		{"a port that nobody knows", []string{"GUESTPASS_ADDR=localhost:0"}, "", 2, "GUESTPASS_ADDR leaves the port"},
		{"TLS for no name", []string{nobody, "GUESTPASS_TLS=auto"}, "", 2, "GUESTPASS_PUBLIC_URL is needed"},
		{"whose server has ended", []string{nobody}, "--wait 10m --pid " + ofNone, 1, ofNone + ", has ended"},
		{"while a process is there", []string{nobody}, "--wait 300ms --pid " + strconv.Itoa(os.Getpid()), 1,
			"nobody answers"},
		{"whose server has ended, at once", []string{nobody}, "--pid " + ofNone, 1, ofNone + ", has ended"},
		{"whose server has ended while another answers", served(t), "--pid " + ofNone, 1, ofNone + ", has ended"},
		{"whose server is the one that answers", served(t), "--pid " + strconv.Itoa(os.Getpid()), 0, ""},
		{"while another server answers", served(t), "--wait 300ms --pid " + strconv.Itoa(os.Getppid()), 1,
			"is another process"},
		{"of a server that is silent", []string{"GUESTPASS_ADDR=" + silent.Addr().String()}, "--wait 300ms", 1,
			"/readyz does not answer in time"},
		{"no process", []string{nobody}, "--pid -1", 2, "--pid is -1"},
		{"no process either", []string{nobody}, "--pid 0", 2, "--pid is 0"},
		{"more than a process can have", []string{nobody}, "--pid 4294967297", 2, "--pid is 4294967297"},
		{"too long", []string{nobody}, "--wait 1h", 2, "--wait is 1h0m0s: it must be from 0s to 10m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := execute(t, tt.environ, append([]string{"health"}, strings.Fields(tt.args)...)...)
			if code != tt.code || !strings.Contains(stderr, tt.want) || tt.want == "" && stdout+stderr != "" {
				t.Errorf("exit code %d: %s%s", code, stdout, stderr)
			}
		})
	}
}
