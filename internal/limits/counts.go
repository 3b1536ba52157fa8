package limits

import (
	"hash/maphash"
	"time"
)

// maxKeys bounds the memory of one limit to a few megabytes.
const maxKeys = 100_000

// counts are the requests of this minute and of the last one, for each key, in memory of
// bounded size: whoever has many addresses could fill it. When it is full, a new key
// takes the place of an arbitrary other, which rarely hits the few that count much.
// Not safe for concurrent use.
type counts struct {
	max               int
	seed              maphash.Seed // else keys that collide could be made up
	latest            time.Time    // start of the minute that current counts
	current, previous map[uint64]int
}

func newCounts(most int) *counts {
	return &counts{max: most, seed: maphash.MakeSeed(), current: map[uint64]int{}, previous: map[uint64]int{}}
}

func (c *counts) get(key string, start time.Time) (current, previous int) {
	c.advance(start)
	hash := maphash.String(c.seed, key)
	return c.current[hash], c.previous[hash]
}

func (c *counts) add(key string, start time.Time) {
	c.advance(start)
	hash := maphash.String(c.seed, key)
	if _, known := c.current[hash]; !known && len(c.current) >= c.max {
		for other := range c.current {
			delete(c.current, other)
			break
		}
	}
	c.current[hash]++
}

// takeBack forgets one request that was added in the minute that began at start.
func (c *counts) takeBack(key string, start time.Time) {
	hash, minute := maphash.String(c.seed, key), c.current
	if start.Before(c.latest) && c.previous[hash] > 0 {
		minute = c.previous
	}
	if minute[hash]--; minute[hash] <= 0 {
		delete(minute, hash)
	}
}

// advance forgets what is over. A start in the past, by a clock that was set back or
// a caller that was overtaken, counts in the minute there is.
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
