package server_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"guestpass"
)

// TestBodiesThatBreakOffAreTheClients: they are no failures of this server, neither in the answer nor in the log.
func TestBodiesThatBreakOffAreTheClients(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, everything...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- guestpass.Serve(ctx, listener, w.app, slog.New(slog.DiscardHandler), 0) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	const chunked = "Transfer-Encoding: chunked\n\n"
	for _, tt := range []struct {
		name, first, rest string
		reset             bool // the connection is reset, so that there is no reply
	}{
		{"no length of a chunk", "POST /api/v1/tasks", chunked + "zz\n{}\n0\n\n", false},
		{"a negative length", "POST /api/v1/tasks", chunked + "-1\n{}\n0\n\n", false},
		{"a chunk that is longer than it says", "POST /api/v1/tasks", chunked + "2\n{}{}{}\n0\n\n", false},
		{"a chunk that breaks off", "POST /api/v1/tasks", chunked + "64\n{\"title\"", false},
		{"no last chunk", "POST /api/v1/tasks", chunked + "d\n{\"title\":\"a\"}\n", false},
		{"a trailer that is none", "POST /api/v1/tasks", chunked + "2\n{}\n0\n: \x00\n\n", false},
		{"nine bytes of a hundred", "POST /api/v1/tasks", "Content-Length: 100\n\n{\"title\":", false},
		{"none of a hundred", "POST /api/v1/tasks", "Content-Length: 100\n\n", false},
		{"nine bytes of a hundred for one that takes none",
			"GET /api/v1/tasks", "Content-Length: 100\n\n{\"title\":", false},
		{"no length of a chunk for one that takes none", "GET /api/v1/tasks", chunked + "zz\n{}\n0\n\n", false},
		{"nine bytes of a hundred, then a reset", "POST /api/v1/tasks", "Content-Length: 100\n\n{\"title\":", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			connection, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
			request := tt.first + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\nAuthorization: Bearer " +
				token + "\n" + tt.rest
			if _, err := io.WriteString(connection, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
				t.Fatal(err)
			}
			if tt.reset {
				_ = connection.(*net.TCPConn).SetLinger(0)
				connection.Close()
				return
			}
			_ = connection.(*net.TCPConn).CloseWrite()
			reply, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(reply.Body)
			if reply.StatusCode != http.StatusBadRequest ||
				!strings.Contains(string(body), `"detail":"the body breaks off`) {
				t.Errorf("%d %s", reply.StatusCode, body)
			}
		})
	}
	if r := w.call("GET", "/api/v1/tasks", token, ""); r.status != 200 { // after the reset
		t.Errorf("%d %s", r.status, r.body)
	}
	for line := range strings.Lines(w.log.String()) {
		if !strings.Contains(line, `"level":"INFO"`) && !strings.Contains(line, `"level":"DEBUG"`) {
			t.Errorf("it is in the log: %s", line)
		}
	}
}
