// Package connections knows which apps people have connected, when they were used, and
// what was revoked. What is revoked here is refused here at once, on every other instance
// within five seconds of being written, and whether or not Stytch answers: it is asked again
// until it has revoked as well, and until then every token of the person and app is refused.
// Stytch is asked whether or not the database writes, too: neither needs the other.
//
// It knows neither HTTP nor who may revoke what.
package connections

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"guestpass/auth"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
	"guestpass/store"
)

const (
	pollEvery   = time.Second     // another instance's denials
	freshFor    = 4 * time.Second // with lookTimeout: five seconds on every instance
	lookTimeout = time.Second     // of one look at the denials, and between two that fail
	writeEvery  = 5 * time.Second // uses that were noted, and revocations that Stytch lacks
	noteEvery   = time.Minute     // uses of one person and app
	// compareEvery is how often our clock is compared with that of the database.
	compareEvery = time.Minute
	maxNoted     = 10_000 // of them a quarter of one organization, or user in Consumer projects
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

	looking singleflight.Group // for the denials; one look serves everybody
	last    atomic.Pointer[look]
	told    time.Time // that looks fail; guarded by looking

	mu     sync.Mutex                // guards what follows
	own    map[pair][]*ownDenial     // made here and perhaps not among the known yet
	asked  map[pair]time.Time        // Stytch to revoke, while the database takes no note of it
	uses   map[pair]store.Connection // to be written
	usesOf map[string]int            // how many of them each owner has
	noted  *limits.Cache[time.Time]  // by subject and client: when a use was
}

type pair struct{ subject, client string }

func (p pair) compare(other pair) int {
	return cmp.Or(strings.Compare(p.subject, other.subject), strings.Compare(p.client, other.client))
}

// denials are all that counted at a time. They are not changed.
type denials struct {
	at     time.Time
	of     map[pair]store.Denial
	erased bool // some are of people whose data was erased
}

// meets returns the denial that the pair's tokens meet; that of a person whose data was erased is not in their name.
func (d *denials) meets(key pair) store.Denial {
	if !d.erased {
		return d.of[key]
	}
	return stricter(d.of[key], d.of[pair{store.ErasedSubject(key.subject), key.client}])
}

// A look is one for the denials, and when it ended.
type look struct {
	ended time.Time
	err   error
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
	group.Go(func() error {
		c.compareClocks(ctx)
		every(ctx, compareEvery, func() { c.compareClocks(ctx) })
		return nil
	})
	return group.Wait()
}

// compareClocks warns when this instance's clock is not that of the database, by which all instances go: what differs
// by more than is assumed has tokens refused that are good, or accepted that were just revoked.
func (c *Connections) compareClocks(ctx context.Context) {
	if ahead, err := c.options.Store.ClockDifference(ctx); err == nil && ahead.Abs() > clockDifference {
		c.options.Log.WarnContext(ctx, "the clock of this machine and that of Postgres differ: have both set by the "+
			"same time servers (NTP)", "postgres_is_ahead_s", ahead.Round(time.Second).Seconds())
	}
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
		return auth.Invalid("revoked")
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
		d = stricter(d, known.meets(key))
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

// current returns the denials, with an error if they are too old. It waits for a look that may succeed. While looks
// fail it waits for none: the last answer counts, and [Connections.Run] goes on looking.
func (c *Connections) current(ctx context.Context) (*denials, error) {
	known := c.known.Load()
	if c.fresh(known) {
		return known, nil
	}
	last := c.last.Load()
	failed := last != nil && last.err != nil
	if failed && within(c.options.Now(), last.ended, lookTimeout) {
		return known, last.err
	}
	found := c.looking.DoChan("", func() (any, error) { return nil, c.look(ctx) })
	if failed {
		return known, last.err
	}
	select {
	case result := <-found:
		return c.known.Load(), result.Err
	case <-ctx.Done():
		return known, ctx.Err()
	}
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
	_, _, _ = c.looking.Do("", func() (any, error) { return nil, c.look(ctx) })
}

// look reads the denials. Others wait for it as well, so it does not end with the caller's time.
func (c *Connections) look(ctx context.Context) error {
	begun := c.options.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	written, since := c.written(), begun.Add(-c.goodFor())
	list, err := c.options.Store.Denials(ctx, since)
	if err == nil {
		fresh := &denials{at: begun, of: make(map[pair]store.Denial, len(list))}
		for _, d := range list {
			fresh.of[pair{d.Subject, d.Client}] = d
			fresh.erased = fresh.erased || store.IsErasedSubject(d.Subject)
		}
		c.keepLost(ctx, fresh, since)
		c.forgetPeople(fresh)
		c.known.Store(fresh)
		c.forget(written)
	}
	before := c.last.Swap(&look{c.options.Now(), err})
	c.tell(ctx, before, err)
	return err
}

// forgetPeople has the people of whom something was revoked elsewhere asked for anew.
func (c *Connections) forgetPeople(fresh *denials) {
	known := c.known.Load()
	if known == nil || c.options.Directory == nil {
		return
	}
	for key, d := range fresh.of {
		if before, found := known.of[key]; !found || !before.RevokedAt.Equal(d.RevokedAt) {
			c.options.Directory.Forget(d.Owner)
		}
	}
}

// tell logs that looks fail, and that they succeed again: the first of each, and every minute how old the last answer
// is.
func (c *Connections) tell(ctx context.Context, before *look, err error) {
	failed := before != nil && before.err != nil
	switch known := c.known.Load(); {
	case err == nil && failed:
		c.options.Log.InfoContext(ctx, "denials read again")
	case err != nil && (!failed || !within(c.options.Now(), c.told, time.Minute)):
		c.told = c.options.Now()
		attributes := []any{"error", err}
		if known != nil {
			attributes = append(attributes, "age_s", int(c.told.Sub(known.at).Seconds()))
		}
		c.options.Log.WarnContext(ctx, "denials not read; writes are refused, reads go by the last ones", attributes...)
	}
}

// keepLost finds denials that were known and count as long as a token may meet them, and which the database does not
// have any more: it was put back to older data, or another server with older data has taken its place. They go on to
// count here and are written back.
func (c *Connections) keepLost(ctx context.Context, fresh *denials, since time.Time) {
	known := c.known.Load()
	if known == nil || !known.at.After(since.Add(time.Minute)) { // too long ago to tell what was lost from what is over
		return
	}
	for key, d := range known.of {
		there := fresh.meets(key)
		over := !d.Pending() && (!d.RevokedAt.After(since) || !c.options.Now().Before(d.ExpiresAt))
		if over || !there.RevokedAt.Before(d.RevokedAt) {
			continue
		}
		fresh.of[key] = stricter(d, there)
		if c.isHeld(key) || !c.hold(&ownDenial{Denial: d, failed: true, lost: true}) {
			continue
		}
		c.options.Log.ErrorContext(ctx, "the database has older data than it had: it has lost a revocation, which "+
			"counts here and is written back; see docs/operating.md about restoring",
			"subject", d.Subject, "client_id", d.Client, "revoked_at", d.RevokedAt)
	}
}
