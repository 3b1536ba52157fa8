package gpttest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// clean is a document that the editor takes without a red line. Tests cut pieces out
// of it, so each difference from it is one fault.
const clean = `{
  "openapi": "3.1.0",
  "info": {"title": "Tasks", "version": "1"},
  "servers": [{"url": "https://api.example.com"}],
  "security": [{"oauth": ["tasks:read"]}],
  "paths": {
    "/tasks/{id}": {
      "get": {
        "operationId": "getTask",
        "summary": "Get one task",
        "parameters": [
          {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
          {"name": "fields", "in": "query", "description": "Members to return", "schema": {"type": "array", "items": ` +
	`{"type": "string", "enum": ["title", "state"]}}}
        ],
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"$ref": ` +
	`"#/components/schemas/Task"}}}}}
      }
    },
    "/tasks": {
      "post": {
        "operationId": "createTask",
        "summary": "Create a task",
        "x-openai-isConsequential": true,
        "security": [{"oauth": ["tasks:read", "tasks:write"]}],
        "requestBody": {"required": true, "content": {"application/json": {"schema": {
          "type": "object", "required": ["title"],
          "properties": {"title": {"type": "string"}, "state": {"type": "string", "enum": ["open", "done"], ` +
	`"default": "open"},
            "place": {"type": "object", "properties": {"room": {"type": "string"}}}}}}}},
        "responses": {"201": {"description": "Created"}}
      }
    },
    "/ping": {"get": {"operationId": "ping", "security": [], "responses": {"200": {"description": "OK"}}}}
  },
  "components": {
    "securitySchemes": {"oauth": {"type": "oauth2", "flows": {"authorizationCode": {
      "authorizationUrl": "https://app.example.com/idp", "tokenUrl": "https://api.example.com/oauth2/token",
      "scopes": {"tasks:read": "Read tasks", "tasks:write": "Change tasks"}}}}},
    "schemas": {"Task": {"type": "object", "properties": {"id": {"type": "string"}, "labels": {"type": "array", ` +
	`"items": {"type": "string"}}}}}
  }
}`

// with replaces pieces of the clean document, pairwise.
func with(t *testing.T, pairs ...string) string {
	t.Helper()
	text := clean
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the clean document has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func importText(t *testing.T, text string, o Options) *Imported {
	t.Helper()
	imp, err := ImportText(text, o)
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

// ids lists the operations that were kept.
func ids(imp *Imported) string {
	var list []string
	for _, op := range imp.Operations {
		list = append(list, op.ID)
	}
	return strings.Join(list, " ")
}

func lines(messages []Message) []string {
	list := []string{}
	for _, m := range messages {
		list = append(list, m.Rule+" "+m.Effect+": "+m.Text)
	}
	return list
}

func TestCleanDocumentRaisesNothing(t *testing.T) {
	for _, o := range []Options{{}, {Strict: true}} {
		imp := importText(t, clean, o)
		if !imp.OK() || len(imp.Notes) > 0 {
			t.Fatalf("warnings %q, errors %q, notes %q", imp.Warnings, imp.Errors, imp.Notes)
		}
		if imp.RootDomain != "api.example.com" || imp.ServerURL != "https://api.example.com" || imp.Title != "Tasks" {
			t.Errorf("got %q %q %q", imp.RootDomain, imp.ServerURL, imp.Title)
		}
		if got := ids(imp); got != "getTask createTask ping" {
			t.Errorf("operations %q", got)
		}
	}
}

const (
	idParameter = `{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}`
	title       = `"title": {"type": "string"}`
	all         = "getTask createTask ping"
	inGet       = "In path /tasks/{id}, method get, operationId getTask, "
	inPost      = "In path /tasks, method post, operationId createTask, "
	bodySchema  = `"requestBody": {"required": true, "content": {"application/json": {"schema": {
          "type": "object", "required": ["title"],
          "properties": {"title": {"type": "string"}, "state": {"type": "string", "enum": ["open", "done"], ` +
		`"default": "open"},
            "place": {"type": "object", "properties": {"room": {"type": "string"}}}}}}}}`
)

// body replaces the schema of the request body.
func body(schema string) []string {
	return []string{bodySchema, `"requestBody": {"content": {"application/json": {"schema": ` + schema + `}}}`}
}

// component adds a schema in front of Task.
func component(text string) []string {
	return []string{`"schemas": {"Task"`, `"schemas": {` + text + `, "Task"`}
}

func TestEachRuleHasItsMessageAndEffect(t *testing.T) {
	long := strings.Repeat("é", 321)
	for _, tt := range []struct {
		name    string
		replace []string
		options Options
		want    []string // "rule effect: text", warnings then errors
		kept    string   // operations that remain
	}{
		{"M1 3.0 is refused (C)", []string{`"3.1.0"`, `"3.0.3"`}, Options{},
			[]string{"M1 refuse: ('openapi',): Input should be '3.1.1' or '3.1.0'"}, ""},
		{"M1 with the older text (C)", []string{`"3.1.0"`, `"3.1.1"`}, Options{Only310: true},
			[]string{"M1 refuse: ('openapi',): Input should be '3.1.0'"}, ""},
		{"M1 takes 3.1.1 (C)", []string{`"3.1.0"`, `"3.1.1"`}, Options{}, nil, all},
		{"M2 no info (D)", []string{`"info": {"title": "Tasks", "version": "1"},`, ``}, Options{},
			[]string{"M2 refuse: ('info',): field required"}, ""},
		{"M2 no title (D)", []string{`"title": "Tasks", `, ``}, Options{},
			[]string{"M2 refuse: ('info', 'title'): field required"}, ""},
		{"M2 a number as version (D)", []string{`"version": "1"`, `"version": 1.0`}, Options{},
			[]string{"M2 refuse: ('info', 'version'): Input should be a valid string"}, ""},
		{"M3 an empty enum (D)",
			component(`"A": {"type": "object", "properties": {"k": {"type": "string", "enum": []}}}`), Options{},
			[]string{"M3 refuse: ('components', 'schemas', 'A', 'properties', 'k', 'enum'): List should have at " +
				"least 1 item after validation, not 0"}, ""},
		{"M3 switched off", component(`"A": {"type": "object", "properties": {"k": {"type": "string", "enum": []}}}`),
			Options{Without: []string{"M3"}}, nil, all},
		{"M4 no schemas (C)",
			[]string{`"schemas": {"Task": {"type": "object", "properties": {"id": {"type": "string"}, "labels": ` +
				`{"type": "array", "items": {"type": "string"}}}}}`, `"parameters": {}`,
				`{"$ref": "#/components/schemas/Task"}`, `{"type": "string"}`}, Options{},
			[]string{"M4 refuse: In components section, schemas subsection is not an object"}, ""},
		{"M5 no server (C)", []string{`"servers": [{"url": "https://api.example.com"}],`, ``}, Options{},
			[]string{"M5 refuse: Could not find a valid URL in `servers`"}, ""},
		{"M5 a relative server (C)", []string{`https://api.example.com"}]`, `/v1"}]`}, Options{},
			[]string{"M5 refuse: Could not find a valid URL in `servers`"}, ""},
		{"M5 a placeholder (C)", []string{`https://api.example.com"}]`, `https://{tenant}.example.com"}]`}, Options{},
			[]string{"M5 refuse: Could not find a valid URL in `servers`"}, ""},
		{"M6 http (C)", []string{`https://api.example.com"}]`, `http://api.example.com"}]`}, Options{}, []string{
			"M6 warn: Server URL http://api.example.com is not under the root origin https://api.example.com; " +
				"ignoring it",
			"M6 refuse: None of the provided servers is under the root origin https://api.example.com"}, ""},
		{"M6 a port (C)", []string{`https://api.example.com"}]`, `https://api.example.com:8443"}]`}, Options{},
			[]string{
				"M6 warn: Server URL https://api.example.com:8443 is not under the root origin " +
					"https://api.example.com; ignoring it",
				"M6 refuse: None of the provided servers is under the root origin https://api.example.com"}, ""},
		{"M6 upper case (C)", []string{`https://api.example.com"}]`, `https://API.example.com"}]`}, Options{}, []string{
			"M6 warn: Server URL https://API.example.com is not under the root origin https://api.example.com; " +
				"ignoring it",
			"M6 refuse: None of the provided servers is under the root origin https://api.example.com"}, ""},
		{"M6 localhost, when nothing is waived (C)", []string{`https://api.example.com"}]`, `http://localhost:8080"}]`},
			Options{Strict: true}, []string{
				"M6 warn: Server URL http://localhost:8080 is not under the root origin https://localhost; ignoring it",
				"M6 refuse: None of the provided servers is under the root origin https://localhost"}, ""},
		{"M7 two servers (C)", []string{`https://api.example.com"}]`,
			`https://api.example.com"}, {"url": "https://api.example.com/v2"}]`}, Options{},
			[]string{"M7 warn: Multiple servers found, using https://api.example.com"}, all},
		{"M7 two host names (C)", []string{`https://api.example.com"}]`,
			`https://api.example.com"}, {"url": "https://eu.example.com"}]`}, Options{},
			[]string{"M7 warn: Found multiple hostnames, dropping https://eu.example.com"}, all},
		{"M8 two schemes (C)", []string{`"securitySchemes": {`, `"securitySchemes": {"key": {"type": "apiKey"}, `},
			Options{},
			[]string{"M8 warn: Found multiple security schemes, only 1 is supported"}, all},
		{"M10 no operationId (C)", []string{`"operationId": "ping", `, ``}, Options{},
			[]string{"M10 drop operation: In path /ping, method get is missing operationId; " +
				"skipping"}, "getTask createTask"},
		{"M11 HEAD (D)", []string{`"/ping": {`, `"/ping": {"head": {"operationId": "headPing"}, `}, Options{},
			[]string{"M11 drop operation: Path /ping has unrecognized method head; skipping"}, all},
		{"M11 OPTIONS (I)", []string{`"/ping": {`, `"/ping": {"options": {"operationId": "ask"}, `}, Options{},
			[]string{"M11 drop operation: Path /ping has unrecognized method options; skipping"}, all},
		{"M11 switched off", []string{`"/ping": {`, `"/ping": {"head": {"operationId": "headPing"}, `},
			Options{Without: []string{"M11"}}, nil, "getTask createTask headPing ping"},
		{"M12 no slash (D)", []string{`"/ping"`, `"ping"`}, Options{},
			[]string{"M12 drop operation: Path ping does not start with a slash; skipping"}, "getTask createTask"},
		{"M13 a referenced parameter (C)", []string{idParameter, `{"$ref": "#/components/parameters/X"}`}, Options{},
			[]string{
				"M13 drop operation: " + inGet + "parameter {'$ref': '#/components/parameters/X'} is has missing or " +
					"non-string name; skipping",
				"M13 drop operation: " + inGet + "skipping function due to errors"}, "createTask ping"},
		{"M14 a header (C)", []string{idParameter,
			idParameter + `, {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}`}, Options{},
			[]string{"M14 drop parameter: parameter X-Trace has location header; ignoring"}, all},
		{"M14 a cookie (I)", []string{idParameter,
			idParameter + `, {"name": "sid", "in": "cookie", "schema": {"type": "string"}}`}, Options{},
			[]string{"M14 drop parameter: parameter sid has location cookie; ignoring"}, all},
		{"M14 a cookie that is allowed",
			[]string{idParameter, idParameter + `, {"name": "sid", "in": "cookie", "schema": {"type": "string"}}`},
			Options{CookieParameters: true}, nil, all},
		{"M15 path and query (D)", []string{`"name": "fields"`, `"name": "id"`}, Options{},
			[]string{"M15 drop operation: parameter id is duplicated; skipping function due to " +
				"errors"}, "createTask ping"},
		{"M15 query and body (D)", []string{`"operationId": "createTask",`,
			`"operationId": "createTask", "parameters": [{"name": "title", "in": "query", "schema": {"type": ` +
				`"string"}}],`}, Options{},
			[]string{"M15 drop operation: parameter title is duplicated; skipping function due to " +
				"errors"}, "getTask ping"},
		{"M16 an array (C)", body(`{"type": "array", "items": {"type": "string"}}`), Options{}, []string{
			"M16 drop operation: " + inPost + "request body schema is not an object schema; skipping",
			"M16 drop operation: " + inPost + "skipping function due to errors"}, "getTask ping"},
		{"M16 oneOf (C)", body(`{"oneOf": [{"$ref": "#/components/schemas/Task"}]}`), Options{}, []string{
			"M16 drop operation: " + inPost + "request body schema is not an object schema; skipping",
			"M16 drop operation: " + inPost + "skipping function due to errors"}, "getTask ping"},
		{"M17 a dangling reference, then M16 (C)", body(`{"$ref": "#/components/schemas/Gone"}`), Options{}, []string{
			"M17 warn: In context=('paths', '/tasks', 'post', 'requestBody', 'content', 'application/json', " +
				"'schema'), reference to unknown component Gone; using empty schema",
			"M16 drop operation: " + inPost + "request body schema is not an object schema; skipping",
			"M16 drop operation: " + inPost + "skipping function due to errors"}, "getTask ping"},
		{"M17 in a response, which names no method (C)", []string{`schemas/Task"`, `schemas/Gone"`}, Options{},
			[]string{"M17 warn: In context=('paths', '/tasks/{id}', '200', 'response', 'content', " +
				"'application/json', 'schema'), reference to unknown component Gone; using empty schema"}, all},
		{"M17 allOf before its target (C)", component(`"A": {"allOf": [{"$ref": "#/components/schemas/Task"}]}`),
			Options{},
			[]string{"M17 warn: In context=('components', 'schemas', 'A'), reference to unknown component Task; " +
				"using empty schema"}, all},
		{"M18 in components (C)", component(`"A": {"type": "object", "additionalProperties": {"type": "string"}}`),
			Options{},
			[]string{"M18 warn: In context=('components', 'schemas', 'A'), object schema missing properties"}, all},
		{"M18 empty properties will do (I)", component(`"A": {"type": "object", "properties": {}}`), Options{}, nil,
			all},
		{"M18 in a response (C)", []string{`{"$ref": "#/components/schemas/Task"}`, `{"type": "object"}`}, Options{},
			[]string{"M18 warn: In context=('paths', '/tasks/{id}', '200', 'response', 'content', " +
				"'application/json', 'schema'), object schema missing properties"}, all},
		{"M19 no items (C)", component(`"A": {"type": "object", "properties": {"k": {"type": "array"}}}`), Options{},
			[]string{"M19 refuse: In context=('components', 'schemas', 'A', 'properties', 'k'), array schema missing " +
				"items"}, ""},
		{"M19 empty items (D)", component(`"A": {"type": "array", "items": {}}`), Options{},
			[]string{"M19 refuse: In context=('components', 'schemas', 'A'), array schema missing items"}, ""},
		{"M20 a schema in itself (D)",
			component(`"A": {"type": "object", "properties": {"up": {"$ref": "#/components/schemas/A"}}}`), Options{},
			[]string{"M20 refuse: Components section contains a circular dependency"}, ""},
		{"M20 two in each other (D)",
			component(`"A": {"type": "array", "items": {"$ref": "#/components/schemas/B"}}, "B": {"type": "array", ` +
				`"items": {"$ref": "#/components/schemas/A"}}`), Options{},
			[]string{"M20 refuse: Components section contains a circular dependency"}, ""},
		{"M21 a description (A), counted in characters",
			[]string{`"operationId": "ping",`, `"operationId": "ping", "description": "` + long + `",`},
			Options{},
			[]string{"M21 refuse: In path /ping, method get, operationId ping, description has length 321 exceeding " +
				"limit of 300"}, ""},
		{"M21 a parameter (A)", []string{"Members to return", strings.Repeat("x", 701)}, Options{},
			[]string{"M21 refuse: " + inGet + "parameter fields description has length 701 exceeding limit of 700"},
			""},
		{"M21 a property of the body (A)", []string{title, `"title": {"type": "string", "description": "` +
			strings.Repeat("x", 701) + `"}`}, Options{},
			[]string{"M21 refuse: " + inPost + "parameter title description has length 701 exceeding limit of 700"},
			""},
		{"M23 properties is null (D)", component(`"A": {"type": "object", "properties": null}`), Options{},
			[]string{"M23 refuse: 'NoneType' object has no attribute 'items'"}, ""},
		{"M24 a map (D, our text)", []string{`"security": [{"oauth": ["tasks:read"]}]`, `"security": {"oauth": []}`},
			Options{},
			[]string{`M24 refuse: security must be a list of requirements, as in [{"oauth": []}]`}, ""},
		{"G007 large (D, our text)", nil, Options{WarnDocumentBytes: 10},
			[]string{"G007 warn: the indented document has 3491 bytes; keep it under 10"}, all},
		{"G007 too large (D, our text)", nil, Options{MaxDocumentBytes: 10},
			[]string{"G007 refuse: the indented document has 3491 bytes; over 10 it may be refused"}, ""},
		{"G030 no tool name (C, our text)", []string{`"operationId": "ping"`, `"operationId": "ping it"`}, Options{},
			[]string{"G030 drop operation: In path /ping, method get, operationId ping it, operationId must match " +
				"^[a-zA-Z0-9_-]{1,64}$"}, "getTask createTask"},
		{"G030 used twice (I, our text)", []string{`"operationId": "ping"`, `"operationId": "getTask"`}, Options{},
			[]string{"G030 drop operation: In path /ping, method get, operationId getTask, operationId is used " +
				"twice"}, "getTask createTask"},
		{"G043 an undeclared variable (I, our text)", []string{`"/ping"`, `"/ping/{n}"`}, Options{},
			[]string{"G043 drop operation: In path /ping/{n}, method get, operationId ping, the path names {n}, " +
				"which no parameter declares"}, "getTask createTask"},
		{"G050 a form (A, our text)", []string{`"content": {"application/json": {"schema": {
          "type"`, `"content": {"multipart/form-data": {"schema": {
          "type"`}, Options{},
			[]string{"G050 drop operation: " + inPost + "request body has no application/json"}, "getTask ping"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			imp := importText(t, with(t, tt.replace...), tt.options)
			got := append(lines(imp.Warnings), lines(imp.Errors)...)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
			if kept := ids(imp); kept != tt.kept {
				t.Errorf("kept %q, want %q", kept, tt.kept)
			}
			if imp.OK() != (len(tt.want) == 0) {
				t.Errorf("OK() = %v", imp.OK())
			}
		})
	}
}

func TestThirtyOperationsAreTheLimit(t *testing.T) {
	document := func(n int) string {
		var paths strings.Builder
		for i := range n {
			fmt.Fprintf(&paths, `"/p%d": {"get": {"operationId": "p%d"}}, `, i, i)
		}
		return with(t, `"/ping"`, paths.String()+`"/ping"`)
	}
	if imp := importText(t, document(27), Options{}); !imp.OK() || len(imp.Operations) != 30 {
		t.Errorf("30 operations: %v, kept %d", imp.Errors, len(imp.Operations))
	}
	imp := importText(t, document(28), Options{})
	want := []string{"M9 refuse: OpenAPI spec can have a maximum of 30 operations"}
	if got := lines(imp.Errors); !slices.Equal(got, want) || !imp.Refused() {
		t.Errorf("31 operations: %q", got)
	}
}

func TestDocumentsThatAreNone(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"M22 a list (D)", `[]`, "M22 refuse: Could not parse valid OpenAPI spec"},
		{"M22 a sentence, which is YAML (D)", `just words`, "M22 refuse: Could not parse valid OpenAPI spec"},
		{"M22 no operations (D)",
			`{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "servers": [{"url": "https://a.example"}], ` +
				`"components": {"schemas": {}}}`,
			"M22 refuse: Could not parse valid OpenAPI spec"},
		{"M23 paths is null (D)",
			`{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "servers": [{"url": "https://a.example"}], ` +
				`"components": {"schemas": {}}, "paths": null}`,
			"M23 refuse: 'NoneType' object has no attribute 'items'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			imp := importText(t, tt.text, Options{})
			if got := lines(imp.Errors); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestTextThatIsNeitherJSONNorYAMLDoesNothing(t *testing.T) {
	imp := importText(t, "{\"openapi\": \"3.1.0\"", Options{})
	if len(imp.Errors)+len(imp.Warnings) > 0 || imp.OK() {
		t.Errorf("errors %q, OK %v", imp.Errors, imp.OK())
	}
	if len(imp.Notes) != 1 || !strings.HasPrefix(imp.Notes[0], "nothing happens and no message appears") {
		t.Errorf("notes %q", imp.Notes)
	}
}

func TestOnlyDoubtfulRulesCanBeSwitchedOff(t *testing.T) {
	for _, tt := range []struct {
		rule, want string
	}{
		{"M11", ""},
		{"M4", "options: rule M4 is of class C and cannot be switched off"},
		{"M99", `options: no rule "M99"`},
	} {
		_, err := ImportText(clean, Options{Without: []string{tt.rule}})
		if got := fmt.Sprint(err); (tt.want == "") != (err == nil) || err != nil && got != tt.want {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

func TestSharingNeedsAPrivacyPolicy(t *testing.T) { // M27 (B)
	gpt := New(importText(t, clean, Options{}), Options{})
	for address, want := range map[string]string{"": "M27", "http://example.com/privacy": "M27", "/privacy": "M27",
		"https://example.com/privacy": ""} {
		var refused *RefusedError
		err := gpt.Share(address)
		if errors.As(err, &refused) != (want != "") || want != "" && (refused.Message.Rule != want ||
			refused.Message.Text != "Public actions require valid privacy policy URLs") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestNoRowOfTheEditorsMessagesIsForgotten reads this package's tests: each of M1 to M27
// is provoked by one of them.
func TestNoRowOfTheEditorsMessagesIsForgotten(t *testing.T) {
	var tests strings.Builder
	for _, name := range []string{"rules_test.go", "oauth_test.go", "import_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	for i := range 27 {
		id := fmt.Sprintf("M%d", i+1)
		tried := regexp.MustCompile(`\b` + id + `\b`).MatchString(tests.String())
		if _, known := ruleByID(id); !known || !tried {
			t.Errorf("%s: known %v, tried %v", id, known, tried)
		}
	}
}

// FuzzImport looks for texts that crash the editor, or keep it busy.
func FuzzImport(f *testing.F) {
	f.Add(clean)
	f.Add("openapi: 3.1.0\npaths:\n  /a:\n    get: {operationId: a, parameters: [{name: x, in: query, schema: {$ref: " +
		"'#/components/schemas/A'}}]}\ncomponents: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}]}}}\n")
	f.Add("a: &a [*a]\n")
	f.Add("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n")
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // else the seeds only, whose time is no verdict
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		imp, err := ImportText(text, Options{})
		if took := time.Since(start); fuzzing && took > time.Second {
			t.Errorf("took %s", took)
		}
		if err == nil && imp.Refused() && imp.OK() {
			t.Errorf("both refused and taken: %+v", imp)
		}
	})
}

func TestEveryRuleSaysWhatItRestsOn(t *testing.T) {
	for _, r := range Rules() {
		if len(r.Class) == 0 || r.Effect == "" || r.Trigger == "" {
			t.Errorf("%+v", r)
		}
	}
}
