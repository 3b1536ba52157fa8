package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/auth"
	"guestpass/stytchtest"
)

// eachProxy runs a test behind each of them.
func eachProxy(t *testing.T, test func(t *testing.T, proxy string)) {
	for _, proxy := range slices.Sorted(maps.Keys(proxies)) {
		t.Run(proxy, func(t *testing.T) {
			t.Parallel()
			test(t, proxy)
		})
	}
}

// TestAnApplicationBesideGuestpass is docs/sidecar.md: people's apps find their way to an application in another
// language, and do there what they may.
func TestAnApplicationBesideGuestpass(t *testing.T) {
	eachProxy(t, func(t *testing.T, proxy string) {
		b := newSidecar(t, proxy)
		b.leadsToSignIn()
		adas := b.token(ada, "openid", "notes:read", "notes:write")
		b.wants(200, `{"person":"`+ada+`","notes":[]}`, b.call("GET", "/notes", adas, ""))
		r := b.call("POST", "/notes", adas, `{"text":"Buy milk"}`)
		b.wants(201, `"text":"Buy milk"`, r)
		var note struct {
			ID string `json:"note_id"`
		}
		must(t, json.Unmarshal([]byte(r.body), &note))
		b.wants(200, note.ID, b.call("GET", "/notes", adas, ""))
		b.wants(200, `"notes":[]`, b.call("GET", "/notes", b.token(grace, "notes:read"), "")) // nobody else's
		b.wants(200, "", b.call("HEAD", "/notes", adas, ""))
		b.wants(200, `"deleted":true`, b.call("DELETE", "/notes/"+note.ID, adas, ""))
		b.wants(404, "no such note", b.call("DELETE", "/notes/"+note.ID, adas, ""))
		b.wants(422, "text must be", b.call("POST", "/notes", adas, `{"text":""}`))

		b.refuses(401, `error="invalid_token"`, b.call("GET", "/notes", "x.y.z", ""))
		b.refuses(403, `error="insufficient_scope", scope="notes:read"`,
			b.call("GET", "/notes", b.token(ada, "openid"), ""))
		b.refuses(403, `scope="notes:write"`, b.call("POST", "/notes", b.token(ada, "notes:read"), `{"text":"x"}`))
		b.refuses(403, "", b.call("POST", "/notes", b.token(grace, "notes:write"), `{"text":"x"}`)) // a role is missing
		b.refuses(403, `scope="notes:write"`, b.call("PUT", "/notes", b.token(ada, "notes:read"), `{"text":"x"}`))
	})
}

func (b sidecar) wants(status int, part string, r reply) {
	b.t.Helper()
	if r.status != status || !strings.Contains(r.body, part) {
		b.t.Errorf("%d %v %s\nwant %d and %s", r.status, r.header, r.body, status, part)
	}
}

// refuses wants a problem with one challenge, or none.
func (b sidecar) refuses(status int, challenge string, r reply) {
	b.t.Helper()
	challenges, want := r.header.Values("WWW-Authenticate"), min(1, len(challenge))
	if r.status != status || len(challenges) != want || !strings.Contains(strings.Join(challenges, ""), challenge) ||
		r.header.Get("Content-Type") != "application/problem+json" || r.header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(r.body, fmt.Sprintf(`"status":%d`, status)) {
		b.t.Errorf("%d %v %s\nwant a problem %d with the challenge %q", r.status, r.header, r.body, status, challenge)
	}
}

// leadsToSignIn follows the application's document and the challenge to Guestpass.
func (b sidecar) leadsToSignIn() {
	b.t.Helper()
	metadata := "/.well-known/oauth-protected-resource"
	b.refuses(401, `Bearer realm="api", resource_metadata="`+b.url+metadata+`"`, b.call("GET", "/notes", "", ""))
	b.wants(200, `"notes:write"`, b.call("GET", metadata, "", ""))
	document := b.call("GET", "/openapi.json", "", "")
	b.wants(200, `"authorizationUrl":"`+b.url+`/idp","tokenUrl":"`+b.url+`/oauth2/token"`, document)
	app := stytchtest.Development().ConnectedApps[0]
	page := b.call("GET", "/idp?response_type=code&state=s&scope=notes:read&client_id="+app.ClientID+
		"&redirect_uri=http://localhost:8090/callback", "", "")
	b.wants(200, "Read your notes", page)
	b.wants(400, "unsupported_grant_type", b.call("POST", "/oauth2/token", "", "grant_type=x",
		func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }))
}

func TestARevocationReachesTheApplication(t *testing.T) {
	eachProxy(t, func(t *testing.T, proxy string) {
		b := newSidecar(t, proxy)
		token := b.token(grace, "notes:read")
		b.consent(grace)
		b.wants(200, grace, b.call("GET", "/notes", token, ""))
		p := b.signIn(grace) // the page is behind the proxy too
		if r := p.revoke(p.form(gptName())); r.status != 303 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		b.refuses(401, `error="invalid_token"`, b.call("GET", "/notes", token, ""))
	})
}

func TestLimitsCountForTheApplication(t *testing.T) {
	eachProxy(t, func(t *testing.T, proxy string) {
		b := newSidecar(t, proxy, limited(guestpass.Limits{Member: 3, Address: 1000}))
		token := b.token(ada, "notes:read")
		for range 3 {
			b.wants(200, ada, b.call("GET", "/notes", token, ""))
		}
		r := b.call("GET", "/notes", token, "")
		b.refuses(429, "", r)
		if r.header.Get("Retry-After") == "" {
			t.Errorf("it does not say when to come again: %v", r.header)
		}
		b.wants(200, grace, b.call("GET", "/notes", b.token(grace, "notes:read"), "")) // somebody else
	})
	t.Run("of an address", func(t *testing.T) {
		b := newSidecar(t, "nginx", limited(guestpass.Limits{Address: 3}))
		moved := func(r *http.Request) { r.Header.Set("X-Forwarded-For", "198.51.100.7") } // as the client says
		for range 3 {
			b.refuses(401, "Bearer", b.call("GET", "/notes", "", "", moved))
		}
		b.refuses(429, "", b.call("GET", "/notes", "", ""))
	})
}

func TestTheApplicationWhileStytchIsAway(t *testing.T) {
	eachProxy(t, func(t *testing.T, proxy string) {
		b := newSidecar(t, proxy)
		b.stytch.Fail(stytchtest.Fault{Path: "/v1/b2b", Status: 503})
		r := b.call("POST", "/notes", b.token(ada, "notes:write"), `{"text":"x"}`)
		b.refuses(503, "", r)
		if r.header.Get("Retry-After") == "" {
			t.Errorf("it does not say when to come again: %v", r.header)
		}
	})
}

// Nothing that a client says of who it is reaches the application, and no way around the question.
func TestAttackTheApplicationThroughTheProxy(t *testing.T) {
	eachProxy(t, func(t *testing.T, proxy string) {
		b := newSidecar(t, proxy)
		adas, graces := b.token(ada, "notes:read", "notes:write"), b.token(grace, "notes:read", "notes:write")
		b.wants(201, "secret of Ada", b.call("POST", "/notes", adas, `{"text":"secret of Ada"}`))
		stolen := b.statementFor(ada, "notes:read", "read") // a good one
		tried := 0
		for _, name := range []string{"X-Guestpass-Identity", "x-guestpass-identity", "X_Guestpass_Identity",
			"X-Guestpass_Identity", "X-Guestpass-Subject", "X-Guestpass-Client", "X-Guestpass-Organization"} {
			for token, want := range map[string]int{graces: 200, "": 401} {
				tried++
				r := b.call("GET", "/notes", token, "", func(r *http.Request) {
					r.Header[name] = []string{stolen, stolen}
				})
				b.wants(want, "", r)
				if strings.Contains(r.body, ada) || want == 200 && !strings.Contains(r.body, grace) {
					t.Errorf("%s is believed: %s", name, r.body)
				}
			}
		}
		for _, path := range []string{"/notes", "/notes/", "//notes", "/./notes", "/x/../notes",
			"/openapi.json/../notes", "/openapi.json%2f..%2fnotes", "/idp/../notes", "/idp/..%2fnotes", "/%6eotes",
			"/notes%3f", "/notes%00", "/notes;x", "/NOTES", "/notes?access_token=" + adas,
			"/notes?scope=openid&effect=read", "/assets/../notes",
			"/_guestpass", "/verify?scope=notes:read&effect=read", "/verify/keys", "http://localhost/notes",
			"/notes#/idp"} {
			tried++
			answer := b.raw("GET " + path + " HTTP/1.1\r\nX-Guestpass-Identity: " + stolen)
			if strings.Contains(answer, "secret of Ada") || strings.HasPrefix(answer, "HTTP/1.1 2") {
				t.Errorf("%s without a token: %s", path, answer)
			}
		}
		for _, header := range []string{"X-HTTP-Method-Override: GET", "X-Method-Override: GET",
			"X-Original-Method: GET", "X-Forwarded-Method: GET", "X-Original-URI: /openapi.json"} {
			tried++
			if answer := b.raw("POST /notes HTTP/1.1\r\nContent-Length: 0\r\n" + header + "\r\nAuthorization: Bearer " +
				b.token(ada, "notes:read")); !strings.HasPrefix(answer, "HTTP/1.1 403") {
				t.Errorf("%s: %s", header, answer)
			}
		}
		if answer := b.raw("GET /notes HTTP/1.1\r\nAuthorization: Bearer " + graces + "\r\nAuthorization: Bearer " +
			adas); !strings.HasPrefix(answer, "HTTP/1.1 400") {
			t.Errorf("two tokens: %s", answer)
		}
		t.Logf("%d requests with an identity, path or method made up: none got further", tried+1)
	})
}

// statementFor is what Guestpass says of somebody, as only the proxy should learn it.
func (b sidecar) statementFor(subject, scope, effect string) string {
	b.t.Helper()
	signed := statementOf(b.t, b.app, b.token(subject, scope), scope, effect)
	if signed == "" {
		b.t.Fatalf("Guestpass says nothing of %s", subject)
	}
	return signed
}

// statementOf asks a server without a network.
func statementOf(t testing.TB, app *guestpass.Server, token, scope, effect string) string {
	t.Helper()
	r, recorded := httptest.NewRequest("GET", "http://localhost/verify?scope="+scope+"&effect="+effect, nil),
		httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer "+token)
	app.ServeHTTP(recorded, r)
	if recorded.Code != 204 {
		t.Fatalf("%d %s", recorded.Code, recorded.Body)
	}
	return recorded.Header().Get("X-Guestpass-Identity")
}

// other is a server of the same project as b's, but for a change. It has the same key unless the secret changes.
func (b sidecar) other(change func(*guestpass.Options)) *guestpass.Server {
	b.t.Helper()
	o := b.options
	change(&o)
	app, err := guestpass.New(o)
	must(b.t, err)
	return app
}

// Whoever reaches the application itself, past the proxy, has to bring what Guestpass alone can sign, made for it, and
// lately.
func TestAttackTheApplicationByItself(t *testing.T) {
	b := newSidecar(t, "nginx")
	b.url = b.direct
	good := b.statementFor(ada, "notes:read", "read")
	since := time.Now().Add(-5 * time.Minute).Unix() // good by the clocks of all servers below
	token := b.mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: []string{"notes:read"},
		Claims: map[string]any{"iat": since, "nbf": since}})
	with := func(statement string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Guestpass-Identity", statement) }
	}
	b.wants(200, ada, b.call("GET", "/notes", "", "", with(good)))

	ago := func(d time.Duration) *guestpass.Server {
		return b.other(func(o *guestpass.Options) { o.Now = func() time.Time { return time.Now().Add(-d) } })
	}
	abroad := b.other(func(o *guestpass.Options) { o.PublicURL = "http://localhost:1" })
	parts := strings.Split(good, ".")
	key := b.callWorld("/verify/keys")
	for name, statement := range map[string]string{
		"nothing":             "",
		"an old one":          statementOf(t, ago(2*time.Minute), token, "notes:read", "read"),
		"a future one":        statementOf(t, ago(-time.Minute), token, "notes:read", "read"),
		"of another secret":   statementOfSomebodyElse(t, b.url),
		"of another origin":   statementOf(t, abroad, token, "notes:read", "read"),
		"the access token":    token,
		"without a signature": parts[0] + "." + parts[1] + ".",
		"two parts":           parts[0] + "." + parts[1],
		"four parts":          good + "." + parts[2],
		"another's name":      parts[0] + "." + reworded(t, parts[1], ada, grace) + "." + parts[2],
		"more scopes":         parts[0] + "." + reworded(t, parts[1], "notes:read", "notes:write") + "." + parts[2],
		"alg none":            reworded(t, parts[0], "ES256", "none") + "." + parts[1] + ".",
		"alg none, signed":    reworded(t, parts[0], "ES256", "none") + "." + parts[1] + "." + parts[2],
		"alg HS256":           hmacSigned(reworded(t, parts[0], "ES256", "HS256")+"."+parts[1], key),
		"alg es256":           reworded(t, parts[0], "ES256", "es256") + "." + parts[1] + "." + parts[2],
		"an unknown key":      reworded(t, parts[0], `"kid":"`, `"kid":"x`) + "." + parts[1] + "." + parts[2],
		"in DER": parts[0] + "." + parts[1] + "." +
			inBase64(append([]byte{0x30, 0x44}, make([]byte, 68)...)),
		"zeros":               parts[0] + "." + parts[1] + "." + inBase64(make([]byte, 64)),
		"with padding":        good + "==",
		"with a blank":        parts[0] + ". " + parts[1] + "." + parts[2],
		"in the other base64": strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+",
		"twice":               good + ", " + good,
		"long":                good + strings.Repeat("A", 5000),
	} {
		r := b.call("GET", "/notes", "", "", with(statement))
		if b.wants(401, "Guestpass has not said who calls", r); strings.Contains(r.body, "notes\":[") {
			t.Errorf("%s is believed", name)
		}
	}
	b.wants(403, "the proxy asked Guestpass for notes:read to read",
		b.call("POST", "/notes", "", `{"text":"x"}`, with(good)))
	b.wants(403, "to write, and this operation needs notes:write to destroy", b.call("DELETE", "/notes/x", "", "",
		with(b.statementFor(ada, "notes:write", "write"))))
	b.wants(403, "to destroy", b.call("GET", "/notes", "", "", with(b.statementFor(ada, "notes:write", "destroy"))))
	b.wants(200, ada, b.call("GET", "/notes", "", "", with(good))) // none of it did any harm
}

// statementOfSomebodyElse is right in every word, and signed with a key that Guestpass does not have.
func statementOfSomebodyElse(t *testing.T, publicURL string) string {
	t.Helper()
	signer, err := auth.NewSigner([]byte("a secret of somebody else's of 32 bytes"), publicURL, publicURL+"/verify")
	must(t, err)
	signed, err := signer.Sign(auth.Statement{Identity: auth.Identity{Subject: ada, ClientID: "connected-app-test-1"},
		Scopes: []string{"notes:read"}, Effect: "read"}, time.Now())
	must(t, err)
	return signed
}

// callWorld asks Guestpass past the proxy.
func (b sidecar) callWorld(path string) []byte {
	recorded := httptest.NewRecorder()
	b.app.ServeHTTP(recorded, httptest.NewRequest("GET", "http://localhost"+path, nil))
	return recorded.Body.Bytes()
}

func inBase64(content []byte) string { return base64.RawURLEncoding.EncodeToString(content) }

// reworded is a part of a JWT with other words in it.
func reworded(t *testing.T, part, from, to string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	must(t, err)
	changed := strings.ReplaceAll(string(text), from, to)
	if changed == string(text) {
		t.Fatalf("%s is not in %s", from, text)
	}
	return inBase64([]byte(changed))
}

// hmacSigned takes what everybody knows for a secret, as a library does that lets the token choose.
func hmacSigned(signed string, key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + inBase64(mac.Sum(nil))
}

// The application's own tests are in its own language.
func TestTheApplicationTestsItself(t *testing.T) {
	command := exec.Command("node", "--test", "identity.test.mjs")
	command.Dir = "../../examples/node-app"
	if output, err := command.CombinedOutput(); err != nil || !strings.Contains(string(output), "# pass 7\n") {
		t.Errorf("%v\n%s", err, output)
	}
}
