//go:build !production

package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const chainLength = 40

// chained are schemas that each name the next one twice, in the manner of one word. The last leads to
// the first if they are a ring.
func chained(word string, ring bool) object_ {
	schemas := object_{}
	for i := range chainLength {
		next := func() object_ { return object_{"$ref": fmt.Sprintf("%sS%d", schemaPrefix, i+1)} }
		switch word {
		case "items":
			schemas[fmt.Sprint("S", i)] = object_{"allOf": []any{object_{"type": "array", "items": next()},
				object_{"items": next()}}}
		case "properties":
			schemas[fmt.Sprint("S", i)] = object_{"type": "object", "properties": object_{"a": next(), "b": next()}}
		case "additionalProperties":
			schemas[fmt.Sprint("S", i)] = object_{"type": "object", "properties": object_{"a": next()},
				"additionalProperties": next()}
		case "not":
			schemas[fmt.Sprint("S", i)] = object_{"allOf": []any{object_{"not": next()},
				object_{"not": object_{"not": next()}}}}
		case "beside":
			schemas[fmt.Sprint("S", i)] = object_{"$ref": next()["$ref"], "allOf": []any{next()}}
		default:
			schemas[fmt.Sprint("S", i)] = object_{word: []any{next(), next()}}
		}
	}
	schemas[fmt.Sprint("S", chainLength)] = object_{"type": "object",
		"properties": object_{"p": object_{"type": "string"}},
		"required":   []any{"p"}}
	if ring {
		schemas[fmt.Sprint("S", chainLength)] = object_{"allOf": []any{object_{"$ref": schemaPrefix + "S0"},
			object_{"nullable": true}}}
	}
	return schemas
}

// withSchemas returns a document that sends and gets the first of the schemas, by references from
// parameters, bodies and responses that name each other too.
func withSchemas(schemas object_, version string) []byte {
	content := func() object_ {
		return object_{"content": object_{"application/json": object_{"schema": object_{"$ref": schemaPrefix + "S0"}}},
			"description": "D"}
	}
	parameters, responses, bodies := object_{}, object_{}, object_{}
	for i := range chainLength {
		next := func(kind, name string) object_ {
			return object_{"$ref": fmt.Sprintf("#/components/%s/%s%d", kind, name, i+1)}
		}
		parameters[fmt.Sprint("P", i)], responses[fmt.Sprint("R", i)] = next("parameters", "P"), next("responses", "R")
		bodies[fmt.Sprint("B", i)] = next("requestBodies", "B")
	}
	parameters[fmt.Sprint("P", chainLength)] = object_{"in": "query", "name": "q",
		"schema": object_{"$ref": schemaPrefix + "S0"}}
	responses[fmt.Sprint("R", chainLength)], bodies[fmt.Sprint("B", chainLength)] = content(), content()
	far, near := chainLength-10, chainLength-9
	reference := func(kind, name string, i int) object_ {
		return object_{"$ref": fmt.Sprintf("#/components/%s/%s%d", kind, name, i)}
	}
	operation := object_{"operationId": "op", "summary": "S", "description": "D",
		"parameters": []any{reference("parameters", "P", far), reference("parameters", "P", near),
			reference("parameters", "P", 0)},
		"requestBody": content(),
		"responses": object_{"200": content(), "201": reference("responses", "R", far), "202": reference("responses",
			"R", near),
			"default": reference("responses", "R", 0)}}
	other := object_{"operationId": "other", "summary": "S", "description": "D", "parameters": []any{},
		"requestBody": reference("requestBodies", "B", far), "responses": object_{"200": content()}}
	source, err := json.Marshal(object_{"openapi": version, "info": object_{"title": "T", "version": "1",
		"description": "D"},
		"servers": []any{object_{"url": "https://api.example.com"}},
		"paths":   object_{"/a": object_{"post": operation}, "/b": object_{"post": other}},
		"components": object_{"schemas": schemas, "parameters": parameters, "responses": responses,
			"requestBodies": bodies}})
	if err != nil {
		panic(err) // never
	}
	return source
}

// TestSchemasThatNameTheNextOneTwiceAreLookedAtOnce: looked at as often as they are named, it would be
// 2 to the 40th times.
func TestSchemasThatNameTheNextOneTwiceAreLookedAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it computes for long")
	}
	t.Parallel()
	const most, mostFixed = 5_000, maxVisited
	for _, word := range []string{"allOf", "oneOf", "anyOf", "items", "properties", "additionalProperties", "not",
		"beside"} {
		for _, ring := range []bool{false, true} {
			for _, version := range []string{map[bool]string{false: "3.0.3", true: "3.1.0"}[ring]} {
				t.Run(fmt.Sprintf("%s ring %v in %s", word, ring, version), func(t *testing.T) {
					source := withSchemas(chained(word, ring), version)
					findings, l := check(t.Context(), source, Options{})
					if l.visits > most || l.endless {
						t.Errorf("a check looks at %d schemas", l.visits)
					}
					if slices.ContainsFunc(findings, func(f Finding) bool {
						return strings.Contains(f.Problem,
							tooMuch)
					}) {
						t.Errorf("it is too much: %v", findings)
					}
					f, _, err := mendedCopy(t.Context(), source, Options{}, maxInlined)
					if err != nil {
						t.Fatal(err)
					}
					if f.left < 0 {
						if f.visits > mostFixed {
							t.Errorf("to find that it is too much to write out takes %d", f.visits)
						}
						if f, _, err = mendedCopy(t.Context(), source, Options{}, -1); err != nil {
							t.Fatal(err)
						}
					}
					ends(func() { f.putBack() })
					if t.Logf("check %d, fix %d, steps %d", l.visits, f.visits,
						maxSteps-f.steps); f.visits > mostFixed || f.endless || f.steps < 0 {
						t.Errorf("mending looks at %d schemas", f.visits)
					}
				})
			}
		}
	}
}

// TestWhatIsMadeToTakeWithoutEndIsTold: the properties of these schemas hold together in ever new sets.
func TestWhatIsMadeToTakeWithoutEndIsTold(t *testing.T) {
	l := &linter{}
	if ends(func() {
		for {
			l.visit(1)
		}
	}) {
		t.Error("there is an end")
	}
	if l.visits != maxVisited+1 {
		t.Errorf("it ends after %d", l.visits)
	}
}

// TestUnionsThatContainThemselves: whether they are objects is decided by what else they admit.
func TestUnionsThatContainThemselves(t *testing.T) {
	for schemas, want := range map[string]bool{
		`"A": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "object"}]}`:                 true,
		`"A": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]}`:                 false,
		`"A": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}]}`: false,
		`"A": {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "object"}]},
			"B": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]}`: true,
	} {
		_, l := check(t.Context(),
			[]byte(small("3.1.0", schemas, `{"type": "object"}`, `{"$ref": "#/components/schemas/A"}`)), Options{})
		if got := l.isOf(l.root.get("components", "schemas", "A"), "object"); got != want {
			t.Errorf("%s: %v", schemas, got)
		}
	}
}

// TestPathsThatReferToALargeOneHaveAnEnd: each looks at all its parameters again.
func TestPathsThatReferToALargeOneHaveAnEnd(t *testing.T) {
	var b strings.Builder
	for i := range 2_000 {
		fmt.Fprintf(&b, `"/r%d": {"$ref": "#/paths/~1tasks"},`, i)
	}
	refs := b.String()
	b.Reset()
	for i := range 2_000 {
		fmt.Fprintf(&b, `{"name": "p%d", "in": "query", "description": "P", "schema": {"type": "string"}},`, i)
	}
	source := with(t, `"paths": {`, `"paths": {`+refs, `"/tasks": {"get"`,
		`"/tasks": {"parameters": [`+strings.TrimSuffix(b.String(), ",")+`], "get"`)
	for _, p := range Profiles() {
		if p.Name != GPT && p.Name != "postman" {
			continue
		}
		findings := Check(t.Context(), []byte(source), Options{For: &p})
		if !slices.ContainsFunc(findings, func(f Finding) bool { return strings.HasPrefix(f.Problem, tooMuch) }) {
			t.Errorf("%s: %d findings, none of which says so", p.Name, len(findings))
		}
	}
}
