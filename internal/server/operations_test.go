package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/stytchtest"
)

func TestEveryOperationRefusesWithoutAToken(t *testing.T) {
	w := newWorld(t)
	public := map[string]bool{"getNextSteps": true} // the reviewed list
	metadata := w.url + "/.well-known/oauth-protected-resource"
	for _, op := range w.app.Operations() {
		path := strings.ReplaceAll(op.Path, "{member_id}", ada)
		r := w.call(op.Method, path, "", "")
		if public[op.ID] {
			if r.status != http.StatusOK {
				t.Errorf("%s: %d", op.ID, r.status)
			}
			continue
		}
		if want := `Bearer realm="api", resource_metadata="` + metadata + `"`; r.status != 401 ||
			r.header.Get("WWW-Authenticate") != want {
			t.Errorf("%s: %d %q", op.ID, r.status, r.header.Get("WWW-Authenticate"))
		}
	}
}

func TestWrongTokensAreRefusedAlike(t *testing.T) {
	w := newWorld(t)
	good := stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: []string{"openid"}}
	with := func(change func(*stytchtest.MintRequest)) string {
		m := good
		change(&m)
		return w.mint(m)
	}
	claim := func(name string, value any) string {
		return with(func(m *stytchtest.MintRequest) { m.Claims = map[string]any{name: value} })
	}
	var bodies []string
	for name, token := range map[string]string{
		"session JWT": with(func(m *stytchtest.MintRequest) { m.Kind = "session" }),
		"ID token":    with(func(m *stytchtest.MintRequest) { m.Kind = "id" }),
		"M2M token": w.mint(stytchtest.MintRequest{Kind: "m2m",
			Subject: "m2m-client-test-eeeeeeee-0000-4000-8000-000000000001"}),
		"another project":    claim("aud", []string{"project-test-99999999-9999-4999-8999-999999999999"}),
		"another issuer":     claim("iss", "https://evil.customers.stytch.dev"),
		"another client":     claim("client_id", "connected-app-test-99999999-0000-4000-8000-000000000001"),
		"no organization":    claim("https://stytch.com/organization", nil),
		"a Consumer user":    claim("sub", "user-test-cccccccc-0000-4000-8000-000000000001"),
		"no expiry":          claim("exp", nil),
		"no subject":         claim("sub", nil),
		"no scope":           claim("scope", nil),
		"expired":            with(func(m *stytchtest.MintRequest) { m.ExpiresIn = -60 }),
		"not a token":        "not-a-token",
		"a broken signature": with(func(*stytchtest.MintRequest) {}) + "A",
	} {
		r := w.call("GET", "/api/v1/userinfo", token, "")
		if r.status != 401 || !strings.Contains(r.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %d %s %s", name, r.status, r.header.Get("WWW-Authenticate"), r.body)
		}
		if strings.Contains(w.log.String(), token) {
			t.Errorf("%s: the token is in the log", name)
		}
		bodies = append(bodies, withoutRequestID(t, r.body))
	}
	for _, body := range bodies[1:] {
		if body != bodies[0] {
			t.Errorf("refusals tell reasons apart: %s and %s", bodies[0], body)
		}
	}
	if r := w.call("GET", "/api/v1/userinfo", w.mint(good), ""); r.status != 200 {
		t.Errorf("the good token: %d %s", r.status, r.body)
	}
}

func TestATokenEndsWithItsHour(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "openid")
	for _, step := range []struct {
		by     time.Duration
		status int
	}{{0, 200}, {59 * time.Minute, 200}, {2 * time.Minute, 401}} {
		w.stytch.Advance(step.by)
		if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != step.status {
			t.Errorf("%s later: %d %s", step.by, r.status, r.body)
		}
	}
	if r := w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), ""); r.status != 200 {
		t.Errorf("a new one: %d %s", r.status, r.body)
	}
}

func withoutRequestID(t *testing.T, body string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	delete(fields, "request_id")
	out, _ := json.Marshal(fields)
	return string(out)
}

func TestAuthorizationHeaderIsTakenLiterally(t *testing.T) {
	w := newWorld(t)
	good := w.token(ada, "openid")
	header := func(values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Authorization"] = values }
	}
	for name, tt := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"lower case scheme": {header("bearer " + good), 200},
		"two headers":       {header("Bearer "+good, "Bearer "+good), 400},
		"two spaces":        {header("Bearer  " + good), 400},
		"no space":          {header("Bearer" + good), 401},
		"empty token":       {header("Bearer "), 400},
		"another scheme":    {header("Basic eDp5"), 401},
		"in the query":      {func(r *http.Request) { r.URL.RawQuery = "access_token=" + good }, 400},
		"in a cookie": {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "access_token", Value: good}) },
			401},
	} {
		if r := w.call("GET", "/api/v1/userinfo", "", "", tt.change); r.status != tt.status {
			t.Errorf("%s: %d %s, want %d", name, r.status, r.body, tt.status)
		}
	}
}

func TestScopesDecide(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		method, path, scopes string
		status               int
	}{
		{"GET", "/api/v1/userinfo", "openid", 200},
		{"GET", "/api/v1/userinfo", "members:read", 403},
		{"GET", "/api/v1/members", "members:read", 200},
		{"GET", "/api/v1/members", "openid members:reader xmembers:read MEMBERS:READ", 403},
		{"POST", "/api/v1/members/invitations", "openid members:read", 403},
	} {
		r := w.call(tt.method, tt.path, w.token(ada, strings.Fields(tt.scopes)...), "")
		if r.status != tt.status {
			t.Errorf("%s with %s: %d %s", tt.path, tt.scopes, r.status, r.body)
		}
		if tt.status == 403 && !strings.Contains(r.header.Get("WWW-Authenticate"),
			`error="insufficient_scope", scope="`) {
			t.Errorf("%s: %q", tt.path, r.header.Get("WWW-Authenticate"))
		}
	}
}

func TestBadRequestsNameWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "openid", "members:read", "members:invite")
	big := `{"email":"n@acme.example","name":"` + strings.Repeat("n", 128<<10) + `"}`
	deep := strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20)
	for name, tt := range map[string]struct {
		method, path, body, contains string
		status                       int
	}{
		"unknown parameter": {"GET", "/api/v1/members?serach=x", "", "query.serach", 422},
		"limit too high":    {"GET", "/api/v1/members?limit=101", "", "query.limit", 422},
		"limit no number":   {"GET", "/api/v1/members?limit=ten", "", "query.limit", 422},
		"empty limit":       {"GET", "/api/v1/members?limit=", "", "query.limit", 422},
		"limit twice":       {"GET", "/api/v1/members?limit=1&limit=2", "", "query.limit", 422},
		"unknown status":    {"GET", "/api/v1/members?status=gone", "", "query.status", 422},
		"body too large":    {"POST", "/api/v1/members/invitations", big, "is longer than 131072 bytes", 413},
		"body too deep":     {"POST", "/api/v1/members/invitations", deep, "nested", 400},
		"no JSON":           {"POST", "/api/v1/members/invitations", "{", "", 400},
		"trailing data": {"POST", "/api/v1/members/invitations", `{"email":"a@b.example","name":"x"} {}`, "",
			400},
		"no body":                {"POST", "/api/v1/members/invitations", "", "", 400},
		"unknown operation":      {"GET", "/api/v1/nothing", "", "/openapi.json", 404},
		"unknown asset":          {"GET", "/assets/..%2fsite.go", "", "/openapi.json", 404},
		"unknown page":           {"GET", "/nothing", "", "/openapi.json", 404},
		"wrong method":           {"DELETE", "/api/v1/members", "", "DELETE", 405},
		"wrong method on page":   {"POST", "/privacy", "{}", "POST", 405},
		"a path that climbs":     {"GET", "/api/v1/members/..%2f..%2fuserinfo", "", "", 422},
		"a trailing slash":       {"GET", "/api/v1/members/", "", "", 404},
		"an id with odd letters": {"GET", "/api/v1/members/x%00y", "", "path.member_id", 422},
	} {
		r := w.call(tt.method, tt.path, token, tt.body)
		if r.status != tt.status || !strings.Contains(r.body, tt.contains) {
			t.Errorf("%s: %d %s, want %d with %q", name, r.status, r.body, tt.status, tt.contains)
		}
		if r.header.Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(r.body, `"request_id":"req-`) {
			t.Errorf("%s is no problem document: %s %s", name, r.header.Get("Content-Type"), r.body)
		}
		if tt.status == 405 && !strings.Contains(r.header.Get("Allow"), "GET") {
			t.Errorf("%s: Allow %q", name, r.header.Get("Allow"))
		}
	}
}

func TestOtherContentTypesAreRefused(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "members:invite")
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded",
		"multipart/form-data; boundary=x"} {
		r := w.call("POST", "/api/v1/members/invitations", token, `email=a@b.example`,
			func(r *http.Request) { r.Header.Set("Content-Type", kind) })
		if r.status != 415 {
			t.Errorf("%s: %d %s", kind, r.status, r.body)
		}
	}
}

func TestTroubleAtStytchIsNotTheCallersFault(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "members:read")
	w.call("GET", "/api/v1/members", token, "") // keys are loaded now
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b", Status: 503})
	if r := w.call("GET", "/api/v1/members", token, ""); r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("Stytch down: %d %s", r.status, r.body)
	}
	w.stytch.ClearFaults() // before the circuit breaker opens
	if r := w.call("GET", "/api/v1/members", token, ""); r.status != 200 {
		t.Errorf("Stytch back: %d %s", r.status, r.body)
	}
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b", Status: 503})
	if r := w.call("GET", "/readyz", "", ""); r.status != 200 ||
		!strings.Contains(r.body, `"directory":"unavailable"`) {
		t.Errorf("ready while Stytch is down: %d %s", r.status, r.body)
	}
	wrong := newWorld(t, func(o *guestpass.Options) { o.Secret = "secret-test-wrong" })
	if r := wrong.call("GET", "/api/v1/members", wrong.token(ada, "members:read"), ""); r.status != 502 ||
		r.header.Get("WWW-Authenticate") != "" {
		t.Errorf("our secret is wrong: %d %s", r.status, r.body)
	}
	if r := wrong.call("GET", "/readyz", "", ""); r.status != 503 {
		t.Errorf("ready with a wrong secret: %d %s", r.status, r.body)
	}
}

func TestKeysOutOfReach(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "openid")
	w.stytch.Fail(stytchtest.Fault{Path: "/.well-known/jwks.json", Status: 500})
	if r := w.call("GET", "/api/v1/userinfo", token, ""); r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("keys never loaded: %d %s", r.status, r.body)
	}
}

func TestPagesSayWhatABuilderNeeds(t *testing.T) {
	w := newWorld(t)
	landing := w.call("GET", "/", "", "").body
	for _, want := range []string{w.url + "/openapi.json", w.url + "/idp", w.url + "/oauth2/token",
		stytchtest.Development().ConnectedApps[0].ClientID,
		"openid profile email offline_access members:read members:invite",
		w.url + "/privacy", `href="/docs"`, "inviteMember"} {
		if !strings.Contains(landing, want) {
			t.Errorf("the landing page lacks %q", want)
		}
	}
	if strings.Contains(landing, stytchtest.Development().ConnectedApps[0].ClientSecret) {
		t.Error("the landing page shows the client secret")
	}
	privacy := w.call("GET", "/privacy", "", "").body
	for _, want := range []string{"members:invite", "Invite a person to the organization", "List the members"} {
		if !strings.Contains(privacy, want) {
			t.Errorf("the privacy page lacks %q", want)
		}
	}
	metadata := w.call("GET", "/.well-known/oauth-protected-resource", "", "",
		func(r *http.Request) { r.Host = "localhost:1" }).body
	if !strings.Contains(metadata, fmt.Sprintf(`"resource":%q`, w.url)) || !strings.Contains(metadata, w.stytch.URL) ||
		strings.Contains(metadata, "localhost:1") {
		t.Errorf("metadata %s", metadata)
	}
}
