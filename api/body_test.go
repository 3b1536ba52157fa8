package api

import (
	"strings"
	"testing"
)

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
			var v any
			if err := unmarshalStrict([]byte(tt.body), &v); (err == nil) != tt.ok {
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
		"another organization": {"listMembers", "globex", "ada", ""}, "another search": {"listMembers", "acme", "ad", "a"},
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
