package idp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DefaultLoginMethod is a code by e-mail: it needs no redirect URL, works in any browser,
// and the person stays on the page.
const DefaultLoginMethod = "email_code"

// byEmail are the ways of signing in that need no third party.
var byEmail = []string{DefaultLoginMethod, "email_link", "password"}

// providers are the OAuth providers that Stytch's component has buttons for, by vertical.
var providers = map[string][]string{
	"b2b": {"google", "microsoft", "github", "slack", "hubspot"},
	"consumer": {"google", "microsoft", "apple", "github", "amazon", "bitbucket", "coinbase", "discord", "facebook",
		"figma", "gitlab",
		"linkedin", "salesforce", "slack", "snapchat", "tiktok", "twitch", "twitter", "yahoo"},
}

// CheckLoginMethods tells which of the methods the page cannot offer in that vertical.
func CheckLoginMethods(vertical string, methods []string) error {
	known := slices.Concat(byEmail, providers[vertical])
	for i, method := range methods {
		if !slices.Contains(known, method) {
			return fmt.Errorf("entry %d is no way to sign in; there are %s", i+1, strings.Join(known, ", "))
		}
		if slices.Contains(methods[:i], method) {
			return fmt.Errorf("%q is named twice", method)
		}
	}
	if vertical == "consumer" && slices.Contains(methods, "email_code") && slices.Contains(methods, "email_link") {
		return errors.New("email_code and email_link do not go together in Consumer projects: Stytch's component " +
			"there offers one of them")
	}
	return nil
}

// redeems reports whether the page may use a link of that kind: only what the offered ways of
// signing in, or our own invitations, send. The kinds are Stytch's stytch_token_type; another
// endpoint takes each. The redirect type is a mere label, but a link without the right one
// is not ours either.
func (o Options) redeems(tokenType, redirectType string) bool {
	link, password := slices.Contains(o.LoginMethods, "email_link"), slices.Contains(o.LoginMethods, "password")
	provider := slices.ContainsFunc(o.LoginMethods, func(m string) bool { return !slices.Contains(byEmail, m) })
	switch {
	case tokenType == "oauth":
		return provider
	case tokenType == "reset_password":
		return password && o.Vertical == "consumer"
	case o.Vertical == "consumer":
		// A reset mail has a second link, for who would rather sign in without a password.
		return tokenType == "magic_links" && (link || password) || tokenType == "login" && password
	case tokenType == "discovery_oauth": // #nosec G101 -- names of links
		return provider
	case tokenType == "multi_tenant_passwords": // #nosec G101 -- names of links
		return password
	case tokenType != "discovery" && tokenType != "multi_tenant_magic_links": // #nosec G101 -- names of links
		return false
	case redirectType == "reset_password":
		return password
	case redirectType == "invite":
		return tokenType == "multi_tenant_magic_links" && (link || o.Invites) // #nosec G101 -- names of links
	}
	return link
}
