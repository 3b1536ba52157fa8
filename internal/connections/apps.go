package connections

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"guestpass/internal/clients"
	"guestpass/internal/stytch"
)

// How many apps Stytch is asked about for one page, in all, at once, and for how long; the others
// keep their ids.
const (
	appsOfPage  = 50
	appsAtOnce  = 4
	appsTimeout = 3 * time.Second
)

// An App is what is known of one. Its name is whatever its maker chose, and may be another app's. The host of
// its document, which nobody else can have, says who it is; so does whoever runs the server, by listing it.
type App struct {
	Name    string // what it calls itself; its client id if it has no name
	Host    string // of its document; "" if it has none
	Returns string // where it has people return to: hosts, or this computer; of an app without a document
	Listed  bool   // whoever runs the server named it
	Known   bool   // Stytch told the host and where people return; else neither is known
}

// Label names the app so that no other can be taken for it: the host of its document comes first, and a name
// that nobody has checked is in quotation marks. "" if nothing is known.
func (a App) Label() string {
	name := strings.Map(func(r rune) rune {
		if r == '“' || r == '”' {
			return -1
		}
		return r
	}, a.Name)
	switch {
	case a.Host != "" && (name == "" || name == a.Host):
		return a.Host
	case a.Host != "":
		return a.Host + " (“" + name + "”)"
	case a.Listed || name == "":
		return name
	}
	return "“" + name + "”"
}

// Apps returns those with the client ids, as far as Stytch tells in time. A nil *Connections knows none.
func (c *Connections) Apps(ctx context.Context, clientIDs []string) map[string]App {
	if c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, appsTimeout)
	defer cancel()
	known := map[string]App{}
	var mu sync.Mutex // guards known
	var group errgroup.Group
	group.SetLimit(appsAtOnce)
	ids := slices.Compact(slices.Sorted(slices.Values(clientIDs)))
	for _, id := range ids[:min(len(ids), appsOfPage)] {
		group.Go(func() error {
			app, err := c.options.Directory.ConnectedApp(ctx, id)
			if err != nil {
				return nil // it keeps its id
			}
			one := c.describedBy(app)
			mu.Lock()
			defer mu.Unlock()
			known[id] = one
			return nil
		})
	}
	_ = group.Wait()
	return known
}

func (c *Connections) describedBy(app stytch.ConnectedApp) App {
	known := App{Name: app.Name, Host: place(app.MetadataURL), Known: true,
		Listed: c.options.Listed != nil && c.options.Listed(app.ID)}
	if known.Host == "" {
		var places []string
		for _, address := range app.RedirectURLs {
			places = append(places, place(address))
		}
		known.Returns = strings.Join(slices.Compact(slices.Sorted(slices.Values(places))), ", ")
	}
	return known
}

// place returns where an address leads, without a port on this computer: programs take another each time.
func place(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || address == "":
		return ""
	case clients.IsLoopback(u):
		return "this computer"
	case u.Host == "":
		return u.Scheme
	}
	return u.Host
}
