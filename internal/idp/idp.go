// Package idp hosts the two places of the authorization flow that have to be on
// our own domain: the page on which a person signs in and consents (with Stytch's
// own browser component), and the token endpoint, which forwards to Stytch's.
//
// It issues and reads no tokens, and keeps no state: the authorization request travels in the URL
// and, across an e-mail link, in a signed cookie.
package idp

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"guestpass/internal/clients"
	"guestpass/internal/credentials"
	"guestpass/internal/headers"
	"guestpass/internal/limits"
	"guestpass/internal/page"
)

//go:embed assets
var assets embed.FS

// A bundle is a ready-made IIFE of @stytch/vanilla-js that `make web` copies here, and
// the hash of the one style sheet that it makes, which changes with its version.
type bundle struct{ name, style string }

// bundles are those of the verticals.
var bundles = map[string]bundle{
	"b2b":      {"stytch-b2b.js", "sha256-goG6NTJVb+JLlVfyyLcbrBJO1e6OPG6DpOWkP/MQIRQ="},
	"consumer": {"stytch-consumer.js", "sha256-CbrfRrFsqa4jd8s2MnVLtg2+Rg+fX+Lx21DVlX4zEBI="},
}

// ErrNoBundle: the binary was built without Stytch's browser component.
var ErrNoBundle = errors.New("this binary was built without Stytch's browser component: run `make web` and build " +
	"again, or give the files that `guestpass assets` writes to Options.Assets")

// Bundles are the ready-made files that the binary was built with, by name.
func Bundles() map[string][]byte {
	found := map[string][]byte{}
	for _, b := range bundles {
		if content, err := assets.ReadFile("assets/" + b.name); err == nil {
			found[b.name] = content
		}
	}
	return found
}

// A Client is what is known of a connected app before anybody has signed in.
type Client struct {
	Name         string
	RedirectURIs []string // empty: not known here, Stytch decides
}

// An Organization is what is known of one before anybody has signed in to it.
type Organization struct{ ID, Name, Slug string }

// What Options.LookUpClient and LookUpOrganization return for what the project does not have,
// and wrap where Stytch does not tell this server.
var (
	ErrUnknownClient       = errors.New("no such client")
	ErrUnknownOrganization = errors.New("no such organization")
	ErrCredentials         = errors.New("the project's credentials are refused by Stytch")
)

// Options configure a [Provider].
type Options struct {
	Pages       *page.Pages // in whose layout the page is; nil: Guestpass's own
	PublicURL   string      // our origin: the page is at PublicURL + /idp
	ProjectID   string      // for the environment's API base
	PublicToken string      // of the Stytch project; public
	Vertical    string      // of the project: b2b or consumer
	// SDKBaseURL is the origin that the browser SDK talks to: the project's domain, so that the iss of
	// authorization responses is the issuer that the project's metadata names (RFC 9207).
	SDKBaseURL string
	TokenURL   string // Stytch's token endpoint in root form, https://{STYTCH_DOMAIN}/v1/oauth2/token
	Clients    clients.Admitted
	// LoginMethods are the ways to sign in that the page offers, in that order; see
	// [CheckLoginMethods]. nil: DefaultLoginMethod.
	LoginMethods []string
	Login        Login // where people sign in instead of on the page; the zero value: on the page
	Invites      bool  // members are invited by links to the page, which it therefore redeems
	// LookUpClient returns ErrUnknownClient, or another error when it cannot tell
	// now, in which case Stytch decides after the sign-in. nil: Stytch decides.
	LookUpClient func(ctx context.Context, clientID string) (Client, error)
	// LookUpOrganization finds by id or slug the organization that a request names.
	// nil: requests cannot name one.
	LookUpOrganization func(ctx context.Context, idOrSlug string) (Organization, error)
	// AdvertisedIssuer is the issuer that the project's metadata names, if it says there that
	// authorization responses carry it (authorization_response_iss_parameter_supported); else "". Any other
	// iss is taken out of responses: clients would refuse them. known is false while the metadata could not
	// be read: then responses stay as they are. nil: none is advertised.
	AdvertisedIssuer func(context.Context) (issuer string, known bool)
	// ScopesToAdd are those of the operations at the resources (RFC 8707) that a request of AddScopes names,
	// which asks for none of them.
	ScopesToAdd func(ctx context.Context, resources []string) []string
	AddScopes   AddScopes
	Assets      fs.FS // with the bundle of Stytch's component; nil: the one that was built in
	// DescribeScopes says what scopes are for, by name, in words for the person who
	// decides. nil: no words beyond their names.
	DescribeScopes func(ctx context.Context) map[string]string
	// Effects are the strongest effect of what a scope allows, by its name: read, write or destroy. Of scopes without
	// operations here nothing is known, and those that tell who a person is have none.
	Effects    map[string]string
	RoleEffect string // the strongest of all that roles allow; "" where scopes decide

	Limits        *limits.Limits    // makes what the token endpoint is bounded by; nil: for this provider alone
	ClientSecrets map[string]string // of connected apps, by client id, as far as they are known

	CookieKey []byte // signs the cookie; the same on every instance
	Log       *slog.Logger
	Now       func() time.Time  // nil: time.Now
	Transport http.RoundTripper // to the token endpoint; nil: our own, bounded
}

// A Provider serves the page and the token endpoint. Safe for concurrent use.
type Provider struct {
	options  Options
	page     *page.Page
	log      *slog.Logger
	bundle   bundle
	secure   bool // served over https
	headers  headers.Page
	forward  *forwarder
	refusals *refusals
	assets   map[string]http.Handler
}

// New checks the options. [ErrNoBundle] when the browser component is missing.
func New(o Options) (*Provider, error) {
	bundle, known := bundles[o.Vertical]
	if !known {
		return nil, fmt.Errorf("idp: the vertical is %q, it must be b2b or consumer", o.Vertical)
	}
	if err := o.checkValues(); err != nil {
		return nil, fmt.Errorf("idp: %w", err)
	}
	if o.Assets == nil {
		o.Assets, _ = fs.Sub(assets, "assets") // fails for an invalid name only
	}
	served, err := readAssets(o.Assets, bundle.name)
	if err != nil {
		return nil, err
	}
	if len(o.LoginMethods) == 0 {
		o.LoginMethods = []string{DefaultLoginMethod}
	}
	if err := CheckLoginMethods(o.Vertical, o.LoginMethods); err != nil {
		return nil, fmt.Errorf("idp: login methods: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.CookieKey) == 0 {
		return nil, errors.New("idp: no cookie key")
	}
	forward, err := newForwarder(o)
	if err != nil {
		return nil, fmt.Errorf("idp: %w", err)
	}
	parsed, err := o.parse()
	if err != nil {
		return nil, fmt.Errorf("idp: %w", err)
	}
	o.SDKBaseURL = strings.TrimSuffix(o.SDKBaseURL, "/")
	p := &Provider{options: o, page: parsed, log: o.Log, bundle: bundle, forward: forward, secure: isHTTPS(o.PublicURL),
		refusals: newRefusals(o), assets: served}
	p.headers = headers.Page{Policy: contentSecurityPolicy(bundle.style, o.SDKBaseURL), SignsIn: true, Secure: p.secure}
	return p, nil
}

// parse reads the template of the page.
func (o *Options) parse() (_ *page.Page, err error) {
	if o.Pages == nil {
		if o.Pages, err = page.New(page.Options{}); err != nil {
			return nil, err
		}
	}
	return o.Pages.Parse(page.Layout{Narrow: true}, templates, "page.html")
}

// checkValues refuses what has not the form of a value that the page may show.
func (o Options) checkValues() error {
	environment, err := credentials.ProjectID.Check(o.ProjectID)
	if err != nil {
		return fmt.Errorf("the project id %w", err)
	}
	of, err := credentials.PublicToken.Check(o.PublicToken)
	if err != nil {
		return fmt.Errorf("the public token %w", err)
	}
	if of != environment {
		return fmt.Errorf("the public token is of the %s environment, the project of the %s one", of, environment)
	}
	for _, word := range slices.Concat(o.Clients.IDs, o.Clients.Hosts) {
		if err := clients.CheckWord(word); err != nil {
			return fmt.Errorf("the list of clients %w", err)
		}
	}
	if err := errors.Join(o.Login.checkForm(environment), o.Login.Check(o.PublicURL)); err != nil {
		return fmt.Errorf("the login page of the application: %w", err)
	}
	if o.SDKBaseURL == "" {
		return errors.New("no base for the browser SDK")
	}
	if credentials.HasSecret(o.PublicURL + " " + o.SDKBaseURL + " " + o.Login.URL) {
		return errors.New("the public URL, the login page's or the base of the API holds a secret")
	}
	return nil
}

// LoginMethods returns the ways to sign in that the page offers, in order: none where people sign in elsewhere.
func (p *Provider) LoginMethods() []string {
	if p.options.Login.URL != "" {
		return nil
	}
	return p.options.LoginMethods
}

// Token is POST /oauth2/token.
func (p *Provider) Token() http.Handler { return p.forward }

// Assets returns the page's scripts, each by its name and with its handler: of Stytch's
// bundles only the vertical's own.
func (p *Provider) Assets() map[string]http.Handler { return p.assets }

func readAssets(bundles fs.FS, bundle string) (map[string]http.Handler, error) {
	const kind = "text/javascript; charset=utf-8"
	component, err := fs.ReadFile(bundles, bundle)
	if err != nil {
		return nil, ErrNoBundle
	}
	handlers := map[string]http.Handler{bundle: page.Asset(kind, component)}
	for _, name := range []string{"idp.js", "cookies.js", "login.js", "report.js", "session.js", "words.js"} {
		script, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return nil, err
		}
		handlers[name] = page.Asset(kind, script)
	}
	return handlers, nil
}
