//go:build !production

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"guestpass/auth"
	"guestpass/internal/store"
	"guestpass/stytchtest"
)

func devCommand(environ []string) *cobra.Command {
	var dev devSettings
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, without a Stytch account",
		Long: `Runs Guestpass and an emulator of Stytch in one process, with two organizations,
three people and a GPT's connected app; as a Consumer project, with two users instead.
Nothing leaves this machine, and nothing is kept when it stops but what a database
of yours holds (GUESTPASS_DATABASE_URL).`,
		Example: "  guestpass dev\n  guestpass dev --vertical consumer\n  guestpass dev --access roles\n  guestpass dev --public-url https://my-tunnel.example.com",
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
	flags.StringVar(&dev.vertical, "vertical", "", "the kind of Stytch project: b2b or consumer (STYTCH_VERTICAL)")
	flags.IntVar(&dev.chaos.Percent, "chaos", 0, chaosUsage)
	flags.Uint64Var(&dev.chaos.Seed, "chaos-seed", 1, chaosSeedUsage)
	return command
}

type devSettings struct {
	config                                          config
	addr, emulatorAddr, publicURL, access, vertical string
	chaos                                           stytchtest.Chaos
}

func (d devSettings) run(ctx context.Context, stdout, stderr io.Writer) error {
	log := newLog(stderr)
	c := d.config
	c.Vertical = or(d.vertical, c.Vertical)
	seed := developmentSeed(c.Vertical)
	if err := admitResources(&seed, c); err != nil {
		return err
	}
	appListener, err := listen(d.addr)
	if err != nil {
		return err
	}
	defer appListener.Close()
	// The name that was asked for stays: localhost and 127.0.0.1 are different
	// origins to a browser. Only a port left to the system is filled in.
	c.PublicURL = or(d.publicURL, or(c.PublicURL, "http://"+named(d.addr, appListener.Addr().String())))
	seed.ConnectedApps[1].RedirectURLs = []string{c.PublicURL + "/docs"}
	emulator, err := stytchtest.New(stytchtest.Options{Seed: &seed, Chaos: d.chaos, Log: log.With("part", "emulator")})
	if err != nil {
		return usageError{err}
	}
	emulatorListener, err := emulator.Listen(d.emulatorAddr)
	if err != nil {
		return usagef("cannot start the emulator on %s: %w; choose another address with --emulator-addr", d.emulatorAddr, err)
	}
	defer emulatorListener.Close()

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
	database, err := openDevelopmentStore(ctx, store.Options{URL: c.DatabaseURL, Now: emulator.Now, Log: log})
	if err != nil {
		return err
	}
	defer database.Close()
	options.Store = database.Store
	if options.Limits, err = c.openLimits(log); err != nil {
		return err
	}
	defer options.Limits.Close()
	app, err := newServer(options)
	if err != nil {
		return err
	}
	d.announce(stdout, c, seed, emulatorURL)
	return runAll(ctx, app, parts{appListener, app, 0}.serve(log), parts{emulatorListener, emulator, 0}.serve(log))
}

// developmentStore is a store that may be gone when the program stops.
type developmentStore struct {
	*store.Store
	folder string // removed at the end; "" for a database of the developer's
}

func openDevelopmentStore(ctx context.Context, o store.Options) (d developmentStore, err error) {
	if o.URL == "" {
		if d.folder, err = os.MkdirTemp("", "guestpass-dev-"); err != nil {
			return d, err
		}
		o.URL = "sqlite:" + filepath.Join(d.folder, "guestpass.db")
	}
	d.Store, err = openStore(ctx, o)
	if err != nil && d.folder != "" {
		_ = os.RemoveAll(d.folder)
	}
	return d, err
}

func (d developmentStore) Close() {
	_ = d.Store.Close()
	if d.folder != "" {
		_ = os.RemoveAll(d.folder)
	}
}

// defaultTitle is that of config, when nobody chose one.
const defaultTitle = "Guestpass"

// development is the config of guestpass dev, whose emulator is at that origin.
func (c config) development(emulatorURL string) config {
	seed := developmentSeed(c.Vertical)
	c.PublicURL = or(c.PublicURL, "http://"+c.Addr)
	c.ProjectID, c.Secret, c.PublicToken = seed.Project.ID, seed.Project.Secret, seed.Project.PublicToken
	c.Domain, c.BaseURL, c.AllowTestProject = emulatorURL, emulatorURL, "yes"
	c.secretHint = "In development: " + seed.ConnectedApps[0].ClientSecret
	c.ClientIDs, c.DocsClientID = []string{seed.ConnectedApps[0].ClientID}, ""
	c.IntrospectSecrets = []string{seed.ConnectedApps[0].ClientID + "=" + seed.ConnectedApps[0].ClientSecret}
	if c.TokenForwarder == "on" {
		c.DocsClientID = seed.ConnectedApps[1].ClientID
	}
	if c.MemberLimit == nil { // guestpass try may be run again and again
		c.MemberLimit = new(600)
	}
	if c.Title == defaultTitle {
		c.Title = "Guestpass Demo"
	}
	return c
}

// developmentSeed is what the emulator of guestpass dev starts with.
func developmentSeed(vertical string) stytchtest.Seed {
	if vertical == string(auth.Consumer) {
		return stytchtest.DevelopmentConsumer()
	}
	return stytchtest.Development()
}

// admitResources gives the emulated project the scopes of your own resources, and every
// role their permissions, as somebody does in Stytch's dashboard before going live.
func admitResources(seed *stytchtest.Seed, c config) error {
	if len(resources) == 0 {
		return nil
	}
	app, err := newServer(c.withoutProject().options())
	if err != nil {
		return err
	}
	policy := &seed.Policy
	for _, op := range app.Operations() {
		name := op.Access.ScopeName()
		resource, action := op.Access.RBAC()
		if resource == "" || slices.ContainsFunc(policy.Scopes, func(s stytchtest.CustomScope) bool { return s.Name == name }) {
			continue
		}
		permission := stytchtest.Permission{ResourceID: resource, Actions: []string{action}}
		policy.Scopes = append(policy.Scopes, stytchtest.CustomScope{Name: name, Description: op.Summary, Permissions: []stytchtest.Permission{permission}})
		for i := range policy.Roles {
			policy.Roles[i].Permissions = append(policy.Roles[i].Permissions, permission)
		}
		i := slices.IndexFunc(policy.Resources, func(r stytchtest.Resource) bool { return r.ID == resource })
		if i < 0 {
			policy.Resources, i = append(policy.Resources, stytchtest.Resource{ID: resource, Description: resource}), len(policy.Resources)
		}
		policy.Resources[i].Actions = append(policy.Resources[i].Actions, action)
	}
	return nil
}

// named keeps the host of the wanted address with the port that was bound.
func named(wanted, bound string) string {
	host := wanted[:max(0, strings.LastIndex(wanted, ":"))]
	return or(host, "localhost") + bound[strings.LastIndex(bound, ":"):]
}

// people are those who can sign in: each e-mail address once, and a word on them.
func people(seed stytchtest.Seed) (lines []string) {
	seen := map[string]bool{}
	add := func(address, status, word string) {
		if status != "deleted" && !seen[address] {
			lines, seen[address] = append(lines, address+word), true
		}
	}
	for _, member := range seed.Members {
		word := ""
		if slices.Contains(member.Roles, "stytch_admin") {
			word = " (admin)"
		}
		add(member.Email, member.Status, word)
	}
	for _, user := range seed.Users {
		add(user.Emails[0].Address, user.Status, "")
	}
	return lines
}

func (d devSettings) announce(w io.Writer, c config, seed stytchtest.Seed, emulatorURL string) {
	people := people(seed)
	somebody, _, _ := strings.Cut(people[0], " ")
	fmt.Fprintf(w, `
Guestpass is running (%s, access by %s). Nothing reaches Stytch.

  app        %s              what the GPT builder sees
  document   %s/openapi.json what the GPT editor imports
  emulator   %s              Stytch, emulated: inbox, people, requests

People who can sign in: %s.
In a second terminal, be the GPT:

  go run ./cmd/guestpass try --as %s

`, c.Vertical, c.Access, c.PublicURL, c.PublicURL, emulatorURL, strings.Join(people, ", "), somebody)
	if strings.HasPrefix(c.PublicURL, "http://") {
		fmt.Fprintln(w, "note: the GPT editor will want https: give the origin of a tunnel with --public-url to try the real one")
	}
}
