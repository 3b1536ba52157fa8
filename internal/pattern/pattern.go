// Package pattern has regular expressions that are compiled when they are first used. A program has a hundred of them,
// and a start, of which compiling all takes a tenth, needs a few.
package pattern

import (
	"regexp"
	"slices"
	"sync"
)

// A Pattern is a regular expression of package regexp. It is for a variable of a package, and safe for concurrent use.
type Pattern struct {
	expression string
	compiled   func() *regexp.Regexp
}

// all are those of the program; guarded by mu.
var (
	mu  sync.Mutex
	all []*Pattern
)

// New does not look at the expression: a faulty one panics when it is first used, and in the test that compiles all.
func New(expression string) *Pattern {
	p := &Pattern{expression, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })}
	mu.Lock()
	defer mu.Unlock()
	all = append(all, p)
	return p
}

// All returns the patterns of the program, for a test.
func All() []*Pattern {
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(all)
}

// Regexp compiles the expression, once.
func (p *Pattern) Regexp() *regexp.Regexp { return p.compiled() }

// String returns the expression.
func (p *Pattern) String() string { return p.expression }

// These do what the methods of [regexp.Regexp] do.
func (p *Pattern) MatchString(s string) bool            { return p.compiled().MatchString(s) }
func (p *Pattern) Match(b []byte) bool                  { return p.compiled().Match(b) }
func (p *Pattern) FindString(s string) string           { return p.compiled().FindString(s) }
func (p *Pattern) FindStringSubmatch(s string) []string { return p.compiled().FindStringSubmatch(s) }
func (p *Pattern) FindStringIndex(s string) []int       { return p.compiled().FindStringIndex(s) }
func (p *Pattern) ReplaceAllString(src, repl string) string {
	return p.compiled().ReplaceAllString(src, repl)
}
func (p *Pattern) ReplaceAllStringFunc(src string, repl func(string) string) string {
	return p.compiled().ReplaceAllStringFunc(src, repl)
}
