//go:build !production

package cli

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"guestpass/internal/envfile"
)

// newApplication makes an application in a new folder, and returns a function that runs a program there.
func newApplication(t *testing.T, args ...string) (run func(name string, args ...string) string) {
	t.Helper()
	t.Chdir(t.TempDir())
	code, stdout, stderr := execute(t, nil, append([]string{"new", "team-notes"}, args...)...)
	if code != 0 || !strings.Contains(stdout, "team-notes is made: .dockerignore, .env, ") {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	return func(name string, args ...string) string {
		t.Helper()
		command := exec.Command(name, args...)
		command.Dir = "team-notes"
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
		}
		return string(output)
	}
}

// Beside a checkout that is called guestpass, as the README has it, the module finds it wherever both are moved.
func TestANewApplicationBesideTheCheckout(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("guestpass", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text := readFile(t, filepath.Join(root, name))
		if err := os.WriteFile(filepath.Join("guestpass", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir("guestpass")
	code, stdout, stderr := execute(t, nil, "new", "../team-notes", "--guestpass", ".")
	if code != 0 || !strings.Contains(stdout, "\n  cd ../team-notes\n") ||
		!strings.Contains(readFile(t, "../team-notes/go.mod"), " => ../guestpass\n") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}

// What is made is built and tested as it is, without a step between, and serves.
func TestANewApplicationIsBuiltTestedAndStarted(t *testing.T) {
	in := newApplication(t)
	program := filepath.Join(t.TempDir(), "team-notes")
	in("go", "vet", "./...")
	if output := in("go", "test", "./..."); !strings.Contains(output, "ok  \texample.com/team-notes/notes") {
		t.Errorf("its tests say\n%s", output)
	}
	in("go", "build", "-o", program, ".")
	if unformatted := in("gofmt", "-l", "."); unformatted != "" {
		t.Errorf("not formatted: %s", unformatted)
	}

	dev := exec.Command(program, "dev", "--addr", "localhost:0", "--emulator-addr", "localhost:0")
	log := newFollower()
	dev.Dir, dev.Stderr = "team-notes", log
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dev.Process.Signal(syscall.SIGTERM); _ = dev.Wait() })
	log.wait(t, `"msg":"settings read","file":"[^"]*/team-notes/\.env"`)
	address := log.wait(t, `"msg":"serving","addr":"([^"]+)"`)[1]
	document := get(t, "http://"+address+"/openapi.json")
	for _, want := range []string{`"title": "team-notes"`, `"listNotes"`, `"addNote"`, `"deleteNote"`} {
		if !strings.Contains(document, want) {
			t.Errorf("the document lacks %s:\n%s", want, document)
		}
	}
	if err := exec.Command("sh", "-c", `cd team-notes && "$0" openapi --public-url https://notes.example.com \
		>../document.json && "$0" lint ../document.json`, program).Run(); err != nil {
		t.Errorf("the document is not as the editor wants it: %v", err)
	}

	// The image has the program without what is for development.
	in("go", "build", "-tags", "production", "-o", program, ".")
	if help := in(program, "serve", "--help"); !strings.Contains(help, "GUESTPASS_QUOTA_NOTES") {
		t.Errorf("the help of serve lacks the resource's setting:\n%s", help)
	}
	docker := readFile(t, filepath.Join("team-notes", "Dockerfile"))
	if !strings.Contains(docker, " -tags production ") || !strings.Contains(docker, "FROM golang:1.") {
		t.Errorf("the image is made otherwise:\n%s", docker)
	}
}

// The settings that are made are examples to start from, and no secret gets into git or into an image.
func TestTheSettingsOfANewApplicationCanBeUsed(t *testing.T) {
	newApplication(t, "--module", "example.org/acme/team-notes")
	t.Chdir("team-notes")
	if info, err := os.Stat(".env"); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	const partial = "*.partial-*\n" // what a write of .env that is killed leaves
	if !strings.HasPrefix(readFile(t, ".gitignore"), "/.env\n"+partial) ||
		!strings.HasPrefix(readFile(t, ".dockerignore"), ".env\n"+partial) {
		t.Error(".env is not ignored")
	}
	all := regexp.MustCompile(`(?m)^#([A-Z])`).ReplaceAllString(readFile(t, ".env"), "$1")
	if err := os.WriteFile(".env", []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := execute(t, nil, "openapi")
	if code != 0 || !strings.Contains(stdout, `"title": "team-notes"`) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	file, err := envfile.Read(t.Context(), ".env")
	if err != nil || len(file.Variables) != 9 {
		t.Errorf("%+v, %v", file, err)
	}
	seed := developmentSeed("b2b").Project
	for _, want := range []string{seed.ID, seed.Secret, seed.PublicToken} {
		if !strings.Contains(all, "="+want+"\n") {
			t.Errorf("%s is not in\n%s", want, all)
		}
	}
	placeholder := regexp.MustCompile(`\{\{[a-z_]+\}\}`)
	err = filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if text := readFile(t, path); strings.Contains(text, "newapp") || placeholder.MatchString(text) {
			t.Errorf("%s has something of the template:\n%s", path, text)
		}
		return nil
	})
	if err != nil || !strings.Contains(readFile(t, "main.go"), `"example.org/acme/team-notes/notes"`) {
		t.Errorf("%v, %s", err, readFile(t, "main.go"))
	}
}

func TestNewTellsWhatItCannotMake(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("mine", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "takes one name, such as team-notes"},
		{[]string{"a", "b"}, 2, "takes one name"},
		{[]string{"mine"}, 1, "mine is there already: choose another name, or remove it"},
		{[]string{"./mine/"}, 1, "mine is there already"},
		{[]string{"missing/notes"}, 1, "/missing does not exist: make it first, or name one that does"},
		{[]string{"./x/y/z-z"}, 1, "/x/y does not exist: make it first"},
		{[]string{"/nope/dir/gg"}, 1, "the folder /nope/dir does not exist"},
		{[]string{""}, 2, `"" names no application: write the name of a new folder, such as team-notes`},
		{[]string{"."}, 2, `"." names no application`},
		{[]string{"mine/.."}, 2, `"mine/.." names no application`},
		{[]string{"notes", "--module", "golang.org/x/text"}, 2,
			`"golang.org/x/text" is the path of a module that the application uses: choose one of your own`},
		{[]string{"/"}, 2, `"/" cannot be the name of an application`},
		{[]string{"My App"}, 2, `"My App" cannot be the name of an application: write 2 to 40 small letters`},
		{[]string{"-x"}, 2, "unknown shorthand flag"},
		{[]string{"guestpass"}, 2, `"guestpass" means something else already`},
		{[]string{"vendor"}, 2, "means something else already"},
		{[]string{"notes", "--module", "notes"}, 2, `"notes" is no path of a module, such as github.com/you/notes`},
		{[]string{"notes", "--module", "https://github.com/you/notes"}, 2, "is no path of a module"},
		{[]string{"notes", "--guestpass", "."}, 2, ". has no source of Guestpass: name the folder"},
	} {
		code, stdout, stderr := execute(t, nil, append([]string{"new"}, tt.args...)...)
		if code != tt.code || !strings.Contains(stderr, tt.want) || stdout != "" {
			t.Errorf("%q: exit code %d, %s%s", tt.args, code, stdout, stderr)
		}
	}
	var found bytes.Buffer
	entries, err := os.ReadDir(".")
	for _, entry := range entries {
		found.WriteString(entry.Name() + " ")
	}
	if err != nil || found.String() != "mine " {
		t.Errorf("there are %s, %v", &found, err)
	}
}
