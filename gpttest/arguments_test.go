package gpttest

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestMadeTextsAreOfTheirFormatAndLength: what fits is found, be it short or long.
func TestMadeTextsAreOfTheirFormatAndLength(t *testing.T) {
	for _, tt := range []struct{ schema, want string }{
		{`{"type":"string","format":"email","maxLength":12}`, "@"},
		{`{"type":"string","format":"email","maxLength":8}`, "@b.test"},
		{`{"type":"string","format":"email","maxLength":6}`, "@test"},
		{`{"type":"string","format":"email","minLength":40}`, "@example.com"},
		{`{"type":"string","format":"uri","maxLength":15}`, "http://b.test"},
		{`{"type":"string","format":"uri","minLength":60}`, "https://example.com/"},
		{`{"type":"string","format":"url"}`, "https://example.com/"},
		{`{"type":"string","format":"hostname","maxLength":8}`, "b.test"},
		{`{"type":"string","format":"ipv6","maxLength":5}`, "::1"},
		{`{"type":"string","format":"byte"}`, "ZXhhbXBsZQ=="},
		{`{"type":"string","format":"byte","maxLength":4}`, "ZXhh"},
		{`{"type":"string","format":"byte","minLength":30}`, "ZXhhZXhh"},
		{`{"type":"string","format":"base64url"}`, "ZXhhbXBsZQ"},
	} {
		op := taking(t, of(tt.schema), "")
		arguments, err := (&Maker{}).Arguments(op, nil, nil)
		if err != nil || !strings.Contains(arguments["v"].(string), tt.want) {
			t.Errorf("%s: %v %v", tt.schema, arguments["v"], err)
		}
	}
}

// TestMadeNumbersAreExact beyond what a float64 holds.
func TestMadeNumbersAreExact(t *testing.T) {
	op := taking(t, of(`{"type":"integer","minimum":9007199254740993,"maximum":9007199254740995}`), "")
	arguments, err := (&Maker{}).Arguments(op, nil, nil)
	if sent, _ := json.Marshal(arguments["v"]); err != nil || string(sent) != "9007199254740993" {
		t.Errorf("%s %v", sent, err)
	}
}

// TestNoNameIsMadeThatTheRuntimeRefuses: an undeclared one is never sent.
func TestNoNameIsMadeThatTheRuntimeRefuses(t *testing.T) {
	for _, schema := range []string{
		`{"type":"object","properties":{},"patternProperties":{"^k[0-9]$":{"type":"integer"}},"minProperties":2,` +
			`"additionalProperties":false}`,
		`{"type":"object","properties":{},"minProperties":1,"additionalProperties":{"type":"integer"}}`,
		`{"type":"object","properties":{},"required":["other"]}`,
		`{"type":"array","minItems":1,"items":{"type":"object","properties":{},"minProperties":1}}`,
	} {
		arguments, err := (&Maker{}).Arguments(taking(t, of(schema), ""), nil, nil)
		if err == nil || !strings.Contains(err.Error(), "does not declare") {
			t.Errorf("%s: %v %v", schema, arguments, err)
		}
	}
	op := taking(t, of(`{"type":"object","properties":{"a":{"type":"string"}},"example":{"k1":1}}`), "")
	arguments, err := (&Maker{}).Arguments(op, nil, nil)
	if err != nil || op.CheckArguments(arguments) != nil && !strings.Contains(op.CheckArguments(arguments).Error(),
		"missing") {
		t.Errorf("%v %v", arguments, err)
	}
}
