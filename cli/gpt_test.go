//go:build !production

package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"guestpass/openapi"
)

func TestGPTPrintsWhatABuilderPastes(t *testing.T) {
	client := "GUESTPASS_CLIENT_IDS=connected-app-live-1"
	code, stdout, stderr := execute(t, environ(client), "gpt")
	for _, want := range []string{"https://gpt.example.com/openapi.json", "connected-app-live-1",
		"Shown once in the Stytch dashboard",
		"https://gpt.example.com/idp", "https://gpt.example.com/oauth2/token", "offline_access members:read",
		"https://gpt.example.com/privacy",
		"Create a task", "\n  gpt.example.com\n", openapi.EgressURL, "- createTask [confirm]"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, %s\nno %q in\n%s", code, stderr, want, stdout)
		}
	}
	if strings.Contains(stdout, "secret-live-x") || strings.Contains(stdout, "cannot reach") {
		t.Errorf("it prints\n%s", stdout)
	}

	if !strings.Contains(stdout, "\n  https://gpt.example.com/mcp\n") {
		t.Errorf("the URL for MCP clients is not printed:\n%s", stdout)
	}
	if _, without, _ := execute(t, environ("GUESTPASS_MCP=off"), "gpt"); strings.Contains(without, "MCP") {
		t.Errorf("without MCP it speaks of it:\n%s", without)
	}

	_, instructions, _ := execute(t, environ(client), "gpt", "--instructions")
	_, asJSON, _ := execute(t, environ(client), "gpt", "--json")
	var gpt openapi.GPT
	if err := json.Unmarshal([]byte(asJSON), &gpt); err != nil || gpt.Instructions+"\n" != instructions ||
		len(gpt.OAuth) != 6 || len(gpt.Starters) != 4 {
		t.Errorf("%v: %s", err, asJSON)
	}
	if !strings.HasSuffix(stdout, instructions) || utf8.RuneCountInString(instructions) > 8_000 {
		t.Errorf("the instructions are\n%s", instructions)
	}
	if code, _, stderr := execute(t, nil, "gpt", "--json", "--instructions"); code != 2 || !strings.Contains(stderr,
		"choose one") {
		t.Errorf("both: exit code %d, %s", code, stderr)
	}
}

func TestGPTOfAConsumerProjectOnThisMachine(t *testing.T) {
	code, stdout, _ := execute(t, nil, "gpt", "--vertical", "consumer", "--access", "roles")
	if code != 0 || !strings.Contains(stdout, "gpt-secret-dev") || !strings.Contains(stdout,
		"Scope                  openid profile email offline_access\n") ||
		!strings.Contains(stdout, "note: ChatGPT cannot reach this address") ||
		strings.Contains(strings.ToLower(stdout), "member") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}

func TestTheDocumentCanBeChosenAndDescribed(t *testing.T) {
	code, stdout, stderr := execute(t, environ("GUESTPASS_OPERATIONS=listTasks, createTask",
		"GUESTPASS_DESCRIPTION=Our tasks.",
		"GUESTPASS_CONTACT_EMAIL=help@example.com", "GUESTPASS_PRIVACY_URL=https://www.example.com/privacy"), "openapi")
	for _, want := range []string{`"description": "Our tasks."`, `"email": "help@example.com"`,
		`"https://www.example.com/privacy"`, `"listTasks"`} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, %s\nno %s", code, stderr, want)
		}
	}
	if strings.Contains(stdout, `"deleteTask"`) || strings.Contains(stdout, "members:read") {
		t.Error("what was left out is published")
	}
	for setting, want := range map[string]string{
		"GUESTPASS_OPERATIONS=listTask":               "did you mean listTasks?",
		"GUESTPASS_CONTACT_EMAIL=help":                `GUESTPASS_CONTACT_EMAIL is no e-mail address`,
		"GUESTPASS_CONTACT_EMAIL=help@acme":           `GUESTPASS_CONTACT_EMAIL is no e-mail address`,
		"GUESTPASS_PRIVACY_URL=http://a.example.com/": "is no https URL",
	} {
		if code, _, stderr := execute(t, environ(setting), "openapi"); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s", setting, code, stderr)
		}
	}
}

func TestCheckTellsWhetherACopyIsOutOfDate(t *testing.T) {
	_, document, _ := execute(t, environ(), "openapi")
	pasted := filepath.Join(t.TempDir(), "pasted.json")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/openapi.json":
			_, _ = w.Write([]byte(document))
		case "/moved":
			http.Redirect(w, r, "/openapi.json", http.StatusFound)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/page":
			_, _ = w.Write([]byte("<!doctype html>"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	if err := os.WriteFile(pasted, []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, from, setting string
		code                int
		want                string
	}{
		{"the same file", pasted, "", 0, "is up to date"},
		{"the same on a server", server.URL, "", 0, "is up to date"},
		{"fewer operations now", pasted, "GUESTPASS_MODULES=tasks", 1,
			"is out of date:\n  changed: undoActivity (security)\n  removed: getMember\n  removed: inviteMember\n  " +
				"removed: listMembers\n"},
		{"other access", server.URL + "/openapi.json", "GUESTPASS_ACCESS=roles", 1, "changed: listTasks (security)"},
		{"another host", pasted, "GUESTPASS_PUBLIC_URL=https://other.example.com", 1, "changed: the server"},
		{"no such file", pasted + "x", "", 2, "no such file"},
		{"no such page", server.URL + "/x", "", 2, "404"},
		{"a redirect", server.URL + "/moved", "", 2, `it redirects to "/openapi.json"`},
		{"a document without end", server.URL + "/endless", "", 2, "more than 2097152 bytes"},
		{"a web page", server.URL + "/page", "", 2, "cannot tell"},
		{"http", "http://gpt.example.com/openapi.json", "", 2, "must begin with https://"},
		{"another scheme", "file:///etc/passwd", "", 2, "not a whole URL"},
		{"nobody there", "http://localhost:1", "", 2, "cannot tell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := environ()
			if tt.setting != "" {
				settings = environ(tt.setting)
			}
			code, stdout, stderr := execute(t, settings, "openapi", "--check", tt.from)
			if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("exit code %d, want %d and %q:\n%s%s", code, tt.code, tt.want, stdout, stderr)
			}
		})
	}
}
