package limits

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// queueTimeout is how long somebody may wait for a place.
const queueTimeout = 250 * time.Millisecond

// ErrBusy says that as much is being carried out as may be.
var ErrBusy = errors.New("too many at once")

// Places are what can be done at once. A party holds no more than its share, and waits in
// its share of the queue. Safe for concurrent use.
type Places struct {
	bound Bound

	mu      sync.Mutex // guards what follows
	entered bool       // somebody ever took one, or was refused
	taken   int        // places, of all parties
	refused map[Kind]uint64
	held    map[slot]int // places taken, of each slot
	queued  map[slot]int
	waiting list.List     // of *waiter, the first comes in first
	stuck   map[slot]bool // somebody waited for the slot in vain, and none has left it since: waiting does not help
}

type waiter struct {
	slots []slot
	entry chan struct{} // closed when the place is theirs
}

// Places makes them. Hold none while waiting for a client: a few slow ones would keep
// everybody out.
func (l *Limits) Places(b Bound) *Places {
	l.Declare(b)
	p := &Places{bound: b.ordered(), held: map[slot]int{}, queued: map[slot]int{}, stuck: map[slot]bool{},
		refused: b.none()}
	l.keep(func(u *used) { u.places = append(u.places, p) })
	return p
}

// Enter takes a place for the context's party within a quarter of a second, or returns
// [ErrBusy]. After nil, call leave once.
func (p *Places) Enter(ctx context.Context) (leave func(), err error) {
	slots := p.bound.slots(PartyOf(ctx))
	w, err := p.enter(slots)
	if err != nil {
		return nil, err
	}
	leave = sync.OnceFunc(func() { p.leave(slots) })
	if w == nil {
		return leave, nil
	}
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case <-w.Value.(*waiter).entry:
		return leave, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if p.giveUp(w, ctx.Err() == nil) {
		return leave, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return nil, ErrBusy
}

// enter takes a place, or one in the queue, which it returns.
func (p *Places) enter(slots []slot) (*list.Element, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entered = true
	full := p.full(slots)
	if full == nil {
		p.taken++
		p.count(p.held, slots, 1)
		return nil, nil
	}
	if p.stuck[*full] {
		p.refused[full.kind]++
		return nil, ErrBusy
	}
	for _, s := range slots {
		if p.queued[s] >= p.room(s) {
			p.refused[full.kind]++
			return nil, ErrBusy
		}
	}
	p.count(p.queued, slots, 1)
	return p.waiting.PushBack(&waiter{slots: slots, entry: make(chan struct{})}), nil
}

// full returns the first slot without a place, nil if all have one. The caller holds mu.
func (p *Places) full(slots []slot) *slot {
	for i, s := range slots {
		if p.held[s] >= p.bound.number(s) {
			return &slots[i]
		}
	}
	return nil
}

// room returns how many may wait in the slot: of the queue as large a part as of the places.
func (p *Places) room(s slot) int {
	if s == (slot{}) || p.bound.Number == 0 {
		return p.bound.Queue
	}
	return min(p.bound.Queue, Part(p.bound.Queue, p.bound.number(s), p.bound.Number))
}

// count changes numbers by slot, and forgets those that are 0. The caller holds mu.
func (p *Places) count(of map[slot]int, slots []slot, change int) {
	for _, s := range slots {
		if of[s] += change; of[s] == 0 {
			delete(of, s)
		}
	}
}

func (p *Places) leave(slots []slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.count(p.held, slots, -1)
	for _, s := range slots {
		delete(p.stuck, s)
	}
	for e := p.waiting.Front(); e != nil; {
		next, w := e.Next(), e.Value.(*waiter)
		if p.full(w.slots) == nil {
			p.waiting.Remove(e)
			p.count(p.queued, w.slots, -1)
			p.taken++
			p.count(p.held, w.slots, 1)
			close(w.entry)
		}
		e = next
	}
}

// giveUp leaves the queue, and reports whether the place had come meanwhile.
func (p *Places) giveUp(e *list.Element, inVain bool) (entered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := e.Value.(*waiter)
	select {
	case <-w.entry:
		return true
	default:
	}
	p.waiting.Remove(e)
	p.count(p.queued, w.slots, -1)
	if full := p.full(w.slots); inVain && full != nil {
		p.stuck[*full] = true
		p.refused[full.kind]++
	}
	return false
}
