package gpttest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is a JSON Schema as it stands in the document (draft 2020-12, the dialect of
// OpenAPI 3.1). A nil Schema admits everything.
type Schema struct {
	compile func() (*jsonschema.Schema, error)
	steps   *steps
}

// schemaAddress is where a schema and the components it refers to are put together.
const schemaAddress = "document:///"

func (v *validator) published(node *object) *Schema {
	if node == nil {
		return nil
	}
	steps := &steps{}
	return &Schema{steps: steps, compile: sync.OnceValues(func() (*jsonschema.Schema, error) {
		compiler := newCompiler(steps)
		resource := map[string]any{"schema": exact(node)}
		for _, name := range []string{"components", "$defs"} { // of a document, or of a tool's schema
			if named := v.root.object(name); named != nil {
				resource[name] = exact(named)
			}
		}
		if err := compiler.AddResource(schemaAddress, resource); err != nil {
			return nil, err
		}
		return compiler.Compile(schemaAddress + "#/schema")
	})}
}

// newCompiler reads no file and nothing of the network.
func newCompiler(s *steps) *jsonschema.Compiler {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseRegexpEngine(s.ecmaScript)
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	for _, format := range slices.Concat(integerFormats, textFormats) {
		compiler.RegisterFormat(format)
	}
	compiler.RegisterVocabulary(&jsonschema.Vocabulary{URL: schemaAddress + "example", Compile: compileExample})
	compiler.RegisterVocabulary(s.vocabulary())
	compiler.AssertVocabs()
	return compiler
}

// example is OpenAPI's own keyword beside JSON Schema's examples. It asserts nothing.
type example struct{ value any }

func (example) Validate(*jsonschema.ValidatorContext, any) {}

func compileExample(_ *jsonschema.CompilerContext, schema map[string]any) (jsonschema.SchemaExt, error) {
	if value, ok := schema["example"]; ok {
		return example{value}, nil
	}
	return nil, nil
}

// integerFormats are those of OpenAPI's format registry that bound a number.
var integerFormats = []*jsonschema.Format{
	{Name: "int32", Validate: bounded(math.MinInt32, math.MaxInt32)},
	{Name: "int64", Validate: bounded(math.MinInt64, math.MaxInt64)},
}

// textFormats are those of OpenAPI's format registry, and one that people write, of which JSON
// Schema does not know.
var textFormats = []*jsonschema.Format{
	{Name: "byte", Validate: text(func(s string) bool {
		_, err := base64.StdEncoding.DecodeString(s)
		return err == nil
	})},
	{Name: "base64url", Validate: text(func(s string) bool {
		_, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
		return err == nil
	})},
	{Name: "url", Validate: text(func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Scheme != "" && u.Host != ""
	})},
	{Name: "password", Validate: text(func(string) bool { return true })},
}

func text(is func(string) bool) func(any) error {
	return func(value any) error {
		if s, ok := value.(string); ok && !is(s) {
			return errors.New("is of another form")
		}
		return nil
	}
}

func bounded(lowest, highest float64) func(any) error {
	return func(value any) error {
		if number, ok := rational(value); ok {
			if f, _ := number.Float64(); f < lowest || f > highest || !number.IsInt() {
				return fmt.Errorf("is not between %.0f and %.0f", lowest, highest)
			}
		}
		return nil
	}
}

// ecmaScript compiles a pattern as JSON Schema means it (ECMA-262). Go's own package
// knows no lookahead and no repetition over 1,000.
func (s *steps) ecmaScript(pattern string) (jsonschema.Regexp, error) {
	compiled, err := regexp2.Compile(pattern, regexp2.ECMAScript|regexp2.Unicode)
	if err != nil {
		return nil, err
	}
	compiled.MatchTimeout = time.Second // it backtracks
	return matcher{compiled, s}, nil
}

type matcher struct {
	*regexp2.Regexp
	steps *steps
}

func (m matcher) MatchString(text string) bool {
	matches, err := m.Regexp.MatchString(text)
	if err != nil {
		m.steps.take(slowMatch)
	}
	return matches && err == nil
}

// Validate reports why the schema does not admit value, or [ErrSteps]. The value must be as JSON is read:
// maps of strings, slices of any, strings, booleans, nil, and numbers of any kind.
func (s *Schema) Validate(value any) error {
	if s == nil {
		return nil
	}
	schema, err := s.compile()
	if err != nil {
		return fmt.Errorf("the schema cannot be read: %w", err)
	}
	return s.steps.bound(func() error { return inOneLine(schema.Validate(value)) })
}

// Names returns the names of all properties that the schema declares, at any depth.
func (s *Schema) Names() map[string]bool {
	names := map[string]bool{}
	if s == nil {
		return names
	}
	if schema, err := s.compile(); err == nil {
		collectNames(schema, names, map[*jsonschema.Schema]bool{})
	}
	return names
}

func collectNames(schema *jsonschema.Schema, names map[string]bool, seen map[*jsonschema.Schema]bool) {
	if schema == nil || seen[schema] {
		return
	}
	seen[schema] = true
	for name, inner := range schema.Properties {
		names[name] = true
		collectNames(inner, names, seen)
	}
	for _, list := range [][]*jsonschema.Schema{schema.AllOf, schema.AnyOf, schema.OneOf,
		{schema.Ref, schema.Items2020}} {
		for _, inner := range list {
			collectNames(inner, names, seen)
		}
	}
}

var english = message.NewPrinter(language.English)

// inOneLine tells where a value fails and why, without the library's tree.
func inOneLine(err error) error {
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return err
	}
	var faults []string
	for _, leaf := range leaves(failed, nil) {
		fault := leaf.ErrorKind.LocalizedString(english)
		if len(leaf.InstanceLocation) > 0 {
			fault = "/" + strings.Join(leaf.InstanceLocation, "/") + ": " + fault
		}
		faults = append(faults, fault)
	}
	return errors.New(strings.Join(faults, "; "))
}

func leaves(failed *jsonschema.ValidationError, found []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(failed.Causes) == 0 {
		return append(found, failed)
	}
	for _, cause := range failed.Causes {
		found = leaves(cause, found)
	}
	return found
}
