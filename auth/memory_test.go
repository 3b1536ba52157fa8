package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

var tokens = flag.Int("tokens", 50_000, "how many distinct tokens TestDistinctTokensTakeNoMemory has remembered")

// TestDistinctTokensTakeNoMemory has the cache remember distinct tokens, and every hundredth
// time the whole verifier refuse one more. Signing them all would take hours, so that the
// remembered ones stand for themselves by their hashes, as in the cache.
func TestDistinctTokensTakeNoMemory(t *testing.T) {
	f := newFixture(t)
	good := f.token(nil)
	identity := f.accepts(t, good)
	signature := good[strings.LastIndexByte(good, '.'):]
	head, _, _ := strings.Cut(good, ".")
	before, goroutines := heap(), runtime.NumGoroutine()
	for i := range *tokens {
		own := identity
		own.Subject = identity.Subject + strconv.Itoa(i/10)
		f.cache.put(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))), own, f.clock.Now(),
			f.keys.current().generation)
		if i%100 == 0 {
			forged := head + "." + encode(f.claims().with(object{"jti": i}).json()) + signature
			if _, err := f.Verify(t.Context(), forged); err == nil {
				t.Fatal("a forged token was accepted")
			}
		}
	}
	grown := (int64(heap()) - int64(before)) >> 20
	t.Logf("%d tokens: the heap has grown by %d MiB, %d are remembered, %d goroutines "+
		"more", *tokens, grown, f.cache.tokens.Len(), runtime.NumGoroutine()-goroutines)
	if grown >= 64 || f.cache.tokens.Len() > maxCached || runtime.NumGoroutine() > goroutines+5 {
		t.Error("that is too much")
	}
}

// heap returns what is in use once all garbage is gone.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
