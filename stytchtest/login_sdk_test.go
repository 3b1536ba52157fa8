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

func TestBootstrapHasWhatTheSDKReads(t *testing.T) {
	s := open(t)
	_, data := sdk(t, s, "", "/projects/bootstrap/"+publicToken, nil)
	for name, want := range (object{"project_name": "Guestpass Demo", "vertical": "B2B", "cname_domain": nil,
		"captcha_settings":           object{"enabled": false},
		"dfp_protected_auth_enabled": false, "pkce_required_for_email_magic_links": false}) {
		if got, present := data[name]; !present || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, list := range []string{"roles", "resources", "scopes"} {
		if entries, _ := data["rbac_policy"].(object)[list].([]any); len(entries) == 0 {
			t.Errorf("rbac_policy.%s is empty", list)
		}
	}
	if status, reply := sdk(t, s, "", "/projects/bootstrap/public-token-test-other", nil); status != 404 ||
		reply["error_type"] != "project_not_found" {
		t.Errorf("%d %v", status, reply)
	}
}

func TestBootstrapHasListsWhereThePolicyHasNone(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Policy = stytchtest.Policy{}
		for i := range seed.Members {
			seed.Members[i].Roles = nil
		}
	})
	_, data := sdk(t, s, "", "/projects/bootstrap/"+publicToken, nil)
	if want := (object{"roles": []any{}, "resources": []any{}, "scopes": []any{}}); !reflect.DeepEqual(
		data["rbac_policy"], want) {
		t.Errorf("%v", data["rbac_policy"])
	}
	_, data = sdk(t, s, login(t, s, "ada@acme.example", acme), "/b2b/organizations/members/me", nil)
	for _, list := range []string{"roles", "sso_registrations", "scim_registrations", "oauth_registrations",
		"retired_email_addresses"} {
		if _, ok := data["member"].(object)[list].([]any); !ok {
			t.Errorf("%s: %v", list, data["member"].(object)[list])
		}
	}
}

func TestPreflightOfTheProjectsPage(t *testing.T) {
	s := open(t)
	status, _, header := ask(t, "OPTIONS", s.URL+"/sdk/v1/b2b/sessions/authenticate", nil, func(r *http.Request) {
		r.Header.Set("Origin", "http://localhost:8080")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-sdk-client,x-sdk-parent-host")
	})
	if status != 204 || header.Get("Access-Control-Allow-Origin") != "http://localhost:8080" ||
		header.Get("Access-Control-Allow-Credentials") != "true" ||
		header.Get("Vary") != "Origin" ||
		header.Get("Access-Control-Allow-Headers") != "authorization, content-type, x-sdk-client, x-sdk-parent-host" {
		t.Errorf("%d %v", status, header)
	}
	status, _, header = ask(t, "POST", s.URL+"/sdk/v1/events", `[{"telemetry":{},"event":{}}]`,
		func(r *http.Request) { r.Header.Set("Origin", "http://localhost:8080") })
	if status != 200 || header.Get("Access-Control-Allow-Origin") != "http://localhost:8080" {
		t.Errorf("events: %d %v", status, header)
	}
}

func TestEmailCodes(t *testing.T) {
	authenticate := func(s *stytchtest.Server, email, code string) (int, object) {
		return sdk(t, s, "", "/b2b/otps/email/discovery/authenticate", object{"email_address": email, "code": code})
	}
	send := func(s *stytchtest.Server, email string) string {
		sdk(t, s, "", "/b2b/otps/email/discovery/send", object{"email_address": email})
		return s.Inbox()[0].Code
	}
	refused := func(name string, status int, reply object) {
		t.Helper()
		if status != 401 || reply["error_type"] != "otp_code_not_found" {
			t.Errorf("%s: %d %v", name, status, reply)
		}
	}
	s := open(t)
	code := send(s, "Ada@acme.example")
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		t.Fatalf("code %q", code)
	}
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	status, reply := authenticate(s, "ada@acme.example", wrong)
	refused("wrong", status, reply)
	status, reply = authenticate(s, "grace@acme.example", code)
	refused("somebody else's", status, reply)
	status, reply = authenticate(s, "ada@acme.example", code)
	if keys := keysOf(reply); status != 200 || strings.Join(keys,
		" ") != "discovered_organizations email_address intermediate_session_token organization_id_hint request_id "+
		"status_code" {
		t.Errorf("%d %v", status, keys)
	}
	status, reply = authenticate(s, "ada@acme.example", code)
	refused("used", status, reply)
	code = send(s, "ada@acme.example")
	s.Advance(10 * time.Minute)
	status, reply = authenticate(s, "ada@acme.example", code)
	refused("expired", status, reply)
	old := send(s, "ada@acme.example")
	if newer := send(s, "ada@acme.example"); newer != old {
		status, reply = authenticate(s, "ada@acme.example", old)
		refused("superseded", status, reply)
	}
	status, reply = authenticate(s, "stranger@nowhere.example", send(s, "stranger@nowhere.example"))
	if found, ok := reply["discovered_organizations"].([]any); status != 200 || !ok || len(found) != 0 {
		t.Errorf("a stranger: %d %v", status, reply)
	}
}

func TestMagicLinks(t *testing.T) {
	const send, redeem = "/b2b/magic_links/email/discovery/send", "/b2b/magic_links/discovery/authenticate"
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Project.PKCERequired, seed.Project.RedirectURLs = true, stytchtest.RedirectURLs(idp+"?from=mail")
	})
	for _, other := range []string{idp, idp + "?from=mail&x=1", idp + "?from=mail#x"} {
		status, reply := sdk(t, s, "", send, object{"email_address": "ada@acme.example",
			"discovery_redirect_url": other, "pkce_code_challenge": challenge})
		if status != 400 || reply["error_type"] != "query_params_do_not_match" {
			t.Errorf("%s: %d %v", other, status, reply)
		}
	}
	body := object{"email_address": "ada@acme.example", "discovery_redirect_url": idp + "?from=mail"}
	if status, reply := sdk(t, s, "", send, body); status != 400 ||
		reply["error_type"] != "pkce_expected_code_challenge" {
		t.Errorf("without challenge: %d %v", status, reply)
	}
	body["pkce_code_challenge"] = challenge
	if status, reply := sdk(t, s, "", send, body); status != 200 || len(s.Inbox()) != 1 {
		t.Fatalf("%d %v", status, reply)
	}
	link := s.Inbox()[0].Link
	if !strings.HasPrefix(link, idp+"?from=mail&stytch_redirect_type=login&stytch_token_type=discovery&token=") {
		t.Fatalf("link %s", link)
	}
	token := must[*url.URL](t)(url.Parse(link)).Query().Get("token")
	for v, kind := range map[string]string{"": "pkce_expected_code_verifier", verifier + "x": "pkce_mismatch"} {
		if status, reply := sdk(t, s, "", redeem, object{"discovery_magic_links_token": token,
			"pkce_code_verifier": v}); status != 400 || reply["error_type"] != kind {
			t.Errorf("verifier %q: %d %v", v, status, reply)
		}
	}
	good := object{"discovery_magic_links_token": token, "pkce_code_verifier": verifier}
	if status, reply := sdk(t, s, "", redeem, good); status != 200 || reply["email_address"] != "ada@acme.example" ||
		reply["intermediate_session_token"] == "" {
		t.Errorf("%d %v", status, reply)
	}
	if status, reply := sdk(t, s, "", redeem, good); status != 401 ||
		reply["error_type"] != "unable_to_auth_magic_link" {
		t.Errorf("the second use: %d %v", status, reply)
	}
}

func TestInvitationSignsIn(t *testing.T) {
	s := open(t)
	invite(t, s, "guest@acme.example")
	token := must[*url.URL](t)(url.Parse(s.Inbox()[0].Link)).Query().Get("token")
	if status, _ := sdk(t, s, "", "/b2b/magic_links/discovery/authenticate",
		object{"discovery_magic_links_token": token}); status != 401 {
		t.Error("an invitation works as a discovery link")
	}
	status, reply := sdk(t, s, "", "/b2b/magic_links/authenticate", object{"magic_links_token": token,
		"session_duration_minutes": 60})
	if status != 200 || reply["member"].(object)["status"] != "active" || reply["session_token"] == "" {
		t.Errorf("%d %v", status, reply)
	}
	if status, _ := sdk(t, s, "", "/b2b/magic_links/authenticate", object{"magic_links_token": token}); status != 401 {
		t.Error("an invitation works twice")
	}
}

func TestBrowserSession(t *testing.T) {
	s := open(t)
	token := login(t, s, "ada@acme.example", acme)
	status, reply := sdk(t, s, token, "/b2b/sessions/authenticate", object{})
	session, _ := reply["member_session"].(object)
	if status != 200 || reply["session_token"] != token || reply["member_authenticated"] != true ||
		reply["intermediate_session_token"] != "" || session["organization_slug"] != "acme" {
		t.Errorf("%d %v", status, reply)
	}
	for _, name := range []string{"mfa_required", "primary_required"} {
		if value, present := reply[name]; !present || value != nil {
			t.Errorf("%s must be null: %v", name, value)
		}
	}
	if roles, _ := session["roles"].([]any); len(roles) != 2 || roles[0] != "stytch_member" {
		t.Errorf("session roles %v are strings in the browser", session["roles"])
	}
	if _, reply := sdk(t, s, token, "/b2b/organizations/me",
		nil); reply["organization"].(object)["organization_id"] != acme {
		t.Errorf("%v", reply)
	}
	if _, reply := sdk(t, s, token, "/b2b/organizations/members/me",
		nil); reply["member"].(object)["member_id"] != ada {
		t.Errorf("%v", reply)
	}
	if _, reply := sdk(t, s, token, "/b2b/discovery/organizations",
		object{}); len(reply["discovered_organizations"].([]any)) != 1 {
		t.Errorf("%v", reply)
	}
	// The session stands in Basic; one in the body must not count.
	if status, _ := sdk(t, s, "", "/b2b/sessions/authenticate", object{"session_token": token}); status != 401 {
		t.Errorf("a session in the body: %d", status)
	}
	if status, _ := sdk(t, s, token, "/b2b/sessions/revoke", nil); status != 200 {
		t.Errorf("revoke: %d", status)
	}
	for name, expired := range map[string]func() string{
		"revoked": func() string { return token },
		"ended":   func() string { t := login(t, s, "ada@acme.example", acme); s.Advance(time.Hour); return t },
		"of somebody deleted": func() string {
			token := login(t, s, "grace@acme.example", acme)
			_ = s.SetStatus(grace, "deleted")
			return token
		},
		"none": func() string { return "" },
	} {
		if status, reply := sdk(t, s, expired(), "/b2b/sessions/authenticate", object{}); status != 401 ||
			reply["error_type"] != "session_not_found" {
			t.Errorf("%s: %d %v", name, status, reply)
		}
	}
}

func TestConsentInTheBrowser(t *testing.T) {
	const start, submit = "/idp/b2b/oauth/authorize/start", "/idp/b2b/oauth/authorize/submit"
	s := open(t)
	token := login(t, s, "grace@acme.example", acme)
	body := object{"client_id": gpt, "redirect_uri": callback, "response_type": "code", "state": "st-xyz",
		"code_challenge": challenge, "nonce": "n",
		"scopes": []string{"openid", "tasks:read", "members:invite"}, "resources": []string{"https://api.example.com"}}
	status, reply := sdk(t, s, token, start, body)
	client, _ := reply["client"].(object)
	if status != 200 || reply["consent_required"] != true || client["client_type"] != "third_party" ||
		client["client_name"] != "ChatGPT" {
		t.Fatalf("%d %v", status, reply)
	}
	if _, present := client["client_logo_url"]; !present {
		t.Error("no client_logo_url")
	}
	if first := reply["scope_results"].([]any)[1]; !reflect.DeepEqual(first, object{"scope": "tasks:read",
		"is_grantable": true, "description": "Read tasks"}) {
		t.Errorf("%v", first)
	}
	body["consent_granted"] = false
	if status, reply := sdk(t, s, token, submit, body); status != 200 || reply["authorization_code"] != nil ||
		!strings.HasPrefix(reply["redirect_uri"].(string), callback+"?error=access_denied&error_description=") ||
		!strings.HasSuffix(reply["redirect_uri"].(string), "&state=st-xyz") {
		t.Errorf("denied: %d %v", status, reply)
	}
	body["consent_granted"] = true
	_, reply = sdk(t, s, token, submit, body)
	granted := tokens(t, s, exchange(reply["authorization_code"].(string), "code_verifier", verifier))
	claims := claimsOf(t, granted["access_token"])
	if claims["scope"] != "openid tasks:read" || !reflect.DeepEqual(claims["aud"], []any{project}) ||
		claims["sub"] != grace {
		t.Errorf("%v", claims)
	}
	for name, session := range map[string]string{"no session": "", "a made-up one": "sess"} {
		if status, reply := sdk(t, s, session, start, body); status != 401 ||
			reply["error_type"] != "session_not_found" {
			t.Errorf("%s: %d %v", name, status, reply)
		}
	}
	// In the browser nobody may name somebody else.
	body["member_id"], body["organization_id"] = ada, acme
	_, reply = sdk(t, s, token, start, body)
	if reply["member_id"] != grace {
		t.Errorf("authorized as %v", reply["member_id"])
	}
}

func TestLogout(t *testing.T) {
	s := open(t)
	body := object{"client_id": ours, "post_logout_redirect_uri": "https://ours.example/bye?x=1", "state": "a b"}
	status, reply := sdk(t, s, "", "/b2b/oauth/logout/start", body)
	if status != 200 || reply["redirect_uri"] != "https://ours.example/bye?x=1&state=a+b" ||
		reply["consent_required"] != false {
		t.Errorf("%d %v", status, reply)
	}
	body["post_logout_redirect_uri"] = "https://ours.example/bye"
	if status, reply := sdk(t, s, "", "/b2b/oauth/logout/start", body); status != 401 || reply["redirect_uri"] != nil {
		t.Errorf("%d %v", status, reply)
	}
}

func TestTheServerAPIHasNoEnvelope(t *testing.T) {
	s := open(t)
	status, reply, _ := ask(t, "GET", s.URL+"/v1/b2b/rbac/policy", nil, basic(project, "secret-test-guestpass-dev"))
	if status != 200 || reply["data"] != nil || reply["policy"] == nil || reply["status_code"] != 200.0 {
		t.Errorf("%d %v", status, keysOf(reply))
	}
	status, reply, _ = ask(t, "POST", s.URL+"/sdk/v1/b2b/otps/email/discovery/send",
		object{"email_address": "ada@acme.example"}, basic("public-token-test-other", "x"))
	if status != 401 || reply["error_type"] != "unauthorized_credentials" || reply["data"] != nil {
		t.Errorf("%d %v", status, reply)
	}
}
