package api

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"guestpass/store"
)

// outageEvery is how often the log says that one kind of trouble with the store goes on.
const outageEvery = time.Minute

// outages are what the log says of the store while calls fail by it: of each kind of trouble the first line, and one
// each minute with how many there were since. The line of each request has its status in any case, and the debug log
// all of them.
type outages struct {
	mu sync.Mutex // guards of
	of map[error]*outage
}

type outage struct {
	told  time.Time
	since int // calls since, of which the log has no line
}

// kinds are what people mend in ways of their own, the most particular first.
var kinds = []error{store.ErrFull, store.ErrReadOnly, store.ErrLocked, store.ErrTables, store.ErrUnavailable}

func (o *outages) tell(ctx context.Context, log *slog.Logger, now time.Time, err error) {
	since, due := o.note(err, now)
	if !due {
		log.DebugContext(ctx, "store unavailable", "error", err)
		return
	}
	log.ErrorContext(ctx, "store unavailable", "error", err, "more_since_last_line", since)
}

// note counts the call, and reports whether it gets a line, and how many had none before.
func (o *outages) note(err error, now time.Time) (since int, due bool) {
	var kind error
	for _, known := range kinds {
		if errors.Is(err, known) {
			kind = known
			break
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil {
		o.of = map[error]*outage{}
	}
	this := o.of[kind]
	if this == nil {
		this = new(outage)
		o.of[kind] = this
	}
	if now.Sub(this.told).Abs() < outageEvery {
		this.since++
		return 0, false
	}
	since = this.since
	*this = outage{told: now}
	return since, true
}
