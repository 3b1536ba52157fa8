//go:build !production

package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"guestpass/auth"
	"guestpass/stytchtest"
)

func stytchCommand() *cobra.Command {
	var s stytchSettings
	command := &cobra.Command{
		Use:   "stytch",
		Short: "Run the emulator of Stytch alone, for the tests of any program",
		Long: `Runs the emulator of Stytch and nothing else, for programs and tests in any language.
It prints the settings of its project as lines for a shell. Tell your Stytch SDK to
use the emulator's address as its API base; everything works over plain HTTP.

At its address a page shows the inbox, the people and the requests; tests read the
same as JSON below /_emulator/. It answers on this machine only, nothing reaches
Stytch, and nothing is kept when it stops.`,
		Example: `  guestpass stytch
  guestpass stytch --vertical consumer --chaos 5
  guestpass stytch --seed our-people.yaml
  guestpass stytch --authorization-url http://localhost:3000/consent --redirect-url http://localhost:3000/signed-in`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&s.addr, "addr", "localhost:8081", "address to listen on; loopback only")
	flags.StringVar(&s.vertical, "vertical", "", "kind of project: b2b or consumer (default b2b, or that of the seed)")
	choices(command, "vertical", verticals...)
	flags.StringVar(&s.seed, "seed", "", "YAML or JSON `FILE` with the project, its people and apps, such as "+
		"/_emulator/export returns")
	flags.IntVar(&s.chaos.Percent, "chaos", 0, chaosUsage)
	flags.Uint64Var(&s.chaos.Seed, "chaos-seed", 1, chaosSeedUsage)
	flags.StringVar(&s.authorizationURL, "authorization-url", "",
		"`URL` of your page on which people consent (default http://localhost:8080/idp)")
	flags.StringArrayVar(&s.redirectURLs, "redirect-url", nil,
		"`URL` to which e-mail links may lead; may be repeated (default http://localhost:8080/idp)")
	flags.StringArrayVar(&s.origins, "origin", nil,
		"`ORIGIN` of pages that may use the browser SDK, beside those of the two URLs above; may be repeated")
	flags.StringArrayVar(&s.hosts, "host", nil,
		"`HOST` under which a proxy of yours on this machine asks for the emulator, with its port; may be repeated")
	return command
}

const (
	chaosUsage = "`PERCENT` of requests to Stytch that go wrong: slow, 429, 500, 503, cut off, or signed by a fresh " +
		"key"
	chaosSeedUsage = "which of them; the same number makes the same go wrong again"
)

type stytchSettings struct {
	addr, vertical, seed, authorizationURL string
	redirectURLs, origins, hosts           []string
	chaos                                  stytchtest.Chaos
}

func (s stytchSettings) run(ctx context.Context, stdout, stderr io.Writer) error {
	options, err := s.options()
	if err != nil {
		return usageError{err}
	}
	log := newLog(stderr, slog.LevelInfo)
	options.Log = log
	emulator, err := stytchtest.New(options)
	if err != nil {
		return usageError{err}
	}
	listener, err := emulator.Listen(s.addr)
	if err != nil {
		return usagef("cannot start the emulator: %w; choose another address with --addr", err)
	}
	defer listener.Close()
	announceStytch(stdout, emulator.Export(), "http://"+named(s.addr, listener.Addr().String()))
	return parts{listener: listener, handler: emulator}.serve(log)(ctx)
}

// options returns the emulator's options. Flags take precedence over the seed.
func (s stytchSettings) options() (stytchtest.Options, error) {
	if s.authorizationURL != "" && !wholeURL(s.authorizationURL) {
		return stytchtest.Options{},
			fmt.Errorf("--authorization-url %q is not a whole URL, such as "+
				"http://localhost:3000/consent", s.authorizationURL)
	}
	for _, redirect := range s.redirectURLs {
		if !wholeURL(redirect) {
			return stytchtest.Options{},
				fmt.Errorf("--redirect-url %q is not a whole URL, such as http://localhost:3000/signed-in", redirect)
		}
	}
	for _, o := range s.origins {
		if _, err := parseOrigin(o); err != nil || strings.HasSuffix(o, "/") {
			return stytchtest.Options{}, fmt.Errorf("--origin %q is no origin, such as http://localhost:3000", o)
		}
	}
	seed, err := s.project()
	if err != nil {
		return stytchtest.Options{}, err
	}
	seed.Project.AuthorizationURL = or(s.authorizationURL, seed.Project.AuthorizationURL)
	if len(s.redirectURLs) > 0 {
		seed.Project.RedirectURLs = stytchtest.RedirectURLs(s.redirectURLs...)
	}
	return stytchtest.Options{Seed: &seed, Chaos: s.chaos, Origins: s.origins, Hosts: s.hosts,
		LoopbackDocuments: true}, nil
}

// project returns the project of the seed file, or the development seed of the vertical.
func (s stytchSettings) project() (stytchtest.Seed, error) {
	if vertical := or(s.vertical, string(auth.B2B)); vertical != string(auth.B2B) && vertical != string(auth.Consumer) {
		return stytchtest.Seed{}, fmt.Errorf("--vertical is %q, it must be b2b or consumer", vertical)
	}
	if s.seed == "" {
		return developmentSeed(s.vertical), nil
	}
	seed, err := stytchtest.ReadSeed(s.seed)
	if err == nil && s.vertical != "" && s.vertical != seed.Project.Vertical {
		err = fmt.Errorf("--vertical is %s, but the seed %s has a %s "+
			"project", s.vertical, s.seed, seed.Project.Vertical)
	}
	return seed, err
}

// wholeURL admits any scheme: apps on phones have their own.
func wholeURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != ""
}

func announceStytch(w io.Writer, seed stytchtest.Seed, address string) {
	p := seed.Project
	var redirects []string
	for _, u := range p.RedirectURLs {
		redirects = append(redirects, u.URL)
	}
	fmt.Fprintf(w, `
Stytch is emulated: a %s project, forgotten when this stops. Nothing reaches Stytch.

  page               %s   inbox, people, requests
  authorization URL  %s
  redirect URLs      %s
`, p.Vertical, address, or(p.AuthorizationURL, "none"), or(strings.Join(redirects, ", "), "none"))
	for _, a := range seed.ConnectedApps {
		fmt.Fprintf(w, "  connected app      %s   secret %s\n", a.ClientID, or(a.ClientSecret, "none"))
	}
	fmt.Fprintf(w, "\nPeople who can sign in: %s.\nThe project, for your program and its "+
		"tests:\n\n", or(strings.Join(people(seed), ", "), "nobody"))
	for _, variable := range []struct{ name, value string }{
		{"STYTCH_PROJECT_ID", p.ID}, {"STYTCH_SECRET", p.Secret}, {"STYTCH_PUBLIC_TOKEN", p.PublicToken},
		{"STYTCH_VERTICAL", p.Vertical}, {"STYTCH_DOMAIN", address}, {"STYTCH_BASE_URL", address},
	} {
		fmt.Fprintf(w, "export %s=%s\n", variable.name, quoted(variable.value))
	}
	fmt.Fprintln(w)
}

var plainWord = regexp.MustCompile(`^[\w.:/@-]+$`)

// quoted returns the value in quotes for a shell, if it needs them.
func quoted(value string) string {
	if plainWord.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
