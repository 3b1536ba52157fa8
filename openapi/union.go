package openapi

import (
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// collapse writes a combination of schemas as one, if it has the same meaning: an
// alternative to null, a choice of constants, objects put together (G076, D). Other
// combinations are faults: reports conflict on what the editor makes of them.
func (w walk) collapse(in *huma.Schema, at place) (*schema, bool) {
	base := *in
	base.OneOf, base.AnyOf, base.AllOf = nil, nil, nil
	alternatives := append(slices.Clone(in.OneOf), in.AnyOf...)
	var out *schema
	var nullable bool
	switch {
	case len(in.OneOf) > 0 && len(in.AnyOf) > 0, len(alternatives) > 0 && len(in.AllOf) > 0:
		w.refuseUnion(at)
		return nil, false
	case len(alternatives) > 0:
		out, nullable = w.oneOf(alternatives, at)
	default:
		out = w.allOf(in.AllOf, at)
	}
	if out == nil || untyped(&base) || base.Type == out.Type && len(base.Properties) == 0 {
		return out, nullable
	}
	beside, _ := w.schema(&base, at)
	if beside == nil {
		return nil, false
	}
	if !merge(beside, out) {
		w.refuseUnion(at)
		return nil, false
	}
	return beside, nullable
}

func (w walk) refuseUnion(at place) {
	w.report.fault("G076", at, "oneOf, anyOf or allOf cannot be written as one schema",
		"use one object whose properties are optional, with an enum that says which case it is")
}

func (w walk) oneOf(alternatives []*huma.Schema, at place) (out *schema, nullable bool) {
	for _, alternative := range alternatives {
		if alternative.Type == "null" {
			nullable = true
			continue
		}
		next, nextNullable := w.schema(alternative, at)
		nullable = nullable || nextNullable
		switch {
		case next == nil:
			return nil, false
		case out == nil:
			out = next
		case out.Type == next.Type && len(out.Enum) > 0 && len(next.Enum) > 0:
			out.Enum = append(slices.Clip(out.Enum), next.Enum...)
		default:
			w.refuseUnion(at)
			return nil, false
		}
	}
	if out == nil {
		w.refuseUnion(at)
	}
	return out, nullable
}

func (w walk) allOf(parts []*huma.Schema, at place) *schema {
	var out *schema
	for _, part := range parts {
		next, _ := w.schema(part, at)
		switch {
		case next == nil:
			return nil
		case out == nil:
			out = next
		case !merge(out, next):
			w.refuseUnion(at)
			return nil
		}
	}
	return out
}

// merge adds the properties of from to those of into. It reports false if the two are
// not objects with different properties.
func merge(into, from *schema) bool {
	if into.Type != huma.TypeObject || from.Type != huma.TypeObject || into.Values != nil || from.Values != nil {
		return false
	}
	for name := range into.Properties {
		if from.Properties[name] != nil {
			return false
		}
	}
	maps.Copy(into.Properties, from.Properties)
	for _, name := range from.Required {
		if !slices.Contains(into.Required, name) {
			into.Required = append(into.Required, name)
		}
	}
	if into.Description == "" {
		into.Description = from.Description
	}
	return true
}
