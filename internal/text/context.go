package text

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	nonJoiner      = 0x200C
	joiner         = 0x200D
	textStyle      = 0xFE0E
	emojiStyle     = 0xFE0F
	vowelSeparator = 0x180E // of Mongolian
	keycap         = 0x20E3
	blackFlag      = 0x1F3F4
)

// contextual reports whether an invisible character stays where its neighbours need it.
func contextual(r rune) bool {
	switch r {
	case nonJoiner, joiner, textStyle, emojiStyle, vowelSeparator:
		return true
	}
	return mongolianSelector(r) || tag(r)
}

// mongolianSelector reports whether r chooses one of the forms of a Mongolian letter.
func mongolianSelector(r rune) bool { return r >= 0x180B && r <= 0x180D || r == 0x180F }

// tag reports whether r is one of the characters of which flags of regions are made.
func tag(r rune) bool { return r >= 0xE0020 && r <= 0xE007F }

// flags are all of Unicode's RGI_Emoji_Tag_Sequence: England, Scotland, Wales. No other region's
// flag is drawn, so that the letters of its name would be hidden text.
var flags = [...]string{flagOf("gbeng"), flagOf("gbsct"), flagOf("gbwls")}

const maxFlag = 7 // characters

func flagOf(region string) string {
	flag := []rune{blackFlag}
	for _, letter := range region {
		flag = append(flag, 0xE0000+letter)
	}
	return string(append(flag, 0xE007F))
}

// flagAt returns the flag of a region with which a text begins, "" for none.
func flagAt(text string) string {
	for _, flag := range flags {
		if strings.HasPrefix(text, flag) {
			return flag
		}
	}
	return ""
}

// keepInContext leaves out the contextual characters that their neighbours do not need. It goes
// by what was kept before and by the next that is visible, which does not depend on another
// contextual one, so that doing it again changes nothing.
func keepInContext(text []rune) []rune {
	kept := make([]rune, 0, len(text))
	next := nextVisible(text)
	for i, r := range text {
		if tag(r) || !contextual(r) || needed(kept, r, next[i]) {
			kept = append(kept, r)
		}
	}
	return kept
}

// following is what comes after a place: the next visible character, and the next that is no
// mark either. 0 stands for the end.
type following struct{ visible, letter rune }

func nextVisible(text []rune) []following {
	next := make([]following, len(text))
	var after following
	for i, r := range slices.Backward(text) {
		next[i] = after
		switch {
		case contextual(r):
		case unicode.IsMark(r):
			after.visible = r
		default:
			after = following{r, r}
		}
	}
	return next
}

func needed(kept []rune, r rune, next following) bool {
	if len(kept) == 0 {
		return false
	}
	last := kept[len(kept)-1]
	switch {
	case r == textStyle, r == emojiStyle:
		if last < 0x80 { // digits, # and *
			return unicode.Is(emojiVariation, last) && r == emojiStyle && next.visible == keycap
		}
		return unicode.Is(emojiVariation, last)
	case mongolianSelector(r):
		return mongolian(last)
	case r == vowelSeparator: // before the last vowel of a word
		return (mongolian(last) || mongolianSelector(last)) && (next.visible == 0x1820 || next.visible == 0x1821)
	case r == joiner:
		return joinsEmoji(kept, next) || afterVirama(kept) || unicode.Is(unicode.Lo, last) && virama(next.visible) ||
			!contextual(last) && unicode.Is(joinsNext, base(kept)) && !unicode.Is(joinsPrevious, next.letter)
	case r == nonJoiner:
		return afterVirama(kept) && unicode.IsLetter(next.visible) ||
			!contextual(last) && unicode.Is(joinsNext, base(kept)) && unicode.Is(joinsPrevious, next.letter) ||
			// keeps a shifter above
			unicode.Is(unicode.Khmer, last) && (next.visible == 0x17C9 || next.visible == 0x17CA)
	}
	return false
}

func mongolian(r rune) bool { return unicode.Is(unicode.Mongolian, r) && unicode.IsLetter(r) }

// base returns the last character that was kept and is no mark, 0 for none.
func base(kept []rune) rune {
	for _, r := range slices.Backward(kept) {
		if !unicode.IsMark(r) || contextual(r) {
			return r
		}
	}
	return 0
}

// virama reports whether r takes the vowel from the letter before it (RFC 5892 appendix A).
func virama(r rune) bool { return norm.NFC.PropertiesString(string(r)).CCC() == 9 }

// afterVirama reports whether a letter without its vowel comes before.
func afterVirama(kept []rune) bool {
	return virama(kept[len(kept)-1]) && unicode.Is(unicode.Lo, base(kept))
}

// joinsEmoji reports whether emoji stand on both sides, the left one perhaps with a style or the
// colour of a skin (UAX #29, GB11).
func joinsEmoji(kept []rune, next following) bool {
	if !unicode.Is(pictographic, next.visible) {
		return false
	}
	end := len(kept)
	if kept[end-1] == emojiStyle && end > 1 {
		end--
	}
	if tone := kept[end-1]; tone >= 0x1F3FB && tone <= 0x1F3FF && end > 1 {
		end--
		if kept[end-1] == emojiStyle && end > 1 {
			end--
		}
	}
	return unicode.Is(pictographic, kept[end-1])
}
