package stytchtest

import (
	"net/http"
	"strings"
	"time"
)

const sessionTokenLifetime = 5 * time.Minute // of a session JWT; the session lasts longer

func sessionNotFound(c *call) *failure {
	status := http.StatusNotFound
	if c.dialect == browser {
		status = http.StatusUnauthorized
	}
	return fail(status, "session_not_found", "The session could not be found.")
}

// signIn makes a session. Somebody invited or pending becomes active by it.
func (e *Emulator) signIn(c *call, m *Member, factor string) (map[string]any, *failure) {
	duration, bad := sessionDuration(c, time.Hour)
	if bad != nil {
		return nil, bad
	}
	m.Status = "active"
	token := secret()
	s := &session{id: newID("member-session"), memberID: m.ID, started: e.now(), factor: factor, expires: e.now().Add(duration)}
	e.state.sessions[token] = s
	return e.authenticated(c, token, s), nil
}

// sessionDuration holds Stytch's bounds: five minutes to 366 days.
func sessionDuration(c *call, otherwise time.Duration) (time.Duration, *failure) {
	minutes := c.number("session_duration_minutes", 0)
	switch {
	case minutes == 0:
		return otherwise, nil
	case minutes < 5 || minutes > 527_040:
		return 0, fail(http.StatusBadRequest, "invalid_session_duration_minutes", "session_duration_minutes must be between 5 and 527040.")
	}
	return time.Duration(minutes) * time.Minute, nil
}

// authenticated is the reply to everything that ends in a session.
func (e *Emulator) authenticated(c *call, token string, s *session) map[string]any {
	m := e.state.member(s.memberID)
	reply := e.memberReply(m)
	reply["organization_id"], reply["member_authenticated"], reply["method_id"] = m.OrganizationID, true, ""
	reply["member_session"], reply["session_token"] = e.sessionObject(s, m), token
	reply["session_jwt"] = e.mustSign(e.sessionClaims(e.issuerOf(c), m, s, sessionTokenLifetime))
	reply["intermediate_session_token"], reply["mfa_required"], reply["primary_required"] = "", nil, nil
	return reply
}

func (e *Emulator) sessionObject(s *session, m *Member) map[string]any {
	return map[string]any{"member_session_id": s.id, "member_id": m.ID, "organization_id": m.OrganizationID,
		"organization_slug": e.state.organization(m.OrganizationID).Slug, "started_at": timestamp(s.started),
		"last_accessed_at": timestamp(e.now()), "expires_at": timestamp(s.expires), "custom_claims": map[string]any{},
		"roles": m.Roles, "authentication_factors": []any{s.factorObject(m)}}
}

func (s *session) factorObject(m *Member) map[string]any {
	started := timestamp(s.started)
	return map[string]any{"type": s.factor, "delivery_method": "email", "last_authenticated_at": started, "created_at": started,
		"updated_at": started, "email_factor": map[string]any{"email_id": "email-" + m.ID, "email_address": m.Email}}
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

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

// sessionToken finds the token that the call shows. Servers send it in the body, or
// the session's JWT instead, which may have expired: the session counts. For the SDK
// it stands in Basic, behind the public token.
func (e *Emulator) sessionToken(c *call) (string, *failure) {
	if c.dialect == browser {
		_, token, _ := c.r.BasicAuth()
		return token, nil
	}
	token, jwt := c.text("session_token"), c.text("session_jwt")
	switch {
	case token != "" && jwt != "":
		return "", fail(http.StatusBadRequest, "too_many_session_arguments", "Give session_token or session_jwt, not both.")
	case jwt != "":
		return e.tokenOfJWT(jwt), nil
	}
	return token, nil
}

func (e *Emulator) tokenOfJWT(jwt string) string {
	claims, _ := e.signed(jwt)
	about, _ := claims["https://stytch.com/session"].(map[string]any)
	for token, s := range e.state.sessions {
		if about["id"] == s.id {
			return token
		}
	}
	return ""
}

func (e *Emulator) authenticateSession(c *call) (any, *failure) {
	token, bad := e.sessionToken(c)
	if bad != nil {
		return nil, bad
	}
	s := e.goodSession(token)
	if s == nil {
		return nil, sessionNotFound(c)
	}
	duration, bad := sessionDuration(c, 0)
	if bad != nil {
		return nil, bad
	}
	verdict, bad := e.authorizationCheck(c, s)
	if bad != nil {
		return nil, bad
	}
	if duration > 0 {
		s.expires = e.now().Add(duration)
	}
	reply := e.authenticated(c, token, s)
	if verdict != nil {
		reply["verdict"] = verdict
	}
	return reply, nil
}

// authorizationCheck measures the session against the RBAC policy, if the caller asks.
func (e *Emulator) authorizationCheck(c *call, s *session) (map[string]any, *failure) {
	check, asked := c.body["authorization_check"].(map[string]any)
	if !asked {
		return nil, nil
	}
	question := &call{body: check}
	m := e.state.member(s.memberID)
	needed := []Permission{{question.text("resource_id"), []string{question.text("action")}}}
	if question.text("organization_id") != m.OrganizationID || !e.state.covers(m, needed) {
		return nil, notAuthorized
	}
	granting := []string{}
	for _, role := range m.Roles {
		if e.state.covers(&Member{Roles: []string{role}}, needed) {
			granting = append(granting, role)
		}
	}
	return map[string]any{"authorized": true, "granting_roles": granting}, nil
}

var notAuthorized = fail(http.StatusForbidden, "session_authorization_error", "The member is not authorized to perform this action.")

// enforce is what Stytch does when a server sends a member's session along, and only
// then: the project secret alone may do everything.
func (e *Emulator) enforce(c *call, organizationID, resource, action string) *failure {
	token, jwt := c.r.Header.Get("X-Stytch-Member-Session"), c.r.Header.Get("X-Stytch-Member-SessionJWT")
	if token == "" && jwt == "" {
		return nil
	}
	if token == "" {
		token = e.tokenOfJWT(jwt)
	}
	s := e.goodSession(token)
	if s == nil {
		return sessionNotFound(c)
	}
	m := e.state.member(s.memberID)
	if m.OrganizationID != organizationID || !e.state.covers(m, []Permission{{resource, []string{action}}}) {
		return notAuthorized
	}
	return nil
}

// revokeSession ends a session; one that is unknown is a success.
func (e *Emulator) revokeSession(c *call) (any, *failure) {
	token, bad := e.sessionToken(c)
	if bad != nil {
		return nil, bad
	}
	delete(e.state.sessions, token)
	for token, s := range e.state.sessions {
		if c.dialect != browser && s.id == c.text("member_session_id") {
			delete(e.state.sessions, token)
		}
	}
	return nil, nil
}

// authorizingMember is the session's, or for servers the one that is named. Stytch
// wants exactly one of the ways.
func (e *Emulator) authorizingMember(c *call) (*Member, *failure) {
	if c.dialect != browser && c.text("member_id") != "" {
		return e.namedMember(c)
	}
	if c.dialect != browser && c.text("session_token") == "" && c.text("session_jwt") == "" {
		return nil, noMemberSelector
	}
	token, bad := e.sessionToken(c)
	if bad != nil {
		return nil, bad
	}
	if s := e.goodSession(token); s != nil {
		return e.state.member(s.memberID), nil
	}
	return nil, sessionNotFound(c)
}

var noMemberSelector = fail(http.StatusBadRequest, "no_oauth_authorize_member_selector",
	"Give exactly one of session_token, session_jwt, or organization_id and member_id.")

func (e *Emulator) namedMember(c *call) (*Member, *failure) {
	if c.text("organization_id") == "" || strings.TrimSpace(c.text("session_token")+c.text("session_jwt")) != "" {
		return nil, noMemberSelector
	}
	o := e.state.organization(c.text("organization_id"))
	if o == nil {
		return nil, organizationNotFound
	}
	m := e.state.member(c.text("member_id"))
	if m == nil || m.OrganizationID != o.ID || m.Status != "active" {
		return nil, memberNotFound
	}
	return m, nil
}
