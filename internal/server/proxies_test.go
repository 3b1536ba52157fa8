package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"guestpass"
)

// proxies are programs of Debian's packages that the tests run in front, each with its configuration and the header
// Server by which its answers are known.
var proxies = map[string]struct {
	file    string
	command func(folder, file string) []string
	server  string
}{
	"nginx": {"nginx.conf", func(folder, file string) []string {
		return []string{"nginx", "-e", "stderr", "-p", folder, "-c", file}
	}, "nginx"},
	"caddy": {"Caddyfile", func(_, file string) []string {
		return []string{"caddy", "run", "--adapter", "caddyfile", "--config", file}
	}, "Caddy"},
}

// sidecar is Guestpass and the application of examples/node-app side by side, under the one origin of a proxy.
type sidecar struct {
	*world        // its url is the proxy's
	direct string // the application's own address, where no proxy is in between
}

// newSidecar starts all of it, as docs/sidecar.md says.
func newSidecar(t *testing.T, proxy string, change ...func(*guestpass.Options)) sidecar {
	t.Helper()
	var b sidecar
	w := newNotesWorld(t, append([]func(*guestpass.Options){func(o *guestpass.Options) {
		o.Modules = []string{}
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		o.PublicURL, b.direct = startSidecar(t, proxy, o.PublicURL)
	}}, change...)...)
	w.url = w.options.PublicURL
	w.stytch.SetAuthorizationURL(w.url + "/idp")
	b.world = w
	return b
}

// startSidecar starts the application and the proxy in front of it and of Guestpass. The proxy's port has to be known
// before it listens. Where somebody else takes it in between, another one is tried.
func startSidecar(t *testing.T, proxy, guestpass string) (public, application string) {
	t.Helper()
	for range 10 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		address := listener.Addr().String()
		must(t, listener.Close())
		public = "http://" + address
		app := startProgram(t, "", []string{"node", "../../examples/node-app/app.mjs"}, "PORT=0", "PUBLIC_URL="+public,
			"KEYS_URL="+guestpass+"/verify/keys")
		application = app.says(t, regexp.MustCompile(`notes at (http://\S+)`))
		if startProxy(t, proxy, address, guestpass, application) {
			return public, application
		}
		app.stop()
	}
	t.Fatalf("%s found no free port", proxy)
	return "", ""
}

// startProxy runs the proxy with the configuration of the example, but for the ports, and reports whether it answers:
// it does not where the port was taken.
func startProxy(t *testing.T, name, address, guestpass, application string) bool {
	t.Helper()
	configuration, err := os.ReadFile(filepath.Join("..", "..", "examples", "node-app", proxies[name].file))
	must(t, err)
	_, port, _ := net.SplitHostPort(address)
	text := strings.NewReplacer("127.0.0.1:8000", address, "localhost:8000", "localhost:"+port,
		"127.0.0.1:8080", strings.TrimPrefix(guestpass, "http://"),
		"127.0.0.1:3000", strings.TrimPrefix(application, "http://")).Replace(string(configuration))
	return runProxy(t, name, address, text)
}

// runProxy runs the proxy with a configuration, and reports whether it answers at the address.
func runProxy(t *testing.T, name, address, text string) bool {
	t.Helper()
	proxy := proxies[name]
	folder, err := os.MkdirTemp("", "guestpass-"+name+"-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	file := filepath.Join(folder, proxy.file)
	must(t, os.WriteFile(file, []byte(text), 0o644))
	program := startProgram(t, folder, proxy.command(folder, file), "HOME="+folder)
	ended := false
	if err := eventually(func() error {
		select {
		case <-program.ended: // perhaps another one has taken the port
			ended = true
			return nil
		default:
		}
		reply, err := http.Get("http://" + address + "/nothing")
		if err != nil {
			return err
		}
		_ = reply.Body.Close()
		if got := reply.Header.Get("Server"); got != proxy.server {
			return fmt.Errorf("%q answers", got)
		}
		return nil
	}); err != nil {
		t.Fatalf("%s does not answer: %v, %s", name, err, program.output)
	}
	if ended {
		t.Logf("%s ended: %s", name, program.output)
	}
	return !ended
}

// TestTheProxyOfGoingLiveTellsWhoAsks: the page's configuration passes every path on, and hands on the address that it
// sees instead of those that a client pretends to have.
func TestTheProxyOfGoingLiveTellsWhoAsks(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "going-live.md"))
	must(t, err)
	_, block, _ := strings.Cut(string(page), "```caddyfile\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatal("the page has no configuration of Caddy")
	}
	w := newWorld(t, func(o *guestpass.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}
	})
	for range 10 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		address := listener.Addr().String()
		must(t, listener.Close())
		text := strings.NewReplacer("gpt.example.com", "http://"+address, "localhost:8080",
			strings.TrimPrefix(w.url, "http://")).Replace(block)
		if !runProxy(t, "caddy", address, "{\n\tadmin off\n}\n"+text) {
			continue
		}
		for path, want := range map[string]string{"/healthz?address=127.0.0.2": "as asked",
			"/healthz?address=192.0.2.77": "internal", "/openapi.json": `"openapi"`,
			"/mcp": "send messages with POST"} {
			if got := fromElsewhere(t, "http://"+address+path); !strings.Contains(got, want) {
				t.Errorf("%s: %.300s", path, got)
			}
		}
		return
	}
	t.Fatal("caddy found no free port")
}

// fromElsewhere asks from another address of this machine than the proxy has, and pretends to have a third.
func fromElsewhere(t *testing.T, address string) string {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	must(t, err)
	r.Header.Set("X-Forwarded-For", "192.0.2.77")
	reply, err := client.Do(r)
	must(t, err)
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	must(t, err)
	return string(body)
}

// A program runs beside the tests, without root's rights, and ends with them, however they end.
type program struct {
	guard  *exec.Cmd
	alive  io.Closer // the guard's standard input
	output *logBuffer
	ended  chan struct{}
}

// guardOfProgram stops the program when its own input ends, and ends when the program does.
const guardOfProgram = `exec 3<&0; "$@" </dev/null & program=$!
(cat <&3 >/dev/null; kill $program 2>/dev/null) & wait $program`

// startProgram gives it the folder, if it is named.
func startProgram(t *testing.T, folder string, command []string, environ ...string) *program {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs a proxy")
	}
	if path, err := exec.LookPath("/usr/sbin/" + command[0]); err == nil { // not everybody looks there
		command = append([]string{path}, command[1:]...)
	} else if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatalf("%s is missing: sudo apt-get install %[1]s", command[0])
	}
	p := &program{output: new(logBuffer), ended: make(chan struct{})}
	p.guard = exec.Command("sh", append([]string{"-c", guardOfProgram, "guard"}, command...)...)
	p.guard.Env = append(os.Environ(), environ...)
	p.guard.Stdout, p.guard.Stderr = p.output, p.output
	p.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is not for it
	if nobody := unprivileged(); nobody != nil && folder != "" {
		p.guard.SysProcAttr.Credential = nobody
		must(t, os.Chown(folder, int(nobody.Uid), int(nobody.Gid)))
	}
	var err error
	p.alive, err = p.guard.StdinPipe()
	must(t, err)
	must(t, p.guard.Start())
	go func() {
		_ = p.guard.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.stop)
	return p
}

// unprivileged is whom programs run as, if root runs the tests.
func unprivileged() *syscall.Credential {
	nobody, err := user.Lookup("nobody")
	if os.Getuid() != 0 || err != nil {
		return nil
	}
	uid, _ := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, _ := strconv.ParseUint(nobody.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (p *program) stop() {
	_ = p.alive.Close()
	<-p.ended
}

// says waits for a line of the program's and returns what the pattern finds in it.
func (p *program) says(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	var found []string
	if err := eventually(func() error {
		if found = pattern.FindStringSubmatch(p.output.String()); found == nil {
			return fmt.Errorf("it does not say %s but %s", pattern, p.output)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found[1]
}

// raw sends a request as it is written, with a path that no client would send, and returns the answer.
func (b sidecar) raw(head string) string {
	b.t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	must(b.t, err)
	defer connection.Close()
	must(b.t, connection.SetDeadline(time.Now().Add(10*time.Second)))
	host := strings.TrimPrefix(b.url, "http://")
	_, err = fmt.Fprintf(connection, "%s\r\nHost: %s\r\nConnection: close\r\n\r\n", head, host)
	must(b.t, err)
	var answer bytes.Buffer
	_, _ = io.Copy(&answer, bufio.NewReader(connection))
	return answer.String()
}
