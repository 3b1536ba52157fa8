package page

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"

	"guestpass/internal/pattern"
)

//go:embed words
var wordFiles embed.FS

// first is the language of who asks for none that there is, and of pages for builders.
const first = "en"

// ofComponent begins the keys of Stytch's component, whose own words are English: what a language does not say, the
// component says. The rest of such a key is the component's.
const ofComponent = "stytch."

// ofScope begins the keys of what scopes are for, by their names. A language may say it of any scope; what it does not
// say, the declaration of the scope does.
const ofScope = "scope."

// ofDone begins the keys of what operations have done, by their ids, and ofField those of the names of fields. A
// language may say it of any; what it does not say, the declaration of the operation does, or the name itself.
const (
	ofDone  = "done."
	ofField = "field."
)

// ofMeaning begins the keys of texts that programs declare, of what scopes are for and operations do, by the texts
// themselves: so that a language speaks of the same, and of nothing else that somebody declares by the same name.
const ofMeaning = "means."

// isOptional reports whether a language may leave a key out: another place says it then.
func isOptional(key string) bool { return strings.HasPrefix(key, ofComponent) || isDeclared(key) }

// isDeclared reports whether a key is about what operations, and so programs, declare: there are any of these.
func isDeclared(key string) bool {
	return strings.HasPrefix(key, ofScope) || strings.HasPrefix(key, ofDone) || strings.HasPrefix(key, ofField) ||
		strings.HasPrefix(key, ofMeaning)
}

const longestText = 1000 // characters

// words are the texts of a language, by key. {name} is a place for a value. They are plain text.
type words map[string]string

// A catalogue has the words of all languages.
type catalogue struct {
	tags    []string // the first one first
	words   map[string]words
	fixed   string // the language of everybody; "": the reader's
	matcher language.Matcher
}

// newCatalogue reads the words that are built in, and puts those that are given in their place. A language that is not
// built in must be given whole. fixed may be "".
func newCatalogue(given map[string]map[string]string, fixed string) (*catalogue, error) {
	c := &catalogue{words: map[string]words{}, fixed: fixed}
	entries, err := wordFiles.ReadDir("words")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		content, err := wordFiles.ReadFile("words/" + entry.Name())
		if err != nil {
			return nil, err
		}
		var built words
		if err := json.Unmarshal(content, &built); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		c.words[strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))] = built
	}
	known := c.known()
	var faults []error
	for _, tag := range slices.Sorted(maps.Keys(given)) {
		faults = append(faults, c.replace(known, tag, given[tag])...)
	}
	if _, found := c.words[fixed]; fixed != "" && !found {
		faults = append(faults, fmt.Errorf("there are no words of the language %q: there are %s", fixed,
			strings.Join(slices.Sorted(maps.Keys(c.words)), ", ")))
	}
	c.order()
	return c, errors.Join(faults...)
}

// known returns the texts that say which keys there are, and which places each has.
func (c *catalogue) known() words {
	known := words{}
	for _, built := range c.words {
		maps.Copy(known, built)
	}
	maps.Copy(known, c.words[first])
	return known
}

// replace puts texts in the place of those of a language.
func (c *catalogue) replace(known words, tag string, texts map[string]string) (faults []error) {
	if err := CheckLanguage(tag); err != nil {
		return []error{fmt.Errorf("words of %q: this %w", tag, err)}
	}
	all := maps.Clone(c.words[tag])
	if all == nil {
		all = words{}
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if err := checkText(known, key, texts[key]); err != nil {
			faults = append(faults, fmt.Errorf("words of %s: %w", tag, err))
		}
		all[key] = texts[key]
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if _, found := all[key]; !found && !isOptional(key) {
			faults = append(faults, fmt.Errorf("words of %s: %s is missing: of a language that is not built in all "+
				"must be given", tag, key))
		}
	}
	c.words[tag] = all
	return faults
}

// CheckLanguage checks the form of Options.Language.
func CheckLanguage(tag string) error {
	if parsed, err := language.Parse(tag); err != nil || parsed.String() != tag || parsed.IsRoot() {
		return errors.New("must be the tag of a language, such as de or pt-BR")
	}
	return nil
}

var place = pattern.New(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// places returns the places of a text, each once, in order of the alphabet.
func places(text string) []string {
	var names []string
	for _, match := range place.Regexp().FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func checkText(known words, key, text string) error {
	of, found := known[key]
	switch {
	case !found && !isDeclared(key):
		return fmt.Errorf("there is no key %q", key)
	case strings.TrimSpace(text) == "" || len([]rune(text)) > longestText:
		return fmt.Errorf("%s must have from 1 to %d characters", key, longestText)
	case strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("%s has line ends or other control characters", key)
	case !slices.Equal(places(of), places(text)) && !strings.HasPrefix(key, ofDone):
		return fmt.Errorf("%s must have the places {%s}, each at least once, and no others", key,
			strings.Join(places(of), "}, {"))
	}
	return nil
}

// order makes the matcher.
func (c *catalogue) order() {
	c.tags = []string{first}
	for _, tag := range slices.Sorted(maps.Keys(c.words)) {
		if tag != first {
			c.tags = append(c.tags, tag)
		}
	}
	var tags []language.Tag
	for _, tag := range c.tags {
		tags = append(tags, language.Make(tag))
	}
	c.matcher = language.NewMatcher(tags)
}

// maxAccepted is how much of an Accept-Language is looked at.
const maxAccepted = 200

// Language returns the language in which a page is shown to who asks (RFC 9110 section 12.5.4), and tells caches that
// the answer depends on it.
func (p *Pages) Language(w http.ResponseWriter, r *http.Request) string {
	c := p.catalogue
	if c.fixed != "" {
		return c.fixed
	}
	w.Header().Add("Vary", "Accept-Language")
	accepted := r.Header.Get("Accept-Language")
	if len(accepted) > maxAccepted {
		return first
	}
	tags, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil {
		return first
	}
	_, i, _ := c.matcher.Match(tags...)
	return c.tags[i]
}

// functions are what templates of a language can ask. Values are given by name: t "key" "name" value.
func (w words) functions() template.FuncMap {
	return template.FuncMap{
		"t":     w.markup,                       // for the page, with each text that is a value set apart
		"say":   w.text,                         // plain, for attributes and within others
		"link":  element(`<a href="%s">%s</a>`), // to, words
		"bold":  element("<b>%s</b>"),           // words
		"code":  element("<code>%s</code>"),     // text
		"time":  w.time,                         // of an event
		"scope": w.scope,                        // what it is for: name, and what its declaration says
		"done":  w.doneMarkup,                   // what an operation has done: see Deed
		"means": w.meaning,                      // what is declared, in the language
		"field": w.field,                        // what a field is called: its name
		"of":    w.of,                           // those of a script or of the component
	}
}

// markup returns the words as HTML. A value that is text may be anybody's, and of any direction of writing: it stands
// in an element of its own.
func (w words) markup(key string, values ...any) (template.HTML, error) {
	text, err := w.filled(key, values, func(value any) string {
		switch v := value.(type) {
		case template.HTML:
			return string(v)
		case string:
			return "<bdi>" + html.EscapeString(v) + "</bdi>"
		}
		return html.EscapeString(fmt.Sprint(value))
	}, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace)
	return template.HTML(text), err // #nosec G203 -- escaped piece by piece
}

func (w words) text(key string, values ...any) (string, error) {
	same := func(text string) string { return text }
	return w.filled(key, values, func(value any) string { return fmt.Sprint(value) }, same)
}

func (w words) filled(key string, values []any, show func(any) string, escape func(string) string) (string, error) {
	text, found := w[key]
	if !found {
		return "", fmt.Errorf("there are no words %q", key)
	}
	if list, ok := one(values).([]any); ok {
		values = list
	}
	var b strings.Builder
	end := 0
	for _, at := range place.Regexp().FindAllStringSubmatchIndex(text, -1) {
		name := text[at[2]:at[3]]
		i := slices.IndexFunc(values, func(v any) bool { return v == any(name) })
		if i < 0 || i%2 != 0 || i+1 == len(values) {
			return "", fmt.Errorf("the words %q have a place %q for which there is no value", key, name)
		}
		b.WriteString(escape(text[end:at[0]]))
		b.WriteString(show(values[i+1]))
		end = at[1]
	}
	b.WriteString(escape(text[end:]))
	return b.String(), nil
}

// one returns the only value, which may be the list of them.
func one(values []any) any {
	if len(values) == 1 {
		return values[0]
	}
	return nil
}

// element returns a function that puts texts into markup.
func element(format string) func(texts ...any) template.HTML {
	return func(texts ...any) template.HTML {
		for i, text := range texts {
			if _, markup := text.(template.HTML); !markup {
				texts[i] = html.EscapeString(fmt.Sprint(text))
			}
		}
		return template.HTML(fmt.Sprintf(format, texts...)) // #nosec G203 -- escaped
	}
}

func (w words) time(at time.Time) (template.HTML, error) {
	at = at.UTC()
	months := strings.Split(w["layout.months"], ",")
	if len(months) != 12 {
		return "", errors.New("layout.months must have twelve, with a comma between two")
	}
	shown, err := w.text("layout.time", "day", at.Day(), "month", strings.TrimSpace(months[at.Month()-1]),
		"year", at.Year(), "clock", at.Format("15:04"))
	return template.HTML(`<time datetime="` + at.Format("2006-01-02T15:04:05Z") + `">` + // #nosec G203 -- escaped
		html.EscapeString(shown) + "</time>"), err
}

func (w words) scope(name, declared string) string {
	return cmp.Or(w[ofScope+name], w.meaning(declared))
}

// meaning returns a declared text in the language.
func (w words) meaning(declared string) string { return cmp.Or(w[ofMeaning+declared], declared) }

// A Deed is what an operation has done.
type Deed struct {
	Operation string            // its id
	Done      string            // its declaration's words
	Summary   string            // for where there are no words, or a value is missing
	Values    map[string]string // for the places of the words
}

// doneMarkup returns what was done, in words of the language or else of the declaration.
func (w words) doneMarkup(d Deed) (template.HTML, error) {
	for _, text := range []string{w[ofDone+d.Operation], d.Done} {
		if values, ok := d.valuesFor(text); ok {
			return words{"": text}.markup("", values...)
		}
	}
	return template.HTML(html.EscapeString(d.Summary)), nil // #nosec G203 -- escaped
}

func (w words) doneText(d Deed) (string, error) {
	for _, text := range []string{w[ofDone+d.Operation], d.Done} {
		if values, ok := d.valuesFor(text); ok {
			return words{"": text}.text("", values...)
		}
	}
	return d.Summary, nil
}

// valuesFor returns the values for the places of a text, and reports whether there is a text and each of its places has
// one.
func (d Deed) valuesFor(text string) (values []any, ok bool) {
	for _, name := range places(text) {
		if d.Values[name] == "" {
			return nil, false
		}
		values = append(values, name, d.Values[name])
	}
	return values, text != ""
}

func (w words) field(name string) string {
	return cmp.Or(w[ofField+name], strings.ReplaceAll(name, "_", " "))
}

// Say returns the words of a key in a language, as plain text. Values are given by name.
func (p *Pages) Say(tag, key string, values ...any) (string, error) {
	return p.catalogue.words[tag].text(key, values...)
}

// Done returns what was done, as plain text in a language.
func (p *Pages) Done(tag string, d Deed) (string, error) { return p.catalogue.words[tag].doneText(d) }

// Scopes puts what a language says of scopes in the place of what their declarations say, by name.
func (p *Pages) Scopes(tag string, declared map[string]string) map[string]string {
	said := maps.Clone(declared)
	for name, text := range said {
		said[name] = p.catalogue.words[tag].scope(name, text)
	}
	return said
}

// of returns the words whose keys have the beginning, by the rest of the key.
func (w words) of(beginning string) map[string]string {
	some := map[string]string{}
	for key, text := range w {
		if rest, ok := strings.CutPrefix(key, beginning); ok {
			some[rest] = text
		}
	}
	return some
}
