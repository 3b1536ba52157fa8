package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"guestpass"
	"guestpass/internal/idp"
	"guestpass/store"
)

func serveCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve a real Stytch project",
		Long: `Serves a real Stytch project: the operations as MCP tools at /mcp, to which ChatGPT,
Claude and others connect, and by REST; the document that a GPT imports at /openapi.json;
the pages on which people sign in and decide. / says how to connect.

Everything is set by environment variables, or by a file that says the same; at least

  GUESTPASS_PUBLIC_URL, GUESTPASS_TRUSTED_PROXIES,
  STYTCH_PROJECT_ID, STYTCH_SECRET, STYTCH_PUBLIC_TOKEN, STYTCH_DOMAIN

All are listed below, and docs/settings.md explains them. guestpass config shows what is
in force.

GUESTPASS_CLIENT_IDS, where it is set, must name everybody who may connect: the id of the
GPT's connected app alone shuts MCP clients out; add their hosts, such as
chatgpt.com,claude.ai. GUESTPASS_MCP=off serves no MCP.

Unsafe settings are refused, each by name. TLS is the business of the proxy in front, or
with GUESTPASS_TLS=auto, or two files, of this server.
On SIGINT or SIGTERM /readyz answers 503 while all else is served on for
GUESTPASS_STOP_GRACE, 5s by default, so that a balancer can send its calls elsewhere;
then running requests may finish for 30 seconds. A second signal ends it at once.`,
		Example: `  export GUESTPASS_PUBLIC_URL=https://gpt.example.com
  export GUESTPASS_TRUSTED_PROXIES=127.0.0.1/32,::1/128
  export STYTCH_PROJECT_ID=project-live-…
  export STYTCH_SECRET=secret-live-…
  export STYTCH_PUBLIC_TOKEN=public-token-live-…
  export STYTCH_DOMAIN=word-word-1234.customers.stytch.com
  guestpass serve`,
		Annotations: map[string]string{needsAll: "", logsFile: "", trustsLater: ""},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readWhole(environ, cmd.Flags(), "not started", func(c config) error {
				return errors.Join(c.check(), c.checkProxies(), c.untraceable)
			})
			if err != nil {
				return err
			}
			c.stdout = cmd.OutOrStdout()
			options := c.options()
			if err := c.readLook(cmd.Context(), &options); err != nil {
				return err
			}
			options.Log = newLog(cmd.ErrOrStderr(), c.level())
			err = c.serve(cmd.Context(), options, fileOf(cmd.Flags()))
			if err == nil {
				options.Log.Info("stopped")
			} else { // for who reads the log alone; a person finds it in plain text behind it
				options.Log.Error("ended", "error", withoutSecrets(err.Error(), environ, cmd.Flags()))
			}
			return err
		},
	}
	settingFlag(command, "addr", "GUESTPASS_ADDR", "address to listen on; localhost:8080 unless told otherwise")
	settingFlag(command, "public-url", "GUESTPASS_PUBLIC_URL", "origin under which the world sees this server")
	command.SetHelpTemplate(command.HelpTemplate() + settingsHelp())
	return command
}

// A companion is served beside the server: the emulator, in development.
type companion struct {
	options func(guestpass.Options) guestpass.Options // of the server, beside it
	serve   []func(context.Context) error
	close   func() error
}

func (c config) serve(ctx context.Context, o guestpass.Options, from *envFileValue) (err error) {
	go trustRoots()
	beside := &companion{options: func(o guestpass.Options) guestpass.Options { return o },
		close: func() error { return nil }}
	if c.Emulator != "" {
		if beside, err = c.emulator(o.Log); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, beside.close()) }()
	o = beside.options(o)
	watched, err := c.watch(ctx, o.Version, c.stdout, o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, watched.close(ctx)) }()
	kept := c.database(o.Log)
	kept.Now = o.Now
	watched.have(&o, &kept)
	database := store.New(kept)
	o.Store = database
	go database.Foresee()
	app, err := newServer(o) // what is wrong is told before the database is opened or made
	if err != nil {
		return err
	}
	defer app.Close()
	from.log(o.Log, c)
	found, err := c.fromFiles(o.Log)
	if err != nil {
		return err
	}
	listener, err := listen(c.Addr) // before a second server of this address changes the database
	if err != nil {
		return err
	}
	defer listener.Close()
	trustRoots()
	if err := database.Open(ctx); err != nil {
		return notOpened(kept, err)
	}
	defer database.Close()
	if found == nil {
		if found, err = c.fromAuthority(database, o.Log); err != nil {
			return err
		}
	}
	answering, err := c.secured(parts{listener: listener, handler: app, grace: c.StopGrace}, found, o.Log)
	if err != nil {
		return err
	}
	o.Log.Info("serving", "addr", listener.Addr().String(), "public_url", o.PublicURL, "project", o.ProjectID, "access",
		string(o.Access))
	if found != nil {
		go found.Ask()
	}
	go returnMemory()
	for _, part := range answering {
		defer part.listener.Close()
		beside.serve = append(beside.serve, part.serve(o.Log))
	}
	return runAll(ctx, app, append(beside.serve, watched.serve, c.tellStop(ctx, o.Log))...)
}

// tellStop logs that somebody has the server stop, and not that a part of it has failed, which is logged otherwise.
func (c config) tellStop(told context.Context, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		if <-ctx.Done(); told.Err() != nil {
			log.Info("stopping on a signal", "grace_s", c.StopGrace.Seconds())
		}
		return nil
	}
}

// newServer makes the server. It marks errors that the caller can mend as usage errors.
func newServer(o guestpass.Options) (*guestpass.Server, error) {
	app, err := guestpass.New(o)
	if errors.Is(err, idp.ErrNoBundle) {
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
		return nil, usagef("%s is in use by another program: stop it, or choose another address with --addr or "+
			"GUESTPASS_ADDR", addr)
	}
	if err != nil {
		return nil, usagef("cannot listen on the address of --addr or GUESTPASS_ADDR: %s", cause(err))
	}
	return listener, nil
}

// cause returns why listening failed, without the address.
func cause(err error) string {
	var name *net.DNSError
	var number syscall.Errno
	switch {
	case errors.As(err, &name):
		return "its host is unknown"
	case errors.As(err, &number):
		return number.Error()
	}
	return "it is no address of this machine"
}

// parts are a listener and the handler that answers on it.
type parts struct {
	listener net.Listener
	handler  http.Handler
	grace    time.Duration // see guestpass.Serve
	tls      *tls.Config   // nil: without
}

func (p parts) serve(log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := guestpass.ServeTLS(ctx, p.listener, p.handler, log, p.grace, p.tls); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	}
}

// runAll runs the app's background work beside the servers until ctx ends or one fails.
func runAll(ctx context.Context, app *guestpass.Server, serve ...func(context.Context) error) error {
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
