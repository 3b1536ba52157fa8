package jsonparts_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"guestpass/internal/jsonparts"
)

// rebuilt returns what encoding/json makes of a value, by way of its parts.
func rebuilt(value json.RawMessage) any {
	var decoded any
	switch trimmed := jsonparts.Object(value); {
	case trimmed != nil:
		object := map[string]any{}
		for name, inner := range jsonparts.Members(value) {
			object[name] = rebuilt(inner)
		}
		return object
	case json.Unmarshal(value, &decoded) == nil && reflect.TypeOf(decoded) == reflect.TypeFor[[]any]():
		array := []any{}
		for inner := range jsonparts.Elements(value) {
			array = append(array, rebuilt(inner))
		}
		return array
	}
	return decoded
}

var seeds = []string{`{}`, `[]`, ` { "a" : 1 , "b\"\\\u0041" : [ true , null , "x]}" , { } ] } `, `"\"{"`, `-1.5e3`,
	"[1,[2,[3]],\"\\\\\"]",
	`{"":{"":[]}}`, "{\"a\":\n[1\t,\r2]}", `{"a":"}","b":"]"}`}

func FuzzParts(f *testing.F) {
	for _, seed := range append(slices.Clone(seeds), `{"a"`, `{"a":`, `[1,`, `{,}`, `]`, `}`, `{"a":}`, `"\`, `[`,
		`{"a" "b"}`) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := rebuilt(data) // ends, whatever it is
		var want any
		if !utf8.Valid(data) || !json.Valid(data) || json.Unmarshal(data, &want) != nil {
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", data, got, want)
		}
	})
}

func TestTextOfStringsAlone(t *testing.T) {
	for value, want := range map[string]string{`"a"`: "a", `""`: "", `"\u00e9\n"`: "é\n", `7`: "", `null`: "",
		`{}`: "",
		`"`:  "", ``: ""} {
		if got := jsonparts.Text([]byte(value)); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if jsonparts.Object([]byte(`[1]`)) != nil || jsonparts.Object([]byte(` {} `)) == nil {
		t.Error("an array is an object, or an object is none")
	}
}
