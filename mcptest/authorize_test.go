package mcptest

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTheCallbackIsHeldAgainstWhatWasAsked(t *testing.T) {
	advertised := func(l *lab) { l.issuer["authorization_response_iss_parameter_supported"] = true }
	iss := func(value string) func(l *lab) {
		return func(l *lab) {
			l.back = func(query url.Values) {
				query.Set("iss", strings.ReplaceAll(value, "ISSUER", l.issuer["issuer"].(string)))
			}
		}
	}
	back := func(change func(query url.Values)) func(l *lab) { return func(l *lab) { l.back = change } }
	lenient := Profile{AcceptsUnadvertisedIss: true}
	for _, tt := range []struct {
		name    string
		profile Profile
		spoil   []func(l *lab)
		want    string // "" for none
	}{
		{"right", Profile{}, nil, ""},
		{"another state", Profile{}, []func(l *lab){back(func(q url.Values) { q.Set("state", "x") })},
			"state is not the one"},
		{"two codes", Profile{}, []func(l *lab){back(func(q url.Values) { q.Add("code", "x") })},
			"2 parameters named code"},
		{"no code", Profile{}, []func(l *lab){back(func(q url.Values) { q.Del("code") })}, "has no code"},
		{"another address", Profile{},
			[]func(l *lab){back(func(q url.Values) { q.Set("to", "http://127.0.0.1:1/callback") })},
			"the browser was sent to http://127.0.0.1:1/callback, not to"},
		{"an error", Profile{}, []func(l *lab){back(func(q url.Values) { q.Set("error", "server_error") })},
			"error server_error"},
		{"an issuer, advertised", Profile{}, []func(l *lab){advertised, iss("ISSUER")}, ""},
		{"an issuer with a slash", Profile{}, []func(l *lab){advertised, iss("ISSUER/")},
			"clients throw the code away"},
		{"Stytch's default issuer", lenient, []func(l *lab){iss("stytch.com/project-test-1")},
			`iss is "stytch.com/project-test-1"`},
		{"no issuer, advertised", lenient, []func(l *lab){advertised}, "the callback has no iss"},
		{"an issuer, not advertised", Profile{}, []func(l *lab){iss("ISSUER")}, "some clients throw the code away"},
		{"an issuer, not advertised, taken", lenient, []func(l *lab){iss("ISSUER")}, ""},
		{"a denial of another issuer", Profile{}, []func(l *lab){advertised, back(func(q url.Values) {
			q.Set("error", "access_denied")
			q.Set("iss", "https://evil.example")
		})}, "clients throw the code away"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			for _, spoil := range tt.spoil {
				spoil(l)
			}
			err := l.signIn(New(l.url, Options{Profile: tt.profile}))
			if tt.want != "" {
				wantError(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
			if tt.want != "" && strings.Contains(strings.Join(l.requests(), " "), "/token") {
				t.Error("the code was exchanged all the same")
			}
		})
	}
}

func TestADenialIsThePersons(t *testing.T) {
	l := newLab(t)
	l.back = func(query url.Values) { query.Set("error", "access_denied") }
	if err := l.signIn(New(l.url, Options{})); !errors.As(err, new(*DeniedError)) {
		t.Error(err)
	}
}

// TestClientsAskAsTheyWereSeenToAsk is what of an authorization request differs between clients.
func TestClientsAskAsTheyWereSeenToAsk(t *testing.T) {
	for _, tt := range []struct {
		profile  Profile
		scope    string
		resource bool
	}{
		{Profile{}, "notes:read offline_access", true},
		{ChatGPT(), "notes:read notes:write openid email profile offline_access", true},
		{Claude(), "notes:read offline_access", false},
		{VSCode(), "notes:read offline_access", true},
	} {
		l := newLab(t)
		c := New(l.url, Options{Profile: tt.profile})
		if err := l.signIn(c); err != nil {
			t.Errorf("%s: %v", tt.profile.Name, err)
			continue
		}
		if got := l.authorize.Get("scope"); got != tt.scope {
			t.Errorf("%s asked for %q, want %q", tt.profile.Name, got, tt.scope)
		}
		want := map[bool]string{true: l.url}[tt.resource]
		if l.authorize.Get("resource") != want || l.forms[0].Get("resource") != want {
			t.Errorf("%s named the resource %q and %q, want %q", tt.profile.Name, l.authorize.Get("resource"),
				l.forms[0].Get("resource"), want)
		}
		if l.authorize.Get("code_challenge_method") != "S256" || l.forms[0].Has("client_secret") {
			t.Errorf("%s: %v %v", tt.profile.Name, l.authorize, l.forms[0])
		}
	}
}

func TestAClientWithASecretSendsItAsTheMetadataSay(t *testing.T) {
	for _, method := range []string{"client_secret_post", "client_secret_basic"} {
		l := newLab(t)
		l.issuer["token_endpoint_auth_methods_supported"] = []string{method}
		if err := l.signIn(New(l.url, Options{ClientID: "app-1", ClientSecret: "secret-of-the-app"})); err != nil {
			t.Fatal(err)
		}
		if inForm := l.forms[0].Get("client_secret") != ""; inForm != (method == "client_secret_post") {
			t.Errorf("%s: %v", method, l.forms[0])
		}
	}
}

func TestAMetadataDocumentNamesItself(t *testing.T) {
	w := httptest.NewRecorder()
	Claude().ServeDocument("http://127.0.0.1:1/client.json", callback).ServeHTTP(w,
		httptest.NewRequest("GET", "/client.json", nil))
	var m metadata
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || m.ClientID != "http://127.0.0.1:1/client.json" ||
		len(m.RedirectURIs) != 1 || m.RedirectURIs[0] != callback || m.AuthMethod != "none" ||
		m.ClientName != "Claude" {
		t.Errorf("%v %s", err, w.Body)
	}
}

func TestTokenAnswersThatClientsCannotUse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   any
		want   string
	}{
		{"refused", 400, map[string]any{"error": "invalid_grant", "error_description": "Used."},
			"400: invalid_grant: Used."},
		{"no OAuth error", 502, "", "without an OAuth error"},
		{"no token", 200, map[string]any{"token_type": "bearer"}, "has no access_token"},
		{"another type", 200, map[string]any{"access_token": "secret-token", "token_type": "DPoP"},
			`token_type is "DPoP"`},
		{"no JSON", 200, "<html>", "cannot be read"},
	} {
		l := newLab(t)
		l.token = func(url.Values) (int, any) { return tt.status, tt.body }
		wantError(t, l.signIn(New(l.url, Options{})), tt.want)
	}
}

func TestTokensAreRenewedAsClientsRenewThem(t *testing.T) {
	for _, tt := range []struct {
		name, rejection string
		profile         Profile
		renewed         bool
	}{
		{"invalid_token", `, error="invalid_token"`, ChatGPT(), true},
		{"no error, ChatGPT", "", ChatGPT(), false},
		{"no error, Claude", "", Claude(), true},
		{"no error, VS Code", "", VSCode(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			c := l.connected(Options{Profile: tt.profile})
			l.revoke(tt.rejection)
			_, err := c.Tools(t.Context())
			if tt.renewed && (err != nil || c.Token().AccessToken != "access-token-2") {
				t.Errorf("not renewed: %v", err)
			}
			if !tt.renewed && (!errors.As(err, new(*SignInError)) || c.SignedIn()) {
				t.Errorf("%v, signed in: %v", err, c.SignedIn())
			}
		})
	}
}

func TestAnExpiredTokenIsRenewedBeforeItIsSent(t *testing.T) {
	l, c := newLab(t), &clock{time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	client := l.connected(Options{Now: c.Now})
	c.now = c.now.Add(time.Hour)
	l.requests()
	if _, err := client.Tools(t.Context()); err != nil || strings.Join(l.requests(), " ") != "POST /token tools/list" {
		t.Errorf("%v, %v", err, client.Trace())
	}
}

func TestARefusedRenewalSignsOut(t *testing.T) {
	l := newLab(t)
	c := l.connected(Options{})
	l.token = func(url.Values) (int, any) { return 400, map[string]any{"error": "invalid_grant"} }
	if _, err := c.Refresh(t.Context()); !errors.As(err, new(*TokenError)) || c.SignedIn() {
		t.Errorf("%v, signed in: %v", err, c.SignedIn())
	}
}

// TestTheTraceHoldsNoSecret has a server that repeats whatever it is told.
func TestTheTraceHoldsNoSecret(t *testing.T) {
	l := newLab(t)
	c := l.connected(Options{ClientID: "app-1", ClientSecret: "secret-of-the-app"})
	secrets := []string{"access-token-1", "refresh-token-1", "the-code-of-the-lab", "secret-of-the-app",
		l.authorize.Get("state"), l.forms[0].Get("code_verifier")}
	l.answer["tools/call"] = func(m *incoming) answer {
		told := m.problem(403, -1)
		told.header = map[string]string{"WWW-Authenticate": `Bearer realm="` + strings.Join(secrets, " ") + `"`}
		return told
	}
	result, err := c.Call(t.Context(), "listNotes", nil)
	if err != nil {
		t.Fatal(err)
	}
	trace, _ := json.Marshal(c.Trace())
	for _, secret := range secrets {
		if secret == "" || strings.Contains(string(trace)+result.Challenge, secret) {
			t.Errorf("the trace holds %q:\n%s", secret, trace)
		}
	}
}

// TestNoBrowserIsSentToWhatIsNoPage: a server must not choose what a person's desktop opens.
func TestNoBrowserIsSentToWhatIsNoPage(t *testing.T) {
	for address, page := range map[string]bool{"https://as.example.com/authorize": true,
		"http://localhost:1/authorize": true, "http://[::1]:1/authorize": true,
		"http://as.example.com/authorize": false, "file:///etc/passwd": false,
		"file://localhost/etc/passwd": false, "javascript:alert(1)": false,
		"--help": false, "/authorize": false, "https:opaque": false, "https:///authorize": false,
		"http://localhost.example.com/": false} {
		l := newLab(t)
		l.issuer["authorization_endpoint"] = address
		c := New(l.url, Options{})
		_, err := c.Discover(t.Context())
		if err == nil {
			_, err = c.Identify(t.Context(), "http://127.0.0.1:1/callback")
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.AuthorizeURL("http://127.0.0.1:1/callback"); (err == nil) != page {
			t.Errorf("%s: %v", address, err)
		}
	}
}
