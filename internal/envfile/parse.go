package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"guestpass/internal/pattern"
)

var nameForm = pattern.New(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Parse reads the text of a file; its errors call it name, with the line. What is wrong with one value alone is said by
// its [Variable.Err], so that lines which belong to other programs do no harm.
func Parse(name string, text []byte) (*File, error) {
	lines, err := scan(name, text)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name, assigned: map[string]int{}}
	first := map[string]int{}
	for _, l := range lines {
		f.noteOthers(l)
		if l.odd && f.odd == 0 {
			f.odd = l.Line
		}
		if l.Name == "" {
			continue
		}
		f.says = f.says || !l.odd
		if before, found := first[l.Name]; found {
			l.Err = fmt.Errorf("is there twice, in line %d as well: leave one of them out", before)
		} else {
			first[l.Name] = l.Line
		}
		f.Variables = append(f.Variables, l.Variable)
	}
	return f, nil
}

// noteOthers notes to which names a line assigns something in a way that only others read, perhaps: behind a word of a
// shell's, another variable or a blank that is none of ASCII's, or behind a carriage return, with which some files end
// all lines.
func (f *File) noteOthers(l line) {
	whole := !l.odd && l.Err == nil && !strings.Contains(strings.TrimRight(l.text, blanks), "\r")
	if whole || strings.HasPrefix(strings.TrimLeft(l.text, blanks), ";") { // which begins a comment of systemd's
		return
	}
	for rest := l.text; rest != ""; {
		rest = strings.TrimLeftFunc(rest, func(r rune) bool { return !inNames(r) })
		behind := strings.TrimLeftFunc(rest, inNames)
		name := rest[:len(rest)-len(behind)]
		if rest = strings.TrimLeftFunc(behind, unicode.IsSpace); rest != "" && strings.IndexByte("=:", rest[0]) >= 0 {
			f.assigned[spelling(name)] = l.Line
		}
	}
}

func inNames(r rune) bool {
	return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-'
}

// spelling is the same for names that people take for each other.
func spelling(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// AssignedElsewhere returns the line that seems to say a variable and is no NAME=VALUE, or 0. It says nothing of how
// the file spells it, since what is in such a line may be a secret.
func (f *File) AssignedElsewhere(name string) (line int) { return f.assigned[spelling(name)] }

// A line is a piece of a file up to a line end: more than one line of text if a value in quotes has line ends.
type line struct {
	Variable // without a name for a comment or an empty line
	text     string
	odd      bool // neither NAME=VALUE nor a comment nor empty
	open     bool // nothing closes its quotation mark
}

// scan cuts a file into lines. Put together, their texts are the file.
func scan(name string, text []byte) (lines []line, err error) {
	switch {
	case len(text) > maxBytes:
		return nil, fmt.Errorf("%s has more than %d bytes: it is no file of settings", name, maxBytes)
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return nil, fmt.Errorf("%s:1: begins with a byte order mark: save the file as UTF-8 without one", name)
	}
	number := 1
	for rest := string(text); rest != ""; {
		l, err := next(rest)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		l.Line, rest = number, rest[len(l.text):]
		number += strings.Count(l.text, "\n")
		lines = append(lines, l)
	}
	return lines, nil
}

// next returns the first line of a text. Of one that other programs alone can read it says no more than that: it may
// be theirs.
func next(text string) (l line, err error) {
	l.text, _ = cutLine(text)
	content := strings.Trim(l.text, blanks)
	if strings.Contains(l.text, "\x00") {
		return l, errors.New("is no text: save the file as UTF-8")
	}
	if content == "" || content[0] == '#' {
		return l, nil
	}
	before, _, found := strings.Cut(l.text, "=")
	name, exported := strings.CutPrefix(strings.TrimLeft(before, blanks), "export ")
	if l.Name = strings.Trim(name, blanks); !found || !nameForm.MatchString(l.Name) {
		l.odd, l.Name = true, ""
		if word := leading.FindStringSubmatch(content); word != nil {
			l.Name = word[1]
		}
		l.Err = errors.New("is in a line that is neither NAME=VALUE nor a comment, which begins with #")
		return l, nil
	}
	at := len(before) + len("=")
	rest := strings.TrimLeft(text[at:], " \t")
	switch {
	case exported:
		l.Err = errors.New("has export before it, which only a shell takes: leave it out")
	case l.Name != name || len(rest) != len(text[at:]) && strings.Trim(l.text[at:], blanks) != "":
		l.Err = errors.New("has blanks around its =: leave them out")
	}
	length, problem := l.read(rest)
	if end := len(text) - len(rest) + length; end > len(l.text) {
		l.text = text[:end]
	}
	if strings.Contains(l.text, "\x00") {
		return l, errors.New("begins a value that is no text: save the file as UTF-8")
	}
	if l.Err == nil {
		l.Err = problem
	}
	return l, nil
}

// leading is the word with which a line begins that is none of ours, if it looks like the name of a variable: what else
// is there may be a piece of a secret, and a name is shown. With a dot or a hyphen in it, it is the name of no setting,
// and yet may resemble one.
var leading = pattern.New(`^([A-Z][A-Z0-9]*[_.-][A-Z0-9_.-]*)(?:[ \t=:]|$)`)

const blanks = " \t\r\n"

// cutLine returns the text up to its first line end, and what follows.
func cutLine(text string) (first, rest string) {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1], text[i+1:]
	}
	return text, ""
}

// read takes the value with which a text begins, and returns how long it is with the rest of its last line, and why it
// cannot be taken.
func (l *line) read(text string) (length int, problem error) {
	first, _ := cutLine(text)
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
		l.Value, length, problem = quoted(text)
		if length < 0 {
			l.open = true
			return len(first), errors.New("begins with a quotation mark that nothing closes")
		}
		behind, _ := cutLine(text[length:])
		if strings.Trim(behind, blanks) != "" && problem == nil {
			problem = errors.New("has something behind the closing quotation mark: a comment takes a line of its own")
		}
		length += len(behind)
	} else {
		l.Value, length = strings.TrimRight(first, blanks), len(first)
		if strings.Contains(l.Value, " #") {
			problem = errors.New("has a # behind a blank in it: a comment takes a line of its own, and a value with " +
				"both is put in single quotes")
		} else if i := strings.IndexAny(l.Value, special); i >= 0 {
			problem = fmt.Errorf("has %s in it, which programs read in several ways: put the value in single quotes",
				spelled(l.Value[i]))
		}
	}
	switch {
	case problem != nil:
	case !utf8.ValidString(text[:length]):
		problem = errors.New("is no text: save the file as UTF-8")
	case strings.Contains(text[:length], "\r"):
		problem = errors.New("has a carriage return in its line, which a shell takes for a part of the value: save " +
			"the file with the line ends of Unix (LF)")
	}
	return length, problem
}

// special are the characters that mean something to a shell, or to systemd, in a value without quotes.
const special = " \t\r\\'\"$`;&|<>()~"

func spelled(b byte) string {
	switch b {
	case ' ', '\t', '\r':
		return "a blank"
	}
	return string(b)
}

// quoted reads the value in quotes with which a text begins; a negative length says that nothing closes it. Inside
// double quotes a backslash stands before ", \, $, ` and line ends alone.
func quoted(text string) (value string, length int, problem error) {
	var b strings.Builder
	mark := text[0]
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == mark:
			return b.String(), i + 1, problem
		case mark == '\'':
			b.WriteByte(c)
		case c == '\\' && i+1 < len(text) && strings.IndexByte("\"\\$`\n", text[i+1]) >= 0:
			if i++; text[i] != '\n' { // a line end behind a backslash is none
				b.WriteByte(text[i])
			}
		case c == '$' || c == '`':
			problem = fmt.Errorf("has %c in double quotes, which a shell replaces by something else: use single quotes",
				c)
		default:
			b.WriteByte(c)
		}
	}
	return "", -1, nil
}
