package limits

import (
	"time"

	"guestpass/internal/cache"
)

// A Cache remembers answers for a time, no more of each party than its share. Whoever has
// used theirs up loses one of their own. Safe for concurrent use.
type Cache[V any] struct {
	bound   Bound
	entries *cache.Cache[string, slot, V]
}

// NewCache makes one. Its bound must have a number of all parties together.
func NewCache[V any](l *Limits, b Bound) *Cache[V] {
	l.Declare(b)
	if b.Number == 0 {
		panic("limits: the cache " + b.Name + " has no number")
	}
	return &Cache[V]{bound: b.ordered(), entries: cache.New[string, slot, V](b.Number, b.number)}
}

// Get returns what was put under the key and is still good now.
func (c *Cache[V]) Get(key string, now time.Time) (value V, found bool) {
	return c.entries.Get(key, now)
}

// Put remembers a value until a time, as a part of what the party may have. An entry for
// the key is replaced, whosesoever it was.
func (c *Cache[V]) Put(p Party, key string, value V, until time.Time) {
	c.entries.Put(key, value, until, c.bound.parts(p)...)
}

// Drop forgets the key.
func (c *Cache[V]) Drop(key string) { c.entries.Drop(key) }

// DropOf forgets what takes of the party's shares: of each of them that the party names.
func (c *Cache[V]) DropOf(p Party) {
	for _, part := range c.bound.parts(p) {
		c.entries.DropOf(part)
	}
}
