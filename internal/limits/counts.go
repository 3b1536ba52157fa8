package limits

import (
	"hash/maphash"
	"sync"
	"time"
)

// maxKeys bounds the memory of one limit to a few megabytes.
const maxKeys = 100_000

// counts is an httprate.LimitCounter in memory, as httprate's own is, but of bounded
// size: whoever has many addresses could fill that one. When it is full, a new key
// takes the place of an arbitrary other, which rarely hits the few that count much.
type counts struct {
	max  int
	seed maphash.Seed // else keys that collide could be made up

	mu                sync.Mutex // guards the rest
	latest            time.Time  // start of the window that current counts
	current, previous map[uint64]int
}

func newCounts(most int) *counts {
	return &counts{max: most, seed: maphash.MakeSeed(), current: map[uint64]int{}, previous: map[uint64]int{}}
}

func (c *counts) Config(int, time.Duration) {}

func (c *counts) Increment(key string, start time.Time) error { return c.IncrementBy(key, start, 1) }

func (c *counts) IncrementBy(key string, start time.Time, amount int) error {
	hash := maphash.String(c.seed, key)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(start)
	if _, known := c.current[hash]; !known && len(c.current) >= c.max {
		for other := range c.current {
			delete(c.current, other)
			break
		}
	}
	c.current[hash] += amount
	return nil
}

func (c *counts) Get(key string, start, _ time.Time) (current, previous int, err error) {
	hash := maphash.String(c.seed, key)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(start)
	return c.current[hash], c.previous[hash], nil
}

// advance forgets what is over. A start in the past, by a clock that was set back or
// a caller that was overtaken, counts in the window there is.
func (c *counts) advance(start time.Time) {
	if !start.After(c.latest) && c.latest.Sub(start) <= window {
		return
	}
	follows := start.Equal(c.latest.Add(window))
	c.current, c.previous = c.previous, c.current
	clear(c.current)
	if !follows {
		clear(c.previous)
	}
	c.latest = start
}
