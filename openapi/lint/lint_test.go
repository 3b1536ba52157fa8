//go:build !production

package lint

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/gpttest"
)

// clean is a document with nothing to say against it. Tests cut pieces out of it, so that
// each difference is one fault.
const clean = `{
  "openapi": "3.1.0",
  "info": {"title": "Tasks", "version": "1", "description": "Tasks of the signed-in person."},
  "servers": [{"url": "https://api.example.com"}],
  "paths": {
    "/tasks/{task_id}": {"get": {
      "operationId": "getTask", "summary": "Get one task", "description": "Returns one task.",
      "x-openai-isConsequential": false, "security": [{"oauth2": ["tasks:read"]}],
      "parameters": [{"name": "task_id", "in": "path", "required": true, "description": "Identifier", "schema": ` +
	`{"type": "string"}}],
      "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"$ref": ` +
	`"#/components/schemas/Task"}}}}}
    }},
    "/tasks": {"get": {
      "operationId": "listTasks", "summary": "List tasks", "description": "Returns tasks.",
      "x-openai-isConsequential": false, "security": [{"oauth2": ["tasks:read"]}],
      "parameters": [
        {"name": "limit", "in": "query", "description": "How many", "schema": {"type": "integer", "maximum": 100, ` +
	`"default": 20}},
        {"name": "cursor", "in": "query", "description": "next_cursor of the page before", "schema": {"type": ` +
	`"string"}}],
      "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"type": "object", ` +
	`"properties": {
        "tasks": {"type": "array", "items": {"$ref": "#/components/schemas/Task"}}, "next_cursor": {"type": ` +
	`"string"}}}}}}}
    }, "post": {
      "operationId": "createTask", "summary": "Create a task", "description": "Creates a task and returns it.",
      "x-openai-isConsequential": true, "security": [{"oauth2": ["tasks:write"]}], "parameters": [],
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ` +
	`["title"],
        "properties": {"title": {"type": "string", "description": "What is to be done", "example": "Water the plants"},
          "state": {"type": "string", "description": "State", "enum": ["open", "done"], "default": "open"}}}}}},
      "responses": {"201": {"description": "Created", "content": {"application/json": {"schema": {"$ref": ` +
	`"#/components/schemas/Task"}}}}}
    }}
  },
  "components": {
    "schemas": {"Task": {"type": "object", "properties": {"task_id": {"type": "string"}, "labels": {"type": "array", ` +
	`"items": {"type": "string"}}}}},
    "securitySchemes": {"oauth2": {"type": "oauth2", "flows": {"authorizationCode": {
      "authorizationUrl": "https://app.example.com/idp", "tokenUrl": "https://api.example.com/oauth2/token",
      "scopes": {"tasks:read": "Read tasks", "tasks:write": "Change tasks", "offline_access": "Stay connected"}}}}}
  },
  "x-schema-hash": "00"
}`

// with replaces pieces of the clean document, pairwise.
func with(t testing.TB, pairs ...string) string {
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

const (
	titleSchema = `{"type": "string", "description": "What is to be done", "example": "Water the plants"}`
	labels      = `"labels": {"type": "array", "items": {"type": "string"}}`
	limitSchema = `{"type": "integer", "maximum": 100, "default": 20}`
	idParameter = `{"name": "task_id", "in": "path", "required": true, "description": "Identifier", "schema": ` +
		`{"type": "string"}}`
	cursor = `{"name": "cursor", "in": "query", "description": "next_cursor of the page before", "schema": ` +
		`{"type": "string"}}`
	bodyObject = `{"type": "object", "required": ["title"],
        "properties": {"title": ` + titleSchema + `,
          "state": {"type": "string", "description": "State", "enum": ["open", "done"], "default": "open"}}}`
	scopes = `"scopes": {"tasks:read": "Read tasks", "tasks:write": "Change tasks", "offline_access": "Stay ` +
		`connected"}`
	flow      = `"authorizationCode": {`
	responses = `"responses": {"201": {"description": "Created", "content": {"application/json": {"schema": {"$ref": ` +
		`"#/components/schemas/Task"}}}}}`
)

// broken has for each rule ways to break it alone, and beside each one that does not.
var broken = []struct {
	rule       string
	wrong, not []string
}{
	{"G001", []string{`"3.1.0"`, `"3.0.3"`}, nil},
	{"G001", []string{`"3.1.0"`, `"3.1.1"`}, nil},
	{"G001", []string{`"openapi": "3.1.0",`, ``}, nil},
	{"G003", []string{`"parameters": [],`, `"parameters": {},`}, nil},
	{"G003", []string{`"properties": {"task_id": {"type": "string"}, ` + labels + `}`, `"properties": null`}, nil},
	{"G004", []string{`"title": "Tasks"`, `"title": " "`}, []string{`"title": "Tasks"`, `"title": "T"`}},
	{"G004", []string{`"version": "1"`, `"version": 1`}, []string{`"version": "1"`, `"version": "1.0"`}},
	{"G005", []string{`, "description": "Tasks of the signed-in person."`, ``}, nil},
	{"G006", []string{`"schemas": {"Task"`, `"skemas": {"Task"`, `{"$ref": "#/components/schemas/Task"}`,
		`{"type": "object", "properties": {}}`,
		`{"$ref": "#/components/schemas/Task"}`, `{"type": "string"}`, `{"$ref": "#/components/schemas/Task"}`,
		`{"type": "object", "properties": {}}`}, nil},
	{"G007", []string{`"Returns one task."`, `"Returns one task.", "x-long": "` + strings.Repeat("x", 100_000) + `"`},
		[]string{`"Returns one task."`, `"Returns one task.", "x-long": "` + strings.Repeat("x", 90_000) + `"`}},
	{"G007", []string{`"Returns one task."`, `"Returns one task.", "x-long": "` + strings.Repeat("x", 800_000) + `"`},
		nil},
	{"G007", []string{`"Returns one task."`, `"Returns one task.", "x-long": "` + strings.Repeat("x", maxText) + `"`},
		nil},
	{"G008", []string{`"maximum": 100`, `"maximum": 9007199254740993`},
		[]string{`"maximum": 100`, `"maximum": 9007199254740992`}},
	{"G009", []string{`,
  "x-schema-hash": "00"`, ``}, nil},
	{"G010", []string{`[{"url": "https://api.example.com"}]`, `[]`}, nil},
	{"G010", []string{`"url": "https://api.example.com"`, `"url": "/api"`}, nil},
	{"G010", []string{`"url": "https://api.example.com"`, `"url": "https://{host}"`}, nil},
	{"G011", []string{`"url": "https://api.example.com"`, `"url": "http://api.example.com"`}, nil},
	{"G011", []string{`"url": "https://api.example.com"`, `"url": "https://api.example.com:8443"`}, nil},
	{"G011", []string{`"url": "https://api.example.com"`, `"url": "https://API.example.com"`}, nil},
	{"G011", []string{`"url": "https://api.example.com"`, `"url": "https://api.example.com?x=1"`},
		[]string{`"url": "https://api.example.com"`, `"url": "https://api.example.com/v1"`}},
	{"G011", []string{`"url": "https://api.example.com"`, `"url": "https://api.example.com", "variables": {}`}, nil},
	{"G012", []string{`[{"url": "https://api.example.com"}]`,
		`[{"url": "https://api.example.com"}, {"url": "https://b.example.com"}]`}, nil},
	{"G013", []string{`"/tasks": {"get"`, `"/tasks/": {"get"`}, nil},
	{"G013", []string{`"/tasks": {"get"`, `"tasks": {"get"`}, nil},
	{"G013", []string{`"url": "https://api.example.com"`, `"url": "https://api.example.com/"`}, nil},
	{"G014", []string{`"operationId": "getTask"`,
		`"servers": [{"url": "https://b.example.com"}], "operationId": "getTask"`}, nil},
	{"G020", []string{`"paths": {`, `"paths": {` + manyOperations(28)},
		[]string{`"paths": {`, `"paths": {` + manyOperations(12)}},
	{"G021", []string{`"paths": {`, `"paths": {` + manyOperations(13)},
		[]string{`"paths": {`, `"paths": {` + manyOperations(12)}},
	{"G022", []string{`"/tasks": {"get"`, `"/tasks": {"head": {}, "get"`}, nil},
	{"G023", []string{`"post": {`, `"patch": {`}, nil},
	{"G024", []string{`"parameters": [],`, ``}, nil},
	{"G025", []string{`"/tasks": {"get"`, `"/tasks": {"summary": "x", "get"`}, nil},
	{"G026", []string{`"openapi": "3.1.0",`, `"openapi": "3.1.0", "webhooks": {},`}, nil},
	{"G026", []string{`"operationId": "getTask"`, `"callbacks": {}, "operationId": "getTask"`}, nil},
	{"G030", []string{`"operationId": "getTask", `, ``}, nil},
	{"G030", []string{`"operationId": "getTask"`, `"operationId": "get-task"`}, []string{`"operationId": "getTask"`,
		`"operationId": "get_task"`}},
	{"G030", []string{`"operationId": "getTask"`, `"operationId": "LISTTASKS"`}, nil},
	{"G031", []string{`"operationId": "getTask"`, `"operationId": "` + strings.Repeat("g", 41) + `"`},
		[]string{`"operationId": "getTask"`, `"operationId": "` + strings.Repeat("g", 40) + `"`}},
	{"G032", []string{`"Returns one task."`, `"` + strings.Repeat("é", 301) + `"`}, []string{`"Returns one task."`,
		`"` + strings.Repeat("é", 300) + `"`}},
	{"G033", []string{`"summary": "Get one task", `, ``}, nil},
	{"G034", []string{`"Returns one task."`, `"Always call this first."`}, []string{`"Returns one task."`,
		`"Calls nobody."`}},
	{"G035", []string{`"Identifier"`, `"` + strings.Repeat("é", 701) + `"`},
		[]string{`"Identifier"`, `"` + strings.Repeat("é", 700) + `"`}},
	{"G036", []string{`"description": "Identifier", `, ``},
		[]string{`"description": "Identifier", "schema": {"type": "string"}`,
			`"schema": {"type": "string", "description": "Identifier"}`}},
	{"G040", []string{idParameter, `{"$ref": "#/components/parameters/ID"}`, `"securitySchemes"`,
		`"parameters": {"ID": ` + idParameter + `}, "securitySchemes"`}, nil},
	{"G041", []string{`[` + idParameter, `[{"name": "X-A", "in": "header", "schema": {"type": "string"}}, ` +
		idParameter}, nil},
	{"G042", []string{`"parameters": [],
      "requestBody"`, `"parameters": [{"name": "title", "in": "query", "description": "x", "schema": {"type": ` +
		`"string"}}],
      "requestBody"`}, nil},
	{"G043", []string{`"required": true, "description": "Identifier"`, `"description": "Identifier"`}, nil},
	{"G043", []string{`[` + idParameter + `]`, `[]`}, nil},
	{"G044", []string{`"name": "cursor"`, `"name": "cur-sor"`, `"next_cursor": {"type": "string"}`,
		`"more": {"type": "string"}`}, nil},
	{"G045", []string{cursor,
		`{"name": "cursor", "in": "query", "description": "x", "schema": {"type": "object", "properties": {"a": ` +
			`{"type": "string", "description": "x"}}}}`}, nil},
	{"G046", []string{cursor,
		`{"name": "cursor", "in": "query", "description": "x", "schema": {"type": "array", "items": {"type": ` +
			`"string"}}}`}, nil},
	{"G050", []string{`"content": {"application/json": {"schema": ` + bodyObject + `}}`,
		`"content": {"application/json": {"schema": ` + bodyObject + `}, "text/plain": {}}`}, nil},
	{"G051", []string{bodyObject, `{"type": "array", "items": {"type": "string"}}`}, nil},
	{"G051", []string{bodyObject, `{"type": "string"}`}, nil},
	{"G052", []string{`{"required": true, "content": {"application/json": {"schema": ` + bodyObject + `}}}`,
		`{"$ref": "#/components/requestBodies/B"}`,
		`"securitySchemes"`, `"requestBodies": {"B": {"required": true, "content": {"application/json": {"schema": ` +
			bodyObject + `}}}}, "securitySchemes"`}, nil},
	{"G053", []string{titleSchema, `{"$ref": "#/components/schemas/Title"}`, `"schemas": {`,
		`"schemas": {"Title": ` + titleSchema + `, `}, nil},
	{"G054", []string{`"properties": {"task_id"`, `"properties": {"$schema": {"type": "string"}, "task_id"`}, nil},
	{"G055", []string{`"operationId": "getTask"`,
		`"requestBody": {"required": true, "content": {"application/json": {"schema": ` + bodyObject +
			`}}}, "operationId": "getTask"`}, nil},
	{"G056", []string{`"requestBody": {"required": true, `, `"requestBody": {`}, nil},
	{"G057", []string{titleSchema,
		`{"type": "object", "description": "x", "properties": {"a": {"type": "string", "description": "x"}}, ` +
			`"additionalProperties": true}`}, nil},
	{"G058", []string{titleSchema, nested(3)}, []string{titleSchema, nested(2)}},
	{"G060", []string{`"x-openai-isConsequential": true, `, ``}, nil},
	{"G061", []string{`"x-openai-isConsequential": false, "security": [{"oauth2": ["tasks:read"]}],
      "parameters": [{"name": "task_id"`, `"x-openai-isConsequential": true, "security": [{"oauth2": ["tasks:read"]}],
      "parameters": [{"name": "task_id"`}, nil},
	{"G070", []string{labels, `"labels": {"type": "object"}`},
		[]string{labels, `"labels": {"type": "object", "properties": {}}`}},
	{"G071", []string{labels, `"labels": {"type": "array"}`}, nil},
	{"G072", []string{labels, `"labels": {"description": "x"}`}, nil},
	{"G072", []string{labels, `"labels": {"type": "text"}`}, nil},
	{"G073", []string{labels, `"labels": {"$ref": "#/components/schemas/Labels"}`},
		[]string{labels, `"labels": {"$ref": "#/components/schemas/Labels"}`, `"schemas": {`,
			`"schemas": {"Labels": {"type": "string"}, `}},
	{"G073", []string{labels, `"labels": {"$ref": "https://example.com/x.json#/a"}`}, nil},
	{"G074", []string{labels, `"inner": {"$ref": "#/components/schemas/Task"}`}, nil},
	{"G075", []string{`{"type": "string", "description": "What is to be done"`,
		`{"type": ["string", "null"], "description": "What is to be done"`}, nil},
	{"G076", []string{labels, `"labels": {"oneOf": [{"type": "string"}, {"type": "integer"}]}`}, nil},
	{"G076", []string{labels, `"labels": {"type": "string", "const": "a"}`}, nil},
	{"G077", []string{`"enum": ["open", "done"], "default": "open"`, `"enum": []`}, nil},
	{"G077", []string{`"enum": ["open", "done"]`, `"enum": ["open", 1]`}, nil},
	{"G077", []string{`"enum": ["open", "done"]`, `"enum": ["open"` + strings.Repeat(`, "x"`, 50) + `]`},
		[]string{`"enum": ["open", "done"]`, `"enum": ["open"` + strings.Repeat(`, "x"`, 49) + `]`}},
	{"G078", []string{`{"schema": {"$ref": "#/components/schemas/Task"}`,
		`{"schema": {"$ref": "#/components/schemas/Task", "description": "x"}`}, nil},
	{"G079", []string{labels, `"labels": {"type": "string", "format": "binary"}`}, nil},
	{"G080", []string{`"required": ["title"]`, `"required": ["title", "name"]`}, nil},
	{"G080", []string{`"default": 20`, `"default": "20"`}, nil},
	{"G080", []string{`"default": "open"`, `"default": "shut"`}, nil},
	{"G081", []string{`"example": "Water the plants"`, `"readOnly": true`}, nil},
	{"G082", []string{labels, `"Task_ID": {"type": "string"}`}, nil},
	{"G090", []string{`{"schema": {"$ref": "#/components/schemas/Task"}}`, `{"schema": {"type": "string"}}`}, nil},
	{"G091", []string{`"responses": {"201"`, `"responses": {"default": {"description": "x"}, "201"`}, nil},
	{"G092", []string{`"maximum": 100, `, ``}, nil},
	{"G092", []string{cursor, `{"name": "colour", "in": "query", "description": "x", "schema": {"type": "string"}}`},
		nil},
	{"G093", []string{responses, `"responses": {"204": {"description": "Done"}}`}, nil},
	{"G100", []string{`"securitySchemes": {`,
		`"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, `}, nil},
	{"G101", []string{`"security": [{"oauth2": ["tasks:write"]}]`, `"security": {"oauth2": []}`},
		[]string{`"security": [{"oauth2": ["tasks:write"]}]`, `"security": []`}},
	{"G101", []string{`"security": [{"oauth2": ["tasks:write"]}]`, `"security": [{"oauth": ["tasks:write"]}]`}, nil},
	{"G102", []string{`"flows": {` + flow, `"flows": {"implicit": {}, ` + flow}, nil},
	{"G103", []string{`"security": [{"oauth2": ["tasks:write"]}], `, ``}, nil},
	{"G110", []string{`"tokenUrl": "https://api.example.com/oauth2/token"`,
		`"tokenUrl": "https://x.customers.stytch.com/v1/oauth2/token"`},
		[]string{`"tokenUrl": "https://api.example.com/oauth2/token"`,
			`"tokenUrl": "https://oauth2.googleapis.com/token"`}},
	{"G111", []string{`"tokenUrl": "https://api.example.com/oauth2/token"`, `"tokenUrl": ""`}, nil},
	{"G112", []string{scopes, `"scopes": {}`}, nil},
	{"G112", []string{`"tasks:write": "Change tasks"`, `"tasks:write": ""`}, nil},
	{"G116", []string{`, "offline_access": "Stay connected"`, ``}, nil},
	{"G117", []string{`"name": "cursor"`, `"name": "apiKey"`, `"next_cursor": {"type": "string"}`,
		`"more": {"type": "string"}`}, []string{`"name": "cursor"`, `"name": "monkey"`,
		`"next_cursor": {"type": "string"}`, `"more": {"type": "string"}`}},
	{"G120", []string{`"version": "1"`, `"version": "1", "x-privacy-policy-url": "http://example.com"`},
		[]string{`"version": "1"`, `"version": "1", "x-privacy-policy-url": "https://example.com"`}},
	{"G130", []string{`"title": ` + titleSchema, `"title": ` + titleSchema +
		`, "openaiFileIdRefs": {"type": "string", "description": "One picture"}`}, []string{`"title": ` + titleSchema,
		`"title": ` + titleSchema +
			`, "openaiFileIdRefs": {"type": "array", "items": {"type": "string"}, "description": "One picture"}`}},
	{"G131", []string{`"schemas": {"Task": {"type": "object", "properties": {`,
		`"schemas": {"Task": {"type": "object", "properties": {"openaiFileResponse": {"type": "string"}, `}, nil},
}

// manyOperations are operations beside those of the clean document.
func manyOperations(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"/more/%d": {"get": {"operationId": "getMore%d", "summary": "More", "description": "More.", `+
			`"x-openai-isConsequential": false, "security": [], "parameters": [],
			"responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"type": "object", `+
			`"properties": {}}}}}}}},`, i, i)
	}
	return b.String()
}

// nested returns an object of so many, one in the other.
func nested(n int) string {
	if n == 0 {
		return `{"type": "string", "description": "x"}`
	}
	return `{"type": "object", "description": "x", "properties": {"a": ` + nested(n-1) + `}}`
}

// rulesOf returns the rules that a document breaks, each once.
func rulesOf(findings []Finding) []string {
	seen := map[string]bool{}
	for _, f := range findings {
		seen[f.Rule] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func TestEachRuleIsBrokenAlone(t *testing.T) {
	for _, tt := range broken {
		t.Run(tt.rule, func(t *testing.T) {
			findings := Check(t.Context(), []byte(with(t, tt.wrong...)), Options{})
			if got := rulesOf(findings); !slices.Equal(got, []string{tt.rule}) {
				t.Errorf("%.300q breaks %v: %v", tt.wrong, got, findings)
			}
			if findings := Check(t.Context(), []byte(with(t, tt.not...)), Options{}); len(findings) > 0 {
				t.Errorf("%.300q: %v", tt.not, findings)
			}
		})
	}
}

func TestEveryRuleThatShowsInADocumentIsTried(t *testing.T) {
	// TestWhatCannotBeReadIsAFinding, TestTheServerServesItsDocument, TestMergingIsToldAndWrittenOut
	tried := []string{"G002", "G015", "G017"}
	for _, tt := range broken {
		tried = append(tried, tt.rule)
	}
	for _, tt := range brokenForOthers {
		tried = append(tried, tt.rule)
	}
	for _, rule := range Rules() {
		if rule.Live == slices.Contains(tried, rule.ID) {
			t.Errorf("%s: live %v, tried %v", rule.ID, rule.Live, slices.Contains(tried, rule.ID))
		}
		if rule.Title == "" || rule.Why == "" || rule.Remedy == "" || rule.Evidence == "" {
			t.Errorf("%s is not explained", rule.ID)
		}
	}
}

func TestFindingsSayWhere(t *testing.T) {
	for syntax, source := range map[string]string{
		"JSON": with(t, `"name": "cursor"`, `"name": "cur-sor"`, `"next_cursor": {"type": "string"}`,
			`"more": {"type": "string"}`),
		"YAML": "openapi: 3.1.0\npaths:\n  /tasks:\n    get:\n      parameters:\n      - name: cur-sor\n        in: " +
			"query\n",
	} {
		findings := Check(t.Context(), []byte(source), Options{})
		i := slices.IndexFunc(findings, func(f Finding) bool { return f.Rule == "G044" })
		if i < 0 {
			t.Fatalf("%s: %v", syntax, findings)
		}
		want := Finding{Rule: "G044", Severity: Warning, Pointer: "/paths/~1tasks/get/parameters/1", Line: 17,
			Place:   "GET /tasks, parameter cur-sor",
			Problem: `the name "cur-sor" has more than letters, digits and underscores`,
			Remedy:  "Write due_before, not due-before."}
		if syntax == "YAML" {
			want.Pointer, want.Line = "/paths/~1tasks/get/parameters/0", 6
		}
		if findings[i] != want {
			t.Errorf("%s:\n%+v\nwant\n%+v", syntax, findings[i], want)
		}
	}
}

func TestWhatCannotBeReadIsAFinding(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", i-1), 9),
			","))
	}
	for name, tt := range map[string]struct{ source, rule string }{
		"nothing":       {"", "G002"},
		"spaces":        {" \n\t", "G002"},
		"not UTF-8":     {"\xff\xfe", "G002"},
		"a zero byte":   {"{\"a\": \x00}", "G002"},
		"no syntax":     {"{\"a\": [1, 2}", "G002"},
		"aliases":       {bomb, "G002"},
		"itself":        {"a: &a\n  b: *a\n", "G002"},
		"deep JSON":     {strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "G002"},
		"deep members":  {strings.Repeat(`{"a":`, 1_000) + "1" + strings.Repeat("}", 1_000), "G002"},
		"unclosed":      {strings.Repeat("[", 100_000), "G002"},
		"deep YAML":     {strings.Repeat("- ", 1_000) + "a", "G002"},
		"a list":        {"[]", "G003"},
		"a text":        {"hello", "G003"},
		"a number":      {"1e999", "G003"},
		"two documents": {"a: 1\n---\nb: 2\n", "G002"},
		"50 MB":         {strings.Repeat("x", 50<<20), "G007"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := Check(t.Context(), []byte(tt.source), Options{})
			if len(findings) == 0 || !slices.Contains(rulesOf(findings), tt.rule) {
				t.Errorf("%v, want %s", findings, tt.rule)
			}
			_, _ = Fix(t.Context(), []byte(tt.source), Options{}) // does not crash either
		})
	}
}

func TestTheServerServesItsDocument(t *testing.T) {
	for address, want := range map[string]string{"https://api.example.com/openapi.json": "",
		"https://docs.example.com/openapi.json": "G015"} {
		if got := strings.Join(rulesOf(Check(t.Context(), []byte(clean), Options{Address: address})),
			" "); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}

func TestExternalReferencesAreFetchedWhenAsked(t *testing.T) {
	source := []byte(with(t, labels, `"labels": {"$ref": "schemas.yaml#/Labels"}`))
	var asked []string
	fetch := func(_ context.Context, address string) ([]byte, error) {
		asked = append(asked, address)
		return []byte("Labels:\n  type: object\n"), nil
	}
	findings := Check(t.Context(), source, Options{Address: "https://api.example.com/v1/openapi.json", Fetch: fetch})
	if got := rulesOf(findings); !slices.Equal(got, []string{"G070"}) || !slices.Equal(asked,
		[]string{"https://api.example.com/v1/schemas.yaml"}) {
		t.Errorf("%v, asked %v", findings, asked)
	}
	if got := rulesOf(Check(t.Context(), source, Options{})); !slices.Equal(got, []string{"G073"}) {
		t.Errorf("without: %v", got)
	}
}

func TestFixMendsWhatItSays(t *testing.T) {
	for _, tt := range broken {
		rule, _ := Explain(tt.rule)
		source := with(t, tt.wrong...)
		if !rule.Fixed || len(source) > maxText {
			continue
		}
		mended, err := Fix(t.Context(), []byte(source), Options{})
		if err != nil || len(mended.Kept) > 0 {
			t.Errorf("%s: %v, put back %v", tt.rule, err, mended.Kept)
		}
		if slices.Contains(rulesOf(mended.Left), tt.rule) && !slices.Contains(notMended, tt.wrong[len(tt.wrong)-1]) {
			t.Errorf("%s %.100q is left: %v\n%.2000s", tt.rule, tt.wrong, mended.Left, mended.Document)
		}
	}
	mended, err := Fix(t.Context(), []byte(clean), Options{})
	if err != nil || len(mended.Left)+len(mended.Changes)+len(mended.Kept) > 0 ||
		rulesOf(Check(t.Context(), mended.Document, Options{})) != nil {
		t.Errorf("the clean document: %+v, %v", mended, err)
	}
}

// notMended are the pieces of the table for which more than one thing could be meant.
var notMended = []string{
	``, `"parameters": {},`, `"title": " "`, `"url": "http://api.example.com"`, `"url": "https://api.example.com:8443"`,
	`"/tasks/": {"get"`,
	`"operationId": "LISTTASKS"`, `[]`, `"labels": {"description": "x"}`, `"labels": {"type": "text"}`,
	`"labels": {"oneOf": [{"type": "string"}, {"type": "integer"}]}`,
	`"required": ["title", "name"]`, `"security": [{"oauth": ["tasks:write"]}]`,
	`"servers": [{"url": "https://b.example.com"}], "operationId": "getTask"`,
}

func TestADocumentLikeStytchsDemoIsMended(t *testing.T) {
	source, err := os.ReadFile("testdata/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"G001", "G004", "G011", "G012", "G013", "G014", "G024", "G025", "G030", "G032", "G034", "G040",
		"G041", "G053", "G056", "G060",
		"G070", "G074", "G075", "G076", "G080", "G091", "G101"}
	findings := Check(t.Context(), source, Options{})
	for _, rule := range want {
		if !slices.Contains(rulesOf(findings), rule) {
			t.Errorf("%s is not found", rule)
		}
	}
	mended, err := Fix(t.Context(), source, Options{})
	// which nobody can guess
	if got := rulesOf(mended.Left); err != nil || !slices.Equal(got, []string{"G005", "G009", "G014", "G034"}) {
		t.Errorf("left: %v, %v\n%s", mended.Left, err, mended.Document)
	}
	if imported, err := gpttest.ImportText(string(mended.Document), gpttest.Options{Strict: true}); err != nil ||
		!imported.OK() || len(imported.Operations) != 3 {
		t.Errorf("the editor takes %d operations and says %v %v %v", len(imported.Operations), imported.Errors,
			imported.Warnings, err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(clean))
	for _, tt := range broken {
		if text := with(f, tt.wrong...); len(text) < 10_000 {
			f.Add([]byte(text))
		}
	}
	f.Add([]byte("a: &a [*a]\nb: !!binary x\n<<: {c: 1}\n? [x]\n: y\n"))
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // else the seeds only, whose time is no verdict
	f.Fuzz(func(t *testing.T, source []byte) {
		start := time.Now()
		Check(t.Context(), source, Options{})
		if took := time.Since(start); fuzzing && took > time.Second {
			t.Errorf("took %s", took)
		}
		mended, err := Fix(t.Context(), source, Options{})
		if err == nil {
			if _, err := parse(mended.Document); err != nil && len(mended.Document) < maxText {
				t.Errorf("the copy cannot be read: %v\n%s", err, mended.Document)
			}
		}
	})
}

// BenchmarkCheck is of a document of one megabyte.
func BenchmarkCheck(b *testing.B) {
	source := []byte(with(b, `"paths": {`, `"paths": {`+manyOperations(3_400)))
	b.ReportMetric(float64(len(source)), "document-bytes")
	for b.Loop() {
		Check(b.Context(), source, Options{})
	}
}
