package auth

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// skew is how far clocks may differ.
const skew = 30 * time.Second

// maxTime is the last second of the year 9999, beyond which nothing is a date.
const maxTime = 253402300799

// Claims of Stytch's own.
const (
	sessionClaim      = "https://stytch.com/session"
	organizationClaim = "https://stytch.com/organization"
)

// knownClaims may appear in this spelling only: another letter case would be read by
// some libraries as the same claim.
var knownClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "nonce", sessionClaim, organizationClaim}

var organizationPattern = regexp.MustCompile(`^organization-(test|live)-[A-Za-z0-9._-]{1,100}$`)

// claims is the payload of a token whose signature is good.
type claims map[string]any

// identity holds every rule on claims, in one list.
func (v *Verifier) identity(payload []byte, now time.Time) (Identity, error) {
	object, err := strictObject(payload)
	if err != nil {
		return Identity{}, invalid("payload")
	}
	c := claims(object)
	identity := Identity{
		Subject: c.text("sub"), ClientID: c.text("client_id"), TokenID: c.text("jti"),
		Scopes: parseScopes(c.text("scope")),
	}
	issued, expires, timesOK := c.times(now, v.options.MaxLifetime)
	organization, organizationOK := v.organization(c)
	identity.IssuedAt, identity.ExpiresAt, identity.OrganizationID = issued, expires, organization
	for _, rule := range []struct {
		reason string
		holds  bool
	}{
		{"claim_case", c.spelling()},
		{"iss", slices.Contains(v.options.Issuers, c.text("iss"))},
		{"aud", v.audience(c["aud"])},
		{"sub", v.subject.MatchString(identity.Subject)},
		{"client_id", v.client.MatchString(identity.ClientID)},
		{"client_id not admitted", len(v.options.ClientIDs) == 0 || slices.Contains(v.options.ClientIDs, identity.ClientID)},
		{"scope", c.text("scope") != ""},
		{"exp, iat or nbf", timesOK},
		{"jti", c["jti"] == nil && !c.has("jti") || printable(identity.TokenID)},
		{"a session token", !c.has(sessionClaim)},
		{"an ID token", !c.has("nonce")},
		{"organization", organizationOK},
	} {
		if !rule.holds {
			return Identity{}, invalid(rule.reason)
		}
	}
	return identity, nil
}

func (c claims) has(name string) bool { _, ok := c[name]; return ok }

func (c claims) text(name string) string { s, _ := c[name].(string); return s }

// spelling refuses names that equal a known claim but for letter case.
func (c claims) spelling() bool {
	for name := range c {
		for _, known := range knownClaims {
			if name != known && strings.EqualFold(name, known) {
				return false
			}
		}
	}
	return true
}

// audience wants our project id, the custom audience if there is one, each value
// once, and none that is not configured.
func (v *Verifier) audience(claim any) bool {
	var values []string
	switch aud := claim.(type) {
	case string:
		values = []string{aud}
	case []any:
		for _, value := range aud {
			text, ok := value.(string)
			if !ok || text == "" || slices.Contains(values, text) {
				return false
			}
			values = append(values, text)
		}
	default:
		return false
	}
	for _, value := range values {
		if value != v.options.ProjectID && value != v.options.Audience && !slices.Contains(v.options.Resources, value) {
			return false
		}
	}
	return slices.Contains(values, v.options.ProjectID) && (v.options.Audience == "" || slices.Contains(values, v.options.Audience))
}

// times checks exp, iat and nbf (RFC 7519 section 4.1). The token is good while
// now < exp + skew, from iat - skew and nbf - skew on.
func (c claims) times(now time.Time, maxLifetime time.Duration) (issued, expires time.Time, ok bool) {
	exp, expOK := seconds(c["exp"])
	iat, iatOK := seconds(c["iat"])
	nbf, nbfOK := iat, true
	if c.has("nbf") {
		nbf, nbfOK = seconds(c["nbf"])
	}
	if !expOK || !iatOK || !nbfOK {
		return issued, expires, false
	}
	issued, expires = time.Unix(iat, 0), time.Unix(exp, 0)
	latest := now.Add(skew)
	ok = now.Before(expires.Add(skew)) && !issued.After(latest) && !time.Unix(nbf, 0).After(latest) &&
		iat < exp && expires.Sub(issued) <= maxLifetime
	return issued, expires, ok
}

// seconds admits JSON integers that are dates.
func seconds(value any) (int64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	return n, err == nil && n >= 1 && n <= maxTime
}

// organization is required of a B2B token and forbidden in a Consumer one.
func (v *Verifier) organization(c claims) (id string, ok bool) {
	if v.options.Vertical == Consumer {
		return "", !c.has(organizationClaim)
	}
	organization, _ := c[organizationClaim].(map[string]any)
	id, _ = organization["organization_id"].(string)
	return id, organizationPattern.MatchString(id) && strings.HasPrefix(id, "organization-"+v.environment+"-")
}

func printable(text string) bool {
	return len(text) >= 1 && len(text) <= 256 && !strings.ContainsFunc(text, func(r rune) bool { return r < 0x21 || r > 0x7e })
}
