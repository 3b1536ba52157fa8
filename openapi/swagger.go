package openapi

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The types below are the published document as Swagger 2.0, for Power Platform, which takes no other version (X001,
// A). Operations with objects in their bodies are in it.

type swagger struct {
	Swagger  string                                  `json:"swagger"`
	Info     info                                    `json:"info"`
	Host     string                                  `json:"host"`
	BasePath string                                  `json:"basePath"`
	Schemes  []string                                `json:"schemes"`
	Consumes []string                                `json:"consumes"`
	Produces []string                                `json:"produces"`
	Paths    map[string]map[string]*swaggerOperation `json:"paths"`
	Security swaggerSecurity                         `json:"securityDefinitions"`
	Hash     string                                  `json:"x-schema-hash,omitempty"`
}

type swaggerOperation struct {
	OperationID string                     `json:"operationId"`
	Summary     string                     `json:"summary,omitempty"`
	Description string                     `json:"description,omitempty"`
	Security    []map[string][]string      `json:"security"`
	Parameters  []swaggerParameter         `json:"parameters"`
	Responses   map[string]swaggerResponse `json:"responses"`
}

// swaggerParameter is a body with its schema, or has the words of a schema itself.
type swaggerParameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Label       string  `json:"x-ms-summary,omitempty"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required"`
	Collection  string  `json:"collectionFormat,omitempty"`
	Schema      *schema `json:"schema,omitempty"`
	*schema
}

type swaggerResponse struct {
	Description string  `json:"description"`
	Schema      *schema `json:"schema,omitempty"`
}

type swaggerSecurity struct {
	OAuth2 swaggerOAuth `json:"oauth2"`
}

type swaggerOAuth struct {
	Type string `json:"type"`
	Flow string `json:"flow"`
	oauthFlow
}

// swagger returns the document in the words of Swagger 2.0.
func (d *document) swagger() *swagger {
	out := &swagger{Swagger: "2.0", Info: d.Info, BasePath: "/", Consumes: []string{jsonType},
		Produces: []string{jsonType}, Paths: map[string]map[string]*swaggerOperation{},
		Security: swaggerSecurity{swaggerOAuth{"oauth2", "accessCode",
			d.Components.Security.OAuth2.Flows.AuthorizationCode}}}
	if server, err := url.Parse(d.Servers[0].URL); err == nil { // an origin: G010 and G011 have been applied
		out.Host, out.Schemes = server.Host, []string{server.Scheme}
	}
	for op := range d.operations() {
		if out.Paths[op.path] == nil {
			out.Paths[op.path] = map[string]*swaggerOperation{}
		}
		out.Paths[op.path][strings.ToLower(op.method)] = op.swagger()
	}
	return out
}

func (op *operation) swagger() *swaggerOperation {
	out := &swaggerOperation{OperationID: op.OperationID, Summary: op.Summary, Description: op.Description,
		Security: op.Security, Parameters: []swaggerParameter{}, Responses: map[string]swaggerResponse{}}
	for _, param := range op.Parameters {
		out.Parameters = append(out.Parameters, param.swagger())
	}
	if body := op.RequestBody; body != nil {
		out.Parameters = append(out.Parameters, swaggerParameter{Name: "body", In: "body",
			Description: body.Description, Required: body.Required, Schema: inSwagger(body.Content.JSON.Schema)})
	}
	for status, reply := range op.Responses {
		to := swaggerResponse{Description: reply.Description}
		if reply.Content != nil {
			to.Schema = inSwagger(reply.Content.JSON.Schema)
		}
		out.Responses[status] = to
	}
	return out
}

// swagger returns a parameter that has the words of its schema, but for those that only a schema may have.
func (p parameter) swagger() swaggerParameter {
	title := p.Schema.Title
	s := p.Schema.mapped(func(s *schema) {
		inWordsOf20(s)
		s.Title, s.Label, s.Description, s.Example = "", "", "", nil
	})
	out := swaggerParameter{Name: p.Name, In: p.In, Label: cmp.Or(title, label(p.Name)), Description: p.Description,
		Required: p.Required, schema: s}
	if s.Type == huma.TypeArray {
		out.Collection = "csv"
		if p.In == "query" && (p.Explode == nil || *p.Explode) {
			out.Collection = "multi"
		}
	}
	return out
}

func inSwagger(s *schema) *schema {
	return s.mapped(func(s *schema) {
		inWordsOf20(s)
		for name, property := range s.Properties {
			property.Label = cmp.Or(property.Title, label(name))
		}
	})
}

// formats20 are those that Power Platform's own schema of such documents admits (X024, B); others only describe.
var formats20 = []string{"int32", "int64", "float", "double", "date", "date-time", "password", "uri"}

func inWordsOf20(s *schema) {
	before31(s)
	s.Deprecated = false // not a word of it
	if !slices.Contains(formats20, s.Format) {
		s.Format = ""
	}
}
