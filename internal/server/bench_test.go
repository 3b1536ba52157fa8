package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	otelsdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"guestpass"
	"guestpass/stytchtest"
)

func quiet(o *guestpass.Options) { o.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) }

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

// BenchmarkWatchedRequest and BenchmarkTracedRequest are the public one with what GUESTPASS_ADMIN_ADDR and OTEL_* add.
func BenchmarkWatchedRequest(b *testing.B) {
	benchmarkRequest(b, false, func(o *guestpass.Options) { o.Metrics = prometheus.NewRegistry() })
}

func BenchmarkTracedRequest(b *testing.B) {
	benchmarkRequest(b, false, func(o *guestpass.Options) {
		o.TracerProvider = otelsdk.NewTracerProvider(otelsdk.WithBatcher(tracetest.NewNoopExporter()))
	})
}

func benchmarkRequest(b *testing.B, authenticated bool, change ...func(*guestpass.Options)) {
	w := newWorld(b, append(change, quiet, greet(authenticated))...)
	r := httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/greeting", nil)
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
	r := httptest.NewRequest(http.MethodGet, "http://localhost/openapi.json", nil)
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

// BenchmarkCallsBesideAFlood measures what a member who sends 500 calls a second, nearly all
// of them refused, costs the others of the organization: the 99th percentile of their calls
// with that flood and without, in turns, so that whatever else the machine does meets both.
// Clients and server share its processors.
func BenchmarkCallsBesideAFlood(b *testing.B) {
	const people, turn, rate, quota = 100, 50, 500, 600
	seed, now := stytchtest.Development(), time.Now()
	for i := range people {
		seed.Members = append(seed.Members,
			stytchtest.Member{ID: fmt.Sprintf("member-test-aaaaaaaa-0000-4000-9000-%012d", i), OrganizationID: acme,
				Email: fmt.Sprintf("%d@acme.example", i), Name: "Somebody", Status: "active"})
	}
	const many = 1 << 30
	w := newWorldOf(b, stytchtest.Options{Seed: &seed, Now: func() time.Time { return now }}, quiet,
		limited(guestpass.Limits{Member: quota, Organization: many, Client: many, Address: many}))
	tokens := make([]string, people)
	for i := range tokens {
		tokens[i] = w.token(seed.Members[len(seed.Members)-people+i].ID, "tasks:read")
		if got := w.reads(tokens[i]); got != http.StatusOK {
			b.Fatal(got)
		}
	}
	flooding := w.token(ada, "tasks:read")
	for w.reads(flooding) == http.StatusOK {
	}
	var on, over atomic.Bool
	var refused atomic.Int64
	var flood sync.WaitGroup
	flood.Go(func() {
		pace := time.NewTicker(time.Second / rate)
		defer pace.Stop()
		for !over.Load() {
			if <-pace.C; on.Load() && w.reads(flooding) == http.StatusTooManyRequests {
				refused.Add(1)
			}
		}
	})
	var took [2][]time.Duration // without the flood, and with it
	var spent [2]time.Duration
	for i := 0; b.Loop(); i++ {
		with := i / turn % 2
		on.Store(with == 1)
		start := time.Now()
		if got := w.reads(tokens[i%people]); got != http.StatusOK {
			b.Fatal(got)
		}
		took[with] = append(took[with], time.Since(start))
		spent[with] += time.Since(start)
	}
	over.Store(true)
	flood.Wait()
	if len(took[1]) == 0 {
		return // the first run is of one call
	}
	calm, loud := p99(took[0]), p99(took[1])
	b.ReportMetric(calm, "p99-µs")
	b.ReportMetric(loud, "p99-flood-µs")
	b.ReportMetric(loud/calm, "p99-ratio")
	b.ReportMetric(float64(refused.Load())/spent[1].Seconds(), "refused/s")
}

// p99 returns the 99th percentile in microseconds.
func p99(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[int(math.Ceil(0.99*float64(len(took))))-1].Nanoseconds()) / 1000
}
