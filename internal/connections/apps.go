package connections

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// How many apps Stytch is asked about for one page, in all, at once, and for how long; the others
// keep their ids.
const (
	appsOfPage  = 50
	appsAtOnce  = 4
	appsTimeout = 3 * time.Second
)

// An App is what is known of one: what it calls itself, and the host of its document, if it has
// one, which nobody else can have.
type App struct{ Name, Host string }

// Label is both in one, for whoever reads it; "" if nothing is known.
func (a App) Label() string {
	if a.Name == "" || a.Host == "" || a.Name == a.Host {
		return cmp.Or(a.Name, a.Host)
	}
	return a.Name + " (" + a.Host + ")"
}

// Apps are those with the client ids, as far as Stytch tells in time. A nil *Connections knows none.
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
			host := ""
			if u, err := url.Parse(app.MetadataURL); err == nil {
				host = u.Host
			}
			mu.Lock()
			defer mu.Unlock()
			known[id] = App{app.Name, host}
			return nil
		})
	}
	_ = group.Wait()
	return known
}
