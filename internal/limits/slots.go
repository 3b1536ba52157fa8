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

// Enter waits shortly until another operation may be carried out, and returns
// [ErrBusy] if none may. After nil, call [Limits.Leave]. Hold no place while waiting
// for a client: a few slow ones would keep everybody out.
func (l *Limits) Enter(ctx context.Context) error {
	if l == nil {
		return nil
	}
	return l.slots.enter(ctx)
}

// Leave makes room for another operation.
func (l *Limits) Leave() {
	if l != nil {
		l.slots.leave()
	}
}

type slots struct {
	taken   chan struct{}
	waiting atomic.Int64
	stuck   atomic.Bool // somebody waited in vain, and none has left since: waiting does not help
}

func newSlots(number int) *slots { return &slots{taken: make(chan struct{}, max(1, number))} }

func (s *slots) enter(ctx context.Context) error {
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > int64(cap(s.taken)) || s.stuck.Load() {
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

func (s *slots) leave() {
	<-s.taken
	s.stuck.Store(false)
}
