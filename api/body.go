package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"guestpass/internal/strictjson"
)

// A sentBody is what was read of a request's body, with its texts cleaned, kept for what Huma
// does not look at.
type sentBody struct {
	bytes.Buffer
	schema *huma.Schema
	faults []FieldProblem // of its texts
}

type sentBodyKey struct{}

// keepBody refuses a body that the operation does not take, and keeps one that it does.
func (s *Service) keepBody(ctx huma.Context, next func(huma.Context)) {
	declared := ctx.Operation().RequestBody
	if declared == nil {
		message, err := unwanted(ctx)
		if err != nil {
			_ = huma.WriteErr(s.huma, ctx, http.StatusBadRequest, brokenText)
			return
		}
		if message != "" {
			_ = huma.WriteErr(s.huma, ctx, http.StatusUnprocessableEntity, "validation failed",
				&huma.ErrorDetail{Location: "body", Message: message})
			return
		}
		next(ctx)
		return
	}
	sent := &sentBody{}
	for _, media := range declared.Content {
		sent.schema = media.Schema
	}
	next(keptBody{huma.WithValue(ctx, sentBodyKey{}, sent), sent, s.huma.OpenAPI().Components.Schemas})
}

// keptBody is a request whose body is cleaned and kept as it is read.
type keptBody struct {
	original
	sent     *sentBody
	registry huma.Registry
}

func (k keptBody) Unwrap() huma.Context { return k.original }

func (k keptBody) BodyReader() io.Reader { return &bodyReader{body: k} }

// bodyReader reads a body whole when it is first asked for some of it. Huma has set the time
// for that then, and measures what is too long.
type bodyReader struct {
	body keptBody
	rest io.Reader // nil before
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.rest == nil {
		data, err := io.ReadAll(io.LimitReader(b.body.original.BodyReader(), MaxBody+1))
		if err != nil {
			return 0, &brokenBody{err}
		}
		sent := b.body.sent
		if len(data) <= MaxBody {
			data, sent.faults = cleanBody(data, sent.schema, b.body.registry)
		}
		b.rest = io.TeeReader(bytes.NewReader(data), &sent.Buffer)
	}
	return b.rest.Read(p)
}

// brokenBody is why a body could not be read to its end: the client broke off, or did not send
// what it had said. Whatever it is, it is the client's.
type brokenBody struct{ error }

func (e *brokenBody) Unwrap() error { return e.error }

// brokenText tells it to the client.
const brokenText = "the body breaks off, or is not framed as its headers say"

// unwanted is what is wrong with the body of an operation that takes none: whoever sent it
// believes that it counts. Some clients send an empty object with every call.
func unwanted(ctx huma.Context) (message string, err error) {
	if r, _ := humachi.Unwrap(ctx); r.Body == nil || r.Body == http.NoBody {
		return "", nil
	}
	_ = ctx.SetReadDeadline(time.Now().Add(5 * time.Second)) // as Huma does with those that are declared
	content, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), 64))
	switch {
	case err != nil:
		return "", err
	case strings.Join(strings.Fields(string(content)), "") == "{}",
		len(bytes.TrimSpace(content)) == 0 && len(content) < 64:
		return "", nil
	}
	return "is not taken by this operation; leave it out, and give what the operation takes in path and query", nil
}

// checkSent refuses what Huma has let through of a body: texts that cannot be cleaned, and null
// for members that the schema does not let be null.
func (s *Service) checkSent(ctx context.Context) error {
	sent, _ := ctx.Value(sentBodyKey{}).(*sentBody)
	if sent == nil {
		return nil
	}
	if len(sent.faults) > 0 {
		return finish(ctx, &Problem{Status: http.StatusUnprocessableEntity, Detail: "validation failed",
			Errors: sent.faults})
	}
	return s.checkNulls(ctx, sent)
}

// checkNulls is needed as Huma takes null for a member that was left out, as encoding/json does,
// so that what it was sent for would not be done, such as the check of a version.
func (s *Service) checkNulls(ctx context.Context, sent *sentBody) error {
	if !bytes.Contains(sent.Bytes(), []byte("null")) {
		return nil
	}
	var body any
	decoder := json.NewDecoder(&sent.Buffer)
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		return s.problem(ctx, err) // never: Huma has read it
	}
	found := nulls{registry: s.huma.OpenAPI().Components.Schemas}
	found.find(sent.schema, body, "body")
	if len(found.faults) == 0 {
		return nil
	}
	return finish(ctx, &Problem{Status: http.StatusUnprocessableEntity, Detail: "validation failed",
		Errors: found.faults})
}

// nulls are those which a schema does not admit.
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
