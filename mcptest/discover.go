package mcptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Discovery is what a client learns before anybody signs in.
type Discovery struct {
	// Challenge is that of the first 401.
	Challenge Challenge
	// MetadataURL is where the protected-resource metadata was found.
	MetadataURL string
	Resource    ResourceMetadata
	// IssuerURL is where the authorization server's metadata was found.
	IssuerURL string
	Issuer    IssuerMetadata
}

// ResourceMetadata is protected-resource metadata (RFC 9728).
type ResourceMetadata struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
}

// IssuerMetadata is an authorization server's metadata (RFC 8414).
type IssuerMetadata struct {
	Issuer               string   `json:"issuer"`
	AuthorizationURL     string   `json:"authorization_endpoint"`
	TokenURL             string   `json:"token_endpoint"`
	RegistrationURL      string   `json:"registration_endpoint"`
	Scopes               []string `json:"scopes_supported"`
	ChallengeMethods     []string `json:"code_challenge_methods_supported"`
	AuthMethods          []string `json:"token_endpoint_auth_methods_supported"`
	MetadataDocuments    bool     `json:"client_id_metadata_document_supported"`
	AdvertisesIdentifier bool     `json:"authorization_response_iss_parameter_supported"`
}

// ErrOpen says that the server takes messages without a token.
var ErrOpen = errors.New("the server answers without a token: there is nothing to sign in for")

// NoServerError says that nobody speaks MCP at URL.
type NoServerError struct{ URL, Answer string }

func (e *NoServerError) Error() string {
	return "there is no MCP server at " + e.URL + ": a message " + e.Answer
}

// Discover sends a message without a token, and follows the challenge to the authorization server.
func (c *Client) Discover(ctx context.Context) (*Discovery, error) {
	challenge, err := c.challenge(ctx)
	if err != nil {
		return nil, err
	}
	found := &Discovery{Challenge: challenge}
	if found.MetadataURL, found.Resource, err = c.resource(ctx, challenge); err != nil {
		return nil, err
	}
	if found.IssuerURL, found.Issuer, err = c.issuer(ctx, found.Resource.Servers[0]); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.found = found
	c.mu.Unlock()
	return found, nil
}

// challenge returns the answer to the first message of the client.
func (c *Client) challenge(ctx context.Context) (Challenge, error) {
	method, params := "initialize", c.initialization()
	if c.profile.Modern {
		method, params = "server/discover", map[string]any{}
	}
	res, err := c.post(ctx, "challenge", method, params, "", c.profile.Modern)
	if err != nil {
		return Challenge{}, err
	}
	if res.StatusCode != http.StatusUnauthorized {
		return Challenge{}, c.unchallenged(res)
	}
	challenge, ok := bearerOf(res.Header)
	switch {
	case c.profile.Tolerant:
	case !ok:
		return Challenge{}, fmt.Errorf("the 401 of %s has no WWW-Authenticate with a Bearer challenge (RFC 6750)",
			c.url)
	case challenge.Parameters["error"] != "":
		return Challenge{}, fmt.Errorf(
			"the 401 of %s to a message without a token says error=%q: clients take that for "+
				"a token gone bad (RFC 6750 section 3.1: no error without a "+
				"token)", c.url, challenge.Parameters["error"])
	}
	return challenge, nil
}

// unchallenged tells why an answer other than 401 begins no sign-in.
func (c *Client) unchallenged(res *arrived) error {
	switch {
	case c.speaks(res):
		return ErrOpen
	case absent(res.StatusCode):
		return &NoServerError{c.url, described(res)}
	case res.Header.Get("Location") != "":
		return fmt.Errorf("a message to %s was answered %s, to %s: clients follow no redirect of a message, so give "+
			"the address of the server itself", c.url, res.Status, location(res))
	}
	return fmt.Errorf("a message without a token to %s was answered %s: only 401 begins a sign-in", c.url, res.Status)
}

// speaks reports whether the answer is a message of the protocol. A server of the earlier era may refuse one of the
// newer with 400 or 404.
func (c *Client) speaks(res *arrived) bool {
	answer, err := c.read(res)
	if err != nil {
		return false
	}
	refused := res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusNotFound
	return answer.result != nil && res.StatusCode < 300 || answer.problem != nil && (refused || res.StatusCode < 300)
}

// absent reports whether a status without a message of the protocol says that none is spoken there.
func absent(status int) bool {
	return status < 300 || slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone,
		http.StatusNotImplemented}, status)
}

// described returns what an answer is, in a few words.
func described(res *arrived) string {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode >= 300:
		return "was answered " + res.Status
	case kind == "text/html":
		return "was answered with a page (text/html)"
	case json.Valid(res.body):
		return "was answered with JSON that is no MCP message"
	}
	return fmt.Sprintf("was answered with no MCP message (content type %q)", res.Header.Get("Content-Type"))
}

// location returns where a redirect leads, without its query.
func location(res *arrived) string {
	to, err := res.Location()
	if err != nil {
		return "an address that cannot be read"
	}
	return withoutQuery(to)
}

// resource reads the metadata from the first place of the profile that has it.
func (c *Client) resource(ctx context.Context, challenge Challenge) (string, ResourceMetadata, error) {
	var missing []string
	for _, place := range c.profile.Metadata {
		address, err := c.placeURL(place, challenge)
		if err != nil {
			return "", ResourceMetadata{}, err
		}
		if address == "" || slices.Contains(missing, address) {
			continue
		}
		var m ResourceMetadata
		found, err := c.document(ctx, "metadata", address, &m)
		if err != nil {
			return "", m, err
		}
		if found {
			return address, m, m.check(address, c.url, c.profile.Tolerant)
		}
		missing = append(missing, address)
	}
	return "", ResourceMetadata{}, fmt.Errorf("there is no protected-resource metadata (RFC 9728) at %s",
		strings.Join(missing, ", nor at "))
}

func (c *Client) placeURL(place Place, challenge Challenge) (string, error) {
	u, err := url.Parse(c.url)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q is not a URL with a host name", c.url)
	}
	const wellKnown = "/.well-known/oauth-protected-resource"
	switch place {
	case InChallenge:
		return challenge.Parameters["resource_metadata"], nil
	case PathForm:
		return u.Scheme + "://" + u.Host + wellKnown + strings.TrimSuffix(u.EscapedPath(), "/"), nil
	}
	return u.Scheme + "://" + u.Host + wellKnown, nil
}

func (m ResourceMetadata) check(address, typed string, tolerant bool) error {
	switch {
	case tolerant && len(m.Servers) > 0:
	case m.Resource != typed:
		return fmt.Errorf("%s says resource %q, and the URL typed is %q: clients want the same, byte for byte",
			address, m.Resource, typed)
	case len(m.Servers) != 1:
		return fmt.Errorf("%s names %d authorization_servers: clients use the first alone, so there must be one",
			address,
			len(m.Servers))
	}
	return nil
}

// IssuerPlaces returns where the metadata of an authorization server may be, in the order in which clients look: by RFC
// 8414, then as OpenID Connect Discovery has it.
func IssuerPlaces(issuer string) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("the authorization server %q is not a URL with a host name", issuer)
	}
	origin, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	places := []string{origin + "/.well-known/oauth-authorization-server" + path,
		origin + "/.well-known/openid-configuration" + path}
	if path != "" {
		places = append(places, origin+path+"/.well-known/openid-configuration")
	}
	return places, nil
}

// issuer reads the metadata of an authorization server.
func (c *Client) issuer(ctx context.Context, issuer string) (string, IssuerMetadata, error) {
	places, err := IssuerPlaces(issuer)
	if err != nil {
		return "", IssuerMetadata{}, err
	}
	for _, address := range places {
		var m IssuerMetadata
		found, err := c.document(ctx, "issuer", address, &m)
		if err != nil {
			return "", m, err
		}
		if found {
			return address, m, m.check(address, issuer, c.profile.Tolerant)
		}
	}
	return "", IssuerMetadata{}, fmt.Errorf("the authorization server has no metadata at %s",
		strings.Join(places, ", nor at "))
}

func (m IssuerMetadata) check(address, issuer string, tolerant bool) error {
	switch {
	case tolerant && m.AuthorizationURL != "" && m.TokenURL != "":
	case m.Issuer != issuer:
		return fmt.Errorf("%s says issuer %q, and the resource's metadata names %q: clients want the same, byte for "+
			"byte",
			address, m.Issuer, issuer)
	case m.AuthorizationURL == "" || m.TokenURL == "":
		return fmt.Errorf("%s lacks authorization_endpoint or token_endpoint", address)
	case !slices.Contains(m.ChallengeMethods, "S256"):
		return fmt.Errorf("%s does not list S256 in code_challenge_methods_supported: clients go no further", address)
	}
	return nil
}

// document reads one JSON document. A status of 4xx means that there is none; anything else but 200 is an error,
// as is a page where JSON belongs.
func (c *Client) document(ctx context.Context, step, address string, into any) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.profile.SignInTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Accept", "application/json")
	res, body, err := c.do(step, req, maxDocument)
	if err != nil {
		return false, err
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode >= 400 && res.StatusCode < 500:
		return false, nil
	case res.StatusCode != http.StatusOK:
		return false, fmt.Errorf("%s was answered %s", address, res.Status)
	case kind != "application/json":
		return false, fmt.Errorf("%s has the content type %q, not application/json", address,
			res.Header.Get("Content-Type"))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return false, fmt.Errorf("%s cannot be read: %w", address, err)
	}
	return true, nil
}

// do sends a request and reads its answer, of which most bytes may come.
func (c *Client) do(step string, req *http.Request, most int64) (*http.Response, []byte, error) {
	req.Header.Set("User-Agent", c.profile.UserAgent)
	res, err := c.http.Do(req)
	c.saw(step, req, res)
	if err != nil {
		if sent := new(url.Error); errors.As(err, &sent) { // without the address, which may have a query
			sent.URL = withoutQuery(req.URL)
		}
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("the answer of %s is longer than %d bytes", withoutQuery(req.URL), most)
	}
	return res, body, err
}
