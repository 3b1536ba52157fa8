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
	"consumer": {"google", "microsoft", "apple", "github", "amazon", "bitbucket", "coinbase", "discord", "facebook", "figma", "gitlab",
		"linkedin", "salesforce", "slack", "snapchat", "tiktok", "twitch", "twitter", "yahoo"},
}

// CheckLoginMethods says which of the methods the page cannot offer in that vertical.
func CheckLoginMethods(vertical string, methods []string) error {
	known := slices.Concat(byEmail, providers[vertical])
	for i, method := range methods {
		if !slices.Contains(known, method) {
			return fmt.Errorf("there is no way to sign in called %q; there are %s", method, strings.Join(known, ", "))
		}
		if slices.Contains(methods[:i], method) {
			return fmt.Errorf("%q is named twice", method)
		}
	}
	if vertical == "consumer" && slices.Contains(methods, "email_code") && slices.Contains(methods, "email_link") {
		return errors.New("email_code and email_link do not go together in Consumer projects: Stytch's component there offers one of them")
	}
	return nil
}
