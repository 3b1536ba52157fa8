package cache

import (
	"strconv"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// of makes a cache for ten values, three of each part.
func of() *Cache[string, string, int] {
	return New[string, string, int](10, func(string) int { return 3 })
}

func TestWhoHasManyLosesTheirOwn(t *testing.T) {
	c := of()
	c.Put("kept", 7, now.Add(time.Minute), "b")
	for i := range 100 {
		c.Put(strconv.Itoa(i), i, now.Add(time.Minute), "a")
	}
	if value, found := c.Get("kept", now); !found || value != 7 || c.Len() != 4 || len(c.of) != 2 {
		t.Errorf("another's: %d %t, of %d in %d parts", value, found, c.Len(), len(c.of))
	}
	if value, found := c.Get("99", now); !found || value != 99 {
		t.Errorf("the latest of its own: %d %t", value, found)
	}
}

func TestTheWholeIsBounded(t *testing.T) {
	c := of()
	for i := range 100 {
		c.Put(strconv.Itoa(i), i, now.Add(time.Minute), strconv.Itoa(i), "part "+strconv.Itoa(i%50))
		if _, found := c.Get(strconv.Itoa(i), now); !found || c.Len() > 10 {
			t.Fatalf("the latest is found: %t, of %d", found, c.Len())
		}
	}
	if c.Len() != 10 {
		t.Errorf("%d are kept", c.Len())
	}
	for part, keys := range c.of {
		for key := range keys {
			if _, found := c.Get(key, now); !found {
				t.Errorf("%s has %s, which was dropped", part, key)
			}
		}
	}
	c.Put("nobody's", 1, now.Add(time.Minute))
	c.Put("nobody's", 2, now.Add(time.Minute)) // known already: nothing has to go
	if value, found := c.Get("nobody's", now); !found || value != 2 || c.Len() != 10 {
		t.Errorf("%d %t, of %d", value, found, c.Len())
	}
}

func TestAnEntryMayChangeItsParts(t *testing.T) {
	c := of()
	c.Put("x", 1, now.Add(time.Minute), "a")
	c.Put("x", 2, now.Add(time.Minute), "b")
	if value, _ := c.Get("x", now); value != 2 || len(c.of) != 1 || c.of["b"] == nil {
		t.Errorf("%d, of %v", value, c.of)
	}
}

func TestWhatIsOverIsNotFound(t *testing.T) {
	c := of()
	c.Put("x", 1, now.Add(time.Second), "a")
	if _, found := c.Get("x", now.Add(time.Second-1)); !found {
		t.Error("it is over too early")
	}
	if _, found := c.Get("x", now.Add(time.Second)); found {
		t.Error("it is found at its end")
	}
	if c.Drop("x"); c.Len() != 0 || len(c.of) != 0 {
		t.Errorf("%d are kept, in %d parts", c.Len(), len(c.of))
	}
	c.Put("x", 1, now.Add(time.Second), "a")
	if c.Clear(); c.Len() != 0 || len(c.of) != 0 {
		t.Errorf("%d are kept, in %d parts", c.Len(), len(c.of))
	}
}

func TestManyAtOnce(t *testing.T) {
	c := of()
	var all sync.WaitGroup
	for who := range 8 {
		all.Go(func() {
			for i := range 1000 {
				key := strconv.Itoa((who + i) % 20)
				c.Put(key, i, now.Add(time.Minute), strconv.Itoa(i%5))
				c.Get(key, now)
				c.Drop(strconv.Itoa(i % 7))
			}
		})
	}
	all.Wait()
	if c.Len() > 10 {
		t.Errorf("%d are kept", c.Len())
	}
}
