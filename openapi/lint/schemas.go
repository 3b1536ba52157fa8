package lint

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
)

// Words of a schema that hold schemas: one, a map of them, a list of them.
var (
	holdsOne = []string{"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
		"unevaluatedItems", "unevaluatedProperties", "additionalItems"}
	holdsMap  = []string{"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"}
	holdsList = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
)

// mapSchemas puts in place of each schema directly inside a schema what change makes of it.
// Examples and other data are left alone.
func mapSchemas(schema *value, change func(*value) *value) {
	for _, word := range holdsOne {
		if inner := schema.get(word); inner.is(object) || inner.is(boolean) {
			schema.set(word, change(inner))
		}
	}
	for _, word := range holdsMap {
		inner := schema.get(word)
		inner.each(func(name string, one *value) bool { inner.set(name, change(one)); return true })
	}
	for _, word := range holdsList {
		for i, one := range schema.get(word).list() {
			schema.get(word).elements[i] = change(one)
		}
	}
}

// mapRoots does the same for the schemas that stand outside of schemas: those of components,
// parameters, headers and contents.
func mapRoots(v *value, change func(*value) *value) {
	v.each(func(name string, inner *value) bool {
		switch {
		case name == "schema":
			v.set(name, change(inner))
		case name == "schemas":
			inner.each(func(name string, one *value) bool { inner.set(name, change(one)); return true })
		case name != "example" && name != "examples" && !strings.HasPrefix(name, "x-"):
			mapRoots(inner, change)
		}
		return true
	})
	for _, inner := range v.list() {
		mapRoots(inner, change)
	}
}

// compact returns a value in JSON, to be compared.
func (v *value) compact() string {
	var b bytes.Buffer
	_ = v.json(&b) // writing to memory
	return b.String()
}

// admitsAll and admitsNothing are of the schemas that look at no value: true and {}, false
// and {not: {}}.
func admitsAll(schema *value) bool {
	return schema.isTrue() || schema.is(object) && schema.isEmpty()
}

func admitsNothing(schema *value) bool {
	return schema.is(boolean) && !schema.isTrue() || admitsAll(schema.get("not")) &&
		!slices.ContainsFunc(schema.names, func(word string) bool { return word != "not" && !isAnnotation(word) })
}

// isNull reports whether a schema admits null alone.
func isNull(schema *value) bool {
	values := schema.get("enum").list()
	return schema.get("type").str() == "null" || schema.get("const").is(null) ||
		len(values) > 0 && !slices.ContainsFunc(values, func(v *value) bool { return !v.is(null) })
}

// lookUp returns what a $ref names, or nil: in root, or in another document that may be had.
func (l *linter) lookUp(root *value, ref string) *value {
	l.visit(1 + len(ref)/1_000)
	pointer, local := strings.CutPrefix(ref, "#")
	if !local {
		return l.remote(ref)
	}
	if pointer != "" && pointer[0] != '/' {
		return nil // an anchor
	}
	if found := root.at(pointer); found != nil || !strings.Contains(pointer, "%") {
		return found
	}
	decoded, err := url.PathUnescape(pointer)
	if err != nil {
		return nil
	}
	return root.at(decoded)
}

// target follows what is no schema and may be a reference, or a chain of them. It returns
// nil for one that leads nowhere.
func (l *linter) target(root, v *value) *value {
	for range 20 {
		ref := v.get("$ref").str()
		if ref == "" {
			return v
		}
		v = l.lookUp(root, ref)
	}
	return nil
}

// effective returns the parameters of an operation: its own, then those of its path that it
// does not declare itself. Each may be a reference.
func (l *linter) effective(root, item, node *value) []*value {
	l.visit(len(item.get("parameters").list())) // again for each path that refers to this one
	list := slices.Clone(node.get("parameters").list())
	own := map[[2]string]bool{}
	for _, one := range list {
		own[parameterKey(l.target(root, one))] = true
	}
	for _, one := range item.get("parameters").list() {
		if key := parameterKey(l.target(root, one)); key == [2]string{} || !own[key] {
			list = append(list, one)
		}
	}
	return list
}

// parameterKey returns where a parameter stands and its name, which for headers has no case.
func parameterKey(node *value) [2]string {
	in, name := node.get("in").str(), node.get("name").str()
	if in == "header" {
		name = strings.ToLower(name)
	}
	return [2]string{in, name}
}

// notThere reports whether OpenAPI says that a parameter shall be ignored (3.1.0 section
// 4.8.12.1): the client sends these headers by itself.
func notThere(node *value) bool {
	key := parameterKey(node)
	return key[0] == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, key[1])
}

// order returns the names of the members, in their order.
func (v *value) order() []string {
	if v == nil {
		return nil
	}
	return v.names
}

// inOrder returns the members, in their order.
func (v *value) inOrder() []*value {
	var all []*value
	v.each(func(_ string, inner *value) bool { all = append(all, inner); return true })
	return all
}

// lostIn reports whether a schema is a reference that leads nowhere.
func (l *linter) lostIn(schema *value) bool { return schema.has("$ref") && l.follow(schema) == nil }

// clone returns a deep copy in which every value keeps the pointer to where it was written.
func (v *value) clone() *value {
	out := v.shallow()
	for name, inner := range out.members {
		out.members[name] = inner.clone()
	}
	for i, inner := range out.elements {
		out.elements[i] = inner.clone()
	}
	return out
}
