package wire

import (
	"math"
	"net/http"
	"slices"
	"strings"
)

// memberTypes are the types of what bodies hold, by name. What is not here may be of any
// type: names that nobody looks at, and the few that have two.
var memberTypes = typesByName(map[string]string{
	"a string": `access_token_custom_audience access_token_template_content client_description client_id client_name
		client_secret client_type client_uri code code_challenge code_verifier cursor discovery_magic_links_token
		discovery_oauth_token discovery_redirect_url email email_address email_invites email_jit_provisioning
		existing_password external_id first_party_connected_apps_allowed_type grant_type idp_authorization_url
		idp_dynamic_client_registration_access_token_template_content intermediate_session_token invite_redirect_url
		invited_by_member_id login_magic_link_url login_redirect_url logo_uri logo_url magic_links_token member_id
		member_session_id method_id new_password nonce oauth_token organization_external_id organization_id
		organization_logo_url organization_name organization_slug password password_reset_token pkce_code_challenge
		pkce_code_verifier post_logout_redirect_uri profile_id prompt
		redirect_uri refresh_token reset_password_redirect_url
		response_type scope session_id session_jwt session_token signup_magic_link_url signup_redirect_url state
		third_party_connected_apps_allowed_type token token_endpoint_auth_method url user_id vertical type
		project_slug environment_slug`,
	"an integer": `access_token_expiry_minutes discovery_expiration_minutes expiration_minutes
		invite_expiration_minutes limit login_expiration_minutes reset_password_expiration_minutes
		session_duration_minutes signup_expiration_minutes`,
	"a boolean": `bypass_consent_for_offline_access consent_granted create_member_as_pending create_user_as_pending
		do_not_promote_defaults full_access_allowed idp_dynamic_client_registration_enabled`,
	"a list": `allowed_first_party_connected_apps allowed_third_party_connected_apps custom_resources custom_roles
		custom_scopes email_allowed_domains grant_types organization_ids post_logout_redirect_urls redirect_uris
		redirect_urls resources response_types roles scopes valid_types`,
	"an object": "authorization_check config org_policy query trusted_metadata untrusted_metadata",
})

func typesByName(names map[string]string) map[string]string {
	types := map[string]string{}
	for kind, list := range names {
		for name := range strings.FieldsSeq(list) {
			types[name] = kind
		}
	}
	return types
}

// Mistyped names a member of the body that has another type than it must have. null is
// absent. The types differ a little in Consumer projects.
func (c *Call) Mistyped(consumer bool) *Failure {
	for name, value := range c.Body {
		kind := memberTypes[name]
		if name == "name" && consumer {
			kind = "an object"
		} else if name == "name" {
			kind = "a string"
		}
		if value != nil && kind != "" && !hasType(value, kind) {
			return c.Unreadable(http.StatusBadRequest, name+" must be "+kind+".")
		}
	}
	return nil
}

func hasType(value any, kind string) bool {
	switch v := value.(type) {
	case string:
		return kind == "a string"
	case float64:
		return kind == "an integer" && v == math.Trunc(v)
	case bool:
		return kind == "a boolean"
	case map[string]any:
		return kind == "an object"
	case []any:
		return kind == "a list" && !slices.ContainsFunc(v, func(entry any) bool { return entry == nil })
	}
	return false
}
