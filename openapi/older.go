package openapi

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// mapped returns a copy of s and of all inside it, each changed by change, the inner ones first.
func (s *schema) mapped(change func(*schema)) *schema {
	if s == nil {
		return nil
	}
	out := *s
	out.Items, out.Values = s.Items.mapped(change), s.Values.mapped(change)
	out.Properties = maps.Clone(s.Properties)
	for name, property := range out.Properties {
		out.Properties[name] = property.mapped(change)
	}
	change(&out)
	return &out
}

// before31 says of one schema in the words of OpenAPI 3.0 and Swagger 2.0 what it says in those of 3.1. Null is in
// none of our documents (G075), nor const (G076).
func before31(s *schema) {
	if low := s.ExclusiveMinimum.limit; low != nil {
		s.ExclusiveMinimum = exclusive{}
		if s.Minimum == nil || *s.Minimum <= *low {
			s.Minimum, s.ExclusiveMinimum = low, exclusive{beside: true}
		}
	}
	if high := s.ExclusiveMaximum.limit; high != nil {
		s.ExclusiveMaximum = exclusive{}
		if s.Maximum == nil || *s.Maximum >= *high {
			s.Maximum, s.ExclusiveMaximum = high, exclusive{beside: true}
		}
	}
	s.Format = numberFormat(s)
}

// numberFormat says how much room a number needs. The importers of older documents make typed programs of them, in
// which an integer without a format has 32 bits.
func numberFormat(s *schema) string {
	switch s.Type {
	case huma.TypeNumber:
		return "double"
	case huma.TypeInteger:
		if s.Minimum != nil && *s.Minimum >= math.MinInt32 && s.Maximum != nil && *s.Maximum <= math.MaxInt32 {
			return "int32"
		}
		return "int64"
	}
	return s.Format
}

// label makes of a name what a person reads beside a field: "due_before" and "dueBefore" become "Due Before".
func label(name string) string {
	var words []string
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("_-. ", r) }) {
		start, runes := 0, []rune(word)
		for i := 1; i < len(runes); i++ {
			if isUpper(runes[i]) && !isUpper(runes[i-1]) {
				words, start = append(words, string(runes[start:i])), i
			}
		}
		words = append(words, string(runes[start:]))
	}
	for i, word := range words {
		first, rest := []rune(word)[:1], []rune(word)[1:]
		words[i] = strings.ToUpper(string(first)) + string(rest)
	}
	return strings.Join(words, " ")
}

func isUpper(r rune) bool { return r >= 'A' && r <= 'Z' }

// nested returns the place of the first object inside the object that a body is; "" if it is flat.
func nested(body *schema) (path string) {
	for _, name := range slices.Sorted(maps.Keys(body.Properties)) {
		inner, path := body.Properties[name], name
		for inner.Type == huma.TypeArray {
			inner, path = inner.Items, path+"[]"
		}
		if inner.Type == huma.TypeObject {
			return path
		}
	}
	return ""
}
