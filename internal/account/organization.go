package account

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"guestpass/directory"
	"guestpass/internal/connections"
	"guestpass/internal/text"
)

// maxAtOnce is how many connections one press of a button revokes: no more than Stytch can be told of while somebody
// waits, and than one person may revoke in a minute.
const maxAtOnce = 40

// sharedApp is an app that other members of the organization have connected.
type sharedApp struct {
	app        // of the first of them
	People     []app
	AskAll     string // link to where it is revoked for all of them; "" for one alone
	clientsAll []string
}

// fillOthers lists what the other members have connected, by app, of the apps that follow the one with the id after.
func (a *Account) fillOthers(ctx context.Context, v *view, person directory.Person, shown shownSession,
	after string) error {
	all, err := a.options.Connections.OfOrganization(ctx, a.options.Members, person.Organization.ID, after)
	if err != nil {
		return err
	}
	v.Unknown = v.Unknown || all.Unknown
	if all.Next != "" {
		v.Next = "/account?after=" + url.QueryEscape(all.Next)
	}
	members, err := a.members(ctx, person.Organization.ID)
	if err != nil {
		return err
	}
	v.Cut = len(all.Connections) == connections.MaxListed
	words := a.options.DescribeScopes(ctx)
	for _, clients := range grouped(all.Connections) {
		if clients[0].Subject == person.ID {
			continue // listed above
		}
		whose := members[clients[0].Subject]
		entry := a.app(clients, words, person, shown, cmp.Or(whose.Email, clients[0].Subject))
		entry.Called, entry.Unknown = text.Name(whose.Name), v.Unknown
		if len(a.options.Service.Overseen()) > 0 {
			chosen := selection{Client: allApps, Of: entry.Subject}
			if len(entry.Clients) == 1 {
				chosen.Client = entry.Clients[0]
			}
			entry.Overseen = chosen.link("/account")
		}
		v.Others = shared(v.Others, entry)
	}
	for i, one := range v.Others {
		if len(one.People) > 1 {
			f := a.authorityOf(person, shown)
			f.App, f.All = one.Label(), one.clientsAll
			v.Others[i].AskAll = a.askLink(toAskAll, f)
		}
	}
	return nil
}

// shared adds what one person has connected to the app that it is.
func shared(list []sharedApp, entry app) []sharedApp {
	i := slices.IndexFunc(list, func(one sharedApp) bool {
		return one.App == entry.App && (!alone(entry.Connection) || one.Client == entry.Client) &&
			len(one.clientsAll) < maxGroup
	})
	if i < 0 {
		i, list = len(list), append(list, sharedApp{app: entry})
	}
	one := &list[i]
	one.People = append(one.People, entry)
	for _, client := range entry.Clients {
		if !slices.Contains(one.clientsAll, client) {
			one.clientsAll = append(one.clientsAll, client)
		}
	}
	one.LastUsed, one.FirstUsed = later(one.LastUsed, entry.LastUsed), earlier(one.FirstUsed, entry.FirstUsed)
	return list
}

// askAll asks whether to revoke an app for all other members, and names them.
func (a *Account) askAll(ctx context.Context, w http.ResponseWriter, r *http.Request, shown shownSession, f authority) {
	a.show(ctx, w, r, shown, func(ctx context.Context, v *view, person directory.Person) error {
		if person.ID != f.Actor || person.Organization.ID != f.Organization || !a.admin(person) {
			return errNotAdmin
		}
		list, err := a.options.Connections.OfApps(ctx, a.options.Members, f.Organization, f.All)
		if err != nil {
			return err
		}
		members, err := a.members(ctx, f.Organization)
		if err != nil {
			return err
		}
		to, rest := f, 0
		to.All = nil
		for i, c := range list {
			switch at := slices.IndexFunc(to.Of, func(one connected) bool { return one.Subject == c.Subject }); {
			case c.Subject == person.ID:
			case i >= maxAtOnce:
				rest++
			case at >= 0:
				to.Of[at].Clients = append(to.Of[at].Clients, c.Client)
			default:
				to.Of = append(to.Of, connected{Subject: c.Subject, Clients: []string{c.Client},
					Person: text.Name(cmp.Or(members[c.Subject].Email, c.Subject))})
			}
		}
		v.Asking = &asking{authority: to, All: true, More: rest}
		if len(to.Of) > 0 {
			v.Asking.Form = a.sign(toRevoke, to)
		}
		return nil
	})
}
