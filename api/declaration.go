package api

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"guestpass/auth"
)

// operationID is what an ID may be. Huma would write another character for a blank, and the
// document would then speak of an operation that nobody has declared.
var operationID = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]{0,63}$`)

// check finds what is wrong with the declaration itself; what the GPT editor would
// refuse is found by package openapi.
func (s *Service) check(op Operation) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch {
	case op.ID == "":
		fault("has no ID: give it a camelCase name that begins with a verb")
	case !operationID.MatchString(op.ID):
		fault("its ID %q is not a letter and up to 63 letters, digits and underscores: write it in camelCase, "+
			"such as listMembers", op.ID)
	}
	if op.Method == "" {
		fault("has no Method: say http.MethodGet, http.MethodPost or another")
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
	if op.Effect == 0 {
		fault("has no Effect: say api.Read, api.Write or api.Destroy")
	}
	if !strings.HasPrefix(op.Path, "/") {
		fault("its path must begin with a slash")
	}
	for _, other := range s.operations {
		if strings.EqualFold(other.ID, op.ID) {
			fault("its ID is taken by %s %s", other.Method, other.Path)
		}
		if other.Method == op.Method && other.Path == op.Path {
			fault("its method and path are taken by %s", other.ID)
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

// describeFaulty describes an operation that has faults and will not be served, so that package
// openapi finds what else is wrong with it. What is missing is made up.
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
	if slices.ContainsFunc(s.operations, func(o Operation) bool { return o.Method == op.Method && o.Path == op.Path }) {
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
			if declared.Method != "" { // else it has been told
				s.keepFaults(declared, fmt.Errorf("%v", cause))
			}
		}
	}()
	huma.Register(unserved{s.huma}, s.describe(op), func(context.Context, *In) (*Out, error) {
		return nil, errors.New("the declaration is faulty")
	})
	s.operations = append(s.operations, op)
}

// unserved is Huma's document without its routes.
type unserved struct{ huma.API }

func (unserved) Adapter() huma.Adapter { return humachi.NewAdapter(chi.NewMux()) }

// checkFields finds the tags on which Huma panics, each with the name of its field. Huma stops at
// the first, and does not always say where it is.
func checkFields(in, out reflect.Type) []error {
	c := fieldChecker{seen: map[reflect.Type]bool{}}
	c.message(in, "body")
	c.message(out, "response")
	return c.faults
}

type fieldChecker struct {
	seen   map[reflect.Type]bool // true once it is known to have no fault
	faults []error
}

// message checks an input or output: its parameters and its body.
func (c *fieldChecker) message(t reflect.Type, body string) {
	if t.Kind() != reflect.Struct {
		return
	}
	for _, field := range reflect.VisibleFields(t) {
		place := "field " + field.Name
		for _, in := range []string{"path", "query", "header", "cookie"} {
			if name, given := field.Tag.Lookup(in); given {
				name, _, _ = strings.Cut(name, ",")
				place = in + " parameter " + name
			}
		}
		if field.Name == "Body" {
			place = body
		}
		if field.IsExported() && !field.Anonymous {
			c.field(field, place)
		}
	}
}

// field reports whether the field, and what is inside of it, can be described.
func (c *fieldChecker) field(field reflect.StructField, place string) (ok bool) {
	if !c.inside(field.Type, place) {
		return false
	}
	defer func() {
		if cause := recover(); cause != nil {
			c.faults = append(c.faults, fmt.Errorf("%s: %s", place, fieldFault(field, cause)))
			ok = false
		}
	}()
	if value, given := field.Tag.Lookup("required"); given && value != "true" && value != "false" {
		c.faults = append(c.faults, fmt.Errorf("%s: the tag required:%q must be true or false", place, value))
		return false
	}
	if field.Type.Kind() != reflect.Func { // a body that is streamed
		huma.SchemaFromField(huma.NewMapRegistry("#/components/schemas/", schemaName), field, field.Name+"Struct")
	}
	return true
}

// fieldFault is what Huma says of a field, without what the place says already.
func fieldFault(field reflect.StructField, cause any) string {
	if wrong, ok := cause.(string); ok {
		if broken := field.Tag.Get("pattern"); strings.HasPrefix(wrong, "regexp: Compile") {
			_, err := syntax.Parse(broken, syntax.Perl)
			why := strings.TrimPrefix(fmt.Sprint(err), "error parsing regexp: ")
			return fmt.Sprintf("the tag pattern:%q is no regular expression: %s", broken, why)
		}
	}
	return strings.ReplaceAll(fmt.Sprint(cause), " for field '"+field.Name+"'", "")
}

// inside checks the fields of a struct, or of the structs in a list or map. A type is told once.
func (c *fieldChecker) inside(t reflect.Type, place string) bool {
	for {
		switch t.Kind() {
		case reflect.Slice, reflect.Array:
			place += "[]"
		case reflect.Pointer:
		case reflect.Map:
			place += ".*"
		case reflect.Struct:
			return c.structure(t, place)
		default:
			return true
		}
		t = t.Elem()
	}
}

func (c *fieldChecker) structure(t reflect.Type, place string) bool {
	if fine, known := c.seen[t]; known {
		return fine
	}
	pointer := reflect.PointerTo(t)
	if t == reflect.TypeFor[url.URL]() || pointer.Implements(reflect.TypeFor[huma.SchemaProvider]()) ||
		pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return true
	}
	c.seen[t] = true // while it is looked into: it may contain itself
	fine := true
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		if field.IsExported() && !field.Anonymous && name != "-" {
			fine = c.field(field, propertyPlace(place, name)) && fine
		}
	}
	c.seen[t] = fine
	return fine
}

// propertyPlace is "body property address.lines" for lines in "body property address".
func propertyPlace(place, name string) string {
	if strings.Contains(place, " ") {
		return place + "." + name
	}
	return place + " property " + name
}

// checkDeclaration is everything that is wrong with an operation before Huma looks at it.
func checkDeclaration[In, Out any](s *Service, op Operation) (faults []error, describable bool) {
	faults = s.check(op)
	fields := checkFields(reflect.TypeFor[In](), reflect.TypeFor[Out]())
	for _, err := range []error{checkCreation[In, Out](op), checkParameterTypes(reflect.TypeFor[In]())} {
		if err != nil {
			faults = append(faults, err)
		}
	}
	return append(faults, fields...), len(fields) == 0
}
