package stytchtest_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"testing"

	"guestpass/stytchtest"
)

const environmentPath = "/pwa/v3/projects/guestpass-demo/environments/test"

// manage asks the management API, with the workspace's key.
func manage(t *testing.T, s *stytchtest.Server, method, path string, body any) (int, object) {
	t.Helper()
	p := s.Export().Project
	status, reply, _ := ask(t, method, s.URL+environmentPath+path, body, basic(p.WorkspaceKey, p.WorkspaceSecret))
	return status, reply
}

func TestEnvironment(t *testing.T) {
	if status, reply := manage(t, openConsumer(t), "GET", "", nil); status != 200 ||
		reply["environment"].(object)["project_id"] != consumerProject {
		t.Errorf("%d %v", status, reply)
	}
	s := open(t)
	status, reply := manage(t, s, "GET", "", nil)
	environment, _ := reply["environment"].(object)
	want := object{"environment_slug": "test", "project_slug": "guestpass-demo", "project_id": project,
		"name": "Guestpass Demo", "type": "TEST", "created_at": "2025-01-01T00:00:00Z",
		"oauth_callback_id": "oauth-callback-test", "cross_org_passwords_enabled": false,
		"user_impersonation_enabled": false, "zero_downtime_session_migration_url": "",
		"use_custom_domain_in_magic_link_emails": false, "user_lock_self_serve_enabled": false,
		"user_lock_threshold": 10.0, "user_lock_ttl": 3600.0,
		"idp_authorization_url": idp, "idp_dynamic_client_registration_enabled": true,
		"idp_dynamic_client_registration_access_token_template_content": ""}
	if status != 200 || reply["request_id"] == nil || !reflect.DeepEqual(environment, want) {
		t.Errorf("%d\n%v, want\n%v", status, environment, want)
	}
	status, reply = manage(t, s, "PATCH", "", object{"idp_authorization_url": "https://app.example/idp",
		"name": "Renamed", "user_lock_threshold": 5})
	if environment, _ := reply["environment"].(object); status != 200 ||
		environment["idp_authorization_url"] != "https://app.example/idp" || environment["name"] != "Renamed" ||
		environment["user_lock_threshold"] != 5.0 || environment["user_lock_ttl"] != 3600.0 ||
		environment["idp_dynamic_client_registration_enabled"] != true {
		t.Errorf("%d %v", status, reply)
	}
	if _, document, _ := ask(t, "GET", s.URL+"/.well-known/openid-configuration",
		nil); document["authorization_endpoint"] != "https://app.example/idp" {
		t.Errorf("%v", document)
	}
	if status, reply := manage(t, s, "PATCH", "", object{"idp_authorization_url": ""}); status != 200 ||
		reply["environment"].(object)["idp_authorization_url"] != "" {
		t.Errorf("an empty URL clears it: %d %v", status, reply)
	}
	for name, body := range map[string]object{"http": {"idp_authorization_url": "http://app.example/idp"},
		"half a URL":                 {"idp_authorization_url": "/idp"},
		"a template that is no JSON": {"idp_dynamic_client_registration_access_token_template_content": "x"},
		"a reserved claim":           {"idp_dynamic_client_registration_access_token_template_content": `{"iss":1}`}} {
		before := s.Export().Project
		body["idp_dynamic_client_registration_enabled"] = true
		if status, reply := manage(t, s, "PATCH", "", body); status != 400 || reply["error_type"] == nil {
			t.Errorf("%s: %d %v", name, status, reply)
		}
		if !reflect.DeepEqual(s.Export().Project, before) {
			t.Errorf("%s had an effect", name)
		}
	}
}

func TestPolicyIsReplacedAsAWhole(t *testing.T) {
	s := open(t)
	_, reply := manage(t, s, "GET", "/rbac_policy", nil)
	policy := wantMembers(t, "policy", reply["policy"],
		"stytch_member stytch_admin custom_roles custom_resources custom_scopes stytch_resources")
	if policy["stytch_user"] != nil || len(policy["custom_resources"].([]any)) != 3 ||
		len(policy["custom_scopes"].([]any)) != 5 || len(policy["stytch_resources"].([]any)) != 3 ||
		policy["custom_resources"].([]any)[0].(object)["available_actions"] == nil {
		t.Errorf("%v", policy)
	}
	if status, again := manage(t, s, "PUT", "/rbac_policy", policy); status != 200 ||
		!reflect.DeepEqual(again["policy"], reply["policy"]) {
		t.Errorf("what was read and written back is another: %d\n%v\n%v", status, again["policy"], reply["policy"])
	}
	permissions := func(resource string, actions ...any) []any {
		return []any{object{"resource_id": resource, "actions": actions}}
	}
	set := object{"stytch_member": object{"permissions": permissions("notes", "read")},
		"custom_roles": []any{object{"role_id": "editor", "description": "Editors",
			"permissions": permissions("notes", "*")}},
		"custom_resources": []any{object{"resource_id": "notes", "description": "Notes",
			"available_actions": []any{"read", "write"}}},
		"custom_scopes": []any{object{"scope": "notes:write", "description": "Write notes",
			"permissions": permissions("notes", "write")}}}
	status, reply := manage(t, s, "PUT", "/rbac_policy", set)
	_, read := manage(t, s, "GET", "/rbac_policy", nil)
	if got := read["policy"].(object); status != 200 || !reflect.DeepEqual(reply["policy"], read["policy"]) ||
		!reflect.DeepEqual(got["stytch_member"], set["stytch_member"]) ||
		!reflect.DeepEqual(got["custom_roles"], set["custom_roles"]) || !reflect.DeepEqual(got["custom_resources"],
		set["custom_resources"]) ||
		!reflect.DeepEqual(got["custom_scopes"], set["custom_scopes"]) ||
		len(got["stytch_admin"].(object)["permissions"].([]any)) != 0 {
		t.Errorf("%d %v", status, got)
	}
	// What is left out is gone, but Stytch's own permissions stay.
	_, served, _ := ask(t, "GET", s.URL+"/v1/b2b/rbac/policy", nil, basic(project, projectSecret))
	roles := served["policy"].(object)["roles"].([]any)
	member := roles[0].(object)
	if len(roles) != 3 || member["role_id"] != "stytch_member" || len(member["permissions"].([]any)) != 3 ||
		len(served["policy"].(object)["scopes"].([]any)) != 1 {
		t.Errorf("%v", served["policy"])
	}
	status, reply, _ = ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start", object{"organization_id": acme,
		"member_id": grace, "client_id": gpt, "redirect_uri": callback, "scopes": []string{"notes:write"}},
		basic(project, projectSecret))
	if status != 200 || reply["scope_results"].([]any)[0].(object)["is_grantable"] != false {
		t.Errorf("Grace may read notes only: %d %v", status, reply)
	}
	status, reply, _ = ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start", object{"organization_id": acme,
		"member_id": grace, "client_id": gpt, "redirect_uri": callback, "scopes": []string{"tasks:read"}},
		basic(project, projectSecret))
	if status != 400 || reply["error_type"] != "oauth_invalid_scope_requested" {
		t.Errorf("a scope that is gone: %d %v", status, reply)
	}
}

func TestPolicyIsChecked(t *testing.T) {
	const resources = `"custom_resources":[{"resource_id":"notes","available_actions":["read"]}]`
	for name, tt := range map[string]struct{ body, kind string }{
		"a resource of Stytch's": {`{"custom_resources":[{"resource_id":"stytch.x","available_actions":["read"]}]}`,
			"invalid_stytch_prefixed_resource"},
		"a resource twice": {`{"custom_resources":[{"resource_id":"a","available_actions":["b"]},` +
			`{"resource_id":"a","available_actions":["b"]}]}`, "rbac_resource_duplicate"},
		"a resource without a name": {`{"custom_resources":[{"available_actions":["read"]}]}`,
			"empty_rbac_resource_id"},
		"a resource without actions": {`{"custom_resources":[{"resource_id":"a"}]}`,
			"rbac_resource_missing_actions"},
		"a role twice":             {`{"custom_roles":[{"role_id":"a"},{"role_id":"a"}]}`, "rbac_role_duplicate"},
		"a default role as custom": {`{"custom_roles":[{"role_id":"stytch_admin"}]}`, "rbac_role_duplicate"},
		"a role without a name":    {`{"custom_roles":[{"description":"x"}]}`, "empty_rbac_role_id"},
		"a role on nothing": {
			`{"custom_roles":[{"role_id":"a","permissions":[{"resource_id":"notes","actions":["read"]}]}]}`,
			"invalid_permission_resource"},
		"an action that does not exist": {`{` + resources +
			`,"custom_roles":[{"role_id":"a","permissions":[{"resource_id":"notes","actions":["burn"]}]}]}`,
			"invalid_permission_action"},
		"a permission without actions": {`{` + resources +
			`,"custom_roles":[{"role_id":"a","permissions":[{"resource_id":"notes","actions":[]}]}]}`,
			"rbac_permission_missing_actions"},
		"* among others": {`{` + resources +
			`,"custom_roles":[{"role_id":"a","permissions":[{"resource_id":"notes","actions":["*","read"]}]}]}`,
			"invalid_wildcard_action"},
		"a reserved scope": {`{` + resources +
			`,"custom_scopes":[{"scope":"openid","permissions":[{"resource_id":"notes","actions":["read"]}]}]}`,
			"rbac_reserved_scope"},
		"a scope twice": {`{` + resources +
			`,"custom_scopes":[{"scope":"a","permissions":[{"resource_id":"notes","actions":["read"]}]},` +
			`{"scope":"a","permissions":[]}]}`, "rbac_scope_duplicate"},
		"a scope without permissions":  {`{"custom_scopes":[{"scope":"a"}]}`, "rbac_scope_missing_permissions"},
		"a scope without a name":       {`{"custom_scopes":[{"permissions":[]}]}`, "empty_rbac_scope"},
		"a role of the other vertical": {`{"stytch_user":{"permissions":[]}}`, "invalid_role_for_vertical"},
		"permissions that are a text":  {`{"stytch_member":{"permissions":"all"}}`, "bad_request"},
		"a default role's bad resources": {
			`{"stytch_member":{"permissions":[{"resource_id":"notes","actions":["read"]}]}}`,
			"invalid_permission_resource"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			before := s.Export().Policy
			status, reply := manage(t, s, "PUT", "/rbac_policy", json.RawMessage(tt.body))
			wantFault(t, name, managementAPI, status, reply, 400, tt.kind)
			if !reflect.DeepEqual(s.Export().Policy, before) {
				t.Error("what was refused had an effect")
			}
		})
	}
	s := openConsumer(t)
	_, read := manage(t, s, "GET", "/rbac_policy", nil)
	if status, reply := manage(t, s, "PUT", "/rbac_policy", read["policy"]); status != 200 ||
		!reflect.DeepEqual(reply["policy"], read["policy"]) || reply["policy"].(object)["stytch_user"] == nil {
		t.Errorf("%d %v", status, reply)
	}
	if status, reply := manage(t, s, "PUT", "/rbac_policy",
		object{"stytch_user": object{"permissions": []any{object{"resource_id": "stytch.member",
			"actions": []any{"create"}}}}}); status != 400 {
		t.Errorf("%d %v", status, reply)
	}
	if status, reply := manage(t, s, "PUT", "/rbac_policy",
		object{"stytch_admin": object{"permissions": []any{}}}); status != 400 ||
		reply["error_type"] != "invalid_role_for_vertical" {
		t.Errorf("%d %v", status, reply)
	}
}

// typesOf a redirect URL, as TYPE and TYPE* for a default.
func typesOf(entry any) string {
	text := ""
	for _, t := range entry.(object)["valid_types"].([]any) {
		text += t.(object)["type"].(string)
		if t.(object)["is_default"] == true {
			text += "*"
		}
		text += " "
	}
	return text
}

func TestRedirectURLsOfTheProject(t *testing.T) {
	none := func(seed *stytchtest.Seed) { seed.Project.RedirectURLs = nil }
	for name, s := range map[string]*stytchtest.Server{"b2b": open(t, none), "consumer": openConsumer(t, none)} {
		t.Run(name, func(t *testing.T) { redirectURLsComeAndGo(t, s) })
	}
}

func redirectURLsComeAndGo(t *testing.T, s *stytchtest.Server) {
	at := func(u string) string { return "/redirect_urls?url=" + url.QueryEscape(u) }
	types := func(pairs ...any) []any {
		list := []any{}
		for i := 0; i < len(pairs); i += 2 {
			entry := object{"type": pairs[i]}
			if pairs[i+1] == true { // the client never sends false
				entry["is_default"] = true
			}
			list = append(list, entry)
		}
		return list
	}
	const one, two = "https://app.example/one", "https://app.example/two?from=mail&x=1"
	for _, step := range []struct {
		name, method, path string
		body               any
		status             int
		one, two           string // types afterwards, "" if the URL is not there
	}{
		{"the first is the default", "POST", "/redirect_urls", object{"url": one, "valid_types": types("LOGIN", false,
			"INVITE", false)}, 200, "LOGIN* INVITE* ", ""},
		{"the second is not", "POST", "/redirect_urls", object{"url": two, "valid_types": types("LOGIN", false,
			"DISCOVERY", false), "do_not_promote_defaults": true}, 200, "LOGIN* INVITE* ", "LOGIN DISCOVERY "},
		{"unless it says so", "PUT", at(two), object{"valid_types": types("LOGIN", true, "SIGNUP", false)}, 200,
			"LOGIN INVITE* ", "LOGIN* SIGNUP* "},
		{"one that is there already", "POST", "/redirect_urls", object{"url": one, "valid_types": types("LOGIN",
			true)}, 400, "LOGIN INVITE* ", "LOGIN* SIGNUP* "},
		{"its types are replaced", "PUT", at(one), object{"valid_types": types("RESET_PASSWORD", false, "LOGIN", true)},
			200, "RESET_PASSWORD* LOGIN* ", "LOGIN SIGNUP* "},
		{"another is promoted", "PUT", at(one), object{"valid_types": types("INVITE", false)}, 200, "INVITE* ",
			"LOGIN* SIGNUP* "},
		{"an unknown one", "PUT", at("https://app.example/three"), object{"valid_types": types("LOGIN", true)}, 404,
			"INVITE* ", "LOGIN* SIGNUP* "},
		{"another query is another URL", "DELETE", at("https://app.example/two"), nil, 404, "INVITE* ",
			"LOGIN* SIGNUP* "},
		{"both for one type", "PUT", at(one), object{"valid_types": types("INVITE", true, "LOGIN", false)}, 200,
			"INVITE* LOGIN ", "LOGIN* SIGNUP* "},
		{"deleted, and the other left alone",
			"DELETE", at(two) + "&do_not_promote_defaults=true", nil, 200, "INVITE* LOGIN ", ""},
		{"deleted for good", "DELETE", at(one), nil, 200, "", ""},
		{"no type", "POST", "/redirect_urls", object{"url": one, "valid_types": []any{}}, 400, "", ""},
		{"another type", "POST", "/redirect_urls", object{"url": one, "valid_types": types("LOGOUT", false)}, 400, "",
			""},
		{"plain http", "POST", "/redirect_urls", object{"url": "http://app.example/", "valid_types": types("LOGIN",
			false)}, 400, "", ""},
		{"half a URL", "POST", "/redirect_urls", object{"url": "/login", "valid_types": types("LOGIN", false)}, 400, "",
			""},
	} {
		t.Run(step.name, func(t *testing.T) {
			if status, reply := manage(t, s, step.method, step.path, step.body); status != step.status ||
				(status >= 400) != (reply["error_type"] != nil) {
				t.Fatalf("%d %v", status, reply)
			}
			for u, want := range map[string]string{one: step.one, two: step.two} {
				status, reply := manage(t, s, "GET", at(u), nil)
				if want == "" {
					if status != 404 || reply["error_type"] != "redirect_url_not_found" {
						t.Errorf("%s is still there: %v", u, reply)
					}
				} else if got := typesOf(reply["redirect_url"]); status != 200 || got != want {
					t.Errorf("%s: %d %q, want %q", u, status, got, want)
				}
			}
			_, all := manage(t, s, "GET", "/redirect_urls/all", nil)
			_, same := manage(t, s, "GET", "/redirect_urls", nil)
			if list, ok := all["redirect_urls"].([]any); !ok || !reflect.DeepEqual(all["redirect_urls"],
				same["redirect_urls"]) || len(list) > 2 {
				t.Errorf("%v %v", all, same)
			}
		})
	}
}

// TestMailLeadsToRegisteredURLsOnly, by type, and exactly.
func TestMailLeadsToRegisteredURLsOnly(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Project.RedirectURLs = []stytchtest.RedirectURL{
			{URL: "https://app.example/d?x=1", Types: []stytchtest.RedirectURLType{{Type: "DISCOVERY"}}},
			{URL: "https://app.example/i", Types: []stytchtest.RedirectURLType{{Type: "INVITE", Default: true}}},
		}
	})
	discovery := func(u string) (int, object) {
		return sdk(t, s, "", "/b2b/magic_links/email/discovery/send", object{"email_address": "ada@acme.example",
			"discovery_redirect_url": u})
	}
	for u, kind := range map[string]string{"https://app.example/d?x=1": "",
		"https://app.example/d": "query_params_do_not_match", "https://app.example/d?x=2": "query_params_do_not_match",
		"https://app.example/i":     "no_match_for_provided_magic_link_url",
		"https://app.example/D?x=1": "no_match_for_provided_magic_link_url",
		"":                          "no_default_discovery_redirect_url_set"} {
		if status, reply := discovery(u); kind == "" && status != 200 || kind != "" &&
			(status != 400 || reply["error_type"] != kind) {
			t.Errorf("%q: %d %v, want %s", u, status, reply, kind)
		}
	}
	status, reply := sdk(t, s, "", "/b2b/magic_links/email/login_or_signup", object{"email_address": "ada@acme.example",
		"organization_id": acme})
	wantError(t, "no URL of the type", status, reply, 400, "no_login_redirect_urls_set")
	if status, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/magic_links/email/invite", object{"organization_id": acme,
		"email_address": "guest@acme.example"}, basic(project, projectSecret)); status != 200 {
		t.Errorf("the default: %d %v", status, reply)
	}
	if mails := s.Inbox(); len(mails) != 2 {
		t.Errorf("what was refused was mailed: %+v", mails)
	}
}
