package stytchtest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"net/mail"
	"net/url"
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

// sendCode mails a one-time code to anybody who asks: an address that belongs to
// nobody gets one too, and sees no organization afterwards.
func (e *Emulator) sendCode(c *call) (any, *failure) {
	email, bad := address(c)
	if bad != nil {
		return nil, bad
	}
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000))
	code := fmt.Sprintf("%06d", n)
	e.state.codes[strings.ToLower(email)] = &emailCode{code, e.now().Add(codeLifetime)}
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
	if e.state.project.PKCERequired && c.text("pkce_code_challenge") == "" {
		return nil, fail(http.StatusBadRequest, "pkce_expected_code_challenge", "The project requires PKCE for magic links.")
	}
	token := secret()
	e.state.links[token] = &emailLink{email: email, challenge: c.text("pkce_code_challenge"), expires: e.now().Add(linkLifetime)}
	e.state.mail(Mail{To: email, Kind: "magic_link", Link: link(to, "discovery", token), SentAt: e.now()})
	return nil, nil
}

// redirectURL compares with the registered ones exactly, query included; an empty
// one means the first registered.
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
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	query := u.Query()
	query.Set("stytch_token_type", kind)
	query.Set("token", token)
	u.RawQuery = query.Encode()
	return u.String()
}

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
		kind := map[string]string{"invited": "invited_member", "pending": "pending_member"}[m.Status]
		if kind == "" {
			kind = "active_member"
		}
		found = append(found, map[string]any{"organization": e.organizationObject(m.OrganizationID), "member_authenticated": true,
			"membership": map[string]any{"type": kind, "details": nil, "member": e.memberObject(m)}, "mfa_required": nil, "primary_required": nil})
	}
	return map[string]any{"email_address": email, "organization_id_hint": nil, "discovered_organizations": found}
}

func (e *Emulator) discoverOrganizations(c *call) (any, *failure) {
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

// exchangeIntermediate signs the person in to one organization. Somebody invited
// becomes active by it.
func (e *Emulator) exchangeIntermediate(c *call) (any, *failure) {
	i, bad := e.intermediate(c)
	if bad != nil {
		return nil, bad
	}
	for _, m := range e.state.membersOf(i.email) {
		if m.OrganizationID == c.text("organization_id") {
			delete(e.state.intermediates, c.text("intermediate_session_token"))
			return e.signIn(c, m, i.factor), nil
		}
	}
	return nil, fail(http.StatusForbidden, "invalid_intermediate_session_token_for_organization", "The person does not belong to this organization.")
}

// acceptInvitation redeems the link of an invitation.
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
	delete(e.state.links, token)
	return e.signIn(c, m, "magic_link"), nil
}

func (e *Emulator) signIn(c *call, m *Member, factor string) map[string]any {
	m.Status = "active"
	token := secret()
	s := &session{id: newID("member-session"), memberID: m.ID, started: e.now(), factor: factor,
		expires: e.now().Add(time.Duration(c.number("session_duration_minutes", 60)) * time.Minute)}
	e.state.sessions[token] = s
	return e.authenticated(c, token, s)
}

// authenticated is the reply to everything that ends in a session.
func (e *Emulator) authenticated(c *call, token string, s *session) map[string]any {
	m := e.state.member(s.memberID)
	return map[string]any{"member_id": m.ID, "member": e.memberObject(m), "organization": e.organizationObject(m.OrganizationID),
		"organization_id": m.OrganizationID, "member_session": e.sessionObject(s, m), "session_token": token,
		"session_jwt": e.sign(e.sessionClaims(e.issuerOf(c), m, s)), "member_authenticated": true,
		"intermediate_session_token": "", "mfa_required": nil, "primary_required": nil, "method_id": ""}
}

func (e *Emulator) sessionObject(s *session, m *Member) map[string]any {
	started, now := s.started.UTC().Format(time.RFC3339), e.now().UTC().Format(time.RFC3339)
	kind := map[string]string{"email_otp": "email_otp", "magic_link": "magic_link"}[s.factor]
	return map[string]any{"member_session_id": s.id, "member_id": m.ID, "organization_id": m.OrganizationID,
		"organization_slug": e.state.organization(m.OrganizationID).Slug, "started_at": started, "last_accessed_at": now,
		"expires_at": s.expires.UTC().Format(time.RFC3339), "custom_claims": map[string]any{}, "roles": m.Roles,
		"authentication_factors": []any{map[string]any{"type": kind, "delivery_method": "email", "last_authenticated_at": started,
			"created_at": started, "updated_at": started, "email_factor": map[string]any{"email_id": "email-" + m.ID, "email_address": m.Email}}}}
}

// goodSession returns the session of the token if its time has not ended and its
// member may still act. The caller holds mu.
func (e *Emulator) goodSession(token string) *session {
	s := e.state.sessions[token]
	if s == nil || !e.now().Before(s.expires) {
		return nil
	}
	if m := e.state.member(s.memberID); m == nil || m.Status != "active" {
		return nil
	}
	return s
}

// sessionToken is in the body for servers, behind the public token for the SDK.
func sessionToken(c *call) string {
	if token := c.text("session_token"); token != "" {
		return token
	}
	_, token, _ := c.r.BasicAuth()
	return token
}

func (e *Emulator) authenticateSession(c *call) (any, *failure) {
	s := e.goodSession(sessionToken(c))
	if s == nil {
		status := http.StatusNotFound
		if strings.HasPrefix(c.r.URL.Path, "/sdk/") {
			status = http.StatusUnauthorized
		}
		return nil, fail(status, "session_not_found", "The session could not be found.")
	}
	if minutes := c.number("session_duration_minutes", 0); minutes > 0 {
		s.expires = e.now().Add(time.Duration(minutes) * time.Minute)
	}
	return e.authenticated(c, sessionToken(c), s), nil
}

func (e *Emulator) revokeSession(c *call) (any, *failure) {
	delete(e.state.sessions, sessionToken(c))
	for token, s := range e.state.sessions {
		if s.id == c.text("member_session_id") {
			delete(e.state.sessions, token)
		}
	}
	return nil, nil
}

func (e *Emulator) ownOrganization(c *call) (any, *failure) {
	m, bad := e.authorizingMember(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"organization": e.organizationObject(m.OrganizationID)}, nil
}

func (e *Emulator) ownMember(c *call) (any, *failure) {
	m, bad := e.authorizingMember(c)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"member": e.memberObject(m)}, nil
}

// bootstrap is what the browser SDK asks first.
func (e *Emulator) bootstrap(c *call) (any, *failure) {
	if c.path("token") != e.state.project.PublicToken {
		return nil, fail(http.StatusNotFound, "project_not_found", "No project has this public token.")
	}
	pkce := e.state.project.PKCERequired
	return map[string]any{"project_name": e.state.project.Name, "disable_sdk_watermark": true, "cname_domain": nil,
		"email_domains": []string{"gmail.com"}, "captcha_settings": map[string]any{"enabled": false},
		"pkce_required_for_email_magic_links": pkce, "pkce_required_for_password_resets": false, "pkce_required_for_oauth": false,
		"pkce_required_for_sso": false, "slug_pattern": nil, "create_organization_enabled": false,
		"password_config": map[string]any{"luds_complexity": 3, "luds_minimum_count": 8}, "dfp_protected_auth_enabled": false,
		"rbac_policy": policyObject(e.state.policy), "siwe_required_for_crypto_wallets": false, "vertical": "B2B"}, nil
}
