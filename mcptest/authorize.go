package mcptest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Visitor is the person with a browser. Visit opens authorizeURL, does what a person does there, and returns the
// address to which the browser is sent in the end, which is redirectURI with a query. It does not judge the query.
type Visitor interface {
	Visit(ctx context.Context, authorizeURL, redirectURI string) (callback *url.URL, err error)
}

// DeniedError says that the person did not allow it (error=access_denied, RFC 6749 section 4.1.2.1).
type DeniedError struct{ Code, Description string }

func (e *DeniedError) Error() string { return strings.TrimSuffix(e.Code+": "+e.Description, ": ") }

// CallbackError is any other error that the callback carried.
type CallbackError struct{ Code, Description string }

func (e *CallbackError) Error() string {
	return strings.TrimSuffix("the callback carries error "+e.Code+": "+e.Description, ": ")
}

// IssuerError says that the callback's iss (RFC 9207) is not what the metadata announces, so that clients throw the
// code away.
type IssuerError struct{ Problem string }

func (e *IssuerError) Error() string { return e.Problem }

// flow is one sign-in that was begun.
type flow struct{ redirectURI, verifier string }

// Scopes returns those that the client asks for: the challenge's, else scopes_supported, and what its profile adds.
func (c *Client) Scopes() []string {
	found, err := c.discovered()
	if err != nil {
		return nil
	}
	scopes := slices.Clone(found.Challenge.Scopes())
	if len(scopes) == 0 || c.profile.IgnoresChallengeScope {
		scopes = slices.Clone(found.Resource.Scopes)
	}
	var more []string
	if c.profile.OpenIDScopes {
		more = []string{"openid", "email", "profile"}
	}
	if !c.profile.OmitsOfflineAccess {
		more = append(more, "offline_access")
	}
	for _, scope := range more {
		if slices.Contains(found.Issuer.Scopes, scope) && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// AuthorizeURL returns the address to which the person is sent, and its state, which one callback may use.
func (c *Client) AuthorizeURL(redirectURI string) (authorizeURL, state string, err error) {
	found, err := c.discovered()
	if err != nil {
		return "", "", err
	}
	c.mu.Lock()
	identity := c.identity
	c.mu.Unlock()
	if identity == nil {
		return "", "", errors.New("the authorization server does not know the client: Identify comes first")
	}
	u, err := url.Parse(found.Issuer.AuthorizationURL)
	if err != nil {
		return "", "", fmt.Errorf("authorization_endpoint of %s: %w", found.IssuerURL, err)
	}
	if !isPage(u) {
		return "", "", fmt.Errorf("authorization_endpoint of %s is %q: no browser is sent there; it must be an "+
			"https:// address (http:// on this machine alone)", found.IssuerURL, u.Redacted())
	}
	state, verifier := random(), random()
	c.keep(state, verifier)
	hashed := sha256.Sum256([]byte(verifier))
	query := u.Query()
	query.Set("response_type", "code")
	query.Set("client_id", identity.ClientID)
	query.Set("redirect_uri", redirectURI)
	query.Set("state", state)
	query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(hashed[:]))
	query.Set("code_challenge_method", "S256")
	if scopes := c.Scopes(); len(scopes) > 0 {
		query.Set("scope", strings.Join(scopes, " "))
	}
	if !c.profile.OmitsResource {
		query.Set("resource", found.Resource.Resource)
	}
	u.RawQuery = query.Encode()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flows[state] = flow{redirectURI, verifier}
	return u.String(), state, nil
}

// isPage reports whether a person's browser may be sent there. What a desktop opens is not the server's to choose: a
// file, a script or a program's option would be opened too.
func isPage(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	here := host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
	return host != "" && (u.Scheme == "https" || u.Scheme == "http" && here)
}

func random() string {
	var bytes [32]byte
	rand.Read(bytes[:])
	return base64.RawURLEncoding.EncodeToString(bytes[:])
}

// Grant is a code that a callback brought, and what belongs to it. It is shown nowhere.
type Grant struct{ code, redirectURI, verifier string }

// Authorize sends v to the authorization page and checks what comes back on the callback: the right address, the
// state byte for byte, the issuer (RFC 9207), and one code. A refusal by the person is a *[DeniedError], any other
// error of the page a *[CallbackError].
func (c *Client) Authorize(ctx context.Context, redirectURI string, v Visitor) (*Grant, error) {
	address, state, err := c.AuthorizeURL(redirectURI)
	if err != nil {
		return nil, err
	}
	callback, err := v.Visit(ctx, address, redirectURI)
	if err != nil {
		return nil, err
	}
	return c.callback(callback, state)
}

func (c *Client) callback(u *url.URL, state string) (*Grant, error) {
	c.mu.Lock()
	begun, known := c.flows[state]
	delete(c.flows, state)
	c.mu.Unlock()
	if !known {
		return nil, errors.New("the state was used before")
	}
	if want, err := url.Parse(begun.redirectURI); err != nil || u.Scheme != want.Scheme || u.Host != want.Host ||
		u.EscapedPath() != want.EscapedPath() {
		return nil, fmt.Errorf("the browser was sent to %s, not to %s", withoutQuery(u), begun.redirectURI)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("the callback's query cannot be read")
	}
	c.keep(query["code"]...)
	for _, name := range []string{"code", "state", "error", "iss"} {
		if len(query[name]) > 1 {
			return nil, fmt.Errorf("the callback has %d parameters named %s", len(query[name]), name)
		}
	}
	if query.Get("state") != state {
		return nil, errors.New("the callback's state is not the one that was sent")
	}
	if err := c.checkIssuer(query); err != nil {
		return nil, err
	}
	problem, description := query.Get("error"), c.hide(query.Get("error_description"))
	switch {
	case problem == "access_denied":
		return nil, &DeniedError{Code: problem, Description: description}
	case problem != "":
		return nil, &CallbackError{Code: problem, Description: description}
	case query.Get("code") == "":
		return nil, errors.New("the callback has no code")
	}
	return &Grant{query.Get("code"), begun.redirectURI, begun.verifier}, nil
}

// checkIssuer is RFC 9207 section 2.4. Without it an answer of one server could pass for that of another; it holds
// for errors too.
func (c *Client) checkIssuer(query url.Values) error {
	found, err := c.discovered()
	if err != nil {
		return err
	}
	as, iss := found.Issuer, query.Get("iss")
	refused := func(format string, args ...any) error { return &IssuerError{fmt.Sprintf(format, args...)} }
	switch {
	case !query.Has("iss") && as.AdvertisesIdentifier:
		return refused("the callback has no iss, and %s says authorization_response_iss_parameter_supported: "+
			"clients throw the code away", found.IssuerURL)
	case query.Has("iss") && iss != as.Issuer:
		return refused("the callback's iss is %q, and the issuer %q: clients throw the code away", iss, as.Issuer)
	case query.Has("iss") && !as.AdvertisesIdentifier && !c.profile.AcceptsUnadvertisedIss:
		return refused("the callback has an iss, and %s does not say "+
			"authorization_response_iss_parameter_supported: "+
			"some clients throw the code away", found.IssuerURL)
	}
	return nil
}
