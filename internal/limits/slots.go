package limits

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// queueTimeout is how long an operation may wait for others to end.
const queueTimeout = 250 * time.Millisecond

// ErrBusy says that as many operations are being carried out as may be.
var ErrBusy = errors.New("too many operations at once")

// InFlight is how many operations may be carried out at once.
func (l *Limits) InFlight() int {
	if l == nil {
		return DefaultInFlight
	}
	return cap(l.slots.taken)
}

// Enter waits shortly until another operation may be carried out, and returns
// [ErrBusy] if none may. After nil, call [Limits.Leave]. Hold no place while waiting
// for a client: a few slow ones would keep everybody out.
func (l *Limits) Enter(ctx context.Context) error {
	if l == nil {
		return nil
	}
	return l.slots.Enter(ctx)
}

// Leave makes room for another operation.
func (l *Limits) Leave() {
	if l != nil {
		l.slots.Leave()
	}
}

// Slots are places of which each can be taken by one at a time. Safe for concurrent use.
type Slots struct {
	taken   chan struct{}
	queue   int64
	waiting atomic.Int64
	stuck   atomic.Bool // somebody waited in vain, and none has left since: waiting does not help
}

// NewSlots makes a number of places, at least one, and of others who may wait for them.
func NewSlots(number, queue int) *Slots {
	return &Slots{taken: make(chan struct{}, max(1, number)), queue: int64(queue)}
}

// Enter takes a place within a quarter of a second, or returns [ErrBusy].
func (s *Slots) Enter(ctx context.Context) error {
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.queue || s.stuck.Load() {
		return ErrBusy
	}
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case s.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	case <-timer.C:
		s.stuck.Store(true)
		return ErrBusy
	}
}

// Leave gives the place back.
func (s *Slots) Leave() {
	<-s.taken
	s.stuck.Store(false)
}
