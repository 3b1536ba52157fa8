package packaged_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"guestpass/stytchtest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(programFolder)
	os.Exit(code)
}

// programFolder holds the program that build has made; TestMain removes it.
var programFolder string

var build = sync.OnceValues(func() (path string, err error) {
	if programFolder, err = os.MkdirTemp("", "guestpass-packaged-"); err != nil {
		return "", err
	}
	path = filepath.Join(programFolder, "guestpass")
	command := exec.Command("go", "build", "-trimpath", "-tags", "production", "-o", path, "./cmd/guestpass")
	command.Dir = root
	if text, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, text)
	}
	return path, nil
})

// program returns the path of the program that servers are given.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs other programs")
	}
	path, err := build()
	must(t, err)
	return path
}

// find returns where a program is.
func find(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs " + name)
	}
	path, err := exec.LookPath("/usr/sbin/" + name)
	if err != nil {
		path, err = exec.LookPath(name)
	}
	if err != nil {
		t.Fatalf("%s is missing: make test installs it", name)
	}
	return path
}

// An account is a Stytch project, as a file of settings says it, with a token of one who may read and write tasks.
type account struct {
	settings string
	token    string
}

func newAccount(t *testing.T) account {
	t.Helper()
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	token, err := stytch.Mint(stytchtest.MintRequest{Subject: seed.Members[0].ID,
		Scopes: []string{"openid", "tasks:read", "tasks:write"}})
	must(t, err)
	return account{token: token, settings: strings.Join([]string{
		"GUESTPASS_PUBLIC_URL=https://gpt.example.com", "GUESTPASS_ALLOW_TEST_PROJECT=yes",
		"GUESTPASS_LIMIT_MEMBER=100000", "GUESTPASS_LIMIT_ORGANIZATION=100000",
		"GUESTPASS_TRUSTED_PROXIES=127.0.0.1/32,::1/128", "STYTCH_PROJECT_ID=" + seed.Project.ID,
		"STYTCH_SECRET=" + seed.Project.Secret, "STYTCH_PUBLIC_TOKEN=" + seed.Project.PublicToken,
		"STYTCH_DOMAIN=" + stytch.URL, "STYTCH_BASE_URL=" + stytch.URL, ""}, "\n")}
}

// freeAddress returns an address of this machine where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer free.Close()
	return free.Addr().String()
}

// background runs a program beside the test, however the test ends, and returns what kills it and which process it is.
func background(t *testing.T, folder string, environ []string, words ...string) (kill func(), pid int) {
	t.Helper()
	command := exec.Command("sh", append([]string{"-c", guard, "guard"}, words...)...)
	command.Dir, command.Env, command.SysProcAttr = folder, environ, &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	defer log.Close()
	command.Stderr = log
	alive, err := command.StdinPipe()
	must(t, err)
	said, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	output := bufio.NewReader(said)
	first, err := output.ReadString('\n')
	must(t, err)
	pid, err = strconv.Atoi(strings.TrimSpace(first))
	must(t, err)
	go func() { _, _ = io.Copy(io.Discard, output) }()
	kill = sync.OnceFunc(func() { _ = alive.Close(); _ = command.Wait() })
	t.Cleanup(func() {
		kill()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s says %.3000s", words[0], text)
		}
	})
	return kill, pid
}

// eventually waits until f has no error, for a minute.
func eventually(t *testing.T, f func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for over := time.Now().Add(time.Minute); ; <-tick.C {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(over) {
			t.Fatalf("not within a minute: %v", err)
		}
	}
}
