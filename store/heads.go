package store

import (
	"context"
	"sync"
	"time"

	"guestpass/internal/cache"
)

// How many owners' records a Store remembers the end of, and for how long after it last added to one.
const (
	maxHeads   = 10_000
	headsCount = 30 * 24 * time.Hour
)

// heads remember how long each owner's record was when this Store last added to it. A record that is shorter later was
// put back to older data.
type heads struct {
	seq *cache.Cache[string, string, int64]

	mu   sync.Mutex // guards told
	told time.Time
}

func newHeads() *heads {
	return &heads{seq: cache.New[string, string, int64](maxHeads, func(string) int { return maxHeads })}
}

// remember notes what is kept now.
func (h *heads) remember(recorded map[string]int64, now time.Time) {
	for owner, seq := range recorded {
		h.seq.Put(owner, seq, now.Add(headsCount))
	}
}

// shorter reports whether the owner's record goes on where it was before, and nobody was told for a minute.
func (h *heads) shorter(owner string, seq int64, now time.Time) (was int64, tell bool) {
	was, known := h.seq.Get(owner, now)
	if !known || was < seq {
		return was, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if tell = now.Sub(h.told).Abs() >= time.Minute; tell {
		h.told = now
	}
	return was, tell
}

// noteRecorded is called with the owner's record locked, after which nobody else adds to it: whatever this Store has
// added before has a lower number, unless the database has older data now.
func (tx *Tx) noteRecorded(owner string, seq int64) {
	if was, tell := tx.store.heads.shorter(owner, seq, tx.now); tell {
		tx.store.log.ErrorContext(context.WithoutCancel(tx.ctx), "the database has older data than this instance has "+
			"written: it was put back to a copy, or another server has taken its place that lacked the last changes; "+
			"see docs/operating.md about restoring", "owner", owner, "record_was", was, "record_goes_on_at", seq)
	}
	if tx.recorded == nil {
		tx.recorded = map[string]int64{}
	}
	tx.recorded[owner] = seq
}
