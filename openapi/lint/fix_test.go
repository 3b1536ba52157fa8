//go:build !production

package lint

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// small returns a document of one operation with these components and this body, in the version.
func small(version, components, body, response string) string {
	return `{"openapi": "` + version +
		`", "info": {"title": "T", "version": "1", "description": "D"}, "x-schema-hash": "0", "servers": [{"url": ` +
		`"https://api.example.com"}],
"paths": {"/a": {"post": {"operationId": "addA", "summary": "S", "description": "D", "x-openai-isConsequential": ` +
		`true, "parameters": [],
"requestBody": {"required": true, "content": {"application/json": {"schema": ` + body + `}}},
"responses": {"200": {"description": "OK", "content": {"application/json": {"schema": ` + response + `}}}}}}},
"components": {"schemas": {` + components + `}}}`
}

const (
	plainBody  = `{"type": "object", "properties": {"a": {"type": "string", "description": "A"}}}`
	plainReply = `{"type": "object", "properties": {"b": {"type": "string"}}}`
)

// TestFixKeepsWhatSchemasSay holds for each way of saying something what the copy says.
func TestFixKeepsWhatSchemasSay(t *testing.T) {
	const base = `"Base": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", ` +
		`"description": "Name"}}}`
	for _, tt := range []struct {
		name, version, components string
		body, want                string // the schema of a body, and that of the copy
		response, wantResponse    string
	}{
		{name: "a base beside its heir's properties", version: "3.0.1", components: base,
			body: `{"type": "object", "allOf": [{"$ref": "#/components/schemas/Base"}], "required": ["in"], ` +
				`"properties": {"in": {"type": "boolean", "description": "In"}}, "additionalProperties": false}`,
			want: `{"type":"object","required":["in","name"],"properties":{"in":{"type":"boolean",` +
				`"description":"In"},"name":{"type":"string","description":"Name"}},"additionalProperties":false}`},
		{name: "a base that is not found", version: "3.1.0",
			body: `{"type": "object", "allOf": [{"$ref": "#/components/schemas/Lost"}], "properties": {"a": {"type": ` +
				`"string", "description": "A"}}}`,
			want: `{"type":"object","allOf":[{"$ref":"#/components/schemas/Lost"}],` +
				`"properties":{"a":{"type":"string","description":"A"}}}`},
		{name: "parts that contradict each other", version: "3.1.0",
			body: `{"allOf": [{"type": "object", "properties": {"a": {"type": "string", "description": "A"}}}, ` +
				`{"type": "object", "properties": {"a": {"type": "integer", "description": "A"}}}]}`,
			want: `{"allOf":[{"type":"object","properties":{"a":{"type":"string","description":"A"}}},` +
				`{"type":"object","properties":{"a":{"type":"integer","description":"A"}}}]}`},
		{name: "words beside $ref of 3.1", version: "3.1.0", components: base,
			body: `{"type": "object", "properties": {"b": {"$ref": "#/components/schemas/Base", "description": ` +
				`"Whose", "required": ["id"]}}}`,
			want: `{"type":"object","properties":{"b":{"description":"Whose","required":["id","name"],` +
				`"type":"object","properties":{"name":{"type":"string","description":"Name"}}}}}`},
		{name: "words beside $ref of 3.0", version: "3.0.3", components: base,
			body: `{"type": "object", "properties": {"b": {"$ref": "#/components/schemas/Base", "required": ["id"]}}}`,
			want: `{"type":"object","properties":{"b":{"type":"object","required":["name"],` +
				`"properties":{"name":{"type":"string","description":"Name"}}}}}`},
		{name: "null that is required", version: "3.1.0",
			body: `{"type": "object", "required": ["a", "b", "c", "d", "e"], "properties": {"a": {"anyOf": [{"type": ` +
				`"string"}, {"type": "null"}], "description": "A"}, "b": {"type": ["string", "null"], "description": ` +
				`"B", "default": null},
				"c": {"enum": ["x", null], "description": "C"}, "d": {"oneOf": [{"type": "string"}, {"type": ` +
				`["integer", "null"]}], "description": "D"}, "e": {"type": ["string", "null"], "enum": ["x"], ` +
				`"description": "E"}}}`,
			want: `{"type":"object","required":["e"],"properties":{"a":{"description":"A","type":"string"},` +
				`"b":{"type":"string","description":"B"},"c":{"enum":["x"],"description":"C","type":"string"},` +
				`"d":{"oneOf":[{"type":"string"},{"type":"integer"}],"description":"D"},"e":{"type":"string",` +
				`"enum":["x"],"description":"E"}}}`},
		{name: "null of 3.0", version: "3.0.3", components: base,
			body: `{"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string", "nullable": ` +
				`true, "description": "A"}, "b": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/Base"}],` +
				` "description": "B"}}}`,
			want: `{"type":"object","required":[],"properties":{"a":{"type":"string","description":"A"},` +
				`"b":{"description":"B","type":"object","required":["name"],"properties":{"name":{"type":"string",` +
				`"description":"Name"}}}}}`},
		{name: "null alone, and in lists", version: "3.1.0",
			body: `{"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "null", "description": ` +
				`"A"}, "b": {"type": "array", "description": "B", "items": {"type": ["string", "null"]}}, "c": ` +
				`{"const": null, "description": "C"}}}`,
			want: `{"type":"object","required":["a","b"],"properties":{"a":{"type":"null","description":"A"},` +
				`"b":{"type":"array","description":"B","items":{"type":["string","null"]}},"c":{"const":null,` +
				`"description":"C"}}}`},
		{name: "null that comes back", version: "3.0.3",
			components: `"Out": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", ` +
				`"nullable": true, "enum": ["x"]}}}`,
			response: `{"type": "object", "properties": {"out": {"nullable": true, "allOf": [{"$ref": ` +
				`"#/components/schemas/Out"}]}, "n": {"type": "integer", "nullable": true, "minimum": 0, ` +
				`"exclusiveMinimum": true}}}`,
			wantResponse: `{"type":"object","properties":{"out":{"type":["object","null"],"required":["a"],` +
				`"properties":{"a":{"type":["string","null"],"enum":["x",null]}}},` +
				`"n":{"type":["integer","null"],"exclusiveMinimum":0}}}`},
		{name: "one component in a body and a response", version: "3.1.0",
			components: `"Both": {"type": "object", "required": ["a"], "properties": {"a": {"type": ["string", ` +
				`"null"], "description": "A"}}}`,
			body:     `{"$ref": "#/components/schemas/Both"}`,
			want:     `{"type":"object","required":[],"properties":{"a":{"type":"string","description":"A"}}}`,
			response: `{"$ref": "#/components/schemas/Both"}`, wantResponse: `{"$ref":"#/components/schemas/Both"}`},
		{name: "a union with nothing", version: "3.1.0",
			body: `{"type": "object", "properties": {"a": {"anyOf": [{"not": {}}, {"type": "string"}], ` +
				`"description": "A"}, "b": {"oneOf": [false, {"type": "string"}, {"type": "integer"}], ` +
				`"description": "B"}, "c": {"not": {}, "description": "C"}}}`,
			want: `{"type":"object","properties":{"a":{"description":"A","type":"string"},` +
				`"b":{"oneOf":[{"type":"string"},{"type":"integer"}],"description":"B"},"c":{"not":{},` +
				`"description":"C"}}}`},
		{name: "members that are not declared", version: "3.1.0",
			body: `{"type": "object", "properties": {"a": {"type": "string", "description": "A"}}, ` +
				`"additionalProperties": {"type": ["string", "null"]}, "required": ["z"]}`,
			want: `{"type":"object","properties":{"a":{"type":"string","description":"A"}},` +
				`"additionalProperties":{"type":["string","null"]},"required":["z"]}`},
		{name: "what contains itself", version: "3.1.0",
			components: `"Node": {"type": "object", "properties": {"name": {"type": "string", "description": "Name"},` +
				` "next": {"$ref": "#/components/schemas/Node"}}}`,
			body: `{"$ref": "#/components/schemas/Node"}`,
			want: `{"type":"object","properties":{"name":{"type":"string","description":"Name"},` +
				`"next":{"type":"object","description":"As Node","properties":{}}}}`},
		{name: "data that looks like a reference", version: "3.1.0", components: base,
			body: `{"type": "object", "properties": {"a": {"type": "object", "description": "A", "properties": {"b": ` +
				`{"type": "string", "description": "B"}}, "example": {"$ref": "#/components/schemas/Base"}}}}`,
			want: `{"type":"object","properties":{"a":{"type":"object","description":"A",` +
				`"properties":{"b":{"type":"string","description":"B"}},` +
				`"example":{"$ref":"#/components/schemas/Base"}}}}`},
		{name: "references into a component, and with signs", version: "3.1.0", components: base +
			`, "A<B>": {"type": "string"}`,
			response: `{"type": "object", "properties": {"a": {"$ref": ` +
				`"#/components/schemas/Base/properties/name"}, "b": {"$ref": "#/components/schemas/A%3CB%3E"}}}`,
			wantResponse: `{"type":"object","properties":{"a":{"type":"string","description":"Name"},` +
				`"b":{"$ref":"#/components/schemas/A%3CB%3E"}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			orPlain := func(s, plain string) string {
				if s == "" {
					return plain
				}
				return s
			}
			source := small(tt.version, tt.components, orPlain(tt.body, plainBody), orPlain(tt.response, plainReply))
			mended, err := Fix(t.Context(), []byte(source), Options{})
			if err != nil || len(mended.Kept) > 0 {
				t.Fatalf("%v, kept %v", err, mended.Kept)
			}
			copied, err := parse(mended.Document)
			if err != nil {
				t.Fatal(err)
			}
			if got := copied.root.get("paths", "/a", "post", "requestBody", "content", jsonType,
				"schema").compact(); tt.want != "" && got != tt.want {
				t.Errorf("the body is\n%s\nnot\n%s", got, tt.want)
			}
			if got := copied.root.get("paths", "/a", "post", "responses", "200", "content", jsonType,
				"schema").compact(); tt.wantResponse != "" && got != tt.wantResponse {
				t.Errorf("the response is\n%s\nnot\n%s", got, tt.wantResponse)
			}
		})
	}
}

// TestADiscriminatorKeepsItsHeirs is of the schemas that nothing else leads to.
func TestADiscriminatorKeepsItsHeirs(t *testing.T) {
	for name, discriminator := range map[string]string{"mapped": `{"propertyName": "kind", "mapping": {"cat": "Cat", ` +
		`"dog": "#/components/schemas/Dog"}}`, "by name": `{"propertyName": "kind"}`} {
		source := small("3.0.3",
			`"Pet": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", `+
				`"description": "Kind"}}, "discriminator": `+discriminator+`},
			"Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"indoor": `+
				`{"type": "boolean", "description": "In"}}}]},
			"Dog": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"bark": `+
				`{"type": "boolean", "description": "Bark"}}}]}`,
			`{"$ref": "#/components/schemas/Pet"}`, `{"$ref": "#/components/schemas/Pet"}`)
		mended, err := Fix(t.Context(), []byte(source), Options{})
		if err != nil || len(mended.Kept) > 0 {
			t.Fatalf("%s: %v, kept %v", name, err, mended.Kept)
		}
		for _, want := range []string{`"indoor"`, `"bark"`, `"$ref": "#/components/schemas/Pet"`} {
			if !strings.Contains(string(mended.Document), want) {
				t.Errorf("%s: %s is lost in\n%s", name, want, mended.Document)
			}
		}
	}
}

// TestFixKeepsOperationsWhole is of what stands outside of schemas.
func TestFixKeepsOperationsWhole(t *testing.T) {
	const source = `openapi: 3.0.3
info: {title: T, version: "1", description: D}
servers: [{url: https://api.example.com}]
paths:
  /a/{id}:
    description: Of one thing.
    servers: [{url: https://other.example.com}]
    parameters:
      - {name: id, in: path, required: true, description: Which, schema: {type: string}}
      - {name: lang, in: query, description: Language, schema: {type: string}}
      - {$ref: "lost.yaml#/p"}
    get:
      operationId: getA
      summary: Get
      parameters:
        - {name: lang, in: query, description: Its own, schema: {type: string, enum: [en]}}
        - {$ref: "#/components/parameters/Gone"}
        - {name: X-Key, in: header, required: true, schema: {type: string}}
        - {name: X-Version, in: header, required: true, schema: {type: string}}
        - {name: accept, in: header, required: true, schema: {type: string}}
      responses:
        "200": {$ref: "#/components/responses/Lost"}
        default: {description: All went well, content: {application/json: {schema: {type: object, properties: {a: ` +
		`{type: string}}}}}}
    post:
      operationId: addA
      summary: Add
      description: Its own text.
      servers: [{url: "https://API.example.com:443/"}]
      requestBody: {$ref: "#/components/requestBodies/Lost"}
      responses:
        "404": {description: None}
        default: {description: All went well, content: {application/json: {schema: {type: object, properties: {a: ` +
		`{type: string}}}}}}
  /b: {$ref: "lost.yaml#/paths/b"}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: x-key}}
`
	mended, err := Fix(t.Context(), []byte(source), Options{})
	if err != nil || len(mended.Kept) > 0 {
		t.Fatalf("%v, kept %v", err, mended.Kept)
	}
	copied, err := parse(mended.Document)
	if err != nil {
		t.Fatal(err)
	}
	get, post := copied.root.get("paths", "/a/{id}", "get"), copied.root.get("paths", "/a/{id}", "post")
	var parameters []string
	for _, one := range get.get("parameters").list() {
		parameters = append(parameters, one.get("$ref").str()+one.get("name").str())
	}
	if want := []string{"lang", "#/components/parameters/Gone", "X-Version", "id",
		"lost.yaml#/p"}; !slices.Equal(parameters, want) {
		t.Errorf("parameters %q, want %q", parameters, want)
	}
	for what, got := range map[string]string{
		"the text of the path":       get.get("description").str(),
		"the server of the path":     get.get("servers").compact(),
		"a lost response":            get.get("responses", "200", "$ref").str(),
		"a lost body":                post.get("requestBody", "$ref").str(),
		"the only success":           post.get("responses", "default", "description").str(),
		"the reference of a path":    copied.root.get("paths", "/b", "$ref").str(),
		"the parameter's own schema": get.get("parameters").list()[0].get("schema").compact(),
	} {
		want := map[string]string{"the text of the path": "Of one thing.",
			"the server of the path": `[{"url":"https://other.example.com"}]`,
			"a lost response":        "#/components/responses/Lost", "a lost body": "#/components/requestBodies/Lost",
			"the only success":           "All went well",
			"the reference of a path":    "lost.yaml#/paths/b",
			"the parameter's own schema": `{"type":"string","enum":["en"]}`}[what]
		if got != want {
			t.Errorf("%s is %q, want %q", what, got, want)
		}
	}
	if post.has("servers") {
		t.Error("the same server in another spelling is left")
	}
	for _, want := range []string{"G041 error", "G073 error"} {
		if !slices.ContainsFunc(mended.Left, func(f Finding) bool { return f.Rule+" "+string(f.Severity) == want }) {
			t.Errorf("no %s is left: %v", want, mended.Left)
		}
	}
}

func TestADocumentOfSwaggerIsConvertedFirst(t *testing.T) {
	source := []byte(`{"swagger": "2.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/parameters/P"}]}}}, ` +
		`"parameters": {"P": {"name": "p", "in": "query", "type": "string"}}}`)
	if findings := Check(t.Context(), source, Options{}); len(findings) != 1 || findings[0].Rule != "G001" {
		t.Errorf("%v", findings)
	}
	if mended, err := Fix(t.Context(), source, Options{}); err == nil {
		t.Errorf("mended to\n%s", mended.Document)
	}
}

// TestTheCauseIsToldBeforeItsConsequences: references that lead nowhere are one finding each,
// and nothing else is said of what they stand for.
func TestTheCauseIsToldBeforeItsConsequences(t *testing.T) {
	for _, ref := range []string{"parts.yaml#/X", "#/components/schemas/Gone", "./other.json",
		"https://elsewhere.example.com/x.yaml#/X", "#anchor", "#/components/schemas/Task/properties/gone"} {
		reference := `{"$ref": "` + ref + `"}`
		for what, pairs := range map[string][]string{
			"a parameter": {"[" + idParameter + "]", "[" + reference + "]"},
			"a body": {`{"required": true, "content": {"application/json": {"schema": ` + bodyObject +
				`}}}`, reference},
			"a body's schema": {bodyObject, reference},
			"a property":      {titleSchema, reference},
			"a response": {`{"201": {"description": "Created", "content": {"application/json": {"schema": ` +
				`{"$ref": "#/components/schemas/Task"}}}}}`, `{"201": ` + reference + `}`},
			"a reply's schema": {`"Created", "content": {"application/json": {"schema": {"$ref": ` +
				`"#/components/schemas/Task"}}}`,
				`"Created", "content": {"application/json": {"schema": ` + reference + `}}`},
			"a page's parameter": {cursor, reference},
			"an item":            {`"items": {"type": "string"}`, `"items": ` + reference},
		} {
			findings := Check(t.Context(), []byte(with(t, pairs...)), Options{})
			if len(findings) != 1 || findings[0].Rule != "G073" || findings[0].Severity != Error {
				t.Errorf("%s, %s: %v", what, ref, findings)
			}
			if bundled := strings.Contains(findings[0].Remedy, "Bundle"); bundled != !strings.HasPrefix(ref, "#") {
				t.Errorf("%s, %s: %s", what, ref, findings[0].Remedy)
			}
		}
	}
}

func TestWhatIsFetchedRefersToItself(t *testing.T) {
	source := []byte(with(t, labels, `"labels": {"$ref": "parts.json#/A"}`))
	fetch := func(_ context.Context, _ string) ([]byte, error) {
		return []byte(`{"A": {"type": "object", "properties": {"b": {"$ref": "#/B"}}}, "B": {"type": "string"}}`), nil
	}
	if findings := Check(t.Context(), source,
		Options{Address: "https://api.example.com/openapi.json", Fetch: fetch}); len(findings) > 0 {
		t.Errorf("%v", findings)
	}
}

// TestACopyThatLosesSomethingIsPutBack breaks the copy by hand, in each part.
func TestACopyThatLosesSomethingIsPutBack(t *testing.T) {
	for _, pointer := range []string{"/paths/~1tasks/get/parameters", "/paths/~1tasks/post/requestBody/content",
		"/paths/~1tasks/post/responses/201/content", "/paths/~1tasks/post/summary",
		"/components/schemas/Task/properties/labels", "/paths/~1tasks/post"} {
		_, l := check(t.Context(), []byte(clean), Options{})
		f := &fixer{linter: l, left: maxInlined, original: l.root.clone(), announcements: map[announcement]Change{},
			partial: map[*value]bool{}, rings: map[*value]string{}}
		f.modern = l.root.clone()
		f.document()
		parent, name := pointer[:strings.LastIndex(pointer, "/")], pointer[strings.LastIndex(pointer, "/")+1:]
		l.root.at(parent).remove(name)
		if !f.putBack() {
			t.Errorf("%s is not put back: %v", pointer, f.kept)
		}
		if len(f.kept) == 0 {
			t.Errorf("nobody is told of %s", pointer)
		}
	}
}

func TestChangesAreToldWithTheirPlace(t *testing.T) {
	source := small("3.1.0", "",
		`{"type": "object", "required": ["a"], "properties": {"a": {"type": ["string", "null"], "description": "A"}}}`,
		plainReply)
	mended, err := Fix(t.Context(), []byte(source), Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(mended.Changes)
	for _, want := range []string{`"place":"POST /a, body property a","what":"null is no longer admitted"`,
		`"place":"POST /a, body","what":"a is no longer required"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}
