package lint

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestADoubtfulPermissionIsNone: a tool is called only if every reader of the list takes it for one that reads.
func TestADoubtfulPermissionIsNone(t *testing.T) {
	hints := func(text string) func(*lab) {
		return func(l *lab) { l.tool(addNote)["annotations"] = json.RawMessage(text) }
	}
	for name, spoil := range map[string]func(*lab){
		"by another letter case":     hints(`{"readOnlyHint":false,"READONLYHINT":true}`),
		"in another letter case":     hints(`{"readonlyhint":true}`),
		"twice":                      hints(`{"readOnlyHint":false,"readOnlyHint":true}`),
		"twice, and then taken back": hints(`{"readOnlyHint":true,"readOnlyHint":false}`),
		"by letters of another kind": hints(`{"readOnlyHint":false,"readOnly\u0048int":true}`),
		"and of destroying":          hints(`{"readOnlyHint":true,"destructiveHint":true}`),
		"as a text":                  hints(`{"readOnlyHint":"true"}`),
		"in annotations twice": func(l *lab) {
			written, _ := json.Marshal(l.tool(addNote))
			text := strings.Replace(string(written), "{", `{"Annotations":{"readOnlyHint":true},`, 1)
			for i, tool := range l.tools {
				if tool.(map[string]any)["name"] == addNote {
					l.tools[i] = json.RawMessage(text)
				}
			}
		},
		"of a tool of the same name": func(l *lab) {
			l.tools = append(l.tools, labTool(addNote, `{"type":"object","properties":{}}`, `{"type":"object"}`, true))
		},
		"that is taken back": func(l *lab) {
			lists := 0
			l.spoil = func(m *incoming, result map[string]any) {
				if m.Method == "tools/list" && m.ID != nil {
					lists++
					result["tools"] = append([]any{labTool(addNote, `{"type":"object","properties":{}}`,
						`{"type":"object"}`, lists%2 == 1)}, l.tools[1:]...)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			spoil(l)
			r := l.check(l.options())
			if l.calls(addNote) > 0 || l.calls(getNote) == 0 {
				t.Errorf("addNote was called %d times, getNote %d times\n%s", l.calls(addNote), l.calls(getNote),
					listed(r))
			}
		})
	}
}

// TestToolsThatReadAreCalledFirst, ten of them, and ten others with the permission to write.
func TestToolsThatReadAreCalledFirst(t *testing.T) {
	l := newLab(t)
	for i := range 12 {
		l.tools = append([]any{labTool(fmt.Sprintf("add%d", i), `{"type":"object","properties":{},`+
			`"additionalProperties":false}`, `{"type":"object","properties":{}}`, false)}, l.tools...)
	}
	o := l.options()
	o.Writes = true
	r := l.check(o)
	if len(r.Called) != 2+mostCalled || r.Called[0] != getNote || r.Called[1] != listNotes {
		t.Errorf("called: %v", r.Called)
	}
	if strings.Contains(listed(r), "M101") {
		t.Error(listed(r))
	}
}
