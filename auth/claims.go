package auth

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"guestpass/internal/pattern"
)

// Skew is how far clocks may differ.
const Skew = 30 * time.Second

// maxTime is the last second of the year 9999, beyond which nothing is a date.
const maxTime = 253402300799

// Claims of Stytch's own.
const (
	sessionClaim      = "https://stytch.com/session"
	organizationClaim = "https://stytch.com/organization"
)

// knownClaims may appear in this spelling only: some libraries would read another letter case as
// the same claim.
var knownClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "nonce",
	sessionClaim, organizationClaim}

var organizationPattern = pattern.New(`^organization-(test|live)-[A-Za-z0-9._-]{1,100}$`)

// Hints tell which setting a refusal is about.
const (
	hintAccessToken = "send the access_token of the token endpoint's reply, no other token of the project"
	hintEnvironment = "the token is of the project's other environment, test or live: see STYTCH_PROJECT_ID"
	hintVertical    = "the token is of a project of the other kind: see STYTCH_VERTICAL"
	hintAltered     = "the token was cut or altered on its way: the client has to send it as Stytch issued it"
	hintTemplate    = "see that the connected app's access token template in Stytch does not set this claim"
	hintClock       = "see that this machine's clock is right"
)

// claims is the payload of a token whose signature is good. Only what is known here is read.
type claims map[string]json.RawMessage

// identity holds every rule on claims, in one list.
func (v *Verifier) identity(payload []byte, now time.Time) (Identity, error) {
	object, err := members(payload)
	if err != nil {
		return Identity{}, &refusal{sentinel: ErrInvalidToken, reason: "payload", found: err.Error(),
			expected: "one JSON object, each name once",
			hint:     "see the connected app's access token template in Stytch"}
	}
	c := claims(object)
	organization, ofOrganization := v.organization(c)
	issued, expires, ofTimes := v.times(c, now)
	for _, refused := range []error{
		c.spelling(),
		c.kind(),
		v.issuer(c),
		v.audience(c),
		v.person(c),
		v.clientID(c),
		v.admittedClient(c),
		c.scope(),
		ofTimes,
		c.tokenID(),
		ofOrganization,
	} {
		if refused != nil {
			return Identity{}, refused
		}
	}
	return Identity{
		Subject: text(c["sub"]), OrganizationID: organization, ClientID: text(c["client_id"]),
		Scopes: parseScopes(text(c["scope"])), TokenID: text(c["jti"]), IssuedAt: issued, ExpiresAt: expires,
	}, nil
}

func (c claims) has(name string) bool { _, ok := c[name]; return ok }

// wrong refuses the token for the value of one claim.
func (c claims) wrong(name, expected, hint string) error {
	return &refusal{sentinel: ErrInvalidToken, reason: name, claim: name, found: kindOf(c[name]),
		expected: expected, hint: hint}
}

// spelling refuses names that equal a known claim but for letter case.
func (c claims) spelling() error {
	for name := range c {
		for _, known := range knownClaims {
			if name != known && strings.EqualFold(name, known) {
				return &refusal{sentinel: ErrInvalidToken, reason: "claim_case", claim: known,
					found: "a claim named " + shown(name), expected: "no other spelling of " + known,
					hint: "rename it in the connected app's access token template in Stytch"}
			}
		}
	}
	return nil
}

// kind refuses the project's other tokens. What is in these claims is not for the log.
func (c claims) kind() error {
	if c.has(sessionClaim) {
		return &refusal{sentinel: ErrInvalidToken, reason: "a session token", claim: sessionClaim,
			hint: hintAccessToken}
	}
	if c.has("nonce") {
		return &refusal{sentinel: ErrInvalidToken, reason: "an ID token", claim: "nonce", hint: hintAccessToken}
	}
	return nil
}

func (v *Verifier) issuer(c claims) error {
	if slices.Contains(v.options.Issuers, text(c["iss"])) {
		return nil
	}
	hint := "if it is another domain of the same project, add it to STYTCH_DOMAIN"
	if strings.HasPrefix(text(c["iss"]), "stytch.com/") {
		hint = "the token is of another project: see STYTCH_PROJECT_ID"
	}
	return c.wrong("iss", anyOf(v.options.Issuers), hint)
}

// audience wants our project id, the custom audience if there is one, each value
// once, and none that is not configured.
func (v *Verifier) audience(c claims) error {
	values := texts(c["aud"])
	for i, value := range values {
		if !slices.Contains(v.audiences, canonical(value)) {
			return v.wrongAudience(c, value)
		}
		if slices.Contains(values[:i], value) {
			return c.wrong("aud", "each value once", hintTemplate)
		}
	}
	if !slices.Contains(values, v.options.ProjectID) {
		return v.wrongAudience(c, v.options.ProjectID)
	}
	if v.options.Audience != "" && !slices.Contains(values, v.options.Audience) {
		return c.wrong("aud", v.options.ProjectID+" and "+shown(v.options.Audience),
			"give the connected app this custom audience in Stytch, or leave GUESTPASS_AUDIENCE out")
	}
	return nil
}

// canonical returns how an audience is compared: of a URL, clients write scheme and host in any case, the
// default port or none, and with a slash at the end or without (RFC 3986 section 6.2). What is no URL
// stays as it is.
func canonical(audience string) string {
	u, err := url.Parse(audience)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return audience
	}
	host := strings.ToLower(u.Host)
	if port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; port != "" { // the scheme is in lower case
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host + strings.TrimSuffix(u.EscapedPath(), "/")
}

// wrongAudience tells what to do about a value that is foreign, or is missing and ours.
func (v *Verifier) wrongAudience(c claims, value string) error {
	hint := "if the connected app has a custom audience in Stytch, set GUESTPASS_AUDIENCE to that; if the audience " +
		"is this server, see GUESTPASS_PUBLIC_URL"
	switch {
	case strings.HasPrefix(value, "connected-app-"):
		hint = hintAccessToken
	case value == v.options.ProjectID, strings.HasPrefix(value, "project-"):
		hint = "the token is of another project: see STYTCH_PROJECT_ID"
	}
	return c.wrong("aud", anyOf(v.audiences), hint)
}

func (v *Verifier) person(c claims) error {
	sub := text(c["sub"])
	if v.subject.MatchString(sub) {
		return nil
	}
	hint := hintAccessToken
	kind, _, _ := strings.Cut(sub, "-")
	switch {
	case kind == "m2m":
		hint = "a machine's token; Guestpass admits people, who sign in on its own page"
	case kind != v.personKind && (kind == "member" || kind == "user"):
		hint = hintVertical
	case v.ofOtherEnvironment(sub):
		hint = hintEnvironment
	}
	return c.wrong("sub", v.personKind+"-"+v.environment+"-...", hint)
}

func (v *Verifier) clientID(c claims) error {
	id := text(c["client_id"])
	if v.client.MatchString(id) {
		return nil
	}
	hint := hintAccessToken
	switch {
	case v.ofOtherEnvironment(id):
		hint = hintEnvironment
	}
	return c.wrong("client_id", "connected-app-"+v.environment+"-...", hint)
}

// ofOtherEnvironment reports whether an id is of the test environment while ours is live, or the reverse.
func (v *Verifier) ofOtherEnvironment(id string) bool {
	other := map[string]string{"test": "live", "live": "test"}[v.environment]
	return strings.Contains(id, "-"+other+"-")
}

func (v *Verifier) admittedClient(c claims) error {
	if id := text(c["client_id"]); v.options.AdmitClient == nil && len(v.options.ClientIDs) > 0 && !v.lists(id) {
		return v.notAdmitted(id)
	}
	return nil
}

func (v *Verifier) lists(clientID string) bool { return slices.Contains(v.options.ClientIDs, clientID) }

// admitUnlisted asks about a client that is not listed, where somebody knows more about it.
func (v *Verifier) admitUnlisted(ctx context.Context, clientID string) error {
	if v.options.AdmitClient == nil || v.lists(clientID) {
		return nil
	}
	admitted, err := v.options.AdmitClient(ctx, clientID)
	if err != nil {
		v.options.Log.WarnContext(ctx, "client not looked up", "client_id", clientID, "error", err)
		return &refusal{sentinel: ErrUnavailable, reason: "the client could not be looked up"}
	}
	if !admitted {
		return v.notAdmitted(clientID)
	}
	return nil
}

func (v *Verifier) notAdmitted(clientID string) error {
	return &refusal{sentinel: ErrInvalidToken, reason: "client_id not admitted", claim: "client_id",
		found:    shown(clientID),
		expected: anyOf(v.options.ClientIDs), hint: "if the client may call, add it to GUESTPASS_CLIENT_IDS"}
}

func (c claims) scope() error {
	if text(c["scope"]) != "" {
		return nil
	}
	return c.wrong("scope", "a string of scopes",
		"the client has to ask for scopes when it sends people to sign in: the landing page lists them")
}

// times checks exp, iat and nbf (RFC 7519 section 4.1). The token is good while
// now < exp + skew, from iat - skew and nbf - skew on.
func (v *Verifier) times(c claims, now time.Time) (issued, expires time.Time, err error) {
	for _, name := range []string{"exp", "iat", "nbf"} {
		if _, ok := c.seconds(name); !ok && (name != "nbf" || c.has("nbf")) {
			return issued, expires, c.wrong(name, "a whole number of seconds since 1970", hintTemplate)
		}
	}
	exp, _ := c.seconds("exp")
	iat, _ := c.seconds("iat")
	nbf, hasNBF := c.seconds("nbf")
	if !hasNBF {
		nbf = iat
	}
	issued, expires = time.Unix(iat, 0), time.Unix(exp, 0)
	latest, maxLifetime, after := now.Add(Skew), v.options.MaxLifetime, v.options.IssuedAfter
	wrong := func(reason, claim, found, expected, hint string) error {
		return &refusal{sentinel: ErrInvalidToken, reason: reason, claim: claim, found: found,
			expected: expected, hint: hint}
	}
	switch lifetime := expires.Sub(issued); {
	case iat >= exp:
		err = wrong("lifetime", "exp", moment(expires), "later than iat, "+moment(issued), hintTemplate)
	case lifetime > maxLifetime:
		err = wrong("lifetime", "exp", "a lifetime of "+lifetime.String(), maxLifetime.String()+" at most",
			"give the connected app a shorter access token expiry in Stytch, or set GUESTPASS_MAX_TOKEN_LIFETIME")
	case !now.Before(expires.Add(Skew)):
		err = wrong("expired", "exp", moment(expires), "later than "+moment(now.Add(-Skew)),
			"the client has to renew it; if no token is good, "+hintClock)
	case issued.Before(after):
		err = wrong("issued too early", "iat", moment(issued), moment(after)+" or later",
			"GUESTPASS_TOKENS_ISSUED_AFTER refuses it: the client has to renew it")
	case issued.After(latest):
		err = wrong("issued in the future", "iat", moment(issued), moment(latest)+" or earlier", hintClock)
	case time.Unix(nbf, 0).After(latest):
		err = wrong("not good yet", "nbf", moment(time.Unix(nbf, 0)), moment(latest)+" or earlier", hintClock)
	}
	return issued, expires, err
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// seconds admits JSON integers that are dates.
func (c claims) seconds(name string) (int64, bool) {
	n, err := strconv.ParseInt(string(c[name]), 10, 64)
	return n, err == nil && n >= 1 && n <= maxTime
}

func (c claims) tokenID() error {
	if !c.has("jti") || printable(text(c["jti"])) {
		return nil
	}
	return c.wrong("jti", "1 to 256 printable characters, or no such claim", hintTemplate)
}

// organization returns the claim that is required of a B2B token and forbidden in a Consumer one.
func (v *Verifier) organization(c claims) (id string, err error) {
	wrong := func(found, expected, hint string) error {
		return &refusal{sentinel: ErrInvalidToken, reason: "organization", claim: organizationClaim, found: found,
			expected: expected, hint: hint}
	}
	if v.options.Vertical == Consumer {
		if c.has(organizationClaim) {
			return "", wrong(kindOf(c[organizationClaim]), "no such claim", hintVertical)
		}
		return "", nil
	}
	organization, err := members(c[organizationClaim])
	id = text(organization["organization_id"])
	switch {
	case !c.has(organizationClaim):
		return "", wrong("nothing", "the member's organization", hintVertical)
	case err != nil:
		return "", wrong(err.Error(), "an object with organization_id", hintTemplate)
	case !organizationPattern.MatchString(id) || !strings.HasPrefix(id, "organization-"+v.environment+"-"):
		hint := hintTemplate
		if v.ofOtherEnvironment(id) {
			hint = hintEnvironment
		}
		return "", wrong("organization_id: "+kindOf(organization["organization_id"]),
			"organization-"+v.environment+"-...", hint)
	}
	return id, nil
}

func printable(text string) bool {
	return len(text) >= 1 && len(text) <= 256 && !strings.ContainsFunc(text,
		func(r rune) bool { return r < 0x21 || r > 0x7e })
}
