package yaml

import (
	"strings"
	"unicode/utf16"
)

// place says where a node of block style stands.
type place struct {
	// parent is the column of the collection around the node; what is on further lines must
	// stand deeper.
	parent int
	// dashes may stand at the parent's column: the node is a value of a mapping.
	dashes bool
	// colon says that the node stands after the colon of a key.
	colon bool
}

// properties are a node's anchor and tag.
type properties struct {
	anchor, tag string
}

// startLine goes to the first byte of a line that is not a space.
func (p *parser) startLine() {
	start := p.at
	for p.peek(0) == ' ' {
		p.at++
	}
	p.margin = p.at - start
	p.column, p.fresh, p.tabs = p.margin, true, false
	if p.floor > p.margin && !isBlank(p.peek(1)) {
		p.floor = p.margin
	}
}

// atLineBreak returns the length of the line break at the present place, or 0.
func (p *parser) atLineBreak() int {
	switch {
	case p.peek(0) == '\n':
		return 1
	case p.peek(0) == '\r' && p.peek(1) == '\n':
		return 2
	}
	return 0
}

// skip goes to the next content, and reports whether it is on another line.
func (p *parser) skip() (broken bool) {
	spaced := p.fresh // so that a comment may begin
	for {
		switch c := p.peek(0); {
		case c == ' ' || c == '\t':
			p.spaces()
			spaced = true
		case p.atLineBreak() > 0:
			p.at += p.atLineBreak()
			p.startLine()
			broken, spaced = true, true
		case c == '#':
			p.comment(spaced)
		default:
			return broken
		}
	}
}

// spaces reads spaces and tabs within a line. After a compact indicator they indent.
func (p *parser) spaces() {
	start := p.at
	for ; p.peek(0) == ' ' || p.peek(0) == '\t'; p.at++ {
		p.tabs = p.tabs || p.peek(0) == '\t'
	}
	if p.fresh && p.text[start] == ' ' {
		p.column += p.at - start
	}
}

func (p *parser) comment(spaced bool) {
	if !spaced {
		p.fail(p.at, "a comment must have a space before its #")
	}
	for !p.done() && p.atLineBreak() == 0 {
		p.at++
	}
}

// indicates reports whether c stands here and is an indicator, not the begin of a text.
func (p *parser) indicates(c byte) bool {
	return p.peek(0) == c && (isBlank(p.peek(1)) || p.flows > 0 && isFlowByte(p.peek(1)))
}

// indicator reads one of - ? : in block style.
func (p *parser) indicator() {
	p.floor = p.margin + 1
	p.at++
	if !p.fresh {
		return
	}
	p.column++
	p.margin++
	for ahead := 0; p.peek(ahead) == ' ' || p.peek(ahead) == '\t'; ahead++ {
		p.margin++
	}
}

// outside reports whether what comes next is no part of a node at that place.
func (p *parser) outside(at place) bool {
	return p.done() || p.column <= at.parent && !(at.dashes && p.column == at.parent && p.indicates('-'))
}

// block reads a node of block style, or a flow collection or scalar that stands in one.
func (p *parser) block(at place) *Node {
	p.enter()
	defer p.leave()
	from := p.at
	broken := p.skip()
	fresh, column := p.fresh, p.column
	var outer, inner properties // before the line break, and in the line of the content
	for (p.peek(0) == '&' || p.peek(0) == '!') && !(broken && p.outside(at)) {
		if p.fresh && (broken || !at.colon) {
			p.refuseTabs()
		}
		p.property(&inner)
		if p.fresh = false; p.skip() {
			broken, fresh, column = true, true, p.column
			p.merge(&outer, inner)
			inner = properties{}
		}
	}
	start := p.at
	if p.tabs && p.fresh && p.column <= max(at.parent, 0) && !(at.parent < 0 && isFlowByte(p.peek(0))) {
		p.refuseTabs()
	}
	switch c := p.peek(0); {
	case p.done() || broken && p.outside(at):
		p.merge(&outer, inner)
		p.tabsAlone(from, at)
		return p.finish(&Node{Line: p.line(start)}, true, outer)
	case p.indicates('-') || p.indicates('?'):
		if inner != (properties{}) {
			p.fail(p.at, "an anchor or a tag must stand after the %c", c)
		}
		p.begins(fresh)
		if c == '-' {
			return p.finish(p.sequence(column), false, outer)
		}
		return p.finish(p.mapping(column, nil), false, outer)
	case p.indicates(':'):
		p.begins(fresh)
		return p.finish(p.mapping(column, p.finish(&Node{Line: p.line(start)}, true, inner)), false, outer)
	case c == '|' || c == '>':
		p.merge(&outer, inner)
		return p.finish(p.blockScalar(max(at.parent, 0), at.parent < 0), false, outer)
	}
	tabs := p.tabs && inner == properties{}
	p.fresh = false
	n, plain := p.atom()
	if !p.isKey(start) {
		p.merge(&outer, inner)
		return p.finish(n, plain, outer)
	}
	p.tabs = tabs
	p.begins(fresh)
	return p.finish(p.mapping(column, p.finish(n, plain, inner)), false, outer)
}

// tabsAlone refuses a line of tabs after a key without a value, as the editor does, though
// YAML does not. The rest of the key's line begins at from.
func (p *parser) tabsAlone(from int, at place) {
	i := strings.IndexByte(p.text[from:p.at], '\n')
	if i < 0 || !at.dashes || p.indicates(':') || !p.done() && p.column != at.parent {
		return
	}
	line, _, more := strings.Cut(p.text[from+i+1:p.at], "\n")
	tab := strings.IndexByte(line, '\t')
	if tab >= 0 && tab <= at.parent && strings.Trim(line, " \t\r") == "" && more != p.done() {
		p.fail(from+i+1, "a line of tabs after a key without a value; take it out")
	}
}

// begins refuses a block collection where none can begin.
func (p *parser) begins(fresh bool) {
	if !fresh {
		p.fail(p.at, "a list or a mapping begins within a line: give it lines of its own, or put a text in quotes")
	}
	p.refuseTabs()
}

func (p *parser) refuseTabs() {
	if p.tabs {
		p.fail(p.at, "a tab indents the line; use spaces")
	}
}

// atom reads a flow collection, a scalar or an alias. Scalars are strings until they are
// finished; plain says that one is not in quotes.
func (p *parser) atom() (n *Node, plain bool) {
	n = &Node{Kind: String, Line: p.line(p.at)}
	p.adjacent = false
	switch c := p.peek(0); c {
	case '[', '{':
		n = p.flow()
		p.adjacent = true
	case '"', '\'':
		n.Text = p.quoted(c)
		p.adjacent = true
	case '*':
		p.alias(n)
	default:
		n.Text, plain = p.plain(), true
	}
	return n, plain
}

// isKey reports whether the node that began at start is the key of a block mapping, and
// goes to its colon.
func (p *parser) isKey(start int) bool {
	ahead := 0
	for p.peek(ahead) == ' ' || p.peek(ahead) == '\t' {
		ahead++
	}
	if p.peek(ahead) != ':' || !isBlank(p.peek(ahead+1)) {
		return false
	}
	if p.at += ahead; p.line(start) != p.line(p.at) {
		p.fail(p.at, "a colon after a text of several lines, from line %d on: indent it otherwise, or put the text "+
			"in quotes",
			p.line(start))
	}
	if longerThan(p.text[start:p.at], maxKey) {
		p.fail(start, "a key has more than %d characters", maxKey)
	}
	return true
}

// maxKey is how far a colon may stand from the begin of its key.
const maxKey = 1024

// longerThan counts as JavaScript does.
func longerThan(text string, limit int) bool {
	return len(text) > limit && len(utf16.Encode([]rune(text))) > limit
}

// mapping reads the entries at a column. The first key may have been read.
func (p *parser) mapping(column int, first *Node) *Node {
	n := &Node{Kind: Mapping, Line: p.line(p.at)}
	keys := map[scalarKey]int{}
	for key := first; ; key = nil {
		start := p.at
		explicit := key == nil && p.indicates('?')
		if explicit {
			p.indicator()
			key = p.block(place{parent: column, dashes: true})
			from := p.at
			p.finishLine()
			p.tabsAlone(from, place{parent: column, dashes: true})
		} else if key == nil {
			key = p.key(column)
		}
		p.distinct(keys, key, start)
		value := &Node{Line: key.Line}
		if p.indicates(':') && (!explicit || p.fresh && p.column == column) {
			if explicit {
				p.refuseTabs()
			}
			p.indicator()
			p.fresh = p.fresh && explicit
			value = p.block(place{parent: column, dashes: true, colon: true})
		}
		if explicit && p.done() && p.fresh {
			p.refuseTabs()
		}
		n.Content = append(n.Content, key, value)
		p.finishLine()
		if !p.goesOn(column) {
			return n
		}
	}
}

// key reads an implicit key, which may be empty, up to its colon. The editor lets that
// stand on another line, but not in the first entry.
func (p *parser) key(column int) *Node {
	start := p.at
	if p.indicates('-') {
		p.fail(start, "a list item stands where a key is expected")
	}
	var own properties
	for p.peek(0) == '&' || p.peek(0) == '!' {
		p.property(&own)
		if p.fresh = false; p.skip() {
			p.fail(start, "a key must be on the line of its anchor or tag")
		}
	}
	n, plain := &Node{Line: p.line(p.at)}, true
	if !p.indicates(':') {
		p.fresh = false
		n, plain = p.atom()
	}
	if !p.isKey(start) && !(p.line(start) == p.line(p.at) && p.skip() && p.column > column && p.indicates(':')) {
		p.fail(start, "a key must have a colon and a space after it; if this is no key, it is not indented enough")
	}
	return p.finish(n, plain, own)
}

// goesOn reports whether another entry follows at the column of a collection.
func (p *parser) goesOn(column int) bool {
	if p.done() || p.column < column {
		if !p.done() {
			p.refuseTabs()
		}
		return false
	}
	if p.column > column {
		p.fail(p.at, "this line is indented by %d, the lines that it belongs to by %d", p.column, column)
	}
	p.refuseTabs()
	return true
}

// sequence reads the items at a column.
func (p *parser) sequence(column int) *Node {
	n := &Node{Kind: Sequence, Line: p.line(p.at)}
	for p.indicates('-') {
		p.indicator()
		n.Content = append(n.Content, p.block(place{parent: column}))
		p.finishLine()
		if !p.goesOn(column) {
			break
		}
	}
	return n
}

// finishLine goes on to the next content, which must be on a line of its own.
func (p *parser) finishLine() {
	if p.skip(); !p.done() && !p.fresh {
		p.fail(p.at, "there is more in the line after a value")
	}
}
