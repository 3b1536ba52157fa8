package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"guestpass/stytchtest"
)

func devCommand(environ []string) *cobra.Command {
	var dev devSettings
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, without a Stytch account",
		Long: `Runs Guestpass and an emulator of Stytch in one process, with two organizations,
three people and a GPT's connected app. Nothing leaves this machine and nothing is
kept when it stops.`,
		Example: "  guestpass dev\n  guestpass dev --access roles\n  guestpass dev --public-url https://my-tunnel.example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(environ)
			if err != nil {
				return err
			}
			if strings.Contains(c.ProjectID, "-live-") {
				return usagef("STYTCH_PROJECT_ID is a live project: the emulator never stands in for one; unset it, or use `guestpass serve`")
			}
			dev.config, dev.addr = c, or(dev.addr, c.Addr)
			return dev.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&dev.addr, "addr", "", "address of the server (GUESTPASS_ADDR, else localhost:8080)")
	flags.StringVar(&dev.emulatorAddr, "emulator-addr", "localhost:8081", "address of the Stytch emulator; loopback only")
	flags.StringVar(&dev.publicURL, "public-url", "", "https origin of a tunnel to this server, for the real GPT editor")
	flags.StringVar(&dev.access, "access", "", "what operations are measured against: scopes or roles (GUESTPASS_ACCESS)")
	return command
}

type devSettings struct {
	config                                config
	addr, emulatorAddr, publicURL, access string
}

func (d devSettings) run(ctx context.Context, stdout, stderr io.Writer) error {
	log := newLog(stderr)
	seed := stytchtest.Development()
	emulator, err := stytchtest.New(stytchtest.Options{Seed: &seed, Log: log.With("part", "emulator")})
	if err != nil {
		return usageError{err}
	}
	appListener, err := listen(d.addr)
	if err != nil {
		return err
	}
	defer appListener.Close()
	emulatorListener, err := emulator.Listen(d.emulatorAddr)
	if err != nil {
		return usagef("cannot start the emulator on %s: %w; choose another address with --emulator-addr", d.emulatorAddr, err)
	}
	defer emulatorListener.Close()

	// The name that was asked for stays: localhost and 127.0.0.1 are different
	// origins to a browser. Only a port left to the system is filled in.
	c := d.config
	c.PublicURL = or(d.publicURL, or(c.PublicURL, "http://"+named(d.addr, appListener.Addr().String())))
	c.Access = or(d.access, c.Access)
	emulatorURL := "http://" + named(d.emulatorAddr, emulatorListener.Addr().String())
	c = c.development(emulatorURL)
	if err := c.check(); err != nil {
		return usagef("not started:\n%w", err)
	}
	emulator.SetAuthorizationURL(c.PublicURL + "/idp")
	emulator.SetRedirectURLs(c.PublicURL + "/idp")

	options := c.options()
	options.Log, options.Emulator, options.Now = log, emulatorURL, emulator.Now // POST /_emulator/clock moves both
	options.SecretHint = "In development: " + seed.ConnectedApps[0].ClientSecret
	app, err := newServer(options)
	if err != nil {
		return err
	}
	d.announce(stdout, c, emulatorURL)
	return runAll(ctx, app, parts{appListener, app}.serve(log), parts{emulatorListener, emulator}.serve(log))
}

// named keeps the host of the wanted address with the port that was bound.
func named(wanted, bound string) string {
	host := wanted[:max(0, strings.LastIndex(wanted, ":"))]
	return or(host, "localhost") + bound[strings.LastIndex(bound, ":"):]
}

func (d devSettings) announce(w io.Writer, c config, emulatorURL string) {
	fmt.Fprintf(w, `
Guestpass is running (access by %s). Nothing reaches Stytch.

  app        %s              what the GPT builder sees
  document   %s/openapi.json what the GPT editor imports
  emulator   %s              Stytch, emulated: inbox, people, requests

People who can sign in: ada@acme.example (admin), grace@acme.example, hank@globex.example.
In a second terminal, be the GPT:

  go run ./cmd/guestpass try --as ada@acme.example

`, c.Access, c.PublicURL, c.PublicURL, emulatorURL)
	if strings.HasPrefix(c.PublicURL, "http://") {
		fmt.Fprintln(w, "note: the GPT editor will want https: give the origin of a tunnel with --public-url to try the real one")
	}
}
