package gpttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// doubling returns a schema of n levels, each of which holds a value twice against the next.
func doubling(n int) json.RawMessage {
	var levels []string
	for i := range n {
		levels = append(levels, fmt.Sprintf(`"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i+1,
			i+1))
	}
	return json.RawMessage(fmt.Sprintf(`{"type":"object","properties":{"x":{"$ref":"#/$defs/d0"}},"required":["x"],`+
		`"$defs":{%s,"d%d":{"type":"string","minLength":3,"maxLength":2}}}`, strings.Join(levels, ","), n))
}

func TestSchemasThatDoubleTheWorkAreGivenUp(t *testing.T) {
	for _, draft := range []string{"", `"$schema":"http://json-schema.org/draft-07/schema#",`} {
		text := json.RawMessage(strings.Replace(string(doubling(40)), "{", "{"+draft, 1))
		schema, err := ReadSchema(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(map[string]any{"x": "ab"}); !errors.Is(err, ErrSteps) {
			t.Error(err)
		}
		op, err := ToolOperation("notes", http.MethodGet, text, nil, http.StatusOK)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := new(Maker).Arguments(op, nil, nil); err == nil {
			t.Error("arguments were made")
		}
	}
	schema, err := ReadSchema(json.RawMessage(`{"type":"array","items":{"type":"string","pattern":"^(a+)+$"}}`))
	if err != nil {
		t.Fatal(err)
	}
	slow := strings.Repeat("a", 40) + "!"
	if err := schema.Validate([]any{slow, slow, slow, slow, slow}); !errors.Is(err, ErrSteps) {
		t.Error(err)
	}
	if err := schema.Validate([]any{"aa"}); err != nil {
		t.Error("after it was given up:", err)
	}
}
