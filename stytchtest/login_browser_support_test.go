package stytchtest_test

import (
	"slices"
	"strings"
	"testing"
)

// browserLists are members that the browser SDK goes through without a look whether they
// are there.
var browserLists = []string{"roles", "resources", "scopes", "permissions", "actions", "discovered_organizations",
	"authentication_factors", "scope_results",
	"connected_apps", "emails", "phone_numbers", "providers", "webauthn_registrations", "totps", "crypto_wallets",
	"biometric_registrations",
	"sso_registrations", "scim_registrations", "oauth_registrations", "retired_email_addresses",
	"sso_active_connections", "email_allowed_domains",
	"allowed_auth_methods", "allowed_mfa_methods", "rbac_email_implicit_role_assignments", "suggestions",
	"email_domains"}

// wantLists looks at every depth.
func wantLists(t *testing.T, where string, value any) {
	t.Helper()
	switch v := value.(type) {
	case object:
		for name, member := range v {
			if _, isList := member.([]any); slices.Contains(browserLists, name) && !isList {
				t.Errorf("%s.%s is %v, not a list", where, name, member)
			}
			wantLists(t, where+"."+name, member)
		}
	case []any:
		for _, entry := range v {
			wantLists(t, where+"[]", entry)
		}
	}
}

// wantMembers looks whether an object has all of them, null or not.
func wantMembers(t *testing.T, where string, value any, names string) object {
	t.Helper()
	o, _ := value.(object)
	for _, name := range strings.Fields(names) {
		if _, present := o[name]; !present {
			t.Errorf("%s has no %s: %v", where, name, keysOf(o))
		}
	}
	return o
}

// wantSignedIn looks at what the SDK reads of an answer that ends in a session, in B2B projects.
func wantSignedIn(t *testing.T, where string, status int, reply object) {
	t.Helper()
	if status != 200 {
		t.Fatalf("%s: %d %v", where, status, reply)
	}
	wantMembers(t, where, reply, "member_id member organization member_session session_token session_jwt "+
		"member_authenticated intermediate_session_token mfa_required primary_required")
	session := wantMembers(t, where, reply["member_session"],
		"member_session_id member_id organization_id organization_slug started_at last_accessed_at expires_at "+
			"authentication_factors custom_claims roles")
	wantMembers(t, where, reply["member"], "member_id organization_id email_address email_address_verified status "+
		"name roles sso_registrations scim_registrations oauth_registrations "+
		"retired_email_addresses default_mfa_method totp_registration_id member_password_id mfa_enrolled "+
		"mfa_phone_number is_admin is_breakglass trusted_metadata untrusted_metadata")
	claimsOf(t, reply["session_jwt"])
	if reply["member_authenticated"] != true || reply["intermediate_session_token"] != "" ||
		reply["session_token"] == "" || session["roles"].([]any)[0] != "stytch_member" {
		t.Errorf("%s: %v", where, reply)
	}
}

// wantDiscovered looks at an answer that ends in an intermediate session.
func wantDiscovered(t *testing.T, where string, status int, reply object) string {
	t.Helper()
	if status != 200 {
		t.Fatalf("%s: %d %v", where, status, reply)
	}
	wantMembers(t, where, reply, "intermediate_session_token email_address organization_id_hint "+
		"discovered_organizations")
	for _, d := range reply["discovered_organizations"].([]any) {
		found := wantMembers(t, where, d, "organization membership member_authenticated mfa_required primary_required")
		wantMembers(t, where, found["membership"], "type details member")
		organization := wantMembers(t, where, found["organization"],
			"organization_id organization_name organization_slug organization_logo_url sso_default_connection_id "+
				"auth_methods allowed_auth_methods")
		if organization["organization_name"] == "" {
			t.Errorf("%s: an organization without a name", where)
		}
	}
	token, _ := reply["intermediate_session_token"].(string)
	return token
}

// wantUserSignedIn is wantSignedIn for Consumer projects.
func wantUserSignedIn(t *testing.T, where string, status int, reply object) string {
	t.Helper()
	if status != 200 {
		t.Fatalf("%s: %d %v", where, status, reply)
	}
	wantMembers(t, where, reply, "user_id user __user session session_token session_jwt method_id reset_sessions")
	wantMembers(t, where, reply["session"],
		"session_id user_id started_at last_accessed_at expires_at authentication_factors attributes custom_claims "+
			"roles")
	wantMembers(t, where, reply["user"], "user_id status name emails phone_numbers providers roles password "+
		"webauthn_registrations totps crypto_wallets biometric_registrations trusted_metadata untrusted_metadata "+
		"created_at")
	claimsOf(t, reply["session_jwt"])
	token, _ := reply["session_token"].(string)
	if token == "" || reply["user"].(object)["user_id"] != reply["user_id"] ||
		reply["__user"].(object)["user_id"] != reply["user_id"] {
		t.Errorf("%s: %v", where, reply)
	}
	return token
}

// wantError looks at an error in the browser's form.
func wantError(t *testing.T, where string, status int, reply object, wantStatus int, kind string) {
	t.Helper()
	if status != wantStatus || reply["error_type"] != kind || reply["error_message"] == "" ||
		reply["request_id"] == nil || reply["status_code"] != float64(wantStatus) ||
		reply["data"] != nil || reply["body"] != nil || reply["params"] != nil || reply["query"] != nil {
		t.Errorf("%s: %d %v, want %d %s", where, status, reply, wantStatus, kind)
	}
}
