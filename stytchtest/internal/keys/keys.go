// Package keys has the emulator's signing keys: it makes them, rotates them, publishes them as
// a JSON Web Key Set, and signs and verifies tokens.
package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"guestpass/stytchtest/internal/wire"
)

const (
	// Overlap is how long an old key stays published, as Stytch has it.
	Overlap = 30 * 24 * time.Hour

	maxKeys = 16 // published at once
)

// A Key is made in the background: RSA keys take a moment, and who only signs in
// does not need one. Whoever needs it waits.
type Key struct {
	ID      string
	Retired time.Time // zero: it signs
	made    func() material
}

type material struct {
	private     *rsa.PrivateKey
	certificate []byte // self-signed, DER: the key set shows one
}

// New begins to make a key.
func New() *Key {
	id := wire.NewID("jwk")
	k := &Key{ID: id, made: sync.OnceValue(func() material { return newMaterial(id) })}
	go k.made()
	return k
}

func newMaterial(name string) material {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2125, 1, 1, 0, 0, 0, 0, time.UTC)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err) // the template is fixed
	}
	return material{key, certificate}
}

// Unretired returns the same key as one that signs.
func (k *Key) Unretired() *Key { return &Key{ID: k.ID, made: k.made} }

// Wait returns once the key is there.
func (k *Key) Wait() { k.made() }

// Sign makes a compact JWS. The error is of claims that are not JSON.
func (k *Key) Sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("stytchtest: claims: %w", err)
	}
	header := `{"alg":"RS256","kid":"` + k.ID + `","typ":"JWT"}`
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.made().private, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("stytchtest: sign: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// An Unsigned is a token that is signed when the reply is written, which is after the
// emulator's lock was released: signatures take far longer than all the rest.
type Unsigned struct {
	Key    *Key
	Claims map[string]any
}

// MarshalJSON signs.
func (u Unsigned) MarshalJSON() ([]byte, error) {
	token, err := u.Key.Sign(u.Claims)
	if err != nil {
		return nil, err
	}
	return json.Marshal(token)
}

// A Ring has the keys of a project, the newest last and at least one. Its users hold a lock.
type Ring []*Key

// Signer returns the newest key.
func (r Ring) Signer() *Key { return r[len(r)-1] }

// Rotate adds a key that signs from now on.
func (r *Ring) Rotate(key *Key, now time.Time) {
	r.Signer().Retired = now
	*r = append((*r)[max(0, len(*r)-maxKeys+1):], key)
}

// DropOld ends all rotations.
func (r *Ring) DropOld() { *r = (*r)[len(*r)-1:] }

// Published returns the keys that sign, or did less than a month ago.
func (r Ring) Published(now time.Time) Ring {
	return slices.DeleteFunc(slices.Clone(r), func(k *Key) bool {
		return !k.Retired.IsZero() && !now.Before(k.Retired.Add(Overlap))
	})
}

// Verify returns the claims of a token that carries a signature of one of the keys, whatever
// its kind and age.
func (r Ring) Verify(token string) (map[string]any, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !slices.ContainsFunc(r, func(k *Key) bool {
		return rsa.VerifyPKCS1v15(&k.made().private.PublicKey, crypto.SHA256, digest[:], signature) == nil
	}) {
		return nil, false
	}
	var claims map[string]any
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	ok := err == nil && json.Unmarshal(payload, &claims) == nil
	return claims, ok // after the call that fills claims
}

// Set returns the keys as a JSON Web Key Set.
func (r Ring) Set() map[string]any {
	set := []map[string]any{}
	for _, k := range r {
		key := k.made()
		thumbprint := sha256.Sum256(key.certificate)
		set = append(set, map[string]any{"kty": "RSA", "use": "sig", "key_ops": []string{"verify"}, "alg": "RS256",
			"kid": k.ID,
			"n":   base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()), "e": "AQAB",
			"x5c":     []string{base64.StdEncoding.EncodeToString(key.certificate)},
			"x5tS256": base64.RawURLEncoding.EncodeToString(thumbprint[:])})
	}
	return map[string]any{"keys": set}
}
