package limits

import (
	"math"
	"sync"
	"time"
)

// A Rate is how often something may happen in a minute. It is counted for each share's
// parties; in the Redis of the [Limits] that made it as well, where there is one. Safe for
// concurrent use.
type Rate struct {
	bound  Bound
	shared *sharedCounts // nil: this process counts alone
	now    func() time.Time

	mu      sync.Mutex // guards what follows, so that looking and counting are one step
	counts  map[Kind]*counts
	refused map[Kind]uint64 // how often, by the share that was used up
}

// Rate makes one.
func (l *Limits) Rate(b Bound) *Rate {
	l.Declare(b)
	r := &Rate{bound: b.ordered(), now: time.Now, counts: map[Kind]*counts{"": newCounts(1)}, refused: b.none()}
	if l != nil {
		r.shared = l.shared
	}
	if l != nil && l.numbers.Now != nil {
		r.now = l.numbers.Now
	}
	for kind := range b.Shares {
		r.counts[kind] = newCounts(maxKeys)
	}
	l.keep(func(u *used) { u.rates = append(u.rates, r) })
	return r
}

// Take counts one time for all numbers that bind the party, or for none, and then returns the
// first that it would exceed. Call takeBack, which is not nil, once if it turns out that it
// does not matter. This process counts by itself before it asks Redis: so what it admits
// keeps to the numbers whatever becomes of Redis meanwhile.
func (r *Rate) Take(p Party) (takeBack func(), exceeded *Exceeded) {
	now, slots := r.now().UTC(), r.bound.slots(p)
	if exceeded := r.takeHere(now, slots); exceeded != nil {
		r.noteRefusal(exceeded)
		return func() {}, exceeded
	}
	here := func() { r.takeBackHere(now, slots) }
	if r.shared == nil || len(slots) == 0 {
		return here, nil
	}
	counted, exceeded := r.shared.take(now, r.bound, slots)
	if exceeded != nil {
		r.noteRefusal(exceeded)
		here()
		return func() {}, exceeded
	}
	return func() {
		here()
		if counted {
			r.shared.takeBack(now, r.bound, slots)
		}
	}, nil
}

func (r *Rate) noteRefusal(e *Exceeded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[e.kind]++
}

// Exceeded returns the number that one more would exceed, as far as this process counts; nil if
// there is none. It counts nothing.
func (r *Rate) Exceeded(p Party) *Exceeded {
	now := r.now().UTC()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.firstExceeded(now, r.bound.slots(p))
}

// firstExceeded returns the first number that one more would exceed. The caller holds mu.
func (r *Rate) firstExceeded(now time.Time, slots []slot) *Exceeded {
	start, weighs := now.Truncate(window), weight(now)
	for _, s := range slots {
		current, previous := r.counts[s.kind].get(s.key, start)
		if !allows(weighs, current, previous, r.bound.number(s)) {
			return r.bound.exceeded(now, s, current, previous)
		}
	}
	return nil
}

func (r *Rate) takeHere(now time.Time, slots []slot) *Exceeded {
	r.mu.Lock()
	defer r.mu.Unlock()
	if exceeded := r.firstExceeded(now, slots); exceeded != nil {
		return exceeded
	}
	start := now.Truncate(window)
	for _, s := range slots {
		r.counts[s.kind].add(s.key, start)
	}
	return nil
}

func (r *Rate) takeBackHere(now time.Time, slots []slot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range slots {
		r.counts[s.kind].takeBack(s.key, now.Truncate(window))
	}
}

// allows reports whether one more fits to what was counted in this minute and in the one
// before, which weighs less. The script in redis.go asks the same.
func allows(weighs float64, current, previous, quota int) bool {
	return int(math.Round(float64(previous)*weighs+float64(current)))+1 <= quota
}

// weight returns the part of the last minute that is within a minute of now.
func weight(now time.Time) float64 {
	return 1 - float64(now.Sub(now.Truncate(window)))/float64(window)
}

func (b Bound) exceeded(now time.Time, s slot, current, previous int) *Exceeded {
	policy := string(s.kind)
	if policy == "" {
		policy = b.Name
	}
	return &Exceeded{Policy: policy, Quota: b.number(s), RetryAfter: wait(now, current, previous, b.number(s)),
		kind: s.kind}
}

// wait returns how long it takes until one more fits, if nothing else is counted.
func wait(now time.Time, current, previous, quota int) time.Duration {
	start := now.Truncate(window)
	room, fades := float64(quota)-0.5-float64(current), previous
	if room <= 0 { // not before this minute's own count fades, in the next one
		start, room, fades = start.Add(window), float64(quota)-0.5, current
	}
	part := 1 - room/float64(max(1, fades)) // of the window, until what fades leaves just no room
	return max(0, start.Add(time.Duration(part*float64(window))).Sub(now)) + time.Millisecond
}
