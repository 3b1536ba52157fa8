package stytchtest_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"guestpass/stytchtest"
)

func TestOrganizationsHaveRolesOfTheirOwn(t *testing.T) {
	s := open(t)
	address := func(organization string) string { return s.URL + "/v1/b2b/rbac/organizations/" + organization }
	status, reply, _ := ask(t, "GET", address(acme), nil, basic(project, projectSecret))
	if got := reply["org_policy"]; status != 200 || !reflect.DeepEqual(got, object{"roles": []any{}}) {
		t.Errorf("at first: %d %v", status, reply)
	}
	set := object{"org_policy": object{"roles": []any{object{"role_id": "gardener", "description": "Gardeners",
		"permissions": []any{object{"resource_id": "tasks", "actions": []any{"write"}},
			object{"resource_id": "stytch.member", "actions": []any{"create"}}}}}}}
	if status, reply, _ = ask(t, "PUT", address(acme), set, basic(project, projectSecret)); status != 200 ||
		!reflect.DeepEqual(reply["org_policy"], set["org_policy"]) {
		t.Errorf("set: %d %v", status, reply)
	}
	// by its slug, too
	if _, reply, _ = ask(t, "GET", address("acme"), nil,
		basic(project, projectSecret)); !reflect.DeepEqual(reply["org_policy"], set["org_policy"]) {
		t.Errorf("read: %v", reply)
	}
	if _, reply, _ = ask(t, "GET", address(globex), nil,
		basic(project, projectSecret)); !reflect.DeepEqual(reply["org_policy"], object{"roles": []any{}}) {
		t.Errorf("another organization: %v", reply)
	}
	assign := func(organization, member string) (int, object) {
		status, reply, _ := ask(t, "PUT", s.URL+"/v1/b2b/organizations/"+organization+"/members/"+member,
			object{"roles": []any{"gardener"}}, basic(project, projectSecret))
		return status, reply
	}
	if status, reply := assign(globex, hank); status != 400 || reply["error_type"] != "invalid_rbac_role_assignment" {
		t.Errorf("a role of another organization: %d %v", status, reply)
	}
	if status, reply := assign(acme, grace); status != 200 {
		t.Errorf("%d %v", status, reply)
	}
	// The role counts where a member's session decides.
	check := func(resource, action string) int {
		status, _, _ := ask(t, "POST", s.URL+"/v1/b2b/sessions/authenticate",
			object{"session_token": login(t, s, "grace@acme.example", acme),
				"authorization_check": object{"organization_id": acme, "resource_id": resource,
					"action": action}}, basic(project, projectSecret))
		return status
	}
	if check("stytch.member", "create") != 200 || check("stytch.member", "delete") != 403 {
		t.Error("the role does not count for a member's session")
	}
	again := s.Export()
	if other, err := stytchtest.New(stytchtest.Options{Seed: &again}); err != nil ||
		!reflect.DeepEqual(other.Export().Organizations, again.Organizations) {
		t.Errorf("not kept: %v", err)
	}
}

func TestRolesOfOrganizationsDoNotCountForScopes(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) {
		seed.Organizations[0].Roles = []stytchtest.Role{{ID: "inviter",
			Permissions: []stytchtest.Permission{{ResourceID: "members", Actions: []string{"*"}}}}}
		seed.Members[1].Roles = []string{"inviter"}
	})
	_, reply, _ := ask(t, "POST", s.URL+"/v1/b2b/idp/oauth/authorize/start",
		object{"organization_id": acme, "member_id": grace, "client_id": gpt,
			"redirect_uri": callback, "scopes": []string{"members:invite"}}, basic(project, projectSecret))
	if reply["scope_results"].([]any)[0].(object)["is_grantable"] != false {
		t.Errorf("%v", reply)
	}
}

func TestRolesOfOrganizationsAreChecked(t *testing.T) {
	for name, tt := range map[string]struct{ body, kind string }{
		"no policy":               {`{}`, "bad_request"},
		"a policy that is a text": {`{"org_policy":"none"}`, "bad_request"},
		"roles that are a text":   {`{"org_policy":{"roles":"all"}}`, "bad_request"},
		"a default role": {`{"org_policy":{"roles":[{"role_id":"stytch_admin"}]}}`,
			"rbac_org_custom_roles_only"},
		"a role twice": {`{"org_policy":{"roles":[{"role_id":"a"},{"role_id":"a"}]}}`,
			"rbac_role_duplicate"},
		"a role without a name": {`{"org_policy":{"roles":[{"description":"x"}]}}`, "empty_rbac_role_id"},
		"a role on nothing": {
			`{"org_policy":{"roles":[{"role_id":"a","permissions":[{"resource_id":"none","actions":["read"]}]}]}}`,
			"invalid_permission_resource"},
		"an action that does not exist": {
			`{"org_policy":{"roles":[{"role_id":"a","permissions":[{"resource_id":"tasks","actions":["burn"]}]}]}}`,
			"invalid_permission_action"},
	} {
		s := open(t)
		status, reply, _ := ask(t, "PUT", s.URL+"/v1/b2b/rbac/organizations/"+acme, json.RawMessage(tt.body),
			basic(project, projectSecret))
		wantFault(t, name, serverAPI, status, reply, 400, tt.kind)
		if len(s.Export().Organizations[0].Roles) != 0 {
			t.Errorf("%s: what was refused had an effect", name)
		}
	}
	seed := stytchtest.Development()
	seed.Organizations[0].Roles = []stytchtest.Role{{ID: "stytch_admin"}}
	if _, err := stytchtest.New(stytchtest.Options{Seed: &seed}); err == nil {
		t.Error("a seed with a default role as an organization's own")
	}
}
