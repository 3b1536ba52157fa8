package guestpass

import (
	"context"
	"errors"
	"fmt"

	"guestpass/directory"
	"guestpass/internal/clients"
	"guestpass/internal/idp"
)

// admitted returns which clients may act.
func (o Options) admitted() clients.Admitted {
	admitted := clients.Parse(o.ClientIDs)
	if (admitted.Dynamic || !admitted.Everyone()) && o.DocsClientID != "" {
		admitted.IDs = append(admitted.IDs, o.DocsClientID)
	}
	return admitted
}

// listed returns the connected apps whose tokens count without a further check; none: every one of the project.
func (o Options) listed() []string {
	if o.admitted().Everyone() {
		return nil
	}
	return o.admitted().IDs
}

// admitClient decides on clients that are not listed, if some are admitted by the hosts of their documents: tokens name
// them by Stytch's ids, and Stytch knows where the document is.
func (s *Server) admitClient() func(context.Context, string) (bool, error) {
	admitted := s.options.admitted()
	if len(admitted.Hosts) == 0 {
		return nil
	}
	return func(ctx context.Context, clientID string) (bool, error) {
		app, err := s.directory.ConnectedApp(ctx, clientID)
		if errors.Is(err, directory.ErrNotFound) {
			return false, nil
		}
		return err == nil && admitted.Takes(app.MetadataURL), err
	}
}

func (s *Server) lookUpClient(ctx context.Context, clientID string) (idp.Client, error) {
	app, err := s.directory.ConnectedApp(ctx, clientID)
	if errors.Is(err, directory.ErrNotFound) {
		return idp.Client{}, idp.ErrUnknownClient
	}
	return idp.Client{Name: app.Name, RedirectURIs: app.RedirectURLs}, notLookedUp(err)
}

// notLookedUp says in the page's terms whose fault a failed look-up is.
func notLookedUp(err error) error {
	if errors.Is(err, directory.ErrCredentials) {
		return fmt.Errorf("%w: %w", idp.ErrCredentials, err)
	}
	return err
}
