package idp

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/internal/clients"
	"guestpass/internal/limits"
)

const (
	testClient  = "connected-app-test-dddddddd-0000-4000-8000-000000000001"
	testProject = "project-test-11111111-1111-4111-8111-111111111111"
)

// far is the far side of the wire: Stytch's token endpoint.
type far struct {
	mu       sync.Mutex // guards requests and bodies
	requests []*http.Request
	bodies   []string
	answer   func(http.ResponseWriter, *http.Request)
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.requests, f.bodies = append(f.requests, r), append(f.bodies, string(body))
	f.mu.Unlock()
	f.answer(w, r)
}

func (f *far) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests)
}

func token(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Set-Cookie", "tracking=1")
	w.Header().Set("Server", "stytch")
	_, _ = io.WriteString(w, `{"access_token":"eyJ.a.b","token_type":"bearer","expires_in":3600,"scope":"openid",`+
		`"refresh_token":"r","id_token":"i","request_id":"request-id-test-1","status_code":200}`)
}

func answer(status int, contentType, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// forwarding returns our token endpoint in front of the far side, its log, and the clock.
func forwarding(t *testing.T, f *far, listed ...string) (*Provider, *bytes.Buffer, *time.Time) {
	t.Helper()
	upstream := httptest.NewServer(f)
	t.Cleanup(upstream.Close)
	now := time.Unix(1_800_000_000, 0)
	log := new(bytes.Buffer)
	counted, err := limits.New(limits.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{PublicURL: "http://localhost:8080", ProjectID: testProject,
		PublicToken: "public-token-test-x", Vertical: "b2b",
		TokenURL: upstream.URL + "/v1/oauth2/token", SDKBaseURL: "https://login.example.com",
		Clients: clients.Admitted{IDs: listed}, CookieKey: []byte("key"), Limits: counted,
		Log: slog.New(slog.NewJSONHandler(log, nil)), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return p, log, &now
}

func pairs(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

func exchange() string {
	return pairs("grant_type", "authorization_code", "code", "c-1", "redirect_uri",
		"https://chatgpt.com/aip/g-dev/oauth/callback",
		"client_id", testClient, "client_secret", "s-1")
}

func post(p *Provider, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	p.Token().ServeHTTP(w, r)
	return w
}

func TestTokenRequestIsRebuiltAndItsReplyReduced(t *testing.T) {
	f := &far{answer: token}
	p, log, _ := forwarding(t, f)
	w := post(p, exchange()+"&audience=evil&grant=x", func(r *http.Request) {
		r.Header.Set("X-Forwarded-Host", "evil.example")
		r.Header.Set("Cookie", "stytch_session=secret")
		r.Host = "evil.example"
	})
	if w.Code != http.StatusOK || f.calls() != 1 {
		t.Fatalf("status %d after %d calls: %s", w.Code, f.calls(), w.Body)
	}
	if want := exchange(); f.bodies[0] != want {
		t.Errorf("forwarded form\n%s\nwant\n%s", f.bodies[0], want)
	}
	got := f.requests[0]
	if got.URL.Path != "/v1/oauth2/token" || got.Header.Get("Cookie") != "" ||
		got.Header.Get("X-Forwarded-Host") != "" || strings.Contains(got.Host, "evil") {
		t.Errorf("forwarded %s to %s with %v", got.URL, got.Host, got.Header)
	}
	var fields map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	if len(fields) != 6 || fields["expires_in"] != float64(3600) || fields["request_id"] != nil {
		t.Errorf("reply %v", fields)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Set-Cookie": "",
		"Server": "", "Content-Type": "application/json"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, secret := range []string{"c-1", "s-1", "eyJ.a.b"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log contains %q: %s", secret, log)
		}
	}
	if !strings.Contains(log.String(), `"grant_type":"authorization_code"`) ||
		!strings.Contains(log.String(), testClient) {
		t.Errorf("the log names neither grant nor client: %s", log)
	}
}

func TestBasicClientIsForwardedAsBasic(t *testing.T) {
	f := &far{answer: token}
	p, _, _ := forwarding(t, f)
	w := post(p, pairs("grant_type", "refresh_token", "refresh_token", "r-1", "client_id", testClient),
		func(r *http.Request) { r.SetBasicAuth(testClient, "s-1") })
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	id, secret, _ := f.requests[0].BasicAuth()
	if id != testClient || secret != "s-1" ||
		f.bodies[0] != pairs("grant_type", "refresh_token", "refresh_token", "r-1") {
		t.Errorf("forwarded %q with %s:%s", f.bodies[0], id, secret)
	}
}

func TestRefusedTokenRequestsNeverReachStytch(t *testing.T) {
	basic := func(r *http.Request) { r.SetBasicAuth(testClient, "s-1") }
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tried, calls := 0, 0
	defer func() { t.Logf("%d requests that are refused: %d calls of Stytch", tried, calls) }()
	for _, tt := range []struct {
		name   string
		body   string
		change func(*http.Request)
		status int
		code   string
	}{
		{"GET", "", func(r *http.Request) { r.Method = http.MethodGet }, 405, "invalid_request"},
		{"PUT", exchange(), func(r *http.Request) { r.Method = http.MethodPut }, 405, "invalid_request"},
		{"JSON", `{"grant_type":"authorization_code"}`, with("Content-Type", "application/json"), 415,
			"invalid_request"},
		{"multipart", exchange(), with("Content-Type", "multipart/form-data; boundary=x"), 415, "invalid_request"},
		{"no content type", exchange(), func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "invalid_request"},
		{"parameters in the URL", exchange(), func(r *http.Request) { r.URL.RawQuery = "code=c-1" }, 400,
			"invalid_request"},
		{"too large", exchange() + "&x=" + strings.Repeat("a", maxTokenRequest), nil, 413, "invalid_request"},
		{"malformed form", "grant_type=%zz", nil, 400,
			`invalid_request","error_description":"the body is not a valid form: grant_type has a %`},
		{"a malformed encoded name", "%67rant_type=%", nil, 400,
			`invalid_request","error_description":"the body is not a valid form: grant_type has a %`},
		{"a malformed unknown field", exchange() + "&x=%", nil, 400,
			`invalid_request","error_description":"the body is not a valid form: a parameter has a %`},
		{"a field that is no UTF-8", exchange() + "&x=%ff", nil, 400, "invalid_request"},
		{"a value without a name", exchange() + "&=x", nil, 400, "invalid_request"},
		{"no grant type", pairs("code", "c", "client_id", testClient), nil, 400, "invalid_request"},
		{"empty body", "", nil, 400, "invalid_request"},
		{"two grant types", exchange() + "&grant_type=refresh_token", nil, 400, "invalid_request"},
		{"two codes", exchange() + "&code=c-2", nil, 400, "invalid_request"},
		{"two client ids", exchange() + "&client_id=other", nil, 400, "invalid_request"},
		{"no code", pairs("grant_type", "authorization_code", "client_id", testClient), nil, 400, "invalid_request"},
		{"no refresh token", pairs("grant_type", "refresh_token", "client_id", testClient), nil, 400,
			"invalid_request"},
		{"client credentials", pairs("grant_type", "client_credentials", "client_id", testClient, "client_secret", "s"),
			nil, 400, "unsupported_grant_type"},
		{"password", pairs("grant_type", "password", "client_id", testClient), nil, 400, "unsupported_grant_type"},
		{"jwt bearer", pairs("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id", testClient), nil,
			400, "unsupported_grant_type"},
		{"letter case of the grant", pairs("grant_type", "Authorization_Code", "client_id", testClient, "code", "c"),
			nil, 400, "unsupported_grant_type"},
		{"no client", pairs("grant_type", "authorization_code", "code", "c"), nil, 401, "invalid_client"},
		{"a client of another kind", pairs("grant_type", "authorization_code", "code", "c", "client_id",
			"m2m-client-test-1"), nil, 401, "invalid_client"},
		{"a live client at a test project", pairs("grant_type", "authorization_code", "code", "c", "client_id",
			"connected-app-live-1"), nil, 401, "invalid_client"},
		{"a client that is not listed", pairs("grant_type", "authorization_code", "code", "c", "client_id",
			"connected-app-test-other"), nil, 401, "invalid_client"},
		{"a client id with a line break", pairs("grant_type", "authorization_code", "code", "c", "client_id",
			testClient+"\r\nX: y"), nil, 401, "invalid_client"},
		{"form secret and Basic", exchange(), basic, 400, "invalid_request"},
		{"Basic of another client", pairs("grant_type", "authorization_code", "code", "c", "client_id",
			"connected-app-test-other"), basic, 400, "invalid_request"},
		{"Bearer instead of Basic", pairs("grant_type", "authorization_code", "code", "c", "client_id", testClient),
			with("Authorization", "Bearer x"), 400, "invalid_request"},
		{"malformed Basic", pairs("grant_type", "authorization_code", "code", "c"), with("Authorization", "Basic %%%"),
			400, "invalid_request"},
		{"HEAD", "", func(r *http.Request) { r.Method = http.MethodHead }, 405, "invalid_request"},
		{"OPTIONS of another origin", "", func(r *http.Request) {
			r.Method = http.MethodOptions
			r.Header.Set("Origin",
				"https://evil.example")
		}, 405, "invalid_request"},
		{"DELETE", exchange(), func(r *http.Request) { r.Method = http.MethodDelete }, 405, "invalid_request"},
		{"a method in small letters", exchange(), func(r *http.Request) { r.Method = "post" }, 405, "invalid_request"},
		{"text", exchange(), with("Content-Type", "text/plain"), 415, "invalid_request"},
		{"a malformed content type", exchange(), with("Content-Type", "application/x-www-form-urlencoded; ="), 415,
			"invalid_request"},
		{"two content types in one", exchange(),
			with("Content-Type", "application/x-www-form-urlencoded, application/json"), 415, "invalid_request"},
		{"two content types", exchange(), func(r *http.Request) { r.Header.Add("Content-Type", "application/json") },
			415, "invalid_request"},
		{"a compressed body", "\x1f\x8b\x08" + exchange(), with("Content-Encoding", "gzip"), 415, "invalid_request"},
		{"a destination in the URL", exchange(), func(r *http.Request) { r.URL.RawQuery = "url=https://evil.example" },
			400, "invalid_request"},
		{"semicolons between fields", strings.ReplaceAll(exchange(), "&", ";"), nil, 400, "invalid_request"},
		{"two secrets", exchange() + "&client_secret=s-2", nil, 400, "invalid_request"},
		{"an empty second secret", exchange() + "&client_secret=", nil, 400, "invalid_request"},
		{"two return addresses", exchange() + "&redirect_uri=https%3A%2F%2Fevil.example", nil, 400, "invalid_request"},
		{"a name encoded and plain", exchange() + "&c%6fde=c-2", nil, 400, "invalid_request"},
		{"two verifiers", exchange() + "&code_verifier=a&code_verifier=b", nil, 400, "invalid_request"},
		{"two refresh tokens", pairs("grant_type", "refresh_token", "refresh_token", "a", "client_id", testClient) +
			"&refresh_token=b", nil, 400, "invalid_request"},
		{"an empty code", pairs("grant_type", "authorization_code", "code", "", "client_id", testClient), nil, 400,
			"invalid_request"},
		{"a code where a refresh token belongs",
			pairs("grant_type", "refresh_token", "code", "c", "client_id", testClient), nil, 400, "invalid_request"},
		{"token exchange", pairs("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "client_id",
			testClient), nil, 400, "unsupported_grant_type"},
		{"device code", pairs("grant_type", "urn:ietf:params:oauth:grant-type:device_code", "client_id", testClient),
			nil, 400, "unsupported_grant_type"},
		{"a grant with a space", pairs("grant_type", "authorization_code ", "client_id", testClient, "code", "c"), nil,
			400, "unsupported_grant_type"},
		{"a client id in capitals", pairs("grant_type", "authorization_code", "code", "c", "client_id",
			strings.ToUpper(testClient)), nil, 401, "invalid_client"},
		{"a client id with a path", pairs("grant_type", "authorization_code", "code", "c", "client_id", testClient+
			"/../x"), nil, 401, "invalid_client"},
		{"a client id that is long", pairs("grant_type", "authorization_code", "code", "c", "client_id",
			"connected-app-test-"+strings.Repeat("a", 120)), nil, 401, "invalid_client"},
		{"Basic without a client", pairs("grant_type", "authorization_code", "code", "c"),
			func(r *http.Request) { r.SetBasicAuth("", "s-1") }, 401, "invalid_client"},
		{"Basic without a colon", pairs("grant_type", "authorization_code", "code", "c"),
			with("Authorization", "Basic eA=="), 400, "invalid_request"},
		{"an empty Authorization header", exchange(), with("Authorization", ""), 400, "invalid_request"},
		{"two Authorization headers", pairs("grant_type", "authorization_code", "code", "c"),
			func(r *http.Request) { basic(r); r.Header.Add("Authorization", "Basic eDp5") }, 400, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &far{answer: token}
			p, _, _ := forwarding(t, f, testClient)
			if tt.change == nil {
				tt.change = func(*http.Request) {}
			}
			w := post(p, tt.body, tt.change)
			if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), `{"error":"`+tt.code) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, tt.status, tt.code)
			}
			tried, calls = tried+1, calls+f.calls()
			if f.calls() != 0 {
				t.Errorf("%d calls to Stytch", f.calls())
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Error("the refusal may be cached")
			}
			// The twin: the same server takes the unmodified request.
			if w := post(p, exchange()); w.Code != http.StatusOK {
				t.Errorf("the unmodified request: %d", w.Code)
			}
		})
	}
}

func TestTroubleAtStytchIsOneCallAndOneClearAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		status int
		code   string
	}{
		{"bad code", answer(400, "application/json", `{"error":"invalid_grant","error_description":"used"}`), 400,
			"invalid_grant"},
		{"bad secret", answer(401, "application/json", `{"error":"invalid_client"}`), 401, "invalid_client"},
		{"limited", answer(429, "application/json", `{"error":"too_many_requests"}`), 429, "invalid_request"},
		{"404 of the platform", answer(404, "application/json", `{"error_type":"idp_auth_code_not_found"}`), 400,
			"invalid_request"},
		{"403 with a standard code", answer(403, "application/json", `{"error":"invalid_grant"}`), 400,
			"invalid_grant"},
		{"500", answer(500, "application/json", `{"error":"boom"}`), 502, "temporarily_unavailable"},
		{"503", answer(503, "text/html", `<h1>down</h1>`), 503, "temporarily_unavailable"},
		{"HTML with 200", answer(200, "text/html", `<h1>hello</h1>`), 502, "temporarily_unavailable"},
		{"truncated JSON", answer(200, "application/json", `{"access_token":`), 502, "temporarily_unavailable"},
		{"endless", answer(200, "application/json", `{"access_token":"`+strings.Repeat("a", maxTokenReply)+`"}`), 502,
			"temporarily_unavailable"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere",
				http.StatusFound)
		}, 502, "temporarily_unavailable"},
		{"reset", func(w http.ResponseWriter, _ *http.Request) {
			connection, _, _ := w.(http.Hijacker).Hijack()
			connection.Close()
		}, 502, "temporarily_unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &far{answer: tt.answer}
			p, _, _ := forwarding(t, f)
			w := post(p, exchange())
			var fields map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || fields["error"] != tt.code || f.calls() != 1 {
				t.Errorf("got %d %v after %d calls, want %d %s after one", w.Code, fields, f.calls(), tt.status,
					tt.code)
			}
		})
	}
}

func TestTokenEndpointOnAnInternalAddressIsRefused(t *testing.T) {
	transport := upstreamTransport()
	for _, address := range []string{"http://10.0.0.1:1/", "http://169.254.169.254/", "http://0.0.0.0:1/",
		"http://[fd00::1]:1/"} {
		r, _ := http.NewRequest(http.MethodGet, address, nil)
		if _, err := transport.RoundTrip(r); err == nil || !strings.Contains(err.Error(), "internal address") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := newForwarder(Options{TokenURL: "http://login.example.com/v1/oauth2/token"}); err == nil {
		t.Error("a token endpoint over http was accepted")
	}
}
