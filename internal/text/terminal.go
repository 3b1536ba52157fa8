package text

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// A Terminal writes what a command prints. Documents, servers, file names, settings and errors
// may have anything in them; what would move the cursor, change colours or titles, turn the
// direction of writing or hide is written as JSON writes it, such as \u001b. So JSON stays the
// same JSON. Safe for concurrent use.
type Terminal struct {
	mu   sync.Mutex
	to   io.Writer
	rest []byte // the beginning of a character whose end was not written yet
}

// NewTerminal returns a Terminal that writes to w.
func NewTerminal(w io.Writer) *Terminal { return &Terminal{to: w} }

// Unwrap returns what it writes to.
func (t *Terminal) Unwrap() io.Writer { return t.to }

func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rest) == 0 && ordinary(p) { // nearly always: nothing to keep, nothing to escape
		return t.to.Write(p)
	}
	text := append(t.rest, p...)
	whole := len(text) - unfinished(text)
	t.rest = append([]byte(nil), text[whole:]...)
	if _, err := io.WriteString(t.to, Escape(string(text[:whole]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unfinished returns the number of bytes at the end of a text that begin a character.
func unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if end := text[len(text)-n:]; utf8.RuneStart(end[0]) {
			if utf8.FullRune(end) {
				return 0
			}
			return n
		}
	}
	return 0
}

// Escape writes in JSON's way what [Lines] would take away, and keeps the rest as it is. A byte
// that is not UTF-8, which some terminals obey, becomes U+FFFD.
func Escape(text string) string {
	if ordinary(text) {
		return text
	}
	characters := []rune(text) // U+FFFD for each bad byte
	next := nextVisible(characters)
	var written strings.Builder
	var kept []rune
	flagEnd := 0
	for i, r := range characters {
		if i >= flagEnd && r == blackFlag {
			flagEnd = i + utf8.RuneCountInString(flagAt(string(characters[i:min(len(characters), i+maxFlag)])))
		}
		shown := r == '\n' || r == '\t' || !removed(r) || i < flagEnd || contextual(r) && !tag(r) && needed(kept, r,
			next[i])
		if shown {
			kept = append(kept, r)
			written.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&written, `\u%04x`, unit)
		}
	}
	return written.String()
}
