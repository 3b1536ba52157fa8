package openapi

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// walk rewrites schemas of one request or one response, every reference inlined (G040,
// C; G053, T; G078, D).
type walk struct {
	*profile
	request bool
	refs    []string // being inlined, outermost first
}

// schema returns in as it is published and whether it admits null. It returns nil
// where it has reported a fault, so that one mistake is one fault.
func (w walk) schema(in *huma.Schema, at place) (out *schema, nullable bool) {
	switch {
	case in.Ref != "":
		out, nullable = w.inline(in.Ref, at)
	case len(in.OneOf)+len(in.AnyOf)+len(in.AllOf) > 0:
		out, nullable = w.collapse(in, at)
	default:
		out = w.plain(in, at)
	}
	if out == nil {
		return nil, false
	}
	if in.Description != "" {
		out.Description = in.Description
	}
	if in.Default != nil {
		out.Default = in.Default
	}
	if len(in.Examples) > 0 {
		out.Example = in.Examples[0]
	}
	out.Deprecated = out.Deprecated || in.Deprecated
	return out, nullable || in.Nullable
}

func (w walk) inline(ref string, at place) (*schema, bool) {
	target := w.registry.SchemaFromRef(ref)
	if target == nil { // G073 (M17, C)
		w.report.fault("G073", at, "the reference "+ref+" leads nowhere", "refer to a type that Huma has registered")
		return nil, false
	}
	if slices.Contains(w.refs, ref) { // G074 (M20, D)
		w.report.fault("G074", at, "the type "+ref[strings.LastIndex(ref, "/")+1:]+" contains itself",
			"return the identifier of the inner value, or a type that ends")
		return nil, false
	}
	w.refs = append(slices.Clip(w.refs), ref)
	return w.schema(target, at)
}

// plain rewrites a schema that is neither a reference nor a combination.
func (w walk) plain(in *huma.Schema, at place) *schema {
	if in.Type == "" && in.Const == nil && len(in.Enum) == 0 {
		w.untyped(at)
		return nil
	}
	if !w.expressible(in, at) {
		return nil
	}
	out := &schema{
		Type: in.Type, Title: in.Title, Format: format(in.Format),
		Enum: in.Enum, MultipleOf: in.MultipleOf, Pattern: in.Pattern,
		Minimum:          w.bound(in.Minimum, at),
		ExclusiveMinimum: exclusive{limit: w.bound(in.ExclusiveMinimum, at)},
		Maximum:          w.bound(in.Maximum, at),
		ExclusiveMaximum: exclusive{limit: w.bound(in.ExclusiveMaximum, at)},
		MinLength:        in.MinLength, MaxLength: in.MaxLength,
		MinItems: in.MinItems, MaxItems: in.MaxItems, UniqueItems: in.UniqueItems,
	}
	if in.Enum != nil && len(in.Enum) == 0 { // G077 (M3, D)
		w.report.fault("G077", at, "the enum is empty", "list the values, or remove it")
	}
	if in.Const != nil { // G076 (D): const is not understood everywhere
		out.Enum = []any{in.Const}
	}
	if out.Type == "" {
		out.Type = typeOf(out.Enum[0])
	}
	switch in.Type {
	case huma.TypeArray:
		if !w.array(in, out, at) {
			return nil
		}
	case huma.TypeObject:
		if !w.object(in, out, at) {
			return nil
		}
	}
	return out
}

func (w walk) untyped(at place) {
	if w.request { // G057 (C): an undeclared member fails with UnrecognizedKwargsError
		w.report.fault("G057", at, "any value is admitted", "say the type; for free-form data take JSON in a string")
		return
	}
	// G072 (D)
	w.report.fault("G072", at, "the schema has no type", "return a struct or another definite type instead of any")
}

// expressible refuses what importers read differently or not at all.
func (w walk) expressible(in *huma.Schema, at place) bool {
	if in.ContentEncoding != "" || in.Format == "binary" || in.Format == "byte" { // G079 (A): text only
		w.report.fault("G079", at, "the value is encoded binary data", "use text, or a link to a file")
		return false
	}
	if in.Not != nil || in.Discriminator != nil { // G076 (D)
		w.report.fault("G076", at, "not or discriminator is used", "describe the one shape that is meant")
		return false
	}
	for _, name := range sortedKeys(in.Extensions) {
		if !strings.HasPrefix(name, "x-") { // G076 (D): if, patternProperties, prefixItems and the like
			w.report.fault("G076", at, "the keyword "+name+" is used", "describe the shape without it")
			return false
		}
	}
	return true
}

func (w walk) array(in *huma.Schema, out *schema, at place) bool {
	if in.Items == nil || untyped(in.Items) { // G071 (M19, C)
		w.report.fault("G071", at, "the elements of the array have no type", "use a slice of a definite type")
		return false
	}
	out.Items, _ = w.schema(in.Items, at.items())
	return out.Items != nil
}

func untyped(s *huma.Schema) bool {
	return s.Ref == "" && s.Type == "" && s.Const == nil && len(s.Enum)+len(s.OneOf)+len(s.AnyOf)+len(s.AllOf) == 0
}

// object fills in properties, in requests without those that only responses have and
// the other way round (G081, I), and without $schema (G054, T).
func (w walk) object(in *huma.Schema, out *schema, at place) bool {
	out.Properties = map[string]*schema{}
	optional := map[string]bool{}
	visible := visibleProperties(in)
	for _, name := range sortedKeys(in.Properties) {
		property := in.Properties[name]
		if name == "$schema" || !visible[name] || w.request && property.ReadOnly || !w.request && property.WriteOnly {
			optional[name] = true
			continue
		}
		child, nullable := w.schema(property, at.property(name))
		if child != nil {
			out.Properties[name] = child
		}
		optional[name] = child == nil || w.mayBeAbsent(nullable, slices.Contains(in.Required, name), at.property(name))
	}
	for _, name := range in.Required {
		if !optional[name] {
			out.Required = append(out.Required, name)
		}
	}
	return w.values(in, out, at)
}

// mayBeAbsent is G075 (I, D): null is not published, so in a response what may be null
// need not be there. In a request the server would refuse to miss a required property
// even if null is admitted, and a GPT must send a value.
func (w walk) mayBeAbsent(nullable, required bool, at place) bool {
	if w.request && nullable && required {
		w.report.warn("G075", at, "null is left out, so that a value must always be sent",
			"add omitempty if the property is optional")
		return false
	}
	return nullable
}

// values treats additionalProperties. A boolean is dropped: undeclared arguments are
// refused by the runtime whatever it says (C), and by the server if it is false.
func (w walk) values(in *huma.Schema, out *schema, at place) bool {
	values, isMap := in.AdditionalProperties.(*huma.Schema)
	free := isMap || len(in.Properties) == 0
	switch {
	case w.request && free: // G057 (C)
		w.report.fault("G057", at, "members are admitted that are not declared by name",
			"declare them, or take a list of objects with key and value, or JSON in a string")
		return false
	case !isMap:
		return true
	}
	// G070 (M18, C): properties beside additionalProperties imports (B).
	w.report.warn("G070", at, "the keys of a map are not described to the model",
		"return a list of objects with key and value")
	if untyped(values) { // G072 (D)
		w.untyped(at.property("*"))
		return false
	}
	out.Values, _ = w.schema(values, at.property("*"))
	return out.Values != nil
}

// visibleProperties returns those without the tag hidden:"true", which Huma keeps to
// itself but honours when it writes a schema.
func visibleProperties(in *huma.Schema) map[string]bool {
	visible := map[string]bool{}
	text, err := json.Marshal(in)
	if err != nil {
		return visible
	}
	var written struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(text, &written) == nil {
		for name := range maps.Keys(written.Properties) {
			visible[name] = true
		}
	}
	return visible
}

// bound drops a bound that the editor's JavaScript would round (G008, I).
func (w walk) bound(limit *float64, at place) *float64 {
	if limit != nil && math.Abs(*limit) > 1<<53 {
		w.report.warn("G008", at, "a bound beyond 2^53 is left out", "use a smaller bound, or a string")
		return nil
	}
	return limit
}

// format drops those of numbers, which say nothing to a model.
func format(name string) string {
	if slices.Contains([]string{"int32", "int64", "float", "double"}, name) {
		return ""
	}
	return name
}

func typeOf(value any) string {
	switch generic(value).(type) {
	case string:
		return huma.TypeString
	case bool:
		return huma.TypeBoolean
	case float64:
		return huma.TypeNumber
	}
	return ""
}

// generic returns a value as it comes out of JSON.
func generic(value any) (out any) {
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return nil
	}
	return out
}
