package gpttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxTokenReply bounds the token endpoint's answer.
const maxTokenReply = 1 << 20

// Token is what the token endpoint issued.
type Token struct {
	AccessToken, TokenType, RefreshToken, Scope string
	ExpiresIn                                   time.Duration
	// ExpiresAt is by the clock of Options.
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
func (g *GPT) Exchange(ctx context.Context, code, redirectURI string) (*Token, error) {
	token, err := g.requestToken(ctx, url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {code},
		"redirect_uri": {redirectURI},
	})
	if err != nil {
		return nil, err
	}
	g.SetToken(token)
	return token, nil
}

// Refresh trades the refresh token for a new access token. A reply without a refresh
// token keeps the old one. After any failure nobody is signed in any more.
func (g *GPT) Refresh(ctx context.Context) (*Token, error) {
	old := g.Token()
	if old == nil || old.RefreshToken == "" {
		g.SetToken(nil)
		return nil, errors.New("there is no refresh token")
	}
	token, err := g.requestToken(ctx, url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {old.RefreshToken},
	})
	if err != nil {
		g.SetToken(nil)
		return nil, err
	}
	if token.RefreshToken == "" {
		token.RefreshToken = old.RefreshToken
	}
	g.SetToken(token)
	return token, nil
}

// SignedIn reports whether a token is held, expired or not.
func (g *GPT) SignedIn() bool { return g.Token() != nil }

// Token returns a copy of the token held, or nil.
func (g *GPT) Token() *Token {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == nil {
		return nil
	}
	token := *g.token
	return &token
}

// SetToken signs in with a token from elsewhere; nil signs out. A zero ExpiresAt
// never expires.
func (g *GPT) SetToken(t *Token) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.token = nil
	if t != nil {
		token := *t
		g.token = &token
	}
}

// requestToken posts form with the client's credentials (classes A and B).
func (g *GPT) requestToken(ctx context.Context, form url.Values) (*Token, error) {
	g.mu.Lock()
	auth := g.auth
	g.mu.Unlock()
	if auth == nil {
		return nil, errNotConfigured
	}
	if auth.TokenExchangeMethod == DefaultPost {
		form.Set("client_id", auth.ClientID)
		form.Set("client_secret", auth.ClientSecret)
	}
	ctx, cancel := context.WithTimeout(ctx, roundTrip)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, auth.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", userAgent)
	if auth.TokenExchangeMethod == BasicAuthHeader {
		req.SetBasicAuth(auth.ClientID, auth.ClientSecret)
	}
	res, err := g.oauthClient().Do(req)
	if err != nil {
		return nil, fmt.Errorf("the token endpoint: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenReply))
	if err != nil {
		return nil, fmt.Errorf("the token endpoint: %w", err)
	}
	return g.readToken(res, body)
}

// readToken demands what ChatGPT needs: JSON, an access token, the type bearer in any
// case, and a lifetime, without which a refresh never happens.
func (g *GPT) readToken(res *http.Response, body []byte) (*Token, error) {
	var reply struct {
		AccessToken  any    `json:"access_token"`
		TokenType    any    `json:"token_type"`
		ExpiresIn    any    `json:"expires_in"`
		RefreshToken string `json:"refresh_token"`
		Scope        string `json:"scope"`
		Error        string `json:"error"`
		Description  string `json:"error_description"`
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	parseErr := json.Unmarshal(body, &reply)
	if res.StatusCode != http.StatusOK {
		return nil, &TokenError{Status: res.StatusCode, Code: reply.Error, Description: reply.Description}
	}
	if kind != "application/json" {
		return nil, fmt.Errorf("the token endpoint answered with content type %q, not application/json",
			res.Header.Get("Content-Type"))
	}
	if parseErr != nil {
		return nil, fmt.Errorf("the token endpoint's answer: %w", parseErr)
	}
	access, _ := reply.AccessToken.(string)
	tokenType, _ := reply.TokenType.(string)
	seconds, numeric := reply.ExpiresIn.(float64)
	switch {
	case access == "":
		return nil, errors.New("the token endpoint's answer has no access_token")
	case !strings.EqualFold(tokenType, "bearer"):
		return nil, fmt.Errorf("the token endpoint's token_type is %q, not bearer", tokenType)
	case !numeric || seconds <= 0:
		return nil, fmt.Errorf("the token endpoint's expires_in is %v, not a number of seconds over 0", reply.ExpiresIn)
	}
	lifetime := time.Duration(min(seconds, 1e9) * float64(time.Second))
	return &Token{
		AccessToken: access, TokenType: tokenType, RefreshToken: reply.RefreshToken, Scope: reply.Scope,
		ExpiresIn: lifetime, ExpiresAt: g.options.Now().Add(lifetime),
	}, nil
}
