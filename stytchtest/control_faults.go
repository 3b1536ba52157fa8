package stytchtest

import (
	"time"

	"guestpass/stytchtest/internal/faults"
)

// A Fault makes requests whose path begins with Path fail or wait. It never touches
// the emulator's own pages.
type Fault struct {
	Path   string
	Status int           // 0: answer normally, after the delay
	Delay  time.Duration // before anything else; ends with the request
	Count  int           // how many requests; 0: until cleared
	Kind   string        // html, drop, reset, or trickle (the usual answer, a byte a second); "": JSON
	Type   string        // error_type of the JSON; "": that of the status
}

// Fail adds a fault. Of several that fit a request the oldest unspent one acts.
func (e *Emulator) Fail(f Fault) { e.faults.Add(faults.Fault(f)) }

// FailNext makes the next request whose path begins with path answer with the status.
func (e *Emulator) FailNext(path string, status int) {
	e.Fail(Fault{Path: path, Status: status, Count: 1})
}

// ClearFaults removes all faults.
func (e *Emulator) ClearFaults() { e.faults.Clear() }

// Chaos makes a part of all requests go wrong: slow, answered 429, 500 or 503, cut off in
// the middle of the reply, or with tokens signed by a fresh key. The emulator's own pages
// and preflights are never hit.
//
// The fate of a request depends on the seed, its method and path, and how many such
// requests came before, so that a run can be repeated although its requests race.
type Chaos struct {
	Percent int // 0: none
	Seed    uint64
}
