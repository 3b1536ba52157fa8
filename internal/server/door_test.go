package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"guestpass"
)

// A door stands before Stytch's API and holds calls up, for as long as a test wants: so tests
// know who waits without waiting for a time.
type door struct {
	t       testing.TB
	arrived chan string // the path of each call that is held

	mu   sync.Mutex // guards what follows
	held string     // the beginning of the paths; "" for none
	let  chan struct{}
}

func newDoor(t testing.TB) *door {
	return &door{t: t, arrived: make(chan string, 10_000), let: make(chan struct{})}
}

// before puts the door before the API that the server talks to.
func (d *door) before(o *guestpass.Options) {
	target, err := url.Parse(o.BaseURL)
	must(d.t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	// who called went away
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.wait(r.Context(), r.URL.Path) {
			proxy.ServeHTTP(w, r)
		}
	}))
	d.t.Cleanup(front.Close)
	d.t.Cleanup(d.open)
	o.BaseURL = front.URL
}

// wait reports whether the call may go on.
func (d *door) wait(ctx context.Context, path string) bool {
	d.mu.Lock()
	let, held := d.let, d.held != "" && strings.HasPrefix(path, d.held)
	d.mu.Unlock()
	if !held {
		return true
	}
	d.arrived <- path
	select {
	case <-let:
		return true
	case <-ctx.Done():
		return false
	}
}

// hold holds up what comes from now on.
func (d *door) hold(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = path
}

// pass lets through what comes from now on; what is held stays.
func (d *door) pass() { d.hold("") }

// open lets everything through.
func (d *door) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = ""
	close(d.let)
	d.let = make(chan struct{})
}
