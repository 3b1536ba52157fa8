package openapi

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func TestSchemaPropertyIsRemoved(t *testing.T) {
	api := newAPI()
	declare[body[named], body[named]](api, post)
	link := &huma.Schema{Type: "string", Format: "uri", ReadOnly: true}
	for _, s := range api.OpenAPI().Components.Schemas.Map() { // as Huma's SchemaLinkTransformer does
		s.Properties["$schema"] = link
		s.Required = append(s.Required, "$schema")
	}
	if text := string(mustPublish(t, api, example()).JSON()); strings.Contains(text, "$schema") {
		t.Errorf("$schema is published (G054):\n%s", text)
	}
}

func TestEveryObjectHasProperties(t *testing.T) {
	api := newAPI()
	declare[none, body[struct {
		Empty  struct{}          `json:"empty"`
		Counts map[string]int    `json:"counts"`
		Nested map[string]*named `json:"nested"`
	}]](api, huma.Operation{})
	d := mustPublish(t, api, example())
	root := responseSchema(t, d)
	for _, name := range []string{"empty", "counts", "nested"} {
		if _, ok := at(t, root, "properties", name).(map[string]any)["properties"].(map[string]any); !ok {
			t.Errorf("%s has no properties (G070)", name)
		}
	}
	if got := at(t, root, "properties", "counts", "additionalProperties", "type"); got != "integer" {
		t.Errorf("values of the map are %v", got)
	}
	if !warned(d, "G070", thing+", response 200 property counts") {
		t.Errorf("no warning about the map: %v", d.Warnings())
	}
}

func responseSchema(t *testing.T, d *Document) any {
	return at(t, parse(t, d.JSON()), "paths", "/api/v1/thing", "get", "responses", "200", "content", "application/json",
		"schema")
}

func bodySchema(t *testing.T, d *Document) any {
	return at(t, parse(t, d.JSON()), "paths", "/api/v1/thing", "post", "requestBody", "content", "application/json",
		"schema")
}

func warned(d *Document, rule, place string) bool {
	return slices.ContainsFunc(d.Warnings(), func(f Fault) bool { return f.Rule == rule && f.Place == place })
}

// same compares with a schema written as JSON.
func same(t *testing.T, got any, want string) {
	t.Helper()
	var expected any
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, expected) {
		text, _ := json.MarshalIndent(got, "", "  ")
		t.Errorf("got %s\nwant %s", text, want)
	}
}

func TestPropertiesNamedLikeKeywordsArePublished(t *testing.T) {
	type keywords struct {
		Type       string   `json:"type" doc:"Type"`
		Format     string   `json:"format" doc:"Format"`
		Properties []string `json:"properties" doc:"Properties"`
		Examples   []int64  `json:"examples" doc:"Examples"`
		Required   bool     `json:"required" doc:"Required"`
		Items      named    `json:"items" doc:"Items"`
		Default    string   `json:"default" doc:"Default"`
		Ref        string   `json:"$ref" doc:"Reference"`
		Additional bool     `json:"additionalProperties" doc:"Additional"`
	}
	api := newAPI()
	declare[body[keywords], body[keywords]](api, post)
	d := mustPublish(t, api, example())
	same(t, bodySchema(t, d), `{"type":"object",
		"required":["type","format","properties","examples","required","items","default","$ref","additionalProperties"],
		"properties":{
			"type":{"type":"string","description":"Type"},
			"format":{"type":"string","description":"Format"},
			"properties":{"type":"array","description":"Properties","items":{"type":"string"}},
			"examples":{"type":"array","description":"Examples","items":{"type":"integer"}},
			"required":{"type":"boolean","description":"Required"},
			"items":{"type":"object","description":"Items","required":["name"],"properties":{"name":{"type":"string",`+
		`"description":"Name"}}},
			"default":{"type":"string","description":"Default"},
			"$ref":{"type":"string","description":"Reference"},
			"additionalProperties":{"type":"boolean","description":"Additional"}}}`)
}

func TestNullIsNotPublished(t *testing.T) {
	type nullable struct {
		Required *string `json:"required" doc:"May be null"`
		Optional *string `json:"optional,omitempty" doc:"May be absent"`
	}
	api := newAPI()
	declare[body[nullable], done](api, post)
	declare[none, body[nullable]](api, huma.Operation{})
	d := mustPublish(t, api, example())
	const properties = `"properties":{"required":{"type":"string","description":"May be null"},` +
		`"optional":{"type":"string","description":"May be absent"}}`
	same(t, responseSchema(t, d), `{"type":"object",`+properties+`}`)
	// The server would refuse to miss it, so a GPT must send it.
	same(t, bodySchema(t, d), `{"type":"object","required":["required"],`+properties+`}`)
	if !warned(d, "G075", "POST /api/v1/thing, body property required") {
		t.Errorf("no warning: %v", d.Warnings())
	}
}

func TestReadOnlyIsNoArgumentAndWriteOnlyNoResult(t *testing.T) {
	type both struct {
		ID       string `json:"id" readOnly:"true" doc:"Identifier"`
		Password string `json:"password" writeOnly:"true" doc:"Password"`
		Name     string `json:"name" doc:"Name"`
	}
	api := newAPI()
	declare[body[both], done](api, post)
	declare[none, body[both]](api, huma.Operation{})
	d := mustPublish(t, api, example())
	same(t, at(t, bodySchema(t, d), "required"), `["password","name"]`)
	same(t, at(t, responseSchema(t, d), "required"), `["id","name"]`)
}

// combined stands for a type with the schema it holds.
type (
	optionalText struct{}
	constants    struct{}
	composed     struct{}
	fixed        struct{}
)

func (optionalText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: "string", MaxLength: ptr(9)}, {Type: "null"}}}
}

func (constants) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Const: "a"}, {Type: "string", Enum: []any{"b", "c"}}}}
}

func (composed) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "object", AllOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[named](), true, ""),
		{Type: "object", Properties: map[string]*huma.Schema{"age": {Type: "integer", Format: "int32"}},
			Required: []string{"age"}}}}
}

func (fixed) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: "integer", Const: 7} }

// extended has a property of its own beside another type's.
type extended struct{}

func (extended) Schema(r huma.Registry) *huma.Schema {
	s := composed{}.Schema(r)
	s.Properties = map[string]*huma.Schema{"own": {Type: "string"}}
	return s
}

func ptr[T any](v T) *T { return &v }

func TestCombinationsWithOneMeaningAreCollapsed(t *testing.T) {
	api := newAPI()
	declare[none, body[struct {
		Text     optionalText `json:"text"`
		Constant constants    `json:"constant"`
		Composed composed     `json:"composed"`
		Extended extended     `json:"extended"`
		Fixed    fixed        `json:"fixed"`
	}]](api, huma.Operation{})
	same(t, responseSchema(t, mustPublish(t, api, example())), `{"type":"object","required":["constant","composed",`+
		`"extended","fixed"],"properties":{
		"extended":{"type":"object","required":["name","age"],"properties":{"own":{"type":"string"},`+
		`"name":{"type":"string","description":"Name"},"age":{"type":"integer"}}},
		"text":{"type":"string","maxLength":9},
		"constant":{"type":"string","enum":["a","b","c"]},
		"composed":{"type":"object","required":["name","age"],"properties":{"name":{"type":"string",`+
		`"description":"Name"},"age":{"type":"integer"}}},
		"fixed":{"type":"integer","enum":[7]}}}`)
}

func TestOtherCombinationsAreRefused(t *testing.T) {
	text, number := &huma.Schema{Type: "string"}, &huma.Schema{Type: "number"}
	object := &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"a": text}}
	for name, s := range map[string]*huma.Schema{
		"two types": {AnyOf: []*huma.Schema{text, number}},
		"two objects": {OneOf: []*huma.Schema{object,
			{Type: "object", Properties: map[string]*huma.Schema{"b": text}}}},
		"one property twice":   {AllOf: []*huma.Schema{object, object}},
		"text and object":      {AllOf: []*huma.Schema{text, object}},
		"nothing but null":     {AnyOf: []*huma.Schema{{Type: "null"}}},
		"oneOf and anyOf":      {OneOf: []*huma.Schema{text}, AnyOf: []*huma.Schema{text}},
		"anyOf and allOf":      {AnyOf: []*huma.Schema{object}, AllOf: []*huma.Schema{object}},
		"own type and another": {Type: "number", AnyOf: []*huma.Schema{text}},
		"own property and same": {Type: "object", Properties: map[string]*huma.Schema{"a": text},
			AllOf: []*huma.Schema{object}},
		"not": {Type: "string", Not: number},
		"discriminator": {Type: "object", Properties: object.Properties,
			Discriminator: &huma.Discriminator{PropertyName: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			api := newAPI()
			declare[none, body[named]](api, huma.Operation{})
			api.OpenAPI().Components.Schemas.Map()["Named"].Properties["name"] = s
			_, err := New(api.OpenAPI(), example())
			var faults Faults
			if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Rule != "G076" || faults[0].Place != thing+
				", response 200 property name" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDefaultsAndExamplesAreOfTheirType(t *testing.T) {
	for name, tt := range map[string]struct {
		s  *huma.Schema
		ok bool
	}{
		"fraction for an integer": {&huma.Schema{Type: "integer", Default: 1.5}, false},
		"text for a number":       {&huma.Schema{Type: "number", Examples: []any{"1"}}, false},
		"value not in the enum":   {&huma.Schema{Type: "string", Enum: []any{"a", "b"}, Default: "c"}, false},
		"number as example of text": {&huma.Schema{Type: "string", Enum: []any{"a"}, Default: "a", Examples: []any{1}},
			false},
		"number beyond the maximum": {&huma.Schema{Type: "integer", Maximum: bound(50.0), Default: 100}, false},
		"number at its bounds": {&huma.Schema{Type: "integer", Minimum: bound(5.0), Maximum: bound(5.0),
			Default: 5}, true},
		"text that is too long":       {&huma.Schema{Type: "string", MaxLength: bound(2), Default: "abc"}, false},
		"text that is as long as may": {&huma.Schema{Type: "string", MaxLength: bound(2), Default: "äö"}, true},
		"list that is too short": {&huma.Schema{Type: "array", Items: &huma.Schema{Type: "string"}, MinItems: bound(1),
			Default: []string{}}, false},
		"value of the enum":   {&huma.Schema{Type: "string", Enum: []any{"a", "b"}, Default: "b"}, true},
		"false for a boolean": {&huma.Schema{Type: "boolean", Default: false}, true},
		"list of text for an array": {&huma.Schema{Type: "array", Items: &huma.Schema{Type: "string"},
			Default: []string{"a"}}, true},
		"object for an object": {&huma.Schema{Type: "object",
			Properties: map[string]*huma.Schema{"a": {Type: "string"}}, Examples: []any{named{}}}, true},
		"zero for an integer":        {&huma.Schema{Type: "integer", Default: 0}, true},
		"enum without type, of text": {&huma.Schema{Enum: []any{"a"}, Default: "a"}, true},
		"constant without type":      {&huma.Schema{Const: true}, true},
		"number without type":        {&huma.Schema{Const: 1.5}, true},
	} {
		t.Run(name, func(t *testing.T) {
			api := newAPI()
			declare[none, body[named]](api, huma.Operation{})
			api.OpenAPI().Components.Schemas.Map()["Named"].Properties["name"] = tt.s
			d := mustPublish(t, api, example())
			if warned(d, "G080", thing+", response 200 property name") == tt.ok {
				t.Errorf("warnings: %v", d.Warnings())
			}
		})
	}
}

func bound[T any](value T) *T { return &value }

func TestOnlyTheSuccessfulResponseIsPublished(t *testing.T) {
	api := newAPI()
	declare[none, taskReply](api, huma.Operation{Errors: []int{400, 401, 404}, Tags: []string{"x"}})
	d := parse(t, mustPublish(t, api, example()).JSON())
	op := at(t, d, "paths", "/api/v1/thing", "get").(map[string]any)
	if got := sortedKeys(op["responses"].(map[string]any)); !slices.Equal(got, []string{"200"}) {
		t.Errorf("responses are %v", got)
	}
	if got := sortedKeys(at(t, op, "responses", "200").(map[string]any)); !slices.Equal(got,
		[]string{"content", "description"}) {
		t.Errorf("the response has %v", got)
	}
	if op["tags"] != nil {
		t.Error("tags are published")
	}
}

func TestParametersHaveNoDescriptionInTheirSchema(t *testing.T) {
	api := newAPI()
	declare[struct {
		Tags   []string `query:"tags" doc:"Tags"`
		Number int64    `query:"number" doc:"Number"`
	}, done](api, huma.Operation{})
	same(t, at(t, parse(t, mustPublish(t, api, example()).JSON()), "paths", "/api/v1/thing", "get", "parameters"), `[
		{"name":"tags","in":"query","description":"Tags","required":false,"explode":false,"schema":{"type":"array",`+
		`"items":{"type":"string"}}},
		{"name":"number","in":"query","description":"Number","required":false,"schema":{"type":"integer"}}]`)
}

func TestWarnings(t *testing.T) {
	api, o := newAPI(), example()
	o.Description, o.Scopes, o.WarnBytes = "", []Scope{{"tasks:read", ""}}, 100
	declare[struct {
		Header string   `header:"X-Trace"`
		IDs    []string `query:"ids" doc:"IDs"`
		Odd    string   `query:"created-after"`
		Body   *struct {
			Big  int `json:"big" maximum:"1e17" default:"3" doc:"Big"`
			ODD  int `json:"Created-After" doc:"x"`
			Deep struct {
				Deep struct {
					Deep struct {
						Name string `json:"na me" doc:"Name"`
					} `json:"deep" doc:"Deep"`
				} `json:"deep" doc:"Deep"`
			} `json:"deep" doc:"Deep"`
		}
	}, body[[]string]](api, huma.Operation{Method: "DELETE", Path: "/api//thing/", Description: "Always call this.",
		OperationID: strings.Repeat("x", 41)})
	declare[none, none](api, huma.Operation{OperationID: "nothing"})
	api.OpenAPI().Paths["/api/v1/thing"].Get.Summary = ""
	d := mustPublish(t, api, o)
	const op = "DELETE /api//thing/"
	for rule, place := range map[string]string{
		"G005": "document", "G007": "document", "G008": op + ", body property big", "G013": op, "G031": op,
		"G033": "GET /api/v1/thing",
		"G034": op, "G036": op + ", parameter created-after", "G041": op + ", parameter X-Trace",
		"G044": op + ", parameter created-after",
		"G046": op + ", parameter ids", "G055": op + ", body", "G056": op + ", body", "G058": op + ", body",
		"G082": op + ", body property deep.deep.deep.na me", "G090": op + ", response 200", "G112": "document, Scopes",
		"G116": "document, Scopes",
	} {
		if !warned(d, rule, place) {
			t.Errorf("no warning %s at %s", rule, place)
		}
	}
	if t.Failed() {
		t.Log("\n" + Faults(d.Warnings()).Error())
	}
}

func TestWithoutScopesThereIsAWarning(t *testing.T) {
	api, o := newAPI(), example()
	o.Scopes = nil
	declare[none, done](api, huma.Operation{Security: []map[string][]string{}})
	d := mustPublish(t, api, o)
	if !warned(d, "G112", "document, Scopes") {
		t.Errorf("warnings: %v", d.Warnings())
	}
	same(t, at(t, parse(t, d.JSON()), "components", "securitySchemes", "oauth2", "flows", "authorizationCode",
		"scopes"), `{}`)
}

func TestManyOperationsAreAWarning(t *testing.T) {
	api := newAPI()
	for i := range 16 {
		declare[none, done](api, huma.Operation{OperationID: "op" + string(rune('a'+i)),
			Path: "/" + string(rune('a'+i))})
	}
	if d := mustPublish(t, api, example()); !warned(d, "G021", "document") {
		t.Errorf("warnings: %v", d.Warnings())
	}
}
