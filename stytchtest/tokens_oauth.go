package stytchtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// challengeOf returns the S256 challenge of a verifier (RFC 7636 section 4.2).
func challengeOf(verifier string) string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// accessToken returns the claims of a good access token of ours: not ended, not
// revoked, of somebody who is active. The caller holds mu.
func (e *Emulator) accessToken(token string) (claims map[string]any, owner *person) {
	claims, ok := e.signed(token)
	if !ok {
		return nil, nil
	}
	text := func(name string) string { s, _ := claims[name].(string); return s }
	expires, _ := claims["exp"].(float64)
	p := e.state.person(text("sub"))
	if text("client_id") == "" || !p.mayAct() || !e.now().Before(time.Unix(int64(expires), 0)) {
		return nil, nil
	}
	if issued := e.state.Issued[text("jti")]; issued != nil && issued.Revoked {
		return nil, nil
	}
	return claims, p
}

// introspect is RFC 7662: an unknown or ended token, and one of another client, is
// inactive, never an error.
func (e *Emulator) introspect(c *call) (any, *wire.Failure) {
	app, bad := e.formClient(c)
	if bad != nil {
		return nil, bad
	}
	if claims, owner := e.accessToken(c.Text("token")); owner != nil && claims["client_id"] == app.ClientID {
		delete(claims, "nbf")
		delete(claims, "jti")
		claims["active"], claims["token_type"] = true, "access_token"
		return claims, nil
	}
	g := e.state.Refreshes[c.Text("token")]
	if g != nil && !g.Used && g.ClientID == app.ClientID && e.now().Before(g.Expires) && e.mayRedeem(g) == nil {
		reply := map[string]any{"active": true, "token_type": "refresh_token", "sub": g.PersonID,
			"aud":       []string{e.state.project.ID},
			"client_id": g.ClientID, "scope": strings.Join(g.Scopes, " "), "exp": g.Expires.Unix(),
			"iss": e.issuerOf(c)}
		e.addOrganization(reply, e.state.person(g.PersonID))
		return reply, nil
	}
	return map[string]any{"active": false}, nil
}

// formClient returns the client of introspection and revocation, which take forms only.
func (e *Emulator) formClient(c *call) (*ConnectedApp, *wire.Failure) {
	app, bad := e.authenticateClient(c)
	if bad == nil && !c.Form {
		bad = invalidRequest("The body must be application/x-www-form-urlencoded.")
	}
	if bad == nil && c.Text("token") == "" {
		bad = invalidRequest("token is required.")
	}
	return app, bad
}

// revokeToken is RFC 7009: an unknown token is a success. A refresh token takes with it
// the access tokens that came from the same code.
func (e *Emulator) revokeToken(c *call) (any, *wire.Failure) {
	app, bad := e.formClient(c)
	if bad != nil {
		return nil, bad
	}
	token := c.Text("token")
	if g := e.state.Refreshes[token]; g != nil && g.ClientID == app.ClientID {
		e.state.revoke(func(_ consentKey, lineage string) bool { return lineage == g.Lineage })
	} else if claims, owner := e.accessToken(token); owner != nil && claims["client_id"] == app.ClientID {
		id, _ := claims["jti"].(string)
		if issued := e.state.Issued[id]; issued != nil {
			issued.Revoked = true
		}
	}
	return nil, nil
}

// userinfo is OpenID Connect Core section 5.3, its errors those of RFC 6750 section 3.1.
func (e *Emulator) userinfo(c *call) (any, *wire.Failure) {
	scheme, token, _ := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	claims, owner := e.accessToken(token)
	if !strings.EqualFold(scheme, "Bearer") || owner == nil {
		return nil, bearerFail(http.StatusUnauthorized, "invalid_token", "The access token is invalid.")
	}
	scope, _ := claims["scope"].(string)
	scopes := strings.Fields(scope)
	if !slices.Contains(scopes, "openid") {
		return nil, bearerFail(http.StatusForbidden, "insufficient_scope", "The access token lacks the scope openid.")
	}
	return userClaims(owner, scopes), nil
}

func bearerFail(status int, kind, message string) *wire.Failure {
	f := wire.OAuthFail(status, kind, message)
	f.Challenge = `Bearer error="` + kind + `"`
	return f
}
