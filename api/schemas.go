package api

import (
	"cmp"
	"encoding"
	"encoding/json"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// schemas are those of a service's types. Huma's own registry would describe them by what is set for the whole
// program: whether a list may be null (huma.DefaultArrayNullable), and of which type errors are (huma.NewError).
type schemas struct {
	byName map[string]*huma.Schema
	types  map[string]reflect.Type // by name
	names  map[reflect.Type]string
	others map[reflect.Type]reflect.Type // those that are described in place of a type
	depth  int                           // how many types are being described
}

const schemaPrefix = "#/components/schemas/"

func newSchemas() *schemas {
	return &schemas{map[string]*huma.Schema{}, map[string]reflect.Type{}, map[reflect.Type]string{},
		map[reflect.Type]reflect.Type{}, 0}
}

// Schema describes a type: a struct by a reference, if that is allowed. The hint is for the name of a type without one.
func (r *schemas) Schema(t reflect.Type, allowRef bool, hint string) *huma.Schema {
	plain := pointed(t)
	if r.isError(plain, hint) {
		t, plain = reflect.TypeFor[Problem](), reflect.TypeFor[Problem]()
	}
	if other, ok := r.others[plain]; ok {
		return r.Schema(other, allowRef, hint)
	}
	switch {
	case plain.Kind() == reflect.Slice, plain.Kind() == reflect.Array:
		return r.describe(plain) // a pointer to a list is as good as the list
	case !hasName(plain):
		return r.describe(t)
	}
	name, known := r.names[plain]
	if !known {
		name = r.define(plain, hint)
	}
	if allowRef {
		return &huma.Schema{Ref: schemaPrefix + name}
	}
	return r.byName[name]
}

func pointed(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// isError reports whether Huma asks for the type of its errors, as it does with each operation. It is that of the
// program around, and no operation of ours answers with it.
func (r *schemas) isError(t reflect.Type, hint string) bool {
	return r.depth == 0 && hint == cmp.Or(t.Name(), "Error") && t == pointed(reflect.TypeOf(huma.NewError(0, "")))
}

// hasName reports whether a type is described once and referred to.
func hasName(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && !describesItself(t) &&
		!reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func describesItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[huma.SchemaProvider]())
}

// define describes a struct under a name, which it has before: it may contain itself.
func (r *schemas) define(t reflect.Type, hint string) (name string) {
	name = r.nameOf(t, hint)
	r.names[t], r.types[name], r.byName[name] = name, t, &huma.Schema{}
	defined := false
	defer func() {
		if !defined { // Huma panics on types that it cannot describe
			delete(r.names, t)
			delete(r.types, name)
			delete(r.byName, name)
		}
	}()
	r.byName[name] = r.describe(t)
	defined = true
	return name
}

// nameOf keeps apart types of the same name: the second one has the name of its package in front, all others a number
// at the end.
func (r *schemas) nameOf(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if _, taken := r.types[name]; taken && t.Name() != "" {
		last := path.Base(t.PkgPath())
		name = strings.ToUpper(last[:1]) + last[1:] + name
	}
	first := name
	for i := 1; r.types[name] != nil; i++ {
		name = first + strconv.Itoa(i)
	}
	return name
}

// describe says what Huma does of a type, but for lists: one may be null if its field is tagged so, or its type
// describes itself.
func (r *schemas) describe(t reflect.Type) *huma.Schema {
	r.depth++
	defer func() { r.depth-- }()
	schema := huma.SchemaFromType(r, t)
	if schema != nil && schema.Type == huma.TypeArray && !describesItself(t) {
		schema.Nullable = false
	}
	return schema
}

// SchemaFromRef, TypeFromRef, Map and RegisterTypeAlias are for [huma.Registry].
func (r *schemas) SchemaFromRef(ref string) *huma.Schema {
	return r.byName[strings.TrimPrefix(ref, schemaPrefix)]
}

func (r *schemas) TypeFromRef(ref string) reflect.Type {
	return r.types[strings.TrimPrefix(ref, schemaPrefix)]
}

func (r *schemas) Map() map[string]*huma.Schema { return r.byName }

func (r *schemas) RegisterTypeAlias(t, alias reflect.Type) { r.others[t] = alias }

// MarshalJSON writes them as they stand in a document.
func (r *schemas) MarshalJSON() ([]byte, error) { return json.Marshal(r.byName) }
