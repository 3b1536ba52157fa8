package connections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"guestpass/internal/directory"
	"guestpass/internal/store"
)

const (
	// denyFor outlasts every token: two hours, which is auth's longest lifetime, and its skew twice.
	denyFor    = 2*time.Hour + time.Minute
	retryEvery = 15 * time.Second
	// refusedEvery is for what Stytch refuses, until somebody has ended the connection there. The
	// denial does not end by itself: that would give the app back what its person took away.
	refusedEvery = time.Hour

	// clockDifference is how far Stytch's clock may be ahead of ours: when a token was issued it
	// says, and when it was revoked we do. Who connects again waits as long.
	clockDifference = 5 * time.Second

	stytchLimit = 3 * time.Second // of one request to revoke
	writeLimit  = 10 * time.Second
)

// RevokeOperation is the name under which revocations are in the activity record.
const RevokeOperation = "revokeConnection"

// A Target is whose connection to which app is revoked.
type Target struct {
	OrganizationID string // "" in Consumer projects
	Subject        string
	Client         string
}

func (t Target) owner() string {
	if t.OrganizationID != "" {
		return t.OrganizationID
	}
	return t.Subject
}

// Revoke refuses all tokens that the target has, here from when it is called and
// everywhere from when it returns nil, and has Stytch revoke. That Stytch did not is no
// error: it is asked again. After an error nothing is revoked. actor is who revokes.
func (c *Connections) Revoke(ctx context.Context, actor string, t Target) error {
	now := c.options.Now()
	d := store.Denial{Subject: t.Subject, Client: t.Client, Owner: t.owner(), RetryAt: now.Add(retryEvery)}
	d.RevokedAt, d.ExpiresAt = until(now)
	if err := c.deny(ctx, d, actor); err != nil {
		return err
	}
	_ = c.tellStytch(ctx, d) // logged, and retried
	return nil
}

// until is which tokens are revoked at a time, by when they were issued, and when the last of
// them has ended.
func until(now time.Time) (revoked, expires time.Time) {
	revoked = now.Add(clockDifference)
	return revoked, revoked.Add(denyFor)
}

// deny lets the denial count here, and then keeps it: however long the database takes for
// that, the denied token is refused meanwhile, and no other waits.
func (c *Connections) deny(ctx context.Context, d store.Denial, actor string) error {
	c.mu.Lock()
	c.own[&d] = false
	c.mu.Unlock()
	err := c.write(ctx, func(tx *store.Tx) error {
		if err := tx.Deny(d); err != nil {
			return err
		}
		tx.Changed(d.Client, map[string]string{"connected_by": d.Subject}, nil)
		_, err := tx.Record(store.Activity{Owner: d.Owner, Subject: actor, Operation: RevokeOperation, Outcome: store.Done})
		return err
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own[&d] = true; err != nil {
		delete(c.own, &d)
	}
	return err
}

// write bounds a change in time, so that a database that hangs holds nothing up for ever.
func (c *Connections) write(ctx context.Context, change func(*store.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return c.options.Store.Write(ctx, change)
}

// tellStytch ends consent and refresh tokens. Tokens that Stytch issued until then are
// refused as well.
func (c *Connections) tellStytch(ctx context.Context, d store.Denial) error {
	err := c.disconnect(ctx, d)
	if err == nil {
		revoked, expires := until(c.options.Now())
		err = c.write(ctx, func(tx *store.Tx) error { return tx.Settle(d, revoked, expires) })
	}
	switch {
	case errors.Is(err, errRefused):
		c.options.Log.ErrorContext(ctx, "Stytch refuses to revoke; every token of the connection is refused until it is ended there: end it in Stytch's dashboard",
			"subject", d.Subject, "client_id", d.Client, "error", err)
	case err != nil:
		c.options.Log.WarnContext(ctx, "Stytch has not revoked yet; every token of the connection is refused, and it is asked again",
			"subject", d.Subject, "client_id", d.Client, "error", err)
	}
	return err
}

// errRefused says that Stytch answers, and would not revoke what is still connected.
var errRefused = errors.New("refused by Stytch, for what is still connected")

func (c *Connections) disconnect(ctx context.Context, d store.Denial) error {
	ctx, cancel := context.WithTimeout(ctx, stytchLimit)
	defer cancel()
	organization := d.Owner
	if organization == d.Subject {
		organization = ""
	}
	err := c.options.Directory.Disconnect(ctx, organization, d.Subject, d.Client)
	if err == nil || errors.As(err, new(*directory.UnavailableError)) || errors.Is(err, directory.ErrCredentials) {
		return err
	}
	left, listing := c.options.Directory.Connections(ctx, organization, d.Subject)
	switch {
	case errors.Is(listing, directory.ErrNotFound):
		return nil
	case listing != nil:
		return fmt.Errorf("%w; what is left of it: %w", err, listing)
	case slices.ContainsFunc(left, func(at directory.Connection) bool { return at.ClientID == d.Client }):
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return nil
}

// Retry asks Stytch for the revocations that are due, as long as it answers.
func (c *Connections) Retry(ctx context.Context) {
	list, err := c.options.Store.Denials(ctx)
	if err != nil {
		return // look has logged it
	}
	for _, d := range list {
		if !d.Pending() || d.RetryAt.After(c.options.Now()) {
			continue
		}
		if d.RetryAt, err = c.postpone(ctx, d, retryEvery); err != nil || !d.Pending() { // another instance asks
			continue
		}
		switch err := c.tellStytch(ctx, d); {
		case errors.Is(err, errRefused):
			_, _ = c.postpone(ctx, d, refusedEvery) // else it is asked again a little early
		case errors.As(err, new(*directory.UnavailableError)):
			return
		}
	}
}

// postpone returns when Stytch is asked next; zero if another instance is asking already.
func (c *Connections) postpone(ctx context.Context, d store.Denial, wait time.Duration) (at time.Time, err error) {
	mine, next := false, c.options.Now().Add(wait)
	err = c.write(ctx, func(tx *store.Tx) (err error) {
		mine, err = tx.Postpone(d, next)
		return err
	})
	if err != nil || !mine {
		return time.Time{}, err
	}
	return next, nil
}
