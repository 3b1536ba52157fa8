//go:build !production

package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestVersionTellsWhatWasBuilt builds the program as where there is no repository: the linker says what it is.
func TestVersionTellsWhatWasBuilt(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	path := filepath.Join(t.TempDir(), "guestpass")
	names := "-X " + modulePath() + "/cli."
	output, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "-ldflags",
		names+"linkedVersion=1.2.3 "+names+"linkedCommit="+commit+"-dirty", "../cmd/guestpass").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	said := func(args ...string) string {
		command := exec.Command(path, args...)
		if command.Env = []string{}; args[0] == "version" {
			command.Env = []string{"GUESTPASS_ACESS=roles"} // which stops other commands
		}
		text, err := command.Output()
		if err != nil {
			t.Fatalf("guestpass %q: %v", args, err)
		}
		return string(text)
	}
	for _, want := range []string{"guestpass  1.2.3\n", commit + ", with changes that are not committed\n", "go1.",
		"\ngithub.com/spf13/cobra  "} {
		if text := said("version", "--modules"); !strings.Contains(text, want) {
			t.Errorf("version --modules lacks %q:\n%s", want, text)
		}
	}
	if text := said("version"); strings.Contains(text, "cobra") {
		t.Errorf("version lists modules:\n%s", text)
	}
	var e edition
	if err := json.Unmarshal([]byte(said("version", "--json")), &e); err != nil {
		t.Fatal(err)
	}
	if e.Version != "1.2.3" || e.Commit != commit || !e.Modified || e.Production ||
		!slices.ContainsFunc(e.Modules, func(m module) bool { return m.Path == "github.com/spf13/cobra" }) {
		t.Errorf("version --json says %+v", e)
	}
	if text := said("--version"); text != "guestpass 1.2.3\n" {
		t.Errorf("--version says %q", text)
	}
	if document := said("openapi", "--env-file", "/dev/null"); !strings.Contains(document, `"version": "1.2.3"`) {
		t.Error("the document has another version than the program")
	}
}

// TestABuildKnowsItsCommit: the Go tool asks Git, and guestpass version tells it.
func TestABuildKnowsItsCommit(t *testing.T) {
	if info, err := os.Stat("../.git"); err != nil || !info.IsDir() {
		t.Skip("this is no checkout, or one of several of a repository, where the Go tool does not ask Git")
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "guestpass")
	output, err := exec.Command("go", "build", "-buildvcs=true", "-o", path, "../cmd/guestpass").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	text, err := exec.Command(path, "version").Output()
	if err != nil || !strings.Contains(string(text), "commit     "+strings.TrimSpace(string(head))) {
		t.Errorf("%v: it says\n%s", err, text)
	}
}
