package account

import (
	"slices"
	"time"

	"guestpass/internal/connections"
)

// maxGroup is how many clients are shown, and revoked, as one. Further ones make a group of their own.
const maxGroup = 20

// grouped puts together, for each person, what is surely one app to them: clients of one name whose documents
// are on one host, or that all lead to the same places, and that are in the same state; in the order of the
// first of each. A client stays alone that Stytch told nothing of, or that whoever runs the server listed: a
// name alone, anybody can have.
func grouped(list []connections.Connection) (groups [][]connections.Connection) {
	type key struct {
		subject        string
		app            connections.App
		ended, revoked bool
	}
	at := map[key]int{}
	for _, c := range list {
		k := key{c.Subject, c.App, c.Ended, c.Revoked}
		i, found := at[k]
		if !found || alone(c) || len(groups[i]) == maxGroup {
			i = len(groups)
			at[k], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

// alone reports whether no other client can be shown as the same app as this one.
func alone(c connections.Connection) bool { return !c.Known || c.Listed || c.Name == c.Client }

// together returns one connection in place of several of a group: it may do what any of them may.
func together(clients []connections.Connection) connections.Connection {
	all := clients[0]
	all.Scopes = slices.Clone(all.Scopes)
	for _, c := range clients[1:] {
		for _, scope := range c.Scopes {
			if !slices.Contains(all.Scopes, scope) {
				all.Scopes = append(all.Scopes, scope)
			}
		}
		all.FirstUsed, all.LastUsed = earlier(all.FirstUsed, c.FirstUsed), later(all.LastUsed, c.LastUsed)
	}
	return all
}

// earlier returns the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
