package lint

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"guestpass/openapi/internal/actions"
)

// Fix returns a copy of the document in which what can be mended without asking is mended,
// in the syntax of the original, and what is wrong with the copy. Nothing is guessed that
// would change what a call does: names that clash, texts that are missing and shapes that
// mean several things are left. Its error says why there is no copy.
func Fix(ctx context.Context, source []byte, o Options) (fixed []byte, left []Finding, err error) {
	findings, l := check(ctx, source, o)
	if l.root == nil || !l.root.is(object) {
		return nil, findings, errNoSyntax
	}
	f := &fixer{linter: l, left: maxInlined}
	f.document()
	if fixed, err = l.root.write(l.isJSON); err != nil {
		return nil, findings, err
	}
	left = Check(ctx, fixed, o)
	return fixed, left, nil
}

// fixer changes the values of the linter's document in place.
type fixer struct {
	*linter
	left int // values that inlining may still add
}

func (f *fixer) document() {
	root := f.root
	dropNulls(root)
	if strings.HasPrefix(root.get("openapi").written(), "3.") {
		root.set("openapi", newText("3.1.0")) // G001
	}
	root.remove("webhooks") // G026
	f.info()
	f.servers()
	f.paths()
	f.security(root)
	if components := root.get("components"); components == nil {
		root.set("components", newObject())
	}
	if components := root.get("components"); components.is(object) {
		components.remove("callbacks")
		components.remove("links")
		if !components.get("schemas").is(object) {
			components.set("schemas", newObject()) // G006
		}
		f.unused(components)
		f.cut(components.get("schemas"))
		components.get("schemas").each(func(_ string, schema *value) bool { f.schema(schema, asComponent); return true })
	}
}

// written is the text of a scalar, be it a string or a number.
func (v *value) written() string {
	if v == nil {
		return ""
	}
	return v.scalar
}

// dropNulls is G003, but for values that may be null.
func dropNulls(v *value) {
	v.each(func(name string, inner *value) bool {
		if inner.is(null) && name != "default" && name != "example" {
			v.remove(name)
		} else if !slices.Contains([]string{"default", "example", "examples", "enum"}, name) {
			dropNulls(inner)
		}
		return true
	})
	for _, inner := range v.list() {
		dropNulls(inner)
	}
}

// info is G004.
func (f *fixer) info() {
	info := f.root.get("info")
	if !info.is(object) {
		return
	}
	for _, name := range []string{"title", "version"} {
		if written := info.get(name); written.is(number) {
			info.set(name, newText(written.scalar))
		}
	}
	if info.get("version") == nil {
		info.set("version", newText("1"))
	}
}

// servers is G011 to G013: the first that ChatGPT could call is kept.
func (f *fixer) servers() {
	servers := f.root.get("servers")
	for i, server := range servers.list() {
		u := actions.Absolute(server.get("url").str())
		if u == nil {
			continue
		}
		u.Host = strings.ToLower(u.Host)
		if u.Scheme == "https" {
			u.Host = strings.TrimSuffix(u.Host, ":443")
		}
		u.Path = strings.TrimRight(u.Path, "/")
		if actions.NotPublic(u) != "" && i+1 < len(servers.list()) {
			continue
		}
		servers.elements = []*value{server}
		server.remove("variables")
		server.set("url", newText((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()))
		return
	}
}

func (f *fixer) paths() {
	paths := f.root.get("paths")
	ids := map[string]bool{}
	paths.each(func(path string, item *value) bool {
		item.each(func(member string, node *value) bool {
			if slices.Contains(methods, member) && node.is(object) {
				f.operation(&operation{linter: f.linter, method: member, path: path, node: node}, item, ids)
			}
			return true
		})
		for _, member := range slices.Clone(item.names) { // G014, G022, G025
			if !slices.Contains(methods, member) {
				item.remove(member)
			}
		}
		switch {
		case len(item.names) == 0 && item.is(object):
			paths.remove(path)
		case path != "" && path[0] != '/' && !paths.has("/"+path): // G013: the editor would skip it
			paths.remove(path)
			paths.set("/"+path, item)
		}
		return true
	})
}

func (f *fixer) operation(o *operation, item *value, ids map[string]bool) {
	for _, name := range []string{"callbacks", "servers"} {
		o.node.remove(name)
	}
	id := o.node.get("operationId").str()
	if len(id) > actions.MaxOperationID || !actions.OperationID.MatchString(id) { // G030
		if id = actions.CamelCase(id); !actions.OperationID.MatchString(id) || ids[strings.ToLower(id)] {
			id = o.suggestedID()
		}
		if actions.OperationID.MatchString(id) && !ids[strings.ToLower(id)] {
			o.node.set("operationId", newText(id))
		}
	}
	ids[strings.ToLower(id)] = true
	for _, name := range []string{"summary", "description"} {
		shorten(o.node, name, actions.MaxOperationText) // G032
	}
	if !o.node.get(consequential).is(boolean) { // G060
		o.node.set(consequential, newBoolean(o.method != "get"))
	}
	f.security(o.node)
	f.parameters(o, item)
	f.body(o)
	f.responses(o)
}

// shorten cuts a text at a sentence, or a word, under its limit.
func shorten(v *value, name string, limit int) {
	written := v.get(name).str()
	if utf8.RuneCountInString(written) <= limit {
		return
	}
	cut := string([]rune(written)[:limit-5])
	if end := strings.LastIndex(cut, ". "); end > limit/3 {
		cut = cut[:end+1]
	} else if end := strings.LastIndex(cut, " "); end > 0 {
		cut = cut[:end] + " …"
	}
	v.set(name, newText(cut))
}

// security is G101: an object where a list is wanted.
func (f *fixer) security(v *value) {
	if written := v.get("security"); written.is(object) {
		list := newArray()
		list.append(written)
		v.set("security", list)
	}
}

// parameters is G024, G025, G040, G041 and the part of G043 about required.
func (f *fixer) parameters(o *operation, item *value) {
	list := newArray()
	seen := map[string]bool{}
	for _, from := range []*value{o.node.get("parameters"), item.get("parameters")} { // the operation's own come first
		for _, node := range from.list() {
			if node.has("$ref") {
				target := o.component("parameters", node)
				if target == nil {
					continue
				}
				node = target.copy()
			}
			in, key := node.get("in").str(), node.get("in").str()+" "+node.get("name").str()
			if seen[key] || (in == "header" || in == "cookie") && !node.get("required").isTrue() {
				continue
			}
			seen[key] = true
			if in == "path" {
				node.set("required", newBoolean(true))
			}
			shorten(node, "description", actions.MaxArgumentText)
			f.inline(node, "schema")
			list.append(node)
		}
	}
	o.node.set("parameters", list)
}

// body is G050, G052 and G056.
func (f *fixer) body(o *operation) {
	if target := o.component("requestBodies", o.node.get("requestBody")); target != nil {
		o.node.set("requestBody", target.copy())
	}
	body := o.node.get("requestBody")
	if !body.is(object) {
		return
	}
	content := body.get("content")
	if content.has(jsonType) {
		for _, kind := range slices.Clone(content.names) {
			if kind != jsonType {
				content.remove(kind)
			}
		}
	}
	f.inline(content.get(jsonType), "schema")
	if !body.get("required").is(boolean) {
		body.set("required", newBoolean(len(content.get(jsonType, "schema", "required").list()) > 0))
	}
}

// responses is G026 and G091.
func (f *fixer) responses(o *operation) {
	responses := o.node.get("responses")
	if responses.has("default") && len(responses.names) > 1 {
		responses.remove("default")
	}
	responses.each(func(status string, response *value) bool {
		if target := o.component("responses", response); target != nil {
			response = target.copy()
			responses.set(status, response)
		}
		if !response.is(object) {
			return true
		}
		response.remove("links")
		if content := response.get("content"); content.is(object) {
			content.remove("application/problem+json")
			if len(content.names) == 0 {
				response.remove("content")
			}
			content.each(func(_ string, media *value) bool { f.schema(media.get("schema"), asResponse); return true })
		}
		return true
	})
}

// maxInlined bounds what inlining may make of a document.
const maxInlined = maxValues

// inline is G053 and G078: the schema of that member is written where it is used, and then
// mended as one of a request. One that contains itself stays a reference.
func (f *fixer) inline(v *value, name string) {
	schema := v.get(name)
	if schema == nil {
		return
	}
	if whole := f.inlined(schema, nil); whole != nil {
		schema = whole
		v.set(name, schema)
	}
	f.schema(schema, asRequest)
}

// inlined returns nil for what contains itself, is not found, or grows too large.
func (f *fixer) inlined(schema *value, above []string) *value {
	if f.left--; f.left < 0 || len(above) > maxNested {
		return nil
	}
	if ref := schema.get("$ref").str(); ref != "" {
		target := f.resolve(schema)
		if target == nil || slices.Contains(above, ref) {
			return nil
		}
		return f.inlined(target, append(slices.Clip(above), ref))
	}
	out := *schema
	out.names = slices.Clone(schema.names)
	if schema.members != nil {
		out.members = map[string]*value{}
		for name, inner := range schema.members {
			if out.members[name] = f.inlined(inner, above); out.members[name] == nil {
				return nil
			}
		}
	}
	out.elements = nil
	for _, inner := range schema.elements {
		whole := f.inlined(inner, above)
		if whole == nil {
			return nil
		}
		out.elements = append(out.elements, whole)
	}
	return &out
}

// schema mends a schema and those inside it.
func (f *fixer) schema(schema *value, as use) {
	if !schema.is(object) {
		return
	}
	if ref := schema.get("$ref"); ref != nil { // G078: what stands beside it is ignored
		schema.names, schema.members = []string{"$ref"}, map[string]*value{"$ref": ref}
		return
	}
	oldStyle(schema)
	unite(schema)
	withoutNull(schema, as)
	if properties := schema.get("properties"); properties.is(object) {
		properties.remove("$schema") // G054
		properties.each(func(name string, inner *value) bool {
			if withoutNull(inner, as) && as != asComponent { // G075: what was null is left out
				optional(schema, name)
			}
			f.schema(inner, as)
			return true
		})
	}
	infer(schema)
	if hasType(schema, "object") && !schema.has("properties") {
		schema.set("properties", newObject()) // G070
	}
	declared(schema)
	for _, name := range []string{"default", "example"} { // the other half of G080
		if given := schema.get(name); given != nil && !fits(given, schema) {
			schema.remove(name)
		}
	}
	shorten(schema, "description", actions.MaxArgumentText) // G035
	for _, name := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		if unsafe(schema.get(name).written()) {
			schema.remove(name) // G008
		}
	}
	for _, word := range append([]string{"items", "additionalProperties"}, conditions...) {
		f.schema(schema.get(word), as)
	}
	for _, word := range combinators {
		for _, inner := range schema.get(word).list() {
			f.schema(inner, as)
		}
	}
}

// oldStyle rewrites what OpenAPI 3.0 says otherwise, and const (G076).
func oldStyle(schema *value) {
	for bound, exclusive := range map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"} {
		if flag := schema.get(exclusive); flag.is(boolean) {
			schema.remove(exclusive)
			if limit := schema.get(bound); flag.isTrue() && limit != nil {
				schema.remove(bound)
				schema.set(exclusive, limit)
			}
		}
	}
	if constant := schema.get("const"); constant != nil {
		list := newArray()
		list.append(constant)
		schema.remove("const")
		schema.set("enum", list)
	}
}

// unite makes one schema of a combination of one, or of one and null (G076).
func unite(schema *value) {
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		var meant []*value
		for _, inner := range schema.get(word).list() {
			if inner.get("type").str() != "null" {
				meant = append(meant, inner)
			}
		}
		if len(meant) != 1 || !meant[0].is(object) || meant[0].has("$ref") {
			continue
		}
		hadNull := len(schema.get(word).list()) > 1
		schema.remove(word)
		meant[0].each(func(name string, inner *value) bool {
			if !schema.has(name) {
				schema.set(name, inner)
			}
			return true
		})
		if hadNull {
			schema.set("nullable", newBoolean(true)) // withoutNull makes it optional
		}
	}
}

// withoutNull takes null out of the type and says whether it was there (G075).
func withoutNull(schema *value, as use) bool {
	if !schema.is(object) {
		return false
	}
	had := schema.get("nullable").isTrue()
	schema.remove("nullable")
	if list := schema.get("type"); list.is(array) {
		kinds := slices.DeleteFunc(slices.Clone(list.elements), func(v *value) bool { return v.str() == "null" })
		had = had || len(kinds) < len(list.elements)
		if len(kinds) == 1 {
			schema.set("type", kinds[0])
		}
	}
	return had
}

func optional(schema *value, name string) {
	if required := schema.get("required"); required.is(array) {
		required.elements = slices.DeleteFunc(required.elements, func(v *value) bool { return v.str() == name })
	}
}

// infer is G072: a type that follows from the rest.
func infer(schema *value) {
	if schema.has("type") {
		return
	}
	switch {
	case schema.get("properties").is(object):
		schema.set("type", newText("object"))
	case schema.has("items"):
		schema.set("type", newText("array"))
	case len(schema.get("enum").list()) > 0:
		kinds := map[kind]string{text: "string", boolean: "boolean", number: "number"}
		if name := kinds[schema.get("enum").elements[0].kind]; name != "" {
			schema.set("type", newText(name))
		}
	}
}

// declared is the half of G080 about required.
func declared(schema *value) {
	properties, required := schema.get("properties"), schema.get("required")
	if !properties.is(object) || !required.is(array) || schema.has("allOf") {
		return
	}
	required.elements = slices.DeleteFunc(required.elements, func(v *value) bool { return !properties.has(v.str()) })
}

// cut is G074: where a schema would contain itself, an object without members stands
// instead. What comes back is then described less deep, and no call changes.
func (f *fixer) cut(schemas *value) {
	above, done := map[string]bool{}, map[string]bool{}
	var visit func(v *value)
	visit = func(v *value) {
		v.each(func(member string, inner *value) bool {
			name, ok := strings.CutPrefix(inner.get("$ref").str(), schemaPrefix)
			switch {
			case ok && above[name]:
				again := newObject()
				again.set("type", newText("object"))
				again.set("description", newText("As "+name))
				again.set("properties", newObject())
				v.set(member, again)
			case ok && schemas.has(name) && !done[name]:
				above[name] = true
				visit(schemas.get(name))
				above[name], done[name] = false, true
			case !ok:
				visit(inner)
			}
			return true
		})
		for i, inner := range v.list() {
			holder := newObject()
			holder.set("element", inner)
			visit(holder)
			v.elements[i] = holder.get("element")
		}
	}
	schemas.each(func(name string, schema *value) bool {
		if !done[name] {
			above[name] = true
			visit(schema)
			above[name], done[name] = false, true
		}
		return true
	})
}

// unused removes what inlining has left without a reference: an importer looks at it all
// the same.
func (f *fixer) unused(components *value) {
	for _, kind := range []string{"parameters", "requestBodies", "responses"} {
		components.remove(kind)
	}
	schemas := components.get("schemas")
	used := map[string]bool{}
	var mark func(v *value)
	mark = func(v *value) {
		for _, name := range references(v, nil) {
			if !used[name] {
				used[name] = true
				mark(schemas.get(name))
			}
		}
	}
	mark(f.root.get("paths"))
	for _, name := range slices.Clone(schemas.names) {
		if !used[name] {
			schemas.remove(name)
		}
	}
}
