package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"guestpass/auth"
	"guestpass/internal/pattern"
)

// operationID matches what an ID may be. Huma would replace a blank by another character, and the document would then
// name an operation that nobody has declared.
var operationID = pattern.New(`^[a-zA-Z][a-zA-Z0-9_]{0,63}$`)

// check finds what is wrong with the declaration itself; package openapi finds what the GPT editor would refuse.
func (s *Service) check(op Operation) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch {
	case op.ID == "":
		fault("has no ID: give it a camelCase name that begins with a verb")
	case !operationID.MatchString(op.ID):
		fault("its ID %q is not a letter and up to 63 letters, digits and underscores: write it in camelCase, "+
			"such as listMembers", op.ID)
	}
	switch {
	case op.Method == "":
		fault("has no Method: say http.MethodGet, http.MethodPost or another")
	case !slices.Contains(methods, op.Method):
		fault("its Method %q cannot be served: say one of %s", op.Method, strings.Join(methods, ", "))
	}
	if strings.TrimSpace(op.Summary) == "" {
		fault("has no Summary: say in a few words what it does; the model and the consent page show them")
	}
	if strings.TrimSpace(op.Description) == "" {
		fault("has no Description: say what it does and returns; the model chooses by it")
	}
	if op.Access.IsZero() && op.undoes == nil {
		fault("has no Access and would admit nobody: say auth.Scope(…), or auth.Public to admit everybody")
	}
	return slices.Concat(faults, checkEffect(op), checkDone(op), checkPath(op), s.checkTaken(op), s.checkWidget(op))
}

// methods are the methods that an operation can have.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// checkEffect finds what contradicts the effect of an operation.
func checkEffect(op Operation) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	changes := slices.Contains([]string{http.MethodPut, http.MethodPatch, http.MethodDelete}, op.Method)
	switch {
	case op.Effect == 0:
		fault("has no Effect: say api.Read, api.Write or api.Destroy")
	case op.Effect == Read && changes:
		fault("its Effect is api.Read, and %s means that something changes: say api.Write or api.Destroy, else nobody "+
			"is asked before", op.Method)
	case op.Effect != Read && op.Method == http.MethodGet:
		fault("it changes something, and whatever prefetches may call a GET: say http.MethodPost or another")
	}
	switch {
	case op.Effect == Read && op.External:
		fault("it is External and only reads: leave External out, or say Effect: api.Write")
	case op.Effect == Read && op.Status == http.StatusCreated:
		fault("its Status is 201, and it only reads: leave Status out, or say Effect: api.Write")
	case op.Status != 0 && (op.Status < 200 || op.Status > 299):
		fault("its Status is %d, and it is that of success: leave it out, or say http.StatusCreated or another 2xx; "+
			"failures are errors that the handler returns", op.Status)
	}
	return faults
}

// root is the path below which the server has its operations.
const root = "/api/"

// checkPath finds a path where nothing is served.
func checkPath(op Operation) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch {
	case strings.HasPrefix(op.Path, root):
	case strings.HasPrefix("/"+op.Path, root):
		fault("its path must begin with a slash")
	default:
		fault("its path is outside of %s, where alone operations are served: write %s%s", root, root,
			strings.TrimLeft(op.Path, "/"))
	}
	if strings.ContainsAny(op.Path, "?#* ") {
		fault("its path has one of ? # * and blank: declare what varies as fields tagged path or query")
	}
	if unpaired(op.Path) {
		fault("its path has braces that do not pair: write {name} for what varies")
	}
	return faults
}

func unpaired(path string) bool {
	return strings.ContainsAny(pathParameter.ReplaceAllString(path, ""), "{}")
}

var pathParameter = pattern.New(`\{[^}]*\}`)

// checkTaken finds an ID or path that another operation has already.
func (s *Service) checkTaken(op Operation) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, other := range s.operations {
		if strings.EqualFold(other.ID, op.ID) {
			fault("its ID is taken by %s %s", other.Method, other.Path)
		}
		switch {
		case other.Path == op.Path:
			if other.Method == op.Method {
				fault("its method and path are taken by %s", other.ID)
			}
		case pathParameter.ReplaceAllString(other.Path, "{}") == pathParameter.ReplaceAllString(op.Path, "{}"):
			fault("its path differs from that of %s, %s, in the names of parameters only: use the same names",
				other.ID, other.Path)
		}
	}
	return faults
}

// keepFaults keeps the faults of a declaration for [Service.Err].
func (s *Service) keepFaults(op Operation, faults ...error) {
	for _, fault := range faults {
		s.faults = append(s.faults, fmt.Errorf("%s %s (%s): %w", op.Method, op.Path, op.ID, fault))
	}
}

// checkPrefix keeps the faults of a call of Undoable or Existing for targets whose identifiers begin with prefix.
func (s *Service) checkPrefix(function, prefix string, given bool, others []string) {
	fault := func(format string, args ...any) {
		s.faults = append(s.faults, fmt.Errorf("%s(%q): %w", function, prefix, fmt.Errorf(format, args...)))
	}
	if !given {
		fault("has no function: give it one")
	}
	if prefix == "" {
		fault("has no prefix, and would stand for every target: say that of your identifiers, such as bmk_")
	}
	for _, other := range others {
		if prefix != "" && other != "" && (strings.HasPrefix(prefix, other) || strings.HasPrefix(other, prefix)) {
			fault("overlaps with that of %q, so that a target could be of both kinds: let none begin with another",
				other)
		}
	}
}

// resourceName matches what the name of a resource may be.
var resourceName = pattern.New(`^[a-z][a-z0-9_]*$`)

// registerResources has each resource register its operations.
func (s *Service) registerResources() {
	var names []string
	for _, resource := range s.options.Resources {
		fault := func(format string, args ...any) {
			s.faults = append(s.faults, fmt.Errorf("resource %q: %w", resource.Name, fmt.Errorf(format, args...)))
		}
		if !resourceName.MatchString(resource.Name) {
			fault("its Name is not a lower-case letter followed by letters, digits and _: write it so, as in bookmarks")
		}
		if slices.Contains(names, resource.Name) {
			fault("its Name is taken by another, and GUESTPASS_MODULES could not tell them apart: choose another")
		}
		names = append(names, resource.Name)
		if resource.Register == nil && resource.RegisterLast == nil {
			fault("has no Register: give it a function that calls api.Register for each operation")
		}
		for _, q := range resource.Quotas {
			switch {
			case !resourceName.MatchString(q.Kind):
				fault("its quota of %q: Kind must be lower-case letters, digits and _, in the plural, such as "+
					"bookmarks", q.Kind)
			case q.Default < 1:
				fault("its quota of %s is %d: Default must be at least 1", q.Kind, q.Default)
			case strings.TrimSpace(q.Room) == "":
				fault("its quota of %s does not say how a caller makes room: give it Room, a sentence without its "+
					"end", q.Kind)
			}
		}
		if s := resource.Schema; s.Files == nil && (s.Purge != nil || s.Migrated != nil || s.Postgres != nil) {
			fault("its Schema has functions and no Files: give it the migrations of its tables, or leave it out")
		}
		for _, scope := range resource.Scopes {
			if err := scope.CheckForm(); err != nil {
				fault("its scope %q %w", scope.Name, err)
			}
		}
	}
	for _, name := range s.options.Modules {
		if !slices.Contains(names, name) {
			s.faults = append(s.faults, fmt.Errorf("%q of Modules is no resource: there are %s", name,
				strings.Join(names, ", ")))
		}
	}
	served := s.Resources()
	for _, resource := range served {
		s.registerResource(resource, resource.Register)
	}
	for _, resource := range served {
		s.registerResource(resource, resource.RegisterLast)
	}
}

// registerResource calls a function of a resource, if it has it, and notes whose operations it registers.
func (s *Service) registerResource(resource Resource, register func(*Service)) {
	if register == nil {
		return
	}
	first := len(s.operations)
	register(s)
	for _, op := range s.operations[first:] {
		if resource.Overseen && op.Effect != Read {
			s.overseen = append(s.overseen, op.ID)
		}
	}
}

// describeFaulty describes an operation that has faults and will not be served, so that package openapi finds what else
// is wrong with it. It makes up what is missing.
func describeFaulty[In, Out any](s *Service, declared Operation) {
	op := declared
	if !strings.HasPrefix(op.Path, "/") {
		op.Path = "/" + op.Path
	}
	if op.Effect == 0 {
		op.Effect = Write
	}
	if op.Access.IsZero() {
		op.Access = auth.Public
	}
	taken := func(o Operation) bool { return o.Method == op.Method && o.Path == op.Path }
	if !slices.Contains(methods, op.Method) || unpaired(op.Path) || slices.ContainsFunc(s.operations, taken) {
		s.undescribed = append(s.undescribed, declared.ID)
		return
	}
	if !operationID.MatchString(op.ID) ||
		slices.ContainsFunc(s.operations, func(o Operation) bool { return strings.EqualFold(o.ID, op.ID) }) {
		op.ID = fmt.Sprintf("faulty%d", len(s.operations))
	}
	defer func() {
		if cause := recover(); cause != nil {
			s.undescribed = append(s.undescribed, declared.ID)
			s.keepFaults(declared, fmt.Errorf("%v", cause))
		}
	}()
	huma.Register(unserved{s.huma}, s.describe(op), func(context.Context, *In) (*Out, error) {
		return nil, errors.New("the declaration is faulty")
	})
	s.operations = append(s.operations, op)
	s.keepFaults(declared, s.applyDocs(op, reflect.TypeFor[In]())...)
}

// unserved is Huma's document without its routes.
type unserved struct{ huma.API }

func (unserved) Adapter() huma.Adapter { return humachi.NewAdapter(chi.NewMux()) }

// checkDeclaration returns everything that is wrong with an operation before Huma looks at it, and whether Huma can
// describe it.
func checkDeclaration[In, Out any](s *Service, op Operation, handler func(context.Context, *In) (*Out, error)) (
	faults []error, describable bool) {
	faults = s.check(op)
	if handler == nil {
		faults = append(faults, errors.New("has no handler: give Register a function"))
	}
	in, out := reflect.TypeFor[In](), reflect.TypeFor[Out]()
	fields, describable := checkFields(op, in, out)
	faults = append(faults, checkDocs(op, in)...)
	if in.Kind() == reflect.Struct && out.Kind() == reflect.Struct {
		if err := checkCreation[In, Out](op); err != nil {
			faults = append(faults, err)
		}
	}
	return append(faults, fields...), describable
}
