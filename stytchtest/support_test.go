package stytchtest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/b2bstytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"guestpass/stytchtest"
)

const (
	project     = "project-test-11111111-1111-4111-8111-111111111111"
	publicToken = "public-token-test-11111111-1111-4111-8111-111111111111"
	acme        = "organization-test-aaaaaaaa-0000-4000-8000-000000000001"
	globex      = "organization-test-bbbbbbbb-0000-4000-8000-000000000001"
	ada         = "member-test-aaaaaaaa-0000-4000-8000-000000000001"
	grace       = "member-test-aaaaaaaa-0000-4000-8000-000000000002"
	hank        = "member-test-bbbbbbbb-0000-4000-8000-000000000001"
	gpt         = "connected-app-test-dddddddd-0000-4000-8000-000000000001"
	gptSecret   = "gpt-secret-dev"
	docs        = "connected-app-test-dddddddd-0000-4000-8000-000000000002"
	callback    = "https://chatgpt.com/aip/g-dev/oauth/callback"
	idp         = "http://localhost:8080/idp"
	phone       = "connected-app-test-dddddddd-0000-4000-8000-000000000004" // a public client
	ours        = "connected-app-test-dddddddd-0000-4000-8000-000000000003" // first party
)

// noon is when every test begins.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

type object = map[string]any

// open starts an emulator whose clock stands at noon, with a public and a first-party
// client beside the GPT.
func open(t *testing.T, change ...func(*stytchtest.Seed)) *stytchtest.Server {
	t.Helper()
	seed := stytchtest.Development()
	seed.ConnectedApps = append(seed.ConnectedApps, otherClients()...)
	for _, c := range change {
		c(&seed)
	}
	return serve(t, stytchtest.Options{Seed: &seed, Now: func() time.Time { return noon }})
}

func otherClients() []stytchtest.ConnectedApp {
	return []stytchtest.ConnectedApp{
		{ClientID: phone, Name: "Phone", Type: "third_party_public", RedirectURLs: []string{"http://127.0.0.1/cb"}},
		{ClientID: ours, ClientSecret: "ours", Name: "Ours", Type: "first_party",
			RedirectURLs:           []string{callback + "?tenant=b&a=1"},
			PostLogoutRedirectURLs: []string{"https://ours.example/bye?x=1"}, Audience: "https://api.example",
			Minutes: 5},
	}
}

// client returns the real stytch-go.
func client(t *testing.T, s *stytchtest.Server, more ...b2bstytchapi.Option) *b2bstytchapi.API {
	t.Helper()
	options := append([]b2bstytchapi.Option{b2bstytchapi.WithBaseURI(s.URL),
		b2bstytchapi.WithHTTPClient(&http.Client{Timeout: 30 * time.Second})}, more...)
	api, err := b2bstytchapi.NewClient(projectOf(s), projectSecret, options...)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func lazyClient(t *testing.T, s *stytchtest.Server) *b2bstytchapi.API {
	t.Helper()
	return client(t, s, b2bstytchapi.WithSkipJWKSInitialization())
}

// refused wants a platform error of stytch-go's.
func refused(t *testing.T, err error, status int, kind string) {
	t.Helper()
	var e stytcherror.Error
	if !errors.As(err, &e) || e.StatusCode != status || string(e.ErrorType) != kind || e.RequestID == "" ||
		e.ErrorURL == "" {
		t.Errorf("error %v, want %d %s with request_id and error_url", err, status, kind)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// ask sends one request and decodes the reply. body is url.Values, a string, or
// something for JSON.
func ask(t *testing.T, method, address string, body any, change ...func(*http.Request)) (int, object, http.Header) {
	t.Helper()
	var reader io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case url.Values:
		reader, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case string:
		reader = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	for _, c := range change {
		c(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var reply object
	if json.Unmarshal(content, &reply) != nil {
		reply = object{"body": string(content)}
	}
	return response.StatusCode, reply, response.Header
}

func basic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// sdk posts as the browser SDK does and returns what stands in the envelope.
func sdk(t *testing.T, s *stytchtest.Server, session, path string, body any) (int, object) {
	t.Helper()
	public := s.Export().Project.PublicToken
	if session == "" {
		session = public
	}
	method := http.MethodPost
	if body == nil && !strings.HasSuffix(path, "/revoke") {
		method = http.MethodGet
	}
	status, reply, _ := ask(t, method, s.URL+"/sdk/v1"+path, body, basic(public, session), func(r *http.Request) {
		r.Header.Set("X-Sdk-Client", base64.StdEncoding.EncodeToString(
			[]byte(`{"sdk":{"version":"@stytch/vanilla-js@6.3.0"}}`)))
		r.Header.Set("X-Sdk-Parent-Host", "http://localhost:8080")
		r.Header.Set("Origin", "http://localhost:8080")
	})
	if status != http.StatusOK {
		return status, reply
	}
	data, enveloped := reply["data"].(object)
	if !enveloped || data["request_id"] == "" || data["status_code"] != 200.0 {
		t.Fatalf("%s: no envelope: %v", path, reply)
	}
	wantLists(t, path, data)
	return status, data
}

// login signs in with an e-mail code and returns the session token.
func login(t *testing.T, s *stytchtest.Server, email, organization string) string {
	t.Helper()
	if status, reply := sdk(t, s, "", "/b2b/otps/email/discovery/send", object{"email_address": email}); status != 200 {
		t.Fatal(status, reply)
	}
	_, reply := sdk(t, s, "", "/b2b/otps/email/discovery/authenticate", object{"email_address": email,
		"code": s.Inbox()[0].Code})
	_, reply = sdk(t, s, "", "/b2b/discovery/intermediate_sessions/exchange", object{"organization_id": organization,
		"session_duration_minutes": 60, "intermediate_session_token": reply["intermediate_session_token"]})
	token, _ := reply["session_token"].(string)
	if token == "" {
		t.Fatalf("no session: %v", reply)
	}
	return token
}

// authorize asks for a code on behalf of a member and consents. It returns the code.
func authorize(t *testing.T, s *stytchtest.Server, change ...func(object)) string {
	t.Helper()
	body := object{"organization_id": acme, "member_id": ada, "client_id": gpt, "redirect_uri": callback,
		"consent_granted": true,
		"scopes":          []string{"openid", "email", "tasks:read", "offline_access"}}
	for _, c := range change {
		c(body)
	}
	status, reply, _ := ask(t, http.MethodPost, s.URL+"/v1/b2b/idp/oauth/authorize", body,
		basic(project, "secret-test-guestpass-dev"))
	code, _ := reply["authorization_code"].(string)
	if status != 200 || code == "" {
		t.Fatalf("no code: %d %v", status, reply)
	}
	return code
}

// exchange returns the GPT's form for a code; pairs replace and add members.
func exchange(code string, pairs ...string) url.Values {
	return form(append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback,
		"client_id", gpt, "client_secret", gptSecret}, pairs...)...)
}

func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if values.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			values.Del(pairs[i])
		}
	}
	return values
}

// tokens redeems a code.
func tokens(t *testing.T, s *stytchtest.Server, values url.Values) object {
	t.Helper()
	status, reply, _ := ask(t, http.MethodPost, s.URL+"/v1/oauth2/token", values)
	if status != 200 {
		t.Fatalf("no tokens: %d %v", status, reply)
	}
	return reply
}

// claimsOf decodes a token without looking at its signature.
func claimsOf(t *testing.T, token any) object {
	t.Helper()
	text, _ := token.(string)
	return decodePart(t, text, 1)
}

func decodePart(t *testing.T, token string, i int) object {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %q", token)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	var decoded object
	if err := json.Unmarshal(data, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func keysOf(m object) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
