package main

import (
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"github.com/caarlos0/env/v11"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/idp"
	"guestpass/internal/server"
	"guestpass/internal/store"
)

// config is what the environment may say. Flags, where a command has them, win.
// README.md tells what each means.
type config struct {
	Addr               string   `env:"GUESTPASS_ADDR" envDefault:"localhost:8080"`
	PublicURL          string   `env:"GUESTPASS_PUBLIC_URL"`
	Title              string   `env:"GUESTPASS_TITLE" envDefault:"Guestpass"` // defaultTitle, in dev.go
	DatabaseURL        string   `env:"GUESTPASS_DATABASE_URL"`                 // "": defaultDatabase, in store.go; in development a temporary one
	Modules            []string `env:"GUESTPASS_MODULES"`                      // none: all
	Operations         []string `env:"GUESTPASS_OPERATIONS"`                   // none: all
	Description        string   `env:"GUESTPASS_DESCRIPTION"`
	ContactEmail       string   `env:"GUESTPASS_CONTACT_EMAIL"`
	PrivacyURL         string   `env:"GUESTPASS_PRIVACY_URL"`
	Access             string   `env:"GUESTPASS_ACCESS" envDefault:"scopes"`
	ClientIDs          []string `env:"GUESTPASS_CLIENT_IDS"`
	DocsClientID       string   `env:"GUESTPASS_DOCS_CLIENT_ID"`
	Audience           string   `env:"GUESTPASS_AUDIENCE"`
	TokenHeaderMembers []string `env:"GUESTPASS_TOKEN_HEADER_MEMBERS"`
	LoginMethods       []string `env:"GUESTPASS_LOGIN_METHODS" envDefault:"email_code"`
	TokenForwarder     string   `env:"GUESTPASS_TOKEN_FORWARDER" envDefault:"on"`
	Introspect         string   `env:"GUESTPASS_INTROSPECT" envDefault:"off"`
	IntrospectSecrets  []string `env:"GUESTPASS_INTROSPECT_SECRETS"` // client id=secret
	AllowTestProject   string   `env:"GUESTPASS_ALLOW_TEST_PROJECT" envDefault:"no"`

	StopGrace time.Duration `env:"GUESTPASS_STOP_GRACE" envDefault:"5s"`

	TrustedProxies    []string `env:"GUESTPASS_TRUSTED_PROXIES"`
	RedisURL          string   `env:"GUESTPASS_REDIS_URL"`
	AddressLimit      int      `env:"GUESTPASS_LIMIT_ADDRESS" envDefault:"3000"` // requests a minute, as the next three
	MemberLimit       *int     `env:"GUESTPASS_LIMIT_MEMBER"`                    // nil: limits.DefaultMember, in development more
	OrganizationLimit int      `env:"GUESTPASS_LIMIT_ORGANIZATION" envDefault:"600"`
	ClientLimit       int      `env:"GUESTPASS_LIMIT_CLIENT" envDefault:"6000"`
	MaxInFlight       int      `env:"GUESTPASS_MAX_IN_FLIGHT" envDefault:"64"`

	ProjectID   string `env:"STYTCH_PROJECT_ID"`
	Secret      string `env:"STYTCH_SECRET"`
	PublicToken string `env:"STYTCH_PUBLIC_TOKEN"`
	Vertical    string `env:"STYTCH_VERTICAL" envDefault:"b2b"`
	Domain      string `env:"STYTCH_DOMAIN"`
	BaseURL     string `env:"STYTCH_BASE_URL"`

	secretHint string // where the GPT's client secret is to be had, in development
}

// readConfig reads the environment. A GUESTPASS_ variable that does not exist is
// refused: it is a misspelt one, and the setting would silently not apply.
func readConfig(environ []string) (config, error) {
	var c config
	variables := env.ToMap(environ)
	params, err := env.GetFieldParams(&c)
	if err != nil {
		return c, err
	}
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.Key
	}
	for name := range variables {
		if strings.HasPrefix(name, "GUESTPASS_") && !slices.Contains(names, name) {
			return c, usagef("there is no variable %s; did you mean %s?", name, nearest(name, names))
		}
	}
	if err := env.ParseWithOptions(&c, env.Options{Environment: variables}); err != nil {
		return c, usageError{err}
	}
	for _, list := range []*[]string{&c.ClientIDs, &c.LoginMethods, &c.Modules, &c.Operations, &c.TrustedProxies} {
		*list = trimmed(*list)
	}
	return c, nil
}

func trimmed(values []string) []string {
	var kept []string
	for _, value := range values {
		if value = strings.TrimSpace(value); value != "" {
			kept = append(kept, value)
		}
	}
	return kept
}

func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int {
		return levenshtein.ComputeDistance(name, a) - levenshtein.ComputeDistance(name, b)
	})
}

// check returns everything that is wrong, each as one line that names the variable.
func (c config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, required := range []struct{ name, value, what string }{
		{"STYTCH_PROJECT_ID", c.ProjectID, "project-live-… or project-test-…, from the Stytch dashboard under API keys"},
		{"STYTCH_SECRET", c.Secret, "the project's secret, from the same place"},
		{"STYTCH_PUBLIC_TOKEN", c.PublicToken, "public-token-…, from the same place"},
		{"STYTCH_DOMAIN", c.Domain, "the project's domain, such as word-word-1234.customers.stytch.com"},
	} {
		if required.value == "" {
			fault("%s is not set: %s", required.name, required.what)
		}
	}
	live := strings.HasPrefix(c.ProjectID, "project-live-")
	if c.ProjectID != "" && !live && !strings.HasPrefix(c.ProjectID, "project-test-") {
		fault("STYTCH_PROJECT_ID %q must begin with project-live- or project-test-", c.ProjectID)
	}
	for _, choice := range []struct {
		name, value string
		allowed     []string
	}{
		{"STYTCH_VERTICAL", c.Vertical, []string{string(auth.B2B), string(auth.Consumer)}},
		{"GUESTPASS_ACCESS", c.Access, []string{string(api.ByScope), string(api.ByRole)}},
		{"GUESTPASS_TOKEN_FORWARDER", c.TokenForwarder, []string{"on", "off"}},
		{"GUESTPASS_INTROSPECT", c.Introspect, []string{"off", introspectWrites}},
		{"GUESTPASS_ALLOW_TEST_PROJECT", c.AllowTestProject, []string{"yes", "no"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			fault("%s is %q, it must be %s", choice.name, choice.value, strings.Join(choice.allowed, " or "))
		}
	}
	if err := idp.CheckLoginMethods(c.Vertical, c.LoginMethods); err != nil {
		fault("GUESTPASS_LOGIN_METHODS: %w", err)
	}
	if c.StopGrace < 0 || c.StopGrace > time.Minute {
		fault("GUESTPASS_STOP_GRACE is %s, it must be from 0s to 1m", c.StopGrace)
	}
	for _, module := range c.Modules {
		if !slices.Contains(modules(), module) {
			fault("GUESTPASS_MODULES names %q; there are %s", module, strings.Join(modules(), " and "))
		}
	}
	if _, err := netmail.ParseAddress("<" + c.ContactEmail + ">"); c.ContactEmail != "" && err != nil {
		fault("GUESTPASS_CONTACT_EMAIL %q is no e-mail address, such as support@example.com", c.ContactEmail)
	}
	if c.DocsClientID != "" && !strings.HasPrefix(c.DocsClientID, "connected-app-") {
		fault("GUESTPASS_DOCS_CLIENT_ID is %q, it must begin with connected-app-: the id of a public connected app, from the Stytch dashboard", c.DocsClientID)
	}
	if c.DocsClientID != "" && c.TokenForwarder == "off" {
		fault("GUESTPASS_DOCS_CLIENT_ID is set and GUESTPASS_TOKEN_FORWARDER is off: the page /docs gets its token from this server's own token endpoint; leave one of them out")
	}
	if err := store.CheckURL(or(c.DatabaseURL, defaultDatabase)); err != nil {
		fault("GUESTPASS_DATABASE_URL %w", err)
	}
	faults = append(append(faults, c.checkURLs(live)...), c.checkLimits()...)
	faults = append(faults, c.checkIntrospection()...)
	return errors.Join(faults...)
}

func (c config) checkURLs(live bool) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	public, err := parseOrigin(c.PublicURL)
	switch {
	case c.PublicURL == "":
		fault("GUESTPASS_PUBLIC_URL is not set: the https origin under which the world sees this server, such as https://gpt.example.com")
	case err != nil:
		fault("GUESTPASS_PUBLIC_URL %q %w", c.PublicURL, err)
	case public.Scheme == "http" && !loopback(public.Hostname()):
		fault("GUESTPASS_PUBLIC_URL %q must be https: tokens would cross the network in the clear (http is for loopback only)", c.PublicURL)
	case !loopback(public.Hostname()) && !live && c.ProjectID != "" && c.AllowTestProject != "yes":
		fault("STYTCH_PROJECT_ID is a test project, but GUESTPASS_PUBLIC_URL %q is public: use the live project, or say GUESTPASS_ALLOW_TEST_PROJECT=yes", c.PublicURL)
	}
	if domain, err := parseOrigin(c.domainOrigin()); c.Domain != "" && err != nil {
		fault("STYTCH_DOMAIN %q %w", c.Domain, err)
	} else if c.Domain != "" && domain.Scheme != "https" && !loopback(domain.Hostname()) {
		fault("STYTCH_DOMAIN %q must be https", c.Domain)
	}
	if c.BaseURL == "" {
		return faults
	}
	base, err := parseOrigin(c.BaseURL)
	switch {
	case live:
		fault("STYTCH_BASE_URL is set together with a live project: it is for the emulator only, remove it")
	case err != nil:
		fault("STYTCH_BASE_URL %q %w", c.BaseURL, err)
	case !loopback(base.Hostname()):
		fault("STYTCH_BASE_URL %q is not on loopback: it is for the emulator only", c.BaseURL)
	}
	return faults
}

// domainOrigin is STYTCH_DOMAIN as an origin, however it was written.
func (c config) domainOrigin() string {
	domain := strings.TrimSuffix(c.Domain, "/")
	if !strings.Contains(domain, "://") {
		domain = "https://" + domain
	}
	return domain
}

// parseOrigin admits scheme and host, no more.
func parseOrigin(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, errors.New("must begin with https:// and a host name")
	case u.Path != "", u.RawQuery != "", u.Fragment != "", u.User != nil:
		return nil, errors.New("must be an origin: scheme and host only, nothing after them")
	case u.Host != strings.ToLower(u.Host):
		return nil, errors.New("must be in lower case")
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// options are the server's, from a checked config.
func (c config) options() server.Options {
	return server.Options{
		PublicURL: c.PublicURL,
		ProjectID: c.ProjectID, Secret: c.Secret, PublicToken: c.PublicToken, Vertical: auth.Vertical(c.Vertical),
		Domain: c.domainOrigin(), BaseURL: c.BaseURL,
		Modules: c.Modules, Resources: resources, Operations: c.Operations,
		Access: api.AccessMode(c.Access), ClientIDs: c.ClientIDs, DocsClientID: c.DocsClientID, Audience: c.Audience,
		TrustedProxies:     c.trustedProxies(),
		TokenHeaderMembers: trimmed(c.TokenHeaderMembers), LoginMethods: c.LoginMethods, ForwardTokens: c.TokenForwarder == "on",
		Title: c.Title, Description: c.Description, ContactEmail: c.ContactEmail, PrivacyURL: c.PrivacyURL, Version: version(),
		Introspect: c.Introspect == introspectWrites, ClientSecrets: c.clientSecrets(),
		SecretHint: c.secretHint,
	}
}
