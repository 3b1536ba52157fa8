package site

import (
	"net/url"
	"slices"
	"strings"

	"guestpass/internal/pattern"
)

// A Sample is a call of an operation as code. The token is a placeholder, also for who has signed in: samples are
// copied and passed on.
type Sample struct{ Language, Code string }

const placeholder = "Bearer ACCESS_TOKEN"

// A request is a small call of an operation, with capitals where an id belongs.
type request struct {
	method, url string
	signedIn    bool
	body        string // compact JSON; "": none
}

var inBraces = pattern.New(`\{(\w+)\}`)

// fill puts in what the operation requires.
func (r *request) fill(op declared) {
	r.url = inBraces.ReplaceAllStringFunc(r.url, func(name string) string {
		return strings.ToUpper(strings.Trim(name, "{}"))
	})
	query := url.Values{}
	for _, p := range op.Parameters {
		if p.In == "query" && p.Required {
			query.Set(p.Name, strings.Trim(compact(p.Schema.sample()), `"`))
		}
	}
	if len(query) > 0 {
		r.url += "?" + query.Encode()
	}
	if op.Body != nil {
		r.body = compact(op.Body.Content.JSON.Schema.sampleBody())
	}
}

// sampleBody has what is required, or one member when nothing is.
func (s schema) sampleBody() object {
	body, names := object{}, s.Required
	if members := s.members(""); len(names) == 0 && len(members) > 0 {
		names = []string{members[0].Name}
	}
	for _, name := range names {
		body[name] = s.Properties[name].sample()
	}
	return body
}

// sample is a value that the schema admits, if no pattern asks for more.
func (s schema) sample() any {
	for _, value := range []any{s.Example, s.Default} {
		if value != nil {
			return value
		}
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	switch s.Type {
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case "boolean":
		return true
	case "array":
		if s.Items != nil && s.MinItems != nil && *s.MinItems > 0 {
			return []any{s.Items.sample()}
		}
		return []any{}
	case "object":
		return s.sampleBody()
	}
	switch s.Format {
	case "email":
		return "ada@example.com"
	case "uri":
		return "https://example.com/"
	case "date":
		return "2030-01-31"
	case "date-time":
		return "2030-01-31T09:00:00Z"
	}
	return "example"
}

func (r request) samples() []Sample {
	return []Sample{{"curl", r.curl()}, {"PowerShell", r.powerShell()}, {"JavaScript", r.javaScript()},
		{"Python", r.python()}}
}

func (r request) curl() string {
	quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
	lines := []string{"curl -X " + r.method + " " + quoted(r.url)}
	for _, header := range r.headers() {
		lines = append(lines, "  -H "+quoted(header[0]+": "+header[1]))
	}
	if r.body != "" {
		lines = append(lines, "  -d "+quoted(r.body))
	}
	return strings.Join(lines, " \\\n")
}

func (r request) powerShell() string {
	quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	lines := []string{"Invoke-RestMethod -Method " + r.method + " -Uri " + quoted(r.url)}
	if r.signedIn {
		lines = append(lines, "  -Headers @{ Authorization = "+quoted(placeholder)+" }")
	}
	if r.body != "" {
		lines = append(lines, "  -ContentType 'application/json' -Body "+quoted(r.body))
	}
	return strings.Join(lines, " `\n")
}

func (r request) javaScript() string {
	lines := []string{"const response = await fetch(" + compact(r.url) + ", {", "  method: " + compact(r.method) + ","}
	lines = append(lines, r.headerLines("  headers: {", "  ")...)
	if r.body != "" {
		lines = append(lines, "  body: JSON.stringify("+r.body+"),")
	}
	return strings.Join(append(lines, "});", "console.log(await response.json());"), "\n")
}

func (r request) python() string {
	lines := []string{"import requests", "", "response = requests." + strings.ToLower(r.method) + "(",
		"    " + compact(r.url) + ","}
	lines = append(lines, r.headerLines("    headers={", "    ")...)
	if r.body != "" {
		lines = append(lines, "    data="+compact(r.body)+",")
	}
	return strings.Join(append(lines, ")", "print(response.json())"), "\n")
}

// headerLines are those of an object that both languages write alike.
func (r request) headerLines(begin, indent string) (lines []string) {
	for _, header := range r.headers() {
		lines = append(lines, indent+"  "+compact(header[0])+": "+compact(header[1])+",")
	}
	if lines == nil {
		return nil
	}
	return slices.Concat([]string{begin}, lines, []string{indent + "},"})
}

// headers are names and values, in the order in which they are shown.
func (r request) headers() (list [][2]string) {
	if r.signedIn {
		list = append(list, [2]string{"Authorization", placeholder})
	}
	if r.body != "" {
		list = append(list, [2]string{"Content-Type", "application/json"})
	}
	return list
}
