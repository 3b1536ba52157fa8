package server_test

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"guestpass"
	"guestpass/stytchtest"
)

// newOpenWorld returns one where clients register themselves.
func newOpenWorld(t *testing.T) *world {
	t.Helper()
	seed := stytchtest.Development()
	seed.Project.Registration = true
	seed.ConnectedApps[0].RedirectURLs = append(seed.ConnectedApps[0].RedirectURLs, "http://127.0.0.1/callback")
	return newWorldOf(t, stytchtest.Options{Seed: &seed}, func(o *guestpass.Options) { o.ClientIDs = nil })
}

// back is where nothing listens: the browser stops before it.
const back = "http://127.0.0.1/callback"

// handlerSDK lets the official client for Go connect; change says how, beside where a person signs in.
func (w *world) handlerSDK(t *testing.T, change func(*auth.AuthorizationCodeHandlerConfig)) auth.OAuthHandler {
	t.Helper()
	config := &auth.AuthorizationCodeHandlerConfig{RedirectURL: back, RequestRefreshToken: true,
		AuthorizationCodeFetcher: w.fetchCode}
	change(config)
	handler, err := auth.NewAuthorizationCodeHandler(config)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// registersItself has the client do that.
func registersItself(c *auth.AuthorizationCodeHandlerConfig) {
	metadata := &oauthex.ClientRegistrationMetadata{ClientName: "Acceptance", RedirectURIs: []string{back},
		TokenEndpointAuthMethod: "none", GrantTypes: []string{"authorization_code", "refresh_token"},
		ResponseTypes: []string{"code"}}
	c.DynamicClientRegistrationConfig = &auth.DynamicClientRegistrationConfig{Metadata: metadata}
}

// TestRealClientForGoConnects has the official client for Go find out for itself how to connect.
func TestRealClientForGoConnects(t *testing.T) {
	needsBrowser(t)
	t.Parallel()
	w := newOpenWorld(t)
	w.checkStory(t, storySDK(t, w.connectSDK(t, w.handlerSDK(t, registersItself))))
}

// TestRealClientForGoAsksForMore: where a tool needs what was not granted, the client asks the person for it, and
// calls again.
func TestRealClientForGoAsksForMore(t *testing.T) {
	needsBrowser(t)
	t.Parallel()
	w := newOpenWorld(t)
	handler := w.handlerSDK(t, func(c *auth.AuthorizationCodeHandlerConfig) {
		registersItself(c)
		c.InitialTokenSource = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: w.token(ada, "openid",
			"tasks:read")})
	})
	session := w.connectSDK(t, handler)
	for _, params := range []*mcp.CallToolParams{
		{Name: "createTask", Arguments: map[string]any{"title": "Water the plants"}}, // tasks:write is new
		{Name: "listTasks"}, // what was granted before still is
	} {
		if result, err := session.CallTool(t.Context(), params); err != nil || result.IsError {
			t.Errorf("%s: %+v, %v", params.Name, result, err)
		}
	}
}

// connectSDK begins a session of the version that the client chooses.
func (w *world) connectSDK(t *testing.T, handler auth.OAuthHandler) *mcp.ClientSession {
	t.Helper()
	return beginSDK(t, &mcp.StreamableClientTransport{Endpoint: w.url + "/mcp", OAuthHandler: handler}, "")
}

// fetchCode has ada sign in and agree.
func (w *world) fetchCode(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	came, err := w.walkPage(ctx, args.URL)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(came)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
}

// forPerson is how long a program waits for a person, in milliseconds.
const forPerson = int64(90 * time.Second / time.Millisecond)

// TestRealClientsConnect has programs register, sign a person in, and call tools. mcp-remote does so for a program
// that knows nothing of it.
func TestRealClientsConnect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, program string
		settings      map[string]any
	}{
		{"TypeScript 1", "mcp-sdk.mjs", nil},
		{"TypeScript 2", "mcp-client.mjs", nil},
		{"TypeScript 2, which asks", "mcp-client.mjs", mode("auto")},
		{"mcp-remote", "mcp-remote.mjs", map[string]any{"flags": []string{}}},
		{"mcp-remote, which asks", "mcp-remote.mjs", map[string]any{"flags": []string{"--protocol", "auto"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newOpenWorld(t)
			settings := w.connecting(t)
			maps.Copy(settings, tt.settings)
			var told seen
			w.runClient(t, tt.program, settings, &told)
			w.checkStory(t, told)
		})
	}
}

// connecting returns the settings of a program that signs a person in.
func (w *world) connecting(t *testing.T) map[string]any {
	return map[string]any{"url": w.url + "/mcp", "authorize": w.url + "/idp", "folder": t.TempDir(),
		"patience": forPerson}
}

// conformance is what MCPJam's tests make of the server.
type conformance struct {
	Passed  bool
	Summary string
	Checks  []struct{ Name, Status, Why string }

	Discovery struct{ UIToolCount, CheckedUIResourceCount int } // of widgets
}

// check fails on each check that did not pass, but for those that cannot be made here.
func (c conformance) check(t *testing.T, notHere ...string) {
	t.Helper()
	if !c.Passed || len(c.Checks) == 0 {
		t.Errorf("it failed: %s", c.Summary)
	}
	for _, check := range c.Checks {
		if check.Status != "passed" && (check.Status != "skipped" || !slices.Contains(notHere, check.Name)) {
			t.Errorf("%s %s: %s", check.Name, check.Status, check.Why)
		}
	}
}

// TestRealClientConformance is MCPJam's test of the protocol. There are neither sessions nor what the other two
// checks ask for, and the server says so.
func TestRealClientConformance(t *testing.T) {
	w := newWorld(t)
	var told conformance
	settings := map[string]any{"url": w.url + "/mcp", "token": w.token(ada, everything...)}
	w.runClient(t, "mcp-conformance.mjs", settings, &told)
	told.check(t, "logging-set-level", "completion-complete", "server-sse-polling-session")
}

// TestRealClientConformanceOfWidgets is MCPJam's test of MCP Apps, with the tools that change something and without.
func TestRealClientConformanceOfWidgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/mcp", "/mcp/readonly"} {
		var told conformance
		settings := map[string]any{"url": w.url + path, "token": w.token(ada, everything...), "apps": true}
		w.runClient(t, "mcp-conformance.mjs", settings, &told)
		told.check(t)
		if found := told.Discovery; found.UIToolCount != 2 || found.CheckedUIResourceCount != 2 {
			t.Errorf("%s: it has checked %+v", path, found)
		}
	}
}

// TestRealClientConformanceOfConnecting is MCPJam's test of OAuth.
func TestRealClientConformanceOfConnecting(t *testing.T) {
	t.Parallel()
	known := stytchtest.Development().ConnectedApps[0]
	for registration, client := range map[string]map[string]any{
		"dcr": nil,
		"preregistered": {"preregistered": map[string]any{"clientId": known.ClientID,
			"clientSecret": known.ClientSecret}},
	} {
		t.Run(registration, func(t *testing.T) {
			newOpenWorld(t).checkConnecting(t, registration, client)
		})
	}
}

// checkConnecting runs it for one way in which clients get known. Two checks it cannot make: /idp leaves loopback
// addresses to Stytch, which refuses after the sign-in, and a code that was used is refused for that first.
func (w *world) checkConnecting(t *testing.T, registration string, client map[string]any) {
	t.Helper()
	settings := w.connecting(t)
	settings["registration"], settings["client"] = registration, client
	var told conformance
	w.runClient(t, "mcp-conformance.mjs", settings, &told)
	told.check(t, "oauth_invalid_authorize_redirect", "oauth_invalid_redirect")
}
