//go:build !production

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// completed has bash itself complete a line by the script that the program prints, and returns what it offers.
func completed(t *testing.T, line string) []string {
	t.Helper()
	const ask = `PATH="$1:$PATH"; source <(guestpass completion bash); cd "$1"
read -ra COMP_WORDS <<< "$2"; [[ $2 == *" " ]] && COMP_WORDS+=("")
COMP_LINE=$2 COMP_POINT=${#2} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
_get_comp_words_by_ref() { # as the package bash-completion has it
	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
}
__start_guestpass; printf '%s\n' "${COMPREPLY[@]}"`
	output, err := exec.Command("bash", "-c", ask, "bash", filepath.Dir(program(t)), line).Output()
	if err != nil {
		t.Fatalf("bash: %v", err)
	}
	return strings.Fields(string(output))
}

func TestBashCompletesWhatThereIs(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"guestpass openapi --version ", []string{"2.0", "3.0", "3.1"}},
		{"guestpass openapi --access r", []string{"roles"}},
		{"guestpass dev --vertical ", []string{"b2b", "consumer"}},
		{"guestpass setup --environment ", []string{"live", "test"}},
		{"guestpass lint --fail-on ", []string{"error", "note", "warning"}},
		{"guestpass try --client ", slices.Sorted(slices.Values(clientNames))},
		{"guestpass lint --for ", slices.Sorted(slices.Values(importers()))},
		{"guestpass openapi --public-url ", nil}, // no file
		{"guestpass vers", []string{"version"}},
		{"guestpass backup gue", nil}, // which bash itself completes: a file
	} {
		got := completed(t, tt.line)
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

// TestFishCompletesWhatThereIs: its script sets a variable that looks like a setting.
func TestFishCompletesWhatThereIs(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it needs fish")
	}
	fish, err := exec.LookPath("fish")
	if err != nil {
		t.Fatal("fish is missing: sudo apt-get install fish")
	}
	ask := exec.Command(fish, "-c", `set PATH "$argv[1]" $PATH; guestpass completion fish | source
complete -C "guestpass openapi --version "`, filepath.Dir(program(t)))
	ask.Env = append(os.Environ(), "HOME="+t.TempDir())
	output, err := ask.CombinedOutput()
	if got := strings.Fields(string(output)); err != nil || !slices.Equal(got, []string{"2.0", "3.0", "3.1"}) {
		t.Errorf("%v: %q", err, got)
	}
}

// TestShellsDisturbNobody: what a script leaves behind is no mistake of whoever calls, and a mistake in the settings
// does not keep a shell from completing.
func TestShellsDisturbNobody(t *testing.T) {
	for _, name := range ofShells {
		if code, _, stderr := execute(t, environ(name+"=0"), "gpt"); code != 0 || strings.Contains(stderr, name) {
			t.Errorf("with %s: exit code %d, %s", name, code, stderr)
		}
	}
	for _, args := range [][]string{{"completion", "zsh"}, {cobra.ShellCompRequestCmd, "openapi", "--version", ""}} {
		if code, _, stderr := execute(t, []string{"GUESTPASS_ACESS=roles"}, args...); code != 0 {
			t.Errorf("%q: exit code %d, %s", args, code, stderr)
		}
	}
}

// TestShellsCompleteWhatThereIs holds that every flag with a value either has choices or names of files.
func TestShellsCompleteWhatThereIs(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, script, stderr := execute(t, nil, "completion", shell)
		if code != 0 || len(script) < 1000 || strings.ContainsAny(script, "\x1b\ufffd") {
			t.Errorf("%s: exit code %d, %d bytes: %s", shell, code, len(script), stderr)
		}
	}
	files := map[string]bool{}
	for _, command := range append(newRoot(nil).Commands(), below(newRoot(nil))...) {
		_, _, directive := completions(t, append(strings.Fields(command.CommandPath())[1:], "")...)
		if directive == "ShellCompDirectiveDefault" {
			files[command.Name()] = true
		}
	}
	for _, name := range []string{"backup", "restore", "lint", "assets", "plugin", "new"} {
		if !files[name] {
			t.Errorf("no file is offered for %s", name)
		}
		delete(files, name)
	}
	if delete(files, "help"); len(files) > 0 {
		t.Errorf("files are offered for %v, which take none", files)
	}
}

// completions asks as the scripts of shells do.
func completions(t *testing.T, words ...string) (code int, offered, directive string) {
	t.Helper()
	code, offered, stderr := execute(t, nil, append([]string{cobra.ShellCompNoDescRequestCmd}, words...)...)
	_, directive, _ = strings.Cut(strings.TrimSpace(stderr), "directive: ")
	return code, offered, directive
}
