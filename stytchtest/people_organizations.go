package stytchtest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

var organizationNotFound = wire.NotFound("organization_not_found", "The organization could not be found.")

func (e *Emulator) organizationObject(o *Organization) map[string]any {
	return map[string]any{"organization_id": o.ID, "organization_name": o.Name, "organization_slug": o.Slug,
		"organization_logo_url":    o.LogoURL,
		"organization_external_id": o.ExternalID, "created_at": timestamp(o.CreatedAt),
		"updated_at":    timestamp(later(o.UpdatedAt, o.CreatedAt)),
		"email_invites": o.EmailInvites, "email_jit_provisioning": o.JITProvisioning,
		"email_allowed_domains": o.EmailAllowedDomains,
		"auth_methods":          "ALL_ALLOWED", "allowed_auth_methods": []any{}, "mfa_policy": "OPTIONAL",
		"mfa_methods":         "ALL_ALLOWED",
		"allowed_mfa_methods": []any{}, "sso_jit_provisioning": "NOT_ALLOWED", "sso_active_connections": []any{},
		"sso_jit_provisioning_allowed_connections": []any{}, "sso_default_connection_id": nil,
		"oauth_tenant_jit_provisioning": "NOT_ALLOWED",
		"trusted_metadata":              o.TrustedMetadata, "rbac_email_implicit_role_assignments": []any{},
		"claimed_email_domains":                   []any{},
		"first_party_connected_apps_allowed_type": o.FirstPartyApps,
		"third_party_connected_apps_allowed_type": o.ThirdPartyApps,
		"allowed_first_party_connected_apps":      e.allowedApps(o, true),
		"allowed_third_party_connected_apps":      e.allowedApps(o, false)}
}

func (e *Emulator) allowedApps(o *Organization, firstParty bool) []string {
	ids := []string{}
	for _, id := range o.AllowedApps {
		if a := e.state.app(id); a != nil && a.firstParty() == firstParty {
			ids = append(ids, id)
		}
	}
	return ids
}

func (e *Emulator) rbacPolicy(*call) (any, *wire.Failure) {
	return map[string]any{"policy": e.state.policy}, nil
}

// pathOrganization returns the one that the path names.
func (e *Emulator) pathOrganization(c *call) (*Organization, *wire.Failure) {
	if o := e.state.organization(c.Path("organization")); o != nil {
		return o, nil
	}
	return nil, organizationNotFound
}

func (e *Emulator) getOrganization(c *call) (any, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"organization": e.organizationObject(o)}, nil
}

func (e *Emulator) searchOrganizations(c *call) (any, *wire.Failure) {
	q, bad := readQuery(c, "organization_search_", e.organizationFilters())
	if bad != nil {
		return nil, bad
	}
	matches := []any{}
	for _, o := range e.state.organizations {
		if q.match(o) {
			matches = append(matches, e.organizationObject(o))
		}
	}
	return cutList(c, userSearch, "organizations", matches)
}

func (e *Emulator) createOrganization(c *call) (any, *wire.Failure) {
	o, bad := e.newOrganization(c, c.Text("organization_name"))
	if bad != nil {
		return nil, bad
	}
	e.state.organizations = append(e.state.organizations, o)
	return map[string]any{"organization": e.organizationObject(o)}, nil
}

// newOrganization makes one of what the call says, with a slug made of the name if none is given.
func (e *Emulator) newOrganization(c *call, name string) (*Organization, *wire.Failure) {
	o := &Organization{ID: wire.NewID("organization"), Name: name, CreatedAt: e.now(), EmailInvites: "ALL_ALLOWED",
		JITProvisioning: "NOT_ALLOWED",
		FirstPartyApps:  "ALL_ALLOWED", ThirdPartyApps: "ALL_ALLOWED", EmailAllowedDomains: []string{},
		AllowedApps: []string{}, TrustedMetadata: map[string]any{}}
	if name == "" {
		return nil, wire.Fail(http.StatusBadRequest, "organization_name_missing", "organization_name is required.")
	}
	if slices.ContainsFunc(authenticationSettings, func(setting string) bool { return c.Body[setting] != nil }) {
		o.EmailInvites = "NOT_ALLOWED" // whoever says one thing about who gets in says it all
	}
	if c.Text("organization_slug") == "" {
		o.Slug = e.freeSlug(name)
	}
	return o, e.changeOrganization(c, o)
}

var (
	slugPattern  = regexp.MustCompile(`^[A-Za-z0-9._~-]{2,128}$`)
	notSlug      = regexp.MustCompile(`[^a-z0-9]+`)
	allowedTypes = []string{"ALL_ALLOWED", "RESTRICTED", "NOT_ALLOWED"}

	authenticationSettings = []string{"email_allowed_domains", "email_jit_provisioning", "email_invites",
		"sso_jit_provisioning", "auth_methods",
		"allowed_auth_methods", "oauth_tenant_jit_provisioning", "allowed_oauth_tenants", "mfa_policy", "mfa_methods",
		"allowed_mfa_methods"}
)

// freeSlug makes one of the name, with a random end if it is taken.
func (e *Emulator) freeSlug(name string) string {
	slug := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(slug) < 2 || e.state.organization(slug) != nil {
		slug = strings.TrimPrefix(slug+"-"+strings.ToLower(secret()[:6]), "-")
	}
	return slug
}

func (e *Emulator) updateOrganization(c *call) (any, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	if bad := e.enforceChange(c, o.ID, "stytch.organization", organizationChanges); bad != nil {
		return nil, bad
	}
	changed := *o
	if bad := e.changeOrganization(c, &changed); bad != nil {
		return nil, bad
	}
	*o = changed
	o.UpdatedAt = e.now()
	return map[string]any{"organization": e.organizationObject(o)}, nil
}

// changeOrganization sets what the body has and leaves the rest.
func (e *Emulator) changeOrganization(c *call, o *Organization) *wire.Failure {
	c.Set("organization_name", &o.Name)
	c.Set("organization_slug", &o.Slug)
	c.Set("organization_logo_url", &o.LogoURL)
	c.Set("organization_external_id", &o.ExternalID)
	c.Set("email_invites", &o.EmailInvites)
	c.Set("email_jit_provisioning", &o.JITProvisioning)
	c.Set("first_party_connected_apps_allowed_type", &o.FirstPartyApps)
	c.Set("third_party_connected_apps_allowed_type", &o.ThirdPartyApps)
	c.SetList("email_allowed_domains", &o.EmailAllowedDomains)
	c.Merge("trusted_metadata", o.TrustedMetadata, func(merged map[string]any) { o.TrustedMetadata = merged })
	for i, name := range []string{"allowed_first_party_connected_apps", "allowed_third_party_connected_apps"} {
		if _, given := c.Body[name].([]any); given {
			firstParty := i == 0
			kept := slices.DeleteFunc(slices.Clone(o.AllowedApps),
				func(id string) bool { a := e.state.app(id); return a != nil && a.firstParty() == firstParty })
			o.AllowedApps = append(kept, c.Texts(name)...)
		}
	}
	return e.checkOrganization(o)
}

func (e *Emulator) checkOrganization(o *Organization) *wire.Failure {
	taken := func(id string) bool { other := e.state.organization(id); return other != nil && other.ID != o.ID }
	switch {
	case len([]rune(o.Name)) > 128:
		return wire.Fail(http.StatusBadRequest, "invalid_organization_name",
			"The name must have 128 characters at most.")
	case !slugPattern.MatchString(o.Slug):
		return wire.Fail(http.StatusBadRequest, "invalid_organization_slug",
			"The slug must have 2 to 128 of the characters a-z, A-Z, 0-9 and - . _ ~.")
	case taken(o.Slug):
		return wire.Fail(http.StatusBadRequest, "organization_slug_already_used", "Another organization has this slug.")
	case taken(o.ExternalID):
		return wire.Fail(http.StatusBadRequest, "duplicate_organization", "Another organization has this external id.")
	case !slices.Contains(allowedTypes, o.EmailInvites):
		return wire.Fail(http.StatusBadRequest, "invalid_organization_auth_factor_setting",
			"email_invites must be one of "+
				strings.Join(allowedTypes, ", ")+".")
	case !slices.Contains([]string{"RESTRICTED", "NOT_ALLOWED"}, o.JITProvisioning):
		return wire.Fail(http.StatusBadRequest, "invalid_organization_auth_factor_setting",
			"email_jit_provisioning must be RESTRICTED or NOT_ALLOWED.")
	case !slices.Contains(allowedTypes, o.FirstPartyApps) || !slices.Contains(allowedTypes, o.ThirdPartyApps):
		return wire.Fail(http.StatusBadRequest, "invalid_connected_apps_allowed_type",
			"The allowed types are "+strings.Join(allowedTypes, ", ")+".")
	}
	return nil
}

// deleteOrganization takes its members along.
func (e *Emulator) deleteOrganization(c *call) (any, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	if bad := e.enforce(c, o.ID, "stytch.organization", "delete"); bad != nil {
		return nil, bad
	}
	e.state.people = slices.DeleteFunc(e.state.people, func(p *person) bool {
		gone := p.organizationID == o.ID
		if gone {
			e.state.forget(p.id)
		}
		return gone
	})
	e.state.organizations = slices.DeleteFunc(e.state.organizations,
		func(other *Organization) bool { return other == o })
	return map[string]any{"organization_id": o.ID}, nil
}
