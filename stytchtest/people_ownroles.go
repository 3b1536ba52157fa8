package stytchtest

import (
	"encoding/json"
	"net/http"
	"slices"

	"guestpass/stytchtest/internal/wire"
)

// Roles that an organization has beside the project's. They speak of the project's
// resources, and count for the organization's members alone.

func (e *Emulator) organizationPolicy(c *call) (any, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	return organizationPolicyOf(o), nil
}

func organizationPolicyOf(o *Organization) map[string]any {
	return map[string]any{"org_policy": map[string]any{"roles": append([]Role{}, o.Roles...)}}
}

// replaceOrganizationPolicy replaces the whole of it. Members keep the names of roles that
// are gone, which mean nothing then.
func (e *Emulator) replaceOrganizationPolicy(c *call) (any, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	var policy struct {
		Roles []Role `json:"roles"`
	}
	data, err := json.Marshal(c.Body["org_policy"])
	if err == nil {
		err = json.Unmarshal(data, &policy)
	}
	if err != nil || c.Body["org_policy"] == nil {
		return nil, c.Unreadable(http.StatusBadRequest, "org_policy is missing or malformed.")
	}
	fillRoles(policy.Roles)
	if bad := e.state.policy.checkOwnRoles(policy.Roles); bad != nil {
		return nil, bad
	}
	o.Roles = policy.Roles
	return organizationPolicyOf(o), nil
}

// checkOwnRoles refuses default roles, and what the project's policy could not have either.
func (p Policy) checkOwnRoles(roles []Role) *wire.Failure {
	for _, role := range roles {
		if slices.Contains(defaultRoles, role.ID) {
			return wire.Fail(http.StatusBadRequest, "rbac_org_custom_roles_only",
				"The role "+role.ID+" is Stytch's own.")
		}
	}
	return Policy{Roles: roles, Resources: p.Resources}.consistent()
}
