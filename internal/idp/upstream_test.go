package idp

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A breaking is a far side of the wire that breaks connections, and counts what came.
type breaking struct {
	listener              net.Listener
	connections, requests atomic.Int64
	behave                func(*net.TCPConn, *http.Request)
}

// newBreaking calls behave after each request; nil breaks each connection before it is read.
func newBreaking(t *testing.T, behave func(*net.TCPConn, *http.Request)) *breaking {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaking{listener: listener, behave: behave}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			b.connections.Add(1)
			b.serve(connection.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return b
}

// serve ends when either side closes the connection.
func (b *breaking) serve(c *net.TCPConn) {
	defer c.Close()
	if b.behave == nil {
		reset(c)
		return
	}
	reader := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		b.requests.Add(1)
		b.behave(c, r)
	}
}

// reset closes without a goodbye: the other side sees a broken connection.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// says writes and breaks.
func says(text string) func(*net.TCPConn, *http.Request) {
	return func(c *net.TCPConn, _ *http.Request) {
		_, _ = io.WriteString(c, text)
		_ = c.CloseWrite() // what was written arrives, then nothing more
	}
}

func (b *breaking) provider(t *testing.T) *Provider {
	t.Helper()
	p, err := New(Options{PublicURL: "http://localhost:8080", ProjectID: testProject,
		PublicToken: "public-token-test-x", Vertical: "b2b",
		SDKBaseURL: "https://login.example.com", TokenURL: "http://" + b.listener.Addr().String() + "/v1/oauth2/token",
		CookieKey: []byte("key"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.forward.client.CloseIdleConnections)
	return p
}

// A code is spent by the first request that Stytch sees, so that a second one would only
// make it look stolen.
func TestABrokenConnectionIsOneCall(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct {
		name   string
		behave func(*net.TCPConn, *http.Request)
		status int
	}{
		{"reset at once", nil, 502},
		{"reset after the request", func(c *net.TCPConn, _ *http.Request) { reset(c) }, 502},
		{"closed after the request", says(""), 502},
		{"half a status line", says("HTTP/1.1 20"), 502},
		{"half a header", says(head + "Content-Le"), 502},
		{"no body", says(head + "Content-Length: 100\r\n\r\n"), 502},
		{"half a body", says(head + "Content-Length: 100\r\n\r\n" + `{"access_token":"a"}`), 502},
		{"half a chunk", says(head + "Transfer-Encoding: chunked\r\n\r\n14\r\n" + `{"access_token`), 502},
		{"no HTTP", says("220 mail.example ESMTP\r\n"), 502},
		{"a second reply behind the first",
			says(head + "Content-Length: 2\r\n\r\n{}" + head + "Content-Length: 2\r\n\r\n{}"), 200},
		{"an interim reply without end", says("HTTP/1.1 103 Early Hints\r\n\r\n"), 502},
		{"a service that is gone", says("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: " +
			"0\r\n\r\n"), 503},
		{"a request to repeat with Retry-After",
			says("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: " +
				"0\r\n\r\n"), 503},
		{"a request time-out", says("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: " +
			"0\r\n\r\n"), 502},
		{"a redirect that keeps the method",
			says("HTTP/1.1 307 Temporary Redirect\r\nLocation: /v1/oauth2/token\r\nContent-Length: " +
				"0\r\n\r\n"), 502},
		{"a redirect elsewhere",
			says("HTTP/1.1 308 Permanent Redirect\r\nLocation: https://evil.example/\r\nContent-Length: " +
				"0\r\n\r\n"), 502},
		{"endless headers", says("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20)), 502},
		{"more than the reply may have", says(head + "\r\n" + `{"access_token":"` + strings.Repeat("a", maxTokenReply) +
			`"}`), 502},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBreaking(t, tt.behave)
			w := post(b.provider(t), exchange())
			var fields map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil || w.Code != tt.status {
				t.Errorf("%d %s, want %d", w.Code, w.Body, tt.status)
			}
			if tt.status >= 500 && fields["error"] != "temporarily_unavailable" {
				t.Errorf("%v", fields)
			}
			if requests := b.requests.Load(); b.connections.Load() != 1 || requests != 1 && tt.behave != nil {
				t.Errorf("%d calls over %d connections", requests, b.connections.Load())
			}
		})
	}
}

// A connection that was good before is where a client would like to try again.
func TestAKeptConnectionThatBreaksIsOneCall(t *testing.T) {
	const reply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n" +
		`{"access_token":"a"}`
	for range 20 {
		var calls atomic.Int64
		b := newBreaking(t, func(c *net.TCPConn, _ *http.Request) {
			if calls.Add(1) > 1 {
				reset(c)
				return
			}
			_, _ = io.WriteString(c, reply)
		})
		p := b.provider(t)
		first, second := post(p, exchange()), post(p, exchange())
		if first.Code != http.StatusOK || second.Code != http.StatusBadGateway || calls.Load() != 2 ||
			b.connections.Load() != 1 {
			t.Fatalf("%d, then %d: %d calls over %d "+
				"connections", first.Code, second.Code, calls.Load(), b.connections.Load())
		}
	}
}

func TestASlowStytchIsOneCall(t *testing.T) {
	arrived := make(chan struct{}, 8)
	b := newBreaking(t, func(c *net.TCPConn, _ *http.Request) {
		arrived <- struct{}{}
		_, _ = c.Read(make([]byte, 1)) // until the other side gives up
	})
	// sooner than the server would
	ctx, giveUp := context.WithDeadline(t.Context(), time.Now().Add(100*time.Millisecond))
	defer giveUp()
	w := post(b.provider(t), exchange(), func(r *http.Request) { *r = *r.WithContext(ctx) })
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || len(arrived) != 1 ||
		b.connections.Load() != 1 {
		t.Errorf("%d %v after %d calls over %d connections", w.Code, w.Header(), len(arrived), b.connections.Load())
	}
}
