package mcptest

import (
	"encoding/json"
	"testing"
)

func TestHintsAreReadToTheLetter(t *testing.T) {
	for text, want := range map[string]bool{
		`{"readOnlyHint":true}`:                       true,
		`{"readOnlyHint":false,"READONLYHINT":true}`:  false,
		`{"READONLYHINT":true}`:                       false,
		`{"readOnlyHint":false,"readOnlyHint":true}`:  false,
		`{"readOnlyHint":true,"read\u004fnlyHint":1}`: false,
		`{"readOnlyHint":null}`:                       false,
		`null`:                                        false,
		`{}`:                                          false,
	} {
		var a Annotations
		err := json.Unmarshal([]byte(text), &a)
		if got := a.ReadOnly != nil && *a.ReadOnly; got != want || err != nil {
			t.Errorf("%s is read as %v, %v", text, got, err)
		}
	}
}
