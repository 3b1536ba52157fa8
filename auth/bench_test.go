package auth

import (
	"strconv"
	"testing"
)

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
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(tokens) == 0 {
			clear(f.cache.entries)
		}
		if _, err := f.Verify(b.Context(), tokens[i%len(tokens)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyCached verifies one token again and again.
func BenchmarkVerifyCached(b *testing.B) {
	f := newFixture(b)
	token := f.token(nil)
	if _, err := f.Verify(b.Context(), token); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
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
