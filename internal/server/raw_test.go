package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/inside"
)

// A rawServer is the server as it runs, and the token endpoint of Stytch behind it, which
// keeps what reached it.
type rawServer struct {
	t    *testing.T
	addr string
	far  *httptest.Server

	mu   sync.Mutex // guards came
	came []*http.Request
}

func newRawServer(t *testing.T) *rawServer {
	t.Helper()
	s := &rawServer{t: t}
	s.far = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.came = append(s.came, r)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"a","token_type":"bearer"}`)
	}))
	t.Cleanup(s.far.Close)
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL, o.Domain, o.ClientIDs = origin, s.far.URL, nil })
	inside.Diagnose(w.app, t.Context()) // as Run does at the start
	s.calls()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- guestpass.Serve(ctx, listener, w.app, slog.New(slog.DiscardHandler), 0) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	return s
}

// calls returns those that reached Stytch since the last time.
func (s *rawServer) calls() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	came := s.came
	s.came = nil
	return came
}

// send writes bytes to a connection of its own and returns the statuses of all replies
// until the server closes it. After the first one our side is closed.
func (s *rawServer) send(bytes string, unfinished bool) (statuses []int) {
	s.t.Helper()
	connection, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	written := make(chan struct{})
	go func() { defer close(written); _, _ = io.WriteString(connection, bytes) }() // the server may stop reading
	defer func() { <-written }()
	if unfinished {
		<-written
		_ = connection.(*net.TCPConn).CloseWrite()
	}
	reader := bufio.NewReader(connection)
	for {
		reply, err := http.ReadResponse(reader, nil)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timeout") {
				s.t.Errorf("the connection stays open: %v", err)
			}
			return statuses
		}
		_, _ = io.Copy(io.Discard, reply.Body)
		if reply.StatusCode < 200 {
			continue
		}
		if statuses = append(statuses, reply.StatusCode); len(statuses) == 1 {
			_ = connection.(*net.TCPConn).CloseWrite()
		}
	}
}

// A rawCase is what is sent, with \n for line ends and # for a token request that is good.
type rawCase struct {
	name, send string
	status     int // of the only reply
	calls      int // of Stytch
	unfinished bool
}

const (
	smuggled = "GET /healthz HTTP/1.1\nHost: x\n\n"
	asForm   = "Host: localhost\nContent-Type: application/x-www-form-urlencoded\n"
	tokenTop = "POST /oauth2/token HTTP/1.1\n" + asForm
)

// chunked is the good request in one chunk of 3 hexadecimal digits of length.
const chunked = "%CHUNK%\n#\n0\n\n"

var rawCases = []rawCase{
	{name: "plain", send: tokenTop + "Content-Length: %LENGTH%\n\n#", status: 200, calls: 1},
	{name: "chunked", send: tokenTop + "Transfer-Encoding: chunked\n\n" + chunked, status: 200, calls: 1},
	{name: "spoofed Host", send: strings.Replace(tokenTop, "Host: localhost", "Host: evil.example", 1) +
		"Content-Length: %LENGTH%\n\n#", status: 200, calls: 1},
	{name: "Host with a user", send: strings.Replace(tokenTop, "Host: localhost", "Host: localhost@evil.example", 1) +
		"Content-Length: %LENGTH%\n\n#", status: 400},
	{name: "forwarded hosts",
		send: tokenTop + "X-Forwarded-Host: evil.example\nForwarded: host=evil.example\nX-Original-URL: " +
			"/evil\nX-Rewrite-URL: /evil\nX-Forwarded-Proto: gopher\nContent-Length: %LENGTH%\n\n#",
		status: 200, calls: 1},
	{name: "absolute form", send: "POST http://evil.example/oauth2/token HTTP/1.1\n" + asForm +
		"Content-Length: %LENGTH%\n\n#", status: 200, calls: 1},
	{name: "absolute form with a user", send: "POST http://localhost@evil.example/oauth2/token HTTP/1.1\n" + asForm +
		"Content-Length: %LENGTH%\n\n#", status: 200, calls: 1},
	{name: "two slashes", send: "POST //evil.example/oauth2/token HTTP/1.1\n" + asForm +
		"Content-Length: %LENGTH%\n\n#", status: 404},
	{name: "two slashes before the path", send: "POST //oauth2/token HTTP/1.1\n" + asForm +
		"Content-Length: %LENGTH%\n\n#", status: 404},
	{name: "two dots", send: "POST /oauth2/../oauth2/token " +
		"HTTP/1.1\n" + asForm + "Content-Length: %LENGTH%\n\n#", status: 404},
	{name: "two encoded dots", send: "POST /x/%2e%2e/oauth2/token HTTP/1.1\n" + asForm +
		"Content-Length: %LENGTH%\n\n#", status: 404},
	{name: "an encoded slash", send: "POST /oauth2%2ftoken HTTP/1.1\n" + asForm + "Content-Length: %LENGTH%\n\n#",
		status: 404},
	{name: "a slash at the end", send: "POST /oauth2/token/ HTTP/1.1\n" + asForm + "Content-Length: %LENGTH%\n\n#",
		status: 404},
	{name: "a backslash", send: `POST /oauth2\token HTTP/1.1` + "\n" + asForm + "Content-Length: %LENGTH%\n\n#",
		status: 404},
	{name: "a path of capitals", send: "POST /OAUTH2/TOKEN HTTP/1.1\n" + asForm + "Content-Length: %LENGTH%\n\n#",
		status: 404},
	{name: "NUL in the path", send: "POST /oauth2/token%00 HTTP/1.1\n" + asForm + "Content-Length: %LENGTH%\n\n#",
		status: 404},
	{name: "an @ for a path", send: "POST @evil.example/oauth2/token HTTP/1.1\n" + asForm +
		"Content-Length: %LENGTH%\n\n#", status: 400},
	{name: "an @ in the path", send: "POST /@evil.example/oauth2/token HTTP/1.1\n" + asForm +
		"Content-Length: %LENGTH%\n\n#", status: 404},
	{name: "a tunnel", send: "CONNECT evil.example:443 HTTP/1.1\nHost: evil.example\n\n", status: 405},
	{name: "an asterisk", send: "OPTIONS * HTTP/1.1\nHost: localhost\n\n", status: 200},
	{name: "another method in a header", send: "GET /oauth2/token HTTP/1.1\n" + asForm +
		"X-HTTP-Method-Override: POST\nContent-Length: %LENGTH%\n\n#", status: 405},

	{name: "length and chunks", send: tokenTop + "Content-Length: 4\nTransfer-Encoding: chunked\n\n" + chunked +
		smuggled, status: 200, calls: 1},
	{name: "chunks and length", send: tokenTop + "Transfer-Encoding: chunked\nContent-Length: 4\n\n" + chunked +
		smuggled, status: 200, calls: 1},
	{name: "chunks with a request behind", send: tokenTop + "Transfer-Encoding: chunked\n\n" + chunked + smuggled,
		status: 200, calls: 1},
	{name: "no chunks at all, then a request",
		send: "POST /api/v1/tasks HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nContent-Length: " +
			"40\n\n0\n\n" + smuggled, status: 401},
	{name: "two lengths", send: tokenTop + "Content-Length: %LENGTH%\nContent-Length: 0\n\n#" + smuggled, status: 400},
	{name: "two lengths in one", send: tokenTop + "Content-Length: %LENGTH%, 0\n\n#" + smuggled, status: 400},
	{name: "a length with a sign", send: tokenTop + "Content-Length: +%LENGTH%\n\n#" + smuggled, status: 400},
	{name: "a negative length", send: tokenTop + "Content-Length: -1\n\n#" + smuggled, status: 400},
	{name: "a hexadecimal length", send: tokenTop + "Content-Length: 0x10\n\n#" + smuggled, status: 400},
	{name: "an endless length", send: tokenTop + "Content-Length: 99999999999999999999\n\n#" + smuggled, status: 400},
	{name: "an empty length", send: tokenTop + "Content-Length:\n\n#" + smuggled, status: 400},
	{name: "a length behind a vertical tab", send: tokenTop + "Content-Length: \v0\n\n#" + smuggled, status: 400},
	{name: "a space before the colon", send: tokenTop + "Content-Length : 0\nContent-Length: %LENGTH%\n\n#" + smuggled,
		status: 400},
	{name: "chunks, a space before the colon",
		send: tokenTop + "Transfer-Encoding : chunked\n\n" + chunked + smuggled, status: 400},
	{name: "chunks, misspelt", send: tokenTop + "Transfer-Encoding: xchunked\n\n" + chunked + smuggled, status: 501},
	{name: "chunks, behind a vertical tab", send: tokenTop + "Transfer-Encoding: \vchunked\n\n" + chunked + smuggled,
		status: 400},
	{name: "chunks, twice", send: tokenTop + "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n" + chunked +
		smuggled, status: 501},
	{name: "chunks, then identity", send: tokenTop + "Transfer-Encoding: chunked, identity\n\n" + chunked + smuggled,
		status: 501},
	{name: "chunks of gzip", send: tokenTop + "Transfer-Encoding: gzip, chunked\n\n" + chunked + smuggled, status: 501},
	{name: "chunks, folded", send: tokenTop + "Transfer-Encoding:\n chunked\nContent-Length: 4\n\n" + chunked +
		smuggled, status: 200, calls: 1},
	{name: "a chunk of negative length", send: tokenTop + "Transfer-Encoding: chunked\n\n-5\n#\n0\n\n" + smuggled,
		status: 400},
	{name: "a chunk of length 0x5", send: tokenTop + "Transfer-Encoding: chunked\n\n0x5\nhello\n0\n\n" + smuggled,
		status: 400},
	{name: "a chunk of overflowing length",
		send: tokenTop + "Transfer-Encoding: chunked\n\n10000000000000001\n#\n0\n\n" + smuggled, status: 400},
	{name: "a chunk longer than it says", send: tokenTop + "Transfer-Encoding: chunked\n\n1\n#\n0\n\n" + smuggled,
		status: 400},
	{name: "a chunk with a long extension", send: tokenTop + "Transfer-Encoding: chunked\n\n1;" + strings.Repeat("x",
		9000) + "\n#\n0\n\n" + smuggled, status: 400},
	{name: "a trailer with a length",
		send: tokenTop + "Transfer-Encoding: chunked\nTrailer: Content-Length\n\n%CHUNK%\n#\n0\nContent-Length: " +
			"5\n\n" + smuggled, status: 400},
	{name: "chunks of HTTP/1.0", send: strings.Replace(tokenTop, "1.1", "1.0", 1) + "Transfer-Encoding: chunked\n\n" +
		chunked + smuggled, status: 400},
	{name: "a request in the body of another",
		send: "GET /idp HTTP/1.1\nHost: x\nContent-Length: 34\n\n" + smuggled, status: 400},
	{name: "a body longer than its length", send: tokenTop + "Content-Length: 4\nConnection: close\n\n#" + smuggled,
		status: 400},
	{name: "a length that is a hop's",
		send: tokenTop + "Connection: close, Content-Length\nContent-Length: " +
			"%LENGTH%\n\n#" + smuggled, status: 200, calls: 1},
	{name: "a body that does not come", send: tokenTop + "Content-Length: 500\n\n#", status: 400, unfinished: true},
	{name: "chunks that do not end", send: tokenTop + "Transfer-Encoding: chunked\n\n%CHUNK%\n#\n", status: 400,
		unfinished: true},
	{name: "headers that do not end", send: tokenTop, status: 400, unfinished: true},

	{name: "no Host", send: "GET /healthz HTTP/1.1\n\n" + smuggled, status: 400},
	{name: "two Hosts", send: "GET /healthz HTTP/1.1\nHost: a\nHost: b\n\n" + smuggled, status: 400},
	{name: "a header without a colon", send: "GET /healthz HTTP/1.1\nHost: a\nx\n\n" + smuggled, status: 400},
	{name: "a header with a space in its name",
		send: "GET /healthz HTTP/1.1\nHost: a\nx y: z\n\n" + smuggled, status: 400},
	{name: "a header without a name", send: "GET /healthz HTTP/1.1\nHost: a\n: z\n\n" + smuggled, status: 400},
	{name: "NUL in a header", send: "GET /healthz HTTP/1.1\nHost: a\nx: \x00\n\n" + smuggled, status: 400},
	{name: "a space before the first header", send: "GET /healthz HTTP/1.1\n Host: a\n\n" + smuggled, status: 400},
	{name: "a version that does not exist", send: "GET /healthz HTTP/1.9.9\nHost: a\n\n" + smuggled, status: 400},
	{name: "HTTP/2 without being asked", send: "PRI * HTTP/2.0\n\nSM\n\n" + smuggled, status: 405},
	{name: "HTTP/0.9", send: "GET /healthz\n\n" + smuggled, status: 400},
	{name: "not HTTP", send: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n" + smuggled, status: 400},
	{name: "a target with a space", send: "GET /heal thz HTTP/1.1\nHost: a\n\n" + smuggled, status: 400},
	{name: "a target that is not encoded", send: "GET /%zz HTTP/1.1\nHost: a\n\n" + smuggled, status: 400},
	{name: "an unknown expectation", send: "GET /healthz HTTP/1.1\nHost: a\nExpect: 200-maybe\n\n", status: 417},
	{name: "headers of 64 KiB", send: "GET /healthz HTTP/1.1\nHost: a\nx: " + strings.Repeat("y", 64<<10) + "\n\n" +
		smuggled, status: 431},
	{name: "5,000 headers", send: "GET /healthz HTTP/1.1\nHost: a\n" + strings.Repeat("x: y\n", 5000) + "\n" + smuggled,
		status: 431},
	{name: "a change to HTTP/2",
		send: "GET /healthz HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: " +
			"AAMAAABkAAQAAP__\n\n", status: 200},
}

// bytes returns those of the case, its good token request being of a client of its own.
func (c rawCase) bytes(number int) string {
	body := url.Values{"grant_type": {"authorization_code"}, "code": {"c"},
		"client_id": {fmt.Sprintf("connected-app-test-%d", number)}}.Encode()
	return strings.NewReplacer("\n", "\r\n", "%LENGTH%", fmt.Sprint(len(body)), "%CHUNK%", fmt.Sprintf("%x", len(body)),
		"#", body).Replace(c.send)
}

// Whatever a connection carries, there is one reply at most, never that of a request hidden
// in another, and Stytch is called at one address only. 501 is HTTP's own word for a coding
// that a server does not speak.
func TestRawRequests(t *testing.T) {
	s := newRawServer(t)
	second, failures := 0, 0
	for i, tt := range rawCases {
		t.Run(tt.name, func(t *testing.T) {
			got := s.send(tt.bytes(i), tt.unfinished)
			if !slices.Equal(got, []int{tt.status}) {
				t.Errorf("replies %v, want one %d", got, tt.status)
			}
			if len(got) > 1 {
				second++
			}
			if slices.ContainsFunc(got,
				func(status int) bool { return status >= 500 && status != http.StatusNotImplemented }) {
				failures++
			}
			calls := s.calls()
			if len(calls) != tt.calls {
				t.Errorf("%d calls of Stytch, want %d", len(calls), tt.calls)
			}
			for _, call := range calls {
				if call.Method != "POST" || call.RequestURI != "/v1/oauth2/token" || "http://"+call.Host != s.far.URL {
					t.Errorf("%s %s at %s", call.Method, call.RequestURI, call.Host)
				}
				if names := slices.Sorted(maps.Keys(call.Header)); !slices.Equal(names,
					[]string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent"}) {
					t.Errorf("Stytch is sent %v", names)
				}
			}
		})
	}
	t.Logf("%d raw requests: %d second replies, %d failures of the server", len(rawCases), second, failures)
}
