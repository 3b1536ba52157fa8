package stytchtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
)

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

func newSigningKey() signingKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return signingKey{newID("jwk"), key}
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

// sign makes a compact JWS with the newest key. The caller holds mu.
func (e *Emulator) sign(claims map[string]any) string {
	signer := e.keys[len(e.keys)-1]
	header, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": signer.id, "typ": "JWT"})
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // claims come from JSON or from strings and numbers
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, signer.key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// jwks answers all the paths under which Stytch publishes the keys.
func (e *Emulator) jwks(c *call) (any, *failure) {
	if pid := c.path("pid"); pid != "" && pid != e.state.project.ID {
		return nil, notFound("project_not_found", "The project could not be found.")
	}
	keys := []map[string]any{}
	for _, k := range e.keys {
		keys = append(keys, map[string]any{"kty": "RSA", "use": "sig", "key_ops": []string{"verify"}, "alg": "RS256", "kid": k.id,
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()), "e": "AQAB", "x5c": []string{}, "x5tS256": ""})
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

// base is scheme and host of the request.
func (e *Emulator) base(c *call) string {
	if e.options.Issuer != "" {
		return e.options.Issuer
	}
	return "http://" + c.r.Host
}

// issuerOf depends on the form of the path: Stytch's own host names the project.
func (e *Emulator) issuerOf(c *call) string {
	if c.path("pid") != "" {
		return "stytch.com/" + e.state.project.ID
	}
	return e.base(c)
}
