package mcptest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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
		if err := cmp.Or(json.Unmarshal(answer.result, &said), json.Unmarshal(said.Tools, &tools)); err != nil {
			return nil, fmt.Errorf("tools/list: the result cannot be read: %w", err)
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
