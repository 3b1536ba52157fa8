// Package guestpass gives assistants such as ChatGPT and Claude a guest pass to an app: one http.Handler that serves
// the operations of resources (package api) to those whose Stytch-issued tokens are good, publishes them as an OpenAPI
// document and as MCP tools, and has the pages on which people sign in, consent, look and revoke. It stands alone, or
// beside the routes of an application, see [Server.Mount]. All routes are in one table, all middleware in one chain,
// both in this package.
package guestpass

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/directory"
	"guestpass/internal/account"
	"guestpass/internal/clients"
	"guestpass/internal/connections"
	"guestpass/internal/idp"
	"guestpass/internal/limits"
	"guestpass/internal/metrics"
	"guestpass/internal/page"
	"guestpass/internal/site"
	"guestpass/internal/stytch"
	"guestpass/mcp"
	"guestpass/openapi"
	"guestpass/store"
)

// Options configure a [Server]. Nothing is read from the environment here.
type Options struct {
	PublicURL string // the origin under which the world sees the server, without trailing slash

	ProjectID, Secret, PublicToken string
	Vertical                       auth.Vertical
	Domain                         string // origin of the project's Stytch domain: issuer, JWKS, token endpoint
	// further ones of the same project: issuers too, and keys when the first has none
	OtherDomains []string
	BaseURL      string // another API base than Stytch's own; for the emulator

	// tasks, activity, answers to repetitions; closed by whoever opened it. nil: for the document only
	Store   *store.Store
	Limits  Limits   // the zero value: the defaults, counted in memory
	Modules []string // names of the Resources to serve, beside basic ones; nil: all, empty: none at all

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; none: the connection's own address counts

	Resources []api.Resource // what is served; whoever opens the Store gives it their tables, see api.Schemas

	NoMCP         bool     // do not serve the operations as MCP tools
	MCPOperations []string // ids of those that become tools; none: all that are published
	AppURL        string   // page of the application, which widgets open; "": our page /account
	// the token by which OpenAI's portal recognizes that the host is yours, see docs/from-gpt-to-plugin.md; "": none
	PluginChallenge string

	// what people are asked to allow beside what operations need: for handlers that Require protects, and for an
	// application whose proxy asks /verify
	Scopes []api.Scope

	Operations []string // ids to publish, in the order in which a GPT is told of them; none: all. All are served

	Access api.AccessMode
	// do not ask before what writes whether the person's roles still cover the scope
	ScopesAlone bool
	// clients admitted: ids of connected apps, hosts of clients whose id is the URL of their own document, and the word
	// dynamic for all that registered themselves; empty: every one of the project
	ClientIDs []string
	AddScopes AddScopes // whose requests ask for the operations' scopes as well
	// public connected app with which people try operations on /docs, admitted too; "": they cannot
	DocsClientID       string
	Audience           string            // custom audience that tokens must carry as well
	MaxTokenLifetime   time.Duration     // how long a token may live; 0: auth.DefaultLifetime
	TokensIssuedAfter  time.Time         // tokens issued before are refused; zero: none is
	TokenHeaderMembers []string          // header members of a token admitted besides alg, kid and typ
	LoginMethods       []string          // as GUESTPASS_LOGIN_METHODS in docs/settings.md; nil: a code by e-mail
	Login              Login             // the application's own login page, where people sign in instead
	RecentPeople       time.Duration     // how old may be what is shown of people, a minute at most; 0: it is asked for
	Introspect         bool              // ask Stytch before each write whether the token is still good
	ClientSecrets      map[string]string // of connected apps, by client id, to introspect with; public ones have none
	ForwardTokens      bool              // serve /oauth2/token; false with a Stytch custom domain under our own

	// Assets has the bundle that comes from npm and is not in the source: stytch-b2b.js or stytch-consumer.js, by the
	// vertical, as [WriteAssets] writes them. nil: the one that `make web` put into the source before it was built.
	Assets fs.FS

	Title       string // of the app, as the pages and the document name it
	Description string // of the document; "": made of what the operations do
	Brand       Brand  // how the pages look
	// Language is that of the pages for people, as a tag such as de, whoever reads them; "": each reader's own, of
	// those that there are. Words have texts of one's own in place of those of the pages, by language and key, see
	// docs/look.md: of a language that is built in some, of any other all.
	Language     string
	Words        map[string]map[string]string
	ContactEmail string // in the document; may be empty
	PrivacyURL   string // "": our own page
	Version      string
	Commit       string           // of which the program was built, for metrics; "": what the Go tool has recorded
	Log          *slog.Logger     // what is wrong with the Stytch project, refusals, faults of operations; nil: discard
	Now          func() time.Time // nil: time.Now; in development the emulator's clock

	// Metrics collects what docs/operating.md lists, until [Server.Close]; one server in each. nil: nothing is counted.
	Metrics prometheus.Registerer
	// TracerProvider keeps a trace of each request. For statements of Postgres give [store.Options] a tracer as well.
	// nil: no traces are kept.
	TracerProvider trace.TracerProvider

	// Local is for a server on a developer's machine: it answers only under names of this machine and of the public
	// URL, and to no page of another origin. A server whose PublicURL is on loopback is always local.
	Local bool

	// Shown on the landing page of a development server.
	Emulator, SecretHint string
}

// Limits bound what anybody may ask of the server; docs/security.md says how the defaults were chosen. 0 stands for the
// default: a server without limits is not possible.
type Limits struct {
	Address      int // requests a minute of one address that bring no valid token
	Member       int // calls a minute of one person through one connected app
	Organization int // calls a minute of all people of one organization
	Client       int // calls a minute through one connected app
	InFlight     int // operations carried out at once

	RedisURL string           // redis://, rediss:// or unix://, where several instances count together; "": in memory
	Now      func() time.Time // of what is counted in a minute; nil: time.Now
}

// AddScopes says whose authorization requests ask for the operations' scopes although they name none of them. Some
// clients ask for nothing, and nobody can grant what was not asked for.
type AddScopes string

// The values of AddScopes.
const (
	AddNone   AddScopes = ""    // nobody's; "off" says the same
	AddForMCP AddScopes = "mcp" // those of MCP clients, which use PKCE
	AddForAll AddScopes = "all"
)

// Login says where people sign in whose application has a login page already, and what they come back with, see
// docs/existing-login.md. The zero value: on the page of this server.
type Login struct {
	URL             string
	ReturnParameter string // with the address to come back to; "": return_to
	TokenProfile    string // they come back with a token for this trusted auth token profile; "": with a session
	CookieDomain    string // of the session's cookies; "": the host of PublicURL
}

// A Brand has the pages look as the app's own do, see docs/look.md. The zero value is Guestpass's.
type Brand struct {
	Color   string // #rrggbb, of buttons; for links the nearest one that is legible; "": green
	Logo    []byte // SVG, PNG, JPEG or WebP of 256 KiB at most; nil: a mark in the colour
	Support string // where people find help, for every page: https: or mailto:; "": nowhere
}

// A Server is the whole of Guestpass as an http.Handler. Call Run beside serving it.
type Server struct {
	options   Options
	limits    *limits.Limits
	log       *slog.Logger
	verifier  *auth.Verifier
	directory stytch.Directory
	members   *stytch.B2B // the directory, in B2B projects
	service   *api.Service
	document  *openapi.Document
	mcp       map[string]*mcp.Server // by path
	pages     *page.Pages
	provider  *idp.Provider
	site      *site.Site
	handler   http.Handler
	stopping  atomic.Bool   // Run's context has ended
	public    stytch.Public // reads issuer
	asking    singleflight.Group
	issuer    atomic.Pointer[authorizationServer] // as it was last read; nil: not yet
	// issuerTried is when somebody last asked for it, in nanoseconds since 1970.
	issuerTried atomic.Int64
	readiness   readiness
	diagnosis   atomic.Pointer[diagnosis] // what the checks last found; nil: not yet
	metrics     *metrics.Metrics          // nil: nobody asks
	tracer      trace.Tracer              // nil: no traces are kept

	connections *connections.Connections
	account     *account.Account

	accesses map[string][]auth.Access // by the name of their scope; see knownAccesses
	signer   *auth.Signer
}

// New assembles a server without touching the network. Its error lists what is
// wrong with the options or with the declared operations.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = slog.New(requestLog{o.Log.Handler()})
	if o.Now == nil {
		o.Now = time.Now
	}
	o.PublicURL, o.Domain = strings.TrimSuffix(o.PublicURL, "/"), strings.TrimSuffix(o.Domain, "/")
	o.OtherDomains = slices.Clone(o.OtherDomains)
	for i, domain := range o.OtherDomains {
		o.OtherDomains[i] = strings.TrimSuffix(domain, "/")
	}
	if o.PrivacyURL == "" {
		o.PrivacyURL = o.PublicURL + "/privacy"
	}
	if o.SecretHint == "" {
		o.SecretHint = "Shown once in the Stytch dashboard when the connected app is made; rotate it there if it is " +
			"lost."
	}
	if err := o.checkSecrets(); err != nil {
		return nil, err
	}
	if !slices.Contains([]AddScopes{AddNone, AddForMCP, AddForAll, "off"}, o.AddScopes) {
		return nil, fmt.Errorf("AddScopes is %q: say mcp, all or off", o.AddScopes)
	}
	if o.AppURL != "" {
		if err := CheckAppURL(o.AppURL); err != nil {
			return nil, fmt.Errorf("AppURL %w", err)
		}
	}
	counted, err := limits.New(limits.Options{Address: o.Limits.Address, Member: o.Limits.Member,
		Organization: o.Limits.Organization, Client: o.Limits.Client, InFlight: o.Limits.InFlight,
		RedisURL: o.Limits.RedisURL, Project: o.ProjectID, Log: o.Log, Now: o.Limits.Now})
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, limits: counted, log: o.Log, public: stytch.NewPublic(o.Now)}
	for _, build := range []func() error{s.buildMetrics, s.buildService, s.buildVerify, s.buildOperations,
		s.buildPages, s.buildProvider, s.buildSite, s.buildAccount, s.checkPublished, s.registerMetrics} {
		if err := build(); err != nil {
			return nil, errors.Join(err, counted.Close())
		}
	}
	s.handler = s.chain(s.router())
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Run refreshes the verification keys and what was revoked, removes from the store what has expired, and checks at once
// and every hour what keeps people from signing in, until ctx ends. From then on readyz answers 503. Its error says
// what makes it dangerous to go on.
func (s *Server) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { s.stopping.Store(true) })()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.verifier.Run(ctx) })
	group.Go(func() error { return watch(ctx, s.diagnose) })
	if s.options.Store != nil {
		group.Go(func() error { return s.options.Store.Run(ctx) })
		group.Go(func() error { return s.connections.Run(ctx) })
	}
	return group.Wait()
}

// Flush writes what Run would have written later, and logs how many revocations the database has not taken. It takes
// four seconds at most. Calls go on after Run has ended, so call it when none are served any more.
func (s *Server) Flush(ctx context.Context) {
	if s.options.Store == nil {
		return
	}
	s.connections.Finish(ctx)
}

// Close closes what the server has opened itself. Call it when nothing is served any more.
func (s *Server) Close() error {
	if s.metrics != nil {
		s.metrics.Unregister(s.options.Metrics)
	}
	return s.limits.Close()
}

// Operations returns the registered operations, in order.
func (s *Server) Operations() []api.Operation { return s.service.Operations() }

// Document returns the published document; nil for a server without operations.
func (s *Server) Document() *openapi.Document { return s.document }

// Tools returns the tools at /mcp as tools/list has them, a JSON object; nil for a server without tools.
func (s *Server) Tools() []byte {
	if s.mcp == nil {
		return nil
	}
	return s.mcp[mcpPath].Tools()
}

func (s *Server) buildService() error {
	o := s.options
	var err error
	domains := append([]string{o.Domain}, o.OtherDomains...)
	var keys []string
	for _, domain := range domains {
		keys = append(keys, domain+"/.well-known/jwks.json")
	}
	s.verifier, err = auth.NewVerifier(auth.Options{
		ProjectID: o.ProjectID, Vertical: o.Vertical,
		Issuers:  append(domains, "stytch.com/"+o.ProjectID),
		JWKSURLs: keys,
		Audience: o.Audience, Resources: o.resources(),
		ClientIDs: o.listed(), AdmitClient: s.admitClient(), HeaderMembers: o.TokenHeaderMembers,
		MaxLifetime: o.MaxTokenLifetime, IssuedAfter: o.TokensIssuedAfter, Log: o.Log, Now: o.Now,
	})
	if err != nil {
		return err
	}
	if err := s.openDirectory(); err != nil {
		return err
	}
	s.connections = connections.New(connections.Options{Store: o.Store, Directory: s.directory,
		Listed: o.admitted().Lists, MaxLifetime: o.MaxTokenLifetime, Limits: s.limits, Log: o.Log, Now: o.Now})
	s.service = api.New(api.Options{Connections: s.connections, Introspect: o.Introspect, Verifier: s.verifier,
		Vertical: o.Vertical, Directory: s.directory, AppNames: s.appNames, Access: o.Access,
		ScopesAlone: o.ScopesAlone, ResourceMetadata: o.PublicURL + metadataPath, CursorKey: o.key("list cursors"),
		Store: o.Store, Resources: o.Resources, Modules: o.Modules, Published: o.Operations, Limits: s.limits,
		Log: o.Log, Now: o.Now, Refused: s.refusalCounter()})
	if s.metrics != nil {
		for _, op := range s.service.Operations() {
			s.metrics.Declare(op.ID)
		}
	}
	return nil
}

// appNames returns the names under which people see apps.
func (s *Server) appNames(ctx context.Context, ids []string) map[string]string {
	names := map[string]string{}
	for id, app := range s.connections.Apps(ctx, ids) {
		names[id] = app.Label()
	}
	return names
}

// openDirectory makes the directory of the project's vertical. members stays nil in a
// Consumer project.
func (s *Server) openDirectory() (err error) {
	if s.options.BaseURL != "" && strings.HasPrefix(s.options.ProjectID, "project-live-") {
		return errors.New("a live project is asked at Stytch's own API alone: BaseURL is for the emulator")
	}
	o := stytch.Options{ProjectID: s.options.ProjectID, Secret: s.options.Secret, BaseURL: s.options.BaseURL,
		MaxCalls:          max(1, s.limits.InFlight()/2), // the others are for what does not need Stytch
		Limits:            s.limits,
		Recent:            s.options.RecentPeople,
		InviteRedirectURL: s.options.PublicURL + "/idp", ClientSecrets: s.options.ClientSecrets, Log: s.options.Log,
		Now: s.options.Now, Observe: s.observeStytch()}
	if s.options.Vertical == auth.Consumer {
		s.directory, err = stytch.NewConsumer(o)
		return err
	}
	s.members, err = stytch.NewB2B(o)
	s.directory = s.members
	return err
}

// buildOperations makes the document and the tools of the operations. It returns all faults together, so that they can
// be mended together.
func (s *Server) buildOperations() error {
	err := s.buildDocument()
	if err != nil {
		err = fmt.Errorf("the operations cannot be published:\n%w", err)
	}
	if err := errors.Join(err, s.buildMCP()); err != nil {
		return err
	}
	if s.document != nil {
		s.logWarnings()
	}
	return nil
}

func (s *Server) buildDocument() error {
	o := s.options
	if len(s.service.Operations())+len(o.Operations) == 0 {
		// The server signs people in and checks tokens, for the operations of another.
		return s.service.Err()
	}
	if o.Description == "" {
		o.Description = "Lets you act in " + o.Title + " for the signed-in person: " + s.summaries() + "."
	}
	document, err := openapi.New(s.service.OpenAPI(), openapi.Options{
		PublicURL: o.PublicURL, Title: o.Title, Version: o.Version, Description: o.Description,
		ContactEmail: o.ContactEmail, PrivacyURL: o.PrivacyURL,
		TokenURL: s.tokenURL(), Scopes: s.scopesOf(s.published()),
		Operations: slices.DeleteFunc(slices.Clone(s.publish()), s.isUndescribed),
	})
	s.document = document
	return errors.Join(s.service.Err(), err)
}

// logWarnings logs what could be better in the declarations. Properties of the whole document, such as the number of
// its operations, are a choice, which `guestpass lint` reports.
func (s *Server) logWarnings() {
	for _, w := range s.document.Warnings() {
		if w.Place != "document" {
			s.log.WarnContext(context.Background(), "an operation could be declared better", "rule", w.Rule, "place",
				w.Place,
				"problem", w.Problem, "remedy", w.Remedy)
		}
	}
}

// isUndescribed reports whether an operation exists and is too faulty to be described.
func (s *Server) isUndescribed(id string) bool { return slices.Contains(s.service.Undescribed(), id) }

// buildMCP makes the operations into tools: all of them at one path, those that change nothing at another.
func (s *Server) buildMCP() error {
	if s.options.NoMCP || s.document == nil {
		return nil
	}
	s.mcp = map[string]*mcp.Server{}
	for _, path := range []string{mcpPath, readonlyPath} { // the first one has every fault of the second
		reads := path == readonlyPath
		o := mcp.Options{Service: s.service, Document: s.document, URL: s.options.PublicURL + path,
			Title:   s.options.Title,
			Version: s.options.Version, Only: s.options.MCPOperations, Reads: reads, Link: s.widgetLink(),
			ResourceMetadata: s.options.PublicURL + metadataPath + path, Scopes: s.toolScopes(reads)}
		built, err := mcp.New(o)
		if err != nil {
			return fmt.Errorf("the operations cannot be MCP tools; GUESTPASS_MCP_OPERATIONS chooses among the "+
				"published ones:\n%w", err)
		}
		s.mcp[path] = built
	}
	return nil
}

// widgetLink is what widgets can have opened: the application, if we know where it is, or else the page on which people
// see what was done for them, and by whom.
func (s *Server) widgetLink() mcp.Link {
	if s.options.AppURL != "" {
		return mcp.Link{Label: "Open " + s.options.Title, URL: s.options.AppURL}
	}
	return mcp.Link{Label: "Connected apps", URL: s.options.PublicURL + "/account"}
}

// publish returns the chosen ids of the operations to publish, which may be misspelt.
func (s *Server) publish() []string {
	if len(s.options.Operations) > 0 {
		return s.options.Operations
	}
	var ids []string
	for _, op := range s.service.Operations() {
		ids = append(ids, op.ID)
	}
	return ids
}

// published returns the operations that the document has, in the order of their choice.
func (s *Server) published() (chosen []api.Operation) {
	for _, id := range s.publish() {
		for _, op := range s.service.Operations() {
			if op.ID == id {
				chosen = append(chosen, op)
			}
		}
	}
	return chosen
}

// summaries returns what can be done for a person who has signed in, in words.
func (s *Server) summaries() string {
	var summaries []string
	for _, op := range s.published() {
		if !op.Access.IsPublic() {
			summaries = append(summaries, lowerFirst(op.Summary))
		}
	}
	return strings.Join(summaries, "; ")
}

func lowerFirst(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	return strings.ToLower(text[:size]) + text[size:]
}

// tokenURL returns the token endpoint that ChatGPT is told to use.
func (s *Server) tokenURL() string {
	if s.options.ForwardTokens {
		return s.options.PublicURL + "/oauth2/token"
	}
	return s.options.Domain + "/v1/oauth2/token"
}

// buildPages prepares the layout of all pages.
func (s *Server) buildPages() (err error) {
	given := s.options.Brand
	brand := page.Brand{Title: s.options.Title, Color: given.Color, Support: given.Support}
	if given.Logo != nil {
		if brand.Logo, err = page.NewLogo(given.Logo); err != nil {
			return fmt.Errorf("the brand's logo %w", err)
		}
	}
	if s.pages, err = page.New(page.Options{Brand: brand, Documented: s.document != nil,
		Language: s.options.Language, Words: s.options.Words}); err != nil {
		return err
	}
	if light, dark := brand.Links(); light != dark || !strings.EqualFold(light, given.Color) {
		s.log.Info("the colour of links differs from the brand's, so that they can be read", "brand", given.Color,
			"light", light, "dark", dark)
	}
	return nil
}

func (s *Server) buildProvider() error {
	o := s.options
	options := idp.Options{
		Pages:     s.pages,
		PublicURL: o.PublicURL, ProjectID: o.ProjectID, PublicToken: o.PublicToken, Vertical: string(o.Vertical),
		SDKBaseURL: o.Domain,
		TokenURL:   o.Domain + "/v1/oauth2/token", Clients: o.admitted(), LoginMethods: o.LoginMethods,
		Login:          idp.Login(o.Login),
		LookUpClient:   s.lookUpClient,
		DescribeScopes: s.describeScopes, Effects: s.scopeEffects(), RoleEffect: s.roleEffect(),
		ScopesToAdd: s.scopesToAdd, AddScopes: idp.AddScopes(o.AddScopes),
		AdvertisedIssuer: s.advertised, Limits: s.limits, ClientSecrets: o.ClientSecrets,
		Assets:    o.Assets,
		CookieKey: o.key("authorization request cookie"), Log: o.Log, Now: o.Now,
	}
	if s.members != nil {
		options.LookUpOrganization, options.Invites = s.lookUpOrganization, slices.Contains(s.publish(), "inviteMember")
	}
	provider, err := idp.New(options)
	s.provider = provider
	return err
}

func (s *Server) lookUpOrganization(ctx context.Context, idOrSlug string) (idp.Organization, error) {
	o, err := s.members.Organization(ctx, idOrSlug)
	if errors.Is(err, directory.ErrNotFound) {
		return idp.Organization{}, idp.ErrUnknownOrganization
	}
	return idp.Organization(o), notLookedUp(err)
}

func (s *Server) buildSite() error {
	o := s.options
	options := site.Options{Pages: s.pages, Title: o.Title, PublicURL: o.PublicURL, GPT: s.shownGPT(),
		DocsClientID: o.DocsClientID, Emulator: o.Emulator}
	if s.document != nil {
		options.Document = s.document.JSON()
	}
	if s.mcp != nil {
		options.MCP = o.PublicURL + mcpPath
	}
	if strings.HasPrefix(o.PublicURL, "http://") {
		options.Notes = []string{"ChatGPT cannot reach this address: the GPT editor wants a public https one."}
	}
	for _, scope := range s.scopes() {
		options.Scopes = append(options.Scopes, site.Scope(scope))
	}
	options.Operations = s.described(s.service.Operations(), options.Scopes)
	options.Published = s.described(s.published(), options.Scopes)
	built, err := site.New(options)
	s.site = built
	return err
}

// described returns the operations as the pages show them, their scopes with the words that scopes have.
func (s *Server) described(operations []api.Operation, scopes []site.Scope) (shown []site.Operation) {
	words := map[string]string{}
	for _, scope := range scopes {
		words[scope.Name] = scope.Description
	}
	for _, op := range operations {
		one := site.Operation{ID: op.ID, Summary: op.Summary, Effect: op.Effect.String(), Method: op.Method,
			Path: op.Path, External: op.External}
		for _, name := range s.service.Scopes(op) {
			one.Scopes = append(one.Scopes, site.Scope{Name: name, Description: words[name]})
		}
		shown = append(shown, one)
	}
	return shown
}

// GPT returns what a builder pastes into the GPT editor; the zero value for a server without operations.
func (s *Server) GPT() openapi.GPT {
	if s.document == nil {
		return openapi.GPT{}
	}
	clientID := ""
	if listed := clients.Parse(s.options.ClientIDs).IDs; len(listed) == 1 {
		clientID = listed[0]
	}
	return s.document.GPT(clientID, s.options.SecretHint)
}

func (s *Server) shownGPT() site.GPT {
	gpt := s.GPT()
	shown := site.GPT{ImportURL: gpt.ImportURL, PrivacyURL: gpt.PrivacyURL, Instructions: gpt.Instructions,
		Starters: gpt.Starters, Domains: gpt.Domains, EgressURL: openapi.EgressURL}
	for _, field := range gpt.OAuth {
		shown.OAuth = append(shown.OAuth, site.Field(field))
	}
	return shown
}

// resources returns our own identifiers that a token may name as its audience.
func (o Options) resources() []string {
	return []string{o.PublicURL, o.PublicURL + mcpPath, o.PublicURL + readonlyPath}
}

// key derives a secret of our own from the project's, so that all instances agree
// on it without another setting (RFC 5869).
func (o Options) key(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, []byte(o.Secret), nil, "guestpass: "+purpose, 32)
	if err != nil {
		panic(err) // only for lengths beyond 255 hashes
	}
	return key
}
