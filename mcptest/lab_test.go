package mcptest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const callback = "http://127.0.0.1:49567/callback"

// lab is an MCP server, its authorization server and the person, all small and right until a test spoils them.
type lab struct {
	t   *testing.T
	url string // of the MCP server

	challenge    string // of 401
	resource     map[string]any
	issuer       map[string]any
	registration func(asked map[string]any) (int, map[string]any)
	back         func(query url.Values)            // what the person comes back with
	token        func(form url.Values) (int, any)  // nil: as it should be
	answer       map[string]func(*incoming) answer // by method; nil: as it should be
	get          int                               // status of GET
	pages        map[string]answer                 // any other address, by path

	mu        sync.Mutex
	seen      []string // requests, one a line
	authorize url.Values
	forms     []url.Values
	issued    int
	revoked   bool // the access tokens issued until now
	rejection string
}

// incoming is a message and how it came.
type incoming struct {
	Method string
	ID     json.RawMessage
	Params map[string]any
	header http.Header
}

// answer is what a server says; body is JSON unless it is text.
type answer struct {
	status int
	body   any
	header map[string]string
}

func newLab(t *testing.T) *lab {
	l := &lab{t: t, get: http.StatusMethodNotAllowed, answer: map[string]func(*incoming) answer{},
		pages: map[string]answer{}}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	l.url = server.URL + "/mcp"
	l.challenge = `Bearer resource_metadata="` + server.URL +
		`/.well-known/oauth-protected-resource/mcp", scope="notes:read"`
	l.resource = map[string]any{"resource": l.url, "authorization_servers": []string{server.URL},
		"scopes_supported": []string{"notes:read", "notes:write"}}
	l.issuer = map[string]any{"issuer": server.URL, "authorization_endpoint": server.URL + "/idp",
		"token_endpoint": server.URL + "/token", "registration_endpoint": server.URL + "/register",
		"scopes_supported": []string{"openid", "email", "profile", "offline_access", "notes:read",
			"notes:write"},
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"}}
	l.registration = func(asked map[string]any) (int, map[string]any) {
		return http.StatusCreated, map[string]any{"client_id": "registered-1", "redirect_uris": asked["redirect_uris"],
			"token_endpoint_auth_method": "none"}
	}
	return l
}

func (l *lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, r.Method+" "+r.URL.Path)
	page, other := l.pages[r.URL.Path]
	switch {
	case other:
		page.write(w)
	case r.URL.Path == "/.well-known/oauth-protected-resource/mcp":
		answer{200, l.resource, nil}.write(w)
	case r.URL.Path == "/.well-known/oauth-authorization-server":
		answer{200, l.issuer, nil}.write(w)
	case r.URL.Path == "/register":
		var asked map[string]any
		_ = json.NewDecoder(r.Body).Decode(&asked)
		status, body := l.registration(asked)
		answer{status, body, nil}.write(w)
	case r.URL.Path == "/token":
		_ = r.ParseForm()
		l.forms = append(l.forms, r.PostForm)
		l.tokenFor(r).write(w)
	case r.URL.Path == "/mcp" && r.Method == http.MethodGet:
		answer{l.get, nil, nil}.write(w)
	case r.URL.Path == "/mcp":
		l.message(r).write(w)
	default:
		answer{404, map[string]any{}, nil}.write(w)
	}
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	if text, ok := a.body.(string); ok {
		_, _ = w.Write([]byte(text))
	} else if a.body != nil {
		_ = json.NewEncoder(w).Encode(a.body)
	}
}

// tokenFor holds the form against what was asked for at the authorization page.
func (l *lab) tokenFor(r *http.Request) answer {
	if l.token != nil {
		status, body := l.token(r.PostForm)
		return answer{status, body, nil}
	}
	hashed := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	form := r.PostForm
	renewal := form.Get("grant_type") == "refresh_token" && form.Get("refresh_token") == fmt.Sprintf("refresh-token-%d",
		l.issued)
	first := form.Get("code") == "the-code-of-the-lab" && form.Get("redirect_uri") == l.authorize.Get("redirect_uri") &&
		base64.RawURLEncoding.EncodeToString(hashed[:]) == l.authorize.Get("code_challenge")
	if !renewal && !first {
		return answer{400, map[string]any{"error": "invalid_grant"}, nil}
	}
	l.issued++
	l.revoked = false
	return answer{200, map[string]any{"access_token": fmt.Sprintf("access-token-%d", l.issued), "token_type": "bearer",
		"refresh_token": fmt.Sprintf("refresh-token-%d", l.issued), "expires_in": 3600}, nil}
}

func (l *lab) message(r *http.Request) answer {
	m := &incoming{header: r.Header}
	if err := json.NewDecoder(r.Body).Decode(m); err != nil {
		l.t.Errorf("a message cannot be read: %v", err)
	}
	l.seen[len(l.seen)-1] = m.Method
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer access-token-%d", l.issued) || l.revoked {
		challenge := l.challenge
		if r.Header.Get("Authorization") != "" {
			challenge += l.rejection
		}
		return answer{401, nil, map[string]string{"WWW-Authenticate": challenge}}
	}
	if made := l.answer[m.Method]; made != nil {
		return made(m)
	}
	switch m.Method {
	case "notifications/initialized":
		return answer{status: 202}
	case "server/discover":
		return m.result(map[string]any{"resultType": "complete", "supportedVersions": []string{modernVersion}})
	case "initialize":
		return m.result(map[string]any{"protocolVersion": legacyVersion,
			"capabilities": map[string]any{"tools": map[string]any{}},
			"serverInfo":   map[string]any{"name": "lab"}})
	case "tools/list":
		return m.result(map[string]any{"tools": []any{goodTool("listNotes")}})
	case "tools/call":
		return m.result(map[string]any{"content": []any{map[string]any{"type": "text", "text": `{"notes":[]}`}},
			"structuredContent": map[string]any{"notes": []any{}}})
	}
	return m.problem(404, methodNotFound)
}

func (m *incoming) result(result any) answer {
	return answer{200, map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": result}, nil}
}

func (m *incoming) problem(status, code int) answer {
	return answer{status, map[string]any{"jsonrpc": "2.0", "id": m.ID, "error": map[string]any{"code": code,
		"message": "no"}}, nil}
}

func goodTool(name string) map[string]any {
	return map[string]any{"name": name, "title": name, "description": "Lists.",
		"inputSchema": map[string]any{"type": "object", "properties": map[string]any{}},
		"annotations": map[string]any{"readOnlyHint": true, "destructiveHint": false, "openWorldHint": false}}
}

// Visit returns the person, who allows everything.
func (l *lab) Visit(_ context.Context, authorizeURL, redirectURI string) (*url.URL, error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.authorize = u.Query()
	query := url.Values{"state": {u.Query().Get("state")}, "code": {"the-code-of-the-lab"}}
	if l.back != nil {
		l.back(query)
	}
	if to := query.Get("to"); to != "" {
		redirectURI = to
	}
	return url.Parse(redirectURI + "?" + query.Encode())
}

// signIn goes the whole way to a token.
func (l *lab) signIn(c *Client) error {
	ctx := l.t.Context()
	if _, err := c.Discover(ctx); err != nil {
		return err
	}
	if _, err := c.Identify(ctx, callback); err != nil {
		return err
	}
	grant, err := c.Authorize(ctx, callback, l)
	if err != nil {
		return err
	}
	_, err = c.Exchange(ctx, grant)
	return err
}

// connected returns a client that is signed in and has begun to speak.
func (l *lab) connected(o Options) *Client {
	l.t.Helper()
	c := New(l.url, o)
	if err := l.signIn(c); err != nil {
		l.t.Fatal(err)
	}
	if _, err := c.Connect(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	return c
}

// requests takes what was seen since it was last asked.
func (l *lab) requests() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen
	l.seen = nil
	return seen
}

func (l *lab) revoke(rejection string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked, l.rejection = true, rejection
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q in it", err, want)
	}
}

func contains(list []string, one string) bool { return slices.Contains(list, one) }

// clock is one that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }
