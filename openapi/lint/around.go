//go:build !production

package lint

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	// deepestInstance is how far properties and items are followed.
	deepestInstance = 6
	// mostAlternatives are followed of each union.
	mostAlternatives = 6
	// mostMade are the values in one value.
	mostMade = 1_000
)

// around yields values that a schema is likely to admit, and others that differ from them in
// one place. They decide what JSON Schema would decide, so numbers are json.Number.
func (a *admission) around(schema *value) iter.Seq[any] {
	return func(yield func(any) bool) { a.variants([]*value{schema}, 0, yield) }
}

// odd are values of every kind.
var odd = []any{nil, true, json.Number("1"), json.Number("1.5"), "x", "", []any{}, map[string]any{}}

// variants reports false when yield wants no more.
func (a *admission) variants(together []*value, depth int, yield func(any) bool) bool {
	if depth > deepestInstance {
		return true
	}
	for choice := range a.choices(together) {
		flat := a.flat(together, choice)
		if !a.variantsOf(flat, choice, depth, yield) {
			return false
		}
	}
	for _, one := range odd {
		if !yield(one) {
			return false
		}
	}
	return true
}

func (a *admission) variantsOf(flat []*value, choice, depth int, yield func(any) bool) bool {
	a.made = 0
	plain := a.plain(flat, choice, depth)
	if !yield(plain) {
		return false
	}
	for _, schema := range flat {
		for _, one := range schema.get("enum").list() {
			if !yield(one.plain()) {
				return false
			}
		}
		if constant := schema.get("const"); constant != nil && !yield(constant.plain()) {
			return false
		}
	}
	switch plain := plain.(type) {
	case map[string]any:
		return a.objects(flat, plain, depth, yield)
	case []any:
		return a.variants(held(flat, "items"), depth+1, func(one any) bool { return yield([]any{one}) })
	}
	return true
}

// objects differ from plain in one member, or have all that are declared.
func (a *admission) objects(flat []*value, plain map[string]any, depth int, yield func(any) bool) bool {
	with := func(name string, value any) map[string]any {
		object := maps.Clone(plain)
		object[name] = value
		return object
	}
	declared := declaredBy(flat)
	for _, name := range append(slices.Clone(declared), "another") {
		without := maps.Clone(plain)
		delete(without, name)
		if !yield(without) || !yield(with(name, "x")) || !yield(with(name, json.Number("1"))) {
			return false
		}
	}
	whole := maps.Clone(plain)
	for _, name := range declared {
		whole[name] = a.inner(member(flat, name), depth)
	}
	if !yield(whole) {
		return false
	}
	for _, name := range declared {
		if !a.variants(member(flat, name), depth+1, func(one any) bool { return yield(with(name, one)) }) {
			return false
		}
	}
	return true
}

// choices returns in how many ways the unions of schemas that hold together are followed.
func (a *admission) choices(together []*value) int {
	most := 1
	for _, schema := range a.flat(together, 0) {
		for _, word := range []string{"anyOf", "oneOf", "enum", "type"} {
			most = max(most, len(schema.get(word).list()))
		}
	}
	return min(most, mostAlternatives)
}

// flat returns the schemas that hold together, with what they refer to and one alternative of
// each union.
func (a *admission) flat(together []*value, choice int) (flat []*value) {
	seen := map[*value]bool{}
	var add func(together []*value)
	add = func(together []*value) {
		for _, schema := range together {
			if a.visit(1); !schema.is(object) || seen[schema] {
				continue
			}
			seen[schema] = true
			flat = append(flat, schema)
			if ref := schema.get("$ref").str(); ref != "" {
				add([]*value{a.lookUp(a.root, ref)})
			}
			add(schema.get("allOf").list())
			for _, word := range []string{"anyOf", "oneOf"} {
				if list := schema.get(word).list(); len(list) > 0 {
					add([]*value{list[choice%len(list)]})
				}
			}
		}
	}
	add(together)
	return flat
}

// plain returns one value along schemas that hold together, with what is required.
func (a *admission) plain(flat []*value, choice, depth int) any {
	for _, schema := range flat {
		if constant := schema.get("const"); constant != nil {
			return constant.plain()
		}
		if list := schema.get("enum").list(); len(list) > 0 {
			return list[choice%len(list)].plain()
		}
	}
	switch kindAmong(flat, choice) {
	case "object":
		object := map[string]any{}
		for _, name := range requiredBy(flat) {
			object[name] = a.inner(member(flat, name), depth)
		}
		return object
	case "array":
		return []any{a.inner(held(flat, "items"), depth)}
	case "integer", "number":
		return numberAmong(flat)
	case "boolean":
		return true
	case "null":
		return nil
	}
	length := 1
	for _, schema := range flat {
		if n, err := strconv.Atoi(schema.get("minLength").written()); err == nil && n < 1_000 {
			length = max(length, n)
		}
	}
	return strings.Repeat("x", length)
}

func (a *admission) inner(together []*value, depth int) any {
	if a.made++; depth > deepestInstance || a.made > mostMade {
		return "x"
	}
	flat := a.flat(together, 0)
	return a.plain(flat, 0, depth+1)
}

// kindAmong returns a type that is named, or the one that other words speak of.
func kindAmong(flat []*value, choice int) string {
	for _, schema := range flat {
		kind := schema.get("type")
		if list := kind.list(); len(list) > 0 {
			return list[choice%len(list)].str()
		}
		if kind.str() != "" {
			return kind.str()
		}
	}
	for _, schema := range flat {
		switch {
		case schema.has("properties"), schema.has("required"), schema.has("patternProperties"),
			schema.get("additionalProperties").is(object):
			return "object"
		case schema.has("items"):
			return "array"
		case schema.has("minimum"), schema.has("maximum"):
			return "number"
		}
	}
	return "string"
}

// numberAmong returns a bound, or 1.
func numberAmong(flat []*value) json.Number {
	for _, word := range []string{"minimum", "maximum", "multipleOf"} {
		for _, schema := range flat {
			if schema.get(word).is(number) {
				return json.Number(schema.get(word).scalar)
			}
		}
	}
	for _, schema := range flat {
		if bound, err := strconv.ParseFloat(schema.get("exclusiveMinimum").written(), 64); err == nil {
			return json.Number(strconv.FormatFloat(bound+1, 'f', -1, 64))
		}
		if bound, err := strconv.ParseFloat(schema.get("exclusiveMaximum").written(), 64); err == nil {
			return json.Number(strconv.FormatFloat(bound-1, 'f', -1, 64))
		}
	}
	return "1"
}

func declaredBy(flat []*value) (names []string) {
	for _, schema := range flat {
		for _, name := range schema.get("properties").order() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func requiredBy(flat []*value) (names []string) {
	for _, schema := range flat {
		for _, name := range schema.get("required").list() {
			names = append(names, name.str())
		}
	}
	return names
}

// member returns the schemas of a property.
func member(flat []*value, name string) (schemas []*value) {
	for _, schema := range flat {
		if own := schema.get("properties", name); own != nil {
			schemas = append(schemas, own)
		} else if others := schema.get("additionalProperties"); others.is(object) {
			schemas = append(schemas, others)
		}
	}
	return schemas
}

// held returns the schemas under one word.
func held(flat []*value, word string) (schemas []*value) {
	for _, schema := range flat {
		if schema.get(word).is(object) {
			schemas = append(schemas, schema.get(word))
		}
	}
	return schemas
}

// plain returns a value as JSON is read.
func (v *value) plain() any {
	switch v.kind {
	case object:
		members := map[string]any{}
		for name, inner := range v.members {
			members[name] = inner.plain()
		}
		return members
	case array:
		elements := []any{}
		for _, inner := range v.elements {
			elements = append(elements, inner.plain())
		}
		return elements
	case null:
		return nil
	case number:
		return json.Number(v.scalar)
	case boolean:
		return v.isTrue()
	}
	return v.scalar
}
