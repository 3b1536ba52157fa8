//go:build !production

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"guestpass/auth"
	"guestpass/internal/clients"
	"guestpass/internal/idp"
	"guestpass/store"
	"guestpass/stytchtest"
)

func devCommand(environ []string) *cobra.Command {
	var dev devSettings
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, without a Stytch account",
		Long: `Runs Guestpass and an emulator of Stytch in one process, with two organizations,
three people and a GPT's connected app; as a Consumer project, with two users instead.
Nothing reaches Stytch, and nothing is kept when it stops but what a database of yours
holds (GUESTPASS_DATABASE_URL).

ChatGPT, Claude and other MCP clients connect to /mcp (GUESTPASS_MCP=off: they do not),
the GPT editor imports /openapi.json. Every client of the emulated project is admitted,
whatever GUESTPASS_CLIENT_IDS says: also those that register themselves, and those whose
id is the URL of a document. Fetching such documents, from this machine too, is the only
call that leaves the emulator.`,
		Example: "  guestpass dev\n  guestpass dev --vertical consumer\n  guestpass dev --access roles\n  guestpass " +
			"dev --public-url https://my-tunnel.example.com",
		Annotations: map[string]string{logsFile: ""},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(environ, cmd.Flags())
			if err != nil {
				return err
			}
			if c.live() {
				return usageError{c.fault("STYTCH_PROJECT_ID", "is a live project: the emulator never stands in for "+
					"one; unset it, or use `guestpass serve`")}
			}
			if c.Emulator != "" {
				return usageError{c.fault("GUESTPASS_EMULATOR", "says that `guestpass serve` runs the emulated "+
					"project of this folder: use that, or for the project of `guestpass dev`, which is another, --"+
					envFileFlag+" "+os.DevNull)}
			}
			fileOf(cmd.Flags()).log(newLog(cmd.ErrOrStderr(), c.level()), c)
			dev.config = c
			return dev.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	settingFlag(command, "addr", "GUESTPASS_ADDR", "address of the server; localhost:8080 unless told otherwise")
	settingFlag(command, "public-url", "GUESTPASS_PUBLIC_URL",
		"https origin of a tunnel to this server, for the real ChatGPT or Claude")
	settingFlag(command, "access", "GUESTPASS_ACCESS", "what operations are measured against: scopes or roles")
	settingFlag(command, "vertical", "STYTCH_VERTICAL", "the kind of Stytch project: b2b or consumer")
	choices(command, "access", accessModes...)
	choices(command, "vertical", verticals...)
	flags := command.Flags()
	flags.StringVar(&dev.emulatorAddr, "emulator-addr", "localhost:8081",
		"address of the Stytch emulator; loopback only")
	flags.IntVar(&dev.chaos.Percent, "chaos", 0, chaosUsage)
	flags.Uint64Var(&dev.chaos.Seed, "chaos-seed", 1, chaosSeedUsage)
	return command
}

type devSettings struct {
	config       config
	emulatorAddr string
	chaos        stytchtest.Chaos
}

func (d devSettings) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	c := d.config
	log := newLog(stderr, c.level())
	if err := d.check(c); err != nil {
		return err
	}
	seed := developmentSeed(c.Vertical)
	if err := admitResources(&seed, c); err != nil {
		return err
	}
	appListener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer appListener.Close()
	// The name that was asked for stays: localhost and 127.0.0.1 are different
	// origins to a browser. Only a port left to the system is filled in.
	c.PublicURL = or(c.PublicURL, "http://"+named(c.Addr, appListener.Addr().String()))
	seed.ConnectedApps[1].RedirectURLs = []string{c.PublicURL + "/docs"}
	emulator, emulatorListener, err := d.startEmulator(seed, log)
	if err != nil {
		return err
	}
	defer emulatorListener.Close()

	emulatorURL := "http://" + named(d.emulatorAddr, emulatorListener.Addr().String())
	c = c.development(emulatorURL)
	if err := c.check(); err != nil {
		return usagef("not started:\n%w", err)
	}
	emulator.SetAuthorizationURL(c.PublicURL + "/idp")
	emulator.SetRedirectURLs(c.PublicURL + "/idp")

	options := c.options()
	if err := c.readLook(ctx, &options); err != nil {
		return err
	}
	options.Log, options.Emulator, options.Local = log, emulatorURL, true
	options.Now = emulator.Now // POST /_emulator/clock moves both
	watched, err := c.watch(ctx, options.Version, stdout, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, watched.close(ctx)) }()
	kept := c.database(log)
	kept.URL, kept.Now = c.DatabaseURL, emulator.Now
	watched.have(&options, &kept)
	database, err := openDevelopmentStore(ctx, kept)
	if err != nil {
		return err
	}
	defer database.Close()
	options.Store = database.Store
	app, err := newServer(options)
	if err != nil {
		return err
	}
	defer app.Close()
	log.InfoContext(ctx, "serving", "addr", appListener.Addr().String(), "public_url", c.PublicURL)
	d.announce(stdout, c, seed, emulatorURL)
	return runAll(ctx, app, watched.serve, parts{listener: appListener, handler: app}.serve(log),
		parts{listener: emulatorListener, handler: emulator}.serve(log))
}

// startEmulator makes the emulator and binds its address.
func (d devSettings) startEmulator(seed stytchtest.Seed, log *slog.Logger) (*stytchtest.Emulator, net.Listener, error) {
	emulator, err := stytchtest.New(stytchtest.Options{Seed: &seed, Chaos: d.chaos, Log: log.With("part", "emulator"),
		LoopbackDocuments: true}) // clients under development describe themselves on this machine
	if err != nil {
		return nil, nil, usageError{err}
	}
	listener, err := emulator.Listen(d.emulatorAddr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, nil, usagef("%s is in use by another program: stop it, or choose another address with "+
			"--emulator-addr", d.emulatorAddr)
	}
	if err != nil {
		return nil, nil, usagef("cannot start the emulator on %s: %w; choose another address with --emulator-addr",
			d.emulatorAddr, err)
	}
	return emulator, listener, nil
}

// check finds early what is wrong: the ports are opened before the rest is known.
func (d devSettings) check(c config) error {
	if c.untraceable != nil {
		return usagef("not started:\n%w", c.untraceable)
	}
	if host, _, err := net.SplitHostPort(d.emulatorAddr); err != nil || !loopback(host) {
		return usagef("not started:\n--emulator-addr is %q: the emulator listens on this machine only; write "+
			"localhost:PORT, such as localhost:8081", d.emulatorAddr)
	}
	if err := idp.CheckLoginMethods(c.Vertical, c.LoginMethods); err != nil {
		return usagef("not started:\n%w", c.fault("GUESTPASS_LOGIN_METHODS", "cannot be used: %w", err))
	}
	if err := errors.Join(c.checkLogin()...); err != nil {
		return usagef("not started:\n%w", err)
	}
	return nil
}

// developmentStore is a store that may vanish when the program stops.
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

// development returns the config of guestpass dev, whose emulator is at that origin.
func (c config) development(emulatorURL string) config {
	seed := developmentSeed(c.Vertical)
	c.PublicURL = or(c.PublicURL, "http://"+c.Addr)
	c.ProjectID, c.Secret, c.PublicToken = seed.Project.ID, seed.Project.Secret, seed.Project.PublicToken
	c.Domains, c.BaseURL, c.AllowTestProject = []string{emulatorURL}, emulatorURL, "yes"
	c.secretHint = "In development: " + seed.ConnectedApps[0].ClientSecret
	c.ClientIDs, c.DocsClientID = []string{seed.ConnectedApps[0].ClientID, clients.Dynamic}, ""
	c.IntrospectSecrets = []string{seed.ConnectedApps[0].ClientID + "=" + seed.ConnectedApps[0].ClientSecret}
	if c.TokenForwarder == "on" {
		c.DocsClientID = seed.ConnectedApps[1].ClientID
	}
	if c.MemberLimit == 0 { // guestpass try may be run again and again
		c.MemberLimit = 600
	}
	if c.Title == defaultTitle {
		c.Title = "Guestpass Demo"
	}
	return c
}

// developmentSeed returns what the emulator of guestpass dev starts with.
func developmentSeed(vertical string) stytchtest.Seed {
	if vertical == string(auth.Consumer) {
		return stytchtest.DevelopmentConsumer()
	}
	return stytchtest.Development()
}

// admitResources gives the emulated project the scopes of your own resources and those of GUESTPASS_SCOPES, and every
// role their permissions, as an administrator does in Stytch's dashboard before going live.
func admitResources(seed *stytchtest.Seed, c config) error {
	app, err := newServer(c.withoutProject().options())
	if err != nil {
		return err
	}
	for _, op := range app.Operations() {
		if resource, action := op.Access.RBAC(); resource != "" {
			seed.Policy.Allow(op.Access.ScopeName(), op.Summary, resource, action)
		}
	}
	for _, scope := range c.Scopes {
		resource, action := auth.Scope(scope.Name).RBAC()
		seed.Policy.Allow(scope.Name, scope.Description, resource, action)
	}
	return nil
}

// named returns the host of the wanted address with the port that was bound.
func named(wanted, bound string) string {
	host := wanted[:max(0, strings.LastIndex(wanted, ":"))]
	return or(host, "localhost") + bound[strings.LastIndex(bound, ":"):]
}

// people returns the people who can sign in: each e-mail address once, with a word about the person.
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
	tools, asClient := "", ""
	document := fmt.Sprintf("  document   %s/openapi.json what the GPT editor imports\n", c.PublicURL)
	asGPT := "In a second terminal, act as a custom GPT:\n\n  " + tryHint("try", c, people, emulatorURL) + "\n\n"
	switch {
	case c.servesNothing():
		here := c.PublicURL
		if c.given["GUESTPASS_PUBLIC_URL"] != "" { // which is the proxy's
			here = "http://" + c.Addr
		}
		document = fmt.Sprintf("  verify     %s/verify       what your proxy asks, see docs/sidecar.md\n", here)
		asGPT = ""
	case c.MCP == "on":
		tools = fmt.Sprintf("  MCP        %s/mcp          what ChatGPT, Claude and other MCP clients connect to\n",
			c.PublicURL)
		asClient = "In a second terminal, act as ChatGPT with a custom MCP server:\n\n  " +
			tryHint("try --mcp", c, people, emulatorURL) + "\n\n"
	}
	fmt.Fprintf(w, `
Guestpass is running (%s, access by %s). Nothing reaches Stytch.

  app        %s              how people connect an assistant
%s%s  emulator   %s              Stytch, emulated: inbox, people, requests

People who can sign in: %s.
%s%s`, c.Vertical, c.Access, c.PublicURL, tools, document, emulatorURL, strings.Join(people, ", "), asClient, asGPT)
	if strings.HasPrefix(c.PublicURL, "http://") {
		fmt.Fprintln(w, "note: ChatGPT and Claude reach public https addresses only: to connect the real ones, give "+
			"the origin of a tunnel with --public-url")
	}
}

// Where guestpass dev listens, and guestpass try looks, unless told otherwise.
const (
	defaultAppURL      = "http://localhost:8080"
	defaultEmulatorURL = "http://localhost:8081"
)

// tryHint returns the command that plays an assistant against this very server, to be pasted.
func tryHint(command string, c config, people []string, emulatorURL string) string {
	line := thisProgram() + " " + command
	if c.PublicURL != defaultAppURL {
		line += " --url " + shellWord(c.PublicURL)
	}
	if !slices.Contains(c.LoginMethods, idp.DefaultLoginMethod) || c.LoginURL != "" {
		return line // --as reads codes; without them the person signs in by hand
	}
	if emulatorURL != defaultEmulatorURL {
		line += " --emulator " + shellWord(emulatorURL)
	}
	somebody, _, _ := strings.Cut(people[0], " ")
	return line + " --as " + shellWord(somebody)
}

// thisProgram returns how this program was called: by go run, or by the name of a built one.
func thisProgram() string {
	path, err := os.Executable()
	info, ok := debug.ReadBuildInfo()
	if err != nil || !ok || !strings.Contains(filepath.ToSlash(path), "/go-build") {
		return shellWord(os.Args[0])
	}
	if _, err := os.Stat("cmd/guestpass/main.go"); err == nil {
		return "go run ./cmd/guestpass"
	}
	return "go run " + strings.TrimSuffix(info.Path, ".test")
}

// shellWord quotes a word that a shell would take apart, such as http://[::1]:8080.
func shellWord(word string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
