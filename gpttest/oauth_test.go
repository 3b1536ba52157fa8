package gpttest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visitorFunc is a person in one function.
type visitorFunc func(authorizeURL, redirectURI string) (*url.URL, error)

func (f visitorFunc) Visit(_ context.Context, authorizeURL, redirectURI string) (*url.URL, error) {
	return f(authorizeURL, redirectURI)
}

// answering returns to the redirect URI with these members and the state of the
// request, unless state is among them.
func answering(members url.Values) visitorFunc {
	return func(authorizeURL, redirectURI string) (*url.URL, error) {
		request, err := url.Parse(authorizeURL)
		if err != nil {
			return nil, err
		}
		query := url.Values{"state": {request.Query().Get("state")}}
		for name, values := range members {
			query[name] = values
		}
		return url.Parse(redirectURI + "?" + query.Encode())
	}
}

// signedUp makes a GPT for the clean document with OAuth settings.
func signedUp(t *testing.T, o Options, change func(*Auth)) *GPT {
	t.Helper()
	a := Auth{
		ClientID: "app-1", ClientSecret: "s3cret&", Scope: "openid tasks:read",
		AuthorizationURL: "https://app.example.com/idp", TokenURL: "https://api.example.com/oauth2/token",
	}
	if change != nil {
		change(&a)
	}
	g := New(importText(t, clean, o), o)
	if err := g.Configure(a); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestAuthorizeURLIsTheObservedOne(t *testing.T) { // class C
	const callback = "https://chat.openai.com/aip/g-dev/oauth/callback"
	const asked = "response_type=code&client_id=app-1&" +
		"redirect_uri=https%3A%2F%2Fchat.openai.com%2Faip%2Fg-dev%2Foauth%2Fcallback"
	for _, tt := range []struct {
		name, address, scope string
		options              Options
		want                 string
	}{
		{"with a scope", "https://app.example.com/idp", "openid tasks:read", Options{},
			"https://app.example.com/idp?" + asked + "&scope=openid+tasks%3Aread&state="},
		{"empty scope", "https://app.example.com/idp", "", Options{},
			"https://app.example.com/idp?" + asked + "&scope=&state="},
		{"empty scope left out", "https://app.example.com/idp", "", Options{OmitEmptyScope: true},
			"https://app.example.com/idp?" + asked + "&state="},
		{"a query of its own", "https://app.example.com/idp?tenant=1", "", Options{},
			"https://app.example.com/idp?tenant=1&" + asked + "&scope=&state="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := signedUp(t, tt.options, func(a *Auth) { a.AuthorizationURL, a.Scope = tt.address, tt.scope })
			got, state, err := g.AuthorizeURL(callback)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want+state {
				t.Errorf("got  %s\nwant %s", got, tt.want+state)
			}
			if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(
				state) {
				t.Errorf("state %q is no UUID of version 4", state)
			}
		})
	}
}

func TestCallbacksAreBothHostsAndLoopback(t *testing.T) {
	g := New(importText(t, clean, Options{}), Options{CallbackID: "g-7", LoopbackPort: 9000})
	want := "https://chat.openai.com/aip/g-7/oauth/callback https://chatgpt.com/aip/g-7/oauth/callback " +
		"http://127.0.0.1:9000/callback"
	if got := strings.Join(g.Callbacks(), " "); got != want {
		t.Errorf("got %s", got)
	}
}

func TestAuthorizeChecksTheCallback(t *testing.T) {
	elsewhere := visitorFunc(func(authorizeURL, _ string) (*url.URL, error) {
		return answering(url.Values{"code": {"c"}})(authorizeURL, "https://evil.example/callback")
	})
	for _, tt := range []struct {
		name    string
		visitor Visitor
		want    string // the error, "" for none
	}{
		{"a code", answering(url.Values{"code": {"c-1"}}), ""},
		{"no code", answering(nil), "the callback has no code"},
		{"two codes", answering(url.Values{"code": {"a", "b"}}), "the callback has 2 parameters named code"},
		{"another state", answering(url.Values{"code": {"c"}, "state": {"x"}}), `the callback's state is "x", not`},
		{"another address", elsewhere, "the browser was sent to https://evil.example/callback, not to"},
		{"denied", answering(url.Values{"error": {"access_denied"}, "error_description": {"not now"}}),
			"access_denied: not now"},
		{"denied with another state", answering(url.Values{"error": {"access_denied"}, "state": {"x"}}),
			`the callback's state is "x", not`},
		{"another error", answering(url.Values{"error": {"invalid_scope"}}),
			"the callback carries error invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := signedUp(t, Options{}, nil)
			for _, callback := range g.Callbacks() {
				code, err := g.Authorize(t.Context(), callback, tt.visitor)
				switch {
				case tt.want == "" && (err != nil || code != "c-1"):
					t.Errorf("%s: code %q, error %v", callback, code, err)
				case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
					t.Errorf("%s: %v", callback, err)
				}
				var denied *DeniedError
				if isDenied := errors.As(err, &denied); isDenied != (tt.name == "denied") {
					t.Errorf("%s: %T", callback, err)
				}
			}
		})
	}
}

// tokenEndpoint answers with what it is told and remembers the last request.
type tokenEndpoint struct {
	status      int
	contentType string
	body        string

	form        url.Values
	user, pass  string
	basic       bool
	requestType string
	calls       int
}

func (e *tokenEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	e.calls++
	e.form, e.requestType = r.PostForm, r.Header.Get("Content-Type")
	e.user, e.pass, e.basic = r.BasicAuth()
	w.Header().Set("Content-Type", e.contentType)
	w.WriteHeader(e.status)
	fmt.Fprint(w, e.body)
}

const goodToken = `{"access_token":"at-1","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-1",` +
	`"scope":"openid"}`

// local makes a GPT whose API and token endpoint are on this machine.
func local(t *testing.T, api http.Handler, endpoint *tokenEndpoint, o Options, method string) *GPT {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("POST /oauth2/token", endpoint)
	mux.Handle("/", api)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	imp := importText(t, with(t, `"https://api.example.com"}]`, `"`+server.URL+`"}]`), o)
	g := New(imp, o)
	err := g.Configure(Auth{ClientID: "app-1", ClientSecret: "s3cret&", AuthorizationURL: server.URL + "/idp",
		TokenURL: server.URL + "/oauth2/token", TokenExchangeMethod: method})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestExchangeAuthenticatesBothWays(t *testing.T) {
	for _, method := range []string{"", DefaultPost, BasicAuthHeader} {
		t.Run(method, func(t *testing.T) {
			endpoint := &tokenEndpoint{status: 200, contentType: "application/json; charset=utf-8", body: goodToken}
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			g := local(t, http.NotFoundHandler(), endpoint, Options{Now: func() time.Time { return now }}, method)
			token, err := g.Exchange(t.Context(), "c-1", "http://localhost:8090/callback")
			if err != nil {
				t.Fatal(err)
			}
			want := Token{AccessToken: "at-1", TokenType: "Bearer", RefreshToken: "rt-1", Scope: "openid",
				ExpiresIn: time.Hour, ExpiresAt: now.Add(time.Hour)}
			if *token != want || !g.SignedIn() {
				t.Errorf("got %+v", token)
			}
			form := url.Values{"grant_type": {"authorization_code"}, "code": {"c-1"},
				"redirect_uri": {"http://localhost:8090/callback"}}
			if method == BasicAuthHeader {
				if endpoint.user != "app-1" || endpoint.pass != "s3cret&" {
					t.Errorf("Basic %q %q", endpoint.user, endpoint.pass)
				}
			} else {
				form["client_id"], form["client_secret"] = []string{"app-1"}, []string{"s3cret&"}
				if endpoint.basic {
					t.Error("credentials were sent twice")
				}
			}
			if endpoint.form.Encode() != form.Encode() || endpoint.requestType != "application/x-www-form-urlencoded" {
				t.Errorf("sent %s as %s", endpoint.form.Encode(), endpoint.requestType)
			}
		})
	}
}

func TestExchangeRefusesWhatChatGPTCannotUse(t *testing.T) {
	const jsonType = "application/json"
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"not JSON by type", "text/html", goodToken, 200, `the token endpoint answered with content type "text/html"`},
		{"not JSON", jsonType, "access_token=x", 200, "the token endpoint's answer: invalid character"},
		{"no token", jsonType, `{"token_type":"bearer","expires_in":1}`, 200,
			"the token endpoint's answer has no access_token"},
		{"another type", jsonType, `{"access_token":"a","token_type":"mac","expires_in":1}`, 200,
			`the token endpoint's token_type is "mac"`},
		{"no lifetime", jsonType, `{"access_token":"a","token_type":"bearer"}`, 200,
			"the token endpoint's expires_in is <nil>"},
		{"lifetime as text", jsonType, `{"access_token":"a","token_type":"bearer","expires_in":"3600"}`, 200,
			"the token endpoint's expires_in is 3600, not a number"},
		{"no time left", jsonType, `{"access_token":"a","token_type":"bearer","expires_in":0}`, 200,
			"the token endpoint's expires_in is 0"},
		{"refused", jsonType, `{"error":"invalid_grant","error_description":"used"}`, 400,
			"the token endpoint answered 400: invalid_grant: used"},
		{"redirected", jsonType, ``, 307, "the token endpoint answered 307"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			endpoint := &tokenEndpoint{status: tt.status, contentType: tt.contentType, body: tt.body}
			g := local(t, http.NotFoundHandler(), endpoint, Options{FollowRedirects: true}, "")
			_, err := g.Exchange(t.Context(), "c", "http://localhost:8090/callback")
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || g.SignedIn() {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRefreshKeepsTheOldRefreshToken(t *testing.T) {
	endpoint := &tokenEndpoint{status: 200, contentType: "application/json",
		body: `{"access_token":"at-2","token_type":"BEARER","expires_in":60}`}
	g := local(t, http.NotFoundHandler(), endpoint, Options{}, "")
	g.SetToken(&Token{AccessToken: "at-1", RefreshToken: "rt-1"})
	token, err := g.Refresh(t.Context())
	if err != nil || token.AccessToken != "at-2" || g.Token().RefreshToken != "rt-1" {
		t.Errorf("got %+v, %v", token, err)
	}
	want := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"rt-1"}, "client_id": {"app-1"},
		"client_secret": {"s3cret&"}}
	if endpoint.form.Encode() != want.Encode() {
		t.Errorf("sent %s", endpoint.form.Encode())
	}
}

func TestAFailedRefreshSignsOut(t *testing.T) {
	endpoint := &tokenEndpoint{status: 400, contentType: "application/json", body: `{"error":"invalid_grant"}`}
	g := local(t, http.NotFoundHandler(), endpoint, Options{}, "")
	g.SetToken(&Token{AccessToken: "at-1", RefreshToken: "rt-1"})
	_, err := g.Refresh(t.Context())
	var refusal *TokenError
	if !errors.As(err, &refusal) || refusal.Code != "invalid_grant" || g.SignedIn() {
		t.Errorf("got %v, signed in %v", err, g.SignedIn())
	}
}

func TestConfigureHoldsTheDomainRule(t *testing.T) { // M25 and M26
	const shared = "Authorization URL, Token URL, and API hostname must share a root domain"
	for _, tt := range []struct {
		name, server, authorize, token string
		options                        Options
		want                           string
	}{
		{"one host", "https://api.example.com", "https://api.example.com/a", "https://api.example.com/t", Options{},
			""},
		{"one registrable domain", "https://api.example.co.uk", "https://app.example.co.uk/a",
			"https://example.co.uk/t", Options{}, ""},
		{"only a suffix in common", "https://a.co.uk", "https://b.co.uk/a", "https://a.co.uk/t", Options{}, shared},
		{"Stytch's token endpoint", "https://api.example.com", "https://api.example.com/a",
			"https://x.customers.stytch.com/v1/oauth2/token", Options{}, shared},
		{"private suffixes count", "https://a.vercel.app", "https://b.vercel.app/a", "https://a.vercel.app/t",
			Options{}, shared},
		{"private suffixes ignored", "https://a.vercel.app", "https://b.vercel.app/a", "https://a.vercel.app/t",
			Options{IgnorePrivateSuffixes: true}, ""},
		{"Google is exempt", "https://api.example.com", "https://accounts.google.com/a",
			"https://oauth2.googleapis.com/t", Options{}, ""},
		{"Microsoft and Adobe are exempt", "https://api.example.com", "https://login.microsoftonline.com/a",
			"https://ims-na1.adobelogin.com/t", Options{}, ""},
		{"a name that ends like Google's", "https://api.example.com", "https://notaccounts.google.com.evil.example/a",
			"https://api.example.com/t", Options{}, shared},
		{"empty", "https://api.example.com", "", "https://api.example.com/t", Options{}, "Error saving draft"},
		{"http", "https://api.example.com", "http://api.example.com/a", "https://api.example.com/t", Options{},
			"the authorization and token URL must be https"},
		{"loopback", "http://localhost:8080", "http://localhost:8080/a", "http://127.0.0.1:8081/t", Options{}, ""},
		{"loopback beside a real host", "http://localhost:8080", "http://localhost:8080/a",
			"https://login.example.com/t", Options{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			imp := importText(t, with(t, `"https://api.example.com"}]`, `"`+tt.server+`"}]`), tt.options)
			g := New(imp, tt.options)
			err := g.Configure(Auth{AuthorizationURL: tt.authorize, TokenURL: tt.token})
			var refusal *RefusedError
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (!errors.As(err, &refusal) || refusal.Message.Text != tt.want):
				t.Errorf("got %v", err)
			}
			if waived := len(g.Notes()) > 0; waived != strings.HasPrefix(tt.name, "loopback") {
				t.Errorf("notes %q", g.Notes())
			}
		})
	}
}

func TestTheFormIsStoredWithSwappedNames(t *testing.T) { // class B
	got := Auth{AuthorizationURL: "https://a", TokenURL: "https://t", Scope: "s"}.Stored()
	want := StoredAuth{ClientURL: "https://a", AuthorizationURL: "https://t",
		AuthorizationContentType: "application/x-www-form-urlencoded", Scope: "s", TokenExchangeMethod: "default_post"}
	if got != want {
		t.Errorf("got %+v", got)
	}
}
