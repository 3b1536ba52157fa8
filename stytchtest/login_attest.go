package stytchtest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"guestpass/stytchtest/internal/keys"
	"guestpass/stytchtest/internal/wire"
)

// A TokenProfile is what the project knows of somebody whose tokens it takes for a sign-in (trusted auth tokens).
type TokenProfile struct {
	ID       string `json:"profile_id"`
	Name     string `json:"name,omitempty"`
	Issuer   string `json:"issuer"`   // iss of the tokens
	Audience string `json:"audience"` // one of their aud
	// The keys that sign them, RS256 or ES256: in PEM, five at most, or at the address of a JSON Web Key Set.
	PublicKeys []string `json:"public_keys,omitempty"`
	JWKSURL    string   `json:"jwks_url,omitempty"` // on this machine with Options.LoopbackDocuments alone
	// Attributes name the claims by what they are to Stytch: email, token_id, and in B2B projects organization_id.
	// Stytch has more of them.
	Attributes      map[string]string `json:"attribute_mapping"`
	CanJITProvision bool              `json:"can_jit_provision,omitempty"` // makes people who are not there yet
}

const maxPublicKeys = 5

// attributesOf are those that are emulated; the first two are required.
var attributesOf = []string{"email", "token_id", "organization_id"}

func (c *seedCheck) tokenProfile(p TokenProfile) {
	c.id("trusted token profile", p.ID)
	for _, name := range attributesOf[:2] {
		if p.Attributes[name] == "" {
			c.fault("trusted token profile %s: attribute_mapping has no %s", p.ID, name)
		}
	}
	for name := range p.Attributes {
		if !slices.Contains(attributesOf, name) {
			c.fault("trusted token profile %s: the attribute %q is not emulated", p.ID, name)
		}
	}
	if p.Issuer == "" || p.Audience == "" {
		c.fault("trusted token profile %s: issuer or audience is empty", p.ID)
	}
	if len(p.PublicKeys) > maxPublicKeys || (len(p.PublicKeys) > 0) == (p.JWKSURL != "") {
		c.fault("trusted token profile %s: it needs a jwks_url, or up to %d public_keys", p.ID, maxPublicKeys)
	}
	for _, key := range p.PublicKeys {
		if _, err := keys.ParsePEM(key); err != nil {
			c.fault("trusted token profile %s: public_keys: %w", p.ID, err)
		}
	}
}

// attest makes a session of a token that somebody else has signed. The component of the browser SDK asks for it when
// it is given trustedAuthTokenParams.
func (e *Emulator) attest(c *call) (any, *wire.Failure) {
	profile := e.state.tokenProfile(c.Text("profile_id"))
	if profile == nil {
		return nil, wire.Fail(http.StatusNotFound, "trusted_token_profile_not_found",
			"The trusted token profile could not be found.")
	}
	signers, bad := e.signersOf(c, profile)
	if bad != nil {
		return nil, bad
	}
	claims, err := keys.Claims(c.Text("token"), signers)
	if err != nil {
		return nil, invalidToken(err.Error())
	}
	if bad := e.checkTrusted(profile, claims); bad != nil {
		return nil, bad
	}
	p, bad := e.attested(c, profile, claims)
	if bad != nil {
		return nil, bad
	}
	id := profile.attribute(claims, "token_id")
	reply, bad := e.signIn(c, p, factor{Type: "trusted_auth_token", TokenID: id})
	if bad == nil {
		e.state.spend(profile.ID+" "+id, expiryOf(claims), e.now())
	}
	return reply, bad
}

// invalidToken has Stytch's word for all that can be wrong with a token. Which status comes with it is not published.
func invalidToken(why string) *wire.Failure {
	return wire.Fail(http.StatusBadRequest, "invalid_trusted_auth_token",
		"The trusted auth token is not good: "+why+".")
}

// signersOf returns the profile's keys. A set is asked for by c.wanted, and there in the next round.
func (e *Emulator) signersOf(c *call, profile *TokenProfile) (signers []keys.Foreign, bad *wire.Failure) {
	for _, text := range profile.PublicKeys {
		key, err := keys.ParsePEM(text)
		if err != nil {
			return nil, invalidToken(err.Error())
		}
		signers = append(signers, key)
	}
	if profile.JWKSURL == "" {
		return signers, nil
	}
	if c.fetched == nil {
		c.wanted = profile.JWKSURL
		return nil, invalidToken("its keys are not there yet")
	}
	if c.fetched.Err != nil {
		return nil, invalidToken("its keys cannot be read: " + c.fetched.Err.Error())
	}
	signers, err := keys.ParseSet(c.fetched.Data)
	if err != nil {
		return nil, invalidToken(err.Error())
	}
	return signers, nil
}

// checkTrusted looks at what a signed token claims, except for whom it is. Each token counts once; whether Stytch is as
// strict is not published, but applications must not count on a second time.
func (e *Emulator) checkTrusted(profile *TokenProfile, claims map[string]any) *wire.Failure {
	expires := expiryOf(claims)
	begins, _ := claims["nbf"].(float64)
	id := profile.attribute(claims, "token_id")
	switch {
	case claims["iss"] != profile.Issuer:
		return invalidToken("iss is not the issuer of the profile")
	case !hasAudience(claims["aud"], profile.Audience):
		return invalidToken("aud is not the audience of the profile")
	case expires.IsZero():
		return invalidToken("exp is missing")
	case !e.now().Before(expires):
		return invalidToken("it has expired")
	case e.now().Before(time.Unix(int64(begins), 0)):
		return invalidToken("it is not good yet (nbf)")
	case id == "":
		return invalidToken("the claim for token_id is missing")
	}
	if _, spent := e.state.Attested[profile.ID+" "+id]; spent {
		return invalidToken("it was used before")
	}
	return nil
}

func expiryOf(claims map[string]any) time.Time {
	seconds, _ := claims["exp"].(float64)
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

func hasAudience(claim any, audience string) bool {
	list, _ := claim.([]any)
	return claim == audience || slices.Contains(list, any(audience))
}

func (p *TokenProfile) attribute(claims map[string]any, name string) string {
	value, _ := claims[p.Attributes[name]].(string)
	return value
}

// attested returns whom the token is for.
func (e *Emulator) attested(c *call, profile *TokenProfile, claims map[string]any) (*person, *wire.Failure) {
	email := profile.attribute(claims, "email")
	if !goodAddress(email) {
		return nil, invalidToken("the claim for email is missing, or is no address")
	}
	organizationID := ""
	if e.vertical.name == b2b.name {
		o, bad := e.organizationOfToken(c, profile, claims)
		if bad != nil {
			return nil, bad
		}
		organizationID = o.ID
	}
	p := e.state.personIn(organizationID, email)
	switch {
	case p != nil:
		return p, nil
	case !profile.CanJITProvision:
		return nil, e.vertical.unknown
	case organizationID != "":
		return e.newMember(e.state.organization(organizationID), email), nil
	}
	return e.newUser(email), nil
}

// organizationOfToken is the one of the claim, or of the call where the token has none.
func (e *Emulator) organizationOfToken(c *call, profile *TokenProfile, claims map[string]any) (*Organization,
	*wire.Failure) {
	claimed, asked := profile.attribute(claims, "organization_id"), c.Text("organization_id")
	o := e.state.organization(claimed)
	if claimed == "" {
		o = e.state.organization(asked)
	}
	switch {
	case claimed == "" && asked == "":
		return nil, wire.Fail(http.StatusBadRequest, "token_missing_organization_id_claim",
			"The token has no organization id, and the request neither.")
	case o == nil:
		return nil, organizationNotFound
	case asked != "" && e.state.organization(asked) != o:
		return nil, invalidToken("it is of another organization than the request")
	}
	return o, nil
}

func (s *state) tokenProfile(id string) *TokenProfile {
	for _, p := range s.profiles {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// maxAttested is how many tokens are remembered before those that have expired are forgotten.
const maxAttested = 10_000

// spend remembers a token until it would have expired.
func (s *state) spend(key string, until, now time.Time) {
	if len(s.Attested) >= maxAttested {
		maps.DeleteFunc(s.Attested, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	s.Attested[key] = until
}

// SetTokenProfiles replaces the project's trusted auth token profiles.
func (e *Emulator) SetTokenProfiles(profiles ...TokenProfile) error {
	c := &seedCheck{seen: map[string]bool{}}
	for _, p := range profiles {
		c.tokenProfile(p)
	}
	if len(c.faults) > 0 {
		return errors.Join(c.faults...)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.profiles = nil
	for _, p := range (Seed{TokenProfiles: profiles}).clone().TokenProfiles {
		e.state.profiles = append(e.state.profiles, &p)
	}
	return nil
}
