package gpttest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Maker makes values that a schema admits, as a model would that has read the document
// and nothing else. Every value is checked against its schema before it is given out.
// The zero Maker is ready for use.
type Maker struct {
	// EmailDomain is the domain of e-mail addresses. Empty means example.com.
	EmailDomain string
	// Random decides what the schema leaves open. Nil means a source of its own.
	Random *rand.Rand
}

const (
	// effort bounds how many values are tried for one schema.
	effort = 5_000
	// mostChoices bounds the ways in which the combinations of one schema are followed.
	mostChoices = 256
	// deepest bounds how far a schema that contains itself is followed.
	deepest = 12
)

// Value makes a value for a property or parameter of that name; the name tells what kind
// of text is meant where the schema does not. The error says what no value was found for.
func (m *Maker) Value(name string, s *Schema) (any, error) {
	return m.first(name, s, nil, nil)
}

// first returns the first value that is made and that refused, if there is one, has nothing against.
func (m *Maker) first(name string, s *Schema, plan *bodyPlan, refused func(any) error) (any, error) {
	if s == nil {
		return "example", nil
	}
	schema, err := s.compile()
	if err != nil {
		return nil, named(name, fmt.Errorf("the schema cannot be read: %w", err))
	}
	var unsent error
	making := &making{Maker: m, random: m.Random, left: effort, plan: plan}
	if making.random == nil {
		making.random = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) // #nosec G404 -- nothing secret is made
	}
	var made any
	found := false
	err = s.steps.bound(func() error {
		for value := range making.values(name, []*jsonschema.Schema{schema}, 0) {
			var err error
			if refused != nil {
				err = refused(value)
			}
			if err == nil {
				made, found = value, true
				return nil
			}
			unsent = cmp.Or(unsent, err)
		}
		return nil
	})
	switch {
	case found:
		return made, nil
	case err != nil:
		return nil, named(name, err)
	}
	making.refused = cmp.Or(unsent, making.refused)
	if making.refused == nil {
		making.refused = errors.New("the schema admits nothing, or nothing that can be made")
	}
	return nil, fmt.Errorf("no value can be made: %w", making.refused)
}

// making is the work on one value.
type making struct {
	*Maker
	random  *rand.Rand
	left    int
	plan    *bodyPlan // of the outermost object
	refused error     // why the latest value did not do
}

// values yields values that all schemas admit, the most natural first. If there is none,
// m.refused says what was wrong with the first that was tried.
func (m *making) values(name string, all []*jsonschema.Schema, depth int) iter.Seq[any] {
	return func(yield func(any) bool) {
		if depth > deepest {
			return
		}
		found, first := false, error(nil)
		m.refused = nil
		m.alternatives(all, nil, func(flat []*jsonschema.Schema) bool {
			for value := range m.drafts(name, flat, depth) {
				if m.left--; m.left < 0 {
					return false
				}
				if err := refusal(value, all); err != nil {
					first = cmp.Or(first, err)
					continue
				}
				if found = true; !yield(value) {
					return false
				}
			}
			return true
		})
		if !found {
			m.refused = named(name, cmp.Or(first, m.refused))
		}
	}
}

// refusal tells why one of the schemas does not admit value.
func refusal(value any, all []*jsonschema.Schema) error {
	for _, schema := range all {
		if err := schema.Validate(value); err != nil {
			return inOneLine(err)
		}
	}
	return nil
}

func named(name string, err error) error {
	if name == "" || err == nil {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// alternatives calls use with lists of schemas without references and combinations: one
// list for each choice that anyOf, oneOf, if and dependentSchemas leave. A value has to
// follow a whole list. Choices that exclude each other are found out by the check.
func (m *making) alternatives(todo, flat []*jsonschema.Schema, use func([]*jsonschema.Schema) bool) bool {
	if m.left--; m.left < 0 {
		return false
	}
	if len(todo) == 0 {
		return use(flat)
	}
	schema, rest := todo[0], slices.Clip(todo[1:])
	if schema == nil || slices.Contains(flat, schema) {
		return m.alternatives(rest, flat, use)
	}
	flat = append(slices.Clip(flat), schema)
	rest = append(rest, schema.Ref)
	rest = append(rest, schema.AllOf...)
	for _, choice := range choices(schema) {
		if !m.alternatives(append(slices.Clip(rest), choice...), flat, use) {
			return false
		}
	}
	return true
}

// choices returns the ways to follow the combinations of one schema.
func choices(schema *jsonschema.Schema) [][]*jsonschema.Schema {
	all := [][]*jsonschema.Schema{nil}
	multiply := func(options [][]*jsonschema.Schema) {
		var product [][]*jsonschema.Schema
		for _, option := range options {
			for _, chosen := range all {
				product = append(product, slices.Concat(chosen, option))
			}
		}
		all = product[:min(len(product), mostChoices)]
	}
	for _, union := range [][]*jsonschema.Schema{schema.AnyOf, schema.OneOf} {
		var options [][]*jsonschema.Schema
		for _, option := range union {
			options = append(options, []*jsonschema.Schema{option})
		}
		if options != nil {
			multiply(options)
		}
	}
	if schema.If != nil {
		multiply([][]*jsonschema.Schema{{schema.Else}, {schema.If, schema.Then}})
	}
	for _, name := range slices.Sorted(maps.Keys(schema.DependentSchemas)) {
		multiply([][]*jsonschema.Schema{nil, {schema.DependentSchemas[name]}})
	}
	return all
}

// drafts yields values made along a flat list of schemas; not all of them will do.
func (m *making) drafts(name string, all []*jsonschema.Schema, depth int) iter.Seq[any] {
	return func(yield func(any) bool) {
		if m.plan == nil || depth > 0 {
			published, only := publishedValues(all)
			for _, value := range published {
				if !yield(value) {
					return
				}
			}
			if only {
				return
			}
		}
		for _, kind := range kinds(all) {
			for value := range m.ofKind(kind, name, all, depth) {
				if !yield(value) {
					return
				}
			}
		}
	}
}

// publishedValues returns those that the document itself names. only reports that no others
// can be admitted.
func publishedValues(all []*jsonschema.Schema) (values []any, only bool) {
	for _, schema := range all {
		values = append(values, examples(schema)...)
	}
	for _, schema := range all {
		if schema.Const != nil {
			values, only = append(values, *schema.Const), true
		}
		if schema.Default != nil {
			values = append(values, *schema.Default)
		}
		if schema.Enum != nil {
			values, only = append(values, schema.Enum.Values...), true
		}
	}
	// null is a value, but says nothing.
	slices.SortStableFunc(values, func(a, b any) int {
		switch {
		case a == nil && b != nil:
			return 1
		case a != nil && b == nil:
			return -1
		}
		return 0
	})
	return values, only
}

func examples(schema *jsonschema.Schema) (values []any) {
	for _, extension := range schema.Extensions {
		if own, ok := extension.(example); ok {
			values = append(values, own.value)
		}
	}
	return append(values, schema.Examples...)
}

// kinds returns the types that all schemas allow. Without any, the other keywords tell.
func kinds(all []*jsonschema.Schema) []string {
	left := []string{"object", "array", "string", "integer", "number", "boolean", "null"}
	for _, schema := range all {
		if schema.Types == nil {
			continue
		}
		allowed := schema.Types.ToStrings()
		left = slices.DeleteFunc(left, func(kind string) bool {
			return !slices.Contains(allowed, kind) && !(kind == "integer" && slices.Contains(allowed, "number"))
		})
	}
	if len(left) == 7 {
		likely := likelyKind(all)
		left = append([]string{likely}, slices.DeleteFunc(left, func(kind string) bool { return kind == likely })...)
	}
	return left
}

func likelyKind(all []*jsonschema.Schema) string {
	for _, s := range all {
		switch {
		case s.Properties != nil || s.Required != nil || s.MinProperties != nil || s.PatternProperties != nil ||
			s.DependentRequired != nil:
			return "object"
		case s.Items2020 != nil || s.PrefixItems != nil || s.MinItems != nil || s.Contains != nil:
			return "array"
		case s.Minimum != nil || s.Maximum != nil || s.MultipleOf != nil || s.ExclusiveMinimum != nil ||
			s.ExclusiveMaximum != nil:
			return "number"
		}
	}
	return "string"
}

func (m *making) ofKind(kind, name string, all []*jsonschema.Schema, depth int) iter.Seq[any] {
	switch kind {
	case "object":
		return m.objects(all, depth)
	case "array":
		return m.arrays(name, all, depth)
	case "integer", "number":
		return numbers(all, kind == "integer")
	case "boolean":
		return slices.Values([]any{true, false})
	case "null":
		return slices.Values([]any{nil})
	}
	return m.texts(name, all)
}

// objects yields objects with what is required and what has an example, then with what
// is required alone, then with everything, and with the second and third value of each.
func (m *making) objects(all []*jsonschema.Schema, depth int) iter.Seq[any] {
	plan := m.plan
	if depth > 0 || plan == nil {
		plan = &bodyPlan{}
	}
	declared := slices.Clone(plan.order)
	for _, schema := range all {
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if !slices.Contains(declared, name) {
				declared = append(declared, name)
			}
		}
	}
	optional := slices.DeleteFunc(declared, func(name string) bool { return slices.Contains(plan.omit, name) })
	withExample := slices.DeleteFunc(slices.Clone(optional),
		func(name string) bool { return !hasExample(memberSchemas(all, name)) })
	whole := slices.Clone(plan.examples)
	for _, schema := range all {
		whole = append(whole, examples(schema)...)
	}
	return func(yield func(any) bool) {
		for _, value := range whole {
			if body, ok := plan.fromExample(value); ok && plan.order != nil && !yield(body) {
				return
			}
		}
		for nth := range 3 {
			for _, extra := range [][]string{withExample, nil, optional} {
				object, ok := m.object(all, plan, extra, nth, depth)
				if ok && len(object) == len(plan.given) && plan.order != nil && len(optional) > 0 {
					object, ok = m.object(all, plan, m.oneThatCanBeMade(all, optional, depth), nth, depth)
				}
				if ok && !yield(object) {
					return
				}
			}
		}
	}
}

func (m *making) oneThatCanBeMade(all []*jsonschema.Schema, names []string, depth int) []string {
	for _, name := range names {
		if _, given := m.plan.given[name]; given {
			continue
		}
		for range m.values(name, memberSchemas(all, name), depth+1) {
			return []string{name}
		}
	}
	return nil
}

// object makes one object: its required members, those given and those in extra. It
// reports whether all the required ones could be made.
func (m *making) object(all []*jsonschema.Schema, plan *bodyPlan, extra []string, nth, depth int) (map[string]any,
	bool) {
	object := maps.Clone(plan.given)
	if object == nil {
		object = map[string]any{}
	}
	fewest := 0
	for _, schema := range all {
		if schema.MinProperties != nil {
			fewest = max(fewest, *schema.MinProperties)
		}
	}
	add := func(name string) bool {
		if _, known := object[name]; known {
			return true
		}
		value, ok := m.nth(name, memberSchemas(all, name), nth, depth+1)
		if ok {
			object[name] = value
		}
		return ok
	}
	for _, name := range extra {
		add(name)
	}
	for _, schema := range all {
		for _, name := range schema.Required {
			if !add(name) {
				return nil, false
			}
		}
	}
	for range 3 { // what is required because of another may require more
		for _, schema := range all {
			for name, others := range schema.DependentRequired {
				if _, present := object[name]; present {
					for _, other := range others {
						add(other)
					}
				}
			}
		}
	}
	for _, schema := range all {
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if len(object) < fewest && !slices.Contains(plan.omit, name) {
				add(name)
			}
		}
	}
	for i := 0; len(object) < fewest && i < 100; i++ {
		add(m.undeclaredName(all, i))
	}
	return object, true
}

// undeclaredName returns a name for a member that the schema lets an object have in addition.
func (m *making) undeclaredName(all []*jsonschema.Schema, i int) string {
	for _, schema := range all {
		for pattern := range schema.PatternProperties {
			for name := range m.fromPattern(pattern.String()) {
				if m.random.IntN(3) == 0 && pattern.MatchString(name) {
					return name
				}
			}
		}
		if schema.PropertyNames != nil {
			if name, ok := m.nth("", []*jsonschema.Schema{schema.PropertyNames}, i, deepest); ok {
				if text, isText := name.(string); isText {
					return text
				}
			}
		}
	}
	return fmt.Sprintf("member%d", i+1)
}

// nth returns the nth value, or the last that there is.
func (m *making) nth(name string, all []*jsonschema.Schema, n, depth int) (value any, ok bool) {
	for candidate := range m.values(name, all, depth) {
		value, ok = candidate, true
		if n--; n < 0 {
			break
		}
	}
	return value, ok
}

// memberSchemas returns those that the member of that name has to follow.
func memberSchemas(all []*jsonschema.Schema, name string) (members []*jsonschema.Schema) {
	for _, schema := range all {
		matched := false
		if own := schema.Properties[name]; own != nil {
			members, matched = append(members, own), true
		}
		for pattern, own := range schema.PatternProperties {
			if pattern.MatchString(name) {
				members, matched = append(members, own), true
			}
		}
		if own, ok := schema.AdditionalProperties.(*jsonschema.Schema); ok && !matched {
			members = append(members, own)
		}
	}
	return members
}

func hasExample(all []*jsonschema.Schema) bool {
	for _, schema := range all {
		for ; schema != nil; schema = schema.Ref {
			if len(examples(schema)) > 0 {
				return true
			}
		}
	}
	return false
}

// arrays yields arrays of one element, or of as many as are demanded, then the empty one.
func (m *making) arrays(name string, all []*jsonschema.Schema, depth int) iter.Seq[any] {
	fewest, contained := 0, 0
	unique := false
	var contains []*jsonschema.Schema
	for _, schema := range all {
		if schema.MinItems != nil {
			fewest = max(fewest, *schema.MinItems)
		}
		if schema.Contains != nil {
			contains, contained = append(contains, schema.Contains), max(contained, 1)
			if schema.MinContains != nil {
				contained = max(contained, *schema.MinContains)
			}
		}
		fewest = max(fewest, len(schema.PrefixItems))
		unique = unique || schema.UniqueItems
	}
	return func(yield func(any) bool) {
		for _, length := range []int{max(fewest, contained, 1), max(fewest, contained), 0} {
			array := []any{}
			for i := range min(length, effort) {
				schemas := elementSchemas(all, i)
				if i < contained {
					schemas = append(schemas, contains...)
				}
				element, ok := m.element(singular(name), schemas, array, unique, depth+1)
				if !ok {
					break
				}
				array = append(array, element)
			}
			if !yield(array) {
				return
			}
		}
	}
}

// element returns one that is not in the array yet, if they have to differ.
func (m *making) element(name string, all []*jsonschema.Schema, array []any, unique bool, depth int) (any, bool) {
	for value := range m.values(name, all, depth) {
		if !unique || !slices.ContainsFunc(array, func(other any) bool { return sameJSON(other, value) }) {
			return value, true
		}
	}
	return nil, false
}

func sameJSON(a, b any) bool {
	one, err := json.Marshal(a)
	other, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(one) == string(other)
}

func elementSchemas(all []*jsonschema.Schema, i int) (elements []*jsonschema.Schema) {
	for _, schema := range all {
		if i < len(schema.PrefixItems) {
			elements = append(elements, schema.PrefixItems[i])
		} else if schema.Items2020 != nil {
			elements = append(elements, schema.Items2020)
		}
	}
	return elements
}

func singular(name string) string { return strings.TrimSuffix(name, "s") }
