package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/internal/pattern"
)

// A validator finds what a schema does not admit. It goes by the schema alone. Huma's goes by what is set for the
// whole program as well: whether another letter case makes another name, and the words of its messages.
type validator struct {
	registry huma.Registry
	known    checks
	place    []byte // of the value that is looked at
	faults   []FieldProblem
}

// checks are prepared once for each schema that requests are held against.
type checks map[*huma.Schema]*check

type check struct {
	names    []string // of the properties, sorted
	required map[string]bool
	pattern  *regexp.Regexp
}

// prepare does so for a schema and all that it is made of.
func (c checks) prepare(schema *huma.Schema, registry huma.Registry) {
	if schema = resolve(schema, registry); schema == nil || c[schema] != nil {
		return
	}
	c[schema] = newCheck(schema)
	additional, _ := schema.AdditionalProperties.(*huma.Schema)
	for _, part := range slices.Concat(schema.AllOf, schema.OneOf, schema.AnyOf,
		slices.Collect(maps.Values(schema.Properties)), []*huma.Schema{schema.Items, schema.Not, additional}) {
		c.prepare(part, registry)
	}
	if schema.Discriminator != nil {
		for _, ref := range schema.Discriminator.Mapping {
			c.prepare(registry.SchemaFromRef(ref), registry)
		}
	}
}

func newCheck(schema *huma.Schema) *check {
	c := &check{names: slices.Sorted(maps.Keys(schema.Properties)), required: map[string]bool{}}
	for _, name := range schema.Required {
		c.required[name] = true
	}
	if schema.Pattern != "" {
		c.pattern = regexp.MustCompile(schema.Pattern)
	}
	return c
}

func (v *validator) of(schema *huma.Schema) *check {
	if c := v.known[schema]; c != nil {
		return c
	}
	return newCheck(schema)
}

func (v *validator) fault(format string, values ...any) {
	v.faults = append(v.faults, FieldProblem{Location: string(v.place), Message: fmt.Sprintf(format, values...)})
}

// value leaves the place as it was.
func (v *validator) value(schema *huma.Schema, value any) {
	if schema = resolve(schema, v.registry); schema == nil {
		return
	}
	v.parts(schema, value)
	if value == nil && schema.Nullable || !v.ofType(schema, value) {
		return
	}
	equal := func(other any) bool { return equalValues(other, value) }
	if len(schema.Enum) > 0 && !slices.ContainsFunc(schema.Enum, equal) {
		v.fault(`expected value to be one of "%s"`, listed(schema.Enum))
	}
	if schema.Const != nil && !equal(schema.Const) {
		v.fault("expected value to be %v", schema.Const)
	}
}

func listed(values []any) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = fmt.Sprint(value)
	}
	return strings.Join(words, ", ")
}

// admits reports whether a schema that is a part of another admits the value.
func (v *validator) admits(schema *huma.Schema, value any) bool {
	inside := validator{registry: v.registry, known: v.known}
	inside.value(schema, value)
	return len(inside.faults) == 0
}

// parts holds a value against the schemas that a schema is made of.
func (v *validator) parts(schema *huma.Schema, value any) {
	switch {
	case schema.OneOf == nil:
	case schema.Discriminator != nil:
		v.discriminated(schema, value)
	default:
		v.oneOf(schema, value)
	}
	admits := func(part *huma.Schema) bool { return v.admits(part, value) }
	if schema.AnyOf != nil && !slices.ContainsFunc(schema.AnyOf, admits) {
		v.fault("expected value to match at least one schema but matched none")
	}
	for _, part := range schema.AllOf {
		v.value(part, value)
	}
	if schema.Not != nil && admits(schema.Not) {
		v.fault("expected value to not match schema")
	}
}

func (v *validator) oneOf(schema *huma.Schema, value any) {
	matched := 0
	for _, part := range schema.OneOf {
		if v.admits(part, value) {
			matched++
		}
	}
	switch {
	case matched == 0:
		v.fault("expected value to match exactly one schema but matched none")
	case matched > 1:
		v.fault("expected value to match exactly one schema but matched multiple")
	}
}

// discriminated holds a value against the one schema that a property of it names.
func (v *validator) discriminated(schema *huma.Schema, value any) {
	members, ok := value.(map[string]any)
	if !ok { // its type is told
		return
	}
	name := schema.Discriminator.PropertyName
	key, given := members[name]
	if !given {
		v.in(name, func() { v.fault("expected propertyName value to be present in object") })
		return
	}
	text, ok := key.(string)
	if !ok {
		return
	}
	if ref, known := schema.Discriminator.Mapping[text]; known {
		v.value(v.registry.SchemaFromRef(ref), value)
		return
	}
	v.oneOf(schema, value)
}

// in looks at what a member of the value holds.
func (v *validator) in(name string, look func()) {
	at := len(v.place)
	v.place = append(append(v.place, '.'), name...)
	look()
	v.place = v.place[:at]
}

// ofType reports whether a value is of the type of the schema, and tells what else is wrong with it.
func (v *validator) ofType(schema *huma.Schema, value any) (ok bool) {
	switch schema.Type {
	case huma.TypeBoolean:
		_, ok = value.(bool)
	case huma.TypeNumber, huma.TypeInteger:
		var number float64
		if number, ok = numberOf(value); ok {
			v.number(schema, number)
		}
	case huma.TypeString:
		var text string
		if text, ok = value.(string); ok {
			v.text(schema, text)
		}
	case huma.TypeArray:
		var list []any
		if list, ok = value.([]any); ok {
			v.list(schema, list)
		}
	case huma.TypeObject:
		var members map[string]any
		if members, ok = value.(map[string]any); ok {
			v.object(schema, members)
		}
	default:
		return true
	}
	if !ok {
		v.fault("expected %s", schema.Type)
	}
	return ok
}

func (v *validator) number(schema *huma.Schema, number float64) {
	if schema.Type == huma.TypeInteger && number != math.Trunc(number) {
		v.fault("expected integer")
	}
	for _, bound := range [...]struct {
		limit    *float64
		relation string
	}{
		{schema.Minimum, ">="}, {schema.ExclusiveMinimum, ">"}, {schema.Maximum, "<="}, {schema.ExclusiveMaximum, "<"},
		{schema.MultipleOf, "to be a multiple of"},
	} {
		if bound.limit != nil && !holds(number, bound.relation, *bound.limit) {
			v.fault("expected number %s %s", bound.relation, strconv.FormatFloat(*bound.limit, 'f', -1, 64))
		}
	}
}

func holds(number float64, relation string, limit float64) bool {
	switch relation {
	case ">=":
		return number >= limit
	case ">":
		return number > limit
	case "<=":
		return number <= limit
	case "<":
		return number < limit
	}
	const lost = 1e-9 // what a decimal fraction loses as a binary one
	rest := math.Abs(math.Mod(number, limit))
	return rest <= lost || math.Abs(rest-math.Abs(limit)) <= lost
}

func (v *validator) text(schema *huma.Schema, text string) {
	if schema.MinLength != nil && utf8.RuneCountInString(text) < *schema.MinLength {
		v.fault("expected length >= %d", *schema.MinLength)
	}
	if schema.MaxLength != nil && utf8.RuneCountInString(text) > *schema.MaxLength {
		v.fault("expected length <= %d", *schema.MaxLength)
	}
	if schema.Pattern != "" && !v.of(schema).pattern.MatchString(text) {
		if schema.PatternDescription != "" {
			v.fault("expected string to be %s", schema.PatternDescription)
		} else {
			v.fault("expected string to match pattern %s", schema.Pattern)
		}
	}
	if format, known := formats[schema.Format]; known && !hasFormat(text, schema.Format) {
		v.fault("%s", format)
	}
	if schema.ContentEncoding == "base64" && !base64Text.MatchString(text) {
		v.fault("expected string to be base64 encoded")
	}
}

var base64Text = pattern.New(`^[a-zA-Z0-9+/_-]*=*$`)

// formats are those of texts that are checked, with the words for a text of another form.
var formats = map[string]string{
	"date-time":             "expected string to be RFC 3339 date-time",
	"date-time-http":        "expected string to be RFC 1123 date-time",
	"date":                  "expected string to be RFC 3339 date",
	"time":                  "expected string to be RFC 3339 time",
	"duration":              "must be a duration, such as 1h30m",
	"email":                 wantsAddress,
	"idn-email":             wantsAddress,
	"hostname":              "expected string to be RFC 5890 hostname",
	"idn-hostname":          "expected string to be RFC 5890 hostname",
	"ipv4":                  "expected string to be RFC 2673 ipv4",
	"ipv6":                  "expected string to be RFC 2373 ipv6",
	"ip":                    "expected string to be either RFC 2673 ipv4 or RFC 2373 ipv6",
	"uri":                   wantsURL,
	"iri":                   wantsURL,
	"uri-reference":         wantsURL,
	"iri-reference":         wantsURL,
	"uri-template":          "expected string to be RFC 6570 uri-template",
	"uuid":                  "must be a UUID, such as 01234567-89ab-4cde-8f01-23456789abcd",
	"json-pointer":          "expected string to be RFC 6901 json-pointer",
	"relative-json-pointer": "expected string to be RFC 6901 relative-json-pointer",
	"regex":                 "must be a regular expression",
}

const (
	wantsAddress = "must be one e-mail address, such as name@example.com"
	wantsURL     = "must be a URL, such as https://example.com/path"
)

// hasFormat asks Huma, whose answer for a text alone is the same in every program. Its words are not.
func hasFormat(text, format string) bool {
	var found huma.ValidateResult
	huma.Validate(nil, &huma.Schema{Type: huma.TypeString, Format: format}, huma.NewPathBuffer(nil, 0),
		huma.ModeWriteToServer, text, &found)
	return len(found.Errors) == 0
}

func (v *validator) list(schema *huma.Schema, list []any) {
	if schema.MinItems != nil && len(list) < *schema.MinItems {
		v.fault("expected array length >= %d", *schema.MinItems)
	}
	if schema.MaxItems != nil && len(list) > *schema.MaxItems {
		v.fault("expected array length <= %d", *schema.MaxItems)
	}
	if schema.UniqueItems && repeats(list) {
		v.fault("expected array items to be unique")
	}
	at := len(v.place)
	for i, element := range list {
		v.place = append(strconv.AppendInt(append(v.place[:at], '['), int64(i), 10), ']')
		v.value(schema.Items, element)
	}
	v.place = v.place[:at]
}

// repeats reports whether two elements are equal. It takes no longer for many that are not: anybody may send them.
func repeats(list []any) bool {
	seen := map[any]bool{}
	for _, element := range list {
		key := element
		switch e := element.(type) {
		case map[string]any, []any:
			text, _ := json.Marshal(e)    // never fails: it was JSON. Names are sorted.
			key = [1]string{string(text)} // no text is equal to it
		case json.Number:
			key, _ = numberOf(e)
		}
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

func (v *validator) object(schema *huma.Schema, members map[string]any) {
	if schema.MinProperties != nil && len(members) < *schema.MinProperties {
		v.fault("expected object with at least %d properties", *schema.MinProperties)
	}
	if schema.MaxProperties != nil && len(members) > *schema.MaxProperties {
		v.fault("expected object with at most %d properties", *schema.MaxProperties)
	}
	c, declared := v.of(schema), 0
	for _, name := range c.names {
		value, given := members[name]
		if given {
			declared++
		}
		switch {
		case !given && c.required[name] && !schema.Properties[name].ReadOnly:
			v.fault("expected required property %s to be present", name)
		case !given, value == nil && (!c.required[name] || schema.Nullable): // see nulls
		default:
			v.dependents(schema, members, name)
			v.in(name, func() { v.value(schema.Properties[name], value) })
		}
	}
	if declared < len(members) {
		v.additional(schema, c, members)
	}
}

// dependents tells of members that have to be there with another.
func (v *validator) dependents(schema *huma.Schema, members map[string]any, name string) {
	if members[name] == nil {
		return
	}
	for _, other := range schema.DependentRequired[name] {
		if members[other] == nil {
			v.fault("expected property %s to be present when %s is present", other, name)
		}
	}
}

// additional looks at members that are no properties. encoding/json would keep one whose name differs from a
// property's in letter case alone as that property.
func (v *validator) additional(schema *huma.Schema, c *check, members map[string]any) {
	admitted, described := schema.AdditionalProperties.(*huma.Schema)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if schema.Properties[name] != nil {
			continue
		}
		v.in(name, func() {
			switch {
			case schema.AdditionalProperties == false,
				slices.ContainsFunc(c.names, func(known string) bool { return strings.EqualFold(known, name) }):
				v.fault("unexpected property")
			case described:
				v.value(admitted, members[name])
			}
		})
	}
}

// numberOf is the value of a number as JSON has it, or as a tag of a field does.
func numberOf(value any) (number float64, ok bool) {
	if text, isText := value.(json.Number); isText {
		number, err := text.Float64()
		return number, err == nil
	}
	switch v := reflect.ValueOf(value); {
	case !v.IsValid():
		return 0, false
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}

func equalValues(one, other any) bool {
	a, isNumber := numberOf(one)
	b, alsoNumber := numberOf(other)
	if isNumber || alsoNumber {
		return isNumber && alsoNumber && a == b
	}
	return reflect.DeepEqual(one, other)
}
