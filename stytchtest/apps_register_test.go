package stytchtest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

func TestRegistrationIsSwitchedOn(t *testing.T) {
	off := func(seed *stytchtest.Seed) { seed.Project.Registration = false }
	for _, s := range []*stytchtest.Server{open(t, off), openConsumer(t, off)} {
		body := object{"client_name": "Agent", "redirect_uris": []string{"http://127.0.0.1/cb"},
			"token_endpoint_auth_method": "none"}
		endpoint := func() any {
			_, document, _ := ask(t, "GET", s.URL+"/.well-known/oauth-authorization-server", nil)
			return document["registration_endpoint"]
		}
		if status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", body); status != 403 ||
			reply["error"] != "access_denied" || endpoint() != nil {
			t.Errorf("off: %d %v, endpoint %v", status, reply, endpoint())
		}
		manage(t, s, "PATCH", "", object{"idp_dynamic_client_registration_enabled": true,
			"idp_dynamic_client_registration_access_token_template_content": `{"registered":true}`})
		if endpoint() != s.URL+"/v1/oauth2/register" {
			t.Errorf("endpoint %v", endpoint())
		}
		status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", body)
		id, _ := reply["client_id"].(string)
		delete(reply, "request_id")
		want := object{"client_id": id, "client_name": "Agent", "redirect_uris": []any{"http://127.0.0.1/cb"},
			"grant_types":    []any{"authorization_code", "refresh_token"},
			"response_types": []any{"code"}, "token_endpoint_auth_method": "none", "status_code": 201.0}
		if status != 201 || !strings.HasPrefix(id, "connected-app-test-") || !reflect.DeepEqual(reply, want) {
			t.Errorf("%d\n%v, want\n%v", status, reply, want)
		}
		app, _ := rawClients(t, s, "GET", "/"+id, object{})
		if app["client_type"] != "third_party_public" || app["access_token_template_content"] != `{"registered":true}` {
			t.Errorf("%v", app)
		}
		manage(t, s, "PATCH", "", object{"idp_dynamic_client_registration_enabled": false})
		if status, _, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", body); status != 403 || endpoint() != nil {
			t.Errorf("off again: %d", status)
		}
	}
}

// TestRegisteringAgain: programs that register at every start do not pile up, as far as
// they have no secret.
func TestRegisteringAgain(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) { seed.Project.Registration = true })
	register := func(body object) object {
		t.Helper()
		status, reply, _ := ask(t, "POST", s.URL+"/v1/public/"+project+"/oauth2/register", body)
		if status != 201 {
			t.Fatal(status, reply)
		}
		return reply
	}
	public := func(name, uri, redirect string) object {
		return object{"client_name": name, "client_uri": uri, "redirect_uris": []string{redirect},
			"token_endpoint_auth_method": "none"}
	}
	const home, loopback = "https://agent.example", "http://127.0.0.1/cb"
	first := register(public("Agent", home, loopback))
	for name, tt := range map[string]struct {
		body object
		same bool
	}{
		"the same metadata": {public("Agent", home, loopback), true},
		"another name":      {public("Agent 2", home, loopback), false},
		"another page":      {public("Agent", home+"/2", loopback), false},
		"another redirect":  {public("Agent", home, "http://127.0.0.1/cb2"), false},
	} {
		if again := register(tt.body); (again["client_id"] == first["client_id"]) != tt.same ||
			again["client_uri"] != tt.body["client_uri"] {
			t.Errorf("%s: %v", name, again)
		}
	}
	confidential := object{"client_name": "Agent", "redirect_uris": []string{callback},
		"token_endpoint_auth_method": "client_secret_post", "logo_uri": "https://agent.example/logo.png"}
	one, two := register(confidential), register(confidential)
	if one["client_id"] == two["client_id"] || one["client_secret"] == two["client_secret"] ||
		one["client_secret"] == nil || one["client_secret_expires_at"] != 0.0 ||
		one["token_endpoint_auth_method"] != "client_secret_post" {
		t.Errorf("%v %v", one, two)
	}
	if unsaid := register(
		object{"redirect_uris": []string{callback}}); unsaid["token_endpoint_auth_method"] != "client_secret_basic" ||
		unsaid["client_secret"] == nil {
		t.Errorf("%v", unsaid)
	}
	// What was registered signs in, always as a third party.
	code := authorize(t, s, func(b object) { b["client_id"], b["code_challenge"] = one["client_id"], challenge })
	granted := tokens(t, s, exchange(code, "client_id", one["client_id"].(string), "client_secret",
		one["client_secret"].(string), "code_verifier", verifier))
	if claims := claimsOf(t, granted["access_token"]); claims["client_id"] != one["client_id"] {
		t.Errorf("%v", claims)
	}
	status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start", object{"organization_id": acme,
		"member_id": grace, "client_id": one["client_id"], "redirect_uri": callback}, basic(project, projectSecret))
	if status != 200 || reply["consent_required"] != true || reply["client"].(object)["client_type"] != "third_party" {
		t.Errorf("%d %v", status, reply)
	}
}

// TestLoopbackPortsDoNotCountInRegistrations: a program that listens on another port at each
// start is one client, and comes back to any.
func TestLoopbackPortsDoNotCountInRegistrations(t *testing.T) {
	s := open(t)
	register := func(change object) string {
		t.Helper()
		body := object{"client_name": "Agent", "token_endpoint_auth_method": "none"}
		for name, value := range change {
			body[name] = value
		}
		status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", body)
		if status != 201 || !reflect.DeepEqual(reply["redirect_uris"], []any{change["redirect_uris"].([]string)[0]}) {
			t.Fatal(status, reply)
		}
		return reply["client_id"].(string)
	}
	const loopback = "http://127.0.0.1:51234/cb"
	first := register(object{"redirect_uris": []string{loopback}})
	for name, tt := range map[string]struct {
		change object
		same   bool
	}{
		"another port":        {object{"redirect_uris": []string{"http://127.0.0.1:51236/cb"}}, true},
		"no port":             {object{"redirect_uris": []string{"http://127.0.0.1/cb"}}, true},
		"another path":        {object{"redirect_uris": []string{"http://127.0.0.1:51234/cb2"}}, false},
		"localhost":           {object{"redirect_uris": []string{"http://localhost:51234/cb"}}, false},
		"IPv6":                {object{"redirect_uris": []string{"http://[::1]:51234/cb"}}, false},
		"an application type": {object{"redirect_uris": []string{loopback}, "application_type": "native"}, true},
		"unknown metadata":    {object{"redirect_uris": []string{loopback}, "x_build": object{"number": 7}}, true},
		"nothing as null":     {object{"redirect_uris": []string{loopback}, "scope": nil}, true},
		"another logo": {object{"redirect_uris": []string{loopback},
			"logo_uri": "https://agent.example/logo.png"}, false},
		"another scope":   {object{"redirect_uris": []string{loopback}, "scope": "openid"}, false},
		"another version": {object{"redirect_uris": []string{loopback}, "software_version": "2"}, false},
	} {
		if again := register(tt.change); (again == first) != tt.same {
			t.Errorf("%s: %s, the first is %s", name, again, first)
		}
	}
	for _, host := range []string{"http://127.0.0.1", "http://localhost", "http://[::1]"} {
		id := register(object{"redirect_uris": []string{host + ":51234/cb"}})
		redirect := host + ":60999/cb"
		code := authorize(t, s, withChallenge, func(b object) { b["client_id"], b["redirect_uri"] = id, redirect })
		tokens(t, s, form("grant_type", "authorization_code", "code", code, "client_id", id, "redirect_uri", redirect,
			"code_verifier", verifier))
	}
	other := register(object{"redirect_uris": []string{"https://agent.example:8443/cb"}})
	status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start", object{"organization_id": acme,
		"member_id": ada, "client_id": other,
		"redirect_uri": "https://agent.example:8444/cb"}, basic(project, projectSecret))
	if status != 401 {
		t.Errorf("the port of a host elsewhere counts: %d %v", status, reply)
	}
}

// TestARegisteredClientMayAskForEveryScope: many clients register without one, and ask later.
func TestARegisteredClientMayAskForEveryScope(t *testing.T) {
	s := open(t)
	_, document, _ := ask(t, "GET", s.URL+"/.well-known/oauth-authorization-server", nil)
	for _, registered := range []object{{}, {"scope": "openid"}} {
		registered["redirect_uris"], registered["token_endpoint_auth_method"] = []string{"http://127.0.0.1:1/"}, "none"
		_, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", registered)
		id := reply["client_id"].(string)
		code := authorize(t, s, withChallenge, func(b object) {
			b["client_id"], b["redirect_uri"], b["scopes"] = id, "http://127.0.0.1:49567/", document["scopes_supported"]
		})
		granted := tokens(t, s, form("grant_type", "authorization_code", "code", code, "client_id", id, "redirect_uri",
			"http://127.0.0.1:49567/", "code_verifier", verifier))
		var all []string
		for _, scope := range document["scopes_supported"].([]any) {
			all = append(all, scope.(string))
		}
		if granted["scope"] != strings.Join(all, " ") || granted["refresh_token"] == nil {
			t.Errorf("%v, want %v", granted["scope"], all)
		}
	}
}

// TestAProjectHasAThousandAppsAtMost, however they came.
func TestAProjectHasAThousandAppsAtMost(t *testing.T) {
	host := hostDocument(t)
	host.document(t, nil)
	seed := stytchtest.Development()
	for i := range 998 {
		seed.ConnectedApps = append(seed.ConnectedApps,
			stytchtest.ConnectedApp{ClientID: fmt.Sprintf("connected-app-test-%d", i), Type: "third_party_public"})
	}
	s := openLoopback(t, func(o *stytchtest.Options) { o.Seed = &seed })
	status, reply := askConsent(t, s, host.URL)
	wantError(t, "a document", status, reply, 400, "too_many_connected_apps")
	status, reply, _ = ask(t, "POST", s.URL+"/v1/oauth2/register", object{"redirect_uris": []string{callback}})
	wantFault(t, "a registration", oauthAPI, status, reply, 400, "too_many_connected_apps")
	_, err := rawClients(t, s, "POST", "", object{"client_type": "third_party"})
	refused(t, err, 400, "too_many_connected_apps")
}

func TestRegistrationRefuses(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) { seed.Project.Registration = true })
	for name, tt := range map[string]struct {
		body any
		kind string
	}{
		"no redirect":   {object{"client_name": "Agent"}, "invalid_redirect_uri"},
		"an empty list": {object{"redirect_uris": []string{}}, "invalid_redirect_uri"},
		"plain http": {object{"redirect_uris": []string{"http://agent.example/cb"}},
			"invalid_redirect_uri"},
		"half a URL":     {object{"redirect_uris": []string{callback, "/cb"}}, "invalid_redirect_uri"},
		"another scheme": {object{"redirect_uris": []string{"agent://cb"}}, "invalid_redirect_uri"},
		"another authentication": {object{"redirect_uris": []string{callback},
			"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"},
		"another grant": {object{"redirect_uris": []string{callback},
			"grant_types": []string{"authorization_code", "client_credentials"}}, "invalid_client_metadata"},
		"another response": {object{"redirect_uris": []string{callback}, "response_types": []string{"token"}},
			"invalid_client_metadata"},
		"a redirect that is text": {object{"redirect_uris": callback}, "invalid_request"},
		"a form":                  {url.Values{"redirect_uris": {callback}}, "invalid_request"},
		"nothing":                 {nil, "invalid_redirect_uri"},
		"a script":                {object{"redirect_uris": []string{"javascript:alert(1)"}}, "invalid_redirect_uri"},
		"too many redirects": {object{"redirect_uris": slices.Repeat([]string{callback}, 51)},
			"invalid_redirect_uri"},
	} {
		t.Run(name, func(t *testing.T) {
			status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", tt.body)
			wantFault(t, name, oauthAPI, status, reply, 400, tt.kind)
		})
	}
	if n := len(s.Export().ConnectedApps); n != 4 {
		t.Errorf("%d clients", n)
	}
}

// TestRedirectURLsOfClients: exactly, but for the port of a loopback address (RFC 8252
// section 7.3).
func TestRedirectURLsOfClients(t *testing.T) {
	for _, tt := range []struct {
		registered, given string
		want              bool
	}{
		{"https://app.example/cb", "https://app.example/cb", true},
		{"https://app.example/cb", "https://app.example/cb/", false},
		{"https://app.example/cb", "https://app.example/cb?x=1", false},
		{"https://app.example/cb", "https://app.example/cb#x", false},
		{"https://app.example/cb", "https://app.example:443/cb", false},
		{"https://app.example/cb", "https://APP.example/cb", false},
		{"https://app.example/cb", "http://app.example/cb", false},
		{"https://app.example/cb", "https://app.example.evil.example/cb", false},
		{"https://app.example/cb", "https://app.example@evil.example/cb", false},
		{"https://app.example/cb", "", false},
		{"https://app.example/cb?a=1", "https://app.example/cb?a=1", true},
		{"https://app.example/cb?a=1", "https://app.example/cb?a=1&b=2", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:53123/cb", true},
		{"http://127.0.0.1/cb", "http://127.0.0.1/cb", true},
		{"http://127.0.0.1/cb", "http://127.0.0.1:53123/other", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:53123/cb?x=1", false},
		{"http://127.0.0.1/cb", "http://localhost:53123/cb", false},
		{"http://127.0.0.1/cb", "https://127.0.0.1:53123/cb", false},
		{"http://localhost/cb", "http://localhost:1/cb", true},
		{"http://[::1]/cb", "http://[::1]:1/cb", true},
		{"http://localhost:8090/cb", "http://localhost:8091/cb", false},
		{"https://app.example/cb", "https://app.example:8443/cb", false},
	} {
		t.Run(tt.registered+" "+tt.given, func(t *testing.T) {
			s := open(t, func(seed *stytchtest.Seed) {
				seed.ConnectedApps[0].RedirectURLs = []string{"https://other.example/", tt.registered}
			})
			for _, path := range []string{"/start", ""} {
				status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize"+path,
					object{"organization_id": acme, "member_id": ada, "client_id": gpt,
						"redirect_uri": tt.given, "consent_granted": true}, basic(project, projectSecret))
				if (status == http.StatusOK) != tt.want || !tt.want &&
					reply["error_type"] != "connected_app_supplied_redirect_url_not_found_in_client" {
					t.Errorf("%q: %d %v", path, status, reply)
				}
			}
		})
	}
}

func TestStateAndQueryOfTheRedirectStay(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.ConnectedApps[0].RedirectURLs = []string{"https://app.example/cb?a=1&b=%2F"}
	})
	for _, state := range []string{"", "x", "a b&c=d+é#?", strings.Repeat("s", 2000)} {
		for _, consent := range []bool{true, false} {
			status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize", object{"organization_id": acme,
				"member_id": ada, "client_id": gpt,
				"redirect_uri": "https://app.example/cb?a=1&b=%2F", "state": state, "prompt": "consent",
				"consent_granted": consent}, basic(project, projectSecret))
			back, _ := reply["redirect_uri"].(string)
			query := must[*url.URL](t)(url.Parse(back)).Query()
			if status != 200 || !strings.HasPrefix(back, "https://app.example/cb?a=1&b=%2F&") ||
				query.Get("state") != state || query.Has("state") != (state != "") || query.Has("code") != consent ||
				query.Has("error") == consent {
				t.Errorf("state %.20q, consent %v: %d %v", state, consent, status, reply)
			}
		}
	}
}
