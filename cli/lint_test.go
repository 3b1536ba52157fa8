//go:build !production

package cli

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"guestpass/openapi/lint"
)

const demo = "../openapi/lint/testdata/demo.yaml"

func TestLintTellsWhatIsWrongAndMendsIt(t *testing.T) {
	code, stdout, stderr := execute(t, nil, "lint", demo)
	for _, want := range []string{"error   G001  openapi is 3.1.0\n        line 3, openapi: openapi is \"3.0.3\"\n   " +
		"       Write", "line 15, GET /api/userinfo: operationId \"get-user-info\"",
		"call it getUserInfo", "`--fix FILE` mends what can be"} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d %s\nno %q in\n%s", code, stderr, want, stdout)
		}
	}
	mended := filepath.Join(t.TempDir(), "mended.yaml")
	if code, stdout, stderr := execute(t, nil, "lint", demo, "--fix", mended); code != 0 ||
		!strings.Contains(stdout, "4 are left in "+mended) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	_, stdout, _ = execute(t, nil, "lint", demo, "--fix", filepath.Join(t.TempDir(), "again.yaml"))
	for _, want := range []string{"What the copy says otherwise (lines of " + demo + "):\n",
		`line 14, GET /api/userinfo: operationId is getUserInfo, and was "get-user-info"`,
		"the server http://localhost:3000 is removed"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code, _, stderr := execute(t, nil, "lint", demo, "--fix", mended); code != 2 || !strings.Contains(stderr,
		"is there already") {
		t.Errorf("over the first: exit code %d\n%s", code, stderr)
	}
	link, target := filepath.Join(t.TempDir(), "link.yaml"), filepath.Join(t.TempDir(), "target.yaml")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := execute(t, nil, "lint", demo, "--fix", link); code != 2 || !strings.Contains(stderr,
		"is there already") {
		t.Errorf("through a link to what is not there: exit code %d\n%s", code, stderr)
	}
	if code, _, _ := execute(t, nil, "lint", mended, "--fail-on", "warning"); code != 1 {
		t.Errorf("warnings: exit code %d", code)
	}
	if _, stdout, _ := execute(t, nil, "lint", demo, "--fix", "-"); !strings.HasPrefix(stdout, "openapi: 3.1.0\n") ||
		strings.Contains(stdout, "error") {
		t.Errorf("to the standard output:\n%s", stdout)
	}
}

func TestLintPrintsForMachines(t *testing.T) {
	_, stdout, _ := execute(t, nil, "lint", demo, "--json")
	var found []lintResult
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || len(found) != 1 || found[0].Document != demo ||
		found[0].Findings[0].Rule == "" {
		t.Errorf("%v\n%s", err, stdout)
	}
	_, stdout, _ = execute(t, nil, "lint", demo, "--sarif")
	var log sarifLog
	if err := json.Unmarshal([]byte(stdout), &log); err != nil || log.Version != "2.1.0" ||
		len(log.Runs[0].Results) != len(found[0].Findings) ||
		log.Runs[0].Results[1].Locations[0].Physical.Artifact.URI != demo {
		t.Errorf("%v\n%s", err, stdout)
	}
}

func TestLintNamesTheCopyWhoseLinesItTells(t *testing.T) {
	mended := filepath.Join(t.TempDir(), "mended.yaml")
	source := filepath.Join(t.TempDir(), "source.yaml")
	if err := os.WriteFile(source, []byte("openapi: 3.1.0\nservers: [{url: 'https://api.example.com'}]\npaths: {}\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := execute(t, nil, "lint", source, "--fix", mended)
	if !strings.Contains(stdout, "What is left (lines of "+mended+")") || !strings.Contains(stdout, "\n"+mended+": ") {
		t.Errorf("%s", stdout)
	}
	_, stdout, _ = execute(t, nil, "lint", source, "--json", "--fix", mended+"2")
	if !strings.Contains(stdout, `"copy": "`+mended+`2"`) {
		t.Errorf("%s", stdout)
	}
	if err := os.WriteFile(source, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := execute(t, nil, "lint", source, "--json", "--fix", mended+"3")
	if code != 2 || !json.Valid([]byte(stdout)) || !strings.Contains(stdout, `"rule": "G002"`) ||
		!strings.Contains(stderr, "cannot be mended") {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
}

func TestLintExplainsEachRule(t *testing.T) {
	if code, stdout, _ := execute(t, nil, "lint", "--explain", "g051"); code != 0 || !strings.Contains(stdout,
		"G051 (error)") || !strings.Contains(stdout, "M16, C") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, _, stderr := execute(t, nil, "lint", "--explain", "G51"); code != 2 || !strings.Contains(stderr,
		"did you mean G") {
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
			_, _ = w.Write([]byte("<!DOCTYPE html>\n<title>Tea</title>"))
		case "/moved":
			http.Redirect(w, r, "/openapi.yaml", http.StatusFound)
		case "/referring.yaml":
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write([]byte("openapi: 3.1.0\ncomponents: {schemas: {A: {$ref: 'https://" + r.Host +
				"/internal'}, B: {$ref: 'http://" + r.Host + "/internal'}}}"))
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
		{server.URL + "/page", 1, "it is a web page"},
		{server.URL + "/moved", 1, "it is answered with 302"},
		{server.URL + "/none", 1, "it is answered with 404"},
		{server.URL + "/referring.yaml", 1, "is not found"},
		{"http://example.com/openapi.json", 2, "must begin with https"},
		{"nowhere.yaml", 2, "no such file"},
	} {
		if code, stdout, stderr := execute(t, nil, "lint", tt.name, "--remote"); code != tt.code ||
			!strings.Contains(stdout+stderr, tt.want) {
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
			_, document, _ := execute(t, environ(), "openapi", "--vertical", vertical, "--access", access)
			file := filepath.Join(t.TempDir(), "own.json")
			if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			_, stdout, _ := execute(t, nil, "lint", file, "--fail-on", "warning")
			for _, line := range strings.Split(stdout, "\n") {
				if (strings.HasPrefix(line, "error") || strings.HasPrefix(line, "warning")) && !strings.Contains(line,
					"G021") && !strings.Contains(line, "G023") {
					// G021 and G023 are decided otherwise: 16 operations, patch and delete
					t.Errorf("%s by %s:\n%s", vertical, access, stdout)
				}
			}
		}
	}
}

// TestLintTellsTheLine: in words and for machines.
func TestLintTellsTheLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(file, []byte("openapi: 3.1.0\ninfo:\n  title: Tea\n version: '1'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := execute(t, nil, "lint", file); code != 1 ||
		!strings.Contains(stdout, "line 4, document: ") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if _, stdout, _ := execute(t, nil, "lint", file, "--json"); !strings.Contains(stdout, `"line": 4`) {
		t.Errorf("--json: %s", stdout)
	}
	if _, stdout, _ := execute(t, nil, "lint", file, "--sarif"); !strings.Contains(stdout, `"startLine": 4`) {
		t.Errorf("--sarif: %s", stdout)
	}
	code, stdout, stderr := execute(t, nil, "lint", file, "--fix", "-")
	if code != 2 || stdout != "" || !strings.Contains(stderr, "cannot be mended: line 4: ") {
		t.Errorf("--fix: exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestLintTellsWhyThereIsNoDocument: each cause by its name, with --fix and without.
func TestLintTellsWhyThereIsNoDocument(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		file string
		code int // without --fix; with it always 2
		want string
	}{
		{write("large.json", `{"x": "`+strings.Repeat("a", 5_000_000)+`"}`, 0o600), 1, "it is too large"},
		{write("empty.yaml", "", 0o600), 1, "there is nothing in it"},
		{write("wide.yaml", "\xff\xfea\x00:\x00", 0o600), 1, "it is in UTF-16"},
		{write("page.json", "<html>", 0o600), 1, "it is a web page"},
		{folder, 2, "is a directory"},
		{filepath.Join(folder, "none.yaml"), 2, "no such file"},
	} {
		if code, stdout, stderr := execute(t, nil, "lint", tt.file); code != tt.code ||
			!strings.Contains(stdout+stderr, tt.want) {
			t.Errorf("%s: exit code %d\n%s%s", tt.file, code, stdout, stderr)
		}
		fixed := filepath.Join(folder, "fixed")
		if code, _, stderr := execute(t, nil, "lint", tt.file, "--fix", fixed); code != 2 ||
			!strings.Contains(stderr, tt.want) {
			t.Errorf("%s --fix: exit code %d\n%s", tt.file, code, stderr)
		}
		if _, err := os.Stat(fixed); err == nil {
			t.Errorf("%s: a copy was written", tt.file)
		}
	}
	secret := write("secret.yaml", "a: 1", 0o000)
	if os.Getuid() == 0 {
		return // who may read everything
	}
	if code, _, stderr := execute(t, nil, "lint", secret); code != 2 ||
		!strings.Contains(stderr, "permission denied") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestTheContentTypeDoesNotDecide: at most it is a warning, and the document is judged.
func TestTheContentTypeDoesNotDecide(t *testing.T) {
	document, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	kind := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{kind}
		_, _ = w.Write(document)
	}))
	defer server.Close()
	for served, warned := range map[string]bool{
		"application/json": false, "application/yaml; charset=utf-8": false,
		"application/vnd.oai.openapi+json;version=3.1": false,
		"text/plain; charset=utf-8":                    true, "application/octet-stream": true, "text/html": true,
		"": true, "a b": true,
	} {
		kind = served
		code, stdout, _ := execute(t, nil, "lint", server.URL+"/openapi.yaml")
		if code != 1 || !strings.Contains(stdout, "error   G001") ||
			strings.Contains(stdout, "warning G002") != warned {
			t.Errorf("%q: exit code %d\n%.600s", served, code, stdout)
		}
		if _, stdout, _ := execute(t, nil, "lint", server.URL+"/openapi.yaml", "--fix",
			"-"); !strings.HasPrefix(stdout, "openapi: 3.1.0\n") {
			t.Errorf("%q: --fix wrote %.100s", served, stdout)
		}
	}
}

// TestLintReadsNoFileWithoutAnEnd: a named pipe has none who writes, a device all there is.
func TestLintReadsNoFileWithoutAnEnd(t *testing.T) {
	dir := t.TempDir()
	pipe, socket := filepath.Join(dir, "pipe.yaml"), filepath.Join(dir, "socket.yaml")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for name, want := range map[string]string{pipe: "a named pipe", socket: "a socket", "/dev/zero": "a device"} {
		for _, command := range [][]string{{"lint", name}, {"openapi", "--check", name}} {
			code, _, stderr := execute(t, nil, command...)
			if code != 2 || !strings.Contains(stderr, name+" is no regular file but "+want) {
				t.Errorf("%s: exit code %d\n%s", command, code, stderr)
			}
		}
	}
}

func TestLintOfTheStandardInputCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() {
		_, _ = io.WriteString(writer, "openapi: 3.1.0") // until somebody reads
		cancel()
	}()
	if _, _, err := readDocument(ctx, "-", reader); err == nil || err.Error() != "interrupted" {
		t.Errorf("the error is %v", err)
	}
}

func TestLintTellsWhichAnswerBrokeOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "openapi: 3.1.0")
	}))
	defer server.Close()
	address := server.URL + "/openapi.yaml"
	if code, _, stderr := execute(t, nil, "lint", address); code != 2 ||
		!strings.Contains(stderr, address+": the answer broke off after 14 bytes: unexpected EOF") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestLintLosesNoFindings when something else is wrong in the call or with another document.
func TestLintLosesNoFindings(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.yaml")
	code, stdout, stderr := execute(t, nil, "lint", "--json", demo, none)
	var results []lintResult
	if err := json.Unmarshal([]byte(stdout), &results); err != nil || code != 2 || len(results) != 2 ||
		len(results[0].Findings) == 0 || !strings.Contains(results[1].Error, "no such file") ||
		!strings.Contains(stderr, "no such file") {
		t.Errorf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	for _, flag := range []string{"--sarif", "--fail-on=error"} {
		if code, stdout, _ := execute(t, nil, "lint", flag, none, demo); code != 2 || !strings.Contains(stdout,
			"get-user-info") {
			t.Errorf("%s: exit code %d\n%s", flag, code, stdout)
		}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--fix", ""}, "--fix has nothing in it"},
		{[]string{"--fix= "}, "--fix has nothing in it"},
		{[]string{"--explain", ""}, "--explain has nothing in it"},
		{[]string{"--json", "--fix", "-"}, "name a FILE instead"},
		{[]string{"--sarif", "--fix", "-"}, "name a FILE instead"},
	} {
		if code, stdout, stderr := execute(t, nil, append([]string{"lint", demo}, tt.args...)...); code != 2 ||
			stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit code %d\n%s%s", tt.args, code, stdout, stderr)
		}
	}
}

// TestLintForOtherImportersTakesOurDocuments: each the one at its address, and no other version by mistake.
func TestLintForOtherImportersTakesOurDocuments(t *testing.T) {
	folder, files := t.TempDir(), map[string]string{}
	for version, address := range map[string]string{"3.1": "/openapi.json", "3.0": "/openapi-3.0.json",
		"2.0": "/swagger.json"} {
		code, document, stderr := execute(t, environ(), "openapi", "--version", version)
		if code != 0 {
			t.Fatalf("%d %s", code, stderr)
		}
		files[address] = filepath.Join(folder, version+".json")
		if err := os.WriteFile(files[address], []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range lint.Profiles() {
		if p.Name == lint.GPT { // TestLintOfOurOwnDocumentsFindsNoError
			continue
		}
		code, stdout, _ := execute(t, nil, "lint", files[p.Address], "--for", p.Name, "--fail-on", "warning")
		if code != 0 || !strings.Contains(stdout, " for "+p.Name) {
			t.Errorf("%s: exit code %d\n%s", p.Name, code, stdout)
		}
	}
	code, stdout, _ := execute(t, nil, "lint", files["/openapi.json"], "--for", "power-platform")
	if code != 1 || !strings.Contains(stdout, "X001") || !strings.Contains(stdout, "/swagger.json") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}

func TestLintSaysForWhom(t *testing.T) {
	_, stdout, _ := execute(t, nil, "lint", demo, "--json", "--for", "m365")
	var found []lintResult
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || found[0].Profile != "m365" {
		t.Errorf("%v\n%s", err, stdout)
	}
	_, stdout, _ = execute(t, nil, "lint", demo, "--sarif", "--for", "M365")
	var log sarifLog
	if err := json.Unmarshal([]byte(stdout), &log); err != nil || log.Runs[0].Automation.ID != "guestpass lint/m365/" {
		t.Errorf("%v\n%s", err, stdout)
	}
	for want, arguments := range map[string][]string{
		"did you mean power-platform?": {demo, "--for", "power-platfrom"},
		"choose from gpt, m365":        {demo, "--for", "nobody"},
		"leave --for out":              {demo, "--for", "m365", "--fix", "x.yaml"},
	} {
		if code, _, stderr := execute(t, nil, append([]string{"lint"}, arguments...)...); code != 2 ||
			!strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s", arguments, code, stderr)
		}
	}
	if code, stdout, _ := execute(t, nil, "lint", "--explain", "x012"); code != 0 || !strings.Contains(stdout,
		"Bedrock") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}
