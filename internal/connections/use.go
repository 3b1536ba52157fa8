package connections

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"guestpass/auth"
	"guestpass/internal/directory"
	"guestpass/internal/store"
)

// Note remembers that a token was used; it is written later, once a minute at most.
func (c *Connections) Note(identity auth.Identity) {
	key, now := pair{identity.Subject, identity.ClientID}, c.options.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if within(now, c.noted[key], noteEvery) || len(c.uses) >= maxNoted {
		return
	}
	if len(c.noted) >= maxNoted {
		clear(c.noted)
	}
	c.noted[key] = now
	c.uses[key] = store.Connection{Owner: identity.Owner(), Subject: identity.Subject, Client: identity.ClientID,
		Scopes: identity.Scopes.String(), LastUsed: now}
}

// Flush writes what was noted. What cannot be written is kept for the next time.
func (c *Connections) Flush(ctx context.Context) {
	c.mu.Lock()
	uses := c.uses
	c.uses = map[pair]store.Connection{}
	c.mu.Unlock()
	if len(uses) == 0 {
		return
	}
	err := c.write(ctx, func(tx *store.Tx) error {
		for _, use := range uses {
			if err := tx.NoteUse(use); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	c.options.Log.WarnContext(ctx, "use of connected apps not written", "error", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, use := range uses {
		if _, newer := c.uses[key]; !newer {
			c.uses[key] = use
		}
	}
}

// A Connection is one app of one person.
type Connection struct {
	Subject   string
	Client    string
	Name      string // of the app; its client id if it has none
	Scopes    []string
	FirstUsed time.Time // zero: not yet, or not since this is remembered
	LastUsed  time.Time // to the minute
	Ended     bool      // not connected any more at Stytch; tokens from before may still be good
	Revoked   bool      // here, so that tokens are refused; Stytch is still to revoke
}

// MaxListed is how many connections a list has at most.
const MaxListed = 500

// Of are the connections of one person.
func (c *Connections) Of(ctx context.Context, organizationID, subject string) ([]Connection, error) {
	at, err := c.options.Directory.Connections(ctx, organizationID, subject)
	if err != nil {
		return nil, err
	}
	return c.list(ctx, Target{organizationID, subject, ""}.owner(), subject, at)
}

// OfOrganization are those of all members.
func (c *Connections) OfOrganization(ctx context.Context, members *directory.B2B, organizationID string) ([]Connection, error) {
	at, err := members.OrganizationConnections(ctx, organizationID)
	if err != nil {
		return nil, err
	}
	return c.list(ctx, organizationID, "", at)
}

// list joins what Stytch says with what was used here: the latest used first.
func (c *Connections) list(ctx context.Context, owner, subject string, at []directory.Connection) ([]Connection, error) {
	c.Flush(ctx)
	used, err := c.options.Store.Connections(ctx, owner, subject, MaxListed)
	if err != nil {
		return nil, err
	}
	uses := map[pair]store.Connection{}
	for _, use := range used {
		uses[pair{use.Subject, use.Client}] = use
	}
	list := []Connection{}
	for _, a := range at {
		key := pair{a.PersonID, a.ClientID}
		denial, err := c.denial(ctx, key)
		if err != nil {
			return nil, err
		}
		use := uses[key]
		delete(uses, key)
		list = append(list, Connection{Subject: a.PersonID, Client: a.ClientID, Name: cmp.Or(a.Name, a.ClientID), Scopes: a.Scopes,
			FirstUsed: use.FirstUsed, LastUsed: use.LastUsed, Revoked: denial.Pending()})
	}
	for key, use := range uses { // revoked elsewhere: what was issued before may still be used
		denial, err := c.denial(ctx, key)
		if err != nil {
			return nil, err
		}
		if !use.LastUsed.After(denial.RevokedAt) || !within(c.options.Now(), use.LastUsed, denyFor) {
			continue
		}
		list = append(list, Connection{Subject: use.Subject, Client: use.Client, Name: c.name(ctx, use.Client), Scopes: strings.Fields(use.Scopes),
			FirstUsed: use.FirstUsed, LastUsed: use.LastUsed, Ended: true, Revoked: denial.Pending()})
	}
	slices.SortFunc(list, func(a, b Connection) int {
		return cmp.Or(b.LastUsed.Compare(a.LastUsed), strings.Compare(a.Name, b.Name), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Client, b.Client))
	})
	return list[:min(len(list), MaxListed)], nil
}

func (c *Connections) name(ctx context.Context, clientID string) string {
	app, err := c.options.Directory.ConnectedApp(ctx, clientID)
	if err != nil {
		return clientID
	}
	return cmp.Or(app.Name, clientID)
}
