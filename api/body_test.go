package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func TestNullsAreFoundByTheSchema(t *testing.T) {
	text, maybe := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeString, Nullable: true}
	object := func(member *huma.Schema) *huma.Schema {
		return &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"a": member}}
	}
	for _, tt := range []struct {
		name, body string
		schema     *huma.Schema
		places     string
	}{
		{"a member", `{"a":null}`, object(text), "[body.a]"},
		{"one that may be", `{"a":null}`, object(maybe), "[]"},
		{"one of any kind", `{"a":null}`, object(&huma.Schema{}), "[]"},
		{"inside of one of any kind", `{"a":{"b":null}}`, object(&huma.Schema{}), "[]"},
		{"in lists", `{"a":[["x"],[null,"y",null]]}`,
			object(&huma.Schema{Type: huma.TypeArray,
				Items: &huma.Schema{Type: huma.TypeArray, Items: text}}), "[body.a[1][0] body.a[1][2]]"},
		{"under any name", `{"b":null,"c d":null}`, &huma.Schema{Type: huma.TypeObject, AdditionalProperties: text},
			"[body.b body.…]"},
		{"under any name, admitted", `{"b":null}`, &huma.Schema{Type: huma.TypeObject, AdditionalProperties: maybe},
			"[]"},
		{"one alternative admits it", `{"a":null}`, object(&huma.Schema{AnyOf: []*huma.Schema{text, maybe}}), "[]"},
		{"no alternative admits it", `{"a":null}`, object(&huma.Schema{OneOf: []*huma.Schema{text, text}}), "[body.a]"},
		{"no alternative admits it inside", `{"a":null}`,
			&huma.Schema{OneOf: []*huma.Schema{object(text), object(text)}}, "[body.a]"},
		{"one alternative admits it inside", `{"a":null}`,
			&huma.Schema{OneOf: []*huma.Schema{object(text), object(maybe)}}, "[]"},
		{"one part does not admit it", `{"a":null}`, object(&huma.Schema{AllOf: []*huma.Schema{maybe, text}}),
			"[body.a]"},
		{"one part does not admit it inside", `{"a":null}`,
			&huma.Schema{AllOf: []*huma.Schema{object(maybe), object(text)}}, "[body.a]"},
	} {
		var body any
		if err := json.Unmarshal([]byte(tt.body), &body); err != nil {
			t.Fatal(err)
		}
		found := nulls{registry: huma.NewMapRegistry("#/", func(reflect.Type, string) string { return "" })}
		found.find(tt.schema, body, "body")
		places := []string{}
		for _, fault := range found.faults {
			places = append(places, fault.Location)
		}
		if fmt.Sprint(places) != tt.places {
			t.Errorf("%s: %v, want %s", tt.name, places, tt.places)
		}
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for _, tt := range []struct {
		name, body string
		ok         bool
	}{
		{"an object", `{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}`, true},
		{"as deep as allowed", nested(maxDepth), true},
		{"too deep", nested(maxDepth + 1), false},
		{"a member twice", `{"a":1,"a":2}`, false},
		{"a member twice, one escaped", `{"name":1,"n\u0061me":2}`, false},
		{"a member twice, further in", `[{"x":{"a":1,"a":2}}]`, false},
		{"data after it", `{} {}`, false},
		{"cut off", `{"a":`, false},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", false},
		{"nothing", ``, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := readJSON([]byte(tt.body)); (err == nil) != tt.ok {
				t.Errorf("%s: %v", tt.body, err)
			}
		})
	}
}

func TestACursorWorksForTheListThatMadeIt(t *testing.T) {
	signer := newCursorSigner([]byte("key"))
	cursor := signer.seal("after-25", "listMembers", "acme", "ada", "")
	if position, ok := signer.open(cursor, "listMembers", "acme", "ada", ""); !ok || position != "after-25" {
		t.Errorf("its own list: %q %v", position, ok)
	}
	if position, ok := signer.open("", "listMembers", "acme"); !ok || position != "" {
		t.Errorf("no cursor: %q %v", position, ok)
	}
	if signer.seal("", "listMembers") != "" {
		t.Error("the end of a list has a cursor")
	}
	for name, list := range map[string][]string{
		"another organization": {"listMembers", "globex", "ada", ""}, "another search": {"listMembers", "acme", "ad",
			"a"},
		"another operation": {"listTasks", "acme", "ada", ""}, "fewer filters": {"listMembers", "acme", "ada"},
	} {
		if _, ok := signer.open(cursor, list...); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	for i := range cursor {
		changed := []byte(cursor)
		if changed[i] ^= 1; string(changed) == cursor {
			continue
		}
		if _, ok := signer.open(string(changed), "listMembers", "acme", "ada", ""); ok {
			t.Errorf("character %d changed: accepted", i)
		}
	}
	if _, ok := newCursorSigner(nil).open(cursor, "listMembers", "acme", "ada", ""); ok {
		t.Error("another key: accepted")
	}
}
