package gpttest

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestAToolIsAnOperation(t *testing.T) {
	input := json.RawMessage(`{"type":"object","required":["note_id"],"properties":{"note_id":{"type":"string"},
		"text":{"type":"string"},"colour":{"$ref":"#/$defs/colour"},"size":{"type":"string","enum":["big","small"]}},
		"$defs":{"colour":{"type":"string","enum":["red"]}}}`)
	output := json.RawMessage(`{"type":"object","properties":{"colour":{"$ref":"#/$defs/colour"}},
		"$defs":{"colour":{"type":"string","enum":["red"]}}}`)
	op, err := ToolOperation("paintNote", http.MethodPost, input, output, http.StatusCreated)
	if err != nil {
		t.Fatal(err)
	}
	if !op.Consequential || !op.Declares(http.StatusCreated) || op.Reply(http.StatusCreated).Validate(
		map[string]any{"colour": "red"}) != nil ||
		op.Reply(http.StatusCreated).Validate(map[string]any{"colour": "blue"}) == nil {
		t.Errorf("%+v", op)
	}
	// The schema tells a size, and a text would be made up.
	arguments, err := new(Maker).Arguments(op, map[string]any{"note_id": "n-1"}, nil)
	if err != nil || len(arguments) != 2 || arguments["size"] != "big" {
		t.Errorf("%v, %v", arguments, err)
	}
	looking, err := ToolOperation("findNotes", http.MethodGet,
		json.RawMessage(`{"type":"object","properties":{"query":{"type":"string"}}}`),
		nil, http.StatusOK)
	if err != nil || looking.Consequential || looking.Reply(http.StatusOK) != nil {
		t.Errorf("%+v, %v", looking, err)
	}
	if arguments, err := new(Maker).Arguments(looking, nil, nil); err != nil || len(arguments) != 0 {
		t.Errorf("a search that needs nothing is called with %v, %v", arguments, err)
	}
	for _, schema := range []string{``, `[]`, `{`} {
		if _, err := ToolOperation("x", http.MethodGet, json.RawMessage(schema), nil, http.StatusOK); err == nil {
			t.Errorf("%q is taken for a schema", schema)
		}
	}
}
