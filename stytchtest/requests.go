package stytchtest

import (
	"net/http"
	"slices"
	"time"
)

// maxRequests bounds what is remembered.
const maxRequests = 500

// A Request is one that the emulator answered. Queries, headers and bodies, where
// tokens are, are not kept.
type Request struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"`          // 0: the connection was dropped on purpose
	Error  string    `json:"error,omitempty"` // error_type, or error of an OAuth endpoint
}

type statusRecorder struct {
	http.ResponseWriter
	status int // 0 until the header was written
	kind   string
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusRecorder) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// record keeps what was asked of Stytch, preflights left out. It stands before faults,
// so that failed and dropped requests are seen too.
func (e *Emulator) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if own(r) {
			next.ServeHTTP(w, r)
			return
		}
		recorder := &statusRecorder{ResponseWriter: w}
		defer func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.requests = append(e.requests[max(0, len(e.requests)-maxRequests+1):],
				Request{e.now(), r.Method, r.URL.Path, recorder.status, recorder.kind})
		}()
		next.ServeHTTP(recorder, r)
	})
}

// Requests returns the last 500, newest first.
func (e *Emulator) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	newest := append([]Request{}, e.requests...)
	slices.Reverse(newest)
	return newest
}
