package connections

import (
	"context"
	"errors"
	"maps"
	"time"

	"guestpass/internal/directory"
	"guestpass/internal/store"
)

const (
	// denyFor outlasts every token: two hours, which is auth's longest lifetime, and its skew twice.
	denyFor     = 2*time.Hour + time.Minute
	retryEvery  = 15 * time.Second
	stytchLimit = 3 * time.Second // of one request to revoke
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

// Revoke refuses all tokens that the target has, from when it returns nil, and has Stytch
// revoke. That Stytch did not is no error: it is asked again. actor is who revokes.
func (c *Connections) Revoke(ctx context.Context, actor string, t Target) error {
	now := c.options.Now()
	d := store.Denial{Subject: t.Subject, Client: t.Client, Owner: t.owner(), RevokedAt: now, ExpiresAt: now.Add(denyFor), RetryAt: now.Add(retryEvery)}
	err := c.deny(ctx, d, func(tx *store.Tx) error {
		tx.Changed(t.Client, map[string]string{"connected_by": t.Subject}, nil)
		_, err := tx.Record(store.Activity{Owner: t.owner(), Subject: actor, Operation: RevokeOperation, Outcome: store.Done})
		return err
	})
	if err != nil {
		return err
	}
	_ = c.tellStytch(ctx, d) // logged, and retried
	return nil
}

// deny keeps the denial and lets it count here. No look at the denials from before it may
// replace it: they take turns.
func (c *Connections) deny(ctx context.Context, d store.Denial, also func(*store.Tx) error) error {
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	err := c.options.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Deny(d); err != nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return err
	}
	changed := &denials{of: map[pair]store.Denial{}} // the zero time: the next call reads the others
	if known := c.known.Load(); known != nil {
		changed = &denials{known.at, maps.Clone(known.of)}
	}
	changed.of[pair{d.Subject, d.Client}] = d
	c.known.Store(changed)
	return nil
}

// tellStytch ends consent and refresh tokens. Tokens that Stytch issued until then are
// refused as well.
func (c *Connections) tellStytch(ctx context.Context, d store.Denial) error {
	ctx = context.WithoutCancel(ctx) // a person who leaves the page has revoked
	limited, cancel := context.WithTimeout(ctx, stytchLimit)
	defer cancel()
	organization := d.Owner
	if organization == d.Subject {
		organization = ""
	}
	err := c.options.Directory.Disconnect(limited, organization, d.Subject, d.Client)
	if err == nil {
		d.RevokedAt, d.RetryAt = c.options.Now(), time.Time{}
		d.ExpiresAt = d.RevokedAt.Add(denyFor)
		err = c.deny(ctx, d, func(*store.Tx) error { return nil })
	}
	if err != nil {
		c.options.Log.WarnContext(ctx, "Stytch has not revoked yet; every token of the connection is refused, and it is asked again",
			"subject", d.Subject, "client_id", d.Client, "error", err)
	}
	return err
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
		mine, until := false, c.options.Now().Add(retryEvery)
		err := c.options.Store.Write(ctx, func(tx *store.Tx) (err error) {
			mine, err = tx.Postpone(d, until)
			return err
		})
		if err != nil || !mine { // another instance asks
			continue
		}
		d.RetryAt = until
		if err := c.tellStytch(ctx, d); errors.As(err, new(*directory.UnavailableError)) {
			return
		}
	}
}
