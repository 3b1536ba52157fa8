//go:build !production

package cli

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"guestpass/stytchtest"
)

// setUpHere sets an emulated project up in a folder of its own, and returns the server's public URL and the emulator's.
func setUpHere(t *testing.T) (public, emulator string) {
	t.Helper()
	t.Chdir(t.TempDir())
	public, address := "http://localhost:"+freePort(t), "localhost:"+freePort(t)
	if code, out, stderr := execute(t, nil, "setup", "--yes", "--public-url", public, "--emulator-addr",
		address); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	return public, "http://" + address
}

// TestAChangeIsKeptBeforeItIsAnswered: a server that is killed loses nothing of its emulated project.
func TestAChangeIsKeptBeforeItIsAnswered(t *testing.T) {
	_, address := setUpHere(t)
	stop := serving(t)
	defer stop()
	before := readFile(t, stateFile)
	response, err := http.Get(address + "/")
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if !strings.Contains(string(page), "kept in <code>"+stateFile) || readFile(t, stateFile) != before {
		t.Error("the page does not name the file, or looking at it has changed the file")
	}
	response, err = http.Post(address+"/_emulator/project", "application/json",
		strings.NewReader(`{"client_id_metadata_documents":false}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if readFile(t, stateFile) == before {
		t.Error("a change is answered, and not in the file")
	}
	if code, out, stderr := execute(t, nil, "setup", "callback", "--yes",
		"https://chatgpt.com/aip/g-kept/oauth/callback"); code != 0 ||
		!strings.Contains(readFile(t, stateFile), "aip/g-kept") {
		t.Errorf("exit code %d, and a callback that is registered is not in the file\n%s%s", code, out, stderr)
	}
}

// A folderWatch copies both files of a folder whenever setup says that it begins with something.
type folderWatch struct{ states, settings []string }

func (w *folderWatch) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "setting up: ") {
		w.copy()
	}
	return len(text), nil
}

func (w *folderWatch) copy() {
	state, _ := os.ReadFile(stateFile)
	settings, _ := os.ReadFile(standardFile)
	w.states, w.settings = append(w.states, string(state)), append(w.settings, string(settings))
}

// TestAnInterruptedSetupIsGoneOnWith, wherever it was killed: between two changes, and between what a change writes to
// the emulated project and what it writes to the settings.
func TestAnInterruptedSetupIsGoneOnWith(t *testing.T) {
	t.Chdir(t.TempDir())
	w := &folderWatch{}
	setup := []string{"setup", "--yes", "--public-url", "http://localhost:" + freePort(t), "--emulator-addr",
		"localhost:" + freePort(t)}
	var stderr strings.Builder
	if code := run(t.Context(), setup, nil, w, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	w.copy()
	if len(w.states) < 10 || w.states[0] != "" || w.settings[0] != "" {
		t.Fatalf("%d changes seen, the first after\n%s%s", len(w.states), w.states[0], w.settings[0])
	}
	again := func(state, settings string) {
		t.Helper()
		t.Chdir(t.TempDir())
		for name, text := range map[string]string{stateFile: state, standardFile: settings} {
			if text == "" {
				continue
			}
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if code, out, stderr := execute(t, nil, setup...); code != 0 {
			t.Errorf("exit code %d\n%s%s after\n%s", code, out, stderr, settings)
		}
		if code, out, stderr := execute(t, nil, "setup"); code != 0 || !strings.Contains(out, "nothing to change") {
			t.Errorf("again: exit code %d\n%s%s after\n%s", code, out, stderr, settings)
		}
	}
	for i := range w.states {
		again(w.states[i], w.settings[i])
		if i > 0 && w.states[i] != w.states[i-1] && w.settings[i] != w.settings[i-1] {
			again(w.states[i], w.settings[i-1])
		}
	}
}

// TestAChangeThatCannotBeKeptIsNoSuccess: the folder of the emulated project is gone.
func TestAChangeThatCannotBeKeptIsNoSuccess(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("gone", 0o700); err != nil {
		t.Fatal(err)
	}
	kept, err := openEmulator("gone/"+stateFile, "b2b", "localhost:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.listener.Close()
	change := func() *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "http://localhost/_emulator/project",
			strings.NewReader(`{"client_id_metadata_documents":false}`))
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Content-Type", "application/json")
		kept.ServeHTTP(w, r)
		return w
	}
	if err := os.Remove("gone"); err != nil {
		t.Fatal(err)
	}
	if w := change(); w.Code != http.StatusInternalServerError ||
		!strings.HasPrefix(w.Body.String(), "the change cannot be kept: ") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if err := os.Mkdir("gone", 0o700); err != nil {
		t.Fatal(err)
	}
	if w := change(); w.Code != http.StatusOK || readFile(t, "gone/"+stateFile) == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestABrokenStateIsToldWithTheWayOut, by setup and by serve.
func TestABrokenStateIsToldWithTheWayOut(t *testing.T) {
	setUpHere(t)
	for _, text := range []string{"", "null", "{}", `{"project":{}}`, "[", "\x00", `{"project":{"vertical":"b2b"}}`} {
		if err := os.WriteFile(stateFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"setup", "serve"} {
			code, out, stderr := execute(t, nil, command)
			if code != 2 || !strings.Contains(stderr, "the emulated project in "+stateFile+" cannot be used: ") ||
				!strings.Contains(stderr, "delete it and the file of settings") {
				t.Errorf("%q, %s: exit code %d\n%s%s", text, command, code, out, stderr)
			}
		}
	}
}

// TestOneSetupWorksInAFolder at a time, and leaves no lock behind.
func TestOneSetupWorksInAFolder(t *testing.T) {
	setUpHere(t)
	if _, err := os.Stat(lockFile); err == nil {
		t.Error("a lock is left behind")
	}
	lock := flock.New(lockFile)
	if held, err := lock.TryLock(); err != nil || !held {
		t.Fatal(held, err)
	}
	for _, args := range [][]string{{"setup", "--yes"}, {"setup", "callback", "--yes",
		"https://chatgpt.com/aip/g-1/oauth/callback"}} {
		code, out, stderr := execute(t, nil, args...)
		if code != 2 || !strings.Contains(stderr, "another `guestpass setup` is at work in the folder of .env") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, stderr)
		}
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := execute(t, nil, "setup", "--yes"); code != 0 { // a file that a killed run has left
		t.Errorf("exit code %d\n%s%s", code, out, stderr)
	}
}

// TestAnotherEmulatorIsNotTakenForTheProjects: that of guestpass dev forgets its project, and has the usual ports.
func TestAnotherEmulatorIsNotTakenForTheProjects(t *testing.T) {
	_, address := setUpHere(t)
	host := strings.TrimPrefix(address, "http://")
	ctx, stop := context.WithCancel(t.Context())
	log, ended := newFollower(), make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"dev", "--env-file", os.DevNull, "--addr", "localhost:0", "--emulator-addr", host},
			nil, io.Discard, log)
		close(log.ended)
	}()
	log.wait(t, `"msg":"serving"`)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"setup", "--yes"}, "has another project than .env, such as that of `guestpass dev`: stop it first"},
		{[]string{"serve"}, "in use by another program, such as `guestpass dev`: stop it"},
	} {
		if code, out, stderr := execute(t, nil, tt.args...); code != 2 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: exit code %d\n%s%s", tt.args, code, out, stderr)
		}
	}
	stop()
	<-ended
}

// TestAnEmulatorThatRunsIsSetUpIfItIsNamed alone: what is found at the usual address may be that of guestpass dev.
func TestAnEmulatorThatRunsIsSetUpIfItIsNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	s := stytchtest.NewServer(t, stytchtest.Options{})
	address := strings.TrimPrefix(s.URL, "http://")
	found := newRoot(nil)
	setup, _, err := found.Find([]string{"setup"})
	if err != nil {
		t.Fatal(err)
	}
	if err := setup.Flags().Lookup(emulatorAddrFlag).Value.Set(address); err != nil { // as if it were the default
		t.Fatal(err)
	}
	found.SetArgs([]string{"setup", "--yes"})
	found.SetOut(io.Discard)
	found.SetErr(io.Discard)
	err = found.ExecuteContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "such as that of `guestpass dev`") || changesSeen(s) > 0 {
		t.Errorf("%v, %d changes", err, changesSeen(s))
	}
	if _, err := os.Stat(".env"); err == nil {
		t.Error("a file was written")
	}
}

// TestAFolderHasOneEmulatedProject: what cannot go together is told with the way out.
func TestAFolderHasOneEmulatedProject(t *testing.T) {
	_, address := setUpHere(t)
	check := func(code int, want string, args ...string) {
		t.Helper()
		if got, out, stderr := execute(t, nil, args...); got != code || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d\n%s%s", args, got, out, stderr)
		}
	}
	const wayOut = "work in another folder, or delete .env and guestpass-emulator.json to begin anew"
	check(2, wayOut, "setup", "--yes", "--vertical", "consumer")
	code, out, stderr := execute(t, []string{"STYTCH_SECRET=secret-test-wrong"}, "setup", "--yes")
	if code != 1 || !strings.Contains(stderr, "STYTCH_SECRET of the environment is refused by Stytch, and it wins") {
		t.Errorf("exit code %d\n%s%s", code, out, stderr)
	}
	check(2, "says that `guestpass serve` runs the emulated project of this folder", "dev")
	stop := serving(t)
	check(2, wayOut, "setup", "--yes", "--vertical", "consumer", "--emulator-addr", strings.TrimPrefix(address,
		"http://"))
	stop()
	if err := os.Remove(stateFile); err != nil {
		t.Fatal(err)
	}
	check(2, "delete both files to begin anew, or work in another folder", "setup", "--yes")
}

// TestNoEmulatorStandsInForAProjectAtStytch: without credentials that is said at once, and nothing is planned.
func TestNoEmulatorStandsInForAProjectAtStytch(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{"--public-url", "https://gpt.example.com"}, {"--environment", "live"},
		{"--public-url", "http://localhost:8080", "--domain", "words-1234.customers.stytch.com"}} {
		code, out, stderr := execute(t, nil, append([]string{"setup", "--yes"}, args...)...)
		if code == 0 || !strings.Contains(stderr, "there is neither a workspace's key") &&
			!strings.Contains(stderr, "GUESTPASS_PUBLIC_URL is not set") || strings.Contains(out, "+ ") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, stderr)
		}
	}
}

// TestWhereTheEmulatorIsPartOfTheServer, what to start is said, and nothing of Stytch.
func TestWhereTheEmulatorIsPartOfTheServer(t *testing.T) {
	public, _ := setUpHere(t)
	const start = "start `guestpass serve`: it runs the emulator"
	code, out, stderr := execute(t, nil, "doctor")
	if code != 2 || !strings.Contains(out, start) || strings.Contains(out, "status.stytch.com") {
		t.Errorf("doctor: exit code %d\n%s%s", code, out, stderr)
	}
	for _, try := range [][]string{{"try"}, {"try", "--mcp"}} {
		if code, out, stderr = execute(t, nil, try...); code != 1 || !strings.Contains(stderr, start) {
			t.Errorf("%v: exit code %d\n%s%s", try, code, out, stderr)
		}
	}
	if _, _, stderr = execute(t, nil, "doctor", public); strings.Contains(stderr, "settings are read") {
		t.Errorf("from outside no settings are needed: %s", stderr)
	}
}
