package lint

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/pb33f/go-yaml"
)

// makers of values that a fix puts in.

func newObject() *value          { return &value{kind: object, members: map[string]*value{}} }
func newArray() *value           { return &value{kind: array} }
func newText(s string) *value    { return &value{kind: text, scalar: s} }
func newBoolean(b bool) *value   { return &value{kind: boolean, scalar: strconv.FormatBool(b)} }
func (v *value) copy() *value    { return v.copyTo(v.pointer) }
func (v *value) isEmpty() bool   { return v == nil || len(v.names) == 0 && len(v.elements) == 0 }
func (v *value) append(e *value) { v.elements = append(v.elements, e) }

// copyTo copies v and all inside it, to another place.
func (v *value) copyTo(pointer string) *value {
	out := *v
	out.pointer = pointer
	out.names = append([]string{}, v.names...)
	if v.members != nil {
		out.members = make(map[string]*value, len(v.members))
		for name, inner := range v.members {
			out.members[name] = inner.copyTo(pointer + "/" + escape(name))
		}
	}
	out.elements = nil
	for i, inner := range v.elements {
		out.elements = append(out.elements, inner.copyTo(pointer+"/"+strconv.Itoa(i)))
	}
	return &out
}

// write is the document in JSON, indented by two spaces, or in YAML. Comments are lost.
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
		b.WriteString(v.numberJSON())
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

// numberJSON writes what only YAML has, such as 0x10 and .inf, in a way that JSON has.
func (v *value) numberJSON() string {
	if json.Valid([]byte(v.scalar)) {
		return v.scalar
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(v.scalar), &parsed); err == nil {
		if encoded, err := json.Marshal(parsed); err == nil {
			return string(encoded)
		}
	}
	return "0"
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
	node := &yaml.Node{}
	switch v.kind {
	case text:
		node.SetString(v.scalar)
	case null:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, "!!null", "null"
	case boolean:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, "!!bool", strconv.FormatBool(v.isTrue())
	case number:
		node.Kind, node.Value = yaml.ScalarNode, v.scalar
	}
	return node
}
