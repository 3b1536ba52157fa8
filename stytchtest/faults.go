package stytchtest

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// A Fault makes requests whose path begins with Path fail or wait. It never touches
// the emulator's own pages.
type Fault struct {
	Path   string
	Status int           // 0: answer normally, after the delay
	Delay  time.Duration // before anything else; ends with the request
	Count  int           // how many requests; 0: until cleared
	Kind   string        // "": JSON; "html": an HTML body; "drop": the connection is closed

	spent int
}

// Fail adds a fault. Of several that fit a request the oldest unspent one acts.
func (e *Emulator) Fail(f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, &f)
}

// FailNext makes the next request whose path begins with path answer with the status.
func (e *Emulator) FailNext(path string, status int) {
	e.Fail(Fault{Path: path, Status: status, Count: 1})
}

// ClearFaults removes all faults.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

func (e *Emulator) faultFor(path string) (Fault, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.faults {
		if strings.HasPrefix(path, f.Path) && (f.Count == 0 || f.spent < f.Count) {
			f.spent++
			return *f, true
		}
	}
	return Fault{}, false
}

func (e *Emulator) inject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if own(r) {
			next.ServeHTTP(w, r)
			return
		}
		f, hit := e.faultFor(r.URL.Path)
		switch {
		case !hit:
			next.ServeHTTP(w, r)
		case !wait(r.Context(), f.Delay):
			panic(http.ErrAbortHandler) // nobody is listening any more
		case f.Kind == "drop":
			panic(http.ErrAbortHandler)
		case f.Status == 0:
			next.ServeHTTP(w, r)
		case f.Kind == "html":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(f.Status)
			_, _ = w.Write([]byte("<html><body><h1>Something went wrong</h1></body></html>"))
		default:
			writeFailure(w, fail(f.Status, faultKind(f.Status), "A fault on purpose."))
		}
	})
}

func faultKind(status int) string {
	if status == http.StatusTooManyRequests {
		return "too_many_requests"
	}
	return "internal_server_error"
}

// wait reports whether the time passed before the request was given up.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
