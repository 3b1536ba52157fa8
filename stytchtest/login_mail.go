package stytchtest

import (
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

const intermediateLifetime = 10 * time.Minute

// A lifetime is how long codes and links are good, and how many minutes a caller may ask
// for instead.
type lifetime struct {
	usual       time.Duration
	least, most int
	wrong       string
}

var (
	linkLife     = lifetime{time.Hour, 5, 10080, "invalid_expiration"}
	resetLife    = lifetime{30 * time.Minute, 5, 10080, "invalid_expiration"}
	inviteLife   = lifetime{7 * 24 * time.Hour, 5, 10080, "invalid_expiration"}
	codeLife     = lifetime{10 * time.Minute, 2, 15, "invalid_expiration_otp"}
	userCodeLife = lifetime{2 * time.Minute, 1, 10, "invalid_expiration_otp"}
)

func goodAddress(given string) bool {
	parsed, err := mail.ParseAddress(given)
	return err == nil && parsed.Address == given && len(given) <= 254
}

// address returns an e-mail address of the call, or Stytch's complaint.
func address(c *call, name string) (string, *wire.Failure) {
	given := c.Text(name)
	if !goodAddress(given) {
		return "", wire.Fail(http.StatusBadRequest, "invalid_email", "The email address is invalid.")
	}
	return given, nil
}

// expiry reads the minutes that the call asks for.
func expiry(c *call, name string, l lifetime) (time.Duration, *wire.Failure) {
	minutes := c.Number(name, 0)
	switch {
	case minutes == 0:
		return l.usual, nil
	case minutes < l.least || minutes > l.most:
		return 0, wire.Fail(http.StatusBadRequest, l.wrong, fmt.Sprintf("%s must be between %d and %d.", name, l.least,
			l.most))
	}
	return time.Duration(minutes) * time.Minute, nil
}

// challenge and verifier are those of RFC 7636; the names differ between the verticals
// and between endpoints of one.
func (c *call) challenge() string { return c.Text("pkce_code_challenge") + c.Text("code_challenge") }
func (c *call) verifier() string  { return c.Text("pkce_code_verifier") + c.Text("code_verifier") }

// A linkRequest is a mail with a link to be sent.
type linkRequest struct {
	kind         string  // stytch_token_type of the link
	mail         string  // Mail.Kind
	email        string  // to whom
	person       *person // nil for discovery: nobody is known yet
	redirect     string  // the member of the body that says where the link leads …
	redirectType string  // … and the type that URL must be registered for
	expiry       string  // the member of the body that says for how many minutes it is good
	life         lifetime
}

// mailLink sends a link that leads to a registered URL and nowhere else.
func (e *Emulator) mailLink(c *call, l linkRequest) *wire.Failure {
	to, bad := e.redirectURL(c.Text(l.redirect), l.redirectType, "no_match_for_provided_magic_link_url")
	if bad != nil {
		return bad
	}
	life, bad := expiry(c, l.expiry, l.life)
	if bad != nil {
		return bad
	}
	product := "magic_links"
	if l.mail == "reset_password" {
		product = "passwords"
	}
	if e.state.project.needsPKCE(product) && c.Dialect == wire.Browser && c.challenge() == "" {
		return wire.Fail(http.StatusBadRequest, "pkce_expected_code_challenge", "The project requires PKCE.")
	}
	mail := Mail{To: l.email, Kind: l.mail, SentAt: e.now()}
	if l.mail == "reset_password" && e.vertical.name == consumer.name {
		if mail.LoginLink, bad = e.loginLinkOfReset(c, l, life); bad != nil {
			return bad
		}
	}
	mail.Link = e.newLink(c, l, to, life)
	e.state.mail(mail)
	return nil
}

// newLink leads to the URL, with a token that stands for what the link is good for.
func (e *Emulator) newLink(c *call, l linkRequest, to string, life time.Duration) string {
	token, held := secret(), &emailLink{Kind: l.kind, Email: l.email, Challenge: c.challenge(),
		Expires: e.now().Add(life), Reset: l.mail == "reset_password"}
	if l.person != nil {
		held.PersonID, held.OrganizationID = l.person.id, l.person.organizationID
	}
	e.state.Links[token] = held
	return withQuery(to, append(e.linkHints(l), "stytch_token_type", l.kind, "token", token)...)
}

// loginLinkOfReset returns the second link of Consumer projects' reset mails, for people who
// would rather sign in without a password. A project without login URLs sends none.
func (e *Emulator) loginLinkOfReset(c *call, l linkRequest, life time.Duration) (string, *wire.Failure) {
	to, bad := e.redirectURL(c.Text("login_redirect_url"), "LOGIN", "no_match_for_provided_magic_link_url")
	if bad != nil && c.Text("login_redirect_url") == "" {
		return "", nil
	}
	l.kind, l.mail = "login", "magic_link"
	return e.newLink(c, l, to, life), bad
}

// linkHints returns what B2B links say beside their token. The browser SDK shows the form for
// a new password only where the redirect type says so.
func (e *Emulator) linkHints(l linkRequest) (pairs []string) {
	if e.vertical.name == consumer.name {
		return nil
	}
	if l.person != nil {
		pairs = append(pairs, "slug", e.state.organization(l.person.organizationID).Slug)
	}
	redirectType := strings.ToLower(l.redirectType)
	if l.redirectType == "DISCOVERY" {
		redirectType = "login"
	}
	return append(pairs, "stytch_redirect_type", redirectType)
}

// redirectURL compares with the project's SDK redirect URLs of the type, exactly, query
// included; an empty one means the default. unknown is the error for one that is none of
// them.
func (e *Emulator) redirectURL(given, kind, unknown string) (string, *wire.Failure) {
	var ofType []RedirectURL
	for _, u := range e.state.project.RedirectURLs {
		if slices.ContainsFunc(u.Types, func(t RedirectURLType) bool { return t.Type == kind }) {
			ofType = append(ofType, u)
		}
	}
	noneSet, noDefault := "no_"+strings.ToLower(kind)+"_redirect_urls_set", "no_default_"+strings.ToLower(kind)+
		"_redirect_url_set"
	if kind == "RESET_PASSWORD" {
		noneSet, noDefault = "no_password_reset_redirect_url", "no_password_reset_redirect_url"
	}
	if len(ofType) == 0 {
		return "", wire.Fail(http.StatusBadRequest, noneSet, "The project has no redirect URLs of type "+kind+".")
	}
	for _, u := range ofType {
		isDefault := slices.Contains(u.Types, RedirectURLType{Type: kind, Default: true})
		if u.URL == given || given == "" && isDefault {
			return u.URL, nil
		}
	}
	if given == "" {
		return "", wire.Fail(http.StatusBadRequest, noDefault,
			"The project has no default redirect URL of type "+kind+".")
	}
	path, _, _ := strings.Cut(given, "?")
	if slices.ContainsFunc(ofType, func(u RedirectURL) bool {
		registered, _, _ := strings.Cut(u.URL, "?")
		return registered == path
	}) {
		unknown = "query_params_do_not_match"
	}
	return "", wire.Fail(http.StatusBadRequest, unknown,
		"The redirect URL is not registered in the project for "+kind+".")
}

// link looks a token up that fits, without spending it: a wrong verifier, or a password
// that is too weak, leaves it good.
func (e *Emulator) link(c *call, token string, fits func(*emailLink) bool,
	unusable *wire.Failure) (*emailLink, *wire.Failure) {
	known := e.state.Links[token]
	if known == nil || !fits(known) || !e.now().Before(known.Expires) {
		return nil, unusable
	}
	return known, c.checkVerifier(known.Challenge)
}

var (
	linkUnusable = wire.Fail(http.StatusUnauthorized, "unable_to_auth_magic_link",
		"The magic link was used already or has expired.")
	resetUnusable = wire.Fail(http.StatusUnauthorized, "unable_to_auth_password_reset_token",
		"The password reset link was used already or has expired.")
)

func signsIn(kind string) func(*emailLink) bool {
	return func(l *emailLink) bool { return l.Kind == kind && !l.Reset }
}

func resets(kind string) func(*emailLink) bool {
	return func(l *emailLink) bool { return l.Kind == kind && l.Reset }
}

// checkVerifier passes where there was no challenge: the browser SDK sends any verifier
// that it has.
func (c *call) checkVerifier(challenge string) *wire.Failure {
	switch {
	case challenge == "" || challengeOf(c.verifier()) == challenge:
		return nil
	case c.verifier() == "":
		return wire.Fail(http.StatusBadRequest, "pkce_expected_code_verifier",
			"Open the link in the browser that asked for it (pkce_expected_code_verifier).")
	}
	return wire.Fail(http.StatusBadRequest, "pkce_mismatch",
		"Open the link in the browser that asked for it (pkce_mismatch).")
}
