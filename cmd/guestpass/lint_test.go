//go:build !production

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const demo = "../../openapi/lint/testdata/demo.yaml"

func TestLintTellsWhatIsWrongAndMendsIt(t *testing.T) {
	code, stdout, stderr := guestpass(t, nil, "lint", demo)
	for _, want := range []string{"error   G001  openapi is 3.1.0\n        line 3, openapi: openapi is \"3.0.3\"\n          Write", "line 15, GET /api/userinfo: operationId \"get-user-info\"",
		"call it getUserInfo", "`--fix FILE` mends what can be"} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d %s\nno %q in\n%s", code, stderr, want, stdout)
		}
	}
	mended := filepath.Join(t.TempDir(), "mended.yaml")
	if code, stdout, stderr := guestpass(t, nil, "lint", demo, "--fix", mended); code != 0 || !strings.Contains(stdout, "3 are left in "+mended) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := guestpass(t, nil, "lint", demo, "--fix", mended); code != 2 || !strings.Contains(stderr, "is there already") {
		t.Errorf("over the first: exit code %d\n%s", code, stderr)
	}
	link, target := filepath.Join(t.TempDir(), "link.yaml"), filepath.Join(t.TempDir(), "target.yaml")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := guestpass(t, nil, "lint", demo, "--fix", link); code != 2 || !strings.Contains(stderr, "is there already") {
		t.Errorf("through a link to what is not there: exit code %d\n%s", code, stderr)
	}
	if code, _, _ := guestpass(t, nil, "lint", mended, "--fail-on", "warning"); code != 1 {
		t.Errorf("warnings: exit code %d", code)
	}
	if _, stdout, _ := guestpass(t, nil, "lint", demo, "--fix", "-"); !strings.HasPrefix(stdout, "openapi: 3.1.0\n") || strings.Contains(stdout, "error") {
		t.Errorf("to the standard output:\n%s", stdout)
	}
}

func TestLintPrintsForMachines(t *testing.T) {
	_, stdout, _ := guestpass(t, nil, "lint", demo, "--json")
	var found []lintResult
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || len(found) != 1 || found[0].Document != demo || found[0].Findings[0].Rule == "" {
		t.Errorf("%v\n%s", err, stdout)
	}
	_, stdout, _ = guestpass(t, nil, "lint", demo, "--sarif")
	var log sarifLog
	if err := json.Unmarshal([]byte(stdout), &log); err != nil || log.Version != "2.1.0" || len(log.Runs[0].Results) != len(found[0].Findings) ||
		log.Runs[0].Results[1].Locations[0].Physical.Artifact.URI != demo {
		t.Errorf("%v\n%s", err, stdout)
	}
}

func TestLintExplainsEachRule(t *testing.T) {
	if code, stdout, _ := guestpass(t, nil, "lint", "--explain", "g051"); code != 0 || !strings.Contains(stdout, "G051 (error)") || !strings.Contains(stdout, "M16, C") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, _, stderr := guestpass(t, nil, "lint", "--explain", "G51"); code != 2 || !strings.Contains(stderr, "did you mean G") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestLintReadsAsTheEditorFetches is G002; a public document comes without redirect.
func TestLintReadsAsTheEditorFetches(t *testing.T) {
	document, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	internal := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/openapi.yaml":
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write(document)
		case "/page":
			w.Header().Set("Content-Type", "text/html")
		case "/moved":
			http.Redirect(w, r, "/openapi.yaml", http.StatusFound)
		case "/referring.yaml":
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write([]byte("openapi: 3.1.0\ncomponents: {schemas: {A: {$ref: 'https://" + r.Host + "/internal'}, B: {$ref: 'http://" + r.Host + "/internal'}}}"))
		case "/internal":
			internal++
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, tt := range []struct {
		name string
		code int
		want string
	}{
		{server.URL + "/openapi.yaml", 1, "G001"},
		{server.URL + "/page", 1, `it is served as "text/html"`},
		{server.URL + "/moved", 1, "it is answered with 302"},
		{server.URL + "/none", 1, "it is answered with 404"},
		{server.URL + "/referring.yaml", 1, "is not found"},
		{"http://example.com/openapi.json", 2, "must begin with https"},
		{"nowhere.yaml", 2, "no such file"},
	} {
		if code, stdout, stderr := guestpass(t, nil, "lint", tt.name, "--remote"); code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
			t.Errorf("%s: exit code %d\n%s%s", tt.name, code, stdout, stderr)
		}
	}
	if internal > 0 {
		t.Errorf("a document had %d private addresses called", internal)
	}
}

func TestLintOfOurOwnDocumentsFindsNoError(t *testing.T) {
	for _, vertical := range []string{"b2b", "consumer"} {
		for _, access := range []string{"scopes", "roles"} {
			_, document, _ := guestpass(t, environ(), "openapi", "--vertical", vertical, "--access", access)
			file := filepath.Join(t.TempDir(), "own.json")
			if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			_, stdout, _ := guestpass(t, nil, "lint", file, "--fail-on", "warning")
			for _, line := range strings.Split(stdout, "\n") {
				if (strings.HasPrefix(line, "error") || strings.HasPrefix(line, "warning")) && !strings.Contains(line, "G021") && !strings.Contains(line, "G023") {
					t.Errorf("%s by %s:\n%s", vertical, access, stdout) // G021 and G023 are decided otherwise: 16 operations, patch and delete
				}
			}
		}
	}
}
