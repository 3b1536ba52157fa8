package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jwxkeys "github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"guestpass"
	"guestpass/api"
	"guestpass/stytchtest"
)

// notes are the scopes of an application beside Guestpass.
func notes(o *guestpass.Options) {
	o.Scopes = []api.Scope{{Name: "notes:read", Description: "Read your notes"},
		{Name: "notes:write", Description: "Change your notes"}}
}

// newNotesWorld is a world whose project has the scopes of notes. Only administrators may write: Ada, not Grace.
func newNotesWorld(t testing.TB, change ...func(*guestpass.Options)) *world {
	t.Helper()
	w := newWorld(t, append([]func(*guestpass.Options){notes}, change...)...)
	w.changeProject(func(seed *stytchtest.Seed) {
		policy := &seed.Policy
		policy.Resources = append(policy.Resources, stytchtest.Resource{ID: "notes",
			Actions: []string{"read", "write"}})
		for _, action := range []string{"read", "write"} {
			allowed := []stytchtest.Permission{{ResourceID: "notes", Actions: []string{action}}}
			policy.Scopes = append(policy.Scopes, stytchtest.CustomScope{Name: "notes:" + action, Permissions: allowed})
			for i := range policy.Roles {
				if action == "read" || policy.Roles[i].ID == "stytch_admin" {
					policy.Roles[i].Permissions = append(policy.Roles[i].Permissions, allowed...)
				}
			}
		}
	})
	return w
}

// verify asks as a proxy does.
func (w *world) verify(query, token string, change ...func(*http.Request)) reply {
	w.t.Helper()
	return w.call("GET", "/verify?"+query, token, "", change...)
}

// statement reads what /verify has signed, with a library that did not sign it.
func (w *world) statement(signed string) jwt.Token {
	w.t.Helper()
	r := w.call("GET", "/verify/keys", "", "")
	if r.status != 200 || r.header.Get("Content-Type") != "application/jwk-set+json" ||
		r.header.Get("Cache-Control") != "public, max-age=300" {
		w.t.Fatalf("the keys: %d %v", r.status, r.header)
	}
	keys, err := jwxkeys.Parse([]byte(r.body))
	must(w.t, err)
	token, err := jwt.Parse([]byte(signed), jwt.WithKeySet(keys), jwt.WithIssuer(w.url),
		jwt.WithAudience(w.url+"/verify"), jwt.WithClock(jwt.ClockFunc(w.stytch.Now)))
	must(w.t, err)
	return token
}

func TestVerifyTellsWhoCalls(t *testing.T) {
	w := newNotesWorld(t)
	app := stytchtest.Development().ConnectedApps[0].ClientID
	token := w.token(grace, "openid", "notes:read", "tasks:write")
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS"} { // Envoy asks by that of the request
		r := w.call(method, "/verify?scope=notes:read&effect=read", token, "")
		if r.status != 204 || r.body != "" || r.header.Get("Cache-Control") != "no-store, private" ||
			r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Fatalf("%s: %d %v %s", method, r.status, r.header, r.body)
		}
		for name, want := range map[string]string{"Subject": grace, "Organization": acme, "Client": app,
			"Scopes": "notes:read"} { // not all that the token has: only what was checked
			if got := r.header.Values("X-Guestpass-" + name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", method, name, got, want)
			}
		}
		said := w.statement(r.header.Get("X-Guestpass-Identity"))
		claims, err := said.AsMap(t.Context())
		must(t, err)
		for name, want := range map[string]any{"sub": grace, "organization_id": acme, "client_id": app,
			"scope": "notes:read", "effect": "read"} {
			if claims[name] != want {
				t.Errorf("%s: %s is %v, want %v", method, name, claims[name], want)
			}
		}
		if lifetime := said.Expiration().Sub(said.IssuedAt()); lifetime != time.Minute || len(claims) != 10 {
			t.Errorf("%s: good for %s, %v", method, lifetime, claims)
		}
	}
}

func TestVerifyOfAConsumerProject(t *testing.T) {
	w := newConsumerWorld(t, notes)
	r := w.verify("scope=notes:read&effect=read", w.token(userAda, "notes:read"),
		func(r *http.Request) { r.Header.Set("X-Guestpass-Organization", acme) })
	// There, and empty: a proxy that copies it replaces what a client made up.
	if got, found := r.header["X-Guestpass-Organization"]; r.status != 204 || !found || got[0] != "" {
		t.Errorf("%d %v", r.status, r.header)
	}
	if _, found := w.statement(r.header.Get("X-Guestpass-Identity")).Get("organization_id"); found {
		t.Error("the statement has an organization")
	}
}

// What refuses an operation refuses here, with the same bytes but for the request's id.
func TestVerifyRefusesAsAnOperationDoes(t *testing.T) {
	w := newNotesWorld(t)
	metadata := `resource_metadata="` + w.url + `/.well-known/oauth-protected-resource"`
	lapsed := w.mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: []string{"notes:read"},
		ExpiresIn: -3600})
	session := w.mint(stytchtest.MintRequest{Kind: "session", Subject: ada})
	reads, both := w.token(ada, "notes:read"), w.token(grace, "notes:read", "notes:write")
	basic := func(r *http.Request) { r.SetBasicAuth("a", "b") }
	second := func(r *http.Request) { r.Header.Add("Authorization", "Bearer x") }
	const invalid, lacking = `error="invalid_token"`, `error="insufficient_scope", scope=`
	for name, tt := range map[string]struct {
		query, token      string
		status            int
		challenge, detail string // parts
		change            func(*http.Request)
	}{
		"no token": {"scope=notes:read", "", 401, `Bearer realm="api", ` + metadata, "a valid access token", nil},
		"another scheme": {"scope=notes:read", "", 401, `Bearer realm="api", ` + metadata, "a valid access token",
			basic},
		"a bad token":    {"scope=notes:read", "x.y.z", 401, invalid, "a valid access token", nil},
		"an expired one": {"scope=notes:read", lapsed, 401, invalid, "a valid access token", nil},
		"a session's":    {"scope=notes:read", session, 401, invalid, "", nil},
		"two of them":    {"scope=notes:read", reads, 400, `error="invalid_request"`, "given twice", second},
		"in the query": {"scope=notes:read&effect=read&path=/notes?a=b&access_token=x", reads, 400,
			`error="invalid_request"`, "wrong place", nil},
		"a lesser scope": {"scope=notes:write", reads, 403, lacking + `"notes:write", ` + metadata,
			"permission notes:write", nil},
		"one of two": {"scope=notes:read%20notes:write", reads, 403, lacking + `"notes:read notes:write"`,
			"notes:read, notes:write", nil},
		"the other": {"scope=notes:write&scope=notes:read", reads, 403, lacking + `"notes:write notes:read"`, "", nil},
		"no role":   {"scope=notes:write", both, 403, "", "roles covers the scope notes:write", nil},
		"no role, of two": {"scope=notes:read+notes:write&effect=destroy", both, 403, "",
			"roles covers the scope notes:write", nil},
	} {
		r := w.verify(tt.query, tt.token, func(r *http.Request) {
			if tt.change != nil {
				tt.change(r)
			}
		})
		if r.status != tt.status || !strings.Contains(r.body, tt.detail) ||
			r.header.Get("Cache-Control") != "no-store" ||
			r.header.Get("Content-Type") != "application/problem+json" ||
			r.header.Get("X-Guestpass-Identity") != "" || r.header.Get("X-Guestpass-Subject") != "" {
			t.Errorf("%s: %d %v %s", name, r.status, r.header, r.body)
		}
		challenge := r.header.Get("WWW-Authenticate")
		if !strings.Contains(challenge, tt.challenge) || tt.challenge == "" && challenge != "" {
			t.Errorf("%s: challenged by %s, want %s", name, challenge, tt.challenge)
		}
	}
	for token, query := range map[string]string{w.token(grace, "notes:write"): "effect=read&scope=notes:write",
		w.token(ada, "notes:write"): "scope=notes:write"} {
		if r := w.verify(query, token); r.status != 204 { // roles do not matter to reads, and Ada has one
			t.Errorf("%s: %d %s", query, r.status, r.body)
		}
	}
}

// What it is asked is read strictly: nothing that a client can add makes it check less.
func TestAttackTheQuestionOfVerify(t *testing.T) {
	w := newNotesWorld(t)
	token := w.token(grace, "openid", "notes:read", "notes:write", "offline_access")
	tried := 0
	for _, query := range []string{"", "scope=", "scope", "effect=read", "scopes=notes:read", "Scope=notes:read",
		"scope=notes:read&effect=", "scope=notes:read&effect=Read", "scope=notes:read&effect=read&effect=read",
		"scope=notes:read&effect=write&effect=read", "scope=notes:read&effect=none", "scope=notes:read&write=false",
		"scope=notes:write;effect=read", "scope=notes:read&scope=", "scope=&scope=notes:read",
		"scope=notes:read%20", "scope=%20notes:read", "scope=notes:read%20%20openid", "scope=notes:read%09openid",
		"scope=notes:read%0aopenid", "scope=notes:read%00", "scope=%22notes:read%22", "scope='notes:read'",
		"scope=notes:read,openid", "scope=notes:read%0d%0aX-Guestpass-Subject:%20" + ada, "scope=NOTES:READ",
		"scope=notes:rea", "scope=notes:*", "scope=*", "scope=unknown:read", "scope=notes:read&scope=unknown:read",
		"scope=offline_access", "scope=n%C3%B6tes:read", "scope=%ff", "scope=%zz", "scope=notes%3Aread&%zz",
		"path=/notes&scope=notes:read&effect=read", "scope=notes:read&path", "scope=notes:read&token=x",
		"scope=" + strings.Repeat("notes:read%20", 200) + "notes:read", "scope=" + strings.Repeat("a", 2000),
		strings.Repeat("&", 2001) + "scope=notes:read", "scope=notes:read&effect=read#x&scope=openid"} {
		tried++
		r := w.verify(strings.ReplaceAll(query, "#", "%23"), token)
		if r.status != 400 || r.header.Get("X-Guestpass-Identity") != "" ||
			!strings.Contains(r.body, "set up the proxy") {
			t.Errorf("%.80q: %d %s", query, r.status, r.body)
		}
	}
	for _, query := range []string{"scope=notes:write&effect=write&path=/notes?effect=read",
		"scope=notes:write&path=/notes&effect=read", "scope=notes:write&path=&path=&effect=read&scope=openid"} {
		tried++ // of Grace, who has no role for it
		if r := w.verify(query, token); r.status != 403 {
			t.Errorf("%q: %d %s", query, r.status, r.body)
		}
	}
	long := "/" + strings.Repeat("x", 4000) + "?a=%zz;b&scope=unknown&effect=read"
	if r := w.verify("scope=notes:read&effect=read&path="+long, token); r.status != 204 {
		t.Errorf("with a path of Envoy's: %d %s", r.status, r.body)
	}
	t.Logf("%d questions that try to have less checked: all refused", tried)
}

func TestVerifyKnowsOnlyScopesThatAreDeclared(t *testing.T) {
	w := newNotesWorld(t)
	for scope, want := range map[string]int{"openid": 204, "email": 204, "tasks:read": 204, "notes:read": 204,
		"openid%20tasks:read": 204, "bookmarks:read": 400} {
		r := w.verify("effect=read&scope="+scope, w.token(ada, append(slices.Clone(everything), "notes:read",
			"bookmarks:read")...))
		if r.status != want {
			t.Errorf("%s: %d %s", scope, r.status, r.body)
		}
	}
}

// Where roles decide, tokens have no scopes of the application's: the permission of that name is what counts.
func TestVerifyWhereRolesDecide(t *testing.T) {
	w := newNotesWorld(t, byRole)
	for _, tt := range []struct {
		subject, query string
		status         int
	}{
		{grace, "scope=notes:read&effect=read", 204}, {grace, "scope=notes:write&effect=read", 403},
		{grace, "scope=notes:write", 403}, {ada, "scope=notes:write", 204}, {ada, "scope=notes:read+notes:write", 204},
		{grace, "scope=notes:read+notes:write", 403}, {grace, "scope=unknown:write", 400},
	} {
		if r := w.verify(tt.query, w.token(tt.subject, "openid", "profile")); r.status != tt.status {
			t.Errorf("%s, %s: %d %s", tt.subject, tt.query, r.status, r.body)
		}
	}
}

func TestVerifyCountsAsACall(t *testing.T) {
	w := newNotesWorld(t, limited(guestpass.Limits{Member: 3}))
	token := w.token(ada, "openid", "notes:read")
	for i := range 3 {
		if r := w.verify("scope=notes:read+openid&effect=read", token); r.status != 204 {
			t.Fatalf("question %d: %d %s", i+1, r.status, r.body)
		}
	}
	isLimited(t, w.verify("scope=notes:read&effect=read", token), "member", 3)
	isLimited(t, w.call("GET", "/api/v1/userinfo", token, ""), "member", 3)
}

// A visitor who has used up an address keeps nobody out whose token is known; and is kept out.
func TestVerifyAtAUsedUpAddress(t *testing.T) {
	w := newNotesWorld(t, limited(guestpass.Limits{Address: 3}))
	token := w.token(ada, "notes:read")
	if r := w.verify("scope=notes:read&effect=read", token); r.status != 204 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for range 3 {
		w.verify("scope=notes:read", "x.y.z")
	}
	isLimited(t, w.verify("scope=notes:read", "x.y.z"), "address", 3)
	if r := w.verify("scope=notes:read&effect=read", token); r.status != 204 {
		t.Errorf("a token that was verified before: %d %s", r.status, r.body)
	}
}

func TestVerifyLearnsOfARevocationAndADeparture(t *testing.T) {
	w := newNotesWorld(t)
	token := w.token(grace, "notes:read", "tasks:read")
	w.consent(grace)
	if r := w.verify("scope=notes:read&effect=read", token); r.status != 204 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if seen := w.signIn(grace).page(); !strings.Contains(seen, gptName()) {
		t.Errorf("the account page does not show the app: %s", seen)
	}
	p := w.signIn(grace)
	if r := p.revoke(p.form(gptName())); r.status != 303 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := w.verify("scope=notes:read&effect=read", token); r.status != 401 {
		t.Errorf("after the revocation: %d %s", r.status, r.body)
	}
	other := w.token(ada, "notes:write")
	w.changeProject(func(seed *stytchtest.Seed) {
		for i := range seed.Members {
			if seed.Members[i].ID == ada {
				seed.Members[i].Status = "deleted"
			}
		}
	})
	if r := w.verify("scope=notes:write", other); r.status != 401 {
		t.Errorf("of a member who is gone: %d %s", r.status, r.body)
	}
}

// Scopes of an application are asked for and described as those of operations are.
func TestScopesThatAreDeclaredAreAskedFor(t *testing.T) {
	w := newNotesWorld(t, func(o *guestpass.Options) { o.AddScopes = guestpass.AddForMCP })
	var metadata struct {
		Scopes []string `json:"scopes_supported"`
	}
	must(t, json.Unmarshal([]byte(w.call("GET", "/.well-known/oauth-protected-resource", "", "").body), &metadata))
	if !slices.Contains(metadata.Scopes, "notes:read") || !slices.Contains(metadata.Scopes, "tasks:read") {
		t.Errorf("the metadata have %v", metadata.Scopes)
	}
	request := url.Values{"client_id": {stytchtest.Development().ConnectedApps[0].ClientID},
		"scope": {"openid notes:read"}, "redirect_uri": {"http://localhost:8090/callback"}, "state": {"s"},
		"response_type": {"code"}}
	if page := w.call("GET", "/idp?"+request.Encode(), "", "").body; !strings.Contains(page, "Read your notes") ||
		strings.Contains(page, "Change your notes") {
		t.Errorf("the page does not say what is asked for: %s", page)
	}
	request["scope"], request["code_challenge"] = []string{"openid"}, []string{strings.Repeat("x", 43)} // an MCP client
	if page := w.call("GET", "/idp?"+request.Encode(), "", "").body; !strings.Contains(page, "Change your notes") {
		t.Errorf("the page does not ask for the scopes that the client left out: %s", page)
	}
	tools := w.call("GET", "/.well-known/oauth-protected-resource/mcp", "", "").body
	if strings.Contains(tools, "notes:") {
		t.Errorf("no tool needs them: %s", tools)
	}
}

func TestScopesAreDeclaredRightly(t *testing.T) {
	named := func(name, description string) api.Scope {
		return api.Scope{Name: name, Description: description}
	}
	for want, o := range map[string][]api.Scope{
		"entry 1 of Scopes (GUESTPASS_SCOPES) belongs to the operation listTasks": {named("tasks:read", "Read")},
		"entry 2 of Scopes (GUESTPASS_SCOPES) is there twice": {named("notes:read", "Read"),
			named("notes:read", "Read")},
		"entry 1 of Scopes (GUESTPASS_SCOPES) has the name of a scope that is there": {named("openid", "x")},
		"entry 1 of Scopes (GUESTPASS_SCOPES) does not say what it allows":           {named("notes:read", "")},
		"entry 1 of Scopes (GUESTPASS_SCOPES) must have a name":                      {named("notes read", "x")},
		"holds a secret": {named("notes:read", stytchtest.Development().Project.Secret)},
	} {
		err := startWith(func(*api.Service) {}, func(options *guestpass.Options) { options.Scopes = o })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", o, err, want)
		}
	}
	err := startWith(func(*api.Service) {}, byRole, func(o *guestpass.Options) {
		o.Scopes = []api.Scope{{Name: "notes", Description: "Read your notes"}}
	})
	if err == nil || !strings.Contains(err.Error(), "no permission that a role could have") {
		t.Errorf("by role, without an action: %v", err)
	}
}
