package stytchtest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// A family is a group of endpoints that want the same credentials and err in one manner.
type family int

const (
	serverAPI family = iota
	browserAPI
	managementAPI
	oauthAPI  // errors of RFC 6749, credentials of clients
	published // no credentials
	pages     // a browser goes there; nothing looks at a body
)

// familyOf goes by the path, not by what the emulator's table says.
func familyOf(path string) family {
	switch {
	case path == "/sdk/v1/events", strings.HasSuffix(path, "/start") && strings.Contains(path, "/public/oauth/"):
		return pages
	case strings.Contains(path, "/.well-known/"), strings.Contains(path, "/sessions/jwks/"),
		strings.HasPrefix(path, "/sdk/v1/projects/bootstrap/"):
		return published
	case strings.HasPrefix(path, "/pwa/v3/"):
		return managementAPI
	case strings.HasPrefix(path, "/v1/oauth2/"), strings.HasPrefix(path, "/v1/public/{pid}/oauth2/"):
		return oauthAPI
	case strings.HasPrefix(path, "/sdk/"):
		return browserAPI
	}
	return serverAPI
}

// credentials returns the good ones of a family.
func credentials(f family, p stytchtest.Project) func(*http.Request) {
	switch f {
	case serverAPI:
		return basic(p.ID, p.Secret)
	case browserAPI:
		return basic(p.PublicToken, p.PublicToken)
	case managementAPI:
		return basic(p.WorkspaceKey, p.WorkspaceSecret)
	case oauthAPI:
		return basic(gpt, gptSecret)
	}
	return func(*http.Request) {}
}

// pathParameters are values that exist.
func pathParameters(p stytchtest.Project) map[string]string {
	return map[string]string{"pid": p.ID, "project": p.Slug, "environment": p.Environment, "token": p.PublicToken,
		"organization": acme, "member": ada,
		"secret": p.Secrets[0].ID, "user": userAda, "app": gpt, "provider": "google",
		"email": "email-test-cccccccc-0000-4000-8000-000000000001"}
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

func fill(path string, values map[string]string) string {
	return pathParameter.ReplaceAllStringFunc(path,
		func(name string) string { return values[strings.Trim(name, "{}")] })
}

// onEveryEndpoint runs a test against each endpoint of both verticals, in a project that
// has registration on.
func onEveryEndpoint(t *testing.T, test func(t *testing.T, s *stytchtest.Server, e stytchtest.Endpoint, f family,
	address string)) {
	registration := func(seed *stytchtest.Seed) { seed.Project.Registration = true }
	for _, s := range []*stytchtest.Server{open(t, registration), openConsumer(t, registration)} {
		p := s.Export().Project
		for _, e := range s.Endpoints() {
			test(t, s, e, familyOf(e.Path), s.URL+fill(e.Path, pathParameters(p)))
		}
	}
}

// wantFault looks at an error of a family's own form, whole.
func wantFault(t *testing.T, where string, f family, status int, reply object, wantStatus int, kind string) {
	t.Helper()
	names := "status_code request_id error_type error_message error_url error_details"
	name := "error_type"
	if f == oauthAPI {
		names, name = "status_code request_id error error_description error_uri", "error"
	}
	if status != wantStatus || reply[name] != kind || reply["status_code"] != float64(wantStatus) {
		t.Errorf("%s: %d %v, want %d %s", where, status, reply, wantStatus, kind)
		return
	}
	wantMembers(t, where, reply, names)
	if len(reply) != len(strings.Fields(names)) {
		t.Errorf("%s has more than it should: %v", where, keysOf(reply))
	}
}

func contentType(kind string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header.Set("Content-Type", kind); kind == "" {
			r.Header.Del("Content-Type")
		}
	}
}

func TestEveryEndpointRefusesBadBodies(t *testing.T) {
	large := `{"x":"` + strings.Repeat("a", 128<<10) + `"}`
	const badForm = "grant_type=a&grant_type=b"
	seen := map[any]bool{}
	onEveryEndpoint(t, func(t *testing.T, s *stytchtest.Server, e stytchtest.Endpoint, f family, address string) {
		if f == pages || e.Method == "GET" || e.Method == "DELETE" {
			return
		}
		kind := map[bool]string{true: "invalid_request", false: "bad_request"}[f == oauthAPI]
		jsonOnly := f != oauthAPI || strings.HasSuffix(e.Path, "/register")
		formOnly := strings.HasSuffix(e.Path, "/introspect") || strings.HasSuffix(e.Path, "/revoke") && f == oauthAPI
		// its token stands in a header: a body in either form is passed over
		userinfo := strings.HasSuffix(e.Path, "/userinfo")
		for _, tt := range []struct {
			name, body, contentType string
			status                  int
			applies                 bool
		}{
			{"malformed", "{", "application/json", 400, true},
			{"two objects", `{"a":1}{"b":2}`, "application/json", 400, true},
			{"a text", `"text"`, "application/json", 400, true},
			{"a list", `[{}]`, "application/json", 400, true},
			{"null", `null`, "application/json", 400, true},
			{"not UTF-8 at all", "\xff\xfe", "application/json; charset=utf-8", 400, true},
			{"text/plain", `{}`, "text/plain", 400, true},
			{"no type", `{}`, "", 400, true},
			{"multipart", "--x--", "multipart/form-data; boundary=x", 400, true},
			{"a form", "email_address=ada%40acme.example", "application/x-www-form-urlencoded", 400, jsonOnly},
			{"JSON", `{"token":"x","client_id":"` + gpt + `","client_secret":"` + gptSecret + `"}`, "application/json",
				400, formOnly},
			{"a form with a parameter twice", badForm, "application/x-www-form-urlencoded", 400, f == oauthAPI},
			{"a malformed form", "a=%zz", "application/x-www-form-urlencoded", 400, f == oauthAPI},
			{"too large", large, "application/json", 413, true},
			{"a number as text", `{"email_address":5,"token":5,"url":5,"client_name":5}`, "application/json", 400,
				!userinfo},
		} {
			if !tt.applies {
				continue
			}
			status, reply, _ := ask(t, e.Method, address, tt.body, credentials(f, s.Export().Project),
				contentType(tt.contentType))
			wantFault(t, e.Method+" "+e.Path+", "+tt.name, f, status, reply, tt.status, kind)
			if id := reply["request_id"]; seen[id] {
				t.Errorf("request id %v twice", id)
			} else {
				seen[id] = true
			}
		}
	})
}

func TestEveryEndpointWantsItsCredentials(t *testing.T) {
	onEveryEndpoint(t, func(t *testing.T, s *stytchtest.Server, e stytchtest.Endpoint, f family, address string) {
		if f == pages || f == published || f == oauthAPI {
			return
		}
		p := s.Export().Project
		for name, change := range map[string]func(*http.Request){
			"none":                 func(*http.Request) {},
			"a bearer":             bearer(p.Secret),
			"nonsense":             func(r *http.Request) { r.Header.Set("Authorization", "Basic !") },
			"empty ones":           basic("", ""),
			"the id alone":         basic(p.ID, ""),
			"a wrong secret":       basic(p.ID, "secret-test-other"),
			"another project's id": basic("project-test-other", p.Secret),
			"another public token": basic("public-token-test-other", "public-token-test-other"),
			"a client's":           basic(gpt, gptSecret),
			"those of another door": credentials(map[family]family{serverAPI: browserAPI, browserAPI: serverAPI,
				managementAPI: serverAPI}[f], p),
		} {
			// who may not ask does not learn that the body is malformed
			status, reply, _ := ask(t, e.Method, address, "{", change)
			wantFault(t, e.Method+" "+e.Path+", "+name, f, status, reply, 401, "unauthorized_credentials")
		}
	})
}

// TestEveryEndpointWithAnIdKnowsWhatDoesNotExist, id by id from the left.
func TestEveryEndpointWithAnIdKnowsWhatDoesNotExist(t *testing.T) {
	kinds := map[string]string{"pid": "project", "token": "project", "app": "connected_app"}
	onEveryEndpoint(t, func(t *testing.T, s *stytchtest.Server, e stytchtest.Endpoint, f family, _ string) {
		p := s.Export().Project
		change := credentials(f, p)
		if strings.Contains(e.Path, "{app}") && f == browserAPI {
			session := ""
			if p.Vertical == "b2b" {
				session = login(t, s, "ada@acme.example", acme)
			} else {
				session = userLogin(t, s, "ada@example.com")
			}
			change = basic(p.PublicToken, session)
		}
		for _, match := range pathParameter.FindAllStringSubmatch(e.Path, -1) {
			name := match[1]
			if name == "provider" {
				continue // TestOAuthStartRefuses
			}
			values := pathParameters(p)
			values[name] = "none-of-ours"
			var body any
			if e.Method != "GET" && e.Method != "DELETE" {
				body = object{}
			}
			status, reply, _ := ask(t, e.Method, s.URL+fill(e.Path, values), body, change)
			kind := name
			if kinds[name] != "" {
				kind = kinds[name]
			}
			if strings.Contains(e.Path, "/public_tokens/{token}") && name == "token" {
				kind = "public_token"
			}
			form := f
			if name == "pid" { // whose project it is comes before what is asked of it
				form = serverAPI
			}
			wantFault(t, e.Method+" "+e.Path+", unknown "+name, form, status, reply, 404, kind+"_not_found")
		}
	})
}

func TestEveryEndpointKnowsItsMethods(t *testing.T) {
	onEveryEndpoint(t, func(t *testing.T, s *stytchtest.Server, e stytchtest.Endpoint, f family, address string) {
		status, reply, _ := ask(t, "TRACE", address, nil, credentials(f, s.Export().Project))
		wantFault(t, "TRACE "+e.Path, serverAPI, status, reply, 404, "route_not_found")
	})
}

// TestEmptyIds: stytch-go puts an empty id into a path as nothing at all.
func TestEmptyIds(t *testing.T) {
	onEveryEndpoint(t, func(t *testing.T, s *stytchtest.Server, e stytchtest.Endpoint, f family, _ string) {
		if strings.Contains(e.Path, "{") {
			status, reply, header := ask(t, e.Method, s.URL+fill(e.Path, nil), nil, credentials(f, s.Export().Project))
			if status < 400 || status > 404 || reply["request_id"] == nil || header.Get("Location") != "" {
				t.Errorf("%s %s: %d %v", e.Method, e.Path, status, reply)
			}
		}
	})
}

func TestMembersOfTheWrongType(t *testing.T) {
	s, users := open(t), openConsumer(t)
	for _, tt := range []struct {
		s                          *stytchtest.Server
		method, path, body, member string
	}{
		{s, "POST", "/v1/b2b/otps/email/discovery/send", `{"email_address":["ada@acme.example"]}`, "email_address"},
		{s, "POST", "/v1/b2b/otps/email/discovery/send",
			`{"email_address":"ada@acme.example","discovery_expiration_minutes":"5"}`, "discovery_expiration_minutes"},
		{s, "POST", "/v1/b2b/otps/email/discovery/send",
			`{"email_address":"ada@acme.example","discovery_expiration_minutes":5.5}`, "discovery_expiration_minutes"},
		{s, "POST", "/v1/b2b/sessions/authenticate", `{"session_token":"x","session_duration_minutes":true}`,
			"session_duration_minutes"},
		{s, "POST", "/v1/b2b/sessions/authenticate", `{"session_token":"x","authorization_check":"tasks"}`,
			"authorization_check"},
		{s, "POST", "/v1/b2b/organizations/" + acme + "/members",
			`{"email_address":"new@acme.example","create_member_as_pending":"true"}`, "create_member_as_pending"},
		{s, "POST", "/v1/b2b/organizations/" + acme + "/members",
			`{"email_address":"new@acme.example","roles":"stytch_admin"}`, "roles"},
		{s, "POST", "/v1/b2b/organizations/" + acme + "/members",
			`{"email_address":"new@acme.example","name":{"first_name":"New"}}`, "name"},
		{s, "PUT", "/v1/b2b/organizations/" + acme, `{"trusted_metadata":[]}`, "trusted_metadata"},
		{s, "POST", "/v1/b2b/organizations/members/search", `{"organization_ids":"` + acme + `"}`, "organization_ids"},
		{s, "POST", "/v1/b2b/organizations/search", `{"limit":"2"}`, "limit"},
		{s, "POST", "/v1/b2b/organizations/search", `{"query":[]}`, "query"},
		{s, "POST", "/v1/b2b/idp/oauth/authorize", `{"scopes":"openid tasks:read"}`, "scopes"},
		{s, "POST", "/v1/b2b/idp/oauth/authorize", `{"scopes":["openid",null]}`, "scopes"},
		{s, "POST", "/v1/b2b/idp/oauth/authorize", `{"consent_granted":1}`, "consent_granted"},
		{s, "POST", "/v1/connected_apps/clients", `{"client_type":"third_party","redirect_urls":"` + callback + `"}`,
			"redirect_urls"},
		{users, "POST", "/v1/users", `{"email":"new@example.com","name":"New"}`, "name"},
		{users, "POST", "/v1/users", `{"email":{"address":"new@example.com"}}`, "email"},
	} {
		status, reply, _ := ask(t, tt.method, tt.s.URL+tt.path, tt.body, basic(projectOf(tt.s), projectSecret))
		wantFault(t, tt.body, serverAPI, status, reply, 400, "bad_request")
		if message, _ := reply["error_message"].(string); !strings.HasPrefix(message, tt.member+" must be a") {
			t.Errorf("%s: %q names no member", tt.body, message)
		}
	}
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/otps/email/discovery/send",
		`{"email_address":"ada@acme.example","discovery_expiration_minutes":null,"locale":7}`,
		basic(project, projectSecret)); status != 200 {
		t.Errorf("null is absent, and what nobody looks at may be anything: %d %v", status, reply)
	}
}
