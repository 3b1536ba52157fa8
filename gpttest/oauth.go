package gpttest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// Visitor is the person with a browser. Visit opens authorizeURL, does what a person
// does there, and returns the address to which the browser is sent in the end, which
// is redirectURI with a query. It does not judge the query.
type Visitor interface {
	Visit(ctx context.Context, authorizeURL, redirectURI string) (callback *url.URL, err error)
}

// DeniedError says that the person pressed Deny (error=access_denied, RFC 6749
// section 4.1.2.1).
type DeniedError struct{ Code, Description string }

func (e *DeniedError) Error() string {
	if e.Description == "" {
		return e.Code
	}
	return e.Code + ": " + e.Description
}

// CallbackError is any other error that the callback carried.
type CallbackError struct{ Code, Description string }

func (e *CallbackError) Error() string {
	return strings.TrimSuffix("the callback carries error "+e.Code+": "+e.Description, ": ")
}

var errNotConfigured = errors.New("no OAuth settings: Configure comes first")

// Callbacks returns the redirect URIs that ChatGPT may use, both hosts of class A,
// and http://127.0.0.1:{port}/callback for a person's own browser. It is an address and no
// name because Stytch may refuse localhost (connected_app_redirect_url_cannot_use_localhost).
func (g *GPT) Callbacks() []string {
	return []string{
		"https://chat.openai.com/aip/" + g.options.CallbackID + "/oauth/callback",
		"https://chatgpt.com/aip/" + g.options.CallbackID + "/oauth/callback",
		fmt.Sprintf("http://127.0.0.1:%d/callback", g.options.LoopbackPort),
	}
}

// AuthorizeURL returns the address that "Sign in with …" opens, and its state, a
// version 4 UUID that one callback may use. The query is what was observed (class C):
// response_type, client_id, redirect_uri, scope, state, and no PKCE. redirectURI
// should be one of Callbacks; a registered address of another kind is tried as well.
func (g *GPT) AuthorizeURL(redirectURI string) (authorizeURL, state string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.auth == nil {
		return "", "", errNotConfigured
	}
	u, err := url.Parse(g.auth.AuthorizationURL)
	if err != nil {
		return "", "", err
	}
	state = uuid.NewString()
	parameters := []string{"response_type", "code", "client_id", g.auth.ClientID, "redirect_uri", redirectURI}
	if g.auth.Scope != "" || !g.options.OmitEmptyScope {
		parameters = append(parameters, "scope", g.auth.Scope)
	}
	parameters = append(parameters, "state", state)
	for i := 0; i < len(parameters); i += 2 {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += parameters[i] + "=" + url.QueryEscape(parameters[i+1])
	}
	g.states[state] = redirectURI
	return u.String(), state, nil
}

// Authorize sends v to the authorization page and checks what comes back on the
// callback: the right address, the state byte for byte, and one code. A refusal by
// the person is a *[DeniedError], any other error of the page a *[CallbackError].
func (g *GPT) Authorize(ctx context.Context, redirectURI string, v Visitor) (code string, err error) {
	address, state, err := g.AuthorizeURL(redirectURI)
	if err != nil {
		return "", err
	}
	callback, err := v.Visit(ctx, address, redirectURI)
	if err != nil {
		return "", err
	}
	return g.callback(callback, state)
}

func (g *GPT) callback(u *url.URL, state string) (string, error) {
	g.mu.Lock()
	want, known := g.states[state]
	delete(g.states, state)
	g.mu.Unlock()
	if !known {
		return "", errors.New("the state was used before")
	}
	if !isCallback(u, want) {
		return "", fmt.Errorf("the browser was sent to %s://%s%s, not to %s", u.Scheme, u.Host, u.Path, want)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", fmt.Errorf("the callback's query: %w", err)
	}
	for _, name := range []string{"code", "state", "error"} {
		if len(query[name]) > 1 {
			return "", fmt.Errorf("the callback has %d parameters named %s", len(query[name]), name)
		}
	}
	if got := query.Get("state"); got != state {
		return "", fmt.Errorf("the callback's state is %q, not %q", got, state)
	}
	problem, description := query.Get("error"), query.Get("error_description")
	switch {
	case problem == "access_denied":
		return "", &DeniedError{Code: problem, Description: description}
	case problem != "":
		return "", &CallbackError{Code: problem, Description: description}
	case query.Get("code") == "":
		return "", errors.New("the callback has no code")
	}
	return query.Get("code"), nil
}

// isCallback compares scheme, host and path, which must not have changed.
func isCallback(u *url.URL, redirectURI string) bool {
	want, err := url.Parse(redirectURI)
	return err == nil && u.Scheme == want.Scheme && u.Host == want.Host && u.EscapedPath() == want.EscapedPath()
}
