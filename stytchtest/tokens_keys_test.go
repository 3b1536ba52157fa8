package stytchtest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"guestpass/stytchtest"
)

// verify checks the signature against the keys that are served, and the certificate.
func verify(t *testing.T, s *stytchtest.Server, token string) bool {
	t.Helper()
	_, set, _ := ask(t, "GET", s.URL+"/.well-known/jwks.json", nil)
	parts := strings.Split(token, ".")
	signature := must[[]byte](t)(base64.RawURLEncoding.DecodeString(parts[2]))
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, k := range set["keys"].([]any) {
		key := k.(object)
		if key["kid"] != decodePart(t, token, 0)["kid"] {
			continue
		}
		n := must[[]byte](t)(base64.RawURLEncoding.DecodeString(key["n"].(string)))
		public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
		certificate := must[*x509.Certificate](t)(
			x509.ParseCertificate(must[[]byte](t)(base64.StdEncoding.DecodeString(key["x5c"].([]any)[0].(string)))))
		if !public.Equal(certificate.PublicKey) || key["alg"] != "RS256" || key["use"] != "sig" ||
			key["kty"] != "RSA" || key["e"] != "AQAB" || public.N.BitLen() != 2048 {
			t.Errorf("key %v", keysOf(key))
		}
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

func TestKeysRotate(t *testing.T) {
	s := open(t)
	mint := func() string { return must[string](t)(s.Mint(stytchtest.MintRequest{Subject: ada})) }
	old := mint()
	s.RotateKeys()
	fresh := mint()
	if !verify(t, s, old) || !verify(t, s, fresh) || decodePart(t, old, 0)["kid"] == decodePart(t, fresh, 0)["kid"] {
		t.Error("both keys must be served, and the new one used")
	}
	s.DropOldKeys()
	if verify(t, s, old) || !verify(t, s, fresh) {
		t.Error("only the new key must be left")
	}
	for _, path := range []string{"/v1/public/" + project + "/.well-known/jwks.json",
		"/v1/b2b/sessions/jwks/" + project, "/v1/sessions/jwks/" + project} {
		if status, reply, _ := ask(t, "GET", s.URL+path, nil); status != 200 || len(reply["keys"].([]any)) != 1 {
			t.Errorf("%s: %d", path, status)
		}
		if status, _, _ := ask(t, "GET", s.URL+strings.Replace(path, project, "project-test-other", 1),
			nil); status != 404 {
			t.Errorf("%s for another project: %d", path, status)
		}
	}
}

func TestDiscoveryDocuments(t *testing.T) {
	s := open(t)
	status, got, _ := ask(t, "GET", s.URL+"/.well-known/openid-configuration", nil)
	delete(got, "request_id")
	want := object{"issuer": s.URL, "authorization_endpoint": idp, "token_endpoint": s.URL + "/v1/oauth2/token",
		"userinfo_endpoint": s.URL + "/v1/oauth2/userinfo", "jwks_uri": s.URL + "/.well-known/jwks.json",
		"grant_types_supported": []any{"authorization_code"}, "response_types_supported": []any{"code"},
		"subject_types_supported": []any{"public"}, "id_token_signing_alg_values_supported": []any{"RS256"},
		"scopes_supported": []any{"openid", "profile", "email", "phone", "offline_access",
			"members:read", "members:invite", "tasks:read", "tasks:write", "activity:read"},
		"token_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post"},
		"status_code":                           200.0}
	if status != 200 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d\n%v, want\n%v", status, got, want)
	}
	_, got, _ = ask(t, "GET", s.URL+"/v1/public/"+project+"/.well-known/oauth-authorization-server", nil)
	if got["issuer"] != "stytch.com/"+project || got["token_endpoint"] != s.URL+"/v1/public/"+project+"/oauth2/token" ||
		!reflect.DeepEqual(got["code_challenge_methods_supported"], []any{"S256"}) {
		t.Errorf("%v", got)
	}
	_, got, _ = ask(t, "GET", s.URL+"/.well-known/oauth-authorization-server", nil)
	delete(got, "request_id")
	delete(want, "subject_types_supported")
	delete(want, "id_token_signing_alg_values_supported")
	want["grant_types_supported"] = []any{"authorization_code", "refresh_token",
		"urn:ietf:params:oauth:grant-type:jwt-bearer"}
	want["response_types_supported"], want["code_challenge_methods_supported"] = []any{"code", "code token"},
		[]any{"S256"}
	want["token_endpoint_auth_methods_supported"] = []any{"client_secret_basic", "client_secret_post", "none"}
	want["registration_endpoint"], want["client_id_metadata_document_supported"] = s.URL+"/v1/oauth2/register", true
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want\n%v", got, want)
	}
	s.SetAuthorizationURL("")
	if status, got, _ := ask(t, "GET", s.URL+"/.well-known/openid-configuration", nil); status != 400 ||
		got["error_type"] != "authorization_endpoint_not_configured_for_project" {
		t.Errorf("%d %v", status, got)
	}
}

func TestMintedTokens(t *testing.T) {
	s := open(t)
	mint := func(m stytchtest.MintRequest) object {
		t.Helper()
		token := must[string](t)(s.Mint(m))
		if !verify(t, s, token) {
			t.Error("the signature is wrong")
		}
		return claimsOf(t, token)
	}
	at := float64(noon.Unix())
	if c := mint(stytchtest.MintRequest{Subject: ada}); c["scope"] != "openid profile email members:read" ||
		c["client_id"] != gpt || c["iss"] != s.URL || c["exp"] != at+3600 || c["jti"] == nil {
		t.Errorf("access: %v", c)
	}
	if c := mint(stytchtest.MintRequest{Kind: "session", Subject: ada}); c["exp"] != at+300 || c["client_id"] != nil ||
		c["https://stytch.com/session"] == nil || !reflect.DeepEqual(c["aud"], []any{project}) {
		t.Errorf("session: %v", c)
	}
	if c := mint(stytchtest.MintRequest{Kind: "id", Subject: ada, ExpiresIn: 60}); c["exp"] != at+60 ||
		!reflect.DeepEqual(c["aud"], []any{gpt}) || c["scope"] != nil {
		t.Errorf("ID: %v", c)
	}
	if c := mint(stytchtest.MintRequest{Kind: "m2m", Subject: "m2m-client-test-1",
		Scopes: []string{"tasks:read"}}); c["sub"] != "m2m-client-test-1" || c["client_id"] != nil ||
		c["https://stytch.com/organization"] != nil {
		t.Errorf("M2M: %v", c)
	}
	if c := mint(stytchtest.MintRequest{Subject: ada, ExpiresIn: -30, Issuer: "x", Claims: map[string]any{"jti": nil,
		"aud": "one", "extra": 1}}); c["exp"] != at-30 || c["iat"].(float64) >= c["exp"].(float64) || c["iss"] != "x" ||
		c["aud"] != "one" || c["extra"] != 1.0 {
		t.Errorf("changed: %v", c)
	} else if _, present := c["jti"]; present {
		t.Error("jti is still there")
	}
	for name, m := range map[string]stytchtest.MintRequest{"kind": {Kind: "golden", Subject: ada},
		"subject": {Subject: "nobody"}, "claim": {Subject: ada, Claims: map[string]any{"x": func() {}}}} {
		if token, err := s.Mint(m); err == nil {
			t.Errorf("%s: minted %s", name, token)
		}
	}
	e := must[*stytchtest.Emulator](t)(stytchtest.New(stytchtest.Options{}))
	if _, err := e.Mint(stytchtest.MintRequest{Subject: ada}); err == nil {
		t.Error("a token without issuer was minted")
	}
}
