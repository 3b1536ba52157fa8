package site

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Detail is what /docs shows of an operation beside what all pages do. It is read from the published document.
type Detail struct {
	Description string
	Parameters  []Input
	Body        []Member
	Answers     []Answer
	Samples     []Sample
	BodyExample string // indented; "": it takes none
}

// An Input is a parameter.
type Input struct {
	Member
	In      string   // path or query
	Choices []string // all that it may be; none: it is written
	Number  bool
	List    string // how its values are sent: repeated or joined by commas; "": it is no list
}

// A Member of a body or an answer, or a parameter.
type Member struct {
	Name        string // those of objects within are written with dots, and those of lists with []
	Kind        string // type and limits
	Pattern     string // regular expression; "": none
	Required    bool
	Description string
	Example     string // in JSON; "": the document has none
}

// An Answer has a status, and the members that come with it.
type Answer struct {
	Status, Description string
	Members             []Member
}

// The types below are what is read of the published document, which package openapi writes.
type (
	document struct {
		Paths map[string]map[string]declared `json:"paths"` // by path and method
	}
	declared struct {
		ID          string     `json:"operationId"`
		Description string     `json:"description"`
		Security    []struct{} `json:"security"`
		Parameters  []struct {
			Name        string `json:"name"`
			In          string `json:"in"`
			Description string `json:"description"`
			Required    bool   `json:"required"`
			Explode     *bool  `json:"explode"`
			Schema      schema `json:"schema"`
		} `json:"parameters"`
		Body *struct {
			Content content `json:"content"`
		} `json:"requestBody"`
		Responses map[string]struct {
			Description string  `json:"description"`
			Content     content `json:"content"`
		} `json:"responses"`
	}
	content struct {
		JSON struct {
			Schema schema `json:"schema"`
		} `json:"application/json"`
	}
	schema struct {
		Type             string            `json:"type"`
		Description      string            `json:"description"`
		Format           string            `json:"format"`
		Enum             []any             `json:"enum"`
		Default          any               `json:"default"`
		Example          any               `json:"example"`
		Minimum          *float64          `json:"minimum"`
		ExclusiveMinimum *float64          `json:"exclusiveMinimum"`
		Maximum          *float64          `json:"maximum"`
		ExclusiveMaximum *float64          `json:"exclusiveMaximum"`
		MultipleOf       *float64          `json:"multipleOf"`
		MinLength        *float64          `json:"minLength"`
		MaxLength        *float64          `json:"maxLength"`
		Pattern          string            `json:"pattern"`
		MinItems         *float64          `json:"minItems"`
		MaxItems         *float64          `json:"maxItems"`
		UniqueItems      bool              `json:"uniqueItems"`
		Items            *schema           `json:"items"`
		Required         []string          `json:"required"`
		Properties       map[string]schema `json:"properties"`
		Values           *schema           `json:"additionalProperties"`
		Deprecated       bool              `json:"deprecated"`
	}
)

// detailed returns the operations with what the document says of them.
func detailed(operations []Operation, text []byte, server string) ([]Operation, error) {
	var read document
	if err := json.Unmarshal(text, &read); err != nil {
		return nil, fmt.Errorf("site: read the published document: %w", err)
	}
	details := map[string]*Detail{}
	for path, methods := range read.Paths {
		for method, op := range methods {
			details[op.ID] = op.detail(server+path, strings.ToUpper(method))
		}
	}
	operations = slices.Clone(operations)
	for i, op := range operations {
		if operations[i].Detail = details[op.ID]; operations[i].Detail == nil {
			return nil, fmt.Errorf("site: the published document lacks %s", op.ID)
		}
	}
	return operations, nil
}

func (op declared) detail(url, method string) *Detail {
	d := &Detail{Description: op.Description}
	for _, p := range op.Parameters {
		in := Input{Member: p.Schema.member(p.Name, p.Required), In: p.In, Choices: p.Schema.choices(),
			Number: p.Schema.Type == "integer" || p.Schema.Type == "number"}
		in.Description = cmp.Or(p.Description, in.Description)
		if p.Schema.Type == "array" {
			in.List = "repeated"
			if p.Explode != nil && !*p.Explode {
				in.List = "commas"
			}
		}
		d.Parameters = append(d.Parameters, in)
	}
	call := request{method: method, url: url, signedIn: len(op.Security) > 0}
	call.fill(op)
	if op.Body != nil {
		body := op.Body.Content.JSON.Schema
		d.Body = body.members("")
		d.BodyExample = indented(body.sampleBody())
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := op.Responses[status]
		d.Answers = append(d.Answers, Answer{Status: status, Description: response.Description,
			Members: response.Content.JSON.Schema.members("")})
	}
	d.Samples = call.samples()
	return d
}

// members lists those of an object, and of the objects in it: the required ones first, then by name.
func (s schema) members(within string) (list []Member) {
	names := slices.SortedFunc(maps.Keys(s.Properties), func(a, b string) int {
		return cmp.Or(after(slices.Contains(s.Required, a), slices.Contains(s.Required, b)), strings.Compare(a, b))
	})
	for _, name := range names {
		property := s.Properties[name]
		list = append(list, property.member(within+name, slices.Contains(s.Required, name)))
		inner, path := property, within+name
		for inner.Items != nil || inner.Values != nil {
			if inner.Items != nil {
				inner, path = *inner.Items, path+"[]"
			} else {
				inner, path = *inner.Values, path+".*"
			}
		}
		list = append(list, inner.members(path+".")...)
	}
	return list
}

// after puts what is before what is not.
func after(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func (s schema) member(name string, required bool) Member {
	m := Member{Name: name, Required: required, Description: s.Description,
		Kind: strings.Join(append([]string{s.kind()}, s.limits()...), ", "), Pattern: s.Pattern}
	if s.Items != nil {
		m.Pattern = s.Items.Pattern
	}
	if s.Example != nil {
		m.Example = compact(s.Example)
	}
	return m
}

// kind is the type in words.
func (s schema) kind() string {
	switch {
	case s.Items != nil:
		return "list of " + s.Items.kind()
	case s.Values != nil:
		return "object with members of type " + s.Values.kind()
	case s.Format != "" && s.Type == "string":
		return "string (" + s.Format + ")"
	}
	return s.Type
}

// limits are those of the values, in words.
func (s schema) limits() (list []string) {
	add := func(format string, values ...any) { list = append(list, fmt.Sprintf(format, values...)) }
	if choices := s.choices(); len(choices) > 0 && s.Type != "boolean" {
		add("one of %s", strings.Join(choices, ", "))
	}
	for _, r := range []struct {
		least, most *float64
		of          string
	}{{s.Minimum, s.Maximum, ""}, {s.MinLength, s.MaxLength, " character"}, {s.MinItems, s.MaxItems, " value"}} {
		switch {
		case r.least != nil && r.most != nil:
			add("%s to %s", plain(*r.least), counted(*r.most, r.of))
		case r.least != nil:
			add("at least %s", counted(*r.least, r.of))
		case r.most != nil:
			add("at most %s", counted(*r.most, r.of))
		}
	}
	for _, bound := range []struct {
		words string
		value *float64
	}{{"more than", s.ExclusiveMinimum}, {"less than", s.ExclusiveMaximum}, {"a multiple of", s.MultipleOf}} {
		if bound.value != nil {
			add("%s %s", bound.words, plain(*bound.value))
		}
	}
	if s.UniqueItems {
		add("each once")
	}
	if s.Items != nil {
		list = append(list, s.Items.limits()...)
	}
	if s.Default != nil {
		add("else %s", compact(s.Default))
	}
	if s.Deprecated {
		add("going away")
	}
	return list
}

// counted is a number of things; of is one of them, or "".
func counted(number float64, of string) string {
	if of != "" && number != 1 {
		of += "s"
	}
	return plain(number) + of
}

func plain(number float64) string { return strconv.FormatFloat(number, 'f', -1, 64) }

// choices are all that a value can be, if they are few.
func (s schema) choices() (list []string) {
	if s.Type == "boolean" {
		return []string{"true", "false"}
	}
	for _, value := range s.Enum {
		list = append(list, fmt.Sprint(value))
	}
	return list
}
