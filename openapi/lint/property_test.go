//go:build !production

package lint

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var generated = flag.Int("generated", 100, "documents that TestFixLosesNothingOfGeneratedDocuments makes")

// A maker writes documents at random in the ways in which generators write them.
type maker struct {
	*rand.Rand
	old   bool // OpenAPI 3.0
	names []string
	texts int
	own   string // ends the names of a component's properties
}

type object_ = map[string]any // of JSON; the tests read it without the package's own value

func (m *maker) one(of ...func() any) any { return of[m.IntN(len(of))]() }

func (m *maker) text() string {
	m.texts++
	return fmt.Sprintf("Text %d", m.texts)
}

func (m *maker) ref() object_ {
	name := m.names[m.IntN(len(m.names))]
	if m.IntN(25) == 0 {
		name = "Lost"
	}
	return object_{"$ref": schemaPrefix + name}
}

func (m *maker) scalar() object_ {
	return m.one(
		func() any { return object_{"type": "string"} },
		func() any { return object_{"type": "integer", "minimum": m.IntN(5)} },
		func() any { return object_{"type": "string", "enum": []any{"a", "b"}} },
		func() any { return object_{"type": "boolean"} },
		func() any { return object_{"type": "number", "format": "double"} },
		func() any { return object_{"enum": []any{"c", "d"}} },
	).(object_)
}

// property returns a schema with, sometimes, a text and null.
func (m *maker) property(depth int) object_ {
	var s object_
	switch n := m.IntN(10); {
	case n < 4 || depth > 3:
		s = m.scalar()
	case n < 6:
		s = m.reference()
	case n == 6:
		s = object_{"type": "array", "items": m.property(depth + 1)}
	case n == 7:
		s = m.union(depth)
	default:
		s = m.object(depth + 1)
	}
	if m.IntN(2) == 0 && (s["$ref"] == nil || !m.old || m.IntN(3) == 0) {
		s["description"] = m.text()
	}
	if m.IntN(3) == 0 {
		s = m.nullable(s)
	}
	return s
}

// reference returns a $ref in the ways in which words are put beside it.
func (m *maker) reference() object_ {
	return m.one(
		func() any { return m.ref() },
		func() any { return object_{"allOf": []any{m.ref()}} },
		func() any { return object_{"allOf": []any{m.ref()}, "description": m.text()} },
		func() any {
			ref := m.ref()
			ref["description"] = m.text()
			return ref
		},
	).(object_)
}

func (m *maker) union(depth int) object_ {
	word := []string{"anyOf", "oneOf"}[m.IntN(2)]
	return m.one(
		func() any { return object_{word: []any{object_{"not": object_{}}, m.scalar()}} },
		func() any { return object_{word: []any{m.scalar(), m.object(depth + 1)}} },
		func() any { return object_{word: []any{m.scalar()}} },
	).(object_)
}

func (m *maker) nullable(s object_) object_ {
	if m.old {
		s["nullable"] = true
		return s
	}
	if kind, ok := s["type"].(string); ok && m.IntN(2) == 0 {
		s["type"] = []any{kind, "null"}
		if enum, ok := s["enum"].([]any); ok && m.IntN(2) == 0 {
			s["enum"] = append(slices.Clone(enum), nil)
		}
		return s
	}
	if enum, ok := s["enum"].([]any); ok && s["type"] == nil && m.IntN(2) == 0 {
		s["enum"] = append(slices.Clone(enum), nil)
		return s
	}
	return object_{"anyOf": []any{s, object_{"type": "null"}}}
}

func (m *maker) object(depth int) object_ {
	properties, required := object_{}, []any{}
	for range 1 + m.IntN(3) {
		name := string(rune('a'+m.IntN(8))) + m.own
		properties[name] = m.property(depth)
		if m.IntN(2) == 0 && !slices.Contains(required, any(name)) {
			required = append(required, name)
		}
	}
	s := object_{"type": "object", "properties": properties}
	if m.IntN(6) == 0 {
		delete(s, "type")
	}
	if len(required) > 0 {
		s["required"] = required
	}
	if m.IntN(5) == 0 {
		s["additionalProperties"] = m.one(func() any { return true }, func() any { return false },
			func() any { return m.scalar() })
	}
	return s
}

// component inherits from a later one by allOf, in one of its two ways, or is plain.
func (m *maker) component(i int) object_ {
	if m.IntN(8) > 0 { // else what it inherits may have the same name
		m.own = m.names[i]
	}
	s := m.object(0)
	m.own = ""
	if i+1 == len(m.names) {
		return s
	}
	base := object_{"$ref": schemaPrefix + m.names[i+1+m.IntN(len(m.names)-i-1)]}
	switch m.IntN(4) {
	case 0:
		s["allOf"] = []any{base}
	case 1:
		return object_{"allOf": []any{base, s}, "description": m.text()}
	}
	return s
}

func (m *maker) parameter(in, name string) object_ {
	p := object_{"in": in, "name": name, "description": m.text(), "schema": m.scalar()}
	if in == "path" || m.IntN(3) == 0 && in != "header" {
		p["required"] = true
	}
	if m.IntN(4) == 0 {
		p["schema"] = m.nullable(p["schema"].(object_))
	}
	return p
}

func (m *maker) document() object_ {
	m.names = []string{"A", "B", "C", "D", "E"}
	schemas, parameters, paths := object_{}, object_{}, object_{}
	for i, name := range m.names {
		schemas[name] = m.component(i)
	}
	parameters["Page"] = m.parameter("query", "page")
	for i := range 1 + m.IntN(3) {
		list := []any{m.parameter("path", "id"), m.parameter("query", "q")}
		list = append(list, m.one(func() any { return m.parameter("header", "X-Trace") },
			func() any { return object_{"$ref": "#/components/parameters/Page"} },
			func() any { return object_{"$ref": "#/components/parameters/Lost"} },
			func() any { return object_{"$ref": "parts.yaml#/Lost"} }))
		item := object_{}
		if m.IntN(3) == 0 {
			item["parameters"] = []any{m.parameter("path", "id"), m.parameter("query", "fields")}
		}
		content := func() object_ { return object_{"application/json": object_{"schema": m.property(0)}} }
		item["post"] = object_{"operationId": fmt.Sprintf("op%d", i), "summary": m.text(), "description": m.text(),
			consequential: true, "parameters": list,
			"requestBody": object_{"required": true, "content": content()},
			"responses": object_{"200": object_{"description": "OK", "content": content()},
				"404": object_{"description": "Gone", "content": content()}}}
		paths[fmt.Sprintf("/p%d/{id}", i)] = item
	}
	return object_{"openapi": map[bool]string{true: "3.0.3", false: "3.1.0"}[m.old],
		"info": object_{"title": "T", "version": "1", "description": "D"}, "x-schema-hash": "0",
		"servers": []any{object_{"url": "https://api.example.com"}}, "paths": paths,
		"components": object_{"schemas": schemas, "parameters": parameters}}
}

// A reading is a second way to read a document, which shares nothing with the first: what
// there is at each path of properties, down to a depth.
type reading struct {
	root object_
	old  bool
}

// A fact is what is known of a property.
type fact struct {
	null, required, deep bool
	circular, empty      bool // of a component that contains itself; an object without properties
	kinds, text, enum    string
}

func (r reading) at(ref string) (object_, bool) {
	var v any = r.root
	if !strings.HasPrefix(ref, "#/") {
		return nil, false
	}
	for part := range strings.SplitSeq(ref[2:], "/") {
		m, _ := v.(object_)
		v = m[part]
	}
	m, ok := v.(object_)
	return m, ok
}

// parts returns the schemas that hold together, and whether null is said to be admitted.
func (r reading) parts(s object_, lost map[string]bool, within []string) (all []object_, null bool, circle bool) {
	beside := maps.Clone(s)
	delete(beside, "$ref")
	if ref, ok := s["$ref"].(string); ok {
		if !r.old {
			all = append(all, beside)
		}
		target, found := r.at(ref)
		switch {
		case !found:
			lost[ref] = true
			return all, true, false
		case slices.Contains(within, ref):
			return all, true, true
		}
		more, null, circle := r.parts(target, lost, append(slices.Clip(within), ref))
		return append(all, more...), null && (r.old || permits(beside)), circle
	}
	all, null = append(all, beside), permits(s)
	list, _ := s["allOf"].([]any)
	for _, one := range list {
		more, admits, inCircle := r.parts(one.(object_), lost, within)
		all, null, circle = append(all, more...), null && admits, circle || inCircle
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		list, _ := s[word].([]any)
		var meant []object_
		some := len(list) == 0
		for _, one := range list {
			alternative := one.(object_)
			if alternative["not"] != nil {
				continue
			}
			_, admits, _ := r.parts(alternative, map[string]bool{}, within)
			if some = some || admits; alternative["type"] != "null" {
				meant = append(meant, alternative)
			}
		}
		if null = null && some; len(meant) == 1 {
			more, _, inCircle := r.parts(meant[0], lost, within)
			all, circle = append(all, more...), circle || inCircle
		}
	}
	return all, null || s["nullable"] == true, circle
}

// permits reports whether the words of a schema let null pass.
func permits(s object_) bool {
	enum, closed := s["enum"].([]any)
	switch kind := s["type"].(type) {
	case string:
		return kind == "null" || s["nullable"] == true
	case []any:
		return slices.Contains(kind, any("null")) && (!closed || slices.Contains(enum, any(nil)))
	}
	return s["nullable"] == true || s["properties"] == nil && (!closed || slices.Contains(enum, any(nil)))
}

func (r reading) facts(path string, s object_, required bool, facts map[string]fact, lost map[string]bool,
	within []string) {
	all, null, circle := r.parts(s, lost, within)
	f := fact{null: null, required: required, deep: circle || strings.Count(path, ".")+strings.Count(path, "[]") > 5}
	var kinds []string
	names, needed := map[string][]any{}, map[string]bool{}
	for _, one := range all {
		if text, ok := one["description"].(string); ok && f.text == "" {
			f.text = text
		}
		for _, kind := range append([]any{one["type"]}, list(one["type"])...) {
			if kind, ok := kind.(string); ok && kind != "null" {
				kinds = append(kinds, kind)
			}
		}
		for name, inner := range asObject(one["properties"]) {
			names[name] = append(names[name], inner)
		}
		for _, name := range list(one["required"]) {
			needed[name.(string)] = true
		}
		if enum := slices.DeleteFunc(slices.Clone(list(one["enum"])),
			func(v any) bool { return v == nil }); len(enum) > 0 {
			f.enum += fmt.Sprint(enum)
		}
		if items := asObject(one["items"]); len(items) > 0 && !f.deep {
			r.facts(path+"[]", items, true, facts, lost, append(slices.Clip(within), "items"))
		}
	}
	f.empty = len(names) == 0 && slices.Contains(kinds, "object")
	f.circular = slices.ContainsFunc(r.through(s, nil), r.leadsToItself)
	slices.Sort(kinds)
	f.kinds = strings.Join(slices.Compact(kinds), " ")
	facts[path] = f
	if f.deep {
		return
	}
	for name, inner := range names {
		if len(inner) == 1 { // what stands twice is left to the comparison of the package itself
			r.facts(path+"."+name, inner[0].(object_), needed[name], facts, lost,
				append(append(slices.Clip(within), "."), r.through(s, nil)...))
		} else {
			facts[path+"."+name] = fact{required: needed[name], deep: true}
		}
	}
}

// through returns the references that a schema is reached by, so that circles end.
func (r reading) through(s object_, refs []string) []string {
	if ref, ok := s["$ref"].(string); ok && !slices.Contains(refs, ref) {
		target, _ := r.at(ref)
		refs = r.through(target, append(refs, ref))
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, one := range list(s[word]) {
			refs = r.through(asObject(one), refs)
		}
	}
	return refs
}

// leadsToItself reports whether what a reference names refers to it again.
func (r reading) leadsToItself(ref string) bool {
	seen, todo := map[string]bool{}, []string{ref}
	for len(todo) > 0 {
		target, _ := r.at(todo[0])
		text, _ := json.Marshal(target)
		todo = todo[1:]
		for _, part := range strings.Split(string(text), `"$ref":"`)[1:] {
			next, _, _ := strings.Cut(part, `"`)
			if next == ref {
				return true
			}
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return false
}

func list(v any) []any       { l, _ := v.([]any); return l }
func asObject(v any) object_ { m, _ := v.(object_); return m }
func (r reading) node(p string) object_ {
	return asObject(asObject(asObject(r.root["paths"])[p])["post"])
}

func read(t *testing.T, source []byte, old bool) reading {
	t.Helper()
	r := reading{old: old}
	if err := json.Unmarshal(source, &r.root); err != nil {
		t.Fatal(err)
	}
	return r
}

// parameters returns those of an operation, in words, and the references that lead nowhere.
func (r reading) parameters(path string) (said map[string]string, lost map[string]bool) {
	said, lost = map[string]string{}, map[string]bool{}
	for _, from := range []any{r.node(path)["parameters"], asObject(asObject(r.root["paths"])[path])["parameters"]} {
		for _, one := range list(from) {
			p := asObject(one)
			if ref, ok := p["$ref"].(string); ok {
				if p, ok = r.at(ref); !ok {
					lost[ref] = true
					continue
				}
			}
			key := fmt.Sprint(p["in"], " ", p["name"])
			if said[key] == "" && p["in"] != "header" {
				said[key] = fmt.Sprint(p["required"], p["description"])
			}
		}
	}
	return said, lost
}

// TestFixLosesNothingOfGeneratedDocuments mends documents made at random, and reads both
// in a second way: every operation, parameter, property, text and type is there as before;
// null is, but for named properties of a request, which are then not required.
func TestFixLosesNothingOfGeneratedDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it computes for long")
	}
	t.Parallel()
	kept, seeds := 0, uint64(*generated)
	for seed := range seeds {
		// #nosec G404 -- the same documents each time
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 12)), old: seed%2 == 0}
		source, err := json.Marshal(m.document())
		if err != nil {
			t.Fatal(err)
		}
		mended, err := Fix(t.Context(), source, Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		// not a closed base
		if slices.ContainsFunc(mended.Kept,
			func(c Change) bool { return strings.HasPrefix(c.What, "left as it was") }) {
			kept++
		}
		if testing.Verbose() {
			for _, k := range mended.Kept {
				t.Logf("seed %d: %s: %s", seed, k.Place, k.What)
			}
		}
		before, after := read(t, source, m.old), read(t, mended.Document, m.old && len(mended.Changes) == 0 &&
			strings.Contains(string(mended.Document), `"3.0.3"`))
		if problem := difference_(before, after); problem != "" {
			t.Errorf("seed %d: %s\n%s\nbecame\n%s\nchanges %v\nkept %v", seed, problem, source, mended.Document,
				mended.Changes, mended.Kept)
			return
		}
		again, err := Fix(t.Context(), mended.Document, Options{})
		if err != nil || len(again.Changes) > 0 && len(mended.Kept) == 0 {
			t.Errorf("seed %d: mended twice: %v, %v\n%s", seed, again.Changes, err, source)
			return
		}
	}
	// all that these documents have can be mended, unless it contradicts itself
	if kept > int(seeds)/50 {
		t.Errorf("parts of %d documents were put back", kept)
	}
}

func difference_(before, after reading) string {
	for path := range asObject(before.root["paths"]) {
		mine, theirs := before.node(path), after.node(path)
		if fmt.Sprint(mine["operationId"], mine["summary"], mine["description"]) != fmt.Sprint(theirs["operationId"],
			theirs["summary"], theirs["description"]) {
			return path + " says something else"
		}
		said, lost := before.parameters(path)
		saidToo, lostToo := after.parameters(path)
		if !maps.Equal(said, saidToo) || !maps.Equal(lost, lostToo) {
			return fmt.Sprintf("%s: parameters %v %v became %v %v", path, said, lost, saidToo, lostToo)
		}
		schemaOf := func(node object_, words ...string) object_ {
			for _, word := range append(words, "content", "application/json", "schema") {
				node = asObject(node[word])
			}
			return node
		}
		for _, words := range [][]string{{"requestBody"}, {"responses", "200"}, {"responses", "404"}} {
			if problem := unlike(before, after, schemaOf(mine, words...), schemaOf(theirs, words...),
				words[0] == "requestBody"); problem != "" {
				return path + " " + strings.Join(words, " ") + problem
			}
		}
	}
	return ""
}

func unlike(before, after reading, b, a object_, request bool) string {
	facts, factsToo, lost, lostToo := map[string]fact{}, map[string]fact{}, map[string]bool{}, map[string]bool{}
	before.facts("", b, true, facts, lost, nil)
	after.facts("", a, true, factsToo, lostToo, nil)
	for path, g := range factsToo { // cut off there
		f := facts[path]
		g.deep = g.deep || f.circular && g.empty && !f.empty
		factsToo[path] = g
	}
	for path, f := range facts {
		g, there := factsToo[path]
		switch named := path != "" && !strings.HasSuffix(path, "[]"); {
		case !there && !insideDeep(factsToo, path):
			return path + " is lost"
		case f.deep || g.deep || !there: // a circle may be cut there
		case f.kinds != g.kinds && f.kinds != "":
			return fmt.Sprintf("%s: type %q became %q", path, f.kinds, g.kinds)
		case f.text != g.text:
			return fmt.Sprintf("%s: text %q became %q", path, f.text, g.text)
		case len(g.enum) < len(f.enum):
			return fmt.Sprintf("%s: enum %q became %q", path, f.enum, g.enum)
		case f.null != g.null && !(request && f.null && (named || path == "")):
			return fmt.Sprintf("%s: null %v became %v", path, f.null, g.null)
		case named && f.required != g.required && !(request && f.null && !g.null && !g.required):
			return fmt.Sprintf("%s: required %v became %v", path, f.required, g.required)
		case named && request && f.null && !g.null && g.required:
			return path + " forbids null, but is required"
		}
	}
	return ""
}

// insideDeep reports whether a path is inside one that is not looked into.
func insideDeep(facts map[string]fact, path string) bool {
	for known, f := range facts {
		if f.deep && strings.HasPrefix(path, known) {
			return true
		}
	}
	return false
}
