package lint

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"guestpass/openapi/internal/actions"
)

// A view reads a document as OpenAPI means it, whatever way it is written in: references
// followed, allOf put together, null said in one way. It knows nothing of rules.
type view struct {
	*linter        // for references
	root    *value //
	old     bool   // OpenAPI 3.0, which ignores what stands beside $ref
	nulls   nulls
}

func (l *linter) viewOf(root *value) *view {
	return &view{linter: l, root: root, old: strings.HasPrefix(root.get("openapi").written(), "3.0")}
}

// A call is one operation.
type call struct {
	method, path string
	item, node   *value
	name         string
}

// name is that of an operation, with or without the slash that its path lacks: unless another
// path has it.
func (v *view) name(method, path string) string {
	if !strings.HasPrefix(path, "/") && !v.root.get("paths").has("/"+path) {
		path = "/" + path
	}
	return strings.ToUpper(method) + " " + path
}

func (v *view) calls() []call {
	var calls []call
	v.root.get("paths").each(func(path string, item *value) bool {
		item = or(v.target(v.root, item), item)
		item.each(func(method string, node *value) bool {
			if (slices.Contains(methods, method) || slices.Contains(otherMethods, method)) && node.is(object) {
				calls = append(calls, call{method, path, item, node, v.name(method, path)})
			}
			return true
		})
		return true
	})
	return calls
}

// words returns what an operation says outside of its parameters, body and responses.
func (v *view) words(c call) map[string]string {
	words := map[string]string{"server": v.server(c), "security": v.security(c)}
	c.node.each(func(name string, written *value) bool {
		if _, isPart := partKinds[name]; !isPart && (!written.is(null) || strings.HasPrefix(name, "x-")) {
			words[name] = written.compact()
		}
		return true
	})
	for name, want := range partKinds {
		for _, from := range []*value{c.node, c.item} { // what is wrong there may not get lost either
			if written := from.get(name); written != nil && !written.is(want) && !written.is(null) &&
				name != "security" {
				words["wrong "+name] += written.compact()
			}
		}
	}
	for _, name := range []string{"summary", "description"} {
		if written := c.item.get(name); written != nil && !written.is(null) {
			if words[name] == "" {
				words[name] = written.compact()
			} else {
				words[name+" of the path"] = written.compact()
			}
		}
	}
	return words
}

// partKinds are the members of an operation that are compared by what they mean, and what
// each has to be.
var partKinds = map[string]kind{"parameters": array, "servers": array, "requestBody": object, "responses": object,
	"security": array}

// server returns the first server of an operation, wherever it is said.
func (v *view) server(c call) string {
	for _, from := range []*value{c.node, c.item, v.root} {
		if list := from.get("servers").list(); len(list) > 0 {
			return sameServer(list[0].get("url").str())
		}
	}
	return ""
}

func (v *view) security(c call) string {
	written := or(c.node.get("security"), v.root.get("security"))
	if written.is(null) {
		written = v.root.get("security")
	}
	if written.is(object) { // which is wrong, but can only be meant so
		return "[" + written.compact() + "]"
	}
	if written == nil {
		return ""
	}
	return written.compact()
}

// parameters returns the parameters of an operation by place and name, and the references
// that lead nowhere.
func (v *view) parameters(c call) (byName map[string]*value, lost []string) {
	byName = map[string]*value{}
	for _, one := range v.effective(v.root, c.item, c.node) {
		node := v.target(v.root, one)
		switch {
		case node == nil:
			lost = append(lost, one.get("$ref").str())
		case !notThere(node):
			key := parameterKey(node)
			byName[key[0]+" "+key[1]] = node
		}
	}
	slices.Sort(lost)
	return byName, slices.Compact(lost)
}

// A shape is what schemas say that hold together.
type shape struct {
	origins     []string // pointers to the schemas
	lost        []string // references that lead nowhere
	kinds       []string // types but null
	null        bool     // null is admitted
	required    map[string]bool
	properties  map[string][]*value
	inner       map[string][]*value // schemas under other words
	words       map[string]string   // everything else
	description string              // as it reads
	choices     []string            // of enum and const, but null; nil without
	says        bool                // null is named as one of the values
	unions      map[string]bool     // as they are written
	closed      []*value            // bases that refuse properties which they do not name

	added map[addition]bool // what was put together already
	above map[*value]bool   // what is being put together
}

// An addition is a schema that was added as a base of others, or not as one.
type addition struct {
	schema *value
	base   bool
}

// shape puts together schemas that hold all at once.
func (v *view) shape(schemas []*value) *shape {
	s := v.gathered(schemas)
	for _, schema := range schemas {
		s.null = s.null && v.permitsNull(schema)
	}
	return s
}

// gathered returns a shape whose null says only whether a type that people leave out would refuse it:
// what the alternatives of unions say of it is a question of its own.
func (v *view) gathered(schemas []*value) *shape {
	s := &shape{required: map[string]bool{}, properties: map[string][]*value{}, inner: map[string][]*value{},
		words: map[string]string{}, null: true, unions: map[string]bool{}, added: map[addition]bool{},
		above: map[*value]bool{}}
	for _, schema := range schemas {
		v.add(s, schema, false)
	}
	for _, base := range s.closed {
		for _, name := range slices.Sorted(maps.Keys(s.properties)) {
			if !base.get("properties").has(name) {
				s.assert("refused properties", name)
			}
		}
	}
	if s.choices != nil {
		s.words["enum"] = strings.Join(s.choices, ",")
	}
	if len(s.kinds) == 0 {
		s.infer()
	}
	if slices.Contains(s.kinds, "integer") {
		s.kinds = slices.DeleteFunc(s.kinds, func(kind string) bool { return kind == "number" })
	}
	slices.Sort(s.kinds)
	s.kinds = slices.Compact(s.kinds)
	return s
}

// infer is the type that people leave out.
func (s *shape) infer() {
	kind := ""
	switch {
	case len(s.choices) > 0:
		kind = kindOf(s.choices[0])
		for _, one := range s.choices {
			if kindOf(one) != kind {
				return // which is all that they are
			}
		}
	case len(s.properties) > 0:
		kind = "object"
	case len(s.inner["items"]) > 0:
		kind = "array"
	}
	if kind != "" {
		s.kinds = []string{kind}
		s.null = s.null && (s.says || s.choices != nil)
	}
}

// kindOf returns the type of a value in JSON.
func kindOf(written string) string {
	kind := map[byte]string{'"': "string", 't': "boolean", 'f': "boolean", '{': "object", '[': "array"}[written[0]]
	return cmp.Or(kind, "number")
}

// add is of a schema that holds together with others. A base hands down what it says, but not
// that its heirs are meant by it. What comes a second time says nothing new.
func (v *view) add(s *shape, schema *value, base bool) {
	if v.visit(1); schema == nil || schema.is(null) || s.above[schema] || s.added[addition{schema, base}] {
		return
	}
	s.added[addition{schema, base}] = true
	s.origins = append(s.origins, schema.pointer)
	if !schema.is(object) {
		if !schema.isTrue() {
			s.words["no schema"] = schema.compact()
		}
		return
	}
	s.above[schema] = true
	defer delete(s.above, schema)
	if base && closes(schema) {
		s.closed = append(s.closed, schema)
	}
	ref := schema.get("$ref").str()
	if ref == "" || !v.old {
		schema.each(func(word string, content *value) bool {
			if word != "discriminator" || !base {
				v.word(s, schema, word, content)
			}
			return true
		})
	}
	if ref != "" {
		target := v.lookUp(v.root, ref)
		if target == nil {
			s.lost = append(s.lost, ref)
		}
		v.add(s, target, base)
		if v.old {
			return
		}
	}
	for _, part := range schema.get("allOf").list() {
		v.add(s, part, base || !wraps(schema))
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if alternatives := v.alternatives(schema.get(word)); len(alternatives) == 1 {
			v.add(s, alternatives[0], base)
		}
	}
}

// alternatives returns those of a union that admit something other than null.
func (v *view) alternatives(union *value) []*value {
	return slices.DeleteFunc(slices.Clone(union.list()),
		func(one *value) bool { return admitsNothing(one) || isNull(one) })
}

func (v *view) word(s *shape, schema *value, word string, content *value) {
	if want, fixed := wordKinds[word]; fixed && !content.is(want) {
		if !content.is(null) {
			s.assert("wrong "+word, content.compact())
		}
		return
	}
	switch word {
	case "$ref", "allOf", "$defs", "definitions":
	case "nullable":
		s.says = s.says || content.isTrue()
	case "type":
		s.addKinds(content)
	case "enum":
		s.choose(content.list())
	case "const":
		s.choose([]*value{content})
	case "required":
		for _, name := range content.list() {
			s.required[name.str()] = true
		}
	case "properties":
		content.each(func(name string, inner *value) bool {
			s.properties[name] = append(s.properties[name], inner)
			return true
		})
	case "anyOf", "oneOf":
		v.union(s, word, content)
	case "discriminator":
		s.words[word] = content.compact()
		s.words["names of a discriminator"] = strings.Join(impliedNames(schema), " ")
		v.subtypes(s, schema)
	case "minimum", "maximum":
		if exclusive := schema.get("exclusive" + strings.ToUpper(word[:1]) + word[1:]); !exclusive.isTrue() {
			s.assert(word, content.compact())
		}
	case "exclusiveMinimum", "exclusiveMaximum":
		if limit := schema.get(strings.ToLower(strings.TrimPrefix(word, "exclusive"))); content.isTrue() &&
			limit != nil {
			content = limit
		}
		if !content.is(boolean) {
			s.assert(word, content.compact())
		}
	default:
		v.otherWord(s, word, content)
	}
}

// wordKinds are what the words of a schema have to be that are compared by what they mean.
var wordKinds = map[string]kind{"allOf": array, "anyOf": array, "oneOf": array, "prefixItems": array, "enum": array,
	"required":   array,
	"properties": object, "patternProperties": object, "dependentSchemas": object, "nullable": boolean}

func (v *view) otherWord(s *shape, word string, content *value) {
	switch {
	// as if it were not there
	case content.is(null) && word != "default" && word != "example" && !strings.HasPrefix(word, "x-"):
	case slices.Contains(holdsOne, word):
		switch {
		case word == "not" && admitsAll(content):
			s.words["not"] = "{}"
		case content.is(object):
			s.inner[word] = append(s.inner[word], content)
		case !content.isTrue():
			s.words[word] = content.compact()
		}
	case slices.Contains(holdsMap, word):
		content.each(func(name string, inner *value) bool {
			s.inner[word+" "+name] = append(s.inner[word+" "+name], inner)
			return true
		})
	case slices.Contains(holdsList, word):
		for i, inner := range content.list() {
			s.inner[word+" "+strconv.Itoa(i)] = append(s.inner[word+" "+strconv.Itoa(i)], inner)
		}
	case isAnnotation(word):
		if _, said := s.words[word]; !said { // the outermost counts
			s.words[word] = content.compact()
			if word == "description" {
				s.description = content.str()
			}
		}
	default:
		s.assert(word, content.compact())
	}
}

// isAnnotation reports whether a word tells of values, but admits and refuses none.
func isAnnotation(word string) bool {
	return strings.HasPrefix(word, "x-") ||
		slices.Contains([]string{"title", "description", "default", "example", "examples",
			"deprecated", "externalDocs", "xml", "$comment"}, word)
}

// assert adds a condition to those of the same word.
func (s *shape) assert(word, text string) {
	if said := s.words[word]; said != "" && !slices.Contains(strings.Split(said, " and "), text) {
		text = said + " and " + text
	} else if said != "" {
		text = said
	}
	s.words[word] = text
}

func (s *shape) addKinds(content *value) {
	written := content.list()
	if content.is(text) {
		written = []*value{content}
	}
	for _, one := range written {
		if one.str() == "null" {
			s.says = true
		} else {
			s.kinds = append(s.kinds, one.str())
		}
	}
}

// choose keeps of the choices those that are among others as well.
func (s *shape) choose(values []*value) {
	choices := []string{}
	for _, one := range values {
		if one.is(null) {
			s.says = true
		} else if text := one.compact(); s.choices == nil || slices.Contains(s.choices, text) {
			choices = append(choices, text)
		}
	}
	s.choices = choices
}

// union notes the alternatives, if there are several.
func (v *view) union(s *shape, word string, content *value) {
	alternatives := v.alternatives(content)
	s.says = s.says || slices.ContainsFunc(content.list(), isNull)
	switch {
	case len(alternatives) > 1:
		written := word + content.compact()
		if s.unions[written] { // by another way, or in a copy
			return
		}
		s.unions[written] = true
		for i, one := range alternatives {
			name := word + " " + strconv.Itoa(len(s.unions)) + "." + strconv.Itoa(i)
			s.inner[name] = append(s.inner[name], one)
		}
	case len(alternatives) == 0:
		s.words[word] = "nothing"
	}
}

// subtypes follows a discriminator: to the schemas of its mapping, and to those components
// that are made of this one by allOf.
func (v *view) subtypes(s *shape, schema *value) {
	for name, one := range subtypes(v.linter, v.root, schema) {
		s.inner["discriminator "+name] = append(s.inner["discriminator "+name], one)
	}
}

// subtypes returns the schemas that a discriminator leads to, by the name of the component or
// the value that stands for it.
func subtypes(l *linter, root, schema *value) map[string]*value {
	found := map[string]*value{}
	discriminator := schema.get("discriminator")
	if !discriminator.is(object) {
		return found
	}
	l.visit(len(root.get("components", "schemas").order()))
	discriminator.get("mapping").each(func(name string, to *value) bool {
		if target := l.lookUp(root, mappingRef(to.str())); target != nil {
			found[name] = target
		}
		return true
	})
	root.get("components", "schemas").each(func(name string, other *value) bool {
		for _, part := range other.get("allOf").list() {
			if ref := part.get("$ref").str(); ref != "" && l.lookUp(root, ref) == schema {
				found["of "+name] = other
			}
		}
		return true
	})
	return found
}

// impliedNames returns the references of a union, whose last parts are values of the discriminator
// beside it.
func impliedNames(schema *value) []string {
	var refs []string
	for _, word := range []string{"anyOf", "oneOf"} {
		for _, one := range schema.get(word).list() {
			if ref := one.get("$ref").str(); ref != "" {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// mappingRef returns the reference that a value of a mapping means: itself, or that to the
// component of this name.
func mappingRef(to string) string {
	if strings.ContainsAny(to, "#/") {
		return to
	}
	return schemaPrefix + to
}

// written returns the text of a scalar, be it a string or a number.
func (v *value) written() string {
	if v == nil {
		return ""
	}
	return v.scalar
}

// sameServer is equal for two spellings of one server.
func sameServer(text string) string {
	if u := normalServer(text); u != nil {
		return u.String()
	}
	return strings.TrimRight(text, "/")
}

// closes reports whether a schema says something of the properties that it does not name.
func closes(schema *value) bool {
	for _, word := range []string{"additionalProperties", "unevaluatedProperties"} {
		if others := schema.get(word); others != nil && !admitsAll(others) && !others.is(null) {
			return true
		}
	}
	return false
}

// wraps reports whether a schema only says something of another one, which it names by allOf.
func wraps(schema *value) bool {
	for _, word := range schema.names {
		if word != "allOf" && word != "nullable" && !isAnnotation(word) {
			return false
		}
	}
	return len(schema.get("allOf").list()) == 1
}

// normalServer writes a server as the editor compares it (G011, G013), or nil.
func normalServer(text string) *url.URL {
	u := actions.Absolute(text)
	if u == nil {
		return nil
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":")
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	u.Host = strings.TrimSuffix(host, ".")
	u.Path = strings.TrimRight(u.Path, "/")
	return u
}
