package openapi

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/openapi/internal/actions"
)

// checkSchemas visits every schema of the operation.
func checkSchemas(op *operation, found *report) {
	for _, param := range op.Parameters {
		tooLong(found, "G035", param.at, "description", param.Description, actions.MaxArgumentText)
		undescribed(found, param.at, param.Description)
		if param.In == "query" && param.Schema.Type == huma.TypeArray { // G046 (I)
			found.warn("G046", param.at, "how a GPT writes a list in a query is not known",
				"accept commas, repetition and [], or take a string")
		}
		checkSchema(param.Schema, param.at, found)
	}
	if op.RequestBody != nil {
		at, root := op.at.in("body"), op.RequestBody.Content.JSON.Schema
		checkBody(op, at, found)
		checkFilesIn(op, at, root, found)
		tooLong(found, "G035", at, "description", op.RequestBody.Description, actions.MaxArgumentText)
		checkSchema(root, at, found)
		describedProperties(root, at, found)
		deep(found, at, root, actions.MaxRequestDepth)
	}
	for _, status := range sortedKeys(op.Responses) {
		reply := op.Responses[status].Content
		if reply == nil {
			continue
		}
		at, root := op.at.in("response "+status), reply.JSON.Schema
		if root.Type != huma.TypeObject { // G090 (A, C)
			found.warn("G090", at, "the response is no object", "wrap it, as in {\"items\": […]}")
		}
		checkFilesOut(at, root, found)
		checkSchema(root, at, found)
		describedProperties(root, at, found)
		deep(found, at, root, actions.MaxResponseDepth)
	}
}

// checkBody is G055 (I) and G056 (D).
func checkBody(op *operation, at place, found *report) {
	if op.method == "GET" || op.method == "DELETE" {
		found.warn("G055", at, "a "+op.method+" has a body, which may not arrive", "use query parameters, or POST")
	}
	if !op.RequestBody.Required {
		found.warn("G056", at, "the body is optional", "make Body no pointer, or tag it required:\"true\"")
	}
}

// checkFilesIn is G130 (A): ChatGPT passes files by this name and shape only.
func checkFilesIn(op *operation, at place, root *schema, found *report) {
	const name = "openaiFileIdRefs"
	refs := root.Properties[name]
	if refs == nil {
		return
	}
	at = at.property(name)
	if op.method != "POST" || refs.Type != huma.TypeArray || refs.Items.Type != huma.TypeString {
		found.fault("G130", at, "files arrive in the body of a POST, declared as an array of strings",
			"declare it []string in the published schema, and decode objects with name, id, mime_type and "+
				"download_link")
	}
	if refs.Description == "" {
		found.fault("G130", at, "it does not say which files, and how many",
			"say kind and number, at most 10, in its doc tag")
	}
}

// checkFilesOut is G131 (A).
func checkFilesOut(at place, root *schema, found *report) {
	if files := root.Properties["openaiFileResponse"]; files != nil && files.Type != huma.TypeArray {
		found.fault("G131", at.property("openaiFileResponse"), "files are taken from an array only",
			"return a slice of at most 10 files, or of their URLs")
	}
}

// checkSchema applies to s and all inside it what holds for every schema.
func checkSchema(s *schema, at place, found *report) {
	tooLong(found, "G035", at, "description", s.Description, actions.MaxArgumentText) // A
	if !slices.Contains([]string{huma.TypeString, huma.TypeInteger, huma.TypeNumber, huma.TypeBoolean, huma.TypeArray,
		huma.TypeObject}, s.Type) {
		// D
		found.fault("G072", at, fmt.Sprintf("%q is no type that can be published", s.Type),
			"use string, integer, number, boolean, array or object")
	}
	checkEnum(s, at, found)
	checkDefault(s, at, found)
	seen := map[string]string{}
	for _, name := range sortedKeys(s.Properties) {
		inner := at.property(name)
		if other, known := seen[strings.ToLower(name)]; known { // G082 (I)
			found.warn("G082", inner, "the name differs only in letter case from "+other, "rename one of the two")
		}
		if strings.ContainsAny(name, "$. ") { // G082 (I)
			found.warn("G082", inner, "the name holds $, dot or space", "rename it")
		}
		seen[strings.ToLower(name)] = name
		checkSchema(s.Properties[name], inner, found)
	}
	for _, name := range s.Required { // G080 (I)
		if s.Properties[name] == nil {
			found.fault("G080", at, "the required property "+name+" is not declared",
				"declare it, or do not require it")
		}
	}
	if s.Items != nil {
		checkSchema(s.Items, at.items(), found)
	}
	if s.Values != nil {
		checkSchema(s.Values, at.property("*"), found)
	}
}

// checkEnum is G077 (M3, D). An enum that was declared empty is found by the walk.
func checkEnum(s *schema, at place, found *report) {
	if len(s.Enum) > actions.MaxEnum {
		found.fault("G077", at, fmt.Sprintf("the enum has %d values, at most %d", len(s.Enum), actions.MaxEnum),
			"take a string and describe the values, or split the operation")
	}
	for _, value := range s.Enum {
		if !fits(value, s) {
			found.fault("G077", at, fmt.Sprintf("the enum value %v is no %s", value, s.Type), "use values of one type")
			return
		}
	}
}

// checkDefault is G080 (I), for defaults and examples.
func checkDefault(s *schema, at place, found *report) {
	for _, given := range []struct {
		name  string
		value any
	}{{"default", s.Default}, {"example", s.Example}} {
		switch {
		case given.value == nil:
		case !fits(given.value, s):
			found.warn("G080", at, fmt.Sprintf("the %s %v is no %s", given.name, given.value, s.Type),
				"use a value of the declared type")
		case len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum,
			func(v any) bool { return fmt.Sprint(v) == fmt.Sprint(given.value) }):
			found.warn("G080", at, fmt.Sprintf("the %s %v is not in the enum", given.name, given.value),
				"use one of the values")
		case !within(given.value, s):
			found.warn("G080", at, fmt.Sprintf("the %s %v is beyond the bounds", given.name, given.value),
				"use a value that the server would take")
		}
	}
}

// fits reports whether value is of the schema's type.
func fits(value any, s *schema) bool {
	switch value := generic(value).(type) {
	case string:
		return s.Type == huma.TypeString
	case bool:
		return s.Type == huma.TypeBoolean
	case float64:
		return s.Type == huma.TypeNumber || s.Type == huma.TypeInteger && value == math.Trunc(value)
	case []any:
		return s.Type == huma.TypeArray
	case map[string]any:
		return s.Type == huma.TypeObject
	}
	return false
}

// within reports whether a value of the schema's type keeps its bounds.
func within(value any, s *schema) bool {
	most := func(bound *int, n int) bool { return bound == nil || n <= *bound }
	least := func(bound *int, n int) bool { return bound == nil || n >= *bound }
	switch value := generic(value).(type) {
	case float64:
		return (s.Minimum == nil || value >= *s.Minimum) && (s.Maximum == nil || value <= *s.Maximum) &&
			(s.ExclusiveMinimum.limit == nil || value > *s.ExclusiveMinimum.limit) &&
			(s.ExclusiveMaximum.limit == nil || value < *s.ExclusiveMaximum.limit)
	case string:
		n := utf8.RuneCountInString(value)
		return least(s.MinLength, n) && most(s.MaxLength, n)
	case []any:
		return least(s.MinItems, len(value)) && most(s.MaxItems, len(value))
	}
	return true
}

// describedProperties is G036 (A) for a body or an answer.
func describedProperties(s *schema, at place, found *report) {
	for _, name := range sortedKeys(s.Properties) {
		inner := s.Properties[name]
		undescribed(found, at.property(name), inner.Description)
		describedProperties(inner, at.property(name), found)
		if inner.Items != nil {
			describedProperties(inner.Items, at.property(name).items(), found)
		}
	}
}

func undescribed(found *report, at place, description string) {
	if description == "" {
		found.warn("G036", at, "there is no description", "add a doc tag: meaning, unit and format")
	}
}

// deep is G058 (D).
func deep(found *report, at place, root *schema, limit int) {
	if n := depth(root); n > limit {
		found.warn("G058", at, fmt.Sprintf("objects are nested %d deep; at most %d read well", n, limit), "flatten it")
	}
}

// depth counts objects within objects; arrays do not count.
func depth(s *schema) int {
	deepest := 0
	for _, inner := range s.Properties {
		deepest = max(deepest, depth(inner))
	}
	if s.Items != nil {
		deepest = max(deepest, depth(s.Items))
	}
	if s.Values != nil {
		deepest = max(deepest, depth(s.Values))
	}
	if s.Type == huma.TypeObject {
		deepest++
	}
	return deepest
}
