package stytchtest_test

import (
	"net/http"
	"net/url"
	"testing"

	"guestpass/stytchtest"
)

// TestNothingOfAnotherProjectIsGood: two projects have the same people and clients, other
// secrets and keys.
func TestNothingOfAnotherProjectIsGood(t *testing.T) {
	theirs := open(t)
	mine := open(t, func(seed *stytchtest.Seed) {
		seed.Project.ID, seed.Project.Secret, seed.Project.PublicToken = "project-test-mine", "secret-test-mine",
			"public-token-test-mine"
		seed.Project.WorkspaceKey, seed.Project.WorkspaceSecret = "workspace-key-mine", "workspace-secret-mine"
		seed.ConnectedApps[0].ClientSecret = "mine"
	})
	granted, code := tokens(t, theirs, exchange(authorize(t, theirs))), authorize(t, theirs)
	session := login(t, theirs, "ada@acme.example", acme)
	_, signedIn := sdk(t, theirs, session, "/b2b/sessions/authenticate", object{})
	intermediate, _ := discover(t, theirs, "ada@acme.example")
	invite(t, theirs, "guest@acme.example")
	link := newestToken(t, theirs)
	myProject, myClient := basic("project-test-mine", "secret-test-mine"), []string{"client_id", gpt, "client_secret",
		"mine"}
	mineForm := func(pairs ...string) url.Values { return form(append(pairs, myClient...)...) }
	for _, tt := range []struct {
		name, method, path string
		body               any
		change             func(*http.Request)
		status             int
		kind               string // error_type or error; "inactive" for introspection
	}{
		{"project credentials", "GET", "/v1/b2b/rbac/policy", nil, basic(project, projectSecret), 401,
			"unauthorized_credentials"},
		{"public token", "POST", "/sdk/v1/b2b/sessions/authenticate", object{}, basic(publicToken, session), 401,
			"unauthorized_credentials"},
		{"workspace key", "GET", "/pwa/v3/projects/guestpass-demo/environments/test", nil,
			basic("workspace-key-guestpass-dev", "workspace-secret-guestpass-dev"), 401, "unauthorized_credentials"},
		{"client secret", "POST", "/v1/oauth2/introspect", form("token", "x", "client_id", gpt, "client_secret",
			gptSecret), nil, 400, "invalid_client"},
		{"client secret in Basic", "POST", "/v1/oauth2/revoke", form("token", "x"), basic(gpt, gptSecret), 401,
			"invalid_client"},
		{"code", "POST", "/v1/oauth2/token", mineForm("grant_type", "authorization_code", "code", code, "redirect_uri",
			callback), nil, 400, "invalid_grant"},
		{"refresh token", "POST", "/v1/oauth2/token", mineForm("grant_type", "refresh_token", "refresh_token",
			granted["refresh_token"].(string)), nil, 400, "invalid_grant"},
		{"access token", "GET", "/v1/oauth2/userinfo", nil, bearer(granted["access_token"].(string)), 401,
			"invalid_token"},
		{"access token, introspected", "POST", "/v1/oauth2/introspect",
			mineForm("token", granted["access_token"].(string)), nil, 200, "inactive"},
		{"refresh token, introspected", "POST", "/v1/oauth2/introspect",
			mineForm("token", granted["refresh_token"].(string)), nil, 200, "inactive"},
		{"session", "POST", "/v1/b2b/sessions/authenticate", object{"session_token": session}, myProject, 404,
			"session_not_found"},
		{"session JWT", "POST", "/v1/b2b/sessions/authenticate", object{"session_jwt": signedIn["session_jwt"]},
			myProject, 404, "session_not_found"},
		{"session in the browser", "POST", "/sdk/v1/b2b/sessions/authenticate", object{},
			basic("public-token-test-mine", session), 401, "session_not_found"},
		{"intermediate session", "POST", "/v1/b2b/discovery/intermediate_sessions/exchange",
			object{"intermediate_session_token": intermediate, "organization_id": acme}, myProject, 401,
			"intermediate_session_not_found"},
		{"invitation", "POST", "/v1/b2b/magic_links/authenticate", object{"magic_links_token": link}, myProject, 401,
			"unable_to_auth_magic_link"},
		{"project in the path", "POST", "/v1/public/" + project + "/oauth2/introspect", mineForm("token", "x"), nil,
			404, "project_not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := []func(*http.Request){}
			if tt.change != nil {
				change = append(change, tt.change)
			}
			status, reply, _ := ask(t, tt.method, mine.URL+tt.path, tt.body, change...)
			kind := reply["error_type"]
			if kind == nil {
				kind = reply["error"]
			}
			if reply["active"] == false {
				kind = "inactive"
			}
			if status != tt.status || kind != tt.kind || reply["request_id"] == nil {
				t.Errorf("%d %v, want %d %s", status, reply, tt.status, tt.kind)
			}
		})
	}
}

// TestOAuthEndpointsRefuse is what TestTokenEndpointRefuses is, for the other endpoints
// and for refreshing, in both forms of their paths.
func TestOAuthEndpointsRefuse(t *testing.T) {
	s := open(t)
	granted := tokens(t, s, exchange(authorize(t, s)))
	refresh := func(pairs ...string) url.Values {
		return form(append([]string{"grant_type", "refresh_token", "refresh_token", granted["refresh_token"].(string),
			"client_id", gpt, "client_secret", gptSecret}, pairs...)...)
	}
	for _, tt := range []struct {
		name, path string
		values     url.Values
		change     func(*http.Request)
		status     int
		kind       string
	}{
		{"a refresh without a token", "/token", refresh("refresh_token", ""), nil, 400, "invalid_request"},
		{"an unknown refresh token", "/token", refresh("refresh_token", "x"), nil, 400, "invalid_grant"},
		{"an access token for a refresh token",
			"/token", refresh("refresh_token", granted["access_token"].(string)), nil, 400, "invalid_grant"},
		{"a refresh token for a code", "/token", exchange(granted["refresh_token"].(string)), nil, 400,
			"invalid_grant"},
		{"a refresh by another client", "/token", refresh("client_id", ours, "client_secret", "ours"), nil, 400,
			"invalid_grant"},
		{"a refresh by nobody", "/token", refresh("client_id", "", "client_secret", ""), nil, 400, "invalid_request"},
		{"a wrong secret in Basic", "/token", refresh("client_id", "", "client_secret", ""), basic(gpt, "x"), 401,
			"invalid_client"},
		{"client credentials", "/token", form("grant_type", "client_credentials", "client_id", gpt, "client_secret",
			gptSecret), nil, 400, "unsupported_grant_type"},
		{"introspection of nothing", "/introspect", form("client_id", gpt, "client_secret", gptSecret), nil, 400,
			"invalid_request"},
		{"introspection by nobody", "/introspect", form("token", "x"), nil, 400, "invalid_request"},
		{"introspection with a wrong secret",
			"/introspect", form("token", "x", "client_id", gpt, "client_secret", "x"), nil, 400,
			"invalid_client"},
		{"introspection by the project", "/introspect", form("token", "x"), basic(project, projectSecret), 401,
			"invalid_client"},
		{"revocation of nothing", "/revoke", form("client_id", gpt, "client_secret", gptSecret), nil, 400,
			"invalid_request"},
		{"revocation by an unknown client",
			"/revoke", form("token", "x", "client_id", "x", "client_secret", "x"), nil, 400,
			"invalid_client"},
		{"userinfo without a token", "/userinfo", form(), nil, 401, "invalid_token"},
		{"userinfo with a refresh token", "/userinfo", form(), bearer(granted["refresh_token"].(string)), 401,
			"invalid_token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, base := range []string{"/v1/oauth2", "/v1/public/" + project + "/oauth2"} {
				change := []func(*http.Request){}
				if tt.change != nil {
					change = append(change, tt.change)
				}
				status, reply, header := ask(t, "POST", s.URL+base+tt.path, tt.values, change...)
				wantFault(t, base+tt.path, oauthAPI, status, reply, tt.status, tt.kind)
				if challenge := header.Get("WWW-Authenticate"); (status == 401) != (challenge != "") {
					t.Errorf("%s: %d with challenge %q", base, status, challenge)
				}
				if header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s may be cached", base)
				}
			}
		})
	}
	if again := tokens(t, s, refresh()); again["access_token"] == nil {
		t.Error("refused attempts spent the refresh token")
	}
}
