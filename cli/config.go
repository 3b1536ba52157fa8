package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/idp"
	"guestpass/internal/tracing"
)

// config is what flags, the environment and a file say, in this order of precedence. Each field belongs to a setting,
// see settings.
type config struct {
	Addr, PublicURL, Title string
	TLS                    []string // off, auto, or the files of a certificate and its key; none: off
	PlainAddr              string   // "": nothing is answered without TLS
	AdminAddr              string   // "": nobody looks
	LogLevel               string
	ACMEDirectory          string // "": that of Let's Encrypt
	// "": defaultDatabase, in store.go; in development a temporary one
	DatabaseURL                                       string
	DatabaseSchema                                    string   // of a Postgres; "": guestpass
	Modules, Operations                               []string // none: all
	Scopes                                            []api.Scope
	Description, ContactEmail, PrivacyURL             string
	Logo, Color, SupportURL, Language, Words          string
	Access, LiveRoles                                 string
	MCP                                               string
	MCPOperations                                     []string
	PluginChallenge, AppURL                           string
	ClientIDs                                         []string // none: every one of the project; see clients.Parse
	AddScopes                                         string
	DocsClientID, Audience                            string
	TokenHeaderMembers, LoginMethods                  []string
	LoginURL, LoginReturn                             string
	LoginTokenProfile, LoginCookieDomain              string
	TokenForwarder, Introspect                        string
	IntrospectSecrets                                 []string // client id=secret
	AllowTestProject                                  string
	MaxTokenLifetime, StopGrace, RecentPeople         time.Duration
	TokensIssuedAfter                                 time.Time
	TrustedProxies                                    []string
	RedisURL                                          string
	AddressLimit, MemberLimit                         int // 0 for a member: limits.DefaultMember, in development more
	OrganizationLimit, ClientLimit, MaxInFlight       int
	ProjectID, Secret, PublicToken, Vertical, BaseURL string
	Domains                                           []string // as they are written; the first is shown
	Emulator                                          string   // file of the emulated project that serve runs itself
	TryClientID, TryClientSecret                      string
	WorkspaceKeyID, WorkspaceSecret                   string

	// What each organization may keep, or in Consumer projects each user, and for how long.
	ActivityQuota, MegabyteQuota, KeepDays int
	Connections                            int             // to a Postgres; 0: store.DefaultConnections
	Idle                                   time.Duration   // of one; 0: store.DefaultIdle
	Migrate                                string          // on or off
	Quotas                                 map[string]*int // of the things of resources, by kind
	KeepConnectionsDays, KeepRepliesHours  int             // 0 days: KeepDays
	ArchiveDir                             string          // "": what is not kept is gone

	traces      tracing.Config // of the variables OTEL_*, which are not ours
	untraceable error          // what is wrong with those
	stdout      io.Writer      // for traces on the console

	given      map[string]string // by setting: who said it, see the sources below
	wrong      map[string]bool   // settings whose values were refused, and are not here
	secretHint string            // where the GPT's client secret is to be had, in development
}

// Who says a setting: a flag, by its name; the environment; or a line of a file, as NAME:LINE.
const byEnvironment = "environment"

// readConfig reads the flags of a command, the environment, and the file that the flags hold. Its error names each
// value that is wrong by itself; check finds values that contradict each other.
func readConfig(environ []string, flags *pflag.FlagSet) (config, error) {
	c, faults, err := readSettings(environ, flags)
	if err == nil && len(faults) > 0 {
		err = usagef("not started:\n%w", errors.Join(faults...))
	}
	return c, err
}

// readWhole is readConfig for a command that needs all settings. Its error says at once which values are wrong, which
// are missing, and which contradict each other.
func readWhole(environ []string, flags *pflag.FlagSet, heading string, check func(config) error) (config, error) {
	c, faults, err := readSettings(environ, flags)
	if err != nil {
		return c, err
	}
	if err := errors.Join(errors.Join(faults...), check(c)); err != nil {
		return c, usagef("%s:\n%w", heading, err)
	}
	return c, nil
}

// readSettings returns the config without the values that are wrong by themselves, and what is wrong with those.
func readSettings(environ []string, flags *pflag.FlagSet) (c config, faults []error, err error) {
	values, given, unread := said(environ, flags)
	c = config{given: given, wrong: map[string]bool{}}
	c.traces, c.untraceable = tracing.Read(variables(environ))
	if err := c.checkSecrets(values); err != nil { // first, so that nothing else is said of them
		return c, nil, usageError{err}
	}
	for _, s := range new(config).settings() { // which may keep a value that it refuses
		if given[s.name] == "" {
			continue
		}
		if err := s.judge(values[s.name], unread[s.name]); err != nil {
			faults, c.wrong[s.name] = append(faults, c.fault(s.name, "%w", err)), true
		}
	}
	for _, s := range c.settings() {
		value, found := values[s.name]
		if !found || c.wrong[s.name] {
			value = s.otherwise
		}
		if value == "" {
			continue
		}
		if err := s.take(value); err != nil {
			return c, nil, fmt.Errorf("the default of %s %w", s.name, err)
		}
	}
	return c, faults, nil
}

// judge returns what is wrong with a value by itself. unread is what is wrong with the way in which a file says it.
func (s setting) judge(value string, unread error) error {
	err := s.take(value)
	switch {
	case unread != nil:
		return unread
	case strings.TrimSpace(value) == "":
		return errors.New("is set, but has nothing in it: give it a value, or leave it out")
	}
	return err
}

// said returns the settings that flags, the environment and a file say, who said each, and what is wrong with the way
// in which the file says it.
func said(environ []string, flags *pflag.FlagSet) (values, given map[string]string, unread map[string]error) {
	values, given, unread = map[string]string{}, map[string]string{}, map[string]error{}
	ofEnvironment, known := variables(environ), new(config).settings()
	for _, s := range known {
		if value, found := ofEnvironment[s.name]; found {
			values[s.name], given[s.name] = value, byEnvironment
		}
	}
	for _, v := range fileOf(flags).variables() {
		isSetting := slices.ContainsFunc(known, func(s setting) bool { return s.name == v.Name })
		if isSetting && given[v.Name] != byEnvironment {
			values[v.Name], given[v.Name], unread[v.Name] = v.Value, fileOf(flags).line(v), v.Err
		}
	}
	for _, s := range known {
		place := fileOf(flags).elsewhere(s.name)
		if place != "" && given[s.name] != byEnvironment && unread[s.name] == nil {
			given[s.name], unread[s.name] = place, errElsewhere
		}
	}
	if flags != nil {
		flags.Visit(func(flag *pflag.Flag) {
			for _, name := range flag.Annotations[settingOfFlag] {
				values[name], given[name], unread[name] = flag.Value.String(), "--"+flag.Name, nil
			}
		})
	}
	return values, given, unread
}

var errElsewhere = errors.New("is in a line that is neither NAME=VALUE alone nor a comment, which begins with #, and " +
	"would not count")

// variables returns the variables of an environment. The last one of a name counts.
func variables(environ []string) map[string]string {
	values := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	return values
}

// settingOfFlag is the annotation of flags that say what a variable can say.
const settingOfFlag = "setting"

// settingFlag gives a command a flag that says the same as the variable, and takes precedence over it.
func settingFlag(command *cobra.Command, flag, variable, usage string) {
	command.Flags().String(flag, "", usage+" ("+variable+")")
	_ = command.Flags().SetAnnotation(flag, settingOfFlag, []string{variable}) // it has just been made
}

// fault returns an error that names a setting as the caller did: by the variable, with the line of the file that has
// it, or by the flag.
func (c config) fault(name, format string, args ...any) error {
	switch by := c.given[name]; {
	case by == "", by == byEnvironment:
	case strings.HasPrefix(by, "--"):
		name = by
	default:
		name += " (" + by + ")"
	}
	return fmt.Errorf("%s "+format, append([]any{name}, args...)...)
}

// check returns all contradictions, each as one line that names the setting.
func (c config) check() error {
	faults := c.checkRequired()
	fault := func(name, format string, args ...any) { faults = append(faults, c.fault(name, format, args...)) }
	faults = append(faults, c.checkEnvironment()...)
	if c.Access == string(api.ByRole) && c.LiveRoles == "off" {
		fault("GUESTPASS_LIVE_ROLES",
			"is off and GUESTPASS_ACCESS is roles: where roles decide they are always looked "+
				"up; leave one of them out")
	}
	if err := idp.CheckLoginMethods(c.Vertical, c.LoginMethods); err != nil && !c.wrong["STYTCH_VERTICAL"] {
		fault("GUESTPASS_LOGIN_METHODS", "cannot be used: %w", err)
	}
	faults = append(faults, c.checkLogin()...)
	if c.DocsClientID != "" && c.TokenForwarder == "off" {
		fault("GUESTPASS_DOCS_CLIENT_ID", "is set and GUESTPASS_TOKEN_FORWARDER is off: the page /docs gets its token "+
			"from this server's own token endpoint; leave one of them out")
	}
	if c.MCP == "off" && len(c.MCPOperations) > 0 {
		fault("GUESTPASS_MCP_OPERATIONS", "is set and GUESTPASS_MCP is off: there are no tools; leave one of them out")
	}
	if len(c.Modules) > 1 && slices.Contains(c.Modules, noModules) {
		fault("GUESTPASS_MODULES", "names %s beside others: say one or the other", noModules)
	}
	if len(c.TrustedProxies) > 1 && slices.Contains(c.TrustedProxies, noProxies) {
		fault("GUESTPASS_TRUSTED_PROXIES", "names %s beside others: say one or the other", noProxies)
	}
	faults = append(append(faults, c.checkURLs()...), c.checkIntrospection()...)
	faults = append(append(faults, c.checkCertificates()...), c.checkAdmin()...)
	return errors.Join(append(faults, c.checkOperations()...)...)
}

// login returns the application's login page.
func (c config) login() guestpass.Login {
	if c.LoginURL == "" {
		return guestpass.Login{}
	}
	return guestpass.Login{URL: c.LoginURL, ReturnParameter: c.LoginReturn, TokenProfile: c.LoginTokenProfile,
		CookieDomain: c.LoginCookieDomain}
}

// checkLogin finds what contradicts GUESTPASS_LOGIN_URL, and what is of no use without it.
func (c config) checkLogin() (faults []error) {
	if c.LoginURL == "" && !c.wrong["GUESTPASS_LOGIN_URL"] {
		for _, name := range []string{"GUESTPASS_LOGIN_RETURN_PARAMETER", "GUESTPASS_LOGIN_TOKEN_PROFILE",
			"GUESTPASS_LOGIN_COOKIE_DOMAIN"} {
			if c.given[name] != "" {
				faults = append(faults, c.fault(name, "is set without GUESTPASS_LOGIN_URL, which says where people "+
					"sign in: set that too, or leave this out"))
			}
		}
		return faults
	}
	if c.PublicURL == "" {
		return nil
	}
	err := idp.Login(c.login()).Check(c.PublicURL)
	for about, name := range map[error]string{idp.ErrLoginURL: "GUESTPASS_LOGIN_URL",
		idp.ErrReturnTaken:  "GUESTPASS_LOGIN_RETURN_PARAMETER",
		idp.ErrCookieDomain: "GUESTPASS_LOGIN_COOKIE_DOMAIN"} {
		if errors.Is(err, about) {
			faults = append(faults, c.fault(name, "%w", about))
		}
	}
	return faults
}

func (c config) checkRequired() (faults []error) {
	for _, required := range []struct{ name, value, what string }{
		{"GUESTPASS_PUBLIC_URL", c.PublicURL, "the https origin under which the world sees this server, such as " +
			"https://gpt.example.com"},
		{"STYTCH_PROJECT_ID", c.ProjectID,
			"project-live-… or project-test-…, from the Stytch dashboard under API keys"},
		{"STYTCH_SECRET", c.Secret, "the project's secret, from the same place"},
		{"STYTCH_PUBLIC_TOKEN", c.PublicToken, "public-token-…, from the same place"},
		{"STYTCH_DOMAIN", strings.Join(c.Domains, ","), "the project's domain, such as " +
			"word-word-1234.customers.stytch.com"},
	} {
		if required.value == "" && !c.wrong[required.name] {
			faults = append(faults, c.fault(required.name, "is not set: %s", required.what))
		}
	}
	return faults
}

var (
	verticals   = []string{string(auth.B2B), string(auth.Consumer)}
	accessModes = []string{string(api.ByScope), string(api.ByRole)}
)

// live reports whether the project is one of real people.
func (c config) live() bool { return strings.HasPrefix(c.ProjectID, "project-live-") }

func (c config) checkURLs() (faults []error) {
	fault := func(name, format string, args ...any) { faults = append(faults, c.fault(name, format, args...)) }
	if public, err := parseOrigin(c.PublicURL); c.PublicURL != "" && err == nil {
		switch here := loopback(public.Hostname()); {
		case here && c.live():
			fault("GUESTPASS_PUBLIC_URL", "is on this machine, and STYTCH_PROJECT_ID is a live project: use the test "+
				"project here, or the https origin under which the world sees this server")
		case !here && !c.live() && c.ProjectID != "" && c.AllowTestProject != "yes":
			fault("STYTCH_PROJECT_ID",
				"is a test project, but GUESTPASS_PUBLIC_URL is public: use the live project, or "+
					"say GUESTPASS_ALLOW_TEST_PROJECT=yes")
		}
	}
	if c.Emulator != "" && c.BaseURL == "" {
		fault("GUESTPASS_EMULATOR", "is set and STYTCH_BASE_URL is not: it says where the emulator listens; run "+
			"`guestpass setup` again, or leave the setting out")
	}
	if c.Emulator != "" && c.live() {
		fault("GUESTPASS_EMULATOR", "is set together with a live project, for which the emulator never stands in: "+
			"remove it")
	}
	if c.BaseURL != "" && c.live() {
		fault("STYTCH_BASE_URL", "is set together with a live project: it is for the emulator only, remove it")
	}
	return append(faults, c.checkDomains()...)
}

// options returns the server's options, from a checked config.
func (c config) options() guestpass.Options {
	return guestpass.Options{
		PublicURL: c.PublicURL,
		ProjectID: c.ProjectID, Secret: c.Secret, PublicToken: c.PublicToken, Vertical: auth.Vertical(c.Vertical),
		Domain: c.domains()[0], OtherDomains: c.domains()[1:], BaseURL: c.BaseURL,
		Modules: c.modules(), Resources: offered, Operations: c.Operations, Scopes: c.Scopes,
		Access: api.AccessMode(c.Access), ScopesAlone: c.LiveRoles == "off",
		NoMCP: c.MCP == "off", MCPOperations: c.MCPOperations, PluginChallenge: c.PluginChallenge,
		AppURL:    c.AppURL,
		ClientIDs: c.ClientIDs, AddScopes: guestpass.AddScopes(c.AddScopes), DocsClientID: c.DocsClientID,
		Audience:           c.Audience,
		Limits:             c.limits(),
		TrustedProxies:     c.trustedProxies(),
		MaxTokenLifetime:   c.MaxTokenLifetime,
		TokensIssuedAfter:  c.TokensIssuedAfter,
		TokenHeaderMembers: c.TokenHeaderMembers, LoginMethods: c.LoginMethods, Login: c.login(),
		ForwardTokens: c.TokenForwarder == "on", Title: c.Title, Description: c.Description,
		Brand:        guestpass.Brand{Color: c.Color, Support: c.SupportURL},
		ContactEmail: mailbox(c.ContactEmail), PrivacyURL: c.PrivacyURL,
		Version:      version(),
		Commit:       about().Commit,
		RecentPeople: c.RecentPeople,
		Introspect:   c.Introspect == introspectWrites, ClientSecrets: c.clientSecrets(),
		SecretHint: c.secretHint,
	}
}
