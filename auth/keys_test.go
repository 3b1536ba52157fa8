package auth

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// by returns a good token of another key id and key.
func (f *fixture) by(kid string, key *rsa.PrivateKey, changes object) string {
	return sign(f.header().with(object{"kid": kid}).json(), f.claims().with(changes).json(), key)
}

func (f *fixture) wantFetches(t *testing.T, want int) {
	t.Helper()
	if got := f.jwks.Hits(); got != want {
		t.Errorf("%d fetches, want %d", got, want)
	}
}

func TestANewKeyIsAcceptedAfterOneFetch(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	f.wantFetches(t, 1)
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("new", keyTwo())))
	f.accepts(t, f.by("new", keyTwo(), nil))
	f.wantFetches(t, 2)
	if f.keys.current().generation != 2 || !strings.Contains(f.log.String(), "verification keys changed") {
		t.Error("the change has no generation of its own, or is not in the log")
	}
	f.accepts(t, f.token(object{"jti": "old-key-during-the-overlap"}))
	f.accepts(t, f.by("new", keyTwo(), object{"jti": "another"}))
	f.wantFetches(t, 2)
	f.refuses(t, f.by("new", keyOne(), nil), "signature")
	f.refuses(t, f.by(testKid, keyTwo(), nil), "signature")
}

func TestUnknownKeyIdsShareOneFetchInACoolDown(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	before := f.jwks.Hits()
	for i := range 10_000 {
		if _, err := f.Verify(t.Context(), sign0(f, fmt.Sprintf("kid-%d", i))); Reason(err) != "unknown kid" {
			t.Fatalf("Verify: %v", err)
		}
		f.clock.Add(time.Minute / 10_000)
	}
	if fetches := f.jwks.Hits() - before; fetches > 3 || fetches < 1 {
		t.Errorf("%d fetches in a minute, want 1 to 3", fetches)
	}
	f.accepts(t, f.token(nil))
}

// sign0 returns a token that nobody signed.
func sign0(f *fixture, kid string) string {
	return encode(f.header().with(object{"kid": kid}).json()) + ".e30." + strings.Repeat("A", 342)
}

func TestTheCoolDownEnds(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	f.refuses(t, f.by("foreign", keyTwo(), nil), "unknown kid")
	f.wantFetches(t, 2)
	f.clock.Add(time.Second)
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("new", keyTwo())))
	f.clock.Add(coolDown - time.Second - 1)
	f.refuses(t, f.by("new", keyTwo(), nil), "unknown kid")
	f.wantFetches(t, 2)
	f.clock.Add(1)
	f.accepts(t, f.by("new", keyTwo(), nil))
	f.wantFetches(t, 3)
}

// slow answers after half a second.
type slow struct{ to http.RoundTripper }

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Second / 2)
	return s.to.RoundTrip(r)
}

// together verifies the token a thousand times at once and joins the errors.
func (f *fixture) together(t *testing.T, token string) error {
	errs := make([]error, 1000)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { _, errs[i] = f.Verify(t.Context(), token) })
	}
	group.Wait()
	return errors.Join(errs...)
}

func TestAThousandRequestsShareOneFetch(t *testing.T) {
	f := newFixture(t)
	if err := f.together(t, f.token(nil)); err != nil {
		t.Errorf("refused: %v", err)
	}
	f.wantFetches(t, 1)

	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Transport = slow{o.Transport} })
		if err := f.together(t, f.token(nil)); err != nil {
			t.Errorf("refused: %v", err)
		}
		f.wantFetches(t, 1)
		f.jwks.Serve(http.StatusOK, keySetOf(jwk("new", keyTwo())))
		if err := f.together(t, f.by("new", keyTwo(), nil)); err != nil {
			t.Errorf("refused after a rotation: %v", err)
		}
		f.wantFetches(t, 2)
	})
}

// A fetch that ended between looking for the key and asking for a fetch is enough.
func TestAKeyThatJustCameNeedsNoFetch(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	if f.keys.fetchForMiss(testKid) != nil {
		t.Error("a fetch for a key that is there")
	}
	f.refuses(t, f.by("foreign", keyTwo(), nil), "unknown kid")
	f.wantFetches(t, 2)
}

func TestARemovedKeyTakesItsCachedTokensAlong(t *testing.T) {
	f := newFixture(t)
	old, lasting := f.token(nil), f.by("lasting", keyTwo(), nil)
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne()), jwk("lasting", keyTwo())))
	f.accepts(t, old)
	f.accepts(t, lasting)
	f.jwks.Serve(http.StatusOK, keySetOf(jwk("lasting", keyTwo())))
	f.accepts(t, old) // not refreshed yet
	f.refuses(t, f.by("foreign", keyOne(), nil), "unknown kid")
	f.refuses(t, old, "unknown kid")
	f.accepts(t, lasting)

	// The same id with another key is another key.
	f.jwks.Serve(http.StatusOK, keySetOf(jwk("lasting", keyOne())))
	f.clock.Add(coolDown)
	f.refuses(t, f.by("foreign", keyOne(), nil), "unknown kid")
	f.refuses(t, lasting, "signature")
}

func TestKeysUnavailableAtStart(t *testing.T) {
	f := newFixture(t)
	f.jwks.Serve(http.StatusInternalServerError, "")
	if !errors.Is(f.Ready(), ErrUnavailable) {
		t.Error("ready before any fetch")
	}
	f.unavailable(t, f.token(nil))
	f.unavailable(t, f.token(nil))
	f.wantFetches(t, 1)
	f.refuses(t, "abc", "not three parts") // what needs no key is still judged
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne())))
	f.clock.Add(2*time.Second - 1)
	f.unavailable(t, f.token(nil))
	f.clock.Add(1)
	f.accepts(t, f.token(nil))
	f.wantFetches(t, 2)
	if err := f.Ready(); err != nil {
		t.Errorf("Ready: %v", err)
	}
}

func TestAnOutageIsToldOnceAMinuteAndItsEndOnce(t *testing.T) {
	f := newFixture(t)
	told := func(line string, want int) {
		t.Helper()
		if got := strings.Count(f.log.String(), line); got != want {
			t.Errorf("%q stands in the log %d times, want %d:\n%s", line, got, want, f.log.String())
		}
	}
	f.jwks.Serve(http.StatusInternalServerError, "")
	for range 45 { // a minute and a half
		_ = f.keys.fetch()
		f.clock.Add(2 * time.Second)
	}
	told("verification keys not refreshed", 2)
	told("verification keys refreshed after failures", 0)
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne())))
	for range 2 {
		_ = f.keys.fetch()
	}
	told("verification keys refreshed after failures", 1)
}

func TestOldKeysServeForADay(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	for _, status := range []int{http.StatusInternalServerError, http.StatusNotFound, http.StatusNoContent,
		http.StatusAccepted} {
		f.jwks.Serve(status, keySetOf(jwk("foreign", keyTwo())))
		f.clock.Add(time.Minute)
		f.unavailable(t, f.by("foreign", keyTwo(), nil))
		f.accepts(t, f.token(nil))
	}
	if !strings.Contains(f.log.String(), "verification keys not refreshed") {
		t.Error("the outage is not in the log")
	}
	f.clock.Set(testEpoch.Add(keepFor))
	cached := f.token(nil)
	f.accepts(t, cached)
	f.clock.Add(1)
	f.unavailable(t, cached)
	f.unavailable(t, f.token(object{"jti": "fresh"}))
	if !errors.Is(f.Ready(), ErrUnavailable) {
		t.Error("ready with keys that are too old")
	}
	f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne())))
	f.clock.Add(2 * time.Second)
	f.accepts(t, cached)
}

// Documents without a usable key leave the keys as they were.
func TestHostileKeySetsChangeNothing(t *testing.T) {
	good := jwk("new", keyTwo())
	many := make([]object, 17)
	for i := range many {
		many[i] = jwk(fmt.Sprintf("k%d", i), keyTwo())
	}
	bad := map[string]object{
		"1024 bits": {"n": modulusOf(1024, true)}, "2047 bits": {"n": modulusOf(2047, true)},
		"4097 bits":    {"n": modulusOf(4097, true)},
		"even modulus": {"n": modulusOf(2048, false)}, "no modulus": {"n": absent},
		"modulus not base64url":    {"n": "+" + encode(keyTwo().N.Bytes())},
		"modulus with line breaks": {"n": encode(keyTwo().N.Bytes()) + "\n"}, "modulus is a number": {"n": 3},
		"exponent 1": {"e": "AQ"}, "exponent 3": {"e": "Aw"}, "even exponent": {"e": "AQAA"},
		"exponent 2^32+1": {"e": "AQAAAAE"}, "no exponent": {"e": absent},
		"exponent is a number": {"e": 65537}, "private key": {"d": "AQAB"}, "prime": {"p": nil},
		"more primes": {"oth": []int{}}, "secret": {"k": "x"},
		"use enc": {"use": "enc"}, "no use": {"use": absent}, "alg none": {"alg": "none"},
		"alg PS256": {"alg": "PS256"}, "no alg": {"alg": absent},
		"EC": {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}, "oct": {"kty": "oct"}, "no kty": {"kty": absent},
		"rsa":             {"kty": "rsa"},
		"key_ops encrypt": {"key_ops": []string{"encrypt"}}, "key_ops null": {"key_ops": nil},
		"key_ops empty": {"key_ops": []string{}}, "key_ops text": {"key_ops": "verify"},
		"no kid": {"kid": absent}, "kid empty": {"kid": ""}, "kid path": {"kid": "../new"}, "kid number": {"kid": 1},
		"kid long": {"kid": strings.Repeat("k", 129)},
	}
	documents := map[string]string{
		"empty set": `{"keys":[]}`, "no set": `{}`, "null set": `{"keys":null}`, "set is an object": `{"keys":{}}`,
		"array":   `[` + good.json() + `]`,
		"nothing": "", "HTML": "<!doctype html><title>Sign in</title>",
		"truncated": keySetOf(good)[:200], "twice": keySetOf(good) + keySetOf(good),
		"17 keys": keySetOf(many...), "a kid twice": keySetOf(good, good), "a kid twice, once bad": keySetOf(good,
			good.with(object{"use": "enc"})), "a bad one first": keySetOf(good.with(object{"use": "enc"}), good),
		"a kid three times": keySetOf(good, good, good), "keys twice": `{"keys":[],` + keySetOf(good)[1:],
		"too long":                keySetOf(good) + strings.Repeat(" ", maxKeyDocument),
		"elements of other kinds": `{"keys":[1,"x",null,[],true]}`, "not UTF-8": "{\"x\":\"\xff\"," +
			keySetOf(good)[1:], "a hundred megabytes": strings.Repeat("x", 100<<20),
	}
	for name, changes := range bad {
		documents[name] = keySetOf(good.with(changes))
	}
	for name, document := range documents {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.accepts(t, f.token(nil))
			f.jwks.Serve(http.StatusOK, document)
			f.unavailable(t, f.by("new", keyTwo(), nil)) // nobody knows
			f.wantFetches(t, 2)
			f.accepts(t, f.token(nil))
			f.accepts(t, f.token(object{"jti": "not-in-the-cache"}))

			// Its twin without the fault, on a verifier of its own.
			twin := newFixture(t)
			twin.jwks.Serve(http.StatusOK, keySetOf(good))
			twin.accepts(t, twin.by("new", keyTwo(), nil))
		})
	}
	for name, changes := range bad { // beside a good key only the bad one is left out
		keys, skipped, err := parseKeySet([]byte(keySetOf(jwk(testKid, keyOne()), good.with(changes))))
		if err != nil || len(keys) != 1 || keys[testKid] == nil || len(skipped) != 1 {
			t.Errorf("%s: %d keys, skipped %q, %v", name, len(keys), skipped, err)
		}
	}
	for name, changes := range map[string]object{"no key_ops": {"key_ops": absent},
		"more key_ops": {"key_ops": []string{"sign", "verify"}},
		"4096 bits":    {"n": modulusOf(4096, true)}, "2048 bits": {"n": modulusOf(2048, true)},
		"kid of 128": {"kid": strings.Repeat("k", 128)}} {
		if keys, skipped, err := parseKeySet([]byte(keySetOf(good.with(changes)))); err != nil || len(keys) != 1 ||
			len(skipped) != 0 {
			t.Errorf("%s: %d keys, skipped %q, %v", name, len(keys), skipped, err)
		}
	}
	if keys, _, err := parseKeySet([]byte(keySetOf(many[:16]...))); err != nil || len(keys) != 16 {
		t.Errorf("16 keys: %d, %v", len(keys), err)
	}
}

// These need a real server, and the transport that is ours.
func TestTheKeyClientIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	io.WriteString(zip, keySetOf(jwk(testKid, keyOne())))
	io.CopyN(zip, spaces{}, 64<<20)
	zip.Close()
	var small bytes.Buffer
	zip = gzip.NewWriter(&small)
	io.WriteString(zip, keySetOf(jwk(testKid, keyOne())))
	zip.Close()

	followed := false
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w,
			keySetOf(jwk(testKid, keyOne())))
	})
	mux.HandleFunc("/target", func(w http.ResponseWriter, _ *http.Request) {
		followed = true
		io.WriteString(w, keySetOf(jwk(testKid, keyOne())))
	})
	mux.Handle("/redirect", http.RedirectHandler("/target", http.StatusFound))
	compressed := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(body)
		}
	}
	mux.Handle("/bomb", compressed(bomb.Bytes()))
	mux.Handle("/gzip", compressed(small.Bytes()))
	mux.HandleFunc("/reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, ok := range map[string]bool{"/good": true, "/gzip": true, "/redirect": false, "/bomb": false,
		"/reset": false, "/none": false} {
		f := newFixture(t, func(o *Options) { o.JWKSURLs, o.Transport = []string{server.URL + path}, nil })
		if ok {
			f.accepts(t, f.token(nil))
		} else {
			f.unavailable(t, f.token(nil))
		}
		f.keys.client.CloseIdleConnections()
	}
	if followed {
		t.Error("the redirect was followed")
	}
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	v := newFixture(t, func(o *Options) { o.Transport = nil })
	if v.keys.client.Transport.(*http.Transport).Proxy != nil || v.keys.client.Timeout != 5*time.Second {
		t.Error("the client takes a proxy from the environment, or is not limited to 5 s")
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte(" "), len(p))), nil }

// endless is a reply without end that counts what is taken of it.
type endless struct {
	io.Closer
	taken int
}

func (e *endless) Read(p []byte) (int, error) {
	e.taken += len(p)
	return spaces{}.Read(p)
}

func (e *endless) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: e, Request: r}, nil
}

func TestNoMoreThan64KiBAreRead(t *testing.T) {
	body := &endless{Closer: io.NopCloser(nil)}
	f := newFixture(t, func(o *Options) { o.Transport = body })
	f.unavailable(t, f.token(nil))
	if body.taken > 64<<10+1 {
		t.Errorf("%d bytes read", body.taken)
	}
}

func TestRunRefreshesEveryFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		synctest.Wait()
		f.wantFetches(t, 1)
		time.Sleep(5*time.Minute - 1)
		synctest.Wait()
		f.wantFetches(t, 1)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		f.wantFetches(t, 2)
		time.Sleep(time.Hour)
		synctest.Wait()
		f.wantFetches(t, 14)

		// A removed key is gone after the next refresh.
		f.clock.Set(time.Now())
		token := f.token(nil)
		f.accepts(t, token)
		f.jwks.Serve(http.StatusOK, keySetOf(jwk("other", keyTwo())))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		f.refuses(t, token, "unknown kid")

		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRunTriesAgainSoonUntilThereAreKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		f.jwks.Serve(http.StatusBadGateway, "")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go f.Run(ctx)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		f.wantFetches(t, 2)
		f.jwks.Serve(http.StatusOK, keySetOf(jwk(testKid, keyOne())))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if err := f.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

// hanging never answers before its request is given up.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestARequestWaitsOneSecondForKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now, o.Transport = time.Now, hanging{} })
		f.clock.Set(time.Now())
		started := time.Now()
		f.unavailable(t, f.token(nil))
		if waited := time.Since(started); waited != time.Second {
			t.Errorf("waited %v, want 1 s", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Verify(ctx, f.token(nil)); !errors.Is(err, ErrUnavailable) ||
			time.Since(started) != time.Second {
			t.Errorf("a request that went away: %v after %v", err, time.Since(started))
		}
		time.Sleep(5 * time.Second) // the fetch itself ends after five
		synctest.Wait()
		if f.keys.fetching != nil {
			t.Error("the fetch is still under way")
		}
	})
}
