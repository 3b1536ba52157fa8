package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"guestpass/internal/server"
)

func quiet(o *server.Options) { o.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) }

// sink is a ResponseWriter that can be used again.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

// BenchmarkPublicRequest and BenchmarkAuthenticatedRequest go through the whole
// stack, from the middleware to the operation's reply; none after the first asks Stytch for
// anything, so their difference is what authentication costs.
func BenchmarkPublicRequest(b *testing.B) { benchmarkRequest(b, false) }

func BenchmarkAuthenticatedRequest(b *testing.B) { benchmarkRequest(b, true) }

func benchmarkRequest(b *testing.B, authenticated bool) {
	w := newWorld(b, quiet, greet(authenticated))
	r := httptest.NewRequest(http.MethodGet, "/api/v1/greeting", nil)
	if authenticated {
		r.Header.Set("Authorization", "Bearer "+w.token(ada, "openid"))
	}
	check := httptest.NewRecorder()
	if w.app.ServeHTTP(check, r); check.Code != http.StatusOK {
		b.Fatalf("%d %s", check.Code, check.Body)
	}
	out := &sink{header: http.Header{}}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		clear(out.header)
		w.app.ServeHTTP(out, r)
	}
}

func BenchmarkDocument200(b *testing.B) { benchmarkDocument(b, "") }

func BenchmarkDocument304(b *testing.B) { benchmarkDocument(b, "etag") }

func benchmarkDocument(b *testing.B, condition string) {
	w := newWorld(b, quiet)
	r := httptest.NewRequest(http.MethodGet, "/openapi.json", nil)
	if condition != "" {
		r.Header.Set("If-None-Match", w.app.Document().ETag())
	}
	handler := http.HandlerFunc(w.app.Document().ServeJSON)
	out := &sink{header: http.Header{}}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		clear(out.header)
		handler.ServeHTTP(out, r)
	}
}
