package stytchtest

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

const (
	maxRequests = 500      // remembered
	maxRecorded = 16 << 10 // bytes of each body
)

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

// A recorder keeps what a reply was.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the header was written
	kind   string
	reply  excerpt
}

func (s *recorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *recorder) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	_, _ = s.reply.Write(p)
	return s.ResponseWriter.Write(p)
}

func (s *recorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// An excerpt is the beginning of what was written.
type excerpt struct{ strings.Builder }

func (e *excerpt) Write(p []byte) (int, error) {
	_, _ = e.Builder.Write(p[:min(len(p), maxRecorded-e.Len())])
	return len(p), nil
}

// record keeps what was asked of Stytch, preflights and telemetry left out. It stands
// before faults, so that failed and dropped requests are seen too.
func (e *Emulator) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if own(r) || r.URL.Path == "/sdk/v1/events" {
			next.ServeHTTP(w, r)
			return
		}
		seen, body := &recorder{ResponseWriter: w}, new(excerpt)
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
					Status: seen.status, Error: seen.kind,
					Body: body.String(), Reply: seen.reply.String(), number: e.recorded})
		}()
		next.ServeHTTP(seen, r)
		_, _ = io.CopyN(io.Discard, r.Body, maxRecorded) // what nobody read: the path is unknown, or a fault answered
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
