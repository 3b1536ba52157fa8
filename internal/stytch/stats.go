package stytch

import (
	"context"
	"errors"
	"net/http"
	"time"

	"guestpass/directory"
)

// A Call is one attempt to ask Stytch for something.
type Call struct {
	Endpoint string // what it is asked for, in words of this package
	Cause    string // why
	Outcome  string // ok, refused, limited, timeout, unavailable or abandoned
	Took     time.Duration
}

// An Observer is told of each call before it is made, and returns what is to be told of it afterwards.
type Observer func(ctx context.Context, endpoint string) (end func(Call))

// observed makes the attempt, and tells who listens.
func (t *transport) observed(r *http.Request) (*http.Response, *directory.UnavailableError) {
	if t.observe == nil {
		return t.once(r)
	}
	p, begun := purposeOf(r.Context()), time.Now()
	end := t.observe(r.Context(), string(p.endpoint))
	response, failure := t.once(r)
	end(Call{string(p.endpoint), string(p.cause), class(r.Context(), response, failure), time.Since(begun)})
	return response, failure
}

// class is the sort of answer that Stytch gave.
func class(ctx context.Context, response *http.Response, failure *directory.UnavailableError) string {
	switch {
	case failure == nil && response.StatusCode >= http.StatusInternalServerError:
		return "unavailable"
	case failure == nil && response.StatusCode >= http.StatusBadRequest:
		return "refused"
	case failure == nil:
		return "ok"
	case errors.Is(failure, statusError(http.StatusTooManyRequests)):
		return "limited"
	case ctx.Err() != nil: // whoever waited has gone, or has no time left
		return "abandoned"
	case errors.Is(failure, context.DeadlineExceeded):
		return "timeout"
	}
	return "unavailable"
}

// A Breaker is the circuit that all owners share of what Stytch is asked for, for one cause.
type Breaker struct {
	Endpoint, Cause string
	State           string // closed, half-open or open
	Opens           uint64 // since the start, with those of single owners
}

// Breakers returns those of the calls that were made, and of visitors none: each of them has one of their own.
func (c *client) Breakers() (list []Breaker) {
	for _, e := range endpoints {
		for _, cause := range causes {
			line := c.transport.lines[purpose{e, cause}]
			if line.shared != nil && line.used.Load() {
				list = append(list, Breaker{string(e), string(cause), line.shared.State().String(), line.opens.Load()})
			}
		}
	}
	return list
}
