package server_test

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// by returns the good token of another key id and key.
func (a *target) by(kid string, changes object) string {
	return signed(a.header().with(object{"kid": kid}).json(), a.claims().with(changes).json(), foreignKey())
}

// wants sends a token and compares all of the reply.
func (a *target) wants(t *testing.T, what, want, token string) {
	t.Helper()
	if fault := a.outcomes()[want].differs(t, a.call("GET", protected, token, "")); fault != "" {
		t.Errorf("%s: %s", what, fault)
	}
}

func (a *target) wantsFetches(t *testing.T, what string, want int) {
	t.Helper()
	if got := a.fetched(); got != want {
		t.Errorf("%s: %d fetches of the keys, want %d", what, got, want)
	}
}

func TestAttackKeysRotate(t *testing.T) {
	a := newTarget(t, ada, stytchtest.Development())
	old := a.good()
	a.wants(t, "the first token", accepted, old)
	a.publish(jwk(ownKid, ownKey()), jwk("new", foreignKey()))
	a.wants(t, "a new key", accepted, a.by("new", nil))
	a.wantsFetches(t, "a new key", 2)
	a.wants(t, "the old key during the overlap", accepted, a.bad(object{"jti": "other"}))
	a.wants(t, "the old kid by the new key", invalidToken, a.by(ownKid, nil))
	a.wantsFetches(t, "two keys", 2)

	a.publish(jwk("new", foreignKey()))
	a.wants(t, "a removed key before the refresh", accepted, old)
	a.stytch.Advance(time.Minute)
	a.wants(t, "an unknown key, which refreshes", invalidToken, a.by("unknown", nil))
	a.wants(t, "a removed key, its token in the cache", invalidToken, old)
	a.wants(t, "a removed key", invalidToken, a.bad(object{"jti": "third"}))
	a.wants(t, "the key that stays", accepted, a.by("new", nil))

	a.publish(jwk("new", ownKey()))
	a.stytch.Advance(time.Minute)
	a.wants(t, "an unknown key, which refreshes again", invalidToken, a.by("unknown", nil))
	a.wants(t, "a kid that means another key now", invalidToken, a.by("new", nil))
}

var flood = flag.Int("flood", 1000,
	"how many tokens with unknown key ids TestAttackFloodOfUnknownKeys sends, 100 at least")

// However many tokens come in a minute, each with a key id of its own, they cause three
// fetches; a rotation a second after the first is seen by the second.
func TestAttackFloodOfUnknownKeys(t *testing.T) {
	t.Parallel()
	a := newTarget(t, ada, stytchtest.Development())
	good := a.good()
	a.wants(t, "the first token", accepted, good)
	before, start := a.fetched(), a.stytch.Now()
	var rotated, seen time.Duration
	parts := strings.Split(good, ".")
	for i := range *flood {
		passed := a.stytch.Now().Sub(start)
		if rotated == 0 && passed >= time.Second {
			a.publish(jwk(ownKid, ownKey()), jwk("new", foreignKey()))
			rotated = passed
		}
		token := base64url(a.header().with(object{"kid": fmt.Sprint("flood-", i)}).json()) + "." + parts[1] + "." +
			parts[2]
		if r := a.call("GET", protected, token, ""); r.status != 401 {
			t.Fatalf("token %d: %d %s", i, r.status, r.body)
		}
		if i%(*flood/100) == 0 {
			a.wants(t, "the good token under the flood", accepted, good)
			if r := a.call("GET", protected, a.by("new", nil), ""); r.status == 200 && seen == 0 {
				seen = passed
			}
		}
		a.stytch.Advance(time.Minute / time.Duration(*flood))
	}
	if n := a.fetched() - before; n < 1 || n > 3 {
		t.Errorf("%d fetches in a minute, want 3 at most", n)
	}
	if seen == 0 || seen-rotated > 30*time.Second {
		t.Errorf("the rotation of second %v was seen at %v, want it 30 s later at most", rotated, seen)
	}
	fmt.Fprintf(t.Output(), "     %d unknown kids in a minute: %d fetches; a rotation at %v seen at %v\n", *flood,
		a.fetched()-before, rotated, seen)
}

// unavailable wants a 503 that says nothing about the token.
func (a *target) unavailable(t *testing.T, what, token string) {
	t.Helper()
	r := a.call("GET", protected, token, "")
	if r.status != 503 || r.header.Get("Retry-After") == "" || r.header.Get("WWW-Authenticate") != "" ||
		r.header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(r.body, `"detail":"access tokens cannot be verified at the moment"`) {
		t.Errorf("%s: %d %v %s, want 503 with Retry-After", what, r.status, r.header, r.body)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func dropped(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// A day without Stytch, keys and directory alike: new tokens are still good, then nobody can tell.
func TestAttackStytchAwayForADay(t *testing.T) {
	a := newTarget(t, ada, stytchtest.Development())
	a.wants(t, "the first token", accepted, a.good())
	a.stytch.Fail(stytchtest.Fault{Path: "/", Kind: "drop"})
	for hour, reply := range []http.HandlerFunc{status(500), status(503), status(404), status(204), dropped} {
		a.answer(reply)
		for range 4 {
			a.wants(t, fmt.Sprint("in hour ", hour*4), accepted, a.bad(object{"jti": fmt.Sprint(hour)}))
			a.unavailable(t, "an unknown key", a.by("unknown", nil))
			a.stytch.Advance(time.Hour)
		}
	}
	a.stytch.Advance(4 * time.Hour)
	last := a.good()
	a.wants(t, "after a day", accepted, last)
	a.stytch.Advance(time.Second)
	a.unavailable(t, "after a day and a second", last)
	a.unavailable(t, "another token", a.good())
	a.wants(t, "what needs no key to be judged", invalidToken, "a.b")
	if !strings.Contains(a.log.String(), "verification keys not refreshed") {
		t.Error("the outage is not in the log")
	}
	a.stytch.ClearFaults()
	a.publish(jwk(ownKid, ownKey()))
	a.stytch.Advance(2 * time.Second)
	a.wants(t, "when the keys are back", accepted, a.good())
}

func TestAttackKeysNeverLoaded(t *testing.T) {
	a := newTarget(t, ada, stytchtest.Development())
	a.answer(status(500))
	a.unavailable(t, "a good token", a.good())
	a.unavailable(t, "the next", a.good())
	a.unavailable(t, "an unknown key", a.by("unknown", nil))
	a.wantsFetches(t, "without keys", 1)
	a.wants(t, "alg none", invalidToken, a.headed(object{"alg": "none"}))
	a.wants(t, "no token", noCredentials, "")
	if r := a.call("GET", "/readyz", "", ""); r.status != 503 {
		t.Errorf("readyz: %d", r.status)
	}
	a.publish(jwk(ownKid, ownKey()))
	a.stytch.Advance(2 * time.Second)
	a.wants(t, "when the keys are there", accepted, a.good())
}

// bits returns a modulus that signs nothing.
func bits(n uint) string {
	return base64url(new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), n-1), 0, 1).Bytes())
}

// hostileKeySets each have something wrong with, or around, a key that would be good.
func (a *target) hostileKeySets() map[string]http.HandlerFunc {
	key := jwk("new", foreignKey())
	curve, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	point, _ := curve.PublicKey.Bytes()
	var seventeen []object
	for i := range 17 {
		seventeen = append(seventeen, jwk(fmt.Sprint("k", i), foreignKey()))
	}
	seventeen[16]["kid"] = "new"
	document := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	one := func(changes object) http.HandlerFunc { return document(keySet(key.with(changes))) }
	return map[string]http.HandlerFunc{
		"no keys": document(keySet()), "HTML": document("<!doctype html><title>Sign in</title>"),
		"truncated":   document(keySet(key)[:200]),
		"a kid twice": document(keySet(key, key.with(object{"n": jwk("", ownKey())["n"]}))),
		"1024 bits":   one(object{"n": bits(1024)}),
		"exponent 1":  one(object{"e": "AQ"}), "even exponent": one(object{"e": "AQAA"}),
		"private key": one(object{"d": base64url(foreignKey().D.Bytes())}), "use enc": one(object{"use": "enc"}),
		"alg none": one(object{"alg": "none"}),
		"EC key": one(object{"kty": "EC", "crv": "P-256", "alg": "ES256", "n": removed, "e": removed,
			"x": base64url(point[1:33]), "y": base64url(point[33:])}),
		"17 keys":  document(keySet(seventeen...)),
		"oct key":  one(object{"kty": "oct", "k": "c2VjcmV0"}),
		"kid path": one(object{"kid": "../new"}),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, a.authority.URL+"/elsewhere", http.StatusFound)
		},
		"gzip bomb": gzipBomb(keySet(key)),
	}
}

// gzipBomb begins as a good key set and becomes 100 MB of spaces.
func gzipBomb(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, text)
		_, _ = io.CopyN(zip, spaces{}, 100<<20)
		_ = zip.Close()
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// Beside each hostile set stands its twin: the same key without the fault.
func TestAttackHostileKeySets(t *testing.T) {
	t.Parallel()
	a := newTarget(t, ada, stytchtest.Development())
	a.wants(t, "the first token", accepted, a.good())
	sets := a.hostileKeySets()
	for what, reply := range sets {
		before, id := a.fetched(), object{"jti": strings.ReplaceAll(what, " ", "-")}
		a.answer(reply)
		a.stytch.Advance(30 * time.Second)
		for range 60 { // a fetch that takes longer than a request waits is the next set's too
			if a.unavailable(t, what+": its key", a.by("new", id)); a.fetched() > before {
				break
			}
		}
		a.wantsFetches(t, what, before+1)
		a.wants(t, what+": the keys from before", accepted, a.bad(id))
	}
	a.publish(jwk(ownKid, ownKey()), jwk("new", foreignKey()))
	a.stytch.Advance(30 * time.Second)
	a.wants(t, "the key without a fault", accepted, a.by("new", nil))
	if len(sets) < 14 {
		t.Errorf("%d hostile key sets, want 14", len(sets))
	}
	fmt.Fprintf(t.Output(), "     %d hostile key sets: none of their keys used, the old ones kept\n", len(sets))
}

// A key document without end is not read to the end, be it fast or slow.
func TestAttackEndlessKeySets(t *testing.T) {
	t.Parallel()
	for what, piece := range map[string]int{"as fast as it can": 32 << 10, "a byte at a time": 1} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			a := newTarget(t, ada, stytchtest.Development())
			a.wants(t, "the first token", accepted, a.good())
			var sent atomic.Int64
			stopped, started := make(chan time.Time, 1), time.Now()
			a.answer(func(w http.ResponseWriter, r *http.Request) {
				defer func() { stopped <- time.Now() }()
				for sent.Load() < 100<<20 && r.Context().Err() == nil {
					n, err := w.Write(make([]byte, piece))
					if sent.Add(int64(n)); err != nil || http.NewResponseController(w).Flush() != nil {
						return
					}
					if piece == 1 {
						select {
						case <-r.Context().Done():
						case <-time.After(time.Second):
						}
					}
				}
			})
			a.unavailable(t, "an unknown key", a.by("unknown", nil))
			a.wants(t, "meanwhile", accepted, a.bad(object{"jti": "other"}))
			if took := (<-stopped).Sub(started); took > 7*time.Second || sent.Load() > 32<<20 {
				t.Errorf("it sent %d bytes in %v, want the connection closed after 64 KiB or 5 s", sent.Load(), took)
			}
		})
	}
}

// One clock decides on everything, also on what was verified already.
func TestAttackClock(t *testing.T) {
	a := newTarget(t, ada, stytchtest.Development())
	token := a.good()
	for _, step := range []struct {
		by   time.Duration
		want string
	}{
		{0, accepted}, {-31 * time.Second, accepted}, // remembered for five minutes
		{31*time.Second + time.Hour + 29*time.Second, accepted}, {time.Second, invalidToken}, {-time.Second, accepted},
		{time.Hour, invalidToken}, {-time.Hour, accepted}, {24 * time.Hour, invalidToken},
	} {
		a.stytch.Advance(step.by)
		a.wants(t, fmt.Sprint("the clock moves by ", step.by), step.want, token)
		if step.want == accepted {
			a.wants(t, "alg none at the same time", invalidToken, a.headed(object{"alg": "none"}))
		}
	}
	early := newTarget(t, ada, stytchtest.Development())
	future := early.good()
	early.stytch.Advance(-time.Hour)
	early.wants(t, "a token of the next hour", invalidToken, future)
	early.stytch.Advance(time.Hour - 30*time.Second)
	early.wants(t, "a token of the next half minute", accepted, future)
}

// A request waits a second at most for the keys, and the fetch takes five at most: on a busy
// machine some are told to come again, or all of them, none that its token is bad. That all of
// them are admitted in time is tested in auth, where the clock is injected.
func TestAttackAThousandColdRequests(t *testing.T) {
	a := newTarget(t, ada, stytchtest.Development())
	const requests = 1000
	var started, group sync.WaitGroup
	started.Add(requests)
	document := keySet(jwk(ownKid, ownKey()))
	a.answer(func(w http.ResponseWriter, _ *http.Request) {
		started.Wait()
		_, _ = io.WriteString(w, document)
	})
	token := a.good()
	var admitted, later atomic.Int64
	for range requests {
		group.Go(func() {
			started.Done()
			switch r := a.call("GET", protected, token, ""); r.status {
			case 200:
				admitted.Add(1)
			case 503:
				later.Add(1)
			default:
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	group.Wait()
	a.wantsFetches(t, "a thousand at once", 1)
	a.stytch.Advance(6 * time.Second) // past the pause after a fetch that took too long
	a.wants(t, "the next", accepted, token)
	fmt.Fprintf(t.Output(), "     %d cold requests at once: 1 fetch; %d admitted, %d told to come again\n", requests,
		admitted.Load(), later.Load())
}
