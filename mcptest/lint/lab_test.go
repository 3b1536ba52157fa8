package lint

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"guestpass/mcptest"
)

const goodToken = "the-good-token-of-the-lab"

// lab is an MCP server with which nothing is wrong until a test spoils it. It wants a token unless it is open.
type lab struct {
	*httptest.Server
	t   *testing.T
	url string

	open      bool // to everybody
	challenge string
	metadata  map[string]any
	issuer    map[string]any
	tools     []any
	widget    map[string]any
	about     map[string]any // what initialize tells
	legacy    bool
	modern    bool

	// wrong answers in place of the lab where it returns true; spoil changes a result.
	wrong func(w http.ResponseWriter, r *http.Request, m *incoming) bool
	spoil func(m *incoming, result map[string]any)
	wrap  func(http.ResponseWriter) http.ResponseWriter

	mu   sync.Mutex
	seen []seen
}

// seen is one request, as it came.
type seen struct {
	request *http.Request
	message *incoming
}

// incoming is a message; nil where the body is none.
type incoming struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  map[string]any  `json:"params"`
	body    string
}

func (m *incoming) name() string { name, _ := m.Params["name"].(string); return name }

func (m *incoming) arguments() map[string]any {
	arguments, _ := m.Params["arguments"].(map[string]any)
	return arguments
}

func schemaOf(text string) json.RawMessage { return json.RawMessage(text) }

const (
	listNotes = "listNotes"
	getNote   = "getNote"
	addNote   = "addNote"
	widgetURI = "ui://lab/notes-v1.html"
)

func newLab(t *testing.T) *lab {
	l := &lab{t: t, legacy: true, modern: true}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	l.url = l.URL + "/mcp"
	l.challenge = `Bearer resource_metadata="` + l.URL + wellKnown + `/mcp", scope="notes:read"`
	l.metadata = map[string]any{"resource": l.url, "authorization_servers": []string{l.URL + "/as"},
		"scopes_supported": []string{"notes:read"}}
	l.issuer = map[string]any{"issuer": l.URL + "/as", "authorization_endpoint": l.URL + "/as/authorize",
		"token_endpoint": l.URL + "/as/token", "registration_endpoint": l.URL + "/as/register",
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"},
		"client_id_metadata_document_supported": true}
	notes := `{"type":"object","properties":{"notes":{"type":"array","items":{"type":"object"}}}}`
	l.tools = []any{
		labTool(addNote, `{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],`+
			`"additionalProperties":false}`, notes, false),
		labTool(getNote, `{"type":"object","properties":{"id":{"type":"string"}},"required":["id"],`+
			`"additionalProperties":false}`, notes, true),
		labTool(listNotes, `{"type":"object","properties":{"limit":{"type":"integer"}},"additionalProperties":false}`,
			notes, true),
	}
	l.tool(listNotes)["_meta"] = map[string]any{"ui": map[string]any{"resourceUri": widgetURI},
		"ui/resourceUri": widgetURI, "openai/outputTemplate": widgetURI}
	l.widget = map[string]any{"uri": widgetURI, "mimeType": widgetType, "text": "<!doctype html><title>Notes</title>",
		"_meta": map[string]any{"ui": map[string]any{"csp": map[string]any{"connectDomains": []string{},
			"resourceDomains": []string{}}}}}
	l.about = map[string]any{"serverInfo": map[string]any{"name": "lab", "version": "1"},
		"capabilities": map[string]any{"tools": map[string]any{}, "resources": map[string]any{}},
		"instructions": "Notes of the person."}
	return l
}

func labTool(name, input, output string, reads bool) map[string]any {
	return map[string]any{"name": name, "title": name, "description": "About notes.", "inputSchema": schemaOf(input),
		"outputSchema": schemaOf(output), "annotations": map[string]any{"readOnlyHint": reads,
			"destructiveHint": false, "openWorldHint": false},
		"securitySchemes": []any{map[string]any{"type": "oauth2", "scopes": []string{"notes:read"}}}}
}

// tool returns one of the list, to be spoilt.
func (l *lab) tool(name string) map[string]any {
	for _, t := range l.tools {
		if tool := t.(map[string]any); tool["name"] == name {
			return tool
		}
	}
	l.t.Fatalf("there is no tool %s", name)
	return nil
}

func (l *lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m := &incoming{body: string(body)}
	if json.Unmarshal(body, m) != nil || strings.ContainsRune(strings.ToValidUTF8(string(body), "\x00"), 0) {
		m = &incoming{body: string(body)}
	}
	l.mu.Lock()
	l.seen = append(l.seen, seen{r, m})
	l.mu.Unlock()
	if l.wrap != nil {
		w = l.wrap(w)
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id")
	switch {
	case l.wrong != nil && l.wrong(w, r, m):
	case r.URL.Path == wellKnown+"/mcp":
		reply(w, 200, l.metadata)
	case r.URL.Path == "/.well-known/oauth-authorization-server/as":
		reply(w, 200, l.issuer)
	case strings.HasPrefix(r.URL.Path, "/as/"):
		l.authorize(w, r)
	case r.URL.Path != "/mcp":
		reply(w, 404, map[string]any{"error": "not found"})
	default:
		l.endpoint(w, r, m)
	}
}

// authorize registers clients and issues the one token.
func (l *lab) authorize(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/as/register" {
		reply(w, 201, map[string]any{"client_id": "c", "redirect_uris": []string{labCallback},
			"token_endpoint_auth_method": "none"})
		return
	}
	reply(w, 200, map[string]any{"access_token": goodToken, "token_type": "bearer", "refresh_token": "r"})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func rpcResult(w http.ResponseWriter, m *incoming, status int, result any) {
	reply(w, status, map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": result})
}

func refuseMessage(w http.ResponseWriter, m *incoming, status, code int, data ...any) {
	problem := map[string]any{"code": code, "message": "no"}
	if len(data) > 0 {
		problem["data"] = data[0]
	}
	id := m.ID
	if len(id) == 0 {
		id = json.RawMessage("null")
	}
	reply(w, status, map[string]any{"jsonrpc": "2.0", "id": id, "error": problem})
}

func (l *lab) endpoint(w http.ResponseWriter, r *http.Request, m *incoming) {
	origin := r.Header.Get("Origin")
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case origin != "" && !slices.Contains([]string{"https://claude.ai", "https://chatgpt.com", "https://vscode.dev",
		pageOrigin}, origin):
		refuseMessage(w, m, 403, invalidRequest)
	case r.Method == http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Headers", strings.Join(wanted, ", "))
		w.Header().Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		w.WriteHeader(204)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		refuseMessage(w, m, 405, invalidRequest)
	case !l.open && (!strings.EqualFold(scheme, "bearer") || token != goodToken):
		challenge := l.challenge
		if r.Header.Get("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		if challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		refuseMessage(w, m, 401, invalidRequest)
	case mediaType(r.Header) != "application/json":
		refuseMessage(w, m, 415, invalidRequest)
	default:
		l.message(w, r, m)
	}
}

// message answers one, strictly.
func (l *lab) message(w http.ResponseWriter, r *http.Request, m *incoming) {
	about, _ := m.Params["_meta"].(map[string]any)
	version, isModern := about[metaPrefix+"protocolVersion"].(string)
	id := string(m.ID)
	switch {
	case m.Version != "2.0" || m.Method == "" || strings.Count(m.body, `"method"`) > 1:
		refuseMessage(w, &incoming{}, 400, parseError)
	case id != "" && id[0] != '"' && strings.Trim(id, "0123456789") != "":
		refuseMessage(w, &incoming{}, 400, invalidRequest)
	case id == "":
		w.WriteHeader(202)
	case isModern && !l.modern, !isModern && !l.legacy:
		refuseMessage(w, m, 400, invalidRequest)
	case isModern:
		l.modernMessage(w, r, m, version, about)
	case !slices.Contains(append([]string{"", modernVersion}, legacyVersions...), r.Header.Get(headerVersion)) &&
		m.Method != "initialize":
		refuseMessage(w, m, 400, unsupportedVersion)
	default:
		l.carryOut(w, m, false)
	}
}

func (l *lab) modernMessage(w http.ResponseWriter, r *http.Request, m *incoming, version string, about map[string]any) {
	name := r.Header.Get("Mcp-Name")
	if inner, encoded := strings.CutPrefix(name, "=?base64?"); encoded {
		text, _ := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, "?="))
		name = string(text)
	}
	switch {
	case version != modernVersion:
		refuseMessage(w, m, 400, unsupportedVersion, map[string]any{"supported": []string{modernVersion}})
	case r.Header.Get(headerVersion) != version || r.Header.Get("Mcp-Method") != m.Method ||
		m.Method == "tools/call" && name != m.name():
		refuseMessage(w, m, 400, headerMismatch)
	case about[metaPrefix+"clientCapabilities"] == nil:
		refuseMessage(w, m, 400, invalidParams)
	default:
		l.carryOut(w, m, true)
	}
}

func (l *lab) carryOut(w http.ResponseWriter, m *incoming, modern bool) {
	result, code := l.result(m, modern)
	if code != 0 {
		status := 200
		if modern && code == methodNotFound {
			status = 404
		}
		refuseMessage(w, m, status, code)
		return
	}
	if modern {
		result["resultType"], result["ttlMs"], result["cacheScope"] = "complete", 1000, "private"
		result["_meta"] = map[string]any{metaPrefix + "serverInfo": l.about["serverInfo"]}
	}
	if l.spoil != nil {
		l.spoil(m, result)
	}
	rpcResult(w, m, 200, result)
}

func (l *lab) result(m *incoming, modern bool) (result map[string]any, code int) {
	switch m.Method {
	case "initialize", "server/discover":
		if modern == (m.Method == "initialize") {
			return nil, methodNotFound
		}
		result = map[string]any{}
		for name, value := range l.about {
			result[name] = value
		}
		version, _ := m.Params["protocolVersion"].(string)
		if !slices.Contains(legacyVersions, version) {
			version = legacyVersion
		}
		result["protocolVersion"], result["supportedVersions"] = version, []string{modernVersion}
		return result, 0
	case "ping":
		return map[string]any{}, 0
	case "tools/list":
		if cursor, _ := m.Params["cursor"].(string); cursor != "" {
			return nil, invalidParams
		}
		return map[string]any{"tools": l.tools}, 0
	case "tools/call":
		return l.call(m)
	case "resources/read":
		if m.Params["uri"] != widgetURI {
			return nil, invalidParams
		}
		return map[string]any{"contents": []any{l.widget}}, 0
	}
	return nil, methodNotFound
}

func (l *lab) call(m *incoming) (result map[string]any, code int) {
	if m.Params["arguments"] != nil && m.arguments() == nil {
		return toolError("arguments must be an object"), 0
	}
	text, allowed := m.arguments()["id"].(string)
	name := "id"
	switch m.name() {
	case addNote:
		name = "text"
		text, allowed = m.arguments()[name].(string)
	case listNotes:
		name = "limit"
		switch value := m.arguments()[name].(type) {
		case nil, float64, string:
			text, allowed = "all", true
		default:
			return toolError("limit must be a whole number, not " + reprOf(value)), 0
		}
	case getNote:
	default:
		return nil, invalidParams
	}
	for given := range m.arguments() {
		if given != name {
			return toolError("there is no argument " + given + ", only " + name), 0
		}
	}
	if !allowed {
		return toolError(name + " is missing, or no text"), 0
	}
	notes := map[string]any{"notes": []any{map[string]any{"text": text}}}
	twin, _ := json.Marshal(notes)
	return map[string]any{"content": []any{map[string]any{"type": "text", "text": string(twin)}},
		"structuredContent": notes}, 0
}

func reprOf(value any) string { text, _ := json.Marshal(value); return string(text) }

func toolError(text string) map[string]any {
	return map[string]any{"isError": true, "content": []any{map[string]any{"type": "text", "text": text}}}
}

// options are those of somebody who holds the token.
func (l *lab) options() Options {
	client := mcptest.New(l.url, mcptest.Options{})
	if !l.open {
		client.SetToken(&mcptest.Token{AccessToken: goodToken})
	}
	return Options{Client: client}
}

func (l *lab) check(o Options) *Report {
	l.t.Helper()
	report, err := Check(l.t.Context(), l.url, o)
	if err != nil {
		l.t.Fatal(err)
	}
	return report
}

// calls returns the messages that called a tool.
func (l *lab) calls(name string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.seen {
		if s.message.Method == "tools/call" && s.message.name() == name {
			n++
		}
	}
	return n
}
