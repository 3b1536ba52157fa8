package stytchtest

import (
	"net/http"

	"guestpass/stytchtest/internal/wire"
)

var (
	notAuthorized = wire.Fail(http.StatusForbidden, "session_authorization_error",
		"The member is not authorized to perform this action.")
	otherTenant = wire.Fail(http.StatusForbidden, "session_authorization_tenancy_error",
		"The member belongs to another organization.")
)

// enforce does what Stytch does when a server sends a member's session along, and only
// then: the project secret alone may do everything.
func (e *Emulator) enforce(c *call, organizationID, resource string, actions ...string) *wire.Failure {
	token, jwt := c.Request.Header.Get("X-Stytch-Member-Session"), c.Request.Header.Get("X-Stytch-Member-SessionJWT")
	if token == "" && jwt == "" {
		return nil
	}
	if token == "" {
		token = e.tokenOfJWT(jwt)
	}
	s := e.goodSession(token)
	if s == nil {
		return sessionNotFound(c)
	}
	p := e.state.person(s.PersonID)
	switch {
	case p.organizationID != organizationID:
		return otherTenant
	case !covers(e.state.rolesOf(organizationID), p.roles, []Permission{{resource, actions}}):
		return notAuthorized
	}
	return nil
}

// enforceChange asks for the action of each member of the body. What no action stands for
// a member may never change.
func (e *Emulator) enforceChange(c *call, organizationID, resource string, actionOf map[string]string) *wire.Failure {
	actions, forbidden := []string{}, false
	for name, value := range c.Body {
		switch action, known := actionOf[name]; {
		case value == nil:
		case known && action == "":
			forbidden = true
		case known:
			actions = append(actions, action)
		}
	}
	if bad := e.enforce(c, organizationID, resource, actions...); bad != nil {
		return bad
	}
	if forbidden && c.Request.Header.Get("X-Stytch-Member-Session")+c.Request.Header.Get(
		"X-Stytch-Member-SessionJWT") != "" {
		return wire.Fail(http.StatusForbidden, "cannot_update_trusted_metadata",
			"A member may not change trusted metadata.")
	}
	return nil
}

// The RBAC actions that stand for changes, as stytch-go documents them; "": none does.
var (
	memberChanges = map[string]string{"name": "update.info.name",
		"untrusted_metadata": "update.info.untrusted-metadata",
		"email_address":      "update.info.email", "roles": "update.settings.roles", "trusted_metadata": ""}
	organizationChanges = map[string]string{"organization_name": "update.info.name",
		"organization_slug":     "update.info.slug",
		"organization_logo_url": "update.info.logo-url", "email_allowed_domains": "update.settings.allowed-domains",
		"email_jit_provisioning": "update.settings.email-jit-provisioning",
		"email_invites":          "update.settings.email-invites", "trusted_metadata": ""}
)
