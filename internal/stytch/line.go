package stytch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"guestpass/directory"
	"guestpass/internal/limits"
)

// When a circuit opens, and for how long.
const (
	breakerFailures = 5 // of attempts within the window, and at least half of them
	breakerWindow   = 10 * time.Second
	breakerOpen     = 30 * time.Second // then one attempt may try
	failuresOfOwner = 2                // that count towards the circuit that all owners of a purpose share
)

// How often attempts that failed are repeated, for each purpose and owner.
const (
	repeatsAtOnce = 10
	repeatEvery   = 3 * time.Second
)

const (
	maxOwners     = 1_000           // of a purpose, that are remembered
	rememberedFor = 2 * time.Minute // after the last call: longer than a circuit stays open
	maxHold       = time.Minute     // for which Stytch's own wish to wait is followed without asking
)

// A line is the way to Stytch for one purpose. Circuits stop calling while calls fail: what
// needs one is refused at once, instead of holding a request for as long as all attempts take,
// and Stytch is left to recover. They count attempts, so that calls that hang open them as well.
//
// Each owner has a circuit of its own. The one that all share opens only when several owners'
// calls fail: nobody opens it by what they send. Visitors share none.
type line struct {
	purpose purpose
	places  *limits.Places
	shared  *circuit // nil for visitors
	owners  *limits.Cache[*owner]
	log     *slog.Logger

	opened moment // when one of its circuits last was
	opens  atomic.Uint64
	used   atomic.Bool
	mu     sync.Mutex // guards that an owner is made once
}

// A circuit is a circuit breaker that says for how long it stays open.
type circuit struct {
	*gobreaker.TwoStepCircuitBreaker[any]
	opened moment
}

// A moment that has not come is the zero time. Safe for concurrent use.
type moment struct{ at atomic.Pointer[time.Time] }

func (m *moment) now() { now := time.Now(); m.at.Store(&now) }

// left returns how much of a duration since the moment is left.
func (m *moment) left(of time.Duration) time.Duration {
	if at := m.at.Load(); at != nil {
		return max(0, time.Until(at.Add(of)))
	}
	return 0
}

// An owner is on whose behalf a purpose is asked for.
type owner struct {
	circuit *circuit
	repeats *rate.Limiter

	mu       sync.Mutex // guards what follows
	hold     time.Time  // Stytch asked not to be asked until then
	since    time.Time  // of the failures that have counted for all
	failures int
}

func newLine(p purpose, o Options) *line {
	l := &line{purpose: p, log: o.Log, places: o.Limits.Places(placesFor(p, o.MaxCalls))}
	l.owners = limits.NewCache[*owner](o.Limits, limits.Bound{Name: "owners remembered for Stytch: " + p.String(),
		Number: maxOwners, Of: "all owners, one entry each: whose is forgotten starts anew"})
	shares := limits.Shares{limits.Organization: failuresOfOwner, limits.Person: failuresOfOwner}
	if p.cause == visit {
		o.Limits.Declare(limits.Bound{Name: "failures of Stytch: " + p.String(),
			Shares: limits.Shares{limits.Address: breakerFailures}})
		return l
	}
	o.Limits.Declare(limits.Bound{Name: "failures of Stytch: " + p.String(), Number: breakerFailures, Shares: shares})
	l.shared = l.newCircuit("all")
	return l
}

// placesFor returns the places of a purpose. Those for admission hold nobody else up; the others'
// are held while an operation or a page is made.
func placesFor(p purpose, maxCalls int) limits.Bound {
	b := limits.Bound{Name: "calls to Stytch at once: " + p.String(), Number: max(4, maxCalls/2)}
	switch p.cause {
	case admission:
		b.Number = max(4, maxCalls)
	case visit:
		b.Number = max(4, maxCalls/4)
		b.Shares = limits.Shares{limits.Address: b.Number / 2}
	case background, health:
		b.Number = 4
	}
	if b.Queue = b.Number; p.cause == health {
		b.Of = "the server itself"
	}
	if b.Shares == nil {
		b.Shares = limits.Shares{limits.Organization: b.Number / 2, limits.Person: max(2, b.Number/4)}
	}
	return b
}

// newCircuit makes one; of is whose it is, for the log.
func (l *line) newCircuit(of string) *circuit {
	c := new(circuit)
	c.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Interval: breakerWindow, BucketPeriod: time.Second, Timeout: breakerOpen,
		// Half of them: a busy server sees five failures in ten seconds of a Stytch that is well.
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.TotalFailures >= breakerFailures && c.TotalFailures >= c.TotalSuccesses
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errNoOutage) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				c.opened.now()
				l.opened.now()
				l.opens.Add(1)
			}
			if l.purpose.cause != visit { // anybody can have many addresses
				l.log.WarnContext(context.Background(), "circuit breaker to Stytch", "purpose", l.purpose.String(),
					"of", of,
					"from", from.String(), "to", to.String())
			}
		},
	})
	return c
}

// errNoOutage tells circuits that what happened says nothing of Stytch's health.
var errNoOutage = errors.New("no outage")

// owner returns the one with that name.
func (l *line) owner(name string) *owner {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	o, known := l.owners.Get(name, now)
	if !known {
		o = &owner{circuit: l.newCircuit(name), repeats: rate.NewLimiter(rate.Every(repeatEvery), repeatsAtOnce)}
	}
	l.owners.Put(limits.Party{}, name, o, now.Add(rememberedFor))
	return o
}

// guard lets the attempt through, or refuses it without asking Stytch.
func (l *line) guard(r *http.Request, o *owner,
	attempt func(*http.Request) (*http.Response, *directory.UnavailableError),
) (*http.Response, *directory.UnavailableError) {
	if l.purpose.cause == health { // which is asked to learn whether there is an outage, and seldom
		return attempt(r)
	}
	if wait := o.held(); wait > 0 && idempotent(r) {
		return nil, &directory.UnavailableError{RetryAfter: wait, Cause: errHeld}
	}
	if err := r.Context().Err(); err != nil {
		return nil, &directory.UnavailableError{Cause: err}
	}
	own, refusal := o.circuit.enter()
	if refusal != nil {
		return nil, refusal
	}
	all := func(error) {}
	if l.shared != nil {
		if all, refusal = l.shared.enter(); refusal != nil {
			own(errNoOutage)
			return nil, refusal
		}
	}
	begun := time.Now()
	response, failure := attempt(r)
	outcome := outcomeOf(response, failure)
	if r.Context().Err() != nil && time.Since(begun) < patience(r) {
		outcome = errNoOutage // the caller's time was over before Stytch's was
	}
	own(outcome)
	if outcome != nil && !o.countsForAll() {
		outcome = errNoOutage
	}
	all(outcome)
	if failure != nil && errors.Is(failure, statusError(http.StatusTooManyRequests)) {
		o.waitFor(failure.RetryAfter)
	}
	return response, failure
}

// patience returns how long Stytch has for the attempt, whatever time the caller has.
func patience(r *http.Request) time.Duration {
	if r.Method != http.MethodGet && idempotent(r) { // a search
		return answerTimeout
	}
	return lookUpTimeout
}

// enter lets an attempt through, whose outcome the caller must report, or returns how long it
// admits none.
func (c *circuit) enter() (tell func(outcome error), refusal *directory.UnavailableError) {
	tell, err := c.Allow()
	if err != nil {
		return nil, &directory.UnavailableError{RetryAfter: max(time.Second, c.opened.left(breakerOpen)), Cause: err}
	}
	return tell, nil
}

// troubled reports whether calls for people who are known are refused: a circuit stays open as long.
func (l *line) troubled() bool {
	return (l.purpose.cause == admission || l.purpose.cause == work) && l.opened.left(breakerOpen) > 0
}

// countsForAll reports whether a failure of the owner counts for the circuit that all share.
func (o *owner) countsForAll() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); now.Sub(o.since) >= breakerWindow {
		o.since, o.failures = now, 0
	}
	o.failures++
	return o.failures <= failuresOfOwner
}

// waitFor follows Stytch's wish, within bounds.
func (o *owner) waitFor(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold = time.Now().Add(min(d, maxHold))
}

func (o *owner) held() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Until(o.hold)
}

// errHeld says that Stytch has asked for a pause.
var errHeld = errors.New("a pause that Stytch asked for")

// outcomeOf returns what an attempt says of Stytch's health: nil if it is well, errNoOutage if it
// cannot be told. Who answers that something is wrong with a request is well, in whatever form.
func outcomeOf(response *http.Response, failure *directory.UnavailableError) error {
	var status statusError
	switch {
	case failure == nil && response.StatusCode >= http.StatusInternalServerError: // an error that stytch-go can read
		return statusError(response.StatusCode)
	case failure == nil:
		return nil
	case errors.Is(failure, context.Canceled): // whoever called went away
		return errNoOutage
	case errors.As(failure, &status) && status >= 400 && status < http.StatusInternalServerError:
		return errNoOutage
	}
	return failure
}

// refused reports whether Stytch was not asked.
func refused(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) || errors.Is(err,
		errHeld)
}

// statusError is a reply's status that says something is not well.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }
