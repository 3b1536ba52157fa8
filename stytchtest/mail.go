package stytchtest

import (
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
)

const (
	codeLifetime         = 10 * time.Minute
	linkLifetime         = time.Hour
	resetLifetime        = 30 * time.Minute
	inviteLifetime       = 7 * 24 * time.Hour
	intermediateLifetime = 10 * time.Minute
)

func goodAddress(given string) bool {
	parsed, err := mail.ParseAddress(given)
	return err == nil && parsed.Address == given && len(given) <= 254
}

// address returns an e-mail address of the call, or Stytch's complaint.
func address(c *call, name string) (string, *failure) {
	given := c.text(name)
	if !goodAddress(given) {
		return "", fail(http.StatusBadRequest, "invalid_email", "The email address is invalid.")
	}
	return given, nil
}

// expiry reads a lifetime in minutes: two minutes to a week, as Stytch has it for mail.
func expiry(c *call, name string, otherwise time.Duration) (time.Duration, *failure) {
	minutes := c.number(name, 0)
	switch {
	case minutes == 0:
		return otherwise, nil
	case minutes < 2 || minutes > 10080:
		return 0, fail(http.StatusBadRequest, "invalid_expiration", name+" must be between 2 and 10080.")
	}
	return time.Duration(minutes) * time.Minute, nil
}

// challenge and verifier are those of RFC 7636; the names differ between the verticals
// and between endpoints of one.
func (c *call) challenge() string { return c.text("pkce_code_challenge") + c.text("code_challenge") }
func (c *call) verifier() string  { return c.text("pkce_code_verifier") + c.text("code_verifier") }

// A linkRequest is a mail with a link to be sent.
type linkRequest struct {
	kind         string  // stytch_token_type of the link
	mail         string  // Mail.Kind
	email        string  // to whom
	person       *person // nil for discovery: nobody is known yet
	redirect     string  // the member of the body that says where the link leads …
	redirectType string  // … and the type that URL must be registered for
	expiry       string  // the member of the body that says for how many minutes it is good
	life         time.Duration
}

// mailLink sends a link that leads to a registered URL and nowhere else.
func (e *Emulator) mailLink(c *call, l linkRequest) *failure {
	to, bad := e.redirectURL(c.text(l.redirect), l.redirectType)
	if bad != nil {
		return bad
	}
	life, bad := expiry(c, l.expiry, l.life)
	if bad != nil {
		return bad
	}
	if e.state.project.PKCERequired && c.dialect == browser && c.challenge() == "" {
		return fail(http.StatusBadRequest, "pkce_expected_code_challenge", "The project requires PKCE.")
	}
	token, held := secret(), &emailLink{Kind: l.kind, Email: l.email, Challenge: c.challenge(), Expires: e.now().Add(life)}
	if l.person != nil {
		held.PersonID, held.OrganizationID = l.person.id, l.person.organizationID
	}
	if l.mail == "reset_password" {
		held.Reset = true
	}
	e.state.Links[token] = held
	e.state.mail(Mail{To: l.email, Kind: l.mail, Link: withQuery(to, append(e.redirectMark(l), "stytch_token_type", l.kind, "token", token)...), SentAt: e.now()})
	return nil
}

// redirectMark is what links of B2B projects carry beside their token: what they are for,
// and the organization, if they are for one.
func (e *Emulator) redirectMark(l linkRequest) (pairs []string) {
	if e.vertical.name == consumer.name {
		return nil
	}
	if l.person != nil {
		pairs = append(pairs, "slug", e.state.organization(l.person.organizationID).Slug)
	}
	kind := strings.ToLower(l.redirectType)
	if l.redirectType == "DISCOVERY" {
		kind = "login"
	}
	return append(pairs, "stytch_redirect_type", kind)
}

// redirectURL compares with the project's SDK redirect URLs of the type, exactly, query
// included; an empty one means the default.
func (e *Emulator) redirectURL(given, kind string) (string, *failure) {
	var ofType []RedirectURL
	for _, u := range e.state.project.RedirectURLs {
		if slices.ContainsFunc(u.Types, func(t RedirectURLType) bool { return t.Type == kind }) {
			ofType = append(ofType, u)
		}
	}
	name := strings.ToLower(kind)
	if len(ofType) == 0 {
		return "", fail(http.StatusBadRequest, "no_"+name+"_redirect_urls_set", "The project has no redirect URLs of type "+kind+".")
	}
	for _, u := range ofType {
		isDefault := slices.Contains(u.Types, RedirectURLType{Type: kind, Default: true})
		if u.URL == given || given == "" && isDefault {
			return u.URL, nil
		}
	}
	if given == "" {
		return "", fail(http.StatusBadRequest, "no_default_"+name+"_redirect_url_set", "The project has no default redirect URL of type "+kind+".")
	}
	return "", fail(http.StatusBadRequest, "no_match_for_provided_redirect_url", "The redirect URL is not registered in the project for "+kind+".")
}

// link looks a token of the kind up without spending it: a wrong verifier, or a password
// that is too weak, leaves it good.
func (e *Emulator) link(c *call, token, kind string, reset bool) (*emailLink, *failure) {
	known := e.state.Links[token]
	if known == nil || known.Kind != kind || known.Reset != reset || !e.now().Before(known.Expires) {
		if reset {
			return nil, fail(http.StatusUnauthorized, "unable_to_auth_password_reset", "The password reset link was used already or has expired.")
		}
		return nil, fail(http.StatusUnauthorized, "unable_to_auth_magic_link", "The magic link was used already or has expired.")
	}
	if known.Challenge != "" && challengeOf(c.verifier()) != known.Challenge {
		return nil, pkceMismatch
	}
	return known, nil
}

var pkceMismatch = fail(http.StatusBadRequest, "pkce_mismatch", "Open the link in the browser that asked for it (pkce_mismatch).")
