package mcp

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"guestpass/internal/jsonparts"
	"guestpass/internal/pattern"
)

// arguments reads what a model sent. What is left out, null, or empty where nothing may be, is the same to
// it; numbers and truth values may come as text. Nothing is guessed: what would lose something is left for
// the operation to refuse.
func (t *tool) arguments(sent json.RawMessage) (arguments map[string]json.RawMessage, wrong string) {
	if len(sent) == 0 || string(sent) == "null" {
		return map[string]json.RawMessage{}, ""
	}
	if arguments = jsonparts.Object(sent); arguments == nil {
		return nil, "arguments must be an object of names and values, not a text or a list"
	}
	for name, value := range arguments {
		property := t.InputSchema.Properties[name]
		if property == nil {
			continue // refused by its name
		}
		if string(value) == `""` && !property.mayBeEmpty {
			delete(arguments, name)
			continue
		}
		arguments[name] = property.read(value)
	}
	return arguments, ""
}

var (
	wholeAsFraction = pattern.New(`^(-?(0|[1-9][0-9]*))\.0+$`)
	number          = pattern.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

// read takes a value of another spelling for what the schema wants, where both say the same.
func (s *schema) read(value json.RawMessage) json.RawMessage {
	text := string(value)
	var inner string
	if text[0] == '"' && json.Unmarshal(value, &inner) == nil {
		text = inner
	}
	switch s.Type {
	case "integer":
		if whole := wholeAsFraction.FindStringSubmatch(text); whole != nil {
			text = whole[1]
		}
		if integer.MatchString(text) {
			return json.RawMessage(text)
		}
	case "number":
		if number.MatchString(text) {
			return json.RawMessage(text)
		}
	case "boolean":
		if text == "true" || text == "false" {
			return json.RawMessage(text)
		}
	}
	return value
}

// emptyAllowed reports whether "" is a value of the schema, so that it says something: that a text is to be
// emptied. A parameter of a path or query is never empty.
func (s *schema) emptyAllowed() bool {
	if s.Type != "string" || s.MinLength != nil && *s.MinLength > 0 || len(s.Enum) > 0 {
		return false
	}
	pattern, err := regexp.Compile(s.Pattern)
	return err == nil && pattern.MatchString("")
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return trimmed(b.Bytes()), nil
}

func trimmed(text []byte) json.RawMessage {
	return json.RawMessage(strings.TrimSuffix(string(text), "\n"))
}
