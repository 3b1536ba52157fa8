package stytchtest

import "guestpass/stytchtest/internal/wire"

// sendDiscoveryLink mails a magic link to anybody who asks.
func (e *Emulator) sendDiscoveryLink(c *call) (any, *wire.Failure) {
	email, bad := address(c, "email_address")
	if bad != nil {
		return nil, bad
	}
	return nil, e.mailLink(c, linkRequest{kind: "discovery", mail: "magic_link", email: email,
		redirect:     "discovery_redirect_url",
		redirectType: "DISCOVERY", expiry: "discovery_expiration_minutes", life: linkLife})
}

func (e *Emulator) authenticateDiscoveryLink(c *call) (any, *wire.Failure) {
	known, bad := e.link(c, c.Text("discovery_magic_links_token"), signsIn("discovery"), linkUnusable)
	if bad != nil {
		return nil, bad
	}
	delete(e.state.Links, c.Text("discovery_magic_links_token"))
	return e.discovered(known.Email, factor{Type: "magic_link"}), nil
}

// sendOrganizationLink mails a magic link for one organization.
func (e *Emulator) sendOrganizationLink(c *call) (any, *wire.Failure) {
	p, signup, bad := e.loginOrSignup(c)
	if bad != nil {
		return nil, bad
	}
	if bad := e.mailLink(c, loginLink("multi_tenant_magic_links", p, signup, "_redirect_url")); bad != nil {
		return nil, bad
	}
	e.keep(p)
	reply := e.personReply(p)
	reply["member_created"] = signup
	return reply, nil
}

// loginLink returns a magic link of somebody known, or new.
func loginLink(kind string, p *person, signup bool, redirect string) linkRequest {
	l := linkRequest{kind: kind, mail: "magic_link", email: p.email(), person: p, redirect: "login" + redirect,
		redirectType: "LOGIN",
		expiry:       "login_expiration_minutes", life: linkLife}
	if signup {
		l.redirect, l.redirectType, l.expiry = "signup"+redirect, "SIGNUP", "signup_expiration_minutes"
	}
	return l
}

// authenticateOrganizationLink redeems the links of logins and of invitations once.
func (e *Emulator) authenticateOrganizationLink(c *call) (any, *wire.Failure) {
	return e.redeemLink(c, c.Text("magic_links_token"), signsIn("multi_tenant_magic_links"))
}

func (e *Emulator) redeemLink(c *call, token string, fits func(*emailLink) bool) (any, *wire.Failure) {
	known, bad := e.link(c, token, fits, linkUnusable)
	if bad != nil {
		return nil, bad
	}
	p := e.state.person(known.PersonID)
	if p == nil {
		return nil, e.vertical.unknown
	}
	reply, bad := e.signIn(c, p, factor{Type: "magic_link"})
	if bad == nil {
		delete(e.state.Links, token)
	}
	return reply, bad
}

// sendUserLink signs a user in, or up.
func (e *Emulator) sendUserLink(c *call) (any, *wire.Failure) {
	p, created, bad := e.loginOrCreate(c)
	if bad != nil {
		return nil, bad
	}
	l := loginLink("magic_links", p, created || p.status == "pending", "_magic_link_url")
	if l.redirectType == "SIGNUP" {
		l.life.usual = inviteLife.usual
	}
	if bad := e.mailLink(c, l); bad != nil {
		return nil, bad
	}
	e.keep(p)
	if c.Dialect == wire.Browser {
		return nil, nil
	}
	return map[string]any{"user_id": p.id, "email_id": p.emails[0].ID, "user_created": created}, nil
}

// authenticateUserLink takes both links of a reset mail as well: the browser's form for a
// new password has a button that signs in without one.
func (e *Emulator) authenticateUserLink(c *call) (any, *wire.Failure) {
	return e.redeemLink(c, c.Text("token"), func(*emailLink) bool { return true })
}
