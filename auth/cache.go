package auth

import (
	"crypto/sha256"
	"sync"
	"time"
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
	mu      sync.RWMutex // guards what follows
	entries map[[sha256.Size]byte]*cacheEntry
	of      map[string]map[[sha256.Size]byte]struct{} // keys of the entries, by subject
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
	if _, known := c.entries[key]; !known {
		c.makeRoom(identity.Subject)
	}
	if c.of[identity.Subject] == nil {
		c.of[identity.Subject] = map[[sha256.Size]byte]struct{}{}
	}
	c.of[identity.Subject][key] = struct{}{}
	c.entries[key] = &cacheEntry{identity, until, generation}
}

// makeRoom is for who holds mu.
func (c *tokenCache) makeRoom(subject string) {
	if own := c.of[subject]; len(own) >= maxOfPerson {
		for old := range own {
			c.drop(old)
			return
		}
	}
	if len(c.entries) >= maxCached {
		for old := range c.entries {
			c.drop(old)
			return
		}
	}
}

// drop is for who holds mu.
func (c *tokenCache) drop(key [sha256.Size]byte) {
	subject := c.entries[key].identity.Subject
	if delete(c.of[subject], key); len(c.of[subject]) == 0 {
		delete(c.of, subject)
	}
	delete(c.entries, key)
}
