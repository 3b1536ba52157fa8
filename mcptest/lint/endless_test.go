package lint

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSchemasWithoutMeasureAreBounded: neither checking a result nor making arguments takes longer than the rest.
func TestSchemasWithoutMeasureAreBounded(t *testing.T) {
	doubled := `"$defs":{`
	for i := range 40 {
		doubled += fmt.Sprintf(`"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	doubled = `{"type":"object","properties":{"notes":{"$ref":"#/$defs/d0"}},` + doubled + `"d40":{"type":"string"}}}`
	many, names := map[string]any{}, []string{}
	for i := range 60_000 {
		name := fmt.Sprintf("p%d", i)
		many[name], names = map[string]any{"type": "string"}, append(names, name)
	}
	required, _ := json.Marshal(map[string]any{"type": "object", "properties": many, "required": names})
	for name, spoil := range map[string]func(*lab){
		"an output that doubles the work": func(l *lab) { l.tool(listNotes)["outputSchema"] = schemaOf(doubled) },
		"an input that doubles the work": func(l *lab) {
			l.tools = append(l.tools, labTool("twice", strings.Replace(doubled, "{", `{"required":["notes"],`, 1),
				`{"type":"object"}`, true))
		},
		"60,000 required arguments": func(l *lab) {
			l.tools = append(l.tools, labTool("many", string(required), `{"type":"object"}`, true))
		},
		"60,000 tools": func(l *lab) {
			for i := range 60_000 {
				l.tools = append(l.tools, map[string]any{"name": fmt.Sprintf("a%d", i),
					"inputSchema": schemaOf(`{"type":"object"}`)})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			spoil(l)
			l.check(l.options()) // without bounds it would go on for days
			if l.calls(listNotes) == 0 && len(l.tools) < 100 {
				t.Error("the other tools were not called")
			}
		})
	}
}

// TestASlowServerIsLookedAtForABoundedTime, and what was not looked at is said.
func TestASlowServerIsLookedAtForABoundedTime(t *testing.T) {
	l := newLab(t)
	l.wrong = func(_ http.ResponseWriter, r *http.Request, _ *incoming) bool {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-r.Context().Done():
		}
		return false
	}
	o, told := l.options(), 0
	o.Total = time.Second
	o.Progress = func(done, all int) {
		if told = done; done >= all {
			t.Errorf("%d of %d", done, all)
		}
	}
	r := l.check(o)
	if text := listed(r); !strings.Contains(text, "skipped, out of time: the check may take 1s in all: [M") ||
		len(r.Findings) > 0 || len(r.Kept) == 0 {
		t.Error(text)
	}
	if told == 0 {
		t.Error("no progress was told")
	}
}
