package packaged_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"go.yaml.in/yaml/v3"

	"guestpass/internal/limits/redistest"
	"guestpass/internal/postgrestest"
)

// line returns the value of a key of systemd's unit.
func line(t *testing.T, unit, key string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(unit)
	if found == nil {
		t.Fatalf("the unit has no %s", key)
	}
	return found[1]
}

// TestTheUnitOfSystemdIsConfinedAndStarts has systemd itself judge the unit, and runs what it runs, with what systemd
// puts in place of %d. make machine has systemd run it.
func TestTheUnitOfSystemdIsConfinedAndStarts(t *testing.T) {
	analyze, path := find(t, "systemd-analyze"), program(t)
	unit := strings.ReplaceAll(readFile(t, root+"/deploy/guestpass.service"), "/usr/local/bin/guestpass", path)
	file := filepath.Join(t.TempDir(), "guestpass.service")
	must(t, os.WriteFile(file, []byte(unit), 0o600))
	for _, args := range [][]string{{"verify", file},
		{"security", "--offline=true", "--threshold=15", "--no-pager", file}} {
		said, err := exec.Command(analyze, args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(said) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, said)
		}
	}
	who, credentials, state := newAccount(t), t.TempDir(), t.TempDir()
	name, _, _ := strings.Cut(line(t, unit, "LoadCredential"), ":")
	environ := []string{"GUESTPASS_ADDR=" + freeAddress(t)}
	must(t, os.WriteFile(filepath.Join(credentials, name), []byte(who.settings), 0o400))
	_, pid := background(t, state, environ,
		strings.Fields(strings.ReplaceAll(line(t, unit, "ExecStart"), "%d", credentials))...)
	after, ofRoot := strings.CutPrefix(line(t, unit, "ExecStartPost"), "!")
	if !ofRoot || strings.Contains(after, "%d") {
		t.Errorf("before systemd 254 only ExecStart sees the credentials, and root alone the file: %s", after)
	}
	after = strings.ReplaceAll(after, "$MAINPID", strconv.Itoa(pid))
	post := strings.Fields(strings.ReplaceAll(after, "/etc/guestpass.env", filepath.Join(credentials, name)))
	health := exec.Command(post[0], post[1:]...)
	health.Env, health.Dir = environ, state
	if said, err := health.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("%q: %v\n%s", post, err, said)
	}
	if _, err := os.Stat(filepath.Join(state, "guestpass.db")); err != nil {
		t.Errorf("its data is not in the folder of its state: %v", err)
	}
}

// A composition is a file of compose, as far as it is looked at here.
type composition struct {
	Services map[string]struct {
		Image, User, Restart     string
		MemLimit                 string `yaml:"mem_limit"`
		PIDsLimit                int    `yaml:"pids_limit"`
		ReadOnly                 bool   `yaml:"read_only"`
		Privileged               bool
		CapDrop                  []string `yaml:"cap_drop"`
		CapAdd                   []string `yaml:"cap_add"`
		SecurityOpt              []string `yaml:"security_opt"`
		Command, Ports, Networks []string
		Environment              map[string]string
		Secrets                  []string
		Healthcheck              struct{ Test []string }
	}
	Networks map[string]struct {
		Internal bool
		IPAM     struct{ Config []struct{ Subnet string } }
	}
	Secrets map[string]struct{ File string }
}

func readComposition(t *testing.T) (c composition) {
	t.Helper()
	must(t, yaml.Unmarshal([]byte(readFile(t, root+"/deploy/compose.yaml")), &c))
	return c
}

func TestEveryServiceOfComposeIsConfined(t *testing.T) {
	c := readComposition(t)
	if len(c.Services) != 5 || !c.Networks["data"].Internal {
		t.Fatalf("%d services, networks %v", len(c.Services), c.Networks)
	}
	for name, s := range c.Services {
		if !s.ReadOnly || s.Privileged || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.MemLimit == "" ||
			!slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.PIDsLimit == 0 || s.Restart != "always" ||
			len(s.Healthcheck.Test) < 2 {
			t.Errorf("%s may do more than it needs, or nobody looks after it: %+v", name, s)
		}
		if outside := name == "balancer"; (len(s.Ports) > 0) != outside || len(s.CapAdd) > 0 ||
			slices.Contains(s.Networks, "data") == outside {
			t.Errorf("%s has the ports %v, the networks %v and can %v", name, s.Ports, s.Networks, s.CapAdd)
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret].File == "" {
				t.Errorf("%s has the secret %s, of which nobody says where it is", name, secret)
			}
		}
		for variable, value := range s.Environment {
			if strings.Contains(variable, "SECRET") || strings.Contains(variable, "PASSWORD") && value[0] != '/' {
				t.Errorf("%s has %s in its environment, which everybody sees who may look at it", name, variable)
			}
		}
	}
}

// TestTheCompositionServes runs what compose.yaml says, without its containers: two instances with their command,
// environment and file of settings, behind haproxy with its file, on a Postgres and a Redis. One is killed, and nobody
// notices.
func TestTheCompositionServes(t *testing.T) {
	haproxy, path := find(t, "haproxy"), program(t)
	c, who, folder := readComposition(t), newAccount(t), t.TempDir()
	settings := filepath.Join(folder, "guestpass.env")
	must(t, os.WriteFile(settings, []byte(who.settings+"GUESTPASS_DATABASE_URL='"+postgrestest.Shared(t).Database(t)+
		"'\n"), 0o400))
	redis := redistest.Start(t).URL()
	front, plain := freeAddress(t), freeAddress(t)
	certificate, client := certified(t)
	file := strings.NewReplacer("127.0.0.1:8081", freeAddress(t), "bind :80", "bind "+plain, "bind :443", "bind "+front,
		"/run/secrets/certificate.pem", certificate).Replace(readFile(t, root+"/deploy/haproxy.cfg"))
	var kill []func()
	for _, name := range []string{"one", "two"} {
		s, addr := c.Services[name], freeAddress(t)
		environ := []string{"GUESTPASS_ADDR=" + addr}
		for variable, value := range s.Environment {
			value = strings.Replace(value, c.Networks["front"].IPAM.Config[0].Subnet, "127.0.0.1/32", 1)
			environ = append(environ, variable+"="+strings.Replace(value, "redis://redis:6379/0", redis, 1))
		}
		inFolder := strings.NewReplacer("/run/secrets/guestpass.env", settings, "CMD guestpass", path)
		words := strings.Fields(inFolder.Replace(strings.Join(s.Command, " ")))
		one, _ := background(t, folder, environ, append([]string{path}, words...)...)
		kill = append(kill, one)
		words = strings.Fields(inFolder.Replace(strings.Join(s.Healthcheck.Test, " ")))
		eventually(t, func() error {
			health := exec.Command(words[0], words[1:]...)
			health.Env = environ
			said, err := health.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, said)
			}
			return err
		})
		file = strings.Replace(file, name+":8080", addr, 1)
	}
	balancer := filepath.Join(folder, "haproxy.cfg")
	must(t, os.WriteFile(balancer, []byte(file), 0o600))
	if said, err := exec.Command(haproxy, "-c", "-f", balancer).CombinedOutput(); err != nil {
		t.Fatalf("haproxy -c: %v\n%s", err, said)
	}
	background(t, folder, nil, haproxy, "-db", "-f", balancer)
	asked := &container{client: client, at: "https://" + front, token: who.token}
	eventually(t, func() error {
		if status, body := asked.call(t, "GET", "/readyz", ""); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	asked.leadsToHTTPS(t, "http://"+plain)
	for i := range 40 {
		if i == 20 {
			kill[0]()
		}
		if status, body := asked.call(t, "POST", "/api/v1/tasks", `{"title":"written"}`); status != http.StatusCreated {
			t.Fatalf("write %d: %d %s", i, status, body)
		}
	}
}

// leadsToHTTPS looks where plain http leads.
func (c *container) leadsToHTTPS(t *testing.T, plain string) {
	t.Helper()
	response, err := c.client.Get(plain + "/privacy")
	must(t, err)
	defer response.Body.Close()
	if to := response.Header.Get("Location"); response.StatusCode != http.StatusPermanentRedirect ||
		!strings.HasPrefix(to, "https://") {
		t.Errorf("plain http leads to %q with %s", to, response.Status)
	}
}

// certified writes a certificate of the library's own test servers, with its key, and returns a client that trusts it
// and follows no redirect.
func certified(t *testing.T) (file string, client *http.Client) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	must(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	file = filepath.Join(t.TempDir(), "certificate.pem")
	must(t, os.WriteFile(file, text, 0o600))
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return file, &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// TestTheBalancerAloneSaysWhoCalls: what a client says of itself reaches no instance, which would believe it where the
// client's connection comes from an address that is trusted, as here.
func TestTheBalancerAloneSaysWhoCalls(t *testing.T) {
	haproxy, folder := find(t, "haproxy"), t.TempDir()
	var said atomic.Value
	instance := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/called" {
			said.Store(r.Header.Values("X-Forwarded-For"))
		}
	}))
	defer instance.Close()
	certificate, client := certified(t)
	front, at := freeAddress(t), strings.TrimPrefix(instance.URL, "http://")
	file := filepath.Join(folder, "haproxy.cfg")
	must(t, os.WriteFile(file, []byte(strings.NewReplacer("127.0.0.1:8081", freeAddress(t), "bind :80", "bind "+
		freeAddress(t), "bind :443", "bind "+front, "/run/secrets/certificate.pem", certificate, "one:8080", at,
		"two:8080", at).Replace(readFile(t, root+"/deploy/haproxy.cfg"))), 0o600))
	background(t, folder, nil, haproxy, "-db", "-f", file)
	eventually(t, func() error {
		r, err := http.NewRequest("GET", "https://"+front+"/called", nil)
		must(t, err)
		r.Header["X-Forwarded-For"] = []string{"192.0.2.1", "192.0.2.2, 192.0.2.3"}
		response, err := client.Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if said.Load() == nil {
			return fmt.Errorf("%s", response.Status)
		}
		return nil
	})
	if got := said.Load(); !slices.Equal(got.([]string), []string{"127.0.0.1"}) {
		t.Errorf("an instance is told %q", got)
	}
}
