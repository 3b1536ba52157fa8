package server_test

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/stytchtest"
)

// An authority is where the server under test takes its verification keys from: the
// emulator's, and one of ours with which a test signs whatever it likes.
type authority struct {
	*httptest.Server
	emulated []object

	mu      sync.Mutex // guards what follows
	reply   http.HandlerFunc
	fetches int
}

const ownKid = "jwk-test-own"

// ownKey signs for the authority, foreignKey for nobody.
var ownKey, foreignKey = sync.OnceValue(newRSAKey), sync.OnceValue(newRSAKey)

func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
}

func newAuthority(t testing.TB) *authority {
	a := new(authority)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/jwks.json" {
			http.NotFound(w, r)
			return
		}
		a.mu.Lock()
		a.fetches++
		reply := a.reply
		a.mu.Unlock()
		reply(w, r)
	}))
	t.Cleanup(a.Close)
	a.publish(jwk(ownKid, ownKey()))
	return a
}

// publish replaces the key set by the emulator's keys and these.
func (a *authority) publish(keys ...object) { a.serve(keySet(append(keys, a.emulated...)...)) }

// serve replaces the key document.
func (a *authority) serve(document string) {
	a.answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, document) })
}

func (a *authority) answer(reply http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reply = reply
}

func (a *authority) fetched() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fetches
}

// object is JSON in the making; removed as a value takes a member out.
type object map[string]any

var removed = new(int)

// with returns a copy with the changes made.
func (o object) with(changes object) object {
	result := maps.Clone(o)
	for name, value := range changes {
		if result[name] = value; value == any(removed) {
			delete(result, name)
		}
	}
	return result
}

func (o object) json() string {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func base64url[T string | []byte](data T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(data))
}

// jwk returns a public key as Stytch publishes one.
func jwk(kid string, key *rsa.PrivateKey) object {
	return object{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "e": "AQAB", "n": base64url(key.N.Bytes())}
}

func keySet(keys ...object) string { return object{"keys": keys, "status_code": 200}.json() }

// signed returns a token of any header and payload, with a signature that is good.
func signed(header, payload string, key *rsa.PrivateKey) string {
	input := base64url(header) + "." + base64url(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64url(signature)
}

// A target is the assembled server as it runs in production, with its key source in
// the test's hands and a clock that stands still.
type target struct {
	*world
	*authority
	metadata string
	subject  string // who calls
}

// newTarget is of a B2B project unless the emulator's options have another seed.
func newTarget(t testing.TB, subject string, seed stytchtest.Seed, change ...func(*guestpass.Options)) *target {
	t.Helper()
	start := time.Now().Truncate(time.Second)
	keys := newAuthority(t)
	set := func(o *guestpass.Options) { o.Domain = keys.URL }
	w := newWorldOf(t, stytchtest.Options{Seed: &seed, Now: func() time.Time { return start }, Issuer: keys.URL},
		append(change, set)...)
	var published struct{ Keys []object }
	response, err := http.Get(w.stytch.URL + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&published); err != nil || len(published.Keys) == 0 {
		t.Fatalf("the emulator's keys: %v", err)
	}
	keys.emulated = published.Keys
	keys.publish(jwk(ownKid, ownKey()))
	target := &target{world: w, authority: keys, metadata: w.url + "/.well-known/oauth-protected-resource",
		subject: subject}
	w.url = target.run(t)
	return target
}

// run serves the way the program does, with its limits.
func (a *target) run(t testing.TB) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- guestpass.Serve(t.Context(), listener, a.app, slog.New(slog.DiscardHandler), 0) }()
	t.Cleanup(func() { // the test's context has ended
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

func (a *target) header() object { return object{"alg": "RS256", "kid": ownKid, "typ": "JWT"} }

// claims returns those of an access token that is as it should be now.
func (a *target) claims() object {
	now := a.stytch.Now().Unix()
	project := stytchtest.Development().Project.ID
	app := stytchtest.Development().ConnectedApps[0].ClientID
	claims := object{"iss": a.authority.URL, "sub": a.subject, "client_id": app, "scope": "openid tasks:read",
		"iat": now, "nbf": now, "exp": now + 3600, "jti": "token-1"}
	if strings.HasPrefix(a.subject, "user-") {
		return claims.with(object{"aud": []string{stytchtest.DevelopmentConsumer().Project.ID},
			"client_id": stytchtest.DevelopmentConsumer().ConnectedApps[0].ClientID})
	}
	return claims.with(object{"aud": []string{project}, organizationClaim: object{"organization_id": acme,
		"slug": "acme"}})
}

const organizationClaim = "https://stytch.com/organization"

// good returns the token that is admitted; bad is one with other claims and a good signature.
func (a *target) good() string               { return a.bad(nil) }
func (a *target) bad(changes object) string  { return a.payload(a.claims().with(changes).json()) }
func (a *target) payload(text string) string { return signed(a.header().json(), text, ownKey()) }

// headed returns the good token with another header, signed as it should be.
func (a *target) headed(changes object) string {
	return signed(a.header().with(changes).json(), a.claims().json(), ownKey())
}

// An outcome is everything that a reply says.
type outcome struct {
	status    int
	challenge string // WWW-Authenticate
	body      string // without the request id; "": any
}

const (
	accepted      = "accepted"
	invalidToken  = "invalid_token"
	noCredentials = "no token"
	invalidCall   = "invalid_request"
	insufficient  = "insufficient_scope"
	malformed     = "malformed HTTP" // net/http answers before we see it
	tooLarge      = "header too large"
)

func (a *target) outcomes() map[string]outcome {
	metadata := `resource_metadata="` + a.metadata + `"`
	problem := func(status int, title, detail, hint string) string {
		return object{"type": "about:blank", "title": title, "status": status, "detail": detail, "hint": hint}.json()
	}
	return map[string]outcome{
		accepted: {200, "", ""},
		noCredentials: {401, `Bearer realm="api", ` + metadata,
			problem(401, "Unauthorized", "a valid access token is required", "Ask the person to sign in again.")},
		invalidToken: {401, `Bearer realm="api", error="invalid_token", error_description="The access token is ` +
			`invalid or has expired", ` + metadata,
			problem(401, "Unauthorized", "a valid access token is required", "Ask the person to sign in again.")},
		invalidCall: {400, `Bearer realm="api", error="invalid_request", ` + metadata,
			problem(400, "Bad Request", "the Authorization header is malformed, given twice, or the token is in the "+
				"wrong place", "Correct the request and send it again.")},
		insufficient: {403, `Bearer realm="api", error="insufficient_scope", scope="tasks:read", ` + metadata,
			problem(403, "Forbidden", "this app has not been given the permission tasks:read",
				"Do not try again. Tell the person that they have not allowed this app to do it: to allow it they "+
					"sign in for the app again and grant it. If it is not theirs to grant, somebody who administers "+
					"their roles has to give it to them first.")},
		malformed: {400, "", ""},
		tooLarge:  {431, "", ""},
	}
}

// An attack is one request, and what must come of it.
type attack struct {
	row    int    // of the attack matrix; 0: beside it
	what   string // how it differs from the good request
	want   string // an outcome
	token  string
	change func(*http.Request)      // in place of token
	raw    func(write func(string)) // in place of both: the header lines after Host
}

const protected = "/api/v1/tasks"

func (a *target) launch(t *testing.T, attack attack) reply {
	switch {
	case attack.raw != nil:
		return a.rawCall(t, attack.raw)
	case attack.change != nil:
		return a.call("GET", protected, "", "", attack.change)
	}
	return a.call("GET", protected, "", "",
		func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + attack.token} })
}

// rawCall sends header lines as they are, which net/http's client would not.
func (a *target) rawCall(t *testing.T, lines func(write func(string))) reply {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(a.world.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	go func() { // the server may answer before it has read everything
		write := func(line string) { _, _ = io.WriteString(connection, line+"\r\n") }
		write("GET " + protected + " HTTP/1.1\r\nHost: localhost")
		lines(write)
		write("")
	}()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(body)}
}

// differs tells how a reply is not the outcome, or "".
func (o outcome) differs(t *testing.T, r reply) string {
	if r.status != o.status || strings.Join(r.header.Values("WWW-Authenticate"), "; ") != o.challenge {
		return fmt.Sprintf("%d %q, want %d %q", r.status, r.header.Values("WWW-Authenticate"), o.status, o.challenge)
	}
	if o.body == "" {
		return ""
	}
	if got := withoutRequestID(t, r.body); got != o.body || r.header.Get("Cache-Control") != "no-store" ||
		r.header.Get("Content-Type") != "application/problem+json" {
		return fmt.Sprintf("%s %v, want %s", got, r.header, o.body)
	}
	return ""
}

// tally counts the outcomes of a row.
type tally struct{ tried, refused, admitted, wrong int }

// try launches the attacks, each beside its twin, the good token, and counts by row.
func (a *target) try(t *testing.T, attacks []attack, tallies map[int]*tally) {
	t.Helper()
	outcomes, good := a.outcomes(), a.good()
	var first http.Header // of the first invalid_token
	for _, attack := range attacks {
		count := tallies[attack.row]
		if count == nil {
			count = new(tally)
			tallies[attack.row] = count
		}
		r := a.launch(t, attack)
		count.tried++
		switch {
		case r.status >= 400:
			count.refused++
		case attack.want == accepted:
			count.admitted++
		default:
			count.wrong++
		}
		if fault := outcomes[attack.want].differs(t, r); fault != "" {
			t.Errorf("row %02d, %s: %s", attack.row, attack.what, fault)
		}
		if attack.want == invalidToken {
			r.header.Del("Date")
			r.header.Del("X-Request-Id")
			if first == nil {
				first = r.header
			} else if fmt.Sprint(first) != fmt.Sprint(r.header) {
				t.Errorf("row %02d, %s: headers %v, others had %v", attack.row, attack.what, r.header, first)
			}
		}
		if twin := a.call("GET", protected, good, ""); twin.status != 200 {
			t.Fatalf("row %02d, %s: its twin was refused: %d %s", attack.row, attack.what, twin.status, twin.body)
		}
		if len(attack.token) > 20 && strings.Contains(a.log.String(), attack.token) {
			t.Errorf("row %02d, %s: the token is in the log", attack.row, attack.what)
		}
	}
}
