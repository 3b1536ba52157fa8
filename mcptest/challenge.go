package mcptest

import (
	"net/http"
	"strings"
)

// Challenge is one of WWW-Authenticate (RFC 9110 section 11.6.1).
type Challenge struct {
	// Scheme is in lower case: "bearer".
	Scheme string
	// Parameters are by lower-case name, unquoted. If one comes twice, the first counts.
	Parameters map[string]string
}

// Scopes returns those of the challenge's scope.
func (c Challenge) Scopes() []string { return strings.Fields(c.Parameters["scope"]) }

// bearerOf returns the first challenge for a bearer token.
func bearerOf(h http.Header) (Challenge, bool) {
	for _, challenge := range ParseChallenges(h.Values("WWW-Authenticate")) {
		if challenge.Scheme == "bearer" {
			return challenge, true
		}
	}
	return Challenge{}, false
}

// ParseChallenges reads the values of WWW-Authenticate: challenges and their parameters are both separated by
// commas, so a word that no "=" follows begins a challenge. What cannot be read ends the value that it is in.
func ParseChallenges(values []string) (challenges []Challenge) {
	for _, rest := range values {
		for rest = skip(rest); rest != ""; rest = skip(rest) {
			word, after := token(rest)
			if word == "" {
				break
			}
			value, behind, isParameter := parameterValue(after)
			switch {
			case !isParameter:
				challenges = append(challenges, Challenge{strings.ToLower(word), map[string]string{}})
				rest = after
				continue
			case len(challenges) == 0: // a parameter of nothing
				return challenges
			}
			last := challenges[len(challenges)-1]
			if _, twice := last.Parameters[strings.ToLower(word)]; !twice {
				last.Parameters[strings.ToLower(word)] = value
			}
			rest = behind
		}
	}
	return challenges
}

func skip(text string) string { return strings.TrimLeft(text, ", \t") }

// token returns a word of RFC 9110 section 5.6.2.
func token(text string) (word, rest string) {
	end := strings.IndexFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

// parameterValue reads = and a word or a quoted string.
func parameterValue(text string) (value, rest string, ok bool) {
	text, ok = strings.CutPrefix(strings.TrimLeft(text, " \t"), "=")
	if !ok {
		return "", "", false
	}
	text = strings.TrimLeft(text, " \t")
	if !strings.HasPrefix(text, `"`) {
		value, rest = token(text)
		return value, rest, true
	}
	var read strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return read.String(), text[i+1:], true
		case text[i] == '\\' && i+1 < len(text):
			i++
		}
		read.WriteByte(text[i])
	}
	return read.String(), "", true
}
