//go:build !production

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/doctor"
	"guestpass/internal/doctor/outside"
	"guestpass/stytchtest"
)

// doctorOf are the settings of a server beside the development's emulator.
func doctorOf(t *testing.T, app, emulator string, more ...string) []string {
	t.Helper()
	seed := stytchtest.Development()
	return append([]string{"GUESTPASS_PUBLIC_URL=" + app, "STYTCH_PROJECT_ID=" + seed.Project.ID,
		"STYTCH_SECRET=" + seed.Project.Secret, "STYTCH_PUBLIC_TOKEN=" + seed.Project.PublicToken,
		"STYTCH_DOMAIN=" + emulator, "STYTCH_BASE_URL=" + emulator, "GUESTPASS_CLIENT_IDS=" +
			seed.ConnectedApps[0].ClientID + ",dynamic",
		"GUESTPASS_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "guestpass.db")}, more...)
}

func TestDoctorTellsInLinesAndExitCodes(t *testing.T) {
	app, emulator := development(t)
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		name, want string
		environ    []string
		args       []string
		code       int
	}{
		{"all is well", "ok       secret: Stytch takes the project id and the secret\n", doctorOf(t, app, emulator),
			[]string{"doctor", "--strict"}, 0},
		{"what is skipped", "skipped  database: the SQLite file ", doctorOf(t, app, emulator), []string{"doctor"}, 0},
		{"a warning", "warning  redis: Redis does not count: ",
			doctorOf(t, app, emulator, "GUESTPASS_REDIS_URL=redis://127.0.0.1:9"), []string{"doctor"}, 0},
		{"a strict warning", "warning  redis: Redis does not count: ",
			doctorOf(t, app, emulator, "GUESTPASS_REDIS_URL=redis://127.0.0.1:9"), []string{"doctor", "--strict"}, 1},
		{"an error", "error    secret: Stytch refuses the project id and the secret; expected: ",
			doctorOf(t, app, emulator, "STYTCH_SECRET=secret-test-wrong"), []string{"doctor"}, 2},
		{"a setting that is misspelt", "fatal    settings: there is no variable GUESTPASS_ACESS; did you mean " +
			"GUESTPASS_ACCESS?; expected: ",
			doctorOf(t, app, emulator, "GUESTPASS_ACESS=roles"), []string{"doctor"}, 2},
		{"all that is missing at once", "fatal    settings: GUESTPASS_PUBLIC_URL is not set: the https origin under " +
			"which the world sees this server, such as https://gpt.example.com; STYTCH_PROJECT_ID is not set: ", nil,
			[]string{"doctor"}, 2},
		{"a secret in the wrong place", "fatal    settings: GUESTPASS_TITLE holds a secret (it is not repeated here)",
			doctorOf(t, app, emulator, "GUESTPASS_TITLE=secret-test-guestpass-dev"), []string{"doctor"}, 2},
		{"a trial that is not admitted", "warning  clients: GUESTPASS_CLIENT_IDS does not admit the connected app of " +
			"GUESTPASS_TRY_CLIENT_ID, connected-app-test-gone: ", doctorOf(t, app, emulator,
			"GUESTPASS_TRY_CLIENT_ID=connected-app-test-gone", "GUESTPASS_CLIENT_IDS=chatgpt.com"),
			[]string{"doctor"}, 0},
		{"a trial's app that is gone", "warning  apps: the project has no connected app connected-app-test-gone; ",
			doctorOf(t, app, emulator, "GUESTPASS_TRY_CLIENT_ID=connected-app-test-gone"), []string{"doctor"}, 0},
		{"one reason in one line", "skipped  http-only-cookies, session-length, login-methods, redirect-urls: only " +
			"Stytch's management API tells", doctorOf(t, app, emulator), []string{"doctor"}, 0},
		{"no settings at all", "; no settings are here: run this where .env is, or name the file of settings with " +
			"--env-file; expected:", nil, []string{"doctor"}, 2},
		{"nothing looked at, in one line", "\nskipped  29 further checks: not looked at before the settings are " +
			"right\n\n30 checks: 1 fatal, 29 skipped\n", nil, []string{"doctor"}, 2},
		{"from outside", "ok       mcp: the challenge leads to " + app + "/.well-known/oauth-protected-resource/mcp",
			nil, []string{"doctor", app, "--strict"}, 0},
		{"no URL", "", nil, []string{"doctor", "gpt.example.com"}, 2},
		{"a URL with a password", "", nil, []string{"doctor", "https://admin:secret-test-x@gpt.example.com"}, 2},
		{"a secret for a URL", "", nil, []string{"doctor", "https://secret-test-abcdefgh"}, 2},
		{"two URLs", "", nil, []string{"doctor", app, app}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := execute(t, tt.environ, tt.args...)
			if code != tt.code || !strings.Contains(stdout, tt.want) {
				t.Errorf("exit code %d, want %d and %q in\n%s%s", code, tt.code, tt.want, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, "secret-test-") {
				t.Errorf("a secret is shown: %s%s", stdout, stderr)
			}
			if said := strings.Contains(stderr, "guestpass: "); said != (stdout == "") {
				t.Errorf("what is told is told once: %s%s", stdout, stderr)
			}
		})
	}
}

func TestDoctorPrintsJSON(t *testing.T) {
	_, stdout, stderr := execute(t, nil, "doctor", "--json")
	var findings []doctor.Finding
	if err := json.Unmarshal([]byte(stdout), &findings); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	names, _ := doctor.InsideNames()
	if len(findings) != len(names) || findings[0].Severity != doctor.Fatal || findings[1].Severity != doctor.Skipped {
		t.Errorf("%d findings of %d checks: %s", len(findings), len(names), stdout)
	}
}

// The page lists the checks as they are in the program; -update writes them there.
func TestChecksAreListedAsTheyAre(t *testing.T) {
	const page = "../docs/doctor.md"
	for part, list := range map[string]func() (names, asks []string){"inside": doctor.InsideNames,
		"outside": outside.Names} {
		names, asks := list()
		table := "| check | asks |\n|---|---|\n"
		for i, name := range names {
			table += fmt.Sprintf("| `%s` | %s |\n", name, asks[i])
			if slices.Contains(names[:i], name) {
				t.Errorf("%s is there twice", name)
			}
		}
		text, begin, end := readFile(t, page), "<!-- "+part+" -->\n", "<!-- /"+part+" -->"
		if *update {
			text = regexp.MustCompile(`(?s)`+begin+`.*?`+end).
				ReplaceAllStringFunc(text, func(string) string { return begin + table + end })
			if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(text, begin+table+end) {
			t.Errorf("%s does not list the checks as they are: run the tests of this package with -update", page)
		}
	}
}

// The page of assumptions names checks that exist, and its rows as a reader finds them.
func TestAssumptionsNameChecksThatExist(t *testing.T) {
	names, _ := doctor.InsideNames()
	named := 0
	for line := range strings.Lines(readFile(t, "../docs/stytch.md")) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), " |"), " | ")
		before, _, found := strings.Cut(cells[len(cells)-1], "`: ")
		if len(cells) != 4 || !found || !strings.HasPrefix(before, "`") {
			continue
		}
		for name := range strings.SplitSeq(strings.Trim(before, "`"), "`, `") {
			if named++; !slices.Contains(names, name) {
				t.Errorf("there is no check %s: %s", name, line)
			}
		}
	}
	if named < 20 {
		t.Errorf("%d checks are named", named)
	}
}
