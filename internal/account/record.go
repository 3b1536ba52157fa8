package account

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"sync"
	"time"

	"guestpass/api"
	"guestpass/directory"
	"guestpass/internal/connections"
	"guestpass/internal/page"
	"guestpass/internal/text"
	"guestpass/store"
)

const (
	listedChanges  = 10 // of each app
	listedRemovals = 5  // of each app, beside those
	maxValue       = 80 // characters of a value within a sentence
	maxUndos       = 8  // undos of undos that are followed
)

// done is what was done through one app, as far as it is known.
type done struct {
	Latest  []activity
	Removed []activity // the latest of what took something away, before those
	More    string     // link to all of it; "" if this is all
	Unknown bool       // it could not be read
	Since   time.Time  // what was done until then is not kept any more; zero if all is
}

// activity is one change as people read it.
type activity struct {
	row  store.Activity
	deed string // the operation whose change it is, or whose change it undid

	At      time.Time
	Around  string    // key of the words around Deed; "" for none
	Deed    page.Deed // what was done
	Revoked string    // the client to which access was revoked, in place of Deed
	Other   bool      // it was another person's access
	Whose   string    // the address of that person; "" if they are not known any more
	App     string
	Outcome string // key of the words; "" for done
	Details []detail
	Undo    string // link to where it is undone; "" if that is not possible
	Later   bool   // it could be undone, had its target not been changed since
	Undone  bool   // that change was its undo
}

// Anchor is the id of the activity on a page.
func (a activity) Anchor() string { return a.row.ID }

// Here leads to the page of the list that begins with the activity.
func (a activity) Here() string {
	return selection{Client: allApps, From: a.row.ID}.link("/account") + "#" + a.row.ID
}

// detail is what became of one field.
type detail struct {
	Field         string
	Before, After value
}

// A value of a field. At is it as a time, zero if it is none.
type value struct {
	Text string
	At   time.Time
}

func valueOf(text string) value {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at = time.Time{}
	}
	return value{text, at}
}

// record is the person's.
type record struct {
	*Account
	owner, subject string
	foreign        bool                               // somebody else looks at it
	members        func() map[string]directory.Person // of the organization by id, asked for once; none if unknown
	since          time.Time
	err            error
}

// record needs no more than the database; while that does not answer, the page has its buttons still.
func (a *Account) record(ctx context.Context, person directory.Person) record {
	r := record{Account: a, owner: cmp.Or(person.Organization.ID, person.ID), subject: person.ID}
	r.since, r.err = a.options.Store.KnownSince(ctx, r.owner)
	r.members = sync.OnceValue(func() map[string]directory.Person {
		if a.options.Members == nil {
			return nil
		}
		members, err := a.members(ctx, r.owner)
		if err != nil {
			a.options.Log.WarnContext(ctx, "whose access was revoked is not shown", "error", err)
		}
		return members
	})
	return r
}

// through returns what was done through all of the clients: the latest, and what they took away, whatever
// came later. Of several, only everything in the person's name shows more.
func (r record) through(ctx context.Context, clients ...string) (d done) {
	if len(clients) == 1 {
		return r.throughOne(ctx, clients[0])
	}
	d.Since = r.since
	for _, client := range clients {
		one := r.throughOne(ctx, client)
		d.Latest, d.Removed = append(d.Latest, one.Latest...), append(d.Removed, one.Removed...)
		d.Unknown = d.Unknown || one.Unknown
		if one.More != "" {
			d.More = everything
		}
	}
	latestFirst := func(a, b activity) int { return b.At.Compare(a.At) }
	slices.SortStableFunc(d.Latest, latestFirst)
	slices.SortStableFunc(d.Removed, latestFirst)
	if len(d.Latest) > listedChanges {
		d.Latest, d.More = d.Latest[:listedChanges], everything
	}
	d.Removed = d.Removed[:min(len(d.Removed), listedRemovals)]
	return d
}

func (r record) throughOne(ctx context.Context, client string) (d done) {
	query := store.ActivityQuery{Subject: r.subject, Client: client, Limit: listedChanges + 1}
	rows, err := r.read(ctx, query)
	d.Since = r.since
	if len(rows) > listedChanges {
		rows = rows[:listedChanges]
		d.More = selection{Client: client}.link("/account")
		query.Removals, query.Limit, query.After = true, listedRemovals, rows[listedChanges-1].Position()
		var removals []store.Activity
		if removals, err = r.read(ctx, query); err == nil {
			d.Removed, err = r.told(ctx, removals)
		}
	}
	if err == nil {
		d.Latest, err = r.told(ctx, rows)
	}
	if d.Unknown = err != nil; d.Unknown {
		r.options.Log.WarnContext(ctx, "what was done is not shown", "client_id", client, "error", err)
	}
	return d
}

func (r record) read(ctx context.Context, query store.ActivityQuery) ([]store.Activity, error) {
	if r.err != nil {
		return nil, r.err
	}
	return r.options.Store.Activities(ctx, r.owner, query)
}

// told returns activities as people read them.
func (r record) told(ctx context.Context, rows []store.Activity) (list []activity, err error) {
	var undoable []string // targets
	for _, row := range rows {
		one := r.tell(ctx, row)
		if !r.foreign && r.options.Service.CanUndoFor() && r.options.Service.Undoes(row) {
			one.Undo = "/account/undo?" + url.Values{"activity": {row.ID}}.Encode()
			undoable = append(undoable, row.Target)
		}
		list = append(list, one)
	}
	latest, err := r.options.Store.LatestOf(ctx, r.owner, undoable...)
	for i, one := range list {
		last := latest[one.row.Target]
		if one.Undo != "" && last.ID != one.row.ID {
			list[i].Undo, list[i].Later = "", true
			list[i].Undone = last.RefersTo == one.row.ID
		}
	}
	return list, err
}

// tell leaves out whether the activity can be undone.
func (r record) tell(ctx context.Context, row store.Activity) activity {
	told := activity{row: row, At: row.At, App: row.Client}
	switch row.Outcome {
	case store.Failed:
		told.Outcome = "account.failed"
	case store.Started:
		told.Outcome = "account.end_unknown"
	}
	if row.Operation == connections.RevokeOperation {
		person := api.Fields(row)["connected_by"]
		if told.Revoked, told.Other = row.Target, person != row.Subject; told.Other {
			told.Whose = text.Name(r.members()[person].Email)
		}
		return told
	}
	for _, change := range api.FieldChanges(row) {
		told.Details = append(told.Details, detail{change.Field, valueOf(change.Before), valueOf(change.After)})
	}
	origin, undos := r.origin(ctx, row)
	told.deed, told.Deed = origin.Operation, r.deedOf(origin)
	switch {
	case undos%2 == 1:
		told.Around = "account.undid"
	case undos > 0:
		told.Around = "account.did_again"
	}
	return told
}

// deedOf returns what an activity did by itself. What did not end well has no words that say it was done.
func (r record) deedOf(row store.Activity) page.Deed {
	op := r.operations[row.Operation]
	deed := page.Deed{Summary: cmp.Or(op.Summary, row.Operation)}
	if row.Target != "" {
		deed.Summary += " " + row.Target
	}
	if row.Outcome != store.Done {
		return deed
	}
	deed.Operation, deed.Done, deed.Values = row.Operation, op.Done, map[string]string{}
	for name, value := range api.Fields(row) {
		deed.Values[name] = text.Short(text.Line(value), maxValue)
	}
	return deed
}

// origin returns the activity that was undone, and done again, by how many others; itself if it undoes none.
func (r record) origin(ctx context.Context, row store.Activity) (origin store.Activity, undos int) {
	origin = row
	for r.operations[origin.Operation].Undoes {
		before, err := r.options.Store.Activity(ctx, r.owner, r.subject, origin.RefersTo)
		if err != nil || undos == maxUndos { // not kept any more, say: then it is told as an undo
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				r.options.Log.WarnContext(ctx, "what was undone is not known", "error", err)
			}
			return row, 0
		}
		origin, undos = before, undos+1
	}
	return origin, undos
}
