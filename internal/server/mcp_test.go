package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/stytchtest"
)

// A modelsClient sends messages to /mcp as clients do, raw.
type modelsClient struct {
	*world
	token string
}

// What a modern request says of itself.
const about = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientCapabilities":{},` +
	`"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"}}`

const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

func (w *world) modelsClient(token string) modelsClient { return modelsClient{w, token} }

// headers changes headers: "Name: value" sets, "Name" alone removes.
func headers(lines ...string) func(*http.Request) {
	return func(r *http.Request) {
		for _, line := range lines {
			name, value, set := strings.Cut(line, ": ")
			if r.Header.Del(name); set {
				r.Header.Set(name, value)
			}
		}
	}
}

// post sends a message of the legacy era.
func (c modelsClient) post(body string, change ...func(*http.Request)) reply {
	c.t.Helper()
	return c.call(http.MethodPost, "/mcp", c.token, body, append([]func(*http.Request){
		headers("Content-Type: application/json", "Accept: application/json, text/event-stream")}, change...)...)
}

// modern sends a message of 2026-07-28, with its headers.
func (c modelsClient) modern(method, name, params string, change ...func(*http.Request)) reply {
	c.t.Helper()
	lines := []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + method}
	if name != "" {
		lines = append(lines, "Mcp-Name: "+name)
	}
	if params != "" {
		params += ","
	}
	return c.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":{%s%s}}`, method, params, about),
		append([]func(*http.Request){headers(lines...)}, change...)...)
}

// tool calls one, and returns its result.
func (c modelsClient) tool(name, arguments string) toolResult {
	c.t.Helper()
	r := c.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name,
		arguments))
	var answer struct {
		Result *toolResult
		Error  *struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || answer.Result == nil {
		c.t.Fatalf("%s %s: %d %s, %v", name, arguments, r.status, r.body, err)
	}
	answer.Result.status, answer.Result.header = r.status, r.header
	return *answer.Result
}

type toolResult struct {
	Content    []struct{ Type, Text string }
	Structured map[string]any `json:"structuredContent"`
	IsError    bool
	Meta       map[string]any `json:"_meta"`

	status int
	header http.Header
}

func (r toolResult) text() string {
	if len(r.Content) != 1 || r.Content[0].Type != "text" {
		return ""
	}
	return r.Content[0].Text
}

// TestMCPWhatAPersonConnects is case by case what somebody would see who connects a client.
func TestMCPWhatAPersonConnects(t *testing.T) {
	w := newWorld(t)
	c := w.modelsClient(w.token(ada, everything...))
	none := w.modelsClient("")
	challenge := `resource_metadata="` + w.url + `/.well-known/oauth-protected-resource/mcp"`
	for _, tt := range []struct {
		name   string
		r      reply
		status int
		header string // of WWW-Authenticate, parts by " | "; "-" for none
		body   string // parts by " | ", of which "!" begins what must not be there
	}{
		{"5 no token", none.post(listTools), 401, challenge + ` | scope="openid | !error`, `"error" | access token`},
		{"5 no token, initialize", none.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`), 401,
			challenge, ``},
		{"5 no token, modern", none.modern("server/discover", "", ""), 401, challenge, ``},
		{"5 no token, for a widget", none.post(`{"jsonrpc":"2.0","id":1,"method":"resources/list"}`), 401, challenge,
			`access token`},
		{"6 a token that is none", w.modelsClient("rubbish").post(listTools), 401,
			`error="invalid_token" | error_description= | ` + challenge, ``},
		{"6 Bearer without a value", none.post(listTools, headers("Authorization: Bearer ")), 401,
			`error="invalid_token"`, ``},
		{"7 another scheme", none.post(listTools, headers("Authorization: Basic eDp5")), 401, challenge, ``},
		{"7 bearer in small letters", none.post(listTools, headers("Authorization: bearer "+c.token)), 200, "-",
			`"tools"`},
		{"7 two headers", c.post(listTools, func(r *http.Request) { r.Header.Add("Authorization", "Bearer x") }), 401,
			`invalid_token`, ``},
		{"7 a token in the query", none.call("POST", "/mcp?access_token="+c.token, "", listTools,
			headers("Content-Type: application/json")), 401, challenge, ``},
		{"10 GET without a token", none.call("GET", "/mcp", "", ""), 405, "-", ``},
		{"26 GET for a stream", none.call("GET", "/mcp", "", "", headers("Accept: text/event-stream")), 405, "-",
			`POST`},
		{"29 DELETE of a session", none.call("DELETE", "/mcp", "", "", headers("Mcp-Session-Id: x")), 405, "-", ``},
		{"30 a slash at the end", c.call("POST", "/mcp/", c.token, listTools,
			headers("Content-Type: application/json")), 200, "-", `"tools"`},
		{"35 JSON alone", c.post(listTools, headers("Accept: application/json")), 200, "-", `"tools"`},
		{"35 a stream alone", c.post(listTools, headers("Accept: text/event-stream")), 200, "-", `"tools"`},
		{"35 no Accept", c.post(listTools, headers("Accept")), 200, "-", `"tools"`},
		{"36 a character set", c.post(listTools, headers("Content-Type: APPLICATION/JSON; charset=utf-8")), 200, "-",
			`"tools"`},
		{"36 text", c.post(listTools, headers("Content-Type: text/plain")), 415, "-", `"error"`},
		{"37 a notification", c.post(`{"jsonrpc":"2.0","method":"notifications/initialized","params":{}}`), 202, "-",
			``},
		{"38 an unknown notification", c.post(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`), 202,
			"-", ``},
		{"39 an unknown method", c.post(`{"jsonrpc":"2.0","id":1,"method":"foo/bar"}`), 200, "-", `-32601`},
		{"39 an unknown method, modern", c.modern("foo/bar", "", ""), 404, "-", `-32601`},
		{"40 ping", c.post(`{"jsonrpc":"2.0","id":"p","method":"ping"}`), 200, "-", `"id":"p","result":{}`},
		{"41 a batch", c.post("[" + listTools + "]"), 400, "-", `-32600 | "id":null`},
		{"41 a batch of 2025-03-26", c.post("["+listTools+"]", headers("MCP-Protocol-Version: 2025-03-26")), 400, "-",
			`-32600`},
		{"41 an empty batch", c.post("[]"), 400, "-", `-32600`},
		{"42 a large id", c.post(`{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`), 200, "-",
			`"id":9007199254740993`},
		{"42 a fraction", c.post(`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`), 400, "-", `-32600 | "id":null`},
		{"42 null", c.post(`{"jsonrpc":"2.0","id":null,"method":"ping"}`), 400, "-", `-32600`},
		{"42 an object", c.post(`{"jsonrpc":"2.0","id":{},"method":"ping"}`), 400, "-", `-32600`},
		{"43 half an object", c.post(`{`), 400, "-", `-32700`},
		{"43 nothing", c.post(``), 400, "-", `-32700`},
		{"43 no version", c.post(`{"id":1,"method":"ping"}`), 400, "-", `-32600`},
		{"43 a member twice", c.post(`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`), 400, "-",
			`-32700 | twice`},
		{"43 other letter case", c.post(`{"jsonrpc":"2.0","id":1,"Method":"ping"}`), 400, "-", `-32600`},
		{"43 a list of params", c.post(`{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}`), 400, "-", `-32602`},
		{"43 not UTF-8", c.post("{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}"), 400, "-", `-32700`},
		{"43 too long", c.post(`{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 300_000) + `"}`), 413, "-",
			`"error"`},
		{"44 a session of before", c.post(listTools, headers("Mcp-Session-Id: dead")), 200, "-", `"tools"`},
		{"45 where a stream broke off", c.post(listTools, headers("Last-Event-ID: 1")), 200, "-", `"tools"`},
		{"46 an old version", c.post(listTools, headers("MCP-Protocol-Version: 2024-11-05")), 200, "-", `"tools"`},
		{"46 a version to come", c.post(listTools, headers("MCP-Protocol-Version: 2099-01-01")), 400, "-",
			`-32022 | "supported"`},
		{"47 initialize, known", c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize",` +
			`"params":{"protocolVersion":"2025-03-26"}}`), 200, "-", `"protocolVersion":"2025-03-26" | ` +
			`"instructions" | !listChanged`},
		{"47 initialize, odd", c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize",` +
			`"params":{"protocolVersion":"1.0"}}`), 200, "-", `"protocolVersion":"2025-11-25"`},
		{"47 initialize, modern", c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize",` +
			`"params":{"protocolVersion":"2026-07-28"}}`), 200, "-", `"protocolVersion":"2025-11-25"`},
		{"49 discover", c.modern("server/discover", "", ""), 200, "-",
			`"supportedVersions":["2026-07-28" | "resultType":"complete" | "ttlMs" | "cacheScope":"private" | ` +
				`"instructions"`},
		{"49 list", c.modern("tools/list", "", ""), 200, "-",
			`"resultType":"complete" | "cacheScope":"private" | "tools" | io.modelcontextprotocol/serverInfo`},
		{"49 call", c.modern("tools/call", "listTasks", `"name":"listTasks","arguments":{}`), 200, "-",
			`"resultType":"complete" | "structuredContent"`},
		{"49 a name in base64", c.modern("tools/call", "=?base64?bGlzdFRhc2tz?=", `"name":"listTasks"`), 200, "-",
			`"structuredContent"`},
		{"49 another name", c.modern("tools/call", "getTask", `"name":"listTasks"`), 400, "-", `-32020`},
		{"49 no method", c.modern("tools/list", "", "", headers("Mcp-Method")), 400, "-", `-32020`},
		{"49 another version", c.modern("tools/list", "", "", headers("MCP-Protocol-Version: 2025-11-25")), 400, "-",
			`-32020`},
		{"49 no capabilities", c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/list",`+
			`"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
			headers("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/list")), 400, "-", `-32602`},
		{"61 a cursor", c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"zzz"}}`), 200, "-",
			`-32602`},
		{"61 an empty cursor", c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}}`), 200,
			"-", `"tools" | !nextCursor`},
		{"70 an unknown tool", c.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope"}}`), 200,
			"-", `-32602`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.r.status != tt.status {
				t.Errorf("%d %s, want %d", tt.r.status, tt.r.body, tt.status)
			}
			if told := tt.r.header.Get("WWW-Authenticate"); tt.header == "-" && told != "" || tt.header != "-" &&
				!hasParts(told, tt.header) {
				t.Errorf("WWW-Authenticate: %s, want %s", told, tt.header)
			}
			if !hasParts(tt.r.body, tt.body) {
				t.Errorf("%s, want %s", tt.r.body, tt.body)
			}
			if kind := tt.r.header.Get("Content-Type"); tt.status != 202 && kind != "application/json" ||
				tt.status == 202 && kind+tt.r.body != "" {
				t.Errorf("it is %q", kind)
			}
			if tt.r.header.Get("Mcp-Session-Id") != "" || tt.r.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%v", tt.r.header)
			}
		})
	}
}

func hasParts(text, parts string) bool {
	for part := range strings.SplitSeq(parts, " | ") {
		if unwanted, found := strings.CutPrefix(part, "!"); found && strings.Contains(text, unwanted) || !found &&
			!strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// TestMCPWhereAClientLearnsHowToConnect is discovery: cases 1, 2, 4 and 11 to 13.
func TestMCPWhereAClientLearnsHowToConnect(t *testing.T) {
	w := newWorld(t)
	for path, resource := range map[string]string{"/mcp": "/mcp", "/mcp/": "/mcp", "/mcp/readonly": "/mcp/readonly",
		"": ""} {
		r := w.call("GET", "/.well-known/oauth-protected-resource"+path, "", "")
		var metadata struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
			Scopes   []string `json:"scopes_supported"`
		}
		if err := json.Unmarshal([]byte(r.body), &metadata); err != nil || r.status != 200 ||
			metadata.Resource != w.url+resource ||
			len(metadata.Servers) != 1 || slices.Contains(metadata.Scopes, "tasks:write") == (path == "/mcp/readonly") {
			t.Errorf("%q: %d %s, %v", path, r.status, r.body, err)
		}
		if path != "" && (slices.Contains(metadata.Scopes, "offline_access") ||
			r.header.Get("Access-Control-Allow-Origin") != "*") {
			t.Errorf("%q: %v, %v", path, metadata.Scopes, r.header)
		}
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
		"/.well-known/openid-configuration/mcp",
		"/mcp/.well-known/oauth-protected-resource", "/authorize", "/token", "/register"} {
		for _, method := range []string{"GET", "POST"} {
			if r := w.call(method, path, "", "{}"); r.status != 404 || strings.Contains(r.header.Get("Content-Type"),
				"html") {
				t.Errorf("%s %s: %d %v", method, path, r.status, r.header)
			}
		}
	}
}

// TestMCPAnswersPagesOfClientsAlone is cases 31 to 34: behind a proxy the host is the public one.
func TestMCPAnswersPagesOfClientsAlone(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL = "https://api.example.com" })
	c := w.modelsClient(w.token(ada, everything...))
	host := func(r *http.Request) { r.Host = "api.example.com" }
	for _, tt := range []struct {
		status int
		lines  []string
	}{
		{200, nil},
		{200, []string{"Origin: https://api.example.com", "Sec-Fetch-Site: same-origin"}},
		{200, []string{"Origin: https://claude.ai", "Sec-Fetch-Site: cross-site"}},
		{200, []string{"Origin: https://chatgpt.com"}},
		{200, []string{"Origin: http://localhost:6274"}},
		{200, []string{"Origin: http://[::1]:6274"}},
		{403, []string{"Origin: https://evil.example"}},
		{403, []string{"Origin: https://claude.ai.evil.example"}},
		{403, []string{"Origin: http://claude.ai"}},
		{403, []string{"Origin: http://localhost.evil.example"}},
		{403, []string{"Origin: null"}},
		{403, []string{"Origin: "}},
		{403, []string{"Sec-Fetch-Site: cross-site"}},
	} {
		if r := c.post(listTools, host, headers(tt.lines...)); r.status != tt.status ||
			r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q: %d %s, want %d", tt.lines, r.status, r.body, tt.status)
		}
	}
	r := w.call("OPTIONS", "/mcp", "", "", host, headers("Origin: http://localhost:6274",
		"Access-Control-Request-Method: POST",
		"Access-Control-Request-Headers: authorization,mcp-method,mcp-name,mcp-protocol-version,content-type"))
	if r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != "http://localhost:6274" ||
		r.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", r.status, r.header)
	}
	for _, name := range []string{"authorization", "content-type", "accept", "mcp-protocol-version", "mcp-session-id",
		"mcp-method", "mcp-name", "last-event-id"} {
		if !strings.Contains(strings.ToLower(r.header.Get("Access-Control-Allow-Headers")), name) {
			t.Errorf("a page may not send %s", name)
		}
	}
	refused := w.modelsClient("").post(listTools, host, headers("Origin: http://localhost:6274"))
	if !strings.Contains(refused.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate") {
		t.Errorf("a page cannot read why: %v", refused.header)
	}
}

// destructive are the tools that remove, overwrite, take back, or send what nobody can call back.
var destructive = []string{"deleteTask", "updateTask", "undoActivity", "inviteMember"}

// TestMCPToolsAreTheOperations compares the list with the published document.
func TestMCPToolsAreTheOperations(t *testing.T) {
	for name, seed := range map[string]func() stytchtest.Seed{"B2B": stytchtest.Development,
		"Consumer": stytchtest.DevelopmentConsumer} {
		t.Run(name, func(t *testing.T) {
			s := seed()
			w := newWorldOf(t, stytchtest.Options{Seed: &s})
			who := ada
			if name == "Consumer" {
				who = s.Users[0].ID
			}
			c := w.modelsClient(w.token(who, everything...))
			r := c.post(listTools)
			if len(r.body) > 20_036 { // with what is around the list
				t.Errorf("the list has %d characters", len(r.body))
			}
			var answer struct {
				Result struct{ Tools []map[string]any }
			}
			if err := json.Unmarshal([]byte(r.body), &answer); err != nil {
				t.Fatal(err)
			}
			published := operationsOf(t, w)
			if len(answer.Result.Tools) != len(published) {
				t.Errorf("%d tools of %d operations", len(answer.Result.Tools), len(published))
			}
			for _, tool := range answer.Result.Tools {
				name := tool["name"].(string)
				op := published[name].(map[string]any)
				hints := tool["annotations"].(map[string]any)
				if tool["title"] != op["summary"] || tool["description"] != op["description"] ||
					hints["title"] != op["summary"] ||
					hints["readOnlyHint"] == op["x-openai-isConsequential"] {
					t.Errorf("%s: %v\n%v", name, tool, op)
				}
				declared := w.app.Operations()[slices.IndexFunc(w.app.Operations(),
					func(op api.Operation) bool { return op.ID == name })]
				if hints["readOnlyHint"] != (declared.Effect == api.Read) ||
					hints["destructiveHint"] != slices.Contains(destructive, name) ||
					hints["openWorldHint"] != declared.External {
					t.Errorf("%s, which is %v: %v", name, declared.Effect, hints)
				}
				if got, want := scopesOf(tool["securitySchemes"]), scopesIn(op["security"]); got != want ||
					scopesOf(tool["_meta"].(map[string]any)["securitySchemes"]) != want {
					t.Errorf("%s: scopes %s, the document says %s", name, got, want)
				}
				portable(t, name, tool["inputSchema"], true)
				portable(t, name, tool["outputSchema"], false)
			}
			again := c.post(listTools)
			if again.body != r.body {
				t.Error("the list is another the second time")
			}
			var reads struct {
				Result struct{ Tools []map[string]any }
			}
			readonly := c.call("POST", "/mcp/readonly", c.token, listTools, headers("Content-Type: application/json"))
			if err := json.Unmarshal([]byte(readonly.body), &reads); err != nil || len(reads.Result.Tools) == 0 {
				t.Fatalf("%s, %v", readonly.body, err)
			}
			for _, tool := range reads.Result.Tools {
				if tool["annotations"].(map[string]any)["readOnlyHint"] != true {
					t.Errorf("%v is among those that change nothing", tool["name"])
				}
			}
		})
	}
}

func operationsOf(t *testing.T, w *world) map[string]any {
	t.Helper()
	var document struct {
		Paths map[string]map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(w.call("GET", "/openapi.json", "", "").body), &document); err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	for _, item := range document.Paths {
		for _, op := range item {
			found[op["operationId"].(string)] = op
		}
	}
	return found
}

func scopesOf(schemes any) string {
	var names []string
	for _, one := range schemes.([]any) {
		list, _ := one.(map[string]any)["scopes"].([]any)
		names = append(names, strings.Trim(fmt.Sprint(list), "[]"))
	}
	return strings.Join(names, "|")
}

func scopesIn(security any) string {
	var names []string
	for _, one := range security.([]any) {
		names = append(names, strings.Trim(fmt.Sprint(one.(map[string]any)["oauth2"]), "[]"))
	}
	return strings.Join(names, "|")
}

// portable holds a schema against what all clients take: cases 50 to 57.
func portable(t *testing.T, tool string, schema any, closed bool) {
	t.Helper()
	s, ok := schema.(map[string]any)
	if !ok {
		t.Errorf("%s: %v is no schema", tool, schema)
		return
	}
	words := []string{"type", "description", "enum", "default", "minimum", "maximum", "pattern", "items", "required",
		"properties", "additionalProperties"}
	for word := range s {
		if !slices.Contains(words, word) {
			t.Errorf("%s: %s is not for every client", tool, word)
		}
	}
	properties, object := s["properties"].(map[string]any)
	if _, text := s["type"].(string); !text || s["type"] == "object" && closed && !object {
		t.Errorf("%s: %v", tool, s)
	}
	if object && closed && s["additionalProperties"] != false || !closed && s["additionalProperties"] == false {
		t.Errorf("%s: additionalProperties of %v", tool, s)
	}
	required, _ := s["required"].([]any)
	for _, name := range required {
		if properties[name.(string)] == nil {
			t.Errorf("%s: %v is required, and there is none", tool, name)
		}
	}
	for _, inner := range properties {
		portable(t, tool, inner, closed)
	}
	if items := s["items"]; items != nil {
		portable(t, tool, items, closed)
	}
}

// TestMCPCalls is what becomes of arguments and answers: cases 65 to 81.
func TestMCPCalls(t *testing.T) {
	w := newWorld(t)
	c := w.modelsClient(w.token(ada, everything...))
	made := c.tool("createTask", `{"title":"A <b> & \"c\"","due":null,"assignee":"","labels":["x"]}`)
	id, _ := made.Structured["task_id"].(string)
	if made.IsError || id == "" || made.text() == "" || !strings.Contains(made.text(), `A <b> & \"c\"`) {
		t.Fatalf("%+v", made)
	}
	var same map[string]any
	if json.Unmarshal([]byte(made.text()), &same) != nil || fmt.Sprint(same) != fmt.Sprint(made.Structured) {
		t.Errorf("the text says something else: %s", made.text())
	}
	if again := c.tool("createTask",
		`{"title":"A <b> & \"c\"",`+
			`"labels":["x"]}`); again.Structured["repeated"] != true || again.Structured["task_id"] != id {
		t.Errorf("a repeated call: %+v", again)
	}
	for _, tt := range []struct {
		tool, arguments string
		isError         bool
		text            string // parts
	}{
		{"listTasks", `{"limit":"5","state":""}`, false, `"tasks":[{`},
		{"listTasks", `{"limit":5.0}`, false, `"tasks":[{`},
		{"listTasks", `null`, false, `"tasks":[{`},
		{"listActivity", `{"removals":"true"}`, false, `"activities":[]`},
		{"listTasks", `{"limit":"many"}`, true, `"code":422 | limit | whole number`},
		{"listTasks", `"{}"`, true, `arguments must be an object`},
		{"listTasks", `{"what":1}`, true, `what | no such argument | cursor`},
		{"createTask", `{}`, true, `"code":422 | title`},
		{"createTask", `{"title":7}`, true, `"code":422 | title`},
		{"getTask", `{"task_id":"tsk_aaaaaaaaaaaaaaaa"}`, true, `"code":404 | list operation`},
		{"getTask", `{"task_id":"../members"}`, true, `task_id`},
		{"getTask", `{"task_id":"a/b"}`, true, `task_id`},
		{"getTask", `{"task_id":".."}`, true, ``},
		{"getTask", `{"task_id":"%2e%2e"}`, true, ``},
		{"getTask", `{"task_id":"x?y=1"}`, true, ``},
		{"getTask", `{"task_id":""}`, true, `task_id | required`},
		{"getTask", `{}`, true, `task_id | required`},
		{"updateTask", fmt.Sprintf(`{"task_id":%q,"notes":"","title":"Other"}`, id), false, `"title":"Other"`},
		{"getTask", fmt.Sprintf(`{"task_id":%q}`, id), false, `"title":"Other"`},
		{"deleteTask", fmt.Sprintf(`{"task_id":%q}`, id), false, `"deleted"`},
	} {
		r := c.tool(tt.tool, tt.arguments)
		if r.status != 200 || r.IsError != tt.isError || !hasParts(r.text(), tt.text) ||
			r.IsError == (r.Structured != nil) {
			t.Errorf("%s %s: %d %+v", tt.tool, tt.arguments, r.status, r)
		}
	}
	activities := w.as(ada).do(200, "GET", "/api/v1/activity", "")["activities"].([]any)
	if len(activities) != 3 { // created, changed, deleted: repetitions and refusals are none
		t.Errorf("on record: %v", activities)
	}
}

// TestMCPRefusals says who may not, in the ways of both families of clients: cases 8, 9, 17, 19 and 81.
func TestMCPRefusals(t *testing.T) {
	w := newWorld(t)
	some := w.modelsClient(w.token(ada, "openid", "tasks:read"))
	r := some.tool("inviteMember", `{"email":"x@acme.example"}`)
	challenge := r.header.Get("WWW-Authenticate")
	if r.status != 403 || !r.IsError || !hasParts(challenge,
		`error="insufficient_scope" | scope="members:invite openid tasks:read" | `+
			`/.well-known/oauth-protected-resource/mcp"`) {
		t.Errorf("%d %s %+v", r.status, challenge, r)
	}
	if told := fmt.Sprint(r.Meta["mcp/www_authenticate"]); !hasParts(told,
		`insufficient_scope | error_description= | members:invite`) {
		t.Errorf("in the result: %s", told)
	}
	member := w.modelsClient(w.token(grace, everything...))
	if r := member.tool("inviteMember", `{"email":"x@acme.example","name":"X"}`); r.status != 200 || !r.IsError ||
		r.Meta != nil || r.header.Get("WWW-Authenticate") != "" {
		t.Errorf("a role that is missing: %d %+v", r.status, r)
	}
	elsewhere := w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: everything,
		Claims: map[string]any{"aud": []string{"https://other.example/mcp"}}})
	if r := w.modelsClient(elsewhere).post(listTools); r.status != 401 {
		t.Errorf("a token for another resource: %d", r.status)
	}
	ours := w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: everything,
		Claims: map[string]any{"aud": []string{stytchtest.Development().Project.ID, w.url + "/mcp/"}}})
	if r := w.modelsClient(ours).post(listTools); r.status != 200 {
		t.Errorf("a token for this one: %d %s", r.status, r.body)
	}
	c := w.modelsClient(w.token(ada, everything...))
	c.post(listTools)
	w.stytch.Advance(2 * time.Hour)
	if r := c.post(listTools); r.status != 401 || !strings.Contains(r.header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("an expired token: %d %v", r.status, r.header)
	}
}

// TestMCPIsCountedForThePerson is case 23: many people behind one address do not use up each other's.
func TestMCPIsCountedForThePerson(t *testing.T) {
	w := newWorld(t, limited(guestpass.Limits{Member: 5}))
	c := w.modelsClient(w.token(ada, everything...))
	other := w.modelsClient(w.token(grace, everything...))
	for n := range 7 {
		r := c.post(listTools)
		if n < 5 && r.status != 200 || n >= 5 && (r.status != 429 || r.header.Get("Retry-After") == "" ||
			r.header.Get("Content-Type") != "application/json") {
			t.Errorf("request %d: %d %v", n, r.status, r.header)
		}
	}
	if r := other.tool("listTasks", `{}`); r.IsError || r.status != 200 { // one request, which counts once
		t.Errorf("%d %+v", r.status, r)
	}
	for range 4 {
		other.post(listTools)
	}
	if r := other.post(listTools); r.status != 429 {
		t.Errorf("the sixth: %d", r.status)
	}
}
