package connections

import (
	"context"
	"slices"
	"time"

	"guestpass/auth"
	"guestpass/store"
)

// How many denials that are not written this instance remembers. While nothing can be written,
// whoever revokes much leaves others theirs.
const (
	maxHeld        = 10_000
	maxHeldOfOwner = 200 // of one organization, or user in Consumer projects
)

// An ownDenial was made by this instance, and counts here from its beginning.
type ownDenial struct {
	store.Denial
	actor   string
	failed  bool // to be written: it is to be tried again
	written bool // whoever reads the database from now on finds it
	lost    bool // it was written, and is recorded already
}

func (o *ownDenial) key() pair { return pair{o.Subject, o.Client} }

// hold lets the denial count here, and reports whether it could: there may be too many.
// However long the database takes to write it, its tokens are refused meanwhile, and no others wait.
func (c *Connections) hold(own *ownDenial) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, ofOwner := 0, 0
	for _, denials := range c.own {
		for _, other := range denials {
			if other.written {
				continue
			}
			if all++; other.Owner == own.Owner {
				ofOwner++
			}
		}
	}
	if all >= maxHeld || ofOwner >= maxHeldOfOwner {
		return false
	}
	c.own[own.key()] = append(c.own[own.key()], own)
	return true
}

// isHeld reports whether a denial of the pair that the database has lost waits to be written back.
func (c *Connections) isHeld(key pair) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.own[key], func(own *ownDenial) bool { return own.lost && !own.written })
}

// mark notes whether the denial could be written.
func (c *Connections) mark(own *ownDenial, written error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own.written, own.failed = written == nil, written != nil
}

// markTold notes that Stytch has revoked although the denial is not written, so that only tokens
// from before are refused.
func (c *Connections) markTold(own *ownDenial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own.RevokedAt, own.ExpiresAt = cutoff(c.options.Now().Add(auth.Skew)) // Postgres does not correct our clock
	own.RetryAt = time.Time{}
}

// markAsked notes when Stytch is asked next for a denial that is not written.
func (c *Connections) markAsked(own *ownDenial, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own.RetryAt = next
}

// Unwritten returns how many revocations count with this instance alone, as the database has not taken them yet.
func (c *Connections) Unwritten() int {
	return len(c.owned(func(own *ownDenial) bool { return !own.written }))
}

// written returns this instance's denials that whoever reads the database from now on will find.
func (c *Connections) written() []*ownDenial {
	return c.owned(func(own *ownDenial) bool { return own.written })
}

// failed returns those that could not be written, the oldest first.
func (c *Connections) failed() []*ownDenial {
	return c.owned(func(own *ownDenial) bool { return own.failed })
}

func (c *Connections) owned(which func(*ownDenial) bool) (list []*ownDenial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, denials := range c.own {
		for _, own := range denials {
			if which(own) {
				list = append(list, own)
			}
		}
	}
	slices.SortFunc(list, func(a, b *ownDenial) int { return a.RevokedAt.Compare(b.RevokedAt) })
	return list
}

// denialOf returns the denial as it is now.
func (c *Connections) denialOf(own *ownDenial) store.Denial {
	c.mu.Lock()
	defer c.mu.Unlock()
	return own.Denial
}

func (c *Connections) forget(list []*ownDenial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, own := range list {
		left := slices.DeleteFunc(c.own[own.key()], func(other *ownDenial) bool { return other == own })
		if c.own[own.key()] = left; len(left) == 0 {
			delete(c.own, own.key())
		}
	}
}

// Finish writes once more what could not be written, and says what is lost with this instance. Call it when no calls
// come any more.
func (c *Connections) Finish(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, finishLimit)
	defer cancel()
	c.writeHeld(bounded)
	left := c.owned(func(own *ownDenial) bool { return !own.written })
	if len(left) > 0 {
		untold := 0
		for _, own := range left {
			if c.denialOf(own).Pending() {
				untold++
			}
		}
		c.options.Log.ErrorContext(ctx, "revocations are lost with this instance, as the database has not taken them: "+
			"the other instances, and this one once it is started anew, admit what the apps have until it ends; have "+
			"them repeated on /account", "revocations", len(left), "stytch_not_told", untold)
	}
	bounded, cancel = context.WithTimeout(ctx, finishLimit)
	defer cancel()
	c.Flush(bounded)
}

// writeHeld writes what could not be written when it was made, until the database fails again.
func (c *Connections) writeHeld(ctx context.Context) {
	for _, own := range c.failed() {
		d := c.denialOf(own)
		if !d.Pending() && !c.options.Now().Before(d.ExpiresAt) { // no token can meet it any more
			c.forget([]*ownDenial{own})
			continue
		}
		deny := func() error { return c.writeDenial(ctx, d, own.actor) }
		if own.lost {
			deny = func() error { return c.write(ctx, d, func(tx *store.Tx) error { return tx.Keep(d) }) }
		}
		if err := deny(); err != nil {
			return // it was logged when it was made
		}
		c.mark(own, nil)
		c.options.Log.WarnContext(ctx, "revocation written that could not be when it was made",
			"subject", d.Subject, "client_id", d.Client)
	}
}
