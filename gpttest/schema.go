package gpttest

import (
	"maps"
	"slices"
	"strings"
)

const schemaPrefix = "#/components/schemas/"

// place is where a schema stands: context as the editor's own messages name it (it
// leaves the method out of responses), path as pydantic does.
type place struct{ context, path []any }

func (p place) in(parts ...any) place {
	return place{context: append(slices.Clip(p.context), parts...), path: append(slices.Clip(p.path), parts...)}
}

// schema checks one schema and those inside it: M3, M17, M18, M19 and M23. It does
// not follow $ref, since components are checked in their own place.
func (v *validator) schema(node any, at place) {
	schema, ok := node.(*object)
	if !ok {
		if node == nil {
			v.null()
		}
		return
	}
	if ref, ok := schema.get("$ref").(string); ok {
		if v.resolve(ref) == nil {
			v.unknownComponent(ref, at)
		}
		return
	}
	if enum, ok := schema.get("enum").([]any); ok && len(enum) == 0 {
		v.say("M3", "%s: List should have at least 1 item after validation, not 0", tuple(at.in("enum").path...))
	}
	if hasType(schema, "object") && !schema.has("properties") {
		v.say("M18", "In context=%s, object schema missing properties", tuple(at.context...))
	}
	if hasType(schema, "array") && len(schema.object("items").names()) == 0 {
		v.say("M19", "In context=%s, array schema missing items", tuple(at.context...))
	}
	v.innerSchemas(schema, at)
}

func (v *validator) innerSchemas(schema *object, at place) {
	if schema.has("properties") && schema.get("properties") == nil {
		v.null()
	}
	properties := schema.object("properties")
	for _, name := range properties.names() {
		v.schema(properties.values[name], at.in("properties", name))
	}
	for _, key := range []string{"items", "additionalProperties", "not", "if", "then", "else", "contains"} {
		if inner := schema.object(key); inner != nil {
			v.schema(inner, at.in(key))
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf", "prefixItems"} {
		list, _ := schema.get(key).([]any)
		for i, inner := range list {
			v.schema(inner, at.in(key, i))
		}
	}
}

// null is M23: the validator calls .items() on whatever should be a map.
func (v *validator) null() {
	v.say("M23", "'NoneType' object has no attribute 'items'")
}

func (v *validator) unknownComponent(ref string, at place) {
	v.say("M17", "In context=%s, reference to unknown component %s; using empty schema",
		tuple(at.context...), ref[strings.LastIndex(ref, "/")+1:])
}

// resolve returns the schema that ref names, or nil. Only components.schemas of the
// same document is looked at.
func (v *validator) resolve(ref string) *object {
	name, ok := strings.CutPrefix(ref, schemaPrefix)
	if !ok {
		return nil
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	return v.schemas.object(name)
}

// follow resolves a schema that may be a reference, or a chain of them.
func (v *validator) follow(schema *object) *object {
	for range 20 {
		ref, ok := schema.get("$ref").(string)
		if !ok {
			return schema
		}
		schema = v.resolve(ref)
	}
	return nil
}

// pendingAllOf is the other trigger of M17: the validator reads components in order,
// and an allOf that names a later one finds it missing.
func (v *validator) pendingAllOf(i int, name string) {
	list, _ := v.schemas.object(name).get("allOf").([]any)
	for _, entry := range list {
		inner, _ := entry.(*object)
		ref := inner.string("$ref")
		if target, ok := strings.CutPrefix(ref, schemaPrefix); ok && slices.Index(v.schemas.keys, target) > i {
			at := place{context: []any{"components", "schemas", name}}
			v.unknownComponent(ref, at)
		}
	}
}

// circles is M20: a schema that contains itself, directly or through others.
func (v *validator) circles() {
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(name string) bool
	visit = func(name string) bool {
		if state[name] != 0 {
			return state[name] == visiting
		}
		state[name] = visiting
		for _, next := range references(v.schemas.get(name), nil) {
			if v.schemas.has(next) && visit(next) {
				return true
			}
		}
		state[name] = done
		return false
	}
	if slices.ContainsFunc(v.schemas.names(), visit) {
		v.say("M20", "Components section contains a circular dependency")
	}
}

// references appends the names of the components that node refers to.
func references(node any, names []string) []string {
	switch node := node.(type) {
	case *object:
		if name, ok := strings.CutPrefix(node.string("$ref"), schemaPrefix); ok {
			names = append(names, name)
		}
		for _, key := range node.keys {
			names = references(node.values[key], names)
		}
	case []any:
		for _, element := range node {
			names = references(element, names)
		}
	}
	return names
}

func hasType(schema *object, want string) bool {
	switch kind := schema.get("type").(type) {
	case string:
		return kind == want
	case []any:
		return slices.Contains(kind, any(want))
	}
	return false
}

// typeName returns the type of an argument: the first that is not null.
func typeName(schema *object) string {
	if list, ok := schema.get("type").([]any); ok {
		for _, kind := range list {
			if name, ok := kind.(string); ok && name != "null" {
				return name
			}
		}
	}
	return schema.string("type")
}

// members is what may stand inside an argument: the runtime refuses undeclared
// members of nested objects too, whatever additionalProperties says (class C).
type members struct {
	fields map[string]*members // of an object, nil for other types
	items  *members            // of an array
}

// members reads a schema of an argument. It returns nil where nothing is declared.
func (v *validator) members(node *object, depth int) *members {
	schema := v.follow(node)
	if schema == nil || depth > maxDepth/10 {
		return nil
	}
	switch {
	case hasType(schema, "array"):
		return &members{items: v.members(schema.object("items"), depth+1)}
	case hasType(schema, "object"):
		m := &members{fields: map[string]*members{}}
		properties := schema.object("properties")
		for _, name := range properties.names() {
			m.fields[name] = v.members(properties.object(name), depth+1)
		}
		return m
	}
	return nil
}

// unknown appends the names inside value that m does not declare.
func (m *members) unknown(value any, names []string) []string {
	if m == nil {
		return names
	}
	switch value := value.(type) {
	case map[string]any:
		if m.fields == nil {
			return names
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inner, ok := m.fields[name]
			if !ok {
				names = append(names, name)
				continue
			}
			names = inner.unknown(value[name], names)
		}
	case []any:
		for _, element := range value {
			names = m.items.unknown(element, names)
		}
	}
	return names
}
