package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// checkSize is G007 (D): nobody knows the real limit; one document of 1.8 MB was refused.
func checkSize(text []byte, d *document, o Options, found *report) {
	at := place{operation: "document"}
	switch n := len(text); {
	case n > o.MaxBytes:
		found.fault("G007", at, fmt.Sprintf("it has %d bytes, at most %d", n, o.MaxBytes),
			"publish less; the largest are "+largest(d))
	case n > o.WarnBytes:
		found.warn("G007", at, fmt.Sprintf("it has %d bytes; from %d on it may be refused", n, o.WarnBytes),
			"publish less; the largest are "+largest(d))
	}
}

// largest names the three operations that take most room.
func largest(d *document) string {
	type entry struct {
		id    string
		bytes int
	}
	var entries []entry
	for op := range d.operations() {
		text, _ := encode(op, "  ") // the whole document has been encoded before
		entries = append(entries, entry{op.OperationID, len(text)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(b.bytes, a.bytes) })
	var lines []string
	for _, e := range entries[:min(3, len(entries))] {
		lines = append(lines, fmt.Sprintf("%s (%d bytes)", e.id, e.bytes))
	}
	return strings.Join(lines, ", ")
}

// checkText reads the finished text the way an importer does and holds it against the
// rules that the types in this package are there to guarantee. Only defaults and examples,
// which are any value, can get a fault past them.
func checkText(text []byte, found *report) {
	at := place{operation: "document"}
	var d struct {
		OpenAPI    string                                `json:"openapi"`
		Servers    []map[string]any                      `json:"servers"`
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas  map[string]any `json:"schemas"`
			Security map[string]any `json:"securitySchemes"`
		} `json:"components"`
	}
	var all any
	if err := cmp.Or(json.Unmarshal(text, &all), json.Unmarshal(text, &d)); err != nil {
		found.fault("G003", at, err.Error(), "openapi itself is wrong") // D
		return
	}
	must := func(holds bool, rule, problem string) {
		if !holds {
			found.fault(rule, at, problem,
				"look among defaults and examples; if it is not there, openapi itself is wrong")
		}
	}
	must(d.OpenAPI == version, "G001", "openapi is not "+version)                                  // M1, C
	must(d.Components.Schemas != nil, "G006", "components.schemas is no object")                   // M4, C
	must(len(d.Servers) == 1, "G012", "there is not exactly one server")                           // M7, C
	must(len(d.Components.Security) <= 1, "G100", "there is more than one security scheme")        // M8, C
	must(!contains(all, func(_ string, v any) bool { return v == nil }), "G003", "a null is left") // M23, D
	for path, item := range d.Paths {
		for member, raw := range item {
			// T
			must(slices.Contains([]string{"get", "post", "put", "patch", "delete"}, member), "G025",
				path+" has the member "+member)
			var op any
			if json.Unmarshal(raw, &op) == nil {
				must(!contains(op, isKeyword("$ref")), "G040", path+" "+member+" has a $ref")     // M13, C
				must(!contains(op, isNamed("$schema")), "G054", path+" "+member+" has a $schema") // T
			}
		}
	}
}

// contains reports whether any member or element inside v satisfies is. Elements of
// arrays have the name of the array.
func contains(v any, is func(name string, v any) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if is(name, member) || contains(member, is) {
				return true
			}
		}
	case []any:
		for _, element := range v {
			if is("", element) || contains(element, is) {
				return true
			}
		}
	}
	return false
}

func isNamed(name string) func(string, any) bool {
	return func(other string, _ any) bool { return other == name }
}

// isKeyword tells the keyword, whose value is a text, from a property of that name,
// whose value is a schema.
func isKeyword(name string) func(string, any) bool {
	return func(other string, v any) bool {
		_, text := v.(string)
		return other == name && text
	}
}
