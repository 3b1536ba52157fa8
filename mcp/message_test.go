package mcp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// FuzzMessage: whatever comes is refused, or is one message that encoding/json reads alike. Nothing of it makes
// the server fail, and an id is answered as it was written.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, `[{"jsonrpc":"2.0"}]`,
		`{"jsonrpc":"2.0","method":"x","params":null}`,
		`{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"a","arguments":{"b":[1,null,"c"]},` +
			`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
		`{"jsonrpc":"2.0","id":9007199254740993,"result":{}}`, `{"id":1,"id":2}`, "{\"a\":\"\xff\"}",
		`{"jsonrpc":"2.0","id":-0,"method":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, refused := read(body)
		if refused != nil {
			if refused.status != http.StatusBadRequest || refused.Message == "" {
				t.Errorf("%q: %+v", body, refused)
			}
			return
		}
		var plain struct {
			ID     json.RawMessage
			Method string
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		if err := decoder.Decode(&plain); err != nil {
			t.Fatalf("%q is taken: %v", body, err)
		}
		if !m.quiet && (!bytes.Contains(body, m.id) || m.method == "") {
			t.Errorf("%q: id %s, method %q", body, m.id, m.method)
		}
		_ = m.era(http.Header{})
		one := tool{InputSchema: &schema{Type: "object", Properties: map[string]*schema{"b": {Type: "integer"},
			"c": {Type: "boolean"}}}}
		if arguments, wrong := one.arguments(m.params["arguments"]); wrong == "" {
			for name, value := range arguments {
				if !json.Valid(value) {
					t.Errorf("%q: %s became %s", body, name, value)
				}
			}
		}
	})
}

func TestSpellingsOfAValueThatSayTheSame(t *testing.T) {
	for _, tt := range []struct{ kind, sent, read string }{
		{"integer", `"5"`, `5`}, {"integer", `5.0`, `5`}, {"integer", `"5.00"`, `5`}, {"integer", `5.5`, `5.5`},
		{"integer", `"05"`, `"05"`}, {"integer", `"five"`, `"five"`}, {"integer", `9007199254740993`,
			`9007199254740993`},
		{"number", `"2.5"`, `2.5`}, {"number", `"-0.1"`, `-0.1`}, {"number", `"1e3"`, `"1e3"`},
		{"boolean", `"true"`, `true`}, {"boolean", `"True"`, `"True"`}, {"boolean", `1`, `1`},
		{"string", `"5"`, `"5"`}, {"string", `5`, `5`}, {"array", `["1"]`, `["1"]`},
	} {
		if got := (&schema{Type: tt.kind}).read(json.RawMessage(tt.sent)); string(got) != tt.read {
			t.Errorf("%s of %s: %s, want %s", tt.kind, tt.sent, got, tt.read)
		}
	}
}

func TestWhatIsTooLongIsCut(t *testing.T) {
	text := instructionsOf(strings.Repeat("né", 600), []*tool{{Name: "a", Title: "Do it"}})
	if opening, _, _ := strings.Cut(text, "\n"); len(opening) > maxOpening || len(text) > maxInstructions {
		t.Errorf("%d, %d: %s", len(opening), len(text), text)
	}
}
