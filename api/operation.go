package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/auth"
)

// Effect is what calling an operation does to the world.
type Effect int

const (
	// Read changes nothing. ChatGPT offers "Always allow". The default of GET, and of GET only.
	Read Effect = iota + 1
	// Write creates or changes something. ChatGPT asks the person before every call.
	Write
	// Destroy removes something. ChatGPT asks the person before every call.
	Destroy
)

func (e Effect) String() string {
	return map[Effect]string{Read: "read", Write: "write", Destroy: "destroy"}[e]
}

// An Operation is the one declaration of something ChatGPT can do.
type Operation struct {
	ID          string // camelCase, verb first; the name by which the model calls it
	Method      string
	Path        string
	Summary     string      // at most 300 characters, read by a model
	Description string      // at most 300 characters, read by a model: what it does and returns
	Access      auth.Access // the zero value admits nobody and is a fault
	Effect      Effect      // may be left out for GET
	Status      int         // of success; 0: 200
	External    bool        // a write whose effect is outside of the store, so not in one transaction with its record

	// Done says what was done to people who look through the record, such as "Created task “{title}”". A place is a
	// field of the recorded target, by the name that [Fields] has. Where it is left out, or a field is missing, they
	// read the Summary.
	Done string

	// Docs says what inputs mean, by the names of parameters and of the body's properties. It is for texts that would
	// make the doc tag of a field too long; an input has one or the other.
	Docs map[string]string

	// Widget is the page in which MCP clients that can do so show the answer; the zero value: none.
	Widget Widget

	// Undoes is for an operation that takes back what others have done, see [Undo]. Any access of those operations
	// admits a caller to it; which one a call needs depends on what it takes back. Leave Access out, and register it
	// last.
	Undoes bool

	undoes []auth.Access // with Undoes, in place of Access
	needs  []auth.Access // of what [Service.Authorize] is asked about, in place of Access: all of them are needed
}

// parts returns what must be admitted one by one: the operation itself, or each of its needs.
func (op Operation) parts() []Operation {
	if op.needs == nil {
		return []Operation{op}
	}
	parts := make([]Operation, len(op.needs))
	for i, access := range op.needs {
		parts[i] = Operation{Access: access, Effect: op.Effect}
	}
	return parts
}

// accesses returns the accesses any of which admits a caller to the operation.
func (op Operation) accesses() []auth.Access {
	if op.undoes != nil {
		return op.undoes
	}
	return []auth.Access{op.Access}
}

// Bounds of every operation. A body of MaxBody bytes is admitted, one more is 413.
const (
	MaxBody = 128 << 10
)

// Register adds an operation to the service. Its input and output are Huma structs:
// fields tagged path or query, and one field named Body. A handler returns plain
// errors; which of them a caller may see is decided in one place (see problem.go).
// The texts in its input are clean (see text.go); a field tagged text:"line" has no line ends, and a [Raw] stays as
// it is.
// A handler that writes does so in [InTransaction]; one that creates embeds [Once] and
// [Repeatable] in its bodies.
// Errors of package huma count by their status and text, as their type is what the program around has chosen. What a
// Resolve method of the input refuses does so too: refuse with [Invalid] in the handler instead.
// Every fault in the declaration is kept and reported by [Service.Err].
func Register[In, Out any](s *Service, op Operation, handler func(context.Context, *In) (*Out, error)) {
	if op.Effect == 0 && op.Method == http.MethodGet {
		op.Effect = Read
	}
	if op.Undoes {
		op.undoes = s.undoes()
		if len(op.undoes) > 0 {
			op.Access = op.undoes[0]
		}
	}
	if faults, describable := checkDeclaration(s, op, handler); len(faults) > 0 {
		s.keepFaults(op, faults...)
		if describable {
			describeFaulty[In, Out](s, op)
		} else {
			s.undescribed = append(s.undescribed, op.ID)
		}
		return
	}
	defer func() {
		if cause := recover(); cause != nil { // Huma panics on types it cannot describe
			s.keepFaults(op, fmt.Errorf("%v", cause))
			s.undescribed = append(s.undescribed, op.ID)
		}
	}()
	huma.Register(s.huma, s.describe(op), func(ctx context.Context, in *In) (*Out, error) {
		leave, err := s.options.Limits.Enter(ctx)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		defer leave()
		if !op.Access.IsPublic() { // a slow body must not outlive a revocation; nobody else is asked again
			if err := s.checkRevoked(ctx, auth.From(ctx), op.Effect); err != nil {
				return nil, s.refusal(ctx, op, err)
			}
		}
		out, err := carryOut(ctx, s, op, in, handler)
		if err == nil {
			err = checkOutput(op, out)
		}
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	described := s.descriptionOf(op)
	described.Metadata[metadataInput] = s.inputOf(described, reflect.TypeFor[In]())
	s.described[op.ID] = described
	s.operations = append(s.operations, op)
	s.keepFaults(op, s.applyDocs(op, reflect.TypeFor[In]())...)
}

// descriptionOf returns Huma's description of a registered operation.
func (s *Service) descriptionOf(op Operation) *huma.Operation {
	item := s.huma.OpenAPI().Paths[op.Path]
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete}[op.Method]
}

// Keys of huma.Operation.Metadata.
const (
	metadataOperation = "operation" // our own declaration
	metadataInput     = "input"     // what it takes, an *input
	metadataPublish   = "gpt"       // read by package openapi
)

func (s *Service) describe(op Operation) huma.Operation {
	security := []map[string][]string{} // one of them is enough
	for _, scope := range s.Scopes(op) {
		security = append(security, map[string][]string{"oauth2": {scope}})
	}
	responses := map[string]*huma.Response{}
	if op.Effect == Read {
		responses["default"] = &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{
			(*Problem)(nil).ContentType(""): {Schema: s.schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")}}}
	} else {
		responses[strconv.Itoa(http.StatusInsufficientStorage)] = &huma.Response{
			Description: "Nothing was changed: a quota is used up, which quota says, or the server has no space left"}
	}
	return huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path,
		Summary: op.Summary, Description: op.Description,
		Security: security, DefaultStatus: op.Status,
		Errors:    []int{},
		Responses: responses,
		// All that is read and validated is, before Huma, by readInput.
		MaxBodyBytes: -1, BodyReadTimeout: -1, SkipValidateBody: true, SkipValidateParams: true,
		Metadata:   map[string]any{metadataOperation: op, metadataPublish: true},
		Extensions: map[string]any{"x-openai-isConsequential": op.Effect != Read},
	}
}

// Scopes returns the scopes of which a token needs one for the operation; none for a public operation. Only
// undoActivity has more than one. By role, every operation needs a signed-in person and no more than openid of the
// token.
func (s *Service) Scopes(op Operation) []string {
	switch {
	case op.Access.IsPublic():
		return nil
	case s.options.Access == ByRole:
		return []string{"openid"}
	}
	var names []string
	for _, part := range op.parts() {
		for _, access := range part.accesses() {
			names = append(names, access.ScopeName())
		}
	}
	return names
}
