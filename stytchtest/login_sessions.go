package stytchtest

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"guestpass/stytchtest/internal/keys"
	"guestpass/stytchtest/internal/wire"
)

const sessionTokenLifetime = 5 * time.Minute // of a session JWT; the session lasts longer

func sessionNotFound(c *call) *wire.Failure {
	status := http.StatusNotFound
	if c.Dialect == wire.Browser {
		status = http.StatusUnauthorized
	}
	return wire.Fail(status, "session_not_found", "The session could not be found.")
}

// signIn makes a session, or adds the factors to the one that a server shows of the same
// person, who may be new. Without a duration servers get no session in Consumer projects.
func (e *Emulator) signIn(c *call, p *person, factors ...factor) (map[string]any, *wire.Failure) {
	duration, bad := sessionDuration(c, 0)
	if bad != nil {
		return nil, bad
	}
	shown := "" // one in the browser is of somebody who is about to be replaced
	if c.Dialect != wire.Browser {
		if shown, bad = e.sessionToken(c); bad != nil {
			return nil, bad
		}
	}
	if p.status == "deleted" {
		return nil, e.vertical.unknown
	}
	e.keep(p)
	e.admit(p, factors)
	delete(e.state.Intermediates, c.Text("intermediate_session_token"))
	if s := e.goodSession(shown); s != nil && s.PersonID == p.id {
		s.add(factors)
		e.touch(s, duration)
		return e.authenticated(c, shown), nil
	}
	if duration == 0 && e.vertical.name == consumer.name && c.Dialect != wire.Browser {
		return e.withoutSession(p), nil
	}
	return e.authenticated(c, e.begin(p, duration, factors)), nil
}

// admit makes somebody invited or pending active. Every factor but a password shows that
// the address is theirs.
func (e *Emulator) admit(p *person, factors []factor) {
	p.status = "active"
	for i := range factors {
		if factors[i].Type != "password" {
			p.emails[0].Verified = true
		}
		if factors[i].Shown.IsZero() {
			factors[i].Shown = e.now()
		}
	}
}

// begin makes a session; 0 is an hour.
func (e *Emulator) begin(p *person, duration time.Duration, factors []factor) (token string) {
	if duration == 0 {
		duration = time.Hour
	}
	token = secret()
	e.state.Sessions[token] = e.newSession(p, duration, factors...)
	return token
}

func (e *Emulator) newSession(p *person, duration time.Duration, factors ...factor) *session {
	return &session{ID: wire.NewID(e.vertical.sessionID), PersonID: p.id, Started: e.now(), Accessed: e.now(),
		Expires: e.now().Add(duration), Factors: factors}
}

// add keeps the latest of each kind.
func (s *session) add(factors []factor) {
	for _, f := range factors {
		s.Factors = slices.DeleteFunc(s.Factors,
			func(old factor) bool { return old.Type == f.Type && old.Provider == f.Provider })
	}
	s.Factors = append(s.Factors, factors...)
}

// touch is the use of a session; 0 leaves its end.
func (e *Emulator) touch(s *session, duration time.Duration) {
	if s.Accessed = e.now(); duration > 0 {
		s.Expires = e.now().Add(duration)
	}
}

// sessionDuration holds Stytch's bounds: five minutes to 366 days.
func sessionDuration(c *call, otherwise time.Duration) (time.Duration, *wire.Failure) {
	minutes := c.Number("session_duration_minutes", 0)
	switch {
	case minutes == 0:
		return otherwise, nil
	case minutes < 5 || minutes > 527_040:
		return 0, wire.Fail(http.StatusBadRequest, "invalid_session_duration_minutes",
			"session_duration_minutes must be between 5 and 527040.")
	case c.Dialect == wire.Browser && minutes > c.longest:
		return 0, wire.Fail(http.StatusBadRequest, "invalid_session_duration_minutes",
			"session_duration_minutes is more than the SDK's configuration allows.")
	}
	return time.Duration(minutes) * time.Minute, nil
}

// authenticated returns the reply to everything that ends in a session.
func (e *Emulator) authenticated(c *call, token string) map[string]any {
	s := e.state.Sessions[token]
	p := e.state.person(s.PersonID)
	reply := e.personReply(p)
	reply["method_id"], reply["session_token"], reply[e.vertical.session] = p.emails[0].ID, token, e.sessionObject(s, p)
	reply["session_jwt"] = keys.Unsigned{Key: e.keys.Signer(),
		Claims: e.sessionClaims(e.issuerOf(c), p, s, sessionTokenLifetime)}
	if p.organizationID == "" {
		reply["reset_sessions"] = false
		if c.Dialect == wire.Browser {
			reply["__user"] = reply["user"] // the SDK reads this one
		}
		return reply
	}
	reply["organization_id"], reply["member_authenticated"] = p.organizationID, true
	reply["intermediate_session_token"], reply["mfa_required"], reply["primary_required"] = "", nil, nil
	return reply
}

// withoutSession returns the reply to a good login that asked for no session.
func (e *Emulator) withoutSession(p *person) map[string]any {
	reply := e.personReply(p)
	reply["method_id"], reply["reset_sessions"] = p.emails[0].ID, false
	reply["session_token"], reply["session_jwt"], reply[e.vertical.session] = "", "", nil
	return reply
}

// personReply names a person as most replies do.
func (e *Emulator) personReply(p *person) map[string]any {
	if p.organizationID == "" {
		return map[string]any{"user_id": p.id, "user": userObject(p)}
	}
	return map[string]any{"member_id": p.id, "member": memberObject(p),
		"organization": e.organizationObject(e.state.organization(p.organizationID))}
}

func (e *Emulator) sessionObject(s *session, p *person) map[string]any {
	object := map[string]any{"started_at": timestamp(s.Started), "last_accessed_at": timestamp(s.Accessed),
		"expires_at":    timestamp(s.Expires),
		"custom_claims": map[string]any{}, "roles": p.roles, "authentication_factors": s.factorObjects(p)}
	if p.organizationID == "" {
		object["session_id"], object["user_id"] = s.ID, p.id
		object["attributes"] = map[string]any{"ip_address": "", "user_agent": ""}
		return object
	}
	object["member_session_id"], object["member_id"] = s.ID, p.id
	object["organization_id"], object["organization_slug"] = p.organizationID,
		e.state.organization(p.organizationID).Slug
	return object
}

func (s *session) factorObjects(p *person) []any {
	objects := []any{}
	for _, f := range s.Factors {
		objects = append(objects, f.object(p))
	}
	return objects
}

func (f factor) object(p *person) map[string]any {
	shown := timestamp(f.Shown)
	object := map[string]any{"type": f.Type, "last_authenticated_at": shown, "created_at": shown, "updated_at": shown}
	switch f.Type {
	case "oauth":
		object["delivery_method"] = "oauth_" + f.Provider
		object[f.Provider+"_oauth_factor"] = map[string]any{"id": p.registration(f.Provider).ID,
			"email_id":         p.emails[0].ID,
			"provider_subject": p.registration(f.Provider).Subject}
	case "password":
		object["delivery_method"] = "knowledge"
	case "trusted_auth_token":
		object["delivery_method"] = "trusted_token_exchange"
		object["trusted_auth_token_factor"] = map[string]any{"token_id": f.TokenID}
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
func (e *Emulator) sessionToken(c *call) (string, *wire.Failure) {
	if c.Dialect == wire.Browser {
		_, token, _ := c.Request.BasicAuth()
		return token, nil
	}
	token, jwt := c.Text("session_token"), c.Text("session_jwt")
	switch {
	case token != "" && jwt != "":
		return "", wire.Fail(http.StatusBadRequest, "too_many_session_arguments",
			"Give session_token or session_jwt, not both.")
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

// shownSession returns the session that the call must show.
func (e *Emulator) shownSession(c *call) (string, *session, *wire.Failure) {
	if c.Dialect != wire.Browser && c.Text("session_token")+c.Text("session_jwt") == "" {
		return "", nil, wire.Fail(http.StatusBadRequest, "no_session_arguments", "Give session_token or session_jwt.")
	}
	token, bad := e.sessionToken(c)
	if bad != nil {
		return "", nil, bad
	}
	s := e.goodSession(token)
	if s == nil {
		return "", nil, sessionNotFound(c)
	}
	return token, s, nil
}

func (e *Emulator) authenticateSession(c *call) (any, *wire.Failure) {
	token, s, bad := e.shownSession(c)
	if bad != nil {
		return nil, bad
	}
	duration, bad := sessionDuration(c, 0)
	if bad != nil {
		return nil, bad
	}
	verdict, bad := e.authorizationCheck(c, s)
	if bad != nil {
		return nil, bad
	}
	e.touch(s, duration)
	reply := e.authenticated(c, token)
	if verdict != nil {
		reply["verdict"] = verdict
	}
	return reply, nil
}

// getSessions lists the sessions of a person that have not ended.
func (e *Emulator) getSessions(c *call) (any, *wire.Failure) {
	query := c.Request.URL.Query()
	p := e.state.person(query.Get(e.vertical.person + "_id"))
	if o := e.state.organization(query.Get("organization_id")); p == nil || p.organizationID != "" &&
		(o == nil || o.ID != p.organizationID) {
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
func (e *Emulator) authorizationCheck(c *call, s *session) (map[string]any, *wire.Failure) {
	check, asked := c.Body["authorization_check"].(map[string]any)
	if !asked {
		return nil, nil
	}
	question := &wire.Call{Body: check}
	p := e.state.person(s.PersonID)
	needed := []Permission{{question.Text("resource_id"), []string{question.Text("action")}}}
	if question.Text("organization_id") != p.organizationID {
		return nil, otherTenant
	}
	defined := e.state.rolesOf(p.organizationID)
	if !covers(defined, p.roles, needed) {
		return nil, notAuthorized
	}
	granting := []string{}
	for _, role := range p.roles {
		if covers(defined, []string{role}, needed) {
			granting = append(granting, role)
		}
	}
	return map[string]any{"authorized": true, "granting_roles": granting}, nil
}

// revokeSession ends a session; one that is unknown is a success. Servers name it in one
// of several ways, or in B2B projects a member, all of whose sessions end.
func (e *Emulator) revokeSession(c *call) (any, *wire.Failure) {
	if c.Dialect == wire.Browser {
		token, bad := e.sessionToken(c)
		delete(e.state.Sessions, token)
		return nil, bad
	}
	ways := []string{"session_token", "session_jwt", e.vertical.session + "_id"}
	if e.vertical.name == b2b.name {
		ways = append(ways, "member_id")
	}
	given := slices.DeleteFunc(ways, func(way string) bool { return c.Text(way) == "" })
	if len(given) == 0 {
		return nil, wire.Fail(http.StatusBadRequest, "no_session_revoke_arguments", "Say which session.")
	}
	if len(given) > 1 {
		return nil, wire.Fail(http.StatusBadRequest, "too_many_session_revoke_arguments",
			"Say in one way which session.")
	}
	token, bad := e.sessionToken(c)
	if bad != nil {
		return nil, bad
	}
	id, personID := c.Text(e.vertical.session+"_id"), c.Text("member_id")
	maps.DeleteFunc(e.state.Sessions, func(t string, s *session) bool {
		return t == token || s.ID == id || personID != "" && s.PersonID == personID
	})
	return nil, nil
}

// authorizing returns the session's person, or for servers the one that is named. Stytch wants
// exactly one of the ways.
func (e *Emulator) authorizing(c *call) (*person, *wire.Failure) {
	if c.Dialect != wire.Browser && c.Text(e.vertical.person+"_id") != "" {
		return e.named(c)
	}
	if c.Dialect != wire.Browser && c.Text("session_token") == "" && c.Text("session_jwt") == "" {
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

var noSelector = wire.Fail(http.StatusBadRequest, "no_oauth_authorize_member_selector",
	"Give exactly one of session_token, session_jwt, or the person: organization_id and member_id, in Consumer "+
		"projects user_id.")

func (e *Emulator) named(c *call) (*person, *wire.Failure) {
	if c.Text("session_token")+c.Text("session_jwt") != "" {
		return nil, noSelector
	}
	p := e.state.person(c.Text(e.vertical.person + "_id"))
	if e.vertical.name == b2b.name {
		if c.Text("organization_id") == "" {
			return nil, noSelector
		}
		o := e.state.organization(c.Text("organization_id"))
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
