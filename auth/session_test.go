package auth

import "testing"

// Whose session it is says the signature, of a session's JWT and of no other token.
func TestSessionOwner(t *testing.T) {
	f := newFixture(t)
	session := object{"https://stytch.com/session": object{"id": "member-session-test-1"}, "client_id": absent,
		"scope": absent}
	good := sign(f.header().json(), f.claims().with(session).json(), keyOne())
	if _, _, ok := f.SessionOwner(good); ok {
		t.Error("before there are keys")
	}
	f.accepts(t, f.token(nil)) // loads the keys
	subject, organization, ok := f.SessionOwner(good)
	if !ok || subject != f.claims()["sub"] || organization == "" {
		t.Errorf("%q %q %v", subject, organization, ok)
	}
	fetches := f.jwks.Hits()
	for name, token := range map[string]string{
		"an access token": f.token(nil),
		"another key":     sign(f.header().json(), f.claims().with(session).json(), keyTwo()),
		"an unknown key id": sign(f.header().with(object{"kid": "new"}).json(), f.claims().with(session).json(),
			keyOne()),
		"no signature": sign(f.header().with(object{"alg": "none"}).json(), f.claims().with(session).json(),
			keyOne()),
		"another project": sign(f.header().json(),
			f.claims().with(session).with(object{"aud": "project-test-other"}).json(), keyOne()),
		"no person": sign(f.header().json(),
			f.claims().with(session).with(object{"sub": "connected-app-test-1"}).json(), keyOne()),
		"no organization": sign(f.header().json(),
			f.claims().with(session).with(object{organizationClaim: absent}).json(), keyOne()),
		"an altered one":        good[:len(good)-8] + "AAAAAAAA",
		"something else":        "a.b.c",
		"nothing":               "",
		"longer than may be":    good + good + good + good + good + good + good + good + good + good,
		"with a blank after it": good + " ",
	} {
		if subject, _, ok := f.SessionOwner(token); ok {
			t.Errorf("%s: is of %s", name, subject)
		}
	}
	f.wantFetches(t, fetches)
}
