package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"guestpass/openapi/internal/actions"
)

// use is what a schema describes: the rules differ.
type use int

const (
	asComponent use = iota
	asRequest
	asResponse
)

// visit is one schema in one use, looked at once.
type visit struct {
	schema *value
	use    use
}

const schemaPrefix = "#/components/schemas/"

// schema looks at a schema and all inside it. References are followed in requests, where
// rules hold that a component by itself need not keep.
func (l *linter) schema(schema *value, as use) {
	if schema == nil || l.visited[visit{schema, as}] {
		return
	}
	if l.visited == nil {
		l.visited = map[visit]bool{}
	}
	l.visited[visit{schema, as}] = true
	if !schema.is(object) {
		if !schema.is(boolean) {
			l.find("G003", schema, "a schema is "+schema.kind.String()+", not an object")
		} else {
			l.findAs(Warning, "G072", schema, "any value is admitted, or none")
		}
		return
	}
	if schema.has("$ref") {
		l.reference(schema, as)
		return
	}
	if as == asComponent || !strings.HasPrefix(schema.pointer, "/components/") { // else it is looked at there
		l.general(schema, as)
	}
	if as == asRequest {
		l.request(schema)
	}
	l.inner(schema, as)
}

// reference is G053 (T), G073 (M17, C) and G078 (D).
func (l *linter) reference(schema *value, as use) {
	target := l.resolve(schema)
	if target == nil {
		l.notFound(schema)
		return
	}
	if len(schema.names) > 1 {
		l.find("G078", schema, "more stands beside $ref")
	}
	if as == asRequest {
		l.find("G053", schema, "a request has a $ref")
	}
	if l.options.For == nil && !strings.HasPrefix(schema.get("$ref").str(), schemaPrefix) && !l.isExternal(schema) {
		l.find("G073", schema, shown(schema.get("$ref"))+" is none of "+schemaPrefix+", where alone the editor looks")
	}
	if as == asRequest || !strings.HasPrefix(target.pointer, "/components/schemas/") || l.isExternal(schema) {
		l.schema(target, as)
	}
}

func (l *linter) isExternal(schema *value) bool {
	return !strings.HasPrefix(schema.get("$ref").str(), "#")
}

// resolve returns what a $ref names, or nil.
func (l *linter) resolve(schema *value) *value {
	ref := schema.get("$ref").str()
	if ref == "" {
		return nil
	}
	return l.lookUp(l.root, ref)
}

// follow resolves a schema that may be a reference, or a chain of them.
func (l *linter) follow(schema *value) *value {
	for range 20 {
		if schema == nil || !schema.has("$ref") {
			return schema
		}
		schema = l.resolve(schema)
	}
	return nil
}

func hasType(schema *value, want string) bool {
	kind := schema.get("type")
	return kind.str() == want || slices.ContainsFunc(kind.list(), func(v *value) bool { return v.str() == want })
}

var types = []string{"string", "integer", "number", "boolean", "array", "object"}

// combinators are those of G076 (D) that hold schemas.
var (
	combinators = []string{"oneOf", "anyOf", "allOf", "prefixItems"}
	conditions  = []string{"not", "if", "then", "else", "contains", "propertyNames", "dependentSchemas"}
	otherwords  = []string{"discriminator", "const", "patternProperties", "unevaluatedProperties"}
)

// general is what holds in every use: G035, G070 (M18, C) to G072 (D), and G076 (D) to G082 (I).
func (l *linter) general(schema *value, as use) {
	combined := false
	for _, word := range slices.Concat(combinators, conditions, otherwords) {
		if schema.has(word) {
			combined = true
			l.find("G076", schema.get(word), word+" is used")
		}
	}
	l.typed(schema, combined || l.parts[schema])
	if hasType(schema, "object") && !schema.has("properties") {
		l.find("G070", schema, "the object has no properties")
	}
	if properties := schema.get("properties"); properties != nil && !properties.is(object) {
		l.find("G003", properties, "properties is "+properties.kind.String()+", not an object")
	}
	if items := schema.get("items"); hasType(schema, "array") && (items == nil || items.is(object) && items.isEmpty()) {
		l.find("G071", schema, "the array does not say what its items are")
	}
	for _, word := range []string{"contentEncoding", "contentMediaType"} {
		if schema.has(word) {
			l.find("G079", schema.get(word), word+" is used")
		}
	}
	if format := schema.get("format").str(); format == "binary" || format == "byte" {
		l.find("G079", schema.get("format"), "the format is "+format)
	}
	if written := schema.get("description"); len([]rune(written.str())) > actions.MaxArgumentText {
		l.findAs(Warning, "G035", written, fmt.Sprintf("the description has %d characters, at most %d",
			len([]rune(written.scalar)), actions.MaxArgumentText))
	}
	l.enum(schema)
	l.names(schema)
	l.examples(schema)
	for word, wrong := range map[string]use{"readOnly": asRequest, "writeOnly": asResponse} {
		if as == wrong && schema.get(word).isTrue() {
			l.find("G081", schema.get(word), word+" is used")
		}
	}
}

// typed is G072 (D).
func (l *linter) typed(schema *value, combined bool) {
	kind := schema.get("type")
	written := kind.list()
	if kind.is(text) {
		written = []*value{kind}
	}
	if len(written) == 0 && !combined {
		l.findAs(Warning, "G072", schema, "the schema has no type")
	}
	for _, one := range written {
		if !slices.Contains(types, one.str()) && one.str() != "null" {
			l.find("G072", one, shown(one)+" is no type")
		}
	}
}

// enum is G077 (M3, D).
func (l *linter) enum(schema *value) {
	enum := schema.get("enum")
	switch {
	case enum == nil:
		return
	case !enum.is(array):
		l.find("G003", enum, "enum is "+enum.kind.String()+", not an array")
	case len(enum.list()) == 0:
		l.find("G077", enum, "the enum is empty")
	case len(enum.list()) > actions.MaxEnum:
		l.findAs(Warning, "G077", enum, fmt.Sprintf("the enum has %d values, at most %d", len(enum.list()),
			actions.MaxEnum))
	}
	values := slices.DeleteFunc(slices.Clone(enum.list()), func(one *value) bool { return one.is(null) })
	for _, one := range values {
		if one.kind != values[0].kind {
			l.findAs(Warning, "G077", one, "the enum has values of several types")
			return
		}
	}
}

// names is G054 (T), G082 (I) and half of G080 (I).
func (l *linter) names(schema *value) {
	folded := map[string]string{}
	schema.get("properties").each(func(name string, inner *value) bool {
		if other, known := folded[strings.ToLower(name)]; known {
			l.find("G082", inner, fmt.Sprintf("the name differs only in letter case from %s", abbreviated(other)))
		}
		folded[strings.ToLower(name)] = name
		switch {
		case name == "$schema":
			l.find("G054", inner, "the property $schema is declared")
		case strings.ContainsAny(name, "$. "):
			l.find("G082", inner, "the name holds $, dot or space")
		}
		return true
	})
	if required := schema.get("required"); required != nil && !required.is(array) && !required.is(boolean) {
		l.find("G003", required, "required is "+required.kind.String()+", not an array")
	}
	for _, name := range schema.get("required").list() {
		if properties := schema.get("properties"); properties.is(object) && !properties.has(name.str()) &&
			!schema.has("allOf") {
			l.find("G080", name, fmt.Sprintf("the required property %s is not declared", shown(name)))
		}
	}
}

// examples is the other half of G080.
func (l *linter) examples(schema *value) {
	given := map[string]*value{"default": schema.get("default"), "example": schema.get("example")}
	for i, example := range schema.get("examples").list() {
		given["example "+strconv.Itoa(i+1)] = example
	}
	for name, v := range given {
		if v != nil && !fits(v, schema) {
			l.find("G080", v, fmt.Sprintf("the %s %s does not fit the schema", name, shown(v)))
		}
	}
}

func fits(v, schema *value) bool {
	if enum := schema.get("enum"); len(enum.list()) > 0 && !slices.ContainsFunc(enum.list(),
		func(e *value) bool { return e.kind == v.kind && e.scalar == v.scalar }) {
		return false
	}
	switch v.kind {
	case null:
		return hasType(schema, "null") || schema.get("nullable").isTrue() || !schema.has("type")
	case number:
		_, err := strconv.ParseInt(v.scalar, 10, 64)
		return !schema.has("type") || hasType(schema, "number") || hasType(schema, "integer") &&
			(err == nil || isWhole(v.scalar))
	}
	return !schema.has("type") || hasType(schema, map[kind]string{text: "string", boolean: "boolean", array: "array",
		object: "object"}[v.kind])
}

func isWhole(number string) bool {
	f, err := json.Number(number).Float64()
	return err == nil && f == float64(int64(f))
}

// request is what holds in requests: G036 (A), G057 (C) and G075 (I, D).
func (l *linter) request(schema *value) {
	if hasType(schema, "null") || schema.get("nullable").isTrue() {
		l.find("G075", schema, "null is admitted")
	}
	values := schema.get("additionalProperties")
	free := values.is(object) || values.isTrue()
	switch {
	case hasType(schema, "object") && (free || len(l.viewOf(l.root).gathered([]*value{schema}).properties) == 0):
		l.find("G057", schema, "members are admitted that are not declared by name")
	case !schema.has("type") && !slices.ContainsFunc(combinators, schema.has) && !schema.has("enum") &&
		!schema.has("const") && !admitsNothing(schema) && !l.parts[schema]:
		l.find("G057", schema, "any value is admitted")
	}
	schema.get("properties").each(func(name string, inner *value) bool {
		l.described("property "+abbreviated(name), inner, nil, inner)
		return true
	})
}

func (l *linter) inner(schema *value, as use) {
	schema.get("properties").each(func(_ string, inner *value) bool { l.schema(inner, as); return true })
	for _, word := range []string{"items", "additionalProperties"} {
		if inner := schema.get(word); inner.is(object) && (word != "items" || !inner.isEmpty()) {
			l.schema(inner, as)
		}
	}
	for _, word := range conditions {
		if inner := schema.get(word); inner.is(object) && word != "dependentSchemas" {
			l.condition(inner)
		}
	}
	for _, word := range combinators {
		for _, inner := range schema.get(word).list() {
			if admitsNothing(inner) {
				continue // G076 says it of the union
			}
			if l.parts == nil {
				l.parts = map[*value]bool{}
			}
			l.parts[inner] = word == "allOf" || schema.has("type")
			l.schema(inner, as)
		}
	}
}

// condition looks in a schema that only tests values for references that lead nowhere.
func (l *linter) condition(schema *value) *value {
	if schema.has("$ref") && l.resolve(schema) == nil {
		l.notFound(schema)
	}
	mapSchemas(schema, l.condition)
	return schema
}

// deep is G058 (D).
func (l *linter) deep(schema *value, limit int) {
	if n := l.depth(schema); n > limit {
		l.find("G058", schema, fmt.Sprintf("objects are nested %d deep, at most %d read well", n, limit))
	}
}

// depth counts objects within objects; arrays do not count. A circle ends where it closes.
func (l *linter) depth(schema *value) int {
	schema = l.follow(schema)
	if n, known := l.depths[schema]; known || schema == nil {
		return n
	}
	if l.depths == nil {
		l.depths = map[*value]int{}
	}
	l.depths[schema] = 0 // within itself
	deepest := 0
	schema.get("properties").each(func(_ string, inner *value) bool {
		deepest = max(deepest,
			l.depth(inner))
		return true
	})
	for _, word := range []string{"items", "additionalProperties"} {
		if inner := schema.get(word); inner.is(object) {
			deepest = max(deepest, l.depth(inner))
		}
	}
	if hasType(schema, "object") {
		deepest++
	}
	l.depths[schema] = deepest
	return deepest
}

// circles is G074 (M20, D): a schema that contains itself, directly or through others. Those
// that only lead to one are not told.
func (l *linter) circles(schemas *value) {
	next := map[string][]string{}
	schemas.each(func(name string, schema *value) bool {
		for _, ref := range referencesIn(schema, nil) {
			if to, ok := component(ref); ok && schemas.has(to) {
				next[name] = append(next[name], to)
			}
		}
		return true
	})
	for _, name := range inCircles(schemas.order(), next) {
		l.find("G074", schemas.get(name), "the schema contains itself")
	}
}

// inCircles returns the names that are reached from themselves: the strongly connected
// components of several names, by Tarjan's algorithm, and those that lead to themselves.
func inCircles(names []string, next map[string][]string) []string {
	index, low, on := map[string]int{}, map[string]int{}, map[string]bool{}
	var stack, found []string
	var visit func(name string)
	visit = func(name string) {
		index[name] = len(index) + 1
		low[name], on[name] = index[name], true
		stack = append(stack, name)
		for _, to := range next[name] {
			if index[to] == 0 {
				visit(to)
				low[name] = min(low[name], low[to])
			} else if on[to] {
				low[name] = min(low[name], index[to])
			}
		}
		if low[name] != index[name] {
			return
		}
		start := len(stack) - 1 // the names of one circle are the last
		for stack[start] != name {
			start--
		}
		if len(stack)-start > 1 || slices.Contains(next[name], name) {
			found = append(found, stack[start:]...)
		}
		for _, done := range stack[start:] {
			on[done] = false
		}
		stack = stack[:start]
	}
	for _, name := range names {
		if index[name] == 0 {
			visit(name)
		}
	}
	return found
}

// component returns the name of the component that a reference leads to, or into.
func component(ref string) (string, bool) {
	name, ok := strings.CutPrefix(ref, schemaPrefix)
	if name, _, inside := strings.Cut(name, "/"); inside {
		return name, false
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name), ok
}

// referencesIn appends the references in v.
func referencesIn(v *value, refs []string) []string {
	if ref := v.get("$ref").str(); ref != "" {
		refs = append(refs, ref)
	}
	for _, inner := range append(v.inOrder(), v.list()...) {
		refs = referencesIn(inner, refs)
	}
	return refs
}
