package api

import (
	"strconv"
	"strings"

	"guestpass/internal/pattern"
)

// JSON Schema counts numbers by their value: 1.0 and 1e2 are integers, 1.5 is none. Go goes by
// how they are written. So whole numbers are written in digits before Go reads them.

// jsonNumber is RFC 8259 section 6; its groups are sign, integer, fraction and exponent.
var jsonNumber = pattern.New(`^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$`)

// maxDigits bounds what is written out, whatever the exponent says. No integer of Go has more.
const maxDigits = 20

// canonicalNumber writes a whole number in digits. Whatever else there is stays as it was.
func canonicalNumber(literal string) string {
	parts := jsonNumber.FindStringSubmatch(literal)
	if parts == nil {
		return literal
	}
	digits := strings.TrimLeft(parts[2]+parts[3], "0")
	if digits == "" {
		return "0"
	}
	shift := 0
	if parts[4] != "" {
		var err error
		if shift, err = strconv.Atoi(parts[4]); err != nil {
			return literal
		}
	}
	significant := strings.TrimRight(digits, "0")
	shift += len(digits) - len(significant) - len(parts[3])
	if shift < 0 || shift > maxDigits || len(significant)+shift > maxDigits {
		return literal
	}
	return parts[1] + significant + strings.Repeat("0", shift)
}

// canonicalNumbers does so to each number of a JSON text, which stays the same if there is
// nothing to do.
func canonicalNumbers(text []byte) []byte {
	var written []byte
	copied, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '-' || '0' <= c && c <= '9'):
			end := i
			for end < len(text) && strings.IndexByte("+-.eE0123456789", text[end]) >= 0 {
				end++
			}
			literal := string(text[i:end])
			if canonical := canonicalNumber(literal); canonical != literal {
				written = append(append(written, text[copied:i]...), canonical...)
				copied = end
			}
			i = end - 1
		}
	}
	if copied == 0 {
		return text
	}
	return append(written, text[copied:]...)
}
