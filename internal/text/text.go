// Package text is where text that was made elsewhere comes in, and where it goes out to a
// terminal. It leaves what people write and can see, and takes away what only a machine reads:
// [Lines] and [Line] are for what people send, [Name] is for what other systems tell of people,
// organizations and apps, and a [Terminal] is for everything that a command prints.
//
// What goes is decided by the properties of Unicode, not by lists of characters. An invisible
// character stays only where it changes the shape of the visible one before it, and then once:
// in emoji, and in words of Arabic, Indic and Mongolian scripts.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lines cleans text of several lines. Line feeds and tabs stay; all other line ends become line
// feeds. Blanks at both ends go, so what has nothing to see becomes "". The result is never
// longer, and cleaning it again changes nothing.
func Lines(text string) string { return clean(text, true) }

// Line is [Lines] for text of one line: blanks take the place of line ends and tabs.
func Line(text string) string { return clean(text, false) }

// Strip takes out of a text, such as a whole JSON document, what [Lines] would take out, but leaves
// blanks at its ends.
func Strip(text string) string {
	if ordinary(text) {
		return text
	}
	return string(keepInContext(limitMarks(visible(text, true))))
}

// Hides reports whether cleaning would take something out of a text, blanks at its ends aside.
func Hides(text string) bool {
	return strings.TrimFunc(text, unicode.IsSpace) != clean(text, true)
}

// maxName is in characters. Few names of people are longer, and no page is filled by one.
const maxName = 128

// Name returns a name of a person, an organization or an app that another system knows, such as
// Stytch, where anybody may call themselves anything: one line, with an ellipsis for what is
// beyond 128 characters.
func Name(name string) string {
	return Short(Line(name), maxName)
}

// Short cuts a text to a number of characters, the last of which is then an ellipsis. Marks and
// joiners are not cut from the character that they belong to.
func Short(text string, most int) string {
	characters := []rune(text)
	if len(characters) <= most {
		return text
	}
	end := most - 1
	for end > 0 && (unicode.IsMark(characters[end]) || contextual(characters[end]) || contextual(characters[end-1])) {
		end--
	}
	return strings.TrimRightFunc(string(characters[:end]), unicode.IsSpace) + "…"
}

func clean(text string, lines bool) string {
	if ordinary(text) {
		if !lines {
			text = strings.Map(oneLine, text)
		}
		return strings.TrimFunc(text, unicode.IsSpace)
	}
	characters := visible(text, lines)
	characters = limitMarks(trimStart(characters))
	return strings.TrimRightFunc(string(keepInContext(characters)), blank)
}

// ordinary reports whether a text is ASCII without controls but line feed and tab.
func ordinary[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' && c != '\t' || c == 0x7F {
			return false
		}
	}
	return true
}

func oneLine(r rune) rune {
	if r == '\n' || r == '\t' {
		return ' '
	}
	return r
}

// visible leaves out what is never kept. What depends on its neighbours is still there.
func visible(text string, lines bool) []rune {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n")
	kept := make([]rune, 0, len(text))
	for i := 0; i < len(text); {
		if flag := flagAt(text[i:]); flag != "" {
			kept = append(kept, []rune(flag)...)
			i += len(flag)
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case lineEnd(r) && lines:
			r = '\n'
		case r == '\t' && lines:
		case lineEnd(r), r == '\t', exoticSpace(r):
			r = ' '
		case removed(r) && (!contextual(r) || tag(r)):
			continue
		}
		kept = append(kept, r)
	}
	return kept
}

// lineEnd reports whether a line ends with r (UAX #14: BK, CR, LF, NL).
func lineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// exoticSpace reports whether r is one of the spaces that differ in width alone. The one that
// does not break, its narrow sister and the wide one of Chinese and Japanese texts are needed.
func exoticSpace(r rune) bool {
	return unicode.Is(unicode.Zs, r) && r != ' ' && r != 0xA0 && r != 0x202F && r != 0x3000
}

// removed reports whether a character shows nothing of itself, or nothing that two readers would
// agree on: Default_Ignorable_Code_Point (as DerivedCoreProperties.txt derives it), controls,
// format characters such as Bidi_Control, private use, and what is not assigned. Signs of Arabic
// and Syriac texts that are visible though format characters stay (Prepended_Concatenation_Mark),
// and so do places where emoji may be assigned.
func removed(r rune) bool {
	switch {
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r), unicode.Is(pictographic, r):
		return false
	case r == objectReplacement:
		return true
	}
	return unicode.In(r, unicode.C, unicode.Cn, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// objectReplacement stands for a picture that is not there.
const objectReplacement = 0xFFFC

// blank reports whether nothing is drawn for r: spaces, and symbols whose picture is empty, for
// which Unicode has no property.
func blank(r rune) bool {
	switch r {
	case 0x2800, 0x13441, 0x13442, 0x1D159: // of Braille, hieroglyphs, music
		return true
	}
	return unicode.IsSpace(r)
}

// trimStart takes away blanks and what has no character before it to belong to.
func trimStart(text []rune) []rune {
	for i, r := range text {
		if !blank(r) && !unicode.IsMark(r) && !contextual(r) {
			return text[i:]
		}
	}
	return nil
}

// maxMarks is how many marks one character can bear. The longest stack of Tibetan that is in use
// has eight, pointed Hebrew up to five.
const maxMarks = 8

// limitMarks drops what would be drawn over neighbouring lines.
func limitMarks(text []rune) []rune {
	kept, marks := text[:0], 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me) && !contextual(r):
			if marks++; marks > maxMarks {
				continue
			}
		case !contextual(r):
			marks = 0
		}
		kept = append(kept, r)
	}
	return kept
}

// tableOf makes a table of ranges in order.
func tableOf(ranges []unicode.Range32) *unicode.RangeTable {
	t := &unicode.RangeTable{}
	for _, r := range ranges {
		if r.Hi <= 0xFFFF {
			// #nosec G115 -- compared above
			t.R16 = append(t.R16, unicode.Range16{Lo: uint16(r.Lo), Hi: uint16(r.Hi), Stride: 1})
		} else {
			t.R32 = append(t.R32, r)
		}
	}
	return t
}
