//go:build !production

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"guestpass/gpttest"
)

// callAll calls every published operation with arguments that make sense. What an
// answer returned (an identifier, say) is used where a later operation asks for it.
func (t *try) callAll(ctx context.Context, gpt *gpttest.GPT, imported *gpttest.Imported) error {
	seen, failed := map[string]any{}, 0
	for _, op := range inOrder(imported.Operations) {
		if op.Consequential && t.remote() {
			t.print.step("call", "skipped", map[string]any{"operation": op.ID}, op.ID+": changes something; name it with --call to call it on this server")
			continue
		}
		arguments := map[string]any{}
		for _, a := range op.Arguments {
			if value, said := storyArguments[op.ID][a.Name]; said {
				arguments[a.Name] = value
			} else if a.Required {
				arguments[a.Name] = example(a, seen)
			}
		}
		result, err := gpt.Call(ctx, op.ID, arguments)
		if err != nil {
			return fmt.Errorf("call %s: %w", op.ID, err)
		}
		t.print.called(op, arguments, result, false)
		if result.Status >= 400 && result.Status != http.StatusForbidden {
			failed++
		}
		remember(seen, result.Body)
	}
	if failed > 0 {
		return fmt.Errorf("%d operations failed", failed)
	}
	return nil
}

// story is the order in which operations on tasks make sense; what it does not name
// comes before, in the document's order.
var story = []string{"createTask", "listTasks", "getTask", "updateTask", "completeTask", "addTaskComment", "listTaskComments",
	"deleteTask", "restoreTask", "listActivity", "undoActivity"}

// storyArguments are arguments that a model would give though they are not required.
var storyArguments = map[string]map[string]any{
	"createTask": {"title": "Water the plants", "due": "2030-01-31", "labels": []any{"home"}},
	"listTasks":  {"search": "plants", "limit": 5},
	"updateTask": {"priority": "high", "notes": "Twice a week"},
}

func inOrder(operations []gpttest.Operation) []gpttest.Operation {
	ordered := slices.Clone(operations)
	slices.SortStableFunc(ordered, func(a, b gpttest.Operation) int { return slices.Index(story, a.ID) - slices.Index(story, b.ID) })
	return ordered
}

// callOne calls the operation of --call, with typed arguments.
func (t *try) callOne(ctx context.Context, gpt *gpttest.GPT, op gpttest.Operation, words map[string]string) error {
	arguments := map[string]any{}
	for name, text := range words {
		arguments[name] = typed(op, name, text)
	}
	result, err := gpt.Call(ctx, op.ID, arguments)
	if err != nil {
		return fmt.Errorf("call %s: %w", op.ID, err)
	}
	t.print.called(op, arguments, result, true)
	if result.Status >= 400 {
		return errQuiet
	}
	return nil
}

// typed makes of the text what the argument's type says; text that does not fit is
// sent as it is, so that the server's answer can be seen.
func typed(op gpttest.Operation, name, text string) any {
	for _, a := range op.Arguments {
		if a.Name != name {
			continue
		}
		switch a.Type {
		case "integer", "number":
			if json.Valid([]byte(text)) {
				return json.Number(text)
			}
		case "boolean":
			if value, err := strconv.ParseBool(text); err == nil {
				return value
			}
		case "array":
			values := []any{}
			for _, part := range strings.Split(text, ",") {
				values = append(values, part)
			}
			return values
		case "object":
			var value any
			if json.Unmarshal([]byte(text), &value) == nil {
				return value
			}
		}
	}
	return text
}

// example invents a value for a required argument, the way a model would.
func example(a gpttest.Argument, seen map[string]any) any {
	if value, ok := seen[a.Name]; ok && strings.HasSuffix(a.Name, "_id") {
		return value
	}
	if a.Default != nil {
		return a.Default
	}
	if a.Example != nil {
		return a.Example
	}
	if value, ok := map[string]string{"uri": "https://example.com/", "date": "2030-01-31", "date-time": "2030-01-31T12:00:00Z",
		"uuid": "00000000-0000-4000-8000-000000000001"}[a.Format]; ok {
		return value
	}
	if len(a.Enum) > 0 {
		return a.Enum[0]
	}
	switch {
	case a.Type == "integer", a.Type == "number":
		return 1
	case a.Type == "boolean":
		return true
	case a.Type == "array":
		return []any{}
	case strings.Contains(a.Name, "email"):
		return "guest-" + strings.ToLower(rand.Text()[:6]) + "@acme.example"
	case strings.Contains(a.Name, "name"):
		return "Mary Guest"
	}
	return "example"
}

// remember keeps scalar members of an answer by name, the first of each.
func remember(seen map[string]any, body []byte) {
	var value any
	if json.Unmarshal(body, &value) == nil {
		rememberValue(seen, value)
	}
}

func rememberValue(seen map[string]any, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if text, ok := member.(string); ok {
				if _, known := seen[name]; !known {
					seen[name] = text
				}
			} else {
				rememberValue(seen, member)
			}
		}
	case []any:
		for _, element := range v {
			rememberValue(seen, element)
		}
	}
}
