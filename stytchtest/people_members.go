package stytchtest

import (
	"net/http"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

var memberNotFound = wire.NotFound("member_not_found", "The member could not be found.")

func memberObject(p *person) map[string]any {
	roles := []any{}
	for _, r := range p.roles {
		roles = append(roles, map[string]any{"role_id": r, "sources": []any{map[string]any{"type": "direct_assignment",
			"details": map[string]any{}}}})
	}
	registrations := []any{}
	for _, registered := range p.providers {
		registrations = append(registrations, map[string]any{"provider_type": registered.Provider,
			"provider_subject":             registered.Subject,
			"member_oauth_registration_id": registered.ID, "profile_picture_url": "", "locale": ""})
	}
	return map[string]any{"member_id": p.id, "organization_id": p.organizationID, "email_address": p.email(),
		"email_address_verified": p.verified(), "status": p.status, "name": p.name, "is_admin": slices.Contains(p.roles,
			"stytch_admin"),
		"is_breakglass": false, "external_id": p.externalID, "roles": roles, "trusted_metadata": p.trusted,
		"untrusted_metadata": p.untrusted,
		"created_at":         timestamp(p.created), "updated_at": timestamp(p.updated), "sso_registrations": []any{},
		"scim_registrations":  []any{},
		"oauth_registrations": registrations, "retired_email_addresses": []any{}, "mfa_enrolled": false,
		"mfa_phone_number":   "",
		"default_mfa_method": "", "totp_registration_id": "", "member_password_id": p.passwordID()}
}

// passwordID is "" for whoever has no password.
func (p *person) passwordID() string {
	if p.password == "" {
		return ""
	}
	return "password-" + p.id
}

func (e *Emulator) searchMembers(c *call) (any, *wire.Failure) {
	ids := c.Texts("organization_ids")
	if len(ids) == 0 {
		return nil, wire.Fail(http.StatusBadRequest, "member_search_organization_ids_empty",
			"At least one organization_id is required.")
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
		organizations[o.ID] = e.organizationObject(o)
	}
	q, bad := readQuery(c, "member_search_", memberFilters)
	if bad != nil {
		return nil, bad
	}
	byStatus := slices.Contains(q.names, "statuses") // otherwise the deleted are left out
	for _, p := range e.state.people {
		if organizations[p.organizationID] != nil && (p.status != "deleted" || byStatus) && q.match(p) {
			matches = append(matches, memberObject(p))
		}
	}
	reply, bad := cutList(c, userSearch, "members", matches)
	if bad != nil {
		return nil, bad
	}
	shown := map[string]any{} // the organizations of this page's members
	for _, m := range reply["members"].([]any) {
		id := m.(map[string]any)["organization_id"].(string)
		shown[id] = organizations[id]
	}
	reply["organizations"] = shown
	return reply, nil
}

func (e *Emulator) getMember(c *call) (any, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	query := c.Request.URL.Query()
	id, email := query.Get("member_id"), query.Get("email_address")
	if id+email == "" {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_member_get_fields", "Give member_id or email_address.")
	}
	for _, p := range e.state.people {
		if p.organizationID == o.ID && p.status != "deleted" && (id == "" || p.is(id)) &&
			(email == "" || p.hasEmail(email)) {
			return e.personReply(p), nil
		}
	}
	return nil, memberNotFound
}

// is reports whether the parameter names the person, by id or external id.
func (p *person) is(id string) bool { return id != "" && (p.id == id || p.externalID == id) }

func (e *Emulator) dangerouslyGetMember(c *call) (any, *wire.Failure) {
	p := e.state.person(c.Path("member"))
	if p == nil || p.status == "deleted" && c.Request.URL.Query().Get("include_deleted") != "true" {
		return nil, memberNotFound
	}
	return e.personReply(p), nil
}

// pathMember returns the one that the path names, whatever the status.
func (e *Emulator) pathMember(c *call) (*person, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	for _, p := range e.state.people {
		if p.organizationID == o.ID && p.is(c.Path("member")) {
			return p, nil
		}
	}
	return nil, memberNotFound
}

func (e *Emulator) createMember(c *call) (any, *wire.Failure) {
	o, bad := e.pathOrganization(c)
	if bad != nil {
		return nil, bad
	}
	if bad := e.enforce(c, o.ID, "stytch.member", "create"); bad != nil {
		return nil, bad
	}
	email, bad := address(c, "email_address")
	if bad != nil {
		return nil, bad
	}
	if e.state.personIn(o.ID, email) != nil {
		return nil, duplicateMember
	}
	p := e.newMember(o, email)
	if p.status = "active"; c.Flag("create_member_as_pending") {
		p.status = "pending"
	}
	if bad := e.changePerson(c, p); bad != nil {
		return nil, bad
	}
	e.state.people = append(e.state.people, p)
	return e.personReply(p), nil
}

func (e *Emulator) newMember(o *Organization, email string) *person {
	id := wire.NewID("member")
	return &person{id: id, organizationID: o.ID, emails: []Email{{ID: "email-" + id, Address: email}},
		roles:   []string{b2b.role},
		created: e.now(), updated: e.now(), trusted: map[string]any{}, untrusted: map[string]any{}}
}

var duplicateMember = wire.Fail(http.StatusBadRequest, "duplicate_member_email",
	"A member with this email exists already.")

func (e *Emulator) updateMember(c *call) (any, *wire.Failure) {
	p, bad := e.pathMember(c)
	if bad != nil {
		return nil, bad
	}
	if bad := e.enforceChange(c, p.organizationID, "stytch.member", memberChanges); bad != nil {
		return nil, bad
	}
	if p.status == "deleted" {
		return nil, memberNotFound
	}
	changed := *p
	changed.emails = slices.Clone(p.emails)
	if c.Body["email_address"] != nil {
		email, bad := address(c, "email_address")
		if bad != nil {
			return nil, bad
		}
		if other := e.state.personIn(p.organizationID, email); other != nil && other != p {
			return nil, duplicateMember
		}
		changed.emails[0].Address = email
	}
	if bad := e.changePerson(c, &changed); bad != nil {
		return nil, bad
	}
	*p = changed
	return e.personReply(p), nil
}

// changePerson sets of a member or user what the body has and leaves the rest. Metadata
// are merged at their top level, where null removes.
func (e *Emulator) changePerson(c *call, p *person) *wire.Failure {
	if p.organizationID != "" {
		c.Set("name", &p.name)
	} else if name, given := c.Body["name"].(map[string]any); given {
		parts := &wire.Call{Body: name}
		parts.Set("first_name", &p.parts.First)
		parts.Set("middle_name", &p.parts.Middle)
		parts.Set("last_name", &p.parts.Last)
	}
	if bad := e.changeExternalID(c, p); bad != nil {
		return bad
	}
	c.Merge("trusted_metadata", p.trusted, func(merged map[string]any) { p.trusted = merged })
	c.Merge("untrusted_metadata", p.untrusted, func(merged map[string]any) { p.untrusted = merged })
	if _, given := c.Body["roles"].([]any); given {
		for _, role := range c.Texts("roles") {
			if role != e.vertical.role && !hasRole(e.state.rolesOf(p.organizationID), role) {
				return noSuchRole
			}
		}
		p.roles = withRole(e.vertical.role, c.Texts("roles"))
	}
	p.updated = e.now()
	return nil
}

// changeExternalID: within an organization, or among users, one id stands for one person.
func (e *Emulator) changeExternalID(c *call, p *person) *wire.Failure {
	c.Set("external_id", &p.externalID)
	if slices.ContainsFunc(e.state.people, func(other *person) bool {
		return other.id != p.id && other.organizationID == p.organizationID && other.is(p.externalID)
	}) {
		return wire.Fail(http.StatusBadRequest, "duplicate_"+e.vertical.person+"_external_id",
			"Another "+e.vertical.person+
				" has this external id.")
	}
	return nil
}

var noSuchRole = wire.Fail(http.StatusBadRequest, "invalid_rbac_role_assignment", "The role does not exist.")

// deleteMember leaves a tombstone that can be reactivated; sessions, consents and tokens end.
func (e *Emulator) deleteMember(c *call) (any, *wire.Failure) {
	p, bad := e.pathMember(c)
	if bad != nil {
		return nil, bad
	}
	if bad := e.enforce(c, p.organizationID, "stytch.member", "delete"); bad != nil {
		return nil, bad
	}
	if p.status == "deleted" {
		return nil, memberNotFound
	}
	p.status, p.updated = "deleted", e.now()
	e.state.forget(p.id)
	return map[string]any{"member_id": p.id}, nil
}

func (e *Emulator) reactivateMember(c *call) (any, *wire.Failure) {
	p, bad := e.pathMember(c)
	if bad != nil {
		return nil, bad
	}
	switch {
	case p.status != "deleted" || p.id != c.Path("member"): // external ids are not taken here
		return nil, wire.NotFound("no_deleted_member_found_for_reactivation", "There is no such deleted member.")
	case !p.verified():
		return nil, wire.Fail(http.StatusBadRequest, "email_unverified_for_reactivation",
			"The member's email address was never verified.")
	case e.state.personIn(p.organizationID, p.email()) != nil:
		return nil, wire.Fail(http.StatusBadRequest, "reactivation_email_belongs_to_another_member",
			"Another member has this email address.")
	}
	p.status, p.updated = "active", e.now()
	return e.personReply(p), nil
}

// invite makes an invited member and mails a link. Inviting somebody again mails
// another link; somebody active is a duplicate.
func (e *Emulator) invite(c *call) (any, *wire.Failure) {
	o := e.state.organization(c.Text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	if bad := e.enforce(c, o.ID, "stytch.member", "create"); bad != nil {
		return nil, bad
	}
	email, bad := address(c, "email_address")
	if bad != nil {
		return nil, bad
	}
	if bad := e.checkInvitation(c, o, email); bad != nil {
		return nil, bad
	}
	p := e.state.personIn(o.ID, email)
	isNew := p == nil
	if isNew {
		p = e.newMember(o, email)
	}
	if bad := e.mailLink(c, linkRequest{kind: "multi_tenant_magic_links", mail: "invite", email: email, person: p,
		redirect: "invite_redirect_url", redirectType: "INVITE", expiry: "invite_expiration_minutes",
		life: inviteLife}); bad != nil {
		return nil, bad
	}
	if isNew {
		e.state.people = append(e.state.people, p)
	}
	given := slices.Clone(p.roles) // an invitation adds roles
	if bad := e.changePerson(c, p); bad != nil {
		return nil, bad
	}
	p.status, p.roles = "invited", withRole(b2b.role, append(given, p.roles...))
	return e.personReply(p), nil
}

func (e *Emulator) checkInvitation(c *call, o *Organization, email string) *wire.Failure {
	_, domain, _ := strings.Cut(email, "@")
	if o.EmailInvites == "NOT_ALLOWED" || o.EmailInvites == "RESTRICTED" && !slices.Contains(o.EmailAllowedDomains,
		domain) {
		return wire.Fail(http.StatusBadRequest, "invalid_email_for_invites",
			"The organization does not allow invitations to this email address.")
	}
	for _, role := range c.Texts("roles") {
		if !hasRole(e.state.rolesOf(o.ID), role) {
			return noSuchRole
		}
	}
	if inviter := c.Text("invited_by_member_id"); inviter != "" {
		if p := e.state.person(inviter); !p.mayAct() || p.organizationID != o.ID {
			return memberNotFound
		}
	}
	if p := e.state.personIn(o.ID, email); p != nil && p.status == "active" {
		return duplicateMember
	}
	return nil
}
