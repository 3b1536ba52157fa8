package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// When the breaker opens, and for how long.
const (
	breakerFailures = 5 // of attempts within the window, and at least half of them
	breakerWindow   = 10 * time.Second
	breakerOpen     = 30 * time.Second // then one attempt may try
)

// A breaker stops calling Stytch while Stytch fails: what needs it is refused at once,
// instead of holding a request for as long as all attempts take, and Stytch is left to
// recover. It counts attempts, not calls, so that a call that hangs opens it as well.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[*http.Response]
	opened  atomic.Pointer[time.Time]
}

func newBreaker(log *slog.Logger) *breaker {
	b := new(breaker)
	b.circuit = gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		Name: "Stytch", Interval: breakerWindow, BucketPeriod: time.Second, Timeout: breakerOpen,
		// Half of them: a busy server sees five failures in ten seconds of a Stytch that is well.
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.TotalFailures >= breakerFailures && c.TotalFailures >= c.TotalSuccesses
		},
		IsExcluded: spared,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				now := time.Now()
				b.opened.Store(&now)
			}
			log.Warn("circuit breaker to Stytch", "from", from.String(), "to", to.String())
		},
	})
	return b
}

// guard lets the attempt through, or refuses it without asking Stytch.
func (b *breaker) guard(r *http.Request, attempt func(*http.Request) (*http.Response, *UnavailableError)) (*http.Response, *UnavailableError) {
	response, err := b.circuit.Execute(func() (*http.Response, error) {
		response, failure := attempt(r)
		switch {
		case failure != nil:
			return nil, failure
		case response.StatusCode >= http.StatusInternalServerError: // with an error that stytch-go can read
			return response, statusError(response.StatusCode)
		}
		return response, nil
	})
	var failure *UnavailableError
	switch {
	case response != nil || err == nil:
		return response, nil
	case errors.As(err, &failure):
		return nil, failure
	}
	return nil, &UnavailableError{RetryAfter: b.wait(), cause: err}
}

// wait is how long the breaker stays open, a second at least.
func (b *breaker) wait() time.Duration {
	left := time.Second
	if opened := b.opened.Load(); opened != nil {
		left = max(left, time.Until(opened.Add(breakerOpen)))
	}
	return left
}

// refused says that Stytch was not asked.
func refused(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)
}

// spared failures say nothing of Stytch's health: the caller went away, or Stytch limits what
// somebody asks of it, by which nobody may shut the others out.
func spared(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, statusError(http.StatusTooManyRequests))
}

// statusError is a reply's status that says Stytch is not well.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }
