package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/internal/strictjson"
	"guestpass/internal/text"
)

// What a request says in free text is cleaned before anything else looks at it, for every
// operation: see package text. A value that has a form of its own (a pattern, a format, a list
// of values) is an identifier or an address and means what it says, so one with something
// hidden in it is refused. So is a text of which nothing is left although one is required.

const (
	hasHidden  = "has characters that cannot be seen; write it without them"
	hasNothing = "has nothing that can be seen; write a text, or leave it out"
)

// Marks of schemas: of a text of one line, and of one that stays as it is. They are not published.
const (
	lineText = "x-guestpass-line"
	rawText  = "x-guestpass-raw"
)

// Raw is a text that stays as it was sent, with whatever cannot be seen in it: source code, say, or something signed.
// Whoever shows it to a person, or gives it to a model, decides what becomes of that.
type Raw string

// MarshalJSON writes what is not ASCII as escapes, so that cleaning an answer removes nothing of it.
func (r Raw) MarshalJSON() ([]byte, error) {
	quoted, err := json.Marshal(string(r))
	if err != nil {
		return nil, err
	}
	var escaped []byte
	for _, c := range string(quoted) {
		switch {
		case c <= unicode.MaxASCII:
			escaped = utf8.AppendRune(escaped, c)
		case c > 0xFFFF:
			high, low := utf16.EncodeRune(c)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, c)
		}
	}
	return escaped, nil
}

// A cleaner goes through a body along the schemas that may be meant.
type cleaner struct {
	registry huma.Registry
	changed  bool
	faults   []FieldProblem
}

func (c *cleaner) value(schemas []*huma.Schema, value any, place string) any {
	schemas = c.alternatives(schemas)
	switch v := value.(type) {
	case string:
		return c.text(schemas, v, place)
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := place + "." + strictjson.ShownName(name)
			if text.Hides(name) {
				c.faults = append(c.faults,
					FieldProblem{at, "has a name with characters that cannot be seen; write it without them"})
			}
			v[name] = c.value(membersOf(schemas, name), v[name], at)
		}
	case []any:
		for i, element := range v {
			v[i] = c.value(itemsOf(schemas), element, place+"["+strconv.Itoa(i)+"]")
		}
	}
	return value
}

func (c *cleaner) text(schemas []*huma.Schema, sent, place string) string {
	if slices.ContainsFunc(schemas, isRaw) {
		return sent
	}
	cleaned := text.Lines(sent)
	if slices.ContainsFunc(schemas, isLine) {
		cleaned = text.Line(sent)
	}
	switch {
	case len(schemas) > 0 && !slices.ContainsFunc(schemas, isFreeText):
		if text.Hides(sent) {
			c.faults = append(c.faults, FieldProblem{place, hasHidden})
		}
		return sent
	case cleaned == "" && sent != "" && slices.ContainsFunc(schemas, isRequired):
		c.faults = append(c.faults, FieldProblem{place, hasNothing})
		return sent
	}
	c.changed = c.changed || cleaned != sent
	return cleaned
}

// alternatives returns the schemas with references resolved, and the schemas that they are made of.
func (c *cleaner) alternatives(schemas []*huma.Schema) (all []*huma.Schema) {
	for _, schema := range schemas {
		if schema = resolve(schema, c.registry); schema != nil {
			all = append(all, schema)
			all = append(all, c.alternatives(slices.Concat(schema.AllOf, schema.OneOf, schema.AnyOf))...)
		}
	}
	return all
}

func membersOf(schemas []*huma.Schema, name string) (members []*huma.Schema) {
	for _, schema := range schemas {
		member := schema.Properties[name]
		if member == nil {
			member, _ = schema.AdditionalProperties.(*huma.Schema)
		}
		if member != nil {
			members = append(members, member)
		}
	}
	return members
}

func itemsOf(schemas []*huma.Schema) (items []*huma.Schema) {
	for _, schema := range schemas {
		if schema.Items != nil {
			items = append(items, schema.Items)
		}
	}
	return items
}

// isFreeText reports whether a schema says nothing of the form of a text but its length.
func isFreeText(schema *huma.Schema) bool {
	return (schema.Type == huma.TypeString || schema.Type == "") && schema.Format == "" && schema.Pattern == "" &&
		schema.ContentEncoding == "" && schema.Const == nil && len(schema.Enum) == 0
}

func isLine(schema *huma.Schema) bool { return schema.Extensions[lineText] == true }

func isRaw(schema *huma.Schema) bool { return schema.Extensions[rawText] == true }

func isRequired(schema *huma.Schema) bool { return schema.MinLength != nil && *schema.MinLength > 0 }

// clean returns the value of a parameter, which is one line, or what is wrong with it.
// Only queries have free text.
func (p *parameter) clean(value string) (cleaned, wrong string) {
	schema := p.schema
	if schema != nil && schema.Type == huma.TypeArray {
		schema = schema.Items
	}
	if p.in != "query" || schema == nil || !isFreeText(schema) {
		if text.Hides(value) {
			return "", hasHidden
		}
		return value, ""
	}
	if cleaned = text.Line(value); cleaned == "" {
		return "", hasNothing
	}
	return cleaned, ""
}

func encodeJSON(v any) ([]byte, error) {
	var written bytes.Buffer
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return written.Bytes(), err
}

// marshalClean writes an answer. Its texts may be older than the rules by which they were kept, or
// come from another system: what nobody would see is taken out here as well.
func marshalClean(w io.Writer, v any) error {
	answer, err := encodeJSON(v)
	if err == nil {
		_, err = io.WriteString(w, text.Strip(string(answer)))
	}
	return err
}

// markTexts notes in the schema of a body of the type which of its texts are of one line, and which stay as they are.
func markTexts(t reflect.Type, schema *huma.Schema, registry huma.Registry, seen map[reflect.Type]bool) {
	schema = resolve(schema, registry)
	switch {
	case schema == nil || seen[t]:
	case t == reflect.TypeFor[Raw]():
		mark(schema, rawText)
	case t.Kind() == reflect.Pointer:
		markTexts(t.Elem(), schema, registry, seen)
	case t.Kind() == reflect.Slice:
		markTexts(t.Elem(), schema.Items, registry, seen)
	case t.Kind() == reflect.Map:
		values, _ := schema.AdditionalProperties.(*huma.Schema)
		markTexts(t.Elem(), values, registry, seen)
	case t.Kind() == reflect.Struct:
		seen[t] = true
		for _, field := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			property := schema.Properties[name]
			if property == nil {
				continue
			}
			if field.Tag.Get("text") == "line" {
				mark(property, lineText)
			}
			markTexts(field.Type, property, registry, seen)
		}
	}
}

func mark(schema *huma.Schema, as string) {
	if schema.Items != nil {
		schema = schema.Items
	}
	schema.Extensions = map[string]any{as: true}
}
