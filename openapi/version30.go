package openapi

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"guestpass/openapi/internal/actions"
)

// version30 is 3.0.0 and nothing later, since Bedrock compares it with this text (X001, A). All who take 3.0 take it.
const version30 = "3.0.0"

// maxText30 bounds a description of version 3.0, in characters.
const maxText30 = 1000

// A leftOut is an operation that a document lacks, and why: for whoever reads the document.
type leftOut struct {
	OperationID string `json:"operationId"`
	Method      string `json:"method"`
	Path        string `json:"path"`
	Reason      string `json:"reason"`
}

// in30 returns the document in the words of OpenAPI 3.0, and of that only what Microsoft 365 admits. What that forbids
// is left out and told, in the document and by a warning.
func (d *document) in30(found *report) *document {
	out := &document{OpenAPI: version30, Info: d.Info, Servers: d.Servers, Paths: map[string]*pathItem{},
		Components: d.Components}
	for op := range d.operations() {
		if op.RequestBody != nil {
			if path := nested(op.RequestBody.Content.JSON.Schema); path != "" { // X011 (A)
				out.leaveOut(op, path, found)
				continue
			}
		}
		out.add(op.in30())
	}
	return out
}

func (d *document) leaveOut(op *operation, path string, found *report) {
	const reason = "the property %s of the body is or holds an object, which Microsoft 365 does not take"
	d.LeftOut = append(d.LeftOut, leftOut{op.OperationID, op.method, op.path, fmt.Sprintf(reason, path)})
	found.warn("X011", op.at.in("body").property(path), "/openapi-3.0.json lacks the operation, since "+
		"Microsoft 365 takes no object within a body", "declare its members as properties of the body; who imports "+
		"another document, or calls it as a tool, does not miss it")
}

func (op *operation) in30() *operation {
	out := *op
	out.Confirmation = "DISABLED" // Bedrock's word for what x-openai-isConsequential says (A)
	if op.Consequential {
		out.Confirmation = "ENABLED"
	}
	out.Parameters = make([]parameter, len(op.Parameters))
	for i, param := range op.Parameters {
		param.Schema = param.Schema.mapped(before31)
		param.Description = withValues(param.Description, param.Schema)
		out.Parameters[i] = param
	}
	if op.RequestBody != nil {
		body := *op.RequestBody
		body.Content.JSON.Schema = body.Content.JSON.Schema.mapped(func(s *schema) {
			before31(s)
			s.Description = withValues(s.Description, s)
		})
		out.RequestBody = &body
	}
	out.Responses = map[string]response{}
	for status, reply := range op.Responses {
		if reply.Content != nil {
			reply.Content = &content{mediaType{reply.Content.JSON.Schema.mapped(before31)}}
		}
		out.Responses[status] = reply
	}
	return &out
}

// withValues adds the values of an enum to a description that does not have them, since Bedrock does not read enum
// (X012, A).
func withValues(description string, s *schema) string {
	if s.Items != nil && len(s.Enum) == 0 {
		s = s.Items
	}
	var values []string
	whole := true
	for _, value := range s.Enum {
		text, err := encode(value, "")
		if err != nil {
			return description
		}
		values = append(values, strings.Trim(string(text), `"`))
		whole = whole && actions.Names(description, values[len(values)-1])
	}
	if whole { // of no enum too
		return description
	}
	longer := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(description), ".") + ". One of: " +
		strings.Join(values, ", "))
	if utf8.RuneCountInString(longer) > maxText30 {
		return description
	}
	return strings.TrimPrefix(longer, ". ")
}
