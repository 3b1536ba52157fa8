package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"guestpass/internal/strictjson"
)

// readBody reads the body, if the operation takes one. What is wrong with the parameters' values is told with what is
// wrong with the body's.
func (r *reading) readBody() *Problem {
	data, p := r.receive()
	switch {
	case p != nil:
		return p
	case len(data) > 0 && r.input.body != nil:
		return r.readValue(data)
	case len(r.faults) > 0:
		return faulty(r.faults...)
	}
	r.body = data
	return nil
}

// bodyTime is how long a body may take to arrive.
const bodyTime = 5 * time.Second

// brokenText is for a body that could not be read to its end: the client broke off, or did not send
// what it had said. Whatever it is, it is the client's.
const brokenText = "the body breaks off, or is not framed as its headers say"

// receive waits for the body.
func (r *reading) receive() ([]byte, *Problem) {
	from := r.original.BodyReader()
	if !r.input.hasBody {
		return nil, nil
	}
	if from == nil {
		from = http.NoBody
	}
	_ = r.SetReadDeadline(time.Now().Add(bodyTime))
	data, err := io.ReadAll(io.LimitReader(from, MaxBody+1))
	var late net.Error
	switch {
	case len(data) > MaxBody, errors.As(err, new(*http.MaxBytesError)):
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("the body is longer than %d bytes", MaxBody)}
	case errors.As(err, &late) && late.Timeout():
		return nil, &Problem{Status: http.StatusRequestTimeout, Detail: "request body read timeout", Errors: r.faults}
	case err != nil:
		return nil, &Problem{Status: http.StatusBadRequest, Detail: brokenText}
	case len(data) == 0 && r.input.required:
		return nil, &Problem{Status: http.StatusBadRequest, Detail: "request body is required", Errors: r.faults}
	}
	_ = r.SetReadDeadline(time.Time{})
	return data, nil
}

// readValue keeps the body as it is to be understood, or tells what is wrong with it: its form first, then its texts,
// then null where no value may be left out so.
func (r *reading) readValue(data []byte) *Problem {
	schema, registry := r.input.schema, r.service.schemas
	canonical, value, err := readJSON(data)
	if err != nil {
		p := faulty(append(r.faults, faultOf(err))...)
		p.Status = http.StatusBadRequest
		return p
	}
	texts := cleaner{registry: registry}
	value = texts.value([]*huma.Schema{schema}, value, "body")
	if texts.changed {
		if canonical, err = encodeJSON(value); err != nil {
			return faulty(FieldProblem{Location: "body", Message: wantsForm}) // never: it was JSON
		}
	}
	known := len(r.faults)
	if r.validate(schema, value, "body"); len(r.faults) == known {
		if err := misfit(canonical, r.input.body); err != nil {
			r.faults = append(r.faults, faultOf(err))
		}
	}
	null := nulls{registry: registry}
	if bytes.Contains(canonical, []byte("null")) {
		null.find(schema, value, "body")
	}
	for _, faults := range [][]FieldProblem{r.faults, texts.faults, null.faults} {
		if len(faults) > 0 {
			return faulty(faults...)
		}
	}
	r.body = canonical
	return nil
}

// refuseUnwanted refuses a body that the operation does not take.
func (r *reading) refuseUnwanted() *Problem {
	if r.input.hasBody {
		return nil
	}
	message, err := unwanted(r.original)
	switch {
	case err != nil:
		return &Problem{Status: http.StatusBadRequest, Detail: brokenText}
	case message != "":
		return faulty(FieldProblem{Location: "body", Message: message})
	}
	return nil
}

// unwanted is what is wrong with the body of an operation that takes none: whoever sent it
// believes that it counts. Some clients send an empty object with every call.
func unwanted(ctx huma.Context) (message string, err error) {
	if r, _ := humachi.Unwrap(ctx); r.Body == nil || r.Body == http.NoBody {
		return "", nil
	}
	_ = ctx.SetReadDeadline(time.Now().Add(bodyTime))
	content, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), 64))
	switch {
	case err != nil:
		return "", err
	case len(content) < 64 && slices.Contains([]string{"", "{}"}, strings.Join(strings.Fields(string(content)), "")):
		return "", nil
	}
	return "is not taken by this operation; leave it out, and give what the operation takes in path and query", nil
}

// nulls are those which a schema does not admit. They are looked for because null counts for encoding/json, and so for
// the validator, as a member that was left out: what it was sent for would not be done, such as the check of a version.
type nulls struct {
	registry huma.Registry
	faults   []FieldProblem
}

func (n *nulls) find(schema *huma.Schema, value any, place string) {
	if schema = n.resolve(schema); schema == nil {
		return
	}
	switch v := value.(type) {
	case nil:
		if !n.admitted(schema) {
			n.faults = append(n.faults, FieldProblem{Location: place, Message: "must not be null; leave it out"})
		}
		return
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member := schema.Properties[name]
			if member == nil {
				member, _ = schema.AdditionalProperties.(*huma.Schema)
			}
			n.find(member, v[name], place+"."+strictjson.ShownName(name))
		}
	case []any:
		for i, element := range v {
			n.find(schema.Items, element, place+"["+strconv.Itoa(i)+"]")
		}
	}
	for _, part := range schema.AllOf {
		n.find(part, value, place)
	}
	n.findInOne(slices.Concat(schema.OneOf, schema.AnyOf), value, place)
}

// findInOne finds those that no alternative admits.
func (n *nulls) findInOne(alternatives []*huma.Schema, value any, place string) {
	var first []FieldProblem
	for i, alternative := range alternatives {
		inside := nulls{registry: n.registry}
		inside.find(alternative, value, place)
		if len(inside.faults) == 0 {
			return
		}
		if i == 0 {
			first = inside.faults
		}
	}
	n.faults = append(n.faults, first...)
}

// admitted reports whether null is one of a schema's values. Without a type, it is.
func (n *nulls) admitted(schema *huma.Schema) bool {
	if schema = n.resolve(schema); schema == nil || schema.Nullable {
		return true
	}
	alternatives := slices.Concat(schema.OneOf, schema.AnyOf)
	return schema.Type == "" && (len(alternatives) == 0 || slices.ContainsFunc(alternatives, n.admitted)) &&
		!slices.ContainsFunc(schema.AllOf, func(part *huma.Schema) bool { return !n.admitted(part) })
}

func (n *nulls) resolve(schema *huma.Schema) *huma.Schema { return resolve(schema, n.registry) }

func resolve(schema *huma.Schema, registry huma.Registry) *huma.Schema {
	for schema != nil && schema.Ref != "" {
		schema = registry.SchemaFromRef(schema.Ref)
	}
	return schema
}
