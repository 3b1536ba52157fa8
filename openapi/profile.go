package openapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/danielgtaylor/huma/v2"
)

// profile writes Huma's operations in the terms of the published document. What has no
// meaning to a GPT is left out; what would mean something else is a fault.
type profile struct {
	registry huma.Registry
	report   *report
	chosen   []string // ids; none: all
}

func (p *profile) publish(from *huma.OpenAPI, to *document) {
	var declared []string
	for _, path := range sortedKeys(from.Paths) {
		item := from.Paths[path]
		if item == nil {
			continue
		}
		published := 0
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete,
			item.Head, item.Options, item.Trace} {
			if op == nil || op.Hidden || op.Metadata["gpt"] != true {
				continue
			}
			declared = append(declared, op.OperationID)
			if len(p.chosen) > 0 && !slices.Contains(p.chosen, op.OperationID) {
				continue
			}
			published++
			out := p.operation(op, path)
			if !to.add(out) {
				// G022 (D): the editor skips every other method.
				p.report.fault("G022", out.at, "the method cannot be published",
					"use GET, POST, PUT, PATCH or DELETE, or do not publish the operation")
			}
		}
		if published > 0 {
			p.pathLevel(path, item)
		}
	}
	p.checkChosen(declared)
}

// checkChosen refuses what is not declared: nothing is left out silently (G020).
func (p *profile) checkChosen(declared []string) {
	for _, id := range p.chosen {
		if slices.Contains(declared, id) || len(declared) == 0 {
			continue
		}
		nearest := slices.MinFunc(declared, func(a, b string) int {
			return levenshtein.ComputeDistance(id, a) - levenshtein.ComputeDistance(id, b)
		})
		p.report.fault("G020", place{operation: "document", part: "Operations"}, fmt.Sprintf("there is no operation %q",
			id), "did you mean "+nearest+"?")
	}
}

// pathLevel is G025 (T) and G014 (T): LibreChat takes every member of a path for a
// method and ignores servers that are not the document's.
func (p *profile) pathLevel(path string, item *huma.PathItem) {
	at := place{operation: path}
	if item.Ref != "" || item.Summary != "" || item.Description != "" || len(item.Parameters) > 0 ||
		len(item.Extensions) > 0 {
		p.report.fault("G025", at, "the path itself carries parameters, texts, extensions or a $ref",
			"declare them on each operation")
	}
	if len(item.Servers) > 0 {
		p.report.fault("G014", at, "the path has servers of its own", "remove them: everything is called at PublicURL")
	}
}

func (p *profile) operation(op *huma.Operation, path string) *operation {
	method := strings.ToUpper(op.Method)
	at := place{operation: method + " " + path}
	out := &operation{
		OperationID: op.OperationID, Summary: op.Summary, Description: op.Description,
		Consequential: method != http.MethodGet, Security: security(op.Security),
		Parameters: []parameter{}, Responses: map[string]response{},
		method: method, path: path, at: at,
	}
	// G060 (A, T): explicit everywhere.
	if declared, ok := op.Extensions["x-openai-isConsequential"]; ok {
		if out.Consequential, ok = declared.(bool); !ok {
			p.report.fault("G060", at, "x-openai-isConsequential is not a boolean",
				"set true if a person should confirm every call, else false")
		}
	}
	if len(op.Servers) > 0 { // G014 (T)
		p.report.fault("G014", at, "the operation has servers of its own",
			"remove them: everything is called at PublicURL")
	}
	for _, in := range op.Parameters {
		p.parameter(out, in)
	}
	if op.RequestBody != nil {
		out.RequestBody = p.body(op.RequestBody, at)
	}
	p.responses(out, op.Responses)
	return out
}

// security copies the requirements so that no list is null (G003, D). Undeclared
// security stays nil, which the check of G101 refuses.
func security(in []map[string][]string) []map[string][]string {
	if in == nil {
		return nil
	}
	out := make([]map[string][]string, len(in))
	for i, requirement := range in {
		out[i] = map[string][]string{}
		for name, scopes := range requirement {
			out[i][name] = append([]string{}, scopes...)
		}
	}
	return out
}

func (p *profile) parameter(out *operation, in *huma.Param) {
	at := out.at.in("parameter " + in.Name)
	switch {
	case in.Ref != "": // G040 (M13, C): the editor does not resolve it and drops the operation
		p.report.fault("G040", out.at.in("parameter "+in.Ref), "a $ref stands for the parameter",
			"write the parameter itself")
	case (in.In == "header" || in.In == "cookie") && in.Required: // G041 (M14, C, A)
		p.report.fault("G041", at, "a required "+in.In+" parameter cannot be sent by a GPT",
			"make it a query parameter or a property of the body, or optional and hidden:\"true\"")
	case in.In == "header", in.In == "cookie":
		p.report.warn("G041", at, "a GPT sends no "+in.In+" parameters; it is left out of the document",
			"tag it hidden:\"true\"")
	case in.Name == "" || in.In != "path" && in.In != "query" || in.Schema == nil: // G043 (M13, C)
		p.report.fault("G043", at, "name, location (path or query) or schema is missing",
			"declare a struct field tagged path or query")
	default:
		w := walk{profile: p, request: true}
		schema, _ := w.schema(in.Schema, at)
		if schema == nil {
			return
		}
		param := parameter{Name: in.Name, In: in.In, Required: in.Required || in.In == "path",
			Description: in.Description, Schema: schema, at: at}
		if param.Description == "" {
			param.Description = schema.Description
		}
		schema.Description = ""
		if schema.Type == huma.TypeArray {
			param.Explode = in.Explode
		}
		p.checkShape(param, in)
		out.Parameters = append(out.Parameters, param)
	}
}

// checkShape is G045 (I) for what certainly fails: Huma reads neither objects nor
// arrays of them from a path or query, except in the style deepObject, which is not
// known to Actions.
func (p *profile) checkShape(param parameter, in *huma.Param) {
	inner := param.Schema
	if inner.Type == huma.TypeArray {
		inner = inner.Items
	}
	if in.Style == "deepObject" || inner.Type == huma.TypeObject || inner.Type == huma.TypeArray {
		p.report.fault("G045", param.at, "the parameter is neither a scalar nor a list of scalars",
			"use several parameters, or a body")
	}
}

const jsonType = "application/json"

// body returns nil where it has reported a fault.
func (p *profile) body(in *huma.RequestBody, operation place) *requestBody {
	at := operation.in("body")
	if in.Ref != "" { // G052 (T): LibreChat throws
		p.report.fault("G052", at, "a $ref stands for the request body", "write the body itself")
		return nil
	}
	media := in.Content[jsonType]
	if media == nil || media.Schema == nil { // G050 (A, T)
		p.report.fault("G050", at, "the body is "+strings.Join(sortedKeys(in.Content), ", ")+", not "+jsonType,
			"take a struct field Body without contentType")
		return nil
	}
	if root := p.rootFault(media.Schema); root != "" { // G051 (M16, C)
		p.report.fault("G051", at, root, "wrap it in an object with named properties")
		return nil
	}
	schema, _ := walk{profile: p, request: true}.schema(media.Schema, at)
	if schema == nil {
		return nil
	}
	return &requestBody{Description: in.Description, Required: in.Required, Content: content{mediaType{schema}}}
}

// rootFault tells why a schema cannot be the root of a request body. A reference that
// leads nowhere is left to the walk.
func (p *profile) rootFault(root *huma.Schema) string {
	for range 20 {
		if root.Ref == "" {
			break
		}
		if root = p.registry.SchemaFromRef(root.Ref); root == nil {
			return ""
		}
	}
	switch {
	case len(root.OneOf)+len(root.AnyOf)+len(root.AllOf) > 0 || root.Not != nil:
		return "the root of the body is a union or combination of schemas"
	case root.Type == "":
		return "the root of the body has no type"
	case root.Type != huma.TypeObject:
		return "the root of the body is of type " + root.Type
	}
	for name, property := range root.Properties {
		if name != "$schema" && !property.ReadOnly {
			return ""
		}
	}
	if _, isMap := root.AdditionalProperties.(*huma.Schema); isMap {
		return "" // G057 says it better
	}
	return "the body has no properties"
}

// fullStatus is the one refusal that is told, by its description: it belongs to what changes something,
// and says what to do.
const fullStatus = "507"

// responses keeps the successful ones: the others add nothing that the model reads,
// and their schemas are validated all the same (G091, T).
func (p *profile) responses(out *operation, in map[string]*huma.Response) {
	for _, status := range sortedKeys(in) {
		from := in[status]
		if len(status) != 3 || status[0] != '2' || from == nil {
			continue
		}
		to := response{Description: from.Description}
		if to.Description == "" {
			to.Description = "Success"
		}
		at := out.at.in("response " + status)
		if media := from.Content[jsonType]; media != nil && media.Schema != nil {
			if schema, _ := (walk{profile: p}).schema(media.Schema, at); schema != nil {
				to.Content = &content{mediaType{schema}}
			}
		} else { // G090, G093 (A, C, I)
			p.report.warn("G090", at, "no JSON comes back, so the model cannot tell what happened",
				"return an object, at least {\"ok\": true}")
		}
		out.Responses[status] = to
	}
	if len(out.Responses) == 0 {
		out.Responses["200"] = response{Description: "Success"}
		p.report.warn("G090", out.at, "no successful response is declared", "declare an output struct with a Body")
	}
	if full := in[fullStatus]; full != nil && full.Description != "" {
		out.Responses[fullStatus] = response{Description: full.Description}
	}
}
