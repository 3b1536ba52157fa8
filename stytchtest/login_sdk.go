package stytchtest

import (
	"net/http"
	"slices"

	"guestpass/stytchtest/internal/wire"
)

// bootstrap returns what the browser SDK asks first. The SDK takes the descriptions of
// custom scopes from here, not from authorize/start.
func (e *Emulator) bootstrap(c *call) (any, *wire.Failure) {
	p := e.state.project
	if !p.hasPublicToken(c.Path("token")) {
		return nil, wire.Fail(http.StatusNotFound, "project_not_found", "No project has this public token.")
	}
	if bad := e.authorizedDomain(c); bad != nil {
		return nil, bad
	}
	return map[string]any{"project_name": p.Name, "disable_sdk_watermark": true, "cname_domain": nil,
		"email_domains": []string{"gmail.com"}, "captcha_settings": map[string]any{"enabled": p.Captcha},
		"pkce_required_for_email_magic_links": p.needsPKCE("magic_links"),
		"pkce_required_for_password_resets":   p.needsPKCE("passwords"),
		"pkce_required_for_oauth":             p.needsPKCE("oauth"), "pkce_required_for_sso": false,
		"slug_pattern":                nil,
		"create_organization_enabled": !p.NoOrganizationCreation && p.sdkAllows("basic", "allow_self_onboarding"),
		"password_config": map[string]any{"luds_complexity": passwordClasses,
			"luds_minimum_count": passwordLength}, "dfp_protected_auth_enabled": p.fingerprints(),
		"rbac_policy": e.state.policy, "siwe_required_for_crypto_wallets": false, "vertical": e.vertical.bootstrap}, nil
}

// telemetry is taken from anybody, in any form, and forgotten.
func telemetry(w http.ResponseWriter, _ *http.Request) {
	wire.WriteJSON(w, http.StatusOK, map[string]any{"data": map[string]any{"request_id": wire.NewID("request-id"),
		"status_code": http.StatusOK}})
}

// ownOrganization, ownMember and ownUser are of the session's person.
func (e *Emulator) ownOrganization(c *call) (any, *wire.Failure) {
	p, bad := e.self(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"organization": e.organizationObject(e.state.organization(p.organizationID))}, nil
}

func (e *Emulator) ownMember(c *call) (any, *wire.Failure) {
	p, bad := e.self(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"member": memberObject(p)}, nil
}

func (e *Emulator) ownUser(c *call) (any, *wire.Failure) {
	p, bad := e.self(c)
	if bad != nil {
		return nil, bad
	}
	return userObject(p), nil
}

func (e *Emulator) self(c *call) (*person, *wire.Failure) {
	if c.session == nil {
		return nil, sessionNotFound(c)
	}
	return e.state.person(c.session.PersonID), nil
}

// logoutStart checks a logout request; the SDK then revokes the session and goes back.
func (e *Emulator) logoutStart(c *call) (any, *wire.Failure) {
	app := e.state.app(c.Text("client_id"))
	if app == nil {
		return nil, connectedAppNotFound
	}
	back := c.Text("post_logout_redirect_uri")
	if !slices.Contains(app.PostLogoutRedirectURLs, back) {
		return nil, wire.Fail(http.StatusUnauthorized, "connected_app_supplied_redirect_url_not_found_in_client",
			"The URL is not one of the connected app's post-logout redirect URLs.")
	}
	if state := c.Text("state"); state != "" {
		back = withQuery(back, "state", state)
	}
	return map[string]any{"redirect_uri": back, "consent_required": false}, nil
}
