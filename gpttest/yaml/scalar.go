package yaml

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// continues returns where the text of a further line of a scalar begins, if the line that
// begins at offset belongs to it.
func (p *parser) continues(offset int) (int, bool) {
	if p.floor == 0 {
		return offset, offset < p.end || p.end < len(p.text)
	}
	i := offset
	for i < p.end && p.text[i] == ' ' {
		i++
	}
	rest := p.text[i:p.end]
	if strings.HasPrefix(rest, "\r\n") || rest == "\r" {
		return i + 1, true
	}
	return i, strings.HasPrefix(rest, "\n") || i-offset >= p.floor
}

// plain reads a scalar without quotes, which may go over several lines.
func (p *parser) plain() string {
	start, end := p.at, p.at
	switch c := p.peek(0); c {
	case '\t', ',', '%', '|', '>', '@', '`', ']', '}':
		p.fail(p.at, "a text without quotes cannot begin with %q", c)
	}
scan:
	for i := start; i < p.end; i++ {
		c, next := p.text[i], byte(none)
		if i+1 < p.end {
			next = p.text[i+1]
		}
		flowEnds := p.flows > 0 && isFlowByte(next)
		switch {
		case c == ':':
			if isBlank(next) || flowEnds {
				break scan
			}
			end = i + 1
		case c == '\r' && next != '\n':
			end = i + 1
			if next == '#' || flowEnds {
				break scan
			}
		case isBlank(c):
			if c == '\r' {
				i++
				c, next = '\n', none
				if i+1 < p.end {
					next = p.text[i+1]
				}
				flowEnds = p.flows > 0 && isFlowByte(next)
			}
			if next == '#' || flowEnds {
				break scan
			}
			if c == '\n' {
				text, goesOn := p.continues(i + 1)
				if !goesOn {
					break scan
				}
				i = max(i, text-2)
			}
		case p.flows > 0 && isFlowByte(c):
			break scan
		default:
			end = i + 1
		}
	}
	p.at = end
	return foldLines(p.text[start:end])
}

// foldLines makes a space of a line break, and a line break of each empty line.
func foldLines(text string) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	lines := strings.Split(text, "\n")
	var b strings.Builder
	separator := ""
	for i, line := range lines {
		if i > 0 {
			line = strings.TrimLeft(line, " \t")
		}
		if i < len(lines)-1 {
			line = strings.TrimRight(strings.TrimSuffix(line, "\r"), " \t")
		}
		switch {
		case i == 0:
			separator = " "
		case i < len(lines)-1 && line == "" && separator == "\n":
			b.WriteByte('\n')
			continue
		case i < len(lines)-1 && line == "":
			separator = "\n"
			continue
		default:
			b.WriteString(separator)
			separator = " "
		}
		b.WriteString(line)
	}
	return b.String()
}

// quoted reads a scalar in quotes.
func (p *parser) quoted(quote byte) string {
	start := p.at
	end := p.closingQuote(quote)
	for i := start; end >= 0; {
		next := strings.IndexByte(p.text[i:end], '\n')
		if next < 0 {
			break
		}
		text, goesOn := p.continues(i + next + 1)
		if !goesOn {
			end = -1
			break
		}
		i = min(text, end)
	}
	if end < 0 {
		p.fail(start, "the %c is not closed, or the lines of the text are not indented enough", quote)
	}
	p.at = end + 1
	if quote == '\'' {
		return strings.ReplaceAll(foldLines(p.text[start+1:end]), "''", "'")
	}
	return p.unescape(start+1, end)
}

func (p *parser) closingQuote(quote byte) int {
	for i := p.at + 1; i < p.end; i++ {
		switch c := p.text[i]; {
		case c == '\\' && quote == '"':
			i++
		case c == quote && quote == '\'' && i+1 < p.end && p.text[i+1] == quote:
			if i++; i == len(p.text)-1 { // the editor takes it for the end
				return i
			}
		case c == quote:
			return i
		}
	}
	return -1
}

// escapes of one letter.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 'e': "\x1b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
	'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029", ' ': " ", '"': `"`, '/': "/", '\\': `\`, '\t': "\t",
}

// unescape returns the text between double quotes.
func (p *parser) unescape(start, end int) string {
	var b strings.Builder
	for i := start; i < end; {
		switch c := p.text[i]; c {
		case '\\':
			i = p.escape(&b, i+1, end)
		case ' ', '\t', '\r', '\n':
			i = foldSpace(&b, p.text[:end], i)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// foldSpace writes what the white space at i stands for, and returns where it ends.
func foldSpace(b *strings.Builder, text string, i int) int {
	start := i
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	if !strings.HasPrefix(text[i:], "\n") && !strings.HasPrefix(text[i:], "\r\n") {
		if i < len(text) && text[i] == '\r' { // alone it is no line break
			i++
		}
		b.WriteString(text[start:i])
		return i
	}
	breaks := 0
	for {
		rest := strings.TrimLeft(text[i:], " \t")
		switch {
		case strings.HasPrefix(rest, "\n"):
			i = len(text) - len(rest) + 1
		case strings.HasPrefix(rest, "\r\n"):
			i = len(text) - len(rest) + 2
		default:
			if breaks == 1 {
				b.WriteByte(' ')
			}
			b.WriteString(strings.Repeat("\n", breaks-1))
			return len(text) - len(rest)
		}
		breaks++
	}
}

// escape writes what follows a backslash, and returns where it ends.
func (p *parser) escape(b *strings.Builder, i, end int) int {
	c := p.text[i]
	if s, ok := escapes[c]; ok {
		b.WriteString(s)
		return i + 1
	}
	if rest := p.text[i:end]; strings.HasPrefix(rest, "\n") || strings.HasPrefix(rest, "\r\n") {
		after := strings.TrimPrefix(rest, "\r")[1:]
		return end - len(strings.TrimLeft(after, " \t"))
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	code, ok := p.hex(i+1, digits, end)
	if digits == 0 || !ok || code > utf8.MaxRune {
		_, size := utf8.DecodeRuneInString(p.text[i:])
		p.fail(i, `\%s is no escape in double quotes; write \\ for a backslash, or use single quotes`, p.text[i:i+size])
	}
	i += 1 + digits
	if utf16.IsSurrogate(code) && strings.HasPrefix(p.text[i:end], `\u`) {
		if low, ok := p.hex(i+2, 4, end); ok && utf16.DecodeRune(code, low) != utf8.RuneError {
			code, i = utf16.DecodeRune(code, low), i+6
		}
	}
	b.WriteRune(code) // half of a pair becomes U+FFFD
	return i
}

// hex reads so many digits.
func (p *parser) hex(i, digits, end int) (rune, bool) {
	if i+digits > end {
		return 0, false
	}
	code, err := strconv.ParseUint(p.text[i:i+digits], 16, 32)
	return rune(min(code, utf8.MaxRune+1)), err == nil
}
