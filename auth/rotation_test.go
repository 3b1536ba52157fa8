package auth

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// running returns a fixture in real time, within a synctest bubble, whose Run goes on beside the test.
func running(t *testing.T, changes ...func(*Options)) *fixture {
	t.Helper()
	f := newFixture(t, append([]func(*Options){func(o *Options) { o.Now = time.Now }}, changes...)...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	synctest.Wait()
	return f
}

// passes lets time go by, and what is due then happen.
func (f *fixture) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// now returns a good token of the key, issued now.
func (f *fixture) now(kid string, key *rsa.PrivateKey) string {
	f.clock.Set(time.Now())
	return f.by(kid, key, nil)
}

func TestASecondRotationWithinTheCoolDownIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := running(t)
		f.passes(time.Minute)
		f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("second", keyTwo())))
		f.accepts(t, f.now("second", keyTwo()))
		f.passes(5 * time.Second)
		f.jwks.Serve(http.StatusOK, keySetOf(jwk("second", keyTwo()), jwk("third", keyOne())))
		f.refuses(t, f.now("third", keyOne()), "unknown kid")
		f.wantFetches(t, 2)
		f.passes(20*time.Second - 1)
		f.wantFetches(t, 2)
		f.passes(1) // nobody calls, and the key is there
		f.wantFetches(t, 3)
		f.accepts(t, f.now("third", keyOne()))
		f.passes(4 * time.Minute) // without a miss there are only the refreshes
		f.wantFetches(t, 4)
	})
}

// The promise is 30 s from the first token to a key that is there: the wait and one slow fetch
// must fit into it.
func TestTheCoolDownLeavesTimeForAFetch(t *testing.T) {
	if coolDown+fetchTimeout > 30*time.Second {
		t.Errorf("a cool-down of %v and a fetch of %v are more than 30 s", coolDown, fetchTimeout)
	}
}

// A cache in between may answer with the keys from before the rotation: that is looked
// at once more when the cool-down ends, and no oftener.
func TestAnOldAnswerIsLookedAtOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := running(t)
		f.passes(time.Second)
		f.refuses(t, f.now("second", keyTwo()), "unknown kid")
		f.wantFetches(t, 2)
		f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("second", keyTwo())))
		f.passes(25*time.Second - 1)
		f.refuses(t, f.now("second", keyTwo()), "unknown kid")
		f.passes(1)
		f.wantFetches(t, 3)
		f.accepts(t, f.now("second", keyTwo()))

		f.refuses(t, f.now("foreign", keyTwo()), "unknown kid") // by a key that nobody has
		f.passes(4 * time.Minute)
		f.wantFetches(t, 4)
	})
}

// While keys cannot be fetched nobody knows whether an unknown one is good: that is no
// verdict on the token, and is looked at again soon.
func TestALookThatFailsIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := running(t)
		f.passes(time.Second)
		f.jwks.Serve(http.StatusServiceUnavailable, "")
		f.unavailable(t, f.now("second", keyTwo()))
		f.passes(14 * time.Second)
		f.wantFetches(t, 4) // after 0, 5 and 10 s
		f.unavailable(t, f.now("second", keyTwo()))
		f.wantFetches(t, 4)
		f.accepts(t, f.now(testKid, keyOne()))
		f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("second", keyTwo())))
		f.passes(time.Second)
		f.wantFetches(t, 5)
		f.accepts(t, f.now("second", keyTwo()))
		f.passes(3 * time.Minute)
		f.wantFetches(t, 5)
		f.refuses(t, f.now("third", keyTwo()), "unknown kid")
	})
}

// However many unknown key ids come, in calls and beside them, there is one fetch in 25 s;
// and a rotation in the middle of them is seen by the next.
func TestAFloodOfUnknownKeyIdsHidesNoRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := running(t)
		f.passes(time.Second)
		before := f.jwks.Hits()
		for i := range 1200 {
			if i == 300 {
				f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("second", keyTwo())))
			}
			if i == 600 {
				f.accepts(t, f.now("second", keyTwo()))
			}
			if _, err := f.Verify(t.Context(), sign0(f, fmt.Sprintf("kid-%d", i))); Reason(err) != "unknown kid" {
				t.Fatalf("Verify: %v", err)
			}
			f.passes(100 * time.Millisecond)
		}
		if fetches := f.jwks.Hits() - before; fetches != 5 { // at 0, 25, 50, 75 and 100 s
			t.Errorf("%d fetches in two minutes, want 5", fetches)
		}
	})
}

// refusing is a far side whose hosts are down by name.
type refusing struct {
	to   http.RoundTripper
	down map[string]bool
	from []string
}

func (r *refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	r.from = append(r.from, request.URL.Host)
	if request.Header.Get("Cache-Control") != "no-cache" {
		return nil, fmt.Errorf("a cache in between may answer with old keys")
	}
	if r.down[request.URL.Host] {
		return nil, fmt.Errorf("%s is down", request.URL.Host)
	}
	return r.to.RoundTrip(request)
}

func TestKeysComeFromTheFirstDomainThatHasThem(t *testing.T) {
	far := &refusing{down: map[string]bool{}}
	f := newFixture(t, func(o *Options) {
		o.JWKSURLs = []string{"https://login.example.com/jwks", "https://words.customers.stytch.dev/jwks"}
		far.to, o.Transport = o.Transport, far
	})
	f.accepts(t, f.token(nil))
	if len(far.from) != 1 || far.from[0] != "login.example.com" {
		t.Errorf("asked %q, want the first alone", far.from)
	}
	far.down["login.example.com"] = true
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("new", keyTwo())))
	f.accepts(t, f.by("new", keyTwo(), nil))
	if len(far.from) != 3 || far.from[2] != "words.customers.stytch.dev" {
		t.Errorf("asked %q, want the second when the first is down", far.from)
	}
	far.down["words.customers.stytch.dev"] = true
	f.clock.Add(coolDown)
	f.unavailable(t, f.by("other", keyTwo(), nil))
	f.accepts(t, f.by("new", keyTwo(), object{"jti": "another"}))
	if len(far.from) != 5 {
		t.Errorf("asked %q, want each once", far.from)
	}
}

// Where a call has looked when the cool-down ended, nothing is left to do: one fetch in
// 25 s is all. The clock that decides is the verifier's, which is ahead here.
func TestALookThatACallHasMadeIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock *testClock
		f := running(t, func(o *Options) {
			clock = new(testClock)
			clock.Set(time.Now())
			o.Now = clock.Now
		})
		f.refuses(t, f.now("second", keyTwo()), "unknown kid")
		f.passes(time.Second) // the next look is in 24 s
		clock.Add(coolDown)
		f.refuses(t, f.by("second", keyTwo(), nil), "unknown kid")
		f.wantFetches(t, 3)
		f.passes(24 * time.Second)
		f.wantFetches(t, 3)
	})
}
