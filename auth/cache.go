package auth

import (
	"crypto/sha256"
	"time"

	"guestpass/internal/cache"
)

const (
	maxCached   = 10_000
	maxOfPerson = 50 // of these, through all apps
	cacheFor    = 5 * time.Minute
)

// tokenCache remembers verified tokens by the hash of all their bytes, never by a
// claim: two tokens may share a jti. Whether a scope suffices is not remembered.
//
// Who has many tokens pushes out their own: to be remembered is what lets people call on
// from an address that others have used up.
type tokenCache struct {
	tokens *cache.Cache[[sha256.Size]byte, string, verified] // parts are subjects
}

type verified struct {
	identity   Identity
	generation uint64 // of the key set that verified it
}

func newTokenCache() tokenCache {
	ofPerson := func(string) int { return maxOfPerson }
	return tokenCache{cache.New[[sha256.Size]byte, string, verified](maxCached, ofPerson)}
}

func (c tokenCache) get(key [sha256.Size]byte, now time.Time, generation uint64) (Identity, bool) {
	token, found := c.tokens.Get(key, now)
	if !found || token.generation != generation {
		return Identity{}, false
	}
	return token.identity, true
}

// put remembers until the earlier of exp + skew and now + cacheFor.
func (c tokenCache) put(key [sha256.Size]byte, identity Identity, now time.Time, generation uint64) {
	until := now.Add(cacheFor)
	if end := identity.ExpiresAt.Add(Skew); end.Before(until) {
		until = end
	}
	c.tokens.Put(key, verified{identity, generation}, until, identity.Subject)
}
