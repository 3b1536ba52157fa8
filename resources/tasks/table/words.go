package table

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The search index is made here, for both databases alike, of units and pairs. A unit is
// a word, or in text without spaces (Chinese, Japanese, Thai…) one character with its
// marks. A pair is two units with nothing between them: 明天的会议 has the pairs 明天, 天的,
// 的会 and 会议. So a word of one unit is found as a unit, and one of several as pairs that
// follow one another, at the cost of a phrase of rather rare words.

// A piece is the units that neither a space nor a sign separates.
type piece []string

// pairs returns each unit together with the next one.
func (p piece) pairs() (list []string) {
	for i, next := range p[1:] {
		list = append(list, p[i]+next)
	}
	return list
}

// maxUnit is how many characters of a unit count. Two of them fit into the 2 KB that
// Postgres allows a word.
const maxUnit = 128

// Searchable reports whether a text has a word that a search can look for.
func Searchable(text string) bool { return len(pieces(text)) > 0 }

// pieces takes a text apart. Letter case, width, composition and the accents of Latin,
// Greek, Arabic and Hebrew letters make no difference, nor do the dots of ё.
func pieces(text string) (list []piece) {
	var current piece
	var word strings.Builder
	length, run := 0, false // the unit in word: its characters, and whether it is of text without spaces
	endUnit := func() {
		if length > 0 {
			current = append(current, word.String())
		}
		word.Reset()
		length = 0
	}
	endPiece := func() {
		endUnit()
		if len(current) > 0 {
			list = append(list, current)
		}
		current = nil
	}
	for _, r := range fold(text) {
		begins := unicode.IsLetter(r) || unicode.IsNumber(r) || laterIdeograph(r)
		switch {
		case begins && unspaced(r):
			endUnit()
			run = true
		case begins:
			if run {
				endUnit()
			}
			run = false
		case unicode.In(r, unicode.Mn, unicode.Mc) && length > 0: // belongs to the unit
		case run && joins(r):
			continue
		default:
			endPiece()
			run = false
			continue
		}
		if length < maxUnit {
			word.WriteRune(r)
		}
		length++
	}
	endPiece()
	return list
}

// unspacedScripts are scripts written without spaces between words. Korean has spaces, but attaches particles to its
// words.
var unspacedScripts = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul, unicode.Yi, unicode.Nushu,
	unicode.Tangut,
	unicode.Khitan_Small_Script, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
	unicode.Tai_Le,
	unicode.New_Tai_Lue, unicode.Tai_Tham, unicode.Tai_Viet, unicode.Ahom, unicode.Javanese, unicode.Balinese,
	{R16: []unicode.Range16{{Lo: 0x3006, Hi: 0x3006, Stride: 1}, {Lo: 0x3031, Hi: 0x3035, Stride: 1},
		// of Japanese, but common to several scripts
		{Lo: 0x303C, Hi: 0x303C, Stride: 1}, {Lo: 0x30FC, Hi: 0x30FC, Stride: 1}}},
}

func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.IsOneOf(unspacedScripts, r) || laterIdeograph(r)
}

// laterIdeograph reports whether r is in the planes for ideographs, where later versions of Unicode have more than this
// program knows.
func laterIdeograph(r rune) bool { return r >= 0x20000 && r <= 0x3FFFD && !unicode.IsSymbol(r) }

// joins reports whether r stands between two characters of text without spaces and does
// not separate them: the place where a line may break, or Tibetan's sign between syllables.
func joins(r rune) bool { return r == 0x200B || r == 0x0F0B }

var caseless = cases.Fold()

// fold returns the text in the form that all its spellings share.
func fold(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	text = norm.NFKD.String(strings.Map(withoutSymbols, text))
	text = norm.NFKD.String(caseless.String(text))
	accented := false // the letter before has accents that do not count
	var letter rune   // the one before
	text = strings.Map(func(r rune) rune {
		switch {
		case ignored(r), accented && unicode.Is(unicode.Mn, r):
			return -1
		case r == 0x0308 && letter == 'е': // Russian writes е for ё
			return -1
		case !unicode.Is(unicode.Mn, r):
			letter = r
			accented = unicode.In(r, unicode.Latin, unicode.Greek, unicode.Arabic, unicode.Hebrew)
		}
		return r
	}, text)
	return norm.NFC.String(text)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// withoutSymbols removes signs such as ™ and emoji, which a compatibility mapping would turn into letters. Those of
// East Asia, such as ㍿ and ㎏, stand for words and stay.
func withoutSymbols(r rune) rune {
	if unicode.IsSymbol(r) && !unicode.Is(unicode.Han, r) && (r < 0x3200 || r > 0x33FF) {
		return ' '
	}
	return r
}

// ignored reports whether r neither belongs to a word nor separates words: what nobody can see, variants of the same
// character, and circles around one.
func ignored(r rune) bool {
	const tatweel = 0x0640 // makes an Arabic word longer, as a dash does
	return r == tatweel || r != 0x200B &&
		unicode.In(r, unicode.Cf, unicode.Me, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// maxPlaces is how many units of a task are indexed: as many as Postgres tells apart, and
// more than titles and notes have characters.
const maxPlaces = 16_383

// pieces returns the pieces of the title and of the notes.
func (t Task) pieces() []piece {
	list := pieces(t.Title + "\n" + t.Notes)
	left := maxPlaces
	for i, p := range list {
		if len(p) > left {
			list[i] = p[:left]
			return list[:i+min(left, 1)]
		}
		left -= len(p)
	}
	return list
}

// fts5Texts returns the units and the pairs, as the columns of task_words have them: each with the mark of its owner
// before it. After each piece a sign that nobody searches for separates its last pair from the next piece.
func (t Task) fts5Texts(mark string) (units, pairs string) {
	var u, p strings.Builder
	write := func(to *strings.Builder, terms []string) {
		for _, term := range terms {
			to.WriteString(mark + term + " ")
		}
	}
	for _, piece := range t.pieces() {
		write(&u, piece)
		if len(piece) > 1 {
			write(&p, piece.pairs())
			p.WriteString("· ")
		}
	}
	return u.String(), p.String()
}

// has reports whether a search for the text finds the task by the index of SQLite.
func (t Task) has(text string) bool {
	units, pairs := t.fts5Texts("")
	for _, phrase := range phrases(text) {
		in := " " + units
		if phrase.pairs {
			in = " " + pairs
		}
		if !strings.Contains(in, " "+strings.Join(phrase.terms, " ")+" ") {
			return false
		}
	}
	return true
}

// ownerMark returns what begins each term of an owner in the index of words: so a search reads its owner's entries
// alone. It is a part of a hash. What begins alike by chance is left out when the tasks are read.
func ownerMark(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return hex.EncodeToString(sum[:5])
}

// fts5Query asks for each word of the text among the terms of the owner, quoted so that none is an operator; "" if
// there is none.
func fts5Query(owner, text string) string {
	mark, all := ownerMark(owner), []string{}
	for _, phrase := range phrases(text) {
		column := "units"
		if phrase.pairs {
			column = "pairs"
		}
		all = append(all, column+` : "`+mark+strings.Join(phrase.terms, " "+mark)+`"`)
	}
	return strings.Join(all, " AND ")
}

// A phrase is terms of the index that follow one another.
type phrase struct {
	terms []string
	pairs bool
}

// several reports whether the phrase has terms to follow one another.
func (p phrase) several() bool { return len(p.terms) > 1 }

// phrases returns what a search looks for; all of it must match. The parts of a word with signs in it, such as 3.5 or
// e-mail, must follow one another; around text without spaces, signs only separate.
func phrases(text string) (list []phrase) {
	for _, word := range strings.Fields(text) {
		var single []string // units that follow one another
		for _, piece := range pieces(word) {
			if len(piece) == 1 {
				single = append(single, piece[0])
				continue
			}
			if single != nil {
				list = append(list, phrase{terms: single})
			}
			single = nil
			list = append(list, phrase{piece.pairs(), true})
		}
		if single != nil {
			list = append(list, phrase{terms: single})
		}
	}
	return list
}

// tsvector returns the units and pairs with their places, and the owner, as Postgres reads it.
func (t Task) tsvector(owner string) string {
	places := map[string][]string{}
	terms := []string{}
	place := 0
	add := func(term string) {
		if places[term] == nil {
			terms = append(terms, term)
		}
		places[term] = append(places[term], strconv.Itoa(place))
	}
	for _, piece := range t.pieces() {
		pairs := piece.pairs()
		for i, unit := range piece {
			place++
			add(unit)
			if i < len(pairs) {
				add(pairs[i])
			}
		}
	}
	var text strings.Builder
	text.WriteString(lexeme("owner:" + owner))
	for _, term := range terms {
		text.WriteString(" '" + term + "':" + strings.Join(places[term], ","))
	}
	return text.String()
}

// lexeme quotes a word for a tsvector or tsquery.
func lexeme(word string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(word) + "'"
}

// tsquery asks for each word of the text; "" if there is none.
func tsquery(text string) string {
	all := []string{}
	for _, phrase := range phrases(text) {
		quoted := []string{}
		for _, term := range phrase.terms {
			quoted = append(quoted, lexeme(term))
		}
		all = append(all, strings.Join(quoted, " <-> "))
	}
	return strings.Join(all, " & ")
}

// markedTerms returns the terms of the text as task_terms makes them, a function of Postgres.
func markedTerms(owner, text string) (list []string) {
	for _, phrase := range phrases(text) {
		for _, term := range phrase.terms {
			list = append(list, ownerMark(owner)+term)
		}
	}
	return list
}
