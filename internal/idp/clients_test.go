package idp

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/clients"
)

const document = "https://claude.ai/oauth/mcp-oauth-client-metadata"

// mcp returns a request as an MCP client sends it.
func mcp(pairs ...string) string {
	return chatGPT(append([]string{"client_id", document, "redirect_uri", "https://claude.ai/api/mcp/auth_callback",
		"code_challenge", "x", "code_challenge_method", "S256", "resource", "https://gpt.example.com/mcp"},
		pairs...)...)
}

func TestAClientMayHaveADocument(t *testing.T) {
	local := func(o *Options) { o.PublicURL = "http://localhost:8080" }
	only := func(words ...string) func(*Options) { return func(o *Options) { o.Clients = clients.Parse(words) } }
	for name, tt := range map[string]struct {
		query  string
		change func(*Options)
		status int
	}{
		"as clients send it":  {mcp(), nil, http.StatusOK},
		"its host is listed":  {mcp(), only(testClient, "claude.ai"), http.StatusOK},
		"clients are dynamic": {mcp(), only(testClient, "dynamic"), http.StatusOK},
		"others are listed":   {mcp(), only(testClient, "chatgpt.com"), http.StatusBadRequest},
		"it returns to this computer": {mcp("redirect_uri", "http://127.0.0.1:49567/callback"), nil,
			http.StatusOK},
		"it returns to a script": {mcp("redirect_uri", "javascript:alert(1)"), nil,
			http.StatusBadRequest},
		"it returns to data": {mcp("redirect_uri", "data:text/html,x"), nil,
			http.StatusBadRequest},
		"it returns without https": {mcp("redirect_uri", "http://claude.ai/cb"), nil,
			http.StatusBadRequest},
		"it returns with a user": {mcp("redirect_uri", "https://claude.ai@evil.example/cb"), nil,
			http.StatusBadRequest},
		"it returns with a fragment": {mcp("redirect_uri", "https://claude.ai/cb#x"), nil,
			http.StatusBadRequest},
		"it is not https": {mcp("client_id", "http://claude.ai/c"), nil,
			http.StatusBadRequest},
		"it has no path": {mcp("client_id", "https://claude.ai"), nil, http.StatusBadRequest},
		"it climbs": {mcp("client_id", "https://claude.ai/a/../c"), nil,
			http.StatusBadRequest},
		"it is on the reader's computer": {mcp("client_id", "http://127.0.0.1:4000/c.json"), nil,
			http.StatusBadRequest},
		"it and this server are on that computer": {mcp("client_id", "http://127.0.0.1:4000/c.json"), local,
			http.StatusOK},
		"a listed app beside a host is taken":     {chatGPT(), only(testClient, "claude.ai"), http.StatusOK},
		"an app that is not listed beside a host": {chatGPT(), only("claude.ai"), http.StatusBadRequest},
		"any app beside the word for dynamic ones": {chatGPT(), only("connected-app-test-other", "dynamic"),
			http.StatusOK},
	} {
		p := pageProvider(t, func(o *Options) {
			if tt.change != nil {
				tt.change(o)
			}
		})
		if w := get(p, tt.query); w.Code != tt.status {
			t.Errorf("%s: %d, want %d", name, w.Code, tt.status)
		}
	}
}

// What a client calls itself is anybody's choice; where its document is, and where people are sent, is not.
func TestThePageSaysWhoAsksAndWherePeopleReturnTo(t *testing.T) {
	for name, tt := range map[string]struct {
		query string
		want  []string
	}{
		"a document": {mcp(), []string{`to <bdi>claude.ai</bdi>`, `data-client-host="claude.ai"`,
			`back to <bdi>claude.ai</bdi>`}},
		"another host": {mcp("redirect_uri", "https://chatgpt.com/cb"), []string{`back to <bdi>chatgpt.com</bdi>`}},
		"this computer": {mcp("redirect_uri", "http://localhost:4000/cb"),
			[]string{`back to <bdi>a program on this computer (localhost:4000)</bdi>`}},
		"a GPT": {chatGPT(), []string{`data-client-host=""`, `back to <bdi>chatgpt.com</bdi>`}},
	} {
		body := get(pageProvider(t), tt.query).Body.String()
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %s in %s", name, want, body)
			}
		}
	}
	// Whoever runs the server has checked the names of those that they listed, and nobody that of others.
	listed := get(pageProvider(t, func(o *Options) { o.Clients = clients.Parse([]string{testClient}) }),
		chatGPT()).Body.String()
	if other := get(pageProvider(t), chatGPT()).Body.String(); strings.Contains(listed, "nobody here has checked") ||
		!strings.Contains(other, "nobody here has checked") || !strings.Contains(other, "<bdi>“") {
		t.Errorf("listed: %s\n\nnot listed: %s", listed, other)
	}
	if body := get(pageProvider(t), "return=account").Body.String(); strings.Contains(body, "you go back") {
		t.Error("who signs in for the account page is told of an application")
	}
}

func TestWhatNobodyHereKnowsIsPassedOn(t *testing.T) {
	query := mcp() + "&resource=https%3A%2F%2Fgpt.example.com&id_token_hint=a.b.c&ui_locales=de&x=1&x=2"
	w := get(pageProvider(t), query)
	got := carried(t, w.Body.String())
	for name, want := range map[string][]string{"resource": {"https://gpt.example.com/mcp", "https://gpt.example.com"},
		"id_token_hint": {"a.b.c"}, "ui_locales": {"de"}, "x": {"1", "2"}, "client_id": {document}} {
		if !slices.Equal(got[name], want) {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	// Of a link and of a log-out nothing is, whatever stands beside it.
	for _, name := range []string{"token", "stytch_redirect_type", "return"} {
		if got := carried(t, get(pageProvider(t), mcp()+"&"+name+"=account").Body.String()); got.Has(name) {
			t.Errorf("%s is passed on", name)
		}
	}
}

func TestScopesAreAskedForWhereAClientNamesNone(t *testing.T) {
	add := func(mode AddScopes) func(*Options) {
		return func(o *Options) {
			o.AddScopes, o.ScopesToAdd = mode, func(_ context.Context, resources []string) []string {
				if slices.Contains(resources, "https://gpt.example.com/mcp/readonly") {
					return []string{"members:read"}
				}
				return []string{"members:read", "members:write"}
			}
		}
	}
	const more = " members:read members:write"
	for name, tt := range map[string]struct {
		mode        AddScopes
		query, want string
	}{
		"openid alone":           {AddForMCP, mcp("scope", "openid"), "openid" + more},
		"no scope at all":        {AddForMCP, mcp("scope", ""), defaultScope + more},
		"one of the operations'": {AddForMCP, mcp("scope", "openid members:read"), "openid members:read"},
		"openid alone, for what only reads": {AddForMCP, mcp("scope", "openid", "resource",
			"https://gpt.example.com/mcp/readonly"), "openid members:read"},
		"openid alone, by a GPT":            {AddForMCP, chatGPT("scope", "openid"), "openid"},
		"openid alone, by a GPT, if wanted": {AddForEveryone, chatGPT("scope", "openid"), "openid" + more},
		"openid alone, switched off":        {AddForNobody, mcp("scope", "openid"), "openid"},
	} {
		w := get(pageProvider(t, add(tt.mode)), tt.query)
		if got := carried(t, w.Body.String()).Get("scope"); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		for _, cookie := range w.Result().Cookies() { // across an e-mail as well
			body := get(pageProvider(t, add(tt.mode)), "stytch_token_type=discovery&token=t", cookie).Body.String()
			if got := carried(t, body).Get("scope"); got != tt.want {
				t.Errorf("%s, after an e-mail: %q, want %q", name, got, tt.want)
			}
		}
	}
}

func TestTheIssuerOfResponsesIsThePagesToKnow(t *testing.T) {
	with := func(issuer string) string {
		return get(pageProvider(t, func(o *Options) {
			o.AdvertisedIssuer = func(context.Context) (string, bool) { return issuer, issuer != "?" }
		}),
			mcp()).Body.String()
	}
	if body := with("https://login.example.com"); !strings.Contains(body, `data-issuer="https://login.example.com"`) {
		t.Error("the script is not told what is advertised")
	}
	if body := with("?"); strings.Contains(body, "data-issuer") {
		t.Error("the script is told of an issuer although nobody knows what is advertised")
	}
	if body := with(""); !strings.Contains(body, `data-issuer=""`) {
		t.Error("the script is told of an issuer that is not advertised")
	}
}

// The token endpoint forwards for them, too.
func TestAClientWithADocumentRedeemsItsCode(t *testing.T) {
	p, log, _ := forwarding(t, &far{answer: token})
	w := post(p, pairs("grant_type", "authorization_code", "code", "c", "client_id", document,
		"redirect_uri", "https://claude.ai/cb", "code_verifier", "v"))
	if w.Code != http.StatusOK || !strings.Contains(log.String(), document) {
		t.Errorf("%d %s: %s", w.Code, w.Body, log)
	}
}

// What the page says of an address is where the browser goes: it has one reading, to Go and to browsers.
func TestReturnAddressesHaveOneReading(t *testing.T) {
	const cyrillic = "https://\u0441hatgpt.com/cb"
	bad := []string{cyrillic, "https://chatgpt.com%E2%80%8B.evil.example/cb",
		"https://chatgpt.com\u2044connector.evil.example/",
		"https://evil.example\\@chatgpt.com/cb", "https://chatgpt.com@evil.example/cb", "http://evil.example/cb",
		"javascript:alert(1)", "JavaScript://x/%0aalert(1)", "data:text/html,x", "blob:https://evil.example/1",
		"intent://x#Intent;end",
		"file:///etc/passwd", "about:blank", "view-source:https://x.example", "https://evil.example/cb#x",
		"https:///cb", "https:cb",
		"//evil.example/cb", "/cb", "https://evil.example /cb", "https://[::1]/cb", "https://evil.example:x/cb", "x:y"}
	registered := func(address string) func(*Options) {
		return func(o *Options) {
			o.LookUpClient = func(context.Context, string) (Client, error) {
				return Client{Name: "Any", RedirectURIs: []string{address}}, nil
			}
		}
	}
	for _, address := range bad { // also where the client has registered it
		if w := get(pageProvider(t, registered(address)),
			chatGPT("redirect_uri", address)); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", address, w.Code)
		}
	}
	for address, says := range map[string]string{"https://xn--hatgpt-hrf.com/cb": "xn--hatgpt-hrf.com",
		"https://example.com:8443/cb?x=1": "example.com:8443",
		"cursor://anysphere.cursor/oauth": "an app on this device (cursor)",
		"com.example.app:/cb":             "an app on this device (com.example.app)"} {
		w := get(pageProvider(t, registered(address)), chatGPT("redirect_uri", address))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<bdi>"+says+"</bdi>") {
			t.Errorf("%s: %d %s", address, w.Code, w.Body)
		}
	}
}

func TestTheLogNamesTheHostThatIsNotListed(t *testing.T) {
	log := new(bytes.Buffer)
	p := pageProvider(t, func(o *Options) {
		o.Clients, o.Log = clients.Parse([]string{testClient}), slog.New(slog.NewJSONHandler(log, nil))
	})
	if w := get(p, mcp()); w.Code != http.StatusBadRequest ||
		!strings.Contains(w.Body.String(), "Unknown application") {
		t.Errorf("%d", w.Code)
	}
	for _, want := range []string{"unlisted_host", "clients of claude.ai are not admitted", "GUESTPASS_CLIENT_IDS"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log)
		}
	}
}
