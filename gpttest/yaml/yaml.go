// Package yaml reads YAML as the GPT editor does, whose parser is the npm package yaml:
// YAML 1.2 with its core schema, one document to a text, each key once, and no merging of
// <<. The same texts are refused and the others have the same values; tests hold it against
// that package. It exists because no library for Go agrees with it: those at hand descend
// from libyaml, which speaks YAML 1.1 and refuses some texts that JSON allows.
//
// JSON is YAML, too. Text is UTF-8; what is not must not be passed in.
package yaml

import (
	"fmt"
	"sort"
	"strings"
)

// A Kind says what a node is.
type Kind int

// The kinds of nodes.
const (
	Null Kind = iota
	Boolean
	Number
	String
	Sequence
	Mapping
	Alias
)

// A Node is one value of a document.
type Node struct {
	Kind Kind
	// Text is a string's value. Booleans and numbers have it as written: True, 0x1F, .inf. An
	// alias has its name.
	Text string
	// Content has the elements of a sequence, or the keys and values of a mapping in turn.
	Content []*Node
	// Plain says that a scalar has neither quotes nor | or >.
	Plain bool
	// Target is what an alias stands for.
	Target *Node
	// Line is where the node begins, from 1.
	Line int
}

// An Error says why a text is refused.
type Error struct {
	Line    int // from 1
	Problem string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// maxDepth is how deep nodes may stand inside each other; the editor's parser ends at a few
// thousand, by the size of its stack.
const maxDepth = 1000

// Resolved returns the node, or what it stands for.
func (n *Node) Resolved() *Node {
	if n.Kind == Alias {
		return n.Target
	}
	return n
}

// Parse returns the document's root. Its error is an [*Error].
func Parse(text string) (*Node, error) {
	return (&parser{text: text, lines: lineStarts(text)}).parse()
}

// ParseJSON is Parse for a text that is JSON, in which a name may be there more than once.
// To JavaScript the last one counts.
func ParseJSON(text string) (*Node, error) {
	text = strings.NewReplacer("\t", " ", "\r", " ").Replace(text) // white space only, but more than that in YAML
	return (&parser{text: text, lines: lineStarts(text), doubles: true}).parse()
}

func (p *parser) parse() (root *Node, err error) {
	defer func() {
		switch failed := recover().(type) {
		case nil:
		case *Error:
			root, err = nil, failed
		default:
			panic(failed)
		}
	}()
	root = p.stream()
	countAliases(p, root)
	return root, nil
}

// lineStarts returns the offsets at which lines begin.
func lineStarts(text string) []int {
	starts := []int{0}
	for i := range len(text) {
		if text[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// line returns the number of the line with that offset.
func (p *parser) line(offset int) int {
	return sort.Search(len(p.lines), func(i int) bool { return p.lines[i] > offset })
}

// fail ends parsing.
func (p *parser) fail(offset int, format string, args ...any) {
	panic(&Error{p.line(offset), fmt.Sprintf(format, args...)})
}

type scalarKey struct {
	kind Kind
	text string // canonical
}

// distinct refuses a mapping with two keys that are the same scalar. Keys that only look
// the same, such as 200 and "200", are two; the later one counts.
func (p *parser) distinct(keys map[scalarKey]int, key *Node, offset int) {
	if p.doubles || key.Kind > String || key.Kind == Number && isNaN(key.Text) {
		return
	}
	same := scalarKey{key.Kind, canonical(key)}
	if first, twice := keys[same]; twice {
		p.fail(offset, "the key %s is there already, in line %d; each must be unique", shown(key), first)
	}
	keys[same] = key.Line
}

func shown(key *Node) string {
	if key.Kind == Null {
		return "null"
	}
	if runes := []rune(key.Text); len(runes) > 60 {
		return fmt.Sprintf("%q", string(runes[:59])+"…")
	}
	return fmt.Sprintf("%q", key.Text)
}

// maxAliases is the editor's bound: how often the value of an anchor may stand in the
// document, times the same of what stands in it.
const maxAliases = 100

// countAliases refuses a document whose aliases come to more than the bound, or whose
// values contain themselves.
func countAliases(p *parser, root *Node) {
	c := aliasCounter{weights: map[*Node]int{}, uses: map[*Node]int{}}
	c.visit(p, root)
}

type aliasCounter struct {
	weights, uses map[*Node]int
}

func (c *aliasCounter) visit(p *parser, n *Node) {
	if n.Kind != Alias {
		for _, inner := range n.Content {
			c.visit(p, inner)
		}
		return
	}
	c.uses[n.Target]++
	weight, known := c.weights[n.Target]
	if !known {
		weight = c.weight(n.Target)
		c.weights[n.Target] = weight
	}
	if (c.uses[n.Target]+1)*weight > maxAliases {
		panic(&Error{n.Line, fmt.Sprintf(
			"an alias too many: an anchor may be used %d times, and less if others stand in it", maxAliases-1)})
	}
}

// weight returns the largest count of what stands inside.
func (c *aliasCounter) weight(n *Node) int {
	switch {
	case n.Kind == Alias:
		return (c.uses[n.Target] + 1) * c.weights[n.Target]
	case n.Kind < Sequence:
		return 1
	}
	largest := 0
	for _, inner := range n.Content {
		largest = max(largest, c.weight(inner))
	}
	return largest
}
