package faults

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// Chaos makes a part of all requests go wrong.
//
// The fate of a request depends on the seed, its method and path, and how many such
// requests came before, so that a run can be repeated although its requests race.
type Chaos struct {
	Percent  int // 0: none
	Seed     uint64
	FreshKey func() // has tokens signed by another key
	Log      *slog.Logger

	mu   sync.Mutex // guards seen
	seen map[string]uint64
}

type fate string

const (
	slow            fate = "slow"
	tooManyRequests fate = "429"
	serverError     fate = "500"
	unavailable     fate = "503"
	cutOff          fate = "cut off"
	freshKey        fate = "fresh key"
)

var fates = []fate{slow, tooManyRequests, serverError, unavailable, cutOff, freshKey}

// slowness is how long a slow request waits.
const slowness = 300 * time.Millisecond

// of returns "" for requests that nothing happens to.
func (c *Chaos) of(r *http.Request) fate {
	if c.Percent == 0 || wire.Own(r) || r.Method == http.MethodOptions {
		return ""
	}
	name := r.Method + " " + r.URL.Path
	c.mu.Lock()
	if c.seen == nil {
		c.seen = map[string]uint64{}
	}
	nth := c.seen[name]
	c.seen[name]++
	c.mu.Unlock()
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s %d", name, nth)
	dice := rand.New(rand.NewPCG(c.Seed, hash.Sum64())) // #nosec G404 -- a seed has to give the same faults again
	if dice.IntN(100) >= c.Percent {
		return ""
	}
	return fates[dice.IntN(len(fates))]
}

// Unsettle has requests meet their fate.
func (c *Chaos) Unsettle(next http.Handler) http.Handler {
	if c.Percent == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := c.of(r)
		if f != "" {
			c.Log.Info("chaos", "fate", string(f), "method", r.Method, "path", r.URL.Path)
		}
		switch f {
		case slow:
			if !wait(r.Context(), slowness) {
				panic(http.ErrAbortHandler)
			}
		case tooManyRequests:
			wire.Fail(http.StatusTooManyRequests, "too_many_requests", "Too many requests (chaos).").Answer(w)
			return
		case serverError:
			wire.Fail(http.StatusInternalServerError, "internal_server_error",
				"Something went wrong (chaos).").Answer(w)
			return
		case unavailable:
			wire.Fail(http.StatusServiceUnavailable, "service_unavailable",
				"Unavailable for a moment (chaos).").Answer(w)
			return
		case cutOff:
			w = &severed{ResponseWriter: w}
		case freshKey:
			c.FreshKey()
		}
		next.ServeHTTP(w, r)
	})
}

// severed promises more of a reply than it sends: what was asked for has happened, but
// whoever asked does not learn it.
type severed struct{ http.ResponseWriter }

func (s *severed) Write(p []byte) (int, error) {
	s.Header().Del("Content-Length")
	if _, err := s.ResponseWriter.Write(p[:len(p)/2]); err != nil {
		return 0, err
	}
	if err := http.NewResponseController(s.ResponseWriter).Flush(); err != nil {
		return 0, err
	}
	panic(http.ErrAbortHandler)
}
