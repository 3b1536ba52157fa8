package auth

import (
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// latencies are those of single calls, of which benchmarks report the 99th percentile.
type latencies []time.Duration

func (l *latencies) note(start time.Time) { *l = append(*l, time.Since(start)) }

func (l latencies) report(b *testing.B) {
	slices.Sort(l)
	b.ReportMetric(float64(l[int(math.Ceil(0.99*float64(len(l))))-1].Nanoseconds())/1000, "p99-µs")
}

// BenchmarkVerifyCold verifies tokens that the cache does not know.
func BenchmarkVerifyCold(b *testing.B) {
	f := newFixture(b)
	tokens := make([]string, 64)
	for i := range tokens {
		tokens[i] = f.token(object{"jti": strconv.Itoa(i)})
	}
	if _, err := f.Verify(b.Context(), tokens[0]); err != nil {
		b.Fatal(err)
	}
	took := make(latencies, 0, 1<<20)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(tokens) == 0 {
			f.cache.tokens.Clear()
		}
		start := time.Now()
		if _, err := f.Verify(b.Context(), tokens[i%len(tokens)]); err != nil {
			b.Fatal(err)
		}
		took.note(start)
	}
	took.report(b)
}

// BenchmarkVerifyCached verifies one token again and again.
func BenchmarkVerifyCached(b *testing.B) {
	f := newFixture(b)
	token := f.token(nil)
	if _, err := f.Verify(b.Context(), token); err != nil {
		b.Fatal(err)
	}
	took := make(latencies, 0, 1<<22)
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		if _, err := f.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
		took.note(start)
	}
	took.report(b)
}

// BenchmarkVerifyOdd verifies tokens as long as may be, of what costs most to read: many names,
// and deep nesting.
func BenchmarkVerifyOdd(b *testing.B) {
	f := newFixture(b)
	var names strings.Builder
	for i := range 550 {
		names.WriteString(`"` + strconv.Itoa(i) + `":1,`)
	}
	payload := f.claims().json()[1:]
	for name, more := range map[string]string{"many names": names.String(), "deep nesting": `"x":` +
		strings.Repeat("[", 2400) + strings.Repeat("]", 2400) + ","} {
		token := sign(f.header().json(), "{"+more+payload, keyOne())
		b.Run(name, func(b *testing.B) {
			took := make(latencies, 0, 1<<20)
			b.ReportAllocs()
			for b.Loop() {
				f.cache.tokens.Clear()
				start := time.Now()
				if _, err := f.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
				took.note(start)
			}
			took.report(b)
		})
	}
}

// junk is large, and no token.
func junk(good string) map[string]string {
	return map[string]string{"a megabyte": strings.Repeat("A", 1<<20), "a million dots": strings.Repeat(".", 1_000_000),
		"a megabyte behind a token": good + strings.Repeat("A", 1<<20), "a megabyte of payload": strings.Replace(good,
			".", "."+strings.Repeat("A", 1<<20), 1)}
}

// BenchmarkJunk refuses what is far too large.
func BenchmarkJunk(b *testing.B) {
	f := newFixture(b)
	for name, token := range junk(f.token(nil)) {
		b.Run(name, func(b *testing.B) {
			took := make(latencies, 0, 1<<22)
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				if _, err := f.Verify(b.Context(), token); err == nil {
					b.Fatal("accepted")
				}
				took.note(start)
			}
			took.report(b)
		})
	}
}

// What is far too large is refused before anything is made of it.
func TestJunkIsRefusedInAKilobyte(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	for name, token := range junk(f.token(nil)) {
		const times = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			if _, err := f.Verify(t.Context(), token); Reason(err) != "length" {
				t.Fatalf("%s: %v", name, err)
			}
		}
		runtime.ReadMemStats(&after)
		each := (after.TotalAlloc - before.TotalAlloc) / times
		if each > 1<<10 {
			t.Errorf("%s: %d bytes are allocated, want 1,024 at most", name, each)
		}
		t.Logf("%s: refused, %d bytes allocated", name, each)
	}
}

func TestACachedTokenCostsLittle(t *testing.T) {
	f := newFixture(t)
	token := f.token(nil)
	f.accepts(t, token)
	if n := testing.AllocsPerRun(100, func() { f.Verify(t.Context(), token) }); n > 10 {
		t.Errorf("%v allocations, want 10 at most", n)
	}
}
