package auth

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"guestpass/internal/upstream"
)

// Every number of the key fetcher.
const (
	fetchTimeout   = 5 * time.Second
	maxKeyDocument = 64 << 10         // counted after decompression
	refreshEvery   = 5 * time.Minute  // so a removed key is gone after that
	coolDown       = 25 * time.Second // between fetches for key ids that we do not know; with the fetch, less than 30 s
	coolDownFailed = 5 * time.Second  // after one that failed
	waitForFetch   = time.Second      // what one request waits at most
	keepFor        = 24 * time.Hour   // old keys, while the endpoint fails
	tellEvery      = time.Minute      // between log lines on fetches that fail
	maxPause       = time.Minute      // for which an endpoint's wish not to be asked (429) is followed
)

// keySet is an immutable snapshot. The generation changes whenever its keys do.
type keySet struct {
	keys       map[string]*rsa.PublicKey
	generation uint64
	fetched    time.Time
}

// keySource holds the current snapshot and fetches new ones, one fetch at a time.
type keySource struct {
	urls     []string // of the same keys
	client   *http.Client
	now      func() time.Time
	log      *slog.Logger
	snapshot atomic.Pointer[keySet]
	missed   chan struct{}        // has room for one: a key id was unknown, and run is to look again when it may
	pauses   map[string]time.Time // until when a URL wants not to be asked; for the one fetch under way

	mu       sync.Mutex    // guards what follows
	fetching chan struct{} // closed when the fetch under way has ended; nil when none is
	lastMiss time.Time     // when a fetch for unknown key ids last began
	lastTry  time.Time     // when a fetch last began
	failed   bool          // the fetch that ended last
	fetches  KeyFetches
	told     time.Time // when a failure was last logged; zero: not since the keys were had
}

func newKeySource(o Options) *keySource {
	transport := o.Transport
	if transport == nil {
		transport = &http.Transport{DialContext: upstream.Dial(2 * time.Second), TLSHandshakeTimeout: 2 * time.Second,
			ResponseHeaderTimeout: fetchTimeout, MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true,
			IdleConnTimeout: time.Minute}
	}
	client := &http.Client{Transport: transport, Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &keySource{urls: o.JWKSURLs, client: client, now: o.Now, log: o.Log, missed: make(chan struct{}, 1),
		pauses: map[string]time.Time{}}
}

// current returns the snapshot that may be used now, or nil.
func (s *keySource) current() *keySet { return s.at(s.now()) }

// at is current for who has looked at the clock.
func (s *keySource) at(now time.Time) *keySet {
	set := s.snapshot.Load()
	if set == nil || now.Sub(set.fetched) > keepFor {
		return nil
	}
	return set
}

func (s *keySource) ready() error {
	if s.current() == nil {
		return ErrUnavailable
	}
	return nil
}

// run refreshes the keys. Once a key id was unknown, it fetches again when the cool-down ends,
// whether or not anybody calls by then: the key may be of a second rotation, or a cache in between
// may have answered with the keys from before the first.
func (s *keySource) run(ctx context.Context) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	s.await(ctx, s.startFetch())
	var retry <-chan time.Time // when to fetch again for a key id that was unknown
	for {
		var soon <-chan time.Time // until the first success: nobody can be let in before
		if s.current() == nil {
			soon = time.After(2 * time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.missed:
			if retry == nil {
				retry = s.cooled()
			}
		case <-retry:
			retry = nil
			if !s.refetch(ctx) {
				retry = s.cooled()
			}
		case <-soon:
			s.await(ctx, s.startFetch())
		case <-tick.C:
			s.await(ctx, s.startFetch())
		}
	}
}

// cooled receives when a fetch for unknown key ids may begin.
func (s *keySource) cooled() <-chan time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.After(s.coolsFor())
}

// coolsFor returns how long no fetch for unknown key ids may begin; 0 or less: one may. The caller holds mu.
func (s *keySource) coolsFor() time.Duration {
	if s.lastMiss.IsZero() {
		return 0
	}
	after := coolDown
	if s.failed {
		after = coolDownFailed
	}
	return min(after-s.now().Sub(s.lastMiss), after) // even if the clock was set back
}

// refetch fetches for the key ids that were unknown, unless a call just has, and reports
// whether there is nothing left to do.
func (s *keySource) refetch(ctx context.Context) bool {
	before := s.snapshot.Load()
	s.mu.Lock()
	if s.coolsFor() > 0 {
		s.mu.Unlock()
		return true
	}
	s.lastMiss = s.now()
	s.mu.Unlock()
	s.await(ctx, s.startFetch())
	return s.snapshot.Load() != before
}

// find returns the key with that id. An unknown id may cause one fetch in 25 s for
// all unknown ids together, so that neither a flood of them nor one alone keeps a
// real rotation from being seen.
func (s *keySource) find(ctx context.Context, kid string) (*rsa.PublicKey, uint64, error) {
	if set := s.current(); set != nil {
		if key := set.keys[kid]; key != nil {
			return key, set.generation, nil
		}
	}
	if fetch := s.fetchForMiss(kid); fetch != nil {
		ctx, cancel := context.WithTimeout(ctx, waitForFetch)
		s.await(ctx, fetch)
		cancel()
	}
	set := s.current()
	if set == nil {
		return nil, 0, &refusal{sentinel: ErrUnavailable, reason: "no keys"}
	}
	key := set.keys[kid]
	if key == nil {
		s.noteMiss()
		if s.inTheDark() { // nobody knows that the key is none, and a 401 would sign people out
			return nil, 0, &refusal{sentinel: ErrUnavailable, reason: "unknown kid, and the keys could not be fetched"}
		}
		return nil, 0, &refusal{sentinel: ErrInvalidToken, reason: "unknown kid", claim: "kid",
			found:    "another key id, length " + strconv.Itoa(len(kid)),
			expected: anyOf(slices.Sorted(maps.Keys(set.keys))),
			hint: "after a rotation of Stytch's keys it is known within 30 s; else the token is of another project: " +
				"see STYTCH_DOMAIN and STYTCH_PROJECT_ID"}
	}
	return key, set.generation, nil
}

// inTheDark reports whether the keys that there are now are unknown: the last fetch failed, or
// one takes longer than a request waits.
func (s *keySource) inTheDark() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed || s.fetching != nil
}

// noteMiss makes run fetch again, once for all who miss a key until it does.
func (s *keySource) noteMiss() {
	select {
	case s.missed <- struct{}{}:
	default:
	}
}

// fetchForMiss returns a fetch to wait for: the one under way, or a new one unless
// another unknown id had one less than coolDown ago. Without any keys one may start
// every two seconds. A fetch that ended since the caller looked may have brought the key.
func (s *keySource) fetchForMiss(kid string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching != nil {
		return s.fetching
	}
	now, set := s.now(), s.current()
	switch {
	case set != nil && set.keys[kid] != nil:
		return nil
	case set == nil && !s.lastTry.IsZero() && now.Sub(s.lastTry) < 2*time.Second:
		return nil
	case set != nil && s.coolsFor() > 0:
		return nil
	case set != nil:
		s.lastMiss = now
	}
	return s.startLocked()
}

func (s *keySource) startFetch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching != nil {
		return s.fetching
	}
	return s.startLocked()
}

// startLocked fetches in the background: a request that goes away must not take the
// others' keys with it. The client's time limit ends it.
func (s *keySource) startLocked() <-chan struct{} {
	done := make(chan struct{})
	s.fetching, s.lastTry = done, s.now()
	go func() {
		err := s.fetch()
		s.mu.Lock()
		s.fetching, s.failed = nil, err != nil
		if err == nil {
			s.fetches.OK++
		} else {
			s.fetches.Failed++
		}
		s.mu.Unlock()
		close(done)
	}()
	return done
}

func (s *keySource) await(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// fetch replaces the snapshot, or keeps the old one and says why.
func (s *keySource) fetch() error {
	keys, err := s.download()
	if err != nil {
		s.tellFailure(err)
		return err
	}
	s.tellSuccess()
	old := s.snapshot.Load()
	next := &keySet{keys: keys, generation: 1, fetched: s.now()}
	if old != nil {
		next.generation = old.generation
		if !sameKeys(old.keys, keys) {
			next.generation++
			s.log.Info("verification keys changed", "keys", len(keys))
		}
	}
	s.snapshot.Store(next)
	return nil
}

// tellFailure writes why there are no new keys to the log, once a minute at most: without any keys
// there is a fetch every two seconds.
func (s *keySource) tellFailure(err error) {
	s.mu.Lock()
	now := s.now()
	tell := s.told.IsZero() || now.Before(s.told) || now.Sub(s.told) >= tellEvery
	if tell {
		s.told = now
	}
	s.mu.Unlock()
	if tell {
		s.log.Warn("verification keys not refreshed", "error", err)
	}
}

// tellSuccess ends what tellFailure has begun.
func (s *keySource) tellSuccess() {
	s.mu.Lock()
	failed := !s.told.IsZero()
	s.told = time.Time{}
	s.mu.Unlock()
	if failed {
		s.log.Info("verification keys refreshed after failures")
	}
}

// download returns the keys of the first URL that has any.
func (s *keySource) download() (map[string]*rsa.PublicKey, error) {
	var failures []error
	for _, url := range s.urls {
		if left := s.pauses[url].Sub(s.now()); left > 0 && left <= maxPause { // else the clock was set back
			failures = append(failures, fmt.Errorf("%s: asked not to be asked for %v more", url,
				left.Round(time.Second)))
			continue
		}
		keys, err := s.downloadFrom(url)
		if err == nil {
			if len(failures) > 0 {
				s.log.Warn("verification keys came from another domain than the first", "url", url,
					"error", errors.Join(failures...))
			}
			return keys, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", url, err))
	}
	return nil, errors.Join(failures...)
}

func (s *keySource) downloadFrom(url string) (map[string]*rsa.PublicKey, error) {
	// the client has a time limit
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Cache-Control", "no-cache") // a cache in between has to ask whether there are newer ones
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusTooManyRequests {
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // none, or a date: no pause
		s.pauses[url] = s.now().Add(min(maxPause, time.Duration(max(0, min(seconds, 3600)))*time.Second))
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeyDocument+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxKeyDocument {
		return nil, errors.New("the key set is longer than 64 KiB")
	}
	keys, skipped, err := parseKeySet(body)
	for _, reason := range skipped {
		s.log.Warn("verification key left out", "reason", reason)
	}
	return keys, err
}

func sameKeys(a, b map[string]*rsa.PublicKey) bool {
	if len(a) != len(b) {
		return false
	}
	for kid, key := range a {
		if other := b[kid]; other == nil || !key.Equal(other) {
			return false
		}
	}
	return true
}
