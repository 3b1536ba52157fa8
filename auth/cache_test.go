package auth

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"time"
)

func TestATokenIsRememberedForFiveMinutesAtMost(t *testing.T) {
	f := newFixture(t)
	token := f.token(nil)
	f.accepts(t, token)
	f.clock.Add(5*time.Minute - 1)
	if !f.Remembers(token) {
		t.Error("forgotten too early")
	}
	f.accepts(t, token) // a hit does not prolong it
	f.clock.Add(1)
	if f.Remembers(token) {
		t.Error("remembered for five minutes")
	}
	f.accepts(t, token)
	if !f.Remembers(token) {
		t.Error("not remembered again")
	}
}

func TestATokenIsNeverRememberedBeyondItsEnd(t *testing.T) {
	f := newFixture(t)
	token := f.token(object{"exp": testEpoch.Unix() + 60})
	f.accepts(t, token)
	f.clock.Add(90*time.Second - 1)
	if !f.Remembers(token) {
		t.Error("forgotten too early")
	}
	f.clock.Add(1)
	if f.Remembers(token) {
		t.Error("remembered at exp + 30 s")
	}
	f.refuses(t, token, "expired")
}

func TestARefusedTokenIsNotRemembered(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	before := f.cache.tokens.Len()
	f.refuses(t, f.token(object{"iss": "other"}), "iss")
	f.refuses(t, f.by(testKid, keyTwo(), nil), "signature")
	if f.cache.tokens.Len() != before {
		t.Errorf("%d entries, want %d", f.cache.tokens.Len(), before)
	}
}

func TestTwoTokensWithOneJTIAreTwoEntries(t *testing.T) {
	f := newFixture(t)
	other := object{"sub": "member-test-other", organizationClaim: object{"organization_id": "organization-test-other"}}
	first, second := f.token(nil), f.token(other)
	for range 2 {
		if got := f.accepts(t, first).Subject; got != testMember {
			t.Errorf("first token is of %q", got)
		}
		if got := f.accepts(t, second); got.Subject != "member-test-other" || got.Owner() != "organization-test-other" {
			t.Errorf("second token is of %+v", got)
		}
	}
	if f.cache.tokens.Len() != 2 {
		t.Errorf("%d entries, want 2", f.cache.tokens.Len())
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	f := newFixture(t)
	token := f.token(nil)
	identity := f.accepts(t, token)
	now := f.clock.Now()
	var last [sha256.Size]byte
	for i := range maxCached + 500 {
		last = sha256.Sum256([]byte(strconv.Itoa(i)))
		identity.Subject = "member-test-" + strconv.Itoa(i/20)
		f.cache.put(last, identity, now, 1)
		if f.cache.tokens.Len() > 10_000 {
			t.Fatalf("%d entries", f.cache.tokens.Len())
		}
	}
	if f.cache.tokens.Len() != 10_000 {
		t.Errorf("%d entries, want 10,000", f.cache.tokens.Len())
	}
	f.cache.put(last, identity, now, 1) // known already: nothing has to go
	if _, ok := f.cache.get(last, now, 1); !ok || f.cache.tokens.Len() != 10_000 {
		t.Errorf("the newest entry is there: %t, of %d", ok, f.cache.tokens.Len())
	}
	f.accepts(t, token) // dropped or not
}

// Who has thousands of tokens has nobody else's forgotten, which are admitted from an address
// that is used up as long as they are remembered.
func TestOnePersonsTokensForgetNobodyElses(t *testing.T) {
	f := newFixture(t)
	token := f.token(nil)
	identity := f.accepts(t, token)
	identity.Subject = "member-test-other"
	for i := range 2 * maxCached {
		f.cache.put(sha256.Sum256([]byte(strconv.Itoa(i))), identity, f.clock.Now(), f.keys.current().generation)
	}
	if !f.Remembers(token) || f.cache.tokens.Len() != 1+maxOfPerson {
		t.Errorf("the other's is remembered: %t, of %d", f.Remembers(token), f.cache.tokens.Len())
	}
}

// The decision on a scope is made on every call, from what the token says.
func TestACachedTokenStillNeedsTheScope(t *testing.T) {
	f := newFixture(t)
	token := f.token(object{"scope": "tasks:read"})
	for range 2 {
		identity := f.accepts(t, token)
		if Scope("tasks:read").CheckScope(identity) != nil || Scope("tasks:write").CheckScope(identity) == nil {
			t.Error("scopes differ on a hit")
		}
		identity.Scopes.List()[0] = "tasks:write"
	}
}

func TestNothingElseIsRemembered(t *testing.T) {
	f := newFixture(t)
	token := f.token(nil)
	if f.Remembers(token) {
		t.Error("remembered before any key was loaded")
	}
	f.accepts(t, token)
	for _, other := range []string{"", token + ".", token + "=", token[:len(token)-1],
		f.token(object{"jti": "another"})} {
		if f.Remembers(other) {
			t.Errorf("%q is remembered", other)
		}
	}
}
