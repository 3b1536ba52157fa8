//go:build !production

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/postgrestest"
	"guestpass/resources"
	"guestpass/stytchtest"
)

var update = flag.Bool("update", false, "write the transcripts of the documents and testdata anew")

func TestMain(m *testing.M) {
	offered = resources.All()
	status := m.Run()
	_ = os.RemoveAll(programFolder)
	os.Exit(status)
}

// programFolder holds the program that build has made; TestMain removes it.
var programFolder string

var build = sync.OnceValues(func() (path string, err error) {
	if programFolder, err = os.MkdirTemp("", "guestpass-program-"); err != nil {
		return "", err
	}
	path = filepath.Join(programFolder, "guestpass")
	if output, err := exec.Command("go", "build", "-o", path, "../cmd/guestpass").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

// program returns the path of the program as it is used.
func program(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// execute runs the program once. A mistake that is not noticed would leave a server
// running: it is stopped, and the test sees exit code 0.
func execute(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if testing.Short() && slices.Contains(args, "--as") {
		t.Skip("left out by make quick: it needs a browser")
	}
	var out, errOut bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	code = run(ctx, args, environ, &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestMistakesAreOneClearLineAndExitCode2(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		name    string
		environ []string
		args    []string
		want    string
	}{
		{"unknown command", nil, []string{"sevre"}, `there is no command "sevre": did you mean ` +
			"`guestpass serve`?"},
		{"unknown command, two letters changed places", nil, []string{"lnit"}, "did you mean `guestpass lint`?"},
		{"unknown command and help", nil, []string{"statsu", "--help"}, "did you mean `guestpass migrate status`?"},
		{"help before an unknown command", nil, []string{"--help", "sevre"}, "did you mean `guestpass serve`?"},
		{"help on an unknown command", nil, []string{"help", "foo"}, `there is no command "foo"; see`},
		{"unknown command of a command", nil, []string{"migrate", "stauts", "--help"},
			"did you mean `guestpass migrate status`?"},
		{"help on an unknown command of a command", nil, []string{"help", "audit", "foo"},
			"there is no command \"audit foo\"; see `guestpass audit --help`"},
		{"superfluous argument of a command's command",
			nil, []string{"migrate", "up", "now"}, "`guestpass migrate up` takes no argument"},
		{"backup to nowhere", nil, []string{"backup"}, "name a FILE for the copy"},
		{"backup to two files", nil, []string{"backup", "a", "b"}, "name one FILE for the copy, not 2"},
		{"variable that resembles none", []string{"GUESTPASS_NOSUCHTHING=x"}, []string{"serve"},
			"there is no variable GUESTPASS_NOSUCHTHING: leave it out"},
		{"rule that resembles none", nil, []string{"lint", "--explain", "G999"}, "there is no rule G999\n"},
		{"operation that resembles none", []string{"GUESTPASS_OPERATIONS=nope"}, []string{"openapi"},
			"GUESTPASS_OPERATIONS is no operation of this server: choose from getNextSteps, "},
		{"tool that is no operation", []string{"GUESTPASS_MCP_OPERATIONS=listTasks,nope"}, []string{"openapi"},
			"GUESTPASS_MCP_OPERATIONS (entry 2 of 2) is no operation of this server: choose from getNextSteps, "},
		{"tool that is not published",
			[]string{"GUESTPASS_OPERATIONS=listTasks", "GUESTPASS_MCP_OPERATIONS=createTask"}, []string{"openapi"},
			"GUESTPASS_MCP_OPERATIONS is createTask, which is not published " +
				"(GUESTPASS_OPERATIONS): choose from listTasks\n"},
		{"tool that is misspelt, of those published",
			[]string{"GUESTPASS_OPERATIONS=listTasks", "GUESTPASS_MCP_OPERATIONS=listTask"}, []string{"openapi"},
			"GUESTPASS_MCP_OPERATIONS is no operation of this server: did you mean listTasks?"},
		{"tools without MCP", []string{"GUESTPASS_MCP=off", "GUESTPASS_MCP_OPERATIONS=listTasks"}, []string{"openapi"},
			"GUESTPASS_MCP_OPERATIONS is set and GUESTPASS_MCP is off: there are no tools; leave one of them out"},
		{"client that is misspelt, among others",
			[]string{"GUESTPASS_CLIENT_IDS=claude.ai,https://chatgpt.com"}, []string{"openapi"},
			"GUESTPASS_CLIENT_IDS (entry 2 of 2) is a URL: leave out https://"},
		{"unknown flag", nil, []string{"dev", "--port", "1"}, "unknown flag: --port"},
		{"superfluous argument", nil, []string{"dev", "now"}, "`guestpass dev` takes no argument"},
		{"misspelt variable", []string{"GUESTPASS_ACESS=roles"}, []string{"dev"},
			"there is no variable GUESTPASS_ACESS; did you mean GUESTPASS_ACCESS?"},
		{"misspelt variable, try", []string{"GUESTPASS_PUBLICURL=x"}, []string{"try"},
			"did you mean GUESTPASS_PUBLIC_URL?"},
		{"port in use", nil, []string{"dev", "--addr", taken.Addr().String()}, "is in use by another program"},
		{"emulator's port in use", nil, []string{"dev", "--addr", "localhost:0", "--emulator-addr",
			taken.Addr().String()}, "--emulator-addr"},
		{"emulator outside loopback", nil, []string{"dev", "--addr", "localhost:0", "--emulator-addr", "0.0.0.0:0"},
			"the emulator listens on this machine only"},
		{"live project with the emulator",
			[]string{"STYTCH_PROJECT_ID=project-live-11111111-1111-4111-8111-111111111111"}, []string{"dev"},
			"never stands in for one"},
		{"unknown access", nil, []string{"dev", "--addr", "localhost:0", "--emulator-addr", "localhost:0", "--access",
			"both"}, "--access must be scopes or roles"},
		{"unknown vertical", nil, []string{"dev", "--addr", "localhost:0", "--emulator-addr", "localhost:0",
			"--vertical", "b2c"}, "--vertical must be b2b or consumer"},
		{"unknown way to sign in", []string{"GUESTPASS_LOGIN_METHODS=passwrd"}, []string{"dev"},
			"GUESTPASS_LOGIN_METHODS cannot be used"},
		{"public address without TLS", nil, []string{"dev", "--public-url", "http://gpt.example.com"},
			"--public-url must be https"},
		{"flag of another kind", nil, []string{"dev", "--chaos", "5%"},
			`invalid argument "5%" for "--chaos" flag: must be an integer`},
		{"person without an address", nil, []string{"try", "--as", "ada"}, "--as must be an e-mail address"},
		{"emulator alone, port in use", nil, []string{"stytch", "--addr", taken.Addr().String()},
			"address already in use; choose another address with --addr"},
		{"emulator alone, outside loopback", nil, []string{"stytch", "--addr", "0.0.0.0:0"},
			"the emulator listens on loopback only"},
		{"emulator alone, misspelt variable",
			[]string{"GUESTPASS_ADR=x"}, []string{"stytch"}, "did you mean GUESTPASS_ADDR?"},
		{"emulator alone, superfluous argument",
			nil, []string{"stytch", "now"}, "`guestpass stytch` takes no argument"},
		{"authorization URL without a scheme", nil, []string{"stytch", "--authorization-url", "localhost:3000"},
			`--authorization-url "localhost:3000" is not a whole URL`},
		{"redirect URL without a host", nil, []string{"stytch", "--redirect-url", "http://localhost:3000",
			"--redirect-url", "/done"}, `--redirect-url "/done" is not a whole URL`},
		{"argument that is no pair", nil, []string{"try", "--call", "listMembers", "limit"},
			`"limit" is not of the form key=value`},
		{"argument that is there twice", nil, []string{"try", "--call", "createTask", "labels=a", "labels=b"},
			"labels is there twice: write a list as one argument, labels=a,b"},
		{"arguments without an operation", nil, []string{"try", "limit=1"}, "--call OPERATION"},
		{"MCP client without MCP", nil, []string{"try", "--client", "claude"}, "give --mcp too"},
		{"MCP client that is not known",
			nil, []string{"try", "--mcp", "--client", "cursor"}, "choose one of chatgpt, claude, vscode"},
		{"a GPT's way to send the secret", nil, []string{"try", "--mcp", "--basic"}, "--basic is for the GPT"},
		{"secret of no client", nil, []string{"try", "--mcp", "--client-secret-file", "x"}, "give --client-id too"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := execute(t, tt.environ, tt.args...)
			if code != 2 || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, %s\nwant 2 and %q", code, stderr, tt.want)
			}
		})
	}
}

// TestServeTellsAllThatIsMissingAtOnce: nobody wants to learn of the next setting when the last is right.
func TestServeTellsAllThatIsMissingAtOnce(t *testing.T) {
	code, _, stderr := execute(t, []string{"GUESTPASS_LOGIN_METHODS=passwrd", "GUESTPASS_OPERATIONS=listTask",
		"GUESTPASS_STOP_GRACE=5", "STYTCH_DOMAIN=words"}, "serve")
	for _, want := range []string{"GUESTPASS_PUBLIC_URL is not set", "GUESTPASS_TRUSTED_PROXIES is not set",
		"STYTCH_PROJECT_ID is not set", "STYTCH_SECRET is not set", "STYTCH_PUBLIC_TOKEN is not set",
		"GUESTPASS_LOGIN_METHODS cannot be used",
		"GUESTPASS_OPERATIONS is no operation of this server: did you mean listTasks?",
		"GUESTPASS_STOP_GRACE is no duration",
		"STYTCH_DOMAIN is no whole public domain"} {
		if code != 2 || strings.Count(stderr, want) != 1 {
			t.Errorf("exit code %d, want %q once in\n%s", code, want, stderr)
		}
	}
	if strings.Contains(stderr, "STYTCH_DOMAIN is not set") {
		t.Errorf("a value that is wrong is called missing:\n%s", stderr)
	}
	// What follows from a wrong value only is not told.
	code, _, stderr = execute(t, environ("STYTCH_VERTICAL=b2c", "GUESTPASS_OPERATIONS=listMembers"), "serve")
	if code != 2 || strings.Contains(stderr, "GUESTPASS_OPERATIONS") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	_, help, _ := execute(t, nil, "serve", "--help")
	_, example, _ := strings.Cut(help, "Examples:")
	for name := range live() {
		if name != "GUESTPASS_ADDR" && !strings.Contains(example, "export "+name+"=") {
			t.Errorf("the example of serve lacks %s:\n%s", name, example)
		}
	}
}

// TestASlashAtTheEndOfAnOriginIsTolerated, and not kept.
func TestASlashAtTheEndOfAnOriginIsTolerated(t *testing.T) {
	code, stdout, stderr := execute(t, environ("GUESTPASS_PUBLIC_URL=https://gpt.example.com/"), "openapi")
	if code != 0 || !strings.Contains(stdout, `"https://gpt.example.com"`) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	c, err := readConfig(environ("GUESTPASS_PUBLIC_URL=https://gpt.example.com/"), nil)
	if err != nil || c.options().PublicURL != "https://gpt.example.com" { // which serve logs
		t.Errorf("%q, %v", c.PublicURL, err)
	}
}

func live() map[string]string {
	return map[string]string{
		"GUESTPASS_ADDR": "localhost:0", "GUESTPASS_PUBLIC_URL": "https://gpt.example.com",
		"GUESTPASS_TRUSTED_PROXIES": "127.0.0.1/32",
		"STYTCH_PROJECT_ID":         "project-live-11111111-1111-4111-8111-111111111111",
		"STYTCH_SECRET":             "secret-live-x",
		"STYTCH_PUBLIC_TOKEN":       "public-token-live-x", "STYTCH_DOMAIN": "words-1234.customers.stytch.com",
	}
}

// environ is an environment that serve takes, changed; NAME= leaves the variable out.
func environ(change ...string) []string {
	variables := live()
	for _, pair := range change {
		name, value, _ := strings.Cut(pair, "=")
		if variables[name] = value; value == "" {
			delete(variables, name)
		}
	}
	var list []string
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

func TestServeRefusesUnsafeSettingsByName(t *testing.T) {
	t.Chdir(t.TempDir()) // for the database, which is opened before the last of the settings is found wrong
	tried, refused := 0, 0
	defer func() { t.Logf("%d unsafe settings: %d keep the server from starting", tried, refused) }()
	for _, tt := range []struct{ change, want string }{
		{"GUESTPASS_PUBLIC_URL=", "GUESTPASS_PUBLIC_URL is not set"},
		{"GUESTPASS_PUBLIC_URL=http://gpt.example.com", "must be https"},
		{"GUESTPASS_PUBLIC_URL=https://gpt.example.com/app", "must be an origin"},
		{"GUESTPASS_PUBLIC_URL=https://GPT.example.com", "must be in lower case"},
		{"STYTCH_PROJECT_ID=", "STYTCH_PROJECT_ID is not set"},
		{"STYTCH_PROJECT_ID=my-project", "must begin with project-live- or project-test-"},
		{"STYTCH_PROJECT_ID=project-test-11111111-1111-4111-8111-111111111111", "GUESTPASS_ALLOW_TEST_PROJECT=yes"},
		{"STYTCH_SECRET=", "STYTCH_SECRET is not set"},
		{"STYTCH_PUBLIC_TOKEN=", "STYTCH_PUBLIC_TOKEN is not set"},
		{"STYTCH_DOMAIN=", "STYTCH_DOMAIN is not set"},
		{"STYTCH_DOMAIN=http://words.customers.stytch.com", "STYTCH_DOMAIN"},
		{"STYTCH_DOMAIN=words.customers.stytch.com,http://login.example.com",
			`STYTCH_DOMAIN (entry 2 of 2) must be https`},
		{"STYTCH_DOMAIN=words.customers.stytch.com,,login.example.com", `STYTCH_DOMAIN (entry 2 of 3) is empty`},
		{"STYTCH_DOMAIN=words.customers.stytch.com,", `STYTCH_DOMAIN (entry 2 of 2) is empty`},
		{"STYTCH_DOMAIN=,words.customers.stytch.com", `STYTCH_DOMAIN (entry 1 of 2) is empty`},
		{"STYTCH_DOMAIN=http://localhost:8081", "is this machine"},
		{"STYTCH_DOMAIN=login.example.com,https://127.0.0.1:8081", `STYTCH_DOMAIN (entry 2 of 2) is this machine`},
		{"STYTCH_DOMAIN= ", "STYTCH_DOMAIN is set, but has nothing in it"},
		{"STYTCH_DOMAIN=login.example.com, https://login.example.com/", `STYTCH_DOMAIN (entry 2 of 2) is there twice`},
		{"STYTCH_DOMAIN=login.example.com,login.example.com/path", `STYTCH_DOMAIN (entry 2 of 2) must be an origin`},
		{"STYTCH_DOMAIN=login.example.com words.customers.stytch.com", "STYTCH_DOMAIN"},
		{"STYTCH_DOMAIN=%zz,login.example.com", "is not a URL"},
		{"GUESTPASS_MAX_TOKEN_LIFETIME=0s", "GUESTPASS_MAX_TOKEN_LIFETIME must be from 1m0s to 720h0m0s"},
		{"GUESTPASS_MAX_TOKEN_LIFETIME=-8h", "GUESTPASS_MAX_TOKEN_LIFETIME is no duration"},
		{"GUESTPASS_MAX_TOKEN_LIFETIME=59s", "GUESTPASS_MAX_TOKEN_LIFETIME must be from"},
		{"GUESTPASS_MAX_TOKEN_LIFETIME=721h", "GUESTPASS_MAX_TOKEN_LIFETIME must be from"},
		{"GUESTPASS_MAX_TOKEN_LIFETIME=480",
			"GUESTPASS_MAX_TOKEN_LIFETIME is no duration: write a number and its unit"},
		{"GUESTPASS_MAX_TOKEN_LIFETIME=1d", "GUESTPASS_MAX_TOKEN_LIFETIME is no duration"},
		{"GUESTPASS_LIMIT_MEMBER=many", "GUESTPASS_LIMIT_MEMBER is no whole number"},
		{"GUESTPASS_MAX_IN_FLIGHT=1.5", "GUESTPASS_MAX_IN_FLIGHT is no whole number"},
		{"STYTCH_BASE_URL=http://localhost:8081", "STYTCH_BASE_URL is set together with a live project"},
		{"STYTCH_VERTICAL=b2c", "STYTCH_VERTICAL must be b2b or consumer"},
		{"GUESTPASS_TOKEN_FORWARDER=off", "G110"},
		{"GUESTPASS_STOP_GRACE=1h", "GUESTPASS_STOP_GRACE must be from 0s to 1m"},
		{"GUESTPASS_LIVE_ROLES=no", "GUESTPASS_LIVE_ROLES must be on or off"},
		{"GUESTPASS_DOCS_CLIENT_ID=docs", "must begin with connected-app-"},
		{"GUESTPASS_TRUSTED_PROXIES=10.0.0.1", "no range of addresses such as 10.1.2.0/24"},
		{"GUESTPASS_TRUSTED_PROXIES=10.0.0.0/8,0.0.0.0/0", "is everybody"},
		{"GUESTPASS_TRUSTED_PROXIES=none,10.0.0.0/8", "names none beside others"},
		{"GUESTPASS_TRUSTED_PROXIES=", "GUESTPASS_TRUSTED_PROXIES is not set"},
		{"GUESTPASS_LIMIT_MEMBER=0", "GUESTPASS_LIMIT_MEMBER must be between 1 and"},
		{"GUESTPASS_MAX_IN_FLIGHT=-1", "GUESTPASS_MAX_IN_FLIGHT is no whole number"},
		{"GUESTPASS_QUOTA_TASKS=0", "GUESTPASS_QUOTA_TASKS must be between 1 and"},
		{"GUESTPASS_QUOTA_COMMENTS=-5", "GUESTPASS_QUOTA_COMMENTS is no whole number"},
		{"GUESTPASS_QUOTA_ACTIVITY=99", "GUESTPASS_QUOTA_ACTIVITY must be between 100 and"},
		{"GUESTPASS_QUOTA_MEGABYTES=99999999", "GUESTPASS_QUOTA_MEGABYTES must be between 1 and"},
		{"GUESTPASS_QUOTA_MEGABYTES=1GB", "GUESTPASS_QUOTA_MEGABYTES is no whole number"},
		{"GUESTPASS_KEEP_DAYS=29", "GUESTPASS_KEEP_DAYS must be between 30 and"},
		{"GUESTPASS_KEEP_CONNECTIONS_DAYS=29", "GUESTPASS_KEEP_CONNECTIONS_DAYS must be between 30 and"},
		{"GUESTPASS_KEEP_REPLIES_HOURS=23", "GUESTPASS_KEEP_REPLIES_HOURS must be between 24 and 720"},
		{"GUESTPASS_ARCHIVE_DIR=archive", "GUESTPASS_ARCHIVE_DIR is no absolute path of a folder"},
		{"GUESTPASS_REDIS_URL=localhost:6379?password=hunter2", "GUESTPASS_REDIS_URL must be redis://"},
		{"GUESTPASS_REDIS_URL=redis://:secret-live-x@localhost:6379", "GUESTPASS_REDIS_URL holds a secret"},
	} {
		t.Run(tt.change, func(t *testing.T) {
			code, _, stderr := execute(t, environ(tt.change), "serve")
			if tried++; code == 2 {
				refused++
			}
			if code != 2 || !strings.Contains(stderr, tt.want) || strings.Contains(stderr, "secret-live-x") ||
				strings.Contains(stderr, "hunter2") {
				t.Errorf("exit code %d, %s\nwant 2 and %q", code, stderr, tt.want)
			}
		})
	}
}

func TestServeTakesSeveralDomains(t *testing.T) {
	for _, tt := range []struct {
		setting, first string
		others         []string
	}{
		{"words-1234.customers.stytch.com", "https://words-1234.customers.stytch.com", nil},
		{"https://login.example.com/ , words-1234.customers.stytch.com", "https://login.example.com",
			[]string{"https://words-1234.customers.stytch.com"}},
		{"a.example.com,b.example.com,c.example.com", "https://a.example.com",
			[]string{"https://b.example.com", "https://c.example.com"}},
	} {
		c, err := readConfig(environ("STYTCH_DOMAIN="+tt.setting, "GUESTPASS_MAX_TOKEN_LIFETIME=8h"), nil)
		if err == nil {
			err = c.check()
		}
		if err != nil {
			t.Errorf("%s: %v", tt.setting, err)
			continue
		}
		if o := c.options(); o.Domain != tt.first || !slices.Equal(o.OtherDomains, tt.others) ||
			o.MaxTokenLifetime != 8*time.Hour {
			t.Errorf("%s: %q, %q, %v", tt.setting, o.Domain, o.OtherDomains, o.MaxTokenLifetime)
		}
	}
}

// atHome are the changes for a test project on this machine.
func atHome(publicURL string) []string {
	return []string{"GUESTPASS_TRUSTED_PROXIES=", "GUESTPASS_PUBLIC_URL=" + publicURL, "STYTCH_SECRET=secret-test-x",
		"STYTCH_PROJECT_ID=project-test-11111111-1111-4111-8111-111111111111",
		"STYTCH_PUBLIC_TOKEN=public-token-test-x",
		"STYTCH_DOMAIN=words-1234.customers.stytch.dev"}
}

// Where no proxy can be meant, or the operator says that there is none, none need be named.
func TestServeAsksForProxiesWhereOneMustBe(t *testing.T) {
	for _, tt := range []struct {
		changes []string
		asked   bool
	}{
		{[]string{"GUESTPASS_TRUSTED_PROXIES="}, true},
		{[]string{"GUESTPASS_TRUSTED_PROXIES=none"}, false},
		{[]string{"GUESTPASS_TRUSTED_PROXIES=10.1.2.0/24"}, false},
		{atHome("http://localhost:8080"), false},
		{atHome("https://localhost:8443"), false},
	} {
		c, err := readConfig(environ(tt.changes...), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.check(); err != nil {
			t.Errorf("%v: %v", tt.changes, err)
		}
		if asked := c.checkProxies() != nil; asked != tt.asked {
			t.Errorf("%v: asked for proxies: %t", tt.changes, asked)
		}
	}
	c, _ := readConfig(environ("GUESTPASS_TRUSTED_PROXIES=none"), nil)
	if prefixes := c.options().TrustedProxies; len(prefixes) != 0 {
		t.Errorf("none is %v", prefixes)
	}
}

// The emulator of guestpass dev stands in for Stytch here, as in any Stytch project
// of the test environment.
func TestServeAnswersUntilItIsStopped(t *testing.T) {
	_, emulator := development(t)
	seed, database := stytchtest.Development().Project, filepath.Join(t.TempDir(), "guestpass.db")
	ctx, stop := context.WithCancel(t.Context())
	log, done := newFollower(), make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve", "--addr", "localhost:0", "--public-url", "http://localhost:9999"}, []string{
			"STYTCH_PROJECT_ID=" + seed.ID, "STYTCH_SECRET=" + seed.Secret, "STYTCH_PUBLIC_TOKEN=" + seed.PublicToken,
			"STYTCH_DOMAIN=" + emulator, "STYTCH_BASE_URL=" + emulator, "GUESTPASS_DATABASE_URL=sqlite:" + database,
			"GUESTPASS_STOP_GRACE=0s"}, io.Discard, log)
	}()
	address := log.wait(t, `"addr":"([^"]+)"`)[1]
	if body := get(t, "http://"+address+"/healthz"); body != `{"status":"ok"}` {
		t.Errorf("healthz: %s", body)
	}
	ready := func() bool {
		return get(t, "http://"+address+"/readyz") == `{"database":"ok","directory":"ok","keys":"ok"}`
	}
	for tries := 0; !ready(); tries++ { // the keys are loaded beside the start
		if tries == 1000 {
			t.Fatalf("never ready: %s", log)
		}
	}
	// What ends a server is the last thing in its log, as a person and as a program read it.
	_, port, _ := net.SplitHostPort(address)
	code, _, stderr := execute(t, []string{"STYTCH_PROJECT_ID=" + seed.ID, "STYTCH_SECRET=" + seed.Secret,
		"STYTCH_PUBLIC_TOKEN=" + seed.PublicToken, "STYTCH_DOMAIN=" + emulator, "STYTCH_BASE_URL=" + emulator,
		"GUESTPASS_DATABASE_URL=sqlite:" + database + "-other"}, "serve", "--addr", "localhost:"+port, "--public-url",
		"http://localhost:9999")
	if code != 2 || !regexp.MustCompile(`"level":"ERROR","msg":"ended","error":"localhost:\d+ is in use.*\n`+
		`guestpass: localhost:\d+ is in use .*\n$`).MatchString(stderr) {
		t.Errorf("at an address that is taken: exit code %d, %s", code, stderr)
	}
	if _, err := os.Stat(database + "-other"); err == nil {
		t.Error("a server that has no address has made a database")
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d: %s", code, log)
	}
	end := regexp.MustCompile(`"msg":"stopping on a signal".*\n(.*\n)*.*"msg":"stopped"}\n$`)
	if !end.MatchString(log.String()) {
		t.Errorf("the log does not say that the server was stopped: %s", log)
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return strings.TrimSpace(string(body))
}

// follower is an output that can be waited on.
type follower struct {
	mu    sync.Mutex // guards text
	text  bytes.Buffer
	more  chan struct{}
	ended chan struct{} // closed once nothing more will be written
}

func newFollower() *follower {
	return &follower{more: make(chan struct{}, 1), ended: make(chan struct{})}
}

func (f *follower) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case f.more <- struct{}{}:
	default:
	}
	return f.text.Write(p)
}

func (f *follower) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

// forget drops what was written so far.
func (f *follower) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text.Reset()
}

// wait returns the first match once it has been written.
func (f *follower) wait(t testing.TB, pattern string) []string {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	for {
		if match := expression.FindStringSubmatch(f.String()); match != nil {
			return match
		}
		select {
		case <-f.more:
		case <-f.ended:
			if match := expression.FindStringSubmatch(f.String()); match != nil {
				return match
			}
			t.Fatalf("it ended with nothing like %s in\n%s", pattern, f)
		case <-time.After(30 * time.Second):
			t.Fatalf("nothing like %s in\n%s", pattern, f)
		}
	}
}

// development runs `guestpass dev` beside the test on ports that the system
// chooses, and stops it at the end.
func development(t *testing.T, args ...string) (app, emulator string) {
	t.Helper()
	app, emulator, _ = developmentIn(t, nil, args...)
	return app, emulator
}

// developmentIn is development in an environment. listens is where the app does, whatever its public URL is.
func developmentIn(t *testing.T, environ []string, args ...string) (app, emulator, listens string) {
	t.Helper()
	out, complaints := newFollower(), newFollower()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"dev", "--addr", "localhost:0", "--emulator-addr", "localhost:0"}, args...),
			environ, out, complaints)
		close(out.ended)
		done <- code
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("guestpass dev ended with exit code %d", code)
		}
		if t.Failed() {
			t.Logf("guestpass dev said\n%s", complaints)
		}
	})
	app = out.wait(t, `app +(http://\S+)`)[1]
	emulator = out.wait(t, `emulator +(http://\S+)`)[1]
	out.wait(t, `note: ChatGPT and Claude reach public https`)
	return app, emulator, "http://" + complaints.wait(t, `"msg":"serving","addr":"([^"]+)"`)[1]
}

// What could be declared better is told where the document is printed, beside it.
func TestOpenAPITellsWhatCouldBeDeclaredBetter(t *testing.T) {
	t.Cleanup(func() { offered = resources.All() })
	type input struct {
		Mode string `query:"mode" enum:"a,b" default:"c" doc:"A mode"`
	}
	type output struct {
		Body struct {
			Size int `json:"size"`
		}
	}
	offered = append(resources.All(), api.Resource{Name: "own", Register: func(s *api.Service) {
		api.Register(s, api.Operation{ID: "getSize", Method: http.MethodGet, Path: "/api/v1/size", Summary: "Get it",
			Description: "Gets it.", Access: auth.Public},
			func(context.Context, *input) (*output, error) { return new(output), nil })
	}})
	code, stdout, stderr := execute(t, nil, "openapi")
	if code != 0 || !json.Valid([]byte(stdout)) {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"GET /api/v1/size, parameter mode", "the default c is not in the enum",
		"GET /api/v1/size, response 200 property size", "there is no description"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it does not tell %q:\n%s", want, stderr)
		}
	}
	offered = resources.All()
	if _, _, stderr := execute(t, nil, "openapi"); stderr != "" {
		t.Errorf("of Guestpass's own operations it tells %s", stderr)
	}
}

func TestTryWalksTheWholeLoop(t *testing.T) {
	app, emulator := development(t)
	code, stdout, stderr := execute(t, nil, "try", "--url", app, "--emulator", emulator, "--as", "ada@acme.example")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"0 warnings, 0 errors", "getUserInfo {}", `"name":"Ada Lovelace"`, "inviteMember",
		"201", "refresh"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout)
		}
	}
	whole := transcript(stdout, app)
	isShown(t, "../docs/try.md", "transcript", whole)

	code, stdout, stderr = execute(t, nil, "try", "--url", app, "--emulator", emulator, "--as", "grace@acme.example",
		"--json")
	if code != 0 {
		t.Fatalf("Grace: exit code %d\n%s%s", code, stdout, stderr)
	}
	granted, refused := "", ""
	for line := range strings.Lines(stdout) {
		var step struct{ Step, Outcome, Operation, Scope string }
		if err := json.Unmarshal([]byte(line), &step); err != nil {
			t.Fatalf("%q is not JSON", line)
		}
		if step.Step == "exchange" {
			granted = step.Scope
		}
		if step.Outcome == "refused" {
			refused += step.Operation
		}
	}
	if strings.Contains(granted, "members:invite") || !strings.Contains(granted, "members:read") ||
		refused != "inviteMember" {
		t.Errorf("Grace was granted %q and refused %q", granted, refused)
	}
}

func TestTryWalksTheLoopOfAConsumerProject(t *testing.T) {
	app, emulator := development(t, "--vertical", "consumer")
	code, stdout, stderr := execute(t, nil, "try", "--url", app, "--emulator", emulator, "--as", "ada@example.com")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"0 warnings, 0 errors", "13 operations", "getUserInfo {}",
		`"user_id":"user-test-cccccccc-0000-4000-8000-000000000001"`, "refresh"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "rganization") || strings.Contains(stdout, "ember") {
		t.Errorf("a Consumer project speaks of organizations:\n%s", stdout)
	}
}

func TestTryEndsWithThePagesWordsForAStranger(t *testing.T) {
	app, emulator := development(t)
	code, stdout, stderr := execute(t, nil, "try", "--url", app, "--emulator", emulator, "--as",
		"nobody@acme.example")
	if code != 1 || !strings.Contains(stderr, "the page says: nobody@acme.example does not have an account.\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestTryCallsOneOperation(t *testing.T) {
	app, emulator := development(t, "--access", "roles")
	try := func(args ...string) (int, string) {
		code, stdout, stderr := execute(t, nil, append([]string{"try", "--url", app, "--emulator", emulator, "--as",
			"grace@acme.example"}, args...)...)
		return code, stdout + stderr
	}
	if code, output := try("--call", "listMembers", "search=hopper", "limit=5"); code != 0 || !strings.Contains(output,
		"grace@acme.example") {
		t.Errorf("exit code %d\n%s", code, output)
	}
	if code, output := try("--call", "inviteMember", "email=x@acme.example", "name=X"); code != 1 ||
		!strings.Contains(output, "403") {
		t.Errorf("exit code %d\n%s", code, output)
	}
	for words, want := range map[string]string{
		"listMembers colour=red": "guestpass: listMembers has no argument colour: it takes search, status, limit, " +
			"cursor",
		"createTask":      "guestpass: createTask needs title: write title=…\n",
		"getUserInfo x=1": "guestpass: getUserInfo has no argument x: it takes none\n",
	} {
		code, output := try(append([]string{"--call"}, strings.Fields(words)...)...)
		if code != 2 || !strings.Contains(output, want) || strings.Contains(output, "authorize") {
			t.Errorf("%s: exit code %d\n%s", words, code, output)
		}
	}
	if code, output := try("--call", "deleteEverything"); code != 2 || !strings.Contains(output, "listMembers") {
		t.Errorf("exit code %d\n%s", code, output)
	}
}

// TestDevsHintWorksAsItIsPrinted pastes the line that a built program prints into a shell.
func TestDevsHintWorksAsItIsPrinted(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it needs a browser")
	}
	spaced := filepath.Join(t.TempDir(), "my guestpass") // with a blank, as folders have them
	if err := os.Symlink(program(t), spaced); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"other ports", "ada@acme.example", []string{"--addr", "localhost:0", "--emulator-addr", "localhost:0"}},
		{"addresses, of users", "ada@example.com",
			[]string{"--addr", "[::1]:0", "--emulator-addr", "127.0.0.1:0", "--vertical", "consumer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := newFollower()
			dev := exec.Command(spaced, append([]string{"dev"}, tt.args...)...)
			dev.Stdout = out
			if err := dev.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = dev.Process.Signal(os.Interrupt)
				_ = dev.Wait()
			}()
			for _, as := range []string{`--mcp .*`, `--[^m].*`} {
				hint := out.wait(t, `(?m)^  (.* try `+as+`)$`)[1]
				output, err := exec.Command("sh", "-c", hint+" --call getUserInfo").CombinedOutput()
				if err != nil || !strings.Contains(string(output), tt.want) {
					t.Errorf("%s: %v\n%s", hint, err, output)
				}
			}
		})
	}
}

func TestTheHintIsForThisServer(t *testing.T) {
	people := []string{"ada@acme.example (admin)", "grace@acme.example"}
	for _, tt := range []struct{ app, emulator, methods, want string }{
		{"http://localhost:8080", "http://localhost:8081", "email_code", "try --as ada@acme.example"},
		{"http://localhost:19080", "http://localhost:8081", "email_code",
			"try --url http://localhost:19080 --as ada@acme.example"},
		{"http://localhost:8080", "http://localhost:19081", "google,email_code",
			"try --emulator http://localhost:19081 --as ada@acme.example"},
		{"http://[::1]:8080", "http://localhost:8081", "email_code",
			"try --url 'http://[::1]:8080' --as ada@acme.example"},
		{"https://a.example.com", "http://localhost:19081", "password", "try --url https://a.example.com"},
	} {
		settings := config{PublicURL: tt.app, LoginMethods: strings.Split(tt.methods, ",")}
		got := tryHint("try", settings, people, tt.emulator)
		if want := "go run guestpass/cli " + tt.want; got != want { // as go test runs this program
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for word, want := range map[string]string{"a b": "'a b'", "it's": `'it'\''s'`, "$(id)": "'$(id)'", "": "''",
		"bin/guestpass": "bin/guestpass"} {
		if got := shellWord(word); got != want {
			t.Errorf("%q is written %s, want %s", word, got, want)
		}
	}
}

func TestDevSpeaksOfMCPWhereThereIsSome(t *testing.T) {
	for setting, want := range map[string]bool{"on": true, "off": false} {
		var out strings.Builder
		devSettings{}.announce(&out, config{MCP: setting, PublicURL: defaultAppURL}, developmentSeed("b2b"),
			defaultEmulatorURL)
		if got := strings.Contains(out.String(), defaultAppURL+"/mcp"); got != want ||
			strings.Contains(out.String(), "try --mcp") != want {
			t.Errorf("with GUESTPASS_MCP=%s it prints\n%s", setting, &out)
		}
	}
}

func TestTryWithoutAServerSaysSo(t *testing.T) {
	code, _, stderr := execute(t, nil, "try", "--url", "http://localhost:1")
	if code != 1 || !strings.Contains(stderr, "is `guestpass dev` running?") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestOpenAPIPrintsWhatIsPublished(t *testing.T) {
	app, _ := development(t)
	published := get(t, app+"/openapi.json")
	code, stdout, stderr := execute(t, nil, "openapi", "--public-url", app)
	if code != 0 || strings.TrimSpace(stdout) != published {
		t.Errorf("exit code %d, %d bytes printed, %d published: %s", code, len(stdout), len(published), stderr)
	}
	code, stdout, _ = execute(t, environ(), "openapi")
	if code != 0 || !strings.Contains(stdout, `"https://gpt.example.com"`) || !strings.Contains(stdout,
		`"https://gpt.example.com/oauth2/token"`) {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

func TestVerticals(t *testing.T) {
	app, emulator := development(t, "--vertical", "consumer")
	if state := get(t, emulator+"/_emulator/state"); !strings.Contains(state,
		stytchtest.DevelopmentConsumer().Project.ID) {
		t.Errorf("the emulator is of another project: %s", state)
	}
	published := get(t, app+"/openapi.json")
	if !strings.Contains(published, "user_id") || strings.Contains(published, "organization") {
		t.Errorf("published is %s", published)
	}
	for name, tt := range map[string]struct {
		environ []string
		args    []string
	}{
		"by flag":                  {nil, []string{"--vertical", "consumer"}},
		"by environment":           {[]string{"STYTCH_VERTICAL=consumer"}, nil},
		"by flag over environment": {[]string{"STYTCH_VERTICAL=b2b"}, []string{"--vertical", "consumer"}},
	} {
		code, stdout, stderr := execute(t, tt.environ, append([]string{"openapi", "--public-url", app},
			tt.args...)...)
		if code != 0 || strings.TrimSpace(stdout) != published {
			t.Errorf("%s: exit code %d, %s\n%s", name, code, stdout, stderr)
		}
	}
	if code, stdout, stderr := execute(t, environ("STYTCH_VERTICAL=consumer"), "openapi"); code != 0 ||
		strings.Contains(stdout, "member") {
		t.Errorf("a live project: exit code %d, %s\n%s", code, stdout, stderr)
	}
}

// transcript is what README shows: the output with the ports that people will see
// and without what differs from run to run.
func transcript(stdout, app string) string {
	text := strings.ReplaceAll(stdout, app, "http://localhost:8080")
	text = strings.ReplaceAll(text, strings.TrimPrefix(app, "http://"), "localhost:8080")
	text = regexp.MustCompile(`(guest|call)-[a-z0-9]{6}\b`).ReplaceAllString(text, "${1}-k3x9ab")
	text = regexp.MustCompile(
		`member-test-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).ReplaceAllStringFunc(text,
		func(id string) string {
			if strings.HasPrefix(id, "member-test-aaaaaaaa-0000") {
				return id
			}
			return "member-test-0b1e7c5a-…"
		})
	text = regexp.MustCompile(`(tsk|cmt|act)_[a-z2-7]{16}`).ReplaceAllString(text, "${1}_k3x9ab7qmw2zt5dv")
	return regexp.MustCompile(`"20\d\d-[0-9T:-]*Z?`).ReplaceAllStringFunc(text, func(date string) string {
		if strings.HasPrefix(date, `"2030`) { // our own
			return date
		}
		return `"2026-11-25T12:00:00Z`[:len(date)] // it may have been cut
	})
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestTheDatabaseIsLookedAfterFromTheCommandLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guestpass.db")
	environ := []string{"GUESTPASS_DATABASE_URL=sqlite:" + path}
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"migrate status", 1, ""}, // which says that there is no file, and makes none
		{"migrate up", 1, ""},
		{"migrate down-to 6", 1, ""},
		{"backup " + path + ".copy", 1, ""},
		{"touch", 0, ""},
		{"migrate up", 0, "the schema is up to date"},
		{"migrate status", 0, "applied  tasks/00001_tasks.sql"},
		{"migrate down-to", 2, ""},
		{"migrate down-to six", 2, ""},
		{"migrate down-to 6 6", 2, ""},
		{"migrate down-to notes/6", 1, ""},
		{"migrate down-to 0 tasks/0", 2, ""}, // which names what would be lost
		{"migrate down-to tasks/6", 0, "undone  tasks/00007_words.sql"},
		{"migrate status", 1, "missing  tasks/00007_words.sql"},
		{"backup " + path + ".before", 0, "is a whole copy"}, // as one makes before an upgrade
		{"audit verify", 0, "0 rows, all as they were written"},
		{"migrate down-to tasks/5", 0, "undone  tasks/00006_growth.sql"},
		{"migrate down-to 0 tasks/0", 2, ""},
		{"migrate up", 0, "the schema is up to date"},
		{"audit verify", 0, "0 rows, all as they were written"},
		{"backup " + path + ".copy", 0, "is a whole copy"},
		{"backup " + path + ".copy", 1, ""}, // which would overwrite it
		{"backup", 2, ""},
	} {
		if tt.args == "touch" {
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
				t.Errorf("there is %v, %v", left, err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		code, stdout, stderr := execute(t, environ, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(stdout, tt.want) {
			t.Errorf("%s: exit code %d, %s%s", tt.args, code, stdout, stderr)
		}
		if tt.args == "migrate down-to 0 tasks/0" && (!strings.Contains(stderr, "would be lost") ||
			strings.Contains(stderr, "migrate up")) {
			t.Errorf("%s: %s", tt.args, stderr)
		}
	}
	for _, url := range []string{"mysql://root:hunter2@db/x", "guestpass.db"} {
		if code, _, stderr := execute(t, []string{"GUESTPASS_DATABASE_URL=" + url}, "audit", "verify"); code != 2 ||
			!strings.Contains(stderr, "must be sqlite:PATH or postgres://") || strings.Contains(stderr, "hunter2") {
			t.Errorf("%s: exit code %d, %s", url, code, stderr)
		}
	}
}

// TestAnEmptyDatabaseIsToldInWords: whoever has a Postgres made and no tables yet is not shown its error.
func TestAnEmptyDatabaseIsToldInWords(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{postgrestest.Shared(t).Database(t), "sqlite:" + empty} {
		for _, command := range []string{"audit verify", "backup copy.db", "migrate status"} {
			code, _, stderr := execute(t, []string{"GUESTPASS_DATABASE_URL=" + url}, strings.Fields(command)...)
			if code != 1 || !strings.Contains(stderr, "run `guestpass migrate up`") || strings.Contains(stderr, "SQL") {
				t.Errorf("%s, %s: exit code %d, %s", url, command, code, stderr)
			}
		}
	}
}

func TestEveryCommandForDevelopmentIsKnownToTheOtherBuild(t *testing.T) {
	var names []string
	for _, command := range developmentCommands(nil) {
		names = append(names, command.Name())
	}
	if !slices.Equal(names, forDevelopment) {
		t.Errorf("the commands are %q, the list has %q", names, forDevelopment)
	}
}

// TestPublishedDocumentsAreAsReviewed holds what a GPT imports against testdata, which
// people read: go test ./cli -update writes it anew.
func TestPublishedDocumentsAreAsReviewed(t *testing.T) {
	for _, vertical := range []string{"b2b", "consumer"} {
		name := filepath.Join("testdata", vertical+".json")
		code, document, stderr := execute(t, environ(), "openapi", "--vertical", vertical)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		if *update {
			if err := os.WriteFile(name, []byte(document), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(document)); err != nil || len(document) > 100_000 ||
			compact.Len() > 100_000 {
			t.Errorf("%s has %d bytes, compact %d: %v", vertical, len(document), compact.Len(), err)
		}
		if document != readFile(t, name) {
			t.Errorf("the document of %s has changed: read what is different after go test ./cli -update, "+
				"and commit it if it is meant", vertical)
		}
	}
}
