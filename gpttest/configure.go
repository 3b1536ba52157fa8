package gpttest

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// The two ways in which ChatGPT can authenticate itself at the token endpoint
// (class B).
const (
	// DefaultPost sends client id and secret in the form.
	DefaultPost = "default_post"
	// BasicAuthHeader sends them as HTTP Basic authentication.
	BasicAuthHeader = "basic_auth_header"
)

// Auth is the editor's OAuth form.
type Auth struct {
	ClientID, ClientSecret, AuthorizationURL, TokenURL string
	// Scope is sent as it is; scopes are separated by spaces.
	Scope string
	// TokenExchangeMethod is [DefaultPost] (also when empty) or [BasicAuthHeader].
	TokenExchangeMethod string
}

// StoredAuth is the form as the editor stores it. The names are swapped there:
// client_url is the authorization URL and authorization_url the token URL (class B).
type StoredAuth struct {
	ClientURL                string `json:"client_url"`
	AuthorizationURL         string `json:"authorization_url"`
	AuthorizationContentType string `json:"authorization_content_type"`
	Scope                    string `json:"scope"`
	TokenExchangeMethod      string `json:"token_exchange_method"`
}

// Stored returns what the editor sends to be stored. Client id and secret travel
// separately.
func (a Auth) Stored() StoredAuth {
	if a.TokenExchangeMethod == "" {
		a.TokenExchangeMethod = DefaultPost
	}
	return StoredAuth{
		ClientURL:                a.AuthorizationURL,
		AuthorizationURL:         a.TokenURL,
		AuthorizationContentType: "application/x-www-form-urlencoded",
		Scope:                    a.Scope,
		TokenExchangeMethod:      a.TokenExchangeMethod,
	}
}

// RefusedError is what saving the OAuth form answers when the editor does not take
// it. Its text is the editor's.
type RefusedError struct {
	Message Message
	// Detail says which values were at fault; the editor does not.
	Detail string
}

func (e *RefusedError) Error() string {
	if e.Detail == "" {
		return e.Message.Text
	}
	return e.Message.Text + " (" + e.Detail + ")"
}

// exemptHosts may stand in an OAuth form whatever the API's domain is (class A that
// Google, Microsoft and Adobe are exempt; class I which hosts that means).
var exemptHosts = []string{
	"accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com",
	"login.microsoftonline.com", "login.live.com",
	"ims-na1.adobelogin.com",
}

// Configure saves the OAuth form. It returns a *[RefusedError] for M25 and M26, and
// forgets any token: changed settings sign everybody out.
func (g *GPT) Configure(a Auth) error {
	if a.TokenExchangeMethod == "" {
		a.TokenExchangeMethod = DefaultPost
	}
	if a.TokenExchangeMethod != DefaultPost && a.TokenExchangeMethod != BasicAuthHeader {
		return fmt.Errorf("configure: no token exchange method %q", a.TokenExchangeMethod)
	}
	notes, err := g.checkAuth(a)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.auth, g.token, g.notes = &a, nil, notes
	return nil
}

func (g *GPT) checkAuth(a Auth) (notes []string, err error) {
	if (a.AuthorizationURL == "" || a.TokenURL == "") && g.applies("M26") {
		return nil, refused("M26", "Error saving draft", "authorization or token URL is empty")
	}
	var hosts []string
	server, err := url.Parse(g.imp.ServerURL)
	if err != nil || server.Hostname() == "" {
		return nil, fmt.Errorf("configure: the import has no usable server")
	}
	local := !g.options.Strict && isLoopback(server.Hostname())
	for _, text := range []string{a.AuthorizationURL, a.TokenURL} {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			return nil, refused("M26", "Error saving draft", fmt.Sprintf("%q is no absolute URL", text))
		}
		if u.Scheme != "https" && !(local && isLoopback(u.Hostname())) && g.applies("G111") {
			return nil, refused("G111", "the authorization and token URL must be https", text)
		}
		hosts = append(hosts, strings.ToLower(u.Hostname()))
	}
	for _, host := range hosts {
		switch {
		case g.sameRoot(host, server.Hostname()):
		case local:
			notes = append(notes, fmt.Sprintf("waived on loopback: M25 would refuse %s beside an API on %s", host,
				server.Hostname()))
		default:
			return nil, refused("M25", "Authorization URL, Token URL, and API hostname must share a root domain",
				fmt.Sprintf("%s is not under the root domain of %s", host, server.Hostname()))
		}
	}
	if local && len(notes) == 0 {
		notes = append(notes, fmt.Sprintf("waived on loopback: M25 compares registrable domains, and %s has none",
			server.Hostname()))
	}
	return notes, nil
}

// Share publishes the GPT by link or in the store, with the privacy URL that the builder
// gave for the action. It returns a *[RefusedError] for M27. A private GPT needs none.
func (g *GPT) Share(privacyURL string) error {
	u, err := url.Parse(privacyURL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return refused("M27", "Public actions require valid privacy policy URLs", fmt.Sprintf("%q is no https URL",
			privacyURL))
	}
	return nil
}

func refused(rule, text, detail string) error {
	return &RefusedError{Message: Message{Rule: rule, Text: text, Effect: Refuse}, Detail: detail}
}

func (g *GPT) applies(rule string) bool {
	for _, off := range g.options.Without {
		if r, ok := ruleByID(off); ok && off == rule && r.Switchable() {
			return false
		}
	}
	return true
}

// sameRoot compares registrable domains (eTLD+1), as OpenAI's cookbook implies by
// pairing api.github.com with github.com (class B).
func (g *GPT) sameRoot(host, api string) bool {
	for _, exempt := range exemptHosts {
		if host == exempt {
			return true
		}
	}
	api = strings.ToLower(api)
	if host == api {
		return true
	}
	left, right := g.registrable(host), g.registrable(api)
	return left != "" && left == right
}

// registrable returns the eTLD+1 of host, or "" if it has none (an address, a bare
// suffix).
func (g *GPT) registrable(host string) string {
	suffix, icann := publicsuffix.PublicSuffix(host)
	for g.options.IgnorePrivateSuffixes && !icann && strings.Contains(suffix, ".") {
		_, suffix, _ = strings.Cut(suffix, ".")
		suffix, icann = publicsuffix.PublicSuffix(suffix)
	}
	name, found := strings.CutSuffix(host, "."+suffix)
	if !found || isAddress(host) {
		return ""
	}
	return name[strings.LastIndex(name, ".")+1:] + "." + suffix
}
