package stytchtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (e *Emulator) memberObject(m *Member) map[string]any {
	roles := []any{}
	for _, r := range m.Roles {
		roles = append(roles, map[string]any{"role_id": r, "sources": []any{map[string]any{"type": "direct_assignment", "details": map[string]any{}}}})
	}
	created := m.CreatedAt.UTC().Format(time.RFC3339)
	return map[string]any{"member_id": m.ID, "organization_id": m.OrganizationID, "email_address": m.Email,
		"email_address_verified": m.Status == "active", "status": m.Status, "name": m.Name, "is_admin": slices.Contains(m.Roles, "stytch_admin"),
		"is_breakglass": false, "external_id": "", "roles": roles, "trusted_metadata": map[string]any{}, "untrusted_metadata": map[string]any{},
		"created_at": created, "updated_at": created, "sso_registrations": []any{}, "scim_registrations": []any{}, "oauth_registrations": []any{},
		"retired_email_addresses": []any{}, "mfa_enrolled": false, "mfa_phone_number": "", "default_mfa_method": "",
		"totp_registration_id": "", "member_password_id": ""}
}

func (e *Emulator) organizationObject(id string) map[string]any {
	o := e.state.organization(id)
	return map[string]any{"organization_id": o.ID, "organization_name": o.Name, "organization_slug": o.Slug, "organization_logo_url": "",
		"email_invites": "ALL_ALLOWED", "email_jit_provisioning": "NOT_ALLOWED", "email_allowed_domains": []any{}, "auth_methods": "ALL_ALLOWED",
		"allowed_auth_methods": []any{}, "mfa_policy": "OPTIONAL", "mfa_methods": "ALL_ALLOWED", "allowed_mfa_methods": []any{},
		"sso_jit_provisioning": "NOT_ALLOWED", "sso_active_connections": []any{}, "trusted_metadata": map[string]any{},
		"first_party_connected_apps_allowed_type": "ALL_ALLOWED", "third_party_connected_apps_allowed_type": "ALL_ALLOWED"}
}

func policyObject(p Policy) map[string]any {
	m := asMap(p)
	for _, name := range []string{"roles", "resources", "scopes"} {
		if m[name] == nil {
			m[name] = []any{}
		}
	}
	return m
}

func (e *Emulator) rbacPolicy(*call) (any, *failure) {
	return map[string]any{"policy": policyObject(e.state.policy)}, nil
}

var organizationNotFound = notFound("organization_not_found", "The organization could not be found.")
var memberNotFound = notFound("member_not_found", "The member could not be found.")

func (e *Emulator) getOrganization(c *call) (any, *failure) {
	o := e.state.organization(c.path("organization"))
	if o == nil {
		return nil, organizationNotFound
	}
	return map[string]any{"organization": e.organizationObject(o.ID)}, nil
}

func (e *Emulator) searchOrganizations(c *call) (any, *failure) {
	all := []any{}
	for _, o := range e.state.organizations {
		all = append(all, e.organizationObject(o.ID))
	}
	return page(c, "organizations", all)
}

// page cuts a list; the cursor is the number of entries before it.
func page(c *call, name string, all []any) (map[string]any, *failure) {
	limit := c.number("limit", 100)
	if limit < 1 || limit > 1000 {
		return nil, fail(http.StatusBadRequest, "invalid_limit", "The limit must be between 1 and 1000.")
	}
	start := 0
	if cursor := c.text("cursor"); cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(cursor, "after-"))
		if err != nil || n < 0 || n > len(all) {
			return nil, fail(http.StatusBadRequest, "invalid_cursor", "The cursor is invalid.")
		}
		start = n
	}
	end := min(start+limit, len(all))
	metadata := map[string]any{"total": len(all), "next_cursor": nil}
	if end < len(all) {
		metadata["next_cursor"] = "after-" + strconv.Itoa(end)
	}
	return map[string]any{name: all[start:end], "results_metadata": metadata}, nil
}

func (e *Emulator) searchMembers(c *call) (any, *failure) {
	ids := c.texts("organization_ids")
	if len(ids) == 0 {
		return nil, fail(http.StatusBadRequest, "member_search_organization_ids_empty", "At least one organization_id is required.")
	}
	organizations, matches := map[string]any{}, []any{}
	for _, id := range ids {
		o := e.state.organization(id)
		if o == nil {
			return nil, organizationNotFound
		}
		organizations[o.ID] = e.organizationObject(o.ID)
	}
	filters, bad := memberFilters(c)
	if bad != nil {
		return nil, bad
	}
	for _, m := range e.state.members {
		if organizations[m.OrganizationID] != nil && filters.match(m) {
			matches = append(matches, e.memberObject(m))
		}
	}
	reply, bad := page(c, "members", matches)
	if bad == nil {
		reply["organizations"] = organizations
	}
	return reply, bad
}

type filters struct {
	all      bool // AND
	operands []func(*Member) bool
	deleted  bool // asked for by status
}

// memberFilters understands the five filters of which we know that Stytch has them.
func memberFilters(c *call) (f filters, bad *failure) {
	query, _ := c.body["query"].(map[string]any)
	f.all = query["operator"] != "OR"
	operands, _ := query["operands"].([]any)
	for _, o := range operands {
		operand := &call{}
		operand.body, _ = o.(map[string]any)
		values, text := operand.texts("filter_value"), operand.text("filter_value")
		one := func(get func(*Member) string) func(*Member) bool {
			return func(m *Member) bool {
				return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, get(m)) })
			}
		}
		var match func(*Member) bool
		switch operand.text("filter_name") {
		case "member_ids":
			match = one(func(m *Member) string { return m.ID })
		case "member_emails":
			match = one(func(m *Member) string { return m.Email })
		case "statuses":
			match, f.deleted = one(func(m *Member) string { return m.Status }), slices.Contains(values, "deleted")
		case "member_roles":
			match = func(m *Member) bool {
				return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(m.Roles, v) })
			}
		case "member_email_fuzzy":
			if len(text) < 3 {
				return f, fail(http.StatusBadRequest, "member_search_fuzzy_too_short", "Fuzzy filters need three characters.")
			}
			match = func(m *Member) bool { return strings.Contains(strings.ToLower(m.Email), strings.ToLower(text)) }
		default:
			return f, fail(http.StatusBadRequest, "member_search_filter_name_not_recognized", "The filter name is not recognized.")
		}
		f.operands = append(f.operands, match)
	}
	return f, nil
}

func (f filters) match(m *Member) bool {
	if m.Status == "deleted" && !f.deleted {
		return false
	}
	if len(f.operands) == 0 {
		return true
	}
	if f.all {
		return !slices.ContainsFunc(f.operands, func(match func(*Member) bool) bool { return !match(m) })
	}
	return slices.ContainsFunc(f.operands, func(match func(*Member) bool) bool { return match(m) })
}

func (e *Emulator) getMember(c *call) (any, *failure) {
	o := e.state.organization(c.path("organization"))
	if o == nil {
		return nil, organizationNotFound
	}
	query := c.r.URL.Query()
	for _, m := range e.state.members {
		if m.OrganizationID == o.ID && m.Status != "deleted" &&
			(m.ID == query.Get("member_id") || query.Get("email_address") != "" && strings.EqualFold(m.Email, query.Get("email_address"))) {
			return e.memberReply(m), nil
		}
	}
	return nil, memberNotFound
}

func (e *Emulator) dangerouslyGetMember(c *call) (any, *failure) {
	m := e.state.member(c.path("member"))
	if m == nil || m.Status == "deleted" && c.r.URL.Query().Get("include_deleted") != "true" {
		return nil, memberNotFound
	}
	return e.memberReply(m), nil
}

func (e *Emulator) memberReply(m *Member) map[string]any {
	return map[string]any{"member_id": m.ID, "member": e.memberObject(m), "organization": e.organizationObject(m.OrganizationID)}
}

func (e *Emulator) invite(c *call) (any, *failure) {
	o := e.state.organization(c.text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	email, bad := address(c)
	if bad != nil {
		return nil, bad
	}
	to, bad := e.redirectURL(c.text("invite_redirect_url"))
	if bad != nil {
		return nil, bad
	}
	for _, role := range c.texts("roles") {
		if !slices.ContainsFunc(e.state.policy.Roles, func(r Role) bool { return r.ID == role }) {
			return nil, fail(http.StatusBadRequest, "invalid_rbac_role_assignment", "The role does not exist.")
		}
	}
	var m *Member
	for _, known := range e.state.membersOf(email) {
		if known.OrganizationID == o.ID {
			m = known
		}
	}
	if m != nil && m.Status == "active" {
		return nil, fail(http.StatusBadRequest, "duplicate_member_email", "A member with this email exists already.")
	}
	if m == nil {
		m = &Member{ID: newID("member"), OrganizationID: o.ID, Email: email, Status: "invited", CreatedAt: e.now(), Name: c.text("name"),
			Roles: append([]string{"stytch_member"}, c.texts("roles")...)}
		e.state.members = append(e.state.members, m)
	}
	token := secret()
	e.state.links[token] = &emailLink{email: email, memberID: m.ID, expires: e.now().Add(inviteLifetime)}
	e.state.mail(Mail{To: email, Kind: "invite", Link: link(to, "multi_tenant_magic_links", token), SentAt: e.now()})
	return e.memberReply(m), nil
}

// Connected apps, as members and organizations see them.

func (e *Emulator) pathMember(c *call) *Member {
	m := e.state.member(c.path("member"))
	if o := e.state.organization(c.path("organization")); m == nil || o == nil || m.OrganizationID != o.ID {
		return nil
	}
	return m
}

func (e *Emulator) memberApps(c *call) (any, *failure) {
	m := e.pathMember(c)
	if m == nil {
		return nil, memberNotFound
	}
	apps := []any{}
	for _, a := range e.state.apps {
		if scopes := e.state.consents[consentKey{m.ID, a.ClientID}]; scopes != nil {
			apps = append(apps, map[string]any{"connected_app_id": a.ClientID, "name": a.Name, "description": a.Description,
				"client_type": a.Type, "scopes_granted": strings.Join(scopes, " "), "logo_url": ""})
		}
	}
	return map[string]any{"connected_apps": apps}, nil
}

// revokeApp ends consent, refresh tokens and, for introspection, access tokens.
func (e *Emulator) revokeApp(c *call) (any, *failure) {
	m := e.pathMember(c)
	if m == nil {
		return nil, memberNotFound
	}
	key := consentKey{m.ID, c.path("app")}
	if e.state.app(key.clientID) == nil || e.state.consents[key] == nil {
		return nil, notFound("connected_app_not_found", "The connected app could not be found.")
	}
	delete(e.state.consents, key)
	e.state.revoked[key] = e.now()
	for token, g := range e.state.refreshes {
		if g.memberID == m.ID && g.clientID == key.clientID {
			delete(e.state.refreshes, token)
		}
	}
	return nil, nil
}

func (e *Emulator) organizationApps(c *call) (any, *failure) {
	o := e.state.organization(c.path("organization"))
	if o == nil {
		return nil, organizationNotFound
	}
	apps := []any{}
	for _, a := range e.state.apps {
		if len(e.activeMembers(o.ID, a.ClientID)) > 0 {
			apps = append(apps, map[string]any{"connected_app_id": a.ClientID, "name": a.Name, "description": a.Description, "client_type": a.Type, "logo_url": ""})
		}
	}
	return map[string]any{"connected_apps": apps}, nil
}

func (e *Emulator) organizationApp(c *call) (any, *failure) {
	o, a := e.state.organization(c.path("organization")), e.state.app(c.path("app"))
	if o == nil {
		return nil, organizationNotFound
	}
	if a == nil {
		return nil, notFound("connected_app_not_found", "The connected app could not be found.")
	}
	return map[string]any{"connected_app_id": a.ClientID, "name": a.Name, "description": a.Description, "client_type": a.Type,
		"logo_url": "", "active_members": e.activeMembers(o.ID, a.ClientID)}, nil
}

func (e *Emulator) activeMembers(organizationID, clientID string) []any {
	active := []any{}
	for _, m := range e.state.members {
		if scopes := e.state.consents[consentKey{m.ID, clientID}]; scopes != nil && m.OrganizationID == organizationID {
			active = append(active, map[string]any{"member_id": m.ID, "granted_scopes": scopes})
		}
	}
	return active
}

// The project's own view of its clients; the secret is not shown again.

func clientObject(a *ConnectedApp) map[string]any {
	return map[string]any{"client_id": a.ClientID, "client_name": a.Name, "client_description": a.Description, "client_type": a.Type,
		"status": "active", "redirect_urls": a.RedirectURLs, "post_logout_redirect_urls": []string{}, "full_access_allowed": false,
		"access_token_expiry_minutes": max(a.Minutes, 60), "access_token_custom_audience": a.Audience, "logo_url": "",
		"client_secret_last_four": a.ClientSecret[max(0, len(a.ClientSecret)-4):]}
}

func (e *Emulator) getClient(c *call) (any, *failure) {
	a := e.state.app(c.path("app"))
	if a == nil {
		return nil, notFound("connected_app_not_found", "The connected app could not be found.")
	}
	return map[string]any{"connected_app": clientObject(a)}, nil
}

func (e *Emulator) searchClients(c *call) (any, *failure) {
	all := []any{}
	for _, a := range e.state.apps {
		all = append(all, clientObject(a))
	}
	return page(c, "connected_apps", all)
}
