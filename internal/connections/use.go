package connections

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"guestpass/auth"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
	"guestpass/store"
)

// Note remembers that a token was used; it is written later, once a minute at most.
func (c *Connections) Note(identity auth.Identity) {
	key, now := pair{identity.Subject, identity.ClientID}, c.options.Now()
	name := key.subject + " " + key.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, known := c.noted.Get(name, now); known && within(now, at, noteEvery) {
		return
	}
	if !c.keepUse(key, store.Connection{Owner: identity.Owner(), Subject: identity.Subject, Client: identity.ClientID,
		Scopes: identity.Scopes.String(), LastUsed: now}) {
		return
	}
	party := limits.Party{Person: identity.Subject, Organization: identity.OrganizationID}
	c.noted.Put(party, name, now, now.Add(noteEvery))
}

// keepUse has a use wait to be written, if there is room for another of its owner's. The caller holds mu.
func (c *Connections) keepUse(key pair, use store.Connection) bool {
	if _, known := c.uses[key]; !known {
		if len(c.uses) >= maxNoted || c.usesOf[use.Owner] >= maxNoted/4 {
			return false
		}
		c.usesOf[use.Owner]++
	}
	c.uses[key] = use
	return true
}

// Flush writes what was noted. What cannot be written is kept for the next time.
func (c *Connections) Flush(ctx context.Context) {
	c.mu.Lock()
	uses := c.uses
	c.uses, c.usesOf = map[pair]store.Connection{}, map[string]int{}
	c.mu.Unlock()
	if len(uses) == 0 {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	err := c.options.Store.Write(bounded, func(tx *store.Tx) error {
		for _, key := range slices.SortedFunc(maps.Keys(uses), pair.compare) { // in the order of other instances
			use := uses[key]
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
			c.keepUse(key, use)
		}
	}
}

// A Connection is one app of one person.
type Connection struct {
	Subject   string
	Client    string
	App       // what is known of it; its Name is the client id if it has none
	Scopes    []string
	FirstUsed time.Time // zero: not yet, or not since this is remembered
	LastUsed  time.Time // to the minute
	Ended     bool      // not connected any more at Stytch; tokens from before may still be good
	Revoked   bool      // here, so that tokens are refused; Stytch is still to revoke
}

// A List is what somebody may see of connections.
type List struct {
	Connections []Connection
	Next        string // what to list after for the page after this; "" if there is none
	// the database cannot be read: when they were used is missing, and what ended, but not what is connected
	Unknown bool
}

// MaxListed is how many connections a list has at most.
const MaxListed = 500

// Of returns the connections of one person.
func (c *Connections) Of(ctx context.Context, organizationID, subject string) (List, error) {
	at, err := c.options.Directory.Connections(ctx, organizationID, subject)
	if err != nil {
		return List{}, err
	}
	return c.list(ctx, Target{organizationID, subject, ""}.owner(), subject, stytch.AppPage{Connections: at,
		First: true}), nil
}

// OfOrganization returns those of all members to the apps that follow the one with the id after.
func (c *Connections) OfOrganization(ctx context.Context, members *stytch.B2B, organizationID, after string) (List,
	error) {
	at, err := members.OrganizationConnections(ctx, organizationID, after)
	if err != nil {
		return List{}, err
	}
	list := c.list(ctx, organizationID, "", at)
	list.Next = at.Next
	return list, nil
}

// OfApps returns those of all members to the apps with these ids that are connected at Stytch.
func (c *Connections) OfApps(ctx context.Context, members *stytch.B2B, organizationID string, clients []string) (
	[]Connection, error) {
	at, err := members.AppConnections(ctx, organizationID, clients)
	if err != nil {
		return nil, err
	}
	listed := c.list(ctx, organizationID, "", stytch.AppPage{Connections: at}).Connections
	return slices.DeleteFunc(listed, func(one Connection) bool { return one.Ended }), nil
}

// list joins what Stytch says with what was used here: the latest used first. What is not connected
// any more is on the first page. If one of the two cannot be read, the list has the other: Stytch
// ends a connection whether or not our database can be read.
func (c *Connections) list(ctx context.Context, owner, subject string, at stytch.AppPage) List {
	c.Flush(ctx)
	used, err := c.options.Store.Connections(ctx, owner, subject, MaxListed)
	unknown := err != nil
	uses := map[pair]store.Connection{}
	for _, use := range used {
		uses[pair{use.Subject, use.Client}] = use
	}
	list, here := []Connection{}, map[string]bool{}
	for _, a := range at.Connections {
		here[a.ClientID] = true
		key := pair{a.PersonID, a.ClientID}
		denial, err := c.denial(ctx, key)
		unknown = unknown || err != nil
		use := uses[key]
		delete(uses, key)
		list = append(list, Connection{Subject: a.PersonID, Client: a.ClientID,
			App: App{Name: cmp.Or(a.Name, a.ClientID)}, Scopes: a.Scopes,
			FirstUsed: use.FirstUsed, LastUsed: use.LastUsed, Revoked: denial.Pending()})
	}
	for key, use := range uses { // revoked elsewhere: what was issued before may still be used
		if at.Elsewhere[use.Client] || !at.First && !here[use.Client] {
			continue
		}
		denial, err := c.denial(ctx, key)
		unknown = unknown || err != nil
		if !use.LastUsed.After(denial.RevokedAt) || !within(c.options.Now(), use.LastUsed, c.goodFor()) {
			continue
		}
		list = append(list, Connection{Subject: use.Subject, Client: use.Client, App: App{Name: use.Client},
			Scopes:    strings.Fields(use.Scopes),
			FirstUsed: use.FirstUsed, LastUsed: use.LastUsed, Ended: true, Revoked: denial.Pending()})
	}
	slices.SortFunc(list, func(a, b Connection) int {
		return cmp.Or(b.LastUsed.Compare(a.LastUsed), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Subject, b.Subject), strings.Compare(a.Client, b.Client))
	})
	if unknown {
		c.options.Log.WarnContext(ctx, "connections listed without what is in the database", "error", err)
	}
	list = list[:min(len(list), MaxListed)]
	c.describe(ctx, list)
	return List{Connections: list, Unknown: unknown}
}

// describe tells where apps have their documents, and gives those that are not connected any more
// their names, as far as Stytch has them.
func (c *Connections) describe(ctx context.Context, list []Connection) {
	var ids []string
	for _, l := range list {
		ids = append(ids, l.Client)
	}
	known := c.Apps(ctx, ids)
	for i, l := range list {
		app := known[l.Client]
		if !l.Ended {
			app.Name = l.Name
		}
		app.Name = cmp.Or(app.Name, l.Client)
		list[i].App = app
	}
}
