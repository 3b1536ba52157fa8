package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The emulator must not be able to stand in for Stytch where it matters, so it is not
// even linked. The other build shows that the names are the right ones.
func TestProductionLinksNeitherEmulatorNorSimulator(t *testing.T) {
	for _, tt := range []struct {
		tags   string
		linked bool
	}{{"production", false}, {"", true}} {
		packages := strings.Fields(goList(t, "-deps", "-tags", tt.tags, "guestpass/cmd/guestpass"))
		for _, name := range []string{"guestpass/stytchtest", "guestpass/gpttest", "github.com/chromedp/chromedp"} {
			if slices.Contains(packages, name) != tt.linked {
				t.Errorf("tags %q: %s is linked: %t", tt.tags, name, !tt.linked)
			}
		}
		// an image made from nothing has no other list of whom to trust
		if name := "golang.org/x/crypto/x509roots/fallback/bundle"; !slices.Contains(packages, name) {
			t.Errorf("tags %q: %s is not linked", tt.tags, name)
		}
	}
}

// mostBytes is how large the program may be that servers are given.
const mostBytes = 40_000_000

func TestTheProductionProgramServesAndNoMore(t *testing.T) {
	program := filepath.Join(t.TempDir(), "guestpass")
	build := exec.Command("go", "build", "-trimpath", "-tags", "production", "-ldflags", "-s -w", "-o", program,
		"../cmd/guestpass")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make production and make image have it
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	if info, err := os.Stat(program); err != nil || info.Size() > mostBytes {
		t.Errorf("the program has %d bytes, at most %d: look what is new, with go tool nm -size -sort size of a "+
			"build without -ldflags (%v)", info.Size(), mostBytes, err)
	}
	settings := []string{"GUESTPASS_PUBLIC_URL=https://gpt.example.com",
		"STYTCH_PROJECT_ID=project-live-11111111-1111-4111-8111-111111111111",
		"STYTCH_SECRET=secret-live-x", "STYTCH_PUBLIC_TOKEN=public-token-live-x",
		"STYTCH_DOMAIN=words-1234.customers.stytch.com"}
	emulated := []string{"GUESTPASS_PUBLIC_URL=http://localhost:8080", "STYTCH_SECRET=secret-test-x",
		"STYTCH_PROJECT_ID=project-test-11111111-1111-4111-8111-111111111111",
		"STYTCH_PUBLIC_TOKEN=public-token-test-x", "STYTCH_DOMAIN=http://localhost:1",
		"STYTCH_BASE_URL=http://localhost:1", "GUESTPASS_EMULATOR=state.json"}
	for _, tt := range []struct {
		environ []string
		command string
		code    int
		want    string
	}{
		{nil, "dev", 2, "built for production, without the command \"dev\": `make build`"},
		{nil, "stytch", 2, `without the command "stytch"`},
		{nil, "try", 2, `without the command "try"`},
		{nil, "lint", 2, `without the command "lint"`},
		{nil, "foo", 2, `there is no command "foo"; see`},
		{nil, "serve", 2, "STYTCH_PROJECT_ID is not set"},
		{nil, "openapi", 2, "STYTCH_PROJECT_ID is not set"},
		{emulated, "serve", 2, "GUESTPASS_EMULATOR is set, and this program was built for production"},
		{nil, "setup", 2, "GUESTPASS_PUBLIC_URL is not set"},
		{settings[:1], "setup", 1, "there is neither a workspace's key (STYTCH_WORKSPACE_KEY_ID"},
		{settings, "openapi", 0, `"https://gpt.example.com"`},
		{settings, "gpt", 0, "https://gpt.example.com/oauth2/token"},
	} {
		run := exec.Command(program, tt.command)
		run.Env = append([]string{}, tt.environ...) // nil would be this process's own
		output, _ := run.CombinedOutput()
		if code := run.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(output), tt.want) {
			t.Errorf("guestpass %s: exit code %d, want %d and %q in\n%s", tt.command, code, tt.code, tt.want, output)
		}
	}
	serve, err := exec.Command(program, "serve", "--help").Output()
	if err != nil || strings.Contains(string(serve), "GUESTPASS_EMULATOR") ||
		strings.Contains(string(serve), "GUESTPASS_TRY_CLIENT_SECRET") ||
		!strings.Contains(string(serve), "STYTCH_SECRET") {
		t.Errorf("%v: the help lists settings that this program does not have, or none\n%s", err, serve)
	}
	help, err := exec.Command(program, "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(help), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	commands := strings.Join(regexp.MustCompile(`(?m)^  \w+`).FindAllString(list, -1), "")
	if commands != "  assets  audit  backup  completion  config  doctor  gpt  health  help  migrate  openapi"+
		"  person  plugin  restore  serve  setup  version" {
		t.Errorf("the commands are%s", commands)
	}
}
