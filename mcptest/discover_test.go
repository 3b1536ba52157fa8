package mcptest

import (
	"errors"
	"net/url"
	"reflect"
	"testing"
)

func TestChallengesAreTakenApart(t *testing.T) {
	for _, tt := range []struct {
		header []string
		want   []Challenge
	}{
		{[]string{`Bearer`}, []Challenge{{"bearer", map[string]string{}}}},
		{[]string{`bearer realm="a, b", SCOPE="x y", error=invalid_token`},
			[]Challenge{{"bearer", map[string]string{"realm": "a, b", "scope": "x y", "error": "invalid_token"}}}},
		{[]string{`Basic realm="a \"b\"", Bearer scope = "x"`},
			[]Challenge{{"basic", map[string]string{"realm": `a "b"`}}, {"bearer", map[string]string{"scope": "x"}}}},
		{[]string{`Negotiate`, `, Bearer scope="x", scope="y"`},
			[]Challenge{{"negotiate", map[string]string{}}, {"bearer", map[string]string{"scope": "x"}}}},
		{[]string{`scope="x"`}, nil},
		{[]string{`Bearer scope="x`}, []Challenge{{"bearer", map[string]string{"scope": "x"}}}},
		{[]string{`"`}, nil},
	} {
		if got := ParseChallenges(tt.header); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %v, want %v", tt.header, got, tt.want)
		}
	}
}

func TestDiscoveryRefusesWhatClientsRefuse(t *testing.T) {
	html := answer{200, "<html>", map[string]string{"Content-Type": "text/html"}}
	const prm, as = "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"
	for _, tt := range []struct {
		name  string
		spoil func(l *lab)
		want  string
	}{
		{"no challenge", func(l *lab) { l.challenge = `Basic realm="x"` },
			"has no WWW-Authenticate with a Bearer challenge"},
		{"an error without a token", func(l *lab) { l.challenge += `, error="invalid_token"` },
			`says error="invalid_token"`},
		{"403 in place of 401", func(l *lab) { l.pages["/mcp"] = answer{status: 403} }, "only 401 begins a sign-in"},
		{"no token wanted", func(l *lab) { l.pages["/mcp"] = answer{200, `{"jsonrpc":"2.0","id":1,"result":{}}`, nil} },
			ErrOpen.Error()},
		{"no token wanted, and no message of this era", func(l *lab) {
			l.pages["/mcp"] = answer{404, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}`, nil}
		}, ErrOpen.Error()},
		{"a redirect", func(l *lab) { l.pages["/mcp"] = answer{308, nil, map[string]string{"Location": "/mcp/?x"}} },
			"/mcp/: clients follow no redirect"},
		{"a page", func(l *lab) { l.pages["/mcp"] = html }, "there is no MCP server at"},
		{"a page, said to be one", func(l *lab) { l.pages["/mcp"] = html }, "was answered with a page (text/html)"},
		{"other JSON", func(l *lab) { l.pages["/mcp"] = answer{200, map[string]any{"ok": true}, nil} },
			"was answered with JSON that is no MCP message"},
		{"a message without an answer", func(l *lab) { l.pages["/mcp"] = answer{200, `{"jsonrpc":"2.0","id":1}`, nil} },
			"was answered with JSON that is no MCP message"},
		{"nothing there", func(l *lab) { l.pages["/mcp"] = answer{404, nil, nil} },
			"there is no MCP server at"},
		{"a page that takes no POST", func(l *lab) { l.pages["/mcp"] = answer{405, nil, nil} },
			"a message was answered 405 Method Not Allowed"},
		{"trouble", func(l *lab) { l.pages["/mcp"] = answer{503, nil, nil} }, "only 401 begins a sign-in"},
		{"no resource metadata", func(l *lab) { l.pages[prm] = answer{404, nil, nil} },
			"there is no protected-resource metadata"},
		{"a page for metadata", func(l *lab) { l.pages[prm] = html }, `has the content type "text/html"`},
		{"broken metadata", func(l *lab) { l.pages[prm] = answer{500, nil, nil} }, "was answered 500"},
		{"another resource", func(l *lab) { l.resource["resource"] = l.url + "/" },
			"clients want the same, byte for byte"},
		{"two servers", func(l *lab) {
			l.resource["authorization_servers"] = []string{"https://a.example",
				"https://b.example"}
		},
			"names 2 authorization_servers"},
		{"no server", func(l *lab) { l.resource["authorization_servers"] = []string{} },
			"names 0 authorization_servers"},
		{"a metadata URL for an issuer", func(l *lab) { l.resource["authorization_servers"] = []string{"issuer"} },
			"is not a URL"},
		{"another issuer", func(l *lab) { l.issuer["issuer"] = l.issuer["issuer"].(string) + "/" },
			"and the resource's metadata names"},
		{"no issuer metadata", func(l *lab) { l.pages[as] = answer{404, nil, nil} }, "has no metadata at"},
		{"no endpoint", func(l *lab) { delete(l.issuer, "token_endpoint") },
			"lacks authorization_endpoint or token_endpoint"},
		{"no S256", func(l *lab) { l.issuer["code_challenge_methods_supported"] = []string{"plain"} },
			"does not list S256"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			tt.spoil(l)
			_, err := New(l.url, Options{}).Discover(t.Context())
			wantError(t, err, tt.want)
		})
	}
}

// TestClientsLookWhereTheyWereSeenToLook spoils one place after the other.
func TestClientsLookWhereTheyWereSeenToLook(t *testing.T) {
	const path, root = "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"
	l := newLab(t)
	elsewhere := "/elsewhere"
	l.challenge = `Bearer resource_metadata="` + l.url[:len(l.url)-len("/mcp")] + elsewhere + `"`
	l.pages[elsewhere] = answer{200, l.resource, nil}
	found, err := New(l.url, Options{Profile: Claude()}).Discover(t.Context())
	if err != nil || contains(l.requests(), "GET "+path) || found.Resource.Resource != l.url {
		t.Errorf("Claude did not go by the challenge: %v", err)
	}
	if _, err := New(l.url, Options{Profile: ChatGPT()}).Discover(t.Context()); err != nil || contains(l.requests(),
		"GET "+elsewhere) {
		t.Errorf("ChatGPT went by the challenge: %v", err)
	}
	l.pages[elsewhere], l.pages[path], l.pages[root] = answer{status: 404}, answer{status: 404},
		answer{200, l.resource, nil}
	if _, err := New(l.url, Options{Profile: Claude()}).Discover(t.Context()); err != nil {
		t.Errorf("Claude does not know the root form: %v", err)
	}
	l.requests()
	_, err = New(l.url, Options{Profile: ChatGPT()}).Discover(t.Context())
	wantError(t, err, "there is no protected-resource metadata")
	if contains(l.requests(), "GET "+root) {
		t.Error("ChatGPT asked for the root form")
	}
}

func TestMetadataOfAnIssuerWithAPathAreFound(t *testing.T) {
	for _, path := range []string{"/.well-known/oauth-authorization-server/tenant",
		"/.well-known/openid-configuration/tenant",
		"/tenant/.well-known/openid-configuration"} {
		l := newLab(t)
		u, _ := url.Parse(l.url)
		issuer := "http://" + u.Host + "/tenant"
		l.resource["authorization_servers"], l.issuer["issuer"] = []string{issuer}, issuer
		l.pages[path] = answer{200, l.issuer, nil}
		found, err := New(l.url, Options{}).Discover(t.Context())
		if err != nil || found.IssuerURL != "http://"+u.Host+path {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAClientBecomesKnownInTheOrderOfTheSpecification(t *testing.T) {
	const document = "https://client.example/client.json"
	documents := func(l *lab) { l.issuer["client_id_metadata_document_supported"] = true }
	for _, tt := range []struct {
		name    string
		options Options
		spoil   func(l *lab)
		want    Identity
		err     string
	}{
		{"given", Options{ClientID: "app-1", ClientSecret: "secret-of-the-app", DocumentURL: document}, documents,
			Identity{Given, "app-1", "secret-of-the-app"}, ""},
		{"a document", Options{DocumentURL: document}, documents, Identity{Kind: Document, ClientID: document}, ""},
		{"a document given", Options{ClientID: document}, documents, Identity{Kind: Document, ClientID: document}, ""},
		{"a document given in vain", Options{ClientID: document}, nil, Identity{},
			"does not say client_id_metadata_document_supported"},
		{"a document without public clients", Options{DocumentURL: document}, func(l *lab) {
			documents(l)
			l.issuer["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
		}, Identity{Kind: Registered, ClientID: "registered-1"}, ""},
		{"VS Code registers", Options{DocumentURL: document, Profile: VSCode()}, documents,
			Identity{Kind: Registered, ClientID: "registered-1"}, ""},
		{"registered", Options{DocumentURL: document}, nil, Identity{Kind: Registered, ClientID: "registered-1"}, ""},
		{"nothing", Options{}, func(l *lab) { delete(l.issuer, "registration_endpoint") }, Identity{},
			ErrNoClient.Error()},
		{"refused", Options{}, func(l *lab) {
			l.registration = func(map[string]any) (int, map[string]any) {
				return 403, map[string]any{"error": "access_denied", "error_description": "Off."}
			}
		}, Identity{}, "answered 403 Forbidden: access_denied: Off."},
		{"another redirect URI", Options{}, func(l *lab) {
			l.registration = func(map[string]any) (int, map[string]any) {
				return 201, map[string]any{"client_id": "x", "redirect_uris": []string{"https://a.example"},
					"token_endpoint_auth_method": "none"}
			}
		}, Identity{}, "without " + callback},
		{"a method that needs a secret", Options{}, func(l *lab) {
			l.registration = func(asked map[string]any) (int, map[string]any) {
				return 201, map[string]any{"client_id": "x", "redirect_uris": asked["redirect_uris"],
					"token_endpoint_auth_method": "client_secret_basic"}
			}
		}, Identity{}, "without a secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			if tt.spoil != nil {
				tt.spoil(l)
			}
			c := New(l.url, tt.options)
			if _, err := c.Identify(t.Context(), callback); !errors.Is(err, errNotDiscovered) {
				t.Errorf("before Discover: %v", err)
			}
			if _, err := c.Discover(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := c.Identify(t.Context(), callback)
			if tt.err != "" {
				wantError(t, err, tt.err)
			} else if err != nil || *got != tt.want {
				t.Errorf("%+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// TestATolerantClientGoesOn where others stop, but not without anywhere to go.
func TestATolerantClientGoesOn(t *testing.T) {
	l := newLab(t)
	l.challenge += `, error="invalid_token"`
	l.resource["resource"] = "https://other.example"
	l.resource["authorization_servers"] = append(l.resource["authorization_servers"].([]string),
		"https://other.example")
	l.issuer["issuer"] = "https://other.example"
	delete(l.issuer, "code_challenge_methods_supported")
	if err := l.signIn(New(l.url, Options{})); err == nil {
		t.Error("a strict client went on")
	}
	if err := l.signIn(New(l.url, Options{Profile: Profile{Tolerant: true}})); err != nil {
		t.Error(err)
	}
	l.resource["resource"], l.resource["authorization_servers"] = l.url, []string{}
	wantError(t, l.signIn(New(l.url, Options{Profile: Profile{Tolerant: true}})), "authorization_servers")
}
