package auth

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The project of the tests.
const (
	testProject = "project-test-11111111-1111-4111-8111-111111111111"
	testIssuer  = "https://example.customers.stytch.dev"
	testMember  = "member-test-22222222-2222-4222-8222-222222222222"
	testUser    = "user-test-33333333-3333-4333-8333-333333333333"
	testClient  = "connected-app-test-44444444-4444-4444-8444-444444444444"
	testOrg     = "organization-test-55555555-5555-4555-8555-555555555555"
	testKid     = "jwk-test-1"
)

var testEpoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Two keys are enough to rotate; making one takes a while.
var (
	keyOne = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	keyTwo = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
)

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

// testClock is the injected clock.
type testClock struct{ nanoseconds atomic.Int64 }

func (c *testClock) Now() time.Time      { return time.Unix(0, c.nanoseconds.Load()).UTC() }
func (c *testClock) Add(d time.Duration) { c.nanoseconds.Add(int64(d)) }
func (c *testClock) Set(t time.Time)     { c.nanoseconds.Store(t.UnixNano()) }

// fakeJWKS is a key document that serves itself and counts how often.
type fakeJWKS struct {
	mu     sync.Mutex // guards what follows
	status int
	body   []byte
	hits   int
}

func (f *fakeJWKS) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	f.hits++
	status, body := f.status, f.body
	f.mu.Unlock()
	w.WriteHeader(status)
	w.Write(body)
}

// Serve replaces the reply.
func (f *fakeJWKS) Serve(status int, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status, f.body = status, []byte(body)
}

// Hits returns how often the document was fetched.
func (f *fakeJWKS) Hits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hits
}

// inMemory hands requests to a handler without a network.
type inMemory struct{ handler http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	m.handler.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// object is JSON in the making; absent as a value takes a member out.
type object map[string]any

type absentMark struct{}

var absent absentMark

// with returns a copy with the changes made.
func (o object) with(changes object) object {
	result := maps.Clone(o)
	for name, value := range changes {
		if value == absent {
			delete(result, name)
		} else {
			result[name] = value
		}
	}
	return result
}

func (o object) json() string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(o); err != nil {
		panic(err)
	}
	return string(bytes.TrimSpace(text.Bytes()))
}

// jwk returns the public key as Stytch publishes one.
func jwk(kid string, key *rsa.PrivateKey) object {
	return object{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "e": "AQAB", "key_ops": []string{"verify"},
		"n": encode(key.N.Bytes()), "x5c": []string{"MIIC"}, "x5tS256": "x"}
}

func keySetOf(keys ...object) string {
	return object{"keys": keys, "request_id": "request-id-test-1", "status_code": 200}.json()
}

func encode[T string | []byte](data T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(data))
}

// sign makes a token of any header and payload, with a signature that is good.
func sign(header, payload string, key *rsa.PrivateKey) string {
	input := encode(header) + "." + encode(payload)
	hash := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:])
	if err != nil {
		panic(err)
	}
	return input + "." + encode(signature)
}

// fixture is a Verifier with its far side.
type fixture struct {
	*Verifier
	jwks     *fakeJWKS
	clock    *testClock
	log      *bytes.Buffer
	vertical Vertical
}

// newFixture serves keyOne as testKid. The options may be changed.
func newFixture(t testing.TB, changes ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{jwks: &fakeJWKS{}, clock: &testClock{}, log: &bytes.Buffer{}}
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne())))
	f.clock.Set(testEpoch)
	options := Options{ProjectID: testProject, Vertical: B2B, Issuers: []string{testIssuer,
		"stytch.com/" + testProject},
		JWKSURLs: []string{"https://keys.example/jwks"}, Now: f.clock.Now, Transport: inMemory{f.jwks},
		Log: slog.New(slog.NewTextHandler(&lockedWriter{to: f.log}, nil))}
	for _, change := range changes {
		change(&options)
	}
	f.vertical = options.Vertical
	verifier, err := NewVerifier(options)
	if err != nil {
		t.Fatal(err)
	}
	f.Verifier = verifier
	return f
}

type lockedWriter struct {
	mu sync.Mutex // guards to
	to *bytes.Buffer
}

func (w *lockedWriter) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(data)
}

func forConsumers(o *Options) { o.Vertical = Consumer }

// header and claims are those of an access token that is as it should be now.
func (f *fixture) header() object { return object{"alg": "RS256", "kid": testKid, "typ": "JWT"} }

func (f *fixture) claims() object {
	now := f.clock.Now().Unix()
	result := object{"iss": testIssuer, "aud": []string{testProject}, "sub": testMember, "client_id": testClient,
		"scope": "openid tasks:read", "iat": now, "nbf": now, "exp": now + 3600, "jti": "token-1",
		organizationClaim: object{"organization_id": testOrg, "slug": "example"}}
	if f.vertical == Consumer {
		return result.with(object{"sub": testUser, organizationClaim: absent})
	}
	return result
}

// token returns a good token but for the changes to its claims.
func (f *fixture) token(changes object) string {
	return sign(f.header().json(), f.claims().with(changes).json(), keyOne())
}

func (f *fixture) accepts(t *testing.T, token string) Identity {
	t.Helper()
	identity, err := f.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("refused as %q, want it accepted", Reason(err))
	}
	return identity
}

// refuses wants an ErrInvalidToken with that reason, and no identity.
func (f *fixture) refuses(t *testing.T, token, reason string) {
	t.Helper()
	identity, err := f.Verify(t.Context(), token)
	if !errors.Is(err, ErrInvalidToken) {
		t.Fatalf("Verify: %v, want ErrInvalidToken", err)
	}
	if got := Reason(err); got != reason {
		t.Errorf("refused as %q, want %q", got, reason)
	}
	if identity.Subject != "" || identity.Owner() != "" || len(identity.Scopes.List()) != 0 || identity.ClientID != "" {
		t.Errorf("a refusal came with the identity %+v", identity)
	}
}

// unavailable wants an ErrUnavailable, which says nothing about the token.
func (f *fixture) unavailable(t *testing.T, token string) {
	t.Helper()
	if _, err := f.Verify(t.Context(), token); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrInvalidToken) {
		t.Fatalf("Verify: %v, want ErrUnavailable only", err)
	}
}

// modulusOf makes a modulus of any bits that never signs anything.
func modulusOf(bits int, odd bool) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	if odd {
		n.SetBit(n, 0, 1)
	}
	return encode(n.Bytes())
}
