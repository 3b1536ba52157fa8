package mcptest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Tool is one of tools/list.
type Tool struct {
	Name         string          `json:"name"`
	Title        string          `json:"title"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"inputSchema"`
	OutputSchema json.RawMessage `json:"outputSchema"`
	Annotations  Annotations     `json:"annotations"`
}

// Annotations are hints; nil where the server says nothing.
type Annotations struct {
	ReadOnly    *bool `json:"readOnlyHint"`
	Destructive *bool `json:"destructiveHint"`
	Idempotent  *bool `json:"idempotentHint"`
	OpenWorld   *bool `json:"openWorldHint"`
}

// List is what tools/list answered.
type List struct {
	Tools []Tool
	// Problems are defects for which one client or another drops a tool, or the whole list. One line each.
	Problems []string
	// Notes are advice: every client takes what they speak of. One line each.
	Notes []string
	// Characters are those of the tools, as the server wrote them.
	Characters int
}

// Tools reads the whole list.
func (c *Client) Tools(ctx context.Context) (*List, error) {
	list, cursor := &List{}, ""
	for page := range maxPages {
		params := map[string]any{}
		if page > 0 {
			params["cursor"] = cursor
		}
		answer, err := c.request(ctx, "tools/list", params, "")
		if err != nil {
			return nil, err
		}
		if answer.result == nil {
			return nil, answer.failure("tools/list")
		}
		var said struct {
			Tools json.RawMessage `json:"tools"`
			Next  string          `json:"nextCursor"`
		}
		var tools []Tool
		if err := cmp.Or(json.Unmarshal(answer.result, &said), json.Unmarshal(said.Tools, &tools)); err != nil {
			return nil, fmt.Errorf("tools/list: the result cannot be read: %w", err)
		}
		list.Tools, list.Characters = append(list.Tools, tools...), list.Characters+utf8.RuneCount(said.Tools)
		if said.Next == "" {
			list.check(page + 1)
			return list, nil
		}
		if said.Next == cursor {
			return nil, fmt.Errorf("tools/list: nextCursor %q leads to itself", cursor)
		}
		cursor = said.Next
	}
	return nil, fmt.Errorf("tools/list: there are more than %d pages", maxPages)
}

// What clients take; of characters, what leaves a model room.
const (
	maxNameLength  = 40 // some put a prefix before the name, and 64 is the most
	maxDescription = 1024
	maxCharacters  = 20_000
)

var toolName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`)

func (l *List) advise(format string, args ...any) {
	l.Notes = append(l.Notes, fmt.Sprintf(format, args...))
}

func (l *List) say(format string, args ...any) {
	l.Problems = append(l.Problems, fmt.Sprintf(format, args...))
}

func (l *List) check(pages int) {
	if pages > 1 {
		l.say("the list has %d pages: several clients read the first alone", pages)
	}
	if l.Characters > maxCharacters {
		l.advise("the list has %d characters, and more than %d take much of a model's room: publish fewer tools (of a "+
			"Guestpass, GUESTPASS_MCP_OPERATIONS or GUESTPASS_MODULES choose them)", l.Characters, maxCharacters)
	}
	seen := map[string]string{}
	for _, t := range l.Tools {
		folded := strings.ReplaceAll(strings.ToLower(t.Name), "-", "_")
		if other, taken := seen[folded]; taken {
			l.say("%s and %s: some clients take the names for the same", other, t.Name)
		}
		seen[folded] = t.Name
		l.checkTool(t)
	}
}

func (l *List) checkTool(t Tool) {
	switch {
	case !toolName.MatchString(t.Name):
		l.say("%q: some clients take a letter, then letters, digits, _ and - for a name", t.Name)
	case len(t.Name) > maxNameLength:
		l.say("%s: the name has more than %d characters, and some clients put a prefix before it", t.Name,
			maxNameLength)
	}
	switch n := utf8.RuneCountInString(t.Description); {
	case n == 0:
		l.advise("%s: there is no description, and a model goes by it", t.Name)
	case n > maxDescription:
		l.say("%s: the description has %d characters, and some clients take no more than %d", t.Name, n, maxDescription)
	}
	if t.Annotations.ReadOnly == nil || t.Annotations.Destructive == nil || t.Annotations.OpenWorld == nil {
		l.advise("%s: ChatGPT wants readOnlyHint, destructiveHint and openWorldHint, and takes what is missing for "+
			"the worst", t.Name)
	}
	l.checkSchema(t.Name+".inputSchema", t.InputSchema)
	if len(t.OutputSchema) > 0 {
		l.checkSchema(t.Name+".outputSchema", t.OutputSchema)
	}
}

func (l *List) checkSchema(where string, schema json.RawMessage) {
	var root map[string]any
	if json.Unmarshal(schema, &root) != nil || root["type"] != "object" {
		l.say("%s: the type is not object: clients throw the whole list away", where)
		return
	}
	if _, ok := root["properties"].(map[string]any); !ok {
		l.say("%s: properties is no object: some clients refuse the tool", where)
	}
	found := map[string]bool{}
	unportable(root, found)
	for _, word := range slices.Sorted(maps.Keys(found)) {
		l.say("%s: %s", where, word)
	}
}

// unportableWords are those of JSON Schema that a client is known to refuse, and those of OpenAPI.
var unportableWords = map[string]string{
	"oneOf": "Claude Code drops the tool, Cursor refuses it", "anyOf": "Claude Code drops the tool, Cursor refuses it",
	"allOf": "Claude Code drops the tool", "not": "some clients refuse the tool", "if": "some clients refuse the tool",
	"$ref": "Gemini CLI and others refuse the tool", "$defs": "Gemini CLI and others refuse the tool",
	"$schema": "some clients refuse the tool", "$id": "some clients refuse the tool",
	"nullable":      "it is OpenAPI's, and some clients refuse the tool",
	"example":       "it is OpenAPI's, and Claude refuses the tool",
	"discriminator": "it is OpenAPI's, and Claude refuses the tool",
	"xml":           "it is OpenAPI's, and Claude refuses the tool",
}

// unportable looks into schema and those inside it.
func unportable(schema map[string]any, found map[string]bool) {
	for word, why := range unportableWords {
		if _, there := schema[word]; there {
			found[word+": "+why] = true
		}
	}
	if _, several := schema["type"].([]any); several {
		found["type is an array: Cursor refuses the tool"] = true
	}
	properties, _ := schema["properties"].(map[string]any)
	if required, there := schema["required"]; there {
		names, ok := required.([]any)
		if !ok {
			found["required is no array: some clients refuse the tool"] = true
		}
		for _, name := range names {
			if text, _ := name.(string); properties[text] == nil {
				found[fmt.Sprintf("%v is required and not among the properties", name)] = true
			}
		}
	}
	for _, property := range properties {
		if inner, ok := property.(map[string]any); ok {
			unportable(inner, found)
		}
	}
	for _, word := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[word].(map[string]any); ok {
			unportable(inner, found)
		}
	}
}
