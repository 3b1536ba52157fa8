package yaml

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.at, "values are nested deeper than %d", maxDepth)
	}
}

func (p *parser) leave() { p.depth-- }

// property reads an anchor or a tag.
func (p *parser) property(own *properties) {
	start := p.at
	var read properties
	if p.peek(0) == '!' {
		read.tag = p.tag()
	} else {
		read.anchor = p.name("anchor")
		p.open[read.anchor] = true
	}
	if c := p.peek(0); !isBlank(c) && !(p.flows > 0 && strings.IndexByte(",]}", c) >= 0) {
		p.fail(start, "an anchor or a tag must have a space after it")
	}
	p.merge(own, read)
}

// name reads what follows & or *.
func (p *parser) name(what string) string {
	start := p.at
	for p.at++; !isBlank(p.peek(0)) && !isFlowByte(p.peek(0)); p.at++ {
	}
	if p.at == start+1 {
		p.fail(start, "an %s without a name; a text that begins with %c must be in quotes", what, p.text[start])
	}
	return p.text[start+1 : p.at]
}

// merge adds properties to those that a node has.
func (p *parser) merge(own *properties, more properties) {
	if own.anchor != "" && more.anchor != "" || own.tag != "" && more.tag != "" {
		p.fail(p.at, "a node has one anchor and one tag, not two")
	}
	own.anchor += more.anchor
	own.tag += more.tag
}

func (p *parser) alias(n *Node) {
	start := p.at
	name := p.name("alias")
	n.Kind, n.Text, n.Target = Alias, name, p.anchors[name]
	if p.open[name] {
		p.fail(start, "the alias *%s stands in the value that it is for", name)
	}
	if n.Target == nil {
		p.fail(start, "there is no anchor &%s before the alias *%s", name, name)
	}
}

// finish gives a node its properties. A scalar was a string or empty until now.
func (p *parser) finish(n *Node, plain bool, own properties) *Node {
	if n.Kind == Alias {
		if own != (properties{}) {
			p.fail(p.at, "an alias has no anchor or tag of its own")
		}
		return n
	}
	if name, standard := strings.CutPrefix(own.tag, standardTags); standard && foreignTags[name] != "" {
		panic(&Error{n.Line, fmt.Sprintf("the tag !!%s is of YAML 1.1, and JSON has no %s: take it out", name,
			foreignTags[name])})
	}
	if n.Kind <= String {
		n.Plain = plain
		resolve(n, plain, own.tag)
	}
	if p.open[own.anchor] { // if not, it was given again within the value, where it stays
		p.anchors[own.anchor] = n
		delete(p.open, own.anchor)
	}
	return n
}

// foreignTags are those that the editor reads although JSON has nothing of the kind: it
// makes an empty object of a set, and another text of a date.
var foreignTags = map[string]string{"set": "sets", "omap": "ordered mappings", "pairs": "pairs", "binary": "bytes",
	"timestamp": "dates", "merge": "merging"}

// The forms of the core schema (YAML 1.2.2, section 10.3.2).
var (
	nullForm    = regexp.MustCompile(`^(?:~|[Nn]ull|NULL)?$`)
	booleanForm = regexp.MustCompile(`^(?:[Tt]rue|TRUE|[Ff]alse|FALSE)$`)
	integerForm = regexp.MustCompile(`^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	floatForm   = regexp.MustCompile(`^(?:[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)|` +
		`[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+|[-+]?\.(?:inf|Inf|INF)|\.nan|\.NaN|\.NAN)$`)
)

// resolve gives a scalar its kind: by its tag, and if that is none in particular, by its
// form, if it is plain. A tag that does not fit makes a string.
func resolve(n *Node, plain bool, tag string) {
	written := n.Text
	n.Kind = String
	name, standard := strings.CutPrefix(tag, standardTags)
	may := func(kind string) bool { return tag == "" && plain || standard && name == kind }
	switch {
	case written != "" && strings.IndexByte("+-.0123456789~nNtTfF", written[0]) < 0: // most texts
	case may("null") && nullForm.MatchString(written):
		n.Kind = Null
	case may("bool") && booleanForm.MatchString(written):
		n.Kind = Boolean
	case may("int") && integerForm.MatchString(written), may("float") && floatForm.MatchString(written):
		n.Kind = Number
	}
}

// Float returns a number as JavaScript has it.
func (n *Node) Float() float64 {
	written := strings.ToLower(n.Text)
	for prefix, base := range map[string]int{"0o": 8, "0x": 16} {
		if digits, ok := strings.CutPrefix(written, prefix); ok {
			return whole(digits, base)
		}
	}
	switch strings.TrimLeft(written, "+-") {
	case ".nan":
		return math.NaN()
	case ".inf":
		return math.Inf(map[bool]int{true: -1, false: 1}[written[0] == '-'])
	}
	f, _ := strconv.ParseFloat(written, 64) // beyond the range it is an infinity
	return f
}

func whole(digits string, base int) float64 {
	f := 0.0
	for _, digit := range digits {
		d, _ := strconv.ParseUint(string(digit), base, 8)
		f = f*float64(base) + float64(d)
	}
	return f
}

// JSON returns a number as JSON.stringify writes it.
func (n *Node) JSON() string {
	if f := n.Float(); math.IsInf(f, 0) || math.IsNaN(f) {
		return "null"
	}
	return canonical(n)
}

// Key returns the name that a mapping's key gives to a member of an object.
func (n *Node) Key() string {
	switch n.Kind {
	case Alias:
		if n.Target.Kind >= Sequence {
			return "*" + n.Text
		}
		return n.Target.Key()
	case Null:
		return ""
	case Boolean, String:
		return canonical(n)
	case Number:
		return strings.Replace(strings.TrimPrefix(canonical(n), "+"), "Inf", "Infinity", 1)
	}
	brackets := map[Kind]string{Sequence: "[]", Mapping: "{}"}[n.Kind]
	if len(n.Content) == 0 {
		return brackets
	}
	var parts []string
	for i, inner := range n.Content {
		if n.Kind == Mapping && i%2 == 1 {
			parts[len(parts)-1] += ": " + inner.Key()
		} else {
			parts = append(parts, inner.Key())
		}
	}
	return brackets[:1] + " " + strings.Join(parts, ", ") + " " + brackets[1:]
}

func isNaN(written string) bool { return strings.EqualFold(written, ".nan") }

// canonical returns the same text for scalars that are the same.
func canonical(n *Node) string {
	switch n.Kind {
	case Null:
		return ""
	case Boolean:
		return strings.ToLower(n.Text)
	case Number:
		f := n.Float()
		switch {
		case f == 0:
			return "0"
		case math.IsInf(f, 0) || math.IsNaN(f):
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
		text, _ := json.Marshal(f)
		return string(text)
	}
	return n.Text
}
