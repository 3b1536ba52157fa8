package stytchtest_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// The requests below have the members that @stytch/vanilla-js 6.3.0 sends.

func TestBrowserDiscoveryByEveryMethod(t *testing.T) {
	const email = "ada@acme.example"
	pkce := func(seed *stytchtest.Seed) { seed.Project.PKCERequired = true }
	for _, tt := range []struct {
		name, factor string
		change       func(*stytchtest.Seed)
		run          func(*testing.T, *stytchtest.Server) (int, object)
	}{
		{"code", "email_otp", nil, func(t *testing.T, s *stytchtest.Server) (int, object) {
			sdk(t, s, "", "/b2b/otps/email/discovery/send", object{"email_address": email})
			return sdk(t, s, "", "/b2b/otps/email/discovery/authenticate", object{"code": s.Inbox()[0].Code,
				"email_address": email})
		}},
		{"link", "magic_link", pkce, func(t *testing.T, s *stytchtest.Server) (int, object) {
			sdk(t, s, "", "/b2b/magic_links/email/discovery/send", object{"email_address": email,
				"discovery_redirect_url": idp, "pkce_code_challenge": challenge})
			return sdk(t, s, "", "/b2b/magic_links/discovery/authenticate",
				object{"discovery_magic_links_token": newestToken(t, s), "pkce_code_verifier": verifier})
		}},
		{"password", "password", nil, func(t *testing.T, s *stytchtest.Server) (int, object) {
			return sdk(t, s, "", "/b2b/passwords/discovery/authenticate", object{"email_address": email,
				"password": stytchtest.DevelopmentPassword, "code_verifier": verifier})
		}},
		{"new password", "password", pkce, func(t *testing.T, s *stytchtest.Server) (int, object) {
			sdk(t, s, "", "/b2b/passwords/discovery/reset/start", object{"email_address": email,
				"discovery_redirect_url": idp, "reset_password_redirect_url": idp, "pkce_code_challenge": challenge})
			return sdk(t, s, "", "/b2b/passwords/discovery/reset", object{"password_reset_token": newestToken(t, s),
				"password": fresh, "pkce_code_verifier": verifier})
		}},
		{"provider", "oauth", pkce, func(t *testing.T, s *stytchtest.Server) (int, object) {
			back := atProvider(t, s, discoveryStart+"&pkce_code_challenge="+challenge+"&discovery_redirect_url="+
				url.QueryEscape(idp), email)
			return sdk(t, s, "", "/b2b/oauth/discovery/authenticate", object{"discovery_oauth_token": tokenOf(t, back),
				"pkce_code_verifier": verifier})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := []func(*stytchtest.Seed){}
			if tt.change != nil {
				change = append(change, tt.change)
			}
			s := open(t, change...)
			status, reply := tt.run(t, s)
			token := wantDiscovered(t, tt.name, status, reply)
			status, listed := sdk(t, s, "", "/b2b/discovery/organizations", object{"intermediate_session_token": token})
			if status != 200 || len(listed["discovered_organizations"].([]any)) != 1 ||
				listed["intermediate_session_token"] != nil {
				t.Errorf("listed: %d %v", status, listed)
			}
			status, reply = sdk(t, s, "", "/b2b/discovery/intermediate_sessions/exchange",
				object{"organization_id": acme, "session_duration_minutes": 60, "intermediate_session_token": token})
			wantSignedIn(t, "exchange", status, reply)
			factors := reply["member_session"].(object)["authentication_factors"].([]any)
			if factors[0].(object)["type"] != tt.factor || reply["member_id"] != ada {
				t.Errorf("%v", reply)
			}
			status, reply = sdk(t, s, "", "/b2b/discovery/intermediate_sessions/exchange",
				object{"organization_id": acme, "session_duration_minutes": 60, "intermediate_session_token": token})
			wantError(t, "the second exchange", status, reply, 401, "intermediate_session_not_found")
		})
	}
}

func TestBrowserOrganizationLoginByEveryMethod(t *testing.T) {
	const email = "ada@acme.example"
	base := object{"organization_id": acme, "email_address": email}
	with := func(pairs ...any) object {
		body := object{}
		for name, value := range base {
			body[name] = value
		}
		for i := 0; i < len(pairs); i += 2 {
			body[pairs[i].(string)] = pairs[i+1]
		}
		return body
	}
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, s *stytchtest.Server, session, stale string) (int, object)
	}{
		{"code", func(t *testing.T, s *stytchtest.Server, session, stale string) (int, object) {
			if status, reply := sdk(t, s, session, "/b2b/otps/email/login_or_signup", with()); status != 200 {
				t.Fatal(status, reply)
			}
			return sdk(t, s, session, "/b2b/otps/email/authenticate", with("code", s.Inbox()[0].Code,
				"session_duration_minutes", 60, "intermediate_session_token", stale))
		}},
		{"link", func(t *testing.T, s *stytchtest.Server, session, stale string) (int, object) {
			if status, reply := sdk(t, s, session, "/b2b/magic_links/email/login_or_signup",
				with("login_redirect_url", idp, "signup_redirect_url", idp)); status != 200 {
				t.Fatal(status, reply)
			}
			return sdk(t, s, session, "/b2b/magic_links/authenticate", object{"magic_links_token": newestToken(t, s),
				"session_duration_minutes": 60,
				// a verifier without a challenge
				"pkce_code_verifier": verifier, "intermediate_session_token": stale})
		}},
		{"password", func(t *testing.T, s *stytchtest.Server, session, stale string) (int, object) {
			return sdk(t, s, session, "/b2b/passwords/authenticate", with("password", stytchtest.DevelopmentPassword,
				"session_duration_minutes", 60, "code_verifier", verifier, "intermediate_session_token", stale))
		}},
		{"new password", func(t *testing.T, s *stytchtest.Server, session, stale string) (int, object) {
			if status, reply := sdk(t, s, session, "/b2b/passwords/email/reset/start", with("login_redirect_url", idp,
				"reset_password_redirect_url", idp, "code_challenge", challenge)); status != 200 {
				t.Fatal(status, reply)
			}
			return sdk(t, s, session, "/b2b/passwords/email/reset", object{"password_reset_token": newestToken(t, s),
				"password": fresh, "session_duration_minutes": 60,
				"code_verifier": verifier, "intermediate_session_token": stale})
		}},
		{"old password", func(t *testing.T, s *stytchtest.Server, session, _ string) (int, object) {
			return sdk(t, s, session, "/b2b/passwords/existing_password/reset",
				with("existing_password", stytchtest.DevelopmentPassword, "new_password", fresh,
					"session_duration_minutes", 60))
		}},
		{"provider", func(t *testing.T, s *stytchtest.Server, session, stale string) (int, object) {
			back := atProvider(t, s, organizationStart+"&organization_id="+acme+"&login_redirect_url="+
				url.QueryEscape(idp)+"&signup_redirect_url="+url.QueryEscape(idp), email)
			return sdk(t, s, session, "/b2b/oauth/authenticate", object{"oauth_token": tokenOf(t, back),
				"session_duration_minutes": 60, "intermediate_session_token": stale})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			// Somebody else's session is in the browser still, and a discovery that was given up.
			old := login(t, s, "hank@globex.example", globex)
			stale, _ := discover(t, s, email)
			status, reply := tt.run(t, s, old, stale)
			wantSignedIn(t, tt.name, status, reply)
			if reply["member_id"] != ada || reply["session_token"] == old {
				t.Errorf("%v", reply)
			}
			if status, reply := sdk(t, s, old, "/b2b/sessions/authenticate", object{}); status != 200 ||
				reply["member_id"] != hank {
				t.Errorf("the old session must go on: %d %v", status, reply)
			}
			if tt.name != "old password" {
				status, reply = sdk(t, s, "", "/b2b/discovery/organizations",
					object{"intermediate_session_token": stale})
				wantError(t, "the discovery that was given up", status, reply, 401, "intermediate_session_not_found")
			}
		})
	}
}

func TestBrowserOrganizationsBeforeAnybodySignsIn(t *testing.T) {
	s := open(t, byDomain)
	status, reply := sdk(t, s, "", "/b2b/organizations/search", object{"organization_slug": "acme"})
	organization := wantMembers(t, "search", reply["organization"],
		"organization_id organization_name organization_slug organization_logo_url sso_active_connections "+
			"sso_default_connection_id "+
			"email_jit_provisioning email_allowed_domains oauth_tenant_jit_provisioning allowed_oauth_tenants "+
			"auth_methods allowed_auth_methods mfa_policy")
	if status != 200 || organization["organization_id"] != acme ||
		organization["email_jit_provisioning"] != "RESTRICTED" ||
		!reflect.DeepEqual(organization["email_allowed_domains"], []any{"acme.example"}) {
		t.Errorf("%d %v", status, reply)
	}
	for _, secret := range []string{"trusted_metadata", "organization_external_id"} {
		if _, shown := organization[secret]; shown {
			t.Errorf("%s is shown to everybody", secret)
		}
	}
	// Anything but 200 and null leaves the page with a spinner for ever.
	if status, reply := sdk(t, s, "", "/b2b/organizations/search",
		object{"organization_slug": "nowhere"}); status != 200 || reply["organization"] != nil {
		t.Errorf("%d %v", status, reply)
	}
	for email, known := range map[string]bool{"ada@acme.example": true, "nobody@acme.example": false} {
		status, reply := sdk(t, s, "", "/b2b/organizations/members/search", object{"email_address": email,
			"organization_id": acme})
		if member, _ := reply["member"].(object); status != 200 || (member != nil) != known || known &&
			(member["status"] != "active" || member["member_password_id"] == "") {
			t.Errorf("%s: %d %v", email, status, reply)
		}
	}
	status, reply = sdk(t, s, "", "/b2b/passwords/strength_check", object{"password": "abc"})
	wantMembers(t, "strength", reply, "valid_password score breached_password strength_policy zxcvbn_feedback "+
		"luds_feedback")
	if luds, _ := reply["luds_feedback"].(object); status != 200 || reply["valid_password"] != false ||
		luds["missing_characters"] != 5.0 || luds["missing_complexity"] != 2.0 {
		t.Errorf("%d %v", status, reply)
	}
	for path, kind := range map[string]string{"/b2b/otps/email/login_or_signup": "invalid_email_for_jit_provisioning",
		"/b2b/magic_links/email/login_or_signup": "invalid_email_for_jit_provisioning"} {
		status, reply := sdk(t, s, "", path, object{"email_address": "x@elsewhere.example", "organization_id": acme})
		wantError(t, path, status, reply, 400, kind)
		status, reply = sdk(t, s, "", path, object{"email_address": "x@elsewhere.example", "organization_id": globex})
		wantError(t, path, status, reply, 400, "email_jit_provisioning_not_allowed")
	}
}

func TestBrowserMakesOrganizations(t *testing.T) {
	s := open(t)
	token, _ := discover(t, s, "founder@new.example")
	// no name: the UI sends none
	status, reply := sdk(t, s, "", "/b2b/discovery/organizations/create", object{"session_duration_minutes": 60,
		"intermediate_session_token": token})
	wantSignedIn(t, "create", status, reply)
	if name := reply["organization"].(object)["organization_name"]; name != "Founder's Organization" {
		t.Errorf("%v", name)
	}
	closed := open(t, func(seed *stytchtest.Seed) { seed.Project.NoOrganizationCreation = true })
	token, _ = discover(t, closed, "founder@new.example")
	status, reply = sdk(t, closed, "", "/b2b/discovery/organizations/create", object{"session_duration_minutes": 60,
		"intermediate_session_token": token})
	wantError(t, "where it is off", status, reply, 403, "organization_creation_not_allowed")
	if _, data := sdk(t, closed, "", "/projects/bootstrap/"+publicToken,
		nil); data["create_organization_enabled"] != false {
		t.Errorf("%v", data["create_organization_enabled"])
	}
}

func TestBrowserSelfService(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Members = append(seed.Members, stytchtest.Member{ID: "member-test-1", OrganizationID: globex,
			Email: "ada@acme.example", Status: "active"})
	})
	token := login(t, s, "ada@acme.example", acme)
	if status, reply := sdk(t, s, token, "/b2b/organizations/members/connected_apps", nil); status != 200 ||
		len(reply["connected_apps"].([]any)) != 0 {
		t.Errorf("%d %v", status, reply)
	}
	granted := tokens(t, s, exchange(authorize(t, s)))
	_, reply := sdk(t, s, token, "/b2b/organizations/members/connected_apps", nil)
	app := wantMembers(t, "connected apps", reply["connected_apps"].([]any)[0],
		"connected_app_id name description client_type logo_url scopes_granted")
	if app["connected_app_id"] != gpt || app["scopes_granted"] != "openid email tasks:read offline_access" {
		t.Errorf("%v", app)
	}
	if status, reply := sdk(t, s, token, "/b2b/organizations/members/connected_apps/"+gpt+"/revoke",
		nil); status != 200 {
		t.Errorf("%d %v", status, reply)
	}
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
		bearer(granted["access_token"].(string))); status != 401 {
		t.Errorf("the token outlives its consent: %d", status)
	}
	status, reply := sdk(t, s, token, "/b2b/organizations/members/connected_apps/"+gpt+"/revoke", nil)
	wantError(t, "revoked twice", status, reply, 404, "connected_app_not_found")

	status, reply = sdk(t, s, token, "/b2b/passwords/session/reset", object{"password": fresh})
	wantMembers(t, "session reset", reply, "member_session session_token session_jwt member organization")
	if status != 200 || reply["session_token"] != token {
		t.Errorf("%d %v", status, reply)
	}
	status, reply = sdk(t, s, token, "/b2b/sessions/exchange", object{"organization_id": globex,
		"session_duration_minutes": 60})
	wantSignedIn(t, "exchange", status, reply)
	if reply["member_id"] != "member-test-1" || reply["organization"].(object)["organization_slug"] != "globex" {
		t.Errorf("%v", reply)
	}
	status, reply = sdk(t, s, token, "/b2b/sessions/authenticate", object{})
	wantError(t, "the session that was exchanged", status, reply, 401, "session_not_found")
	for _, path := range []string{"/b2b/organizations/me", "/b2b/organizations/members/me",
		"/b2b/organizations/members/connected_apps"} {
		status, reply := sdk(t, s, "", path, nil)
		wantError(t, path+" without a session", status, reply, 401, "session_not_found")
	}
	status, reply = sdk(t, s, "", "/b2b/sessions/exchange", object{"organization_id": acme,
		"session_duration_minutes": 60})
	wantError(t, "exchange without a session", status, reply, 401, "session_not_found")
	if status, reply := sdk(t, s, "", "/b2b/sessions/revoke", nil); status != 200 {
		t.Errorf("revoking nothing: %d %v", status, reply)
	}
}

func TestBrowserSessionIsExtendedWhenAsked(t *testing.T) {
	s := open(t)
	token := login(t, s, "ada@acme.example", acme)
	_, before := sdk(t, s, token, "/b2b/sessions/authenticate", object{})
	s.Advance(30 * time.Minute)
	_, same := sdk(t, s, token, "/b2b/sessions/authenticate", object{})
	_, longer := sdk(t, s, token, "/b2b/sessions/authenticate", object{"session_duration_minutes": 60})
	session := func(reply object, name string) string { return reply["member_session"].(object)[name].(string) }
	if session(same, "expires_at") != session(before, "expires_at") || session(longer,
		"expires_at") != noon.Add(90*time.Minute).Format(time.RFC3339) ||
		session(longer, "member_session_id") != session(before, "member_session_id") ||
		strings.Count(same["session_jwt"].(string), ".") != 2 || same["session_jwt"] == before["session_jwt"] {
		t.Errorf("%v\n%v\n%v", before, same, longer)
	}
}
