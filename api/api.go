// Package api holds the operations that ChatGPT may call: each is declared once,
// with [Register], and everything else is derived from that declaration: the check
// of who may call it, its place in the published document, whether ChatGPT asks
// before calling, and the words on the privacy page.
//
// It serves problem details (RFC 9457) for everything that goes wrong. It knows
// neither tokens (package auth does) nor how the document is published (openapi).
package api

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"guestpass/auth"
	"guestpass/directory"
	"guestpass/internal/connections"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
	"guestpass/store"
)

// AccessMode says what an operation's [auth.Access] is measured against.
type AccessMode string

const (
	// ByScope: the token must carry the operation's scope.
	ByScope AccessMode = "scopes"
	// ByRole: the person's own Stytch roles must cover the operation's RBAC permission.
	// For projects without custom scopes, where a GPT asks for openid, profile and email only.
	ByRole AccessMode = "roles"
)

// Modules are the groups of Guestpass's own operations that can be left out.
var Modules = []string{"members", "tasks"}

// A Resource is a group of operations of your own, with the tables they need.
type Resource struct {
	Name       string         // lower-case letters, digits and _; its name in GUESTPASS_MODULES
	Migrations fs.FS          // goose SQL files, see store.Schema; nil for none
	Register   func(*Service) // calls [Register] for each operation
}

// Options configure a [Service]. The zero value makes one without any of
// Guestpass's own operations that need Stytch, which serves public operations only.
type Options struct {
	Verifier  *auth.Verifier      // nil: every operation that is not public answers 401
	Directory directory.Directory // nil: no getUserInfo, no member operations
	// the same directory in a B2B project; nil: Consumer, so no member operations
	Members   *stytch.B2B
	Store     *store.Store // nil: operations that write or need stored data answer 503
	Resources []Resource   // your own
	Modules   []string     // which of Modules, and of the resources' names, to serve; nil: all
	// ids that getNextSteps tells of, since a GPT can call no others; nil: all
	Published []string
	Now       func() time.Time // nil: time.Now
	Access    AccessMode       // "" : ByScope
	// do not ask before what writes whether the person's roles still cover the scope
	ScopesAlone      bool
	Connections      *connections.Connections // what was revoked; nil: nothing
	Introspect       bool                     // ask Stytch whether the token is still good before what writes
	ResourceMetadata string                   // URL of the RFC 9728 document, named in WWW-Authenticate
	CursorKey        []byte                   // signs list cursors; the same on every instance. nil: random
	Limits           *limits.Limits           // nil: none
	Log              *slog.Logger             // nil: discard
}

// A Service is the set of registered operations and an http.Handler that serves
// them. Register everything before the first request; after that it is safe for
// concurrent use.
type Service struct {
	options    Options
	log        *slog.Logger
	router     chi.Router
	huma       huma.API
	cursors    cursorSigner
	operations []Operation
	described  map[string]*huma.Operation // by id
	undoing    []undoing
	existing   []existing
	faults     []error

	undescribed []string // ids of faulty operations that the document lacks

	introspections *limits.Cache[bool] // by digest of the token: whether it is active
}

// New returns a Service with Guestpass's own operations, as far as the options allow.
func New(o Options) *Service {
	if o.Access == "" {
		o.Access = ByScope
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	configureHuma()
	router := chi.NewMux()
	router.NotFound(NotFound)
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) { MethodNotAllowed(router, w, r) })
	s := &Service{options: o, log: o.Log, router: router, cursors: newCursorSigner(o.CursorKey),
		described: map[string]*huma.Operation{}, introspections: newIntrospections(o.Limits)}
	s.huma = humachi.New(router, humaConfig())
	s.huma.UseMiddleware(s.logProblems, s.authorize, s.noteHeaders, s.checkMedia, s.keepBody, s.readParameters)
	s.registerNextSteps()
	if o.Directory != nil {
		s.registerUserInfo()
		if o.Members != nil && s.has("members") {
			s.registerMembers()
		}
		if s.has("tasks") {
			s.registerTasks()
			s.registerComments()
		}
	}
	s.registerResources()
	if o.Directory != nil {
		s.registerActivity()
	}
	return s
}

func (s *Service) has(module string) bool {
	return s.options.Modules == nil || slices.Contains(s.options.Modules, module)
}

// Store is where resources keep their data; nil in a program that only prints the document.
func (s *Service) Store() *store.Store { return s.options.Store }

// Operations returns the declarations in the order of their registration. With an Err, they are made
// good where that is needed to describe them.
func (s *Service) Operations() []Operation { return s.operations }

// Undescribed are the ids of faulty operations that OpenAPI cannot tell of.
func (s *Service) Undescribed() []string { return s.undescribed }

// OpenAPI returns the operations as Huma describes them, to be published by package
// openapi. The caller must not change it.
func (s *Service) OpenAPI() *huma.OpenAPI { return s.huma.OpenAPI() }

// Routes are what the service really answers, to be compared with what was declared.
func (s *Service) Routes() chi.Routes { return s.router }

// Err returns every fault of the declarations, or nil. A program must not serve a
// Service whose Err is not nil.
func (s *Service) Err() error { return errors.Join(s.faults...) }

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// configureHuma sets what Huma keeps process-wide; see problem.go for the errors.
var configureHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true // else {"name":…,"NAME":…} is validated as one and decoded as the other
	huma.DefaultArrayNullable = false
	huma.NewErrorWithContext = newProblem
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newProblem(nil, status, message, errs...)
	}
})

func humaConfig() huma.Config {
	c := huma.DefaultConfig("Guestpass", "1")
	c.CreateHooks = nil // no $schema members: they would become arguments of a model
	c.SchemasPath, c.OpenAPIPath, c.DocsPath = "", "", ""
	strict := huma.Format{Marshal: marshalClean, Unmarshal: unmarshalStrict}
	c.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	c.RejectUnknownQueryParameters = true
	c.AllowAdditionalPropertiesByDefault = false
	c.FieldsOptionalByDefault = false
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	return c
}
