// Package faults makes requests fail or wait: those of a path, on purpose, or a part of all at
// random. It never touches the emulator's own pages.
package faults

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// A Fault has the fields of the one that is exported.
type Fault struct {
	Path   string
	Status int
	Delay  time.Duration
	Count  int
	Kind   string
	Type   string
}

// Kinds of faults.
const (
	HTML    = "html"    // an HTML body
	Drop    = "drop"    // the connection is closed
	Reset   = "reset"   // the connection is reset
	Trickle = "trickle" // the usual answer, a byte a second
)

// A List has the faults in the order in which they were added.
type List struct {
	mu   sync.Mutex // guards what follows
	list []*counted
}

type counted struct {
	Fault
	spent int
}

func (c *counted) over() bool { return c.Count != 0 && c.spent >= c.Count }

// Add adds a fault.
func (l *List) Add(f Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, &counted{Fault: f})
}

// Clear removes all faults.
func (l *List) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

// Left returns the faults that are not spent, each with the Count that is left of it.
func (l *List) Left() (left []Left) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.list {
		if !c.over() {
			left = append(left, Left{c.Fault, c.Count - c.spent})
		}
	}
	return left
}

// Left is a fault and, if it has a Count, how many requests it will still hit.
type Left struct {
	Fault
	Requests int
}

// next spends the oldest fault that fits.
func (l *List) next(path string) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.list {
		if strings.HasPrefix(path, c.Path) && !c.over() {
			c.spent++
			return c.Fault, true
		}
	}
	return Fault{}, false
}

// Inject has requests meet their fault.
func (l *List) Inject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wire.Own(r) {
			next.ServeHTTP(w, r)
			return
		}
		f, hit := l.next(r.URL.Path)
		if hit && f.Delay > 0 { // net/http sees that nobody listens any more once the body has been read
			body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxBody))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		switch {
		case !hit:
			next.ServeHTTP(w, r)
		case !wait(r.Context(), f.Delay):
			panic(http.ErrAbortHandler) // nobody is listening any more
		case f.Kind == Drop, f.Kind == Reset:
			if f.Kind == Reset {
				reset(w)
			}
			panic(http.ErrAbortHandler)
		case f.Kind == Trickle:
			next.ServeHTTP(&trickle{w, r}, r)
		case f.Status == 0:
			next.ServeHTTP(w, r)
		case f.Kind == HTML:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(f.Status)
			_, _ = w.Write([]byte("<html><body><h1>Something went wrong</h1></body></html>"))
		default:
			wire.Fail(f.Status, cmp.Or(f.Type, usualType(f.Status)), "A fault on purpose.").Answer(w)
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

func usualType(status int) string {
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
