package credentials

import (
	"encoding/hex"
	"strings"

	"guestpass/internal/pattern"
)

const (
	masked        = "[token]"
	minTokenPart  = 10 // characters behind eyJ; fewer tell nothing
	minOpaquePart = 40
)

// userinfo is what may stand before the host of a URL (RFC 3986 section 3.2.1). A password that
// is not encoded may have anything in it but blanks.
var userinfo = pattern.New(`://[^\s"'<>]*@`)

// Mask takes out of a text whatever has the form of a token: a JWS, also one that was cut or
// broken into pieces, and a run of 40 or more base64url characters, escaped for URLs or not.
// Capital letters, small ones and digits tell such a run from an identifier of Stytch's. Name
// and password of a URL go too. It is for what a log or an answer repeats of a request.
func Mask(text string) string {
	if strings.Contains(text, "://") {
		text = userinfo.ReplaceAllString(text, "://[credentials]@")
	}
	if len(text) < minOpaquePart && !strings.Contains(text, "eyJ") { // the shortest that can be one
		return text
	}
	var written strings.Builder
	copied := 0
	for at := 0; at < len(text); {
		end := at + runLength(text[at:])
		if end == at {
			at++
			continue
		}
		begin := at
		switch jws := strings.Index(text[at:end], "eyJ"); {
		case jws >= 0 && end-at-jws >= len("eyJ")+minTokenPart:
			begin += jws
			end += piecesLength(text[end:])
		case end-at < minOpaquePart || !mixed(text[at:end]):
			at = end
			continue
		}
		written.WriteString(text[copied:begin])
		written.WriteString(masked)
		at, copied = end, end
	}
	if copied == 0 {
		return text
	}
	written.WriteString(text[copied:])
	return written.String()
}

// piecesLength returns how much of the text behind the first part of a JWS belongs to it: parts
// behind a dot, and pieces as long as a line has, whatever little stands between them.
func piecesLength(text string) (length int) {
	const between, long = 8, 16
	for length < len(text) {
		rest := text[length:]
		gap := min(len(rest), strings.IndexFunc(rest, isBase64URL))
		if gap < 0 {
			gap = len(rest)
		}
		run := runLength(rest[gap:])
		switch {
		case strings.HasPrefix(rest, "."):
			length += 1 + runLength(rest[1:])
		case gap <= between && run >= long:
			length += gap + run
		default:
			return length
		}
	}
	return length
}

// runLength returns how many bytes of base64url characters a text begins with; in URLs one may be
// escaped, or its escape.
func runLength(text string) (length int) {
	for length < len(text) {
		if classes[text[length]] != 0 {
			length++
			continue
		}
		if text[length] != '%' {
			break
		}
		escape := escaped.FindStringSubmatch(text[length:])
		if escape == nil {
			break
		}
		b, _ := hex.DecodeString(escape[1])
		if classes[b[0]] == 0 {
			break
		}
		length += len(escape[0])
	}
	return length
}

var escaped = pattern.New(`^%(?:25)*([0-9A-Fa-f]{2})`)

func isBase64URL(r rune) bool { return r < 0x80 && classes[r] != 0 }

// classes are those of a base64url character (RFC 4648 section 5); 0 is none.
var classes = func() (of [256]byte) {
	for c := range of {
		switch {
		case 'a' <= c && c <= 'z':
			of[c] = lower
		case 'A' <= c && c <= 'Z':
			of[c] = upper
		case '0' <= c && c <= '9':
			of[c] = digit
		case c == '-' || c == '_':
			of[c] = mark
		}
	}
	return of
}()

const (
	lower = 1 << iota
	upper
	digit
	mark
)

// mixed reports whether a run has small letters, capital ones and digits.
func mixed(run string) bool {
	var seen byte
	for i := range len(run) {
		seen |= classes[run[i]]
	}
	return seen&(lower|upper|digit) == lower|upper|digit
}
