package connections

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"guestpass/directory"
	"guestpass/internal/stytch"
	"guestpass/store"
)

const (
	retriedAtOnce = 4  // owners for whom Stytch is asked again at once
	retriedOf     = 20 // denials of one owner in each round; the next is 5 s later
)

// Retry writes what could not be written, and asks Stytch for the revocations that are due.
// Owners wait for each other's a little, and no owner's failure ends another's turn.
func (c *Connections) Retry(ctx context.Context) {
	ctx = stytch.InBackground(ctx)
	var group errgroup.Group
	group.SetLimit(retriedAtOnce)
	for _, list := range c.due(ctx) {
		group.Go(func() error {
			for _, d := range list[:min(len(list), retriedOf)] {
				if err := c.retry(ctx, d); errors.As(err, new(*directory.UnavailableError)) {
					return nil
				}
			}
			return nil
		})
	}
	_ = group.Wait()
	c.writeHeld(ctx)
}

// A dueDenial is one for which Stytch is to be asked again. own is nil for what is written.
type dueDenial struct {
	store.Denial
	own *ownDenial
}

// due returns the denials for which Stytch is to be asked again now, by owner. While the database
// cannot be read those that were known last count.
func (c *Connections) due(ctx context.Context) map[string][]dueDenial {
	list, err := c.options.Store.Denials(ctx, c.options.Now())
	if err != nil { // look has logged it
		list = nil
		if known := c.known.Load(); known != nil {
			for _, d := range known.of {
				list = append(list, d)
			}
		}
	}
	due := map[string][]dueDenial{}
	add := func(d store.Denial, own *ownDenial) {
		if d.Pending() && !d.RetryAt.After(c.options.Now()) {
			due[d.Owner] = append(due[d.Owner], dueDenial{d, own})
		}
	}
	for _, own := range c.failed() {
		add(c.denialOf(own), own)
	}
	for _, d := range list {
		add(d, nil)
	}
	return due
}

// retry asks Stytch once more, and says when it is asked next if that fails.
func (c *Connections) retry(ctx context.Context, d dueDenial) error {
	if d.own != nil {
		c.markAsked(d.own, c.options.Now().Add(retryEvery))
		err := c.tellStytch(ctx, d.Denial)
		switch {
		case err == nil:
			c.markTold(d.own)
		case errors.Is(err, errRefused):
			c.markAsked(d.own, c.options.Now().Add(refusedEvery))
		}
		return err
	}
	next, mine := c.turn(ctx, d.Denial)
	if !mine {
		return nil
	}
	d.RetryAt = next
	err := c.tellStytch(ctx, d.Denial)
	switch {
	case err == nil:
		c.settle(ctx, d.Denial)
	case errors.Is(err, errRefused):
		_, _ = c.postpone(ctx, d.Denial, refusedEvery) // else it is asked again a little early
	}
	return err
}

// turn reports whether it is this instance that asks Stytch now, and when it is asked next. While
// the database takes no note of it, every instance asks by itself: revoking twice does no harm.
func (c *Connections) turn(ctx context.Context, d store.Denial) (next time.Time, mine bool) {
	next, err := c.postpone(ctx, d, retryEvery)
	if err == nil {
		return next, !next.IsZero()
	}
	key, now := pair{d.Subject, d.Client}, c.options.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for other, at := range c.asked {
		if !within(now, at, retryEvery) {
			delete(c.asked, other)
		}
	}
	if _, lately := c.asked[key]; lately {
		return d.RetryAt, false
	}
	c.asked[key] = now
	return d.RetryAt, true
}

// postpone returns when Stytch is asked next; zero if another instance is asking already.
func (c *Connections) postpone(ctx context.Context, d store.Denial, wait time.Duration) (at time.Time, err error) {
	mine, next := false, c.options.Now().Add(wait)
	err = c.write(ctx, d, func(tx *store.Tx) (err error) {
		mine, err = tx.Postpone(d, next)
		return err
	})
	if err != nil || !mine {
		return time.Time{}, err
	}
	return next, nil
}
