package gpttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ToolOperation returns an operation that no document describes, but the JSON Schemas of a tool: input is that of one
// flat object, output that of what is answered with status, nil if it is not known. It is for whoever makes arguments
// or judges answers as for a document; nothing of it says where a request would go.
func ToolOperation(name, method string, input, output json.RawMessage, status int) (Operation, error) {
	schema, err := schemaObject(input)
	if err != nil {
		return Operation{}, fmt.Errorf("the input schema of %s: %w", name, err)
	}
	op := Operation{ID: name, Method: method, Path: "/" + name, Consequential: method != http.MethodGet,
		replies: map[string]*Schema{strconv.Itoa(status): nil}}
	c := &operationCheck{validator: &validator{root: schema}}
	in := "body"
	if method == http.MethodGet {
		in = "query"
	} else {
		op.hasBody, op.bodyRequired, op.body = true, true, c.published(schema)
	}
	required, _ := schema.get("required").([]any)
	properties := schema.object("properties")
	for _, property := range properties.names() {
		op.Arguments = append(op.Arguments, c.argument(property, in, properties.object(property),
			slices.Contains(required, any(property))))
	}
	// There is no example of a whole call, as documents have: a value that the schema tells is better than one that
	// is made up.
	slices.SortStableFunc(op.Arguments, func(a, b Argument) int { return a.guessed() - b.guessed() })
	if len(output) == 0 {
		return op, nil
	}
	answered, err := schemaObject(output)
	if err != nil {
		return Operation{}, fmt.Errorf("the output schema of %s: %w", name, err)
	}
	op.replies[strconv.Itoa(status)] = (&validator{root: answered}).published(answered)
	return op, nil
}

// guessed returns 0 if the schema tells values, and 1 if one would be made up.
func (a Argument) guessed() int {
	if len(a.Enum) > 0 || a.Example != nil || a.Default != nil || a.Type == "boolean" {
		return 0
	}
	return 1
}

func schemaObject(text json.RawMessage) (*object, error) {
	root, err := parseJSON(string(text))
	if err != nil {
		return nil, err
	}
	schema, ok := root.(*object)
	if !ok {
		return nil, fmt.Errorf("it is no object")
	}
	return schema, nil
}

// ReadSchema reads a JSON Schema that stands by itself, of draft 2020-12 unless it says otherwise. The error says why
// a validator does not take it, or is [ErrSteps]. No reference is followed to a file or the network.
func ReadSchema(text json.RawMessage) (*Schema, error) {
	node, err := schemaObject(text)
	if err != nil {
		return nil, err
	}
	if pairs(exact(node)) > mostPairs {
		return nil, ErrSteps
	}
	steps := &steps{}
	schema := &Schema{steps: steps, compile: sync.OnceValues(func() (*jsonschema.Schema, error) {
		compiler := newCompiler(steps)
		if err := compiler.AddResource(schemaAddress, exact(node)); err != nil {
			return nil, err
		}
		return compiler.Compile(schemaAddress)
	})}
	_, err = schema.compile()
	return schema, err
}
