package openapi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// edited returns the document after changes to its tree, as an editor writes it again.
func edited(t *testing.T, text []byte, change func(map[string]any)) []byte {
	t.Helper()
	d := parse(t, text)
	if change != nil {
		change(d)
	}
	again, err := json.Marshal(d) // members in another order, no indentation
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestACopyIsHeldAgainstTheDocument(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	paths := func(d map[string]any) map[string]any { return d["paths"].(map[string]any) }
	tasks := func(d map[string]any) map[string]any { return paths(d)["/api/v1/tasks"].(map[string]any) }
	for name, tt := range map[string]struct {
		copy []byte
		want []string
	}{
		"the same":       {d.JSON(), nil},
		"as YAML":        {d.YAML(), nil},
		"written again":  {edited(t, d.JSON(), nil), nil},
		"without a hash": {edited(t, d.JSON(), func(d map[string]any) { delete(d, "x-schema-hash") }), nil},
		"lacks one": {edited(t, d.JSON(), func(d map[string]any) { delete(tasks(d), "post") }),
			[]string{"added: createTask"}},
		"has one more": {edited(t, d.JSON(),
			func(d map[string]any) { paths(d)["/x"] = map[string]any{"get": map[string]any{"operationId": "old"}} }),
			[]string{"removed: old"}},
		"one is other": {edited(t, d.JSON(),
			func(d map[string]any) { tasks(d)["get"].(map[string]any)["description"] = "x" }),
			[]string{"changed: listTasks (description)"}},
		"one has moved": {edited(t, d.JSON(), func(d map[string]any) {
			paths(d)["/t"] = tasks(d)
			delete(paths(d),
				"/api/v1/tasks")
		}), []string{"changed: createTask (path)", "changed: listTasks (path)"}},
		"another title": {edited(t, d.JSON(), func(d map[string]any) { d["info"].(map[string]any)["title"] = "x" }),
			[]string{"changed: the title"}},
		"another server": {edited(t, d.JSON(), func(d map[string]any) { d["servers"] = "https://b.example.com" }),
			[]string{"changed: the server"}},
		"no components": {edited(t, d.JSON(), func(d map[string]any) { d["components"] = nil }),
			[]string{"changed: OAuth URLs or scopes (also set under Authentication in the editor)"}},
		"another hash": {edited(t, d.JSON(), func(d map[string]any) { d["x-schema-hash"] = 1 }),
			[]string{"changed: x-schema-hash, so something that is not named here"}},
		"another version": {edited(t, d.JSON(),
			func(d map[string]any) { d["info"].(map[string]any)["version"] = "0.9"; d["x-schema-hash"] = "x" }), nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := d.Compare(tt.copy)
			if err != nil || !slices.Equal(c.Differences, tt.want) {
				t.Errorf("%v, %q, want %q", err, c.Differences, tt.want)
			}
			if (c.Version == "0.9") != (name == "another version") {
				t.Errorf("version %q", c.Version)
			}
		})
	}
}

func TestWhatIsNoDocumentCannotBeCompared(t *testing.T) {
	d := mustPublish(t, realistic(), example())
	for _, text := range []string{"", "null", "[]", "{}", `{"paths":[]}`, `{"paths":{"/x":null,"/y":{"get":1}}}`,
		"<!doctype html>", "a: b: c", "1: 2", "{",
		"a: &a [*a]", strings.Repeat("[", 20_000)} {
		if c, err := d.Compare([]byte(text)); err == nil {
			t.Errorf("%.30q: %v", text, c)
		}
	}
}
