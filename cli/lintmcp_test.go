//go:build !production

package cli

import (
	"encoding/json"
	"fmt"
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
		{"a document as plain text on such a host", "/openapi.yaml", func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, document)
		}, false},
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
		"\nnot checked, not applicable: the server asks nobody for a token: M001–M028 M034 M094\n",
		"; called: listNotes\n", " rules "} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d %s\nno %q in\n%s", code, stderr, want, stdout)
		}
	}
	if code, stdout, stderr := execute(t, nil, "lint", address, "--writes"); code != 1 ||
		!strings.Contains(stdout, "called: listNotes, addNote\n") {
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
		!strings.Contains(stdout, `"id": "M059"`) || log.Runs[0].Automation.ID != "guestpass lint/mcp/" ||
		!strings.Contains(log.Runs[0].Results[0].Message.Text, ". Breaks: ") || !strings.Contains(stdout,
		`"text": "not checked, not applicable: the server asks nobody for a token: M001–M028 M034 M094"`) {
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
		if !strings.Contains(stdout, "called: listNotes") || strings.Contains(stdout, "the-token") ||
			strings.Contains(stderr, "the-token") {
			t.Errorf("%v\n%s%s", args, stdout, stderr)
		}
	}
	if _, stdout, _ := execute(t, nil, "lint", address); !strings.Contains(stdout, "asks for a token, so its name, "+
		"versions and tools were not seen\n") || !strings.Contains(stdout, " not checked: add --sign-in, or "+
		"--token-file.") ||
		!strings.Contains(stdout, "not checked, the server asks for a token: M025") {
		t.Error(stdout)
	}
	_, stdout, _ := execute(t, nil, "lint", address, "--json")
	if strings.Contains(stdout, `"server":`) || strings.Contains(stdout, `"tools":`) ||
		!strings.Contains(stdout, `"unseen": "the server asks for a token"`) {
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
	bearer, long := filepath.Join(t.TempDir(), "bearer"), filepath.Join(t.TempDir(), "long")
	for name, text := range map[string]string{bearer: "Bearer abc\n", long: strings.Repeat("x", 1<<20)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{page.URL + "/mcp", "--mcp"}, "there is no MCP server at " + page.URL},
		{[]string{"http://127.0.0.1:1/mcp", "--mcp"}, "connection refused"},
		{[]string{demo, "--mcp"}, "take the URL of a server, not a file"},
		{[]string{demo, "--token", "x"}, "take the URL of a server, not a file"},
		{[]string{demo, "--writes"}, "take the URL of a server, not a file"},
		{[]string{page.URL + "/openapi.yaml", "--writes"}, "there is no MCP server at " + page.URL},
		{[]string{"http://user:s3cret@127.0.0.1:1/mcp"}, "has a user or password in it"},
		{[]string{demo, "http://user:s3cret@127.0.0.1:1/mcp"}, "has a user or password in it"},
		{[]string{address + "#tools"}, "nor a fragment"},
		{[]string{"http://192.0.2.1/mcp", "--token", "x"}, "could read the token"},
		{[]string{"http://192.0.2.1/mcp", "--sign-in"}, "could read the token"},
		{[]string{address, "--as", "ada"}, "--as must be an e-mail address"},
		{[]string{address, "--token-file", "missing"}, "--token-file: open missing"},
		{[]string{address, "--token-file", bearer}, "begins with Bearer: leave that word out"},
		{[]string{address, "--token", "bearer abc"}, "begins with Bearer: leave that word out"},
		{[]string{address, "--token-file", long}, "is longer than any access token: more than"},
		{[]string{address, demo, "--mcp"}, "are for one MCP server: name its URL alone"},
		{[]string{address, "--fix", "x.yaml"}, "cannot be mended: it is an MCP server"},
		{[]string{address, "--mcp", "--fix", "x.yaml"}, "an MCP server has none"},
		{[]string{address, "--token", "x", "--sign-in"}, "exclude each other"},
		{[]string{address, "--client-id", "x"}, "give --sign-in too"},
	} {
		if code, _, stderr := execute(t, nil, append([]string{"lint"}, tt.args...)...); code != 2 ||
			!strings.Contains(stderr, tt.want) || strings.Contains(stderr, "s3cret") {
			t.Errorf("%v: exit code %d\n%s", tt.args, code, stderr)
		}
	}
	if code, stdout, _ := execute(t, nil, "lint", "--explain", "m053"); code != 0 ||
		!strings.Contains(stdout, "M053 (error, transport): an unknown session") ||
		!strings.Contains(stdout, "Breaks  clients do not begin anew") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, stdout, _ := execute(t, nil, "lint", "--explain", "all"); code != 0 || strings.Count(stdout,
		"\nKnown   ") != len(ruleIDs()) {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, _, stderr := execute(t, nil, "lint", "--explain", "M153"); code != 2 ||
		!strings.Contains(stderr, "there is no rule M153; did you mean M053?") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestLintBlamesNoServerForTheInbox that it cannot read.
func TestLintBlamesNoServerForTheInbox(t *testing.T) {
	app, _ := development(t)
	code, stdout, stderr := execute(t, nil, "lint", app+"/mcp", "--as", "ada@acme.example", "--emulator",
		"http://127.0.0.1:1")
	if code != 2 || strings.Contains(stdout, "M023") ||
		!strings.Contains(stderr, "the emulator's inbox at http://127.0.0.1:1/_emulator/inbox does not answer") ||
		!strings.Contains(stderr, "name it with --emulator") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
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

// TestRulesAreListedAsTheyAre on the page; -update writes them there.
func TestRulesAreListedAsTheyAre(t *testing.T) {
	const page = "../docs/lint.md"
	table := "| rule | severity | what holds |\n|---|---|---|\n"
	for _, r := range mcplint.Rules() {
		table += fmt.Sprintf("| %s | %s | %s |\n", r.ID, r.Severity, strings.ReplaceAll(r.Title, "|", `\|`))
	}
	text, begin, end := readFile(t, page), "<!-- rules -->\n", "<!-- /rules -->"
	if *update {
		text = regexp.MustCompile(`(?s)`+begin+`.*?`+end).
			ReplaceAllStringFunc(text, func(string) string { return begin + table + end })
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text, begin+table+end) {
		t.Errorf("%s does not list the rules as they are: run the tests of this package with -update", page)
	}
}

// TestLintSignsInToOurServer as guestpass try does, and finds nothing.
func TestLintSignsInToOurServer(t *testing.T) {
	app, emulator := development(t)
	code, stdout, stderr := execute(t, nil, "lint", app+"/mcp", "--as", "ada@acme.example", "--emulator", emulator)
	if code != 0 || !strings.Contains(stderr, "exchange ") ||
		!strings.Contains(stdout, "0 errors, 0 warnings, 0 notes;") ||
		!strings.Contains(stdout, "speaks 2025-11-25 and 2026-07-28, has 16 tools; called: ") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
