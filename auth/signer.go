package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"time"
)

// StatementLifetime is how long a [Signer]'s statement is good: for the one request that it goes with.
const StatementLifetime = time.Minute

// shortestSeed is how many bytes a [Signer]'s seed has at least: as many as the key.
const shortestSeed = 32

// A Signer states to another program who is calling and what they were admitted to: a JWT (RFC 7519) that ES256 signs
// (RFC 7518 section 3.4). It is no access token: its algorithm alone keeps any [Verifier] from taking it for one. A
// Signer never changes and is safe for concurrent use.
type Signer struct {
	issuer, audience string
	key              *ecdsa.PrivateKey
	header           string // of every statement, encoded
	keys             []byte
}

// A Statement is what a [Signer] signs beside the identity: only what was checked, never all that the token allows.
type Statement struct {
	Identity Identity
	Scopes   []string // that the call needed, all of which the caller has
	Effect   string   // that they were checked for: read, write or destroy
}

// NewSigner derives the key from the seed, so that all who have the seed sign with the same one. The seed must be
// secret, used for nothing else, and have 32 bytes at least.
func NewSigner(seed []byte, issuer, audience string) (*Signer, error) {
	if len(seed) < shortestSeed || issuer == "" || audience == "" {
		return nil, fmt.Errorf("auth: a signer needs a seed of %d bytes, an issuer and an audience", shortestSeed)
	}
	key, err := deriveKey(seed)
	if err != nil {
		return nil, fmt.Errorf("auth: derive the signer's key: %w", err)
	}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, fmt.Errorf("auth: write the signer's key: %w", err)
	}
	x, y := base64URL(point[1:33]), base64URL(point[33:])
	// The members that RFC 7638 section 3.2 names, in its order, without blanks.
	thumbprint := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	kid := base64URL(thumbprint[:])
	s := &Signer{issuer: issuer, audience: audience, key: key,
		header: base64URL([]byte(`{"alg":"ES256","kid":"` + kid + `","typ":"JWT"}`))}
	s.keys = []byte(`{"keys":[{"alg":"ES256","crv":"P-256","kid":"` + kid + `","kty":"EC","use":"sig","x":"` + x +
		`","y":"` + y + `"}]}` + "\n")
	return s, nil
}

// deriveKey takes 128 bits more than the key has, so that no key is noticeably likelier than another (FIPS 186-5,
// A.2.1).
func deriveKey(seed []byte) (*ecdsa.PrivateKey, error) {
	const size = 32
	material, err := hkdf.Expand(sha256.New, seed, "guestpass: ES256", size+16)
	if err != nil {
		return nil, err
	}
	below := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(1))
	d := new(big.Int).SetBytes(material)
	d.Add(d.Mod(d, below), big.NewInt(1)) // from 1 to N-1
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, size)))
}

func base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// Keys is the JWK set (RFC 7517) with which a statement is verified.
func (s *Signer) Keys() []byte { return s.keys }

// Sign returns a statement that is good from now on, for [StatementLifetime].
func (s *Signer) Sign(said Statement, now time.Time) (string, error) {
	claims, err := json.Marshal(struct {
		Issuer       string `json:"iss"`
		Audience     string `json:"aud"`
		Subject      string `json:"sub"`
		Organization string `json:"organization_id,omitempty"` // "" in Consumer projects
		ClientID     string `json:"client_id"`
		Scope        string `json:"scope"`
		Effect       string `json:"effect"`
		IssuedAt     int64  `json:"iat"`
		ExpiresAt    int64  `json:"exp"`
		ID           string `json:"jti"`
	}{s.issuer, s.audience, said.Identity.Subject, said.Identity.OrganizationID, said.Identity.ClientID,
		Scopes{said.Scopes}.String(), said.Effect, now.Unix(), now.Add(StatementLifetime).Unix(), rand.Text()})
	if err != nil {
		return "", fmt.Errorf("auth: write a statement: %w", err)
	}
	signed := s.header + "." + base64URL(claims)
	hash := sha256.Sum256([]byte(signed))
	r, t, err := ecdsa.Sign(rand.Reader, s.key, hash[:])
	if err != nil {
		return "", fmt.Errorf("auth: sign a statement: %w", err)
	}
	signature := make([]byte, 64) // both numbers, 32 bytes each (RFC 7518 section 3.4)
	r.FillBytes(signature[:32])
	t.FillBytes(signature[32:])
	return signed + "." + base64URL(signature), nil
}
