package connections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"guestpass/auth"
	"guestpass/directory"
	"guestpass/internal/stytch"
	"guestpass/store"
)

const (
	// outlasts is how much longer than its lifetime a token is good, at most: auth's skew, twice.
	outlasts = time.Minute
	// keepFor goes by the longest lifetime that can be set, not by the one that is: when that is
	// raised, tokens that were revoked before become good by their dates, and must stay revoked.
	keepFor = auth.LongestLifetime + outlasts

	retryEvery = 15 * time.Second
	// refusedEvery is for what Stytch refuses, until somebody has ended the connection there. The
	// denial does not end by itself: that would give the app back what its person took away.
	refusedEvery = time.Hour

	// clockDifference is how far Stytch's clock may be ahead of ours: its clock dates the issue of
	// a token, and ours the revocation. Who connects again waits as long.
	clockDifference = 5 * time.Second

	stytchLimit = 3 * time.Second // of one request to revoke
	writeLimit  = 10 * time.Second
	finishLimit = 2 * time.Second // of revocations, and of uses, when the instance ends
)

// goodFor returns how long a token is good at most after it was issued.
func (c *Connections) goodFor() time.Duration { return c.options.MaxLifetime + outlasts }

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

// An Outcome says what has become of a revocation in the two places that keep one: our
// database, by which every instance refuses what the app still has, and Stytch, which issues
// it nothing new.
type Outcome struct {
	Written error // nil: in the database
	Told    error // nil: Stytch has ended the connection. Else it is asked again
	// Refused: tokens are refused, by this instance at least and as long as it runs, which
	// goes on trying to write. Always true of what is written.
	Refused bool
}

// Revoke refuses all tokens that the target has, here from when it is called and everywhere
// once it is written, and has Stytch revoke, whether or not it could be written. What failed is
// tried again. actor is who revokes.
func (c *Connections) Revoke(ctx context.Context, actor string, t Target) (o Outcome) {
	now := c.options.Now()
	d := store.Denial{Subject: t.Subject, Client: t.Client, Owner: t.owner(), RetryAt: now.Add(retryEvery)}
	d.RevokedAt, d.ExpiresAt = cutoff(now)
	own := &ownDenial{Denial: d, actor: actor}
	o.Refused = c.hold(own)
	if c.options.Directory != nil {
		c.options.Directory.Forget(d.Owner)
	}
	o.Written = c.writeDenial(ctx, d, actor)
	c.mark(own, o.Written)
	o.Refused = o.Refused || o.Written == nil
	// Whoever revokes has waited for the write: its time must not be missing here.
	ctx = context.WithoutCancel(ctx)
	switch o.Told = c.tellStytch(ctx, d); {
	case o.Told != nil: // logged, and asked again
	case o.Written == nil:
		c.settle(ctx, d)
	default:
		c.markTold(own)
	}
	if o.Written != nil {
		c.options.Log.ErrorContext(ctx,
			"revocation not written: other instances, and this one once it is started anew, "+
				"admit what the app has until it ends; make space, or mend the database, and it is written if this "+
				"instance "+
				"still runs and refuses it; else have it repeated on /account",
			"subject", d.Subject, "client_id", d.Client, "stytch_told", o.Told == nil, "refused_here", o.Refused,
			"error", o.Written)
	}
	return o
}

// cutoff returns the issue time up to which tokens count as revoked now, and when that may be
// forgotten.
func cutoff(now time.Time) (revoked, expires time.Time) {
	revoked = now.Add(clockDifference)
	return revoked, revoked.Add(keepFor)
}

func (c *Connections) writeDenial(ctx context.Context, d store.Denial, actor string) error {
	return c.write(ctx, d, func(tx *store.Tx) error {
		if err := tx.Deny(d); err != nil {
			return err
		}
		tx.Changed(d.Client, map[string]string{"connected_by": d.Subject}, nil)
		_, err := tx.Record(store.Activity{Owner: d.Owner, Subject: actor, Operation: RevokeOperation,
			Outcome: store.Done})
		return err
	})
}

// write bounds a change in time, so that a database that hangs holds nothing up for ever. It waits for no connection
// that others use.
func (c *Connections) write(ctx context.Context, d store.Denial, change func(*store.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return c.options.Store.Write(store.Apart(store.ForOwner(ctx, d.Owner)), change)
}

// tellStytch ends consent and refresh tokens.
func (c *Connections) tellStytch(ctx context.Context, d store.Denial) error {
	err := c.disconnect(ctx, d)
	switch {
	case errors.Is(err, errRefused):
		c.options.Log.ErrorContext(ctx, "Stytch refuses to revoke; every token of the connection is refused until it "+
			"is ended there: end it in Stytch's dashboard",
			"subject", d.Subject, "client_id", d.Client, "error", err)
	case err != nil:
		c.options.Log.WarnContext(ctx, "Stytch has not revoked yet; every token of the connection is refused, and it "+
			"is asked again",
			"subject", d.Subject, "client_id", d.Client, "error", err)
	}
	return err
}

// settle writes that Stytch has revoked. Tokens that it issued until then are refused as well.
func (c *Connections) settle(ctx context.Context, d store.Denial) {
	revoked, expires := cutoff(c.options.Now())
	err := c.write(ctx, d, func(tx *store.Tx) error { return tx.Settle(d, revoked, expires) })
	if err != nil {
		c.options.Log.WarnContext(ctx,
			"not written that Stytch has revoked: it is asked once more, and every token of "+
				"the connection is refused until then", "subject", d.Subject, "client_id", d.Client, "error", err)
	}
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
	case slices.ContainsFunc(left, func(at stytch.Connection) bool { return at.ClientID == d.Client }):
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return nil
}
