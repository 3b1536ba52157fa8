package api

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// An input is what an operation takes.
type input struct {
	parameters []parameter
	hasBody    bool
	required   bool         // the body
	body       reflect.Type // as JSON; nil for none
	schema     *huma.Schema
}

// inputOf is the input of a registered operation, of the type that Huma fills.
func (s *Service) inputOf(described *huma.Operation, t reflect.Type) *input {
	in := &input{hasBody: described.RequestBody != nil}
	for _, field := range ownFields(t) {
		if p, ok := s.parameterOf(field); ok {
			s.checks.prepare(p.schema, s.schemas)
			in.parameters = append(in.parameters, p)
		}
	}
	if !in.hasBody {
		return in
	}
	in.required = described.RequestBody.Required
	field, isJSON := t.FieldByName("Body")
	for _, media := range described.RequestBody.Content {
		if isJSON {
			in.body, in.schema = field.Type, media.Schema
			markTexts(field.Type, media.Schema, s.schemas, map[reflect.Type]bool{})
			s.checks.prepare(media.Schema, s.schemas)
		}
	}
	return in
}

// A reading is a request whose input has been read. Huma is given that and finds nothing to refuse in it: it would
// refuse in the form and in the words of the program around.
type reading struct {
	original
	service *Service
	input   *input
	query   url.Values
	path    map[string]string
	body    []byte
	faults  []FieldProblem // of what could be read and is not admitted
	refused *Problem       // by the input itself, see ownErrors
}

type original huma.Context // whose own name would hide its method of that name

func (r *reading) Unwrap() huma.Context { return r.original }

func (r *reading) Query(name string) string { return r.query.Get(name) }

func (r *reading) URL() url.URL {
	u := r.original.URL()
	u.RawQuery = r.query.Encode()
	return u
}

func (r *reading) Param(name string) string {
	if value, ok := r.path[name]; ok {
		return value
	}
	return r.original.Param(name)
}

// Header has one name for all that [Service.checkMedia] lets pass.
func (r *reading) Header(name string) string {
	if r.input.hasBody && name == "Content-Type" {
		return "application/json"
	}
	return r.original.Header(name)
}

func (r *reading) BodyReader() io.Reader { return bytes.NewReader(r.body) }

// SetStatus writes ours where Huma means that of the program around.
func (r *reading) SetStatus(status int) {
	if r.refused != nil {
		status = r.refused.Status
	}
	r.original.SetStatus(status)
}

// readInput reads the input of an operation, once and whole, and refuses what the operation does not take.
func (s *Service) readInput(ctx huma.Context, next func(huma.Context)) {
	r := &reading{original: ctx, service: s, input: ctx.Operation().Metadata[metadataInput].(*input)}
	for _, read := range []func() *Problem{r.refuseUnwanted, r.readParameters, r.readBody} {
		if p := read(); p != nil {
			s.refuse(ctx, p)
			return
		}
	}
	next(r)
}

// faulty is a problem with inputs.
func faulty(faults ...FieldProblem) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Detail: "validation failed", Errors: faults}
}

func (r *reading) validate(schema *huma.Schema, value any, place string) {
	v := validator{registry: r.service.schemas, known: r.service.checks, place: []byte(place), faults: r.faults}
	v.value(schema, value)
	r.faults = v.faults
}
