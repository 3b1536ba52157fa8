package store

import (
	"context"
	"sync"
	"time"
)

// maxHeads is how many owners' records a Store remembers the end of.
const maxHeads = 10_000

// heads remember how long each owner's record was when this Store last added to it. A record that is shorter later was
// put back to older data.
type heads struct {
	mu   sync.Mutex // guards what follows
	seq  map[string]int64
	told time.Time
}

// remember notes what is kept now.
func (h *heads) remember(recorded map[string]int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for owner, seq := range recorded {
		if _, known := h.seq[owner]; h.seq == nil || !known && len(h.seq) >= maxHeads {
			h.seq = map[string]int64{} // all are learnt again
		}
		h.seq[owner] = seq
	}
}

// shorter reports whether the owner's record goes on where it was before, and since when it has not been said.
func (h *heads) shorter(owner string, seq int64, now time.Time) (was int64, tell bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was = h.seq[owner]
	if was < seq {
		return was, false
	}
	delete(h.seq, owner)
	tell = now.Sub(h.told).Abs() >= time.Minute
	if tell {
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
