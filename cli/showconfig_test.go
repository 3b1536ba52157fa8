//go:build !production

package cli

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestConfigTellsWhatIsInForceAndWhoSaysSo(t *testing.T) {
	inFolder(t, ".env", "GUESTPASS_TITLE='Of the file'\nGUESTPASS_MCP=off\nPORT=3000\nSTYTCH_FOO=1\nGOGC=50\n")
	environ := []string{"GUESTPASS_MCP=on", "GUESTPASS_LIMIT_CLIENT=7000", "STYTCH_BAR=1"}
	code, stdout, stderr := execute(t, environ, "config")
	for _, want := range []string{"File of settings: .env\n", "GUESTPASS_TITLE +Of the file   \\(\\.env:1\\)\n",
		`GUESTPASS_MCP +on   \(environment, over \.env:2\)`, `GUESTPASS_LIMIT_CLIENT +7000   \(environment\)`,
		`GUESTPASS_LIMIT_ADDRESS +3000   \(default\)`, `GUESTPASS_MODULES +all   \(default\)`,
		`STYTCH_SECRET +required   \(default\)`, "Set, but no settings:\n", `  STYTCH_BAR \(environment\)`,
		`  STYTCH_FOO \(\.env:4\)`, `  PORT \(\.env:3\)\n`,
		`  GOGC \(\.env:5\): it counts in the environment alone\n`} {
		if code != 0 || !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("exit code %d, want %s in\n%s%s", code, want, stdout, stderr)
		}
	}
	for _, s := range new(config).settings() {
		if strings.Count(stdout, "  "+s.name+" ") != 1 {
			t.Errorf("%s is not there once:\n%s", s.name, stdout)
		}
	}
	for _, wrong := range []string{"GUESTPASS_LIMIT_MEMBER=hunter2", "GUESTPASS_ACESS=hunter2"} {
		code, stdout, stderr := execute(t, append(environ, wrong), "config")
		if code != 2 || strings.Contains(stdout+stderr, "hunter2") || !strings.Contains(stdout, "Of the file") ||
			!regexp.MustCompile("GUESTPASS_LIMIT_MEMBER +REFUSED: it is no whole number").MatchString(stdout) &&
				!strings.Contains(stdout, "GUESTPASS_ACESS (environment); did you mean GUESTPASS_ACCESS?") {
			t.Errorf("%s: exit code %d, %s%s", wrong, code, stdout, stderr)
		}
	}
}

// What config prints is pasted into mails and chats.
func TestConfigShowsNoSecret(t *testing.T) {
	const host = "db.example.com/guestpass?sslmode=verify-full"
	for url, want := range map[string]string{
		"postgres://guestpass:p%40ss@" + host:                         "postgres://guestpass:[secret]@" + host,
		"postgres://guestpass:p@" + host + "&lock_timeout=2s":         "guestpass:[secret]@" + host + "&lock",
		"postgres://guestpass@" + host + "&password=p&sslpassword=q7": host + "&password=[secret]&sslpassword=[secret]",
		"sqlite:/var/lib/guestpass.db":                                "sqlite:/var/lib/guestpass.db",
	} {
		variables := whole()
		variables["GUESTPASS_DATABASE_URL"] = url
		inFolder(t, ".env", lines(variables))
		for _, args := range [][]string{{"config"}, {"config", "--json"}} {
			_, stdout, stderr := execute(t, nil, args...)
			for _, want := range []string{want, "secret-live-[secret]", "connected-app-live-", "=[secret]",
				"rediss://:[secret]@redis.example.com"} {
				if !strings.Contains(stdout, want) {
					t.Errorf("%v, %s: %s is not in\n%s%s", args, url, want, stdout, stderr)
				}
			}
			for _, name := range []string{"STYTCH_SECRET", "GUESTPASS_INTROSPECT_SECRETS",
				"GUESTPASS_TRY_CLIENT_SECRET", "GUESTPASS_REDIS_URL"} {
				if strings.Contains(stdout, variables[name]) {
					t.Errorf("%v: %s is in\n%s", args, name, stdout)
				}
			}
			for _, s := range new(config).settings() {
				if s.secrets == nil || variables[s.name] == "" {
					continue
				}
				for _, secret := range s.secrets(variables[s.name]) {
					if len(secret) > 4 && strings.Contains(stdout+stderr, secret) {
						t.Errorf("%v: a secret of %s is in\n%s%s", args, s.name, stdout, stderr)
					}
				}
			}
		}
	}
}

func TestConfigPrintsJSON(t *testing.T) {
	inFolder(t, ".env", "GUESTPASS_TITLE='Of the file'\nPORT=3000\nOTEL_SERVICE_NAME=acme\n")
	_, stdout, stderr := execute(t, []string{"GUESTPASS_MCP=maybe", "GUESTPASS_PUBLIC_URL=http://localhost:8080"},
		"config", "--json")
	var shown shownConfig
	if err := json.Unmarshal([]byte(stdout), &shown); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	got := map[string]shownSetting{}
	for _, s := range shown.Settings {
		got[s.Name] = s
	}
	for _, want := range []shownSetting{
		{"GUESTPASS_TITLE", "What it offers", "Of the file", "", ".env:1", "", ""},
		{"GUESTPASS_MCP", "What it offers", "", "", "environment", "", "must be on or off"},
		{"GUESTPASS_ADDR", "The server", "localhost:8080", "", "default", "", ""},
		{"GUESTPASS_MODULES", "What it offers", "", "all", "default", "", ""},
		{"GUESTPASS_TRUSTED_PROXIES", "The server", "", "none", "default", "", ""},
	} {
		if got[want.Name] != want {
			t.Errorf("%+v, want %+v", got[want.Name], want)
		}
	}
	unknown := "[{PORT .env:2  false false} {OTEL_SERVICE_NAME .env:3  false true}]"
	if shown.File != ".env" || fmt.Sprint(shown.Unknown) != unknown {
		t.Errorf("%s, %v", shown.File, shown.Unknown)
	}
}
