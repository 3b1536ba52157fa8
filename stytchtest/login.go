package stytchtest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
)

const (
	codeLifetime         = 10 * time.Minute
	linkLifetime         = time.Hour
	inviteLifetime       = 7 * 24 * time.Hour
	intermediateLifetime = 10 * time.Minute
)

// address returns the e-mail address of the call, or Stytch's complaint.
func address(c *call) (string, *failure) {
	given := c.text("email_address")
	parsed, err := mail.ParseAddress(given)
	if err != nil || parsed.Address != given || len(given) > 254 {
		return "", fail(http.StatusBadRequest, "invalid_email", "The email address is invalid.")
	}
	return given, nil
}

// expiry reads a lifetime in minutes: five minutes to a week, as Stytch has it for mail.
func expiry(c *call, name string, otherwise time.Duration) (time.Duration, *failure) {
	minutes := c.number(name, 0)
	switch {
	case minutes == 0:
		return otherwise, nil
	case minutes < 2 || minutes > 10080:
		return 0, fail(http.StatusBadRequest, "invalid_expiration", name+" must be between 2 and 10080.")
	}
	return time.Duration(minutes) * time.Minute, nil
}

// sendCode mails a one-time code to anybody who asks: an address that belongs to
// nobody gets one too, and sees no organization afterwards. The newest code counts.
func (e *Emulator) sendCode(c *call) (any, *failure) {
	email, bad := address(c)
	if bad != nil {
		return nil, bad
	}
	life, bad := expiry(c, "discovery_expiration_minutes", codeLifetime)
	if bad != nil {
		return nil, bad
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	code := fmt.Sprintf("%06d", n)
	e.state.codes[strings.ToLower(email)] = &emailCode{code, e.now().Add(life)}
	e.state.mail(Mail{To: email, Kind: "otp", Code: code, SentAt: e.now()})
	return nil, nil
}

func (e *Emulator) authenticateCode(c *call) (any, *failure) {
	email := strings.ToLower(c.text("email_address"))
	known := e.state.codes[email]
	if known == nil || !same(c.text("code"), known.code) || !e.now().Before(known.expires) {
		return nil, fail(http.StatusUnauthorized, "otp_code_not_found", "The passcode is wrong or has expired.")
	}
	delete(e.state.codes, email)
	return e.discovered(c.text("email_address"), "email_otp"), nil
}

// sendLink mails a magic link that leads to the registered URL and nowhere else.
func (e *Emulator) sendLink(c *call) (any, *failure) {
	email, bad := address(c)
	if bad != nil {
		return nil, bad
	}
	to, bad := e.redirectURL(c.text("discovery_redirect_url"))
	if bad != nil {
		return nil, bad
	}
	life, bad := expiry(c, "discovery_expiration_minutes", linkLifetime)
	if bad != nil {
		return nil, bad
	}
	if e.state.project.PKCERequired && c.text("pkce_code_challenge") == "" {
		return nil, fail(http.StatusBadRequest, "pkce_expected_code_challenge", "The project requires PKCE for magic links.")
	}
	token := secret()
	e.state.links[token] = &emailLink{email: email, challenge: c.text("pkce_code_challenge"), expires: e.now().Add(life)}
	e.state.mail(Mail{To: email, Kind: "magic_link", Link: link(to, "discovery", token), SentAt: e.now()})
	return nil, nil
}

// redirectURL compares with the project's SDK redirect URLs exactly, query included;
// an empty one means the first registered.
func (e *Emulator) redirectURL(given string) (string, *failure) {
	registered := e.state.project.RedirectURLs
	if given == "" && len(registered) > 0 {
		return registered[0], nil
	}
	if !slices.Contains(registered, given) {
		return "", fail(http.StatusBadRequest, "no_match_for_provided_redirect_url", "The redirect URL is not registered in the project.")
	}
	return given, nil
}

func link(to, kind, token string) string {
	return withQuery(to, "stytch_token_type", kind, "token", token)
}

// authenticateLink redeems a link once. A wrong verifier does not spend it.
func (e *Emulator) authenticateLink(c *call) (any, *failure) {
	token := c.text("discovery_magic_links_token")
	known := e.state.links[token]
	if known == nil || known.memberID != "" || !e.now().Before(known.expires) {
		return nil, fail(http.StatusUnauthorized, "magic_link_not_found", "The magic link was used already or has expired.")
	}
	if known.challenge != "" && challengeOf(c.text("pkce_code_verifier")) != known.challenge {
		return nil, fail(http.StatusBadRequest, "pkce_mismatch", "Open the link in the browser that asked for it.")
	}
	delete(e.state.links, token)
	return e.discovered(known.email, "magic_link"), nil
}

// discovered is what both discovery methods answer: an intermediate session, and the
// organizations of the address.
func (e *Emulator) discovered(email, factor string) map[string]any {
	token := secret()
	e.state.intermediates[token] = &intermediate{email, factor, e.now().Add(intermediateLifetime)}
	reply := e.discoveredOrganizations(email)
	reply["intermediate_session_token"] = token
	return reply
}

func (e *Emulator) discoveredOrganizations(email string) map[string]any {
	found := []any{}
	for _, m := range e.state.membersOf(email) {
		found = append(found, map[string]any{"organization": e.organizationObject(m.OrganizationID), "member_authenticated": true,
			"membership":   map[string]any{"type": m.Status + "_member", "details": nil, "member": e.memberObject(m)},
			"mfa_required": nil, "primary_required": nil})
	}
	return map[string]any{"email_address": email, "organization_id_hint": nil, "discovered_organizations": found}
}

// discoverOrganizations answers for an intermediate session, or for a full one.
func (e *Emulator) discoverOrganizations(c *call) (any, *failure) {
	if c.text("intermediate_session_token") == "" {
		token, bad := e.sessionToken(c)
		if bad != nil {
			return nil, bad
		}
		if s := e.goodSession(token); s != nil {
			return e.discoveredOrganizations(e.state.member(s.memberID).Email), nil
		}
	}
	i, bad := e.intermediate(c)
	if bad != nil {
		return nil, bad
	}
	return e.discoveredOrganizations(i.email), nil
}

func (e *Emulator) intermediate(c *call) (*intermediate, *failure) {
	i := e.state.intermediates[c.text("intermediate_session_token")]
	if i == nil || !e.now().Before(i.expires) {
		return nil, fail(http.StatusUnauthorized, "intermediate_session_not_found", "The intermediate session was not found or has expired.")
	}
	return i, nil
}

// exchangeIntermediate signs the person in to one organization.
func (e *Emulator) exchangeIntermediate(c *call) (any, *failure) {
	i, bad := e.intermediate(c)
	if bad != nil {
		return nil, bad
	}
	o := e.state.organization(c.text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	m := e.state.memberOf(o.ID, i.email)
	if m == nil {
		return nil, fail(http.StatusForbidden, "invalid_intermediate_session_token_for_organization", "The person does not belong to this organization.")
	}
	reply, bad := e.signIn(c, m, i.factor)
	if bad == nil {
		delete(e.state.intermediates, c.text("intermediate_session_token"))
	}
	return reply, bad
}

// acceptInvitation redeems the link of an invitation once.
func (e *Emulator) acceptInvitation(c *call) (any, *failure) {
	token := c.text("magic_links_token")
	known := e.state.links[token]
	m := (*Member)(nil)
	if known != nil && known.memberID != "" && e.now().Before(known.expires) {
		m = e.state.member(known.memberID)
	}
	if m == nil || m.Status == "deleted" {
		return nil, fail(http.StatusUnauthorized, "magic_link_not_found", "The invitation was used already or has expired.")
	}
	reply, bad := e.signIn(c, m, "magic_link")
	if bad == nil {
		delete(e.state.links, token)
	}
	return reply, bad
}
