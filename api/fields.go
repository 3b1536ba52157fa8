package api

import (
	"encoding"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// fieldChecker finds what is wrong with the types of an operation's input and output: what Huma would leave out without
// a word, and what it panics on. Huma itself reports only the first of those, and not always where.
type fieldChecker struct {
	seen          map[reflect.Type]bool // true once it is known that it can be described
	faults        []error
	undescribable bool
}

// checkFields returns every fault in input and output, and whether Huma can describe them.
func checkFields(op Operation, in, out reflect.Type) (faults []error, describable bool) {
	c := fieldChecker{seen: map[reflect.Type]bool{}}
	for _, message := range []struct {
		name string
		t    reflect.Type
	}{{"input", in}, {"output", out}} {
		if message.t.Kind() != reflect.Struct {
			c.fault("its "+message.name, "is of type %s: declare a struct", message.t)
			c.undescribable = true
		}
	}
	if c.undescribable {
		return c.faults, false
	}
	for _, field := range reflect.VisibleFields(in) {
		if field.Anonymous && field.Type.Kind() == reflect.Pointer {
			c.fault("field "+field.Name, "a pointer that is embedded in an input is never filled: embed the "+
				"struct itself")
		}
		if tag := field.Tag.Get("query"); tag == "limit" || tag == "cursor" {
			c.pageField(field, tag)
		}
	}
	for _, field := range ownFields(in) {
		c.inputField(field, in)
	}
	for _, field := range ownFields(out) {
		c.outputField(field)
	}
	c.checkBody(op, out)
	return c.faults, !c.undescribable
}

// pageField holds the fields that [PageOf] reads against what it takes.
func (c *fieldChecker) pageField(field reflect.StructField, tag string) {
	kind := field.Type.Kind()
	switch {
	case tag == "limit" && (kind < reflect.Int || kind > reflect.Int64):
		c.fault("query parameter limit", "is of type %s: PageOf reads an int", field.Type)
	case tag == "cursor" && kind != reflect.String:
		c.fault("query parameter cursor", "is of type %s: PageOf reads a string", field.Type)
	}
}

func (c *fieldChecker) fault(place, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%s: %s", place, fmt.Sprintf(format, args...)))
}

// ownFields returns the fields of a struct with those of the structs embedded in it. An embedded struct that is not
// exported stands for everything in it.
func ownFields(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(field reflect.StructField) bool {
		for i := 1; i < len(field.Index); i++ {
			if !t.FieldByIndex(field.Index[:i]).IsExported() {
				return true
			}
		}
		return field.Name == "_" || field.Anonymous && field.IsExported()
	})
}

// unexported keeps the fault of a field that neither Huma nor JSON sees.
func (c *fieldChecker) unexported(field reflect.StructField, place string) {
	if field.Anonymous {
		c.fault(place, "the type of this embedded struct is not exported, so all that is in it is left out: export "+
			"the type, or write its fields here")
		return
	}
	c.fault(place, "it is not exported, so it is left out: call it %s", strings.ToUpper(field.Name[:1])+field.Name[1:])
}

// places are the tags by which Huma fills a field of an input.
var places = []string{"path", "query", "header", "cookie"}

func (c *fieldChecker) inputField(field reflect.StructField, in reflect.Type) {
	place, tags := "field "+field.Name, []string{}
	for _, tag := range places {
		if name, given := field.Tag.Lookup(tag); given {
			name, _, _ = strings.Cut(name, ",")
			place = tag + " parameter " + name
			tags = append(tags, tag)
		}
	}
	switch {
	case !field.IsExported():
		if field.Anonymous || !fillsItself(in) {
			c.unexported(field, place)
		}
		return
	case field.Name == "Body":
		place = "body"
	case len(tags) > 1:
		c.fault("field "+field.Name, "it is tagged %s: choose one", strings.Join(tags, " and "))
	case len(tags) == 1 && tags[0] != "path" && tags[0] != "query":
		c.fault(place, "neither a GPT nor a tool can send it: tag it query, or put it into Body")
	case len(tags) == 0 && field.Name != "RawBody" && !fillsItself(in):
		c.fault(place, "nothing fills it: tag it path or query, or put it into Body")
	}
	if len(tags) > 0 && field.Type.Kind() == reflect.Pointer {
		c.fault(place, "it is a pointer, and a parameter is none: leave out the *, and give it a default if it may be "+
			"left out")
		c.undescribable = true
		return
	}
	if len(tags) > 0 && isRawType(field.Type) {
		c.fault(place, "it is a Raw, and parameters are without what cannot be seen: put it into Body")
	}
	if len(tags) > 0 && narrow(field.Type.Kind()) {
		c.fault(place, "it is of type %s, which would take a larger number for another: declare it as int64 or "+
			"float64, with minimum and maximum", field.Type)
	}
	c.field(field, place)
}

// fillsItself reports whether Huma asks an input to read the request for itself.
func fillsItself(in reflect.Type) bool {
	pointer := reflect.PointerTo(in)
	return pointer.Implements(reflect.TypeFor[huma.Resolver]()) ||
		pointer.Implements(reflect.TypeFor[huma.ResolverWithPath]())
}

// narrow reports whether a number of this kind has so few bits that Huma checks its value before the value is cut to
// fit, and so would accept one that becomes another.
func narrow(kind reflect.Kind) bool {
	return slices.Contains([]reflect.Kind{reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint8, reflect.Uint16,
		reflect.Uint32, reflect.Float32}, kind)
}

// isRawType reports whether a parameter is a [Raw], or several.
func isRawType(t reflect.Type) bool {
	return t == reflect.TypeFor[Raw]() || t.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[Raw]()
}

func (c *fieldChecker) outputField(field reflect.StructField) {
	place := "field " + field.Name
	header, tagged := field.Tag.Lookup("header")
	switch {
	case !field.IsExported():
		c.unexported(field, place+" of the output")
		return
	case field.Name == "Body":
		place = "response"
	case tagged:
		place = "response header " + header
	case field.Name != "Status":
		c.fault(place+" of the output", "no caller sees it: put it into Body")
		return
	}
	c.field(field, place)
}

// checkBody finds a body that is missing or has no place.
func (c *fieldChecker) checkBody(op Operation, out reflect.Type) {
	_, has := out.FieldByName("Body")
	_, small := out.FieldByName("body") // told already
	switch {
	case op.Status == http.StatusNoContent && has:
		c.fault("its output", "has a Body, and an answer with status 204 has none: leave out Status, or Body")
	case op.Status != http.StatusNoContent && !has && !small:
		c.fault("its output", "has no Body, so the caller learns nothing: declare one, or Status: "+
			"http.StatusNoContent")
	}
}

// field checks a field, and reports whether Huma can describe it and what is inside of it.
func (c *fieldChecker) field(field reflect.StructField, place string) (ok bool) {
	if !c.inside(field.Type, place) {
		return false
	}
	defer func() {
		if cause := recover(); cause != nil {
			c.fault(place, "%s", fieldFault(field, cause))
			c.undescribable, ok = true, false
		}
	}()
	if value, given := field.Tag.Lookup("required"); given && value != "true" && value != "false" {
		c.fault(place, "the tag required:%q must be true or false", value)
		c.undescribable = true
		return false
	}
	if value, given := field.Tag.Lookup("text"); given && value != "line" {
		c.fault(place, "the tag text:%q must be line, for a text without line ends, or be left out", value)
	}
	huma.SchemaFromField(newSchemas(), field, field.Name+"Struct")
	return true
}

// fieldFault returns what Huma says of a field, without what the place says already.
func fieldFault(field reflect.StructField, cause any) string {
	if wrong, ok := cause.(string); ok {
		if broken := field.Tag.Get("pattern"); strings.HasPrefix(wrong, "regexp: Compile") {
			_, err := syntax.Parse(broken, syntax.Perl)
			why := strings.TrimPrefix(fmt.Sprint(err), "error parsing regexp: ")
			return fmt.Sprintf("the tag pattern:%q is no regular expression: %s", broken, why)
		}
	}
	return strings.ReplaceAll(fmt.Sprint(cause), " for field '"+field.Name+"'", "")
}

// inside checks the fields of a struct, or of the structs in a list or map. It reports the faults of a type once.
func (c *fieldChecker) inside(t reflect.Type, place string) bool {
	for {
		switch t.Kind() {
		case reflect.Slice, reflect.Array:
			place += "[]"
		case reflect.Pointer:
		case reflect.Map:
			place += ".*"
		case reflect.Struct:
			return c.structure(t, place)
		case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
			c.fault(place, "it is of type %s, which JSON cannot hold: keep it out of what is sent and answered", t)
			c.undescribable = true
			return false
		default:
			return true
		}
		t = t.Elem()
	}
}

func (c *fieldChecker) structure(t reflect.Type, place string) bool {
	if fine, known := c.seen[t]; known {
		return fine
	}
	pointer := reflect.PointerTo(t)
	if t == reflect.TypeFor[url.URL]() || pointer.Implements(reflect.TypeFor[huma.SchemaProvider]()) ||
		pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return true
	}
	c.seen[t] = true                                          // while it is looked into: it may contain itself
	fine, reported, taken := true, false, map[string]string{} // by name in JSON, by which field
	for _, field := range ownFields(t) {
		name := jsonName(field)
		switch at := propertyPlace(place, name); {
		case name == "-":
		case field.IsExported():
			if other := taken[name]; other != "" && len(field.Index) == 1 {
				c.fault(at, "the fields %s and %s have this name, so JSON leaves out one or both: rename one",
					other, field.Name)
			}
			taken[name] = field.Name
			fine = c.field(field, at) && fine
		case field.Anonymous || field.Tag != "":
			c.unexported(field, at)
			reported = true
		}
	}
	if t.NumField() > 0 && len(taken) == 0 && !reported {
		c.fault(place,
			"none of its fields is exported, so JSON leaves out all of them: begin their names with capitals")
	}
	c.seen[t] = fine
	return fine
}

// propertyPlace returns "body property address.lines" for lines in "body property address".
func propertyPlace(place, name string) string {
	if strings.Contains(place, " ") {
		return place + "." + name
	}
	return place + " property " + name
}
