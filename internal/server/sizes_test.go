package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"guestpass"
	"guestpass/stytchtest"
)

// Bodies and headers at their limits, and one beyond.
func TestSizesAreExact(t *testing.T) {
	w := newWorld(t)
	w.url = serveAsInProduction(t, w.app)
	token := w.token(ada, "tasks:read", "tasks:write")
	padded := func(size int) string { // JSON of exactly so many bytes
		const body = `{"title":"padded"}`
		return body + strings.Repeat(" ", size-len(body))
	}
	nested := func(depth int) string {
		return `{"title":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
	}
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	header := func(size int) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Padding", strings.Repeat("x", size)) }
	}
	for _, tt := range []struct {
		name   string
		path   string
		body   string
		change []func(*http.Request)
		want   int
	}{
		{"a body of 100,000 characters", "/api/v1/tasks", padded(100_000), nil, 201},
		{"a body of 131,072 bytes", "/api/v1/tasks", padded(131_072), nil, 201},
		{"a body of 131,073 bytes", "/api/v1/tasks", padded(131_073), nil, 413},
		{"a body of 131,072 bytes without a length",
			"/api/v1/tasks", padded(131_072), []func(*http.Request){chunked}, 201},
		{"a body of 131,073 bytes without a length",
			"/api/v1/tasks", padded(131_073), []func(*http.Request){chunked}, 413},
		{"a body of a megabyte", "/api/v1/tasks", padded(1 << 20), nil, 413},
		{"nested 16 deep: what is wrong is the title", "/api/v1/tasks", nested(16), nil, 422},
		{"nested 17 deep", "/api/v1/tasks", nested(17), nil, 400},
		{"nested 60,000 deep", "/api/v1/tasks", nested(60_000), nil, 400},
		{"a token request of 8,193 bytes",
			"/oauth2/token", "code=" + strings.Repeat("x", 8_188), []func(*http.Request){form}, 413},
		{"headers of 15 KiB", "/api/v1/tasks", `{"title":"headers"}`, []func(*http.Request){header(15 << 10)}, 201},
		{"headers of 24 KiB", "/api/v1/tasks", `{"title":"headers"}`, []func(*http.Request){header(24 << 10)}, 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := w.call("POST", tt.path, token, tt.body, tt.change...); r.status != tt.want {
				t.Errorf("%d %s, want %d", r.status, r.body, tt.want)
			}
		})
	}
}

// serveAsInProduction returns the address of a server with the real one's limits.
func serveAsInProduction(t *testing.T, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- guestpass.Serve(ctx, listener, handler, slog.New(slog.DiscardHandler), 0) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

func form(r *http.Request) {
	r.Header.Del("Authorization")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
}

// The largest answers that people can cause stay below what ChatGPT reads: texts as long as
// they may be, of characters that JSON writes as two or six, in lists as long as they may be.
func TestRepliesStayBelowWhatAGPTReads(t *testing.T) {
	t.Parallel()
	seed := stytchtest.Development()
	for i := range 120 {
		seed.Members = append(seed.Members,
			stytchtest.Member{ID: fmt.Sprintf("member-test-aaaaaaaa-0000-4000-9000-%012d", i), OrganizationID: acme,
				Email: fmt.Sprintf("%d%s@acme.example", i, strings.Repeat("x", 235)), Name: strings.Repeat("\u2028",
					200),
				Status: "active"})
	}
	w := newWorldOf(t, stytchtest.Options{Seed: &seed})
	p := w.as(ada)
	for i := range 100 {
		p.do(201, "POST", "/api/v1/tasks", fmt.Sprintf(`{"title":"%d %s","notes":%q}`, i, strings.Repeat("t", 190),
			strings.Repeat("\"é", 1000)))
	}
	long := "/api/v1/tasks/" + p.create(fmt.Sprintf(`{"title":%q,"notes":%q}`, strings.Repeat("\"", 200),
		strings.Repeat("\"", 10_000)))
	for range 3 {
		p.do(200, "PATCH", long, fmt.Sprintf(`{"notes":%q}`, strings.Repeat(">", 10_000)))
		p.do(200, "PATCH", long, fmt.Sprintf(`{"notes":%q}`, strings.Repeat("\"", 10_000)))
	}
	for i := range 20 {
		p.do(201, "POST", long+"/comments", fmt.Sprintf(`{"text":%q}`, fmt.Sprint(i)+strings.Repeat("\"", 4_990)))
	}
	most := 0
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/api/v1/tasks?limit=100", "", 200}, {"GET", "/api/v1/tasks?limit=100&sort=updated", "", 200},
		{"GET", "/api/v1/activity?limit=50", "", 200},
		{"GET", long, "", 200}, {"GET", long + "/comments?limit=100", "", 200}, {"GET", "/api/v1/members?limit=100", "",
			200},
		{"GET", "/api/v1/next-steps", "", 200}, {"PATCH", long, `{"title":"stale","version":1}`, 409},
		{"POST", long + "/complete", "", 200},
	} {
		r := w.call(tt.method, tt.path, p.token, tt.body)
		if r.status != tt.status {
			t.Fatalf("%s %s: %d %s", tt.method, tt.path, r.status, r.body)
		}
		n := len([]rune(r.body))
		if most = max(most, n); n > 95_000 {
			t.Errorf("%s %s answers with %d characters, more than 95,000", tt.method, tt.path, n)
		}
	}
	t.Logf("the longest reply has %d characters", most)
}
