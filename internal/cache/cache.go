// Package cache remembers answers for a time, in memory of bounded size. It knows nothing of whose
// they are: package limits makes its caches of it, by which they are on the list of bounds; auth,
// which knows no limits, makes the one of verified tokens.
package cache

import (
	"sync"
	"time"
)

// A Cache remembers values by their keys. Each takes of parts, such as its person's, and of the
// whole: whose part is full loses one of their own. Safe for concurrent use.
type Cache[K, P comparable, V any] struct {
	whole int
	size  func(part P) int

	mu      sync.RWMutex // guards what follows
	entries map[K]entry[P, V]
	of      map[P]map[K]struct{} // keys of the entries that take of the part
}

type entry[P, V any] struct {
	value V
	until time.Time
	parts []P
}

// New makes a cache for as many values as whole says, and as many of each part as size says, which
// is one at least.
func New[K, P comparable, V any](whole int, size func(part P) int) *Cache[K, P, V] {
	return &Cache[K, P, V]{whole: whole, size: size, entries: map[K]entry[P, V]{}, of: map[P]map[K]struct{}{}}
}

// Get returns what was put under the key and is still good now.
func (c *Cache[K, P, V]) Get(key K, now time.Time) (value V, found bool) {
	c.mu.RLock()
	e, found := c.entries[key]
	c.mu.RUnlock()
	if !found || !now.Before(e.until) {
		return value, false
	}
	return e.value, true
}

// Put remembers a value until a time, as one of the parts. An entry for the key is replaced,
// whosesoever it was. Room is made by dropping what happens to come first in a map: cheap, and no
// worse than any other choice among values that all live about as long.
func (c *Cache[K, P, V]) Put(key K, value V, until time.Time, parts ...P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
	for _, p := range parts {
		own := c.of[p]
		if len(own) >= c.size(p) {
			c.dropOne(own)
			own = c.of[p] // none, if that was the last
		}
		if own == nil {
			own = map[K]struct{}{}
			c.of[p] = own
		}
		own[key] = struct{}{}
	}
	if len(c.entries) >= c.whole {
		for other := range c.entries {
			c.drop(other)
			break
		}
	}
	c.entries[key] = entry[P, V]{value, until, parts}
}

// Drop forgets the key.
func (c *Cache[K, P, V]) Drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
}

// DropOf forgets all that takes of the part.
func (c *Cache[K, P, V]) DropOf(part P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.of[part] {
		c.drop(key)
	}
}

// Clear forgets everything.
func (c *Cache[K, P, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
	clear(c.of)
}

// Len returns how many values are remembered, those among them that are over.
func (c *Cache[K, P, V]) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.entries)
}

// dropOne is for who holds mu.
func (c *Cache[K, P, V]) dropOne(keys map[K]struct{}) {
	for key := range keys {
		c.drop(key)
		return
	}
}

// drop is for who holds mu.
func (c *Cache[K, P, V]) drop(key K) {
	for _, p := range c.entries[key].parts {
		if delete(c.of[p], key); len(c.of[p]) == 0 {
			delete(c.of, p)
		}
	}
	delete(c.entries, key)
}
