package limits

import (
	"sync"
	"time"
)

// A Cache remembers answers for a time, no more of each party than its share. Whoever has
// used theirs up loses one of their own. Safe for concurrent use.
type Cache[V any] struct {
	bound Bound

	mu      sync.Mutex // guards what follows
	entries map[string]cached[V]
	of      map[slot]map[string]bool // keys of the entries that take of the slot
}

type cached[V any] struct {
	value V
	until time.Time
	slots []slot
}

// NewCache makes one.
func NewCache[V any](l *Limits, b Bound) *Cache[V] {
	l.Declare(b)
	return &Cache[V]{bound: b, entries: map[string]cached[V]{}, of: map[slot]map[string]bool{}}
}

// Get is what was put under the key and is still good now.
func (c *Cache[V]) Get(key string, now time.Time) (value V, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, found := c.entries[key]
	if !found || !now.Before(entry.until) {
		return value, false
	}
	return entry.value, true
}

// Put remembers a value until a time, as a part of what the party may have. An entry for
// the key is replaced, whosesoever it was.
func (c *Cache[V]) Put(p Party, key string, value V, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
	slots := c.bound.slots(p)
	for _, s := range slots {
		for other := range c.of[s] { // an arbitrary one; none as long as there is room
			if len(c.of[s]) < c.bound.number(s) {
				break
			}
			c.drop(other)
		}
		if c.of[s] == nil {
			c.of[s] = map[string]bool{}
		}
		c.of[s][key] = true
	}
	c.entries[key] = cached[V]{value, until, slots}
}

// Drop forgets the key.
func (c *Cache[V]) Drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
}

// drop is for who holds mu.
func (c *Cache[V]) drop(key string) {
	for _, s := range c.entries[key].slots {
		if delete(c.of[s], key); len(c.of[s]) == 0 {
			delete(c.of, s)
		}
	}
	delete(c.entries, key)
}
