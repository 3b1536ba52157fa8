package auth

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Every number of the key fetcher.
const (
	fetchTimeout   = 5 * time.Second
	maxKeyDocument = 64 << 10         // counted after decompression
	refreshEvery   = 5 * time.Minute  // so a removed key is gone after that
	coolDown       = 30 * time.Second // between fetches for key ids that we do not know
	waitForFetch   = time.Second      // what one request waits at most
	keepFor        = 24 * time.Hour   // old keys, while the endpoint fails
)

// keySet is an immutable snapshot. The generation changes whenever its keys do.
type keySet struct {
	keys       map[string]*rsa.PublicKey
	generation uint64
	fetched    time.Time
}

// keySource holds the current snapshot and fetches new ones, one fetch at a time.
type keySource struct {
	url      string
	client   *http.Client
	now      func() time.Time
	log      *slog.Logger
	snapshot atomic.Pointer[keySet]

	mu       sync.Mutex    // guards what follows
	fetching chan struct{} // closed when the fetch under way has ended; nil when none is
	lastMiss time.Time     // when an unknown key id last caused a fetch
	lastTry  time.Time     // when a fetch last began
}

func newKeySource(o Options) *keySource {
	transport := o.Transport
	if transport == nil {
		dialer := &net.Dialer{Timeout: 2 * time.Second}
		transport = &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 2 * time.Second,
			ResponseHeaderTimeout: fetchTimeout, MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}
	}
	return &keySource{url: o.JWKSURL, now: o.Now, log: o.Log, client: &http.Client{Transport: transport, Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// current returns the snapshot that may be used now, or nil.
func (s *keySource) current() *keySet {
	set := s.snapshot.Load()
	if set == nil || s.now().Sub(set.fetched) > keepFor {
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

func (s *keySource) run(ctx context.Context) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		s.await(ctx, s.startFetch())
		// Until the first success try again soon: nobody can be let in before.
		wait := tick.C
		if s.current() == nil {
			wait = time.After(2 * time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wait:
		}
	}
}

// find returns the key with that id. An unknown id may cause one fetch in 30 s for
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
		return nil, 0, &refusal{ErrUnavailable, "no keys"}
	}
	key := set.keys[kid]
	if key == nil {
		return nil, 0, invalid("unknown kid")
	}
	return key, set.generation, nil
}

// fetchForMiss returns a fetch to wait for: the one under way, or a new one unless
// another unknown id had one less than 30 s ago. Without any keys one may start
// every two seconds. A fetch that ended since the caller looked may have brought the key.
func (s *keySource) fetchForMiss(kid string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching != nil {
		return s.fetching
	}
	now, set := s.now(), s.current()
	if set != nil && set.keys[kid] != nil {
		return nil
	}
	if set == nil {
		if !s.lastTry.IsZero() && now.Sub(s.lastTry) < 2*time.Second {
			return nil
		}
	} else {
		if !s.lastMiss.IsZero() && now.Sub(s.lastMiss) < coolDown {
			return nil
		}
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
		s.fetch()
		s.mu.Lock()
		s.fetching = nil
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
func (s *keySource) fetch() {
	keys, err := s.download()
	if err != nil {
		s.log.Warn("verification keys not refreshed", "url", s.url, "error", err)
		return
	}
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
}

func (s *keySource) download() (map[string]*rsa.PublicKey, error) {
	response, err := s.client.Get(s.url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
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
