package gpttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// taking returns the one operation of a document whose body schema is given, beside
// components.
func taking(t *testing.T, body, components string) Operation {
	t.Helper()
	document := `{"openapi":"3.1.0","info":{"title":"T","version":"1"},"servers":[{"url":"http://localhost:1"}],
		"components":{"schemas":{` + components + `}},"paths":{"/x/{id}":{"post":{"operationId":"create",
		"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer","minimum":5},"example":7}],
		"requestBody":{"required":true,"content":{"application/json":{"schema":` + body + `}}},` +
		`"responses":{"200":{"description":"OK"}}}}}}`
	imp, err := ImportText(document, Options{})
	if err != nil || len(imp.Operations) != 1 {
		t.Fatalf("%v %v %v: %s", err, imp.Errors, imp.Warnings, document)
	}
	return imp.Operations[0]
}

// of wraps a schema as that of the one required property v.
func of(schema string) string {
	return `{"type":"object","required":["v"],"properties":{"v":` + schema + `}}`
}

func TestMadeValuesAreThoseThatTheDocumentSpeaksOf(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"example", `{"type":"string","example":"Water the plants","default":"x"}`, `"Water the plants"`},
		{"the first of examples that holds", `{"type":"string","minLength":3,"examples":["a","abc"]}`, `"abc"`},
		{"an example that the schema refuses is left", `{"type":"string","pattern":"^b$","example":"a"}`, `"b"`},
		{"default", `{"type":"integer","default":25}`, `25`},
		{"const", `{"const":"v2"}`, `"v2"`},
		{"enum", `{"type":"string","enum":["low","high"]}`, `"low"`},
		{"no null where there is something else", `{"type":["null","string"],"enum":[null,"low"]}`, `"low"`},
		{"null alone", `{"type":"null"}`, `null`},
		{"day", `{"type":"string","format":"date"}`, `"2030-01-31"`},
		{"a day by its pattern", `{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$"}`, `"2030-01-31"`},
		{"format and pattern", `{"type":"string","format":"uri","pattern":"^https://"}`, `"https://example.com/"`},
		{"number", `{"type":"number"}`, `1`},
		{"whole number", `{"type":"integer","minimum":3,"multipleOf":5}`, `5`},
		{"two steps", `{"type":"integer","multipleOf":4,"allOf":[{"multipleOf":6}]}`, `12`},
		{"no more than", `{"type":"integer","exclusiveMaximum":-2,"multipleOf":3}`, `-3`},
		{"between", `{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}`, `0.984375`},
		{"cents", `{"type":"number","minimum":0.995,"multipleOf":0.01}`, `1`},
		{"cents exactly", `{"type":"number","minimum":0.07,"maximum":0.075,"multipleOf":0.01}`, `0.07`},
		{"length", `{"type":"string","minLength":10,"maxLength":10}`, `"exampleeee"`},
		{"short", `{"type":"string","maxLength":3}`, `"exa"`},
		{"different elements", `{"type":"array","items":{"type":"boolean"},"minItems":2,"uniqueItems":true}`,
			`[true,false]`},
		{"different numbers", `{"type":"array","items":{"type":"integer","minimum":1,"maximum":3},"minItems":3,` +
			`"uniqueItems":true}`, `[1,2,3]`},
		{"contains", `{"type":"array","items":{"type":"integer"},"contains":{"minimum":7}}`, `[7]`},
		{"prefix", `{"type":"array","prefixItems":[{"const":"a"},{"type":"integer"}],"items":{"type":"boolean"}}`,
			`["a",1]`},
		{"nested", `{"type":"object","required":["a"],"properties":{"a":` + of(`{"type":"boolean"}`) + `}}`,
			`{"a":{"v":true}}`},
		{"dependent", `{"type":"object","required":["a"],"properties":{"a":{"const":1},"b":{"const":2}},` +
			`"dependentRequired":{"a":["b"]}}`, `{"a":1,"b":2}`},
		{"dependent schema", `{"type":"object","required":["a"],"properties":{"a":{"const":1},"b":{"const":2}},` +
			`"dependentSchemas":{"a":{"required":["b"]}}}`, `{"a":1,"b":2}`},
		{"fewest members", `{"type":"object","minProperties":1,"properties":{"a":{"const":1},"b":{"const":2}}}`,
			`{"a":1}`},
		{"anyOf", `{"anyOf":[{"type":"string","minLength":3,"maxLength":2},{"type":"integer"}]}`, `1`},
		{"oneOf that excludes", `{"type":"integer","oneOf":[{"minimum":0},{"maximum":5}]}`, `-1`},
		{"allOf", `{"allOf":[{"$ref":"#/components/schemas/Named"},{"type":"object","required":["b"],` +
			`"properties":{"b":{"const":2}}}]}`, `{"a":"A","b":2}`},
		{"not", `{"type":"string","not":{"const":"example"}}`, `"1 example"`},
		{"if, then", `{"type":"object","required":["k","w"],"properties":{"k":{"const":"a"},"w":{"type":"integer"}},` +
			`"if":{"properties":{"k":{"const":"a"}}},"then":{"properties":{"w":{"minimum":9}}}}`, `{"k":"a","w":9}`},
		{"a reference", `{"$ref":"#/components/schemas/Named"}`, `{"a":"A"}`},
		{"a property called example", `{"type":"object","required":["example"],"properties":{"example":{"const":3}}}`,
			`{"example":3}`},
		{"nothing said", `{}`, `"example"`},
		{"file of a small number", `{"type":"integer","format":"int32","minimum":2147483647}`, `2147483647`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			op := taking(t, of(tt.schema),
				`"Named":{"type":"object","required":["a"],"properties":{"a":{"const":"A"}}}`)
			arguments, err := (&Maker{}).Arguments(op, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(arguments["v"]); string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if arguments["id"] != 7.0 {
				t.Errorf("the parameter's example is 7, got %v", arguments["id"])
			}
		})
	}
}

func TestMadeTextsFollowTheirPattern(t *testing.T) {
	for _, pattern := range []string{
		`^[a-z0-9_]+$`, `^tsk_[a-z2-7]{16}$`, `^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$`, `^(?=.*[A-Z])(?=.*\d).{8,64}$`,
		`^(?!admin)[a-z]{3,9}$`,
		`^[^@\s<>]+@[^@\s<>]+$`, `^\+[1-9]\d{1,14}$`, `^#[0-9a-fA-F]{6}$`, `^([01]\d|2[0-3]):[0-5]\d$`,
		`^\p{L}[\p{L}\p{N} ]{2,}$`,
		`^.{1,5000}$`, `^[\u00e0-\u00ff]{3}$`, `^v\d+\.\d+\.\d+(-[\w.]+)?$`, `^(a|bb|ccc){4}$`, `^\/[a-z]+\/$`,
		`^(\d{4}-\d{2}-\d{2})?$`, `foo`,
		`^[A-HJKMNP-TV-Z0-9]{26}$`, `^(red|green|blue)(,(red|green|blue))*$`, `^(?<year>\d{4})$`,
	} {
		quoted, _ := json.Marshal(pattern)
		op := taking(t, of(`{"type":"string","minLength":1,"pattern":`+string(quoted)+`}`), "")
		arguments, err := (&Maker{}).Arguments(op, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		expression, err := regexp.Compile(pattern)
		if text := arguments["v"].(string); err == nil && !expression.MatchString(text) { // a second opinion
			t.Errorf("%s does not admit %q", pattern, text)
		}
	}
}

func TestWhatCannotBeMadeIsTold(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"contradiction", `{"type":"string","minLength":3,"maxLength":2}`,
			"no value can be made: v: minLength: got 2, want 3"},
		{"not one that fits", `{"type":"string","pattern":"^(?=a)(?=b)c$"}`, "does not match pattern"},
		{"too few different ones", `{"type":"array","items":{"type":"boolean"},"minItems":3,"uniqueItems":true}`,
			"v: minItems: got 2, want 3"},
		{"a pattern that is none", `{"type":"string","pattern":"("}`, "the schema cannot be read"},
		{"nothing is admitted", `{"type":"integer","minimum":2,"maximum":1}`, "v: minimum: got 1, want 2"},
		{"another document", `{"$ref":"https://example.com/schema.json"}`, "the schema cannot be read"},
		{"a file of this machine", `{"$ref":"file:///etc/passwd"}`, "the schema cannot be read"},
		{"more than can be sent", `{"type":"string","minLength":200000}`, "no value can be made"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			op := taking(t, of(tt.schema), "")
			arguments, err := (&Maker{}).Arguments(op, nil, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want %q", arguments, err, tt.want)
			}
		})
	}
}

func TestABodyIsMadeAroundWhatIsGiven(t *testing.T) {
	const body = `{"type":"object","properties":{"title":{"type":"string","example":"T"},"notes":{"type":"string"},` +
		`"project_id":{"type":"string","example":"p"}}}`
	for _, tt := range []struct {
		name, body string
		given      map[string]any
		omit       []string
		want       string
	}{
		{"what has an example", body, nil, nil, `{"id":7,"project_id":"p","title":"T"}`},
		{"what is given wins, and something is added", body, map[string]any{"title": "G", "id": 9},
			[]string{"project_id"}, `{"id":9,"notes":"example","title":"G"}`},
		{"an empty change gets one property",
			`{"type":"object","properties":{"other_id":{"type":"string"},"notes":{"type":"string"},` +
				`"more":{"type":"string"}}}`,
			nil, []string{"other_id"}, `{"id":7,"notes":"example"}`},
		{"an example of the whole", `{"type":"object","required":["a"],"properties":{"a":{"type":"integer"},` +
			`"b":{"type":"integer"}},"example":{"a":3,"b":4,"undeclared":5}}`,
			map[string]any{"b": 6}, nil, `{"a":3,"b":6,"id":7}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arguments, err := (&Maker{}).Arguments(taking(t, tt.body, ""), tt.given, tt.omit)
			if got, _ := json.Marshal(arguments); err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestEmailAddressesAreOfTheDomainAskedFor(t *testing.T) {
	op := taking(t, of(`{"type":"string","format":"email","pattern":"^[^@\\s]+@[^@\\s]+$"}`), "")
	arguments, err := (&Maker{EmailDomain: "acme.example"}).Arguments(op, nil, nil)
	if err != nil || !strings.HasSuffix(arguments["v"].(string), "@acme.example") {
		t.Errorf("got %v, %v", arguments, err)
	}
}

// TestWhatIsMadeIsAdmitted goes through generated schemas: a value is made that the schema
// admits, or it is told that there is none.
func TestWhatIsMadeIsAdmitted(t *testing.T) {
	const runs = 600
	made := 0
	for seed := range uint64(runs) {
		random := rand.New(rand.NewPCG(seed, 1))
		schema := generatedSchema(random, 3)
		text, _ := json.Marshal(schema)
		op := taking(t, of(string(text)), "")
		arguments, err := (&Maker{Random: random}).Arguments(op, nil, nil)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("seed %d: no reason for %s", seed, text)
			}
			continue
		}
		made++
		// As the server reads it, from the wire.
		wire, err := json.Marshal(map[string]any{"v": arguments["v"]})
		var read any
		if err != nil || json.Unmarshal(wire, &read) != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := op.body.Validate(read); err != nil {
			t.Errorf("seed %d: %s does not admit %s: %v", seed, text, wire, err)
		}
	}
	t.Logf("values were made for %d of %d schemas", made, runs)
	if made < runs*9/10 {
		t.Errorf("values were made for %d of %d schemas only", made, runs)
	}
}

// generatedSchema returns a schema of any shape, mostly one that admits something.
func generatedSchema(random *rand.Rand, depth int) map[string]any {
	maybe := func(schema map[string]any, key string, value any) {
		if random.IntN(2) == 0 {
			schema[key] = value
		}
	}
	kinds := []string{"string", "integer", "number", "boolean", "enum", "object", "array", "anyOf", "oneOf", "allOf",
		"if"}
	if depth == 0 {
		kinds = kinds[:5]
	}
	switch kind := kinds[random.IntN(len(kinds))]; kind {
	case "string":
		schema := map[string]any{"type": "string"}
		maybe(schema, "minLength", random.IntN(5))
		maybe(schema, "maxLength", 8+random.IntN(40))
		maybe(schema, []string{"pattern", "format"}[random.IntN(2)], "")
		if _, ok := schema["pattern"]; ok {
			schema["pattern"] = []string{`^[a-z]{2,9}$`, `^[A-Z]\d{4,}$`, `^(ab|cd)+$`, `^\w+-\w+$`}[random.IntN(4)]
		}
		if _, ok := schema["format"]; ok {
			schema["format"] = []string{"date", "date-time", "uuid", "email", "ipv4", "uri", "time"}[random.IntN(7)]
			delete(schema, "maxLength")
		}
		return schema
	case "integer", "number":
		schema := map[string]any{"type": kind}
		maybe(schema, []string{"minimum", "exclusiveMinimum"}[random.IntN(2)], random.IntN(100)-50)
		maybe(schema, []string{"maximum", "exclusiveMaximum"}[random.IntN(2)], 60+random.IntN(100))
		maybe(schema, "multipleOf", []any{1, 2, 3, 7, 0.5, 0.01}[random.IntN(6)])
		return schema
	case "boolean":
		return map[string]any{"type": []any{"boolean", "null"}}
	case "enum":
		return map[string]any{"enum": []any{random.IntN(9), "a", nil}[random.IntN(2):]}
	case "array":
		schema := map[string]any{"type": "array", "items": generatedSchema(random, depth-1)}
		maybe(schema, "minItems", random.IntN(2))
		maybe(schema, "maxItems", 2+random.IntN(3))
		maybe(schema, "uniqueItems", true)
		return schema
	case "object":
		return generatedObject(random, depth)
	case "if":
		schema := generatedObject(random, depth)
		schema["if"], schema["then"], schema["else"] = map[string]any{"required": []any{"c"}},
			map[string]any{"required": []any{"b"}}, map[string]any{"required": []any{"a"}}
		return schema
	default:
		parts := []any{generatedSchema(random, depth-1), generatedSchema(random, depth-1)}
		if kind == "allOf" {
			parts = []any{generatedObject(random, depth-1), generatedObject(random, depth-1)}
		}
		return map[string]any{kind: parts}
	}
}

func generatedObject(random *rand.Rand, depth int) map[string]any {
	properties, required := map[string]any{}, []any{}
	for _, name := range []string{"a", "b", "c"} {
		properties[name] = generatedSchema(random, max(depth-1, 0))
		if random.IntN(2) == 0 {
			required = append(required, name)
		}
	}
	// Two of them in an allOf may contradict each other in what they both name.
	if depth == 2 {
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			properties[fmt.Sprintf("%s%d", name, random.IntN(1000))] = properties[name]
			delete(properties, name)
		}
		required = []any{}
	}
	schema := map[string]any{"type": "object", "properties": properties, "required": required}
	if random.IntN(3) == 0 {
		schema["minProperties"] = random.IntN(3)
	}
	if random.IntN(4) == 0 {
		schema["dependentRequired"] = map[string]any{"a": []any{"b"}}
	}
	return schema
}
