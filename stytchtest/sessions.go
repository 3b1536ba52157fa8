package stytchtest

import (
	"maps"
	"net/http"
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

// signIn makes a session. Somebody invited or pending becomes active by it, and has shown
// that the address is theirs.
func (e *Emulator) signIn(c *call, p *person, how factor) (map[string]any, *failure) {
	duration, bad := sessionDuration(c, time.Hour)
	if bad != nil {
		return nil, bad
	}
	if p.status == "deleted" {
		return nil, e.vertical.unknown
	}
	p.status, p.emails[0].Verified = "active", true
	delete(e.state.Intermediates, c.text("intermediate_session_token")) // what was begun elsewhere has ended here
	token := secret()
	e.state.Sessions[token] = e.newSession(p, how, duration)
	return e.authenticated(c, token, p), nil
}

func (e *Emulator) newSession(p *person, how factor, duration time.Duration) *session {
	return &session{ID: newID(e.vertical.sessionID), PersonID: p.id, Started: e.now(), Accessed: e.now(), Expires: e.now().Add(duration), Factor: how}
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
func (e *Emulator) authenticated(c *call, token string, p *person) map[string]any {
	s := e.state.Sessions[token]
	reply := e.personReply(p)
	reply["method_id"], reply["session_token"], reply[e.vertical.session] = p.emails[0].ID, token, e.sessionObject(s, p)
	reply["session_jwt"] = unsigned{e.signer(), e.sessionClaims(e.issuerOf(c), p, s, sessionTokenLifetime)}
	if p.organizationID == "" {
		reply["reset_sessions"] = false
		if c.dialect == browser {
			reply["__user"] = reply["user"] // the SDK reads this one
		}
		return reply
	}
	reply["organization_id"], reply["member_authenticated"] = p.organizationID, true
	reply["intermediate_session_token"], reply["mfa_required"], reply["primary_required"] = "", nil, nil
	return reply
}

// personReply names a person as most replies do.
func (e *Emulator) personReply(p *person) map[string]any {
	if p.organizationID == "" {
		return map[string]any{"user_id": p.id, "user": userObject(p)}
	}
	return map[string]any{"member_id": p.id, "member": memberObject(p), "organization": e.organizationObject(e.state.organization(p.organizationID))}
}

func (e *Emulator) sessionObject(s *session, p *person) map[string]any {
	object := map[string]any{"started_at": timestamp(s.Started), "last_accessed_at": timestamp(s.Accessed), "expires_at": timestamp(s.Expires),
		"custom_claims": map[string]any{}, "roles": p.roles, "authentication_factors": []any{s.factorObject(p)}}
	if p.organizationID == "" {
		object["session_id"], object["user_id"] = s.ID, p.id
		object["attributes"] = map[string]any{"ip_address": "", "user_agent": ""}
		return object
	}
	object["member_session_id"], object["member_id"] = s.ID, p.id
	object["organization_id"], object["organization_slug"] = p.organizationID, e.state.organization(p.organizationID).Slug
	return object
}

func (s *session) factorObject(p *person) map[string]any {
	started := timestamp(s.Started)
	object := map[string]any{"type": s.Factor.Type, "last_authenticated_at": started, "created_at": started, "updated_at": started}
	switch s.Factor.Type {
	case "oauth":
		object["type"], object["delivery_method"] = s.Factor.Provider+"_oauth", "oauth_"+s.Factor.Provider
		object[s.Factor.Provider+"_oauth_factor"] = map[string]any{"id": p.registration(s.Factor.Provider).ID, "email_id": p.emails[0].ID,
			"provider_subject": p.registration(s.Factor.Provider).Subject}
	case "password":
		object["delivery_method"] = "knowledge"
	default:
		object["delivery_method"] = "email"
		object["email_factor"] = map[string]any{"email_id": p.emails[0].ID, "email_address": p.email()}
	}
	return object
}

func (p *person) registration(provider string) OAuthProvider {
	for _, registered := range p.providers {
		if registered.Provider == provider {
			return registered
		}
	}
	return OAuthProvider{}
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// goodSession returns the session of the token if its time has not ended and its
// person may still act. The caller holds mu.
func (e *Emulator) goodSession(token string) *session {
	s := e.state.Sessions[token]
	if s == nil || !e.now().Before(s.Expires) || !e.state.person(s.PersonID).mayAct() {
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
	for token, s := range e.state.Sessions {
		if about["id"] == s.ID {
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
	s.Accessed = e.now()
	if duration > 0 {
		s.Expires = e.now().Add(duration)
	}
	reply := e.authenticated(c, token, e.state.person(s.PersonID))
	if verdict != nil {
		reply["verdict"] = verdict
	}
	return reply, nil
}

// getSessions lists the sessions of a person that have not ended.
func (e *Emulator) getSessions(c *call) (any, *failure) {
	query := c.r.URL.Query()
	p := e.state.person(query.Get(e.vertical.person + "_id"))
	if o := e.state.organization(query.Get("organization_id")); p == nil || p.organizationID != "" && (o == nil || o.ID != p.organizationID) {
		return nil, e.vertical.unknown
	}
	list := []any{}
	for token, s := range e.state.Sessions {
		if s.PersonID == p.id && e.goodSession(token) != nil {
			list = append(list, e.sessionObject(s, p))
		}
	}
	return map[string]any{e.vertical.session + "s": list}, nil
}

// authorizationCheck measures the session against the RBAC policy, if the caller asks.
func (e *Emulator) authorizationCheck(c *call, s *session) (map[string]any, *failure) {
	check, asked := c.body["authorization_check"].(map[string]any)
	if !asked {
		return nil, nil
	}
	question := &call{body: check}
	p := e.state.person(s.PersonID)
	needed := []Permission{{question.text("resource_id"), []string{question.text("action")}}}
	if question.text("organization_id") != p.organizationID || !e.state.covers(p.roles, needed) {
		return nil, notAuthorized
	}
	granting := []string{}
	for _, role := range p.roles {
		if e.state.covers([]string{role}, needed) {
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
	p := e.state.person(s.PersonID)
	if p.organizationID != organizationID || !e.state.covers(p.roles, []Permission{{resource, []string{action}}}) {
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
	delete(e.state.Sessions, token)
	if c.dialect == browser {
		return nil, nil
	}
	id, personID := c.text(e.vertical.session+"_id"), c.text(e.vertical.person+"_id")
	maps.DeleteFunc(e.state.Sessions, func(_ string, s *session) bool {
		return s.ID == id || personID != "" && s.PersonID == personID
	})
	return nil, nil
}

// authorizing is the session's person, or for servers the one that is named. Stytch wants
// exactly one of the ways.
func (e *Emulator) authorizing(c *call) (*person, *failure) {
	if c.dialect != browser && c.text(e.vertical.person+"_id") != "" {
		return e.named(c)
	}
	if c.dialect != browser && c.text("session_token") == "" && c.text("session_jwt") == "" {
		return nil, noSelector
	}
	token, bad := e.sessionToken(c)
	if bad != nil {
		return nil, bad
	}
	if s := e.goodSession(token); s != nil {
		return e.state.person(s.PersonID), nil
	}
	return nil, sessionNotFound(c)
}

var noSelector = fail(http.StatusBadRequest, "no_oauth_authorize_member_selector",
	"Give exactly one of session_token, session_jwt, or the person: organization_id and member_id, in Consumer projects user_id.")

func (e *Emulator) named(c *call) (*person, *failure) {
	if c.text("session_token")+c.text("session_jwt") != "" {
		return nil, noSelector
	}
	p := e.state.person(c.text(e.vertical.person + "_id"))
	if e.vertical.name == b2b.name {
		if c.text("organization_id") == "" {
			return nil, noSelector
		}
		o := e.state.organization(c.text("organization_id"))
		if o == nil {
			return nil, organizationNotFound
		}
		if p != nil && p.organizationID != o.ID {
			return nil, memberNotFound
		}
	}
	if !p.mayAct() {
		return nil, e.vertical.unknown
	}
	return p, nil
}
