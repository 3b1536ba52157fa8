//go:build !production

package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	// maxInstances are tried of all schemas of a document together.
	maxInstances = 6_000
	// fewest and most of them are tried of one schema.
	fewestInstances, mostInstances = 30, 120

	// maxSteps are the schemas that look at all the values for one document, and maxStepsOfOne
	// those at one value. Schemas that are made of others, and these of others, can be without end.
	maxSteps, maxStepsOfOne = 150_000, 5_000
	// fewSteps of a value are those of ordinary documents, and count for nothing.
	fewSteps = 200
	// mostOpen values of one schema may take too many.
	mostOpen = 5
)

// A part is a schema that says what is sent or comes back at one place of an operation.
type part struct {
	owner
	name   string // "the body", "the parameter query q", "the response 200"
	schema *value
}

// parts returns those of a document, in its order.
func (v *view) parts() []part {
	var parts []part
	for _, c := range v.calls() {
		add := func(in, name string, holder *value) {
			if schema := holder.get("schema"); schema != nil {
				parts = append(parts, part{owner{c.name, in}, name, schema})
			}
		}
		parameters, _ := v.parameters(c)
		for _, name := range names(parameters, nil) {
			add(parametersPart, "the parameter "+name, parameters[name])
		}
		_, media := jsonOf(v.target(v.root, c.node.get("requestBody")).get("content"))
		add(bodyPart, "the body", media)
		c.node.get("responses").each(func(status string, response *value) bool {
			_, media := jsonOf(v.target(v.root, response).get("content"))
			add(responsesPart, "the response "+status, media)
			return true
		})
	}
	return parts
}

// An effect is which of the announced changes are made: those that refuse values, or admit some.
type effect struct{ refuses, admits bool }

// instances compares which values the original and the copy admit, by trying values around
// what their schemas say. told are the original with the announced changes in it: those that
// refuse values, those that admit values, and both. A value about which one of them and the
// original differ is one that was told of. So is not every change of meaning seen, but what is
// seen is one. Had told only both, a refusal would hide that an admission was told of.
type instances struct {
	before, after *admission
	told          []*admission
	left          *int // schemas that may still look at values
}

// admitted returns the differences in the values that the parts of the copy admit.
func (f *fixer) admitted() []difference {
	in := &instances{before: f.admission(f.modern, effect{}), after: f.admission(f.root, effect{}), left: &f.steps}
	for _, e := range []effect{{refuses: true}, {admits: true}, {refuses: true, admits: true}} {
		in.told = append(in.told, f.admission(f.announcedIn(f.modern, e), e))
	}
	each := min(max(maxInstances/(1+len(in.before.parts)), fewestInstances), mostInstances)
	var found []difference
	for _, one := range in.before.parts {
		if problem := in.compare(one, each); problem != "" {
			found = append(found, difference{one.owner, one.schema.pointer, problem})
		}
	}
	return found
}

// compare tries at most limit values of one part, and says how the first differs.
func (in *instances) compare(of part, limit int) string {
	if in.before.schema(of) == nil || in.after.schema(of) == nil {
		return "" // one of them is no schema, or is there no longer: that was compared
	}
	for _, from := range []*admission{in.before, in.after} {
		tried, open := 0, 0
		for value := range from.around(from.find(of)) {
			if tried++; tried > limit {
				break
			}
			var differ, was bool
			if !ends(func() { differ, was = in.differ(of, value) }) {
				if open++; open > mostOpen {
					return ""
				}
			}
			if !differ {
				continue
			}
			written, _ := json.Marshal(value)
			return fmt.Sprintf("%s %s", abbreviated(string(written)),
				map[bool]string{true: "is no longer admitted", false: "is admitted, and was not"}[was])
		}
	}
	return ""
}

// differ reports whether a value was admitted, and is not alike, which nobody was told of.
func (in *instances) differ(of part, value any) (differ, was bool) {
	was = in.admits(in.before, of, value)
	if was == in.admits(in.after, of, value) {
		return false, was
	}
	return !slices.ContainsFunc(in.told, func(a *admission) bool { // that it may be so
		return a.schema(of) == nil || was != in.admits(a, of, value)
	}), was
}

// admits reports whether a part admits a value.
func (in *instances) admits(a *admission, of part, value any) bool {
	given := min(fewSteps+*in.left, maxStepsOfOne)
	a.steps = given
	defer func() { *in.left -= max(given-max(a.steps, 0)-fewSteps, 0) }()
	return a.schema(of).Validate(value) != nil
}

// admission is which values the parts of a document admit.
type admission struct {
	*view
	parts    []part
	compiler *jsonschema.Compiler
	compiled map[int]*jsonschema.Schema
	made     int // values in the one that is being made
	steps    int // that a value may still take
}

// counted is the format of every schema, so that it is counted how many of them look at a value.
const counted = "counted"

func (a *admission) step(any) error {
	if a.steps--; a.steps < 0 {
		panic(enough{})
	}
	return nil
}

const documentAddress = "document:///"

// admission reads a document. What a reference names that leads elsewhere is not known: it
// admits everything, or with the refusals nothing.
func (f *fixer) admission(root *value, e effect) *admission {
	root = root.clone()
	mapRoots(root, func(schema *value) *value { return f.plainSchema(root, schema, e) })
	a := &admission{view: f.viewOf(root), compiler: jsonschema.NewCompiler(),
		compiled: map[int]*jsonschema.Schema{}}
	a.parts = a.view.parts()
	a.compiler.DefaultDraft(jsonschema.Draft2020)
	a.compiler.AssertFormat()
	a.compiler.RegisterFormat(&jsonschema.Format{Name: counted, Validate: a.step})
	a.compiler.UseLoader(jsonschema.SchemeURLLoader{}) // no reference reads a file or the network
	parts := newArray()
	for _, one := range a.parts {
		contrary := newObject() // for which no reasons are gathered
		contrary.set("not", one.schema)
		parts.append(contrary)
	}
	resource := newObject()
	for _, name := range []string{"components", "paths"} {
		if inner := root.get(name); inner != nil {
			resource.set(name, inner)
		}
	}
	resource.set("parts", parts)
	if content, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(resource.compact()))); err == nil {
		_ = a.compiler.AddResource(documentAddress, content) // what is wrong with it shows when a schema is compiled
	}
	return a
}

// plainSchema returns a schema in the words that decide alike whoever reads them.
func (f *fixer) plainSchema(root, schema *value, e effect) *value {
	if !schema.is(object) {
		return schema
	}
	mapSchemas(schema, func(inner *value) *value { return f.plainSchema(root, inner, e) })
	for _, word := range []string{"$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$vocabulary", "pattern",
		"format"} {
		schema.remove(word)
	}
	schema.get("patternProperties").each(func(pattern string, _ *value) bool {
		if _, err := regexp.Compile(pattern); err != nil {
			schema.get("patternProperties").remove(pattern)
		}
		return true
	})
	if ref := schema.get("$ref").str(); ref != "" && (!strings.HasPrefix(ref, "#") || f.lookUp(root, ref) == nil) {
		schema.remove("$ref")
		if e.refuses {
			schema.set("not", newObject())
		}
	}
	if kind := inferredType(schema); e.refuses && kind != "" {
		schema.set("type", newText(kind))
	}
	schema.set("format", newText(counted))
	return schema
}

func (a *admission) index(of part) int {
	return slices.IndexFunc(a.parts, func(p part) bool { return p.owner == of.owner && p.name == of.name })
}

func (a *admission) find(of part) *value {
	if i := a.index(of); i >= 0 {
		return a.parts[i].schema
	}
	return nil
}

// schema returns nil for what is not there, or no schema.
func (a *admission) schema(of part) *jsonschema.Schema {
	i := a.index(of)
	if i < 0 {
		return nil
	}
	if _, known := a.compiled[i]; !known {
		a.compiled[i], _ = a.compiler.Compile(fmt.Sprintf("%s#/parts/%d", documentAddress, i)) // nil with an error
	}
	return a.compiled[i]
}

// announcedIn returns a document with the changes in it that were announced of its schemas.
func (f *fixer) announcedIn(root *value, e effect) *value {
	root = root.clone()
	at := map[string][]*value{}
	var visit func(*value)
	visit = func(v *value) {
		at[v.pointer] = append(at[v.pointer], v)
		for _, inner := range append(v.inOrder(), v.list()...) {
			visit(inner)
		}
	}
	visit(root)
	for _, a := range f.order {
		_, stands := f.announcements[a]
		for _, pointer := range meantBy(a.pointer) {
			for _, schema := range at[pointer] {
				if schema.is(object) && stands {
					f.changeAs(root, schema, a.aspect, e)
				}
			}
		}
	}
	return root
}

// meantBy returns the pointers to the schemas that an announcement speaks of. What stands where a
// schema would contain itself takes the place of what it was a part of, too.
func meantBy(pointer string) []string {
	pointer, end := strings.CutSuffix(pointer, ended)
	pointers := []string{pointer}
	for whole := partOf.ReplaceAllString(pointer, ""); end && whole != pointer; {
		pointers = append(pointers, whole)
		pointer, whole = whole, partOf.ReplaceAllString(whole, "")
	}
	return pointers
}

var partOf = regexp.MustCompile(`/(allOf|anyOf|oneOf)/[0-9]+$`)

// changeAs does to a schema what was announced of it.
func (f *fixer) changeAs(root, schema *value, aspect string, e effect) {
	name, required := strings.CutPrefix(aspect, "required ")
	switch {
	case aspect == ended && !e.admits: // what stands there instead is an object
		kinds, only := newArray(), newObject()
		kinds.elements = []*value{newText("object"), newText("null")}
		only.set("type", kinds)
		hold(schema, only)
	case aspect != "null" && !e.admits, aspect == "null" && !e.refuses:
	case required:
		f.dropRequired(root, schema, name, map[*value]bool{})
	case aspect == "null":
		isNull, not := newObject(), newObject()
		isNull.set("type", newText("null"))
		not.set("not", isNull)
		hold(schema, not)
	case aspect == ended:
		schema.names, schema.members = nil, map[string]*value{}
	case aspect == "property $schema":
		if properties := schema.get("properties"); properties.is(object) {
			properties.remove("$schema")
		}
	case slices.Contains([]string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "additionalProperties"},
		aspect):
		schema.remove(aspect)
	}
}

// hold lets a schema admit only what another one admits too.
func hold(schema, with *value) {
	parts := newArray()
	parts.elements = append(slices.Clone(schema.get("allOf").list()), with)
	schema.set("allOf", parts)
}

// dropRequired is of a schema and of what it is made of.
func (f *fixer) dropRequired(root, schema *value, name string, done map[*value]bool) {
	if f.visit(1); schema == nil || done[schema] {
		return
	}
	done[schema] = true
	if required := schema.get("required"); required.is(array) {
		required.elements = slices.DeleteFunc(required.elements, func(v *value) bool { return v.str() == name })
	}
	if ref := schema.get("$ref").str(); ref != "" {
		f.dropRequired(root, f.lookUp(root, ref), name, done)
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, one := range schema.get(word).list() {
			f.dropRequired(root, one, name, done)
		}
	}
}
