package lint

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	editor "guestpass/gpttest/yaml"
	"guestpass/internal/pattern"
)

// makers of values that a fix puts in.

func newObject() *value          { return &value{kind: object, members: map[string]*value{}} }
func newArray() *value           { return &value{kind: array} }
func newText(s string) *value    { return &value{kind: text, scalar: s} }
func newBoolean(b bool) *value   { return &value{kind: boolean, scalar: strconv.FormatBool(b)} }
func (v *value) isEmpty() bool   { return v == nil || len(v.names) == 0 && len(v.elements) == 0 }
func (v *value) append(e *value) { v.elements = append(v.elements, e) }

// write returns the document in JSON, indented by two spaces, or in YAML. Comments are lost.
func (v *value) write(asJSON bool) ([]byte, error) {
	if !asJSON {
		var b bytes.Buffer
		encoder := yaml.NewEncoder(&b)
		encoder.SetIndent(2)
		err := encoder.Encode(v.yaml())
		return b.Bytes(), err
	}
	var compact, indented bytes.Buffer
	if err := v.json(&compact); err != nil {
		return nil, err
	}
	if err := json.Indent(&indented, compact.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

func (v *value) json(b *bytes.Buffer) error {
	switch v.kind {
	case object:
		b.WriteByte('{')
		for i, name := range v.names {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeText(b, name); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := v.members[name].json(b); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case array:
		b.WriteByte('[')
		for i, element := range v.elements {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := element.json(b); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case null:
		b.WriteString("null")
	case number:
		b.WriteString(v.scalar)
	case boolean:
		b.WriteString(strconv.FormatBool(v.isTrue()))
	default:
		return writeText(b, v.scalar)
	}
	return nil
}

func writeText(b *bytes.Buffer, s string) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line break
	return nil
}

func (v *value) yaml() *yaml.Node {
	switch v.kind {
	case object:
		node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, name := range v.names {
			node.Content = append(node.Content, newText(name).yaml(), v.members[name].yaml())
		}
		return node
	case array:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, element := range v.elements {
			node.Content = append(node.Content, element.yaml())
		}
		return node
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: v.scalar}
	switch v.kind {
	case text:
		node.Tag, node.Style = "!!str", textStyle(v.scalar)
	case null:
		node.Tag, node.Value = "!!null", "null"
	case boolean:
		node.Tag, node.Value = "!!bool", strconv.FormatBool(v.isTrue())
	}
	return node
}

var (
	// plainText needs no quotes in YAML of any version, unless it is a word or a number there.
	plainText = pattern.New(`^[\pL\pN/_][\pL\pN\pS \-_./(){}?!'"=+*%&@;,]*$`)
	// oldWord is a boolean to readers of YAML 1.1.
	oldWord = pattern.New(`^(?i:y|n|yes|no|on|off)$`)
	// lines are text that | can hold as it is.
	lines = pattern.New(`^[\pL\pN\pP\pS]+([\pL\pN\pP\pS\n ]*[\pL\pN\pP\pS])?\n?$`)
)

// textStyle returns the simplest way to write a text that every parser reads as the same text.
// The encoder puts numbers of YAML 1.1 in quotes by itself.
func textStyle(s string) yaml.Style {
	switch {
	case plainText.MatchString(s) && !strings.HasSuffix(s, " ") && !oldWord.MatchString(s) && isText(s):
		return 0
	case strings.Contains(s, "\n") && lines.MatchString(s) && !strings.Contains(s, " \n"):
		return yaml.LiteralStyle
	}
	return yaml.DoubleQuotedStyle
}

// isText reports whether the editor reads a plain scalar as a text.
func isText(s string) bool {
	root, err := editor.Parse(s)
	return err == nil && root.Kind == editor.String && root.Text == s
}
