package yaml

import (
	"net/url"
	"regexp"
	"strings"
)

// parser reads one document. A text that cannot be read ends it with a panic of an *Error,
// which Parse turns into an error.
//
// Indentation has three sides. margin is what the present line is indented by, compact
// indicators ("- - ") counted. floor is how far the further lines of a scalar or a flow
// collection must be indented. column is where entries begin of a block collection that
// begins here; it counts while nothing but indentation and indicators came before in the
// line, which is when the parser is fresh.
type parser struct {
	text string
	end  int // of the document
	at   int

	margin, floor, column int
	fresh                 bool

	doubles  bool // a key may be there twice
	lines    []int
	anchors  map[string]*Node
	open     map[string]bool // anchors whose nodes are not finished
	handles  map[string]string
	depth    int
	tabs     bool // among the spaces before the content
	adjacent bool // a quoted scalar or a flow collection has just ended
	flows    int  // how many flow collections are open
}

// stream reads the directives and the only document.
func (p *parser) stream() *Node {
	p.anchors, p.open = map[string]*Node{}, map[string]bool{}
	p.handles = map[string]string{"!!": standardTags}
	if strings.HasPrefix(p.text, "\ufeff") {
		p.at = len("\ufeff")
	}
	marked := p.directives()
	p.end = p.documentEnd(p.at)
	if !marked {
		p.startLine()
	}
	root := p.document()
	p.rest()
	return root
}

// directives reads up to the first line of the document, and reports whether that has the
// marker ---.
func (p *parser) directives() (marked bool) {
	directed, ended := -1, false
	for p.at < len(p.text) {
		line, next := p.wholeLine()
		switch content := strings.TrimLeft(line, " \t"); {
		case content == "" || content[0] == '#' && (line[0] == '#' || len(content) < len(line)):
		case ended:
			p.fail(p.at, "here a second document begins; there must be one only")
		case line[0] == '%':
			directed = p.at
			p.directive(line)
		case isMarker(line, "---"):
			p.at += len("---")
			return true
		case isMarker(line, "...") && directed < 0:
			ended = true
			p.endsLine(line)
		default:
			if directed >= 0 {
				p.fail(p.at, "after a directive a line --- must begin the document")
			}
			return false
		}
		p.at = next
	}
	if directed >= 0 {
		p.fail(directed, "after a directive a line --- must begin the document")
	}
	return false
}

// wholeLine returns the line at the present place without its line break, and where the
// next begins.
func (p *parser) wholeLine() (line string, next int) {
	line, _, found := strings.Cut(p.text[p.at:], "\n")
	if next = p.at + len(line); found {
		next++
	}
	return strings.TrimSuffix(line, "\r"), next
}

func isMarker(line, marker string) bool {
	rest, ok := strings.CutPrefix(line, marker)
	return ok && (rest == "" || isBlank(rest[0]))
}

var version = regexp.MustCompile(`^\d+\.\d+$`)

// directive reads one of %YAML and %TAG; others are ignored.
func (p *parser) directive(line string) {
	words := strings.Fields(line)
	for i, word := range words {
		if word[0] == '#' {
			words = words[:i]
			break
		}
	}
	switch words[0] {
	case "%YAML":
		if len(words) != 2 || !version.MatchString(words[1]) {
			p.fail(p.at, "the directive %%YAML must have one version, as in %%YAML 1.2")
		}
		if words[1] == "1.1" {
			p.fail(p.at, "%%YAML 1.1 makes booleans of words such as no, and dates of texts; write %%YAML 1.2, or "+
				"no directive")
		}
	case "%TAG":
		if len(words) != 3 {
			p.fail(p.at, "the directive %%TAG must have a handle and a prefix")
		}
		p.handles[words[1]] = words[2]
	}
}

// documentEnd returns the offset of the line with the marker that ends the document. No other
// line may begin with one, be it in a scalar.
func (p *parser) documentEnd(from int) int {
	for i := from; i < len(p.text); {
		next := strings.IndexByte(p.text[i:], '\n')
		if next < 0 {
			break
		}
		i += next + 1
		if line, _, _ := strings.Cut(p.text[i:min(len(p.text), i+4)], "\n"); isMarker(line, "---") ||
			isMarker(line, "...") {
			return i
		}
	}
	return len(p.text)
}

// rest reads what follows the document: its end and comments, but no second one.
func (p *parser) rest() {
	p.at = p.end
	for ended := false; p.at < len(p.text); {
		line, next := p.wholeLine()
		content := strings.TrimLeft(line, " \t")
		switch {
		case content == "" || ended && content[0] == '#':
		case !ended && isMarker(line, "..."):
			ended = true
			p.endsLine(line)
		case ended && isMarker(line, "..."):
			p.fail(p.at, "the end of a document (...), but there is none before it")
		default:
			p.fail(p.at, "here a second document begins; there must be one only")
		}
		p.at = next
	}
}

// endsLine refuses what stands after the marker that ends the document.
func (p *parser) endsLine(line string) {
	if after := strings.TrimLeft(line[len("..."):], " \t"); after != "" && after[0] != '#' {
		p.fail(p.at, "there is more in the line that ends the document")
	}
}

// document reads the root.
func (p *parser) document() *Node {
	root := p.block(place{parent: -1})
	p.finishLine()
	if !p.done() {
		p.fail(p.at, "there is more after the document's value, at a place where nothing can follow")
	}
	return root
}

const standardTags = "tag:yaml.org,2002:"

// tag reads a tag, and returns what it stands for: "!" for none in particular.
func (p *parser) tag() string {
	start := p.at
	if p.peek(1) == '<' {
		for p.at += 2; !isBlank(p.peek(0)) && p.peek(0) != '>'; p.at++ {
		}
		if p.peek(0) != '>' {
			p.fail(start, "a tag that begins with !< must end with >")
		}
		p.at++
		written := p.text[start+2 : p.at-1]
		if written == "!" || written == "!!" {
			p.fail(start, "%s is not a tag", p.text[start:p.at])
		}
		return written
	}
	for p.at++; isTagByte(p.peek(0)) || p.peek(0) == '%' && isHex(p.peek(1)) && isHex(p.peek(2)); p.at++ {
	}
	written := p.text[start:p.at]
	if written == "!" {
		return written
	}
	i := strings.LastIndexByte(written, '!') + 1
	suffix, err := url.PathUnescape(written[i:])
	if suffix == "" || err != nil {
		p.fail(start, "the tag %s has no name", written)
	}
	prefix, known := p.handles[written[:i]]
	if !known && i > 1 {
		p.fail(start, "the tag %s is not declared", written)
	}
	if !known {
		return written
	}
	return prefix + suffix
}

func isTagByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' ||
		strings.IndexByte("-#;/?:@&=+$_.!~*'()", c) >= 0
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f' }

// none is what peek returns at the end: no byte of UTF-8.
const none = 0xFF

// peek returns the byte at so many places after the present one.
func (p *parser) peek(ahead int) byte {
	if p.at+ahead >= p.end {
		return none
	}
	return p.text[p.at+ahead]
}

func (p *parser) done() bool { return p.at >= p.end }

// isBlank reports true at the end, too.
func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == none }
