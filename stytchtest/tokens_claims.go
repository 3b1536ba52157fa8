package stytchtest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"guestpass/stytchtest/internal/keys"
)

// MintRequest describes a token to be made without anybody signing in.
type MintRequest struct {
	Kind     string   `json:"kind"`      // access (default), session, id or m2m
	Subject  string   `json:"subject"`   // a member or user id, whatever the status; for m2m a client id
	ClientID string   `json:"client_id"` // "": the first connected app
	Scopes   []string `json:"scopes"`    // nil: openid profile email, and members:read in B2B projects
	// seconds from now; 0: 3600, for a session 300; negative: expired already
	ExpiresIn int            `json:"expires_in"`
	Claims    map[string]any `json:"claims"` // each replaces a claim, nil removes it
	// "": Options.Issuer, or where the emulator is (NewServer, POST /_emulator/tokens)
	Issuer string `json:"issuer"`
}

// Mint signs a token of any kind with the current key. It is an error to ask for a
// subject that is nobody, or for a token without an issuer: remove `iss` through
// Claims if that is what you want.
func (e *Emulator) Mint(m MintRequest) (string, error) {
	token, err := e.mint(m)
	if err != nil {
		return "", err
	}
	return token.Key.Sign(token.Claims)
}

func (e *Emulator) mint(m MintRequest) (keys.Unsigned, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m.Issuer == "" {
		m.Issuer = e.issuer
	}
	if _, given := m.Claims["iss"]; m.Issuer == "" && !given {
		return keys.Unsigned{}, errors.New("stytchtest: no issuer: set Options.Issuer or MintRequest.Issuer")
	}
	if m.ClientID == "" && len(e.state.apps) > 0 {
		m.ClientID = e.state.apps[0].ClientID
	}
	if m.Scopes == nil {
		m.Scopes = []string{"openid", "profile", "email"}
		if e.vertical.name == b2b.name {
			m.Scopes = append(m.Scopes, "members:read")
		}
	}
	claims, err := e.mintClaims(m)
	if err != nil {
		return keys.Unsigned{}, err
	}
	for name, value := range m.Claims {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	e.recordAccess(claims, "")
	kind := m.Kind
	if kind == "" {
		kind = "access"
	}
	return e.unsigned(kind, claims), nil
}

func (e *Emulator) mintClaims(m MintRequest) (map[string]any, error) {
	life := time.Duration(m.ExpiresIn) * time.Second
	if m.ExpiresIn == 0 && m.Kind == "session" {
		life = sessionTokenLifetime
	} else if m.ExpiresIn == 0 {
		life = time.Hour
	}
	if m.Kind == "m2m" {
		claims := e.times(life)
		claims["iss"], claims["sub"], claims["aud"] = m.Issuer, m.Subject, []string{e.state.project.ID}
		claims["scope"] = strings.Join(m.Scopes, " ")
		return claims, nil
	}
	p := e.state.person(m.Subject)
	if p == nil {
		return nil, fmt.Errorf("stytchtest: no %s %q to mint for", e.vertical.person, m.Subject)
	}
	switch m.Kind {
	case "", "access":
		app := e.state.app(m.ClientID)
		if app == nil {
			app = &ConnectedApp{ClientID: m.ClientID} // a token of a client that was deleted
		}
		return e.accessClaims(m.Issuer, p, app, m.Scopes, life), nil
	case "session":
		s := e.newSession(p, time.Hour, factor{Type: "email_otp", Shown: e.now()})
		return e.sessionClaims(m.Issuer, p, s, life), nil
	case "id":
		return e.idClaims(m.Issuer, p, m.ClientID, m.Scopes, "", life), nil
	}
	return nil, fmt.Errorf("stytchtest: token kind %q: it must be access, session, id or m2m", m.Kind)
}

// recordAccess remembers an access token, so that it can be revoked. Tokens of other
// kinds, and those without jti, are left out.
func (e *Emulator) recordAccess(claims map[string]any, lineage string) {
	id, _ := claims["jti"].(string)
	subject, _ := claims["sub"].(string)
	client, _ := claims["client_id"].(string)
	expires, _ := claims["exp"].(int64)
	scope, _ := claims["scope"].(string)
	audience, _ := claims["aud"].([]string)
	if id != "" && client != "" {
		e.state.record(id, issue{Key: consentKey{subject, client}, Lineage: lineage, Scope: scope, Audience: audience,
			Expires: time.Unix(expires, 0)}, e.now())
	}
}

// times returns iat, nbf and exp. A token that is born expired was issued an hour before its end.
func (e *Emulator) times(life time.Duration) map[string]any {
	now := e.now()
	issued := now
	if life <= 0 {
		issued = now.Add(life - time.Hour)
	}
	return map[string]any{"iat": issued.Unix(), "nbf": issued.Unix(), "exp": now.Add(life).Unix()}
}

// addOrganization puts the claim into tokens of members; users have no organization.
func (e *Emulator) addOrganization(claims map[string]any, p *person) {
	if o := e.state.organization(p.organizationID); o != nil {
		claims["https://stytch.com/organization"] = map[string]string{"organization_id": o.ID, "slug": o.Slug}
	}
}

// accessClaims are exactly those of Stytch's access tokens: no roles, no e-mail
// address, no session (https://stytch.com/docs/connected-apps/resources/custom-domains
// for the issuer). What was asked for by resource (RFC 8707) is not in aud. The client's own
// claims never replace one of these.
func (e *Emulator) accessClaims(issuer string, p *person, app *ConnectedApp, scopes []string,
	life time.Duration) map[string]any {
	audience := []string{e.state.project.ID}
	if app.Audience != "" {
		audience = append(audience, app.Audience)
	}
	claims := e.times(life)
	claims["iss"], claims["sub"], claims["aud"] = issuer, p.id, audience
	claims["client_id"], claims["scope"], claims["jti"] = app.ClientID, strings.Join(scopes, " "), rand.Text()
	e.addOrganization(claims, p)
	for name, value := range app.customClaims() {
		claims[name] = value
	}
	return claims
}

// customClaims returns those of the client's template, which was checked when it was set.
func (a *ConnectedApp) customClaims() (claims map[string]any) {
	_ = json.Unmarshal([]byte(a.Template), &claims)
	return claims
}

func (e *Emulator) idClaims(issuer string, p *person, clientID string, scopes []string, nonce string,
	life time.Duration) map[string]any {
	claims := e.times(life)
	claims["iss"], claims["aud"] = issuer, []string{clientID}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	for name, value := range userClaims(p, scopes) {
		claims[name] = value
	}
	return claims
}

func (e *Emulator) sessionClaims(issuer string, p *person, s *session, life time.Duration) map[string]any {
	claims := e.times(life)
	claims["iss"], claims["sub"], claims["aud"] = issuer, p.id, []string{e.state.project.ID}
	claims["https://stytch.com/session"] = map[string]any{"id": s.ID, "started_at": timestamp(s.Started),
		"last_accessed_at": timestamp(s.Accessed), "expires_at": timestamp(s.Expires),
		"attributes": map[string]any{}, "authentication_factors": s.factorObjects(p), "roles": p.roles}
	e.addOrganization(claims, p)
	return claims
}

// userClaims returns those of the OpenID Connect scopes (OpenID Connect Core section 5.4).
func userClaims(p *person, scopes []string) map[string]any {
	claims := map[string]any{"sub": p.id}
	if slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = p.email(), p.verified()
	}
	if !slices.Contains(scopes, "profile") {
		return claims
	}
	parts := p.nameParts()
	for name, value := range map[string]string{"name": p.fullName(), "given_name": parts.First,
		"middle_name": parts.Middle, "family_name": parts.Last} {
		if value != "" {
			claims[name] = value
		}
	}
	return claims
}
