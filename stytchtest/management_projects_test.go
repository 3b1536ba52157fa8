package stytchtest_test

import (
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// workspace asks the management API below its root, with the workspace's key.
func workspace(t *testing.T, s *stytchtest.Server, method, path string, body any) (int, object) {
	t.Helper()
	p := s.Export().Project
	status, reply, _ := ask(t, method, s.URL+"/pwa/v3/projects"+path, body, basic(p.WorkspaceKey, p.WorkspaceSecret))
	return status, reply
}

// TestAnEmptyWorkspaceIsFilled goes the way of a program that sets a project up, to a good call of each API.
func TestAnEmptyWorkspaceIsFilled(t *testing.T) {
	empty := func(seed *stytchtest.Seed) { seed.Project.NoProject = true }
	for vertical, s := range map[string]*stytchtest.Server{"B2B": open(t, empty), "CONSUMER": openConsumer(t, empty)} {
		t.Run(vertical, func(t *testing.T) { fillWorkspace(t, s, vertical) })
	}
}

func fillWorkspace(t *testing.T, s *stytchtest.Server, vertical string) {
	other := map[string]string{"B2B": "CONSUMER", "CONSUMER": "B2B"}[vertical]
	policy := map[string]string{"B2B": "/v1/b2b/rbac/policy", "CONSUMER": "/v1/rbac/policy"}[vertical]
	for _, step := range []struct {
		name, method, path string
		body               any
		status             int
		kind               string // of the error
	}{
		{"nothing is there", "GET", "/ours/environments", nil, 404, "project_not_found"},
		{"no name", "POST", "", object{"vertical": vertical}, 400, "invalid_project_name"},
		{"the other vertical", "POST", "", object{"name": "Ours", "vertical": other}, 400, "bad_request"},
		{"no vertical", "POST", "", object{"name": "Ours"}, 400, "bad_request"},
		{"a bad slug", "POST", "", object{"name": "Ours", "vertical": vertical, "project_slug": "../x"}, 400,
			"bad_request"},
		{"the project", "POST", "", object{"name": "Ours & Co.", "vertical": vertical}, 201, ""},
		{"a second one", "POST", "", object{"name": "More", "vertical": vertical}, 400, "too_many_projects"},
		{"no environment yet", "GET", "/ours-co/environments/test", nil, 404, "environment_not_found"},
		{"a live environment", "POST", "/ours-co/environments", object{"name": "Live", "type": "LIVE"}, 400,
			"bad_request"},
		{"a bad URL", "POST", "/ours-co/environments", object{"name": "Test", "type": "TEST",
			"idp_authorization_url": "/idp"}, 400, "invalid_idp_authorization_url"},
		{"which made none", "GET", "/ours-co/environments/test", nil, 404, "environment_not_found"},
		{"the environment", "POST", "/ours-co/environments", object{"name": "Test", "type": "TEST",
			"idp_authorization_url": "https://ours.example/idp"}, 201, ""},
		{"a second environment", "POST", "/ours-co/environments", object{"name": "More", "type": "TEST"}, 400,
			"bad_request"},
		{"the other vertical's SDK", "GET", "/ours-co/environments/test/sdk/" + strings.ToLower(other), nil, 400,
			"invalid_vertical"},
	} {
		status, reply := workspace(t, s, step.method, step.path, step.body)
		if status != step.status || step.kind != "" && reply["error_type"] != step.kind {
			t.Fatalf("%s: %d %v", step.name, status, reply)
		}
	}
	_, reply := workspace(t, s, "GET", "", nil)
	if list := reply["projects"].([]any); len(list) != 1 || list[0].(object)["project_slug"] != "ours-co" ||
		list[0].(object)["name"] != "Ours & Co." || list[0].(object)["vertical"] != vertical {
		t.Errorf("%v", reply)
	}
	if _, one := workspace(t, s, "GET", "/ours-co", nil); !reflect.DeepEqual(one["project"],
		reply["projects"].([]any)[0]) {
		t.Errorf("%v", one)
	}
	_, reply = workspace(t, s, "GET", "/ours-co/environments", nil)
	environment := reply["environments"].([]any)[0].(object)
	if environment["environment_slug"] != "test" ||
		environment["idp_authorization_url"] != "https://ours.example/idp" ||
		environment["idp_dynamic_client_registration_enabled"] != false {
		t.Errorf("%v", environment)
	}
	credentialsComeAndGo(t, s, environment["project_id"].(string), policy)
}

func credentialsComeAndGo(t *testing.T, s *stytchtest.Server, id, policy string) {
	const in = "/ours-co/environments/test"
	status, reply := workspace(t, s, "POST", in+"/secrets", object{})
	made, _ := reply["secret"].(object)
	secret, _ := made["secret"].(string)
	if status != 201 || !strings.HasPrefix(secret, "secret-test-") || made["secret_id"] == "" {
		t.Fatalf("%d %v", status, reply)
	}
	withSecret := func() int {
		status, _, _ := ask(t, "GET", s.URL+policy, nil, basic(id, secret))
		return status
	}
	if status := withSecret(); status != 200 {
		t.Errorf("the secret: %d", status)
	}
	_, reply = workspace(t, s, "GET", in+"/secrets", nil)
	if list := reply["secrets"].([]any); len(list) != 1 || list[0].(object)["secret"] != nil ||
		list[0].(object)["last_four"] != secret[len(secret)-4:] || list[0].(object)["used_at"] == nil {
		t.Errorf("%v", reply)
	}
	at := in + "/secrets/" + made["secret_id"].(string)
	_, one := workspace(t, s, "GET", at, nil)
	gone, _ := workspace(t, s, "DELETE", at, nil)
	if one["secret"].(object)["secret_id"] != made["secret_id"] || gone != 200 || withSecret() != 401 {
		t.Errorf("%v, deleted %d, then %d", one, gone, withSecret())
	}
	status, reply = workspace(t, s, "POST", in+"/public_tokens", nil)
	token, _ := reply["public_token"].(object)["public_token"].(string)
	if status != 201 || !strings.HasPrefix(token, "public-token-test-") {
		t.Fatalf("%d %v", status, reply)
	}
	bootstrap := func() int {
		status, _, _ := ask(t, "GET", s.URL+"/sdk/v1/projects/bootstrap/"+token, nil, basic(token, token),
			func(r *http.Request) { r.Header.Set("Origin", "https://ours.example") })
		return status
	}
	if status := bootstrap(); status != 400 { // the page is no authorized domain yet
		t.Errorf("%d", status)
	}
	sdkPath := in + "/sdk/" + s.Export().Project.Vertical
	_, reply = workspace(t, s, "GET", sdkPath, nil)
	config := reply["config"].(object)
	config["basic"] = object{"enabled": true, "domains": domains(s, "https://ours.example")}
	status, again := workspace(t, s, "PUT", sdkPath, object{"config": config})
	if status != 200 || !reflect.DeepEqual(again["config"], config) || bootstrap() != 200 {
		t.Errorf("%d %v, then %d", status, again, bootstrap())
	}
	_, list := workspace(t, s, "GET", in+"/public_tokens", nil)
	_, one = workspace(t, s, "GET", in+"/public_tokens/"+token, nil)
	gone, _ = workspace(t, s, "DELETE", in+"/public_tokens/"+token, nil)
	if !reflect.DeepEqual(list["public_tokens"].([]any)[0], one["public_token"]) || gone != 200 || bootstrap() != 404 {
		t.Errorf("%v %v, deleted %d, then %d", list, one, gone, bootstrap())
	}
	for range 5 {
		workspace(t, s, "POST", in+"/public_tokens", nil)
		workspace(t, s, "POST", in+"/secrets", nil)
	}
	for what, kind := range map[string]string{"/secrets": "too_many_secrets",
		"/public_tokens": "too_many_public_tokens"} {
		status, reply := workspace(t, s, "POST", in+what, nil)
		wantFault(t, what, managementAPI, status, reply, 400, kind)
	}
}

// domains are authorized domains, as the project's vertical writes them.
func domains(s *stytchtest.Server, origins ...string) []any {
	list := []any{}
	for _, origin := range origins {
		if s.Export().Project.Vertical == "b2b" {
			list = append(list, object{"domain": origin, "slug_pattern": ""})
		} else {
			list = append(list, origin)
		}
	}
	return list
}

// TestASecretIsReplacedWithoutAGap: while a secret is replaced, both are good.
func TestASecretIsReplacedWithoutAGap(t *testing.T) {
	s := open(t)
	_, reply := manage(t, s, "POST", "/secrets", nil)
	for _, secret := range []string{projectSecret, reply["secret"].(object)["secret"].(string)} {
		if status, _, _ := ask(t, "GET", s.URL+"/v1/b2b/rbac/policy", nil, basic(project, secret)); status != 200 {
			t.Errorf("%d", status)
		}
	}
	manage(t, s, "DELETE", "/secrets/"+s.Export().Project.Secrets[0].ID, nil)
	if p := s.Export().Project; p.Secret != reply["secret"].(object)["secret"] {
		t.Errorf("%+v", p)
	}
}

// wholeSDK is a configuration with which the development page works.
func wholeSDK(s *stytchtest.Server) object {
	return object{"basic": object{"enabled": true, "domains": domains(s, "http://localhost:8080"),
		"allow_self_onboarding": true}, "sessions": object{"max_session_duration_minutes": 60.0},
		"otps":        object{"email_enabled": true, "email_login_or_create_enabled": true},
		"magic_links": object{"enabled": true, "login_or_create_enabled": true}, "passwords": object{"enabled": true},
		"oauth": object{"enabled": true}, "dfppa": object{"enabled": "DISABLED"},
		"cookies": object{"http_only": "DISABLED"}}
}

// TestTheSDKFollowsItsConfiguration: each setting that breaks a page is seen to.
func TestTheSDKFollowsItsConfiguration(t *testing.T) {
	send := object{"email_address": "ada@acme.example"}
	const code, link = "/b2b/otps/email/discovery/send", "/b2b/magic_links/email/discovery/send"
	password := object{"email_address": "ada@acme.example", "password": stytchtest.DevelopmentPassword,
		"organization_id": acme, "session_duration_minutes": 60}
	for _, tt := range []struct {
		name   string
		change func(sdk object)
		path   string
		body   object
		status int
		kind   string
	}{
		{"all is well", func(object) {}, code, send, 200, ""},
		{"off", func(sdk object) { sdk["basic"].(object)["enabled"] = false }, code, send, 403,
			"endpoint_not_authorized_for_sdk"},
		{"another domain", func(sdk object) {
			sdk["basic"].(object)["domains"] = []any{object{"domain": "https://x.example"}}
		}, code, send, 400, "bad_domain_for_stytch_sdk"},
		{"no codes", func(sdk object) { delete(sdk, "otps") }, code, send, 403, "endpoint_not_authorized_for_sdk"},
		{"no codes, and links", func(sdk object) { delete(sdk, "otps") }, link, send, 200, ""},
		{"no links", func(sdk object) { sdk["magic_links"] = object{} }, link, send, 403,
			"endpoint_not_authorized_for_sdk"},
		{"no passwords", func(sdk object) { sdk["passwords"] = object{} }, "/b2b/passwords/authenticate", password, 403,
			"endpoint_not_authorized_for_sdk"},
		{"an hour", func(object) {}, "/b2b/passwords/authenticate", password, 200, ""},
		{"half an hour", func(sdk object) { sdk["sessions"] = object{"max_session_duration_minutes": 30} },
			"/b2b/passwords/authenticate", password, 400, "invalid_session_duration_minutes"},
		{"PKCE", func(sdk object) { sdk["magic_links"].(object)["pkce_required"] = true }, link, send, 400,
			"pkce_expected_code_challenge"},
		{"enforced cookies", func(sdk object) { sdk["cookies"] = object{"http_only": "ENFORCED"} }, code, send, 400,
			"cname_required_for_http_only_cookies"},
		{"the other vertical", func(object) {}, "/otps/email/login_or_create", send, 400,
			"bad_vertical_for_stytch_sdk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			config := wholeSDK(s)
			tt.change(config)
			if status, reply := manage(t, s, "PUT", "/sdk/b2b", object{"config": config}); status != 200 {
				t.Fatalf("%d %v", status, reply)
			}
			if status, reply := sdk(t, s, "", tt.path, tt.body); status != tt.status ||
				tt.kind != "" && reply["error_type"] != tt.kind {
				t.Errorf("%d %v", status, reply)
			}
		})
	}
}

func TestTheSDKsConfigurationIsChecked(t *testing.T) {
	for name, config := range map[string]any{"nothing": nil, "a list": object{"basic": []any{}},
		"an unknown part": object{"webauthn": object{}}, "another word": object{"cookies": object{"http_only": "on"}},
		"no session at all":               object{"sessions": object{"max_session_duration_minutes": 1}},
		"domains as consumers write them": object{"basic": object{"domains": []any{"https://x.example"}}},
		"no domain":                       object{"basic": object{"domains": []any{object{"domain": "x"}}}}} {
		s := open(t)
		before := s.Export().Project
		status, reply := manage(t, s, "PUT", "/sdk/b2b", object{"config": config})
		if status != 400 || reply["error_type"] == nil || !reflect.DeepEqual(s.Export().Project, before) {
			t.Errorf("%s: %d %v", name, status, reply)
		}
	}
}

// TestASeedWithoutAConfigurationHasEverythingOn, and says so to who reads it: what is written back changes nothing.
func TestASeedWithoutAConfigurationHasEverythingOn(t *testing.T) {
	for _, s := range []*stytchtest.Server{open(t), openConsumer(t)} {
		path := "/sdk/" + s.Export().Project.Vertical
		_, reply := manage(t, s, "GET", path, nil)
		if basic := reply["config"].(object)["basic"].(object); basic["enabled"] != true ||
			!reflect.DeepEqual(basic["domains"], domains(s, "http://localhost:8080")) {
			t.Errorf("%v", basic)
		}
		status, again := manage(t, s, "PUT", path, object{"config": reply["config"]})
		if status != 200 || !reflect.DeepEqual(again["config"], reply["config"]) {
			t.Errorf("%d %v\n%v", status, again["config"], reply["config"])
		}
	}
}

// TestAProviderReadsMergesAndWrites does as a provider of infrastructure does that sees a part of everything: what it
// does not know stays.
func TestAProviderReadsMergesAndWrites(t *testing.T) {
	s := open(t)
	_, reply := manage(t, s, "GET", "/rbac_policy", nil)
	policy := reply["policy"].(object)
	delete(policy, "stytch_resources") // which nobody can set
	before := maps.Clone(policy)
	policy["custom_resources"] = append(policy["custom_resources"].([]any), object{"resource_id": "notes",
		"description": "Notes", "available_actions": []any{"read"}})
	policy["custom_scopes"] = append(policy["custom_scopes"].([]any), object{"scope": "notes:read",
		"description": "Read notes", "permissions": []any{object{"resource_id": "notes", "actions": []any{"read"}}}})
	status, reply := manage(t, s, "PUT", "/rbac_policy", policy)
	merged := reply["policy"].(object)
	delete(merged, "stytch_resources")
	if status != 200 || !reflect.DeepEqual(merged, policy) {
		t.Errorf("%d\n%v\n%v", status, merged, policy)
	}
	if status, reply := manage(t, s, "PUT", "/rbac_policy", before); status != 200 ||
		len(reply["policy"].(object)["custom_scopes"].([]any)) != 5 {
		t.Errorf("%d %v", status, reply)
	}
	_, reply = manage(t, s, "GET", "/sdk/b2b", nil)
	config := reply["config"].(object)
	config["totps"] = object{"enabled": true, "create_totps": true}
	config["otps"].(object)["sms_autofill_metadata"] = []any{object{"metadata_type": "domain"}}
	if status, reply := manage(t, s, "PUT", "/sdk/b2b", object{"config": config}); status != 200 ||
		!reflect.DeepEqual(reply["config"], config) {
		t.Errorf("%d %v", status, reply)
	}
}

// TestWhatNoAPIDoes is set by the emulator's owner.
func TestWhatNoAPIDoes(t *testing.T) {
	s := open(t)
	set := func(body object, want int) {
		t.Helper()
		if status, reply, _ := ask(t, "POST", s.URL+"/_emulator/project", body); status != want {
			t.Errorf("%v: %d %v", body, status, reply)
		}
	}
	set(object{"client_id_metadata_documents": false, "captcha": true, "dynamic_registration": false}, 200)
	_, document, _ := ask(t, "GET", s.URL+"/.well-known/oauth-authorization-server", nil)
	if document["client_id_metadata_document_supported"] != false || document["registration_endpoint"] != nil {
		t.Errorf("%v", document)
	}
	if status, reply := sdk(t, s, "", "/b2b/otps/email/discovery/send",
		object{"email_address": "ada@acme.example"}); status != 400 || reply["error_type"] != "captcha_required" {
		t.Errorf("%d %v", status, reply)
	}
	_, data := sdk(t, s, "", "/projects/bootstrap/"+publicToken, nil)
	if data["captcha_settings"].(object)["enabled"] != true || data["dfp_protected_auth_enabled"] != false {
		t.Errorf("%v", data)
	}
	set(object{"sdk": object{"basic": object{"enabled": true, "domains": domains(s, "http://localhost:8080")},
		"dfppa": object{"enabled": "PASSIVE"}}}, 200)
	_, data = sdk(t, s, "", "/projects/bootstrap/"+publicToken, nil)
	if data["dfp_protected_auth_enabled"] != true {
		t.Errorf("%v", data)
	}
	set(object{"no_sdk_on_domain": true}, 200)
	status, _, header := ask(t, "GET", s.URL+"/sdk/v1/projects/bootstrap/"+publicToken, nil,
		func(r *http.Request) { r.Header.Set("Origin", "http://localhost:8080") })
	if status != 404 || header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", status, header)
	}
	set(object{"captchas": true}, 400)
	set(object{"project_id": "project-test-other"}, 400)
	set(object{"vertical": "consumer"}, 400)
	set(object{"secret": "secret-live-x"}, 400)
}
