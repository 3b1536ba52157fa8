package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	maxCached = 10_000
	cacheFor  = 5 * time.Minute
)

// tokenCache remembers verified tokens by the hash of all their bytes, never by a
// claim: two tokens may share a jti. Whether a scope suffices is not remembered.
type tokenCache struct {
	mu      sync.RWMutex // guards entries
	entries map[[sha256.Size]byte]*cacheEntry
}

type cacheEntry struct {
	identity   Identity
	until      time.Time // the earlier of exp + skew and insertion + cacheFor
	generation uint64    // of the key set that verified it
}

func (c *tokenCache) get(key [sha256.Size]byte, now time.Time, generation uint64) (Identity, bool) {
	c.mu.RLock()
	entry := c.entries[key]
	c.mu.RUnlock()
	if entry == nil || entry.generation != generation || !now.Before(entry.until) {
		return Identity{}, false
	}
	return entry.identity, true
}

// put makes room by dropping what happens to come first in the map: cheap, and no
// worse than any other choice for tokens that all live about as long.
func (c *tokenCache) put(key [sha256.Size]byte, identity Identity, now time.Time, generation uint64) {
	until := now.Add(cacheFor)
	if end := identity.ExpiresAt.Add(skew); end.Before(until) {
		until = end
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.entries[key]; !known && len(c.entries) >= maxCached {
		for old := range c.entries {
			delete(c.entries, old)
			break
		}
	}
	c.entries[key] = &cacheEntry{identity, until, generation}
}
