package stytchtest

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
)

// A signingKey is made in the background: RSA keys take a moment, and who only signs in
// does not need one. Whoever needs it waits.
type signingKey struct {
	id      string
	made    func() keyMaterial
	retired time.Time // zero: it signs
}

type keyMaterial struct {
	private     *rsa.PrivateKey
	certificate []byte // self-signed, DER: the key set shows one
}

const (
	keyOverlap = 30 * 24 * time.Hour // how long an old key stays published, as Stytch has it
	maxKeys    = 16                  // published at once
)

func newSigningKey() *signingKey {
	id := newID("jwk")
	k := &signingKey{id: id, made: sync.OnceValue(func() keyMaterial { return newKeyMaterial(id) })}
	go k.made()
	return k
}

// spareKeys were of servers that tests have stopped. Others take them instead of new ones; no two emulators have
// the same key at a time.
var spareKeys struct {
	mu   sync.Mutex // guards keys
	keys []*signingKey
}

func spareKey() *signingKey {
	spareKeys.mu.Lock()
	defer spareKeys.mu.Unlock()
	last := len(spareKeys.keys) - 1
	if last < 0 {
		return newSigningKey()
	}
	key := spareKeys.keys[last]
	spareKeys.keys = spareKeys.keys[:last]
	return key
}

// spare leaves the keys of an emulator that has ended to others.
func (e *Emulator) spare() {
	e.mu.Lock()
	defer e.mu.Unlock()
	spareKeys.mu.Lock()
	defer spareKeys.mu.Unlock()
	for _, key := range e.keys {
		spareKeys.keys = append(spareKeys.keys, &signingKey{id: key.id, made: key.made})
	}
}

func newKeyMaterial(name string) keyMaterial {
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
	return keyMaterial{key, certificate}
}

// RotateKeys adds a key, with which tokens are signed from now on; the old one stays
// published for a month of the emulator's clock.
func (e *Emulator) RotateKeys() {
	key := e.newKey()
	key.made()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.signer().retired = e.now()
	e.keys = append(e.keys[max(0, len(e.keys)-maxKeys+1):], key)
}

// DropOldKeys ends all rotations: only the newest key stays published.
func (e *Emulator) DropOldKeys() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = e.keys[len(e.keys)-1:]
}

// signer is the newest key. The caller holds mu.
func (e *Emulator) signer() *signingKey { return e.keys[len(e.keys)-1] }

// published are the keys that sign, or did less than a month ago. The caller holds mu.
func (e *Emulator) published() []*signingKey {
	return slices.DeleteFunc(slices.Clone(e.keys), func(k *signingKey) bool {
		return !k.retired.IsZero() && !e.now().Before(k.retired.Add(keyOverlap))
	})
}

// An unsigned is a token that is signed when the reply is written, which is after the
// emulator's lock was released: signatures take far longer than all the rest.
type unsigned struct {
	key    *signingKey
	claims map[string]any
}

func (u unsigned) MarshalJSON() ([]byte, error) {
	token, err := u.key.sign(u.claims)
	if err != nil {
		return nil, err
	}
	return json.Marshal(token)
}

// sign makes a compact JWS. The error is of claims that are not JSON.
func (k *signingKey) sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("stytchtest: claims: %w", err)
	}
	header := `{"alg":"RS256","kid":"` + k.id + `","typ":"JWT"}`
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.made().private, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("stytchtest: sign: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// signed returns the claims of a token that carries a signature of ours, whatever its
// kind and age. The caller holds mu.
func (e *Emulator) signed(token string) (map[string]any, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !slices.ContainsFunc(e.published(), func(k *signingKey) bool {
		return rsa.VerifyPKCS1v15(&k.made().private.PublicKey, crypto.SHA256, digest[:], signature) == nil
	}) {
		return nil, false
	}
	var claims map[string]any
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	ok := err == nil && json.Unmarshal(payload, &claims) == nil
	return claims, ok // after the call that fills claims
}

// jwks answers all the paths under which Stytch publishes the keys.
func (e *Emulator) jwks(*call) (any, *failure) {
	keys := []map[string]any{}
	for _, k := range e.published() {
		key := k.made()
		thumbprint := sha256.Sum256(key.certificate)
		keys = append(keys, map[string]any{"kty": "RSA", "use": "sig", "key_ops": []string{"verify"}, "alg": "RS256",
			"kid": k.id,
			"n":   base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()), "e": "AQAB",
			"x5c":     []string{base64.StdEncoding.EncodeToString(key.certificate)},
			"x5tS256": base64.RawURLEncoding.EncodeToString(thumbprint[:])})
	}
	return map[string]any{"keys": keys}, nil
}
