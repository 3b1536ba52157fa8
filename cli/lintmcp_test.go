//go:build !production

package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	mcplint "guestpass/mcptest/lint"
)

// lintedServer starts a small MCP server of somebody else's, which wants the token if there is one.
func lintedServer(t *testing.T, token string) string {
	t.Helper()
	n := &notes{t: t, tools: []string{"listNotes text " + readsOnly, "addNote text! " + addsOnly},
		say: func(string, map[string]any) any {
			return map[string]any{"content": []any{map[string]any{"type": "text", "text": "{}"}},
				"structuredContent": map[string]any{}}
		}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token != "" && r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", `Bearer scope="notes:read"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		n.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/mcp"
}

func TestLintTellsAServerFromADocument(t *testing.T) {
	document := readFile(t, demo)
	for _, tt := range []struct {
		name, path string
		serve      http.HandlerFunc
		server     bool
	}{
		{"a document", "/openapi.yaml", func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = io.WriteString(w, document)
		}, false},
		{"a document on a host that wants a token for all else", "/openapi.yaml",
			func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.Header().Set("Content-Type", "application/yaml")
				_, _ = io.WriteString(w, document)
			}, false},
		{"a server that wants a token", "/mcp", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
		}, true},
		{"a page", "/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.serve)
			t.Cleanup(server.Close)
			_, stdout, stderr := execute(t, nil, "lint", server.URL+tt.path)
			if strings.Contains(stdout, "M010") != tt.server || !tt.server && !strings.Contains(stdout, "G00") {
				t.Errorf("%s%s", stdout, stderr)
			}
		})
	}
}

func TestLintTellsOfAServer(t *testing.T) {
	address := lintedServer(t, "")
	code, stdout, stderr := execute(t, nil, "lint", address)
	for _, want := range []string{"\nerror   M059  initialize says serverInfo",
		"          breaks  clients show no tools\n", "          change  Answer serverInfo.name",
		"\nnot checked, not applicable: the server asks nobody for a token: M001–",
		"; called were listNotes\n", " rules kept, "} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d %s\nno %q in\n%s", code, stderr, want, stdout)
		}
	}
	if code, stdout, stderr := execute(t, nil, "lint", address, "--writes"); code != 1 ||
		!strings.Contains(stdout, "called were listNotes, addNote\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}

	_, stdout, _ = execute(t, nil, "lint", address, "--json")
	var found []struct {
		Document string
		mcplint.Report
	}
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || len(found) != 1 || found[0].Document != address ||
		found[0].Findings[0].Breaks == "" || len(found[0].Skipped) == 0 || len(found[0].Kept) == 0 {
		t.Errorf("%v\n%s", err, stdout)
	}
	_, stdout, _ = execute(t, nil, "lint", address, "--sarif")
	var log sarifLog
	if err := json.Unmarshal([]byte(stdout), &log); err != nil || len(log.Runs[0].Results) != len(found[0].Findings) ||
		log.Runs[0].Results[0].Locations[0].Physical.Artifact.URI != address ||
		!strings.Contains(stdout, `"id": "M059"`) {
		t.Errorf("%v\n%s", err, stdout)
	}
}

func TestLintTakesATokenForAServer(t *testing.T) {
	address, file := lintedServer(t, "the-token"), filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("the-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--token", "the-token"}, {"--token-file", file}} {
		_, stdout, stderr := execute(t, nil, append([]string{"lint", address}, args...)...)
		if !strings.Contains(stdout, "called were listNotes") || strings.Contains(stdout, "the-token") ||
			strings.Contains(stderr, "the-token") {
			t.Errorf("%v\n%s%s", args, stdout, stderr)
		}
	}
	if _, stdout, _ := execute(t, nil, "lint", address); !strings.Contains(stdout, "no tool was called") ||
		!strings.Contains(stdout, "not checked, the server wants a token: give one, or sign in: M025") {
		t.Error(stdout)
	}
	code, stdout, stderr := execute(t, nil, "lint", address, "--token", "another")
	if code != 2 || !strings.Contains(stderr, "the server does not take the token") ||
		!strings.Contains(stdout, "M011") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestLintSaysWhatItCannotDoWithAServer(t *testing.T) {
	address := lintedServer(t, "")
	page := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(page.Close)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{page.URL + "/mcp", "--mcp"}, "there is no MCP server at " + page.URL},
		{[]string{"http://127.0.0.1:1/mcp", "--mcp"}, "connection refused"},
		{[]string{demo, "--mcp"}, "--mcp takes the URL of a server, not a file"},
		{[]string{address, demo, "--mcp"}, "are for one MCP server: name its URL alone"},
		{[]string{address, "--fix", "x.yaml"}, "cannot be mended: it is an MCP server"},
		{[]string{address, "--mcp", "--fix", "x.yaml"}, "an MCP server has none"},
		{[]string{address, "--token", "x", "--sign-in"}, "exclude each other"},
		{[]string{address, "--client-id", "x"}, "give --sign-in too"},
	} {
		if code, _, stderr := execute(t, nil, append([]string{"lint"}, tt.args...)...); code != 2 ||
			!strings.Contains(stderr, tt.want) {
			t.Errorf("%v: exit code %d\n%s", tt.args, code, stderr)
		}
	}
	if code, stdout, _ := execute(t, nil, "lint", "--explain", "m053"); code != 0 ||
		!strings.Contains(stdout, "M053 (error, transport): a session that there is not") ||
		!strings.Contains(stdout, "Breaks  clients do not begin anew") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, _, stderr := execute(t, nil, "lint", "--explain", "M153"); code != 2 ||
		!strings.Contains(stderr, "there is no rule M153; did you mean M053?") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestThePageOfLintNamesRulesThatExist.
func TestThePageOfLintNamesRulesThatExist(t *testing.T) {
	page := readFile(t, "../docs/lint.md")
	for _, id := range regexp.MustCompile(`\bM\d{3}\b`).FindAllString(page, -1) {
		if _, known := mcplint.Explain(id); !known {
			t.Errorf("docs/lint.md names %s, and there is no such rule", id)
		}
	}
}

// TestLintSignsInToOurServer as guestpass try does, and finds nothing.
func TestLintSignsInToOurServer(t *testing.T) {
	app, emulator := development(t)
	code, stdout, stderr := execute(t, nil, "lint", app+"/mcp", "--as", "ada@acme.example", "--emulator", emulator)
	if code != 0 || !strings.Contains(stderr, "exchange ") ||
		!strings.Contains(stdout, "0 errors, 0 warnings, 0 notes;") ||
		!strings.Contains(stdout, "speaks 2025-11-25 and 2026-07-28, has 16 tools; called were ") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
