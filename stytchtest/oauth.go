package stytchtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// challengeOf is the S256 challenge of a verifier (RFC 7636 section 4.2).
func challengeOf(verifier string) string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// accessToken returns the claims of a good access token of ours. The caller holds mu.
func (e *Emulator) accessToken(token string) (map[string]any, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !slices.ContainsFunc(e.keys, func(k signingKey) bool {
		return rsa.VerifyPKCS1v15(&k.key.PublicKey, crypto.SHA256, digest[:], signature) == nil
	}) {
		return nil, false
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]any
	if json.Unmarshal(payload, &claims) != nil {
		return nil, false
	}
	expires, _ := claims["exp"].(float64)
	issued, _ := claims["iat"].(float64)
	subject, _ := claims["sub"].(string)
	client, _ := claims["client_id"].(string)
	if client == "" || !e.now().Before(time.Unix(int64(expires), 0)) {
		return nil, false
	}
	if at, revoked := e.state.revoked[consentKey{subject, client}]; revoked && int64(issued) <= at.Unix() {
		return nil, false
	}
	m := e.state.member(subject)
	return claims, m != nil && m.Status == "active"
}

// introspect is RFC 7662: an unknown or ended token is inactive, never an error.
func (e *Emulator) introspect(c *call) (any, *failure) {
	app, bad := e.authenticateClient(c)
	if bad != nil {
		return nil, bad
	}
	if claims, ok := e.accessToken(c.text("token")); ok && claims["client_id"] == app.ClientID {
		delete(claims, "nbf")
		delete(claims, "jti")
		claims["active"], claims["token_type"] = true, "access_token"
		return claims, nil
	}
	if g := e.state.refreshes[c.text("token")]; g != nil && !g.used && g.clientID == app.ClientID && e.now().Before(g.expires) {
		return map[string]any{"active": true, "token_type": "refresh_token", "sub": g.memberID, "aud": []string{e.state.project.ID},
			"client_id": g.clientID, "scope": strings.Join(g.scopes, " "), "exp": g.expires.Unix(), "iss": e.issuerOf(c)}, nil
	}
	return map[string]any{"active": false}, nil
}

// revokeToken is RFC 7009: an unknown token is a success.
func (e *Emulator) revokeToken(c *call) (any, *failure) {
	app, bad := e.authenticateClient(c)
	if bad != nil {
		return nil, bad
	}
	token := c.text("token")
	if g := e.state.refreshes[token]; g != nil && g.clientID == app.ClientID {
		delete(e.state.refreshes, token)
		e.state.revoked[consentKey{g.memberID, g.clientID}] = e.now()
	} else if claims, ok := e.accessToken(token); ok && claims["client_id"] == app.ClientID {
		e.state.revoked[consentKey{claims["sub"].(string), app.ClientID}] = e.now()
	}
	return nil, nil
}

func (e *Emulator) userinfo(c *call) (any, *failure) {
	token, _ := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	claims, ok := e.accessToken(token)
	scope, _ := claims["scope"].(string)
	scopes := strings.Fields(scope)
	if !ok || !slices.Contains(scopes, "openid") {
		f := oauthFail(http.StatusUnauthorized, "invalid_token", "The access token is invalid.")
		f.challenge = `Bearer error="invalid_token"`
		return nil, f
	}
	return userClaims(e.state.member(claims["sub"].(string)), scopes), nil
}
