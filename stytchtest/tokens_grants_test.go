package stytchtest_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func withChallenge(b object) { b["code_challenge"] = challenge }

func toPhone(b object) {
	withChallenge(b)
	b["client_id"], b["redirect_uri"] = phone, "http://127.0.0.1:53123/cb"
}

func phoneForm(code string, pairs ...string) url.Values {
	return form(append([]string{"grant_type", "authorization_code", "code", code, "client_id", phone,
		"redirect_uri", "http://127.0.0.1:53123/cb", "code_verifier", verifier}, pairs...)...)
}

func TestAccessTokenIsExactlyAsStytchMakesIt(t *testing.T) {
	s := open(t)
	reply := tokens(t, s, exchange(authorize(t, s)))
	token := reply["access_token"].(string)
	header := decodePart(t, token, 0)
	if kid, _ := header["kid"].(string); len(header) != 3 || header["alg"] != "RS256" || header["typ"] != "JWT" ||
		!strings.HasPrefix(kid, "jwk-test-") {
		t.Errorf("header %v", header)
	}
	claims := claimsOf(t, token)
	if id, _ := claims["jti"].(string); id == "" {
		t.Errorf("jti %v", claims["jti"])
	}
	delete(claims, "jti")
	at := float64(noon.Unix())
	want := object{"iss": s.URL, "sub": ada, "aud": []any{project}, "client_id": gpt,
		"scope": "openid email tasks:read offline_access",
		"iat":   at, "nbf": at, "exp": at + 3600, "https://stytch.com/organization": object{"organization_id": acme,
			"slug": "acme"}}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims\n%v, want\n%v", claims, want)
	}
	id := claimsOf(t, reply["id_token"])
	want = object{"iss": s.URL, "sub": ada, "aud": []any{gpt}, "iat": at, "nbf": at, "exp": at + 3600,
		"email": "ada@acme.example", "email_verified": true}
	if !reflect.DeepEqual(id, want) {
		t.Errorf("ID token\n%v, want\n%v", id, want)
	}
	for _, name := range []string{"access_token", "id_token", "refresh_token"} {
		delete(reply, name)
	}
	delete(reply, "request_id")
	if !reflect.DeepEqual(reply, object{"token_type": "bearer", "expires_in": 3600.0,
		"scope": "openid email tasks:read offline_access", "status_code": 200.0}) {
		t.Errorf("reply %v", reply)
	}
}

func TestTokensFollowScopesClientAndForm(t *testing.T) {
	s := open(t)
	reply := tokens(t, s, exchange(authorize(t, s, func(b object) { b["scopes"] = []string{"tasks:read"} })))
	if reply["id_token"] != nil || reply["refresh_token"] != nil {
		t.Errorf("tokens that were not asked for: %v", keysOf(reply))
	}
	code := authorize(t, s, func(b object) {
		b["client_id"], b["redirect_uri"], b["nonce"] = ours, callback+"?tenant=b&a=1", "n-0S6"
		b["scopes"] = []string{"openid"}
	})
	status, reply, _ := ask(t, "POST", s.URL+"/v1/public/"+project+"/oauth2/token",
		object{"grant_type": "authorization_code", "code": code,
			"client_id": ours, "client_secret": "ours", "redirect_uri": callback + "?tenant=b&a=1"})
	claims := claimsOf(t, reply["access_token"])
	if status != 200 || claims["iss"] != "stytch.com/"+project || reply["expires_in"] != 300.0 ||
		!reflect.DeepEqual(claims["aud"], []any{project, "https://api.example"}) {
		t.Errorf("%d %v %v", status, claims, reply)
	}
	if id := claimsOf(t, reply["id_token"]); id["nonce"] != "n-0S6" || id["exp"].(float64)-id["iat"].(float64) != 3600 {
		t.Errorf("ID token %v", id)
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	later := func(d time.Duration) func(*stytchtest.Server) { return func(s *stytchtest.Server) { s.Advance(d) } }
	for _, tt := range []struct {
		name   string
		change []string // members of the form
		before func(*stytchtest.Server)
		error  string
	}{
		{"an unknown code", []string{"code", "nonsense"}, nil, "invalid_grant"},
		{"an expired code", nil, later(10 * time.Minute), "invalid_grant"},
		{"another redirect URI of the same client",
			[]string{"redirect_uri", "https://chat.openai.com/aip/g-dev/oauth/callback"}, nil,
			"invalid_grant"},
		{"another client's code", []string{"client_id", ours, "client_secret", "ours"}, nil, "invalid_grant"},
		{"a wrong verifier", []string{"code_verifier", verifier + "x"}, nil, "invalid_grant"},
		{"a missing verifier", []string{"code_verifier", ""}, nil, "invalid_grant"},
		{"a member who was deleted meanwhile",
			nil, func(s *stytchtest.Server) { _ = s.SetStatus(ada, "deleted") }, "invalid_grant"},
		{"a wrong secret", []string{"client_secret", "x"}, nil, "invalid_client"},
		{"a missing secret", []string{"client_secret", ""}, nil, "invalid_client"},
		{"the project's credentials", []string{"client_id", project, "client_secret", "secret-test-guestpass-dev"}, nil,
			"invalid_client"},
		{"a missing client", []string{"client_id", ""}, nil, "invalid_request"},
		{"a missing code", []string{"code", ""}, nil, "invalid_request"},
		{"a missing redirect URI", []string{"redirect_uri", ""}, nil, "invalid_request"},
		{"a missing grant type", []string{"grant_type", ""}, nil, "invalid_request"},
		{"another grant type", []string{"grant_type", "password"}, nil, "unsupported_grant_type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			values := exchange(authorize(t, s, withChallenge), append([]string{"code_verifier", verifier},
				tt.change...)...)
			if tt.before != nil {
				tt.before(s)
			}
			status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", values)
			if status != 400 || reply["error"] != tt.error || reply["access_token"] != nil {
				t.Errorf("%d %v, want 400 %s", status, reply, tt.error)
			}
			for _, name := range []string{"error_description", "error_uri", "request_id", "status_code"} {
				if reply[name] == nil {
					t.Errorf("no %s", name)
				}
			}
		})
	}
}

func TestCodeWorksOnceAndUpToItsEnd(t *testing.T) {
	s := open(t)
	values := exchange(authorize(t, s, withChallenge), "code_verifier", verifier)
	s.Advance(10*time.Minute - time.Second)
	tokens(t, s, values)
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", values); status != 400 ||
		reply["error"] != "invalid_grant" {
		t.Errorf("the second use: %d %v", status, reply)
	}
}

func TestClientsMayUseBasic(t *testing.T) {
	s := open(t)
	values := exchange(authorize(t, s), "client_id", "", "client_secret", "")
	status, reply, header := ask(t, "POST", s.URL+"/v1/oauth2/token", values, basic(gpt, "wrong"))
	if status != 401 || reply["error"] != "invalid_client" || !strings.HasPrefix(header.Get("WWW-Authenticate"),
		"Basic ") {
		t.Errorf("wrong secret: %d %v %v", status, reply, header)
	}
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", values, basic(url.QueryEscape(gpt),
		url.QueryEscape(gptSecret))); status != 200 {
		t.Errorf("%d %v", status, reply)
	}
}

func TestConfidentialClientsKeepTheirRefreshToken(t *testing.T) {
	s := open(t)
	first := tokens(t, s, exchange(authorize(t, s)))
	refresh := form("grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string), "client_id", gpt,
		"client_secret", gptSecret)
	for range 2 {
		s.Advance(80 * 24 * time.Hour) // each use extends it by three months
		again := tokens(t, s, refresh)
		if again["refresh_token"] != nil || again["scope"] != first["scope"] ||
			again["access_token"] == first["access_token"] {
			t.Errorf("refreshed: %v", again)
		}
	}
	s.Advance(91 * 24 * time.Hour)
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", refresh); status != 400 ||
		reply["error"] != "invalid_grant" {
		t.Errorf("expired: %d %v", status, reply)
	}
}

func TestPublicClientsRotateTheirRefreshToken(t *testing.T) {
	s := open(t)
	first := tokens(t, s, phoneForm(authorize(t, s, toPhone)))
	refresh := func(token any) url.Values {
		return form("grant_type", "refresh_token", "refresh_token", token.(string), "client_id", phone)
	}
	second := tokens(t, s, refresh(first["refresh_token"]))
	if second["refresh_token"] == nil || second["refresh_token"] == first["refresh_token"] {
		t.Fatalf("not rotated: %v", second)
	}
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", refresh(first["refresh_token"])); status != 400 ||
		reply["error"] != "invalid_grant" {
		t.Errorf("the old one: %d %v", status, reply)
	}
	tokens(t, s, refresh(second["refresh_token"]))
}

func TestRefreshNeverWidensScope(t *testing.T) {
	s := open(t)
	token := tokens(t, s, exchange(authorize(t, s)))["refresh_token"].(string)
	refresh := func(scope string) (int, object) {
		status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", form("grant_type", "refresh_token",
			"refresh_token", token,
			"client_id", gpt, "client_secret", gptSecret, "scope", scope))
		return status, reply
	}
	if status, reply := refresh("tasks:read tasks:write"); status != 400 || reply["error"] != "invalid_scope" {
		t.Errorf("wider: %d %v", status, reply)
	}
	if status, reply := refresh("tasks:read"); status != 200 || reply["scope"] != "tasks:read" ||
		reply["id_token"] != nil {
		t.Errorf("narrower: %d %v", status, reply)
	}
	if status, reply := refresh(""); status != 200 || reply["scope"] != "openid email tasks:read offline_access" {
		t.Errorf("the same again: %d %v", status, reply)
	}
}

func TestPublicClientsNeedPKCE(t *testing.T) {
	s := open(t)
	status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize", object{"organization_id": acme,
		"member_id": ada, "client_id": phone,
		"redirect_uri": "http://127.0.0.1:53123/cb", "consent_granted": true},
		basic(project, "secret-test-guestpass-dev"))
	if status != 400 || reply["error_type"] != "pkce_required_for_idp_authorization_flow" {
		t.Errorf("%d %v", status, reply)
	}
}

func TestUserinfoShowsWhatTheScopesAllow(t *testing.T) {
	s := open(t)
	mint := func(scopes ...string) string {
		return must[string](t)(s.Mint(stytchtest.MintRequest{Subject: grace, Scopes: scopes}))
	}
	at := s.URL + "/v1/oauth2/userinfo"
	status, reply, _ := ask(t, "GET", at, nil, bearer(mint("openid", "profile", "email")))
	delete(reply, "request_id")
	if status != 200 || !reflect.DeepEqual(reply, object{"sub": grace, "email": "grace@acme.example",
		"email_verified": true,
		"name":           "Grace Hopper", "given_name": "Grace", "family_name": "Hopper", "status_code": 200.0}) {
		t.Errorf("%d %v", status, reply)
	}
	if status, reply, _ := ask(t, "POST", at, nil, bearer(mint("openid"))); status != 200 || reply["email"] != nil ||
		reply["name"] != nil {
		t.Errorf("openid alone: %d %v", status, reply)
	}
	if status, _, header := ask(t, "GET", at, nil, bearer(mint("tasks:read"))); status != 403 ||
		!strings.Contains(header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("without openid: %d %v", status, header)
	}
	for name, change := range map[string]func(*http.Request){
		"nonsense":    bearer("a.b.c"),
		"session JWT": bearer(must[string](t)(s.Mint(stytchtest.MintRequest{Kind: "session", Subject: grace}))),
		"ID token":    bearer(must[string](t)(s.Mint(stytchtest.MintRequest{Kind: "id", Subject: grace}))),
		"expired":     bearer(must[string](t)(s.Mint(stytchtest.MintRequest{Subject: grace, ExpiresIn: -1}))),
		"Basic":       basic(gpt, gptSecret),
	} {
		status, reply, header := ask(t, "GET", at, nil, change)
		if status != 401 || reply["error"] != "invalid_token" || !strings.HasPrefix(header.Get("WWW-Authenticate"),
			"Bearer ") {
			t.Errorf("%s: %d %v", name, status, reply)
		}
	}
}

func TestRevocationEndsTokens(t *testing.T) {
	s := open(t)
	active := func(token any) bool {
		t.Helper()
		status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/introspect", form("token", token.(string), "client_id",
			gpt, "client_secret", gptSecret))
		if status != 200 {
			t.Fatalf("%d %v", status, reply)
		}
		return reply["active"] == true
	}
	revoke := func(token any) {
		t.Helper()
		if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/revoke", form("token", token.(string)),
			basic(gpt, gptSecret)); status != 200 {
			t.Fatalf("%d %v", status, reply)
		}
	}
	one, two := tokens(t, s, exchange(authorize(t, s))), tokens(t, s, exchange(authorize(t, s)))
	if !active(one["access_token"]) || !active(one["refresh_token"]) || active("unknown") {
		t.Fatal("introspection is wrong from the start")
	}
	revoke(one["access_token"])
	if active(one["access_token"]) || !active(one["refresh_token"]) || !active(two["access_token"]) {
		t.Error("an access token goes alone")
	}
	revoke(two["refresh_token"])
	if active(two["refresh_token"]) || active(two["access_token"]) || !active(one["refresh_token"]) {
		t.Error("a refresh token takes its access tokens along, and no others")
	}
	revoke("unknown")
	status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/introspect", form("token", one["refresh_token"].(string),
		"client_id", ours, "client_secret", "ours"))
	if status != 200 || reply["active"] != false {
		t.Errorf("another client sees it: %d %v", status, reply)
	}
}

func TestRefreshTokensServeTheirClientAndActiveMembersOnly(t *testing.T) {
	s := open(t)
	token := tokens(t, s, exchange(authorize(t, s)))["refresh_token"].(string)
	refresh := func(client, secret string) (int, object) {
		status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", form("grant_type", "refresh_token",
			"refresh_token", token, "client_id", client, "client_secret", secret))
		return status, reply
	}
	if status, reply := refresh(ours, "ours"); status != 400 || reply["error"] != "invalid_grant" {
		t.Errorf("another client: %d %v", status, reply)
	}
	for status, want := range map[string]int{"deleted": 400, "active": 200} {
		if err := s.SetStatus(ada, status); err != nil {
			t.Fatal(err)
		}
		if got, reply := refresh(gpt, gptSecret); got != want {
			t.Errorf("%s: %d %v", status, got, reply)
		}
	}
}
