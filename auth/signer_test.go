package auth

import (
	"bytes"
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	jwxkeys "github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

const (
	statementIssuer   = "https://app.example.com"
	statementAudience = "https://app.example.com/verify"
)

func newTestSigner(t *testing.T, seed byte) *Signer {
	t.Helper()
	s, err := NewSigner(bytes.Repeat([]byte{seed}, 32), statementIssuer, statementAudience)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func statementOf(t *testing.T, s *Signer) string {
	t.Helper()
	identity := Identity{Subject: testMember, OrganizationID: testOrg, ClientID: testClient,
		Scopes: parseScopes("notes:read notes:write")}
	signed, err := s.Sign(Statement{Identity: identity, Scopes: []string{"notes:read"}, Effect: "read"}, testEpoch)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// A library that did not sign it reads a statement by the published keys alone.
func TestAStatementIsReadByOthers(t *testing.T) {
	s := newTestSigner(t, 1)
	keys, err := jwxkeys.Parse(s.Keys())
	if err != nil {
		t.Fatal(err)
	}
	at := func(when time.Time) jwt.ParseOption {
		return jwt.WithClock(jwt.ClockFunc(func() time.Time { return when }))
	}
	signed := statementOf(t, s)
	token, err := jwt.Parse([]byte(signed), jwt.WithKeySet(keys), jwt.WithIssuer(statementIssuer),
		jwt.WithAudience(statementAudience), at(testEpoch.Add(StatementLifetime-time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"organization_id": testOrg, "client_id": testClient, "scope": "notes:read",
		"effect": "read"} {
		if got, _ := token.Get(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if token.Subject() != testMember || token.JwtID() == "" || !token.IssuedAt().Equal(testEpoch) {
		t.Errorf("%v", token)
	}
	if _, err := jwt.Parse([]byte(signed), jwt.WithKeySet(keys), at(testEpoch.Add(StatementLifetime))); err == nil {
		t.Error("it is good for longer than its lifetime")
	}
	key, _ := keys.Key(0)
	thumbprint, err := key.Thumbprint(crypto.SHA256) // RFC 7638, by somebody else
	if err != nil || key.KeyID() != encode(thumbprint) || key.Algorithm() != jwa.ES256 || key.KeyUsage() != "sig" {
		t.Errorf("the key is %v, want the id %s; %v", key, encode(thumbprint), err)
	}
	if private, ok := key.Get("d"); ok {
		t.Errorf("the private key is published: %v", private)
	}
}

// All instances of a project have the same key, and no other project has.
func TestTheKeyOfStatementsFollowsFromTheSeed(t *testing.T) {
	same, other := newTestSigner(t, 1), newTestSigner(t, 2)
	if !bytes.Equal(same.Keys(), newTestSigner(t, 1).Keys()) {
		t.Error("two signers of one seed have different keys")
	}
	if bytes.Equal(same.Keys(), other.Keys()) {
		t.Error("two seeds make the same key")
	}
	keys, err := jwxkeys.Parse(other.Keys())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.Parse([]byte(statementOf(t, same)), jwt.WithKeySet(keys), jwt.WithValidate(false)); err == nil {
		t.Error("a statement is good by another seed's key")
	}
	if first, second := statementOf(t, same), statementOf(t, same); first == second {
		t.Error("two statements have the same id")
	}
	if _, err := NewSigner(make([]byte, 31), statementIssuer, statementAudience); err == nil {
		t.Error("a short seed is taken")
	}
}

// Whoever gets hold of a statement cannot call operations with it.
func TestAStatementIsNoAccessToken(t *testing.T) {
	f := newFixture(t)
	if _, err := f.Verify(t.Context(), statementOf(t, newTestSigner(t, 1))); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("%v, want %v", err, ErrInvalidToken)
	}
}

// Every byte of a statement is covered by its signature.
func TestAnAlteredStatementIsNotGood(t *testing.T) {
	s := newTestSigner(t, 1)
	keys, err := jwxkeys.Parse(s.Keys())
	if err != nil {
		t.Fatal(err)
	}
	signed := statementOf(t, s)
	for i := 0; i < len(signed)-1; i++ { // the last letter has bits that do not count
		changed := "A"
		if signed[i] == 'A' {
			changed = "B"
		}
		altered := signed[:i] + changed + signed[i+1:]
		if _, err := jwt.Parse([]byte(altered), jwt.WithKeySet(keys), jwt.WithValidate(false)); err == nil {
			t.Fatalf("it is good with another letter %d: %s", i, altered)
		}
	}
	none := base64URL([]byte(`{"alg":"none","typ":"JWT"}`)) + signed[strings.IndexByte(signed, '.'):]
	if _, err := jwt.Parse([]byte(none), jwt.WithKeySet(keys), jwt.WithValidate(false)); err == nil {
		t.Error("it is good without an algorithm")
	}
}
