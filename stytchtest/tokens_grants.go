package stytchtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

const refreshLifetime = 90 * 24 * time.Hour

// token is the token endpoint (RFC 6749 section 3.2), for forms and for JSON.
func (e *Emulator) token(c *call) (any, *wire.Failure) {
	app, bad := e.authenticateClient(c)
	if bad != nil {
		return nil, bad
	}
	switch c.Text("grant_type") {
	case "authorization_code":
		return e.exchangeCode(c, app)
	case "refresh_token":
		return e.refresh(c, app)
	case "":
		return nil, invalidRequest("grant_type is required.")
	}
	return nil, wire.OAuthFail(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported.")
}

// authenticateClient takes id and secret from the body or from Basic; a public
// client has no secret. The project's credentials play no part here.
func (e *Emulator) authenticateClient(c *call) (*ConnectedApp, *wire.Failure) {
	id, given, basic := c.Request.BasicAuth()
	if basic {
		// RFC 6749 section 2.3.1: both are form-encoded before they are joined.
		id, given = unescaped(id), unescaped(given)
	} else {
		id, given = c.Text("client_id"), c.Text("client_secret")
	}
	if id == "" {
		return nil, invalidRequest("client_id is required.")
	}
	app := e.knownApp(id)
	if app != nil && app.accepts(given) {
		return app, nil
	}
	bad := wire.OAuthFail(http.StatusBadRequest, "invalid_client", "Client authentication failed.")
	if basic { // section 5.2
		bad.Status, bad.Challenge = http.StatusUnauthorized, `Basic realm="stytch"`
	}
	return nil, bad
}

// accepts holds for both secrets while one is being rotated.
func (a *ConnectedApp) accepts(secret string) bool {
	if a.public() {
		return secret == ""
	}
	return same(secret, a.ClientSecret) || a.NextSecret != "" && same(secret, a.NextSecret)
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func invalidRequest(message string) *wire.Failure {
	return wire.OAuthFail(http.StatusBadRequest, "invalid_request", message)
}

func invalidGrant(message string) *wire.Failure {
	return wire.OAuthFail(http.StatusBadRequest, "invalid_grant", message)
}

// exchangeCode redeems a code once. A refused attempt does not spend it.
func (e *Emulator) exchangeCode(c *call, app *ConnectedApp) (any, *wire.Failure) {
	for _, name := range []string{"code", "redirect_uri"} {
		if c.Text(name) == "" {
			return nil, invalidRequest(name + " is required.")
		}
	}
	g := e.state.Grants[c.Text("code")]
	switch {
	case g == nil || g.ClientID != app.ClientID:
		return nil, invalidGrant("The authorization code was not found.")
	case g.Used:
		return nil, invalidGrant("The authorization code was used already.")
	case !e.now().Before(g.Expires):
		return nil, invalidGrant("The authorization code has expired.")
	case c.Text("redirect_uri") != g.RedirectURI:
		return nil, invalidGrant("The redirect_uri is not the one of the authorization request.")
	case g.Challenge != "" && challengeOf(c.Text("code_verifier")) != g.Challenge:
		return nil, invalidGrant("The code_verifier does not match the code_challenge.")
	}
	if bad := e.mayRedeem(g); bad != nil {
		return nil, bad
	}
	g.Used = true
	reply := e.tokens(c, app, g, g.Scopes)
	if slices.Contains(g.Scopes, "offline_access") {
		reply["refresh_token"] = e.newRefreshToken(*g)
	}
	return reply, nil
}

func (e *Emulator) newRefreshToken(g grant) string {
	token := secret()
	g.Used, g.Expires = false, e.now().Add(refreshLifetime)
	e.state.Refreshes[token] = &g
	return token
}

func (e *Emulator) refresh(c *call, app *ConnectedApp) (any, *wire.Failure) {
	token := c.Text("refresh_token")
	g := e.state.Refreshes[token]
	switch {
	case token == "":
		return nil, invalidRequest("refresh_token is required.")
	case g == nil || g.ClientID != app.ClientID:
		return nil, invalidGrant("The refresh token was not found.")
	case g.Used:
		return nil, invalidGrant("The refresh token was used already.")
	case !e.now().Before(g.Expires):
		return nil, invalidGrant("The refresh token has expired.")
	}
	if bad := e.mayRedeem(g); bad != nil {
		return nil, bad
	}
	scopes, bad := narrowed(g.Scopes, strings.Fields(c.Text("scope")))
	if bad != nil {
		return nil, bad
	}
	reply := e.tokens(c, app, g, scopes)
	if app.public() {
		g.Used = true
		reply["refresh_token"] = e.newRefreshToken(*g)
	} else {
		g.Expires = e.now().Add(refreshLifetime)
	}
	return reply, nil
}

// narrowed returns what a refresh may ask for: nothing that was not granted (RFC 6749 section 6).
func narrowed(granted, wanted []string) ([]string, *wire.Failure) {
	if len(wanted) == 0 {
		return granted, nil
	}
	for _, scope := range wanted {
		if !slices.Contains(granted, scope) {
			return nil, wire.OAuthFail(http.StatusBadRequest, "invalid_scope", "The scope "+scope+" was not granted.")
		}
	}
	return wanted, nil
}

// mayRedeem refuses grants of people who are not active. That consent was revoked
// needs no look: revocation takes codes and refresh tokens away.
func (e *Emulator) mayRedeem(g *grant) *wire.Failure {
	if !e.state.person(g.PersonID).mayAct() {
		return invalidGrant("The " + e.vertical.person + " is not active.")
	}
	return nil
}

// tokens makes the access token, and an ID token iff openid is among the scopes.
func (e *Emulator) tokens(c *call, app *ConnectedApp, g *grant, scopes []string) map[string]any {
	p := e.state.person(g.PersonID)
	claims := e.accessClaims(e.issuerOf(c), p, app, scopes, app.lifetime())
	e.recordAccess(claims, g.Lineage)
	reply := map[string]any{"access_token": e.unsigned("access", claims), "token_type": "bearer",
		"expires_in": int(app.lifetime().Seconds()), "scope": strings.Join(scopes, " ")}
	if slices.Contains(scopes, "openid") {
		reply["id_token"] = e.unsigned("id", e.idClaims(e.issuerOf(c), p, app.ClientID, scopes, g.Nonce, time.Hour))
	}
	return reply
}
