package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"guestpass/internal/idp"
	"guestpass/internal/server"
	"guestpass/internal/site"
	"guestpass/internal/store"
)

func serveCommand(environ []string) *cobra.Command {
	var addr, publicURL string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve a real Stytch project",
		Long: `Serves a real Stytch project. Everything is set by environment variables, which
the README explains; at least

  GUESTPASS_PUBLIC_URL, GUESTPASS_TRUSTED_PROXIES,
  STYTCH_PROJECT_ID, STYTCH_SECRET, STYTCH_PUBLIC_TOKEN, STYTCH_DOMAIN

Unsafe settings are refused, each by name. TLS is the business of the proxy in front.
On SIGINT or SIGTERM /readyz answers 503 while all else is served on for
GUESTPASS_STOP_GRACE, 5s by default, so that a balancer can send its calls elsewhere;
then running requests may finish for 30 seconds. A second signal ends it at once.`,
		Example: "  GUESTPASS_PUBLIC_URL=https://gpt.example.com STYTCH_PROJECT_ID=project-live-… … guestpass serve",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(environ)
			if err != nil {
				return err
			}
			c.Addr, c.PublicURL = or(addr, c.Addr), or(publicURL, c.PublicURL)
			if err := errors.Join(c.check(), c.checkProxies()); err != nil {
				return usagef("not started:\n%w", err)
			}
			options := c.options()
			options.Log = newLog(cmd.ErrOrStderr())
			database, err := openStore(cmd.Context(), store.Options{URL: or(c.DatabaseURL, defaultDatabase), Log: options.Log})
			if err != nil {
				return err
			}
			defer database.Close()
			options.Store = database
			if options.Limits, err = c.openLimits(options.Log); err != nil {
				return err
			}
			defer options.Limits.Close()
			return serve(cmd.Context(), c.Addr, c.StopGrace, options)
		},
	}
	command.Flags().StringVar(&addr, "addr", "", "address to listen on (GUESTPASS_ADDR, else localhost:8080)")
	command.Flags().StringVar(&publicURL, "public-url", "", "origin under which the world sees this server (GUESTPASS_PUBLIC_URL)")
	return command
}

func serve(ctx context.Context, addr string, grace time.Duration, o server.Options) error {
	app, err := newServer(o)
	if err != nil {
		return err
	}
	listener, err := listen(addr)
	if err != nil {
		return err
	}
	o.Log.Info("serving", "addr", listener.Addr().String(), "public_url", o.PublicURL, "project", o.ProjectID, "access", string(o.Access))
	return runAll(ctx, app, parts{listener, app, grace}.serve(o.Log))
}

// newServer tells faults that the caller can mend from those of the program.
func newServer(o server.Options) (*server.Server, error) {
	app, err := server.New(o)
	if errors.Is(err, idp.ErrNoBundle) || errors.Is(err, site.ErrNoBundle) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, usagef("not started: %w", err)
	}
	return app, nil
}

func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, usagef("%s is in use by another program: stop it, or choose another address with --addr", addr)
	}
	if err != nil {
		return nil, usagef("cannot listen on %s: %w", addr, err)
	}
	return listener, nil
}

// parts are a listener and what answers on it.
type parts struct {
	listener net.Listener
	handler  http.Handler
	grace    time.Duration // see server.Serve
}

func (p parts) serve(log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := server.Serve(ctx, p.listener, p.handler, log, p.grace); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	}
}

// runAll runs the app's background work beside the servers until ctx ends or one fails.
func runAll(ctx context.Context, app *server.Server, serve ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return app.Run(ctx) })
	for _, f := range serve {
		group.Go(func() error { return f(ctx) })
	}
	defer app.Flush(context.WithoutCancel(ctx))
	return group.Wait()
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
