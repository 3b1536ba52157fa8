// Package connections knows which apps people have connected, when they were used, and
// what was revoked. What is revoked here is refused here at once, on every other instance
// within five seconds of being written, and whether or not Stytch answers: it is asked again
// until it has revoked as well, and until then every token of the person and app is refused.
// Stytch is asked whether or not the database writes, too: neither needs the other.
//
// It knows neither HTTP nor who may revoke what.
package connections

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"guestpass/auth"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
	"guestpass/store"
)

const (
	pollEvery   = time.Second     // another instance's denials
	freshFor    = 4 * time.Second // with loadTimeout: five seconds on every instance
	loadTimeout = time.Second     // of one look at the denials, and between two that fail
	writeEvery  = 5 * time.Second // uses that were noted, and revocations that Stytch lacks
	noteEvery   = time.Minute     // uses of one person and app
	maxNoted    = 10_000          // of them a quarter of one organization, or user in Consumer projects
)

// Options configure [Connections].
type Options struct {
	Store       *store.Store
	Directory   stytch.Directory
	MaxLifetime time.Duration              // of a token, as auth.Options has it; 0: auth.DefaultLifetime
	Listed      func(clientID string) bool // whether whoever runs the server named the app; nil: none
	Limits      *limits.Limits             // on whose list is what is bounded here; nil: on none
	Log         *slog.Logger
	Now         func() time.Time
}

// Connections are those of all people. Call Run beside using them; without it nothing is
// retried, and other instances' denials are looked for when a call comes. Safe for concurrent use.
type Connections struct {
	options Options
	known   atomic.Pointer[denials] // nil until they were read once

	refreshing sync.Mutex // held while they are read, a second at most, and never to write; guards what follows
	tried      time.Time
	failure    error // of the last look

	mu     sync.Mutex                // guards what follows
	own    map[pair][]*ownDenial     // made here and perhaps not among the known yet
	asked  map[pair]time.Time        // Stytch to revoke, while the database takes no note of it
	uses   map[pair]store.Connection // to be written
	usesOf map[string]int            // how many of them each owner has
	noted  *limits.Cache[time.Time]  // by subject and client: when a use was
}

type pair struct{ subject, client string }

// denials are all that counted at a time. They are not changed.
type denials struct {
	at time.Time
	of map[pair]store.Denial
}

// New needs neither network nor database.
func New(o Options) *Connections {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxLifetime == 0 {
		o.MaxLifetime = auth.DefaultLifetime
	}
	parts := limits.Shares{limits.Organization: maxNoted / 4, limits.Person: maxNoted / 4}
	o.Limits.Declare(limits.Bound{Name: "uses of apps to be written", Number: maxNoted, Shares: parts})
	o.Limits.Declare(limits.Bound{Name: "revocations that could not be written", Number: maxHeld,
		Shares: limits.Shares{limits.Organization: maxHeldOfOwner, limits.Person: maxHeldOfOwner}})
	return &Connections{options: o, own: map[pair][]*ownDenial{}, asked: map[pair]time.Time{},
		uses: map[pair]store.Connection{}, usesOf: map[string]int{},
		noted: limits.NewCache[time.Time](o.Limits, limits.Bound{Name: "uses of apps noted lately", Number: maxNoted,
			Shares: parts})}
}

// Run looks for other instances' denials, writes what was noted and retries what Stytch
// has not revoked yet, until ctx ends. Flush once more when no calls come any more.
func (c *Connections) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		every(ctx, pollEvery, func() { c.refresh(ctx) })
		return nil
	})
	group.Go(func() error {
		every(ctx, writeEvery, func() { c.Flush(ctx) })
		return nil
	})
	group.Go(func() error {
		every(ctx, writeEvery, func() { c.Retry(ctx) })
		return nil
	})
	return group.Wait()
}

func every(ctx context.Context, interval time.Duration, do func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// Check refuses a token that was revoked, with an error that wraps [auth.ErrInvalidToken].
// When the denials cannot be read the last ones that were go on to count for reads; for
// writes, and when there were none yet, the error is the store's.
func (c *Connections) Check(ctx context.Context, identity auth.Identity, write bool) error {
	d, err := c.denial(ctx, pair{identity.Subject, identity.ClientID})
	if d.Pending() || !identity.IssuedAt.After(d.RevokedAt) {
		return fmt.Errorf("%w: revoked", auth.ErrInvalidToken)
	}
	if err != nil && (write || c.known.Load() == nil) {
		return fmt.Errorf("whether the token was revoked: %w", err)
	}
	return nil
}

// denial returns what the pair's tokens meet, the zero value for nothing: the strictest of the
// denials that are known and of those that this instance made since. The error says that
// those that are known are too old.
func (c *Connections) denial(ctx context.Context, key pair) (d store.Denial, err error) {
	c.mu.Lock() // before looking at the known: a look at the database moves them there
	for _, own := range c.own[key] {
		d = stricter(d, own.Denial)
	}
	c.mu.Unlock()
	known, err := c.current(ctx)
	if known != nil {
		d = stricter(d, known.of[key])
	}
	return d, err
}

func stricter(a, b store.Denial) store.Denial {
	if b.RevokedAt.After(a.RevokedAt) {
		a.RevokedAt = b.RevokedAt
	}
	if b.Pending() {
		a.RetryAt = b.RetryAt
	}
	return a
}

// current returns the denials, with an error if they are too old.
func (c *Connections) current(ctx context.Context) (*denials, error) {
	if known := c.known.Load(); c.fresh(known) {
		return known, nil
	}
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	known := c.known.Load()
	if c.fresh(known) {
		return known, nil
	}
	if c.failure == nil || !within(c.options.Now(), c.tried, loadTimeout) {
		c.load(ctx)
	}
	return c.known.Load(), c.failure
}

func (c *Connections) fresh(known *denials) bool {
	return known != nil && within(c.options.Now(), known.at, freshFor)
}

// within reports whether now is less than d after since. It is not if the clock was set back.
func within(now, since time.Time, d time.Duration) bool {
	return !now.Before(since) && now.Sub(since) < d
}

// refresh reads the denials of all instances.
func (c *Connections) refresh(ctx context.Context) {
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	c.load(ctx)
}

// load reads the denials. The caller holds refreshing.
func (c *Connections) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout) // it is for other calls as well
	defer cancel()
	c.tried = c.options.Now()
	written := c.written()
	list, err := c.options.Store.Denials(ctx, c.tried.Add(-c.goodFor()))
	if c.failure = err; err != nil {
		c.options.Log.WarnContext(ctx, "denials not read; writes are refused, reads go by the last ones", "error", err)
		return
	}
	fresh := &denials{c.tried, make(map[pair]store.Denial, len(list))}
	for _, d := range list {
		fresh.of[pair{d.Subject, d.Client}] = d
	}
	c.known.Store(fresh)
	c.forget(written)
}
