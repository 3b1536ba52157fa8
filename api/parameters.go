package api

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/internal/form"
)

// readParameters decodes the parameters of a request, once, and refuses what cannot be decoded
// or would be understood in part: a model would believe that its filter had been applied. Huma
// gets what was decoded here and reads nothing of the request itself.
func (s *Service) readParameters(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	if u.RawQuery == "" && len(ctx.Operation().Parameters) == 0 {
		next(ctx)
		return
	}
	query, err := form.Parse(u.RawQuery)
	var fault *form.Fault
	if errors.As(err, &fault) {
		s.refuseParameters(ctx, parameterFault("query", fault.Name, fault.Reason))
		return
	}
	p := parameters{original: ctx, query: query, path: map[string]string{}}
	if faults := p.check(ctx.Operation().Parameters); len(faults) > 0 {
		s.refuseParameters(ctx, faults...)
		return
	}
	next(p)
}

func (s *Service) refuseParameters(ctx huma.Context, faults ...error) {
	_ = huma.WriteErr(s.huma, ctx, http.StatusUnprocessableEntity, "validation failed", faults...)
}

func parameterFault(in, name, message string) error {
	if name != "" {
		in += "." + name
	}
	return &huma.ErrorDetail{Location: in, Message: message}
}

type original huma.Context // whose own name would hide its method of that name

// parameters is a request whose parameters have been read.
type parameters struct {
	original
	query url.Values
	path  map[string]string
}

func (p parameters) Unwrap() huma.Context { return p.original }

func (p parameters) Query(name string) string { return p.query.Get(name) }

func (p parameters) URL() url.URL {
	u := p.original.URL()
	u.RawQuery = p.query.Encode()
	return u
}

func (p parameters) Param(name string) string {
	if value, ok := p.path[name]; ok {
		return value
	}
	return p.original.Param(name)
}

// check holds each declared parameter against its form, and writes numbers as Go reads them.
func (p parameters) check(declared []*huma.Param) (faults []error) {
	for _, d := range declared {
		values, given := p.query[d.Name]
		switch {
		case d.In == "path":
			values = []string{p.original.Param(d.Name)}
		case !given:
			continue
		}
		read, message := readValues(d, values)
		switch {
		case message != "":
			faults = append(faults, parameterFault(d.In, d.Name, message))
		case d.In == "query":
			p.query[d.Name] = read
		default:
			p.path[d.Name] = read[0]
		}
	}
	return faults
}

// readValues returns what is wrong, or the values as Go reads them.
func readValues(d *huma.Param, values []string) (read []string, wrong string) {
	explode, schema := d.Explode != nil && *d.Explode, d.Schema
	if len(values) > 1 && !explode {
		return nil, "is given more than once; send it once"
	}
	list := schema != nil && schema.Type == huma.TypeArray
	for _, value := range values {
		switch {
		case value == "":
			return nil, "is empty; leave it out or give it a value"
		case !utf8.ValidString(value):
			return nil, "is not text in UTF-8"
		case strings.Contains(value, "\x00"): // Postgres keeps no text with one
			return nil, "has a character that no text has (U+0000)"
		case d.In == "path" && strings.Contains(value, "/"):
			return nil, "has a slash, which no value here has"
		}
		if value, wrong = cleanParameter(d, value); wrong != "" {
			return nil, wrong
		}
		elements := []string{value}
		if list && !explode {
			elements = strings.Split(value, ",")
		}
		for i, element := range elements {
			if elements[i], wrong = readScalar(schema, element); wrong != "" {
				return nil, wrong
			}
		}
		read = append(read, strings.Join(elements, ","))
	}
	return read, ""
}

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
			return "", "must be a whole number, such as 25"
		}
		if _, err := strconv.ParseInt(read, 10, 64); err != nil {
			return "", "is a number further from 0 than can be kept here"
		}
		return read, ""
	case huma.TypeNumber:
		if !jsonNumber.MatchString(text) {
			return "", "must be a number, such as 2.5"
		}
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "", "is a number further from 0 than can be kept here"
		}
	case huma.TypeBoolean:
		if text != "true" && text != "false" {
			return "", "must be true or false"
		}
	}
	return text, ""
}

// beyondIntegers reports whether a number is further from 0 than any integer of Go.
func beyondIntegers(number string) bool {
	n, _ := strconv.ParseFloat(number, 64) // infinite if it is even beyond those
	return math.Abs(n) >= 1<<63
}
