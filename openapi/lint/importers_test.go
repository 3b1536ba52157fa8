//go:build !production

package lint

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// clean30 is the clean document in 3.0.0, with its enum in words.
func clean30(t testing.TB) string {
	return with(t, `"3.1.0"`, `"3.0.0"`, `"description": "State"`, `"description": "State: open or done"`)
}

// clean20 is much the same in Swagger 2.0, as Power Platform takes it.
const clean20 = `{
  "swagger": "2.0",
  "info": {"title": "Tasks", "version": "1", "description": "Tasks of the signed-in person."},
  "host": "api.example.com", "basePath": "/v1", "schemes": ["https"],
  "consumes": ["application/json"], "produces": ["application/json"],
  "paths": {
    "/tasks/{task_id}": {"get": {
      "operationId": "getTask", "summary": "Get one task", "description": "Returns one task.",
      "security": [{"oauth2": ["tasks:read"]}], "parameters": [{"$ref": "#/parameters/id"}],
      "responses": {"200": {"$ref": "#/responses/task"}}
    }},
    "/tasks": {"post": {
      "operationId": "createTask", "summary": "Create a task", "description": "Creates a task and returns it.",
      "security": [{"oauth2": ["tasks:write"]}],
      "parameters": [
        {"name": "notify", "in": "query", "x-ms-summary": "Notify", "description": "Whether", "type": "boolean"},
        {"name": "body", "in": "body", "x-ms-summary": "Task", "description": "Task", "required": true, "schema":
          {"type": "object", "required": ["title"], "properties": {
            "title": {"type": "string", "description": "What is to be done"},
            "place": {"type": "object", "properties": {"street": {"type": "string", "description": "Street"}}}}}}],
      "responses": {"201": {"$ref": "#/responses/task"}, "default": {"description": "Error"}}
    }}
  },
  "parameters": {"id": {"name": "task_id", "in": "path", "x-ms-summary": "Task", "description": "Which",
    "required": true, "type": "string", "maxLength": 40}},
  "responses": {"task": {"description": "OK", "schema": {"$ref": "#/definitions/Task"}}},
  "definitions": {"Task": {"type": "object", "properties": {"due": {"type": "string", "format": "date"}}}},
  "securityDefinitions": {"oauth2": {"type": "oauth2", "flow": "accessCode",
    "authorizationUrl": "https://app.example.com/idp", "tokenUrl": "https://api.example.com/oauth2/token",
    "scopes": {"tasks:read": "Read tasks", "tasks:write": "Change tasks"}}}
}`

const nestedPlace = titleSchema + `, "place": {"type": "object", "properties": {"street": {"type": "string", ` +
	`"description": "Street"}}}`

// brokenForOthers has for each rule of other importers a way to break it alone, in the document for that importer.
var brokenForOthers = []struct {
	rule, profile string
	wrong         []string // pairwise
}{
	{"X001", "m365", []string{`"3.0.0"`, `"3.1.0"`}},
	{"X001", "bedrock", []string{`"3.0.0"`, `"3.0.1"`}},
	{"X001", "power-platform", []string{`"swagger": "2.0"`, `"openapi": "3.0.0"`}},
	{"X001", "power-platform", []string{`"swagger": "2.0"`, `"swagger": 2.0`}},
	{"X001", "salesforce", []string{`"openapi": "3.0.0",`, ``}},
	{"X002", "power-platform", []string{`"paths": {`, `"paths": {}, "x-paths": {`}},
	{"X003", "agentcore", []string{`"operationId": "getTask", `, ``}},
	{"X003", "power-platform", []string{`"createTask"`, `"getTask"`}},
	{"X010", "m365", []string{titleSchema, `{"description": "T", "anyOf": [{"type": "string"}, {"type": "integer"}]}`}},
	{"X010", "agentcore", []string{`"labels": {`, `"due": {"oneOf": [{"type": "string"}]}, "labels": {`}},
	{"X011", "m365", []string{titleSchema, nestedPlace}},
	{"X011", "m365", []string{titleSchema, titleSchema + `, "steps": {"type": "array", "items": {"$ref": ` +
		`"#/components/schemas/Task"}}`}},
	{"X012", "bedrock", []string{`"State: open or done"`, `"State: open"`}},
	{"X013", "m365", []string{responses, `"responses": {"201": {"description": "Created"}}`}},
	{"X015", "agentcore", []string{`"How many", `, `"How many", "style": "pipeDelimited", `}},
	{"X020", "power-platform", []string{`"Tasks of the signed-in person."`,
		`"` + strings.Repeat("x", 1_000_000) + `"`}},
	{"X021", "power-platform", []string{`"description": "Error"`,
		`"description": "Error", "schema": {"type": "string"}`}},
	{"X022", "power-platform", []string{`"summary": "Get one task", `, ``}},
	{"X022", "power-platform", []string{`"description": "Which",`, ``}},
	{"X023", "power-platform", []string{`"x-ms-summary": "Notify", `, ``}},
	{"X024", "power-platform", []string{`"format": "date"`, `"format": "uuid"`}},
	{"X025", "power-platform", []string{`"/tasks": {"post"`, `"/TASKS/{task_id}": {}, "/tasks": {"post"`}},
	{"X030", "bedrock", []string{`"description": "Returns one task.",`, ``}},
	{"X031", "salesforce", []string{`"Returns one task."`, `"` + strings.Repeat("x", 1_334) + `"`}},
	{"X032", "dify", []string{`"security": [`, `"security": [`}}, // as it is
	{"G010", "power-platform", []string{`"host": "api.example.com",`, ``}},
	{"G043", "power-platform", []string{`{"$ref": "#/parameters/id"}`, ``}},
	{"G050", "m365", []string{`"requestBody": {"required": true, "content": {"application/json"`,
		`"requestBody": {"required": true, "content": {"text/plain"`}},
	{"G071", "power-platform", []string{`{"type": "string", "format": "date"}`, `{"type": "array"}`}},
	{"G073", "power-platform", []string{`{"$ref": "#/responses/task"}, "default"`,
		`{"$ref": "#/responses/no"}, "default"`}},
	{"G074", "m365", []string{`"labels": {`, `"parent": {"$ref": "#/components/schemas/Task"}, "labels": {`}},
	{"G101", "power-platform", []string{`"security": [{"oauth2": ["tasks:write"]}]`, `"security": {}`}},
	{"G102", "power-platform", []string{`"flow": "accessCode"`, `"flow": "application"`}},
	{"G111", "power-platform", []string{`"tokenUrl": "https:`, `"tokenUrl": "http:`}},
}

// cleanFor is the clean document that an importer takes.
func cleanFor(t testing.TB, p Profile) string {
	if p.Address == address20 {
		return clean20
	}
	return clean30(t)
}

func TestEachRuleOfOtherImportersIsBrokenAlone(t *testing.T) {
	for _, tt := range brokenForOthers {
		t.Run(tt.rule+" "+tt.profile, func(t *testing.T) {
			p, known := LookUpProfile(tt.profile)
			if !known {
				t.Fatal("there is no such profile")
			}
			source := cleanFor(t, p)
			for i := 0; i < len(tt.wrong); i += 2 {
				if !strings.Contains(source, tt.wrong[i]) {
					t.Fatalf("the clean document has no %q", tt.wrong[i])
				}
				source = strings.Replace(source, tt.wrong[i], tt.wrong[i+1], 1)
			}
			findings := Check(t.Context(), []byte(source), Options{For: &p})
			findings = slices.DeleteFunc(findings, func(f Finding) bool { // which holds for every document with OAuth
				return f.Rule == "X032" && tt.rule != "X032"
			})
			if got := rulesOf(findings); !slices.Equal(got, []string{tt.rule}) {
				t.Errorf("%.300q breaks %v: %v", tt.wrong, got, findings)
			}
		})
	}
}

// TestOurDocumentsAreTaken by every importer at the address that its profile names, and clean ones too.
func TestOurDocumentsAreTaken(t *testing.T) {
	files := map[string]string{address31: "../testdata/golden.json", address30: "../testdata/golden-3.0.json",
		address20: "../testdata/golden-2.0.json"}
	for _, p := range Profiles() {
		source, err := os.ReadFile(files[p.Address])
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Check(t.Context(), source, Options{For: &p}) {
			if f.Severity != Note && p.Name != GPT {
				t.Errorf("%s: %+v", p.Name, f)
			}
		}
		if p.Name == GPT {
			continue
		}
		for _, f := range Check(t.Context(), []byte(cleanFor(t, p)), Options{For: &p}) {
			if f.Rule != "X032" {
				t.Errorf("%s: %+v", p.Name, f)
			}
		}
	}
}

// TestProfilesNameRulesThatExist: a misspelt one would never hold.
func TestProfilesNameRulesThatExist(t *testing.T) {
	asked := map[string]bool{}
	for _, p := range Profiles() {
		for _, id := range slices.Concat(sound, p.rules, p.refuses) {
			if _, known := Explain(id); !known {
				t.Errorf("%s: there is no rule %s", p.Name, id)
			}
			asked[id] = true
		}
		if p.Name != GPT && (p.Title == "" || p.Versions == "" || p.Evidence == "" || p.takes == nil) {
			t.Errorf("%s is not described", p.Name)
		}
	}
	for _, rule := range importerRules {
		if !asked[rule.ID] {
			t.Errorf("nobody asks %s", rule.ID)
		}
	}
}

// TestFindingsInSwaggerSayWhere: the document is read in the words of 3.0, and told in its own.
func TestFindingsInSwaggerSayWhere(t *testing.T) {
	p, _ := LookUpProfile("power-platform")
	source := strings.NewReplacer(`"format": "date"`, `"format": "uuid"`, `"description": "Whether", "type": "boolean"`,
		`"description": "Whether", "type": "bool"`, `"type": "string", "description": "What is to be done"`,
		`"type": "text"`).Replace(clean20)
	findings := Check(t.Context(), []byte(source), Options{For: &p})
	for _, want := range []Finding{
		{Rule: "X024", Pointer: "/definitions/Task/properties/due/format", Line: 27, Place: "schema Task"},
		{Rule: "G072", Pointer: "/paths/~1tasks/post/parameters/0/type", Line: 16,
			Place: "POST /tasks, parameter notify"},
		{Rule: "G072", Pointer: "/paths/~1tasks/post/parameters/1/schema/properties/title/type", Line: 19,
			Place: "POST /tasks, parameter body"},
	} {
		if !slices.ContainsFunc(findings, func(f Finding) bool {
			return f.Rule == want.Rule && f.Pointer == want.Pointer && f.Line == want.Line && f.Place == want.Place
		}) {
			t.Errorf("%+v is not in %+v", want, findings)
		}
	}
}

// TestVersionsOfWhichNothingIsPromisedAreLookedThrough with a warning.
func TestVersionsOfWhichNothingIsPromisedAreLookedThrough(t *testing.T) {
	p, _ := LookUpProfile("copilot-studio")
	source := with(t, `"getTask", "summary": "Get one task"`, `"getTask"`)
	findings := Check(t.Context(), []byte(source), Options{For: &p})
	first := slices.IndexFunc(findings, func(f Finding) bool { return f.Rule == "X001" && f.Severity == Warning })
	if first < 0 || len(findings) < 2 {
		t.Errorf("%v", findings)
	}
}

// TestTheWordOfTheVersionCounts: one that the importer takes is refused in the other word, or beside it.
func TestTheWordOfTheVersionCounts(t *testing.T) {
	for source, name := range map[string]string{
		strings.Replace(clean20, `"swagger": "2.0"`, `"openapi": "2.0"`, 1):                     "power-platform",
		strings.Replace(clean20, `"swagger": "2.0"`, `"swagger": "2.0.0"`, 1):                   "power-platform",
		strings.Replace(clean20, `"swagger": "2.0"`, `"swagger": "3.0.0"`, 1):                   "m365",
		strings.Replace(clean20, `"swagger": "2.0"`, `"openapi": "3.0.0", "swagger": "2.0"`, 1): "bedrock",
	} {
		p, _ := LookUpProfile(name)
		findings := Check(t.Context(), []byte(source), Options{For: &p})
		if len(findings) != 1 || findings[0].Rule != "X001" || findings[0].Severity != Error {
			t.Errorf("%s: %v\n%.60s", name, findings, source)
		}
	}
}

// TestFormsAndFilesOfSwaggerAreRead, which have no counterpart among the parameters of 3.0.
func TestFormsAndFilesOfSwaggerAreRead(t *testing.T) {
	p, _ := LookUpProfile("power-platform")
	source := strings.NewReplacer(`{"name": "body", "in": "body"`, `{"name": "file", "in": "formData", `+
		`"x-ms-summary": "File", "description": "File", "type": "file"}, {"name": "unused", "in": "query"`, `, "schema":
          {"type": "object", "required": ["title"]`, `, "type": "string", "x-was": {"a": 1`,
		`"schema": {"$ref": "#/definitions/Task"}`, `"schema": {"type": "file"}`).Replace(clean20)
	for _, f := range Check(t.Context(), []byte(source), Options{For: &p}) {
		t.Errorf("%+v", f)
	}
}

// TestOddDocumentsAreFindingsForEveryImporter: whatever stands wherever, there is an answer and no crash.
func TestOddDocumentsAreFindingsForEveryImporter(t *testing.T) {
	random := rand.New(rand.NewPCG(18, 20))
	for _, seed := range []string{clean20, clean30(t), clean} {
		for range 250 {
			var document any
			if err := json.Unmarshal([]byte(seed), &document); err != nil {
				t.Fatal(err)
			}
			for range 1 + random.IntN(3) {
				document = spoiled(document, random)
			}
			source, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range Profiles() {
				Check(t.Context(), source, Options{For: &p})
			}
		}
	}
}

// spoiled puts something else in the place of one value.
func spoiled(v any, random *rand.Rand) any {
	if random.IntN(6) == 0 {
		var other any
		odd := []string{`null`, `true`, `-1e999`, `""`, `"x"`, `[]`, `{}`, `[null]`, `[[]]`, `{"$ref": "#"}`,
			`{"$ref": ""}`,
			`{"$ref": "#/definitions/Task"}`, `{"$ref": "#/paths/~1tasks/post"}`, `{"type": ["string", null]}`,
			`{"type": "file"}`, `{"in": "body", "name": "b", "schema": []}`, `{"in": "formData"}`, `{"": {"": null}}`}
		if json.Unmarshal([]byte(odd[random.IntN(len(odd))]), &other) == nil {
			return other
		}
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		if len(names) > 0 {
			name := names[random.IntN(len(names))]
			v[name] = spoiled(v[name], random)
		}
	case []any:
		if len(v) > 0 {
			i := random.IntN(len(v))
			v[i] = spoiled(v[i], random)
		}
	}
	return v
}

func FuzzCheckForOthers(f *testing.F) {
	f.Add([]byte(clean20))
	f.Add([]byte(clean30(f)))
	f.Add([]byte("swagger: 2.0\nhost: [x]\npaths: {/a: {post: {parameters: [{in: body}, {in: formData, name: 1}]}}}\n"))
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // else the seeds only, whose time is no verdict
	f.Fuzz(func(t *testing.T, source []byte) {
		for _, p := range Profiles() {
			start := time.Now()
			Check(t.Context(), source, Options{For: &p})
			if took := time.Since(start); fuzzing && took > time.Second {
				t.Errorf("%s took %s", p.Name, took)
			}
		}
	})
}
