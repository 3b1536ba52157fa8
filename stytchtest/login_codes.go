package stytchtest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// newCode mails a one-time code; the newest under a key counts. Keys say what the code
// is good for, so that one of discovery does not sign in to an organization.
func (e *Emulator) newCode(key, email string, life time.Duration) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	code := fmt.Sprintf("%06d", n)
	e.state.Codes[key] = &emailCode{code, email, e.now().Add(life)}
	e.state.mail(Mail{To: email, Kind: "otp", Code: code, SentAt: e.now()})
}

func codeKey(parts ...string) string { return strings.ToLower(strings.Join(parts, " ")) }

// code finds the mail that the code came with, without spending it.
func (e *Emulator) code(key, given string) (*emailCode, *wire.Failure) {
	known := e.state.Codes[key]
	if known == nil || !same(given, known.Code) || !e.now().Before(known.Expires) {
		return nil, wire.Fail(http.StatusUnauthorized, "otp_code_not_found", "The passcode is wrong or has expired.")
	}
	return known, nil
}

// sendDiscoveryCode writes to anybody who asks: an address that belongs to nobody gets a
// code too, and sees no organization afterwards.
func (e *Emulator) sendDiscoveryCode(c *call) (any, *wire.Failure) {
	email, bad := address(c, "email_address")
	if bad != nil {
		return nil, bad
	}
	life, bad := expiry(c, "discovery_expiration_minutes", codeLife)
	if bad != nil {
		return nil, bad
	}
	e.newCode(codeKey("discovery", email), email, life)
	return nil, nil
}

func (e *Emulator) authenticateDiscoveryCode(c *call) (any, *wire.Failure) {
	key := codeKey("discovery", c.Text("email_address"))
	known, bad := e.code(key, c.Text("code"))
	if bad != nil {
		return nil, bad
	}
	delete(e.state.Codes, key)
	return e.discovered(known.Email, factor{Type: "email_otp"}), nil
}

// sendOrganizationCode signs in to one organization, or up, where it lets the address in.
func (e *Emulator) sendOrganizationCode(c *call) (any, *wire.Failure) {
	p, signup, bad := e.loginOrSignup(c)
	if bad != nil {
		return nil, bad
	}
	life, bad := expiry(c, loginOr(signup)+"_expiration_minutes", codeLife)
	if bad != nil {
		return nil, bad
	}
	e.keep(p)
	e.newCode(codeKey("organization", p.organizationID, p.email()), p.email(), life)
	reply := e.personReply(p)
	reply["member_created"] = signup
	return reply, nil
}

func loginOr(signup bool) string {
	if signup {
		return "signup"
	}
	return "login"
}

func (e *Emulator) authenticateOrganizationCode(c *call) (any, *wire.Failure) {
	o := e.state.organization(c.Text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	key := codeKey("organization", o.ID, c.Text("email_address"))
	known, bad := e.code(key, c.Text("code"))
	if bad != nil {
		return nil, bad
	}
	p := e.state.personIn(o.ID, known.Email)
	if p == nil {
		return nil, memberNotFound
	}
	reply, bad := e.signIn(c, p, factor{Type: "email_otp"})
	if bad == nil {
		delete(e.state.Codes, key)
	}
	return reply, bad
}

// loginOrSignup finds the member whom an organization's login is for. One who is invited
// or pending signs up, as does somebody new, if the organization admits the address's domain.
func (e *Emulator) loginOrSignup(c *call) (p *person, signup bool, bad *wire.Failure) {
	o := e.state.organization(c.Text("organization_id"))
	if o == nil {
		return nil, false, organizationNotFound
	}
	email, bad := address(c, "email_address")
	if bad != nil {
		return nil, false, bad
	}
	if p = e.state.personIn(o.ID, email); p != nil {
		return p, p.status != "active", nil
	}
	if o.JITProvisioning == "NOT_ALLOWED" {
		return nil, false, wire.Fail(http.StatusBadRequest, "email_jit_provisioning_not_allowed",
			"Nobody joins the organization without an invitation.")
	}
	if !o.admits(email) {
		return nil, false, wire.Fail(http.StatusBadRequest, "invalid_email_for_jit_provisioning",
			"The organization does not let this email address join by itself.")
	}
	p = e.newMember(o, email)
	p.status = "pending"
	return p, true, nil
}

// keep adds a person who was not there before.
func (e *Emulator) keep(p *person) {
	if e.state.person(p.id) == nil {
		e.state.people = append(e.state.people, p)
	}
}

// sendUserCode signs a user in, or up: an address that nobody has makes a pending user.
func (e *Emulator) sendUserCode(c *call) (any, *wire.Failure) {
	p, created, bad := e.loginOrCreate(c)
	if bad != nil {
		return nil, bad
	}
	life, bad := expiry(c, "expiration_minutes", userCodeLife)
	if bad != nil {
		return nil, bad
	}
	e.keep(p)
	return e.mailUserCode(c, p, life, created)
}

func (e *Emulator) mailUserCode(c *call, p *person, life time.Duration, created bool) (any, *wire.Failure) {
	method := p.emails[0].ID
	e.newCode(codeKey("method", method), p.email(), life)
	if c.Dialect == wire.Browser {
		return map[string]any{"method_id": method}, nil
	}
	return map[string]any{"user_id": p.id, "email_id": method, "user_created": created}, nil
}

// sendKnownUserCode writes to users only.
func (e *Emulator) sendKnownUserCode(c *call) (any, *wire.Failure) {
	email, bad := address(c, "email")
	if bad != nil {
		return nil, bad
	}
	life, bad := expiry(c, "expiration_minutes", userCodeLife)
	if bad != nil {
		return nil, bad
	}
	p := e.state.personIn("", email)
	if p == nil {
		return nil, emailNotFound
	}
	return e.mailUserCode(c, p, life, false)
}

var emailNotFound = wire.NotFound("email_not_found", "The email address belongs to nobody here.")

// loginOrCreate finds the user of the address or makes a pending one.
func (e *Emulator) loginOrCreate(c *call) (p *person, created bool, bad *wire.Failure) {
	email, bad := address(c, "email")
	if bad != nil {
		return nil, false, bad
	}
	if p = e.state.personIn("", email); p != nil {
		return p, false, nil
	}
	return e.newUser(email), true, nil
}

// authenticateUserCode takes the code from the member that servers call code and the
// browser calls token.
func (e *Emulator) authenticateUserCode(c *call) (any, *wire.Failure) {
	given := c.Text("code")
	if c.Dialect == wire.Browser {
		given = c.Text("token")
	}
	key := codeKey("method", c.Text("method_id"))
	known, bad := e.code(key, given)
	if bad != nil {
		return nil, bad
	}
	p := e.state.personIn("", known.Email)
	if p == nil {
		return nil, userNotFound
	}
	reply, bad := e.signIn(c, p, factor{Type: "email_otp"})
	if bad == nil {
		delete(e.state.Codes, key)
	}
	return reply, bad
}
