package stytchtest_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// userLogin signs in with a code as the browser does and returns the session token.
func userLogin(t *testing.T, s *stytchtest.Server, email string) string {
	t.Helper()
	_, sent := sdk(t, s, "", "/otps/email/login_or_create", object{"email": email, "expiration_minutes": 5})
	status, reply := sdk(t, s, "", "/otps/authenticate", object{"token": s.Inbox()[0].Code,
		"method_id": sent["method_id"], "session_duration_minutes": 60})
	return wantUserSignedIn(t, "login", status, reply)
}

func TestBrowserBootstrapOfAConsumerProject(t *testing.T) {
	s := openConsumer(t)
	_, data := sdk(t, s, "", "/projects/bootstrap/"+consumerPublicToken, nil)
	wantMembers(t, "bootstrap", data, "project_name disable_sdk_watermark cname_domain email_domains "+
		"captcha_settings pkce_required_for_email_magic_links "+
		"pkce_required_for_password_resets pkce_required_for_oauth pkce_required_for_sso slug_pattern "+
		"create_organization_enabled password_config "+
		"dfp_protected_auth_enabled rbac_policy siwe_required_for_crypto_wallets vertical")
	if scopes := data["rbac_policy"].(object)["scopes"].([]any); data["vertical"] != "CONSUMER" || len(scopes) != 3 ||
		scopes[0].(object)["description"] != "Read tasks" ||
		!reflect.DeepEqual(data["captcha_settings"], object{"enabled": false}) ||
		!reflect.DeepEqual(data["password_config"], object{"luds_complexity": 3.0, "luds_minimum_count": 8.0}) {
		t.Errorf("%v", data)
	}
	strict := openConsumer(t, func(seed *stytchtest.Seed) { seed.Project.PKCERequired = true })
	_, data = sdk(t, strict, "", "/projects/bootstrap/"+consumerPublicToken, nil)
	for _, flag := range []string{"pkce_required_for_email_magic_links", "pkce_required_for_password_resets",
		"pkce_required_for_oauth"} {
		if data[flag] != true {
			t.Errorf("%s: %v", flag, data[flag])
		}
	}
}

func TestBrowserUserLoginByEveryMethod(t *testing.T) {
	const email = "ada@example.com"
	strict := func(seed *stytchtest.Seed) { seed.Project.PKCERequired = true }
	for _, tt := range []struct {
		name, factor string
		change       func(*stytchtest.Seed)
		run          func(*testing.T, *stytchtest.Server) (int, object)
	}{
		{"code", "email_otp", nil, func(t *testing.T, s *stytchtest.Server) (int, object) {
			_, sent := sdk(t, s, "", "/otps/email/login_or_create", object{"email": email, "expiration_minutes": 5})
			if sent["method_id"] == nil || sent["user_id"] != nil {
				t.Errorf("%v", sent)
			}
			return sdk(t, s, "", "/otps/authenticate", object{"token": s.Inbox()[0].Code,
				"method_id": sent["method_id"], "session_duration_minutes": 30})
		}},
		{"link", "magic_link", strict, func(t *testing.T, s *stytchtest.Server) (int, object) {
			if status, reply := sdk(t, s, "", "/magic_links/email/login_or_create",
				object{"email": email, "login_magic_link_url": idp, "signup_magic_link_url": idp,
					"login_expiration_minutes": 30, "signup_expiration_minutes": 30,
					"code_challenge": challenge}); status != 200 || reply["user_id"] != nil {
				t.Fatal(status, reply)
			}
			if want := idp + "?stytch_token_type=magic_links&token="; !strings.HasPrefix(s.Inbox()[0].Link, want) {
				t.Errorf("link %s", s.Inbox()[0].Link)
			}
			return sdk(t, s, "", "/magic_links/authenticate", object{"token": newestToken(t, s),
				"code_verifier": verifier, "session_duration_minutes": 30})
		}},
		{"password", "password", nil, func(t *testing.T, s *stytchtest.Server) (int, object) {
			return sdk(t, s, "", "/passwords/authenticate",
				object{"email": email, "password": stytchtest.DevelopmentPassword, "session_duration_minutes": 30})
		}},
		{"new password", "password", strict, func(t *testing.T, s *stytchtest.Server) (int, object) {
			if status, reply := sdk(t, s, "", "/passwords/email/reset/start",
				object{"email": email, "login_redirect_url": idp, "reset_password_redirect_url": idp,
					"code_challenge": challenge}); status != 200 || reply["user_id"] != nil {
				t.Fatal(status, reply)
			}
			return sdk(t, s, "", "/passwords/email/reset", object{"token": newestToken(t, s), "password": fresh,
				"session_duration_minutes": 30, "code_verifier": verifier})
		}},
		{"old password", "password", nil, func(t *testing.T, s *stytchtest.Server) (int, object) {
			return sdk(t, s, "", "/passwords/existing_password/reset",
				object{"email": email, "existing_password": stytchtest.DevelopmentPassword, "new_password": fresh,
					"session_duration_minutes": 30})
		}},
		{"provider", "oauth", strict, func(t *testing.T, s *stytchtest.Server) (int, object) {
			back := atProvider(t, s, userStart+"&code_challenge="+challenge+"&login_redirect_url="+url.QueryEscape(idp)+
				"&signup_redirect_url="+url.QueryEscape(idp), email)
			if !strings.HasPrefix(back, idp+"?stytch_token_type=oauth&token=") {
				t.Errorf("back to %s", back)
			}
			return sdk(t, s, "", "/oauth/authenticate", object{"token": tokenOf(t, back), "code_verifier": verifier,
				"session_duration_minutes": 30})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := []func(*stytchtest.Seed){}
			if tt.change != nil {
				change = append(change, tt.change)
			}
			s := openConsumer(t, change...)
			status, reply := tt.run(t, s)
			token := wantUserSignedIn(t, tt.name, status, reply)
			factors := reply["session"].(object)["authentication_factors"].([]any)
			if factors[0].(object)["type"] != tt.factor || reply["user_id"] != userAda {
				t.Errorf("%v", reply)
			}
			status, again := sdk(t, s, token, "/sessions/authenticate", object{})
			wantUserSignedIn(t, "refresh", status, again)
			if again["session"].(object)["session_id"] != reply["session"].(object)["session_id"] {
				t.Error("a refresh changed the session's id: the SDK would repeat at once, for ever")
			}
		})
	}
}

func TestBrowserSignsUsersUp(t *testing.T) {
	s := openConsumer(t)
	kind := func(email string) any {
		t.Helper()
		_, reply := sdk(t, s, "", "/users/search", object{"email": email})
		return reply["userType"]
	}
	if kind("ada@example.com") != "password" || kind("new@example.com") != "new" {
		t.Error(kind("ada@example.com"), kind("new@example.com"))
	}
	userLogin(t, s, "plain@example.com")
	if kind("plain@example.com") != "passwordless" {
		t.Error(kind("plain@example.com"))
	}
	status, reply := sdk(t, s, "", "/passwords/strength_check", object{"email": "new@example.com", "password": "abc"})
	feedback := wantMembers(t, "strength", reply["feedback"], "warning suggestions luds_requirements")
	wantMembers(t, "strength", reply, "valid_password score breached_password strength_policy")
	wantMembers(t, "strength", feedback["luds_requirements"],
		"has_digit has_lower_case has_symbol has_upper_case missing_characters missing_complexity")
	if status != 200 || reply["valid_password"] != false {
		t.Errorf("%d %v", status, reply)
	}
	create := object{"email": "new@example.com", "password": fresh, "session_duration_minutes": 30}
	status, reply = sdk(t, s, "", "/passwords", create)
	wantUserSignedIn(t, "create", status, reply)
	if reply["user"].(object)["emails"].([]any)[0].(object)["verified"] != false || reply["email_id"] == nil {
		t.Errorf("a password shows nothing about an address: %v", reply["user"])
	}
	status, reply = sdk(t, s, "", "/passwords", create)
	wantError(t, "create again", status, reply, 400, "duplicate_email")
	status, reply = sdk(t, s, "", "/passwords", object{"email": "other@example.com", "password": "weak",
		"session_duration_minutes": 30})
	wantError(t, "a weak one", status, reply, 400, "weak_password")
	for password, want := range map[string]string{"wrong": "unauthorized_credentials", "": "unauthorized_credentials"} {
		status, reply = sdk(t, s, "", "/passwords/authenticate", object{"email": "new@example.com",
			"password": password, "session_duration_minutes": 30})
		wantError(t, "password "+password, status, reply, 401, want)
	}
	status, reply = sdk(t, s, "", "/passwords/authenticate", object{"email": "plain@example.com", "password": fresh,
		"session_duration_minutes": 30})
	wantError(t, "no password yet", status, reply, 404, "no_user_password")
	status, reply = sdk(t, s, "", "/passwords/authenticate", object{"email": "nobody@example.com", "password": fresh,
		"session_duration_minutes": 30})
	wantError(t, "nobody", status, reply, 404, "email_not_found")
}

// TestBrowserTriesTwoVerifiers: the SDK sends the verifier of passwords first, and that
// of links only after an error whose name has pkce in it.
func TestBrowserTriesTwoVerifiers(t *testing.T) {
	s := openConsumer(t)
	sdk(t, s, "", "/magic_links/email/login_or_create", object{"email": "ada@example.com", "login_magic_link_url": idp,
		"signup_magic_link_url": idp, "code_challenge": challenge})
	body := object{"token": newestToken(t, s), "code_verifier": "of-passwords", "session_duration_minutes": 30}
	status, reply := sdk(t, s, "", "/magic_links/authenticate", body)
	wantError(t, "the wrong verifier", status, reply, 400, "pkce_mismatch")
	body["code_verifier"] = verifier
	status, reply = sdk(t, s, "", "/magic_links/authenticate", body)
	wantUserSignedIn(t, "the right one", status, reply)
	status, reply = sdk(t, s, "", "/magic_links/authenticate", body)
	wantError(t, "once more", status, reply, 401, "unable_to_auth_magic_link")
}

func TestBrowserUserSelfService(t *testing.T) {
	s := openConsumer(t)
	token := userLogin(t, s, "grace@example.com")
	status, me := sdk(t, s, token, "/users/me", nil)
	wantMembers(t, "me", me, "user_id status name emails roles password")
	if status != 200 || me["user_id"] != userGrace || me["user"] != nil || !reflect.DeepEqual(me["name"],
		object{"first_name": "Grace", "middle_name": "", "last_name": "Hopper"}) {
		t.Errorf("%d %v", status, me)
	}
	granted := tokens(t, s, exchange(authorizeUser(t, s, func(b object) { b["user_id"] = userGrace })))
	_, reply := sdk(t, s, token, "/users/connected_apps", nil)
	app := wantMembers(t, "connected apps", reply["connected_apps"].([]any)[0],
		"connected_app_id name description client_type logo_url scopes_granted")
	if app["connected_app_id"] != gpt {
		t.Errorf("%v", app)
	}
	if status, reply := sdk(t, s, token, "/users/connected_apps/"+gpt+"/revoke", nil); status != 200 {
		t.Errorf("%d %v", status, reply)
	}
	if status, _, _ := ask(t, "GET", s.URL+"/v1/oauth2/userinfo", nil,
		bearer(granted["access_token"].(string))); status != 401 {
		t.Errorf("the token outlives its consent: %d", status)
	}
	status, reply = sdk(t, s, token, "/users/connected_apps/"+gpt+"/revoke", nil)
	wantError(t, "revoked twice", status, reply, 404, "connected_app_not_found")
	status, reply = sdk(t, s, token, "/passwords/session/reset", object{"password": fresh})
	wantUserSignedIn(t, "session reset", status, reply)
	if status, reply := sdk(t, s, token, "/sessions/revoke", nil); status != 200 {
		t.Errorf("%d %v", status, reply)
	}
	for _, path := range []string{"/users/me", "/users/connected_apps"} {
		status, reply := sdk(t, s, token, path, nil)
		wantError(t, path+" after sign-out", status, reply, 401, "session_not_found")
	}
	status, reply = sdk(t, s, token, "/sessions/authenticate", object{})
	wantError(t, "after sign-out", status, reply, 401, "session_not_found")
}

func TestBrowserConsentOfAUser(t *testing.T) {
	const start, submit = "/idp/oauth/authorize/start", "/idp/oauth/authorize/submit"
	s := openConsumer(t)
	token := userLogin(t, s, "ada@example.com")
	body := object{"client_id": gpt, "redirect_uri": callback, "response_type": "code", "scopes": []string{"openid",
		"tasks:read", "tasks:write"}, "code_challenge": challenge,
		"state": "st-xyz", "nonce": "n", "resources": []string{"https://api.example.com"}}
	status, reply := sdk(t, s, token, start, body)
	wantMembers(t, "start", reply, "user_id user client consent_required scope_results")
	wantMembers(t, "start", reply["client"], "client_id client_type client_name client_description client_logo_url")
	if status != 200 || reply["user_id"] != userAda || reply["consent_required"] != true ||
		len(reply["scope_results"].([]any)) != 3 {
		t.Errorf("%d %v", status, reply)
	}
	body["consent_granted"] = false
	if status, reply := sdk(t, s, token, submit, body); status != 200 ||
		!strings.HasPrefix(reply["redirect_uri"].(string), callback+"?error=access_denied&") ||
		reply["authorization_code"] != nil {
		t.Errorf("denied: %d %v", status, reply)
	}
	body["consent_granted"] = true
	_, reply = sdk(t, s, token, submit, body)
	granted := tokens(t, s, exchange(reply["authorization_code"].(string), "code_verifier", verifier))
	if claims := claimsOf(t, granted["access_token"]); claims["sub"] != userAda ||
		claims["scope"] != "openid tasks:read tasks:write" || !reflect.DeepEqual(claims["aud"],
		[]any{consumerProject}) {
		t.Errorf("%v", claims)
	}
	body["consent_granted"] = false // nothing to consent to any more: the component submits by itself
	if _, reply := sdk(t, s, token, submit, body); reply["authorization_code"] == nil {
		t.Errorf("%v", reply)
	}
	status, reply = sdk(t, s, "", start, body)
	wantError(t, "without a session", status, reply, 401, "session_not_found")
	for name, tt := range map[string]struct {
		member string
		value  any
		status int
		kind   string
	}{
		"another client": {"client_id", "connected-app-test-none", 404, "connected_app_not_found"},
		"another redirect": {"redirect_uri", "https://evil.example/", 401,
			"connected_app_supplied_redirect_url_not_found_in_client"},
		"another scope":         {"scopes", []string{"members:read"}, 400, "oauth_invalid_scope_requested"},
		"another response type": {"response_type", "token", 400, "oauth_invalid_response_type"},
	} {
		wrong := object{}
		for name, value := range body {
			wrong[name] = value
		}
		wrong[tt.member] = tt.value
		for _, path := range []string{start, submit} {
			status, reply := sdk(t, s, token, path, wrong)
			wantError(t, name, status, reply, tt.status, tt.kind)
		}
	}
}

func TestBrowserLogoutOfAUser(t *testing.T) {
	s := openConsumer(t)
	status, reply := sdk(t, s, "", "/oauth/logout/start",
		object{"client_id": ours, "post_logout_redirect_uri": "https://ours.example/bye?x=1", "state": "s"})
	if status != 200 || reply["redirect_uri"] != "https://ours.example/bye?x=1&state=s" ||
		reply["consent_required"] != false {
		t.Errorf("%d %v", status, reply)
	}
	status, reply = sdk(t, s, "", "/oauth/logout/start",
		object{"client_id": "x", "post_logout_redirect_uri": "https://ours.example/bye?x=1"})
	wantError(t, "another client", status, reply, 404, "connected_app_not_found")
	status, reply = sdk(t, s, "", "/oauth/logout/start",
		object{"client_id": ours, "post_logout_redirect_uri": "https://evil.example/"})
	wantError(t, "another URL", status, reply, 401, "connected_app_supplied_redirect_url_not_found_in_client")
}
