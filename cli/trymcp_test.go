//go:build !production

package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/mcptest"
)

func TestTryWalksTheToolsAsEveryClient(t *testing.T) {
	app, emulator := development(t)
	try := func(person string, args ...string) (int, string) {
		args = append([]string{"try", "--mcp", "--url", app, "--emulator", emulator, "--as", person}, args...)
		code, stdout, stderr := execute(t, nil, args...)
		return code, stdout + stderr
	}
	code, output := try("ada@acme.example")
	for _, want := range []string{"server/discover 200", "version 2026-07-28", "16 tools, ", " 0 problems",
		"getUserInfo {}",
		"inviteMember", "undoActivity", "(ChatGPT asks the person first)", "refresh"} {
		if code != 0 || !strings.Contains(output, want) {
			t.Errorf("exit code %d, the output lacks %q:\n%s", code, want, output)
		}
	}
	if strings.Contains(output, "is left out") || strings.Contains(output, "isError") || strings.Contains(output,
		"note: the answer") {
		t.Errorf("not every tool was called and answered as it should be:\n%s", output)
	}
	signedIn, _, _ := strings.Cut(output, "call ")
	shown := toolsTranscript(signedIn, app, emulator)
	isShown(t, "../docs/try.md", "tools", shown)
	isShown(t, "../README.md", "tools", shown)

	code, output = try("grace@acme.example", "--client", "claude", "--json")
	refused := ""
	for line := range strings.Lines(output) {
		var step struct {
			Step, Outcome, Operation, Version string
			Requests                          []mcptest.Step
		}
		if err := json.Unmarshal([]byte(line), &step); err != nil {
			t.Fatalf("%q is not JSON", line)
		}
		if step.Outcome == "refused" {
			refused += step.Operation
		}
		if step.Step == "connect" && (step.Version != "2025-11-25" || len(step.Requests) != 3 ||
			step.Requests[2].Status != 405) {
			t.Errorf("Claude was not seen to ask for a stream: %s", line)
		}
	}
	if code != 0 || refused != "inviteMember" {
		t.Errorf("exit code %d, refused %q\n%s", code, refused, output)
	}

	code, output = try("grace@acme.example", "--client", "vscode", "--call", "listMembers", "search=hopper", "limit=5")
	if code != 0 || !strings.Contains(output, "(registered)") || !strings.Contains(output, ", no stream (405)\n") ||
		!strings.Contains(output, `"name": "Grace Hopper"`) {
		t.Errorf("exit code %d\n%s", code, output)
	}
	code, output = try("grace@acme.example", "--client-id", "connected-app-test-dddddddd-0000-4000-8000-000000000001",
		"--call", "createTask")
	if code != 2 || !strings.Contains(output, "(the client id given)") ||
		!strings.Contains(output, "guestpass: createTask needs title: write title=…\n") {
		t.Errorf("exit code %d\n%s", code, output)
	}
}

// toolsTranscript is the output with the same ports and client for all.
func toolsTranscript(output, app, emulator string) string {
	text := strings.ReplaceAll(transcript(output, app), emulator, "http://localhost:8081")
	text = regexp.MustCompile(`127\.0\.0\.1:\d+/client`).ReplaceAllString(text, "127.0.0.1:49568/client")
	text = regexp.MustCompile(`127\.0\.0\.1:\d+/callback`).ReplaceAllString(text, "127.0.0.1:49567/callback")
	return regexp.MustCompile(`connected-app-test-[0-9a-f-]{36}`).ReplaceAllString(text,
		"connected-app-test-3f2a9c41-…")
}

// notes is an MCP server of somebody else, which anybody may call: tools by what they are, as JSON members.
type notes struct {
	t     *testing.T
	tools []string
	say   func(tool string, arguments map[string]any) any // the result

	mu    sync.Mutex
	calls []string // tool and arguments
}

const (
	readsOnly = `,"annotations":{"readOnlyHint":true,"destructiveHint":false,"openWorldHint":false}`
	addsOnly  = `,"annotations":{"readOnlyHint":false,"destructiveHint":false,"idempotentHint":false,` +
		`"openWorldHint":false}`
)

func (n *notes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID     json.RawMessage
		Method string
		Params struct {
			Name      string
			Arguments map[string]any
		}
	}
	if json.NewDecoder(r.Body).Decode(&m) != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var result any
	switch m.Method {
	case "server/discover":
		result = map[string]any{"resultType": "complete", "supportedVersions": []string{"2026-07-28"}}
	case "initialize":
		result = map[string]any{"protocolVersion": "2025-11-25",
			"capabilities": map[string]any{"tools": map[string]any{}}}
	case "notifications/initialized":
		w.WriteHeader(http.StatusAccepted)
		return
	case "tools/list":
		result = map[string]any{"tools": n.list()}
	case "tools/call":
		sent, _ := json.Marshal(m.Params.Arguments)
		n.mu.Lock()
		n.calls = append(n.calls, m.Params.Name+" "+string(sent))
		n.mu.Unlock()
		result = n.say(m.Params.Name, m.Params.Arguments)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": result})
}

// list reads "name property,property! members": ! is required.
func (n *notes) list() (tools []map[string]any) {
	for _, line := range n.tools {
		parts := append(strings.SplitN(line, " ", 3), "")
		input := map[string]any{"type": "object", "properties": map[string]any{}}
		required := []string{}
		for property := range strings.SplitSeq(parts[1], ",") {
			name, must := strings.CutSuffix(property, "!")
			if name != "-" {
				input["properties"].(map[string]any)[name] = map[string]any{"type": "string"}
			}
			if must {
				required = append(required, name)
			}
		}
		input["required"] = required
		tool := map[string]any{"name": parts[0], "title": parts[0], "description": "Does it.", "inputSchema": input}
		if err := json.Unmarshal([]byte("{"+strings.TrimPrefix(parts[2], ",")+"}"), &tool); err != nil {
			n.t.Errorf("%s: %v", line, err)
		}
		tools = append(tools, tool)
	}
	return tools
}

// structured is a result as clients want it.
func structured(value any) any {
	text, _ := json.Marshal(value)
	return map[string]any{"content": []any{map[string]any{"type": "text", "text": string(text)}},
		"structuredContent": value}
}

func (n *notes) respond(tool string, arguments map[string]any) any {
	switch tool {
	case "listNotes":
		return structured(map[string]any{"notes": []any{map[string]any{"note_id": "theirs"}}})
	case "createNote":
		return structured(map[string]any{"note_id": "mine"})
	}
	return structured(map[string]any{"note_id": arguments["note_id"]})
}

// TestTryTouchesOnlyWhatToolsOfThisRunMade has tools whose hints and names say what they do, or nothing.
func TestTryTouchesOnlyWhatToolsOfThisRunMade(t *testing.T) {
	n := &notes{t: t, tools: []string{"wipeNotes -", "tidyUp -", "purge all", "updateNote note_id!,text",
		"deleteNote note_id!",
		"createNote text!" + " " + addsOnly, "listNotes - " + readsOnly}}
	n.say = n.respond
	server := httptest.NewServer(n)
	defer server.Close()
	code, stdout, stderr := execute(t, nil, "try", "--mcp", "--url", server.URL)
	want := []string{`listNotes {}`, `createNote {"text":"example"}`,
		`updateNote {"note_id":"mine","text":"example"}`, `deleteNote {"note_id":"mine"}`}
	if code != 0 || !slices.Equal(n.calls, want) {
		t.Errorf("exit code %d, called %q, want %q\n%s%s", code, n.calls, want, stdout, stderr)
	}
	for _, want := range []string{"answers without a token", "wipeNotes is left out", "tidyUp is left out",
		"purge is left out",
		"tidyUp: readOnlyHint, destructiveHint or openWorldHint is missing: ChatGPT wants"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout)
		}
	}

	n.calls = nil
	var out bytes.Buffer
	far := &try{url: "https://notes.example", print: newPrinter(&out, false)}
	if err := far.callTools(t.Context(), mcptest.New(server.URL, mcptest.Options{Profile: mcptest.ChatGPT()}),
		nil); err != nil ||
		!slices.Equal(n.calls, want[:1]) {
		t.Errorf("%v, a server that is not on this machine was called with %q\n%s", err, n.calls, out.String())
	}
}

func TestTryJudgesWhatToolsAnswer(t *testing.T) {
	text := func(text string, isError bool) any {
		return map[string]any{"isError": isError, "content": []any{map[string]any{"type": "text", "text": text}}}
	}
	const output = `,"outputSchema":{"type":"object","properties":{"id":{"type":"string"}}}`
	for _, tt := range []struct {
		name   string
		answer any
		code   int
		want   string
	}{
		{"as declared", structured(map[string]any{"id": "x"}), 0, `200 {"id":"x"}`},
		{"of another type", structured(map[string]any{"id": 7}), 1,
			"note: the answer is not what is declared: /id: got number, want string"},
		{"no JSON", text("hello", false), 1, "note: the answer is not JSON, and is declared to be"},
		{"an error", text("no such note", true), 1, "200 isError no such note"},
		{"an error of ours", text(`{"error":{"code":404,"message":"none"}}`, true), 1, "200 isError {"},
		{"what the person may not do", text(`{"error":{"code":403,"message":"none"}}`, true), 0, "200 isError {"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &notes{t: t, tools: []string{"listNotes - " + readsOnly + output}}
			n.say = func(string, map[string]any) any { return tt.answer }
			server := httptest.NewServer(n)
			defer server.Close()
			code, stdout, stderr := execute(t, nil, "try", "--mcp", "--url", server.URL)
			if code != tt.code || !strings.Contains(stdout, tt.want) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, tt.code, tt.want, stdout, stderr)
			}
		})
	}
}

func TestTrySaysWhatAClientWouldRefuse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/mcp" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"resource": "http://" + r.Host,
			"authorization_servers": []string{"http://" + r.Host}})
	}))
	defer server.Close()
	code, stdout, stderr := execute(t, nil, "try", "--mcp", "--url", server.URL)
	metadata := server.URL + "/.well-known/oauth-protected-resource/mcp"
	if code != 1 || !strings.Contains(stdout, "GET "+metadata+" 200") || stderr != "guestpass: discover: "+metadata+
		` says resource "`+
		server.URL+`", and the URL typed is "`+server.URL+"/mcp\": clients want the same, byte for byte\n" {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestTryStopsWhenAToolWantsASignIn(t *testing.T) {
	n := &notes{t: t, tools: []string{"listNotes - " + readsOnly, "listPens - " + readsOnly}}
	called := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mcp-Method") != "tools/call" {
			n.ServeHTTP(w, r)
			return
		}
		called++
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	code, stdout, stderr := execute(t, nil, "try", "--mcp", "--url", server.URL)
	if code != 1 || called != 1 || !strings.Contains(stderr,
		"call listNotes: answered 401, so the person has to sign in again: invalid_token") {
		t.Errorf("exit code %d, %d calls\n%s%s", code, called, stdout, stderr)
	}
}

func TestWhatAToolDoesFollowsFromItsHints(t *testing.T) {
	for _, tt := range []struct {
		tool string
		want effect
		adds bool
	}{
		{"listNotes query " + readsOnly, lists, false},
		{"getNote note_id! " + readsOnly, reads, false},
		{"createNote text! " + addsOnly, creates, true},
		{"createNote text!", creates, false},
		// perhaps the same again
		{`createNote text! ,"annotations":{"readOnlyHint":false,"destructiveHint":false}`, creates, false},
		{"completeNote note_id! " + addsOnly, changes, false},
		{"deleteNote note_id! " + addsOnly, removes, false},
		{"restoreNote note_id!", restores, false},
		{"undoActivity activity_id!", undoes, false},
		{"frobnicate note_id!", changes, false},
	} {
		n := &notes{t: t, tools: []string{tt.tool}}
		listed, _ := json.Marshal(n.list())
		var tools []mcptest.Tool
		if err := json.Unmarshal(listed, &tools); err != nil {
			t.Fatal(err)
		}
		operations, unusable := toolOperations(tools)
		if len(operations) != 1 {
			t.Fatalf("%s: %v", tt.tool, unusable)
		}
		if p := plan(operations)[0]; p.effect != tt.want || p.Declares(http.StatusCreated) != tt.adds {
			t.Errorf("%s: effect %d, adds %v, want %d, %v", tt.tool, p.effect, p.Declares(http.StatusCreated), tt.want,
				tt.adds)
		}
	}
}

// TestTryServesItsMetadataDocument has an authorization server that knows clients by their documents alone, and a
// browser that belongs to the person.
func TestTryServesItsMetadataDocument(t *testing.T) {
	t.Setenv("PATH", "") // no browser opens
	n := &notes{t: t, tools: []string{"listNotes - " + readsOnly}}
	n.say = n.respond
	var origin string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := map[string]any{"resource": origin + "/mcp", "authorization_servers": []string{origin}}
		switch {
		case r.URL.Path == "/mcp" && r.Header.Get("Authorization") == "":
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
			return
		case r.URL.Path == "/mcp":
			n.ServeHTTP(w, r)
			return
		case r.URL.Path == "/.well-known/oauth-authorization-server":
			said = map[string]any{"issuer": origin, "authorization_endpoint": origin + "/idp",
				"token_endpoint":                        origin + "/token",
				"code_challenge_methods_supported":      []string{"S256"},
				"token_endpoint_auth_methods_supported": []string{"none"},
				"client_id_metadata_document_supported": true}
		case r.URL.Path == "/idp":
			query := r.URL.Query()
			var document struct {
				ClientID     string   `json:"client_id"`
				RedirectURIs []string `json:"redirect_uris"`
			}
			_ = json.Unmarshal([]byte(get(t, query.Get("client_id"))), &document)
			if document.ClientID != query.Get("client_id") || !slices.Contains(document.RedirectURIs,
				query.Get("redirect_uri")) {
				t.Errorf("the document %+v is not that of %v", document, query)
			}
			back := url.Values{"state": query["state"], "code": {"code-of-the-page"}}
			http.Redirect(w, r, query.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
			return
		case r.URL.Path == "/token":
			said = map[string]any{"access_token": "token-of-the-server", "token_type": "bearer", "expires_in": 60}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(said)
	}))
	defer server.Close()
	origin = server.URL
	out, errOut := newFollower(), newFollower()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"try", "--mcp", "--client", "claude", "--url", origin}, nil, out, errOut)
	}()
	response, err := http.Get(out.wait(t, `(?m)^ +(http://\S+/idp\?\S+)$`)[1])
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	code := <-ended
	shown := out.String() + errOut.String()
	if code != 0 || !strings.Contains(shown, "/client.json (the address of its metadata document)") ||
		strings.Contains(shown, "token-of-the-server") {
		t.Errorf("exit code %d, the document is not named, or a token is:\n%s", code, shown)
	}
}

func TestTheServerOfToolsIsFoundBelowTheURL(t *testing.T) {
	for given, want := range map[string]string{"": defaultAppURL + "/mcp", "https://a.example": "https://a.example/mcp",
		"https://a.example/": "https://a.example/mcp", "https://a.example/mcp": "https://a.example/mcp",
		"https://a.example/mcp/readonly": "https://a.example/mcp/readonly",
		"https://a.example/mcp/":         "https://a.example/mcp/", // is another resource, so it is tried as it is
		"https://a.example/mcp?x=1":      "https://a.example/mcp?x=1",
		"https://a.example/x?y=1":        "https://a.example/x/mcp?y=1",
		"https://a.example/x":            "https://a.example/x/mcp"} {
		if got := (&try{url: cmp.Or(given, defaultAppURL)}).server(); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}
