package account

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"slices"
	"time"

	"guestpass/directory"
	"guestpass/internal/connections"
	"guestpass/store"
)

const (
	listedChanges  = 10 // of each app
	listedRemovals = 5  // of each app, beside those
	pagedChanges   = 50
	allApps        = "all"
	everything     = "/account?changes=" + allApps
)

// done is what was done through one app, as far as it is known.
type done struct {
	Latest  []activity
	Removed []activity // the latest of what took something away, before those
	More    string     // link to all of it; "" if this is all
	Unknown bool       // it could not be read
	Since   time.Time  // what was done until then is not kept any more; zero if all is
}

type activity struct {
	At      time.Time
	What    string // what the operation does
	Key     string // of the words for it, in place of What, if it is this page's own
	App     string
	Target  string
	Outcome string // key of the words; "" for done
}

// record is the person's.
type record struct {
	*Account
	owner, subject string
	since          time.Time
	err            error
}

// record needs no more than the database; while that does not answer, the page has its buttons still.
func (a *Account) record(ctx context.Context, person directory.Person) record {
	r := record{Account: a, owner: cmp.Or(person.Organization.ID, person.ID), subject: person.ID}
	r.since, r.err = a.options.Store.KnownSince(ctx, r.owner)
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
		d.More = "/account?" + url.Values{"changes": {client}}.Encode()
		query.Removals, query.Limit, query.After = true, listedRemovals, rows[listedChanges-1].Position()
		var removals []store.Activity
		if removals, err = r.read(ctx, query); err == nil {
			d.Removed = r.told(removals)
		}
	}
	if d.Latest, d.Unknown = r.told(rows), err != nil; d.Unknown {
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

func (r record) told(rows []store.Activity) (list []activity) {
	for _, row := range rows {
		told := activity{At: row.At, What: cmp.Or(r.options.Operations[row.Operation], row.Operation),
			App: row.Client, Target: row.Target}
		if row.Operation == connections.RevokeOperation {
			told.Key = "account.did_revoke"
		}
		switch row.Outcome {
		case store.Failed:
			told.Outcome = "account.failed"
		case store.Started:
			told.Outcome = "account.end_unknown"
		}
		list = append(list, told)
	}
	return list
}

// changes are a page of what was done in the person's name.
type changes struct {
	Client   string // through which app; allApps for any
	Removals bool   // only what took something away
	After    string

	App   string // its name
	List  []activity
	Older string // link to the next page; "" if this is the last one
	Other string // link to the same with, or without, what took nothing away
	Since time.Time
}

var (
	clientForm   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	positionForm = regexp.MustCompile(`^[0-9]{1,18}$`)
)

// askedChanges returns the page of changes that the query asks for, nil for none, and reports
// whether the query can be understood.
func askedChanges(query url.Values) (c *changes, ok bool) {
	if !query.Has("changes") {
		return nil, true
	}
	c = &changes{Client: query.Get("changes"), Removals: query.Get("removals") == "yes", After: query.Get("before")}
	return c, len(query["changes"]) == 1 && len(query["removals"]) <= 1 && len(query["before"]) <= 1 &&
		clientForm.MatchString(c.Client) && (c.After == "" || positionForm.MatchString(c.After))
}

func (c changes) link(removals bool, after string) string {
	values := url.Values{"changes": {c.Client}}
	if removals {
		values.Set("removals", "yes")
	}
	if after != "" {
		values.Set("before", after)
	}
	return "/account?" + values.Encode()
}

// All reports whether it is of every app.
func (c changes) All() bool { return c.Client == allApps }

// fillChanges reads the page that v.Changes asks for.
func (a *Account) fillChanges(ctx context.Context, v *view, person directory.Person) error {
	c, r := v.Changes, a.record(ctx, person)
	query := store.ActivityQuery{Subject: r.subject, Client: c.Client, Removals: c.Removals,
		Limit: pagedChanges + 1, After: c.After}
	if c.All() {
		query.Client = ""
	}
	rows, err := r.read(ctx, query)
	if err != nil {
		return err
	}
	c.Since, c.Other = r.since, c.link(!c.Removals, "")
	if len(rows) > pagedChanges {
		rows = rows[:pagedChanges]
		c.Older = c.link(c.Removals, rows[pagedChanges-1].Position())
	}
	clients := []string{c.Client}
	for _, row := range rows {
		clients = append(clients, row.Client)
	}
	known := a.options.Connections.Apps(ctx, clients)
	c.App = cmp.Or(known[c.Client].Label(), c.Client)
	c.List = r.told(rows)
	for i, one := range c.List {
		c.List[i].App = cmp.Or(known[one.App].Label(), one.App)
	}
	return nil
}
