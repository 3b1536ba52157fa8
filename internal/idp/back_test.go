package idp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/clients"
)

// refused returns what a refusal leads to beside what every one of them does.
func refused(t *testing.T, p *Provider, query string) []string {
	t.Helper()
	w := get(p, query)
	if w.Code < 400 || w.Header().Get("Location") != "" {
		t.Errorf("%s: %d %v", query, w.Code, w.Header())
	}
	return slices.DeleteFunc(addresses(t, w.Body.String()),
		func(address string) bool { return slices.Contains(refusalAddresses, address) })
}

// A client that Stytch knows hears what was wrong with its request at the address that it has registered, with the
// state as it came (RFC 6749 section 4.1.2.1), when the person presses the button.
func TestAKnownClientHearsWhatWasWrong(t *testing.T) {
	p := pageProvider(t)
	for name, tt := range map[string]struct{ query, want string }{
		"another response type": {chatGPT("response_type", "token"),
			callback + "?error=unsupported_response_type&state=st-1"},
		"another challenge": {chatGPT("code_challenge", "x", "code_challenge_method", "plain"),
			callback + "?error=invalid_request&state=st-1"},
		"an organization that there is not": {chatGPT("organization_id", "initech"),
			callback + "?error=invalid_request&state=st-1"},
		"scopes twice": {chatGPT() + "&scope=openid", callback + "?error=invalid_request&state=st-1"},
		"a state that is text of any kind": {chatGPT("response_type", "token", "state", `"><a href='&x=1 grün`),
			callback + "?" + url.Values{"error": {unsupportedResponseType},
				"state": {`"><a href='&x=1 grün`}}.Encode()},
		"without a state": {chatGPT("response_type", "token", "state", ""),
			callback + "?error=unsupported_response_type"},
	} {
		if got := refused(t, p, tt.query); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: leads to %q, want %q", name, got, tt.want)
		}
	}
}

// Nobody else is led to: what may have been written by anybody is no link of ours.
func TestNobodyElseHearsWhatWasWrong(t *testing.T) {
	wrong := []string{"response_type", "token"}
	with := func(pairs ...string) string { return chatGPT(append(wrong, pairs...)...) }
	const script, data = "javascript:alert(1)", "data:text/html,x"
	admittingOthers := func(o *Options) { o.Clients = clients.Parse([]string{"connected-app-test-x"}) }
	away := func(o *Options) {
		o.LookUpClient = func(context.Context, string) (Client, error) { return Client{}, errors.New("Stytch is away") }
	}
	unknown := func(o *Options) {
		o.LookUpClient = func(context.Context, string) (Client, error) { return Client{Name: "GPT"}, nil }
	}
	for name, tt := range map[string]struct {
		query  string
		change func(*Options)
	}{
		"an address that is not registered":           {with("redirect_uri", "https://evil.example/"), nil},
		"a path below the registered one":             {with("redirect_uri", callback+"/x"), nil},
		"the registered one with a query":             {with("redirect_uri", callback+"?x=1"), nil},
		"a loopback address that is not registered":   {with("redirect_uri", "http://127.0.0.1:99/callback"), nil},
		"a client that Stytch does not know":          {with("client_id", "connected-app-test-other"), nil},
		"a client that is not admitted":               {with(), admittingOthers},
		"a client with a document":                    {with("client_id", "https://evil.example/client.json"), nil},
		"a client that cannot be looked up":           {with(), away},
		"a client whose addresses are not told":       {with(), unknown},
		"two addresses":                               {with() + "&redirect_uri=https%3A%2F%2Fevil.example%2F", nil},
		"two clients":                                 {with() + "&client_id=x", nil},
		"two states":                                  {with() + "&state=2", nil},
		"a link beside the request":                   {chatGPT() + "&stytch_token_type=discovery&token=t", nil},
		"a token in the address":                      {chatGPT() + "&trusted_auth_token=a.b.c", nil},
		"a script, though somebody had registered it": {with("redirect_uri", script), registering(script)},
		"data, though somebody had registered it":     {with("redirect_uri", data), registering(data)},
	} {
		change := tt.change
		if change == nil {
			change = func(*Options) {}
		}
		if got := refused(t, pageProvider(t, change), tt.query); len(got) > 0 {
			t.Errorf("%s: leads to %q", name, got)
		}
	}
}

// registering has the client registered with the address.
func registering(addresses ...string) func(*Options) {
	return func(o *Options) {
		o.LookUpClient = func(context.Context, string) (Client, error) {
			return Client{Name: "GPT", RedirectURIs: addresses}, nil
		}
	}
}

func TestTheWayBackIsTheRegisteredAddress(t *testing.T) {
	const answer = "error=unsupported_response_type&iss=https%3A%2F%2Flogin.example.com&state=st-1"
	for name, tt := range map[string]struct{ registered, asked, want string }{
		"an app on the device": {"cursor://anysphere.cursor-mcp/oauth/callback",
			"cursor://anysphere.cursor-mcp/oauth/callback",
			"cursor://anysphere.cursor-mcp/oauth/callback?" + answer},
		"a program on any port": {"http://127.0.0.1/callback", "http://127.0.0.1:4711/callback",
			"http://127.0.0.1:4711/callback?" + answer},
		"one with a query": {"https://example.com/back?app=1", "https://example.com/back?app=1",
			"https://example.com/back?app=1&" + answer},
	} {
		p := pageProvider(t, registering(tt.registered), func(o *Options) {
			o.AdvertisedIssuer = func(context.Context) (string, bool) { return "https://login.example.com", true }
		})
		got := refused(t, p, chatGPT("response_type", "token", "redirect_uri", tt.asked))
		if !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// An app that nobody has checked is not named on a button as if it were known here.
func TestTheWayBackNamesAnAppAsThePageDoes(t *testing.T) {
	listed := func(o *Options) { o.Clients = clients.Parse([]string{testClient}) }
	for want, p := range map[string]*Provider{"Back to <bdi>“GPT”</bdi>": pageProvider(t, registering(callback)),
		"Back to <bdi>GPT</bdi>": pageProvider(t, registering(callback), listed)} {
		w := get(p, chatGPT("response_type", "token"))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("lacks %s: %s", want, w.Body)
		}
	}
}
