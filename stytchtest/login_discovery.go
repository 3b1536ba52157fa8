package stytchtest

import (
	"net/http"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

// discovered returns what every discovery method answers: an intermediate session, and the
// organizations of the address.
func (e *Emulator) discovered(email string, how factor) map[string]any {
	token := secret()
	e.state.Intermediates[token] = &intermediate{Email: email, Factor: how, Expires: e.now().Add(intermediateLifetime)}
	reply := e.discoveredOrganizations(email)
	reply["intermediate_session_token"] = token
	return reply
}

// discoveredOrganizations returns those of the address, then those that would let it in.
func (e *Emulator) discoveredOrganizations(email string) map[string]any {
	found := []any{}
	add := func(o *Organization, membership string, p *person) {
		entry := map[string]any{"type": membership, "details": nil, "member": nil}
		if p != nil {
			entry["member"] = memberObject(p)
		} else {
			_, domain, _ := strings.Cut(email, "@")
			entry["details"] = map[string]any{"domain": domain}
		}
		found = append(found, map[string]any{"organization": e.organizationObject(o), "member_authenticated": true,
			"membership": entry, "mfa_required": nil, "primary_required": nil})
	}
	for _, p := range e.state.peopleWith(email) {
		add(e.state.organization(p.organizationID), p.status+"_member", p)
	}
	for _, o := range e.state.organizations {
		if o.admits(email) && e.state.personIn(o.ID, email) == nil {
			add(o, "eligible_to_join_by_email_domain", nil)
		}
	}
	return map[string]any{"email_address": email, "organization_id_hint": nil, "discovered_organizations": found}
}

// admits reports whether the address may join without an invitation.
func (o *Organization) admits(email string) bool {
	_, domain, _ := strings.Cut(email, "@")
	return o.JITProvisioning == "RESTRICTED" && slices.ContainsFunc(o.EmailAllowedDomains,
		func(d string) bool { return strings.EqualFold(d, domain) })
}

// discoverOrganizations answers for an intermediate session, or for a full one.
func (e *Emulator) discoverOrganizations(c *call) (any, *wire.Failure) {
	if c.Text("intermediate_session_token") != "" && c.Dialect != wire.Browser && c.Text("session_token")+
		c.Text("session_jwt") != "" {
		return nil, wire.Fail(http.StatusBadRequest, "too_many_session_arguments",
			"Give one of intermediate_session_token, session_token and session_jwt.")
	}
	if c.Text("intermediate_session_token") == "" {
		token, bad := e.sessionToken(c)
		if bad != nil {
			return nil, bad
		}
		if s := e.goodSession(token); s != nil {
			return e.discoveredOrganizations(e.state.person(s.PersonID).email()), nil
		}
	}
	i, bad := e.intermediate(c)
	if bad != nil {
		return nil, bad
	}
	return e.discoveredOrganizations(i.Email), nil
}

func (e *Emulator) intermediate(c *call) (*intermediate, *wire.Failure) {
	i := e.state.Intermediates[c.Text("intermediate_session_token")]
	if i == nil || !e.now().Before(i.Expires) {
		return nil, wire.Fail(http.StatusUnauthorized, "intermediate_session_not_found",
			"The intermediate session was not found or has expired.")
	}
	return i, nil
}

// exchangeIntermediate signs the person in to one organization; who is not a member yet
// joins if the organization lets the address in.
func (e *Emulator) exchangeIntermediate(c *call) (any, *wire.Failure) {
	i, bad := e.intermediate(c)
	if bad != nil {
		return nil, bad
	}
	o := e.state.organization(c.Text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	p := e.state.personIn(o.ID, i.Email)
	if p == nil && o.admits(i.Email) {
		p = e.newMember(o, i.Email)
	}
	if p == nil {
		return nil, wire.Fail(http.StatusForbidden, "invalid_intermediate_session_token_for_organization",
			"The person does not belong to this organization.")
	}
	return e.enter(c, i, p)
}

// enter ends an intermediate session in a full one.
func (e *Emulator) enter(c *call, i *intermediate, p *person) (any, *wire.Failure) {
	if i.Password != "" { // set by a link in a mail
		p.password, p.emails[0].Verified = i.Password, true
	}
	p.register(i.Factor.Provider, i.Subject)
	reply, bad := e.signIn(c, p, i.Factor)
	return reply, bad
}

// createDiscovered makes an organization with the person as its administrator.
func (e *Emulator) createDiscovered(c *call) (any, *wire.Failure) {
	i, bad := e.intermediate(c)
	if bad != nil {
		return nil, bad
	}
	if e.state.project.NoOrganizationCreation && c.Dialect == wire.Browser {
		return nil, wire.Fail(http.StatusForbidden, "organization_creation_not_allowed",
			"The project does not let people make organizations.")
	}
	name := c.Text("organization_name")
	if name == "" { // the component sends none
		name = strings.ToUpper(i.Email[:1]) + i.Email[1:strings.Index(i.Email, "@")] + "'s Organization"
	}
	o, bad := e.newOrganization(c, name)
	if bad != nil {
		return nil, bad
	}
	e.state.organizations = append(e.state.organizations, o)
	p := e.newMember(o, i.Email)
	if e.state.policy.hasRole("stytch_admin") {
		p.roles = append(p.roles, "stytch_admin")
	}
	reply, bad := e.enter(c, i, p)
	if bad != nil {
		e.state.organizations = e.state.organizations[:len(e.state.organizations)-1]
	}
	return reply, bad
}

// exchangeSession takes a session to another organization of the same person.
func (e *Emulator) exchangeSession(c *call) (any, *wire.Failure) {
	token, s, bad := e.shownSession(c)
	if bad != nil {
		return nil, bad
	}
	o := e.state.organization(c.Text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	p := e.state.personIn(o.ID, e.state.person(s.PersonID).email())
	if p == nil {
		return nil, memberNotFound
	}
	duration, bad := sessionDuration(c, 0)
	if bad != nil {
		return nil, bad
	}
	e.admit(p, s.Factors)
	delete(e.state.Sessions, token)
	return e.authenticated(c, e.begin(p, duration, s.Factors)), nil
}

// organizationBySlug returns what the browser may know of an organization before anybody has
// signed in to it.
func (e *Emulator) organizationBySlug(c *call) (any, *wire.Failure) {
	slug := c.Text("organization_slug")
	for _, o := range e.state.organizations {
		if o.Slug == slug {
			return map[string]any{"organization": map[string]any{"organization_id": o.ID, "organization_name": o.Name,
				"organization_slug":     o.Slug,
				"organization_logo_url": o.LogoURL, "sso_active_connections": []any{},
				"email_allowed_domains":  o.EmailAllowedDomains,
				"email_jit_provisioning": o.JITProvisioning, "email_invites": o.EmailInvites,
				"auth_methods":         "ALL_ALLOWED",
				"allowed_auth_methods": []any{}, "mfa_policy": "OPTIONAL", "sso_default_connection_id": nil,
				"sso_jit_provisioning": "NOT_ALLOWED", "oauth_tenant_jit_provisioning": "NOT_ALLOWED",
				"allowed_oauth_tenants": map[string]any{}}}, nil
		}
	}
	return map[string]any{"organization": nil}, nil
}
