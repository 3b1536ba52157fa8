package openapi

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// A mistake is one thing done wrong. With wrong false the twin without it is declared.
type mistake struct {
	rule, place string
	name        string
	api         func(api huma.API, wrong bool)
	options     func(o *Options, wrong bool)
}

const thing = "GET /api/v1/thing"

// either declares an operation with one of two inputs or outputs.
func either[WrongIn, WrongOut, In, Out any](op huma.Operation) func(huma.API, bool) {
	return func(api huma.API, wrong bool) {
		if wrong {
			declare[WrongIn, WrongOut](api, op)
		} else {
			declare[In, Out](api, op)
		}
	}
}

// with declares an operation as f leaves it.
func with(f func(op *huma.Operation, wrong bool)) func(huma.API, bool) {
	return func(api huma.API, wrong bool) {
		var op huma.Operation
		f(&op, wrong)
		declare[none, done](api, op)
	}
}

// afterwards declares a good operation and changes what Huma made of it if wrong.
func afterwards[In any](op huma.Operation, f func(*huma.PathItem, *huma.Operation)) func(huma.API, bool) {
	return func(api huma.API, wrong bool) {
		declare[In, done](api, op)
		if !wrong {
			return
		}
		for _, item := range api.OpenAPI().Paths {
			for _, declared := range []*huma.Operation{item.Get, item.Post} {
				if declared != nil {
					f(item, declared)
				}
			}
		}
	}
}

func choose[T any](wrong bool, bad, good T) T {
	if wrong {
		return bad
	}
	return good
}

var post = huma.Operation{Method: "POST"}

// Inputs and outputs for the tables.
type (
	body[T any] struct{ Body T }
	named       struct {
		Name string `json:"name" doc:"Name"`
	}
	query struct {
		Name string `query:"name" doc:"Name"`
	}
	wrapped[T any] struct {
		Value T `json:"value" doc:"Value"`
	}
	node struct {
		Name     string `json:"name" doc:"Name"`
		Children []node `json:"children,omitempty" doc:"Children"`
	}
	filesIn struct {
		Files []string `json:"openaiFileIdRefs" doc:"One picture"`
	}
	oneFileIn struct {
		Files string `json:"openaiFileIdRefs" doc:"One picture"`
	}
	filesOut struct {
		Files []string `json:"openaiFileResponse" doc:"Addresses of files"`
	}
	oneFileOut struct {
		Files string `json:"openaiFileResponse" doc:"Address of a file"`
	}
	byID struct {
		ID string `path:"thing_id" doc:"Identifier"`
	}
)

// custom schemas, as a type may declare them for itself.
type (
	unionType   struct{}
	emptyEnum   struct{}
	mixedEnum   struct{}
	longEnum    struct{}
	dangling    struct{}
	anyItems    struct{}
	unknownType struct{}
	keyworded   struct{}
	undeclared  struct{}
)

func (unionType) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: "string"}, {Type: "integer"}}}
}

func (emptyEnum) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Enum: []any{}}
}

func (mixedEnum) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Enum: []any{"a", 1}}
}

func (longEnum) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: "string"}
	for i := range 51 {
		s.Enum = append(s.Enum, fmt.Sprint(i))
	}
	return s
}

func (dangling) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Ref: "#/components/schemas/Nowhere"}
}

func (anyItems) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: "array"} }

func (unknownType) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: "date"} }

func (keyworded) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Extensions: map[string]any{"if": map[string]any{}}}
}

func (undeclared) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"a": {Type: "string"}},
		Required: []string{"b"}}
}

var operationMistakes = []mistake{
	{rule: "G130", place: "POST /api/v1/thing, body property openaiFileIdRefs", name: "one file",
		api: either[body[oneFileIn], done, body[filesIn], done](post)},
	{rule: "G131", place: thing + ", response 200 property openaiFileResponse", name: "one file",
		api: either[none, body[oneFileOut], none, body[filesOut]](huma.Operation{})},
	{rule: "G014", place: thing, name: "servers on the operation", api: with(func(op *huma.Operation, wrong bool) {
		op.Servers = choose(wrong, []*huma.Server{{URL: "https://other.example.com"}}, nil)
	})},
	{rule: "G014", place: "/api/v1/thing", name: "servers on the path", api: afterwards[none](huma.Operation{},
		func(item *huma.PathItem, _ *huma.Operation) {
			item.Servers = []*huma.Server{{URL: "https://other.example.com"}}
		})},
	{rule: "G020", place: "document", name: "no operation", api: with(func(op *huma.Operation, wrong bool) {
		op.Hidden = wrong
	})},
	{rule: "G020", place: "document", name: "31 operations", api: func(api huma.API, wrong bool) {
		for i := range choose(wrong, 31, 30) {
			declare[none, done](api, huma.Operation{OperationID: fmt.Sprint("getThing", i), Path: fmt.Sprint("/things/",
				i)})
		}
	}},
	{rule: "G022", place: "HEAD /other", name: "method HEAD", api: func(api huma.API, wrong bool) {
		declare[none, done](api, huma.Operation{})
		declare[none, done](api, huma.Operation{OperationID: "other", Path: "/other", Method: choose(wrong, "HEAD",
			"GET")})
	}},
	{rule: "G025", place: "/api/v1/thing", name: "parameters of the path", api: afterwards[none](huma.Operation{},
		func(item *huma.PathItem, _ *huma.Operation) {
			item.Parameters = []*huma.Param{{Name: "x", In: "query", Schema: &huma.Schema{Type: "string"}}}
		})},
	{rule: "G025", place: "/api/v1/thing", name: "summary of the path", api: afterwards[none](huma.Operation{},
		func(item *huma.PathItem, _ *huma.Operation) {
			item.Summary = "Things"
		})},
	{rule: "G030", place: thing, name: "no operationId", api: afterwards[none](huma.Operation{},
		func(_ *huma.PathItem, op *huma.Operation) {
			op.OperationID = ""
		})},
	{rule: "G030", place: thing, name: "operationId with hyphens", api: with(func(op *huma.Operation, wrong bool) {
		op.OperationID = choose(wrong, "get-thing", "getThing")
	})},
	{rule: "G030", place: thing, name: "operationId begins with a digit",
		api: with(func(op *huma.Operation, wrong bool) {
			op.OperationID = choose(wrong, "2things", "things2")
		})},
	{rule: "G030", place: thing, name: "operationId of 65 characters", api: with(func(op *huma.Operation, wrong bool) {
		op.OperationID = strings.Repeat("x", choose(wrong, 65, 64))
	})},
	{rule: "G030", place: "GET /other", name: "operationId taken, letter case ignored",
		api: func(api huma.API, wrong bool) {
			declare[none, done](api, huma.Operation{})
			declare[none, done](api, huma.Operation{OperationID: choose(wrong, "GetThing", "getOther"), Path: "/other"})
		}},
	{rule: "G032", place: thing, name: "summary of 301 characters", api: with(func(op *huma.Operation, wrong bool) {
		op.Summary = strings.Repeat("ü", choose(wrong, 301, 300))
	})},
	{rule: "G032", place: thing, name: "description of 301 characters", api: with(func(op *huma.Operation, wrong bool) {
		op.Description = strings.Repeat("ü", choose(wrong, 301, 300))
	})},
	{rule: "G043", place: "GET /api/v1/thing/{id}", name: "path without its parameter",
		api: func(api huma.API, wrong bool) {
			declare[struct {
				ID string `path:"thing_id" hidden:"true"`
			}, done](api, huma.Operation{Path: choose(wrong, "/api/v1/thing/{id}", "/api/v1/thing")})
		}},
	{rule: "G043", place: thing + ", parameter thing_id", name: "parameter not in the path",
		api: func(api huma.API, wrong bool) {
			declare[byID, done](api, huma.Operation{Path: choose(wrong, "/api/v1/thing", "/api/v1/thing/{thing_id}")})
		}},
	{rule: "G043", place: "GET /api/v1/thing/{thing_id:[a-z]+}", name: "pattern in the path",
		api: func(api huma.API, wrong bool) {
			declare[byID, done](api, huma.Operation{Path: choose(wrong, "/api/v1/thing/{thing_id:[a-z]+}",
				"/api/v1/thing/{thing_id}")})
		}},
	{rule: "G060", place: thing, name: "consequential is no boolean", api: with(func(op *huma.Operation, wrong bool) {
		op.Extensions = map[string]any{"x-openai-isConsequential": choose[any](wrong, "yes", true)}
	})},
	{rule: "G101", place: thing, name: "security not declared", api: afterwards[none](huma.Operation{},
		func(_ *huma.PathItem, op *huma.Operation) {
			op.Security = nil
		})},
	{rule: "G101", place: thing, name: "security of another scheme", api: with(func(op *huma.Operation, wrong bool) {
		op.Security = []map[string][]string{{choose(wrong, "bearer", "oauth2"): {}}}
	})},
	{rule: "G101", place: thing, name: "security that asks for nothing or something",
		api: with(func(op *huma.Operation, wrong bool) {
			op.Security = []map[string][]string{{"oauth2": nil}}
			if wrong {
				op.Security = append(op.Security, map[string][]string{})
			}
		})},
	{rule: "G101", place: thing, name: "unknown scope", api: with(func(op *huma.Operation, wrong bool) {
		op.Security = []map[string][]string{{"oauth2": {choose(wrong, "tasks:delete", "tasks:read")}}}
	})},
}

var argumentMistakes = []mistake{
	{rule: "G035", place: thing + ", parameter name", name: "description of 701 characters",
		api: func(api huma.API, wrong bool) {
			declare[query, done](api, huma.Operation{})
			api.OpenAPI().Paths["/api/v1/thing"].Get.Parameters[0].Description = strings.Repeat("ü",
				choose(wrong, 701, 700))
		}},
	{rule: "G035", place: "POST /api/v1/thing, body property value.name",
		name: "property described in 701 characters", api: func(api huma.API, wrong bool) {
			declare[body[wrapped[named]], done](api, post)
			api.OpenAPI().Components.Schemas.Map()["Named"].Properties["name"].Description = strings.Repeat("ü",
				choose(wrong, 701, 700))
		}},
	{rule: "G040", place: thing + ", parameter #/components/parameters/X", name: "reference to a parameter",
		api: afterwards[query](huma.Operation{}, func(_ *huma.PathItem, op *huma.Operation) {
			op.Parameters[0] = &huma.Param{Ref: "#/components/parameters/X"}
		})},
	{rule: "G041", place: thing + ", parameter X-Name", name: "required header", api: either[struct {
		Name string `header:"X-Name" required:"true"`
	}, done, struct {
		Name string `header:"X-Name"`
	}, done](huma.Operation{})},
	{rule: "G041", place: thing + ", parameter name", name: "required cookie", api: either[struct {
		Name string `cookie:"name" required:"true"`
	}, done, struct {
		Name string `cookie:"name" hidden:"true"`
	}, done](huma.Operation{})},
	{rule: "G042", place: "POST /api/v1/thing, body property name",
		name: "one name in query and body", api: either[struct {
			Name string `query:"name" doc:"Name"`
			Body named
		}, done, struct {
			Name string `query:"other" doc:"Name"`
			Body named
		}, done](post)},
	{rule: "G042", place: "GET /api/v1/thing/{name}, parameter name",
		name: "one name in path and query", api: either[struct {
			Path  string `path:"name" doc:"Name"`
			Query string `query:"name" doc:"Name"`
		}, done, struct {
			Path  string `path:"name" doc:"Name"`
			Query string `query:"other" doc:"Name"`
		}, done](huma.Operation{Path: "/api/v1/thing/{name}"})},
	{rule: "G043", place: thing + ", parameter name", name: "parameter without schema",
		api: afterwards[query](huma.Operation{}, func(_ *huma.PathItem, op *huma.Operation) {
			op.Parameters[0].Schema = nil
		})},
	{rule: "G045", place: thing + ", parameter filter", name: "object in the query", api: either[struct {
		Filter named `query:"filter,deepObject" doc:"Filter"`
	}, done, struct {
		Filter []string `query:"filter" doc:"Filter"`
	}, done](huma.Operation{})},
	{rule: "G050", place: "POST /api/v1/thing, body", name: "multipart body", api: either[struct {
		RawBody huma.MultipartFormFiles[struct {
			File huma.FormFile `form:"file"`
		}]
	}, done, body[named], done](post)},
	{rule: "G050", place: "POST /api/v1/thing, body", name: "raw body", api: either[struct{ RawBody []byte }, done,
		body[named], done](post)},
	{rule: "G051", place: "POST /api/v1/thing, body", name: "array for a body", api: either[body[[]named], done,
		body[named], done](post)},
	{rule: "G051", place: "POST /api/v1/thing, body", name: "text for a body", api: either[body[string], done,
		body[named], done](post)},
	{rule: "G051", place: "POST /api/v1/thing, body", name: "union for a body", api: either[body[unionType], done,
		body[named], done](post)},
	{rule: "G051", place: "POST /api/v1/thing, body", name: "anything for a body", api: either[body[any], done,
		body[named], done](post)},
	{rule: "G051", place: "POST /api/v1/thing, body", name: "body without properties", api: either[body[struct{}], done,
		body[named], done](post)},
	{rule: "G052", place: "POST /api/v1/thing, body", name: "reference to a body", api: afterwards[body[named]](post,
		func(_ *huma.PathItem, op *huma.Operation) {
			op.RequestBody = &huma.RequestBody{Ref: "#/components/requestBodies/X"}
		})},
	{rule: "G057", place: "POST /api/v1/thing, body property value",
		name: "any in a body", api: either[body[wrapped[any]], done, body[wrapped[string]], done](post)},
	{rule: "G057", place: "POST /api/v1/thing, body property value",
		name: "map in a body", api: either[body[wrapped[map[string]string]], done, body[wrapped[[]named]],
			done](post)},
	{rule: "G057", place: "POST /api/v1/thing, body", name: "map for a body", api: either[body[map[string]string], done,
		body[named], done](post)},
	{rule: "G057", place: "POST /api/v1/thing, body property value", name: "object without properties in a " +
		"body", api: either[body[wrapped[struct{}]], done, body[wrapped[named]], done](post)},
	{rule: "G079", place: "POST /api/v1/thing, body property value",
		name: "bytes in a body", api: either[body[wrapped[[]byte]], done, body[wrapped[string]], done](post)},
	{rule: "G117", place: thing + ", parameter apiKey", name: "secret in the query", api: either[struct {
		Key string `query:"apiKey" doc:"Key"`
	}, done, struct {
		Key string `query:"pageToken" doc:"Key"`
	}, done](huma.Operation{})},
}

var schemaMistakes = []mistake{
	{rule: "G071", place: thing + ", response 200 property value", name: "array of anything",
		api: either[none, body[wrapped[[]any]], none, body[wrapped[[]string]]](huma.Operation{})},
	{rule: "G071", place: "POST /api/v1/thing, body property value",
		name: "array without items", api: either[body[wrapped[anyItems]], done, body[wrapped[[]string]],
			done](post)},
	{rule: "G072", place: thing + ", response 200 property value", name: "any in a response",
		api: either[none, body[wrapped[any]], none, body[wrapped[string]]](huma.Operation{})},
	{rule: "G072", place: thing + ", response 200 property value.*", name: "map of anything in a response",
		api: either[none, body[wrapped[map[string]any]], none, body[wrapped[map[string]string]]](huma.Operation{})},
	{rule: "G072", place: thing + ", response 200 property value", name: "unknown type",
		api: either[none, body[wrapped[unknownType]], none, body[wrapped[string]]](huma.Operation{})},
	{rule: "G073", place: thing + ", response 200 property value", name: "dangling reference",
		api: either[none, body[wrapped[dangling]], none, body[wrapped[named]]](huma.Operation{})},
	{rule: "G074", place: thing + ", response 200 property children[]", name: "type that contains itself",
		api: either[none, body[node], none, body[wrapped[[]named]]](huma.Operation{})},
	{rule: "G074", place: "POST /api/v1/thing, body property children[]",
		name: "argument that contains itself", api: either[body[node], done, body[wrapped[[]named]],
			done](post)},
	{rule: "G076", place: thing + ", response 200 property value", name: "union",
		api: either[none, body[wrapped[unionType]], none, body[wrapped[string]]](huma.Operation{})},
	{rule: "G076", place: thing + ", response 200 property value", name: "keyword that Huma does not know",
		api: either[none, body[wrapped[keyworded]], none, body[wrapped[string]]](huma.Operation{})},
	{rule: "G077", place: thing + ", response 200 property value", name: "empty enum",
		api: either[none, body[wrapped[emptyEnum]], none, body[wrapped[string]]](huma.Operation{})},
	{rule: "G077", place: "POST /api/v1/thing, body property value",
		name: "enum of two types", api: either[body[wrapped[mixedEnum]], done, body[wrapped[string]],
			done](post)},
	{rule: "G077", place: "POST /api/v1/thing, body property value",
		name: "enum of 51 values", api: either[body[wrapped[longEnum]], done, body[wrapped[string]],
			done](post)},
	{rule: "G080", place: thing + ", response 200 property value", name: "required and not declared",
		api: either[none, body[wrapped[undeclared]], none, body[wrapped[named]]](huma.Operation{})},
	{rule: "G092", place: thing, name: "list without limit", api: either[struct {
		Cursor string `query:"cursor" doc:"Cursor"`
	}, listReply, listInput, listReply](huma.Operation{})},
	{rule: "G092", place: thing + ", parameter limit", name: "list whose limit has no maximum", api: either[struct {
		Limit  int    `query:"limit" doc:"Limit"`
		Cursor string `query:"cursor" doc:"Cursor"`
	}, listReply, listInput, listReply](huma.Operation{})},
	{rule: "G092", place: thing, name: "list without cursor", api: either[struct {
		Limit int `query:"limit" maximum:"50" doc:"Limit"`
	}, listReply, listInput, listReply](huma.Operation{})},
}
