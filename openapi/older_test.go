package openapi

import (
	"bytes"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// olderGoldens are the documents before 3.1 of the realistic API, by file.
func olderGoldens(d *Document) map[string][]byte {
	return map[string][]byte{"testdata/golden-3.0.json": d.JSON30(), "testdata/golden-2.0.json": d.Swagger()}
}

func checkOlderGoldens(t *testing.T, d *Document) {
	for name, text := range olderGoldens(d) {
		if *update {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(name); err != nil || !bytes.Equal(text, want) {
			t.Errorf("the document differs from %s, %v; run the test with -update and look at the difference\n%s", name,
				err, text)
		}
	}
}

// odd has what is written otherwise before 3.1, and nothing that is left out.
func odd() huma.API {
	api := newAPI()
	declare[struct {
		Most  int      `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many"`
		Above float64  `query:"above" exclusiveMinimum:"0.5" exclusiveMaximum:"9" doc:"Lower bound"`
		Both  int      `query:"both" minimum:"3" exclusiveMinimum:"1" doc:"The harder bound counts"`
		Kinds []string `query:"kinds" enum:"a,b" doc:"Kinds, with commas"`
		Each  []int    `query:"each,explode" doc:"Numbers, each with the name"`
		Since string   `query:"since_day" format:"date" doc:"First day"`
	}, body[struct {
		Large  int64             `json:"large" doc:"Beyond 32 bits"`
		Mail   string            `json:"mail" format:"email" doc:"Address"`
		Counts map[string]int    `json:"counts" doc:"By name"`
		Old    string            `json:"old,omitempty" deprecated:"true" doc:"Old"`
		Deep   []map[string]bool `json:"deep" doc:"Nested in an answer"`
	}]](api, huma.Operation{})
	return api
}

// TestOlderVersionsDifferWhereTheirWordsDo, and say the same with them.
func TestOlderVersionsDifferWhereTheirWordsDo(t *testing.T) {
	d := mustPublish(t, odd(), example())
	in30, in20 := parse(t, d.JSON30()), parse(t, d.Swagger())
	if in30["openapi"] != "3.0.0" || in20["swagger"] != "2.0" {
		t.Errorf("versions are %v and %v", in30["openapi"], in20["swagger"])
	}
	operation := []any{"paths", "/api/v1/thing", "get"}
	for i, want := range []string{
		`{"type":"integer","format":"int32","default":20,"minimum":1,"maximum":100}`,
		`{"type":"number","format":"double","minimum":0.5,"exclusiveMinimum":true,"maximum":9,"exclusiveMaximum":true}`,
		`{"type":"integer","format":"int64","minimum":3}`,
		`{"type":"array","items":{"type":"string","enum":["a","b"]}}`,
		`{"type":"array","items":{"type":"integer","format":"int64"}}`,
		`{"type":"string","format":"date"}`,
	} {
		same(t, at(t, in30, append(operation, "parameters", i, "schema")...), want)
		inner := maps.Clone(at(t, in20, append(operation, "parameters", i)...).(map[string]any))
		for _, name := range []string{"name", "in", "description", "required", "x-ms-summary", "collectionFormat"} {
			delete(inner, name)
		}
		same(t, inner, want)
	}
	for i, want := range []any{nil, nil, nil, "csv", "multi", nil} {
		if got := at(t, in20, append(operation, "parameters", i)...).(map[string]any)["collectionFormat"]; got != want {
			t.Errorf("the format of parameter %d is %v, want %v", i, got, want)
		}
	}
	if got := at(t, in20, append(operation, "parameters", 5, "x-ms-summary")...); got != "Since Day" {
		t.Errorf("the label is %v", got)
	}
	if got := at(t, in30, append(operation, "parameters", 3, "description")...); got !=
		"Kinds, with commas. One of: a, b" {
		t.Errorf("the values are not in the description: %v", got)
	}
	same(t, at(t, in20, append(operation, "responses", "200", "schema", "properties")...), `{
		"counts": {"type":"object","x-ms-summary":"Counts","description":"By name","properties":{},
			"additionalProperties":{"type":"integer","format":"int64"}},
		"deep": {"type":"array","x-ms-summary":"Deep","description":"Nested in an answer",
			"items":{"type":"object","properties":{},"additionalProperties":{"type":"boolean"}}},
		"large": {"type":"integer","format":"int64","x-ms-summary":"Large","description":"Beyond 32 bits"},
		"mail": {"type":"string","x-ms-summary":"Mail","description":"Address"},
		"old": {"type":"string","x-ms-summary":"Old","description":"Old"}}`)
}

// TestOlderVersionsHaveTheSameOperations but for those that one names as left out.
func TestOlderVersionsHaveTheSameOperations(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	newest, in30, in20 := parse(t, d.JSON()), parse(t, d.JSON30()), parse(t, d.Swagger())
	missing := map[string]bool{}
	for _, one := range in30["x-left-out"].([]any) {
		missing[one.(map[string]any)["operationId"].(string)] = true
	}
	if want := map[string]bool{"createTask": true}; !reflect.DeepEqual(missing, want) {
		t.Errorf("%v are left out, want %v", missing, want)
	}
	for path, methods := range newest["paths"].(map[string]any) {
		for method, operation := range methods.(map[string]any) {
			want, id := facts(operation), operation.(map[string]any)["operationId"].(string)
			if got := facts(at(t, in20, "paths", path, method)); !reflect.DeepEqual(got, want) {
				t.Errorf("2.0: %s is\n%v, want\n%v", id, got, want)
			}
			if item, _ := in30["paths"].(map[string]any)[path].(map[string]any); missing[id] != (item[method] == nil) {
				t.Errorf("3.0: %s: left out %v, there %v", id, missing[id], item[method] != nil)
			} else if !missing[id] && !reflect.DeepEqual(facts(item[method]), want) {
				t.Errorf("3.0: %s is\n%v, want\n%v", id, facts(item[method]), want)
			}
		}
	}
}

// facts are what an operation says in every version: texts, security, arguments and what is required, statuses.
func facts(operation any) map[string]any {
	o := operation.(map[string]any)
	facts := map[string]any{"statuses": sortedKeys(o["responses"].(map[string]any))}
	for _, name := range []string{"operationId", "summary", "description", "security"} {
		facts[name] = o[name]
	}
	body, _ := o["requestBody"].(map[string]any)
	if body != nil {
		schema := body["content"].(map[string]any)["application/json"].(map[string]any)["schema"].(map[string]any)
		facts["body"] = []any{body["required"], schema["required"], sortedKeys(schema["properties"].(map[string]any))}
	}
	for _, one := range o["parameters"].([]any) {
		p := one.(map[string]any)
		if p["in"] == "body" {
			schema := p["schema"].(map[string]any)
			facts["body"] = []any{p["required"], schema["required"], sortedKeys(schema["properties"].(map[string]any))}
			continue
		}
		facts[p["in"].(string)+" "+p["name"].(string)] = p["required"]
	}
	return facts
}

// TestAnOperationWithANestedBodyIsLeftOutAloud: who runs the server is told at start, who reads the document in it.
func TestAnOperationWithANestedBodyIsLeftOutAloud(t *testing.T) {
	d := mustPublish(t, nestedBody(), example())
	if !warned(d, "X011", "POST /api/v1/thing, body property places[]") {
		t.Errorf("no warning: %v", d.Warnings())
	}
	in30 := parse(t, d.JSON30())
	reason := at(t, in30, "x-left-out", 0, "reason").(string)
	if !strings.Contains(reason, "places[]") || len(in30["paths"].(map[string]any)) > 0 {
		t.Errorf("%s", d.JSON30())
	}
	if !strings.Contains(string(d.Swagger()), "/api/v1/thing") {
		t.Errorf("Swagger 2.0 lacks it:\n%s", d.Swagger())
	}
}

func TestOlderVersionsAreServedAsTheNewest(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	ask := serve(t, d)
	for path, want := range map[string][]byte{"/openapi-3.0.json": d.JSON30(), "/swagger.json": d.Swagger()} {
		response, text := ask("GET", path)
		expect(t, response, 200, map[string]string{"Content-Type": "application/json", "Vary": "Accept-Encoding",
			"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=60"})
		if !bytes.Equal(text, want) {
			t.Errorf("%s is another document:\n%s", path, text)
		}
		etag := response.Header.Get("ETag")
		if response, text = ask("HEAD", path); response.Header.Get("ETag") != etag || len(text) > 0 {
			t.Errorf("HEAD %s: %v, %d bytes", path, response.Header, len(text))
		}
		response, _ = ask("GET", path, "If-None-Match", etag)
		expect(t, response, 304, map[string]string{"ETag": etag})
	}
}

// TestOlderVersionsKeepTheSizeToo: they are often larger than the newest, by what they say besides.
func TestOlderVersionsKeepTheSizeToo(t *testing.T) {
	o := example()
	for path, api := range map[string]huma.API{"/openapi-3.0.json": odd(), "/swagger.json": nestedBody()} {
		o.MaxBytes = len(mustPublish(t, api, example()).JSON())
		want := "G007 document: " + path + " has"
		if _, err := New(api.OpenAPI(), o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q is not said in %v", want, err)
		}
	}
}

// nestedBody has an operation that Microsoft 365 does not take.
func nestedBody() huma.API {
	api := newAPI()
	declare[body[struct {
		Name   string  `json:"name" doc:"Name"`
		Places []named `json:"places" doc:"Places"`

		// Swagger 2.0 says more of each property, and less of the body.
		Street, City, Region, Country, Code, Phone, Mail, Site, Notes, Kind, State, Color, Size, Owner string
	}], done](api, post)
	return api
}
