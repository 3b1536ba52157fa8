//go:build !production

package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAddressesThatNoRequestReachesAreMistakes, whoever is played.
func TestAddressesThatNoRequestReachesAreMistakes(t *testing.T) {
	const notWeb = "--url must begin with http:// or https:// and a host name\n"
	for address, want := range map[string]string{
		"localhost:8180": notWeb, "gpt.example.com": notWeb, "ftp://gpt.example.com": notWeb, "/mcp": notWeb,
		"https:///openapi.json": notWeb, "http://:8180": notWeb, "http://[::1": notWeb, "https:gpt.example.com": notWeb,
		"http://localhost:1/#mcp": "--url has a fragment (#…), which is never sent: leave it out\n",
	} {
		for _, args := range [][]string{{"try"}, {"try", "--mcp"}} {
			code, stdout, stderr := execute(t, nil, append(args, "--url", address)...)
			if code != 2 || stderr != "guestpass: "+want || stdout != "" {
				t.Errorf("%v %s: exit code %d, %s%s", args, address, code, stdout, stderr)
			}
		}
	}
	code, _, stderr := execute(t, nil, "try", "--as", "ada@acme.example", "--emulator", "localhost:8181")
	if code != 2 || !strings.Contains(stderr, "--emulator must begin with http:// or https://") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestTryFailsIfAClientWouldRefuseTheList: what is said of the list, the outcome and the exit code agree.
func TestTryFailsIfAClientWouldRefuseTheList(t *testing.T) {
	long := strings.Repeat("a", 20_001)
	for _, tt := range []struct {
		name, tool    string
		args          []string
		code          int
		outcome, want string
	}{
		{"advice", `listNotes - ,"title":"` + long + `"` + readsOnly, nil, 0, "ok",
			"publish fewer tools (of a Guestpass, GUESTPASS_MCP_OPERATIONS or GUESTPASS_MODULES choose them)"},
		{"a refusal", "list.notes - " + readsOnly, nil, 1, "failed",
			"some clients would refuse the list of tools, or a tool of it (1 problem)"},
		{"a refusal, and one call", "list.notes - " + readsOnly, []string{"--call", "list.notes"}, 1, "failed",
			"some clients would refuse the list of tools, or a tool of it (1 problem)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &notes{t: t, tools: []string{tt.tool}}
			n.say = n.respond
			server := httptest.NewServer(n)
			defer server.Close()
			code, stdout, stderr := execute(t, nil, append([]string{"try", "--mcp", "--json", "--url", server.URL},
				tt.args...)...)
			if code != tt.code || !strings.Contains(stdout+stderr, tt.want) || len(n.calls) != 1 {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, tt.code, tt.want, stdout, stderr)
			}
			for line := range strings.Lines(stdout) {
				var step struct{ Step, Outcome string }
				if err := json.Unmarshal([]byte(line), &step); err != nil {
					t.Error(err)
				} else if step.Step == "tools" && step.Outcome != tt.outcome {
					t.Errorf("the outcome is %s", step.Outcome)
				}
			}
		})
	}
}

// TestTrySaysWhereNoServerOfMCPIs, before it praises what is there.
func TestTrySaysWhereNoServerOfMCPIs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page/mcp":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<h1>Docs</h1>")
		case "/json/mcp":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"ok":true}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	const remedy = "; give the server's origin or the URL of its /mcp (a Guestpass has none with GUESTPASS_MCP=off)\n"
	for typed, want := range map[string]string{
		"/page": "/page/mcp: a message was answered with a page (text/html)",
		"/json": "/json/mcp: a message was answered with JSON that is no MCP message",
		"/docs": "/docs/mcp: a message was answered 404 Not Found",
		"/mcp/": "/mcp/: a message was answered 404 Not Found",
	} {
		code, stdout, stderr := execute(t, nil, "try", "--mcp", "--url", server.URL+typed)
		if code != 1 || stderr != "guestpass: discover: there is no MCP server at "+server.URL+want+remedy ||
			strings.Contains(stdout, "without a token") {
			t.Errorf("%s: exit code %d\n%s%s", typed, code, stdout, stderr)
		}
	}
	secure := strings.Replace(server.URL, "http://", "https://", 1)
	for _, args := range [][]string{{"--mcp"}, {}} {
		code, _, stderr := execute(t, nil, append([]string{"try", "--url", secure}, args...)...)
		if code != 1 || stderr != "guestpass: the server at "+secure+" does not speak TLS: try http://\n" {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
}

// TestTryNamesTheClientThatThePageDoesNotKnow, which the page itself does not.
func TestTryNamesTheClientThatThePageDoesNotKnow(t *testing.T) {
	app, emulator := development(t)
	for _, args := range [][]string{{"--mcp"}, {"--client-secret", "secret-of-no-app"}} {
		const stranger = "connected-app-test-dddddddd-0000-4000-8000-00000000dead"
		code, _, stderr := execute(t, nil, append([]string{"try", "--url", app, "--emulator", emulator, "--as",
			"ada@acme.example", "--client-id", stranger}, args...)...)
		if code != 1 || !strings.Contains(stderr, "the page says: Unknown application: No application") ||
			!strings.Contains(stderr, "("+stranger+" is no client of this project, or GUESTPASS_CLIENT_IDS") {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
}

// TestTryFailsIfTheEditorShowsRedLines, with one call as with all.
func TestTryFailsIfTheEditorShowsRedLines(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	document := `{"openapi":"3.1.0","info":{"title":"T","version":"1"},"servers":[{"url":"` + server.URL + `"}],` +
		`"components":{"schemas":{}},"paths":{"/things":{"get":{"operationId":"listThings","parameters":[],` +
		`"responses":{"200":{"description":"OK"}}}},"/nameless":{"get":{"parameters":[],` +
		`"responses":{"200":{"description":"OK"}}}}}}`
	mux.HandleFunc("/openapi.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(document)) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	for _, args := range [][]string{{}, {"--call", "listThings"}} {
		code, stdout, stderr := execute(t, nil, append([]string{"try", "--url", server.URL}, args...)...)
		if code != 1 || !strings.Contains(stderr, "the GPT editor would show") ||
			!strings.Contains(stdout, "listThings {}") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
	}
}

func TestTheHelpOfTrySaysWhatItsExitCodeMeans(t *testing.T) {
	_, help, _ := execute(t, nil, "try", "--help")
	for _, want := range []string{"of all operations together a 403 counts as well",
		"the one operation of --call was refused", "a list is one argument, labels=a,b"} {
		if !strings.Contains(strings.ReplaceAll(help, "\n", " "), want) {
			t.Errorf("the help lacks %q", want)
		}
	}
}
