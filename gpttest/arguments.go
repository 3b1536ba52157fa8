package gpttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Arguments makes the arguments of a call: what is required, what the document has an
// example for in the body, and those given, which win. Nothing is made for the names in
// omit unless the operation requires it. A change with nothing in it would change nothing,
// so one property is added to a body that has none but those given.
func (m *Maker) Arguments(op Operation, given map[string]any, omit []string) (map[string]any, error) {
	arguments := maps.Clone(given)
	if arguments == nil {
		arguments = map[string]any{}
	}
	for _, a := range op.Arguments {
		if _, known := given[a.Name]; known || a.In == "body" || !a.Required {
			continue
		}
		declared := func(value any) error { return a.undeclared(value) }
		value := a.Example
		if value == nil || a.Schema.Validate(value) != nil || declared(value) != nil {
			var err error
			if value, err = m.first(a.Name, a.Schema, nil, declared); err != nil {
				return nil, err
			}
		}
		arguments[a.Name] = value
	}
	if op.body == nil {
		return arguments, nil
	}
	plan := &bodyPlan{given: map[string]any{}, omit: omit, examples: op.bodyExamples}
	for _, a := range op.Arguments {
		if a.In != "body" {
			continue
		}
		plan.order = append(plan.order, a.Name)
		if value, known := given[a.Name]; known {
			plan.given[a.Name] = value
		}
	}
	body, err := m.first("", op.body, plan, func(body any) error { return op.undeclared(body.(map[string]any)) })
	if err != nil {
		return nil, err
	}
	maps.Copy(arguments, body.(map[string]any))
	return arguments, nil
}

// bodyPlan is what a body is made around.
type bodyPlan struct {
	given    map[string]any
	omit     []string
	order    []string // the properties, as the document lists them
	examples []any    // of the whole body, beside its schema
}

// fromExample returns an example of the whole body, with what is given in its place. Only
// declared properties can be sent.
func (p *bodyPlan) fromExample(value any) (map[string]any, bool) {
	body, ok := value.(map[string]any)
	body = maps.Clone(body)
	maps.DeleteFunc(body, func(name string, _ any) bool {
		return slices.Contains(p.omit, name) || !slices.Contains(p.order, name)
	})
	if ok {
		maps.Copy(body, p.given)
	}
	return body, ok
}

// undeclared tells why the runtime would not send a value: names in it that are not declared.
func (a Argument) undeclared(value any) error {
	if names := a.known.unknown(value, nil); len(names) > 0 {
		return fmt.Errorf("%s: the document asks for %s, which it does not declare and the runtime does not "+
			"send", a.Name,
			strings.Join(names, ", "))
	}
	return nil
}

// undeclared does the same for a body.
func (op Operation) undeclared(body map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(body)) {
		i := slices.IndexFunc(op.Arguments, func(a Argument) bool { return a.Name == name })
		if i < 0 {
			return fmt.Errorf("the document asks for %s, which it does not declare and the runtime does not send", name)
		}
		if err := op.Arguments[i].undeclared(body[name]); err != nil {
			return err
		}
	}
	return nil
}
