package mcptest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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

// UnmarshalJSON reads hints by their names to the letter. Where a name is there twice, or in two letter cases, none is
// believed.
func (a *Annotations) UnmarshalJSON(text []byte) error {
	*a = Annotations{}
	if string(text) == "null" {
		return nil
	}
	members, plain := Members(text)
	if !plain {
		return nil
	}
	for name, hint := range map[string]**bool{"readOnlyHint": &a.ReadOnly, "destructiveHint": &a.Destructive,
		"idempotentHint": &a.Idempotent, "openWorldHint": &a.OpenWorld} {
		if written, there := members[name]; there {
			if err := json.Unmarshal(written, hint); err != nil {
				return err
			}
		}
	}
	return nil
}

// Members returns those of an object, by their names to the letter. plain is false if it is none, or if two of its
// names differ by their case alone or not at all: readers do not agree on which of them counts.
func Members(object json.RawMessage) (members map[string]json.RawMessage, plain bool) {
	members, seen := map[string]json.RawMessage{}, map[string]bool{}
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return members, false
	}
	plain = true
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err != nil || decoder.Decode(&value) != nil {
			return members, false
		}
		text, _ := name.(string) // of a member it is one
		folded := strings.ToLower(strings.ToUpper(text))
		plain = plain && !seen[folded]
		members[text], seen[folded] = value, true
	}
	return members, plain
}

// List is what tools/list answered.
type List struct {
	Tools []Tool
	// Characters are those of the tools, as the server wrote them, on as many Pages.
	Characters, Pages int
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
		var written []json.RawMessage
		if err := cmp.Or(json.Unmarshal(answer.result, &said), json.Unmarshal(said.Tools, &tools),
			json.Unmarshal(said.Tools, &written)); err != nil {
			return nil, fmt.Errorf("tools/list: the result cannot be read: %w", err)
		}
		for i := range tools {
			if _, plain := Members(written[i]); !plain {
				tools[i].Annotations = Annotations{} // which annotations are meant, readers do not agree
			}
		}
		list.Tools, list.Characters = append(list.Tools, tools...), list.Characters+utf8.RuneCount(said.Tools)
		if said.Next == "" {
			list.Pages = page + 1
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
