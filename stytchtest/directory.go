package stytchtest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (e *Emulator) memberObject(m *Member) map[string]any {
	roles := []any{}
	for _, r := range m.Roles {
		roles = append(roles, map[string]any{"role_id": r, "sources": []any{map[string]any{"type": "direct_assignment", "details": map[string]any{}}}})
	}
	created := timestamp(m.CreatedAt)
	return map[string]any{"member_id": m.ID, "organization_id": m.OrganizationID, "email_address": m.Email,
		"email_address_verified": m.Status == "active", "status": m.Status, "name": m.Name, "is_admin": slices.Contains(m.Roles, "stytch_admin"),
		"is_breakglass": false, "external_id": "", "roles": roles, "trusted_metadata": m.TrustedMetadata, "untrusted_metadata": m.UntrustedMetadata,
		"created_at": created, "updated_at": created, "sso_registrations": []any{}, "scim_registrations": []any{}, "oauth_registrations": []any{},
		"retired_email_addresses": []any{}, "mfa_enrolled": false, "mfa_phone_number": "", "default_mfa_method": "",
		"totp_registration_id": "", "member_password_id": ""}
}

func (e *Emulator) organizationObject(id string) map[string]any {
	o := e.state.organization(id)
	return map[string]any{"organization_id": o.ID, "organization_name": o.Name, "organization_slug": o.Slug, "organization_logo_url": "",
		"email_invites": o.EmailInvites, "email_jit_provisioning": "NOT_ALLOWED", "email_allowed_domains": o.EmailAllowedDomains,
		"auth_methods": "ALL_ALLOWED", "allowed_auth_methods": []any{}, "mfa_policy": "OPTIONAL", "mfa_methods": "ALL_ALLOWED",
		"allowed_mfa_methods": []any{}, "sso_jit_provisioning": "NOT_ALLOWED", "sso_active_connections": []any{},
		"sso_jit_provisioning_allowed_connections": []any{}, "trusted_metadata": map[string]any{},
		"first_party_connected_apps_allowed_type": o.FirstPartyApps, "third_party_connected_apps_allowed_type": o.ThirdPartyApps,
		"allowed_first_party_connected_apps": e.allowedApps(o, true), "allowed_third_party_connected_apps": e.allowedApps(o, false)}
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

func (e *Emulator) rbacPolicy(*call) (any, *failure) {
	return map[string]any{"policy": e.state.policy}, nil
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

// page cuts a list. The cursor, opaque to callers, is the number of entries before it.
func page(c *call, name string, all []any) (map[string]any, *failure) {
	limit := c.number("limit", 100)
	if limit < 1 || limit > 1000 {
		return nil, fail(http.StatusBadRequest, "invalid_limit", "The limit must be between 1 and 1000.")
	}
	start, err := 0, error(nil)
	if cursor := c.text("cursor"); cursor != "" {
		start, err = cursorPosition(cursor)
		if err != nil || start < 0 || start > len(all) {
			return nil, fail(http.StatusBadRequest, "invalid_cursor", "The cursor is invalid.")
		}
	}
	end := min(start+limit, len(all))
	metadata := map[string]any{"total": len(all), "next_cursor": nil}
	if end < len(all) {
		metadata["next_cursor"] = base64.RawURLEncoding.EncodeToString([]byte("after " + strconv.Itoa(end)))
	}
	return map[string]any{name: all[start:end], "results_metadata": metadata}, nil
}

func cursorPosition(cursor string) (int, error) {
	plain, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimPrefix(string(plain), "after "))
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
		if bad := e.enforce(c, o.ID, "stytch.member", "search"); bad != nil {
			return nil, bad
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
	operator, given := query["operator"].(string)
	if f.all = operator != "OR"; given && operator != "AND" && operator != "OR" {
		return f, fail(http.StatusBadRequest, "invalid_search_operator", "The operator must be AND or OR.")
	}
	operands, _ := query["operands"].([]any)
	for _, o := range operands {
		operand := &call{}
		operand.body, _ = o.(map[string]any)
		match, bad := memberFilter(operand.text("filter_name"), operand.text("filter_value"), operand.texts("filter_value"))
		if bad != nil {
			return f, bad
		}
		f.deleted = f.deleted || operand.text("filter_name") == "statuses" && slices.Contains(operand.texts("filter_value"), "deleted")
		f.operands = append(f.operands, match)
	}
	return f, nil
}

func memberFilter(name, text string, values []string) (func(*Member) bool, *failure) {
	oneOf := func(get func(*Member) string) func(*Member) bool {
		return func(m *Member) bool {
			return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, get(m)) })
		}
	}
	switch name {
	case "member_ids":
		return oneOf(func(m *Member) string { return m.ID }), nil
	case "member_emails":
		return oneOf(func(m *Member) string { return m.Email }), nil
	case "statuses":
		return oneOf(func(m *Member) string { return m.Status }), nil
	case "member_roles":
		return func(m *Member) bool {
			return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(m.Roles, v) })
		}, nil
	case "member_email_fuzzy":
		if len(text) < 3 {
			return nil, fail(http.StatusBadRequest, "member_search_fuzzy_too_short", "Fuzzy filters need three characters.")
		}
		return func(m *Member) bool { return strings.Contains(strings.ToLower(m.Email), strings.ToLower(text)) }, nil
	}
	return nil, fail(http.StatusBadRequest, "member_search_filter_name_not_recognized", "The filter name is not recognized.")
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

// invite makes an invited member and mails a link. Inviting somebody again mails
// another link; somebody active is a duplicate.
func (e *Emulator) invite(c *call) (any, *failure) {
	o := e.state.organization(c.text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	if bad := e.enforce(c, o.ID, "stytch.member", "create"); bad != nil {
		return nil, bad
	}
	email, bad := address(c)
	if bad != nil {
		return nil, bad
	}
	if bad := e.checkInvitation(c, o, email); bad != nil {
		return nil, bad
	}
	to, bad := e.inviteURL(c.text("invite_redirect_url"))
	if bad != nil {
		return nil, bad
	}
	life, bad := expiry(c, "invite_expiration_minutes", inviteLifetime)
	if bad != nil {
		return nil, bad
	}
	m := e.invited(c, o, email)
	token := secret()
	e.state.links[token] = &emailLink{email: email, memberID: m.ID, expires: e.now().Add(life)}
	e.state.mail(Mail{To: email, Kind: "invite", Link: link(to, "multi_tenant_magic_links", token), SentAt: e.now()})
	return e.memberReply(m), nil
}

func (e *Emulator) checkInvitation(c *call, o *Organization, email string) *failure {
	_, domain, _ := strings.Cut(email, "@")
	if o.EmailInvites == "NOT_ALLOWED" || o.EmailInvites == "RESTRICTED" && !slices.Contains(o.EmailAllowedDomains, domain) {
		return fail(http.StatusBadRequest, "invalid_email_for_invites", "The organization does not allow invitations to this email address.")
	}
	for _, role := range c.texts("roles") {
		if !e.state.policy.hasRole(role) {
			return fail(http.StatusBadRequest, "invalid_rbac_role_assignment", "The role does not exist.")
		}
	}
	if inviter := c.text("invited_by_member_id"); inviter != "" {
		if m := e.state.member(inviter); m == nil || m.OrganizationID != o.ID || m.Status != "active" {
			return memberNotFound
		}
	}
	if m := e.state.memberOf(o.ID, email); m != nil && m.Status == "active" {
		return fail(http.StatusBadRequest, "duplicate_member_email", "A member with this email exists already.")
	}
	return nil
}

func (e *Emulator) inviteURL(given string) (string, *failure) {
	if len(e.state.project.RedirectURLs) == 0 {
		return "", fail(http.StatusBadRequest, "no_invite_redirect_urls_set", "The project has no invite redirect URLs.")
	}
	return e.redirectURL(given)
}

// invited finds or makes the member; a second invitation brings name and roles up to date.
func (e *Emulator) invited(c *call, o *Organization, email string) *Member {
	m := e.state.memberOf(o.ID, email)
	if m == nil {
		m = &Member{ID: newID("member"), OrganizationID: o.ID, Email: email, CreatedAt: e.now(), Roles: []string{"stytch_member"},
			TrustedMetadata: map[string]any{}, UntrustedMetadata: map[string]any{}}
		e.state.members = append(e.state.members, m)
	}
	m.Status = "invited"
	if name := c.text("name"); name != "" {
		m.Name = name
	}
	for _, role := range c.texts("roles") {
		if !slices.Contains(m.Roles, role) {
			m.Roles = append(m.Roles, role)
		}
	}
	for name, field := range map[string]*map[string]any{"trusted_metadata": &m.TrustedMetadata, "untrusted_metadata": &m.UntrustedMetadata} {
		if given, ok := c.body[name].(map[string]any); ok {
			*field = given
		}
	}
	return m
}
