package stytchtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MintRequest describes a token to be made without anybody signing in.
type MintRequest struct {
	Kind      string         `json:"kind"`       // access (default), session, id or m2m
	Subject   string         `json:"subject"`    // a member id; for m2m a client id
	ClientID  string         `json:"client_id"`  // "": the first connected app
	Scopes    []string       `json:"scopes"`     // nil: openid profile email members:read
	ExpiresIn int            `json:"expires_in"` // seconds from now; 0: 3600; negative: expired already
	Claims    map[string]any `json:"claims"`     // each replaces a claim, nil removes it
	Issuer    string         `json:"issuer"`     // "": as in a token from the root form
}

// Mint signs a token of any kind with the current key.
func (e *Emulator) Mint(m MintRequest) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m.Issuer == "" {
		m.Issuer = e.issuer
	}
	return e.mint(m)
}

func (e *Emulator) mint(m MintRequest) (string, error) {
	if m.ClientID == "" && len(e.state.apps) > 0 {
		m.ClientID = e.state.apps[0].ClientID
	}
	if m.Scopes == nil {
		m.Scopes = []string{"openid", "profile", "email", "members:read"}
	}
	if m.ExpiresIn == 0 {
		m.ExpiresIn = 3600
	}
	member := e.state.member(m.Subject)
	if member == nil && m.Kind != "m2m" {
		return "", fmt.Errorf("stytchtest: no member %q to mint for", m.Subject)
	}
	life := time.Duration(m.ExpiresIn) * time.Second
	var claims map[string]any
	switch m.Kind {
	case "", "access":
		app := e.state.app(m.ClientID)
		if app == nil {
			app = &ConnectedApp{ClientID: m.ClientID}
		}
		claims = e.accessClaims(m.Issuer, member, app, m.Scopes, nil, life)
	case "session":
		s := &session{id: newID("member-session"), memberID: member.ID, started: e.now(), expires: e.now().Add(time.Hour), factor: "email_otp"}
		claims = e.sessionClaims(m.Issuer, member, s)
	case "id":
		claims = e.idClaims(m.Issuer, member, m.ClientID, m.Scopes, "n-1")
	case "m2m":
		claims = e.times(life)
		claims["iss"], claims["sub"], claims["aud"] = m.Issuer, m.Subject, []string{e.state.project.ID}
		claims["scope"] = strings.Join(m.Scopes, " ")
	default:
		return "", fmt.Errorf("stytchtest: token kind %q: it must be access, session, id or m2m", m.Kind)
	}
	for name, value := range m.Claims {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return e.sign(claims), nil
}

// times are iat, nbf and exp. A token that is born expired was issued an hour before its end.
func (e *Emulator) times(life time.Duration) map[string]any {
	now := e.now()
	issued := now
	if life <= 0 {
		issued = now.Add(life - time.Hour)
	}
	return map[string]any{"iat": issued.Unix(), "nbf": issued.Unix(), "exp": now.Add(life).Unix()}
}

func (e *Emulator) organizationClaim(m *Member) map[string]string {
	o := e.state.organization(m.OrganizationID)
	return map[string]string{"organization_id": o.ID, "slug": o.Slug}
}

func (e *Emulator) accessClaims(issuer string, m *Member, app *ConnectedApp, scopes, resources []string, life time.Duration) map[string]any {
	audience := []string{e.state.project.ID}
	if app.Audience != "" {
		audience = append(audience, app.Audience)
	}
	claims := e.times(life)
	claims["iss"], claims["sub"], claims["aud"] = issuer, m.ID, append(audience, resources...)
	claims["client_id"], claims["scope"], claims["jti"] = app.ClientID, strings.Join(scopes, " "), secret()[:26]
	claims["https://stytch.com/organization"] = e.organizationClaim(m)
	return claims
}

func (e *Emulator) idClaims(issuer string, m *Member, clientID string, scopes []string, nonce string) map[string]any {
	claims := e.times(time.Hour)
	claims["iss"], claims["aud"] = issuer, []string{clientID}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	for name, value := range userClaims(m, scopes) {
		claims[name] = value
	}
	return claims
}

func (e *Emulator) sessionClaims(issuer string, m *Member, s *session) map[string]any {
	claims := e.times(5 * time.Minute)
	claims["iss"], claims["sub"], claims["aud"] = issuer, m.ID, []string{e.state.project.ID}
	claims["https://stytch.com/session"] = map[string]any{"id": s.id, "started_at": s.started.Format(time.RFC3339),
		"last_accessed_at": e.now().Format(time.RFC3339), "expires_at": s.expires.Format(time.RFC3339),
		"attributes": map[string]any{}, "authentication_factors": []any{}, "roles": m.Roles}
	claims["https://stytch.com/organization"] = e.organizationClaim(m)
	return claims
}

// userClaims are those of the OpenID Connect scopes (OpenID Connect Core section 5.4).
func userClaims(m *Member, scopes []string) map[string]any {
	claims := map[string]any{"sub": m.ID}
	if slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = m.Email, true
	}
	if slices.Contains(scopes, "profile") {
		claims["name"] = m.Name
		if given, family, ok := strings.Cut(m.Name, " "); ok {
			claims["given_name"], claims["family_name"] = given, family
		}
	}
	return claims
}

// The two grants of the token endpoint.

func (e *Emulator) token(c *call) (any, *failure) {
	app, bad := e.authenticateClient(c)
	if bad != nil {
		return nil, bad
	}
	switch c.text("grant_type") {
	case "authorization_code":
		return e.exchangeCode(c, app)
	case "refresh_token":
		return e.refresh(c, app)
	case "":
		return nil, oauthFail(http.StatusBadRequest, "invalid_request", "grant_type is required.")
	}
	return nil, oauthFail(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported.")
}

// authenticateClient takes id and secret from the body or from Basic; a public
// client has no secret. The project's credentials play no part here.
func (e *Emulator) authenticateClient(c *call) (*ConnectedApp, *failure) {
	id, given, basic := c.r.BasicAuth()
	if !basic {
		id, given = c.text("client_id"), c.text("client_secret")
	}
	app := e.state.app(id)
	if id == "" {
		return nil, oauthFail(http.StatusBadRequest, "invalid_request", "client_id is required.")
	}
	if app == nil || !same(given, app.ClientSecret) {
		if basic {
			f := oauthFail(http.StatusUnauthorized, "invalid_client", "Client authentication failed.")
			f.challenge = `Basic realm="stytch"`
			return nil, f
		}
		return nil, oauthFail(http.StatusBadRequest, "invalid_client", "Client authentication failed.")
	}
	return app, nil
}

func invalidGrant(message string) *failure {
	return oauthFail(http.StatusBadRequest, "invalid_grant", message)
}

func (e *Emulator) exchangeCode(c *call, app *ConnectedApp) (any, *failure) {
	code := c.text("code")
	if code == "" {
		return nil, oauthFail(http.StatusBadRequest, "invalid_request", "code is required.")
	}
	g := e.state.grants[code]
	switch {
	case g == nil || g.clientID != app.ClientID:
		return nil, invalidGrant("The authorization code was not found.")
	case g.used:
		return nil, invalidGrant("The authorization code was used already.")
	case !e.now().Before(g.expires):
		return nil, invalidGrant("The authorization code has expired.")
	case c.text("redirect_uri") != g.redirectURI:
		return nil, invalidGrant("The redirect_uri is not the one of the authorization request.")
	case g.challenge != "" && challengeOf(c.text("code_verifier")) != g.challenge:
		return nil, invalidGrant("The code_verifier does not match the code_challenge.")
	}
	g.used = true
	reply := e.tokens(c, app, g)
	if slices.Contains(g.scopes, "offline_access") {
		reply["refresh_token"] = e.newRefreshToken(*g)
	}
	return reply, nil
}

func (e *Emulator) newRefreshToken(g grant) string {
	token := secret()
	g.used, g.expires = false, e.now().Add(90*24*time.Hour)
	e.state.refreshes[token] = &g
	return token
}

func (e *Emulator) refresh(c *call, app *ConnectedApp) (any, *failure) {
	token := c.text("refresh_token")
	g := e.state.refreshes[token]
	switch {
	case token == "":
		return nil, oauthFail(http.StatusBadRequest, "invalid_request", "refresh_token is required.")
	case g == nil || g.clientID != app.ClientID:
		return nil, invalidGrant("The refresh token was not found.")
	case g.used:
		return nil, invalidGrant("The refresh token was used already.")
	case !e.now().Before(g.expires):
		return nil, invalidGrant("The refresh token has expired.")
	case e.state.consents[consentKey{g.memberID, g.clientID}] == nil:
		return nil, invalidGrant("The consent was revoked.")
	}
	if m := e.state.member(g.memberID); m == nil || m.Status != "active" {
		return nil, invalidGrant("The member is not active.")
	}
	reply := e.tokens(c, app, g)
	if app.public() {
		g.used = true
		reply["refresh_token"] = e.newRefreshToken(*g)
	} else {
		g.expires = e.now().Add(90 * 24 * time.Hour)
	}
	return reply, nil
}

func (a *ConnectedApp) public() bool { return strings.HasSuffix(a.Type, "_public") }

// tokens makes the access token, and an ID token iff openid was granted.
func (e *Emulator) tokens(c *call, app *ConnectedApp, g *grant) map[string]any {
	minutes := app.Minutes
	if minutes == 0 {
		minutes = 60
	}
	m := e.state.member(g.memberID)
	claims := e.accessClaims(e.issuerOf(c), m, app, g.scopes, g.resources, time.Duration(minutes)*time.Minute)
	reply := map[string]any{"access_token": e.sign(claims), "token_type": "bearer", "expires_in": minutes * 60, "scope": strings.Join(g.scopes, " ")}
	if slices.Contains(g.scopes, "openid") {
		reply["id_token"] = e.sign(e.idClaims(e.issuerOf(c), m, app.ClientID, g.scopes, g.nonce))
	}
	return reply
}
