//go:build !production

package cli

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheSidecarIsAsItsPageSays runs the commands of docs/sidecar.md one after the other, on other ports.
func TestTheSidecarIsAsItsPageSays(t *testing.T) {
	page := readFile(t, filepath.Join("..", "docs", "sidecar.md"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	public := "http://" + listener.Addr().String()
	replaced := strings.NewReplacer("http://localhost:8000", public).Replace

	var environ []string
	for line := range strings.Lines(pageBlock(t, page, "guestpass")) {
		if variable, found := strings.CutPrefix(strings.TrimSpace(line), "export "); found {
			environ = append(environ, strings.ReplaceAll(replaced(variable), "'", ""))
		}
	}
	app, emulator, listens := developmentIn(t, environ)
	if app != public {
		t.Fatalf("Guestpass is seen at %s, not at %s", app, public)
	}
	node := beside(t, nil, pageBlock(t, page, "application"), "PORT=0", "PUBLIC_URL="+public,
		"KEYS_URL="+listens+"/verify/keys")
	application := node.wait(t, `notes at (http://\S+)`)[1]

	// nginx finds the port open already, as where it takes over from another nginx: so nobody takes it in between.
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	configuration := filepath.Join(t.TempDir(), "nginx.conf")
	text := strings.NewReplacer("127.0.0.1:8000", listener.Addr().String(), "127.0.0.1:8080",
		strings.TrimPrefix(listens, "http://"), "127.0.0.1:3000", strings.TrimPrefix(application, "http://")).
		Replace(readFile(t, filepath.Join("..", "examples", "node-app", "nginx.conf")))
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start := strings.Replace(pageBlock(t, page, "nginx"), "$PWD/examples/node-app/nginx.conf", configuration, 1)
	beside(t, socket, start, "NGINX=3;")
	waitFor(t, public+"/openapi.json")

	calls := strings.ReplaceAll(replaced(pageBlock(t, page, "calls")), "http://localhost:8081", emulator)
	output, err := exec.Command("sh", "-c", calls).CombinedOutput()
	for _, want := range []string{"HTTP/1.1 401 Unauthorized", `resource_metadata="` + public, `"notes":[]`,
		`"status":403`} {
		if err != nil || !strings.Contains(string(output), want) {
			t.Errorf("the calls do not show %s: %v\n%s", want, err, output)
		}
	}
	try := strings.TrimPrefix(strings.TrimSpace(replaced(pageBlock(t, page, "try"))), "go run ./cmd/guestpass ")
	code, stdout, stderr := execute(t, nil, append(strings.Fields(try), "--emulator", emulator)...)
	for _, want := range []string{"granted: openid offline_access notes:read notes:write", "listNotes {}", "addNote {",
		`"deleted":true`} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Fatalf("exit code %d, and no %s\n%s%s", code, want, stdout, stderr)
		}
	}
}

// pageBlock are the commands between the comments of that name.
func pageBlock(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, _ := strings.Cut(page, "<!-- "+name+" -->")
	block, _, found := strings.Cut(rest, "<!-- /"+name+" -->")
	block = strings.Replace(strings.Replace(block, "```sh\n", "", 1), "```", "", 1)
	if !found || strings.TrimSpace(block) == "" {
		t.Fatalf("the page has no commands named %s", name)
	}
	return block
}

// beside runs a command of a page in the repository's folder, until the test ends. It inherits the file.
func beside(t *testing.T, inherited *os.File, command string, environ ...string) *follower {
	t.Helper()
	output := newFollower()
	shell := exec.Command("sh", "-c", "exec "+strings.TrimSpace(command)+" & cat >/dev/null; kill $!; wait")
	shell.Dir, shell.Env = "..", append(os.Environ(), append(environ, "PATH="+os.Getenv("PATH")+":/usr/sbin")...)
	shell.Stdout, shell.Stderr = output, output
	if inherited != nil {
		shell.ExtraFiles = []*os.File{inherited}
	}
	alive, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = alive.Close()
		_ = shell.Wait()
		if t.Failed() {
			t.Logf("%s\n%s", command, output)
		}
	})
	return output
}

// waitFor returns when the address answers.
func waitFor(t *testing.T, address string) {
	t.Helper()
	late, tick := time.After(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		if reply, err := http.Get(address); err == nil {
			_ = reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-late:
			t.Fatalf("%s does not answer", address)
		case <-tick.C:
		}
	}
}
