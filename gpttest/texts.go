package gpttest

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// texts yields strings: of the format that is asked for, of the kind that the name speaks
// of, then anything that people write, then what the patterns describe.
func (m *making) texts(name string, all []*jsonschema.Schema) iter.Seq[any] {
	shortest, longest := 0, -1
	var formats, likely, patterns []string
	for _, schema := range all {
		if schema.MinLength != nil {
			shortest = max(shortest, *schema.MinLength)
		}
		if schema.MaxLength != nil && (longest < 0 || *schema.MaxLength < longest) {
			longest = *schema.MaxLength
		}
		if schema.Format != nil {
			formats = append(formats, schema.Format.Name)
		}
		if schema.ContentEncoding != nil && schema.ContentEncoding.Name == "base64" {
			formats = append(formats, "byte")
		}
		if schema.Pattern != nil {
			patterns = append(patterns, schema.Pattern.String())
		}
	}
	for _, format := range formats {
		likely = slices.Concat(likely, m.ofFormat(format), m.ofFormatAndLength(format, shortest))
	}
	likely = slices.Concat(likely, m.ofName(name), m.usual(len(patterns) > 0))
	return func(yield func(any) bool) {
		fits := func(text string) bool {
			n := utf8.RuneCountInString(text)
			return n >= shortest && (longest < 0 || n <= longest)
		}
		for _, text := range likely {
			if fits(text) && !yield(text) {
				return
			}
		}
		for _, pattern := range patterns {
			for text := range m.fromPattern(pattern) {
				if fits(text) && !yield(text) {
					return
				}
			}
		}
		if shortest > maxCharacters {
			return // it could not be sent
		}
		for i := range 100 {
			text := "example"
			if i > 0 {
				text = fmt.Sprintf("%d example", i)
			}
			if short := shortest - len(text); short > 0 {
				text += strings.Repeat("e", short)
			}
			if longest >= 0 && len(text) > longest {
				text = text[:longest]
			}
			if !yield(text) {
				return
			}
		}
	}
}

const (
	aDay     = "2030-01-31"
	aTime    = "12:00:00Z"
	aMoment  = aDay + "T" + aTime
	anOrigin = "https://example.com/"
)

func (m *making) ofFormat(format string) []string {
	switch format {
	case "email", "idn-email":
		return []string{m.email()}
	case "uuid":
		return []string{m.uuid(), m.uuid(), m.uuid()}
	}
	return map[string][]string{
		"date": {aDay, "2030-02-28", "2030-03-31"}, "time": {aTime, "13:00:00Z"}, "date-time": {aMoment,
			"2030-02-28T12:00:00Z"},
		"duration": {"P1D", "PT1H"}, "period": {aMoment + "/P1D"},
		"uri": {anOrigin, anOrigin + "page"}, "iri": {anOrigin}, "url": {anOrigin}, "uri-reference": {anOrigin,
			"/page"}, "iri-reference": {anOrigin},
		"uri-template": {anOrigin + "{id}"}, "hostname": {"example.com",
			"www.example.com"}, "idn-hostname": {"example.com"},
		"ipv4": {"192.0.2.1", "192.0.2.2"}, "ipv6": {"2001:db8::1", "2001:db8::2"},
		"json-pointer": {"/example"}, "relative-json-pointer": {"0"}, "regex": {"^example$"}, "semver": {"1.0.0"},
		"byte": {"ZXhhbXBsZQ=="}, "password": {"Guest-pass-1"},
	}[format]
}

// ofFormatAndLength returns texts for those who want them shorter than usual, or longer. No
// address is that of a stranger: the names are reserved (RFC 6761).
func (m *making) ofFormatAndLength(format string, shortest int) []string {
	long := m.letters(min(max(shortest, 1), maxCharacters))
	switch format {
	case "email", "idn-email":
		name, domain, _ := strings.Cut(m.email(), "@")
		texts := []string{m.letters(2) + "@" + domain, m.letters(2) + "@b.test", m.letters(1) + "@b.test",
			m.letters(1) + "@test", "a@b"}
		if more := shortest - len(name) - len(domain) - 1; more > 0 {
			texts = append(texts, name+m.letters(more)+"@"+domain)
		}
		return texts
	case "uri", "uri-reference", "iri", "iri-reference", "url", "uri-template":
		return []string{"http://b.test", "http://b", "urn:a:b", "a:b", anOrigin + long}
	case "hostname", "idn-hostname":
		return []string{"b.test", "test", "b"}
	case "ipv6":
		return []string{"::1", "::"}
	case "byte":
		return []string{"ZXhh", "", strings.Repeat("ZXhh", (shortest+3)/4)}
	case "base64url":
		return []string{"ZXhhbXBsZQ", "ZXhh", "", strings.Repeat("ZXhh", (shortest+3)/4)}
	case "password":
		return []string{"Guest-1", "Gu-1", long}
	}
	return nil
}

// ofName returns texts for a name that says what is meant.
func (m *making) ofName(name string) []string {
	name = strings.ToLower(name)
	for _, kind := range []struct {
		part  string
		texts func() []string
	}{
		{"email", func() []string { return append([]string{m.email()}, m.ofFormatAndLength("email", 0)...) }},
		{"e_mail", func() []string { return []string{m.email()} }},
		{"url", func() []string { return []string{anOrigin} }},
		{"uri", func() []string { return []string{anOrigin} }},
		{"first_name", func() []string { return []string{"Mary"} }},
		{"last_name", func() []string { return []string{"Guest"} }},
		{"username", func() []string { return []string{"guest-" + m.letters(6)} }},
		{"request_id", func() []string { return []string{"call-" + m.letters(6)} }},
		{"idempotency", func() []string { return []string{"call-" + m.letters(6)} }},
		{"phone", func() []string { return []string{"+12025550123"} }},
		{"currency", func() []string { return []string{"EUR"} }},
		{"country", func() []string { return []string{"NL"} }},
		{"language", func() []string { return []string{"en"} }},
		{"timezone", func() []string { return []string{"Europe/Amsterdam"} }},
		{"name", func() []string { return []string{"Mary Guest"} }},
		{"date", func() []string { return []string{aDay} }},
	} {
		if strings.Contains(name, kind.part) {
			return kind.texts()
		}
	}
	return nil
}

// usual returns texts of the forms that patterns mostly describe.
func (m *making) usual(patterned bool) []string {
	if !patterned {
		return []string{"example"}
	}
	return []string{"example", aDay, aMoment, anOrigin, "12:00", m.email(), m.uuid(), "Mary Guest", "+12025550123",
		"1.0.0", "Guest-pass-1", "#336699", "EUR", "en", "en-GB"}
}

func (m *making) email() string {
	domain := m.EmailDomain
	if domain == "" {
		domain = "example.com"
	}
	return "guest-" + m.letters(6) + "@" + domain
}

func (m *making) letters(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = "abcdefghijklmnopqrstuvwxyz234567"[m.random.IntN(32)]
	}
	return string(text)
}

func (m *making) uuid() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(m.random.IntN(256)) // #nosec G115 -- a byte
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // RFC 9562 section 5.4: version 4
	return id.String()
}
