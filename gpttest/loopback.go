package gpttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Loopback is a [Visitor] for a person with a browser on this machine: it listens on
// the redirect URI, which must be http on a loopback host (RFC 8252 section 7.3).
type Loopback struct {
	// Open shows the authorization page to the person. Nil prints nothing and opens
	// nothing; the caller shows the address otherwise.
	Open func(url string) error
	// Listener is used instead of listening on the redirect URI's port. Visit closes
	// it.
	Listener net.Listener
}

// closingPage is all that the person sees; nothing of the request is in it.
const closingPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Done</title></head>
<body><p>You can close this window and go back to the terminal.</p></body></html>
`

// Visit waits for the browser to come back or ctx to end. Requests to other paths
// are answered 404 and otherwise ignored.
func (l *Loopback) Visit(ctx context.Context, authorizeURL, redirectURI string) (*url.URL, error) {
	target, err := url.Parse(redirectURI)
	if err != nil || target.Scheme != "http" || !isLoopback(target.Hostname()) {
		return nil, fmt.Errorf("listen on %s: not a loopback address", redirectURI)
	}
	if page, err := url.Parse(authorizeURL); err != nil || !isPage(page) {
		return nil, errors.New("the authorization page is no https:// address (http:// on this machine alone), so no " +
			"browser is sent there")
	}
	listeners := []net.Listener{l.Listener}
	if l.Listener == nil {
		if listeners, err = listenLoopback(ctx, target); err != nil {
			return nil, err
		}
	}
	arrived := make(chan *url.URL, 1)
	server := &http.Server{Handler: callbackHandler(target, arrived), ReadHeaderTimeout: 10 * time.Second}
	var serving sync.WaitGroup
	for _, listener := range listeners {
		serving.Go(func() { _ = server.Serve(listener) })
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(stop) != nil { // lets the closing page reach the browser
			_ = server.Close()
		}
		serving.Wait()
	}()
	if l.Open != nil {
		if err := l.Open(authorizeURL); err != nil {
			return nil, fmt.Errorf("open the browser: %w", err)
		}
	}
	select {
	case callback := <-arrived:
		return callback, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the browser on %s: %w", redirectURI, context.Cause(ctx))
	}
}

// isPage reports whether a person's browser may be sent there. What a desktop opens is not for a document to choose: a
// file, a script or a program's option would be opened too.
func isPage(u *url.URL) bool {
	host := u.Hostname()
	return host != "" && (u.Scheme == "https" || u.Scheme == "http" && (isLoopback(host) ||
		strings.HasSuffix(strings.ToLower(host), ".localhost")))
}

// listenLoopback listens on what the redirect URI names. A browser takes localhost for
// either address of this machine, so both are listened on, as far as there are both.
func listenLoopback(ctx context.Context, target *url.URL) (listeners []net.Listener, err error) {
	port := target.Port()
	if port == "" {
		port = "80"
	}
	hosts := []string{target.Hostname()}
	if strings.EqualFold(target.Hostname(), "localhost") {
		hosts = []string{"127.0.0.1", "::1"}
	}
	var missing error
	for _, host := range hosts {
		listener, failed := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
		switch {
		case failed == nil:
			listeners = append(listeners, listener)
		case noSuchAddress(failed):
			missing = failed
		default:
			err = failed
		}
	}
	if err == nil && len(listeners) > 0 {
		return listeners, nil
	}
	for _, listener := range listeners {
		_ = listener.Close()
	}
	return nil, fmt.Errorf("port %s, where the browser is to return to %s, cannot be used: %w", port, target,
		cmp.Or(err, missing))
}

// noSuchAddress reports whether this machine lacks the address, or its whole family.
func noSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

func callbackHandler(target *url.URL, arrived chan<- *url.URL) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != target.EscapedPath() || r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		callback := *target
		callback.RawQuery = r.URL.RawQuery
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = io.WriteString(w, closingPage)
		select {
		case arrived <- &callback:
		default: // the browser asked again; the first answer counts
		}
	})
}
