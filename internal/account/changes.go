package account

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"guestpass/directory"
	"guestpass/internal/connections"
	"guestpass/internal/text"
	"guestpass/store"
)

const (
	pagedChanges = 50
	offeredApps  = 50 // to choose from
)

// changes are a page of what was done in the person's name.
type changes struct {
	selection
	App   string   // its name
	Whose string   // who is looked at by an administrator; "" for oneself
	Apps  []choice // to choose from
	List  []activity
	Older string // links to the pages beside; "" if there are none
	Newer string
	Kept  time.Time // what was done until then is not kept any more
	Most  int       // changes in a file
}

// choice is an app among others.
type choice struct{ Client, Label string }

// fillChanges reads the page that is asked for.
func (a *Account) fillChanges(ctx context.Context, v *view, person directory.Person, s selection) error {
	r, whose, err := a.recordOf(ctx, person, s.Of)
	if err != nil {
		return err
	}
	c := &changes{selection: s, Whose: whose, Kept: r.since, Most: maxDownload}
	rows, err := r.page(ctx, c)
	if err != nil {
		return err
	}
	if c.List, err = r.told(ctx, rows); err != nil {
		return err
	}
	used, err := a.options.Store.Connections(ctx, r.owner, r.subject, offeredApps)
	if err != nil {
		return err
	}
	var ids []string
	for _, use := range used {
		ids = append(ids, use.Client)
	}
	if !s.All() && !s.Here() && !slices.Contains(ids, s.Client) {
		ids = append(ids, s.Client)
	}
	known := a.options.Connections.Apps(ctx, append(clientsOf(c.List), ids...))
	label := func(id string) string { return cmp.Or(known[id].Label(), id) }
	for _, id := range ids {
		c.Apps = append(c.Apps, choice{id, label(id)})
	}
	c.App = label(s.Client)
	c.List = named(c.List, known)
	v.Changes = c
	return nil
}

// recordOf returns the record that somebody may look at: their own or, for administrators, what another member's has of
// operations that are overseen.
func (a *Account) recordOf(ctx context.Context, person directory.Person, of string) (r record, whose string,
	err error) {
	r = a.record(ctx, person)
	if of == "" || of == person.ID {
		return r, "", nil
	}
	if !a.admin(person) || len(a.options.Service.Overseen()) == 0 {
		return r, "", errNotAdmin
	}
	member, err := a.options.Members.Person(ctx, person.Organization.ID, of)
	if errors.Is(err, directory.ErrNotFound) {
		return r, "", errNotAdmin
	}
	r.subject, r.foreign = of, true
	return r, text.Name(cmp.Or(member.Email, of)), err
}

// page reads the rows of a page, and notes what is beside it.
func (r record) page(ctx context.Context, c *changes) ([]store.Activity, error) {
	rows, err := r.selected(ctx, c.selection, pagedChanges+1)
	if err == nil && c.Since != "" && len(rows) <= pagedChanges { // of the newest ones a whole page
		c.selection = c.at("", "")
		rows, err = r.selected(ctx, c.selection, pagedChanges+1)
	}
	if c.From != "" && len(rows) == 0 {
		c.Newer = c.at("", "").link("/account")
	}
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	switch more := len(rows) > pagedChanges; {
	case more && c.Since != "":
		rows = rows[1:]
		c.Older = c.at(c.Since, "").link("/account")
	case more:
		c.Older = c.at(rows[pagedChanges].ID, "").link("/account")
		rows = rows[:pagedChanges]
	}
	if c.Since != "" || c.From != "" {
		c.Newer = c.at("", rows[0].ID).link("/account")
	}
	return rows, nil
}

// selected reads what somebody looks for.
func (r record) selected(ctx context.Context, s selection, limit int) ([]store.Activity, error) {
	query := s.query(r.subject, limit)
	if r.foreign {
		query.Operations = r.options.Service.Overseen()
	}
	if change := s.From + s.Since; change != "" { // of which one is set
		row, err := r.one(ctx, change)
		if err != nil {
			return nil, err
		}
		if query.Since = row.Position(); s.From != "" {
			row.Seq++
			query.After, query.Since = row.Position(), ""
		}
	}
	return r.read(ctx, query)
}

// clientsOf returns the apps that the activities are about.
func clientsOf(list []activity) (ids []string) {
	for _, one := range list {
		for _, id := range []string{one.App, one.Revoked} {
			if id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// named puts the names of apps in the place of their ids, where they are known.
func named(list []activity, known map[string]connections.App) []activity {
	for i, one := range list {
		list[i].App = cmp.Or(known[one.App].Label(), one.App)
		list[i].Revoked = cmp.Or(known[one.Revoked].Label(), one.Revoked)
	}
	return list
}
