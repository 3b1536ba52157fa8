//go:build !production

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"guestpass/stytchtest"
)

// freePort returns a port that the system has just chosen, for programs that must know theirs beforehand.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// in runs the program once, with an answer on its standard input.
func in(t *testing.T, answer string, environ []string, args ...string) (code int, out string) {
	t.Helper()
	var both bytes.Buffer
	root := newRoot(environ)
	root.SetArgs(args)
	root.SetIn(strings.NewReader(answer))
	root.SetOut(&both)
	root.SetErr(&both)
	if err := root.ExecuteContext(t.Context()); err != nil {
		both.WriteString(err.Error())
		code = 1
	}
	return code, both.String()
}

// TestFourCommandsFromNothing: set up, serve, ask the doctor, try, with nothing but a folder, and stop. What was set up
// is there when the server starts anew.
func TestFourCommandsFromNothing(t *testing.T) {
	for vertical, somebody := range map[string]string{"b2b": "ada@acme.example", "consumer": "ada@example.com"} {
		t.Run(vertical, func(t *testing.T) {
			t.Chdir(t.TempDir())
			public := "http://localhost:" + freePort(t)
			code, out, stderr := execute(t, nil, "setup", "--yes", "--vertical", vertical, "--public-url", public,
				"--emulator-addr", "localhost:"+freePort(t))
			if code != 0 || !strings.Contains(out, "the emulator on this machine stands in") {
				t.Fatalf("exit code %d\n%s%s", code, out, stderr)
			}
			next := regexp.MustCompile(`\n  \S.* (try --mcp --as \S+)\n`).FindStringSubmatch(out)
			if next == nil || !strings.HasSuffix(next[1], somebody) {
				t.Fatalf("no command to go on with in\n%s", out)
			}
			// The second server goes on where the first has stopped.
			for _, try := range [][]string{strings.Fields(next[1]), {"try", "--as", somebody, "--call",
				"getUserInfo"}} {
				stop := serving(t)
				for _, doctor := range [][]string{{"doctor", "--strict"}, {"doctor", "--strict", public}} {
					if code, out, stderr = execute(t, nil, doctor...); code != 0 {
						t.Errorf("%v: exit code %d\n%s%s", doctor, code, out, stderr)
					}
				}
				code, out, stderr = execute(t, nil, try...)
				if code != 0 || !strings.Contains(out, somebody) {
					t.Errorf("%v: exit code %d\n%s%s", try, code, out, stderr)
				}
				code, out, stderr = execute(t, nil, "setup", "--yes") // while the server runs
				if code != 0 || !strings.Contains(out, "nothing to change") {
					t.Errorf("setup beside the server: exit code %d\n%s%s", code, out, stderr)
				}
				stop()
			}
			code, out, stderr = execute(t, nil, "setup", "--yes") // and without it
			if code != 0 || !strings.Contains(out, "nothing to change") {
				t.Errorf("setup again: exit code %d\n%s%s", code, out, stderr)
			}
		})
	}
}

// serving runs guestpass serve with the settings of the folder.
func serving(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log, done := newFollower(), make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve"}, []string{"GUESTPASS_STOP_GRACE=0s"}, io.Discard, log)
		close(log.ended)
	}()
	log.wait(t, `"msg":"serving"`)
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("serve: exit code %d\n%s", code, log)
		}
	})
	t.Cleanup(stop) // in the same folder, also if the test ends in between
	return stop
}

// TestAnEmulatorThatRunsStandsIn: what it has is set up, and it is no business of the server to run it.
func TestAnEmulatorThatRunsStandsIn(t *testing.T) {
	t.Chdir(t.TempDir())
	s := stytchtest.NewServer(t, stytchtest.Options{})
	address := strings.TrimPrefix(s.URL, "http://")
	code, out, stderr := execute(t, nil, "setup", "--yes", "--emulator-addr", address)
	if code != 0 || !strings.Contains(out, "project guestpass-demo (b2b)") ||
		strings.Contains(readFile(t, ".env"), "GUESTPASS_EMULATOR") {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	before := changesSeen(s)
	code, out, stderr = execute(t, nil, "setup", "--yes")
	if code != 0 || !strings.Contains(out, "nothing to change") || changesSeen(s) != before {
		t.Errorf("again: exit code %d\n%s%s", code, out, stderr)
	}
}

// atEmulator are the settings of a workspace's key at an emulator whose workspace is empty.
func atEmulator(t *testing.T, change ...func(*stytchtest.Seed)) (s *stytchtest.Server, environ []string) {
	t.Helper()
	t.Chdir(t.TempDir())
	seed := stytchtest.Development()
	seed.Project.NoProject = true
	for _, c := range change {
		c(&seed)
	}
	s = stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	return s, []string{"STYTCH_WORKSPACE_KEY_ID=" + seed.Project.WorkspaceKey, "STYTCH_BASE_URL=" + s.URL,
		"STYTCH_WORKSPACE_SECRET=" + seed.Project.WorkspaceSecret, "STYTCH_DOMAIN=" + s.URL,
		"GUESTPASS_PUBLIC_URL=http://localhost:8080"}
}

func changesSeen(s *stytchtest.Server) (n int) {
	for _, r := range s.Requests() {
		if r.Method != http.MethodGet && !strings.HasSuffix(r.Path, "/search") {
			n++
		}
	}
	return n
}

// TestSetupAsksBeforeItChangesAnything, and does nothing unless the answer is yes.
func TestSetupAsksBeforeItChangesAnything(t *testing.T) {
	s, environ := atEmulator(t)
	for name, tt := range map[string]struct {
		answer string
		args   []string
		code   int
	}{"no": {"n\n", nil, 1}, "nothing": {"", nil, 1}, "another word": {"yesterday\n", nil, 1},
		"dry": {"y\n", []string{"--dry-run"}, 0}, "dry, and not asked": {"", []string{"--dry-run", "--yes"}, 0},
		"by hand": {"", []string{"--print"}, 0}} {
		code, out := in(t, tt.answer, environ, append([]string{"setup"}, tt.args...)...)
		if code != tt.code || changesSeen(s) > 0 {
			t.Errorf("%s: exit code %d, %d changes\n%s", name, code, changesSeen(s), out)
		}
		if _, err := os.Stat(".env"); err == nil {
			t.Fatalf("%s: a file was written", name)
		}
		if planned := strings.Contains(out, "+ scope tasks:write"); planned != (name != "by hand") {
			t.Errorf("%s: no plan in\n%s", name, out)
		}
	}
	code, out := in(t, "y\n", environ, "setup")
	if code != 0 || changesSeen(s) == 0 || !strings.Contains(out, "Do all of this? [y/N]") ||
		!strings.Contains(out, "confirmed by "+s.URL) {
		t.Errorf("exit code %d\n%s", code, out)
	}
	before := changesSeen(s)
	code, out = in(t, "", environ, "setup")
	if code != 0 || changesSeen(s) != before || !strings.Contains(out, "nothing to change") || strings.Contains(out,
		"[y/N]") {
		t.Errorf("again: exit code %d, %d changes\n%s", code, changesSeen(s)-before, out)
	}
}

// TestAQuestionCanBeInterrupted, and then nothing was changed.
func TestAQuestionCanBeInterrupted(t *testing.T) {
	s, environ := atEmulator(t)
	unanswered, ask := io.Pipe()
	defer ask.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out bytes.Buffer
	root := newRoot(environ)
	root.SetArgs([]string{"setup"})
	root.SetIn(readingThen{unanswered, interrupt})
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(ctx)
	if !errors.Is(err, errQuiet) || changesSeen(s) > 0 || !strings.HasSuffix(out.String(), "\nNothing was changed.\n") {
		t.Errorf("%v, %d changes\n%s", err, changesSeen(s), &out)
	}
}

// A readingThen does something once it is read.
type readingThen struct {
	io.Reader
	do func()
}

func (r readingThen) Read(p []byte) (int, error) {
	r.do()
	return r.Reader.Read(p)
}

// TestSecretsGoIntoTheFileAlone, which others cannot read, unless somebody wants to see them.
func TestSecretsGoIntoTheFileAlone(t *testing.T) {
	s, environ := atEmulator(t)
	if err := os.WriteFile(".env", []byte("# ours\nGUESTPASS_TITLE='Acme Tasks'\nOTHER_PROGRAM=\"$HOME\"\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	_, first, errFirst := execute(t, environ, "setup", "--yes")
	_, second, errSecond := execute(t, environ, "setup", "--yes")
	state := s.Export()
	secrets := []string{state.Project.Secret, state.ConnectedApps[0].ClientSecret, state.Project.WorkspaceSecret,
		state.Project.WorkspaceKey}
	for _, secret := range secrets {
		if strings.Contains(first+errFirst+second+errSecond, secret) {
			t.Errorf("a secret is on the terminal:\n%s%s", first, errFirst)
		}
	}
	content := readFile(t, ".env")
	info, err := os.Stat(".env")
	if err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(content,
		"# ours\nGUESTPASS_TITLE='Acme Tasks'\nOTHER_PROGRAM=\"$HOME\"\n") ||
		!strings.Contains(content, "STYTCH_SECRET="+secrets[0]+"\n") || strings.Contains(content, secrets[2]) {
		t.Errorf("mode %v, %v\n%s", info.Mode(), err, content)
	}
	if _, out, _ := execute(t, environ, "setup", "--yes", "--show-secrets"); !strings.Contains(out,
		"STYTCH_SECRET="+secrets[0]) || !strings.Contains(out, "GUESTPASS_TRY_CLIENT_ID="+
		state.ConnectedApps[0].ClientID+"\nGUESTPASS_TRY_CLIENT_SECRET="+secrets[1]) {
		t.Errorf("no secret where it was asked for:\n%s", out)
	}
	if _, out, stderr := execute(t, nil, "gpt", "--env-file", ".env"); !strings.Contains(out,
		state.ConnectedApps[0].ClientID+"\n") || strings.Contains(out+stderr, secrets[1]) {
		t.Errorf("guestpass gpt does not name the app, or names its secret:\n%s%s", out, stderr)
	}
	var c config
	if c, err = readConfig([]string{}, nil); err != nil {
		t.Fatal(err)
	}
	if name := state.ConnectedApps[1].Name; name != "Acme Tasks" || c.Title != defaultTitle {
		t.Errorf("the connected app is called %q", name)
	}
}

// TestNothingIsMadeThatCannotBeWrittenDown: whatever is wrong with the file, Stytch is asked for nothing.
func TestNothingIsMadeThatCannotBeWrittenDown(t *testing.T) {
	s, environ := atEmulator(t)
	nearlyFull := "# " + strings.Repeat("x", 64<<10-600) + "\n"
	for name, text := range map[string]string{"full.env": nearlyFull,
		"twice.env": "STYTCH_SECRET=\nSTYTCH_SECRET=\n", "file": ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{os.DevNull: "/dev/null is no regular file",
		"nope/dir/.env": "no file can be made in the folder nope/dir: no such file or directory",
		"file/.env":     "not a directory",
		"full.env":      "full.env would have more than 65536 bytes",
		"twice.env":     "STYTCH_SECRET"} {
		code, out, stderr := execute(t, environ, "setup", "--yes", "--env-file", file)
		if code != 2 || changesSeen(s) > 0 || !strings.Contains(stderr, want) || strings.Contains(out+stderr,
			"settings are in") {
			t.Errorf("%s: exit code %d, %d changes\n%s%s", file, code, changesSeen(s), out, stderr)
		}
	}
	if left, _ := filepath.Glob("*.partial-*"); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

// TestWhatTheEnvironmentSaysIsNotWrittenBeside it: with a wrong secret every run would make another one.
func TestWhatTheEnvironmentSaysIsNotWrittenBesideIt(t *testing.T) {
	s, environ := atEmulator(t)
	if code, out, stderr := execute(t, environ, "setup", "--yes"); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	before := changesSeen(s)
	for _, tt := range []struct {
		variable, want string
		args           []string
	}{
		{"STYTCH_SECRET=secret-test-of-before", "STYTCH_SECRET of the environment is refused by Stytch, and it wins " +
			"over .env: unset it", nil},
		{"GUESTPASS_PUBLIC_URL=http://localhost:8080/", "", nil}, // the same, in another form
		{"GUESTPASS_PUBLIC_URL=http://localhost:8080", "GUESTPASS_PUBLIC_URL of the environment is not " +
			"http://localhost:8082", []string{"--public-url", "http://localhost:8082"}},
	} {
		code, out, stderr := execute(t, append(environ, tt.variable), append([]string{"setup", "--yes"}, tt.args...)...)
		if (code == 0) != (tt.want == "") || !strings.Contains(stderr, tt.want) || changesSeen(s) != before {
			t.Errorf("%s: exit code %d\n%s%s", tt.variable, code, out, stderr)
		}
	}
}

// TestSetupWritesWhatServeTakes, into a file of another name.
func TestSetupWritesWhatServeTakes(t *testing.T) {
	s, environ := atEmulator(t)
	file := filepath.Join(t.TempDir(), "acme.env")
	code, out, stderr := execute(t, environ, "setup", "--yes", "--env-file", file)
	if code != 0 || !strings.Contains(out, "serve --env-file "+file) {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	if _, err := os.Stat(".env"); err == nil {
		t.Error("another file was written")
	}
	code, shown, stderr := execute(t, nil, "config", "--json", "--env-file", file)
	var of struct {
		Settings []struct{ Name, Value, From string }
		Unknown  []any
	}
	if err := json.Unmarshal([]byte(shown), &of); err != nil || code != 0 || len(of.Unknown) > 0 {
		t.Errorf("%v, exit code %d\n%s%s", err, code, shown, stderr)
	}
	wants := map[string]string{"STYTCH_DOMAIN": s.URL, "STYTCH_PROJECT_ID": s.Export().Project.ID}
	for _, set := range of.Settings {
		if want := wants[set.Name]; want != "" && (set.Value != want || !strings.HasPrefix(set.From, file)) {
			t.Errorf("%+v", set)
		}
	}
}

// TestWhatIsLeftIsToldAndLookedAt: the steps that no API does.
func TestWhatIsLeftIsToldAndLookedAt(t *testing.T) {
	s, environ := atEmulator(t, func(seed *stytchtest.Seed) { seed.Project.MetadataDocuments = false })
	code, out, _ := execute(t, environ, "setup", "--yes")
	if code != 0 || !strings.Contains(out, "switch on Client ID Metadata Documents") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	response, err := http.Post(s.URL+"/_emulator/project", "application/json",
		strings.NewReader(`{"client_id_metadata_documents":true}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if code, out, _ = execute(t, environ, "setup", "--yes"); code != 0 || strings.Contains(out, "left to you") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	var without []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "STYTCH_DOMAIN=") {
			without = append(without, variable)
		}
	}
	code, out, _ = execute(t, without, "setup", "--yes", "--env-file", "other.env")
	if code != 1 || !strings.Contains(out, "copy the project's domain") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

func TestCallbacksAreRegisteredByTheCommand(t *testing.T) {
	s, environ := atEmulator(t)
	if code, out, stderr := execute(t, environ, "setup", "--yes"); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	has := func(u string) bool {
		return strings.Contains(strings.Join(s.Export().ConnectedApps[0].RedirectURLs, " "), u)
	}
	for _, tt := range []struct {
		answer string
		args   []string
		code   int
		want   string
		has    string
		lacks  string
	}{
		{"n\n", []string{"https://chatgpt.com/aip/g-1/oauth/callback"}, 1, "Nothing was changed", "8090", "g-1"},
		{"", []string{"--dry-run", "https://chatgpt.com/aip/g-1/oauth/callback"}, 0,
			"+ redirect URL https://chat.openai.com",
			"8090", "g-1"},
		{"y\n", []string{"https://chatgpt.com/aip/g-1/oauth/callback"}, 0, "registered",
			"https://chat.openai.com/aip/g-1/",
			"g-2"},
		{"", []string{"--yes", "--tidy", "https://chat.openai.com/aip/g-2/oauth/callback"}, 0,
			"- redirect URL https://chatgpt.com/aip/g-1", "https://chatgpt.com/aip/g-2/", "g-1"},
		{"", []string{"https://chat.openai.com/aip/g-2/oauth/callback"}, 0, "nothing to change", "8090", "g-1"},
		{"", []string{"--yes", "--client-id", "connected-app-test-none",
			"https://chatgpt.com/aip/g-3/oauth/callback"}, 1,
			"no connected app connected-app-test-none", "8090", "g-3"},
		{"", []string{"https://evil.example/aip/g-3/oauth/callback"}, 1, "no callback URL of ChatGPT's", "8090", "g-3"},
	} {
		code, out := in(t, tt.answer, environ[1:2], append([]string{"setup", "callback"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out, tt.want) || !has(tt.has) || has(tt.lacks) {
			t.Errorf("%v: exit code %d\n%s\n%q", tt.args, code, out, s.Export().ConnectedApps[0].RedirectURLs)
		}
	}
}

func TestSetupRefusesWhatCannotBeMeant(t *testing.T) {
	_, environ := atEmulator(t)
	key, secret := environ[0], environ[2]
	if err := os.WriteFile("bad.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		environ []string
		args    []string
		want    string
	}{
		{"half a key", []string{key}, nil, "belong together, and one of them is not set"},
		{"a key, and no public URL", []string{key, secret}, nil, "GUESTPASS_PUBLIC_URL is not set"},
		{"a key, and the emulator", []string{key, secret, "GUESTPASS_EMULATOR=x.json"}, nil,
			"GUESTPASS_EMULATOR says that the emulator stands in, and there is the key of a workspace"},
		{"a project's secret as the key's", []string{"STYTCH_WORKSPACE_SECRET=secret-live-x"}, nil,
			"must be the secret of the workspace's key"},
		{"an emulator elsewhere", nil, []string{"--emulator-addr", "192.0.2.1:80"}, "listens on this machine only"},
		{"a state that is none", []string{"GUESTPASS_EMULATOR=bad.json"}, []string{"--emulator-addr", "localhost:0"},
			"the emulated project in bad.json cannot be used"},
		{"an emulator that does not run", []string{"STYTCH_BASE_URL=http://127.0.0.1:1"}, nil,
			"no emulator answers at STYTCH_BASE_URL"},
		{"two callbacks", nil, []string{"callback", "a", "b"}, "name the one callback URL"},
		{"a callback before anything is set up", nil, []string{"callback",
			"https://chatgpt.com/aip/g-3/oauth/callback"},
			"run `guestpass setup` first"},
		{"a misspelt command", nil, []string{"calback", "https://chatgpt.com/aip/g-3/oauth/callback"},
			"did you mean `guestpass setup callback`?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, stderr := execute(t, tt.environ, append([]string{"setup"}, tt.args...)...)
			if code != 2 || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d\n%s%s", code, out, stderr)
			}
		})
	}
}

// TestAnEmulatorIsNeverPartOfProduction: where a file of settings says that it stands in, the program says no.
func TestAnEmulatorIsServedInDevelopmentAlone(t *testing.T) {
	for _, tt := range []struct{ change, want string }{
		{"GUESTPASS_EMULATOR=state.json", "GUESTPASS_EMULATOR is set and STYTCH_BASE_URL is not"},
		{"GUESTPASS_EMULATOR=state.json", "GUESTPASS_EMULATOR is set together with a live project"},
	} {
		code, _, stderr := execute(t, environ(tt.change), "serve")
		if code != 2 || !strings.Contains(stderr, tt.want) {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	}
	t.Chdir(t.TempDir())
	home := append(environ(atHome("http://localhost:8080")...), "STYTCH_BASE_URL=http://localhost:1",
		"GUESTPASS_EMULATOR=missing.json")
	code, _, stderr := execute(t, home, "serve")
	if code != 2 || !strings.Contains(stderr, "names a file that cannot be read: run `guestpass setup` first") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestTheServersPartGoesWithWhatSetupWrites: the lines that docs/going-live.md appends for the server, and what it
// leaves at home, make a file that serve takes.
func TestTheServersPartGoesWithWhatSetupWrites(t *testing.T) {
	page := readFile(t, "../docs/going-live.md")
	_, block, _ := strings.Cut(page, "<!-- server -->\n```sh\n")
	block, _, found := strings.Cut(block, "```\n<!-- /server -->")
	if !found || !strings.Contains(page, "grep -v '^GUESTPASS_TRY_' .env") {
		t.Fatal("the page has no lines for the server")
	}
	_, environ := atEmulator(t)
	code, out, stderr := execute(t, append(environ, "GUESTPASS_PUBLIC_URL=https://gpt.example.com"), "setup", "--yes",
		"--environment", "test")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	var kept string
	for line := range strings.Lines(readFile(t, ".env")) {
		if !strings.HasPrefix(line, "GUESTPASS_TRY_") {
			kept += line
		}
	}
	database := "sqlite:" + filepath.Join(t.TempDir(), "guestpass.db")
	block = strings.ReplaceAll(block, "sqlite:/var/lib/guestpass/guestpass.db", database)
	if err := os.WriteFile("guestpass.env", []byte(kept+block), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, uncommented := range []bool{false, true} {
		if uncommented {
			block = strings.ReplaceAll(block, "#GUESTPASS_CLIENT_IDS=", "GUESTPASS_CLIENT_IDS=")
			block = strings.ReplaceAll(block, "connected-app-live-…", "connected-app-test-1")
			if err := os.WriteFile("guestpass.env", []byte(kept+block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, out, stderr = execute(t, environ[1:2], "doctor", "--env-file", "guestpass.env")
		if !strings.Contains(out, "ok       settings: ") {
			t.Errorf("%s%s\n%s", out, stderr, kept+block)
		}
	}
}

// TestThePlanOfGoingLiveIsWhatSetupPrints for a project that lacks some of what is needed. The emulator has test
// projects alone, and the page speaks of a live one.
func TestThePlanOfGoingLiveIsWhatSetupPrints(t *testing.T) {
	const public = "https://gpt.example.com"
	page, err := filepath.Abs("../docs/going-live.md")
	if err != nil {
		t.Fatal(err)
	}
	seed := stytchtest.Development()
	p := &seed.Project
	p.Slug, p.Environment, p.Registration = "acme", "production", false
	p.AuthorizationURL, p.RedirectURLs = "https://old.example.com/authorize", stytchtest.RedirectURLs(public+"/idp")
	for i, resource := range seed.Policy.Resources {
		if resource.ID == "tasks" {
			seed.Policy.Resources[i].Actions = []string{"read"}
		}
	}
	for _, role := range seed.Policy.Roles {
		for i, permission := range role.Permissions {
			if permission.ResourceID == "tasks" {
				role.Permissions[i].Actions = []string{"read"}
			}
		}
	}
	seed.Policy.Scopes = slices.DeleteFunc(seed.Policy.Scopes, func(scope stytchtest.CustomScope) bool {
		return scope.Name == "tasks:write"
	})
	seed.ConnectedApps[0].Description = "The GPT of " + public
	seed.ConnectedApps[1].RedirectURLs = []string{public + "/docs"}
	t.Chdir(t.TempDir())
	s := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	file := "STYTCH_SECRET=" + p.Secret + "\nGUESTPASS_TRY_CLIENT_ID=" + seed.ConnectedApps[0].ClientID +
		"\nGUESTPASS_TRY_CLIENT_SECRET=" + seed.ConnectedApps[0].ClientSecret + "\nSTYTCH_VERTICAL=b2b\n" +
		"STYTCH_PROJECT_ID=" + p.ID + "\nSTYTCH_PUBLIC_TOKEN=" + p.PublicToken + "\nGUESTPASS_DOCS_CLIENT_ID=" +
		seed.ConnectedApps[1].ClientID + "\nGUESTPASS_ALLOW_TEST_PROJECT=yes\n"
	if err := os.WriteFile(".env", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := in(t, "n\n", []string{"STYTCH_WORKSPACE_KEY_ID=" + p.WorkspaceKey, "STYTCH_BASE_URL=" + s.URL,
		"STYTCH_WORKSPACE_SECRET=" + p.WorkspaceSecret}, "setup", "--public-url", public, "--domain", s.URL)
	_, plan, found := strings.Cut(out, "Stytch: ")
	plan, _, asked := strings.Cut("Stytch: "+plan, "[y/N]")
	if code != 1 || !found || !asked {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	isShown(t, page, "plan", strings.NewReplacer(p.ID, "project-live-…", s.URL, "your-words-1234.customers.stytch.com").
		Replace(plan)+"[y/N]\n")
}

// TestTheWordsOfScopesAreThoseOfTheAppendix, so that who clicks and who runs setup have people read the same.
func TestTheWordsOfScopesAreThoseOfTheAppendix(t *testing.T) {
	page := strings.Join(strings.Fields(readFile(t, "../docs/going-live.md")), " ")
	for name, words := range scopeWords() {
		if !strings.Contains(page, fmt.Sprintf("`%s` (%q)", name, words)) {
			t.Errorf("docs/going-live.md does not have %s (%q)", name, words)
		}
	}
	c, err := readConfig(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	needs, err := c.needs("b2b")
	if err != nil {
		t.Fatal(err)
	}
	for _, need := range needs {
		if scopeWords()[need.Scope] != need.Description {
			t.Errorf("nobody has declared words for %s: %s", need.Scope, need.Description)
		}
	}
}

// TestTheDomainIsAskedWhatCameOfIt: what no API tells is seen in what the project publishes, in the doctor's words.
func TestTheDomainIsAskedWhatCameOfIt(t *testing.T) {
	other := stytchtest.NewServer(t, stytchtest.Options{})
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"issuer":"https://login.example.com"}`)
	}))
	defer stranger.Close()
	for name, tt := range map[string]struct{ domain, want string }{
		"another project's": {other.URL, "keys: " + other.URL + " has none of the project's keys"},
		"another name":      {stranger.URL, "issuer: STYTCH_DOMAIN is not the issuer that Stytch names"},
		"nobody there":      {"http://127.0.0.1:1", "issuer: the metadata of http://127.0.0.1:1 could not"},
	} {
		_, environ := atEmulator(t)
		code, out, stderr := execute(t, append(environ, "STYTCH_DOMAIN="+tt.domain), "setup", "--yes")
		if code != 1 || !strings.Contains(out, "\nnot as it must be: "+tt.want) || strings.Contains(out, "Next:") {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, stderr)
		}
	}
	_, environ := atEmulator(t, func(seed *stytchtest.Seed) { seed.Project.MetadataDocuments = false })
	_, out, _ := execute(t, environ, "setup", "--yes", "--dynamic-registration=false")
	if !strings.Contains(out, "[ ] switch on Client ID Metadata Documents") || strings.Contains(out,
		"switch on Dynamic Client Registration") || !strings.Contains(out, "the domain has the project's keys") {
		t.Errorf("%s", out)
	}
}
