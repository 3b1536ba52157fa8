package stytchtest

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
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
	Kind   string        // see below; "": JSON
	Type   string        // error_type of the JSON; "": that of the status

	spent int
}

// Kinds of faults.
const (
	kindHTML    = "html"    // an HTML body
	kindDrop    = "drop"    // the connection is closed
	kindReset   = "reset"   // the connection is reset
	kindTrickle = "trickle" // the usual answer, a byte a second
)

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
		if hit && f.Delay > 0 { // net/http sees that nobody listens any more once the body has been read
			body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		switch {
		case !hit:
			next.ServeHTTP(w, r)
		case !wait(r.Context(), f.Delay):
			panic(http.ErrAbortHandler) // nobody is listening any more
		case f.Kind == kindDrop, f.Kind == kindReset:
			if f.Kind == kindReset {
				reset(w)
			}
			panic(http.ErrAbortHandler)
		case f.Kind == kindTrickle:
			next.ServeHTTP(&trickle{w, r}, r)
		case f.Status == 0:
			next.ServeHTTP(w, r)
		case f.Kind == kindHTML:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(f.Status)
			_, _ = w.Write([]byte("<html><body><h1>Something went wrong</h1></body></html>"))
		default:
			writeFailure(w, fail(f.Status, cmp.Or(f.Type, faultKind(f.Status)), "A fault on purpose."))
		}
	})
}

// reset closes the connection in a way that the other side takes for an error. What cannot
// be taken over is dropped by whoever aborts the handler.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}

// trickle writes a byte a second until nobody listens any more.
type trickle struct {
	http.ResponseWriter
	request *http.Request
}

func (t *trickle) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := t.ResponseWriter.Write(p[i : i+1]); err != nil {
			return i, err
		}
		_ = http.NewResponseController(t.ResponseWriter).Flush()
		if !wait(t.request.Context(), time.Second) {
			return i + 1, t.request.Context().Err()
		}
	}
	return len(p), nil
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
