package stytchtest

import (
	"maps"
	"net/http"
	"slices"
	"time"
	"unicode"

	"guestpass/stytchtest/internal/wire"
)

// The project's password policy: so many characters, of so many classes (lower and upper
// case, digits, symbols).
const (
	passwordLength  = 8
	passwordClasses = 3
)

// luds is a password measured.
type luds struct {
	lower, upper, digit, symbol       bool
	missingCharacters, missingClasses int
}

func measure(password string) (l luds) {
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			l.lower = true
		case unicode.IsUpper(r):
			l.upper = true
		case unicode.IsDigit(r):
			l.digit = true
		default:
			l.symbol = true
		}
	}
	l.missingCharacters, l.missingClasses = max(0, passwordLength-len([]rune(password))), passwordClasses
	for _, has := range []bool{l.lower, l.upper, l.digit, l.symbol} {
		if has {
			l.missingClasses--
		}
	}
	l.missingClasses = max(0, l.missingClasses)
	return l
}

func (l luds) good() bool { return l.missingCharacters == 0 && l.missingClasses == 0 }

func (l luds) object() map[string]any {
	return map[string]any{"has_lower_case": l.lower, "has_upper_case": l.upper, "has_digit": l.digit,
		"has_symbol":         l.symbol,
		"missing_characters": l.missingCharacters, "missing_complexity": l.missingClasses}
}

// checkStrength answers for both verticals, whose members for the details differ.
func (e *Emulator) checkStrength(c *call) (any, *wire.Failure) {
	l, score := measure(c.Text("password")), 0
	if l.good() {
		score = 4
	}
	reply := map[string]any{"valid_password": l.good(), "score": score, "breached_password": false,
		"breach_detection_on_create": false,
		"strength_policy":            "luds"}
	words := map[string]any{"warning": "", "suggestions": []any{}}
	if e.vertical.name == b2b.name {
		reply["luds_feedback"], reply["zxcvbn_feedback"] = l.object(), words
		return reply, nil
	}
	words["luds_requirements"] = l.object()
	reply["feedback"] = words
	return reply, nil
}

// newPassword returns the one of the call, if it is good enough.
func newPassword(c *call, name string) (string, *wire.Failure) {
	password := c.Text(name)
	if !measure(password).good() {
		return "", wire.Fail(http.StatusBadRequest, "weak_password",
			"The password must have 8 characters of three kinds: lower case, upper case, digits, symbols.")
	}
	return password, nil
}

// wrongPassword is what an unknown address gets as well.
var wrongPassword = wire.Fail(http.StatusUnauthorized, "unauthorized_credentials", "Unauthorized credentials.")

func (p *person) knows(password string) bool {
	return p != nil && p.password != "" && same(password, p.password)
}

// authenticateDiscoveryPassword goes by the address: one password serves all organizations.
func (e *Emulator) authenticateDiscoveryPassword(c *call) (any, *wire.Failure) {
	for _, p := range e.state.peopleWith(c.Text("email_address")) {
		if p.knows(c.Text("password")) {
			return e.discovered(p.email(), factor{Type: "password"}), nil
		}
	}
	return nil, wrongPassword
}

func (e *Emulator) authenticateOrganizationPassword(c *call) (any, *wire.Failure) {
	o := e.state.organization(c.Text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	p := e.state.personIn(o.ID, c.Text("email_address"))
	if !p.knows(c.Text("password")) {
		return nil, wrongPassword
	}
	return e.signIn(c, p, factor{Type: "password"})
}

// createUserPassword makes a user who signs up with a password.
func (e *Emulator) createUserPassword(c *call) (any, *wire.Failure) {
	p, created, bad := e.loginOrCreate(c)
	if bad != nil {
		return nil, bad
	}
	if !created {
		return nil, wire.Fail(http.StatusBadRequest, "duplicate_email", "A user with this email exists already.")
	}
	password, bad := newPassword(c, "password")
	if bad != nil {
		return nil, bad
	}
	if bad := e.changePerson(c, p); bad != nil {
		return nil, bad
	}
	p.password = password
	reply, bad := e.signIn(c, p, factor{Type: "password"})
	if bad == nil {
		reply["email_id"] = p.emails[0].ID
	}
	return reply, bad
}

func (e *Emulator) authenticateUserPassword(c *call) (any, *wire.Failure) {
	p := e.state.personIn("", c.Text("email"))
	switch {
	case p == nil:
		return nil, emailNotFound
	case p.password == "":
		return nil, wire.NotFound("no_user_password", "The user has no password.")
	case !p.knows(c.Text("password")):
		return nil, wrongPassword
	}
	return e.signIn(c, p, factor{Type: "password"})
}

// searchUser tells the browser what to ask a user for next.
func (e *Emulator) searchUser(c *call) (any, *wire.Failure) {
	email, bad := address(c, "email")
	if bad != nil {
		return nil, bad
	}
	kind := "new"
	if p := e.state.personIn("", email); p != nil && p.password != "" {
		kind = "password"
	} else if p != nil {
		kind = "passwordless"
	}
	return map[string]any{"userType": kind}, nil
}

// searchMember does the same for one organization.
func (e *Emulator) searchMember(c *call) (any, *wire.Failure) {
	o := e.state.organization(c.Text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	p := e.state.personIn(o.ID, c.Text("email_address"))
	if p == nil {
		return map[string]any{"member": nil}, nil
	}
	return map[string]any{"member": map[string]any{"status": p.status, "name": p.name,
		"member_password_id": p.passwordID()}}, nil
}

// startDiscoveryReset mails to anybody: who has no password yet gets one by it.
func (e *Emulator) startDiscoveryReset(c *call) (any, *wire.Failure) {
	email, bad := address(c, "email_address")
	if bad != nil {
		return nil, bad
	}
	return nil, e.mailLink(c, resetLink("discovery", email, nil))
}

func resetLink(kind, email string, p *person) linkRequest {
	return linkRequest{kind: kind, mail: "reset_password", email: email, person: p,
		redirect:     "reset_password_redirect_url",
		redirectType: "RESET_PASSWORD", expiry: "reset_password_expiration_minutes", life: resetLife}
}

// resetDiscoveryPassword sets the password in all of the address's organizations.
func (e *Emulator) resetDiscoveryPassword(c *call) (any, *wire.Failure) {
	known, bad := e.link(c, c.Text("password_reset_token"), resets("discovery"), resetUnusable)
	if bad != nil {
		return nil, bad
	}
	password, bad := newPassword(c, "password")
	if bad != nil {
		return nil, bad
	}
	delete(e.state.Links, c.Text("password_reset_token"))
	for _, p := range e.state.peopleWith(known.Email) {
		p.password, p.emails[0].Verified = password, true
	}
	reply := e.discovered(known.Email, factor{Type: "password"})
	// for an organization yet to be joined
	e.state.Intermediates[reply["intermediate_session_token"].(string)].Password = password
	return reply, nil
}

// startReset mails to a member of the organization, or to a user.
func (e *Emulator) startReset(c *call) (any, *wire.Failure) {
	kind, p := "reset_password", (*person)(nil)
	if e.vertical.name == b2b.name {
		o := e.state.organization(c.Text("organization_id"))
		if o == nil {
			return nil, organizationNotFound
		}
		kind, p = "multi_tenant_passwords", e.state.personIn(o.ID, c.Text("email_address"))
	} else {
		p = e.state.personIn("", c.Text("email"))
	}
	if p == nil && e.vertical.name == b2b.name {
		return nil, memberNotFound
	}
	if p == nil {
		return nil, emailNotFound
	}
	if bad := e.mailLink(c, resetLink(kind, p.email(), p)); bad != nil {
		return nil, bad
	}
	if c.Dialect == wire.Browser {
		return nil, nil
	}
	reply := e.personReply(p)
	reply["email_id"], reply["member_email_id"] = p.emails[0].ID, p.emails[0].ID
	return reply, nil
}

// reset sets the password and signs in; sessions from before end.
func (e *Emulator) reset(c *call) (any, *wire.Failure) {
	kind, token := "reset_password", c.Text("token")
	if e.vertical.name == b2b.name {
		kind, token = "multi_tenant_passwords", c.Text("password_reset_token") // #nosec G101 -- a kind of token
	}
	known, bad := e.link(c, token, resets(kind), resetUnusable)
	if bad != nil {
		return nil, bad
	}
	p := e.state.person(known.PersonID)
	if p == nil {
		return nil, e.vertical.unknown
	}
	password, bad := newPassword(c, "password")
	if bad != nil {
		return nil, bad
	}
	reply, bad := e.signIn(c, p, factor{Type: "password"})
	if bad != nil {
		return nil, bad
	}
	delete(e.state.Links, token)
	p.password, p.emails[0].Verified = password, true
	maps.Copy(reply, e.personReply(p))
	if e.vertical.name == b2b.name {
		reply["member_email_id"] = p.emails[0].ID
	}
	maps.DeleteFunc(e.state.Sessions, func(token string, s *session) bool {
		return s.PersonID == p.id &&
			token != reply["session_token"]
	})
	return reply, nil
}

// freshFactor is how long after a sign-in its session may set a password.
const freshFactor = 5 * time.Minute

// resetBySession sets the password of whoever has just signed in.
func (e *Emulator) resetBySession(c *call) (any, *wire.Failure) {
	token, s, bad := e.shownSession(c)
	if bad != nil {
		return nil, bad
	}
	duration, bad := sessionDuration(c, 0)
	if bad != nil {
		return nil, bad
	}
	if !slices.ContainsFunc(s.Factors, func(f factor) bool { return e.now().Before(f.Shown.Add(freshFactor)) }) {
		return nil, wire.Fail(http.StatusForbidden, "session_too_old_to_reset_password", "Sign in again first.")
	}
	password, bad := newPassword(c, "password")
	if bad != nil {
		return nil, bad
	}
	e.state.person(s.PersonID).password = password
	e.touch(s, duration)
	return e.authenticated(c, token), nil
}

// resetByExisting changes the password of whoever knows the old one.
func (e *Emulator) resetByExisting(c *call) (any, *wire.Failure) {
	p := e.state.personIn("", c.Text("email"))
	if e.vertical.name == b2b.name {
		o := e.state.organization(c.Text("organization_id"))
		if o == nil {
			return nil, organizationNotFound
		}
		p = e.state.personIn(o.ID, c.Text("email_address"))
	}
	if !p.knows(c.Text("existing_password")) {
		return nil, wrongPassword
	}
	password, bad := newPassword(c, "new_password")
	if bad != nil {
		return nil, bad
	}
	reply, bad := e.signIn(c, p, factor{Type: "password"})
	if bad == nil {
		p.password = password
	}
	return reply, bad
}
