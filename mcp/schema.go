package mcp

import "encoding/json"

// A schema has what the clients' models all take: one type, no references, no alternatives, none of
// OpenAPI's own words. The document has no more than this and what portable leaves out.
type schema struct {
	Type        string             `json:"type"`
	Description string             `json:"description,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	Default     any                `json:"default,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	MinLength   *int               `json:"minLength,omitempty"` // read alone
	Pattern     string             `json:"pattern,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Properties  map[string]*schema `json:"properties,omitzero"` // {} too: clients refuse an object without
	Values      *schema            `json:"additionalProperties,omitempty"`

	closed     bool // additionalProperties: false
	mayBeEmpty bool // "" is a value of its own, not the same as leaving it out
}

// MarshalJSON writes a closed object as such.
func (s *schema) MarshalJSON() ([]byte, error) {
	type plain schema
	if !s.closed {
		return json.Marshal((*plain)(s))
	}
	return json.Marshal(struct {
		*plain
		Values bool `json:"additionalProperties"`
	}{plain: (*plain)(s)})
}

type direction int

const (
	asInput direction = iota
	// asOutput leaves an object open, so that a new member does not break who has kept an old list.
	asOutput
)

// portable returns a copy with the words that every client takes, and few enough that a model has room for the list. A
// format is a promise that clients hold the answer to, and some refuse one in what is sent: the descriptions have it.
// Lengths are for the operation to refuse, which says so. For an answer it keeps the members that there are, and for a
// list that it holds objects: the answer shows the rest.
func (s *schema) portable(as direction) *schema {
	out := &schema{Type: s.Type, Properties: s.Properties, Items: s.Items, Values: s.Values}
	if as == asInput {
		out.Description, out.Enum, out.Default, out.Pattern = s.Description, s.Enum, s.Default, s.Pattern
		out.Minimum, out.Maximum, out.Required = s.Minimum, s.Maximum, s.Required
		out.closed = s.Type == "object" && s.Values == nil
	}
	if s.Type == "object" && s.Values == nil {
		out.Properties = map[string]*schema{}
		for name, property := range s.Properties {
			out.Properties[name] = property.portable(as)
		}
	}
	if s.Items != nil {
		out.Items = s.Items.portable(as)
		if as == asOutput && out.Items.Type == "object" {
			out.Items.Properties, out.Items.Values = nil, nil
		}
	}
	if s.Values != nil {
		out.Values = s.Values.portable(as)
	}
	return out
}
