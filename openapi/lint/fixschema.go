//go:build !production

package lint

import (
	"cmp"
	"slices"
	"strings"

	"guestpass/openapi/internal/actions"
)

// maxInlined values may be added by writing out what is referred to: more than the editor
// takes. If they do not suffice nothing is written out, so that mending the copy adds no more.
const maxInlined = 20_000

// count returns the number of values.
func count(v *value) int {
	n := 1
	for _, inner := range append(v.inOrder(), v.list()...) {
		n += count(inner)
	}
	return n
}

// copied returns a copy of what stands in a schema, whose size counts wherever it is written out.
func (f *fixer) copied(v *value) *value {
	f.visit(count(v))
	return v.clone()
}

// writeOut counts values that are added by writing out what is referred to. Those that are too
// many end the copy: it is made anew, and nothing is written out there.
func (f *fixer) writeOut(n int) {
	f.visit(n)
	if f.left -= n; f.left < 0 && f.writesOut {
		panic(enough{})
	}
}

// modernize writes what OpenAPI 3.0 says in the words of 3.1 (G001), and takes away what is
// null where nothing may be (G003). No meaning changes.
func (f *fixer) modernize() {
	old := strings.HasPrefix(f.root.get("openapi").written(), "3.0")
	f.dropNulls(f.root, false)
	mapRoots(f.root, func(schema *value) *value { return f.modernSchema(schema, old) })
	if strings.HasPrefix(f.root.get("openapi").written(), "3.") {
		f.root.set("openapi", newText("3.1.0"))
	}
}

// nullThere is announced of what is taken away since it is null.
const nullThere = "null there"

// data are the members that hold values of the author's, in which null is a value too, or
// names that count by being there.
var data = []string{"default", "example", "examples", "enum", "const", "security", "scopes", "mapping"}

// named are the members whose own members have names that the author chose.
var named = append([]string{"paths", "responses", "schemas", "parameters", "requestBodies", "headers",
	"securitySchemes", "content"}, holdsMap...)

// dropNulls is G003, but for data and extensions. A property of which nothing is said admits
// everything. byName is of the members of v whose names mean nothing.
func (f *fixer) dropNulls(v *value, byName bool) {
	for _, one := range v.get("properties").inOrder() {
		if one.is(null) && !byName {
			one.kind, one.members = object, map[string]*value{}
		}
	}
	v.each(func(name string, inner *value) bool {
		switch {
		case !byName && (slices.Contains(data, name) || strings.HasPrefix(name, "x-")):
		case inner.is(null):
			if !isAnnotation(name) || byName {
				f.announce(inner, nullThere, "%s is removed: it is null", abbreviated(name))
			}
			v.remove(name)
		default:
			f.dropNulls(inner, !byName && slices.Contains(named, name))
		}
		return true
	})
	for _, inner := range v.list() {
		f.dropNulls(inner, false)
	}
}

func (f *fixer) modernSchema(schema *value, old bool) *value {
	if !schema.is(object) {
		return schema
	}
	if ref := schema.get("$ref"); old && ref.is(text) { // G078: 3.0 ignores what stands beside it
		if len(schema.names) > 1 {
			f.announce(schema, "beside $ref", "what stands beside $ref is removed: OpenAPI 3.0 ignores it")
		}
		schema.names, schema.members = []string{"$ref"}, map[string]*value{"$ref": ref}
		return schema
	}
	mapSchemas(schema, func(inner *value) *value { return f.modernSchema(inner, old) })
	for bound, exclusive := range map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"} {
		if flag := schema.get(exclusive); flag.is(boolean) {
			schema.remove(exclusive)
			if limit := schema.get(bound); flag.isTrue() && limit != nil {
				schema.remove(bound)
				schema.set(exclusive, limit)
			}
		}
	}
	nullable := schema.get("nullable").isTrue()
	schema.remove("nullable")
	if !nullable {
		return schema
	}
	if !old && !f.viewOf(f.root).permitsNull(schema) {
		f.announce(schema, "nullable",
			"null is admitted, which is what nullable means in OpenAPI 3.0: 3.1 does not know it")
	}
	return admitNull(schema)
}

// admitNull returns a schema that takes null as well, said as 3.1 does.
func admitNull(schema *value) *value {
	kind := inferredType(schema)
	switch {
	case slices.ContainsFunc([]string{"$ref", "allOf", "anyOf", "oneOf", "const"}, schema.has):
		inner, outer := schema.shallow(), &value{kind: object, members: map[string]*value{}, pointer: schema.pointer,
			line: schema.line}
		for _, word := range schema.names {
			if isAnnotation(word) {
				inner.remove(word)
				outer.set(word, schema.get(word))
			}
		}
		isNull := newObject()
		isNull.set("type", newText("null"))
		union := newArray()
		union.append(inner)
		union.append(isNull)
		outer.set("anyOf", union)
		return outer
	case kind != "":
		schema.set("type", newText(kind))
	}
	if list := schema.get("type"); list.is(text) || list.is(array) {
		if !hasType(schema, "null") {
			kinds := newArray()
			kinds.elements = append(slices.Clone(list.elements), newText("null"))
			if list.is(text) {
				kinds.elements = []*value{list, newText("null")}
			}
			schema.set("type", kinds)
		}
	}
	if enum := schema.get("enum"); enum.is(array) &&
		!slices.ContainsFunc(enum.elements, func(v *value) bool { return v.is(null) }) {
		enum.append(&value{kind: null})
	}
	return schema
}

// inline is G053 and G078: the schema is written where it is used, and then mended as one
// of a request.
func (f *fixer) inline(holder *value) {
	schema := holder.get("schema")
	if schema == nil {
		return
	}
	whole := f.inlined(schema, nil, nil)
	if f.left < 0 {
		whole = schema.clone() // as all the others
	}
	holder.set("schema", whole)
	f.schema(whole, asRequest)
}

// inlined returns a copy with the schemas that are referred to; where one would contain itself, it
// ends (G074). A reference stays where it leads nowhere, to a base whose heirs a call could
// send, or where the document would grow too large. above are the schemas that the copy
// stands in, bases those that it inherits from.
func (f *fixer) inlined(schema *value, above, bases []*value) *value {
	f.writeOut(1)
	ref := schema.get("$ref").str()
	switch {
	case !schema.is(object):
		return f.copied(schema)
	case ref == "":
		return f.inlinedMembers(schema, above, bases)
	}
	target := f.lookUp(f.modern, ref)
	switch {
	case target != nil && f.leaveRing(schema):
		return schema.clone()
	case bases == nil && slices.Contains(above, target):
		return f.end(schema)
	case len(above) > maxNested:
		f.writeOut(maxInlined)
		return schema.clone()
	case target == nil, slices.Contains(bases, target), f.left < 0,
		len(subtypes(f.linter, f.modern, target)) > 0 && bases == nil:
		return schema.clone()
	}
	if bases == nil {
		above = append(slices.Clip(above), target)
	}
	whole := f.inlined(target, above, append(slices.Clip(bases), target))
	if len(schema.names) == 1 {
		return whole
	}
	beside := schema.shallow()
	beside.remove("$ref")
	beside = f.inlinedMembers(beside, above, bases)
	f.visit(count(beside) + count(whole))
	if merged, ok := conjoin(beside, whole); ok && refused(whole, merged) == "" {
		f.announceOpened(schema, beside, merged)
		return merged
	}
	return schema.clone()
}

func (f *fixer) inlinedMembers(schema *value, above, bases []*value) *value {
	out := schema.shallow()
	for _, word := range out.names {
		switch inner := out.members[word]; {
		case slices.Contains(holdsMap, word) || slices.Contains(holdsList, word):
			out.members[word] = inner.shallow()
		case !slices.Contains(holdsOne, word):
			out.members[word] = f.copied(inner)
		}
	}
	parts := out.get("allOf")
	inherits := parts.is(array) && !wraps(schema)
	if inherits {
		out.set("allOf", newArray())
	}
	names := schema.has("discriminator")
	mapSchemas(out, func(inner *value) *value {
		if ref := inner.get("$ref").str(); names && ref != "" && slices.Contains(impliedNames(schema), ref) {
			return inner.clone() // whose name is a value of the discriminator
		}
		return f.inlined(inner, above, nil)
	})
	if inherits {
		if bases == nil {
			bases = []*value{schema}
		}
		for i, part := range parts.elements {
			parts.elements[i] = f.inlined(part, above, bases)
		}
		out.set("allOf", parts)
	}
	return out
}

// schema mends a schema and those inside it.
func (f *fixer) schema(schema *value, as use) {
	if !schema.is(object) {
		return
	}
	f.elsewhere(schema)
	f.flatten(schema, as)
	if schema.has("$ref") {
		return
	}
	if constant := schema.get("const"); constant != nil && !constant.is(null) { // G076
		list := newArray()
		list.append(constant)
		schema.remove("const")
		schema.set("enum", list)
	}
	if properties := schema.get("properties"); properties.has("$schema") { // G054
		f.announce(schema, "property $schema", "the property $schema is removed")
		properties.remove("$schema")
		f.optional(schema, "$schema")
	}
	for _, word := range append([]string{"not", "if", "then", "else", "contains", "propertyNames"}, holdsList...) {
		for _, part := range append([]*value{schema.get(word)}, schema.get(word).list()...) {
			f.partial[part] = true
		}
	}
	mapSchemas(schema, func(inner *value) *value { f.schema(inner, as); return inner })
	if as == asRequest { // G075: what was null is left out
		schema.get("properties").each(func(name string, inner *value) bool {
			if f.withoutNull(inner) {
				f.optional(schema, name)
			}
			return true
		})
	}
	f.words(schema, as)
}

// words mends what a schema says by itself: G008, G035, G070, G072 and G080.
func (f *fixer) words(schema *value, as use) {
	if kind := inferredType(schema); kind != "" && !f.partial[schema] {
		schema.set("type", newText(kind))
		if slices.ContainsFunc(schema.get("enum").list(), func(v *value) bool { return v.is(null) }) {
			admitNull(schema)
		}
	}
	if hasType(schema, "object") && !schema.has("properties") {
		schema.set("properties", newObject())
	}
	if as != asRequest && !f.partial[schema] {
		f.declared(schema)
	}
	for _, name := range []string{"default", "example"} {
		if given := schema.get(name); given != nil && !fits(given, schema) {
			f.announce(schema, name, "the %s %s is removed: it does not fit", name, shown(given))
			schema.remove(name)
		}
	}
	f.shorten(schema, "description", actions.MaxArgumentText)
	for _, name := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		if unsafe(schema.get(name).written()) {
			f.announce(schema, name, "the %s %s is removed: JavaScript rounds it", name, schema.get(name).written())
			schema.remove(name)
		}
	}
}

// elsewhere writes out a reference to what is no component, which the editor does not find.
func (f *fixer) elsewhere(schema *value) {
	ref := schema.get("$ref").str()
	if ref == "" || strings.HasPrefix(ref, schemaPrefix) && !strings.Contains(ref[len(schemaPrefix):], "/") {
		return
	}
	if target := f.lookUp(f.modern, ref); target != nil && f.left > 0 {
		*schema = *f.inlined(schema, nil, nil)
	}
}

// inferredType returns the type that follows from the rest of a schema, where it has none (G072).
func inferredType(schema *value) string {
	switch {
	case schema.has("type"):
		return ""
	case len(schema.get("enum").list()) > 0:
		return commonKind(schema.get("enum").list())
	case schema.get("properties").is(object) && !schema.get("properties").isEmpty() && admitOnly(schema, "object"):
		return "object"
	case schema.get("items").is(object) && admitOnly(schema, "array"):
		return "array"
	}
	return ""
}

// admitOnly reports whether the alternatives of a schema, if it has any, are plainly of a
// type: what stands beside them speaks of that type, and means others to pass.
func admitOnly(schema *value, kind string) bool {
	for _, word := range []string{"anyOf", "oneOf"} {
		for _, one := range schema.get(word).list() {
			if slices.ContainsFunc([]string{"$ref", "enum", "const", "allOf", "anyOf", "oneOf"}, one.has) ||
				one.has("type") && one.get("type").str() != kind {
				return false
			}
		}
	}
	return !schema.has("const")
}

// commonKind returns the type that all values have but null, or "".
func commonKind(values []*value) string {
	common := ""
	for _, one := range values {
		name := [...]string{null: "", boolean: "boolean", number: "number", text: "string", array: "array",
			object: "object"}[one.kind]
		if common != "" && name != "" && name != common {
			return ""
		}
		common = cmp.Or(name, common)
	}
	return common
}

func (f *fixer) optional(schema *value, name string) {
	required := schema.get("required")
	if !required.is(array) || !slices.ContainsFunc(required.elements, func(v *value) bool { return v.str() == name }) {
		return
	}
	f.announce(schema, "required "+name, "%s is no longer required", name)
	required.elements = slices.DeleteFunc(required.elements, func(v *value) bool { return v.str() == name })
}

// declared is the half of G080 about required, for what comes back. What a call must send
// but cannot is told, not hidden.
func (f *fixer) declared(schema *value) {
	properties := schema.get("properties")
	if !properties.is(object) || slices.ContainsFunc([]string{"allOf", "anyOf", "oneOf"}, schema.has) {
		return
	}
	for _, name := range slices.Clone(schema.get("required").list()) {
		if !properties.has(name.str()) {
			f.optional(schema, name.str())
		}
	}
}

// withoutNull takes null out of what a schema admits, if there is something else, and
// reports whether it did.
func (f *fixer) withoutNull(schema *value) bool {
	if !schema.is(object) || schema.has("$ref") {
		return false
	}
	admits := func(v *value) bool { return f.viewOf(f.root).shape([]*value{v}).null }
	had, without := admits(schema), schema.clone()
	if !stripNull(without) || admits(without) || without.compact() == schema.compact() {
		return false
	}
	if had {
		f.announceNull(schema)
	}
	*schema = *without
	f.flatten(schema, asRequest)
	f.words(schema, asRequest)
	return had
}

// announceNull is of a schema and those of its alternatives that admit something else too.
func (f *fixer) announceNull(schema *value) {
	f.announce(schema, "null", "null is no longer admitted")
	told := f.announcements[announcement{f.owner, schema.pointer, "null"}]
	for _, one := range slices.Concat(schema.get("anyOf").list(), schema.get("oneOf").list()) {
		if one.is(object) && !isNull(one) {
			f.announceNull(one)
			f.announcements[announcement{f.owner, one.pointer, "null"}] = told // once for all of them
		}
	}
}

// stripNull reports whether something is left.
func stripNull(schema *value) bool {
	if isNull(schema) {
		return false
	}
	isNullText := func(v *value) bool { return v.str() == "null" }
	if list := schema.get("type"); list.is(array) && slices.ContainsFunc(list.elements, isNullText) {
		list.elements = slices.DeleteFunc(list.elements, isNullText)
		if len(list.elements) == 1 {
			schema.set("type", list.elements[0])
		}
	}
	if enum := schema.get("enum"); enum.is(array) {
		enum.elements = slices.DeleteFunc(enum.elements, func(v *value) bool { return v.is(null) })
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if union := schema.get(word); union.is(array) {
			union.elements = slices.DeleteFunc(union.elements,
				func(one *value) bool { return one.is(object) && !stripNull(one) })
		}
	}
	return true
}

// cut is G074: where a schema would contain itself, an object without members stands
// instead. Bases are never cut off.
func (f *fixer) cut(schemas *value) {
	above, done := map[string]bool{}, map[string]bool{}
	var visit func(schema *value) *value
	enter := func(name string) {
		if !done[name] {
			above[name] = true
			visit(schemas.get(name))
			above[name], done[name] = false, true
		}
	}
	visit = func(schema *value) *value {
		name, ok := component(schema.get("$ref").str())
		switch {
		case ok && above[name]:
			if f.leaveRing(schema) {
				return schema
			}
			return f.end(schema)
		case ok && schemas.get(name).is(object):
			enter(name)
		}
		parts := schema.get("allOf")
		inherits := parts.is(array) && !wraps(schema)
		if inherits {
			schema.set("allOf", newArray())
		}
		mapSchemas(schema, visit)
		if inherits {
			schema.set("allOf", parts)
			for _, part := range parts.elements {
				if name, ok := component(part.get("$ref").str()); ok && schemas.get(name).is(object) && !above[name] {
					enter(name)
				} else if !ok {
					visit(part)
				}
			}
		}
		return schema
	}
	for _, name := range schemas.order() {
		enter(name)
	}
}

// end stands for a reference to a schema in which it stands itself.
func (f *fixer) end(schema *value) *value {
	ref := schema.get("$ref").str()
	name := ref[strings.LastIndex(ref, "/")+1:]
	f.announce(schema, ended, "the schema %s, which contains itself, ends here", name)
	end := newObject()
	end.pointer, end.line = schema.pointer+ended, schema.line
	end.set("type", newText("object"))
	whole := f.viewOf(f.modern).shape([]*value{schema})
	end.set("description", newText(cmp.Or(whole.description, "As "+name)))
	end.set("properties", newObject())
	if whole.null {
		return admitNull(end)
	}
	return end
}
