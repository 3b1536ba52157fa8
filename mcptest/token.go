package mcptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Token is what the token endpoint issued.
type Token struct {
	AccessToken, TokenType, RefreshToken, Scope string
	ExpiresIn                                   time.Duration
	// ExpiresAt is by the clock of Options; zero if the answer did not say how long the token lives.
	ExpiresAt time.Time
}

// TokenError is a refusal by the token endpoint (RFC 6749 section 5.2).
type TokenError struct {
	Status            int
	Code, Description string
}

func (e *TokenError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the token endpoint answered %d, without an OAuth error", e.Status)
	}
	return strings.TrimSuffix(fmt.Sprintf("the token endpoint answered %d: %s: %s", e.Status, e.Code, e.Description),
		": ")
}

// Exchange trades the code for tokens and signs in.
func (c *Client) Exchange(ctx context.Context, g *Grant) (*Token, error) {
	token, err := c.requestToken(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {g.code},
		"redirect_uri": {g.redirectURI}, "code_verifier": {g.verifier}})
	if err != nil {
		return nil, err
	}
	c.SetToken(token)
	return token, nil
}

// Refresh trades the refresh token for a new access token. A reply without a refresh token keeps the old one. After
// a refusal nobody is signed in any more.
func (c *Client) Refresh(ctx context.Context) (*Token, error) {
	old := c.Token()
	if old == nil || old.RefreshToken == "" {
		c.SetToken(nil)
		return nil, errors.New("there is no refresh token")
	}
	token, err := c.requestToken(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken}})
	if err != nil {
		if errors.As(err, new(*TokenError)) {
			c.SetToken(nil)
		}
		return nil, err
	}
	if token.RefreshToken == "" {
		token.RefreshToken = old.RefreshToken
	}
	c.SetToken(token)
	return token, nil
}

// SignedIn reports whether a token is held, expired or not.
func (c *Client) SignedIn() bool { return c.Token() != nil }

// Token returns a copy of the token held, or nil.
func (c *Client) Token() *Token {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == nil {
		return nil
	}
	token := *c.token
	return &token
}

// SetToken signs in with a token from elsewhere; nil signs out. A zero ExpiresAt never expires.
func (c *Client) SetToken(t *Token) {
	if t != nil {
		c.keep(t.AccessToken, t.RefreshToken)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = nil
	if t != nil {
		token := *t
		c.token = &token
	}
}

// requestToken posts form. A client with a secret sends it in the way that the metadata offers first, the same at
// each exchange.
func (c *Client) requestToken(ctx context.Context, form url.Values) (*Token, error) {
	found, err := c.discovered()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	identity := c.identity
	c.mu.Unlock()
	if identity == nil {
		return nil, errors.New("the authorization server does not know the client: Identify comes first")
	}
	if !c.profile.OmitsResource {
		form.Set("resource", found.Resource.Resource)
	}
	inHeader := identity.ClientSecret != "" && !slices.Contains(found.Issuer.AuthMethods, "client_secret_post")
	if !inHeader {
		form.Set("client_id", identity.ClientID)
		if identity.ClientSecret != "" {
			form.Set("client_secret", identity.ClientSecret)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.profile.SignInTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, found.Issuer.TokenURL,
		strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if inHeader { // RFC 6749 section 2.3.1
		req.SetBasicAuth(url.QueryEscape(identity.ClientID), url.QueryEscape(identity.ClientSecret))
	}
	res, body, err := c.do("token", req, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("the token endpoint: %w", err)
	}
	return c.readToken(res, body)
}

// readToken demands JSON, an access token, and the type bearer in any case.
func (c *Client) readToken(res *http.Response, body []byte) (*Token, error) {
	var reply struct {
		AccessToken  string  `json:"access_token"`
		TokenType    string  `json:"token_type"`
		ExpiresIn    float64 `json:"expires_in"`
		RefreshToken string  `json:"refresh_token"`
		Scope        string  `json:"scope"`
		Error        string  `json:"error"`
		Description  string  `json:"error_description"`
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	parseErr := json.Unmarshal(body, &reply)
	switch {
	case res.StatusCode != http.StatusOK:
		return nil, &TokenError{Status: res.StatusCode, Code: c.hide(reply.Error),
			Description: c.hide(reply.Description)}
	case kind != "application/json":
		return nil, fmt.Errorf("the token endpoint answered with content type %q, not application/json",
			res.Header.Get("Content-Type"))
	case parseErr != nil:
		return nil, errors.New("the token endpoint's answer cannot be read")
	case reply.AccessToken == "":
		return nil, errors.New("the token endpoint's answer has no access_token")
	case !strings.EqualFold(reply.TokenType, "bearer"):
		return nil, fmt.Errorf("the token endpoint's token_type is %q, not bearer", reply.TokenType)
	}
	token := &Token{AccessToken: reply.AccessToken, TokenType: reply.TokenType, RefreshToken: reply.RefreshToken,
		Scope: reply.Scope}
	if reply.ExpiresIn > 0 {
		token.ExpiresIn = time.Duration(min(reply.ExpiresIn, 1e9) * float64(time.Second))
		token.ExpiresAt = c.options.Now().Add(token.ExpiresIn)
	}
	return token, nil
}
