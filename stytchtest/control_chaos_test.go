package stytchtest_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"guestpass/stytchtest"
)

// A chaoticEmulator is asked directly, in a bubble of its own time: slow requests take none.
type chaoticEmulator struct {
	*stytchtest.Emulator
	newest string // key id
}

func chaotic(t *testing.T, c stytchtest.Chaos) *chaoticEmulator {
	t.Helper()
	e := must[*stytchtest.Emulator](t)(stytchtest.New(stytchtest.Options{Chaos: c, Issuer: "https://emulator.example"}))
	return &chaoticEmulator{e, newestKey(t, e)}
}

// newestKey is that of a token that the emulator signs now.
func newestKey(t *testing.T, e *stytchtest.Emulator) string {
	t.Helper()
	return decodePart(t, must[string](t)(e.Mint(stytchtest.MintRequest{Subject: ada})), 0)["kid"].(string)
}

// fate returns what became of one request: ok, slow, a status, cut off, or fresh key.
func (c *chaoticEmulator) fate(t *testing.T, method, path string) (fate string) {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost:8081"+path, nil)
	r.RemoteAddr = "127.0.0.1:5"
	w, began := httptest.NewRecorder(), time.Now()
	defer func() {
		if err, _ := recover().(error); errors.Is(err, http.ErrAbortHandler) {
			if w.Code != 200 || w.Body.Len() == 0 || json.Valid(w.Body.Bytes()) {
				t.Errorf("cut off after %d %q", w.Code, w.Body)
			}
			fate = "cut off"
		}
	}()
	c.ServeHTTP(w, r)
	switch key := newestKey(t, c.Emulator); {
	case w.Code != 200:
		if !strings.Contains(w.Body.String(), `"error_type":"`) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		return http.StatusText(w.Code)
	case time.Since(began) > 0:
		return "slow"
	case key != c.newest:
		c.newest = key
		return "fresh key"
	}
	return "ok"
}

const keyPath = "/.well-known/jwks.json"

func (c *chaoticEmulator) fates(t *testing.T, n int) (list []string) {
	t.Helper()
	for range n {
		list = append(list, c.fate(t, "GET", keyPath))
	}
	return list
}

func TestChaosCanBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 40
		one, two, other := chaotic(t, stytchtest.Chaos{Percent: 50, Seed: 7}),
			chaotic(t, stytchtest.Chaos{Percent: 50, Seed: 7}), chaotic(t, stytchtest.Chaos{Percent: 50, Seed: 8})
		first := one.fates(t, n)
		// Requests for something else in between make no difference: a run can be repeated though its requests race.
		var second []string
		for range n {
			two.fate(t, "GET", "/.well-known/openid-configuration")
			second = append(second, two.fate(t, "GET", keyPath))
		}
		if !slices.Equal(first, second) {
			t.Errorf("the same seed\n%v\n%v", first, second)
		}
		if slices.Equal(first, other.fates(t, n)) {
			t.Error("another seed has the same fates")
		}
	})
}

func TestChaosIsOfTheSizeThatWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 600
		seen := map[string]int{}
		for _, fate := range chaotic(t, stytchtest.Chaos{Percent: 10, Seed: 1}).fates(t, n) {
			seen[fate]++
		}
		if hit := n - seen["ok"]; hit < 40 || hit > 80 {
			t.Errorf("%d of %d requests were hit, 60 should be: %v", hit, n, seen)
		}
		for _, fate := range []string{"slow", "Too Many Requests", "Internal Server Error", "Service Unavailable",
			"cut off", "fresh key"} {
			if seen[fate] == 0 {
				t.Errorf("nobody met %s: %v", fate, seen)
			}
		}
		if len(seen) != 7 {
			t.Errorf("%v", seen)
		}
	})
}

func TestChaosSparesWhatItMust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := chaotic(t, stytchtest.Chaos{Percent: 100})
		for range 20 {
			for _, path := range []string{"/", "/_emulator/state", "/_emulator/inbox"} {
				if fate := all.fate(t, "GET", path); fate != "ok" {
					t.Errorf("%s met %s", path, fate)
				}
			}
			r := httptest.NewRequest("OPTIONS", "http://localhost:8081/sdk/v1/b2b/sessions/authenticate", nil)
			r.RemoteAddr = "127.0.0.1:5"
			r.Header.Set("Origin", "http://localhost:8080")
			w := httptest.NewRecorder()
			if all.ServeHTTP(w, r); w.Code != http.StatusNoContent {
				t.Errorf("a preflight: %d", w.Code)
			}
		}
		if fates := all.fates(t, 10); slices.Contains(fates, "ok") {
			t.Errorf("with 100 percent %v", fates)
		}
		if fates := chaotic(t, stytchtest.Chaos{Seed: 3}).fates(t, 50); slices.ContainsFunc(fates,
			func(f string) bool { return f != "ok" }) {
			t.Errorf("without chaos %v", fates)
		}
	})
	for _, percent := range []int{-1, 101} {
		if _, err := stytchtest.New(stytchtest.Options{Chaos: stytchtest.Chaos{Percent: percent}}); err == nil {
			t.Errorf("%d percent", percent)
		}
	}
}

// TestChaosIsSeenInTheRequests: also the ones that were cut off.
func TestChaosIsSeenInTheRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := chaotic(t, stytchtest.Chaos{Percent: 100, Seed: 2})
		fates := all.fates(t, 12)
		requests := all.Requests()
		if len(requests) != len(fates) {
			t.Fatalf("%d requests, %d fates", len(requests), len(fates))
		}
		for i, fate := range fates {
			r := requests[len(requests)-1-i]
			if r.Route != keyPath && r.Error == "" || (fate == http.StatusText(r.Status)) != (r.Error != "") {
				t.Errorf("%s is remembered as %+v", fate, r)
			}
		}
	})
}
