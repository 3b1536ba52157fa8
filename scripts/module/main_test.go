package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const to = "example.com/you/pass"

// TestTheModuleHasAnotherPath renames a copy, with make as a person calls it, and builds the program, its tests, and
// the examples against it.
func TestTheModuleHasAnotherPath(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything anew")
	}
	folder := t.TempDir()
	files, err := exec.Command("git", "-C", "../..", "ls-files", "-z", "--cached", "--others",
		"--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	copied := exec.Command("tar", "-C", "../..", "--null", "--ignore-failed-read", "-T", "-", "-cf",
		filepath.Join(folder, "all.tar"))
	copied.Stdin = strings.NewReader(string(files))
	run(t, copied)
	run(t, exec.Command("tar", "-C", folder, "-xf", filepath.Join(folder, "all.tar")))
	in := func(name string, arguments ...string) *exec.Cmd {
		command := exec.Command(name, arguments...)
		command.Dir = folder
		return command
	}
	run(t, in("make", "-s", "module", "PATH="+to))
	run(t, in("go", "vet", "./cli", "./cmd/...", "./guestpasstest"))
	for _, example := range []string{"bookmarks", "expenses", "embedded"} {
		run(t, in("go", "-C", "examples/"+example, "vet", "./..."))
	}
	if left, _ := in("grep", "-rnE", `^(\t|import )"guestpass(/|")`, "--include=*.go", ".").Output(); len(left) > 0 {
		t.Errorf("imports of the old path are left:\n%s", left)
	}
	module, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil || !strings.HasPrefix(string(module), "module "+to+"\n") {
		t.Errorf("%.60s, %v", module, err)
	}
	run(t, in("make", "-s", "module", "PATH="+to)) // again: nothing to do
}

func TestWhatIsNoPathIsRefused(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module guestpass\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "https://github.com/you/guestpass", "git@github.com:you/guestpass.git", "a b",
		"../x", "x/", "/x"} {
		if err := rename(folder, path); err == nil {
			t.Errorf("%q is taken", path)
		}
	}
}

func run(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}
