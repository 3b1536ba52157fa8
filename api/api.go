// Package api holds the operations that ChatGPT may call: each is declared once,
// with [Register], and everything else is derived from that declaration: the check
// of who may call it, its place in the published document, whether ChatGPT asks
// before calling, and the words on the privacy page.
//
// It serves problem details (RFC 9457) for everything that goes wrong. It knows
// neither tokens (package auth does) nor how the document is published (openapi).
package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"guestpass/auth"
	"guestpass/directory"
	"guestpass/internal/limits"
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

// A Resource is a group of operations, with the tables, scopes and quotas that they need.
type Resource struct {
	// Name is lower-case letters, digits and _: the resource's in Options.Modules, and of its tables' versions.
	Name string

	// Basic is for operations that are served with any others.
	Basic bool

	// Schema is the resource's tables; without Files it has none. Its Name is the resource's if it is left out.
	Schema store.Schema

	// Register calls [Register] for each operation.
	Register func(*Service)

	// RegisterLast does so when all resources have registered: for operations that are about the others. nil: none.
	RegisterLast func(*Service)

	// Scopes say in words what each scope allows, on the consent page, in the document and in the metadata. One that
	// is not here is described by the summaries of its operations. What the Stytch project says of a scope counts more.
	Scopes []Scope

	// Quotas bound how many things of each kind one owner may have.
	Quotas []Quota

	// Overseen has the administrators of an organization see, on the page /account, what its operations changed in the
	// name of other members, with what is on record of it. Without it they see that an app was used there and when, and
	// nothing of what it did.
	Overseen bool
}

// A Quota bounds the things of one kind that a resource counts with [store.Tx.Use].
type Quota struct {
	Kind    string // a plural, such as "tasks": part of sentences and of the name of a setting
	Default int64
	Room    string // how a caller makes room, as a sentence without its end
}

// Setting returns the environment variable that sets the quota.
func (q Quota) Setting() string { return "GUESTPASS_QUOTA_" + strings.ToUpper(q.Kind) }

// Schemas returns the tables of resources, with their quotas, to open a [store.Store] with.
func Schemas(resources []Resource) (schemas []store.Schema) {
	for _, r := range resources {
		schema := r.Schema
		schema.Name, schema.Quotas = cmp.Or(schema.Name, r.Name), map[string]int64{}
		for _, q := range r.Quotas {
			schema.Quotas[q.Kind] = q.Default
		}
		if schema.Files != nil {
			schemas = append(schemas, schema)
		}
	}
	return schemas
}

// Limits bound what one caller may do in a minute, and what is done at once.
type Limits interface {
	// Admit counts a call of a person of an organization through an app, or refuses it.
	Admit(clientID, person, organization string) error
	// Enter waits for a place in which an operation is carried out, as long as the context allows. Call leave when it
	// is done.
	Enter(ctx context.Context) (leave func(), err error)
}

// Connections know what was revoked.
type Connections interface {
	// Check returns an error that wraps [auth.ErrInvalidToken] for a token that was revoked here. Strictly, it also
	// returns one if that is not known at the moment.
	Check(ctx context.Context, identity auth.Identity, strictly bool) error
	// Note keeps that the app was used.
	Note(identity auth.Identity)
}

// Options configure a [Service]. The zero value makes one without any operation.
type Options struct {
	Verifier  *auth.Verifier      // nil: every operation that is not public answers 401
	Vertical  auth.Vertical       // of the project; "": B2B
	Directory directory.Directory // people; a [directory.Members] in a B2B project. nil: nobody is known
	Store     *store.Store        // nil: operations that write or need stored data answer 503
	Resources []Resource          // in the order in which their operations are told of
	Modules   []string            // names of the resources to serve, beside basic ones; nil: all, empty: none at all
	// ids of the operations that are told of, since a GPT can call no others; nil: all
	Published []string
	Now       func() time.Time // nil: time.Now
	Access    AccessMode       // "" : ByScope
	// do not ask before what writes whether the person's roles still cover the scope
	ScopesAlone bool
	Connections Connections // nil: nothing was revoked
	// names of apps, as people are shown them; nil: not known
	AppNames         func(ctx context.Context, ids []string) map[string]string
	Introspect       bool         // ask Stytch whether the token is still good before what writes
	ResourceMetadata string       // URL of the RFC 9728 document, named in WWW-Authenticate
	CursorKey        []byte       // signs list cursors; the same on every instance. nil: random
	Limits           Limits       // nil: none
	Log              *slog.Logger // nil: discard
	// Refused is told why each call was refused, in one of a few dozen words; nil: nobody is
	Refused func(reason string)
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
	schemas    *schemas
	checks     checks
	described  map[string]*huma.Operation // by id
	undoing    []undoing
	existing   []existing
	faults     []error

	undescribed []string // ids of faulty operations that the document lacks
	overseen    []string // ids of operations whose changes administrators see

	introspections *limits.Cache[bool] // by digest of the token: whether it is active
	outages        outages
}

// New returns a Service with the operations of the resources.
func New(o Options) *Service {
	o.Access, o.Vertical = cmp.Or(o.Access, ByScope), cmp.Or(o.Vertical, auth.B2B)
	if o.Limits == nil {
		o.Limits = (*limits.Limits)(nil)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	listed, _ := o.Limits.(*limits.Limits) // on whose list is what is bounded here; another's has none
	router := chi.NewMux()
	router.NotFound(NotFound)
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) { MethodNotAllowed(router, w, r) })
	s := &Service{options: o, log: o.Log, router: router, cursors: newCursorSigner(o.CursorKey),
		described: map[string]*huma.Operation{}, schemas: newSchemas(), checks: checks{},
		introspections: newIntrospections(listed)}
	s.huma = humachi.New(router, s.humaConfig())
	s.huma.UseMiddleware(s.authorize, s.noteHeaders, s.checkMedia, s.readInput)
	if o.Access != ByScope && o.Access != ByRole {
		s.faults = append(s.faults, fmt.Errorf("the mode of access is %q: say scopes or roles", o.Access))
	}
	s.registerResources()
	return s
}

// Resources are those that are served.
func (s *Service) Resources() []Resource {
	return Chosen(s.options.Resources, s.options.Modules)
}

// Chosen returns the resources that are served where these modules are named, as Options.Modules says.
func Chosen(resources []Resource, modules []string) []Resource {
	return slices.DeleteFunc(slices.Clone(resources), func(r Resource) bool {
		return modules != nil && (len(modules) == 0 || !r.Basic && !slices.Contains(modules, r.Name))
	})
}

// Store is where resources keep their data; nil in a program that only prints the document.
func (s *Service) Store() *store.Store { return s.options.Store }

// Now returns the time, as the service's clock has it.
func (s *Service) Now() time.Time { return s.options.Now() }

// Vertical returns the kind of the Stytch project.
func (s *Service) Vertical() auth.Vertical { return s.options.Vertical }

// Directory knows people; nil if nobody does.
func (s *Service) Directory() directory.Directory { return s.options.Directory }

// Members knows the members of organizations; false in a Consumer project, which has none.
func (s *Service) Members() (directory.Members, bool) {
	members, ok := s.options.Directory.(directory.Members)
	return members, ok && s.options.Vertical == auth.B2B
}

// AppNames returns the names under which people see apps, by client id, without those that nobody knows.
func (s *Service) AppNames(ctx context.Context, ids []string) map[string]string {
	if s.options.AppNames == nil {
		return nil
	}
	return s.options.AppNames(ctx, ids)
}

// Published returns the operations that callers learn of, in the order of their registration.
func (s *Service) Published() []Operation {
	chosen := s.options.Published
	return slices.DeleteFunc(slices.Clone(s.operations), func(op Operation) bool {
		return chosen != nil && !slices.Contains(chosen, op.ID)
	})
}

// Operations returns the declarations in the order of their registration. With an Err, they are made
// good where that is needed to describe them.
func (s *Service) Operations() []Operation { return s.operations }

// Overseen returns the ids of the operations that change something of a resource which says so, see
// [Resource.Overseen].
func (s *Service) Overseen() []string { return s.overseen }

// Undescribed returns the ids of faulty operations that OpenAPI lacks.
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

// humaConfig uses nothing of what Huma keeps for the whole program, and nothing here sets it: the program around may
// have operations of its own.
func (s *Service) humaConfig() huma.Config {
	whole := huma.Format{Marshal: marshalClean, Unmarshal: json.Unmarshal} // of what readInput has checked
	return huma.Config{
		OpenAPI: &huma.OpenAPI{OpenAPI: "3.1.0", Info: &huma.Info{Title: "Guestpass", Version: "1"},
			Components: &huma.Components{Schemas: s.schemas}},
		Formats:       map[string]huma.Format{"application/json": whole, "json": whole},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.ownErrors},
	}
}
