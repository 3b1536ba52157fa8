//go:build !production

package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// mend is Fix of a document that must not be left as a whole, and the copy as it reads.
func mend(t *testing.T, source string) (Mended, *value) {
	t.Helper()
	mended, err := Fix(t.Context(), []byte(source), Options{})
	if err != nil {
		t.Fatal(err)
	}
	copied, err := parse(mended.Document)
	if err != nil {
		t.Fatal(err)
	}
	return mended, copied.root
}

// replaced returns a document of one operation in which a text stands for another.
func replaced(t *testing.T, old, text string) string {
	t.Helper()
	source := small("3.0.3", "", plainBody, plainReply)
	if !strings.Contains(source, old) {
		t.Fatalf("no %s", old)
	}
	return strings.Replace(source, old, text, 1)
}

func TestFixLeavesWhatIsOfAnotherKind(t *testing.T) {
	const item = `"paths": {"/a": {`
	for pointer, source := range map[string]string{
		"/paths/~1a/post/parameters": replaced(t, `"parameters": []`,
			`"parameters": {"name": "x", "in": "query", "required": true, "schema": {"type": "string"}}`),
		"/paths/~1a/parameters": replaced(t, item, item+`"parameters": {"name": "x", "in": "query"}, `),
		"/paths/~1a/servers": replaced(t, item, item+
			`"servers": {"url": "https://other.example.com"}, `),
		"/paths/~1a/post/servers": replaced(t, `"parameters": []`,
			`"servers": {"url": "https://other.example.com"}, "parameters": []`),
		"/paths/~1a/post/requestBody": replaced(t, `"requestBody": {`, `"requestBody": [1], "x-body": {`),
		"/paths/~1a/post/responses":   replaced(t, `"responses": {`, `"responses": ["200"], "x-responses": {`),
		"/components": replaced(t, `"components": {"schemas": {}}`,
			`"components": [{"schemas": 1}]`),
		"/components/schemas":      replaced(t, `"schemas": {}`, `"schemas": [{"title": "A"}]`),
		"/paths/~1a/post/security": replaced(t, `"parameters": []`, `"security": "none", "parameters": []`),
		"/components/responses":    replaced(t, `"schemas": {}`, `"schemas": {}, "responses": [1]`),
		"/paths/~1a/post/responses/200": replaced(t, `{"description": "OK", "content"`,
			`["x"], "x-reply": {"content"`),
		"/servers": replaced(t, `"servers": [{"url": "https://api.example.com"}]`,
			`"servers": {"url": "https://api.example.com"}`),
		"/paths/~1b":                           replaced(t, item, `"paths": {"/b": ["x"], "/a": {`),
		"/paths/~1a/post/requestBody/required": replaced(t, `"required": true`, `"required": "true"`),
	} {
		before, err := parse([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		mended, copied := mend(t, source)
		if got := copied.at(pointer); got == nil || got.compact() != before.root.at(pointer).compact() {
			t.Errorf("%s is changed\n%s", pointer, mended.Document)
		}
		if len(mended.Kept) > 0 || copied.get("openapi").str() != "3.1.0" {
			t.Errorf("%s keeps the rest from being mended: %v", pointer, mended.Kept)
		}
		if !slices.ContainsFunc(mended.Left, func(f Finding) bool {
			return strings.HasPrefix(f.Pointer, pointer) || strings.HasPrefix(pointer, f.Pointer)
		}) {
			t.Errorf("nothing is said of %s: %v", pointer, mended.Left)
		}
	}
}

func TestAMixedEnumGetsNoType(t *testing.T) {
	for _, enum := range []string{`[1, "a"]`, `["a", true]`, `[{"a": 1}, "a"]`, `[null, 1, "a"]`} {
		property := `{"description": "A", "enum": ` + enum + `}`
		mended, copied := mend(t, small("3.1.0", "",
			`{"type": "object", "properties": {"a": {"type": "object", "properties": {"b": `+property+
				`}}}}`, `{"type": "object", "properties": {"a": `+property+`}}`))
		if strings.Contains(string(mended.Document), `"type": "number"`) || len(mended.Kept) > 0 {
			t.Errorf("%s: kept %v\n%s", enum, mended.Kept, mended.Document)
		}
		if reply := copied.at("/paths/~1a/post/responses/200/content/application~1json/schema/properties/a"); reply.has(
			"type") {
			t.Errorf("%s: %s", enum, reply.compact())
		}
	}
	before := viewOfText(t, `{"enum": [1, "a"]}`)
	if after := viewOfText(t, `{"enum": [1, "a"], "type": "number"}`); slices.Equal(before.kinds, after.kinds) {
		t.Error("the view does not see that fewer values are admitted")
	}
}

func viewOfText(t *testing.T, schema string) *shape {
	t.Helper()
	p, err := parse([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	return (&linter{root: p.root}).viewOf(p.root).shape([]*value{p.root})
}

func TestTheNamesOfADiscriminatorStay(t *testing.T) {
	const pets = `"Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", ` +
		`"description": "Kind"}}}, "Fish": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": ` +
		`"string", "description": "Kind"}}}`
	const union = `{"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Fish"}], ` +
		`"discriminator": {"propertyName": "kind"}}`
	mended, copied := mend(t, small("3.0.3", pets, `{"type": "object", "properties": {"pet": `+union+`}}`, plainReply))
	pet := copied.at("/paths/~1a/post/requestBody/content/application~1json/schema/properties/pet/oneOf")
	if len(mended.Kept) > 0 || pet.compact() != `[{"$ref":"#/components/schemas/Cat"},`+
		`{"$ref":"#/components/schemas/Fish"}]` || !copied.get("components", "schemas").has("Fish") {
		t.Errorf("kept %v\n%s", mended.Kept, mended.Document)
	}
}

func TestOneOddSpotStopsNothingElse(t *testing.T) {
	const other = `"get": {"operationId": "get-a", "responses": {"200": {"description": "OK"}}}`
	for what, source := range map[string]string{
		"paths that clash": replaced(t, `"paths": {`, `"paths": {"a": {`+other+`}, "/b": {`+other+`}, `),
		"a body of null": replaced(t, `"paths": {`,
			`"paths": {"/b": {"post": {"requestBody": null, "responses": {"200": {"description": "OK"}}}, `+other+
				`}, `),
		"parameters of null": replaced(t, `"paths": {`,
			`"paths": {"/b": {"post": {"parameters": null, "responses": null}, `+other+`}, `),
		"nullable alone": replaced(t, `"paths": {`,
			`"paths": {"/b": {"post": {"requestBody": {"content": {"application/json": {"schema": {"nullable": true, `+
				`"enum": [1, "b"]}}}}}, `+other+`}, `),
	} {
		mended, copied := mend(t, source)
		if copied.get("openapi").str() != "3.1.0" || len(mended.Kept) > 0 {
			t.Errorf("%s: %v\n%s", what, mended.Kept, mended.Document)
		}
		if strings.Contains(source, "get-a") && strings.Contains(string(mended.Document), `"get-a"`) {
			t.Errorf("%s: the other operation is not mended\n%s", what, mended.Document)
		}
	}
}

func TestDataStaysAsItIs(t *testing.T) {
	const data = `{"keep": [1, null, {"a": null}], "schema": {"nullable": true, "type": "string"}, "n": null}`
	source := small("3.0.3", `"x-a": {"type": "string", "x-t": null, "x-u": `+data+`}`,
		`{"type": "object", "x-t": null, "x-u": `+data+`, "example": `+data+
			`, "properties": {"example": {"type": "object", "nullable": true, "description": "E", "default": `+data+
			`}}}`,
		`{"type": "object", "properties": {"b": {"type": "object", "x-t": null, "examples": [`+data+`], "example": `+
			data+`}, "c": {"$ref": "#/components/schemas/x-a"}}}`)
	source = strings.Replace(source, `"parameters": []`, `"parameters": [], "x-t": null, "x-u": `+data, 1)
	source = strings.Replace(source, `"description": "OK"`, `"description": "OK", "x-u": `+data, 1)
	source = strings.Replace(source, `"x-schema-hash"`, `"x-u": `+data+`, "x-t": null, "x-schema-hash"`, 1)
	mended, _ := mend(t, source)
	for _, want := range []string{`"x-t": null`, `"keep": [`, `"nullable": true`, `"n": null`} {
		was, is := strings.Count(source, want), strings.Count(string(mended.Document), want)
		if want == `"nullable": true` {
			was-- // that of a schema
		}
		if is != was {
			t.Errorf("%s is there %d times, and was %d times\n%s", want, is, was, mended.Document)
		}
	}
	if len(mended.Kept) > 0 {
		t.Error(mended.Kept)
	}
}

// TestWordsOfOlderYAMLAreQuoted is of those that YAML 1.1 reads as a boolean or a number.
func TestWordsOfOlderYAMLAreQuoted(t *testing.T) {
	for _, word := range []string{"no", "No", "NO", "yes", "on", "Off", "y", "N", "true", "null", "0777", "1_000",
		"0x1F", "2020-01-01", "1e3", "0b11"} {
		for _, v := range []*value{newText(word),
			{kind: object, names: []string{word}, members: map[string]*value{word: newText("a")}}} {
			written, err := v.write(false)
			if err != nil || !strings.HasPrefix(string(written), fmt.Sprintf("%q", word)) {
				t.Errorf("%s is written %s %v", word, written, err)
			}
		}
	}
}

func TestComponentsThatGoAreTold(t *testing.T) {
	source := small("3.1.0", `"Unused": {"type": "string"}`, plainBody, plainReply)
	source = strings.Replace(source, `"schemas": {`,
		`"parameters": {"P": {"name": "p", "in": "query"}}, "links": {"L": {"operationId": "addA"}}, "schemas": {`, 1)
	mended, _ := mend(t, source)
	for _, place := range []string{"schema Unused", "parameter P"} {
		if !slices.ContainsFunc(mended.Changes, func(c Change) bool {
			return c.Place == place && strings.Contains(c.What, "nothing in the copy refers to it")
		}) {
			t.Errorf("nobody is told of %s: %v", place, mended.Changes)
		}
	}
	if !slices.ContainsFunc(mended.Changes, func(c Change) bool { return c.What == "links is removed" }) {
		t.Errorf("nobody is told of links: %v", mended.Changes)
	}
}

// TestAClosedBaseStaysABase: what refuses other properties would admit them if it were merged.
func TestAClosedBaseStaysABase(t *testing.T) {
	const base = `"Base": {"type": "object", "additionalProperties": false, "properties": {"a": {"type": "string", ` +
		`"description": "A"}}}`
	for what, schema := range map[string]string{
		"a base": `{"allOf": [{"$ref": "#/components/schemas/Base"}], "properties": {"b": {"type": "string", ` +
			`"description": "B"}}}`,
		"parts": `{"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"b": ` +
			`{"type": "string", "description": "B"}}}]}`,
		"parts in turn": `{"allOf": [{"type": "object", "properties": {"b": {"type": "string", "description": ` +
			`"B"}}}, {"$ref": "#/components/schemas/Base"}]}`,
		"an alternative": `{"anyOf": [{"type": "object", "additionalProperties": false, "properties": {}}], ` +
			`"properties": {"b": {"type": "string", "description": "B"}}}`,
	} {
		mended, copied := mend(t, small("3.1.0", base, schema, schema))
		for _, pointer := range []string{"/paths/~1a/post/requestBody/content/application~1json/schema",
			"/paths/~1a/post/responses/200/content/application~1json/schema"} {
			if got := copied.at(pointer); !got.has("allOf") && !got.has("anyOf") {
				t.Errorf("%s is merged: %s", what, got.compact())
			}
		}
		if told := slices.ContainsFunc(mended.Kept, func(c Change) bool {
			return strings.Contains(c.What,
				"refuses other properties")
		}); !told && what != "an alternative" {
			t.Errorf("nobody is told of %s: %v", what, mended.Kept)
		}
		if copied.get("paths", "/a", "post", "requestBody") == nil || len(mended.Left) == 0 {
			t.Errorf("%s: %v", what, mended.Left)
		}
	}
	before, after := viewOfText(t,
		`{"allOf": [{"additionalProperties": false, "properties": {"a": {}}}], "properties": {"b": {}}}`),
		viewOfText(t, `{"additionalProperties": false, "properties": {"a": {}, "b": {}}}`)
	if before.words["refused properties"] == after.words["refused properties"] {
		t.Error("the view does not see that more is admitted")
	}
}

func TestOneLineIsNamedOnce(t *testing.T) {
	findings := Check(t.Context(), []byte(`{"openapi": "3.1.0", "openapi": "3.1.0"}`), Options{})
	if !slices.ContainsFunc(findings, func(f Finding) bool {
		return strings.Contains(f.Problem,
			"twice, in line 1:")
	}) {
		t.Errorf("%v", findings)
	}
}

func TestNamesInMessagesAreThoseOfTheDocument(t *testing.T) {
	source := replaced(t, `"parameters": []`,
		`"parameters": [{"name": "If-Match", "in": "header", "schema": {"type": "string"}}]`)
	source = strings.Replace(source, `"operationId": "addA"`, `"operationId": "über"`, 1)
	mended, copied := mend(t, source)
	if id := copied.at("/paths/~1a/post/operationId").str(); id != "postA" {
		t.Errorf("über becomes %s", id)
	}
	if !slices.ContainsFunc(mended.Changes,
		func(c Change) bool { return strings.Contains(c.What, "header If-Match") }) {
		t.Errorf("%v", mended.Changes)
	}
}

func TestNullIsToldOnceForAUnion(t *testing.T) {
	mended, _ := mend(t, small("3.1.0", "",
		`{"type": "object", "properties": {"a": {"anyOf": [{"type": ["string", "null"]}, {"type": ["integer", `+
			`"null"]}], "description": "A"}}}`, plainReply))
	told := 0
	for _, c := range mended.Changes {
		if c.What == "null is no longer admitted" {
			told++
		}
	}
	if told != 1 || len(mended.Kept) > 0 {
		t.Errorf("told %d times: %v, kept %v", told, mended.Changes, mended.Kept)
	}
}

func TestAServersPathIsPlain(t *testing.T) {
	for url, want := range map[string]string{"https://foo.example.com//v1": "G013",
		"https://foo.example.com/a b": "G013", "https://foo.example.com/../x": "G013",
		"https://{region}.example.com": "which has variables"} {
		findings := Check(t.Context(), []byte(replaced(t, "https://api.example.com", url)), Options{})
		if !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Rule+f.Problem, want) }) {
			t.Errorf("%s: %v", url, findings)
		}
	}
}
