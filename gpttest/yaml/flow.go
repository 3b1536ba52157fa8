package yaml

import "strings"

// isFlowByte reports whether a byte ends a text in a flow collection.
func isFlowByte(c byte) bool { return strings.IndexByte(",[]{}", c) >= 0 }

// flow reads a collection in brackets or braces.
func (p *parser) flow() *Node {
	p.enter()
	defer p.leave()
	start, end := p.at, byte(']')
	n := &Node{Kind: Sequence, Line: p.line(start)}
	keys := map[scalarKey]int(nil)
	if p.peek(0) == '{' {
		n.Kind, end, keys = Mapping, '}', map[scalarKey]int{}
	}
	p.flows++
	p.at++
	for p.between(start); p.peek(0) != end; p.between(start) {
		switch {
		case p.done() || p.peek(0) == ']' || p.peek(0) == '}':
			p.unclosed(start)
		case p.peek(0) == ',':
			p.fail(p.at, "a comma with nothing before it")
		case n.Kind == Sequence:
			n.Content = append(n.Content, p.element(start))
		default:
			at := p.at
			key, value, _ := p.pair(start)
			p.distinct(keys, key, at)
			n.Content = append(n.Content, key, value)
		}
		p.between(start)
		if p.peek(0) == ',' {
			p.at++
		} else if !p.done() && p.peek(0) != ']' && p.peek(0) != '}' {
			p.fail(p.at, "a comma or a colon is missing before this")
		}
	}
	p.at++
	p.flows--
	return n
}

func (p *parser) unclosed(start int) {
	p.fail(p.at, "the %c of line %d is not closed, or what it holds is not indented enough", p.text[start],
		p.line(start))
}

// between skips what may stand between the parts of a flow collection: spaces, line breaks
// and comments.
func (p *parser) between(start int) (broken bool) {
	spaced := false
	for {
		switch c := p.peek(0); {
		case c == ' ' || c == '\t':
			p.at++
			spaced = true
		case p.atLineBreak() > 0:
			p.at += p.atLineBreak()
			for p.margin = 0; p.peek(0) == ' '; p.at++ {
				p.margin++
			}
			broken, spaced = true, true
		case c == '#':
			p.comment(spaced)
		default:
			closes := p.margin == p.floor-1 && p.flows == 1 && (c == ']' || c == '}')
			if broken && p.margin < p.floor && !closes {
				p.unclosed(start)
			}
			return broken
		}
	}
}

// element reads an element of a flow sequence. One with a colon is a mapping of one pair.
func (p *parser) element(start int) *Node {
	line := p.line(p.at)
	key, value, paired := p.pair(start)
	if !paired {
		return key
	}
	return &Node{Kind: Mapping, Line: line, Content: []*Node{key, value}}
}

// pair reads a key and the value after its colon. Without a colon paired is false.
func (p *parser) pair(start int) (key, value *Node, paired bool) {
	explicit := p.indicates('?')
	if explicit {
		p.at++
		p.between(start)
	}
	begin := p.at
	key = p.part(start)
	value = &Node{Line: key.Line}
	p.between(start)
	if p.peek(0) != ':' || !p.adjacent && !p.indicates(':') && p.peek(1) != ',' {
		return key, value, explicit
	}
	if p.inSequence(start) && !explicit {
		if p.line(begin) != p.line(p.at) {
			p.fail(begin, "a key in brackets must be on one line, its colon included")
		}
		if longerThan(p.text[begin:p.at], maxKey) {
			p.fail(begin, "a key has more than %d characters", maxKey)
		}
	}
	p.at++
	p.between(start)
	return key, p.part(start), true
}

func (p *parser) inSequence(start int) bool { return p.text[start] == '[' }

// part reads a key, a value or an element, which may be empty.
func (p *parser) part(start int) *Node {
	var own properties
	for p.peek(0) == '&' || p.peek(0) == '!' {
		p.property(&own)
		p.between(start)
	}
	p.adjacent = false
	switch c := p.peek(0); {
	case p.done() || c == ',' || c == ']' || c == '}' || p.indicates(':'):
		return p.finish(&Node{Line: p.line(p.at)}, true, own)
	case p.indicates('-') || p.indicates('?'):
		p.fail(p.at, "a list item or a complex key within brackets or braces")
	}
	n, plain := p.atom()
	return p.finish(n, plain, own)
}
