package yaml

import "strings"

// header is the first line of a block scalar.
type header struct {
	folded bool
	chomp  byte // '-', '+' or 0
	indent int  // as given, or 0
}

// blockScalar reads a text that begins with | or >.
func (p *parser) blockScalar(parent int, atRoot bool) *Node {
	start := p.at
	h := p.header()
	n := &Node{Kind: String, Line: p.line(start)}
	from, indent := p.blockLines(h)
	n.Text = p.blockText(h, from, indent, parent, atRoot)
	if p.startLine(); p.at == p.end {
		p.fresh = true
	}
	return n
}

// header reads up to the end of the line.
func (p *parser) header() header {
	h := header{folded: p.peek(0) == '>'}
	for p.at++; !isBlank(p.peek(0)) && p.peek(0) != '#'; p.at++ {
		switch c := p.peek(0); {
		case h.chomp == 0 && (c == '-' || c == '+'):
			h.chomp = c
		case h.indent == 0 && c >= '1' && c <= '9':
			h.indent = int(c - '0')
		default:
			p.fail(p.at, "after | or > can stand one of - and +, and one digit from 1 to 9")
		}
	}
	spaced := false
	for p.peek(0) == ' ' || p.peek(0) == '\t' {
		p.at++
		spaced = true
	}
	if p.peek(0) == '#' {
		p.comment(spaced)
	}
	if n := p.atLineBreak(); n > 0 {
		p.at += n
	} else if !p.done() {
		p.fail(p.at, "the text after | or > must begin on the next line")
	}
	return h
}

// blockLines goes to the end of the text. It returns where that began, and how its first
// line with content is indented.
func (p *parser) blockLines(h header) (from, indent int) {
	from = p.at
	last := from - 1 // last is the line break that ends the text
	i := from
	for ; i < p.end; i++ {
		if c := p.text[i]; c == ' ' {
			indent++
		} else if c == '\n' {
			last, indent = i, 0
		} else if c != '\r' || i+1 < p.end && p.text[i+1] != '\n' {
			break
		}
	}
	if indent >= p.floor {
		if h.indent == 0 {
			p.floor = indent
		} else {
			p.floor = h.indent - 1 + max(p.floor, 1)
		}
		for {
			text, goesOn := p.continues(last + 1)
			if !goesOn {
				break
			}
			next := strings.IndexByte(p.text[min(text, p.end):p.end], '\n')
			if next < 0 {
				last = p.end
				break
			}
			last = text + next
		}
	}
	p.at = p.blockEnd(last)
	return from, indent
}

// blockEnd returns where the text ends: tabs in lines that are not indented enough belong to it,
// so that they are refused.
func (p *parser) blockEnd(last int) int {
	i := last + 1
	for i < p.end && p.text[i] == ' ' {
		i++
	}
	if i < p.end && p.text[i] == '\t' {
		for i < p.end && isBlank(p.text[i]) {
			i++
		}
		return i
	}
	return min(last+1, p.end)
}

// blockText makes a text of the lines from an offset up to the present place.
func (p *parser) blockText(h header, from, margin, parent int, atRoot bool) string {
	var lines []string
	if from < p.at {
		lines = strings.Split(p.text[from:p.at], "\n")
	}
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	for n := len(lines) - 1; h.chomp != '+' && n >= 0 && isSpaces(lines[n]) && len(lines[n]) <= margin; n-- {
		lines = lines[:n]
	}
	full := len(lines) // lines up to the last that is not empty
	for full > 0 && isSpaces(lines[full-1]) {
		full--
	}
	if full == 0 {
		if h.chomp == '+' && len(lines) > 0 {
			return strings.Repeat("\n", max(1, len(lines)-1))
		}
		return ""
	}
	indent, first := p.blockIndent(h, from, lines, parent, atRoot)
	for i := len(lines) - 1; i >= full; i-- { // an empty line that is indented further counts
		if len(lines[i]) > indent {
			full = i + 1
			break
		}
	}
	p.sameIndent(from, lines[first:full], lines[:first], indent)
	var b strings.Builder
	for i, line := range lines {
		lines[i] = line[min(indent, spacesOf(line)):]
	}
	for _, line := range lines[:first] {
		b.WriteString(line + "\n")
	}
	if h.folded {
		fold(&b, lines[first:full])
	} else {
		b.WriteString(strings.Join(lines[first:full], "\n"))
	}
	switch h.chomp {
	case '-':
		return b.String()
	case '+':
		for _, line := range lines[full:] {
			b.WriteString("\n" + line)
		}
		return strings.TrimSuffix(b.String(), "\n") + "\n"
	}
	return b.String() + "\n"
}

func spacesOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func isSpaces(line string) bool { return spacesOf(line) == len(line) }

// blockIndent returns by how much the text is indented, and its first line that is not empty.
func (p *parser) blockIndent(h header, from int, lines []string, parent int, atRoot bool) (indent, first int) {
	indent = parent + h.indent
	for isSpaces(lines[first]) {
		if h.indent == 0 {
			indent = max(indent, len(lines[first]))
		}
		first++
	}
	found := spacesOf(lines[first])
	at := from + len(strings.Join(lines[:first], "\n"))
	if found < indent {
		p.fail(at+1, "an empty line before the text is indented more: take out its spaces, or write a number after | "+
			"or >")
	}
	if h.indent == 0 {
		indent = found
	}
	if indent == 0 && !atRoot {
		p.fail(at+1, "the text after | or > must be indented")
	}
	return indent, first
}

// sameIndent refuses lines of a text that are indented less than its first.
func (p *parser) sameIndent(from int, lines, before []string, indent int) {
	for i, line := range lines {
		if spacesOf(line) < indent && !isSpaces(line) {
			p.fail(p.lines[p.line(from)-1+len(before)+i], "the line is indented less than the first of its text")
		}
	}
}

// fold makes a space of a line break between two lines that are not indented further.
func fold(b *strings.Builder, lines []string) {
	separator, wasIndented := "", false
	for _, line := range lines {
		switch {
		case line != "" && (line[0] == ' ' || line[0] == '\t'):
			if separator == " " {
				separator = "\n"
			} else if !wasIndented && separator == "\n" {
				separator = "\n\n"
			}
			b.WriteString(separator + line)
			separator, wasIndented = "\n", true
		case line == "" && separator == "\n":
			b.WriteByte('\n')
		case line == "":
			separator = "\n"
		default:
			b.WriteString(separator + line)
			separator, wasIndented = " ", false
		}
	}
}
