package gpttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"guestpass/gpttest/yaml"
)

// A document is a tree of *object, []any, string, json.Number, bool and nil.

// object is a map that remembers the order of its keys: the editor lists operations
// in the document's order, and prints some parts of it back.
type object struct {
	keys   []string
	values map[string]any
}

func newObject() *object { return &object{values: map[string]any{}} }

// set follows JavaScript: a repeated key keeps its first place and its last value.
func (o *object) set(key string, value any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

// get and the like work on nil, so that a path into a document needs no checks.
func (o *object) get(key string) any {
	if o == nil {
		return nil
	}
	return o.values[key]
}

func (o *object) has(key string) bool {
	if o == nil {
		return false
	}
	_, ok := o.values[key]
	return ok
}

func (o *object) object(key string) *object {
	child, _ := o.get(key).(*object)
	return child
}

func (o *object) string(key string) string {
	s, _ := o.get(key).(string)
	return s
}

func (o *object) names() []string {
	if o == nil {
		return nil
	}
	return o.keys
}

const (
	maxDepth = 500
	maxNodes = 1_000_000 // YAML aliases can name a huge tree in few bytes
)

// parsed is a document and what reading it brought to light.
type parsed struct {
	root any
	// text is what the size rule counts: JSON indented by two, YAML as it is.
	text string
	// imprecise lists the integers that JavaScript cannot hold.
	imprecise []string
}

// parse reads text as the editor does: as JSON, else as YAML (class B). Numbers pass
// through JavaScript (class I).
func parse(text string) (parsed, error) {
	root, err := parseJSON(text)
	if err == nil {
		doc := parsed{root: root}
		var indented strings.Builder
		doc.indent(&indented, root, "\n")
		doc.text = indented.String()
		return doc, nil
	}
	root, yamlErr := parseYAML(text)
	if yamlErr != nil {
		return parsed{}, fmt.Errorf("as JSON: %w; as YAML: %w", err, yamlErr)
	}
	doc := parsed{root: root}
	doc.indent(io.Discard, root, "\n") // for the numbers
	doc.text = text
	return doc, nil
}

func parseJSON(text string) (any, error) {
	if err := json.Unmarshal([]byte(text), new(json.RawMessage)); err != nil {
		return nil, err // a decoder that reads piece by piece lets some errors pass
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	root, err := jsonValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the document")
	}
	return root, nil
}

func jsonValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	switch token {
	case json.Delim('{'):
		o := newObject()
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := jsonValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			o.set(key.(string), value)
		}
		_, err := decoder.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := jsonValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := decoder.Token()
		return list, err
	}
	return token, nil
}

func parseYAML(text string) (any, error) {
	root, err := yaml.Parse(text)
	if err != nil {
		return nil, err
	}
	nodes := 0
	return yamlValue(root, 0, &nodes)
}

func yamlValue(n *yaml.Node, depth int, nodes *int) (any, error) {
	if *nodes++; *nodes > maxNodes || depth > maxDepth {
		return nil, errors.New("too large once aliases are followed")
	}
	switch n.Kind {
	case yaml.Alias:
		return yamlValue(n.Target, depth+1, nodes)
	case yaml.Mapping:
		o := newObject()
		for i := 0; i < len(n.Content); i += 2 {
			value, err := yamlValue(n.Content[i+1], depth+1, nodes)
			if err != nil {
				return nil, err
			}
			o.set(n.Content[i].Key(), value)
		}
		return o, nil
	case yaml.Sequence:
		list := []any{}
		for _, child := range n.Content {
			value, err := yamlValue(child, depth+1, nodes)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.Boolean:
		return strings.EqualFold(n.Text, "true"), nil
	case yaml.Number:
		return yamlNumber(n), nil
	case yaml.String:
		return n.Text, nil
	}
	return nil, nil
}

// yamlNumber keeps the digits of a whole number, of which JavaScript may lose some, and is
// nil for what JSON cannot write.
func yamlNumber(n *yaml.Node) any {
	if _, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
		return json.Number(n.Text)
	}
	if text := n.JSON(); text != "null" {
		return json.Number(text)
	}
	return nil
}

// indent writes v as JavaScript's JSON.stringify(v, null, 2) does. newline is a line
// break and the current indentation.
func (p *parsed) indent(w io.Writer, v any, newline string) {
	inner := newline + "  "
	switch v := v.(type) {
	case *object:
		if len(v.keys) == 0 {
			fmt.Fprint(w, "{}")
			return
		}
		for i, key := range v.keys {
			fmt.Fprint(w, separator(i, "{"), inner, quoteJSON(key), ": ")
			p.indent(w, v.values[key], inner)
		}
		fmt.Fprint(w, newline, "}")
	case []any:
		if len(v) == 0 {
			fmt.Fprint(w, "[]")
			return
		}
		for i, element := range v {
			fmt.Fprint(w, separator(i, "["), inner)
			p.indent(w, element, inner)
		}
		fmt.Fprint(w, newline, "]")
	case json.Number:
		fmt.Fprint(w, p.number(v))
	case string:
		fmt.Fprint(w, quoteJSON(v))
	case bool:
		fmt.Fprint(w, strconv.FormatBool(v))
	default:
		fmt.Fprint(w, "null")
	}
}

func separator(i int, open string) string {
	if i == 0 {
		return open
	}
	return ","
}

// number writes n as a JavaScript number and remembers an integer that was changed.
func (p *parsed) number(n json.Number) string {
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return "null"
	}
	whole, err := strconv.ParseInt(n.String(), 10, 64)
	if errors.Is(err, strconv.ErrRange) || err == nil && (whole > 1<<53 || whole < -1<<53) {
		p.imprecise = append(p.imprecise, n.String())
	}
	text, err := json.Marshal(f)
	if err != nil {
		return "null"
	}
	return string(text)
}

func quoteJSON(s string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plain turns a part of a document into ordinary Go values, numbers into float64.
func plain(v any) any {
	return read(v, func(n json.Number) any {
		f, _ := n.Float64()
		return f
	})
}

// exact is [plain] with numbers as they are written: a schema's bounds are those of the server.
func exact(v any) any {
	return read(v, func(n json.Number) any {
		if !json.Valid([]byte(n)) {
			return plain(n)
		}
		return n
	})
}

func read(v any, number func(json.Number) any) any {
	switch v := v.(type) {
	case *object:
		m := map[string]any{}
		for _, key := range v.keys {
			m[key] = read(v.values[key], number)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = read(element, number)
		}
		return list
	case json.Number:
		return number(v)
	}
	return v
}

// repr prints v as Python does, for the messages that contain a piece of the document.
func repr(v any) string {
	switch v := v.(type) {
	case *object:
		parts := make([]string, len(v.keys))
		for i, key := range v.keys {
			parts[i] = repr(key) + ": " + repr(v.values[key])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, element := range v {
			parts[i] = repr(element)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return reprString(v)
	case bool:
		if v {
			return "True"
		}
		return "False"
	case nil:
		return "None"
	}
	return fmt.Sprint(v)
}

func reprString(s string) string {
	quote := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = `"`
	}
	return quote + strings.NewReplacer(`\`, `\\`, quote, `\`+quote, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) +
		quote
}

// tuple prints a location as a Python tuple: ('info',) or ('info', 'title').
func tuple(parts ...any) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = repr(part)
	}
	if len(texts) == 1 {
		return "(" + texts[0] + ",)"
	}
	return "(" + strings.Join(texts, ", ") + ")"
}
