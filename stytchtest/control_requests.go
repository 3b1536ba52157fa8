package stytchtest

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"guestpass/stytchtest/internal/wire"
)

// maxRequests bounds what is remembered of requests.
const maxRequests = 500

// A Request is one that the emulator answered. Bodies are kept as they were, secrets and
// tokens included: all of them are made up. Headers are not kept.
type Request struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	// the path's pattern, as README's table has it; "" if nothing has it, or a fault answered
	Route  string `json:"route,omitempty"`
	Client string `json:"client,omitempty"` // stytch-go, vanilla-js, or what User-Agent begins with
	Status int    `json:"status"`           // 0: the connection was dropped on purpose
	Error  string `json:"error,omitempty"`  // error_type, or error of an OAuth endpoint
	Body   string `json:"body,omitempty"`   // at most 16 KiB of it
	Reply  string `json:"reply,omitempty"`  // at most 16 KiB of it

	number int // counts from the start, over resets
}

// record keeps what was asked of Stytch, preflights and telemetry left out. It stands
// before faults, so that failed and dropped requests are seen too.
func (e *Emulator) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wire.Own(r) || r.URL.Path == "/sdk/v1/events" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Date", e.now().UTC().Format(http.TimeFormat)) // by the clock that can be advanced
		seen, body := &wire.Recorder{ResponseWriter: w}, new(wire.Excerpt)
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, body), r.Body}
		defer func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.recorded++
			e.requests = append(e.requests[max(0, len(e.requests)-maxRequests+1):],
				Request{Time: e.now(), Method: r.Method, Path: r.URL.Path,
					Query: r.URL.RawQuery, Route: chi.RouteContext(r.Context()).RoutePattern(), Client: clientOf(r),
					Status: seen.Status, Error: seen.Kind,
					Body: body.String(), Reply: seen.Reply.String(), number: e.recorded})
		}()
		next.ServeHTTP(seen, r)
		// what nobody read: the path is unknown, or a fault answered
		_, _ = io.CopyN(io.Discard, r.Body, wire.MaxRecorded)
	})
}

func clientOf(r *http.Request) string {
	if r.Header.Get("X-Sdk-Client") != "" {
		return vanillaJS
	}
	name, _, _ := strings.Cut(r.UserAgent(), "/")
	name, _, _ = strings.Cut(name, " v")
	return strings.ToLower(strings.ReplaceAll(name, " ", "-"))
}

// Requests returns the last 500, newest first.
func (e *Emulator) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	newest := append([]Request{}, e.requests...)
	slices.Reverse(newest)
	return newest
}
