package gpttest

import (
	"iter"
	"regexp"
	"regexp/syntax"
	"strings"
)

// drafts is how many texts are made of one pattern before it is given up.
const drafts = 60

var (
	// lookaround is what Go's syntax does not know. It is left out of the making; the
	// texts are checked against the whole pattern.
	lookaround = regexp.MustCompile(`\(\?(=|!|<=|<!)[^()]*\)`)
	// unicodeEscape is ECMAScript's \u00e9, which Go writes \x{00e9}.
	unicodeEscape = regexp.MustCompile(`\\u\{?([0-9a-fA-F]{4,6})\}?`)
	// manyTimes is an upper bound that Go's syntax refuses: it allows 1,000.
	manyTimes = regexp.MustCompile(`\{(\d+),\d{4,}\}`)
)

// fromPattern yields texts made along a pattern, the shortest first. Nothing is yielded
// for a pattern that cannot be read. Whether the pattern admits a text is for the caller
// to check.
func (m *making) fromPattern(pattern string) iter.Seq[string] {
	return func(yield func(string) bool) {
		pattern = lookaround.ReplaceAllString(pattern, "")
		pattern = unicodeEscape.ReplaceAllString(pattern, `\x{$1}`)
		pattern = manyTimes.ReplaceAllString(pattern, "{$1,}")
		expression, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			return
		}
		for more := range drafts {
			var text strings.Builder
			m.write(&text, expression, more)
			if !yield(text.String()) {
				return
			}
		}
	}
}

// write follows expression once; what may be repeated is repeated up to more times
// beyond the least.
func (m *making) write(text *strings.Builder, expression *syntax.Regexp, more int) {
	if text.Len() > maxCharacters {
		return
	}
	repeat := func(least, most int) {
		times := least + more
		if most >= 0 {
			times = min(times, most)
		}
		for range times {
			m.write(text, expression.Sub[0], more)
		}
	}
	switch expression.Op {
	case syntax.OpLiteral:
		text.WriteString(string(expression.Rune))
	case syntax.OpCharClass:
		text.WriteRune(m.oneOf(expression.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		text.WriteRune(m.oneOf([]rune("az")))
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(expression.Min, expression.Max)
	case syntax.OpConcat, syntax.OpCapture:
		for _, part := range expression.Sub {
			m.write(text, part, more)
		}
	case syntax.OpAlternate:
		m.write(text, expression.Sub[m.random.IntN(len(expression.Sub))], more)
	}
}

// oneOf picks a character from pairs of bounds: one that is easy to read if there is one.
func (m *making) oneOf(bounds []rune) rune {
	var readable []rune
	for _, r := range "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		if within(bounds, r) {
			readable = append(readable, r)
		}
	}
	if len(readable) > 0 {
		return readable[m.random.IntN(len(readable))]
	}
	i := 2 * m.random.IntN(len(bounds)/2)
	return bounds[i] + rune(m.random.IntN(int(min(bounds[i+1]-bounds[i], 1000))+1)) // #nosec G115 -- at most 1000
}

func within(bounds []rune, r rune) bool {
	for i := 0; i+1 < len(bounds); i += 2 {
		if bounds[i] <= r && r <= bounds[i+1] {
			return true
		}
	}
	return false
}
