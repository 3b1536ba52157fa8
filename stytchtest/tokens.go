package stytchtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MintRequest describes a token to be made without anybody signing in.
type MintRequest struct {
	Kind      string         `json:"kind"`       // access (default), session, id or m2m
	Subject   string         `json:"subject"`    // a member id, whatever the member's status; for m2m a client id
	ClientID  string         `json:"client_id"`  // "": the first connected app
	Scopes    []string       `json:"scopes"`     // nil: openid profile email members:read
	ExpiresIn int            `json:"expires_in"` // seconds from now; 0: 3600, for a session 300; negative: expired already
	Claims    map[string]any `json:"claims"`     // each replaces a claim, nil removes it
	Issuer    string         `json:"issuer"`     // "": Options.Issuer, or where the emulator is (NewServer, POST /_emulator/tokens)
}

// Mint signs a token of any kind with the current key. It is an error to ask for a
// subject that is no member, or for a token without an issuer: remove `iss` through
// Claims if that is what you want.
func (e *Emulator) Mint(m MintRequest) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m.Issuer == "" {
		m.Issuer = e.issuer
	}
	return e.mint(m)
}

func (e *Emulator) mint(m MintRequest) (string, error) {
	if _, given := m.Claims["iss"]; m.Issuer == "" && !given {
		return "", errors.New("stytchtest: no issuer: set Options.Issuer or MintRequest.Issuer")
	}
	if m.ClientID == "" && len(e.state.apps) > 0 {
		m.ClientID = e.state.apps[0].ClientID
	}
	if m.Scopes == nil {
		m.Scopes = []string{"openid", "profile", "email", "members:read"}
	}
	claims, err := e.mintClaims(m)
	if err != nil {
		return "", err
	}
	for name, value := range m.Claims {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	e.recordAccess(claims, "")
	return e.sign(claims)
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
	member := e.state.member(m.Subject)
	if member == nil {
		return nil, fmt.Errorf("stytchtest: no member %q to mint for", m.Subject)
	}
	switch m.Kind {
	case "", "access":
		app := e.state.app(m.ClientID)
		if app == nil {
			app = &ConnectedApp{ClientID: m.ClientID} // a token of a client that was deleted
		}
		return e.accessClaims(m.Issuer, member, app, m.Scopes, nil, life), nil
	case "session":
		s := &session{id: newID("member-session"), memberID: member.ID, started: e.now(), expires: e.now().Add(time.Hour), factor: "email_otp"}
		return e.sessionClaims(m.Issuer, member, s, life), nil
	case "id":
		return e.idClaims(m.Issuer, member, m.ClientID, m.Scopes, "", life), nil
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
	if id != "" && client != "" {
		e.state.record(id, issue{key: consentKey{subject, client}, lineage: lineage, expires: time.Unix(expires, 0)}, e.now())
	}
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

// accessClaims are exactly those of Stytch's access tokens: no roles, no e-mail
// address, no session (https://stytch.com/docs/connected-apps/resources/custom-domains
// for the issuer).
func (e *Emulator) accessClaims(issuer string, m *Member, app *ConnectedApp, scopes, resources []string, life time.Duration) map[string]any {
	audience := []string{e.state.project.ID}
	if app.Audience != "" {
		audience = append(audience, app.Audience)
	}
	claims := e.times(life)
	claims["iss"], claims["sub"], claims["aud"] = issuer, m.ID, append(audience, resources...)
	claims["client_id"], claims["scope"], claims["jti"] = app.ClientID, strings.Join(scopes, " "), rand.Text()
	claims["https://stytch.com/organization"] = e.organizationClaim(m)
	return claims
}

func (e *Emulator) idClaims(issuer string, m *Member, clientID string, scopes []string, nonce string, life time.Duration) map[string]any {
	claims := e.times(life)
	claims["iss"], claims["aud"] = issuer, []string{clientID}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	for name, value := range userClaims(m, scopes) {
		claims[name] = value
	}
	return claims
}

func (e *Emulator) sessionClaims(issuer string, m *Member, s *session, life time.Duration) map[string]any {
	claims := e.times(life)
	claims["iss"], claims["sub"], claims["aud"] = issuer, m.ID, []string{e.state.project.ID}
	claims["https://stytch.com/session"] = map[string]any{"id": s.id, "started_at": timestamp(s.started),
		"last_accessed_at": timestamp(e.now()), "expires_at": timestamp(s.expires),
		"attributes": map[string]any{}, "authentication_factors": []any{s.factorObject(m)}, "roles": m.Roles}
	claims["https://stytch.com/organization"] = e.organizationClaim(m)
	return claims
}

// userClaims are those of the OpenID Connect scopes (OpenID Connect Core section 5.4).
func userClaims(m *Member, scopes []string) map[string]any {
	claims := map[string]any{"sub": m.ID}
	if slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = m.Email, m.Status == "active"
	}
	if slices.Contains(scopes, "profile") && m.Name != "" {
		claims["name"] = m.Name
		if given, family, ok := strings.Cut(m.Name, " "); ok {
			claims["given_name"], claims["family_name"] = given, family
		}
	}
	return claims
}
