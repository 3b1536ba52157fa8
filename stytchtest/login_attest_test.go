package stytchtest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/sessions"
	consumersessions "github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"

	"guestpass/stytchtest"
)

const (
	profile  = "trusted-token-profile-test-1"
	issuer   = "https://app.acme.example"
	audience = "stytch"
)

// signer is the application whose tokens count.
func signer(t *testing.T) *ecdsa.PrivateKey {
	return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

func publicPEM(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	der := must[[]byte](t)(x509.MarshalPKIXPublicKey(key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func profileOf(keys ...string) stytchtest.TokenProfile {
	return stytchtest.TokenProfile{ID: profile, Issuer: issuer, Audience: audience, PublicKeys: keys,
		Attributes: map[string]string{"email": "email", "token_id": "jti", "organization_id": "org"}}
}

// trusted is a token of the application, good for five minutes and for Ada.
func trusted(t *testing.T, key any, algorithm jwa.SignatureAlgorithm, change func(object)) string {
	t.Helper()
	claims := object{"iss": issuer, "aud": audience, "exp": noon.Add(5 * time.Minute).Unix(), "jti": rand.Text(),
		"email": "ada@acme.example", "org": acme}
	if change != nil {
		change(claims)
	}
	payload := must[[]byte](t)(json.Marshal(claims))
	return string(must[[]byte](t)(jws.Sign(payload, jws.WithKey(algorithm, key))))
}

func TestATrustedTokenMakesASession(t *testing.T) {
	s, key := open(t), signer(t)
	old := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	if err := s.SetTokenProfiles(profileOf(publicPEM(t, &old.PublicKey), publicPEM(t, &key.PublicKey))); err != nil {
		t.Fatal(err)
	}
	for algorithm, key := range map[jwa.SignatureAlgorithm]any{jwa.ES256: key, jwa.RS256: old} {
		got := must[*sessions.AttestResponse](t)(lazyClient(t, s).Sessions.Attest(t.Context(),
			&sessions.AttestParams{ProfileID: profile, Token: trusted(t, key, algorithm, nil)}))
		if got.MemberID != ada || got.SessionToken == "" || got.SessionJWT == "" ||
			got.MemberSession.AuthenticationFactors[0].Type != "trusted_auth_token" ||
			got.MemberSession.AuthenticationFactors[0].DeliveryMethod != "trusted_token_exchange" {
			t.Errorf("%s: %+v", algorithm, got)
		}
	}

	status, reply := sdk(t, s, "", "/b2b/sessions/attest", object{"profile_id": profile,
		"token": trusted(t, key, jwa.ES256, func(claims object) { delete(claims, "org") }), "organization_id": acme,
		"session_duration_minutes": 60})
	if token, _ := reply["session_token"].(string); status != 200 || token == "" || reply["member_id"] != ada {
		t.Errorf("%d %v", status, reply)
	}
}

func TestATrustedTokenMakesAUser(t *testing.T) {
	s, key := openConsumer(t), signer(t)
	p := profileOf(publicPEM(t, &key.PublicKey))
	ask := func(email string) (*consumersessions.AttestResponse, error) {
		token := trusted(t, key, jwa.ES256, func(claims object) { claims["email"] = email })
		return lazyConsumerClient(t, s).Sessions.Attest(t.Context(),
			&consumersessions.AttestParams{ProfileID: profile, Token: token, SessionDurationMinutes: 30})
	}
	if err := s.SetTokenProfiles(p); err != nil {
		t.Fatal(err)
	}
	if got, err := ask("ada@example.com"); err != nil || got.UserID != userAda || got.SessionToken == "" {
		t.Errorf("%+v %v", got, err)
	}
	_, err := ask("mary@example.com")
	refused(t, err, 404, "user_not_found")
	p.CanJITProvision = true
	if err := s.SetTokenProfiles(p); err != nil {
		t.Fatal(err)
	}
	if got, err := ask("mary@example.com"); err != nil || got.User.Status != "active" {
		t.Errorf("%+v %v", got, err)
	}
	status, reply := sdk(t, s, "", "/sessions/attest", object{"profile_id": profile, "session_duration_minutes": 60,
		"token": trusted(t, key, jwa.ES256, func(claims object) { claims["email"] = "ada@example.com" })})
	if status != 200 || reply["__user"] == nil {
		t.Errorf("%d %v", status, reply)
	}
}

// Every one of these would sign somebody in who is not Ada, or once more, or for another.
func TestTrustedTokensThatAreNotGood(t *testing.T) {
	s, key, other := open(t), signer(t), signer(t)
	if err := s.SetTokenProfiles(profileOf(publicPEM(t, &key.PublicKey))); err != nil {
		t.Fatal(err)
	}
	spent := trusted(t, key, jwa.ES256, nil)
	attest := func(token, profileID, organizationID string) error {
		_, err := lazyClient(t, s).Sessions.Attest(t.Context(),
			&sessions.AttestParams{ProfileID: profileID, Token: token, OrganizationID: organizationID})
		return err
	}
	if err := attest(spent, profile, ""); err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) string {
		return trusted(t, key, jwa.ES256, func(claims object) {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		})
	}
	good := trusted(t, key, jwa.ES256, nil)
	none := strings.Join(append([]string{"eyJhbGciOiJub25lIn0"}, strings.Split(good, ".")[1:]...), ".")
	for name, tt := range map[string]struct {
		token, organization string
		status              int
		want                string
	}{
		"a second time":       {token: spent},
		"another key":         {token: trusted(t, other, jwa.ES256, nil)},
		"without a signature": {token: strings.Join(strings.Split(good, ".")[:2], ".") + "."},
		"alg none":            {token: none},
		"no JWT":              {token: "token"},
		"empty":               {token: ""},
		"the public key as a secret": {token: trusted(t, []byte(publicPEM(t, &key.PublicKey)), jwa.HS256,
			nil)},
		"another issuer":        {token: with("iss", issuer+"/")},
		"without an issuer":     {token: with("iss", nil)},
		"another audience":      {token: with("aud", "others")},
		"without an audience":   {token: with("aud", nil)},
		"of no end":             {token: with("exp", nil)},
		"ended now":             {token: with("exp", noon.Unix())},
		"an end as text":        {token: with("exp", "9999999999")},
		"not yet good":          {token: with("nbf", noon.Add(time.Second).Unix())},
		"without a token id":    {token: with("jti", nil)},
		"without an address":    {token: with("email", nil)},
		"an address of no kind": {token: with("email", "ada")},
		"nobody":                {token: with("email", "mary@acme.example"), status: 404, want: "member_not_found"},
		"another organization":  {token: good, organization: globex},
		"no organization": {token: with("org", nil), status: 400,
			want: "token_missing_organization_id_claim"},
		"an unknown organization": {token: with("org", "organization-test-x"), status: 404,
			want: "organization_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.want == "" {
				tt.status, tt.want = 400, "invalid_trusted_auth_token"
			}
			refused(t, attest(tt.token, profile, tt.organization), tt.status, tt.want)
		})
	}
	refused(t, attest(good, profile+"2", ""), 404, "trusted_token_profile_not_found")
	if err := attest(good, profile, ""); err != nil { // what was refused is not spent
		t.Error(err)
	}
}

// A token is spent also for another emulator that goes on with the state of this one.
func TestASpentTokenIsExported(t *testing.T) {
	s, key := open(t), signer(t)
	if err := s.SetTokenProfiles(profileOf(publicPEM(t, &key.PublicKey))); err != nil {
		t.Fatal(err)
	}
	token := trusted(t, key, jwa.ES256, nil)
	attest := func() error {
		_, err := lazyClient(t, s).Sessions.Attest(t.Context(),
			&sessions.AttestParams{ProfileID: profile, Token: token})
		return err
	}
	if err := attest(); err != nil {
		t.Fatal(err)
	}
	if err := s.Import(s.Export()); err != nil {
		t.Fatal(err)
	}
	refused(t, attest(), 400, "invalid_trusted_auth_token")
}

func TestATrustedTokenIsSignedWithAKeyOfASet(t *testing.T) {
	s, host, key := openLoopback(t), hostDocument(t), signer(t)
	p := profileOf()
	p.JWKSURL = host.URL
	if err := s.SetTokenProfiles(p); err != nil {
		t.Fatal(err)
	}
	attest := func(key *ecdsa.PrivateKey) error {
		private := must[jwk.Key](t)(jwk.FromRaw(key))
		_ = private.Set(jwk.KeyIDKey, "one")
		_, err := lazyClient(t, s).Sessions.Attest(t.Context(), &sessions.AttestParams{ProfileID: profile,
			Token: trusted(t, private, jwa.ES256, nil)})
		return err
	}
	public := must[jwk.Key](t)(jwk.FromRaw(&key.PublicKey))
	_ = public.Set(jwk.KeyIDKey, "one")
	host.text("application/jwk-set+json", string(must[[]byte](t)(json.Marshal(map[string]any{
		"keys": []any{map[string]string{"kty": "oct", "k": "c2VjcmV0"}, public}}))))
	if err := attest(key); err != nil {
		t.Error(err)
	}
	refused(t, attest(signer(t)), 400, "invalid_trusted_auth_token")
	for name, set := range map[string]string{"no JSON": "keys", "no keys": `{"keys":[]}`,
		"keys of other kinds": `{"keys":[{"kty":"oct","k":"c2VjcmV0"},{"kty":"RSA","n":"AQAB","e":"AQAB"},
			{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`} {
		host.text("application/json", set)
		if err := attest(key); err == nil {
			t.Errorf("%s: a session", name)
		}
	}
}

func TestTokenProfilesAreChecked(t *testing.T) {
	key := publicPEM(t, &signer(t).PublicKey)
	weak := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024))
	for name, change := range map[string]func(*stytchtest.TokenProfile){
		"live":          func(p *stytchtest.TokenProfile) { p.ID = "trusted-token-profile-live-1" },
		"no issuer":     func(p *stytchtest.TokenProfile) { p.Issuer = "" },
		"no keys":       func(p *stytchtest.TokenProfile) { p.PublicKeys = nil },
		"two ways":      func(p *stytchtest.TokenProfile) { p.JWKSURL = "https://app.acme.example/jwks.json" },
		"six keys":      func(p *stytchtest.TokenProfile) { p.PublicKeys = []string{key, key, key, key, key, key} },
		"no PEM":        func(p *stytchtest.TokenProfile) { p.PublicKeys = []string{"key"} },
		"a short key":   func(p *stytchtest.TokenProfile) { p.PublicKeys = []string{publicPEM(t, &weak.PublicKey)} },
		"no address":    func(p *stytchtest.TokenProfile) { delete(p.Attributes, "email") },
		"no token id":   func(p *stytchtest.TokenProfile) { delete(p.Attributes, "token_id") },
		"another claim": func(p *stytchtest.TokenProfile) { p.Attributes["role_ids"] = "roles" },
	} {
		t.Run(name, func(t *testing.T) {
			p := profileOf(key)
			p.Attributes = maps.Clone(p.Attributes)
			change(&p)
			seed := stytchtest.Development()
			seed.TokenProfiles = []stytchtest.TokenProfile{p}
			if _, err := stytchtest.New(stytchtest.Options{Seed: &seed}); err == nil {
				t.Error("the seed is taken")
			}
			if err := open(t).SetTokenProfiles(p); err == nil {
				t.Error("it is taken")
			}
		})
	}
}
