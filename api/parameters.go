package api

import (
	"cmp"
	"encoding"
	"errors"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/internal/form"
)

// A parameter is a field of an input that is tagged path or query.
type parameter struct {
	name, in string
	kind     reflect.Type
	schema   *huma.Schema
	explode  bool   // each value of a list stands for itself
	required bool   // in the query; in the path it always is
	fallback string // as text; "" for none
	layout   string // of a time
}

// parameterOf is the parameter that a field takes, if it takes one.
func (s *Service) parameterOf(field reflect.StructField) (p parameter, ok bool) {
	tag, in := field.Tag.Get("path"), "path"
	if tag == "" {
		tag, in = field.Tag.Get("query"), "query"
	}
	if tag == "" || field.Name == "Body" {
		return parameter{}, false
	}
	name, options, _ := strings.Cut(tag, ",")
	p = parameter{name: name, in: in, kind: field.Type, schema: huma.SchemaFromField(s.schemas, field, ""),
		explode:  slices.Contains(strings.Split(options, ","), "explode"),
		required: field.Tag.Get("required") == "true", fallback: field.Tag.Get("default"),
		layout: cmp.Or(field.Tag.Get("timeFormat"), time.RFC3339Nano)}
	if wrapper, wrapped := reflect.New(field.Type).Interface().(huma.ParamWrapper); wrapped {
		p.kind = wrapper.Receiver().Type()
	}
	return p, true
}

// readParameters decodes the parameters of a request, once, and refuses what cannot be decoded
// or would be understood in part: a model would believe that its filter had been applied.
func (r *reading) readParameters() *Problem {
	u, declared := r.original.URL(), r.input.parameters
	if u.RawQuery == "" && len(declared) == 0 {
		return nil
	}
	query, err := form.Parse(u.RawQuery)
	var fault *form.Fault
	if errors.As(err, &fault) {
		return faulty(parameterFault("query", fault.Name, fault.Reason))
	}
	r.query = query
	if faults := r.decodeParameters(); len(faults) > 0 {
		return faulty(faults...)
	}
	if unknown := r.unknownParameters(); len(unknown) > 0 {
		return faulty(unknown...)
	}
	for i := range declared {
		r.checkParameter(&declared[i])
	}
	return nil
}

func parameterFault(in, name, message string) FieldProblem {
	if name != "" {
		in += "." + name
	}
	return FieldProblem{Location: in, Message: message}
}

// decodeParameters writes numbers as Go reads them, and texts without what nobody sees.
func (r *reading) decodeParameters() (faults []FieldProblem) {
	for i := range r.input.parameters {
		p := &r.input.parameters[i]
		values, given := r.query[p.name]
		switch {
		case p.in == "path":
			values = []string{r.original.Param(p.name)}
		case !given:
			continue
		}
		decoded, wrong := p.decode(values)
		switch {
		case wrong != "":
			faults = append(faults, parameterFault(p.in, p.name, wrong))
		case p.in == "query":
			r.query[p.name] = decoded
		default:
			if r.path == nil {
				r.path = map[string]string{}
			}
			r.path[p.name] = decoded[0]
		}
	}
	return faults
}

func (r *reading) unknownParameters() (faults []FieldProblem) {
	for name := range r.query {
		named := func(p parameter) bool { return p.in == "query" && p.name == name }
		if !slices.ContainsFunc(r.input.parameters, named) {
			faults = append(faults, parameterFault("query", name, "unknown query parameter"))
		}
	}
	slices.SortFunc(faults, func(a, b FieldProblem) int { return strings.Compare(a.Location, b.Location) })
	return faults
}

// checkParameter holds what was decoded, or the default, against the type and the schema.
func (r *reading) checkParameter(p *parameter) {
	texts := r.query[p.name]
	switch {
	case p.in == "path":
		texts = []string{r.path[p.name]}
	case len(texts) > 0:
	case p.fallback != "" && !p.explode:
		texts = []string{p.fallback}
	default:
		if p.required && p.fallback == "" {
			r.faults = append(r.faults, parameterFault("query", p.name, "required query parameter is missing"))
		}
		return
	}
	value, wrong := p.value(texts)
	if wrong != "" {
		r.faults = append(r.faults, parameterFault(p.in, p.name, wrong))
		return
	}
	r.validate(p.schema, value, p.in+"."+p.name)
}

// decode returns what is wrong, or the values as Go reads them.
func (p *parameter) decode(values []string) (decoded []string, wrong string) {
	if len(values) > 1 && !p.explode {
		return nil, "is given more than once; send it once"
	}
	list := p.schema != nil && p.schema.Type == huma.TypeArray
	for _, value := range values {
		switch {
		case value == "":
			return nil, "is empty; leave it out or give it a value"
		case !utf8.ValidString(value):
			return nil, "is not text in UTF-8"
		case strings.Contains(value, "\x00"): // Postgres keeps no text with one
			return nil, "has a character that no text has (U+0000)"
		case p.in == "path" && strings.Contains(value, "/"):
			return nil, "has a slash, which no value here has"
		}
		if value, wrong = p.clean(value); wrong != "" {
			return nil, wrong
		}
		elements := []string{value}
		if list && !p.explode {
			elements = strings.Split(value, ",")
		}
		for i, element := range elements {
			if elements[i], wrong = readScalar(p.schema, element); wrong != "" {
				return nil, wrong
			}
		}
		decoded = append(decoded, strings.Join(elements, ","))
	}
	return decoded, ""
}

// What a value is told to be that Go cannot read as the type of its field.
const (
	wantsWhole = "must be a whole number, such as 25"
	wantsReal  = "must be a number, such as 2.5"
	wantsTruth = "must be true or false"
	wantsForm  = "is not of the form that is wanted here"
)

// readScalar takes numbers and truth values as JSON writes them; Go would take 007, +5 and NaN
// for numbers too, and T for true.
func readScalar(schema *huma.Schema, text string) (read, wrong string) {
	if schema != nil && schema.Type == huma.TypeArray {
		schema = schema.Items
	}
	if schema == nil {
		return text, ""
	}
	switch schema.Type {
	case huma.TypeInteger:
		read = canonicalNumber(text)
		if !jsonNumber.MatchString(text) || strings.ContainsAny(read, ".eE") && !beyondIntegers(read) {
			return "", wantsWhole
		}
		if _, err := strconv.ParseInt(read, 10, 64); err != nil {
			return "", "is a number further from 0 than can be kept here"
		}
		return read, ""
	case huma.TypeNumber:
		if !jsonNumber.MatchString(text) {
			return "", wantsReal
		}
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "", "is a number further from 0 than can be kept here"
		}
	case huma.TypeBoolean:
		if text != "true" && text != "false" {
			return "", wantsTruth
		}
	}
	return text, ""
}

// beyondIntegers reports whether a number is further from 0 than any integer of Go.
func beyondIntegers(number string) bool {
	n, _ := strconv.ParseFloat(number, 64) // infinite if it is even beyond those
	return math.Abs(n) >= 1<<63
}

// value is what Huma makes of the texts, as a schema is held against it, or why it cannot make anything of them.
func (p *parameter) value(texts []string) (value any, wrong string) {
	if p.kind.Kind() != reflect.Slice {
		return p.scalar(texts[0])
	}
	element, read := p.kind.Elem(), plainValue
	switch {
	case isPlain(element.Kind()):
	case readsItself(element):
		read = ownValue
	default:
		return ownValue(p.kind, texts[0])
	}
	if !p.explode {
		texts = strings.Split(texts[0], ",")
	}
	list := make([]any, len(texts))
	for i, text := range texts {
		if list[i], wrong = read(element, text); wrong != "" {
			return nil, wrong
		}
	}
	return list, ""
}

func (p *parameter) scalar(text string) (value any, wrong string) {
	switch {
	case isPlain(p.kind.Kind()):
		return plainValue(p.kind, text)
	case p.kind.Kind() == reflect.Bool:
		truth, err := strconv.ParseBool(text)
		return truth, unless(err, wantsTruth)
	case p.kind == reflect.TypeFor[time.Time]():
		_, err := time.Parse(p.layout, text)
		return text, unless(err, "must be a date and time, such as "+sometime.Format(p.layout))
	case p.kind == reflect.TypeFor[url.URL]():
		_, err := url.Parse(text)
		return text, unless(err, wantsURL)
	}
	return ownValue(p.kind, text)
}

// sometime stands for any time in examples.
var sometime = time.Date(2026, time.December, 31, 9, 30, 0, 0, time.UTC)

func unless(err error, wrong string) string {
	if err == nil {
		return ""
	}
	return wrong
}

// isPlain reports whether a kind is of texts or of numbers.
func isPlain(kind reflect.Kind) bool {
	return kind == reflect.String || isInt(kind) || isUint(kind) || isFloat(kind)
}

func isInt(kind reflect.Kind) bool { return reflect.Int <= kind && kind <= reflect.Int64 }

func isUint(kind reflect.Kind) bool { return reflect.Uint <= kind && kind <= reflect.Uint64 }

func isFloat(kind reflect.Kind) bool { return kind == reflect.Float32 || kind == reflect.Float64 }

func plainValue(t reflect.Type, text string) (value any, wrong string) {
	switch kind := t.Kind(); {
	case isInt(kind):
		number, err := strconv.ParseInt(text, 10, t.Bits())
		return number, unless(err, wantsWhole)
	case isUint(kind):
		number, err := strconv.ParseUint(text, 10, t.Bits())
		return number, unless(err, wantsWhole)
	case isFloat(kind):
		number, err := strconv.ParseFloat(text, t.Bits())
		return number, unless(err, wantsReal)
	}
	return text, ""
}

func readsItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// ownValue is a text that a type of its own reads.
func ownValue(t reflect.Type, text string) (value any, wrong string) {
	if !readsItself(t) || reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)) != nil {
		return nil, wantsForm
	}
	return text, ""
}
