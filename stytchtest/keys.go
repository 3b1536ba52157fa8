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
	"net/http"
	"slices"
	"strings"
	"time"
)

type signingKey struct {
	id          string
	key         *rsa.PrivateKey
	certificate []byte // self-signed, DER: the key set shows one
}

func newSigningKey() signingKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	k := signingKey{id: newID("jwk"), key: key}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: k.id},
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2125, 1, 1, 0, 0, 0, 0, time.UTC)}
	if k.certificate, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key); err != nil {
		panic(err) // the template is fixed
	}
	return k
}

// RotateKeys adds a key, with which tokens are signed from now on; the old one stays
// published, as it does at Stytch for a month.
func (e *Emulator) RotateKeys() {
	key := newSigningKey()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = append(e.keys[max(0, len(e.keys)-1):], key)
}

// DropOldKeys ends a rotation: only the newest key stays published.
func (e *Emulator) DropOldKeys() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = e.keys[len(e.keys)-1:]
}

// sign makes a compact JWS with the newest key. The error is of claims that are not
// JSON. The caller holds mu.
func (e *Emulator) sign(claims map[string]any) (string, error) {
	signer := e.keys[len(e.keys)-1]
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("stytchtest: claims: %w", err)
	}
	header := `{"alg":"RS256","kid":"` + signer.id + `","typ":"JWT"}`
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, signer.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("stytchtest: sign: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// mustSign signs claims that were made here.
func (e *Emulator) mustSign(claims map[string]any) string {
	token, err := e.sign(claims)
	if err != nil {
		panic(err)
	}
	return token
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
	if !slices.ContainsFunc(e.keys, func(k signingKey) bool {
		return rsa.VerifyPKCS1v15(&k.key.PublicKey, crypto.SHA256, digest[:], signature) == nil
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
	for _, k := range e.keys {
		thumbprint := sha256.Sum256(k.certificate)
		keys = append(keys, map[string]any{"kty": "RSA", "use": "sig", "key_ops": []string{"verify"}, "alg": "RS256", "kid": k.id,
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()), "e": "AQAB",
			"x5c": []string{base64.StdEncoding.EncodeToString(k.certificate)}, "x5tS256": base64.RawURLEncoding.EncodeToString(thumbprint[:])})
	}
	return map[string]any{"keys": keys}, nil
}

// openIDConfiguration and authorizationServer are the two discovery documents.
func (e *Emulator) openIDConfiguration(c *call) (any, *failure) {
	return e.discovery(c, map[string]any{"grant_types_supported": []string{"authorization_code"}, "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"}})
}

func (e *Emulator) authorizationServer(c *call) (any, *failure) {
	return e.discovery(c, map[string]any{"grant_types_supported": []string{"authorization_code", "refresh_token"},
		"response_types_supported": []string{"code", "code token"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"client_id_metadata_document_supported": true})
}

func (e *Emulator) discovery(c *call, document map[string]any) (any, *failure) {
	if e.state.project.AuthorizationURL == "" {
		return nil, fail(http.StatusBadRequest, "authorization_endpoint_not_configured_for_project", "Set an Authorization URL for the project first.")
	}
	base := e.base(c)
	root := base + "/v1/oauth2"
	jwks := base + "/.well-known/jwks.json"
	if c.path("pid") != "" {
		root, jwks = base+"/v1/public/"+c.path("pid")+"/oauth2", base+"/v1/public/"+c.path("pid")+"/.well-known/jwks.json"
	}
	scopes := []string{"openid", "profile", "email", "phone", "offline_access"}
	for _, s := range e.state.policy.Scopes {
		scopes = append(scopes, s.Name)
	}
	document["issuer"] = e.issuerOf(c)
	document["authorization_endpoint"] = e.state.project.AuthorizationURL
	document["token_endpoint"], document["userinfo_endpoint"] = root+"/token", root+"/userinfo"
	document["jwks_uri"], document["scopes_supported"] = jwks, scopes
	return document, nil
}

// base is scheme and host of the request, or what the options name instead: behind a
// tunnel the emulator sees another host than its clients do.
func (e *Emulator) base(c *call) string {
	if e.options.Issuer != "" {
		return e.options.Issuer
	}
	return scheme(c.r) + "://" + c.r.Host
}

// issuerOf depends on the form of the path: Stytch's own host names the project.
func (e *Emulator) issuerOf(c *call) string {
	if c.path("pid") != "" {
		return "stytch.com/" + e.state.project.ID
	}
	return e.base(c)
}
